"""Recalibration: making a scorer's probabilities right for one brand. Numbers only.

The probabilities p become softmax(scale x log p + shift): one scale for all labels is
"temperature", with a shift for each label it is "vector". Both can be taken back out, so
that a new one is learned from what the model itself said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sentiment.evaluate import POLARITIES, calibration_error
from sentiment.types import Sentiment

#: Fewest corrections from which anything is learned; with 30 the standard error of a share
#: is still 9 points.
LEAST_CORRECTIONS = 30

#: Fewest corrections of each sort, right and wrong ones: who only corrects mistakes teaches
#: that the model is always wrong.
LEAST_OF_EACH_SORT = 8

#: Parts in which the corrections are held out in turn, and how often they are dealt anew.
FOLDS = 5
DEALS = 4

#: Probabilities are kept with four decimals; none is taken to be smaller than this.
SMALLEST = 5e-5

#: Pull of the parameters toward changing nothing, as if that many corrections said so.
PRIOR = 4.0

_STEPS = 60
_NO_STEP = 1e-9

#: Smallest scale: a model turned upside down is not calibrated.
_LEAST_SCALE = 0.05

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


class Kind(StrEnum):
    """How a calibration bends the probabilities."""

    NONE = "none"
    TEMPERATURE = "temperature"
    VECTOR = "vector"


@dataclass(frozen=True, slots=True)
class Calibration:
    """softmax(scale x log p + shift); `version` counts a brand's calibrations of a scorer."""

    kind: Kind = Kind.NONE
    scale: float = 1.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    version: int = 0

    def to_parameters(self) -> dict[str, Any]:
        """Return what the database keeps."""
        return {"scale": self.scale, "shift": list(self.shift)}

    @classmethod
    def of(cls, kind: str, parameters: dict[str, Any], version: int) -> Self:
        """Return the calibration that `to_parameters` was taken of."""
        one, two, three = parameters["shift"]
        return cls(Kind(kind), parameters["scale"], (one, two, three), version)

    def bend(self, chances: Floats) -> Floats:
        """Return calibrated probabilities, one row for each text."""
        return _softmax(self.scale * _log(chances) + np.array(self.shift))

    def unbend(self, chances: Floats) -> Floats:
        """Return the probabilities that `bend` was given."""
        return _softmax((_log(chances) - np.array(self.shift)) / self.scale)

    def apply(self, found: Sentiment) -> Sentiment:
        """Return the judgement with calibrated probabilities; its scorer names the version."""
        scorer = f"{found.scorer}~{self.version}"
        if found.p_negative is None or found.p_neutral is None or found.p_positive is None:
            return replace(found, scorer=scorer)
        chances = self.bend(np.array([[found.p_negative, found.p_neutral, found.p_positive]]))[0]
        best = int(chances.argmax())
        negative, neutral, positive = (round(float(chance), 4) for chance in chances)
        return replace(
            found,
            label=POLARITIES[best],
            score=round(positive - negative, 4),
            p_negative=negative,
            p_neutral=neutral,
            p_positive=positive,
            confidence=(negative, neutral, positive)[best],
            scorer=scorer,
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """What held-out corrections say about a calibration.

    Args:
        calibration: Fitted on all corrections; of the kind "none" where nothing helps.
        reason: Why it is used or not, for people.
        corrections: How many there were.
        log_loss_before: Mean of -log of the true label's probability, held out.
        log_loss_after: The same with calibration.
        ece_before: Expected calibration error, held out.
        ece_after: The same with calibration.

    """

    calibration: Calibration
    reason: str
    corrections: int
    log_loss_before: float
    log_loss_after: float
    ece_before: float
    ece_after: float

    @property
    def is_used(self) -> bool:
        """Whether held-out corrections say that it helps."""
        return self.calibration.kind is not Kind.NONE


def try_calibrations(chances: Floats, truth: Numbers) -> Trial:
    """Return the calibration that held-out corrections say helps most, or none.

    It must lower the log loss by more than the standard error of the difference, without
    raising the calibration error.
    """
    before = _losses(chances, truth)
    ece = _ece(chances, truth)
    nothing = Trial(Calibration(), "", len(truth), _mean(before), _mean(before), ece, ece)
    right = int((chances.argmax(axis=1) == truth).sum()) if len(truth) else 0
    if len(truth) < LEAST_CORRECTIONS:
        return replace(nothing, reason=f"{LEAST_CORRECTIONS} corrections are needed")
    if min(right, len(truth) - right) < LEAST_OF_EACH_SORT:
        return replace(
            nothing,
            reason=f"{right} of {len(truth)} corrections confirm the model: "
            f"{LEAST_OF_EACH_SORT} of each sort are needed",
        )
    best = nothing
    for kind in (Kind.TEMPERATURE, Kind.VECTOR):
        held_out = _held_out(kind, chances, truth)
        after = _losses(held_out, truth)
        gain = before - after
        error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
        ece_after = _ece(held_out, truth)
        if gain.mean() > error and ece_after <= ece and _mean(after) < best.log_loss_after:
            best = replace(
                nothing,
                calibration=fit(kind, chances, truth),
                reason="held-out corrections say that it helps",
                log_loss_after=_mean(after),
                ece_after=ece_after,
            )
    return best if best.is_used else replace(nothing, reason="held-out corrections gain nothing")


def fit(kind: Kind, chances: Floats, truth: Numbers) -> Calibration:
    """Return the calibration of this kind under which the true labels are likeliest.

    By Newton's method on a convex cost, from changing nothing.
    """
    logs = _log(chances)
    wanted = np.eye(len(POLARITIES))[truth]
    # Neutral's shift stays 0: only differences between the labels count.
    columns = 1 if kind is Kind.TEMPERATURE else 3
    start = np.array([1.0, 0.0, 0.0])[:columns]
    place = start.copy()
    for _ in range(_STEPS):
        features = _features(logs, columns)
        found = _softmax(features @ place)
        slope = np.einsum("nkc,nk->c", features, found - wanted) + PRIOR * (place - start)
        mean = np.einsum("nkc,nk->nc", features, found)
        bend = np.einsum("nkc,nk,nkd->cd", features, found, features) - mean.T @ mean
        step = np.linalg.solve(bend + PRIOR * np.eye(columns), slope)
        place -= step / max(1.0, float(np.abs(step).max()))
        place[0] = max(place[0], _LEAST_SCALE)
        if float(np.abs(step).max()) < _NO_STEP:
            break
    down, up = (float(place[1]), float(place[2])) if columns > 1 else (0.0, 0.0)
    return Calibration(kind, round(float(place[0]), 6), (round(down, 6), 0.0, round(up, 6)))


def _features(logs: Floats, columns: int) -> Floats:
    """Return for each text and label what each parameter is multiplied by."""
    features = np.zeros((*logs.shape, columns))
    features[:, :, 0] = logs
    if columns > 1:
        features[:, 0, 1] = 1.0
        features[:, 2, 2] = 1.0
    return features


def _held_out(kind: Kind, chances: Floats, truth: Numbers) -> Floats:
    """Return probabilities for each text from fits that did not see it, mean of the deals."""
    total = np.zeros_like(chances)
    for deal in range(DEALS):
        order = np.random.default_rng(deal).permutation(len(truth))
        # Dealt out label by label, so that no part lacks one.
        order = order[np.argsort(truth[order], kind="stable")]
        for part in range(FOLDS):
            out = order[part::FOLDS]
            rest = np.setdiff1d(order, out)
            total[out] += fit(kind, chances[rest], truth[rest]).bend(chances[out])
    return total / DEALS


def _losses(chances: Floats, truth: Numbers) -> Floats:
    losses: Floats = -_log(chances)[np.arange(len(truth)), truth]
    return losses


def _ece(chances: Floats, truth: Numbers) -> float:
    if not len(truth):
        return 0.0
    return calibration_error(chances.argmax(axis=1) == truth, chances.max(axis=1)) or 0.0


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _log(chances: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(chances, SMALLEST))
    return logs


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Floats = powers / powers.sum(axis=1, keepdims=True)
    return chances
