"""Tables in a terminal and in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeVar

_Item = TypeVar("_Item")


def at_most(most: int, items: Sequence[_Item], what: str, where: object, notes: list[str]) -> Sequence[_Item]:
    """The first `most`; how many are left out goes to the notes, at their head, where a cut list shows it."""
    if len(items) > most:
        notes.insert(0, f"{where}: of {len(items)} {what} {len(items) - most} are left out; {most} are looked at")
    return items[:most]


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A rich table in a terminal; elsewhere the same cells, aligned. Columns without any cell are left out."""
    kept = [index for index in range(len(columns)) if index == 0 or any(row[index] for row in rows)]
    columns, rows = [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for index, title in enumerate(columns):
            table.add_column(title, justify=_side(index, title), no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)
        return
    widths = [max(len(columns[i]), *(len(row[i]) for row in rows)) for i in range(len(columns))]
    for row in (columns, *rows):
        cells = [
            cell.ljust(width) if _side(i, columns[i]) == "left" else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def _side(index: int, title: str) -> Any:
    return "left" if index == 0 or title == "bound by" else "right"
