"""Evaluation: references behave as their models, what does not is caught, rates and intervals are right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk import cli
from hwml_sdk.chisel.data_engine.held_out import held_out
from hwml_sdk.chisel.data_engine.verify import Verified, Verifier
from hwml_sdk.chisel.evaluate.measure import figures, judge
from hwml_sdk.chisel.evaluate.metrics import pass_at_k, wilson
from hwml_sdk.chisel.evaluate.page import page
from hwml_sdk.chisel.evaluate.tasks import own_tasks, read_tasks
from hwml_sdk.chisel.session import Session
from hwml_sdk.errors import DataError

TASKS = {task.id: task for task in own_tasks()}
# What does something else, by one change of a reference.
CHANGES = {
    "up_counter": ("count + 1.U", "count + 2.U"),
    "maximum": ("io.a > io.b", "io.a < io.b"),
    "rising": ("!RegNext", "RegNext"),
}
# The same in another way: loose ports, other registers.
OTHER = {
    "toggle": "class Toggle extends Module {\n  val t = IO(Input(Bool()))\n  val q = IO(Output(Bool()))\n"
    "  val r = Reg(Bool())\n  r := Mux(reset.asBool, false.B, t ^ r)\n  q := r\n}\n",
    "sequence": "class Sequence101 extends Module {\n  val io = IO(new Bundle {\n"
    "    val in = Input(Bool())\n    val found = Output(Bool())\n  })\n"
    "  val a = RegNext(io.in, false.B)\n  val b = RegNext(a, false.B)\n  io.found := b && !a && io.in\n}\n",
}


# More tasks, written once more by hand: other registers, other expressions, other constructs than the reference's.
AGAIN = {
    "parity": ("a = Input(UInt(8.W))", "odd = Output(Bool())", "io.odd := PopCount(io.a)(0)"),
    "up_counter": (
        "en = Input(Bool())",
        "count = Output(UInt(8.W))",
        "io.count := Counter(io.en, 256)._1",
    ),
    "decode4": (
        "sel = Input(UInt(2.W)); val en = Input(Bool())",
        "y = Output(UInt(4.W))",
        "io.y := Mux(io.en, UIntToOH(io.sel), 0.U)",
    ),
    "grade": (
        "score = Input(UInt(7.W))",
        "grade = Output(UInt(2.W))",
        "io.grade := PopCount(Seq(io.score > 49.U, io.score > 74.U, io.score > 89.U))",
    ),
    "rising": (
        "in = Input(Bool())",
        "pulse = Output(Bool())",
        "val low = RegInit(true.B)\n  low := !io.in\n  io.pulse := low & io.in",
    ),
    "mux2": (
        "sel = Input(Bool()); val a = Input(UInt(8.W)); val b = Input(UInt(8.W))",
        "y = Output(UInt(8.W))",
        "io.y := io.a\n  when(io.sel) { io.y := io.b }",
    ),
}


def test_layout() -> None:
    levels = [task.level for task in TASKS.values()]
    assert [levels.count(level) for level in ("L1", "L2", "L3", "L4")] == [12, 14, 9, 2]
    assert all(task.prompt and task.reference and "module model(" in task.model for task in TASKS.values())


def test_verdicts(session: Session) -> None:
    answers = {name: [TASKS[name].reference.replace(*change)] for name, change in CHANGES.items()}
    answers |= {name: [f"Here it is:\n```scala\n{text}```\n"] for name, text in OTHER.items()}
    answers["invert"] = ["class Invert8 extends Module { nonsense }", TASKS["invert"].reference]
    answers["parity"] = [TASKS["parity"].reference.replace("odd", "even")]
    judged = judge(list(TASKS.values()), answers, Verifier(session))
    found: dict[str, list[tuple[int, str]]] = {}
    for item in judged:
        found.setdefault(item.task, []).append((item.reached, item.words))
    assert [found[name] for name in CHANGES] == [[(3, "different")]] * len(CHANGES)
    assert found["toggle"] == [(4, "")]
    assert found["sequence"] in ([(4, "")], [(4, "bounded")])
    assert [reached for reached, _ in found["invert"]] == [0, 4]
    assert found["parity"] == [(3, "ports")]
    told = figures(list(TASKS.values()), judged)
    assert told["answers"] == 8
    # Seven tasks, behaving: toggle, sequence, and invert in one of two.
    assert told["groups"]["all"]["behave"]["pass@1"]["rate"] == pytest.approx(2.5 / 7, abs=1e-4)
    assert "<svg" in page(told, "t")


@pytest.mark.slow
def test_references(session: Session) -> None:
    judged = judge(list(TASKS.values()), {name: [task.reference] for name, task in TASKS.items()}, Verifier(session))
    assert {item.task: item.words for item in judged if not item.ok} == {}


@pytest.mark.slow
def test_a_task_is_written_in_two_ways(session: Session) -> None:
    answers = {
        name: [
            "import chisel3._\nimport chisel3.util._\n"
            f"class Other extends Module {{\n  val io = IO(new Bundle {{ val {given}; val {out} }})\n  {body}\n}}\n"
        ]
        for name, (given, out, body) in AGAIN.items()
    }
    judged = judge(list(TASKS.values()), answers, Verifier(session))
    assert {item.task: item.words for item in judged if not item.ok} == {}
    assert len(judged) == len(AGAIN)


def test_nothing_of_a_task_is_taught(session: Session) -> None:
    """The list that the data engine leaves out is the references' own."""
    found = Verifier(session).run({task.id: task.reference for task in TASKS.values()})
    numbers = {result.netlist.abstract for result in found.values() if isinstance(result, Verified)}
    assert numbers == held_out()


def test_rates() -> None:
    # Of 4 samples 1 passes: 2 drawn at random hold it in half of the 6 draws.
    assert pass_at_k(4, 1, 2) == 0.5
    assert pass_at_k(5, 0, 5) == 0.0
    assert pass_at_k(3, 2, 2) == 1.0
    with pytest.raises(ValueError, match="pass@3"):
        pass_at_k(2, 1, 3)
    # Wilson, 8 of 10: 0.4902 to 0.9433 (Brown, Cai, DasGupta 2001).
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)
    assert wilson(0, 0) == (0.0, 1.0)


def test_public_layouts(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    rows = [
        {
            "task_id": "Prob001",
            "prompt": "Always zero.",
            "ref": "module RefModule(output zero); assign zero = 0; endmodule",
        },
        {
            "task_id": "old",
            "prompt": "module top_module(output one);",
            "description": "One.",
            "canonical_solution": "assign one = 1; endmodule",
        },
        {"id": "mine", "prompt": "p", "model": "module m(input a); endmodule"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = read_tasks(path)
    assert [(task.id, task.prompt, task.model_top) for task in found] == [
        ("Prob001", "Always zero.", "RefModule"),
        ("old", "One.", "top_module"),
        ("mine", "p", "m"),
    ]
    path.write_text('{"id": "x"}\n')
    with pytest.raises(DataError, match=r"tasks\.jsonl:1"):
        read_tasks(path)


@pytest.mark.parametrize("way", ["--references", "--simulation"])
def test_tasks_without_a_reference(way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing to judge, and nothing to put faults into: both say so, and name what can be judged."""
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps({"id": "mine", "prompt": "p", "model": "module m(input a); endmodule"}) + "\n")
    assert cli.main(["chisel", "eval", "--tasks", str(path), way]) == 2
    said = capsys.readouterr().err
    assert "none of the tasks brings a reference in Chisel" in said
    assert said.count("\n") == 1


def test_answers_are_judged_without_a_network(
    tmp_path: Path, no_network: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """One answer behaves, one does something else, of a task that brings Verilog alone."""
    tasks, answers = tmp_path / "tasks.jsonl", tmp_path / "answers.jsonl"
    verilog = "module m(input clock, input reset, input a, input b, output y);\n  assign y = a & b;\nendmodule\n"
    tasks.write_text(json.dumps({"id": "both", "prompt": "p", "model": verilog}) + "\n")
    ports = "val io = IO(new Bundle { val a, b = Input(Bool()); val y = Output(Bool()) })"
    right = f"import chisel3._\nclass Both extends Module {{\n  {ports}\n  io.y := io.a && io.b\n}}\n"
    rows = [{"task": "both", "answer": text} for text in (right, right.replace("&&", "||"))]
    answers.write_text("\n".join(map(json.dumps, rows)))
    arguments = ["--tasks", str(tasks), "--answers", str(answers), "--json"]
    assert cli.main(["chisel", "eval", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["per_task"] == {"both": [4, 3]}
    assert found["ended_by"] == {"behave: different": 1}
