"""What `BIND_OP` (UG1399) and the older `RESOURCE` (UG902) say about the operators that produce a variable.

An implementation other than the tool's own choice is part of the operator's kind: `mul@fabric`, `add@dsp`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..program import ir
from ..program.expressions import loops_inside

Binding = Mapping[str, str]  # operator kind -> implementation

# op= of BIND_OP to the kinds of `operators.operator`; s, f, d and h stand for the type.
_KINDS = {"add": "add", "sub": "add", "mul": "mul", "div": "div", "sqrt": "sqrt", "exp": "exp", "log": "log"}
# core= of RESOURCE to (kind, implementation).
_CORES = {
    "addsub": ("add", "fabric"), "addsub_dsp": ("add", "dsp"), "mul_lut": ("mul", "fabric"), "mul": ("mul", "dsp"),
    "dsp48": ("mul", "dsp"), "faddsub_nodsp": ("add", "fabric"), "faddsub_fulldsp": ("add", "fulldsp"),
    "daddsub_nodsp": ("add", "fabric"), "daddsub_fulldsp": ("add", "fulldsp"), "fmul_nodsp": ("mul", "fabric"),
    "fmul_meddsp": ("mul", "meddsp"), "fmul_fulldsp": ("mul", "fulldsp"), "fmul_maxdsp": ("mul", "maxdsp"),
    "dmul_nodsp": ("mul", "fabric"), "dmul_meddsp": ("mul", "meddsp"), "dmul_fulldsp": ("mul", "fulldsp"),
    "dmul_maxdsp": ("mul", "maxdsp"),
}  # fmt: skip


def bindings(function: ir.Function) -> dict[ir.Variable, dict[str, str]]:
    """Implementation by operator kind for each variable of a function that a pragma names."""
    found: dict[ir.Variable, dict[str, str]] = {}
    pragmas = [*function.pragmas, *(p for loop in loops_inside(function.body) for p in loop.pragmas)]
    for pragma in pragmas:
        if pragma.dialect != "HLS" or pragma.kind not in ("BIND_OP", "RESOURCE"):
            continue
        var = function.variables.get(pragma.options.get("variable", ""))
        said = _bind_op(pragma) if pragma.kind == "BIND_OP" else _CORES.get(pragma.options.get("core", "").lower())
        if var is not None and said is not None:
            found.setdefault(var, {})[said[0]] = said[1]
    return found


_PREFIX = {"float": "f", "double": "d", "half": "h"}


def operation_name(kind: str, type_: ir.CType) -> str:
    """`fadd` for a sum of floats, `mul` for an integer product, as reports name cores; "" for part of an address."""
    plain = kind.partition("@")[0].partition(":")[0]
    return "" if type_.name == "address" else _PREFIX.get(type_.kind, "") + plain


# What ALLOCATION names otherwise.
_SAME = {
    "sub": "add", "fsub": "fadd", "dsub": "dadd", "hsub": "hadd", "sdiv": "div", "udiv": "div", "srem": "mod",
    "urem": "mod", "icmp": "cmp",
}  # fmt: skip


def limits(function: ir.Function) -> dict[str, int]:
    """Most instances of an operation, or of `call f` for a function, that ALLOCATION allows in a function."""
    found: dict[str, int] = {}
    pragmas = [*function.pragmas, *(p for loop in loops_inside(function.body) for p in loop.pragmas)]
    for pragma in pragmas:
        options = pragma.options
        limit = pragma.whole("limit")
        if pragma.dialect != "HLS" or pragma.kind != "ALLOCATION" or limit is None or limit < 1:
            continue
        called = "function" in (options.get("type"), *options)
        for name in options.get("instances", "").replace(",", " ").split():
            what = f"call {name}" if called else _SAME.get(name.lower(), name.lower())
            found[what] = min(limit, found.get(what, limit))
    return found


def _bind_op(pragma: ir.Pragma) -> tuple[str, str] | None:
    op, impl = pragma.options.get("op", "").lower(), pragma.options.get("impl", "").lower()
    kind = _KINDS.get(op) or _KINDS.get(op[1:])
    if kind is None or impl in ("", "auto"):
        return None
    return kind, impl
