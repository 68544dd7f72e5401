"""What is wrong with who is on call, and with hours that steps name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from config.phrases import phrase
from crm_link.escalation.protocol import EscalationProtocol
from crm_link.escalation.protocol_parts.on_call import on_call_rotation

#: Where a problem is, and what it is.
Found = tuple[tuple[int | str, ...], str]


def lint_delivery(protocol: EscalationProtocol) -> Iterator[Found]:
    """Yield every problem of `on_call`, and of steps that need it or `business_hours`."""
    yield from _rotations(protocol)
    if protocol.business_hours is not None and protocol.business_hours.tz is None:
        yield (
            ("business_hours",),
            phrase(
                "say in which zone: business_hours: {week: mon-fri 09:00-18:00, tz: Europe/Madrid}"
            ),
        )
    if protocol.response_times.hours == "business" and protocol.business_hours is None:
        yield ("response_times", "hours"), phrase("hours: business needs the key business_hours")
    for name, chain in protocol.escalation.items():
        for position, step in enumerate(chain.steps):
            place = ("escalation", name, "steps", position)
            for word in step.notify:
                rotation = on_call_rotation(word)
                if rotation is not None and rotation not in protocol.on_call:
                    known = ", ".join(protocol.on_call) or "none"
                    yield (
                        place,
                        phrase(
                            "there is no rotation '%(rotation)s' under on_call; known: %(known)s",
                            rotation=rotation,
                            known=known,
                        ),
                    )
            if isinstance(step.hours, str) and protocol.business_hours is None:
                yield (
                    place,
                    phrase("hours: %(hours)s needs the key business_hours", hours=step.hours),
                )


def _rotations(protocol: EscalationProtocol) -> Iterator[Found]:
    used = {
        on_call_rotation(word)
        for chain in protocol.escalation.values()
        for step in chain.steps
        for word in step.notify
    }
    for name, rotation in protocol.on_call.items():
        place = ("on_call", name)
        for number, member in enumerate(rotation.members):
            if protocol.find_contact(member) is None:
                yield (
                    (*place, "members", number),
                    phrase("'%(member)s' is no contact of this file", member=member),
                )
        if name not in used:
            yield (
                place,
                phrase(
                    "nobody is told by this rotation: add notify: [on_call(%(name)s)] to a step",
                    name=name,
                ),
            )
        if rotation.calendar.startswith("webcal://"):
            yield (*place, "calendar"), phrase("write https:// instead of webcal://")
        elif "://" in rotation.calendar:
            parts = urlsplit(rotation.calendar)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                yield (
                    (*place, "calendar"),
                    phrase("a calendar is a file or an address with https://"),
                )
            elif parts.password or any(len(part) > 20 for part in Path(parts.path).parts):  # noqa: PLR2004 - as long as a token
                private = phrase(
                    "this address is a secret: put it into a variable and write env:NAME"
                )
                yield (*place, "calendar"), private
