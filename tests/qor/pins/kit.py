"""What every pin uses: a snippet, a target, and the figures of the closed form.

Import paths of the closed form stand here only.

A pin names the settings it was derived for; the defaults are those of most derivations: ZU9EG (UltraScale+), 3.33 ns,
Vitis HLS 2023.2, stage csynth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hwml_sdk.qor.closed_form.design import estimate_source, make_options, make_target
from hwml_sdk.qor.closed_form.estimate import Estimate, FunctionResult, LoopResult

ZU9EG = "xczu9eg-ffvb1156-2-i"
ZYNQ = "xc7z020clg484-1"
U280 = "xcu280-fsvh2892-2L-e"
VERSAL = "xcvc1902-vsva2197-2MP-e-S"
OFF = "#pragma HLS pipeline off"


def closed(
    code: str,
    *,
    top: str | None = "top",
    part: str = ZU9EG,
    clock: float = 3.33,
    tool: str = "vitis_hls",
    version: str = "2023.2",
    stage: str = "csynth",
    unsafe_math: bool = False,
    files: Mapping[str, str] | None = None,
    defines: Mapping[str, str] | None = None,
    default_trip_count: int = 0,
    pipeline_loops: int | None = None,
) -> Estimate:
    """The closed form of a snippet. pipeline_loops: as in hls_config.cfg; None leaves the tool's own threshold (64)."""
    target = make_target(part, clock, tool, version, unsafe_math=unsafe_math, stage=stage)
    automatic = {} if pipeline_loops is None else {"pipeline_loops": pipeline_loops}
    options = make_options(target, default_trip_count=default_trip_count, **automatic)
    return estimate_source(
        code, path="k.cpp", top=top, target=target, options=options, files=files, defines=defines
    )  # fmt: skip


def standing(result: FunctionResult) -> Iterator[LoopResult]:
    """Loops that stay loops, callees' too; of a flattened nest the outermost, which stands for all."""
    pending = list(result.loops)
    while pending:
        loop = pending.pop(0)
        yield loop
        pending += [child for child in loop.children if not child.flattened]
    for call in result.calls:
        yield from standing(call.callee)


def loops(estimate: Estimate) -> dict[str, LoopResult]:
    """Standing loops by name; a flattened nest is `outer+inner`."""
    return {"+".join(item.name for item in loop.members): loop for loop in standing(estimate.top)}


def iis(estimate: Estimate) -> dict[str, int | None]:
    """II by loop; None: not pipelined."""
    return {name: loop.ii for name, loop in loops(estimate).items()}


def cores(estimate: Estimate) -> dict[str, float]:
    """Shareable operators as built: "mul int32" -> how many."""
    found: dict[str, float] = {}
    for (op, kind), units in estimate.area.shared.items():
        name = f"{op.partition(':')[0]} {kind.kind}{kind.width}"
        found[name] = found.get(name, 0.0) + units
    return found


def memories(estimate: Estimate) -> dict[str, tuple[float, float, float]]:
    """(BRAM18, LUT, FF) of each array of the top function."""
    return {var.name: (cost.bram_18k, cost.lut, cost.ff) for var, cost in estimate.top.memory.items()}


# Inputs and LUTs of entries in tables of multiplexers of csynth reports, 2020.2 to 2024.1.
_INPUTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 17, 25, 32, 118)
_LUTS = (0, 0, 9, 14, 20, 26, 31, 37, 43, 49, 54, 59, 65, 65, 81, 125, 148, 609)


def multiplexer(inputs: float) -> float:
    """LUTs of an entry of the table of multiplexers; `ap_NS_fsm` has one input more than there are states."""
    return float(np.interp(inputs, _INPUTS, _LUTS))
