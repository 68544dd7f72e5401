"""Learning from pairs that nobody decided, with Splink's expectation maximisation.

Splink sees the levels that were found, not the names: one row per pair on each side, joined
by the pair's number. So the comparison is the same Python in training and in use, and only
the probabilities are learned, in DuckDB (a million pairs take seconds and little memory).
"""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from crm_link.linking.same_person import FIELDS, RecordPair
from crm_link.linking.weights import Weights, probabilities
from crm_link.linking_training.pairs import Pair

#: (m, u) by comparison and level.
Model: TypeAlias = Mapping[str, Mapping[str, tuple[float, float]]]

_MAX_ITERATIONS = 50
#: Pairs that must show a level for anything to be learned of it.
_MIN_PAIRS = 5
#: Levels that say that nothing could be compared.
_MISSING = "missing"


def chances(pairs: Sequence[Pair], start: Weights) -> list[float]:
    """Return the probability of each author and candidate, learned without any decision.

    Args:
        pairs: Every author with its candidates.
        start: Where expectation maximisation begins; it finds the nearest optimum.

    """
    rows = [
        (pair.levels.name.value, pair.levels.place.value, pair.levels.web.value) for pair in pairs
    ]
    model = {
        column: {str(key): (one.m, one.u) for key, one in getattr(start, column).items()}
        for column in ("name", "place", "web")
    }
    authors = [pair.author for pair in pairs]
    prior = start.prior * len(set(authors)) / max(1, len(pairs))
    return learn(rows, authors, model, prior)


#: Where the comparison of two records of people begins: by hand, and soon forgotten.
_PEOPLE = {"same": (0.85, 0.02), "alike": (0.08, 0.03), "missing": (0.05, 0.05)}
_PEOPLE_START = _PEOPLE | {"different": (0.02, 0.9)}


def people_chances(pairs: Sequence[RecordPair]) -> list[float]:
    """Return the probability that two records are one person, learned without any decision."""
    model = dict.fromkeys(FIELDS, _PEOPLE_START)
    ones = [pair.one for pair in pairs]
    prior = 0.5 * len(set(ones)) / max(1, len(pairs))
    return learn([pair.levels for pair in pairs], ones, model, prior)


def learn(
    rows: Sequence[tuple[str, ...]],
    groups: Sequence[int],
    model: Model,
    prior: float,
) -> list[float]:
    """Return the probability of each row being a right pair.

    Args:
        rows: The level of each comparison, in the order of `model`.
        groups: Whose candidates the rows are: those of one group exclude each other.
        model: Where expectation maximisation begins: (m, u) by comparison and level.
        prior: Share of the rows that are right, at first.

    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    shown = _shown(rows, model)
    frame = pd.DataFrame([*rows, *_smoothing(shown, model)], columns=list(model))
    frame.insert(0, "pair_id", range(len(frame)))
    frame.insert(0, "unique_id", range(len(frame)))
    backend = DuckDBAPI()
    tables = [backend.register(frame.copy(), dataset_display_name=f"side_{side}") for side in "ab"]
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            _comparison(column, levels, model[column])
            for column, levels in shown.items()
            if len(levels) > 1
        ],
        blocking_rules_to_generate_predictions=[block_on("pair_id")],
        probability_two_random_records_match=prior,
        max_iterations=_MAX_ITERATIONS,
        retain_intermediate_calculation_columns=False,
    )
    linker = Linker(tables, settings, log_level=None)
    linker.training.estimate_parameters_using_expectation_maximisation(
        block_on("pair_id"),
        fix_u_probabilities=False,
        record_sample_proportion=1.0,
        populate_probability_two_random_records_match_from_trained_values=True,
    )
    found = linker.inference.predict().as_pandas_dataframe()
    bits = [-math.inf] * len(rows)
    for number, weight in zip(found["unique_id_l"], found["match_weight"], strict=True):
        if int(number) < len(rows):
            bits[int(number)] = float(weight)
    return _competing(groups, bits)


def _shown(rows: Sequence[tuple[str, ...]], model: Model) -> dict[str, list[str]]:
    """Return the levels of each comparison that enough pairs show to learn from."""
    found: dict[str, list[str]] = {}
    for at, (column, levels) in enumerate(model.items()):
        counts = Counter(row[at] for row in rows)
        found[column] = [level for level in levels if counts[level] >= _MIN_PAIRS]
    return found


def _smoothing(shown: Mapping[str, Sequence[str]], model: Model) -> Iterator[tuple[str, ...]]:
    """Yield each level once beside what agrees most and once beside what agrees least.

    Else a level that only right pairs show gets a u of 0, which Splink refuses.
    """
    for pick in (max, min):
        beside = [
            pick(levels or [_MISSING], key=partial(_odds, model[column]))
            for column, levels in shown.items()
        ]
        for at, levels in enumerate(shown.values()):
            for level in levels:
                row = list(beside)
                row[at] = level
                yield tuple(row)


def _odds(levels: Mapping[str, tuple[float, float]], level: str) -> float:
    right, wrong = levels.get(level, (1.0, 1.0))
    return right / wrong


def _competing(groups: Sequence[int], bits: Sequence[float]) -> list[float]:
    """Return probabilities where the candidates of one author exclude each other."""
    by_group: dict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(groups):
        by_group[group].append(at)
    found = [0.0] * len(bits)
    for places in by_group.values():
        for at, chance in zip(places, probabilities([bits[at] for at in places]), strict=True):
            found[at] = chance
    return found


def _comparison(
    column: str, levels: Sequence[str], known: Mapping[str, tuple[float, float]]
) -> Any:  # noqa: ANN401 - Splink's own class
    right = sum(known[level][0] for level in levels)
    wrong = sum(known[level][1] for level in levels)
    found: list[Any] = [
        {
            "sql_condition": f"\"{column}_l\" = '{level}'",
            "label_for_charts": level,
            "m_probability": known[level][0] / right,
            "u_probability": known[level][1] / wrong,
        }
        for level in levels
    ]
    # What too few pairs show says nothing.
    rest = " OR ".join(f"\"{column}_l\" = '{level}'" for level in levels)
    found.insert(
        0,
        {
            "sql_condition": f"NOT ({rest})",
            "label_for_charts": "too few",
            "is_null_level": True,
        },
    )
    found.append({"sql_condition": "ELSE", "label_for_charts": "other"})
    return cl.CustomComparison(output_column_name=column, comparison_levels=found)
