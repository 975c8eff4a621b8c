"""How quickly the language server answers, over a real pipe; each figure also as a ratio to a bare pygls server.

python benchmarks/lsp.py [--runs 5] [--only MEASURE] [--soak] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.lsp import lsp_client
from tests.lsp.lsp_client import FULL, Client, at, running
from tests.lsp.sources import kernels
from tests.qor import growth, growth_more

SCHEMA_VERSION = 1
DEBOUNCE_MS = 250
BARE = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
EDITS = 20
HOVERS = 200
REFRESH = "workspace/inlayHint/refresh"


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="0 with --soak: the soak alone")
    parser.add_argument("--soak", action="store_true", help="5,000 mixed requests and edits over 50 files, too")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=[measure.__name__ for measure in MEASURES], help="one measure alone")
    options = parser.parse_args()
    rows = []
    chosen = [measure for measure in MEASURES if options.only in (None, measure.__name__)]
    for measure in chosen if options.runs else ():
        rows += measure(options.runs)
    if options.soak:
        rows += soak(1)
    if options.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "machine": machine(), "rows": rows}, indent=1))
    else:
        show(rows)
    return 0 if all(row["ok"] for row in rows) else 1


def row(name: str, unit: str, values: list[float], bar: float, bare: float | None = None) -> dict[str, Any]:
    """One line: median over runs, spread, the bar, and the ratio to the bare server where that means something."""
    middle = statistics.median(values)
    return {
        "name": name, "unit": unit, "median": middle, "low": min(values), "high": max(values), "bar": bar,
        "bare": bare, "ratio": middle / bare if bare else None, "ok": middle <= bar,
    }  # fmt: skip


def machine() -> str:
    """Processor and load, without which no time means anything."""
    name = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")), "?")  # fmt: skip
    return f"{os.cpu_count()} x {name}, load {os.getloadavg()[0]:.1f}"


def show(rows: list[dict[str, Any]]) -> None:
    """The table as Markdown."""
    print(machine())
    print(f"\n| {'what':44} | median | low–high | bar | bare pygls | ratio | |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for item in rows:
        bare = f"{item['bare']:.1f}" if item["bare"] else ""
        ratio = f"{item['ratio']:.1f}" if item["ratio"] else ""
        print(
            f"| {item['name']:44} | {item['median']:.1f} {item['unit']} | {item['low']:.1f}–{item['high']:.1f} "
            f"| {item['bar']:g} | {bare} | {ratio} | {'' if item['ok'] else 'missed'} |"
        )


@contextmanager
def server(command: list[str] | None = None) -> Iterator[tuple[Client, Path, float]]:
    """A server, its workspace, and when it was started."""
    usual = lsp_client.COMMAND
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        lsp_client.COMMAND = command or usual
        started = time.perf_counter()
        try:
            client = stack.enter_context(running(folder))
        finally:
            lsp_client.COMMAND = usual
        yield client, folder, started


def p95(values: list[float]) -> float:
    """The value that 95 of 100 do not pass."""
    return sorted(values)[min(int(len(values) * 0.95), len(values) - 1)]


def timed(work: Callable[..., Any], *arguments: Any) -> float:
    """Milliseconds of one call."""
    before = time.perf_counter()
    work(*arguments)
    return 1e3 * (time.perf_counter() - before)


def ready(client: Client, uri: str, version: int) -> None:
    """Wait until the analysis of a version is over."""
    client.notified("hwml/status", lambda p: (p["uri"], p["version"], p["state"]) == (uri, version, "ready"))


# -- what is measured ----------------------------------------------------------------------------------------


def start(runs: int) -> list[dict[str, Any]]:
    """From starting the process to the first hint on a file of 60 lines; and memory of server and worker after it."""

    def once(command: list[str] | None) -> tuple[float, float]:
        with server(command) as (client, folder, began):
            client.initialize(folder=folder)
            uri = client.open((folder / "a.cpp").as_uri(), kernels(7))
            client.hints(uri)
            taken = 1e3 * (time.perf_counter() - began)
            return taken, 0.0 if command else memory(client.process.pid)

    bare = statistics.median(once(BARE)[0] for _ in range(runs))
    found = [once(None) for _ in range(runs)]
    return [
        row("start to first hint", "ms", [taken for taken, _ in found], 1200, bare),
        row("memory of server and worker", "MB", [used for _, used in found], 200),
    ]


def memory(pid: int) -> float:
    """Megabytes that a process and its children hold alone or share among themselves (PSS)."""
    import psutil

    found = 0.0
    process = psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):  # git, which comes and goes
            found += one.memory_full_info().pss
    return found / 1e6


def editing(runs: int) -> list[dict[str, Any]]:
    """After an edit: until the hint of the edited loop is the new one; and hover meanwhile. p95 of each run."""
    rows = []
    for lines, bar in ((500, 80.0), (5000, 250.0)):
        text = kernels(lines // 8)
        edits, hovers, bare = [], [], []
        for _ in range(runs):
            with server() as (client, folder, _):
                client.settings = {"debounceMs": DEBOUNCE_MS}
                client.initialize(folder=folder)
                uri = client.open((folder / "a.cpp").as_uri(), text)
                ready(client, uri, 1)
                edits.append(p95([edit_once(client, uri, text, n) for n in range(EDITS)]) - DEBOUNCE_MS)
                hovers.append(p95([timed(client.hover, uri, 3, 8) for _ in range(HOVERS)]))
            with server(BARE) as (client, folder, _):
                client.initialize(folder=folder)
                uri = client.open((folder / "a.cpp").as_uri(), text)
                bare.append(p95([timed(client.hover, uri, 3, 8) for _ in range(HOVERS)]))
        base = statistics.median(bare)
        rows.append(row(f"{lines} lines: new hints after an edit, p95", "ms", edits, bar, base))
        rows.append(row(f"{lines} lines: hover, p95", "ms", hovers, 10, base))
    return rows


def edit_once(client: Client, uri: str, text: str, number: int) -> float:
    """Milliseconds from an edit of a pragma to the hint that says its initiation interval."""
    heads = [n for n, line in enumerate(text.split("\n")) if "PIPELINE" in line]
    line = heads[(number * 37) % len(heads)]
    wanted = f"II {number % 7 + 2} "
    version = number + 2
    client.forget()
    before = time.perf_counter()
    client.change(uri, version, at(line, 21, line, 100, f"II={number % 7 + 2}"))
    seen = 0
    while not any(h["label"].startswith(wanted) for h in client.hints(uri, line - 1, line)):
        client.until(lambda: client.asked(REFRESH) > seen, "refresh")  # noqa: B023 - asked before `seen` moves on
        seen = client.asked(REFRESH)
    return 1e3 * (time.perf_counter() - before)


def typing(runs: int) -> list[dict[str, Any]]:
    """200 edits in 10 s: hints at a wrong place (must be 0), and how long until the last state is right."""
    wrong, late = [], []
    for run in range(runs):
        chance = random.Random(run)
        text = kernels(60)
        with server() as (client, folder, _):
            client.initialize(folder=folder)
            uri = client.open((folder / "a.cpp").as_uri(), text)
            ready(client, uri, 1)
            misplaced = 0
            for version in range(2, 202):
                began = time.perf_counter()
                lines = text.split("\n")
                line = chance.randrange(1, len(lines))
                client.change(uri, version, at(line, 0, line, 0, "// note\n"))
                text = "\n".join([*lines[:line], "// note", *lines[line:]])
                lines = text.split("\n")
                misplaced += sum("for (" not in lines[h["position"]["line"]] for h in client.hints(uri))
                time.sleep(max(0.05 - (time.perf_counter() - began), 0))
            began = time.perf_counter()
            ready(client, uri, 201)
            late.append(1e3 * (time.perf_counter() - began) - DEBOUNCE_MS)
            shown = [h["position"]["line"] for h in client.hints(uri)]
            misplaced += shown != [n for n, content in enumerate(text.split("\n")) if "for (" in content]
            wrong.append(float(misplaced))
    return [
        row("200 edits in 10 s: hints at a wrong place", "", wrong, 0),
        row("200 edits in 10 s: all settled after the last", "ms", late, 1000),
    ]


def thousand(runs: int) -> list[dict[str, Any]]:
    """A file of 1,000 functions: the first visible hints, and the longest gap between answers to pings meanwhile."""
    first, gaps = [], []
    for _ in range(runs):
        with server() as (client, folder, _):
            client.initialize(folder=folder)
            ready_uri = client.open((folder / "warm.cpp").as_uri(), kernels(1))
            ready(client, ready_uri, 1)
            uri = (folder / "a.cpp").as_uri()
            began = time.perf_counter()
            client.open(uri, kernels(1000))
            while not client.hints(uri, 0, 60):
                time.sleep(0.002)
            first.append(1e3 * (time.perf_counter() - began))
            worst = 0.0
            while not client.pull_is_in(uri):
                worst = max(worst, timed(client.hover, ready_uri, 3, 8))
            gaps.append(worst)
    return [
        row("1,000 functions: first visible hints", "ms", first, 1000),
        row("1,000 functions: longest answer to a ping", "ms", gaps, 50),
    ]


KEYS = 30
KEY_BARS = {500: 30.0, 5000: 40.0}


def key(runs: int) -> list[dict[str, Any]]:
    """A key inside a function: until its hint is the new one, as a ratio to round trips of a bare server between keys.

    Of the time that the server waits for more edits, all is taken off; and the processor's time that a key costs. The
    file is one of a git repository, as people's are: each function is compared with the last commit.
    """
    rows = []
    for lines, bar in KEY_BARS.items():
        found = [keys(kernels(lines // 8)) for _ in range(runs)]
        bare = statistics.median(one for _, one, _ in found)
        ratios = [taken / one for taken, one, _ in found]
        rows.append(row(f"{lines} lines: a key, in round trips of a bare server", "x", ratios, bar))
        rows.append(row(f"{lines} lines: the same", "ms", [taken for taken, _, _ in found], bar * bare, bare))
        rows.append(row(f"{lines} lines: processor time of a key, all of it", "ms", [ms for *_, ms in found], 100))
    return rows


def keys(text: str) -> tuple[float, float, float]:
    """Milliseconds: of a key, of a bare server's round trip, both medians, and of the processor for a key."""
    with server(BARE) as (bare, place, _), server() as (client, folder, _):
        client.settings = {"debounceMs": DEBOUNCE_MS}
        client.initialize(folder=folder)
        commit(folder / "a.cpp", text)
        uri = client.open((folder / "a.cpp").as_uri(), text)
        bare.initialize(folder=place)
        other = bare.open((place / "a.cpp").as_uri(), text)
        ready(client, uri, 1)
        bare.hover(other, 3, 8)
        before = processor_ms(client.process.pid)
        taken, trips = [], []
        for number in range(KEYS):
            trips += [timed(bare.hover, other, 3, 8) for _ in range(HOVERS // KEYS)]
            taken.append(edit_once(client, uri, text, number) - DEBOUNCE_MS)
            ready(client, uri, number + 2)
        worked = (processor_ms(client.process.pid) - before) / KEYS
    return statistics.median(taken), statistics.median(trips), worked


def commit(path: Path, text: str) -> None:
    """Make the file's folder a git repository that has the file in its one commit."""
    path.write_text(text, encoding="utf-8")
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for arguments in (("init", "-q"), ("add", path.name), (*who, "commit", "-q", "-m", "one")):
        subprocess.run(["git", *arguments], cwd=path.parent, check=True)


def processor_ms(pid: int) -> float:
    """Processor time of a process, of its children and of those that have ended, so far."""
    import psutil

    found = 0.0
    process = psutil.Process(pid)
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            found += 1e3 * (times.user + times.system + times.children_user + times.children_system)
    return found


LONG = 2625  # kernels of 8 lines: 21,000 lines


def first_screen(runs: int) -> list[dict[str, Any]]:
    """A file of 21,000 lines: from opening it to the hints of the lines that are shown, at its head and far down."""
    rows = []
    text = kernels(LONG)
    for name, line in (("head", 0), ("line 15,000", 15_000)):
        taken = []
        for _ in range(runs):
            with server() as (client, folder, _):
                client.initialize(folder=folder)
                warm = client.open((folder / "warm.cpp").as_uri(), kernels(1))
                ready(client, warm, 1)
                uri = (folder / "a.cpp").as_uri()
                began = time.perf_counter()
                client.open(uri, text)
                while not client.hints(uri, line, line + 60):
                    time.sleep(0.002)
                taken.append(1e3 * (time.perf_counter() - began))
        rows.append(row(f"21,000 lines: first screen ({name})", "ms", taken, 1500))
    return rows


BOMBS = ("loops_straight", "else_if_chain_of_loops", "call_fork", "macro_arguments_doubled", "quotes", "if_nest_code")


def beside_bombs(runs: int) -> list[dict[str, Any]]:
    """While a source that was made to grow is analysed: new hints of another document after an edit, and hover there.

    The worst of all families in each run; without the time that the server waits for more edits.
    """
    edits, hovers, alone = [], [], []
    text = kernels(60)  # as many loops as there are edits, so that each changes what is shown
    families = {**growth.FAMILIES, **growth_more.FAMILIES}
    for _ in range(runs):
        with server() as (client, folder, _):
            client.settings = {"debounceMs": DEBOUNCE_MS}
            client.initialize(folder=folder)
            uri = client.open((folder / "a.cpp").as_uri(), text)
            ready(client, uri, 1)
            alone.append(edit_once(client, uri, text, 0) - DEBOUNCE_MS)
            worst_edit = worst_hover = 0.0
            for number, name in enumerate(BOMBS, start=1):
                bomb = client.open((folder / f"{name}.cpp").as_uri(), families[name](3000))
                worst_hover = max(worst_hover, *(timed(client.hover, uri, 3, 8) for _ in range(20)))
                worst_edit = max(worst_edit, edit_once(client, uri, text, number) - DEBOUNCE_MS)
                client.pull(bomb)
            edits.append(worst_edit)
            hovers.append(worst_hover)
    base = statistics.median(alone)
    return [
        row("beside bombs: new hints of another document", "ms", edits, 300, base),
        row("beside bombs: hover in another document", "ms", hovers, 300),
    ]


def soak(_runs: int) -> list[dict[str, Any]]:
    """5,000 mixed requests and edits over 50 open files: growth of memory after the first fifth, and logged errors."""
    chance = random.Random(5)
    with server() as (client, folder, _):
        client.settings = {"debounceMs": 20}
        client.initialize(FULL, folder)
        texts = {(folder / f"f{n}.cpp").as_uri(): kernels(n % 12 + 2) for n in range(50)}
        versions = dict.fromkeys(texts, 1)
        for uri, text in texts.items():
            client.open(uri, text)
        used: list[float] = []
        for step in range(5000):
            uri = chance.choice(list(texts))
            kind = chance.randrange(8)
            if kind < 3:
                versions[uri] += 1
                pragma = chance.choice([n for n, line in enumerate(texts[uri].split("\n")) if "PIPELINE" in line])
                client.change(uri, versions[uri], at(pragma, 21, pragma, 100, f"II={chance.randrange(1, 9)}"))
            elif kind == 3:
                client.lenses(uri)
            elif kind == 4:
                client.hover(uri, chance.randrange(20), 8)
            elif kind == 5:
                client.complete(uri, 4, 12)
            elif kind == 6:
                client.pull(uri)
            else:
                client.hints(uri)
            if step % 250 == 249:
                client.forget()
                client.pull(uri)
                used.append(memory(client.process.pid))
                print(f"step {step + 1}: {used[-1]:.0f} MB", file=sys.stderr)
        warm = statistics.median(used[3:6])
        last = statistics.median(used[-3:])
        errors = [line for line in client.stderr if re.search(r"ERROR|Traceback", line)]
    return [
        row("soak: growth of memory after warm-up", "%", [100 * (last - warm) / warm], 5),
        row("soak: memory at the end", "MB", [last], 200),
        row("soak: errors logged", "", [float(len(errors))], 0),
    ]


MEASURES = (start, editing, key, typing, thousand, first_screen, beside_bombs)

if __name__ == "__main__":
    raise SystemExit(main())
