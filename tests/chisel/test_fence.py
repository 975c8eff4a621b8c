"""What a constructor finds behind each kind of fence: nothing but Java and the jars."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hwml_sdk.chisel.compile import fence
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.install.java import find_java
from hwml_sdk.chisel.install.toolchain import chisel_cache
from hwml_sdk.chisel.session import Session
from hwml_sdk.cli import main
from hwml_sdk.commands.doctor_chisel import findings
from hwml_sdk.errors import ConfigError

from .conftest import check

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", params=list(fence.KINDS))
def behind(request: pytest.FixtureRequest, programs: Programs) -> Iterator[Session]:
    """A session whose elaborator stands behind one kind of fence."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(fence.VARIABLE, request.param)
        fence.find_fence.cache_clear()
        found = fence.find_fence()
        if not found.kind:
            fence.find_fence.cache_clear()
            pytest.skip(f"no fence of this kind here: {found.reason}")
        session = Session(programs)
        yield session
        session.kill()
    fence.find_fence.cache_clear()


def _probe(session: Session, *deeds: str) -> list[str]:
    """What each deed (a Scala expression) gave: its value, or "EXC" and the exception."""
    calls = ", ".join(f"tr({{ {deed} }})" for deed in deeds)
    text = (
        "import chisel3._\nimport java.nio.file._\n"
        "class Probe extends Module { val y = IO(Output(Bool())); y := true.B\n"
        '  def tr(x: => Any): String = try { String.valueOf(x) } catch { case e: Throwable => "EXC " + e }\n'
        f'  throw new RuntimeException("[" + Seq({calls}).mkString("|").replace(\'\\n\', \' \') + "]")\n}}\n'
    )
    result = check(session, text, timeout_s=60)
    said = re.search(r"\[(.*)\]", " ".join(item.text for item in result.errors))
    assert said, result.diagnostics
    return said[1].split("|")


@pytest.fixture
def listening() -> Iterator[tuple[Path, socket.socket]]:
    """A path socket as tmux, docker, an ssh agent, D-Bus and hwml's own daemon have one."""
    with tempfile.TemporaryDirectory(prefix="hwml-s-") as name, socket.socket(socket.AF_UNIX) as server:
        place = Path(name) / "canary.sock"
        server.bind(str(place))
        server.listen(4)
        server.settimeout(0.2)
        yield place, server


def _connect(place: Path) -> str:
    address = f'java.net.UnixDomainSocketAddress.of("{place}")'
    unix = "java.net.StandardProtocolFamily.UNIX"
    return f"val c = java.nio.channels.SocketChannel.open({unix}); c.connect({address})"


def test_path_sockets_are_out_of_reach(behind: Session, listening: tuple[Path, socket.socket]) -> None:
    place, server = listening
    (said,) = _probe(behind, _connect(place))
    assert said.startswith("EXC")
    with pytest.raises(TimeoutError):
        server.accept()


def test_nothing_is_seen_of_the_machine(behind: Session, tmp_path: Path) -> None:
    secret = tmp_path / "id_ed25519"
    secret.write_text("dear")
    folders = ["/tmp", "/run", "/var/run", "/root", "/home", "/proc", "/sys", "/etc", str(Path.home()), str(tmp_path)]
    listings = _probe(behind, *(f'new java.io.File("{folder}").list().toSeq.sorted' for folder in folders))
    leaks = {folder: said for folder, said in zip(folders, listings, strict=True) if not _is_nothing(folder, said)}
    assert leaks == {}
    assert _probe(behind, f'new String(Files.readAllBytes(Paths.get("{secret}")))')[0].startswith("EXC")


def _is_nothing(folder: str, said: str) -> bool:
    """An empty folder, none at all, or one of those folders alone that lead to Java, its settings or the jars."""
    if said.startswith("EXC"):
        return True
    names = set(filter(None, said.partition("(")[2].rstrip(")").split(", ")))
    java = find_java().home
    shown = [java, chisel_cache(), Path("/etc/ld.so.cache"), *fence.linked_outside(java)]
    return names <= {path.relative_to(folder).parts[0] for path in shown if path.is_relative_to(folder)}


def test_the_kernels_settings_cannot_be_written(behind: Session) -> None:
    """Also not by the superuser, whom modes do not stop; the value that would be written is the one that stands."""
    place = Path("/proc/sys/kernel/hostname")
    said = _probe(
        behind,
        f'Files.write(Paths.get("{place}"), "{place.read_text().strip()}".getBytes)',
        'Files.write(Paths.get("/sys/kernel/mm/ksm/run"), "0".getBytes)',
        'Files.write(Paths.get("/dev/shm/x"), "0".getBytes)',
    )
    assert all(word.startswith("EXC") for word in said), said


def test_no_process_is_started(behind: Session, tmp_path: Path) -> None:
    starts = [
        f"new ProcessBuilder({program}).start().waitFor()"
        for program in (f'"/bin/sh", "-c", "touch {tmp_path}/child"', '"/bin/true"', f'"{sys.executable}", "-V"')
    ]
    assert all(said.startswith("EXC") for said in _probe(behind, *starts))
    assert list(tmp_path.iterdir()) == []


def test_memory_of_all_kinds_ends_somewhere(behind: Session) -> None:
    """Outside the heap, where -Xmx does not reach: 1 GB is refused, and the process stays far below."""
    unsafe = (
        'val f = classOf[sun.misc.Unsafe].getDeclaredField("theUnsafe"); f.setAccessible(true); '
        "val u = f.get(null).asInstanceOf[sun.misc.Unsafe]; "
        "for (n <- 1 to 64) u.setMemory(u.allocateMemory(1 << 24), 1 << 24, 1.toByte)"
    )
    (said,) = _probe(behind, unsafe)
    assert "OutOfMemoryError" in said, said


def test_rights_are_gone(behind: Session) -> None:
    """The word of the kernel about the process that runs, and the next check works."""
    check(behind, "import chisel3._\nclass Good extends Module { val y = IO(Output(Bool())); y := true.B }\n")
    pid = behind.elaborator.pid
    assert pid is not None
    java = next(child for child in psutil.Process(pid).children(recursive=True) if "java" in child.name())
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{java.pid}/status").read_text().splitlines() if ":\t" in line
    )
    held = ["CapInh", "CapPrm", "CapEff", "CapAmb", *(["CapBnd"] if os.getuid() == 0 else [])]
    assert {int(status[name], 16) for name in held} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


def test_it_ends_with_whoever_asked(behind: Session) -> None:
    """Killed without a chance to tidy up, in the middle of a loop."""
    code = (
        "import sys, threading, time; from hwml_sdk.chisel.compile.prepare import prepare;"
        "from hwml_sdk.chisel.install import toolchain; from hwml_sdk.chisel.session import Session;"
        "from hwml_sdk.chisel.types import CheckRequest;"
        "s = Session(prepare(toolchain.ensure('7.14.0')));"
        "t = 'import chisel3._; class L extends Module { while (true) {} }';"
        "r = CheckRequest((('L.scala', t),), elaborate=True, timeout_s=300);"
        "threading.Thread(target=s.check, args=(r,), daemon=True).start();"
        "\nwhile s.elaborator.pid is None or s.elaborator._worker.requests == 0: time.sleep(0.1)\n"
        "print(s.elaborator.pid, flush=True); time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        watcher = psutil.Process(int(owner.stdout.readline()))
        family = [watcher, *watcher.children(recursive=True)]
        owner.kill()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert len(family) >= 2 and [process.pid for process in alive] == []


def test_the_doctor_names_the_fence(behind: Session) -> None:
    ok, found = next((ok, found) for name, ok, found, _ in findings() if name == "fence")
    assert ok and found.startswith(f"{os.environ[fence.VARIABLE]}:")


@pytest.fixture
def no_fence(monkeypatch: pytest.MonkeyPatch, programs: Programs) -> Iterator[None]:
    """A machine where bubblewrap is the only kind asked for, and is not there."""
    monkeypatch.setenv(fence.VARIABLE, "bwrap")
    java = str(programs.java.program.parent)
    monkeypatch.setenv("PATH", java)
    monkeypatch.setenv("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="hwml-n-"))  # a daemon of its own
    fence.find_fence.cache_clear()
    if (programs.java.program.parent / "bwrap").exists():
        pytest.skip("bwrap lies beside java here")
    from hwml_sdk.chisel import check as checks
    from hwml_sdk.chisel.serve.client import stop_daemon

    checks._clients.clear()
    yield
    stop_daemon(programs)
    checks._clients.clear()
    fence.find_fence.cache_clear()


def test_without_a_fence_elaboration_is_refused(
    no_fence: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "Good.scala"
    source.write_text(
        "import chisel3._\nclass Good extends Module { val y = IO(Output(Bool())); y := true.B\n"
        f'  new java.io.File("{tmp_path}/ran").mkdir() }}\n'
    )
    assert main(["chisel", "check", "--trust", str(source)]) == 3
    said = capfd.readouterr().err
    assert (
        "bwrap: not installed" in said and "hwml chisel check --no-fence runs" in said and len(said.splitlines()) == 1
    )
    assert not (tmp_path / "ran").exists()
    ok, found = next((ok, found) for name, ok, found, _ in findings() if name == "fence")
    assert not ok and "not installed" in found
    assert main(["chisel", "check", str(source)]) == 0  # types run nothing and need no fence
    assert main(["chisel", "check", "--trust", "--no-fence", str(source)]) == 0
    assert (tmp_path / "ran").exists()


def test_an_editor_gets_types_and_the_reason(no_fence: None, tmp_path: Path) -> None:
    from hwml_sdk.chisel.provider import analyze
    from hwml_sdk.config import Settings

    text = "import chisel3._\nclass Bad extends Module { val y = IO(Output(Bool())); y := 1 }\n"
    analysis = analyze(str(tmp_path / "Bad.scala"), text, Settings(trusted=True))
    assert [item.severity for item in analysis.diagnostics] == ["error"]
    assert any("no fence" in note and "not installed" in note for note in analysis.notes)


def test_a_kind_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fence.VARIABLE, "garden")
    fence.find_fence.cache_clear()
    with pytest.raises(ConfigError, match="garden"):
        fence.find_fence()
    fence.find_fence.cache_clear()
