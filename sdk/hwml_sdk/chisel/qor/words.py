"""Each operation on words as gates, carry chains and multipliers, for Xilinx' series 7 and later.

Carry chains: an addition needs one table a bit for the sum of both operands' bits before the carry (UG474, CARRY4),
none where one of them is constant. Comparisons by size are subtractions whose carry is the answer; those for equality
are trees. Multipliers: `dsp`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .compress import compressed
from .dsp import Multiplier, multiplier_of
from .flat import Flat, Node, order
from .gates import INPUTS, ONE, ZERO, Gates, Run, constant, cut, inverted, joined
from .rom import rom

_ROWS = 64  # elements of an array that are chosen from gate by gate
_TABLE_ROWS = 4096  # of a table of constants that is looked at bit by bit
_SIGNED = ("slt", "sle", "sgt", "sge")


@dataclass(slots=True)
class Sum:
    """An addition: the operation, the signals that its carry chain needs, those that an adder of a block needs."""

    node: Node
    roots: list[Run]
    operands: list[Run]
    carry_bits: int


@dataclass(slots=True)
class Logic:
    """The logic of a circuit. roots: what must be there as signals; multipliers: by the value that they make.

    tables: further look-up tables, by the operation that they belong to: large selections, dividers.
    sums: additions by the value that they make; their signals are no roots yet, since a block may take them.
    """

    gates: Gates
    values: list[list[Run]]
    roots: list[Run] = field(default_factory=list)
    multipliers: dict[int, Multiplier] = field(default_factory=dict)
    tables: list[tuple[Node, int]] = field(default_factory=list)
    sums: dict[int, Sum] = field(default_factory=dict)


class Builder:
    """Turns the operations of a flat circuit into gates, operands first."""

    def __init__(self, flat: Flat, needed: list[int]) -> None:
        self.flat = flat
        self.needed = needed
        self.logic = Logic(Gates(), [[] for _ in flat.widths])
        self._circles: dict[int, list[Run]] = {}  # values that are read before they are made: circles of logic
        self._chains: dict[tuple[object, ...], list[Run]] = {}  # what carry chains give, by what goes in

    def build(self) -> Logic:
        """All operations whose results reach an output."""
        flat, gates = self.flat, self.logic.gates
        for value in flat.inputs.values():
            self._leaf(value)
        for node in flat.nodes:
            if node.kind in ("register", "read", "read_write", "unknown") and node.out >= 0:
                gates.place, gates.owner = node.place, node.owner
                self._leaf(node.out)
        for node in order(flat.nodes, flat):
            if node.out < 0 or self.logic.values[node.out] or not self.needed[node.out]:
                continue
            gates.place, gates.owner = node.place, node.owner
            self.logic.values[node.out] = joined(self._runs(node))
        return self.logic

    def _leaf(self, value: int) -> None:
        width = self.flat.widths[value]
        self.logic.values[value] = self.logic.gates.leaf(width) if width else []

    def of(self, value: int, width: int | None = None) -> list[Run]:
        """Runs of a value; of one that is not known (a circle of logic) bits from elsewhere."""
        if value < 0:
            return [(ZERO, 0, width or 1, 0)]
        found = self.logic.values[value] or self._circles.get(value)
        if not found:
            found = self._circles[value] = (
                self.logic.gates.leaf(self.flat.widths[value]) if self.flat.widths[value] else []
            )
        return found

    def _runs(self, node: Node) -> list[Run]:
        kind, ins, width = node.kind, node.ins, node.width
        if kind == "constant":
            return constant(node.number, width)
        if kind == "wire":
            return list(self.of(ins[0], width)) if ins else self.logic.gates.leaf(width)
        if kind == "concat":
            return [run for value in reversed(ins) for run in self.of(value)]
        if kind == "extract":
            return cut(self.of(ins[0]), node.number, width)
        if kind in ("and", "or", "xor", "mux"):
            return self._bitwise(node)
        if kind == "parity":
            return self.logic.gates.reduce("xor", self.of(ins[0]))
        if kind == "compare":
            return self._compare(node)
        if kind in ("add", "sub"):
            return self._add(node)
        return self._large(node)

    def _bitwise(self, node: Node) -> list[Run]:
        """Only the bits that an output needs."""
        gates = self.logic.gates
        mask = self.needed[node.out]
        values = [self.of(value) for value in node.ins]
        if mask + 1 == 1 << node.width:  # all of them, nearly always
            return gates.mux(*values) if node.kind == "mux" else gates.many(node.kind, values)
        found: list[Run] = []
        for low, count, wanted in _stretches(mask, node.width):
            if not wanted:
                found.append((ZERO, 0, count, 0))
            elif node.kind == "mux":
                found += gates.mux(values[0], cut(values[1], low, count), cut(values[2], low, count))
            else:
                found += gates.many(node.kind, [cut(value, low, count) for value in values])
        return found

    def _large(self, node: Node) -> list[Run]:
        if node.kind in ("shl", "shru", "shrs"):
            return self._shift(node)
        if node.kind == "get":
            return self._get(node)
        if node.kind == "inject":
            return self._inject(node)
        if node.kind == "mul":
            return self._multiply(node)
        if node.kind in ("divu", "divs", "modu", "mods"):
            return self._divide(node)
        return self.logic.gates.leaf(node.width)

    # --- arithmetic

    def _add(self, node: Node) -> list[Run]:
        """One carry chain; of more than two operands a row of full adders for each further one (two tables a bit)."""
        gates = self.logic.gates
        high = self.needed[node.out].bit_length()
        operands = [cut(self.of(value), 0, high) for value in node.ins]
        key = (node.kind, high, *(tuple(joined(operand)) for operand in operands))
        found = self._chains.get(key)
        if found is None:
            carry = _carry_in(operands) if node.kind == "add" else None
            if carry is not None:
                self.logic.roots += operands.pop(carry)[:1]
            if len(operands) > 2:
                operands = compressed(gates, operands, high)
            found, made = self._chain(operands[0], operands[1], high)
            self._chains[key] = found
            if made is not None:
                self.logic.sums[node.out] = Sum(node, *made)
        return [*found, (ZERO, 0, node.width - high, 0)] if high < node.width else found

    def _chain(
        self, left: list[Run], right: list[Run], width: int
    ) -> tuple[list[Run], tuple[list[Run], list[Run], int] | None]:
        """Sum bits: plain where one operand is zero below its first bit, else those of a carry chain, and its needs."""
        low = 0
        for value in (left, right):
            if value and value[0][0] == ZERO:
                low = max(low, value[0][2])
        low = min(low, width)
        plain = cut(right if left and left[0][0] == ZERO and left[0][2] >= low else left, 0, low)
        if width == low:
            return plain, None
        made = self._carry(cut(left, low, width - low), cut(right, low, width - low))
        return [*plain, *self.logic.gates.leaf(width - low)], made

    def _carry(self, left: list[Run], right: list[Run]) -> tuple[list[Run], list[Run], int]:
        """What a chain needs as signals: the exclusive or of both, and one of them; the operands; its bits."""
        propagate = self.logic.gates.two("xor", left, right)
        signals = right if all(run[0] < 0 for run in left) else left
        needs = [run for run in (*propagate, *signals) if run[0] >= 0]
        return needs, [run for run in (*left, *right) if run[0] >= 0], sum(run[2] for run in propagate)

    def _compare(self, node: Node) -> list[Run]:
        gates = self.logic.gates
        left, right = self.of(node.ins[0]), self.of(node.ins[1])
        if node.word in ("eq", "ne", "ceq", "cne", "weq", "wne"):
            same = gates.equal(left, right)
            return same if node.word in ("eq", "ceq", "weq") else inverted(same)
        if node.word in _SIGNED and all(run[0] == ZERO for run in right):
            return cut(left, node.number - 1, 1)  # the sign
        if all(run[0] < 0 for run in right) and (shape := _threshold(right)) is not None:
            return gates.reduce("or", cut(left, shape, node.number - shape))
        return self._by_size(node, left, right)

    def _by_size(self, node: Node, left: list[Run], right: list[Run]) -> list[Run]:
        """Two tables for as many bits as they have inputs for ("less", "equal"), a carry chain over them.

        Comparisons of the same two are one chain (yosys' `alumacc`): a further one costs a table, its opposite none.
        """
        sides = tuple(joined(left)), tuple(joined(right))
        if node.word[1:] in ("gt", "le"):
            sides = sides[::-1]  # a > b is b < a, and a <= b its opposite
        opposite = node.word[1:] in ("ge", "le")
        key = ("less", node.word in _SIGNED, *sides)
        if key not in self._chains:
            self._chains[key] = self.logic.gates.leaf(1)
            pair = ("compare", *sorted(sides))
            if pair in self._chains:
                self.logic.tables.append((node, 1))
            else:
                self._chains[pair] = []
                known = all(run[0] < 0 for run in left) or all(run[0] < 0 for run in right)
                a_table = INPUTS if known else INPUTS // 2
                self.logic.roots += [run for run in (*left, *right) if run[0] >= 0]
                self.logic.tables.append((node, 2 * -(-node.number // a_table)))
        return inverted(self._chains[key]) if opposite else self._chains[key]

    def _multiply(self, node: Node) -> list[Run]:
        values = [self.of(value) for value in node.ins]
        found = multiplier_of(values[:2], self.needed[node.out].bit_length()) if len(values) == 2 else None
        leaf = self.logic.gates.leaf(node.width)
        if found is None:  # of three factors and more, which firtool does not write
            self.logic.tables.append((node, node.width * node.width // 2))
        elif found.shift is not None:
            other = values[0] if all(run[0] < 0 for run in values[1]) else values[1]
            return (
                joined([(ZERO, 0, found.shift, 0), *cut(other, 0, node.width - found.shift)]) if found.shift else other
            )
        else:
            self.logic.multipliers[node.out] = found
            self.logic.roots += [run for value in values for run in value if run[0] >= 0]
            if found.tables:
                self.logic.tables.append((node, found.tables))
        return leaf

    def _divide(self, node: Node) -> list[Run]:
        """A subtraction and a choice for each bit of the result; two-word division by a power of two is wiring."""
        gates = self.logic.gates
        left, right = self.of(node.ins[0]), self.of(node.ins[1])
        if all(run[0] < 0 for run in right):
            number = sum((1 << at) for at, bit in enumerate(_bits_of(right)) if bit)
            if number and number & (number - 1) == 0 and node.kind in ("divu", "modu"):
                low = number.bit_length() - 1
                kept = cut(left, low, node.width - low) if node.kind == "divu" else cut(left, 0, low)
                return joined([*kept, (ZERO, 0, node.width - sum(run[2] for run in kept), 0)])
        self.logic.roots += [run for run in (*left, *right) if run[0] >= 0]
        self.logic.tables.append((node, node.width * node.width))  # yosys: 64 tables at 8 bits, 262 at 16
        return gates.leaf(node.width)

    # --- shifts and arrays

    def _shift(self, node: Node) -> list[Run]:
        """A multiplexer a bit for each bit of the distance."""
        gates = self.logic.gates
        value, distance = self.of(node.ins[0]), self.of(node.ins[1])
        width = node.width
        fill: list[Run] = cut(value, width - 1, 1) if node.kind == "shrs" else [(ZERO, 0, 1, 0)]
        for at, select in enumerate(_each(distance)):
            step = 1 << at
            if select[0] == ZERO:
                continue
            count = min(step, width)
            empty = (fill[0][0], fill[0][1], count, 0)
            if node.kind == "shl":
                moved = [empty, *cut(value, 0, width - count)]
            else:
                moved = [*cut(value, count, width - count), empty]
            value = gates.mux([select], joined([run for run in moved if run[2]]), value)
            if step >= width:
                break
        return value

    def _get(self, node: Node) -> list[Run]:
        gates = self.logic.gates
        array, index = self.of(node.ins[0]), list(_each(self.of(node.ins[1])))
        element = max(1, node.number)
        count = self.flat.widths[node.ins[0]] // element
        if all(run[0] < 0 for run in array) and count <= 1 << len(index) <= _TABLE_ROWS:
            known = _bits_of(array)
            rows_known = [known[at * element : at * element + node.width] for at in range(count)]
            return rom(gates, rows_known, index, node.width)
        rows = [cut(array, at * element, node.width) for at in range(count)] if count <= _ROWS else []
        if not rows or any(sum(run[2] for run in row) < node.width for row in rows):
            self.logic.roots += [run for run in (*array, *index) if run[0] >= 0]
            self.logic.tables.append((node, node.width * max(1, count // 4)))
            return gates.leaf(node.width)
        for select in index:
            rows = [
                gates.mux([select], rows[at + 1], rows[at]) if at + 1 < len(rows) else rows[at]
                for at in range(0, len(rows), 2)
            ]
        return rows[0]

    def _inject(self, node: Node) -> list[Run]:
        gates = self.logic.gates
        array, index, new = self.of(node.ins[0]), self.of(node.ins[1]), self.of(node.ins[2])
        element = max(1, node.number)
        width = sum(run[2] for run in index)
        found: list[Run] = []
        for at in range(node.width // element):
            here = gates.equal(index, constant(at, width))
            found += gates.mux(here, new, cut(array, at * element, element))
        return found


def _carry_in(operands: list[list[Run]]) -> int | None:
    """Which of three operands is a single bit at the lowest place: a carry chain takes it in (UG474, CYINIT)."""
    if len(operands) != 3:
        return None
    for at, runs in enumerate(operands):
        kept = joined(runs)
        if kept and kept[0][0] >= 0 and kept[0][2] == 1 and all(run[0] == ZERO for run in kept[1:]):
            return at
    return None


def _stretches(mask: int, width: int) -> Iterator[tuple[int, int, bool]]:
    """(lowest bit, bits, whether they are wanted) of each stretch of equal bits of a mask."""
    at = 0
    for gate, _, count, _ in constant(mask, width):
        yield at, count, gate == ONE
        at += count


def _each(runs: list[Run]) -> list[Run]:
    return [(gate, offset + at * step, 1, 0) for gate, offset, count, step in runs for at in range(count)]


def _bits_of(runs: list[Run]) -> list[bool]:
    return [run[0] == ONE for run in runs for _ in range(run[2])]


def _threshold(runs: list[Run]) -> int | None:
    """n where a number is 2^n or 2^n - 1: a comparison by size then looks at the bits from n on alone."""
    number = sum(1 << at for at, bit in enumerate(_bits_of(runs)) if bit)
    for candidate in (number, number + 1):
        if candidate and candidate & (candidate - 1) == 0:
            return candidate.bit_length() - 1
    return None
