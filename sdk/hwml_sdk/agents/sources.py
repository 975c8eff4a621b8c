"""What a tool is asked about: a file below the folders that the client opened, or a text, with its settings.

Nothing else is ever read for an agent: a name counts by where its links lead, and it is refused before anything is said
of whether it is there. Trust comes from the user's own list: no argument can grant it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..config import Settings, load_settings, merge
from ..document import provider_for
from ..errors import RefusedError, SourceError
from ..files import MAX_SOURCE_BYTES, read_source
from ..languages import Language, titles
from ..reach import Reach, reading_below
from ..text import with_newlines

MAX_TEXT_BYTES = 2 * 1024 * 1024
MAX_NAME = 255  # bytes of one part of a path, in all file systems that people use
_SHOWN = 4  # folders that an error message names


@dataclass(frozen=True, slots=True)
class Source:
    """A text, the name it goes by, and its settings. is_file: whether it lies (or would lie) at `path`."""

    path: str
    text: str
    settings: Settings
    is_file: bool


@dataclass(frozen=True, slots=True)
class Folders:
    """What may be read: files below a folder of each list that is given. None: such a list was not given.

    roots: the client's; allowed: those of `--root`. own: hwml's places (`reach`).
    """

    roots: tuple[Path, ...] | None = None
    allowed: tuple[Path, ...] | None = None
    own: tuple[Path, ...] = field(default=())

    @property
    def readable(self) -> tuple[Path, ...]:
        """The folders below which files may be read; none where nobody gave any."""
        if self.roots is None or self.allowed is None:
            return self.roots or self.allowed or ()
        return tuple(
            inner for root in self.roots for allowed in self.allowed if (inner := _inner(root, allowed)) is not None
        )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside the block nothing else is read."""
        with reading_below(Reach(self.readable, self.own)):
            yield

    def place(self, name: str) -> Path:
        """The file that an argument names. Raises RefusedError outside the folders, SourceError for no name."""
        folders = self.readable
        if "\0" in name or not name.strip() or any(len(os.fsencode(part)) > MAX_NAME for part in Path(name).parts):
            raise SourceError("is no name of a file", path=repr(name[:80]))
        if not folders:
            raise RefusedError(
                f"{name[:200]}: no folder is open, so no file is read: pass the source as `text`, or let the client "
                "give its roots, or start hwml mcp with --root FOLDER"
            )
        given = _from_uri(name)
        reach = Reach(folders)
        candidates = [given] if given.is_absolute() else [folder / given for folder in folders]
        inside = [place for place in candidates if reach.holds(place)]
        if not inside:
            shown = ", ".join(map(str, folders[:_SHOWN])) + (", ..." if len(folders) > _SHOWN else "")
            raise RefusedError(f"{name[:200]}: lies outside the folders that this client opened ({shown})")
        return next((place for place in inside if place.exists()), inside[0])


def _inner(a: Path, b: Path) -> Path | None:
    """The part that two folders have in common: one of them, where it lies in the other."""
    if Reach((b,)).holds(a):
        return a
    return b if Reach((a,)).holds(b) else None


def _from_uri(name: str) -> Path:
    """`file:///home/me/k.cpp` as a path, which may also be given as it is."""
    if not name.startswith("file:"):
        return Path(name)
    return Path(unquote(urlsplit(name).path))


def source_of(
    arguments: Mapping[str, Any], folders: Folders, language: Language, *, path: str = "path", text: str = "text"
) -> Source:
    """The source that two arguments name: a text goes before the file of the name it is given.

    Raises HwmlError in words for an agent.
    """
    name, given = arguments.get(path), arguments.get(text)
    if given is None and name is None:
        raise SourceError(f"give `{path}`, a file below the open folders, or `{text}`, the source itself")
    if given is not None and len(given.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
        size = len(given.encode("utf-8", "replace")) / 1e6
        raise SourceError(
            f"`{text}` is {size:.1f} MB, over the limit of {MAX_TEXT_BYTES >> 20} MB: pass the part it is about"
        )
    if name is None:
        settings = _chosen(Settings(), arguments, language)
        suffix = ".cpp" if ".cpp" in language.sources else language.sources[0]  # a text may be C++
        return Source(f"text{suffix}", with_newlines(given or ""), settings, is_file=False)
    place = folders.place(name)
    if place.suffix.lower() not in language.suffixes:
        raise SourceError(f"is no {titles([language])} file (by its name)", path=place)
    settings = _chosen(load_settings(place), arguments, language)
    content = given if given is not None else read_source(place, max_bytes=min(MAX_SOURCE_BYTES, MAX_TEXT_BYTES))
    return Source(str(place), with_newlines(content), settings, is_file=True)


_OPTIONS = ("top", "part", "clock")
_PLAIN = ("tool", "tool_version", "stage")


def _chosen(settings: Settings, arguments: Mapping[str, Any], language: Language) -> Settings:
    """The settings with what the arguments say over them."""
    options = {key: str(arguments[key]) for key in _OPTIONS if arguments.get(key) is not None}
    settings = provider_for(language).with_options(settings, options) if options else settings
    plain = {key: arguments[key] for key in _PLAIN if arguments.get(key) is not None}
    settings = merge(settings, {language.name: plain}, origin="argument") if plain else settings
    origins = {key: "argument" if value == "command line" else value for key, value in settings.origins.items()}
    return replace(settings, origins=origins)
