"""Advice on HLS kernels against its bars: `python benchmarks/whatif.py [--reports] [--json]`; ends with 1 at a miss.

causes: the hand-counted loops of tests/qor/why_cases.py. reports: with --reports, loop tables of data/qor.
choice: among the labelled points of a kernel the one predicted best, from data/qor_table, by the closed form alone. It
is not trained on these points, though some of its constants come from reports of these sources.
speed: variants a second, a kernel of 200 lines explored, the first code actions.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports"), str(ROOT)]

from tests.qor.why_cases import CASES

from hwml_sdk.qor.advice.bench import Bench
from hwml_sdk.qor.advice.choice import asked_for, order
from hwml_sdk.qor.advice.explore import explore_given
from hwml_sdk.qor.advice.rewrites import rewrites_at
from hwml_sdk.qor.advice.search import search
from hwml_sdk.qor.advice.variants import Variants
from hwml_sdk.qor.advice.why import why
from hwml_sdk.qor.learned.table import Table, read_table
from hwml_sdk.qor.model import given_source
from hwml_sdk.qor.tool.labels import LABELS
from hwml_sdk.train.qor.evaluate import what_if_regret
from hwml_sdk.train.qor.protocol import closed_form_alone

TOOL = {"part": "xczu9eg-ffvb1156-2-i", "clock_period_ns": 10, "tool": "vitis_hls", "tool_version": "2022.1"}
FACTORS = ("unroll_log_sum", "parallel_log_sum", "partition_log_sum", "reshape_log_sum", "tile_log_sum")


@dataclass(frozen=True)
class Row:
    """One figure beside its bar; met: None where there is none."""

    what: str
    value: str
    bar: str = ""
    met: bool | None = None


def causes() -> Iterator[Row]:
    """The cause named right, the first move lifting the predicted II."""
    named = lifted = 0
    for case in CASES:
        (found,) = why(case.source, loop="work", **TOOL)  # type: ignore[arg-type]
        ii = found.loop.ii if found.loop is not None else None
        named += (found.cause.kind, found.cause.subject, ii) == (case.kind, case.subject, case.ii)
        first = found.moves[0] if found.moves else None
        lifted += first is not None and first.ii is not None and ii is not None and first.ii < ii
    total = len(CASES)
    yield Row(
        "loops counted by hand: cause and II named right", f"{named} of {total}", "all of 40 or more", named == total
    )
    yield Row("first move lifts the predicted II", f"{lifted / total:.1%}", "90 %", lifted / total >= 0.9)


def reports() -> Iterator[Row]:
    """Pipelined loops of the tool's own tables: whether something is named where the report misses its target."""
    from tests.qor.qor_data import designs
    from tests.qor.test_loops_truth import estimate_of, kept_loops, match
    from tests.qor.test_loops_truth import reports as tables

    rows, missed, right, free, quiet = tables(), 0, 0, 0, 0
    for design in designs():
        kept = list(kept_loops(estimate_of(design))) if design.id in rows else []
        for row in rows.get(design.id, []):
            loop = match(row, kept)
            if loop is None or not row["pipelined"] or not row["ii_achieved"] or loop.ii is None:
                continue
            named = bool(loop.bound.by) and loop.ii > 1
            if row["ii_achieved"] > (row["ii_target"] or 1):
                missed += 1
                right += named and loop.ii == row["ii_achieved"]
            elif row["ii_achieved"] == 1:
                free += 1
                quiet += not named
    yield Row("reports that miss their II: bound named, with the II of the report", f"{right} of {missed}")
    yield Row("reports of II 1: no bound named", f"{quiet} of {free}")


def choice() -> Iterator[Row]:
    """Regret and share of the hypervolume, as `train.qor.evaluate.what_if_regret` defines them."""
    table = read_table(ROOT / "data" / "qor_table")
    closed, plain = _in_order(table, closed_form_alone(table)), _pipelined_only(table)
    for name in ("all", *sorted(set(table.rows.source.tolist()))):
        mask = np.ones(len(table.rows), dtype=bool) if name == "all" else table.rows.source == name
        rows = table.rows.take(mask)
        ours = what_if_regret(rows, closed[mask])
        if not ours["keys"]:
            continue
        simple = what_if_regret(rows, plain[mask])
        value = (
            f"{ours['best1']:.2f} (best of 5 {ours['best5']:.2f}), front {ours['front']:.2f}; "
            f"at random {ours['random1']:.2f} ({ours['random5']:.2f}), {ours['random_front']:.2f}; "
            f"pipelines alone {simple['best1']:.2f} ({simple['best5']:.2f})"
        )
        bar, met = ("", None) if name != "all" else ("1.77 (1.29), front 0.92", _ahead(ours, simple))
        yield Row(f"choice among points of {ours['keys']:.0f} kernels, {name}", value, bar, met)


def _in_order(table: Table, closed: np.ndarray) -> np.ndarray:
    """The closed form with its cycles replaced by their place in the order that `what_if` offers variants in."""
    column = {name: table.values[:, index] for index, name in enumerate(table.feature_names)}
    asked = [asked_for(*pair) for pair in zip(column["pragma_pipeline"], column["unroll_log_sum"], strict=True)]
    place = LABELS.index("latency_cycles")
    keys = [order(c, a) if np.isfinite(c) else (math.inf,) for c, a in zip(closed[:, place], asked, strict=True)]
    ranks = {key: float(number) for number, key in enumerate(sorted(set(keys)))}
    found = closed.copy()
    found[:, place] = [ranks[key] if key[0] < math.inf else math.nan for key in keys]
    return found


def _ahead(ours: dict[str, float], simple: dict[str, float]) -> bool:
    beside = ours["best1"] <= min(ours["random1"], simple["best1"]) and ours["front"] >= ours["random_front"]
    return beside and ours["best1"] <= 1.77 and ours["best5"] <= 1.29 and ours["front"] >= 0.92


def _pipelined_only(table: Table) -> np.ndarray:
    """ "Pipeline the innermost loop": points with pipelines and the least of all factors come first."""
    column = {name: table.values[:, index] for index, name in enumerate(table.feature_names)}
    factors = sum(column[name] for name in FACTORS) + 4 * column["pragma_flatten"]
    score = factors + 8 * (column["pragma_pipeline"] == 0) - column["pragma_pipeline"] / 64
    found = np.ones((len(table.rows), len(LABELS)))
    found[:, LABELS.index("latency_cycles")] = np.exp(score - score.min())
    return found


def kernel(lines: int) -> str:
    """A kernel of about so many lines: loops over arrays of its own, eight lines each."""
    count = max((lines - 4) // 8, 1)
    arrays = "\n".join(f"  int t{n}[256];" for n in range(count + 1))
    loops = "\n".join(
        f"  work{n}: for (int i = 0; i < 256; i++) {{\n    int s = 0;\n    for (int k = 0; k < 4; k++) {{\n"
        f"      s += t{n}[(i + k) & 255] * {n + 3};\n    }}\n    t{n + 1}[i] = s;\n  }}"
        for n in range(count)
    )
    return (
        f"void top(int a[256], int out[256]) {{\n{arrays}\n  for (int i = 0; i < 256; i++) t0[i] = a[i];\n{loops}\n"
        f"  for (int i = 0; i < 256; i++) out[i] = t{count}[i];\n}}\n"
    )


def speed() -> Iterator[Row]:
    """Seconds of processor time, as other programs may run beside this one."""
    given = given_source(kernel(60), part="u280")
    variants = Variants.of(Bench.of(given, 0), {})
    begun = time.process_time()
    search(variants, 2000)
    rate = variants.made / (time.process_time() - begun)
    lines = given.text.count("\n")
    bar = "1,000 on two cores, so 500 on one"
    yield Row(f"new variants a second, {lines} lines, one core", f"{rate:,.0f}", bar, rate >= 500)
    begun = time.process_time()
    for variant in variants.known():
        variants.predict(variant.picks)
    again = len(variants.known()) / (time.process_time() - begun)
    yield Row("the same variants again", f"{again:,.0f}", "1,000", again >= 1000)
    given = given_source(kernel(200), part="u280")
    begun = time.process_time()
    found = explore_given(given, count=1000)
    took = time.process_time() - begun
    text = f"{took:.2f} s for {len(found.points):,} variants"
    yield Row(f"{given.text.count(chr(10))} lines explored", text, "5 s", took <= 5)
    for name, line in (("fir.cpp", 18), ("gemm.cpp", 14), ("matmul.cpp", 40)):
        given = given_source(ROOT / "examples" / name)
        begun = time.process_time()
        rewrites_at(given, line)
        took = time.process_time() - begun
        yield Row(f"code actions of {name}", f"{took * 1000:.0f} ms", "300 ms", took <= 0.3)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, or JSON; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", action="store_true", help="loop tables too (needs the data of the tests)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args(argv)
    parts = [causes, choice, speed, *([reports] if arguments.reports else [])]
    rows: list[Row] = []
    for part in parts:
        for row in part():
            rows.append(row)
            if not arguments.json:
                mark = "" if row.met is None else "  met" if row.met else "  MISSED"
                print(f"{row.what}: {row.value}{f'  (bar: {row.bar})' if row.bar else ''}{mark}", flush=True)
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], indent=1, allow_nan=False))
    return 1 if any(row.met is False for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
