"""Bars of the watcher and the hooks: `python benchmarks/hooks.py [--runs 5] [--precommit]`.

Prints one row a bar: median and spread, the bar, and their ratio (at most 1 is within it). --precommit adds the first
installation and a warm run of real pre-commit environments, offline from a wheel folder (it downloads that once).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.cpp"))
DEBOUNCE_S = 0.2
FILES = 10_000
SOURCES = 400
FOLDERS = 500


@dataclass(frozen=True)
class Row:
    """One bar. figures: one a run, in `unit`."""

    name: str
    figures: list[float]
    unit: str
    bar: float | None

    def __str__(self) -> str:
        middle = statistics.median(self.figures)
        spread = f"{min(self.figures):.2f} to {max(self.figures):.2f}"
        bar = "" if self.bar is None else f"{self.bar:g} {self.unit}"
        ratio = "" if self.bar is None else f"{middle / self.bar:.2f}"
        return f"{self.name:<52}{middle:>8.2f} {self.unit:<3}{spread:>20}{bar:>12}{ratio:>8}"


def program(name: str) -> str:
    """A script of this Python's environment."""
    return str(Path(sys.executable).with_name(name))


def twenty_files(folder: Path) -> list[str]:
    """Twenty different kernels: the examples, each with other sizes."""
    names = []
    for number in range(20):
        source = EXAMPLES[number % len(EXAMPLES)]
        text = source.read_text().replace("1024", str(1024 + number)).replace("128", str(128 + 16 * (number // 3)))
        (folder / f"k{number}.cpp").write_text(text)
        names.append(f"k{number}.cpp")
    return names


def check_qor(runs: int) -> list[Row]:
    """Twenty files in a fresh process, without and with growth against HEAD."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = twenty_files(folder)
        (folder / "hwml.toml").write_text("[limits]\nmax_lut = 1e9\n")
        for command in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *command], cwd=folder, check=True)
        plain = [timed([program("hwml-check-qor"), *names], folder) for _ in range(runs)]
        growth = [timed([program("hwml-check-qor"), "--max-growth", "50", *names], folder) for _ in range(runs)]
    return [
        Row("hwml-check-qor, 20 files, new process", [took for took, _ in plain], "s", 1.5),
        Row("  of it processor time", [used for _, used in plain], "s", None),
        Row("the same with growth against HEAD (40 predictions)", [took for took, _ in growth], "s", None),
        Row("  of it processor time", [used for _, used in growth], "s", None),
    ]


def timed(argv: list[str], folder: Path) -> tuple[float, float]:
    """Seconds on the clock and of the processor: on a busy machine they differ."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode in (0, 1), done.stderr
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Watch:
    """A running `hwml watch`; `took`: seconds from the start of the process until it watches."""

    def __init__(self, folder: Path) -> None:
        started = time.perf_counter()
        argv = [program("hwml"), "watch", str(folder), "--json", "--debounce", str(DEBOUNCE_S)]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        self.took = time.perf_counter() - started
        assert "watching" in line, line

    def next(self) -> dict[str, object]:
        assert self.process.stdout is not None
        event: dict[str, object] = json.loads(self.process.stdout.readline())
        return event

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def saves(runs: int, count: int = 40) -> list[Row]:
    """From the end of a save to the line, beyond the debounce: the 95th percentile of each run."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, Watch(Path(name)) as watch:
            folder = Path(name)
            (folder / "a.cpp").write_text(EXAMPLES[0].read_text())
            watch.next()  # loads the model
            times = []
            for number in range(count):
                text = EXAMPLES[number % len(EXAMPLES)].read_text() + f"// {number}\n"
                (folder / "a.cpp").write_text(text)
                started = time.perf_counter()
                watch.next()
                times.append(time.perf_counter() - started - DEBOUNCE_S)
            found.append(sorted(times)[int(0.95 * (count - 1))] * 1000)
    return [Row(f"watch: save to line beyond debounce, p95 of {count}", found, "ms", 300)]


def big_tree(runs: int) -> list[Row]:
    """A repository of 10,000 files: time until it is watched, and the processor when nothing happens."""
    starts, idle = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            place = folder / f"d{number % FOLDERS}"
            place.mkdir(exist_ok=True)
            suffix = "cpp" if number < SOURCES else ("txt", "v", "md", "py")[number % 4]
            (place / f"f{number}.{suffix}").write_text("void f() {}\n")
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
        for _ in range(runs):
            with Watch(folder) as watch:
                starts.append(watch.took)
                time.sleep(1)
                process = psutil.Process(watch.process.pid)
                before, began = sum(process.cpu_times()[:2]), time.perf_counter()
                time.sleep(5)
                used = sum(process.cpu_times()[:2]) - before
                idle.append(used / (time.perf_counter() - began) * 100)
    return [
        Row("watch: start in a tree of 10,000 files", starts, "s", 3),
        Row("watch: idle processor in that tree", idle, "%", 1),
    ]


def precommit(_: int) -> list[Row]:
    """First installation of the environments, and a run that finds them there (one changed file)."""
    path = ROOT / "tests" / "hooks" / "precommit_world.py"
    spec = importlib.util.spec_from_file_location("precommit_world", path)
    assert spec is not None
    assert spec.loader is not None
    world_of = importlib.util.module_from_spec(spec)
    sys.modules["precommit_world"] = world_of
    spec.loader.exec_module(world_of)
    with tempfile.TemporaryDirectory() as name:
        wheels = Path(name) / "wheels"
        wheels.mkdir()
        (Path(name) / "world").mkdir()
        world_of.download(wheels)
        world = world_of.make(Path(name) / "world", wheels)
        world_of.configure(world, "  - id: hwml-check-qor\n  - id: hwml-annotate\n")
        first = world_of.timed_install(world)
        (world.user / "a.cpp").write_text(EXAMPLES[0].read_text())
        world.git("add", "-A")
        world.commit("annotates")
        world.git("add", "-A")
        warm = []
        for number in range(3):
            (world.user / "a.cpp").write_text((world.user / "a.cpp").read_text() + f"// {number}\n")
            world.git("add", "-A")
            started = time.perf_counter()
            code, said = world.commit("warm")
            warm.append(time.perf_counter() - started)
            assert code == 0, said
    return [
        Row("pre-commit: first installation, offline", [first], "s", None),
        Row("pre-commit: git commit of one file, two hooks, warm", warm, "s", None),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precommit", action="store_true", help="time real pre-commit environments as well")
    options = parser.parse_args()
    parts: list[Callable[[int], list[Row]]] = [check_qor, saves, big_tree]
    if options.precommit:
        parts.append(precommit)
    load = os.getloadavg()[0]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the start")
    print(f"{'':<52}{'median':>8}    {'least to most':>20}{'bar':>12}{'ratio':>8}")
    for part in parts:
        for row in part(options.runs):
            print(row, flush=True)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
