"""Speed and memory of the warm Chisel checker, beside cold scalac on the same files in the same run.

    python benchmarks/chisel.py [--version 7.14.0] [--checks 1000] [--quick] [--figures | --siblings]

Prints one row a figure with the bar it is held to; ends with 1 when a bar is missed. The files are the single modules
of tests/data/chisel/styles (20 to 200 lines); each check gets another number of empty lines on top, so that nothing is
answered from memory. Cold scalac is started in the two ways that its own script knows (compiler on the class path, or
on the boot class path), with the options that Chisel's build template sets; the faster way counts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk")]

from tests.chisel.repair_cases import Case, mistakes
from tests.chisel.style_files import single_modules

from hwml_sdk.chisel.compile.firtool import FLAGS, ONE_THREAD, PLAIN, Firtool
from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.compile.workers import SCALAC_OPTIONS, Programs, empty_folder
from hwml_sdk.chisel.install import toolchain
from hwml_sdk.chisel.qor.measure import measure as measure_by_yosys
from hwml_sdk.chisel.qor.predict import predict_chisel_qor
from hwml_sdk.chisel.repair.gate import find_repairs
from hwml_sdk.chisel.serve.client import Client, running_daemon, stop_daemon
from hwml_sdk.chisel.types import CheckRequest
from hwml_sdk.config import DEFAULT_CHISEL_VERSION
from hwml_sdk.tools import run_tool

RUNS = 5
T = TypeVar("T")
COMPILER_JARS = ("scala-compiler-", "scala-library-", "scala-reflect-", "jline-", "jna-", "java-diff-utils-")
SCALAC_WAYS = {
    "class path": ("-cp", "{}"),
    "boot class path": ("-Xbootclasspath/a:{}", "-Dscala.boot.class.path={}", "-Dscala.usejavacp=true"),
}
COLD_MODULES = ("RegFifo", "Alu", "UartTx", "Divider", "BranchPredictor")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default=DEFAULT_CHISEL_VERSION)
    parser.add_argument("--checks", type=int, default=1000, help="checks over which memory is watched")
    parser.add_argument("--quick", action="store_true", help="one round, a quarter of the faults, 100 checks")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--figures", action="store_true", help="only the rows of LUT, FF, DSP and latency")
    only.add_argument("--siblings", action="store_true", help="only the rows of a file with ten siblings")
    arguments = parser.parse_args(argv)
    rounds, checks = (1, 100) if arguments.quick else (RUNS, arguments.checks)
    texts = {name: text for name, text in single_modules(arguments.version).items() if 20 <= lines(text) <= 200}
    table = Table()
    with own_daemon(arguments.version) as programs:
        print(f"CPU {cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Chisel {arguments.version}")
        print(f"Java {programs.java.major}, {len(texts)} modules of 20 to 200 lines, {rounds} rounds")
        print(f"{'figure':50} {'measured':>22}  {'bar':8} ")
        if arguments.siblings:
            measure_siblings(table, Client(programs.chain.version), rounds)
            return 1 if table.missed else 0
        if not arguments.figures:
            measure(table, programs, texts, rounds)
        measure_figures(table, programs, Client(programs.chain.version), texts, rounds)
        if not arguments.figures:
            measure_memory(table, programs, texts, checks)
        print(f"load at the end {os.getloadavg()[0]:.1f}")
    return 1 if table.missed else 0


class Table:
    """Rows as they are measured; remembers whether a bar was missed."""

    def __init__(self) -> None:
        self.missed = False

    def row(self, name: str, values: list[float], bar: float | None = None, *, factor: float = 1.0) -> None:
        """Median, least and most; the median is held to `bar`."""
        self.figure(name, spread(values, factor), factor * statistics.median(values), bar)

    def figure(self, name: str, shown: str, value: float, bar: float | None, *, least: bool = False) -> None:
        met = bar is None or (value >= bar if least else value <= bar)
        self.missed = self.missed or not met
        limit = "" if bar is None else f"{'>=' if least else '<='} {bar:g}"
        print(f"{name:50} {shown:>22}  {limit:8} {'' if bar is None else 'met' if met else 'MISSED'}", flush=True)


def measure(table: Table, programs: Programs, texts: dict[str, str], rounds: int) -> None:
    version = programs.chain.version
    starts = [cold_start(programs, texts["RegFifo"]) for _ in range(rounds)]
    table.row("first answer of a cold daemon, s", starts, 2.5)
    client = Client(version)
    warm = [timed(client, text, k) for k in range(rounds + 1) for text in texts.values()][len(texts) :]
    middle, late = statistics.median(warm) * 1e3, quantile(warm, 0.95) * 1e3
    table.figure("compile + elaborate + firtool p50, ms", f"{middle:.0f}", middle, 120)
    table.figure("compile + elaborate + firtool p95, ms", f"{late:.0f}", late, 240)
    measure_ratio(table, programs, client, texts, rounds)
    measure_siblings(table, client, rounds)
    faults = [case for case in mistakes() if lines(case.bad) <= 200][:: 1 if rounds > 1 else 4]
    table.row("type errors and parse errors p50, ms", type_errors(client, faults, rounds), 25, factor=1e3)
    table.row("fix search p50, ms", searches(client, faults), 600, factor=1e3)
    again = [after_kill(programs, client, texts["RegFifo"], k) for k in range(rounds)]
    table.row("next elaboration after a kill, s", again, 1.5)
    argv = ["--version", version]
    table.row("5 files through the command line, warm, s", [command_line(texts, argv) for _ in range(rounds)], 1.0)


def measure_siblings(table: Table, client: Client, rounds: int) -> None:
    """Checks of an edit in a file of a project whose other files are kept."""
    ten = rechecks(client, rounds)
    table.row("a file with ten siblings again p50, ms", [wall for wall, _ in ten], 300, factor=1e3)
    table.row("the same, time of the processor, ms", [used for _, used in ten], factor=1e3)
    print(f"load {os.getloadavg()[0]:.1f}")


def measure_ratio(table: Table, programs: Programs, client: Client, texts: dict[str, str], rounds: int) -> None:
    """Cold scalac and this checker in turn, so that both meet the same load."""
    cold: dict[str, list[float]] = {way: [] for way in SCALAC_WAYS}
    same: list[float] = []
    for k in range(max(1, rounds // 2)):
        for name in COLD_MODULES:
            for way, times in cold.items():
                times.append(cold_scalac(programs, texts[name], way))
            same += [timed(client, texts[name], 50 + 4 * k + n) for n in range(3)][1:]  # scalac has cooled the caches
    for way, times in cold.items():
        table.row(f"cold scalac, {way} (only compiles), s", times)
    table.row("the same five files here, all stages, ms", same, factor=1e3)
    ratio = min(map(statistics.median, cold.values())) / statistics.median(same)
    table.figure("cold scalac / here (medians)", f"{ratio:.0f}x", ratio, 35, least=True)


def measure_figures(table: Table, programs: Programs, client: Client, texts: dict[str, str], rounds: int) -> None:
    """Counting a lowered circuit, what figures add to a check (counting, and firtool writing the circuit), and yosys.

    All in time of the processor, which the answer is late by on a machine that does nothing else: counting is one
    thread of Python, firtool runs with one thread. firtool with and without the circuit is run in turn, and of each
    circuit the quickest of the rounds counts: their difference is smaller than what else the machine does.
    """
    firtool, plain = Firtool(programs.chain.firtool, empty_folder()), (*FLAGS, *PLAIN, ONE_THREAD)
    command: list[str | Path] = [programs.chain.firtool, "-", *plain]
    found = [client.check(replace(request(text, 0), outputs=True)) for text in texts.values()]
    counting: list[float] = []
    added: list[float] = []
    for result in found:
        for name, circuit in result.chirrtl.items():
            lowering, without, counted = [], [], []
            for _ in range(max(rounds, 3)):
                with_ir, lowered = processor_seconds(partial(firtool.lower, circuit, timeout_s=60))
                lowering.append(with_ir)
                without.append(processor_seconds(partial(run_tool, command, stdin=circuit, timeout_s=60))[0])
                started = time.thread_time()
                predict_chisel_qor(lowered.hw_ir, name)
                counted.append(time.thread_time() - started)
            counting.append(min(counted))
            added.append(min(lowering) - min(without) + min(counted))
    firtool.close()
    table.figure("counting a lowered circuit p50, ms", f"{statistics.median(counting) * 1e3:.1f}", 0, None)
    late, more = quantile(counting, 0.95) * 1e3, quantile(added, 0.95) * 1e3
    table.figure("counting a lowered circuit p95, ms", f"{late:.1f}", late, 10)
    table.figure("figures with the check's answer, more p95, ms", f"{more:.1f}", more, 15)
    verilog = [result.verilog for result in found if result.verilog][: max(rounds, 3)]
    table.row("yosys counts the same file, s", [seconds(partial(measure_by_yosys, some))[0] for some in verilog])


def seconds(call: Callable[[], T]) -> tuple[float, T]:
    """How long a call takes, and what it gives."""
    started = time.perf_counter()
    answer = call()
    return time.perf_counter() - started, answer


def processor_seconds(call: Callable[[], T]) -> tuple[float, T]:
    """The same in time of the processor, that of programs that ended during the call included."""
    started = _processor_s()
    answer = call()
    return _processor_s() - started, answer


def _processor_s() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def measure_memory(table: Table, programs: Programs, texts: dict[str, str], checks: int) -> None:
    """Resident MB of processes that have done `checks` checks, and the most that was seen on the way."""
    stop_and_wait(programs)
    client = Client(programs.chain.version)
    seen = []
    for count in range(1, checks + 1):
        timed(client, list(texts.values())[count % len(texts)], count)
        if count % 10 == 0 or count == checks:
            seen.append(memory(programs))
    for place, (name, bar) in enumerate((("checker", 400), ("elaborator", 350))):
        most, last = max(sizes[place] for sizes in seen), seen[-1][place]
        table.figure(f"{name}, most during {checks} checks (at the end), MB", f"{most:.0f} ({last:.0f})", most, bar)


def spread(values: list[float], factor: float = 1.0) -> str:
    """Median, least and most."""
    middle, low, high = (factor * value for value in (statistics.median(values), min(values), max(values)))
    digits = 0 if middle >= 20 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def lines(text: str) -> int:
    return len(text.splitlines())


def request(text: str, k: int, *, elaborate: bool = True) -> CheckRequest:
    return CheckRequest((("Bench.scala", "\n" * (k + 1) + text),), elaborate=elaborate, timeout_s=60)


def timed(client: Client, text: str, k: int, *, elaborate: bool = True) -> float:
    """Seconds from the question to the answer, as an editor sees them."""
    started = time.perf_counter()
    client.check(request(text, k, elaborate=elaborate))
    return time.perf_counter() - started


def cold_start(programs: Programs, text: str) -> float:
    """Seconds from no daemon at all to the first complete answer."""
    stop_and_wait(programs)
    started = time.perf_counter()
    result = Client(programs.chain.version).check(request(text, 0))
    assert result.ok
    return time.perf_counter() - started


def cold_scalac(programs: Programs, text: str, way: str) -> float:
    """Seconds of a scalac of its own with the same jars, plug-in and options; it compiles and does nothing else."""
    chain = programs.chain
    compiler = os.pathsep.join(str(jar) for jar in chain.jars if jar.name.startswith(COMPILER_JARS))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "Bench.scala"
        source.write_text(text, encoding="utf-8")
        argv = [str(programs.java.program), *(word.format(compiler) for word in SCALAC_WAYS[way])]
        argv += ["scala.tools.nsc.Main", "-cp", os.pathsep.join(map(str, chain.library_jars))]
        argv += [f"-Xplugin:{chain.plugin}", *SCALAC_OPTIONS, "-d", folder, str(source)]
        started = time.perf_counter()
        subprocess.run(argv, check=True, capture_output=True)
        return time.perf_counter() - started


def type_errors(client: Client, faults: list[Case], rounds: int) -> list[float]:
    """Seconds of checks that end in the parser or the type checker."""
    return [timed(client, case.bad, k, elaborate=False) for k in range(rounds) for case in faults]


def rechecks(client: Client, rounds: int) -> list[tuple[float, float]]:
    """Seconds, by the clock and of compiler and constructors, of checks of a file that ten others build upon and that
    builds upon them; each time with another edit inside it."""
    project = ten_siblings()
    found = []
    for k in range(3 * rounds + 2):
        files = tuple((name, "\n" * k + text if name == "Top.scala" else text) for name, text in project.items())
        started = time.perf_counter()
        result = client.check(CheckRequest(files, elaborate=True, timeout_s=60))
        assert result.ok, result.diagnostics
        found.append((time.perf_counter() - started, result.used_ms / 1e3))
    return found[2:]


def ten_siblings() -> dict[str, str]:
    """A pipeline of ten stages of about 60 lines, whose widths the file that makes them defines."""
    head = "package core\nimport chisel3._\nimport chisel3.util._\n"
    step = "  val r{n} = RegInit(0.U(sizes.width.W))\n  when(io.in.valid) {{ r{n} := io.in.bits + {n}.U ^ r{m} }}\n"
    stage = "class Stage{k}(sizes: Sizes) extends Module {{\n  val io = IO(new Link(sizes))\n"
    stage += "  val r0 = RegNext(io.in.bits)\n"
    files = {
        f"Stage{k}.scala": head
        + stage.format(k=k)
        + "".join(step.format(n=n, m=n - 1) for n in range(1, 25))
        + "  io.out.valid := RegNext(io.in.valid, false.B)\n  io.out.bits := r24\n}\n"
        for k in range(10)
    }
    top = "case class Sizes(width: Int = 16)\nclass Link(sizes: Sizes) extends Bundle {\n"
    top += "  val in = Flipped(Valid(UInt(sizes.width.W)))\n  val out = Valid(UInt(sizes.width.W))\n}\n"
    top += "class Top extends Module {\n  val sizes = Sizes()\n  val io = IO(new Link(sizes))\n"
    top += "".join(f"  val s{k} = Module(new Stage{k}(sizes))\n" for k in range(10))
    top += "  s0.io.in := io.in\n" + "".join(f"  s{k}.io.in := s{k - 1}.io.out\n" for k in range(1, 10))
    return {"Top.scala": head + top + "  io.out := s9.io.out\n}\n", **files}


def searches(client: Client, cases: list[Case]) -> list[float]:
    """Seconds from a known finding to verified repairs."""
    found = []
    for case in cases:
        asked = request(case.bad, 0)
        result = client.check(asked)
        if result.errors:
            started = time.perf_counter()
            find_repairs("\n" + case.bad, result, asked, client.check, budget_s=10)
            found.append(time.perf_counter() - started)
    return found


def memory(programs: Programs) -> tuple[float, float]:
    """Resident MB of checker and elaborator."""
    session = status(programs)["sessions"][0]
    return resident(session["checker_pid"]), resident(session["elaborator_pid"])


def resident(pid: int) -> float:
    """The largest process of a worker: the JVM, not the fence around it."""
    process = psutil.Process(pid)
    return max(float(p.memory_info().rss) for p in (process, *process.children(recursive=True))) / 2**20


def status(programs: Programs) -> dict[str, list[dict[str, int]]]:
    answer = running_daemon(programs)
    if answer is None:
        raise SystemExit("the daemon has gone")
    return answer


def after_kill(programs: Programs, client: Client, text: str, k: int) -> float:
    """Seconds of the first check after the elaborator was killed."""
    process = psutil.Process(status(programs)["sessions"][0]["elaborator_pid"])
    for victim in (*process.children(recursive=True), process):
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    return timed(client, text, 5000 + k)


def command_line(texts: dict[str, str], options: list[str]) -> float:
    """Seconds of `hwml chisel check` for five files, the start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COLD_MODULES:
            (Path(folder) / f"{name}.scala").write_text(texts[name], encoding="utf-8")
        argv = [sys.executable, "-P", "-m", "hwml_sdk.cli", "chisel", "check", "--trust", *options, folder]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "sdk"), str(ROOT / "exports")])}
        started = time.perf_counter()
        subprocess.run(argv, check=True, capture_output=True, env=environment)
        return time.perf_counter() - started


def stop_and_wait(programs: Programs) -> None:
    stop_daemon(programs)
    limit = time.monotonic() + 30
    while running_daemon(programs) is not None and time.monotonic() < limit:
        time.sleep(0.05)


@contextlib.contextmanager
def own_daemon(version: str) -> Iterator[Programs]:
    """A daemon of the benchmark's own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hwml-b-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        programs = prepare(toolchain.ensure(version, progress=say), progress=say)
        try:
            yield programs
        finally:
            stop_and_wait(programs)


say: Callable[[str], None] = print


def cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
