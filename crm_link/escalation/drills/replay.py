"""The script of a past attack: an incident's own stored posts, with their times shifted.

Accounts become numbers, links to the posts are left out, and handles in the texts are blotted
out: a drill is about the words and the pace, not about who wrote. The posts are kept with the
drill while it runs and deleted at its end.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import regex
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import ConflictError
from config.phrases import phrase
from crm_link.escalation.drills.scenarios import MOST_POSTS, Script
from crm_link.escalation.incidents import get_incident
from crm_link.figures.author_numbers import INCIDENT_LOOKBACK
from listener.models import Author, Brand, Mention

#: A handle in a text, with the domain that Mastodon's have.
_HANDLE = regex.compile(r"(?<![\w@])@[\w.-]+(?:@[\w.-]+)?")

#: What stands in its place.
BLOTTED = "@someone"


def replay_script(session: Session, incident_id: int, *, keep_handles: frozenset[str]) -> Script:
    """Return the posts of an incident as a script.

    Args:
        session: The transaction.
        incident_id: The past attack.
        keep_handles: Handles that stay in the texts, in small letters and without `@`: the
            brand's own, by which a text is about it.

    Raises:
        NotFoundError: There is no such incident.
        ConflictError: It was itself a drill, or none of its posts are stored any more.

    """
    incident = get_incident(session, incident_id)
    if incident.is_drill:
        raise ConflictError(
            "incident %(incident_id)s was a drill; repeat its scenario by name",
            incident_id=incident_id,
        )
    since = _first_at(incident.facts.get("since"), incident.opened_at)
    rows = session.execute(
        select(Mention, Author.followers)
        .outerjoin(Author, Author.id == Mention.author_id)
        .where(
            Mention.brand_id == incident.brand_id,
            Mention.topic.in_(incident.facts.get("topics") or [incident.topic]),
            Mention.published_at >= since,
            Mention.published_at <= incident.last_seen_at,
            Mention.deleted_at.is_(None),
        )
        .order_by(Mention.published_at, Mention.id)
        .limit(MOST_POSTS)
    ).all()
    if not rows:
        raise ConflictError(
            "no post of incident %(incident_id)s is stored any more: it cannot be replayed",
            incident_id=incident_id,
        )
    begin = rows[0][0].published_at
    authors: dict[int | None, int] = {}
    places = {mention.external_id: place for place, (mention, _) in enumerate(rows)}
    posts: list[dict[str, Any]] = []
    for mention, followers in rows:
        post = {
            "after_s": round((mention.published_at - begin).total_seconds(), 1),
            "platform": mention.platform,
            "text": _blot(mention.text, keep_handles),
            "lang": mention.platform_lang,
            "author": authors.setdefault(mention.author_id, len(authors) + 1),
            "followers": followers,
            "likes": mention.likes,
            "reposts": mention.reposts,
        }
        if mention.repost_of_id in places:
            post["repost_of"] = places[mention.repost_of_id]
        posts.append(post)
    return Script(
        scenario=f"incident:{incident_id}",
        title=phrase(
            "Replay of incident %(incident)s: %(title)s",
            incident=incident_id,
            title=incident.title,
        ),
        lasts=timedelta(seconds=float(posts[-1]["after_s"])),
        posts=tuple(posts),
    )


def handles_of(brand: Brand) -> frozenset[str]:
    """Return the brand's own handles, in small letters and without `@`."""
    return frozenset(name.lower().removeprefix("@") for name in (*brand.names, brand.name))


def _first_at(stored: object, opened_at: datetime) -> datetime:
    """Return when the attack's first post may have been published, within reason."""
    first = datetime.fromisoformat(stored) if isinstance(stored, str) else opened_at
    return max(min(first, opened_at), opened_at - INCIDENT_LOOKBACK)


def _blot(text: str, keep: frozenset[str]) -> str:
    return _HANDLE.sub(
        lambda found: found[0] if found[0][1:].lower() in keep else BLOTTED,
        text,
    )
