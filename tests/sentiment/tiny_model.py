"""A text-classification model small enough to be made in a test."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = (
    "good great love it thanks happy",
    "bad awful hate it broken angry",
    "the shop opens at nine today",
    "Acme @user http and a few more words that mean nothing",
)
GOOD = ("good", "great", "love", "thanks", "happy")
BAD = ("bad", "awful", "hate", "broken", "angry")

#: torch is an extra: where it is not there, what needs it is skipped, visibly.
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed (extra 'torch')"
)


def make_tokenizer(folder: Path) -> Tokenizer:
    """Train a WordPiece tokenizer and write it as transformers wants it."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        TEXTS * 5,
        trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 64,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    return tokenizer


def make_config(folder: Path, labels: tuple[str, ...], **more: object) -> None:
    """Write the config of a tiny BERT with these labels."""
    about = {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "vocab_size": 300,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
        "id2label": {str(place): label for place, label in enumerate(labels)},
        "label2id": {label: place for place, label in enumerate(labels)},
    }
    (folder / "config.json").write_text(json.dumps(about | more), encoding="utf-8")


def make_onnx_model(
    folder: Path,
    labels: tuple[str, ...] = ("negative", "neutral", "positive"),
    *,
    logits_of_good: tuple[float, ...] = (-3.0, 0.0, 3.0),
    name: str = "model.onnx",
    **config: object,
) -> Path:
    """Write a model whose logits are the mean of its words' vectors, by hand.

    A good word has the logits `logits_of_good`, a bad word their opposite, any other none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(folder)
    make_config(folder, labels, **config)
    table = np.zeros((300, len(labels)), dtype=np.float32)
    for words, sign in ((GOOD, 8), (BAD, -8)):
        for word in words:
            for token in tokenizer.encode(word, add_special_tokens=False).ids:
                table[token] = sign * np.array(logits_of_good, dtype=np.float32)
    batch = ["batch", "length"]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["vectors"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["weights"]),
            helper.make_node("Mul", ["vectors", "weights"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
            helper.make_node("ReduceSum", ["weights", "middle"], ["count"], keepdims=0),
            helper.make_node("Div", ["sum", "count"], ["logits"]),
        ],
        "tiny",
        [
            helper.make_tensor_value_info("input_ids", TensorProto.INT64, batch),
            helper.make_tensor_value_info("attention_mask", TensorProto.INT64, batch),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(labels)])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([-1]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (folder / name).parent.mkdir(exist_ok=True)
    onnx.save(model, folder / name)
    return folder


def make_torch_model(folder: Path, labels: tuple[str, ...]) -> Path:
    """Write a BERT with random weights, as transformers does."""
    import torch  # noqa: PLC0415 - an extra
    from transformers import (  # noqa: PLC0415 - needs torch
        AutoConfig,
        BertForSequenceClassification,
    )

    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer(folder)
    make_config(folder, labels, initializer_range=0.6)
    torch.manual_seed(3)
    BertForSequenceClassification(AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    return folder
