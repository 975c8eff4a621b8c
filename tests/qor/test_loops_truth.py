"""The closed form's loops against the tool's own loop tables: trip counts, achieved II, and which rule failed."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.qor.qor_data import DATA, designs, needs_data

from hwml_sdk.qor.closed_form.design import make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, FunctionResult, LoopResult, estimate_program
from hwml_sdk.qor.learned.dataset import Design
from hwml_sdk.qor.program.tops import choose_top
from hwml_sdk.qor.read.source import read_program

LOOPS = DATA / "vitis_loops.jsonl.gz"
Row = dict[str, Any]
_NUMBERED = re.compile(r"VITIS_LOOP_\d+_\d+")


@dataclass
class Tally:
    """Counts of what was compared; failed: rule -> examples."""

    rows: int = 0
    trips: Counter[bool] = field(default_factory=Counter)
    iis: Counter[bool] = field(default_factory=Counter)
    depths: Counter[bool] = field(default_factory=Counter)
    cycles: Counter[bool] = field(default_factory=Counter)
    unmatched: Counter[str] = field(default_factory=Counter)
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, counter: Counter[bool], right: bool, rule: str, text: str) -> None:
        """One comparison; a wrong one under the rule that gave the answer."""
        counter[right] += 1
        if not right:
            self.failed[rule].append(text)

    def __str__(self) -> str:
        lines = [
            f"{self.rows} loops of reports, {self.rows - sum(self.unmatched.values())} matched; "
            f"not matched: {dict(self.unmatched)}",
            f"trip count right: {self.trips[True]} of {self.trips.total()} ({share(self.trips):.1%})",
            f"achieved II right: {self.iis[True]} of {self.iis.total()} ({share(self.iis):.1%})",
            f"iteration latency within 2 cycles or 15 %: {self.depths[True]} of {self.depths.total()} "
            f"({share(self.depths):.1%})",
            f"loop latency within 10 %: {self.cycles[True]} of {self.cycles.total()} ({share(self.cycles):.1%})",
        ]
        for rule, texts in sorted(self.failed.items(), key=lambda item: -len(item[1])):
            lines += [f"{len(texts):4} {rule}", *(f"       {text}" for text in texts[:3])]
        return "\n".join(lines)


def share(counter: Counter[bool]) -> float:
    """Share of right ones."""
    return counter[True] / max(counter.total(), 1)


def reports() -> dict[str, list[Row]]:
    """Rows of the tool's loop tables, by design."""
    found: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(LOOPS, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            found[row["design"]].append(row)
    return found


def estimate_of(design: Design) -> Estimate:
    """The closed form of a labelled design."""
    text, others = design.parts()
    program = read_program(text, path="main.cpp", files=others)
    target = make_target(
        design.part, design.clock_period_ns, design.tool, design.tool_version, unsafe_math=design.unsafe_math
    )
    return estimate_program(program, choose_top(program, design.top), target, make_options(target))


def kept_loops(estimate: Estimate) -> Iterator[tuple[str, LoopResult]]:
    """(function, loop) of every loop that stays a loop, a flattened nest once."""
    seen: set[int] = set()

    def of_function(result: FunctionResult) -> Iterator[tuple[str, LoopResult]]:
        if id(result) in seen:
            return
        seen.add(id(result))
        for loop in result.loops:
            yield from of_loop(result.function.name, loop)
        for call in result.calls:
            yield from of_function(call.callee)

    def of_loop(name: str, loop: LoopResult) -> Iterator[tuple[str, LoopResult]]:
        if not loop.flattened:
            yield name, loop
        for child in loop.children:
            yield from of_loop(name, child)

    return of_function(estimate.top)


def members(loop: LoopResult) -> str:
    """The tool's name of a nest: the names of its loops joined, those that run once left out."""
    once = {level.var for level in loop.nest if level.trip == 1}
    names = [item.name for item in loop.members if item.var is None or item.var not in once]
    return "_".join(names or [loop.members[-1].name])


def same_function(mine: str, tool: str) -> bool:
    """Whether the tool's module is this function: `f`, its copies `f_1`, and `f_Pipeline_...` carved out of it."""
    module = tool.partition("_Pipeline_")[0]
    return mine == module or mine == re.sub(r"_\d+$", "", module) or tool.startswith(f"{mine}_")


def match(row: Row, kept: list[tuple[str, LoopResult]]) -> LoopResult | None:
    """The loop a row speaks of: same name and function; else the one with its innermost loop's label."""
    named = [(f, loop) for f, loop in kept if row["loop"] in (members(loop), "_".join(m.name for m in loop.members))]
    inside = [(f, loop) for f, loop in named if same_function(f, row["function"])]
    for choice in (inside, named):
        if len(choice) == 1 or (choice and len({loop.trips for _, loop in choice}) == 1):
            return choice[0][1]
    if inside:
        return inside[0][1]
    # The tool flattened another set of loops: comparable by the innermost one, and then surely wrong.
    last = [
        (f, loop) for f, loop in kept
        if loop.members and str(row["loop"]).endswith(loop.members[-1].name) and same_function(f, row["function"])
    ]  # fmt: skip
    return last[0][1] if len(last) == 1 and not _NUMBERED.search(row["loop"]) else None


def by_order(rows: list[Row], kept: list[tuple[str, LoopResult]]) -> Iterator[tuple[Row, LoopResult]]:
    """Rows whose names carry line numbers of another copy of the file: the n-th nest of a function is the n-th here."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[re.sub(r"_\d+$", "", row["function"].partition("_Pipeline_")[0])].append(row)
    for function, group in groups.items():
        once = {id(loop.loop): loop for f, loop in kept if f == function}
        mine = sorted(once.values(), key=lambda loop: loop.loop.span)
        depths = [len(_NUMBERED.findall(row["loop"])) for row in sorted(group, key=_line)]
        if depths == [len(loop.members) for loop in mine]:
            yield from zip(sorted(group, key=_line), mine, strict=True)


def _line(row: Row) -> int:
    found = re.search(r"VITIS_LOOP_(\d+)_", row["loop"])
    return int(found.group(1)) if found else 0


def compare(design: Design, rows: list[Row], tally: Tally) -> None:
    """Match and compare the loops of one design."""
    estimate = estimate_of(design)
    kept = list(kept_loops(estimate))
    pairs: list[tuple[Row, LoopResult]] = []
    rest: list[Row] = []
    for row in rows:
        loop = match(row, kept)
        if loop is not None:
            pairs.append((row, loop))
        else:
            rest.append(row)
    numbered = [row for row in rest if _NUMBERED.search(row["loop"])]
    ordered = list(by_order(numbered, kept))
    pairs += ordered
    tally.rows += len(rows)
    tally.unmatched[design.source] += len(rest) - len(ordered)
    for row, loop in pairs:
        judge(design, row, loop, tally)


def judge(design: Design, row: Row, loop: LoopResult, tally: Tally) -> None:
    """Compare one row."""
    where = f"{design.id} {row['function']} {row['loop']}"
    if row["trip_count"] is not None:
        right = abs(loop.trips - row["trip_count"]) < 0.51
        text = f"{where}: {loop.trips:g}, report {row['trip_count']}"
        tally.note(tally.trips, right, f"trip count ({loop.trip.source})", text)
    if row["pipelined"] and row["ii_achieved"]:
        right = loop.ii == row["ii_achieved"]
        rule = rule_of(loop, row["ii_achieved"])
        tally.note(tally.iis, right, rule, f"{where}: {loop.ii}, report {row['ii_achieved']}")
    judge_cycles(where, row, loop, tally)


def judge_cycles(where: str, row: Row, loop: LoopResult, tally: Tally) -> None:
    """Compare iteration latency, and latency against the report's maximum; ranges that a report prints are left out."""
    kind = "pipelined" if loop.ii is not None else "plain"
    depth, cycles = row["iteration_latency"], row["latency_max"]
    if isinstance(depth, int) and depth > 0:
        right = abs(loop.depth - depth) <= max(2, 0.15 * depth)
        text = f"{where}: {loop.depth:g}, report {depth}"
        tally.note(tally.depths, right, f"iteration latency ({kind}, {'low' if loop.depth < depth else 'high'})", text)
    if isinstance(cycles, int) and cycles > 0:
        right = abs(loop.cycles - cycles) <= 0.1 * cycles
        text = f"{where}: {loop.cycles:g}, report {cycles}"
        tally.note(tally.cycles, right, f"loop latency ({kind}, {'low' if loop.cycles < cycles else 'high'})", text)


def rule_of(loop: LoopResult, real: int) -> str:
    """What gave the II, without names."""
    if loop.ii is None:
        return "II: not pipelined here"
    by = re.sub(r" (of|through) .*", "", loop.bound.by) or "nothing binds"
    return f"II: {by}, {'too high' if loop.ii > real else 'too low'}"


def tally_of(chosen: list[str]) -> Tally:
    """Compare the designs with these ids."""
    rows = reports()
    by_id = {design.id: design for design in designs() if design.id in rows}
    tally = Tally()
    for name in chosen:
        compare(by_id[name], rows[name], tally)
    return tally


@needs_data
def test_a_sample_of_reported_loops(capsys: pytest.CaptureFixture[str]) -> None:
    """16 designs drawn with seed 1; the bars of the whole set with room for chance."""
    chosen = random.Random(1).sample(sorted(reports()), 16)
    tally = tally_of(chosen)
    with capsys.disabled():
        print(f"\n{tally}")
    assert tally.trips.total() >= 40
    assert share(tally.trips) >= 0.85
    assert share(tally.iis) >= 0.7


@needs_data
@pytest.mark.slow
def test_every_reported_loop(capsys: pytest.CaptureFixture[str]) -> None:
    tally = tally_of(sorted(reports()))
    with capsys.disabled():
        print(f"\n{tally}")
    assert share(tally.trips) >= 0.99
    assert share(tally.iis) >= 0.9
    assert share(tally.cycles) >= 0.75
