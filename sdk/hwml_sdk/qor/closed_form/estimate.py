"""The closed form: what the tool would build of a program, loop by loop, without running it.

    estimate = estimate_program(program, top="fir", target=Target("ultrascaleplus", 3.33))

Latency is trip count x II + depth through the loop nest; area is operators after sharing, memories, control. Rules
stand in rooms of their own: `program.trip_counts`, `plan` (what is pipelined and unrolled), `schedule` (straight code,
II), `hierarchy` (loops, functions, calls, processes), `memory` (banks), `tool.operators` (cores).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from ..program import ir
from ..program.budget import Work, depth_guard
from ..program.constant_fields import as_top
from ..program.constants import Number
from ..program.expressions import everything_in
from ..program.facts import reached
from ..tool.memories import KERNEL_BUS_LATENCY
from ..tool.operators import Target
from .area import area_cost
from .design_cache import Design
from .directions import Directions
from .hierarchy.functions import FunctionEstimator
from .interfaces import add_interfaces
from .memo import Memo
from .memory import Layout, is_state, storage
from .merlin import add_banks, add_transfers
from .plan import Options
from .results import CallResult, Estimate, FunctionResult, LoopResult
from .schedule.accesses import Access

__all__ = ["CallResult", "Estimate", "FunctionResult", "LoopResult", "estimate_program"]


def estimate_program(
    program: ir.Program,
    top: ir.Function,
    target: Target,
    options: Options,
    known: Mapping[ir.Variable, Number] | None = None,
    *,
    memo: Memo | None = None,
) -> Estimate:
    """Estimate a design from its top function. Raises SourceError for code too deeply nested to be walked.

    memo: of estimates of the same program, in which only pragmas were changed since.
    """
    options = _with_flow(options, program, top)
    design = Design(program, target, options, memo=memo)
    with depth_guard(program.path, f"what {top.name} does"), as_top(program, top):
        result = FunctionEstimator.of(design, top, known or {}, {}, {}, ()).run()
    for work in (program.work, design.work):
        if work.reason:
            result.unknown.because(work.reason)
    design.functions[top.name] = result
    transfers = 0.0
    # Merlin writes the kernel's interface itself, whatever INTERFACE pragmas say.
    if options.behaviour.merlin:
        add_banks((result.area, result.unshared), _accesses((result, *design.functions.values())))
        transfers = add_transfers(top, result.memory, target.behaviour)
        result.cycles += transfers
        result.interval += transfers
    else:
        add_interfaces(_directions(program, memo), top, result.memory, design.layouts(top))

    @cache
    def least() -> float | None:
        if not result.known or not design.varies:
            return result.cycles if result.known else None
        walked = Design(program, target, options, shortest=True)
        walked.work = Work(max(design.work.left, 0))  # both walks together take no more than one may
        with depth_guard(program.path, f"what {top.name} does"), as_top(program, top):
            cycles = FunctionEstimator.of(walked, top, known or {}, {}, {}, ()).run().cycles
        return None if walked.work.reason else min(cycles + transfers, result.cycles)

    return _total(design, result, least)


def _with_flow(options: Options, program: ir.Program, top: ir.Function) -> Options:
    """The options with the latency of a bus that nothing states.

    v++ links kernels by their C names (UG1393), so that a top in an `extern "C"` is one of the Vitis flow. The default
    of HLS is the Vivado flow (UG1399, open_solution -flow_target), and before 2020 there was no other.
    """
    if options.bus_latency is not None:
        return options
    old = options.behaviour.vivado_core and not options.behaviour.merlin
    kernel = options.behaviour.merlin or (top.name in program.c_linkage and not old)
    return replace(options, bus_latency=KERNEL_BUS_LATENCY if kernel else 0)


def _directions(program: ir.Program, memo: Memo | None) -> Directions:
    """What functions read and write, found once for all variants of a program."""
    if memo is None:
        return Directions(program)
    memo.directions = memo.directions or Directions(program)
    return memo.directions


def _accesses(results: Iterable[FunctionResult]) -> Iterator[Access]:
    """Loads and stores of all loops, each function's once."""
    pending = [loop for function in {id(f): f for f in results}.values() for loop in function.loops]
    while pending:
        loop = pending.pop()
        pending += loop.children
        yield from loop.region.accesses if loop.region is not None else ()


def _shared_arrays(design: Design, top: ir.Function) -> Iterator[tuple[ir.Variable, Layout]]:
    """Arrays and numbers of the file that the design names, laid out as the first function asks that says how."""
    if not any(var.dims or is_state(var) for var in design.program.globals.values()):
        return
    functions = reached(design.program, top).values()
    every = [expr for function in functions for expr in everything_in(function.body)]
    # A number that is only written is none that anybody keeps.
    written = {id(expr.target) for expr in every if isinstance(expr, ir.Assign) and expr.op == "="}
    named = {e.var for e in every if isinstance(e, ir.Ref) and e.var is not None and id(e) not in written}
    layouts = [design.layouts(function) for function in functions]
    for var in design.program.globals.values():
        if var in named and var.dims and not var.const:
            asked = (found[var] for found in layouts if var in found and found[var].is_stated)
            yield var, next(asked, layouts[0].get(var) or design.default_layout(var))
        elif var in named and is_state(var) and not var.const:
            yield var, design.default_layout(var)
            yield from ((part, design.default_layout(part)) for part in design.parts_of(var) if part.dims)


def _total(design: Design, result: FunctionResult, least: Callable[[], float | None]) -> Estimate:
    cost = area_cost(result.area, design.target)
    memory = list(result.memory.values())
    memory += [storage(var, layout) for var, layout in _shared_arrays(design, result.function)]
    # Of constant tables only those that are looked up at run time are memories, and not one for each call.
    memory += [storage(var, layout) for var, layout in design.tables.items()]
    lut = cost.lut + sum(item.lut for item in memory)
    ff = cost.ff + sum(item.ff for item in memory)
    return Estimate(
        design.program, result, design.target, design.options, lut, cost.dsp, ff,
        sum(item.bram_18k for item in memory), result.cycles if result.known else None, max(result.cycles, 1.0),
        result.area, result.unshared, design.functions, design.work.used,
        sum(item.uram for item in memory), result.interval if result.known else None, least,
    )  # fmt: skip
