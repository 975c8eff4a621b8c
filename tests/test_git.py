"""What a repository configures is never run, whichever way hwml comes to git; contents and places are git's own."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lsp.lsp_client import running

from hwml_hooks.check_qor import main as check_qor
from hwml_hooks.saves import Saves, sources_below
from hwml_sdk.errors import HwmlError
from hwml_sdk.git import repository_of
from hwml_sdk.history import committed

DESIGN = "void f(int a[8]) {\n#pragma HLS TOP\n  for (int i = 0; i < %d; i++) a[i] += 1;\n}\n"
# Configuration by which git starts programs (git-config, gitattributes, githooks), CANARY for the program.
KEYS = {
    "core.fsmonitor": "CANARY",
    "core.hooksPath": "hooks",
    "core.pager": "CANARY",
    "core.sshCommand": "CANARY",
    "core.gitProxy": "CANARY",
    "core.askPass": "CANARY",
    "core.editor": "CANARY",
    "core.alternateRefsCommand": "CANARY",
    "credential.helper": "!CANARY",
    "diff.external": "CANARY",
    "diff.bad.command": "CANARY",
    "diff.bad.textconv": "CANARY",
    "filter.bad.clean": "CANARY",
    "filter.bad.smudge": "CANARY",
    "filter.bad.process": "CANARY",
    "merge.bad.driver": "CANARY",
    "gpg.program": "CANARY",
    "gpg.ssh.program": "CANARY",
    "pager.diff": "CANARY",
    "pager.ls-files": "CANARY",
    "pager.rev-parse": "CANARY",
    "pager.cat-file": "CANARY",
    "alias.diff": "!CANARY",
    "alias.rev-parse": "!CANARY",
    "sequence.editor": "CANARY",
    "interactive.diffFilter": "CANARY",
    "uploadpack.packObjectsHook": "CANARY",
    "remote.origin.uploadpack": "CANARY;",
    "remote.origin.vcs": "bad",
    "submodule.sub.update": "!CANARY",
    "include.path": "more",
    "includeIf.gitdir:**.path": "more",
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "gitconfig").write_text(
        '[user]\nname = T\nemail = t@example.org\n[init]\ndefaultBranch = main\n[protocol "file"]\nallow = always\n'
    )
    monkeypatch.setenv("HWML_CONFIG_DIR", str(home / "config"))
    monkeypatch.setenv("HWML_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A program that leaves a trace; the test fails when there is one."""
    program, trace = tmp_path / "canary", tmp_path / "ran"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {trace}\nexit 1\n')
    program.chmod(0o755)
    yield program
    assert not trace.exists(), trace.read_text()


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def set_up(folder: Path, committed_size: int = 4) -> Path:
    """A repository whose design was committed, changed and staged."""
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitattributes").write_text("*.cpp filter=bad diff=bad merge=bad\n")
    (folder / "k.cpp").write_text(DESIGN % committed_size)
    (folder / ".gitignore").write_text("left_out.cpp\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    (folder / "k.cpp").write_text(DESIGN % 8)
    git(folder, "add", "-A")
    return folder


def poison(folder: Path, canary: Path, keys: dict[str, str]) -> None:
    """Write hostile configuration as a stranger would: into the file, past git's own checks."""
    hooks = folder / "hooks"
    for place in (hooks, folder / ".git" / "hooks") if "core.hooksPath" in keys else ():
        for name in (
            "post-index-change",
            "pre-auto-gc",
            "reference-transaction",
            "post-checkout",
            "fsmonitor-watchman",
        ):
            place.mkdir(exist_ok=True)
            (place / name).unlink(missing_ok=True)
            (place / name).symlink_to(canary)
    (folder / ".git" / "more").write_text(f"[core]\n\tfsmonitor = {canary}\n")
    for key, template in keys.items():
        value = str(hooks) if template == "hooks" else template.replace("CANARY", str(canary))
        subprocess.run(["git", "config", "-f", ".git/config", key, value], cwd=folder, check=True)
    if any(key.startswith("remote") for key in keys):
        for key, value in (("core.repositoryFormatVersion", "1"), ("extensions.partialClone", "origin"),
                           ("remote.origin.promisor", "true"), ("remote.origin.url", ".")):  # fmt: skip
            subprocess.run(["git", "config", "-f", ".git/config", key, value], cwd=folder, check=True)


def lose(folder: Path, revision: str) -> None:
    """Take an object away, as a partial clone leaves it out."""
    name = git(folder, "rev-parse", revision).strip()
    (folder / ".git" / "objects" / name[:2] / name[2:]).unlink()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_runs_nothing(key: str, tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the lens (`committed`), by hwml-check-qor with growth, and by what hwml watch lists."""
    folder = set_up(tmp_path / "work")
    fetched = key.startswith("remote")
    if fetched:
        lose(folder, "HEAD:k.cpp")
    poison(folder, canary, {key: KEYS[key]})
    monkeypatch.chdir(folder)
    head = committed(folder / "k.cpp")
    assert (head is None) if fetched else (head is not None and head.text == DESIGN % 4)
    expected = 0 if fetched else 1  # 4 trips became 8: latency grew, where the old text can be read
    assert check_qor(["--staged", "--no-lint", "--max-growth", "20"]) == expected
    (folder / "left_out.cpp").write_text(DESIGN % 2)
    assert sources_below(folder) == [folder / "k.cpp"]
    repository = repository_of(folder)
    assert repository is not None
    assert repository.ignored([folder / "left_out.cpp", folder / "k.cpp"]) == {folder / "left_out.cpp"}


def test_all_keys_at_once_in_the_editor_and_the_watcher(tmp_path: Path, canary: Path) -> None:
    folder = set_up(tmp_path / "work")
    poison(folder, canary, {key: value for key, value in KEYS.items() if not key.startswith("remote")})
    uri = (folder / "k.cpp").as_uri()
    with running(tmp_path) as client:
        client.initialize(folder=folder)
        client.open(uri, DESIGN % 8)

        def titles() -> str:
            return "".join(str((lens.get("command") or {}).get("title")) for lens in client.lenses(uri))

        client.until(lambda: "since HEAD" in titles(), "change since HEAD")
        assert client.end() == 0
    argv = [sys.executable, "-P", "-m", "hwml_sdk.cli", "watch", str(folder), "--json"]
    watch = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stop = threading.Timer(60, watch.kill)
    stop.start()
    assert watch.stdout is not None
    assert "k.cpp" in watch.stdout.readline()
    (folder / "k.cpp").write_text(DESIGN % 6)
    assert "k.cpp" in watch.stdout.readline()
    stop.cancel()
    watch.kill()
    watch.communicate()


@pytest.mark.parametrize("worktree", ["", "."])
def test_a_repository_among_the_files_of_another_is_none(tmp_path: Path, canary: Path, worktree: str) -> None:
    """A plain clone can bring `ip/HEAD`, `ip/config`, `ip/objects`: git itself would take `ip` for a repository."""
    inner = set_up(tmp_path / "inner")
    lose(inner, "HEAD:k.cpp")
    poison(inner, canary, KEYS)
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    (inner / ".git").rename(outer / "ip")
    subprocess.run(["git", "config", "-f", "config", "core.bare", "true" if not worktree else "false"],
                   cwd=outer / "ip", check=True)  # fmt: skip
    if worktree:
        subprocess.run(["git", "config", "-f", "config", "core.worktree", worktree], cwd=outer / "ip", check=True)
    (outer / "ip" / "k.cpp").write_text(DESIGN % 8)
    assert committed(outer / "ip" / "k.cpp") is None
    assert repository_of(outer / "ip") is None


def test_variables_of_the_caller_configure_nothing(
    tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands in the environment (of a git that calls a hook with -c, say) is no way around either."""
    folder = set_up(tmp_path / "work")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(canary))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'core.fsmonitor'='{canary}'")
    for name in ("GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(canary))
    found = committed(folder / "k.cpp")
    assert found is not None
    assert found.text == DESIGN % 4
    assert sources_below(folder) == [folder / "k.cpp"]


def test_answers_are_git_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of objects, staged and renamed files as git tells them; line ends and odd names survive."""
    folder = set_up(tmp_path / "work")
    odd = folder / "a b\u00e9 *.cpp"
    odd.write_bytes(b"int x;\r\nint y;\r\n")
    git(folder, "-c", "core.autocrlf=false", "add", "-A")
    git(folder, "commit", "-qm", "two")
    git(folder, "mv", "k.cpp", "moved.cpp")
    found = committed(odd)
    assert found is not None
    assert (found.blob, found.text) == (git(folder, "rev-parse", f"HEAD:{odd.name}").strip(), "int x;\r\nint y;\r\n")
    assert committed(folder / "moved.cpp") is None
    repository = repository_of(folder / "moved.cpp")
    assert repository is not None
    assert repository.renamed() == {folder / "moved.cpp": folder / "k.cpp"}
    assert repository.staged() == [folder / "moved.cpp"]
    (folder / ".git" / "info" / "exclude").write_text("private.cpp\n")
    assert repository.ignored([folder / "private.cpp"]) == {folder / "private.cpp"}


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every start of git leaves a line in this file."""
    real, log, folder = shutil.which("git"), tmp_path / "started", tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)
    log.touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return log


def commit_all(folder: Path, text: str) -> None:
    (folder / "k.cpp").write_text(text)
    git(folder, "commit", "-qam", "next")


def other_branch(folder: Path, text: str) -> None:
    git(folder, "checkout", "-qb", "other")
    commit_all(folder, text)


def packed(folder: Path, text: str) -> None:
    commit_all(folder, "int other;\n")
    git(folder, "pack-refs", "--all")
    commit_all(folder, text)
    git(folder, "pack-refs", "--all")


def by_symbolic_ref(folder: Path, text: str) -> None:
    git(folder, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
    git(folder, "symbolic-ref", "HEAD", "refs/heads/alias")
    assert committed(folder / "k.cpp") is not None
    commit_all(folder, text)


def taken_back(folder: Path, text: str) -> None:
    commit_all(folder, text)
    commit_all(folder, "int other;\n")
    assert committed(folder / "k.cpp") is not None
    git(folder, "reset", "-q", "--hard", "HEAD~1")


def detached(folder: Path, text: str) -> None:
    git(folder, "checkout", "-q", "--detach")
    commit_all(folder, text)


def a_repository_inside(folder: Path, text: str) -> None:
    git(folder, "init", "-q", str(folder / "sub"))
    (folder / "sub" / "k.cpp").write_text(text)
    git(folder / "sub", "add", "-A")
    git(folder / "sub", "commit", "-qm", "one")


@pytest.mark.parametrize(
    "moves", [commit_all, other_branch, packed, by_symbolic_ref, taken_back, detached, a_repository_inside]
)
def test_git_is_started_only_when_head_has_moved(
    moves: Callable[[Path, str], None], tmp_path: Path, started: Path
) -> None:
    folder = set_up(tmp_path / "work")
    git(folder, "commit", "-qam", "staged")
    (folder / "sub").mkdir()
    path = folder / ("sub/k.cpp" if moves is a_repository_inside else "k.cpp")
    before = committed(path)
    assert (before is None) if moves is a_repository_inside else (before is not None and before.text == DESIGN % 8)
    asked = started.read_text()
    for _ in range(3):
        (folder / "k.cpp").write_text(DESIGN % 8 + "\n")  # files of the work tree and the index decide nothing
        assert committed(path) == before
    assert started.read_text() == asked
    moves(folder, DESIGN % 32)
    after = committed(path)
    assert after is not None
    assert after.text == DESIGN % 32


def test_a_key_in_an_editor_starts_no_git(tmp_path: Path, started: Path) -> None:
    folder = set_up(tmp_path / "work")
    uri = (folder / "k.cpp").as_uri()
    with running(tmp_path) as client:
        client.initialize(folder=folder)
        client.open(uri, DESIGN % 8)

        def titles() -> str:
            return "".join(str((lens.get("command") or {}).get("title")) for lens in client.lenses(uri))

        client.until(lambda: "since HEAD" in titles(), "change since HEAD")
        asked, shown = started.read_text(), {titles()}
        for version, size in enumerate((16, 32, 64), start=2):
            client.change(uri, version, {"text": DESIGN % size})
            client.notified("hwml/status", lambda p: (p["version"], p["state"]) == (version, "ready"))  # noqa: B023
            shown.add(titles())
        assert len(shown) == 4
        assert all("since HEAD" in title for title in shown)
        assert started.read_text() == asked
        assert client.end() == 0


@pytest.mark.parametrize("way", [["update-index", "--split-index"], ["update-index", "--untracked-cache"],
                                 ["update-index", "--index-version", "4"]])  # fmt: skip
def test_other_kinds_of_index(tmp_path: Path, way: list[str]) -> None:
    folder = set_up(tmp_path / "work")
    git(folder, *way)
    repository = repository_of(folder)
    assert repository is not None
    assert repository.staged() == [folder / "k.cpp"]


def test_sha256_and_linked_work_trees(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "-q", "--object-format=sha256")
    (folder / "k.cpp").write_text(DESIGN % 4)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    git(folder, "worktree", "add", "-q", str(tmp_path / "second"))
    for place in (folder, tmp_path / "second"):
        found = committed(place / "k.cpp")
        assert found is not None
        assert (len(found.blob), found.text) == (64, DESIGN % 4)


def test_a_checked_out_tree_stays_in_its_folder(tmp_path: Path) -> None:
    """Links that lead out are left out, however they are put together; large files keep their size only."""
    folder = set_up(tmp_path / "work")
    (tmp_path / "secret.h").write_text("secret")
    (folder / "inc").mkdir()
    (folder / "inc" / "real.h").write_text("int real;")
    (folder / "near.h").symlink_to("inc/real.h")
    (folder / "far.h").symlink_to(tmp_path / "secret.h")
    (folder / "up.h").symlink_to("../secret.h")
    (folder / "d").mkdir()
    (folder / "d" / "top.h").symlink_to("..")  # inside by itself
    (folder / "d" / "out.h").symlink_to("top.h/../secret.h")  # by its letters `d/secret.h`
    (folder / "big.txt").write_bytes(b"0" * (17 << 20))
    git(folder, "add", "-A", "-f")
    repository = repository_of(folder)
    assert repository is not None
    with repository.checked_out("", ["*.h", "*.txt"]) as place:
        assert (place / "near.h").read_text() == "int real;"
        assert [name for name in ("far.h", "up.h", "d/out.h") if os.path.lexists(place / name)] == []
        assert (place / "big.txt").stat().st_size == 17 << 20
        assert all(stat.S_ISREG(p.lstat().st_mode) or p.is_dir() or p.is_symlink() for p in place.rglob("*"))


def test_saves_pass_over_what_is_ignored(tmp_path: Path, canary: Path) -> None:
    folder = set_up(tmp_path / "work")
    poison(folder, canary, KEYS)
    saves = Saves(folder, debounce_s=0.01)
    saves.start()
    try:
        (folder / "left_out.cpp").write_text("int x;")
        (folder / "k.cpp").write_text(DESIGN % 5)
        assert saves.settled(wait=True) in ([folder / "k.cpp"], [])
    finally:
        saves.stop()


def test_a_pipe_in_place_of_the_index_is_refused(tmp_path: Path) -> None:
    """git would wait for somebody who writes to it."""
    folder = set_up(tmp_path / "work")
    index = folder / ".git" / "index"
    index.unlink()
    os.mkfifo(index)
    repository = repository_of(folder)
    assert repository is not None
    with pytest.raises(HwmlError, match="index: is no regular file"):
        repository.staged()
