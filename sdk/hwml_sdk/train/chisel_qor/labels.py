"""yosys' counts of circuits: many in one run, kept in `labels.jsonl` by the netlist's number: none is run twice.

A row says which yosys counted it; rows of another one are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ...chisel.qor.measure import measure_each
from ...chisel.yosys import find_yosys
from ...errors import DataError, ToolFailedError
from ...files import append_line, parse_json, read_bytes
from ...tools import run_tool
from .circuits import Row

LABELS = "labels.jsonl"
_BATCH = 40
_RUN_S = 3600.0
_VERSION_S = 300.0  # the first start of the package compiles it
Label = Mapping[str, int]


def yosys_version() -> str:
    """`Yosys 0.70 ...`. Raises MissingDependencyError, ToolFailedError."""
    done = run_tool([*find_yosys(), "-V"], timeout_s=_VERSION_S)
    if not done.ok or not done.stdout.strip():
        raise ToolFailedError("yosys does not say its version: is it one?")
    return " ".join(done.stdout.split()[:2])


def read_labels(folder: Path, version: str) -> dict[str, Label]:
    """Counts by number of netlist; an empty one is of a circuit that yosys cannot count. Raises DataError."""
    path = folder / LABELS
    if not path.is_file():
        return {}
    try:
        rows = [parse_json(line) for line in read_bytes(path, max_bytes=1 << 28).decode().splitlines()]
        return {row["netlist"]: row["counts"] for row in rows if row["yosys"] == version}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a list of labels ({error}); remove it") from error


def label(folder: Path, rows: Sequence[Row], say: Callable[[str], None]) -> dict[str, Label]:
    """Counts of all rows that yosys can count, those known before included.

    Raises DataError for a file of labels that is none, MissingDependencyError without yosys.
    """
    version = yosys_version()
    known = read_labels(folder, version)
    missing = list({row.netlist: row for row in rows if row.netlist not in known}.values())
    for start in range(0, len(missing), _BATCH):
        for row, counts in _counted(missing[start : start + _BATCH], say):
            known[row.netlist] = counts
            line = {"netlist": row.netlist, "key": row.key, "yosys": version, "counts": counts}
            append_line(folder / LABELS, json.dumps(line))
        say(f"{min(start + _BATCH, len(missing))} of {len(missing)} circuits counted by {version}")
    return {row.netlist: known[row.netlist] for row in rows if known.get(row.netlist)}


def _counted(rows: Sequence[Row], say: Callable[[str], None]) -> list[tuple[Row, Label]]:
    """Counts of a batch; empty ones of a circuit that yosys cannot take."""
    found = measure_each(
        {row.netlist: row.verilog for row in rows}, tops={row.netlist: row.top for row in rows}, timeout_s=_RUN_S
    )
    for row in rows:
        if row.netlist in found.failures:
            say(f"{row.key}: {found.failures[row.netlist]}")
    return [(row, found.counts.get(row.netlist, {})) for row in rows]
