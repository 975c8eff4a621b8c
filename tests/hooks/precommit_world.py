"""A hook repository with a tag, a wheel folder, and a user's repository: what a real pre-commit needs, offline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TAG = re.findall(r"^  rev: (\S+)$", (ROOT / "docs/hooks.md").read_text(encoding="utf-8"), re.MULTILINE)[0]
# What building the wheel needs (build-system.requires in pyproject.toml).
BUILD = ("hatchling",)


@dataclass
class World:
    """home: PRE_COMMIT_HOME. Every command runs with it, without any package index."""

    folder: Path
    wheels: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def hooks(self) -> Path:
        return self.folder / "hwml"

    @property
    def user(self) -> Path:
        return self.folder / "user"

    def run(self, *argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, cwd=cwd or self.user, env=self.env, capture_output=True, text=True, check=False)

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = self.run("git", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str) -> tuple[int, str]:
        """Commit what is staged; exit code and all that was said."""
        done = self.run("git", "commit", "-m", message)
        return done.returncode, done.stdout + done.stderr


def download(wheels: Path, *extra: str) -> None:
    """Fill a folder with the wheels of hwml's dependencies, its build back end, and `extra`."""
    pip = [sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "-d", str(wheels)]
    subprocess.run([*pip, *BUILD, *dependencies(), *extra], check=True)


def dependencies() -> list[str]:
    import tomllib

    data = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[str] = data["project"]["dependencies"]
    return found


def make(folder: Path, wheels: Path) -> World:
    """Copy this checkout to a repository of its own, tag it, and make an empty user's repository."""
    world = World(folder, wheels)
    # The Chisel tool chain and its daemon are found where this process has them.
    keep = ("PATH", "LANG", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "TMPDIR", "HWML_CACHE_DIR", "XDG_RUNTIME_DIR")
    world.env = {name: os.environ[name] for name in keep if name in os.environ}
    world.env |= {
        "HOME": os.environ.get("HOME", str(folder)),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRE_COMMIT_HOME": str(folder / "cache"), "HWML_CONFIG_DIR": str(folder / "config"),
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip
    (folder / "gitconfig").write_text("[user]\nname = T\nemail = t@example.org\n[init]\ndefaultBranch = main\n")
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (world.hooks / name).parent.mkdir(parents=True, exist_ok=True)
            (world.hooks / name).write_bytes((ROOT / name).read_bytes())
    world.user.mkdir()
    for place in (world.hooks, world.user):
        world.git("init", "-q", cwd=place)
    world.git("add", "-A", cwd=world.hooks)
    world.git("commit", "-q", "-m", "hooks", cwd=world.hooks)
    changes = (world.hooks / "CHANGELOG.md").read_text(encoding="utf-8")
    (world.hooks / "CHANGELOG.md").write_text(changes.replace("(unreleased)", "(2026-12-01)", 1), encoding="utf-8")
    world.git("commit", "-q", "-a", "-m", "release", cwd=world.hooks)
    done = world.run("bash", ".ci/release", cwd=world.hooks)  # the tag that docs/hooks.md names
    assert done.returncode == 0, done.stderr
    assert world.git("tag", cwd=world.hooks).split() == [TAG]
    return world


def configure(world: World, hooks: str) -> None:
    """Write the user's configuration and install the git hook. hooks: YAML of the list under `hooks:`."""
    text = f"repos:\n- repo: {world.hooks}\n  rev: {TAG}\n  hooks:\n{hooks}"
    (world.user / ".pre-commit-config.yaml").write_text(text)
    world.git("add", "-A")
    done = world.run("pre-commit", "install")
    assert done.returncode == 0, done.stdout + done.stderr


def timed_install(world: World) -> float:
    """Build the hooks' environments; seconds."""
    started = time.monotonic()
    done = world.run("pre-commit", "install-hooks")
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - started
