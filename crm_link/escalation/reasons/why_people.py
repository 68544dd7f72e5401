"""Who speaks in a burst, whether they act together, and what of it was not heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.phrases import Share, joined, nphrase, phrase
from crm_link.escalation.reasons.why_posts import Post
from crm_link.models import Contact, IdentityLink
from crm_link.types import LinkState
from listener.coverage import coverage
from listener.models import Gap, Source, SourceState
from sentiment.coordination import SharedPost, find_coordination
from sentiment.topic_words import normal_text

#: How much of each list is kept.
TOP_AUTHORS, TOP_PEOPLE = 10, 10

#: Accounts and connections of the network that are kept, the busiest first.
MOST_NODES, MOST_EDGES = 60, 200

#: An account is new if its platform has had it for less than this.
NEW_ACCOUNT = timedelta(days=30)

#: Ids that one question names: databases limit how many there may be.
_AT_ONCE = 500

Part = dict[str, Any]


def find_sources(session: Session, posts: Sequence[Post]) -> dict[str, int]:
    """Return how many posts each source brought."""
    ids = Counter(post.source_id for post in posts)
    names = {
        row.id: row.name
        for row in session.execute(
            select(Source.id, Source.name).where(Source.id.in_([one for one in ids if one]))
        )
    }
    return {names.get(one, "imported"): count for one, count in ids.most_common()}


def find_accounts(posts: Sequence[Post], until: datetime) -> Part:
    """Return how many accounts speak, how many are new, and the busiest."""
    by_author = Counter(post.author_id for post in posts if post.author_id is not None)
    first = {post.author_id: post for post in posts}
    joined = [first[author].joined_at for author in by_author]
    new = [at for at in joined if at is not None and until - at < NEW_ACCOUNT]
    return {
        "accounts": len(by_author),
        "new_accounts": len(new),
        "top_authors": [
            {"author_id": author, "posts": count, "followers": first[author].followers}
            for author, count in sorted(
                by_author.items(), key=lambda one: (-one[1], -(first[one[0]].followers or 0))
            )[:TOP_AUTHORS]
        ],
    }


def find_people(session: Session, posts: Sequence[Post]) -> Part:
    """Return the contacts among the authors, those worth most first."""
    by_author = Counter(post.author_id for post in posts if post.author_id is not None)
    found: list[tuple[int, int, float | None]] = []
    authors = list(by_author)
    for first in range(0, len(authors), _AT_ONCE):
        found += [
            (author_id, contact_id, value)
            for author_id, contact_id, value in session.execute(
                select(IdentityLink.author_id, Contact.id, Contact.value)
                .join(Contact, Contact.id == IdentityLink.contact_id)
                .where(
                    IdentityLink.author_id.in_(authors[first : first + _AT_ONCE]),
                    IdentityLink.state == LinkState.CONFIRMED,
                    Contact.deleted_at.is_(None),
                )
            )
        ]
    found.sort(key=lambda one: (-(one[2] or 0.0), -by_author[one[0]], one[1]))
    return {
        "known_people": len({contact_id for _, contact_id, _ in found}),
        "people": [
            {"contact_id": contact_id, "author_id": author_id, "posts": by_author[author_id]}
            for author_id, contact_id, _ in found[:TOP_PEOPLE]
        ],
    }


def story_keys(posts: Sequence[Post]) -> dict[int, str]:
    """Return for each post what all that repeat it have in common: the original's words."""
    own = {post.id: normal_text(post.text) or str(post.id) for post in posts}
    return {
        post.id: own.get(post.folded_into_id, f"#{post.folded_into_id}")
        if post.folded_into_id is not None
        else own[post.id]
        for post in posts
    }


def find_repeated(stories: Mapping[int, str]) -> Part:
    """Return how much of what is said is somebody else's words, by `story_keys`."""
    different = len(set(stories.values()))
    share = 1 - different / len(stories) if stories else 0.0
    return {"share": round(share, 3), "stories": different}


def find_network(posts: Sequence[Post], stories: Mapping[int, str]) -> Part:
    """Return whether accounts post the same inside short windows, and which."""
    shared = [
        SharedPost(
            author=post.author_id,
            at=post.published_at,
            things=(
                ("story", stories[post.id]),
                *(("link", link) for link in post.links[:5]),
            ),
            is_repost=post.repost_of_id is not None,
        )
        for post in posts
        if post.author_id is not None
    ]
    found = find_coordination(shared)
    nodes = found.accounts[:MOST_NODES]
    shown = {author for author, _ in nodes}
    return {
        "verdict": found.verdict.value,
        "share": round(found.share, 3),
        "accounts": len(found.accounts),
        "median_pause_s": found.quickest_s,
        "nodes": [{"author_id": author, "posts": count} for author, count in nodes],
        "edges": [
            [edge.one, edge.other, edge.things]
            for edge in found.edges
            if edge.one in shown and edge.other in shown
        ][:MOST_EDGES],
    }


def find_coverage(session: Session, brand_id: int, since: datetime, until: datetime) -> Part:
    """Return what of the window was not heard."""
    bad = session.execute(
        select(Source.name, Source.state)
        .where(
            Source.brand_id == brand_id,
            Source.is_active,
            Source.state.in_([SourceState.FAILING, SourceState.PAUSED, SourceState.RETRYING]),
        )
        .order_by(Source.name)
    ).all()
    gaps = session.scalar(
        select(func.count())
        .select_from(Gap)
        .join(Source, Source.id == Gap.source_id)
        .where(
            Source.brand_id == brand_id,
            Gap.filled_at.is_(None),
            or_(Gap.from_at.is_(None), Gap.from_at < until),
            or_(Gap.to_at.is_(None), Gap.to_at > since),
            Gap.found_at >= since,
        )
    )
    share = coverage(session, brand_id, since, until)
    words = [phrase("%(source)s is %(state)s", source=name, state=state) for name, state in bad]
    if gaps:
        words.append(nphrase("%(num)s gap", "%(num)s gaps", gaps))
    if share is not None and share < 0.995:  # noqa: PLR2004 - what would be shown as 100 %
        words.append(phrase("%(share)s of the time covered", share=Share(share)))
    return {
        "share": None if share is None else round(share, 4),
        "silent": [{"source": name, "state": state.value} for name, state in bad],
        "gaps": gaps or 0,
        "words": joined(", ", words),
    }
