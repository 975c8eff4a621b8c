"""How often loops run: exact where bounds are constants, also in triangular nests; unknown is said, never guessed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from . import ir
from .constants import Number, binary, evaluate

MAX_ENVIRONMENTS = 4096
SAMPLED_TURNS, SAMPLED_VALUES = 64, 64  # of nests with more entries than that
_GOLDEN = 0.618034
MAX_SIMULATED_STEPS = 20_000
MAX_BOUND = 2**61  # beyond what loop counters hold

Environment = dict[ir.Variable, Number]
_Turn = tuple[Environment, float, "range | list[Number]"]  # of one entry: its environment, weight, values of the loop


@dataclass(frozen=True, slots=True)
class TripCount:
    """Iterations of a loop each time it is entered.

    average over all entries (exact for constant bounds unless `sampled`), least and most.
    source: "bounds", "loop_tripcount", "setting" or "unknown" (then average is None).
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


@dataclass(frozen=True, slots=True)
class Entries:
    """How a place in a nest is reached: values of the loop variables that matter there, and how often each.

    sampled: an even choice of all there are, as there were too many.
    """

    items: Sequence[tuple[Environment, float]]
    sampled: bool = False


ONCE = Entries([({}, 1.0)])


class TripCounter:
    """Counts the loops of one function body under given constants."""

    def __init__(self, known: Mapping[ir.Variable, Number], default: int = 0) -> None:
        self.known = dict(known)
        self.default = default
        self.counts: dict[ir.Loop, TripCount] = {}

    def block(self, block: ir.Block, entries: Entries = ONCE) -> None:
        """Count every loop of `block`, outer first; entries: values of the enclosing loops' variables."""
        for item in block.items:
            if isinstance(item, ir.Loop):
                self.loop(item, entries)
            elif isinstance(item, ir.Block):
                self.block(item, entries)
            elif isinstance(item, ir.If):
                self.block(item.then, entries)
                if item.otherwise is not None:
                    self.block(item.otherwise, entries)

    def loop(self, loop: ir.Loop, entries: Entries) -> None:
        """Count one loop and those inside it."""
        turns: list[_Turn] = []
        modified = loop.var is not None and loop.var in assigned_variables(loop.body)
        for environment, weight in entries.items:
            values = None if modified else iterations(loop, {**self.known, **environment})
            if values is None:
                turns.clear()
                break
            turns.append((environment, weight, values))
        self.counts[loop] = self._summary(loop, turns, entries.sampled)
        self.block(loop.body, _inside(loop, turns, entries))

    def _summary(self, loop: ir.Loop, turns: Sequence[_Turn], sampled: bool) -> TripCount:
        if turns:
            counts = [len(values) for _, _, values in turns]
            total = sum(weight * len(values) for _, weight, values in turns)
            average = total / sum(weight for _, weight, _ in turns)
            return TripCount(average, min(counts), max(counts), "bounds", sampled)
        pragma = loop.pragma("HLS", "LOOP_TRIPCOUNT")
        if pragma is not None:
            values = [_number(pragma.options.get(name)) for name in ("min", "max", "avg")]
            low, high = values[0] or 0, values[1]
            if high is not None:
                average = values[2] if values[2] is not None else (low + high) / 2
                return TripCount(average, low, high, "loop_tripcount")
        if self.default:
            return TripCount(self.default, self.default, self.default, "setting")
        return UNKNOWN


def _inside(loop: ir.Loop, turns: Sequence[_Turn], entries: Entries) -> Entries:
    """How the body of a loop is reached: only variables that bounds further inside name are told apart."""
    needed = _named_inside(loop)
    wanted = loop.var is not None and loop.var in needed
    if not any(values for _, _, values in turns):
        return _merged(entries, needed)  # unknown, or never entered: as if it ran once
    if not wanted:
        return _merged(Entries([(e, w * len(v)) for e, w, v in turns if v], entries.sampled), needed)
    assert loop.var is not None
    if not any(var in needed for environment, _, _ in turns for var in environment):
        spread = _overlaid([(weight, values) for _, weight, values in turns])
        if spread is not None:
            return Entries([({loop.var: value}, weight) for value, weight in spread], entries.sampled)
    sampled = entries.sampled or sum(len(values) for _, _, values in turns) > MAX_ENVIRONMENTS
    found: list[tuple[Environment, float]] = []
    for environment, weight, values in _few(turns) if sampled else turns:
        chosen = _thin(values) if sampled else values
        found += [({**environment, loop.var: value}, weight * len(values) / len(chosen)) for value in chosen]
    return _merged(Entries(found, sampled), needed)


def _merged(entries: Entries, needed: Collection[ir.Variable]) -> Entries:
    """Entries that differ in variables nobody needs, put together."""
    weights: dict[tuple[tuple[ir.Variable, Number], ...], float] = {}
    for environment, weight in entries.items:
        key = tuple(item for item in environment.items() if item[0] in needed)
        weights[key] = weights.get(key, 0.0) + weight
    return Entries([(dict(key), weight) for key, weight in weights.items()], entries.sampled)


def _overlaid(turns: Sequence[tuple[float, range | list[Number]]]) -> list[tuple[int, float]] | None:
    """Values that ranges of one step take together, each with its weight; None when that is not worth it."""
    ranges = [(weight, values) for weight, values in turns if values]
    steps = {values.step if isinstance(values, range) else 0 for _, values in ranges}
    if len(steps) != 1 or 0 in steps:
        return None
    (step,) = steps
    first = min(min(values[0], values[-1]) for _, values in ranges)
    size = abs(step)
    if any((values[0] - first) % size for _, values in ranges):
        return None
    slots = [((int(min(v[0], v[-1]) - first) // size, int(max(v[0], v[-1]) - first) // size), w) for w, v in ranges]
    length = max(last for (_, last), _ in slots) + 1
    if length > MAX_ENVIRONMENTS:
        return None
    changes = [0.0] * (length + 1)
    for (low, high), weight in slots:
        changes[low] += weight
        changes[high + 1] -= weight
    weights = accumulate(changes[:-1])
    return [(int(first) + size * index, weight) for index, weight in enumerate(weights) if weight > 0]


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _few(turns: Sequence[_Turn]) -> list[_Turn]:
    """An even choice of the turns, their weights raised to match; places shift, so that no pattern is met."""
    turns = [turn for turn in turns if turn[2]]
    if len(turns) <= SAMPLED_TURNS:
        return turns
    step = len(turns) / SAMPLED_TURNS
    places = [int((k + k * _GOLDEN % 1.0) * step) for k in range(SAMPLED_TURNS)]
    return [(turns[at][0], turns[at][1] * step, turns[at][2]) for at in places]


def _thin(values: range | list[Number]) -> Sequence[Number]:
    """All of a short loop's values; the middles of equal parts of a long one's."""
    if len(values) <= SAMPLED_VALUES:
        return values
    return [values[(2 * k + 1) * len(values) // (2 * SAMPLED_VALUES)] for k in range(SAMPLED_VALUES)]


def iterations(loop: ir.Loop, known: Mapping[ir.Variable, Number]) -> range | list[Number] | None:
    """Values the loop's variable takes, None when they cannot be known."""
    if loop.kind == "range":
        return _range_loop(loop)
    if loop.var is None or loop.condition is None or loop.step is None:
        return None
    start = evaluate(loop.start, known) if loop.start is not None else None
    if start is None:
        return None
    step = constant_step(loop.step, loop.var, known)
    limit = _limit(loop.condition, loop.var, known) if step else None
    if step and limit is not None and isinstance(start, int):
        op, bound = limit
        return _counted(start, op, bound, step)
    return _simulated(loop, start, known)


def _range_loop(loop: ir.Loop) -> range | None:
    over = loop.condition
    if isinstance(over, ir.Ref) and over.var is not None and over.var.dims and over.var.dims[0] is not None:
        return range(min(over.var.dims[0], MAX_BOUND))
    return None


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


def _simulated(loop: ir.Loop, start: Number, known: Mapping[ir.Variable, Number]) -> list[Number] | None:
    """Run the loop's head by itself, for steps such as `i >>= 1` and `i *= 2`."""
    assert loop.var is not None
    state = dict(known)
    values: list[Number] = []
    current: Number | None = start
    while len(values) <= MAX_SIMULATED_STEPS:
        if current is None:
            return None
        state[loop.var] = current
        going = evaluate(loop.condition, state)
        if going is None:
            return None
        if not going:
            return values
        values.append(current)
        current = _stepped(loop.step, loop.var, state)
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
    """Variables that the heads of the loops inside a loop name."""
    found: set[ir.Variable] = set()
    pending = [part for inner in ir.loops_of(loop.body) for part in (inner.start, inner.condition, inner.step) if part]
    while pending:
        expr = pending.pop()
        if isinstance(expr, ir.Ref) and expr.var is not None:
            found.add(expr.var)
        pending.extend(children(expr))
    return found


# By type, as this is asked for every expression several times over.
_CHILDREN: dict[type, Callable[[Any], tuple[ir.Expr, ...]]] = {
    ir.Binary: lambda e: (e.left, e.right),
    ir.Assign: lambda e: (e.target, e.value),
    ir.Unary: lambda e: (e.operand,),
    ir.Cast: lambda e: (e.operand,),
    ir.Index: lambda e: (e.base, *e.subscripts),
    ir.Member: lambda e: (e.base,),
    ir.Ternary: lambda e: (e.condition, e.yes, e.no),
    ir.Call: lambda e: e.args if e.receiver is None else (e.receiver, *e.args),
    ir.Many: lambda e: e.items,
}


def children(expr: ir.Expr) -> tuple[ir.Expr, ...]:
    """Direct operands of an expression."""
    found = _CHILDREN.get(type(expr))
    return () if found is None else found(expr)


def expressions_of(block: ir.Block) -> Iterable[ir.Expr]:
    """Every expression of a block at its top (conditions, statements, loop heads), nested blocks included."""
    for item in block.items:
        if isinstance(item, ir.Evaluate):
            yield item.expr
        elif isinstance(item, ir.Declare):
            if item.var.init is not None:
                yield item.var.init
        elif isinstance(item, ir.Return):
            if item.value is not None:
                yield item.value
        elif isinstance(item, ir.Block):
            yield from expressions_of(item)
        elif isinstance(item, ir.If):
            yield item.condition
            yield from expressions_of(item.then)
            if item.otherwise is not None:
                yield from expressions_of(item.otherwise)
        elif isinstance(item, ir.Loop):
            for part in (item.start, item.condition, item.step):
                if part is not None:
                    yield part
            yield from expressions_of(item.body)


def assigned_variables(block: ir.Block) -> frozenset[ir.Variable]:
    """Variables (scalars and arrays) that some statement of the block writes; loop heads' own steps included."""
    if block.assigned is None:
        block.assigned = frozenset(_assigned_in(block))
    return block.assigned


def _assigned_in(block: ir.Block) -> set[ir.Variable]:
    found: set[ir.Variable] = set()
    pending = list(expressions_of(block))
    while pending:
        expr = pending.pop()
        kind = type(expr)
        target = None
        if kind is ir.Assign:
            target = expr.target  # type: ignore[union-attr]
        elif kind is ir.Unary and expr.op in ("++", "--", "p++", "p--"):  # type: ignore[union-attr]
            target = expr.operand  # type: ignore[union-attr]
        if target is not None:
            var = root_variable(target)
            if var is not None:
                found.add(var)
        pending.extend(children(expr))
    return found


def root_variable(expr: ir.Expr) -> ir.Variable | None:
    """The variable an access starts from: `a` of `a[i].x`, `*a`, `a.range(3, 0)`."""
    while True:
        if isinstance(expr, ir.Ref):
            return expr.var
        if isinstance(expr, ir.Index | ir.Member):
            expr = expr.base
        elif isinstance(expr, ir.Unary | ir.Cast):
            expr = expr.operand
        elif isinstance(expr, ir.Call) and expr.receiver is not None:
            expr = expr.receiver
        else:
            return None


def stable_bindings(function: ir.Function, known: Mapping[ir.Variable, Number]) -> dict[ir.Variable, Number]:
    """`known` plus locals that are set once, to a value that can be computed."""
    assigned = assigned_variables(function.body)
    bound = dict(known)
    for _ in range(2):
        for var in function.variables.values():
            if var.scope == "local" and not var.dims and var not in assigned and var.init is not None:
                value = evaluate(var.init, bound)
                if value is not None:
                    bound[var] = int(value) if var.type.kind in ("int", "uint", "bool") else value
    return bound
