"""Print held-out figures: the full table, and "ours against the starting point" cell by cell."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .evaluate import Evaluation, Figures, is_source

if TYPE_CHECKING:
    from rich.console import Console

# Starting points (measured on the same rows, folds and groups before this model existed): slice -> target ->
# (Spearman, median APE in percent, within-kernel Spearman). Where two predictors were measured, the better of each.
STARTING_POINTS: dict[str, dict[str, tuple[float, float, float | None]]] = {
    "pooled designs": {
        "latency_cycles": (0.876, 44, 0.61),
        "lut": (0.938, 34, None),
        "dsp": (0.914, 48, None),
        "ff": (0.945, 33, None),
    },
    "hgbo-dse csynth": {
        "latency_cycles": (0.83, 57, 0.70),
        "lut": (0.70, 51, 0.62),
        "dsp": (0.66, 56, 0.33),
        "ff": (0.76, 50, 0.67),
    },
    "hgbo-dse impl": {
        "latency_cycles": (0.86, 66, 0.70),
        "lut": (0.78, 50, 0.66),
        "dsp": (0.62, 58, 0.34),
        "ff": (0.77, 51, 0.67),
    },
    "hlsyn-vitis": {
        "latency_cycles": (0.83, 91, 0.30),
        "lut": (0.71, 60, 0.80),
        "dsp": (0.42, 68, 0.49),
        "ff": (0.67, 55, 0.84),
    },
    "streamhls": {
        "latency_cycles": (0.95, 50, 0.80),
        "lut": (0.93, 26, 0.96),
        "dsp": (0.90, 45, 0.91),
        "ff": (0.95, 24, 0.92),
    },
    "prometheus": {
        "latency_cycles": (0.61, 60, 0.76),
        "lut": (0.85, 32, 0.62),
        "dsp": (0.83, 34, 0.59),
        "ff": (0.90, 31, 0.79),
    },
}
# HLSyn zero-shot RMSE sums of untuned trees, by tool version.
HLSYN_STARTING_POINTS = {"2018.3": 1.79, "2020.2": 2.58}


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure against its starting point. rows, groups: ours, with rows or groups weighing equally."""

    where: str
    target: str
    figure: str
    start: float
    rows: float
    groups: float
    higher_is_better: bool

    def _beats(self, value: float) -> bool:
        return value >= self.start if self.higher_is_better else value <= self.start

    @property
    def ok_rows(self) -> bool:
        """Ours with rows weighing equally is not behind the starting point."""
        return not math.isnan(self.rows) and self._beats(round(self.rows, 3 if self.start < 5 else 0))

    @property
    def ok_groups(self) -> bool:
        """Ours with groups weighing equally is not behind the starting point."""
        return not math.isnan(self.groups) and self._beats(round(self.groups, 3 if self.start < 5 else 0))


def compare(evaluation: Evaluation, hlsyn: Mapping[str, Mapping[str, float]] | None = None) -> list[Cell]:
    """Cells of every starting point that `evaluation` (and HLSyn's RMSE by version) has a figure for."""
    cells = []
    for where, targets in STARTING_POINTS.items():
        for target, (rank, ape, within) in targets.items():
            ours = evaluation.slices.get(where, {}).get(target)
            if ours is None:
                continue
            cells.append(Cell(where, target, "Spearman", rank, ours.spearman_rows, ours.spearman, True))
            cells.append(Cell(where, target, "median APE %", ape, 100 * ours.ape_rows, 100 * ours.ape, False))
            if within is not None:
                cells.append(Cell(where, target, "within-kernel", within, ours.within, ours.within, True))
    for version, scores in (hlsyn or {}).items():
        start = HLSYN_STARTING_POINTS[version]
        cells.append(Cell(f"HLSyn {version} zero-shot", "all", "RMSE sum", start, scores["sum"], scores["sum"], False))
    return cells


def _number(value: float, digits: int = 3) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def print_comparison(cells: Iterable[Cell], console: Console) -> None:
    """One line a starting point: ours by rows and by groups, and whether each is ahead."""
    from rich.table import Table

    table = Table(title="Ours against the starting points (leave-group-out)")
    for name in ("slice", "target", "figure", "start", "ours (rows)", "ok", "ours (groups)", "ok"):
        table.add_column(name, justify="left" if name in ("slice", "target", "figure") else "right")
    cells = list(cells)
    for cell in cells:
        digits = 0 if "%" in cell.figure else 3
        marks = ["yes" if ok else "NO" for ok in (cell.ok_rows, cell.ok_groups)]
        ours = [_number(cell.rows, digits), _number(cell.groups, digits)]
        start = _number(cell.start, digits)
        table.add_row(cell.where, cell.target, cell.figure, start, ours[0], marks[0], ours[1], marks[1])
    console.print(table)
    rows, groups = sum(c.ok_rows for c in cells), sum(c.ok_groups for c in cells)
    console.print(f"ahead of the starting point: {rows} of {len(cells)} by rows, {groups} of {len(cells)} by groups")


def print_figures(slices: Mapping[str, Mapping[str, Figures]], console: Console, *, title: str) -> None:
    """Every figure of every slice and target."""
    from rich.table import Table

    table = Table(title=title)
    for name in (
        "slice",
        "target",
        "rows",
        "groups",
        "Spearman",
        "APE %",
        "within (keys)",
        "rows: Sp.",
        "APE %",
        "zero",
    ):
        table.add_column(name, justify="left" if name in ("slice", "target") else "right")
    for where, targets in slices.items():
        for target, f in targets.items():
            if f.n == 0:
                continue
            table.add_row(
                where,
                target,
                str(f.n),
                str(f.groups),
                _number(f.spearman),
                _number(100 * f.ape, 0),
                f"{_number(f.within, 2)} ({f.keys})" if f.keys else "-",
                _number(f.spearman_rows),
                _number(100 * f.ape_rows, 0),
                _number(f.zero, 2),
            )
    console.print(table)


def print_intervals(evaluation: Evaluation, console: Console) -> None:
    """Coverage, width and worst source of the 80 % intervals, and what the unlike-score says."""
    from rich.table import Table

    table = Table(title="80 % intervals on unseen groups (groups weigh equally)")
    for name in ("target", "coverage", "median high/low", "worst source", "its coverage", "unlike ~ |log error|"):
        table.add_column(name)
    for target, found in evaluation.intervals.items():
        table.add_row(
            target,
            _number(found.coverage),
            _number(found.width, 1),
            found.worst_source,
            _number(found.worst_coverage),
            _number(evaluation.unlike.get(target, math.nan)),
        )
    console.print(table)
    if "all" in evaluation.unlike:
        console.print(f"Spearman of the unlike-score with the mean |log error|: {evaluation.unlike['all']:.3f}")


def print_sharpness(
    by_knowledge: Mapping[str, Mapping[str, Mapping[str, float | None]]],
    changes: Mapping[str, Mapping[str, float | None]],
    console: Console,
) -> None:
    """Intervals on Vitis designs of unseen groups by what is known of them, and of differences between designs."""
    from rich.table import Table

    table = Table(title="80 % intervals on Vitis csynth designs of unseen groups")
    for name in ("what is known", "target", "coverage", "median high/low", "width ~ |log error|"):
        table.add_column(name)
    for title, targets in by_knowledge.items():
        for target, found in targets.items():
            table.add_row(title, target, *(_some(found[name]) for name in ("coverage", "width", "rank")))
    console.print(table)
    for target, found in changes.items():
        console.print(
            f"difference of {target} between designs of an unseen kernel: interval covers {_some(found['coverage'])}, "
            f"leaves out 0 in {_some(found['sure'])}, sign right there {_some(found['sign_right'])}"
        )


def _some(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def print_source_intervals(evaluation: Evaluation, console: Console) -> None:
    """Coverage of the 80 % intervals by source and target, each source left out of training whole, and their width."""
    from rich.table import Table

    found = evaluation.intervals
    table = Table(title="80 % intervals of sources left out whole: coverage (groups weigh equally)")
    table.add_column("source")
    for target in found:
        table.add_column(target)
    for source in sorted({name for item in found.values() for name in item.per_source}):
        table.add_row(source, *(_number(item.per_source.get(source, math.nan)) for item in found.values()))
    table.add_row("all", *(_number(item.coverage) for item in found.values()))
    table.add_row("median high/low", *(_number(item.width, 1) for item in found.values()))
    console.print(table)


NOT_BEHIND = 0.005  # by how much a Spearman, or an error as a share, may be worse and still not be behind
_SHOWN = ("latency_cycles", "lut", "dsp", "ff", "bram_18k")


def side_by_side(evaluations: Mapping[str, Evaluation]) -> tuple[int, int]:
    """(cells where the first predictor is not behind the best other one, cells): Spearman and APE by single source.

    "Not behind": Spearman not lower by more than .005, APE not higher by more than half a percent.
    """
    first, *others = evaluations.values()
    good = total = 0
    for where in first.slices:
        if not is_source(where):
            continue
        for target in _SHOWN[:4]:
            ours = first.slices[where][target]
            rest = [other.slices[where][target] for other in others]
            pairs = ((ours.spearman, [-f.spearman for f in rest], -1), (ours.ape, [f.ape for f in rest], 1))
            for value, against, sign in pairs:
                known = [item for item in against if not math.isnan(item)]
                if math.isnan(value) or not known:
                    continue
                total += 1
                good += sign * value <= min(known) + NOT_BEHIND
    return good, total


def print_side_by_side(evaluations: Mapping[str, Evaluation], console: Console, *, title: str) -> None:
    """Spearman / APE of several predictors, one column each, by slice and target."""
    from rich.table import Table

    table = Table(title=title)
    for name in ("slice", "target", "rows", *evaluations):
        table.add_column(name, justify="left" if name in ("slice", "target") else "right")
    first = next(iter(evaluations.values()))
    for where, targets in first.slices.items():
        for target in _SHOWN:
            if targets[target].n == 0:
                continue
            found = [evaluation.slices[where][target] for evaluation in evaluations.values()]
            cells = [f"{_number(f.spearman, 2)} / {_number(100 * f.ape, 0)}" for f in found]
            table.add_row(where, target, str(targets[target].n), *cells)
    console.print(table)


def to_json(evaluation: Evaluation, cells: Iterable[Cell] = ()) -> dict[str, Any]:
    """The same as plain JSON: NaN becomes null."""

    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, float):
            return None if math.isnan(value) else round(value, 4)
        return value

    return {
        "slices": plain({k: {t: asdict(f) for t, f in v.items()} for k, v in evaluation.slices.items()}),
        "intervals": plain({target: asdict(found) for target, found in evaluation.intervals.items()}),
        "unlike": plain(dict(evaluation.unlike)),
        "starting_points": [
            plain(asdict(cell) | {"ok_rows": cell.ok_rows, "ok_groups": cell.ok_groups}) for cell in cells
        ],
    }
