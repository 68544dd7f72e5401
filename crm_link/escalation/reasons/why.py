"""Why an incident was raised: what grew, who began, who says it, and whether it is orchestrated.

Made when the incident opens, and again whenever somebody looks while it runs. What is stored
are ids, counts and the words of topics; texts, handles and names stay where they are and are
read when somebody looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.phrases import Number, Phrase, Share, joined, nphrase, phrase
from crm_link.escalation.models import Incident, IncidentWhy
from crm_link.escalation.protocol_parts.triage import GENERAL
from crm_link.escalation.reasons.why_people import (
    find_accounts,
    find_coverage,
    find_network,
    find_people,
    find_repeated,
    find_sources,
    story_keys,
)
from crm_link.escalation.reasons.why_posts import (
    MOST_POSTS,
    Post,
    count_posts,
    reach_of,
    read_posts,
)
from listener.models import Brand
from sentiment.coordination import Verdict
from sentiment.signals.models import StoredTopic
from sentiment.topics import KnownTopic, Topic, TopicText, find_topics

#: How far back a window reaches at least and at most.
SHORTEST, LONGEST = timedelta(hours=1), timedelta(hours=24)

#: How much of each list is kept.
FIRST_POSTS, TOP_POSTS, TOP_TOPICS = 5, 8, 6

#: Known topics of a brand that are compared with, the last seen first.
_MOST_KNOWN = 200

Why = dict[str, Any]


def explain(
    session: Session,
    brand_id: int,
    topics: Collection[str] | None,
    *,
    since: datetime,
    until: datetime,
    most: int = MOST_POSTS,
) -> Why:
    """Return why a brand's negative posts of a window are more than usual, fit for JSON.

    The window is compared with the one of the same length before it. Bounded on purpose: of a
    burst of a hundred thousand posts the newest `most` are looked at, and it says so.

    Args:
        session: The transaction; it is only read.
        brand_id: The brand.
        topics: Topics of the protocol that it is about; None for all.
        since: Beginning, by publication time.
        until: End, included.
        most: Posts that are looked at; half as many of the window before.

    """
    length = until - since
    posts = read_posts(session, brand_id, topics, since, until, most)
    just_before = since - timedelta(microseconds=1)
    before = read_posts(session, brand_id, topics, since - length, just_before, most // 2)
    count = len(posts)
    if count == most:
        count = count_posts(session, brand_id, topics, since, until)
    oldest_first = sorted(posts, key=lambda post: (post.published_at, post.id))
    stories = story_keys(posts)
    widest = sorted(posts, key=lambda post: (-reach_of(post), post.id))
    return {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "posts": count,
        "posts_read": len(posts),
        "posts_before": (
            count_posts(session, brand_id, topics, since - length, just_before)
            if len(before) == most // 2
            else len(before)
        ),
        "topics": _topics(session, brand_id, posts, before),
        "first_posts": [post.id for post in oldest_first[:FIRST_POSTS]],
        "top_posts": [post.id for post in widest if post.folded_into_id is None][:TOP_POSTS],
        "platforms": _counted(post.platform for post in posts),
        "languages": _counted(post.lang or "und" for post in posts),
        "sources": find_sources(session, posts),
        **find_accounts(posts, until),
        **find_people(session, posts),
        "repeated": find_repeated(stories),
        "coordination": find_network(posts, stories),
        "coverage": find_coverage(session, brand_id, since, until),
    }


def explain_incident(session: Session, incident: Incident, now: datetime) -> Why:
    """Return why an incident is what it is by now."""
    until = incident.resolved_at or now
    stored = find_stored(session, incident.id)
    begin = incident.opened_at - SHORTEST
    if stored is not None:
        begin = datetime.fromisoformat(stored["since"])
    since = max(begin, until - LONGEST) if until - begin > LONGEST else begin
    topics = incident.facts.get("topics") or [incident.topic]
    return explain(
        session,
        incident.brand_id,
        None if GENERAL in topics else topics,
        since=since,
        until=until,
    )


def find_stored(session: Session, incident_id: int) -> Why | None:
    """Return what was found when the incident opened."""
    return session.scalar(select(IncidentWhy.content).where(IncidentWhy.incident_id == incident_id))


def store_why(session: Session, incident_id: int, why: Why | None, now: datetime) -> None:
    """Keep why an incident was raised; an incident that opens again is explained anew."""
    if why is not None:
        session.merge(IncidentWhy(incident_id=incident_id, made_at=now, content=why))


def summarise_why(why: Mapping[str, Any] | None) -> str:
    """Return the short form for a message: two to four lines, no names, no texts."""
    if not why or not why["posts"]:
        return ""
    lines = []
    if why["topics"]:
        about = joined("; ", [_topic_words(topic) for topic in why["topics"][:3]])
        lines.append(phrase("About: %(topics)s.", topics=about))
    lines.append(phrase("Who: %(who)s.", who=_who(why)))
    found = why["coordination"]
    if found["verdict"] in {Verdict.COORDINATED, Verdict.PARTLY}:
        lines.append(
            nphrase(
                "Looks %(verdict)s: %(num)s account posts the same within a minute "
                "(%(share)s of the posts).",
                "Looks %(verdict)s: %(num)s accounts post the same within a minute "
                "(%(share)s of the posts).",
                found["accounts"],
                verdict=Phrase(found["verdict"], {}),
                share=Share(found["share"]),
            )
        )
    if why["coverage"]["words"]:
        lines.append(phrase("Not everything is seen: %(what)s.", what=why["coverage"]["words"]))
    return joined("\n", lines)


def _who(why: Mapping[str, Any]) -> str:
    """Return who speaks: how many accounts, how many of them new and known, what is repeated."""
    parts = [nphrase("%(num)s account", "%(num)s accounts", why["accounts"])]
    if why["new_accounts"]:
        parts.append(nphrase("%(num)s of them new", "%(num)s of them new", why["new_accounts"]))
    if why["known_people"]:
        known = why["known_people"]
        parts.append(nphrase("%(num)s known in the CRM", "%(num)s known in the CRM", known))
    who = joined(", ", parts)
    repeated = why["repeated"]["share"]
    if repeated < 0.2:  # noqa: PLR2004 - less is ordinary talk
        return who
    return joined("; ", [who, phrase("%(share)s repeats the same text", share=Share(repeated))])


def _topic_words(topic: Mapping[str, Any]) -> str:
    words, posts = ", ".join(topic["words"][:3]), topic["posts"]
    if not topic["before"]:
        return nphrase(
            "%(words)s (%(num)s post, new)", "%(words)s (%(num)s posts, new)", posts, words=words
        )
    return nphrase(
        "%(words)s (%(num)s post, %(before)s before)",
        "%(words)s (%(num)s posts, %(before)s before)",
        posts,
        words=words,
        before=Number(topic["before"]),
    )


def _topics(
    session: Session, brand_id: int, posts: Sequence[Post], before: Sequence[Post]
) -> list[Why]:
    """Return what grew, the clearest first; topics keep the ids that they had before."""
    brand = session.get_one(Brand, brand_id)
    known = [
        KnownTopic(row.id, tuple(sorted(row.words.items(), key=lambda one: (-one[1], one[0]))))
        for row in session.scalars(
            select(StoredTopic)
            .where(StoredTopic.brand_id == brand_id)
            .order_by(StoredTopic.last_seen_at.desc(), StoredTopic.id)
            .limit(_MOST_KNOWN)
        )
    ]
    found = find_topics(
        [_text(post) for post in posts],
        known,
        before=[_text(post) for post in before],
        names=[brand.name, *brand.names],
    )
    by_growth = sorted(found, key=lambda topic: (-(topic.change or 0.0), -topic.posts, topic.id))
    return [_topic(topic) for topic in by_growth[:TOP_TOPICS]]


def _text(post: Post) -> TopicText:
    return TopicText(
        post.id, post.text, is_negative=True, lang=post.lang, story=post.folded_into_id
    )


def _topic(topic: Topic) -> Why:
    return {
        "id": topic.id,
        "words": list(topic.words),
        "posts": topic.posts,
        "stories": topic.stories,
        "before": topic.posts_before or 0,
        "change": topic.change,
        "is_new": topic.is_new,
        "top_posts": list(topic.top_ids[:3]),
    }


def _counted(words: Any) -> dict[str, int]:  # noqa: ANN401 - any words
    return dict(Counter(words).most_common())
