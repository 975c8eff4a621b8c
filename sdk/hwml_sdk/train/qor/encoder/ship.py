"""The artefact folder of a run: head, scaler, target statistics, settings, metrics, predictions and a card."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....artifact import Artifact, write
from ....encoders import TextEncoder
from ....qor.learned.encoder.head import (
    DELTA,
    KIND,
    MODEL_FILE,
    ONNX_FILE,
    PLAIN,
    SCALER_FILE,
    STATS_FILE,
    TARGETS,
    UNLIKE_FILE,
    Figures,
    Intervals,
    Unlike,
)
from ....qor.learned.encoder.template import TEMPLATE_VERSION
from ....qor.learned.features import FEATURE_NAMES, FEATURE_VERSION
from ....safetensors import to_safetensors
from ....tensors import from_float32
from .config import EncoderConfig
from .delta import DeltaFitted
from .embed import POOLING
from .fit import Fitted, Scaler, interval_config, labels_of, unlike_of
from .metrics import judged
from .onnx import to_onnx
from .recipe_rows import Mask, Split
from .samples import Samples

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
_HEADS = {
    PLAIN: "a head of two hidden layers",
    DELTA: "two heads (the kernel without pragmas, and what its pragmas change)",
}
SHOWN = ("mae", "rmse", "r2", "spearman", "within_kernel", "median_ape", "coverage")  # of each target, to people


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run has made. x: vectors of the chosen layer [n, width]; base: log closed form [n, targets].

    bare: of the delta task, vectors of the designs without pragmas.
    """

    config: EncoderConfig
    encoder: TextEncoder
    samples: Samples
    split: Split
    x: Floats
    base: Doubles
    fitted: Fitted | DeltaFitted
    layer: int
    probe: Mapping[int, float]
    bare: Floats | None = None

    def predict(self, mask: Mask) -> Doubles:
        """Transformed targets of some rows."""
        if isinstance(self.fitted, DeltaFitted):
            assert self.bare is not None
            return self.fitted.predict(self.bare[mask], self.x[mask])
        if not self.config.features:
            return self.fitted.predict(self.x[mask])
        return self.fitted.predict(self.x[mask], self.samples.values[mask], self.base[mask])


def ship(outcome: Outcome, beside: Sequence[str] = ()) -> tuple[Artifact, dict[str, Any]]:
    """Judge the run and write its folder; (artefact, metrics). beside: further lines of the card. Raises HwmlError."""
    unlike, intervals = _uncertainty(outcome)
    figures = {
        name: _figures(outcome, mask, unlike, Intervals.of(intervals))
        for name, mask in (("id", outcome.split.id_test), ("ood", outcome.split.ood))
    }
    metrics = _metrics(outcome, figures)
    config = _config(outcome, intervals)
    fitted = outcome.fitted
    tensors = {
        f"{head.name}.{name}": from_float32(value, "float32")
        for head in fitted.heads
        for name, value in head.weights.items()
    }
    files = {
        MODEL_FILE: to_safetensors(tensors),
        ONNX_FILE: to_onnx(fitted, len(FEATURE_NAMES) if outcome.config.features else 0),
        SCALER_FILE: _json(_scalers(fitted)),
        STATS_FILE: _json(fitted.stats.to_json()),
        "config.json": _json(config),
        "metrics.json": _json(metrics),
        "test_predictions.npz": _predictions(outcome, outcome.split.id_test, figures["id"]),
        "ood_predictions.npz": _predictions(outcome, outcome.split.ood, figures["ood"]),
        UNLIKE_FILE: unlike.to_bytes(),
        "README.md": card(config, metrics, beside).encode(),
    }
    if isinstance(fitted, Fitted) and outcome.config.classic:
        from .classic import classic_files

        files |= classic_files(fitted)
    provenance = {
        "data": str(outcome.config.data),
        "designs": len(outcome.samples.designs),
        "licences": sorted({design.licence for design in outcome.samples.designs}),
        "seed": outcome.config.seed,
    }
    artifact = write(outcome.config.out, kind=KIND, files=files, config=config, metrics=metrics, provenance=provenance)
    return artifact, metrics


def _scalers(fitted: Fitted | DeltaFitted) -> dict[str, Any]:
    """`x_scaler.json`: of the vectors; of the delta task also of kernels' vectors and of differences."""
    found: dict[str, Any] = _of_scaler(fitted.scaler)
    if isinstance(fitted, DeltaFitted):
        found |= {"kernel": _of_scaler(fitted.kernel_scaler), "difference": _of_scaler(fitted.step_scaler)}
    return found


def _of_scaler(scaler: Scaler) -> dict[str, Any]:
    return {"mean": scaler.mean.tolist(), "scale": scaler.scale.tolist()}


def _uncertainty(outcome: Outcome) -> tuple[Unlike, dict[str, object]]:
    """Unlike-score and intervals, from groups that the head was not trained on."""
    split, rows = outcome.split, outcome.samples.rows
    unlike = unlike_of(outcome.fitted.scaler, outcome.x[split.train], rows.group[split.train])
    calibrate = split.val if split.val.any() else split.train
    wanted = outcome.fitted.stats.transformed(labels_of(rows)[calibrate])
    score = unlike.score(outcome.x[calibrate])
    return unlike, interval_config(wanted - outcome.predict(calibrate), score, rows.group[calibrate])


def _figures(outcome: Outcome, mask: Mask, unlike: Unlike, intervals: Intervals) -> Figures:
    if not mask.any():
        empty = np.zeros((0, len(TARGETS)))
        return Figures(empty, empty, empty, np.zeros(0))
    value = outcome.predict(mask)
    far = unlike.score(outcome.x[mask])
    below, above = intervals.ends(far)
    counts = outcome.fitted.stats.counts
    return Figures(counts(value), counts(value + below), counts(value + above), far)


def _metrics(outcome: Outcome, figures: Mapping[str, Figures]) -> dict[str, Any]:
    rows, split = outcome.samples.rows, outcome.split
    masks = {"id": split.id_test, "ood": split.ood}
    return {
        "rows": {name: int(getattr(split, name).sum()) for name in ("train", "val", "id_test", "ood")},
        "probe": {str(layer): None if np.isnan(mae) else round(mae, 5) for layer, mae in outcome.probe.items()},
        "lengths": outcome.samples.lengths(),
        "history": {head.name: [round(v, 5) for v in head.history if not np.isnan(v)] for head in outcome.fitted.heads},
        **{name: judged(rows.take(mask), figures[name]) for name, mask in masks.items()},
    }


def _config(outcome: Outcome, intervals: Mapping[str, object]) -> dict[str, Any]:
    config, encoder = outcome.config, outcome.encoder
    found: dict[str, Any] = {
        "encoder": config.encoder,
        "revision": encoder.revision,
        "best_layer": outcome.layer,
        "layers": list(encoder.layers),
        "depth": encoder.depth,
        "width": encoder.width,
        "max_length": encoder.max_tokens,
        "dtype": encoder.dtype,
        "pooling": POOLING,
        "template_version": TEMPLATE_VERSION,
        "task": DELTA if config.delta else PLAIN,
        "targets": ["LUT", "DSP", "FF", "latency_cycles"],
        "ood": config.ood,
        "intervals": dict(intervals),
    }
    if config.features and isinstance(outcome.fitted, Fitted):
        mix = {head.name: outcome.fitted.mix[:, i].tolist() for i, head in enumerate(outcome.fitted.heads)}
        found |= {
            "feature_version": FEATURE_VERSION,
            "feature_names": list(FEATURE_NAMES),
            "mix": {**mix, "closed_form": outcome.fitted.mix[:, -1].tolist()},
        }
    return found


def _predictions(outcome: Outcome, mask: Mask, figures: Figures) -> bytes:
    rows = outcome.samples.rows.take(mask)
    names = [design.id for design, kept in zip(outcome.samples.designs, mask.tolist(), strict=True) if kept]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, id=np.array(names, dtype=str), source=rows.source, group=rows.group, kernel=rows.kernel,
        y_true=labels_of(rows), y_pred=figures.value, low=figures.low, high=figures.high, unlike=figures.unlike,
    )  # fmt: skip
    return buffer.getvalue()


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()


def card(config: Mapping[str, Any], metrics: Mapping[str, Any], beside: Sequence[str] = ()) -> str:
    """The model card."""
    lines = [
        "# QoR by a frozen text encoder",
        "",
        f"Predicts LUT, DSP, FF and latency of HLS C++ from layer {config['best_layer']} of `{config['encoder']}` and",
        f"{_HEADS[config['task']]}; `hwml qor --model FOLDER` serves it. `ood`: algorithm groups, tools or parts",
        "that training never saw; `id`: other designs of groups it saw, which is a test of memory.",
        "",
        "| part | target | designs | MAE | RMSE | R2 | Spearman | within a kernel | median APE | coverage of the 80 % "
        "interval |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for part in ("id", "ood"):
        for target, found in metrics[part].items():
            if target != "sources" and found["n"]:
                cells = ["-" if found[key] is None else f"{found[key]:.3g}" for key in SHOWN]
                lines.append(f"| {part} | {target} | {found['n']} | {' | '.join(cells)} |")
    lines += ["", *beside] if beside else []
    lines += ["", "Text alone does not carry far beyond the algorithms it was trained on: see docs/qor-encoder.md.", ""]
    return "\n".join(lines)
