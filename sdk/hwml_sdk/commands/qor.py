"""Predict LUT, DSP, FF and latency of HLS C/C++ before any synthesis, or lint it.

hwml qor FILE|DIR...         predict; FILE.scala is the same as hwml chisel qor
hwml qor lint FILE|DIR...    what synthesis would tell only after minutes
hwml qor import-encoder DIR  read a model.pt, x_scaler.pkl, y_stats.json, config.json folder trained elsewhere
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Settings, load_settings
from ..errors import HwmlError, SourceError
from ..files import read_source
from ..languages import CHISEL, HLS
from ..leftovers import sweep
from ..printable import json_text, printable
from ..report import FORMATS, SCHEMA_VERSION, has_findings, render
from ..rewrite import rewrite_source

if TYPE_CHECKING:
    from ..document import Analysis
    from ..qor.answer.types import QorPrediction
    from ..qor.project.designs import StatedDesign
    from ..qor.project.inputs import Inputs

# Command-line option -> setting.
_OVERRIDES = {"part": "part", "clock": "clock_period_ns", "tool": "tool", "tool_version": "tool_version",
              "stage": "stage", "top": "top", "model": "model"}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """`hwml qor ...`: returns the exit code."""
    arguments = list(argv)
    if arguments[:1] == ["import-encoder"]:
        return _import_encoder(arguments[1:])
    lint = arguments[:1] == ["lint"]
    if not lint and any(word.endswith(CHISEL.suffixes) for word in arguments):
        return _chisel(arguments)
    parser = argparse.ArgumentParser(
        prog="hwml qor lint" if lint else "hwml qor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _common_arguments(parser)
    if lint:
        _lint_arguments(parser)
        return run_lint(parser.parse_args(arguments[1:]))
    parser.add_argument("--model", metavar="FOLDER", help="a model you trained (default: the one that ships)")
    parser.add_argument("--json", action="store_true", help="print JSON (schema: docs/qor.schema.json)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json is the same as --json")
    return run_predict(parser.parse_args(arguments))


def _import_encoder(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="hwml qor import-encoder",
        description="Read a folder of the encoder path that was trained elsewhere: model.pt, x_scaler.pkl (or "
        "x_scaler.json), y_stats.json, config.json. Nothing in its pickles is run. The artefact folder it becomes "
        "serves hwml qor --model.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=Path("qor_encoder"), help="folder to write (default: qor_encoder)")
    parser.add_argument("--encoder", default="", help="folder or name of the encoder, where config.json's is not it")
    options = parser.parse_args(arguments)
    from ..train.qor.encoder.classic import import_classic

    artifact = import_classic(options.folder, options.out, encoder=options.encoder)
    print(f"{printable(artifact.path)}: head of width {artifact.config['width']} on {artifact.config['encoder']}")
    return 0


def _chisel(arguments: Sequence[str]) -> int:
    from . import chisel

    parser = argparse.ArgumentParser(prog="hwml chisel")
    chisel.add_arguments(parser)
    return chisel.run(parser.parse_args(["qor", *arguments]))


def _common_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", metavar="FILE|DIR", help="sources, or folders of them")
    parser.add_argument("--top", help="the kernel's function (default: the likely one)")
    parser.add_argument("--part", help="FPGA part or board, e.g. xczu9eg-ffvb1156-2-i or u280")
    parser.add_argument("--clock", help="clock: 3.33, 3.33ns or 300MHz")
    parser.add_argument("--tool", help="vitis_hls, vivado_hls, merlin, vitis_hls+vivado")
    parser.add_argument("--tool-version", help="the tool's release, e.g. 2023.2")
    parser.add_argument("--stage", choices=("csynth", "impl"), help="predict the csynth report or the placed design")
    parser.add_argument("-D", "--define", action="append", default=[], metavar="NAME[=VALUE]", help="define a macro")
    parser.add_argument("-I", "--include", action="append", default=[], metavar="DIR", help="folder of headers")
    parser.add_argument("--project", metavar="FILE", help="take designs and settings from this cfg, Tcl or Makefile")
    parser.add_argument("--directives", metavar="FILE", help="directives.tcl or another project file")


def _lint_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="apply the safe fixes, then report what is left")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")
    parser.add_argument("--no-estimate", action="store_true", help="leave out rules that need a prediction")
    parser.add_argument("--list", action="store_true", help="print all codes as the table of docs/lint.md, and stop")


@dataclass(frozen=True, slots=True)
class _Job:
    """One source with all that belongs to it."""

    path: Path
    text: str
    inputs: Inputs
    settings: Settings


def _jobs(arguments: argparse.Namespace) -> tuple[list[_Job], list[HwmlError]]:
    """One job a design, and what is wrong with those that cannot be read; that of a single one is raised."""
    from ..qor.project.inputs import gather, parse_defines

    defines = parse_defines(arguments.define)
    designs = _designs(arguments)
    jobs: list[_Job] = []
    failed: list[HwmlError] = []
    for design in designs:
        try:
            inputs = gather(
                design.path, defines=defines, include_dirs=arguments.include, directives=arguments.directives,
                project=design.project,
            )  # fmt: skip
            jobs.append(_Job(design.path, read_source(design.path), inputs, _settings(design, arguments)))
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
            print(f"hwml: {printable(note)}", file=sys.stderr)
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


# -- predict -----------------------------------------------------------------------------------------------------


def run_predict(arguments: argparse.Namespace) -> int:
    """Predict every source and print the answers; a source that fails is named, the others go on."""
    jobs, failed = _jobs(arguments)
    single = len(jobs) + len(failed) == 1
    done: list[tuple[_Job, QorPrediction]] = []
    for job in jobs:
        try:
            done.append((job, _predict(job)))
        except HwmlError as error:
            if single:
                raise
            failed.append(error)
    if arguments.json or arguments.format == "json":
        print(json_text(_predictions_json(done, failed, single=single)))
    else:
        for index, (job, prediction) in enumerate(done):
            if index:
                print()
            _print_prediction(job, prediction)
    for problem in failed:
        print(f"hwml: {printable(problem)}", file=sys.stderr)
    return failed[0].exit_code if failed else 0


def _predict(job: _Job) -> QorPrediction:
    from ..qor.provider import predict_document

    return predict_document(str(job.path), job.text, job.inputs, job.settings)


def _predictions_json(
    done: Sequence[tuple[_Job, QorPrediction]], failed: Sequence[HwmlError], *, single: bool
) -> dict[str, Any]:
    listed = [{**prediction.to_dict(), **_place(job)} for job, prediction in done]
    if single:
        return listed[0]
    return {"schema_version": SCHEMA_VERSION, "predictions": listed, "errors": [str(error) for error in failed]}


def _place(job: _Job) -> dict[str, str]:
    """The source, and what states the design."""
    project = job.inputs.project
    stated = {} if project is None else {"project": str(project.path)}
    return {"path": str(job.path), **stated}


def _print_prediction(job: _Job, prediction: QorPrediction) -> None:
    from ..qor.answer.render import LOOP_COLUMNS, assumptions, flat_loops, loop_row, resource_rows, unsure
    from ..qor.tool.labels import RESOURCES
    from ..qor.tool.parts import find_part

    try:
        part = find_part(prediction.part)
        limits: Mapping[str, int] = {name: part.limit(name) for name in RESOURCES}
    except HwmlError:
        limits = {}
    project = job.inputs.project
    by = "" if project is None else f" (as {' '.join(filter(None, (project.path.name, project.name)))} says)"
    print(printable(f"{job.path}: {prediction.top}, {prediction.stage}{by}"))
    _print_table(("", "predicted", "80 % interval", "closed form", "of the part"), resource_rows(prediction, limits))
    loops = [loop_row(depth, loop, prediction.top) for depth, loop in flat_loops(prediction.loops)]
    if loops:
        print()
        _print_table(LOOP_COLUMNS, loops)
    print()
    if prediction.dominant:
        print(f"Most of it: {printable(prediction.dominant)}")
    if prediction.fits_part is False:
        print(f"Does not fit {prediction.part}.")
    for text in unsure(prediction):
        print(text)
    print(f"Assumed: {assumptions(prediction)}")
    for text in (*prediction.warnings, *job.inputs.notes):
        print(f"Note: {printable(text)}")


def _print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A rich table in a terminal; elsewhere the same cells, aligned. Columns without any cell are left out."""
    kept = [index for index in range(len(columns)) if index == 0 or any(row[index] for row in rows)]
    columns, rows = [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for index, title in enumerate(columns):
            table.add_column(title, justify=_side(index, title), no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    widths = [max(len(columns[i]), *(len(row[i]) for row in rows)) for i in range(len(columns))]
    for row in (columns, *rows):
        cells = [
            cell.ljust(width) if _side(i, columns[i]) == "left" else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _side(index: int, title: str) -> Any:
    return "left" if index == 0 or title == "bound by" else "right"


# -- lint --------------------------------------------------------------------------------------------------------


def run_lint(arguments: argparse.Namespace) -> int:
    """Lint every source; 1 when anything but notes was found."""
    if arguments.list:
        print(codes_table(), end="")
        return 0
    analyses: list[Analysis] = []
    jobs, failed = _jobs(arguments)
    for job in jobs:
        current = _fixed(job) if arguments.fix else job
        analyses += _lint(current, estimate=not arguments.no_estimate)
    merged = _merged(analyses)
    text = render(merged, arguments.format)
    if text:
        print(text)
    for problem in failed:
        print(f"hwml: {printable(problem)}", file=sys.stderr)
    if failed:
        return failed[0].exit_code
    return 1 if has_findings(merged) else 0


def _lint(job: _Job, *, estimate: bool) -> tuple[Analysis, ...]:
    from ..qor.lint.run import lint_source
    from ..qor.provider import prediction_or_none, read_and_predict

    about = (str(job.path), job.text, job.inputs, job.settings)
    design, prediction = read_and_predict(*about) if estimate else (None, None)
    analyses = lint_source(
        job.text,
        path=str(job.path),
        files=job.inputs.files,
        include_dirs=job.inputs.include_dirs,
        defines=job.inputs.defines,
        directives=job.inputs.directives,
        estimate=prediction,
        settings=job.settings,
        program=None if design is None else design.program,
        predict=lambda text: prediction_or_none(str(job.path), text, job.inputs, job.settings),
    )
    own = analyses[0]
    return (replace(own, notes=(*own.notes, *job.inputs.notes)), *analyses[1:])


def _fixed(job: _Job) -> _Job:
    from ..qor.lint.run import apply_safe_fixes

    sweep(job.path.resolve().parent)
    changed = apply_safe_fixes(job.text, lambda text: _lint(replace(job, text=text), estimate=False)[0].diagnostics)
    if changed != job.text:
        rewrite_source(job.path, job.text, changed)
        print(f"hwml: {printable(job.path)}: fixed", file=sys.stderr)
    return replace(job, text=changed)


def _merged(analyses: Sequence[Analysis]) -> list[Analysis]:
    """One entry a file: headers and project files are met from several sources."""
    by_path: dict[str, Analysis] = {}
    for item in analyses:
        known = by_path.get(item.path)
        if known is None:
            by_path[item.path] = item
        else:
            diagnostics = tuple(dict.fromkeys((*known.diagnostics, *item.diagnostics)))
            by_path[item.path] = replace(known, diagnostics=diagnostics, notes=(*known.notes, *item.notes))
    return list(by_path.values())


def codes_table() -> str:
    """The Markdown table of all lint codes, as docs/lint.md carries it."""
    from ..qor.lint.table import CODES

    rows = [f"| {code.name} | {code.severity} | {code.title} |" for code in CODES.values()]
    return "\n".join(["| code | severity | what |", "|---|---|---|", *rows]) + "\n"
