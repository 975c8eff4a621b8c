"""Processes of a dataflow region run at the same time: through streams they overlap, through arrays they wait.

UG1399, pragma HLS dataflow: a consumer of a stream starts with the first element, a consumer of an array (ping-pong
buffer) when its producer is done. Measured on released Stream-HLS designs: latency = longest path, where an array edge
adds the producer's whole latency and a stream edge its depth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from ...program import ir
from ...program.expressions import assigned_variables, everything_in, root_variable
from ...program.typenames import is_blocks, is_channel, split_scope
from .. import logic, registers
from ..area import Area, loop_control
from ..costs import COSTS, LOGIC
from ..results import LoopResult
from ..schedule.accesses import by_array
from ..schedule.bounds import NestLoop
from ..schedule.ports import access_cycles
from ..schedule.region import Region
from ..schedule.statements import open_region, walk
from .bodies import collecting, inside
from .frame import Frame
from .sharing import add_operators, taking_turns

# Calls inside calls that are looked into; further down a call is taken to write its first argument.
MAX_DEPTH = 8


@dataclass(slots=True)
class Process:
    """One call or loop of the region: what it takes, reads and writes."""

    cycles: float
    reads: set[ir.Variable] = field(default_factory=set)
    writes: set[ir.Variable] = field(default_factory=set)
    start: float = field(init=False)
    finish: float = field(init=False)


def build_dataflow(frame: Frame, result: LoopResult, rounds: float) -> None:
    """`dataflow` inside a loop: its iterations overlap, one starts when the slowest process is free (UG1399)."""
    loop = result.loop
    region = result.region = open_region(frame, frame.target, frame.aliases_now(), unroll_all=False)
    with inside(frame, loop, region), collecting(frame, result):
        latency, interval = overlapped(frame, loop.body, region, result.area, result.unshared)
    result.unknown.join(region.unknown)
    result.trips = rounds
    result.depth = latency
    result.cycles = max(rounds - 1, 0) * interval + latency + 1
    loop_control(result.area, result.trips, result.depth)
    result.area.kept += registers.of_plain_loop(result.trips, 1.0)
    counted = NestLoop(loop.var, max(frame.trip(loop), rounds), frame.step(loop), start=frame.start(loop))
    result.area.listed += logic.of_plain_loop(frame.target, counted, 1.0)


def overlapped(frame: Frame, block: ir.Block, region: Region, area: Area, unshared: Area) -> tuple[float, float]:
    """Walk the processes of a dataflow region; returns its latency and interval and adds what the processes take."""
    processes: list[Process] = []
    sink = frame.sink
    outside, frame.overlaps = frame.overlaps, True
    for item in _flat(block):
        before = len(sink)
        # Processes overlap by `schedule`, from the arrays and streams between them, not as loops of plain code do.
        region.beside.clear()
        frame.callees.clear()  # a function that two processes call is built in each of them
        start = max(region.end, region.base)
        cycles = _straight(frame, region, item, area, unshared)
        cycles += max(region.end, region.base) - start
        # What takes no time (a declaration, a constant) is wiring between processes.
        if not isinstance(item, ir.Loop | ir.Evaluate) or cycles <= 0:
            continue
        for loop in sink[before:]:
            area.beside(loop.area, loop.replicas)
            unshared.beside(loop.unshared, loop.replicas)
        reads, writes = _touched(item, frame.program)
        processes.append(Process(cycles, reads, writes))
    frame.overlaps = outside
    latency = schedule(processes, lambda var: frame.layout(var).interface == "fifo")
    # Labels of Vitis HLS: what is split or merged takes as long as the longest process, and not a cycle more.
    split = any(is_channel(var.type.name) for process in processes for var in process.writes)
    latency += -1 if split else 2
    interval = max((process.cycles for process in processes), default=1.0) + 1
    # Start and done signals of a process, and the FIFO or buffer control behind it.
    area.control_lut += COSTS.process_lut * len(processes)
    area.listed += LOGIC.process * len(processes)
    area.control_ff += COSTS.process_ff * len(processes)
    area.kept += COSTS.process_ff * len(processes)
    return latency, interval


def _straight(frame: Frame, region: Region, item: ir.Stmt, area: Area, unshared: Area) -> float:
    """Walk a process; add what stands in it outside loops and blocks, and return the cycles that its ports add.

    Unrolled loops and calls of functions without loops are such code; no other process uses their cores.
    """
    counts, accesses, bits = region.counts, len(region.accesses), region.live_bits
    region.counts, kept, region.holds = defaultdict(float), region.holds, []
    walk(region, ir.Block([item]))
    found = by_array(region.accesses[accesses:]).items()
    slots = max((access_cycles(a, frame.layout(a), listed)[0] for a, listed in found), default=1)
    own = Area()
    add_operators(own, region, frame.target, lambda _, units: taking_turns(units, max(slots, 1)))
    if region.counts:
        own.kept = registers.kept(region)
    region.holds = kept
    own.registers = (region.live_bits - bits) * COSTS.body_live if region.counts else 0.0
    area.beside(own)
    unshared.beside(own)
    for kind, units in region.counts.items():
        counts[kind] += units
    region.counts = counts
    return float(max(slots - 1, 0))


def schedule(processes: list[Process], streams: Callable[[ir.Variable], bool] = lambda _: False) -> float:
    """Longest path through the processes; sets their start and finish. streams: of an array, whether it is a FIFO."""
    # Of those that write a variable the latest start and finish: each of a thousand would be asked by all after it.
    begun: dict[ir.Variable, float] = {}
    done: dict[ir.Variable, float] = {}
    for process in processes:
        start = finish = 0.0
        for var in process.reads & done.keys():
            if is_channel(var.type.name):
                continue  # csynth does not look through what splits and merges: its reports add nothing for it
            # Two cycles until the first element is through the FIFO; the last one comes no earlier than it was put in.
            if _is_stream(var.type) or streams(var):
                start = max(start, begun[var] + 2)
                finish = max(finish, done[var] + 2)
            else:
                start = max(start, done[var])
        process.start = start
        process.finish = max(start + process.cycles, finish)
        for var in process.writes:
            begun[var] = max(begun.get(var, 0.0), process.start)
            done[var] = max(done.get(var, 0.0), process.finish)
    return max((process.finish for process in processes), default=0.0)


def _is_stream(kind: ir.CType) -> bool:
    """Whether data passes through it one by one: a stream (not of blocks), or a struct of nothing else."""
    if is_blocks(kind.name):
        return False
    fields = kind.fields if kind.kind == "struct" else ()
    return kind.kind == "stream" or (bool(fields) and all(inner.kind == "stream" for _, inner, _ in fields))


def _flat(block: ir.Block) -> list[ir.Stmt]:
    found: list[ir.Stmt] = []
    for item in block.items:
        found.extend(_flat(item) if isinstance(item, ir.Block) else [item])
    return found


def _touched(item: ir.Stmt, program: ir.Program) -> tuple[set[ir.Variable], set[ir.Variable]]:
    """Arrays and streams a process reads and writes; of a call: what the callee does with its parameters."""
    block = ir.Block([item])
    reads: set[ir.Variable] = set()
    writes = set(assigned_variables(block))
    for expr in everything_in(block):
        if isinstance(expr, ir.Call):
            _of_call(expr, program, reads, writes, 0)
        elif isinstance(expr, ir.Index):
            var = root_variable(expr)
            if var is not None:
                reads.add(var)
        elif isinstance(expr, ir.Binary) and expr.op in ("<<", ">>"):
            _of_shift(expr, reads, writes)
    return reads, writes


def _of_shift(expr: ir.Binary, reads: set[ir.Variable], writes: set[ir.Variable]) -> None:
    """`s << v` puts a value into a stream, `s >> v` takes one."""
    var = root_variable(expr.left)
    if var is not None and var.type.kind == "stream":
        (writes if expr.op == "<<" else reads).add(var)


def _of_call(call: ir.Call, program: ir.Program, reads: set[ir.Variable], writes: set[ir.Variable], depth: int) -> None:
    callee = program.functions.get(call.name)
    var = root_variable(call.receiver) if call.receiver is not None else None
    if callee is not None and depth <= MAX_DEPTH:
        fields = set(program.fields.get(split_scope(call.name.partition("(")[0])[0], {}).values())
        inner_reads, inner_writes = _summary(callee, program, depth) if fields else (set(), set())
        # A method that calls another hands its own fields on, one of an object stands for the object.
        reads.update(inner_reads & fields if var is None else [var] if inner_reads & fields else ())
        writes.update(inner_writes & fields if var is None else [var] if inner_writes & fields else ())
    elif var is not None:
        (writes if call.name.startswith("write") else reads).add(var)
    if call.receiver is not None and callee is None:
        return
    if callee is None or depth > MAX_DEPTH:
        for index, argument in enumerate(call.args):
            var = root_variable(argument)
            if var is not None:
                (writes if index == 0 else reads).add(var)
        return
    inner_reads, inner_writes = _summary(callee, program, depth)
    for param, argument in zip(callee.params, call.args, strict=False):
        var = root_variable(argument)
        if var is not None:
            if param in inner_reads:
                reads.add(var)
            if param in inner_writes:
                writes.add(var)


def _summary(function: ir.Function, program: ir.Program, depth: int) -> tuple[set[ir.Variable], set[ir.Variable]]:
    reads: set[ir.Variable] = set()
    writes = set(assigned_variables(function.body))
    for expr in everything_in(function.body):
        if isinstance(expr, ir.Call):
            _of_call(expr, program, reads, writes, depth + 1)
        elif isinstance(expr, ir.Index):
            var = root_variable(expr)
            if var is not None:
                reads.add(var)
        elif isinstance(expr, ir.Binary) and expr.op in ("<<", ">>"):
            _of_shift(expr, reads, writes)
    return reads, writes
