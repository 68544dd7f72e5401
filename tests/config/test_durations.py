from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from config.durations import Duration, format_duration, parse_duration
from config.errors import InputError


class _Model(BaseModel):
    every: Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("5m", 300),
        ("1h", 3600),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("0.5s", 0.5),
        ("0s", 0),
        (" 10 M ", 600),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "-5m", "5 minutes", "1m 1h", "5m 5m", "1e3s", "\u0665m", "99999d", "5m,3s"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="write for example 60s"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=3_650 * 86_400))
def test_a_formatted_duration_reads_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)

    assert parse_duration(format_duration(duration)) == duration


def test_a_model_reads_and_writes_durations() -> None:
    model = _Model.model_validate({"every": "1h 30m"})

    assert model.every == timedelta(minutes=90)
    assert model.model_dump_json() == '{"every":"1h 30m"}'


@pytest.mark.parametrize("value", [60, 1.5, None, True, ["5m"]])
def test_a_model_refuses_a_number_without_a_unit(value: object) -> None:
    with pytest.raises(ValidationError, match="is no duration"):
        _Model.model_validate({"every": value})
