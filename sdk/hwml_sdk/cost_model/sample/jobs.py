"""One sample as a job for the executor: what both the sampler and `autoschedule` hand to their processes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ...errors import HwmlError
from ...executor import Limits
from ..machine import this_machine
from ..toolkit import halide_folder
from .build import BuildOptions
from .measure import BENCHMARK_LIMIT_S, COMPILE_LIMIT_S, WALL_FACTOR, Search
from .targets import Target, check_halide_target, registered_by

LEAST_MEMORY_BYTES = 4 << 30
_SHARE = 0.8  # of the machine's memory, for all samples together
_ESTIMATE = re.compile(r"[A-Za-z_][\w.]*=-?[\d.]+([x:]-?[\d.]+)*")
_ARGUMENT = re.compile(r"[A-Za-z_][\w.]*=.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What samples of a target need and may take."""

    halide_target: str = "host"
    generator: str = ""
    """registered name, where a C++ source registers several"""
    generator_arguments: tuple[str, ...] = ()
    """`NAME=VALUE`"""
    estimates: tuple[str, ...] = ()
    """`NAME=EXTENTxEXTENT...` of a generator's inputs and outputs (a scalar: its value), over what its source says"""
    build: BuildOptions = field(default_factory=BuildOptions)
    compile_limit_s: int = COMPILE_LIMIT_S
    """processor time for scheduling and compiling one sample"""
    benchmark_limit_s: int = BENCHMARK_LIMIT_S
    memory_bytes: int = 0
    """address space of one sample; 0: by the machine's memory and the number of workers"""
    run_with: str = ""
    """command that runs a generator's benchmark elsewhere, such as `ssh board`"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A target that is ready to be sampled."""

    target: Target
    options: JobOptions
    program: str = ""
    """built generator, for a C++ target"""
    generator: str = ""

    def function(self, what: Literal["measure", "schedule", "other"]) -> str:
        """The executor's name of a function: measure a schedule, only make one, or time another autoscheduler's."""
        python = {"measure": "measure_sample", "schedule": "schedule_only", "other": "measure_other"}
        cpp = {name: f"{name}_generator" for name in ("measure", "schedule")} | {"other": "measure_other_generator"}
        place = f"generator:{cpp[what]}" if self.program else f"measure:{python[what]}"
        return f"hwml_sdk.cost_model.sample.{place}"

    def job(self, search: Search, num_cores: int, *, known: Sequence[str] = (), scheduler: str = "") -> dict[str, Any]:
        """One item for these functions."""
        options = self.options
        return {
            "target": asdict(self.target),
            "program": self.program,
            "generator": self.generator,
            "generator_arguments": list(options.generator_arguments),
            "estimates": list(options.estimates),
            "libraries": list(options.build.checked().libraries),
            "search": asdict(search),
            "scheduler": scheduler,
            "halide_target": options.halide_target,
            "num_cores": num_cores,
            "known": list(known),
            "compile_limit_s": options.compile_limit_s,
            "benchmark_limit_s": options.benchmark_limit_s,
            "run_with": options.run_with,
        }

    def sized(self, sizes: Sequence[str]) -> Prepared:
        """With the sizes that a search found: a generator may set its estimates for autoschedulers only."""
        estimates = self.options.estimates
        named = {text.partition("=")[0] for text in estimates}
        more = tuple(text for text in sizes if text.partition("=")[0] not in named)
        return replace(self, options=replace(self.options, estimates=(*estimates, *more)))


def prepare(target: Target, options: JobOptions, name: str = "") -> Prepared:
    """Check the options and build what is to be built, before any sample is tried.

    `name`: what the samples are called; of a source that registers several generators it may say which. Raises
    HwmlError, ToolNotFoundError without a compiler, ToolFailedError with its words.
    """
    halide_folder()
    check_halide_target(options.halide_target, target, options.run_with)
    if options.compile_limit_s < 1 or options.benchmark_limit_s < 1 or options.memory_bytes < 0:
        raise HwmlError("limits on time must be at least 1 s, on memory not negative")
    for argument in options.generator_arguments:
        if not _ARGUMENT.fullmatch(argument):
            raise HwmlError(f"--generator-argument {argument}: NAME=VALUE was expected")
    for estimate in options.estimates:
        if not _ESTIMATE.fullmatch(estimate):
            raise HwmlError(
                f"--estimate {estimate}: NAME=1536x2560 (LOW:EXTENT for one that starts elsewhere) expected"
            )
    if target.kind != "cpp":
        if options.generator_arguments or options.estimates or options.build != BuildOptions() or options.generator:
            raise HwmlError(f"{target}: is no C++ generator: it takes no generator arguments, estimates, -I or --link")
        return Prepared(target, options)
    from . import generator

    wanted = options.generator or target.function or registered_by(target.place, name)
    program, registered = generator.prepare(target.place, wanted, options.build)
    return Prepared(target, options, program, registered)


def limits_of(options: JobOptions, workers: int) -> Limits:
    """Limits on the process of one sample of `workers` at a time; the clock's is for what its own limits miss."""
    waiting = options.benchmark_limit_s * (2 + 2 * max(workers, 1)) * 5
    return Limits(WALL_FACTOR * options.compile_limit_s + waiting + 120, memory_of(options, workers))


def memory_of(options: JobOptions, workers: int) -> int:
    """Address space in bytes that one of `workers` samples at a time may take."""
    if options.memory_bytes:
        return options.memory_bytes
    return max(LEAST_MEMORY_BYTES, int(_SHARE * machine_memory_bytes() / max(workers, 1)))


def machine_memory_bytes() -> int:
    """The memory of this machine or of its container; 8 GiB where nothing tells."""
    found = []
    if hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(found, default=8 << 30)


def workers_of(workers: int | None) -> int:
    """How many samples are made at a time."""
    return workers or this_machine().cores
