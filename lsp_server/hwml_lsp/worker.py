"""The process that analyses one language: `python -m hwml_lsp.worker LANGUAGE`, started and stopped by the server.

Reads one JSON object a line and answers with the same. Analysis runs here so that the server's loop is never held up,
so that a document that hangs or breaks the analysis costs a worker and not the session, and so that loading the model
overlaps with the start of the server.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from hwml_sdk.config import Settings, load_settings, merge
from hwml_sdk.document import Analysis, Annotation, Figures, Step, analyze, provider_for, provider_of
from hwml_sdk.errors import ConfigError, HwmlError, SourceError
from hwml_sdk.files import unsaved
from hwml_sdk.history import change, committed, figures
from hwml_sdk.interrupt import Interrupted, interruptible
from hwml_sdk.languages import Language, languages

from .litter import Litter
from .wire import annotation_out, diagnostic_out, fix_out, span_out, symbol_out

log = logging.getLogger("hwml_lsp.worker")
# Two documents that take long leave a thread to the others, each with its share of one processor.
THREADS = 3
RELIEF_S = 0.1  # so that a file which is read quickly is read alone
NICER = 5  # how much the worker beside it gives way to this one and to the server


class TakesLong(Interrupted):
    """The document is one for the other worker."""


class Lane:
    """Documents of the language, the latest first; in the order they came where a process has died of one.

    One is analysed at a time, which is quickest for all of them; those that wait for one that takes long are given
    to a thread beside it. A newer text of a document stops the work on the older one. yields: there is another worker
    for what takes long.
    """

    def __init__(self, send: Callable[[dict[str, Any]], None], *, yields: bool, in_order: bool) -> None:
        self._send = send
        self._yields = yields
        self._in_order = in_order
        self._changed = threading.Condition()
        self._jobs: dict[str, dict[str, Any]] = {}
        self._running: dict[int, float] = {}  # when each was begun
        self._told: dict[str, tuple[int, Analysis]] = {}  # the last whole answer about a document, and of which job
        self._stopped: set[int] = set()
        self._litter = Litter()
        self._end = False

    def put(self, job: dict[str, Any]) -> None:
        """A document to analyse."""
        with self._changed:
            self._jobs.pop(job["uri"], None)
            self._jobs[job["uri"]] = job
            self._changed.notify_all()

    def stop(self, number: int) -> None:
        """Give a job up, wherever it is."""
        with self._changed:
            if number in self._running:
                self._stopped.add(number)
            for uri in [u for u, job in self._jobs.items() if job["id"] == number]:
                del self._jobs[uri]

    def close(self) -> None:
        """Stop after the jobs at hand, which are given up."""
        with self._changed:
            self._end = True
            self._changed.notify_all()

    def run(self) -> None:
        """Work until `close`; called in `THREADS` threads, or in one."""
        while (job := self._next()) is not None:
            self._work(job)
            with self._changed:
                del self._running[job["id"]]
                self._stopped.discard(job["id"])
                self._litter.worked()
                self._changed.notify_all()

    def _next(self) -> dict[str, Any] | None:
        """The next job, once no other is under way or all others have been for long; None at the end."""
        with self._changed:
            while not self._end:
                left = max(self._running.values(), default=-RELIEF_S) + RELIEF_S - time.monotonic()
                if self._jobs and (not self._running or left <= 0):
                    job = self._jobs.pop(next(iter(self._jobs) if self._in_order else reversed(self._jobs)))
                    self._running[job["id"]] = time.monotonic()
                    return job
                idle = not self._jobs and not self._running
                self._changed.wait(left if self._jobs else self._litter.idle() if idle else None)
        return None

    def _unwanted(self, job: dict[str, Any]) -> bool:
        return self._end or job["id"] in self._stopped or job["uri"] in self._jobs

    def _work(self, job: dict[str, Any]) -> None:
        number = job["id"]
        began_s = time.thread_time()

        def is_over() -> bool:
            """Whether to stop. Raises TakesLong where others have waited for it."""
            others = bool(self._jobs) or len(self._running) > 1
            spent = time.thread_time() - began_s
            if self._yields and others and spent > job["turn_s"] and not self._unwanted(job):
                raise TakesLong
            return self._unwanted(job)

        self._send({"id": number, "begun": True})
        try:
            with interruptible(is_over), unsaved(job.get("unsaved") or {}):
                self._analyse(job, began_s)
        except TakesLong:
            self._send({"id": number, "long": True})
        except Interrupted:
            self._send({"id": number, "superseded": True})
        except HwmlError as error:
            self._send({"id": number, "error": str(error), "kind": type(error).__name__})
        except RecursionError:
            self._refuse(job, "is nested too deeply to be analysed; split it")
        except MemoryError:
            self._refuse(job, "needs more memory to be analysed than there is; split it")
        except Exception as error:  # a defect must not take the session with it; the server logs it
            log.exception("analysis failed")
            self._send({"id": number, "error": f"internal error: {error!r}", "kind": "defect"})

    def _refuse(self, job: dict[str, Any], words: str) -> None:
        self._send({"id": job["id"], "error": f"{job['path']}: {words}", "kind": SourceError.__name__})

    def _forget(self) -> None:
        while len(self._told) > MAX_TOLD:
            self._told.pop(next(iter(self._told)), None)

    def _analyse(self, job: dict[str, Any], began_s: float) -> None:
        settings, problems = _settings(job)
        sent: set[tuple[Any, ...]] = set()
        step = None
        base = self._told.get(job["uri"])
        said: dict[str, Any] = {}
        for step in provider_of(job["path"]).steps(job["path"], job["text"], settings, near=job.get("near", 0)):
            if self._unwanted(job):
                raise Interrupted
            anew = {} if sent else {"anew": True}
            said = _again_out(step, base, job.get("whole"), problems) or _step_out(step, sent, problems)
            self._send({"id": job["id"], **anew, **said})
        if step is not None and job.get("since") == "head":
            self._send({"id": job["id"], "changes": _since_head(job, step.analysis, settings)})
        out = {} if step is None else _figures_out(step, said.get("since"))
        self._send({"id": job["id"], "done": True, **out, "took_s": time.thread_time() - began_s})
        if step is not None and step.annotations_done and not step.analysis.faults:
            self._told[job["uri"]] = job["id"], step.analysis
            self._forget()


MAX_TOLD = 64  # documents


def _again_out(
    step: Step, base: tuple[int, Analysis] | None, known: int | None, problems: tuple[str, ...]
) -> dict[str, Any] | None:
    """A step that says only what is new since an answer that the server still has; None where it has another one."""
    if step.again is None or base is None or base[0] != known or base[1] is not step.again.before:
        return None
    part = replace(step.analysis, annotations=step.again.annotations, diagnostics=step.again.diagnostics)
    return {**_step_out(replace(step, analysis=part), set(), problems), "since": known, "lines": step.again.lines}


def _figures_out(step: Step, since: int | None) -> dict[str, Any]:
    """Figures of all functions by name; where the answer is about what is new since another one, of those it names."""
    some = step.again if since is not None else None
    analysis = step.analysis if some is None else replace(step.analysis, annotations=some.annotations)
    told: dict[str, Any] = {"figures": {name: item.known() for name, item in figures(analysis).items()}}
    return told if some is None else {**told, "since": since, "names": sorted(some.names)}


class Worker:
    """Takes the server's lines about documents of one language."""

    def __init__(self, write: Callable[[str], None], language: Language, *, threads: int, yields: bool) -> None:
        self._write = write
        self._gate = threading.Lock()
        self._language = language
        self._threads = threads
        self._lane = Lane(self.send, yields=yields, in_order=threads == 1)

    def send(self, message: dict[str, Any]) -> None:
        """One line to the server."""
        line = json.dumps(message, ensure_ascii=True, separators=(",", ":")) + "\n"
        with self._gate:
            self._write(line)

    def take(self, message: dict[str, Any]) -> None:
        """One line from the server: a document to analyse, a job to give up, or a question to answer at once."""
        op = message.get("op")
        if op == "analyze":
            self._lane.put(message)
        elif op == "cancel":
            self._lane.stop(message["id"])
        elif op in QUESTIONS and op in SLOW:
            threading.Thread(target=self._say, args=(op, message), name=op, daemon=True).start()
        elif op in QUESTIONS:
            self._say(op, message)

    def _say(self, op: str, message: dict[str, Any]) -> None:
        self.send({"id": message["id"], "answer": _answer(QUESTIONS[op], message)})

    def begin(self) -> None:
        """Load what is large before the first document asks for it."""
        threading.Thread(target=self._run, name="analysis", daemon=True).start()

    def _run(self) -> None:
        if self._language.warms_up:
            _warm_up(self._language)
        self.send({"ready": True})
        for number in range(1, self._threads):
            threading.Thread(target=self._lane.run, name=f"analysis {number}", daemon=True).start()
        self._lane.run()

    def close(self) -> None:
        """No more input."""
        self._lane.close()


def _mark(item: Annotation) -> tuple[Any, ...]:
    return item.kind, item.name, item.span, item.label, item.summary, item.detail


def _step_out(step: Step, sent: set[tuple[Any, ...]], problems: tuple[str, ...]) -> dict[str, Any]:
    """What is new since the last step: annotations come on top, or in the place of one; findings replace each other."""
    analysis = step.analysis
    fresh = [item for item in analysis.annotations if _mark(item) not in sent]
    sent.update(_mark(item) for item in fresh)
    out: dict[str, Any] = {
        "language": analysis.language,
        "annotations": [annotation_out(item) for item in fresh],
        "annotations_done": step.annotations_done,
        "faults": analysis.faults,
        "problem": analysis.problem or next(iter(problems), ""),
        "remedy": analysis.remedy,
        "notes": [*problems, *analysis.notes],
        "about": _about(fresh),
    }
    if step.waits_s:
        out["waits_s"] = step.waits_s
    if step.annotations_done:
        out["diagnostics"] = [diagnostic_out(item) for item in analysis.diagnostics]
        out["diagnostics_done"] = step.diagnostics_done
        out["reads"] = analysis.reads
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
_heads_gate = threading.Lock()
MAX_HEADS = 64


def _figures_of(blob: str, path: str, text: str, key: str, settings: Settings) -> dict[str, Figures]:
    mark = (blob, path, key)
    found = _heads.get(mark)
    if found is None:
        found = figures(analyze(path, text, settings))
        with _heads_gate:  # other documents are analysed beside this one
            while len(_heads) >= MAX_HEADS:
                del _heads[next(iter(_heads))]
            _heads[mark] = found
    return found


def _answer(ask: Callable[[dict[str, Any]], Any], message: dict[str, Any]) -> Any:
    """A question about one place; a provider's defect costs the answer (None), not the worker."""
    try:
        return ask(message)
    except Exception:
        log.exception("no answer to %r", message["op"])
        return None


def _complete(message: dict[str, Any]) -> list[list[Any]]:
    items = provider_of(message["path"]).complete(*_place(message))
    return [[i.label, i.kind, i.new_text, i.start, i.end, i.documentation, i.detail, i.deprecated] for i in items]


def _signature(message: dict[str, Any]) -> list[Any] | None:
    found = provider_of(message["path"]).signature(*_place(message))
    return None if found is None else [found.label, found.parts, found.active, found.documentation]


def _hover(message: dict[str, Any]) -> list[Any] | None:
    found = provider_of(message["path"]).hover(*_place(message))
    return None if found is None else [found.text, span_out(found.span)]


def _rewrites(message: dict[str, Any]) -> list[list[Any]]:
    path, text, line, _, settings = _place(message)
    return [fix_out(fix) for fix in provider_of(path).rewrites(path, text, line, settings)]


def _place(message: dict[str, Any]) -> tuple[str, str, int, int, Settings]:
    settings, _ = _settings(message)
    return message["path"], message["text"], message["line"], message["character"], settings


def _outline(message: dict[str, Any]) -> list[list[Any]]:
    path, text, _, _, settings = _place(message)
    return [symbol_out(item) for item in provider_of(path).outline(path, text, settings)]


def _tokens(message: dict[str, Any]) -> list[list[Any]]:
    path, text, _, _, settings = _place(message)
    return [[item.line, item.start, item.length, item.kind] for item in provider_of(path).tokens(path, text, settings)]


def _settings_file(message: dict[str, Any]) -> list[dict[str, Any]]:
    path = message["path"]
    named = [language for language in languages() if Path(path).name in language.settings_files]
    found = [item for language in named for item in provider_for(language).examine_settings(path, message["text"])]
    return [diagnostic_out(item) for item in found]


def _emit(message: dict[str, Any]) -> list[str]:
    path, text, _, _, settings = _place(message)
    try:
        return [provider_of(path).emit(path, text, settings), ""]
    except HwmlError as error:
        return ["", str(error)]


# Questions that take a compiler or many predictions: they must not hold up the others.
SLOW = frozenset(("emit", "rewrites"))
QUESTIONS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "complete": _complete,
    "hover": _hover,
    "signature": _signature,
    "emit": _emit,
    "rewrites": _rewrites,
    "outline": _outline,
    "settings": _settings_file,
    "tokens": _tokens,
}


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


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run until standard input ends. Standard output belongs to the server; whatever else prints goes to stderr."""
    parser = argparse.ArgumentParser(prog="hwml_lsp.worker")
    known = {language.name: language for language in languages()}
    parser.add_argument("language", choices=known)
    parser.add_argument("--one-by-one", action="store_true", help="never analyse two documents at once")
    parser.add_argument("--beside", action="store_true", help="the second worker, for what takes long")
    options = parser.parse_args(argv)
    if options.beside and hasattr(os, "nice"):
        os.nice(NICER)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="hwml worker: %(levelname)s: %(message)s")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def write(line: str) -> None:
        out.write(line)
        out.flush()

    threads = 1 if options.one_by_one else THREADS
    worker = Worker(write, known[options.language], threads=threads, yields=not options.beside)
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
