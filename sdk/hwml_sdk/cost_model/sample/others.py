"""What stands beside adams2019: a pipeline as it was written, and scheduled by Halide's other autoschedulers.

`hwml halide sample --others` keeps their run times beside the samples (MACHINE/others.json), where `hwml halide eval`
finds them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...executor import Executor
from ...files import write_atomic
from ..data.others import FILE, read_others
from ..toolkit import GPU_AUTOSCHEDULER, other_autoschedulers
from .failures import words
from .jobs import Prepared
from .measure import Search
from .targets import has_hand_schedule

WRITTEN = "as written"


@dataclass(frozen=True, slots=True)
class Other:
    """A schedule that is none of adams2019: what it is and its run time, or why there is none."""

    label: str
    runtime_ms: float | None
    noise: float = 0.0
    error: str = ""


def measure_others(prepared: Prepared, num_cores: int, executor: Executor, say: Callable[[str], None]) -> list[Other]:
    """Time a target as it was written and with each other autoscheduler of the halide package."""
    written = "hand schedule" if has_hand_schedule(prepared.target) else "no schedule"
    names = {"": f"{WRITTEN} ({written})"} | {
        name: name for name in other_autoschedulers() if name != GPU_AUTOSCHEDULER
    }
    jobs = {label: prepared.job(Search(), num_cores, scheduler=name) for name, label in names.items()}
    say(f"timing {', '.join(jobs)}")
    found = {outcome.key: outcome for outcome in executor.run(prepared.function("other"), jobs)}
    rows = []
    for label in jobs:
        if found[label].ok:
            timing = found[label].value["timing"]
            rows.append(Other(label, timing["runtime_ms"], timing["noise"]))
        else:
            rows.append(Other(label, None, 0.0, words(found[label])))
    if GPU_AUTOSCHEDULER in other_autoschedulers():
        target = prepared.options.halide_target
        rows.append(Other(GPU_AUTOSCHEDULER, None, 0.0, f"schedules for GPUs only, and target {target} has none"))
    return rows


def keep_others(folder: Path, pipeline_id: int, num_cores: int, rows: Sequence[Other]) -> None:
    """Write run times beside a machine's samples, over older ones of the same pipeline and number of cores."""
    kept = read_others(folder) | {f"{pipeline_id}:{num_cores}": [asdict(row) for row in rows]}
    write_atomic(folder / FILE, json.dumps({"schema_version": 1, "pipelines": kept}, indent=1) + "\n")
