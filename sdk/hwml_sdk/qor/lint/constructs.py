"""C++ that hardware cannot be made of: streams by value, arrays of variable size, pointers to functions or pointers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...document import Edit, Fix, Span
from ..program import ir
from ..program.facts import declarations
from ..program.tops import choose_top
from .code import Code
from .context import Context, SourceText
from .rule import rule

STREAM_BY_VALUE = Code("HLS130", "error", "stream passed by value")
VARIABLE_SIZE = Code("HLS133", "error", "array of variable size")
FUNCTION_POINTER = Code("HLS134", "error", "pointer to a function")
POINTER_TO_POINTER = Code("HLS143", "error", "pointer to a pointer at the interface")


@rule(STREAM_BY_VALUE)
def streams(context: Context) -> None:
    """A stream has no copy: UG1399, "HLS Stream Library": pass it by reference."""
    for function in context.functions():
        for var in function.params:
            if var.type.kind != "stream" or var.type.pointer or var.dims:
                continue
            source = context.source(var.path)
            edit = () if source is None else (Edit(_at(var), "&"),)
            fixes = (Fix(f"pass {var.name} by reference", edit),) if edit else ()
            message = f"{var.name} is an hls::stream passed by value: there is no copy of a stream; write &{var.name}"
            context.report(STREAM_BY_VALUE, message, var.path, var.span, fixes=fixes)


def _at(var: ir.Variable) -> Span:
    return Span(var.span.start_line, var.span.start_character, var.span.start_line, var.span.start_character)


_EXTENT = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"[A-Za-z_]\w*")


@rule(VARIABLE_SIZE)
def variable_size(context: Context) -> None:
    """A local array whose extent is an argument or another variable."""
    for function in context.functions():
        if context.is_template(function) or "<" in function.name:
            continue  # a size that an argument of the template makes is a constant, also where it is not known here
        for item in declarations(function.body):
            var = item.var
            source = context.source(var.path)
            if None not in var.dims or source is None or var.type.pointer:
                continue
            text = source.slice(var.span)
            for name in (n for extent in _EXTENT.findall(text) for n in _NAME.findall(extent)):
                size = function.variables.get(name)
                if size is not None and not size.const and size not in context.facts.constants and not size.dims:
                    message = (
                        f"{var.name} has a size that is known only when {function.name} runs ({name}): hardware needs "
                        "a constant; declare the largest size"
                    )
                    context.report(VARIABLE_SIZE, message, var.path, var.span)
                    break


# `int (*f)(int)`, `int (*table[4])(int)`; not `return (*f)(x)`, a call.
_DECLARED = re.compile(r"\b([A-Za-z_][\w:]*)[\s*&]*\(\s*\*\s*(?:const\s+)?(\w+)\s*(?:\[\w*\]\s*)*\)\s*\(")
_NO_TYPE = {"return", "else", "case", "throw", "sizeof", "if", "while", "for", "switch"}


@rule(FUNCTION_POINTER)
def function_pointers(context: Context) -> None:
    """Pointers to functions, as parameters, locals, tables and by a typedef."""
    sources = filter(None, map(context.source, context.program.sources))
    named = sorted({name for source in sources for name in _typedefs(source)})
    for function in context.functions():
        source = context.source(function.path)
        if source is None:
            continue
        start = source.index(function.span.start_line, function.span.start_character)
        end = source.index(function.span.end_line, function.span.end_character)
        text = source.blanked[start:end]
        for match in _DECLARED.finditer(text):
            if match.group(1) not in _NO_TYPE:
                span = source.span(start + match.start(2), start + match.end(2))
                _report_pointer(context, function, match.group(2), span)
        for name in named:
            for match in re.finditer(rf"\b{name}\s+(?:const\s+)?(\w+)\s*[=;,)\[]", text):
                _report_pointer(
                    context, function, match.group(1), source.span(start + match.start(1), start + match.end(1))
                )


def _report_pointer(context: Context, function: ir.Function, name: str, span: Span) -> None:
    message = f"{name} in {function.name} points to a function: which one is called must be known; use a switch"
    context.report(FUNCTION_POINTER, message, function.path, span)


_TYPEDEF = re.compile(
    r"\btypedef\s+[\w:\s*&]+\(\s*\*\s*(\w+)\s*\)\s*\(|\busing\s+(\w+)\s*=\s*[\w:\s*&]+\(\s*\*\s*\)\s*\("
)


def _typedefs(source: SourceText) -> Iterator[str]:
    if "(*" in source.text or "( *" in source.text:
        for match in _TYPEDEF.finditer(source.blanked):
            yield match.group(1) or match.group(2)


@rule(POINTER_TO_POINTER)
def pointers_to_pointers(context: Context) -> None:
    """UG1399, "Pointers on the Interface": a pointer at the top's interface must not lead to another pointer."""
    if not context.program.functions or not context.facts.hardware:
        return
    asked = context.settings.hls.top if context.settings is not None else ""
    top = choose_top(context.program, asked if asked in context.program.functions else None)
    if top.name not in context.facts.hardware:
        return
    for var in top.params:
        if var.type.pointer + bool(var.dims) > 1 and var.type.kind != "stream" and _is_double(context, var):
            message = f"{var.name} of {top.name} is a pointer to pointers: the interface has no such port; use an array"
            context.report(POINTER_TO_POINTER, message, var.path, var.span)


def _is_double(context: Context, var: ir.Variable) -> bool:
    """Two `*`, or `*` and an extent: a reference to an array or to a pointer is none."""
    source = context.source(var.path)
    if source is None:
        return False
    text = source.slice(var.span)
    before = source.text[: source.index(var.span.start_line, var.span.start_character)]
    tail = re.search(r"[*\s]*\Z", before)
    stars = text.count("*") + (tail.group().count("*") if tail else 0)
    return "&" not in text and "(" not in text and stars + bool(var.dims) > 1
