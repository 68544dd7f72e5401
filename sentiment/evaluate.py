"""How good a scorer is on labelled texts: the figures behind `groundswell evaluate sentiment`.

A text that the scorer answers with "unknown" counts as wrong in accuracy, recall and F1 (a
scorer must not look better by keeping silent), is left out of the calibration error (no
probability was claimed), and comes last in the risk-coverage curve.
"""

from __future__ import annotations

import gzip
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from config.errors import InputError
from sentiment.scorer import Scorer
from sentiment.types import Label, ScorableText, Sentiment

#: Polarities in the order of every matrix here.
POLARITIES = (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)

#: Texts that are scored together.
BATCH = 512

#: Bins of confidence in the calibration error.
BINS = 15

#: Shares of the texts, the surest first, at which the risk is stated.
COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

_UNKNOWN = len(POLARITIES)
_NUMBER = {label: number for number, label in enumerate(POLARITIES)} | {Label.UNKNOWN: _UNKNOWN}

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text and the label that people gave it; `lang` and `target` only group the figures."""

    text: ScorableText
    label: Label
    lang: str | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scorer reaches on a group of texts. All shares run from 0 to 1.

    Args:
        rows: Texts.
        judged: Texts that were not answered with "unknown".
        accuracy: Share of right labels.
        macro_recall: Mean of the recalls of the labels that occur.
        macro_f1: Mean of the F1 of the labels that occur.
        recall: Recall of each label that occurs.
        precision: Precision of each label that occurs; 0 where it was never answered.
        confusion: True label -> answered label -> texts.
        ece: Expected calibration error over the judged texts; None where none was judged.
        risk_coverage: (share of the texts, surest first; share of wrong labels among them).
        risk_area: Mean risk over all coverages: less is better; 0 says that every wrong
            label was less sure than every right one.

    """

    rows: int
    judged: int
    accuracy: float
    macro_recall: float
    macro_f1: float
    recall: dict[str, float]
    precision: dict[str, float]
    confusion: dict[str, dict[str, int]]
    ece: float | None
    risk_coverage: tuple[tuple[float, float], ...]
    risk_area: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one scorer on one set, over all and by group."""

    scorer: str
    overall: Figures
    by_lang: dict[str, Figures] = field(default_factory=dict)
    by_target: dict[str, Figures] = field(default_factory=dict)
    cpu_ms_per_text: float = 0.0


def read_labelled(path: Path) -> list[LabelledText]:
    """Return the rows of a file of JSON lines with `text`, `label` and maybe `target`, `lang`.

    Raises:
        InputError: A line is no such row; the message names the file and the line.

    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        rows = [
            _labelled(path, number, line) for number, line in enumerate(lines, 1) if line.strip()
        ]
    if not rows:
        raise InputError(f'{path} has no rows; each line is like {{"text": "...", "label": "..."}}')
    return rows


def shuffle_targets(rows: Sequence[LabelledText], *, seed: int) -> list[LabelledText]:
    """Give every text another row's target.

    This is the control of a scorer that judges toward a target: it must lose clearly, and a
    scorer that only reads the text does not change at all.
    """
    order = np.random.default_rng(seed).permutation(len(rows))
    return [
        replace(
            row,
            text=replace(row.text, targets=rows[other].text.targets),
            target=rows[other].target,
        )
        for row, other in zip(rows, order, strict=True)
    ]


def evaluate(
    scorer: Scorer,
    rows: Sequence[LabelledText],
    *,
    least_in_group: int = 30,
    on_progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Score the rows and compare with their labels.

    Args:
        scorer: What is measured.
        rows: Labelled texts.
        least_in_group: Languages and targets with fewer texts get no figures of their own:
            they would be noise.
        on_progress: Called with the number of texts done.

    """
    judged: list[Sentiment] = []
    started = time.process_time()
    for start in range(0, len(rows), BATCH):
        judged += scorer.score([row.text for row in rows[start : start + BATCH]])
        if on_progress is not None:
            on_progress(len(judged))
    spent_ms = (time.process_time() - started) * 1000
    truth = np.array([_NUMBER[row.label] for row in rows], dtype=np.int64)
    answers = np.array([_NUMBER[found.label] for found in judged], dtype=np.int64)
    confidence = np.array([found.confidence for found in judged])

    def by(names: Iterable[str | None]) -> dict[str, Figures]:
        places: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(names):
            if name is not None:
                places[name].append(place)
        large = {name: np.array(at) for name, at in places.items() if len(at) >= least_in_group}
        ordered = sorted(large.items(), key=lambda group: (-len(group[1]), group[0]))
        return {name: figures(truth[at], answers[at], confidence[at]) for name, at in ordered}

    return Evaluation(
        scorer=scorer.version,
        overall=figures(truth, answers, confidence),
        by_lang=by(row.lang or found.lang for row, found in zip(rows, judged, strict=True)),
        by_target=by(row.target for row in rows),
        cpu_ms_per_text=spent_ms / len(rows),
    )


def figures(truth: Numbers, answers: Numbers, confidence: Shares) -> Figures:
    """Return the figures for numbered labels (see `POLARITIES`; the number after is unknown)."""
    confusion = np.zeros((_UNKNOWN + 1, _UNKNOWN + 1), dtype=np.int64)
    np.add.at(confusion, (truth, answers), 1)
    occurring = [number for number in range(_UNKNOWN) if confusion[number].sum()]
    hits = np.diag(confusion).astype(float)
    recall = {number: hits[number] / confusion[number].sum() for number in occurring}
    precision = {
        number: hits[number] / max(int(confusion[:, number].sum()), 1) for number in occurring
    }
    f1 = [
        2 * hits[number] / (confusion[number].sum() + confusion[:, number].sum())
        for number in occurring
    ]
    is_judged = answers != _UNKNOWN
    is_right = answers == truth
    curve, area = _risk_coverage(is_right, np.where(is_judged, confidence, -1.0))
    return Figures(
        rows=len(truth),
        judged=int(is_judged.sum()),
        accuracy=float(is_right.mean()),
        macro_recall=float(np.mean(list(recall.values()))),
        macro_f1=float(np.mean(f1)),
        recall={POLARITIES[number].value: float(share) for number, share in recall.items()},
        precision={POLARITIES[number].value: float(share) for number, share in precision.items()},
        confusion={
            POLARITIES[number].value: {
                answer.value: int(confusion[number, place])
                for place, answer in enumerate((*POLARITIES, Label.UNKNOWN))
            }
            for number in occurring
        },
        ece=calibration_error(is_right[is_judged], confidence[is_judged]),
        risk_coverage=curve,
        risk_area=area,
    )


def calibration_error(is_right: NDArray[np.bool_], confidence: Shares) -> float | None:
    """Return how far confidence is from the share of right labels, averaged over bins, 0 to 1."""
    if not len(confidence):
        return None
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(is_right[bins == one].mean() - confidence[bins == one].mean())
            * (bins == one).mean()
            for one in np.unique(bins)
        )
    )


def _risk_coverage(
    is_right: NDArray[np.bool_], confidence: Shares
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Return the curve's points and the mean risk; equally sure texts share their risk."""
    _, group = np.unique(-confidence, return_inverse=True)
    sizes = np.bincount(group)
    wrong_in_group = np.bincount(group, weights=~is_right)
    order = np.argsort(group, kind="stable")
    wrong = np.cumsum((wrong_in_group / sizes)[group][order])
    risks = wrong / np.arange(1, len(wrong) + 1)
    takes = [max(1, round(share * len(risks))) for share in COVERAGES]
    points = zip(COVERAGES, takes, strict=True)
    return tuple((share, float(risks[take - 1])) for share, take in points), float(risks.mean())


def _labelled(path: Path, number: int, line: bytes) -> LabelledText:
    try:
        record: Any = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}, line {number}: this is no JSON ({error})") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise InputError(f'{path}, line {number}: needs an object with "text" and "label"')
    label = record.get("label")
    if label not in list(POLARITIES):
        raise InputError(
            f'{path}, line {number}: "label" is {label!r}; it must be negative, neutral or positive'
        )
    target = record.get("target") or ()
    names = (target,) if isinstance(target, str) else target
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InputError(f'{path}, line {number}: "target" is a text or a list of texts')
    lang = record.get("lang")
    return LabelledText(
        text=ScorableText(record["text"], tuple(names)),
        label=Label(label),
        lang=lang if isinstance(lang, str) else None,
        target=names[0] if names else None,
    )
