"""Changes of the text that may lower an II: candidates only, each is predicted before anyone sees it."""

from __future__ import annotations

import re

from ...document import Edit, Fix
from ..program import ir
from ..program.expressions import everything_in
from .context import SPLITS, Context, PragmaText, SourceText

FACTORS = (2, 4, 8, 16, 32)
TRIED = 3  # factors of a dimension
MAX_REGISTERS = 64  # elements from which `complete` is no longer worth trying


def partitions(context: Context, function: ir.Function, var: ir.Variable, needed: int, copies: int) -> tuple[Fix, ...]:
    """Partitions of an array, the smallest first.

    needed: how many times too few ports there are. copies: of the loop's body, which a factor may have to match.
    """
    source = context.source(function.path)
    dims = [index for index, extent in enumerate(var.dims) if extent is None or extent > 1]
    if source is None or var.path != function.path or not dims or var.type.kind == "stream":
        return ()
    present = [p for p in function.pragmas if p.kind in SPLITS and p.options.get("variable") == var.name]
    fixes = []
    for dim in reversed(dims):
        extent = var.dims[dim]
        factors = sorted({f for f in (*FACTORS, copies) if f >= min(needed, FACTORS[-1])})[:TRIED]
        for factor in factors:
            if extent is not None and factor < extent:
                fixes.append(
                    _partition(context, source, function, var, present, f"type=cyclic factor={factor}", dim + 1)
                )
        if extent is not None and extent <= MAX_REGISTERS:
            fixes.append(_partition(context, source, function, var, present, "type=complete", dim + 1))
    return tuple(fix for fix in fixes if fix is not None)


def _partition(
    context: Context,
    source: SourceText,
    function: ir.Function,
    var: ir.Variable,
    present: list[ir.Pragma],
    how: str,
    dim: int,
) -> Fix | None:
    where = f" dim={dim}" if len(var.dims) > 1 else ""
    new = f"#pragma HLS ARRAY_PARTITION variable={var.name} {how}{where}"
    title = f"partition {var.name} {how.removeprefix('type=')}{where}"
    same = next((p for p in present if (p.whole("dim") if "dim" in p.options else 1) in (dim, 0)), None)
    if same is not None:
        text: PragmaText = context.text(same)
        return Fix(title, (Edit(same.span, new),)) if text.editable and same.kind == "ARRAY_PARTITION" else None
    at = below_declaration(source, function, var)
    return None if at is None else Fix(title, (Edit(source.span(at, at), f"{new}\n"),))


def below_declaration(source: SourceText, function: ir.Function, var: ir.Variable) -> int | None:
    """Offset of the line where a pragma about a variable may stand: below its declaration, or at the body's top."""
    if var.scope == "param":
        return body_start(source, function)
    if var.scope != "local":
        return None
    match = re.compile(r"[^;{}]*(?:\{[^;]*\}[^;{}]*)?;[^\n]*\n").match(source.text, _end(source, var))
    return match.end() if match else None


def body_start(source: SourceText, function: ir.Function) -> int | None:
    """Offset of the first line inside a function's braces."""
    start = source.index(function.name_span.end_line, function.name_span.end_character)
    match = re.compile(r"[^;{]*\{[^\n]*\n").match(source.text, start)
    return match.end() if match else None


def _end(source: SourceText, var: ir.Variable) -> int:
    return source.index(var.span.end_line, var.span.end_character)


def bundles(context: Context, function: ir.Function, bundle: str) -> tuple[Fix, ...]:
    """A bundle of its own for every m_axi port but the first of one bundle."""
    ports = [
        p
        for p in function.pragmas
        if p.kind == "INTERFACE"
        and (p.options.get("mode", "").lower() == "m_axi" or "m_axi" in p.options)
        and (p.options.get("bundle") or "gmem") == bundle
    ]
    edits: list[Edit] = []
    for number, pragma in enumerate(ports[1:], 1):
        text = context.text(pragma)
        if not text.editable:
            return ()
        name = f"{bundle}_{number}"
        if pragma.options.get("bundle"):
            edits.append(Edit(text.value_span("bundle"), name))
        else:
            end = text.pragma.span
            edits.append(Edit(end, f"{text.raw} bundle={name}"))
    return (Fix("give each port a bundle of its own", tuple(edits)),) if edits else ()


def own_ii(context: Context, pragma: ir.Pragma | None, ii: int) -> tuple[Fix, ...]:
    """Ask for the II that the recurrence allows."""
    if pragma is None:
        return ()
    text = context.text(pragma)
    if "ii" in pragma.options:
        return text.replace(text.value_span("ii"), str(ii), f"ask for II={ii}", safe=True)
    if not text.editable:
        return ()
    return (Fix(f"ask for II={ii}", (Edit(pragma.span, f"{text.raw.rstrip()} II={ii}"),), safe=True),)


def divisors(trips: int, factor: int) -> list[int]:
    """Divisors of a trip count, the nearest to a factor first; 1 is none."""
    found = [n for n in range(2, trips + 1) if trips % n == 0]
    return sorted(found, key=lambda n: (abs(n - factor), n))[:3]


def trip_counts(context: Context, loop: ir.Loop) -> tuple[Fix, ...]:
    """A loop_tripcount that says how far the arrays reach which the loop's counter walks through."""
    source = context.source(loop.path)
    if source is None or loop.var is None:
        return ()
    reach = [
        var.dims[dim]
        for expr in everything_in(loop.body)
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and (var := expr.base.var) is not None
        for dim, subscript in enumerate(expr.subscripts[: len(var.dims)])
        if isinstance(subscript, ir.Ref) and subscript.var is loop.var
    ]
    known = [extent for extent in reach if extent is not None]
    head = source.index(loop.head.end_line, loop.head.end_character)
    match = re.compile(r"\s*\{[ \t]*\n").match(source.text, head)
    if not known or match is None:
        return ()
    most = min(known)
    new = f"#pragma HLS LOOP_TRIPCOUNT min=1 max={most}\n"
    return (Fix(f"assume at most {most} rounds", (Edit(source.span(match.end(), match.end()), new),), safe=True),)
