"""The numeric description of a design that the learned correction works on: all of it from structure, none from text.

Names that start with `cf_` are the closed form itself. Counts, areas and cycles are stored as log2(1 + x), flags as 0
or 1. Renaming, comments and blank lines change nothing.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..closed_form.area import area_cost
from ..closed_form.design import estimate_source, make_options, make_target
from ..closed_form.estimate import Estimate, FunctionResult, LoopResult
from ..closed_form.memory import element_count
from ..program import ir
from ..program.facts import reached
from ..program.sizes import total_bits
from ..tool.labels import CONTEXT, RESOURCES

FEATURE_VERSION = 4

_CLASSES = (
    "fadd", "fmul", "fdiv", "fother", "dadd", "dmul", "ddiv", "dother", "imul", "idiv", "hany",
)  # fmt: skip
_SHARED = tuple(f"shared_{name}" for name in _CLASSES)
_UNSHARED = tuple(f"unshared_{name}" for name in _CLASSES)
_CLOSED = ("cf_lut", "cf_dsp", "cf_ff", "cf_bram_18k", "cf_latency_cycles")
_AREA = (
    "un_lut", "un_dsp", "un_ff", "plain_lut", "plain_dsp", "registers", "control_lut", "control_ff", "mux_lut",
)  # fmt: skip
_MEMORY = (
    "local_arrays", "local_bits", "local_banks", "local_largest_bits", "param_arrays", "param_bits", "m_axi_ports",
    "fifos", "register_arrays", "memory_lut", "memory_ff",
)  # fmt: skip
_LOOPS = (
    "loops", "loops_pipelined", "loops_plain", "loops_unknown", "loops_parallel", "loops_coarse", "nest_depth",
    "trips_total", "max_ii", "mean_ii", "max_depth", "main_share", "main_trips", "main_ii", "main_depth", "main_copies",
    "bound_ports_share", "bound_recurrence_share", "guess_share", "plain_share", "unroll_log_sum", "unroll_max",
    "latency_ii1", "latency_innermost", "entries_overhead", "flattened", "automatic", "refused",
)  # fmt: skip
_PRAGMAS = (
    "pragma_pipeline", "pragma_pipeline_off", "pragma_unroll", "pragma_partition", "pragma_reshape", "pragma_complete",
    "pragma_cyclic", "pragma_block", "pragma_inline", "pragma_bind_op", "pragma_bind_storage", "pragma_dataflow",
    "pragma_interface", "pragma_stream", "pragma_flatten", "pragma_parallel", "pragma_tile", "pragma_dependence",
    "pragma_balance_off", "bind_fabric", "bind_dsp", "partition_log_sum", "reshape_log_sum", "tile_log_sum",
    "parallel_log_sum",
)  # fmt: skip
_PROGRAM = (
    "functions", "calls", "dataflow", "interval", "accesses", "accesses_written", "branches", "live_bits", "static_ops",
    "float_share", "double_share", "scalar_params", "stmts",
)  # fmt: skip

# What makes an estimate unsure, and is no part of the hardware: trip counts that the source only tells or that differ
# from entry to entry, IIs that are guesses, loops that are copies, code that was not read.
_CERTAINTY = ("trips_told", "trips_vary", "loops_guessed", "loops_unrolled", "unread")

FEATURE_NAMES: tuple[str, ...] = (
    *_CLOSED, *_SHARED, *_UNSHARED, *_AREA, *_MEMORY, *_LOOPS, *_PRAGMAS, *_PROGRAM, *CONTEXT, *_CERTAINTY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """values: float32 [len(FEATURE_NAMES)]. closed_form: counts and cycles by target (None when unknown)."""

    values: NDArray[np.float32]
    closed_form: Mapping[str, float | None]


def extract(
    source: str,
    *,
    files: Mapping[str, str] | None = None,
    top: str | None = None,
    part: str,
    clock_period_ns: float,
    tool: str,
    tool_version: str,
    stage: str,
    defines: Mapping[str, str] | None = None,
    unsafe_math: bool = False,
) -> FeatureRow:
    """Features of a design given as text. Raises SourceError (no function, unknown top), ConfigError (part, tool)."""
    target = make_target(part, clock_period_ns, tool, tool_version, unsafe_math=unsafe_math, stage=stage)
    estimate = estimate_source(
        source, files=files, top=top, defines=defines, target=target, options=make_options(target)
    )
    return features_of(estimate)


def features_of(estimate: Estimate) -> FeatureRow:
    """Features of an estimated design; where a figure is unknown, they hold the nominal one."""
    values: dict[str, float] = {}
    for name in RESOURCES:
        values[f"cf_{name}"] = _log(getattr(estimate, name))
    known = estimate.latency_cycles  # 0 of what is done within a state
    values["cf_latency_cycles"] = _log(estimate.nominal_cycles if known is None else known)
    _area(estimate, values)
    functions = list(_functions(estimate.top))
    loops = [item for function in functions for item in _loops(function.loops, 1)]
    _memory(estimate, functions, values)
    _loop_features(estimate, loops, values)
    _pragma_features(estimate, values)
    _program_features(estimate, functions, loops, values)
    _context(estimate, values)
    _certainty(estimate, functions, loops, values)
    row = np.array([values.get(name, 0.0) for name in FEATURE_NAMES], dtype=np.float32)
    return FeatureRow(np.nan_to_num(row, nan=0.0, posinf=120.0, neginf=0.0), estimate.figures())


def _log(value: float) -> float:
    return math.log2(1.0 + max(value, 0.0))


def _class_of(kind: str, type_: ir.CType) -> str:
    kind = kind.partition("@")[0]
    name = type_.element.kind if type_.kind == "vector" and type_.element is not None else type_.kind
    if name == "half":
        return "hany"
    if name in ("float", "double"):
        return name[0] + (kind if kind in ("add", "mul", "div") else "other")
    return "idiv" if kind.startswith(("div", "mod")) else "imul"


def _area(estimate: Estimate, values: dict[str, float]) -> None:
    for prefix, area in (("shared", estimate.area), ("unshared", estimate.unshared)):
        units: dict[str, float] = defaultdict(float)
        for (kind, type_), count in area.shared.items():
            units[_class_of(kind, type_)] += count
        for name in _CLASSES:
            values[f"{prefix}_{name}"] = _log(units[name])
    cost = area_cost(estimate.unshared, estimate.target)
    values["un_lut"], values["un_dsp"], values["un_ff"] = _log(cost.lut), _log(cost.dsp), _log(cost.ff)
    for name in ("plain_lut", "plain_dsp", "registers", "control_lut", "control_ff", "mux_lut"):
        values[name] = _log(getattr(estimate.area, name))


def _functions(top: FunctionResult) -> Iterator[FunctionResult]:
    seen: set[int] = set()
    pending = [top]
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending.extend(call.callee for call in current.calls)


def _loops(results: list[LoopResult], depth: int) -> Iterator[tuple[LoopResult, int]]:
    for result in results:
        yield result, depth
        yield from _loops(result.children, depth + 1)


def _memory(estimate: Estimate, functions: list[FunctionResult], values: dict[str, float]) -> None:
    bits = [item.bits for item in estimate.top.memory.values()]
    values["local_arrays"] = _log(len(bits))
    values["local_bits"] = _log(sum(bits))
    values["local_largest_bits"] = _log(max(bits, default=0.0))
    values["memory_lut"] = _log(sum(item.lut for item in estimate.top.memory.values()))
    values["memory_ff"] = _log(sum(item.ff for item in estimate.top.memory.values()))
    params = [var for var in estimate.top.function.params if var.dims or var.type.pointer]
    values["param_arrays"] = _log(len(params))
    values["param_bits"] = _log(sum((element_count(var) or 1) * total_bits(var.type) for var in params))
    pragmas = [p for p in estimate.program.pragmas if p.dialect == "HLS"]
    values["m_axi_ports"] = _log(sum("m_axi" in p.text for p in pragmas if p.kind == "INTERFACE"))
    variables = [v for f in functions for v in f.function.variables.values()]
    values["fifos"] = _log(sum(v.type.kind == "stream" for v in variables))
    values["register_arrays"] = _log(sum(item.ff == item.bits > 0 for item in estimate.top.memory.values()))
    values["local_banks"] = _log(estimate.bram_18k)


def _loop_features(estimate: Estimate, loops: list[tuple[LoopResult, int]], values: dict[str, float]) -> None:
    leaves = [item for item, _ in loops if item.ii is not None or not item.children]
    leaves = [item for item in leaves if not item.flattened]
    weight = {id(item): max(item.cycles, 1.0) * _entries(item, loops) for item in leaves}
    total = max(sum(weight.values()), 1.0)

    def share(chosen: list[LoopResult]) -> float:
        return sum(weight[id(item)] for item in chosen) / total

    pipelined = [item for item in leaves if item.ii is not None]
    values.update(
        loops=_log(len(loops)),
        loops_pipelined=_log(len(pipelined)),
        loops_plain=_log(sum(item.ii is None for item, _ in loops)),
        loops_unknown=_log(sum(not item.known for item, _ in loops)),
        loops_parallel=_log(sum(item.plan.parallel > 1 for item, _ in loops)),
        loops_coarse=_log(sum(item.plan.coarse for item, _ in loops)),
        nest_depth=float(max((depth for _, depth in loops), default=0)),
        trips_total=_log(sum(item.trips * _entries(item, loops) for item in leaves)),
        max_ii=_log(max((item.ii or 1 for item in pipelined), default=0)),
        mean_ii=_log(sum((item.ii or 1) * weight[id(item)] for item in pipelined) / total),
        max_depth=_log(max((item.depth for item in leaves), default=0)),
        bound_ports_share=share([i for i in pipelined if "port" in i.bound.by]),
        bound_recurrence_share=share([i for i in pipelined if "recurrence" in i.bound.by]),
        guess_share=share([i for i in pipelined if i.bound.guess]),
        plain_share=share([i for i in leaves if i.ii is None]),
        unroll_log_sum=sum(math.log2(max(item.plan.unroll, 1.0)) for item, _ in loops),
        unroll_max=_log(max((item.plan.unroll for item, _ in loops), default=1.0)),
        latency_ii1=_log(sum((item.trips + item.depth) * _entries(item, loops) for item in pipelined)),
        latency_innermost=_log(total),
        entries_overhead=_log(sum(_entries(item, loops) for item in leaves)),
        flattened=_log(sum(item.flattened for item, _ in loops)),
        automatic=_log(sum(item.plan.automatic for item, _ in loops)),
        refused=_log(sum(bool(item.notes) for item, _ in loops)),
    )
    if leaves:
        main = max(leaves, key=lambda item: weight[id(item)])
        values.update(
            main_share=weight[id(main)] / total,
            main_trips=_log(main.trips),
            main_ii=_log(main.ii or 0),
            main_depth=_log(main.depth),
            main_copies=_log(main.region.copies_made if main.region is not None else 1.0),
        )


def _entries(item: LoopResult, loops: list[tuple[LoopResult, int]]) -> float:
    """How often a loop is entered: the trips of the loops around it."""
    return item.entries if item.entries > 0 else 1.0


def _pragma_features(estimate: Estimate, values: dict[str, float]) -> None:
    count: Counter[str] = Counter()
    names = reached(estimate.program, estimate.top.function)
    for pragma in estimate.program.pragmas:
        owner = pragma.owner
        if owner is None or (owner.function if isinstance(owner, ir.Loop) else owner.name) not in names:
            continue  # of a kernel beside this one
        options = pragma.options
        kind = pragma.kind
        factor = pragma.whole("factor") or 1
        if kind == "PIPELINE":
            count["pragma_pipeline_off" if "off" in options else "pragma_pipeline"] += 1
            count["pragma_flatten"] += "flatten" in options
        elif kind == "UNROLL":
            count["pragma_unroll"] += factor != 1
        elif kind in ("ARRAY_PARTITION", "ARRAY_RESHAPE"):
            name = "partition" if kind == "ARRAY_PARTITION" else "reshape"
            count[f"pragma_{name}"] += 1
            style = options.get("type") or next((k for k in ("cyclic", "block") if k in options), "complete")
            count[f"pragma_{style.lower()}"] += 1
            values[f"{name}_log_sum"] = values.get(f"{name}_log_sum", 0.0) + math.log2(max(factor, 1))
        elif kind == "BIND_OP":
            count["pragma_bind_op"] += 1
            count["bind_fabric"] += options.get("impl", "").lower() in ("fabric", "nodsp")
            count["bind_dsp"] += "dsp" in options.get("impl", "").lower() and "nodsp" not in options.get("impl", "")
        elif kind in ("PARALLEL", "TILE"):
            count[f"pragma_{kind.lower()}"] += factor != 1
            values[f"{kind.lower()}_log_sum"] = values.get(f"{kind.lower()}_log_sum", 0.0) + math.log2(max(factor, 1))
        elif kind == "EXPRESSION_BALANCE":
            count["pragma_balance_off"] += "off" in options
        else:
            count[f"pragma_{kind.lower()}"] += 1
    for name in _PRAGMAS:
        if not name.endswith("_log_sum"):
            values[name] = _log(count[name])


def _program_features(
    estimate: Estimate,
    functions: list[FunctionResult],
    loops: list[tuple[LoopResult, int]],
    values: dict[str, float],
) -> None:
    regions = [item.region for item, _ in loops if item.region is not None]
    counts: dict[str, float] = defaultdict(float)
    for region in regions:
        for (kind, type_), number in region.counts.items():
            del kind
            counts[type_.kind] += number
    operators = sum(counts.values())
    accesses = [access for region in regions for access in region.accesses]
    values.update(
        functions=_log(len(functions)),
        calls=_log(sum(len(function.calls) for function in functions)),
        dataflow=float(any(function.dataflow for function in functions)),
        interval=_log(estimate.top.interval),
        accesses=_log(sum(access.copies for access in accesses if not access.write)),
        accesses_written=_log(sum(access.copies for access in accesses if access.write)),
        branches=_log(sum(region.branches for region in regions)),
        live_bits=_log(sum(region.live_bits for region in regions)),
        static_ops=_log(operators),
        float_share=counts["float"] / max(operators, 1.0),
        double_share=counts["double"] / max(operators, 1.0),
        scalar_params=_log(sum(not var.dims and not var.type.pointer for var in estimate.top.function.params)),
        stmts=_log(sum(len(list(ir.statements_of(function.function.body))) for function in functions)),
    )


def _certainty(
    estimate: Estimate,
    functions: list[FunctionResult],
    loops: list[tuple[LoopResult, int]],
    values: dict[str, float],
) -> None:
    trips = [item.trip for item, _ in loops]
    values.update(
        trips_told=_log(sum(trip.source != "bounds" for trip in trips)),
        trips_vary=_log(sum(trip.source == "bounds" and not trip.constant for trip in trips)),
        loops_guessed=_log(sum(item.ii is not None and item.bound.guess for item, _ in loops)),
        loops_unrolled=_log(sum(len(function.unrolled) for function in functions)),
        unread=_log(len(estimate.unknown.of("lut"))),
    )


def _context(estimate: Estimate, values: dict[str, float]) -> None:
    target = estimate.target
    values.update(
        clock_ns=target.clock_period_ns,
        year=target.year - 2000.0,
        family_7series=float(target.family == "7series"),
        merlin=float(target.behaviour.merlin),
        impl=float(target.stage == "impl"),
        unsafe_math=float(target.unsafe_math),
        vivado_old=float(target.behaviour.vivado_core),
    )
