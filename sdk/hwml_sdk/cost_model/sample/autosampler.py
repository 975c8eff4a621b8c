"""Measured samples of a user's own pipeline.

Layout: SAMPLES/NAME/MACHINE/batch_0001/NAME_batch_0001_sample_0000.{sample,schedule.h,json}. Numbering continues in a
folder that is there; a batch that was interrupted is finished first. Each batch keeps the settings it was made with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...errors import DataError, HwmlError
from ...executor import Executor, Outcome
from ...files import parse_json, read_bytes, write_atomic
from ..data.others import read_others
from ..data.samples import Sample, load_a_sample, parse_featurization, sample_bytes, sample_paths
from ..machine import Machine
from ..net.terms import Predictor
from ..net.weights import Weights
from .failures import kind_of, lacking, words
from .jobs import JobOptions, Prepared, limits_of, prepare, workers_of
from .known import keep_weights
from .measure import Search
from .others import keep_others, measure_others
from .targets import Target

METADATA_VERSION = 1
# Chance in percent that a search makes no random choice at all, cycled over a batch: at 1 a few choices of nearly
# every search are random, at 5 one search in twenty follows its weights throughout.
DROPOUTS = (1, 1, 1, 5)
NEAR_DROPOUTS = (30, 5, 1)  # of searches of which only those predicted fastest are measured: from near to far
MAX_TRIES = 4  # of one sample: beams of 32, 8, 2 and 1, or seeds and weights
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How to sample one target."""

    target: Target
    name: str
    batch_size: int = 16
    num_cores: int = 1
    """threads a benchmark may use; given to the search as its parallelism"""
    weights: str = ""
    """the weights that steer the search, as `Weights.named` takes them; empty: those embedded in Halide"""
    explore: float = 0.3
    """fraction of samples steered by random weights instead"""
    best_of: int = 0
    """over the batch size: so many searches are made for a batch, and of the new schedules those that the weights
    predict fastest are measured"""
    beam_size: int = 32
    """of the first search of a batch, its best effort; the others follow one path each"""
    seed: int = 0
    others: bool = False
    """time the pipeline as written and with other autoschedulers, too, once for each pipeline"""
    options: JobOptions = field(default_factory=JobOptions)


@dataclass(slots=True)
class SampleReport:
    """What sampling did."""

    written: list[Path] = field(default_factory=list)
    duplicates: int = 0
    failures: list[str] = field(default_factory=list)
    """one line for each sample that crashed, hung or failed"""


def sample(
    settings: SampleSettings,
    *,
    batches: int,
    samples_dir: str | Path,
    workers: int | None = None,
    backend: Literal["local", "ray"] = "local",
    address: str | None = None,
    retries: int = 0,
    report: Report | None = None,
) -> SampleReport:
    """Measure `batches` x `batch_size` schedules of a target; an interrupted batch in the folder is finished first.

    Raises HwmlError when nothing could be sampled (the first failure's words), when the folder cannot be written, or
    when the tools are missing.
    """
    _check(settings, batches)
    home = Path(samples_dir) / settings.name
    prepared = prepare(settings.target, settings.options, settings.name)
    done = SampleReport()
    count = workers_of(workers)
    executor = Executor(
        backend=backend, workers=workers, limits=limits_of(settings.options, count), retries=retries, address=address
    )
    alone = Executor(limits=limits_of(settings.options, 1), workers=1) if backend == "local" else executor
    numbers = _unfinished(home) or []
    first = _last_number(home) + 1
    for number in [*numbers, *range(first, first + batches)]:
        _Batch(settings, home, number, prepared).run(executor, alone, done, report)
    if not done.written and not done.duplicates and done.failures:
        raise HwmlError(f"{settings.target}: no schedule could be measured: {done.failures[0]}")
    return done


def _check(settings: SampleSettings, batches: int) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", settings.name):
        raise HwmlError(f"name {settings.name!r}: letters, digits, '_', '.' and '-' only, 100 at most")
    if min(batches, settings.batch_size, settings.num_cores, settings.beam_size) < 1:
        raise HwmlError("batches, batch size, beam and number of cores must be at least 1")
    if settings.best_of and settings.best_of <= settings.batch_size:
        raise HwmlError(f"--best-of {settings.best_of}: over the batch size, {settings.batch_size}, or 0")


def _batch_folders(home: Path) -> Iterator[tuple[int, Path]]:
    for path in home.glob("*/batch_*"):
        number = path.name.removeprefix("batch_")
        if number.isdigit():
            yield int(number), path


def _last_number(home: Path) -> int:
    plans = [int(path.stem.removeprefix("batch_")) for path in home.glob(".plans/batch_*.json")]
    return max([number for number, _ in _batch_folders(home)] + plans, default=0)


def _unfinished(home: Path) -> list[int]:
    """Batches whose plan was written but not closed."""
    return sorted(
        int(path.stem.removeprefix("batch_"))
        for path in home.glob(".plans/batch_*.json")
        if not _plan(path)["complete"]
    )


def _plan(path: Path) -> dict[str, Any]:
    try:
        plan = parse_json(read_bytes(path))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"broken plan of a batch: {error}; remove the file", path=path) from error
    if not isinstance(plan, dict) or not isinstance(plan.get("items"), dict) or "complete" not in plan:
        raise DataError("no plan of a batch; remove the file", path=path)
    return plan


class _Batch:
    """One batch: its plan on disk, its journal, its samples."""

    def __init__(self, settings: SampleSettings, home: Path, number: int, prepared: Prepared) -> None:
        self.settings, self.home, self.number, self.prepared = settings, home, number, prepared
        self.plan_path = home / ".plans" / f"batch_{number:04d}.json"
        self.journal = home / ".plans" / f"batch_{number:04d}.journal.jsonl"

    def run(self, executor: Executor, alone: Executor, done: SampleReport, report: Report | None) -> None:
        """Measure what is missing and write the samples; what failed is tried again by itself, with other settings."""
        say = report or (lambda _: None)
        items = self._items(executor, done, say)
        outcomes: dict[str, Outcome] = {}
        for outcome in executor.run(self.prepared.function("measure"), items, journal=self.journal):
            self._give_up_if_lacking(outcome)
            outcomes[outcome.key] = outcome
            say(f"{self.settings.name} batch {self.number}: {len(outcomes)}/{len(items)} {_words(outcome)}")
        for attempt in range(1, MAX_TRIES):
            self._try_again(attempt, items, outcomes, alone, say)
        self._keep(items, outcomes, done)
        if self.settings.others and done.written:
            sizes = next(outcome.value.get("sizes", ()) for outcome in outcomes.values() if outcome.ok)
            self._others(self.prepared.sized(sizes), executor, done, say)
        write_atomic(self.plan_path, json.dumps(_plan(self.plan_path) | {"complete": True, "items": {}}))
        self.journal.unlink(missing_ok=True)

    def _give_up_if_lacking(self, outcome: Outcome) -> None:
        """All samples would fail alike: the batch is as if it had never been."""
        if why := lacking(outcome):
            self.plan_path.unlink(missing_ok=True)
            self.journal.unlink(missing_ok=True)
            raise HwmlError(f"{self.settings.target}: {why}")

    def _others(self, prepared: Prepared, executor: Executor, done: SampleReport, say: Report) -> None:
        """Time other schedules of the pipeline that was sampled, where that was not done before."""
        folder, made = done.written[-1].parent.parent, load_a_sample(done.written[-1])
        cores = self.settings.num_cores
        if f"{made.pipeline_id}:{cores}" not in read_others(folder):
            keep_others(folder, made.pipeline_id, cores, measure_others(prepared, cores, executor, say))

    def _try_again(
        self, attempt: int, items: dict[str, dict[str, Any]], outcomes: dict[str, Outcome], alone: Executor, say: Report
    ) -> None:
        again: dict[str, dict[str, Any]] = {}
        for key, item in items.items():
            random = np.random.default_rng([self.settings.seed, self.number, int(key), attempt])
            changed = other_search(item["search"], outcomes[key], random)
            if changed is not None:
                search, how = changed
                again[f"{key}.{attempt}"] = item | {"search": search}
                say(f"{self.settings.name} batch {self.number}: {key} {words(outcomes[key])}; again with {how}")
        items.update({key.partition(".")[0]: item for key, item in again.items()})
        for outcome in alone.run(self.prepared.function("measure"), again, journal=self.journal):
            key = outcome.key.partition(".")[0]
            outcomes[key] = replace(outcome, key=key)
            say(f"{self.settings.name} batch {self.number}: {key} again: {_words(outcome)}")

    def _items(self, executor: Executor, done: SampleReport, say: Report) -> dict[str, dict[str, Any]]:
        if self.plan_path.is_file():
            items: dict[str, dict[str, Any]] = _plan(self.plan_path)["items"]
            for item in items.values():
                item["program"] = self.prepared.program
            return items
        known = sorted(
            {load_a_sample(path).schedule_digest() for path in sample_paths(self.home)} if self.home.is_dir() else ()
        )
        made = self._nearest(known, executor, done, say) if self.settings.best_of > self.settings.batch_size else {}
        made = made or {f"{index:04d}": self._item(index, known) for index in range(self.settings.batch_size)}
        write_atomic(self.plan_path, json.dumps({"schema_version": METADATA_VERSION, "complete": False, "items": made}))
        return made

    def _nearest(
        self, known: list[str], executor: Executor, done: SampleReport, say: Report
    ) -> dict[str, dict[str, Any]]:
        """Of `best_of` searches those with new schedules that the weights predict fastest; none where all are known."""
        settings = self.settings
        jobs = {f"{index:04d}": self._item(index, known, near=True) for index in range(settings.best_of)}
        outcomes = {}
        for outcome in executor.run(self.prepared.function("schedule"), jobs):
            self._give_up_if_lacking(outcome)
            outcomes[outcome.key] = outcome
        predictor = Predictor(Weights.named(settings.weights or "embedded"))
        new: dict[str, tuple[float, str]] = {}
        for key in jobs:
            if outcomes[key].ok and outcomes[key].value["schedule_digest"] not in known:
                predicted = predicted_ms(outcomes[key], predictor, settings.num_cores)
                new.setdefault(outcomes[key].value["schedule_digest"], (predicted, key))
        chosen = [jobs[key] for _, key in sorted(new.values())[: settings.batch_size]]
        failed = [f"batch {self.number}, search {key}: {words(outcomes[key])}" for key in jobs if not outcomes[key].ok]
        done.failures += failed
        say(
            f"{settings.name} batch {self.number}: {len(new)} new schedules in {settings.best_of} searches, "
            f"{len(chosen)} to measure{f'; {len(failed)} failed' if failed else ''}"
        )
        return {f"{index:04d}": job for index, job in enumerate(chosen)}

    def _item(self, index: int, known: list[str], near: bool = False) -> dict[str, Any]:
        """Settings of one sample; its random numbers depend on seed, batch and index only."""
        settings = self.settings
        random = np.random.default_rng([settings.seed, self.number, index])
        explore = index > 0 and random.random() < settings.explore
        dropouts = NEAR_DROPOUTS if near else DROPOUTS
        if explore:
            weights = encoded(Weights.random(int(random.integers(2**32))))
        else:
            weights = encoded(Weights.named(settings.weights)) if settings.weights else ""
        search = Search(
            parallelism=settings.num_cores,
            # The first of each batch is the search's best effort, the others are random probes.
            beam_size=settings.beam_size if index == 0 else 1,
            random_dropout=100 if index == 0 else dropouts[index % len(dropouts)],
            random_dropout_seed=int(random.integers(1, 2**31)),
            weights=weights,
        )
        return self.prepared.job(search, settings.num_cores, known=known) | {"explore": explore}

    def _keep(self, items: dict[str, dict[str, Any]], outcomes: dict[str, Outcome], done: SampleReport) -> None:
        """Write the samples. Of equal schedules the faster one is kept, under the name of the first in the plan."""
        equal: dict[str, list[str]] = {}
        for key in items:
            outcome = outcomes[key]
            if not outcome.ok:
                done.failures.append(f"batch {self.number}, sample {key}: {_words(outcome)}")
            elif outcome.value["duplicate"]:
                done.duplicates += 1
            else:
                equal.setdefault(outcome.value["schedule_digest"], []).append(key)
        for keys in equal.values():
            done.duplicates += len(keys) - 1
            times = [outcomes[key].value["timing"]["runtime_ms"] for key in keys]
            fastest = keys[int(np.argmin(times))]
            repeats = {"measurements": len(times), "spread": max(times) / min(times) - 1}
            done.written.append(self._write(keys[0], outcomes[fastest], items[fastest], repeats))

    def _write(self, key: str, outcome: Outcome, item: dict[str, Any], repeats: dict[str, Any]) -> Path:
        value = outcome.value
        schedule, pipeline = parse_featurization(
            base64.b64decode(value["featurization"]), path="Halide's featurization"
        )
        machine, arguments = value["machine"], list(self.settings.options.generator_arguments)
        pipeline_id = make_pipeline_id(self.settings.name, value["pipeline_digest"], value["points"], arguments)
        schedule_id = self.number * 10_000 + int(key)
        made = Sample(schedule, pipeline, float(np.float32(value["timing"]["runtime_ms"])), pipeline_id, schedule_id)
        folder = self.home / _machine_key(machine) / f"batch_{self.number:04d}"
        stem = f"{self.settings.name}_batch_{self.number:04d}_sample_{key}"
        search = item["search"] | {"weights": keep_weights(self.home, item["search"]["weights"])}
        metadata = {
            "schema_version": METADATA_VERSION,
            "name": self.settings.name,
            "target": str(self.settings.target),
            "generator_arguments": arguments,
            "estimates": list(self.settings.options.estimates),
            "own_schedule": value.get("own_schedule", ""),
            "points": value["points"],
            "machine": machine,
            "num_cores": item["num_cores"],
            "halide": value["halide"],
            "halide_target": item["halide_target"],
            "search": search,
            "random_weights": item["explore"],
            "timing": value["timing"] | repeats,
            "load": value["load"],
            "pipeline_digest": value["pipeline_digest"],
            "schedule_digest": value["schedule_digest"],
        }
        write_atomic(folder / f"{stem}.schedule.h", value["schedule"])
        write_atomic(folder / f"{stem}.json", json.dumps(metadata, indent=1) + "\n")
        # Last: a sample that is there has its metadata.
        write_atomic(folder / f"{stem}.sample", sample_bytes(made))
        return folder / f"{stem}.sample"


def encoded(weights: Weights) -> str:
    """Weights as a job carries them."""
    return base64.b64encode(weights.to_bytes()).decode()


def predicted_ms(outcome: Outcome, predictor: Predictor, num_cores: int) -> float:
    """The run time that weights predict for a schedule that was made."""
    schedule, pipeline = parse_featurization(base64.b64decode(outcome.value["featurization"]))
    flat = np.ascontiguousarray(pipeline[:, 1:]).reshape(len(pipeline), -1)
    return float(predictor.predict(flat, schedule[None], num_cores)[0])


def other_search(
    search: dict[str, Any], outcome: Outcome, random: np.random.Generator
) -> tuple[dict[str, Any], str] | None:
    """Settings to try after a failure, and what they are in words; None when no other settings would help.

    Memory and time: a quarter of the beam. No legal schedule: other random choices, then other weights, too.
    """
    if outcome.ok:
        return None
    kind = kind_of(outcome)
    ran = "running the pipeline" in outcome.error or "compiled pipeline" in outcome.error
    if kind in ("memory", "time") and search["beam_size"] > 1 and not ran:
        beam = max(1, search["beam_size"] // 4)
        return search | {"beam_size": beam}, f"beam {beam}"
    if kind != "illegal":
        return None
    changed = search | {"random_dropout_seed": int(random.integers(1, 2**31)), "random_dropout": 30}
    if search["random_dropout"] != 30:
        return changed, "another seed"
    return changed | {"weights": encoded(Weights.random(int(random.integers(2**32))))}, "another seed and weights"


def make_pipeline_id(name: str, pipeline_digest: str, points: Sequence[float], arguments: Sequence[str] = ()) -> int:
    """An id from name, content, sizes and generator arguments: two pipelines never share one (Halide issue 7086).

    `points`: what each stage computes at least (`Sample.points`), which tells the sizes.
    """
    text = json.dumps([name, pipeline_digest, list(points), sorted(arguments)])
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) & 0x7FFFFFFF


def _machine_key(machine: dict[str, Any]) -> str:
    return Machine(**machine).key


def _words(outcome: Outcome) -> str:
    if not outcome.ok:
        return words(outcome)
    value = outcome.value
    if value["duplicate"]:
        return "known schedule"
    return f"{value['timing']['runtime_ms']:.4g} ms (noise {value['timing']['noise']:.1%})"
