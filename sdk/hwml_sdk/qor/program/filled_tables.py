"""Arrays that code fills with constants and that are only read from then on: tables, as if they were declared so.

UG1399, "Initializing and Mapping Arrays to ROMs": what a loop or a function of its own computes from constants alone
is computed by the tool, which leaves a ROM and no loop; reports of 2022.2 have no row of such loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod

from . import ir
from .constants import Number, Run, UnknownError, evaluate, held
from .expressions import assigned_variables, everything_in, inside, look_anew, named_in, root_variable
from .facts import declarations
from .flow import target_of
from .handed import is_shared
from .named import Named, Names

MAX_CELLS = 4096
MAX_FILL_STEPS = 20_000  # of one table: a step is a statement or a round of a loop
NODES_A_STEP = 8  # of code that is looked at, or of values that are made, in the time of a step


def fill_tables(program: ir.Program, names: Names) -> None:
    """Turn such arrays into constants with their values, and take the code away that fills them.

    What that takes is taken from `program.work`; when it is used up, the other loops stay as they are.
    """
    ran: dict[_Key, _Values | None] = {}
    for function in program.functions.values():
        kept = [
            item for number, item in enumerate(function.body.items)
            if not _fills(program, names, function, (number, item), ran)
        ]  # fmt: skip
        if len(kept) != len(function.body.items):
            function.body.items[:] = kept
            look_anew(function.body)


# A function with what it is given: it does the same to all arrays of one shape and type.
_Key = tuple[int, int, tuple[tuple[tuple[int | None, ...], ir.CType], ...], tuple[Number, ...]]
_Values = dict[ir.Variable, tuple[bool, ir.Many]]  # of an array: whether each element was set, and all of them


def _fills(
    program: ir.Program,
    names: Names,
    function: ir.Function,
    place: tuple[int, ir.Stmt],
    ran: dict[_Key, _Values | None],
) -> bool:
    """Whether a statement of a function did nothing but fill tables, which have their values now.

    ran: what calls of functions came to, by what they are given; None for one that does more.
    """
    number, item = place
    filler = _filler(program, item)
    if filler is None or program.work.left < 0:
        return False
    block, standing, numbers = filler
    assigned = assigned_variables(block)
    tables = {table for var in assigned if (table := standing.get(var, var)).dims}
    if (
        not program.work.take(len(assigned) // NODES_A_STEP if not standing else 1)
        or not tables
        or not all(_may_be_table(names, function, number, var) for var in tables)
    ):
        return False
    # The body of a function that fills tables of its own may lose statements meanwhile.
    key = id(block), len(block.items), tuple((var.dims, var.type) for var in standing.values()), tuple(numbers.values())
    if not standing:
        counted_on = _is_counted_on(names, function, number, item)
        values = None if counted_on else _values(program, filler, tables)
    else:
        if key not in ran:
            values = _values(program, filler, tables)
            ran[key] = None if values is None else {p: values[var] for p, var in standing.items() if var in values}
        kept = ran[key]
        values = None if kept is None else {standing[param]: value for param, value in kept.items()}
    if values is None or not all(full or var.init is None or _is_zero(var.init) for var, (full, _) in values.items()):
        return False
    for var, (_, held_in) in values.items():
        var.init, var.const = held_in, True
    return True


def _values(program: ir.Program, filler: _Filler, tables: set[ir.Variable]) -> _Values | None:
    """What code leaves in the tables; None where it does more than filling them, or takes too long."""
    block, standing, numbers = filler
    if not program.work.take(len(everything_in(block)) // NODES_A_STEP):
        return None
    if not _is_closed(block, {*standing, *numbers}, tables, standing):
        return None
    run = Filling(standing, tables, program)
    run.values.update(numbers)
    with _run_through(program, block):
        try:
            run.block(block)
        except UnknownError:
            return None
    if not program.work.take(sum(cells_of(var) for var in tables) // NODES_A_STEP):
        return None
    return {var: (run.is_full(var), run.table(var)) for var in tables}


@contextmanager
def _run_through(program: ir.Program, block: ir.Block) -> Iterator[None]:
    """Meanwhile functions that make numbers of numbers alone are run as if they were `constexpr`."""
    lent: list[ir.Call] = []
    for expr in everything_in(block):
        callee = program.functions.get(expr.name) if isinstance(expr, ir.Call) and expr.function is None else None
        if isinstance(expr, ir.Call) and callee is not None and _is_of_numbers(program, callee):
            expr.function = callee
            lent.append(expr)
    try:
        yield
    finally:
        for call in lent:
            call.function = None


def _is_of_numbers(program: ir.Program, function: ir.Function) -> bool:
    """Whether a function gets numbers, gives one back, and neither knows nor changes anything else."""
    kinds = [function.returns, *(param.type for param in function.params)]
    if not all(kind.is_number and not kind.pointer for kind in kinds) or any(param.dims for param in function.params):
        return False
    inner = everything_in(function.body)
    calls = any(isinstance(expr, ir.Call) and expr.name in program.functions for expr in inner)
    return program.work.take(len(inner) // NODES_A_STEP) and not calls and _is_closed(
        function.body, set(function.params), set(), {}
    )  # fmt: skip


def cells_of(var: ir.Variable) -> int:
    """How many elements an array has, 0 where that is not known."""
    return prod(extent or 0 for extent in var.dims)


def _is_counted_on(names: Names, function: ir.Function, number: int, item: ir.Stmt) -> bool:
    """Whether a counter of a loop is asked for outside of it."""
    counters = [loop.var for loop in ir.loops_of(ir.Block([item])) if loop.var is not None]
    at = names.of(function).at
    return any(at.get(var, [number]) != [number] or names.elsewhere(function, var) for var in counters)


def _is_zero(init: ir.Expr) -> bool:
    if isinstance(init, ir.Many):
        return not init.comma and all(map(_is_zero, init.items))
    return evaluate(init, {}) == 0


_Filler = tuple[ir.Block, dict[ir.Variable, ir.Variable], dict[ir.Variable, Number]]


def _filler(program: ir.Program, item: ir.Stmt) -> _Filler | None:
    """The code that a statement runs, which array each parameter of it stands for, and which number each other has."""
    if isinstance(item, ir.Block) or (isinstance(item, ir.Loop) and item.kind == "for"):
        return ir.Block([item]), {}, {}
    call = item.expr if isinstance(item, ir.Evaluate) else None
    callee = program.functions.get(call.name) if isinstance(call, ir.Call) and call.receiver is None else None
    if callee is None or call is None or not isinstance(call, ir.Call) or len(call.args) != len(callee.params):
        return None
    standing: dict[ir.Variable, ir.Variable] = {}
    numbers: dict[ir.Variable, Number] = {}
    for param, argument in zip(callee.params, call.args, strict=True):
        value = evaluate(argument, {}) if param.type.is_number and not (param.dims or param.type.pointer) else None
        if value is not None:
            numbers[param] = held(param.type, value)
            continue
        table = argument.var if isinstance(argument, ir.Ref) else None
        extents = param.dims or (None,) * param.type.pointer
        if table is None or not table.dims or len(extents) != len(table.dims) or table.dims[1:] != extents[1:]:
            return None
        standing[param] = table
    single = len(set(standing.values())) == len(standing)
    return (callee.body, standing, numbers) if standing and single else None


def _may_be_table(names: Names, function: ir.Function, number: int, var: ir.Variable) -> bool:
    """Whether an array of this function is small, and nothing else in the program may change it or read it before."""
    if var.const or var.scope != "local" or not all(var.dims) or not 0 < cells_of(var) <= MAX_CELLS:
        return False
    if not var.type.is_number or var.type.pointer or function.variables.get(var.name) is not var:
        return False
    if var.static or var.handed or var.type.unsettled:
        return False
    named = names.of(function)
    # What nobody reads is no table: such a loop shows what it is as it stands.
    if named.at[var][:1] != [number] or named.at[var][-1] <= number or names.elsewhere(function, var):
        return False
    return not _may_change(names, named, number, var)


def _may_change(names: Names, named: Named, number: int, var: ir.Variable) -> bool:
    """Whether code behind a statement writes an array, or gives it or an element where it may be written."""
    reading: set[int] = set()
    for at, call in reversed(named.partly[var]):
        if at <= number:
            break
        if call is None or not names.reads_elements(call, var):
            return True
        reading.add(id(call))
    for at, what in reversed(named.touched[var]):
        if at <= number:
            break
        if id(what) not in reading:
            return True
    return False


def _is_closed(
    block: ir.Block, given: set[ir.Variable], tables: set[ir.Variable], standing: Mapping[ir.Variable, ir.Variable]
) -> bool:
    """Whether code changes nothing but tables and what is declared in it, and knows nothing but constants."""
    loops = {loop.var for loop in ir.loops_of(block) if loop.var is not None and loop.start is not None}
    local = {item.var for item in declarations(block)} | loops
    if any(var.type.pointer or var.handed or var.type.unsettled or is_shared(var) for var in local):
        return False
    local = {var for var in local if not var.static} | {var for var in given if var not in standing}
    for expr in everything_in(block):
        kind = type(expr)
        if kind is ir.Ref or kind is ir.Const or kind is ir.Binary:
            continue
        if isinstance(expr, ir.Call) and (expr.receiver is not None or any(map(_is_array, expr.args))):
            return False
        target = target_of(expr)
        var = root_variable(target) if target is not None else None
        if target is not None and standing.get(var, var) not in tables and var not in local:  # type: ignore[arg-type]
            return False
    named = named_in(block) - local - given - tables
    return all(evaluate(ir.Ref(var.name, var), {}) is not None or (var.const and var.dims) for var in named)


def _is_array(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Ref) and expr.var is not None and bool(expr.var.dims)


class Filling(Run):
    """A run that keeps elements of the tables."""

    def __init__(
        self, standing: Mapping[ir.Variable, ir.Variable], tables: set[ir.Variable], program: ir.Program
    ) -> None:
        super().__init__(0, program.work, MAX_FILL_STEPS)
        self.standing = standing
        self.cells: dict[ir.Variable, dict[int, Number]] = {var: {} for var in tables}
        self._looked: dict[int, tuple[int, bool]] = {}  # of expressions: steps for their size, whether they read such

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
            var = self._stands_for(item.target)
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
        if expr is not None:
            if id(expr) not in self._looked:
                inner = inside([expr])
                reads = any(isinstance(e, ir.Index) and self._stands_for(e) in self.cells for e in inner)
                self._looked[id(expr)] = (len(inner) // NODES_A_STEP, reads)
            steps, reads = self._looked[id(expr)]
            if reads:
                raise UnknownError
            if steps:
                self.count(steps)
        return super().value(expr)

    def _stands_for(self, expr: ir.Expr) -> ir.Variable | None:
        var = root_variable(expr)
        return self.standing.get(var, var) if var is not None else None

    def is_full(self, var: ir.Variable) -> bool:
        """Whether each element was given a value."""
        return all(var.dims) and len(self.cells[var]) == cells_of(var)

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
