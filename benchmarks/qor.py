"""Speed and memory of HLS QoR: `python benchmarks/qor.py [--json]`; ends with 1 when a bar is missed.

Each figure is the median of 5 runs with its spread (worst less best), in wall time and in CPU time of the process
itself; beside it stand the bar and the ratio to a bare reference that does the unavoidable part. On a machine that
others use wall times grow with the load; CPU times stay. Bars are judged on wall time, or on CPU time where the load
exceeds the number of cores (said in the output); bars that are ratios (x15) on CPU time always.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [str(ROOT / "sdk"), str(ROOT / "exports")]
sys.path[:0] = SOURCES
os.environ["PYTHONPATH"] = os.pathsep.join([*SOURCES, os.environ.get("PYTHONPATH", "")])
RUNS = 5
CALLS = 40  # of a warm prediction in one run
LENGTHS = (1000, 2500, 5000, 10_000, 20_000)
MOST_OVER_PARSE = 15.0  # a warm prediction over the parse of the same text
MOST_OVER_IMPORTS = 1.7  # the cold command over the imports of its libraries


@dataclass(frozen=True, slots=True)
class Measure:
    """Median and spread over the runs of wall and CPU time (seconds), or of memory (MB, both the same)."""

    wall: float
    wall_spread: float
    cpu: float
    cpu_spread: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; over: the reference, by whose figure `ratio` is taken. unit: ms or MB."""

    what: str
    unit: str
    measure: Measure
    reference: str
    over: Measure
    bar: str
    met: bool | None

    @property
    def ratio(self) -> float:
        """Our CPU time (or memory) over the reference's."""
        return self.measure.cpu / max(self.over.cpu, 1e-9)


def measured(runs: Sequence[tuple[float, float]], scale: float = 1.0) -> Measure:
    """Of (wall, cpu) pairs."""
    wall, cpu = [w * scale for w, _ in runs], [c * scale for _, c in runs]
    return Measure(statistics.median(wall), max(wall) - min(wall), statistics.median(cpu), max(cpu) - min(cpu))


def source(lines: int) -> str:
    """A kernel of about `lines` lines: functions of 22 lines with loops, pragmas, local arrays, and a top over them."""
    functions = max(round((lines - 2) / 22), 1)
    parts = [
        f"""
static void stage{i}(const float in[256], float out[256]) {{
#pragma HLS inline off
  float window[256];
#pragma HLS array_partition variable=window cyclic factor=4
  load{i}: for (int i = 0; i < 256; i++) {{
#pragma HLS pipeline II=1
    window[i] = in[i] * {i + 1}.5f;
  }}
  work{i}: for (int i = 0; i < 64; i++) {{
#pragma HLS pipeline
    float sum = 0;
    for (int j = 0; j < 4; j++) {{
#pragma HLS unroll
      sum += window[4 * i + j] * window[(i + j) & 255];
    }}
    out[4 * i] = sum > 1.0f ? sum : out[4 * i + 1];
  }}
}}
"""
        for i in range(functions)
    ]
    calls = "".join(f"  stage{i}({'in' if i == 0 else 'out'}, out);\n" for i in range(functions))
    # The top comes first, so that a file of more code than is analysed at once has it too.
    declared = "".join(f"static void stage{i}(const float in[256], float out[256]);\n" for i in range(functions))
    return f"{declared}void top(const float in[256], float out[256]) {{\n{calls}}}\n" + "".join(parts)


def repeat(work: Callable[[], object], runs: int = RUNS) -> list[tuple[float, float]]:
    """(wall, CPU) seconds of each run in this process."""
    found = []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return found


def child(arguments: Sequence[str]) -> tuple[float, float, float]:
    """(wall seconds, CPU seconds, peak MB) of a fresh interpreter."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-P", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        assert process.stderr is not None
        raise SystemExit(f"{' '.join(arguments)}: {process.stderr.read().decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def children(arguments: Sequence[str]) -> list[tuple[float, float, float]]:
    """5 runs, after one that warms the file cache."""
    child(arguments)
    return [child(arguments) for _ in range(RUNS)]


class Bars:
    """Judges figures by wall time, or by CPU time on a machine with more work than cores."""

    def __init__(self) -> None:
        self.load = os.getloadavg()[0]
        self.cores = os.cpu_count() or 1
        self.by_cpu = self.load > self.cores

    def met(self, measure: Measure, limit: float) -> bool:
        """Whether the figure is within its bar."""
        return (measure.cpu if self.by_cpu else measure.wall) <= limit


def warm() -> list[Row]:
    """A 200-line file end to end with everything loaded, and the parse of its text: medians of 40 calls in 5 runs."""
    from hwml_sdk import predict_qor

    text = source(200)
    predict_qor(text)

    def middle(work: Callable[[], object]) -> tuple[float, float]:
        runs = repeat(work, CALLS)
        return statistics.median(w for w, _ in runs), statistics.median(c for _, c in runs)

    import tree_sitter
    import tree_sitter_cpp

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_cpp.language()))
    raw = text.encode()
    ours = measured([middle(lambda: predict_qor(text)) for _ in range(RUNS)], 1e3)
    parse = measured([middle(lambda: parser.parse(raw)) for _ in range(RUNS)], 1e3)
    lines = text.count("\n")
    return [
        Row(
            f"predict a {lines}-line file, warm",
            "ms",
            ours,
            "tree-sitter parse",
            parse,
            f"x{MOST_OVER_PARSE:g}",
            ours.cpu <= MOST_OVER_PARSE * parse.cpu,
        )
    ]


def cold(bars: Bars) -> list[Row]:
    """Import, command and its memory in fresh processes."""
    empty = children(["-c", "pass"])
    imported = children(["-c", "import hwml_sdk"])
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as hwml does before it loads onnxruntime
    parts = children(["-c", "import numpy, onnxruntime, tree_sitter, tree_sitter_cpp"])
    example = str(ROOT / "examples" / "fir.cpp")
    command = children(["-m", "hwml_sdk.cli", "qor", example])

    def times(runs: Sequence[tuple[float, float, float]]) -> Measure:
        return measured([(wall, cpu) for wall, cpu, _ in runs], 1e3)

    def memory(runs: Sequence[tuple[float, float, float]]) -> Measure:
        return measured([(peak, peak) for _, _, peak in runs])

    bare = times(empty)
    extra = Measure(
        times(imported).wall - bare.wall, times(imported).wall_spread, times(imported).cpu - bare.cpu,
        times(imported).cpu_spread,
    )  # fmt: skip
    whole, peak = times(command), memory(command)
    return [
        Row("import hwml_sdk, over bare Python", "ms", extra, "python -c pass", bare, "30 ms", bars.met(extra, 30)),
        Row(
            "hwml qor FILE, cold",
            "ms",
            whole,
            "imports of its libraries",
            times(parts),
            f"x{MOST_OVER_IMPORTS:g}",
            whole.cpu <= MOST_OVER_IMPORTS * times(parts).cpu,
        ),
        Row(
            "hwml qor FILE, peak memory",
            "MB",
            peak,
            "imports of its libraries",
            memory(parts),
            "150 MB",
            peak.wall <= 150,
        ),
    ]


def growth() -> list[Row]:
    """Prediction of ever longer files; the last row's bar: no more than 1.5 times the time a line of the first."""
    from hwml_sdk import predict_qor

    rows: list[Row] = []
    for lines in LENGTHS:
        text = source(lines)
        runs = repeat(partial(predict_qor, text, top="top"))
        ours = measured(runs, 1e3)
        first = rows[0].measure if rows else ours
        met = ours.cpu / lines <= 1.5 * first.cpu / LENGTHS[0] if rows else None
        rows.append(Row(f"predict {lines:,} lines", "ms", ours, f"{LENGTHS[0]:,} lines", first, "linear (x1.5)", met))
    return rows


def show(rows: Sequence[Row], bars: Bars) -> None:
    """The table."""
    cpu = platform.processor() or "unknown CPU"
    names = Path("/proc/cpuinfo")
    if names.is_file():
        models = [
            line.partition(":")[2].strip() for line in names.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    print(f"{cpu}, {bars.cores} cores, Python {platform.python_version()}, load {bars.load:.1f}")
    print(f"{RUNS} runs each: median (spread). Bars judged on {'CPU' if bars.by_cpu else 'wall'} time.\n")
    head = ("what", "wall", "CPU", "bar", "", "reference", "CPU of it", "ratio")
    cells = [
        (
            row.what, f"{row.measure.wall:.1f} ({row.measure.wall_spread:.1f}) {row.unit}",
            f"{row.measure.cpu:.1f} ({row.measure.cpu_spread:.1f})" if row.unit == "ms" else "",
            row.bar, {True: "met", False: "MISSED", None: ""}[row.met], row.reference, f"{row.over.cpu:.1f}",
            f"x{row.ratio:.1f}",
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(len(line[i]) for line in (head, *cells)) for i in range(len(head))]
    for line in (head, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def main(argv: Sequence[str] | None = None) -> int:
    """Run everything; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    bars = Bars()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CONFIG_HOME"] = folder  # nobody's own settings
        # As pip leaves an installation: every module compiled once, here by the runs that warm up.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        rows = [*cold(bars), *warm(), *growth()]
    if options.json:
        listed = [{**asdict(row), "ratio": row.ratio} for row in rows]
        print(json.dumps({"schema_version": 1, "load": bars.load, "cores": bars.cores, "rows": listed}, indent=1))
    else:
        show(rows, bars)
    return int(any(row.met is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
