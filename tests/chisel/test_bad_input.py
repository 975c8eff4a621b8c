"""Constructors that misbehave, files that are none, and what must never run: clear words, and the next check works."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from hwml_sdk.chisel.provider import analyze
from hwml_sdk.chisel.session import Session
from hwml_sdk.config import ChiselSettings, Settings

from .conftest import check

GOOD = """import chisel3._
class Good extends Module {
  val y = IO(Output(Bool()))
  y := true.B
}
"""


def _demo(body: str, *, above: str = "") -> str:
    return f"""import chisel3._
{above}
class Demo extends Module {{
  val y = IO(Output(UInt(8.W)))
  {body}
  y := 1.U
}}
"""


def _next_check_works(session: Session) -> None:
    result = check(session, GOOD)
    assert result.ok and result.modules[0].elaborated


MISBEHAVIOUR = [
    ("while (true) {}", "CH230", "did not finish"),
    ("val keep = Iterator.continually(new Array[Long](1 << 20)).toList", "CH231", "memory"),
    ("val big = new Array[Byte](Int.MaxValue); val more = Array.fill(10)(big.clone())", "CH231", "memory"),
    ("def down(n: Int): Int = down(n + 1) + 1; val n = down(0)", "CH213", "without end"),
    ("System.exit(0)", "CH232", "System.exit"),
    ("sys.exit(3)", "CH232", "System.exit"),
    ('throw new RuntimeException("on purpose")', "CH213", "on purpose"),
]


@pytest.mark.parametrize(("body", "code", "words"), MISBEHAVIOUR)
def test_constructor_that_misbehaves(session: Session, body: str, code: str, words: str) -> None:
    _next_check_works(session)  # the time limit below is for the constructor, not for a first start
    result = check(session, _demo(body), timeout_s=12)
    assert code in {item.code for item in result.errors}, result.diagnostics
    assert any(words in item.text for item in result.errors)
    _next_check_works(session)


def test_the_other_modules_are_still_checked(session: Session) -> None:
    text = _demo("sys.exit(1)") + GOOD.replace("import chisel3._", "")
    result = check(session, text)
    assert {module.name: module.elaborated for module in result.modules} == {"Demo": False, "Good": True}


def test_files_cannot_be_written(session: Session, tmp_path: Path) -> None:
    target = tmp_path / "written.txt"
    write = f'java.nio.file.Files.write(java.nio.file.Paths.get("{target}"), Array.fill(64)(65.toByte))'
    result = check(session, _demo(write))
    assert not target.exists() or target.read_bytes() == b""
    assert [item.code for item in result.diagnostics] == ["CH235"] and not result.modules[0].elaborated
    _next_check_works(session)


@pytest.mark.parametrize(
    "deed",
    [
        "Files.delete(p)",
        "Files.newOutputStream(p, StandardOpenOption.TRUNCATE_EXISTING).close()",
        'Files.move(p, p.resolveSibling("moved"))',
        'Files.createFile(p.resolveSibling("created"))',
        "Files.setPosixFilePermissions(p, java.util.Set.of())",
        'Runtime.getRuntime.exec(Array("mount", "-o", "remount,bind,rw", "/")).waitFor(); Files.delete(p)',
    ],
)
def test_files_cannot_be_changed_or_removed(session: Session, tmp_path: Path, deed: str) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("dear")
    before = kept.stat()
    result = check(session, _demo(f'import java.nio.file._; val p = Paths.get("{kept}"); {deed}'))
    assert not any(module.elaborated for module in result.modules)
    assert kept.read_text() == "dear" and kept.stat().st_mode == before.st_mode
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    _next_check_works(session)


def test_other_processes_cannot_be_ended(session: Session) -> None:
    with subprocess.Popen(["sleep", "600"]) as victim:
        try:
            kill = f'Runtime.getRuntime.exec(Array("sh", "-c", "kill -9 {victim.pid}; kill -9 -1")).waitFor()'
            check(session, _demo(kill))
            assert victim.poll() is None
        finally:
            victim.kill()
    _next_check_works(session)


def test_sockets_reach_nobody(session: Session) -> None:
    reached: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        result = check(session, _demo(f'val s = new java.net.Socket("127.0.0.1", {port})'))
        with contextlib.suppress(TimeoutError):
            reached.append(server.accept())
    assert reached == [] and result.errors
    _next_check_works(session)


def test_a_megabyte_of_output_and_a_thread_left_running(session: Session) -> None:
    noisy = check(session, _demo('for (i <- 0 until 20000) println("x" * 60); System.out.println("[error] not mine")'))
    assert noisy.modules[0].elaborated
    thread = "val t = new Thread(() => while (true) Thread.sleep(1000)); t.start()"
    assert check(session, _demo(thread)).modules[0].elaborated
    _next_check_works(session)


def test_state_of_one_check_is_gone_in_the_next(session: Session) -> None:
    mark = _demo('System.setProperty("hwml.mark", "1"); Holder.n += 1', above="object Holder { var n = 0 }")
    assert check(session, mark).ok
    look = _demo(
        'require(System.getProperty("hwml.mark") == null); Holder.n += 1; require(Holder.n == 1)',
        above="object Holder { var n = 0 }",
    )
    assert check(session, look).ok
    assert not check(session, _demo("Holder.n += 1")).ok


@pytest.mark.parametrize("body", ["", *(case[0] for case in MISBEHAVIOUR)])
def test_untrusted_workspace_runs_nothing(programs: object, tmp_path: Path, body: str) -> None:
    canary = tmp_path / "canary"
    text = _demo(f'new java.io.File("{canary}").createNewFile(); {body}') + "// hwml: elaborate Demo\n"
    path = tmp_path / "Demo.scala"
    path.write_text(text)
    (tmp_path / ".bsp").mkdir()
    argv = ["/bin/sh", "-c", f"touch {canary}"]
    server = {"name": "x", "version": "1", "bspVersion": "2.1.0", "languages": ["scala"], "argv": argv}
    (tmp_path / ".bsp" / "x.json").write_text(json.dumps(server))
    analysis = analyze(str(path), text, Settings(trusted=False))
    assert not canary.exists()
    assert {item.severity for item in analysis.diagnostics} <= {"warning", "info"}  # what the types alone tell
    assert analysis.diagnostics[0].code == "CH906" and "not trusted" in analysis.diagnostics[0].message


def test_elaboration_can_be_switched_off(programs: object, tmp_path: Path) -> None:
    settings = Settings(trusted=True, chisel=ChiselSettings(elaborate="never"))
    analysis = analyze(str(tmp_path / "Demo.scala"), _demo("sys.exit(1)"), settings)
    assert analysis.diagnostics == () and any("types only" in note for note in analysis.notes)


@pytest.mark.parametrize("text", ["", "\n\n", "just some prose, no code at all", "}{)(", "\x00\x01\x02", "object"])
def test_no_scala(session: Session, text: str) -> None:
    result = check(session, text)
    assert result.errors or any("no module" in note for note in result.notes)
    _next_check_works(session)


def test_a_checker_that_is_killed(session: Session) -> None:
    check(session, GOOD)
    pid = session.checker.pid
    assert pid is not None
    slow = "class C { " + " ".join(f"val v{i} = List({i}).map(_ + 1).zip(List(1)).toMap;" for i in range(3000)) + "}"
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    result = check(session, slow)
    killer.join()
    assert [item.code for item in result.errors] == ["CH911"]
    _next_check_works(session)


def test_an_elaborator_that_is_killed(session: Session) -> None:
    check(session, GOOD)
    pid = session.elaborator.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _next_check_works(session)


def test_a_compile_past_the_limit(session: Session) -> None:
    slow = "class C { " + " ".join(f"val v{i} = List({i}).map(_ + 1).zip(List(1)).toMap;" for i in range(6000)) + "}"
    result = check(session, slow, timeout_s=0.5)
    assert [item.code for item in result.errors] == ["CH911"]
    _next_check_works(session)


def test_paths_with_spaces_and_other_letters(programs: object, tmp_path: Path) -> None:
    folder = tmp_path / "Größe mit Leerzeichen 设计"
    folder.mkdir()
    (folder / "Stufe é.scala").write_text(
        "import chisel3._\nclass Stage extends Module { val y = IO(Output(Bool())); y := true.B }\n", encoding="utf-8"
    )
    path = folder / "Top 顶.scala"
    text = (
        "import chisel3._\r\nclass Top extends Module {\r\n  val s = Module(new Stage)\r\n"
        "  val y = IO(Output(Bool()))\r\n  y := s.y + 1\r\n}\r\n"
    )
    analysis = analyze(str(path), text, Settings(trusted=True))
    assert [item.span.start_line for item in analysis.diagnostics if item.severity == "error"] == [4], analysis
    clean = analyze(str(path), text.replace(" + 1", ""), Settings(trusted=True))
    assert clean.diagnostics == ()
