"""What may be typed at a place inside `#pragma HLS` or `#pragma ACCEL`: names, options, variables, values.

What helps most at a place comes first: directives of a loop inside a loop, factors that divide, arrays where arrays are
asked for. What is written already is never offered, or the Enter behind it would be taken for a choice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ...document import Completion, CompletionKind
from .around import Around, look_around
from .docs import option_doc, pragma_doc
from .table import (
    ACCEL_KINDS,
    ACCEL_LOOP_KINDS,
    FUNCTION_ONLY,
    GONE,
    HLS_OPTIONS,
    LOOP_ONLY,
    NEW,
    VALUES,
    VARIABLE_OPTION,
)

_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(?P<rest>.*)$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_]*$")
_SAID = re.compile(r"\b([A-Za-z_]\w*)\b(?=\s*=|\s|$)")
MAX_FACTOR, MAX_FACTORS = 1024, 16
# What people write most at a place, the most usual first (UG1399: what may stand there at all).
_IN_LOOP = ("PIPELINE", "UNROLL", "LOOP_TRIPCOUNT", "LOOP_FLATTEN", "DEPENDENCE", "LATENCY", "DATAFLOW", "BIND_OP")
_IN_FUNCTION = ("INTERFACE", "ARRAY_PARTITION", "DATAFLOW", "PIPELINE", "INLINE", "BIND_STORAGE", "STREAM",
                "ARRAY_RESHAPE", "ALLOCATION", "BIND_OP")  # fmt: skip
_FACTORS = frozenset((("UNROLL", "factor"), ("ARRAY_PARTITION", "factor"), ("ARRAY_RESHAPE", "factor")))
_OF_ARRAYS = frozenset(("ARRAY_PARTITION", "ARRAY_RESHAPE", "BIND_STORAGE", "ARRAY_MAP", "ARRAY_STENCIL"))
# Values that UG1399 lists and that the lint does not hold against the user.
_MORE_VALUES: dict[tuple[str, str], tuple[str, ...]] = {
    ("INTERFACE", "mode"): ("m_axi", "s_axilite", "axis", "ap_memory", "bram", "ap_fifo", "ap_none", "ap_vld", "ap_ack",
                            "ap_hs", "ap_ovld", "ap_stable", "ap_ctrl_hs", "ap_ctrl_chain", "ap_ctrl_none"),
    ("INTERFACE", "offset"): ("slave", "direct", "off"),
    ("BIND_STORAGE", "type"): ("ram_1p", "ram_2p", "ram_t2p", "ram_s2p", "rom_1p", "rom_2p", "fifo"),
    ("BIND_STORAGE", "impl"): ("bram", "uram", "lutram", "srl"),
    ("BIND_OP", "op"): ("mul", "add", "sub", "fadd", "fsub", "fmul", "fdiv", "dadd", "dmul"),
    ("BIND_OP", "impl"): ("dsp", "fabric", "fulldsp", "meddsp", "maxdsp", "primitivedsp"),
    ("DEPENDENCE", "type"): ("inter", "intra"), ("DEPENDENCE", "direction"): ("RAW", "WAR", "WAW"),
    ("DEPENDENCE", "class"): ("array", "pointer"), ("DEPENDENCE", "dependent"): ("true", "false"),
    ("PIPELINE", "ii"): ("1", "2", "4"),
    ("ARRAY_PARTITION", "dim"): ("1", "2", "0"), ("ARRAY_RESHAPE", "dim"): ("1", "2", "0"),
}  # fmt: skip
# Words that may stand alone as well as after `=`; offered as options of their own.
_FLAGS = frozenset(
    [
        "off",
        "on",
        "recursive",
        "region",
        "self",
        "rewind",
        "enable_flush",
        "skip_exit_check",
        "complete",
        "block",
        "cyclic",
        "compact",
        "force",
        "disable_start_propagation",
        "register",
        "inter",
        "intra",
        "raw",
        "war",
        "waw",
        "true",
        "false",
        "floating",
        "fixed",
    ]
)


def complete(text: str, line: int, character: int, tool: str = "") -> tuple[Completion, ...]:
    """Proposals at a place of an HLS source, the likeliest first; none outside a pragma, and none for a finished word.

    tool: whose pragmas come first. Never raises for what the text holds.
    """
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return ()
    before, behind = lines[line][: max(character, 0)], lines[line][max(character, 0) :]
    match = _PRAGMA.match(before)
    if match is None:
        return ()
    word = _WORD.search(before)
    start = word.start() if word is not None else len(before)
    typed = before[start:].lower()
    said = before[match.start("rest") : start]
    found = [
        Completion(
            label, kind, new_text, start, len(before), documentation, detail, deprecated=label in _left_out(tool)
        )
        for label, kind, new_text, documentation, detail in _proposals(said, behind, lines, line)
    ]
    if typed[:1].isdigit() or any(typed == item.label.lower() for item in found):
        return ()
    if said.rstrip().endswith("=") and not typed and behind[:1].strip():
        found = []  # the value stands behind the cursor
    return tuple(sorted(found, key=lambda item: item.deprecated))


_Proposal = tuple[str, CompletionKind, str, str, str]


def _left_out(tool: str) -> Collection[str]:
    """Directives that a tool does not take."""
    return NEW if tool == "vivado_hls" else GONE


def _proposals(said: str, behind: str, lines: list[str], line: int) -> Iterator[_Proposal]:
    words = said.split(None, 1)
    dialect = words[0].upper() if words else ""
    if not words:
        yield "HLS", "module", "HLS ", "Directives for Vitis HLS and Vivado HLS.", ""
        yield "ACCEL", "module", "ACCEL ", "Directives for the Merlin compiler.", ""
    elif dialect in ("HLS", "ACCEL") and len(words) == 1:
        for kind in _ordered(dialect, look_around(lines, line)):
            options = bool(HLS_OPTIONS.get(kind)) and dialect == "HLS"
            detail = f"{dialect}, another release" if dialect == "HLS" and kind in GONE else dialect
            yield kind, "keyword", f"{kind} " if options else kind, pragma_doc(dialect, kind), detail
    elif dialect == "HLS":
        kind, _, rest = words[1].partition(" ")
        yield from _inside(kind.upper(), rest, behind, lines, line)


def _ordered(dialect: str, around: Around) -> list[str]:
    """Directives, the usual ones of such a place first; those that may not stand there last."""
    if dialect == "ACCEL":
        return sorted(ACCEL_KINDS, key=lambda kind: (kind not in ACCEL_LOOP_KINDS if around.in_loop else 0, kind))
    usual = _IN_LOOP if around.in_loop else _IN_FUNCTION
    wrong = FUNCTION_ONLY if around.in_loop else LOOP_ONLY

    def rank(kind: str) -> tuple[int, int, str]:
        return (2 if kind in wrong else 0 if kind in usual else 1), usual.index(kind) if kind in usual else 0, kind

    return sorted(HLS_OPTIONS, key=rank)


def _inside(kind: str, rest: str, behind: str, lines: list[str], line: int) -> Iterator[_Proposal]:
    """Options of a pragma, or values when an `=` stands right before the cursor."""
    asked = re.search(r"([A-Za-z_]\w*)\s*=\s*$", rest)
    if asked is None:
        taken = {name.lower() for name in _SAID.findall(f"{rest} {behind}")}
        for option in sorted(HLS_OPTIONS.get(kind, frozenset()) - taken):
            flag = option in _FLAGS or (
                kind == "INTERFACE" and option.startswith(("ap_", "s_ax", "m_ax", "axis", "bram"))
            )
            name = "II" if option == "ii" else option
            yield name, "property", name if flag else f"{name}=", option_doc(kind, option), kind
        return
    option = asked.group(1).lower()
    if option == VARIABLE_OPTION.get(kind):
        yield from _variables(kind, look_around(lines, line))
    if (kind, option) in _FACTORS:
        yield from _factors(kind, f"{rest} {behind}", look_around(lines, line))
    known = sorted(VALUES.get((kind, option), ())) or _MORE_VALUES.get((kind, option), ())
    for value in known:
        yield value, "value", value, option_doc(kind, option), f"{kind} {option}"


def _variables(kind: str, around: Around) -> Iterator[_Proposal]:
    names = [item for item in around.names if kind != "INTERFACE" or item.is_param]
    if kind in _OF_ARRAYS:
        names = [item for item in names if item.dims] or names
    for item in names:
        yield item.name, "variable", item.name, "", item.declaration
    if kind == "INTERFACE":
        yield "return", "variable", "return", "The control ports of the function.", ""


def _factors(kind: str, words: str, around: Around) -> Iterator[_Proposal]:
    """What divides the rounds of the loop, or the extent of the array, so that no part is smaller than the others."""
    size = around.trip_count if kind == "UNROLL" else _extent(words, around)
    what = "rounds" if kind == "UNROLL" else "elements"
    for factor in divisors(size) if size else (2, 4, 8, 16):
        yield str(factor), "value", str(factor), option_doc(kind, "factor"), f"divides {size} {what}" if size else kind


def _extent(words: str, around: Around) -> int | None:
    """The extent of the dimension that an ARRAY_PARTITION is about."""
    name = re.search(r"\bvariable\s*=\s*(\w+)", words, re.IGNORECASE)
    dim = re.search(r"\bdim\s*=\s*(\d+)", words, re.IGNORECASE)
    number = int(dim[1]) if dim else 1
    dims = next((item.dims for item in around.names if name is not None and item.name == name[1]), ())
    return dims[number - 1] if 1 <= number <= len(dims) else None


def divisors(size: int) -> list[int]:
    """Factors from 2 on that leave nothing over, the smallest first; at most MAX_FACTORS."""
    return [factor for factor in range(2, min(size, MAX_FACTOR) + 1) if size % factor == 0][:MAX_FACTORS]
