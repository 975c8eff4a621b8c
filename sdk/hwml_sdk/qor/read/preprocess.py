"""The C preprocessor as far as HLS sources need it: one macro-free text, and where each of its characters came from.

Comments are blanked, conditionals resolved (`__SYNTHESIS__` is defined), macros expanded, local headers put in place,
system headers left out. Pragmas are taken out of the text and kept with their position, so that the parser never
meets them between a loop's head and its body.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ...errors import SourceError
from ...files import read_source, real_path
from ...reach import may_read
from ...text import LineIndex, Span, with_newlines
from ..program.budget import MACRO_STEPS, Work
from ..program.constant_text import evaluate_text
from ..program.ir import Problem
from ..tool.video import TEXT as VIDEO
from .brackets import Brackets, arguments_of

MAX_INCLUDE_DEPTH = 32
MAX_MACRO_DEPTH = 64
MAX_OUTPUT = 16_000_000
TOO_LARGE = "macros grow too large: further ones are not expanded"
_PER_EXPANSION = 60  # steps of one expansion beside the characters it looks at

# limits.h, stdint.h, math.h: what sources use of headers that are not on the disk.
PREDEFINED = {
    "__SYNTHESIS__": "1", "__VITIS_HLS__": "1", "NULL": "0", "INT8_MAX": "127", "INT8_MIN": "(-128)",
    "UINT8_MAX": "255", "INT16_MAX": "32767", "UINT16_MAX": "65535", "INT32_MAX": "2147483647",
    "INT_MAX": "2147483647", "INT_MIN": "(-2147483647-1)", "UINT32_MAX": "4294967295", "UINT_MAX": "4294967295",
    "SHRT_MAX": "32767", "CHAR_BIT": "8", "LONG_MAX": "9223372036854775807", "FLT_MAX": "3.402823466e+38f",
    "DBL_MAX": "1.7976931348623158e+308", "FLT_MIN": "1.175494351e-38f", "FLT_EPSILON": "1.19e-7f",
    # Of these figures hang on the type alone.
    "INFINITY": "3.402823466e+38f", "HUGE_VALF": "3.402823466e+38f", "HUGE_VAL": "1.7976931348623157e+308",
    "NAN": "0.0f",
    "M_PI": "3.14159265358979323846", "hls_thread_local": "static",
    "HLSLIB_SYNTHESIS": "1",  # hlslib's own build says so wherever it synthesises
}  # fmt: skip

BUILT_IN = {"hls_video.h": VIDEO, "hls_video_mem.h": VIDEO}  # read where the tools' own is not on the disk

# A quote that nothing closes ends with its line, an apostrophe is none: both are found in one look, whatever follows.
_QUOTED = r"\"(?:\\.|[^\"\\\n])*+\"?|'(?:\\.|[^'\\\n]){0,99}'"
_BLANK = re.compile(rf"//(?:[^\n\\]|\\\r?\n|\\.)*+|/\*.*?(?:\*/|\Z)|{_QUOTED}", re.DOTALL)
_WORD = re.compile(rf"[A-Za-z_]\w*|\d[\w.']*|{_QUOTED}")
_LAST_WORD = re.compile(r"([A-Za-z_]\w*)[ \t]*\Z")
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*([a-z_]+)?[ \t]*(.*)", re.DOTALL)
_CONTINUED = re.compile(r"\\\r?\n")
_DEFINE = re.compile(r"([A-Za-z_]\w*)(\(([^)]*)\))?[ \t]*(.*)", re.DOTALL)
_INCLUDE = re.compile(r"\s*(?:\"([^\"]+)\"|<([^>]+)>)")
_OPERATOR_PRAGMA = re.compile(r"_Pragma\s*\(\s*\"((?:\\.|[^\"\\])*)\"\s*\)")
_NON_ASCII = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Macro:
    """A `#define`: params None for an object-like one."""

    params: tuple[str, ...] | None
    body: str


@dataclass(frozen=True, slots=True)
class RawPragma:
    """Text behind `#pragma`, macros expanded; offset in the unit's text; file index and offset in the source."""

    text: str
    offset: int
    file: int
    source_offset: int
    length: int


@dataclass(slots=True)
class SourceFile:
    """One file that was read."""

    path: str
    text: str
    places: LineIndex = field(init=False)

    def __post_init__(self) -> None:
        self.places = LineIndex(self.text)


@dataclass(slots=True)
class Unit:
    """A preprocessed translation unit: ASCII text of the same meaning, and the way back to the sources.

    left_out: why a part of it is not as it should be, "" where all is. faults: comments and `#if` that nothing closes.
    """

    text: str
    files: list[SourceFile]
    pragmas: list[RawPragma]
    problems: list[Problem]
    comments: dict[str, dict[int, str]]
    missing_headers: list[str]
    macros: dict[str, Macro]
    left_out: str
    faults: int
    _at: list[int]
    _from: list[tuple[int, int, bool]]

    def place(self, offset: int) -> tuple[int, int]:
        """(file index, offset in that file) of a character of the text; inside an expansion: where the macro stands."""
        index = max(bisect_right(self._at, offset) - 1, 0)  # each file leaves a line end at least
        file, start, verbatim = self._from[index]
        return file, start + (offset - self._at[index] if verbatim else 0)

    def path(self, offset: int) -> str:
        """The file a character of the text came from."""
        if len(self.files) == 1:
            return self.files[0].path
        return self.files[self.place(offset)[0]].path

    def span(self, start: int, end: int) -> Span:
        """Source range of text[start:end]; of its first character's file."""
        at, final = self._at, end - 1 if end > start else start
        index = bisect_right(at, start) - 1 if start >= at[0] else 0
        file, begin, verbatim = self._from[index]
        begin += start - at[index] if verbatim else 0
        if index + 1 == len(at) or final < at[index + 1]:  # of one piece, as nearly everything is
            last_file, last = file, begin + (final - start if verbatim else 0)
        else:
            last_file, last = self.place(final)
        starts = self.files[file].places.starts
        line = bisect_right(starts, begin) - 1
        character = begin - starts[line]
        if last_file != file or last < begin:
            return Span(line, character, line, character)
        if line + 1 == len(starts) or last < starts[line + 1]:
            return Span(line, character, line, character + last - begin + 1)
        last_line = bisect_right(starts, last) - 1
        return Span(line, character, last_line, last - starts[last_line] + 1)


class Preprocessor:
    """Runs over one translation unit; see `preprocess`."""

    def __init__(self, files: Mapping[str, str], include_dirs: Sequence[Path], defines: Mapping[str, str]) -> None:
        self.given = dict(files)
        self.include_dirs = list(include_dirs)
        self.macros = {name: Macro(None, body) for name, body in PREDEFINED.items()}
        self.macros.update({name: Macro(None, str(body)) for name, body in defines.items()})
        self.files: list[SourceFile] = []
        self.pragmas: list[RawPragma] = []
        self.problems: list[Problem] = []
        self.comments: dict[str, dict[int, str]] = {}
        self.missing: list[str] = []
        self.out: list[str] = []
        self.length = 0
        self.at: list[int] = []
        self.origin: list[tuple[int, int, bool]] = []
        self.once: set[str] = set()
        self.work = Work(MACRO_STEPS)
        self.depth = 0
        self.faults = 0

    def emit(self, text: str, file: int, offset: int, verbatim: bool) -> None:
        """Append text that came from `offset` of `file`."""
        if not text:
            return
        if self.length + len(text) > MAX_OUTPUT:
            raise SourceError(
                f"grows past {MAX_OUTPUT // 1_000_000} MB by includes and macros", path=self.files[0].path
            )
        self.at.append(self.length)
        self.origin.append((file, offset, verbatim))
        self.out.append(text)
        self.length += len(text)

    def run_file(self, path: str, text: str, stack: tuple[str, ...]) -> None:
        """Process one file in place."""
        index = len(self.files)
        text = with_newlines(text)  # clang and editors end a line at a lone carriage return; gcc does not
        self.files.append(SourceFile(path, text))
        blanked = _NON_ASCII.sub("_", self._blank(path, text, index))
        state = _Conditions()
        chunk = 0
        for start, end in _directive_lines(blanked):
            if state.active:
                self._expand_chunk(blanked, chunk, start, index)
            self._directive(blanked[start:end], start, index, state, (*stack, path))
            chunk = end
        if state.active:
            self._expand_chunk(blanked, chunk, len(blanked), index)
        self.faults += len(state.stack)
        self.emit("\n", index, len(text), False)

    def _blank(self, path: str, text: str, index: int) -> str:
        notes: dict[int, str] = {}

        def replace(match: re.Match[str]) -> str:
            found = match.group()
            if found[0] != "/":
                return found
            # One that is half-typed ends with the next one, or never.
            if found[1] == "*" and (not found.endswith("*/") or "/*" in found[2:]):
                self.faults += 1
            if "hwml:" in found:
                notes[self.files[index].places.place(match.start())[0]] = found
            if "\n" not in found:
                return " " * len(found)
            blank = "".join("\n" if c == "\n" else " " for c in found)
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            # A comment is one blank, so that a directive it stands in goes on behind it.
            return blank.replace(" \n", "\\\n") if found[1] == "*" and line.lstrip().startswith("#") else blank

        blanked = _BLANK.sub(replace, text)
        if notes:
            self.comments[path] = notes
        return blanked

    def _directive(self, line: str, start: int, file: int, state: _Conditions, stack: tuple[str, ...]) -> None:
        match = _DIRECTIVE.match(line)
        name, rest = (match.group(1) or "", match.group(2)) if match else ("", "")
        rest = (_CONTINUED.sub(" ", rest) if "\\" in rest else rest).strip()
        if name in ("if", "ifdef", "ifndef", "elif", "else", "endif"):
            state.step(name, lambda: self._condition(name, rest))
        elif not state.active:
            return
        elif name == "define":
            self._define(rest)
        elif name == "undef":
            self.macros.pop(rest, None)
        elif name == "include":
            self._include(rest, start, file, stack)
        elif name == "pragma":
            self._pragma(rest, start, file, len(line.rstrip()))

    def _condition(self, name: str, rest: str) -> bool:
        if name in ("ifdef", "ifndef"):
            return (rest.split("(", maxsplit=1)[0].strip() in self.macros) == (name == "ifdef")
        text = re.sub(
            r"\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))",
            lambda m: "1" if (m.group(1) or m.group(2)) in self.macros else "0",
            rest,
        )
        return bool(evaluate_text(self.expand(text), lambda _: 0))

    def _define(self, rest: str) -> None:
        match = _DEFINE.match(rest)
        if match is None:
            return
        name, listed, params, body = match.groups()
        names = tuple(p.strip() for p in params.split(",")) if listed and params.strip() else ()
        self.macros[name] = Macro(names if listed else None, body.strip())

    def _include(self, rest: str, start: int, file: int, stack: tuple[str, ...]) -> None:
        match = _INCLUDE.match(rest if rest[:1] in '"<' else self.expand(rest))
        if match is None:
            return
        name = match.group(1) or match.group(2)
        found = self._find(name, self.files[file].path, local=match.group(1) is not None)
        if found is None:
            self.missing.append(name)
            if name.rpartition("/")[2] not in BUILT_IN:
                return
            found = name, BUILT_IN[name.rpartition("/")[2]]
        path, text = found
        line, character = self.files[file].places.place(start)
        span = Span(line, character, line, character + len(rest))
        if path in stack:
            self.problems.append(Problem(f"{name} includes itself; left out here", self.files[file].path, span))
            return
        if len(stack) > MAX_INCLUDE_DEPTH:
            return
        if "#pragma once" in text:
            place = str(real_path(path))  # `../n.h` of one folder and `../../n.h` of another are the same header
            if place in self.once:
                return
            self.once.add(place)
        self.run_file(path, text, stack)

    def _find(self, name: str, includer: str, *, local: bool) -> tuple[str, str] | None:
        wanted = PurePosixPath(name.replace("\\", "/"))
        for path, text in self.given.items():
            parts = PurePosixPath(path.replace("\\", "/")).parts
            plain = tuple(part for part in wanted.parts if part not in ("..", "."))
            if parts[-len(plain) :] == plain:
                return path, text
        if len(wanted.parts) > 1:
            for path, text in self.given.items():
                if PurePosixPath(path).name == wanted.name:
                    return path, text
        folders = ([Path(includer).parent] if local and includer else []) + self.include_dirs
        for folder in folders:
            place = folder / name
            if may_read(place, named=True) and place.is_file():
                try:
                    return str(place), read_source(place)
                except SourceError as error:
                    self.problems.append(Problem(str(error), includer, Span(0, 0, 0, 0)))
                    return None
        return None

    def _pragma(self, rest: str, start: int, file: int, length: int) -> None:
        if rest.strip() == "once":
            return
        head, _, tail = rest.partition(" ")
        text = f"{head} {self.expand(tail)}" if head.upper() in ("HLS", "ACCEL") else rest
        self.pragmas.append(RawPragma(text, self.length, file, start, length))

    def _expand_chunk(self, text: str, start: int, end: int, file: int) -> None:
        """Emit text[start:end] with its macros expanded."""
        at = start
        macros = self.macros
        words = {*_WORD.findall(text, start, end)}
        if "_Pragma" not in words and words.isdisjoint(macros):  # as of most code
            self.emit(text[start:end], file, start, True)
            return
        brackets = Brackets(text, end)
        for match in _WORD.finditer(text, start, end):
            word = match.group()
            if (word not in macros and word != "_Pragma") or match.start() < at:
                continue
            stop, expanded = self._use(text, match.start(), match.end(), brackets)
            if stop is None:
                continue
            self.emit(text[at : match.start()], file, at, True)
            self._emit_expansion(expanded, file, match.start(), stop - match.start())
            self.emit("\n" * text.count("\n", match.start(), stop), file, stop - 1, False)
            at = stop
        self.emit(text[at:end], file, at, True)

    def _emit_expansion(self, expanded: str, file: int, offset: int, length: int) -> None:
        done = 0
        for match in _OPERATOR_PRAGMA.finditer(expanded):
            self.emit(expanded[done : match.start()], file, offset, False)
            text = match.group(1).replace('\\"', '"')
            self.pragmas.append(RawPragma(text, self.length, file, offset, length))
            done = match.end()
        self.emit(expanded[done:], file, offset, False)

    def _use(self, text: str, start: int, stop: int, brackets: Brackets) -> tuple[int | None, str]:
        """Expand the macro use at text[start:stop]; returns where it ends (None: no use) and what it becomes."""
        name = text[start:stop]
        if name == "_Pragma":
            match = _OPERATOR_PRAGMA.match(text, start)
            return (match.end(), match.group()) if match else (None, "")
        macro = self.macros[name]
        if macro.params is None:
            hidden = frozenset((name,))
            expanded, stop = self._rescanned(self._body(macro.body, hidden), hidden, brackets, stop)
            return stop, expanded
        found = arguments_of(brackets, stop)
        if found is None:
            return None, ""
        arguments, stop = found
        return stop, self._call(name, macro, arguments, frozenset())

    def expand(self, text: str) -> str:
        """`text` with all macros expanded."""
        return self._body(text, frozenset())

    def _body(self, text: str, hidden: frozenset[str]) -> str:
        if self.depth > MAX_MACRO_DEPTH:
            self.work.leave_out(f"macros stand inside one another more than {MAX_MACRO_DEPTH} times")
            return text
        if not self.work.take(len(text), TOO_LARGE):
            return text
        if (text.isalnum() and text not in self.macros) or self.macros.keys().isdisjoint(_WORD.findall(text)):
            return text  # tables of thousands of numbers, options of pragmas
        self.depth += 1
        out: list[str] = []
        at = 0
        brackets = Brackets(text, len(text))
        for match in _WORD.finditer(text):
            word = match.group()
            if match.start() < at or word in hidden or word not in self.macros:
                continue
            if not self.work.take(_PER_EXPANSION, TOO_LARGE):
                break
            macro = self.macros[word]
            stop = match.end()
            if macro.params is None:
                inside = hidden | {word}
                replacement, stop = self._rescanned(self._body(macro.body, inside), inside, brackets, stop)
            else:
                found = arguments_of(brackets, stop)
                if found is None:
                    continue
                arguments, stop = found
                replacement = self._call(word, macro, arguments, hidden)
            out += [text[at : match.start()], replacement]
            at = stop
        out.append(text[at:])
        self.depth -= 1
        return "".join(out)

    def _rescanned(self, text: str, hidden: frozenset[str], brackets: Brackets, stop: int) -> tuple[str, int]:
        """An expansion that ends in the name of another macro takes the arguments that follow the first."""
        match = _LAST_WORD.search(text) if brackets.text[stop : stop + 1] == "(" else None
        macro = self.macros.get(match.group(1)) if match is not None and match.group(1) not in hidden else None
        found = arguments_of(brackets, stop) if macro is not None and macro.params is not None else None
        if match is None or macro is None or found is None:
            return text, stop
        return text[: match.start()] + self._call(match.group(1), macro, found[0], hidden), found[1]

    def _call(self, name: str, macro: Macro, arguments: list[str], hidden: frozenset[str]) -> str:
        params = macro.params or ()
        values = dict(zip(params, arguments, strict=False))
        if params and params[-1] == "...":
            values["__VA_ARGS__"] = ", ".join(arguments[len(params) - 1 :])
        return self._body(_substitute(macro.body, values, self.expand, self.work), hidden | {name})


class _Conditions:
    """Which branches of `#if` are taken."""

    def __init__(self) -> None:
        self.stack: list[tuple[bool, bool, bool]] = []  # (outer active, a branch was taken, this one is active)

    @property
    def active(self) -> bool:
        return not self.stack or self.stack[-1][2]

    def step(self, name: str, condition: object) -> None:
        assert callable(condition)
        if name in ("if", "ifdef", "ifndef"):
            outer = self.active
            taken = outer and bool(condition())
            self.stack.append((outer, taken, taken))
        elif self.stack:
            outer, taken, _ = self.stack.pop()
            if name == "elif":
                now = outer and not taken and bool(condition())
                self.stack.append((outer, taken or now, now))
            elif name == "else":
                self.stack.append((outer, True, outer and not taken))


def _directive_lines(text: str) -> list[tuple[int, int]]:
    """Ranges of the preprocessor lines of a text without comments, continuation lines included."""
    return [match.span() for match in _DIRECTIVE_LINE.finditer(text)]


_DIRECTIVE_LINE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\r?\n|\\.)*(?:\n|\Z)", re.MULTILINE)


_PASTE = re.compile(r"(?<!\s)\s*##\s*")
_PARAMETER = re.compile(r"(?:(?<!#)(#)\s*)?\b([A-Za-z_]\w*)\b")  # the `#` of a `##` quotes nothing


@lru_cache(maxsize=4096)
def _pieces(body: str, params: frozenset[str]) -> tuple[tuple[str, str, bool], ...]:
    """The body as texts, each with the parameter behind it ("" at the end) and whether that is quoted."""
    found, at = [], 0
    for match in _PARAMETER.finditer(body):
        if match.group(2) in params:
            found.append((body[at : match.start()], match.group(2), match.group(1) is not None))
            at = match.end()
    return (*found, (body[at:], "", False))


def _substitute(body: str, values: Mapping[str, str], expand: Callable[[str], str], work: Work) -> str:
    """Put arguments in place of parameters; `#` quotes, `##` pastes (then arguments are used unexpanded)."""
    pasted = "##" in body
    out: list[str] = []
    expanded: dict[str, str] = {}  # once each, however often it is named: macros that name one twice stand in others
    for before, name, quoted in _pieces(body, frozenset(values)):
        if not name:
            text = ""
        elif quoted:
            text = '"' + values[name].replace("\\", "\\\\").replace('"', '\\"') + '"'
        elif pasted:
            text = values[name]
        else:
            text = expanded[name] if name in expanded else expanded.setdefault(name, expand(values[name]))
        out += (before, text if work.take(len(text), TOO_LARGE) else "")
    return _PASTE.sub("", "".join(out)) if pasted else "".join(out)


def preprocess(
    text: str,
    path: str,
    *,
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
) -> Unit:
    """Preprocess one translation unit.

    files: other sources by path; headers are looked up there first, then on the disk beside the including file.
    Raises SourceError when includes grow without bound; what macros made to grow leave out is in `Unit.left_out`.
    """
    worker = Preprocessor(files or {}, include_dirs, defines or {})
    worker.run_file(path, text, ())
    return Unit(
        "".join(worker.out), worker.files, worker.pragmas, worker.problems, worker.comments,
        worker.missing, worker.macros, worker.work.reason, worker.faults, worker.at, worker.origin,
    )  # fmt: skip
