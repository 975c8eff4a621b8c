"""Predictions as short labels beside code, as Markdown for tooltips, and as text for terminals.

Numbers for people are those of `hwml_sdk.amounts`. All of it is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...amounts import figure, percent, range_of, short_number, sureness, whole
from ..tool.labels import SHOWN, TITLES
from . import actual
from .types import FunctionQor, Interval, LoopQor, QorPrediction, plain_number

MAX_LABEL = 25
_LABELLED = ("lut", "dsp", "latency_cycles")
_SHORT = {"lut": "LUT", "dsp": "DSP", "ff": "FF", "bram_18k": "BRAM", "latency_cycles": "cyc"}


# -- labels beside code --------------------------------------------------------------------------------------


def prediction_label(prediction: QorPrediction) -> str:
    """`1.2k LUT · 5 DSP · 67 cyc`, at most 25 characters; what does not fit is in the tooltip.

    `? (Sobel is not read)` where none of these is known.
    """
    if all(name in prediction.reasons for name in _LABELLED):
        return _fitting_cause(prediction.reasons["lut"])
    parts = {
        name: f"{figure(getattr(prediction, name), prediction.intervals.get(name))} {_SHORT[name]}"
        for name in _LABELLED
    }
    return _fitting([parts["lut"], parts["dsp"], parts["latency_cycles"]], [parts["lut"], parts["latency_cycles"]])


def function_label(function: FunctionQor) -> str:
    """The same for a function below the top: its closed form. An inlined one has no figures of its own."""
    if function.inlined:
        return "inlined"
    if all(name in function.reasons for name in _LABELLED):
        return _fitting_cause(function.reasons["lut"])
    lut, dsp, cycles = (
        f"{figure(value, function.intervals.get(name))} {_SHORT[name]}"
        for name, value in (("lut", function.lut), ("dsp", function.dsp), ("latency_cycles", function.cycles))
    )
    return _fitting([lut, dsp, cycles], [lut, cycles])


def prediction_summary(prediction: QorPrediction) -> str:
    """`1.2k LUT · 5 DSP · 3.4k FF · 67 cyc`, for lines with room; why figures are not known behind them."""
    names = ("lut", "dsp", "ff", "latency_cycles")
    shown = [f"{figure(getattr(prediction, n), prediction.intervals.get(n))} {_SHORT[n]}" for n in names]
    return " · ".join(shown) + _behind(prediction.reasons)


def function_summary(function: FunctionQor) -> str:
    """The same for a function below the top: its closed form."""
    if function.inlined:
        return "inlined into its callers"
    known = (("lut", function.lut), ("dsp", function.dsp), ("ff", function.ff), ("latency_cycles", function.cycles))
    shown = [f"{figure(value, function.intervals.get(name))} {_SHORT[name]}" for name, value in known]
    return " · ".join(shown) + _behind(function.reasons)


def unknown(causes: Sequence[str]) -> str:
    """`? (xf::cv::Sobel is not read)`: an unknown figure with its first cause, and how many more there are."""
    more = f", and {len(causes) - 1} more" if len(causes) > 1 else ""
    return f"? ({causes[0]}{more})" if causes else "?"


def _behind(reasons: Mapping[str, tuple[str, ...]]) -> str:
    causes = tuple(dict.fromkeys(cause for found in reasons.values() for cause in found))
    return unknown(causes).removeprefix("?") if causes else ""


def _fitting_cause(causes: Sequence[str]) -> str:
    """`? (Sobel is not read)`: the first cause in the room of a label, names without their namespaces."""
    cause = " ".join(word.rpartition("::")[2] for word in causes[0].split(" "))
    text = f"? ({cause})"
    return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 2]}…)"


def loop_label(loop: LoopQor) -> str:
    """`II 1 · 1.0k cyc · 61 %`; `II ~2?` where it is a guess; `64 rounds · 320 cyc` where nothing is pipelined."""
    if is_unrolled(loop):
        return f"unrolled x{loop.unroll_factor}"
    first = f"II {initiation(loop)}" if loop.pipelined else f"{rounds(loop)} rounds"
    cycles = f"{figure(loop.total_cycles, loop.interval)} cyc"
    share = [percent(loop.share)] if loop.share is not None else []
    return _fitting([first, cycles, *share], [first, cycles])


def initiation(loop: LoopQor) -> str:
    """The initiation interval; `~2?` where accesses cannot be told apart and it is a guess."""
    if loop.ii is not None and not loop.ii_is_guess:
        return str(loop.ii)
    return f"~{loop.ii_guess}?" if loop.ii_guess is not None else "?"


def rounds(loop: LoopQor) -> str:
    """How often a loop runs; `1-1.0k` where that differs between entries."""
    least, most = loop.trip_count_min, loop.trip_count_max
    same = least is None or most is None or least == most
    return figure(loop.trip_count) if same else f"{figure(least)}-{figure(most)}"


def is_unrolled(loop: LoopQor) -> bool:
    """Whether nothing of a loop is left but copies of its body."""
    return loop.cycles is None and loop.trip_count is not None and loop.unroll_factor >= loop.trip_count


def _fitting(*choices: list[str]) -> str:
    for parts in choices:
        text = " · ".join(parts)
        if len(text) <= MAX_LABEL:
            return text
    return choices[-1][-1][:MAX_LABEL]


# -- Markdown for tooltips -----------------------------------------------------------------------------------


def assumptions(prediction: QorPrediction) -> str:
    """Part, clock, tool and stage, each with where it came from unless it was stated."""
    tool = f"{prediction.tool} {prediction.tool_version}".strip()
    clock = f"{plain_number(prediction.clock_period_ns, 3)} ns"
    shown = (("part", prediction.part), ("clock_period_ns", clock), ("tool", tool), ("stage", prediction.stage))
    return ", ".join(f"{value} ({prediction.origins.get(name, 'default')})" for name, value in shown)


def prediction_detail(prediction: QorPrediction) -> str:
    """Markdown (no tables: several clients show them as text): figures, what dominates, assumptions, warnings."""
    rows = [(_SHORT[name] if name != "latency_cycles" else "cycles", getattr(prediction, name), name) for name in SHOWN]
    lines = [f"**{prediction.top}** (predicted, {prediction.stage})", "", "```text"]
    for title, value, name in rows:
        interval = prediction.intervals.get(name)
        why = _why(prediction.reasons.get(name, ()))
        lines.append(f"{title:<7}{figure(value, interval):>9}{_spread(value, interval)}  {why}".rstrip())
    latency = prediction.latency_cycles
    for title, value in timing(prediction):
        # The next start a cycle after the end is what a design without overlap has: no news.
        if title != "interval" or latency is None or not latency * 0.99 <= value <= latency * 1.01 + 1:
            words = "from one start to the next" if title == "interval" else "at the least"
            lines.append(f"{'cycles':<7}{figure(value):>9}   {words}")
    lines += [*_uram_line(prediction.uram), "```", ""]
    if prediction.fits_part is False:
        lines += [f"**Does not fit {prediction.part}.**", ""]
    lines += _parts(prediction)
    lines += [line for text in unsure(prediction) for line in (text, "")]
    lines += actual.detail(prediction.actual) if prediction.actual is not None else ()
    lines += [f"Assumed: {assumptions(prediction)}", "", f"Model: {prediction.model}", ""]
    lines += [f"> {warning}\n" for warning in prediction.warnings]
    return "\n".join(lines).replace("\n\n\n", "\n\n").rstrip()


def _parts(prediction: QorPrediction) -> list[str]:
    """What the figures add up from, one part a line and one figure a column."""
    amounts: dict[str, dict[str, float]] = {}
    for item in prediction.explain:
        what = item.what if len(item.what) <= MAX_PART else f"{item.what[: MAX_PART - 1]}…"
        found = amounts.setdefault(what, {})
        found[item.target] = found.get(item.target, 0.0) + item.amount
    targets = [name for name in SHOWN if any(name in found for found in amounts.values())]
    if not amounts:
        return []
    wide = max(len(what) for what in amounts)
    heads = "".join(f"{_SHORT[name]:>8}" for name in targets)
    lines = ["Where it goes:", "", "```text", f"{'':<{wide}}{heads}"]
    for what, row in amounts.items():
        cells = (f"{_signed(row[name]):>8}" if name in row else " " * 8 for name in targets)
        lines.append(f"{what:<{wide}}{''.join(cells)}".rstrip())
    return [*lines, "```", ""]


MAX_REASONS = 3
MAX_PART = 40  # characters of what a figure adds up from


def unsure(prediction: QorPrediction) -> list[str]:
    """`Not surer because of (LUT, FF): divisions; conditional code`: targets that share their main reasons together."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for name in SHOWN:
        value, interval, sure = (
            getattr(prediction, name),
            prediction.intervals.get(name),
            prediction.certainty.get(name),
        )
        if value is None or interval is None or sure is None or sureness(value, interval) == "sure":
            continue
        title = "cycles" if name == "latency_cycles" else _SHORT[name]
        shared.setdefault(sure.reasons[:MAX_REASONS], []).append(title)
    return [f"Why {', '.join(titles)} may be off: {'; '.join(causes)}" for causes, titles in shared.items() if causes]


def _why(causes: Sequence[str]) -> str:
    return unknown(causes).removeprefix("? ") if causes else ""


def _spread(value: float | None, interval: Interval | None) -> str:
    """`   80 %: 2.1–4.6k`; nothing where a figure has no range but itself."""
    if value is None or interval is None or whole(interval.low) == whole(interval.high):
        return ""
    return f"   80 %: {range_of(interval.low, interval.high)}"


def _signed(amount: float) -> str:
    return f"{'-' if amount < 0 else ''}{short_number(abs(amount))}"


def function_detail(function: FunctionQor) -> str:
    """Markdown for a function below the top."""
    if function.inlined:
        return f"**{function.name}** is inlined: what it takes is counted in the functions that call it."
    lines = [
        f"**{function.name}** (closed form of one instance)",
        "",
        "```text",
    ]
    for title, value, name in (
        ("LUT", function.lut, "lut"), ("DSP", function.dsp, "dsp"), ("FF", function.ff, "ff"),
        ("BRAM", function.bram_18k, "bram_18k"), ("cycles", function.cycles, "latency_cycles"),
    ):  # fmt: skip
        interval = function.intervals.get(name)
        why = _why(function.reasons.get(name, ()))
        lines.append(f"{title:<7}{figure(value, interval):>9}{_spread(value, interval)}  {why}".rstrip())
    return "\n".join([*lines, *_uram_line(function.uram), "```"])


def _uram_line(uram: float | None) -> list[str]:
    """UltraRAM only where a design has some: few do, and many parts have none."""
    return [f"{'URAM':<7}{figure(uram):>9}"] if uram else []


def loop_detail(loop: LoopQor) -> str:
    """Markdown for a loop."""
    lines = [f"**{loop.name}**", "", "```text"]
    for title, value in loop_facts(loop):
        lines.append(f"{title:<12}{value}")
    lines.append("```")
    notes = [*loop.notes, *_cause(loop)]
    lines += [f"\n- {note}" if index == 0 else f"- {note}" for index, note in enumerate(notes)]
    return "\n".join(lines)


def _cause(loop: LoopQor) -> list[str]:
    """What sets the II, where something does: `II 2: 4 reads of a[] a round, 2 ports`."""
    cause = loop.cause
    if cause is None or cause.kind in ("open", "unclear", "asked"):
        return []
    if cause.kind == "sequential":
        return [] if cause.text in loop.notes else [cause.text]
    return [f"II {loop.ii}: {cause.text}"] if loop.ii is not None else []


def loop_facts(loop: LoopQor) -> list[tuple[str, str]]:
    """What is known of a loop, as (name, value) for people."""
    facts = [("rounds", rounds(loop))]
    if is_unrolled(loop):
        return [*facts, ("unrolled", f"x{loop.unroll_factor}")]
    if loop.pipelined:
        bound = f" (bound by {loop.ii_bound_by})" if loop.ii_bound_by and not loop.ii_is_guess else ""
        guessed = " (a guess: accesses that cannot be told apart)" if loop.ii_is_guess else ""
        facts.append(("II", f"{initiation(loop)}{bound}{guessed}"))
    if loop.unroll_factor > 1:
        facts.append(("unrolled", f"x{loop.unroll_factor}"))
    facts.append(("iteration", f"{figure(loop.depth)} cycles"))
    entered = _entries(loop)
    once = None if entered else loop.interval
    cycles = figure(loop.cycles, once) if loop.cycles is not None else unknown(loop.reasons)
    facts.append(("cycles", cycles + (f", entered {entered} times" if entered else "")))
    if entered:
        facts.append(("in all", figure(loop.total_cycles, loop.interval)))
    if loop.interval is not None and _spread(loop.total_cycles, loop.interval):
        facts.append(("80 %", range_of(loop.interval.low, loop.interval.high)))
    if loop.share is not None:
        facts.append(("share", percent(loop.share)))
    return facts


def _entries(loop: LoopQor) -> str:
    if not loop.cycles or loop.total_cycles is None or loop.total_cycles <= loop.cycles * 1.01:
        return ""
    return short_number(loop.total_cycles / loop.cycles)


# -- text for terminals --------------------------------------------------------------------------------------


def flat_loops(loops: Iterable[LoopQor], depth: int = 0) -> Iterable[tuple[int, LoopQor]]:
    """Every loop with its depth in the tree, outer first."""
    for loop in loops:
        yield depth, loop
        yield from flat_loops(loop.loops, depth + 1)


LOOP_COLUMNS = ("loop", "rounds", "II", "iteration", "cycles", "share", "bound by")


def loop_row(depth: int, loop: LoopQor, top: str) -> tuple[str, ...]:
    """The cells of LOOP_COLUMNS; the tree is drawn by indentation, functions other than the top are named."""
    owner = f"{loop.function}: " if depth == 0 and loop.function != top else ""
    if is_unrolled(loop):
        return (f"{'  ' * depth}{owner}{loop.name}", f"{figure(loop.trip_count)} x{loop.unroll_factor}", *["-"] * 4, "")
    known = loop.ii is not None and not loop.ii_is_guess
    ii = initiation(loop) if loop.pipelined else "-"
    unrolled = f" x{loop.unroll_factor}" if loop.unroll_factor > 1 else ""
    return (
        f"{'  ' * depth}{owner}{loop.name}",
        f"{rounds(loop)}{unrolled}",
        ii,
        figure(loop.depth),
        figure(loop.total_cycles, loop.interval) if loop.total_cycles is not None else unknown(loop.reasons),
        percent(loop.share) if loop.share is not None else "?",
        loop.ii_bound_by if loop.pipelined and known else "",
    )


def timing(prediction: QorPrediction) -> list[tuple[str, float]]:
    """(name, cycles) of the least latency, where it is another, and of the interval from one start to the next."""
    least, interval, most = prediction.latency_min_cycles, prediction.interval_cycles, prediction.latency_cycles
    found = [("least latency", least)] if least is not None and most is not None and least < most * 0.99 else []
    return [*found, *([("interval", interval)] if interval is not None else [])]


def resource_rows(prediction: QorPrediction, limits: Mapping[str, int]) -> list[tuple[str, str, str, str, str]]:
    """(name, figure, 80 % interval, closed form, share of the part) for each resource and the latency.

    The closed form stands only where the answer is another, a range only where it says more than the figure.
    """
    rows = []
    for name in SHOWN:
        value = getattr(prediction, name)
        interval = prediction.intervals.get(name)
        spread = _spread(value, interval).removeprefix("   80 %: ")
        limit = limits.get(name)
        used = percent(value / limit) if limit and value is not None else ""
        title = "latency (cycles)" if name == "latency_cycles" else TITLES[name]
        shown = figure(value, interval) if value is not None else unknown(prediction.reasons.get(name, ()))
        closed = figure(prediction.closed_form.get(name))
        rows.append((title, shown, spread, closed if closed != figure(value) else "", used))
    rows += [(title, figure(value), "", "", "") for title, value in timing(prediction)]
    if prediction.uram:
        limit = limits.get("uram")
        used = percent(prediction.uram / limit) if limit else ""
        rows.append(("URAM", figure(prediction.uram), "", "", used))
    return rows
