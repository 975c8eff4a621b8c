"""numpy of a program on one thread: rows of features are short, and a pool of threads takes longer to start."""

from __future__ import annotations

import os
import sys

_OPENBLAS = "OPENBLAS_NUM_THREADS"  # read by numpy's own OpenBLAS when it is loaded, and not after


def numpy_on_one_thread() -> None:
    """Import numpy so, unless it is there or the environment says how many threads; children are told nothing."""
    if "numpy" in sys.modules or _OPENBLAS in os.environ:
        return
    os.environ[_OPENBLAS] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[_OPENBLAS]
