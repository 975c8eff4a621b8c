"""Long tables of numbers, as headers of weights hold them, without their values.

Where a table's size is known, only an index that is known asks for one of them; each value would be a node to read, and
a network's weights are more than all that is read of a document.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..program.budget import TEXT_CHARACTERS

LEFT_OUT = "__hwml_values_left_out"  # stands for the values: what was not read is not zero
LONG_VALUES = 4096  # of longer tables the size matters, the values do not
ALL_VALUES = 16_000  # of all together, and of the shorter ones: a third of the nodes that are read of a document

# Sizes, and a list of numbers, names and calls of 2,000 characters or more.
_TABLE = re.compile(r"((?:\[[^\[\]{};=]{0,99}\]\s{0,99}){1,8})(=\s{0,99}\{)([\s\w.,+{}()-]{2000,}+)(?=;)", re.ASCII)
_UNSTATED = re.compile(r"^\[\s*\]")


def without_long_tables(text: str) -> str:
    """The text in which all else stands where it stood; long tables are empty, with their first size where none is."""
    tables = list(_TABLE.finditer(text)) if len(text) > 2000 else []
    counts = [table[3].count(",") + 1 for table in tables]
    if len(text) <= TEXT_CHARACTERS and sum(counts) <= ALL_VALUES:
        return text
    most = LONG_VALUES if len(text) <= TEXT_CHARACTERS and _together(counts) <= ALL_VALUES else 0
    out, at = [], 0
    for table, count in zip(tables, counts, strict=True):
        if count > most and table[3].count("{") + 1 == table[3].count("}"):
            out += [text[at : table.start()], _emptied(table)]
            at = table.end()
    return "".join([*out, text[at:]])


def _together(counts: Sequence[int]) -> int:
    return sum(count for count in counts if count <= LONG_VALUES)


def _emptied(table: re.Match[str]) -> str:
    """The table without its values, as long as it was."""
    sizes = table[1]
    if _UNSTATED.match(sizes):
        sizes = _UNSTATED.sub(f"[{_elements(table[3])}]", sizes)
    return (sizes + table[2] + LEFT_OUT).ljust(len(table[0]) - 1) + "}"


def _elements(values: str) -> int:
    """Elements of a list, of which the first brace is open: what stands between its own commas."""
    depth = count = 0
    last = 0
    for match in re.finditer(r"[{}(),]", values):
        mark = match[0]
        if mark == "," and depth == 0:
            count += 1
            last = match.end()
        depth += (mark in "{(") - (mark in "})")
    return count + bool(values[last:].strip(" \t\r\n}"))
