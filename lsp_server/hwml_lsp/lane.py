"""One language's workers: one for every document, and one beside it for those that others would have to wait for.

The first worker gives up a document that takes long as soon as another one waits; it goes on in the second worker,
which is started then, and is analysed there from now on until it is quick again. What a document took the last time
says how long it is waited for: who edits a file of a few hundred lines is not sent away because of a larger neighbour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from hwml_sdk.languages import Language

from .backend import Answer, Backend

# Of processor time: what takes longer is given up to the second worker while others wait.
TURN_S = 0.1
QUICK_S = 0.4  # of processor time: a document that takes no more is one for the first worker
MARGIN = 1.5  # how much more than the last time a document may take before it counts as one that takes long
IDLE_S = 60.0  # how long the second worker is kept without work


class Lane:
    """The workers of one language. `on_lost`: why, the analyses it had, those to blame, whether it hung."""

    def __init__(self, language: Language) -> None:
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self.on_lost: Callable[[str, Collection[int], Collection[int], bool], None] = lambda *_: None
        self._language = language
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quick = self._worker(beside=False)
        self._beside: Backend | None = None
        self._jobs: dict[int, dict[str, Any]] = {}
        self._homes: dict[int, Backend] = {}
        self._long: set[str] = set()  # documents of the second worker
        self._took_s: dict[str, float] = {}  # of processor time, of documents that were quick the last time
        self._rest: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the first worker."""
        self._quick.start()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver answers on this loop from now on."""
        self._loop = loop
        self._quick.attach(loop)

    @property
    def ready(self) -> bool:
        """Whether the first worker is loaded."""
        return self._quick.ready

    @property
    def given_up(self) -> bool:
        """Whether a worker died too often to be started again."""
        return any(worker.given_up for worker in self._workers())

    def analyze(self, number: int, job: dict[str, Any]) -> None:
        """Have a document analysed, one that can wait (`beside`) in the second worker; answers come to `on_answer`."""
        self._jobs[number] = {**job, "turn_s": MARGIN * self._took_s.get(job["uri"], 0.0) or TURN_S}
        self._give(number, self._second() if job.get("beside") or job["uri"] in self._long else self._quick)

    def cancel(self, number: int) -> None:
        """Nobody waits for this job any more."""
        if self._jobs.pop(number, None) is not None:
            self._homes.pop(number).cancel(number)
            self._rest_later()

    async def ask(self, number: int, op: str, question: dict[str, Any]) -> Answer:
        """A question with one answer. ConnectionError when the worker is lost."""
        return await self._quick.ask(number, op, question)

    def restart(self, reason: str) -> None:
        """Replace the workers; the second one comes back when it is needed."""
        second = self._beside
        self._close_second()
        if second is not None:
            self._lost(second, reason, (), hung=False)
        self._quick.restart(reason)

    def close(self) -> None:
        """End for good."""
        self._close_second()
        self._quick.close()

    # -- inside --

    def _worker(self, *, beside: bool) -> Backend:
        worker = Backend(self._language, beside=beside)
        worker.on_answer = lambda answer: self._take(worker, answer)
        worker.on_lost = lambda *loss: self._lost(worker, *loss)
        return worker

    def _workers(self) -> list[Backend]:
        return [self._quick] if self._beside is None else [self._quick, self._beside]

    def _second(self) -> Backend:
        if self._beside is None:
            self._beside = self._worker(beside=True)
            if self._loop is not None:
                self._beside.attach(self._loop)
            self._beside.start()
        return self._beside

    def _give(self, number: int, worker: Backend) -> None:
        self._homes[number] = worker
        worker.analyze(number, self._jobs[number])

    def _take(self, worker: Backend, answer: Answer) -> None:
        number = answer.get("id", 0)
        job = self._jobs.get(number)
        if job is not None and "long" in answer:
            self._long.add(job["uri"])
            self._give(number, self._second())
            return
        if job is not None and any(key in answer for key in ("done", "error", "superseded")):
            if "took_s" in answer:
                self._remember(job["uri"], answer["took_s"])
            del self._jobs[number], self._homes[number]
            self._rest_later()
        if number or worker is self._quick:  # that the second one is ready, too, is nobody's concern
            self.on_answer(answer)

    def _remember(self, uri: str, took_s: float) -> None:
        if took_s < QUICK_S:
            self._long.discard(uri)
            self._took_s[uri] = max(took_s, TURN_S)
        else:
            self._took_s.pop(uri, None)

    def _lost(self, worker: Backend, reason: str, blamed: Collection[int], hung: bool) -> None:
        lost = [number for number, home in self._homes.items() if home is worker]
        for number in lost:
            del self._jobs[number], self._homes[number]
        self.on_lost(reason, lost, blamed, hung)

    def _rest_later(self) -> None:
        if self._beside is None or self._loop is None or self._beside in self._homes.values():
            return
        if self._rest is not None:
            self._rest.cancel()
        self._rest = self._loop.call_later(IDLE_S, self._rest_now)

    def _rest_now(self) -> None:
        if self._beside not in self._homes.values():
            self._close_second()

    def _close_second(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        worker, self._beside, self._rest = self._beside, None, None
        self._long.clear()
        if worker is not None:
            worker.close()
