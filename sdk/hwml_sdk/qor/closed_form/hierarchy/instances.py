"""Calls: of functions without loops in place, of others as instances of their own; copies of memories as loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from ...program import ir
from ...program.addresses import address_of_sum
from ...program.constants import Number, evaluate, held
from ...program.expressions import loops_inside, root_variable
from ...program.options import untold
from ...program.sizes import byte_size, place_of
from ...program.trip_counts import stable_bindings
from ...program.typenames import TASKS, THIS, UNKNOWN, VOID, split_scope
from ...tool.memories import MEMORY
from .. import logic, registers
from ..costs import COSTS
from ..design_cache import MAX_CALLS
from ..memory import element_count, is_memory, storage
from ..schedule import fields
from ..schedule.accesses import Alias
from ..schedule.beside import copy_uses
from ..schedule.bounds import NestLoop
from ..schedule.forms import linear
from ..schedule.loads import place
from ..schedule.operations import copies
from ..schedule.pointers import behind
from ..schedule.region import Region, Stay
from ..schedule.statements import occupy, walk
from ..schedule.values import NO_LOOPS, NO_SOURCES, Value
from ..unknown import CYCLES
from . import blocks
from .blocks import is_address
from .frame import NOMINAL_TRIP, Frame

# Calls that call twice what calls twice: from here on the number of instances has grown past all reason.
MAX_WALKS = 5000
LAYOUTS_A_STEP = 20  # arrays of the caller that an instance is told of in the time that an expression takes
IN_PLACE_STEPS = 5  # what a call that is walked in place costs beside the statements of the function
COPY_STATES = 3  # of a copy's round: load in two, store in one
INSTANCE_STEPS = 20  # what a function costs beside its statements: its loops are counted and planned, its area added up


def call(frame: Frame, region: Region, function: ir.Function, expr: ir.Call) -> Value:
    """A call: walked in place when the function has no loops that stay, else an instance of its own."""
    design = frame.design
    in_place = region.unroll_all or design.is_straight(function)
    waits = not in_place and blocks.names_news(region, expr)
    args = _arguments(region, function, expr, in_place)
    time = max([a.time for a in args], default=region.base)
    # Recursion is not built by any HLS tool; calls inside calls are walked so far as the walk itself may go.
    calls_itself = function.name in frame.stack
    if calls_itself or len(frame.stack) > MAX_CALLS:
        region.unknown.because(f"{function.name} calls itself" if calls_itself else _too_deep(function))
        return Value(time, NO_LOOPS, function.returns, NO_SOURCES)
    design.walks += 1
    if design.walks > MAX_WALKS:
        region.unknown.because(f"more than {MAX_WALKS} calls, each with the calls inside it: the rest is left out")
        return Value(time, NO_LOOPS, function.returns, NO_SOURCES)
    aliases, constants = _bind(frame, region, function, expr)
    # A function with loops keeps them out of its caller's states; one without is inlined, as the tool does by itself.
    if in_place:
        frame.work.left -= IN_PLACE_STEPS
        return _in_place(frame, region, function, expr, args, aliases, constants, time)
    if not frame.work.take(INSTANCE_STEPS + len(frame.layouts) // LAYOUTS_A_STEP):
        return Value(time, NO_LOOPS, function.returns, NO_SOURCES)
    result = frame.instance(function, constants, aliases)
    region.unknown.join(result.unknown)
    region.end = max(region.end, time)
    uses = None if waits else blocks.uses_of(frame, region, function, expr, aliases)
    blocks.place(frame, region, result, expr, uses, aliases)
    _changed_by(frame, region, function, expr, aliases)
    return Value(region.base, NO_LOOPS, function.returns, NO_SOURCES)


def _too_deep(function: ir.Function) -> str:
    return f"{function.name} stands inside more than {MAX_CALLS} calls"


def _arguments(region: Region, function: ir.Function, expr: ir.Call, in_place: bool) -> list[Value]:
    """The values of the arguments; of a row of an array nothing is read.

    An element that a reference stands for is read where the function reads it.
    """
    found = []
    for index, argument in enumerate(expr.args):
        param = function.params[index] if index < len(function.params) else None
        unread = _is_row(argument) or (
            param is not None
            and (_is_moved(region, param, argument) or (in_place and _refers(region, param, argument)))
        )
        found.append(Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES) if unread else region.whole(argument))
    return found


def _is_row(argument: ir.Expr) -> bool:
    """Whether an argument is an array inside an array."""
    found = place_of(argument) if isinstance(argument, ir.Index) else None
    return found is not None and bool(found[1])


def _is_moved(region: Region, param: ir.Variable, argument: ir.Expr) -> bool:
    """Whether an argument is `a + n`, so that it is an address that the function adds to."""
    base = address_of_sum(argument) if is_address(param) else None
    if base is None:
        return False
    return isinstance(base, ir.Index) or (base.var is not None and (bool(base.var.dims) or base.var in region.aliases))


def _refers(region: Region, param: ir.Variable, argument: ir.Expr) -> bool:
    """Whether a parameter is a reference to an element of an array (a pointer would be given its address)."""
    plain = param.type.pointer == 1 and not param.dims and param.type.kind != "stream"
    return plain and fields.element_of(fields.through(region, argument))


def _changed_by(
    frame: Frame,
    region: Region,
    function: ir.Function,
    expr: ir.Call,
    aliases: Mapping[ir.Variable, Alias],
) -> None:
    """What a block of its own may have changed comes when it is done."""
    refs = [argument for param, argument in zip(function.params, expr.args, strict=False) if param.type.pointer]
    for argument in (*refs, *(() if expr.receiver is None else (expr.receiver,))):
        inner = argument.operand if isinstance(argument, ir.Unary) and argument.op == "&" else argument
        inner = fields.target_of(region, inner)
        owner = fields.struct_of(region, inner)
        if owner is None and isinstance(inner, ir.Member):
            owner = fields.struct_of(region, inner.base)
        if owner is not None:
            fields.replaced(region, owner, {})
            region.env[owner] = Value(region.base, NO_LOOPS, owner.type, NO_SOURCES)
        elif isinstance(inner, ir.Ref) and inner.var in region.env and inner.var is not None and not inner.var.dims:
            region.env[inner.var] = Value(region.base, NO_LOOPS, inner.var.type, NO_SOURCES)
    written = frame.design.outside(function.name)[1]
    for var in written & region.env.keys():
        region.env[var] = Value(region.base, NO_LOOPS, var.type, NO_SOURCES)
    for array in (*(alias.array for alias in aliases.values()), *(var for var in written if var.dims)):
        for element in region.elements.of(array):
            region.env.forget(element)


def _bind(
    frame: Frame, region: Region, function: ir.Function, expr: ir.Call
) -> tuple[dict[ir.Variable, Alias], dict[ir.Variable, Number]]:
    """Arrays and constants that the parameters stand for."""
    aliases: dict[ir.Variable, Alias] = {}
    constants: dict[ir.Variable, Number] = {}
    for param, argument in zip(function.params, expr.args, strict=False):
        inner = argument
        while isinstance(inner, ir.Unary | ir.Cast) and not (isinstance(inner, ir.Unary) and inner.op != "&"):
            inner = inner.operand
        value = evaluate(inner, frame.known)
        # Loops bounded by an argument have a known length in this call, whatever other calls give.
        if value is not None and not param.dims:
            constants[param] = held(param.type, value)
        alias = _alias_of(region, inner) if is_address(param) or not isinstance(inner, ir.Binary) else None
        if alias is not None:
            aliases[param] = alias
    return aliases, constants


def _alias_of(region: Region, argument: ir.Expr) -> Alias | None:
    """What a parameter stands for that is given `a`, `a[i]` or `s.a`; None for a value."""
    if isinstance(argument, ir.Index | ir.Member):
        found = place(region, argument)
        return None if found is None else Alias(found.array, found.forms, found.deps)
    if isinstance(argument, ir.Binary):
        return _moved(region, argument)
    if not isinstance(argument, ir.Ref) or argument.var is None:
        return None
    var = argument.var
    known = region.aliases.get(var)
    if known is not None:
        return known
    if fields.struct_of(region, argument) is not None:
        return None
    return Alias(var) if var.dims or var.type.kind == "stream" or var.type.pointer else None


def _moved(region: Region, argument: ir.Binary) -> Alias | None:
    """What a parameter stands for that is given `a + n`: what it is that is given `&a[n]`."""
    found = behind(region, argument)
    alias, offset = found if found is not None else (None, None)
    if alias is None or offset is None or alias.walks:
        return None
    prefix, form = alias.prefix, offset.form
    if prefix and len(prefix) >= max(len(alias.array.dims), 1):
        prefix, form = prefix[:-1], linear(prefix[-1], form, 1.0)
    return Alias(alias.array, (*prefix, form), alias.prefix_deps | offset.deps)


def _in_place(
    frame: Frame,
    region: Region,
    function: ir.Function,
    expr: ir.Call,
    args: list[Value],
    aliases: dict[ir.Variable, Alias],
    constants: dict[ir.Variable, Number],
    time: float,
) -> Value:
    """Walk a called function in the caller's region."""
    if frame.inline_depth >= MAX_CALLS:
        region.unknown.because(_too_deep(function))
        return Value(time, NO_LOOPS, function.returns, NO_SOURCES)
    frame.inline_depth += 1
    if f"call {function.name}" in frame.limits():
        region.counts[(f"call {function.name}", VOID)] += copies(region, frozenset(region.unrolled))
    region.aliases.update(aliases)
    this = region.this
    stands = _stand_behind(region, function, expr, aliases)
    if expr.receiver is None:
        _share_object(frame, region, function)
    for param, value in zip(function.params, args, strict=False):
        by_value = not (param.dims or param.type.pointer or param.type.kind == "stream")
        if (by_value or param not in aliases or aliases[param].walks) and param not in stands:
            region.env[param] = _converted(value, param.type) if by_value else value
    # The callee's constants and plans hold inside; the caller's, put back afterwards, know nothing of its locals.
    known, stack, plans, counts = frame.known, frame.stack, frame.plans, frame.counts
    frame.known = stable_bindings(function, {**known, **constants})
    frame.stack = (*stack, function.name)
    for var, layout in frame.design.layouts(function).items():
        frame.layouts.setdefault(var, layout)
    frame.plan_loops(function, constants)
    outside = region.returned, region.returned_under, region.outside
    region.returned, region.returned_under, region.outside, region.fields = None, None, len(region.guards), {}
    walk(region, function.body)
    note_unread(region, function)
    result = region.returned
    region.returned, region.returned_under, region.outside = outside
    region.this = this
    _keep_arrays(frame, region, function, expr)
    frame.known, frame.stack, frame.plans, frame.counts = known, stack, plans, counts
    frame.inline_depth -= 1
    if result is None:
        return Value(max(time, region.base), NO_LOOPS, function.returns, NO_SOURCES)
    return Value(result.time, result.deps, function.returns, result.since, result.form, hold=result.hold)


def _keep_arrays(frame: Frame, region: Region, function: ir.Function, expr: ir.Call) -> None:
    """Memories of a function that is walked in place: of its own for each call, static ones once."""
    many = copies(region, frozenset(region.unrolled))
    for var in (*function.variables.values(), *frame.design.arrays_in(function)):
        if is_memory(var):
            own = var if var.static else frame.design.copy_of(var, expr)
            frame.result.memory[own] = storage(var, frame.layout(var)).times(1.0 if var.static else many)


def _stand_behind(
    region: Region, function: ir.Function, expr: ir.Call, aliases: dict[ir.Variable, Alias]
) -> set[ir.Variable]:
    """Let parameters and the fields of the object stand for what the caller has; those parameters."""
    found = set()
    for param, argument in zip(function.params, map(partial(_meant, region), expr.args), strict=False):
        if _refers(region, param, argument):
            region.aliases.pop(param, None)
            fields.refer(region, param, argument)
            found.add(param)
            continue
        owner = fields.struct_of(region, argument) if param.type.kind == "struct" and not param.type.pointer else None
        if param not in aliases and fields.stand_behind(region, param, argument):
            found.add(param)
        elif param.type.kind == "struct":
            fields.replaced(region, param, fields.all_of(region, owner) if owner is not None else {})
    if expr.receiver is not None:
        receiver = fields.through(region, expr.receiver)
        _receive(region, function, receiver)
        region.this = fields.target_of(region, receiver)
    return found


def _meant(region: Region, argument: ir.Expr) -> ir.Expr:
    """`*this` as the object that is meant."""
    inner = argument.operand if isinstance(argument, ir.Unary) and argument.op == "*" else None
    is_this = isinstance(inner, ir.Const) and inner.type is THIS
    return region.this if is_this and region.this is not None else argument


def _share_object(frame: Frame, region: Region, function: ir.Function) -> None:
    """Let the fields of a base class stand for those of the object whose method calls one of the base."""
    held = _fields_of(frame, function.name)
    own = _fields_of(frame, frame.stack[-1]) if frame.stack else {}
    if held is own:
        return
    for name, var in held.items():
        inside = own.get(name)
        if inside is None:
            continue
        if inside.dims or inside.type.kind == "stream":
            region.aliases[var] = region.aliases.get(inside) or Alias(inside)
        else:
            region.env.forget(var)
            region.behind[var] = region.behind.get(inside, ir.Ref(inside.name, inside))


def _fields_of(frame: Frame, name: str) -> Mapping[str, ir.Variable]:
    return frame.program.fields.get(split_scope(name.partition("(")[0])[0], {})


def referred(frame: Frame, region: Region, function: ir.Function, expr: ir.Call) -> ir.Expr | None:
    """What a call names that is written to: the element or field that the function returns; None where it is not known.

    A method of one `return`, as containers have them.
    """
    statement = function.body.items[0] if len(function.body.items) == 1 else None
    if not isinstance(statement, ir.Return) or statement.value is None or expr.receiver is None:
        return None
    args = _arguments(region, function, expr, True)
    aliases, _ = _bind(frame, region, function, expr)
    region.aliases.update(aliases)
    this = region.this
    stands = _stand_behind(region, function, expr, aliases)
    region.this = this
    for param, given in zip(function.params, args, strict=False):
        if param not in aliases and param not in stands:
            region.env[param] = given
    value = statement.value
    if isinstance(value, ir.Call) and value.receiver is not None and value.name == "range":
        word = fields.settled(region, value.receiver)  # bits of it, by a reference that the tool's types have
        return None if word is None else ir.Call("range", value.args, receiver=word)
    return fields.settled(region, value)


def _receive(region: Region, function: ir.Function, receiver: ir.Expr) -> None:
    """Let the fields that a method sees stand for those of its object."""
    held = region.host.program.fields.get(split_scope(function.name.partition("(")[0])[0], {})
    owner = fields.struct_of(region, receiver)
    if owner is None and fields.element_of(receiver):
        for name, var in held.items():
            fields.refer(region, var, ir.Member(receiver, name))
        return
    made, known = fields.walked(region, receiver) if isinstance(receiver, ir.Call) else (None, {})
    for name, var in held.items():
        inside = region.host.part(owner, name) if owner is not None else None
        if fields.holds_reference(var):
            fields.recall(region, var, region.env.get(inside) if inside is not None else known.get(name))
            continue
        region.behind.pop(var, None)
        if inside is not None and (inside.dims or inside.type.kind == "stream"):
            region.aliases[var] = Alias(inside)
        member = ir.Member(receiver, name)
        if owner is not None and (fields.part(region, member) or fields.struct_of(region, member)):
            region.env.forget(var)
            region.behind[var] = member
        elif made is not None and not var.dims:
            region.env[var] = known.get(name) or Value(made.time, made.deps, var.type, made.since, hold=made.hold)


def _converted(value: Value, kind: ir.CType) -> Value:
    """A value given to a narrower parameter: what is cut off is not there for the operators inside."""
    whole = ("int", "uint")
    narrower = kind.kind in whole and value.type.kind in whole and kind.width < value.type.width
    return replace(value, type=kind) if narrower else value


def note_unread(region: Region, function: ir.Function) -> None:
    """Types that nobody declared, so that nobody knows what operators do with them, and options nobody can evaluate."""
    owners: list[ir.Loop | ir.Function] = [function, *loops_inside(function.body)]
    for cause in (said for owner in owners for said in untold(owner)):
        region.unknown.because(cause)
    for var in function.variables.values():
        kind = var.type.element if var.type.kind in ("stream", "vector") and var.type.element else var.type
        if kind.kind == "unknown" and kind.name and kind.name not in TASKS:
            region.unknown.because(f"type {kind.name} is not read")


def copy(frame: Frame, region: Region, expr: ir.Call) -> Value:
    """memcpy and memset become a pipelined loop over the elements (UG1399), bursts on m_axi."""
    sets = expr.name.rpartition("::")[2] == "memset"
    given = expr.args[:1] if sets else expr.args[:2]
    arrays = [array for array in (_array_of(region, argument) for argument in given) if array is not None]
    if sets and len(expr.args) > 1:
        region.whole(expr.args[1])  # what is written
    elements = _elements(region, arrays, expr)
    if elements is None:
        region.unknown.because(f"how much {expr.name.rpartition('::')[2]} copies is unknown", CYCLES)
    cycles = (NOMINAL_TRIP if elements is None else elements) + 2
    ports = [layout for layout in map(frame.layout, arrays) if layout.interface == "m_axi"]
    if ports:
        # The request to the bus, its latency and the first beat.
        cycles += MEMORY.axi_copy_cycles + max(1, *(layout.bus_latency for layout in ports))
    # What is not known to be an array may be any of them: such a copy waits for all that was written before.
    outlined = frame.design.options.behaviour.outlined_loops and len(arrays) == len(given) and not sets
    occupy(region, Stay(cycles, True), copy_uses(arrays, frame.port) if outlined else None)
    for area in (frame.result.area, frame.result.unshared):
        # The loop that a copy becomes: counter, comparison, states.
        area.control_lut += COSTS.copy_lut
        area.control_ff += COSTS.copy_ff
        area.kept += registers.of_pipeline(frame.target, cycles, COPY_STATES, 1)
        counted = NestLoop(None, cycles, 1.0)
        area.listed += logic.of_pipeline(frame.target, counted, COPY_STATES, 1) + logic.of_states(2)
    frame.result.copied += [(array, at == 0) for at, array in enumerate(arrays)]
    for array in arrays:
        for element in region.elements.of(array):
            region.env.forget(element)
        if not region.guards:
            region.elements.drop(array)
    return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def _elements(region: Region, arrays: list[ir.Variable], expr: ir.Call) -> float | None:
    """Elements that a copy moves, of an unknown number the most that its arrays hold; None where nobody knows them."""
    if not arrays:
        return None
    if len(expr.args) > 2:
        size = evaluate(expr.args[2], region.constants(expr.args[2]))
        if size is not None:
            return max(float(size), 0.0) / max(byte_size(replace(arrays[0].type, pointer=0)) or 1, 1)
    return min((float(count) for array in arrays if array.dims and (count := element_count(array))), default=None)


def _array_of(region: Region, expr: ir.Expr) -> ir.Variable | None:
    while isinstance(expr, ir.Cast) or (isinstance(expr, ir.Unary) and expr.op == "&"):
        expr = expr.operand
    own = fields.array_in(region, fields.through(region, expr))
    if own is not None:
        return own[0]
    var = root_variable(expr)
    if var is None:
        return None
    alias = region.aliases.get(var)
    return alias.array if alias is not None else var
