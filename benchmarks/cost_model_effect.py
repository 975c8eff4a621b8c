"""Does retraining make pipelines faster? Schedule each held-out pipeline of the suite with given and embedded weights.

Both searches have the same budget: `--try` schedules, of which the `--measure` predicted fastest are timed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports")]

from hwml_sdk.cost_model.machine import this_machine
from hwml_sdk.cost_model.net.weights import Weights
from hwml_sdk.cost_model.pipelines.suite import HELD_OUT
from hwml_sdk.cost_model.sample.search import Measured, SearchSettings, autoschedule
from hwml_sdk.cost_model.sample.targets import parse_target


def _ms(item: Measured) -> float:
    return float("nan") if item.runtime_ms is None else item.runtime_ms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="cost_model")
    parser.add_argument("--try", type=int, default=32, dest="tries")
    parser.add_argument("--measure", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that schedule and compile at once")
    options = parser.parse_args()
    weights = Weights.named(options.weights)
    print(f"{this_machine().kind}; load {os.getloadavg()[0]:.1f}; {options.tries} tries, {options.measure} measured")
    print("milliseconds; ratio = embedded over given weights, above 1: the given weights are faster")
    print(f"{'':<12}{'best of measured':^36}{'first choice alone':^36}{'noise':>8}")
    print(f"{'':<12}" + 2 * f"{'given':>12}{'embedded':>12}{'ratio':>12}" + f"{'largest':>8}")
    ratios = []
    for name in HELD_OUT:
        settings = SearchSettings(
            parse_target(f"suite:{name}"),
            {"given": weights},
            options.tries,
            options.measure,
            seed=options.seed,
            others=False,
        )
        found = autoschedule(settings, workers=options.workers or None)
        pairs = [(_ms(found.best), _ms(found.default)), (_ms(found.measured[0]), _ms(found.default_measured[0]))]
        noise = max(item.noise for item in [*found.measured, *found.default_measured])
        ratios.append([theirs / ours for ours, theirs in pairs])
        cells = "".join(f"{ours:>12.4g}{theirs:>12.4g}{theirs / ours:>12.3f}" for ours, theirs in pairs)
        print(f"{name:<12}{cells}{noise:>8.1%}", flush=True)
    whole = [pair for pair in ratios if np.isfinite(pair).all()]
    if len(whole) < len(ratios):
        print(f"{len(ratios) - len(whole)} pipelines could not be run with both weights: left out below")
    means = np.exp(np.mean(np.log(whole), axis=0)) if whole else (float("nan"), float("nan"))
    print(f"geometric mean of the ratios: {means[0]:.3f} (best of measured), {means[1]:.3f} (first choice)")
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
