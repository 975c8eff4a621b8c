"""Changes of the text that an editor offers for the loop at a line: soon rather than completely."""

from __future__ import annotations

from dataclasses import replace

from ...document import Fix
from ..answer.types import LoopQor
from ..model import Given
from ..program import ir
from ..program.expressions import everything_in
from .bench import Bench, flat
from .moves import moves_of
from .search import search
from .types import Amounts, area_change, change
from .variants import Variants
from .what_if import worth_it

SHOWN = 3
TRIALS = 5  # texts that are read for moves of a loop
COUNT = 120  # variants that are predicted
SECONDS = 0.15  # a slow machine predicts fewer


def rewrites_at(given: Given, line: int) -> tuple[Fix, ...]:
    """The best three rewritings of the loop that stands at a line (from 0), or of the function's loops around it.

    First what lifts the bound of the loop itself, then sets of pragmas of its nest and arrays. Raises SourceError and
    ConfigError for a text that cannot be predicted.
    """
    bench = Bench.of(given, TRIALS)
    loop = _loop_at(bench, line)
    if loop is None:
        return ()
    loop_qor = next((one for one in flat(bench.present.loops) if (one.path, one.span) == (loop.path, loop.head)), None)
    found = _of_bound(bench, loop, loop_qor) if loop_qor is not None else []
    found += _of_pragmas(bench, loop, SHOWN + 1 - len(found))
    kept: list[Fix] = []
    for fix in found:
        if len(kept) < SHOWN and bench.is_clean(fix.edits):
            kept.append(fix)
    return tuple(kept)


def _loop_at(bench: Bench, line: int) -> ir.Loop | None:
    """The innermost loop whose range holds a line."""
    program = bench.design.program
    around = [
        loop for loop in program.loops()
        if loop.path == bench.given.path and loop.span.start_line <= line <= loop.span.end_line
    ]  # fmt: skip
    return min(around, key=lambda loop: loop.span.end_line - loop.span.start_line, default=None)


def _of_bound(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> list[Fix]:
    return [replace(move.fix, title=f"{move.fix.title}: {move.gain}") for move in moves_of(bench, loop, loop_qor)[:1]]


def _of_pragmas(bench: Bench, loop: ir.Loop, count: int) -> list[Fix]:
    outermost = loop
    while outermost.parent is not None:
        outermost = outermost.parent
    nest = {outermost, *ir.loops_of(outermost.body)}
    names = {expr.name for expr in everything_in(outermost.body) if isinstance(expr, ir.Ref)}
    variants = Variants.of(bench, {})
    variants.slots = tuple(slot for slot in variants.slots if slot.owner in nest or slot.variable in names)
    search(variants, COUNT, seconds=SECONDS)
    present = variants.predict(variants.present)
    faster = [item for item in worth_it(variants, present) if item.cycles < present.cycles]
    return [
        Fix(f"{', '.join(variants.titles(v.picks))}: {_gain(present.amounts, v.amounts)}", variants.fix(v.picks).edits)
        for v in faster[:count]
    ]


def _gain(before: Amounts, after: Amounts) -> str:
    """Likely, as no interval was asked: the closed form alone has been run."""
    said = [change(before.latency_cycles, after.latency_cycles, "cycles")]
    said += [area_change(name, getattr(before, name), getattr(after, name)) for name in ("dsp", "lut")]
    return f"likely faster, {', '.join(filter(None, said))}"
