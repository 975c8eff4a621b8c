"""What can be said about one document, in terms every front end renders: server, watcher, hooks, command line.

This is the whole seam between languages and front ends. A front end asks a document's `Provider`, whose features are
declared in `languages`; neither side knows the other.

Positions count lines and characters (Unicode code points) from 0; a front end converts to what its client speaks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .amounts import Interval as Interval  # noqa: PLC0414 - a word of this module too
from .errors import ConfigError, RefusedError
from .languages import Language, language_of
from .plugins import load
from .text import LineIndex, with_newlines
from .text import Span as Span  # noqa: PLC0414 - a word of this module too

if TYPE_CHECKING:
    from .config import Settings

Severity = Literal["error", "warning", "info", "hint"]
CHECK_TIMEOUT_S = 60.0  # of one file: a busy build machine must not turn a slow compiler into a finding


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of `span` by `new_text`."""

    span: Span
    new_text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the text that resolves a diagnostic.

    verified: the changed text passed the same check that found the fault.
    safe: the meaning stays the same, so it may be applied without a person looking.
    """

    title: str
    edits: tuple[Edit, ...]
    verified: bool = False
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a diagnostic; `path` None means the same document."""

    message: str
    span: Span
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding; `code` has a page in `hwml explain CODE`."""

    code: str
    severity: Severity
    message: str
    span: Span
    fixes: tuple[Fix, ...] = ()
    related: tuple[Related, ...] = ()
    source: str = "hwml"


@dataclass(frozen=True, slots=True)
class Figures:
    """Predicted amounts as whole numbers; None: not known, or not said of such a thing.

    lut, dsp, ff, bram_18k, uram: counts on the part. latency_cycles: start to done, of a loop with all its entries.
    ii: initiation interval in cycles. trip_count: iterations. intervals: of some of them, by the field's name.
    reasons: why some of them are not known, likewise. changes: how unsure their changes are (`amounts.change_of`).
    """

    lut: int | None = None
    dsp: int | None = None
    ff: int | None = None
    bram_18k: int | None = None
    uram: int | None = None
    latency_cycles: int | None = None
    ii: int | None = None
    trip_count: float | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changes: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, int | None]:
        """LUT, DSP, FF and latency_cycles under the keys that all of hwml's JSON has for them."""
        return {key: getattr(self, name) for key, name in FIGURE_KEYS.items()}

    def known(self) -> dict[str, int]:
        """The same without what is not known."""
        return {key: value for key, value in self.to_dict().items() if value is not None}

    @property
    def are_known(self) -> bool:
        """Whether `known` has any."""
        return any(getattr(self, name) is not None for name in FIGURE_KEYS.values())

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Figures:
        """What `to_dict` and `known` keep; keys and values that they do not write are left out."""
        found: dict[str, Any] = {name: raw[key] for key, name in FIGURE_KEYS.items() if isinstance(raw.get(key), int)}
        return cls(**found)


# Key in JSON -> field of Figures.
FIGURE_KEYS = {"LUT": "lut", "DSP": "dsp", "FF": "ff", "latency_cycles": "latency_cycles"}


@dataclass(frozen=True, slots=True)
class Basis:
    """What figures stand on, for a status bar: the model, and what was assumed of the tool and the target."""

    model: str = ""
    part: str = ""
    tool: str = ""
    tool_version: str = ""
    clock_period_ns: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True)
class Design:
    """A design as a whole: its top function, and what is predicted of it."""

    top: str
    figures: Figures


class Subject(Protocol):
    """What a provider itself knows of the thing that an annotation stands at."""

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        ...


@dataclass(frozen=True, slots=True)
class Annotation:
    """A short text to show beside a function, module or loop.

    label: at most 25 characters, with what is known only; summary: the same for places with room (all resources);
    detail: Markdown for a tooltip; subject: where its JSON comes from; figures: what front ends compare and add up.
    is_design: the figures are those of a whole design, with this function as its top. basis: of such figures.
    extent: all of it, from its head to its end; None where only `span` is known.
    stale: the figures are those of an older text, kept because the present one could not be read as far.
    """

    kind: Literal["function", "loop", "module"]
    name: str
    span: Span
    label: str
    detail: str = ""
    subject: Subject | None = None
    summary: str = ""
    figures: Figures = Figures()
    is_design: bool = False
    basis: Basis | None = None
    extent: Span | None = None
    stale: bool = False

    @property
    def data(self) -> dict[str, Any]:
        """All that is known, as plain JSON: for machines to read, not for front ends to take apart."""
        return {} if self.subject is None else self.subject.to_dict()


SymbolKind = Literal["function", "loop", "module", "instance"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A part of a document for an outline: `span` is its name, `extent` all of it, which holds those of `children`."""

    name: str
    kind: SymbolKind
    span: Span
    extent: Span
    detail: str = ""
    children: tuple[Symbol, ...] = ()


TokenKind = Literal["pragma", "dialect", "directive", "option", "value", "number", "variable"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a language's own inside a line, for colours: characters from `start` on, `length` of them."""

    line: int
    start: int
    length: int
    kind: TokenKind


CompletionKind = Literal["module", "keyword", "property", "variable", "value", "function"]


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal. It replaces the text of its line from `start` to `end` (characters from 0).

    deprecated: the tool that the settings name does not take it.
    """

    label: str
    kind: CompletionKind
    new_text: str
    start: int
    end: int
    documentation: str = ""
    detail: str = ""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """How something is written that is being typed. label: all of it; parts: (piece of the label, what it does)."""

    label: str
    parts: tuple[tuple[str, str], ...] = ()
    active: int | None = None
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about the text of `span`."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that is said about one version of one document.

    faults: in how many places it could not be read. More of them than before means that it is half-typed, and that
    figures may be missing which the same text had a moment ago.
    reads: other files that it was read with, by their paths.
    problem: why there are no figures, where something is wrong or missing beside the text. remedy: words behind `hwml`
    of the command that sets up what is missing.
    left_alone: why the file is none of the language's business, where nothing was looked for in it.
    """

    path: str
    language: str | None
    diagnostics: tuple[Diagnostic, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    notes: tuple[str, ...] = ()
    faults: int = 0
    problem: str = ""
    remedy: str = ""
    reads: tuple[str, ...] = ()
    left_alone: str = ""

    @property
    def design(self) -> Annotation | None:
        """The annotation of the document's first design; None when its top function is elsewhere, or nowhere."""
        return next((item for item in self.annotations if item.is_design), None)


@dataclass(frozen=True, slots=True)
class Again:
    """What an analysis has anew since the one before; all else of it is as it was there, at the same lines.

    lines: of that one (first, end): what stood there is replaced by these annotations and diagnostics.
    names: of the functions that stood there.
    """

    before: Analysis
    lines: tuple[tuple[int, int], ...]
    names: frozenset[str]
    annotations: tuple[Annotation, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """An analysis under way. Annotations and diagnostics that are not done yet may be few, or none.

    waits_s: how long the next step may be waited for, where another process makes it that bounds its own time.
    again: what is new in it, where all else was kept from an earlier answer about an older text of the document.
    """

    analysis: Analysis
    annotations_done: bool = True
    diagnostics_done: bool = True
    waits_s: float = 0.0
    again: Again | None = None


class Provider(Protocol):
    r"""What serves one language. Subclasses write `analyze` and what else they can; the rest says nothing.

    Nothing here raises for what a text holds; HwmlError means that the installation is broken (a wrong artefact, say)
    unless a method says otherwise. Lines of a text end in \n or \r\n; there need be no file at `path`.
    """

    @abstractmethod
    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        """All there is to say about one document as it stands in an editor: soon rather than completely."""
        ...

    def steps(self, path: str, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
        """The same as `analyze`, told as soon as anything is known; the last step is the answer of `analyze`.

        near: the line a person looks at; what stands there comes first.
        """
        yield Step(self.analyze(path, text, settings))

    def check(
        self,
        path: str,
        text: str,
        settings: Settings,
        *,
        timeout_s: float = CHECK_TIMEOUT_S,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Analysis:
        """The same for hooks, thoroughly: it may take `timeout_s`, and set up what is missing; `tell` hears of that.

        Raises HwmlError (MissingDependencyError, ToolNotFoundError, ToolFailedError) where `analyze` gives a note.
        """
        return self.analyze(path, text, settings)

    def warm_up(self) -> None:
        """Load what every analysis needs."""
        return

    def hover(self, path: str, text: str, line: int, character: int, settings: Settings) -> Hover | None:
        """What a place means that has no annotation."""
        return None

    def complete(self, path: str, text: str, line: int, character: int, settings: Settings) -> Sequence[Completion]:
        """What may be typed at a place."""
        return ()

    def rewrites(self, path: str, text: str, line: int, settings: Settings) -> Sequence[Fix]:
        """Changes that are no correction but may be worth it, of what stands at a line; best first, few, and soon."""
        return ()

    def signature(self, path: str, text: str, line: int, character: int, settings: Settings) -> Signature | None:
        """How what is being typed at a place is written."""
        return None

    def outline(self, path: str, text: str, settings: Settings) -> Sequence[Symbol]:
        """Parts of a document that its text shows, also those that nothing is predicted of. Quick."""
        return ()

    def tokens(self, path: str, text: str, settings: Settings) -> Sequence[Token]:
        """Words that the usual colours of the file know nothing of, in the order of the text. Quick."""
        return ()

    def design(self, path: str, text: str, settings: Settings) -> Design | None:
        """The design that a source belongs to, wherever its top function stands; None for languages without figures.

        Raises SourceError and ConfigError when there is none to predict, ArtifactError for a broken model.
        """
        return None

    def examine_settings(self, path: str, text: str) -> Sequence[Diagnostic]:
        """What is wrong in a settings file (`Language.settings_files`) as it stands in an editor."""
        return ()

    def emit(self, path: str, text: str, settings: Settings) -> str:
        """What the language's compiler makes of a document, for people to read. Raises HwmlError where it does not."""
        raise RefusedError("nothing is emitted of this language")

    def dependents(self, changed: Sequence[Path], candidates: Sequence[Path]) -> list[Path]:
        """Sources whose findings or figures may be others because of `changed`; not those themselves.

        candidates: the sources that may be meant; a language that finds its neighbours by itself may pass over them.
        """
        return []

    def refuse_comments(self, path: str) -> None:
        """Raises RefusedError where comment lines would change what the project means."""
        return

    def with_options(self, settings: Settings, given: Mapping[str, str]) -> Settings:
        """`settings` with words of a command line over them: top, part, clock. Raises ConfigError for wrong ones."""
        if given:
            raise ConfigError(f"{', '.join(given)}: there is no such setting for this language")
        return settings


class _Silent(Provider):
    """For files that are none of hwml's business."""

    def analyze(self, path: str, text: str, settings: Settings) -> Analysis:
        return Analysis(path, None)


SILENT: Provider = _Silent()


def provider_of(path: str | Path) -> Provider:
    """The provider that serves a file, by its name; where there is none, one that says nothing."""
    language = language_of(path)
    return SILENT if language is None else provider_for(language)


def provider_for(language: Language) -> Provider:
    """The provider of a language; one that says nothing where it is not installed."""
    module = language.provider.partition(":")[0]
    try:
        provider: Provider = load(language.provider)
    except ModuleNotFoundError as error:
        if error.name != module and not module.startswith(f"{error.name}."):
            raise
        return SILENT
    return provider


def analyze(path: str | Path, text: str, settings: Settings) -> Analysis:
    """Analyse one document as it stands in the editor; files that are none of hwml's business give an empty answer.

    Never raises for what the text holds; HwmlError means that the installation is broken (a wrong artefact, say).
    """
    return provider_of(path).analyze(str(path), with_newlines(text), settings)


def apply_edits(text: str, edits: tuple[Edit, ...]) -> str:
    """`text` with all `edits` applied; they must not overlap. ValueError when they do or lie outside the text."""
    places = LineIndex(text)
    pieces: list[tuple[int, int, str]] = []
    for edit in edits:
        begin = places.exact(edit.span.start_line, edit.span.start_character)
        end = places.exact(edit.span.end_line, edit.span.end_character)
        if end < begin:
            raise ValueError(f"edit ends before it starts: {edit.span}")
        pieces.append((begin, end, edit.new_text))
    pieces.sort(key=lambda piece: (piece[0], piece[1]))
    out: list[str] = []
    at = 0
    for begin, end, new_text in pieces:
        if begin < at:
            raise ValueError("edits overlap")
        out += [text[at:begin], new_text]
        at = end
    out.append(text[at:])
    return "".join(out)
