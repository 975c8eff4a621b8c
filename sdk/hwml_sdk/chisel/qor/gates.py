"""Logic as gates over runs of bits: what is the same for every bit of a word stands here once.

A value is a list of runs. A run is (literal, offset, count, step): bits `offset`, `offset + step`, ... of a gate,
step 1 for a stretch of them, step 0 for one bit repeated. A literal is twice the gate's number, and one more where its
bits are inverted; ZERO and ONE stand for constants. Inverters cost nothing in look-up tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .circuit import Place

Run = tuple[int, int, int, int]
Operand = tuple[int, int, int]  # literal (of a gate that is built: its number), offset, step
ZERO, ONE = -2, -1
_ORDERED = ("mux", "table")  # kinds of gates whose inputs may not be exchanged
INPUTS = 6  # of the look-up tables of Xilinx' series 7 and later (UG474)


@dataclass(slots=True)
class Gate:
    """`count` gates side by side; without operands: bits that come from elsewhere (a port, register, carry chain).

    operands: numbers of gates, inversions left out.
    """

    operands: tuple[Operand, ...]
    count: int
    place: Place
    owner: int


def cut(runs: Sequence[Run], low: int, count: int) -> list[Run]:
    """Bits `low` to `low + count` of a value."""
    found: list[Run] = []
    left, end = low, low + count  # from the start of the run on
    for gate, offset, length, step in runs:
        if end <= 0:
            break
        if left < length:
            start, stop = (left if left > 0 else 0), (end if end < length else length)
            if start < stop:
                found.append((gate, offset + start * step, stop - start, step if stop - start > 1 else 0))
        left -= length
        end -= length
    return found


def joined(runs: Sequence[Run]) -> list[Run]:
    """The same with neighbours that continue each other made one."""
    found: list[Run] = []
    for run in runs:
        if found:
            gate, offset, length, step = found[-1]
            same = gate == run[0]
            if same and run[3] == step == 0 and (offset == run[1] or gate < 0):
                found[-1] = (gate, offset, length + run[2], 0)
                continue
            if (
                same
                and gate >= 0
                and run[1] == offset + length
                and (step == 1 or length == 1)
                and (run[3] == 1 or run[2] == 1)
            ):
                found[-1] = (gate, offset, length + run[2], 1)
                continue
        found.append(run)
    return found


def constant(value: int, width: int) -> list[Run]:
    """Runs of a number."""
    found: list[Run] = []
    at = 0
    while at < width:
        bit = value >> at & 1
        rest = (value >> at) ^ (-1 if bit else 0)  # ones where the run ends
        length = min(width - at, (rest & -rest).bit_length() - 1 if rest else width - at)
        found.append((ONE if bit else ZERO, 0, max(1, length), 0))
        at += max(1, length)
    return found


def bits(runs: Sequence[Run]) -> Iterator[Operand]:
    """Bit by bit, as single operands."""
    for gate, offset, length, step in runs:
        for at in range(length):
            yield (gate, offset + at * step, 0)


class Gates:
    """The network that is built."""

    def __init__(self) -> None:
        self.gates: list[Gate] = []
        self._known: dict[tuple[object, ...], int] = {}
        self.place: Place = ("", 0)
        self.owner = 0

    def leaf(self, count: int) -> list[Run]:
        """Bits that come from elsewhere."""
        self.gates.append(Gate((), count, self.place, self.owner))
        return [(2 * (len(self.gates) - 1), 0, count, 1 if count > 1 else 0)]

    def gate(self, kind: str, operands: Sequence[Operand], count: int) -> Run:
        """Gates over operands that are no constants; equal ones are built once."""
        made = tuple(operands) if count > 1 else tuple([(literal, offset, 0) for literal, offset, _ in operands])
        key = (kind, made if kind.startswith(_ORDERED) else tuple(sorted(made)), count)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.gates)
            inputs = tuple(dict.fromkeys([(literal >> 1, offset, step) for literal, offset, step in made]))
            self.gates.append(Gate(inputs, count, self.place, self.owner))
        return (2 * number, 0, count, 1 if count > 1 else 0)

    def two(self, kind: str, left: Sequence[Run], right: Sequence[Run]) -> list[Run]:
        """and, or, xor of two values of one width."""
        if kind == "or":
            return inverted(self.two("and", inverted(left), inverted(right)))
        found: list[Run] = []
        for count, (a, b) in _aligned([left, right]):
            found.append(self._exclusive(a, b, count) if kind == "xor" else self._both(a, b, count))
        return joined(found)

    def _both(self, a: Run, b: Run, count: int) -> Run:
        if a[0] < 0 or b[0] < 0:
            known, other = (a, b) if a[0] < 0 else (b, a)
            return (other[0], other[1], count, other[3]) if known[0] == ONE else (ZERO, 0, count, 0)
        if a[1] == b[1] and a[3] == b[3] and a[0] >> 1 == b[0] >> 1:
            return (a[0], a[1], count, a[3]) if a[0] == b[0] else (ZERO, 0, count, 0)
        return self.gate("and", [(a[0], a[1], a[3]), (b[0], b[1], b[3])], count)

    def _exclusive(self, a: Run, b: Run, count: int) -> Run:
        if a[0] < 0 or b[0] < 0:
            known, other = (a, b) if a[0] < 0 else (b, a)
            moved = (other[0], other[1], count, other[3])
            return _not(moved) if known[0] == ONE else moved
        odd = (a[0] ^ b[0]) & 1
        if a[1] == b[1] and a[3] == b[3] and a[0] >> 1 == b[0] >> 1:
            return (ONE if odd else ZERO, 0, count, 0)
        made = self.gate("xor", [(a[0] & ~1, a[1], a[3]), (b[0] & ~1, b[1], b[3])], count)
        return _not(made) if odd else made

    def many(self, kind: str, values: Sequence[Sequence[Run]]) -> list[Run]:
        """and, or, xor of several values, as a balanced tree."""
        level: list[Sequence[Run]] = list(values)
        while len(level) > 1:
            pairs = [self.two(kind, level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
            level = [*pairs, level[-1]] if len(level) % 2 else [*pairs]
        return list(level[0])

    def mux(self, select: Sequence[Run], yes: Sequence[Run], no: Sequence[Run]) -> list[Run]:
        """One of two values by a bit."""
        width = sum(run[2] for run in yes)
        if not select or not width:
            return list(yes)
        chosen = (select[0][0], select[0][1], width, 0)
        if chosen[0] < 0:
            return list(yes if chosen[0] == ONE else no)
        if chosen[0] & 1:
            chosen, yes, no = _not(chosen), no, yes
        found: list[Run] = []
        for count, (s, a, b) in _aligned([[chosen], yes, no]):
            found.append(self._choose(s, a, b, count))
        return joined(found)

    def majority(self, a: Sequence[Run], b: Sequence[Run], c: Sequence[Run]) -> list[Run]:
        """Majority of three values, bit by bit: the carry of a full adder."""
        found: list[Run] = []
        for count, runs in _aligned([a, b, c]):
            known = [run for run in runs if run[0] < 0]
            signals = [run for run in runs if run[0] >= 0]
            ones = sum(run[0] == ONE for run in known)
            if ones > 1 or len(known) - ones > 1:
                found.append((ONE if ones > 1 else ZERO, 0, count, 0))
            elif len(known) == 2:
                found.append((signals[0][0], signals[0][1], count, signals[0][3]))
            elif known:
                found += self.two("or" if ones else "and", [signals[0]], [signals[1]])
            else:
                found.append(self.gate("majority", [(run[0], run[1], run[3]) for run in signals], count))
        return joined(found)

    def _choose(self, s: Run, a: Run, b: Run, count: int) -> Run:
        if (a[0], a[1], a[3]) == (b[0], b[1], b[3]) or (a[0] < 0 and a[0] == b[0]):
            return (a[0], a[1], count, a[3])
        if a[0] == ZERO:
            return self._both(_not(s), b, count)
        if b[0] == ZERO:
            return self._both(s, a, count)
        if a[0] == ONE:
            return _not(self._both(_not(s), _not(b), count))
        if b[0] == ONE:
            return _not(self._both(s, _not(a), count))
        if a[0] ^ 1 == b[0] and a[1:] == b[1:]:
            return self._exclusive(s, b, count)
        return self.gate("mux", [(s[0], s[1], 0), (a[0], a[1], a[3]), (b[0], b[1], b[3])], count)

    def reduce(self, kind: str, runs: Sequence[Run]) -> list[Run]:
        """One bit of all bits of a value: and, or, xor of them."""
        if kind == "or":
            return inverted(self.reduce("and", inverted(runs)))
        if kind == "and" and any(run[0] == ZERO for run in runs):
            return [(ZERO, 0, 1, 0)]
        kept = [bit for bit in bits(runs) if bit[0] >= 0]
        if kind == "and":
            return self._tree("and", kept, ONE)
        odd = sum(run[2] for run in runs if run[0] == ONE) + sum(bit[0] & 1 for bit in kept)
        made = self._tree("xor", [(bit[0] & ~1, bit[1], 0) for bit in kept], ZERO)
        return inverted(made) if odd & 1 else made

    def equal(self, left: Sequence[Run], right: Sequence[Run]) -> list[Run]:
        """Whether two values are the same: by pairs, three of them in each table where both are signals."""
        singles: list[Operand] = []
        doubles: list[tuple[Operand, Operand]] = []
        for count, (a, b) in _aligned([left, right]):
            if a[0] < 0 and b[0] < 0:
                if a[0] != b[0]:
                    return [(ZERO, 0, 1, 0)]
                continue
            for at in range(count):
                one, two = ((run[0], run[1] + at * run[3], 0) for run in (a, b))
                if one[0] < 0 or two[0] < 0:
                    bit, other = (two, one) if one[0] < 0 else (one, two)
                    singles.append((bit[0] ^ (other[0] == ZERO), bit[1], 0))
                elif one != two:
                    doubles.append((one, two))
        groups = [
            self.gate("equal", [bit for pair in doubles[at : at + 3] for bit in pair], 1)
            for at in range(0, len(doubles), 3)
        ]
        return self._tree("and", [*singles, *((run[0], run[1], 0) for run in groups)], ONE)

    def _tree(self, kind: str, level: list[Operand], empty: int) -> list[Run]:
        """A tree of gates of up to six inputs; one that is full cannot take in what stands before it."""
        level = list(dict.fromkeys(level)) if kind == "and" else level
        if kind == "and" and any((bit[0] ^ 1, bit[1], 0) in level for bit in level):
            return [(ZERO, 0, 1, 0)]
        if not level:
            return [(empty, 0, 1, 0)]
        while len(level) > 1:
            made = [
                self.gate(kind, level[at : at + INPUTS], 1)
                if len(level[at : at + INPUTS]) > 1
                else (*level[at][:2], 1, 0)
                for at in range(0, len(level), INPUTS)
            ]
            level = [(run[0], run[1], 0) for run in made]
        return [(level[0][0], level[0][1], 1, 0)]


def _not(run: Run) -> Run:
    literal = (ZERO if run[0] == ONE else ONE) if run[0] < 0 else run[0] ^ 1
    return (literal, run[1], run[2], run[3])


def inverted(runs: Sequence[Run]) -> list[Run]:
    """The complement."""
    return [_not(run) for run in runs]


def _aligned(values: Sequence[Sequence[Run]]) -> Iterator[tuple[int, list[Run]]]:
    """Stretches over which every value is one run; ends with the shortest. One bit alone has no step, whatever it is
    taken from: the same bit is then the same run."""
    if all(len(value) == 1 for value in values):  # most words are one run
        count = min([value[0][2] for value in values])
        yield count, [(gate, offset, count, step if count > 1 else 0) for ((gate, offset, _, step),) in values]
        return
    left = [list(reversed(value)) for value in values]  # what is still to come, the next run last
    while all(left):
        heads = [value.pop() for value in left]
        count = min([head[2] for head in heads])
        yield count, [(gate, offset, count, step if count > 1 else 0) for gate, offset, _, step in heads]
        for rest, (gate, offset, length, step) in zip(left, heads, strict=True):
            if length > count:
                rest.append((gate, offset + count * step, length - count, step))
