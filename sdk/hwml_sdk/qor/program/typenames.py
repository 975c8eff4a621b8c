"""C, C++ and HLS type names to `ir.CType`: widths as Vitis HLS counts them (LP64, ap_types, hls_stream, hls_vector)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .ir import CType
from .numbers import Number

Value = Callable[[str], Number | None]

UNKNOWN = CType("unknown", 32)
THIS = CType("unknown", 32)  # of the pointer of that name, and of nothing else
INT = CType("int", 32, name="int")
UINT = CType("uint", 32, name="unsigned int")
LONG = CType("int", 64, name="long")
ULONG = CType("uint", 64, name="unsigned long")
BOOL = CType("bool", 1, name="bool")
DOUBLE = CType("double", 64, name="double")
FLOAT = CType("float", 32, name="float")
VOID = CType("void", 0, name="void")

_FIXED_WIDTH = re.compile(r"^(u?)int(?:_least|_fast)?(\d+)(?:_t)?$|^(u?)int(\d+)$")
_BASIC: dict[str, CType] = {
    "void": VOID, "bool": BOOL, "_Bool": BOOL, "float": FLOAT, "double": DOUBLE, "half": CType("half", 16, name="half"),
    "char": CType("int", 8), "signed char": CType("int", 8), "unsigned char": CType("uint", 8),
    "size_t": CType("uint", 64), "ssize_t": CType("int", 64), "ptrdiff_t": CType("int", 64),
    "uintptr_t": CType("uint", 64), "auto": UNKNOWN, "uint": CType("uint", 32), "ulong": CType("uint", 64),
    "uchar": CType("uint", 8), "ushort": CType("uint", 16), "long double": DOUBLE,
}  # fmt: skip
_NOISE = re.compile(
    r"\b(const|volatile|static|register|inline|constexpr|extern|restrict|__restrict__|__restrict|struct|class|enum|union|typename|mutable)\b"
)
TASKS = ("hls::task", "task")  # what runs a function for ever (UG1399, "hls::task"): no data, and nothing by itself
# Where data is only shown (UG1399, "System Calls"): no hardware, whatever is put into it.
OUTPUTS = frozenset({"ostream", "ofstream", "fstream", "ostringstream", "stringstream"})
# What carries one element after the other: FIFOs, and ports that are read and written directly (UG1399, "Direct I/O").
_STREAMS = frozenset({
    "stream", "stream_of_blocks", "ac_channel", "burst_maxi", "ap_none", "ap_vld", "ap_ack", "ap_ovld", "ap_hs",
})  # fmt: skip
# One beat of AXI4-Stream of so many bits, which `ap_axi_sdata.h` declares.
_BEATS = frozenset({"ap_axiu", "ap_axis", "ap_axi", "qdma_axis"})
_CHANNEL = re.compile(r"(?:hls::)?(?:split|merge)::(?:round_robin|load_balance)\s*<")
_PIXEL = re.compile(r"^(?:HLS|XF)_(\d+)[USF]P?(?:C(\d+))?$")
_SPACE = re.compile(r"\s+")


def split_template(text: str) -> tuple[str, list[str]]:
    """`ap_fixed<16, 8>` -> ("ap_fixed", ["16", "8"]); without arguments an empty list."""
    head, bracket, rest = text.partition("<")
    if not bracket:
        return text.strip(), []
    depth, round_ones = 1, 0  # inside round brackets `<` and `>` compare and shift
    arguments: list[str] = []
    current: list[str] = []
    for character in rest:
        if character in "()":
            round_ones += 1 if character == "(" else -1
        elif character in "<>" and not round_ones:
            depth += 1 if character == "<" else -1
            if depth == 0:
                break
        if character == "," and depth == 1 and not round_ones:
            arguments.append("".join(current).strip())
            current = []
        else:
            current.append(character)
    arguments.append("".join(current).strip())
    return head.strip(), arguments


def split_scope(name: str) -> tuple[str, str]:
    """`a::Fir<b::T>::acc` -> ("a::Fir<b::T>", "acc"); the first is "" where nothing is qualified."""
    if "::" not in name:
        return "", name
    depth, round_ones = 0, 0
    for at in range(len(name) - 1, 0, -1):
        round_ones += {")": 1, "(": -1}.get(name[at], 0)
        depth += 0 if round_ones else {">": 1, "<": -1}.get(name[at], 0)
        if depth == round_ones == 0 and name[at - 1 : at + 1] == "::":
            return name[: at - 1].strip(), name[at + 1 :].removeprefix("template ").strip()
    return "", name


def class_name(name: str) -> str:
    """`Box` of `space::Box<int>`, as its constructors are called."""
    return split_template(split_scope(name)[1])[0]


def parse_type(text: str, named: Callable[[str], CType | None], value: Value) -> CType:
    """The type a specifier's text stands for.

    named: typedefs, structs and template parameters; value: of constant expressions, such as template arguments.
    Unknown names give kind "unknown", 32 bits wide.
    """
    plain = _plain_text(text)
    found = named(plain)
    if found is not None:
        return found
    if plain in _BASIC:
        return _BASIC[plain]
    if plain[-1:] != ">" and "<" in plain:
        return CType("unknown", 32, name=plain)  # a member of an instance nobody knows
    head, arguments = split_template(plain)
    name = head.rpartition("::")[2].strip()
    if arguments:
        return _template(name, plain, arguments, named, value)
    return (named(name) if name != plain else None) or _plain(name)


@lru_cache(maxsize=4096)
def _plain_text(text: str) -> str:
    """A specifier's text without what tells nothing of the type."""
    return _SPACE.sub(" ", _NOISE.sub(" ", text)).strip().strip("&* ")


def _plain(name: str) -> CType:
    basic = _BASIC.get(name)
    if basic is not None:
        return basic
    match = _FIXED_WIDTH.match(name)
    if match:
        unsigned = match.group(1) or match.group(3)
        return CType("uint" if unsigned else "int", int(match.group(2) or match.group(4)), name=name)
    if name in OUTPUTS:
        return CType("void", 0, name=name)
    words = name.split()
    if words and all(word in ("unsigned", "signed", "short", "long", "int") for word in words):
        width = 64 if "long" in words else 16 if "short" in words else 32
        return CType("uint" if "unsigned" in words else "int", width, name=name)
    return CType("unknown", 32, name=name)


def _template(name: str, text: str, arguments: list[str], named: Callable[[str], CType | None], value: Value) -> CType:
    if name in _BEATS or name in ("ap_int", "ap_uint", "ac_int", "ap_fixed", "ap_ufixed", "ac_fixed"):
        return _arbitrary(name, text, arguments, value)
    if name in _STREAMS:
        element = parse_type(arguments[0].partition("[")[0], named, value)  # a block is an array of such
        return CType("stream", element.width, element=element, name=text)
    if name in ("vector", "array"):
        element = parse_type(arguments[0], named, value)
        lanes = value(arguments[1]) if len(arguments) > 1 else None
        count = max(int(lanes), 1) if lanes else 1
        return CType("vector", element.width * count, element=element, lanes=count, name=text)
    if name == "pair" and len(arguments) == 2:
        kinds = [parse_type(argument, named, value) for argument in arguments]
        fields = tuple((label, kind, ()) for label, kind in zip(("first", "second"), kinds, strict=True))
        return CType("struct", sum(kind.width for kind in kinds), fields=fields, name=text)
    if name in ("complex", "x_complex"):
        element = parse_type(arguments[0], named, value)
        return CType("vector", element.width * 2, element=element, lanes=2, name=text)
    if name == "axis":  # hls::axis<T, USER, ID, DEST>, of which ap_axiu<W, ..> is one (UG1399, "AXI4-Stream")
        data = parse_type(arguments[0], named, value)
        return CType("uint", data.width, fields=(("data", data, ()), *_beat(data.width, "uint")[1:]), name=text)
    if is_channel(text):
        return _channel(text, name, arguments, named, value)
    if name in ("axis_data", "axis_user"):
        return _some_of_a_beat(name, text, parse_type(arguments[0], named, value), value(arguments[0]))
    if name == "Mat":
        image = _image(text, arguments, value)
        if image is not None:
            return image
    return named(name) or CType("unknown", 32, name=text)


def _image(text: str, arguments: list[str], value: Value) -> CType | None:
    """`hls::Mat<ROWS, COLS, HLS_8UC3>` (XAPP1167) and `xf::cv::Mat<XF_8UC1, ROWS, COLS, NPC>` (Vitis Vision).

    A stream of pixels; its field `data` has the image's extents. None where it is no such type.
    """
    first = _PIXEL.search(arguments[0])
    kind, sizes = (first, arguments[1:3]) if first else (_PIXEL.search(arguments[-1]), arguments[:2])
    if kind is None or len(sizes) < 2:
        return None
    rows, cols = (None if found is None else int(found) for found in map(value, sizes))
    width = int(kind.group(1)) * int(kind.group(2) or 1)
    pixel = CType("uint", width)
    fields = (("data", pixel, (rows, cols)), ("rows", INT, ()), ("cols", INT, ()))
    return CType("stream", width, element=pixel, fields=fields, name=text)


def _arbitrary(name: str, text: str, arguments: list[str], value: Value) -> CType:
    values = [value(argument) for argument in arguments]
    width = int(values[0]) if values and values[0] is not None else 32
    width = min(max(width, 1), 4096)
    if name in ("ap_int", "ac_int"):
        unsigned = name == "ac_int" and len(arguments) > 1 and arguments[1] in ("false", "0")
        return CType("uint" if unsigned else "int", width, name=text)
    if name in _BEATS:
        return CType("uint", width, fields=_beat(width, "int" if name in ("ap_axis", "ap_axi") else "uint"), name=text)
    if name == "ap_uint":
        return CType("uint", width, name=text)
    whole = int(values[1]) if len(values) > 1 and values[1] is not None else width
    return CType("fixed" if name != "ap_ufixed" else "ufixed", width, int_bits=whole, name=text)


def _beat(width: int, kind: str) -> tuple[tuple[str, CType, tuple[int | None, ...]], ...]:
    """Fields of one beat of AXI4-Stream: one bit of TKEEP and TSTRB a byte of data (UG1399, "AXI4-Stream")."""
    byte = CType("uint", max(width // 8, 1))
    side = (("keep", byte), ("strb", byte), ("last", BOOL), ("user", BOOL), ("id", BOOL), ("dest", BOOL))
    return (("data", CType(kind, width), ()), *((name, type_, ()) for name, type_ in side))


def is_channel(name: str) -> bool:
    """Whether a type is `hls::split::round_robin<T, N>` or the like: one stream to many, or many to one."""
    return _CHANNEL.match(name) is not None


def is_bus(name: str) -> bool:
    """Whether a type is `hls::burst_maxi<T>`: elements of bursts that the code asks for (UG1399, "Manual Burst")."""
    return name.startswith(("hls::burst_maxi", "burst_maxi"))


def is_blocks(name: str) -> bool:
    """Whether a type is a stream whose elements are arrays."""
    return name.startswith(("hls::stream_of_blocks", "stream_of_blocks"))


def _channel(text: str, name: str, arguments: list[str], named: Callable[[str], CType | None], value: Value) -> CType:
    """Its streams `in` and `out`, one of which there are several of (UG1399, "HLS Split/Merge Library")."""
    ways = value(arguments[1]) if len(arguments) > 1 else None
    if ways is None or ways < 1:
        return CType("unknown", 32, name=text)
    stream = parse_type(f"hls::stream<{arguments[0]}>", named, value)
    splits = "split" in text.partition("<")[0]
    each = stream.width * (int(ways) + 1)
    many: tuple[int | None, ...] = (int(ways),)
    return CType(
        "struct",
        each,
        fields=(("in", stream, () if splits else many), ("out", stream, many if splits else ())),
        name=text,
    )


def _some_of_a_beat(name: str, text: str, data: CType, bits: Number | None) -> CType:
    """`hls::axis_data<T, ..>` has data of a type, `hls::axis_user<BITS, ..>` user bits alone; both side channels."""
    if name == "axis_data":
        return CType("uint", data.width, fields=(("data", data, ()), *_beat(data.width, "uint")[1:]), name=text)
    width = min(max(int(bits or 1), 1), 4096)
    fields = (("user", CType("uint", width), ()), *(item for item in _beat(8, "uint")[1:] if item[0] != "user"))
    return CType("uint", width, fields=fields, name=text)


def join(left: CType, right: CType) -> CType:
    """The type of an arithmetic result: floating point wins, then the wider; sizes as ap_types keep them."""
    if left.kind == "vector" or right.kind == "vector":
        return left if left.kind == "vector" else right
    for kind in ("double", "float", "half"):
        if kind in (left.kind, right.kind):
            return left if left.kind == kind else right
    if left.kind in ("fixed", "ufixed") or right.kind in ("fixed", "ufixed"):
        return (
            left
            if left.kind in ("fixed", "ufixed") and (left.width >= right.width or "fixed" not in right.kind)
            else right
        )
    return left if left.width >= right.width else right
