"""Facts about a program that lint needs and that hold whatever the tool does: constants, trip counts, uses, calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from . import ir
from .constants import Number, evaluate, evaluate_text

MAX_CALL_DEPTH = 40
# From this width on an unknown bound says nothing useful: the tool reports `?` rather than 0 ~ 65535.
MAX_BOUNDED_WIDTH = 16


def children(expr: ir.Expr) -> tuple[ir.Expr, ...]:  # noqa: PLR0911 - one line per node type
    """The direct operands of an expression."""
    if isinstance(expr, ir.Binary):
        return expr.left, expr.right
    if isinstance(expr, ir.Unary | ir.Cast):
        return (expr.operand,)
    if isinstance(expr, ir.Index):
        return expr.base, *expr.subscripts
    if isinstance(expr, ir.Member):
        return (expr.base,)
    if isinstance(expr, ir.Assign):
        return expr.target, expr.value
    if isinstance(expr, ir.Ternary):
        return expr.condition, expr.yes, expr.no
    if isinstance(expr, ir.Call):
        return (*((expr.receiver,) if expr.receiver is not None else ()), *expr.args)
    if isinstance(expr, ir.Many):
        return expr.items
    return ()


def walk(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """`expr` and everything inside it."""
    pending = [expr] if expr is not None else []
    while pending:
        item = pending.pop()
        yield item
        pending.extend(reversed(children(item)))


def expressions(block: ir.Block) -> Iterator[ir.Expr]:
    """The outermost expressions of all statements inside `block`, loop heads and initialisers included."""
    for item in block.items:
        yield from statement_expressions(item)


def statement_expressions(item: ir.Stmt) -> Iterator[ir.Expr]:
    """The outermost expressions of one statement and all it contains."""
    if isinstance(item, ir.Block):
        yield from expressions(item)
    elif isinstance(item, ir.Declare):
        if item.var.init is not None:
            yield item.var.init
    elif isinstance(item, ir.Evaluate):
        yield item.expr
    elif isinstance(item, ir.Return):
        if item.value is not None:
            yield item.value
    elif isinstance(item, ir.If):
        yield item.condition
        yield from expressions(item.then)
        if item.otherwise is not None:
            yield from expressions(item.otherwise)
    elif isinstance(item, ir.Loop):
        yield from (part for part in (item.start, item.condition, item.step) if part is not None)
        yield from expressions(item.body)


def calls(block: ir.Block) -> Iterator[ir.Call]:
    """Every call inside `block`."""
    for outer in expressions(block):
        for expr in walk(outer):
            if isinstance(expr, ir.Call):
                yield expr


def declarations(block: ir.Block) -> Iterator[ir.Declare]:
    """Every local declaration inside `block`; counters of `for` heads are none."""
    for item in block.items:
        if isinstance(item, ir.Declare):
            yield item
        elif isinstance(item, ir.Block):
            yield from declarations(item)
        elif isinstance(item, ir.Loop):
            yield from declarations(item.body)
        elif isinstance(item, ir.If):
            yield from declarations(item.then)
            if item.otherwise is not None:
                yield from declarations(item.otherwise)


def base_variable(expr: ir.Expr) -> ir.Variable | None:
    """The variable an access goes to: of `a[i].x`, `*a`, `&a[0]`, `(T*)a`."""
    while not isinstance(expr, ir.Ref):
        if isinstance(expr, ir.Index | ir.Member):
            expr = expr.base
        elif isinstance(expr, ir.Unary | ir.Cast):
            expr = expr.operand
        else:
            return None
    return expr.var


def assigned(block: ir.Block) -> dict[ir.Variable, int]:
    """How often each variable is assigned, stepped, or has its address or a reference handed out inside `block`."""
    found: dict[ir.Variable, int] = {}

    def note(expr: ir.Expr) -> None:
        var = base_variable(expr)
        if var is not None:
            found[var] = found.get(var, 0) + 1

    for outer in expressions(block):
        for expr in walk(outer):
            if isinstance(expr, ir.Assign):
                note(expr.target)
            elif isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--", "&"):
                note(expr.operand)
            elif isinstance(expr, ir.Call):
                for argument in expr.args:
                    if isinstance(argument, ir.Ref | ir.Index | ir.Member):
                        note(argument)  # may be taken by reference
                if expr.receiver is not None:
                    note(expr.receiver)
    return found


@dataclass(slots=True)
class Facts:
    """What was found out about a program; made by `of`."""

    program: ir.Program
    constants: dict[ir.Variable, Number] = field(default_factory=dict)
    hardware: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, program: ir.Program, top: str = "") -> Facts:
        """Collect the facts. top: the kernel's name where it is known."""
        facts = cls(program)
        for function in program.functions.values():
            facts._add_constants(function)
        facts.hardware = _hardware(program, top)
        return facts

    def _add_constants(self, function: ir.Function) -> None:
        """Locals that are set once, by a constant initialiser: `int n = 8;`."""
        changed = assigned(function.body)
        for var in function.variables.values():
            if var.scope == "local" and not var.dims and var not in changed and var.init is not None:
                value = evaluate(var.init, self.constants)
                if value is not None:
                    self.constants[var] = int(value) if var.type.kind in ("int", "uint") else value

    def value(self, expr: ir.Expr | None) -> Number | None:
        """Constant value of an expression, or None."""
        return evaluate(expr, self.constants)

    def number(self, text: str, function: ir.Function | None) -> int | None:
        """Integer value of a pragma's option; None when it is no constant that can be known here."""
        known = dict(_template_values(function)) if function is not None else {}

        def lookup(name: str) -> Number | None:
            if name in known:
                return known[name]
            var = function.variables.get(name) if function is not None else None
            var = var or self.program.globals.get(name)
            return self.value(ir.Ref(name, var)) if var is not None else None

        value = evaluate_text(text, lookup)
        return int(value) if value is not None and value == int(value) else None

    def trip_count(self, loop: ir.Loop) -> int | None:
        """How often a counting loop with constant bounds runs when nothing leaves it early; None otherwise."""
        start, step = self.value(loop.start), _step(loop, self.constants)
        if loop.kind != "for" or loop.var is None or start is None or not step:
            return None
        if loop.var in assigned(loop.body):
            return None
        limit = _limit(loop, self.constants)
        return None if limit is None else _count(int(start), *limit, step)

    def is_bounded(self, loop: ir.Loop) -> bool:
        """Whether the tool can bound the trip count: constants, counters of loops around it, narrow variables."""
        known: dict[ir.Variable, Number] = dict(self.constants)
        outer = loop.parent
        while outer is not None:
            if outer.var is not None:
                known[outer.var] = 1
            outer = outer.parent
        if loop.kind == "range" or (loop.kind != "for" and self.value(loop.condition)):
            return True  # a container's size; `while (true)` runs for ever by design
        if loop.kind != "for" or loop.condition is None:
            return loop.condition is None
        for expr in walk(loop.condition):
            if isinstance(expr, ir.Ref) and expr.var is not None and _is_narrow(expr.var):
                known[expr.var] = 1
        if loop.var is not None:
            known[loop.var] = 1
        return evaluate(loop.condition, known) is not None


def _is_narrow(var: ir.Variable) -> bool:
    return 0 < var.type.width <= MAX_BOUNDED_WIDTH and var.type.kind in ("int", "uint")


def function_of(program: ir.Program, owner: ir.Loop | ir.Function | None) -> ir.Function | None:
    """The function a pragma's owner stands in."""
    return program.functions.get(owner.function) if isinstance(owner, ir.Loop) else owner


def _template_values(function: ir.Function) -> Iterator[tuple[str, Number]]:
    """Values of template parameters, as the reader writes them into the name of an instance: `fir<8, 16>`."""
    _, bracket, rest = function.name.partition("<")
    if not bracket:
        return
    for name, text in zip(function.template_params, rest.rstrip(">").split(", "), strict=False):
        value = evaluate_text(text, lambda _: None)
        if value is not None:
            yield name, value


def _step(loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> int | None:
    items = loop.step.items if isinstance(loop.step, ir.Many) else (loop.step,)
    for item in items:
        if isinstance(item, ir.Unary) and base_variable(item) is loop.var:
            return 1 if item.op.endswith("++") else -1 if item.op.endswith("--") else None
        if isinstance(item, ir.Assign) and base_variable(item.target) is loop.var:
            return _assigned_step(item, loop.var, known)
    return None


def _assigned_step(item: ir.Assign, var: ir.Variable | None, known: Mapping[ir.Variable, Number]) -> int | None:
    value = evaluate(item.value, known)
    if item.op in ("+=", "-="):
        return None if value is None else int(value) * (1 if item.op == "+=" else -1)
    if item.op == "=" and isinstance(item.value, ir.Binary) and item.value.op in ("+", "-"):
        amount = evaluate(item.value.right, known)
        if isinstance(item.value.left, ir.Ref) and item.value.left.var is var and amount is not None:
            return int(amount) * (1 if item.value.op == "+" else -1)
    return None


_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}


def _limit(loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> tuple[str, int] | None:
    """(operator, bound) of a condition that compares the counter with a constant."""
    condition = loop.condition
    if not isinstance(condition, ir.Binary) or condition.op not in _MIRROR:
        return None
    sides = ((condition.left, condition.right, condition.op), (condition.right, condition.left, _MIRROR[condition.op]))
    for counter, bound, op in sides:
        if isinstance(counter, ir.Ref) and counter.var is loop.var:
            value = evaluate(bound, known)
            return None if value is None or value != int(value) else (op, int(value))
    return None


def _count(start: int, op: str, bound: int, step: int) -> int | None:
    if op == "!=":
        distance = bound - start
        return distance // step if distance % step == 0 and distance // step >= 0 else None
    if (op in ("<", "<=")) != (step > 0):
        return 0 if not _holds(start, op, bound) else None
    distance = (bound - start) if step > 0 else (start - bound)
    distance += 1 if op in ("<=", ">=") else 0
    return max(-(-distance // abs(step)), 0)


def _holds(value: int, op: str, bound: int) -> bool:
    return {"<": value < bound, "<=": value <= bound, ">": value > bound, ">=": value >= bound}[op]


def _hardware(program: ir.Program, top: str) -> set[str]:
    """Functions that are synthesised: all that the top, or a function with pragmas, reaches; never `main`."""
    if top in program.functions:
        roots = [top]
    else:
        roots = [
            name
            for name, function in program.functions.items()
            if function.pragmas or any(loop.pragmas for loop in program.loops(name))
        ] or list(program.functions)
    found: set[str] = set()
    pending = [name for name in roots if name != "main"]
    while pending:
        name = pending.pop()
        if name in found or name == "main":
            continue
        found.add(name)
        pending += [c.name for c in calls(program.functions[name].body) if c.name in program.functions]
    return found


# -- who reads and writes what ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Uses:
    """Variables a piece of code reads and writes. unknown: handed to code that was not read."""

    reads: set[ir.Variable] = field(default_factory=set)
    writes: set[ir.Variable] = field(default_factory=set)
    unknown: set[ir.Variable] = field(default_factory=set)


# Methods of hls::stream, and whether they take from it, put into it, or only look at it (UG1399, "HLS Stream Library").
_STREAM_READS = {"read", "read_nb", "read_lock"}
_STREAM_WRITES = {"write", "write_nb", "write_lock"}
_STREAM_LOOKS = {"empty", "full", "size", "capacity", "set_name"}
_Places = tuple[frozenset[int], frozenset[int], frozenset[int]]


class UseFinder:
    """Finds reads and writes through calls; one per program."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self._params: dict[str, _Places] = {}
        self._busy: set[str] = set()

    def of(self, item: ir.Stmt) -> Uses:
        """What one statement, with all it contains and calls, does to variables."""
        uses = Uses()
        for expr in statement_expressions(item):
            self._expression(expr, uses)
        return uses

    def _expression(self, expr: ir.Expr, uses: Uses) -> None:
        if isinstance(expr, ir.Assign):
            self._assign(expr, uses)
        elif isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--"):
            var = base_variable(expr.operand)
            if var is not None:
                uses.reads.add(var)
                uses.writes.add(var)
        elif isinstance(expr, ir.Call):
            self._call(expr, uses)
        elif isinstance(expr, ir.Binary) and expr.op in ("<<", ">>") and _stream(expr.left) is not None:
            self._shift(expr, uses)
        elif isinstance(expr, ir.Ref):
            if expr.var is not None:
                uses.reads.add(expr.var)
        else:
            for child in children(expr):
                self._expression(child, uses)

    def _shift(self, expr: ir.Binary, uses: Uses) -> None:
        """`stream << value` and `stream >> variable`."""
        stream = _stream(expr.left)
        assert stream is not None
        if expr.op == "<<":
            uses.writes.add(stream)
            self._expression(expr.right, uses)
            return
        uses.reads.add(stream)
        target = base_variable(expr.right)
        if target is not None:
            uses.writes.add(target)

    def _assign(self, expr: ir.Assign, uses: Uses) -> None:
        var = base_variable(expr.target)
        if var is not None:
            uses.writes.add(var)
            if expr.op != "=":
                uses.reads.add(var)
        self._subscripts(expr.target, uses)
        self._expression(expr.value, uses)

    def _subscripts(self, expr: ir.Expr, uses: Uses) -> None:
        if isinstance(expr, ir.Index):
            for subscript in expr.subscripts:
                self._expression(subscript, uses)

    def _call(self, expr: ir.Call, uses: Uses) -> None:
        receiver = base_variable(expr.receiver) if expr.receiver is not None else None
        if receiver is not None:
            if expr.name in _STREAM_READS:
                uses.reads.add(receiver)
            elif expr.name in _STREAM_WRITES:
                uses.writes.add(receiver)
            elif expr.name not in _STREAM_LOOKS:
                uses.unknown.add(receiver)
        known = self._of_function(expr.name) if expr.name in self.program.functions else None
        for index, argument in enumerate(expr.args):
            self._argument(expr, index, argument, known, uses)

    def _argument(self, call: ir.Call, index: int, argument: ir.Expr, known: _Places | None, uses: Uses) -> None:
        var = base_variable(argument)
        if var is None or (known is None and not _shared(var)):
            self._expression(argument, uses)
            return
        if known is None:
            _foreign(call, index, var, uses)
        else:
            for place, target in zip(known, (uses.reads, uses.writes, uses.unknown), strict=True):
                if index in place:
                    target.add(var)
        self._subscripts(argument, uses)

    def _of_function(self, name: str) -> _Places:
        """Positions of the parameters a function reads, writes, or hands to code that was not read."""
        if name in self._params:
            return self._params[name]
        function = self.program.functions[name]
        if name in self._busy or len(self._busy) > MAX_CALL_DEPTH:
            everything = frozenset(range(len(function.params)))
            return everything, everything, everything
        self._busy.add(name)
        uses = self.of(function.body)
        self._busy.discard(name)

        def places(chosen: set[ir.Variable]) -> frozenset[int]:
            return frozenset(i for i, param in enumerate(function.params) if param in chosen)

        self._params[name] = places(uses.reads), places(uses.writes), places(uses.unknown)
        return self._params[name]


def _stream(expr: ir.Expr) -> ir.Variable | None:
    var = base_variable(expr)
    return var if var is not None and var.type.kind == "stream" else None


def _shared(var: ir.Variable) -> bool:
    """Whether a callee can change the variable without a reference: arrays, pointers, streams."""
    return bool(var.dims or var.type.pointer or var.type.kind == "stream")


def _foreign(call: ir.Call, index: int, var: ir.Variable, uses: Uses) -> None:
    """A shared variable handed to a function that was not read."""
    short = call.name.rpartition("::")[2]
    if short in ("memcpy", "memmove"):
        (uses.writes if index == 0 else uses.reads).add(var)
    elif short == "memset":
        uses.writes.add(var)
    else:
        uses.unknown.add(var)
