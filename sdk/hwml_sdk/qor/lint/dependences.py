"""What pragmas say of the order of accesses, against the order that the subscripts show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...document import Related
from ..program import ir
from ..program.expressions import assigned_variables, children, everything_in, expressions_of, inside
from ..program.facts import function_of
from ..program.trip_counts import iterations
from .affine import form_of
from .code import Code
from .context import Context, is_on, loop_name
from .rule import rule

FALSE_DEPENDENCE = Code("HLS135", "warning", "DEPENDENCE false on a real dependence")
STREAM_ORDER = Code("HLS136", "warning", "STREAM on an array that is not read in order")


@rule(FALSE_DEPENDENCE)
def false_dependences(context: Context) -> None:
    """A dependence between rounds that is there for certain: the result of the hardware would be wrong."""
    for pragma in context.program.pragmas:
        function = function_of(context.program, pragma.owner)
        if pragma.kind != "DEPENDENCE" or function is None or not _says_false(pragma):
            continue
        if function.name not in context.facts.hardware:
            continue
        loops = [pragma.owner] if isinstance(pragma.owner, ir.Loop) else list(context.program.loops(function.name))
        pairs = [(loop, var) for var in _spoken_of(context, pragma, function) for loop in loops]
        for loop, var in pairs:
            distance = _distance(context, loop, var)
            if distance:
                _report_dependence(context, pragma, var, loop, distance)
                break


def _spoken_of(context: Context, pragma: ir.Pragma, function: ir.Function) -> list[ir.Variable]:
    """The variable a pragma names; every array of the function where it names none."""
    name = pragma.options.get("variable", "")
    if not name:
        return [
            var for var in function.variables.values() if var.dims and not context.declared_twice(function, var.name)
        ]
    var = function.variables.get(name) or context.program.globals.get(name)
    return [] if var is None or context.declared_twice(function, name) else [var]


def _says_false(pragma: ir.Pragma) -> bool:
    options = pragma.options
    says = "false" in options or options.get("dependent", "").lower() == "false"
    kind = options.get("type", options.get("class", "")).lower()
    within = "intra" in options or kind == "intra"
    return says and not within and options.get("direction", "raw").lower() in ("raw", "")


def _report_dependence(context: Context, pragma: ir.Pragma, var: ir.Variable, loop: ir.Loop, distance: int) -> None:
    ago = "the round before" if distance == 1 else f"{distance} rounds before"
    message = (
        f"{var.name} does depend on {ago} of {loop_name(loop)}: DEPENDENCE false is ignored, or gives wrong results"
    )
    related = (Related(f"{loop_name(loop)} stands here", loop.head, loop.path),)
    fixes = context.text(pragma).remove("remove the pragma", safe=False)
    context.report(FALSE_DEPENDENCE, message, pragma.path, pragma.span, fixes=fixes, related=related)


def _distance(context: Context, loop: ir.Loop, var: ir.Variable) -> int:
    """The least number of rounds after which the loop surely reads what it wrote; 0 where that is not certain."""
    if not var.dims and not var.type.pointer:
        return 1 if _feeds_itself(loop, var) else 0
    counter = loop.var
    if counter is None:
        return 0
    writes, reads = _subscripts(loop.body, var)
    step = _step(context, loop)
    found = [d for w in writes for r in reads if (d := _between(context, w, r, counter, step)) > 0]
    return min(found, default=0)


def _feeds_itself(loop: ir.Loop, var: ir.Variable) -> bool:
    """Whether a round reads a scalar that it writes, before it is given a fresh value for certain."""
    if var not in assigned_variables(loop.body) or var is loop.var:
        return False
    for item in loop.body.items:
        expr = item.expr if isinstance(item, ir.Evaluate) else None
        whole = isinstance(expr, ir.Assign) and expr.op == "=" and isinstance(expr.target, ir.Ref)
        if isinstance(expr, ir.Assign) and whole and isinstance(expr.target, ir.Ref) and expr.target.var is var:
            return _mentions(expr.value, var)
        if any(_mentions(part, var) for part in expressions_of(ir.Block([item]))):
            return _reads(item, var)
    return False


def _mentions(expr: ir.Expr, var: ir.Variable) -> bool:
    return any(isinstance(item, ir.Ref) and item.var is var for item in inside([expr]))


def _reads(item: ir.Stmt, var: ir.Variable) -> bool:
    """Whether the first statement that names a scalar reads it, and does not only set it."""
    for expr in everything_in(ir.Block([item])):
        if isinstance(expr, ir.Assign) and isinstance(expr.target, ir.Ref) and expr.target.var is var:
            if expr.op != "=" or _mentions(expr.value, var):
                return True
        elif isinstance(expr, ir.Unary | ir.Binary | ir.Call | ir.Ternary | ir.Index):
            if any(isinstance(e, ir.Ref) and e.var is var for e in children(expr)):
                return True
        elif isinstance(expr, ir.Assign) and isinstance(expr.value, ir.Ref) and expr.value.var is var:
            return True
    return False


def _subscripts(block: ir.Block, var: ir.Variable) -> tuple[list[tuple[ir.Expr, ...]], list[tuple[ir.Expr, ...]]]:
    """Subscripts of plain writes and reads of an array."""
    targets = {id(e.target): e.op for e in everything_in(block) if isinstance(e, ir.Assign)}
    writes, reads = [], []
    for expr in everything_in(block):
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.var is var:
            op = targets.get(id(expr))
            if op is not None:
                writes.append(expr.subscripts)
            if op != "=":
                reads.append(expr.subscripts)
    return writes, reads


def _between(
    context: Context, write: tuple[ir.Expr, ...], read: tuple[ir.Expr, ...], counter: ir.Variable, step: int
) -> int:
    """Rounds from the write of an element to its read, by their subscripts; 0 when they do not surely meet so."""
    if len(write) != len(read):
        return 0
    rounds: int | None = None
    for one, other in zip(write, read, strict=True):
        a, b = form_of(one, counter, context.facts), form_of(other, counter, context.facts)
        if a is None or b is None or a[0] != b[0] or a[2] != b[2]:
            return 0
        apart = a[1] - b[1]
        if a[0] == 0:
            if apart or a[2]:
                return 0
            continue
        if apart % (a[0] * step):
            return 0
        here = apart // (a[0] * step)
        if rounds not in (None, here):
            return 0
        rounds = here
    return 1 if rounds is None else rounds  # the same element in every round


def _step(context: Context, loop: ir.Loop) -> int:
    values = iterations(loop, context.facts.constants)
    if values is not None and len(values) > 1:
        return int(values[1] - values[0])
    return -1 if isinstance(loop.step, ir.Unary) and "--" in loop.step.op else 1


# -- STREAM --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pass:
    """A loop that goes over an array: by how many elements a round, from which place on."""

    loop: ir.Loop
    write: bool
    stride: int


@rule(STREAM_ORDER)
def stream_order(context: Context) -> None:
    """An array kept in a FIFO gives its elements back in the order they were written, each once."""
    for function in context.functions():
        for pragma in function.pragmas:
            if pragma.kind != "STREAM" or not is_on(pragma) or pragma.options.get("type", "fifo").lower() != "fifo":
                continue
            var = function.variables.get(pragma.options.get("variable", ""))
            if var is None or not var.dims or var.type.kind == "stream":
                continue
            passes = list(_passes(context, function, var, 0))
            wrong = next((p for p in passes if p.stride < 0 or p.stride > 1), None)
            if wrong is not None and not all(p.stride == wrong.stride for p in passes):
                _report_order(context, pragma, var, wrong)


def _report_order(context: Context, pragma: ir.Pragma, var: ir.Variable, wrong: _Pass) -> None:
    how = "backwards" if wrong.stride == -1 else f"in steps of {wrong.stride}"
    verb = "written" if wrong.write else "read"
    message = (
        f"{var.name} is {verb} {how} in {loop_name(wrong.loop)}: a FIFO gives its elements in the order they were "
        "written; leave it a PIPO or RAM"
    )
    related = (Related(f"{var.name} is {verb} {how} here", wrong.loop.head, wrong.loop.path),)
    fixes = context.text(pragma).remove("remove the pragma", safe=False)
    context.report(STREAM_ORDER, message, pragma.path, pragma.span, fixes=fixes, related=related)


def _passes(context: Context, function: ir.Function, var: ir.Variable, depth: int) -> Iterator[_Pass]:
    for loop in context.program.loops(function.name):
        counter = loop.var
        if counter is None or len(var.dims) != 1 or next(ir.loops_of(loop.body), None) is not None:
            continue
        writes, reads = _subscripts(loop.body, var)
        for subscripts, write in [(w, True) for w in writes] + [(r, False) for r in reads]:
            form = form_of(subscripts[0], counter, context.facts) if len(subscripts) == 1 else None
            if form is not None:
                yield _Pass(loop, write, form[0] * _step(context, loop))
    for expr in everything_in(function.body) if depth < 3 else ():
        callee = context.program.functions.get(expr.name) if isinstance(expr, ir.Call) else None
        if callee is None or not isinstance(expr, ir.Call):
            continue
        for argument, param in zip(expr.args, callee.params, strict=False):
            if isinstance(argument, ir.Ref) and argument.var is var and len(param.dims) == 1:
                yield from _passes(context, callee, param, depth + 1)
