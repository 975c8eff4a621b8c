"""Make verified Chisel samples to train on: `python -m sdk.train chisel-data --samples 10000 --workers 2 --out DIR`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from ...chisel.data_engine.generate import DataConfig, generate
from ...errors import HwmlError
from ...printable import json_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the recipe, and of `hwml chisel data generate`."""
    parser.add_argument("--samples", type=int, default=10_000, help="of levels 1 to 3; level 4 and util come on top")
    parser.add_argument("--out", default="chisel-data", help="folder to write; a run cut short goes on in it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--workers", type=int, default=1, help="shards at once, each with a compiler of its own (.8 GB)"
    )
    parser.add_argument("--shard", type=int, default=200, help="samples a shard draws")
    parser.add_argument("--backend", choices=("local", "ray"), default="local", help="where shards run")
    parser.add_argument("--address", help="Ray cluster to use")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(options: argparse.Namespace) -> int:
    """Make the data set. Raises HwmlError for numbers out of range."""
    if min(options.samples, options.workers, options.shard) < 1:
        raise HwmlError("--samples, --workers and --shard are at least 1")
    config = DataConfig(
        options.out,
        options.samples,
        options.seed,
        options.workers,
        options.shard,
        backend=options.backend,
        address=options.address,
    )
    report = generate(config, say=lambda line: print(line, file=sys.stderr, flush=True))
    print(json_text(report) if options.json else summary(report, options.out))
    return 1 if report["not_filled"] else 0


def summary(report: dict[str, Any], out: str) -> str:
    """Two lines for people."""
    lost = sum(count for stage, count in report["failed"].items() if stage != "trivial")
    return (
        f"{report['samples']} samples in {out}: {report['abstract_distinct_share']:.1%} differ without widths and "
        f"constants, largest family {report['largest_family_share']:.1%}\n"
        f"not taken: {sum(report['dropped'].values())}, failed: {lost}; see report.md"
    )


def main(argv: Sequence[str]) -> int:
    """Run the recipe."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train chisel-data", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(list(argv)))
