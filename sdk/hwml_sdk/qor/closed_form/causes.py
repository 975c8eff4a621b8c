"""What sets the speed of a loop, as data and in the terms of its source: nothing here changes what is predicted.

cause_of(result).text      "4 reads of a[] a round, 2 ports"
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..program import ir
from .results import LoopResult
from .schedule.accesses import Access
from .schedule.banks import Load, busiest
from .schedule.bounds import EXIT, Circuit
from .schedule.ports import banks_of
from .schedule.region import Region

CauseKind = Literal[
    "ports",
    "m_axi",
    "bundle",
    "fifo",
    "recurrence",
    "limit",
    "asked",
    "exit",
    "unclear",
    "open",
    "sequential",
    "dataflow",
]
_BY = {
    "memory ports of ": "ports",
    "m_axi port of bundle ": "bundle",
    "m_axi port of ": "m_axi",
    "fifo port of ": "fifo",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What keeps a loop from being faster.

    kind: `ports`, `m_axi`, `fifo` (of an array), `bundle` (shared by m_axi ports), `recurrence`, `limit` (ALLOCATION),
    `asked` (by the pragma), `exit` (whether another round follows is known late), `unclear` (accesses that cannot be
    told apart), `open` (II 1: nothing), `sequential` (the loop is not pipelined), `dataflow` (a process sets the pace
    of a region).
    subject: the array, bundle, operation or variable. reads, writes: of it in one round, where they are counted.
    text: in words, without the II.
    """

    kind: CauseKind
    text: str
    subject: str = ""
    reads: float | None = None
    writes: float | None = None
    circuit: Circuit | None = None


def cause_of(result: LoopResult, flat: LoopResult) -> Cause:
    """The cause of a loop's II, or why it has none. flat: the loop that it was flattened into, or itself."""
    if flat.ii is None:
        return Cause("sequential", _why_sequential(result), result.loop.name)
    bound, region = flat.bound, flat.region
    if bound.by.startswith("recurrence through "):
        subject = bound.by.removeprefix("recurrence through ")
        text = str(bound.circuit) if bound.circuit is not None else bound.by
        return Cause("unclear" if bound.guess else "recurrence", text, subject, circuit=bound.circuit)
    for start, kind in _BY.items():
        if bound.by.startswith(start) and region is not None:
            return _of_ports(kind, bound.by.removeprefix(start), region)
    if bound.by.startswith("limit of "):
        count, _, subject = bound.by.removeprefix("limit of ").partition(" ")
        return Cause("limit", f"ALLOCATION allows {count} {subject}", subject)
    if bound.by == "the pragma":
        return Cause("asked", f"the pragma asks for II={bound.ii}")
    if bound.by == EXIT:
        return Cause("exit", f"whether another round follows is known after {bound.ii} cycles of this one")
    return Cause("open", "a round starts in every cycle")


def _of_ports(kind: str, subject: str, region: Region) -> Cause:
    if kind == "bundle":
        names = [a.name for a in region.arrays() if _bundle(region, a) == subject]
        return Cause("bundle", f"{', '.join(names)} share the m_axi bundle {subject}", subject)
    array = next((a for a in region.arrays() if a.name == subject), None)
    if array is None:
        return Cause("unclear", f"ports of {subject}", subject)
    accesses = region.arrays()[array]
    layout = region.host.layout(array)
    if kind == "ports":
        return _of_memory(array, banks_of(region, array), layout.ports.total)
    reads, writes = _counted(accesses)
    what = "one m_axi port" if kind == "m_axi" else "one element a cycle"
    text = f"{amounts(reads, writes, array.name)}, {what}"
    return Cause("m_axi" if kind == "m_axi" else "fifo", text, array.name, reads, writes)


def _bundle(region: Region, array: ir.Variable) -> str:
    layout = region.host.layout(array)
    return (layout.bundle or "gmem") if layout.interface == "m_axi" else ""


def _counted(accesses: Sequence[Access]) -> tuple[float, float]:
    one = Load()
    for access in accesses:
        one.add(access, access.copies)
    return busiest(one.reads), busiest(one.writes)


def _of_memory(array: ir.Variable, banks: Sequence[Load], ports: int) -> Cause:
    """How often a round reads and writes an array, and the memory that most of it falls on."""
    reads = sum(busiest(load.reads) for load in banks)
    writes = sum(busiest(load.writes) for load in banks)
    text = f"{amounts(reads, writes, array.name)}, {_ports(ports)}"
    if len(banks) > 1:
        worst = max(banks, key=lambda load: busiest([*load.reads, *load.writes]))
        most = busiest([*worst.reads, *worst.writes])
        text = f"{amounts(reads, writes, array.name)}, {most:g} of them in one memory of {_ports(ports)}"
    return Cause("ports", text, array.name, reads, writes)


def _ports(count: int) -> str:
    return f"{count} port{'' if count == 1 else 's'}"


def amounts(reads: float, writes: float, name: str) -> str:
    """`4 reads and 1 write of a[] a round`."""
    parts = [(math.ceil(reads), "read"), (math.ceil(writes), "write")]
    said = " and ".join(f"{n} {verb}{'' if n == 1 else 's'}" for n, verb in parts if n)
    return f"{said or 'accesses'} of {name}[] a round"


def _why_sequential(result: LoopResult) -> str:
    """Why a loop is not pipelined, and not one with the loop inside it."""
    loop = result.loop
    if result.plan.refused:
        return result.plan.refused
    told = next((note for note in result.notes if note.startswith(("not pipelined", "not flattened"))), "")
    if told:
        return told
    if loop.pragma("HLS", "DATAFLOW") is not None:
        return "a dataflow region: the slowest process sets the pace"
    off = loop.pragma("HLS", "PIPELINE")
    if off is not None and "off" in off.options:
        return "not pipelined: the pragma switches it off"
    inner = [child for child in result.children if child.ii is not None]
    if inner:
        return _why_two_loops(result, inner)
    if result.children:
        return "not pipelined: the loops in it do not become one pipeline"
    return "not pipelined: no pragma asks for it, and the tool does not do it by itself here"


def _why_two_loops(result: LoopResult, inner: Sequence[LoopResult]) -> str:
    """Why a loop and the pipelined one inside stay two, so that the pipeline is filled anew in each round."""
    names = ", ".join(child.loop.name for child in inner)
    if len(result.children) > 1:
        return f"not flattened: {len(result.children)} loops stand in it, and each fills its pipeline in every round"
    if result.plan.unroll > 1:
        return f"not flattened with {names}: it is unrolled by {result.plan.unroll:g}"
    owners = [result.loop, inner[0].loop]
    if any("off" in p.options for loop in owners for p in loop.pragmas if p.kind == "LOOP_FLATTEN"):
        return f"not flattened with {names}: the pragma switches it off"
    if not inner[0].trip.constant:
        return f"not flattened with {names}: how often that runs varies"
    return f"not flattened with {names}: there is code between the two loops"
