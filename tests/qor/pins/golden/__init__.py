"""Figures of the closed form of small kernels as they are today: a net under the derived pins, no truth of their own.

Many constants of the closed form were fitted and have no source that a pin could derive a value from. Here every figure
of kernels written for this purpose is held, so that no change of them goes unseen. After a change that is meant:

    python -m tests.qor.pins.golden

writes figures/*.json anew; review the difference line by line, it is what users will see.

A case stands in a `*.cpp` file of this folder below a line `//: name`, or is one of `combined`; its top function is
`top`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, FunctionResult, LoopResult
from hwml_sdk.qor.closed_form.schedule.region import Region

from .combined import combined

HERE = Path(__file__).parent
FIGURES = HERE / "figures"
MARK = "//: "
COMBINED = "combined"

# (part, clock period in ns, tool, version, stage, unsafe math): every family, stage and row of the table of releases.
HLS = {
    "2019.2": ("xc7z020clg484-1", 10.0, "vivado_hls", "2019.2", "csynth", False),
    "2020.2": ("xcku040-ffva1156-2-e", 5.0, "vitis_hls", "2020.2", "csynth", False),
    "2022.1": ("xcu280-fsvh2892-2L-e", 4.0, "vitis_hls", "2022.1", "impl", False),
    "2023.2": ("xczu9eg-ffvb1156-2-i", 3.33, "vitis_hls", "2023.2", "csynth", False),
    "unsafe": ("xcvc1902-vsva2197-2MP-e-S", 2.0, "vitis_hls", "2023.2", "csynth", True),
}
MERLIN = {
    "2018.3": ("xcvu9p-flga2104-2-i", 4.0, "merlin", "2018.3", "csynth", False),
    "2020.2": ("xcvu9p-flga2104-2-i", 4.0, "merlin", "2020.2", "csynth", False),
    "2021.1": ("xcu200-fsgd2104-2-e", 4.0, "merlin", "2021.1", "csynth", False),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One kernel. subject: the file it stands in."""

    subject: str
    name: str
    code: str

    def settings(self) -> Mapping[str, tuple[str, float, str, str, str, bool]]:
        """What it is estimated for, by name."""
        if self.subject == COMBINED:
            return {name: HLS[name] for name in ("2019.2", "2023.2")}
        return MERLIN if self.subject == "merlin" else HLS

    def estimates(self, only: Collection[str] = ()) -> Iterator[tuple[str, Estimate]]:
        """(setting, closed form) for each setting. only: names of settings, none for all of them."""
        for name, (part, clock, tool, version, stage, unsafe) in self.settings().items():
            if only and name not in only:
                continue
            target = make_target(part, clock, tool, version, stage=stage, unsafe_math=unsafe)
            yield name, estimate_source(self.code, top="top", target=target, options=make_options(target))


def cases() -> list[Case]:
    """All kernels, in the order of the files."""
    found = []
    for path in sorted(HERE.glob("*.cpp")):
        for part in path.read_text(encoding="utf-8").split(MARK)[1:]:
            name, _, code = part.partition("\n")
            found.append(Case(path.stem, name, code))
    return [*found, *(Case(COMBINED, name, code) for name, code in combined())]


def stored() -> dict[tuple[str, str], dict[str, str]]:
    """(subject, case) -> setting -> figures."""
    found = {}
    for path in sorted(FIGURES.glob("*.json")):
        for name, by_setting in json.loads(path.read_text(encoding="utf-8")).items():
            found[path.stem, name] = by_setting
    return found


def figures(estimate: Estimate) -> str:
    """What an estimate says, in one line: the design, its memories and cores, then functions and their loops."""
    latency, least = (
        "unknown" if cycles is None else number(cycles)
        for cycles in (estimate.latency_cycles, estimate.latency_min_cycles)
    )  # fmt: skip
    design = " ".join(
        f"{name} {number(value)}"
        for name, value in (
            ("lut", estimate.lut), ("ff", estimate.ff), ("dsp", estimate.dsp), ("bram", estimate.bram_18k),
            ("uram", estimate.uram), ("interval", estimate.top.interval), ("nominal", estimate.nominal_cycles),
        )
    )  # fmt: skip
    cores = ", ".join(
        f"{op} {kind.kind}{kind.width} {number(units)} of {number(estimate.unshared.shared[op, kind])}"
        for (op, kind), units in estimate.area.shared.items()
    )
    memory = ", ".join(
        f"{var.name} {number(cost.bram_18k)} {number(cost.lut)} {number(cost.ff)}"
        for var, cost in estimate.top.memory.items()
    )
    parts = [f"cycles {latency} least {least} {design}", f"cores {cores}", f"memory {memory}"]
    return "; ".join([*parts, *_function(estimate.top, set())])


def number(value: float) -> str:
    """Six digits: rounding of sums differs between machines beyond them."""
    return f"{value:.6g}"


def _function(result: FunctionResult, seen: set[int]) -> Iterator[str]:
    if id(result) in seen:
        return
    seen.add(id(result))
    unrolled = "".join(f" {loop.name} x{number(trip or 0)}" for loop, trip in result.unrolled.items())
    unknown = "".join(f" ({reason})" for reason in result.reasons)
    yield f"{result.function.name} {number(result.cycles)}{unrolled}{unknown}"
    for loop in result.loops:
        yield from _loop(loop)
    for call in result.calls:
        yield from _function(call.callee, seen)


def _loop(loop: LoopResult) -> Iterator[str]:
    guess = " guess" if loop.bound.guess else ""
    plan = loop.plan
    yield (
        f"loop {loop.loop.name} ii {loop.ii} trips {number(loop.trips)} depth {number(loop.depth)}"
        f" cycles {number(loop.cycles)} entries {number(loop.entries)}x{number(loop.replicas)}"
        f" plan {number(plan.unroll)} {number(plan.parallel)} {number(plan.tile)} {plan.coarse:d}{plan.serial:d}"
        f" by {loop.bound.by or 'nothing'}{guess}{''.join(f' ({note})' for note in loop.notes)}{_body(loop.region)}"
    )
    for child in loop.children:
        yield from _loop(child)


def _body(region: Region | None) -> str:
    """What a walk over a loop's body has counted."""
    if region is None:
        return ""
    loads = sum(access.copies for access in region.accesses if not access.write)
    stores = sum(access.copies for access in region.accesses if access.write)
    counts = (region.live_bits, region.branches, region.copies_made, loads, stores)
    return f" body {' '.join(map(number, counts))}{' chained' * region.chained}"


def write() -> None:
    """Write the figures anew."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for case in cases():
        found.setdefault(case.subject, {})[case.name] = {name: figures(made) for name, made in case.estimates()}
    FIGURES.mkdir(exist_ok=True)
    for subject, by_case in found.items():
        text = json.dumps(by_case, indent=1, ensure_ascii=False)
        (FIGURES / f"{subject}.json").write_text(text + "\n", encoding="utf-8")
