"""What a Vitis project says outside the source: `directives.tcl`, `hls_config.cfg`, and the classic Tcl scripts.

Formats: UG1399 ("HLS Config File Commands", "Optimization Directives") and UG902 for Vivado HLS. Tcl is read as text:
`set NAME value` and `$NAME` are understood, `source FILE` is followed, nothing is ever run.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...document import Span
from ...errors import ConfigError, SourceError
from ...files import read_source
from ..program import ir

MAX_PROJECT_BYTES = 4 * 1024 * 1024
MAX_SOURCE_DEPTH = 4

# Directives whose second word names a variable, and the option a pragma uses for it.
_SUBJECT = {
    "INTERFACE": "port", "ALLOCATION": "instances", "FUNCTION_INSTANTIATE": "variable",
    **dict.fromkeys(
        ("ARRAY_PARTITION", "ARRAY_RESHAPE", "ARRAY_MAP", "ARRAY_STENCIL", "STREAM", "BIND_STORAGE", "BIND_OP",
         "RESOURCE", "DEPENDENCE", "AGGREGATE", "DISAGGREGATE", "DATA_PACK", "STABLE", "CACHE", "ALIAS"),
        "variable",
    ),
}  # fmt: skip
# Options that take no value; every other `-option` of Tcl is followed by its value.
_FLAGS = {
    "off", "recursive", "rewind", "enable_flush", "region", "skip_exit_check", "force", "register", "disable",
    "complete", "block", "cyclic", "intra", "inter",
}  # fmt: skip
_PLAIN_KEYS = {
    "platform", "freqhz", "flow_target", "clock_uncertainty", "debug", "save-temps", "temp_dir", "report_dir",
    "work_dir", "log_dir", "messageDb", "advanced", "kernel", "kernel_frequency", "hw_device", "package.output.format",
}  # fmt: skip
_PREFIXES = ("syn.", "tb.", "csim.", "cosim.", "package.", "vivado.", "impl.", "flow.", "v++.", "advanced.", "op.")
_FLAG_LISTS = {"cflags", "csimflags"}  # their value starts with a dash of its own
# Commands of a classic script that say nothing about what is predicted.
_SILENT_COMMANDS = {
    "open_project", "open_solution", "close_project", "close_solution", "csim_design", "csynth_design", "cosim_design",
    "export_design", "exit", "quit", "puts", "delete_project", "delete_solution", "open_component", "close_component",
    "set_clock_uncertainty", "help", "file", "cd",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Directive:
    """One `set_directive_*` or `syn.directive.*`: kind in capitals, where it applies, and its options (lower case)."""

    kind: str
    function: str
    label: str
    options: Mapping[str, str]
    text: str
    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class Skipped:
    """A line that was not understood, and why; nothing is lost in silence."""

    text: str
    path: str
    line: int
    reason: str


@dataclass(slots=True)
class HlsProject:
    """What one project file says. Paths are absolute or relative to the working directory, as found from the file.

    config: settings such as {"compile.pipeline_loops": "64"}, named as in `hls_config.cfg` without `syn.`.
    clock_period_ns: None when the file does not say it. skipped: lines that were not understood.
    """

    path: Path
    top: str = ""
    part: str = ""
    clock_period_ns: float | None = None
    files: list[Path] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    include_dirs: list[Path] = field(default_factory=list)
    config: dict[str, str] = field(default_factory=dict)
    directives: list[Directive] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """The values of `config.HlsSettings` this file states."""
        stated: dict[str, Any] = {"part": self.part, "clock_period_ns": self.clock_period_ns, "top": self.top}
        return {key: value for key, value in stated.items() if value}

    @property
    def pipeline_loops(self) -> int | None:
        """Trip count from which loops are pipelined without a pragma (0: never); None when not stated."""
        value = self.config.get("compile.pipeline_loops", "")
        return int(value) if value.isdigit() else None

    @property
    def unsafe_math(self) -> bool:
        """Whether floating-point operations may be reordered."""
        return _truth(self.config.get("compile.unsafe_math_optimizations"))


def read_project(path: str | Path) -> HlsProject:
    """Read a project file by its suffix: `.tcl` as a script, all else as `hls_config.cfg`.

    Raises ConfigError, with file and line, for a missing file, a broken clock or broken quotes.
    """
    return read_tcl(path) if Path(path).suffix.lower() == ".tcl" else read_hls_config(path)


def read_directives(path: str | Path) -> tuple[Directive, ...]:
    """The directives of a Tcl file or an `hls_config.cfg`. Raises ConfigError as `read_project`."""
    return tuple(read_project(path).directives)


def find_project(folder: Path) -> Path | None:
    """The `hls_config.cfg` that governs `folder`: there, or above it within the repository."""
    from ...config import PROJECT_FILE, find_upwards

    return find_upwards(folder, PROJECT_FILE)


# -- hls_config.cfg ------------------------------------------------------------------------------------------


def read_hls_config(path: str | Path) -> HlsProject:
    """Read an `hls_config.cfg`. Raises ConfigError, with file and line, for what is stated but cannot be read."""
    project = HlsProject(Path(path))
    for number, raw in enumerate(_text(path).split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;" or (line[0] == "[" and line[-1] == "]"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            project.skipped.append(Skipped(line, str(path), number, "no `key=value`"))
            continue
        _config_line(project, key, value, _Place(str(path), number, raw))
    return project


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    line: int
    raw: str

    @property
    def span(self) -> Span:
        lead = len(self.raw) - len(self.raw.lstrip())
        return Span(self.line - 1, lead, self.line - 1, len(self.raw.rstrip()))

    def error(self, message: str) -> ConfigError:
        return ConfigError(message, path=self.path, line=self.line or None)


def _config_line(project: HlsProject, key: str, value: str, place: _Place) -> None:
    folder = project.path.parent
    if key == "part":
        project.part = value
    elif key == "clock":
        project.clock_period_ns = _period(value, place)
    elif key == "freqhz":
        project.clock_period_ns = _period(f"{value.partition(':')[0]}hz", place)
    elif key == "syn.top":
        project.top = value
    elif key == "syn.file":
        project.files.append(folder / value)
    elif key in ("syn.cflags", "syn.file_cflags"):
        flags = value.partition(",")[2] if key == "syn.file_cflags" else value
        _flags(project, flags, folder, place)
    elif key.startswith("syn.directive."):
        _config_directive(project, key.removeprefix("syn.directive."), value, place)
    elif key.startswith("syn."):
        project.config[key.removeprefix("syn.")] = value
    elif key not in _PLAIN_KEYS and not key.startswith(_PREFIXES):
        project.skipped.append(Skipped(place.raw.strip(), place.path, place.line, f"unknown key {key!r}"))


def _config_directive(project: HlsProject, kind: str, value: str, place: _Place) -> None:
    options: dict[str, str] = {}
    words: list[str] = []
    for word in _words(value, place):
        name, equals, content = word.partition("=")
        if equals:
            options[name.lower()] = content
        elif word.lower() in _FLAGS and words:
            options[word.lower()] = ""
        else:
            words.append(word)
    _add_directive(project, kind, words, options, place)


def _add_directive(project: HlsProject, kind: str, words: list[str], options: dict[str, str], place: _Place) -> None:
    kind = kind.upper()
    text = place.raw.strip()
    if not words:
        project.skipped.append(
            Skipped(text, place.path, place.line, "the location (function or function/label) is missing")
        )
        return
    function, _, label = words[0].partition("/")
    subject = _SUBJECT.get(kind)
    rest = words[1:]
    if subject and rest:
        options.setdefault(subject, rest.pop(0))
    options.update(dict.fromkeys((word.lower() for word in rest), ""))
    if _truth(options.get("off")) and options.get("off"):
        options["off"] = ""
    project.directives.append(
        Directive(kind, function, label.rpartition("/")[2], options, text, place.path, place.span)
    )  # fmt: skip


def _words(text: str, place: _Place) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise place.error(f"unbalanced quotes in {text!r}") from error


def _flags(project: HlsProject, text: str, folder: Path, place: _Place) -> None:
    """`-DNAME=value`, `-I folder` and their two-word forms; all other compiler flags say nothing here."""
    words = iter(_words(text, place))
    for word in words:
        if word[:2] not in ("-D", "-I"):
            continue
        content = word[2:] or next(words, "")
        if not content:
            raise place.error(f"{word} needs a value")
        if word[:2] == "-I":
            project.include_dirs.append(folder / content)
        else:
            name, equals, value = content.partition("=")
            project.defines[name] = value if equals else "1"


_CLOCK = re.compile(r"^([0-9.]+(?:e[-+]?\d+)?)\s*(ns|ps|us|hz|khz|mhz|ghz)?$", re.IGNORECASE)
_NS = {"ns": 1.0, "ps": 1e-3, "us": 1e3}
_MHZ = {"hz": 1e-6, "khz": 1e-3, "mhz": 1.0, "ghz": 1e3}


def _period(text: str, place: _Place) -> float:
    """A clock as the tools accept it (`10`, `10ns`, `100MHz`) in nanoseconds."""
    match = _CLOCK.match(text.strip().strip("{}\"'"))
    try:
        number = float(match.group(1)) if match else 0.0
    except ValueError:
        number = 0.0
    if match is None or number <= 0:
        raise place.error(f"clock {text!r} is no period or frequency; write 10, 10ns or 100MHz")
    unit = (match.group(2) or "ns").lower()
    period = number * _NS[unit] if unit in _NS else 1e3 / (number * _MHZ[unit])
    if not 0.05 <= period <= 1e5:
        raise place.error(f"clock {text!r} is {period:g} ns, which no part runs at; write 10, 10ns or 100MHz")
    return round(period, 6)


def parse_clock(text: str) -> float:
    """A clock as an option gives it (`3.33`, `3.33ns`, `300MHz`) in nanoseconds. Raises ConfigError."""
    return _period(text, _Place("--clock", 0, text))


def _truth(value: str | None) -> bool:
    return value is not None and value.strip().lower() in ("", "1", "true", "yes", "on")


# -- Tcl -----------------------------------------------------------------------------------------------------


def read_tcl(path: str | Path) -> HlsProject:
    """Read `directives.tcl` or a classic script as text. Raises ConfigError as `read_hls_config`."""
    project = HlsProject(Path(path))
    _run_tcl(project, Path(path), {}, 0)
    return project


def _run_tcl(project: HlsProject, path: Path, values: dict[str, str], depth: int) -> None:
    for command, place in _commands(_text(path), str(path)):
        words = [_substitute(word, values) for word in command]
        name, arguments = words[0], words[1:]
        if name == "set" and len(arguments) == 2 and "$" not in arguments[1] and "[" not in arguments[1]:
            values[arguments[0]] = arguments[1]
        elif name == "source":
            _follow(project, arguments, values, depth, place)
        elif name.startswith("set_directive_"):
            _tcl_directive(project, name.removeprefix("set_directive_"), arguments, place)
        elif any("$" in word or "[" in word for word in words) and name in _STATED:
            _skip(project, place, "holds a variable or command that only Tcl could resolve")
        elif name in _STATED:
            _STATED[name](project, arguments, place)
        elif name.startswith("config_"):
            _tcl_config(project, name.removeprefix("config_"), arguments)
        elif name not in _SILENT_COMMANDS:
            _skip(project, place, f"unknown command {name!r}")


def _skip(project: HlsProject, place: _Place, reason: str) -> None:
    project.skipped.append(Skipped(place.raw.strip(), place.path, place.line, reason))


def _follow(project: HlsProject, arguments: list[str], values: dict[str, str], depth: int, place: _Place) -> None:
    target = Path(place.path).parent / (arguments[-1] if arguments else "")
    if depth >= MAX_SOURCE_DEPTH or not arguments or not target.is_file():
        _skip(project, place, "the sourced script is not there" if depth < MAX_SOURCE_DEPTH else "sourced too deep")
        return
    _run_tcl(project, target, values, depth + 1)


def _tcl_options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """`-name value` pairs, flags, and the words that are neither."""
    options: dict[str, str] = {}
    words: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if not re.match(r"-[A-Za-z_]", word):
            words.append(word)
            continue
        name, equals, _ = word[1:].lower().partition("=")
        following = arguments[at] if at < len(arguments) else ""
        if equals:
            options[name] = word.partition("=")[2]
        elif name in _FLAGS or not following or (name not in _FLAG_LISTS and re.match(r"-[A-Za-z_]", following)):
            options[name] = ""
            if name in _FLAGS and following.lower() in ("true", "false"):
                options[name] = following.lower()
                at += 1
        else:
            options[name] = following
            at += 1
    return options, words


def _tcl_directive(project: HlsProject, kind: str, arguments: list[str], place: _Place) -> None:
    options, words = _tcl_options(arguments)
    if any("$" in word or "[" in word for word in (*words[:2], *options.values())):
        _skip(project, place, "holds a variable or command that only Tcl could resolve")
        return
    _add_directive(project, kind, words, options, place)


def _tcl_config(project: HlsProject, section: str, arguments: list[str]) -> None:
    for name, value in _tcl_options(arguments)[0].items():
        project.config[f"{section}.{name}"] = value


def _set_part(project: HlsProject, arguments: list[str], place: _Place) -> None:
    _, words = _tcl_options(arguments)
    if words:
        project.part = words[0]


def _set_top(project: HlsProject, arguments: list[str], place: _Place) -> None:
    if arguments:
        project.top = arguments[-1]


def _create_clock(project: HlsProject, arguments: list[str], place: _Place) -> None:
    period = _tcl_options(arguments)[0].get("period")
    if period is not None:
        project.clock_period_ns = _period(period, place)


def _add_files(project: HlsProject, arguments: list[str], place: _Place) -> None:
    bench = "-tb" in arguments
    options, words = _tcl_options([argument for argument in arguments if argument != "-tb"])
    folder = project.path.parent
    if bench:
        return
    project.files += [folder / name for word in words for name in word.split()]
    flags = f"{options.get('cflags', '')} {options.get('csimflags', '')}".strip()
    _flags(project, flags, folder, place)


_STATED = {"set_part": _set_part, "set_top": _set_top, "create_clock": _create_clock, "add_files": _add_files}


def _commands(text: str, path: str) -> Iterable[tuple[list[str], _Place]]:
    """The commands of a script as words (quotes and braces taken off), each with its place."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        start = at
        joined = lines[at].rstrip("\r")
        while (joined.endswith("\\") or _open(joined)) and at + 1 < len(lines):
            at += 1
            joined = (joined[:-1] if joined.endswith("\\") else joined) + " " + lines[at].rstrip("\r")
        at += 1
        if joined.lstrip().startswith("#"):
            continue
        place = _Place(path, start + 1, lines[start].rstrip("\r"))
        for words in _split_tcl(joined, place):
            yield words, place


def _open(line: str) -> bool:
    """Whether a brace is still open at the end of the line (a body that goes on below)."""
    return not line.lstrip().startswith("#") and line.count("{") > line.count("}")


_TCL_WORD = re.compile(r"\"((?:\\.|[^\"\\])*)\"|([^\s;\"{]\S*?)(?=[\s;]|$)|(;)|(\S)")


def _split_tcl(line: str, place: _Place) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if line[at] == "{":
            end = _closing(line, at)
            if end is None:
                raise place.error("a brace is never closed")
            commands[-1].append(line[at + 1 : end].strip())
            at = end + 1
            continue
        if line[at] == "#" and not commands[-1]:
            break
        match = _TCL_WORD.match(line, at)
        if match is None or match.group(4) == '"':
            raise place.error("a quote is never closed")
        if match.group(3):
            commands.append([])
        else:
            commands[-1].append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return [command for command in commands if command]


def _closing(line: str, at: int) -> int | None:
    depth = 0
    for index in range(at, len(line)):
        depth += {"{": 1, "}": -1}.get(line[index], 0)
        if depth == 0:
            return index
    return None


_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")


def _substitute(word: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: values.get(match.group(1), match.group()), word) if "$" in word else word


def _text(path: str | Path) -> str:
    try:
        return read_source(path, max_bytes=MAX_PROJECT_BYTES)
    except SourceError as error:
        raise ConfigError(str(error)) from error


# -- to the program ------------------------------------------------------------------------------------------


def apply_directives(program: ir.Program, directives: Iterable[Directive]) -> tuple[ir.Pragma, ...]:
    """Attach directives as pragmas to the functions and loops they name, as `set_directive_*` does.

    Returns those that fit nothing; they are in `program.pragmas` too, with owner None, for lint to report.
    """
    unplaced: list[ir.Pragma] = []
    for directive in directives:
        owners: list[ir.Loop | ir.Function | None] = [*_owners(program, directive)] or [None]
        for owner in owners:
            pragma = _pragma(directive, owner)
            program.pragmas.append(pragma)
            if owner is None:
                unplaced.append(pragma)
            else:
                owner.pragmas.append(pragma)
    return tuple(unplaced)


def _pragma(directive: Directive, owner: ir.Loop | ir.Function | None) -> ir.Pragma:
    options = dict(directive.options)
    words = " ".join(f"{name}={value}" if value else name for name, value in options.items())
    text = f"HLS {directive.kind} {words}".strip()
    return ir.Pragma(
        "HLS", directive.kind, options, text, directive.path, directive.span, owner, from_file=directive.path
    )  # fmt: skip


def _owners(program: ir.Program, directive: Directive) -> list[ir.Loop | ir.Function]:
    functions = matching_functions(program, directive.function)
    if not directive.label:
        return list(functions)
    found: list[ir.Loop | ir.Function] = []
    for function in functions:
        loops = [loop for loop in program.loops(function.name) if directive.label in (loop.label, loop.name)]
        found += loops
    return found


def matching_functions(program: ir.Program, name: str) -> list[ir.Function]:
    """Functions a location names: by full name, or by the last part of it; every instance of a template."""
    wanted = name.partition("<")[0].rpartition("::")[2]
    return [
        function
        for key, function in program.functions.items()
        if key == name or key.partition("<")[0].rpartition("::")[2] == wanted
    ]
