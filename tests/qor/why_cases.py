"""Small loops whose II is bound by ports or a recurrence, with the bound counted by hand.

Ports: accesses of an array a round over the two ports of a memory (UG1399, bind_storage), loads of one element once.
Recurrences: at 10 ns on UltraScale+ reports of Vitis HLS 2022.1 name the cores `fadd_32ns_32ns_32_4_full_dsp_1`,
`fmul_32ns_32ns_32_3_max_dsp_1` and `dadd_64ns_64ns_64_5_full_dsp_1`: 4, 3 and 5 cycles
from an operand to the next round's.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One loop. body: its round. kind, subject: of the cause. ii: by hand. reads, writes: of the subject a round."""

    name: str
    params: str
    body: str
    kind: str
    subject: str
    ii: int
    reads: float | None = None
    writes: float | None = None
    before: str = ""
    head: str = "int i = 0; i < 960; i++"
    lifts: bool = True

    @property
    def source(self) -> str:
        """A top function with the loop."""
        return (
            f"void top({self.params}) {{\n{self.before}\n  work: for ({self.head}) {{\n#pragma HLS PIPELINE II=1\n"
            f"    {self.body}\n  }}\n}}\n"
        )


def _window(reads: int) -> str:
    return " + ".join(f"a[i + {k}]" for k in range(reads))


INTS = "int a[1024], int b[1024]"
DOUBLES = "double a[1024], double b[1024]"
FLOATS = "float a[1024], float b[1024], float out[1]"


def _ports() -> list[Case]:
    found = [
        # n different elements of a[] a round, two ports: ceil(n / 2)
        Case(f"window of {n}", INTS, f"b[i] = {_window(n)};", "ports", "a", -(-n // 2), n, 0) for n in range(3, 13)
    ]  # fmt: skip
    found += [
        Case(f"stride {s}", INTS, f"b[i] = a[{s} * i] + a[{s} * i + 1] + a[{s} * i + 2];", "ports", "a", 2, 3, 0,
             head="int i = 0; i < 200; i++")
        for s in (3, 4, 5)
    ]  # fmt: skip
    found += [
        # n stores to different elements
        Case(f"{n} stores", INTS, " ".join(f"b[{n} * i + {k}] = a[i] + {k};" for k in range(n)), "ports", "b",
             -(-n // 2), 0, n, head="int i = 0; i < 128; i++")
        for n in (3, 4, 6, 8)
    ]  # fmt: skip
    found += [
        # an unrolled body of factor n reads n elements
        Case(f"unrolled by {n}", INTS, f"for (int k = 0; k < {n}; k++) b[i] += a[{n} * i + k];", "ports", "a", n // 2,
             n, 0, head="int i = 0; i < 64; i++")
        for n in (4, 8, 16)
    ]  # fmt: skip
    found += [
        Case("reads and a write", INTS, "a[i] = a[i + 1] + a[i + 2] + b[i];", "ports", "a", 2, 2, 1),
        Case("rows", "int a[64][64], int b[64]", "b[i] = a[i][0] + a[i][1] + a[i][2] + a[i][3];", "ports", "a", 2, 4, 0,
             head="int i = 0; i < 64; i++"),
        Case("columns", "int a[64][64], int b[64]", "b[i] = a[0][i] + a[1][i] + a[2][i] + a[3][i] + a[4][i];", "ports",
             "a", 3, 5, 0, head="int i = 0; i < 64; i++"),
        Case("floats", FLOATS, "b[i] = a[i] * a[i + 1] + a[i + 2] * a[i + 3];", "ports", "a", 2, 4, 0),
        Case("split by two", INTS, f"b[i] = {_window(8)};", "ports", "a", 2, 8, 0,
             before="#pragma HLS ARRAY_PARTITION variable=a cyclic factor=2"),
        Case("one port", INTS, "b[i] = a[i] + a[i + 1];", "ports", "a", 2, 2, 0,
             before="#pragma HLS BIND_STORAGE variable=a type=ram_1p"),
    ]  # fmt: skip
    return found


def _recurrences() -> list[Case]:
    sums = "float s = 0;"
    return [
        Case("sum of floats", FLOATS, "s += a[i];", "recurrence", "s", 4, before=sums + "  out[0] = 0;"),
        Case("sum written out", FLOATS, "s = s + a[i];", "recurrence", "s", 4, before=sums),
        Case("sum of products", FLOATS, "s += a[i] * b[i];", "recurrence", "s", 4, before=sums),
        Case("sum of squares", FLOATS, "s += a[i] * a[i];", "recurrence", "s", 4, before=sums),
        Case("sum of differences", FLOATS, "s += a[i] - b[i];", "recurrence", "s", 4, before=sums),
        Case("sum of doubles", DOUBLES, "s += a[i];", "recurrence", "s", 5, before="double s = 0;"),
        Case("doubles times", DOUBLES, "s += a[i] * b[i];", "recurrence", "s", 5,
             before="double s = 0;"),
        Case("into one element", FLOATS, "out[0] += a[i];", "recurrence", "out", 4),
        Case("into one element, written out", FLOATS, "out[0] = out[0] + a[i] * b[i];", "recurrence", "out", 4),
        Case("half the rounds", FLOATS, "s += a[i] + b[i];", "recurrence", "s", 4, before=sums,
             head="int i = 0; i < 960; i += 2"),
        Case("down", FLOATS, "s += a[i];", "recurrence", "s", 4, before=sums, head="int i = 959; i >= 0; i--"),
        Case("long", FLOATS, "s += a[i] * 2.0f + b[i];", "recurrence", "s", 4, before=sums),
        Case("product of floats", FLOATS, "s *= a[i];", "recurrence", "s", 3, before="float s = 1;"),
        Case("product written out", FLOATS, "s = s * (a[i] + b[i]);", "recurrence", "s", 3, before="float s = 1;"),
        # Horner: a product and a sum one after another, which no rewriting here takes apart: named right, not lifted
        Case("polynomial", FLOATS, "s = s * b[0] + a[i];", "recurrence", "s", 7, before=sums, lifts=False),
    ]  # fmt: skip


CASES = [*_ports(), *_recurrences()]
