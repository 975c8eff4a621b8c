"""What a Scala file defines and what it asks for, without a compiler: packages, objects with their members, imports.

An outline, not a parser: it follows braces and key words of Scala 2.13, and never fails. Names are qualified by the
packages and objects that they stand in; what stands in a class, trait or body is nobody else's business.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from ..say.scala_text import ScalaText

_T = TypeVar("_T", bound=Hashable)
_ID = r"(?:`[^`\n]+`|[A-Za-z_$][\w$]*)"
_PATH = rf"{_ID}(?:[ \t]*\.[ \t]*{_ID})*"
_TOKEN = re.compile(
    rf"""
    (?P<skip>//[^\n]*|/\*(?s:.*?)(?:\*/|\Z)|\"\"\"(?s:.*?)(?:\"\"\"+|\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])')
    |(?P<bracket>[{{}}()\[\]])
    |(?<![\w.$])package[ \t]+object[ \t]+(?P<package_object>{_ID})
    |(?<![\w.$])package[ \t]+(?P<package>{_PATH})
    |(?<![\w.$])(?P<kind>class|object|trait|type|def)[ \t]+(?P<name>{_ID})
    |(?<![\w.$])(?:val|var)[ \t]+(?P<values>(?:\([^()\n]*\)|[^={{}}()\[\];,\n])+(?:,[ \t]*\w+[ \t]*)*)
    |(?<![\w.$])import[ \t]+(?P<imports>(?:[^\n{{}};/]|\{{[^}}]*\}})+)
    """,
    re.VERBOSE,
)
_NAME = re.compile(_ID)
_TYPED = re.compile(r"(?<!:):(?!:)")
_IMPORT = re.compile(rf"(?P<path>{_PATH})[ \t]*\.[ \t]*(?P<selected>_|\{{(?P<several>[^}}]*)\}})|(?P<single>{_PATH})")
_WORD = re.compile(r"\w+")
_KEPT = 512  # texts: those of a check or two
_REFERENCE = re.compile(rf"(?<![\w.$`]){_ID}(?:\s*\.\s*{_ID})+")


@dataclass(frozen=True, slots=True)
class Import:
    """One selector: `path` is a package or object, `name` what is taken of it ("_": everything)."""

    path: str
    name: str


@dataclass(frozen=True)
class Outline:
    """members: qualified owner ("" for the empty package) -> names that it holds here; packages: those that the file
    stands in; package_objects: those it defines. Words and references are found when somebody asks."""

    members: dict[str, frozenset[str]]
    packages: frozenset[str]
    package_objects: frozenset[str]
    imports: tuple[Import, ...]

    @cached_property
    def definitions(self) -> frozenset[str]:
        """All qualified names."""
        return frozenset(
            f"{owner}.{name}" if owner else name for owner, names in self.members.items() for name in names
        )

    @cached_property
    def visible(self) -> frozenset[str]:
        """What it defines in its packages: whoever uses anything of it begins with one of these names."""
        return frozenset(name for owner in ("", *self.packages) for name in self.members.get(owner, ()))

    @cached_property
    def all_packages(self) -> frozenset[str]:
        """Its packages and those around them."""
        parts = [name.split(".") for name in self.packages if name]
        return frozenset(".".join(name[:end]) for name in parts for end in range(1, len(name) + 1))


@dataclass(frozen=True, slots=True)
class Uses:
    """Identifiers of a text, and its dotted paths."""

    words: frozenset[str]
    references: frozenset[str]


@lru_cache(maxsize=_KEPT)
def outline(text: str) -> Outline:
    """Read one file."""
    return _Reader(text).read()


@lru_cache(maxsize=_KEPT)
def words_of(text: str) -> frozenset[str]:
    """All words, those in comments and interpolated strings as well."""
    return frozenset(_WORD.findall(text))


@lru_cache(maxsize=_KEPT)
def names_declared(text: str) -> frozenset[str]:
    """Everything it declares, however deep inside."""
    return frozenset(ScalaText(text).declared)


def users_of(names: Iterable[str], texts: Mapping[_T, str]) -> list[_T]:
    """Which of some texts use one of some names, or what such a text defines in its packages, in the order found.

    Found from words: one text too many that is compiled again costs time only.
    """
    known: set[str] = set(names)
    found: dict[_T, None] = {}
    fresh = known
    while fresh:
        users = [key for key, text in texts.items() if key not in found and fresh & words_of(text)]
        found.update(dict.fromkeys(users))
        fresh = {name for key in users for name in outline(texts[key]).visible} - known
        known |= fresh
    return list(found)


def uses(text: str) -> Uses:
    """Which identifiers stand in the code of a file."""
    code = _TOKEN.sub(lambda match: " " if match["skip"] else match.group(0), text)
    words = frozenset(_plain(word) for word in _NAME.findall(code))
    return Uses(words, frozenset(re.sub(r"[\s`]", "", path) for path in _REFERENCE.findall(code)))


def _plain(name: str) -> str:
    return name.strip("`")


@dataclass(slots=True)
class _Scope:
    """What an open brace belongs to. owner: None in bodies whose names nobody sees from outside."""

    owner: str | None
    bracket: str = "{"


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._members: dict[str, set[str]] = {}
        self._packages: set[str] = set()
        self._package_objects: set[str] = set()
        self._imports: list[Import] = []
        self._stack: list[_Scope] = [_Scope("")]
        self._pending: tuple[str | None, int] | None = None  # the owner that the next brace at this depth opens

    def read(self) -> Outline:
        for token in _TOKEN.finditer(self._text):
            if token["bracket"]:
                self._bracket(token["bracket"])
            elif token["package_object"]:
                self._package_object(_plain(token["package_object"]))
            elif token["package"]:
                self._package(_joined(token["package"]), token.end())
            elif token["name"]:
                self._definition(token["kind"], _plain(token["name"]))
            elif token["values"]:
                self._values(token["values"])
            elif token["imports"]:
                self._imports += _imports(token["imports"])
        members = {owner: frozenset(names) for owner, names in self._members.items()}
        packages = frozenset(self._packages) or frozenset({""})
        return Outline(members, packages, frozenset(self._package_objects), tuple(self._imports))

    def _owner(self) -> str | None:
        return self._stack[-1].owner

    def _under(self, name: str) -> str | None:
        owner = self._owner()
        return None if owner is None else f"{owner}.{name}" if owner else name

    def _bracket(self, bracket: str) -> None:
        if bracket in "{([":
            owner = None
            if bracket == "{" and self._pending is not None and self._pending[1] == len(self._stack):
                owner, self._pending = self._pending[0], None
            self._stack.append(_Scope(owner, bracket))
        elif len(self._stack) > 1:
            self._stack.pop()
            if self._pending is not None and self._pending[1] > len(self._stack):
                self._pending = None

    def _package_object(self, name: str) -> None:
        owner = self._under(name)
        if owner is not None:
            self._package_objects.add(owner)
            self._packages.add(owner)
            self._members.setdefault(owner, set())
        self._pending = (owner, len(self._stack))

    def _package(self, path: str, end: int) -> None:
        owner = self._under(path)
        if owner is None:
            return
        self._packages.add(owner)
        if re.match(r"\s*\{", self._text[end : end + 200]):
            self._pending = (owner, len(self._stack))
        else:  # the rest of the block that it stands in
            self._stack[-1].owner = owner

    def _definition(self, kind: str, name: str) -> None:
        self._define([name])
        owner = self._under(name) if kind == "object" else None
        if owner is not None:
            self._members.setdefault(owner, set())
        self._pending = (owner, len(self._stack))

    def _values(self, pattern: str) -> None:
        self._define([_plain(name) for name in _NAME.findall(_TYPED.split(pattern)[0]) if name != "Nil"])
        if self._pending is not None and self._pending[1] == len(self._stack):
            self._pending = None

    def _define(self, names: list[str]) -> None:
        owner = self._owner()
        if owner is not None:
            self._members.setdefault(owner, set()).update(names)


def _joined(path: str) -> str:
    return re.sub(r"[\s`]", "", path)


def _imports(text: str) -> Iterator[Import]:
    for match in _IMPORT.finditer(text):
        if match["single"]:
            path, _, name = _joined(match["single"]).rpartition(".")
            if path:
                yield Import(path, name)
        elif match["several"] is None:
            yield Import(_joined(match["path"]), "_")
        else:
            for selector in match["several"].split(","):
                name = _plain(selector.split("=>")[0].strip())
                if name and not re.search(r"=>\s*_\s*$", selector):
                    yield Import(_joined(match["path"]), name)
