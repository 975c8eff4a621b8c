"""Latency once more, from yosys' netlist bit by bit: an independent truth for `chisel.qor.latency`.

The definition is that module's; the netlist is what yosys makes of the Verilog before it maps it, and the search knows
nothing of firtool's circuit. Memories are left as they are written: yosys would take a register behind one into its
port, where the way from a write to it no longer shows.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...chisel.qor.answer import ChiselQor
from ...chisel.yosys import find_yosys
from ...errors import ToolFailedError
from ...files import parse_json, read_bytes
from ...tools import run_tool
from .circuits import Row

_LIMIT_S = 600.0
_BATCH = 40
_REGISTERS = ("$dff", "$adff", "$sdff", "$aldff", "$dffsr", "$_DFF", "$_SDFF")
_RESETS = ("clock", "reset")
Point = Hashable
Edges = Mapping[Point, Sequence[tuple[Point, int]]]
Pairs = dict[tuple[str, str], int]


def netlist_pairs(rows: Sequence[Row], *, timeout_s: float = _LIMIT_S) -> list[Pairs]:
    """Cycles by (input, output) of each row. Raises MissingDependencyError, ToolFailedError."""
    with tempfile.TemporaryDirectory(prefix="hwml-yosys-") as name:
        folder = Path(name)
        script: list[str] = []
        for number, row in enumerate(rows):
            (folder / f"m{number}.sv").write_text(row.verilog, encoding="utf-8")
            script += [
                "design -reset",
                f"read_verilog -sv m{number}.sv",
                f"hierarchy -top {row.top}",
                "proc",
                "flatten",
            ]
            script += ["memory_collect", "opt_clean", f"write_json m{number}.json"]
        (folder / "run.ys").write_text("\n".join(script), encoding="utf-8")
        done = run_tool([*find_yosys(), "-q", "-s", "run.ys"], cwd=folder, timeout_s=timeout_s)
        if not done.ok:
            raise ToolFailedError(f"yosys failed on the netlists: {done.stderr.strip()[-200:]}")
        read = (parse_json(read_bytes(folder / f"m{number}.json", max_bytes=1 << 30)) for number in range(len(rows)))
        return [pairs_of(found["modules"][row.top]) for row, found in zip(rows, read, strict=True)]


def latency_figures(rows: Sequence[Row], found: Sequence[ChiselQor], say: Callable[[str], None]) -> dict[str, float]:
    """Share of circuits whose cycles by (input, output) are those of the netlist, all pairs of them."""
    equal = compared = 0
    qor_of = {row.netlist: qor for row, qor in zip(rows, found, strict=True)}
    for start in range(0, len(rows), _BATCH):
        for row, pairs in _each(rows[start : start + _BATCH], say):
            known = dict(qor_of[row.netlist].pairs)
            compared += 1
            equal += pairs == known
            if pairs != known:
                say(f"{row.key}: cycles {sorted(set(pairs.items()) ^ set(known.items()))[:3]}")
    return {"latency_compared": float(compared), "latency_equal": equal / compared if compared else float("nan")}


def _each(rows: Sequence[Row], say: Callable[[str], None]) -> Iterator[tuple[Row, Pairs]]:
    """Cycles of each; a run that fails is halved until the circuit is found that yosys cannot take."""
    try:
        yield from zip(rows, netlist_pairs(rows), strict=True)
    except ToolFailedError as error:
        if len(rows) == 1:
            say(f"{rows[0].key}: cycles not compared: {error}")
            return
        half = len(rows) // 2
        for some in (rows[:half], rows[half:]):
            yield from _each(some, say)


def pairs_of(module: Mapping[str, Any]) -> Pairs:
    """Cycles by (input, output) of one module of yosys' JSON."""
    edges = _edges(module["cells"].values())
    ports = module["ports"]
    found: Pairs = {}
    for name, port in ports.items():
        if port["direction"] != "input" or name in _RESETS:
            continue
        reached = _distances([bit for bit in port["bits"] if isinstance(bit, int)], edges)
        for other, sink in ports.items():
            weights = [reached[bit] for bit in sink["bits"] if bit in reached]
            if sink["direction"] == "output" and weights:
                found[name, other] = min(weights)
    return found


def _edges(cells: Iterator[Mapping[str, Any]]) -> Edges:
    edges: dict[Point, list[tuple[Point, int]]] = defaultdict(list)
    for number, cell in enumerate(cells):
        for source, target, weight in _cell_edges(number, cell):
            edges[source].append((target, weight))
    return edges


def _cell_edges(number: int, cell: Mapping[str, Any]) -> Iterator[tuple[Point, Point, int]]:
    kind, wires, ways = cell["type"], cell["connections"], cell["port_directions"]
    if kind.startswith(_REGISTERS):  # bit by bit, and the enable to every bit
        yield from ((bit, out, 1) for bit, out in zip(wires["D"], wires["Q"], strict=True) if isinstance(bit, int))
        yield from ((bit, out, 1) for bit in wires.get("EN", ()) if isinstance(bit, int) for out in wires["Q"])
        return
    if kind.startswith("$mem"):
        yield from _memory_edges(number, cell)
        return
    hub = ("cell", number)  # bits are numbers
    for port, bits in wires.items():
        for bit in bits:
            if isinstance(bit, int):
                yield (hub, bit, 0) if ways.get(port) == "output" else (bit, hub, 0)


def _memory_edges(number: int, cell: Mapping[str, Any]) -> Iterator[tuple[Point, Point, int]]:
    """Writes weigh 1 into the memory; each port that reads has an address of its own."""
    hub = ("cell", number)
    wires, (ports, address, width) = cell["connections"], (_size(cell, name) for name in ("RD_PORTS", "ABITS", "WIDTH"))
    for name in ("WR_ADDR", "WR_DATA", "WR_EN"):
        yield from ((bit, hub, 1) for bit in wires[name] if isinstance(bit, int))
    yield from ((hub, bit, 0) for bit in wires["RD_DATA"])
    clocked = str(cell["parameters"]["RD_CLK_ENABLE"])[::-1]
    for port in range(ports):
        weight = int(clocked[port : port + 1] == "1")
        ins = (*wires["RD_ADDR"][port * address : (port + 1) * address], wires["RD_EN"][port])
        point = ("port", number, port)
        yield from ((bit, point, weight) for bit in ins if isinstance(bit, int))
        yield from ((point, bit, 0) for bit in wires["RD_DATA"][port * width : (port + 1) * width])


def _size(cell: Mapping[str, Any], name: str) -> int:
    value = cell["parameters"][name]  # yosys writes long numbers in binary
    return int(value, 2) if isinstance(value, str) else int(value)


def _distances(starts: Sequence[Point], edges: Edges) -> dict[Point, int]:
    found = dict.fromkeys(starts, 0)
    waiting = deque(found)
    while waiting:
        at = waiting.popleft()
        for following, weight in edges.get(at, ()):
            reached = found[at] + weight
            if reached < found.get(following, reached + 1):
                found[following] = reached
                (waiting.append if weight else waiting.appendleft)(following)
    return found
