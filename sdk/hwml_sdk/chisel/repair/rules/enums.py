"""Enumerations connected with numbers, or with other enumerations: a person says which value is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

_SAID = re.compile(
    r"Sink \((?P<sink>[^()]+(?:\([^()]*\))?)\) and Source \((?P<source>[^()]+(?:\([^()]*\))?)\) have different"
)
_CONNECTED = re.compile(r"(?P<to>[\w.]+(?:\([^()]*\))?)\s*:=\s*(?P<from>.+)$", re.DOTALL)
_NUMBER = re.compile(r"(?:[US]Int|Bool)\b")


@rule(r"have different types")
def _other_kind(c: Context) -> Iterator[Candidate]:
    """enumeration := number, or := a value of another enumeration; number := enumeration is `.asUInt`."""
    said = _SAID.search(c.message)
    start, end = c.statement
    written = _CONNECTED.match(c.text[start:end])
    if said is None or written is None or _NUMBER.match(said["sink"]):
        return
    at = start + written.start("from")
    kind = _spelled(c, said["sink"])
    if said["source"].startswith("UInt"):
        for made, title in (
            (f"{kind}({written['from']})", "by its code"),
            (f"{kind}.safe({written['from']})._1", "by its code, whether valid or not"),
        ):
            yield Candidate(f"{made}: {title}", ((at, end, made),))
    for path in _signals(c, said["sink"]):
        if path not in (written["to"], written["from"]):
            yield Candidate(f"{path}, which is of {kind}", ((at, end, path),))


def _spelled(c: Context, name: str) -> str:
    """The enumeration as the text names it, with what stands before the last dot."""
    found = next(c.matches(rf"(?<![\w.])(?P<path>(?:\w+\.)*{re.escape(name)})\s*[.(]", c.whole), None)
    return found["path"] if found else name


def _signals(c: Context, kind: str) -> Iterator[str]:
    """Inputs, registers and wires of this module that hold a value of an enumeration."""
    name = re.escape(kind)
    for match in c.matches(rf"\bval\s+(?P<name>\w+)\s*=\s*Input\s*\(\s*(?:\w+\.)*{name}\s*\(\s*\)", c.home):
        yield f"io.{match['name']}"
    made = rf"(?:RegInit\s*\(\s*(?:\w+\.)*{name}\.|(?:Wire|Reg)\s*\(\s*(?:\w+\.)*{name}\s*\()"
    for match in c.matches(rf"\bval\s+(?P<name>\w+)\s*=\s*{made}", c.home):
        yield match["name"]
