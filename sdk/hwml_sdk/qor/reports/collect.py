"""Walk a tree of HLS projects and pair every report with its source, its settings, flags and directives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...config import HlsSettings, Settings, load_settings, merge
from ...errors import HwmlError, ReportError, SourceError
from ...files import read_source, real_path
from ...languages import HLS
from ..project.designs import StatedDesign, designs_below
from ..project.inputs import Inputs, gather
from ..project.types import Directive, HlsProject
from .beside import folders_below, names_of, report_in
from .csynth import read_csynth
from .types import CsynthReport

MAX_FOLDERS = 20_000
MAX_DEPTH = 12
MAX_REPORTS = 10_000
MAX_ABOVE = 6  # folders above a report that its source is looked for in
MAX_BESIDE = 200  # sources of one folder that are looked into


@dataclass(frozen=True, slots=True)
class Pair:
    """A report and the design it is of. settings: those of the report; inputs: what else belongs to the source."""

    report: CsynthReport
    source: Path
    text: str
    inputs: Inputs
    settings: HlsSettings


@dataclass(slots=True)
class Collected:
    """What was found. skipped: reports left out, each with why."""

    pairs: list[Pair] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stated:
    """What project files state, by the folder of the file and by the source."""

    by_folder: Mapping[Path, Sequence[StatedDesign]]
    by_source: Mapping[Path, HlsProject]

    @classmethod
    def of(cls, designs: Iterable[StatedDesign]) -> _Stated:
        folders: dict[Path, list[StatedDesign]] = {}
        sources: dict[Path, HlsProject] = {}
        for design in designs:
            if design.project is not None:
                folders.setdefault(design.project.path.absolute().parent, []).append(design)
                sources.setdefault(real_path(design.path), design.project)
        return cls(folders, sources)


def collect(folder: Path) -> Collected:
    """Every report below `folder` with its source. Links are not followed. Raises SourceError for what is no folder."""
    if not folder.is_dir():
        raise SourceError("is no folder; name one that holds HLS projects", path=folder)
    found = Collected()
    designs, notes = designs_below(folder)
    found.skipped += notes
    stated = _Stated.of(designs)
    for place in _reports(folder):
        if len(found.pairs) + len(found.skipped) >= MAX_REPORTS:
            found.skipped.append(f"{place}: more than {MAX_REPORTS} reports; what comes after it is left out")
            break
        try:
            report = read_csynth(place)
            found.pairs.append(_pair(report, place, folder, stated))
        except HwmlError as error:
            found.skipped.append(str(error))
    found.pairs.sort(key=lambda pair: pair.report.path)
    return found


def _reports(folder: Path) -> Iterator[Path]:
    """Reports below a folder; a solution that two layouts describe counts once."""
    for place in folders_below(folder, max_folders=MAX_FOLDERS, max_depth=MAX_DEPTH):
        report = report_in(place)
        if report is not None:
            yield report


def _pair(report: CsynthReport, place: Path, folder: Path, stated: _Stated) -> Pair:
    if not report.top:
        raise ReportError("names no top function", path=place)
    if all(value is None for value in (report.resources.lut, report.resources.ff, report.latency_cycles[1])):
        raise ReportError("holds no figures: neither area nor latency", path=place)
    design = _design(report, place, folder, stated)
    inputs = gather(design.path, project=design.project, directives=_directives(place, design))
    project = design.project
    said = None if project is None else (project.path, {"hls": project.settings()})
    settings = settings_of(report, load_settings(design.path, project=said)).hls
    return Pair(report, design.path, read_source(design.path), inputs, settings)


def settings_of(report: CsynthReport, settings: Settings) -> Settings:
    """Settings as the report says them, the others as they are."""
    said: dict[str, Any] = {
        "part": report.part, "clock_period_ns": report.clock_period_ns, "tool": report.tool,
        "tool_version": report.tool_version, "top": report.top, "stage": "csynth",
    }  # fmt: skip
    return merge(settings, {"hls": {key: value for key, value in said.items() if value}}, origin="report")


def _design(report: CsynthReport, place: Path, folder: Path, stated: _Stated) -> StatedDesign:
    """The source of a report, and what states it: the solution's own script, else the nearest above it.

    Raises ReportError where no source in the tree defines the report's top.
    """
    named = [path for path in map(Path, report.sources) if _is_source(path) and _in(path, folder)]
    real = {real_path(path) for path in named}
    for parent in place.absolute().parents:
        for design in stated.by_folder.get(parent, ()):
            fits = design.project is not None and design.project.top in ("", report.top)
            if fits and (not real or real_path(design.path) in real) and _defines(design.path, report.top):
                return design
    for path in (*named, *_beside(place, folder, report)):
        if _defines(path, report.top):
            project = stated.by_source.get(real_path(path))
            return StatedDesign(path, project if project is not None and project.top in ("", report.top) else None)
    raise ReportError(f"no source in this tree defines its top {report.top}", path=place)


def _is_source(path: Path) -> bool:
    return path.suffix.lower() in HLS.sources and path.is_file()


def _in(path: Path, folder: Path) -> bool:
    return real_path(path).is_relative_to(real_path(folder))


def _beside(place: Path, folder: Path, report: CsynthReport) -> Iterator[Path]:
    """Sources in the folders above a report, up to the tree's own, and in folders named src beside them."""
    names = names_of(report)
    for parent in place.absolute().parents[:MAX_ABOVE]:
        if not _in(parent, folder):
            return
        for home in (parent, parent / "src"):
            paths = [p for s in HLS.sources for p in sorted(home.glob(f"*{s}")) if not p.is_symlink()][:MAX_BESIDE]
            yield from sorted(paths, key=lambda path: path.name not in names)


def _defines(path: Path, top: str) -> bool:
    try:
        text = read_source(path)
    except SourceError:
        return False
    return re.search(rf"\b{re.escape(top)}\s*\([^;{{}}]*\)\s*\{{", text) is not None


def _directives(place: Path, design: StatedDesign) -> Path | None:
    """`directives.tcl` of the solution, unless what states the design is that solution's own script."""
    solution = place.parent if place.suffix == ".json" else place.parent.parent.parent
    own = design.project is not None and design.project.path.absolute().parent == solution.absolute()
    found = solution / "directives.tcl"
    return found if found.is_file() and not own else None


# -- rows --------------------------------------------------------------------------------------------------------


def row_of(pair: Pair, root: Path) -> dict[str, Any]:
    """One training row (docs/qor-model.md), its text apart. root: names are relative to it."""
    report = pair.report
    name = str(Path(report.path).absolute()).removeprefix(f"{root.absolute()}/")
    return {
        "id": f"collected/{name}",
        "source": "collected",
        "licence": "unknown",
        "kernel": pair.source.stem,
        "algo_group": report.top,
        "tool": pair.settings.tool,
        "tool_version": pair.settings.tool_version,
        "part": pair.settings.part,
        "clock_period_ns": pair.settings.clock_period_ns,
        "top": report.top,
        "label_stage": "csynth",
        **labels_of(report),
        "latency_cycles_min": report.latency_cycles[0],
        "directives": [directive.text for directive in pair.inputs.directives],
        "defines": dict(pair.inputs.defines),
    }


def labels_of(report: CsynthReport) -> Mapping[str, int | None]:
    """The report's figures by the names of LABELS."""
    said = report.resources
    return {
        "lut": said.lut, "dsp": said.dsp, "ff": said.ff, "latency_cycles": report.latency_cycles[1],
        "bram_18k": said.bram_18k,
    }  # fmt: skip


def loop_rows_of(pair: Pair, design: str) -> list[dict[str, Any]]:
    """The report's loops, outer before inner, for a table."""
    return [
        {
            "design": design,
            "function": function,
            "loop": loop.name,
            "trip_count_min": loop.trip_count[0],
            "trip_count_max": loop.trip_count[1],
            "ii": loop.ii,
            "pipelined": loop.pipelined,
            "iteration_latency_cycles": loop.iteration_latency_cycles,
            "latency_cycles_min": loop.latency_cycles[0],
            "latency_cycles_max": loop.latency_cycles[1],
            "source": loop.source,
        }
        for function, loop in pair.report.all_loops()
    ]


def text_of(pair: Pair) -> str | None:
    """All sources of a design as one text, parted as `dataset.split_files` takes them apart.

    Flags become macros, directives pragmas; None where one of these has no place in the text.
    """
    macros = "".join(f"#define {name} {value}\n" for name, value in pair.inputs.defines.items())
    others = {Path(name).name: text for name, text in pair.inputs.files.items() if Path(name).name != pair.source.name}
    headers = {path.name: read_source(path) for path in _headers(pair)}
    files = {**headers, **others, pair.source.name: pair.text}
    for directive in reversed(pair.inputs.directives):  # each goes in at the top of its block
        home = next((name for name, text in files.items() if _placed(text, directive) is not None), None)
        if home is None:
            return None
        files[home] = _placed(files[home], directive) or ""
    files[pair.source.name] = macros + files[pair.source.name]
    if len(files) == 1:
        return files[pair.source.name]
    return "".join(f"//==== file: {name} ====\n{text.rstrip()}\n" for name, text in files.items())


def _placed(text: str, directive: Directive) -> str | None:
    """The text with a directive as a pragma behind the brace of its loop or function; None where that is not found."""
    function = re.search(rf"\b{re.escape(directive.function)}\s*\([^;{{}}]*\)\s*\{{", text)
    if function is None:
        return None
    at = function.end()
    if directive.label:
        loop = re.compile(rf"\b{re.escape(directive.label)}\s*:\s*(?:for|while)\b[^{{}}]*?\)\s*\{{").search(text, at)
        if loop is None:
            return None
        at = loop.end()
    options = " ".join(key if value == "" else f"{key}={value}" for key, value in directive.options.items())
    return f"{text[:at]}\n#pragma HLS {directive.kind.lower()} {options}".rstrip() + f"\n{text[at:]}"


def _headers(pair: Pair) -> list[Path]:
    """Local headers that the sources include by name, and those that these include."""
    folders = (pair.source.parent, *pair.inputs.include_dirs)
    found: dict[str, Path] = {}
    pending = [pair.text, *pair.inputs.files.values()]
    while pending and len(found) < MAX_BESIDE:
        for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]*"([^"\n]+)"', pending.pop(), re.MULTILINE):
            path = next((folder / name for folder in folders if (folder / name).is_file()), None)
            if path is not None and Path(name).name not in found and not path.is_symlink():
                found[Path(name).name] = path
                pending.append(read_source(path))
    return list(found.values())
