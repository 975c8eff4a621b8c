"""State machines as synthesis recodes them: one flip-flop a state (yosys' `fsm_detect` and `fsm_recode`).

A register is one where every way to its next value ends in a constant or in its own value, and where all that reads it
are these ways, comparisons with constants, and choices by it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from .circuit import Kind
from .flat import Flat, Node

_MOST_STATES = 31  # from 32 on yosys codes them in binary
_STATE = ("register", "memory", "read", "write", "read_write")
_UNSIGNED: Mapping[str, Callable[[int, int], bool]] = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "ult": lambda a, b: a < b, "ule": lambda a, b: a <= b,
    "ugt": lambda a, b: a > b, "uge": lambda a, b: a >= b,
}  # fmt: skip
Readers = Mapping[int, Sequence[Node]]


def recode_machines(flat: Flat) -> bool:
    """Put a register with a bit a state in the place of each register of a state machine; whether there is one."""
    found = [node for node in flat.nodes if node.kind == "register" and node.width > 1]
    found = [node for node in found if (states := _Ways(flat, node).states()) and 1 < len(states) <= _MOST_STATES]
    if not found:
        return False
    recoded = False
    readers = _readers(flat)
    outputs = {flat.origin(value) for value in flat.outputs.values()}
    for node in found:
        ways = _Ways(flat, node)
        states = ways.states()
        if node.out not in outputs and all(_allowed(flat, reader, ways) for reader in readers[node.out]):
            _recode(flat, ways, sorted(states), readers)
            recoded = True
    return recoded


def _readers(flat: Flat) -> Readers:
    found: dict[int, list[Node]] = defaultdict(list)
    for node in flat.nodes:
        if node.kind != "wire":
            for value in {flat.origin(item) for item in node.ins if item >= 0}:
                found[value].append(node)
    return found


class _Ways:
    """The choices before a register: multiplexers, and elements chosen from an array."""

    def __init__(self, flat: Flat, register: Node) -> None:
        self.flat = flat
        self.register = register
        self.inside: set[int] = set()  # values of the choices, and of the arrays that they choose from

    def states(self) -> set[int]:
        """All constants that the register can hold; none where it is no state machine."""
        found: set[int] = set()
        waiting = [self.register.ins[0], *self.register.ins[2:3]]
        while waiting:
            value = waiting.pop()
            node = self.flat.maker(value)
            if value < 0 or node is self.register or (node is not None and node.out in self.inside):
                continue
            ways = None if node is None else self.of(node)
            if node is not None and node.kind == "constant":
                found.add(node.number)
            elif node is None or ways is None:
                return set()
            else:
                self.inside.add(node.out)
                waiting += ways
        return found

    def of(self, node: Node) -> tuple[int, ...] | None:
        """What a choice chooses from, element 0 first; None for what is no choice."""
        if node.kind == "mux":
            return node.ins[1:3]
        array = self.flat.maker(node.ins[0]) if node.kind == "get" else None
        if array is None or array.kind != "concat":
            return None
        if any(value < 0 or self.flat.widths[value] != node.width for value in array.ins):
            return None
        self.inside.add(array.out)
        return array.ins[::-1]


def _allowed(flat: Flat, reader: Node, ways: _Ways) -> bool:
    """Whether a reader leaves the register a state machine."""
    if reader is ways.register or reader.out in ways.inside:
        return reader.kind != "mux" or flat.origin(reader.ins[0]) != ways.register.out
    return reader.kind == "compare" and _limit(flat, reader, ways.register) is not None


def _limit(flat: Flat, node: Node, register: Node) -> int | None:
    """The constant that a comparison holds the register against.

    None for "not 0", which is an or of its bits by then (yosys' `opt_expr`), and no comparison any more.
    """
    other = flat.maker(node.ins[1])
    same = flat.origin(node.ins[0]) == register.out and node.word in _UNSIGNED
    if not same or other is None or other.kind != "constant" or (node.word == "ne" and not other.number):
        return None
    return other.number


def _recode(flat: Flat, ways: _Ways, states: Sequence[int], readers: Readers) -> None:
    register = ways.register
    coder = _Coder(flat, ways, states, _behind(register.out, readers))
    ins = (coder.next_state(), *register.ins[1:2], *(coder.way(item, 0) for item in register.ins[2:3]))
    for reader in readers[register.out]:
        if reader.kind == "compare" and reader.out >= 0:
            coder.answer(reader)
    width = len(states)
    flat.add(Node("register", ins, coder.out, width, 0, register.word, register.place, register.owner))
    register.kind, register.ins = "wire", ()  # what is left of it is read by nothing


def _behind(value: int, readers: Readers) -> set[int]:
    """Values that depend on one without a register between."""
    found, waiting = {value}, [value]
    while waiting:
        for node in readers.get(waiting.pop(), ()):
            if node.kind not in _STATE and node.out >= 0 and node.out not in found:
                found.add(node.out)
                waiting.append(node.out)
    return found


class _Coder:
    """The next state once for each state, with a bit a state (what yosys' `fsm_extract` and `fsm_map` come to)."""

    def __init__(self, flat: Flat, ways: _Ways, states: Sequence[int], dependent: set[int]) -> None:
        self.flat, self.ways, self.states, self.dependent = flat, ways, states, dependent
        self.out = flat.value(len(states))
        self.known: dict[tuple[int, int, bool], int] = {}

    def next_state(self) -> int:
        """The or of what follows each state."""
        width, place = len(self.states), self.ways.register
        empty = self._new("constant", (), width, place)
        following = [self.way(self.ways.register.ins[0], at) for at in range(width)]
        parts = [self._new("mux", (self._bit(at), value, empty), width, place) for at, value in enumerate(following)]
        return self._new("or", tuple(parts), width, place)

    def way(self, value: int, at: int) -> int:
        """A way's state as bits, in state number `at`."""
        node = self.flat.maker(value)
        assert node is not None
        key = (node.out, at, True)
        if key not in self.known:
            self.known[key] = self._way(node, at)
        return self.known[key]

    def _way(self, node: Node, at: int) -> int:
        width = len(self.states)
        if node is self.ways.register:
            return self._new("constant", (), width, node, 1 << at)
        if node.kind == "constant":
            return self._new("constant", (), width, node, 1 << self.states.index(node.number))
        if node.kind == "mux":
            ins = (self.plain(node.ins[0], at), *(self.way(item, at) for item in node.ins[1:3]))
            return self._new("mux", ins, width, node)
        elements = self.ways.of(node) or ()
        if self.flat.origin(node.ins[1]) == self.ways.register.out:
            state = self.states[at]
            return self.way(elements[min(state, len(elements) - 1)], at)
        parts = tuple(self.way(item, at) for item in elements[::-1])
        array = self._new("concat", parts, width * len(elements), node)
        return self._new("get", (array, self.plain(node.ins[1], at)), width, node, width)

    def plain(self, value: int, at: int) -> int:
        """Any other value, in state number `at`."""
        value = self.flat.origin(value)
        if value not in self.dependent:
            return value
        key = (value, at, False)
        if key not in self.known:
            node = self.flat.nodes[self.flat.source[value]]
            state = self.states[at]
            if node is self.ways.register:
                self.known[key] = self._new("constant", (), node.width, node, state)
            elif node.kind == "compare" and (limit := _limit(self.flat, node, self.ways.register)) is not None:
                self.known[key] = self._new("constant", (), 1, node, int(_UNSIGNED[node.word](state, limit)))
            else:
                self.known[key] = self.flat.value(node.width)  # before those it reads: it may stand in a circle
                ins = tuple(self.plain(item, at) for item in node.ins)
                copy = Node(node.kind, ins, self.known[key], node.width, node.number, node.word, node.place, node.owner)
                self.flat.add(copy)
        return self.known[key]

    def answer(self, reader: Node) -> None:
        """Put the or of some states in the place of a comparison; of most of them, the opposite of the others."""
        limit = _limit(self.flat, reader, self.ways.register)
        assert limit is not None
        places = [at for at, state in enumerate(self.states) if _UNSIGNED[reader.word](state, limit)]
        rest = [at for at in range(len(self.states)) if at not in places]
        if not places or not rest:
            reader.kind, reader.ins, reader.number = "constant", (), int(bool(places))
        elif len(places) <= len(rest):
            reader.kind, reader.ins = "or", tuple(map(self._bit, places))
        else:
            one = self._new("constant", (), 1, reader, 1)
            reader.kind, reader.ins = "xor", (self._new("or", tuple(map(self._bit, rest)), 1, reader), one)

    def _bit(self, at: int) -> int:
        return self._new("extract", (self.out,), 1, self.ways.register, at)

    def _new(self, kind: Kind, ins: tuple[int, ...], width: int, near: Node, number: int = 0) -> int:
        """A new value, at the place of an operation."""
        out = self.flat.value(width)
        self.flat.add(Node(kind, ins, out, width, number, place=near.place, owner=near.owner))
        return out
