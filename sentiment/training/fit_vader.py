"""Fit the probabilities of the VADER scorer: `python -m sentiment.training.fit_vader DATA...`.

DATA are JSON lines with `text` and `label`. A multinomial logistic regression with balanced
classes, by gradient descent from zero: the same data gives the same coefficients.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

LABELS = ("negative", "neutral", "positive")
STEPS = 3000
RATE = 0.02
PENALTY = 1e-4

Matrix = NDArray[np.float64]


def features(path: Path) -> tuple[Matrix, NDArray[np.int64]]:
    """Return the features (rows x 6) and the labels' numbers of one file."""
    analyzer = SentimentIntensityAnalyzer()
    rows, labels = [], []
    for line in track(path.read_bytes().splitlines(), description=path.name):
        record = orjson.loads(line)
        found = analyzer.polarity_scores(record["text"])
        compound = found["compound"]
        rows.append(
            (1.0, compound, abs(compound), compound * abs(compound), found["neg"], found["pos"])
        )
        labels.append(LABELS.index(record["label"]))
    return np.array(rows), np.array(labels)


def fit(inputs: Matrix, labels: NDArray[np.int64]) -> Matrix:
    """Return the coefficients (6 x 3), by Adam on the weighted cross entropy."""
    weights = 1.0 / np.bincount(labels, minlength=3)[labels]
    weights /= weights.mean()
    wanted = np.eye(3)[labels]
    found = np.zeros((inputs.shape[1], 3))
    first, second = np.zeros_like(found), np.zeros_like(found)
    for step in range(1, STEPS + 1):
        logits = inputs @ found
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (odds / odds.sum(axis=1, keepdims=True) - wanted) * weights[:, None]
        slope = inputs.T @ error / len(labels) + PENALTY * found
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope * slope
        found -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return found


def main(paths: list[str]) -> None:
    """Fit on the files and print the two rows of logits that the scorer holds."""
    parts = [features(Path(path)) for path in paths]
    found = fit(np.vstack([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
    against_neutral = np.round(found - found[:, 1:2], 3)
    console = Console()
    console.print("NEGATIVE_LOGITS =", tuple(against_neutral[:, 0].tolist()))
    console.print("POSITIVE_LOGITS =", tuple(against_neutral[:, 2].tolist()))


if __name__ == "__main__":
    main(sys.argv[1:])
