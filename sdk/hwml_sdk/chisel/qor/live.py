"""Which bits of which values reach an output: what does not is taken out by every synthesis tool."""

from __future__ import annotations

from .flat import Flat, Node, Register

_BITWISE = ("and", "or", "xor")
_UPWARD = ("add", "sub", "mul", "shl")  # a bit of the result needs no higher bit of the operands


def live_bits(flat: Flat, registers: list[Register]) -> list[int]:
    """For each value a mask of the bits that are needed."""
    return _Live(flat, registers).find()


class _Live:
    """Masks that grow from the outputs back, until nothing new is needed."""

    def __init__(self, flat: Flat, registers: list[Register]) -> None:
        self.flat = flat
        self.next_of = {item.node.out: item for item in registers}
        self.needed = [0] * len(flat.widths)
        self.waiting: list[int] = []
        self.writers: dict[int, list[Node]] = {}
        for node in flat.nodes:
            if node.kind in ("write", "read_write") and (memory := flat.maker(node.ins[0])) is not None:
                self.writers.setdefault(memory.out, []).append(node)

    def find(self) -> list[int]:
        for driver in self.flat.outputs.values():
            self._need(driver, -1)
        for node in self.flat.nodes:
            if node.kind == "unknown":
                self._need_all(node.ins)
        while self.waiting:
            value = self.waiting.pop()
            at = self.flat.source[value]
            if at >= 0:
                self._need_behind(self.flat.nodes[at], self.needed[value])
        return self.needed

    def _need(self, value: int, mask: int) -> None:
        if value < 0:
            return
        fresh = mask & ((1 << self.flat.widths[value]) - 1) & ~self.needed[value]
        if fresh:
            self.needed[value] |= fresh
            self.waiting.append(value)

    def _need_all(self, values: tuple[int, ...], mask: int = -1) -> None:
        for value in values:
            self._need(value, mask)

    def _need_behind(self, node: Node, mask: int) -> None:
        if node.kind == "register":
            register = self.next_of[node.out]
            self._need(register.data, mask)
            self._need_all((*register.enables, *register.clears, *node.ins[1:2]))
        elif node.kind in ("read", "read_write"):
            memory = self.flat.maker(node.ins[0])
            for port in [node, *self.writers.get(memory.out if memory else -1, ())]:
                self._need_all(port.ins[1:])
        else:
            self._need_operands(node, mask)

    def _need_operands(self, node: Node, mask: int) -> None:
        if node.kind == "wire" or node.kind in _BITWISE:
            self._need_all(node.ins, mask)
        elif node.kind == "mux":
            self._need(node.ins[0], 1)
            self._need_all(node.ins[1:3], mask)
        elif node.kind == "extract":
            self._need(node.ins[0], mask << node.number)
        elif node.kind == "concat":
            at = node.width
            for value in node.ins:
                width = self.flat.widths[value] if value >= 0 else 0
                at -= width
                self._need(value, (mask >> at) & ((1 << width) - 1))
        elif node.kind in _UPWARD:
            self._need_all(node.ins, (1 << mask.bit_length()) - 1)
        else:
            self._need_all(node.ins)
