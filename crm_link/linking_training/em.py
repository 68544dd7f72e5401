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
from enum import StrEnum
from functools import partial
from typing import Any

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from crm_link.levels import NameLevel, PlaceLevel, WebLevel
from crm_link.linking_training.pairs import Pair
from crm_link.weights import Weights, probabilities

_TABLES: dict[str, type[StrEnum]] = {"name": NameLevel, "place": PlaceLevel, "web": WebLevel}
_MAX_ITERATIONS = 50
#: Pairs that must show a level for anything to be learned of it.
_MIN_PAIRS = 5
#: Levels that say that nothing could be compared.
_MISSING = "missing"


def chances(pairs: Sequence[Pair], start: Weights) -> list[float]:
    """Return the probability of each pair being right, learned without any decision.

    Args:
        pairs: Every author with its candidates.
        start: Where expectation maximisation begins; it finds the nearest optimum.

    """
    logging.getLogger("splink").setLevel(logging.ERROR)
    rows = [
        (pair.levels.name.value, pair.levels.place.value, pair.levels.web.value) for pair in pairs
    ]
    shown = _shown(rows)
    frame = pd.DataFrame([*rows, *_smoothing(shown, start)], columns=list(_TABLES))
    frame.insert(0, "pair_id", range(len(frame)))
    frame.insert(0, "unique_id", range(len(frame)))
    backend = DuckDBAPI()
    tables = [backend.register(frame.copy(), dataset_display_name=f"side_{side}") for side in "ab"]
    authors = len({pair.author for pair in pairs})
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            _comparison(column, levels, start)
            for column, levels in shown.items()
            if len(levels) > 1
        ],
        blocking_rules_to_generate_predictions=[block_on("pair_id")],
        probability_two_random_records_match=start.prior * authors / max(1, len(pairs)),
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
    bits = [-math.inf] * len(pairs)
    for number, weight in zip(found["unique_id_l"], found["match_weight"], strict=True):
        if int(number) < len(pairs):
            bits[int(number)] = float(weight)
    return _competing(pairs, bits)


def _shown(rows: Sequence[tuple[str, ...]]) -> dict[str, list[str]]:
    """Return the levels of each comparison that enough pairs show to learn from."""
    found: dict[str, list[str]] = {}
    for at, (column, levels) in enumerate(_TABLES.items()):
        counts = Counter(row[at] for row in rows)
        found[column] = [level.value for level in levels if counts[level.value] >= _MIN_PAIRS]
    return found


def _smoothing(shown: Mapping[str, Sequence[str]], start: Weights) -> Iterator[tuple[str, ...]]:
    """Yield each level once beside what agrees most and once beside what agrees least.

    Else a level that only right pairs show gets a u of 0, which Splink refuses.
    """
    for pick in (max, min):
        beside = [
            pick(levels or [_MISSING], key=partial(_bits, start, column))
            for column, levels in shown.items()
        ]
        for at, levels in enumerate(shown.values()):
            for level in levels:
                row = list(beside)
                row[at] = level
                yield tuple(row)


def _bits(start: Weights, column: str, level: str) -> float:
    return next((one.bits for key, one in getattr(start, column).items() if str(key) == level), 0.0)


def _competing(pairs: Sequence[Pair], bits: Sequence[float]) -> list[float]:
    """Return probabilities where the candidates of one author exclude each other."""
    by_author: dict[int, list[int]] = defaultdict(list)
    for at, pair in enumerate(pairs):
        by_author[pair.author].append(at)
    found = [0.0] * len(pairs)
    for group in by_author.values():
        for at, chance in zip(group, probabilities([bits[at] for at in group]), strict=True):
            found[at] = chance
    return found


def _comparison(column: str, levels: Sequence[str], start: Weights) -> Any:  # noqa: ANN401 - Splink's own class
    known = {str(level): one for level, one in getattr(start, column).items()}
    right = sum(known[level].m for level in levels)
    wrong = sum(known[level].u for level in levels)
    found: list[Any] = [
        {
            "sql_condition": f"\"{column}_l\" = '{level}'",
            "label_for_charts": level,
            "m_probability": known[level].m / right,
            "u_probability": known[level].u / wrong,
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
