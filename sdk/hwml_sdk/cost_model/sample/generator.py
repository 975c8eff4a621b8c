"""C++ generators: build one against the halide package, then schedule, compile and time it like a Python pipeline."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from subprocess import STDOUT
from typing import Any

from ...config import user_cache_dir
from ...errors import HwmlError, ToolFailedError, ToolNotFoundError
from ...files import read_bytes, read_source, replace_folder
from ...leftovers import scratch_folder
from ...processes import finish, start
from ...tools import find_tool
from ..machine import this_machine
from ..toolkit import (
    AUTOSCHEDULER,
    halide_folder,
    halide_version,
    library_folder,
    plugin_path,
    tools_folder,
)
from .measure import BENCHMARK_LIMIT_S, COMPILE_LIMIT_S, Search, Timing, benchmark_alone, describe
from .targets import generator_names

BUILD_LIMIT_S = 300
_BENCHMARK = re.compile(r"produces best case of ([0-9.eE+-]+) sec/iter")


def compiler() -> Path:
    """The C++ compiler: `$HWML_CXX`, or c++. Raises ToolNotFoundError that says what works without one."""
    return find_tool("c++", variable="HWML_CXX", hint="C++ generators need it; Python pipelines work without")


def build_generator(source: str | Path) -> Path:
    """Compile a generator, or take it from the cache (key: source, Halide version, compiler); returns the program.

    Raises SourceError, ToolNotFoundError, and ToolFailedError with the compiler's words.
    """
    text = read_source(source)
    cxx = compiler()
    key = hashlib.sha256("\0".join([text, str(Path(source).resolve()), halide_version(), str(cxx)]).encode())
    folder = user_cache_dir() / "halide-generators" / key.hexdigest()[:24]
    program = folder / "generator"
    if program.is_file():
        return program
    with replace_folder(folder) as temporary:
        library = library_folder()
        _compile(
            cxx,
            ["-std=c++17", "-O1", "-w", "-I", halide_folder() / "include", "-I", Path(source).resolve().parent,
             Path(source).resolve(), *_whole_archive(library / "libHalide_GenGen.a"), "-L", library, "-lHalide",
             f"-Wl,-rpath,{library}", "-ldl", "-lpthread", "-o", temporary / "generator"],
            source,
        )  # fmt: skip
    return program


def _whole_archive(archive: Path) -> list[str | Path]:
    """Link the archive that holds the generator's main function."""
    return [archive] if sys.platform == "darwin" else ["-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"]


def _runner_object() -> Path:
    """RunGenMain.cpp compiled once: it takes seconds, linking a sample does not."""
    folder = user_cache_dir() / "halide-generators" / f"rungen-{halide_version()}"
    made = folder / "RunGenMain.o"
    if made.is_file():
        return made
    source = tools_folder() / "RunGenMain.cpp"
    with replace_folder(folder) as temporary:
        _compile(
            compiler(),
            ["-std=c++17", "-O1", "-w", "-DHALIDE_NO_PNG", "-DHALIDE_NO_JPEG", "-I", halide_folder() / "include", "-I",
             tools_folder(), "-c", source, "-o", temporary / "RunGenMain.o"],
            source,
        )  # fmt: skip
    return made


def _compile(cxx: Path, arguments: Sequence[str | Path], source: str | Path) -> None:
    code, output = _call([cxx, *arguments], BUILD_LIMIT_S)
    if code != 0:
        first = next((line for line in output.splitlines() if "error" in line), output.strip()[-300:])
        raise ToolFailedError(f"{source}: does not compile: {first.strip()}")


def _call(command: Sequence[str | Path], limit_s: float, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Exit status and output. The process stays in our group, so that whoever ends us ends it too."""
    done = finish(start(command, stderr=STDOUT, env=env, own_group=False), timeout_s=limit_s)
    if done.timed_out:
        return -1, f"took over {limit_s:g} s and was ended"
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def prepare(source: str | Path, name: str) -> str:
    """Build what sampling a generator needs and return the program's path, before any sample is tried.

    Raises ToolNotFoundError without a compiler, ToolFailedError with the compiler's words, HwmlError for a wrong name.
    """
    names = generator_names(source)
    if names and name not in names:
        raise HwmlError(f"{source}: registers {', '.join(names)}, not {name!r}; give one of these with --name")
    program = build_generator(source)
    _runner_object()
    return str(program)


def measure_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.measure_sample`, for the generator program `job["program"]` and its pipeline `job["generator"]`."""
    with scratch_folder() as folder:
        answer = _scheduled(job, folder)
        if answer["schedule_digest"] in job["known"]:
            return {name: value for name, value in answer.items() if name != "featurization"} | {"duplicate": True}
        return answer | _timed(_link(folder), job) | {"duplicate": False}


def schedule_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.schedule_only`, for a generator."""
    with scratch_folder() as folder:
        return _scheduled(job, folder)


def measure_unscheduled_generator(job: dict[str, Any]) -> dict[str, Any]:
    """Like `measure.measure_unscheduled`, for a generator."""
    with scratch_folder() as folder:
        _generate(job, None, folder)
        return _timed(_link(folder), job)


def _scheduled(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    _generate(job, Search(**job["search"]), folder)
    featurization = read_bytes(folder / "sampled.featurization")
    schedules = sorted(folder.glob("*.schedule.h"))
    return describe(featurization) | {
        "featurization": base64.b64encode(featurization).decode(),
        "schedule": schedules[0].read_text(encoding="utf-8", errors="replace") if schedules else "",
    }


def _timed(program: Path, job: dict[str, Any]) -> dict[str, Any]:
    with benchmark_alone(job["num_cores"]):
        timing = _time(program, job)
    load = 0.0
    with suppress(OSError):
        load = os.getloadavg()[0]
    return {"timing": asdict(timing), "machine": this_machine().to_json(), "load": load}


def _generate(job: dict[str, Any], search: Search | None, folder: Path) -> None:
    outputs = "static_library,c_header,registration"
    command: list[str | Path] = [
        job["program"], "-g", job["generator"], "-f", "sampled", "-o", folder, f"target={job['halide_target']}",
        *job.get("generator_arguments", ()),
    ]  # fmt: skip
    if search is not None:
        outputs += ",schedule,featurization"
        command += ["-p", plugin_path(), *_search_arguments(search, folder)]
    code, output = _call([*command, "-e", outputs], job.get("compile_limit_s", COMPILE_LIMIT_S))
    if code != 0:
        raise HwmlError(f"the generator failed (status {code}): {' '.join(output.split())[-500:]}")


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


def _link(folder: Path) -> Path:
    program = folder / "bench"
    registration = sorted(folder.glob("*.registration.cpp"))
    _compile(
        compiler(),
        ["-std=c++17", "-O1", "-w", "-I", halide_folder() / "include", _runner_object(), *registration,
         *sorted(folder.glob("*.a")), "-o", program, "-ldl", "-lpthread"],
        folder,
    )  # fmt: skip
    return program


def _time(program: Path, job: dict[str, Any], runs: int = 3) -> Timing:
    """Best of Halide's own benchmark over a few runs; the spread of the runs is the noise."""
    environment = dict(os.environ) | {"HL_NUM_THREADS": str(job["num_cores"])}
    limit = job.get("benchmark_limit_s", BENCHMARK_LIMIT_S)
    times = []
    for _ in range(runs):
        code, output = _call(
            [program, "--estimate_all", "--benchmarks=all", "--benchmark_min_time=0.05"], limit, environment
        )
        found = _BENCHMARK.search(output)
        if code != 0 or found is None:
            raise HwmlError(f"the compiled pipeline failed (status {code}): {' '.join(output.split())[-500:]}")
        times.append(float(found.group(1)) * 1e3)
    times.sort()
    return Timing(times[0], times[len(times) // 2], times[-1] / times[0] - 1, runs, 1)


def check_compiler() -> str:
    """What `hwml doctor` says of the compiler."""
    try:
        return str(compiler())
    except ToolNotFoundError:
        return ""
