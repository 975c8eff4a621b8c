"""What real reports are good for: collect them, compare, learn from them, and tell what a branch changes.

hwml qor collect DIR --out DIR     pair the reports of a tree of HLS projects with sources; training rows and CSV
hwml qor report DIR --html FILE    every design of a project, predicted against reported, worst first
hwml qor calibrate DIR             learn how far predictions are off in a workspace; used where that proved better
hwml qor diff REV [DIR]            what changed since a git revision, per design, function and loop
hwml qor import LAYOUT PATH        turn a published data set (HLSyn, HARP, ForgeHLS) into training rows
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import load_settings
from ..errors import HwmlError, SourceError
from ..files import write_atomic
from ..printable import json_text, printable, tell, tell_some
from ..report import SCHEMA_VERSION
from .qor_calibrate import calibrate_arguments, run_calibrate
from .tables import at_most, print_table

if TYPE_CHECKING:
    from ..qor.answer.types import QorPrediction
    from ..qor.project.designs import StatedDesign
    from ..qor.reports.collect import Pair
    from ..qor.reports.page import Entry

MAX_DESIGNS = 2000  # predicted by one command


def main(arguments: Sequence[str]) -> int:
    """`hwml qor collect|report|calibrate|diff|import ...`: returns the exit code."""
    name, *rest = arguments
    add, run = COMMANDS[name]
    parser = argparse.ArgumentParser(
        prog=f"hwml qor {name}",
        description=cleandoc(run.__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add(parser)
    return run(parser.parse_args(rest))


# -- collect -----------------------------------------------------------------------------------------------------


def _collect_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a tree of HLS projects with their solutions")
    parser.add_argument("--out", metavar="DIR", help="write rows and tables there")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_collect(arguments: argparse.Namespace) -> int:
    """Pair every report below DIR with the source, settings, flags and directives it came from.

    --out DIR gets collected_designs.jsonl and collected_kernels.jsonl (training rows: python -m sdk.train qor --data
    DIR), designs.csv and loops.csv. Reports without a source in the tree are named and left out.
    """
    from ..qor.reports.collect import collect

    root = Path(arguments.folder)
    found = collect(root)
    if not found.pairs:
        tell_some(found.skipped)
        raise SourceError("holds no report of HLS synthesis whose source is in the tree", path=root)
    rows_only = _write_collected(Path(arguments.out), found.pairs, root) if arguments.out else 0
    if arguments.json:
        listed = [_pair_json(pair) for pair in found.pairs]
        print(json_text({"schema_version": SCHEMA_VERSION, "pairs": listed, "skipped": found.skipped}))
        return 0
    for pair in found.pairs:
        print(printable(f"{pair.report.path}: {pair.report.top} of {pair.source}"))
    for problem in found.skipped:
        tell(problem)
    print(f"{len(found.pairs)} reports paired, {len(found.skipped)} left out")
    if rows_only:
        print(f"{rows_only} of them have directives that cannot be put into their text: in designs.csv, in no row")
    return 0


def _pair_json(pair: Pair) -> dict[str, Any]:
    from ..qor.reports.collect import labels_of
    from ..qor.tool.labels import json_key

    project = pair.inputs.project
    return {
        "report": pair.report.path,
        "path": str(pair.source),
        "project": None if project is None else str(project.path),
        "top": pair.report.top,
        "part": pair.settings.part,
        "clock_period_ns": pair.settings.clock_period_ns,
        "tool": pair.settings.tool,
        "tool_version": pair.settings.tool_version,
        "directives": [item.text for item in pair.inputs.directives],
        "defines": dict(pair.inputs.defines),
        **{json_key(name): value for name, value in labels_of(pair.report).items()},
    }


def _write_collected(out: Path, pairs: Sequence[Pair], root: Path) -> int:
    """Write rows and tables; how many designs are in the tables only."""
    import os

    from ..qor.reports.collect import loop_rows_of, row_of, text_of
    from ..qor.reports.rows import CSV_COLUMNS, LOOP_COLUMNS, write_csv, write_rows

    designs: list[dict[str, Any]] = []
    every: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    loops: list[dict[str, Any]] = []
    for pair in pairs:
        row, text = row_of(pair, root), text_of(pair)
        every.append({**row, "file": os.path.relpath(pair.source, out)})
        loops += loop_rows_of(pair, str(row["id"]))
        if text is not None:
            texts[str(row["id"])] = text
            designs.append({**row, "code_ref": row["id"]})
    write_rows(out, "collected", designs, texts)
    write_csv(out / "designs.csv", CSV_COLUMNS, every)
    write_csv(out / "loops.csv", LOOP_COLUMNS, loops)
    return len(every) - len(designs)


# -- report ------------------------------------------------------------------------------------------------------


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a project, or a tree of them")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_report(arguments: argparse.Namespace) -> int:
    """Every design below DIR, predicted against what the tool reported, worst first, with the loops that dominate.

    Without --html as a short table.
    """
    from ..qor.reports.page import page, worst

    root = Path(arguments.folder)
    entries, notes = _entries(root)
    if not entries:
        tell_some(notes)
        raise SourceError("holds no design that can be predicted", path=root)
    if arguments.html:
        write_atomic(arguments.html, page(f"Predicted and reported: {root.absolute().name}", entries, notes))
    if arguments.json:
        listed = [{**entry.prediction.to_dict(), "path": entry.name} for entry in entries]
        print(json_text({"schema_version": SCHEMA_VERSION, "predictions": listed, "errors": notes}))
        return 0
    ordered = sorted(entries, key=lambda entry: (-worst(entry), entry.name))
    _print_entries(ordered)
    for note in notes:
        tell(note)
    if arguments.html:
        print(f"wrote {printable(arguments.html)}")
    return 0


def _entries(root: Path) -> tuple[list[Entry], list[str]]:
    """Designs with a report, each at its report's settings, then those without one."""
    from ..files import real_path
    from ..qor.project.designs import designs_below
    from ..qor.reports.collect import collect
    from ..qor.reports.page import Entry

    found = collect(root)
    entries: list[Entry] = []
    notes = list(found.skipped)
    for pair in at_most(MAX_DESIGNS, found.pairs, "reports", root, notes):
        try:
            prediction = _predict_pair(pair)
        except HwmlError as error:
            notes.append(str(error))
            continue
        actual = prediction.actual
        shown = None if actual is None else replace(actual, report=_inside(Path(actual.report), root))
        entries.append(Entry(_name(pair.source, root, pair), prediction, shown))
    paired = {(real_path(pair.source), pair.report.top) for pair in found.pairs}
    sources = {path for path, _ in paired}
    designs, more = designs_below(root)
    notes += [note for note in more if note not in notes]

    def has_report(design: StatedDesign) -> bool:
        top = design.project.top if design.project is not None else ""
        return (real_path(design.path), top) in paired or (not top and real_path(design.path) in sources)

    rest = [design for design in designs if not has_report(design)]
    for design in at_most(MAX_DESIGNS, rest, "designs without a report", root, notes):
        try:
            prediction = _predict_design(design)
        except HwmlError as error:
            notes.append(str(error))
            continue
        entries.append(Entry(f"{_inside(design.path, root)}: {prediction.top}", replace(prediction, actual=None), None))
    return entries, notes


def _inside(path: Path, root: Path) -> str:
    try:
        return str(path.absolute().relative_to(root.absolute()))
    except ValueError:
        return str(path)


def _name(path: Path, root: Path, pair: Pair) -> str:
    solution = Path(pair.report.path).absolute()
    place = solution.parent if solution.suffix == ".json" else solution.parent.parent.parent
    return f"{_inside(path, root)}: {pair.report.top} ({_inside(place, root)})"


def _predict_pair(pair: Pair) -> QorPrediction:
    """The prediction at the report's settings, the report beside it."""
    from ..qor.model import predict_text
    from ..qor.reports.beside import is_stale
    from ..qor.reports.compare import compare

    prediction = predict_text(pair.text, path=str(pair.source), inputs=pair.inputs, settings=pair.settings)
    stale = is_stale(pair.report, pair.source)
    return replace(prediction, actual=compare(prediction, pair.report, stale=stale, assumed={}))


def _predict_design(design: StatedDesign) -> QorPrediction:
    from ..files import read_source
    from ..qor.kernels import predict_document
    from ..qor.project.inputs import gather

    project = design.project
    said = None if project is None else (project.path, {"hls": project.settings()})
    settings = load_settings(design.path, project=said)
    inputs = gather(design.path, project=project)
    return predict_document(str(design.path), read_source(design.path), inputs, settings)


def _print_entries(entries: Sequence[Entry]) -> None:
    from ..amounts import figure
    from ..qor.answer.actual import off

    columns = ("design", "LUT", "off", "DSP", "off", "FF", "off", "cycles", "off", "report")
    rows = []
    for entry in entries:
        cells = [printable(entry.name)]
        for name in ("lut", "dsp", "ff", "latency_cycles"):
            pair = None if entry.actual is None else entry.actual.figures.get(name)
            said = getattr(entry.prediction, name) if pair is None else pair.predicted
            cells += [
                figure(said) if pair is None else f"{figure(said)} / {figure(pair.actual)}",
                off(pair) if pair else "",
            ]
        state = "none" if entry.actual is None else "stale" if entry.actual.stale else "current"
        rows.append((*cells, state))
    print_table(columns, rows)


# -- diff --------------------------------------------------------------------------------------------------------


def _diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("revision", metavar="REV", help="a commit, branch or tag, e.g. origin/main")
    parser.add_argument("folder", metavar="DIR", nargs="?", default=".", help="designs below it (default: here)")
    parser.add_argument("--markdown", action="store_true", help="print a table for a pull-request comment")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_diff(arguments: argparse.Namespace) -> int:
    """What the files on disk change against a git revision: LUT, DSP, FF, BRAM, cycles and II, predicted, per design,
    function and loop. Exit status 0 whatever changed: budgets are hwml budget's.
    """
    from ..git import find_repository
    from ..languages import HLS
    from ..qor.reports.changes import changes, markdown

    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise SourceError("is no folder; hwml qor diff REV [DIR]", path=folder)
    repository = find_repository(folder)
    if repository is None:
        raise SourceError("is in no git repository, so there is nothing to compare with", path=folder)
    commit = repository.resolve(arguments.revision)
    inside = folder.resolve().relative_to(repository.top)
    failed: list[str] = []
    with repository.checked_out(commit, HLS.needs) as old_root:
        before = _predicted(old_root / inside, failed)
        after = _predicted(folder, failed)
    found, unchanged = [], 0
    for name in dict.fromkeys((*after, *before)):
        rows = changes(name, before.get(name), after.get(name))
        if name in before and name in after and not any(row.changed() for row in rows):
            unchanged += 1
        else:
            found += rows
    failed = list(dict.fromkeys(text.replace(f"{old_root}/", f"{arguments.revision}:") for text in failed))
    if arguments.json:
        listed = [row.to_dict() for row in found]
        said = {"schema_version": SCHEMA_VERSION, "revision": commit, "changes": listed, "unchanged": unchanged}
        print(json_text({**said, "errors": failed}))
    elif arguments.markdown:
        print(printable_lines(markdown(found, unchanged, arguments.revision, failed)), end="")
    else:
        _print_changes(found, unchanged)
        for problem in failed:
            tell(problem)
    return 0


def printable_lines(text: str) -> str:
    """Text of several lines, each made safe to show."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _predicted(folder: Path, failed: list[str]) -> dict[str, QorPrediction]:
    """Predictions of the designs below a folder by a name that two trees share: source and top."""
    from ..qor.project.designs import designs_below

    if not folder.is_dir():
        return {}
    found: dict[str, QorPrediction] = {}
    designs, notes = designs_below(folder)
    failed += notes
    for design in at_most(MAX_DESIGNS, designs, "designs", folder, failed):
        try:
            prediction = _predict_design(design)
        except HwmlError as error:
            failed.append(str(error))
            continue
        name = f"{_inside(design.path, folder)}: {prediction.top}"
        label = design.project.name if design.project is not None else ""
        found.setdefault(f"{name} ({label})" if label and name in found else name, prediction)
    return found


def _print_changes(found: Sequence[Any], unchanged: int) -> None:
    from ..qor.reports.changes import COLUMNS, row

    if found:
        print_table(("", *COLUMNS), [[printable(cell) for cell in row(change)] for change in found])
    print(f"{unchanged} design{'' if unchanged == 1 else 's'} without a change")


# -- import ------------------------------------------------------------------------------------------------------


def _import_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("layout", choices=("forgehls", "harp", "hlsyn"), help="whose layout it is")
    parser.add_argument("path", metavar="PATH", help="the folder or file as published")
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="write LAYOUT_designs.jsonl and LAYOUT_kernels.jsonl"
    )


def run_import(arguments: argparse.Namespace) -> int:
    """Turn a published data set into training rows. Nothing of it is run: pickles are read as plain data only.

    Check its licence first: rows and models made of them may fall under it.
    """
    from ..qor.reports.layouts import read_layout
    from ..qor.reports.rows import write_rows

    rows = read_layout(arguments.layout, Path(arguments.path))
    write_rows(Path(arguments.out), arguments.layout, rows.designs, rows.texts)
    print(f"{len(rows.designs)} designs of {len(rows.texts)} sources")
    for why, count in rows.skipped.items():
        print(f"{count} left out {why}")
    return 0


Runner = Callable[[argparse.Namespace], int]
COMMANDS: dict[str, tuple[Callable[[argparse.ArgumentParser], None], Runner]] = {
    "calibrate": (calibrate_arguments, run_calibrate),
    "collect": (_collect_arguments, run_collect),
    "diff": (_diff_arguments, run_diff),
    "import": (_import_arguments, run_import),
    "report": (_report_arguments, run_report),
}
