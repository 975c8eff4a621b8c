"""Trust is of folders, exactly: what lies above, beside or behind a link of a trusted one does not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.lsp.lsp_client import running

from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.provider import examine
from hwml_sdk.cli import main
from hwml_sdk.config import load_settings, set_trust, user_cache_dir

GOOD = "import chisel3._\nclass Good extends Module { val a = IO(Output(Bool())); a := true.B }\n"


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of the test's own."""
    folder = tmp_path / "user"
    monkeypatch.setenv("HWML_CONFIG_DIR", str(folder))
    return folder


def _project(folder: Path, canary: Path) -> Path:
    """A file, with a build server that leaves a canary when it is started."""
    (folder / ".bsp").mkdir(parents=True)
    argv = ["/bin/sh", "-c", f"touch '{canary}'"]
    data = {"name": "x", "version": "1", "bspVersion": "2.1.0", "languages": ["scala"], "argv": argv}
    (folder / ".bsp" / "x.json").write_text(json.dumps(data))
    source = folder / "T.scala"
    source.write_text(GOOD)
    return source


def _runs(path: Path, canary: Path, **how: object) -> tuple[bool, bool]:
    """Whether the build server ran, and whether the file was elaborated."""
    found = examine(path, GOOD, load_settings(path, **how))  # type: ignore[arg-type]
    return canary.exists(), found.request.elaborate


def test_a_build_above_the_trusted_folder(programs: Programs, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    _project(tmp_path / "all", canary)
    inner = tmp_path / "all" / "inner" / "T.scala"
    inner.parent.mkdir()
    inner.write_text(GOOD)
    set_trust(inner.parent, trusted=True)
    assert _runs(inner, canary) == (False, True)
    set_trust(tmp_path / "all", trusted=True)
    assert _runs(inner, canary) == (True, True)


def test_trust_given_for_one_file(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the folder one stands in reaches; from elsewhere, the file's own folder."""
    canary = tmp_path / "canary"
    _project(tmp_path / "all", canary)
    inner = tmp_path / "all" / "inner" / "T.scala"
    inner.parent.mkdir()
    inner.write_text(GOOD)
    monkeypatch.chdir(tmp_path / "user" if (tmp_path / "user").exists() else Path("/"))
    assert _runs(inner, canary, trusted=True) == (False, True)
    monkeypatch.chdir(tmp_path / "all")
    assert _runs(inner, canary, trusted=True) == (True, True)


def test_links_are_resolved_before_the_question(programs: Programs, tmp_path: Path) -> None:
    """A link out of a trusted folder, a link into it, a linked folder and a linked .bsp."""
    canary, inside, outside = tmp_path / "canary", tmp_path / "in", tmp_path / "out"
    source = _project(outside, canary)
    inside.mkdir()
    (inside / "T.scala").write_text(GOOD)
    set_trust(inside, trusted=True)
    (inside / "Link.scala").symlink_to(source)
    (inside / "folder").symlink_to(outside)
    (outside / "Into.scala").symlink_to(inside / "T.scala")
    for path in (inside / "Link.scala", inside / "folder" / "T.scala", outside / "Into.scala"):
        assert _runs(path, canary) == (False, False), path
    (inside / ".bsp").symlink_to(outside / ".bsp")
    assert _runs(inside / "T.scala", canary) == (False, True)


def test_a_neighbour_behind_a_link_does_not_join(programs: Programs, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    top = "import chisel3._\nclass Top extends Module { val y = IO(Output(UInt(8.W))); y := Prices.n.U }\n"
    (inside / "Top.scala").write_text(top)
    (outside / "Prices.scala").write_text("object Prices { val n = 3 }\n")
    (inside / "Prices.scala").symlink_to(outside / "Prices.scala")
    set_trust(inside, trusted=True)
    assert not examine(inside / "Top.scala", top, load_settings(inside / "Top.scala")).result.ok
    set_trust(outside, trusted=True)
    set_trust(tmp_path, trusted=True)
    assert examine(inside / "Top.scala", top, load_settings(inside / "Top.scala")).result.ok


def test_the_servers_trust_is_of_its_workspace(programs: Programs, tmp_path: Path) -> None:
    """`hwml-lsp --trust` on one folder, and a file of another one opened beside it."""
    ours, theirs = tmp_path / "ran_ours", tmp_path / "ran_theirs"
    workspace = tmp_path / "ws"
    inside, outside = _project(workspace, ours), _project(tmp_path / "out", theirs)
    with running(workspace, "--trust", env={"HWML_CACHE_DIR": str(user_cache_dir())}) as client:
        client.initialize(folder=workspace)
        for source in (outside, inside):
            uri = client.open(source.as_uri(), GOOD, "scala")
            client.pull(uri)
        assert client.end() == 0
    assert ours.exists() and not theirs.exists()


def test_what_is_trusted_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "--list"]) == 0
    assert capsys.readouterr().out == "no folder is trusted\n"
    assert main(["trust", str(tmp_path)]) == 0
    assert main(["trust", "--list"]) == 0
    assert str(tmp_path) in capsys.readouterr().out
    main(["doctor"])
    shown = next(line for line in capsys.readouterr().out.splitlines() if "  trusted " in line)
    assert str(tmp_path) in shown
    assert main(["trust", "--remove"]) == 2
    for words in (["--list", "--remove"], ["--list"]):  # neither lists instead of doing what else is asked for
        assert main(["trust", str(tmp_path), *words]) == 2
        assert "--list" in capsys.readouterr().err


def test_a_list_that_others_can_write_trusts_nothing(
    user: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_trust(tmp_path, trusted=True)
    (user / "trusted.json").chmod(0o666)
    assert not load_settings(tmp_path / "T.scala").trusted
    assert main(["trust", "--list"]) == 1
    assert "can be written by others" in capsys.readouterr().out
    assert main(["trust", str(tmp_path / "more")]) == 3
    assert "can be written by others" in capsys.readouterr().err


# -- caches and meeting places: programs are run from there --


def _hwml(cache: Path, *arguments: str, runtime: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HWML_CACHE_DIR": str(cache)}
    if runtime is not None:
        env["XDG_RUNTIME_DIR"] = str(runtime)
    argv = [sys.executable, "-m", "hwml_sdk.cli", *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=280, check=False)


@pytest.fixture
def cache(tmp_path: Path, programs: Programs) -> Path:
    """A cache with a tool chain whose files are the real ones, linked."""
    chain = tmp_path / "cache" / "chisel" / programs.chain.folder.name
    for name in ("jars", "bin"):
        (chain / name).mkdir(parents=True)
        for path in (programs.chain.folder / name).iterdir():
            (chain / name / path.name).symlink_to(path)
    for path in programs.chain.folder.glob("*"):
        if path.is_file() and path.suffix != ".lock":
            (chain / path.name).write_bytes(path.read_bytes())
    return tmp_path / "cache"


@pytest.mark.parametrize("place", ["", "chisel", "chisel/chisel-7.14.0", "chisel/chisel-7.14.0/jars", "ready"])
def test_a_cache_that_others_can_write_is_refused(cache: Path, tmp_path: Path, place: str) -> None:
    target = cache / "chisel" / "chisel-7.14.0" / "ready.json" if place == "ready" else cache / place
    target.chmod(target.stat().st_mode | 0o002)
    source = tmp_path / "T.scala"
    source.write_text(GOOD)
    run = _hwml(cache, "chisel", "check", str(source))
    assert run.returncode == 3 and run.stdout == "", run
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith(f"hwml: {target} can be written by others") and "HWML_CACHE_DIR" in line


def test_a_meeting_place_made_by_others_is_refused(tmp_path: Path, programs: Programs) -> None:
    """A link in place of the daemon's folder, and one that is open to all."""
    source = tmp_path / "T.scala"
    source.write_text(GOOD)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    with tempfile.TemporaryDirectory(prefix="hwml-m-") as name:
        place = Path(name) / f"hwml-{os.getuid()}"
        place.symlink_to(elsewhere)
        run = _hwml(user_cache_dir(), "chisel", "check", str(source), runtime=Path(name))
        assert run.returncode != 0 and "belongs to somebody else" in run.stderr
        place.unlink()
        place.mkdir()
        place.chmod(0o777)
        run = _hwml(user_cache_dir(), "chisel", "check", str(source), runtime=Path(name))
        assert run.returncode != 0 and "open to others" in run.stderr
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("place", ["cache", "jar", "above", "socket"])
def test_what_belongs_to_another_user_is_refused(cache: Path, tmp_path: Path, place: str) -> None:
    """Made by another user before us, or given to one: 65534 is nobody's number on every Linux."""
    source = tmp_path / "T.scala"
    source.write_text(GOOD)
    with tempfile.TemporaryDirectory(prefix="hwml-m-") as name:
        runtime = Path(name)
        targets = {
            "cache": cache,
            "jar": cache / "chisel" / "chisel-7.14.0" / "ready.json",
            "above": cache.parent,
            "socket": runtime / f"hwml-{os.getuid()}",
        }
        target = targets[place]
        if place == "socket":
            target.mkdir(mode=0o700)
        os.chown(target, 65534, 65534)
        run = _hwml(cache, "chisel", "check", str(source), runtime=runtime)
    assert run.returncode in (2, 3) and run.stdout == "", run
    assert "belongs to" in run.stderr and len(run.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files to another group")
def test_a_group_of_others(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "T.scala"
    source.write_text(GOOD)
    os.chown(cache, -1, 65534)
    cache.chmod(0o770)
    run = _hwml(cache, "chisel", "check", str(source))
    assert run.returncode == 3 and "can be written by others" in run.stderr
