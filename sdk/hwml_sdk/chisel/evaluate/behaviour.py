"""Whether a lowered candidate behaves as a task's model: decided by yosys, many pairs in one run.

Both circuits get the same inputs. From a state of zeros and one cycle of reset on, no output may ever differ: proven
by temporal induction (sequential circuits) or at once (combinational ones). Where induction does not end, the first
`BOUND` cycles are searched: without a difference the verdict is `bounded`, and is counted as passed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...errors import ToolFailedError
from ...tools import run_tool
from ..types import Port
from ..yosys import find_yosys

Verdict = Literal["proven", "bounded", "different", "ports", "unknown"]
BOUND = 24
_DEPTH = 10  # induction: the states of our tasks are told apart within so many cycles
_LIMIT_S = 60.0
_PORT = re.compile(
    r"\b(input|output)\s+(?:wire\s+|reg\s+|logic\s+)?(?:signed\s+)?(?:\[\s*(\d+)\s*:\s*(\d+)\s*\]\s*)?(\w+)"
)
_PREPARE = "proc; flatten; opt_clean; memory -nomap; memory_map; opt -nodffe -nosdff; async2sync; dffunmap; opt_clean"
_MARK = "HWML-PAIR"


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate (its Verilog, top and ports) beside a model (its Verilog and top)."""

    verilog: str
    top: str
    ports: tuple[Port, ...]
    model: str
    model_top: str


def passed(verdict: Verdict) -> bool:
    """Whether a verdict counts as the wanted behaviour."""
    return verdict in ("proven", "bounded")


def check_yosys() -> None:
    """Raises what `compare` would raise after minutes of other work."""
    find_yosys(any_version=True)


def compare(pairs: Mapping[str, Pair], *, timeout_s: float = _LIMIT_S) -> dict[str, Verdict]:
    """A verdict for each pair. Raises MissingDependencyError without yosys.

    A run that crashes or takes too long is repeated pair by pair; the pair that does it again is `unknown`.
    """
    wrappers = {key: _wrapper(pair) for key, pair in pairs.items()}
    verdicts: dict[str, Verdict] = {key: "ports" for key, wrapper in wrappers.items() if not wrapper}
    ready = {key: (pairs[key], wrapper) for key, wrapper in wrappers.items() if wrapper}
    verdicts |= _compare(ready, timeout_s)
    return {key: verdicts[key] for key in pairs}


def _compare(ready: Mapping[str, tuple[Pair, str]], timeout_s: float) -> dict[str, Verdict]:
    if not ready:
        return {}
    verdicts = _run(ready, "induction", timeout_s)
    left = {key: ready[key] for key, verdict in verdicts.items() if verdict == "unknown"}
    if left:
        verdicts |= _run(left, "bounded", timeout_s)
    return verdicts


def _run(ready: Mapping[str, tuple[Pair, str]], how: str, timeout_s: float) -> dict[str, Verdict]:
    yosys = find_yosys(any_version=True)
    with tempfile.TemporaryDirectory() as name:
        folder, script = Path(name), []
        for number, (pair, wrapper) in enumerate(ready.values()):
            (folder / f"p{number}.sv").write_text(f"{pair.model}\n{pair.verilog}\n{wrapper}", encoding="utf-8")
            script.append(_script(number, pair, how))
        (folder / "all.ys").write_text("\n".join(script), encoding="utf-8")
        limit = timeout_s + 2.0 * len(ready)
        try:
            done = run_tool([*yosys, "-q", "all.ys"], timeout_s=limit, cwd=folder)
            ended = done.ok
        except ToolFailedError:
            ended = False
        log = (
            (folder / "said.txt").read_text(encoding="utf-8", errors="replace")
            if (folder / "said.txt").is_file()
            else ""
        )
    if not ended and len(ready) > 1:
        return {key: verdict for key, item in ready.items() for verdict in _run({key: item}, how, timeout_s).values()}
    pieces = log.split(_MARK)[1:]
    return {key: _verdict(pieces[at] if at < len(pieces) else "", how, ended) for at, key in enumerate(ready)}


def _script(number: int, pair: Pair, how: str) -> str:
    sequential = "reset" in {name for _, name, _ in _model_ports(pair)}
    if how == "bounded":
        search = f"sat -tempinduct-baseonly -maxsteps {BOUND} -prove trigger 0 -set-init-zero"
    else:
        search = f"sat -tempinduct -maxsteps {_DEPTH} -prove trigger 0 -set-init-zero"
    reset = " -set-at 1 in_reset 1 -seq 1" if sequential else ""
    return "\n".join(
        (
            "design -reset",
            f"read_verilog -sv p{number}.sv",
            "hierarchy -check -top hwml_gate",
            _PREPARE,
            "design -stash gate",
            f"read_verilog -sv p{number}.sv",
            f"hierarchy -check -top {pair.model_top}",
            _PREPARE,
            "design -stash gold",
            "design -copy-from gate -as gate hwml_gate",
            f"design -copy-from gold -as gold {pair.model_top}",
            "miter -equiv -flatten -make_outputs gold gate miter",
            "hierarchy -top miter",
            f"tee -q -a said.txt log {_MARK}",
            f"tee -q -a said.txt {search}{reset} miter",
        )
    )


def _verdict(said: str, how: str, ended: bool) -> Verdict:
    if "proof did fail" in said or "model found for base case: FAIL" in said:
        return "different"
    if "Induction step proven: SUCCESS!" in said or "no model found: SUCCESS!" in said:
        return "proven"
    if how == "bounded" and ended and "reached maximum number of time steps" in said.lower():
        return "bounded"
    return "unknown"


def _model_ports(pair: Pair) -> list[tuple[str, str, int]]:
    found = re.search(rf"\bmodule\s+{re.escape(pair.model_top)}\b(.*?)\bendmodule", pair.model, re.DOTALL)
    text = re.sub(r"//[^\n]*", "", found[1] if found else "")
    ports, direction, width = [], "", 1
    head = text[text.index("(") + 1 : text.index(");")] if "(" in text and ");" in text else text
    for part in head.split(","):
        match = _PORT.search(part)
        if match:
            direction, width = match[1], int(match[2] or 0) - int(match[3] or 0) + 1
            ports.append((direction, match[4], width))
        elif direction and re.fullmatch(r"\s*\w+\s*", part):
            ports.append((direction, part.strip(), width))
    return ports


def _wrapper(pair: Pair) -> str:
    """The candidate with the model's ports, or "" where they do not fit: a name, a direction or a width is another.

    A port of a bundle called `io` may be called `io_x` or `x`. Clock and reset may be there without being used.
    """
    wanted = _model_ports(pair)
    there = {port.name.removeprefix("io_"): port for port in pair.ports}
    links = []
    for direction, name, width in wanted:
        port = there.pop(name, None)
        if port is None and name in ("clock", "reset", "clk"):
            continue
        if port is None or port.width != width or port.direction != direction:
            return ""
        links.append(f".{port.name}({name})")
    for name, port in there.items():
        if name not in ("clock", "reset"):
            return ""
        links.append(f".{port.name}(1'b0)")
    ports = ", ".join(f"{d} [{w - 1}:0] {n}" for d, n, w in wanted)
    return f"module hwml_gate({ports});\n  {pair.top} dut({', '.join(links)});\nendmodule\n"


def as_model(verilog: str, top: str, ports: Sequence[Port]) -> tuple[str, str]:
    """A lowered circuit in the role of a task's model, and its top: ports without `io_`, as prompts say them."""
    listed = ", ".join(f"{port.direction} [{port.width - 1}:0] {_short(port)}" for port in ports)
    links = ", ".join(f".{port.name}({_short(port)})" for port in ports)
    return f"{verilog}\nmodule hwml_model({listed});\n  {top} dut({links});\nendmodule\n", "hwml_model"


def _short(port: Port) -> str:
    return port.name.removeprefix("io_")


__all__: Sequence[str] = ["BOUND", "Pair", "Verdict", "as_model", "check_yosys", "compare", "passed"]
