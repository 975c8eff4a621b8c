"""The variables that pragmas name."""

from __future__ import annotations

import difflib
import re

from ...document import Related, Severity
from ..pragmas.table import VARIABLE_OPTION
from ..program import ir
from ..program.facts import function_of
from .code import Code
from .context import Context
from .rule import rule

UNDECLARED = Code("HLS109", "error", "unknown variable")
ABOVE_DECLARATION = Code("HLS110", "error", "pragma above the declaration")


_NAME = re.compile(r"[A-Za-z_]\w*")


@rule(UNDECLARED, ABOVE_DECLARATION)
def variable(context: Context) -> None:
    """A name that is nowhere declared, and a pragma above the declaration it speaks about."""
    for pragma in context.program.pragmas:
        option = VARIABLE_OPTION.get(pragma.kind)
        function = function_of(context.program, pragma.owner)
        if pragma.dialect != "HLS" or option is None or function is None or "::" in function.name:
            continue
        written = pragma.options.get(option, "").strip("&* ")
        match = _NAME.match(written)
        if match is None or written.startswith("this") or (option == "port" and written.lower() == "return"):
            continue
        name = match.group()
        var = function.variables.get(name) or context.program.globals.get(name)
        if var is None:
            _undeclared(context, pragma, option, name, function)
        elif var.scope == "local" and not pragma.from_file and _above(pragma, var) and not _also_earlier(context, var):
            related = Related(f"{name} is declared here", var.span, var.path)
            message = f"{pragma.kind} stands above the declaration of {name}: the tool does not know the name yet"
            span = context.text(pragma).value_span(option)
            context.report(ABOVE_DECLARATION, message, pragma.path, span, related=(related,))


def _undeclared(context: Context, pragma: ir.Pragma, option: str, name: str, function: ir.Function) -> None:
    if name in function.template_params or (context.program.missing_headers and name.isupper()):
        return
    candidates = [p.name for p in function.params] if option == "port" else [*function.variables]
    candidates += [] if option == "port" else [*context.program.globals]
    near = difflib.get_close_matches(name, candidates, n=2, cutoff=0.6)
    text = context.text(pragma)
    span = text.value_span(option)
    fixes = text.replace(span, near[0], f"write {near[0]}", safe=True) if len(near) == 1 else ()
    what = "parameter" if option == "port" else "variable"
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    message = f"{pragma.kind}: there is no {what} {name!r} in {function.name}{hint}"
    severity: Severity = "warning" if pragma.from_file else "error"
    context.report(UNDECLARED, message, pragma.path, span, severity=severity, fixes=fixes)


def _above(pragma: ir.Pragma, var: ir.Variable) -> bool:
    return pragma.path == var.path and pragma.span < var.span


def _also_earlier(context: Context, var: ir.Variable) -> bool:
    return var.name in context.program.globals
