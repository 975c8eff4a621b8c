"""How often loops run: exact where bounds are constants, also in triangular nests; unknown is said, never guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import ir
from .constants import evaluate
from .entries import ONCE, Entries, Turn, inside
from .expressions import assigned_variables, calls, everything_in, loops_inside
from .flow import Head, Layers, Values, changed_in, head_of, starts_in_head, tested, variables_in
from .handed import is_shared, may_change_shared
from .narrow import compares_linear, held_by, until_it_wraps
from .numbers import Number, binary
from .pointers import counted
from .sizes import place_of

MAX_SIMULATED_STEPS = 20_000
MAX_BOUND = 2**61  # beyond what loop counters hold


@dataclass(frozen=True, slots=True)
class TripCount:
    """Iterations of a loop each time it is entered.

    average over all entries (exact for constant bounds unless `sampled`), least and most.
    source: "bounds", "loop_tripcount", "type" (what the type of the bound can hold; average is then the most, which is
    what reports show), "setting" or "unknown" (then average is None).
    """

    average: float | None
    least: float | None
    most: float | None
    source: str
    sampled: bool = False

    @property
    def constant(self) -> bool:
        """The same number of iterations at every entry, known from the bounds."""
        return self.source == "bounds" and self.least == self.most


UNKNOWN = TripCount(None, None, None, "unknown")


class TripCounter:
    """Counts the loops of one function body under given constants.

    known: what holds everywhere in the body. given: what holds where it starts (constant arguments).
    """

    def __init__(
        self, known: Mapping[ir.Variable, Number], default: int = 0, given: Mapping[ir.Variable, Number] | None = None
    ) -> None:
        self.known = dict(known)
        self.default = default
        self.counts: dict[ir.Loop, TripCount] = {}
        self.values = Values()
        self.values.numbers.update(given or {})

    def block(self, block: ir.Block, entries: Entries = ONCE) -> None:
        """Count every loop of `block`, outer first; entries: values of the enclosing loops' variables."""
        for item in block.items:
            if isinstance(item, ir.Loop):
                self.loop(item, entries)
            elif isinstance(item, ir.Block):
                self.block(item, entries)
            elif isinstance(item, ir.If):
                self.branch(item, entries)
            elif isinstance(item, ir.Declare):
                self.values.declare(item.var, item.var.init, self.known)
            elif isinstance(item, ir.Evaluate):
                self.values.run(item.expr, self.known)

    def branch(self, item: ir.If, entries: Entries) -> None:
        """Both arms; afterwards holds what holds after either."""
        self.values.forget(changed_in((item.condition,)))
        mark = self.values.mark()
        self.block(item.then, entries)
        then = self.values.back(mark)
        mark = self.values.mark()
        if item.otherwise is not None:
            self.block(item.otherwise, entries)
        self.values.keep_common(then, self.values.changed(mark))

    def loop(self, loop: ir.Loop, entries: Entries) -> None:
        """Count one loop and those inside it."""
        heads = [part for part in (loop.condition, loop.step) if part is not None]
        head = head_of(loop)
        # Who is named is asked for definitions alone, of which none is added before they are.
        named, start = _named(loop, head) if self.values.definitions else ([], [])
        known = [Layers(environment, self.known) if environment else self.known for environment, _ in entries.items]
        starts = [_start(head, self.values.complete(layers, start)) for layers in known]
        changed = assigned_variables(loop.body) | changed_in(heads)
        self.values.forget(changed if loop.var is None else {*changed, loop.var})
        turns: list[Turn] = []
        for (environment, weight), layers, first in zip(entries.items, known, starts, strict=True):
            values = _iterations(loop, head, first, self.values.complete(layers, named))
            if values is None:
                turns.clear()
                break
            turns.append((environment, weight, values))
        self.counts[loop] = self._summary(loop, turns, entries.sampled)
        if self.counts[loop] is UNKNOWN and head is not None:
            self.counts[loop] = _by_type(loop, head, starts, [self.values.complete(item, named) for item in known])
        holds_loops = bool(loops_inside(loop.body))
        if holds_loops or calls(loop.body):  # else nobody looks at what it sets, which is taken back
            mark = self.values.mark()
            self.block(loop.body, self._inside(loop, turns, entries) if holds_loops else ONCE)
            self.values.back(mark)

    def _inside(self, loop: ir.Loop, turns: Sequence[Turn], entries: Entries) -> Entries:
        needed = _named_inside(loop)
        return inside(loop, turns, entries, self.values.reached(needed) if self.values.definitions else needed)

    def _summary(self, loop: ir.Loop, turns: Sequence[Turn], sampled: bool) -> TripCount:
        if turns:
            counts = [len(values) for _, _, values in turns]
            total = sum(weight * len(values) for _, weight, values in turns)
            average = total / sum(weight for _, weight, _ in turns)
            return TripCount(average, min(counts), max(counts), "bounds", sampled)
        pragma = loop.pragma("HLS", "LOOP_TRIPCOUNT")
        if pragma is not None:
            low, high, middle = (pragma.numbers.get(name) for name in ("min", "max", "avg"))
            if high is not None and not pragma.untold:
                low = low or 0  # none is written
                return TripCount((low + high) / 2 if middle is None else middle, low, high, "loop_tripcount")
        if self.default:
            return TripCount(self.default, self.default, self.default, "setting")
        return UNKNOWN


def _named(loop: ir.Loop, head: Head | None) -> tuple[list[ir.Variable], list[ir.Variable]]:
    """Variables in the bound and the step of a loop, and in its first value."""
    bound = variables_in(loop.condition, loop.step, head.step if head is not None else None)
    return bound, variables_in(loop.start) if head is None or head.start is not None else [head.var]


def _by_type(
    loop: ir.Loop, head: Head, starts: Sequence[Number | None], known: Sequence[Mapping[ir.Variable, Number]]
) -> TripCount:
    """Rounds that the type of the one variable in the bound allows: `i < n` with an 8-bit n makes 0 to 255.

    Loop tables give that range (Vivado HLS 2018.3: `ap_uint<8>` 0 to 255, `ap_uint<16>` 0 to 65535), and their
    largest latency counts its upper end. A plain `int` gives none, and so does a bound in which the variable is not
    linear, as its largest value need not stand at an end of the type, or that the body changes.
    """
    others = {var for var in variables_in(head.condition) if var is not head.var}
    limits = held_by(next(iter(others)).type) if len(others) == 1 else None
    if limits is None:
        return UNKNOWN
    (var,) = others
    if not compares_linear(head.condition, var) or _may_change(loop, var):
        return UNKNOWN
    counts = []
    for first, values in zip(starts, known, strict=True):
        for limit in limits:
            rounds = _iterations(loop, head, first, {**values, var: limit})
            if rounds is None:
                return UNKNOWN
            counts.append(len(rounds))
    return TripCount(max(counts), min(counts), max(counts), "type")


def _may_change(loop: ir.Loop, var: ir.Variable) -> bool:
    """Whether a variable may have another value in a later round of the loop."""
    if var in assigned_variables(loop.body) or (loop.step is not None and var in variables_in(loop.step)):
        return True
    return (var.handed or is_shared(var)) and any(may_change_shared(expr) for expr in everything_in(loop.body))


def iterations(loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> range | list[Number] | None:
    """Values the counter takes in the body under what holds in every iteration, None when they cannot be known."""
    head = head_of(loop)
    return _iterations(loop, head, _start(head, known), known)


def _start(head: Head | None, entry: Mapping[ir.Variable, Number]) -> Number | None:
    """The counter's first value under what holds where the loop is entered."""
    if head is None:
        return None
    return evaluate(head.start, entry) if head.start is not None else entry.get(head.var)


def _iterations(
    loop: ir.Loop, head: Head | None, start: Number | None, known: Mapping[ir.Variable, Number]
) -> range | list[Number] | None:
    if loop.kind == "range":
        return _range_loop(loop)
    head, start = (head, start) if head is None or start is not None else counted(loop, head, known)
    if head is None or start is None:
        return None
    condition, change, first = tested(head.condition, head.var)
    step = constant_step(head.step, head.var, known) if head.step is not None else 0
    limit = _limit(condition, head.var, known) if step or change else None
    if step and limit is None and isinstance(start, int) and not change and not head.late:
        both = _until_they_meet(loop, head, start, step, known)
        if both is not None:
            return both
    if step is None or limit is None or not isinstance(start, int):
        return _simulated(head, start, known) if not change and not head.late else None
    if step + change == 0:
        return None
    if not change and not head.late and isinstance(limit[1], int):
        wrapped = until_it_wraps(head, start, step, (limit[0], limit[1]))
        if wrapped is not None:
            return wrapped
    return _closed(start, step, change, limit, first=first, late=head.late)


def _until_they_meet(
    loop: ir.Loop, head: Head, start: int, step: int, known: Mapping[ir.Variable, Number]
) -> range | None:
    """`for (int i = 0, j = n - 1; i < j; i++, j--)`: what lies between the two counters is a counter itself."""
    condition = head.condition
    if not isinstance(condition, ir.Binary) or condition.op not in _MIRROR or head.step is None:
        return None
    for mine, other, op in (
        (condition.left, condition.right, condition.op),
        (condition.right, condition.left, _MIRROR[condition.op]),
    ):
        var = other.var if isinstance(other, ir.Ref) and other.var is not head.var else None
        if var is None or _offset_of(mine, head.var, known) != 0 or not starts_in_head(loop, var):
            continue
        first, change = evaluate(var.init, known), constant_step(head.step, var, known)
        if not isinstance(first, int) or change is None or var in assigned_variables(loop.body) or step == change:
            return None
        rounds = _counted(start - first, op, 0, step - change)
        return None if rounds is None else range(start, start + len(rounds) * step, step)
    return None


def _closed(start: int, step: int, change: int, limit: tuple[str, Number], *, first: bool, late: bool) -> range | None:
    """Iterations of a head in which the test adds `change` (before it compares: `first`) and the end `step`."""
    whole = step + change
    shift = change if first else 0
    tests = _counted(start + shift + (step if late else 0), *limit, whole)
    if tests is None:
        return None
    body = change - shift
    if not late:
        return range(tests.start + body, tests.start + body + len(tests) * whole, whole)
    return range(start, start + (len(tests) + 1) * whole, whole)


def _range_loop(loop: ir.Loop) -> range | None:
    over = loop.condition
    if isinstance(over, ir.Many):
        return range(len(over.items))
    place = (over.var.type, over.var.dims) if isinstance(over, ir.Ref) and over.var is not None else None
    place = place or (place_of(over) if over is not None else None)
    if place is None:
        return None
    kind, dims = place
    extent = dims[0] if dims else kind.lanes if kind.kind == "vector" else None
    return None if extent is None else range(min(extent, MAX_BOUND))


def constant_step(step: ir.Expr, var: ir.Variable, known: Mapping[ir.Variable, Number]) -> int | None:
    """What `step` adds to `var`; None when that is no constant."""
    if isinstance(step, ir.Many):
        for item in step.items:
            found = constant_step(item, var, known)
            if found is not None:
                return found
        return None
    if isinstance(step, ir.Unary) and isinstance(step.operand, ir.Ref) and step.operand.var is var:
        return {"++": 1, "p++": 1, "--": -1, "p--": -1}.get(step.op)
    if not isinstance(step, ir.Assign) or not isinstance(step.target, ir.Ref) or step.target.var is not var:
        return None
    value = step.value
    sign = {"+=": 1, "-=": -1}.get(step.op)
    if step.op == "=" and isinstance(value, ir.Binary) and value.op in ("+", "-"):
        if isinstance(value.left, ir.Ref) and value.left.var is var:
            sign, value = (1 if value.op == "+" else -1), value.right
        elif value.op == "+" and isinstance(value.right, ir.Ref) and value.right.var is var:
            sign, value = 1, value.left
    amount = evaluate(value, known) if sign else None
    return None if amount is None or sign is None else sign * int(amount)


_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!="}


def _limit(condition: ir.Expr, var: ir.Variable, known: Mapping[ir.Variable, Number]) -> tuple[str, Number] | None:
    """(operator, bound) of `var < bound` in either order; None for anything else."""
    if not isinstance(condition, ir.Binary) or condition.op not in _MIRROR:
        return None
    for mine, other, op in (
        (condition.left, condition.right, condition.op),
        (condition.right, condition.left, _MIRROR[condition.op]),
    ):
        shift = _offset_of(mine, var, known)
        if shift is not None:
            bound = evaluate(other, known)
            return None if bound is None else (op, bound - shift)
    return None


def _offset_of(expr: ir.Expr, var: ir.Variable, known: Mapping[ir.Variable, Number]) -> Number | None:
    """c where `expr` is `var + c`; None when it is not of that form."""
    while isinstance(expr, ir.Cast):
        expr = expr.operand
    if isinstance(expr, ir.Ref) and expr.var is var:
        return 0
    if isinstance(expr, ir.Binary) and expr.op in ("+", "-") and isinstance(expr.left, ir.Ref) and expr.left.var is var:
        return binary(expr.op, 0, evaluate(expr.right, known))
    return None


def _counted(start: int, op: str, bound: Number, step: int) -> range | None:
    if max(abs(start), abs(bound), abs(step)) > MAX_BOUND:
        return None
    if op == "!=":
        if (bound - start) % step or (bound - start) / step < 0:
            return None
        return range(start, int(bound), step)
    if (op in ("<", "<=") and step < 0) or (op in (">", ">=") and step > 0):
        return range(0) if not _holds(start, op, bound) else None
    if op == "<":
        return range(start, math.ceil(bound), step)
    if op == "<=":
        return range(start, math.floor(bound) + 1, step)
    if op == ">":
        return range(start, math.floor(bound), step)
    return range(start, math.ceil(bound) - 1, step)


def _holds(value: Number, op: str, bound: Number) -> bool:
    return bool(binary(op, value, bound))


def _simulated(head: Head, start: Number, known: Mapping[ir.Variable, Number]) -> list[Number] | None:
    """Run the loop's head by itself, for steps such as `i >>= 1` and `i *= 2`."""
    state = dict(known)
    values: list[Number] = []
    current: Number | None = start
    while len(values) <= MAX_SIMULATED_STEPS:
        if current is None:
            return None
        state[head.var] = current
        going = evaluate(head.condition, state)
        if going is None:
            return None
        if not going:
            return values
        values.append(current)
        current = _stepped(head.step, head.var, state)
    return None


def _stepped(step: ir.Expr | None, var: ir.Variable, state: Mapping[ir.Variable, Number]) -> Number | None:
    for item in step.items if isinstance(step, ir.Many) else (step,):
        target = item.target if isinstance(item, ir.Assign) else item.operand if isinstance(item, ir.Unary) else None
        if not isinstance(target, ir.Ref) or target.var is not var:
            continue
        if isinstance(item, ir.Unary):
            return binary("+", state[var], 1 if "+" in item.op else -1)
        assert isinstance(item, ir.Assign)
        value = evaluate(item.value, state)
        return value if item.op == "=" else binary(item.op[:-1], state[var], value)
    return None


def _named_inside(loop: ir.Loop) -> set[ir.Variable]:
    """Variables that the heads of the loops inside a loop name, or that give their bounds a value in its body."""
    found: set[ir.Variable] = set()
    pending: list[ir.Variable] = []
    for inner in loops_inside(loop.body):
        pending += variables_in(inner.start, inner.condition, inner.step)
    sources: dict[ir.Variable, list[ir.Expr]] = {}
    if pending:
        _definitions(loop.body, sources)
    while pending:
        var = pending.pop()
        if var not in found:
            found.add(var)
            pending += variables_in(*sources.get(var, ()))
    return found


def _definitions(block: ir.Block, found: dict[ir.Variable, list[ir.Expr]]) -> None:
    """What scalars of a block are set to, by the statement as a whole."""
    for item in block.items:
        if isinstance(item, ir.Declare):
            if item.var.init is not None and not item.var.dims:
                found.setdefault(item.var, []).append(item.var.init)
        elif isinstance(item, ir.Evaluate):
            for var in changed_in((item.expr,)):
                if not var.dims:
                    found.setdefault(var, []).append(item.expr)
        elif isinstance(item, ir.Block):
            _definitions(item, found)
        elif isinstance(item, ir.If):
            _definitions(item.then, found)
            if item.otherwise is not None:
                _definitions(item.otherwise, found)
        elif isinstance(item, ir.Loop):
            _definitions(item.body, found)


def stable_bindings(function: ir.Function, known: Mapping[ir.Variable, Number]) -> dict[ir.Variable, Number]:
    """What holds everywhere in a function: of `known` and of locals set once what nothing changes."""
    assigned = assigned_variables(function.body)
    bound = {var: value for var, value in known.items() if var not in assigned and not var.handed}
    for _ in range(2):
        for var in function.variables.values():
            changes = var in assigned or var.handed or var.static
            if var.scope == "local" and not var.dims and not changes and var.init is not None:
                value = evaluate(var.init, bound)
                if value is not None:
                    bound[var] = int(value) if var.type.kind in ("int", "uint", "bool") else value
    return bound
