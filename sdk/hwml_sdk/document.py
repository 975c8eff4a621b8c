"""What can be said about one document, in terms every front end renders: server, watcher, hooks, command line.

Positions count lines and characters (Unicode code points) from 0; a front end converts to what its client speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .text import LineIndex, with_newlines
from .text import Span as Span  # noqa: PLC0414 - a word of this module too

if TYPE_CHECKING:
    from .config import Settings

Severity = Literal["error", "warning", "info", "hint"]
Language = Literal["hls", "chisel"]


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
class Annotation:
    """A short text to show beside a function, module or loop.

    label: at most 25 characters, with what is known only; summary: the same for places with room (all resources);
    detail: Markdown for a tooltip; data: the same as plain JSON for machines.
    """

    kind: Literal["function", "loop", "module"]
    name: str
    span: Span
    label: str
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that is said about one version of one document."""

    path: str
    language: Language | None
    diagnostics: tuple[Diagnostic, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """An analysis under way. Annotations and diagnostics that are not done yet may be few, or none."""

    analysis: Analysis
    annotations_done: bool = True
    diagnostics_done: bool = True


# Language by suffix, and the module whose `analyze(path, text, settings)` serves it. A provider is loaded on first use.
SUFFIXES: dict[str, Language] = {
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx", ".c++", ".h", ".hh", ".hpp", ".hxx"), "hls"),
    **dict.fromkeys((".scala", ".sc"), "chisel"),
}
PROVIDERS: dict[Language, str] = {"hls": "hwml_sdk.qor.provider", "chisel": "hwml_sdk.chisel.provider"}


def language_of(path: str | Path) -> Language | None:
    """The language a file name stands for, or None when hwml has nothing to say about such files."""
    return SUFFIXES.get(Path(path).suffix.lower())


def analyze(path: str | Path, text: str, settings: Settings) -> Analysis:
    """Analyse one document as it stands in the editor; files that are none of hwml's business give an empty answer.

    Never raises for what the text holds; HwmlError means that the installation is broken (a wrong artefact, say).
    """
    provider = _provider(path)
    if provider is None:
        return Analysis(str(path), None)
    analysis: Analysis = provider.analyze(str(path), with_newlines(text), settings)
    return analysis


def analyze_steps(path: str | Path, text: str, settings: Settings, *, near: int = 0) -> Iterator[Step]:
    """The same as `analyze`, told as soon as anything is known; the last step is the answer of `analyze`.

    near: the line a person looks at; what stands there comes first. A provider without steps gives one.
    """
    provider = _provider(path)
    if provider is None:
        yield Step(Analysis(str(path), None))
    elif hasattr(provider, "steps"):
        yield from provider.steps(str(path), with_newlines(text), settings, near=near)
    else:
        yield Step(provider.analyze(str(path), with_newlines(text), settings))


def _provider(path: str | Path) -> Any:
    """The module that serves the language of a file name; None when there is none, or it is not installed."""
    language = language_of(path)
    if language is None:
        return None
    name = PROVIDERS[language]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name and not name.startswith(f"{error.name}."):
            raise
        return None


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
