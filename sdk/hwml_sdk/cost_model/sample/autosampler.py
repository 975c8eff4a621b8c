"""Measured samples of a user's own pipeline, and the loop that samples and retrains in turn.

Layout: SAMPLES/NAME/MACHINE/batch_0001/NAME_batch_0001_sample_0000.{sample,schedule.h,json}. Numbering continues in a
folder that is there; a batch that was interrupted is finished first. Each batch keeps the settings it was made with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...errors import DataError, HwmlError, TooFewSamplesError
from ...executor import Executor, Limits, Outcome
from ...files import write_atomic
from ..data.samples import Sample, load_a_sample, parse_featurization, sample_bytes, sample_paths
from ..net.weights import Weights
from ..toolkit import halide_folder, this_machine
from .measure import BENCHMARK_LIMIT_S, COMPILE_LIMIT_S
from .targets import Target, parse_target

METADATA_VERSION = 1
_FIRST_SEED = 20190713  # of the weights that the first batch starts from; any number would do
MEMORY_BYTES = 8 << 30
# Chance in percent that a search makes no random choice at all, cycled over a batch: at 1 a few choices of nearly
# every search are random, at 5 one search in twenty follows its weights throughout.
DROPOUTS = (1, 1, 1, 5)
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
    """path of the weights that steer the search; empty: those embedded in Halide"""
    explore: float = 0.3
    """fraction of samples steered by random weights instead"""
    seed: int = 0
    halide_target: str = "host"
    generator_arguments: tuple[str, ...] = ()
    compile_limit_s: int = COMPILE_LIMIT_S
    benchmark_limit_s: int = BENCHMARK_LIMIT_S


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
    halide_folder()
    home = Path(samples_dir) / settings.name
    program = _prepare(settings)
    done = SampleReport()
    limits = Limits(
        settings.compile_limit_s + settings.benchmark_limit_s * (2 + 2 * (workers or this_machine().cores)) + 120,
        MEMORY_BYTES,
    )
    executor = Executor(backend=backend, workers=workers, limits=limits, retries=retries, address=address)
    numbers = _unfinished(home) or []
    first = _last_number(home) + 1
    for number in [*numbers, *range(first, first + batches)]:
        batch = _Batch(settings, home, number, program)
        batch.run(executor, done, report)
    if not done.written and not done.duplicates and done.failures:
        raise HwmlError(f"{settings.target}: no schedule could be measured: {done.failures[0]}")
    return done


def _check(settings: SampleSettings, batches: int) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", settings.name):
        raise HwmlError(f"name {settings.name!r}: letters, digits, '_', '.' and '-' only, 100 at most")
    if batches < 1 or settings.batch_size < 1 or settings.num_cores < 1:
        raise HwmlError("batches, batch size and number of cores must be at least 1")


def _prepare(settings: SampleSettings) -> str:
    if settings.target.kind != "cpp":
        return ""
    from .generator import prepare

    return prepare(settings.target.place, settings.name)


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
        plan = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"broken plan of a batch: {error}; remove the file", path=path) from error
    if not isinstance(plan, dict) or not isinstance(plan.get("items"), dict) or "complete" not in plan:
        raise DataError("no plan of a batch; remove the file", path=path)
    return plan


class _Batch:
    """One batch: its plan on disk, its journal, its samples."""

    def __init__(self, settings: SampleSettings, home: Path, number: int, program: str) -> None:
        self.settings, self.home, self.number, self.program = settings, home, number, program
        self.plan_path = home / ".plans" / f"batch_{number:04d}.json"
        self.journal = home / ".plans" / f"batch_{number:04d}.journal.jsonl"

    def run(self, executor: Executor, done: SampleReport, report: Report | None) -> None:
        """Measure what is missing and write the samples."""
        items = self._items()
        function = "generator:measure_generator" if self.program else "measure:measure_sample"
        outcomes: dict[str, Outcome] = {}
        source = executor.run(f"hwml_sdk.cost_model.sample.{function}", items, journal=self.journal)
        for count, outcome in enumerate(source, start=1):
            outcomes[outcome.key] = outcome
            if report is not None:
                report(f"{self.settings.name} batch {self.number}: {count}/{len(items)} {_words(outcome)}")
        # In the order of the plan, so that which of two equal schedules is kept does not depend on who was faster.
        seen: set[str] = set()
        for key in items:
            self._keep(outcomes[key], items[key], seen, done)
        write_atomic(self.plan_path, json.dumps(_plan(self.plan_path) | {"complete": True, "items": {}}))
        self.journal.unlink(missing_ok=True)

    def _items(self) -> dict[str, dict[str, Any]]:
        if self.plan_path.is_file():
            items: dict[str, dict[str, Any]] = _plan(self.plan_path)["items"]
            for item in items.values():
                item["program"] = self.program
            return items
        known = sorted(
            {load_a_sample(path).schedule_digest() for path in sample_paths(self.home)} if self.home.is_dir() else ()
        )
        made = {f"{index:04d}": self._item(index, known) for index in range(self.settings.batch_size)}
        write_atomic(self.plan_path, json.dumps({"schema_version": METADATA_VERSION, "complete": False, "items": made}))
        return made

    def _item(self, index: int, known: list[str]) -> dict[str, Any]:
        """Settings of one sample; its random numbers depend on seed, batch and index only."""
        settings = self.settings
        random = np.random.default_rng([settings.seed, self.number, index])
        explore = index > 0 and random.random() < settings.explore
        if explore:
            weights = Weights.random(int(random.integers(2**32)))
        elif settings.weights:
            weights = Weights.load_from_file(settings.weights)
        else:
            weights = None
        search = {
            "parallelism": settings.num_cores,
            # The first of each batch is the search's best effort, the others are random probes.
            "beam_size": 32 if index == 0 else 1,
            "random_dropout": 100 if index == 0 else DROPOUTS[index % len(DROPOUTS)],
            "random_dropout_seed": int(random.integers(1, 2**31)),
            "weights": "" if weights is None else base64.b64encode(weights.to_bytes()).decode(),
        }
        return {
            "target": asdict(settings.target),
            "program": self.program,
            "generator": settings.name,
            "generator_arguments": list(settings.generator_arguments),
            "search": search,
            "explore": explore,
            "halide_target": settings.halide_target,
            "num_cores": settings.num_cores,
            "known": known,
            "compile_limit_s": settings.compile_limit_s,
            "benchmark_limit_s": settings.benchmark_limit_s,
        }

    def _keep(self, outcome: Outcome, item: dict[str, Any], seen: set[str], done: SampleReport) -> None:
        if not outcome.ok:
            done.failures.append(f"sample {outcome.key}: {_words(outcome)}")
            return
        value = outcome.value
        if value["duplicate"] or value["schedule_digest"] in seen:
            done.duplicates += 1
            return
        seen.add(value["schedule_digest"])
        done.written.append(self._write(outcome, item))

    def _write(self, outcome: Outcome, item: dict[str, Any]) -> Path:
        value = outcome.value
        schedule, pipeline = parse_featurization(
            base64.b64decode(value["featurization"]), path="Halide's featurization"
        )
        machine = value["machine"]
        pipeline_id = make_pipeline_id(self.settings.name, value["pipeline_digest"])
        schedule_id = self.number * 10_000 + int(outcome.key)
        made = Sample(schedule, pipeline, float(np.float32(value["timing"]["runtime_ms"])), pipeline_id, schedule_id)
        folder = self.home / _machine_key(machine) / f"batch_{self.number:04d}"
        stem = f"{self.settings.name}_batch_{self.number:04d}_sample_{outcome.key}"
        search = {name: item["search"][name] for name in item["search"] if name != "weights"}
        metadata = {
            "schema_version": METADATA_VERSION,
            "name": self.settings.name,
            "target": str(self.settings.target),
            "machine": machine,
            "num_cores": item["num_cores"],
            "halide": value["halide"],
            "halide_target": item["halide_target"],
            "search": search,
            "random_weights": item["explore"],
            "timing": value["timing"],
            "load": value["load"],
            "pipeline_digest": value["pipeline_digest"],
            "schedule_digest": value["schedule_digest"],
        }
        write_atomic(folder / f"{stem}.schedule.h", value["schedule"])
        write_atomic(folder / f"{stem}.json", json.dumps(metadata, indent=1) + "\n")
        # Last: a sample that is there has its metadata.
        write_atomic(folder / f"{stem}.sample", sample_bytes(made))
        return folder / f"{stem}.sample"


def make_pipeline_id(name: str, pipeline_digest: str) -> int:
    """An id from name and content: two pipelines never share one (Halide issue 7086), nor two sizes of one."""
    return int(hashlib.sha256(f"{name}:{pipeline_digest}".encode()).hexdigest()[:8], 16) & 0x7FFFFFFF


def _machine_key(machine: dict[str, Any]) -> str:
    from ..toolkit import Machine

    return Machine(**machine).key


def _words(outcome: Outcome) -> str:
    if outcome.ok:
        value = outcome.value
        if value["duplicate"]:
            return "known schedule"
        return f"{value['timing']['runtime_ms']:.4g} ms (noise {value['timing']['noise']:.1%})"
    error = outcome.error.replace("\n", " ")
    if "signal 14" in error and "(" in error:
        return f"took too long: {error[error.rindex('(') + 1 :].rstrip(')')}"
    if "signal 9" in error:
        return f"was killed (out of memory?): {error}"
    return f"{outcome.status}: {error}"


def retrain_cost_model(
    gen_path: str,
    demo_name: str,
    batch_num: int,
    batch_size: int = 16,
    samples_dir: str = "./default_samples",
    weight_path: str = "./random_init.weights",
    learning_rate: float = 1e-3,
    train_iters: int = 200,
) -> Weights:
    """Sample `batch_num` batches of a generator (or Python pipeline) and retrain after each; returns the last weights.

    The search of each batch is steered by the weights so far. `weight_path` is read where it is there, else random
    weights are written first; it is overwritten after every batch, with `train_iters` epochs of Halide's own procedure
    (one pipeline leaves nothing to hold out), on the number of cores the samples were measured with. Numbering goes on
    in a folder that is there. Raises HwmlError as `sample` does; earlier samples and weights are kept.
    """
    from ...train.cost_model.recipe import TrainConfig, train_cost_model

    target = parse_target(gen_path)
    path = Path(weight_path)
    if not path.exists():
        Weights.random(_FIRST_SEED).save_to_file(path)
    settings = SampleSettings(target, demo_name, batch_size=batch_size, weights=str(path))
    for _ in range(batch_num):
        sample(settings, batches=1, samples_dir=samples_dir)
        try:
            train_cost_model(
                TrainConfig(
                    samples=str(samples_dir),
                    weights=str(path),
                    initial=str(path),
                    parity=True,
                    rates=(learning_rate,),
                    epochs=train_iters,
                    num_cores=settings.num_cores,
                )
            )
        except TooFewSamplesError:
            continue  # the next batch adds to them
    return Weights.load_from_file(path)
