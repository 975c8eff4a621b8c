"""`python -m sdk.train <recipe>`: choose a recipe and hand it the rest of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from ..guard import guard

RECIPES = {
    "chisel-data": "hwml_sdk.train.chisel_data.recipe",
    "chisel-qor": "hwml_sdk.train.chisel_qor.recipe",
    "cost_model": "hwml_sdk.train.cost_model.recipe",
    "lora": "hwml_sdk.train.lora.recipe",
    "qor": "hwml_sdk.train.qor.recipe",
}  # names, so that --help imports nothing heavy


def main(argv: Sequence[str] | None = None) -> int:
    """Run a recipe; HwmlError becomes one line on stderr and its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train", description="Train one of hwml's models; RECIPE --help teaches each recipe."
    )
    parser.add_argument("recipe", choices=sorted(RECIPES))
    recipe = parser.parse_args(arguments[:1]).recipe
    return guard(
        "hwml",
        lambda: int(import_module(RECIPES[recipe]).main(arguments[1:])),
        interrupted="interrupted; nothing was overwritten",
    )


if __name__ == "__main__":
    raise SystemExit(main())
