"""The one guard around every program: errors are one line on stderr and an exit code, never a traceback.

Exit codes: 0 clean, 1 findings, 2 bad input or wrong use, 3 refused, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

from .errors import HwmlError
from .interrupt import noting_ctrl_c
from .printable import printable

TRACEBACK = "HWML_TRACEBACK"


def guard(program: str, run: Callable[[], int], *, interrupted: str = "interrupted") -> int:
    """The exit code of `run`; whatever it raises becomes one line that begins with the program's name."""
    _make_output_safe()
    try:
        with noting_ctrl_c():
            code = run()
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk shows here, while it can still be told
    except BrokenPipeError:
        _drop_output()  # `hwml ... | head`: the reader has gone, and wants no words about it
        return 0
    except KeyboardInterrupt:
        return _tell(program, interrupted, 130)
    except HwmlError as error:
        return _tell(program, str(error), error.exit_code)
    except RecursionError:
        return _tell(program, "the input is nested too deeply to be read; split it", 2)
    except MemoryError:
        return _tell(program, "there is not enough memory for this input; name fewer or smaller files", 2)
    except OSError as error:
        _drop_output()
        return _tell(program, f"{error.filename or 'output'}: {error.strerror or error}", 2)
    except Exception as error:  # a fault of hwml: told in one line as well, with where to find the rest
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        return _tell(program, f"internal error: {what}; set {TRACEBACK}=1 and report what it shows", 2)
    return code


def _make_output_safe() -> None:
    """Characters that an output cannot encode (ASCII terminals, broken names) are written out instead of failing.

    A closed standard output takes all and keeps nothing, so that whoever asks it for its kind gets an answer.
    """
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for the rest of the process
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Keep Python from failing once more when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        sys.stdout = None  # closed, or no real file


def _tell(program: str, words: str, code: int) -> int:
    try:
        print(f"{program}: {printable(words)}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        sys.stderr = None  # nobody can be told: the exit code says it
    return code
