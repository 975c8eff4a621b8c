"""Time limits that count what a program does, not how long a loaded machine keeps it waiting.

Used time is processor time while any thread of the program (or of its children) is ready to run, and time that passes
while none is: a loop, a sleep and a lock that never opens all come to their limit, waiting for a processor does not.
Where the system does not tell (/proc of Linux), time that passes is what counts.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .processes import kill_group

MOST_WAITING = 30  # a limit is never more than this many times as long by the clock
_TICK_S = 0.1
_PROC = Path("/proc")


class UsedTime:
    """Used time of a process and its children since it was made."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._when = time.monotonic()
        self._processor_s = _processor_s(_family(pid))
        self.seconds = 0.0

    def update(self) -> float:
        """Look again; the used time so far in seconds."""
        now = time.monotonic()
        passed, self._when = now - self._when, now
        family = _family(self._pid)
        processor_s = _processor_s(family)
        worked, self._processor_s = max(0.0, processor_s - self._processor_s), processor_s
        self.seconds += min(worked, passed) if _ready(family) else passed
        return self.seconds

    def end(self) -> None:
        """Add what has passed since the last look, which is a tick at most: another look would cost more."""
        self.seconds += min(time.monotonic() - self._when, _TICK_S)


@contextmanager
def killed_after_use(process: subprocess.Popen[bytes], timeout_s: float) -> Iterator[Limit]:
    """Kill a process (and its group) at a limit of used time, which ends every blocking read and write."""
    limit = Limit(process, timeout_s)
    try:
        yield limit
    finally:
        limit.end()


class Limit:
    """Watches one process."""

    def __init__(self, process: subprocess.Popen[bytes], timeout_s: float) -> None:
        self._process = process
        self._timeout_s = timeout_s
        self._used = UsedTime(process.pid)
        self._over = threading.Event()
        self._passed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="limit", daemon=True)
        self._thread.start()

    @property
    def passed(self) -> bool:
        """Whether the process was killed at the limit."""
        return self._passed.is_set()

    @property
    def used_s(self) -> float:
        """Used time so far, a tick more or less."""
        return self._used.seconds

    def _watch(self) -> None:
        last = time.monotonic() + MOST_WAITING * self._timeout_s
        while not self._over.wait(min(_TICK_S, max(0.001, self._timeout_s - self._used.seconds))):
            if self._used.update() >= self._timeout_s or time.monotonic() > last:
                self._passed.set()
                kill_group(self._process)
                return

    def end(self) -> None:
        """The process has done what was asked of it."""
        self._over.set()
        self._thread.join()
        self._used.end()


def _family(pid: int) -> list[int]:
    """The process and what its first thread started, and so on, as far as that still runs."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        with suppress(OSError, ValueError):
            waiting += map(int, (_PROC / str(current) / "task" / str(current) / "children").read_text().split())
    return found


def _processor_s(family: list[int]) -> float:
    """Processor time of processes in seconds; 0 where the system does not tell."""
    ticks = 0
    for pid in family:
        with suppress(OSError, ValueError, IndexError):  # it has just ended
            words = _stat(_PROC / str(pid))
            ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _ready(family: list[int]) -> bool:
    """Whether a thread of theirs runs, or would if there were a processor for it."""
    for pid in family:
        with suppress(OSError, IndexError):
            if any(_stat(task)[0] in "RD" for task in (_PROC / str(pid) / "task").iterdir()):
                return True
    return False


def _stat(folder: Path) -> list[str]:
    """Fields of `stat` behind the name, which may hold blanks: state first (proc_pid_stat(5), from field 3)."""
    return (folder / "stat").read_text().rpartition(")")[2].split()
