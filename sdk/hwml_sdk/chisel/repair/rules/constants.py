"""Constants and arithmetic: too wide, negative, without .W, of the other sign, of an enumeration."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule


@rule(r"Passing an Int to \.[US] is usually a mistake")
def _width_without_w(c: Context) -> Iterator[Candidate]:
    """0.U(8) takes bit 8 of 0."""
    edits = []
    for match in c.matches(r"\.[US]\s*(?=\()"):
        group = c.scala.group(match.end(), "(")
        inner = c.text[group[0] + 1 : group[1]] if group else ".W"
        if group and not inner.rstrip().endswith(".W") and c.span[0] <= group[1] + 1 and "," not in inner:
            shown = inner if re.fullmatch(r"\w+", inner) else f"({inner})"
            edits.append((group[0] + 1, group[1], f"{shown}.W"))
    if edits:
        yield Candidate("a width: .W", tuple(edits))


@rule(r"literal value \d+ was elaborated with a specified width")
def _largest_that_fits(c: Context) -> Iterator[Candidate]:
    """256.U(8.W): one too many for the width."""
    numbers = re.search(r"literal value (\d+) was elaborated with a specified width of (\d+)", c.message)
    if numbers is None or int(numbers[1]) != 1 << int(numbers[2]):
        return
    for match in c.matches(rf"\b(?P<value>{numbers[1]})\.U\("):
        most = str(int(numbers[1]) - 1)
        yield Candidate(f"{most}, the most that fits", ((match.start("value"), match.end("value"), most),))


@rule(r"UInt literal -\d+ is negative")
def _signed_statement(c: Context) -> Iterator[Candidate]:
    """Mux(up, 1.U, -1.U): all its constants signed."""
    edits = [(m.start("u"), m.end("u"), "S") for m in c.matches(r"(?:\b\d\w*|\))\.(?P<u>U)\b", c.statement)]
    if len(edits) > 1:
        yield Candidate("signed constants: .S", tuple(edits))


@rule(r"found\s*: chisel3\.SInt\s+required: chisel3\.UInt")
def _signed_operand(c: Context) -> Iterator[Candidate]:
    """UInt + SInt: as signed numbers, and back."""
    end = c.scala.operand_end(c.span[0])
    operator = re.compile(r"\s*(?P<op>[-+][&%]?|\*)\s*$").search(c.scala.code, c.statement[0], c.span[0])
    if operator is None:
        return
    start = c.scala.operand_start(operator.start())
    left, right = c.text[start : operator.start()], c.text[c.span[0] : end]
    if left and right:
        signed = f"({left}.asSInt {operator['op']} {right}).asUInt"
        yield Candidate(
            "add as signed numbers" if "+" in operator["op"] else "as signed numbers", ((start, end, signed),)
        )


@rule(r"found\s*: chisel3\.UInt\s+required: chisel3\.EnumType")
def _enum_for_number(c: Context) -> Iterator[Candidate]:
    """state === 0.U where state is of a ChiselEnum."""
    edits: dict[str, list[tuple[int, int, str]]] = {}
    for match in c.matches(r"(?:===|=/=)\s*(?P<value>(?P<n>\d+)\.U(?:\([^()]*\))?)", c.around):
        for name, members in _enums(c).items():
            if int(match["n"]) < len(members):
                new = f"{name}.{members[int(match['n'])]}"
                edits.setdefault(name, []).append((match.start("value"), match.end("value"), new))
    for found in edits.values():
        yield Candidate(f"by name: {found[0][2]}", tuple(found), safe=len(edits) == 1)


def _enums(c: Context) -> dict[str, list[str]]:
    """Enumerations of this file whose values are numbered from 0: name -> members."""
    found = {}
    for match in c.matches(r"\bobject\s+(?P<name>\w+)\s+extends\s+ChiselEnum\s*(?=\{)", c.whole):
        block = c.scala.group(match.end(), "{")
        body = c.scala.code[block[0] + 1 : block[1]] if block else ""
        named = re.fullmatch(r"\s*val\s+(\w+(?:\s*,\s*\w+)*)\s*=\s*Value\s*", body)
        if named:
            found[match["name"]] = re.findall(r"\w+", named[1])
    return found


@rule(r"For input string: .*under radix|NumberFormatException")
def _pattern_of_bits(c: Context) -> Iterator[Candidate]:
    """x === "b1?0".U: bits that do not matter make a BitPat."""
    edits = []
    for match in re.compile(r'(?P<bits>"b[01?_]*\?[01?_]*")\.(?:U|asUInt)(?:\([^()]*\))?').finditer(c.text, *c.line):
        edits.append((match.start(), match.end(), f"BitPat({match['bits']})"))
    if edits:
        yield Candidate("BitPat", tuple(edits), safe=True)


@rule(r"value (?:>>>|<<<) is not a member of chisel3")
def _three_angles(c: Context) -> Iterator[Candidate]:
    """>>> of other languages: >> keeps the sign of an SInt and fills a UInt with zeros."""
    edits = [(m.start(), m.end(), m[0][:2]) for m in c.matches(r">>>|<<<", c.around)]
    if edits:
        yield Candidate(">> and <<", tuple(edits), safe="UInt" in c.message or "SInt" in c.message)


@rule(r"s-interpolator prints the Scala \.toString")
def _interpolated(c: Context) -> Iterator[Candidate]:
    """printf(s"...")."""
    edits = [(m.start(1), m.end(1), "cf") for m in re.compile(r'\bprintf\s*\(\s*(s)"').finditer(c.text, *c.line)]
    if edits:
        yield Candidate("cf instead of s", tuple(edits))


@rule(r"reassignment to val")
def _variable(c: Context) -> Iterator[Candidate]:
    """acc = acc + x, where acc is a value and no signal (what := can connect was tried before, in `values`)."""
    found = re.compile(r"(?P<name>\w+)\s*=(?!=)").match(c.scala.code, c.statement[0])
    if found is None:
        return
    for match in c.matches(rf"\b(?P<val>val)\s+{found['name']}\b[^=\n]*=\s*(?P<made>\w+)?", (0, c.span[0])):
        if not re.match(r"(?:Wire|Reg|IO|Module)", match["made"] or ""):
            edits = [(match.start("val"), match.end("val"), "var")]
            typed = re.match(r"val\s+\w+\s*=", match[0])
            value = c.scala.statement(match.start())
            literal = re.search(r"\.(?P<kind>[USB])(?:\([^()]*\))?$", c.scala.code[slice(*value)])
            if typed and literal:  # the type of a constant is wide enough, its width is not fixed
                kind = {"U": "UInt", "S": "SInt", "B": "Bool"}[literal["kind"]]
                at = match.start() + len(typed[0]) - 1
                edits.append((c.scala.skip_space_back(at), c.scala.skip_space_back(at), f": {kind}"))
            yield Candidate(f"var {found['name']}", tuple(edits), safe=True)


@rule(r"its width comes from its start value")
def _counter_width(c: Context) -> Iterator[Candidate]:
    """val n = RegInit(0.U) that counts: as wide as what it is connected to, or compared with."""
    said = re.match(r"(?P<name>\w+) counts in", c.message)
    asked = re.search(r"a value of (\d+) bits", c.message)
    name = said["name"] if said else ""
    pattern = rf"\bval\s+{name}\s*=\s*RegInit\s*\(\s*\w+\.[US](?P<at>)\s*\)"
    made = next(c.matches(pattern, c.whole), None) if said else None
    widths = ([f"{asked[1]}.W"] if asked else []) + c.scala.likely_widths(name)
    if made is None:
        return
    for width in dict.fromkeys(widths[:3]):
        edit = (made.start("at"), made.end("at"), f"({width})")
        yield Candidate(f"{name} of {width.removesuffix('.W')} bits", (edit,))
