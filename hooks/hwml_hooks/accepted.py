"""Growth that somebody accepted in words: `hwml.accepted.json` at the top of the repository, to be committed with it.

An entry holds for the figures it names and those below them: what grows further is told anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwml_sdk.document import Design, Figures
from hwml_sdk.errors import ConfigError
from hwml_sdk.files import parse_json, read_bytes, write_atomic
from hwml_sdk.git import repository_of

FILE_NAME = "hwml.accepted.json"
FORMAT_VERSION = 1
MAX_WORDS = 300


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted in one repository: (path from its top, top function) -> figures and words."""

    place: Path
    entries: Mapping[tuple[str, str], Mapping[str, Any]]

    @classmethod
    def of(cls, path: Path) -> Accepted:
        """Of the repository that holds `path`; empty where nothing was accepted. Raises ConfigError."""
        repository = repository_of(path)
        place = (path.parent if repository is None else repository.top) / FILE_NAME
        if not place.is_file():
            return cls(place, {})
        try:
            stored = parse_json(read_bytes(place))
            if stored["format_version"] != FORMAT_VERSION:
                raise ValueError("another version")
            entries = {
                (str(e["path"]), str(e["top"])): {**e, "figures": dict(e["figures"])} for e in stored["accepted"]
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"is not what hwml-check-qor --accept writes ({error}); delete it", path=place) from error
        return cls(place, entries)

    def holds(self, path: Path, design: Design) -> bool:
        """Whether all known figures of a design are among what was accepted of it."""
        entry = self.entries.get(self._key(path, design.top))
        if entry is None:
            return False
        allowed = Figures.from_dict(entry["figures"]).known()
        return all(value <= allowed.get(key, -1) for key, value in design.figures.known().items())

    def with_entry(self, path: Path, design: Design, words: str) -> Accepted:
        """The same, and a design as it is now; an older entry of it goes."""
        key = self._key(path, design.top)
        entry = {"path": key[0], "top": key[1], "figures": design.figures.known(), "why": words[:MAX_WORDS]}
        return Accepted(self.place, {**self.entries, key: entry})

    def write(self) -> None:
        """Into the file, whole. Raises HwmlError."""
        listed = [self.entries[key] for key in sorted(self.entries)]
        text = json.dumps({"format_version": FORMAT_VERSION, "accepted": listed}, indent=1, ensure_ascii=False)
        write_atomic(self.place, f"{text}\n".encode())

    def _key(self, path: Path, top: str) -> tuple[str, str]:
        inside = path.resolve()
        root = self.place.parent.resolve()
        return (inside.relative_to(root).as_posix() if inside.is_relative_to(root) else inside.as_posix(), top)
