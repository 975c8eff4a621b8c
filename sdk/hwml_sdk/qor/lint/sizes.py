"""Pragmas whose size matters: registers by the thousand, depths that the simulation asks for."""

from __future__ import annotations

import math
import re

from ...document import Edit, Fix, Related
from ..program import ir
from ..program.facts import function_of
from .code import Code
from .context import Context, is_on
from .partitions import array_of, partition_style
from .rule import rule

NO_DEPTH = Code("HLS141", "info", "m_axi pointer without a depth")
TOO_MANY_REGISTERS = Code("HLS142", "warning", "complete partition of a large array")

# From this many elements on Vitis HLS warns by itself that a complete partition takes long (UG1399, ARRAY_PARTITION).
MAX_ELEMENTS = 1024
_LINKED = re.compile(r"\bextern\s+\"C\"")


@rule(NO_DEPTH)
def depths(context: Context) -> None:
    """C/RTL co-simulation copies `depth` elements of a pointer; kernels that v++ links are not co-simulated."""
    for function in context.functions():
        for pragma in function.pragmas:
            mode = pragma.options.get("mode", "m_axi" if "m_axi" in pragma.options else "").lower()
            if pragma.kind != "INTERFACE" or mode != "m_axi" or "depth" in pragma.options or pragma.from_file:
                continue
            name = pragma.options.get("port", "")
            var = next((p for p in function.params if p.name == name), None)
            if var is None or (var.dims and None not in var.dims) or not (var.type.pointer or var.dims):
                continue
            if _LINKED.search(context.program.sources.get(pragma.path, "")) or context.is_called(function.name):
                continue
            message = f"{name} is a pointer on m_axi without depth=: C/RTL co-simulation does not know how much to copy"
            context.report(NO_DEPTH, message, pragma.path, pragma.span)


@rule(TOO_MANY_REGISTERS)
def registers(context: Context) -> None:
    """A complete partition of thousands of elements: as many registers, and multiplexers as wide."""
    for pragma in context.program.pragmas:
        if pragma.dialect != "HLS" or pragma.kind != "ARRAY_PARTITION" or not is_on(pragma):
            continue
        function = function_of(context.program, pragma.owner)
        var = array_of(context, pragma, function) if function is not None else None
        if var is None or function is None or partition_style(pragma) != "complete" or context.is_template(function):
            continue
        dim = pragma.whole("dim") if "dim" in pragma.options else 1
        known = [extent for extent in var.dims if extent is not None]
        if dim is None or dim > len(var.dims) or len(known) != len(var.dims):
            continue
        parts = math.prod(known) if dim == 0 else known[dim - 1]
        if parts > MAX_ELEMENTS:
            _report(context, pragma, var, (dim, parts))


def _report(context: Context, pragma: ir.Pragma, var: ir.Variable, numbers: tuple[int, int]) -> None:
    dim, parts = numbers
    what = "registers" if dim == 0 or len(var.dims) == 1 else "memories"
    message = f"{var.name} becomes {parts:,} {what}: synthesis takes hours, and each access a {parts:,}-way multiplexer"
    related = (Related(f"{var.name} is declared here", var.span, var.path),)
    text = context.text(pragma)
    fixes: tuple[Fix, ...] = ()
    if text.editable and pragma.options.get("variable"):
        new = f"#pragma HLS ARRAY_PARTITION variable={var.name} type=cyclic factor=8 dim={dim or 1}"
        fixes = (Fix("partition cyclic by 8", (Edit(pragma.span, new),)),)
    context.report(TOO_MANY_REGISTERS, message, pragma.path, pragma.span, fixes=fixes, related=related)
