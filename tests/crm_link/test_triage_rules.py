from __future__ import annotations

import pytest

from crm_link.escalation.protocol import Condition
from crm_link.escalation.rules import Counted, Measure, count, holds, retry_wait_s, share_floor
from crm_link.triage_rules import URGENCY, TriageInput, TriageRules
from crm_link.types import Priority
from tests.crm_link.making import make_protocol

RULES = TriageRules(make_protocol())


def _judge(text: str, label: str = "negative", lang: str | None = None) -> tuple[str, str, str]:
    verdict = RULES.judge(TriageInput(text, label, 0.9, lang, None))
    return verdict.priority.value, verdict.topic, verdict.route


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        ("a LAWSUIT!", "risk"),
        ("lawsuits", "other"),
        ("flawsuit", "other"),
        ("it caught\nfire", "risk"),
        ("caught a fire", "other"),
        ("I'm cancelling my contract", "cancel"),
        ("cancel   MY account", "cancel"),
        ("cancel the contract", "other"),
        ("my order is not working, lawsuit", "risk"),
        ("ｌａｗｓｕｉｔ", "risk"),
        ("láwsuit", "risk"),
        ("#lawsuit", "risk"),
        ("", "other"),
        ("🔥🔥🔥", "other"),
        ("cancel", "other"),
    ],
)
def test_whole_words_count_whatever_their_case_accents_or_width(text: str, priority: str) -> None:
    assert _judge(text)[0] == priority


def test_words_count_only_with_their_labels() -> None:
    assert _judge("cancel my plans, I love my order here", "positive")[0] == "service"
    assert _judge("cancel my plans", "positive")[0] == "other"


def test_a_language_is_trusted_only_in_long_texts() -> None:
    assert _judge("demanda", lang="en")[0] == "risk"
    long = "we saw no demanda at all in the whole of that quarter, and neither did anyone else here"
    assert _judge(long, lang="en")[0] == "other"
    assert _judge(long, lang="es")[0] == "risk"
    assert _judge(long, lang=None)[0] == "risk"


def test_words_of_scripts_without_spaces_are_found_inside() -> None:
    rules = TriageRules(make_protocol(**{'"on fire"': '"on fire", 电池, แบตเตอรี่'}))
    for text in ("我的手机电池坏了", "แบตเตอรี่เสีย"):
        assert rules.judge(TriageInput(text, "negative", 0.9, None, None)).topic == "battery"


@pytest.mark.parametrize(
    ("text", "label", "route"),
    [
        ("lawsuit", "negative", "incident"),
        ("my order", "negative", "customer_service"),
        ("bad", "negative", "review"),
        ("good", "positive", "thank_or_amplify"),
        ("so so", "neutral", "monitor"),
        ("???", "unknown", "review"),
    ],
)
def test_routes_follow_sentiment_and_priority(text: str, label: str, route: str) -> None:
    assert _judge(text, label)[2] == route


def test_every_priority_has_an_urgency_in_its_order() -> None:
    assert [URGENCY[one] for one in Priority] == sorted(URGENCY.values(), reverse=True)


@pytest.mark.parametrize(
    ("negatives", "mentions", "floor"), [(0, 0, 0.0), (3, 3, 0.44), (300, 300, 0.99), (5, 10, 0.24)]
)
def test_a_share_is_judged_with_caution(negatives: int, mentions: int, floor: float) -> None:
    assert share_floor(negatives, mentions) == pytest.approx(floor, abs=0.005)


@pytest.mark.parametrize(
    ("keys", "negatives", "mentions", "expected"),
    [
        ({"negatives_gte": 5}, 5, 5, True),
        ({"negatives_gte": 5}, 4, 400, False),
        ({"negatives_per_hour_gte": 10, "window": "30m"}, 5, 5, True),
        ({"negatives_per_hour_gte": 10, "window": "30m"}, 4, 4, False),
        ({"negatives_per_hour_gte": 10, "window": "6h"}, 59, 59, False),
        ({"negative_share_gte": 0.4}, 9, 9, False),
        ({"negative_share_gte": 0.4}, 9, 10, True),
        ({"negative_share_gte": 0.4, "mentions_gte": 50}, 40, 49, False),
        ({"mentions_gte": 50}, 0, 50, True),
        ({"harm": ["injury"]}, 1, 1, True),
        ({"harm": ["injury"]}, 0, 9, False),
    ],
)
def test_all_keys_of_a_condition_must_hold(
    keys: dict[str, object], negatives: int, mentions: int, *, expected: bool
) -> None:
    condition = Condition.model_validate(keys)

    assert holds(condition, Measure(negatives, mentions, condition.window)) is expected


@pytest.mark.parametrize(("reach", "expected"), [(99_999, False), (100_000, True)])
def test_a_condition_may_ask_for_reach(reach: int, *, expected: bool) -> None:
    condition = Condition.model_validate({"reach_gte": 100_000, "topics": ["fire"]})
    tally = {
        ("fire", "x"): Counted(1, 1, 60_000),
        ("fire", "reddit"): Counted(1, 1, reach - 60_000),
        ("rain", "x"): Counted(9, 9, 900_000),
    }

    assert holds(condition, count(tally, condition)) is expected


def test_waits_double_up_to_a_limit_and_keep_what_was_asked() -> None:
    assert [retry_wait_s(attempt, 1.0) for attempt in (1, 2, 3, 20, 10_000)] == [2, 4, 8, 300, 300]
    assert retry_wait_s(1, 0.0) == 1
    assert retry_wait_s(1, 1.0, asked_s=60) == 60
    assert retry_wait_s(1, 1.0, asked_s=1e9) == 3600
