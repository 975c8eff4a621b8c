"""Chisel's files stay whole: `fix --write` and set-up are killed, and the next run brings what the whole one brings."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from tests.killing import COMMAND, killed_at_each_step, killed_at_random, leftovers, run

from hwml_sdk.chisel.compile.wire import Channel
from hwml_sdk.chisel.compile.workers import FIRST_ARCHIVE_MAJOR, ROLES, Programs
from hwml_sdk.chisel.install import toolchain
from hwml_sdk.cli import main
from hwml_sdk.leftovers import sweep

BAD = """import chisel3._

class Sum extends Module {
  val io = IO(new Bundle { val a = Input(UInt(8.W)); val y = Output(UInt(8.W)) })
  io.y := io.a + 1   // one more
}
"""
GOOD = BAD.replace("+ 1 ", "+ 1.U ")
FIX = ("chisel", "fix", "--write")


def _look(path: Path) -> None:
    """What the kill left is whole, and the next run brings the repaired file and nothing beside it."""
    assert path.read_text() in (BAD, GOOD)
    assert main([*FIX, str(path)]) == 0
    assert path.read_text() == GOOD
    assert leftovers(path.parent) == []


def test_fix_killed_at_each_step_of_writing(programs: Programs, tmp_path: Path) -> None:
    path = tmp_path / "Sum.scala"
    for _ in killed_at_each_step(COMMAND, [*FIX, str(path)], lambda: path.write_text(BAD)):
        _look(path)


@pytest.mark.timeout(7200)
@pytest.mark.slow  # where a kill falls depends on the machine
@pytest.mark.parametrize("count", [3, 300])
def test_fix_killed_at_random(count: int, programs: Programs, tmp_path: Path) -> None:
    path = tmp_path / "Sum.scala"
    path.write_text(BAD)
    assert run(COMMAND, *FIX, str(path)).wait(280) == 0  # starts the daemon, which the runs that are timed then find
    path.write_text(BAD)
    met = 0
    for hit in killed_at_random(COMMAND, [*FIX, str(path)], count, seed=5):
        met += hit
        _look(path)
        path.write_text(BAD)
    assert met >= count // 2


def test_hard_links_are_refused(programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Sum.scala"
    path.write_text(BAD)
    (tmp_path / "other").hardlink_to(path)
    assert main([*FIX, str(path)]) == 3
    assert "hard links" in capsys.readouterr().err
    assert path.read_text() == BAD


def test_a_link_is_followed(programs: Programs, tmp_path: Path) -> None:
    path, link = tmp_path / "real" / "Sum.scala", tmp_path / "Sum.scala"
    path.parent.mkdir()
    path.write_text(BAD)
    link.symlink_to(path)
    assert main([*FIX, str(link)]) == 0
    assert link.is_symlink() and path.read_text() == GOOD


_LINE = """
import os, signal
from pathlib import Path
from hwml_sdk.chisel.compile.wire import Channel
Channel(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_line_of_a_killed_run_is_cleared(tmp_path: Path) -> None:
    """Pipes whose worker never opened them; those of a process that lives are left alone."""
    mine = Channel(tmp_path)
    assert run(_LINE, str(tmp_path)).wait(60) < 0
    assert len(leftovers(tmp_path)) == 2
    sweep(tmp_path)
    assert len(leftovers(tmp_path)) == 2, "one of them is in use, and nobody knows which"
    mine.remove()
    sweep(tmp_path)
    assert leftovers(tmp_path) == []


_PREPARE = """
from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.install import toolchain
prepare(toolchain.installed("7.14.0"))
"""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_workers_are_made_whole_or_not_at_all(programs: Programs, tmp_path: Path) -> None:
    """Killed while they are compiled and while the JVMs write their archives."""
    folder = tmp_path / "chisel" / programs.chain.folder.name
    (tmp_path / "chisel").mkdir()
    shutil.copytree(programs.chain.folder, folder, ignore=shutil.ignore_patterns("worker*"))
    env = {"HWML_CACHE_DIR": str(tmp_path)}
    done = [folder / programs.jar.name, *(folder / programs.archive(role).name for role in ROLES)]
    met = 0
    for hit in killed_at_random(_PREPARE, [], 12, seed=19, env=env):
        met += hit
        if not hit:
            assert all(path.stat().st_size > 10_000 for path in done)
            for path in done:
                path.unlink()
    assert met >= 6
    assert run(_PREPARE, env=env).wait(280) == 0
    assert sorted(path.name for path in folder.glob("worker-*")) == sorted(path.name for path in done)
    assert all(path.stat().st_size > 10_000 for path in done)
    assert leftovers(tmp_path) == []


def test_both_programs_start_from_an_archive(programs: Programs) -> None:
    if programs.java.major < FIRST_ARCHIVE_MAJOR:
        pytest.skip("Java keeps no archive of classes before 13")
    assert all(programs.archive(role).stat().st_size > 10_000_000 for role in ROLES)


_SET_UP = """
from hwml_sdk.chisel.install import toolchain
toolchain.ensure("7.14.0")
toolchain.clear_downloads()
"""


def _content(folder: Path) -> dict[str, str]:
    """Sums of a tool chain's own files; the checker is compiled beside them later."""
    files = [*(folder / "jars").iterdir(), folder / "bin" / "firtool", folder / toolchain.READY_FILE]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_set_up_killed_and_run_again(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """30 kills: the tool chain is there whole or not at all, and what comes of it is what an unbroken set-up brings."""
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path))
    wanted = _content(programs.chain.folder)
    made = tmp_path / "chisel" / "chisel-7.14.0"
    met = whole = 0
    for hit in killed_at_random(_SET_UP, [], 30, seed=7):
        met += hit
        if toolchain.installed("7.14.0") is not None:
            whole += 1
            assert _content(made) == wanted
            shutil.rmtree(tmp_path / "chisel")
    assert met >= 15 and whole >= 1
    toolchain.ensure("7.14.0")
    toolchain.clear_downloads()
    assert _content(made) == wanted
    assert sorted(path.name for path in made.parent.iterdir()) == ["chisel-7.14.0", "setup.lock"]
