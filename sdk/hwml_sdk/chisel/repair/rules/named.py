"""Named arguments: functions that are macros take them by place, and old names are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

# Parameters in order, by the names that Chisel 3 and later gave them.
_ORDER = {
    "RegEnable": (("next",), ("init", "resetData"), ("enable", "en")),
    "RegNext": (("next",), ("init",)),
    "RegInit": (("t", "init"),),
    "WireDefault": (("t", "init"),),
    "WireInit": (("t", "init"),),
    "ShiftRegister": (("in",), ("n",), ("resetData",), ("en",)),
    "Mux": (("cond",), ("con",), ("alt",)),
    "Fill": (("n",), ("x",)),
    "Counter": (("cond",), ("n",)),
    "Queue": (("enq",), ("entries",)),
    "Pipe": (("enqValid",), ("enqBits",), ("latency",)),
    "PopCount": (("in",),),
    "MuxLookup": (("key",), ("default",)),
}


@rule(r"named and/or default arguments|unknown parameter name|named argument|not found: value \w+")
def _by_place(c: Context) -> Iterator[Candidate]:
    """RegEnable(next = d, enable = e): RegEnable(d, e)."""
    edits = []
    for match in c.matches(rf"\b(?P<name>{'|'.join(_ORDER)})\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = [c.text[slice(*a)] for a in c.scala.arguments(group[0])] if group else []
        placed = _placed(match["name"], arguments)
        if group and placed:
            edits.append((group[0] + 1, group[1], ", ".join(placed)))
    if edits:
        yield Candidate("arguments by place", tuple(edits), safe=True)


def _placed(name: str, arguments: list[str]) -> list[str]:
    """The arguments in their order without names; [] when there is no name, or one that is not known."""
    found: dict[int, str] = {}
    named = 0
    for index, argument in enumerate(arguments):
        match = re.match(r"(?P<name>\w+)\s*=(?![=>/])\s*(?P<value>.+)$", argument, re.DOTALL)
        if match is None:
            found[index] = argument
            continue
        place = next((i for i, names in enumerate(_ORDER[name]) if match["name"] in names), None)
        if place is None or place in found:
            return []
        found[place] = match["value"]
        named += 1
    return [found[place] for place in sorted(found)] if named else []
