"""Faults to put into right Chisel, each of an error family of its own, each refused by a stage of the check.

`seen`: the family was at hand when the repair rules were written; the others were held back (docs/chisel.md).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that `pattern` finds becomes `new`. Later faults of the list are put in first: they break more."""

    family: str
    seen: bool
    pattern: str
    new: str

    def put_in(self, text: str, seed: str) -> str:
        """`text` with the fault at a place that the seed chooses; as it was where there is none."""
        places = list(re.finditer(self.pattern, text, re.MULTILINE | re.DOTALL))
        if not places:
            return text
        place = random.Random(f"{self.family} {seed}").choice(places)
        return text[: place.start()] + place.expand(self.new) + text[place.end() :]


FAULTS = (
    Fault("missing-util-import", True, r"^import chisel3\.util\.[^\n]*\n", ""),
    Fault("else-after-when", True, r"\}\s*\.otherwise \{", "} else {"),
    Fault("int-operand", True, r"(===|\+|>=|>) (\d+)\.U\b(?!\()", r"\1 \2"),
    Fault("missing-io-wrapper", True, r"IO\(new Bundle \{(.*?)\n  \}\)", r"new Bundle {\1\n  }"),
    Fault("not-found-value-typo", True, r"\bOutput\(", "Ouput("),
    Fault("boolean-literal", True, r"\b(true|false)\.B\b", r"\1"),
    Fault("scala-neq-in-when", True, r"(=/=) ", "!= "),
    Fault("reginit-int", True, r"RegInit\((\d+)\.U\(\d+\.W\)\)", r"RegInit(\1)"),
    Fault("ternary", True, r"Mux\(([^,()]+), ([^,()]+), ([^,()]+)\)", r"(\1) ? \2 : \3"),
    Fault("elseif-after-when", False, r"\}\s*\.elsewhen\(", "} else when("),
    Fault("int-as-width", False, r"UInt\((\d+)\.W\)", r"UInt(\1)"),
    Fault("chisel2-uint-literal", False, r"(?<=[-+] )(\d+)\.U\b(?!\()", r"UInt(\1)"),
    Fault("io-prefix-missing", False, r"(?<=:= )io\.(\w+)", r"\1"),
    Fault("assign-equals", False, r"^(\s+io\.\w+) := ", r"\1 = "),
    Fault("verilog-literal", False, r"RegInit\((\d+)\.U\((\d+)\.W\)\)", r"RegInit(\2'd\1)"),
    Fault("elsewhen-no-dot", False, r"\}\s*\.otherwise \{", "}\n  otherwise {"),
    Fault("not-fully-initialized", False, r"^  io\.\w+ := [^\n{]+\n", ""),
    Fault("when-missing-paren", False, r"when\((io\.\w+)\) \{", r"when \1 {"),
    Fault("unbalanced-brace", False, r"\n\}\n*\Z", "\n"),
)
_BY_FAMILY = {fault.family: fault for fault in FAULTS}
_ORDER = {fault.family: number for number, fault in enumerate(FAULTS)}
# Where the only connection of a port goes and the ports are no ports any more, an empty module is left, which compiles:
# nothing would be said about it, and so nothing be corrected.
_NOT_TOGETHER = {"missing-io-wrapper", "not-fully-initialized"}


def corrupted(text: str, families: Sequence[str], seed: str) -> str:
    """`text` with the faults of these families."""
    for family in sorted(families, key=_ORDER.__getitem__):
        text = _BY_FAMILY[family].put_in(text, seed)
    return text


def fitting(text: str) -> list[str]:
    """Families whose fault can be put into a text."""
    return [fault.family for fault in FAULTS if fault.put_in(text, "") != text]


def seen(family: str) -> bool:
    """Whether the family was at hand when the rules were written."""
    return _BY_FAMILY[family].seen


def draw(text: str, count: int, rng: random.Random, seed: str) -> tuple[str, ...]:
    """`count` families (fewer where fewer fit) each of which still changes the text that the others left.

    Whichever of them are taken out again, what is left is refused by a stage of the check.
    """
    there = fitting(text)
    for wanted in range(min(count, len(there)), 0, -1):
        for _ in range(20):
            chosen = tuple(sorted(rng.sample(there, wanted), key=_ORDER.__getitem__))
            if not set(chosen) >= _NOT_TOGETHER and all(
                corrupted(text, chosen, seed) != corrupted(text, [c for c in chosen if c != one], seed)
                for one in chosen
            ):
                return chosen
    return ()
