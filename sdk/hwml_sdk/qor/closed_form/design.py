"""From source text and settings to an estimate: which function is the top, which target, which tool behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from ...errors import ConfigError
from ..program.tops import choose_top
from ..read.source import read_program
from ..tool.labels import STAGES
from ..tool.operators import Target
from ..tool.parts import find_part
from ..tool.releases import TOOLS, tool_year
from .estimate import Estimate, estimate_program
from .plan import PIPELINE_LOOPS, Options


# The same object each time: operators are kept by their target, and what is the same need not be compared.
@lru_cache(maxsize=256)
def make_target(
    part: str,
    clock_period_ns: float,
    tool: str,
    tool_version: str,
    *,
    unsafe_math: bool = False,
    stage: str = "csynth",
) -> Target:
    """Target for a part name. Raises ConfigError for an unknown part, tool, clock or stage."""
    if tool not in TOOLS:
        raise ConfigError(f"unknown tool {tool!r}; there are {', '.join(TOOLS)}")
    # Beyond this range the operators' tables say nothing.
    if not 0.5 <= clock_period_ns <= 1000:
        raise ConfigError(f"clock period {clock_period_ns!r} ns is outside 0.5 to 1000 ns")
    if stage not in STAGES:
        raise ConfigError(f"unknown stage {stage!r}; there are {', '.join(STAGES)}")
    return Target(find_part(part).family, clock_period_ns, tool, tool_year(tool_version), unsafe_math, stage)


def make_options(
    target: Target,
    *,
    default_trip_count: int = 0,
    pipeline_loops: int | None = PIPELINE_LOOPS,
    bus_latency: int | None = None,
) -> Options:
    """What the user may set, as far as the target's release knows it. pipeline_loops: 0 or None switches it off.

    bus_latency: of m_axi ports; None leaves it to the flow that the source looks like.
    """
    # A release that pipelines nothing by itself does not start to because a setting gives a threshold.
    automatic = pipeline_loops if target.behaviour.auto_pipeline and pipeline_loops else None
    return Options(automatic, default_trip_count, target.behaviour, bus_latency)


def estimate_source(
    source: str,
    *,
    path: str = "<text>",
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
    top: str | None = None,
    target: Target,
    options: Options | None = None,
) -> Estimate:
    """Read and estimate in one call."""
    program = read_program(source, path=path, files=files, include_dirs=include_dirs, defines=defines)
    chosen = choose_top(program, top)
    return estimate_program(program, chosen, target, options or make_options(target))
