"""Calls: functions of the program go to the host, mathematics becomes cores, streams are read and written."""

from __future__ import annotations

from ...program import ir
from ...program.type_of import type_of_expression
from ...program.typenames import BOOL, INT, UNKNOWN
from .accesses import Access
from .memory_cycles import fifo_part, state_of
from .operations import copies, make
from .region import Region
from .values import NO_LOOPS, NO_SOURCES, Value, all_deps, later

# Functions of math.h and hls_math.h, also in their float forms (`sinf`), to the cores of `operators.operator`. Where no
# core of its own is known, the nearest one stands for a function: `trig` for all of trigonometry, `sqrt` for `hypot`.
_MATH = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "pow": "pow", "sin": "trig", "cos": "trig", "tan": "trig",
    "atan": "trig", "atan2": "trig", "sinh": "trig", "cosh": "trig", "tanh": "trig", "asin": "trig", "acos": "trig",
    "fabs": "logic", "abs": "logic", "min": "minmax", "max": "minmax", "fmin": "minmax", "fmax": "minmax",
    "log2": "log", "log10": "log", "exp2": "exp", "cbrt": "exp", "rsqrt": "sqrt", "recip": "div", "floor": "convert",
    "ceil": "convert", "round": "convert", "fmod": "div", "erf": "exp", "hypot": "sqrt",
}  # fmt: skip
# Methods of hls::stream (UG1399, HLS stream library); `owner` has no type where its header was not read.
_TRANSFERS = ("read", "write", "read_nb", "write_nb")
_STREAM_METHODS = (*_TRANSFERS, "empty", "full")


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
    args = [region.value(argument) for argument in expr.args]
    kind = type_of_expression(expr, host.program)
    what = _MATH.get(name.removesuffix("f")) or _MATH.get(name)
    if what is None or not args:
        time = max([a.time for a in args], default=region.base)
        return Value(time, all_deps(args), kind, later(0.0, *args))
    return _core(region, what, kind, args)


def _core(region: Region, what: str, kind: ir.CType, args: list[Value]) -> Value:
    if what == "pow":
        # x ** y is exp(y log x): three cores are counted, but the latency is that of the last one only.
        make(region, "log", kind, *args)
        make(region, "mul", kind, *args)
        return make(region, "exp", kind, *args)
    if what == "minmax":
        test = make(region, "cmp", kind, *args, result=BOOL)
        return make(region, "select", kind, test, *args)
    return make(region, what, kind, *args)


def _method(region: Region, receiver: ir.Expr, expr: ir.Call) -> Value:
    owner = type_of_expression(receiver, region.host.program)
    if owner.kind == "stream" or expr.name in _STREAM_METHODS:
        return _stream(region, receiver, expr, owner)
    function = region.host.program.functions.get(expr.name)
    if function is not None:
        return region.host.call(region, function, expr)
    inner = region.value(receiver)
    args = [region.value(argument) for argument in expr.args]
    time = max([inner.time, *(a.time for a in args)])
    return Value(time, inner.deps | all_deps(args), INT, later(0.0, inner, *args))


def _stream(region: Region, receiver: ir.Expr, expr: ir.Call, owner: ir.CType) -> Value:
    """A method of a stream: a transfer takes a cycle, and the stream gives or takes one element in each."""
    args = [region.value(argument) for argument in expr.args]
    root = receiver
    which = NO_LOOPS  # unrolled loops that choose among the streams of an array
    while isinstance(root, ir.Index | ir.Member):
        if isinstance(root, ir.Index):
            for sub in root.subscripts:
                which = which | region.value(sub).deps
        root = root.base
    deps = all_deps(args) | which
    var = root.var if isinstance(root, ir.Ref) else None
    kind = owner.element or UNKNOWN
    if var is None:
        return Value(region.base, deps, kind, NO_SOURCES)
    alias = region.aliases.get(var)
    array = alias.array if alias is not None else var
    if expr.name in _TRANSFERS:
        write = expr.name.startswith("write")
        same = frozenset(region.unrolled) - which - region.pinned
        # No two transfers are one: reading a stream twice gives two elements.
        key = ("fifo", array, write, len(region.accesses))
        region.accesses.append(Access(array, (), write, deps, copies(region, same), key))
        deps = deps | frozenset(region.unrolled)
    start = max([region.base, *(a.time for a in args), *(guard.time for guard in region.guards)])
    # Data that is written, or read, is there within the state; what is left of it can be used.
    part = fifo_part(region.target)
    time = state_of(start, part) + part
    region.end = max(region.end, time)
    return Value(time, deps, kind, NO_SOURCES)
