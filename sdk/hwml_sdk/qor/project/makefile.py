"""Command lines of `v++`, `vitis-run` and `sds++` in Makefiles and shell scripts (UG1393, "v++ Command"; UG1253, "SDSCC
and SDS++ Compiler Commands"), read and never run.

Variables that the file itself sets are put in. Conditions are not decided: what a name is set to under one is unknown.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ConfigError
from ...languages import HLS
from ..tool.parts import find_part
from .cfg import add_config, read_hls_config
from .places import Places
from .types import HlsProject, Place, Skipped, read_text, skip
from .values import add_flags, period

UNKNOWN = "\0"  # stands for a variable that the file does not set; no text that is read holds it
MAX_INCLUDED = 8
MAX_DESIGNS = 64
MAX_LENGTH = 1 << 16  # of a line with its variables put in
MAX_ROUNDS = 16
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+|override\s+)?([A-Za-z_][\w.]*)\s*(\+=|\?=|::?=|=)\s*(.*)$")
_RULE = re.compile(r"^([^\t#=:][^=:]*):(?!=)([^=;]*)$")
_INCLUDED = re.compile(r"^\s*-?include\s+(\S+)\s*$")
_CONDITION = re.compile(r"^ *(ifeq|ifneq|ifdef|ifndef|else|endif)\b([^#]*)")
_VARIABLE = re.compile(r"\$(?:\(([^()$]*)\)|\{([^{}$]*)\}|([@<^+*?]|[A-Za-z_]\w*))")
_TOOL = re.compile(
    r"(?:^|[\s/;&@-])(?:v\+\+|vitis-run|sds\+\+|sdscc)(?=\s)|\$[({](?:VPP|V\+\+|VXX|XOCC|SDSXX|SDSCC|SDS\+\+)[)}]"
)


def read_makefile(path: str | Path) -> list[HlsProject]:
    """Every kernel that a Makefile or a shell script compiles. Raises ConfigError for one that cannot be read."""
    reading = _Makefile(Path(path), Places.of(Path(path)))
    reading.included.add(Path(path).absolute())
    reading.read(Path(path))
    found = [project for line in reading.lines for project in reading.projects(line)]
    if len(found) > MAX_DESIGNS:
        reason = f"states more than {MAX_DESIGNS} designs: the others are left out"
        skip(found[0], Place(str(path), 0, Path(path).name), reason)
    return found[:MAX_DESIGNS]


@dataclass(frozen=True, slots=True)
class _Line:
    """A command with the target and prerequisites of its rule."""

    text: str
    place: Place
    target: str
    needs: str


@dataclass(slots=True)
class _Makefile:
    path: Path
    places: Places
    values: dict[str, str] = field(default_factory=dict)
    lines: list[_Line] = field(default_factory=list)
    included: set[Path] = field(default_factory=set)
    skipped: list[Skipped] = field(default_factory=list)

    def read(self, path: Path) -> None:
        """Take in the variables and command lines of a file and of those it includes."""
        target = needs = ""
        under: list[str] = []  # the conditions that a line stands under
        for text, place in _logical_lines(path):
            _follow(text, under)
            included, assigned, rule = _INCLUDED.match(text), _ASSIGNMENT.match(text), _RULE.match(text)
            if _TOOL.search(text) and not assigned:
                self.lines.append(_Line(text.strip(), place, target, needs))
            elif included:
                self._include(included.group(1), place)
            elif assigned and text[:1] != "\t":
                name, sign, value = assigned.groups()
                self._assign(name, sign, value, under)
            elif rule:
                target, needs = rule.groups()

    def _include(self, name: str, place: Place) -> None:
        found = self.places.find(self.expand(name))
        if found is None or found in self.included:
            return
        if len(self.included) >= MAX_INCLUDED:
            reason = f"{MAX_INCLUDED} files are read of a Makefile and what it includes: not this one"
            self.skipped.append(Skipped(place.raw.strip(), place.path, place.line, reason))
            return
        self.included.add(found)
        self.read(found)

    def _assign(self, name: str, sign: str, value: str, under: list[str]) -> None:
        value = _unquoted(value.partition(" #")[0].strip())
        if under == [f"ifndef {name}"]:
            sign = "?="
        elif under:
            value = UNKNOWN  # and of `+=` that what stands before it holds
            sign = "=" if sign == "?=" and name not in self.values else sign
        if sign == "+=":
            self.values[name] = f"{self.values.get(name, '')} {value}".strip()
        elif sign != "?=" or name not in self.values:
            self.values[name] = value

    def expand(self, text: str, line: _Line | None = None) -> str:
        """A text with its variables put in; UNKNOWN for what only make could tell."""
        automatic = {}
        if line is not None:
            needs = self.expand(line.needs).split()
            first = needs[0] if needs else ""
            target = self.expand(line.target).strip()
            automatic = {"@": target, "<": first, "^": " ".join(needs), "+": " ".join(needs),
                         "<D": str(Path(first).parent) if first else "", "@D": str(Path(target).parent)}  # fmt: skip
        for _ in range(MAX_ROUNDS):
            text, count = _VARIABLE.subn(lambda match: self._value(match, automatic), text)
            if not count:
                return text
            if len(text) > MAX_LENGTH:
                break
        return UNKNOWN  # it names itself

    def _value(self, match: re.Match[str], automatic: dict[str, str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        return automatic.get(name, self.values.get(name, UNKNOWN))

    def projects(self, line: _Line) -> list[HlsProject]:
        """The kernels that one command line compiles; none for linking, packaging and what cannot be read."""
        text = self.expand(line.text.lstrip("@-"), line)
        try:
            words = shlex.split(text)
        except ValueError:
            return []
        found = []
        for hardware, others in _by_hardware(words):
            places = replace(self.places, refused={}, cut={})
            project = _Options(self.path, places, line.place).project(others, hardware)
            if project is not None:
                project.skipped += [*self.skipped, *places.left_out(self.path)]
                project.read_from += self.included
                found.append(project)
        return found


@dataclass(slots=True)
class _Options:
    """The words of one command line, one after the other."""

    path: Path
    places: Places
    place: Place

    def project(self, words: list[str], hardware: list[str]) -> HlsProject | None:
        """What the words state. None when they compile no kernel. hardware: function and sources of `-sds-hw`."""
        project = HlsProject(self.path)
        compiles = ("--mode" in words and "hls" in words) or bool(hardware)
        if hardware:
            project.top, *sources = hardware
            project.files = [found for name in sources if (found := self.places.at(name)) is not None]
        flags: list[str] = []
        rest = iter(words)
        for word in rest:
            name, equals, value = word.partition("=")
            if name in ("-c", "--compile"):
                compiles = True
            elif name in _VALUED:
                self._option(project, _VALUED[name], value if equals else next(rest, ""))
            elif word[:2] in ("-I", "-D"):
                content = word[2:] or next(rest, "")
                if UNKNOWN in content:
                    self._unknown(project)
                elif content:
                    flags.append(word[:2] + content)
            elif UNKNOWN in word:
                self._unknown(project)
            elif word.lower().endswith(HLS.sources) and not hardware:
                found = self.places.at(word)
                project.files += [found] if found is not None else []
        if not compiles or not (project.files or project.top):
            return None
        add_flags(project, shlex.join(flags), self.places, self.place)
        return project

    def _unknown(self, project: HlsProject) -> None:
        """Note, once a line, that a word of it is not known."""
        if not any(item.reason == _UNKNOWN_WORD for item in project.skipped):
            skip(project, self.place, _UNKNOWN_WORD)

    def _option(self, project: HlsProject, kind: str, value: str) -> None:
        try:
            if not value or not kind:
                return
            if UNKNOWN in value:
                return self._unknown(project)
            if kind == "kernel":
                project.top = value
                project.config.setdefault("flow_target", "vitis")
            elif kind == "platform":
                find_part(value)
                project.part = value
            elif kind == "mhz":
                project.clock_period_ns = period(f"{value}MHz", self.place)
            elif kind == "hz":
                project.clock_period_ns = period(f"{value.partition(':')[0]}Hz", self.place)
            elif kind == "config":
                self._config(project, value)
        except ConfigError as error:
            skip(project, self.place, str(error))
        return None

    def _config(self, project: HlsProject, name: str) -> None:
        found = self.places.find(name)
        if found is None:
            skip(project, self.place, f"{name} is not there")
        else:
            add_config(project, read_hls_config(found))


def _unquoted(value: str) -> str:
    """A value without the quotes around all of it; others are part of what it says."""
    for quote in ("'", '"'):
        if value[:1] == quote and value[-1:] == quote and value.count(quote) == 2:
            return value[1:-1]
        if value.count(quote) % 2:
            value = value.strip(quote)
    return value


def _by_hardware(words: list[str]) -> list[tuple[list[str], list[str]]]:
    """Function and sources of each `-sds-hw f a.cpp -files b.cpp -sds-end`, with all words outside of these.

    One without any for a line that names no such function; none where what it names is not known.
    """
    others: list[str] = []
    found: list[list[str]] = []
    inside: list[str] | None = None
    for word in words:
        if word == "-sds-hw":
            inside = []
            found.append(inside)
        elif word == "-sds-end":
            inside = None
        elif inside is None:
            others.append(word)
        elif len(inside) < 1 or word.lower().endswith(HLS.sources):
            inside += [part for part in word.split(",") if part]
    if not found:
        return [([], others)]
    if "-c" not in others and not any(word.lower().endswith(HLS.sources) for word in others):
        return []  # objects are linked
    return [(named, others) for named in found if len(named) > 1 and not any(UNKNOWN in word for word in named)]


_UNKNOWN_WORD = "holds a variable that only make could resolve"
_VALUED = {
    "-k": "kernel", "--kernel": "kernel", "-f": "platform", "--platform": "platform", "--part": "platform",
    "--kernel_frequency": "mhz", "--clock.defaultFreqHz": "hz", "--freqhz": "hz", "--hls.clock": "hz",
    "-sds-pf": "platform", "--config": "config", "-o": "", "--temp_dir": "", "-t": "", "--target": "",
}  # fmt: skip


def _follow(text: str, under: list[str]) -> None:
    """Keep the conditions that lines stand under: `ifeq` ... `else` ... `endif`."""
    match = _CONDITION.match(text)
    if match is None:
        return
    if match.group(1) == "endif":
        del under[-1:]
    elif match.group(1) == "else":
        under[-1:] = ["else"] if under else []
    else:
        under.append(f"{match.group(1)} {match.group(2).strip()}")


def _logical_lines(path: Path) -> Iterator[tuple[str, Place]]:
    """Lines with those that a backslash carries on joined to them."""
    joined, start = "", 0
    for number, raw in enumerate(read_text(path).split("\n"), 1):
        line = raw.rstrip("\r")
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole = joined + line
        if not whole.lstrip().startswith("#"):
            yield whole, Place(str(path), start, whole)
        joined, start = "", 0
