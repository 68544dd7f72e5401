"""What an alert says: what, how big, since when, where to look, what to do, what comes next.

Written when it is sent, from the incident as it is then, so that a late message is not an old
one and texts are stored in one place only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from config.durations import format_duration
from config.language import gettext, looked_up, moment_text, ngettext, reading_as, told
from config.phrases import Number, Phrase, Share, later, phrase
from crm_link.escalation.channel import Message
from crm_link.escalation.delivery.message_facts import Telling, TopPost, facts_of
from crm_link.escalation.models import OPERATIONS, TEST
from crm_link.escalation.playbook.assessment import found_in
from crm_link.escalation.playbook.scct import choose_playbook

#: A quoted text is cut to so many characters.
QUOTE_CHARS = 140

#: Stands at the top of every message of a drill.
DRILL_WORDS = phrase(
    "This is a drill: an attack is replayed, and nothing of it is happening. Do what you would do, "
    "but publish nothing."
)

#: What a test message says.
TEST_WORDS = phrase(
    "This is a test: nothing has happened. If you can read this, alerts reach you here. "
    "Acknowledge it to show that you did."
)

#: How a title begins, by the reason of the message.
_OPENINGS = {
    "severity": later("WORSE: %(title)s"),
    "again": later("STILL GROWING: %(title)s"),
    "reopened": later("AGAIN: %(title)s"),
    "last_resort": later("NOBODY HAS ACKNOWLEDGED: %(title)s"),
    "resolved": later("RESOLVED: %(title)s"),
    "overdue": later("OVERDUE: %(title)s"),
    "approval": later("PLEASE APPROVE: %(title)s"),
}


def compose(telling: Telling) -> Message:
    """Return the message for one contact, in their language and with times in their zone."""
    with reading_as(telling.language, telling.zone):
        return _composed(telling)


def _composed(telling: Telling) -> Message:
    incident, notification = telling.incident, telling.notification
    lines = [*_what(telling), *_knowledge(telling)]
    if notification.payload.get("about"):
        lines = [told(notification.payload["about"]), "", *lines]
    if incident.is_drill:
        lines = [told(DRILL_WORDS), "", *lines]
    if notification.reason == "resolved":
        lines.append(_resolved(telling))
    if telling.posts:
        lines += ["", gettext("Posts that reach most people:")]
        lines += [_post(post) for post in telling.posts]
    lines += ["", *_to_do(telling)]
    return Message(
        title=_title(telling),
        body="\n".join(lines).strip() + "\n",
        idempotency_key=notification.idempotency_key,
        data=facts_of(telling),
        language=telling.language,
    )


def bundle(messages: Sequence[Message], *, key: str) -> Message:
    """Return several messages to one person as one, in their order: the worst is first."""
    count, language = len(messages), messages[0].language
    parts = [f"{message.title}\n{message.body.strip()}" for message in messages]
    with reading_as(language):
        title = gettext("%(count)s alerts: %(title)s", count=count, title=messages[0].title)
    return Message(
        title=title,
        body=("\n\n" + "-" * 20 + "\n\n").join(parts) + "\n",
        idempotency_key=key,
        data={"reason": "bundle", "count": count, "alerts": [dict(one.data) for one in messages]},
        language=language,
    )


def _title(telling: Telling) -> str:
    incident = telling.incident
    title = f"[{incident.severity}] {told(incident.title)}"
    if incident.kind == TEST:
        return gettext("TEST: %(title)s", title=title)
    opening = _OPENINGS.get(telling.notification.reason)
    if opening is not None:
        title = gettext(opening, title=title)
    return gettext("DRILL: %(title)s", title=title) if incident.is_drill else title


def _what(telling: Telling) -> list[str]:
    incident = telling.incident
    if incident.kind == TEST:
        return [told(TEST_WORDS)]
    if incident.kind == OPERATIONS:
        return [told(line) for line in incident.facts.get("lines", [])]
    why = told(telling.why).splitlines() if telling.notification.reason != "resolved" else []
    return [_size(telling), *_burst(telling), *_where(telling), *why]


def _resolved(telling: Telling) -> str:
    who, how = telling.incident.resolved_by, telling.resolution
    if not how:
        return gettext("Resolved by %(who)s", who=who)
    return gettext("Resolved by %(who)s: %(how)s", who=who, how=how)


def _knowledge(telling: Telling) -> list[str]:
    """Return what people know about the claim, and the playbook that follows from it."""
    incident = telling.incident
    if not incident.is_about_mentions or not telling.protocol.playbooks:
        return []
    found = found_in(incident)
    lines = [gettext("Claim: %(claim)s.", claim=looked_up(found.claim.replace("_", " ")))]
    playbook = incident.playbook or choose_playbook(found, telling.protocol.playbooks)
    if playbook:
        name = playbook.replace("_", " ")
        lines.append(gettext("Playbook: %(name)s, %(link)s", name=name, link=_section(telling)))
    return lines


def _section(telling: Telling) -> str:
    return f"{telling.link}#playbook"


def _size(telling: Telling) -> str:
    """Return how big it is: the count, and behind it what else is known."""
    facts = telling.incident.facts
    said = ngettext(
        "%(number)s negative mention of %(brand)s in %(window)s",
        "%(number)s negative mentions of %(brand)s in %(window)s",
        facts["negatives"],
        number=Number(facts["negatives"]),
        brand=telling.brand_name,
        window=format_duration(timedelta(seconds=facts["window_s"])),
    )
    if facts.get("negative_share") is not None:
        share, mentions = Share(facts["negative_share"]), Number(facts["mentions"])
        said = f"{said} ({gettext('%(share)s of %(mentions)s', share=share, mentions=mentions)})"
    parts = [said]
    if facts.get("reach"):
        parts.append(gettext("reach %(reach)s", reach=Number(facts["reach"])))
    peak = telling.incident.peak.get("negatives", 0)
    if peak > facts["negatives"]:
        parts.append(gettext("%(number)s at the worst", number=Number(peak)))
    since = moment_text(datetime.fromisoformat(facts["since"]), now=telling.now)
    return ", ".join([*parts, gettext("since %(when)s", when=since)]) + "."


def _burst(telling: Telling) -> list[str]:
    burst = telling.incident.facts.get("burst")
    if not burst:
        return []
    return [
        gettext("Burst: %(burst)s (1 is the biggest of an ordinary day).", burst=burst["words"])
    ]


def _where(telling: Telling) -> list[str]:
    platforms: Mapping[str, int] = telling.incident.facts.get("platforms", {})
    if not platforms:
        return []
    counted = [
        told(Phrase("%(name)s %(number)s", {"name": name, "number": Number(count)}))
        for name, count in platforms.items()
    ]
    return [gettext("On %(platforms)s.", platforms=", ".join(counted))]


def _post(post: TopPost) -> str:
    text = " ".join(post.text.split())
    quote = text if len(text) <= QUOTE_CHARS else text[: QUOTE_CHARS - 1].rstrip() + "…"
    notes = [post.platform]
    if post.followers:
        followers = post.followers
        notes.append(
            ngettext(
                "%(number)s follower",
                "%(number)s followers",
                followers,
                number=Number(followers),
            )
        )
    if post.copies:
        copies = post.copies
        notes.append(
            ngettext(
                "repeated %(number)s time",
                "repeated %(number)s times",
                copies,
                number=Number(copies),
            )
        )
    return f"- “{quote}” ({', '.join(notes)}) {post.url or ''}".rstrip()


def _to_do(telling: Telling) -> list[str]:
    incident = telling.incident
    link = telling.link
    if telling.notification.reason == "resolved":
        return [gettext("Timeline: %(link)s", link=link)]
    if incident.acknowledged_by is not None:
        who = incident.acknowledged_by
        return [gettext("Acknowledged by %(who)s. Incident: %(link)s", who=who, link=link)]
    severity = telling.protocol.find_severity(incident.severity)
    ack_link = telling.ack_link or link
    lines = [
        gettext(
            "Acknowledge within %(time)s: %(link)s",
            time=format_duration(severity.ack),
            link=ack_link,
        )
        if severity
        else gettext("Acknowledge: %(link)s", link=ack_link)
    ]
    if telling.takes_words:
        lines.append(gettext("Or answer: ack %(incident)s", incident=incident.id))
    if telling.ack_link is not None:
        lines.append(gettext("Incident: %(link)s", link=link))
    if telling.upcoming is not None:
        people, when = telling.upcoming
        lines.append(
            gettext(
                "If nobody does: %(who)s at %(when)s.",
                who=", ".join(told(one) for one in people),
                when=moment_text(when, now=telling.now),
            )
        )
    return lines
