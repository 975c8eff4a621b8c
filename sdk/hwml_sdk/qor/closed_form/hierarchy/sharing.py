"""From operators of a region to cores: operators that are never busy at the same time become one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ...tool.binding import operation_name
from ...tool.operators import Target, operator
from ..area import Area
from ..logic import shared_cores
from ..schedule.accesses import by_array
from ..schedule.ports import access_cycles, busiest_cycles
from ..schedule.region import Kind, Region


def add_operators(
    area: Area, region: Region, target: Target, cores: Callable[[Kind, float], float], *, ii: int | None = None
) -> None:
    """Add a region's operators to an area. cores: of so many shareable operators of a kind. ii: of a pipeline."""
    built: dict[Kind, float] = {}
    for written, units in region.counts.items():
        kind = as_pipelined(written, ii)
        op = operator(*kind, target)
        if op.shareable:
            built[kind] = units if _stands_alone(kind) else cores(kind, units)
            area.listed += shared_cores(units, built[kind])
        else:
            # Selectors in front of an adder cost as much as the adder: small operators are never shared.
            area.plain_lut += op.lut * units
            area.plain_dsp += op.dsp * units
    area.shared |= _limited(built, region.host.limits())


def _stands_alone(kind: Kind) -> bool:
    """Whether an operator is never used in turns: one of integers that BIND_OP puts into DSPs.

    stencil3d of data/qor (Vitis HLS 2022.1), whose II of 8 and more would let copies share: 5 sums and 2 products of a
    round, bound and unrolled four times, are 20 DSPs and 8 times 3.
    """
    what, type_ = kind
    lane = type_.element if type_.kind == "vector" and type_.element is not None else type_
    return "@" in what and not lane.is_float


def _limited(built: Mapping[Kind, float], limits: Mapping[str, int]) -> dict[Kind, float]:
    """Cores that ALLOCATION leaves of an operation, of all widths together: the widest ones can do for the rest."""
    left: dict[str, float] = {name: float(limit) for name, limit in limits.items()}
    found = dict(built)
    for kind in sorted(built, key=lambda kind: -kind[1].width) if left else ():
        name = operation_name(*kind)
        if name in left:
            found[kind] = min(built[kind], left[name])
            left[name] -= found[kind]
    return found


def as_pipelined(kind: Kind, ii: int | None) -> Kind:
    """A division of a pipeline that starts anew before one that works digit by digit is done has a stage a digit."""
    what, type_ = kind
    lane = type_.element if type_.kind == "vector" and type_.element is not None else type_
    if ii is None or what not in ("div", "mod") or lane.is_float or ii >= lane.width:
        return kind
    return f"{what}:pipelined", type_


def taking_turns(units: float, slots: float) -> float:
    """Cores for operators that can be spread over `slots` cycles; less than one operator stays what it is."""
    return math.ceil(units / slots) if units >= 1 else units


def at_once(region: Region, kind: Kind, units: float, slots: float) -> float:
    """Cores for operators of states: those that begin in one have one each, as far as their data comes at once."""
    states: dict[int, float] = {}
    for begun, copies in region.begun.get(kind, ()):
        states[begun] = states.get(begun, 0.0) + copies
    return taking_turns(min(max(states.values(), default=units), units), slots)


def loading_cycles(region: Region) -> int:
    """Cycles in which the data of one pass over a region comes: of the array with the most loads for its ports."""
    found = by_array([access for access in region.accesses if not access.write]).items()
    return max((access_cycles(a, region.host.layout(a), loads)[0] for a, loads in found), default=1)


def memory_cycles(region: Region) -> int:
    """Cycles that the busiest array's ports take for one pass over a region that is not pipelined."""
    # The same count that bounds the II of a pipeline; here these cycles are simply states of one iteration.
    return busiest_cycles(region)
