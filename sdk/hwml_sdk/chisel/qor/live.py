"""Which bits of which values reach an output: what does not is taken out by every synthesis tool."""

from __future__ import annotations

from .flat import Flat, Node, Register

_BITWISE = ("and", "or", "xor")
_UPWARD = ("add", "sub", "mul", "shl")  # a bit of the result needs no higher bit of the operands


def live_bits(flat: Flat, registers: list[Register]) -> list[int]:
    """For each value a mask of the bits that are needed."""
    next_of = {item.node.out: item for item in registers}
    writers: dict[int, list[Node]] = {}
    for node in flat.nodes:
        if node.kind in ("write", "read_write") and (memory := flat.maker(node.ins[0])) is not None:
            writers.setdefault(memory.out, []).append(node)
    needed = [0] * len(flat.widths)
    waiting: list[int] = []

    def need(value: int, mask: int) -> None:
        if value < 0:
            return
        fresh = mask & ((1 << flat.widths[value]) - 1) & ~needed[value]
        if fresh:
            needed[value] |= fresh
            waiting.append(value)

    for driver in flat.outputs.values():
        need(driver, -1)
    for node in flat.nodes:
        if node.kind == "unknown":
            for value in node.ins:
                need(value, -1)
    while waiting:
        value = waiting.pop()
        at = flat.source[value]
        if at < 0:
            continue
        node = flat.nodes[at]
        if node.kind == "register":
            register = next_of[value]
            need(register.data, needed[value])
            for control in (*register.enables, *register.clears, *node.ins[1:2]):
                need(control, -1)
        elif node.kind in ("read", "read_write"):
            memory = flat.maker(node.ins[0])
            for port in [node, *writers.get(memory.out if memory else -1, ())]:
                for item in port.ins[1:]:
                    need(item, -1)
        else:
            _need_operands(flat, node, needed[value], need)
    return needed


def _need_operands(flat: Flat, node: Node, mask: int, need) -> None:  # type: ignore[no-untyped-def]
    if node.kind == "wire" or node.kind in _BITWISE:
        for value in node.ins:
            need(value, mask)
    elif node.kind == "mux":
        need(node.ins[0], 1)
        need(node.ins[1], mask)
        need(node.ins[2], mask)
    elif node.kind == "extract":
        need(node.ins[0], mask << node.number)
    elif node.kind == "concat":
        at = node.width
        for value in node.ins:
            width = flat.widths[value] if value >= 0 else 0
            at -= width
            need(value, (mask >> at) & ((1 << width) - 1))
    elif node.kind in _UPWARD:
        for value in node.ins:
            need(value, (1 << mask.bit_length()) - 1)
    else:
        for value in node.ins:
            need(value, -1)
