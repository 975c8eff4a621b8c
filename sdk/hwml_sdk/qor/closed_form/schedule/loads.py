"""Loads and stores: where an access goes, when its data is there, what of it is still known afterwards."""

from __future__ import annotations

import math

from ...program import ir
from ...program.expressions import assigned_variables
from ...program.type_of import type_of_expression, word_and_bit
from ...program.typenames import BOOL, INT
from ..costs import ADDRESS_BITS
from . import fields, tables
from .accesses import Access, Element, Place, Spread, root
from .addresses import form_bits
from .forms import Form, frozen
from .memory_cycles import data_time, in_registers, load_cycles, store_cycles, stored_time
from .operations import copies, count, looked_at
from .pointers import added, behind
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Hold, Sources, Value, form_key, later

_EDGE = 1e-6  # times are sums of parts of cycles: what is this close to a clock edge is on it
ELEMENTS_A_STEP = 2  # elements that are held against one another in the time that an expression takes


def place(region: Region, expr: ir.Expr) -> Place | None:
    """Where an access goes; None when `expr` is none. Its subscripts are walked, as the address has to be computed."""
    expr = fields.through(region, expr)
    base, subscripts = _parts(expr)
    alias, offset = None, None
    array = base.var if isinstance(base, ir.Ref) else None
    if array is not None:
        alias = region.aliases.get(array)
    own = fields.array_in(region, expr)
    if own is not None:
        array, subscripts = own
    elif alias is not None and not alias.walks:
        array = alias.array
    elif array is None or alias is not None:
        found = behind(region, base)
        if found is None:
            return None
        alias, offset = found
        array = alias.array
    if not array.dims and not array.type.pointer:
        return None
    values = [region.whole(s) for s in subscripts]
    prefix, deps = (alias.prefix, alias.prefix_deps) if alias is not None else ((), NO_LOOPS)
    if offset is not None and values:
        values[0] = added(region, offset, values[0])
        if values[0].form is None:
            deps = deps.union(region.unrolled)  # nobody knows where: each copy is an access of its own
    elif values and prefix and len(prefix) >= max(len(array.dims), 1):
        # `f(&a[i])`, whose parameter is an array that starts there.
        values[0] = added(region, Value(region.base, deps, values[0].type, NO_SOURCES, prefix[-1]), values[0])
        prefix = prefix[:-1]
    for value in values:
        if value.deps:
            deps = deps | value.deps
    time = max([v.time for v in values], default=region.base)
    name = expr.field if isinstance(expr, ir.Member) else ""
    element = Element(array, tuple(map(frozen, prefix)), tuple(map(form_key, values)), name)
    forms = prefix + tuple([v.form for v in values])
    bits = _only_bits(region, forms, values)
    return Place(array, forms, deps, element, time, later(0.0, *values), bits)


def _only_bits(region: Region, subscripts: tuple[Form | None, ...], values: list[Value]) -> int:
    """Bits of the only subscript of an access, 0 where there are several."""
    form = subscripts[0] if len(subscripts) == 1 else None
    if form is None:
        return 0
    return form_bits(region, form, INT) or (values[0].width if values else INT.width)


def _parts(expr: ir.Expr) -> tuple[ir.Expr, tuple[ir.Expr, ...]]:
    """(what it starts from, all subscripts) of an access such as `a[i].b[j].c`."""
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
    return inner, subscripts


def spread(region: Region, forms: tuple[Form | None, ...]) -> Spread:
    """Per dimension: (stride, copies) of each unrolled loop whose variable stands in the subscript."""
    if not region.unrolled:
        return ((),) * len(forms)
    return tuple(
        [
            tuple(
                [
                    (form[loop.var] * region.host.step(loop), trip)
                    for loop, trip in region.unrolled.items()
                    if loop.var in form and loop not in region.pinned
                ]
            )
            if form is not None
            else ()
            for form in forms
        ]
    )


def moving(region: Region, forms: tuple[Form | None, ...]) -> tuple[float | None, ...]:
    """Per subscript: greatest common step of what changes at run time; copies of an unrolled loop do not."""
    host = region.host
    strides, active = host.strides, host.active
    # The counter of a loop unrolled by 4 still moves at run time, by 4 steps at once.
    together = {loop.var: trip * host.step(loop) for loop, trip in region.unrolled.items()}
    found: list[float | None] = []
    for form in forms:
        if form is None:
            found.append(None)
            continue
        steps = [
            abs(factor) * (together[var] if var in together else strides.get(var, 1.0))
            for var, factor in form.items()
            if var is not None and (var not in together or var in active)
        ]
        wholes = [int(step) for step in steps]
        found.append(float(math.gcd(*wholes)) if wholes == steps else None)
    return tuple(found)


def load(region: Region, expr: ir.Expr) -> Value:
    """The value of `a[i]`, `a[i].field`, `*p`: from memory, or what was loaded or stored there before."""
    bit = word_and_bit(expr)
    if bit is not None:
        return _bit(region, *bit)
    found = place(region, expr)
    kind = type_of_expression(expr, region.host.program)
    if found is None:
        return _from_no_array(region, expr, kind)
    known = region.env.get(found.element)
    if known is not None:
        return known
    array = found.array
    constant = tables.folded(region, found, kind)
    if constant is not None:
        return constant
    access = _access(region, found, write=False)
    latency = load_cycles(region.host, array)
    start = max(found.time, region.base, region.swept.get(array, 0.0))
    # A load under a condition is not made before the condition is known.
    start = max(start, *(guard.time for guard in region.guards)) if region.guards else start
    ready = data_time(region.host, region.target, array, start)
    access.time, access.load_cycles = (math.ceil(ready - 1e-6) if latency else ready), latency
    if None in found.forms:
        access.asked = math.prod(
            trip for x, trip in region.unrolled.items() if x in found.deps and x.pragma("HLS", "UNROLL") is not None
        )
    region.accesses.append(access)
    _count_bus_address(region, found)
    region.end = max(region.end, ready)
    since: Sources = {access: latency} if array in region.written or root(array) in region.written else {}
    # `i = next[i]`: what the address hangs on, the data hangs on.
    for mark, cycles in found.since.items():
        since[mark] = cycles + latency
    # What an unrolled loop before this one stored may be this element: its sources are sources here.
    for mark, cycles in region.flow.get(array, NO_SOURCES).items():
        since[mark] = max(since.get(mark, 0.0), cycles + latency)
    hold = Hold(math.floor(ready + _EDGE), 0, max(kind.width, 1), access.copies, array) if latency else None
    value = Value(ready, found.deps | _changed_by_copies(region, array), kind, since, hold=hold)
    if hold is not None:
        region.holds.append(hold)
    region.env[found.element] = value
    region.elements.add(found.element)
    return value


def _changed_by_copies(region: Region, array: ir.Variable) -> frozenset[ir.Loop]:
    """Unrolled loops whose copies store into an array: each may find there what the one before it has left."""
    if not region.unrolled:
        return NO_LOOPS
    names = (array, root(array))
    return frozenset(loop for loop in region.unrolled if not assigned_variables(loop.body).isdisjoint(names))


def _count_bus_address(region: Region, found: Place) -> None:
    """The base of an argument and a place make an address of the bus, which is kept.

    Reports of Vitis HLS 2024.1: a sum of 64 bits, `gmem_addr_reg` of 64 FF.
    """
    if region.host.layout(found.array).interface == "m_axi":
        count(region, "add", ir.CType("uint", ADDRESS_BITS, name="address"))
        state = math.floor(found.time + _EDGE)
        region.holds.append(Hold(state, state + 1, ADDRESS_BITS, 1.0))


def _access(region: Region, found: Place, *, write: bool, since: Sources | None = None) -> Access:
    made = Access(
        found.array, found.forms, write, found.deps, copies(region, found.deps), found.element,
        spread(region, found.forms), moving(region, found.forms), {} if since is None else since,
    )  # fmt: skip
    made.late = region.expanded_late or bool(found.deps & region.late)
    made.arms, made.bits = region.arms, found.bits
    return made


def _bit(region: Region, word: ir.Index, at: ir.Expr) -> Value:
    """A bit of an element: the element is loaded once, whichever of its bits are asked for."""
    inner, place_of = load(region, word), region.whole(at)
    deps = inner.deps | place_of.deps
    return Value(
        max(inner.time, place_of.time), deps, BOOL, later(0.0, inner, place_of), parts=(inner,), hold=inner.hold
    )


def _from_no_array(region: Region, expr: ir.Expr, kind: ir.CType) -> Value:
    """A subscript of something that is no array: bits of an ap_int, an element of what was not read."""
    base = expr.base if isinstance(expr, ir.Index) else expr
    inner = region.whole(base) if not isinstance(base, ir.Index) else Value(region.base, NO_LOOPS, kind, NO_SOURCES)
    for sub in expr.subscripts if isinstance(expr, ir.Index) else ():
        region.whole(sub)
    return Value(inner.time, inner.deps, kind, inner.since, parts=(inner,), hold=inner.hold)


def store(region: Region, expr: ir.Expr, value: Value) -> None:
    """Write a value to `a[i]`, `a[i].field`, `*p`."""
    bit = word_and_bit(expr)
    if bit is not None:
        word, at = bit
        before = load(region, word)
        region.whole(at)
        parts = (before, value)
        time, deps = max(before.time, value.time), before.deps | value.deps
        value, expr = Value(time, deps, before.type, later(0.0, *parts), parts=parts), word
    found = place(region, expr)
    if found is None:
        for sub in expr.subscripts if isinstance(expr, ir.Index) else ():
            region.whole(sub)
        return
    array, key = found.array, found.element
    access = _access(region, found, write=True, since=value.since)
    access.guarded, access.value, access.begun = bool(region.guards), value, found.time
    if not region.target.behaviour.merlin:
        access.gates = later(0.0, *region.guards)
    # Of two stores to one element in an iteration the last one is left (the compiler drops dead stores); where another
    # way leads past it, both become one store of a choice (LLVM, SimplifyCFG).
    earlier = region.stored.get(key)
    if earlier is not None:
        region.accesses.remove(earlier)
        if earlier.arms[: len(access.arms)] != access.arms and not region.target.behaviour.merlin:
            access.since, access.gates = _latest(earlier.since, access.since), _latest(earlier.gates, access.gates)
    region.stored[key] = access
    region.accesses.append(access)
    _count_bus_address(region, found)
    done = max(value.time, found.time, *(guard.time for guard in region.guards))
    if not in_registers(region.host, array):
        done = stored_time(region.target, done)
        for guard in region.guards:
            looked_at(guard, int(done) - 1)
    access.time = done
    region.end = max(region.end, done + region.host.layout(array).axis)
    if region.unrolled and value.since and not region.target.behaviour.reductions:
        flow = region.flow.setdefault(array, {})
        through = store_cycles(region.host, array)
        for mark, cycles in value.since.items():
            flow[mark] = max(flow.get(mark, 0.0), cycles + through)
    # Elements that may be this one are not known any more; a later load has to go to the memory for them.
    others, looked = region.elements.touched(key, for_good=not region.guards)
    region.work.left -= looked // ELEMENTS_A_STEP
    for other in others:
        region.env.forget(other)
    region.env[key] = Value(
        value.time, value.deps | found.deps, value.type, value.since, parts=(value,), hold=value.hold
    )
    region.elements.add(key)


def _latest(one: Sources, other: Sources) -> Sources:
    """What either of two values hangs on, the longest way of each."""
    return {mark: max(one.get(mark, 0.0), other.get(mark, 0.0)) for mark in (*one, *other)}
