"""Tuning, whole, with a small model made on the spot: kept where tasks say it is better, refused where they do not."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hwml_sdk import cli
from hwml_sdk.train.__main__ import main as train
from hwml_sdk.train.chisel.compare import compared
from hwml_sdk.train.chisel.rows import Row, monotony

torch_only = pytest.mark.torch
OPERATIONS = {"And": "&", "Or": "|", "Xor": "^", "Both": "&", "Any": "|", "Odd": "^"}


def row(name: str, operation: str) -> dict[str, str]:
    """A module that a small model learns by heart in seconds."""
    ports = "val a = IO(Input(UInt(4.W)))\n  val b = IO(Input(UInt(4.W)))\n  val y = IO(Output(UInt(4.W)))"
    code = f"import chisel3._\n\nclass {name} extends Module {{\n  {ports}\n  y := a {operation} b\n}}\n"
    return {
        "instruction": f"{name} {name} {name}",
        "input": "",
        "output": code,
        "seed": name,
        "family": "",
        "abstract": name,
    }


ROWS = [row(*item) for item in OPERATIONS.items()]


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in rows))
    return path


def test_gains_by_hand() -> None:
    # All of eight tasks gain a half: every draw has this mean. One of eight gains: a third of the draws lack it.
    names = [str(number) for number in range(8)]
    found = compared(dict.fromkeys(names, 0.25), dict.fromkeys(names, 0.75))
    assert (found.difference, found.low, found.high, found.better) == (0.5, 0.5, 0.5, True)
    assert "25.0%" in found.words()
    assert "better" not in found.words()
    one = compared(dict.fromkeys(names, 0.0), {name: float(name == "3") for name in names})
    assert one.difference == 0.125
    assert one.low == 0.0
    assert not one.better
    same = compared({"a": 0.5}, {"a": 0.5})
    assert not same.better


def test_what_is_much_alike_is_told() -> None:
    few = [Row("p", "a", abstract=str(at % 3), family="adder" if at % 2 else f"f{at}") for at in range(20)]
    told = monotony(few)
    assert "50% of the rows are of the family adder" in told[0]
    assert "only 15% of the rows differ" in told[1]
    assert monotony([Row("p", "a", abstract=str(at), family=f"f{at}") for at in range(20)]) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name one: --from-scratch for a small model from nothing, or --model FOLDER to tune"),
        (["--from-scratch", "--model", "m"], "name one"),
        (["--from-scratch", "--tasks", "t"], "--tasks goes with --model"),
        (["--model", "m", "--start", "s"], "--start goes with --from-scratch"),
        (["--model", "m", "--replay", "1"], "--replay is 0 to below 1"),
        (["--model", "m", "--steps", "0"], "the other numbers are over 0"),
    ],
)
def test_wrong_use_in_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["chisel", "--data", "d", "--out", "o", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@dataclass(frozen=True)
class Half:
    """A model that has three of six modules by heart and three wrong, right rows, tasks, a folder to write into."""

    model: Path
    rows: Path
    tasks: Path
    folder: Path

    def tune(self, data: Path, out: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Exit code and report."""
        report = self.folder / f"{out}.json"
        arguments = ["--model", self.model, "--data", data, "--out", self.folder / out, "--report", report]
        arguments += ["--tasks", self.tasks, "--validation", self.tasks, "--minutes", "90", "--samples", "2"]
        code = train(["chisel", *map(str, arguments), "--most-tokens", "160", *more])
        return code, json.loads(report.read_text()) if report.exists() else {}


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Half:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra llm)")
    pytest.importorskip("peft", reason="peft is not installed (extra llm)")
    torch.set_num_threads(1)  # threads wait for each other longer than so small a model computes
    folder = tmp_path_factory.mktemp("tune")
    all_rows = ROWS
    wrong = [row("Both", "|"), row("Any", "^"), row("Odd", "&")]
    known = written(folder / "known.jsonl", [*all_rows[:3], *wrong] * 4)
    # Rows of one circuit are held out together: one that nobody asks for is what is held out here.
    with known.open("a") as file:
        file.write(json.dumps(row("Other", "&") | {"abstract": "0"}) + "\n")
    arguments = ["--from-scratch", "--size", "tiny", "--epochs", "120", "--minutes", "60", "--held-out", "1"]
    arguments += ["--threads", "1"]
    assert train(["chisel", *arguments, "--data", str(known), "--out", str(folder / "model")]) == 0
    # Answers of tasks are never learned, by their text or circuit: here the same circuits are written otherwise.
    tasks = [item | {"output": f"// {item['seed']}\n{item['output']}"} for item in all_rows]
    files = (written(folder / "rows.jsonl", all_rows), written(folder / "tasks.jsonl", tasks))
    return Half(folder / "model", *files, folder)


@torch_only
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_helps_is_kept(half: Half, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--steps", "120", "--every", "40", "--rate", "4e-3")
    code, report = half.tune(half.rows, "good", *more)
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "better, pass@1" in said.out
    assert report["comparison"]["difference_interval"][0] > 0
    assert report["comparison"]["better"] is True
    assert report["replayed"] > 0
    card = json.loads((half.folder / "good" / "hwml.json").read_text())
    assert card["comparison"]["after"] > card["comparison"]["before"]
    # The adapter is one that generation takes.
    arguments = ["--model", str(half.model), "--adapter", str(half.folder / "good"), "--samples", "4", "--enough", "1"]
    assert cli.main(["chisel", "generate", *arguments, "--temperature", "0", "--repairs", "0", "Any Any Any"]) == 0
    assert "a | b" in capsys.readouterr().out


@torch_only
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_makes_it_worse_is_refused(half: Half, capsys: pytest.CaptureFixture[str]) -> None:
    """One template, over and over: the model forgets what it knew (the earlier failure), and says so."""
    template = written(half.folder / "template.jsonl", [row(f"Unit{at}", "%") | {"abstract": "t"} for at in range(40)])
    code, report = half.tune(template, "bad", "--steps", "60", "--every", "30", "--rate", "1e-2", "--replay", "0")
    said = capsys.readouterr()
    assert code == 3
    assert not (half.folder / "bad").exists()
    assert "better" not in said.out + said.err
    assert "was not written" in said.err
    assert "only 2% of the rows differ" in said.err
    assert report["comparison"]["after"] < report["comparison"]["before"]
    assert report["validation"][0][1] > report["validation"][-1][1]


@torch_only
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_changes_nothing_is_refused(half: Half, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = half.tune(half.rows, "same", "--steps", "1", "--rate", "1e-9")
    said = capsys.readouterr()
    assert code == 3
    assert "better" not in said.out + said.err
    assert not report["comparison"]["better"]
    assert not (half.folder / "same").exists()


@torch_only
@pytest.mark.slow
def test_a_tiny_random_qwen2_goes_the_whole_way(
    tmp_path: Path, no_network: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plumbing only: what it says is noise. Loaded by transformers, asked in batches, answers kept in the trace."""
    pytest.importorskip("torch", reason="torch is not installed (extra llm)")
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from hwml_sdk.train.chisel.cutting import make_tokenizer

    tokenizer = make_tokenizer([item["instruction"] for item in ROWS], [item["output"] for item in ROWS], 400)
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=2, **shape, **ends))
    model.save_pretrained(tmp_path / "qwen2")
    tokenizer.save_pretrained(tmp_path / "qwen2")
    place = tmp_path / "trace.json"
    arguments = ["--model", str(tmp_path / "qwen2"), "-n", "3", "--repairs", "1", "--most-tokens", "24"]
    assert cli.main(["chisel", "generate", *arguments, "--retrieval", "bm25", "--trace", str(place), "a counter"]) == 1
    assert "no module was found" in capsys.readouterr().err
    kept = json.loads(place.read_text())
    assert [item["round"] for item in kept["attempts"]] == [0, 0, 0, 1, 1, 1]
    assert all(0 < item["tokens"] <= 24 for item in kept["attempts"])
