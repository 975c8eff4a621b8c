"""Open documents: their text, the last results moved to where they belong now, and which analysis is under way."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any
from urllib.parse import unquote, urlsplit

from hwml_sdk.document import Annotation, Diagnostic, Figures, Fix
from hwml_sdk.languages import Language, language_of, languages
from hwml_sdk.text import Encoding, common_start

from .baselines import figures_in
from .kept import merged
from .moved import move_annotations, move_diagnostic
from .settings import ClientSettings
from .text import Change, Text
from .wire import annotation_in, diagnostic_in

MAX_CHARACTERS = 2 * 1024 * 1024  # of what is analysed; larger files are left alone


def path_of(uri: str) -> str | None:
    """The path of a file on this machine; None for every other kind of address, and for what is none."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        return None
    path = unquote(parts.path)
    if "\0" in path or not path:
        return None
    if len(path) > 2 and path[0] == "/" and path[2] == ":":  # /C:/...
        path = path[1:]
    return path


def is_source(path: str) -> bool:
    """Whether a file is one of a language, and no settings or project file."""
    return keeper_of(path) is None and language_of(path) is not None


def keeper_of(path: str | None) -> Language | None:
    """The language whose settings a file holds; None for every other file."""
    name = "" if path is None else path.replace("\\", "/").rpartition("/")[2]
    return next((language for language in languages() if name in language.settings_files), None)


@dataclass(slots=True)
class Results:
    """What is shown. `version` is the text it was computed for; spans are moved to the document's version.

    faults: in how many places the last text could not be read that was no worse than the one before; None at first.
    """

    version: int = -1
    faults: int | None = None
    annotations: list[Annotation] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    diagnostics_version: int = -1
    changes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A complete answer at the places of the text it is about, for the next one that says only what is new since."""

    job: int
    annotations: tuple[Annotation, ...]
    diagnostics: tuple[Diagnostic, ...]

    def without(self, lines: Sequence[tuple[int, int]]) -> tuple[list[Annotation], list[Diagnostic]]:
        """What stands on none of these lines (first, end)."""
        starts = [first for first, _ in lines]

        def stays(line: int) -> bool:
            index = bisect_right(starts, line) - 1
            return index < 0 or line >= lines[index][1]

        labels = [item for item in self.annotations if stays(item.span.start_line)]
        return labels, [item for item in self.diagnostics if stays(item.span.start_line)]


def _place(item: Annotation) -> tuple[int, int, int, int]:
    span = item.span  # numbers, which are compared more quickly than spans are
    return span.start_line, span.start_character, span.end_line, span.end_character


class Document:
    """One open document."""

    def __init__(self, uri: str, version: int, text: str, encoding: Encoding) -> None:
        self.uri = uri
        self.path = path_of(uri)
        self.language: Language | None = None if self.path is None else language_of(self.path)
        self.keeper = keeper_of(self.path)
        self.version = version
        self.text = Text(text, encoding)
        self.results = Results()
        self.settings = ClientSettings()
        self.job: int | None = None
        self.job_version = -1
        self.timer: asyncio.TimerHandle | None = None
        self.near = 0
        self.about: Mapping[str, Any] = {}
        self.figures: Mapping[str, Figures] = {}
        self._whole_figures: tuple[int, Mapping[str, Figures]] = (-1, {})  # of which job
        self.error = ""
        self.analysed = False
        self.rewrites: dict[tuple[int, int], list[Fix]] = {}  # by version and line, those of one version
        self.hidden = False  # nobody has it open
        self.reads: frozenset[str] = frozenset()  # files its analysis has read
        self.whole: Whole | None = None
        self._fresh: list[Annotation] = []  # of the analysis under way, at its version
        self._since: list[Change] = []  # changes after the version under analysis
        self._waiting: list[tuple[asyncio.Future[None], Callable[[], bool]]] = []

    @property
    def is_ours(self) -> bool:
        """Whether hwml may have something to say about it: a source of a language, or a file of its settings."""
        return self.language is not None or self.keeper is not None

    @property
    def is_too_large(self) -> bool:
        """Whether it is left alone because of its size."""
        return len(self.text.text) > MAX_CHARACTERS

    @property
    def is_current(self) -> bool:
        """Whether the annotations are of the text as it stands."""
        return self.results.version == self.version

    @property
    def has_diagnostics(self) -> bool:
        """Whether the findings are of the text as it stands."""
        return self.results.diagnostics_version == self.version

    # -- changes of the text --

    def change(self, begin: tuple[int, int], end: tuple[int, int], new_text: str) -> None:
        """Replace a range (client positions); results move with the text, figures of what was touched are stale."""
        self.text, change = self.text.replaced(begin, end, new_text)
        self._moved(change)

    def replace_all(self, text: str) -> None:
        """A new text as a whole: lines that are in both keep what stands on them."""
        pieces = line_changes(self.text.text, text)
        for begin, end, new_text in pieces or ():
            self.change(begin, end, new_text)
        if pieces is None or self.text.text != text:
            self._replace_middle(text)

    def _replace_middle(self, text: str) -> None:
        """Only what stands before the first and after the last difference is kept."""
        old = self.text.text
        start = common_start(old, text)
        tail = min(common_start(old[::-1], text[::-1]), len(old) - start, len(text) - start)
        begin, end = self.text.place(start), self.text.place(len(old) - tail)
        self.text, change = self.text.replaced(
            self.text.to_units(*begin), self.text.to_units(*end), text[start : len(text) - tail]
        )
        if self.text.text != text:  # a cut inside a line end is not where positions can be
            self.text = Text(text, self.text.encoding)
            self.results.annotations, self.results.diagnostics = [], []
            self._since.clear()
            self._fresh, self.job_version = [], -1
            return
        self._moved(change)

    def _moved(self, change: Change) -> None:
        results = self.results
        path = self.path or ""
        results.annotations = move_annotations(results.annotations, change)
        results.diagnostics = [
            d for d in (move_diagnostic(d, change, path) for d in results.diagnostics) if d is not None
        ]
        if self.job is not None:
            self._since.append(change)

    # -- results --

    def rest(self) -> None:
        """No analysis is about to begin any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def begin(self, number: int) -> None:
        """An analysis of the present text was started."""
        self.job, self.job_version = number, self.version
        self._fresh, self._since = [], []
        self.error = ""

    def take(self, answer: Mapping[str, Any]) -> bool:
        """A step of the analysis under way; whether what is shown may have changed."""
        if "annotations" in answer:
            self._take_step(answer)
            return True
        if "changes" in answer:
            self.results.changes = answer["changes"]
            return bool(answer["changes"]) or True
        if "error" in answer:
            self.error = str(answer["error"])
        if "figures" in answer:
            self._take_figures(answer)
        if any(key in answer for key in ("done", "error", "superseded")):
            self.end()
        return "error" in answer

    def _take_figures(self, answer: Mapping[str, Any]) -> None:
        fresh = figures_in(answer["figures"])
        if "since" in answer:
            gone = set(answer["names"])
            fresh = {**{name: item for name, item in self._whole_figures[1].items() if name not in gone}, **fresh}
        self.figures = fresh
        if self.whole is not None and self.whole.job == self.job:
            self._whole_figures = self.whole.job, fresh

    @property
    def whole_job(self) -> int | None:
        """The job of the last answer that is complete, which another one may be told on top of."""
        return self.whole.job if self.whole is not None and self._whole_figures[0] == self.whole.job else None

    def _take_step(self, answer: Mapping[str, Any]) -> None:
        results, path = self.results, self.path or ""
        if answer.get("anew"):  # another worker has begun again
            self._fresh = []
        kept, older = self._kept(answer)
        by_place = {(item.kind, item.name, item.span): item for item in self._fresh}
        by_place.update({(i.kind, i.name, i.span): i for i in map(annotation_in, answer["annotations"])})
        fresh = self._fresh = [*kept, *by_place.values()]
        for change in self._since:
            fresh = move_annotations(fresh, change)
        faults = int(answer.get("faults", 0))
        if results.faults is not None and faults > results.faults:
            fresh = merged(results.annotations, fresh, final=answer["annotations_done"])
        elif answer["annotations_done"]:
            results.faults = faults
        if answer["annotations_done"]:
            results.annotations = sorted(fresh, key=_place)
            results.version = self.job_version
        else:  # until the rest is in, the older ones stand where nothing newer does
            names = {(item.kind, item.name, item.span.start_line) for item in fresh}
            known = {(item.kind, item.name) for item in fresh if item.kind != "loop"}
            kept = [a for a in results.annotations if (a.kind, a.name) not in known]
            kept = [a for a in kept if (a.kind, a.name, a.span.start_line) not in names]
            results.annotations = sorted([*kept, *fresh], key=_place)
        results.notes = tuple(answer.get("notes", ()))
        results.problem, results.remedy = str(answer.get("problem", "")), str(answer.get("remedy", ""))
        self.about = answer.get("about") or self.about
        if "reads" in answer:
            self.reads = frozenset(answer["reads"])
        if "diagnostics" in answer:
            found: list[Diagnostic] = [*older, *(diagnostic_in(raw) for raw in answer["diagnostics"])]
            found.sort(key=lambda item: (item.span, item.code))
            if not faults:
                self.whole = Whole(self.job or 0, tuple(self._fresh), tuple(found))
            for change in self._since:
                found = [d for d in (move_diagnostic(d, change, path) for d in found) if d is not None]
            results.diagnostics = found
            results.diagnostics_version = self.job_version
        self.analysed = True
        self._wake()

    def _kept(self, answer: Mapping[str, Any]) -> tuple[list[Annotation], list[Diagnostic]]:
        """What an answer leaves as it was in the one that it names."""
        if "lines" not in answer or self.whole is None or self.whole.job != answer["since"]:
            return [], []
        self._fresh = []  # the first of the same figures are in the answer again
        return self.whole.without(answer["lines"])

    def take_findings(self, found: list[Diagnostic], version: int) -> None:
        """Findings of a file that has nothing else."""
        if version == self.version:
            self.results.diagnostics = found
            self.results.version = self.results.diagnostics_version = version
            self.analysed = True
        self.end()

    def say_unchecked(self, finding: Diagnostic) -> bool:
        """The analysis that was under way broke off: what it found stands beside a finding that says so.

        False where the text has changed meanwhile, and is looked at anew.
        """
        if self.job_version != self.version:
            return False
        found = self.results.diagnostics if self.has_diagnostics else []
        self.results.diagnostics = [*found, finding]
        self.results.diagnostics_version = self.version
        self.analysed = True
        return True

    def leave_alone(self, finding: Diagnostic) -> None:
        """The analysis under way came to nothing; what it has told so far is shown, with a finding that says why."""
        self.results.annotations = sorted(self._fresh, key=_place)
        self.results.diagnostics = [finding]
        self.results.version = self.results.diagnostics_version = self.version
        self.analysed = True
        self.end()

    def end(self) -> None:
        """The analysis under way is over, whatever came of it."""
        self.job = None
        self._since.clear()
        self._fresh = []
        self._wake(everything=True)

    def _wake(self, *, everything: bool = False) -> None:
        rest = []
        for future, ready in self._waiting:
            if future.done():
                continue
            if everything or ready():
                future.set_result(None)
            else:
                rest.append((future, ready))
        self._waiting = rest

    async def wait(self, ready: Callable[[], bool], *, timeout_s: float) -> bool:
        """Wait until `ready()` holds for the present text. False when it does not: too slow, superseded, failed."""
        version = self.version
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not ready() and self.version == version and (self.job is not None or self.timer is not None):
            left = deadline - loop.time()
            if left <= 0:
                break
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((future, ready))
            try:
                await asyncio.wait_for(future, left)
            except TimeoutError:
                break
        return ready() and self.version == version

    def has_annotations(self) -> bool:
        """Whether all figures are of the text as it stands."""
        return self.is_current

    def has_findings(self) -> bool:
        """Whether the findings are of the text as it stands."""
        return self.has_diagnostics

    def has_anything(self) -> bool:
        """Whether any result ever came."""
        return self.analysed

    def superseded(self) -> None:
        """A newer text is in: whoever waits for the older one should stop."""
        self._wake(everything=True)


MAX_COMPARED = 4_000_000  # pairs of lines: what comparing them may cost at worst, about a tenth of a second


Piece = tuple[tuple[int, int], tuple[int, int], str]
END_OF_LINE = 1 << 30  # a client's position is held inside its line


def line_changes(old: str, new: str) -> list[Piece] | None:
    """Each difference as an edit, the last one first; None where only one line differs, or too many do."""
    if "\r" in old or "\r" in new:
        return None
    before, after = old.split("\n"), new.split("\n")
    start = next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return None
    tail = 0
    while tail < min(len(before), len(after)) - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    if tail == 0:
        return None  # the last line has no end that could be cut behind it
    ours, theirs = before[start : len(before) - tail], after[start : len(after) - tail]
    if len(ours) < 2 or len(ours) * len(theirs) > MAX_COMPARED:
        return None
    found = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    edits: list[Piece] = []
    for tag, a, b, c, d in reversed(found):
        if tag == "replace" and b - a == d - c:  # lines that were changed where they stand
            rows = [(start + a + n, theirs[c + n]) for n in reversed(range(b - a))]
            edits += [((row, 0), (row, END_OF_LINE), line) for row, line in rows]
        elif tag != "equal":
            edits.append(((start + a, 0), (start + b, 0), "".join(line + "\n" for line in theirs[c:d])))
    return edits
