"""Files stay whole: killed runs, full disks, links, folders that cannot be written, and what is left behind."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.killing import COMMAND, killed_at_each_step, killed_at_random, leftovers, run

from hwml_hooks.annotate import annotate_file
from hwml_lsp.baselines import Baselines
from hwml_sdk.artifact import Artifact, write
from hwml_sdk.cli import main
from hwml_sdk.document import Figures
from hwml_sdk.errors import HwmlError, RefusedError
from hwml_sdk.files import append_line, write_atomic
from hwml_sdk.leftovers import scratch_folder, swap_name, sweep

FIR = Path(__file__).resolve().parents[1] / "examples/fir.cpp"
# 8 is the length of the loop: an unroll of 16 has a safe fix.
SLIP = "void k(int a[8]) {\n  for (int i = 0; i < 8; i++) {\n#pragma HLS unroll factor=16\n    a[i] += 1;\n  }\n}\n"
LINT = ("qor", "lint", "--fix", "--no-estimate")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
needs_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root (a file system of its own)"
)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))


def _expected(tmp_path: Path, text: str, change: Callable[[Path], object]) -> bytes:
    other = tmp_path / "expected"
    other.mkdir()
    (other / "k.cpp").write_text(text)
    change(other / "k.cpp")
    made = (other / "k.cpp").read_bytes()
    assert made != text.encode()
    return made


def _annotate(path: Path) -> None:
    assert main(["annotate", str(path)]) == 0


def _lint(path: Path) -> None:
    assert main([*LINT, str(path)]) == 0


# -- killed runs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "change"), [(("annotate",), _annotate), (LINT, _lint)], ids=["annotate", "lint"])
def test_killed_at_each_step_of_writing(
    command: tuple[str, ...], change: Callable[[Path], None], tmp_path: Path
) -> None:
    """After the kill the file is the old or the new one, and the next run brings the new one and nothing beside it."""
    path = tmp_path / "k.cpp"
    text = SLIP if command == LINT else FIR.read_text()
    new = _expected(tmp_path, text, change)
    seen = set()
    for _ in killed_at_each_step(COMMAND, [*command, str(path)], lambda: path.write_text(text)):
        seen.add(path.read_bytes())
        assert path.read_bytes() in (text.encode(), new)
        change(path)
        assert path.read_bytes() == new
        assert leftovers(tmp_path) == []
    assert seen == {text.encode(), new}, "killed before and after the moment that counts"


@pytest.mark.timeout(7200)
@pytest.mark.slow  # where a kill falls depends on the machine
@pytest.mark.parametrize("count", [8, 300])
def test_annotate_killed_at_random(count: int, tmp_path: Path) -> None:
    path = tmp_path / "k.cpp"
    text = FIR.read_text()
    new = _expected(tmp_path, text, _annotate)
    path.write_text(text)
    met = 0
    for hit in killed_at_random(COMMAND, ["annotate", str(path)], count, seed=3):
        met += hit
        assert path.read_bytes() in (text.encode(), new)
        assert annotate_file(path, remove=True)
        assert path.read_bytes() == text.encode()
        assert leftovers(tmp_path) == []
    assert met >= count // 2


_WRITE = """
from hwml_sdk import exchange
from hwml_sdk.artifact import write
if sys.argv[2] == "without":
    exchange._renameat2 = lambda: None  # a system that cannot exchange
write(sys.argv[1], kind="qor", files={"new": b"2" * 9000}, config={}, metrics={}, provenance={})
"""


@pytest.mark.parametrize("system", ["with", "without"])
def test_a_folder_killed_at_each_step(system: str, tmp_path: Path) -> None:
    """An artefact is the old or the new one, whole; where the system cannot exchange it may have to be put back."""
    place = tmp_path / "made"

    def old() -> None:
        write(place, kind="qor", files={"old": b"1" * 9000}, config={}, metrics={}, provenance={})

    for _ in killed_at_each_step(_WRITE, [str(place), system], old):
        if system == "without":
            sweep(tmp_path)
        found = Artifact.load(place, kind="qor")
        assert [path.name for path in sorted(place.iterdir())] in (["artifact.json", "new"], ["artifact.json", "old"])
        assert found.file("new" if (place / "new").exists() else "old").stat().st_size == 9000
        sweep(tmp_path)
        assert leftovers(tmp_path) == []


_PIN = """
import os
os.environ["XDG_CONFIG_HOME"] = sys.argv[1]
from hwml_lsp.baselines import Baselines
from hwml_sdk.document import Figures
made = Baselines()
made.use("/w")
made.pin({"/w/b.cpp": {"f": Figures(lut=2)}})
"""


def test_baselines_killed_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def pin() -> None:
        one = Baselines()
        one.use("/w")
        one.pin({"/w/a.cpp": {"f": Figures(lut=100)}})

    def known() -> Baselines:
        again = Baselines()
        again.use("/w")
        return again

    for _ in killed_at_each_step(_PIN, [str(tmp_path)], pin):
        assert known().changes("/w/a.cpp", {"f": Figures(lut=200)})
    (made,) = tmp_path.rglob("baselines")
    sweep(made)
    assert leftovers(tmp_path) == []


# -- full disks ------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)], check=False)
    if done.returncode:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def _fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as stream:
        for size in (4096, 1):
            try:
                while stream.write(b"x" * size):
                    pass
            except OSError:
                continue


@needs_root
@pytest.mark.parametrize(("command", "change"), [(("annotate",), _annotate), (LINT, _lint)], ids=["annotate", "lint"])
def test_a_full_disk(
    command: tuple[str, ...], change: Callable[[Path], None], small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = small_disk / "k.cpp"
    path.write_text(SLIP if command == LINT else FIR.read_text())
    before = path.read_bytes()
    _fill(small_disk)
    assert main([*command, str(path)]) == 2
    assert "No space left" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert leftovers(small_disk) == []
    (small_disk / "filler").unlink()
    change(path)
    assert path.read_bytes() != before


@needs_root
def test_a_full_disk_under_hwmls_own_files(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(small_disk))
    pins = Baselines()
    pins.use("/w")
    pins.pin({"/w/a.cpp": {"f": Figures(lut=100)}})
    journal = small_disk / "rows.jsonl"
    append_line(journal, '{"n": 1}')
    write(small_disk / "made", kind="qor", files={"a": b"1"}, config={}, metrics={}, provenance={})
    kept = {path: path.read_bytes() for path in small_disk.rglob("*") if path.is_file()}
    _fill(small_disk)
    with pytest.raises(HwmlError, match="No space"):
        pins.pin({f"/w/{n}.cpp": {"f": Figures(lut=1)} for n in range(200)})
    with pytest.raises(OSError, match="No space"):
        append_line(journal, "x" * 9000)
    with pytest.raises(HwmlError, match="No space"):
        write(small_disk / "made", kind="qor", files={"a": b"2" * 9000}, config={}, metrics={}, provenance={})
    assert {path: path.read_bytes() for path in kept} == kept
    assert leftovers(small_disk) == []


@linux
def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """`ulimit -f` cuts a write off in its middle."""
    path = tmp_path / "k.cpp"
    path.write_text(FIR.read_text() + "// " + "x" * 5000 + "\n")
    before = path.read_bytes()

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    argv = [sys.executable, "-P", "-m", "hwml_sdk.cli", "annotate", str(path)]
    done = subprocess.run(argv, preexec_fn=limit, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2 and "File too large" in done.stderr and done.stderr.count("\n") == 1
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_a_line_that_was_cut_off_goes_when_the_next_comes(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"n": 1}\n{"n": ')
    append_line(path, '{"n": 3}')
    assert path.read_bytes() == b'{"n": 1}\n{"n": 3}\n'
    path.write_bytes(b'{"n": ')
    append_line(path, '{"n": 4}')
    assert path.read_bytes() == b'{"n": 4}\n'
    path.write_bytes(b'{"n": 1}\n{"text": "' + b"x" * 3_000_000)
    append_line(path, '{"n": 5}')
    assert path.read_bytes() == b'{"n": 1}\n{"n": 5}\n'


@pytest.mark.parametrize("row", [b'{"n": 2}', b"[2]", b'{"text": "' + b"x" * 3_000_000 + b'"}'])
@pytest.mark.parametrize("before", [b"", b'{"n": 1}\n'])
def test_a_whole_last_row_stays_and_gets_its_end(before: bytes, row: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(before + row)
    append_line(path, '{"n": 3}')
    assert path.read_bytes() == before + row + b'\n{"n": 3}\n'


_ROWS = """
from hwml_sdk.files import append_line
for n in range(50):
    append_line(sys.argv[1], '{"who": %s, "n": %d}' % (sys.argv[2], n))
"""


def test_processes_that_write_rows_to_one_file_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    running = [run(_ROWS, str(path), str(who)) for who in range(6)]
    assert [process.wait(120) for process in running] == [0] * 6
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted((row["who"], row["n"]) for row in found) == [(who, n) for who in range(6) for n in range(50)]


# -- links, and folders that cannot be written --------------------------------------------------------------------


def test_links_stay_links(tmp_path: Path) -> None:
    real, link = tmp_path / "real.cpp", tmp_path / "link.cpp"
    real.write_bytes(b"\xef\xbb\xbf" + SLIP.encode())
    real.chmod(0o640)
    link.symlink_to("real.cpp")
    _lint(link)
    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf" + SLIP.replace("factor=16", "factor=8").encode()
    assert real.stat().st_mode & 0o777 == 0o640
    write_atomic(link, "other")
    assert link.is_symlink() and real.read_text() == "other"


def test_what_a_new_file_cannot_stand_for_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "one.cpp", tmp_path / "other.cpp"
    one.write_text(SLIP)
    other.hardlink_to(one)
    assert main([*LINT, str(one)]) == 3
    assert "hard links" in capsys.readouterr().err
    with pytest.raises(RefusedError, match="hard links"):
        write_atomic(one, "")
    assert one.samefile(other) and one.read_text() == SLIP
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RefusedError, match="no regular file"):
        write_atomic(tmp_path / "pipe", "")
    assert leftovers(tmp_path) == []


def test_text_that_is_not_utf_8_is_not_rewritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "k.cpp"
    path.write_bytes(SLIP.encode() + b"// caf\xe9\n")
    assert main([*LINT, str(path)]) == 2
    assert "not UTF-8" in capsys.readouterr().err
    assert path.read_bytes() == SLIP.encode() + b"// caf\xe9\n"


@pytest.mark.parametrize("command", [("annotate",), LINT], ids=["annotate", "lint"])
def test_a_folder_that_cannot_be_written(
    command: tuple[str, ...], small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As root only a read-only file system says no."""
    path = small_disk / "k.cpp"
    path.write_text(SLIP)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert main([*command, str(path)]) in (2, 3)
    assert "read-only" in capsys.readouterr().err.lower()
    assert path.read_text() == SLIP


# -- what is left behind -----------------------------------------------------------------------------------------


def test_only_ours_is_cleared(tmp_path: Path) -> None:
    ours = tmp_path / f".hwml-{'0' * 16}.tmp"
    ours.write_text("half")
    old, new = b"old", b"new"
    (tmp_path / "a.cpp").write_bytes(new)
    displaced = swap_name(tmp_path / "a.cpp", old, new)
    displaced.write_bytes(old)
    kept = [".hwml-notes.tmp", f".hwml-{'0' * 15}.tmp", f"hwml-{'0' * 16}.tmp", f".hwml-{'0' * 16}.txt", ".a.cpp.tmp"]
    for name in kept:
        (tmp_path / name).write_text("the user's")
    link = tmp_path / f".hwml-{'1' * 16}.tmp"
    link.symlink_to(tmp_path / "a.cpp")
    sweep(tmp_path)
    assert not ours.exists() and not displaced.exists()
    assert link.is_symlink() and (tmp_path / "a.cpp").read_bytes() == new
    assert all((tmp_path / name).read_text() == "the user's" for name in kept)


@needs_root
def test_what_belongs_to_somebody_else_is_not_cleared(tmp_path: Path) -> None:
    theirs = tmp_path / f".hwml-{'0' * 16}.tmp"
    theirs.write_text("half")
    os.chown(theirs, 65534, 65534)
    sweep(tmp_path)
    assert theirs.exists()


def test_a_save_that_a_killed_run_had_displaced_goes_back(tmp_path: Path) -> None:
    """Killed between the exchange and the look at what it displaced, which was newer than what had been read."""
    path = tmp_path / "a.cpp"
    path.write_bytes(b"ours")
    swap_name(path, b"read", b"ours").write_bytes(b"newer")
    sweep(tmp_path)
    assert path.read_bytes() == b"newer" and leftovers(tmp_path) == []
    path.write_bytes(b"newest")  # saved after the kill: what was displaced is older, but it is not thrown away
    swap_name(path, b"read", b"ours").write_bytes(b"newer")
    sweep(tmp_path)
    assert path.read_bytes() == b"newest" and len(leftovers(tmp_path)) == 1


_HOLD = """
import time
from pathlib import Path
from hwml_sdk.files import replace_folder
with replace_folder(Path(sys.argv[1]) / "made") as folder:
    (folder / "part").write_text("half")
    print("begun", flush=True)
    sys.stdin.read()
"""


@linux
def test_what_is_being_written_is_not_cleared(tmp_path: Path) -> None:
    argv = [sys.executable, "-P", "-c", "import sys\n" + _HOLD, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None and child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        sweep(tmp_path)
        write_atomic(tmp_path / "other", "x")
        assert len(leftovers(tmp_path)) == 1
        child.stdin.close()
        assert child.wait(60) == 0
    assert (tmp_path / "made" / "part").read_text() == "half"
    assert leftovers(tmp_path) == []


_SCRATCH = """
import os, signal
from hwml_sdk.leftovers import scratch_folder, swap_name
with scratch_folder() as folder:
    (folder / "x").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_temporary_folders_of_killed_runs_go(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path(os.environ["TMPDIR"])
    monkeypatch.setattr("tempfile.tempdir", str(place))
    assert run(_SCRATCH).wait(60) < 0
    assert len(leftovers(place)) == 1
    home = place / f"hwml-{os.geteuid()}"
    assert home.stat().st_mode & 0o777 == 0o700
    sweep(home)
    assert leftovers(place) == []
    with scratch_folder() as folder:
        assert folder.parent == home and folder.stat().st_mode & 0o777 == 0o700
    assert leftovers(place) == []


def test_somebody_elses_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user may have made our name first, as a link or open to all."""
    place = Path(os.environ["TMPDIR"])
    monkeypatch.setattr("tempfile.tempdir", str(place))
    (place / "elsewhere").mkdir()
    (place / f"hwml-{os.geteuid()}").symlink_to("elsewhere")
    with scratch_folder() as folder:
        assert folder.parent == place


def test_two_that_make_the_same_change_do_not_share_a_file(tmp_path: Path) -> None:
    """One of two watchers would remove what the other has displaced: a save of the user was lost that way."""
    names = {swap_name(tmp_path / "a.cpp", b"old", b"new") for _ in range(100)}
    assert len(names) == 100
