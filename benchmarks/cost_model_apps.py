"""Do weights win on pipelines nobody made for them? Schedule apps of Halide's own repository and time the results.

`--apps` is the folder `apps` of a checkout of halide/Halide (nothing of it is part of hwml). The apps below were chosen
before any weights were judged by them; no training may see them. All weights get the same budget; schedules whose times
lie close are timed again in turn, and the smallest time counts, so that a busy machine disturbs all alike.

`--own 32` is what a user does: sample so many schedules of each app in rounds, those that the weights so far predict
fastest, train from the embedded weights on these alone after each, let both be measured, beside the fastest samples.
Samples and weights stay in `--own-dir`, and are gone on with there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports")]

from hwml_sdk.cost_model.data.dataset import MIN_SCHEDULES
from hwml_sdk.cost_model.data.samples import sample_paths
from hwml_sdk.cost_model.machine import this_machine
from hwml_sdk.cost_model.net.weights import Weights
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
from hwml_sdk.cost_model.sample.jobs import JobOptions
from hwml_sdk.cost_model.sample.search import Measured, SearchResult, SearchSettings, autoschedule, fastest
from hwml_sdk.cost_model.sample.targets import parse_target
from hwml_sdk.errors import HwmlError
from hwml_sdk.files import read_bytes, write_atomic
from hwml_sdk.train.cost_model.config import TrainConfig
from hwml_sdk.train.cost_model.recipe import train_cost_model

HELD_OUT = {
    "bilateral_grid": "bilateral_grid/bilateral_grid_generator.cpp",
    "compositing": "compositing/compositing_generator.cpp",
    "depthwise_separable_conv": "depthwise_separable_conv/depthwise_separable_conv_generator.cpp",
    "harris": "harris/harris_generator.cpp",
    "hist": "hist/hist_generator.cpp",
    "iir_blur": "iir_blur/iir_blur_generator.cpp",
    "max_filter": "max_filter/max_filter_generator.cpp",
    "unsharp": "unsharp/unsharp_generator.cpp",
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--apps", default="")
    what.add_argument(
        "--read", nargs="+", default=[], metavar="JSON", help="print what runs wrote with --json together"
    )
    parser.add_argument("--weights", nargs="+", default=[], help="files; {app} stands for the app's name")
    parser.add_argument("--own", type=int, default=0, metavar="SAMPLES", help="also weights trained on so many samples")
    parser.add_argument("--own-dir", default="own", help="samples and weights of --own")
    parser.add_argument("--rounds", type=int, default=4, help="sample so often, each time by the weights so far")
    parser.add_argument("--best-of", type=int, default=16, help="searches for the samples of a round")
    parser.add_argument("--fit", choices=("terms", "parity", "ranking"), default="terms", help="how --own is trained")
    parser.add_argument("--only", nargs="+", choices=sorted(HELD_OUT), default=list(HELD_OUT))
    parser.add_argument("--try", type=int, default=6, dest="tries")
    parser.add_argument("--measure", type=int, default=2)
    parser.add_argument("--beam", type=int, default=32)
    parser.add_argument("--num-cores", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-others", action="store_true")
    parser.add_argument("--json", default="", help="write everything measured here")
    return parser.parse_args()


def _ms(item: Measured | None) -> float:
    return float("nan") if item is None or item.runtime_ms is None else item.runtime_ms


def _own(options: argparse.Namespace, app: str) -> str:
    """The file of weights that were trained on an app's own samples; empty where these are too few."""
    target = parse_target(str(Path(options.apps) / HELD_OUT[app]))
    folder, path = Path(options.own_dir) / app, Path(options.own_dir) / f"{app}.weights"
    have = sum(1 for _ in sample_paths(folder)) if folder.is_dir() else 0
    while have < options.own:
        steering = str(path) if path.is_file() and options.rounds > 1 else ""
        batch = min(-(-options.own // options.rounds), options.own - have)
        settings = SampleSettings(
            target, app, batch_size=batch, best_of=options.best_of if options.best_of > batch else 0,
            num_cores=options.num_cores, weights=steering, beam_size=options.beam,
        )  # fmt: skip
        done = sample(settings, batches=1, samples_dir=folder, workers=options.workers or None)
        have += len(done.written)
        if have >= MIN_SCHEDULES:
            _train(options, folder, path)
        times = [json.loads(read_bytes(made.with_suffix(".json")))["timing"]["runtime_ms"] for made in done.written]
        print(f"  {app}: {have} samples, the fastest of the last {min(times, default=0):.3f} ms", file=sys.stderr)
        if not done.written:
            break  # nothing new is found any more
    if have >= MIN_SCHEDULES and not path.is_file():
        _train(options, folder, path)
    print(f"  {app}: {have} samples{'' if path.is_file() else ', too few to train on'}", file=sys.stderr)
    return str(path) if path.is_file() else ""


def _train(options: argparse.Namespace, folder: Path, path: Path) -> None:
    train_cost_model(
        TrainConfig(
            samples=str(folder), weights=str(path), initial="embedded", parity=options.fit == "parity",
            terms=options.fit == "terms", rates=(1e-3,), epochs=200, num_cores=options.num_cores,
        )
    )  # fmt: skip


def _search(options: argparse.Namespace, app: str) -> SearchResult:
    names = [name.replace("{app}", app) for name in options.weights]
    if options.own:
        names += filter(None, [_own(options, app)])
    settings = SearchSettings(
        parse_target(str(Path(options.apps) / HELD_OUT[app])), {name: Weights.named(name) for name in names},
        options.tries, options.measure, options.num_cores, options.beam, options.seed, JobOptions(),
        others=not options.no_others, gate=True, samples=str(Path(options.own_dir) / app) if options.own else "",
    )  # fmt: skip
    return autoschedule(
        settings, workers=options.workers or None, report=lambda text: print(f"  {text}", file=sys.stderr)
    )


def _cells(app: str, result: SearchResult) -> dict[str, float]:
    """What was measured of an app, in milliseconds; `first`: had only the first choice of each been measured."""
    theirs = _ms(result.default)
    cells = {"embedded": theirs}
    for label in dict.fromkeys(item.label for item in result.measured):
        name = Path(label).name.replace(app, "own")
        own = [item for item in result.measured if item.label == label]
        cells[name] = _ms(fastest(own))
        cells[f"{name} first"] = _ms(own[0]) * theirs / _ms(result.default_measured[0])
    cells["gate"] = _ms(result.best)
    return cells | {item.label: _ms(item) for item in result.others}


def _read(paths: list[str]) -> dict[str, SearchResult]:
    """What earlier runs wrote with --json."""
    found = {}
    for path in paths:
        for app, data in json.loads(read_bytes(path)).items():
            parts: dict[str, Any] = {
                key: [Measured(**item) for item in value] if isinstance(value, list) else Measured(**value)
                for key, value in data.items()
                if key != "tried"
            }
            found[app] = SearchResult(**parts, tried=data["tried"])
    return found


def _measure(options: argparse.Namespace) -> Iterator[tuple[str, SearchResult]]:
    found: dict[str, object] = {}
    for app in options.only:
        try:
            result = _search(options, app)
        except HwmlError as error:
            print(f"{app:<26}{error}", flush=True)
            continue
        found[app] = asdict(result)
        if options.json:
            write_atomic(options.json, json.dumps(found, indent=1))
        yield app, result


def main() -> None:
    options = _arguments()
    if not options.read:
        print(f"{this_machine().kind}; load {os.getloadavg()[0]:.1f}; {options.tries} tries, beam {options.beam}, "
              f"{options.measure} measured, {options.num_cores} core(s)")  # fmt: skip
    print("milliseconds; (embedded / x): above 1 is faster than the weights inside Halide")
    ratios: dict[str, list[float]] = {}
    for app, result in _read(options.read).items() if options.read else _measure(options):
        cells = _cells(app, result)
        for name, value in cells.items():
            ratios.setdefault("as written" if name.startswith("as written") else name, []).append(
                cells["embedded"] / value
            )
        print(
            f"{app:<26}" + "  ".join(f"{name} {ms:.3f} ({cells['embedded'] / ms:.2f})" for name, ms in cells.items()),
            flush=True,
        )
    for name, values in ratios.items():
        whole = [value for value in values if np.isfinite(value)]
        mean = float(np.exp(np.mean(np.log(whole)))) if whole else float("nan")
        print(
            f"geometric mean, {name:<24} {mean:.3f} (lowest {min(whole, default=float('nan')):.2f}; {len(whole)} apps)"
        )
    if not options.read:
        print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
