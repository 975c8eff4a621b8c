"""One stretch of code between loops, scheduled as soon as possible: operators, depth, memory accesses, recurrences.

Inner loops that the tool unrolls are walked once; `copies` says how many there are of each operator, so that a body
unrolled a thousand times costs no more to analyse than the body itself.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..program import ir
from ..program.constants import evaluate
from ..program.expressions import assigned_variables, children
from ..program.type_of import type_of_expression
from ..program.typenames import BOOL, INT, UNKNOWN, join
from ..tool.memories import MEMORY
from ..tool.operators import Operator, Target, log2_ceil, operator
from .beside import Beside, LoopUses
from .memory import Layout

if TYPE_CHECKING:
    from .initiation import Bound

MAX_CALL_DEPTH = 24

Form = dict["ir.Variable | None", float]  # affine: coefficient per variable, the constant under None


@dataclass(slots=True, eq=False)
class Value:
    """A value in the schedule: when it is ready (cycles), which unrolled loops it differs in, what it hangs on."""

    time: float
    deps: frozenset[ir.Loop]
    type: ir.CType
    since: dict[object, float]
    form: Form | None = None
    sum: bool = False
    guarded: bool = False  # a condition decides whether it is updated at all
    extreme: bool = False  # a minimum or maximum


@dataclass(slots=True, eq=False)
class Access:
    """One load or store as written, `copies` of it after unrolling.

    moving: per subscript the common step in which it moves at run time, 0 when it does not, None when nobody knows.
    guarded: stands under a condition.
    chained: marks in `since` of reads that earlier copies of the same iteration feed; `since` covers the whole chain.
    late: the copies came from a loop that was unrolled after arrays had been split.
    asked: how many of the copies come from unroll pragmas.
    """

    array: ir.Variable
    forms: tuple[Form | None, ...]
    write: bool
    deps: frozenset[ir.Loop]
    copies: float
    key: object
    spread: tuple[tuple[tuple[float, float], ...], ...] = ()
    moving: tuple[float | None, ...] = ()
    since: dict[object, float] = field(default_factory=dict)
    time: float = 0.0
    chained: set[object] = field(default_factory=set)
    guarded: bool = False
    late: bool = False
    asked: float = 1.0


NONE: frozenset[ir.Loop] = frozenset()
ADDRESS = ir.CType("uint", 12, name="address")
_NO_SOURCES: dict[object, float] = {}


@dataclass(slots=True)
class Alias:
    """What a parameter of an inlined function stands for: an array with leading subscripts already given."""

    array: ir.Variable
    prefix: tuple[Form | None, ...] = ()
    prefix_deps: frozenset[ir.Loop] = NONE


class Region:
    """State while a stretch of code is walked; `walk` hands loops it does not unroll to `host`."""

    def __init__(
        self, host: Host, aliases: dict[ir.Variable, Alias], *, unroll_all: bool, automatic: bool = False
    ) -> None:
        self.host = host
        self.target: Target = host.target
        self.aliases = aliases
        self.unroll_all = unroll_all
        self.env: dict[object, Value] = {}
        self.counts: dict[tuple[str, ir.CType], float] = defaultdict(float)
        self.accesses: list[Access] = []
        self.unrolled: dict[ir.Loop, float] = {}
        self.base = 0.0
        self.end = 0.0
        self.carried: set[object] = set()
        self.final: dict[object, Value] = {}
        self.calls: list[str] = []
        self.returned: Value | None = None
        self.live_bits = 0.0
        self.branches = 0
        self.guards: list[Value] = []
        self.written: set[ir.Variable] = set()
        self.chained = False
        self.copies_made = 1.0
        self.pinned: frozenset[ir.Loop] = NONE
        self.binding: Mapping[str, str] = {}
        self.flow: dict[ir.Variable, dict[object, float]] = {}
        self.swept: dict[ir.Variable, float] = {}  # when unrolled loops have stored what they compute
        self.beside = Beside()
        self.automatic = automatic
        self.late = NONE
        self.ports: Bound | None = None  # what memory ports allow, once it is known

    # -- bookkeeping ------------------------------------------------------------------------------------------

    def copies(self, deps: frozenset[ir.Loop]) -> float:
        """How many of an operator there are when its operands differ in `deps`."""
        total = 1.0
        for loop in deps:
            if loop not in self.pinned:
                total *= self.unrolled.get(loop, 1.0)
        return total

    def count(self, kind: str, type_: ir.CType, copies: float = 1.0) -> Operator:
        """Note `copies` operators and return what one is like."""
        if kind in self.binding:
            kind = f"{kind}@{self.binding[kind]}"
        self.counts[(kind, type_)] += copies
        return operator(kind, type_, self.target)

    def after(self, op: Operator, *operands: Value) -> tuple[float, float]:
        """(time, own latency in cycles) of an operator whose operands are ready."""
        start = max((v.time for v in operands), default=self.base)
        if op.latency_cycles:
            return math.ceil(start - 1e-6) + op.latency_cycles, float(op.latency_cycles)
        share = op.delay_ns / self.target.usable_ns
        left = math.floor(start) + 1 - start
        if share <= left + 1e-9 or share >= 1:
            return start + share, share
        return math.floor(start) + 1 + share, share

    def make(self, kind: str, type_: ir.CType, *operands: Value, result: ir.CType | None = None) -> Value:
        """An operator applied to values."""
        deps = operands[0].deps if operands else NONE
        for other in operands[1:]:
            if other.deps is not deps:
                deps = deps | other.deps
        op = self.count(kind, type_, self.copies(deps) if deps else 1.0)
        time, latency = self.after(op, *operands)
        self.end = max(self.end, time)
        self.live_bits += (result or type_).width
        return Value(time, deps, result or type_, _add(latency, *operands))

    # -- statements -------------------------------------------------------------------------------------------

    def walk(self, block: ir.Block) -> None:
        """Walk statements in order."""
        for item in block.items:
            if isinstance(item, ir.Evaluate):
                self.value(item.expr)
            elif isinstance(item, ir.Declare):
                self.declare(item.var)
            elif isinstance(item, ir.Loop):
                self.loop(item)
            elif isinstance(item, ir.If):
                self.branch(item)
            elif isinstance(item, ir.Block):
                self.walk(item)
            elif isinstance(item, ir.Return) and item.value is not None:
                self.returned = _either(self.returned, self.value(item.value))

    def declare(self, var: ir.Variable) -> None:
        if var.dims or var.type.kind == "stream":
            return
        if var.init is None:
            self.env.pop(var, None)
        else:
            self.binding = self.host.bound(var)
            value = self.convert(self.value(var.init), var.type)
            self.binding = {}
            self.env[var] = value

    def branch(self, item: ir.If) -> None:
        """If-conversion: both arms are built, what they write is selected."""
        known = evaluate(item.condition, self.host.known)
        if known is not None:
            chosen = item.then if known else item.otherwise
            if chosen is not None:
                self.walk(chosen)
            return
        condition = self.value(item.condition)
        self.branches += 1
        before = dict(self.env)
        self.guards.append(condition)
        pinned, self.pinned = self.pinned, self.pinned | self.pins(item.condition)
        start = self.base, self.end
        self.walk(item.then)
        self.pinned = pinned
        changed_then = self.env
        self.env = dict(before)
        after = self.base, self.end
        if item.otherwise is not None:
            # One way or the other is taken: loops and calls on both do not follow one another.
            self.base, self.end = start
            self.walk(item.otherwise)
            self.base, self.end = max(self.base, after[0]), max(self.end, after[1])
        self.guards.pop()
        self.merge(condition, before, changed_then, self.env)

    def pins(self, condition: ir.Expr) -> frozenset[ir.Loop]:
        """Unrolled loops of which `condition` lets one copy through: `j + 8 * i == 0` is true in one j at most."""
        if isinstance(condition, ir.Binary) and condition.op == "&&":
            return self.pins(condition.left) | self.pins(condition.right)
        if not isinstance(condition, ir.Binary) or condition.op != "==" or not self.unrolled:
            return NONE
        left, right = self.peek(condition.left), self.peek(condition.right)
        if left is None or right is None:
            return NONE
        form = _linear(left, right, -1.0) or {}
        return frozenset(loop for loop in self.unrolled if loop.var is not None and loop.var in form)

    def peek(self, expr: ir.Expr) -> Form | None:
        """Affine form of an expression without building anything."""
        if isinstance(expr, ir.Const):
            return {None: float(expr.value)} if isinstance(expr.value, int) else None
        if isinstance(expr, ir.Ref) and expr.var is not None:
            found = self.env.get(expr.var)
            if found is not None:
                return found.form
            return {expr.var: 1.0} if expr.var in self.host.active else None
        if isinstance(expr, ir.Binary):
            return _affine(expr.op, self.peek(expr.left), self.peek(expr.right))
        if isinstance(expr, ir.Cast):
            return self.peek(expr.operand)
        return None

    def merge(
        self, condition: Value, before: dict[object, Value], then: dict[object, Value], other: dict[object, Value]
    ) -> None:
        merged = dict(before)
        for key in {**then, **other}:
            a, b = then.get(key), other.get(key)
            if a is b and a is not None:
                merged[key] = a
            elif a is None or b is None:
                value = a or b
                assert value is not None
                if isinstance(key, tuple):
                    merged.pop(key, None)  # on one way only: what a later load finds is in the memory
                else:
                    merged[key] = value
            else:
                kind = a.type if a.type.kind != "bool" else b.type
                merged[key] = self.make("select", kind, condition, a, b)
                merged[key].guarded = before.get(key) in (a, b)
                if a.form is not None and a.form == b.form:
                    merged[key].form = a.form
        self.env = merged

    def loop(self, loop: ir.Loop) -> None:
        trip = self.host.unroll_trip(loop, self.unroll_all)
        if trip is not None:
            self.unroll(loop, trip)
            return
        cycles, uses = self.host.nested(loop, self)
        self.occupy(cycles, uses)
        for var in assigned_variables(loop.body):
            self.env.pop(var, None)
        for key in [k for k in self.env if isinstance(k, tuple)]:
            del self.env[key]
        for value in self.env.values():
            value.time = self.base

    def occupy(self, cycles: float, uses: LoopUses | None) -> None:
        """Time for a loop that stays one; what is known to touch nothing of the loops just before runs beside them."""
        alone = uses is None or bool(self.guards) or bool(self.unrolled)
        start = self.beside.start(math.ceil(max(self.end, self.base) - 1e-6), None if alone else uses)
        self.base = self.end = self.beside.finish(start + cycles, None if alone else uses)

    def unroll(self, loop: ir.Loop, trip: float) -> None:
        """Walk the body of a loop that is unrolled fully, once."""
        self.unrolled[loop] = trip
        if self.automatic and loop.pragma("HLS", "UNROLL") is None:
            self.late = self.late | {loop}
        self.copies_made = max(self.copies_made, math.prod(self.unrolled.values()))
        mine = frozenset((loop,))
        assigned = assigned_variables(loop.body)
        if loop.var is not None:
            self.env[loop.var] = Value(self.base, mine, loop.var.type, _NO_SOURCES, {loop.var: 1.0})
        declared = {item.var for item in loop.body.items if isinstance(item, ir.Declare)}
        for var in assigned:
            if not var.dims and var not in declared and var not in self.env and var.type.kind != "stream":
                self.name(ir.Ref(var.name, var))
        starts: dict[object, Value] = {}
        for key, value in list(self.env.items()):
            if key is not loop.var and _root(key) in assigned:
                marked = Value(value.time, value.deps, value.type, {**value.since, (loop, key): 0.0}, None)
                starts[key] = self.env[key] = marked
        outside = set(self.env)
        saved, self.host.current = self.host.current, loop
        before = len(self.accesses)
        self.walk(loop.body)
        self.host.current = saved
        self.chain_new_accumulators(loop, trip, before)
        self.chain_neighbours(loop, trip, before)
        if not self.target.behaviour.reductions:
            self.chain_guarded(loop, trip, before)
            self.chain_sweeps(loop, trip, before)
            for access in self.accesses[before:]:
                if access.write and access.since and loop in access.deps:
                    self.swept[access.array] = max(self.swept.get(access.array, 0.0), access.time)
        for key, value in list(self.env.items()):
            if key in starts or (key in outside and _root(key) in assigned):
                self.env[key] = self.close(loop, key, value, trip)
            elif loop in value.deps or (loop.var is not None and _mentions_var(key, loop.var)):
                del self.env[key]
        self.env.pop(loop.var, None)
        del self.unrolled[loop]

    def chain_new_accumulators(self, loop: ir.Loop, trip: float, first: int) -> None:
        """`a[j] += x[i]` first touched inside the unrolled loop: the copies of the update follow one another."""
        reads = {("R", a): a for a in self.accesses[first:] if not a.write and loop not in a.deps}
        if not reads:
            return
        for key, value in list(self.env.items()):
            if not isinstance(key, tuple):
                continue
            for mark in [m for m in value.since if m in reads and reads[m].key == key]:
                step = value.since[mark] - self.host.load_cycles(reads[mark].array)
                if step > 0:
                    extra = self.chain(step, trip, value.type)
                    value.time += extra
                    if not self.balanced(value.type):
                        value.since = {m: t + extra for m, t in value.since.items()}
                        for access in self.accesses[first:]:
                            if access.write and access.key == key:
                                access.since = value.since
                    value.deps = value.deps - {loop}
                    self.end = max(self.end, value.time)

    def chain_neighbours(self, loop: ir.Loop, trip: float, first: int) -> None:
        """`a[j] = f(a[j - 1])` inside a loop over j that is unrolled: each copy waits for the one before."""
        fresh = self.accesses[first:]
        reads = {("R", access): access for access in fresh if not access.write and loop in access.deps}
        for write in fresh if reads else ():
            for mark in write.since if write.write else ():
                read = reads.get(mark)  # type: ignore[call-overload]
                if read is None or read.array is not write.array or read.key == write.key:
                    continue
                distance = _copies_apart(write.forms, read.forms, loop, self.host.step(loop))
                if distance and distance < trip:
                    step = write.since[mark] - self.host.load_cycles(read.array)
                    extra = step * (trip / distance - 1)
                    self.end = max(self.end, write.time + extra)
                    write.since = {m: t + extra for m, t in write.since.items()}
                    write.chained.add(mark)

    def chain_guarded(self, loop: ir.Loop, trip: float, first: int) -> None:
        """`if (...) a[j] += x[i]` in an unrolled loop over i: copies write one element, each under its condition."""
        fresh = self.accesses[first:]
        reads = {("R", access): access for access in fresh if not access.write}
        for write in fresh:
            if not (write.write and write.guarded) or loop in write.deps or write.chained:
                continue
            marks = [m for m in write.since if m in reads and reads[m].array is write.array]
            if not marks:
                continue
            step = max(write.since[mark] for mark in marks) - self.host.load_cycles(write.array)
            extra = max(step, 0.0) * (trip - 1)
            self.end = max(self.end, write.time + extra)
            write.since = {m: t + extra for m, t in write.since.items()}
            write.chained.update(marks)

    def chain_sweeps(self, loop: ir.Loop, trip: float, first: int) -> None:
        """Sweeps over arrays in an unrolled loop over time: each copy reads what the one before has written.

        `for t: { for i: b[i] = f(a[i - 1], a[i]); for i: a[i] = g(b[i]); }`, whose subscripts do not hold t.
        """
        fresh = self.accesses[first:]
        reads = {("R", access): access for access in fresh if not access.write and loop not in access.deps}
        for write in fresh if reads else ():
            if not write.write or loop in write.deps or write.chained:
                continue
            marks = [m for m in write.since if m in reads and reads[m].array is write.array]
            if not any(_meets(reads[m], write) for m in marks):
                continue
            # All operands are late, so that no other order of a sum helps: the whole way from the loads counts.
            step = write.time - self.store_cycles(write.array) - min(reads[m].time for m in marks)
            extra = max(step, 0.0) * (trip - 1)
            self.end = max(self.end, write.time + extra)
            around = step + self.host.load_cycles(write.array)
            write.since = {m: max(t, around) + extra for m, t in write.since.items()}
            write.chained.update(marks)

    def close(self, loop: ir.Loop, key: object, value: Value, trip: float) -> Value:
        """The value a variable has after an unrolled loop: its chain of updates is `trip` long."""
        since = dict(value.since)
        step = since.pop((loop, key), None)
        extra = 0.0
        # Updates that depend on conditions stay in their order, whatever the type.
        serially = value.guarded and value.type.is_float and not self.target.behaviour.reductions
        if step:
            extra = _whole(step) * (trip - 1) if serially else self.chain(step, trip, value.type)
        # A balanced tree adds to the depth, but the old value enters at its root: one update from the last iteration.
        serial = 0.0 if self.balanced(value.type) and not serially else extra
        made = Value(value.time + extra, value.deps - {loop}, value.type, {m: t + serial for m, t in since.items()})
        self.end = max(self.end, made.time)
        return made

    def balanced(self, type_: ir.CType) -> bool:
        """Whether the tool may reorder sums of this type: integers; floating point under unsafe math and in Merlin."""
        return not type_.is_float or self.target.unsafe_math or self.target.behaviour.reductions

    def chain(self, step: float, trip: float, type_: ir.CType) -> float:
        """Cycles that `trip` dependent updates take beyond one; integers (and unsafe math) are balanced into a tree."""
        if not self.balanced(type_):
            self.chained = True
            return _whole(step) * (trip - 1)
        return step * max(log2_ceil(trip + 1) - 1, 0)

    # -- values -----------------------------------------------------------------------------------------------

    def value(self, expr: ir.Expr) -> Value:
        """Walk an expression."""
        handler = _HANDLERS[type(expr)]
        return handler(self, expr)  # type: ignore[no-any-return, operator]

    def constant(self, expr: ir.Const) -> Value:
        form: Form | None = {None: float(expr.value)} if isinstance(expr.value, int) else None
        return Value(self.base, NONE, expr.type, _NO_SOURCES, form)

    def name(self, expr: ir.Ref) -> Value:
        var = expr.var
        if var is None:
            return Value(self.base, NONE, UNKNOWN, _NO_SOURCES)
        found = self.env.get(var)
        if found is not None:
            return found
        if var in self.host.known:
            value = self.host.known[var]
            form: Form | None = {None: float(value)} if isinstance(value, int) else None
            return Value(self.base, NONE, var.type, _NO_SOURCES, form)
        if var in self.host.active:
            return Value(self.base, NONE, var.type, _NO_SOURCES, {var: 1.0})
        since: dict[object, float] = {var: 0.0} if var in self.carried else _NO_SOURCES
        made = Value(self.base, NONE, var.type, since, {var: 1.0} if var not in self.written and not var.dims else None)
        self.env[var] = made
        return made

    def convert(self, value: Value, type_: ir.CType) -> Value:
        """A conversion between floating point and integer costs a core; the rest is wiring."""
        if type_.is_float != value.type.is_float and type_.kind != "unknown" and value.type.kind != "unknown":
            if value.form is not None and set(value.form) == {None}:
                return Value(value.time, value.deps, type_, value.since)
            kind = type_ if type_.is_float else value.type
            return self.make("convert", kind, value, result=type_)
        if type_.kind in ("unknown", "struct") or type_ is value.type:
            return value
        return Value(value.time, value.deps, type_, value.since, value.form)

    def binary(self, expr: ir.Binary) -> Value:
        left, right = self.value(expr.left), self.value(expr.right)
        op = expr.op
        folded = _fold(op, left, right)
        if folded is not None:
            return folded
        type_ = join(left.type, right.type)
        form = _affine(op, left.form, right.form)
        if form is not None and not type_.is_float:
            return self.addressing(left, right, type_, form)
        if op in ("+", "-"):
            made = self.make("add", type_, left, right)
            if type_.is_float and self.target.unsafe_math:
                made.sum = True
                made.since = _reassociated(made.since, [side for side in (left, right) if side.sum])
            return made
        kind = _BINARY.get(op, "logic")
        if kind == "mul" and (_power_of_two(left) or _power_of_two(right)) and not type_.is_float:
            kind = "convert_free"
        if kind in ("shift", "div", "mod") and _power_of_two(right) and not type_.is_float:
            kind = "convert_free"
        result = BOOL if kind == "cmp" or op in ("&&", "||") else None
        if kind == "convert_free":
            made = Value(max(left.time, right.time), left.deps | right.deps, type_, _add(0.0, left, right))
        else:
            made = self.make(kind, type_ if op not in ("&&", "||") else BOOL, left, right, result=result)
        return made

    def addressing(self, left: Value, right: Value, type_: ir.CType, form: Form) -> Value:
        """Affine in loop variables: strength-reduced to an adder a loop, no time on the critical path."""
        deps = left.deps | right.deps
        self.counts[("add", ADDRESS)] += self.copies(deps)
        return Value(max(left.time, right.time), deps, type_, _add(0.0, left, right), form)

    def unary(self, expr: ir.Unary) -> Value:
        op = expr.op
        if op in ("++", "--", "p++", "p--"):
            one = ir.Const(1, INT)
            return self.assign(ir.Assign("+=" if "+" in op else "-=", expr.operand, one))
        if op == "*":
            return self.load(ir.Index(expr.operand, (ir.Const(0, INT),)))
        inner = self.value(expr.operand)
        if op == "&":
            return inner
        if op == "-":
            made = self.make("logic" if inner.type.is_float else "add", inner.type, inner)
            made.form = None if inner.form is None else {k: -v for k, v in inner.form.items()}
            return made
        return self.make("logic", BOOL if op == "!" else inner.type, inner)

    def ternary(self, expr: ir.Ternary) -> Value:
        known = evaluate(expr.condition, self.host.known)
        if known is not None:
            return self.value(expr.yes if known else expr.no)
        condition, yes, no = self.value(expr.condition), self.value(expr.yes), self.value(expr.no)
        made = self.make("select", join(yes.type, no.type), condition, yes, no)
        if not made.type.is_float and _is_extreme(expr):
            made.extreme = True
            made.since = _reassociated(made.since, [side for side in (yes, no) if side.extreme])
        return made

    def cast(self, expr: ir.Cast) -> Value:
        return self.convert(self.value(expr.operand), expr.type)

    def many(self, expr: ir.Many) -> Value:
        values = [self.value(item) for item in expr.items]
        return values[-1] if values else Value(self.base, NONE, UNKNOWN, _NO_SOURCES)

    def member(self, expr: ir.Member) -> Value:
        base = self.value(expr.base)
        kind = type_of_expression(expr, self.host.program)
        return Value(base.time, base.deps, kind, base.since)

    # -- arrays -----------------------------------------------------------------------------------------------

    def place(
        self, expr: ir.Expr
    ) -> tuple[ir.Variable, tuple[Form | None, ...], frozenset[ir.Loop], object, float] | None:
        """(array, affine subscripts, deps, key, when the address is known) of an access; None when it is none."""
        subscripts: tuple[ir.Expr, ...] = ()
        inner: ir.Expr = expr
        while isinstance(inner, ir.Member):
            inner = inner.base
        if isinstance(inner, ir.Index):
            subscripts, inner = inner.subscripts, inner.base
            while isinstance(inner, ir.Member | ir.Index):
                if isinstance(inner, ir.Index):
                    subscripts = (*inner.subscripts, *subscripts)
                inner = inner.base
        if not isinstance(inner, ir.Ref) or inner.var is None:
            return None
        var = inner.var
        alias = self.aliases.get(var)
        prefix: tuple[Form | None, ...] = ()
        deps = NONE
        if alias is not None:
            prefix, deps, array = alias.prefix, alias.prefix_deps, alias.array
        else:
            array = var
        if not array.dims and not array.type.pointer:
            return None
        values = [self.value(s) for s in subscripts]
        forms = prefix + tuple(v.form for v in values)
        for value in values:
            deps = deps | value.deps
        time = max([v.time for v in values], default=self.base)
        identity = tuple(_form_key(v) for v in values)
        name = expr.field if isinstance(expr, ir.Member) else ""
        return array, forms, deps, (array, tuple(map(_frozen, prefix)), identity, name), time

    def spread(self, forms: tuple[Form | None, ...]) -> tuple[tuple[tuple[float, float], ...], ...]:
        """Per dimension: (stride, copies) of each unrolled loop whose variable stands in the subscript."""
        if not self.unrolled:
            return tuple(() for _ in forms)
        return tuple(
            tuple(
                (form[loop.var] * self.host.step(loop), trip)
                for loop, trip in self.unrolled.items()
                if loop.var in form and loop not in self.pinned
            )
            if form is not None
            else ()
            for form in forms
        )

    def moving(self, forms: tuple[Form | None, ...]) -> tuple[float | None, ...]:
        """Per subscript: greatest common step of what changes at run time; copies of an unrolled loop do not."""
        copies = {loop.var: trip * self.host.step(loop) for loop, trip in self.unrolled.items()}
        found: list[float | None] = []
        for form in forms:
            steps = [
                abs(factor) * copies.get(var, self.host.strides.get(var, 1.0))
                for var, factor in (form or {}).items()
                if var is not None and (var in self.host.active or var not in copies)
            ]
            whole = form is not None and all(step == int(step) for step in steps)
            found.append(float(math.gcd(*(int(step) for step in steps))) if whole else None)
        return tuple(found)

    def load(self, expr: ir.Expr) -> Value:
        found = self.place(expr)
        kind = type_of_expression(expr, self.host.program)
        if found is None:
            base = expr.base if isinstance(expr, ir.Index) else expr
            inner = self.value(base) if not isinstance(base, ir.Index) else Value(self.base, NONE, kind, _NO_SOURCES)
            for sub in expr.subscripts if isinstance(expr, ir.Index) else ():
                self.value(sub)
            return Value(inner.time, inner.deps, kind, inner.since)
        array, forms, deps, key, time = found
        known = self.env.get(key)
        if known is not None:
            return known
        access = Access(array, forms, False, deps, self.copies(deps), key, self.spread(forms), self.moving(forms))
        latency = self.host.load_cycles(array)
        start = max(time, self.base, self.swept.get(array, 0.0))
        ready = (math.ceil(start - 1e-6) if latency else start) + latency
        access.time = ready
        access.late = bool(deps & self.late)
        if None in forms:
            access.asked = math.prod(self.unrolled.get(x, 1.0) for x in deps if x.pragma("HLS", "UNROLL") is not None)
        self.accesses.append(access)
        self.end = max(self.end, ready)
        since: dict[object, float] = {("R", access): latency} if array in self.written else {}
        # What an unrolled loop before this one stored may be this element: its sources are sources here.
        for mark, cycles in self.flow.get(array, _NO_SOURCES).items():
            since[mark] = max(since.get(mark, 0.0), cycles + latency)
        value = Value(ready, deps, kind, since)
        self.env[key] = value
        return value

    def store(self, expr: ir.Expr, value: Value) -> None:
        found = self.place(expr)
        if found is None:
            if isinstance(expr, ir.Index):
                for sub in expr.subscripts:
                    self.value(sub)
            return
        array, forms, deps, key, time = found
        access = Access(
            array, forms, True, deps, self.copies(deps), key, self.spread(forms), self.moving(forms), value.since
        )
        access.guarded = bool(self.guards)
        access.late = bool(deps & self.late)
        self.accesses = [a for a in self.accesses if not (a.write and a.key == key)]
        self.accesses.append(access)
        done = max(value.time, time)
        if not self.host.in_registers(array):
            # Taken over at the end of the state that has the value.
            done = math.floor(done + 1e-6) + MEMORY.store_cycles
        access.time = done
        self.end = max(self.end, done)
        stored = Value(value.time, value.deps | deps, value.type, value.since)
        if self.unrolled and value.since and not self.target.behaviour.reductions:
            flow = self.flow.setdefault(array, {})
            through = self.store_cycles(array)
            for mark, cycles in value.since.items():
                flow[mark] = max(flow.get(mark, 0.0), cycles + through)
        for other in [k for k in self.env if isinstance(k, tuple) and k[0] is array and k != key]:
            if not _surely_apart(other, key):
                del self.env[other]
        self.env[key] = stored

    def assign(self, expr: ir.Assign) -> Value:
        target = expr.target
        plain = expr.op == "="
        outer, self.binding = self.binding, self.bound_to(target)
        value = self.value(expr.value) if plain else self.binary(ir.Binary(expr.op[:-1], target, expr.value))
        kind = type_of_expression(target, self.host.program)
        value = self.convert(value, kind)
        self.binding = outer
        if isinstance(target, ir.Ref):
            if target.var is not None:
                if target.var.type.pointer and target.var.scope == "param":
                    self.end = max(self.end, value.time + MEMORY.store_cycles)
                self.env[target.var] = value
                self.final[target.var] = value
        elif isinstance(target, ir.Unary) and target.op == "*":
            self.store(ir.Index(target.operand, (ir.Const(0, INT),)), value)
        elif isinstance(target, ir.Call) and target.receiver is not None:
            self.assign(ir.Assign("=", target.receiver, ir.Const(None, kind)))
        else:
            self.store(target, value)
        return value

    def bound_to(self, target: ir.Expr) -> Mapping[str, str]:
        """What BIND_OP says about the operators behind an assignment."""
        while isinstance(target, ir.Index | ir.Member):
            target = target.base
        return self.host.bound(target.var) if isinstance(target, ir.Ref) and target.var is not None else {}

    def store_cycles(self, array: ir.Variable) -> float:
        """Cycles from a value to a memory that has it; a register takes it over at once."""
        return 0.0 if self.host.in_registers(array) else MEMORY.store_cycles

    # -- calls ------------------------------------------------------------------------------------------------

    def call(self, expr: ir.Call) -> Value:
        if expr.receiver is not None:
            return self.method(expr)
        name = expr.name.rpartition("::")[2]
        function = self.host.program.functions.get(expr.name) or self.host.program.functions.get(name)
        if function is not None:
            return self.host.call(self, function, expr)
        if name in ("memcpy", "memset", "memmove"):
            return self.host.copy(self, expr)
        args = [self.value(argument) for argument in expr.args]
        kind = type_of_expression(expr, self.host.program)
        what = _MATH.get(name.removesuffix("f")) or _MATH.get(name)
        if what is None or not args:
            return Value(max([a.time for a in args], default=self.base), _all_deps(args), kind, _add(0.0, *args))
        if what == "pow":
            self.make("log", kind, *args)
            self.make("mul", kind, *args)
            return self.make("exp", kind, *args)
        if what in ("add", "mul") and len(args) >= 2:
            return self.make(what, kind, *args)
        if what == "minmax":
            test = self.make("cmp", kind, *args, result=BOOL)
            return self.make("select", kind, test, *args)
        return self.make(what, kind, *args)

    def method(self, expr: ir.Call) -> Value:
        assert expr.receiver is not None
        owner = type_of_expression(expr.receiver, self.host.program)
        if owner.kind == "stream" or expr.name in ("read", "write", "read_nb", "write_nb", "empty", "full"):
            return self.fifo(expr, owner)
        function = self.host.program.functions.get(expr.name)
        if function is not None:
            return self.host.call(self, function, expr)
        inner = self.value(expr.receiver)
        args = [self.value(argument) for argument in expr.args]
        width = INT
        return Value(
            max([inner.time, *(a.time for a in args)]), inner.deps | _all_deps(args), width, _add(0.0, inner, *args)
        )

    def fifo(self, expr: ir.Call, owner: ir.CType) -> Value:
        assert expr.receiver is not None
        args = [self.value(argument) for argument in expr.args]
        root = expr.receiver
        which = NONE  # unrolled loops that choose among the streams of an array
        while isinstance(root, ir.Index | ir.Member):
            if isinstance(root, ir.Index):
                for sub in root.subscripts:
                    which = which | self.value(sub).deps
            root = root.base
        deps = _all_deps(args) | which
        var = root.var if isinstance(root, ir.Ref) else None
        kind = owner.element or UNKNOWN
        if var is None:
            return Value(self.base, deps, kind, _NO_SOURCES)
        alias = self.aliases.get(var)
        array = alias.array if alias is not None else var
        write = expr.name.startswith("write")
        if expr.name in ("read", "write", "read_nb", "write_nb"):
            same = frozenset(self.unrolled) - which - self.pinned
            key = ("fifo", array, write, len(self.accesses))
            self.accesses.append(Access(array, (), write, deps, self.copies(same), key))
            deps = deps | frozenset(self.unrolled)
        time = max([self.base, *(a.time for a in args)]) + 1.0
        self.end = max(self.end, time)
        return Value(time, deps, kind, _NO_SOURCES)


class Host:
    """What a region needs of its surroundings; `estimate.FunctionEstimator` implements it."""

    target: Target
    program: ir.Program
    known: Mapping[ir.Variable, float]
    active: set[ir.Variable]
    strides: dict[ir.Variable, float]  # what the active loops' variables grow by each iteration
    current: ir.Loop | None

    def unroll_trip(self, loop: ir.Loop, unroll_all: bool) -> float | None:
        """Copies of a loop that is unrolled fully, None when it stays a loop."""
        raise NotImplementedError

    def bound(self, var: ir.Variable) -> Mapping[str, str]:
        """Operator kind -> implementation that a pragma asks for where a variable is produced."""
        raise NotImplementedError

    def step(self, loop: ir.Loop) -> float:
        """What the loop's variable grows by each iteration, 1 where that is not known."""
        raise NotImplementedError

    def nested(self, loop: ir.Loop, region: Region) -> tuple[float, LoopUses | None]:
        """Cycles of a loop that stays a loop, and what it touches where it may run beside others."""
        raise NotImplementedError

    def call(self, region: Region, function: ir.Function, expr: ir.Call) -> Value:
        """A call of a function of the program."""
        raise NotImplementedError

    def copy(self, region: Region, expr: ir.Call) -> Value:
        """memcpy and memset: a pipelined loop of their own."""
        raise NotImplementedError

    def layout(self, array: ir.Variable) -> Layout:
        """How an array is laid out."""
        raise NotImplementedError

    def load_cycles(self, array: ir.Variable) -> float:
        """Cycles from address to data."""
        layout = self.layout(array)
        if layout.interface == "register":
            return 0.0
        if layout.interface == "m_axi":
            return MEMORY.axi_read_cycles
        return MEMORY.load_cycles

    def in_registers(self, array: ir.Variable) -> bool:
        """Whether every element is a register."""
        return self.layout(array).interface == "register"


_BINARY = {
    "*": "mul", "/": "div", "%": "mod", "<<": "shift", ">>": "shift", "&": "logic", "|": "logic", "^": "logic",
    "&&": "logic", "||": "logic", "<": "cmp", ">": "cmp", "<=": "cmp", ">=": "cmp", "==": "cmp", "!=": "cmp",
}  # fmt: skip
_MATH = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "pow": "pow", "sin": "trig", "cos": "trig", "tan": "trig",
    "atan": "trig", "atan2": "trig", "sinh": "trig", "cosh": "trig", "tanh": "trig", "asin": "trig", "acos": "trig",
    "fabs": "logic", "abs": "logic", "min": "minmax", "max": "minmax", "fmin": "minmax", "fmax": "minmax",
    "log2": "log", "log10": "log", "exp2": "exp", "cbrt": "exp", "rsqrt": "sqrt", "recip": "div", "floor": "convert",
    "ceil": "convert", "round": "convert", "fmod": "div", "erf": "exp", "hypot": "sqrt",
}  # fmt: skip


def _whole(step: float) -> float:
    """One update of a chain: a core starts at a clock edge, what is left of a cycle is not carried on."""
    return step if step < 1 else math.ceil(step - 0.25)


def _add(latency: float, *operands: Value) -> dict[object, float]:
    found: dict[object, float] | None = None
    for operand in operands:
        for mark, cycles in operand.since.items():
            if found is None:
                found = {}
            total = cycles + latency
            if found.get(mark, -1.0) < total:
                found[mark] = total
    return _NO_SOURCES if found is None else found


def _either(before: Value | None, value: Value) -> Value:
    """The value of a call with several returns: it may be any of them."""
    if before is None:
        return value
    since = _add(0.0, before, value)
    return Value(max(before.time, value.time), before.deps | value.deps, value.type, since)


def _all_deps(values: list[Value]) -> frozenset[ir.Loop]:
    deps = NONE
    for value in values:
        deps = deps | value.deps
    return deps


def _fold(op: str, left: Value, right: Value) -> Value | None:
    """Integer constants fold away."""
    if left.form is None or right.form is None or set(left.form) != {None} or set(right.form) != {None}:
        return None
    from ..program.constants import binary

    result = binary(op, int(left.form[None]), int(right.form[None]))
    if result is None:
        return None
    form: Form | None = {None: float(result)} if abs(result) < 1e15 else None
    return Value(max(left.time, right.time), NONE, join(left.type, right.type), _NO_SOURCES, form)


def _linear(left: Form | None, right: Form | None, sign: float) -> Form | None:
    if left is None or right is None:
        return None
    total = dict(left)
    for var, factor in right.items():
        total[var] = total.get(var, 0.0) + sign * factor
    return {var: factor for var, factor in total.items() if factor or var is None}


def _affine(op: str, left: Form | None, right: Form | None) -> Form | None:
    """Form of `left op right` where that stays affine."""
    if op in ("+", "-"):
        return _linear(left, right, 1.0 if op == "+" else -1.0)
    if op == "*":
        return _scaled(left, right)
    if op == "<<" and right is not None and set(right) == {None} and left is not None and right[None] < 64:
        return {k: v * 2.0 ** right[None] for k, v in left.items()}
    return None


def _reassociated(since: dict[object, float], same: list[Value]) -> dict[object, float]:
    """In a reordered sum every operand can be the last one added: a sum of sums takes one adder from each.

    same: the operands that are such results themselves. So do minimum and maximum of integers, which the tool's
    compiler (LLVM) knows as operations of their own and reorders.
    """
    found = dict(since)
    for side in same:
        for mark, cycles in side.since.items():
            found[mark] = min(found.get(mark, cycles), cycles)
    return found


def _is_extreme(expr: ir.Ternary) -> bool:
    """`a < b ? a : b` and its like."""
    test = expr.condition
    if not isinstance(test, ir.Binary) or test.op not in ("<", ">", "<=", ">="):
        return False
    left, right = test.left, test.right
    return (_same(left, expr.yes) and _same(right, expr.no)) or (_same(left, expr.no) and _same(right, expr.yes))


def _same(one: ir.Expr, other: ir.Expr) -> bool:
    """Whether two expressions without calls are written alike."""
    if type(one) is not type(other) or isinstance(one, ir.Call | ir.Assign):
        return False
    if isinstance(one, ir.Ref) and isinstance(other, ir.Ref):
        return one.var is other.var and one.name == other.name
    if isinstance(one, ir.Const) and isinstance(other, ir.Const):
        return one.value == other.value
    if getattr(one, "op", "") != getattr(other, "op", "") or getattr(one, "field", "") != getattr(other, "field", ""):
        return False
    parts, others = list(children(one)), list(children(other))
    return len(parts) == len(others) and all(map(_same, parts, others))


def _scaled(left: Form | None, right: Form | None) -> Form | None:
    if left is None or right is None:
        return None
    for factor, other in ((left, right), (right, left)):
        if set(factor) <= {None}:
            by = factor.get(None, 0.0)
            return {var: value * by for var, value in other.items()}
    return None


def _power_of_two(value: Value) -> bool:
    if value.form is None or set(value.form) != {None}:
        return False
    number = abs(value.form[None])
    return number > 0 and number < 2**62 and int(number) & (int(number) - 1) == 0


def _frozen(form: Form | None) -> object:
    return None if form is None else frozenset(form.items())


def _form_key(value: Value) -> object:
    return frozenset(value.form.items()) if value.form is not None else value


def _copies_apart(
    write: tuple[Form | None, ...], read: tuple[Form | None, ...], loop: ir.Loop, step: float
) -> float | None:
    """Iterations of `loop` from the write to the read of one element, when only that loop moves it; else None."""
    found: float | None = None
    for left, right in zip(write, read, strict=False):
        if left is None or right is None or {**left, None: 0.0} != {**right, None: 0.0}:
            return None
        delta = left.get(None, 0.0) - right.get(None, 0.0)
        factor = left.get(loop.var, 0.0) * step
        if delta == 0:
            if factor:
                return None
            continue
        if not factor or delta / factor <= 0 or (delta / factor) % 1:
            return None
        found = delta / factor
    return found


def _meets(read: Access, write: Access) -> bool:
    """Whether a read, written unlike the write it feeds, can find the element of another copy of that write."""
    if read.key == write.key or None in read.forms or None in write.forms or not read.deps or not write.deps:
        return False
    pairs = [(one, other) for one, other in zip(read.forms, write.forms, strict=False) if one and other]
    return all(set(one) - {None} or set(other) - {None} or one == other for one, other in pairs)


def _root(key: object) -> object:
    return key[0] if isinstance(key, tuple) else key


def _mentions_var(key: object, var: ir.Variable) -> bool:
    if not isinstance(key, tuple) or len(key) < 3:
        return False
    return any(isinstance(part, frozenset) and any(v is var for v, _ in part) for part in key[2])


def _surely_apart(one: object, other: object) -> bool:
    """Two accesses of the same array whose subscripts differ by a constant cannot be the same element."""
    assert isinstance(one, tuple)
    assert isinstance(other, tuple)
    if one[3] != other[3]:
        return True
    for a, b in zip(one[2], other[2], strict=False):
        if isinstance(a, frozenset) and isinstance(b, frozenset) and a != b:
            left, right = dict(a), dict(b)
            if left.pop(None, 0.0) != right.pop(None, 0.0) and left == right:
                return True
    return False


def _starts_in_array(expr: ir.Expr) -> bool:
    """Whether `a[i].field` reads an element of an array."""
    indexed = False
    while isinstance(expr, ir.Member | ir.Index):
        indexed = indexed or isinstance(expr, ir.Index)
        expr = expr.base
    return indexed and isinstance(expr, ir.Ref) and expr.var is not None


_HANDLERS: dict[type, object] = {
    ir.Const: Region.constant,
    ir.Ref: Region.name,
    ir.Index: Region.load,
    ir.Member: lambda self, expr: self.load(expr) if _starts_in_array(expr) else self.member(expr),
    ir.Unary: Region.unary,
    ir.Binary: Region.binary,
    ir.Assign: Region.assign,
    ir.Ternary: Region.ternary,
    ir.Cast: Region.cast,
    ir.Call: Region.call,
    ir.Many: Region.many,
}
