"""Explain a diagnostic code: what it means, a bad and a good example. Without a code: list all codes."""

from __future__ import annotations

import argparse
import json
import sys

from ..explain import codes, page
from ..report import SCHEMA_VERSION


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml explain`."""
    parser.add_argument("code", nargs="?", help="for example HLS101")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print one page, or the list."""
    if arguments.code is None:
        listing = codes()
        if arguments.json:
            print(json.dumps({"schema_version": SCHEMA_VERSION, "codes": listing}, indent=1))
        else:
            print("\n".join(f"{code}  {title}" for code, title in listing.items()))
        return 0
    text = page(arguments.code)
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "code": arguments.code, "markdown": text}, indent=1))
    elif sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        print(text, end="")
    return 0
