"""Stop work that nobody waits for any more: long computations ask `checkpoint()` now and then whether to go on.

with interruptible(lambda: newer_text_is_here):
    analysis = analyze(path, text, settings)      # raises Interrupted soon after

Ctrl-C is the other way to ask. Python raises KeyboardInterrupt wherever the main thread is, and where that is inside a
library that clears all errors (numpy, while it iterates over strings) or in a callback, it is lost. Programs therefore
note it as well (`noting_ctrl_c`), and `heed_ctrl_c` raises again what was lost.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_stop: ContextVar[Callable[[], bool] | None] = ContextVar("hwml_stop", default=None)
_pressed = threading.Event()


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
    """Raise Interrupted when whoever started this work no longer wants it, KeyboardInterrupt after a lost Ctrl-C.

    Without `interruptible` and `noting_ctrl_c` it does nothing.
    """
    heed_ctrl_c()
    should_stop = _stop.get()
    if should_stop is not None and should_stop():
        raise Interrupted


def heed_ctrl_c() -> None:
    """Raise KeyboardInterrupt in the main thread where one was noted and lost; not while one is on its way already.

    What tidies up on the way out may still write what it has.
    """
    if _pressed.is_set() and threading.current_thread() is threading.main_thread() and not _on_its_way():
        raise KeyboardInterrupt


def answered_ctrl_c() -> None:
    """Say that a Ctrl-C was acted upon: what is written afterwards is not interrupted by the same one once more."""
    _pressed.clear()


def _on_its_way() -> bool:
    """Whether this runs in a `finally`, `except` or `__exit__` that a KeyboardInterrupt passes through."""
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


@contextmanager
def noting_ctrl_c() -> Iterator[None]:
    """Note Ctrl-C in the block, besides raising KeyboardInterrupt as ever.

    Only where Python's own handler is in force, and in the main thread: a SIGINT that whoever started us wants ignored
    stays ignored, and the handler of a program that calls us stays its own.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    hook = sys.unraisablehook

    def quietly(unraisable: UnraisableHookArgs) -> None:
        """Python's words about an exception in a callback; of one that is noted there are none."""
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    _pressed.clear()
    signal.signal(signal.SIGINT, _note)
    sys.unraisablehook = quietly
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = hook
        _pressed.clear()


def _note(number: int, frame: FrameType | None) -> None:
    _pressed.set()
    signal.default_int_handler(number, frame)
