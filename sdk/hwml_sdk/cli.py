"""`hwml ...`: find the command, run it, turn errors into one line and an exit code.

Exit codes: 0 clean, 1 findings, 2 bad input or wrong use, 3 refused, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from .guard import guard
from .plugins import Command, entry_points, load

GROUP = "hwml.commands"


# hwml's own. Other packages name a table like this one as an entry point of GROUP; hwml_hooks does.
COMMANDS: dict[str, Command] = {
    "chisel": Command(
        "hwml_sdk.commands.chisel",
        "check, predict, lower and repair Chisel (setup, check, qor, emit, fix, daemon, data, eval)",
    ),
    "doctor": Command("hwml_sdk.commands.doctor", "show what is installed, what is missing and what that means"),
    "explain": Command("hwml_sdk.commands.explain", "explain a code such as HLS101 with a bad and a good example"),
    "halide": Command("hwml_sdk.commands.halide", "sample, compare, export and use Halide cost models"),
    "lora": Command("hwml_sdk.commands.lora", "generate LoRA adapters from prompts; tokenise, analyse, evaluate them"),
    "mcp": Command("hwml_sdk.commands.mcp", "serve predictions, checks and fixes to coding agents (MCP)"),
    "qor": Command(
        "hwml_sdk.commands.qor", "predict LUT, DSP, FF and latency of HLS C/C++ (also: hwml qor lint)", own_parser=True
    ),
    "train": Command("hwml_sdk.commands.train", "train a model; same as python -m sdk.train", own_parser=True),
    "trust": Command("hwml_sdk.commands.trust", "trust a workspace, or take that back"),
}


def all_commands() -> dict[str, Command]:
    """hwml's own commands and those of other packages; a package that is broken is told and left out."""
    found = dict(COMMANDS)
    for name, reference in entry_points(GROUP).items():
        try:
            table = {str(command): Command(*entry) for command, entry in load(reference).items()}
        except Exception as error:  # whatever another package's module does when it is imported
            print(f"hwml: the commands of {name} ({reference}) are left out: {error!r}", file=sys.stderr)
            continue
        found = {**table, **found}
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the `hwml` program; returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    return guard("hwml", lambda: _dispatch(arguments))


def _dispatch(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    command = COMMANDS.get(name) or (all_commands().get(name) if name and not name.startswith("-") else None)
    if command is not None:
        module = import_module(command.module)
        if command.own_parser:
            return int(module.main(arguments[1:]))
        parser = argparse.ArgumentParser(
            prog=f"hwml {name}", description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(arguments[1:])))
    return _top_level(arguments)


def _top_level(arguments: list[str]) -> int:
    commands = all_commands()
    width = max(map(len, commands))
    listing = "\n".join(f"  {name:<{width}}  {command.help}" for name, command in sorted(commands.items()))
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
    parser.error(f"unknown command {options.command!r}; there are: {', '.join(sorted(commands))}")


if __name__ == "__main__":
    raise SystemExit(main())
