"""The server's side of the worker: start it, hand it documents, pass on answers, replace it when it dies or hangs."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from hwml_sdk.framing import Lines
from hwml_sdk.processes import Child, own_folder, python_command, python_environment

log = logging.getLogger("hwml_lsp.backend")
HANG_AFTER_S = 180.0  # a build server of Chisel may take minutes to start
MAX_RESTARTS = 5  # without an answer in between
Answer = dict[str, Any]


class Backend:
    """One worker process at a time. All methods but `start` belong to the event loop's thread."""

    def __init__(self) -> None:
        self.ready = False
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self.on_lost: Callable[[str], None] = lambda _: None
        self._worker: Child[Answer] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._early: list[Answer] = []
        self._gate = threading.Lock()
        self._number = 0
        self._questions: dict[int, asyncio.Future[Answer]] = {}
        self._since: dict[int, float] = {}
        self._restarts = 0
        self._closed = False
        self._outbox: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()

    def start(self) -> None:
        """Start the process; called before the event loop runs, so that both load at the same time."""
        worker = Child(python_command("hwml_lsp.worker"), Lines(), cwd=own_folder(), env=python_environment())
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

    def next_number(self) -> int:
        """A fresh number for a job."""
        self._number += 1
        return self._number

    def analyze(self, number: int, job: dict[str, Any]) -> None:
        """Have a document analysed; answers come to `on_answer`."""
        self._since[number] = time.monotonic()
        self._send({"op": "analyze", "id": number, **job})

    def cancel(self, number: int) -> None:
        """Nobody waits for this job any more."""
        if self._since.pop(number, None) is not None:
            self._send({"op": "cancel", "id": number})

    async def ask(self, op: str, question: dict[str, Any]) -> Answer:
        """A question with one answer. ConnectionError when the worker is lost."""
        number = self.next_number()
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._questions[number] = future
        self._send({"op": op, "id": number, **question})
        try:
            return await future
        finally:
            self._questions.pop(number, None)

    def restart(self, reason: str) -> None:
        """Replace the worker; `on_lost` has the documents sent again."""
        self._stop()
        self._lost(reason)

    def check_hang(self) -> None:
        """Replace a worker that has been busy with one job for too long. Called now and then."""
        oldest = min(self._since.values(), default=None)
        if self.ready and oldest is not None and time.monotonic() - oldest > HANG_AFTER_S:
            self._restarts += 1
            self.restart(f"an analysis took over {HANG_AFTER_S:.0f} s")

    def close(self) -> None:
        """End for good."""
        self._closed = True
        self._stop()

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
            self._worker = None
            if not self._closed:
                self._restarts += 1
                self._lost(f"it ended with status {answer['_gone']}")
            return
        if answer.get("ready"):
            self.ready = True
        number = answer.get("id", 0)
        question = self._questions.get(number)
        if question is not None:
            if not question.done():
                question.set_result(answer)
            return
        self._restarts = 0
        if any(key in answer for key in ("done", "error", "superseded")):
            self._since.pop(number, None)
        elif number in self._since:
            self._since[number] = time.monotonic()
        self.on_answer(answer)

    def _lost(self, reason: str) -> None:
        self.ready = False
        self._since.clear()
        for future in self._questions.values():
            if not future.done():
                future.set_exception(ConnectionError(reason))
        self._questions.clear()
        if self._restarts < MAX_RESTARTS:
            self.start()
        self.on_lost(reason)

    @property
    def given_up(self) -> bool:
        """No worker is left and none will be started."""
        return self._worker is None


def _write(worker: Child[Answer], outbox: queue.SimpleQueue[Answer | None]) -> None:
    """Feed the worker from a thread of its own: a full pipe must not hold up the event loop."""
    try:
        while (message := outbox.get()) is not None:
            worker.send(message)
    except (OSError, EOFError) as error:
        log.debug("worker does not read: %s", error)  # the reading thread tells that it is gone
    worker.close_input()
