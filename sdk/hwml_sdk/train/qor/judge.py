"""One object with every held-out figure of a recipe, and how to print it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...qor.learned.table import Table
from .evaluate import Evaluation, evaluate, what_if_regret
from .protocol import (
    GroupRuns,
    Protocol,
    closed_form_alone,
    hlsyn_zero_shot,
    judge_groups,
    judge_sources,
    leave_groups_out,
    leave_sources_out,
    shuffled_labels,
    untuned_by_group,
    untuned_by_source,
)
from .report import (
    Cell,
    compare,
    print_comparison,
    print_figures,
    print_intervals,
    print_sharpness,
    print_side_by_side,
    print_source_intervals,
    side_by_side,
    to_json,
)
from .sharpness import Figures, changes, sharpness

if TYPE_CHECKING:
    from rich.console import Console

    from .calibrate import Evidence


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything measured on groups and sources that training never saw.

    groups: leave-group-out. by_predictor: leave-group-out of the controls. sources: leave-source-out, by predictor.
    sharpness, source_sharpness: of intervals on Vitis designs, by what is known (`sharpness`), without groups and
    without whole sources. changes: of intervals of differences.
    """

    runs: GroupRuns
    strangers: Mapping[str, Evidence]
    groups: Evaluation
    cells: list[Cell]
    hlsyn: Mapping[str, Mapping[str, float]]
    regret: Mapping[str, float]
    by_predictor: Mapping[str, Evaluation]
    sources: Mapping[str, Evaluation]
    sharpness: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    changes: Mapping[str, Mapping[str, float | None]]
    source_sharpness: Mapping[str, Mapping[str, Mapping[str, float | None]]]

    def to_json(self) -> dict[str, Any]:
        """All figures as plain JSON."""
        return {
            "leave_group_out": to_json(self.groups, self.cells),
            "hlsyn_zero_shot": {k: dict(v) for k, v in self.hlsyn.items()},
            "what_if": {k: None if math.isnan(v) else round(v, 4) for k, v in self.regret.items()},
            "controls": {name: to_json(found)["slices"] for name, found in self.by_predictor.items()},
            "leave_source_out": {name: to_json(found)["slices"] for name, found in self.sources.items()},
            "leave_source_out_intervals": to_json(self.sources["ours"])["intervals"] if self.sources else {},
            "sharpness": self.sharpness,
            "source_sharpness": self.source_sharpness,
            "changes": self.changes,
        }

    def print(self, console: Console) -> None:
        """Every table."""
        print_comparison(self.cells, console)
        print_figures(self.groups.slices, console, title="Held-out figures (5-fold leave-group-out)")
        print_intervals(self.groups, console)
        print_sharpness(self.sharpness, self.changes, console)
        for version, scores in self.hlsyn.items():
            detail = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
            console.print(f"HLSyn zero-shot {version} (rows that fit the device): RMSE {detail}")
        r = self.regret
        console.print(
            f"what-if on {r['keys']:.0f} unseen kernels: latency of the predicted best over the true best "
            f"{r['best1']:.2f} (best of 5: {r['best5']:.2f}); at random {r['random1']:.2f} ({r['random5']:.2f}); "
            f"Pareto hypervolume reached {r['front']:.3f}, at random {r['random_front']:.3f}"
        )
        if self.by_predictor:
            title = "Controls, leave-group-out (Spearman / median APE %, groups weigh equally)"
            print_side_by_side({"ours": self.groups, **self.by_predictor}, console, title=title)
        if self.sources:
            print_source_intervals(self.sources["ours"], console)
            title = "Leave-source-out (Spearman / median APE %, groups weigh equally)"
            print_side_by_side(self.sources, console, title=title)
            behind = side_by_side(self.sources)
            console.print(f"leave-source-out: not behind the better of the others in {behind[0]} of {behind[1]} cells")


def judge(
    table: Table, protocol: Protocol, step: Callable[[str], None] = lambda _: None, *, controls: bool = False
) -> Judgement:
    """Run the whole protocol on `table`; with `controls` also the predictors that ours must not fall behind."""
    runs = leave_groups_out(table, protocol, step, inner=False)
    strangers = leave_sources_out(table, protocol, step)
    step("error models")
    held = judge_groups(table, runs, protocol, strangers)
    value, low, high = held.counts()
    groups = evaluate(table.rows, value, low=low, high=high, unlike=held.unlike)
    hlsyn = hlsyn_zero_shot(table, protocol)
    predictors: dict[str, Evaluation] = {}
    sources: dict[str, Evaluation] = {}
    apart: dict[str, dict[str, Figures]] = {}
    if controls:
        predictors, sources, apart = _controls(table, protocol, runs, dict(strangers), step)
    return Judgement(
        runs=runs,
        strangers=strangers,
        groups=groups,
        cells=compare(groups, hlsyn),
        hlsyn=hlsyn,
        regret=what_if_regret(table.rows, value),
        by_predictor=predictors,
        sources=sources,
        sharpness=sharpness(table, held),
        changes=changes(table, held),
        source_sharpness=apart,
    )


def _controls(
    table: Table,
    protocol: Protocol,
    runs: GroupRuns,
    strangers: dict[str, Evidence],
    step: Callable[[str], None],
) -> tuple[dict[str, Evaluation], dict[str, Evaluation], dict[str, dict[str, Figures]]]:
    rows = table.rows
    closed = evaluate(rows, closed_form_alone(table))
    step("controls: untuned trees")
    untuned = evaluate(rows, np.maximum(np.expm1(untuned_by_group(table)), 0))
    step("controls: shuffled labels")
    shuffled = evaluate(rows, np.maximum(np.expm1(shuffled_labels(table, protocol)), 0))
    step("leave-source-out: error models")
    held = judge_sources(table, runs, strangers, protocol)
    value, low, high = held.counts()
    ours = evaluate(rows, value, low=low, high=high, unlike=held.unlike)
    step("leave-source-out: untuned trees")
    trees = evaluate(rows, np.maximum(np.expm1(untuned_by_source(table)), 0))
    predictors = {"closed form": closed, "untuned trees": untuned, "shuffled labels": shuffled}
    return predictors, {"ours": ours, "closed form": closed, "untuned trees": trees}, sharpness(table, held)
