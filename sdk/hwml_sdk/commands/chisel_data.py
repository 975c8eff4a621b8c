"""`hwml chisel data generate` and `hwml chisel data import`: samples to train on, each of them verified."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import load_settings
from ..errors import RefusedError
from ..printable import json_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml chisel data`."""
    from ..train.chisel_data import recipe

    verbs = parser.add_subparsers(dest="data_verb", required=True, metavar="generate|import")
    recipe.add_arguments(
        verbs.add_parser("generate", help="draw samples, keep those that compile, elaborate and lower")
    )
    taken = verbs.add_parser("import", help="cut modules out of a tree of your own")
    taken.add_argument("folder", help="folder with Scala files")
    taken.add_argument("--out", default="chisel-data", help="folder to write")
    taken.add_argument("--trust", action="store_true", help="run the constructors of this tree, fenced")
    taken.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run one verb. Raises RefusedError for a tree that is not trusted."""
    if arguments.data_verb == "generate":
        from ..train.chisel_data import recipe

        return recipe.run(arguments)
    from ..chisel.data_engine.importer import import_tree

    folder = Path(arguments.folder)
    settings = load_settings(folder / "any.scala", trusted=True if arguments.trust else None)
    if not settings.trusted:
        raise RefusedError(f"{folder}: importing runs its constructors: pass --trust, or hwml trust FOLDER first")
    report = import_tree(folder, arguments.out)
    if arguments.json:
        print(json_text(report))
    else:
        lost = sum(report["failed"].values()) + sum(report["dropped"].values())
        print(f"{report['samples']} samples in {arguments.out}; {lost} modules not taken, see report.md")
    return 0 if report["samples"] else 1
