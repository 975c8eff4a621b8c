"""How a sample failed, from how its process ended and what it said: memory, time, no legal schedule, a crash.

Which it was decides what is tried next: a smaller beam, another seed, or nothing.
"""

from __future__ import annotations

import re
import signal
from typing import Literal

from ...executor import Outcome

Kind = Literal["memory", "time", "illegal", "crash", "other"]
_MEMORY = re.compile(
    r"bad_alloc|out of memory|cannot allocate memory|MemoryError|MiB of memory|failed to allocate", re.I
)
# What adams2019 (21.0.0: AutoSchedule.cpp, State.cpp) says when its beam dies out, what Halide says when it lowers a
# schedule that is not legal, and a compiled pipeline when it asks for a buffer of over 2 GiB.
_ILLEGAL = re.compile(
    r"internal error at|ran out of legal states|no legal way to schedule|could not find consumer loop|"
    r"could not compute plausible site|can only (unroll|vectorize) for loops over a constant extent|"
    r"in schedule for .*can't reorder|exceeds the maximum size of|"
    r"schedul\w* .*(illegal|invalid)|(illegal|invalid) .*schedul",
    re.I,
)
_TIME_SIGNALS = tuple(
    int(getattr(signal, name)) for name in ("SIGALRM", "SIGPROF", "SIGXCPU", "SIGVTALRM") if hasattr(signal, name)
)
_LACKING = re.compile(
    r"failed \(status 1\): hwml: ((?:no estimated sizes of|estimate of|no input or output is called) .*)"
)
TOO_LONG = "took too long"
_SIGNAL = re.compile(r"signal (\d+)")


def kind_of(outcome: Outcome) -> Kind:
    """What kind of failure this outcome is."""
    return "time" if outcome.status == "timeout" else kind_of_text(outcome.error)


def kind_of_text(error: str) -> Kind:
    """The kind of a failure told in these words."""
    found = _SIGNAL.search(error)
    number = int(found.group(1)) if found else 0
    if TOO_LONG in error or number in _TIME_SIGNALS:
        return "time"
    # Nobody but the system, short of memory, and somebody's hand end a process with signal 9.
    if _MEMORY.search(error) or number == 9:
        return "memory"
    if _ILLEGAL.search(error):
        return "illegal"
    return "crash" if number else "other"


def lacking(outcome: Outcome) -> str:
    """What the generator lacks whatever the search, such as sizes, as generator_main.cpp says it; empty otherwise."""
    found = _LACKING.search(" ".join(outcome.error.split()))
    return found.group(1) if found else ""


def words(outcome: Outcome) -> str:
    """A failure in one line."""
    error = " ".join(outcome.error.split())
    kind = kind_of(outcome)
    if kind == "time":
        if TOO_LONG in error:
            return error
        doing = error[error.rindex("(") + 1 :].rstrip(")") if "(" in error else error
        return f"{TOO_LONG}: {doing}"
    if kind == "memory":
        return f"ran out of memory (--memory-limit says how much a sample may take): {error}"
    if kind == "illegal":
        return f"no legal schedule: {error}"
    return f"{outcome.status}: {error}"
