"""How pragmas are written: their names, their options, the values of these."""

from __future__ import annotations

import difflib
import re

from ...document import Edit, Fix
from ..pragmas.table import ACCEL_KINDS, CLOSED, HLS_OPTIONS, NUMBERS, SMART_HLS, VALUES, VARIABLE_OPTION
from ..program import ir
from ..program.facts import function_of
from .code import Code
from .context import Context, PragmaText
from .rule import rule

UNKNOWN_PRAGMA = Code("HLS105", "warning", "unknown pragma")
UNKNOWN_OPTION = Code("HLS106", "warning", "unknown option of a pragma")
BAD_VALUE = Code("HLS107", "error", "value that cannot be")


_NAME = re.compile(r"[A-Za-z_]\w*")


@rule(UNKNOWN_PRAGMA, UNKNOWN_OPTION, BAD_VALUE)
def spelling(context: Context) -> None:
    """Pragmas, options and values that the tool does not know."""
    for pragma in context.program.pragmas:
        text = context.text(pragma)
        known = HLS_OPTIONS if pragma.dialect == "HLS" else ACCEL_KINDS
        if pragma.kind.startswith("IF") or not _NAME.fullmatch(pragma.kind or "-"):
            continue  # `#pragma HLS if (condition) ...` of 2026
        if pragma.kind in SMART_HLS:
            continue
        if pragma.kind not in known:
            _unknown_kind(context, pragma, text)
        elif pragma.dialect == "HLS":
            _options(context, pragma, text)
            _values(context, pragma, text)
    _dialects(context)


# A pragma whose first word is nearly HLS, or that has none.
_RAW = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(\w+)(?:[ \t]+(\w+))?", re.MULTILINE)
_FOREIGN = {"HLS", "ACCEL", "AP", "ONCE", "PACK", "GCC", "CLANG", "OMP", "STDC", "MESSAGE", "WARNING", "REGION", "SDS"}


def _dialects(context: Context) -> None:
    """`#pragma HSL PIPELINE` and `#pragma PIPELINE II=1`: compilers skip what they do not know, without a word."""
    for path in context.program.sources:
        source = context.source(path)
        if source is None or "pragma" not in source.text:
            continue
        for match in _RAW.finditer(source.blanked):
            first, second = match.group(1), (match.group(2) or "").upper()
            if first.upper() in _FOREIGN:
                continue
            span = source.span(match.start(1), match.end(1))
            if second in HLS_OPTIONS and difflib.get_close_matches(first.upper(), ["HLS"], cutoff=0.5):
                fix = Fix("write HLS", (Edit(span, "HLS"),), safe=True)
                message = f"#pragma {first} is none that a tool reads: it is skipped without a word; write #pragma HLS"
                context.report(UNKNOWN_PRAGMA, message, path, span, fixes=(fix,))
            elif first in HLS_OPTIONS:  # in capitals: `#pragma unroll` belongs to other compilers
                fix = Fix(
                    "write HLS before it", (Edit(source.span(match.start(1), match.start(1)), "HLS "),), safe=True
                )
                message = f"#pragma {first} lacks the word HLS: it is skipped without a word"
                context.report(UNKNOWN_PRAGMA, message, path, span, fixes=(fix,))


def _unknown_kind(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    known = sorted(HLS_OPTIONS if pragma.dialect == "HLS" else ACCEL_KINDS)
    near = difflib.get_close_matches(pragma.kind, known, n=1, cutoff=0.75)
    span = text.kind_span()
    if not near:
        message = f"{pragma.dialect} pragma {pragma.kind} is none that hwml knows; the tool may ignore it"
        context.report(UNKNOWN_PRAGMA, message, pragma.path, span, severity="info")
        return
    written = text.source.slice(span) if text.source is not None and text.editable else pragma.kind
    better = near[0].lower() if written.islower() else near[0]
    fixes = text.replace(span, better, f"write {better}", safe=True)
    message = f"unknown pragma {written}: the tool ignores it; did you mean {better}?"
    context.report(UNKNOWN_PRAGMA, message, pragma.path, span, fixes=fixes)


def _options(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    known = HLS_OPTIONS[pragma.kind]
    for option in pragma.options:
        if option in known or (not pragma.options[option] and _is_variable(context, pragma, option)):
            continue
        near = difflib.get_close_matches(option, sorted(known), n=1, cutoff=0.7)
        if not near and pragma.kind not in CLOSED:
            continue
        span = text.word(rf"\b({re.escape(option)})\b")
        fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if near else ()
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
        message = f"{pragma.kind} has no option {option!r}: the tool ignores or refuses it; {hint}"
        context.report(UNKNOWN_OPTION, message, pragma.path, span, fixes=fixes)


def _is_variable(context: Context, pragma: ir.Pragma, word: str) -> bool:
    """`variable=a, b`: the second name is read as a flag. Names are kept in lower case there."""
    if pragma.kind not in VARIABLE_OPTION:
        return False
    function = function_of(context.program, pragma.owner)
    names = {*context.program.globals, *(function.variables if function is not None else ())}
    return word in {name.lower() for name in names}


def _values(context: Context, pragma: ir.Pragma, text: PragmaText) -> None:
    for (kind, option), smallest in NUMBERS.items():
        if kind != pragma.kind or option not in pragma.options:
            continue
        written = pragma.options[option]
        value = pragma.whole(option)
        span = text.value_span(option) if written else text.option_span(option)
        if not written:
            context.report(BAD_VALUE, f"{kind} {option}= needs a number", pragma.path, span)
        elif value is not None and value < smallest:
            message = f"{kind} {option}={written}: the smallest value is {smallest}"
            context.report(BAD_VALUE, message, pragma.path, span)
    for (kind, option), words in VALUES.items():
        written = pragma.options.get(option, "").lower()
        if kind != pragma.kind or not written or written in words or not _NAME.fullmatch(written):
            continue
        near = difflib.get_close_matches(written, sorted(words), n=1, cutoff=0.6)
        span = text.value_span(option)
        fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if near else ()
        message = f"{kind} {option}={written}: must be one of {', '.join(sorted(words))}"
        context.report(BAD_VALUE, message, pragma.path, span, fixes=fixes)
