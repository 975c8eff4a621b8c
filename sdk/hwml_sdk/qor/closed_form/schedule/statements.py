"""The walk over statements: branches are built both ways, loops become copies or stay and take their time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice

from ...program import ir
from ...program.constants import evaluate
from ...program.expressions import assigned_variables, children, leaves
from ...program.facts import declarations
from ...program.typenames import INT
from ...tool.operators import Target
from . import arrays, calls, expressions, fields, integers, loads, pointers, unrolling
from .accesses import Alias, Element, root
from .beside import LoopUses
from .expanding import copies_of
from .forms import Form, affine, linear
from .memory_cycles import in_registers
from .operations import make
from .region import Handlers, Host, Region, Stay
from .values import NO_LOOPS, Value, constant_value, either

LOOP_STEPS = 30  # what a loop that stays one costs beside its statements: its bounds, its II, its area, its row
VALUES_A_STEP = 160  # values that are set anew in the time that an expression takes

# Expressions hold one another in every order, so that here, above all of them, stands who walks which.
MAX_GIVEN = 256  # values of a list that are stored one by one
MOST_COPIES = 1e30  # of a body; no tool makes them, and the products of such numbers leave what a float holds

HANDLERS: Handlers = {
    ir.Const: expressions.constant,
    ir.Ref: expressions.name,
    ir.Index: loads.load,
    ir.Member: expressions.member,
    ir.Unary: expressions.unary,
    ir.Binary: expressions.binary,
    ir.Assign: expressions.assign,
    ir.Ternary: expressions.ternary,
    ir.Cast: expressions.cast,
    ir.Call: calls.call,
    ir.Many: expressions.many,
}


def open_region(
    host: Host, target: Target, aliases: dict[ir.Variable, Alias], *, unroll_all: bool, automatic: bool = False
) -> Region:
    """A region to walk: nothing known yet. Parameters as of `Region`; aliases are copied, as inlining adds to them."""
    return Region(host, target, dict(aliases), HANDLERS, host.work, unroll_all, automatic)


def walk(region: Region, block: ir.Block) -> None:
    """Walk statements in order, as long as there is work left."""
    for item in block.items:
        if not region.work.take() or (region.returned is not None and region.returned_under is None):
            return  # what stands behind a `return` that no condition leads to is never run
        if isinstance(item, ir.Evaluate):
            region.value(item.expr)
        elif isinstance(item, ir.Declare):
            _declare(region, item.var)
        elif isinstance(item, ir.Loop):
            _loop(region, item)
        elif isinstance(item, ir.If):
            _branch(region, item)
        elif isinstance(item, ir.Block):
            walk(region, item)
        elif isinstance(item, ir.Return) and item.value is not None:
            _return(region, item.value)


def _return(region: Region, expr: ir.Expr) -> None:
    """A value that comes back: of several the conditions around the earlier ones choose."""
    value, known = fields.walked(region, expr)
    earlier, guard = region.returned, region.returned_under
    if earlier is None:
        region.returned, region.fields = value, known
        # Conditions around the call choose nothing inside it.
        region.returned_under = region.guards[-1] if len(region.guards) > region.outside else None
        return
    region.fields = {}
    if guard is None:
        region.returned = either(earlier, value)
        return
    made = make(region, "select", value.type, guard, earlier, value)
    region.returned = made


def _declare(region: Region, var: ir.Variable) -> None:
    if var.dims or var.type.kind == "stream":
        if isinstance(var.init, ir.Ref) and not var.static:
            arrays.copy_array(region, ir.Ref(var.name, var), var.init)
        elif isinstance(var.init, ir.Many) and _is_given(region, var, var.init):
            _give(region, ir.Ref(var.name, var), (), var.init)
        elif isinstance(var.init, ir.Many):
            _calls_of(region, var.init)
            if _is_filled(region, var, var.init):
                region.host.copy(region, ir.Call("memset", (ir.Ref(var.name, var), ir.Const(0, INT))))
        return
    if var.static:
        return  # it has its initial value before the first call only
    if var.type.kind == "struct" and not var.type.pointer:
        region.env.forget(var)
        fields.replaced(region, var, {})
        if var.init is not None:
            region.env[var], known = fields.walked(region, var.init)
            fields.replaced(region, var, known)
            arrays.copy_fields(region, ir.Ref(var.name, var), var.init)
        return
    if var.init is None:
        region.env.forget(var)
        return
    if var.type.pointer == 1 and fields.element_of(fields.through(region, var.init)):
        fields.refer(region, var, var.init)
        return
    if var.type.pointer and (pointers.point(region, var, var.init) or fields.stand_behind(region, var, var.init)):
        return
    region.binding = region.host.bound(var)
    value = expressions.convert(region, region.low(var.init, var.type), var.type)
    region.binding = {}
    region.env[var] = value


def _is_given(region: Region, var: ir.Variable, init: ir.Many) -> bool:
    """Whether an array gets values that are known at run time only, each time it is declared."""
    if var.static or var.const or var.type.kind == "struct":
        return False
    values = list(islice(leaves(init), MAX_GIVEN + 1))
    return len(values) <= MAX_GIVEN and any(evaluate(item, region.host.known) is None for item in values)


def _give(region: Region, array: ir.Expr, at: tuple[ir.Expr, ...], item: ir.Expr) -> None:
    """Store what a list says into the elements of an array."""
    if isinstance(item, ir.Many) and not item.comma:
        for number, inner in enumerate(item.items):
            _give(region, array, (*at, ir.Const(number, INT)), inner)
    else:
        expressions.assign(region, ir.Assign("=", ir.Index(array, at), item))


def _is_filled(region: Region, var: ir.Variable, init: ir.Many) -> bool:
    """Whether an array gets one value in all its elements each time it is declared: a loop, as memset is one.

    Fitted on designs of data/qor whose report has as many cycles more as such an array has elements. A table that
    nothing writes is a ROM; registers take their values at once; in a pipeline the stores lie beside each other.
    """
    if var.static or var.const or region.unroll_all or in_registers(region.host, var) or None in var.dims:
        return False
    if not all(evaluate(item, region.host.known) == 0 for item in leaves(init)):
        return False
    function = region.host.program.functions.get(var.function)
    return function is None or var.handed or var in assigned_variables(function.body)


def _branch(region: Region, item: ir.If) -> None:
    """If-conversion: both arms are built, what they write is selected."""
    known = evaluate(item.condition, region.host.known)
    if known is not None:
        chosen = item.then if known else item.otherwise
        if chosen is not None:
            walk(region, chosen)
        return
    condition = region.whole(item.condition)
    if condition.constant is not None:
        chosen = item.then if condition.constant else item.otherwise
        if chosen is not None:
            walk(region, chosen)
        return
    region.branches += 1
    mark = region.env.mark()
    region.guards.append(condition)
    pinned, region.pinned = region.pinned, region.pinned | _pins(region, item.condition)
    start = region.base, region.end
    arms, region.arms = region.arms, (*region.arms, (item, 0))
    walk(region, item.then)
    region.pinned = pinned
    then = region.env.back(mark)
    mark = region.env.mark()
    after = region.base, region.end
    if item.otherwise is not None:
        # One way or the other is taken: loops and calls on both do not follow one another.
        region.base, region.end = start
        region.arms = (*arms, (item, 1))
        walk(region, item.otherwise)
        region.base, region.end = max(region.base, after[0]), max(region.end, after[1])
    region.guards.pop()
    region.arms = arms
    _merge(region, condition, then, region.env.changed(mark))


def _pins(region: Region, condition: ir.Expr) -> frozenset[ir.Loop]:
    """Unrolled loops of which `condition` lets one copy through: `j + 8 * i == 0` is true in one j at most."""
    if isinstance(condition, ir.Binary) and condition.op == "&&":
        return _pins(region, condition.left) | _pins(region, condition.right)
    if not isinstance(condition, ir.Binary) or condition.op != "==" or not region.unrolled:
        return NO_LOOPS
    left, right = _peek(region, condition.left), _peek(region, condition.right)
    if left is None or right is None:
        return NO_LOOPS
    form = linear(left, right, -1.0) or {}
    return frozenset(loop for loop in region.unrolled if loop.var is not None and loop.var in form)


def _peek(region: Region, expr: ir.Expr) -> Form | None:
    """Affine form of an expression without building anything."""
    if isinstance(expr, ir.Const):
        return {None: float(expr.value)} if isinstance(expr.value, int) else None
    if isinstance(expr, ir.Ref) and expr.var is not None:
        found = region.env.get(expr.var)
        if found is not None:
            return found.form
        return {expr.var: 1.0} if expr.var in region.host.active else None
    if isinstance(expr, ir.Binary):
        return affine(expr.op, _peek(region, expr.left), _peek(region, expr.right))
    if isinstance(expr, ir.Cast):
        return _peek(region, expr.operand)
    return None


def _merge(
    region: Region, condition: Value, then: dict[object, Value | None], before: dict[object, Value | None]
) -> None:
    """Join what is known after the second arm with `then`, after the first; before: what the second one changed."""
    for key in {**then, **before}:
        b = region.env.get(key)
        if b is None and type(key) is ir.Variable and key in region.carried and not key.type.pointer:
            # Nobody has looked at it before: on the other way it is what the last round has left.
            region.env.forget(key)
            b = expressions.name(region, ir.Ref(key.name, key))
        was = before.get(key, b)  # None: nothing was known
        a = then.get(key, was)
        if a is b:
            continue
        if a is not None and b is not None:
            region.env[key] = _selected(region, condition, was, a, b)
        elif isinstance(key, Element):
            region.env.forget(key)  # on one way only: what a later load finds is in the memory
        elif a is not None:
            region.env[key] = a


def _selected(region: Region, condition: Value, before: Value | None, a: Value, b: Value) -> Value:
    type_ = a.type if a.type.kind != "bool" else b.type
    width = max(a.width, b.width)
    chosen = integers.of_width(type_, width) if type_.kind in ("int", "uint") else type_
    made = make(region, "select", chosen, condition, a, b)
    if chosen is not type_:
        made.type, made.bits = type_, width
    # One arm leaves it as it was: an update under a condition, which no reordering of sums may touch.
    made.guarded = before in (a, b)
    if a.form is not None and a.form == b.form:
        made.form = a.form
    return made


def _calls_of(region: Region, *exprs: ir.Expr | None) -> None:
    """Calls in places that are no code of their own: the head of a loop, the initial values of an array."""
    pending = [expr for expr in exprs if expr is not None]
    while pending:
        expr = pending.pop()
        kind = type(expr)
        if kind is ir.Ref or kind is ir.Const:  # what loops' heads are made of, and nothing is inside them
            continue
        if not isinstance(expr, ir.Call) or expr.receiver is not None or expr.span is None:
            pending += children(expr)
        elif evaluate(expr, region.host.known) is None:
            region.value(expr)


def _loop(region: Region, loop: ir.Loop) -> None:
    _calls_of(region, loop.start, loop.condition, loop.step)
    trip = region.host.unroll_trip(loop, region.unroll_all)
    if trip == 0:
        return
    if trip is not None:
        for var, start in loop.others:
            region.env[var] = expressions.convert(region, region.low(start, var.type), var.type)
        counted = copies_of(region, loop)
        if counted is None:
            unroll(region, loop, trip)
        else:
            _expand(region, loop, counted)
        return
    if not region.work.take(LOOP_STEPS):
        return
    stay, uses = region.host.nested(loop, region)
    occupy(region, stay, uses)
    # Whatever the loop may have changed is not known any more; memories are read anew behind it.
    changed = assigned_variables(loop.body)
    for var in changed:
        region.env.forget(var)
    owners = {var for var in changed if var.type.kind == "struct"}
    for key in [k for k in region.env if type(k) is ir.Variable and k.part_of and root(k) in owners] if owners else ():
        region.env.forget(key)
    for element in region.elements.of():
        region.env.forget(element)
    if not region.guards:
        region.elements.drop()
    region.work.left -= len(region.env) // VALUES_A_STEP
    for value in region.env.values():
        value.time = region.base


def occupy(region: Region, stay: Stay, uses: LoopUses | None) -> float:
    """Time for a loop that stays one; what is known to touch nothing of the loops just before runs beside them.

    Returns when it starts.
    """
    # Under a condition, or copied, loops keep their order: that two of them share nothing is known of one copy only.
    alone = uses is None or bool(region.guards) or bool(region.unrolled)
    now = math.ceil(max(region.end, region.base) - 1e-6)
    if not stay.called or region.in_loop:
        now = max(now, 1)  # a state before it: the function's first, or the test of the loop around
    start = region.beside.start(now, None if alone else uses)
    before = region.base
    region.base = region.beside.finish(start + stay.cycles, None if alone else uses)
    region.stayed += max(region.base - max(before, start), 0.0)
    if stay.called:
        region.called += 1
        region.turns |= {("start", start), ("wait", region.base)}
    # The state that leaves a loop is the first one of what follows; a call is left with its last one.
    region.end = region.base + (0 if stay.called else 1)
    return start


def unroll(region: Region, loop: ir.Loop, trip: float) -> None:
    """Walk the body of a loop of `trip` copies, once."""
    if math.prod(region.unrolled.values()) * region.expanded * trip > MOST_COPIES:
        region.unknown.because(f"loop {loop.name} would be unrolled into more than {MOST_COPIES:.0e} copies")
        trip = 1.0
    before = unrolling.enter(region, loop, trip)
    walk(region, loop.body)
    unrolling.leave(region, loop, trip, before)


def _expand(region: Region, loop: ir.Loop, counted: Sequence[int]) -> None:
    """Walk the copies of a loop one by one."""
    assert loop.var is not None
    late, region.expanded_late = region.expanded_late, region.expanded_late or (
        region.automatic and loop.pragma("HLS", "UNROLL") is None
    )  # fmt: skip
    outside, region.expanded = region.expanded, region.expanded * len(counted)
    region.copies_made = max(region.copies_made, math.prod(region.unrolled.values()) * region.expanded)
    # In the next copy they are others; what is static is the same one.
    own = [item.var for item in declarations(loop.body) if not item.var.static]
    for count in counted:
        region.env[loop.var] = constant_value(region.base, loop.var.type, count)
        walk(region, loop.body)
        for var in own:
            region.env.forget(var)
    region.env.forget(loop.var)
    region.expanded_late, region.expanded = late, outside
