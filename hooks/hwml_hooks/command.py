"""What the programs hwml-check-qor, hwml-check-chisel and hwml-annotate share: errors as one line, and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence

from hwml_sdk.guard import guard


def run_command(
    name: str,
    description: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    run: Callable[[argparse.Namespace], int],
    argv: Sequence[str] | None,
) -> int:
    """Parse and run; 2 or 3 with one line on stderr for an HwmlError, 130 when interrupted."""
    parser = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    return guard(name, lambda: run(parser.parse_args(argv)))


def tell(text: str) -> None:
    """Say what takes its time, on stderr at once."""
    print(text, file=sys.stderr, flush=True)


def worst(codes: Iterable[int]) -> int:
    """The exit code of several files: bad input (2) before a refusal (3) before findings (1) before clean (0)."""
    order = (2, 3, 1, 0)
    return min(codes, key=order.index, default=0)
