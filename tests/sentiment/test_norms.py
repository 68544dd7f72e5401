"""The quick form of layer normalisation gives what the usual form gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from sentiment.scorers.onnx import BUNDLED  # noqa: E402
from sentiment.training.norms import with_quick_norms  # noqa: E402

WIDTH = 24


@pytest.mark.parametrize("has_bias", [True, False])
def test_the_quick_form_gives_the_same_numbers(*, has_bias: bool) -> None:
    dice = np.random.default_rng(1)
    feed = {
        name: dice.normal(1, 3, size=(3, 5, WIDTH)).astype("f4") for name in ("value", "skipped")
    }
    usual = _model(has_bias=has_bias)
    wanted = _run(usual, feed)

    quick = with_quick_norms(usual)

    assert {node.op_type for node in quick.graph.node}.isdisjoint({"SkipLayerNormalization"})
    np.testing.assert_allclose(_run(quick, feed), wanted, atol=2e-5)
    again = quick.SerializeToString()
    assert with_quick_norms(quick).SerializeToString() == again


@pytest.mark.parametrize("name", ["en", "multi"])
def test_the_bundled_models_have_the_quick_form(name: str) -> None:
    graph = onnx.load(BUNDLED / name / "model.onnx").graph

    kinds = {node.op_type for node in graph.node}

    assert "InstanceNormalization" in kinds
    assert "SkipLayerNormalization" not in kinds


def _model(*, has_bias: bool) -> Any:
    helper, float_type = onnx.helper, onnx.TensorProto.FLOAT
    dice = np.random.default_rng(2)
    vectors = {
        name: dice.normal(size=WIDTH).astype("f4")
        for name in ("weight", "offset", "bias")
        if name != "bias" or has_bias
    }
    node = helper.make_node(
        "SkipLayerNormalization",
        ["value", "skipped", *vectors],
        ["normed"],
        domain="com.microsoft",
        epsilon=1e-5,
    )
    graph = helper.make_graph(
        [node],
        "norm",
        [
            helper.make_tensor_value_info(name, float_type, ["texts", "tokens", WIDTH])
            for name in ("value", "skipped")
        ],
        [helper.make_tensor_value_info("normed", float_type, ["texts", "tokens", WIDTH])],
        [onnx.numpy_helper.from_array(value, name) for name, value in vectors.items()],
    )
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=versions, ir_version=8)


def _run(model: Any, feed: dict[str, np.ndarray]) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    result: np.ndarray = session.run(None, feed)[0]
    return result
