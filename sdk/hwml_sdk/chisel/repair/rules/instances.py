"""What an instance needs from its parent: clock and reset of black boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

_RESET = re.compile(r"(?:^|_)a?re?se?t|rst|clear", re.IGNORECASE)
_LOW = re.compile(r"(?:_n|_?[nN]|_b)$")


@rule(r"not fully initialized")
def _clock_of_black_box(c: Context) -> Iterator[Candidate]:
    """A black box has no clock and reset of its own: the parent connects its ports."""
    sink = re.search(r'(?:sink|port) "(?P<instance>\w+)\.(?P<port>\w+)"', c.message)
    made = sink and next(
        c.matches(rf"\bval\s+{sink['instance']}\s*=\s*Module\s*\(\s*new\s+(?P<class>\w+)", c.home), None
    )
    if sink is None or not made:
        return
    box, name = c.class_called(made["class"]), re.escape(sink["port"].removeprefix("io_"))
    port = next(
        c.matches(
            rf"\bval\s+(?P<name>{name})\s*=\s*(?:IO\s*\(\s*)?Input\s*\(\s*(?P<kind>Clock|Bool|Reset|AsyncReset)\b", box
        ),
        None,
    )
    value = _value(port["name"], port["kind"]) if port else None
    if port is None or value is None:
        return
    grouped = (
        re.search(r"\bval\s+io\s*=", c.scala.code[slice(*box)]) and not port[0].endswith("IO(") and "IO" not in port[0]
    )
    path = f"{sink['instance']}.{'io.' if grouped else ''}{port['name']}"
    at = c.scala.statement(made.start())[1]
    line = f"{c.line_end}{c.indent_at(made.start())}{path} := {value}"
    yield Candidate(f"{path} := {value}", ((at, at, line),))


def _value(name: str, kind: str) -> str | None:
    if kind == "Clock":
        return "clock"
    if not _RESET.search(name):
        return None
    if kind == "AsyncReset":
        return "reset.asAsyncReset"
    return "!reset.asBool" if _LOW.search(name) and kind == "Bool" else "reset.asBool" if kind == "Bool" else "reset"
