"""Runs that are killed: real child processes, ended with SIGKILL at a step of their writing or at a random moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

# Counts what a run does to half-made files, and kills it at step N of that; then runs CODE.
_AT_STEP = """
import os, signal, sys
left = int(sys.argv.pop(1))
def count(event, arguments):
    global left
    if event == "open" or event.startswith(("os.", "shutil.")):
        named = any(".hwml-" in str(argument) for argument in arguments)
        left -= named
        if named and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
"""
COMMAND = "from hwml_sdk.cli import main; sys.exit(main())"


def run(code: str, *arguments: str, step: int | None = None, env: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
    """A child that runs `code` with arguments, in a group of its own; killed at the given step of its writing."""
    text = ("import sys\n" if step is None else _AT_STEP) + code
    argv = [sys.executable, "-P", "-c", text, *([] if step is None else [str(step)]), *arguments]
    return subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, env={**os.environ, **env}
    )


def killed_at_each_step(code: str, arguments: Sequence[str], before: Callable[[], object]) -> Iterator[int]:
    """Runs that were killed one step later each, until one comes to its end; `before` each of them."""
    for step in range(1, 200):
        before()
        code_of_exit = run(code, *arguments, step=step).wait(120)
        if code_of_exit != -signal.SIGKILL:
            assert code_of_exit == 0
            return
        yield step
    raise AssertionError("200 steps, and no end")


def killed_at_random(
    code: str,
    arguments: Sequence[str],
    count: int,
    seed: int,
    apart: Sequence[str] = (),
    env: Mapping[str, str] = {},
) -> Iterator[bool]:
    """Kill `count` runs after a random part of the time that a whole one takes; yields whether it met a running one.

    apart: arguments of the whole one that is timed first, where it must not touch what the others write.
    """
    begin = time.monotonic()
    assert run(code, *(apart or arguments), env=env).wait(280) == 0
    whole_s = time.monotonic() - begin
    moments = random.Random(seed)
    for _ in range(count):
        child = run(code, *arguments, env=env)
        try:
            begin = time.monotonic()
            child.wait(moments.uniform(0.3, 1.05) * whole_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(60)
            yield True
        else:
            whole_s = time.monotonic() - begin  # the machine may have been busier when the first one was timed
            yield False


def leftovers(*folders: Path) -> list[str]:
    """What only a run that was killed leaves."""
    return [str(path) for folder in folders if folder.exists() for path in folder.rglob(".hwml-*")]
