"""Models in ONNX, opened and run in one way: on one thread, silently, with an error that says what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ArtifactError

_ONLY_FATAL = 4  # of onnxruntime's severities: what it refuses it says in its exception, and stderr is for our one line


def open_session(model: Path | bytes, name: str = "model") -> Any:
    """An onnxruntime session of a file, or of its bytes by `name`; ArtifactError when it cannot be run."""
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    # One thread: the same sums on every machine, and no pool that spins beside the editor.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ONLY_FATAL
    source, name = (model, name) if isinstance(model, bytes) else (str(model), str(model))
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public base class
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ArtifactError(f"{name}: onnxruntime refuses it: {reason}; retrain or reinstall") from error


def run_session(session: Any, inputs: NDArray[np.float32] | Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """The single output of a session for its inputs by name, or for its single one."""
    feed = dict(inputs) if isinstance(inputs, Mapping) else {session.get_inputs()[0].name: inputs}
    result: NDArray[np.float32] = session.run(None, feed)[0]
    return result


def _onnxruntime() -> Any:
    """The package, here and not above: commands without a model need not pay for it.

    Since 1.29 its builds tell their maker of every model that is opened (names, sums, the machine) unless the
    environment says no before it is loaded (its Privacy.md). Nothing is told of what hwml's users do.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime
