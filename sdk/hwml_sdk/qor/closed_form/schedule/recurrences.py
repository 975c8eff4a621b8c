"""RecMII: what a later iteration needs of an earlier one bounds the initiation interval (Rau 1994).

The walk over a loop's body has found how long each value takes from what it hangs on. Here that becomes a graph of the
variables, loads and stores that a later iteration can need, whose circuit of the largest latency over distance counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ...program import ir
from ...tool.operators import operator
from .accesses import Access
from .bounds import FREE, Bound, NestLoop
from .circuits import Edge, largest_ratio
from .meeting import Meeting, next_meeting
from .memory_cycles import in_registers, load_cycles, memory_part, state_of
from .passed import circuit_of, operations_between
from .region import Region
from .stated import stated_meeting
from .values import Mark, Value

# Delays are estimates: a way that ends this little past a clock edge is taken to fit before it.
SLACK_CYCLES = 0.25
# Stores times loads of one array that are compared; of larger bodies only what feeds itself is.
MAX_PAIRS = 4096
PAIRS_A_STEP = 4  # that are compared in the time that an expression takes


def recurrence_bound(region: Region, nest: Sequence[NestLoop], *, starts: bool = False) -> Bound:
    """Largest latency over distance of a circuit through values that a later iteration needs (RecMII; Rau 1994).

    starts: some rounds of the nest start what others carry on.
    """
    edges = [*_through_scalars(region, nest), *_through_arrays(region, nest, starts)]
    found = largest_ratio(edges, 1.0) if edges else ()
    if not found:
        return FREE
    latency, distance = sum(edge.latency for edge in found), sum(edge.distance for edge in found)
    ii = max(math.ceil(latency / distance - 1e-9), 1)
    circuit = circuit_of(region, found, SLACK_CYCLES)
    return Bound(ii, f"recurrence through {circuit.steps[0].name}", not all(edge.sure for edge in found), circuit)


def _through_scalars(region: Region, nest: Sequence[NestLoop]) -> Iterator[Edge[Mark]]:
    """From what a variable's last value hangs on to the variable in the next iteration."""
    for key, value in region.final.items():
        for mark, latency in value.since.items():
            early = sooner(region, value, mark, nest) if mark is key else 0
            yield Edge(mark, key, latency - early - SLACK_CYCLES, 1.0)


def sooner(region: Region, value: Value, mark: Mark, nest: Sequence[NestLoop]) -> int:
    """Cycles by which what one sum or product makes of a mark is there for the next round (`cores`).

    Of doubles a sum only, and outside of nests, whose first round has to choose where it starts: II 3 and 4 in labels
    of data/qor at 10 ns.
    """
    saved = region.target.alone
    slow = _only_core(value, mark) if saved and value.parts else ""
    return saved if slow in ("fadd", "fmul") or (slow == "dadd" and len(nest) == 1) else 0


def _only_core(value: Value, mark: Mark) -> str:
    """The operation of the only core on the way from a mark to a value, empty where there are others or none."""
    operations, _ = operations_between(value, mark)
    slow = [step.name for step in operations if (step.cycles or 0.0) >= 1.0]
    return slow[0] if len(slow) == 1 else ""


def _started(region: Region, write: Access, mark: Mark) -> float:
    """Cycles more of a sum of floats in a memory whose start the same nest stores.

    Per-loop tables of Stream-HLS, 2023.2 at 3.33 ns: II 8, the 7 states of a core that nothing hurries and one more,
    where an element that was there before takes the 4 of the quickest core.
    """
    value = write.value
    own = isinstance(mark, Access) and mark.key == write.key and not in_registers(region.host, write.array)
    if value is None or not own or region.target.alone or value.sum or _only_core(value, mark) != "fadd":
        return 0.0
    core = operator("add", value.type, region.target)
    return core.states + 1.0 - core.latency_cycles


def _through_arrays(region: Region, nest: Sequence[NestLoop], starts: bool) -> Iterator[Edge[Mark]]:
    """From what is stored to the store, and from there to the loads of later iterations that find it."""
    needed = {mark for value in region.final.values() for mark in value.since}
    stores: dict[ir.Variable, list[Access]] = defaultdict(list)
    for access in region.accesses:
        if access.write and (access.since or access.gates):
            stores[access.array].append(access)
            needed.update(access.since, access.gates)
    if not stores:
        return
    # A load that was left out of the region's accesses (another copy has the element) feeds nothing any more.
    loads: dict[ir.Variable, list[Access]] = defaultdict(list)
    for access in region.accesses:
        if not access.write and access in needed:
            loads[access.array].append(access)
    for array, writes in stores.items():
        for write in writes:
            # What is stored, and whether it is: a store is not made before its condition is known.
            for mark, latency in (*write.since.items(), *write.gates.items()):
                more = _started(region, write, mark) if starts else 0.0
                yield Edge(mark, write, latency + more, 0.0)
        yield from _in_memory(region, array, writes, loads.get(array, ()), nest)


def _in_memory(
    region: Region, array: ir.Variable, writes: Sequence[Access], reads: Sequence[Access], nest: Sequence[NestLoop]
) -> Iterator[Edge[Mark]]:
    stated, said = stated_meeting(region, array)
    if said and stated is None:
        return
    everything = len(writes) * len(reads) <= MAX_PAIRS
    region.work.left -= min(len(writes) * len(reads), MAX_PAIRS) // PAIRS_A_STEP
    order: dict[Mark, int] = {} if everything else {read: at for at, read in enumerate(reads)}
    for write in writes:
        for read in reads if everything else _feeding(write, reads, order):
            if not region.work.take(0):
                return
            meeting = stated if said else next_meeting(write.forms, read.forms, nest, region.work, region.inductions)
            if meeting is not None:
                yield _carried(region, write, read, meeting, nest)


def _feeding(write: Access, reads: Sequence[Access], order: Mapping[Mark, int]) -> list[Access]:
    """Those of the loads that a store hangs on, in their order."""
    return [reads[at] for at in sorted(order[mark] for mark in write.since if mark in order)]


def _carried(region: Region, write: Access, read: Access, meeting: Meeting, nest: Sequence[NestLoop]) -> Edge[Mark]:
    """From a store to a load that finds the element later."""
    # A chain of copies inside an iteration has been counted in full: nothing of it is left for the next.
    distance = max(meeting.distance, 1.0) if read in write.chained else meeting.distance
    # What Merlin makes of a sum whose place only data names, labels do not say: it is left as it was.
    known = region.target.behaviour.merlin or (None not in write.forms and None not in read.forms)
    in_memory = not in_registers(region.host, write.array)
    if region.target.behaviour.through_memory:
        latency = _through_memory(region, write, read) if in_memory else 1.0 - SLACK_CYCLES
    elif known and _passed_on(region, write, read, meeting):
        # The element stays in a register, or is forwarded past memory.
        early = sooner(region, write.value, read, nest) if write.value is not None and read in write.value.since else 0
        latency = -load_cycles(region.host, read.array) - early - SLACK_CYCLES
    else:
        latency = _through_memory(region, write, read) if in_memory else -SLACK_CYCLES
    return Edge(write, read, latency, distance, meeting.sure)


def _passed_on(region: Region, write: Access, read: Access, meeting: Meeting) -> bool:
    """Whether a later round is given what is stored without looking into the memory.

    Not where a condition decides whether it is stored, but for an element that the code before the loop has stored, so
    that one store behind the loop is as good (LLVM, LICM's promotion; labels of ten kernels, and of one that sets its
    four counters first).
    """
    promoted = write.key == read.key and write.key in region.settled
    if write.guarded and not promoted and not region.target.behaviour.merlin:
        return False
    return write.key == read.key or (meeting.sure and meeting.distance <= 1)


def _through_memory(region: Region, write: Access, read: Access) -> float:
    """From the value of a store until a load of a later iteration can name its address.

    An addition or a choice fits between the data and the store in one state, so that a histogram takes two for each
    element (its loops in csynth reports of Vivado HLS 2019.2 and Vitis HLS 2024.2: II 2; pp4fpgas, "Histogram").
    """
    loading = load_cycles(region.host, read.array)
    way = max(write.since.get(read, 0.0), write.gates.get(read, 0.0))
    if region.target.behaviour.merlin or read.array is not write.array or not loading <= way < loading + 1:
        return 1.0 - SLACK_CYCLES
    part = memory_part(region.target)
    data = part + (way - loading) - SLACK_CYCLES  # of the state behind the address
    return loading - 1 + state_of(data, part) + 1.0 - way - SLACK_CYCLES
