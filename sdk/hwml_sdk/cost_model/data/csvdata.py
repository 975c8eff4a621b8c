"""Samples as CSV: one row a sample, columns `Xp`, `Xs`, `y` and, written by hwml, `pipeline_id`, `schedule_id`.

`Xp` and `Xs` hold numbers separated by spaces (commas and brackets are taken too), stage by stage; `y` is the run time
in milliseconds. hwml writes `Xp` = pipeline features (stages x 287) and `Xs` = schedule features (stages x 39). Other
tools write 280 per stage (without types_in_use), or swap the two names; the widths tell which it is.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from ...errors import DataError
from ...files import new_file, open_regular
from .features import N_MODEL_ROWS, N_PIPELINE, N_ROWS, N_SCHEDULE, N_TYPES
from .samples import MAX_STAGES, Floats, Sample, check_features

_MODEL_PIPELINE = N_MODEL_ROWS * N_TYPES
_TO_SPACES = str.maketrans("[](),;\n\t", "        ")


def read_csv(path: str | Path) -> Iterator[Sample]:
    """Read samples from a CSV file one by one; rows without ids get one by content and the row's number.

    Raises DataError with file and line.
    """
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as stream:
            yield from _rows(stream, path)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8 text; a CSV with columns Xp, Xs, y was expected", path=path) from error


def _rows(stream: TextIO, path: str | Path) -> Iterator[Sample]:
    # A cell of MAX_STAGES stages; the csv module refuses cells over 128 kB by default.
    csv.field_size_limit(min(sys.maxsize, MAX_STAGES * N_PIPELINE * 16))
    reader = csv.DictReader(stream)
    try:
        missing = {"Xp", "Xs", "y"} - set(reader.fieldnames or ())
        if missing:
            raise DataError(f"no column {', '.join(sorted(missing))}; Xp, Xs and y are needed", path=path, line=1)
        for number, row in enumerate(reader):
            yield _sample(row, number, path, reader.line_num)
    except csv.Error as error:
        raise DataError(f"broken CSV: {error}", path=path, line=reader.line_num) from error


def _sample(row: dict[str, str], number: int, path: str | Path, line: int) -> Sample:
    first, second = (_numbers(row.get(name), name, path, line) for name in ("Xp", "Xs"))
    schedule, pipeline = _split(first, second, path, line)
    runtime = _numbers(row.get("y"), "y", path, line)
    if len(runtime) != 1 or not 0 < runtime[0] < np.inf:
        raise DataError(
            f"y is {row.get('y')!r}: one positive run time in milliseconds was expected", path=path, line=line
        )
    ids = []
    for name, default in (("pipeline_id", _id_of(pipeline)), ("schedule_id", number)):
        cell = row.get(name)
        try:
            ids.append(default if cell in (None, "") else int(str(cell)))
        except ValueError as error:
            raise DataError(f"{name} is {cell!r}, not a whole number", path=path, line=line) from error
    check_features(schedule, pipeline, path=f"{path}:{line}")
    return Sample(schedule, pipeline, float(runtime[0]), ids[0], ids[1], f"{path}:{line}")


def _id_of(pipeline: Floats) -> int:
    """An id for a pipeline that was given none: by content, so that two never share one."""
    model = np.ascontiguousarray(pipeline[:, 1:])
    return int(hashlib.sha256(model.tobytes()).hexdigest()[:8], 16) & 0x7FFFFFFF


def _numbers(cell: str | None, name: str, path: str | Path, line: int) -> Floats:
    try:
        return np.asarray((cell or "").translate(_TO_SPACES).split(), dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{name} holds something that is no number: {error}", path=path, line=line) from error


def _split(first: Floats, second: Floats, path: str | Path, line: int) -> tuple[Floats, Floats]:
    """Which of the two columns holds which features: their widths per stage are 39 against 280 or 287."""
    for schedule, pipeline in ((second, first), (first, second)):
        stages, rest = divmod(schedule.size, N_SCHEDULE)
        if not stages or rest:
            continue
        if pipeline.size == stages * N_PIPELINE:
            return schedule.reshape(stages, N_SCHEDULE), pipeline.reshape(stages, N_ROWS, N_TYPES)
        if pipeline.size == stages * _MODEL_PIPELINE:
            full = np.zeros((stages, N_ROWS, N_TYPES), dtype=np.float32)
            full[:, 1:] = pipeline.reshape(stages, N_MODEL_ROWS, N_TYPES)
            return schedule.reshape(stages, N_SCHEDULE), full
    raise DataError(
        f"Xp has {first.size} and Xs {second.size} numbers; 280 or 287 and 39 per stage were expected",
        path=path,
        line=line,
    )


def write_csv(samples: Iterable[Sample], path: str | Path) -> int:
    """Write samples as CSV and return their number; numbers are exact float32.

    Rows are written as samples come, to a file beside `path` that takes its place at the end: a million samples are
    never in memory, and an error leaves what was there. Raises HwmlError when the folder cannot be written.
    """
    path = Path(path)
    with new_file(path) as made, made.open("x", encoding="utf-8", newline="") as stream:
        return _write_rows(samples, stream)


def _write_rows(samples: Iterable[Sample], stream: TextIO) -> int:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["Xp", "Xs", "y", "pipeline_id", "schedule_id"])
    count = 0
    for sample in samples:
        count += 1
        cells = [_text(sample.pipeline_features), _text(sample.schedule_features), _text(np.float32(sample.runtime_ms))]
        writer.writerow([*cells, sample.pipeline_id, sample.schedule_id])
    return count


def _text(values: Floats | np.float32) -> str:
    """Shortest decimals that read back as the same float32; whole numbers without a point."""
    return " ".join(
        str(int(value)) if value == np.floor(value) and abs(value) < 1e7 else str(value) for value in np.ravel(values)
    )
