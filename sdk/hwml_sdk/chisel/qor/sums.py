"""Additions as synthesis sees them: those of products one by one, all others as one sum of many numbers."""

from __future__ import annotations

from collections import Counter

from .flat import Flat, Node, Register, behind_extension


def arrange_sums(flat: Flat, registers: list[Register]) -> None:
    """Take sums of products apart, and put sums together whose results nothing else reads.

    The first since each addition of a product can stand in a multiplier's block (`packing`), the second since a sum of
    many numbers is made without carries but for the last addition (yosys' `alumacc` and `maccmap`).
    """
    _chain_products(flat)
    uses = _uses(flat, registers)
    for node in flat.nodes:
        if node.kind == "add" and not any(_is_product(flat, value) for value in node.ins):
            _take_in(flat, node, uses)


def _chain_products(flat: Flat) -> None:
    for node in list(flat.nodes):
        if node.kind != "add" or len(node.ins) < 3 or node.out < 0:
            continue
        products = [value for value in node.ins if _is_product(flat, value)]
        if not products:
            continue
        rest = [*(value for value in node.ins if value not in products), *products]
        total = rest[0]
        for value in rest[1:-1]:
            out = flat.value(node.width)
            flat.add(Node("add", (total, value), out, node.width, place=node.place, owner=node.owner))
            total = out
        node.ins = (total, rest[-1])


def _is_product(flat: Flat, value: int) -> bool:
    node = flat.maker(behind_extension(flat, value))
    if node is not None and node.kind == "register":
        node = flat.maker(behind_extension(flat, node.ins[0]))
    return node is not None and node.kind == "mul"


def _uses(flat: Flat, registers: list[Register]) -> Counter[int]:
    found: Counter[int] = Counter()
    for node in flat.nodes:
        if node.kind not in ("wire", "register"):
            found.update({flat.origin(value) for value in node.ins if value >= 0})
    found.update(flat.origin(item.data) for item in registers if item.data >= 0)
    found.update(flat.origin(value) for value in flat.outputs.values() if value >= 0)
    return found


def _take_in(flat: Flat, node: Node, uses: Counter[int]) -> None:
    """Replace operands that are sums, used here alone, by their operands."""
    operands = list(node.ins)
    at = 0
    while at < len(operands):
        inner = _sum_behind_zeros(flat, operands[at], uses)
        if inner is None or (inner.width < node.width and _may_overflow(flat, inner)):
            at += 1
            continue
        operands[at : at + 1] = [_widened(flat, value, node) for value in inner.ins]
    node.ins = tuple(operands)


def _sum_behind_zeros(flat: Flat, value: int, uses: Counter[int]) -> Node | None:
    """The addition that makes an operand, zeros above it left aside; None where others read it too."""
    at = flat.origin(value)
    node = flat.maker(value)
    if node is not None and node.kind == "concat" and _zeros_above(flat, node):
        if uses[at] > 1:
            return None
        at, node = flat.origin(node.ins[-1]), flat.maker(node.ins[-1])
    return node if node is not None and node.kind == "add" and uses[at] == 1 else None


def _zeros_above(flat: Flat, node: Node) -> bool:
    makers = [flat.maker(value) for value in node.ins[:-1]]
    return all(maker is not None and maker.kind == "constant" and not maker.number for maker in makers)


def _may_overflow(flat: Flat, node: Node) -> bool:
    return sum((1 << _significant(flat, value)) - 1 for value in node.ins) >= 1 << node.width


def _significant(flat: Flat, value: int) -> int:
    node = flat.maker(value)
    if node is not None and node.kind == "constant":
        return node.number.bit_length()
    if node is not None and node.kind == "concat" and _zeros_above(flat, node):
        return flat.widths[node.ins[-1]]
    return flat.widths[value]


def _widened(flat: Flat, value: int, node: Node) -> int:
    """The operand at the width of the sum it moves into."""
    missing = node.width - flat.widths[value]
    if missing <= 0:
        return value
    zeros = flat.value(missing)
    flat.add(Node("constant", (), zeros, missing))
    out = flat.value(node.width)
    flat.add(Node("concat", (zeros, value), out, node.width, place=node.place, owner=node.owner))
    return out
