"""The release recipe on the files of this repository: its tag is the one that docs/hooks.md tells people to write."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hwml_sdk import __version__

ROOT = Path(__file__).resolve().parents[1]
FILES = (
    ".ci/release", ".pre-commit-hooks.yaml", "pyproject.toml", "CHANGELOG.md", "docs/hooks.md",
    "sdk/hwml_sdk/__init__.py", "lsp_server/vscode/package.json", "lsp_server/vscode/package-lock.json",
)  # fmt: skip


class Checkout:
    """Those files in a repository of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = folder.parent / "gitconfig"
        config.write_text("[user]\nname = T\nemail = t@example.org\n[init]\ndefaultBranch = main\n")
        self.env = {**os.environ, "GIT_CONFIG_GLOBAL": str(config), "GIT_CONFIG_NOSYSTEM": "1"}
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.git("init", "-q")
        self.edit("CHANGELOG.md", f"## {__version__} (unreleased)", f"## {__version__} (2026-12-01)")

    def git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=self.env, check=True, capture_output=True, text=True
        ).stdout

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        (self.folder / name).write_text(text.replace(old, new), encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", name)

    def release(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", ".ci/release"], cwd=self.folder, env=self.env, check=False, capture_output=True, text=True
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "hwml")


def documented() -> dict[str, object]:
    """The configuration for pre-commit in docs/hooks.md."""
    text = (ROOT / "docs/hooks.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(# \.pre-commit-config\.yaml\n.*?)```", text, re.DOTALL)
    assert block is not None
    (only,) = yaml.safe_load(block[1])["repos"]
    found: dict[str, object] = only
    return found


def test_the_tag_of_the_recipe_is_the_one_in_the_manual(checkout: Checkout) -> None:
    done = checkout.release()
    assert done.returncode == 0, done.stderr
    (tag,) = checkout.git("tag").split()
    said = documented()
    assert said["rev"] == tag == f"v{__version__}"
    offered = {hook["id"] for hook in yaml.safe_load(checkout.git("show", f"{tag}:.pre-commit-hooks.yaml"))}
    named = said["hooks"]
    assert isinstance(named, list)
    assert {hook["id"] for hook in named} <= offered
    again = checkout.release()
    assert again.returncode == 1
    assert "is there already" in again.stderr


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("CHANGELOG.md", "(2026-12-01)", "(unreleased)", "CHANGELOG.md has no heading"),
        ("docs/hooks.md", f"rev: v{__version__}", "rev: v9.9.9", "docs/hooks.md does not say"),
        (
            "lsp_server/vscode/package.json",
            f'"version": "{__version__}"',
            '"version": "9.9.9"',
            "package.json says 9.9.9",
        ),
        ("sdk/hwml_sdk/__init__.py", f'"{__version__}"', '"9.9.9"', "__init__.py says 9.9.9"),
    ],
)
def test_what_does_not_agree_is_not_tagged(checkout: Checkout, name: str, old: str, new: str, said: str) -> None:
    checkout.edit(name, old, new)
    done = checkout.release()
    assert done.returncode == 1
    assert said in done.stderr
    assert checkout.git("tag") == ""


def test_what_is_not_committed_is_not_tagged(checkout: Checkout) -> None:
    (checkout.folder / "new.py").touch()
    assert "commit first" in checkout.release().stderr
