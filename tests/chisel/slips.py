"""Mechanical slips in sources that are right: what a hand does, drawn with a fixed seed; nobody chose them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable

from .repair_cases import Case

_SWAPPED = [
    ("===", "=="),
    ("=/=", "!="),
    (":=", "="),
    ("Input", "Output"),
    ("UInt", "SInt"),
    ("&&", "&"),
    (" to ", " until "),
]


def slips(cases: Iterable[Case], seed: int = 1) -> list[Case]:
    """One slip of a kind drawn for each good text; whether it is a fault is for the compiler to say."""
    chance = random.Random(seed)
    found = []
    for case in cases:
        kind = chance.choice(list(_KINDS))
        bad = _KINDS[kind](case.good, chance)
        if bad != case.good:
            found.append(Case(f"{case.name}: {kind}", bad, case.good))
    return found


def _at(text: str, pattern: str, chance: random.Random, change: Callable[[str], str]) -> str:
    """`text` with one match of `pattern`, past the imports, changed."""
    start = max((m.end() for m in re.finditer(r"(?m)^import.*$", text)), default=0)
    places = list(re.compile(pattern).finditer(text, start))
    if not places:
        return text
    place = chance.choice(places)
    return text[: place.start()] + change(place[0]) + text[place.end() :]


def _lost_letter(text: str, chance: random.Random) -> str:
    def lose(word: str) -> str:
        at = chance.randrange(1, len(word))
        return word[:at] + word[at + 1 :]

    return _at(text, r"\b[A-Za-z]\w{3,}\b", chance, lose)


def _other_case(text: str, chance: random.Random) -> str:
    def turn(word: str) -> str:
        at = chance.randrange(len(word))
        return word[:at] + word[at].swapcase() + word[at + 1 :]

    return _at(text, r"\b[A-Za-z]{3,}\b", chance, turn)


def _lost_line(text: str, chance: random.Random) -> str:
    return _at(text, r"(?m)^ +\S.*\n", chance, lambda line: "")


def _lost_suffix(text: str, chance: random.Random) -> str:
    return _at(text, r"(?<=[\w)])\.(?:U|S|W|B|asUInt|asSInt|asBool|orR|io|bits)\b", chance, lambda dot: "")


def _lost_mark(text: str, chance: random.Random) -> str:
    return _at(text, r"[(){}.,:]|\bnew |\bval ", chance, lambda mark: "")


def _swapped(text: str, chance: random.Random) -> str:
    here = [pair for pair in _SWAPPED if pair[0] in text]
    if not here:
        return text
    old, new = chance.choice(here)
    return _at(text, re.escape(old), chance, lambda word: new)


def _turned_arguments(text: str, chance: random.Random) -> str:
    return _at(text, r"\(([^(),\n]+), ([^(),\n]+)\)", chance, lambda call: re.sub(r"\((.*), (.*)\)", r"(\2, \1)", call))


_KINDS: dict[str, Callable[[str, random.Random], str]] = {
    "a letter lost": _lost_letter,
    "another case": _other_case,
    "a line lost": _lost_line,
    "a suffix lost": _lost_suffix,
    "a mark lost": _lost_mark,
    "another word": _swapped,
    "arguments turned": _turned_arguments,
}
