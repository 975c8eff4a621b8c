"""Search the pragmas of an HLS kernel for the front of latency against area, before any synthesis.

All variants are predicted by the closed form. With --state FILE a later run goes on where this one ended.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..files import real_path, write_atomic
from ..printable import json_text, printable, tell
from ..report import SCHEMA_VERSION
from .qor_jobs import common_arguments, one_job
from .tables import print_table

if TYPE_CHECKING:
    from ..qor.advice.explore import Exploration, Point

RESOURCES = ("lut", "dsp", "ff", "bram_18k")
COUNT = 2000
COLUMNS = ("latency_cycles", "LUT", "DSP", "FF", "bram_18k")


def main(argv: Sequence[str]) -> int:
    """`hwml qor explore ...`: returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="hwml qor explore", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common_arguments(parser)
    for name in RESOURCES:
        option = f"--budget-{name.removesuffix('_18k')}"
        parser.add_argument(option, dest=f"budget_{name}", metavar="N", help="most of it: a count, or 60%% of the part")
    parser.add_argument(
        "--count", type=int, default=COUNT, metavar="N", help="variants to predict (default %(default)s)"
    )
    parser.add_argument("--state", metavar="FILE", help="keep what was predicted here, and go on from it")
    parser.add_argument("--html", metavar="FILE", help="write the front as a page that needs no network")
    parser.add_argument("--json", action="store_true", help="print all variants as JSON")
    parser.add_argument("--csv", action="store_true", help="print all variants as CSV")
    arguments = parser.parse_args(argv)
    if arguments.count < 1:
        raise ConfigError(f"--count {arguments.count}: at least 1")
    if arguments.json and arguments.csv:
        raise ConfigError("--json and --csv: choose one")
    found = _explored(arguments)
    if arguments.html:
        from ..qor.advice.page import page

        write_atomic(arguments.html, page(found))
        tell(f"wrote {arguments.html}")
    _print(found, arguments)
    return 2 if found.unmet else 0


def _explored(arguments: argparse.Namespace) -> Exploration:
    from ..qor.advice.explore import explore_given

    job = one_job(arguments, "hwml qor explore")
    for name in (arguments.html, arguments.state):
        if name and real_path(name) == real_path(job.path):
            raise ConfigError(f"{name} is the source itself; name another file to write")
    given = {name: getattr(arguments, f"budget_{name}") for name in RESOURCES}
    budget = {name: value for name, value in given.items() if value is not None}
    state = Path(arguments.state) if arguments.state else None
    return explore_given(job.given(), budget=budget, count=arguments.count, state=state, tell=_progress)


def _progress(done: int, total: int) -> None:
    """A line that counts, in a terminal only."""
    if sys.stderr.isatty() and (done % 50 == 0 or done == total):
        print(f"\r{done:,} of {total:,} predicted", end="" if done < total else "\n", file=sys.stderr, flush=True)


def _print(found: Exploration, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, **found.to_dict()}))
        return
    if arguments.csv:
        print(_csv(found), end="")
        return
    for said in filter(None, (found.unmet, found.unknown)):
        tell(said)
    size = f"{len(found.points):,} of {found.size:,} sets of pragmas"
    print(printable(f"{found.path}: {found.top}, {found.part}: the front of {size}, closed form"))
    shown = [point for point in found.points if point.front or point.present]
    print_table(("what changes", "cycles", "LUT", "DSP", "FF", "BRAM_18K", "of the part"), [_row(p) for p in shown])


def _row(point: Point) -> tuple[str, ...]:
    told = point.to_dict()
    cells = ("?" if told[name] is None else f"{told[name]:,}" for name in COLUMNS)
    mark = "" if point.front or point.share is None else " (not on the front)"
    return (printable(point.title) + mark, *cells, "?" if point.share is None else f"{point.share:.1%}")


def _csv(found: Exploration) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "share", "fits", "front", "pragmas"))
    for point in found.points:
        told = point.to_dict()
        pragmas = " | ".join(map(printable, point.pragmas))
        share = "" if point.share is None else f"{point.share:.6f}"
        flags = (share, "" if point.fits is None else int(point.fits), int(point.front))
        writer.writerow((*(told[name] for name in COLUMNS), *flags, pragmas))
    return text.getvalue()
