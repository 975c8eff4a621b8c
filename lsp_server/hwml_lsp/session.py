"""One client's session: open documents, when each is analysed, and who is told of new results."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from hwml_sdk.document import Diagnostic, Fix, Hover, Span
from hwml_sdk.languages import Language
from hwml_sdk.text import Encoding

from . import hover
from .backend import Answer
from .baselines import Baselines
from .client import Client
from .documents import MAX_CHARACTERS, Document, path_of
from .lanes import Lanes
from .named import Model
from .neighbours import is_header, readers, unsaved_headers
from .settings import ClientSettings, read_settings
from .wire import diagnostic_in, fix_in
from .workspace import FILE_S, Workspace

log = logging.getLogger("hwml_lsp.session")
WATCH_DELAY_S = 0.3
SLOW_AFTER_S = 1.5
MAX_CRASHES = 2
FAR_LINES = 100  # about two screens
LEFT_ALONE = "HWML001"
DEFECT = "a defect of hwml ended its check; the server's log says which"


class Session:
    """State of one client. `notify` is told of documents with new results, `say` of what a person should read.

    trusted: the user trusts the folders of the workspace, `roots`, and nothing outside them; model: named by the user.
    """

    def __init__(self, lanes: Lanes, *, trusted: bool = False, model: Model | None = None) -> None:
        self.lanes = lanes
        self.trusted = trusted
        self.model = model or Model()
        self.roots: list[str] = []
        self.client = Client()
        self.encoding: Encoding = "utf-16"
        self.documents: dict[str, Document] = {}
        self.settings: dict[str | None, ClientSettings] = {None: ClientSettings()}
        self.baselines = Baselines()
        self.configured = asyncio.Event()
        self.on_results: Callable[[Document, Answer], None] = lambda _document, _answer: None
        self.on_slow: Callable[[Document], None] = lambda _: None
        self.on_idle: Callable[[Document], None] = lambda _: None
        self.say: Callable[[str, str], None] = lambda _severity, _text: None
        self._jobs: dict[int, Document] = {}
        self._said: set[str] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._stated: Any = None  # what the client sent by itself, which holds where it has no answer
        self._crashes: Counter[tuple[str, int]] = Counter()
        self.workspace = Workspace(self._analyse_beside, self.documents.__contains__)
        self.workspace.settings_for = self.settings_for
        self._left_alone: dict[str, int] = {}  # documents that hang or end the analysis, by the version that does
        lanes.on_answer = self._answer
        lanes.on_lost = self._lost

    # -- what the client does --

    def open(self, uri: str, version: int, text: str) -> Document:
        """A document was opened (or opened again, as some clients do after a rename)."""
        self.close(uri)
        document = Document(uri, version, text, self.encoding)
        document.settings = self.settings_for(uri)
        self.documents[uri] = document
        self._tell_size(document)
        self.schedule(document, 0)
        return document

    def edited(self, document: Document, version: int) -> None:
        """Changes were applied: results of the old text are on their way out."""
        document.version = version
        document.superseded()
        self._tell_size(document)
        delay_s = document.settings.debounce_ms / 1000
        self.schedule(document, delay_s)
        if document.path is not None and is_header(document):
            self.files_changed([document.path], delay_s)

    def close(self, uri: str) -> Document | None:
        """A document was closed; nothing about it is kept."""
        document = self.documents.pop(uri, None)
        if document is not None:
            self._give_up(document)
            document.end()
            self._left_alone.pop(uri, None)
            self.workspace.refresh()
        return document

    def say_once(self, severity: str, text: str) -> None:
        """Tell a person something, the first time only."""
        if text not in self._said:
            self._said.add(text)
            self.say(severity, text)

    def _tell_size(self, document: Document) -> None:
        if document.is_ours and document.is_too_large:
            size = f"{len(document.text.text) / 1e6:.1f} MB"
            limit = f"{MAX_CHARACTERS >> 20} MB"
            self.say_once("info", f"{document.path}: {size}; files over {limit} are left alone")

    # -- settings --

    def take_settings(self, scope: str | None, raw: Any) -> None:
        """Settings of a workspace folder (None: of everything) as the client sent them."""
        settings, problems = read_settings(raw)
        for problem in problems:
            self.say_once("warning", problem)
        self.settings[scope] = settings

    def state_settings(self, raw: Any) -> None:
        """Settings that the client sent without being asked: they hold until it answers otherwise."""
        self._stated = raw
        self.take_settings(None, raw)

    def answer_settings(self, scope: str | None, raw: Any) -> None:
        """The client's answer for a scope; null takes back what was set there."""
        if raw is not None:
            self.take_settings(scope, raw)
        elif scope is None:
            self.take_settings(None, self._stated)
        else:
            self.settings.pop(scope, None)

    def settings_for(self, uri: str) -> ClientSettings:
        """Settings of the innermost workspace folder around a document."""
        around = [s for s in self.settings if s is not None and (uri == s or uri.startswith(s.rstrip("/") + "/"))]
        return self.settings[max(around, key=len) if around else None]

    def apply_settings(self) -> None:
        """Settings have changed: documents whose own did are analysed again."""
        for document in self.documents.values():
            settings = self.settings_for(document.uri)
            if settings != document.settings:
                document.settings = settings
                self._left_alone.pop(document.uri, None)
                document.results.version = -1
                self.schedule(document, 0)
        self.configured.set()

    def files_changed(self, paths: Collection[str], delay_s: float = WATCH_DELAY_S) -> None:
        """Files have changed, on disk or in the editor: documents that read them are analysed again, no others."""
        for document in readers(paths, self.documents.values()):
            self._left_alone.pop(document.uri, None)
            self.schedule(document, delay_s)

    def analyse_all(self) -> None:
        """Something that documents depend on has changed on disk."""
        self._left_alone.clear()
        self.workspace.refresh()
        for document in self.documents.values():
            self.schedule(document, WATCH_DELAY_S)

    # -- analysis --

    def schedule(self, document: Document, delay_s: float) -> None:
        """Analyse a document after a while, unless it changes again before."""
        document.rest()
        if document.is_ours and not document.is_too_large:
            document.timer = asyncio.get_running_loop().call_later(delay_s, self._start, document)

    def _start(self, document: Document) -> None:
        document.timer = None
        if not self.configured.is_set():  # the client's settings are on their way
            document.timer = asyncio.get_running_loop().call_later(0.02, self._start, document)
            return
        self._give_up(document)
        if document.keeper is not None:
            self._examine(document, document.keeper)
        if document.language is None or self._left_alone.get(document.uri) == document.version:
            return
        number = self._send(document)
        asyncio.get_running_loop().call_later(SLOW_AFTER_S, self._look, document, number)

    def _send(self, document: Document) -> int:
        """Have a document analysed as it stands: the number of the job."""
        assert document.language is not None
        number = self.lanes.next_number()
        self._jobs[number] = document
        document.begin(number)
        since = "never" if document.hidden else document.settings.since
        job = {"uri": document.uri, "near": document.near, "since": since, "beside": document.hidden}
        self.lanes.analyze(number, document.language, {**self._about(document), **job, "whole": document.whole_job})
        return number

    def _examine(self, document: Document, keeper: Language) -> None:
        """Look at a settings file as it stands."""
        version = document.version
        document.begin(self.lanes.next_number())
        question = {"path": document.path, "text": document.text.for_sdk()}

        async def ask() -> None:
            try:
                raw, why = (await self.lanes.ask(keeper, "settings", question))["answer"], DEFECT
            except ConnectionError as error:
                raw, why = None, str(error)
            found = [_left_alone(why)] if raw is None else [diagnostic_in(item) for item in raw]
            document.take_findings(found, version)
            self.on_results(document, {"diagnostics": []})

        task = asyncio.ensure_future(ask())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _analyse_beside(self, document: Document) -> bool:
        """Analyse a file that nobody has open, in the worker for what takes long; whether that came to its end."""
        document.hidden = True
        await self.configured.wait()
        if document.language is None or document.language.compiles or document.is_too_large:
            return True
        self._send(document)
        if not await document.wait(document.has_findings, timeout_s=FILE_S):
            self._give_up(document)
        while document.job is not None:  # the figures come with the end
            await document.wait(lambda: False, timeout_s=FILE_S)
        return document.has_findings() and not document.error

    def _about(self, document: Document) -> dict[str, Any]:
        """What a worker is told of a document, whatever it is asked: its text, and what its settings come from."""
        return {
            "path": document.path,
            "text": document.text.for_sdk(),
            "editor": document.settings.analysis,
            "unsaved": unsaved_headers(document, self.documents.values()),
            "vouched": self.roots if self.trusted else [],
        }

    def _look(self, document: Document, number: int) -> None:
        if document.job == number:
            self.on_slow(document)

    def _give_up(self, document: Document) -> None:
        document.rest()
        if document.job is not None:
            self._jobs.pop(document.job, None)
            self.lanes.cancel(document.job)
            document.job = None
            self.on_idle(document)

    def look_at(self, document: Document, line: int) -> None:
        """Where a person looks before anything is known: an analysis that begins far from there begins again."""
        far = abs(document.near - line) > FAR_LINES
        document.near = line
        if far and document.job is not None:
            self.schedule(document, 0)

    def stop(self, document: Document) -> None:
        """The person cancelled the analysis: what is shown stays as it is."""
        self._give_up(document)
        document.end()

    def _answer(self, answer: Answer) -> None:
        document = self._jobs.get(answer.get("id", -1))
        if document is None:
            if answer.get("ready"):
                for item in self.documents.values():
                    self.on_results(item, answer)
            return
        document.take(answer)
        if document.hidden:
            if document.job is None:
                self._jobs.pop(answer["id"], None)
            return
        for note in answer.get("notes", ()):
            self.say_once("log", f"{document.path}: {note}" if document.path not in note else note)
        if "error" in answer:
            self._tell_error(document, answer)
            if document.say_unchecked(_left_alone(answer["error"])):
                answer = {**answer, "diagnostics": []}
        if document.job is None:
            self._jobs.pop(answer["id"], None)
            self.on_idle(document)
        if "figures" in answer or "changes" in answer:
            self._compare(document)
        self.on_results(document, answer)

    def _tell_error(self, document: Document, answer: Answer) -> None:
        if answer.get("kind") == "defect":
            log.error("%s: %s", document.path, answer["error"])
            self.say_once("log", f"hwml: {document.path}: {answer['error']}")
        else:
            self.say_once("error", f"hwml: {answer['error']}")

    def _compare(self, document: Document) -> None:
        """A pinned baseline goes before the last commit."""
        pinned = self.baselines.changes(document.path or "", document.figures)
        if pinned is not None:
            document.results.changes = pinned

    def _lost(
        self, language: Language, reason: str, lost: Collection[int], blamed: Collection[int], hung: bool
    ) -> None:
        """A worker of a language was ended or died: leave alone what is to blame, analyse the rest of `lost` again."""
        log.warning("analysis of %s: %s", language.name, reason)
        documents = {number: self._jobs.pop(number) for number in lost if number in self._jobs}
        for number, document in documents.items():
            document.job = None
            self.on_idle(document)
            if document.hidden:
                document.end()
                continue
            if number in blamed and document.version == document.job_version:
                self._blame(document, reason, hung)
            else:
                document.end()
        if self.lanes.has_given_up(language):
            self.say_once("error", f"hwml: no analysis any more: {reason}; the command hwml.restart starts it again")
            return
        # What a process may have died of comes last: the others must have their turn before it ends the next one.
        shown = [document for document in documents.values() if not document.hidden]
        for document in sorted(shown, key=lambda item: self._crashes[item.uri, item.version]):
            self.schedule(document, 0)

    def restart(self) -> None:
        """New workers, and another try of everything."""
        self._left_alone.clear()
        self.lanes.restart("asked for")
        for document in self.documents.values():
            self.schedule(document, 0)

    def _blame(self, document: Document, reason: str, hung: bool) -> None:
        """A hang is certain; a process may have died of something else, so what it worked on is tried once more."""
        mark = (document.uri, document.version)
        self._crashes[mark] += 1
        if not hung and self._crashes[mark] < MAX_CRASHES:
            document.end()
            return
        del self._crashes[mark]
        self._left_alone[document.uri] = document.version
        self.say_once("warning", f"hwml: {document.path} is left alone until it changes: {reason}")
        document.leave_alone(_left_alone(reason))
        self.on_results(document, {"diagnostics": []})

    # -- baselines --

    def pin(self, uri: str | None) -> str:
        """Pin the figures of a document, or of all; what happened, for a person. HwmlError when it cannot be kept."""
        chosen = [d for d in self.documents.values() if d.figures and d.path and (uri is None or d.uri == uri)]
        if not chosen:
            return "hwml: there are no figures to pin yet"
        try:
            self.baselines.pin({str(d.path): d.figures for d in chosen})
        finally:  # kept for this session at least
            for document in chosen:
                self._compare(document)
                self.on_results(document, {"changes": {}})
        return (
            f"hwml: pinned {len(chosen)} file{'s' if len(chosen) > 1 else ''}; figures are compared with it from now on"
        )

    def unpin(self) -> str:
        """Forget the baseline; documents are compared with the last commit again."""
        self.baselines.clear()
        for document in self.documents.values():
            document.results.changes = {}
            self.schedule(document, 0)
        return "hwml: the baseline is gone; figures are compared with the last commit"

    # -- for the features --

    @property
    def has_overview(self) -> bool:
        """Whether files that are not open may be looked at."""
        return bool(self.roots) and self.settings[None].workspace_files > 0

    def look_at_workspace(self) -> None:
        """Have the files of the workspace analysed that are not open, as many as the settings allow."""
        if self.has_overview:
            self.workspace.start(self.roots, self.settings[None].workspace_files)

    def everything(self) -> list[Document]:
        """Open documents, then what is known of the other files of the workspace."""
        ours = [document for document in self.documents.values() if document.is_ours]
        return ours + [item for uri, item in self.workspace.documents.items() if uri not in self.documents]

    def document(self, uri: str) -> Document | None:
        """An open document that is hwml's business."""
        found = self.documents.get(uri)
        return found if found is not None and found.is_ours else None

    async def hover(self, document: Document, line: int, character: int) -> Hover | None:
        """What is known about a place (code points): an annotation, or what the language says of its own words."""
        found = hover.annotated(document, line, character)
        if found is not None or not self.has_words(document, line):
            return found
        raw = await self.ask("hover", document, line, character)
        return None if raw is None else Hover(raw[0], Span(*raw[1]))

    async def rewrites(self, document: Document, line: int) -> list[Fix]:
        """What the language would change at a line of the present text; kept for the edits to be asked for."""
        language, key = document.language, (document.version, line)
        if language is None or document.is_too_large or self.lanes.has_given_up(language):
            return []
        if key not in document.rewrites:
            raw = await self.ask("rewrites", document, line, 0)
            if document.version != key[0]:
                return []
            kept = {at: fixes for at, fixes in document.rewrites.items() if at[0] == document.version}
            document.rewrites = {**kept, key: [fix_in(item) for item in raw or ()]}
        return document.rewrites[key]

    def has_words(self, document: Document, line: int, *, upto: int | None = None) -> bool:
        """Whether the language may have something to say about a line; upto: only so many of its characters count."""
        language = document.language
        if language is None or document.is_too_large or self.lanes.has_given_up(language):
            return False
        return re.search(language.speaks_in, document.text.line(line)[:upto]) is not None

    async def ask(self, op: str, document: Document, line: int, character: int) -> Any:
        """The worker's answer about a place; None when the worker is lost."""
        language = document.language
        question = {**self._about(document), "line": line, "character": character}
        try:
            return None if language is None else (await self.lanes.ask(language, op, question))["answer"]
        except ConnectionError:
            return None

    def end(self) -> None:
        """The client is leaving."""
        self.workspace.end()
        for uri in list(self.documents):
            self.close(uri)
        self.lanes.close()


def _left_alone(reason: str) -> Diagnostic:
    """The finding of a file that was not looked at to its end: without one it would look as if it had no fault."""
    return Diagnostic(LEFT_ALONE, "warning", f"this file is left alone until it changes: {reason}", Span.line(0))


def folder_paths(uris: Mapping[str, Any] | list[str]) -> list[str]:
    """The folders of the workspace on this machine."""
    return [path for path in map(path_of, uris) if path]
