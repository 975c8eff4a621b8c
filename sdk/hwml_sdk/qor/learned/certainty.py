"""How sure an answer is: 80 % intervals from reasons that stand in the closed form, never from accidents of spelling.

exp(bias + sum of weight x reason) is how far log(1 + value) is off, typically. Weights are >= 0, so that one more
reason never makes an answer surer. Each end of an interval is that far away, scaled by class (Mondrian: of Merlin,
after place and route, where something is guessed, where everything is counted) to the coverage that was measured on
groups that the fit never saw; settings that training never had have a factor of their own, measured on whole sources.
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
MIN_END = 0.01  # of log(1 + value): nothing is known better
MAX_END = 4.0  # a factor of 55: beyond, nothing is said any more


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


def _of_cycles(strength: Callable[[Column], Floats]) -> Callable[[Column, str], Floats]:
    """A reason of the cycles alone."""

    def found(column: Column, target: str) -> Floats:
        return strength(column) if target == "latency_cycles" else np.zeros_like(column("cf_latency_cycles"))

    return found


# A state more or less is the more of a latency, the fewer cycles and rounds it has: none of 2 ** 16 or 2 ** 12.
_LONG_LOG2, _ROUNDS_LOG2 = 16.0, 12.0
# LUTs: below, a design is little more than its ports; above, errors of its parts make up for one another.
_SOME_LOG2, _MUCH_LOG2 = 5.0, 11.0


def _short(column: Column) -> Floats:
    return np.clip(1.0 - column("cf_latency_cycles") / _LONG_LOG2, 0.0, 1.0)


def _few_rounds(column: Column) -> Floats:
    return np.clip(1.0 - column("main_trips") / _ROUNDS_LOG2, 0.0, 1.0) * (column("loops") > 0)


def _logic(column: Column, target: str) -> Floats:
    return np.clip((column("cf_lut") - _SOME_LOG2) / (_MUCH_LOG2 - _SOME_LOG2), 0.0, 1.0)


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
    Reason("operators", "many operators", _log_share("static_ops", 5.0)),
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
    Reason("logic", "", _logic),
    Reason("short", "", _of_cycles(_short), by_target=True),
    Reason("few_rounds", "", _of_cycles(_few_rounds), by_target=True),
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

    weights: bias, then the weight of each of REASONS [targets, 1 + len(REASONS)]. scale: of both ends
    [targets, CLASSES]. foreign: factor for settings that training never had [targets, CLASSES]. changes: of the
    interval of a change between two designs of one kernel (`amounts.change_of`) [targets, CLASSES].
    """

    weights: tuple[tuple[float, ...], ...]
    scale: tuple[tuple[float, ...], ...]
    foreign: tuple[tuple[float, ...], ...]
    changes: tuple[tuple[float, ...], ...]

    @classmethod
    def from_config(cls, stored: Mapping[str, Any]) -> Certainty:
        """Raises KeyError, TypeError or ValueError for what is none."""
        tables = {name: tuple(tuple(float(v) for v in row) for row in stored[name]) for name in _TABLES}
        found = cls(**tables)
        if list(stored["reasons"]) != [reason.name for reason in REASONS]:
            raise ValueError("reasons of another hwml")
        by_class = (len(LABELS), len(CLASSES))
        shapes = [np.shape(part) for part in tables.values()]
        if shapes != [(len(LABELS), 1 + len(REASONS)), by_class, by_class, by_class]:
            raise ValueError("certainty of another shape")
        return found

    def to_config(self) -> dict[str, Any]:
        """JSON-ready; what `from_config` reads."""
        tables = {name: [list(row) for row in getattr(self, name)] for name in _TABLES}
        return {"reasons": [reason.name for reason in REASONS], **tables}

    def of(
        self, values: NDArray[np.float32], names: Sequence[str], unseen: NDArray[np.bool_]
    ) -> tuple[Floats, NDArray[np.int64], list[dict[str, tuple[str, ...]]]]:
        """What `ends` says of rows [n, f], their classes [n], and for each row by target the words of its reasons."""
        rows = Rows(values, names)
        kind = _classes(rows)
        return self._ends(rows, kind, unseen), kind, self._spoken(rows)

    def ends(self, values: NDArray[np.float32], names: Sequence[str], unseen: NDArray[np.bool_]) -> Floats:
        """How far both ends lie from log(1 + value), > 0, [n, targets], for rows [n, f]."""
        rows = Rows(values, names)
        return self._ends(rows, _classes(rows), unseen)

    @cached_property
    def _weights(self) -> Floats:
        """`weights` as an array."""
        return np.array(self.weights)

    @cached_property
    def _factors(self) -> Floats:
        """Factors on both ends [seen or not, targets, CLASSES]."""
        scale = np.array(self.scale)
        return np.stack([scale, scale * np.array(self.foreign)])

    def _ends(self, rows: Rows, kind: NDArray[np.int64], unseen: NDArray[np.bool_]) -> Floats:
        ends, new = [], unseen.astype(np.int64)
        for index, target in enumerate(LABELS):
            typical = typical_error(self._weights[index], rows.strengths(target))
            ends.append(np.clip(typical * self._factors[new, index, kind], MIN_END, MAX_END))
        return np.stack(ends, axis=1)

    def _spoken(self, features: Rows) -> list[dict[str, tuple[str, ...]]]:
        """For each row, by target: words of the reasons that widen its interval, those that widen most first."""
        rows: list[dict[str, tuple[str, ...]]] = [{} for _ in range(features.count)]
        for index, target in enumerate(LABELS):
            found = features.strengths(target)
            widening = found * self._weights[index, 1:]
            for row, amounts in zip(rows, widening.tolist(), strict=True):
                told = [(-amount, n) for n, amount in enumerate(amounts) if amount >= SPOKEN and REASONS[n].words]
                row[target] = tuple(REASONS[n].words for _, n in sorted(told))
        return rows


_TABLES = ("weights", "scale", "foreign", "changes")


def typical_error(weights: Floats, found: Floats) -> Floats:
    """How far log(1 + value) is off, before it is scaled [n]: bias and weights [1 + k], strengths [n, k]."""
    return np.asarray(np.exp(np.clip(weights[0] + found @ weights[1:], -_MOST, _MOST)))


_MOST = 6.0
