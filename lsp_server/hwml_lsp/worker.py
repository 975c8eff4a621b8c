"""The process that analyses: `python -m hwml_lsp.worker`, started and stopped by the server.

Reads one JSON object a line and answers with the same. Analysis runs here so that the server's loop is never held up,
so that a document that hangs or breaks the analysis costs a worker and not the session, and so that loading the model
overlaps with the start of the server.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from hwml_sdk.config import Settings, load_settings, merge
from hwml_sdk.document import Analysis, Annotation, Figures, Step, analyze, provider_for, provider_of
from hwml_sdk.errors import ConfigError, HwmlError
from hwml_sdk.history import change, committed, figures
from hwml_sdk.interrupt import Interrupted, interruptible
from hwml_sdk.languages import Language, language_of, languages

from .wire import annotation_out, diagnostic_out, span_out

log = logging.getLogger("hwml_lsp.worker")
COLLECT_AFTER_S = 0.5


class Lane:
    """Documents of one language, analysed one after the other; languages do not wait for each other.

    A newer text of a document stops the work on the older one.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._ready = threading.Condition()
        self._jobs: dict[str, dict[str, Any]] = {}
        self._running: int | None = None
        self._stopped = False
        self._end = False

    def put(self, job: dict[str, Any]) -> None:
        """A document to analyse; the latest one is worked on first."""
        with self._ready:
            self._jobs.pop(job["uri"], None)
            self._jobs[job["uri"]] = job
            self._ready.notify()

    def stop(self, number: int) -> None:
        """Give a job up, wherever it is."""
        with self._ready:
            self._stopped = self._stopped or self._running == number
            for uri in [u for u, job in self._jobs.items() if job["id"] == number]:
                del self._jobs[uri]

    def close(self) -> None:
        """Stop after the job at hand, which is given up."""
        with self._ready:
            self._end = True
            self._ready.notify()

    def run(self) -> None:
        """Work until `close`."""
        collected = time.monotonic()
        while True:
            with self._ready:
                while not self._jobs and not self._end:
                    self._ready.wait()
                if self._end:
                    return
                _, job = self._jobs.popitem()
                self._running, self._stopped = job["id"], False
            self._work(job)
            if not self._jobs or time.monotonic() - collected > COLLECT_AFTER_S:
                gc.collect()  # programs are full of cycles; between jobs nobody waits
                collected = time.monotonic()

    def _unwanted(self, job: dict[str, Any]) -> bool:
        return self._end or self._stopped or job["uri"] in self._jobs

    def _work(self, job: dict[str, Any]) -> None:
        number = job["id"]
        try:
            with interruptible(lambda: self._unwanted(job)):
                self._analyse(job)
        except Interrupted:
            self._send({"id": number, "superseded": True})
        except HwmlError as error:
            self._send({"id": number, "error": str(error), "kind": type(error).__name__})
        except Exception as error:  # a defect must not take the session with it; the server logs it
            log.exception("analysis failed")
            self._send({"id": number, "error": f"internal error: {error!r}", "kind": "defect"})

    def _analyse(self, job: dict[str, Any]) -> None:
        settings, problems = _settings(job)
        sent: set[tuple[Any, ...]] = set()
        step = None
        for step in provider_of(job["path"]).steps(job["path"], job["text"], settings, near=job.get("near", 0)):
            if self._unwanted(job):
                raise Interrupted
            self._send({"id": job["id"], **_step_out(step, sent, problems)})
        if step is not None and job.get("since") == "head":
            self._send({"id": job["id"], "changes": _since_head(job, step.analysis, settings)})
        now = figures(step.analysis) if step is not None else {}
        self._send({"id": job["id"], "done": True, "figures": {name: item.known() for name, item in now.items()}})


class Worker:
    """Takes the server's lines; one lane for each language."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._gate = threading.Lock()
        self._lanes: dict[str | None, Lane] = {}
        self._cold = {language.name for language in languages() if language.warms_up}

    def send(self, message: dict[str, Any]) -> None:
        """One line to the server."""
        line = json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n"
        with self._gate:
            self._write(line)

    def take(self, message: dict[str, Any]) -> None:
        """One line from the server: a document to analyse, a job to give up, or a question to answer at once."""
        op = message.get("op")
        if op == "analyze":
            self._lane(language_of(message["path"])).put(message)
        elif op == "cancel":
            for lane in self._lanes.values():
                lane.stop(message["id"])
        elif op in QUESTIONS:
            self.send({"id": message["id"], "answer": _answer(QUESTIONS[op], message)})

    def _lane(self, language: Language | None) -> Lane:
        name = None if language is None else language.name
        if name not in self._lanes:
            lane = self._lanes[name] = Lane(self.send)
            threading.Thread(target=self._run, args=(lane, language), name=f"analysis {name}", daemon=True).start()
        return self._lanes[name]

    def _run(self, lane: Lane, language: Language | None) -> None:
        if language is not None and language.warms_up:
            _warm_up(language)
            self._cold.discard(language.name)
            if not self._cold:
                self.send({"ready": True})
        lane.run()

    def begin(self) -> None:
        """Load what is large before the first document asks for it."""
        for language in languages():
            if language.warms_up:
                self._lane(language)

    def close(self) -> None:
        """No more input."""
        for lane in self._lanes.values():
            lane.close()


def _mark(item: Annotation) -> tuple[Any, ...]:
    return item.kind, item.name, item.span


def _step_out(step: Step, sent: set[tuple[Any, ...]], problems: tuple[str, ...]) -> dict[str, Any]:
    """What is new since the last step: annotations only ever come on top, findings replace each other."""
    analysis = step.analysis
    fresh = [item for item in analysis.annotations if _mark(item) not in sent]
    sent.update(_mark(item) for item in fresh)
    out: dict[str, Any] = {
        "language": analysis.language,
        "annotations": [annotation_out(item) for item in fresh],
        "annotations_done": step.annotations_done,
        "notes": [*problems, *analysis.notes],
        "about": _about(fresh),
    }
    if step.annotations_done:
        out["diagnostics"] = [diagnostic_out(item) for item in analysis.diagnostics]
        out["diagnostics_done"] = step.diagnostics_done
    return out


def _about(items: Iterable[Annotation]) -> dict[str, Any] | None:
    """Model, part and tool of the figures, for the status bar."""
    return next((item.basis.to_dict() for item in items if item.basis is not None), None)


def _settings(job: dict[str, Any]) -> tuple[Settings, tuple[str, ...]]:
    """Settings of a document; a broken hwml.toml or project file is told, and what stands above it still holds."""
    editor = job.get("editor") or {}
    try:
        return load_settings(job["path"], editor=editor, vouched=job.get("vouched") or ()), ()
    except ConfigError as error:
        return merge(Settings(), editor, origin="editor"), (str(error),)


def _since_head(job: dict[str, Any], analysis: Analysis, settings: Settings) -> dict[str, str]:
    """For each function what moved since the last commit."""
    now = figures(analysis)
    head = committed(job["path"]) if now else None
    if head is None or head.text == job["text"]:
        return {}
    before = _figures_of(head.blob, job["path"], head.text, repr(settings), settings)
    moved = {name: change(before[name], values) for name, values in now.items() if name in before}
    return {name: f"{text} since HEAD" for name, text in moved.items() if text}


_heads: dict[tuple[str, str, str], dict[str, Figures]] = {}
MAX_HEADS = 64


def _figures_of(blob: str, path: str, text: str, key: str, settings: Settings) -> dict[str, Figures]:
    mark = (blob, path, key)
    if mark not in _heads:
        while len(_heads) >= MAX_HEADS:
            del _heads[next(iter(_heads))]
        _heads[mark] = figures(analyze(path, text, settings))
    return _heads[mark]


def _answer(ask: Callable[[dict[str, Any]], Any], message: dict[str, Any]) -> Any:
    """A question about one place; a provider's defect costs the answer, not the worker."""
    try:
        return ask(message)
    except Exception:
        log.exception("no answer to %r", message["op"])
        return None


def _complete(message: dict[str, Any]) -> list[list[Any]]:
    items = provider_of(message["path"]).complete(*_place(message))
    return [[i.label, i.kind, i.new_text, i.start, i.end, i.documentation, i.detail] for i in items]


def _hover(message: dict[str, Any]) -> list[Any] | None:
    found = provider_of(message["path"]).hover(*_place(message))
    return None if found is None else [found.text, span_out(found.span)]


def _place(message: dict[str, Any]) -> tuple[str, str, int, int, Settings]:
    settings, _ = _settings(message)
    return message["path"], message["text"], message["line"], message["character"], settings


QUESTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {"complete": _complete, "hover": _hover}


def _warm_up(language: Language) -> None:
    """Load what every analysis of a language needs; a broken installation is told when a document asks for it."""
    try:
        provider_for(language).warm_up()
    except HwmlError as error:
        log.warning("%s", error)
    except Exception:
        log.exception("%s does not warm up", language.name)
    gc.collect()
    gc.freeze()
    gc.disable()


def main() -> NoReturn:
    """Run until standard input ends. Standard output belongs to the server; whatever else prints goes to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="hwml worker: %(levelname)s: %(message)s")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def write(line: str) -> None:
        out.write(line)
        out.flush()

    worker = Worker(write)
    worker.begin()
    try:
        for line in sys.stdin.buffer:
            worker.take(json.loads(line))
    except KeyboardInterrupt:
        pass
    worker.close()
    os._exit(0)  # the analysis may be deep in native code, which does not survive a normal exit of its thread


if __name__ == "__main__":
    main()
