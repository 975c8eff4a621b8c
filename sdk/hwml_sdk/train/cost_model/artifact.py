"""Make the artefact of a trained cost model: weights, ONNX, figures on held-out pipelines, and a card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ... import artifact
from ...cost_model.data.dataset import PipelineData, metadata
from ...cost_model.model import ONNX_FILE
from ...cost_model.net.metrics import AVERAGED
from ...cost_model.net.onnx import to_onnx
from ...cost_model.net.weights import KIND, WEIGHTS_FILE, Weights
from ...errors import DataError
from .config import TrainConfig
from .folds import Fold


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
    described = {"num_cores": cores, "feature_versions": [3, 3], "inputs": ["pipeline", "schedule", "num_cores"]}
    return artifact.write(folder, kind=KIND, files=files, config=described, metrics=metrics, provenance=provenance)


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
