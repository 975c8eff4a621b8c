"""Train a model that writes Chisel: `python -m sdk.train chisel --from-scratch --data DIR --out DIR`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...errors import HwmlError, MissingDependencyError
from ...files import check_folder, write_atomic
from ...printable import json_text
from .rows import Row, read_rows, split

HELD_OUT = "held-out.jsonl"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check_packages() -> None:
    """Raises MissingDependencyError for the first package that is not there."""
    from importlib.util import find_spec

    for name in ("torch", "transformers", "tokenizers"):
        if find_spec(name) is None:
            raise MissingDependencyError(name, "llm")


def _scratch(options: argparse.Namespace) -> int:
    import torch

    from .scratch import ScratchConfig, train_from_scratch

    size = options.size if options.size != "auto" else ("large" if torch.cuda.is_available() else "small")
    config = ScratchConfig(
        size, options.epochs, options.minutes, seed=options.seed, threads=options.threads, start=options.start
    )
    learned, held_out = _split(options)
    _say(f"{len(learned)} rows to learn from, {len(held_out)} held out; size {'as before' if options.start else size}")
    told = train_from_scratch(learned, options.out, config, _say)
    write_atomic(
        Path(options.out) / HELD_OUT, "".join(f"{json_text(_held_out(row), indent=None)}\n" for row in held_out)
    )
    if options.json:
        print(json_text(told))
    else:
        print(
            f"{options.out}: {told['parameters']} parameters, {told['tokens']} tokens, loss {told['losses'][-1]:.4f} a "
            f"token of an answer, {told['seconds']:.0f} s"
        )
    return 0


def _split(options: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """Rows to learn from and those held out: a run that continues another one holds out what that one did."""
    rows = read_rows(options.data)
    if not options.start:
        return split(rows, options.held_out, options.seed)
    held_out = read_rows(Path(options.start) / HELD_OUT)
    left_out = {row.abstract for row in held_out}
    return [row for row in rows if row.abstract not in left_out], held_out


def _held_out(row: Row) -> dict[str, str]:
    """As the data engine writes rows, so that the same readers take it."""
    return {"instruction": row.prompt, "input": "", "output": row.answer} | {
        name: getattr(row, name) for name in ("abstract", "family", "seed", "top")
    }


def main(argv: Sequence[str]) -> int:
    """Run the recipe."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train chisel", description=__doc__)
    parser.add_argument("--from-scratch", action="store_true", help="a small model from nothing")
    parser.add_argument("--start", default="", metavar="FOLDER", help="continue a model that --from-scratch wrote")
    parser.add_argument("--data", required=True, help="rows, or a folder that chisel-data wrote")
    parser.add_argument("--out", required=True, help="folder to write")
    parser.add_argument("--size", choices=("auto", "small", "large", "tiny"), default="auto")
    parser.add_argument("--epochs", type=float, default=5.0)
    parser.add_argument("--minutes", type=float, default=35.0)
    parser.add_argument("--held-out", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(list(argv))
    check_packages()
    check_folder(options.out)
    if not options.from_scratch:
        raise HwmlError("--from-scratch is wanted")
    return _scratch(options)
