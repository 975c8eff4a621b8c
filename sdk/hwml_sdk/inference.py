"""Models in ONNX, opened and run in one way: on one thread, silently, with an error that says what to do.

They may be somebody else's: operators are those of hwml's own models (`onnx_file`), and the memory of all is bounded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ArtifactError
from .files import read_bytes
from .onnx_file import refusal

MAX_MODEL_BYTES = 512 * 1024 * 1024
MEMORY_BYTES = 256 * 1024 * 1024  # of weights and tensors of all models together; those of hwml take 10 MB
_AS_MUCH_AS_ASKED = 1  # of onnxruntime's ways to let an arena grow; the other doubles it
_ONLY_FATAL = 4  # of onnxruntime's severities: what it refuses it says in its exception, and stderr is for our one line


def open_session(model: Path | bytes, name: str = "model") -> Any:
    """An onnxruntime session of a file, or of its bytes by `name`; ArtifactError when it cannot be run."""
    if isinstance(model, Path):
        name = str(model)
        try:
            model = read_bytes(model, max_bytes=MAX_MODEL_BYTES)
        except OSError as error:
            raise ArtifactError(f"{name}: cannot read: {error.strerror or error}") from error
    words = refusal(model)
    if words:
        raise ArtifactError(f"{name}: {words}; retrain or reinstall")
    onnxruntime = _onnxruntime()
    options = onnxruntime.SessionOptions()
    # One thread: the same sums on every machine, and no pool that spins beside the editor.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _ONLY_FATAL
    options.add_session_config_entry("session.use_env_allocators", "1")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no public base class
        raise ArtifactError(f"{name}: onnxruntime refuses it: {_reason(error)}; retrain or reinstall") from error


def run_session(session: Any, inputs: NDArray[np.float32] | Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """The single output of a session for its inputs by name, or for its single one.

    Raises ArtifactError where the inputs do not fit or the tensors take more memory than models may.
    """
    feed = dict(inputs) if isinstance(inputs, Mapping) else {session.get_inputs()[0].name: inputs}
    try:
        result: NDArray[np.float32] = session.run(None, feed)[0]
    except Exception as error:  # onnxruntime's errors share no public base class
        raise ArtifactError(f"the model cannot be run: {_reason(error)}; retrain or reinstall") from error
    return result


def _reason(error: Exception) -> str:
    """The end of what onnxruntime says is what happened, in front of it are places in its source."""
    return (str(error) or type(error).__name__).splitlines()[0].rpartition("Status Message: ")[2]


@cache
def _onnxruntime() -> Any:
    """The package, here and not above: commands without a model need not pay for it.

    Since 1.29 its builds tell their maker of every model that is opened (names, sums, the machine) unless the
    environment says no before it is loaded (its Privacy.md). Nothing is told of what hwml's users do.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    # Without this each session takes what its tensors ask for, and numbers in a file decide what that is.
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    bounds = onnxruntime.OrtArenaCfg({"max_mem": MEMORY_BYTES, "arena_extend_strategy": _AS_MUCH_AS_ASKED})
    onnxruntime.create_and_register_allocator(place, bounds)
    return onnxruntime
