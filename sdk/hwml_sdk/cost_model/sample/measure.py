"""One schedule of one Python pipeline: schedule it, compile it, time it. Runs in a process of its own.

Compiling goes on in parallel; timing takes a lock that all hwml processes of the machine share, and a pinned core.
"""

from __future__ import annotations

import base64
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import HwmlError
from ...files import locked
from ...leftovers import scratch_folder
from ..data.samples import Sample, parse_featurization
from ..machine import this_machine
from ..toolkit import AUTOSCHEDULER, halide_version, plugin_path
from .targets import Target, build_pipeline

COMPILE_LIMIT_S = 300
"""of processor time: how busy the machine is does not count"""
BENCHMARK_LIMIT_S = 30
WALL_FACTOR = 4
"""what may pass by the clock for a second of processor time that is allowed"""


WALL, PROCESSOR = "wall", "processor"


@dataclass(frozen=True, slots=True)
class Search:
    """Settings of the adams2019 search (names are the plug-in's)."""

    parallelism: int = 1
    beam_size: int = 1
    random_dropout: int = 1
    random_dropout_seed: int = 0
    weights: str = ""
    """base64 of a `.weights` file; empty: those embedded in Halide"""


@dataclass(frozen=True, slots=True)
class Timing:
    """Run times of one schedule, in milliseconds."""

    runtime_ms: float
    """the smallest"""
    median_ms: float
    noise: float
    """how far the third smallest block lies above the smallest, relative"""
    n_blocks: int
    calls_per_block: int
    clock: str = WALL
    """`PROCESSOR` where one thread was timed by the processor time it took: others on the machine do not count"""


@dataclass(frozen=True, slots=True)
class TimingRule:
    """How long to measure: blocks of calls until the three smallest agree, or the time is used up."""

    block_ms: float = 1.0
    min_blocks: int = 8
    max_s: float = 0.6
    agree: float = 0.02


def time_calls(call: Callable[[], None], rule: TimingRule = TimingRule(), *, clock: str = WALL) -> Timing:
    """Minimum over blocks of calls; a noisy machine gets more blocks, up to `rule.max_s`."""
    now = time.process_time if clock == PROCESSOR else time.perf_counter
    call()
    once = _elapsed(call, 1, now)
    calls = max(1, min(1000, int(rule.block_ms / max(once, 1e-4))))
    blocks: list[float] = []
    end = time.perf_counter() + rule.max_s
    while True:
        blocks.append(_elapsed(call, calls, now) / calls)
        best = sorted(blocks)[:3]
        agreed = len(best) == 3 and best[2] <= best[0] * (1 + rule.agree)
        late = time.perf_counter() > end
        if (len(blocks) >= rule.min_blocks and agreed) or (late and len(blocks) >= 3):
            break
    noise = best[2] / best[0] - 1
    return Timing(best[0], float(np.median(blocks)), noise, len(blocks), calls, clock)


def clock_for(num_cores: int) -> str:
    """One thread is timed by its processor time; several need the clock on the wall."""
    return PROCESSOR if num_cores == 1 else WALL


def _elapsed(call: Callable[[], None], count: int, now: Callable[[], float]) -> float:
    start = now()
    for _ in range(count):
        call()
    return (now() - start) * 1e3


@contextmanager
def benchmark_alone(num_threads: int) -> Iterator[None]:
    """Hold the machine's benchmark lock, pinned to the last `num_threads` cores (where the system can do that)."""
    user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    with locked(Path(os.environ.get("HWML_SHARED_TMP") or tempfile.gettempdir()), f"hwml-benchmark-{user}"):
        before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
        if before is not None:
            os.sched_setaffinity(0, sorted(before)[-num_threads:])
        try:
            yield
        finally:
            if before is not None:
                os.sched_setaffinity(0, before)


@contextmanager
def time_limit(seconds: float, what: str, *, cpu_s: float = 0) -> Iterator[None]:
    """Let the system end this process when `what` takes over `seconds`: also inside compiled code.

    `cpu_s`, if any, bounds the processor time as well. What is going on is written to stderr first, for whoever finds
    the process ended.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return
    limits = f"{cpu_s:g} s of processor time, {seconds:g} s in all" if cpu_s else f"{seconds:g} s"
    sys.stderr.write(f"({what}, limit {limits})\n")
    sys.stderr.flush()
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def compile_limit(job: dict[str, Any], what: str) -> AbstractContextManager[None]:
    """The limit of a job on scheduling and compiling: of processor time, and a generous one by the clock."""
    seconds = job.get("compile_limit_s", COMPILE_LIMIT_S)
    return time_limit(WALL_FACTOR * seconds, what, cpu_s=seconds)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the search returned for a pipeline."""

    featurization: bytes
    source: str
    """the schedule as C++"""
    seconds: float


def schedule(pipeline: Any, search: Search, halide_target: str = "host") -> Scheduled:
    """Apply adams2019 to a halide.Pipeline. Raises HwmlError with Halide's words."""
    import halide

    halide.load_plugin(str(plugin_path()))
    options = {
        "parallelism": str(search.parallelism),
        "beam_size": str(search.beam_size),
        "random_dropout": str(search.random_dropout),
        "random_dropout_seed": str(search.random_dropout_seed),
    }
    start = time.perf_counter()
    with scratch_folder() as folder:
        if search.weights:
            path = folder / "search.weights"
            path.write_bytes(base64.b64decode(search.weights))
            options["weights_path"] = str(path)
        try:
            result = pipeline.apply_autoscheduler(
                halide.Target(halide_target), halide.AutoschedulerParams(AUTOSCHEDULER, options)
            )
        except (halide.HalideError, RuntimeError) as error:
            raise HwmlError(f"Halide cannot schedule it: {_one_line(error)}") from error
    return Scheduled(bytes(result.featurization), str(result.schedule_source), time.perf_counter() - start)


def compile_call(pipeline: Any, halide_target: str, seed: int) -> Callable[[], None]:
    """Compile a pipeline and bind it to random inputs of the estimated sizes. Raises HwmlError with Halide's words."""
    import halide

    try:
        arguments = pipeline.infer_arguments()
        function = pipeline.compile_to_callable(arguments, halide.Target(halide_target))
        random = np.random.default_rng(seed)
        values = [_argument(argument, random) for argument in arguments]
        outputs = [_output(image.parameter()) for func in pipeline.outputs() for image in _images(func)]
    except (halide.HalideError, RuntimeError) as error:
        raise HwmlError(f"Halide cannot compile it: {_one_line(error)}") from error

    def call() -> None:
        try:
            function(*values, *outputs)
        except (halide.HalideError, RuntimeError) as error:
            raise HwmlError(f"the pipeline failed at run time: {_one_line(error)}") from error

    return call


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]


def _images(func: Any) -> list[Any]:
    count = len(func.types())
    return list(func.output_buffers()) if count > 1 else [func.output_buffer()]


def _argument(argument: Any, random: np.random.Generator) -> Any:
    """A buffer of the estimated extents filled with random numbers, or the estimate of a scalar."""
    import halide

    if argument.dimensions == 0 and argument.kind == halide.ArgumentKind.InputScalar:
        return halide.evaluate(argument.argument_estimates.scalar_estimate)
    ranges = argument.argument_estimates.buffer_estimates
    buffer = _buffer(
        argument.type, [(halide.evaluate(item.min), halide.evaluate(item.extent)) for item in ranges], interleaved=False
    )
    _fill(np.array(buffer, copy=False), random)
    return buffer


def _output(parameter: Any) -> Any:
    import halide

    ranges = [
        (
            halide.evaluate(parameter.min_constraint_estimate(d)),
            halide.evaluate(parameter.extent_constraint_estimate(d)),
        )
        for d in range(parameter.dimensions())
    ]
    stride = parameter.stride_constraint(0) if ranges else None
    interleaved = stride is not None and stride.defined() and len(ranges) == 3 and halide.evaluate(stride) != 1
    return _buffer(parameter.type(), ranges, interleaved=interleaved)


def _buffer(kind: Any, ranges: list[tuple[int, int]], *, interleaved: bool) -> Any:
    import halide

    extents = [extent for _, extent in ranges]
    buffer = halide.Buffer.make_interleaved(kind, *extents) if interleaved else halide.Buffer(kind, extents)
    buffer.set_min([low for low, _ in ranges])
    return buffer


def _fill(values: np.ndarray[Any, Any], random: np.random.Generator) -> None:
    """Floats from [0, 1); integers from their whole range up to 1023, so that sums and tables stay sensible."""
    if values.dtype.kind == "f":
        values[...] = random.random(values.shape, dtype=np.float32).astype(values.dtype)
    elif values.dtype.kind == "b":
        values[...] = random.random(values.shape) < 0.5
    else:
        values[...] = random.integers(0, min(1023, np.iinfo(values.dtype).max) + 1, values.shape).astype(values.dtype)


def measure_sample(job: dict[str, Any]) -> dict[str, Any]:
    """Schedule, compile and time one sample (the function an Executor runs).

    `job`: target (kind, place, function), search, halide_target, num_cores, known (schedule digests), compile_limit_s,
    benchmark_limit_s. Returns featurization (base64), schedule source, timing, machine; only the digest when the
    schedule is known already. Raises HwmlError when the pipeline cannot be built, scheduled or run.
    """
    os.environ["HL_NUM_THREADS"] = str(job["num_cores"])
    search = Search(**job["search"])
    with compile_limit(job, "scheduling and compiling"):
        pipeline = build_pipeline(Target(**job["target"]))
        scheduled = schedule(pipeline, search, job["halide_target"])
        answer = describe(scheduled.featurization)
        if answer["schedule_digest"] in job["known"]:
            return answer | {"duplicate": True}
        call = compile_call(pipeline, job["halide_target"], search.random_dropout_seed)
    return (
        answer
        | _timed(call, job)
        | {
            "duplicate": False,
            "featurization": base64.b64encode(scheduled.featurization).decode(),
            "schedule": scheduled.source,
        }
    )


def schedule_only(job: dict[str, Any]) -> dict[str, Any]:
    """Schedule without compiling; takes and returns what `measure_sample` does, less the timing."""
    with compile_limit(job, "scheduling"):
        scheduled = schedule(build_pipeline(Target(**job["target"])), Search(**job["search"]), job["halide_target"])
    return describe(scheduled.featurization) | {
        "featurization": base64.b64encode(scheduled.featurization).decode(),
        "schedule": scheduled.source,
    }


def measure_other(job: dict[str, Any]) -> dict[str, Any]:
    """Compile and time a pipeline with another autoscheduler (`job["scheduler"]`), or as it was written (empty)."""
    os.environ["HL_NUM_THREADS"] = str(job["num_cores"])
    with compile_limit(job, "scheduling and compiling"):
        pipeline = build_pipeline(Target(**job["target"]))
        if job["scheduler"]:
            _apply_other(pipeline, job["scheduler"], job["num_cores"], job["halide_target"])
        call = compile_call(pipeline, job["halide_target"], 1)
    return _timed(call, job)


def _apply_other(pipeline: Any, scheduler: str, num_cores: int, halide_target: str) -> None:
    import halide

    halide.load_plugin(str(plugin_path(scheduler)))
    parameters = halide.AutoschedulerParams(scheduler, {"parallelism": str(num_cores)})
    try:
        pipeline.apply_autoscheduler(halide.Target(halide_target), parameters)
    except (halide.HalideError, RuntimeError) as error:
        raise HwmlError(f"Halide cannot schedule it: {_one_line(error)}") from error


def _timed(call: Callable[[], None], job: dict[str, Any]) -> dict[str, Any]:
    limit = time_limit(job.get("benchmark_limit_s", BENCHMARK_LIMIT_S), "running the pipeline")
    with benchmark_alone(job["num_cores"]), limit:
        timing = time_calls(call, clock=clock_for(job["num_cores"]))
    load = 0.0
    with suppress(OSError):
        load = os.getloadavg()[0]
    return {"timing": asdict(timing), "machine": this_machine().to_json(), "load": load}


def describe(featurization: bytes) -> dict[str, Any]:
    """Digests of a featurization's schedule and pipeline, its sizes, and the Halide version."""
    schedule_features, pipeline_features = parse_featurization(featurization, path="Halide's featurization")
    sample = Sample(schedule_features, pipeline_features, 1.0, 0, 0)
    return {
        "schedule_digest": sample.schedule_digest(),
        "pipeline_digest": sample.pipeline_digest(),
        "points": sample.points(),
        "halide": halide_version(),
    }
