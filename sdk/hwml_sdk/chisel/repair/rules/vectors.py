"""Bits, ranges and vectors: single bits that are driven, indices past the end, vectors of the wrong things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ..fixes import Candidate, Context, Span2, rule

_ONE_BIT = r"(?<![\w.])(?P<x>[A-Za-z_][\w.]*)\((?P<index>[^(),:=]*(?:\([^()]*\)[^(),:=]*)*)\)\s*:="
_INNER_BLOCK = re.compile(r"\b(?:for|when|elsewhen|otherwise|switch|is|if|else|foreach|map|while)\b")


def outermost(c: Context, at: int) -> int:
    """Start of the statement at the level of the class that holds `at`."""
    start = c.scala.statement(at)[0]
    while block := c.scala.enclosing_block(start):
        head_start = c.scala.statement(c.scala.skip_space_back(block[0]))[0]
        if not _INNER_BLOCK.search(c.scala.code[head_start : block[0]]):
            break
        start = head_start
    return start


@rule(r"Cannot reassign to read-only")
def _bit_by_bit(c: Context) -> Iterator[Candidate]:
    """x(i) := y where x is a UInt: a Vec of Bool, read as a whole with .asUInt."""
    found = next(c.matches(_ONE_BIT, c.statement), None)
    if found is None or re.search(rf"(?<![\w.]){re.escape(found['x'])}\s*:=", c.scala.code[slice(*c.home)]):
        return
    edits = _vec_in_place(c, found["x"]) if "." not in found["x"] else None
    edits = edits or _vec_beside(c, found["x"])
    if edits:
        yield Candidate(f"a Vec of Bool for the bits of {found['x']}", tuple(edits), safe=True)


def _vec_in_place(c: Context, name: str) -> list[tuple[int, int, str]] | None:
    """The signal itself becomes a Vec."""
    made = (
        r"(?:(?P<plain>Wire|Reg)\(\s*UInt\((?P<w1>[^()]*|\([^()]*\)[^()]*)\.W\)\s*\)"
        r"|(?P<init>WireDefault|WireInit|RegInit)\(\s*0\.U\((?P<w2>[^()]*|\([^()]*\)[^()]*)\.W\)\s*\))"
    )
    defined = next(c.matches(rf"\bval\s+{re.escape(name)}\s*=\s*(?P<made>{made})", c.home), None)
    if defined is None:
        return None
    count = (defined["w1"] or defined["w2"]).strip()
    kind = f"Vec({count}, Bool())" if defined["plain"] else f"VecInit(Seq.fill({count})(false.B))"
    edits = [(defined.start("made"), defined.end("made"), f"{defined['plain'] or defined['init']}({kind})")]
    for match in c.matches(rf"(?<![\w.]){re.escape(name)}\b(?!\s*:?=(?!=))", c.home):
        group = c.scala.group(match.end(), "(")
        if match.start() != defined.start() + len("val ") and (group is None or len(c.scala.arguments(group[0])) != 1):
            edits.append((match.end(), match.end(), ".asUInt"))
    return edits


def _vec_beside(c: Context, path: str) -> list[tuple[int, int, str]] | None:
    """A Vec that collects the bits of a port."""
    name = path.rpartition(".")[2]
    width = c.scala.widths.get(name) or _port_width(c, name)
    if width is None:
        return None
    bits = f"{name}Bits"
    places = list(c.matches(rf"(?<![\w.])(?P<x>{re.escape(path)})\([^:=\n]*\)\s*:=", c.home))
    at = outermost(c, places[0].start())
    gap = f"{c.line_end}{c.indent_at(at)}"
    count = width.removesuffix(".W").strip("()")
    head = f"val {bits} = Wire(Vec({count}, Bool())){gap}{path} := {bits}.asUInt{gap}"
    return [(at, at, head), *((m.start("x"), m.end("x"), bits) for m in places)]


def _port_width(c: Context, name: str) -> str | None:
    found = next(
        c.matches(rf"\bval\s+{re.escape(name)}\s*=[^\n]*?\bUInt\((?P<w>[^()\n]*|\([^()\n]*\)\.)W\)", c.home), None
    )
    return f"{found['w']}W" if found else None


@rule(r"Cannot reassign to read-only")
def _ranges_of_a_word(c: Context) -> Iterator[Candidate]:
    """x(15, 8) := a; x(7, 0) := b: one connection, when they make up the word."""
    part = r"(?P<x>[A-Za-z_][\w.]*)\(\s*(?P<hi>\d+)\s*(?:,\s*(?P<lo>\d+)\s*)?\)\s*:=\s*"
    first = next(c.matches(part, c.statement), None)
    block = c.scala.enclosing_block(c.statement[0])
    if first is None:
        return
    parts: list[tuple[int, int, Span2, str]] = []
    for match in c.matches(rf"(?<![\w.]){part}", block or c.whole):
        if match["x"] == first["x"] and c.scala.enclosing_block(match.start()) == block:
            start, end = match.start(), c.scala.statement(match.start())[1]
            value = c.text[match.end() : end].strip()
            parts.append((int(match["hi"]), int(match["lo"] or match["hi"]), (start, end), value))
    parts.sort(key=lambda part: -part[0])
    if len(parts) < 2 or parts[-1][1] != 0 or any(a[1] != b[0] + 1 for a, b in pairwise(parts)):
        return
    width = c.scala.widths.get(first["x"].rpartition(".")[2])
    if width not in (None, f"{parts[0][0] + 1}.W"):
        return
    joined = " ## ".join(_cut(c, value, high - low + 1) for high, low, _, value in parts)
    spans = sorted(place for _, _, place, _ in parts)
    gone = [c.whole_lines(*place) for place in spans[1:]]
    edits = ((*spans[0], f"{first['x']} := {joined}"), *((start, end, "") for start, end in gone))
    yield Candidate("connect the whole word", edits)


def _cut(c: Context, value: str, bits: int) -> str:
    """`value` with exactly that many bits; as it is where its definition says so."""
    if c.scala.widths.get(value.rpartition(".")[2]) == f"{bits}.W":
        return value
    if re.fullmatch(r"\d+\.U", value):
        return f"{value}({bits}.W)"
    shown = value if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", value) else f"({value})"
    return f"{shown}.asUInt.pad({bits})({bits - 1}, 0)"


@rule(r"vec type '.*' must be a Chisel type|not found: value \w+Init")
def _vec_of_constants(c: Context) -> Iterator[Candidate]:
    """RegInit(Vec(4, 0.U(8.W)))."""
    edits = []
    starts = {"Reg": "RegInit", "Wire": "WireDefault"}
    for match in c.matches(r"\b(?P<maker>RegInit|WireInit|WireDefault|Reg|Wire)\s*\(\s*(?P<vec>Vec)\s*(?=\()"):
        group = c.scala.group(match.end(), "(")
        arguments = [c.text[slice(*a)] for a in c.scala.arguments(group[0])] if group else []
        if group and len(arguments) == 2:
            edits.append((match.start("maker"), match.end("maker"), starts.get(match["maker"], match["maker"])))
            edits.append((match.start("vec"), group[1] + 1, f"VecInit(Seq.fill({arguments[0]})({arguments[1]}))"))
    if edits:
        yield Candidate("VecInit(Seq.fill(n)(value))", tuple(edits), safe=True)


_REGISTERS = r"\bVecInit\s*\(\s*(?:Seq|List|Vector|IndexedSeq)?\.?fill\s*(?=\()"


@rule(r"combinational cycle|is a wire that registers only feed")
def _vec_of_registers(c: Context) -> Iterator[Candidate]:
    """VecInit(Seq.fill(n)(RegInit(v))) is a wire that registers feed: a register that holds a vector was meant."""
    edits = []
    for match in c.matches(_REGISTERS, c.home):
        count = c.scala.group(match.end(), "(")
        body = count and (c.scala.group(count[1] + 1, "(") or c.scala.group(count[1] + 1, "{"))
        close = c.scala.skip_space(body[1] + 1) if body else 0
        made = body and re.match(r"\s*(RegInit|Reg)\s*(?=\()", c.scala.code[body[0] + 1 : body[1]])
        inner = made and c.scala.group(body[0] + 1 + made.end(), "(") if body else None
        if not count or not body or not made or not inner or c.scala.code[close : close + 1] != ")":
            continue
        number, value = c.text[count[0] + 1 : count[1]], c.text[inner[0] + 1 : inner[1]]
        fill = (
            f"RegInit(VecInit(Seq.fill({number})({value})))" if made[1] == "RegInit" else f"Reg(Vec({number}, {value}))"
        )
        edits.append((match.start(), close + 1, fill))
    if edits:
        yield Candidate("a register that holds the vector", tuple(edits), safe=True)


@rule(r"inferred type arguments \[\w+\] do not conform|found\s*: \w+\s+required: T\b")
def _vec_of_modules(c: Context) -> Iterator[Candidate]:
    """Vec(n, Module(...)), VecInit(Seq.fill(n)(Module(...))): instances are no signals, a Seq holds them."""
    edits = []
    for match in c.matches(r"\b(?P<vec>Vec|VecInit)\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if group is None or "Module(" not in c.scala.code[slice(*group)]:
            continue
        if len(arguments) == 2 and c.scala.code.startswith("Module", arguments[1][0]):
            count, made = (c.text[slice(*a)] for a in arguments)
            edits.append((match.start(), group[1] + 1, f"Seq.fill({count})({made})"))
        elif len(arguments) == 1 and match["vec"] == "VecInit":
            edits += [(match.start(), group[0] + 1, ""), (group[1], group[1] + 1, "")]
    if edits:
        yield Candidate("a Seq of instances", tuple(edits), safe=True)


@rule(r"out of (?:bounds|range)|IndexOutOfBounds")
def _loop_one_too_far(c: Context) -> Iterator[Candidate]:
    """for (i <- 0 to n)."""
    for match in c.matches(r"\bfor\s*\(\s*\w+\s*<-\s*[^()\n]*?\b(?P<to>to)\b", c.home):
        group = c.scala.enclosing_call(match.start("to"))
        block = c.scala.group(group[1] + 1, "{") if group else None
        end = block[1] if block else (c.scala.statement(group[1])[1] if group else 0)
        if match.start() <= c.span[0] <= end:
            yield Candidate("until instead of to", ((match.start("to"), match.end("to"), "until"),))


@rule(r"[Ii]ndex \d+ is out of range|out of range \[0, \d+\]")
def _bit_past_the_top(c: Context) -> Iterator[Candidate]:
    """x(16) of 16 bits."""
    numbers = re.search(r"ndex (\d+) is out of range \[0, (\d+)\]", c.message)
    if numbers is None:
        return
    asked, top = int(numbers[1]), int(numbers[2])
    for match in c.matches(rf"\(\s*(?P<hi>{asked})\s*(?:,\s*(?P<lo>\d+)\s*)?\)"):
        yield Candidate(f"the top bit is {top}", ((match.start("hi"), match.end("hi"), str(top)),))
        if match["lo"] and int(match["lo"]) >= asked - top:
            low = int(match["lo"]) - (asked - top)
            edits = ((match.start("hi"), match.end("hi"), str(top)), (match.start("lo"), match.end("lo"), str(low)))
            yield Candidate(f"bits {top} to {low}", edits)


@rule(r"Invalid bit range \[hi=\d+, lo=\d+\]")
def _range_turned(c: Context) -> Iterator[Candidate]:
    """x(0, 7): the high bit comes first."""
    numbers = re.search(r"hi=(\d+), lo=(\d+)", c.message)
    if numbers is None:
        return
    literal = next(c.matches(rf"\(\s*(?P<hi>{numbers[1]})\s*,\s*(?P<lo>{numbers[2]})\s*\)"), None)
    if literal is not None:
        edits = (
            (literal.start("hi"), literal.end("hi"), numbers[2]),
            (literal.start("lo"), literal.end("lo"), numbers[1]),
        )
        yield Candidate("the high bit first", edits, safe=True)
        return
    group = c.scala.group(c.span[1], "(") or c.scala.enclosing_call(c.span[1])
    arguments = c.scala.arguments(group[0]) if group else []
    if len(arguments) == 2:
        first, second = (c.text[slice(*a)] for a in arguments)
        yield Candidate("the high bit first", ((*arguments[0], second), (*arguments[1], first)), safe=True)
