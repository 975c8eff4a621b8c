"""How fast a workspace's own reports help: 5, 10 and 20 reports of a kernel family, beside scaling by the median ratio.

    .venv/bin/python benchmarks/qor_calibration.py [--json FILE]
    .venv/bin/python benchmarks/qor_calibration.py --loops     operator latencies alone, from loop tables of data/qor

A family is an algorithm of one source, release and stage of data/qor_table, with at least 30 designs. What is
calibrated is the closed form alone, which has no constant of a single family. Reports are drawn, and at most 100 of
the other designs are judged, five times each. Families weigh equally. The prior of the calibration (`residual.py`) was
chosen on the even half of the families; both halves are printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hwml_sdk.qor.closed_form.design import make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, estimate_program
from hwml_sdk.qor.learned.calibration import NAME, Calibration, z_scores
from hwml_sdk.qor.learned.correct import Correction, Corrector
from hwml_sdk.qor.learned.latencies import Reported, ReportedLoop, learn_latencies, loss
from hwml_sdk.qor.learned.residual import fit
from hwml_sdk.qor.learned.table import read_table
from hwml_sdk.qor.program.tops import choose_top
from hwml_sdk.qor.read.source import read_program
from hwml_sdk.qor.tool.labels import LABELS
from hwml_sdk.qor.tool.operators import Target

TABLE = Path(__file__).parents[1] / "data" / "qor_table"
VITIS = ("hgbo-dse", "hgnn-date24", "hlsyn-vitis", "prometheus", "streamhls")
COUNTS, SEEDS, LEAST, JUDGED = (5, 10, 20), 5, 30, 100
LOOP_LEAST, LOOP_SEEDS, LOOP_JUDGED, WRONG = 20, 2, 10, 2
Floats = NDArray[np.float64]
Errors = dict[tuple[str, int], list[tuple[int, float, float, float]]]


def half(family: str) -> int:
    return int(hashlib.sha256(family.encode()).hexdigest(), 16) % 2


def measure() -> Errors:
    """(target, reports) -> (half, median APE as it is, scaled by the median ratio, calibrated) per family and seed."""
    table = read_table(TABLE)
    z = z_scores(table.values, Corrector.load().geometry)
    base = table.closed_form_log
    error = np.log1p(table.rows.labels) - base
    names = table.rows.joined("source", "tool_version", "stage", "group")
    found: Errors = defaultdict(list)
    for family in sorted(set(names[np.isin(table.rows.source, VITIS)].tolist())):
        rows = np.flatnonzero(names == family)
        if len(rows) < LEAST:
            continue
        for seed in range(SEEDS):
            order = np.random.default_rng(seed).permutation(rows)
            test = order[max(COUNTS) : max(COUNTS) + JUDGED]
            for count in COUNTS:
                known = order[:count]
                residual = fit(z[known], error[known])
                steps = [residual.correct(row) for row in z[test]]
                for index, target in enumerate(LABELS):
                    real, said = table.rows.labels[test, index], base[test, index]
                    ratio = median_ratio(error[known, index])
                    own = np.array([step[target] for step in steps])
                    errors = [median_ape(said + step, real) for step in (0.0, ratio, own)]
                    if not np.isnan(errors).any():
                        found[target, count].append((half(family), errors[0], errors[1], errors[2]))
    return found


def median_ratio(error: Floats) -> float:
    known = error[~np.isnan(error)]
    return float(np.median(known)) if len(known) else 0.0


def median_ape(said: Floats, real: Floats) -> float:
    good = (real > 0) & ~np.isnan(said)
    return float(np.median(np.abs(np.expm1(said[good]) / real[good] - 1))) if good.sum() >= 10 else math.nan


def summary(found: Errors) -> list[dict[str, Any]]:
    rows = []
    for (target, count), items in sorted(found.items()):
        for which, chosen in (
            ("all", items),
            ("even", [i for i in items if not i[0]]),
            ("odd", [i for i in items if i[0]]),
        ):
            before, ratio, after = np.array([item[1:] for item in chosen]).mean(axis=0).tolist()
            rows.append(
                {
                    "target": target,
                    "reports": count,
                    "families": which,
                    "before": before,
                    "ratio": ratio,
                    "after": after,
                }
            )
    return rows


def intervals() -> list[str]:
    """Coverage and width (high / low) of 80 % intervals before and after 10 reports: two draws, 40 designs a family."""
    table = read_table(TABLE)
    corrector = Corrector.load()
    z = z_scores(table.values, corrector.geometry)
    unknown = np.isnan(table.closed_form_log)
    names = table.rows.joined("source", "tool_version", "stage", "group")
    seen: dict[str, list[tuple[bool, bool, float, float]]] = defaultdict(list)
    for family in sorted(set(names[np.isin(table.rows.source, VITIS)].tolist())):
        rows = np.flatnonzero(names == family)
        for seed in range(2) if len(rows) >= LEAST else ():
            order = np.random.default_rng(seed).permutation(rows)
            known, test = order[:10], order[max(COUNTS) : max(COUNTS) + 40]
            found = corrector.apply_many(table.values[np.concatenate([known, test])], [{}] * (len(known) + len(test)))
            said = np.array([[math.log1p(item.value[name]) for name in LABELS] for item in found[: len(known)]])
            error = np.where(unknown[known], np.nan, np.log1p(table.rows.labels[known]) - said)
            learned = Calibration(Path(NAME), "", 0, len(known), fit(z[known], error))
            for old, row in zip(found[len(known) :], test, strict=True):
                new = learned.correct(old, z[row])
                for index, name in enumerate(LABELS):
                    real = table.rows.labels[row, index]
                    if not (np.isnan(real) or unknown[row, index]):
                        seen[name].append(_inside(real, old, new, name))
    return [_interval_line(name, items) for name, items in seen.items()]


def _inside(real: float, old: Correction, new: Correction, name: str) -> tuple[bool, bool, float, float]:
    ends = [(item.low[name], item.high[name]) for item in (old, new)]
    inside = [low - 0.5 <= real <= high + 0.5 for low, high in ends]  # figures are whole numbers
    return inside[0], inside[1], *((high + 1) / (low + 1) for low, high in ends)  # type: ignore[return-value]


def _interval_line(name: str, items: list[tuple[bool, bool, float, float]]) -> str:
    a, b, c, d = zip(*items, strict=True)
    widths = f"median width x{np.median(c):.2f} -> x{np.median(d):.2f}"
    return f"{name:15} 10 reports: intervals hold {np.mean(a):.0%} -> {np.mean(b):.0%}, {widths}"


def loops() -> Iterator[str]:
    """Iteration latency and II of reported loops of designs left out, before and after 10 reports of their source.

    As they are, and with every floating-point sum and product listed `WRONG` cycles too short, which is what a part
    looks like that no table knows: what is learned is then held against that.
    """
    known = _reported_designs()
    groups: dict[tuple[str, float], list[Reported]] = defaultdict(list)
    for source, design in known:
        groups[source, design.target.clock_period_ns].append(design)
    for wrong in ((), (("fadd", -WRONG), ("fmul", -WRONG))):
        for (source, clock), found in sorted(groups.items()):
            if len(found) < LOOP_LEAST:
                continue
            off = [replace(item, estimate=_listed_wrong(item.estimate, wrong)) for item in found]
            before, after, learned = [], [], []
            for seed in range(LOOP_SEEDS):
                order = np.random.default_rng(seed).permutation(len(off))
                latencies = learn_latencies([off[index] for index in order[:10]])
                learned.append(", ".join(f"{item.name} {item.step:+d}" for item in latencies) or "nothing")
                steps = tuple((item.name, item.step) for item in latencies)
                for index in order[10 : 10 + LOOP_JUDGED]:
                    before.append(loss(off[index], ()))
                    after.append(loss(off[index], steps))
            said = f"{WRONG} cycles too short" if wrong else "as listed"
            yield (
                f"{source} {clock:g} ns, {said}: mean |log error| of loops {np.mean(before):.3f} -> "
                f"{np.mean(after):.3f}; learned {'; '.join(learned)}"
            )


def _listed_wrong(estimate: Callable[[Target], Estimate], wrong: tuple[tuple[str, int], ...]) -> Any:
    def again(target: Target) -> Estimate:
        steps = dict(wrong)
        for name, step in target.learned:
            steps[name] = steps.get(name, 0) + step
        return estimate(replace(target, learned=tuple(steps.items())))

    return again


def _reported_designs() -> list[tuple[str, Reported]]:
    from tests.qor.qor_data import designs
    from tests.qor.test_loops_truth import kept_loops, match
    from tests.qor.test_loops_truth import reports as tables

    rows, found = tables(), []
    for design in designs():
        if design.id not in rows:
            continue
        text, others = design.parts()
        program = read_program(text, path="main.cpp", files=others)
        target = make_target(
            design.part, design.clock_period_ns, design.tool, design.tool_version, unsafe_math=design.unsafe_math
        )
        top = choose_top(program, design.top)

        def estimate(aimed: Target, program: Any = program, top: Any = top) -> Estimate:
            return estimate_program(program, top, aimed, make_options(aimed))

        kept = list(kept_loops(estimate(target)))
        loops = [(loop.loop, row) for row in rows[design.id] if (loop := match(row, kept)) is not None]
        told = tuple(
            ReportedLoop(loop.path, loop.head.start_line, row["iteration_latency"] or None, row["ii_achieved"] or None)
            for loop, row in loops
            if isinstance(row["iteration_latency"] or 0, int)
        )
        found.append((design.source, Reported(target, estimate, told)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--loops", action="store_true", help="operator latencies alone (needs the data of the tests)")
    arguments = parser.parse_args()
    if arguments.loops:
        for line in loops():
            print(line, flush=True)
        return
    rows = summary(measure())
    for row in rows:
        cut, scaled = 1 - row["after"] / row["before"], 1 - row["ratio"] / row["before"]
        print(
            f"{row['target']:15} {row['reports']:2} reports, {row['families']:4}: median APE {row['before']:.1%}, "
            f"median ratio {row['ratio']:.1%} ({scaled:+.0%}), calibrated {row['after']:.1%} ({cut:+.0%})"
        )
    print(*intervals(), sep="\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
