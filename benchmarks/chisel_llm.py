"""What surrounds a language model that writes Chisel: the loop's cost, what the behaviour check catches, the data.

    python benchmarks/chisel_llm.py overhead [--quick]
    python benchmarks/chisel_llm.py mutants [--tasks mux2,toggle] [--list]
    python benchmarks/chisel_llm.py cold DATA_FOLDER [--rows 200]

overhead: time of the loop besides the model, a candidate, with a model that answers at once; the candidates are the
single modules of tests/data/chisel/styles of 20 to 60 lines. mutants: references with one change each; one counts when
a simulation (yosys' CXXRTL and a C++ compiler, random inputs) shows that it does something else, and is caught when the
behaviour check says so. cold: rows drawn from a data set, each compiled by a scalac of its own.
Ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk")]

from benchmarks.chisel import lines, own_daemon, quantile, status
from benchmarks.chisel_cold import cold
from benchmarks.chisel_mutants import mutants
from tests.chisel.style_files import single_modules

from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.generate.generator import ChiselGenerator
from hwml_sdk.chisel.generate.types import Answer, Message
from hwml_sdk.config import DEFAULT_CHISEL_VERSION

BAR_MS = 150.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("overhead").add_argument("--quick", action="store_true", help="one round instead of five")
    some = verbs.add_parser("mutants")
    some.add_argument("--tasks", default="", help="names, by commas; default: all")
    some.add_argument("--list", action="store_true", help="show what was not caught")
    drawn = verbs.add_parser("cold")
    drawn.add_argument("data", type=Path)
    drawn.add_argument("--rows", type=int, default=200)
    drawn.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    if arguments.verb == "mutants":
        return mutants([name for name in arguments.tasks.split(",") if name], show=arguments.list)
    if arguments.verb == "cold":
        return cold(arguments.data, arguments.rows, arguments.seed)
    return overhead(1 if arguments.quick else 5)


class Instant:
    """A model that costs no time."""

    name, bare = "instant", False

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def ask(
        self, chats: Sequence[Sequence[Message]], *, most_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        for index in range(len(chats)):
            yield index, Answer(f"```scala\n{self._texts[index]}```")


def used_s(programs: Programs) -> float:
    """Processor time so far of this process, the daemon, and all that it has started."""
    daemon = psutil.Process(status(programs)["pid"])
    found = 0.0
    for process in (psutil.Process(), daemon, *daemon.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found += times.user + times.system
            if process == daemon:  # firtools that have ended
                found += times.children_user + times.children_system
    return found


def overhead(rounds: int) -> int:
    """Each candidate moves down by a line in each round, so that no circuit is answered from memory."""
    texts = [text for text in single_modules(DEFAULT_CHISEL_VERSION).values() if 20 <= lines(text) <= 60]
    with own_daemon(DEFAULT_CHISEL_VERSION) as programs:
        checks, walls, spent = [], [], []
        for turn in range(rounds + 1):  # the first warms
            marked = ["//\n" * (turn + 1) + text for text in texts]
            generator = ChiselGenerator(Instant(marked), retrieval="bm25", rules=False)
            before, began = used_s(programs) if turn else 0.0, time.perf_counter()
            found = generator.generate("a module", n_samples=len(marked), max_repairs=0, enough=0)
            if turn:
                walls.append((time.perf_counter() - began) * 1000 / len(marked))
                spent.append((used_s(programs) - before) * 1000 / len(marked))
                checks += [item.check_ms for item in found.attempts]
            assert all(item.ok for item in found.attempts), [item.words for item in found.attempts if not item.ok]
    middle, wall = statistics.median(checks), statistics.median(walls)
    print(f"{len(texts)} modules of 20 to 60 lines, {rounds} rounds, two checked at once")
    print(f"a candidate from its answer to its verdict, ms: p50 {middle:.0f}, p95 {quantile(checks, 0.95):.0f}")
    print(f"the whole loop, ranking included, ms a candidate: p50 {wall:.0f} (bar {BAR_MS:.0f})")
    print(
        f"processor time of all programs in it, ms a candidate: p50 {statistics.median(spent):.0f} "
        f"(load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )
    return int(max(middle, wall) > BAR_MS)


if __name__ == "__main__":
    raise SystemExit(main())
