"""How a pragma is written: its options in one line, with the one that is being typed."""

from __future__ import annotations

import re

from ...document import Signature
from .docs import option_doc, pragma_doc
from .table import HLS_OPTIONS, NUMBERS, VALUES, VARIABLE_OPTION

_HEAD = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+HLS[ \t]+(?P<kind>[A-Za-z_]\w*)[ \t](?P<rest>.*)$", re.IGNORECASE)
_LAST = re.compile(r"([A-Za-z_]\w*)[ \t]*(?:=[ \t]*[\w.]*)?$")
MAX_SHOWN = 12  # of the options of INTERFACE, which has dozens


def signature(text: str, line: int, character: int) -> Signature | None:
    """Of the HLS pragma that a place stands in, behind its name; None elsewhere."""
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return None
    match = _HEAD.match(lines[line][: max(character, 0)])
    options = HLS_OPTIONS.get(match["kind"].upper()) if match is not None else None
    if match is None or not options:
        return None
    kind = match["kind"].upper()
    last = _LAST.search(match["rest"])
    current = last[1].lower() if last is not None else ""
    shown = _chosen(kind, options, current)
    parts = tuple((_written(kind, option), option_doc(kind, option)) for option in shown)
    active = shown.index(current) if current in shown else None
    label = f"#pragma HLS {kind} {' '.join(part for part, _ in parts)}"
    return Signature(label + (" ..." if len(options) > len(shown) else ""), parts, active, pragma_doc("HLS", kind))


def _chosen(kind: str, options: frozenset[str], current: str) -> list[str]:
    """The variable first, then what takes a value, then words that stand alone; those that are values go."""
    values = {value for (name, _), words in VALUES.items() if name == kind for value in words}
    variable = VARIABLE_OPTION.get(kind)
    kept = [option for option in options if option not in values]
    order = sorted(kept, key=lambda option: (option != variable, not _takes_value(kind, option), option))
    shown = order[:MAX_SHOWN]
    return shown if current not in order or current in shown else [*shown[:-1], current]


def _takes_value(kind: str, option: str) -> bool:
    return (kind, option) in VALUES or (kind, option) in NUMBERS or option == VARIABLE_OPTION.get(kind)


def _written(kind: str, option: str) -> str:
    name = "II" if option == "ii" else option
    if option == VARIABLE_OPTION.get(kind):
        return f"{name}=<name>"
    if (kind, option) in NUMBERS:
        return f"[{name}=<number>]"
    values = sorted(VALUES.get((kind, option), ()))
    if values:
        words = "|".join(values[:5]) + ("|..." if len(values) > 5 else "")
        return f"[{name}=<{words}>]"
    return f"[{name}]"
