"""How ONNX models are run here: the same text is judged the same on every processor."""

from __future__ import annotations

import onnxruntime

#: Exact sums of 8-bit products where the processor has no instruction for them (before VNNI, AVX2
#: for one): the quick way there adds two products in 16 bits and cuts what is more. Weights near
#: their range's ends then lose a fifth of a sum; the models' figures hold only with exact sums.
#: It costs a tenth more time there and does nothing elsewhere. The name is onnxruntime's
#: (kOrtSessionOptionsAvx2PrecisionMode).
_EXACT_SUMS = "session.x64quantprecision"


def session_options(threads: int | None = None) -> onnxruntime.SessionOptions:
    """Return options of a session whose results do not depend on the processor.

    Args:
        threads: Threads of one run; None: onnxruntime's own choice.

    """
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry(_EXACT_SUMS, "1")
    if threads is not None:
        options.intra_op_num_threads = threads
    return options
