"""From trained weights to a model folder: ONNX, fused for onnxruntime, int8.

Weights are stored as int8 with a scale for each column. Activations are rounded with fixed
scales that are fitted once on training texts (`scales`), not found anew in each batch: a text's
judgement must not depend on which texts were scored beside it.
"""

import copy
import inspect
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.transformers import optimizer
from torch import nn
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from sentiment.training.norms import with_quick_norms
from sentiment.training.scales import Feed, fit_ranges, rounding_of
from sentiment.training.tasks import HEADS, SENTIMENT, TASKS, columns

_OPSET = 17


def export(
    weights: Path,
    folder: Path,
    *,
    version: str,
    languages: Sequence[str],
    texts: Sequence[tuple[str, str | None]],
    toward: bool = True,
    by_blocks: bool = False,
    max_tokens: int = 96,
) -> Path:
    """Write the model folder of the trained `weights` and return it.

    `texts` are training texts (with or without target) that the activations' scales are
    measured on. `by_blocks` gives every 32 weights and activations a scale of their own: twice
    the time, for a model whose activations are too uneven for one (mpnet loses five points).
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(weights)
    model = AutoModelForSequenceClassification.from_pretrained(
        weights, attn_implementation="eager"
    ).eval()
    with tempfile.TemporaryDirectory() as scratch:
        plain, fused, whole = (Path(scratch) / name for name in ("plain", "fused", "int8"))
        _to_onnx(model, tokenizer, plain)
        optimizer.optimize_model(
            str(plain),
            model_type="bert",
            num_heads=model.config.num_attention_heads,
            hidden_size=model.config.hidden_size,
            opt_level=0,
        ).save_model_to_file(str(fused))
        if by_blocks:
            _round_by_blocks(fused, whole)
            rounded = onnx.load(whole)
        else:
            _round(fused, whole, ["MatMul", "Attention", "EmbedLayerNormalization", "Gather"])
            fed = batches(tokenizer, texts, max_tokens)
            rounded = _with_fixed_scales(onnx.load(whole), fed)
        onnx.save(with_quick_norms(rounded), folder / "model.onnx")
    tokenizer.save_pretrained(folder)
    vocabulary = folder / "tokenizer.json"
    # Without its indentation, which is a third of it.
    compact = json.dumps(
        json.loads(vocabulary.read_text(encoding="utf-8")),
        ensure_ascii=False,
        separators=(",", ":"),
    )
    vocabulary.write_text(compact, encoding="utf-8")
    _polarity_config(model).save_pretrained(folder)
    about = {
        "name": f"groundswell-{folder.name}",
        "version": version,
        "languages": sorted(languages),
        "max_tokens": max_tokens,
        "toward": toward,
        "temperature": {"message": 1.0, "toward": 1.0},
        "heads": {
            task: {"labels": list(TASKS[task]), "temperature": 1.0} for task in _heads_of(model)
        },
    }
    (folder / "groundswell.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return folder


class _Outputs(nn.Module):  # type: ignore[misc]  # torch is not looked into
    """The model with an output of its own for each head, the polarity's first."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.places = list(columns(_heads_of(model)).values())

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, ...]:
        kinds = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask, **kinds).logits
        return tuple(logits[:, places] for places in self.places)


def _heads_of(model: PreTrainedModel) -> tuple[str, ...]:
    labels = model.config.id2label.values()
    return tuple(head for head in HEADS if any(label.startswith(f"{head}:") for label in labels))


def _polarity_config(model: PreTrainedModel) -> PreTrainedConfig:
    """Return the config of the first output alone, which is what other programs read."""
    config = copy.deepcopy(model.config)
    config.id2label = dict(enumerate(TASKS[SENTIMENT]))
    config.label2id = {label: place for place, label in config.id2label.items()}
    return config


def _to_onnx(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path) -> None:
    found = tokenizer(["a text", "b"], ["x", "y"], padding=True, return_tensors="pt")
    # torch names the inputs in the order of the model's signature, not of the dictionary.
    signature = inspect.signature(model.forward).parameters
    example = {name: found[name] for name in signature if name in found}
    axes = {name: {0: "texts", 1: "tokens"} for name in example}
    outputs = ["logits", *_heads_of(model)]
    torch.onnx.export(
        _Outputs(model),
        (),
        str(path),
        kwargs=example,
        input_names=list(example),
        output_names=outputs,
        dynamic_axes={**axes, **{name: {0: "texts"} for name in outputs}},
        opset_version=_OPSET,
        dynamo=False,
    )


def _round(source: Path, result: Path, kinds: list[str]) -> None:
    quantize_dynamic(
        source,
        result,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=kinds,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )


def _round_by_blocks(source: Path, result: Path) -> None:
    quantiser = MatMulNBitsQuantizer(
        onnx.load(source), bits=8, block_size=32, is_symmetric=True, accuracy_level=4
    )
    quantiser.process()
    between = source.with_suffix(".blocks")
    quantiser.model.save_model_to_file(str(between))
    _round(between, result, ["Gather"])


def batches(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[tuple[str, str | None]], max_tokens: int
) -> list[Feed]:
    """Return what a model is fed with, one text (with or without target) at a time."""
    fed: list[Feed] = []
    for text, target in texts:
        pair = [text] if target is None else [text, target]
        found = tokenizer(*pair, truncation=True, max_length=max_tokens, return_tensors="np")
        fed.append({name: value.astype(np.int64) for name, value in found.items()})
    return fed


def _with_fixed_scales(model: onnx.ModelProto, fed: Sequence[Feed]) -> onnx.ModelProto:
    """Replace every activation scale found at run time by one measured on `fed`."""
    graph = model.graph
    dynamic = [node for node in graph.node if node.op_type == "DynamicQuantizeLinear"]
    watched = [node.input[0] for node in dynamic]
    ranges = fit_ranges(model, watched, fed)
    for node in dynamic:
        scale, zero = rounding_of(*ranges[node.input[0]])
        rounded, scale_name, zero_name = node.output
        graph.initializer.append(numpy_helper.from_array(np.array(scale), scale_name))
        graph.initializer.append(numpy_helper.from_array(np.array(zero), zero_name))
        place = list(graph.node).index(node)
        graph.node.remove(node)
        graph.node.insert(
            place,
            helper.make_node(
                "QuantizeLinear", [node.input[0], scale_name, zero_name], [rounded], name=node.name
            ),
        )
    return model
