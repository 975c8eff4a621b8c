"""What everything but operators and memories takes: control, multiplexers, registers, interfaces, Merlin's copies.

Each constant has its source beside it; those marked as fitted are held against labelled designs, one at a time, by
`python -m sdk.train qor constants --data DIR`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..tool.constant import constant
from ..tool.operators import Target

_ADAPTER = "csynth reports: m_axi of 32 bits 512 FF, 580 LUT; of 512 bits, read only, 881 FF, 1052 LUT"
_SLAVE = "csynth reports: control_s_axi with 3 offsets of 64 bits 291 FF, 490 LUT; with 35 of them 2346 FF, 4264 LUT"
_SELECTORS = "csynth reports: mux_42_32 20 LUT, mux_83_32 43 LUT"


@dataclass(slots=True)
class Counting:
    """How many LUTs and FFs a tool's report gives for what `Area` holds.

    held: registers for operands and results of an operator, per bit of its width, times the clock period in ns: the
    shorter the clock, the more stages they pass. kept: what `registers` finds for every state that a value waits; the
    reports of C synthesis list each, place and route makes shift registers of them and moves the rest.
    Measured on the groups of data/qor, every source weighing alike: HLS reports two LUTs where place and route needs
    one for a multiplexer.
    """

    control_lut: float = constant(1.0)
    mux_lut: float = constant(1.0)
    plain_lut: float = constant(1.0)
    registers: float = constant(1.0)
    control_ff: float = constant(1.0)
    held: float = constant(0.0)
    kept: float = constant(0.0)
    listed: float = constant(0.0)


CSYNTH = Counting(
    control_lut=0.0, mux_lut=0.0, plain_lut=1.0, registers=0.0, control_ff=0.0, held=0.0, kept=1.0, listed=1.0
)
IMPL = Counting(control_lut=1.5, mux_lut=0.5, plain_lut=0.3, registers=1.0, control_ff=0.6, held=9.0)
MERLIN = Counting(control_lut=1.0, mux_lut=1.0, plain_lut=1.0, registers=1.0, control_ff=1.0, held=0.0)


def counting(target: Target) -> Counting:
    """How the reports of the target's tool and stage count."""
    if target.behaviour.merlin:
        return MERLIN
    return IMPL if target.stage == "impl" else CSYNTH


@dataclass(slots=True)
class Costs:
    """LUT, FF and cycles; `_bit` is per bit, `_state` per state of a schedule, `_access` per load or store.

    loop, function, copy, process: control of a loop, of a function's body, of memcpy and memset, of a dataflow process.
    pipeline, plain, body: registers of a pipelined loop, of one that is not, of a function's own code; of these `live`
    is per bit that operators make, `copied` per bit that loads bring in.
    port, register, lane, bank: multiplexers in front of memory ports, among registers, lanes and banks.
    adapter, slave: m_axi and s_axilite. transfer, bank: Merlin's copies of interface arrays.
    """

    loop_lut: float = constant(10.0)
    loop_lut_bit: float = constant(3.0)
    loop_lut_state: float = constant(2.0)
    loop_ff: float = constant(8.0)
    loop_ff_bit: float = constant(2.0)
    loop_ff_state: float = constant(1.5)
    function_lut: float = constant(12.0)
    function_ff: float = constant(6.0)
    copy_lut: float = constant(60.0)
    copy_ff: float = constant(40.0)
    process_lut: float = constant(20.0)
    process_ff: float = constant(10.0)
    pipeline_live: float = constant(0.15)
    pipeline_copied: float = constant(0.5)
    plain_live: float = constant(0.6)
    plain_copied: float = constant(1.0)
    body_live: float = constant(0.3)
    body_copied: float = constant(0.5)
    port_lut_access: float = constant(4.0)
    port_lut_bit: float = constant(0.3)
    register_lut_bit: float = constant(0.2)
    lane_lut_bit: float = constant(0.45, "a barrel shifter of w bits: w log2(w) / 2")
    bank_lut_write: float = constant(4.0)
    bank_lut_bit: float = constant(0.17, _SELECTORS)
    adapter_lut: float = constant(550.0, _ADAPTER)
    adapter_lut_bit: float = constant(0.98, _ADAPTER)
    adapter_ff: float = constant(487.0, _ADAPTER)
    adapter_ff_bit: float = constant(0.77, _ADAPTER)
    slave_lut: float = constant(106.0, _SLAVE)
    slave_lut_bit: float = constant(2.0, _SLAVE)
    slave_ff: float = constant(100.0, _SLAVE)
    slave_ff_bit: float = constant(1.0, _SLAVE)
    transfer_cycles: float = constant(80.0)
    transfer_bram_18k: float = constant(15.0)
    merlin_bank_lut: float = constant(6.4)
    merlin_bank_ff: float = constant(8.4)


COSTS = Costs()

_SHIFT = (
    "csynth reports: an entry of 64 FF for a shift register of 1, 16, 32 or 288 bits, beside the register before it"
)


@dataclass(slots=True)
class Registers:
    """Entries of the tables of registers of csynth reports, in FF; plain_stages: of a value before they are shifted."""

    shift: float = constant(64.0, _SHIFT)
    plain_stages: float = constant(2.0, "csynth reports: `x_reg` and `x_reg_pp0_iter1_reg`, else a shift register")
    pipeline: float = constant(1.0, "csynth reports: `ap_done_reg` of a loop that is a function of its own")


REGISTERS = Registers()

_GATE = "csynth reports, table of expressions: `ap_enable_pp0`, `ap_condition_260` and other gates of one bit 2"


@dataclass(slots=True)
class Logic:
    """Entries of the tables of expressions and multiplexers of csynth reports, in LUT."""

    gate: float = constant(2.0, _GATE)
    state: float = constant(5.0, "csynth reports: `ap_NS_fsm` of 5 inputs 26, of 10 54, of 17 81, of 92 476")
    shift: float = constant(32.0, "csynth reports: an entry of 32 LUT beside the 64 FF of a shift register")
    bank_write: float = constant(2.0, _GATE)
    lane_read: float = constant(0.464, "csynth reports: `lshr` of 256 bits 950, of 512 bits 2171: of w log2(w)")
    lane_write: float = constant(1.85, "labels of hgbo-dse: a word is read, masked and shifted: of w log2(w)")
    process: float = constant(30.0)


LOGIC = Logic()

# Beyond these the tools share or fold: a state machine, a register chain and a selector do not grow on.
MAX_STATES = 60  # of a loop's state machine
MAX_STAGES = 40  # that a live bit is held
MAX_LIVE_BITS = 4096
MAX_HELD_STAGES = 6.0
MAX_SELECTED = 64  # registers or banks behind one selector
MAX_PORT_LUT = 4e6  # of one region: more fits no device, and keeps sums finite
MAX_KEPT = 1e8  # flip-flops of one region
ADDRESS_BITS = 64  # of an m_axi port with offset=slave (UG1399)
BRAM_BITS_WIDE = 36  # of the buffers of an m_axi adapter: 4 BRAM18 for 32 bits, 16 for 512 read only (csynth reports)
BUS_BYTES = 64.0  # Merlin's 512-bit m_axi port
