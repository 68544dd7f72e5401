"""Rows to train and to measure on, read from folders of JSON lines.

Every file has `text` and `label`, and where the judgement is toward something, `target`. Texts
that also stand in a measuring file are never trained on: SemEval's years overlap, and a model
that has seen its yardstick measures nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from sentiment.normalise import normalise
from sentiment.training.care import made_up_messages
from sentiment.training.tasks import SENTIMENT, TASKS, task_of

#: Order of the polarity's outputs.
LABELS = TASKS[SENTIMENT]

#: Files whose licence or origin allows training weights that we ship. `airline_train` is
#: CC BY-NC-SA and therefore only ever measured on.
TRAINING_FILES = (
    "tweets_train",
    "posts_train",
    "toward_topic_train",
    "toward_person_train",
    "toward_news_train",
    "toward_dish_train",
    "toward_restaurant_train",
    "toward_laptop_train",
    "multilingual_train",
    "emotion_train",
    "irony_train",
    "offensive_train",
)
#: Not a file: messages to customer care that we made up (`care.py`).
CARE = "made_up_care"
CARE_ROWS = 8000

MEASURING_FILES = (
    "tweets_val",
    "toward_dish_val",
    "multilingual_val",
    "airline_train",
    "emotion_val",
    "irony_val",
    "offensive_val",
)

#: Share of posts_train that is measured on and never trained on, by the row number.
POSTS_HELD_OUT = 0.08

#: Languages whose rows of multilingual_train are left out: the Hindi ones are mostly in Latin
#: letters, and their labels follow nothing that can be learnt from the text (logistic regression
#: on words and letters reaches 35 % macro recall on multilingual_val, our models 31 to 33 %).
UNLEARNABLE = frozenset({"hi"})

#: Share of rows with a target that get a target the text does not mention, and with it the
#: label neutral: a text that does not speak of the brand does not judge it.
ABSENT_TARGET = 0.06

#: Share of rows of a head that get a word of their text as target: what a head says does not
#: depend on whom the polarity is judged toward, and it must be read in the same run.
HEAD_TARGET = 0.3

_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Row:
    """One judged text; `label` is a place in its task's labels, `weight` scales its loss."""

    id: str
    text: str
    target: str | None
    label: int
    lang: str = "en"
    weight: float = 1.0
    task: str = SENTIMENT


def read_rows(folder: Path, name: str) -> list[Row]:
    """Return the rows of one file, normalised as the model reads them."""
    rows = []
    task = task_of(name)
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            found = json.loads(line)
            target = found.get("target")
            rows.append(
                Row(
                    id=found["id"],
                    text=normalise(found["text"], target),
                    target=normalise(target) if target else None,
                    label=TASKS[task].index(found["label"]),
                    lang=found.get("lang", "en"),
                    task=task,
                )
            )
    return rows


def training_rows(folder: Path, name: str, *, seed: int) -> list[Row]:
    """Return the rows of one file that may be trained on, weighted against rare classes."""
    if name == CARE:
        return _weighted(_care_rows(seed))
    if name not in TRAINING_FILES:
        msg = f"{name} is not in TRAINING_FILES: its licence does not allow shipped weights"
        raise ValueError(msg)
    seen = _measured_texts(folder)
    rows = [
        row
        for row in read_rows(folder, name)
        if row.lang not in UNLEARNABLE and _key(row.text) not in seen
    ]
    if name == "posts_train":
        rows = [row for row in rows if not _is_held_out(row)]
    rows = _weighted(rows)
    dice = np.random.default_rng(seed)
    if rows[0].target is not None:
        return _with_absent_targets(rows, dice)
    return rows if rows[0].task == SENTIMENT else _with_words_as_targets(rows, dice)


def measuring_rows(folder: Path, name: str) -> list[Row]:
    """Return the rows of a measuring set: a file, "posts_held_out", or one with "_shuffled".

    A shuffled set gives every text another row's target: a model that reads the target must
    lose there, one that only reads the text does not.
    """
    if name == "posts_held_out":
        return [row for row in read_rows(folder, "posts_train") if _is_held_out(row)]
    if name.endswith("_shuffled"):
        rows = read_rows(folder, name.removesuffix("_shuffled"))
        order = np.random.default_rng(0).permutation(len(rows))
        return [
            Row(row.id, row.text, rows[other].target, row.label, row.lang)
            for row, other in zip(rows, order, strict=True)
        ]
    if name.endswith("_untargeted"):
        rows = read_rows(folder, name.removesuffix("_untargeted"))
        return [Row(row.id, row.text, None, row.label, row.lang) for row in rows]
    return read_rows(folder, name)


def soft_labels(work: Path, teacher: str) -> dict[str, list[float]]:
    """Return what a teacher said so far, by the rows' ids."""
    found: dict[str, list[float]] = {}
    for path in sorted(work.glob(f"soft_labels.{teacher}.*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            found.update((row["id"], row["probabilities"]) for row in map(json.loads, lines))
    return found


def mean_labels(work: Path, teachers: Sequence[str]) -> dict[str, list[float]]:
    """Return the mean of what the teachers said, for the rows that all of them judged."""
    each = [soft_labels(work, teacher) for teacher in teachers]
    if not each:
        return {}
    judged = set.intersection(*(set(found) for found in each))
    return {row: np.mean([found[row] for found in each], axis=0).tolist() for row in judged}


def batches(
    sources: Sequence[Sequence[Row]],
    shares: Sequence[float],
    *,
    size: int,
    seed: int,
    start: int = 0,
) -> Iterator[list[Row]]:
    """Yield batches for ever, from batch `start` on; the same ones for the same seed.

    Rows are drawn from each source by its share, each source in passes without repetition,
    in chunks of 16 batches that are sorted by length so that little is padding.
    """
    chunk_batches = 16
    totals = np.array(shares) / sum(shares)
    chunk = 0
    cursors = [_passes(len(rows), seed + place) for place, rows in enumerate(sources)]
    while True:
        dice = np.random.default_rng((seed, chunk))
        picks = dice.choice(len(sources), size=size * chunk_batches, p=totals)
        drawn = [sources[pick][next(cursors[pick])] for pick in picks]
        drawn.sort(key=lambda row: len(row.text) + len(row.target or ""))
        for place, piece in enumerate(dice.permutation(chunk_batches)):
            if chunk * chunk_batches + place >= start:
                yield drawn[piece * size : (piece + 1) * size]
        chunk += 1


def _passes(count: int, seed: int) -> Iterator[int]:
    dice = np.random.default_rng(seed)
    while True:
        yield from dice.permutation(count).tolist()


@cache  # asked for each source of a recipe, and slow to make
def _measured_texts(folder: Path) -> frozenset[str]:
    return frozenset(_key(row.text) for name in MEASURING_FILES for row in read_rows(folder, name))


def _care_rows(seed: int) -> list[Row]:
    return [
        Row(f"{CARE}-{place}", normalise(text), target, LABELS.index(label))
        for place, (text, label, target) in enumerate(made_up_messages(CARE_ROWS, seed=seed))
    ]


def _key(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _is_held_out(row: Row) -> bool:
    # A row's number decides, so that the split never moves when rows are added or dropped.
    number = int(row.id.rsplit("-", 1)[1])
    return (number * 2654435761 % 2**32) / 2**32 < POSTS_HELD_OUT


def _weighted(rows: Sequence[Row]) -> list[Row]:
    """Weight classes by frequency^-0.5 within a source, mean 1: macro recall is the aim."""
    counts = Counter(row.label for row in rows)
    raw = {label: count**-0.5 for label, count in counts.items()}
    mean = sum(raw[row.label] for row in rows) / len(rows)
    return [replace(row, weight=raw[row.label] / mean) for row in rows]


def _with_absent_targets(rows: Sequence[Row], dice: np.random.Generator) -> list[Row]:
    kept = list(rows)
    targets = sorted({row.target for row in rows if row.target})
    for place in dice.choice(len(rows), size=int(len(rows) * ABSENT_TARGET), replace=False):
        row = rows[place]
        other = targets[dice.integers(len(targets))]
        if other.casefold() not in row.text.casefold():
            kept.append(Row(f"{row.id}-absent", row.text, other, LABELS.index("neutral")))
    return kept


def _with_words_as_targets(rows: Sequence[Row], dice: np.random.Generator) -> list[Row]:
    found = []
    for row in rows:
        words = _LONG_WORD.findall(row.text.replace("@user", ""))
        chosen = dice.random() < HEAD_TARGET
        target = words[dice.integers(len(words))] if chosen and words else None
        found.append(replace(row, target=target))
    return found
