"""Amounts and cycles of circuits that a person can count: hand derivations stand beside them."""

from __future__ import annotations

import json

import pytest

from hwml_sdk.chisel.qor.answer import ChiselQor
from hwml_sdk.chisel.qor.hw_ir import read_hw_ir
from hwml_sdk.chisel.qor.predict import CircuitFigures, predict_chisel_qor
from hwml_sdk.chisel.qor.render import detail, figures_of, label, summary

from .hw_texts import CLOCKED, circuit, count, module

TWO = "in %a : i8, in %b : i8"


def one(ports: str, *body: str, end: str) -> ChiselQor:
    return count(circuit(module("Top", ports, *body, end=end)))


# -- look-up tables ------------------------------------------------------------------------------------------


def test_logic_of_six_inputs_is_one_table_a_bit() -> None:
    """(a & b) ^ c has three inputs a bit: eight tables, one deep."""
    found = one(
        f"{TWO}, in %c : i8, out y : i8",
        "%0 = comb.and bin %a, %b : i8",
        "%1 = comb.xor bin %0, %c : i8",
        end="%1 : i8",
    )
    assert (found.lut, found.ff, found.dsp, found.depth, found.latency_cycles) == (8, 0, 0, 1, 0)


def test_a_table_has_no_more_than_six_inputs() -> None:
    """The AND of seven bits: one table of six, and one of its output and the seventh; two deep."""
    body = [f"%{n} = comb.extract %a from {n} : (i8) -> i1" for n in range(7)]
    found = one("in %a : i8, out y : i1", *body, "%7 = comb.and bin %0, %1, %2, %3, %4, %5, %6 : i1", end="%7 : i1")
    assert (found.lut, found.depth) == (2, 2)


def test_wiring_costs_nothing() -> None:
    body = ["%0 = comb.extract %a from 4 : (i8) -> i4", "%1 = comb.concat %0, %b : i4, i8"]
    found = one(f"{TWO}, out y : i12", *body, end="%1 : i12")
    assert (found.lut, found.depth, found.latency_cycles) == (0, 0, 0)


def test_a_sum_takes_a_table_a_bit() -> None:
    """Bit by bit a xor b for the carry chain (UG474, CARRY4)."""
    assert one(f"{TWO}, out y : i8", "%0 = comb.add bin %a, %b : i8", end="%0 : i8").lut == 8


def test_what_no_output_needs_is_not_counted() -> None:
    body = [
        "%0 = comb.add bin %a, %b : i8",
        "%1 = comb.xor bin %a, %b : i8",
        "%2 = comb.extract %1 from 0 : (i8) -> i3",
    ]
    assert one(f"{TWO}, out y : i3", *body, end="%2 : i3").lut == 3


def test_the_same_twice_is_built_once() -> None:
    body = ["%0 = comb.xor bin %a, %b : i8", "%1 = comb.xor bin %b, %a : i8"]
    assert one(f"{TWO}, out y : i8, out z : i8", *body, end="%0, %1 : i8, i8").lut == 8


# -- registers -----------------------------------------------------------------------------------------------


def test_an_enable_is_a_pin_of_the_register() -> None:
    """Next value `en ? d : r`: eight flip-flops with their enable, no table, and no feedback either."""
    body = [
        "%r = seq.firreg %0 clock %clock : i8",
        "%0 = comb.mux bin %en, %d, %r : i8",
    ]
    found = one(f"{CLOCKED}, in %en : i1, in %d : i8, out y : i8", *body, end="%r : i8")
    assert (found.lut, found.ff, found.latency_cycles, found.lower_bound) == (0, 8, 1, False)
    assert found.pairs == {("en", "y"): 1, ("d", "y"): 1}


def test_a_synchronous_reset_is_a_pin_too() -> None:
    body = ["%c0_i8 = hw.constant 0 : i8", "%r = seq.firreg %d clock %clock reset sync %reset, %c0_i8 : i8"]
    found = one(f"{CLOCKED}, in %d : i8, out y : i8", *body, end="%r : i8")
    assert (found.lut, found.ff, found.latency_cycles) == (0, 8, 1)


def test_registers_that_hold_the_same_are_one() -> None:
    body = ["%r = seq.firreg %d clock %clock : i8", "%s = seq.firreg %d clock %clock : i8"]
    found = one(f"{CLOCKED}, in %d : i8, out y : i8, out z : i8", *body, end="%r, %s : i8, i8")
    assert found.ff == 8


def test_feedback_makes_the_cycles_a_lower_bound() -> None:
    """An accumulator: one register from input to output, and its own value comes back."""
    body = ["%r = seq.firreg %0 clock %clock : i8", "%0 = comb.add bin %r, %d : i8"]
    found = one(f"{CLOCKED}, in %d : i8, out y : i8", *body, end="%r : i8")
    assert (found.lut, found.ff, found.latency_cycles, found.lower_bound) == (8, 8, 1, True)
    assert "≥ 1, depends on state" in detail(found, "Top.scala")


def test_a_long_chain_is_a_shift_register() -> None:
    """Four stages of eight bits that nothing else reads: one SRL a bit (UG474), four cycles."""
    body = [f"%r{n} = seq.firreg %{'d' if n == 0 else f'r{n - 1}'} clock %clock : i8" for n in range(4)]
    found = one(f"{CLOCKED}, in %d : i8, out y : i8", *body, end="%r3 : i8")
    assert (found.ff, found.srl, found.latency_cycles) == (0, 8, 4)


# -- cycles --------------------------------------------------------------------------------------------------


def test_each_pair_of_ports_has_its_own_cycles() -> None:
    """y = reg(reg(a) + b): two from a, one from b; the latency is the larger."""
    body = [
        "%r = seq.firreg %a clock %clock : i8",
        "%0 = comb.add bin %r, %b : i8",
        "%s = seq.firreg %0 clock %clock : i8",
    ]
    found = one(f"{CLOCKED}, {TWO}, out y : i8", *body, end="%s : i8")
    assert found.pairs == {("a", "y"): 2, ("b", "y"): 1}
    assert (found.latency_cycles, found.lower_bound) == (2, False)


def test_joined_bits_are_told_apart() -> None:
    """{reg(a), b}: y takes the low half, which is b alone, z the high one."""
    body = [
        "%r = seq.firreg %a clock %clock : i8",
        "%0 = comb.concat %r, %b : i8, i8",
        "%1 = comb.extract %0 from 0 : (i16) -> i8",
        "%2 = comb.extract %0 from 8 : (i16) -> i8",
    ]
    found = one(f"{CLOCKED}, {TWO}, out y : i8, out z : i8", *body, end="%1, %2 : i8, i8")
    assert found.pairs == {("b", "y"): 0, ("a", "z"): 1}


def test_reset_and_clock_are_no_inputs() -> None:
    body = ["%c1_i8 = hw.constant 1 : i8", "%r = seq.firreg %0 clock %clock : i8", "%0 = comb.add bin %r, %c1_i8 : i8"]
    found = one(f"{CLOCKED}, out y : i8", *body, end="%r : i8")
    assert (found.latency_cycles, found.ff) == (None, 8)
    assert "no output depends on an input" in detail(found, "Top.scala")


# -- multipliers and memories --------------------------------------------------------------------------------


def test_a_product_with_its_registers_is_one_block() -> None:
    """16 x 16 bits without sign fit 25 x 18 with sign; registers before and behind are inside (UG479)."""
    body = [
        "%c0_i16 = hw.constant 0 : i16",
        "%r = seq.firreg %x clock %clock : i16",
        "%s = seq.firreg %z clock %clock : i16",
        "%0 = comb.concat %c0_i16, %r : i16, i16",
        "%1 = comb.concat %c0_i16, %s : i16, i16",
        "%2 = comb.mul bin %0, %1 : i32",
        "%p = seq.firreg %2 clock %clock : i32",
    ]
    found = one(f"{CLOCKED}, in %x : i16, in %z : i16, out y : i32", *body, end="%p : i32")
    assert (found.dsp, found.ff, found.lut, found.latency_cycles) == (1, 0, 0, 2)


def memory(depth: int, width: int, latency: int = 0) -> str:
    bits = (depth - 1).bit_length()
    shape = f"<{depth} x {width}>"
    return circuit(
        module(
            "Top",
            f"{CLOCKED}, in %at : i{bits}, in %we : i1, in %d : i{width}, out y : i{width}",
            f"%m = seq.firmem {latency}, 1, undefined, port_order : {shape}",
            f"%0 = seq.firmem.read_port %m[%at], clock %clock : {shape}",
            f"seq.firmem.write_port %m[%at] = %d, clock %clock enable %we : {shape}",
            end=f"%0 : i{width}",
        )
    )


def test_a_small_memory_is_tables() -> None:
    """32 words of 6 bits fill one RAM32M (UG474); write to read takes a cycle, the address none."""
    found = count(memory(32, 6))
    assert (found.lutram, found.bram_18k, found.ff) == (1, 0, 0)
    assert found.pairs == {("at", "y"): 0, ("we", "y"): 1, ("d", "y"): 1}


def test_a_large_one_is_blocks() -> None:
    """1024 x 36 bits are two RAMB18E1 of 512 x 36 (UG473)."""
    assert count(memory(1024, 36, latency=1)).bram_18k == 2


# -- hierarchy, places, text ---------------------------------------------------------------------------------

INNER = module("Inner", "in %x : i8, in %z : i8, out y : i8", "%0 = comb.and bin %x, %z : i8 loc(#loc2)", end="%0 : i8")
OUTER = module(
    "Outer",
    f"{TWO}, out y : i8, out z : i8",
    '%u.y = hw.instance "u" @Inner(x: %a: i8, z: %b: i8) -> (y: i8)',
    "%0 = comb.xor bin %a, %b : i8 loc(#loc1)",
    end="%u.y, %0 : i8, i8",
)
PLACED = circuit(INNER, OUTER) + '\n#loc1 = loc("Top.scala":7:5)\n#loc2 = loc("Top.scala":3:9)\n'


def test_amounts_go_to_lines_and_instances() -> None:
    found = count(PLACED)
    assert found.module == "Outer"
    assert found.lut == 16
    assert {share.name: share.amounts["lut"] for share in found.lines} == {"Top.scala:7": 8, "Top.scala:3": 8}
    assert {share.name: share.amounts["lut"] for share in found.instances} == {"": 8, "u": 8}
    assert count(PLACED, "Inner").lut == 8


def test_what_is_said_beside_a_module() -> None:
    found = count(PLACED)
    assert label(found) == "~16 LUT · 0 FF · 0 cyc"  # 11 to 19, as yosys has it
    assert summary(found, "src/Top.scala") == "~16 LUT · 0 DSP · 0 FF · 0 cyc · of these 8 LUT at line 7"
    shown = detail(found, "src/Top.scala")
    assert "line 3: 8 LUT" in shown
    assert "u: 8 LUT" in shown
    assert "   0  a → y" in shown
    assert (figures_of(found).lut, figures_of(found).latency_cycles) == (16, 0)


def test_figures_survive_json() -> None:
    found = count(PLACED)
    assert ChiselQor.from_dict(json.loads(json.dumps(found.to_dict()))) == found


# -- what cannot be counted is said --------------------------------------------------------------------------


def test_a_black_box_is_named_and_nothing_is_zero() -> None:
    text = circuit(
        "  hw.module.extern @Pll(in %i : i1, out o : i1)",
        module("Top", "in %a : i1, out y : i1", '%u.o = hw.instance "u" @Pll(i: %a: i1) -> (o: i1)', end="%u.o : i1"),
    )
    found = count(text)
    assert found.reasons == ("black box Pll is not known",)
    assert (found.lut, found.ff, found.dsp, found.bram_18k) == (None,) * 4
    assert label(found).startswith("? (black box Pll")
    assert figures_of(found).reasons["lut"] == found.reasons


def test_an_operation_that_is_not_known_is_named() -> None:
    found = one("in %a : i8, out y : i8", "%0 = comb.transmogrify %a : i8", end="%0 : i8")
    assert found.lut is None
    assert found.reasons == ("comb.transmogrify is not known",)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (("%w = sv.wire : !hw.inout<i8>", "%r = sv.read_inout %w : !hw.inout<i8>"), "sv.read_inout"),
        (('%r = hw.constant #hw.param.decl.ref<"W"> : i8',), 'hw.constant #hw.param.decl.ref<"W">'),
        (("%m = seq.firmem later : !own", "%r = seq.firmem.read_port %m[%a], clock %a : !own"), "seq.firmem"),
    ],
)
def test_what_was_passed_over_and_is_read_is_never_zero(body: tuple[str, ...], reason: str) -> None:
    found = one(f"{TWO}, out y : i8", *body, "%0 = comb.add bin %a, %r : i8", end="%0 : i8")
    assert (found.lut, found.ff, found.latency_cycles) == (None, None, None)
    assert f"{reason} is not known" in found.reasons


def test_what_only_watches_makes_nothing_unknown() -> None:
    """A macro that an assertion alone reads is no hardware."""
    body = ["%m = sv.macro.ref.expr @STOP() : () -> i1", "sv.assert %m, immediate", "%0 = comb.add bin %a, %b : i8"]
    assert one(f"{TWO}, out y : i8", *body, end="%0 : i8").lut == 8


def test_a_circle_of_logic_ends() -> None:
    """Two gates that read one another: no register in it, and an answer all the same."""
    body = ["%0 = comb.and bin %a, %1 : i8", "%1 = comb.or bin %b, %0 : i8"]
    found = one(f"{TWO}, out y : i8", *body, end="%1 : i8")
    assert found.latency_cycles == 0
    assert found.lut is not None and 8 <= found.lut <= 16


def test_several_clocks_count_each_register() -> None:
    """Cycles of different clocks are added as they stand: registers on the way."""
    body = ["%r = seq.firreg %d clock %clock : i8", "%s = seq.firreg %r clock %other : i8"]
    found = one(f"{CLOCKED}, in %other : !seq.clock, in %d : i8, out y : i8", *body, end="%s : i8")
    assert found.pairs["d", "y"] == 2
    assert found.ff == 16


def test_a_memory_of_a_gigabit() -> None:
    """2^20 words of 1024 bits: 2^30 / 18432 blocks at least."""
    found = count(memory(1 << 20, 1024, latency=1))
    assert found.bram_18k is not None
    assert found.bram_18k >= (1 << 30) // 18432


def test_too_many_operations_are_refused_with_their_number() -> None:
    """Five levels of ten instances each above one gate: 100,000 gates, and the instances."""
    port = "in %a : i1, out y : i1"
    modules = [module("L0", port, "%0 = comb.xor bin %a, %a : i1", end="%0 : i1")]
    for level in range(1, 6):
        body = [f'%u{n}.y = hw.instance "u{n}" @L{level - 1}(a: %a: i1) -> (y: i1)' for n in range(10)]
        modules.append(module(f"L{level}", port, *body, end="%u0.y : i1"))
    found = count(circuit(*modules))
    assert (found.module, found.lut, found.latency_cycles) == ("L5", None, None)
    assert "operations; up to 100,000 are looked at" in found.reasons[0]
    figures = CircuitFigures(circuit(*modules))
    editor, whole = figures.of("L2", 50), figures.of("L2")
    assert editor is not None and "up to 50 are looked at here; hwml chisel qor" in editor.reasons[0]
    assert whole is not None and whole.lut == 0  # a xor a


def test_a_circuit_that_is_too_long_to_be_read_has_a_reason() -> None:
    found = CircuitFigures("", lacking="longer than 16 MB").of("Top")
    assert found is not None and found.lut is None and found.reasons == ("longer than 16 MB",)


def test_a_fault_of_ours_is_a_reason() -> None:
    """A module inside itself, which firtool refuses: the check goes on, and says why there are no figures."""
    text = circuit(
        module("Top", "in %a : i8, out y : i8", '%u.y = hw.instance "u" @Top(a: %a: i8) -> (y: i8)', end="%u.y : i8"),
        module("Over", "in %a : i8, out y : i8", '%u.y = hw.instance "u" @Top(a: %a: i8) -> (y: i8)', end="%u.y : i8"),
    )
    found = CircuitFigures(text).of("Top")
    assert found is not None and found.lut is None
    assert "inside itself" in found.reasons[0]
    assert CircuitFigures("").of("Top") is None
    assert CircuitFigures("nothing").of("Top") is not None


def test_a_text_without_modules() -> None:
    with pytest.raises(ValueError, match="no module"):
        read_hw_ir("module {\n}\n")
    with pytest.raises(KeyError):
        predict_chisel_qor(read_hw_ir(PLACED), "Nothing")


def test_what_sets_a_constant_takes_a_cycle() -> None:
    """r := clear ? 3 : d with reset to 3: yosys and firtool see a reset in `clear`, which is an input all the same."""
    text = circuit(
        module(
            "Cleared",
            f"{CLOCKED}, in %clear : i1, in %d : i2, out y : i2",
            "%c3_i2 = hw.constant 3 : i2",
            "%next = comb.mux %clear, %c3_i2, %d : i2",
            "%r = seq.firreg %next clock %clock reset sync %reset, %c3_i2 : i2",
            end="%r : i2",
        )
    )
    assert count(text).pairs == {("clear", "y"): 1, ("d", "y"): 1}
