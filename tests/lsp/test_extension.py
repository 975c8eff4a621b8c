"""The VS Code extension as it lies in the tree: what it restricts, what it ships, and a lock file without addresses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.lsp.lsp_client import ROOT

from hwml_lsp import commands
from hwml_sdk import __version__

FOLDER = ROOT / "lsp_server" / "vscode"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
    return read


def test_the_lock_file_holds_no_address() -> None:
    text = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    assert not re.findall(r"https?://|\"resolved\"", text)
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)


def test_settings_that_name_programs_or_models_are_restricted(manifest: dict[str, Any]) -> None:
    """By name and by what their descriptions talk of, so that a new one is not forgotten."""
    settings = manifest["contributes"]["configuration"]["properties"]
    restricted = set(manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    for name, setting in settings.items():
        words = f"{name} {setting.get('description', '')} {setting.get('markdownDescription', '')}".lower()
        sensitive = re.search(r"\bprogram\b|interpreter|executable|endpoint|model folder|pip installs", words)
        if sensitive and setting.get("scope") != "machine":  # a workspace cannot set those of the machine
            assert name in restricted, name
    assert restricted <= set(settings)


def test_every_setting_is_described(manifest: dict[str, Any]) -> None:
    for name, setting in manifest["contributes"]["configuration"]["properties"].items():
        assert setting.get("description") or setting.get("markdownDescription"), name
        assert "default" in setting, name


def test_commands_do_not_clash_with_the_servers(manifest: dict[str, Any]) -> None:
    """The client library registers the server's commands under their own names."""
    own = {entry["command"] for entry in manifest["contributes"]["commands"]}
    assert own.isdisjoint(commands.COMMANDS)
    source = (FOLDER / "src" / "extension.ts").read_text(encoding="utf-8")
    for name in own:
        assert f"'{name}'" in source, name


def test_what_the_manifest_names_is_there(manifest: dict[str, Any]) -> None:
    assert (FOLDER / manifest["icon"]).is_file()
    assert manifest["version"] == __version__
    for walkthrough in manifest["contributes"]["walkthroughs"]:
        for step in walkthrough["steps"]:
            assert (FOLDER / step["media"]["markdown"]).is_file()
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for picture in re.findall(r"\]\(([^)]+\.png)\)", readme):
        assert (FOLDER / picture).is_file(), picture
