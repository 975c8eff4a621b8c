"""Compile a user's test bench with counters at loop heads, run it once behind the fence, and read what they counted."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..chisel.compile.fence import clean_environment, fenced, find_fence
from ..config import Settings
from ..errors import RefusedError, SourceError, ToolNotFoundError
from ..files import read_source
from ..leftovers import scratch_folder
from ..printable import printable
from ..processes import Finished, finish, start
from ..tools import find_tool, run_tool

if TYPE_CHECKING:
    from ..qor.project.inputs import Inputs
    from ..qor.reports.measured import Counted, Instrumented

COMPILE_S = 120.0
RUN_S = 60.0
# Where an installation of the vendor's tools says it is; its headers are in `include`.
_INSTALLATIONS = ("XILINX_HLS", "XILINX_VITIS_HLS", "XILINX_VIVADO_HLS")


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was counted, and notes for people."""

    loops: tuple[Counted, ...]
    notes: tuple[str, ...]


def measure(
    source: Path, text: str, bench: Path, inputs: Inputs, settings: Settings, *, timeout_s: float = RUN_S
) -> Measurement:
    """Run the bench once on the design in `source`, which is compiled from `text`.

    Raises RefusedError where the workspace is not trusted or no fence can be had, SourceError for what does not
    compile, hangs or crashes before any loop was counted, ToolNotFoundError without a compiler.
    """
    from ..qor.model import open_design
    from ..qor.reports.measured import counted, instrument

    _refuse_strangers((source, bench), settings)
    read_source(bench)
    program = open_design(text, path=str(source), inputs=inputs, settings=settings.hls).program
    made = instrument(program, text)
    if not made.loops:
        raise SourceError("has no loop that could be counted", path=source)
    with scratch_folder() as folder:
        binary = _compiled(folder, source, made, bench, inputs)
        done = _run(binary, folder, bench.absolute().parent, timeout_s)
    written = done.stderr.decode("utf-8", "replace")
    found = counted(made.loops, written)
    return Measurement(tuple(found), (*made.left_out, *_ending(done, bench, found, written, timeout_s)))


def _refuse_strangers(paths: Sequence[Path], settings: Settings) -> None:
    for path in paths:
        if not settings.may_run(path):
            raise RefusedError(
                f"{path}: a test bench is compiled and run, and this workspace is not trusted: "
                "hwml trust DIR, if you know whose code it is"
            )
    fence = find_fence()
    if not fence.kind:
        raise RefusedError(f"a test bench runs behind a fence only, and there is none here: {fence.reason}")


def _compiled(folder: Path, source: Path, made: Instrumented, bench: Path, inputs: Inputs) -> Path:
    from ..qor.reports.measured import PRELUDE, runtime

    (folder / "hwml_counters.h").write_text(PRELUDE, encoding="utf-8")
    home = str(bench.absolute().parent)
    (folder / "hwml_runtime.cpp").write_text(runtime(len(made.loops), home), encoding="utf-8")
    design = folder / f"{source.stem}.cpp"
    design.write_text(f'#line 1 "{source.absolute()}"\n{made.text}', encoding="utf-8")
    others = [path for path in map(Path, inputs.files) if path.is_file() and path.absolute() != bench.absolute()]
    binary = folder / "bench"
    include = [flag for place in _include_dirs(source, bench, inputs) for flag in ("-I", str(place))]
    defines = [f"-D{name}={value}" if value else f"-D{name}" for name, value in inputs.defines.items()]
    argv: list[str | Path] = [
        _compiler(), "-std=c++17", "-O1", "-w", "-fpermissive", "-x", "c++", "-include", folder / "hwml_counters.h",
        "-I", folder, *include, *defines, folder / "hwml_runtime.cpp", design, *others, bench.absolute(), "-o", binary,
    ]  # fmt: skip
    done = run_tool(argv, timeout_s=COMPILE_S, cwd=folder, env={**os.environ, "LC_ALL": "C"})
    if not done.ok:
        raise SourceError(_why_not(done.stderr, timed_out=done.timed_out), path=bench)
    return binary


def _include_dirs(source: Path, bench: Path, inputs: Inputs) -> list[Path]:
    homes = [source.absolute().parent, bench.absolute().parent, *(path.absolute() for path in inputs.include_dirs)]
    installed = [Path(os.environ[name]) / "include" for name in _INSTALLATIONS if os.environ.get(name)]
    return list(dict.fromkeys([*homes, *(place for place in installed if place.is_dir())]))


def _compiler() -> Path:
    try:
        return find_tool("g++", variable="HWML_CXX")
    except ToolNotFoundError:
        return find_tool("clang++", variable="HWML_CXX")


def _why_not(errors: str, *, timed_out: bool) -> str:
    """The compiler's first error, in words that say what to do about a missing header."""
    if timed_out:
        return f"is not compiled within {COMPILE_S:.0f} s"
    missing = re.search(r"fatal error: '?([^':\s]+)'?(?:: No such file| file not found)", errors)
    if missing:
        return (
            f"needs the header {missing.group(1)}: name its folder with -I "
            "(that of Vitis HLS is the folder include of its installation)"
        )
    first = next((line for line in errors.splitlines() if "error" in line), errors.strip()[:200])
    return f"does not compile: {printable(first)}"


def _run(binary: Path, folder: Path, home: Path, timeout_s: float) -> Finished:
    """The bench behind the fence: it reads its own folder and the system's libraries, and changes nothing."""
    root, channel = folder / "root", folder / "channel"
    root.mkdir()
    channel.mkdir()
    argv = fenced(
        [str(binary)], readable=[binary, home], channel=channel, folder=root, env=clean_environment(root)
    )  # fmt: skip
    reading, writing = os.pipe()  # the fence ends the program when this closes
    try:
        return finish(start(argv, stdin=reading, cwd=folder), timeout_s=timeout_s)
    finally:
        os.close(reading)
        os.close(writing)


def _ending(done: Finished, bench: Path, found: Sequence[Counted], written: str, timeout_s: float) -> list[str]:
    """Notes on how the run ended. Raises SourceError where it ended before anything was counted."""
    from ..qor.reports.measured import said_by_the_bench

    if done.timed_out:
        raise SourceError(f"did not end within {timeout_s:.0f} s and was stopped: nothing is measured", path=bench)
    said = said_by_the_bench(written).strip().splitlines()
    last = f" ({printable(said[-1])[:200]})" if said else ""
    if not found:
        how = f"ended with status {done.returncode}{last}" if done.returncode else "ran no loop of the design"
        raise SourceError(f"{how}: nothing is measured", path=bench)
    if done.returncode:
        return [f"{bench.name} ended with status {done.returncode}{last}: what was counted until then is used"]
    return []
