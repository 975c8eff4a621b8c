"""Pinned figures of a workspace, kept in the user's configuration folder: the workspace itself is never written to."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwml_sdk.config import user_config_dir
from hwml_sdk.document import Figures
from hwml_sdk.files import parse_json, read_bytes, write_atomic
from hwml_sdk.history import change

log = logging.getLogger("hwml_lsp.baselines")
SCHEMA_VERSION = 1
ByName = Mapping[str, Figures]


def figures_in(raw: Mapping[str, Any]) -> ByName:
    """Figures by name again, from JSON. AttributeError where it is none of ours."""
    return {str(name): Figures.from_dict(values) for name, values in raw.items()}


class Baselines:
    """Figures of functions by path. Two servers on one workspace see each other's pins when they pin themselves."""

    def __init__(self) -> None:
        self._place: Path | None = None
        self._pinned: dict[str, ByName] = {}

    def use(self, workspace: str) -> None:
        """Read what was pinned in a workspace before; a broken file pins nothing."""
        name = hashlib.sha256(workspace.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        self._place = user_config_dir() / "baselines" / f"{name}.json"
        self._pinned = self._read()

    def _read(self) -> dict[str, ByName]:
        if self._place is None:
            return {}
        try:
            raw = parse_json(read_bytes(self._place))
            files = raw["files"] if raw["schema_version"] == SCHEMA_VERSION else {}
            return {str(path): figures_in(raw) for path, raw in files.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("%s: no baseline: %s", self._place, error)
            return {}

    def pin(self, files: Mapping[str, ByName]) -> None:
        """Pin figures by path. HwmlError when they cannot be kept; they hold for this session then."""
        self._pinned = {**self._pinned, **files}
        if self._place is not None:
            self._pinned = {**self._read(), **self._pinned}
            self._write()

    def clear(self) -> None:
        """Forget all pins of the workspace. HwmlError when the file cannot be changed."""
        self._pinned = {}
        if self._place is not None and self._place.exists():
            self._write()

    def _write(self) -> None:
        assert self._place is not None
        files = {path: {name: item.known() for name, item in by.items()} for path, by in self._pinned.items()}
        content = {"schema_version": SCHEMA_VERSION, "files": files}
        write_atomic(self._place, json.dumps(content, indent=1, sort_keys=True) + "\n")

    def changes(self, path: str, now: ByName) -> dict[str, str] | None:
        """For each function what moved since the pin; None when nothing of the file is pinned."""
        pinned = self._pinned.get(path)
        if pinned is None:
            return None
        moved = {name: change(pinned[name], values) for name, values in now.items() if name in pinned}
        return {name: f"{text} since pin" for name, text in moved.items() if text}
