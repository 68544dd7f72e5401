"""What an alert says: what, how big, since when, where to look, what to do, what comes next.

Written when it is sent, from the incident as it is then, so that a late message is not an old
one and texts are stored in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config.durations import format_duration
from crm_link.escalation.assessment import found_in
from crm_link.escalation.channel import Message
from crm_link.escalation.models import OPERATIONS, TEST, Incident, Notification
from crm_link.escalation.protocol import EscalationProtocol, ProtocolContact
from crm_link.escalation.scct import choose_playbook

#: A quoted text is cut to so many characters.
QUOTE_CHARS = 140

#: Stands at the top of every message of a drill.
DRILL_WORDS = (
    "This is a drill: an attack is replayed, and nothing of it is happening. Do what you would do, "
    "but publish nothing."
)

#: What a test message says.
TEST_WORDS = (
    "This is a test: nothing has happened. If you can read this, alerts reach you here. "
    "Acknowledge it to show that you did."
)

_OPENINGS = {
    "step": "",
    "severity": "WORSE: ",
    "again": "STILL GROWING: ",
    "reopened": "AGAIN: ",
    "last_resort": "NOBODY HAS ACKNOWLEDGED: ",
    "resolved": "RESOLVED: ",
    "overdue": "OVERDUE: ",
    "approval": "PLEASE APPROVE: ",
}


@dataclass(frozen=True, slots=True)
class TopPost:
    """One of the posts that reach most people."""

    mention_id: int
    platform: str
    url: str | None
    text: str
    published_at: datetime
    author: str | None
    followers: int | None
    copies: int


@dataclass(frozen=True, slots=True)
class Telling:
    """Everything that one message is made of."""

    notification: Notification
    incident: Incident
    brand_name: str
    contact: ProtocolContact
    protocol: EscalationProtocol
    upcoming: tuple[tuple[str, ...], datetime] | None
    posts: Sequence[TopPost]
    link: str
    ack_link: str | None
    resolution: str | None
    why: str = ""


def compose(telling: Telling) -> Message:
    """Return the message for one contact, with times on the contact's own clock."""
    incident, notification = telling.incident, telling.notification
    opening = _OPENINGS.get(notification.reason, "")
    lines = [*_what(telling), *_knowledge(telling)]
    if notification.payload.get("about"):
        lines = [notification.payload["about"], "", *lines]
    if incident.kind == TEST:
        opening = "TEST: "
    if incident.is_drill:
        opening = f"DRILL: {opening}"
        lines = [DRILL_WORDS, "", *lines]
    if notification.reason == "resolved":
        lines.append(f"Resolved by {incident.resolved_by}: {telling.resolution or ''}".rstrip(": "))
    if telling.posts:
        lines += ["", "Posts that reach most people:"]
        lines += [_post(post) for post in telling.posts]
    lines += ["", *_to_do(telling)]
    return Message(
        title=f"{opening}[{incident.severity}] {incident.title}",
        body="\n".join(lines).strip() + "\n",
        idempotency_key=notification.idempotency_key,
        data=_data(telling),
    )


def bundle(messages: Sequence[Message], *, key: str) -> Message:
    """Return several messages to one person as one, in their order: the worst is first."""
    count = len(messages)
    parts = [f"{message.title}\n{message.body.strip()}" for message in messages]
    return Message(
        title=f"{count} alerts: {messages[0].title}",
        body=("\n\n" + "-" * 20 + "\n\n").join(parts) + "\n",
        idempotency_key=key,
        data={"reason": "bundle", "count": count, "alerts": [dict(one.data) for one in messages]},
    )


def _what(telling: Telling) -> list[str]:
    incident = telling.incident
    if incident.kind == TEST:
        return [TEST_WORDS]
    if incident.kind == OPERATIONS:
        return [str(line) for line in incident.facts.get("lines", [])]
    why = telling.why.splitlines() if telling.notification.reason != "resolved" else []
    return [_size(telling), *_burst(telling), *_where(telling), *why]


def _knowledge(telling: Telling) -> list[str]:
    """Return what people know about the claim, and the playbook that follows from it."""
    incident = telling.incident
    if not incident.is_about_mentions or not telling.protocol.playbooks:
        return []
    found = found_in(incident)
    lines = [f"Claim: {found.claim.replace('_', ' ')}."]
    playbook = incident.playbook or choose_playbook(found, telling.protocol.playbooks)
    if playbook:
        lines.append(f"Playbook: {playbook.replace('_', ' ')}, {telling.link}#playbook")
    return lines


def _size(telling: Telling) -> str:
    facts = telling.incident.facts
    window = format_duration(timedelta(seconds=facts["window_s"]))
    line = f"{facts['negatives']:,} negative mentions of {telling.brand_name} in {window}"
    if facts.get("negative_share") is not None:
        line += f" ({facts['negative_share']:.0%} of {facts['mentions']:,})"
    if facts.get("reach"):
        line += f", reach {facts['reach']:,}"
    peak = telling.incident.peak.get("negatives", 0)
    if peak > facts["negatives"]:
        line += f", {peak:,} at the worst"
    return f"{line}, since {_moment(telling, datetime.fromisoformat(facts['since']))}."


def _burst(telling: Telling) -> list[str]:
    burst = telling.incident.facts.get("burst")
    if not burst:
        return []
    return [f"Burst: {burst['words']} (1 is the biggest of an ordinary day)."]


def _where(telling: Telling) -> list[str]:
    platforms: Mapping[str, int] = telling.incident.facts.get("platforms", {})
    if not platforms:
        return []
    return ["On " + ", ".join(f"{name} {count:,}" for name, count in platforms.items()) + "."]


def _post(post: TopPost) -> str:
    text = " ".join(post.text.split())
    quote = text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1].rstrip() + "…"
    notes = [post.platform]
    if post.followers:
        notes.append(f"{post.followers:,} followers")
    if post.copies:
        notes.append(f"repeated {post.copies:,} times")
    return f"- “{quote}” ({', '.join(notes)}) {post.url or ''}".rstrip()


def _to_do(telling: Telling) -> list[str]:
    incident = telling.incident
    link = telling.link
    if telling.notification.reason == "resolved":
        return [f"Timeline: {link}"]
    if incident.acknowledged_by is not None:
        return [f"Acknowledged by {incident.acknowledged_by}. Incident: {link}"]
    severity = telling.protocol.find_severity(incident.severity)
    within = f" within {format_duration(severity.ack)}" if severity else ""
    lines = [f"Acknowledge{within}: {telling.ack_link or link}"]
    if telling.ack_link is not None:
        lines.append(f"Incident: {link}")
    if telling.upcoming is not None:
        who, when = telling.upcoming
        lines.append(f"If nobody does: {', '.join(who)} at {_moment(telling, when)}.")
    return lines


def _moment(telling: Telling, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(telling.contact.tz)).strftime("%Y-%m-%d %H:%M %Z")


def _data(telling: Telling) -> dict[str, Any]:
    incident, notification = telling.incident, telling.notification
    facts = incident.facts
    return {
        "incident_id": incident.id,
        "brand": telling.brand_name,
        "topic": incident.topic,
        "title": incident.title,
        "severity": incident.severity,
        "status": incident.status.value,
        "is_drill": incident.is_drill,
        "kind": incident.kind,
        "reason": notification.reason,
        "contact_id": telling.contact.id,
        "role": notification.role,
        "attempt": notification.attempts,
        "opened_at": incident.opened_at.isoformat(),
        "since": facts.get("since"),
        "window_s": facts.get("window_s"),
        "negatives": facts.get("negatives"),
        "mentions": facts.get("mentions"),
        "negative_share": facts.get("negative_share"),
        "negatives_per_hour": facts.get("negatives_per_hour"),
        "reach": facts.get("reach"),
        "burst": facts.get("burst"),
        "platforms": facts.get("platforms", {}),
        "url": telling.link,
        "acknowledge_url": telling.ack_link,
        "claim": (incident.assessment or {}).get("claim"),
        "playbook": incident.playbook,
        "next": (
            None
            if telling.upcoming is None
            else {"notify": list(telling.upcoming[0]), "at": telling.upcoming[1].isoformat()}
        ),
        "top_posts": [
            {
                "mention_id": post.mention_id,
                "platform": post.platform,
                "url": post.url,
                "published_at": post.published_at.isoformat(),
            }
            for post in telling.posts
        ],
    }
