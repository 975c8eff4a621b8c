"""`hwml lora prepare, analyze, test, roundtrip`, with both spellings of their flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk.cli import main

from .files import adapter_arrays, write_adapter

ROWS = [
    {"prompt": "Say what a pipelined loop is."},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is an II?"}]},
    {"question": "Which one is a register?", "choices": {"text": ["RegInit", "Wire"], "label": ["A", "B"]},
     "answerKey": "A"},
    {"question": {"stem": "Which is free?", "choices": [{"text": "a shift by 2", "label": "1"}]}, "answerKey": "1"},
    {"question": "Which is a port?", "choices": ["IO", "val"]},
]  # fmt: skip
TEXTS = {
    "Say what a pipelined loop is.",
    "What is an II?",
    "Which one is a register?\nA. RegInit\nB. Wire",
    "Which is free?\n1. a shift by 2",
    "Which is a port?\nA. IO\nB. val",
}


def _source(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("spelling", ["-", "_"])
def test_prepare_parts_and_groups(tmp_path: Path, spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = _source(tmp_path / "in.jsonl", [*ROWS, ROWS[0], *({"prompt": f"prompt {n}"} for n in range(15))])
    flags = {"output_dir": tmp_path / "out", "samples_per_prompt": 2, "test_ratio": 0.2}
    words = [word for name, value in flags.items() for word in ("--" + name.replace("_", spelling), str(value))]
    assert main(["lora", "prepare", "--source", str(source), *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["train_groups"], told["validation_groups"], told["duplicates"], told["left_over"]) == (8, 2, 1, 0)
    parts = [
        [json.loads(line)["prompts"] for line in (tmp_path / "out" / name).read_text().splitlines()]
        for name in ("train_prompts.jsonl", "val_prompts.jsonl")
    ]
    assert {len(group) for part in parts for group in part} == {2}
    used = [text for part in parts for group in part for text in group]
    assert len(used) == len(set(used)) == 20
    assert set(used) >= TEXTS
    before = (tmp_path / "out" / "train_prompts.jsonl").read_bytes()
    assert main(["lora", "prepare", "--source", str(source), *words]) == 0
    assert (tmp_path / "out" / "train_prompts.jsonl").read_bytes() == before  # seeded


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"prompt": " "}], "in.jsonl:1: its prompt is empty"),
        ([{"prompt": "a"}, {"text": "b"}], "in.jsonl:2: has none of prompt, messages, question; its keys are text"),
        ([{"prompt": 7}], "in.jsonl:1: its prompt is no text but int"),
        ([[1]], "in.jsonl:1: a JSON object was expected"),
        ([{"messages": "x"}], "in.jsonl:1: its messages are no list"),
        ([{"question": "x", "choices": {"text": ["a"], "label": []}}], "in.jsonl:1: its choices have not as many"),
        ([{"prompt": "a"}], "1 different prompts: 8 are needed"),
        ([], "holds no prompts"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, rows: list[object], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = _source(tmp_path / "in.jsonl", rows)
    assert main(["lora", "prepare", "--source", str(source), "--output-dir", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_analyze_tells_drift_and_initialisations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step in range(3):
        write_adapter(tmp_path / "same" / f"step-{step}", adapter_arrays(step, start=7))
    assert main(["lora", "analyze", "--checkpoint_dir", str(tmp_path / "same"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["initialisations"] == 1
    assert told["warnings"] == []
    assert told["n_tokens"] == 4  # 4 tensors of 16 values, a token each
    assert told["rows"][0]["drift"] is None
    assert 0.05 < told["rows"][1]["drift"] < 0.3  # noise of .1 on both sides of values of spread 1
    write_adapter(tmp_path / "same" / "other", adapter_arrays(9, start=8))
    assert main(["lora", "analyze", "--checkpoint-dir", str(tmp_path / "same")]) == 0
    shown = capsys.readouterr()
    assert "2 LoRA initialisations in one folder (3, 1 checkpoints)" in shown.err
    assert "4 checkpoints, 4 tokens of 384 values each" in shown.out


def test_mixed_kinds_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_adapter(tmp_path / "a", adapter_arrays())
    write_adapter(tmp_path / "b", adapter_arrays(rank=3))
    assert main(["lora", "analyze", "--checkpoint-dir", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path / 'b'}: does not fit {tmp_path / 'a'}" in error
    assert "is [3, 8], in the first [2, 8] (another rank?)" in error
    write_adapter(tmp_path / "b", adapter_arrays(layers=3))
    assert main(["lora", "analyze", "--checkpoint-dir", str(tmp_path)]) == 2
    assert "other targets: nothing missing, base_model.model.encoder.layer.2" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["test", "roundtrip"])
def test_round_trip_of_a_file(tmp_path: Path, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = write_adapter(tmp_path / "a", adapter_arrays()) / "adapter_model.safetensors"
    assert main(["lora", action, "--checkpoint_file", str(place), "--max_tokens", "512", "--token_dim", "8"]) == 0
    assert "8 tokens of 8 values; there and back: exact" in capsys.readouterr().out
    assert main(["lora", action, "--checkpoint-file", str(place), "--max-tokens", "7", "--token-dim", "8"]) == 2
    assert "this adapter needs 8 tokens of 8 values" in capsys.readouterr().err
