"""Ranges of activations that lose least by rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from sentiment.training.scales import best_range, fit_ranges, rescale, rounding_of  # noqa: E402

WIDTH = 8


def _rounded(value: np.ndarray, low: float, high: float) -> np.ndarray:
    step, zero = rounding_of(low, high)
    result: np.ndarray = (np.clip(np.round(value / step) + zero, 0, 255) - zero) * step
    return result


def test_an_outlier_is_cut_off_where_that_loses_less() -> None:
    dice = np.random.default_rng(1)
    values = np.append(dice.normal(size=2_000_000), 60.0)
    low, high = float(values.min()), float(values.max())
    counts = np.histogram(values, bins=4096, range=(low, high))[0].astype(float)

    found = best_range(low, high, counts)

    assert 4 < found[1] < 40
    lost = ((values - _rounded(values, *found)) ** 2).mean()
    assert lost < ((values - _rounded(values, low, high)) ** 2).mean() / 2


def test_even_numbers_keep_their_whole_range() -> None:
    found = best_range(-1.0, 3.0, np.ones(4096))

    assert found == pytest.approx((-1.0, 3.0), abs=0.15)


def test_what_is_always_zero_has_a_step() -> None:
    low, high = best_range(0.0, 0.0, np.zeros(4096))

    step, zero = rounding_of(low, high)
    assert step > 0
    assert zero == 0


def test_a_model_is_rescaled_to_what_it_is_fed() -> None:
    dice = np.random.default_rng(2)
    fed = [{"ids": dice.integers(-20, 60, size=(1, WIDTH))} for _ in range(50)]
    model = _model(step=9.0)
    before = _error(model, fed)

    assert fit_ranges(model, ["value"], fed)["value"] == pytest.approx((-20, 59), abs=3)
    after = _error(rescale(model, fed), fed)

    assert after < before / 10


def _model(step: float) -> Any:
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["ids"], ["value"], to=types.FLOAT),
        helper.make_node("QuantizeLinear", ["value", "step", "zero"], ["rounded"]),
        helper.make_node("DequantizeLinear", ["rounded", "step", "zero"], ["back"]),
    ]
    graph = helper.make_graph(
        nodes,
        "rounding",
        [helper.make_tensor_value_info("ids", types.INT64, [1, WIDTH])],
        [helper.make_tensor_value_info("back", types.FLOAT, [1, WIDTH])],
        [
            onnx.numpy_helper.from_array(np.array(step, "f4"), "step"),
            onnx.numpy_helper.from_array(np.array(100, "u1"), "zero"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _error(model: Any, fed: list[dict[str, np.ndarray]]) -> float:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    lost = [float(((session.run(None, one)[0] - one["ids"]) ** 2).mean()) for one in fed]
    return sum(lost) / len(lost)
