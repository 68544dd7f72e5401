"""Could we act now? A score of 0 to 100 with its parts, each with what to do.

Every part is read from what is there: the protocol in force, past drills, the outbox, the
health of sources. Points and what earns them are in docs/drills.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.durations import format_duration
from config.phrases import Phrase, joined, later, lines_of, nphrase, phrase
from crm_link.escalation.detection.in_force import protocol_in_force
from crm_link.escalation.drills.result import last_drill_at
from crm_link.escalation.duty.last_tries import last_tries
from crm_link.escalation.protocol import EVERYONE, EscalationProtocol, deputy_role
from crm_link.escalation.protocol_parts.advice import advise
from crm_link.escalation.protocol_parts.history import broken_files
from crm_link.escalation.protocol_parts.on_call import on_call_rotation
from crm_link.models import DeliveryStatus
from listener.coverage import SourceHealth, source_health
from listener.models import Brand, SourceState

#: Points of each part; they sum to 100.
POINTS = {
    "drill": 20,
    "statements": 20,
    "deputies": 15,
    "channels": 15,
    "roles": 10,
    "sources": 10,
    "protocol": 10,
}

#: What a way to a person that was never tried is worth.
UNTRIED = 0.5

#: Each finding about the protocol that no other part counts costs so much of its part.
PER_FINDING = 0.2

#: Rules of `protocol_advice` that other parts count.
_COUNTED_ELSEWHERE = frozenset(
    {"statement-approved", "statement-expired", "role-deputy", "drill-overdue", "silent-channels"}
)

_GONE = frozenset({"statement-approved", "statement-expired"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score.

    Args:
        found: What was found, as a sentence.
        to_do: What to do; empty where nothing is missing.

    """

    name: str
    points: int
    earned: int
    found: str
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready the people of a brand are."""

    brand_key: str
    brand_name: str
    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """The sum of the parts, 0 to 100."""
        return sum(part.earned for part in self.parts)


def read_readiness(session: Session, now: datetime, brand_id: int | None = None) -> list[Readiness]:
    """Return how ready each active brand is, by name.

    Args:
        session: The transaction.
        now: The present.
        brand_id: Only this brand.

    """
    query = select(Brand).where(Brand.is_active, Brand.is_own())
    if brand_id is not None:
        query = query.where(Brand.id == brand_id)
    health = source_health(session, now)
    broken = {edit.brand_key: edit.problem or "" for edit in broken_files(session)}
    found = []
    for brand in session.scalars(query.order_by(Brand.name, Brand.id)):
        protocol = protocol_in_force(session, brand.id)
        findings = list(advise(protocol, now.date()))
        parts = (
            _drill(protocol, last_drill_at(session, brand.id), now),
            _statements(protocol, {place[1] for rule, place, _ in findings if rule in _GONE}),
            _deputies(protocol),
            _channels(session, brand.id, protocol),
            _roles(protocol),
            _sources([one for one in health if one.brand_key == brand.key]),
            _protocol(
                broken.get(brand.key, ""),
                [words for rule, _, words in findings if rule not in _COUNTED_ELSEWHERE],
            ),
        )
        found.append(Readiness(brand.key, brand.name, parts))
    return found


def drill_due_at(protocol: EscalationProtocol, last_at: datetime | None) -> datetime | None:
    """Return when the next drill is due; None: there was none, so it is due now."""
    held = [] if last_at is None else [last_at.date()]
    if protocol.drills.last is not None:
        held.append(protocol.drills.last)
    if not held:
        return None
    last = max(held)
    return datetime(last.year, last.month, last.day, tzinfo=UTC) + protocol.drills.every


def _part(name: str, share: float, found: str, to_do: str = "") -> Part:
    """Return a part with its points; only what is whole earns all of them."""
    points = POINTS[name]
    bounded = min(max(share, 0.0), 1.0)
    earned = points if bounded == 1.0 else min(points - 1, round(points * bounded))
    return Part(name, points, earned, found, to_do)


def _for(template: str, names: Sequence[str]) -> str:
    """Return what to do for some; empty where there is nobody to do it for."""
    return Phrase(template, {"names": ", ".join(names)}) if names else ""


def _drill(protocol: EscalationProtocol, last_at: datetime | None, now: datetime) -> Part:
    due = drill_due_at(protocol, last_at)
    how = phrase("hold one with people: groundswell drill false_rumour")
    if due is None:
        return _part("drill", 0, phrase("There was no drill so far."), how)
    every = protocol.drills.every
    age = now - (due - every)
    found = nphrase(
        "The last drill was %(num)s day ago, one is due every %(every)s.",
        "The last drill was %(num)s days ago, one is due every %(every)s.",
        max(age.days, 0),
        every=format_duration(every),
    )
    return _part("drill", 2.0 - age / every, found, how if age > every else "")


def _statements(protocol: EscalationProtocol, gone: set[int | str]) -> Part:
    names = list(protocol.statements)
    if not names:
        write = phrase(
            "write holding statements into the protocol under `statements` and have them approved"
        )
        return _part("statements", 0, phrase("The protocol has no statements."), write)
    bad = [name for name in names if name in gone]
    found = nphrase(
        "%(good)s of %(num)s statement is approved and holds.",
        "%(good)s of %(num)s statements are approved and hold.",
        len(names),
        good=len(names) - len(bad),
    )
    to_do = _for(later("have them approved anew: %(names)s"), bad)
    return _part("statements", 1 - len(bad) / len(names), found, to_do)


def _deputies(protocol: EscalationProtocol) -> Part:
    without = [one.id for one in protocol.contacts if one.deputy is None]
    whole = len(protocol.contacts)
    good = whole - len(without)
    found = nphrase(
        "%(good)s of %(num)s contact has a deputy.",
        "%(good)s of %(num)s contacts have a deputy.",
        whole,
        good=good,
    )
    to_do = _for(later("name a deputy of: %(names)s"), without)
    return _part("deputies", 1 - len(without) / whole, found, to_do)


def _roles(protocol: EscalationProtocol) -> Part:
    named = {
        deputy_role(word) or word
        for chain in protocol.escalation.values()
        for step in chain.steps
        for word in step.notify
        if word != EVERYONE and on_call_rotation(word) is None
    }
    for roles in protocol.approvals.by_level().values():
        named |= set(roles)
    for playbook in protocol.playbooks.values():
        named |= {owner for owner in (playbook.owner, *(t.owner for t in playbook.tasks)) if owner}
    people = {one.role for one in protocol.contacts} | {one.id for one in protocol.contacts}
    missing = sorted(named - people)
    found = nphrase(
        "%(good)s of %(num)s role that the protocol names has a person.",
        "%(good)s of %(num)s roles that the protocol names have a person.",
        len(named),
        good=len(named) - len(missing),
    )
    to_do = _for(later("add a contact with the role: %(names)s"), missing)
    return _part("roles", 1 - len(missing) / max(len(named), 1), found, to_do)


def _channels(session: Session, brand_id: int, protocol: EscalationProtocol) -> Part:
    tried = last_tries(session, brand_id)
    worth: list[float] = []
    failed, untried, silent = [], [], []
    for contact in protocol.contacts:
        kind = contact.channels[0].kind
        status = tried.get((contact.id, kind))
        if kind == "log":
            silent.append(contact.id)
            worth.append(0.0)
        elif status is None:
            untried.append(contact.id)
            worth.append(UNTRIED)
        elif status is DeliveryStatus.SENT:
            worth.append(1.0)
        else:
            failed.append(f"{contact.id} ({kind})")
            worth.append(0.0)
    parts = [
        _for(later("mend what failed last time: %(names)s"), failed),
        _for(later("send a test to: %(names)s"), untried),
        _for(later("give more than the log to: %(names)s"), silent),
    ]
    reached = sum(one == 1.0 for one in worth)
    found = nphrase(
        "%(good)s of %(num)s person was reached over their first channel when last tried.",
        "%(good)s of %(num)s people were reached over their first channel when last tried.",
        len(worth),
        good=reached,
    )
    to_do = joined("; ", [part for part in parts if part])
    return _part("channels", sum(worth) / len(worth), found, to_do)


def _sources(health: Sequence[SourceHealth]) -> Part:
    if not health:
        add = phrase("add sources to brands.yaml: an attack is seen only where somebody listens")
        return _part("sources", 0, phrase("The brand has no sources."), add)
    bad = [
        one.name
        for one in health
        if one.state is SourceState.FAILING or one.is_late or one.is_silent
    ]
    found = nphrase(
        "%(good)s of %(num)s source is heard.",
        "%(good)s of %(num)s sources are heard.",
        len(health),
        good=len(health) - len(bad),
    )
    to_do = _for(later("look after: %(names)s (groundswell status)"), bad)
    return _part("sources", 1 - len(bad) / len(health), found, to_do)


def _protocol(problem: str, findings: Sequence[str]) -> Part:
    if problem:
        return _part(
            "protocol",
            0,
            phrase("The protocol file is broken; the last good one is in force."),
            phrase("mend it: %(problem)s", problem=lines_of(problem)[0]),
        )
    if not findings:
        return _part("protocol", 1, phrase("The protocol file has no open findings."))
    found = nphrase(
        "The protocol file has %(num)s finding.",
        "The protocol file has %(num)s findings.",
        len(findings),
    )
    to_do = findings[0]
    if len(findings) > 1:
        to_do = phrase(
            "%(finding)s (and %(more)s more: groundswell protocol lint)",
            finding=findings[0],
            more=len(findings) - 1,
        )
    return _part("protocol", 1 - PER_FINDING * len(findings), found, to_do)
