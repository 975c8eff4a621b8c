"""Loops that run beside one another: pipelined loops and copies become functions, which start as soon as they can.

From 2022.1 on Vitis HLS makes a function of every pipelined loop (the `_Pipeline_` modules in its reports) and of
memcpy. Calls of functions that share no variable and no port are scheduled at the same time, as UG1399 says of
functions; anything else between two loops (a loop that is not pipelined, code that takes time) keeps their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ...program import ir
from ...program.expressions import assigned_variables, everything_in, inside, loops_inside, named_in, root_variable
from ...program.facts import declarations
from ...program.flow import variables_in
from .accesses import Alias, root

Port = Callable[[ir.Variable], object]
# What a function, by its name, reads and writes that is none of its own: of the file, of what a lambda stands in.
Outside = Callable[[str], tuple[frozenset[ir.Variable], frozenset[ir.Variable]]]


@dataclass(frozen=True, slots=True)
class LoopUses:
    """What a loop needs to itself: scalars it reads, variables it writes, ports of arrays (never shared)."""

    reads: frozenset[object]
    writes: frozenset[object]
    ports: frozenset[object]


@dataclass(slots=True)
class Beside:
    """Loops since the last one that had to wait for everything. floor: when that was done; until: when all are.

    Two loops wait for one another when they share a port, or one writes what the other uses; so that only the last end
    of those at each port, reading and writing each variable, is kept.
    """

    floor: float = 0.0
    until: float = -1.0
    ports: dict[object, float] = field(default_factory=dict)
    reads: dict[object, float] = field(default_factory=dict)
    writes: dict[object, float] = field(default_factory=dict)

    def clear(self) -> None:
        """What comes waits for everything before."""
        for ends in (self.ports, self.reads, self.writes):
            ends.clear()
        self.until = -1.0

    def start(self, now: float, uses: LoopUses | None) -> float:
        """When a loop starts. now: when all that was written before it is done; uses None: it waits for all of it."""
        # Something took time after the last of them ended: they are all done, and what comes has nobody beside it.
        if uses is None or now > self.until:
            self.clear()
            self.floor = now
        if uses is None:
            return now
        pairs = (
            (uses.ports, self.ports), (uses.writes, self.reads), (uses.writes, self.writes), (uses.reads, self.writes),
        )  # fmt: skip
        return max((ends[used] for wanted, ends in pairs for used in wanted & ends.keys()), default=self.floor)

    def finish(self, time: float, uses: LoopUses | None) -> float:
        """Note the end of a loop; returns when everything is done."""
        if uses is None:
            return time
        for used, ends in ((uses.ports, self.ports), (uses.reads, self.reads), (uses.writes, self.writes)):
            for item in used:
                ends[item] = max(ends.get(item, time), time)
        self.until = max(self.until, time)
        return self.until


def loop_uses(loop: ir.Loop, aliases: Mapping[ir.Variable, Alias], port: Port, outside: Outside) -> LoopUses:
    """What a loop with all inside it touches; its own counters and what it declares are nobody else's."""
    # Two loops over `i` do not meet in it: each sets it anew, and the tool gives each a register of its own.
    own = set(_own(loop))
    heads = [part for part in (loop.start, loop.condition, loop.step) if part is not None]
    seen = {*named_in(loop.body), *variables_in(*heads)}
    ports: set[object] = set()
    handed: set[ir.Variable] = set()
    changed: set[ir.Variable] = set()
    for expr in (*inside(heads), *everything_in(loop.body)):
        # `is` instead of isinstance: every expression of every loop comes by here, once for each loop around it.
        kind = type(expr)
        if kind is ir.Ref or kind is ir.Const or kind is ir.Binary:
            continue
        if kind is ir.Member:
            ports.update(_array_field(expr))  # type: ignore[arg-type]
        elif isinstance(expr, ir.Call):
            handed |= {var for var in map(root_variable, expr.args) if var is not None}
            receiver = root_variable(expr.receiver) if expr.receiver is not None else None
            if receiver is not None:
                handed.add(receiver)
            reads, writes_there = outside(expr.name)
            seen |= reads
            changed |= writes_there
    # Reads of one memory keep their order as well: two loops at once would ask for the same ports in every cycle.
    for var in seen | handed:
        if var in aliases or var.dims or var.type.pointer or var.type.kind == "stream":
            ports.add(port(aliases[var].array if var in aliases else var))
    writes = (set(assigned_variables(loop.body)) | handed | changed) - own
    return LoopUses(frozenset(seen - own), frozenset(writes), frozenset(ports))


def copy_uses(arrays: Iterable[ir.Variable], port: Port) -> LoopUses:
    """What memcpy and memset touch; arrays: the one that is written first."""
    ports: set[object] = {port(array) for array in arrays}
    ports |= {(array.part_of, array.name.rpartition(".")[2]) for array in arrays if array.part_of is not None}
    owners = [root(array) for array in arrays if array.part_of is not None]
    return LoopUses(frozenset(owners), frozenset(owners[:1] if owners else ()), frozenset(ports))


def _array_field(expr: ir.Member) -> Iterable[object]:
    """What stands for an array that is a field of a struct by itself."""
    var = expr.base.var if isinstance(expr.base, ir.Ref) else None
    found = var.type.field_of(expr.field) if var is not None and var.type.kind == "struct" else None
    if found is not None and found[1]:
        yield var, expr.field


def _own(loop: ir.Loop) -> Iterable[ir.Variable]:
    """Counters of a nest and variables declared inside it."""
    for inner in (loop, *loops_inside(loop.body)):
        if inner.var is not None:
            yield inner.var
    for item in declarations(loop.body):
        yield item.var
