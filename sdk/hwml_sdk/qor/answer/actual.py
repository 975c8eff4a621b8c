"""What the tool reported of a design, beside what was predicted of it: plain data, as JSON, and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...amounts import figure
from ..tool.labels import SHOWN, TITLES, json_key


@dataclass(frozen=True, slots=True)
class Pair:
    """One amount as predicted and as reported; None: not known."""

    predicted: float | None
    actual: float | None

    @property
    def error(self) -> float | None:
        """Relative error, (predicted - actual) / actual; None where one is unknown or the actual is 0 alone."""
        if self.predicted is None or self.actual is None:
            return None
        if self.actual == 0:
            return 0.0 if round(self.predicted) == 0 else None
        return (self.predicted - self.actual) / self.actual


@dataclass(frozen=True, slots=True)
class ActualFunction:
    """A function below the top that the tool built as a module of its own. figures: by the names of LABELS."""

    name: str
    figures: Mapping[str, Pair]


@dataclass(frozen=True, slots=True)
class ActualLoop:
    """A loop of the report and the one of the source it was built from. name: the report's.

    loop, line: the source's loop and its line from 0 (that of the outermost of a flattened nest); None and -1 where
    the source has no loop that it could be. depth: cycles of one iteration; cycles: of one entry.
    """

    function: str
    name: str
    loop: str | None
    path: str
    line: int
    trip_count: Pair
    ii: Pair
    depth: Pair
    cycles: Pair


@dataclass(frozen=True, slots=True)
class Actual:
    """A report of the same top. Predictions in it are for the report's part, clock and release.

    stale: the source has changed since. assumed: what the report was made for and the prediction beside it was not.
    """

    report: str
    stale: bool
    part: str
    clock_period_ns: float | None
    tool_version: str
    figures: Mapping[str, Pair]
    functions: tuple[ActualFunction, ...] = ()
    loops: tuple[ActualLoop, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)

    def loops_at(self, path: str, line: int, name: str) -> list[ActualLoop]:
        """What the report says of the source's loop of that name at a line from 0."""
        return [item for item in self.loops if (item.path, item.line, item.loop) == (path, line, name)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "report": self.report,
            "stale": self.stale,
            "part": self.part,
            "clock_period_ns": self.clock_period_ns,
            "tool_version": self.tool_version,
            "assumed": dict(self.assumed),
            "figures": _figures_json(self.figures),
            "functions": [{"name": f.name, "figures": _figures_json(f.figures)} for f in self.functions],
            "loops": [
                {
                    "function": item.function,
                    "name": item.name,
                    "loop": item.loop,
                    "path": item.path,
                    "line": item.line if item.line >= 0 else None,
                    **{name: pair_json(getattr(item, name)) for name in ("trip_count", "ii", "depth", "cycles")},
                }
                for item in self.loops
            ],
        }


def _figures_json(figures: Mapping[str, Pair]) -> dict[str, Any]:
    return {json_key(name): pair_json(pair) for name, pair in figures.items()}


def pair_json(pair: Pair) -> dict[str, Any]:
    """Both amounts as whole numbers, and the relative error to four places."""
    error = pair.error
    return {
        "predicted": None if pair.predicted is None else round(pair.predicted),
        "actual": None if pair.actual is None else round(pair.actual),
        "error": None if error is None else round(error, 4),
    }


def off(pair: Pair) -> str:
    """`+12 %`: how far the prediction is from the report; "?" where one is unknown, "-" beside an actual 0."""
    if pair.error is not None:
        return f"{pair.error * 100:+.0f} %" if round(pair.error * 100) else "0 %"
    return "?" if pair.predicted is None or pair.actual is None else "-"


FIGURE_COLUMNS = ("", "predicted", "actual", "off by")
ACTUAL_LOOP_COLUMNS = ("loop", "rounds", "actual", "II", "actual", "iteration", "actual", "cycles", "actual", "off by")


def figure_rows(actual: Actual) -> list[tuple[str, str, str, str]]:
    """The cells of FIGURE_COLUMNS: the design, then LUT and cycles of each function below its top."""
    rows = [_figure_row(_title(name), actual.figures[name]) for name in SHOWN if name in actual.figures]
    for function in actual.functions:
        for name in ("lut", "dsp", "ff", "latency_cycles"):
            pair = function.figures.get(name)
            if pair is not None and pair.actual is not None:
                rows.append(_figure_row(f"{function.name}: {_title(name)}", pair))
    return rows


def _figure_row(title: str, pair: Pair) -> tuple[str, str, str, str]:
    return title, figure(pair.predicted), figure(pair.actual), off(pair)


def _title(name: str) -> str:
    return "cycles" if name == "latency_cycles" else TITLES[name]


def loop_rows(actual: Actual, top: str) -> list[tuple[str, ...]]:
    """The cells of ACTUAL_LOOP_COLUMNS."""
    rows = []
    for item in actual.loops:
        owner = "" if item.function == top else f"{item.function}: "
        cells = [
            figure(v) for p in (item.trip_count, item.ii, item.depth, item.cycles) for v in (p.predicted, p.actual)
        ]
        rows.append((f"{owner}{item.name}", *cells, off(item.cycles)))
    return rows


def heading(actual: Actual) -> str:
    """`csynth 2022.1 for xc7z020, 10 ns (solution1/...)`, and whether the source has changed since."""
    clock = f", {actual.clock_period_ns:g} ns" if actual.clock_period_ns else ""
    made = f"csynth {actual.tool_version}".strip()
    stale = " - STALE: the source has changed since" if actual.stale else ""
    return f"{made} for {actual.part or 'an unnamed part'}{clock}: {actual.report}{stale}"


def mismatch(actual: Actual) -> str:
    """What differs between the report's settings and those that were assumed; "" when nothing does."""
    if not actual.assumed:
        return ""
    said = ", ".join(f"{name} {value}" for name, value in actual.assumed.items())
    return f"figures beside the report are predicted for its own settings; above it was assumed: {said}"


def detail(actual: Actual) -> Sequence[str]:
    """Lines of Markdown for a tooltip."""
    lines = [f"Reported ({heading(actual)}):", "", "```text"]
    lines += [
        f"{title:<10}{said:>9}{real:>9}{how:>8}" for title, said, real, how in (FIGURE_COLUMNS, *figure_rows(actual))
    ]
    return [*lines, "```", ""]


def loop_detail(item: ActualLoop) -> Sequence[str]:
    """Lines of Markdown for the tooltip of a loop."""
    lines = ["", f"Reported as {item.name}:", "", "```text", f"{'':<12}{'predicted':>10}{'actual':>10}{'off by':>8}"]
    for title, pair in (
        ("rounds", item.trip_count),
        ("II", item.ii),
        ("iteration", item.depth),
        ("cycles", item.cycles),
    ):
        if pair.predicted is not None or pair.actual is not None:
            lines.append(f"{title:<12}{figure(pair.predicted):>10}{figure(pair.actual):>10}{off(pair):>8}")
    return [*lines, "```"]
