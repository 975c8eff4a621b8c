"""Train on everything and write the artefact: ONNX members, geometry, calibration, card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...artifact import Artifact, write
from ...errors import HwmlError
from ...qor.learned.correct import GEOMETRY_FILE, KIND, MEMBERS_FILE, Calibration
from ...qor.learned.table import SUFFIX, Table
from ...qor.tool.labels import LABELS
from .check import OUTPUTS_FILE, check_onnx
from .config import TrainConfig
from .judge import Judgement
from .onnx import members_onnx
from .protocol import FinalModel, fit_final
from .report import to_json


def ship(table: Table, config: TrainConfig, judgement: Judgement) -> Artifact:
    """Fit the final model and write it to `config.out`, whole or not at all."""
    final = fit_final(table, judgement.runs, dict(judgement.strangers), config.protocol())
    return write_artifact(table, config, final, judgement)


def write_artifact(table: Table, config: TrainConfig, final: FinalModel, judgement: Judgement | None) -> Artifact:
    """Write a fitted model; `judgement` gives the metrics and the card's figures."""
    features = len(table.feature_names)
    members = members_onnx(final.members, features)
    outputs, figures = check_onnx(table, final, members)
    files = {
        MEMBERS_FILE: members,
        OUTPUTS_FILE: outputs,
        GEOMETRY_FILE: final.geometry.to_bytes(),
        "README.md": card(table, config, judgement).encode("utf-8"),
    }
    trust = [list(row) for row in final.errors.calibration.trust]
    measured = {} if judgement is None else short_metrics(judgement)
    metrics = {"onnx_against_trainer": figures, "trust": trust, **measured}
    return write(
        config.out,
        kind=KIND,
        files=files,
        config=inference_config(table, final),
        metrics=metrics,
        provenance=provenance(table, config),
    )


def inference_config(table: Table, final: FinalModel) -> dict[str, Any]:
    """What `Corrector` reads."""
    calibration, certainty = final.errors.calibration, final.errors.certainty
    if certainty is None:
        raise HwmlError("the final model was fitted without intervals; nothing was written, report this")
    fill = next((m.fill for m in final.members if m.fill is not None), np.zeros(len(LABELS)))
    return {
        "labels": list(LABELS),
        "feature_version": table.feature_version,
        "feature_names": list(table.feature_names),
        "members": [member.kind for member in final.members],
        "ratio": [member.fill is not None for member in final.members],
        "fill": [float(value) for value in fill],
        "calibration": {name: getattr(calibration, name) for name in Calibration.__dataclass_fields__},
        "certainty": certainty.to_config(),
        "seen": seen(table),
    }


def seen(table: Table) -> dict[str, Any]:
    """Parts, tools with versions, stages and clocks that the training data hold."""
    rows = table.rows
    tools = sorted({f"{t} {v}".strip() for t, v in zip(rows.tool.tolist(), rows.tool_version.tolist(), strict=True)})
    return {
        "parts": sorted(set(rows.part.tolist())),
        "tools": tools,
        "stages": sorted(set(rows.stage.tolist())),
        "clock_period_ns": sorted(set(rows.clock_period_ns.tolist())),
    }


def provenance(table: Table, config: TrainConfig) -> dict[str, Any]:
    """Data, seed and settings the artefact came from."""
    rows = {name: int((table.rows.source == name).sum()) for name in sorted(set(table.rows.source.tolist()))}
    paths = {p.name.removesuffix(SUFFIX): p for p in sorted(config.table.glob(f"*{SUFFIX}")) if config.data is None}
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if name in rows}
    return {
        "command": " ".join(
            [
                "python -m sdk.train qor",
                *(["--all-sources"] if config.share_alike else []),
                *(f"--exclude-source {name}" for name in config.exclude),
            ]
        ),
        "table_sha256": digests,
        "rows": rows,
        "licences": dict(table.licences),
        "excluded": sorted({*paths, *config.exclude} - set(rows)),
        "rows_per_key": config.rows_per_key,
        "trees": config.trees,
        "epochs": config.epochs,
        "kinds": list(config.kinds),
        "seed": config.seed,
    }


def short_metrics(judgement: Judgement) -> dict[str, Any]:
    """Held-out figures for the manifest: all single sources and the pooled slices, without the long tail."""
    plain = to_json(judgement.groups)
    return {
        "protocol": "5-fold leave-group-out; groups weigh equally within a slice; *_rows: rows weigh equally",
        "slices": plain["slices"],
        "intervals": plain["intervals"],
        "unlike": plain["unlike"],
        "hlsyn_zero_shot_rmse_sum": {version: round(s["sum"], 4) for version, s in judgement.hlsyn.items()},
    }


def card(table: Table, config: TrainConfig, judgement: Judgement | None) -> str:
    """README.md of the artefact."""
    sources = ", ".join(sorted(set(table.rows.source.tolist())))
    made = provenance(table, config)
    lines = [
        "# QoR correction",
        "",
        "Corrects hwml's closed-form estimate of LUT, DSP, FF, BRAM (18 Kb) and latency (cycles) of HLS kernels,",
        "with an 80 % interval and a score of how unlike the training data a design is. Labels: csynth reports, and",
        "reports after place and route where the stage is `impl`.",
        "",
        f"- Trained on {len(table.rows)} designs of {len(set(table.rows.group.tolist()))} algorithm groups: {sources}.",
        *([f"- Never saw: {', '.join(made['excluded'])}."] if made["excluded"] else []),
        f"- {len(table.feature_names)} structural features, version {table.feature_version}; members: "
        + ", ".join(config.kinds)
        + "; followed only where they beat the closed form on sources left out whole; seed "
        + f"{config.seed}.",
        "- Files: `members.onnx` (features to log(1 + value)), `unlike.npz` (where the training groups",
        "  lie), `trainer_outputs.npz` (rows with the trainer's own outputs).",
        f"- Retrain: `{made['command']}`. Licences of the data: DATA_LICENSES.md.",
        "",
    ]
    if judgement is not None:
        lines += _figures(judgement)
    lines += [
        "## Limits",
        "",
        "- Nearly all `#pragma HLS` variation comes from about 45 algorithms, mostly MachSuite and PolyBench.",
        "- Intervals hold for code like the training data; the unlike-score says how far a design is from it.",
        "- Predictions are estimates before synthesis, no replacement for the tool's report.",
        "",
    ]
    return "\n".join(lines)


def _figures(judgement: Judgement) -> list[str]:
    lines = [
        "## Held out: 5-fold leave-group-out (Spearman / median APE, groups weigh equally)",
        "",
        "| slice | latency | LUT | DSP | FF |",
        "|---|---|---|---|---|",
    ]
    for name, targets in judgement.groups.slices.items():
        cells = [_cell(targets[target]) for target in ("latency_cycles", "lut", "dsp", "ff")]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "80 % intervals on unseen groups: " + _coverage(judgement.groups.intervals) + ".", ""]
    return lines


def _cell(figures: Any) -> str:
    return "-" if figures.n == 0 else f"{figures.spearman:.2f} / {100 * figures.ape:.0f} %"


def _coverage(intervals: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{t} {100 * found.coverage:.0f} %, median width x{found.width:.1f}" for t, found in intervals.items()
    )
