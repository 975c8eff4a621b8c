"""`directives.tcl` and the classic scripts of Vivado HLS and Vitis HLS (UG902, UG1399 "Optimization Directives").

Tcl is read as text and never run: variables, plain sums and conditions are followed, `source FILE` within the project
too; whatever else decides a value leaves that value unsaid.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import tcl_expr
from .directives import FLAGS, add_directive
from .places import Places
from .tcl_assigned import ANYTHING, Changes
from .tcl_values import FORGOTTEN, MAX_LENGTH, UNKNOWN, Scope
from .tcl_words import Word, commands, list_items
from .types import HlsProject, Place, Skipped, read_text
from .values import add_flags, period

MAX_DEPTH = 4  # of scripts that source scripts, and of procedures that call
MAX_NESTED = 40
MAX_COMMANDS = 20_000
MAX_DESIGNS = 64
_FLAG_LISTS = {"cflags", "csimflags"}  # their value starts with a dash of its own
# Commands of a classic script that say nothing about what is predicted.
_SILENT_COMMANDS = {
    "close_project", "close_solution", "csim_design", "cosim_design", "export_design", "exit", "quit", "puts",
    "delete_project", "delete_solution", "close_component", "set_clock_uncertainty", "help", "file", "cd",
    "return", "break", "continue", "package", "close", "variable",
}  # fmt: skip
_ENDS = {"exit", "quit"}


def read_tcl(path: str | Path) -> HlsProject:
    """The first design of a script, or its directives alone. Raises ConfigError as `read_hls_config`."""
    return read_tcl_designs(path)[0]


def read_tcl_designs(path: str | Path) -> list[HlsProject]:
    """Every design a script synthesises, each with its own settings; one without files where it names none.

    Raises ConfigError for a script that cannot be read, and for a quote, brace or clock that is broken.
    """
    reading = _Reading(Path(path))
    reading.script(Path(path), read_text(path), 0)
    return reading.designs()


@dataclass(slots=True)
class _Reading:
    """One script while it is read: the project it has open now, and the designs that it has synthesised."""

    path: Path
    project: HlsProject = field(init=False)
    scope: Scope = field(init=False)
    done: list[HlsProject] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    scripts: dict[Path, None] = field(default_factory=dict)
    procedures: dict[str, list[Word]] = field(default_factory=dict)
    changes: Changes = field(init=False)
    commands: int = 0
    nested: int = 0
    ended: bool = False

    def __post_init__(self) -> None:
        self.project = HlsProject(self.path)
        self.scope = Scope(Places.of(self.path, above=True), self.path.absolute())
        self.changes = Changes(self.procedures)

    def designs(self) -> list[HlsProject]:
        """What was synthesised; else what stood open at the end."""
        self.finish()
        self.skipped += self.scope.places.left_out(self.path)
        found = self.done or [self.project]
        for design in found:
            design.skipped = self.skipped
            design.read_from = [*self.scripts, *self.scope.places.listed]
        return found

    def finish(self) -> None:
        """Note the design that is open, unless it was noted as it stands, or is none yet."""
        now = self.project
        if not (now.top or now.files) or now in self.done:
            return
        if len(self.done) < MAX_DESIGNS:
            self.done.append(_copied(now))
        else:
            self._cut(f"states more than {MAX_DESIGNS} designs: the others are left out")

    def _cut(self, reason: str) -> None:
        """Note once that some of the script is left out for its length."""
        note = Skipped(self.path.name, str(self.path), 0, reason)
        self.skipped += [note] if note not in self.skipped else []

    def skip(self, place: Place, reason: str) -> None:
        """Note a line that was not understood."""
        self.skipped.append(Skipped(place.raw.strip(), place.path, place.line, reason))

    def script(self, path: Path, text: str, depth: int) -> None:
        """Follow one file."""
        self.scripts[path] = None
        before, self.scope.script = self.scope.script, path.absolute()
        self.block(text, str(path), 1, depth)
        self.scope.script = before

    def block(self, text: str, path: str, line: int, depth: int) -> None:
        """Follow some commands; bodies within bodies as far as MAX_NESTED."""
        if self.nested >= MAX_NESTED:
            self.scope.forget((ANYTHING,))
            return self._cut(f"bodies within more than {MAX_NESTED} others are not read")
        self.nested += 1
        self._commands(text, path, line, depth)
        self.nested -= 1
        return None

    def _commands(self, text: str, path: str, line: int, depth: int) -> None:
        for words, place in commands(text, path, first_line=line):
            if self.ended:
                return
            self.commands += 1
            if self.commands > MAX_COMMANDS:
                return self._cut(f"runs more than {MAX_COMMANDS:,} commands: the rest is not read")
            self._command(words, place, depth)
        return None

    def _command(self, words: list[Word], place: Place, depth: int) -> None:
        name = self.scope.text(words[0])
        if name == "if":
            self._if(words, place, depth)
        elif name == "foreach":
            self._foreach(words, place, depth)
        elif name in ("catch", "eval") and len(words) > 1 and words[1].literal:
            self.block(words[1].text, place.path, words[1].line, depth)
            self.scope.forget(word.text for word in words[2:])
        elif name == "proc":
            self.procedures.update({words[1].text: words} if len(words) == 4 else {})
        elif name in self.procedures:
            self._call(self.procedures[name], self._arguments(words), place, depth)
        elif name in ("while", "for"):
            self.skip(place, f"{name}: Tcl is read, never run")
            self.scope.forget(self.changes.by(words))
        elif not self._plain(name, self._arguments(words), place, depth):
            self.scope.forget(self.changes.by(words))

    def _arguments(self, words: list[Word]) -> list[str]:
        """What a command is given; what brackets within change is no longer known."""
        found = [self.scope.text(word) for word in words[1:]]
        self.scope.forget(self.changes.inside(words[1:]))
        return found

    def _call(self, procedure: list[Word], arguments: list[str], place: Place, depth: int) -> None:
        """A procedure of the script, with the values it is called with; its own variables end with it."""
        if depth >= MAX_DEPTH:
            self.scope.forget((ANYTHING,))
            return self.skip(place, "called too deep")
        outside = self.scope
        self.scope = replace(outside, values=dict(outside.values), linked={})
        for position, item in enumerate(list_items(procedure[2].text)):
            name, *default = list_items(item)[:2]
            value = arguments[position] if position < len(arguments) else (default or [UNKNOWN])[0]
            self.scope.values[name] = value
        self.block(procedure[3].text, place.path, procedure[3].line, depth + 1)
        self.scope.leave(outside)
        self.scope = outside
        return None

    def _plain(self, name: str, arguments: list[str], place: Place, depth: int) -> bool:
        """Take in what a command without bodies says; False for one that is not known."""
        if name in _VARIABLES:
            _variables(name, self.scope, arguments)
        elif name == "source":
            self._source(arguments, place, depth)
        elif name.startswith("set_directive_"):
            self._directive(name.removeprefix("set_directive_"), arguments, place)
        elif name in _STATED:
            _STATED[name](self, arguments, place)
        elif name.startswith("config_"):
            for option, value in options_of(arguments)[0].items():
                if not _unknown(self, [value], place):
                    self.project.config[f"{name.removeprefix('config_')}.{option}"] = value
        elif name in _ENDS:
            self.ended = True
        elif name not in _SILENT_COMMANDS:
            self.skip(place, f"unknown command {name!r}")
            return False
        return True

    def _if(self, words: list[Word], place: Place, depth: int) -> None:
        at = 0
        while at < len(words):
            head, arm = words[at].text, words[at:]
            if head in ("if", "elseif") and at + 2 < len(words):
                holds = tcl_expr.is_true(self.scope.value(words[at + 1].text))
                at += 3 if words[at + 2].text == "then" else 2
                if holds is None:
                    self.scope.forget(self.changes.by(arm))
                    if any(re.search(_SETS, word.text) for word in words[2:]):
                        self.skip(place, "a condition that only Tcl could decide")
                    return
                if holds:
                    return self._body(words, at, place, depth)
                at += 1
            elif head == "else":
                return self._body(words, at + 1, place, depth)
            else:
                return self._body(words, at, place, depth)
        return None

    def _body(self, words: list[Word], at: int, place: Place, depth: int) -> None:
        if at < len(words):
            self.block(words[at].text, place.path, words[at].line, depth)

    def _foreach(self, words: list[Word], place: Place, depth: int) -> None:
        if len(words) != 4:
            self.scope.forget(self.changes.by(words))
            return self.skip(place, "foreach over several lists")
        names, (listed,) = words[1].text.split(), self._arguments(words[1:3])
        if UNKNOWN in listed or not names:
            self.scope.forget(self.changes.by(words))
            if re.search(_SETS, words[3].text):
                self.skip(place, "a list that only Tcl could make")
            return None
        items = list_items(listed)
        for start in range(0, len(items), len(names)):
            self.scope.values.update(zip(names, items[start : start + len(names)], strict=False))
            self.block(words[3].text, place.path, words[3].line, depth)
        return None

    def _source(self, arguments: list[str], place: Place, depth: int) -> None:
        wanted = arguments[-1] if arguments else ""
        beside = Path(place.path).absolute().parent / wanted
        places = self.scope.places
        target = None if UNKNOWN in wanted or not wanted else places.find(wanted)
        if target is None and wanted and UNKNOWN not in wanted and beside.is_file() and places.may_read(beside):
            target = beside
        if depth >= MAX_DEPTH:
            self.skip(place, "sourced too deep")
        elif target is not None:
            self.script(target, read_text(target), depth + 1)
        elif UNKNOWN not in wanted and beside.is_file():
            self.skip(place, "the sourced script lies outside the project: not read")
        else:
            self.skip(place, "the sourced script is not there")

    def _directive(self, kind: str, arguments: list[str], place: Place) -> None:
        options, words = options_of(arguments)
        if any(UNKNOWN in word for word in (*words[:2], *options.values())):
            self.skip(place, "holds a variable or command that only Tcl could resolve")
        elif not words:
            self.skip(place, "the location (function or function/label) is missing")
        else:
            add_directive(self.project, kind, words, options, place)


# A block that says what is predicted, or leads to it.
_SETS = re.compile(
    r"\b(?:set_top|set_part|create_clock|add_files?|set_directive_\w+|config_\w+|source|open_project|open_component)\b"
)


def _copied(project: HlsProject) -> HlsProject:
    twin = copy(project)
    twin.files, twin.benches = list(project.files), list(project.benches)
    twin.defines, twin.include_dirs = dict(project.defines), list(project.include_dirs)
    twin.config, twin.directives = dict(project.config), list(project.directives)
    return twin


def options_of(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
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
        elif name in FLAGS or not following or (name not in _FLAG_LISTS and re.match(r"-[A-Za-z_]", following)):
            options[name] = ""
            if name in FLAGS and following.lower() in ("true", "false"):
                options[name] = following.lower()
                at += 1
        else:
            options[name] = following
            at += 1
    return options, words


def _open_project(reading: _Reading, arguments: list[str], place: Place) -> None:
    """A project of its own: another one, with its files, is closed by it."""
    if reading.project.top or reading.project.files:
        reading.finish()
    skipped = reading.project.skipped
    reading.project = HlsProject(reading.path, skipped=skipped)
    names = [word for word in arguments if not word.startswith("-") and UNKNOWN not in word]
    reading.project.name = names[0] if names else ""


def _open_solution(reading: _Reading, arguments: list[str], place: Place) -> None:
    """A solution has part, clock, directives and configuration of its own; files and top are the project's."""
    now = reading.project
    if now.directives or now.part or now.clock_period_ns:
        reading.finish()
        now.part, now.clock_period_ns, now.directives, now.config = "", None, [], {}
    flow = options_of(arguments)[0].get("flow_target", "")
    if flow:
        now.config["flow_target"] = flow


def _csynth(reading: _Reading, arguments: list[str], place: Place) -> None:
    reading.finish()


def _set_part(reading: _Reading, arguments: list[str], place: Place) -> None:
    _, words = options_of(arguments)
    if words and not _unknown(reading, words[:1], place):
        reading.project.part = words[0].strip()


def _set_top(reading: _Reading, arguments: list[str], place: Place) -> None:
    if arguments and not _unknown(reading, arguments[-1:], place):
        reading.project.top = arguments[-1]


def _create_clock(reading: _Reading, arguments: list[str], place: Place) -> None:
    options, words = options_of(arguments)
    stated = options.get("period", words[0] if words else "")
    if stated and not _unknown(reading, [stated], place):
        reading.project.clock_period_ns = period(stated, place)


def _unknown(reading: _Reading, words: list[str], place: Place) -> bool:
    unknown = any(UNKNOWN in word for word in words)
    if unknown:
        reading.skip(place, "holds a variable or command that only Tcl could resolve")
    return unknown


def _add_files(reading: _Reading, arguments: list[str], place: Place) -> None:
    options, words = options_of([argument for argument in arguments if argument.lower() != "-tb"])
    named = [name for word in words for name in list_items(word)]
    if any(UNKNOWN in name for name in named):
        _unknown(reading, named, place)
    bench = any(argument.lower() == "-tb" for argument in arguments)
    target = reading.project.benches if bench else reading.project.files
    for name in named:
        found = None if UNKNOWN in name else reading.scope.places.at(name)
        if found is not None and found not in target:
            target.append(found)
    if not bench:
        flags = f"{options.get('cflags', '')} {options.get('csimflags', '')}".strip()
        known = " ".join(word for word in flags.split() if UNKNOWN not in word) if UNKNOWN in flags else flags
        add_flags(reading.project, known, reading.scope.places, place)


def _set(scope: Scope, arguments: list[str]) -> None:
    if len(arguments) == 2:
        scope.values[scope.name(arguments[0])] = arguments[1]


def _append(scope: Scope, arguments: list[str]) -> None:
    name = scope.name(arguments[0])
    scope.values[name] = (scope.values.get(name, "") + "".join(arguments[1:]))[:MAX_LENGTH]


def _lappend(scope: Scope, arguments: list[str]) -> None:
    name = scope.name(arguments[0])
    items = [f"{{{word}}}" if re.search(r"\s", word) or not word else word for word in arguments[1:]]
    scope.values[name] = " ".join([scope.values.get(name, ""), *items]).strip()[:MAX_LENGTH]


def _incr(scope: Scope, arguments: list[str]) -> None:
    name = scope.name(arguments[0])
    step = arguments[1] if len(arguments) > 1 else "1"
    scope.values[name] = scope.expression(f"{scope.values.get(name, '0')} + ({step})")


def _array(scope: Scope, arguments: list[str]) -> None:
    if len(arguments) == 3 and arguments[0] == "set" and UNKNOWN not in arguments[2]:
        name = scope.name(arguments[1])
        items = list_items(arguments[2])
        pairs = zip(items[::2], items[1::2], strict=False)
        scope.values.update((f"{name}({key})", value) for key, value in pairs)
    elif arguments[0] in ("set", "unset"):
        scope.forget(arguments[1:2])


def _unset(scope: Scope, arguments: list[str]) -> None:
    for written in arguments:
        scope.values.pop(scope.name(written), None)


def _global(scope: Scope, arguments: list[str]) -> None:
    for written in arguments:
        scope.name(f"::{written.removeprefix('::')}")


def _upvar(scope: Scope, arguments: list[str]) -> None:
    """`upvar ?level? other name ...`: of another level than the caller and the script only Tcl knows the variable."""
    level = arguments[0] if len(arguments) % 2 else "1"
    names = arguments[len(arguments) % 2 :]
    for other, name in zip(names[::2], names[1::2], strict=True):
        outer = {"1": other, "#0": f"::{other.removeprefix('::')}"}.get(level, UNKNOWN)
        scope.values[name] = scope.values.get(outer.removeprefix("::"), FORGOTTEN)
        scope.linked[name] = outer


_CHANGED = {"set": _set, "append": _append, "lappend": _lappend, "incr": _incr, "unset": _unset}
_NAMED = {"array": _array, "global": _global, "upvar": _upvar}


def _variables(name: str, scope: Scope, arguments: list[str]) -> None:
    """One command that makes, changes or links variables."""
    if any(UNKNOWN in written for written in arguments[: len(arguments) if name == "unset" else 1]):
        scope.forget(arguments if name == "unset" else arguments[:1])
    elif arguments:
        (_CHANGED.get(name) or _NAMED[name])(scope, arguments)


_VARIABLES = frozenset((*_CHANGED, *_NAMED))
_STATED = {
    "set_part": _set_part, "set_top": _set_top, "create_clock": _create_clock, "add_files": _add_files,
    "add_file": _add_files, "open_project": _open_project, "open_component": _open_project,
    "open_solution": _open_solution, "csynth_design": _csynth,
}  # fmt: skip
