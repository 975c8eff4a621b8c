"""A program as lines of text, every field of every node shown: what pins of the reader compare with.

A name is shown with the line it is declared on (`i@4`), so that shadowing shows; `?` stands for what is not known.
Ranges are `line:character`, from 1 and 0. Casts are `<int32>`, a call in the source ends with `^line:character`, one of
a `constexpr` function with `$`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hwml_sdk.document import Span
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.read.source import read_program


def shown(text: str, **options: Any) -> str:
    """All functions of a source, in order."""
    program = read_program(text, **options)
    return "\n".join(line for function in program.functions.values() for line in of_function(function))


def of_type(kind: ir.CType) -> str:
    """`fixed18.4`, `stream9(uint9)`, `struct24 Pair{a int16, b int8[3]}*`."""
    text = f"{kind.kind}{kind.width}" + (f".{kind.int_bits}" if kind.int_bits else "")
    if kind.kind == "struct":
        inner = ", ".join(f"{name} {of_type(field)}{_extents(dims)}" for name, field, dims in kind.fields)
        text += f" {kind.name}{{{inner}}}"
    elif kind.element is not None:
        text += f"({kind.lanes} x {of_type(kind.element)})" if kind.lanes != 1 else f"({of_type(kind.element)})"
    return text + "*" * kind.pointer


def of_variable(var: ir.Variable) -> str:
    """`static const n@3 int32[4][?]`, with what is true of it before its name."""
    marks = [mark for mark in ("static", "const", "handed") if getattr(var, mark)]
    return " ".join([*marks, _named(var), of_type(var.type) + _extents(var.dims)])


def of_function(function: ir.Function) -> Iterator[str]:
    """Its head, its parameters, its statements, two blanks further in for each level."""
    words = [mark for mark in ("static", "constexpr") if getattr(function, mark)]
    of = f" of {', '.join(function.template_params)}" if function.template_params else ""
    head = f"{of_type(function.returns)} {function.name}{of} {_span(function.span)}"
    yield " ".join([*words, head])
    yield from (f"  ({of_variable(param)})" for param in function.params)
    yield from (f"  #{pragma.kind}" for pragma in function.pragmas)
    yield from _block(function.body, "  ")


def _block(block: ir.Block, indent: str) -> Iterator[str]:
    for item in block.items:
        yield from _statement(item, indent)


def _statement(item: ir.Stmt, indent: str) -> Iterator[str]:
    if isinstance(item, ir.Block):
        yield indent + "block"
        yield from _block(item, indent + "  ")
    elif isinstance(item, ir.Declare):
        init = f" = {of_expr(item.var.init)}" if item.var.init is not None else ""
        yield f"{indent}{of_variable(item.var)}{init}"
    elif isinstance(item, ir.Evaluate):
        yield indent + of_expr(item.expr)
    elif isinstance(item, ir.Return):
        yield indent + ("return" if item.value is None else f"return {of_expr(item.value)}")
    elif isinstance(item, ir.If):
        yield f"{indent}if {of_expr(item.condition)}"
        yield from _block(item.then, indent + "  ")
        if item.otherwise is not None:
            yield indent + "else"
            yield from _block(item.otherwise, indent + "  ")
    else:
        yield from _loop(item, indent)


def _loop(loop: ir.Loop, indent: str) -> Iterator[str]:
    marks = [mark for mark in ("has_break", "has_continue") if getattr(loop, mark)]
    parent = f" in {loop.parent.name}" if loop.parent is not None else ""
    label = f"{loop.label}: " if loop.label else ""
    yield " ".join(
        [f"{indent}{label}{loop.kind} {loop.name}{parent} {_span(loop.span)} head {_span(loop.head)}", *marks]
    )
    counter = "-" if loop.var is None else of_variable(loop.var)
    parts = "; ".join("-" if part is None else of_expr(part) for part in (loop.start, loop.condition, loop.step))
    yield f"{indent}  ({counter}: {parts})"
    yield from (f"{indent}  #{pragma.kind}" for pragma in loop.pragmas)
    yield from _block(loop.body, indent + "  ")


def of_expr(expr: ir.Expr) -> str:
    """An expression with all its parentheses."""
    if isinstance(expr, ir.Const):
        value = "?" if expr.value is None else str(expr.value)
        return value if of_type(expr.type) == "int32" else f"{value}:{of_type(expr.type)}"
    if isinstance(expr, ir.Ref):
        return f"{expr.name}?" if expr.var is None else _named(expr.var, expr.name)
    if isinstance(expr, ir.Index):
        return of_expr(expr.base) + "".join(f"[{of_expr(subscript)}]" for subscript in expr.subscripts)
    if isinstance(expr, ir.Member):
        return f"{of_expr(expr.base)}.{expr.field}"
    if isinstance(expr, ir.Unary):
        return f"({expr.op} {of_expr(expr.operand)})"
    if isinstance(expr, ir.Binary):
        return f"({of_expr(expr.left)} {expr.op} {of_expr(expr.right)})"
    if isinstance(expr, ir.Assign):
        return f"{of_expr(expr.target)} {expr.op} {of_expr(expr.value)}"
    if isinstance(expr, ir.Ternary):
        return f"({of_expr(expr.condition)} ? {of_expr(expr.yes)} : {of_expr(expr.no)})"
    if isinstance(expr, ir.Cast):
        return f"<{of_type(expr.type)}>{of_expr(expr.operand)}"
    if isinstance(expr, ir.Many):
        return "{" + _listed(expr.items) + "}"
    return _call(expr)


def _call(call: ir.Call) -> str:
    receiver = f"{of_expr(call.receiver)}." if call.receiver is not None else ""
    given = f"<{', '.join(call.template_args)}>" if call.template_args else ""
    place = f"^{call.span.start_line + 1}:{call.span.start_character}" if call.span is not None else ""
    constant = "$" if call.function is not None else ""
    return f"{receiver}{call.name}{given}({_listed(call.args)}){place}{constant}"


def _listed(items: tuple[ir.Expr, ...]) -> str:
    return ", ".join(of_expr(item) for item in items)


def _named(var: ir.Variable, name: str = "") -> str:
    place = {"global": "g", "param": "p"}.get(var.scope, "")
    return f"{name or var.name}@{place}{var.span.start_line + 1}"


def _extents(dims: tuple[int | None, ...]) -> str:
    return "".join("[?]" if extent is None else f"[{extent}]" for extent in dims)


def _span(span: Span) -> str:
    return f"{span.start_line + 1}:{span.start_character}-{span.end_line + 1}:{span.end_character}"
