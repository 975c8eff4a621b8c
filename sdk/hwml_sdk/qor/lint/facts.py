"""What lint knows of a program whatever the tool does: constants, trip counts, bounds, what is synthesised."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..program import ir
from ..program.constants import evaluate
from ..program.expressions import assigned_variables, calls, everything_in, root_variable
from ..program.facts import assigned, walk
from ..program.numbers import Number
from ..program.tops import choose_top
from ..program.trip_counts import iterations
from ..project.benches import looks_like_bench

# From this width on an unknown bound says nothing useful: the tool reports `?` rather than 0 ~ 65535.
MAX_BOUNDED_WIDTH = 16


@dataclass(slots=True)
class Facts:
    """What was found out about a program; made by `of`."""

    program: ir.Program
    constants: dict[ir.Variable, Number] = field(default_factory=dict)
    counts: dict[ir.Loop, int | None] = field(default_factory=dict)
    hardware: set[str] = field(default_factory=set)
    _given: dict[str, dict[ir.Variable, list[ir.Expr] | None]] = field(default_factory=dict)

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
            return self._only_constants(var, function)
        return _self_counting(var, loop)

    def _only_constants(self, var: ir.Variable, function: ir.Function) -> bool:
        """Whether a local is only ever given constants: `switch (kind) { case 0: n = 4; ...`."""
        if function.name not in self._given:
            self._given[function.name] = _given_in(function)
        given = self._given[function.name].get(var, [])
        if given is None:
            return False
        values = [*([var.init] if var.init is not None else []), *given]
        return bool(values) and all(evaluate(value, {}) is not None for value in values)

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


def _given_in(function: ir.Function) -> dict[ir.Variable, list[ir.Expr] | None]:
    """What each variable is assigned in a function; None where it changes in another way."""
    found: dict[ir.Variable, list[ir.Expr] | None] = {}
    for expr in everything_in(function.body):
        if isinstance(expr, ir.Call):
            found |= {var: None for argument in expr.args if (var := root_variable(argument)) is not None}
        elif isinstance(expr, ir.Assign) and (target := root_variable(expr.target)) is not None:
            values = found.setdefault(target, [])
            if expr.op != "=":
                found[target] = None
            elif values is not None:
                values.append(expr.value)
    return found


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


def _hardware(program: ir.Program, top: str) -> set[str]:
    """Functions that are synthesised: all that the top, functions with pragmas or the likely top reach; no `main`.

    Test benches and host programs are left alone: nothing in a file that looks like one is a root.
    """
    benches = {path for path, text in program.sources.items() if looks_like_bench(text)}
    if top in program.functions:
        roots = [top]
    else:
        roots = [
            name
            for name, function in program.functions.items()
            if function.path not in benches
            and ">::" not in name  # a member of a class template is no code until something calls it
            and (function.pragmas or any(loop.pragmas for loop in program.loops(name)))
        ]
    if not roots and program.functions and program.path not in benches:
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
