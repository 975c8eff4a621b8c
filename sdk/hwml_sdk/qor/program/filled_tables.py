"""Arrays that code fills with constants and that are only read from then on: tables, as if they were declared so.

UG1399, "Initializing and Mapping Arrays to ROMs": what a loop or a function of its own computes from constants alone
is computed by the tool, which leaves a ROM and no loop; reports of 2022.2 have no row of such loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from . import ir
from .constants import Number, Run, UnknownError, evaluate, held
from .expressions import assigned_variables, everything_in, inside, root_variable
from .flow import target_of, variables_in
from .handed import is_shared
from .touched import places, touched

MAX_CELLS = 4096
MAX_FILL_STEPS = 20_000  # of one table: a step is a statement or a round of a loop
_NUMBERS = ("int", "uint", "bool", "half", "float", "double", "fixed", "ufixed")


def fill_tables(program: ir.Program) -> None:
    """Turn such arrays into constants with their values, and take the code away that fills them."""
    for function in program.functions.values():
        kept = [item for item in function.body.items if not _fills(program, function, item)]
        if len(kept) != len(function.body.items):
            function.body.items[:] = kept
            function.body.assigned = function.body.assigned_in_order = function.body.everything = None


def _fills(program: ir.Program, function: ir.Function, item: ir.Stmt) -> bool:
    """Whether a statement of a function did nothing but fill tables, which have their values now."""
    filler = _filler(program, item)
    if filler is None:
        return False
    block, standing = filler
    tables = {standing.get(var, var) for var in assigned_variables(block) if var.dims}
    if not tables or not all(_may_be_table(program, function, item, var) for var in tables):
        return False
    if not _is_closed(block, standing, tables) or (not standing and _is_counted_on(program, function, item)):
        return False
    run = Filling(standing, tables, program)
    try:
        run.block(block)
    except UnknownError:
        return False
    if not all(run.is_full(var) or var.init is None or _is_zero(var.init) for var in tables):
        return False
    for var in tables:
        var.init, var.const = run.table(var), True
    return True


def _is_counted_on(program: ir.Program, function: ir.Function, item: ir.Stmt) -> bool:
    """Whether a counter of a loop is asked for outside of it."""
    others = ir.Block([other for other in function.body.items if other is not item])
    counters = [loop.var for loop in ir.loops_of(ir.Block([item])) if loop.var is not None]
    return any(_names(others, var) or _is_named_elsewhere(program, function, var) for var in counters)


def _is_zero(init: ir.Expr) -> bool:
    if isinstance(init, ir.Many):
        return not init.comma and all(map(_is_zero, init.items))
    return evaluate(init, {}) == 0


def _filler(program: ir.Program, item: ir.Stmt) -> tuple[ir.Block, Mapping[ir.Variable, ir.Variable]] | None:
    """The code that a statement runs, and which array each array parameter of it stands for."""
    if isinstance(item, ir.Loop) and item.kind == "for":
        return ir.Block([item]), {}
    call = item.expr if isinstance(item, ir.Evaluate) else None
    callee = program.functions.get(call.name) if isinstance(call, ir.Call) and call.receiver is None else None
    if callee is None or call is None or not isinstance(call, ir.Call) or len(call.args) != len(callee.params):
        return None
    standing = {}
    for param, argument in zip(callee.params, call.args, strict=True):
        if not isinstance(argument, ir.Ref) or argument.var is None or not argument.var.dims or not param.dims:
            return None
        if argument.var.dims[1:] != param.dims[1:]:
            return None
        standing[param] = argument.var
    return (callee.body, standing) if standing else None


def _may_be_table(program: ir.Program, function: ir.Function, item: ir.Stmt, var: ir.Variable) -> bool:
    """Whether an array of this function is small, and nothing else in the program may change it or read it before."""
    extents = [extent for extent in var.dims if extent]
    if var.const or var.scope != "local" or len(extents) != len(var.dims) or prod(extents) > MAX_CELLS:
        return False
    if var.type.kind not in _NUMBERS or var.type.pointer or var not in function.variables.values():
        return False
    if var.static or var.handed or var.type.unsettled:
        return False
    at = next(index for index, other in enumerate(function.body.items) if other is item)
    before, behind = function.body.items[:at], ir.Block(function.body.items[at + 1 :])
    # What nobody reads is no table: such a loop shows what it is as it stands.
    if _names(ir.Block(before), var) or not _names(behind, var) or _is_named_elsewhere(program, function, var):
        return False
    return not _may_change(program, behind, var)


def _names(block: ir.Block, var: ir.Variable) -> bool:
    return any(isinstance(expr, ir.Ref) and expr.var is var for expr in everything_in(block))


def _is_named_elsewhere(program: ir.Program, function: ir.Function, var: ir.Variable) -> bool:
    """Whether another function names a variable of this one, as a lambda may."""
    return any(_names(other.body, var) for other in program.functions.values() if other is not function)


def _may_change(program: ir.Program, block: ir.Block, var: ir.Variable) -> bool:
    """Whether code writes an array, or gives it or an element where it may be written."""
    read: set[int] = set()
    handed: list[ir.Call] = []
    for expr in everything_in(block):
        if isinstance(expr, ir.Index) and isinstance(expr.base, ir.Ref) and expr.base.var is var:
            if len(expr.subscripts) == len(var.dims):
                read.add(id(expr.base))
        elif isinstance(expr, ir.Call) and _only_read(program, expr, var):
            handed.append(expr)
            read.update(id(argument) for argument in expr.args if isinstance(argument, ir.Ref) and argument.var is var)
    if var in touched(block, program, leaving=handed):
        return True
    return any(isinstance(e, ir.Ref) and e.var is var and id(e) not in read for e in everything_in(block))


def _only_read(program: ir.Program, call: ir.Call, var: ir.Variable) -> bool:
    """Whether a function that gets the array, and no element of it, reads elements and does nothing else with it."""
    callee = program.functions.get(call.name)
    if callee is None or call.receiver is not None or len(call.args) > len(callee.params):
        return False
    pairs = list(zip(callee.params, call.args, strict=False))
    params = [p for p, a in pairs if isinstance(a, ir.Ref) and a.var is var]
    if not params or not all(param.dims for param in params):
        return False
    if any(p.type.pointer and not p.dims and var in set(places(a)) for p, a in pairs):
        return False
    bases = {
        id(expr.base) for expr in everything_in(callee.body)
        if isinstance(expr, ir.Index) and len(expr.subscripts) == len(var.dims)
    }  # fmt: skip
    named = [expr for expr in everything_in(callee.body) if isinstance(expr, ir.Ref) and expr.var in params]
    inside_others = any(_is_named_elsewhere(program, callee, param) for param in params)
    changed = touched(callee.body, program, callee.returns)
    return not inside_others and not set(params) & changed and all(id(expr) in bases for expr in named)


def _is_closed(block: ir.Block, standing: Mapping[ir.Variable, ir.Variable], tables: set[ir.Variable]) -> bool:
    """Whether code changes nothing but tables and what is declared in it, and knows nothing but constants."""
    loops = {loop.var for loop in ir.loops_of(block) if loop.var is not None and loop.start is not None}
    local = {item.var for item in _declared(block)} | loops
    if any(var.type.pointer or var.handed or var.type.unsettled or is_shared(var) for var in local):
        return False
    local = {var for var in local if not var.static}
    for expr in everything_in(block):
        if isinstance(expr, ir.Call) and (expr.receiver is not None or any(map(_is_array, expr.args))):
            return False
        target = target_of(expr)
        var = root_variable(target) if target is not None else None
        if target is not None and standing.get(var, var) not in tables and var not in local:  # type: ignore[arg-type]
            return False
    named = set(variables_in(*everything_in(block))) - local - set(standing) - tables
    return all(evaluate(ir.Ref(var.name, var), {}) is not None or (var.const and var.dims) for var in named)


def _is_array(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Ref) and expr.var is not None and bool(expr.var.dims)


def _declared(block: ir.Block) -> Iterator[ir.Declare]:
    for item in block.items:
        if isinstance(item, ir.Declare):
            yield item
        elif isinstance(item, ir.Block):
            yield from _declared(item)
        elif isinstance(item, ir.Loop):
            yield from _declared(item.body)
        elif isinstance(item, ir.If):
            yield from _declared(item.then)
            if item.otherwise is not None:
                yield from _declared(item.otherwise)


class Filling(Run):
    """A run that keeps elements of the tables."""

    def __init__(
        self, standing: Mapping[ir.Variable, ir.Variable], tables: set[ir.Variable], program: ir.Program
    ) -> None:
        super().__init__(0, program.work, MAX_FILL_STEPS)
        self.standing = standing
        self.cells: dict[ir.Variable, dict[int, Number]] = {var: {} for var in tables}

    def change(self, expr: ir.Expr) -> None:
        """Also assignments to elements."""
        for item in expr.items if isinstance(expr, ir.Many) else (expr,):
            if isinstance(item, ir.Assign) and item.op == "=" and isinstance(item.target, ir.Ref):
                whole = item.target.var
                if whole in self.cells and len(whole.dims) == 1 and isinstance(item.value, ir.Many):
                    if item.value.comma or len(item.value.items) > (whole.dims[0] or 0):
                        raise UnknownError
                    listed = [held(whole.type, self.value(value)) for value in item.value.items]
                    listed += [0] * ((whole.dims[0] or 0) - len(listed))
                    self.cells[whole] = dict(enumerate(listed))
                    continue
            if not isinstance(item, ir.Assign) or not isinstance(item.target, ir.Index):
                super().change(item)
                continue
            var = root_variable(item.target)
            var = self.standing.get(var, var) if var is not None else None
            if var not in self.cells or item.op != "=" or len(item.target.subscripts) != len(var.dims):
                raise UnknownError
            self.cells[var][self._place(var, item.target)] = held(var.type, self.value(item.value))

    def _place(self, var: ir.Variable, target: ir.Index) -> int:
        place = 0
        for extent, subscript in zip(var.dims, target.subscripts, strict=True):
            index = int(self.value(subscript))
            if extent is None or not 0 <= index < extent:
                raise UnknownError
            place = place * extent + index
        return place

    def value(self, expr: ir.Expr | None) -> Number:
        """What reads an element of a table that is being filled is not told."""
        if expr is not None and any(
            isinstance(e, ir.Index) and self.standing.get(v := root_variable(e), v) in self.cells  # type: ignore[arg-type]
            for e in inside([expr])
        ):
            raise UnknownError
        return super().value(expr)

    def is_full(self, var: ir.Variable) -> bool:
        """Whether each element was given a value."""
        return all(var.dims) and len(self.cells[var]) == prod(extent or 0 for extent in var.dims)

    def table(self, var: ir.Variable) -> ir.Many:
        """The values, as an initialiser would have them; what was left alone is zero."""

        def level(dims: tuple[int | None, ...], first: int) -> ir.Many:
            extent, *rest = dims
            size = prod(x or 1 for x in rest)
            cells = self.cells[var]
            if not rest:
                return ir.Many(tuple(ir.Const(cells.get(first + i, 0), var.type) for i in range(extent or 0)))
            return ir.Many(tuple(level(tuple(rest), first + i * size) for i in range(extent or 0)))

        return level(var.dims, 0)
