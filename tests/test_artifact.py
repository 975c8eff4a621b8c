"""Artefact folders: what is written comes back, and nothing else is accepted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk.artifact import MANIFEST, Artifact, resolve, write
from hwml_sdk.errors import ArtifactError, HwmlError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(
        tmp_path / "made",
        kind="qor",
        files={"model.onnx": b"\x00weights", "notes.md": b"# card\n"},
        config={"targets": ["lut"]},
        metrics={"lut": 0.9},
        provenance={"seed": 7},
    )
    return tmp_path / "made"


def _change(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    place = folder / MANIFEST
    manifest = json.loads(place.read_text(encoding="utf-8"))
    change(manifest)
    place.write_text(json.dumps(manifest), encoding="utf-8")


def test_round_trip(folder: Path) -> None:
    artifact = Artifact.load(folder, kind="qor")
    assert artifact.config == {"targets": ["lut"]}
    assert artifact.metrics == {"lut": 0.9}
    assert artifact.provenance == {"seed": 7}
    assert artifact.file("model.onnx").read_bytes() == b"\x00weights"
    with pytest.raises(ArtifactError, match=r"no file 'weights'.*model\.onnx"):
        artifact.file("weights")


def test_writing_again_replaces_the_whole_folder(folder: Path) -> None:
    write(folder, kind="qor", files={"other.bin": b"1"}, config={}, metrics={}, provenance={})
    assert sorted(p.name for p in folder.iterdir()) == [MANIFEST, "other.bin"]
    assert [p.name for p in folder.parent.iterdir()] == ["made"]


def test_a_changed_file_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"\x00weighty")
    with pytest.raises(ArtifactError, match=r"model\.onnx: sha256 does not match"):
        Artifact.load(folder, kind="qor")
    assert Artifact.load(folder, kind="qor", verify=False).kind == "qor"


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "notes.md").unlink()
    with pytest.raises(ArtifactError, match=r"notes\.md: listed .* cannot be read"):
        Artifact.load(folder, kind="qor")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(format_version=2), "format_version 2 is not 1"),
        (lambda m: m.pop("format_version"), "format_version None"),
        (lambda m: m.update(extra=1), "unknown or missing keys: extra"),
        (lambda m: m.pop("metrics"), "unknown or missing keys: metrics"),
        (lambda m: m.update(kind="cost_model"), "holds a 'cost_model' artefact, 'qor' was expected"),
        (lambda m: m.update(config=[]), "config must be a JSON object"),
        (lambda m: m["files"].update({"../evil": "0"}), r"'\.\./evil' is not allowed"),
        (lambda m: m["files"].update({"/etc/passwd": "0"}), "is not allowed"),
        (lambda m: m["files"].update({".hidden": "0"}), "is not allowed"),
        (lambda m: m["files"].update({MANIFEST: "0"}), "is not allowed"),
        (lambda m: m["files"].update({"": "0"}), "is not allowed"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    _change(folder, change)
    with pytest.raises(ArtifactError, match=message):
        Artifact.load(folder, kind="qor")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_broken_manifest_is_refused(folder: Path, text: bytes) -> None:
    (folder / MANIFEST).write_bytes(text)
    with pytest.raises(ArtifactError, match=MANIFEST):
        Artifact.load(folder, kind="qor")


def test_no_folder_and_no_such_name(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such artefact folder"):
        resolve(tmp_path / "none")
    with pytest.raises(ArtifactError, match="no shipped artefact 'nothing'"):
        resolve("nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArtifactError, match="cannot read"):
        Artifact.load(tmp_path / "empty", kind="qor")


def test_names_that_leave_the_folder_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not allowed"):
        write(tmp_path / "made", kind="qor", files={"../evil": b""}, config={}, metrics={}, provenance={})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(HwmlError, match="cannot write"):
            write(tmp_path / "made", kind="qor", files={}, config={}, metrics={}, provenance={})
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(HwmlError, match="cannot write"):
        write(tmp_path / "file" / "made", kind="qor", files={}, config={}, metrics={}, provenance={})
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_a_failed_write_leaves_the_old_folder(folder: Path) -> None:
    class Broken(dict[str, Any]):
        pass

    with pytest.raises(TypeError):
        write(folder, kind="qor", files={}, config={"bad": object()}, metrics={}, provenance={})
    assert Artifact.load(folder, kind="qor").metrics == {"lut": 0.9}
    assert [p.name for p in folder.parent.iterdir()] == ["made"]
