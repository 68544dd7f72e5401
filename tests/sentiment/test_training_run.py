"""Training, export and measuring, run on a model made here. Needs torch and onnx."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch, which is not installed")
pytest.importorskip("onnx", reason="export needs onnx, which is not installed")
pytest.importorskip("sklearn", reason="measuring needs scikit-learn, which is not installed")

import transformers  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer  # noqa: E402

from sentiment.scorers.onnx import OnnxModel  # noqa: E402
from sentiment.training.data import LABELS, measuring_rows, training_rows  # noqa: E402
from sentiment.training.export import export  # noqa: E402
from sentiment.training.measure import calibrate, measure  # noqa: E402
from sentiment.training.recipes import Recipe  # noqa: E402
from sentiment.training.restore import restore  # noqa: E402
from sentiment.training.tasks import HEADS  # noqa: E402
from sentiment.training.train import average, encode, load, train  # noqa: E402
from tests.sentiment.test_training import WORDS, write_files  # noqa: E402


# The exporter of TorchScript is the one whose graphs onnxruntime knows how to fuse.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Exporting aten:UserWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_training_resumes_and_its_export_gives_what_torch_gives(tmp_path: Path) -> None:
    data = write_files(tmp_path / "data")
    work = tmp_path / "work"
    _make_base(work / "base")
    recipe = Recipe(
        name="whole",
        base="base",
        shares={"tweets_train": 2, "toward_dish_train": 2, "irony_train": 1, "emotion_train": 1},
        heads=HEADS,
        steps=300,
        learning_rate=1e-3,
        batch=8,
        train_embeddings=True,
    )

    weights = train(recipe, data=data, work=work, threads=1)
    broken = replace(recipe, name="broken")
    (work / "broken.stop").write_text("100")
    train(broken, data=data, work=work, threads=1)
    (work / "broken.stop").unlink()
    resumed = train(broken, data=data, work=work, threads=1)
    rows = measuring_rows(data, "toward_dish_val") + measuring_rows(data, "tweets_val")
    pairs = [(row.text, row.target) for row in rows]
    folder = export(weights, tmp_path / "en", version="1", languages=["en"], texts=pairs)
    temperatures = calibrate(folder, data, ("tweets_val", "toward_dish_val", "irony_val"))
    figures = measure(folder, data, ("tweets_val", "irony_val"))

    assert (resumed / "model.safetensors").exists()
    assert torch.load(work / "broken.checkpoint.pt", weights_only=True)["step"] == 300
    assert figures["tweets_val"]["macro_recall"] > 80
    assert figures["irony_val"]["macro_f1"] > 80
    assert temperatures["message"] > 0
    model = OnnxModel(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    full = transformers.AutoModelForSequenceClassification.from_pretrained(weights).eval()
    with torch.no_grad():
        wanted = full(**encode(tokenizer, rows, 96)).logits.numpy()
    outputs = model.outputs(pairs)
    found = np.concatenate([outputs["logits"], *(outputs[head] for head in HEADS)], axis=1)
    assert np.abs(found - wanted).mean() < 0.1 * np.abs(wanted).mean()
    alone = np.concatenate([model.logits([pair]) for pair in pairs[:20]])
    np.testing.assert_allclose(alone, found[:20, :3], atol=1e-3)

    again = restore(folder, tmp_path / "restored")
    back = transformers.AutoModelForSequenceClassification.from_pretrained(again).eval()
    with torch.no_grad():
        restored = back(**encode(tokenizer, rows, 96)).logits.numpy()
    assert np.abs(restored - found).mean() < 0.1 * np.abs(wanted).mean()

    average([weights, resumed], work / "mean")
    one, other, mean = (
        load_file(path / "model.safetensors")["classifier.bias"]
        for path in (weights, resumed, work / "mean")
    )
    torch.testing.assert_close(mean, (one + other) / 2)


def test_a_student_learns_from_the_mean_of_what_its_teachers_said_of_every_head(
    tmp_path: Path,
) -> None:
    data = write_files(tmp_path / "data")
    work = tmp_path / "work"
    _make_base(work / "base")
    recipe = Recipe(
        name="student",
        base="base",
        shares={"tweets_train": 1},
        heads=("irony",),
        steps=100,
        learning_rate=3e-3,
        batch=8,
        train_embeddings=True,
        teachers=("one", "other"),
        teacher_weight=0.9,
    )
    rows = training_rows(data, "tweets_train", seed=recipe.seed)
    # Nothing but the teachers says that what is good is ironic; one is surer than the other.
    said = {
        row.id: [0.2, 0.2, 0.6, 0.1, 0.9] if "good" in row.text else [0.4, 0.4, 0.2, 0.9, 0.1]
        for row in rows
    }
    for teacher, shift in (("one", 0.05), ("other", -0.05)):
        lines = [
            json.dumps({"id": row, "probabilities": [*chances[:3], irony - shift, ironic + shift]})
            for row, (*chances, irony, ironic) in said.items()
        ]
        (work / f"soft_labels.{teacher}.0.jsonl").write_text("\n".join(lines))

    weights = train(recipe, data=data, work=work, threads=1)

    tokenizer, model = load(weights, heads=recipe.heads)
    with torch.no_grad():
        irony = model.eval()(**encode(tokenizer, rows, 96)).logits[:, 3:].softmax(-1)[:, 1]
    wanted = torch.tensor([said[row.id][4] for row in rows])
    assert (irony - wanted).abs().mean() < 0.2


def _make_base(folder: Path) -> None:
    """Write a BERT of two narrow layers with weights from a fixed seed, and its tokenizer."""
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "soup", "waiter", *WORDS.values()]
    pieces += ["irony", "anger", "joy", "optimism", "sadness", "emotion", "non"]
    pieces += ["the", "of", "was", "tweets", "toward", "_", "dish", "val", "train", *"0123456789"]
    BertTokenizer(vocab={piece: place for place, piece in enumerate(pieces)}).save_pretrained(
        folder
    )
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.2,
        num_labels=len(LABELS),
    )
    BertForSequenceClassification(config).save_pretrained(folder)
