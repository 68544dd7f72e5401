from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from config.errors import InputError
from sentiment.model_labels import polarities
from sentiment.scorer import Scorer, make_scorer
from sentiment.types import Label, ScorableText, Sentiment
from tests.sentiment.tiny_model import (
    make_config,
    make_onnx_model,
    make_tokenizer,
    make_torch_model,
    needs_torch,
)

NEGATIVE, NEUTRAL, POSITIVE = Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE
TEXTS = ("I love it, great", "this is bad and broken", "the shop opens at nine today")


def _score(scorer: Scorer, *texts: str) -> list[Sentiment]:
    return scorer.score([ScorableText(text) for text in texts])


def _labels(scorer: Scorer) -> list[Label]:
    return [found.label for found in _score(scorer, *TEXTS)]


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("negative", "neutral", "positive"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("LABEL_0", "LABEL_1", "LABEL_2"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("LABEL_0", "LABEL_1"), (NEGATIVE, POSITIVE)),
        (("POS", "NEU", "NEG"), (POSITIVE, NEUTRAL, NEGATIVE)),
        (("POSITIVE", "NEGATIVE"), (POSITIVE, NEGATIVE)),
        (("N", "NEU", "P"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (
            ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
        (
            ("Very Negative", "Negative", "Neutral", "Positive", "Very_Positive"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
    ],
)
def test_labels_of_known_kinds_are_mapped(names: tuple[str, ...], meant: tuple[Label, ...]) -> None:
    assert polarities(dict(enumerate(names)), "m") == meant


@pytest.mark.parametrize(
    "names",
    [
        ("joy", "anger", "sadness"),
        ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"),
        ("LABEL_0",),
        ("neutral", "positive"),
        ("positive", "positive"),
        ("1 star", "2 stars", "3 stars"),
        ("negative", "LABEL_1", "positive"),
    ],
)
def test_labels_that_cannot_be_told_are_refused_by_name(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=f"some/model has the labels {names[0]}"):
        polarities(dict(enumerate(names)), "some/model")


def test_a_model_in_a_folder_judges_with_its_onnx_file(tmp_path: Path) -> None:
    scorer = make_scorer(f"transformers:{make_onnx_model(tmp_path / 'tiny')}")

    assert _labels(scorer)[:2] == [POSITIVE, NEGATIVE]
    assert scorer.version.startswith("transformers/tiny@")
    found = _score(scorer, TEXTS[0])[0]
    parts = (found.p_negative or 0, found.p_neutral or 0, found.p_positive or 0)
    assert math.isclose(sum(parts), 1, abs_tol=1e-3)
    assert found.confidence == max(parts)


def test_the_onnx_file_may_be_in_a_folder_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    (folder / "onnx").mkdir(parents=True)
    make_onnx_model(folder, name="onnx/model.onnx")

    assert _labels(make_scorer(f"transformers:{folder}"))[:2] == [POSITIVE, NEGATIVE]


def test_labels_in_another_order_mean_what_the_config_says(tmp_path: Path) -> None:
    folder = make_onnx_model(
        tmp_path / "tiny", ("POS", "NEU", "NEG"), logits_of_good=(3.0, 0.0, -3.0)
    )

    assert _labels(make_scorer(f"transformers:{folder}"))[:2] == [POSITIVE, NEGATIVE]


def test_the_stars_of_one_polarity_are_added(tmp_path: Path) -> None:
    stars = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
    folder = make_onnx_model(tmp_path / "tiny", stars, logits_of_good=(-1.0, -1.0, 0.0, 1.0, 1.0))

    found = _score(make_scorer(f"transformers:{folder}"), "love")[0]

    # One good word among [CLS] and [SEP]: the logits are 8/3 of the ones above.
    up, down = math.exp(8 / 3), math.exp(-8 / 3)
    assert found.p_positive == pytest.approx(2 * up / (2 * up + 1 + 2 * down), abs=1e-3)


def test_a_judgement_does_not_depend_on_the_batch(tmp_path: Path) -> None:
    scorer = make_scorer(f"transformers:{make_onnx_model(tmp_path / 'tiny')}")
    texts = [f"{'good ' * (n % 7)}{'bad ' * (n % 5)}{'the shop ' * (n % 11)}" for n in range(1, 60)]

    assert _score(scorer, *texts) == [_score(scorer, text)[0] for text in texts]


def test_a_text_with_nothing_but_handles_and_links_is_unknown(tmp_path: Path) -> None:
    scorer = make_scorer(f"transformers:{make_onnx_model(tmp_path / 'tiny')}")

    found = _score(scorer, "@acme https://example.org/x", "", "love it")

    assert [one.label for one in found] == [Label.UNKNOWN, Label.UNKNOWN, POSITIVE]
    assert scorer.score([]) == []


def test_languages_that_the_model_does_not_read_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_TRANSFORMERS_LANGUAGES", "en, fr")
    scorer = make_scorer(f"transformers:{make_onnx_model(tmp_path / 'tiny')}")

    german, english = _score(
        scorer, "Das ist wirklich sehr schlecht gemacht", "I really love this, it is good"
    )

    assert (german.label, german.lang) == (Label.UNKNOWN, "de")
    assert english.label is POSITIVE


def test_a_model_that_takes_pairs_sees_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_onnx_model(tmp_path / "tiny")
    text = ScorableText("the shop opens at nine", ("good",))
    alone = make_scorer(f"transformers:{folder}").score([text])[0]
    monkeypatch.setenv("GROUNDSWELL_TRANSFORMERS_TARGETS", "pair")

    paired = make_scorer(f"transformers:{folder}").score([text])[0]

    assert alone.score == 0
    assert paired.score > 0.5


def test_the_version_changes_with_the_weights(tmp_path: Path) -> None:
    folder = make_onnx_model(tmp_path / "a" / "tiny")
    one = make_scorer(f"transformers:{folder}")
    same = make_scorer(f"transformers:{shutil.copytree(folder, tmp_path / 'b' / 'tiny')}")
    other = make_scorer(
        "transformers:"
        + str(make_onnx_model(tmp_path / "c" / "tiny", logits_of_good=(-2.0, 0.0, 2.0)))
    )

    assert one.version == same.version != other.version
    assert len(one.version) <= 100


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("", "needs a model after the colon"),
        ("/no/such/folder", "there is no model folder /no/such/folder"),
        ("nobody/nothing", "'nobody/nothing' is not in this machine's cache, and HF_HUB_OFFLINE"),
        ("nobody/nothing@v2", "'nobody/nothing' at 'v2' is not in this machine's cache"),
    ],
)
def test_a_model_that_is_not_there_is_said_so(
    argument: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(InputError, match=message):
        make_scorer(f"transformers:{argument}")


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="config.json is missing"):
        make_scorer(f"transformers:{tmp_path}")


def test_a_model_of_many_labels_a_text_is_refused(tmp_path: Path) -> None:
    folder = make_onnx_model(tmp_path / "tiny", problem_type="multi_label_classification")

    with pytest.raises(InputError, match="gives several labels to one text"):
        make_scorer(f"transformers:{folder}")


def test_an_onnx_file_that_was_asked_for_and_is_not_there_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tokenizer(tmp_path)
    make_config(tmp_path, ("negative", "neutral", "positive"))
    monkeypatch.setenv("GROUNDSWELL_TRANSFORMERS_BACKEND", "onnx")

    with pytest.raises(InputError, match="has no model.onnx or onnx/model.onnx"):
        make_scorer(f"transformers:{tmp_path}")


def test_without_torch_a_model_without_an_onnx_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tokenizer(tmp_path)
    make_config(tmp_path, ("negative", "neutral", "positive"))
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(InputError, match=r"pip install 'groundswell\[torch\]'"):
        make_scorer(f"transformers:{tmp_path}")


def test_a_device_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_onnx_model(tmp_path / "tiny")
    monkeypatch.setenv("GROUNDSWELL_TRANSFORMERS_BACKEND", "onnx")
    monkeypatch.setenv("GROUNDSWELL_TRANSFORMERS_DEVICE", "cuda")

    with pytest.raises(InputError, match="onnxruntime has no CUDA"):
        make_scorer(f"transformers:{folder}")


def _hub_cache(home: Path, model: Path, *, commit: str, refs: tuple[str, ...]) -> None:
    """Lay a model out as the hub's client keeps it after a download."""
    place = home / "hub" / "models--acme--tiny"
    shutil.copytree(model, place / "snapshots" / commit)
    (place / "refs").mkdir(exist_ok=True)
    for ref in refs:
        (place / "refs" / ref).write_text(commit, encoding="utf-8")


def test_a_name_is_taken_from_the_cache_at_its_pinned_revision(tmp_path: Path) -> None:
    old, new = "a" * 40, "b" * 40
    _hub_cache(
        tmp_path / "hf",
        make_onnx_model(tmp_path / "1", logits_of_good=(3.0, 0.0, -3.0)),
        commit=old,
        refs=("v1",),
    )
    _hub_cache(tmp_path / "hf", make_onnx_model(tmp_path / "2"), commit=new, refs=("main",))
    code = """
import json, sys
from sentiment.scorer import make_scorer
from sentiment.types import ScorableText
found = [make_scorer(name).score([ScorableText("love it")])[0] for name in sys.argv[1:]]
print(json.dumps([[one.label, one.scorer] for one in found]))
"""

    # The hub's client reads these variables once, when it is imported.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "transformers:acme/tiny",
            "transformers:acme/tiny@v1",
            f"transformers:acme/tiny@{old}",
        ],
        env=os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert json.loads(done.stdout) == [
        ["positive", "transformers/acme/tiny@bbbbbbbbbb-onnx/1"],
        ["negative", "transformers/acme/tiny@aaaaaaaaaa-onnx/1"],
        ["negative", "transformers/acme/tiny@aaaaaaaaaa-onnx/1"],
    ]


@needs_torch
def test_torch_gives_what_the_pipeline_of_the_library_gives(tmp_path: Path) -> None:
    from transformers import pipeline  # noqa: PLC0415 - needs torch

    folder = make_torch_model(tmp_path / "tiny", ("negative", "neutral", "positive"))
    ours = _score(make_scorer(f"transformers:{folder}"), *TEXTS, "@someone look http://x.org/1")
    theirs = pipeline("text-classification", str(folder), top_k=None, device="cpu")(
        [*TEXTS, "@user look http"]
    )

    for found, expected in zip(ours, theirs, strict=True):
        chances = {one["label"]: one["score"] for one in expected}
        assert found.p_negative == pytest.approx(chances["negative"], abs=2e-4)
        assert found.p_positive == pytest.approx(chances["positive"], abs=2e-4)


@needs_torch
def test_an_exported_model_judges_as_the_one_it_was_exported_from(tmp_path: Path) -> None:
    import torch  # noqa: PLC0415 - an extra
    from transformers import AutoModelForSequenceClassification  # noqa: PLC0415 - needs torch

    class Logits(torch.nn.Module):  # type: ignore[misc]  # untyped here
        def __init__(self, model: torch.nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.model(
                input_ids=input_ids, attention_mask=attention_mask
            ).logits
            return found

    folder = make_torch_model(tmp_path / "tiny", ("LABEL_0", "LABEL_1", "LABEL_2"))
    by_torch = _score(make_scorer(f"transformers:{folder}"), *TEXTS)
    example = torch.ones((2, 8), dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits(AutoModelForSequenceClassification.from_pretrained(folder)).eval(),
            (example, example),
            str(folder / "model.onnx"),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes},
            dynamo=False,
        )

    by_onnx = _score(make_scorer(f"transformers:{folder}"), *TEXTS)

    assert [one.scorer for one in by_onnx] != [one.scorer for one in by_torch]
    for one, other in zip(by_onnx, by_torch, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-3)


@needs_torch
def test_broken_weights_are_refused(tmp_path: Path) -> None:
    folder = make_torch_model(tmp_path / "tiny", ("negative", "neutral", "positive"))
    (folder / "model.safetensors").unlink()

    with pytest.raises(InputError, match="model.safetensors is missing or broken"):
        make_scorer(f"transformers:{folder}")


def test_the_bundled_model_runs_as_any_other_model() -> None:
    folder = Path(__file__).parents[2] / "sentiment" / "model" / "en"
    if not (folder / "model.onnx").is_file():
        pytest.skip("the bundled model is not in this checkout")
    scorer = make_scorer(f"transformers:{folder}")

    found = _score(
        scorer,
        "I love the new app, it is great",
        "This is terrible, the worst service ever",
    )

    assert [one.label for one in found] == [POSITIVE, NEGATIVE]
