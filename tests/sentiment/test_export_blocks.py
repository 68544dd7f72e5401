"""The accurate tier's export: rounded in blocks, with quick norms. Needs torch and onnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="export needs torch, which is not installed")
onnx = pytest.importorskip("onnx", reason="export needs onnx, which is not installed")

from transformers import (  # noqa: E402
    AutoTokenizer,
    MPNetConfig,
    MPNetForSequenceClassification,
)

from sentiment.scorers.onnx import BUNDLED, OnnxModel  # noqa: E402
from sentiment.training.export import export  # noqa: E402
from sentiment.training.tasks import HEADS, output_labels  # noqa: E402

TEXTS = ("I like this shop a lot", "glass in my coffee, never again", "ok")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Exporting aten:UserWarning")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_model_that_is_rounded_in_blocks_says_what_torch_says(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED / "en", local_files_only=True)
    labels = dict(enumerate(output_labels(HEADS)))
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        pad_token_id=tokenizer.pad_token_id,
        id2label=labels,
        label2id={name: place for place, name in labels.items()},
        initializer_range=0.3,
    )
    model = MPNetForSequenceClassification(config).eval()
    model.save_pretrained(tmp_path / "weights")
    tokenizer.save_pretrained(tmp_path / "weights")

    folder = export(
        tmp_path / "weights",
        tmp_path / "accurate",
        version="0",
        languages=["en"],
        texts=[("a text", None)],
        by_blocks=True,
    )

    kinds = {node.op_type for node in onnx.load(folder / "model.onnx").graph.node}
    assert {"MatMulNBits", "InstanceNormalization"} <= kinds
    assert kinds.isdisjoint({"SkipLayerNormalization", "LayerNormalization"})
    found = OnnxModel(folder).logits([(text, None) for text in TEXTS])
    with torch.no_grad():
        wanted = np.stack([_judge(model, tokenizer, text) for text in TEXTS])
    assert (found.argmax(axis=1) == wanted.argmax(axis=1)).all()
    np.testing.assert_allclose(found, wanted, atol=0.4)


def _judge(
    model: MPNetForSequenceClassification, tokenizer: AutoTokenizer, text: str
) -> np.ndarray:
    given = tokenizer(text, return_tensors="pt")
    given.pop("token_type_ids", None)
    logits: np.ndarray = model(**given).logits[0, :3].numpy()
    return logits
