"""Run times of what is no schedule of adams2019, kept beside a machine's samples (`others.json`).

`{"schema_version": 1, "pipelines": {"ID:CORES": [{"label", "runtime_ms", "noise", "error"}]}}`; a run time is null
where it could not be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...files import parse_json, read_bytes
from .dataset import PipelineData

FILE = "others.json"


def read_others(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows by pipeline id and number of cores; none where there is no file. Raises DataError when it is broken."""
    path = folder / FILE
    try:
        found = parse_json(read_bytes(path))["pipelines"]
        for rows in found.values():
            for row in rows:
                time = row["runtime_ms"]
                if not isinstance(row["label"], str) or not (time is None or (type(time) in (int, float) and time > 0)):
                    raise ValueError(f"row {row!r}")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"broken run times of other schedules: {error}; remove the file", path=path) from error
    return dict(found)


def compare_others(pipelines: Sequence[PipelineData]) -> dict[str, dict[str, Any]]:
    """By label: run time over that of the best sample, as the regret of a choice, over pipelines it was measured for.

    `top1_regret`, `top1_regret_geo`, `n_pipelines`; `n_failed`, and why the first of these could not be run.
    """
    times: dict[str, list[float]] = {}
    failed: dict[str, list[str]] = {}
    for data in pipelines:
        folders = {Path(path).parent.parent for path in data.paths}
        for folder in sorted(folders):
            for row in read_others(folder).get(f"{data.pipeline_id}:{data.num_cores}", ()):
                times.setdefault(row["label"], [])
                if row["runtime_ms"] is None:
                    failed.setdefault(row["label"], []).append(str(row.get("error", "")))
                else:
                    times[row["label"]].append(row["runtime_ms"] / float(data.runtime_ms.min()))
    return {label: _regret(values, failed.get(label, [])) for label, values in times.items()}


def _regret(values: list[float], failed: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"n_pipelines": len(values), "n_failed": len(failed), "why": failed[0] if failed else ""}
    if values:
        found["top1_regret"] = round(float(np.mean(values)), 5)
        found["top1_regret_geo"] = round(float(np.exp(np.mean(np.log(values)))), 5)
    return found
