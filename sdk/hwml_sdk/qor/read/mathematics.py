"""Functions of math.h that compute in double whatever they are given.

`exp(x)` of a float is C's own exp, of double, where nothing brings in C++'s overloads: in C, and in C++ that includes
<cmath> and names no namespace (ISO C++, [c.math]; labels of forgehls-kernels: 26 DSPs of such an `exp`, 7 of
`std::exp`). An integer among the arguments is a double for std's functions as well. Roots and roundings of floats are
those of float all the same: LLVM shrinks them, as the result cannot differ.
"""

from __future__ import annotations

import re

from ..program import ir
from ..program.typenames import DOUBLE
from .reader import Reader

_SHRUNK = frozenset({"sqrt", "floor", "ceil", "round", "rint", "trunc", "nearbyint"})
_OF_DOUBLE = _SHRUNK | frozenset({
    "exp", "log", "pow", "sin", "cos", "tan", "atan", "atan2", "sinh", "cosh", "tanh", "asin", "acos", "asinh",
    "acosh", "atanh", "log2", "log10", "log1p", "exp2", "expm1", "cbrt", "fmod", "remainder", "erf", "erfc", "hypot",
})  # fmt: skip
_WHOLE = frozenset({
    "int", "unsigned", "unsigned int", "short", "unsigned short", "long", "unsigned long", "long long", "char",
    "unsigned long long", "unsigned char", "signed char", "int8_t", "int16_t", "int32_t", "int64_t", "uint8_t",
    "uint16_t", "uint32_t", "uint64_t",
})  # fmt: skip
# Of a file, which stand at the beginning of a line; of a function, anywhere in it. Group 1: a single name.
_OF_FILE = re.compile(r"^using\s+(?:namespace\s+std\b|std::(\w+))", re.MULTILINE)
_OF_FUNCTION = re.compile(r"\busing\s+(?:namespace\s+std\b|std::(\w+))")
EVERYTHING = "*"


def in_double(reader: Reader, name: str, args: tuple[ir.Expr, ...]) -> tuple[ir.Expr, ...]:
    """The arguments as the function takes them."""
    scope, _, plain = name.rpartition("::")
    own = name in reader.program.functions or name in reader.program.declared
    if plain not in _OF_DOUBLE or scope not in ("", "std") or own:
        return args
    kinds = [reader.type_of_value(argument).kind for argument in args]
    whole = any(reader.type_of_value(argument).name in _WHOLE for argument in args)
    floats = all(kind == "float" for kind in kinds)
    if whole and all(kind in ("float", "double", "int", "uint") for kind in kinds):
        return tuple(ir.Cast(DOUBLE, argument) for argument in args)
    if not scope and floats and plain not in _SHRUNK and _is_c(reader, plain):
        return tuple(ir.Cast(DOUBLE, argument) for argument in args)
    return args


def _is_c(reader: Reader, name: str) -> bool:
    """Whether a name without a namespace is C's own function."""
    if reader.unit.files[0].path.endswith(".c"):
        return True
    whole = _brought_in(reader, (0, len(reader.unit.text)), _OF_FILE)
    if "cmath" not in reader.unit.missing_headers or not {name, EVERYTHING}.isdisjoint(whole):
        return False
    return {name, EVERYTHING}.isdisjoint(_brought_in(reader, reader.body, _OF_FUNCTION))


def _brought_in(reader: Reader, place: tuple[int, int], pattern: re.Pattern[str]) -> frozenset[str]:
    """Names of std that a part of the unit's text makes plain ones; found once for each part."""
    known = reader.plain_names.get(place)
    if known is None:
        text = reader.unit.text[max(place[0], 0) : max(place[1], 0)]
        found = {match.group(1) or EVERYTHING for match in pattern.finditer(text)}
        if pattern is _OF_FILE and any(map(_has_overloads, reader.unit.missing_headers)):
            found.add(EVERYTHING)
        known = reader.plain_names[place] = frozenset(found)
    return known


def _has_overloads(header: str) -> bool:
    """Whether a header makes the overloads plain names: math.h of C++, hls_math.h, complex."""
    return header == "complex" or ("math" in header and header.endswith(".h"))
