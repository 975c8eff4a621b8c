"""Several pragmas about the same thing."""

from __future__ import annotations

from ...document import Related
from ..program import ir
from .code import Code
from .context import SPLITS, Context, is_on, loop_name, owner_name
from .rule import rule

SAID_TWICE = Code("HLS116", "warning", "pragma said twice")
CONTRADICTION = Code("HLS117", "warning", "pragmas that contradict each other")


@rule(SAID_TWICE, CONTRADICTION)
def repeated(context: Context) -> None:
    """The same pragma twice, and pragmas that contradict each other."""
    for function in context.functions():
        owners: list[ir.Loop | ir.Function] = [function, *context.program.loops(function.name)]
        for owner in owners:
            pragmas = [pragma for pragma in owner.pragmas if pragma.dialect == "HLS"]
            _pairs(context, owner, pragmas)
            _clashes(context, owner, pragmas)


_SINGLE = {"PIPELINE", "UNROLL", "LOOP_TRIPCOUNT", "LOOP_FLATTEN", "DATAFLOW", "INLINE"}


def _key(pragma: ir.Pragma) -> tuple[str, ...] | None:
    """What must be said only once: the pragma itself, or the pragma for one dimension of one variable."""
    if pragma.kind in _SINGLE:
        return (pragma.kind,)
    if pragma.kind in SPLITS and pragma.options.get("variable"):
        return pragma.kind, pragma.options["variable"], pragma.options.get("dim", "1")
    if pragma.kind == "STREAM" and pragma.options.get("variable"):
        return pragma.kind, pragma.options["variable"]
    return None


def _pairs(context: Context, owner: ir.Loop | ir.Function, pragmas: list[ir.Pragma]) -> None:
    first: dict[tuple[str, ...], ir.Pragma] = {}
    for pragma in pragmas:
        key = _key(pragma)
        if key is None:
            continue
        earlier = first.setdefault(key, pragma)
        if earlier is pragma:
            continue
        what = f"{key[0]} of {key[1]}" if len(key) > 1 else f"{key[0]} of {owner_name(owner)}"
        related = (Related("the other one", earlier.span, earlier.path),)
        if earlier.options == pragma.options:
            fixes = context.text(pragma).remove("remove the second one", safe=True)
            context.report(SAID_TWICE, f"{what} is said twice", pragma.path, pragma.span, fixes=fixes, related=related)
        else:
            message = f"{what} is said twice, differently: {_said(earlier)} and {_said(pragma)}"
            context.report(CONTRADICTION, message, pragma.path, pragma.span, related=related)


def _said(pragma: ir.Pragma) -> str:
    skipped = ("variable", "dim") if pragma.kind in SPLITS else ("variable",)
    words = [f"{k}={v}" if v else k for k, v in pragma.options.items() if k not in skipped]
    return " ".join(words) or "no option"


def _clashes(context: Context, owner: ir.Loop | ir.Function, pragmas: list[ir.Pragma]) -> None:
    by_kind = {pragma.kind: pragma for pragma in pragmas if is_on(pragma)}
    pipeline, unroll, dataflow = (by_kind.get(kind) for kind in ("PIPELINE", "UNROLL", "DATAFLOW"))
    if pipeline is not None and dataflow is not None:
        message = f"{owner_name(owner)} has both PIPELINE and DATAFLOW: only one of them can hold"
        _clash(context, pipeline, dataflow, message)
    if pipeline is not None and unroll is not None and isinstance(owner, ir.Loop) and _is_whole(context, owner, unroll):
        message = f"{loop_name(owner)} is unrolled completely, so nothing of it is left to pipeline"
        _clash(context, pipeline, unroll, message)
    inline = by_kind.get("INLINE")
    into = inline is not None and ("recursive" in inline.options or "region" in inline.options)
    if inline is not None and not into and dataflow is not None and isinstance(owner, ir.Function):
        message = f"{owner_name(owner)} has both INLINE and DATAFLOW: inlined, it is no dataflow region of its own"
        _clash(context, inline, dataflow, message)
    _both_splits(context, pragmas)


def _is_whole(context: Context, loop: ir.Loop, unroll: ir.Pragma) -> bool:
    trips = context.facts.trip_count(loop)
    if trips is None or context.is_template(loop):
        return False
    factor = unroll.whole("factor")
    return "factor" not in unroll.options or (factor is not None and factor >= trips)


def _both_splits(context: Context, pragmas: list[ir.Pragma]) -> None:
    partitions = {
        (p.options.get("variable"), p.options.get("dim", "1")): p
        for p in pragmas
        if p.kind == "ARRAY_PARTITION" and is_on(p)
    }
    for pragma in pragmas:
        if pragma.kind == "ARRAY_RESHAPE" and is_on(pragma):
            other = partitions.get((pragma.options.get("variable"), pragma.options.get("dim", "1")))
            if other is not None:
                name = pragma.options.get("variable", "?")
                message = f"{name} is both partitioned and reshaped in the same dimension: the tool follows one of them"
                _clash(context, pragma, other, message)


def _clash(context: Context, pragma: ir.Pragma, other: ir.Pragma, message: str) -> None:
    related = (Related(f"{other.kind} stands here", other.span, other.path),)
    context.report(CONTRADICTION, message, pragma.path, pragma.span, related=related)
