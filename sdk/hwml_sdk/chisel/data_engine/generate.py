"""Make a data set: plan, rounds of shards on an Executor, duplicates dropped, files written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ...config import DEFAULT_CHISEL_VERSION
from ...errors import HwmlError
from ...executor import Executor, Limits, Outcome
from ...files import parse_json, read_bytes, write_atomic
from .diversity import report_of, report_text
from .families import FAMILIES
from .held_out import held_out

LEVELS = {"L1": 0.6, "L2": 0.3, "L3": 0.1}
L4_SHARE = 0.05  # on top, as the samples of chisel3.util are: 550 for 10,000
UTIL_FOR_10_000 = 550
# At least so many of 100 samples differ when widths and constants are left out (0.6 is asked for).
LEAST_ABSTRACT = 0.7
_MOST_ROUNDS = 12
_OVERDRAW = 1.3
_SHARD_LIMIT_S = 3600.0
DATA, INFO, REPORT, PAGE, RUN, JOURNAL = (
    "chisel.jsonl",
    "dataset_info.json",
    "report.json",
    "report.md",
    "run.json",
    "journal.jsonl",
)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """What to make. samples: of levels 1 to 3; level 4 and chisel3.util come on top, in proportion."""

    out: str
    samples: int = 10_000
    seed: int = 0
    workers: int = 1
    shard: int = 200
    version: str = DEFAULT_CHISEL_VERSION
    backend: Literal["local", "ray"] = "local"
    address: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What the samples depend on: workers and machines are not part of it."""
        return {name: asdict(self)[name] for name in ("samples", "seed", "shard", "version")}


@dataclass(slots=True)
class Accepted:
    """Rows that were taken, and why others were not."""

    quotas: Mapping[str, int]
    banned: frozenset[str]
    rows: list[dict[str, Any]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    _exact: set[str] = field(default_factory=set)
    _abstract: set[str] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)

    def offer(self, row: dict[str, Any]) -> bool:
        """Take a row unless it repeats another, is an evaluation task, or its family is full."""
        why = self._objection(row)
        if why:
            self.dropped[why] += 1
            return False
        self._exact.add(row["netlist"])
        self._abstract.add(row["abstract"])
        self._counts[row["family"]] += 1
        self.rows.append(row)
        return True

    def _objection(self, row: Mapping[str, Any]) -> str:
        if self._counts[row["family"]] >= self.quotas.get(row["family"], 0):
            return "family full"
        if row["abstract"] in self.banned:
            return "evaluation task"
        if row["netlist"] in self._exact:
            return "same netlist"
        # The rule holds for every beginning of the list, so that it holds for the whole.
        if row["abstract"] in self._abstract and len(self._abstract) < LEAST_ABSTRACT * (len(self.rows) + 1):
            return "same but for widths and constants"
        return ""

    def missing(self) -> dict[str, int]:
        """How many each family still lacks."""
        left = {name: quota - self._counts[name] for name, quota in self.quotas.items()}
        return {name: count for name, count in left.items() if count > 0}


def quotas(samples: int) -> dict[str, int]:
    """Samples of each family."""
    wanted = {level: samples * share for level, share in LEVELS.items()}
    wanted |= {"L4": samples * L4_SHARE, "util": samples * UTIL_FOR_10_000 / 10_000}
    found: dict[str, int] = {}
    for level, count in wanted.items():
        families = [family for family in FAMILIES.values() if family.level == level]
        weight = sum(family.share for family in families)
        given, before = 0.0, 0
        for family in families:  # cumulative rounding: the level's total is exact
            given += count * family.share / weight
            found[family.name] = round(given) - before
            before = round(given)
    return {name: count for name, count in found.items() if count}


def generate(config: DataConfig, *, say: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Make the data set in the folder `config.out` and return its report; an interrupted run goes on where it was.

    Raises HwmlError where the folder holds another run, or where families cannot be filled.
    """
    tell = say or (lambda _: None)
    folder = Path(config.out)
    _same_run(folder, config)
    accepted = Accepted(quotas(config.samples), held_out())
    drawn: Counter[str] = Counter()
    executor = Executor(
        backend=config.backend,
        workers=config.workers,
        limits=Limits(_SHARD_LIMIT_S),
        retries=1,
        address=config.address,
    )
    for number in range(_MOST_ROUNDS):
        missing = accepted.missing()
        if not missing:
            break
        _round(executor, config, number, _picks(missing, drawn), accepted, tell)
    else:
        short = ", ".join(f"{name} {count}" for name, count in accepted.missing().items())
        tell(f"not filled after {_MOST_ROUNDS} rounds: {short}")
    return _write(folder, config, accepted)


def _same_run(folder: Path, config: DataConfig) -> None:
    path = folder / RUN
    if path.is_file():
        try:
            there = parse_json(read_bytes(path))
        except (OSError, ValueError) as error:
            raise HwmlError(f"{path}: cannot be read as a run's settings; remove the folder") from error
        if there != config.identity:
            raise HwmlError(f"{folder}: holds a run with other settings ({path.name}); name another folder")
        return
    write_atomic(path, json.dumps(config.identity, indent=1) + "\n")


def _picks(missing: Mapping[str, int], drawn: Counter[str]) -> list[list[Any]]:
    """Families in turn, so that every shard holds some of all."""
    queues = []
    for name, count in missing.items():
        more = max(count + 2, round(count * _OVERDRAW))
        queues.append([[name, drawn[name] + index] for index in range(more)])
        drawn[name] += more
    longest = max(map(len, queues))
    return [queue[index] for index in range(longest) for queue in queues if index < len(queue)]


def _round(
    executor: Executor,
    config: DataConfig,
    number: int,
    picks: Sequence[list[Any]],
    accepted: Accepted,
    tell: Callable[[str], None],
) -> None:
    items = {
        f"{number:02d}-{start // config.shard:05d}": {
            "seed": config.seed,
            "picks": list(picks[start : start + config.shard]),
            "version": config.version,
        }
        for start in range(0, len(picks), config.shard)
    }

    def progress(done: int, total: int, outcome: Outcome) -> None:
        count = len(outcome.value.get("rows", ()))
        said = f"{count} samples verified in {outcome.seconds:.0f} s"
        tell(f"round {number + 1}: shard {done} of {total}, {said} {outcome.error}".rstrip())

    function = "hwml_sdk.chisel.data_engine.shard:make_shard"
    outcomes = list(executor.run(function, items, journal=Path(config.out) / JOURNAL, progress=progress))
    # In the order of their keys: which duplicate is kept may not depend on which shard was done first.
    for outcome in sorted(outcomes, key=lambda found: found.key):
        if not outcome.ok:
            accepted.failures.append(
                {"family": "", "seed": outcome.key, "stage": outcome.status, "words": outcome.error}
            )
        accepted.failures += outcome.value.get("failures", [])
        for row in outcome.value.get("rows", []):
            accepted.offer(row)


def _write(folder: Path, config: DataConfig, accepted: Accepted) -> dict[str, Any]:
    report = report_of(accepted.rows) | {
        "settings": config.identity,
        "not_filled": accepted.missing(),
        "dropped": dict(accepted.dropped),
        "failed": dict(Counter(item["stage"] for item in accepted.failures)),
        "first_failures": [item for item in accepted.failures if item["stage"] != "trivial"][:20],
    }
    write_rows(folder, accepted.rows, report)
    (folder / JOURNAL).unlink(missing_ok=True)
    return report


def write_rows(folder: Path, rows: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> None:
    """The data set's files: rows, the description that LLaMA-Factory reads, the report."""
    write_atomic(folder / DATA, "".join(json.dumps(row) + "\n" for row in rows))
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    write_atomic(folder / INFO, json.dumps({"hwml_chisel": {"file_name": DATA, "columns": columns}}, indent=1) + "\n")
    write_atomic(folder / REPORT, json.dumps(report, indent=1) + "\n")
    write_atomic(folder / PAGE, report_text(report))
