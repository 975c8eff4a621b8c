"""Limits of used time: what works, sleeps or waits for a processor, told apart by what the kernel counts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hwml_sdk.processes import start
from hwml_sdk.usage import killed_after_use

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="/proc of Linux tells it")
_LOOP = "while True: pass"


def _processor_s() -> float:
    """Of children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _killed(code: str, limit_s: float) -> float:
    """Processor time in seconds that the limit let a program have."""
    before = _processor_s()
    process = start([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    with killed_after_use(process, limit_s) as limit:
        process.wait()
    assert limit.passed
    return _processor_s() - before


def test_a_loop_has_its_time() -> None:
    assert _killed(_LOOP, 0.4) >= 0.3


def test_sleep_counts_as_well() -> None:
    assert _killed("import time; time.sleep(600)", 0.4) < 0.3


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="no idle class")
def test_waiting_for_a_processor_does_not_count() -> None:
    """Behind a neighbour on the same processor it gets next to nothing, and still has all of its time."""
    processor = min(os.sched_getaffinity(0))
    pinned = f"import os; os.sched_setaffinity(0, {{{processor}}})\n"
    neighbour = start([sys.executable, "-c", pinned + _LOOP])
    ender = threading.Timer(2.0, neighbour.kill)
    ender.start()
    try:
        idle = f"{pinned}os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\n"
        assert _killed(idle + _LOOP, 0.5) >= 0.4
    finally:
        ender.cancel()
        neighbour.kill()
        neighbour.wait()


def test_what_ends_in_time_is_left_alone() -> None:
    process = start([sys.executable, "-c", "pass"])
    with killed_after_use(process, 60) as limit:
        assert process.wait() == 0
    assert not limit.passed and limit.used_s < 60
