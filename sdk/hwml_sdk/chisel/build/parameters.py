"""Values for the parameters of a module: from places of its project that make one.

Literal arguments are taken as they are. Other names are followed, as far as texts tell, to where they get a value: a
`val` of the same file, a counter's first value, a parameter of the class around, which is looked for in the same way.
What comes out only is tried: the compiler says whether it means anything in the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..say.calls import classes_in
from ..say.literal_calls import Site, Written, one_line, written
from .index import Index, SourceFile, index_of, text_of
from .outline import Outline, outline
from .project import neighbourhood, project_folder

_OF_EACH = 4
_SITES = 12  # places looked at for one class
_DEPTH = 8  # classes around each other
_LONGEST = 400
_SIMPLE = re.compile(r"[\w.]+(?:\((?:[^()]|\([^()]*\))*\))?(?:\.\w+)*|\([^()]*\)|\"[^\"]*\"")


def calls_in_project(
    path: Path,
    text: str,
    roots: Sequence[Path] = (),
    may_join: Callable[[Path], bool] | None = None,
) -> tuple[tuple[str, str], ...]:
    """(expression, origin) of instances of the classes of a document, from its project, nearest first; of each class
    the first few.

    roots: what a build says is compiled together; tests and mains of the project are looked at as well.
    may_join: whether what a file says may be run (None: any).
    """
    search = _Search(path.absolute(), text, _indices(path, roots), may_join or (lambda _: True))
    return tuple(item for name in sorted(classes_in(text)) for item in search.calls(name))


def _indices(path: Path, roots: Sequence[Path]) -> list[Index]:
    """The files that a check looks at anyway, then the whole project where these are not all of it."""
    around = neighbourhood(path, roots)
    whole = project_folder(path)
    found = [index_of(around.roots, deep=around.deep)]
    if whole is not None and whole not in around.roots:
        found.append(index_of((whole,)))
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """A text that makes things: the document as it is typed, or a file."""

    path: Path
    source: Written
    outline: Outline

    def origin(self, site: Site) -> str:
        return f"{self.path.name}:{self.source.line(site.start)}"


@dataclass
class _Search:
    """From the classes of a document to expressions that make them."""

    path: Path
    text: str
    indices: Sequence[Index]
    may_join: Callable[[Path], bool]
    following: list[str] = field(default_factory=list)  # classes whose parameters are being looked for
    known: dict[tuple[Path, str, str], str | None] = field(default_factory=dict)  # parameters that were looked for

    def calls(self, name: str) -> Iterator[tuple[str, str]]:
        found: dict[str, str] = {}
        for place, site in self._sites(name):
            words = self._resolved(place, site.arguments, site.end)
            expression = f"{' '.join(site.head.split())}{words}"
            if words is not None and len(expression) <= _LONGEST:
                found.setdefault(expression, place.origin(site))
            if len(found) >= _OF_EACH:
                break
        yield from found.items()

    def _sites(self, name: str) -> Iterator[tuple[_Place, Site]]:
        """Places that make a class: in the document, then in the nearest files."""
        count = 0
        for place in self._places(name):
            for site in place.source.sites:
                if site.name == name and count < _SITES:
                    count += 1
                    yield place, site

    def _places(self, name: str) -> Iterator[_Place]:
        yield _Place(self.path, written(self.text), outline(self.text))
        seen: set[Path] = set()
        for index in self.indices:
            for file in index.makers(self.path, frozenset({name})):
                if file.path not in seen and self.may_join(file.path):
                    seen.add(file.path)
                    yield self._place(file)

    def _place(self, file: SourceFile) -> _Place:
        return _Place(file.path, written(text_of(file.path)), file.outline)

    def _resolved(self, place: _Place, start: int, end: int) -> str | None:
        """A part of a text with its names replaced by what they stand for, in one line; None where nobody knows."""
        source = place.source
        if not source.is_plain(start, end):
            return None
        pieces, at = [], start
        names = [(offset, name, self._named(place, name, offset)) for name, offset in source.names(start, end)]
        names += [(offset, name, self._qualified(place, name)) for name, offset in source.objects(start, end)]
        for offset, name, value in sorted(names):
            if value is None:
                return None
            pieces += [source.plain[at:offset], value]
            at = offset + len(name)
        return one_line("".join([*pieces, source.plain[at:end]]))

    def _named(self, place: _Place, name: str, offset: int) -> str | None:
        """What a name means at a place; a name that is declared elsewhere stays as it is."""
        value = place.source.value_at(name, offset)
        if isinstance(value, str):
            return value
        if value is not None:
            return self._inside(self._resolved(place, *value))
        around = place.source.class_at(offset)
        if around is not None and name in around.parameters:
            key = (place.path, around.name, name)
            if key not in self.known:
                self.known[key] = self._parameter(place, around.name, around.parameters, name)
            return self._inside(self.known[key])
        return None if place.source.declares(name) else self._qualified(place, name)

    def _inside(self, words: str | None) -> str | None:
        return words if words is None or _SIMPLE.fullmatch(words) else f"({words})"

    def _parameter(
        self, place: _Place, owner: str, parameters: dict[str, tuple[int, int] | None], name: str
    ) -> str | None:
        """The argument that the first place gives that makes a class, else the default."""
        if owner not in self.following and len(self.following) < _DEPTH:
            self.following.append(owner)
            try:
                for maker, site in self._sites(owner):
                    part = _argument(maker.source, site, list(parameters), name)
                    words = self._resolved(maker, *part) if part is not None else None
                    if words is not None:
                        return words
            finally:
                self.following.pop()
        default = parameters[name]
        return self._resolved(place, *default) if default is not None else None

    def _qualified(self, place: _Place, name: str) -> str:
        """A name with its package or object, where the document does not stand in that."""
        here = {"", *outline(self.text).packages, *outline(self.text).all_packages}
        owners = [*sorted(place.outline.packages), *sorted(place.outline.all_packages)]
        owners += [item.path for item in place.outline.imports if item.name in ("_", name)]
        for owner in owners:
            if any(name in index.by_owner.get(owner, {}) for index in self.indices):
                return name if owner in here else f"{owner}.{name}"
        return name


def _argument(source: Written, site: Site, parameters: Sequence[str], name: str) -> tuple[int, int] | None:
    """Where the argument for a parameter stands."""
    for position, (named, start, end) in enumerate(source.arguments(site)):
        given = named or (parameters[position] if position < len(parameters) else "")
        if given == name:
            return start, end
    return None
