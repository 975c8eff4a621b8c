"""Latency of a circuit in cycles, exact: the least number of registers between its ports.

Definition: in the graph of the lowered circuit an edge weighs 1 where it goes through a register (next value, enable,
clear or synchronous reset to value), from the write of a memory to what is read, and through a read that is registered;
all others weigh 0; clock and reset are left out. d(i, o) is the least weight from input i to output o, the latency the
largest of them over connected pairs. Registers are told apart bit by bit where bits are joined and split; any other
operation joins all of its bits. A register inside a circle means that what comes out depends on state: the latency is
then a lower bound of when an input is through with.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from .flat import Flat, Node, Register

MAX_PAIRS = 4096  # port pairs that are listed
_RESETS = ("clock", "reset")


@dataclass(frozen=True, slots=True)
class Latency:
    """latency_cycles: None where no output depends on an input. pairs: (input, output) -> cycles.

    feedback: a register stands in a circle, so that outputs depend on state. whole: False where pairs were left out.
    """

    latency_cycles: int | None
    pairs: Mapping[tuple[str, str], int]
    feedback: bool
    whole: bool = True


class _Graph:
    """Pieces of values as nodes; edges with weights."""

    def __init__(self, flat: Flat, registers: list[Register]) -> None:
        self.flat = flat
        self.next_of = {item.node.out: item for item in registers}
        self.cuts: list[tuple[int, ...]] = self._cut()
        self.first: list[int] = []
        total = 0
        for value in range(len(flat.widths)):
            self.first.append(total)
            total += len(self.cuts[value]) + 1
        self.size = total
        self.edges: list[list[tuple[int, int]]] = [[] for _ in range(total)]
        for node in flat.nodes:
            self._connect(node)

    def _cut(self) -> list[tuple[int, ...]]:
        """Where each value is cut: at the joints of what is wired into it, also through registers."""
        flat = self.flat
        cuts: list[set[int]] = [set() for _ in flat.widths]
        readers: dict[int, list[Node]] = defaultdict(list)
        wiring = [node for node in flat.nodes if node.kind in ("concat", "extract", "wire", "register")]
        for node in wiring:
            for value in {self.next_of[node.out].data} if node.kind == "register" else set(node.ins):
                if value >= 0:
                    readers[value].append(node)
        waiting = deque(wiring)
        queued = {id(node) for node in wiring}
        while waiting:
            node = waiting.popleft()
            queued.discard(id(node))
            found = self._cuts_of(node, cuts)
            if found <= cuts[node.out]:
                continue
            cuts[node.out] |= found
            for reader in readers[node.out]:
                if id(reader) not in queued:
                    queued.add(id(reader))
                    waiting.append(reader)
        return [tuple(sorted(item)) for item in cuts]

    def _cuts_of(self, node: Node, cuts: list[set[int]]) -> set[int]:
        if node.kind == "register":
            data = self.next_of[node.out].data
            return set(cuts[data]) if data >= 0 else set()
        if node.kind == "extract":
            low, high = node.number, node.number + node.width
            return {cut - low for cut in cuts[node.ins[0]] if low < cut < high} if node.ins[0] >= 0 else set()
        found, at = set(), node.width
        for value in node.ins:  # the first operand lies highest
            at -= self.flat.widths[value] if value >= 0 else 0
            if at > 0:
                found.add(at)
            found |= {at + cut for cut in (cuts[value] if value >= 0 else ())}
        return {cut for cut in found if 0 < cut < node.width}

    def pieces(self, value: int) -> range:
        """Nodes of a value."""
        return range(self.first[value], self.first[value] + len(self.cuts[value]) + 1)

    def _piece_at(self, value: int, bit: int) -> int:
        cuts = self.cuts[value]
        low, high = 0, len(cuts)
        while low < high:
            middle = (low + high) // 2
            if cuts[middle] <= bit:
                low = middle + 1
            else:
                high = middle
        return self.first[value] + low

    def _along(self, source: int, target: int, offset: int, weight: int) -> None:
        """Bits of `source` from `offset` on become `target`; with a negative offset its part from there."""
        for number, start in enumerate((0, *self.cuts[target])):
            bit = start + offset
            if 0 <= bit < self.flat.widths[source]:
                self.edges[self._piece_at(source, bit)].append((self.first[target] + number, weight))

    def _all(self, source: int, target: int, weight: int) -> None:
        """Every piece of one value reaches every piece of the other."""
        for left in self.pieces(source):
            self.edges[left] += [(right, weight) for right in self.pieces(target)]

    def _connect(self, node: Node) -> None:
        if node.kind in ("memory", "constant") or (node.out < 0 and node.kind != "write"):
            return
        if node.kind == "register":
            self._connect_register(self.next_of[node.out])
        elif node.kind in ("read", "write", "read_write"):
            self._connect_port(node)
        elif node.kind == "extract":
            if node.ins[0] >= 0:
                self._along(node.ins[0], node.out, node.number, 0)
        elif node.kind in ("concat", "wire"):
            at = node.width
            for value in node.ins:
                at -= self.flat.widths[value] if value >= 0 else 0
                if value >= 0:
                    self._along(value, node.out, -at, 0)
        else:
            hub = self._hub(node.out)
            for value in dict.fromkeys(node.ins):
                if value >= 0:
                    for piece in self.pieces(value):
                        self.edges[piece].append((hub, 0))

    def _hub(self, value: int) -> int:
        """A value that an operation makes has one piece."""
        return self.first[value]

    def _connect_register(self, register: Register) -> None:
        out = register.node.out
        if register.data >= 0:
            self._along(register.data, out, 0, 1)
        # What sets a constant is no reset of the circuit's: whether it is set depends on an input.
        reset = register.node.ins[1:2] if register.node.word == "sync" else ()
        for value in (*register.enables, *register.clears, *reset):
            if value >= 0:
                self._all(value, out, 1)

    def _connect_port(self, node: Node) -> None:
        """A memory is one node: writes weigh 1 on their way in, reads what the memory says on their way out."""
        memory = self.flat.maker(node.ins[0])
        if memory is None or memory.kind != "memory":  # it was not read: no figure of this circuit is shown
            return
        cell = self.first[memory.out]
        reads = node.kind in ("read", "read_write")
        weight = int(memory.word or 0)
        for value in node.ins[1:]:
            if value < 0:
                continue
            for piece in self.pieces(value):
                if reads:
                    self.edges[piece].append((self.first[node.out], weight))
                if node.kind != "read":
                    self.edges[piece].append((cell, 1))
        if reads:
            self.edges[cell].append((self.first[node.out], 0))

    def distances(self, value: int) -> dict[int, int]:
        """Least weight from an input to every piece that it reaches: pieces wait in a bucket for each distance."""
        found: dict[int, int] = {}
        buckets = [list(self.pieces(value))]
        for distance, level in enumerate(buckets):  # grows on the way
            while level:
                at = level.pop()
                if at in found:
                    continue
                found[at] = distance
                for following, weight in self.edges[at]:
                    if following in found:
                        continue
                    if not weight:
                        level.append(following)
                        continue
                    while len(buckets) <= distance + weight:
                        buckets.append([])
                    buckets[distance + weight].append(following)
        return found


def latency_of(flat: Flat, registers: list[Register]) -> Latency:
    """Latency of a flat circuit whose registers had their controls taken out (`flat.registers`)."""
    graph = _Graph(flat, registers)
    pairs: dict[tuple[str, str], int] = {}
    whole = True
    for name, value in flat.inputs.items():
        if name in _RESETS:
            continue
        if len(pairs) >= MAX_PAIRS:
            whole = False
            break
        reached = graph.distances(value)
        for output, driver in flat.outputs.items():
            found = [reached[piece] for piece in graph.pieces(driver) if piece in reached] if driver >= 0 else []
            if found:
                pairs[name, output] = min(found)
    return Latency(max(pairs.values(), default=None), pairs, _has_feedback(graph), whole)


def _has_feedback(graph: _Graph) -> bool:
    """Whether a circle holds an edge that weighs: strongly connected components by Tarjan (1972), without recursion."""
    edges = graph.edges
    index = [-1] * graph.size
    low = [0] * graph.size
    done = [False] * graph.size
    stack: list[int] = []
    count = 0
    for start in range(graph.size):
        if index[start] >= 0 or not edges[start]:
            continue
        index[start] = low[start] = count
        count += 1
        stack.append(start)
        work = [(start, iter(edges[start]))]
        while work:
            at, rest = work[-1]
            for following, _ in rest:
                if index[following] < 0:
                    index[following] = low[following] = count
                    count += 1
                    stack.append(following)
                    work.append((following, iter(edges[following])))
                    break
                if not done[following] and index[following] < low[at]:
                    low[at] = index[following]
            else:
                work.pop()
                if work and low[at] < low[work[-1][0]]:
                    low[work[-1][0]] = low[at]
                if low[at] == index[at] and _weighs(edges, _component(stack, at, done)):
                    return True
    return False


def _component(stack: list[int], root: int, done: list[bool]) -> list[int]:
    """Take the component that ends at `root` from the stack."""
    members = [stack.pop()]
    while members[-1] != root:
        members.append(stack.pop())
    for member in members:
        done[member] = True
    return members


def _weighs(edges: list[list[tuple[int, int]]], members: list[int]) -> bool:
    """Whether an edge inside a component weighs."""
    inside = set(members)
    return any(weight and following in inside for member in members for following, weight in edges[member])
