"""Instances that a text makes: what the author of a project means by a module with parameters.

An argument is literal when it means the same everywhere: numbers, strings, types such as UInt(8.W), values of objects.
Names are another matter: where they are given a value is said here too, as far as the text alone tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from .scala_text import ScalaText

_MADE = re.compile(r"\bnew\s+(?P<name>(?:\w+\.)*[A-Z]\w*)\s*(?P<types>\[[^\[\]=]*\])?\s*(?=\()")
_FREE = re.compile(r"(?<![\w.\"])(?P<name>[A-Za-z_]\w*)\b(?!\s*=(?![=>]))")
_MEANT_EVERYWHERE = {"true", "false", "new", "log2Ceil", "log2Up", "log2Floor", "isPow2"}
_EXPECTED_TO_FAIL = re.compile(
    r"\b(?:intercept|assertThrows|assertDoesNotCompile|shouldNot|an?\s*\[\w*(?:Exception|Error))"
)
_COMMENT = re.compile(r'"""(?s:.*?)(?:"""|\Z)|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)')
_CLASS = re.compile(r"\b(?P<kind>class|def)\s+(?P<name>\w+)\s*(?:\[[^\[\]]*\]\s*)?(?:private\s*)?(?=\()")
_PARAMETER = re.compile(r"\b(?P<name>\w+)\s*:(?![:=])")
_HARDWARE = re.compile(r"\b(?:IO|Wire\w*|Reg\w*|Module|Input|Output|Flipped|Mem|SyncReadMem|VecInit|Mux\w*|Instance)\b")
_LONGEST = 300  # characters of an expression that may stand for a name


@dataclass(frozen=True, slots=True)
class Made:
    """An instance that a text makes with literal arguments; line from 1."""

    name: str
    expression: str
    line: int


@dataclass(frozen=True, slots=True)
class Site:
    """`new name[types](..)(..)`: where it begins, where its arguments do, and where it ends."""

    name: str
    head: str
    start: int
    arguments: int
    end: int


@dataclass(frozen=True, slots=True)
class ClassAt:
    """A class or function: its parameters, each with the place of its default (None: it has none), and its range."""

    name: str
    parameters: dict[str, tuple[int, int] | None]
    start: int
    end: int


def one_line(code: str) -> str:
    """An expression in one line, where no comma may stand before a closing bracket."""
    return re.sub(r",\s*([)\]])", r"\1", " ".join(code.split()))


def made_names(text: str) -> frozenset[str]:
    """Classes that a text makes, with whatever arguments."""
    return frozenset(match["name"].rpartition(".")[2] for match in _MADE.finditer(text))


@lru_cache(maxsize=64)
def written(text: str) -> Written:
    """What a text makes and gives names to; kept for the next one who asks."""
    return Written(text)


def literal_calls(text: str) -> Iterator[Made]:
    """What a text makes with literal arguments, in its order."""
    source = written(text)
    for site in source.sites:
        if source.is_literal(site.arguments, site.end):
            yield Made(site.name, source.words(site), source.line(site.start))


class Written:
    """A text with the instances that it makes, its classes, and what its names stand for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._scala = ScalaText(text)
        self._values: dict[tuple[str, int], tuple[int, int] | str | None] = {}

    @cached_property
    def sites(self) -> list[Site]:
        """Instances with arguments, without those that a test expects to fail."""
        found = []
        for match in _MADE.finditer(self._scala.code):
            end = self._groups_end(match.end())
            arguments = self.text[match.end() : end]
            if arguments.strip("() \n") and not _fails(self.text, match.start()):
                head = f"{match['name']}{match['types'] or ''}"
                found.append(Site(match["name"].rpartition(".")[2], head, match.start(), match.end(), end))
        return found

    def _groups_end(self, at: int) -> int:
        while group := self._scala.group(at, "("):
            at = group[1] + 1
        return at

    @cached_property
    def plain(self) -> str:
        """The text with its comments blanked out."""

        def blank(match: re.Match[str]) -> str:
            return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])

        return _COMMENT.sub(blank, self.text)

    def words(self, site: Site) -> str:
        """The instance in one line, as it is written."""
        return one_line(f"{site.head}{self.plain[site.arguments : site.end]}")

    def line(self, offset: int) -> int:
        """Line of an offset, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def is_literal(self, start: int, end: int) -> bool:
        """Whether a part of the text means the same everywhere."""
        return self.is_plain(start, end) and not any(True for _ in self.names(start, end))

    def is_plain(self, start: int, end: int) -> bool:
        """Whether a part is an expression without functions, placeholders and hardware of its own."""
        code = self._scala.code[start:end]
        return not ("=>" in code or ":=" in code or re.search(r"(?<!\w)_(?!\w)", code) or _HARDWARE.search(code))

    def names(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """Names of values in a part of the text, with their offsets: those that do not mean the same everywhere."""
        for match in _FREE.finditer(self._scala.code, start, end):
            if not match["name"][0].isupper() and match["name"] not in _MEANT_EVERYWHERE:
                yield match["name"], match.start()

    def objects(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """Names of classes and objects in a part of the text, with their offsets."""
        for match in _FREE.finditer(self._scala.code, start, end):
            if match["name"][0].isupper():
                yield match["name"], match.start()

    def arguments(self, site: Site) -> Iterator[tuple[str, int, int]]:
        """(name or "", start, end) of each argument of all groups."""
        at = site.arguments
        while group := self._scala.group(at, "("):
            for start, end in self._arguments(group[0]):
                named = re.compile(r"\s*(\w+)\s*=(?![=>])").match(self._scala.code, start, end)
                yield (named[1], named.end(), end) if named else ("", start, end)
            at = group[1] + 1

    def _arguments(self, opener: int) -> list[tuple[int, int]]:
        """Offsets of the arguments inside a group, with what is blank in the code: strings are."""
        inner = self._scala.arguments(opener)
        starts = [self._scala.code.rfind(",", opener, start) + 1 or opener + 1 for start, _ in inner[1:]]
        edges = [opener + 1, *starts, (self._scala.closing(opener) or opener) + 1]
        return [(a, b - 1) for a, b in pairwise(edges)] if inner else []

    @cached_property
    def classes(self) -> list[ClassAt]:
        """Classes and functions with parameters, in the order of the text."""
        return [self._class(match) for match in _CLASS.finditer(self._scala.code)]

    def _class(self, match: re.Match[str]) -> ClassAt:
        code, at = self._scala.code, match.end()
        parameters: dict[str, tuple[int, int] | None] = {}
        while group := self._scala.group(at, "("):
            for start, end in self._arguments(group[0]):
                named = _PARAMETER.search(code, start, end)
                default = re.compile(r"=(?![>=])").search(code, named.end(), end) if named else None
                if named:
                    parameters[named["name"]] = (default.end(), end) if default else None
            at = group[1] + 1
        following = re.compile(r"\n[ \t]*\n|\bclass\b|\bobject\b").search(self.text, at)
        stop = following.start() if following else len(code)
        brace = code.find("{", at, stop)
        closed = self._scala.closing(brace) if brace >= 0 else None
        end = stop if closed is None else closed
        if match["kind"] == "def":  # its body may be an expression of many lines
            around = self._scala.enclosing_block(match.start())
            end = around[1] if around else len(code)
        return ClassAt(match["name"], parameters, match.start(), end)

    def class_at(self, offset: int) -> ClassAt | None:
        """The innermost class with parameters around a place."""
        around = [item for item in self.classes if item.start <= offset < item.end]
        return max(around, key=lambda item: item.start, default=None)

    def value_at(self, name: str, offset: int) -> tuple[int, int] | str | None:
        """What a name stands for at a place: where its value is written, or, of one that counts, its first value."""
        if (name, offset) not in self._values:
            self._values[name, offset] = self._counted(name, offset) or self._given(name, offset)
        return self._values[name, offset]

    def _given(self, name: str, offset: int) -> tuple[int, int] | None:
        """`val name = ..`: the last one above whose block holds the place."""
        code = self._scala.code
        for match in reversed(list(re.finditer(rf"\bval\s+{name}\b(?:\s*:[^=\n]+)?\s*=(?![=>])", code))):
            block = self._scala.enclosing_block(match.start())
            if block is None or block[0] < offset < block[1]:
                start = match.end() + len(self.plain[match.end() :]) - len(self.plain[match.end() :].lstrip())
                end = self._statement_end(start)
                return (start, end) if start < end <= start + _LONGEST else None
        return None

    def _statement_end(self, at: int) -> int:
        code = self._scala.code
        while at < len(code) and code[at] not in "\r\n;)]}":
            closer = self._scala.closing(at) if code[at] in "([{" else None
            at = at + 1 if closer is None else closer + 1
        return at

    def _counted(self, name: str, offset: int) -> tuple[int, int] | str | None:
        """`for (name <- 0 until n)`, `(0 until n).map(name =>`, `tabulate(n)(name =>`."""
        code = self._scala.code
        heads = rf"\b{name}\s*<-\s*(?P<first>[\w.]+)\s+(?:until|to)\b|(?P<before>[^\n]*)[({{]\s*{name}\s*=>"
        for match in reversed(list(re.finditer(heads, code[:offset]))):
            if match["first"]:
                return match.span("first")
            opener = match.end("before")
            if (self._scala.closing(opener) or 0) < offset:
                continue
            ranged = re.search(r"\(?([\w.]+)\s+(?:until|to)\s+[^()]*\)\s*\.?\s*\w+\s*$", match["before"])
            if ranged:
                return match.start("before") + ranged.start(1), match.start("before") + ranged.end(1)
            return "0" if re.search(r"\btabulate\s*\([^()]*\)\s*$", match["before"]) else None
        return None

    def declares(self, name: str) -> bool:
        """Whether it gives a name a meaning anywhere, be it as a parameter."""
        return name in self._scala.declared or re.search(rf"\b{name}\s*(?::(?!=)|=>|<-)", self._scala.code) is not None


def _fails(text: str, at: int) -> bool:
    """Whether a test says that making it is an error: on its line, or where the block around it opens above."""
    start = text.rfind("\n", 0, at) + 1
    above = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start]
    opens = above.rstrip().endswith(("{", "("))
    return _EXPECTED_TO_FAIL.search((above if opens else "") + text[start:at]) is not None
