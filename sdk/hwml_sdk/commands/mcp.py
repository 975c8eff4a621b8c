"""Serve hwml's tools to coding agents over the Model Context Protocol, on standard input and output.

Started by an agent's program, not by hand: docs/agents.md has the configuration of some. Files are read only below the
folders that the program opens (its roots) and, where --root names some, below these; nothing is written, no network is
used, and what a workspace may run is decided by hwml trust alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import SourceError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml mcp`."""
    words = "read files below this folder only (again for more); needed for clients that give no roots"
    parser.add_argument("--root", action="append", metavar="FOLDER", help=words)


def run(arguments: argparse.Namespace) -> int:
    """Serve until standard input ends."""
    allowed = None if arguments.root is None else tuple(map(_folder, arguments.root))
    from ..agents import sdk

    sdk.enter()
    from ..agents.server import serve

    if sys.stdin is not None and sys.stdin.isatty():
        print("hwml mcp: waits for an agent on standard input; docs/agents.md says how to set one up", file=sys.stderr)
    serve(allowed)
    return 0


def _folder(name: str) -> Path:
    place = Path(name).expanduser()
    if not place.is_dir():
        raise SourceError("is no folder; --root names the folder of your designs", path=name)
    return place.resolve()
