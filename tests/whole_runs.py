"""Runs that are killed: real child processes, ended with SIGKILL after a random part of the time that a whole one takes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest


def start(argv: Sequence[str], **more: str) -> subprocess.Popen[bytes]:
    """A run of its own group, without output."""
    return subprocess.Popen(
        [sys.executable, "-P", *argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, **more},
    )  # fmt: skip


def whole(argv: Sequence[str], **more: str) -> float:
    """Run to the end; the seconds it took."""
    begin = time.monotonic()
    assert start(argv, **more).wait(280) == 0
    return time.monotonic() - begin


def kill_at_random(argv: Sequence[str], count: int, longest_s: float, seed: int, **more: str) -> Iterator[int]:
    """Kill `count` runs, each after a random time; yields after each kill how many came before the run's end."""
    moments = random.Random(seed)
    met = 0
    for _ in range(count):
        run = start(argv, **more)
        try:
            run.wait(moments.uniform(0, longest_s))
        except subprocess.TimeoutExpired:
            met += 1
        os.killpg(run.pid, signal.SIGKILL)
        run.wait(60)
        yield met


def leftovers(*folders: Path) -> list[str]:
    """What only a run that was killed leaves."""
    return [str(path) for folder in folders if folder.exists() for path in folder.rglob(".hwml-*")]


def needs_posix() -> None:
    """Skip where processes cannot be killed so."""
    if sys.platform == "win32":
        pytest.skip("needs SIGKILL")
