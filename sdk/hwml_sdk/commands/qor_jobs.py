"""The sources that `hwml qor ...` is about: arguments that all its commands share, and what they name."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Settings, load_settings
from ..errors import HwmlError, SourceError
from ..files import read_source
from ..languages import HLS
from ..printable import tell

if TYPE_CHECKING:
    from ..qor.model import Given
    from ..qor.project.designs import StatedDesign
    from ..qor.project.inputs import Inputs

# Command-line option -> setting.
_OVERRIDES = {"part": "part", "clock": "clock_period_ns", "tool": "tool", "tool_version": "tool_version",
              "stage": "stage", "top": "top", "model": "model"}  # fmt: skip


def common_arguments(parser: argparse.ArgumentParser) -> None:
    """Sources, and what to assume of them."""
    parser.add_argument("paths", nargs="*", metavar="FILE|DIR", help="sources, or folders of them")
    parser.add_argument("--top", help="the kernel's function (default: the likely one)")
    parser.add_argument("--part", help="FPGA part or board, e.g. xczu9eg-ffvb1156-2-i or u280")
    parser.add_argument("--clock", help="clock: 3.33, 3.33ns or 300MHz")
    parser.add_argument("--tool", help="vitis_hls, vivado_hls, merlin, vitis_hls+vivado")
    parser.add_argument("--tool-version", help="the tool's release, e.g. 2023.2")
    parser.add_argument("--stage", choices=("csynth", "impl"), help="predict the csynth report or the placed design")
    parser.add_argument("-D", "--define", action="append", default=[], metavar="NAME[=VALUE]", help="define a macro")
    parser.add_argument("-I", "--include", action="append", default=[], metavar="DIR", help="folder of headers")
    parser.add_argument(
        "--project", metavar="FILE", help="take designs and settings from this cfg, Tcl, Makefile or CMakeLists"
    )
    parser.add_argument("--directives", metavar="FILE", help="directives.tcl or another project file")


@dataclass(frozen=True, slots=True)
class Job:
    """One source with all that belongs to it."""

    path: Path
    text: str
    inputs: Inputs
    settings: Settings

    def given(self) -> Given:
        """The same as what the SDK's functions of one source take."""
        from ..qor.model import Given

        names = ("part", "clock_period_ns", "tool", "tool_version", "stage", "top")
        origins = {name: self.settings.origin(f"hls.{name}") for name in names}
        return Given(str(self.path), self.text, self.inputs, self.settings.hls, origins)


def jobs_of(arguments: argparse.Namespace) -> tuple[list[Job], list[HwmlError]]:
    """One job a design, and what is wrong with those that cannot be read; that of a single one is raised."""
    from ..qor.project.inputs import gather, parse_defines

    defines = parse_defines(arguments.define)
    designs = _designs(arguments)
    jobs: list[Job] = []
    failed: list[HwmlError] = []
    for design in designs:
        try:
            inputs = gather(
                design.path, defines=defines, include_dirs=arguments.include, directives=arguments.directives,
                project=design.project,
            )  # fmt: skip
            jobs.append(Job(design.path, read_source(design.path), inputs, _settings(design, arguments)))
        except HwmlError as error:
            if len(designs) == 1:
                raise
            failed.append(error)
    return jobs, failed


def _designs(arguments: argparse.Namespace) -> list[StatedDesign]:
    """What to predict: files as named, the designs of folders, those of the project named."""
    from ..qor.project.designs import StatedDesign, design_of, designs_below
    from ..qor.project.project import covers, read_designs

    paths = [Path(name) for name in arguments.paths]
    if arguments.project:
        stated = read_designs(arguments.project)
        wanted = [p for p in stated if not arguments.top or p.top in ("", arguments.top)] or stated
        if paths:
            chosen = [(p, next((s for s in wanted if covers(s, p)), wanted[0] if wanted else None)) for p in paths]
            return _once([StatedDesign(path, project) for path, project in chosen])
        found = [design for design in map(design_of, wanted) if design is not None]
        if not found:
            raise SourceError("this project file names no source that is there", path=arguments.project)
        return found
    if not paths:
        raise SourceError("name a file or a folder; hwml qor --help shows more")
    designs: list[StatedDesign] = []
    for path in paths:
        if not path.is_dir():
            designs.append(StatedDesign(path))
            continue
        inside, notes = designs_below(path)
        for note in notes:
            tell(note)
        if not inside:
            raise SourceError(f"no C or C++ source in this folder ({', '.join(HLS.sources)})", path=path)
        designs += inside
    return _once(designs)


def _once(designs: Sequence[StatedDesign]) -> list[StatedDesign]:
    """Each design once, however often and by whatever name its source is given."""
    from ..qor.project.designs import mark_of

    found: dict[tuple[object, ...], StatedDesign] = {}
    for design in designs:
        found.setdefault(mark_of(design), design)
    return list(found.values())


def _settings(design: StatedDesign, arguments: argparse.Namespace) -> Settings:
    from ..config import merge
    from ..qor.project.values import parse_clock

    stated = design.project
    settings = load_settings(
        design.path, project=None if stated is None else (stated.path, {"hls": stated.settings()})
    )  # fmt: skip
    given: dict[str, Any] = {}
    for option, key in _OVERRIDES.items():
        value = getattr(arguments, option, None)
        if value is not None:
            given[key] = parse_clock(value) if option == "clock" else value
    return merge(settings, {"hls": given}, origin="command line") if given else settings


def one_job(arguments: argparse.Namespace, command: str) -> Job:
    """The one source that a command is about. Raises SourceError where several, or none, are named."""
    jobs, failed = jobs_of(arguments)
    if failed:
        raise failed[0]
    if len(jobs) != 1:
        raise SourceError(f"{command} takes one source at a time, and {len(jobs)} are named")
    return jobs[0]
