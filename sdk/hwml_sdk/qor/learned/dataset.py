"""Labelled designs: a folder of `*designs.jsonl.gz` + `*kernels.jsonl.gz`, or a CSV file, as lists of `Design`.

The row formats are described in docs/qor-model.md. A design's source text is rendered when asked for, not on reading:
tens of thousands of designs share a few thousand templates.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config import DEFAULT_TOOL, DEFAULT_TOOL_VERSION
from ...errors import DataError
from ...files import open_regular, parse_json, read_bytes, read_source
from ...languages import HLS
from ..tool.labels import LABELS, STAGES

_PLACEHOLDER = re.compile(r"auto\{\s*(\w+)\s*\}")
_FILE_MARK = re.compile(r"^//==== file: (.+?) ====$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Design:
    """One labelled design point.

    kernel: name of the kernel; group: the algorithm, never split between training and test.
    labels: counts and cycles in the order of LABELS, None where unknown.
    bounds: upper bounds of censored labels (the label itself is then None), in the order of LABELS.
    template, pragmas: source text with `auto{NAME}` placeholders and their values. path, line: where the row stands.
    """

    id: str
    source: str
    licence: str
    kernel: str
    group: str
    tool: str
    tool_version: str
    part: str
    clock_period_ns: float
    stage: str
    top: str
    labels: tuple[float | None, ...]
    bounds: tuple[float | None, ...]
    template: str
    pragmas: Mapping[str, Any] = field(default_factory=dict)
    fits_device: bool = True
    unsafe_math: bool = False
    path: str = ""
    line: int = 0

    @property
    def key(self) -> str:
        """What within-kernel ranks are taken over: source, tool version, stage and kernel."""
        return "/".join((self.source, self.tool_version, self.stage, self.kernel))

    def code(self) -> str:
        """The rendered source text, file marks included."""
        return render(self.template, self.pragmas)

    def parts(self) -> tuple[str, dict[str, str]]:
        """(text of the file that holds the top function, the other files by name)."""
        return split_files(self.code(), self.top)


def render(template: str, pragmas: Mapping[str, Any]) -> str:
    """Source text of a design: lines whose placeholder is None fall away, the others get their values."""
    if not pragmas:
        return template
    lines = []
    for line in template.split("\n"):
        names = _PLACEHOLDER.findall(line)
        if not names:
            lines.append(line)
        elif all(pragmas.get(name) is not None for name in names):
            lines.append(_PLACEHOLDER.sub(lambda match: str(pragmas[match.group(1)]), line).rstrip())
    return "\n".join(lines)


def split_files(code: str, top: str) -> tuple[str, dict[str, str]]:
    """(main text, other files) of a text that may hold several files under `//==== file: NAME ====` marks.

    Main is the last C or C++ file that defines `top`, else the last such file, else the last file.
    """
    marks = list(_FILE_MARK.finditer(code))
    if not marks:
        return code, {}
    ends = [mark.start() for mark in marks[1:]] + [len(code)]
    files = {mark.group(1): code[mark.end() + 1 : end] for mark, end in zip(marks, ends, strict=True)}
    main = _main_file(files, top)
    return files[main], {name: text for name, text in files.items() if name != main}


def _main_file(files: Mapping[str, str], top: str) -> str:
    units = [name for name in files if name.lower().endswith(HLS.sources)] or list(files)
    defines = re.compile(rf"\b{re.escape(top)}\s*\([^;{{]*\)\s*\{{") if top else None
    holding = [name for name in units if defines is not None and defines.search(files[name])]
    return (holding or units)[-1]


def read_designs(path: str | Path) -> list[Design]:
    """Designs of a folder (every `*designs.jsonl.gz` or `.jsonl` with its `*kernels` file) or of one CSV file.

    Raises DataError naming file and line: unreadable or truncated file, missing field, wrong type, a row without any
    label, a negative label, a kernel text that no file holds.
    """
    place = Path(path)
    if place.is_dir():
        return list(_read_folder(place))
    if place.suffix.lower() == ".csv":
        return list(_read_csv(place))
    if not place.exists():
        raise DataError("no such file or folder; name a folder with *designs.jsonl.gz or a CSV file", path=place)
    raise DataError("is neither a folder with *designs.jsonl.gz nor a CSV file", path=place)


def _read_folder(folder: Path) -> Iterator[Design]:
    tables = sorted([*folder.glob("*designs.jsonl.gz"), *folder.glob("*designs.jsonl")])
    if not tables:
        raise DataError("holds no *designs.jsonl.gz; see docs/qor-model.md for the format", path=folder)
    for table in tables:
        kernels = table.with_name(table.name.replace("designs.jsonl", "kernels.jsonl"))
        texts = _read_texts(kernels)
        for line, row in _read_jsonl(table):
            reference = row.get("code_ref")
            if reference not in texts:
                raise DataError(f"code_ref {reference!r} is not in {kernels.name}", path=table, line=line)
            yield _design(row, texts[reference], table, line)


def _read_texts(path: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    for line, row in _read_jsonl(path):
        reference, code = row.get("code_ref"), row.get("code")
        if not isinstance(reference, str) or not isinstance(code, str):
            raise DataError("code_ref and code must be strings", path=path, line=line)
        texts[reference] = code
    return texts


def _read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line from 1, row) of a JSON-lines file, gzip-compressed or not."""
    try:
        raw = read_bytes(path)
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except FileNotFoundError as error:
        raise DataError("is missing beside its designs file", path=path) from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"cannot read: {error}; is the file whole?", path=path) from error
    for line, content in enumerate(text.splitlines(), start=1):
        if not content.strip():
            continue
        try:
            row = parse_json(content)
        except ValueError as error:
            raise DataError(f"not JSON: {error}", path=path, line=line) from error
        if not isinstance(row, dict):
            raise DataError("a JSON object was expected", path=path, line=line)
        yield line, row


def _design(row: Mapping[str, Any], template: str, path: Path, line: int) -> Design:
    """A checked Design from the fields of one row."""

    def text(name: str, default: str | None = None) -> str:
        value = row.get(name)
        if value is None or value == "":
            if default is None:
                raise DataError(f"{name} is missing", path=path, line=line)
            return default
        if not isinstance(value, str):
            raise DataError(f"{name} must be a string, not {value!r}", path=path, line=line)
        return value

    stage = text("label_stage", "csynth")
    if stage not in STAGES:
        raise DataError(f"label_stage {stage!r} is neither csynth nor impl", path=path, line=line)
    pragmas = row.get("pragmas") or {}
    censored = row.get("censored") or {}
    if not isinstance(pragmas, Mapping) or not isinstance(censored, Mapping):
        raise DataError("pragmas and censored must be objects", path=path, line=line)
    labels = _labels(row, path, line)
    bounds = tuple(_number(censored, name, path, line) for name in LABELS)
    if all(label is None for label in labels) and all(bound is None for bound in bounds):
        raise DataError(f"no label at all: give one of {', '.join(LABELS)}", path=path, line=line)
    kernel = text("kernel")
    return Design(
        id=text("id", f"{path.name}:{line}"),
        source=text("source", path.stem),
        licence=text("licence", "unknown"),
        kernel=kernel,
        group=text("algo_group", kernel),
        tool=text("tool", "vitis_hls"),
        tool_version=text("tool_version", ""),
        part=text("part"),
        clock_period_ns=_clock(row, path, line),
        stage=stage,
        top=text("top", ""),
        labels=labels,
        bounds=bounds,
        template=template,
        pragmas=pragmas,
        fits_device=row.get("fits_device") is not False,
        unsafe_math=row.get("unsafe_math") is True,
        path=str(path),
        line=line,
    )


def _labels(row: Mapping[str, Any], path: Path, line: int) -> tuple[float | None, ...]:
    absent = [name for name in LABELS[:4] if name not in row]
    if absent:
        raise DataError(f"label {absent[0]!r} is missing; write null where it is unknown", path=path, line=line)
    return tuple(_number(row, name, path, line) for name in LABELS)


def _number(row: Mapping[str, Any], name: str, path: Path, line: int) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{name} must be a number or null, not {value!r}", path=path, line=line)
    if value < 0:
        raise DataError(f"{name} is negative ({value}); write null where a label is unknown", path=path, line=line)
    return float(value)


def _clock(row: Mapping[str, Any], path: Path, line: int) -> float:
    clock = _number(row, "clock_period_ns", path, line)
    if not clock:
        raise DataError("clock_period_ns must be over 0", path=path, line=line)
    return clock


_CSV_NEEDED = ("file", "part", "clock_period_ns", *LABELS[:4])


def _read_csv(path: Path) -> Iterator[Design]:
    """Designs of a CSV file; column `file` names the source, relative to the CSV (docs/qor-model.md lists the rest)."""
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _CSV_NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"column {missing[0]!r} is missing", path=path, line=1)
            for row in reader:
                yield _csv_design(row, path, reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read: {error}", path=path) from error


def _csv_design(row: Mapping[str, str | None], path: Path, line: int) -> Design:
    values: dict[str, Any] = {name: (value or "").strip() or None for name, value in row.items() if name}
    for name in (*LABELS, "clock_period_ns"):
        if values.get(name) is not None:
            try:
                values[name] = float(values[name])
            except ValueError as error:
                raise DataError(f"{name} must be a number, not {values[name]!r}", path=path, line=line) from error
    if values.get("tool") in (None, DEFAULT_TOOL):  # what is assumed of a design when it is asked about
        values["tool_version"] = values.get("tool_version") or DEFAULT_TOOL_VERSION
    if values.get("file") is None:
        raise DataError("file is empty: name the source of this row", path=path, line=line)
    source = path.parent / values["file"]
    if not source.is_file():
        raise DataError(f"{values['file']}: no such source file", path=path, line=line)
    values.setdefault("kernel", None)
    values["kernel"] = values["kernel"] or Path(values["file"]).stem
    values["label_stage"] = values.get("label_stage") or values.get("stage")
    values["algo_group"] = values.get("algo_group") or values.get("group")
    return _design(values, read_source(source), path, line)


@dataclass(frozen=True, slots=True)
class Rows:
    """What evaluation needs of n designs, as columns.

    source, group, kernel, key, tool, tool_version, part, stage: [n] strings. clock_period_ns: [n].
    labels, bounds: float64 [n, len(LABELS)], NaN where unknown. fits_device: bool [n].
    """

    source: NDArray[np.str_]
    group: NDArray[np.str_]
    kernel: NDArray[np.str_]
    tool: NDArray[np.str_]
    tool_version: NDArray[np.str_]
    part: NDArray[np.str_]
    stage: NDArray[np.str_]
    clock_period_ns: NDArray[np.float64]
    labels: NDArray[np.float64]
    bounds: NDArray[np.float64]
    fits_device: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.source)

    @property
    def key(self) -> NDArray[np.str_]:
        """Source, tool version, stage and kernel of each row, joined: [n] strings."""
        return self.joined("source", "tool_version", "stage", "kernel")

    def joined(self, *columns: str) -> NDArray[np.str_]:
        """What each row holds in some columns of text, with slashes between: [n] strings."""
        # Lists: numpy loses a Ctrl-C that comes while Python iterates over an array of strings.
        parts = zip(*(getattr(self, name).tolist() for name in columns), strict=True)
        return np.array(["/".join(part) for part in parts], dtype=str)

    def fold(self, folds: int = 5) -> NDArray[np.int64]:
        """Fold of each row, sha256(group) mod `folds`: a group is never split. [n], 0 to folds - 1."""
        names, inverse = np.unique(self.group, return_inverse=True)
        return np.array([group_fold(str(name), folds) for name in names], dtype=np.int64)[inverse]

    def take(self, chosen: NDArray[Any]) -> Rows:
        """The rows that a boolean mask or an index array chooses."""
        return Rows(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    @classmethod
    def of(cls, designs: list[Design]) -> Rows:
        """Columns of `designs`, in their order."""

        def column(name: str) -> NDArray[np.str_]:
            return np.array([getattr(design, name) for design in designs], dtype=str)

        def numbers(name: str) -> NDArray[np.float64]:
            values = [[math.nan if v is None else v for v in getattr(design, name)] for design in designs]
            return np.array(values, dtype=np.float64).reshape(-1, len(LABELS))

        return cls(
            source=column("source"),
            group=column("group"),
            kernel=column("kernel"),
            tool=column("tool"),
            tool_version=column("tool_version"),
            part=column("part"),
            stage=column("stage"),
            clock_period_ns=np.array([design.clock_period_ns for design in designs], dtype=np.float64),
            labels=numbers("labels"),
            bounds=numbers("bounds"),
            fits_device=np.array([design.fits_device for design in designs], dtype=bool),
        )


def group_fold(group: str, folds: int = 5) -> int:
    """Fold of an algorithm group: sha256 of its name, as a number, mod `folds`."""
    return int(hashlib.sha256(group.encode("utf-8")).hexdigest(), 16) % folds
