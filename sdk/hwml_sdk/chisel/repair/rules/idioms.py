"""What other languages and older versions of Chisel spell differently."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .switches import default_may_precede


@rule(r"cannot override cloneType")
def _clone_type(c: Context) -> Iterator[Candidate]:
    """The plug-in writes it."""
    for match in c.matches(r"(?P<before>;?[ \t]*)override\s+def\s+cloneType\b", c.whole):
        _, end = c.scala.statement(match.end())
        start = match.start()
        line = c.text.rfind("\n", 0, match.start("before")) + 1
        if c.text[line:start].strip() == "" and c.text[end:].split("\n", 1)[0].strip() == "" and line > 0:
            start = line - 1 - (c.text[line - 2 : line - 1] == "\r")
        yield Candidate("delete cloneType", ((start, end, ""),), safe=True)


@rule(r"not found: type MultiIOModule|class MultiIOModule|MultiIOModule")
def _multi_io(c: Context) -> Iterator[Candidate]:
    edits = [(m.start(), m.end(), "Module") for m in c.matches(r"\bMultiIOModule\b", c.whole)]
    yield Candidate("extends Module", tuple(edits), safe=True)


@rule(r"too many arguments .* in object Reg\b")
def _reg_with_start_value(c: Context) -> Iterator[Candidate]:
    """Reg(type, value)."""
    edits = [(m.start(), m.end(), "RegInit") for m in c.matches(r"\bReg(?=\s*\()", c.around)]
    if edits:
        yield Candidate("RegInit(type, value)", tuple(edits[:1]), safe=True)


@rule(r"found\s*: chisel3\.(?:Bool|UInt)\s+required: Boolean")
def _scala_if(c: Context) -> Iterator[Candidate]:
    """if (signal) builds nothing that decides: when for statements, Mux for values."""
    for match in c.matches(r"\bif\s*(?=\()", c.around):
        condition = c.scala.group(match.end(), "(")
        if condition is None or not condition[0] < c.span[0] <= condition[1]:
            continue
        asked = c.text[condition[0] + 1 : condition[1]]
        block = c.scala.group(condition[1] + 1, "{")
        if block is not None and ":=" in c.text[block[0] : block[1]]:
            edits = [(match.start(), match.end(), "when")]
            follow = re.compile(r"\s*else(\s+if)?\b").match(c.scala.code, block[1] + 1)
            while block is not None and follow is not None:
                edits.append((block[1] + 1, follow.end(), " .elsewhen" if follow[1] else " .otherwise"))
                chained = c.scala.group(follow.end(), "(") if follow[1] else None
                block = c.scala.group(chained[1] + 1 if chained else follow.end(), "{")
                follow = re.compile(r"\s*else(\s+if)?\b").match(c.scala.code, block[1] + 1) if block else None
            yield Candidate("when ... otherwise", tuple(edits), safe=True)
            continue
        _, end = c.scala.statement(match.start())
        first, found, second = c.text[condition[1] + 1 : end].partition("else")
        if found:
            values = [value.strip().removeprefix("{").removesuffix("}").strip() for value in (first, second)]
            yield Candidate("use Mux", ((match.start(), end, f"Mux({asked}, {values[0]}, {values[1]})"),), safe=True)


@rule(r"value (?:&&|\|\||unary_!) is not a member of chisel3")
def _logic_on_words(c: Context) -> Iterator[Candidate]:
    """&& and || of a UInt or a Reset."""
    for match in c.matches(r"&&|\|\||!(?!=)", c.around):
        if match[0] == "!":
            start, end = match.end(), c.scala.operand_end(match.end())
        else:
            end = c.scala.skip_space_back(match.start())
            start = c.scala.operand_start(end)
        if "Reset" in c.message or "Clock" in c.message:
            yield Candidate(".asBool", ((end, end, ".asBool"),), safe=True)
        elif start < end:
            if match[0] != "!":
                right = c.scala.operand_end(c.scala.skip_space(match.end()))
                yield Candidate("any bit set on both sides: .orR", ((end, end, ".orR"), (right, right, ".orR")))
            yield Candidate("any bit set: .orR", ((end, end, ".orR"),))
    if "Reset" not in c.message:
        single = [(m.start(), m.end(), m[0][0]) for m in c.matches(r"&&|\|\|", c.around)]
        if single:
            yield Candidate("bit by bit: & and |", tuple(single))


@rule(r"value (?:[-+&|^]=|\+\+|--) is not a member|does not convert to assignment")
def _compound_assignment(c: Context) -> Iterator[Candidate]:
    """r += x, r++."""
    start, end = c.statement
    match = re.compile(r"(?P<x>[\w.()]+?)\s*(?:(?P<op>[-+&|^])=\s*(?P<value>.+)|(?P<twice>\+\+|--))\s*$").match(
        c.text[start:end]
    )
    if match is None:
        return
    operator = match["op"] or match["twice"][0]
    value = match["value"] or "1.U"
    shown = value if re.fullmatch(r"[\w.]+", value) else f"({value})"
    new = f"{match['x']} := {match['x']} {operator} {shown}"
    yield Candidate(new, ((start, end, new),), safe=True)


@rule(r"\[[\w.]+\.type\] do not conform|found\s*: [\w.]+\.type")
def _type_without_parentheses(c: Context) -> Iterator[Candidate]:
    """Wire(Bool), Input(Clock)."""
    edits = [
        (m.end(), m.end(), "()")
        for m in c.matches(r"\b(?:Bool|UInt|SInt|Clock|Reset|AsyncReset)\b(?!\s*[(.\]])", c.around)
    ]
    enums = "|".join(
        m["name"] for m in c.matches(r"\bobject\s+(?P<name>\w+)\s+extends\s+(?:\w+\.)*ChiselEnum\b", c.whole)
    )
    if enums:
        typed = rf"\b(?:Input|Output|Wire|Reg|IO|Vec\(\s*\w+\s*,)\s*\(?\s*(?:{enums})\b(?P<at>)(?!\s*[(.\]])"
        edits += [(m.start("at"), m.start("at"), "()") for m in c.matches(typed, c.around)]
    if edits:
        yield Candidate("with ()", tuple(edits), safe=True)


@rule(r"is not a member of [\w.]+\s*$|is not a member of [\w.]+\n")
def _field_of_io(c: Context) -> Iterator[Candidate]:
    """instance.field where the field belongs to the instance's io."""
    match = re.search(r"value (\w+) is not a member of (?:\w+\.)*(\w+)", c.message)
    if match is None or not re.search(rf"\bclass\s+{match[2]}\b", c.scala.code) or match[1] not in c.scala.io_fields:
        return
    edits = [(m.start(1), m.start(1), "io.") for m in c.matches(rf"(?<=\.)({re.escape(match[1])})\b")]
    edits = [edit for edit in edits if not c.text[: edit[0]].endswith("io.")]
    if edits:
        yield Candidate(f"io.{match[1]}", tuple(edits), safe=True)


@rule(r"expected but|illegal start|not found: (?:value assign|type)|identifier expected|required: \d+$|type parameters")
def _verilog_habits(c: Context) -> Iterator[Candidate]:
    """assign x = y, x[3:0], {a, b}."""
    start, end = c.line
    line = c.text[start:end]
    bound = r"\s*([a-z\d]\w*(?:\s*[-+*]\s*\w+)*)\s*"
    new = re.sub(rf"(?<=[\w)])\[{bound}:{bound}\]", r"(\1, \2)", line)
    if not re.search(r"\b(?:def|class|case)\b|=>", line):
        new = re.sub(rf"(?<=[\w)])\({bound}:{bound}\)", r"(\1, \2)", new)
    new = re.sub(rf"(?<=[a-z\d_)])\[{bound}\]", r"(\1)", new)
    new = re.sub(r"(?<=[a-z\d_)])\[([a-z]\w*\.[\w.]+(?:\([^()\[\]]*\))?)\]", r"(\1)", new)
    new = re.sub(r"(:=\s*)\{([^{}=\n]*,[^{}=\n]*)\}", r"\1Cat(\2)", new)
    new = re.sub(r"^(\s*)assign\s+(.*?)\s*(?<![:=<>!])=(?!=)", r"\1\2 :=", new)
    if new != line:
        yield Candidate("write it in Chisel", ((start, end, new),), safe=True)


@rule(r"cannot be applied to \(chisel3\.UInt, ?(?:Int|chisel3\.UInt)\)|cannot be applied to \(Int, chisel3\.UInt\)")
def _dynamic_slice(c: Context) -> Iterator[Candidate]:
    """x(hi, lo) with signals."""
    call = c.scala.group(c.span[1], "(") or c.scala.enclosing_call(c.span[1])
    arguments = c.scala.arguments(call[0]) if call else []
    if call is None or len(arguments) != 2:
        return
    start = c.scala.operand_start(call[0])
    word, high, low = c.text[start : call[0]], *(c.text[slice(*a)] for a in arguments)
    shifted = f"({word} >> {low})" if low != "0" else word
    low_name = re.escape(low)
    fixed = re.fullmatch(rf"\(?{low_name}\s*\+&?\s*(\d+)(?:\.U)?(?:\([^()]*\))?\)?", high)
    if fixed:
        yield Candidate("shift, then cut", ((start, call[1] + 1, f"{shifted}({fixed[1]}, 0)"),), safe=True)
        return
    count = f"({high} - {low})" if low != "0" else high
    mask = f"({shifted} & ((1.U << ({count} +& 1.U)) - 1.U))"
    yield Candidate("shift and mask", ((start, call[1] + 1, mask),))


@rule(r"found\s*: chisel3\.UInt\s+required: Int")
def _loop_bound(c: Context) -> Iterator[Candidate]:
    """for (i <- 0 until signal): run to the most it can be, and decide inside."""
    found = next(c.matches(r"for\s*\(\s*(?P<i>\w+)\s*<-\s*0\s+(?P<kind>until|to)\s+(?P<n>[\w.]+)\s*\)\s*(?=\{)"), None)
    if found is None:
        return
    block = c.scala.group(found.end(), "{")
    width = re.fullmatch(r"(\d+)\.W", c.scala.widths.get(found["n"].rpartition(".")[2], ""))
    if block is None or width is None or int(width[1]) > 8:
        return
    most = (1 << int(width[1])) - (found["kind"] == "until")
    compare = "<" if found["kind"] == "until" else "<="
    edits = (
        (found.start("n"), found.end("n"), str(most)),
        (block[0] + 1, block[0] + 1, f" when({found['i']}.U {compare} {found['n']}) {{"),
        (block[1], block[1], "} "),
    )
    yield Candidate("run to the maximum, decide inside", edits)


@rule(r"not found: value (?:default|otherwise)")
def _switch_default(c: Context) -> Iterator[Candidate]:
    """A default in a switch stands before it."""
    found = next(c.matches(r"\b(?:default|otherwise)\s*(?=\{)"), None)
    block = c.scala.group(found.end(), "{") if found else None
    outer = c.scala.enclosing_block(found.start()) if found else None
    if found is None or block is None or outer is None:
        return
    start, _ = c.scala.statement(c.scala.skip_space_back(outer[0]))
    if not c.scala.code.startswith("switch", start):
        return
    body = c.text[block[0] + 1 : block[1]].strip()
    first, last = c.whole_lines(found.start(), block[1] + 1)
    edits = ((start, start, f"{body}{c.line_end}{c.indent_at(start)}"), (first, last, ""))
    same = default_may_precede(c, (block[0], block[1] + 1), outer)
    yield Candidate("the default in front of the switch", edits, safe=same)


@rule(r"value (?:and|or|xor) is not a member of chisel3")
def _spelled_operators(c: Context) -> Iterator[Candidate]:
    """a and b, as in VHDL."""
    signs = {"and": ("&&", "&"), "or": ("||", "|"), "xor": ("^", "^")}
    found = list(c.matches(r"(?<=[\w)\]])\s+(?P<word>and|or|xor)\s+(?=[\w(!~])", c.around))
    of_bools = "chisel3.Bool" in c.message
    edits = [(*m.span("word"), signs[m["word"]][0 if of_bools else 1]) for m in found]
    if edits:
        yield Candidate("&, | and ^ for words, && and || for Bools", tuple(edits), safe=True)


@rule(r"not found: value not\b|expected but|value not is not a member")
def _spelled_not(c: Context) -> Iterator[Candidate]:
    """not(x), not x, as in VHDL."""
    found = list(c.matches(r"(?<![\w.])not\b\s*(?=[\w(])", c.whole))
    if not found:
        return
    for sign in "!~":
        yield Candidate(f"{sign} instead of not", tuple((m.start(), m.end(), sign) for m in found), safe=True)


@rule(r"found\s*: List\[chisel3\.UInt\]\s+required: chisel3\.Data")
def _enum_without_nil(c: Context) -> Iterator[Candidate]:
    """val a :: b = Enum(2): b would be a list."""
    edits = [
        (m.end("names"), m.end("names"), " :: Nil")
        for m in c.matches(r"\bval\s+(?P<names>\w+(?:\s*::\s*\w+)+)\s*=\s*Enum\b", c.whole)
        if not m["names"].endswith("Nil")
    ]
    if edits:
        yield Candidate("end the list with Nil", tuple(edits), safe=True)


@rule(r"of class scala\.collection\.immutable\.\$colon\$colon|MatchError")
def _enum_count(c: Context) -> Iterator[Candidate]:
    """val a :: b :: Nil = Enum(3)."""
    edits = []
    for match in c.matches(r"\bval\s+(?P<names>(?:\w+\s*::\s*)+)Nil\s*=\s*Enum\(\s*(?P<n>\d+)\s*\)", c.whole):
        count = str(match["names"].count("::"))
        if match["n"] != count:
            edits.append((match.start("n"), match.end("n"), count))
    if edits:
        yield Candidate("as many states as names", tuple(edits), safe=True)
