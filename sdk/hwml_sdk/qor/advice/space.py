"""Which pragmas a design could have: for each loop, array and function the choices that are legal.

A choice is what stands in the source (`KEEP`) or pragmas in its place. Loops: UNROLL by divisors of a constant trip
count, PIPELINE where all loops inside can be unrolled and the copies stay few, both; arrays: cyclic and complete
partition, reshape; integer products that a variable names: in logic (BIND_OP); the top: DATAFLOW where its body is
calls and loops alone. Merlin: pipeline, parallel and tile. INLINE is no choice: the closed form puts small functions in
place by a rule of its own and does not weigh the pragma.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..lint.context import Context, loop_name
from ..lint.regions import flat as processes_of
from ..program import ir
from ..program.expressions import everything_in, root_variable
from ..program.facts import reached, walk
from ..program.options import NUMERIC
from ..tool.releases import MERLIN

FACTORS = (2, 4, 8, 16)
MAX_UNROLL = 64  # copies of one loop; and of a body with all loops in it: MAX_COPIES
MAX_COPIES = 512
MAX_REGISTERS = 128  # elements up to which an array is split into registers
ARRAYS = ("ARRAY_PARTITION", "ARRAY_RESHAPE")
PRODUCTS = ("BIND_OP", "RESOURCE")
MAX_BOUND = 4  # variables of a function whose products are bound
LOOPS = {"HLS": ("PIPELINE", "UNROLL"), "ACCEL": ("PIPELINE", "PARALLEL", "TILE")}
KEEP = "as it is"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things a slot may hold. pragmas: texts behind `#pragma`, none where it takes them away.

    dim, factor: of an array that is split.
    """

    title: str
    pragmas: tuple[str, ...] = ()
    keep: bool = False
    dim: int = 0
    factor: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A place for pragmas. choices: the first is what stands there. kinds: what one replaces; variable: an array."""

    name: str
    owner: ir.Loop | ir.Function
    choices: tuple[Choice, ...]
    dialect: str
    kinds: tuple[str, ...]
    variable: str = ""

    def is_mine(self, pragma: ir.Pragma) -> bool:
        """Whether a pragma of the owner is what this slot holds."""
        return (
            pragma.dialect == self.dialect
            and pragma.kind in self.kinds
            and (not self.variable or pragma.options.get("variable", "") == self.variable)
        )

    def larger(self, pick: int) -> int:
        """The next larger split: of the dimension that a choice splits, else of the last one."""
        now = self.choices[pick]
        dim = now.dim or max(choice.dim for choice in self.choices)
        fitting = [
            (choice.factor, index) for index, choice in enumerate(self.choices)
            if choice.dim == dim and choice.factor > now.factor and "RESHAPE" not in choice.pragmas[0]
        ]  # fmt: skip
        return min(fitting)[1] if fitting else pick


def slots_of(context: Context, top: ir.Function, tool: str) -> tuple[Slot, ...]:
    """Every slot of the functions that a top reaches, of the document itself. Templates are left alone."""
    program = context.program
    functions = [
        function for function in reached(program, top).values()
        if function.path == program.path and not function.template_params and "?" not in function.name
    ]  # fmt: skip
    found: list[Slot] = []
    for function in functions:
        loops = [loop for loop in program.loops(function.name) if loop.path == program.path]
        found += [slot for loop in loops if (slot := _of_loop(context, loop, tool)) is not None]
        if tool != MERLIN:
            found += _of_arrays(context, function)
            found += _of_products(context, function)
    if tool != MERLIN:
        found += _of_region(context, top)
    return tuple(found)


def _slot(
    name: str, owner: ir.Loop | ir.Function, choices: Sequence[Choice], dialect: str, kinds: tuple[str, ...],
    variable: str = "",
) -> Slot | None:  # fmt: skip
    """A slot with something to choose; what the source says already is no choice of its own."""
    draft = Slot(name, owner, (), dialect, kinds, variable)
    mine = [pragma for pragma in owner.pragmas if draft.is_mine(pragma)]
    if any(pragma.from_file or not pragma.path for pragma in mine):
        return None  # a project's directive: no edit of the text changes it
    present = {_same(pragma.text) for pragma in mine}
    others = [choice for choice in choices if {_same(text) for text in choice.pragmas} != present]
    if not others:
        return None
    return Slot(name, owner, (Choice(KEEP, keep=True), *others), dialect, kinds, variable)


def _same(text: str) -> str:
    return " ".join(sorted(text.upper().replace(" II=1", "").split()))


# -- loops -------------------------------------------------------------------------------------------------------------


def _of_loop(context: Context, loop: ir.Loop, tool: str) -> Slot | None:
    name = loop_name(loop)
    if tool == MERLIN:
        return _slot(name, loop, [*_merlin(context, loop)], "ACCEL", LOOPS["ACCEL"])
    if loop.pragma("HLS", "DATAFLOW") is not None:
        return None
    return _slot(name, loop, [*_vitis(context, loop)], "HLS", LOOPS["HLS"])


def _vitis(context: Context, loop: ir.Loop) -> Iterator[Choice]:
    name = loop_name(loop)
    inside = copies_inside(context, loop)
    yield Choice(f"no pragma at {name}")
    yield Choice(f"no pipeline at {name}", ("HLS PIPELINE off",))
    trips = context.facts.trip_count(loop)
    factors = [f for f in FACTORS if trips and f < trips and trips % f == 0 and not loop.has_break]
    pipelined = inside is not None and inside <= MAX_COPIES
    if pipelined:
        yield Choice(f"pipeline {name}", ("HLS PIPELINE II=1",))
    for factor in factors:
        yield Choice(f"unroll {name} by {factor}", (f"HLS UNROLL factor={factor}",))
        if pipelined and inside is not None and inside * factor <= MAX_COPIES:
            title = f"pipeline {name}, unrolled by {factor}"
            yield Choice(title, ("HLS PIPELINE II=1", f"HLS UNROLL factor={factor}"))
    if trips and trips <= MAX_UNROLL and not loop.has_break and (inside or MAX_COPIES) * trips <= MAX_COPIES:
        yield Choice(f"unroll {name}", ("HLS UNROLL",))


def _merlin(context: Context, loop: ir.Loop) -> Iterator[Choice]:
    name = loop_name(loop)
    trips = context.facts.trip_count(loop)
    nested = any(True for _ in ir.loops_of(loop.body))
    yield Choice(f"no pragma at {name}")
    ways = [("", f"no pipeline at {name}"), ("ACCEL PIPELINE", f"pipeline {name}")]
    inside = copies_inside(context, loop)
    if nested and inside is not None and inside <= MAX_COPIES:
        ways.append(("ACCEL PIPELINE flatten", f"pipeline {name}, flattened"))
    factors = [f for f in (*FACTORS, 32) if trips and f < trips and trips % f == 0]
    for pragma, title in ways:
        if pragma:
            yield Choice(title, (pragma,))
        for factor in (*factors, *([trips] if trips and trips <= MAX_UNROLL else [])):
            both = (pragma,) if pragma else ()
            yield Choice(f"{title}, parallel {factor}", (*both, f"ACCEL PARALLEL FACTOR={factor}"))
    for factor in factors if nested else ():
        yield Choice(f"tile {name} by {factor}", (f"ACCEL TILE FACTOR={factor}",))


def copies_inside(context: Context, loop: ir.Loop) -> int | None:
    """Copies of the innermost bodies when all loops inside are unrolled; None where one of them cannot be."""
    most = 1
    for inner in ir.loops_of(loop.body):
        around = inner
        total = 1
        while around is not loop:
            trips = context.facts.trip_count(around)
            if trips is None or around.has_break or around.parent is None:
                return None
            total *= trips
            around = around.parent
        most = max(most, total)
    return most


# -- arrays and functions ----------------------------------------------------------------------------------------------


def _of_arrays(context: Context, function: ir.Function) -> Iterator[Slot]:
    for var in function.variables.values():
        if (
            not var.dims
            or var.type.kind == "stream"
            or var.path != function.path
            or var.scope not in ("param", "local")
        ):
            continue
        if _is_on_a_bus(function, var) or context.declared_twice(function, var.name):
            continue
        slot = _slot(f"array {var.name}", function, [*_partitions(var)], "HLS", ARRAYS, var.name)
        if slot is not None:
            yield slot


def _is_on_a_bus(function: ir.Function, var: ir.Variable) -> bool:
    """Whether an array is a port that no partition splits."""
    return any(
        p.kind in ("INTERFACE", "STREAM") and var.name in (p.options.get("port"), p.options.get("variable"))
        and {"m_axi", "axis", "ap_fifo"} & {p.options.get("mode", ""), *p.options, p.kind.lower()}
        for p in function.pragmas
    )  # fmt: skip


def _partitions(var: ir.Variable) -> Iterator[Choice]:
    yield Choice(f"no partition of {var.name}")
    for dim, extent in enumerate(var.dims, 1):
        where = f" dim={dim}" if len(var.dims) > 1 else ""
        for factor in FACTORS:
            if extent is not None and factor < extent:
                said = f"variable={var.name} type=cyclic factor={factor}{where}"
                yield Choice(
                    f"partition {var.name} cyclic {factor}{where}", (f"HLS ARRAY_PARTITION {said}",), False, dim, factor
                )
                if factor <= FACTORS[1]:
                    yield Choice(
                        f"reshape {var.name} cyclic {factor}{where}", (f"HLS ARRAY_RESHAPE {said}",), False, dim, factor
                    )
        if extent is not None and extent <= MAX_REGISTERS and math.prod(e or 1 for e in var.dims) <= MAX_REGISTERS**2:
            said = f"variable={var.name} type=complete{where}"
            yield Choice(f"partition {var.name} complete{where}", (f"HLS ARRAY_PARTITION {said}",), False, dim, extent)


def _of_products(context: Context, function: ir.Function) -> Iterator[Slot]:
    """Integer products that a variable names, in logic instead of DSPs (UG1399, BIND_OP)."""
    loops = context.program.loops(function.name)
    bound = {p.options.get("variable") for loop in loops for p in loop.pragmas if p.kind in PRODUCTS}
    for var in _named_products(function)[:MAX_BOUND]:
        if var.name in bound or var.path != function.path or context.declared_twice(function, var.name):
            continue  # a pragma in a loop is that loop's, and would stay
        said = f"HLS BIND_OP variable={var.name} op=mul impl=fabric"
        choices = [Choice(f"products of {var.name} as the tool binds them"), Choice(f"{var.name} in logic", (said,))]
        slot = _slot(f"products of {var.name}", function, choices, "HLS", PRODUCTS, var.name)
        if slot is not None:
            yield slot


def _named_products(function: ir.Function) -> list[ir.Variable]:
    """Variables, scalar and of whole numbers, that are assigned a product of two signals."""
    found: dict[ir.Variable, None] = {}
    for expr in everything_in(function.body):
        if isinstance(expr, ir.Assign) and any(_is_product(item) for item in walk(expr.value)):
            var = root_variable(expr.target)
            if var is not None:
                found[var] = None
    found |= {
        var: None for var in function.variables.values() if any(_is_product(item) for item in walk(var.init))
    }  # fmt: skip
    return [
        var for var in found if not var.dims and not var.type.pointer
        and var.type.kind in ("int", "uint") and var.scope == "local"
    ]  # fmt: skip


def _is_product(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Binary) and expr.op == "*" and not {type(expr.left), type(expr.right)} & {ir.Const}


def _of_region(context: Context, top: ir.Function) -> Iterator[Slot]:
    """DATAFLOW on the top, where its body is nothing but declarations and two or more loops or calls."""
    items = [item for item in processes_of(top.body) if not isinstance(item, ir.Declare)]
    if len(items) < 2 or top.path != context.program.path:
        return
    if all(isinstance(i, ir.Loop) or (isinstance(i, ir.Evaluate) and isinstance(i.expr, ir.Call)) for i in items):
        choices = [Choice(f"no dataflow in {top.name}"), Choice(f"dataflow in {top.name}", ("HLS DATAFLOW",))]
        slot = _slot(f"function {top.name}", top, choices, "HLS", ("DATAFLOW",))
        if slot is not None:
            yield slot


def made(text: str, owner: ir.Loop | ir.Function) -> ir.Pragma:
    """A pragma of a choice, as reading it would give it."""
    dialect, kind, *words = text.split()
    options: dict[str, str] = {}
    for word in words:
        name, _, value = word.partition("=")
        options[name.lower()] = value
    numbers: dict[str, int | float | None] = {
        name: int(value) for name, value in options.items() if name in NUMERIC.get(kind, ()) and value.isdigit()
    }
    return ir.Pragma(dialect, kind, options, text, owner.path, owner.span, owner, numbers=numbers)
