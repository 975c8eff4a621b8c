"""Stop work that nobody waits for any more: long computations ask `checkpoint()` now and then whether to go on.

with interruptible(lambda: newer_text_is_here):
    analysis = analyze(path, text, settings)      # raises Interrupted soon after
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_stop: ContextVar[Callable[[], bool] | None] = ContextVar("hwml_stop", default=None)


class Interrupted(Exception):  # noqa: N818 - it is no error
    """The work was given up on request."""


@contextmanager
def interruptible(should_stop: Callable[[], bool]) -> Iterator[None]:
    """Let `checkpoint` raise Interrupted inside the block once `should_stop()` is true."""
    token = _stop.set(should_stop)
    try:
        yield
    finally:
        _stop.reset(token)


def checkpoint() -> None:
    """Raise Interrupted when whoever started this work no longer wants it; without `interruptible`, do nothing."""
    should_stop = _stop.get()
    if should_stop is not None and should_stop():
        raise Interrupted
