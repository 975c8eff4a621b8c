"""What may lift the bound of a loop: changes of the text, each tried before anyone sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ...document import Edit, Fix, apply_edits
from ..answer.answer import fits, part_or_none
from ..answer.types import LoopQor
from ..lint.context import Context, is_on, loop_name
from ..lint.remedies import bundles, partitions
from ..program import ir
from ..program.expressions import everything_in
from ..program.facts import walk
from ..tool.labels import RESOURCES
from ..tool.releases import MERLIN
from .bench import Bench, Outcome
from .places import into_loop
from .sums import partial_sums
from .types import Move

TRIED_A_LOOP = 12
MOST_PAID = 1.5  # times the product of cycles and LUTs, from which a pipeline over copies is no advice
JOINED = 4  # arrays that one move may partition, where the bound goes from one to the next
MOST_WIDE = 512  # bits that an m_axi port is widened to (UG1399, config_interface -m_axi_max_widen_bitwidth)


def moves_of(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> tuple[Move, ...]:
    """Moves that lower the loop's II, or the design's cycles where it has none, best first."""
    found: list[Move] = []
    for fix in _tried(bench, loop, loop_qor):
        move = _move(bench, loop_qor, fix)
        if move is not None and _helps(bench, move):
            found.append(move)
            if move.ii == 1:
                break  # what is tried later costs more
    return tuple(sorted(found, key=_rank))


def _tried(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    for count, fix in enumerate(candidates(bench, loop, loop_qor)):
        if count >= TRIED_A_LOOP:
            return
        yield fix


def _move(bench: Bench, loop_qor: LoopQor, fix: Fix) -> Move | None:
    after = bench.after(fix.edits)
    if after is None:
        return None
    again = _again(bench, after, fix.edits, loop_qor)
    ii = again.ii if again is not None else None
    return Move(replace(fix, verified=True), loop_qor.ii, ii, bench.present.amounts, after.amounts)


def _again(bench: Bench, after: Outcome, edits: Sequence[Edit], loop_qor: LoopQor) -> LoopQor | None:
    """The same loop in the edited text."""
    return after.loop_at(loop_qor.path, bench.moved(edits, loop_qor.span))


def _helps(bench: Bench, move: Move) -> bool:
    """Whether a move is worth showing; what does not fit the part any more is none."""
    if not still_fits(bench, move):
        return False
    if move.ii is not None and move.ii_before is not None and move.ii < move.ii_before:
        return True
    before, after = move.before.latency_cycles, move.after.latency_cycles
    return before is not None and after is not None and after < before and is_paid(move)


def still_fits(bench: Bench, move: Move) -> bool:
    """Whether a design that fits its part still does."""
    part = part_or_none(bench.design.settings.part)
    before, after = ({name: getattr(one, name) for name in RESOURCES} for one in (move.before, move.after))
    return fits(part, after) is not False or fits(part, before) is False


def is_paid(move: Move) -> bool:
    """Whether cycles are bought with no more area than they are worth, for moves that lower no II."""
    before, after = move.before.latency_cycles, move.after.latency_cycles
    if before is None or after is None:
        return True
    return after * (move.after.lut or 1.0) <= before * (move.before.lut or 1.0) * MOST_PAID


def _rank(move: Move) -> tuple[bool, float, float, float]:
    lifted = move.ii is not None and move.ii_before is not None and move.ii < move.ii_before
    cycles = move.after.latency_cycles
    return (
        not lifted,
        cycles if cycles is not None else float(move.ii or 0),
        move.after.dsp or 0.0,
        (move.after.lut or 0.0) + (move.after.ff or 0.0),
    )


# -- candidates ------------------------------------------------------------------------------------------------------


def candidates(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """Changes that go at the cause of a loop, cheapest first. Raises nothing for what the text holds."""
    cause = loop_qor.cause
    # Edits are of the document itself: what stands in another source of the design is left to that one.
    if cause is None or bench.design.settings.tool == MERLIN or loop.path != bench.given.path:
        return
    makers: dict[str, Callable[[Bench, ir.Loop, LoopQor], Iterator[Fix]]] = {
        "ports": _more_ports, "m_axi": _wider, "bundle": _own_bundles, "recurrence": _shorter, "unclear": _shorter,
        "limit": _more_units, "asked": _asked_less, "sequential": _pipelined,
    }  # fmt: skip
    maker = makers.get(cause.kind)
    if maker is not None:
        yield from maker(bench, loop, loop_qor)


def owner_of(context: Context, loop: ir.Loop, name: str) -> tuple[ir.Function, ir.Variable] | None:
    """The function, the loop's own first, that declares an array of that name."""
    functions = context.program.functions
    own = functions.get(loop.function)
    for function in (*([own] if own is not None else []), *functions.values()):
        var = function.variables.get(name)
        if var is not None and var.dims:
            return function, var
    return None


def _more_ports(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """Partitions and reshapes, and where the bound then goes to another array, that one's as well."""
    for fix in _partitioned(bench, loop, loop_qor, loop_qor.cause.subject if loop_qor.cause else ""):
        yield from _joined(bench, loop, loop_qor, fix, JOINED - 1)


def _partitioned(bench: Bench, loop: ir.Loop, loop_qor: LoopQor, name: str) -> Iterator[Fix]:
    found = owner_of(bench.context, loop, name)
    if found is None:
        return
    function, var = found
    if function.path != bench.given.path:
        return
    fixes = partitions(bench.context, function, var, loop_qor.ii or 2, loop_qor.unroll_factor)
    yield from fixes
    yield from (reshaped for fix in fixes[:2] if (reshaped := _as_reshape(fix)) is not None)


def _as_reshape(fix: Fix) -> Fix | None:
    """The same factor as wider words of one memory, which keeps its block RAMs together."""
    if len(fix.edits) != 1 or "ARRAY_PARTITION" not in fix.edits[0].new_text:
        return None
    edit = fix.edits[0]
    new = edit.new_text.replace("ARRAY_PARTITION", "ARRAY_RESHAPE")
    return Fix(fix.title.replace("partition ", "reshape ", 1), (Edit(edit.span, new),))


def _joined(bench: Bench, loop: ir.Loop, loop_qor: LoopQor, fix: Fix, more: int) -> Iterator[Fix]:
    """A partition, or where it only moves the bound to the ports of another array, both."""
    after = bench.after(fix.edits)
    again = _again(bench, after, fix.edits, loop_qor) if after is not None else None
    cause = again.cause if again is not None else None
    bound = again is not None and again.ii is not None and again.ii > 1
    named = {edit.new_text for edit in fix.edits}
    if not bound or cause is None or cause.kind != "ports" or more <= 0 or _mentioned(cause.subject, named):
        yield fix
        return
    factor = fix.title.rpartition("factor=")[2]
    others = [one for one in _partitioned(bench, loop, loop_qor, cause.subject) if "reshape" not in one.title]
    same = [one for one in others if one.title.endswith(f"factor={factor}")] or others
    for other in same[:1]:
        both = Fix(f"{fix.title}, {other.title}", _merged(fix.edits, other.edits))
        if _applies(bench, both):
            yield from _joined(bench, loop, loop_qor, both, more - 1)
            return
    yield fix


def _mentioned(name: str, pragmas: set[str]) -> bool:
    return any(f"variable={name} " in text or text.rstrip().endswith(f"variable={name}") for text in pragmas)


def _merged(one: Sequence[Edit], other: Sequence[Edit]) -> tuple[Edit, ...]:
    """Edits of both; what both write at one place is written one after the other."""
    found = {edit.span: edit for edit in one}
    for edit in other:
        known = found.get(edit.span)
        found[edit.span] = Edit(edit.span, known.new_text + edit.new_text) if known is not None else edit
    return tuple(found.values())


def _applies(bench: Bench, fix: Fix) -> bool:
    try:
        apply_edits(bench.given.text, fix.edits)
    except ValueError:
        return False
    return True


def _own_bundles(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    cause = loop_qor.cause
    function = bench.context.program.functions.get(bench.top.name)
    if cause is not None and function is not None and function.path == bench.given.path:
        yield from bundles(bench.context, function, cause.subject)


def _wider(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """A wider bus, which takes neighbours in one beat."""
    name = loop_qor.cause.subject if loop_qor.cause is not None else ""
    for pragma in bench.top.pragmas:
        if pragma.path != bench.given.path:
            continue
        if pragma.kind != "INTERFACE" or pragma.options.get("port") != name or "max_widen_bitwidth" in pragma.options:
            continue
        text = bench.context.text(pragma)
        if text.editable:
            edit = Edit(pragma.span, f"{text.raw.rstrip()} max_widen_bitwidth={MOST_WIDE}")
            yield Fix(f"widen the port of {name} to {MOST_WIDE} bits", (edit,))


def _shorter(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    yield from partial_sums(bench.context, loop, loop_qor)
    yield from _independent(bench, loop, loop_qor)
    yield from _outer(bench, loop)


def _independent(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """DEPENDENCE, where nobody can tell whether two rounds touch one element."""
    circuit = loop_qor.circuit
    name = circuit.steps[0].name if circuit is not None else loop_qor.cause.subject if loop_qor.cause else ""
    found = owner_of(bench.context, loop, name)
    if found is not None and _looked_up(loop, found[1]):
        pragma = f"#pragma HLS DEPENDENCE variable={name} type=inter dependent=false"
        edits = into_loop(bench.context, loop, pragma)
        if edits:
            yield Fix(f"state that no two rounds touch one element of {name} (only if that is so)", edits)


def _looked_up(loop: ir.Loop, var: ir.Variable) -> bool:
    """Whether a subscript of the array hangs on more than counters: what is stored elsewhere, what a call gives."""
    counters = {one.var for one in (loop, *ir.loops_of(loop.body))}
    outer = loop.parent
    while outer is not None:
        counters.add(outer.var)
        outer = outer.parent
    for expr in everything_in(loop.body):
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.var is var:
            parts = [part for subscript in expr.subscripts for part in walk(subscript)]
            if any(isinstance(part, ir.Index | ir.Call) for part in parts):
                return True
            if any(isinstance(part, ir.Ref) and part.var not in counters for part in parts):
                return True
    return False


def _outer(bench: Bench, loop: ir.Loop) -> Iterator[Fix]:
    """Pipeline the loop around instead, which makes copies of this one."""
    parent = loop.parent
    if parent is None or bench.context.facts.trip_count(loop) is None:
        return
    own = loop.pragma("HLS", "PIPELINE")
    removed = bench.context.text(own).remove("", safe=False) if own is not None else ()
    if own is not None and not removed:
        return
    edits = (*into_loop(bench.context, parent, "#pragma HLS PIPELINE II=1"), *(removed[0].edits if removed else ()))
    if edits:
        yield Fix(f"pipeline {loop_name(parent)} instead", edits)


def _more_units(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """Take ALLOCATION away where it holds the loop back."""
    name = (loop_qor.cause.subject if loop_qor.cause is not None else "").removeprefix("call ")
    function = bench.context.program.functions.get(loop.function)
    owners: list[ir.Loop | ir.Function] = [loop, *([function] if function is not None else [])]
    for pragma in (p for owner in owners for p in owner.pragmas if p.kind == "ALLOCATION" and p.path == loop.path):
        if name in pragma.options.get("instances", "").replace(",", " ").split():
            yield from bench.context.text(pragma).remove(f"lift the limit of {name}", safe=False)


def _asked_less(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    own = next((p for one in (loop, *ir.loops_of(loop.body)) if (p := one.pragma("HLS", "PIPELINE"))), None)
    if own is not None and "ii" in own.options:
        text = bench.context.text(own)
        yield from text.replace(text.value_span("ii"), "1", "ask for II=1", safe=False)


def _pipelined(bench: Bench, loop: ir.Loop, loop_qor: LoopQor) -> Iterator[Fix]:
    """A pipeline here, or a nest that becomes one loop again."""
    context = bench.context
    for one in (loop, *ir.loops_of(loop.body)):
        for pragma in one.pragmas:
            if pragma.kind == "LOOP_FLATTEN" and "off" in pragma.options:
                yield from context.text(pragma).remove(f"let {loop_name(loop)} be flattened", safe=False)
    own = loop.pragma("HLS", "PIPELINE")
    if own is not None and not is_on(own):
        yield from context.text(own).remove("pipeline the loop", safe=False)
    elif own is None and loop.pragma("HLS", "DATAFLOW") is None:
        edits = into_loop(context, loop, "#pragma HLS PIPELINE II=1")
        if edits:
            yield Fix(f"pipeline {loop_name(loop)}", edits)
