"""Variables that code does more with than to read them: what may change them or one of their elements and fields.

Asked where a constant is looked for, so whatever is not plainly a read counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import ir
from .expressions import everything_in
from .flow import target_of
from .handed import BY_VALUE
from .type_of import type_of_expression

_FILLERS = frozenset({"memset", "memcpy", "memmove", "fill"})  # they write what an array among their arguments holds
_LOOKS = frozenset({
    "range", "bit", "test", "get_bit", "to_int", "to_uint", "to_long", "to_ulong", "to_int64", "to_uint64", "to_float",
    "to_double", "to_half", "to_bool", "to_string", "length", "or_reduce", "and_reduce", "xor_reduce", "nor_reduce",
    "nand_reduce", "xnor_reduce", "is_zero", "iszero", "is_neg", "sign", "countLeadingZeros", "size",
})  # fmt: skip
_GIVING = (ir.Assign, ir.Unary, ir.Binary, ir.Call)  # what `_given_away` looks at


def touched(block: ir.Block, program: ir.Program, returns: ir.CType | None = None) -> set[ir.Variable]:
    """Variables that a block does so with. returns: what the function gives back whose body this is."""
    return {var for var, _ in touches(block, program, returns)}


def touches(
    block: ir.Block, program: ir.Program, returns: ir.CType | None = None
) -> Iterator[tuple[ir.Variable, ir.Expr | ir.Stmt]]:
    """The same with the expression or the statement that does so, as often as there is one."""
    for expr in everything_in(block):
        kind = type(expr)
        # Of most expressions of a kind that may do so the operator says at once that they do not.
        if kind not in _GIVING or (kind is ir.Binary and expr.op != ">>"):  # type: ignore[union-attr]
            continue
        for place in _given_away(expr, program):
            for var in places(place):
                yield var, expr
    for item in ir.statements_of(block):
        for place in _given_by(item, returns):
            for var in places(place):
                yield var, item
        if isinstance(item, ir.Loop) and item.var is not None and item.start is not None:
            yield item.var, item


def _given_by(item: ir.Stmt, returns: ir.CType | None) -> tuple[ir.Expr, ...]:
    """What a statement lets a pointer, a reference or an object with such fields lead to."""
    if isinstance(item, ir.Declare):
        leads = item.var.init is not None and item.var.type.leads_elsewhere
        return (item.var.init,) if leads and item.var.init is not None else ()
    if isinstance(item, ir.Return):
        leads = returns is not None and item.value is not None and returns.leads_elsewhere
        return (item.value,) if leads and item.value is not None else ()
    if isinstance(item, ir.Loop) and item.var is not None and item.start is not None:
        return (item.start,) if item.var.type.pointer else ()
    return ()


def writes_arrays(name: str) -> bool:
    """Whether a function of the library may write the arrays that it is given."""
    return name.rpartition("::")[2] in _FILLERS


def _given_away(expr: ir.Expr, program: ir.Program) -> Iterable[ir.Expr]:
    """Parts of an expression that it may change, or lets be changed."""
    target = target_of(expr)
    if target is not None:
        return (target, expr.value) if isinstance(expr, ir.Assign) and _moves_pointer(expr) else (target,)
    if isinstance(expr, ir.Unary):
        return (expr.operand,) if expr.op == "&" else ()
    if isinstance(expr, ir.Binary):
        return (expr.right,) if expr.op == ">>" and not _is_number(expr.left, program) else ()
    return _of_call(expr, program) if isinstance(expr, ir.Call) else ()


def _of_call(call: ir.Call, program: ir.Program) -> Iterator[ir.Expr]:
    short = call.name.rpartition("::")[2]
    callee = program.functions.get(call.name) or program.functions.get(short)
    if call.receiver is not None and (callee is not None or call.name not in _LOOKS):
        yield call.receiver
    if callee is None and short in BY_VALUE and short not in program.declared:
        if not writes_arrays(short):
            return
        yield from call.args
        return
    if callee is None and call.span is None and call.receiver is None:
        return  # a value of a type
    for at, argument in enumerate(call.args):
        param = callee.params[at] if callee is not None and at < len(callee.params) else None
        if param is None or param.type.pointer or param.dims or param.type.kind in ("stream", "unknown"):
            yield argument


def _moves_pointer(expr: ir.Assign) -> bool:
    """Whether a pointer, or a reference that is a field, is put on something."""
    var = expr.target.var if isinstance(expr.target, ir.Ref) else None
    if var is None:
        return isinstance(expr.target, ir.Member) and not isinstance(expr.value, ir.Binary | ir.Const)
    return var.type.pointer > 0 and (not var.function or _is_address(expr.value))


def _is_address(expr: ir.Expr) -> bool:
    if isinstance(expr, ir.Ref):
        return expr.var is not None and bool(expr.var.dims or expr.var.type.pointer)
    if isinstance(expr, ir.Member):
        found = type_of_expression(expr.base).field_of(expr.field)
        return found is None or bool(found[1] or found[0].pointer)
    return isinstance(expr, ir.Ternary | ir.Many | ir.Binary) and any(map(_is_address, _parts(expr)))


def _parts(expr: ir.Ternary | ir.Many | ir.Binary) -> tuple[ir.Expr, ...]:
    if isinstance(expr, ir.Many):
        return expr.items
    return (expr.yes, expr.no) if isinstance(expr, ir.Ternary) else (expr.left, expr.right)


def _is_number(expr: ir.Expr, program: ir.Program) -> bool:
    """Whether `>>` behind it is a shift."""
    while isinstance(expr, ir.Binary) and expr.op in ("<<", ">>"):
        expr = expr.left
    if isinstance(expr, ir.Call) and expr.receiver is None:
        callee = program.functions.get(expr.name)
        return expr.function is not None or callee is None or callee.returns.is_number
    kind = type_of_expression(expr, program)
    return kind.is_number or isinstance(expr, ir.Const)


def places(expr: ir.Expr) -> Iterator[ir.Variable]:
    """The variables that a place, an address or a reference may lead to: more than one of `x ? a : b` and `(a, b)`."""
    pending = [expr]
    while pending:
        current = pending.pop()
        if isinstance(current, ir.Ref):
            if current.var is not None:
                yield current.var
        elif isinstance(current, ir.Index | ir.Member):
            pending.append(current.base)
        elif isinstance(current, ir.Unary | ir.Cast):
            pending.append(current.operand)
        elif isinstance(current, ir.Assign):
            pending.append(current.target)
        elif isinstance(current, ir.Ternary | ir.Many):
            pending += _parts(current)
        elif isinstance(current, ir.Binary):
            pending += [side for side in _parts(current) if _is_address(side)]
        elif isinstance(current, ir.Call):
            pending += [*current.args, *([current.receiver] if current.receiver is not None else [])]
