"""How tests wait: for an event, with a limit that only a hang reaches. No test asks how fast a machine is."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")
PATIENCE_S = 120.0
"""a minute is an age for all that is waited for; twice that on a slow machine that does much else"""


def wait_for(condition: Callable[[], Found], what: str, *, patience_s: float = PATIENCE_S) -> Found:
    """Ask again and again until the condition is true of something, and return that. AssertionError past the limit."""
    limit = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < limit, f"waited {patience_s:g} s for {what}"
        time.sleep(0.02)
    return found


def interruptible() -> None:
    """For `preexec_fn`: have Ctrl-C end a child also where this process, started behind a shell's back, ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for its parent to take note (Linux)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return status.rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
