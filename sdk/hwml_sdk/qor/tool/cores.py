"""What operator cores take: tables and constants that `operators` reads.

Floating-point cores as the Floating-Point Operator guide (PG060) lists them for full or medium DSP usage, and as
reports of Vitis HLS 2020.1-2023.2 name them (`dadd ... fulldsp`: 3 DSP, `dmul ... maxdsp`: 11, `fadd`: 2, `fmul`: 3).
"""

from __future__ import annotations

from dataclasses import dataclass

from .constant import constant

# Clock periods (ns) that the latencies of a core are given for.
PERIODS = (10.0, 5.0, 4.0, 3.33)


@dataclass(slots=True)
class Core:
    """A pipelined core. The areas are those of one instance.

    cycles: from operands to a result that the next round waits for, at each of `PERIODS`: what an II is made of, where
    the tool takes the core with the fewest stages. states: what it takes in a schedule where nothing hurries, from the
    state of its operands to that of its result (`fadd_32ns_32ns_32_7_full_dsp_1`: 7); None: as `cycles`. since_2023:
    `cycles` of the releases that tell the two apart, None where they are the same. lean: LUT and FF with the few
    stages that these give it at 10 ns. lean_listed: the LUT that csynth lists there, of cores whose area is else as
    ever.
    """

    cycles: tuple[int, int, int, int]
    lut: float
    ff: float
    dsp: float
    states: tuple[int, int, int, int] | None = None
    since_2023: tuple[int, int, int, int] | None = None
    lean: tuple[float, float] | None = None
    lean_listed: float | None = None


# Area: PG060 and reports, see above; of functions, labels of kernels of data/qor with one. Latency: per-loop tables
# of released Stream-HLS and Prometheus designs (docs/qor-model.md); `python -m sdk.train qor constants --only core`
# holds both against labelled designs.
# States: iteration latencies of loops in the same tables that only load (2 states), compute and store (1): at 3.33 ns
# a sum takes 10 in all, a product 7, sum and comparison 12, quotient 15, difference and exponential 24; at 4 ns product
# and sum 12; at 3.33 ns `dadd_64ns_64ns_64_8_full_dsp_1`, `dmul_64ns_64ns_64_7_max_dsp_1`; between them and elsewhere
# one more than cycles. FF at 10 ns: labels of kernels of one sum (370) or quotient (199), and of a sum behind a product
# (564), less the entries of their pipelines. At 10 ns labels of kernels of forgehls-kernels with one loop: a product
# takes 1, a sum 4. What csynth lists of them: 77 LUT of a product (154 of a kernel whose copy has 77), 227 of a sum; of
# doubles 193 and 627.
CORE_SOURCE = "PG060 and csynth reports; latency from per-loop tables of Stream-HLS and Prometheus"
CORES: dict[tuple[str, str], Core] = {
    ("add", "float"): Core((3, 3, 3, 4), 214, 227, 2, (4, 4, 5, 7), lean=(214, 241), lean_listed=227),
    ("mul", "float"): Core((2, 2, 3, 3), 135, 128, 3, (1, 3, 4, 4), lean_listed=77),
    ("div", "float"): Core((8, 9, 10, 11), 761, 320, 0, (6, 10, 11, 12), (6, 9, 10, 11), lean=(0, 32)),
    ("sqrt", "float"): Core((7, 9, 11, 12), 450, 340, 0, (6, 9, 11, 12), (6, 9, 11, 12)),
    ("exp", "float"): Core((6, 8, 9, 10), 850, 360, 7, (4, 9, 11, 14), (4, 8, 9, 10), (800, 100)),
    ("log", "float"): Core((6, 8, 10, 11), 950, 420, 13, (5, 8, 10, 11), (5, 8, 10, 11), (500, 150)),
    ("trig", "float"): Core((14, 17, 20, 22), 2200, 1400, 13, (6, 17, 20, 22), (6, 17, 20, 22), (2200, 500)),
    ("tanh", "float"): Core((14, 17, 20, 22), 2200, 1400, 13, (6, 17, 20, 22), (6, 17, 20, 22), (2200, 500)),
    ("cmp", "float"): Core((1, 1, 1, 1), 66, 66, 0, (2, 2, 2, 2)),
    ("convert", "float"): Core((3, 3, 4, 4), 240, 190, 0),
    ("add", "double"): Core((4, 5, 6, 6), 650, 445, 3, (4, 6, 7, 8), lean_listed=627),
    ("mul", "double"): Core((4, 5, 6, 6), 260, 300, 11, (3, 6, 7, 7), (3, 5, 6, 6), lean_listed=193),
    ("div", "double"): Core((21, 27, 30, 30), 3200, 1800, 0, (12, 27, 30, 30), (12, 27, 30, 30)),
    ("sqrt", "double"): Core((20, 27, 30, 30), 1850, 1500, 0, (16, 27, 30, 30), (16, 27, 30, 30)),
    ("exp", "double"): Core((12, 15, 18, 20), 2600, 1500, 26, (9, 15, 18, 20), (9, 15, 18, 20), (1750, 600)),
    ("log", "double"): Core((14, 18, 22, 24), 3000, 1800, 57, None, None, (1000, 1650)),
    ("trig", "double"): Core((24, 30, 34, 38), 6000, 4500, 91, (10, 30, 34, 38), (10, 30, 34, 38), (6200, 1700)),
    ("tanh", "double"): Core((24, 30, 34, 38), 4800, 2400, 35),
    ("cmp", "double"): Core((1, 1, 1, 1), 115, 130, 0, (2, 2, 2, 2)),
    ("convert", "double"): Core((2, 2, 3, 3), 300, 240, 0),
    ("add", "half"): Core((3, 3, 4, 4), 110, 110, 2),
    ("mul", "half"): Core((2, 3, 3, 3), 45, 60, 2),
    ("div", "half"): Core((5, 6, 7, 7), 250, 120, 0),
    ("sqrt", "half"): Core((4, 5, 6, 7), 180, 120, 0),
    ("cmp", "half"): Core((1, 1, 1, 1), 40, 40, 0, (2, 2, 2, 2)),
    ("convert", "half"): Core((2, 2, 3, 3), 120, 90, 0),
}

# A float that is only added up (`sum += x`) or multiplied comes around a cycle sooner than its core takes at a slow
# clock: II 2 at 10 ns in the labels of 78 loops of forgehls-kernels (UltraScale+), 3 cycles for each of two sums in a
# row, 2 for a product before a sum; doubles do so in one half of its loops and not in the other, and are left alone.
ALONE_CYCLES = 1
ALONE_NS = PERIODS[0]

# At slow clocks a core takes operands that come within the state, which leave its first stage this much.
FIRST_STAGE_NS = 4.0

# Cores of which csynth reports of Vitis HLS give neither LUT nor FF (`fdiv_32ns_32ns_32_9_no_dsp_1`: 0, 0); kernels of
# data/qor with one such core beside a sum and a product say so too. They are built all the same: impl counts them.
UNCOUNTED = ("div", "sqrt")
# LUT, FF of floating-point cores without DSP (PG060), and DSPs by degree of DSP usage.
FABRIC = {
    ("add", "float"): (390, 220), ("mul", "float"): (650, 180), ("add", "double"): (790, 480),
    ("mul", "double"): (2300, 700), ("add", "half"): (200, 120), ("mul", "half"): (180, 80),
}  # fmt: skip
DEGREES = {
    ("mul", "float"): {"meddsp": 1, "fulldsp": 2, "maxdsp": 3},
    ("mul", "double"): {"meddsp": 9, "fulldsp": 10, "maxdsp": 11},
    ("add", "float"): {"fulldsp": 2},
    ("add", "double"): {"fulldsp": 3},
}

# Combinational delays by family, relative to UltraScale; UltraScale+ where a family is not listed.
SPEED = {"7series": 1.35, "ultrascale": 1.0, "versal": 0.8}
SPEED_OTHER = 0.85

_CARRY = "UG474, UG574: one LUT a bit of a carry chain"
_TREE = "UG474, UG574: a 6-input LUT takes two bits"
_REPORTS = "csynth reports: mul_32s_32s_32_2_1 50 LUT, 165 FF; mul_32s_32s_32_1_1 20 LUT, no FF"

_DIVIDER = "csynth reports: sdiv_46ns_32s_32_50 3525 LUT, 4613 FF; udiv_45s_27ns_32_49_1 3382 LUT, 4426 FF: of w * w"


@dataclass(slots=True)
class IntegerCosts:
    """Integer operators: delays in ns on UltraScale (`SPEED`), LUT and FF by width or once."""

    add_delay: float = constant(0.55)
    add_delay_bit: float = constant(0.022)
    add_lut_bit: float = constant(1.0, _CARRY)
    cmp_delay: float = constant(0.6)
    cmp_delay_bit: float = constant(0.012)
    cmp_lut_bit: float = constant(0.5, _TREE)
    cmp_lut: float = constant(2.0)
    logic_delay: float = constant(0.35)
    logic_lut_bit: float = constant(0.5, _TREE)
    select_delay: float = constant(0.4)
    select_lut_bit: float = constant(0.5, _TREE)
    select_lut: float = constant(1.0)
    shift_delay: float = constant(0.6)
    shift_delay_level: float = constant(0.15)
    shift_lut_bit_level: float = constant(0.5, _TREE)
    div_lut_bit: float = constant(7.5)
    div_ff_bit: float = constant(12.0)
    divider_lut_bit2: float = constant(1.67, _DIVIDER)
    divider_ff_bit2: float = constant(2.18, _DIVIDER)
    sqrt_lut_bit: float = constant(8.0)
    sqrt_ff_bit: float = constant(6.0)
    other_lut_bit: float = constant(20.0)
    other_ff_bit: float = constant(12.0)
    small_mul_delay: float = constant(1.2)
    small_mul_lut_bit2: float = constant(0.9)
    medium_mul_delay: float = constant(2.2)
    medium_mul_lut: float = constant(8.0)
    mul_delay: float = constant(3.0)
    mul_delay_parts: float = constant(4.0, "labels of data/qor at 10 ns: load, product of 32 bits, store in two states")
    mul_delay_wide: float = constant(6.5, "labels of data/qor at 10 ns: load, product of 64 bits, store in two states")
    mul_lut: float = constant(20.0, _REPORTS)
    mul_lut_one: float = constant(5.0, "labels of ForgeHLS: 82 for products of 16 bits where a copy has 77")
    mul_lut_dsp: float = constant(16.0, _REPORTS)
    mul_ff_dsp: float = constant(55.0, _REPORTS)
    float_select_delay: float = constant(0.5)
    float_select_lut_bit: float = constant(0.5, _TREE)


INTEGER = IntegerCosts()

_EXPRESSIONS = "csynth reports of 2019.2 to 2022.2, table of expressions"


@dataclass(slots=True)
class ExpressionCosts:
    """LUT of integer operators as the tables of csynth reports list them, by width."""

    add_lut: float = constant(7.0, f"{_EXPRESSIONS}: a sum of 2 bits 9, of 3 10, of 10 17, of 32 39, of 64 71")
    add_lut_least: float = constant(12.0, f"{_EXPRESSIONS}: a sum of 4 or 5 bits 12")
    cmp_lut: float = constant(7.5, f"{_EXPRESSIONS}: a comparison of 2 bits 8, of 10 11, of 16 13, of 32 20, of 54 25")
    cmp_lut_bit: float = constant(0.36, f"{_EXPRESSIONS}: a comparison of 2 bits 8, of 10 11, of 16 13, of 32 20")
    logic_lut_bit: float = constant(1.0, f"{_EXPRESSIONS}: and, or, xor, select of 12 bits 12, of 32 32")
    logic_lut_least: float = constant(2.0, f"{_EXPRESSIONS}: of one bit 2")


EXPRESSIONS = ExpressionCosts()
