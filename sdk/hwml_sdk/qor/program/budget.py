"""How much work one document may cause: counted in steps, so that the same text gives the same answer on any machine.

The limits stand here and nowhere else. The largest of 40,000 designs of data sets (110 KB of text) reads 19,000 nodes
and walks 31,000 expressions; a text that was made to grow stays below about a second and 200 MB. What is over a limit
is left out and said: `Work.reason` is why a figure built on the rest is `?`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...errors import SourceError
from ...interrupt import checkpoint

MACRO_STEPS = 4_000_000  # characters that macro expansion looks at, at 0.2 us
TEXT_CHARACTERS = 500_000  # of a unit after its macros and includes, without blanks: the parser takes each one
READ_STEPS = 50_000  # nodes that are read, at 10 us
OWN_STEPS = 20_000  # of those: kept for the document itself when the headers it includes are over the rest
ESTIMATE_STEPS = 50_000  # expressions that are walked for one top function, at 12 us
TOGETHER_STEPS = 68_000  # nodes that are read and, at 1.5 nodes each, expressions that are walked behind them
LEAST_ESTIMATE_STEPS = 12_000  # of expressions, however much was read
DOCUMENT_STEPS = 500_000  # the same for all top functions of one document together
TOP_STEPS = 200  # what the answer about one top function costs beside its walk
VERIFY_STEPS = 150_000  # nodes that are read again to try the fixes of findings
FILL_STEPS = 60_000  # of running code that fills tables and builds objects, at 5 us
MAX_DEPTH = 200  # of nodes inside one another: what is further inside is left out
MAX_BRANCHES = 150  # of one `switch` or `else if` chain inside one another; further ones are read side by side
CHECKPOINTS = 100  # in all of a budget; a few hundredths of a second apart
TOO_MUCH = "there is more code than is analysed at once: the rest is left out"


def estimate_steps(read: int) -> int:
    """Expressions that may be walked for one top function of a document of which so many nodes were read."""
    return max(min(ESTIMATE_STEPS, (TOGETHER_STEPS - read) * 2 // 3), LEAST_ESTIMATE_STEPS)


@dataclass(slots=True)
class Work:
    """Steps that are left, of those at the start; reason: why something was left out, "" while nothing was."""

    left: int
    reason: str = ""
    start: int = 0
    _asks_at: int = 0  # whether anybody still waits for it

    def __post_init__(self) -> None:
        self.start = self._asks_at = self.left

    @property
    def used(self) -> int:
        """Steps that were taken."""
        return self.start - self.left

    def take(self, steps: int = 1, reason: str = TOO_MUCH) -> bool:
        """Whether there is still work left after `steps` more; from the first refusal on there is a reason."""
        self.left -= steps
        if self.left >= 0:
            if self.left < self._asks_at:
                self._asks_at = self.left - self.start // CHECKPOINTS
                checkpoint()
            return True
        self.leave_out(reason)
        return False

    @contextmanager
    def apart(self, steps: int) -> Iterator[Work]:
        """Meanwhile steps are taken from so many others; that they are used up leaves nothing out of the document."""
        kept = self.left, self.reason, self.start, self._asks_at
        other = Work(steps)
        self.left, self.reason, self.start, self._asks_at = other.left, "", other.start, other._asks_at
        try:
            yield other
        finally:
            other.left, other.reason = self.left, self.reason
            self.left, self.reason, self.start, self._asks_at = kept

    def leave_out(self, reason: str) -> None:
        """Something is left out; the first reason is the one that is told."""
        self.reason = self.reason or reason


@contextmanager
def depth_guard(path: str | Path, what: str = "code") -> Iterator[None]:
    """Code inside code, deeper than the walks go: a SourceError with the file instead of a traceback."""
    try:
        yield
    except RecursionError as error:
        raise SourceError(f"{what} is nested too deeply to be analysed; split it", path=path) from error
