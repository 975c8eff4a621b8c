"""Surroundings nobody wishes for: no folder is open, five hundred files are, a disk takes nothing, a folder moves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.lsp import lsp_client
from tests.lsp.lsp_client import Client, at, running
from tests.lsp.sources import FAULTY, SCALE, kernels

pytestmark = pytest.mark.slow

FILES = 500


def memory_mb(pid: int) -> float:
    """Of a process and its children, what they share counted once (PSS)."""
    process = psutil.Process(pid)
    return float(sum(one.memory_full_info().pss for one in (process, *process.children(recursive=True)))) / 1e6


def ii_of(client: Client, uri: str) -> str:
    """The first hint's initiation interval."""
    return str(client.first_hints(uri)[0]["label"]).split()[1]


def test_a_client_without_folders(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(rootUri=None, workspaceFolders=None)
        uri = client.open((tmp_path / "a.cpp").as_uri(), FAULTY)
        assert len(client.first_hints(uri)) == 2
        assert {item["code"] for item in client.pull(uri)} == {"HLS101", "HLS109"}
        assert client.request("workspace/symbol", {"query": "scale"})[0]["name"].startswith("scale ")  # of what is open
        client.request("workspace/executeCommand", {"command": "hwml.pinBaseline"})
        assert client.end() == 0


def test_five_hundred_open_files(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.settings = {"debounceMs": 20}
        client.initialize(folder=tmp_path)
        uris = [client.open((tmp_path / f"f{n}.cpp").as_uri(), kernels(n % 5 + 1)) for n in range(FILES)]
        for number, uri in reversed(list(enumerate(uris))):  # the latest is the one that somebody looks at
            client.until(lambda uri=uri: client.pull_is_in(uri), f"analysis of {uri}")  # type: ignore[misc]
            assert len(client.hints(uri)) == number % 5 + 1
        client.change(uris[7], 2, at(4, 21, 4, 25, "II=4"))
        client.until(lambda: client.hints(uris[7])[0]["label"].startswith("II 4"), "hint of an edit among them")
        assert memory_mb(client.process.pid) < 300
        assert not [line for line in client.stderr if "ERROR" in line or "Traceback" in line]
        assert client.end() == 0


@pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="needs a mount namespace of its own: root on Linux",
)
def test_a_workspace_on_a_read_only_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "work"
    place.mkdir()
    (place / "a.cpp").write_text(SCALE, encoding="utf-8")
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/x" 2>/dev/null && exec "$@"'
    server = [sys.executable, "-m", "hwml_lsp"]
    monkeypatch.setattr(lsp_client, "COMMAND", ["unshare", "-m", "sh", "-c", script, str(place), *server])
    with running(tmp_path) as client:
        client.initialize(folder=place)
        uri = client.open((place / "a.cpp").as_uri(), SCALE)
        assert ii_of(client, uri) == "1"
        client.change(uri, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: ii_of(client, uri) == "4", "new hint")
        client.request("workspace/executeCommand", {"command": "hwml.pinBaseline"})  # the user's folder keeps it
        assert client.end() == 0
        assert not [line for line in client.stderr if "Traceback" in line]
    assert [item.name for item in place.iterdir()] == ["a.cpp"]


def test_a_folder_that_is_renamed(tmp_path: Path) -> None:
    """What is open under the old name lives on until it is closed; the new name is a workspace like any other."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    for name in ("a.cpp", "other.cpp"):
        (old / name).write_text(SCALE, encoding="utf-8")
    with running(tmp_path) as client:
        client.initialize(folder=old)
        uri = client.open((old / "a.cpp").as_uri(), SCALE)
        assert ii_of(client, uri) == "1"
        old.rename(new)
        gone = [{"uri": (old / name).as_uri(), "type": 3} for name in ("a.cpp", "other.cpp")]
        client.notify("workspace/didChangeWatchedFiles", {"changes": gone})
        client.change(uri, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: ii_of(client, uri) == "4", "hint under the old name")
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        event = {"added": [{"uri": new.as_uri(), "name": "new"}], "removed": [{"uri": old.as_uri(), "name": "old"}]}
        client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        moved = client.open((new / "a.cpp").as_uri(), SCALE)
        assert ii_of(client, moved) == "1"
        assert not [line for line in client.stderr if "Traceback" in line]
        assert client.end() == 0
