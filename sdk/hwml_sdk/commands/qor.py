"""Predict LUT, DSP, FF and latency of HLS C/C++ before any synthesis, or lint it.

hwml qor FILE|DIR...         predict; FILE.scala is the same as hwml chisel qor
hwml qor lint FILE|DIR...    what synthesis would tell only after minutes
hwml qor why FILE            what bounds each loop, and which change would lift it
hwml qor explore FILE        the front of latency against area over its pragmas; --html FILE: as a page
hwml qor report DIR          predictions against the tool's own reports; --html FILE: as a page
hwml qor diff REV [DIR]      what changed since a git revision; --markdown: for a pull request
hwml qor collect DIR         reports of a tree of projects as training rows and CSV
hwml qor calibrate DIR       learn from a workspace's own reports; used where that proved better
hwml qor import LAYOUT PATH  a published data set as training rows
hwml qor import-encoder DIR  read a model.pt, x_scaler.pkl, y_stats.json, config.json folder trained elsewhere
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import HlsSettings
from ..errors import HwmlError, SourceError
from ..languages import CHISEL
from ..leftovers import sweep
from ..printable import json_text, printable, tell
from ..report import FORMATS, SCHEMA_VERSION, has_findings, render
from ..rewrite import rewrite_source
from ..threads import numpy_on_one_thread
from . import qor_reports
from .qor_jobs import Job, common_arguments, jobs_of
from .tables import print_table

if TYPE_CHECKING:
    from ..document import Analysis
    from ..qor.answer.actual import Actual
    from ..qor.answer.types import QorPrediction

# Word behind `hwml qor` -> the module whose `main` takes what stands behind that.
SUBCOMMANDS = {
    "import-encoder": "hwml_sdk.commands.qor_encoder",
    "explore": "hwml_sdk.commands.qor_explore",
    "why": "hwml_sdk.commands.qor_why",
}


def main(argv: Sequence[str]) -> int:
    """`hwml qor ...`: returns the exit code."""
    arguments = list(argv)
    module = SUBCOMMANDS.get(arguments[0]) if arguments else None
    if module is not None:
        return int(import_module(module).main(arguments[1:]))
    if arguments and arguments[0] in qor_reports.COMMANDS:
        return qor_reports.main(arguments)
    lint = arguments[:1] == ["lint"]
    if not lint and any(word.endswith(CHISEL.suffixes) for word in arguments):
        return _chisel(arguments)
    parser = argparse.ArgumentParser(
        prog="hwml qor lint" if lint else "hwml qor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common_arguments(parser)
    if lint:
        _lint_arguments(parser)
        return run_lint(parser.parse_args(arguments[1:]))
    parser.add_argument("--model", metavar="FOLDER", help="a model you trained (default: the one that ships)")
    parser.add_argument("--json", action="store_true", help="print JSON (schema: docs/qor.schema.json)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json is the same as --json")
    parser.add_argument("--testbench", metavar="TB", help="run this test bench once (trusted folders): measured rounds")
    parser.add_argument("--trust", action="store_true", help="with --testbench: the code of this folder may run")
    return run_predict(parser.parse_args(arguments))


def _chisel(arguments: Sequence[str]) -> int:
    from . import chisel

    parser = argparse.ArgumentParser(prog="hwml chisel")
    chisel.add_arguments(parser)
    return chisel.run(parser.parse_args(["qor", *arguments]))


def _lint_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fix", action="store_true", help="apply the safe fixes, then report what is left")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")
    parser.add_argument("--no-estimate", action="store_true", help="leave out rules that need a prediction")
    parser.add_argument("--list", action="store_true", help="print all codes as the table of docs/lint.md, and stop")


# -- predict -----------------------------------------------------------------------------------------------------


def run_predict(arguments: argparse.Namespace) -> int:
    """Predict every source and print the answers; a source that fails is named, the others go on."""
    numpy_on_one_thread()
    jobs, failed = jobs_of(arguments)
    single = len(jobs) + len(failed) == 1
    if arguments.testbench and not single:
        raise SourceError("--testbench measures one design: name its file, and --top")
    done: list[tuple[Job, QorPrediction]] = []
    for job in jobs:
        try:
            done.append((job, _measured(job, arguments) if arguments.testbench else _predict(job)))
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
        tell(problem)
    return failed[0].exit_code if failed else 0


def _predict(job: Job) -> QorPrediction:
    from ..qor.kernels import predict_document

    _say_first(job)
    return predict_document(str(job.path), job.text, job.inputs, job.settings)


def _say_first(job: Job) -> None:
    """Where another process has to answer, what the default model says until it has, on a terminal's standard error."""
    from ..qor.kernels import predict_document
    from ..qor.model import loaded_model

    model = loaded_model(job.settings.hls.model)
    if not model.waits_s or not sys.stderr.isatty():
        return
    settings = replace(job.settings, hls=replace(job.settings.hls, model=HlsSettings().model))
    first = predict_document(str(job.path), job.text, job.inputs, settings)
    figures = ", ".join(
        f"{name} {value:,.0f}"
        for name, value in (("LUT", first.lut), ("DSP", first.dsp), ("FF", first.ff), ("cycles", first.latency_cycles))
        if value is not None
    )
    name = model.artifact.path.name
    tell(f"{job.path}: {first.model} says {figures}; {name} is being asked", who="")


def _measured(job: Job, arguments: argparse.Namespace) -> QorPrediction:
    """The prediction with rounds that a run of the test bench counted, where a bound hangs on data."""
    from ..config import trust_root
    from ..qor.model import open_design
    from ..qor.reports.measured import as_directives, marked, unsure_loops
    from .qor_measure import measure

    bench = Path(arguments.testbench)
    if arguments.trust:
        root = trust_root(job.path, True)
        job = replace(job, settings=replace(job.settings, trusted=root is not None, trust_root=root))
    measurement = measure(job.path, job.text, bench, job.inputs, job.settings)
    program = open_design(job.text, path=str(job.path), inputs=job.inputs, settings=job.settings.hls).program
    told = as_directives(measurement.loops, unsure_loops(_predict(job), program), bench.name)
    inputs = replace(job.inputs, directives=(*job.inputs.directives, *told))
    prediction = marked(_predict(replace(job, inputs=inputs)), measurement.loops, bench.name)
    used = {(item.function, item.label) for item in told}
    lines = [
        f"measured by {bench.name}: {item.function}: {item.name}: {item.said()}"
        + ("" if (item.function, item.name) in used else "; its bound is known without that")
        for item in measurement.loops
    ]
    return replace(prediction, warnings=(*prediction.warnings, *lines, *measurement.notes))


def _predictions_json(
    done: Sequence[tuple[Job, QorPrediction]], failed: Sequence[HwmlError], *, single: bool
) -> dict[str, Any]:
    listed = [{**prediction.to_dict(), **_place(job)} for job, prediction in done]
    if single:
        return listed[0]
    return {"schema_version": SCHEMA_VERSION, "predictions": listed, "errors": [str(error) for error in failed]}


def _place(job: Job) -> dict[str, str]:
    """The source, and what states the design."""
    project = job.inputs.project
    stated = {} if project is None else {"project": str(project.path)}
    return {"path": str(job.path), **stated}


def _print_prediction(job: Job, prediction: QorPrediction) -> None:
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
    print_table(("", "predicted", "80 % interval", "closed form", "of the part"), resource_rows(prediction, limits))
    loops = [loop_row(depth, loop, prediction.top) for depth, loop in flat_loops(prediction.loops)]
    if loops:
        print()
        print_table(LOOP_COLUMNS, loops)
    print()
    if prediction.actual is not None:
        _print_actual(prediction.actual, prediction.top)
    if prediction.dominant:
        print(f"Most of it: {printable(prediction.dominant)}")
    if prediction.fits_part is False:
        print(f"Does not fit {prediction.part}.")
    for text in unsure(prediction):
        print(text)
    print(f"Assumed: {assumptions(prediction)}")
    for text in (*prediction.warnings, *job.inputs.notes):
        print(f"Note: {printable(text)}")


def _print_actual(actual: Actual, top: str) -> None:
    """Predicted beside reported: the design, the functions below its top, the loops."""
    from ..qor.answer.actual import ACTUAL_LOOP_COLUMNS, FIGURE_COLUMNS, figure_rows, heading, loop_rows, mismatch

    print(printable(heading(actual)))
    print_table(FIGURE_COLUMNS, figure_rows(actual))
    loops = loop_rows(actual, top)
    if loops:
        print()
        print_table(ACTUAL_LOOP_COLUMNS, loops)
    print()
    if actual.assumed:
        print(f"Note: {mismatch(actual)}")


# -- lint --------------------------------------------------------------------------------------------------------


def run_lint(arguments: argparse.Namespace) -> int:
    """Lint every source; 1 when anything but notes was found."""
    if arguments.list:
        print(codes_table(), end="")
        return 0
    numpy_on_one_thread()
    analyses: list[Analysis] = []
    jobs, failed = jobs_of(arguments)
    for job in jobs:
        current = _fixed(job) if arguments.fix else job
        analyses += _lint(current, estimate=not arguments.no_estimate)
    merged = _merged(analyses)
    text = render(merged, arguments.format)
    if text:
        print(text)
    for problem in failed:
        tell(problem)
    if failed:
        return failed[0].exit_code
    return 1 if has_findings(merged) else 0


def _lint(job: Job, *, estimate: bool) -> tuple[Analysis, ...]:
    from ..qor.kernels import prediction_or_none
    from ..qor.lint.run import lint_source
    from ..qor.provider import read_and_predict

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


def _fixed(job: Job) -> Job:
    from ..qor.lint.run import apply_safe_fixes

    sweep(job.path.resolve().parent)
    changed = apply_safe_fixes(job.text, lambda text: _lint(replace(job, text=text), estimate=False)[0].diagnostics)
    if changed != job.text:
        rewrite_source(job.path, job.text, changed)
        tell(f"{job.path}: fixed")
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
