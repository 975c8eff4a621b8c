"""Refit the constants of area and timing on labelled designs, one at a time with all others fixed.

    python -m sdk.train qor constants --data DIR --designs 200

Prints value in use, value that fits best, the error at each, on how many designs, and the source of each constant. It
changes nothing: a value is changed where it stands (`qor/tool/cores.py`, `memories.py`, `releases.py`,
`qor/closed_form/costs.py`), and the feature table and the model are made anew after that.

The error of a design is |log((1 + closed form) / (1 + label))|, cut at `CUT` so that what the closed form misreads
altogether does not steer a constant; its mean is taken over the designs of a group, then over groups.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError, HwmlError
from ...qor.closed_form import costs
from ...qor.closed_form.design import make_options, make_target
from ...qor.closed_form.estimate import Estimate, estimate_program
from ...qor.learned.dataset import Design, read_designs
from ...qor.program import ir
from ...qor.program.tops import choose_top
from ...qor.read.source import read_program
from ...qor.tool import releases
from ...qor.tool.constant import constants_of
from ...qor.tool.cores import CORE_SOURCE, CORES, INTEGER
from ...qor.tool.labels import LABELS
from ...qor.tool.memories import MEMORY
from ...qor.tool.operators import operator
from ...report import SCHEMA_VERSION

CUT = 1.5  # a factor of 4.5
DESIGNS = 200
# Area is linear in a constant but for a few limits, so that one more estimate tells the whole curve; this is its grid.
_AREA_FACTORS = 2.0 ** np.linspace(-4, 4, 161)
# Time is not (states, bounds of an II): every candidate is estimated.
_TIME_FACTORS = (0.5, 0.75, 0.9, 1.1, 1.25, 1.5, 2.0)
_TIME_SHIFTS = (-2, -1, 1, 2)

Value = float | tuple[int, ...]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled design, read once. used: kinds of operators it has."""

    design: Design
    program: ir.Program
    top: ir.Function
    used: frozenset[tuple[str, str]] = frozenset()

    def estimate(self) -> Estimate:
        """The closed form with the constants as they are now."""
        item = self.design
        target = make_target(
            item.part, item.clock_period_ns, item.tool, item.tool_version, unsafe_math=item.unsafe_math,
            stage=item.stage,
        )  # fmt: skip
        return estimate_program(self.program, self.top, target, make_options(target))

    def counts(self) -> Floats:
        """[len(LABELS)] counts and cycles; NaN where the closed form gives none."""
        found = self.estimate()
        values = [getattr(found, label) for label in LABELS]
        return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of the closed form. labels: what it is judged by. put: sets it. holds: designs it can matter to."""

    name: str
    value: Value
    labels: tuple[str, ...]
    source: str
    put: Callable[[Value], None]
    holds: Callable[[Case], bool] = lambda _: True

    @contextmanager
    def trying(self, value: Value) -> Iterator[None]:
        """Another value meanwhile."""
        try:
            self.put(value)
            operator.cache_clear()
            yield
        finally:
            self.put(self.value)
            operator.cache_clear()


@dataclass(frozen=True, slots=True)
class Fit:
    """What fits a constant best; errors are mean log errors over groups, NaN where no design depends on it."""

    name: str
    value: Value
    fitted: Value
    error: float
    fitted_error: float
    designs: int
    groups: int
    source: str


# -- the constants -------------------------------------------------------------------------------------------------


def all_constants() -> list[Constant]:
    """Every constant of area and timing, by the module it stands in."""
    held = [("integer", INTEGER), ("memory", MEMORY), ("costs", costs.COSTS), ("logic", costs.LOGIC)]
    reports = [("csynth", costs.CSYNTH), ("impl", costs.IMPL), ("merlin", costs.MERLIN)]
    found = [item for name, holder in held for item in _of_holder(name, holder, lambda _: True)]
    for name, holder in reports:
        found += _of_holder(name, holder, lambda case, name=name: _report_of(case.design) == name)  # type: ignore[misc]
    return [*found, *_of_cores(), *_of_releases()]


def _report_of(design: Design) -> str:
    return releases.MERLIN if design.tool == releases.MERLIN else design.stage


def _of_holder(prefix: str, holder: Any, holds: Callable[[Case], bool]) -> Iterator[Constant]:
    for name, value, source in constants_of(holder):
        yield Constant(f"{prefix}.{name}", value, (_label(name),), source, _setter(holder, name), holds)


def _of_cores() -> Iterator[Constant]:
    for key, core in CORES.items():

        def holds(case: Case, key: tuple[str, str] = key) -> bool:
            return key in case.used

        for name in ("cycles", "lut", "ff"):
            full = ".".join(("core", *key, name))
            yield Constant(full, getattr(core, name), (_label(name),), CORE_SOURCE, _setter(core, name), holds)


def _of_releases() -> Iterator[Constant]:
    """Numbers among the changes of `RELEASES`; the table is put back row by row."""
    for row, release in enumerate(releases.RELEASES):
        for place, change in enumerate(release.changes):
            if isinstance(change.value, bool):
                continue
            rest = (o for o in releases.RELEASES[row + 1 :] if o.line == release.line)
            until = next((o.since for o in rest if any(c.name == change.name for c in o.changes)), math.inf)

            def holds(case: Case, line: str = release.line, since: float = release.since, end: float = until) -> bool:
                return releases.line_of(case.design.tool) == line and since <= _year(case.design) < end

            name = f"release.{release.line}.{release.since:g}.{change.name}"
            labels = (_label(change.name),)
            yield Constant(name, change.value, labels, change.source, _row_setter(row, place), holds)


def _year(design: Design) -> float:
    return releases.tool_year(design.tool_version)


def _setter(holder: Any, name: str) -> Callable[[Value], None]:
    return lambda value: setattr(holder, name, value)


def _row_setter(row: int, place: int) -> Callable[[Value], None]:
    def put(value: Value) -> None:
        table = list(releases.RELEASES)
        changes = list(table[row].changes)
        changes[place] = replace(changes[place], value=value)  # type: ignore[arg-type]
        table[row] = replace(table[row], changes=tuple(changes))
        releases.RELEASES = tuple(table)
        releases.behaviour_of.cache_clear()
        make_target.cache_clear()  # targets know how their release behaves

    return put


def _label(name: str) -> str:
    """What a constant is judged by: its name says what it counts; registers and what is held are flip-flops."""
    words = name.split("_")
    if "lut" in words:
        return "lut"
    if "bram" in words:
        return "bram_18k"
    if {"cycles", "delay", "uncertainty"} & set(words):
        return "latency_cycles"
    return "ff"


# -- the designs ---------------------------------------------------------------------------------------------------


def choose(designs: Sequence[Design], number: int) -> list[Design]:
    """`number` of the designs, the groups in turn, so that large groups do not crowd out small ones."""
    groups: dict[str, list[Design]] = defaultdict(list)
    for design in sorted(designs, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest()):
        groups[design.group].append(design)
    rounds = max(map(len, groups.values()), default=0)
    turns = [group[turn] for turn in range(rounds) for group in groups.values() if turn < len(group)]
    return turns[:number]


def read_cases(designs: Sequence[Design]) -> list[Case]:
    """Designs that can be read and estimated."""
    cases = []
    for design in designs:
        try:
            text, others = design.parts()
            program = read_program(text, path=design.id, files=others)
            case = Case(design, program, choose_top(program, design.top or None))
            shared = case.estimate().unshared.shared
        except HwmlError:
            continue  # `qor features` lists what cannot be read
        cases.append(replace(case, used=frozenset((kind.partition("@")[0], type_.kind) for kind, type_ in shared)))
    return cases


# -- the fit -------------------------------------------------------------------------------------------------------


class Fitter:
    """Holds the designs, and what the closed form says of them with the constants in use."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.base = _counts(cases)
        known = [[math.nan if v is None else v for v in case.design.labels] for case in cases]
        self.labels: Floats = np.array(known, dtype=np.float64).reshape(-1, len(LABELS))
        self.groups = np.unique([case.design.group for case in cases], return_inverse=True)[1]

    def fit(self, constant: Constant) -> Fit:
        """The value with the least error; the one in use where no design depends on it."""
        columns = [LABELS.index(label) for label in constant.labels]
        rows = [i for i, case in enumerate(self.cases) if constant.holds(case)]
        timing = "latency_cycles" in constant.labels
        tried = {value: self.under(constant, value, rows) for value in _candidates(constant.value, timing)}
        moved = np.zeros(len(rows), dtype=bool)
        for counts in tried.values():
            moved |= _moved(self.base[rows][:, columns], counts[:, columns])
        moved &= np.isfinite(self.labels[rows][:, columns]).any(axis=1)
        chosen = np.array(rows, dtype=np.int64)[moved]
        if not len(chosen):
            return Fit(constant.name, constant.value, constant.value, math.nan, math.nan, 0, 0, constant.source)
        in_use = self.error(self.base[chosen], chosen, columns)
        if timing:
            best = min(tried, key=lambda value: self.error(tried[value][moved], chosen, columns))
        else:
            (probe, counts), *_ = tried.items()
            best = self.on_line(constant.value, probe, self.base[chosen], counts[moved], chosen, columns)  # type: ignore[arg-type]
        found = self.error(self.under(constant, best, chosen.tolist()), chosen, columns)
        if found >= in_use:
            best, found = constant.value, in_use
        groups = len(np.unique(self.groups[chosen]))
        return Fit(constant.name, constant.value, best, in_use, found, len(chosen), groups, constant.source)

    def under(self, constant: Constant, value: Value, rows: Sequence[int]) -> Floats:
        """[len(rows), len(LABELS)] counts with another value of a constant."""
        with constant.trying(value):
            return _counts([self.cases[row] for row in rows])

    def on_line(
        self, value: float, probe: float, base: Floats, counts: Floats, rows: NDArray[np.int64], columns: list[int]
    ) -> float:
        """The best value where counts are linear in it: from its neighbours on a coarse grid to a fine one."""
        slope = (counts - base) / (probe - value)

        def error(other: float) -> float:
            return self.error(np.maximum(base + slope * (other - value), 0.0), rows, columns)

        scale = value or probe
        best = min((0.0, *(float(scale * factor) for factor in _AREA_FACTORS)), key=error)
        near = np.linspace(best / 1.04, best * 1.04, 41) if best else np.linspace(0.0, scale / 16, 41)
        return float(min((best, *map(float, near)), key=error))

    def error(self, counts: Floats, rows: NDArray[np.int64], columns: list[int]) -> float:
        """Mean over groups of the mean error of their designs."""
        with np.errstate(invalid="ignore"):
            logs = np.abs(np.log1p(counts[:, columns]) - np.log1p(self.labels[rows][:, columns]))
        cut = np.minimum(logs, CUT)
        known = np.isfinite(cut).any(axis=1)
        each = np.nanmean(cut[known], axis=1)
        groups = self.groups[rows][known]
        means = [each[groups == group].mean() for group in np.unique(groups)]
        return float(np.mean(means)) if means else math.nan


def _counts(cases: Sequence[Case]) -> Floats:
    return np.array([case.counts() for case in cases], dtype=np.float64).reshape(-1, len(LABELS))


def _moved(base: Floats, counts: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray((np.abs(counts - base) > 1e-6 * (1 + np.abs(base))).any(axis=1))


def _candidates(value: Value, timing: bool) -> list[Value]:
    """Values to estimate: one is enough for an area, of which the rest follows."""
    if isinstance(value, tuple):
        return [tuple(max(cycles + shift, 1) for cycles in value) for shift in _TIME_SHIFTS]
    if not timing:
        return [value * 2 or 1.0]
    if isinstance(value, int):
        return [value + shift for shift in _TIME_SHIFTS if value + shift >= 0]
    return [value * factor for factor in _TIME_FACTORS]


# -- the command ---------------------------------------------------------------------------------------------------


def main(argv: Sequence[str]) -> int:
    """`qor constants`: print the table; 0 when done. Raises DataError for data that cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train qor constants",
        description="Refit the constants of area and timing on labelled designs, one at a time. Changes nothing.",
        epilog="Change a value where it stands, then rebuild table and model (docs/qor-model.md).",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder or CSV of labelled designs")
    parser.add_argument("--designs", type=int, default=DESIGNS, help=f"at most so many, groups in turn ({DESIGNS})")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="constants whose name matches: 'costs.*'")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(argv)
    chosen = [item for item in all_constants() if fnmatch(item.name, options.only)]
    if not chosen:
        raise HwmlError(f"no constant matches {options.only!r}; without --only all are listed")
    cases = read_cases(choose(read_designs(options.data), options.designs))
    if not cases:
        raise DataError("holds no design that can be estimated", path=options.data)
    fits = list(_fits(Fitter(cases), chosen))
    if options.json:
        rows = [_row(fit) for fit in fits]
        print(json.dumps({"schema_version": SCHEMA_VERSION, "designs": len(cases), "constants": rows}, indent=1))
    else:
        _print(fits, len(cases))
    return 0


def _fits(fitter: Fitter, constants: Sequence[Constant]) -> Iterator[Fit]:
    for number, constant in enumerate(constants, start=1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(constants)} {constant.name:<40}", end="", file=sys.stderr, flush=True)
        yield fitter.fit(constant)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _row(fit: Fit) -> dict[str, Any]:
    return {
        "name": fit.name,
        "value": fit.value,
        "fitted": fit.fitted,
        "error": None if math.isnan(fit.error) else round(fit.error, 5),
        "fitted_error": None if math.isnan(fit.fitted_error) else round(fit.fitted_error, 5),
        "designs": fit.designs,
        "groups": fit.groups,
        "source": fit.source,
    }


def _print(fits: Sequence[Fit], designs: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"constants on {designs} designs; errors are mean log errors over groups")
    for name in ("constant", "in use", "fits best", "error", "then", "designs", "groups", "source"):
        table.add_column(name, justify="left" if name in ("constant", "source") else "right")
    for fit in fits:
        errors = ("", "") if math.isnan(fit.error) else (f"{fit.error:.4f}", f"{fit.fitted_error:.4f}")
        fitted = _text(fit.fitted) if fit.designs else "no design"
        cells = (fit.name, _text(fit.value), fitted, *errors, str(fit.designs), str(fit.groups), fit.source)
        table.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else 180).print(table)


def _text(value: Value) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else f"{value:.4g}"
