"""Streams (ready, valid, bits): their direction, and what they hold while no branch connects them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .vectors import outermost

_STREAM = r"(?:new\s+)?(?:Decoupled|DecoupledIO|Irrevocable|IrrevocableIO|EnqIO|DeqIO)\b"


@rule(r"cannot be written from module|not fully initialized")
def _one_way_stream(c: Context) -> Iterator[Candidate]:
    """Input(Decoupled(...)): every field becomes an input, ready as well; Output(...): an output."""
    for match in c.matches(rf"\b(?P<way>Input|Output)\s*\(\s*(?P<stream>{_STREAM})", c.home):
        group = c.scala.enclosing_call(match.start("stream"))
        if group is None or not _named(c, match.start()):
            continue
        if match["way"] == "Input":
            edits = ((*match.span("way"), "Flipped"),)
            yield Candidate("Flipped: a stream has both directions in itself", edits, safe=True)
        else:
            around = ((match.start(), match.start("stream"), ""), (group[1], group[1] + 1, ""))
            yield Candidate("without Output: a stream has both directions in itself", around, safe=True)


@rule(r"Source \((?:Decoupled|Irrevocable|ReadyValid|Valid)\w*\) have different types")
def _bits_of_stream(c: Context) -> Iterator[Candidate]:
    """word := stream: its bits."""
    end = c.statement[1]
    if re.search(r":=\s*[\w.]+(?:\([^()]*\))?$", c.scala.code[slice(*c.statement)]):
        yield Candidate(".bits of the stream", ((end, end, ".bits"),))


def _named(c: Context, at: int) -> bool:
    """Whether the message is about the field that is defined at `at`."""
    field = re.search(r"\bval\s+(\w+)\s*=\s*(?:IO\s*\(\s*)?$", c.scala.code[:at])
    return (
        field is not None and re.search(rf"(?<![A-Za-z0-9]){re.escape(field[1])}(?![A-Za-z0-9])", c.message) is not None
    )


@rule(r"not fully initialized")
def _idle_streams(c: Context) -> Iterator[Candidate]:
    """a <> b in a branch only: while no branch connects them, nothing is valid and nothing is taken."""
    sink = re.search(r'(?:sink|port) "(?P<path>\w+)_(?:ready|valid|bits)', c.message)
    bulk = [
        m
        for m in c.matches(r"(?<![\w.])(?P<a>[\w.]+)\s*(?:<>|:<>=)\s*(?P<b>[\w.]+)(?![\w.(])", c.home)
        if _in_branch(c, m.start())
    ]
    if sink is None or all(sink["path"] not in (m[side].replace(".", "_") for side in "ab") for m in bulk):
        return
    at = outermost(c, min(m.start() for m in bulk))
    gap = f"{c.line_end}{c.indent_at(at)}"
    for unknown in (False, True):
        lines: dict[str, str] = {}
        for match in bulk:
            taken, given = (match["a"], match["b"]) if _is_flipped(c, match["a"]) else (match["b"], match["a"])
            if _is_flipped(c, taken):
                lines.setdefault(f"{taken}.ready", "false.B")
            lines.setdefault(f"{given}.valid", "false.B")
            lines.setdefault(f"{given}.bits", "DontCare" if unknown else f"{taken}.bits")
        text = "".join(f"{signal} := {value}{gap}" for signal, value in lines.items())
        rest = "bits do not matter" if unknown else "bits as they come"
        yield Candidate(f"no transfer while no branch connects the streams; {rest}", ((at, at, text),))


def _in_branch(c: Context, at: int) -> bool:
    return outermost(c, at) != c.scala.statement(at)[0]


def _is_flipped(c: Context, path: str) -> bool:
    name = re.escape(path.rpartition(".")[2])
    return next(c.matches(rf"\bval\s+{name}\s*=\s*(?:IO\s*\(\s*)?Flipped\b", c.whole), None) is not None
