"""Write training rows and tables: what `hwml qor collect` and `hwml qor import` leave behind."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...files import write_atomic

CSV_COLUMNS = (
    "id", "file", "kernel", "algo_group", "top", "tool", "tool_version", "part", "clock_period_ns", "label_stage",
    "lut", "dsp", "ff", "latency_cycles", "bram_18k", "directives", "defines",
)  # fmt: skip
LOOP_COLUMNS = (
    "design", "function", "loop", "trip_count_min", "trip_count_max", "ii", "pipelined", "iteration_latency_cycles",
    "latency_cycles_min", "latency_cycles_max", "source",
)  # fmt: skip


def write_rows(folder: Path, name: str, designs: Iterable[Mapping[str, Any]], texts: Mapping[str, str]) -> None:
    """`<name>_designs.jsonl` and `<name>_kernels.jsonl`, which `python -m sdk.train qor --data` reads."""
    kernels = ({"code_ref": reference, "code": text} for reference, text in texts.items())
    write_atomic(folder / f"{name}_kernels.jsonl", _lines(kernels))
    write_atomic(folder / f"{name}_designs.jsonl", _lines(designs))


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table with these columns; a name that a spreadsheet would run as a formula gets a quote before it."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: _cell(row.get(column)) for column in columns} for row in rows)
    write_atomic(path, out.getvalue())


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    elif isinstance(value, Mapping):
        value = "; ".join(f"{name}={item}" for name, item in value.items())
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return "" if value is None else value
