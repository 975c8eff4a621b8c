"""Why a loop is no faster, and what would lift it: `why` and `hwml qor why` against bounds counted by hand."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hwml_sdk import SourceError, why
from hwml_sdk.cli import main
from hwml_sdk.document import apply_edits
from hwml_sdk.qor.advice.types import Why

from .why_cases import CASES, Case

TOOL = {"part": "xczu9eg-ffvb1156-2-i", "clock_period_ns": 10, "tool": "vitis_hls", "tool_version": "2022.1"}
PORTS = next(case for case in CASES if case.name == "window of 4")
SUM = next(case for case in CASES if case.name == "sum of floats")


def asked(source: str | Path, loop: str | None = None) -> tuple[Why, ...]:
    return why(source, loop=loop, **TOOL)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause_is_named_and_the_first_move_lifts_it(case: Case) -> None:
    (found,) = asked(case.source, "work")
    assert found.loop is not None
    assert (found.cause.kind, found.cause.subject, found.loop.ii) == (case.kind, case.subject, case.ii)
    assert (found.cause.reads, found.cause.writes) == (case.reads, case.writes)
    first = found.moves[0] if found.moves else None
    assert (first is not None and first.ii is not None and first.ii < case.ii) == case.lifts


def test_enough_loops_are_lifted() -> None:
    assert len(CASES) >= 40
    assert sum(case.lifts for case in CASES) / len(CASES) >= 0.9


def test_what_is_said_of_ports() -> None:
    (found,) = asked(PORTS.source)
    assert found.message == "II 2: 4 reads of a[] a round, 2 ports"
    assert {(place.span.start_line, place.message) for place in found.related} == {(4, "read here")}
    move = found.moves[0]
    assert move.fix.title == "partition a cyclic factor=2"
    # 960 rounds: (960 - 1) II and the way through; half the II saves 959 cycles and the wait for a port.
    assert move.gain.startswith("II 2 -> 1, ")
    assert move.before.latency_cycles is not None and move.after.latency_cycles is not None
    assert move.before.latency_cycles - move.after.latency_cycles in range(959, 963)
    assert "#pragma HLS ARRAY_PARTITION variable=a type=cyclic factor=2" in apply_edits(PORTS.source, move.fix.edits)


def test_a_recurrence_is_a_path() -> None:
    (found,) = asked(SUM.source)
    assert found.message == "II 4: s -> fadd (4 cycles) -> s, distance 1"
    assert found.to_dict()["cause"]["recurrence"]["distance"] == 1


def test_moves_say_what_predicting_the_edited_text_says() -> None:
    (found,) = asked(SUM.source, "work")
    move = found.moves[0]
    (again,) = asked(apply_edits(SUM.source, move.fix.edits), "work")
    assert again.loop is not None and again.loop.ii == move.ii == 1


def test_two_arrays_are_split_together() -> None:
    source = PORTS.source.replace("b[i] =", "b[4 * i + 1] = b[4 * i + 2] = b[4 * i + 3] = b[4 * i] =").replace(
        "960", "240"
    )
    (found,) = asked(source, "work")
    assert found.moves[0].ii == 1
    changed = apply_edits(source, found.moves[0].fix.edits)
    assert "variable=a" in changed and "variable=b" in changed


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++")
@pytest.mark.parametrize("body", ["s += a[i] * 2.0f;", "s = s + a[i];", "s *= 1.0f + a[i] / 4096;"])
def test_partial_sums_give_the_same_result(body: str, tmp_path: Path) -> None:
    """Compiled and run: the rewritten loop gives what the loop gave, as far as floating point goes."""
    kernel = (
        "float top(float a[1000]) {\n  float s = 1;\n"
        "  work: for (int i = 0; i < 1000; i++) {\n#pragma HLS PIPELINE II=1\n"
        f"    {body}\n  }}\n  return s;\n}}\n"
    )
    (found,) = asked(kernel, "work")
    assert found.moves[0].fix.title.endswith("parts that take turns")
    tests = (
        "#include <cstdio>\nint main() { float a[1000]; for (int i = 0; i < 1000; i++) a[i] = (i * 37 % 101) / 64.0f;"
    )
    results = []
    for name, text in (("plain", kernel), ("parts", apply_edits(kernel, found.moves[0].fix.edits))):
        path = tmp_path / f"{name}.cpp"
        path.write_text(f'{text}\n{tests}\n  std::printf("%.6f", top(a)); }}\n', encoding="utf-8")
        subprocess.run(["g++", "-w", "-o", tmp_path / name, path], check=True)
        results.append(float(subprocess.run([tmp_path / name], capture_output=True, text=True, check=True).stdout))
    assert results[0] == pytest.approx(results[1], rel=1e-4)


def test_indirect_accesses_may_be_declared_apart() -> None:
    source = """void top(float h[256], int p[1024], int q[1024]) {
  work: for (int i = 0; i < 1024; i++) {
#pragma HLS PIPELINE II=1
    h[p[i]] = h[q[i]] + 1.0f;
  }
}
"""
    (found,) = asked(source, "work")
    assert found.cause.kind == "unclear"
    assert any("only if that is so" in move.fix.title for move in found.moves)
    assert not any(move.fix.safe for move in found.moves)


def test_loops_that_are_no_pipeline() -> None:
    source = """void top(int a[64][64], int s[64]) {
  rows: for (int i = 0; i < 64; i++) {
    s[i] = 0;
    cols: for (int j = 0; j < 64; j++) {
#pragma HLS PIPELINE II=1
      s[i] += a[i][j];
    }
  }
}
"""
    (found,) = asked(source, "rows")
    assert found.message == "not flattened with cols: there is code between the two loops"


REGION = """void first(int a[512], int b[512]) { for (int i = 0; i < 512; i++) b[i] = a[i] + 1; }
void second(int b[512], int c[512]) { for (int i = 0; i < 512; i++) {
#pragma HLS PIPELINE II=3
  c[i] = b[i] * 2; } }
void top(int a[512], int c[512]) {
#pragma HLS DATAFLOW
  int b[512];
  first(a, b);
  second(b, c);
}
"""


def test_the_slowest_process_of_a_region_and_what_lifts_it() -> None:
    """512 rounds of II 3 pace the region; at II 1 both processes take their 512 rounds and a few cycles."""
    found = next(item for item in asked(REGION) if item.cause.kind == "dataflow")
    assert found.cause.subject == "second" and found.message.startswith("interval ")
    asking = next(move for move in found.moves if move.fix.title == "in second: ask for II=1")
    assert asking.interval_before is not None and 3 * 512 <= asking.interval_before < 3 * 512 + 10
    assert asking.interval is not None and 512 <= asking.interval < 512 + 10
    assert asking.gain.startswith("interval 1,53")
    first = found.moves[0]
    again = next(item for item in asked(apply_edits(REGION, first.fix.edits), "top") if item.cause.kind == "dataflow")
    assert again.message.startswith(f"interval {first.interval:,.0f}: ")
    # Of what is as fast again, the least of cycles times LUTs stands first; a FIFO changes the way through alone.
    costs = [
        (move.after.latency_cycles or 0) * (move.after.lut or 0)
        for move in found.moves if (move.interval or 0) < 520
    ]  # fmt: skip
    assert len(costs) > 1 and costs == sorted(costs)
    fifo = found.moves[-1]
    assert "variable=b type=fifo" in fifo.fix.edits[0].new_text and not fifo.fix.safe
    assert fifo.interval == fifo.interval_before and (fifo.after.latency_cycles or 9e9) < 3 * 512 + 10


def test_processes_in_a_loop() -> None:
    source = """void top(const int a[64][256], int out[64][256]) {
  rows: for (int r = 0; r < 64; r++) {
#pragma HLS DATAFLOW
    int row[256], two[256];
    in: for (int i = 0; i < 256; i++) row[i] = a[r][i];
    mid: for (int i = 0; i < 256; i++) {
#pragma HLS PIPELINE II=4
      two[i] = row[i] * row[i];
    }
    out: for (int i = 0; i < 256; i++) out[r][i] = two[i];
  }
}
"""
    (found,) = (item for item in asked(source) if item.cause.kind == "dataflow")
    assert (found.name, found.cause.subject) == ("rows", "loop mid")
    # The longest process took 255 * 4 cycles and some, and takes 256 and some: 64 starts of the region.
    before, after = found.moves[0].before.latency_cycles, found.moves[0].after.latency_cycles
    assert before is not None and after is not None
    assert before - after >= 64 * (255 * 4 - 256 - 10)


def test_loops_that_could_run_at_the_same_time() -> None:
    """Two calls that take 1,024 rounds each: the next data may come after one of them, not after both."""
    source = REGION.replace("#pragma HLS DATAFLOW\n", "").replace(" II=3", "")
    (found,) = asked(source, "top")
    (move,) = found.moves
    assert found.cause.kind == "sequential" and move.fix.title == "dataflow in top"
    assert move.interval is not None and move.interval_before is not None
    assert 2 * 512 <= move.interval_before < 2 * 512 + 15 and 512 <= move.interval < 512 + 10
    # What writes a value after the loops is no process, and a region that gains nothing is none.
    assert not [
        item for item in asked(source.replace("second(b, c);", "second(b, c);\n  c[0] = 1;")) if item.name == "top"
    ]


def test_only_the_document_itself_is_edited() -> None:
    """A loop of another source of the design is explained; its edits would be those of that source."""
    (found,) = why(
        "void inner(int a[1024], int b[1024]);\nvoid top(int a[1024], int b[1024]) { inner(a, b); }\n",
        top="top", files={"inner.cpp": PORTS.source.replace("void top", "void inner")}, **TOOL,  # type: ignore[arg-type]
    )  # fmt: skip
    assert found.path == "inner.cpp" and found.cause.kind == "ports" and not found.moves


# -- the command -------------------------------------------------------------------------------------------------------


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "k.cpp"
    path.write_text(PORTS.source, encoding="utf-8")
    assert main(["qor", "why", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{path}:3: top: work: II 2: 4 reads of a[] a round, 2 ports\n")
    assert re.search(r"^  partition a cyclic factor=2: II 2 -> 1, ", out, re.MULTILINE)
    assert main(["qor", "why", str(path), "--loop", "work", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["why"]
    assert found["moves"][0]["ii"] == 1 and found["moves"][0]["edits"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.cpp"], "gone.cpp: cannot read"),
        (["k.cpp", "--loop", "nope"], "there is no loop nope; there are: work"),
        (["k.cpp", "k2.cpp"], "hwml qor why takes one source at a time, and 2 are named"),
        ([], "name a file or a folder"),
    ],
)
def test_wrong_use_is_one_line_and_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("k.cpp", "k2.cpp"):
        Path(name).write_text(PORTS.source, encoding="utf-8")
    assert main(["qor", "why", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_unknown_loop_is_an_error() -> None:
    with pytest.raises(SourceError, match="there is no loop nope"):
        asked(PORTS.source, "nope")
