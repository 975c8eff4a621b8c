"""How sure an answer is: 80 % intervals from reasons that stand in the closed form, never from accidents of spelling.

Each end of an interval lies exp(bias + sum of weight x reason) away from log(1 + value); of cycles the sum itself does.
Weights are >= 0, so that one more reason never makes an answer surer. The ends are then scaled by class (Mondrian: of
Merlin, after place and route, where something is guessed, where everything is counted) to the coverage that was
measured on groups and on whole sources that the fit never saw; settings that training never had have a factor of their
own, measured likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tool.labels import LABELS

Floats = NDArray[np.float64]
Column = Callable[[str], Floats]

# What a prediction may be; each is as unsure as `counted`, or more.
CLASSES = ("merlin", "impl", "guessed", "counted")
MIN_END = 0.02  # of log(1 + value): figures are whole numbers
MAX_END = 4.0  # a factor of 55: beyond, nothing is said any more
# Of these reasons add up; of the others they multiply. `python -m sdk.train qor penalty` shows both.
ADDED = frozenset({"latency_cycles"})
# How far a schedule may be off by itself: four of five kernels of one loop in data/qor are within 2 states, of designs
# of less than a hundred cycles seven of ten within 3.
STATES = 3.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer may be off. words: as people read it; "": of the figure's size, nothing to read.

    strength: 0 to 1 for each row, from the columns of the features and the name of the target.
    by_target: it is another one for each target.
    """

    name: str
    words: str
    strength: Callable[[Column, str], Floats]
    by_target: bool = False


def _any(*names: str) -> Callable[[Column, str], Floats]:
    return lambda column, target: np.asarray(sum(column(name) for name in names) > 0, dtype=np.float64)


def _share(name: str) -> Callable[[Column, str], Floats]:
    return lambda column, target: np.sqrt(np.clip(column(name), 0.0, 1.0))


def _log_share(name: str, most_log2: float) -> Callable[[Column, str], Floats]:
    """Of a column of log2(1 + count): 1 from 2 ** most_log2 on."""
    return lambda column, target: np.clip(column(name) / most_log2, 0.0, 1.0)


def _count(column: Column, target: str) -> Floats:
    return np.asarray(2.0 ** np.minimum(column(f"cf_{target}"), 60.0) - 1.0)


# Below so many a figure is a matter of single registers or states; above, of how the tool shares and places.
_FEW = {"lut": 300.0, "dsp": 4.0, "ff": 300.0, "latency_cycles": 8.0, "bram_18k": 4.0}
_MANY_LOG2 = {"lut": 12.0, "dsp": 5.0, "ff": 12.0, "latency_cycles": 14.0, "bram_18k": 5.0}


def _small(column: Column, target: str) -> Floats:
    return np.minimum(1.0, _FEW[target] / (_count(column, target) + 1.0))


def _large(column: Column, target: str) -> Floats:
    return np.clip((column(f"cf_{target}") - _MANY_LOG2[target]) / 8.0, 0.0, 1.0)


def _some(column: Column, target: str) -> Floats:
    return np.asarray(column(f"cf_{target}") > 0, dtype=np.float64)


def _nothing_pipelined(column: Column, target: str) -> Floats:
    return np.asarray((column("loops_pipelined") <= 0) & (column("loops") > 0), dtype=np.float64)


# Of code without loops: what takes longer is a library's function, whose cycles are known as those of loops are.
_FEW_LOG2 = 8.0


def _no_loop(column: Column, target: str) -> Floats:
    few = column("cf_latency_cycles") <= _FEW_LOG2
    return np.asarray((column("loops") <= 0) & few, dtype=np.float64)


def _routed(column: Column, target: str) -> Floats:
    """Cycles are those of the csynth report."""
    return np.zeros_like(column("impl")) if target == "latency_cycles" else np.asarray(column("impl") > 0, np.float64)


REASONS = (
    Reason("merlin", "Merlin rewrites the code", _any("merlin")),
    Reason("impl", "place and route change it", _routed, by_target=True),
    Reason("told", "rounds of a loop are told, not counted", _any("trips_told", "loops_unknown")),
    Reason("vary", "rounds of a loop differ from entry to entry", _any("trips_vary")),
    Reason("guess", "the II of a loop is a guess", _any("guess_share", "loops_guessed")),
    Reason("dataflow", "processes wait for each other (dataflow)", _any("dataflow")),
    Reason("unread", "code that is not read", _any("unread")),
    Reason("library", "functions of a library", _any("shared_fother", "shared_dother", "shared_hany")),
    Reason("recurrence", "a recurrence sets the II", _share("bound_recurrence_share")),
    Reason("ports", "memory ports set the II", _share("bound_ports_share")),
    Reason("plain", "a loop is not pipelined", _share("plain_share")),
    Reason("no_pipeline", "no loop is pipelined", _nothing_pipelined),
    Reason("no_loop", "code without loops", _no_loop),
    Reason("plain_loops", "several loops are not pipelined", _log_share("loops_plain", 3.0)),
    Reason("operators", "many operators", _log_share("static_ops", 8.0)),
    Reason("unrolled", "unrolled loops share or copy operators", _any("unroll_log_sum", "loops_unrolled")),
    Reason("branches", "conditional code", _any("branches")),
    Reason("calls", "functions that are called", _any("calls")),
    Reason("division", "divisions", _any("shared_fdiv", "shared_ddiv", "shared_idiv")),
    Reason("bound", "operators are bound to other cores", _any("pragma_bind_op", "bind_fabric")),
    Reason("m_axi", "memory over AXI", _any("m_axi_ports")),
    Reason("old", "a release before Vitis HLS", _any("vivado_old")),
    Reason("partition", "arrays in parts", _any("pragma_partition", "pragma_reshape")),
    Reason("memories", "local memories", _any("local_arrays")),
    Reason("registers", "arrays in registers", _any("register_arrays")),
    Reason("some", "", _some, by_target=True),
    Reason("small", "", _small, by_target=True),
    Reason("large", "a large figure", _large, by_target=True),
)
_PLACES = {reason.name: index for index, reason in enumerate(REASONS)}
# What makes an answer `guessed` rather than `counted`.
_GUESSED = frozenset({"told", "vary", "guess", "dataflow", "unread"})
SPOKEN = 0.1  # of log width: a reason that widens by less is not told


class Rows:
    """Rows of features [n, f]; what is asked of them for one target after the other is worked out once."""

    def __init__(self, values: NDArray[np.float32], names: Sequence[str]) -> None:
        self._values = values
        self._place = {name: index for index, name in enumerate(names)}
        self._strengths: dict[str, Floats] = {}

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self._values)

    @cached_property
    def _counted(self) -> Floats:
        """The values [f, n], 0 where there is none."""
        return np.ascontiguousarray(np.nan_to_num(self._values.astype(np.float64)).T)

    @cached_property
    def _alike(self) -> Floats:
        """Strengths [n, len(REASONS)], those of reasons that are the same for every target; 0 for the others."""
        found = np.zeros((len(self._values), len(REASONS)))
        for index, reason in enumerate(REASONS):
            if not reason.by_target:
                found[:, index] = reason.strength(self.column, "")
        return found

    def column(self, name: str) -> Floats:
        """One feature [n]; one that is not there counts as 0."""
        at = self._place.get(name)
        return np.zeros(len(self._values)) if at is None else self._counted[at]

    def strengths(self, target: str) -> Floats:
        """How far each of REASONS holds, [n, len(REASONS)]."""
        found = self._strengths.get(target)
        if found is None:
            found = self._strengths[target] = self._alike.copy()
            for index, reason in enumerate(REASONS):
                if reason.by_target:
                    found[:, index] = reason.strength(self.column, target)
        return found


def strengths(values: NDArray[np.float32], names: Sequence[str], target: str) -> Floats:
    """How far each of REASONS holds, [n, len(REASONS)], for rows [n, f]; columns that are not there count as 0."""
    return Rows(values, names).strengths(target)


def _classes(rows: Rows) -> NDArray[np.int64]:
    """Index into CLASSES of rows [n, f]."""
    holds = rows.strengths("lut") > 0
    unsure = holds[:, [_PLACES[name] for name in sorted(_GUESSED)]].any(axis=1)
    classes = np.where(unsure, CLASSES.index("guessed"), CLASSES.index("counted"))
    classes = np.where(holds[:, _PLACES["impl"]], CLASSES.index("impl"), classes)
    return np.where(holds[:, _PLACES["merlin"]], CLASSES.index("merlin"), classes)


def classes_of(values: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.int64]:
    """Index into CLASSES of rows [n, f]."""
    return _classes(Rows(values, names))


def told(values: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.bool_]:
    """Whether an answer gives a figure, [n, targets], for rows [n, f]: not where code is not read, and no cycles where
    nobody knows how often a loop runs."""
    rows = Rows(values, names)
    read, counted = rows.column("unread") <= 0, rows.column("loops_unknown") <= 0
    return np.stack([read & counted if name == "latency_cycles" else read for name in LABELS], axis=1)


@dataclass(frozen=True)
class Certainty:
    """Fitted numbers, by target in the order of LABELS.

    below, above: bias, then the weight of each of REASONS [targets, 1 + len(REASONS)]. scale: of the lower and the
    upper end [targets, CLASSES, 2].
    foreign: factor for settings that training never had [targets]. changes: of the interval of a change between two
    designs of one kernel (`amounts.change_of`) [targets, CLASSES].
    """

    below: tuple[tuple[float, ...], ...]
    above: tuple[tuple[float, ...], ...]
    scale: tuple[tuple[tuple[float, float], ...], ...]
    foreign: tuple[float, ...]
    changes: tuple[tuple[float, ...], ...]

    @classmethod
    def from_config(cls, stored: Mapping[str, Any]) -> Certainty:
        """Raises KeyError, TypeError or ValueError for what is none."""
        tables = {name: tuple(tuple(float(v) for v in row) for row in stored[name]) for name in _TABLES}
        scale = tuple(tuple((float(low), float(high)) for low, high in row) for row in stored["scale"])
        found = cls(scale=scale, foreign=tuple(float(v) for v in stored["foreign"]), **tables)
        width = 1 + len(REASONS)
        if list(stored["reasons"]) != [reason.name for reason in REASONS] or len(found.foreign) != len(LABELS):
            raise ValueError("reasons of another hwml")
        shapes = {np.shape(found.below), np.shape(found.above)}
        if np.shape(found.changes) != (len(LABELS), len(CLASSES)):
            raise ValueError("changes of another shape")
        if shapes != {(len(LABELS), width)} or np.shape(scale) != (len(LABELS), len(CLASSES), 2):
            raise ValueError("certainty of another shape")
        return found

    def to_config(self) -> dict[str, Any]:
        """JSON-ready; what `from_config` reads."""
        tables = {name: [list(row) for row in getattr(self, name)] for name in _TABLES}
        scale = [[list(pair) for pair in row] for row in self.scale]
        return {"reasons": [reason.name for reason in REASONS], **tables, "scale": scale, "foreign": list(self.foreign)}

    def of(
        self, values: NDArray[np.float32], names: Sequence[str], unseen: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, NDArray[np.int64], list[dict[str, tuple[str, ...]]]]:
        """What `ends` says of rows [n, f], their classes [n], and for each row by target the words of its reasons."""
        rows = Rows(values, names)
        kind = _classes(rows)
        return *self._ends(rows, kind, unseen), kind, self._spoken(rows)

    def ends(
        self, values: NDArray[np.float32], names: Sequence[str], unseen: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """(below, above): how far the ends lie from log(1 + value), both > 0, [n, targets], for rows [n, f]."""
        rows = Rows(values, names)
        return self._ends(rows, _classes(rows), unseen)

    @cached_property
    def _sides(self) -> tuple[Floats, Floats]:
        """`below` and `above` as arrays [targets, 1 + len(REASONS)]."""
        return np.array(self.below), np.array(self.above)

    @cached_property
    def _widening(self) -> Floats:
        """The larger weight of each reason [targets, len(REASONS)]."""
        return np.maximum(self._sides[0][:, 1:], self._sides[1][:, 1:])

    @cached_property
    def _scales(self) -> Floats:
        """`scale` as an array."""
        return np.array(self.scale)

    def _ends(self, rows: Rows, kind: NDArray[np.int64], unseen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        sides: list[list[Floats]] = [[], []]
        for index, target in enumerate(LABELS):
            found = rows.strengths(target)
            factors = self._scales[index][kind] * np.where(unseen, self.foreign[index], 1.0)[:, None]
            for number, table in enumerate(self._sides):
                end = raw_end(table[index], found, target) * factors[:, number]
                sides[number].append(np.clip(np.maximum(end, _states(rows, target)), MIN_END, MAX_END))
        return np.stack(sides[0], axis=1), np.stack(sides[1], axis=1)

    def _spoken(self, features: Rows) -> list[dict[str, tuple[str, ...]]]:
        """For each row, by target: words of the reasons that widen its interval, those that widen most first."""
        rows: list[dict[str, tuple[str, ...]]] = [{} for _ in range(features.count)]
        for index, target in enumerate(LABELS):
            found = features.strengths(target)
            for row, amounts in zip(rows, (found * self._widening[index]).tolist(), strict=True):
                told = [(-amount, n) for n, amount in enumerate(amounts) if amount >= SPOKEN and REASONS[n].words]
                row[target] = tuple(REASONS[n].words for _, n in sorted(told))
        return rows


_TABLES = ("below", "above", "changes")


def raw_end(weights: Floats, found: Floats, target: str) -> Floats:
    """Distance of an end before it is scaled [n]: bias and weights [1 + k], strengths [n, k]."""
    added = weights[0] + found @ weights[1:]
    if target in ADDED:
        return np.asarray(np.clip(added, MIN_END, MAX_END))
    return np.asarray(np.exp(np.clip(added, -MAX_END, 2.0)))


def _states(rows: Rows, target: str) -> Floats:
    """What a few states are of a figure [n], in log; nothing of other targets, and of what takes no cycle."""
    if target != "latency_cycles":
        return np.zeros(rows.count)
    cycles = _count(rows.column, target)
    return np.asarray(np.log1p(np.minimum(STATES, cycles) / (cycles + 1.0)))
