"""Latency against simulation: after how many cycles a changed input is seen at an output, in Icarus Verilog.

Pipelines without feedback are drawn here, lowered by firtool and simulated twice, in every cycle with the same inputs
but for one input that differs from some cycle on. The first cycle in which an output differs, the least of all trials,
is the number of registers on the shortest way: nothing of the prediction is used for it. What is computed takes no
input out again (a ^ b ^ b), or the simulator would see less than the wires show.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from hwml_sdk.chisel.compile.firtool import Firtool
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.qor.hw_ir import read_hw_ir
from hwml_sdk.chisel.qor.predict import predict_chisel_qor

PIPELINES = 40
INPUTS = {"a": 8, "b": 8, "c": 8, "en": 1}
OUTPUTS = ("y", "z")
STAGES_MOST = 6
TRIALS = 24
SETTLED = 3 * STAGES_MOST  # cycles: registers that wait for `en`, which is 1 in three cycles of four, have moved on
WINDOW = STAGES_MOST + 2


def drawn(seed: int) -> str:
    """A module of FIRRTL without feedback: each line reads what stands above it."""
    rng = random.Random(seed)
    ports = [f"input {name} : UInt<{width}>" for name, width in INPUTS.items()]
    body: list[str] = []
    known = {name: 0 for name, width in INPUTS.items() if width > 1}  # stages that stand before it
    for number in range(rng.randint(5, 14)):
        left, right = rng.sample([*known][-5:], 2)
        name, stages = f"v{number}", max(known[left], known[right])
        kind = rng.choice(("reg", "reg", "enabled", "delay", "add", "xor", "mux", "mul"))
        if kind in ("reg", "enabled", "delay") and known[left] < STAGES_MOST:
            stages = known[left] + 1
            body.append(f"reg {name} : UInt<8>, clock")
            body += ["when en :", f"  connect {name}, {left}"] if kind == "enabled" else [f"connect {name}, {left}"]
        else:
            body.append(f"node {name} = {_expression(kind, left, right, number)}")
        known[name] = stages
    body += [f"connect {output}, {rng.choice([*known][-4:])}" for output in OUTPUTS]
    ports = ["input clock : Clock", *ports, *(f"output {name} : UInt<8>" for name in OUTPUTS)]
    return "\n".join([f"  public module P{seed} :", *(f"    {line}" for line in (*ports, *body)), ""])


def _expression(kind: str, left: str, right: str, number: int) -> str:
    other = f"tail(add({right}, UInt<8>({37 * number % 255 + 1})), 1)"  # another one each time: nothing cancels
    if kind == "mux":
        return f"mux(bits({left}, 7, 7), {other}, not({left}))"
    if kind == "mul":
        return f"bits(mul({left}, {other}), 11, 4)"
    return f"tail(add({left}, {other}), 1)" if kind == "add" else f"xor({left}, {other})"


def stimuli() -> Iterator[tuple[str, int, dict[str, int], dict[str, int]]]:
    """For each cycle: which input differs from the trial's change on, cycles since then, both sets of inputs."""
    rng = random.Random(7)
    for name, _ in product(INPUTS, range(TRIALS)):
        for at in range(-SETTLED, WINDOW):
            one = {item: rng.getrandbits(width) for item, width in INPUTS.items()}
            one["en"] = int(rng.random() < 0.75)
            other = dict(one)
            if at >= 0:
                other[name] ^= rng.getrandbits(INPUTS[name]) | 1 << rng.randrange(INPUTS[name])
            yield name, at, one, other


def bench(names: list[str], cycles: int) -> str:
    """Each pipeline twice; one line of bits a cycle, one an output, that says whether the two differ in it."""
    width = sum(INPUTS.values())
    outputs = [f"{name}_{output}" for name in names for output in OUTPUTS]
    body = [f"reg clock = 0; reg [{2 * width - 1}:0] all [0:{cycles - 1}]; integer at;"]
    body += [f"reg [{size - 1}:0] {item}{side};" for item, size in INPUTS.items() for side in "01"]
    for name, side in product(names, "01"):
        wires = [f"wire [7:0] {name}_{output}{side};" for output in OUTPUTS]
        given = [f".{item}({item}{side})" for item in INPUTS]
        made = [f".{output}({name}_{output}{side})" for output in OUTPUTS]
        body += [*wires, f"{name} {name}_{side}({', '.join(['.clock(clock)', *given, *made])});"]
    fields = ", ".join(f"{item}{side}" for side in "01" for item in INPUTS)
    differ = ", ".join(f"{output}0 !== {output}1" for output in outputs)
    body += [
        'initial begin $readmemb("inputs.txt", all);',
        f"for (at = 0; at < {cycles}; at = at + 1) begin {{{fields}}} = all[at]; #1",
        f'$display("%b", {{{differ}}}); clock = 1; #1 clock = 0; end end',
    ]
    return "\n".join(["module bench;", *body, "endmodule\n"])


def simulated(verilog: str, names: list[str], folder: Path) -> Mapping[tuple[str, str], int]:
    """(changed input, output of a pipeline) -> the least number of cycles after which it differed."""
    cycles = list(stimuli())
    sides = [f"{one[item]:0{size}b}" for _, _, *both in cycles for one in both for item, size in INPUTS.items()]
    step = 2 * len(INPUTS)
    lines = ["".join(sides[at : at + step]) for at in range(0, len(sides), step)]
    (folder / "inputs.txt").write_text("\n".join(lines))
    (folder / "all.sv").write_text(verilog + bench(names, len(cycles)))
    for command in (["iverilog", "-g2012", "-s", "bench", "-o", "run", "all.sv"], ["vvp", "-n", "run"]):
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
    outputs = [f"{name}_{output}" for name in names for output in OUTPUTS]
    found: dict[tuple[str, str], int] = {}
    shown = [line for line in done.stdout.splitlines() if set(line) <= {"0", "1"}]
    assert len(shown) == len(cycles)
    for line, (changed, at, _, _) in zip(shown, cycles, strict=True):
        for output, bit in zip(outputs, line, strict=True):
            if bit == "1" and at >= 0:
                found[changed, output] = min(found.get((changed, output), at), at)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="takes Icarus Verilog: apt install iverilog")
def test_latency_is_what_a_simulator_shows(programs: Programs, tmp_path: Path) -> None:
    """All pairs of ports of all pipelines; pairs that are not connected never differ."""
    names = [f"P{number}" for number in range(PIPELINES)]
    text = "FIRRTL version 4.0.0\ncircuit P0 :\n" + "".join(drawn(number) for number in range(PIPELINES))
    firtool = Firtool(programs.chain.firtool, tmp_path)
    lowered = firtool.lower(text, timeout_s=120)
    firtool.close()
    assert lowered.verilog, lowered
    shown = simulated(lowered.verilog, names, tmp_path)
    circuit = read_hw_ir(lowered.hw_ir)
    depths = []
    for name in names:
        said = predict_chisel_qor(circuit, name)
        assert not said.lower_bound
        seen = {(given, out): shown[given, f"{name}_{out}"] for given in INPUTS for out in OUTPUTS
                if (given, f"{name}_{out}") in shown}  # fmt: skip
        assert dict(said.pairs) == seen, drawn(int(name[1:]))
        assert said.latency_cycles == max(seen.values())
        depths.append(said.latency_cycles)
    assert set(depths) >= set(range(1, STAGES_MOST))
