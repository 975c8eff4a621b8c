"""Calls: functions of the program go to the host, those of libraries become cores or wiring, all else is unknown."""

from __future__ import annotations

import math

from ...program import ir
from ...program.constants import evaluate
from ...program.type_of import type_of_expression
from ...program.typenames import BOOL, OUTPUTS, UNKNOWN
from ...tool.library import FENCES, IGNORED, TRANSFERS, WAITS, core_of
from ..unknown import CYCLES
from . import streams
from .methods import bits_counted, method
from .operations import OUTPUT, copies, looked_at, make
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Hold, Value, all_deps, later

_EDGE = 1e-6  # times are sums of parts of cycles


def call(region: Region, expr: ir.Call) -> Value:
    """Any call."""
    if expr.receiver is not None:
        return _method(region, expr.receiver, expr)
    host = region.host
    name = expr.name.rpartition("::")[2]
    function = host.program.functions.get(expr.name) or host.program.functions.get(name)
    if function is not None:
        return host.call(region, function, expr)
    if name in ("memcpy", "memset", "memmove"):
        return host.copy(region, expr)
    if name in IGNORED:
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    if name in FENCES or name in WAITS:
        return _wait(region, name, expr)
    image = host.image(region, expr)
    if image is not None:
        return image
    args = [region.whole(_behind(argument)) for argument in expr.args]
    kind = type_of_expression(expr, host.program)
    counted = bits_counted(region, name, args)
    if counted is not None:
        return counted
    what = core_of(expr.name, host.program.declared)
    if what is not None and args and what != "wire":
        return _core(region, what, kind, args)
    # `span` is missing where a value of a type is made: nothing is called.
    if expr.span is not None and what is None:
        region.unknown.because(f"{expr.name} is not read")
    time = max([a.time for a in args], default=region.base)
    return Value(time, all_deps(args), kind, later(0.0, *args))


def _wait(region: Region, name: str, expr: ir.Call) -> Value:
    """What comes starts when all before is done, or so many cycles after the state it is done in."""
    done = max(region.end, region.base)
    if name in FENCES:
        region.base = float(math.ceil(done - _EDGE))
    else:
        said = evaluate(expr.args[0], region.host.known) if expr.args else 1
        if said is None:
            region.unknown.because(f"how long {name} waits is not known", CYCLES)
        region.base = math.floor(done + _EDGE) + float(said or 0)
    return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def _behind(argument: ir.Expr) -> ir.Expr:
    """What a function that was not read does with the address of an element: it reads or writes it."""
    element = argument.operand if isinstance(argument, ir.Unary) and argument.op == "&" else None
    return element if isinstance(element, ir.Index) else argument


def _core(region: Region, what: str, kind: ir.CType, args: list[Value]) -> Value:
    if what == "pow":
        # x ** y is exp(y log x): three cores are counted, but the latency is that of the last one only.
        make(region, "log", kind, *args)
        make(region, "mul", kind, *args)
        return make(region, "exp", kind, *args)
    if what == "minmax":
        test = make(region, "cmp", kind, *args, result=BOOL)
        return make(region, "select", kind, test, *args)
    if what == "fma":
        return make(region, "add", kind, make(region, "mul", kind, *args[:2]), *args[2:])
    if what == "abs":
        if kind.is_float:
            return make(region, "logic", kind, *args)  # the sign bit
        return make(region, "select", kind, *args, make(region, "add", kind, *args))
    if what == "register":
        return _registered(region, kind, args[0])
    return make(region, what, kind, *args)


def _registered(region: Region, kind: ir.CType, value: Value) -> Value:
    """A value that a register takes at the end of the state it is ready in."""
    state = math.floor(value.time + _EDGE)
    looked_at(value, state)
    hold = Hold(state, state + 1, max(kind.width, 1), copies(region, value.deps))
    region.holds.append(hold)
    region.live_bits += hold.bits
    region.end = max(region.end, state + 1 + OUTPUT)
    return Value(state + 1.0, value.deps, kind, later(1.0, value), parts=(value,), cycles=1.0, hold=hold)


def _method(region: Region, receiver: ir.Expr, expr: ir.Call) -> Value:
    owner = type_of_expression(receiver, region.host.program)
    # Of a type whose header was not read: nothing but a stream has these methods in synthesised code.
    if owner.kind == "stream" or (owner.kind == "unknown" and expr.name in TRANSFERS):
        return streams.method(region, receiver, expr, owner)
    if owner.name in OUTPUTS:
        return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)
    function = region.host.program.functions.get(expr.name)
    if function is not None:
        return region.host.call(region, function, expr)
    if expr.name == "set_bit" and len(expr.args) == 2 and owner.kind in ("int", "uint"):
        return region.value(ir.Assign("=", ir.Index(receiver, (expr.args[0],)), expr.args[1]))
    return method(region, region.whole(receiver), owner, expr)
