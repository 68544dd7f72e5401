"""Weights to go on training with, out of a shipped int8 model: when the full ones are not at hand.

What was rounded stays rounded, so that the restored model answers as the shipped one does, to
within its rounding. Every version of the bundled models after the first went on from the one
before in this way.
"""

import re
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from sentiment.training.tasks import HEADS, output_labels

_ROUNDED = re.compile(r"(.+)_quantized$")
_DENSE = re.compile(r"^/(?:model/)?bert/(.+)/MatMul_quant$")
_ATTENTION = re.compile(r"^Attention_(\d+)_qkv_(weight|bias)$")


def restore(folder: Path, into: Path) -> Path:
    """Write the weights of the model `folder` into `into` and return it."""
    graph = onnx.load(folder / "model.onnx").graph
    heads = tuple(head for head in HEADS if head in {found.name for found in graph.output})
    tokenizer, model = _empty(folder, heads)
    state = model.state_dict()
    for name, value in _weights(graph).items():
        if name in state:
            state[name].copy_(torch.from_numpy(value.copy()).reshape(state[name].shape))
    model.load_state_dict(state)
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)
    return into


def _empty(folder: Path, heads: tuple[str, ...]) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    config = AutoConfig.from_pretrained(folder)
    names = output_labels(heads)
    config.id2label = dict(enumerate(names))
    config.label2id = {name: place for place, name in config.id2label.items()}
    model = AutoModelForSequenceClassification.from_config(config)
    return AutoTokenizer.from_pretrained(folder), model


def _weights(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    """Return the graph's weights under torch's names and in torch's shapes."""
    stored = {found.name: numpy_helper.to_array(found) for found in graph.initializer}
    plain = {name: value for name, value in stored.items() if value.dtype == np.float32}
    for name, value in stored.items():
        if found := _ROUNDED.match(name):
            zero = stored[f"{found[1]}_zero_point"].astype("f4")
            plain[found[1]] = (value.astype("f4") - zero) * stored[f"{found[1]}_scale"]
    result = {}
    for name, value in plain.items():
        if found := _ATTENTION.match(name):
            for part, piece in zip(("query", "key", "value"), np.split(value, 3, -1), strict=True):
                key = f"bert.encoder.layer.{found[1]}.attention.self.{part}.{found[2]}"
                result[key] = piece.T
        else:
            # What the exporter wrote for a matrix that multiplies from the right. Newer quantisers
            # say so in its name.
            turned = len(value.shape) > 1 and "_embeddings" not in name
            plainly = name.removeprefix("model.").removesuffix("_Transposed")
            result[plainly] = value.T if turned else value
    for node in graph.node:
        if node.op_type == "MatMulInteger" and (dense := _DENSE.match(node.name)):
            name = node.input[1].removesuffix("_quantized")
            result["bert." + dense[1].replace("/", ".") + ".weight"] = plain[name].T
    return result
