"""C++ generators: schedule, compile and time one like a Python pipeline (`build` makes the program first)."""

from __future__ import annotations

import base64
import os
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from typing import Any

from ...errors import HwmlError
from ...files import read_bytes
from ...leftovers import scratch_folder
from ...processes import kill_group, start
from ...tools import find_tool
from ..machine import this_machine
from ..toolkit import AUTOSCHEDULER, halide_folder, plugin_path
from .build import (
    CLOCK_SOURCE,
    BuildOptions,
    build_generator,
    clock_object,
    compile_cpp,
    compiler,
    library_environment,
    runner_object,
)  # fmt: skip
from .failures import TOO_LONG, kind_of_text
from .measure import (
    BENCHMARK_LIMIT_S,
    COMPILE_LIMIT_S,
    WALL,
    WALL_FACTOR,
    Search,
    Timing,
    TimingRule,
    benchmark_alone,
    clock_for,
    describe,
)
from .targets import generator_names

_BENCHMARK = re.compile(r"produces best case of ([0-9.eE+-]+) sec/iter")
OWN_SCHEDULE_LEFT_OUT = "hwml: own schedule left out"
_SIZES = re.compile(r"^hwml: sized (.+)\n", re.M)
_OUTPUT_BYTES = 1 << 16  # of what a program wrote, the end
# Each starts from nothing, so that no pages and no clock of the one before are part of the next.
_RUNS = 5
_MOST_RUNS = 20  # where others keep the machine busy: until the three fastest agree, or this long
_MOST_S = 15.0
_AGREE = TimingRule().agree


def prepare(source: str | Path, name: str = "", options: BuildOptions | None = None) -> tuple[str, str]:
    """Build what sampling a generator needs, before any sample is tried: the program's path and the registered name.

    `name` may be empty, or another word, where the source registers one generator only. Raises ToolNotFoundError
    without a compiler, ToolFailedError with the compiler's words, HwmlError when the name is not one of several.
    """
    registered = registered_name(source, name)
    program = build_generator(source, (options or BuildOptions()).checked())
    runner_object()
    return str(program), registered


def registered_name(source: str | Path, name: str = "") -> str:
    """The generator that is meant: `name` where it is registered, else the only one. Raises HwmlError."""
    names = generator_names(source)
    if name in names or (name and not names):
        return name
    if len(names) == 1:
        return names[0]
    if not names:
        raise HwmlError(f"{source}: registers no generator (HALIDE_REGISTER_GENERATOR); name one with --name")
    asked = f", not {name!r}" if name else ""
    raise HwmlError(f"{source}: registers {', '.join(names)}{asked}; give one of these with --name")


def measure_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.measure_sample`, for the generator program `job["program"]` and its pipeline `job["generator"]`."""
    with scratch_folder() as folder:
        answer = _scheduled(job, folder)
        if answer["schedule_digest"] in job["known"]:
            return {name: value for name, value in answer.items() if name != "featurization"} | {"duplicate": True}
        return answer | _timed(_link(folder, job), job) | {"duplicate": False}


def schedule_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.schedule_only`, for a generator."""
    with scratch_folder() as folder:
        return _scheduled(job, folder)


def measure_other_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.measure_other`, for a generator."""
    with scratch_folder() as folder:
        arguments: list[str | Path] = []
        if job["scheduler"]:
            arguments = ["-p", plugin_path(job["scheduler"]), f"autoscheduler={job['scheduler']}"]
            arguments.append(f"autoscheduler.parallelism={job['num_cores']}")
        _generate(job, arguments, "static_library,c_header,registration", folder)
        return _timed(_link(folder, job), job)


def _scheduled(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    arguments: list[str | Path] = ["-p", plugin_path(), *_search_arguments(Search(**job["search"]), folder)]
    said = _generate(job, arguments, "static_library,c_header,registration,schedule,featurization", folder)
    made = folder / "sampled.featurization"
    if not made.is_file():
        raise HwmlError(f"{job['generator']}: nothing to schedule: the generator wrote no featurization (no output?)")
    featurization = read_bytes(made)
    schedules = sorted(folder.glob("*.schedule.h"))
    return describe(featurization) | {
        "featurization": base64.b64encode(featurization).decode(),
        "schedule": schedules[0].read_text(encoding="utf-8", errors="replace") if schedules else "",
        "own_schedule": "left out" if OWN_SCHEDULE_LEFT_OUT in said else "",
        "sizes": _SIZES.findall(said),
    }


def _generate(job: dict[str, Any], arguments: Sequence[str | Path], outputs: str, folder: Path) -> str:
    """Run the generator; returns what it printed."""
    command: list[str | Path] = [
        job["program"], "-g", job["generator"], "-f", "sampled", "-o", folder, f"target={job['halide_target']}",
        *job.get("generator_arguments", ()), *arguments, "-e", outputs,
    ]  # fmt: skip
    limit = job.get("compile_limit_s", COMPILE_LIMIT_S)
    environment = library_environment() | {"HWML_ESTIMATES": "\n".join(job.get("estimates", ()))}
    code, output = run_program(command, WALL_FACTOR * limit, environment, cpu_s=limit)
    if code != 0:
        raise HwmlError(_why(code, _SIZES.sub("", output), "the generator", limit))
    return output


def _why(code: int, output: str, who: str, limit_s: float) -> str:
    """Why a program failed: in its own words where it has any, told apart from a crash and from limits."""
    text = " ".join(output.split())
    ours = text.rfind("hwml: ")  # what generator_main.cpp said, from its beginning
    text = text[-500:] if ours < 0 else text[ours : ours + 500]
    how = f"signal {-code}" if code < 0 else f"status {code}"
    kind = kind_of_text(f"{how} {text}")
    if kind == "time":
        return f"{TOO_LONG}: {who} took over {limit_s:g} s and was ended"
    if kind == "memory":
        return f"{who} ran out of memory ({how}){': ' if text else ''}{text}"
    said = f": {text}" if text else ", and said nothing"
    return f"{who} {'crashed' if code < 0 else 'failed'} ({how}){said}"


def run_program(
    command: Sequence[str | Path],
    limit_s: float,
    env: Mapping[str, str],
    *,
    cpu_s: float = 0,
    stdin: Path | None = None,
) -> tuple[int, str]:
    """Exit status and the end of its output; -14 past `limit_s`. `cpu_s` bounds processor time, so that a busy machine
    costs nothing.

    The process stays in our group, so that whoever ends us ends it too. Its output goes to a file: a pipe would be held
    open by whatever it leaves running, and waited for.
    """
    with tempfile.TemporaryFile() as output, stdin.open("rb") if stdin else nullcontext(DEVNULL) as source:
        process = start(command, stdin=source, stdout=output, stderr=STDOUT, env=env, own_group=False)
        if cpu_s and sys.platform == "linux":
            import resource

            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (int(cpu_s), int(cpu_s) + 5))
        code = _wait(process, limit_s)
        output.seek(max(0, output.seek(0, os.SEEK_END) - _OUTPUT_BYTES))
        return code, output.read().decode("utf-8", errors="replace")


def _wait(process: Popen[bytes], limit_s: float) -> int:
    try:
        return process.wait(limit_s)
    except TimeoutExpired:
        kill_group(process)
        process.wait()
        return -14
    except BaseException:
        kill_group(process)
        process.wait()
        raise


def _search_arguments(search: Search, folder: Path) -> list[str]:
    options: dict[str, object] = {
        "parallelism": search.parallelism,
        "beam_size": search.beam_size,
        "random_dropout": search.random_dropout,
        "random_dropout_seed": search.random_dropout_seed,
    }
    if search.weights:
        path = folder / "search.weights"
        path.write_bytes(base64.b64decode(search.weights))
        options["weights_path"] = path
    return [f"autoscheduler={AUTOSCHEDULER}", *(f"autoscheduler.{name}={value}" for name, value in options.items())]


def _link(folder: Path, job: dict[str, Any]) -> Path:
    """The benchmark program of what was generated; for another machine with `$HWML_TARGET_CXX`."""
    program = folder / "bench"
    cxx = compiler()
    runner: tuple[str | Path, ...] = (runner_object(), clock_object())
    if os.environ.get("HWML_TARGET_CXX"):
        cxx = find_tool("c++", variable="HWML_TARGET_CXX", hint="it links for the machine that --run-with reaches")
        tools = halide_folder() / "share" / "tools"
        runner = ("-DHALIDE_NO_PNG", "-DHALIDE_NO_JPEG", "-I", tools, tools / "RunGenMain.cpp", CLOCK_SOURCE)
    compile_cpp(
        cxx,
        ["-std=c++17", "-O1", "-w", "-I", halide_folder() / "include", *runner,
         *sorted(folder.glob("*.registration.cpp")), *sorted(folder.glob("*.a")), *job.get("libraries", ()),
         "-o", program, "-ldl", "-lpthread"],
        job["generator"],
    )  # fmt: skip
    return program


def _timed(program: Path, job: dict[str, Any]) -> dict[str, Any]:
    with benchmark_alone(job["num_cores"]):
        timing = _time(program, job)
    load = 0.0
    with suppress(OSError):
        load = os.getloadavg()[0]
    return {"timing": asdict(timing), "machine": this_machine().to_json(), "load": load}


def _time(program: Path, job: dict[str, Any]) -> Timing:
    """Best of Halide's own benchmark over a few runs; how far the third best lies above the best is the noise.

    A run that others disturbed is too slow, never too fast: runs go on while the three fastest disagree.
    """
    clock = _clock(job["num_cores"], job.get("run_with", ""))
    environment = dict(os.environ) | run_environment(job["num_cores"], clock)
    arguments = ["--estimate_all", "--benchmarks=all", "--benchmark_min_time=0.05"]
    limit = job.get("benchmark_limit_s", BENCHMARK_LIMIT_S)
    times: list[float] = []
    end = time.perf_counter() + _MOST_S
    while len(times) < _RUNS or (len(times) < _MOST_RUNS and _noise(times) > _AGREE and time.perf_counter() < end):
        if job.get("run_with"):
            command = remote_command(job["run_with"], arguments, job["num_cores"])
            code, output = run_program(command, limit, environment, stdin=program)
        else:
            code, output = run_program([program, *arguments], limit, environment)
        found = _BENCHMARK.search(output)
        if code != 0 or found is None:
            raise HwmlError(_why(code, output, "the compiled pipeline", limit))
        times.append(float(found.group(1)) * 1e3)
    return Timing(min(times), sorted(times)[len(times) // 2], _noise(times), len(times), 1, clock)


def _noise(times: Sequence[float]) -> float:
    """How far the third fastest lies above the fastest."""
    best = sorted(times)
    return best[2] / best[0] - 1


def run_environment(num_cores: int, clock: str = "") -> dict[str, str]:
    """What a benchmark is told: its threads; one thread is timed by its processor time, so that others do not count."""
    return {"HL_NUM_THREADS": str(num_cores), "HWML_CLOCK": clock or _clock(num_cores)}


def _clock(num_cores: int, run_with: str = "") -> str:
    """Processor time is that of a process of this machine (`processor_clock.cpp`): what --run-with starts may be a
    client of where the work is done, or run on a system that has no such clock."""
    return WALL if run_with or sys.platform != "linux" else clock_for(num_cores)


def remote_command(run_with: str, arguments: Sequence[str], num_cores: int) -> list[str]:
    """The user's command (such as `ssh board` or `sh -c`) with a shell script as its last argument.

    The script takes the benchmark program from its standard input, runs it and removes it.
    """
    variables = " ".join(f"{name}={value}" for name, value in run_environment(num_cores, WALL).items())
    script = (
        'f=$(mktemp) && cat > "$f" && chmod +x "$f" && '
        f'{variables} "$f" {" ".join(map(shlex.quote, arguments))}; s=$?; rm -f "$f"; exit $s'
    )
    return [*shlex.split(run_with), script]
