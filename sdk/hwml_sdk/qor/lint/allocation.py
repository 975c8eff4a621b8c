"""What ALLOCATION limits: functions of the program, operators of the tool."""

from __future__ import annotations

import difflib
import re

from ..pragmas.table import OPERATIONS
from ..program import ir
from .code import Code
from .context import Context
from .rule import rule

NO_SUCH = Code("HLS132", "warning", "ALLOCATION of what there is not")


@rule(NO_SUCH)
def allocation(context: Context) -> None:
    """A function or an operator that nothing in the program or the tool is called."""
    for pragma in context.program.pragmas:
        if pragma.dialect != "HLS" or pragma.kind != "ALLOCATION" or pragma.owner is None:
            continue
        listed = pragma.options.get("instances", "")
        what = pragma.options.get("type", "").lower()
        for kind in ("function", "operation"):
            what = kind if kind in pragma.options else what
        for name in filter(None, re.split(r"[,\s]+", listed)):
            if what == "function":
                _function(context, pragma, name)
            elif what in ("operation", "operator"):
                _operation(context, pragma, name)


def _function(context: Context, pragma: ir.Pragma, name: str) -> None:
    short = name.partition("<")[0].rpartition("::")[2]
    word = re.compile(rf"\b{re.escape(short)}\b\s*(?:<[^;{{}}()]*>)?\s*\(")
    if context.program.missing_headers or any(word.search(text) for text in context.program.sources.values()):
        return  # the name stands for something, or may do so in a header that is not here
    known = sorted({key.partition("<")[0].rpartition("::")[2] for key in context.program.functions})
    _report(context, pragma, name, difflib.get_close_matches(short, known, n=1, cutoff=0.5), "function")


def _operation(context: Context, pragma: ir.Pragma, name: str) -> None:
    if name.lower() not in OPERATIONS:
        _report(context, pragma, name, difflib.get_close_matches(name.lower(), OPERATIONS, n=1, cutoff=0.6), "operator")


def _report(context: Context, pragma: ir.Pragma, name: str, near: list[str], what: str) -> None:
    text = context.text(pragma)
    span = text.value_span("instances")
    fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if near else ()
    hint = f"; did you mean {near[0]}?" if near else ""
    message = f"ALLOCATION limits {name}, but there is no {what} of that name: nothing is limited{hint}"
    context.report(NO_SUCH, message, pragma.path, span, fixes=fixes)
