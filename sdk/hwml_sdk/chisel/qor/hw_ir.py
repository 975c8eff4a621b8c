"""Read firtool's HW IR (`--output-hw-mlir`): the circuit after lowering, with widths and source lines.

The text form is that of CIRCT's dialects hw, comb and seq (firtool 1.62 to 1.155). An operation that is not known
becomes one of kind `unknown` with its name, so that what depends on it can be said to be unknown. What stands in
regions (assertions, prints, initial values) makes no hardware and is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from .circuit import NOWHERE, Circuit, Kind, Module, Operation, Place

_LOCATION = re.compile(
    r'^(#loc\d*) = loc\((?:"(?P<file>[^"]*)":(?P<line>\d+):\d+|fused(?:<[^>]*>)?\[(?P<parts>[^\]]*)\]|.*)\)$'
)
# A black box whose Verilog came with it is a `sv.verbatim.module` (firtool 1.155).
_HEADER = re.compile(
    r"^  (?:hw\.module(?P<extern>\.extern|\.generated)?|(?P<given>sv\.verbatim\.module))"
    r"(?: private| public| nested)? @(?P<name>[\w$.]+)"
)
_OPERATION = re.compile(r"^\s+(?:(?P<results>%[^=]+?) = )?(?P<name>[a-z_]+\.[\w.]+)\s*(?P<rest>.*)$")
_TRAILING = re.compile(r"\s*loc\((?P<name>#loc\d*|.*)\)\s*$")
_VALUE = re.compile(r"%([\w.$#-]+)")
_PORT = re.compile(r"(?P<dir>in|out|inout)\s+(?P<value>%)?(?P<name>[\w.$#-]+|\"[^\"]*\")\s*:\s*(?P<type>.*)$")
_ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}")
_INTEGER = re.compile(r"^i(\d+)$")
_MEMORY = re.compile(r"<(\d+) x (\d+)(?:, mask (\d+))?>")
_INSTANCE = re.compile(
    r'^"(?:[^"\\]|\\.)*"\s+(?:sym\s+\S+\s+)?@(?P<module>[\w$.]+)(?:<.*?>)?\((?P<ins>.*)\)\s*->\s*\((?P<outs>.*)\)'
)
_ARGUMENT = re.compile(r"^(?P<name>[\w.$-]+|\"[^\"]*\"):\s*(?:(?P<value>%[\w.$#-]+):\s*)?(?P<type>.*)$")
_STRUCTURE = re.compile(r'->|[()<>\[\]{},"]')
_BRACKET = re.compile(r"[()]")

# Nothing that exists on the chip, and types of design information.
_NO_HARDWARE = ("sv.", "verif.", "ltl.", "om.", "emit.", "dbg.", "sim.", "hw.hierpath", "hw.param", "hw.probe")
_CLOCKS = ("seq.const_clock", "seq.from_clock", "seq.to_clock", "seq.clock_inv", "seq.clock_mux", "seq.clock_div")


def read_hw_ir(text: str) -> Circuit:
    """The circuit of one text. Raises ValueError for a text without a module."""
    lines = text.splitlines()
    places = _places(lines)
    modules: dict[str, Module] = {}
    unread: dict[str, None] = {}
    for header, body in _modules(lines):
        module = _module(header, body, places)
        modules[module.name] = module
        unread.update(dict.fromkeys(item.word for item in module.operations if item.kind == "unknown"))
    used = {item.word for module in modules.values() for item in module.operations if item.kind == "instance"}
    tops = [name for name, module in modules.items() if name not in used and not module.black_box]
    if not tops:
        raise ValueError("no module in this circuit")
    return Circuit(tops[-1], modules, tuple(unread))


@lru_cache(4096)  # a circuit has few types
def width_of(kind: str) -> int:
    """Bits of a type; 0 for one that is no hardware of ours. Clocks have one bit."""
    kind = kind.strip()
    if match := _INTEGER.match(kind):
        return int(match[1])
    if kind == "!seq.clock":
        return 1
    for head, close in (("!hw.array<", ">"), ("!hw.struct<", ">"), ("!hw.inout<", ">"), ("!hw.typealias<", ">")):
        if kind.startswith(head) and kind.endswith(close):
            return _width_inside(head, kind[len(head) : -1])
    return 0


def _width_inside(head: str, inside: str) -> int:
    if head == "!hw.array<":
        count, _, element = inside.partition("x")
        return int(count) * width_of(element) if count.isdigit() else 0
    if head == "!hw.struct<":
        return sum(width_of(part.partition(":")[2]) for part in _split(inside))
    return width_of(_split(inside)[-1])


def _places(lines: list[str]) -> dict[str, Place]:
    """Where each location alias points; of a fused one the first part with a line, which firtool puts first."""
    plain: dict[str, Place] = {}
    fused: dict[str, list[str]] = {}
    for line in lines:
        if not line.startswith("#loc"):
            continue
        match = _LOCATION.match(line)
        if match and match["file"] is not None:
            plain[match[1]] = (match["file"], int(match["line"]))
        elif match and match["parts"] is not None:
            fused[match[1]] = [
                part.strip().removeprefix("loc(").removesuffix(")") for part in match["parts"].split(",")
            ]
    for name, parts in fused.items():
        plain[name] = next((plain[part] for part in parts if part in plain), NOWHERE)
    return plain


def _modules(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Header line and the lines of the body of each module."""
    at = 0
    while at < len(lines):
        if not _HEADER.match(lines[at]):
            at += 1
            continue
        header, body = lines[at], []
        at += 1
        if _TRAILING.sub("", header).endswith("{"):
            while at < len(lines) and not lines[at].startswith("  }"):
                body.append(lines[at])
                at += 1
        yield header, body


def _module(header: str, body: list[str], places: dict[str, Place]) -> Module:
    match = _HEADER.match(header)
    assert match is not None
    inputs: dict[str, int] = {}
    outputs: dict[str, int] = {}
    for part in _split(_inside(header[match.end() :])):
        port = _PORT.match(_TRAILING.sub("", part.strip()))
        if port is None:
            continue
        name, width = port["name"].strip('"'), width_of(_ATTRIBUTES.sub("", port["type"]).strip())
        (outputs if port["dir"] == "out" else inputs)[name] = width
    operations = tuple(_operations(body, places))
    driven = next((item.operands for item in operations if item.word == "hw.output"), ())
    kept = tuple(item for item in operations if item.word != "hw.output")
    kept += tuple(_unread(operations, inputs, body))
    drivers = dict(zip(outputs, driven, strict=False))
    place = places.get(trailing[1], NOWHERE) if (trailing := _TRAILING.search(header.rstrip("{ "))) else NOWHERE
    return Module(match["name"], inputs, outputs, kept, drivers, place, bool(match["extern"] or match["given"]))


def _unread(operations: tuple[Operation, ...], inputs: dict[str, int], body: list[str]) -> Iterator[Operation]:
    """Values that hardware reads and that were passed over (a net of Verilog's own, say): unknown, and never zero."""
    made = {*inputs, *(name for item in operations for name in item.results)}
    used = {name: item.place for item in operations for name in item.operands if name and name not in made}
    for name, place in used.items():
        makers = (
            match for line in body if (match := _OPERATION.match(line)) and name in _values(match["results"] or "")
        )
        word = next((match["name"] for match in makers), f"%{name}")
        yield Operation("unknown", (name,), (), 0, word=word, place=place)


def _operations(body: list[str], places: dict[str, Place]) -> Iterator[Operation]:
    depth = 0
    for line in body:
        bare, location = _located(line)
        opens = bare.endswith("{")
        if depth or opens:  # a region: braces are counted to its end
            depth += (1 if opens else 0) - (1 if bare.lstrip().startswith("}") else 0)
            continue
        parts = _parts(bare)
        if parts is None:
            continue
        results, name, rest = parts
        reader = _READERS.get(name)
        if reader is None and name.startswith(_NO_HARDWARE):
            continue
        if "{" in rest:
            rest = _ATTRIBUTES.sub("", rest)
        yield (reader or _other)(name, _values(results), rest, places.get(location, NOWHERE))


def _located(line: str) -> tuple[str, str]:
    """A line without its location, and the location's name."""
    line = line.rstrip()
    at = line.rfind(" loc(#loc")
    if at >= 0 and line.find(")", at) == len(line) - 1:  # nearly always
        return line[:at].rstrip(), line[at + len(" loc(") : -1]
    trailing = _TRAILING.search(line)
    return (line[: trailing.start()].rstrip(), trailing["name"]) if trailing else (line, "")


def _parts(bare: str) -> tuple[str, str, str] | None:
    """Results, name and the rest of an operation."""
    text, results = bare.lstrip(), ""
    if text.startswith("%"):
        results, _, text = text.partition(" = ")
    name, _, rest = text.partition(" ")
    if name in _READERS:  # the usual ones, for which no expression need be matched
        return results, name, rest
    match = _OPERATION.match(bare)
    return (match["results"] or "", match["name"], match["rest"]) if match else None


def _other(name: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    if name in _CLOCKS:
        return Operation("wire", results, _values(rest), 1, place=place)
    return Operation("unknown", results, _values(rest), _last_width(rest), word=name, place=place)


def _values(text: str) -> tuple[str, ...]:
    return tuple(_VALUE.findall(text))


def _type_text(rest: str) -> str:
    """What stands behind the last ` : ` that is outside brackets."""
    at = len(rest)
    while (at := rest.rfind(" :", 0, at)) > 0:
        text = rest[at + 2 :].strip()
        if text.isalnum():
            return text
        opened = text.count("(") + text.count("[") + text.count("<")
        if opened == text.count(")") + text.count("]") + text.count(">") - text.count("->"):
            return text
    return ""


def _last_width(rest: str) -> int:
    return width_of(_type_text(rest).rpartition("->")[2])


def _split(text: str) -> list[str]:
    """Parts between commas that stand outside brackets and quotes."""
    parts, depth, start, quoted = [], 0, 0, False
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark == '"':
            quoted = not quoted
        elif quoted or mark == "->":
            continue
        elif mark in "(<[{":
            depth += 1
        elif mark in ")>]}":
            depth -= 1
        elif depth == 0:
            parts.append(text[start : match.start()])
            start = match.end()
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _inside(text: str) -> str:
    """The text between the first bracket and its partner."""
    depth, start = 0, 0
    for match in _BRACKET.finditer(text):
        if match[0] == "(":
            start = start if depth else match.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                return text[start : match.start()]
    return ""


def _constant(name: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    word = rest.split(maxsplit=1)[0] if rest.split() else "0"
    if word in ("true", "false"):
        return Operation("constant", results, (), 1, int(word == "true"), place=place)
    width = _last_width(rest)
    if not re.fullmatch(r"-?\d+", word):
        return Operation("unknown", results, (), width, word=f"{name} {word}", place=place)
    return Operation("constant", results, (), width, int(word) & ((1 << width) - 1), place=place)


def _aggregate(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    """Elements are listed from the highest to the lowest."""
    value = 0
    for number, width in re.findall(r"(-?\d+|true|false)(?: : i(\d+))?", rest[: rest.rfind("] :") + 1]):
        bits = int(width or 1)
        item = {"true": 1, "false": 0}.get(number)
        value = value << bits | ((int(number) if item is None else item) & ((1 << bits) - 1))
    return Operation("constant", results, (), _last_width(rest), value, place=place)


def _many(kind: Kind) -> Callable[[str, tuple[str, ...], str, Place], Operation]:
    def read(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
        return Operation(kind, results, _values(rest), _last_width(rest), place=place)

    return read


def _concat(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    width = sum(width_of(part) for part in _split(_type_text(rest)))
    return Operation("concat", results, _values(rest), width, place=place)


def _array_create(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    operands = _values(rest)
    return Operation("concat", results, operands, len(operands) * width_of(_type_text(rest)), place=place)


def _struct_create(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    return Operation("concat", results, _values(rest), width_of(_type_text(rest)), place=place)


def _struct_extract(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    wanted = re.search(r'\["([^"]*)"\]', rest)
    low, width = 0, 0
    for part in reversed(_split(_type_text(rest).removeprefix("!hw.struct<").removesuffix(">"))):
        name, _, kind = part.partition(":")
        if wanted and name.strip() == wanted[1]:
            width = width_of(kind)
            break
        low += width_of(kind)
    return Operation("extract", results, _values(rest), width, low, place=place)


def _replicate(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    source, _, target = _type_text(rest).partition("->")
    inner, width = width_of(source.strip().strip("()")), width_of(target)
    count = width // inner if inner else 0
    return Operation("concat", results, _values(rest)[:1] * count, width, place=place)


def _extract(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    low = re.search(r"\bfrom (\d+)", rest)
    return Operation("extract", results, _values(rest), _last_width(rest), int(low[1]) if low else 0, place=place)


def _compare(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    word = rest.removeprefix("bin ").split()[0]
    return Operation("compare", results, _values(rest), 1, width_of(_type_text(rest)), word, place=place)


def _mux(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    return Operation("mux", results, _values(rest), _last_width(rest), place=place)


def _parity(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    return Operation("parity", results, _values(rest), 1, place=place)


def _get(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    array = _split(_type_text(rest))[0].strip()
    element = width_of(array.removeprefix("!hw.array<").removesuffix(">").partition("x")[2])
    return Operation("get", results, _values(rest), element, element, place=place)


def _slice(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    source = _type_text(rest).partition("->")[0].strip().strip("()")
    element = width_of(source.removeprefix("!hw.array<").removesuffix(">").partition("x")[2])
    return Operation("get", results, _values(rest), _last_width(rest), element, place=place)


def _inject(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    array = _split(_type_text(rest))[0].strip()
    element = width_of(array.removeprefix("!hw.array<").removesuffix(">").partition("x")[2])
    return Operation("inject", results, _values(rest), width_of(array), element, place=place)


def _register(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    """Operands: next value, reset, reset value (the last two empty without reset)."""
    values = _values(rest)
    reset = re.search(r"\breset (sync|async) ", rest)
    operands = (values[0], *values[2:4]) if reset and len(values) >= 4 else (values[0], "", "")
    word = reset[1] if reset else ""
    return Operation("register", results, operands, _last_width(rest), 0, word, place=place, clock=values[1])


def _memory(name: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    """Word: cycles from address to data."""
    shape = _MEMORY.search(rest)
    latency = re.match(r"(\d+)", rest)
    if shape is None or latency is None:
        return Operation("unknown", results, (), 0, word=name, place=place)
    return Operation("memory", results, (), int(shape[2]), int(shape[1]), latency[1], place=place)


def _port(kind: Kind) -> Callable[[str, tuple[str, ...], str, Place], Operation]:
    """Operands: memory, address, data, mode, enable, mask; "" for what a port does not have."""

    def read(_: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
        def after(pattern: str) -> str:
            found = re.search(pattern + r"\s*(%[\w.$#-]+)", rest)
            return found[1][1:] if found else ""

        memory = _values(rest)[0]
        operands = (memory, after(r"\["), after(r"\] ="), after(r"\bif"), after(r"\benable"), after(r"\bmask"))
        shape = _MEMORY.search(rest)
        width = int(shape[2]) if shape else 0
        return Operation(kind, results, operands, width, place=place, clock=after(r"\bclock"))

    return read


def _instance(name: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    match = _INSTANCE.match(rest)
    if match is None:
        return Operation("unknown", results, _values(rest), 0, word=name, place=place)
    ins = [_ARGUMENT.match(part.strip()) for part in _split(match["ins"])]
    outs = [_ARGUMENT.match(part.strip()) for part in _split(match["outs"])]
    operands = tuple(item["value"][1:] for item in ins if item and item["value"])
    names = tuple(item["name"].strip('"') for item in (*ins, *outs) if item)
    widths = tuple(width_of(item["type"]) for item in outs if item)
    return Operation(
        "instance", results, operands, widths[0] if widths else 0, 0, match["module"], names, widths, place
    )


def _output(name: str, results: tuple[str, ...], rest: str, place: Place) -> Operation:
    return Operation("wire", results, _values(rest), 0, word=name, place=place)


_READERS: dict[str, Callable[[str, tuple[str, ...], str, Place], Operation]] = {
    "hw.constant": _constant,
    "hw.aggregate_constant": _aggregate,
    "hw.output": _output,
    "hw.instance": _instance,
    "hw.wire": _many("wire"),
    "hw.bitcast": _many("wire"),
    "hw.array_create": _array_create,
    "hw.array_concat": _concat,
    "hw.array_get": _get,
    "hw.array_slice": _slice,
    "hw.array_inject": _inject,
    "hw.struct_create": _struct_create,
    "hw.struct_extract": _struct_extract,
    "comb.concat": _concat,
    "comb.replicate": _replicate,
    "comb.extract": _extract,
    "comb.icmp": _compare,
    "comb.mux": _mux,
    "comb.parity": _parity,
    "seq.firreg": _register,
    "seq.firmem": _memory,
    "seq.firmem.read_port": _port("read"),
    "seq.firmem.write_port": _port("write"),
    "seq.firmem.read_write_port": _port("read_write"),
    **{f"comb.{kind}": _many(kind) for kind in ("and", "or", "xor", "add", "sub", "mul", "shl", "shru", "shrs")},
    **{f"comb.{kind}": _many(kind) for kind in ("divu", "divs", "modu", "mods")},
}
