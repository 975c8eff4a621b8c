"""C's arithmetic: literals, operators, precedence in texts, and what arithmetic makes of types.

Right is the C++ standard: integer division goes towards zero ([expr.mul]), levels are those of [expr.mul] to
[expr.log.or], a value that is not known stays unknown unless the other side decides.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest

from hwml_sdk.qor.program.constant_text import evaluate_text
from hwml_sdk.qor.program.ir import CType
from hwml_sdk.qor.program.numbers import binary, literal, unary
from hwml_sdk.qor.program.sizes import MAX_BYTES, byte_size, total_bits
from hwml_sdk.qor.program.typenames import join, parse_type, split_template

LITERALS = {
    "0": 0, "7": 7, "00": 0, "017": 15, "10": 10, "0x1F": 31, "0XaU": 10, "0b101": 5, "0B11L": 3, "1'000": 1000,
    "0x1'0": 16, "12uL": 12, "12ull": 12, "3LU": 3, "1.5f": 1.5, "1e3": 1000.0, "1E-2": 0.01, ".5": 0.5, "2.": 2.0,
    "0.0": 0.0, "2.5F": 2.5, "1.5h": 1.5, "1.25L": 1.25, "0x10ul": 16, "0b1u": 1, "7l": 7,
    "'a'": 97, "'0'": 48, "' '": 32, "'\\n'": 10, "'\\t'": 9, "'\\0'": 0, "'\\r'": 13, "'\\\\'": 92,
    "-3": -3, "+4": 4, "- 3": -3, "-0x10": -16, "-1.5": -1.5,
    "1e999": None, "abc": None, "": None, "'ab'": None, "09": None, "0x": None, "0b2": None, "1.2.3": None,
    "-x": None,
}  # fmt: skip


@pytest.mark.parametrize("text", LITERALS)
def test_literals(text: str) -> None:
    found = literal(text)
    assert (found, type(found)) == (LITERALS[text], type(LITERALS[text]))


def test_unary_operators() -> None:
    assert [unary(op, 5) for op in "-+!~"] == [-5, 5, 0, -6]
    assert [unary(op, 0) for op in "-+!~"] == [0, 0, 1, -1]
    assert [unary("!", 0.0), unary("~", 2.0), unary("-", 2.5), unary("*", 2), unary("-", None)] == [
        1, -3, -2.5, None, None
    ]  # fmt: skip


def test_division_goes_towards_zero() -> None:
    for left, right in product(range(-9, 10), (-4, -3, -1, 1, 2, 5)):
        quotient = math.trunc(Fraction(left, right))
        assert (binary("/", left, right), binary("%", left, right)) == (quotient, left - quotient * right)
    assert [binary(op, 7, 0) for op in "/%"] == [None, None]
    assert [binary("/", 7.5, 2), binary("/", 7, 2.0), binary("%", 7.5, 2), binary("%", -7.5, 2)] == [
        3.75, 3.5, 1.5, -1.5
    ]  # fmt: skip
    assert [binary("/", 7.5, 0), binary("%", 7, 0.0)] == [None, None]


# op -> its value for (6, 3), (3, 6), (5, 5), (0, 2), (2, 0).
OPERATORS: dict[str, tuple[int | None, ...]] = {
    "+": (9, 9, 10, 2, 2), "-": (3, -3, 0, -2, 2), "*": (18, 18, 25, 0, 0), "/": (2, 0, 1, 0, None),
    "%": (0, 3, 0, 0, None), "<": (0, 1, 0, 1, 0), ">": (1, 0, 0, 0, 1), "<=": (0, 1, 1, 1, 0), ">=": (1, 0, 1, 0, 1),
    "==": (0, 0, 1, 0, 0), "!=": (1, 1, 0, 1, 1), "&&": (1, 1, 1, 0, 0), "||": (1, 1, 1, 1, 1),
    "&": (2, 2, 5, 0, 0), "|": (7, 7, 5, 2, 2), "^": (5, 5, 0, 2, 2), "<<": (48, 192, 160, 0, 2),
    ">>": (0, 0, 0, 0, 2),
    ",": (None,) * 5,
}  # fmt: skip


@pytest.mark.parametrize("op", OPERATORS)
def test_binary_operators(op: str) -> None:
    assert tuple(binary(op, *pair) for pair in ((6, 3), (3, 6), (5, 5), (0, 2), (2, 0))) == OPERATORS[op]
    assert type(binary(op, 6, 3)) in (int, type(None))


def test_or_of_nothing() -> None:
    assert (binary("||", 0, 0), binary("&&", 3, 2.5), binary(">>", 12, 2), binary(">>", -8, 1)) == (0, 1, 3, -4)


@pytest.mark.parametrize("op", OPERATORS)
def test_operands_that_are_not_known(op: str) -> None:
    """Nothing, but 0 && x and 0 * x."""
    decided = 0 if op in ("&&", "*") else None
    assert [binary(op, 0, None), binary(op, None, 0)] == [decided, decided]
    assert [binary(op, 3, None), binary(op, None, 3), binary(op, None, None)] == [None, None, None]


def test_results_out_of_reach() -> None:
    assert [binary("*", 1e200, 1e200), binary("<<", 1, -1), binary("<<", 1, 257), binary(">>", 1, -1)] == [None] * 4
    assert [binary("<<", 1, 256), binary("<<", 3, 0), binary("&", 6.9, 3), binary("|", 4, 1.5)] == [2**256, 3, 2, 5]
    assert binary("+", 10**400, 0.5) is None


# -- texts ---------------------------------------------------------------------------------------------------

STANDARD_LEVELS = ["* / %", "+ -", "<< >>", "< > <= >=", "== !=", "&", "^", "|", "&&", "||"]  # the tightest first
LEVELS = {op: level for level, ops in enumerate(STANDARD_LEVELS) for op in ops.split()}
TRIPLES = ((7, 3, 2), (1, 2, 3), (2, 1, 1), (0, 2, 2), (4, 1, 0), (0, 0, 1), (1, 1, 0), (2, 2, 2), (12, 10, 9))


@pytest.mark.parametrize("first", LEVELS)
def test_precedence_of_every_pair(first: str) -> None:
    """`a op b op c`: the left pair first, unless the second operator is of a tighter level."""
    for second, (a, b, c) in product(LEVELS, TRIPLES):
        if LEVELS[second] < LEVELS[first]:
            right = binary(first, a, binary(second, b, c))
        else:
            right = binary(second, binary(first, a, b), c)
        assert evaluate_text(f"{a} {first} {b}{second}{c}", lambda _: None) == right, (first, second, a, b, c)


KNOWN = {"N": 6, "a::b": 4, "_x1": 9, "F": 2.5, "length": 2, "u": 7, "f": 3}
TEXTS = {
    "N": 6, "a::b + 1": 5, "_x1*2": 18, "-N": -6, "- -N": 6, "!N": 0, "~N": -7, "+N": 6, "-2 * -3": 6, "!0 + !!5": 2,
    "(N)": 6, "((N + 1)) * 2": 14, "(int)F": 2, "(int)F * 2": 4, "(size_t)N": 6, "(long)(F + 1)": 3,
    "(unsigned)3.7": 3,
    "(short)-2.5": -2, "(char)1": 1, "(uint32_t)F": 2, "(int32_t)F": 2, "(uint64_t)F": 2, "(int64_t)F": 2,
    "(float)F": None, "(int)": None, "(int)M": None, "N ? 3 : 4": 3, "0 ? 3 : 4": 4, "0 ? 3 : 0 ? 5 : 6": 6,
    "1 ? 0 : 1 ? 8 : 9": 0, "1 ? 1 ? 0 : 7 : 8": 0,

    "1 ? 0 ? 7 : 8 : 9": 8, "N > 5 ? N : M": 6, "M ? 1 : 2": None, "1 + (2 ? 3 : 4)": 4, "1 < 2 ? 3 : 4": 3,
    "1 ? 2 : 3 + 4": 2, "0 ? 2 : 3 + 4": 7, "(1 ? 2 : 3) ? 4 : 5": 4, "0 ? 1, 2 : 3": None,
    "M": None, "M * 0": 0, "0 * M": 0, "0 && M": 0, "M + 1": None, "f(3)": None, "-f(3)": None, "f(3) * 0": 0,
    "f(g(2), (3)) * 0 + 7": 7,
    "0 * f() + N": 6, "0 * f(1 + (2)) + 1": 1, "f(": None, "f(1": None, "0 * f(1))": None,
    "": None, "1 +": None, "(1": None, "1)": None, "1 2": None, "1 ? 2": None, "1 ? 2 3": None, "1 ? 2 : ": None,
    "@": None, "1 $ 2": None, "()": None, "1 + + 2": 3, "2 - -2": 4, "1'0 + 1": 11, "0x10 | 1": 17, "1u + 2UL": 3,
    "'a' + 1": 98, "'\\n'": 10, "1.5 + .5": 2.0, "1e2": 100.0, "2.e1": 20.0, "3.f": 3.0, "  7  ": 7, "1\n+ 1": 2,
    "1 , 2": None, "1 ?: 2": None, "0b11 + 0B1": 4,
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    found = evaluate_text(text, KNOWN.get)
    assert (found, type(found)) == (TEXTS[text], type(TEXTS[text]))


def test_texts_of_any_depth() -> None:
    """A million brackets are an answer too: none."""
    assert evaluate_text("(" * 20 + "3" + ")" * 20, KNOWN.get) == 3
    assert evaluate_text("(" * 100_000 + "3" + ")" * 100_000, KNOWN.get) is None


# -- types ---------------------------------------------------------------------------------------------------

TEMPLATES = {
    "ap_int": ("ap_int", []), " ap_int<8> ": ("ap_int", ["8"]), "ap_fixed<16, 8>": ("ap_fixed", ["16", "8"]),
    "A<B<1, 2>, 3>": ("A", ["B<1, 2>", "3"]), "A<(1, 2), f(3, 4)>": ("A", ["(1, 2)", "f(3, 4)"]),
    "n::A <T>::type": ("n::A", ["T"]), "A<1": ("A", ["1"]), "A<>": ("A", [""]),
    "A<B<C<int>>, D>": ("A", ["B<C<int>>", "D"]),
}  # fmt: skip


@pytest.mark.parametrize("text", TEMPLATES)
def test_template_arguments(text: str) -> None:
    assert split_template(text) == TEMPLATES[text]


def kind(text: str) -> CType:
    """A type from its text; `row` is a name that stands for int."""
    names = {"row": CType("int", 32), "ns::tag": CType("uint", 3)}
    return parse_type(text, names.get, lambda value: evaluate_text(value, KNOWN.get))


# Text -> kind, bits, whole bits, lanes.
KINDS = {
    "void": ("void", 0, 0, 1), "bool": ("bool", 1, 0, 1), "_Bool": ("bool", 1, 0, 1), "float": ("float", 32, 0, 1),
    "double": ("double", 64, 0, 1), "long double": ("double", 64, 0, 1), "half": ("half", 16, 0, 1),
    "char": ("int", 8, 0, 1), "signed char": ("int", 8, 0, 1), "unsigned char": ("uint", 8, 0, 1),
    "uchar": ("uint", 8, 0, 1), "ushort": ("uint", 16, 0, 1), "uint": ("uint", 32, 0, 1), "ulong": ("uint", 64, 0, 1),
    "size_t": ("uint", 64, 0, 1), "ssize_t": ("int", 64, 0, 1), "ptrdiff_t": ("int", 64, 0, 1),
    "uintptr_t": ("uint", 64, 0, 1), "auto": ("unknown", 32, 0, 1), "int8_t": ("int", 8, 0, 1),
    "uint_least16_t": ("uint", 16, 0, 1), "int_fast64_t": ("int", 64, 0, 1), "int24": ("int", 24, 0, 1),
    "uint7": ("uint", 7, 0, 1), "short": ("int", 16, 0, 1), "unsigned short int": ("uint", 16, 0, 1),
    "int": ("int", 32, 0, 1), "unsigned": ("uint", 32, 0, 1), "signed": ("int", 32, 0, 1), "long": ("int", 64, 0, 1),
    "unsigned long": ("uint", 64, 0, 1), "long long int": ("int", 64, 0, 1), "short row": ("unknown", 32, 0, 1),
    "const volatile int &": ("int", 32, 0, 1), "static constexpr short": ("int", 16, 0, 1),
    "int * restrict": ("int", 32, 0, 1),
    "struct row": ("int", 32, 0, 1), "x::row": ("int", 32, 0, 1), "ns::tag": ("uint", 3, 0, 1),
    "std::uint8_t": ("uint", 8, 0, 1),
    "nobody": ("unknown", 32, 0, 1), "": ("unknown", 32, 0, 1), "unsigned  int": ("uint", 32, 0, 1),
    "ap_int<7>": ("int", 7, 0, 1), "ap_uint<N + 1>": ("uint", 7, 0, 1), "ap_int<0>": ("int", 1, 0, 1),
    "ap_int<-4>": ("int", 1, 0, 1), "ap_int<4096>": ("int", 4096, 0, 1), "ap_int<5000>": ("int", 4096, 0, 1),
    "ap_int<M>": ("int", 32, 0, 1), "ap_axiu<32, 1, 1, 1>": ("uint", 32, 0, 1),
    "ap_axis<16, 0, 0, 0>": ("uint", 16, 0, 1),
    "hls::ap_axi<9>": ("uint", 9, 0, 1), "ac_int<6>": ("int", 6, 0, 1), "ac_int<6, true>": ("int", 6, 0, 1),
    "ac_int<6, false>": ("uint", 6, 0, 1), "ac_int<6, 0>": ("uint", 6, 0, 1), "ap_int<6, false>": ("int", 6, 0, 1),
    "ap_fixed<18, 4>": ("fixed", 18, 4, 1), "ap_ufixed<9, 2, AP_RND>": ("ufixed", 9, 2, 1),
    "ac_fixed<8, 3>": ("fixed", 8, 3, 1),
    "ap_fixed<12>": ("fixed", 12, 12, 1), "ap_fixed<12, M>": ("fixed", 12, 12, 1),
    "hls::stream<ap_int<9> >": ("stream", 9, 0, 1), "hls::stream<int, 4>": ("stream", 32, 0, 1),
    "hls::stream_of_blocks<char>": ("stream", 8, 0, 1), "ac_channel<short>": ("stream", 16, 0, 1),
    "hls::vector<float, 8>": ("vector", 256, 0, 8), "std::array<short, N>": ("vector", 96, 0, 6),
    "hls::vector<int, M>": ("vector", 32, 0, 1), "hls::vector<int, 0>": ("vector", 32, 0, 1),
    "hls::vector<int>": ("vector", 32, 0, 1),
    "std::complex<double>": ("vector", 128, 0, 2), "Other<3>": ("unknown", 32, 0, 1), "row<int>": ("int", 32, 0, 1),
}  # fmt: skip


@pytest.mark.parametrize("text", KINDS)
def test_names_of_types(text: str) -> None:
    found = kind(text)
    assert (found.kind, found.width, found.int_bits, found.lanes) == KINDS[text]
    assert found.pointer == 0
    wrapped = KINDS[text][0] in ("stream", "vector")
    assert (found.element is not None) == wrapped
    if found.element is not None:
        assert found.element.width * found.lanes == found.width


ARITHMETIC = {
    # left, right -> the type of left op right: floating point wins, then fixed point, then the wider.
    ("double", "float"): "double", ("float", "half"): "float", ("half", "int"): "half", ("int", "half"): "half",
    ("float", "ap_fixed<40, 8>"): "float", ("ap_fixed<18, 4>", "short"): "ap_fixed<18, 4>",
    ("int", "ap_ufixed<9, 2>"): "ap_ufixed<9, 2>", ("ap_fixed<18, 4>", "ap_fixed<20, 4>"): "ap_fixed<20, 4>",
    ("ap_fixed<20, 4>", "ap_ufixed<18, 4>"): "ap_fixed<20, 4>", ("short", "long"): "long", ("long", "short"): "long",
    ("int", "unsigned"): "int", ("unsigned", "int"): "unsigned", ("ap_int<40>", "int"): "ap_int<40>",
    ("hls::vector<int, 4>", "double"): "hls::vector<int, 4>", ("float", "hls::vector<int, 2>"): "hls::vector<int, 2>",
    ("double", "double"): "double", ("ap_ufixed<18, 4>", "ap_fixed<18, 2>"): "ap_ufixed<18, 4>",
}  # fmt: skip


def test_sums_of_fixed_point_and_wider_integers() -> None:
    assert join(kind("ap_fixed<18, 4>"), kind("int")).kind == "fixed"


@pytest.mark.parametrize(("left", "right"), ARITHMETIC)
def test_types_of_sums(left: str, right: str) -> None:
    assert join(kind(left), kind(right)) == kind(ARITHMETIC[left, right])


# Type -> bytes: ap_int.h stores the next power of two bytes up to 8, then multiples of 8.
BYTES = {
    "bool": 1, "char": 1, "short": 2, "int": 4, "float": 4, "double": 8, "half": 2, "ap_int<1>": 1, "ap_int<8>": 1,
    "ap_int<9>": 2, "ap_int<16>": 2, "ap_int<17>": 4, "ap_int<32>": 4, "ap_int<33>": 8, "ap_int<64>": 8,
    "ap_int<65>": 16,
    "ap_int<128>": 16, "ap_int<129>": 24, "ap_fixed<24, 8>": 4, "hls::vector<short, 6>": 12,
    "hls::vector<ap_int<9>, 3>": 6,
    "void": None, "nobody": None, "hls::stream<int>": None, "hls::vector<nobody, 4>": None,
}  # fmt: skip


@pytest.mark.parametrize("text", BYTES)
def test_bytes(text: str) -> None:
    size = BYTES[text]
    assert byte_size(kind(text)) == size
    assert byte_size(kind(text), (3, 2)) == (None if size is None else 6 * size)
    assert byte_size(kind(text), (3, None)) is None


Field = tuple[str, CType, tuple[int | None, ...]]


def struct(*fields: Field) -> CType:
    return CType("struct", sum(item.width for _, item, _ in fields), fields=fields, name="S")


def test_bytes_and_bits_of_structs() -> None:
    """System V ABI, AMD64: members at multiples of their alignment, the whole a multiple of the strictest."""
    char, short, double = kind("char"), kind("short"), kind("double")
    pointer = CType("int", 32, pointer=1)
    cases: list[tuple[list[Field], int | None, int]] = [
        ([("a", char, ()), ("b", short, ()), ("c", char, ())], 6, 32),
        ([("a", double, ()), ("b", char, (3,))], 16, 88),
        ([("a", char, (3,)), ("b", short, (2, 2))], 12, 88),
        ([("a", char, ()), ("b", pointer, ())], 16, 40),
        ([("a", struct(("x", short, ()), ("y", char, ())), (2,)), ("b", char, ())], 10, 56),
        ([("a", kind("ap_int<129>"), ()), ("b", char, ())], 32, 137),
        ([("a", char, ()), ("b", char, (None,))], None, 16),
        ([("a", kind("hls::stream<int>"), ())], None, 32),
        ([], 1, 0),
    ]
    for fields, size, bits in cases:
        assert (byte_size(struct(*fields)), total_bits(struct(*fields))) == (size, bits), fields
    assert total_bits(CType("struct", 8, fields=(("a", short, (4,)),), pointer=1)) == 8
    assert total_bits(double) == 64


def test_sizes_have_an_end() -> None:
    assert byte_size(kind("int"), (2**30, 2**30)) == MAX_BYTES == 2**40
    assert byte_size(kind("char"), (2**39,)) == 2**39
    assert total_bits(struct(("a", kind("int"), (2**60,)), ("b", kind("int"), ()))) == MAX_BYTES
