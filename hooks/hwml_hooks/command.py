"""What the programs hwml-check-qor, hwml-check-chisel and hwml-annotate share: errors as one line, and exit codes."""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hwml_sdk.errors import HwmlError
from hwml_sdk.guard import TRACEBACK, guard
from hwml_sdk.printable import tell

TRUST_HELP = "elaborate Chisel: run its constructors, fenced"


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


@contextmanager
def kept_apart(path: str | Path) -> Iterator[None]:
    """Whatever goes wrong with one file within becomes an HwmlError: a fault of ours keeps no other from being seen."""
    try:
        yield
    except (HwmlError, BrokenPipeError):
        raise
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}"
        raise HwmlError(f"{path}: {what} (a defect of hwml; set {TRACEBACK}=1 and report what it shows)") from error


def say_at_once(text: str) -> None:
    """Say what takes its time."""
    tell(text, who="")


def worst(codes: Iterable[int]) -> int:
    """The exit code of several files: bad input (2) before a refusal (3) before findings (1) before clean (0)."""
    order = (2, 3, 1, 0)
    return min(codes, key=order.index, default=0)
