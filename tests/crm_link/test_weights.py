from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import InputError
from crm_link.linking.levels import Levels, NameLevel, PlaceLevel, WebLevel
from crm_link.linking.weights import (
    Frequencies,
    load_weights,
    prior_bits,
    probabilities,
    shipped_weights,
    weigh,
)

WEIGHTS = shipped_weights()
COMMON = Frequencies(100_000, {"smith": 900, "tavares": 1}, {"john": 3000}, {"US-OH": 2000})


def bits(name: NameLevel, place: PlaceLevel, family: str = "smith", given: str = "john") -> float:
    levels = Levels(name, place, WebLevel.MISSING, given, family)
    return weigh(levels, "US-OH", WEIGHTS, COMMON).total


def test_more_agreement_weighs_more_and_a_conflict_counts_against() -> None:
    missing = PlaceLevel.MISSING
    assert bits(NameLevel.FULL, missing) > bits(NameLevel.INITIAL, missing)
    assert bits(NameLevel.INITIAL, missing) > bits(NameLevel.CONFLICT, missing)
    assert bits(NameLevel.CONFLICT, missing) > bits(NameLevel.NONE, missing)
    assert bits(NameLevel.FULL, PlaceLevel.AGREES) > bits(NameLevel.FULL, missing)
    assert bits(NameLevel.FULL, PlaceLevel.CONFLICT) < bits(NameLevel.FULL, missing) - 3


def test_a_rare_name_weighs_more_than_a_common_one() -> None:
    rare = bits(NameLevel.FULL, PlaceLevel.MISSING, family="tavares")

    assert rare > bits(NameLevel.FULL, PlaceLevel.MISSING) + 3


def test_candidates_and_nobody_compete() -> None:
    assert probabilities([0.0]) == [0.5]
    one, other = probabilities([20.0, 20.0])
    assert one == other
    assert one == pytest.approx(0.5, abs=1e-5)
    assert probabilities([10_000.0, -10_000.0]) == pytest.approx([1.0, 0.0])
    assert probabilities([]) == []


def test_one_contact_of_many_is_less_likely_beforehand() -> None:
    assert prior_bits(WEIGHTS, 1_000_000) < prior_bits(WEIGHTS, 1_000) - 9


def test_a_file_that_is_no_weights_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text('{"version": "x", "prior": 2}')

    with pytest.raises(InputError, match=r"weights\.json: no weights of linking: prior"):
        load_weights(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_weights(tmp_path / "none.json")


def test_shipped_weights_survive_being_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_text(WEIGHTS.model_dump_json())

    assert load_weights(path) == WEIGHTS
