"""Predict again on every save in a folder: one line a design, with what has changed.

hwml watch DIR               HLS and Chisel; Ctrl-C ends it
hwml watch DIR --annotate    keep the comments of `hwml annotate` up to date as well
hwml watch DIR --json        one JSON object a line, for other programs
hwml watch DIR --model MINE  with figures of a model you trained, as soon as it has them
"""

from __future__ import annotations

import _thread
import argparse
import hashlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hwml_sdk.artifact import resolve
from hwml_sdk.config import HlsSettings, Settings, load_settings, with_model
from hwml_sdk.document import Analysis, Figures, Step, provider_for
from hwml_sdk.errors import ArtifactError, HwmlError, MissingDependencyError, SourceError
from hwml_sdk.interrupt import heed_ctrl_c
from hwml_sdk.languages import Language, includer_of, language_of
from hwml_sdk.printable import json_text, printable, tell
from hwml_sdk.report import SCHEMA_VERSION
from hwml_sdk.rewrite import replace_if_unchanged

from . import marks
from .annotate import annotated
from .command import kept_apart, say_at_once
from .designs import design_of, predict
from .later import Later, Unfinished
from .saves import Saves, sources_below
from .textfile import TextFile, read_text, readable, refuse_conflicts

GONE = "nothing is predicted any more"
# A text that stays as hard to read for so many saves in a row is no slip: somebody writes like that.
MAX_BROKEN = 5
FIRST_LOOK = 50  # with more sources than this, each is predicted when it is first saved
MAX_DEPENDENTS = 50
# Field of Figures -> what people read.
_SHORT = {"lut": "LUT", "dsp": "DSP", "ff": "FF", "latency_cycles": "cyc"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml watch`."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="folder to watch (default: this one)")
    parser.add_argument("--annotate", action="store_true", help="write the comments of hwml annotate on every save")
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument(
        "--model", default="", metavar="FOLDER", help="the QoR model: a folder, or the name of one that ships"
    )
    parser.add_argument(
        "--debounce", type=_seconds, default=0.2, metavar="SECONDS", help="how long a file must be quiet (0.2)"
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no time from 0 to 60 seconds")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Watch until interrupted."""
    root = Path(arguments.folder).resolve()
    if not root.is_dir():
        raise SourceError("is no folder", path=arguments.folder)
    saves = Saves(root, debounce_s=arguments.debounce)
    model = str(resolve(arguments.model)) if arguments.model else ""
    watcher = Watcher(root, annotate=arguments.annotate, tell=_tell_json if arguments.json else _tell_text, model=model)
    saves.start()
    try:
        watcher.begin()
        watcher.follow(saves)
    finally:
        saves.stop()
        watcher.close()
    return 0


# -- what is said ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """One line: a design after a save. figures, before: None where there is no design, or was none.

    broken: the text could not be read as far as the one before; top, label and figures are those of before.
    gone: there was a design before, and there is none now. model: whose figures they are.
    """

    path: str
    language: Language
    top: str = ""
    label: str = ""
    figures: Figures | None = None
    before: Figures | None = None
    errors: int = 0
    warnings: int = 0
    first: str = ""
    notes: tuple[str, ...] = ()
    annotated: bool = False
    broken: bool = False
    gone: bool = False
    model: str = ""
    elapsed_ms: int = 0


Tell = Callable[[Event], None]


def _tell_json(event: Event) -> None:
    row = {
        "schema_version": SCHEMA_VERSION,
        "event": "design",
        "path": event.path,
        "language": event.language.name,
        "top": event.top or None,
        "label": event.label,
        **({} if event.figures is None else event.figures.to_dict()),
        "before": None if event.before is None else event.before.to_dict(),
        "errors": event.errors,
        "warnings": event.warnings,
        "first_error": event.first or None,
        "notes": list(event.notes),
        "annotated": event.annotated,
        "broken": event.broken,
        "model": event.model or None,
        "elapsed_ms": event.elapsed_ms,
    }
    print(json_text(row, indent=None), flush=True)


def _tell_text(event: Event) -> None:
    parts = [event.path]
    if event.top:
        parts.append(event.top)
    if event.label:
        whose = f"  ({event.model})" if event.model not in ("", HlsSettings().model) else ""
        parts.append((f"broken: figures of before: {event.label}" if event.broken else event.label) + whose)
    if event.gone:
        parts.append(GONE)
    elif event.before is not None and not event.broken:
        parts.append(said_changes(event.before, event.figures or Figures()))
    counts = [f"{n} {name}{'s' if n > 1 else ''}" for n, name in ((event.errors, "error"), (event.warnings, "warning"))
              if n]  # fmt: skip
    if counts:
        parts.append(", ".join(counts))
    elif event.language.compiles:
        parts.append("compiles")
    if event.first:
        parts.append(event.first)
    if not event.label and not event.first and event.notes:
        parts.append(event.notes[0])
    print(printable("  ".join(parts)), flush=True)


def said_changes(before: Figures, now: Figures) -> str:
    """`(LUT +16 %, cyc -48 %)`, or `(as before)`: two estimates of one model compare better than each is right."""
    changed = [
        f"{shown} {_change(getattr(before, name), getattr(now, name))}"
        for name, shown in _SHORT.items()
        if getattr(before, name) != getattr(now, name)
    ]
    seen = [text for text in changed if not text.endswith((" +0 %", " -0 %"))]  # less than half a percent is no news
    return f"({', '.join(seen)})" if seen else "(as before)"


def _change(before: float | None, now: float | None) -> str:
    if before is None or now is None:
        return "not known any more" if now is None else "known now"
    return f"{(now - before) / before * 100:+.0f} %" if before else f"+{now:g}"


# -- what is done ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Seen:
    """What was last said of a file, and of which text (without our comments).

    faults: of the last text that counted as whole; broken: how many have not since.
    """

    digest: bytes
    top: str = ""
    label: str = ""
    figures: Figures | None = None
    marked: bool = False
    faults: int | None = None
    broken: int = 0

    def breaks(self, faults: int) -> bool:
        """Whether a text with so many faults is only half of one, so that the figures of before say more."""
        return (
            self.figures is not None and self.faults is not None and faults > self.faults and self.broken < MAX_BROKEN
        )


class Watcher:
    """Looks at saved files, newest first; those for a compiler in a thread of their own, for it takes longer."""

    def __init__(self, root: Path, *, annotate: bool, tell: Tell, model: str = "") -> None:
        self.root, self.annotate, self.tell, self._model = root, annotate, tell, model
        self._later = Later(self._is_news, self._replaced, self._say_once)
        self._replacements: dict[Path, Figures] = {}  # what a model that takes its time said last
        self._seen: dict[Path, _Seen] = {}
        self._sources: set[Path] = set()
        self._to_compile: queue.SimpleQueue[tuple[Path, Language]] = queue.SimpleQueue()
        self._compilers: threading.Thread | None = None
        self._gate = threading.Lock()  # of what leaves us: nothing does any more once we are closed
        self._closed = False
        self._said: set[str] = set()

    def begin(self) -> None:
        """List the folder, and look at all of it when it is small."""
        self._sources.update(sources_below(self.root))
        count = len(self._sources)
        few = count <= FIRST_LOOK
        later = "" if few else ", each predicted when it is saved"
        _say(f"watching {self.root}: {count} source{'' if count == 1 else 's'}{later}")
        if few:
            # Headers first: one that is saved meanwhile is then new to us, and what includes it is looked at again.
            for path in sorted(self._sources, key=lambda path: (includer_of(path) is None, path)):
                self.saved(path, dependents=False)

    def follow(self, saves: Saves) -> None:
        """Answer saves for ever."""
        todo: dict[Path, None] = {}
        while True:
            heed_ctrl_c()
            for path in saves.settled(wait=not todo):
                todo.pop(path, None)
                todo[path] = None
            if todo:
                self.saved(todo.popitem()[0])

    def close(self) -> None:
        """Drop what is waiting; a check under way is neither waited for nor heard of."""
        with self._gate:
            self._closed = True

    def saved(self, path: Path, *, dependents: bool = True) -> None:
        """Look at one file, and at the sources that include it if it is a header."""
        language = language_of(path)
        if language is None:
            self._saved_part(path)
            return
        self._sources.add(path)
        if language.compiles:
            self._to_compile.put((path, language))
            if self._compilers is None:
                self._compilers = threading.Thread(target=self._compile, name="compilers", daemon=True)
                self._compilers.start()
            return
        changed = self._guarded(path, language)
        if changed and dependents:
            # What includes a source's own header is read with the source.
            for part in (path, *filter(Path.exists, map(path.with_suffix, language.headers))):
                self._saved_part(part)

    def _saved_part(self, path: Path) -> None:
        """Look again at the sources that include a file, where it is one that sources include."""
        language = includer_of(path)
        if language is not None:
            found = provider_for(language).dependents([path], sorted({*self._sources, path}))
            for source in found[:MAX_DEPENDENTS]:
                self._seen_again(source, language)

    def _compile(self) -> None:
        while not self._closed:
            try:
                self._guarded(*self._to_compile.get())
            except ArtifactError as error:
                self._say_once(str(error))
            except BrokenPipeError:  # nobody reads any more
                _thread.interrupt_main()

    def _seen_again(self, source: Path, language: Language) -> None:
        """A source whose header has changed: its own text may be the same."""
        known = self._seen.get(source)
        if known is not None:
            known.digest = b""
        self._guarded(source, language)

    def _guarded(self, path: Path, language: Language) -> bool:
        """Whether the file's text was new; what cannot be read is said and passed over."""
        try:
            with kept_apart(path):
                return self._look(path, language)
        except (ArtifactError, BrokenPipeError):
            raise
        except MissingDependencyError as error:
            self._say_once(str(error))
        except HwmlError as error:
            if path.exists():  # files that vanish between event and reading are no news
                self._say(str(error))
            else:
                self._seen.pop(path, None)
        return False

    def _say(self, text: str) -> None:
        with self._gate:
            if not self._closed:
                _say(text)

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)

    def _look(self, path: Path, language: Language) -> bool:
        started = time.monotonic()
        file = read_text(path, root=self.root)
        bare = marks.strip(file.text, language)
        digest = hashlib.sha256(bare.encode("utf-8", "surrogateescape")).digest()
        known = self._seen.get(path)
        if known is not None and known.digest == digest and not (known.marked and bare == file.text):
            return False  # our own comments, a touch, or a save without a change
        refuse_conflicts(path, bare)
        text = readable(bare)
        analysis, rest = self._analysis(path, text, language)
        again = known is not None and known.digest == digest  # an editor saved its text without our comments
        if known is not None and known.breaks(analysis.faults):
            known.digest, known.broken = digest, known.broken + 1
            event = self._broken(path, language, analysis, known)
        else:
            seen = self._seen[path] = _Seen(digest, faults=analysis.faults)
            if not (analysis.annotations or analysis.diagnostics or analysis.notes or _has_design(known)):
                return True
            seen.marked = self.annotate and bool(analysis.annotations)
            written = self.annotate and rest is None and self._write_marks(file, bare, analysis, language)
            event = replace(self._event(path, text, language, analysis, known), annotated=written)
            seen.top, seen.label, seen.figures = event.top, event.label, event.figures
        event = replace(event, elapsed_ms=round((time.monotonic() - started) * 1000))
        with self._gate:
            if not again and not self._closed:
                self.tell(event)
        if rest is not None and not event.broken:
            self._later.put(Unfinished(path, language, file, bare, digest, rest, started))
        return True

    def _analysis(self, path: Path, text: str, language: Language) -> tuple[Analysis, Iterator[Step] | None]:
        """What is said at once, and what brings the rest where a model takes its time."""
        settings, provider = self._settings(path), provider_for(language)
        if language.compiles:
            return provider.check(str(path), text, settings, tell=say_at_once), None
        steps = iter(provider.steps(str(path), text, settings))
        for step in steps:
            analysis = step.analysis
            if step.waits_s:
                return analysis, steps
        return analysis, None

    def _settings(self, path: Path) -> Settings:
        found = load_settings(path)
        return with_model(found, self._model, origin="--model") if self._model else found

    def _is_news(self, one: Unfinished) -> bool:
        """Whether the text is still the one that was saved last."""
        known = self._seen.get(one.path)
        return not self._closed and known is not None and known.digest == one.digest

    def _replaced(self, one: Unfinished, analysis: Analysis) -> None:
        """Tell the answer of a model that took its time, and what has changed since its last one."""
        model, design = _model_of(analysis), analysis.design
        if design is None or model == HlsSettings().model:  # it has none: a note says why
            self._say_once(analysis.notes[-1] if analysis.notes else f"{one.path}: the model has no answer")
            return
        written = self.annotate and self._write_marks(one.file, one.bare, analysis, one.language)
        event = Event(
            str(one.path.relative_to(self.root)), one.language, design.name, design.label,
            design.figures, self._replacements.get(one.path), annotated=written, model=model,
            elapsed_ms=round((time.monotonic() - one.started) * 1000), **_counts(analysis),
        )  # fmt: skip
        self._replacements[one.path] = design.figures
        with self._gate:
            if not self._closed:
                self.tell(event)

    def _write_marks(self, file: TextFile, bare: str, analysis: Analysis, language: Language) -> bool:
        """Bring the comments up to date; a file that was saved meanwhile is left to its next event."""
        new = file.with_text(annotated(bare, analysis, language, ascii_only=not file.is_utf8))
        with self._gate:
            return new != file.raw and not self._closed and replace_if_unchanged(file.path, file.raw, new)

    def _broken(self, path: Path, language: Language, analysis: Analysis, known: _Seen) -> Event:
        """What is said of a text that is half of one: the figures stay."""
        event = Event(str(path.relative_to(self.root)), language, known.top, known.label, known.figures, broken=True)
        return replace(event, **_counts(analysis))

    def _event(self, path: Path, text: str, language: Language, analysis: Analysis, known: _Seen | None) -> Event:
        design = design_of(analysis)
        label = analysis.design.label if analysis.design is not None else ""
        if design is None and language.figures and analysis.annotations:
            design = predict(path, text, self._settings(path))  # the design's top function is in another file
            label = "the top is in another file"
        return Event(
            path=str(path.relative_to(self.root)),
            language=language,
            top=design.top if design is not None else "",
            label=label,
            figures=design.figures if design is not None else None,
            before=known.figures if known is not None else None,
            gone=design is None and not analysis.faults and _has_design(known),
            model=_model_of(analysis),
            **_counts(analysis),
        )


def _model_of(analysis: Analysis) -> str:
    """The model whose figures are shown; "" where there are none."""
    return next((item.basis.model for item in analysis.annotations if item.basis is not None), "")


def _has_design(known: _Seen | None) -> bool:
    return known is not None and known.figures is not None


def _counts(analysis: Analysis) -> dict[str, Any]:
    """Fields of an Event: how many findings there are, the first error, and notes."""
    errors = [item for item in analysis.diagnostics if item.severity == "error"]
    first = min(errors, key=lambda item: item.span) if errors else None
    return {
        "errors": len(errors),
        "warnings": sum(1 for item in analysis.diagnostics if item.severity == "warning"),
        "first": f"line {first.span.start_line + 1}: {first.code}: {first.message}" if first is not None else "",
        "notes": analysis.notes,
    }


def _say(text: str) -> None:
    tell(text)
