"""What one operator costs and how long it takes, by type, width, family and clock.

The numbers stand in `cores`, each with its source; here are the rules that read them. Multipliers are built of DSPs of
25x18 bits (7 series, UG479) or 27x18 (UltraScale on, UG579).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..program.ir import CType
from .binding import operation_name
from .cores import (
    ALONE_CYCLES,
    ALONE_NS,
    CORES,
    DEGREES,
    EXPRESSIONS,
    FABRIC,
    INTEGER,
    PERIODS,
    SPEED,
    SPEED_OTHER,
    UNCOUNTED,
)
from .multipliers import LUT_PRODUCT_BITS2, dsps
from .releases import Behaviour, behaviour_of


@dataclass(frozen=True, slots=True)
class Operator:
    """latency_cycles: 0 for combinational; delay_ns: of the combinational path; areas of one instance.

    states: what it takes where no later round waits for it (`Core.states`); 0: as many as `latency_cycles`.
    joins: whether it takes operands that come within a state, at slow clocks.
    """

    latency_cycles: int
    delay_ns: float
    lut: float
    ff: float
    dsp: float
    shareable: bool
    states: int = 0
    joins: bool = True


NOTHING = Operator(0, 0, 0, 0, 0, False)


@dataclass(frozen=True, slots=True)
class Target:
    """What operators are built on. family: 7series, ultrascale, ultrascaleplus or versal. stage: csynth or impl.

    behaviour: what the tool's release does its own way, by `releases.RELEASES`. KeyError for an unknown tool.
    learned: cycles more than the tables list, by operator (`fadd`), where a workspace's own reports said so.
    """

    family: str
    clock_period_ns: float
    tool: str = "vitis_hls"
    year: float = 2023.2
    unsafe_math: bool = False
    stage: str = "csynth"
    learned: tuple[tuple[str, int], ...] = ()
    # Found once: the scheduler asks for them at every operator.
    behaviour: Behaviour = field(init=False, compare=False, repr=False)
    usable_ns: float = field(init=False, compare=False, repr=False)  # clock period less what the tool keeps free

    def __post_init__(self) -> None:
        object.__setattr__(self, "behaviour", behaviour_of(self.tool, self.year))
        object.__setattr__(self, "usable_ns", self.clock_period_ns * (1.0 - self.behaviour.clock_uncertainty))

    def __hash__(self) -> int:
        """Of what tells most targets apart: every operator is looked up by it."""
        return hash((self.family, self.clock_period_ns, self.year, self.stage))

    @property
    def leaves_out_dividers(self) -> bool:
        """Whether the report is one of Vitis HLS csynth, which counts no LUT of `UNCOUNTED` cores."""
        return self.stage == "csynth" and not self.behaviour.merlin and not self.behaviour.vivado_core

    @property
    def lists_expressions(self) -> bool:
        """Whether the report gives each operator what the tables of csynth reports give it, before any is optimised."""
        return self.stage == "csynth" and not self.behaviour.merlin

    @property
    def alone(self) -> int:
        """Cycles by which a float that one core alone changes comes around sooner than that takes."""
        slow = self.clock_period_ns >= ALONE_NS - 0.05 and self.family != "7series"
        return ALONE_CYCLES if slow and self.behaviour.slow_cores else 0


@lru_cache(maxsize=4096)
def operator(kind: str, type_: CType, target: Target) -> Operator:
    """The operator `kind` (add, mul, div, cmp, logic, shift, select, sqrt, exp, ...) on operands of a type.

    `div:pipelined` takes operands each cycle. `mul:32x8=32` is a product of operands of so many bits, the wider first,
    and what is kept of it.
    `kind@impl` is one that a BIND_OP pragma places: fabric, dsp, fulldsp, meddsp, maxdsp.
    """
    if kind.startswith("call "):
        return NOTHING
    own = _listed(kind, type_, target)
    if not target.learned or not own.latency_cycles or type_.kind == "vector":  # its lanes are learned of already
        return own
    step = dict(target.learned).get(operation_name(kind, type_), 0)
    states = max(own.states + step, 1) if own.states else 0
    return replace(own, latency_cycles=max(own.latency_cycles + step, 1), states=states) if step else own


def _listed(kind: str, type_: CType, target: Target) -> Operator:
    """By the tables; the parts of one that is made of others with what was learned of them."""
    kind, _, impl = kind.partition("@")
    if impl:
        return _bound(_listed(kind, type_, target), kind.partition(":")[0], impl, type_, target)
    kind, _, widths = kind.partition(":")
    if type_.kind == "vector" and type_.element is not None:
        one = operator(f"{kind}:{widths}" if widths else kind, type_.element, target)
        lanes = type_.lanes
        return Operator(
            one.latency_cycles, one.delay_ns, one.lut * lanes, one.ff * lanes, one.dsp * lanes, True, one.states
        )
    if type_.is_float:
        return _floating(kind, type_.kind, target)
    if kind == "mul":
        width = max(type_.width, 1)
        wide, narrow, kept = map(int, re.split("[x=]", widths)) if widths else (width, width, width)
        return _multiplier(wide, narrow, kept, target)
    if widths == "pipelined":
        return _pipelined_division(max(type_.width, 1), target)
    return _integer(kind, max(type_.width, 1), target)


def _bound(own: Operator, kind: str, impl: str, type_: CType, target: Target) -> Operator:
    """The operator with another implementation; one that does not exist leaves the tool's choice."""
    key = (kind, type_.kind)
    if type_.is_float:
        if impl == "fabric" and key in FABRIC:
            lut, ff = FABRIC[key]
            return replace(own, lut=lut, ff=ff, dsp=0)
        dsp = DEGREES.get(key, {}).get(impl)
        if dsp is None:
            return own
        return replace(own, dsp=min(dsp, 8) if key == ("mul", "double") and target.family != "7series" else dsp)
    width = max(type_.width, 1)
    if impl == "fabric" and kind == "mul":
        return replace(own, lut=width * width, ff=width, dsp=0)
    if impl == "dsp" and kind == "add":
        return replace(own, lut=0, dsp=math.ceil(width / 48), shareable=True)
    return own


def _floating(kind: str, name: str, target: Target) -> Operator:
    if kind in ("select", "logic", "shift"):
        width = {"half": 16, "float": 32}.get(name, 64)
        return Operator(0, INTEGER.float_select_delay, width * INTEGER.float_select_lut_bit, 0, 0, False)
    key = (kind, name) if (kind, name) in CORES else (kind, "float")
    if key not in CORES:
        key = ("trig", name if name != "half" else "float")
    core = CORES[key]
    dsp = core.dsp
    if key == ("mul", "double") and target.family != "7series":
        dsp = 8  # DSP48E2 and DSP58 multiply 27x18
    quick = target.behaviour.slow_cores and target.family != "7series"
    cycles = core.since_2023 if core.since_2023 and quick else core.cycles
    latency = max(_at_period(cycles, target.clock_period_ns), 1)
    slower = 1 if target.family == "7series" and name != "half" else 0
    if key[0] in ("add", "mul"):
        behaviour = target.behaviour
        fast = math.ceil(behaviour.float_extra_cycles * _of_fast_clocks(target.clock_period_ns))
        # One cycle of 7 series and one of a release are not added up (double cores of hgbo-dse, 2022.1).
        slower = max(slower + fast, behaviour.float_more_cycles)
    latency += slower
    states = _at_period(core.states, target.clock_period_ns) if core.states and target.behaviour.slow_cores else 0
    lut, ff = core.lut, core.ff
    if target.leaves_out_dividers and key[0] in UNCOUNTED:
        lut = ff = 0.0
    listed = target.leaves_out_dividers or key[0] not in UNCOUNTED
    few = quick and target.clock_period_ns >= PERIODS[0] - 0.05
    if core.lean and few and listed:
        lut, ff = core.lean
    if core.lean_listed and few and target.lists_expressions:
        lut = core.lean_listed
    return Operator(
        latency, 0, lut, ff, dsp, True, states if quick and states else max(states, latency), joins=key[0] != "div"
    )


def _at_period(cycles: tuple[int, int, int, int], period_ns: float) -> int:
    """Latency at a clock between or beyond the listed ones."""
    for period, value in zip(PERIODS, cycles, strict=True):
        if period_ns >= period - 0.05:
            return value
    return math.ceil(cycles[-1] * math.sqrt(PERIODS[-1] / period_ns))


def _of_fast_clocks(period_ns: float) -> float:
    """What part of a fast clock's extra stages a core has: none at 10 ns, where Vivado HLS reports fadd of 5 stages and
    fmul of 4 as Vitis HLS does, all from 4 ns on."""
    slow, fast = PERIODS[0], PERIODS[2]
    return min(max((slow - period_ns) / (slow - fast), 0.0), 1.0)


def _integer(kind: str, width: int, target: Target) -> Operator:
    speed, cost = SPEED.get(target.family, SPEED_OTHER), INTEGER
    levels = math.log2(width + 1)
    logic: dict[str, tuple[float, float]] = {  # combinational: delay in ns, LUT
        "add": (cost.add_delay + cost.add_delay_bit * width, width * cost.add_lut_bit),
        "cmp": (cost.cmp_delay + cost.cmp_delay_bit * width, width * cost.cmp_lut_bit + cost.cmp_lut),
        "logic": (cost.logic_delay, width * cost.logic_lut_bit),
        "not": (cost.logic_delay, width * cost.logic_lut_bit),
        "reduce": (cost.logic_delay, width * cost.logic_lut_bit),
        "select": (cost.select_delay, width * cost.select_lut_bit + cost.select_lut),
        "shift": (cost.shift_delay + cost.shift_delay_level * levels, width * levels * cost.shift_lut_bit_level),
    }
    if kind in logic:
        delay, lut = logic[kind]
        if target.lists_expressions:
            lut = _expression_lut(kind, width, lut, target)
        return Operator(0, speed * delay, lut, 0, 0, False)
    if kind == "convert":
        return Operator(0, 0, 0, 0, 0, False)
    # Digit by digit: a quotient bit a cycle, two root bits a cycle, and what else there is in between.
    if kind in ("div", "mod"):
        return Operator(width + 3, 0, width * cost.div_lut_bit, width * cost.div_ff_bit, 0, True)
    if kind == "sqrt":
        return Operator(width // 2 + 1, 0, width * cost.sqrt_lut_bit, width * cost.sqrt_ff_bit, 0, True)
    return Operator(width // 4 + 4, 0, width * cost.other_lut_bit, width * cost.other_ff_bit, 0, True)


def _expression_lut(kind: str, width: int, otherwise: float, target: Target) -> float:
    """What the table of expressions of csynth reports gives an operator."""
    cost = EXPRESSIONS
    if kind == "add" or (kind == "cmp" and target.behaviour.wide_comparisons):
        return max(width + cost.add_lut, cost.add_lut_least) if width > 3 else width + cost.add_lut
    if kind == "cmp":
        return cost.cmp_lut + cost.cmp_lut_bit * width
    if kind in ("logic", "not", "select"):
        return max(width * cost.logic_lut_bit, cost.logic_lut_least)
    return otherwise


def _pipelined_division(width: int, target: Target) -> Operator:
    """A quotient each cycle: the latency of the one that works digit by digit, a stage for every digit."""
    one = _integer("div", width, target)
    return replace(one, lut=width * width * INTEGER.divider_lut_bit2, ff=width * width * INTEGER.divider_ff_bit2)


def _multiplier(one: int, other: int, result: int, target: Target) -> Operator:
    """A product of operands of so many bits, `result` of which are kept."""
    cost, speed = INTEGER, SPEED.get(target.family, SPEED_OTHER)
    wider, narrower = max(one, other), min(one, other)
    if narrower == 1:
        return Operator(0, speed * cost.logic_delay, wider * cost.logic_lut_bit, 0, 0, False)
    if narrower == 2 or wider * narrower <= LUT_PRODUCT_BITS2:
        return Operator(0, speed * cost.small_mul_delay, wider * narrower * cost.small_mul_lut_bit2, 0, 0, False)
    if wider <= 10:
        return Operator(0, speed * cost.medium_mul_delay, cost.medium_mul_lut, 0, 1, True)
    dsp = dsps(one, other, result, target.family)
    cycles = 1 if dsp == 1 else 2 if wider <= 34 else 4
    if target.clock_period_ns >= 9 and (wider <= 34 or target.family != "7series"):
        # At a slow clock the faster families have no register inside: `mul_32s_32s_32_1_1` where 7 series has `_2_1`.
        cycles = 0 if dsp == 1 or target.family != "7series" else 1
    inside = cycles >= 2 or (cycles == 1 and dsp > 1 and target.family == "7series")
    # `mul_16s_16s_32_1_1`: reports list gates beside a combinational product in one DSP.
    beside = cost.mul_lut_one if cycles == 0 and target.lists_expressions and target.behaviour.wide_comparisons else 0.0
    lut = beside if dsp <= 1 else cost.mul_lut_dsp * dsp if inside else cost.mul_lut
    ff = cost.mul_ff_dsp * dsp if inside else 0.0
    delay = cost.mul_delay if dsp == 1 else cost.mul_delay_parts if wider <= 34 else cost.mul_delay_wide
    return Operator(cycles, speed * delay if cycles == 0 else 0, lut, ff, dsp, True)


def log2_ceil(value: float) -> int:
    """Levels of a balanced tree of `value` leaves."""
    return max(math.ceil(math.log2(value)), 0) if value > 1 else 0
