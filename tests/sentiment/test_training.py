"""How the bundled models are made: data, resuming, export."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from sentiment.training.care import made_up_messages
from sentiment.training.data import (
    LABELS,
    MEASURING_FILES,
    TRAINING_FILES,
    batches,
    measuring_rows,
    training_rows,
)
from sentiment.training.tasks import TASKS, columns, task_of

WORDS = {"negative": "bad", "neutral": "plain", "positive": "good"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a small file for each name."""
    return write_files(tmp_path / "data")


def write_files(folder: Path) -> Path:
    """Write a small file for each name, each text saying its label, and return the folder."""
    folder.mkdir()
    for name in {*TRAINING_FILES, *MEASURING_FILES}:
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as out:
            for place in range(60):
                labels = TASKS[task_of(name)]
                usual = "neutral" if labels == LABELS else labels[0]
                label = labels[place % len(labels)] if place % 2 else usual
                found = {
                    "id": f"{name}-{place}",
                    "text": f"the soup of {name} {place} was {WORDS.get(label, label)}",
                    "label": label,
                }
                if name.startswith(("toward", "airline")):
                    found["target"] = "soup" if place % 5 else "waiter"
                if name.startswith("multilingual"):
                    found["lang"] = "de"
                out.write(json.dumps(found) + "\n")
    return folder


def test_a_resumed_run_draws_the_batches_that_an_unbroken_one_draws(data: Path) -> None:
    sources = [training_rows(data, name, seed=1) for name in ("tweets_train", "posts_train")]

    whole = list(islice(batches(sources, [2, 1], size=8, seed=5), 40))
    rest = list(islice(batches(sources, [2, 1], size=8, seed=5, start=23), 17))

    assert rest == whole[23:]
    assert list(islice(batches(sources, [2, 1], size=8, seed=6), 40)) != whole


def test_sources_are_drawn_by_their_shares(data: Path) -> None:
    sources = [training_rows(data, name, seed=1) for name in ("tweets_train", "posts_train")]

    drawn = [
        row for batch in islice(batches(sources, [3, 1], size=16, seed=5), 64) for row in batch
    ]

    share = sum(row.id.startswith("tweets") for row in drawn) / len(drawn)
    assert share == pytest.approx(0.75, abs=0.04)


def test_a_file_with_a_licence_that_forbids_it_is_not_trained_on(data: Path) -> None:
    with pytest.raises(ValueError, match="airline_train"):
        training_rows(data, "airline_train", seed=1)


def test_what_is_measured_on_is_not_trained_on(data: Path) -> None:
    measured = measuring_rows(data, "tweets_val")[3].text
    leak = {"id": "tweets_train-100", "text": f"{measured.upper()} !!", "label": "neutral"}
    with (data / "tweets_train.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(leak) + "\n")

    trained = {row.id for row in training_rows(data, "tweets_train", seed=1)}

    assert trained == {f"tweets_train-{place}" for place in range(60)}


def test_the_held_out_posts_are_not_trained_on(data: Path) -> None:
    held_out = {row.id for row in measuring_rows(data, "posts_held_out")}
    trained = {row.id for row in training_rows(data, "posts_train", seed=1)}

    assert held_out
    assert not held_out & trained
    assert len(held_out | trained) == 60


def test_rare_classes_weigh_more_and_all_weigh_one_on_average(data: Path) -> None:
    rows = training_rows(data, "tweets_train", seed=1)

    weights = {row.label: row.weight for row in rows}
    assert weights[LABELS.index("negative")] > weights[LABELS.index("neutral")]
    assert np.mean([row.weight for row in rows]) == pytest.approx(1)


def test_a_text_that_does_not_name_the_target_is_neutral_toward_it(data: Path) -> None:
    rows = training_rows(data, "toward_dish_train", seed=1)

    absent = [row for row in rows if row.id.endswith("-absent")]
    assert absent
    for row in absent:
        assert row.label == LABELS.index("neutral")
        assert row.target
        assert row.target not in row.text


def test_a_head_is_taught_with_and_without_a_target_which_is_a_word_of_the_text(
    data: Path,
) -> None:
    rows = training_rows(data, "emotion_train", seed=1)

    assert {row.task for row in rows} == {"emotion"}
    assert {row.label for row in rows} == {0, 1, 3}
    assert 0 < sum(row.target is None for row in rows) < len(rows)
    assert all(row.target in row.text for row in rows if row.target)


def test_rows_of_a_language_whose_labels_follow_nothing_are_left_out(data: Path) -> None:
    row = {"id": "multilingual_train-100", "text": "kya hua", "label": "neutral", "lang": "hi"}
    with (data / "multilingual_train.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")

    assert {row.lang for row in training_rows(data, "multilingual_train", seed=1)} == {"de"}


def test_the_outputs_of_the_heads_follow_those_of_the_polarity() -> None:
    found = columns(("emotion", "irony"))

    assert found == {"sentiment": slice(0, 3), "emotion": slice(3, 7), "irony": slice(7, 9)}


def test_shuffled_targets_are_those_of_other_rows(data: Path) -> None:
    rows = measuring_rows(data, "toward_dish_val")
    shuffled = measuring_rows(data, "toward_dish_val_shuffled")

    assert sorted(row.target or "" for row in rows) == sorted(row.target or "" for row in shuffled)
    assert [row.target for row in rows] != [row.target for row in shuffled]
    assert [row.label for row in rows] == [row.label for row in shuffled]


def test_made_up_messages_are_filled_in_and_speak_of_no_airline() -> None:
    found = list(made_up_messages(3000, seed=4))

    assert {label for _, label, _ in found} == set(LABELS)
    for text, _, target in found:
        assert target is None or text.count(target) == 1
        assert "{" not in text
        assert not {"flight", "airline", "plane", "gate", "crew"} & set(text.lower().split())
