"""Scala that does not parse or type as written: loops, choices and classes of other languages, forgotten words."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .switches import case_edits

_C_FOR = re.compile(
    r"\bfor\s*\(\s*(?:(?:int|Int|var|val|integer)\s+)?(?P<i>\w+)\s*=\s*(?P<a>[^;()]+);\s*(?P=i)\s*(?P<op><=?|>=?)\s*(?P<b>[^;]+?);"
    r"\s*(?:(?P=i)\s*(?P<twice>\+\+|--)|(?P<ahead>\+\+|--)\s*(?P=i)|(?P=i)\s*(?P<sign>[-+])=\s*(?P<k>[\w.]+)"
    r"|(?P=i)\s*=\s*(?P=i)\s*(?P<plus>[-+])\s*(?P<n>[\w.]+))\s*\)"
)


@rule(r"'<-' expected but")
def _c_loop(c: Context) -> Iterator[Candidate]:
    """for (i = 0; i < n; i++)."""
    edits = []
    for match in _C_FOR.finditer(c.scala.code):
        step = match["k"] or match["n"] or "1"
        down = "-" in (match["twice"] or match["ahead"] or match["sign"] or match["plus"])
        if down == match["op"].startswith("<"):
            continue  # such a loop would not end
        reach = "to" if match["op"].endswith("=") else "until"
        by = f" by {'-' if down else ''}{step}" if down or step != "1" else ""
        new = f"for ({match['i']} <- {match['a'].strip()} {reach} {match['b'].strip()}{by})"
        edits.append((match.start(), match.end(), new))
    if edits:
        yield Candidate("for over a range", tuple(edits), safe=True)


@rule(r"illegal start of simple expression")
def _if_as_operand(c: Context) -> Iterator[Candidate]:
    """x := if (c) a else b: Scala wants parentheses around it, a signal as condition wants Mux."""
    for match in c.matches(r"(?::=|[-+&|^*]|===|=/=)\s*(?P<at>)if\b"):
        found = _if_value(c, match.start("at"))
        if found is not None:
            end, mux = found
            start = match.start("at")
            yield Candidate("use Mux", ((start, end, mux),), safe=True)
            yield Candidate("parentheses around it", ((start, start, "("), (end, end, ")")), safe=True)


def _if_value(c: Context, start: int) -> tuple[int, str] | None:
    """Where an if-expression ends, and the Mux that says the same of signals."""
    condition = c.scala.group(start + 2, "(")
    first = _branch(c, condition[1] + 1) if condition else None
    if condition is None or first is None:
        return None
    follow = re.compile(r"\s*else\b\s*").match(c.scala.code, first[0])
    if follow is None:
        return None
    chained = re.compile(r"if\b").match(c.scala.code, follow.end()) is not None
    second = _if_value(c, follow.end()) if chained else _branch(c, follow.end())
    if second is None:
        return None
    return second[0], f"Mux({c.text[condition[0] + 1 : condition[1]].strip()}, {first[1]}, {second[1]})"


def _branch(c: Context, start: int) -> tuple[int, str] | None:
    """End and text of a branch: one expression, with or without braces."""
    start = c.scala.skip_space(start, lines=True)
    block = c.scala.group(start, "{")
    if block is not None:
        inner = c.text[block[0] + 1 : block[1]].strip()
        return (block[1] + 1, inner) if inner and "\n" not in inner and ";" not in inner else None
    stop = c.scala.statement(start)[1]
    word = re.compile(r"\s*\belse\b").search(c.scala.code, start, stop)
    end = word.start() if word else stop
    return (end, c.text[start:end].strip()) if end > start else None


@rule(r"expected but|illegal start|not found: value _|constructor pattern|type mismatch|is not a member")
def _match_on_signal(c: Context) -> Iterator[Candidate]:
    """signal match { case 0.U => ... }, and case inside switch."""
    for match in c.matches(
        r"(?:\bswitch\s*(?P<switch>\()|(?<![\w.])(?P<key>[\w.]+(?:\([^()\n]*\))?)\s+match\b\s*)", c.whole
    ):
        if match["switch"]:
            key = c.scala.group(match.start("switch"), "(")
            block = c.scala.group(key[1] + 1, "{") if key else None
        else:
            block = c.scala.group(match.end(), "{")
        if block is None or not block[0] < c.span[0] <= block[1]:
            continue
        edits = case_edits(c, block, match.start())
        if not edits:
            continue
        if match["key"]:
            edits.append((match.start(), block[0], f"switch({match['key']}) "))
        yield Candidate("switch and is", tuple(edits), safe=True)


@rule(r"';' expected but ','")
def _commas_between_definitions(c: Context) -> Iterator[Candidate]:
    """val a = ..., at the end of a line."""
    block = c.scala.enclosing_block(c.span[0])
    edits = []
    for match in c.matches(r"(?m)^[ \t]*(?:val|var|def)\b[^\n]*?(?P<comma>,)[ \t]*\r?$", block or c.whole):
        at = match.start("comma")
        inside = c.scala.enclosing_call(at)
        if c.scala.enclosing_block(at) == block and (inside is None or block is None or inside[0] < block[0]):
            edits.append((at, at + 1, ""))
    if edits:
        yield Candidate("no commas between definitions", tuple(edits), safe=True)


@rule(r"illegal start|expected but")
def _bundle_in_parentheses(c: Context) -> Iterator[Candidate]:
    """new Bundle ( val ... )."""
    edits = []
    for match in c.matches(r"\bnew\s+Bundle\s*(?=\()", c.whole):
        group = c.scala.group(match.end(), "(")
        if group and re.match(r"\s*val\b", c.scala.code[group[0] + 1 : group[1]]):
            edits += [(group[0], group[0] + 1, "{"), (group[1], group[1] + 1, "}")]
    if edits:
        yield Candidate("braces around the fields", tuple(edits), safe=True)


@rule(r"':' expected but")
def _untyped_parameters(c: Context) -> Iterator[Candidate]:
    """class Fifo(depth), def inc(x)."""
    for match in c.matches(r"\b(?P<kind>class|def)\s+\w+(?:\[[^\]\n]*\])?\s*(?=\()"):
        group = c.scala.group(match.end(), "(")
        bare = [a for a in c.scala.arguments(group[0]) if ":" not in c.text[slice(*a)]] if group else []
        for kind in ("Int",) if match["kind"] == "class" else ("UInt", "Int"):
            edits = []
            for start, end in bare:
                name, _, value = c.text[start:end].partition("=")
                typed = "Boolean" if value.strip() in ("true", "false") else "String" if '"' in value else kind
                at = start + len(name.rstrip())
                edits.append((at, at, f": {typed}"))
            if edits:
                yield Candidate(f"of type {kind}", tuple(edits), safe=match["kind"] == "class")


@rule(r"not found: value \w+")
def _forgotten_val(c: Context) -> Iterator[Candidate]:
    """count = RegInit(0.U) where nothing of that name is defined."""
    name = re.search(r"not found: value (\w+)", c.message)
    makers = r"Input|Output|Flipped|Decoupled|Valid|IO|Vec|VecInit|[US]Int|Bool|Wire\w*|Reg\w*|Module|Mem|SyncReadMem|Mux|Cat"
    if name is None or re.search(rf"\b(?:val|var|def)\s+{name[1]}\b", c.scala.code[slice(*c.home)]):
        return
    for match in c.matches(rf"(?m)(?:^|[{{;])[ \t]*(?P<at>){name[1]}\s*=\s*(?:{makers})\b", c.home):
        yield Candidate(f"val {name[1]}", ((match.start("at"), match.start("at"), "val "),), safe=True)
        return


@rule(r"Missing closing brace|expected but eof|eof expected|'\}' expected|expected but '\}'")
def _brace_by_indent(c: Context) -> Iterator[Candidate]:
    """A block that the indentation ends, but no brace."""
    code = c.scala.code
    if code.count("{") <= code.count("}"):
        return
    lines = code.splitlines(keepends=True)
    starts = [sum(map(len, lines[:index])) for index in range(len(lines) + 1)]
    for index, line in enumerate(lines):
        depth = 0
        for character in line:
            depth = max(depth + (character == "{") - (character == "}"), 0)
        if depth == 0:
            continue
        indent = len(line) - len(line.lstrip())
        follow = next(
            (n for n in range(index + 1, len(lines)) if lines[n].strip() and _indent(lines[n]) <= indent), None
        )
        if follow is None or (_indent(lines[follow]) == indent and lines[follow].lstrip().startswith("}")):
            continue
        if follow == index + 1:  # the block ends on its own line
            at = c.scala.skip_space_back(starts[index + 1], lines=True)
            yield Candidate("close the block on its line", ((at, at, " }"),))
        else:
            at = c.scala.skip_space_back(starts[follow], lines=True)
            yield Candidate("close the block where its indent ends", ((at, at, f"{c.line_end}{line[:indent]}}}"),))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@rule(r"found\s*: (?:chisel3\.)?\w+(?:\(\d+\))?\s+required: (?:chisel3\.)?\w+")
def _return_type(c: Context) -> Iterator[Candidate]:
    """def f(x: UInt): Bool = something else."""
    types = re.search(r"found\s*: (?:chisel3\.)?(\w+)\S*\s+required: (?:chisel3\.)?(\w+)", c.message)
    if types is None:
        return
    defined = list(c.matches(r"\bdef\s+\w+[^=\n{]*:\s*(?P<type>\w+)\s*=", (0, c.span[1])))
    if defined and defined[-1]["type"] == types[2] and _in_body(c, defined[-1].end()):
        edit = (defined[-1].start("type"), defined[-1].end("type"), types[1])
        yield Candidate(f"the function returns {types[1]}", (edit,))


def _in_body(c: Context, start: int) -> bool:
    """Whether the range lies in the expression or block that starts at `start`."""
    block = c.scala.group(start, "{")
    end = block[1] if block else c.scala.statement(c.scala.skip_space(start, lines=True))[1]
    return start <= c.span[0] <= end


@rule(r"found\s*: Unit")
def _procedure(c: Context) -> Iterator[Candidate]:
    """def f(x: UInt) { ... } returns nothing; with = it returns its last line."""
    for match in c.matches(r"\bdef\s+(?P<name>\w+)\s*(?=\()", c.whole):
        group = c.scala.group(match.end(), "(")
        if (
            group
            and c.scala.group(group[1] + 1, "{")
            and re.search(rf"\b{match['name']}\b", c.scala.code[slice(*c.around)])
        ):
            yield Candidate(f"= after def {match['name']}", ((group[1] + 1, group[1] + 1, " ="),), safe=True)


_KEYWORDS = (
    "val",
    "var",
    "def",
    "class",
    "object",
    "trait",
    "extends",
    "import",
    "package",
    "new",
    "with",
    "for",
    "override",
)


@rule(r"not found|expected but|illegal start|expected start|is not a member of package|expected class or object")
def _keyword_in_capitals(c: Context) -> Iterator[Candidate]:
    """Val x = ..., exTends: Scala's own words in another case."""
    for match in c.matches(rf"(?i)(?<![\w.])(?:{'|'.join(_KEYWORDS)})(?=\s)"):
        if match[0] != match[0].lower() and not c.scala.declared[match[0]]:
            yield Candidate(f"{match[0].lower()} is written small", ((*match.span(), match[0].lower()),), safe=True)


_CALLED = r"Input|Output|Flipped|Decoupled|Valid|UInt|SInt|Bool|IO|Vec|VecInit|Wire|WireDefault|WireInit|Reg|RegInit|RegNext|RegEnable|Module|Mux|Cat|Fill|when|switch|is"


@rule(r"expected but|not found|illegal start|unmatched")
def _lost_opening(c: Context) -> Iterator[Candidate]:
    """InputBool()): a name that runs into what its parentheses held."""
    start, end = c.line
    line = c.scala.code[start:end]
    if line.count("(") >= line.count(")") and c.scala.code.count("(") >= c.scala.code.count(")"):
        return
    for match in c.matches(rf"\b(?:{_CALLED})(?P<at>)(?P<rest>[A-Za-z0-9_]\w*)"):
        if not c.scala.declared[match[0]]:
            yield Candidate("open the parenthesis", ((match.start("at"), match.start("at"), "("),))
