"""`hwml ...`: find the command, run it, turn errors into one line and an exit code.

Exit codes: 0 clean, 1 findings, 2 bad input or wrong use, 3 refused, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from .guard import guard

# Command -> (module, one line of help). Modules are loaded only when their command is chosen: `hwml --help` costs
# nothing. A module gives `add_arguments(parser)` and `run(arguments) -> int`.
COMMANDS: dict[str, tuple[str, str]] = {
    "annotate": ("hwml_hooks.annotate", "write predictions as comments above functions and loops, or remove them"),
    "budget": ("hwml_hooks.budget", "fail when a design is over its budget of LUT, DSP, FF or latency"),
    "chisel": ("hwml_sdk.commands.chisel", "check, lower and repair Chisel (setup, check, emit, fix, daemon)"),
    "doctor": ("hwml_sdk.commands.doctor", "show what is installed, what is missing and what that means"),
    "explain": ("hwml_sdk.commands.explain", "explain a code such as HLS101 with a bad and a good example"),
    "halide": ("hwml_sdk.commands.halide", "sample, compare, export and use Halide cost models"),
    "hooks": ("hwml_hooks.compilers", "print what adds hwml to Vitis HLS, sbt or Mill"),
    "qor": ("hwml_sdk.commands.qor", "predict LUT, DSP, FF and latency of HLS C/C++ (also: hwml qor lint)"),
    "train": ("hwml_sdk.commands.train", "train a model; same as python -m sdk.train"),
    "trust": ("hwml_sdk.commands.trust", "trust a workspace, or take that back"),
    "watch": ("hwml_hooks.watch", "predict again on every save in a folder, one line a design"),
}
# Commands whose arguments are parsed by the module itself (`main(argv) -> int`).
_PASS_ON = {"qor", "train"}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `hwml` program; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guard("hwml", lambda: _dispatch(arguments))


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in COMMANDS:
        name = arguments[0]
        module = import_module(COMMANDS[name][0])
        if name in _PASS_ON:
            return int(module.main(arguments[1:]))
        parser = argparse.ArgumentParser(
            prog=f"hwml {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(arguments[1:])))
    return _top_level(arguments)


def _top_level(arguments: list[str]) -> int:
    width = max(map(len, COMMANDS))
    listing = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in sorted(COMMANDS.items()))
    parser = argparse.ArgumentParser(
        prog="hwml",
        description="Machine learning beside the hardware engineer's cursor.",
        epilog=f"commands:\n{listing}\n\n'hwml COMMAND --help' teaches each of them.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    parser.add_argument("command", nargs="?", help="one of the commands below")
    options = parser.parse_args(arguments[:1])
    if options.version:
        from . import __version__

        print(f"hwml {__version__}")
        return 0
    if options.command is None:
        parser.print_help()
        return 0
    parser.error(f"unknown command {options.command!r}; there are: {', '.join(sorted(COMMANDS))}")


if __name__ == "__main__":
    raise SystemExit(main())
