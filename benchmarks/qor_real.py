"""Designs of real projects with their tool reports, against what the product says: `python benchmarks/qor_real.py`.

    python benchmarks/qor_real.py [--data designs.jsonl.gz] [--json]

The answer and the closed form alone stand side by side; the bars are the answer's. Projects weigh equally. Designs
whose report was made of another state of the source (the loop table tells) are listed and left out. Exits 1 when a bar
is missed, 0 without a word of praise when the data is not here. Intervals are held against reports twice: with the
settings of the report, and with the defaults, as who states nothing sees them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports"), str(ROOT)]

import numpy as np
from tests.qor.test_loops_truth import kept_loops, match

from hwml_sdk.config import HlsSettings
from hwml_sdk.errors import HwmlError
from hwml_sdk.qor.answer.assumed import with_assumptions
from hwml_sdk.qor.answer.types import QorPrediction
from hwml_sdk.qor.closed_form.estimate import Estimate
from hwml_sdk.qor.learned.dataset import split_files
from hwml_sdk.qor.model import OpenDesign, QorModel, open_design
from hwml_sdk.qor.project.inputs import Inputs
from hwml_sdk.train.qor.contradictions import contradictions
from hwml_sdk.train.qor.evaluate import spearman

DATA = ROOT.parent / "shared" / "data" / "real" / "designs.jsonl.gz"
TARGETS = ("latency_cycles", "lut", "dsp", "ff")
# Least Spearman and largest median error in percent.
BARS = {"latency_cycles": (0.93, 22.0), "lut": (0.90, 28.0), "dsp": (0.85, 25.0), "ff": (0.88, 30.0)}
II_BAR, LOOP_BAR = 0.85, 0.75
COVERAGE, RANK = (0.72, 0.90), 0.4
WIDTHS = {"latency_cycles": 2.2, "lut": 2.6, "dsp": 2.2, "ff": 3.2}
OF_ANOTHER_SOURCE = 0.05  # share of a loop table that contradicts the source, from which the report is another's


@dataclass(slots=True)
class Tally:
    """What was compared. rows: (predictor, target) -> (project, said, label); other: designs left out and why."""

    rows: dict[tuple[str, str], list[tuple[str, float, float]]] = field(default_factory=lambda: defaultdict(list))
    unknown: Counter[str] = field(default_factory=Counter)
    other: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    iis: Counter[bool] = field(default_factory=Counter)
    latencies: Counter[bool] = field(default_factory=Counter)
    ends: dict[tuple[str, str], list[tuple[str, float, float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def designs(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of the file."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def opened(row: Mapping[str, Any], *, stated: bool = True) -> OpenDesign:
    """The design, with the settings of its report or, where they are not stated, the defaults."""
    main, files = split_files(row["source_text"], row["top"])
    if not stated:
        assumed = HlsSettings(top=row["top"])
        return open_design(main, path="main.cpp", inputs=Inputs(files=files), settings=assumed)
    settings = HlsSettings(
        top=row["top"], part=row["part"], clock_period_ns=row["clock_period_ns"], tool=row["tool"],
        tool_version=row["tool_version"], stage=row["label_stage"],
    )  # fmt: skip
    return open_design(main, path="main.cpp", inputs=Inputs(files=files), settings=settings)


def compare(row: Mapping[str, Any], model: QorModel, tally: Tally) -> None:
    """One design into the tally."""
    design = opened(row)
    estimate = design.estimate(design.top())
    loops = row["loop_rows"] or []
    wrong = contradictions(estimate, loops)
    if len(wrong) > OF_ANOTHER_SOURCE * len(loops):
        tally.other.append(f"{row['id']} ({row['kernel']}): {len(wrong)} of {len(loops)} loops: {wrong[0]}")
        return
    answer: Any = model.correct(design, [estimate])[0]
    for name in TARGETS:
        value, label = getattr(answer, name), row[name]
        if label is None:
            continue
        if value is None:
            tally.unknown[name] += 1
            continue
        for predictor, said in (("answer", value), ("closed form", answer.closed_form[name])):
            tally.rows[predictor, name].append((row["project"], float(said), float(label)))
    _loops(estimate, loops, tally)
    default = opened(row, stated=False)
    unstated = with_assumptions(model.correct(default, [default.estimate(default.top())])[0])
    for name, prediction in (("stated", answer), ("defaults", unstated)):
        _ends(row, prediction, name, tally)


def _ends(row: Mapping[str, Any], prediction: QorPrediction, settings: str, tally: Tally) -> None:
    """(project, whether the label is inside, width, |log error|) of each known figure."""
    for name in TARGETS:
        value, label = getattr(prediction, name), row[name]
        if value is not None and label is not None:
            ends = prediction.intervals[name]
            inside = float(round(ends.low) <= label <= round(ends.high))
            width, error = (ends.high + 1) / (ends.low + 1), abs(math.log((value + 1) / (label + 1)))
            tally.ends[settings, name].append((row["project"], inside, width, error))


def intervals(rows: Sequence[tuple[str, float, float, float]]) -> dict[str, float]:
    """Coverage, median width and Spearman of width with |log error|, projects weighing equally."""
    names = [project for project, *_ in rows]
    weight = np.array([1 / names.count(name) for name in names])
    inside, width, error = (np.array(column, dtype=float) for column in list(zip(*rows, strict=True))[1:])
    order = np.argsort(width)
    middle = float(width[order][np.searchsorted(np.cumsum(weight[order]) / weight.sum(), 0.5)])
    return {
        "coverage": round(float(np.average(inside, weights=weight)), 3), "width": round(middle, 2),
        "width_error": round(spearman(width, error, weight), 2),
    }  # fmt: skip


def _loops(estimate: Estimate, rows: Sequence[Mapping[str, Any]], tally: Tally) -> None:
    kept = list(kept_loops(estimate))
    for row in rows:
        loop = match(dict(row), kept)
        if loop is None:
            continue
        if row["pipelined"] and row["ii_achieved"]:
            tally.iis[loop.ii == row["ii_achieved"]] += 1
        if row["latency_max"] and loop.known:
            tally.latencies[abs(loop.cycles - row["latency_max"]) <= 0.3 * row["latency_max"]] += 1


def figures(rows: Sequence[tuple[str, float, float]]) -> tuple[float, float, int]:
    """(Spearman, median error in %, projects), projects weighing equally."""
    names = [project for project, _, _ in rows]
    weight = np.array([1 / names.count(name) for name in names])
    said, label = (np.array(column, dtype=float) for column in list(zip(*rows, strict=True))[1:])
    error = np.abs(said - label) / np.maximum(label, 1) * 100
    order = np.argsort(error)
    share = np.cumsum(weight[order]) / weight.sum()
    middle = float(error[order][np.searchsorted(share, 0.5)])
    ranks = np.cov(np.stack([_ranks(said), _ranks(label)]), aweights=weight)
    return float(ranks[0, 1] / np.sqrt(ranks[0, 0] * ranks[1, 1])), middle, len(set(names))


def _ranks(values: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Ranks, equal values sharing their mean."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[where], dtype=float)


def measured(tally: Tally) -> dict[str, Any]:
    """Everything as plain JSON."""
    targets: dict[str, Any] = {}
    for name in TARGETS:
        targets[name] = {"unknown": tally.unknown[name]}
        for predictor in ("answer", "closed form"):
            rank, error, projects = figures(tally.rows[predictor, name])
            targets[name][predictor] = {"spearman": round(rank, 3), "median_error": round(error / 100, 3)}
            targets[name] |= {"designs": len(tally.rows[predictor, name]), "projects": projects}
        targets[name]["intervals"] = {which: intervals(tally.ends[which, name]) for which in ("stated", "defaults")}
    loops = {
        what: {"right": counter[True], "of": counter.total()}
        for what, counter in (("ii", tally.iis), ("latency", tally.latencies))
    }
    return {"targets": targets, "loops": loops, "of_another_source": tally.other, "failed": tally.failed}


def summary(found: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """(line of the table, whether its bar is met)."""
    lines = []
    for name, item in found["targets"].items():
        answer, closed = item["answer"], item["closed form"]
        least, most = BARS[name]
        text = f"{name}: Spearman {answer['spearman']:.2f} (bar {least}), median error {answer['median_error']:.0%}"
        text += f" ({most:.0f} %); closed form {closed['spearman']:.2f}, {closed['median_error']:.0%};"
        text += f" {item['designs']} designs of {item['projects']} projects, {item['unknown']} said to be unknown"
        lines.append((text, answer["spearman"] >= least and 100 * answer["median_error"] <= most))
        for which, ends in item["intervals"].items():
            low, high = COVERAGE
            text = f"{name}, {which}: coverage {ends['coverage']:.0%} (bar {low:.0%} to {high:.0%}), median width"
            text += f" x{ends['width']:.2f} (x{WIDTHS[name]}), width against error {ends['width_error']:.2f} ({RANK})"
            sure = low <= ends["coverage"] <= high and ends["width"] <= WIDTHS[name] and ends["width_error"] >= RANK
            lines.append((text, sure))
    titles = {"ii": ("II of pipelined loops", II_BAR), "latency": ("latency of loops within 30 %", LOOP_BAR)}
    for what, (title, bar) in titles.items():
        loops = found["loops"][what]
        share = loops["right"] / max(loops["of"], 1)
        lines.append((f"{title}: {loops['right']} of {loops['of']} right, {share:.0%} (bar {bar:.0%})", share >= bar))
    return lines


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="designs of real projects, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    if not options.data.is_file():
        print(f"{options.data} is not here; nothing was compared")
        return 0
    model, tally = QorModel.load(), Tally()
    for row in designs(options.data):
        try:
            compare(row, model, tally)
        except HwmlError as error:
            tally.failed.append(f"{row['id']}: {re.sub(chr(10), ' ', str(error))[:120]}")
    found = measured(tally)
    lines = summary(found)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for text, met in lines:
            print(f"{'met ' if met else 'MISS'}  {text}")
        for title, items in (("report of another source, left out", tally.other), ("not predicted", tally.failed)):
            print(f"{title}: {len(items)}")
            for item in items:
                print(f"  {item}")
    return 0 if all(met for _, met in lines) and not tally.failed else 1


if __name__ == "__main__":
    raise SystemExit(main())
