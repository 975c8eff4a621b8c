"""Trust a workspace (its build server may be asked, its code may be elaborated), or take that back.

The list is kept in your own configuration folder; nothing inside a workspace can add to it.
"""

from __future__ import annotations

import argparse

from ..config import foreign_list, is_trusted, set_trust, trusted_folders
from ..errors import ConfigError
from ..printable import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml trust`."""
    parser.add_argument("folder", nargs="?", help="the workspace; without it the trusted folders are listed")
    parser.add_argument("--list", action="store_true", help="list the trusted folders")
    parser.add_argument("--remove", action="store_true", help="take the trust back")


def run(arguments: argparse.Namespace) -> int:
    """Change or list the trusted folders."""
    if arguments.list and (arguments.folder is not None or arguments.remove):
        raise ConfigError("--list shows the folders and changes nothing: leave the folder and --remove out, or --list")
    if arguments.folder is None and arguments.remove:
        raise ConfigError("--remove takes the trust in a folder back: name it (hwml trust --list shows them)")
    if arguments.folder is not None:
        return _change(arguments)
    reason = foreign_list()
    if reason:
        print(printable(f"no folder is trusted: {reason}"))
        return 1
    print("\n".join(printable(folder) for folder in trusted_folders()) or "no folder is trusted")
    return 0


def _change(arguments: argparse.Namespace) -> int:
    set_trust(arguments.folder, trusted=not arguments.remove)
    if arguments.remove and is_trusted(arguments.folder):
        print(f"{printable(arguments.folder)} is still trusted through a folder above it: see hwml trust")
        return 1
    print(f"{printable(arguments.folder)} is {'no longer' if arguments.remove else 'now'} trusted")
    return 0
