"""How one person writes Chisel: names, ports, registers, conditions, comments. A circuit is the same in every style."""

from __future__ import annotations

import random
from dataclasses import dataclass

PORTS = ("bundle", "named", "loose")
REGISTERS = ("init", "next")
CONDITIONS = ("when", "mux", "default")
COMMENTS = ("none", "line", "doc")
NAMES = ("short", "camel", "snake")

_POOLS: dict[str, dict[str, tuple[str, ...]]] = {
    "short": {
        "data": ("a", "b", "c", "d", "e", "f"),
        "flag": ("p", "q", "r", "s", "t"),
        "select": ("sel", "s", "k"),
        "enable": ("en", "ce", "we"),
        "clear": ("clr", "rst", "zero"),
        "load": ("ld", "set"),
        "output": ("y", "z", "o", "w", "v"),
        "state": ("r", "q", "st", "acc"),
        "wire": ("t", "n", "m", "g"),
    },
    "camel": {
        "data": ("dataA", "dataB", "dataC", "dataD", "dataE", "dataF"),
        "flag": ("flagA", "flagB", "flagC", "isReady", "isLast"),
        "select": ("select", "mode", "opcode"),
        "enable": ("enable", "stepValid", "update"),
        "clear": ("clear", "flush", "restart"),
        "load": ("load", "loadEnable"),
        "output": ("result", "dataOut", "status", "value", "extra"),
        "state": ("stateReg", "valueReg", "current", "held"),
        "wire": ("tmp", "partial", "nextValue", "intermediate"),
    },
    "snake": {
        "data": ("in_0", "in_1", "in_2", "in_3", "in_4", "in_5"),
        "flag": ("ctl_0", "ctl_1", "ctl_2", "is_hot", "is_done"),
        "select": ("op_sel", "sel_in", "mode_in"),
        "enable": ("step_en", "wr_en", "do_step"),
        "clear": ("sync_clear", "clear_in"),
        "load": ("load_en", "preset"),
        "output": ("out_0", "out_1", "out_2", "out_3", "out_4"),
        "state": ("r_value", "r_state", "r_hold", "r_acc"),
        "wire": ("w_next", "w_part", "w_tmp", "w_mid"),
    },
}
_REMARKS = ("combinational part", "intermediate value", "see the specification", "one step of the computation")


@dataclass(frozen=True, slots=True)
class Style:
    """The choices of one writer."""

    names: str = "short"
    ports: str = "bundle"
    registers: str = "init"
    conditions: str = "when"
    comments: str = "none"
    precise_imports: bool = False
    indent: int = 2

    def pool(self, role: str) -> tuple[str, ...]:
        """Names for a role, in the order in which they are taken."""
        return _POOLS[self.names].get(role, (role,))

    def remark(self, rng: random.Random) -> str:
        """A comment at the end of a line, or nothing."""
        return f" // {rng.choice(_REMARKS)}" if self.comments == "line" and rng.random() < 0.5 else ""


def draw_style(rng: random.Random) -> Style:
    """A writer."""
    return Style(
        names=rng.choice(NAMES),
        ports=rng.choices(PORTS, (6, 2, 2))[0],
        registers=rng.choice(REGISTERS),
        conditions=rng.choice(CONDITIONS),
        comments=rng.choice(COMMENTS),
        precise_imports=rng.random() < 0.3,
        indent=rng.choices((2, 4), (4, 1))[0],
    )
