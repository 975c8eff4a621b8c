"""Partitions and reshapes of arrays against their extents."""

from __future__ import annotations

import re

from ...document import Related
from ..program import ir
from ..program.facts import function_of
from .code import Code
from .context import SPLITS, Context, PragmaText, is_on
from .rule import rule

NO_DIMENSION = Code("HLS111", "error", "dimension out of range")
NO_FACTOR = Code("HLS112", "error", "block or cyclic partition without a factor")
FACTOR_OVER = Code("HLS113", "warning", "partition factor over the extent")
FACTOR_UNEVEN = Code("HLS114", "info", "partition factor does not divide the extent")
FACTOR_UNUSED = Code("HLS115", "info", "factor of a complete partition")


_NAME = re.compile(r"[A-Za-z_]\w*")


@rule(NO_DIMENSION, NO_FACTOR, FACTOR_OVER, FACTOR_UNEVEN, FACTOR_UNUSED)
def partition(context: Context) -> None:
    """A dimension or a factor that the array has no room for, that is missing, or that says nothing."""
    for pragma in context.program.pragmas:
        if pragma.dialect != "HLS" or pragma.kind not in SPLITS or not is_on(pragma):
            continue
        function = function_of(context.program, pragma.owner)
        if function is None:
            continue
        text = context.text(pragma)
        style = partition_style(pragma)
        factor_text = pragma.options.get("factor", "")
        if style in ("block", "cyclic") and "factor" not in pragma.options:
            message = f"{pragma.kind} type {style} needs factor=: the number of smaller arrays"
            context.report(NO_FACTOR, message, pragma.path, text.kind_span())
        elif style == "complete" and factor_text and "factor" in pragma.options:
            fixes = text.remove_option("factor", "remove the factor")
            message = f"{pragma.kind} complete takes no factor: factor={factor_text} is ignored"
            context.report(FACTOR_UNUSED, message, pragma.path, text.option_span("factor"), fixes=fixes)
        _extent(context, pragma, text, function, style)


def partition_style(pragma: ir.Pragma) -> str:
    """block, cyclic or complete; what stands alone counts as well as `type=`."""
    written = pragma.options.get("type", "").lower()
    for style in ("block", "cyclic", "complete"):
        if style in (written, style if style in pragma.options else ""):
            return style
    return written or "complete"


def _extent(context: Context, pragma: ir.Pragma, text: PragmaText, function: ir.Function, style: str) -> None:
    var = array_of(context, pragma, function)
    if var is None or context.is_template(function):
        return
    dim = pragma.whole("dim") if "dim" in pragma.options else 1
    if dim is None:
        return
    if dim > len(var.dims):
        what = f"{len(var.dims)} dimension{'s' if len(var.dims) > 1 else ''}"
        message = f"{pragma.kind} dim={dim}: {var.name} has {what}"
        related = Related(f"{var.name} is declared here", var.span, var.path)
        context.report(NO_DIMENSION, message, pragma.path, text.option_span("dim"), related=(related,))
        return
    factor = pragma.whole("factor")
    if style not in ("block", "cyclic") or factor is None or factor < 1:
        return
    dims = range(len(var.dims)) if dim == 0 else (dim - 1,)
    for index in dims:
        extent = var.dims[index]
        if extent is not None and not _fits(context, pragma, text, var, (index, extent, factor)):
            return


def _fits(
    context: Context, pragma: ir.Pragma, text: PragmaText, var: ir.Variable, numbers: tuple[int, int, int]
) -> bool:
    index, extent, factor = numbers
    span = text.value_span("factor")
    where = f"dimension {index + 1} of {var.name}" if len(var.dims) > 1 else var.name
    related = (Related(f"{var.name} is declared here", var.span, var.path),)
    if factor > extent:
        message = f"factor {factor} is over the {extent} elements of {where}"
        context.report(FACTOR_OVER, message, pragma.path, span, related=related)
        return False
    if extent % factor:
        message = f"factor {factor} does not divide the {extent} elements of {where}: the parts differ in size"
        context.report(FACTOR_UNEVEN, message, pragma.path, span, related=related)
        return False
    return True


def array_of(context: Context, pragma: ir.Pragma, function: ir.Function) -> ir.Variable | None:
    """The array a partition names, when it is one array and no member, and its name stands for one thing only."""
    written = pragma.options.get("variable", "")
    if not _NAME.fullmatch(written):
        return None
    var = function.variables.get(written) or context.program.globals.get(written)
    if var is None or not var.dims or var.type.pointer or context.declared_twice(function, written):
        return None
    return var
