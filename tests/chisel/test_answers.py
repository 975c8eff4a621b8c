"""Answers belong to questions: whatever a constructor does, the other checks say what fresh processes say."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest, CompileResult

from .conftest import check
from .hostile import ATTACKS, ENDINGS, GRABBING, attack
from .repair_cases import DATA, mistakes, snippets

pytestmark = pytest.mark.timeout(3600)  # many checks; a loaded machine takes its time
GOOD = "import chisel3._\nclass Good extends Module { val y = IO(Output(UInt(8.W))); y := 7.U }\n"
THROWS = (
    'import chisel3._\nclass Bad extends Module { val y = IO(Output(Bool())); require(1 == 2, s"no"); y := true.B }\n'
)
TYPES = "import chisel3._\nclass Wrong extends Module { val y = IO(Output(UInt(8.W))); y := 7 }\n"
LATE_S = 6.0  # limit of an attack that would never end; the others are done long before


@dataclass
class Yard:
    """A folder and a socket that no attack may touch."""

    folder: Path
    place: Path
    reached: list[bytes] = field(default_factory=list)

    def canaries(self) -> list[str]:
        """What an attack has left, and what the socket was told."""
        names = {path.name for path in self.folder.iterdir()} ^ {"kept"}
        return sorted(names) + [str(said) for said in self.reached]


@pytest.fixture
def yard() -> Iterator[Yard]:
    with tempfile.TemporaryDirectory(prefix="hwml-y-") as name, socket.socket(socket.AF_UNIX) as server:
        found = Yard(Path(name) / "yard", Path(name) / "s")
        found.folder.mkdir()
        (found.folder / "kept").write_text("dear")
        server.bind(str(found.place))
        server.listen(8)

        def wait() -> None:
            try:
                while True:
                    found.reached.append(server.accept()[0].recv(100))
            except OSError:
                return

        threading.Thread(target=wait, daemon=True).start()
        yield found
        server.shutdown(socket.SHUT_RDWR)


def _said(result: CompileResult) -> object:
    return result.ok, result.stage, result.diagnostics, result.modules, dict(result.verilog)


def _ask(session: Session, text: str, timeout_s: float = 120) -> object:
    return _said(check(session, text, outputs=True, timeout_s=timeout_s))


def _alone(programs: Programs, texts: list[str]) -> dict[str, object]:
    """What processes say that have seen nothing else."""
    said = {}
    for text in dict.fromkeys(texts):
        session = Session(programs)
        try:
            said[text] = _ask(session, text)
        finally:
            session.kill()
    return said


def _attacked(session: Session, name: str, yard: Yard) -> CompileResult:
    limit = LATE_S if name in ("endless loop", "threads without end") else 120
    return check(session, attack(name, yard.folder, yard.place), timeout_s=limit)


def _wrong_ending(name: str, result: CompileResult) -> str:
    codes = {item.code for item in result.diagnostics if item.severity == "error"}
    fine = codes <= GRABBING[name] if name in GRABBING else codes == ENDINGS.get(name, set())
    return "" if fine and "CANARY" not in str(result.diagnostics) else f"{name}: {result.diagnostics}"


def test_checks_between_attacks_say_what_they_say_alone(programs: Programs, yard: Yard) -> None:
    """Every attack once, and after each of them a check whose answer is known."""
    others = [GOOD, THROWS, TYPES]
    alone = _alone(programs, others)
    session = Session(programs)
    try:
        assert all(_ask(session, text) == alone[text] for text in others)
        different = []
        for index, name in enumerate(ATTACKS):
            different.append(_wrong_ending(name, _attacked(session, name, yard)))
            text = others[index % len(others)]
            if _ask(session, text) != alone[text]:
                different.append(f"after {name}: {text}")
    finally:
        session.kill()
    assert [item for item in different if item] == []
    assert yard.canaries() == []


def test_plain_hardware_shares_a_process_and_nothing_else_does(programs: Programs, yard: Yard) -> None:
    """Warm checks stay warm; after an attack a new process answers, also after one that looks like nothing happened."""
    session = Session(programs)
    try:
        check(session, GOOD)
        first = session.elaborator.pid
        for text in (
            THROWS,
            TYPES,
            GOOD.replace("7", "8"),
            GOOD.replace("y := 7.U", 'sys.error("no")'),
            'import chisel3._\nclass P extends Module { println("x") }\n',
        ):
            check(session, text)
        assert session.elaborator.pid == first
        for body in (
            'Class.forName("hwml.worker.Wire")',
            "sys.env",
            "new Thread",
            "override def finalize(): Unit = ()",
        ):
            before = session.elaborator.pid
            check(session, f"import chisel3._\nclass P extends Module {{ {body} }}\n")
            assert session.elaborator.pid != before, body
    finally:
        session.kill()


def _mixed() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((DATA / "styles").glob("*.scala"))]
    texts += [text for case in (*mistakes(), *snippets()) for text in (case.bad, case.good)]
    return [GOOD, THROWS, TYPES, *sorted(dict.fromkeys(texts), key=len)[:24]]


@pytest.mark.slow
def test_649_mixed_checks(programs: Programs, yard: Yard) -> None:
    """27 texts and all attacks in a fixed, mixed order, against processes that have seen nothing."""
    texts = _mixed()
    alone = _alone(programs, texts)
    session = Session(programs)
    different = []
    try:
        for index in range(649):
            if index % 4 == 3:
                name = ATTACKS[index // 4 % len(ATTACKS)]
                different.append(_wrong_ending(name, _attacked(session, name, yard)))
            else:
                text = texts[index * 7919 % len(texts)]  # 7919 is prime: a fixed shuffle
                if _ask(session, text) != alone[text]:
                    different.append(f"check {index}: {text}")
    finally:
        session.kill()
    assert [item for item in different if item] == []
    assert yard.canaries() == []


@pytest.mark.parametrize("calls", [1, 3])
def test_threads_may_ask_at_once(session: Session, calls: int) -> None:
    """Each gets the answer to its own question."""
    answers: dict[int, CompileResult] = {}

    def ask(number: int) -> None:
        text = GOOD.replace("Good", f"Good{number}").replace("7.U", f"{number}.U")
        answers[number] = session.check(CheckRequest((("Demo.scala", text),), True, outputs=True, timeout_s=120))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answer in answers.items():
        assert answer.ok and f"8'h{number:X}" in answer.verilog[f"Good{number}"]
    assert len(answers) == calls
