"""`python -m sdk.train qor --encoder FOLDER_OR_NAME --data DIR`: train the encoder path on labelled designs.

Each design becomes one text; a frozen language model turns it into a vector; a small head learns LUT, DSP, FF and
latency from it. What is written serves `predict_qor(source, model=FOLDER)` and `hwml qor --model FOLDER`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....artifact import Artifact
from ....config import user_cache_dir
from ....encoder_cache import VectorCache
from ....encoders import DEFAULT, TextEncoder
from ....errors import DataError, HwmlError
from ....files import check_folder, parse_json, read_bytes, write_atomic
from ....interrupt import heed_ctrl_c
from ....qor.learned.dataset import read_designs
from ....report import SCHEMA_VERSION
from .bare import bare_samples
from .config import HELD_OUT_BY, EncoderConfig
from .delta import DeltaFitted, fit_delta
from .document import beside_lines
from .embed import embedded, make_executor, open_encoder
from .fit import Fitted, fit_joined, fit_plain, labels_of, probe, target_stats, z_scores
from .recipe_rows import Split, chosen, split_rows
from .samples import Samples, make_samples
from .ship import SHOWN, Outcome, ship

Floats = NDArray[np.float32]
Step = Callable[[str], None]
TEN = 10


class Vectors:
    """Vectors of all rows, layer by layer, from two caches: held-out rows have one of their own."""

    def __init__(self, samples: Samples, split: Split, encoder: TextEncoder, config: EncoderConfig, step: Step) -> None:
        """Embed what no earlier run has."""
        self._shape = (len(samples.texts), encoder.width)
        self._parts: list[tuple[NDArray[np.bool_], list[str], VectorCache]] = []
        for part, mask in (("train", ~split.ood), ("ood", split.ood)):
            texts = [text for text, kept in zip(samples.texts, mask.tolist(), strict=True) if kept]
            if texts:
                self._parts.append((mask, texts, embedded(texts, encoder, config, step, part)))

    def layer(self, layer: int) -> Floats:
        """[n, width]."""
        found = np.zeros(self._shape, dtype=np.float32)
        for mask, texts, cache in self._parts:
            found[mask] = cache.get(texts, layer)
        return found


def train(config: EncoderConfig, step: Step = lambda _: None) -> tuple[Artifact, dict[str, Any]]:
    """Run the recipe and write the artefact whole; (artefact, metrics).

    Raises DataError (data, settings), ArtifactError (encoder), MissingDependencyError, HwmlError (cannot write).
    """
    run = _check_resumed(config)
    check_folder(config.out)
    beside = () if config.beside is None else tuple(beside_lines(config.beside))
    designs = chosen(read_designs(config.data), config)
    encoder = open_encoder(config)
    step(f"{config.encoder}: layers {', '.join(map(str, encoder.layers))} of {encoder.depth}, {encoder.dtype}")
    write_atomic(run, json.dumps(_recipe(config), indent=1) + "\n")  # begun: whatever is wrong with it is told before
    samples = make_samples(designs, encoder, step)
    split = split_rows(samples.rows, config.ood, config.seed)
    vectors = Vectors(samples, split, encoder, config, step)
    labels = labels_of(samples.rows)
    base = samples.base
    stats = target_stats(labels[split.train], every_log=config.features)
    layers = probe(encoder.layers, vectors.layer, z_scores(stats, labels), split)
    best = min(layers, key=lambda layer: (np.nan_to_num(layers[layer], nan=np.inf), layer))
    for layer, mae in layers.items():
        step(f"layer {layer}: validation MAE {mae:.4f}{' (chosen)' if layer == best else ''}")
    x = vectors.layer(best)
    fitted: Fitted | DeltaFitted
    bare: Floats | None = None
    if config.delta:
        without = bare_samples(samples, encoder, step)
        kept = replace(config, rebuild_cache=False)  # what was embedded a moment ago is new enough
        bare = Vectors(replace(samples, texts=without.texts), split, encoder, kept, step).layer(best)
        fitted = fit_delta(bare, x, samples.rows, split, config, plain=without.plain)
    elif config.features:
        fitted = fit_joined(x, samples.values, base, samples.rows, split, config)
    else:
        fitted = fit_plain(x, samples.rows, split, config)
    step("head trained")
    return ship(Outcome(config, encoder, samples, split, x, base, fitted, best, layers, bare), beside)


def _recipe(config: EncoderConfig) -> dict[str, Any]:
    """The recipe as it is read back."""
    found: dict[str, Any] = json.loads(json.dumps(config.recipe()))
    return found


def _check_resumed(config: EncoderConfig) -> Path:
    """Where the run of this folder is noted. `--resume` goes on only with the recipe that was begun: DataError."""
    place = hashlib.sha256(str(config.out.absolute()).encode()).hexdigest()[:32]
    note = user_cache_dir() / "encoders" / "runs" / f"{place}.json"
    now = _recipe(config)
    if config.resume:
        try:
            before = parse_json(read_bytes(note))
        except (OSError, ValueError):
            raise DataError("no run for this folder was begun here; leave --resume out", path=config.out) from None
        odd = [name for name in now if before.get(name) != now[name]]
        if odd:
            raise DataError(
                f"the run that was begun had {odd[0]} {before.get(odd[0])!r}, this one has {now[odd[0]]!r}; "
                "give the same settings, or leave --resume out",
                path=config.out,
            )
    return note


def main(argv: Sequence[str]) -> int:
    """Run the recipe; 0 when done. HwmlError is the caller's to report."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is downloaded, whatever transformers would do by itself
    options = parser().parse_args(list(argv))
    config = config_of(options)
    if config.executor:
        make_executor(config.executor)
    started = time.monotonic()

    def step(text: str) -> None:
        heed_ctrl_c()
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    if options.evaluate:
        return _evaluate(config, step, options.json)
    artifact, metrics = train(config, step)
    if options.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "artifact": str(artifact.path), **metrics}))
        return 0
    print_metrics(metrics)
    print(f"artifact: {artifact.path}")
    return 0


def _evaluate(config: EncoderConfig, step: Step, as_json: bool) -> int:
    """Print the held-out tables; no folder is written."""
    from rich.console import Console

    from .judgement import judge

    found = judge(config, step)
    if as_json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **found.to_json()}))
    else:
        found.print(Console(width=None if sys.stdout.isatty() else 180))
    return 0


def config_of(options: argparse.Namespace) -> EncoderConfig:
    """The settings of a command line. Raises HwmlError for numbers that cannot be."""
    ten = bool(options.ten_designs)
    if options.data is None:
        raise HwmlError("--data is missing: name a folder or CSV of labelled designs (docs/qor-encoder.md)")
    for name in ("max_length", "batch_size", "epochs", "patience"):
        if getattr(options, name) < 1:
            raise HwmlError(f"--{name.replace('_', '-')} must be at least 1")
    together = [
        f"--{name.replace('_', '-')}" for name in ("delta", "features", "export_classic") if getattr(options, name)
    ]
    if len(together) > 1 and not options.evaluate:
        raise HwmlError(f"{together[0]} and {together[1]} write different heads: give one of them")
    return EncoderConfig(
        encoder=options.encoder or DEFAULT,
        data=options.data,
        out=options.out,
        max_length=options.max_length,
        batch_size=options.batch_size,
        layers=_numbers(options.layers),
        dtype=options.dtype,
        epochs=options.epochs,
        patience=options.patience,
        seed=options.seed,
        rebuild_cache=options.rebuild_cache,
        resume=options.resume,
        rows_per_key=options.rows_per_key,
        one_group_in=options.one_group_in,
        sources=("forgehls-kernels",) if ten else tuple(options.source),
        n_designs=TEN if ten else 0,
        ood=options.ood,
        features=options.features,
        delta=options.delta,
        executor=options.executor,
        classic=options.export_classic,
        share_alike=not options.no_share_alike,
        beside=options.beside,
    )


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise HwmlError(f"--layers {text!r}: numbers such as 17,20,22,25 were expected") from None


def parser() -> argparse.ArgumentParser:
    """The command line; every flag has its spelling with underscores, too."""
    found = argparse.ArgumentParser(
        prog="python -m sdk.train qor --encoder NAME",
        usage="%(prog)s --data DIR [options]; --help lists them",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def add(name: str, **settings: Any) -> None:
        spellings = dict.fromkeys((f"--{name}", f"--{name.replace('-', '_')}"))
        found.add_argument(*spellings, **settings)

    add("encoder", help=f"folder, or name of a model that is installed (default: {DEFAULT}); nothing is downloaded")
    add("data", type=Path, help="folder or CSV of labelled designs (docs/qor-encoder.md)")
    add("out", type=Path, default=Path("qor_encoder"), help="the artefact folder (default: qor_encoder)")
    add("max-length", type=int, default=2048, help="tokens of a text, at most what the encoder reads (default: 2048)")
    add("batch-size", type=int, default=12, help="texts of the full length in one batch (default: 12)")
    add("layers", default="", metavar="N,N", help="candidates of the probe (default: .6, .7, .8, .9 of the depth)")
    add("dtype", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: bfloat16 where the GPU has it")
    add("epochs", type=int, default=40)
    add("patience", type=int, default=8, help="epochs without a better validation error (default: 8)")
    add("seed", type=int, default=0)
    add("rebuild-cache", action="store_true", help="embed every text again")
    add("resume", action="store_true", help="go on with the run that was begun for --out; refuses other settings")
    add("rows-per-key", type=int, default=0, metavar="N", help="at most N designs of one kernel (default: all)")
    add("one-group-in", type=int, default=0, metavar="N", help="one algorithm group in N, by its hash (default: all)")
    add("source", action="append", default=[], metavar="NAME", help="only this source of the data; may be repeated")
    add("ood", choices=HELD_OUT_BY, default="group", help="what is held out whole (default: algorithm groups)")
    add("features", action="store_true", help="join structural features and closed form (late fusion)")
    add("delta", action="store_true", help="heads for the kernel without pragmas and for what its pragmas change")
    add("executor", default="", metavar="NAME", help="embed on processes of their own: local, ray or ray://ADDRESS")
    add("export-classic", action="store_true", help="also write model.pt and x_scaler.pkl beside the artefact's files")
    add("no-share-alike", action="store_true", help="leave out designs whose licence asks for the same licence in turn")
    add("beside", type=Path, metavar="FILE", help="what --evaluate --json printed: its figures go into the card")
    add("evaluate", action="store_true", help="print every held-out table (5 folds by group) and write no folder")
    add("ten-designs", action="store_true", help="the whole recipe on ten ForgeHLS designs, in minutes")
    add("json", action="store_true", help="print JSON")
    return found


def print_metrics(metrics: dict[str, Any]) -> None:
    """The held-out table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    titles = ("", "target", "n", "MAE", "RMSE", "R2", "Spearman", "within kernel", "median APE", "coverage")
    for index, title in enumerate(titles):
        table.add_column(title, justify="left" if index < 2 else "right")
    for part in ("id", "ood"):
        for target, found in metrics[part].items():
            if target != "sources" and found["n"]:
                cells = ["-" if found[key] is None else f"{found[key]:.3g}" for key in SHOWN]
                table.add_row(part, target, str(found["n"]), *cells)
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    lengths = metrics["lengths"]
    print(f"{100 * lengths['cut_share']:.1f} % of the texts are over {lengths['max_length']:.0f} tokens and were cut")
