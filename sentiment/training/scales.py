"""Ranges of activations that lose least by rounding to 8 bits.

From the least to the greatest number that was ever seen, one outlier makes every step coarse. Here
a range is as narrow as makes the squared error over all numbers least, what is cut off included
(the choice of OCTAV, Sakr et al. 2022, found by search). The shipped models come nearer to what
they say in full precision by it: their figures are in the model card.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sentiment.onnx_session import session_options

#: Steps of an unsigned byte.
_STEPS = 255

#: Bins that the numbers of one activation are counted in.
_BINS = 4_096

#: Shares of the seen range that are tried for each end.
_SHARES = np.linspace(0.05, 1.0, 39)

#: A step is never smaller: an activation that is always zero.
_LEAST_STEP = 1e-6 / _STEPS

Feed = dict[str, NDArray[np.int64]]


def rounding_of(low: float, high: float) -> tuple[np.float32, np.uint8]:
    """Return the step and the zero point of numbers from `low` (at most 0) to `high`."""
    step = np.float32(max((high - low) / _STEPS, _LEAST_STEP))
    return step, np.uint8(np.clip(np.round(-low / step), 0, _STEPS))


def fit_ranges(
    model: onnx.ModelProto, watched: Sequence[str], fed: Sequence[Feed]
) -> dict[str, tuple[float, float]]:
    """Return the best range of each watched value of a model, over the texts `fed`."""
    names = list(watched)
    session = _spy(model, names)
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for values in _seen(session, names, fed):
        for name, value in zip(names, values, strict=True):
            low[name] = min(low[name], float(value.min()))
            high[name] = max(high[name], float(value.max()))
    counts = {name: np.zeros(_BINS) for name in names}
    for values in _seen(session, names, fed):
        for name, value in zip(names, values, strict=True):
            counts[name] += np.histogram(value, bins=_BINS, range=(low[name], high[name]))[0]
    return {name: best_range(low[name], high[name], counts[name]) for name in names}


def best_range(low: float, high: float, counts: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range that rounds numbers with least squared error.

    Args:
        low: The least number, at most 0.
        high: The greatest, at least 0.
        counts: How many numbers are in each of equally wide bins between the two.

    """
    width = (high - low) / len(counts)
    centres = low + (np.arange(len(counts)) + 0.5) * width
    best, least = (low, high), np.inf
    for low_share in _SHARES:
        for high_share in _SHARES:
            ends = (low * float(low_share), high * float(high_share))
            step, zero = rounding_of(*ends)
            rounded = np.clip(np.round(centres / step) + zero, 0, _STEPS) - zero
            error = float(counts @ (centres - rounded * step) ** 2)
            if error < least:
                best, least = ends, error
    return best


def rescale(model: onnx.ModelProto, fed: Sequence[Feed]) -> onnx.ModelProto:
    """Return a model whose activations are rounded in fixed ranges with these fitted anew."""
    nodes = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    ranges = fit_ranges(model, [node.input[0] for node in nodes], fed)
    stored = {found.name: found for found in model.graph.initializer}
    for node in nodes:
        value, step, zero = node.input
        for name, number in zip((step, zero), rounding_of(*ranges[value]), strict=True):
            stored[name].CopyFrom(numpy_helper.from_array(np.array(number), name))
    return model


def _spy(model: onnx.ModelProto, watched: Sequence[str]) -> onnxruntime.InferenceSession:
    spied = onnx.ModelProto()
    spied.CopyFrom(model)
    spied.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in watched
    )
    return onnxruntime.InferenceSession(
        spied.SerializeToString(), session_options(), providers=["CPUExecutionProvider"]
    )


def _seen(
    session: onnxruntime.InferenceSession, watched: Sequence[str], fed: Sequence[Feed]
) -> Iterable[Sequence[NDArray[np.float32]]]:
    names = {found.name for found in session.get_inputs()}
    for feed in fed:
        given = {name: value for name, value in feed.items() if name in names}
        yield session.run(list(watched), given)
