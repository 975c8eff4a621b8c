"""Facts about a program that lint needs and that hold whatever the tool does: constants, trip counts, uses, calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import ir
from .constants import Number, evaluate, evaluate_text
from .expressions import assigned_variables, children, everything_in, expressions_of, root_variable
from .trip_counts import iterations

MAX_CALL_DEPTH = 40
# From this width on an unknown bound says nothing useful: the tool reports `?` rather than 0 ~ 65535.
MAX_BOUNDED_WIDTH = 16


def walk(expr: ir.Expr | None) -> Iterator[ir.Expr]:
    """`expr` and everything inside it."""
    pending = [expr] if expr is not None else []
    while pending:
        item = pending.pop()
        yield item
        pending.extend(reversed(children(item)))


def calls(block: ir.Block) -> Iterator[ir.Call]:
    """Every call inside `block`."""
    for expr in everything_in(block):
        if type(expr) is ir.Call:
            yield expr


def reached(program: ir.Program, top: ir.Function) -> dict[str, ir.Function]:
    """`top` and every function with a body that it calls, directly or through others, by name."""
    found, pending = {top.name: top}, [top]
    while pending:
        for call in calls(pending.pop().body):
            for name in (call.name, call.name.rpartition("::")[2]):
                function = program.functions.get(name)
                if function is not None and name not in found:
                    found[name] = function
                    pending.append(function)
    return found


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


def assigned(block: ir.Block) -> dict[ir.Variable, int]:
    """How often each variable is assigned, stepped, or has its address or a reference handed out inside `block`."""
    found: dict[ir.Variable, int] = {}

    def note(expr: ir.Expr) -> None:
        var = root_variable(expr)
        if var is not None:
            found[var] = found.get(var, 0) + 1

    for outer in expressions_of(block):
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
    counts: dict[ir.Loop, int | None] = field(default_factory=dict)
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
        """How often a loop with constant bounds runs when nothing leaves it early; None when it varies."""
        if loop not in self.counts:
            changed = loop.var is not None and loop.var in assigned_variables(loop.body)
            values = None if changed else iterations(loop, self.constants)
            self.counts[loop] = None if values is None else len(values)
        return self.counts[loop]

    def is_bounded(self, loop: ir.Loop) -> bool:
        """Whether the tool can bound the trip count, or hwml cannot tell that it could not.

        Bounded: constants, counters of loops around it, narrow variables, arguments every call gives as a constant,
        counters that step in the condition or in every iteration from a constant start; `while (true)` is meant so.
        """
        if loop.kind == "range" or loop.condition is None or self.value(loop.condition):
            return True
        known = set(self.constants)
        outer: ir.Loop | None = loop
        while outer is not None:
            if outer.var is not None:
                known.add(outer.var)
            outer = outer.parent
        for expr in walk(loop.condition):
            if isinstance(expr, ir.Call) and expr.receiver is None and expr.name not in self.program.functions:
                return True  # a macro of a header that is not here, more often than not
            if isinstance(expr, ir.Member):
                return True  # counters inside structs become plain variables in the tool
            if isinstance(expr, ir.Call):
                return False
            if isinstance(expr, ir.Index):
                return _is_narrow(root_variable(expr))
            if isinstance(expr, ir.Ref) and not (expr.var is None or expr.var in known or self._limits(expr.var, loop)):
                return False
        return True

    def _limits(self, var: ir.Variable, loop: ir.Loop) -> bool:
        """Whether a variable in a loop's condition has a known range."""
        if var.const or _is_narrow(var) or var.scope == "global":
            return True
        function = self.program.functions.get(loop.function)
        if var.scope == "param" and function is not None:
            return self._is_constant_argument(function, var)
        if function is not None and var not in assigned_variables(ir.Block([loop])):
            return _only_constants(var, function)
        return _self_counting(var, loop)

    def _is_constant_argument(self, function: ir.Function, var: ir.Variable) -> bool:
        """Whether every call in the program passes a constant (there must be one)."""
        index = function.params.index(var) if var in function.params else -1
        given = [
            call.args[index]
            for caller in self.program.functions.values()
            for call in calls(caller.body)
            if call.name == function.name and 0 <= index < len(call.args)
        ]
        return bool(given) and all(self.value(argument) is not None for argument in given)


def _only_constants(var: ir.Variable, function: ir.Function) -> bool:
    """Whether a local is only ever given constants: `switch (kind) { case 0: n = 4; ...`."""
    given = [var.init] if var.init is not None else []
    for outer in expressions_of(function.body):
        for expr in walk(outer):
            if isinstance(expr, ir.Assign) and root_variable(expr.target) is var:
                if expr.op != "=":
                    return False
                given.append(expr.value)
            elif isinstance(expr, ir.Call) and any(root_variable(argument) is var for argument in expr.args):
                return False
    return bool(given) and all(evaluate(value, {}) is not None for value in given)


def _self_counting(var: ir.Variable, loop: ir.Loop) -> bool:
    """`int i = 16; while (i--)`: steps in every iteration, from a start that is most likely a constant."""
    if var.dims or var.scope == "param" or loop.condition is None:
        return False
    steady = [loop.condition, *([loop.step] if loop.step is not None else [])]
    steady += [item.expr for item in loop.body.items if isinstance(item, ir.Evaluate)]
    return any(
        isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--") and root_variable(expr) is var
        for outer in steady
        for expr in walk(outer)
    )


def _is_narrow(var: ir.Variable | None) -> bool:
    return var is not None and 0 < var.type.width <= MAX_BOUNDED_WIDTH and var.type.kind in ("int", "uint")


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


def _hardware(program: ir.Program, top: str) -> set[str]:
    """Functions that are synthesised: all that the top, functions with pragmas or the likely top reach; no `main`."""
    if top in program.functions:
        roots = [top]
    else:
        roots = [
            name
            for name, function in program.functions.items()
            if function.pragmas or any(loop.pragmas for loop in program.loops(name))
        ]
    if not roots and program.functions:
        from .tops import choose_top

        roots = [choose_top(program, None).name]
    found: set[str] = set()
    pending = [name for name in roots if name != "main"]
    while pending:
        name = pending.pop()
        if name in found or name == "main":
            continue
        found.add(name)
        pending += [c.name for c in calls(program.functions[name].body) if c.name in program.functions]
    return found


# -- who reads and writes what -------------------------------------------------------------------------------


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
        for expr in expressions_of(ir.Block([item])):
            self._expression(expr, uses)
        return uses

    def _expression(self, expr: ir.Expr, uses: Uses) -> None:
        if isinstance(expr, ir.Assign):
            self._assign(expr, uses)
        elif isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--"):
            var = root_variable(expr.operand)
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
        target = root_variable(expr.right)
        if target is not None:
            uses.writes.add(target)

    def _assign(self, expr: ir.Assign, uses: Uses) -> None:
        var = root_variable(expr.target)
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
        receiver = root_variable(expr.receiver) if expr.receiver is not None else None
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
        var = root_variable(argument)
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
    var = root_variable(expr)
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
