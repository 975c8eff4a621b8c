"""Settings: pulled, pushed, at start; per folder; wrong ones; and files of the workspace that change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import FULL, TIMEOUT_S, Client, running
from tests.lsp.sources import FAULTY, SCALE

from hwml_lsp.settings import ClientSettings, known_names, read_settings

PART = "xczu9eg-ffvb1156-2-e"


def started(client: Client, folder: Path, settings: dict[str, Any], name: str = "s.cpp", text: str = SCALE) -> str:
    client.settings = settings
    client.initialize(folder=folder)
    uri = client.open((folder / name).as_uri(), text)
    client.hints(uri)
    return uri


def test_pulled_settings_hold_from_the_first_result_on(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {"hls": {"part": PART}, "inlayHints": {"functions": "always"}})
        assert f"{PART} (editor)" in client.hover(uri, 2, 7)
        assert [h["position"]["line"] for h in client.hints(uri)] == [2, 4]


def test_changed_settings_change_what_is_shown(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {}, text=FAULTY)
        assert client.pull(uri)
        client.settings = {"diagnostics": {"enable": False}, "codeLens": {"enable": False}, "hls": {"part": PART}}
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        client.until(lambda: PART in client.hover(uri, 2, 7), "new part")
        assert client.pull(uri) == []
        assert client.lenses(uri) == []


def test_a_switch_that_changes_no_figure_has_the_client_ask_again(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {})
        assert client.hints(uri)
        client.pull(uri)
        told = len(client.requests)
        client.settings = {"inlayHints": {"enable": False}}
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        refresh = "workspace/inlayHint/refresh"
        client.until(lambda: any(r["method"] == refresh for r in client.requests[told:]), "refresh")
        assert client.hints(uri) == []


@pytest.mark.parametrize("wrapped", [True, False])
def test_settings_at_start_and_pushed_ones(tmp_path: Path, wrapped: bool) -> None:
    values = {"hls": {"clock_period_ns": 5}}
    capabilities = {**FULL, "workspace": {}}
    with running(tmp_path) as client:
        client.initialize(capabilities, tmp_path, initializationOptions={"hwml": values} if wrapped else values)
        uri = client.open((tmp_path / "s.cpp").as_uri(), SCALE)
        client.hints(uri)
        assert "5 ns (editor)" in client.hover(uri, 2, 7)
        client.notify("workspace/didChangeConfiguration", {"settings": {"hwml": {"hls": {"clock_period_ns": 4}}}})
        client.until(lambda: "4 ns (editor)" in client.hover(uri, 2, 7), "new clock")


def test_each_wrong_setting_is_told_once_and_the_rest_holds(tmp_path: Path) -> None:
    wrong = {"hls": {"part": 5, "clock_period_ns": 8}, "debounceMs": "soon", "inlayHints": {"functions": "maybe"}}
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {**wrong, "unheardOf": 1})
        said = [n["params"]["message"] for n in client.notifications if n["method"] == "window/showMessage"]
        assert len(said) == 4
        for word in ("hls.part", "debounceMs", "inlayHints.functions", "unheardOf"):
            (message,) = [text for text in said if word in text]
            assert "the default is used" in message
        assert "8 ns (editor)" in client.hover(uri, 2, 7)


def test_folders_of_one_workspace_have_settings_of_their_own(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, clock in zip(folders, (3, 6), strict=True):
        folder.mkdir()
        (folder / "hwml.toml").write_text(f"[hls]\nclock_period_ns = {clock}\n", encoding="utf-8")
    with running(tmp_path) as client:
        client.initialize(folder=folders[0], workspaceFolders=[{"uri": f.as_uri(), "name": f.name} for f in folders])
        for folder, clock in zip(folders, (3, 6), strict=True):
            uri = client.open((folder / "s.cpp").as_uri(), SCALE)
            client.hints(uri)
            assert f"{clock} ns (hwml.toml)" in client.hover(uri, 2, 7)
        assert any(r["method"] == "workspace/configuration" and len(r["params"]["items"]) == 3 for r in client.requests)


def test_a_changed_settings_file_is_read_again(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {})
        toml = tmp_path / "hwml.toml"
        toml.write_text("[hls]\nclock_period_ns = 3\n", encoding="utf-8")
        client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": toml.as_uri(), "type": 1}]})
        client.until(lambda: "3 ns (hwml.toml)" in client.hover(uri, 2, 7), "new clock")
        watched = next(r for r in client.requests if r["method"] == "client/registerCapability")
        assert "**/hwml.toml" in str(watched)


@pytest.mark.parametrize("content", ["[hls\n", "[hls]\nmodel = '/evil'\n", "[nonsense]\nx = 1\n", "\xff"])
def test_a_broken_settings_file_is_told_and_does_not_silence_the_server(tmp_path: Path, content: str) -> None:
    (tmp_path / "hwml.toml").write_text(content, encoding="latin-1")
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {})
        assert len(client.hints(uri)) == 1
        assert "hwml.toml" in client.notified("window/logMessage")["message"]


def test_an_unknown_part_is_told_and_no_number_is_made_up(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {"hls": {"part": "nonsense9000"}}, text=FAULTY)
        assert client.lenses(uri) == []
        assert "HLS101" in {item["code"] for item in client.pull(uri)}  # the lint needs no part
        assert "nonsense9000" in client.notified("window/logMessage")["message"]


@pytest.mark.parametrize("raw", [None, {}, {"hls": {"part": ""}}, {"hls": {"trip_count": 0, "clock_period_ns": None}}])
def test_blank_values_are_no_settings(raw: Any) -> None:
    assert read_settings(raw) == (ClientSettings(), ())


@pytest.mark.parametrize("raw", [5, "x", [1], True])
def test_settings_that_are_no_object(raw: Any) -> None:
    settings, problems = read_settings(raw)
    assert settings == ClientSettings()
    assert len(problems) == 1


def test_dotted_and_nested_names_mean_the_same() -> None:
    assert read_settings({"hwml.hls.part": PART}) == read_settings({"hls": {"part": PART}})


def test_the_extension_declares_every_setting_the_server_reads() -> None:
    import json

    from tests.lsp.lsp_client import ROOT

    manifest = json.loads((ROOT / "lsp_server" / "vscode" / "package.json").read_text(encoding="utf-8"))
    declared = {name for group in manifest["contributes"]["configuration"] for name in group["properties"]}
    assert {f"hwml.{name}" for name in known_names()} <= declared


def test_mistakes_in_settings_files_stand_where_they_are_written(tmp_path: Path) -> None:
    """An unknown key and an unknown part, each with the nearest name as a fix; corrected, nothing is found."""
    wrong = '[hls]\nprat = "x"\npart = "xc7z02"\n'
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "hwml.toml").as_uri(), wrong, "toml")
        found = client.until(lambda: client.pull(uri), "findings")
        assert [(item["range"]["start"]["line"], item["code"]) for item in found] == [(1, "HWML002"), (2, "HWML002")]
        titles = [action["title"] for action in client.actions(uri, 1, ["quickfix"])]
        assert titles == ["Write part (verified)"]
        assert "xc7z020" in str(client.actions(uri, 2, ["quickfix"]))
        client.change(uri, 2, {"text": '[hls]\npart = "xc7z020"\n'})
        client.until(lambda: client.pull(uri) == [], "nothing to find")
        config = client.open((tmp_path / "hls_config.cfg").as_uri(), "part=xczu9eg\nsyn.file=none.cpp\n", "ini")
        (item,) = client.until(lambda: client.pull(config), "findings")
        assert (item["range"]["start"]["line"], "none.cpp" in item["message"]) == (1, True)
        assert client.hints(uri) == client.lenses(config) == []


def test_the_status_says_why_there_are_no_figures(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {"hls": {"part": "nonsense9000"}}, text=FAULTY)
        client.pull(uri)
        status = client.notified("hwml/status", lambda p: p["uri"] == uri and p["message"])
        assert "nonsense9000" in status["message"]


def test_null_takes_settings_back_and_a_folder_that_leaves_takes_its_own_along(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        uri = started(client, tmp_path, {"inlayHints": {"enable": False}})
        assert client.hints(uri) == []
        client.settings = {}  # the client answers null from now on
        client.notify("workspace/didChangeConfiguration", {"settings": None})
        client.until(lambda: client.hints(uri), "hints again")


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Its pipe stays open, as a child of the client may hold it."""
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path, processId=parent.pid)
        parent.communicate()
        assert client.process.wait(timeout=TIMEOUT_S) == 1
