"""Functions and methods of the language's and the tool's libraries: what becomes of a call of each in hardware.

What is in none of these tables, and has no body among the sources, is not known (`closed_form.unknown`).
"""

from __future__ import annotations

from collections.abc import Container

# UG1399, "System Calls": what only displays data and has no impact on the algorithm is ignored (printf, fprintf).
# assert and static_assert state what holds (UG1399, "Assertions"); __builtin_* hints are LLVM's own and leave no code.
IGNORED = frozenset({
    "printf", "fprintf", "puts", "putchar", "fputs", "perror", "fflush", "assert", "static_assert", "abort", "exit",
    "atexit", "__builtin_assume", "__builtin_expect", "__builtin_unreachable", "__builtin_prefetch",
    "__builtin_assume_aligned", "__assert_fail", "setw", "setfill", "setprecision",
})  # fmt: skip
# Output streams, which show data only like printf.
DISPLAYS = frozenset({"cout", "cerr", "clog", "endl", "flush", "hex", "dec", "oct"})

# Nothing behind one of them starts before what stands in front of it is done (UG1399, "HLS Fence Library"), or so many
# cycles later (UG1399, "HLS protocol": `ap_wait()`, `ap_wait_n(n)`).
FENCES = frozenset({"fence"})
WAITS = frozenset({"ap_wait", "ap_wait_n"})

# Functions that hand on what they are given or look at bits of it: std::forward (ISO C++), casts, signs and exponents.
_WIRES = frozenset({
    "forward", "addressof", "as_const", "cref", "bit_cast", "launder", "make_pair", "make_tuple", "to_address", "isnan",
    "isinf", "signbit", "isfinite", "conj", "declval", "__builtin_constant_p", "x_real", "x_imag", "x_conj",
})  # fmt: skip

# Functions of math.h and stdlib.h (ISO C), also in their forms for float and long double (`sinf`, `sinl`), to the cores
# of `operators.operator`. Where no core of its own is known, the nearest one stands for a function: `trig` for all of
# trigonometry, `sqrt` for `hypot`.
_MATH_H = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "pow": "pow", "sin": "trig", "cos": "trig", "tan": "trig",
    "atan": "trig", "atan2": "trig", "sinh": "trig", "cosh": "trig", "tanh": "tanh", "asin": "trig", "acos": "trig",
    "asinh": "trig", "acosh": "trig", "atanh": "trig", "fabs": "logic", "fmin": "minmax", "fmax": "minmax",
    "log2": "log", "log10": "log", "log1p": "log", "exp2": "exp", "expm1": "exp", "cbrt": "exp", "floor": "convert",
    "ceil": "convert", "round": "convert", "rint": "convert", "trunc": "convert", "nearbyint": "convert",
    "lround": "convert", "lrint": "convert", "fmod": "div", "remainder": "div", "erf": "exp", "erfc": "exp",
    "hypot": "sqrt", "copysign": "logic", "fdim": "add", "fma": "fma", "ldexp": "add",
}  # fmt: skip
# What hls_math.h (UG1399, "HLS Math Library") and the standard library have beside it.
_MORE = {
    "abs": "abs", "labs": "abs", "min": "minmax", "max": "minmax", "sinpi": "trig", "cospi": "trig", "exp10": "exp",
    "sincos": "trig", "rsqrt": "sqrt", "half_sqrt": "sqrt",
    # A value a cycle later, out of a register: sources define `reg` for simulation only (`#ifndef __SYNTHESIS__`), as a
    # function of a pipeline whose port is registered.
    "reg": "register",
}  # fmt: skip
_FLOAT_FORMS = frozenset({*_MATH_H, "sinpi", "cospi", "exp10", "rsqrt", "sincos"})
# Names that programs give to functions of their own: of the libraries only where their namespace is written.
_QUALIFIED = {
    "recip": "div", "divide": "div", "mad": "fma", "select": "select", "bitselect": "select", "mul": "mul",
    "add": "add", "sub": "add", "div": "div",
}  # fmt: skip
_QUALIFIED_WIRES = frozenset({"move", "ref", "get", "real", "imag"})
# All names by what has to stand before them.
PLAIN_NAMES = frozenset({*_WIRES, *_MATH_H, *_MORE})
QUALIFIED_NAMES = frozenset({*_QUALIFIED, *_QUALIFIED_WIRES})
_LIBRARIES = ("hls", "std")


def core_of(name: str, declared: Container[str]) -> str | None:
    """The core, or "wire", that a library function becomes; None where nobody knows, as the name is not a library's.

    declared: names that the program declares functions of, which are its own unless ISO C reserves them.
    """
    scope, _, plain = name.rpartition("::")
    scopes = [part for part in scope.split("::") if part]
    if scopes and scopes[0] not in _LIBRARIES:
        return None
    plain = plain if plain in _MATH_H or plain in _MORE or plain[:-1] not in _FLOAT_FORMS else _base(plain)
    if plain in _MATH_H:
        return _MATH_H[plain]
    if not scopes and plain in declared:
        return None
    if plain in _WIRES or (scopes and plain in _QUALIFIED_WIRES):
        return "wire"
    return _MORE.get(plain) or (_QUALIFIED.get(plain) if scopes else None)


def _base(plain: str) -> str:
    """`sin` of `sinf` and `sinl`."""
    return plain[:-1] if plain[-1:] in ("f", "l") else plain


# Methods of ap_int, ap_fixed and half (UG1399, "C++ Arbitrary Precision Integer Types"): which bits are meant is known
# or chosen by a shift; conversions to C types keep or drop bits.
SCALAR_WIRES = frozenset({
    "range", "slice", "bit", "get_bit", "set_bit", "set_bit_fast", "get_bit_fast", "test", "set", "clear", "concat",
    "reverse", "sign", "length", "iswrap", "invert", "b_not", "get", "to_int", "to_uint", "to_int64", "to_uint64",
    "to_long", "to_ulong", "to_bool", "to_char", "to_uchar", "to_short", "to_ushort", "to_float", "to_double",
    "to_half", "to_ap_int", "to_ap_int_base", "is_neg", "is_zero", "get_half", "set_bits", "get_bits", "V", "wl",
    "iwl", "getNeg", "setBits", "getBits", "to_string", "overflow", "slc", "set_slc",
})  # fmt: skip
REDUCTIONS = frozenset({"and_reduce", "or_reduce", "xor_reduce", "nand_reduce", "nor_reduce", "xnor_reduce"})
ROTATIONS = frozenset({"lrotate", "rrotate", "rotate"})
COUNTS = frozenset({"countLeadingZeros", "popcount", "clz", "ctz", "__builtin_popcount", "__builtin_clz",
                    "__builtin_ctz", "__builtin_popcountll", "__builtin_clzll", "__builtin_ctzll"})  # fmt: skip

# Methods of hls::stream (UG1399, "HLS Stream Library"): transfers take an element, the rest look at the FIFO's state.
TRANSFERS = ("read", "write", "read_nb", "write_nb", "read_dep", "write_dep")
# `valid` and `ready` look at the handshake of a port (UG1399, "Direct I/O").
STREAM_STATES = ("empty", "full", "size", "capacity", "set_name", "valid", "ready")
# Methods of hls::burst_maxi (UG1399, "Manual Burst") beside its transfers.
READ_REQUESTS = ("read_request", "read_request_unaligned")
WRITE_REQUESTS = ("write_request", "write_request_unaligned")
RESPONSE = "write_response"
LOCKS = ("read_lock", "write_lock")  # a block of a stream of blocks is waited for; what is done with it is an array's
# Methods of hls::vector (UG1399, "Vector Data Types") and of std::array: lanes of a word, or all of them put together.
VECTOR_WIRES = frozenset({"get", "set", "data", "front", "back", "at", "begin", "end", "size", "fill", "swap"})
VECTOR_SUMS = {"reduce_add": "add", "reduce_mult": "mul", "reduce_and": "logic", "reduce_or": "logic",
               "reduce_xor": "logic"}  # fmt: skip
