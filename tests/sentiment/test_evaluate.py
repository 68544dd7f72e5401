from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from config.errors import InputError
from sentiment.evaluate import (
    Figures,
    LabelledText,
    evaluate,
    figures,
    read_labelled,
    shuffle_targets,
)
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText, Sentiment

NEGATIVE, NEUTRAL, POSITIVE, UNKNOWN = range(4)


def _figures(
    truth: Sequence[int], answers: Sequence[int], confidence: Sequence[float] | None = None
) -> Figures:
    return figures(
        np.array(truth), np.array(answers), np.array(confidence or [0.5] * len(truth), dtype=float)
    )


def test_figures_on_a_table_worked_out_by_hand() -> None:
    found = _figures([0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 1, 0, 2, 2])

    assert found.accuracy == pytest.approx(5 / 8)
    assert found.recall == pytest.approx({"negative": 0.5, "neutral": 0.5, "positive": 1.0})
    assert found.precision == pytest.approx({"negative": 2 / 3, "neutral": 0.5, "positive": 2 / 3})
    assert found.macro_recall == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((4 / 7 + 1 / 2 + 4 / 5) / 3)
    assert found.confusion["negative"] == {
        "negative": 2, "neutral": 1, "positive": 1, "unknown": 0,
    }  # fmt: skip


def test_an_unknown_counts_as_wrong_and_is_left_out_of_the_calibration() -> None:
    found = _figures([0, 2], [NEGATIVE, UNKNOWN], [0.9, 0.0])

    assert (found.judged, found.accuracy, found.macro_recall) == (1, 0.5, 0.5)
    assert found.ece == pytest.approx(0.1)


def test_a_scorer_that_always_keeps_silent_reaches_nothing() -> None:
    found = _figures([0, 2], [UNKNOWN, UNKNOWN], [0.0, 0.0])

    assert (found.accuracy, found.macro_f1, found.ece) == (0.0, 0.0, None)


def test_the_calibration_error_is_the_gap_between_claim_and_truth() -> None:
    overconfident = _figures([0] * 10, [0] * 6 + [1] * 4, [0.99] * 10)
    honest = _figures([0] * 10, [0] * 6 + [1] * 4, [0.6] * 10)

    assert overconfident.ece == pytest.approx(0.39)
    assert honest.ece == pytest.approx(0, abs=1e-9)


def test_risk_falls_where_the_wrong_answers_are_the_unsure_ones() -> None:
    found = _figures([0] * 10, [0] * 5 + [1] * 5, [0.9] * 5 + [0.4] * 5)

    assert dict(found.risk_coverage)[0.5] == 0
    assert dict(found.risk_coverage)[1.0] == pytest.approx(0.5)


def test_equally_sure_answers_share_their_risk_whatever_their_order() -> None:
    one = _figures([0] * 10, [0] * 5 + [1] * 5)
    other = _figures([0] * 10, [1] * 5 + [0] * 5)

    assert one.risk_coverage == other.risk_coverage
    assert dict(one.risk_coverage)[0.1] == pytest.approx(0.5)


def test_a_language_has_figures_of_its_own_and_a_rare_one_has_not() -> None:
    english = [LabelledText(ScorableText("great, love it"), Label.POSITIVE, lang="en")] * 30
    german = [LabelledText(ScorableText("wirklich sehr schlecht"), Label.NEGATIVE, lang="de")] * 40
    rare = [LabelledText(ScorableText("nunca más"), Label.NEGATIVE, lang="es")] * 3
    seen: list[int] = []

    found = evaluate(make_scorer("vader"), english + german + rare, on_progress=seen.append)

    assert list(found.by_lang) == ["de", "en"]
    assert found.by_lang["en"].accuracy == 1
    assert found.by_lang["de"].judged == 0
    assert seen == [73]


class TargetScorer(Scorer):
    """A scorer that says positive where the text praises its first target."""

    version = "target-reader/1"

    def score(self, texts: Sequence[ScorableText]) -> list[Sentiment]:
        return [self._one(text) for text in texts]

    def _one(self, text: ScorableText) -> Sentiment:
        is_praised = f"{text.targets[0]} is good" in text.text
        label = Label.POSITIVE if is_praised else Label.NEGATIVE
        sign = 1.0 if is_praised else -1.0
        return Sentiment(label, sign, 0.1, 0.0, 0.9, 0.9, "en", self.version)


def test_a_scorer_that_reads_the_target_loses_where_targets_are_shuffled() -> None:
    rows = [
        LabelledText(
            ScorableText(f"brand{n} is {'good' if n % 2 else 'bad'}", (f"brand{n}",)),
            Label.POSITIVE if n % 2 else Label.NEGATIVE,
            target=f"brand{n}",
        )
        for n in range(40)
    ]

    straight = evaluate(TargetScorer(), rows).overall.macro_recall
    shuffled = evaluate(TargetScorer(), shuffle_targets(rows, seed=0)).overall.macro_recall

    assert straight == 1
    assert shuffled < 0.6
    assert shuffle_targets(rows, seed=3) == shuffle_targets(rows, seed=3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "line 1: this is no JSON"),
        ('["text"]', 'needs an object with "text"'),
        ('{"text": "a", "label": "meh"}', "'meh'; it must be negative, neutral or positive"),
        ('{"text": "a", "label": ["neutral"]}', "it must be negative, neutral or positive"),
        ('{"text": "a", "label": "neutral", "target": 3}', '"target" is a text or a list'),
        ("", "has no rows"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(line, encoding="utf-8")

    with pytest.raises(InputError, match=message):
        read_labelled(path)


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a", "label": "neutral", "target": "Acme"}\n'))

    assert read_labelled(path) == [
        LabelledText(ScorableText("a", ("Acme",)), Label.NEUTRAL, target="Acme")
    ]
