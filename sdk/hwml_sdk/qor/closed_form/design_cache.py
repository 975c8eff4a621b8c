"""What holds for a whole design and is found once: layouts, bindings, steps, which functions have loops, results."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ..program import ir
from ..program.budget import Work, estimate_steps
from ..program.constants import Number, initial_of
from ..program.expressions import assigned_variables, calls, everything_in, named_in, root_variable
from ..program.trip_counts import TripCount, constant_step
from ..program.typenames import split_scope
from ..tool.binding import Binding, bindings, limits
from ..tool.operators import Target
from .memo import Memo, said_of_functions
from .memory import Layout, layouts, part_layout
from .plan import Options
from .results import FunctionResult
from .schedule.accesses import root

# Calls inside calls; deeper nests are recursion in all but name, which HLS does not build (UG1399).
MAX_CALLS = 40
_COPIES = frozenset({"memcpy", "memmove", "memset"})
MAX_BASES = 64  # base classes of a struct, and theirs
# More dimensions than arrays of real code have.
MAX_DIMS = 8


class Design:
    """One program with one target.

    functions: a result of each function, the first one found. results: of each set of constants and arrays.
    walks: calls that were walked so far. work: what may still be walked. tables: constant arrays that are memories.
    shortest: loops run as seldom as they can, instead of as often. varies: a loop was met where that makes a
    difference. memo: what estimates of the same program with other pragmas have in common; said: of what its keys take.
    """

    def __init__(
        self,
        program: ir.Program,
        target: Target,
        options: Options,
        *,
        shortest: bool = False,
        memo: Memo | None = None,
    ) -> None:
        self.program = program
        self.target = target
        self.options = options
        self.shortest = shortest
        self.varies = False
        self.functions: dict[str, FunctionResult] = {}
        self.results: dict[Hashable, FunctionResult] = {}
        self.walks = 0
        self.work = Work(estimate_steps(program.work.used))
        self._layouts: dict[str, dict[ir.Variable, Layout]] = {}
        self.memo = memo
        self.said = said_of_functions(program) if memo is not None else None
        self._objects: dict[ir.Variable, bool] = {}
        self._parts: dict[tuple[ir.Variable, str], ir.Variable | None] = memo.parts if memo is not None else {}
        self._written: dict[str, frozenset[ir.Variable]] = {}
        self._loops_below: dict[str, bool] = memo.loops_below if memo is not None else {}
        self._calling: dict[ir.Loop, bool] = memo.calling if memo is not None else {}
        self._steps: dict[ir.Loop, float] = {}
        self._reads: dict[str, Counter[tuple[ir.Variable, str]]] = {}
        self._bindings: dict[str, Mapping[ir.Variable, Binding]] = {}
        self._limits: dict[str, Mapping[str, int]] = {}
        self.tables: dict[ir.Variable, Layout] = {}
        self._outside: dict[str, tuple[frozenset[ir.Variable], frozenset[ir.Variable]]] = {}
        self._states: dict[str, bool] = {}
        self._copies: dict[tuple[ir.Variable, int], ir.Variable] = {}
        self._methods: defaultdict[str, list[ir.Function]] = defaultdict(list)

    def extent(self, count: TripCount) -> TripCount:
        """A count by which loops are built and weighed: its largest, as csynth's maximum takes it at every level."""
        if count.least is None or count.most is None or count.least == count.most:
            return count
        self.varies = True
        # Labels of Merlin are compared with averages, which its constants were set on.
        if self.options.behaviour.merlin and not self.shortest:
            return count
        return replace(count, average=count.least if self.shortest else count.most)

    def bindings(self, function: ir.Function) -> Mapping[ir.Variable, Binding]:
        """What pragmas say about the operators behind a function's variables."""
        found = self._bindings.get(function.name)
        if found is None:
            found = self._bindings[function.name] = bindings(function)
        return found

    def limits(self, function: ir.Function) -> Mapping[str, int]:
        """Most instances of an operation or a function inside a function."""
        found = self._limits.get(function.name)
        if found is None:
            found = self._limits[function.name] = limits(function)
        return found

    def layouts(self, function: ir.Function) -> dict[ir.Variable, Layout]:
        """Layout of the arrays a function names."""
        found = self._layouts.get(function.name)
        if found is None:
            merlin = self.options.behaviour.merlin
            found = layouts(
                function,
                self.program,
                auto_partition=not merlin,
                throughput_driven=self.options.behaviour.throughput_driven,
                bus_latency=self.options.bus_latency or 0,
            )
            if self.options.behaviour.merlin:
                # Merlin partitions by itself as the parallel factors ask for.
                for layout in found.values():
                    layout.banks = dict.fromkeys(range(MAX_DIMS), ("complete", 1))
                    layout.merged = False
            self._layouts[function.name] = found
        return found

    def part(self, var: ir.Variable, field: str) -> ir.Variable | None:
        """A field of a struct as a variable of its own; None where the struct has none of that name."""
        key = var, field
        if key not in self._parts:
            found = var.type.field_of(field)
            init = var.given.get(field)
            if init is None and var.const:
                init = initial_of(ir.Member(ir.Ref(var.name, var), field))
            self._parts[key] = None if found is None else ir.Variable(
                f"{var.name}.{field}", found[0], found[1], var.scope, var.span, var.path, const=init is not None,
                static=var.static, init=init, function=var.function, part_of=var,
            )  # fmt: skip
        return self._parts[key]

    def is_object(self, var: ir.Variable) -> bool:
        """Whether a parameter is a pointer or a reference to one struct: it is never moved, nor an array's start."""
        if var.scope != "param" or var.type.kind != "struct" or var.type.pointer != 1 or var.dims:
            return False
        known = self._objects.get(var)
        if known is None:
            function = self.program.functions.get(var.function)
            known = function is not None and not any(map(partial(_moves, var), everything_in(function.body)))
            self._objects[var] = known
        return known

    def outside(self, name: str, depth: int = 0) -> tuple[frozenset[ir.Variable], frozenset[ir.Variable]]:
        """What a function, with those it calls, names and writes that is none of its own, no field and no parameter."""
        found = self._outside.get(name)
        function = self.program.functions.get(name)
        if found is None and function is not None and depth <= MAX_CALLS:
            self._outside[name] = frozenset(), frozenset()  # what a function that calls itself finds on its way
            named = set(named_in(function.body))
            written = set(assigned_variables(function.body))
            for call in calls(function.body):
                reads, writes = self.outside(call.name, depth + 1)
                named |= reads
                written |= writes
            own = {*function.variables.values(), *function.params}
            apart = {var for var in named | written if var in own or (not var.function and var.scope != "global")}
            found = self._outside[name] = frozenset(named - apart), frozenset(written - apart)
        return found or (frozenset(), frozenset())

    def keeps_state(self, function: ir.Function, depth: int = 0) -> bool:
        """Whether a function, or one that it calls, has static variables: its calls keep their order."""
        found = self._states.get(function.name)
        if found is None:
            self._states[function.name] = False  # what a function that calls itself finds on its way
            inner = (self.program.functions.get(call.name) for call in calls(function.body))
            found = self._states[function.name] = (
                depth > MAX_CALLS
                or any(var.static and not var.const for var in function.variables.values())
                or any(callee is not None and self.keeps_state(callee, depth + 1) for callee in inner)
            )
        return found

    def parts_of(self, var: ir.Variable) -> list[ir.Variable]:
        """The fields of a struct that were looked at by themselves."""
        return [part for part in self._parts.values() if part is not None and root(part) is var]

    def copy_of(self, var: ir.Variable, call: ir.Call) -> ir.Variable:
        """The array of its own that a call which is walked in place has for an array of the function."""
        key = var, id(call)
        if key not in self._copies:
            self._copies[key] = replace(var)
        return self._copies[key]

    def arrays_in(self, function: ir.Function) -> list[ir.Variable]:
        """Arrays and streams in a function's own structs, those that were used."""
        own = set(function.variables.values())
        found = [var for var in self._parts.values() if var is not None and (var.dims or var.type.kind == "stream")]
        return [var for var in found if var.scope == "local" and root(var) in own and not var.type.pointer]

    def changed_by_calls(self, block: ir.Block, depth: int = 0) -> frozenset[ir.Variable]:
        """Variables that the functions called in a block change and that outlive them.

        Objects, static and global ones, what references lead to, what lambdas see.
        """
        found: set[ir.Variable] = set()
        for call in calls(block):
            callee = self.program.functions.get(call.name)
            if callee is None or depth > MAX_CALLS:
                continue
            writes = self._writes(callee, depth)
            for param, argument in zip(callee.params, call.args, strict=False):
                if param.type.pointer and param in writes:
                    changed = root_variable(argument)
                    found |= {changed} if changed is not None else set()
            own = self.program.fields.get(split_scope(callee.name.partition("(")[0])[0], {})
            if not writes.isdisjoint(own.values()):
                changed = root_variable(call.receiver) if call.receiver is not None else None
                found |= {changed} if changed is not None else set(own.values())
            found |= {var for var in writes if var.scope != "param" and var.function not in ("", callee.name)}
            found |= {var for var in writes if var.static or var.scope == "global"}
        return frozenset(found)

    def _writes(self, function: ir.Function, depth: int) -> frozenset[ir.Variable]:
        known = self._written.get(function.name)
        if known is None:
            self._written[function.name] = frozenset()  # what a function that calls itself finds on its way
            inner = self.changed_by_calls(function.body, depth + 1)
            known = self._written[function.name] = assigned_variables(function.body) | inner
        return known

    def default_layout(self, array: ir.Variable) -> Layout:
        """Layout of an array no function in sight declares."""
        if array.type.kind == "stream":
            return Layout(interface="fifo")
        if self.options.behaviour.merlin:
            return Layout(dict.fromkeys(range(MAX_DIMS), ("complete", 1)), merged=False)
        owner = array.part_of
        if owner is None or not array.dims:
            return Layout()
        return part_layout(
            array,
            self._methods_of(owner.type.name),
            self.program.functions.get(array.function),
            auto_partition=True,
            throughput_driven=self.options.behaviour.throughput_driven,
        )

    def _methods_of(self, name: str) -> list[ir.Function]:
        """The methods of a struct and of its bases."""
        if not self._methods:
            for function in self.program.functions.values():
                self._methods[split_scope(function.name.partition("(")[0])[0]].append(function)
        pending, seen = [name], dict[str, None]()
        while pending and len(seen) < MAX_BASES:
            current = pending.pop()
            if current not in seen:
                seen[current] = None
                pending += self.program.bases.get(current, ())
        return [method for one in seen for method in self._methods.get(one, ())]

    def step(self, loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> float:
        """Step of a counting loop, 1 where unknown."""
        if loop not in self._steps:
            found = constant_step(loop.step, loop.var, known) if loop.step is not None and loop.var is not None else 1
            self._steps[loop] = float(found or 1)
        return self._steps[loop]

    def read_outside(self, loop: ir.Loop, changed: Sequence[ir.Variable]) -> int:
        """How many of the scalars that a loop changes are looked at behind it: elsewhere, or by who calls."""
        inside = _reads(loop.body) if changed else Counter()
        return sum(self._is_read_outside(inside, var) for var in changed)

    def _is_read_outside(self, inside: Counter[tuple[ir.Variable, str]], var: ir.Variable) -> bool:
        field = ""
        while var.part_of is not None:
            var, field = var.part_of, var.name.rpartition(".")[2]
        if var.scope == "param" and var.type.pointer:
            return True
        function = self.program.functions.get(var.function)
        if function is None:
            return False
        if var.function not in self._reads:
            self._reads[var.function] = _reads(function.body)
        everywhere = self._reads[var.function]
        return any(everywhere[key] > inside[key] for key in ((var, ""), (var, field)))

    def is_straight(self, function: ir.Function) -> bool:
        """No loop that stays one: the call is walked in place. Functions that must not be inlined are instances."""
        return not self._has_loops(function)

    def calls_loops(self, loop: ir.Loop) -> bool:
        """Whether a loop's body calls a function that has loops, itself or further down, or copies memories."""
        known = self._calling.get(loop)
        if known is None:
            copies = any(call.name.rpartition("::")[2] in _COPIES for call in calls(loop.body))
            known = self._calling[loop] = copies or self._calls_with_loops(loop.body)
        return known

    def _calls_with_loops(self, block: ir.Block, depth: int = 0) -> bool:
        for call in calls(block):
            callee = self.program.functions.get(call.name)
            if callee is not None and self._has_loops(callee, depth + 1):
                return True
        return False

    def _has_loops(self, function: ir.Function, depth: int = 0) -> bool:
        """Whether a function has loops, itself or further down; found once for each."""
        known = self._loops_below.get(function.name)
        if known is None and depth <= MAX_CALLS:
            self._loops_below[function.name] = False  # what a function that calls itself finds on its way
            known = any(True for _ in ir.loops_of(function.body)) or self._calls_with_loops(function.body, depth)
            self._loops_below[function.name] = known
        return bool(known)


def _reads(block: ir.Block) -> Counter[tuple[ir.Variable, str]]:
    """How often each variable is looked at as a whole, and each field of it."""
    every = everything_in(block)
    stored = {id(expr.target) for expr in every if isinstance(expr, ir.Assign) and expr.op == "="}
    fields = [e for e in every if isinstance(e, ir.Member) and isinstance(e.base, ir.Ref)]
    parts = {id(e.base) for e in fields}
    found = Counter((e.base.var, e.field) for e in fields if isinstance(e.base, ir.Ref) and id(e) not in stored)
    found.update((e.var, "") for e in every if isinstance(e, ir.Ref) and id(e) not in stored and id(e) not in parts)
    return Counter({(var, field): number for (var, field), number in found.items() if var is not None})


def written_by_calls(block: ir.Block) -> set[ir.Variable]:
    """Arrays given to functions inside a block: they may be written."""
    arguments = (argument for call in calls(block) for argument in call.args)
    given = (root_variable(argument) for argument in arguments)
    return {var for var in given if var is not None and var.dims}


def _moves(var: ir.Variable, expr: ir.Expr) -> bool:
    """Whether an expression takes a pointer for more than the one thing it leads to."""
    parts: tuple[ir.Expr, ...] = ()
    if isinstance(expr, ir.Index):
        parts = (expr.base,)
    elif isinstance(expr, ir.Binary):
        parts = (expr.left, expr.right)
    elif isinstance(expr, ir.Assign):
        parts = (expr.target, expr.value)
    elif isinstance(expr, ir.Unary) and expr.op not in ("*", "&"):
        parts = (expr.operand,)
    return any(isinstance(part, ir.Ref) and part.var is var for part in parts)
