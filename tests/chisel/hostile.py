"""Constructors that attack: `tests/data/chisel/attacks.scala.txt`, and how the check of each may end."""

from __future__ import annotations

import re
from pathlib import Path

from .repair_cases import DATA

_SECTION = re.compile(r"^// ---- (.*)$", re.MULTILINE)
_, *_parts = _SECTION.split((DATA / "attacks.scala.txt").read_text(encoding="utf-8"))
_bodies = dict(zip(_parts[::2], _parts[1::2], strict=True))
_HELPERS = _bodies.pop("helpers")
ATTACKS = tuple(_bodies)
ENDINGS = {
    "exit": {"CH232"},
    "halt": {"CH233"},
    "memory": {"CH231"},
    "endless loop": {"CH230"},
    "a crash of the machine": {"CH233"},
}
# These hold the line itself in their hands, by force: their own check may end as said here or without a word.
GRABBING = {
    "frames on every descriptor by force": {"CH233", "CH234"},
    "every descriptor closed": {"CH233", "CH234"},
    "a thread that goes on writing": {"CH233", "CH234"},
    "threads without end": {"CH230", "CH231", "CH233"},
    "memory outside the heap": {"CH231"},
    "a finger in the worker": {"CH213", "CH218"},
    "a finalizer": {"CH232"},
    "defaults of the machine": {"CH213"},
}


def attack(name: str, canaries: Path, listening: Path) -> str:
    """The source of one attack."""
    body = _bodies[name].replace("@", str(canaries)).replace("#", str(listening))
    head = "import chisel3._\nclass Attack extends Module {\n  val y = IO(Output(Bool()))\n  y := true.B\n"
    return f"{head}{_HELPERS}{body}}}\n"
