"""Make an artefact of a cost model: weights, ONNX, figures on held-out pipelines, and a card.

What ships is made here, too: the weights inside the halide package, as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ... import artifact
from ...cost_model.data.dataset import HALIDE_NUM_CORES, PipelineData, metadata
from ...cost_model.data.features import PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION
from ...cost_model.model import ONNX_FILE
from ...cost_model.net.metrics import AVERAGED, evaluate
from ...cost_model.net.onnx import to_onnx
from ...cost_model.net.weights import KIND, WEIGHTS_FILE, Weights
from ...cost_model.toolkit import halide_version, licence
from ...errors import DataError
from .config import TrainConfig
from .folds import Fold

LICENCE_FILE = "LICENSE.halide.txt"
_EMBEDDED_CARD = """# Halide cost model (adams2019 weights)

Predicts run times of Halide schedules from adams2019 features, in the order that matters to the search: the weights
inside the halide package, version {version}, as they are (MIT licence, LICENSE.halide.txt), here so that predictions
need neither Halide nor torch, and as ONNX.

Why these: weights trained for this project were slower on applications that no training had seen. Trained on samples of
your own pipelines (`hwml halide sample`, `hwml train cost_model --initial embedded`), weights fit them better.

Limits: what machines they were trained on is not known; run times are in the right order at best, not in your machine's
milliseconds.
"""


def write_artifact(
    folder: str | Path,
    weights: Weights,
    pipelines: Sequence[PipelineData],
    folds: Sequence[Fold],
    config: TrainConfig,
) -> artifact.Artifact:
    """Write the folder whole. Raises DataError for samples of several kinds of machine, or of unknown ones."""
    provenance = _provenance(pipelines, config)
    metrics = out_of_fold(folds)
    cores = provenance["num_cores"]
    files = {
        WEIGHTS_FILE: weights.to_bytes(),
        ONNX_FILE: to_onnx(weights),
        "README.md": _card(provenance, metrics).encode(),
    }
    return artifact.write(
        folder, kind=KIND, files=files, config=_described(cores), metrics=metrics, provenance=provenance
    )


def write_embedded(folder: str | Path, judged: Sequence[PipelineData]) -> artifact.Artifact:
    """Write the artefact of the weights inside the halide package, with its licence; `judged`: figures on these.

    Raises HwmlError when this halide package has none, or no licence.
    """
    weights = Weights.named("embedded")
    metrics = {"embedded": evaluate(weights, judged).to_json()} if judged else {}
    files = {
        WEIGHTS_FILE: weights.to_bytes(),
        ONNX_FILE: to_onnx(weights),
        LICENCE_FILE: licence(),
        "README.md": _EMBEDDED_CARD.format(version=halide_version()).encode(),
    }
    described = _described([HALIDE_NUM_CORES])
    provenance = {
        "source": "the weights inside the halide package (src/autoschedulers/adams2019/baseline.weights)",
        "halide": [halide_version()],
        "licence": f"MIT, see {LICENCE_FILE}",
    }
    return artifact.write(folder, kind=KIND, files=files, config=described, metrics=metrics, provenance=provenance)


def _described(cores: Sequence[int]) -> dict[str, Any]:
    return {
        "num_cores": list(cores),
        "feature_versions": [PIPELINE_FEATURES_VERSION, SCHEDULE_FEATURES_VERSION],
        "inputs": ["pipeline", "schedule", "num_cores"],
    }


def out_of_fold(folds: Sequence[Fold]) -> dict[str, Any]:
    """Mean, and lowest and highest fold, of each metric for each kind of weights."""
    made: dict[str, Any] = {"folds": len(folds), "n_pipelines": sum(len(fold.names) for fold in folds)}
    for name in folds[0].metrics:
        made[name] = {}
        for metric in AVERAGED:
            values = [getattr(fold.metrics[name], metric) for fold in folds]
            made[name][metric] = [round(float(value), 4) for value in (np.mean(values), min(values), max(values))]
    return made


def _provenance(pipelines: Sequence[PipelineData], config: TrainConfig) -> dict[str, Any]:
    paths = [Path(path) for data in pipelines for path in data.paths]
    notes = [metadata(path) for path in paths]
    machines = {(note.get("machine", {}).get("cpu"), note.get("machine", {}).get("cores")) for note in notes}
    if len(machines) != 1 or None in next(iter(machines)):
        raise DataError(f"samples of {len(machines)} kinds of machine, or without metadata: train on one kind")
    cpu, cores = next(iter(machines))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()
    return {
        "machine": {"cpu": cpu, "cores": cores},
        "num_cores": sorted({data.num_cores for data in pipelines}),
        "halide": sorted({str(note.get("halide")) for note in notes}),
        "halide_target": sorted({str(note.get("halide_target")) for note in notes}),
        "n_pipelines": len(pipelines),
        "n_schedules": len(paths),
        "pipelines": sorted({data.name for data in pipelines}),
        "median_noise": round(float(np.median(np.concatenate([data.noise for data in pipelines]))), 4),
        "start": "random weights, seed " + str(config.seed),
        "recipe": {
            "loss": config.loss,
            "rates": list(config.rates),
            "epochs": config.epochs,
            "batch_pipelines": config.batch_pipelines,
            "folds": config.folds,
            "seed": config.seed,
            "restarts": config.restarts,
        },
        "samples_sha256": digest,
        "trained": datetime.now(UTC).date().isoformat(),
    }


def _card(provenance: dict[str, Any], metrics: dict[str, Any]) -> str:
    names = [name for name in ("trained", "embedded", "random") if name in metrics]
    title = {"trained": "this recipe", "embedded": "inside Halide", "random": "random"}
    head = "| metric | " + " | ".join(title[name] for name in names) + " |\n|---|" + "---|" * len(names)
    rows = []
    for metric in AVERAGED:
        cells = [f"{m:.3f} ({low:.3f} .. {high:.3f})" for m, low, high in (metrics[name][metric] for name in names)]
        rows.append(f"| {metric} | " + " | ".join(cells) + " |")
    machine = provenance["machine"]
    return f"""# Halide cost model (adams2019 weights)

Predicts run times of Halide schedules from adams2019 features, in the order that matters to the search.
Trained on {provenance["n_schedules"]} schedules of {provenance["n_pipelines"]} pipelines, measured on one machine:
{machine["cpu"]}, {machine["cores"]} cores, benchmarks on {", ".join(map(str, provenance["num_cores"]))} core(s),
Halide {", ".join(provenance["halide"])}.
It started from random weights; no measurement and no weight of others is in it. The schedules were proposed by
searches steered by random weights, by those inside Halide or by earlier own ones.

Out of fold, {metrics["folds"]} folds by pipeline ({metrics["n_pipelines"]} pipelines): mean over folds
(lowest .. highest fold).

{head}
{chr(10).join(rows)}

Limits: one machine, single-core timings, so nothing is known about parallel schedules; small pipelines (run times from
tens of microseconds to about a second). On another kind of machine it warns: sample and retrain there. Nothing uses
these weights unless they are named.

The figures are of weights trained with the same settings without the pipelines judged; the weights here saw all of
them, but for those held out to choose the epoch. Recipe and seed are in artifact.json:

```
{json.dumps(provenance["recipe"])}
```
"""
