"""The server's side of one lane: start its worker, hand it documents, pass on answers, replace it when it hangs."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Collection
from typing import Any

from hwml_sdk.errors import ToolFailedError
from hwml_sdk.framing import Lines
from hwml_sdk.languages import Language
from hwml_sdk.processes import Child, own_folder, python_command, python_environment

log = logging.getLogger("hwml_lsp.backend")
MAX_RESTARTS = 5  # without an analysis in between
PATIENCES = 3  # what goes on saying something new may take so many times as long as what says nothing
ENDS = ("done", "error", "superseded", "long")
Answer = dict[str, Any]


class Backend:
    """A worker process of one language, one at a time. All but `start` belongs to the event loop's thread.

    beside: it is the second one of its lane.
    on_lost hears why the process is gone, the numbers of the analyses that are to blame (the one that hung, or those
    that were under way in a process that died), and whether it hung.
    """

    def __init__(self, language: Language, *, beside: bool = False) -> None:
        self.ready = False
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self.on_lost: Callable[[str, Collection[int], bool], None] = lambda _reason, _numbers, _hung: None
        self._language = language
        self._beside = beside
        self._worker: Child[Answer] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[Answer] = []
        self._gate = threading.Lock()
        self._questions: dict[int, asyncio.Future[Answer]] = {}
        self._sent: set[int] = set()
        self._watched: dict[int, asyncio.TimerHandle] = {}  # analyses under way, with the end of their patience
        self._ends: dict[int, float] = {}  # and when all patience is over
        self._restarts = 0
        self._careful = False
        self._closed = False
        self._outbox: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the process; called before the event loop runs, so that both load at the same time."""
        chosen = {"--one-by-one": self._careful, "--beside": self._beside}
        arguments = [self._language.name, *(option for option, is_set in chosen.items() if is_set)]
        command = python_command("hwml_lsp.worker", *arguments)
        try:
            worker = Child(command, Lines(), cwd=own_folder(), env=python_environment())
        except ToolFailedError as error:
            log.error("%s", error)
            return
        self._worker = worker
        self._outbox = queue.SimpleQueue()
        threading.Thread(target=self._read, args=(worker,), name="worker answers", daemon=True).start()
        threading.Thread(target=_write, args=(worker, self._outbox), name="worker questions", daemon=True).start()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver answers on this loop from now on."""
        with self._gate:
            self._loop = loop
            early, self._early = self._early, []
        for answer in early:
            self._take(answer)

    @property
    def pid(self) -> int | None:
        """Of the worker."""
        return self._worker.pid if self._worker is not None else None

    @property
    def given_up(self) -> bool:
        """No worker is left and none will be started."""
        return self._worker is None

    def analyze(self, number: int, job: dict[str, Any]) -> None:
        """Have a document analysed; answers come to `on_answer`."""
        self._sent.add(number)
        self._send({"op": "analyze", "id": number, **job})

    def cancel(self, number: int) -> None:
        """Nobody waits for this job any more; one under way is still watched, for it may not hear of it."""
        if number in self._sent:
            self._sent.discard(number)
            self._send({"op": "cancel", "id": number})

    async def ask(self, number: int, op: str, question: dict[str, Any]) -> Answer:
        """A question with one answer. ConnectionError when the worker is lost, or too slow even for an analysis."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._questions[number] = future
        self._send({"op": op, "id": number, **question})
        try:
            return await asyncio.wait_for(future, self._language.patience_s)
        except TimeoutError as error:
            if self.ready:
                self._hangs((), self._language.patience_s)
            raise ConnectionError("no answer") from error
        finally:
            self._questions.pop(number, None)

    def restart(self, reason: str) -> None:
        """Replace the worker; `on_lost` has the documents sent again."""
        self._restarts = 0
        self._careful = False
        self._stop()
        self._lost(reason, (), hung=False)

    def close(self) -> None:
        """End for good."""
        self._closed = True
        self._stop()
        self._forget()

    # -- inside --

    def _stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._outbox.put(None)
        worker.end_now()

    def _send(self, message: dict[str, Any]) -> None:
        self._outbox.put(message)

    def _read(self, worker: Child[Answer]) -> None:
        try:
            while (answer := worker.receive()) is not None:
                self._deliver({**answer, "_pid": worker.pid})
        except (OSError, EOFError, ValueError) as error:
            log.debug("the worker's last words: %s", error)  # it was killed in the middle of a line
        code = worker.wait()
        self._deliver({"_gone": code, "_pid": worker.pid})

    def _deliver(self, answer: Answer) -> None:
        with self._gate:
            loop = self._loop
            if loop is None:
                self._early.append(answer)
                return
        try:
            loop.call_soon_threadsafe(self._take, answer)
        except RuntimeError as error:
            log.debug("answer after the end: %s", error)  # the loop is closed: the server is going down

    def _take(self, answer: Answer) -> None:
        if answer.pop("_pid") != self.pid:
            return  # of a worker that was replaced
        if "_gone" in answer:
            self._died(answer["_gone"])
            return
        if answer.get("ready"):
            self.ready = True
        number = answer.get("id", 0)
        question = self._questions.get(number)
        if question is not None:
            if not question.done():
                question.set_result(answer)
            return
        if "answer" in answer:
            return  # nobody waits for it any more
        if number:
            self._watch(number, over=any(key in answer for key in ENDS), waits_s=answer.get("waits_s", 0.0))
        if "begun" not in answer:
            self.on_answer(answer)

    def _watch(self, number: int, *, over: bool, waits_s: float) -> None:
        """A sign of life of an analysis: its patience starts anew as far as it has any left, or is over with it.

        waits_s: it waits for another process from now on, so long at most.
        """
        timer = self._watched.pop(number, None)
        if timer is not None:
            timer.cancel()
        if over:
            self._restarts = 0  # not before: every worker begins, also one that dies of whatever it is given
            self._sent.discard(number)
            self._ends.pop(number, None)
            return
        loop = asyncio.get_running_loop()
        patience_s = max(self._language.patience_s, waits_s)
        if waits_s:
            self._ends[number] = loop.time() + waits_s
        end = self._ends.setdefault(number, loop.time() + PATIENCES * patience_s)
        at = min(loop.time() + patience_s, end)
        took_s = waits_s or (patience_s if at < end else PATIENCES * patience_s)
        self._watched[number] = loop.call_at(at, self._hangs, (number,), took_s)

    def _hangs(self, numbers: Collection[int], after_s: float) -> None:
        """Only the process can be ended, not what runs in it: the other documents are sent to the next one.

        Of several under way one may have kept the others from going on (a regular expression gives no other thread a
        turn), and they would be blamed for it: then nobody is yet, and the next process takes one after the other.
        """
        if len(self._watched) > 1 and not self._careful:
            self._careful, numbers = True, ()
        self._stop()
        self._lost(f"it had not ended after {after_s:g} s", numbers, hung=True)

    def _died(self, code: int) -> None:
        self._worker = None
        if self._closed:
            return
        self._restarts += 1
        self._careful = True  # among several that run at once, the one that ends the process would not be known
        self._lost(f"it ended the analysis with status {code}", tuple(self._watched), hung=False)

    def _forget(self) -> None:
        self.ready = False
        self._sent.clear()
        for timer in self._watched.values():
            timer.cancel()
        self._watched.clear()
        self._ends.clear()

    def _lost(self, reason: str, blamed: Collection[int], *, hung: bool) -> None:
        self._forget()
        for future in self._questions.values():
            if not future.done():
                future.set_exception(ConnectionError(reason))
        self._questions.clear()
        if self._restarts < MAX_RESTARTS:
            self.start()
        self.on_lost(reason, blamed, hung)


def _write(worker: Child[Answer], outbox: queue.SimpleQueue[Answer | None]) -> None:
    """Feed the worker from a thread of its own: a full pipe must not hold up the event loop."""
    try:
        while (message := outbox.get()) is not None:
            worker.send(message)
    except (OSError, EOFError) as error:
        log.debug("worker does not read: %s", error)  # the reading thread tells that it is gone
    worker.close_input()
