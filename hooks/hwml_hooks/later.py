"""Answers that take their time: waited for in a thread of their own, so that the next save is answered meanwhile."""

from __future__ import annotations

import _thread
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hwml_sdk.document import Analysis, Step
from hwml_sdk.errors import HwmlError
from hwml_sdk.languages import Language

from .textfile import TextFile


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A text whose last answer is still to come. digest: what tells it from the next save; bare: without our comments.

    steps: what brings the answer; asking it waits. started: when reading the file began, of the monotonic clock.
    """

    path: Path
    language: Language
    file: TextFile
    bare: str
    digest: bytes
    steps: Iterator[Step]
    started: float


class Later:
    """Waits for answers one after the other; those of texts that were saved again meanwhile are not asked for."""

    def __init__(
        self, is_news: Callable[[Unfinished], bool], tell: Callable[[Unfinished, Analysis], None],
        complain: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._is_news, self._tell, self._complain = is_news, tell, complain
        self._waiting: queue.SimpleQueue[Unfinished] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, unfinished: Unfinished) -> None:
        """Wait for one more."""
        self._waiting.put(unfinished)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="later", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            one = self._waiting.get()
            try:
                self._finish(one)
            except BrokenPipeError:  # nobody reads any more
                _thread.interrupt_main()
            except HwmlError as error:
                self._complain(str(error))

    def _finish(self, one: Unfinished) -> None:
        last: Analysis | None = None
        for step in one.steps if self._is_news(one) else ():
            last = step.analysis
        if last is not None and self._is_news(one):
            self._tell(one, last)
