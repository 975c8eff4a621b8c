"""What one operator costs and how long it takes, by type, width, family and clock.

Sources: floating-point cores as the Floating-Point Operator guide (PG060) lists them for full or medium DSP usage, and
as Vitis HLS 2020.1-2023.2 names them in its reports (`dadd ... fulldsp`: 3 DSP, `dmul ... maxdsp`: 11 DSP, `fadd`: 2,
`fmul`: 3); integer adders one LUT a bit (carry chains), multipliers on 25x18 (7 series) or 27x18 (UltraScale) DSPs.
Latencies were set on the per-loop tables of released Stream-HLS and Prometheus designs (see docs/qor-model.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..program.ir import CType
from .releases import Behaviour, behaviour_of


@dataclass(frozen=True, slots=True)
class Operator:
    """latency_cycles: 0 for combinational; delay_ns: of the combinational path; areas of one instance."""

    latency_cycles: int
    delay_ns: float
    lut: float
    ff: float
    dsp: float
    shareable: bool


@dataclass(frozen=True, slots=True)
class Target:
    """What operators are built on. family: 7series, ultrascale, ultrascaleplus or versal. stage: csynth or impl.

    behaviour: what the tool's release does its own way, by `releases.RELEASES`. KeyError for an unknown tool.
    """

    family: str
    clock_period_ns: float
    tool: str = "vitis_hls"
    year: float = 2023.2
    unsafe_math: bool = False
    stage: str = "csynth"
    # Found once: the scheduler asks for it at every operator.
    behaviour: Behaviour = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "behaviour", behaviour_of(self.tool, self.year))

    @property
    def usable_ns(self) -> float:
        """Clock period less what the tool keeps free."""
        return self.clock_period_ns * (1.0 - self.behaviour.clock_uncertainty)


# Pipelined cores: (cycles at 10 ns, at 5 ns, at 4 ns, at 3.33 ns), LUT, FF, DSP.
_FLOAT: dict[tuple[str, str], tuple[tuple[int, int, int, int], float, float, float]] = {
    ("add", "float"): ((3, 3, 3, 4), 214, 227, 2),
    ("mul", "float"): ((2, 2, 3, 3), 135, 128, 3),
    ("div", "float"): ((8, 9, 10, 11), 761, 320, 0),
    ("sqrt", "float"): ((7, 9, 11, 12), 450, 340, 0),
    ("exp", "float"): ((6, 8, 9, 10), 850, 360, 7),
    ("log", "float"): ((6, 8, 10, 11), 950, 420, 8),
    ("trig", "float"): ((14, 17, 20, 22), 2200, 1400, 20),
    ("cmp", "float"): ((1, 1, 1, 1), 66, 66, 0),
    ("convert", "float"): ((3, 3, 4, 4), 240, 190, 0),
    ("add", "double"): ((4, 5, 6, 6), 650, 445, 3),
    ("mul", "double"): ((4, 5, 6, 6), 260, 300, 11),
    ("div", "double"): ((21, 27, 30, 30), 3200, 1800, 0),
    ("sqrt", "double"): ((20, 27, 30, 30), 1850, 1500, 0),
    ("exp", "double"): ((12, 15, 18, 20), 2600, 1500, 26),
    ("log", "double"): ((14, 18, 22, 24), 3000, 1800, 30),
    ("trig", "double"): ((24, 30, 34, 38), 6000, 4500, 60),
    ("cmp", "double"): ((1, 1, 1, 1), 115, 130, 0),
    ("convert", "double"): ((2, 2, 3, 3), 300, 240, 0),
    ("add", "half"): ((3, 3, 4, 4), 110, 110, 2),
    ("mul", "half"): ((2, 3, 3, 3), 45, 60, 2),
    ("div", "half"): ((5, 6, 7, 7), 250, 120, 0),
    ("sqrt", "half"): ((4, 5, 6, 7), 180, 120, 0),
    ("cmp", "half"): ((1, 1, 1, 1), 40, 40, 0),
    ("convert", "half"): ((2, 2, 3, 3), 120, 90, 0),
}
_PERIODS = (10.0, 5.0, 4.0, 3.33)


@lru_cache(maxsize=4096)
def operator(kind: str, type_: CType, target: Target) -> Operator:
    """The operator `kind` (add, mul, div, cmp, logic, shift, select, sqrt, exp, ...) on operands of a type.

    `kind@impl` is one that a BIND_OP pragma places: fabric, dsp, fulldsp, meddsp, maxdsp.
    """
    kind, _, impl = kind.partition("@")
    if impl:
        return _bound(operator(kind, type_, target), kind, impl, type_, target)
    if type_.kind == "vector" and type_.element is not None:
        one = operator(kind, type_.element, target)
        lanes = type_.lanes
        return Operator(one.latency_cycles, one.delay_ns, one.lut * lanes, one.ff * lanes, one.dsp * lanes, True)
    if type_.is_float:
        return _floating(kind, type_.kind, target)
    return _integer(kind, max(type_.width, 1), type_.kind in ("fixed", "ufixed"), target)


# LUT, FF of floating-point cores without DSP (PG060), and DSPs by degree of DSP usage.
_FABRIC = {
    ("add", "float"): (390, 220), ("mul", "float"): (650, 180), ("add", "double"): (790, 480),
    ("mul", "double"): (2300, 700), ("add", "half"): (200, 120), ("mul", "half"): (180, 80),
}  # fmt: skip
_DEGREES = {
    ("mul", "float"): {"meddsp": 1, "fulldsp": 2, "maxdsp": 3},
    ("mul", "double"): {"meddsp": 9, "fulldsp": 10, "maxdsp": 11},
    ("add", "float"): {"fulldsp": 2},
    ("add", "double"): {"fulldsp": 3},
}


def _bound(own: Operator, kind: str, impl: str, type_: CType, target: Target) -> Operator:
    """The operator with another implementation; one that does not exist leaves the tool's choice."""
    key = (kind, type_.kind)
    if type_.is_float:
        if impl == "fabric" and key in _FABRIC:
            lut, ff = _FABRIC[key]
            return replace(own, lut=lut, ff=ff, dsp=0)
        dsp = _DEGREES.get(key, {}).get(impl)
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
        return Operator(0, 0.5, width / 2, 0, 0, False)
    key = (kind, name) if (kind, name) in _FLOAT else (kind, "float")
    if key not in _FLOAT:
        key = ("trig", name if name != "half" else "float")
    cycles, lut, ff, dsp = _FLOAT[key]
    if key == ("mul", "double") and target.family != "7series":
        dsp = 8  # DSP48E2 and DSP58 multiply 27x18
    latency = max(_at_period(cycles, target.clock_period_ns), 1)
    if target.family == "7series" and name != "half":
        latency += 1
    if key[0] in ("add", "mul"):
        latency += target.behaviour.float_extra_cycles
    return Operator(latency, 0, lut, ff, dsp, True)


def _at_period(cycles: tuple[int, int, int, int], period_ns: float) -> int:
    """Latency at a clock between or beyond the listed ones."""
    for period, value in zip(_PERIODS, cycles, strict=True):
        if period_ns >= period - 0.05:
            return value
    return math.ceil(cycles[-1] * math.sqrt(_PERIODS[-1] / period_ns))


def _integer(kind: str, width: int, fixed: bool, target: Target) -> Operator:
    speed = {"7series": 1.35, "ultrascale": 1.0, "versal": 0.8}.get(target.family, 0.85)
    if kind == "add":
        return Operator(0, speed * (0.55 + 0.022 * width), width, 0, 0, False)
    if kind == "cmp":
        return Operator(0, speed * (0.6 + 0.012 * width), width / 2 + 2, 0, 0, False)
    if kind in ("logic", "not"):
        return Operator(0, speed * 0.35, width / 2, 0, 0, False)
    if kind == "select":
        return Operator(0, speed * 0.4, width / 2 + 1, 0, 0, False)
    if kind == "shift":
        return Operator(0, speed * (0.6 + 0.15 * math.log2(width + 1)), width * math.log2(width + 1) / 2, 0, 0, False)
    if kind == "mul":
        return _multiplier(width, target, speed)
    if kind in ("div", "mod"):
        return Operator(width + 3, 0, width * 7.5, width * 12.0, 0, True)
    if kind == "sqrt":
        return Operator(width // 2 + 1, 0, width * 8.0, width * 6.0, 0, True)
    if kind == "convert":
        return Operator(0, 0, 0, 0, 0, False)
    return Operator(width // 4 + 4, 0, width * 20.0, width * 12.0, 0, True)


def _multiplier(width: int, target: Target, speed: float) -> Operator:
    if width <= 5:
        return Operator(0, speed * 1.2, width * width * 0.9, 0, 0, False)
    if width <= 10:
        return Operator(0, speed * 2.2, 8, 0, 1, True)
    wide = 24 if target.family == "7series" else 26
    dsp = 1.0 if width <= 18 else 2.0 if width <= wide else 3.0 if width <= 34 else math.ceil(width / 17) ** 2 * 0.65
    cycles = 1 if width <= 18 else 2 if width <= 34 else 4
    if target.clock_period_ns >= 9 and width <= 34:
        cycles = 0 if width <= 18 else 1
    # As reports list them: mul_32s_32s_32_2_1 takes 50 LUTs and 165 FFs, mul_32s_32s_32_1_1 20 LUTs and no FF.
    lut = 0.0 if dsp <= 1 else 20.0 if cycles < 2 else 16.0 * dsp
    return Operator(cycles, speed * 3.0 if cycles == 0 else 0, lut, 55.0 * dsp if cycles >= 2 else 0.0, dsp, True)


def log2_ceil(value: float) -> int:
    """Levels of a balanced tree of `value` leaves."""
    return max(math.ceil(math.log2(value)), 0) if value > 1 else 0
