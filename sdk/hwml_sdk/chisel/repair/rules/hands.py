"""More slips of a hand: `new`, `val`, `io`, a comma, a dot or a parenthesis that was not typed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

_WORDS = ("new", "val", "var", "def", "case", "import", "extends", "with", "if", "else", "yield", "return", "class")
_BETWEEN = (
    "to",
    "until",
    "by",
    "match",
    "extends",
    "with",
    "else",
    "yield",
    "if",
    "max",
    "min",
    "zip",
    "map",
    "foreach",
)


@rule(r"arguments \[Boolean\] do not conform|found\s*: Boolean\s+required: (?:T|chisel3\.\w+)\b")
def _flag_as_signal(c: Context) -> Iterator[Candidate]:
    """RegInit(startOn), where startOn: Boolean is a parameter."""
    call = c.scala.group(c.span[1], "(") if "conform" in c.message else None
    places = c.scala.arguments(call[0]) if call else [(c.span[0], c.scala.operand_end(c.span[0]))]
    for start, end in places:
        word = c.text[start:end]
        if re.fullmatch(r"[a-z]\w*(?:\.\w+)*", word) and word not in ("true", "false"):
            parameter = re.search(rf"\b{re.escape(word)}\s*:\s*Boolean\b", c.scala.code)
            yield Candidate(f"{word}.B", ((end, end, ".B"),), safe=parameter is not None)


@rule(r"arguments \[Any(?:Val)?\] do not conform|found\s*: .*\bList\[Any(?:Val)?\]")
def _flag_in_table(c: Context) -> Iterator[Candidate]:
    """List(a, false, true.B): one of a table's cells is no signal."""
    edits = [(m.end(), m.end(), ".B") for m in c.matches(r"(?<![\w.])(?:true|false)\b(?!\s*\.)", c.around)]
    if edits:
        yield Candidate("a Bool constant", tuple(edits), safe=True)


@rule(r"does not take parameters")
def _number_with_width(c: Context) -> Iterator[Candidate]:
    """0(8.W)."""
    for match in c.matches(r"(?<![\w.])(?P<n>0[xX][0-9a-fA-F]+|\d+)(?P<at>)\([^()\n]*\.W\)", c.around):
        for kind in ("U", "S"):
            yield Candidate(f"{match['n']}.{kind}", ((match.start("at"), match.end("at"), f".{kind}"),))


@rule(r"\.type does not take parameters|not found: value [A-Z]|object \w+ is not a value")
def _class_without_new(c: Context) -> Iterator[Candidate]:
    """Module(Sub(8)), where Sub is a class of another file or has a companion."""
    for match in c.matches(r"\bModule\s*\(\s*(?P<at>)(?P<name>[A-Z]\w*)\s*[(\[)]"):
        yield Candidate(f"new {match['name']}", ((match.start("at"), match.end("at"), "new "),), safe=True)


@rule(r"value \w+ is not a member of [\w.]+\s*$")
def _io_of_instance(c: Context) -> Iterator[Candidate]:
    """instance.field, where its class stands in another file: the gate knows whether io.field is there."""
    match = re.search(r"value (\w+) is not a member of (?:\w+\.)*(\w+)", c.message)
    if match is None:
        return
    for place in c.matches(rf"(?<![\w.])(?P<name>\w+)\.(?P<at>){match[1]}\b"):
        made = rf"\bval\s+{place['name']}\s*=\s*Module\s*\(\s*new\s+{match[2]}\b"
        if re.search(made, c.scala.code):
            yield Candidate(f"io.{match[1]}", ((place.start("at"), place.end("at"), "io."),), safe=True)


@rule(r"value \w+ is not a member of")
def _dot_within_member(c: Context) -> Iterator[Candidate]:
    """core.ioPort, io.aPortvalid: a dot lost where one of the two names stands in another file."""
    match = re.search(r"value (\w+) is not a member of", c.message)
    word = match[1] if match else ""
    at = c.text.find(f".{word}", c.span[0], c.line[1]) + 1 if word else 0
    known = {"io", "bits", "valid", "ready", *c.scala.declared, *c.scala.io_fields}
    cuts = [cut for cut in range(len(word) - 1, 0, -1) if word[:cut] in known] if at and word not in known else []
    for cut in cuts[:2]:
        yield Candidate(f"{word[:cut]}.{word[cut:]}", ((at + cut, at + cut, "."),))


@rule(r"not found: value (?:true|false)B$")
def _dot_before_kind(c: Context) -> Iterator[Candidate]:
    """trueB."""
    edits = [(m.start("at"), m.end("at"), ".") for m in c.matches(r"(?<![\w.])(?:true|false)(?P<at>)B\b", c.home)]
    if edits:
        yield Candidate("a Bool constant", tuple(edits), safe=True)


_UNPARSED = r"expected but|illegal start|unmatched|eof expected|expected start of definition|postfix operator"


@rule(_UNPARSED)
def _mark_behind_group(c: Context) -> Iterator[Candidate]:
    """UInt(n)W), is(A)x := y): a dot or a parenthesis lost behind another one."""
    line = c.scala.code[slice(*c.line)]
    mark = "(" if line.count(")") > line.count("(") else "."
    places = [m.end() for m in c.matches(r"\)(?=[A-Za-z_])")]
    for at in places[:3]:
        yield Candidate("open the parenthesis" if mark == "(" else "a dot", ((at, at, mark),))


@rule(_UNPARSED)
def _condition_not_opened(c: Context) -> Iterator[Candidate]:
    """if n > 0) {."""
    line = c.scala.code[slice(*c.line)]
    if line.count(")") <= line.count("("):
        return
    for match in c.matches(r"\b(?:if|while|for|when|elsewhen|switch|is)(?P<gap>[ \t]*)(?P<at>)(?=[\w!])"):
        if match["gap"]:
            yield Candidate("open the parenthesis", ((match.start("at"), match.end("at"), "("),))


@rule(_UNPARSED)
def _opened_before_name(c: Context) -> Iterator[Candidate]:
    """mem.readaddress): a method that runs into the name that its parentheses held."""
    line = c.scala.code[slice(*c.line)]
    if line.count(")") <= line.count("("):
        return
    known = {*c.scala.declared, *c.scala.io_fields, *c.scala.parameters}
    for match in c.matches(r"\b[A-Za-z_]\w+"):
        word = match[0]
        cuts = [cut for cut in range(1, len(word)) if word[cut:] in known] if word not in known else []
        for cut in cuts[:1]:
            at = match.start() + cut
            yield Candidate(f"{word[:cut]}({word[cut:]}", ((at, at, "("),))


@rule(r"expected but")
def _comma_not_typed(c: Context) -> Iterator[Candidate]:
    """f(a  b): between two arguments."""
    for match in c.matches(r"(?<=[\w)\]])(?P<at>)[ \t]+(?=(?P<next>\w+))"):
        before = re.search(r"\w+$", c.scala.code[: match.start()])
        word = before[0] if before else ""
        if match.end() <= c.span[0] <= match.end("next") and word not in _WORDS and match["next"] not in _BETWEEN:
            yield Candidate("a comma", ((match.start("at"), match.end("at"), ","),))


@rule(r"unknown parameter name: \w+|not found: value \w+")
def _connected_in_parentheses(c: Context) -> Iterator[Candidate]:
    """is(A)(out = x): = in parentheses names an argument."""
    for match in c.matches(r"\)\s*\(\s*[\w.]+(?:\([^()]*\))?\s*(?P<eq>=)(?![=>/])"):
        head = c.scala.closing(match.start())
        if head is not None and re.search(r"\b(?:is|when|elsewhen)\s*$", c.scala.code[:head]):
            yield Candidate("connect with :=", ((*match.span("eq"), ":="),), safe=True)


@rule(r"package io is not a value|is not a member of package io")
def _io_without_val(c: Context) -> Iterator[Candidate]:
    """io = IO(...): without val it is Java's package."""
    for match in c.matches(r"(?m)^[ \t]*(?P<at>)io\s*=\s*(?:IO|new\s+Bundle)\b", c.home):
        yield Candidate("val io", ((match.start("at"), match.start("at"), "val "),), safe=True)
