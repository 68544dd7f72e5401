"""Measuring a model folder, and fitting its temperatures.

Macro recall is the mean of the classes' recalls, the measure of SemEval and TweetEval. ECE is
the expected calibration error over 15 equally wide bins of confidence.
"""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, recall_score

from sentiment.scorers.onnx import POLARITY, OnnxModel, softmax
from sentiment.training.data import Row, measuring_rows
from sentiment.training.tasks import SENTIMENT

_HEAD_SETS = ("emotion_val", "irony_val", "offensive_val")

_ENGLISH_SETS = (
    "tweets_val",
    "posts_held_out",
    "airline_train",
    "airline_train_untargeted",
    "toward_dish_val",
    "toward_dish_val_shuffled",
    "toward_dish_val_untargeted",
    "emotion_val",
    "irony_val",
    "offensive_val",
)

#: What each model is measured on. The airline sets are of a domain never trained on.
SETS = {
    "en": _ENGLISH_SETS,
    "accurate": _ENGLISH_SETS,
    "multi": ("multilingual_val", "tweets_val", "airline_train_untargeted", "toward_dish_val"),
}

#: Sets that the temperatures are fitted on: more than one domain, none that we call unseen.
CALIBRATING_SETS = {
    "en": ("tweets_val", "posts_held_out", "toward_dish_val", *_HEAD_SETS),
    "accurate": ("tweets_val", "posts_held_out", "toward_dish_val", *_HEAD_SETS),
    "multi": ("multilingual_val", "tweets_val", "toward_dish_val"),
}

_BINS = 15


def measure(
    folder: Path, data: Path, sets: Sequence[str], *, most: int | None = None
) -> dict[str, dict[str, float]]:
    """Return the figures of a model folder for each set, and for each language of a set.

    `most` takes that many rows of each set, drawn by a fixed seed.
    """
    model = OnnxModel(folder)
    figures: dict[str, dict[str, float]] = {}
    for name in sets:
        rows = measuring_rows(data, name)
        if most is not None and len(rows) > most:
            picked = np.random.default_rng(0).choice(len(rows), most, replace=False)
            rows = [rows[place] for place in sorted(picked)]
        task = rows[0].task
        if task != SENTIMENT and task not in model.heads:
            continue
        started = time.process_time()
        polarity, heads = model.all_probabilities([(row.text, row.target) for row in rows])
        spent = (time.process_time() - started) / len(rows) * 1000
        if task != SENTIMENT:
            figures[name] = _head_figures(rows, heads[task])
            continue
        chances = polarity
        figures[name] = _figures(rows, chances) | {"cpu_ms_per_text": round(spent, 2)}
        languages = sorted({row.lang for row in rows})
        for lang in languages if len(languages) > 1 else []:
            places = [place for place, row in enumerate(rows) if row.lang == lang]
            figures[f"{name}/{lang}"] = _figures([rows[place] for place in places], chances[places])
        if len(languages) > 1:
            each = [figures[f"{name}/{lang}"]["macro_recall"] for lang in languages]
            figures[name]["mean_of_languages"] = round(float(np.mean(each)), 1)
    return figures


def calibrate(folder: Path, data: Path, sets: Sequence[str]) -> dict[str, float]:
    """Fit the temperatures of a model folder, write them into it and return them.

    One temperature for whole texts, one for judgements toward a target and one for each head,
    each the one that makes the likelihood of the sets' labels greatest, every set counting the
    same.
    """
    about_path = folder / "groundswell.json"
    about = json.loads(about_path.read_text(encoding="utf-8"))
    model = OnnxModel(folder)
    logits: dict[bool, list[tuple[NDArray[np.float64], NDArray[np.int64]]]] = {True: [], False: []}
    for name in sets:
        rows = measuring_rows(data, name)
        outputs = model.outputs([(row.text, row.target) for row in rows])
        task = rows[0].task
        if task != SENTIMENT:
            if task in model.heads:
                labels = np.array([row.label for row in rows])
                heat = round(_temperature([(outputs[task], labels)]), 3)
                about["heads"][task]["temperature"] = heat
            continue
        found = outputs[POLARITY]
        logits[rows[0].target is not None].append((found, np.array([row.label for row in rows])))
    for toward, key in ((False, "message"), (True, "toward")):
        if logits[toward]:
            # Whole texts come from every domain, and on another one a model is right less often
            # than at home: there it is never made surer than it is.
            least = 0.2 if toward else 1.0
            about["temperature"][key] = round(_temperature(logits[toward], least=least), 3)
    about_path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    temperatures: dict[str, float] = about["temperature"]
    return temperatures


def expected_calibration_error(chances: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return how far confidence is from accuracy, 0 to 1, averaged over bins of confidence."""
    confidence = chances.max(axis=1)
    right = chances.argmax(axis=1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(right[bins == place].mean() - confidence[bins == place].mean()) * (bins == place).mean()
        for place in np.unique(bins)
    ]
    return float(sum(gaps))


def _temperature(
    sets: Sequence[tuple[NDArray[np.float64], NDArray[np.int64]]], *, least: float = 0.2
) -> float:
    """Return the temperature of at least `least` that makes the sets' labels most likely."""

    def cost(heat: float) -> float:
        each = [
            -np.log(softmax(logits / heat)[np.arange(len(labels)), labels] + 1e-12).mean()
            for logits, labels in sets
        ]
        return float(np.mean(each))

    return float(min(np.exp(np.linspace(math.log(least), 1.5, 151)), key=cost))


def _figures(rows: Sequence[Row], chances: NDArray[np.float64]) -> dict[str, float]:
    labels = np.array([row.label for row in rows])
    guesses = chances.argmax(axis=1)
    recalls = recall_score(labels, guesses, average=None, labels=[0, 1, 2], zero_division=0) * 100
    negative, neutral, positive = (round(float(recall), 1) for recall in recalls)
    return {
        "rows": len(rows),
        "macro_recall": round(float(recalls.mean()), 1),
        "macro_f1": round(f1_score(labels, guesses, average="macro") * 100, 1),
        "negative": negative,
        "neutral": neutral,
        "positive": positive,
        "ece": round(expected_calibration_error(chances, labels) * 100, 1),
    }


def _head_figures(rows: Sequence[Row], chances: NDArray[np.float64]) -> dict[str, float]:
    """Return a head's figures, among them TweetEval's: macro F1, and of irony the F1 of irony."""
    labels = np.array([row.label for row in rows])
    guesses = chances.argmax(axis=1)
    return {
        "rows": len(rows),
        "macro_recall": round(recall_score(labels, guesses, average="macro") * 100, 1),
        "macro_f1": round(f1_score(labels, guesses, average="macro") * 100, 1),
        "f1_of_last": round(f1_score(labels, guesses, average=None)[-1] * 100, 1),
        "ece": round(expected_calibration_error(chances, labels) * 100, 1),
    }
