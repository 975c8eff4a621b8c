"""Following the commands of CMakeLists.txt: variables, conditions, functions, files that include others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .cmake_values import Values
from .cmake_words import UNKNOWN, Command, Word, commands
from .places import Places
from .types import Skipped, read_text

MAX_INCLUDED = 8
MAX_COMMANDS = 20_000
MAX_DEPTH = 8  # of functions that call
# Of all others an argument may name a variable that they set.
_SET_NOTHING = frozenset({
    "message", "install", "add_test", "enable_testing", "target_link_libraries", "add_dependencies", "find_package",
    "cmake_minimum_required", "cmake_policy", "set_property", "set_target_properties", "mark_as_advanced",
    "add_subdirectory", "add_custom_target", "add_custom_command", "add_vitis_program",
})  # fmt: skip
_CLOSES = {"endif": "if", "endforeach": "foreach", "endwhile": "while", "endfunction": "function", "endmacro": "macro"}


@dataclass(slots=True)
class Flow:
    """Following the commands of some files, one after the other.

    taken: what to do with commands by their names: they are given the command, its arguments and its file.
    under: of each condition around, whether it holds, and whether one before it in its chain did. bodies: of functions
    and macros, with their parameters. files: that were read. cut: why commands are left out.
    """

    places: Places
    taken: Mapping[str, Callable[[Command, list[str], Path], None]]
    values: Values = field(default_factory=Values)
    bodies: dict[str, tuple[bool, list[str], list[Command]]] = field(default_factory=dict)
    under: list[tuple[bool | None, bool | None]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    cut: list[Skipped] = field(default_factory=list)
    done: int = 0
    depth: int = 0

    def enter(self, path: Path) -> None:
        """Follow the file of a folder. Raises ConfigError for one that cannot be read."""
        folder = str(path.absolute().parent)
        self.values.known |= {"CMAKE_CURRENT_SOURCE_DIR": folder, "CMAKE_CURRENT_LIST_DIR": folder}
        self.values.known.setdefault("CMAKE_SOURCE_DIR", folder)
        self._file(path)
        self.under.clear()

    def _file(self, path: Path) -> None:
        self.files.append(path)
        self._follow(list(commands(read_text(path))), path)

    def _follow(self, listed: Sequence[Command], path: Path) -> None:
        at = 0
        while at < len(listed):
            command = listed[at]
            at += 1
            self.done += 1
            if self.done > MAX_COMMANDS:
                if self.done == MAX_COMMANDS + 1:
                    self.cut.append(note(command, path, f"more than {MAX_COMMANDS:,} commands: the rest is not read"))
                return
            if command.name in ("function", "macro"):
                body, at = _body(listed, at, command.name)
                names = [word.text for word in command.words]
                if names and self.reached() is not False:
                    self.bodies[names[0].lower()] = command.name == "macro", names[1:], body
            elif command.name in ("foreach", "while"):
                # What a round makes of a variable is not followed.
                self.under.append((None, None))
                self.values.known |= {word.text: UNKNOWN for word in command.words[:1]}
            elif command.name in ("if", "elseif", "else", *_CLOSES):
                self._condition(command)
            elif self.reached() is not False:
                self._command(command, path)

    def reached(self) -> bool | None:
        """Whether a command here is followed; None where that is not known."""
        states = [state for state, _ in self.under]
        return False if False in states else None if None in states else True

    def _condition(self, command: Command) -> None:
        if command.name == "if":
            value = self.values.holds(command.words)
            self.under.append((value, value))
        elif command.name in _CLOSES:
            del self.under[-1:]
        elif self.under:
            before = self.under[-1][1]
            value = self.values.holds(command.words) if command.name == "elseif" else True
            now = False if before or value is False else None if before is None or value is None else True
            self.under[-1] = now, True if before or now else None if before is None or now is None else False

    def _command(self, command: Command, path: Path) -> None:
        name, sure = command.name, self.reached() is True
        arguments = self.values.arguments(command.words)
        if name == "set":
            self.values.set(arguments, sure=sure)
        elif name == "option":
            self.values.option(arguments, sure=sure)
        elif name == "unset" and arguments:
            self.values.known.pop(arguments[0], None)
        elif name == "list" and len(arguments) > 1 and arguments[0] in ("APPEND", "PREPEND"):
            self.values.append(arguments[1], arguments[2:], sure=sure, first=arguments[0] == "PREPEND")
        elif name == "math" and len(arguments) == 3:
            self.values.calculate(arguments[1], arguments[2], sure=sure)
        elif name == "project" and arguments:
            folder = self.values.known["CMAKE_CURRENT_SOURCE_DIR"]
            self.values.known |= {"PROJECT_NAME": arguments[0], "PROJECT_SOURCE_DIR": folder}
        elif name == "include" and arguments:
            self._include(arguments[0])
        elif name == "cmake_parse_arguments" and len(arguments) > 3:
            self._parse(command.words, sure=sure)
        elif name in self.taken:
            self.taken[name](command, arguments, path)
        elif name in self.bodies:
            self._call(name, arguments, path)
        elif name not in _SET_NOTHING:
            self.values.forget(arguments)

    def _include(self, name: str) -> None:
        folders = [self.places.folder, *map(Path, self.values.known.get("CMAKE_MODULE_PATH", "").split(";"))]
        tried = [folder / f"{name}{suffix}" for folder in folders for suffix in ("", ".cmake")]
        found = next((place for place in map(self.places.find, tried) if place is not None), None)
        if found is not None and found not in self.files and len(self.files) <= MAX_INCLUDED:
            self._file(found)

    def _call(self, name: str, arguments: list[str], path: Path) -> None:
        """A function of the file, of which only what it raises to its caller stays; of a macro all does."""
        if self.depth >= MAX_DEPTH:
            return
        is_macro, params, body = self.bodies[name]
        values = self.values
        outer, raised, around = dict(values.known), values.raised, list(self.under)
        values.raised = {}
        given = dict(zip(params, arguments, strict=False))
        values.known |= {**given, "ARGN": ";".join(arguments[len(params) :]), "ARGV": ";".join(arguments)}
        self.depth += 1
        self._follow(body, path)
        self.depth -= 1
        values.known = values.known if is_macro else outer | values.raised
        values.raised, self.under = raised, around

    def _parse(self, words: Sequence[Word], *, sure: bool) -> None:
        """`cmake_parse_arguments(PREFIX options one-value multi-value arguments...)`."""
        prefix, options, single, multiple = (self.values.expand(word) for word in words[:4])
        ones, many = single.split(";"), multiple.split(";")
        found = by_keyword(self.values.arguments(words[4:]), {*ones, *many, *options.split(";")})
        for key in filter(None, {*ones, *many}):
            given = found.get(key, [])
            value = ";".join(given[:1] if key in ones else given)
            self.values.known[f"{prefix}_{key}"] = value if sure else UNKNOWN


def _body(listed: Sequence[Command], at: int, kind: str) -> tuple[list[Command], int]:
    """The commands up to what closes a function or macro, and where it goes on behind that."""
    start = at
    while at < len(listed) and _CLOSES.get(listed[at].name) != kind:
        at += 1
    return list(listed[start:at]), at + 1


def by_keyword(arguments: Sequence[str], keywords: frozenset[str] | set[str]) -> dict[str, list[str]]:
    """Arguments behind each keyword; those before the first are left out."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for word in arguments:
        if word and word in keywords:
            current = found.setdefault(word, [])
        else:
            current.append(word)
    return found


def note(command: Command, path: Path, reason: str) -> Skipped:
    """Why a command is not taken as it stands."""
    return Skipped(command.raw.strip(), str(path), command.line, reason)
