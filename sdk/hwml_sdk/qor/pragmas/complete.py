"""What may be typed at a place inside `#pragma HLS` or `#pragma ACCEL`: names, options, variables, values.

Variables are those of the function around, so this module reads the source; table and docs need nothing of the kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...document import Completion, CompletionKind
from ...errors import SourceError
from ..read.source import read_program
from .docs import option_doc, pragma_doc
from .table import ACCEL_KINDS, HLS_OPTIONS, VALUES, VARIABLE_OPTION

_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(?P<rest>.*)$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]\w*$")
_SAID = re.compile(r"\b([A-Za-z_]\w*)\b(?=\s*=|\s|$)")
MAX_CONTEXT_LINES = 400
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
    ("UNROLL", "factor"): ("2", "4", "8", "16"), ("PIPELINE", "ii"): ("1", "2", "4"),
    ("ARRAY_PARTITION", "dim"): ("1", "2", "0"), ("ARRAY_RESHAPE", "dim"): ("1", "2", "0"),
    ("ARRAY_PARTITION", "factor"): ("2", "4", "8", "16"), ("ARRAY_RESHAPE", "factor"): ("2", "4", "8", "16"),
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


def complete(text: str, line: int, character: int) -> tuple[Completion, ...]:
    """Proposals at a place of an HLS source; none outside a pragma. Never raises for what the text holds."""
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return ()
    before = lines[line][: max(character, 0)]
    match = _PRAGMA.match(before)
    if match is None:
        return ()
    word = _WORD.search(before)
    start = word.start() if word is not None else len(before)
    said = before[match.start("rest") : start]
    return tuple(
        Completion(label, kind, new_text, start, len(before), documentation, detail)
        for label, kind, new_text, documentation, detail in _proposals(said, lines, line)
    )


_Proposal = tuple[str, CompletionKind, str, str, str]


def _proposals(said: str, lines: list[str], line: int) -> Iterator[_Proposal]:
    words = said.split(None, 1)
    dialect = words[0].upper() if words else ""
    if not words:
        yield "HLS", "module", "HLS ", "Directives for Vitis HLS and Vivado HLS.", ""
        yield "ACCEL", "module", "ACCEL ", "Directives for the Merlin compiler.", ""
    elif dialect in ("HLS", "ACCEL") and len(words) == 1:
        for kind in sorted(HLS_OPTIONS if dialect == "HLS" else ACCEL_KINDS):
            options = bool(HLS_OPTIONS.get(kind)) and dialect == "HLS"
            yield kind, "keyword", f"{kind} " if options else kind, pragma_doc(dialect, kind), dialect
    elif dialect == "HLS":
        kind, _, rest = words[1].partition(" ")
        yield from _inside(kind.upper(), rest, lines, line)


def _inside(kind: str, rest: str, lines: list[str], line: int) -> Iterator[_Proposal]:
    """Options of a pragma, or values when an `=` stands right before the cursor."""
    asked = re.search(r"([A-Za-z_]\w*)\s*=\s*$", rest)
    if asked is None:
        taken = {name.lower() for name in _SAID.findall(rest)}
        for option in sorted(HLS_OPTIONS.get(kind, frozenset()) - taken):
            flag = option in _FLAGS or (
                kind == "INTERFACE" and option.startswith(("ap_", "s_ax", "m_ax", "axis", "bram"))
            )
            name = "II" if option == "ii" else option
            yield name, "property", name if flag else f"{name}=", option_doc(kind, option), kind
        return
    option = asked.group(1).lower()
    if option == VARIABLE_OPTION.get(kind):
        for name, detail, scope in variables(lines, line):
            if kind != "INTERFACE" or scope == "param":
                yield name, "variable", name, "", detail
        if kind == "INTERFACE":
            yield "return", "variable", "return", "The control ports of the function.", ""
    known = sorted(VALUES.get((kind, option), ())) or _MORE_VALUES.get((kind, option), ())
    for value in known:
        yield value, "value", value, option_doc(kind, option), f"{kind} {option}"


def variables(lines: list[str], line: int) -> list[tuple[str, str, str]]:
    """(name, declaration, scope) of the arrays, pointers and other variables of the function around a line.

    Reads that function alone, so that it is quick in a file of any length; macros of elsewhere stay names.
    """
    first = _function_start(lines, line)
    last = min(line + MAX_CONTEXT_LINES, len(lines))
    text = "\n".join(lines[first:last]).replace("\0", " ")
    try:
        program = read_program(text)
    except SourceError:
        return []
    here = line - first
    around = [f for f in program.functions.values() if f.span.start_line <= here <= f.span.end_line + 1]
    found = [*program.globals.values()]
    for function in around:
        found = [*function.variables.values(), *found]
    shown = {
        var.name: (var.name, f"{var.type.name}{''.join(_extent(d) for d in var.dims)}", var.scope) for var in found
    }
    return sorted(shown.values(), key=lambda item: ("[" not in item[1], item[0]))


def _extent(size: int | None) -> str:
    return f"[{'' if size is None else size}]"


def _function_start(lines: list[str], line: int) -> int:
    """The line after the last `}` in the first column above."""
    for index in range(line - 1, max(line - MAX_CONTEXT_LINES, 0) - 1, -1):
        if lines[index].startswith("}"):
            return index + 1
    return max(line - MAX_CONTEXT_LINES, 0)
