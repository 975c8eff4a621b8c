"""A command that such a package adds."""

import argparse

from hwml_sdk.plugins import Command

COMMANDS = {"toy": Command("toy_hdl.command", "count the units of a Toy file")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=argparse.FileType())


def run(arguments: argparse.Namespace) -> int:
    print(sum(line.startswith("unit ") for line in arguments.file))
    return 0
