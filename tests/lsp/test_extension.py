"""The VS Code extension as it lies in the tree: what it restricts, what it ships, and a lock file without addresses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from tests.lsp.lsp_client import ROOT

from hwml_lsp import commands
from hwml_sdk import __version__

FOLDER = ROOT / "lsp_server" / "vscode"


def settings_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """All settings, whatever group they stand in."""
    return {
        name: item for group in manifest["contributes"]["configuration"] for name, item in group["properties"].items()
    }


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
    settings = settings_of(manifest)
    restricted = set(manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"])
    for name, setting in settings.items():
        words = f"{name} {setting.get('description', '')} {setting.get('markdownDescription', '')}".lower()
        sensitive = re.search(r"\bprogram\b|interpreter|executable|endpoint|model folder|pip installs", words)
        if sensitive and setting.get("scope") != "machine":  # a workspace cannot set those of the machine
            assert name in restricted, name
    assert restricted <= set(settings)


def test_every_setting_is_described(manifest: dict[str, Any]) -> None:
    for name, setting in settings_of(manifest).items():
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
            media = step["media"]
            assert (FOLDER / media.get("markdown", media.get("image"))).is_file()
            own = {entry["command"] for entry in manifest["contributes"]["commands"]}
            named = re.findall(r"\(command:(hwml\.\w+)\)", step["description"])
            assert set(named) <= own
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for picture in re.findall(r"\]\(([^)]+\.png)\)", readme):
        assert (FOLDER / picture).is_file(), picture


def test_what_people_see_before_they_install(manifest: dict[str, Any]) -> None:
    """A gallery takes at most 30 keywords; settings stand in groups; the page says what is measured of people."""
    assert 5 <= len(manifest["keywords"]) <= 30
    assert manifest["galleryBanner"]["theme"] in ("dark", "light")
    assert len({group["title"] for group in manifest["contributes"]["configuration"]}) >= 5
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert "## Telemetry" in readme
    sources = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "src").glob("*.ts"))
    assert not re.search(r"createTelemetryLogger|fetch\(|https?\.request", sources), "nothing is sent, as the page says"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://forge.example.org/team/hwml.git", "https://forge.example.org/team/hwml"),
        ("https://me:secret@forge.example.org/team/hwml", "https://forge.example.org/team/hwml"),
        ("git@forge.example.org:team/hwml.git\n", "https://forge.example.org/team/hwml"),
        ("ssh://git@forge.example.org:2222/team/hwml.git", "https://forge.example.org/team/hwml"),
        ("/home/me/hwml", None),
        ("../hwml", None),
        ("", None),
    ],
)
def test_the_packed_manifest_names_the_repository_where_git_knows_it(
    manifest: dict[str, Any], remote: str, address: str | None
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    script = f"""
        import {{ packed, webAddress }} from {json.dumps(str(FOLDER / "scripts" / "manifest.mjs"))};
        console.log(JSON.stringify(packed({json.dumps(manifest)}, webAddress({json.dumps(remote)}))));
    """
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    made = json.loads(done.stdout)
    assert "scripts" not in made
    found = (made.get("repository", {}).get("url"), made.get("bugs", {}).get("url"), made.get("homepage"))
    wanted = (f"{address}.git", f"{address}/issues", f"{address}#readme")
    assert found == (wanted if address else (None, None, None))
