from __future__ import annotations

from datetime import date

import pytest

from crm_link.escalation.protocol_parts.diff import diff_protocols
from crm_link.escalation.protocol_parts.file import default_protocol_text, inspect_protocol
from tests.crm_link.escalation.playing import FULL
from tests.crm_link.making import PROTOCOL, changed, make_protocol

TODAY = date(2026, 3, 10)

#: A protocol that nothing is to be said about.
GOOD = (
    FULL.replace("role: community_manager,", "role: community_manager, deputy: dora,")
    .replace("role: crisis_lead,", "role: crisis_lead, deputy: anna,")
    .replace("kind: log", "kind: webhook, to: env:HOOK")
    .replace("ack_expires: 30m", "ack_expires: 30m\n    holding_statement: 1h")
    .replace("    text: {en:", "    approved_by: crisis_lead\n    approved_on: 2026-01-01\n"
             "    expires: 2026-07-01\n    text: {en:")
    .replace("{text: {en:", "{approved_by: crisis_lead, approved_on: 2026-01-01, "
             "expires: 2026-07-01, text: {en:")
    .replace("es: [demanda]", "")
)  # fmt: skip


def _said(text: str) -> list[str]:
    return [f"{one.line} {one.rule}: {one.message}" for one in inspect_protocol(text, TODAY)]


def test_nothing_is_said_of_a_good_protocol() -> None:
    assert _said(GOOD) == []


def test_the_default_protocol_asks_for_channels_and_approvals_only() -> None:
    rules = {one.rule for one in inspect_protocol(default_protocol_text(), TODAY)}

    assert rules == {"silent-channels", "statement-approved"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", deputy: anna", "", "role-deputy: the role 'crisis_lead' has no deputy"),
        ("deputy: dora", "deputy: anna", "deputy-loop: anna and ben stand in for each other"),
        (
            "channels: [{kind: webhook, to: env:HOOK}]",
            "channels: [{kind: log}]",
            "4 silent-channels: anna has only the log",
        ),
        (
            "after: 10m",
            "after: 20m",
            "step-timers: SEV-1's last step comes after 20m, later than 3 times its ack of 5m",
        ),
        ("ack: 5m", "ack: 5m\n    quiet_hours: respect", "waking-quiet-hours: SEV-1 would wait"),
        ("    ack_expires: 15m\n", "", "ack-expires: an acknowledged SEV-1"),
        ("    holding_statement: 15m\n", "", "no-clock: SEV-1 has no holding_statement"),
        (
            "holding_statement: 15m",
            "holding_statement: 2m",
            "clock-before-ack: SEV-1's holding statement is due before",
        ),
        ("max_wait: 10m", "max_wait: 2h", "approval-too-slow: SEV-3's holding statement is due"),
        ("negatives_gte: 20,", "negatives_gte: 50,", "never-reached: SEV-2 is never reached"),
        (", statement: explain_v1", "", "playbook-statement: the playbook 'true_accidental' has"),
        ("tasks: [explain], ", "", "playbook-tasks: the playbook 'true_accidental' has no tasks"),
        (
            "  untrue: {strategy",
            "  true_victim: {strategy",
            "there is no playbook for the answer 'untrue'",
        ),
        (
            "expires: 2026-07-01\n    text:\n",
            "expires: 2026-02-01\n    text:\n",
            "statement-expired: the approval of 'holding_v1' has ended on 2026-02-01",
        ),
        (
            "expires: 2026-07-01\n    text:\n",
            "expires: 2026-03-20\n    text:\n",
            "statement-expires: 'holding_v1' ends on 2026-03-20",
        ),
        (
            "risk: {words: {en: [lawsuit",
            "risk: {words: {fr: [avocat], en: [lawsuit",
            "statement-language: the brand is spoken of in fr, and 'holding_v1'",
        ),
        (
            "approvals:",
            "drills: {every: 30d, last: 2026-01-01}\napprovals:",
            "drill-overdue: the last drill was on 2026-01-01: one was due on 2026-01-31",
        ),
    ],
)
def test_what_lets_people_down_is_said_with_its_rule(old: str, new: str, said: str) -> None:
    findings = _said(changed(GOOD, old, new))

    assert any(said in one for one in findings), findings


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "untrue: {strategy: deny",
            "untrue: {strategy: rebuild",
            "'rebuild' contradicts the claim of 'untrue'; what fits is deny, inform",
        ),
        ("  unknown:\n", "  unclear:\n", "'unclear' is no playbook; there are unknown, untrue"),
        (
            "statement: correction_v1",
            "statement: apology_v2",
            "there is no statement 'apology_v2'; known: holding_v1, correction_v1",
        ),
        ("tasks: [explain]", "tasks: [explain, explain_2h]", "the task 'explain' is there twice"),
        (
            "tasks: [explain]",
            "tasks: [{id: explain, owner: nobody}]",
            "nobody has the role 'nobody': add a contact with it",
        ),
        ("        more: See our page.\n", "", "this message lacks parts"),
        ("empathy: We", "sorry: We", "'sorry' is no part of a message; the parts are empathy"),
        ("It is {date}.", "It is {place}.", "nobody says what {place} is: name it under variables"),
        ("It is {date}.", "It is {0}.", "'{0}' is no variable: write {name}"),
        (
            "variables: {evidence:",
            "variables: {proof: x, evidence:",
            "no text of 'correction_v1' has the variable {proof}",
        ),
        (
            "statement: explain_v1",
            "statement: correction_v1",
            "the statement 'correction_v1' is to 'deny', which contradicts 'diminish'",
        ),
        ("SEV-3: [crisis_lead]", "SEV-3: [pope]", "nobody has the role 'pope'"),
        (
            "approved_on: 2026-01-01\n    expires: 2026-07-01\n    text:\n",
            "text:\n",
            "approved_by goes with approved_on and expires",
        ),
        (
            "crisis_history: bool",
            "claim: [true, false]",
            "write claim: [untrue, true_claim, ...]: YAML reads a bare true as a boolean",
        ),
        (
            "assessment: {crisis_history: bool}",
            "faq: [{id: a, questions: [], answer: b}]",
            "'a' needs a question to be found by",
        ),
        ("updates: 30m", "updates: 1m", "updates must be at least 5m apart"),
    ],
)
def test_what_contradicts_itself_is_refused(old: str, new: str, said: str) -> None:
    findings = inspect_protocol(changed(GOOD, old, new), TODAY)

    assert any(one.level == "error" and said in one.message for one in findings), findings


def test_a_text_that_its_channel_does_not_take_is_refused() -> None:
    text = GOOD.replace("explain_v1: {", f'explain_v1: {{channel: x, title: "{"a" * 100}", ')
    assert _said(text) == []

    (finding,) = inspect_protocol(text.replace("It happened.", "It happened. " * 30), TODAY)

    assert finding.message == "this has 389 characters, and x takes 280"


def test_a_difference_is_named_by_what_it_is_about() -> None:
    before = make_protocol(PROTOCOL)
    after = make_protocol(
        PROTOCOL.replace("ack: 5m", "ack: 4m").replace(
            "  - {id: dora,",
            "  - {id: fay, role: legal, channels: [{kind: log}]}\n  - {id: dora,",
        )
    )

    changes = diff_protocols(before, after)

    assert [(one.kind, one.place) for one in changes] == [
        ("added", "contacts.fay"),
        ("changed", "severity.SEV-1.ack"),
    ]
    assert diff_protocols(before, make_protocol(PROTOCOL + "\n# words\n")) == []
