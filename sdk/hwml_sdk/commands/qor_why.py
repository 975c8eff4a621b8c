"""Say what bounds each loop of an HLS kernel, and which change of the text would lift it.

Each move is predicted by running the closed form on the edited text; --json has its edits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..printable import json_text, printable
from ..report import SCHEMA_VERSION
from .qor_jobs import common_arguments, one_job

if TYPE_CHECKING:
    from ..qor.advice.types import Why

SHOWN_MOVES = 3


def main(argv: Sequence[str]) -> int:
    """`hwml qor why ...`: returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="hwml qor why", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common_arguments(parser)
    parser.add_argument("--loop", metavar="L", help="only this loop: its label, its name, or the line it stands in")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/json.md)")
    arguments = parser.parse_args(argv)
    from ..qor.advice.why import why_given

    job = one_job(arguments, "hwml qor why")
    found = why_given(job.given(), loop=arguments.loop)
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, "path": str(job.path), "why": [w.to_dict() for w in found]}))
    else:
        for line in lines(found):
            print(printable(line))
    return 0


def lines(found: Iterable[Why]) -> list[str]:
    """What is said of each loop: the bound, the places, the moves."""
    said: list[str] = []
    for item in found:
        said.append(f"{item.path}:{item.span.start_line + 1}: {item.function}: {item.name}: {item.message}")
        places = [f"    {r.path or item.path}:{r.span.start_line + 1}: {r.message}" for r in item.related]
        said += dict.fromkeys(places)
        said += [f"  {move.fix.title}: {move.gain}" for move in item.moves[:SHOWN_MOVES]]
        if not item.moves and item.cause.kind != "open":
            said.append("  no change that was tried helps")
    return said or ["no loop is known to be held back; what was not read, and what no pipeline does, is not looked at"]
