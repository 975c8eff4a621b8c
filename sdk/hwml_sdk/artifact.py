"""Trained artefacts: a folder that a text editor can check, with a hash for every file.

Format (`artifact.json`, UTF-8 JSON, format version 1):

    kind            what the folder holds: "qor", "cost_model", ...
    format_version  1
    config          what inference needs besides the files (plain JSON)
    metrics         held-out figures
    provenance      data, seed and commit the artefact came from
    files           {file name: sha256 in hex} for every other file of the folder
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import ArtifactError
from .files import parse_json, read_bytes, replace_folder

FORMAT_VERSION = 1
MANIFEST = "artifact.json"
MAX_FILE_BYTES = 512 * 1024 * 1024
_KEYS = {"kind", "format_version", "config", "metrics", "provenance", "files"}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified artefact folder."""

    path: Path
    kind: str
    config: dict[str, Any]
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    files: dict[str, str]

    @classmethod
    def load(cls, path: str | Path, *, kind: str, verify: bool = True) -> Artifact:
        """Read `path` (a folder, or the name of a shipped artefact) and check every file against its hash.

        Raises ArtifactError: missing or broken manifest, other kind, unknown version or key, wrong hash, missing file.
        """
        folder = resolve(path)
        manifest = _read_manifest(folder, kind)
        files = manifest["files"]
        _check_names(folder, files)
        if verify:
            for name, digest in files.items():
                _verify(folder / name, digest)
        return cls(folder, kind, manifest["config"], manifest["metrics"], manifest["provenance"], dict(files))

    def file(self, name: str) -> Path:
        """Path of one file of the artefact; ArtifactError when the manifest does not list it."""
        if name not in self.files:
            raise ArtifactError(f"{self.path}: the artefact has no file {name!r}; it lists {', '.join(self.files)}")
        return self.path / name


def write(
    path: str | Path,
    *,
    kind: str,
    files: Mapping[str, bytes],
    config: Mapping[str, Any],
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Artifact:
    """Write an artefact folder whole (temporary folder, then rename) and return it as loaded back."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    _check_names(Path(path), digests)
    manifest = {
        "kind": kind,
        "format_version": FORMAT_VERSION,
        "config": dict(config),
        "metrics": dict(metrics),
        "provenance": dict(provenance),
        "files": digests,
    }
    with replace_folder(path) as folder:
        for name, data in files.items():
            (folder / name).write_bytes(data)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Artifact.load(Path(path), kind=kind)


def kind_of(path: str | Path) -> str:
    """What a folder, or a shipped artefact's name, says it holds; "" where that cannot be read (`load` says why)."""
    try:
        manifest = parse_json(read_bytes(resolve(path) / MANIFEST, max_bytes=MAX_FILE_BYTES))
    except (ArtifactError, OSError, ValueError):
        return ""
    return str(manifest.get("kind", "")) if isinstance(manifest, dict) else ""


def shipped(name: str) -> Path | None:
    """Folder of the artefact `name` that ships with hwml, or None."""
    folder = Path(str(resources.files("hwml_exports"))) / name
    return folder if (folder / MANIFEST).is_file() else None


def resolve(path: str | Path) -> Path:
    """A folder as it is; a bare name through `shipped`. ArtifactError when there is neither."""
    folder = Path(path)
    if isinstance(path, str) and not folder.exists() and "/" not in path and "\\" not in path:
        found = shipped(path)
        if found is None:
            raise ArtifactError(f"no shipped artefact {path!r} and no such folder; train one with python -m sdk.train")
        return found
    if not folder.is_dir():
        raise ArtifactError(f"{folder}: no such artefact folder")
    if folder == Path(str(path)) and not (folder / MANIFEST).is_file() and isinstance(path, str):
        found = shipped(path) if "/" not in path else None
        return found or folder
    return folder


def _read_manifest(folder: Path, kind: str) -> dict[str, Any]:
    place = folder / MANIFEST
    try:
        manifest = parse_json(read_bytes(place, max_bytes=MAX_FILE_BYTES))
    except OSError as error:
        raise ArtifactError(f"{place}: cannot read: {error.strerror or error}") from error
    except ValueError as error:
        raise ArtifactError(f"{place}: not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ArtifactError(f"{place}: a JSON object was expected")
    version = manifest.get("format_version")
    if version != FORMAT_VERSION:
        raise ArtifactError(f"{place}: format_version {version!r} is not {FORMAT_VERSION}; update hwml or retrain")
    if set(manifest) != _KEYS:
        odd = ", ".join(sorted(set(manifest) ^ _KEYS))
        raise ArtifactError(f"{place}: unknown or missing keys: {odd}")
    if manifest["kind"] != kind:
        raise ArtifactError(f"{place}: holds a {manifest['kind']!r} artefact, {kind!r} was expected")
    for key in ("config", "metrics", "provenance", "files"):
        if not isinstance(manifest[key], dict):
            raise ArtifactError(f"{place}: {key} must be a JSON object")
    return manifest


def _check_names(folder: Path, files: Mapping[str, Any]) -> None:
    """File names must stay inside the folder: a manifest is data somebody else may have written."""
    for name in files:
        if not name or name == MANIFEST or name != Path(name).name or name.startswith("."):
            raise ArtifactError(f"{folder / MANIFEST}: file name {name!r} is not allowed")


def _verify(path: Path, digest: Any) -> None:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ArtifactError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB")
        actual = hashlib.sha256(read_bytes(path, max_bytes=MAX_FILE_BYTES)).hexdigest()
    except OSError as error:
        raise ArtifactError(f"{path}: listed in {MANIFEST} but cannot be read: {error.strerror or error}") from error
    if actual != digest:
        raise ArtifactError(f"{path}: sha256 does not match {MANIFEST}: the file was changed; reinstall or retrain")
