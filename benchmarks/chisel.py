"""How fast the warm Chisel checker is, beside cold scalac on the same files in the same run.

    python benchmarks/chisel.py [--checks 1000] [--quick]

Prints one row a figure with the bar it is held to. The files are the single modules of tests/data/chisel/styles
(20 to 200 lines); each check gets another number of empty lines on top, so that nothing is answered from memory.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk")]

from tests.chisel.repair_cases import Case, mistakes
from tests.chisel.style_files import single_modules

from hwml_sdk.chisel import toolchain, workers
from hwml_sdk.chisel.client import Client, running_daemon, stop_daemon
from hwml_sdk.chisel.gate import find_repairs
from hwml_sdk.chisel.types import CheckRequest
from hwml_sdk.chisel.workers import SCALAC_OPTIONS, Programs

VERSION = "7.14.0"
RUNS = 5
COLD_MODULES = ("RegFifo", "Alu", "UartTx", "Divider", "BranchPredictor")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=1000, help="checks before memory is read")
    parser.add_argument("--quick", action="store_true", help="one round, a quarter of the faults, 100 checks")
    arguments = parser.parse_args(argv)
    rounds, checks = (1, 100) if arguments.quick else (RUNS, arguments.checks)
    texts = {name: text for name, text in single_modules().items() if 20 <= len(text.splitlines()) <= 200}
    with own_daemon() as programs:
        print(f"CPU {cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Chisel {VERSION}")
        print(f"Java {programs.java.major}, {len(texts)} modules of 20 to 200 lines, {rounds} rounds")
        print(f"{'figure':44} {'measured':>22}  bar")
        measure(programs, texts, rounds, checks)
        print(f"load at the end {os.getloadavg()[0]:.1f}")
    return 0


def measure(programs: Programs, texts: dict[str, str], rounds: int, checks: int) -> None:
    starts = [cold_start(programs, texts["RegFifo"]) for _ in range(rounds)]
    row("first answer of a cold daemon, s", spread(starts), "<= 2.5")
    client = Client(VERSION)
    warm = [timed(client, text, k) for k in range(rounds + 1) for text in texts.values()][len(texts) :]
    row("compile + elaborate + firtool p50, ms", f"{statistics.median(warm) * 1e3:.0f}", "<= 120")
    row("compile + elaborate + firtool p95, ms", f"{quantile(warm, 0.95) * 1e3:.0f}", "<= 240")
    cold = [cold_scalac(programs, texts[name]) for name in COLD_MODULES for _ in range(max(1, rounds // 2))]
    same = [timed(client, texts[name], 50 + k) for k in range(rounds) for name in COLD_MODULES]
    row("cold scalac on five of them (compiles only), s", spread(cold), "")
    row("the same five here, all stages, ms", spread(same, 1e3), "")
    row("cold scalac / here (medians)", f"{statistics.median(cold) / statistics.median(same):.0f}x", ">= 35x")
    faults = [case for case in mistakes() if short(case.bad)][:: 1 if rounds > 1 else 4]
    errors = [timed(client, case.bad, k, elaborate=False) for k in range(rounds) for case in faults]
    row("type errors and parse errors p50, ms", f"{statistics.median(errors) * 1e3:.0f}", "<= 25")
    row("fix search p50, ms", spread(searches(client, faults), 1e3), "<= 600")
    for count in range(checks):
        timed(client, list(texts.values())[count % len(texts)], 100 + count)
    sizes = memory(programs)
    row(f"checker after {checks} checks and more, MB", f"{sizes[0]:.0f}", "<= 400")
    row(f"elaborator after {checks} checks and more, MB", f"{sizes[1]:.0f}", "<= 350")
    again = [after_kill(programs, client, texts["RegFifo"], k) for k in range(rounds)]
    row("next elaboration after a kill, s", spread(again), "<= 1.5")
    row("5 files through the command line, warm, s", spread([command_line(texts) for _ in range(rounds)]), "<= 1.0")


def row(name: str, measured: str, bar: str) -> None:
    print(f"{name:44} {measured:>22}  {bar}", flush=True)


def spread(values: list[float], factor: float = 1.0) -> str:
    """Median, least and most."""
    middle, low, high = (factor * value for value in (statistics.median(values), min(values), max(values)))
    digits = 0 if middle >= 20 else 2
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def short(text: str) -> bool:
    return len(text.splitlines()) <= 200


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
    result = Client(VERSION).check(request(text, 0))
    assert result.ok
    return time.perf_counter() - started


def cold_scalac(programs: Programs, text: str) -> float:
    """Seconds of a scalac of its own with the same jars, plug-in and options; it compiles and does nothing else."""
    chain = programs.chain
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "Bench.scala"
        source.write_text(text, encoding="utf-8")
        class_path = os.pathsep.join(map(str, chain.jars))
        argv = [str(programs.java.program), "-Xss8m", "-cp", class_path, "scala.tools.nsc.Main", "-cp", class_path]
        argv += [f"-Xplugin:{chain.plugin}", *SCALAC_OPTIONS, "-d", folder, str(source)]
        started = time.perf_counter()
        subprocess.run(argv, check=True, capture_output=True)
        return time.perf_counter() - started


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


def command_line(texts: dict[str, str]) -> float:
    """Seconds of `hwml chisel check` for five files, the start of Python included."""
    with tempfile.TemporaryDirectory() as folder:
        for name in COLD_MODULES:
            (Path(folder) / f"{name}.scala").write_text(texts[name], encoding="utf-8")
        argv = [sys.executable, "-m", "hwml_sdk.cli", "chisel", "check", "--trust", folder]
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
def own_daemon() -> Iterator[Programs]:
    """A daemon of the benchmark's own, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="hwml-b-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        programs = workers.prepare(toolchain.ensure(VERSION, progress=say), progress=say)
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
