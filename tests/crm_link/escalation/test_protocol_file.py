from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.errors import InputError
from crm_link.escalation.protocol_parts.file import (
    default_protocol_text,
    load_protocol,
    parse_protocol,
)
from crm_link.escalation.protocol_parts.lint import check_channels, resolve_address
from crm_link.triage_rules import TriageInput, TriageRules
from tests.crm_link.making import PROTOCOL, changed, make_protocol


def _problems(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_protocol(text, "protocol.yaml")
    return str(caught.value)


def test_the_default_protocol_is_right_and_needs_nothing_from_outside() -> None:
    protocol = parse_protocol(default_protocol_text(), "the default protocol")

    assert check_channels(protocol) == []
    assert [one.level for one in protocol.severity] == ["SEV-1", "SEV-2", "SEV-3", "SEV-4"]
    assert {channel.kind for one in protocol.contacts for channel in one.channels} == {"log"}


def test_every_example_in_the_default_protocol_is_obeyed_as_it_stands() -> None:
    example = r"^( *)# ( *(?:- \{|known_as: |last: |[a-z_]+: \{|on_call:$).*)$"
    whole, number = re.subn(example, r"\1\2", default_protocol_text(), flags=re.MULTILINE)

    protocol = parse_protocol(whole, "the default protocol")

    assert number == 15
    assert set(protocol.on_call) == {"social", "night"}
    assert protocol.business_hours is not None
    assert protocol.operations.severity == "SEV-3"
    assert protocol.drills.last is not None
    assert sum(step.all_must_ack for step in protocol.escalation["default"].steps) == 1


@pytest.mark.parametrize(
    ("text", "priority", "topic"),
    [
        ("Your charger CAUGHT FIRE, my daughter is injured", "risk", "injury"),
        ("¡Voy a poner una denuncia por fuga de datos!", "risk", "data_breach"),
        ("I am cancelling, switching to somebody else", "cancel", "general"),
        ("The app is down again", "service", "outage"),
        ("Where can I buy the blue one?", "purchase", "general"),
        ("What a lovely day", "other", "general"),
    ],
)
def test_the_default_words_find_what_people_say(text: str, priority: str, topic: str) -> None:
    rules = TriageRules(parse_protocol(default_protocol_text()))

    verdict = rules.judge(TriageInput(text, "neutral", 0.9, None, None))

    assert (verdict.priority, verdict.topic) == (priority, topic)


def test_the_source_is_kept_word_for_word_and_names_the_version() -> None:
    protocol = make_protocol()

    assert protocol.source == PROTOCOL
    assert parse_protocol(protocol.source).digest == protocol.digest
    assert make_protocol(**{"ack: 5m": "ack: 6m"}).digest != protocol.digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "negatives_gte: 40",
            "negative_gte: 40",
            "line 24: unknown key 'negative_gte'; did you mean 'negatives_gte'?",
        ),
        (
            "negatives_gte: 40",
            "index_gte: 4, source: [x]",
            "severity.0.any.0: index_gte goes with no source: the index is of all platforms",
        ),
        (
            "negatives_gte: 40",
            "heartbeat: 3",
            "line 24: 'heartbeat' is not obeyed by this version yet; remove it",
        ),
        ("ack: 5m", "ack: 5", "'5' is no duration: write for example 60s, 5m, 1h, 1h 30m or 2d"),
        ("    ack: 5m\n", "", "line 23: 'ack' is missing"),
        ("level: SEV-1", "level: SEV-7", "is not one of: 'SEV-1', 'SEV-2', 'SEV-3', 'SEV-4'"),
        ("level: SEV-1", "level: SEV-4", "severities must stand worst first"),
        ("level: SEV-2", "level: SEV-1", "a severity is there twice"),
        ("tz: Europe/Madrid", "tz: Europe/Madird", "'Europe/Madird' is no time zone"),
        (
            "tz: Europe/Madrid",
            "quiet_hours: 22-7",
            "'22-7' are no hours; write for example 22:00-07:00",
        ),
        ("deputy: ben", "deputy: bob", "line 4: the deputy 'bob' is no contact here"),
        ("deputy: ben", "deputy: anna", "'anna' cannot be their own deputy"),
        ("id: ben", "id: anna", "there are two contacts 'anna'"),
        ("deputy: ben, ", "", "nobody with the role 'social_manager' has a deputy"),
        (
            "notify: [crisis_lead]",
            "notify: [lawyer]",
            "nobody has the role 'lawyer': add a contact with it",
        ),
        ("notify: [crisis_lead]", "notify: []", "has fewer than 1 entry"),
        ("after: 10m", "after: 1m", "this step is due before the one above it"),
        (
            "after: 10m",
            "after: 10m, only: [SEV-4]",
            "this step is never reached: no severity here is SEV-4",
        ),
        ("  default:", "  SEV-1:", "SEV-2 has no chain, and there is no 'default'"),
        ("  default:", "  SEV-5:", "'SEV-5' is no severity; use one of default, SEV-1"),
        ("kind: log", "kind: pigeon", "there is no channel 'pigeon'; known: apprise, log, "),
        (
            "{negatives_gte: 40, window: 1h}",
            "{harm: [injury]}",
            "'injury' is no topic of this file",
        ),
        (
            "{negatives_gte: 40, window: 1h}",
            "{source: [national_media]}",
            "no platform is named 'national_media'",
        ),
        (
            "{negatives_gte: 40, window: 1h}",
            "{window: 1h}",
            "a condition needs at least one threshold",
        ),
        ("any: [{negatives_gte: 40, window: 1h}]", "any: []", "SEV-1 can never be reached"),
        ("window: 1h", "window: 30s", "window must lie between 1m and 7d"),
        ("ack_expires: 15m", "auto_resolve: 1h", "SEV-1 is resolved by a person only"),
        ("priority: [risk, cancel]", "priority: [danger]", "is not one of: 'risk', 'cancel'"),
        ('"cancel* my"', '"*cel my"', "a star stands only at a word's end"),
        ("id: battery", "id: general", "'general' is what is in no topic"),
        ("version: 1", "version: 2", "version: is not one of: 1"),
        ("version: 1", "", "line 1: 'version' is missing"),
        ("version: 1", "version: 1\nversion: 1", "found duplicate key"),
        ("contacts:", "contacts: [", "this is not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, message: str) -> None:
    problems = _problems(changed(PROTOCOL, old, new))

    assert message in problems
    assert problems.startswith("protocol.yaml, line ")


def test_all_problems_are_said_at_once() -> None:
    text = PROTOCOL.replace("deputy: ben", "deputy: bob").replace("[crisis_lead]", "[lawyer]")

    assert len(_problems(text).splitlines()) == 3  # with deputy(social_manager), who has none now


@pytest.mark.parametrize(
    "to",
    [
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "mailtos://user:password@example.org",
        "https://hooks.example.org/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://example.org/alert?token=abc",
        "slack://tokenA/tokenB/tokenC",
    ],
)
def test_a_secret_in_the_file_is_refused_without_repeating_it(to: str) -> None:
    problems = _problems(changed(PROTOCOL, "{kind: log}", f'{{kind: apprise, to: "{to}"}}'))

    assert "holds a secret" in problems
    assert "to: env:ANNA_APPRISE" in problems
    assert to not in problems


@pytest.mark.parametrize(
    "to", ["env:ANNA", "https://alerts.example.org/groundswell", "json://10.0.0.7/x"]
)
def test_an_address_without_credentials_may_stand_in_the_file(to: str) -> None:
    make_protocol(**{"{kind: log}": f'{{kind: webhook, to: "{to}"}}'})


def test_missing_secrets_are_found_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = make_protocol(
        **{
            "tz: Europe/Madrid, channels: [{kind: log}]": (
                "channels: [{kind: log}, {kind: sms, to: env:ANNA_SMS}, "
                "{kind: push, to: env:ANNA_PUSH}]"
            )
        }
    )
    monkeypatch.setenv("ANNA_PUSH", "nonsense")

    first, second = check_channels(protocol)

    assert first == (
        "contact anna, channel 2: the environment variable ANNA_SMS, "
        "which the protocol names, is not set"
    )
    assert second.startswith("contact anna, channel 3: this is no apprise address")
    assert resolve_address("env:ANNA_PUSH") == "nonsense"


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "protocol.yaml"
    with pytest.raises(InputError, match="cannot be read"):
        load_protocol(path)
    path.write_bytes("version: 1\nbrand: caf\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match="line 2: this is not UTF-8"):
        load_protocol(path)
    path.write_text("- a list\n", "utf-8")
    with pytest.raises(InputError, match="a protocol is a mapping"):
        load_protocol(path)
    path.write_text("#" * 1_000_001, "utf-8")
    with pytest.raises(InputError, match="more than 1,000,000 bytes"):
        load_protocol(path)
    path.write_text("a: !!python/object/apply:os.system [ls]\n" + PROTOCOL, "utf-8")
    with pytest.raises(InputError, match="unknown key 'a'"):
        load_protocol(path)
    path.write_bytes(b"\xef\xbb\xbf" + PROTOCOL.encode())
    assert load_protocol(path).contacts[0].id == "anna"


def test_people_are_named_once_in_the_order_of_the_step() -> None:
    protocol = make_protocol()

    names = [
        one.id for one, _ in protocol.people(["crisis_lead", "deputy(social_manager)", "everyone"])
    ]

    assert names == ["dora", "ben", "anna"]
