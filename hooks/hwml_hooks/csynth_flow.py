"""Around one run of csynth: predict what the script states, and hold it against the report afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hwml_sdk.config import load_settings, merge
from hwml_sdk.errors import HwmlError, ReportError, SourceError
from hwml_sdk.files import append_line, parse_json, read_source, write_atomic
from hwml_sdk.languages import HLS
from hwml_sdk.printable import json_text
from hwml_sdk.report import SCHEMA_VERSION

LOG = "hwml_csynth.jsonl"
_KEYS = ("LUT", "DSP", "FF", "bram_18k", "latency_cycles")
_TITLES = {"bram_18k": "BRAM_18K", "latency_cycles": "cycles"}


def predict_script(script: str | Path, *, out: str | Path | None = None) -> str:
    """Predict the design that a script states by set_top, add_files, set_part, create_clock and set_directive_*.

    Returns text for people; `out` keeps the prediction as JSON. Raises ConfigError, SourceError as `predict_qor`.
    """
    from hwml_sdk.qor.kernels import predict_document
    from hwml_sdk.qor.project.inputs import Inputs
    from hwml_sdk.qor.project.tcl import read_tcl

    project = read_tcl(script)
    texts = {str(path): read_source(path) for path in project.files if path.suffix.lower() in HLS.sources}
    if not texts:
        raise SourceError("states no C or C++ source (add_files)", path=script)
    main = _main(texts, project.top)
    inputs = Inputs(
        {path: text for path, text in texts.items() if path != main},
        tuple(project.include_dirs), project.defines, tuple(project.directives), project,
    )  # fmt: skip
    settings = merge(load_settings(main), {"hls": project.settings()}, origin="script")
    prediction = predict_document(main, texts[main], inputs, settings).to_dict()
    kept = {**prediction, "sources": {path: _digest(text) for path, text in texts.items()}}
    if out is not None:
        write_atomic(out, json_text(kept) + "\n")
    return _predicted(prediction)


def _main(texts: Mapping[str, str], top: str) -> str:
    """The source that most likely holds the top function."""
    definition = re.compile(rf"\b{re.escape(top)}\s*\(") if top else None
    return next((path for path, text in texts.items() if definition and definition.search(text)), next(iter(texts)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _predicted(prediction: Mapping[str, Any]) -> str:
    head = (
        f"hwml: {prediction['top']}, predicted for {prediction['part']} at {prediction['clock_period_ns']} ns, "
        f"{prediction['tool']} {prediction['tool_version']}"
    )
    rows = [(_TITLES.get(key, key), _estimate(prediction, key), _interval(prediction, key)) for key in _KEYS]
    notes = [f"note: {text}" for text in prediction["warnings"]]
    return "\n".join([head, *_table(("", "predicted", "80 % interval"), rows), *notes])


def _short(value: float | None) -> str:
    from hwml_sdk.amounts import figure

    return figure(value)


def _estimate(prediction: Mapping[str, Any], key: str) -> str:
    """The estimate, as sure as its interval."""
    from hwml_sdk.amounts import figure
    from hwml_sdk.document import Interval

    interval = prediction["intervals"].get(key)
    return figure(prediction[key], None if interval is None else Interval(interval["low"], interval["high"]))


def _interval(prediction: Mapping[str, Any], key: str) -> str:
    interval = prediction["intervals"].get(key)
    if interval is None or prediction[key] is None:
        return ""
    return f"{_short(interval['low'])} to {_short(interval['high'])}"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [columns, *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    return ["  " + "  ".join(_aligned(row, widths)).rstrip() for row in cells]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]


# -- after synthesis -------------------------------------------------------------------------------------------


def compare(prediction: str | Path, report: str | Path, *, log: bool = True, as_json: bool = False) -> str:
    """A kept prediction against the report of the same run, as a table or JSON; also kept in a log beside the project.

    Raises HwmlError for a prediction that cannot be read, ReportError for a report that is missing, broken, or of
    another top function.
    """
    from hwml_sdk.qor.reports.csynth import read_csynth

    said = _kept(Path(prediction))
    found = read_csynth(report)
    if found.top and found.top != said["top"]:
        raise ReportError(f"is about {found.top}, the prediction about {said['top']}", path=found.path)
    actual = {
        "LUT": found.resources.lut,
        "DSP": found.resources.dsp,
        "FF": found.resources.ff,
        "bram_18k": found.resources.bram_18k,
        "latency_cycles": found.latency_cycles[1],
    }
    loops = _loops(said, {loop.name: loop for _, loop in found.all_loops()})
    row = {
        "schema_version": SCHEMA_VERSION,
        "top": said["top"],
        "part": found.part or said["part"],
        "clock_period_ns": found.clock_period_ns or said["clock_period_ns"],
        "tool_version": found.tool_version,
        "sources": said.get("sources", {}),
        "predicted": {key: said[key] for key in _KEYS},
        "intervals": said["intervals"],
        "actual": actual,
        "loops": loops,
    }
    if log:
        _append(Path(prediction).parent / LOG, row)
    if as_json:
        return json_text(row)
    return _compared(said, actual, loops, found.tool_version)


def _kept(path: Path) -> dict[str, Any]:
    try:
        data = parse_json(read_source(path))
        missing = [key for key in (*_KEYS, "top", "part", "clock_period_ns", "intervals", "loops") if key not in data]
        if not missing and data.get("schema_version") != SCHEMA_VERSION:
            missing = [f"schema_version {SCHEMA_VERSION}"]
    except (ValueError, TypeError) as error:
        raise HwmlError(f"{path}: is no kept prediction: {error}; run hwml hooks predict again") from error
    if missing or not isinstance(data, dict):
        raise HwmlError(f"{path}: is no kept prediction ({', '.join(missing)} missing); run hwml hooks predict again")
    return data


def _loops(said: Mapping[str, Any], reported: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Loops that both know by name: initiation interval and cycles."""
    rows = []
    pending = list(said["loops"])
    while pending:
        loop = pending.pop(0)
        pending = [*loop["loops"], *pending]
        match = reported.get(loop["name"])
        if match is not None:
            rows.append(
                {
                    "name": loop["name"],
                    "predicted": {"ii": loop["ii"], "cycles": loop["cycles"]},
                    "actual": {"ii": match.ii, "cycles": match.latency_cycles[1]},
                }
            )
    return rows


def _append(path: Path, row: Mapping[str, Any]) -> None:
    try:
        append_line(path, json_text(row, indent=None))
    except OSError as error:
        raise HwmlError(f"{path}: cannot write: {error.strerror or error}; --no-log leaves it out") from error


def _compared(
    said: Mapping[str, Any], actual: Mapping[str, Any], loops: Iterable[Mapping[str, Any]], version: str
) -> str:
    rows = []
    for key in _KEYS:
        predicted, real = said[key], actual[key]
        off = _off(predicted, real)
        rows.append((_TITLES.get(key, key), _estimate(said, key), _interval(said, key), _short(real), off))
    lines = [f"hwml: {said['top']}, predicted against csynth {version}".rstrip()]
    lines += _table(("", "predicted", "80 % interval", "actual", "off by"), rows)
    listed = [
        (item["name"], *(_short(item[who][what]) for what in ("ii", "cycles") for who in ("predicted", "actual")))
        for item in loops
    ]
    if listed:
        lines += _table(("loop", "II predicted", "actual", "cycles predicted", "actual"), listed)
    return "\n".join(lines)


def _off(predicted: float | None, actual: float | None) -> str:
    """`+12 %`: how far the prediction is from the report."""
    if predicted is None or actual is None:
        return "?"
    if actual == 0:
        return "0 %" if predicted == 0 else "-"
    return f"{(predicted - actual) / actual * 100:+.0f} %"
