"""What synthesis finds behind the operators: tables of constants, carries, state machines, shift registers."""

from __future__ import annotations

import pytest

from hwml_sdk.chisel.qor.answer import ChiselQor

from .hw_texts import CLOCKED, circuit, count, module


def one(ports: str, *body: str, end: str) -> ChiselQor:
    return count(circuit(module("Top", ports, *body, end=end)))


def constants(words: list[int], width: int) -> str:
    """An array of constants; the highest element stands first."""
    listed = ", ".join(f"{word} : i{width}" for word in reversed(words))
    return f"hw.aggregate_constant [{listed}] : !hw.array<{len(words)}xi{width}>"


def test_a_table_of_constants_is_a_function_of_its_address() -> None:
    """By the address's six bits: their parity (a table), bit 0 itself (a wire), whether it is 5 (a table), nothing."""
    words = [a.bit_count() % 2 | (a & 1) << 1 | (a == 5) << 2 for a in range(64)]
    body = [f"%0 = {constants(words, 4)}", "%1 = hw.array_get %0[%a] : !hw.array<64xi4>, i6"]
    found = one("in %a : i6, out y : i4", *body, end="%1 : i4")
    assert (found.lut, found.depth) == (2, 1)


def test_a_table_of_seven_address_bits_is_taken_apart() -> None:
    """Ones where the highest bit is 1 and another function of the six below else: that one, and the or of both."""
    words = [1 if a >= 64 else a.bit_count() % 2 for a in range(128)]
    body = [f"%0 = {constants(words, 1)}", "%1 = hw.array_get %0[%a] : !hw.array<128xi1>, i7"]
    assert one("in %a : i7, out y : i1", *body, end="%1 : i1").lut == 2


def test_one_bit_is_the_same_however_it_is_cut_out() -> None:
    """a[3:0] & (bit 1 of a at its own place): that bit and nothing else, which is a wire; no table at all."""
    body = [
        "%zeros = hw.constant 0 : i2",
        "%zero = hw.constant false",
        "%0 = comb.extract %a from 1 : (i16) -> i1",
        "%1 = comb.extract %a from 0 : (i16) -> i4",
        "%2 = comb.concat %zeros, %0, %zero : i2, i1, i1",
        "%3 = comb.and %1, %2 : i4",
    ]
    assert one("in %a : i16, out y : i4", *body, end="%3 : i4").lut == 0


def test_a_single_bit_is_carried_in() -> None:
    """a + b + c with one bit c: a table a bit, as without c (UG474, CYINIT); c of two bits is a third number."""
    ports = "in %a : i8, in %b : i8, in %c : i{0}, out y : i8"

    def of(width: int) -> int | None:
        zeros = [f"%z = hw.constant 0 : i{8 - width}", f"%w = comb.concat %z, %c : i{8 - width}, i{width}"]
        return one(ports.format(width), *zeros, "%0 = comb.add bin %a, %b, %w : i8", end="%0 : i8").lut

    assert of(1) == 8
    assert (of(2) or 0) > 8


def test_comparisons_of_the_same_two_are_one_chain() -> None:
    """Eight bits by size: two tables for each three of them, six. b > a is the same, a >= b its opposite; with signs it
    is one table more."""

    def of(*words: str) -> int | None:
        outs = ", ".join(f"out y{n} : i1" for n in range(len(words)))
        body = [f"%{n} = comb.icmp bin {word} : i8" for n, word in enumerate(words)]
        end = f"{', '.join(f'%{n}' for n in range(len(words)))} : {', '.join('i1' for _ in words)}"
        return one(f"in %a : i8, in %b : i8, {outs}", *body, end=end).lut

    assert of("ult %a, %b") == 6
    assert of("ult %a, %b", "ult %a, %b", "ugt %b, %a", "uge %a, %b", "ule %b, %a") == 6
    assert of("ult %a, %b", "slt %a, %b") == 7
    assert of("ult %a, %b", "ult %b, %a") == 7


MACHINE = (
    "%c0_i2 = hw.constant 0 : i2",
    "%c1_i2 = hw.constant 1 : i2",
    "%c2_i2 = hw.constant -2 : i2",
    "%s = seq.firreg %next clock %clock reset sync %reset, %c0_i2 : i2",
    "%idle = comb.icmp bin eq %s, %c0_i2 : i2",
    "%busy = comb.icmp bin eq %s, %c1_i2 : i2",
    "%0 = comb.mux bin %go, %c1_i2, %s : i2",
    "%1 = comb.mux bin %busy, %c2_i2, %c0_i2 : i2",
    "%next = comb.mux bin %idle, %0, %1 : i2",
)


def test_a_state_machine_has_a_flip_flop_a_state() -> None:
    """Idle, busy, done: s_busy' = s_idle & go, s_done' = s_busy, s_idle' = s_done | s_idle & !go: two tables, and the
    output is a flip-flop. Where the register itself is an output, it stays two bits."""
    found = one(f"{CLOCKED}, in %go : i1, out y : i1", *MACHINE, end="%busy : i1")
    assert (found.ff, found.lut, found.latency_cycles, found.lower_bound) == (3, 2, 1, True)
    shown = one(f"{CLOCKED}, in %go : i1, out y : i1, out state : i2", *MACHINE, end="%busy, %s : i1, i2")
    assert shown.ff == 2


def test_a_machine_that_chooses_by_its_state() -> None:
    """The same as an array of next states, which is how firtool writes a long switch."""
    body = [line for line in MACHINE if not line.startswith(("%1 =", "%next"))]
    body += [
        "%all = hw.array_create %c0_i2, %c0_i2, %c2_i2, %0 : i2",
        "%next = hw.array_get %all[%s] : !hw.array<4xi2>, i2",
    ]
    found = one(f"{CLOCKED}, in %go : i1, out y : i1", *body, end="%busy : i1")
    assert (found.ff, found.lut) == (3, 2)


def test_what_counts_is_no_state_machine() -> None:
    """A sum among the next values: two flip-flops stay two."""
    body = [line for line in MACHINE if not line.startswith("%1 =")]
    body += ["%1 = comb.add bin %s, %c1_i2 : i2"]
    assert one(f"{CLOCKED}, in %go : i1, out y : i1", *body, end="%busy : i1").ff == 2


SHIFTED = (
    "%r = seq.firreg %n clock %clock : i4",
    "%0 = comb.extract %r from 0 : (i4) -> i3",
    "%n = comb.concat %0, %d : i3, i1",
)


@pytest.mark.parametrize(("bit", "ff", "srl"), [(3, 0, 1), (2, 0, 1), (1, 2, 0)])
def test_a_word_that_shifts_is_a_shift_register(bit: int, ff: int, srl: int) -> None:
    """Bits of one register, read at its end alone: from three of them on one table (SRL16E)."""
    body = [*SHIFTED, f"%y = comb.extract %r from {bit} : (i4) -> i1"]
    found = one(f"{CLOCKED}, in %d : i1, out y : i1", *body, end="%y : i1")
    assert (found.ff, found.srl, found.latency_cycles) == (ff, srl, bit + 1)


def test_a_chain_that_is_read_on_the_way_stays_flip_flops() -> None:
    assert one(f"{CLOCKED}, in %d : i1, out y : i4", *SHIFTED, end="%r : i4").ff == 4


def test_what_goes_into_a_shift_register_is_built() -> None:
    """The and before it takes a table."""
    body = [*SHIFTED[:2], "%n = comb.concat %0, %x : i3, i1", "%x = comb.and bin %d, %e : i1"]
    body += ["%y = comb.extract %r from 3 : (i4) -> i1"]
    found = one(f"{CLOCKED}, in %d : i1, in %e : i1, out y : i1", *body, end="%y : i1")
    assert (found.lut, found.srl) == (1, 1)
