"""Sums of bytes are exact on every processor."""

import numpy as np
import onnxruntime
import pytest

from sentiment.onnx_session import session_options

onnx = pytest.importorskip("onnx")


def test_products_of_bytes_near_the_ends_of_their_ranges_are_summed_exactly() -> None:
    numbers = np.random.default_rng(0)
    values = numbers.integers(200, 256, (8, 256)).astype(np.uint8)
    weights = numbers.choice([-128, -120, 119, 127], (256, 64)).astype(np.int8)
    helper, types = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["values", "weights"], ["sums"])],
        "sums",
        [helper.make_tensor_value_info("values", types.UINT8, list(values.shape))],
        [helper.make_tensor_value_info("sums", types.INT32, None)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    session = onnxruntime.InferenceSession(
        model.SerializeToString(), session_options(threads=1), providers=["CPUExecutionProvider"]
    )

    assert session.get_session_options().get_session_config_entry("session.x64quantprecision")
    (sums,) = session.run(None, {"values": values})
    np.testing.assert_array_equal(sums, values.astype(int) @ weights.astype(int))
