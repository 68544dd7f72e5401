from __future__ import annotations

from datetime import date, timedelta

import pytest

from config.errors import InputError
from crm_link.escalation.drills.protocol import LOG_ONLY, confined
from crm_link.escalation.protocol import ChannelAddress
from crm_link.escalation.protocol_parts.file import (
    default_protocol_text,
    parse_pinned,
    parse_protocol,
)

BASE = """
version: 1
contacts:
  - {id: anna, role: lead, channels: [{kind: sms, to: env:ANNA_SMS}, {kind: email, to: env:ANNA}]}
severity: [{level: SEV-3, any: [{negatives_gte: 20}], ack: 15m}]
escalation: {default: {steps: [{notify: [lead]}]}}
"""


def test_a_drills_protocol_holds_nobodys_address_and_says_the_rest_as_it_was() -> None:
    protocol = parse_protocol(BASE + "triage: {flag: [{label: [negative]}]}\n")
    room = ChannelAddress(kind="slack", to="env:DRILL_ROOM")

    found = confined(protocol, (room,))

    assert [one.channels for one in found.contacts] == [(room,)]
    assert "ANNA" not in found.source
    assert found.triage.flag == ()
    assert found.dedup.reopen_within == timedelta()
    assert found.severity == protocol.severity
    assert found.escalation == protocol.escalation
    assert parse_pinned(found.source) == found  # as an incident reads it back
    assert confined(protocol, (room,)).digest == found.digest


def test_the_shipped_protocol_can_be_rehearsed() -> None:
    protocol = parse_protocol(default_protocol_text())

    found = confined(protocol, LOG_ONLY)

    assert found.severity == protocol.severity
    assert found.topics == protocol.topics
    assert found.statements == protocol.statements
    assert found.playbooks == protocol.playbooks
    assert {way.kind for one in found.contacts for way in one.channels} == {"log"}


def test_drills_and_reviews_are_read_from_the_file() -> None:
    found = parse_protocol(
        BASE
        + "drills: {every: 30d, last: 2026-01-15, channels: [{kind: log}], detect_within: 5m}\n"
        + "after: {review_within: 3d, fields: [timeline, lessons, root_cause]}\n"
    )

    assert (found.drills.last, found.drills.detect_within) == (
        date(2026, 1, 15),
        timedelta(minutes=5),
    )
    assert list(found.after.asked()) == ["lessons", "root_cause"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("drills: {channels: [{kind: pigeon}]}", "there is no channel 'pigeon'"),
        (
            "drills: {channels: [{kind: chat, to: 'slack://T0/B0/abcdef12345678901234'}]}",
            "env:THE_DR",
        ),
        ("drills: {often: 3d}", "unknown key 'often'"),
        ("after: {fields: [lessons, lessons]}", "'lessons' is there twice"),
        ("after: {fields: [Lessons Learned]}", "after.fields"),
    ],
)
def test_what_is_wrong_with_them_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(InputError, match="line") as error:
        parse_protocol(BASE + text + "\n")

    assert problem in str(error.value)
