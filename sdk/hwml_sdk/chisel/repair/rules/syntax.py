"""What keeps a file from being parsed: brackets, quotes, words and constants of other languages."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule


@rule(r"")
def _else_after_when(c: Context) -> Iterator[Candidate]:
    """else / else if / elsewhen without its dot, after a when block."""
    edits = []
    for match in c.matches(
        r"\}(?P<gap>\s*)(?P<word>else\s+(?:if|when)|elseif|elsif|elif|else|elsewhen|otherwise)\b", c.whole
    ):
        opener = c.scala.closing(match.start())
        if opener is None or not _belongs_to_when(c, opener):
            continue
        word = match["word"]
        new = ".otherwise" if word in ("else", "otherwise") else ".elsewhen"
        gap = match["gap"] if not word.startswith("else") or match["gap"] else " "
        edits.append((match.start() + 1, match.end(), f"{gap or ' '}{new}"))
    if edits:
        yield Candidate("use .otherwise and .elsewhen after when", tuple(edits), safe=True)


def _belongs_to_when(c: Context, opener: int) -> bool:
    """Whether the block at `opener` is one of a when, elsewhen or an else chain that starts with a when."""
    before = c.scala.skip_space_back(opener, lines=True)
    code = c.scala.code
    if before and code[before - 1] == ")" and before - 1 in c.scala.partners:
        head = c.scala.skip_space_back(c.scala.partners[before - 1])
        word = re.search(r"(?:(else)\s+)?(\w+)$", code[:head])
        if word is None:
            return False
        if word[2] in ("when", "elsewhen"):
            return True
        if word[2] in ("if", "elseif", "elsif", "elif"):
            previous = c.scala.skip_space_back(word.start(), lines=True)
            back = c.scala.closing(previous - 1) if previous and code[previous - 1] == "}" else None
            return back is not None and _belongs_to_when(c, back)
    return False


@rule(r"value is is not a member|';' expected|value is does not|is\(")
def _is_on_one_line(c: Context) -> Iterator[Candidate]:
    """`is(a) {...} is(b) {...}` on one line needs a separator."""
    edits = [(m.start() + 1, m.start() + 1, ";") for m in c.matches(r"\}[ \t]+(?=is\s*\()", c.whole)]
    if edits:
        yield Candidate("separate the is blocks", tuple(edits), safe=True)


@rule(r"unclosed string literal")
def _unclosed_string(c: Context) -> Iterator[Candidate]:
    """A quote that was never closed: before the brackets that close the line, or at its end."""
    start, end = c.line
    line = c.text[start:end].rstrip()
    tail = re.search(r"[\s)\]};,]*$", line)
    method = re.search(r"\.(?:U|S|B|asUInt|U\([^()]*\)|asUInt\([^()]*\))[\s)\]};,]*$", line)
    if line.count('"') % 2 and tail:
        places = ([start + method.start()] if method else []) + [start + tail.start(), start + len(line)]
        for at in dict.fromkeys(places):
            yield Candidate("close the string", ((at, at, '"'),))


@rule(
    r"expected but eof found|[Mm]issing closing brace|expected but .* found|unmatched|eof expected|expected start of definition|illegal start"
)
def _missing_bracket(c: Context) -> Iterator[Candidate]:
    """Brackets that were opened and never closed."""
    code = c.scala.code
    for match in re.finditer(r"(?m)^[ \t]*(?P<at>)\.(?:otherwise|elsewhen)\b", code):
        before = c.scala.skip_space_back(match.start(), lines=True)
        if before and code[before - 1] != "}":
            yield Candidate("close the block above", ((match.start("at"), match.start("at"), "}"),))
    if code.count("{") > code.count("}"):
        end = len(c.text.rstrip())
        yield Candidate("close the block at the end", ((end, end, f"{c.line_end}}}"),))
    for opener in [i for i, ch in enumerate(code) if ch == "(" and i not in c.scala.partners][:2]:
        end = code.find("\n", opener)
        end = len(code) if end < 0 else end
        block = code.find("{", opener, end)
        places = [c.scala.skip_space_back(block)] if block > 0 else []
        for at in [*places, c.scala.skip_space_back(len(code[:end].rstrip("\r")))]:
            yield Candidate("close the parenthesis", ((at, at, ")"),))
    for at in [i for i in range(*c.line) if code[i] in ")]}" and i not in c.scala.partners]:
        yield Candidate("one bracket less", ((at, at + 1, ""),))
    for match in c.matches(r"\b(?:when|\.elsewhen|switch|is)[ \t]+(?P<cond>[^({\n][^{\n]*?)[ \t]*(?=\{)"):
        edits = ((match.start("cond"), match.end("cond"), f"({match['cond']})"),)
        yield Candidate("put the condition in parentheses", edits, safe=True)


@rule(r"identifier expected|expected but|not a member|invalid literal|octal")
def _verilog_literal(c: Context) -> Iterator[Candidate]:
    """8'hFF and the like."""
    edits = []
    bases = {"h": '"h{}".U({}.W)', "b": '"b{}".U({}.W)', "o": '"o{}".U({}.W)', "d": "{}.U({}.W)"}
    for match in re.compile(r"\b(\d+)'([hbodHBOD])([0-9a-fA-F_]+)").finditer(c.text, *c.line):
        edits.append((match.start(), match.end(), bases[match[2].lower()].format(match[3], match[1])))
    if edits:
        yield Candidate("write the constant in Chisel", tuple(edits), safe=True)


@rule(r"value \? is not a member|type \w+ is not a member|identifier expected|expected but|not found: type")
def _ternary(c: Context) -> Iterator[Candidate]:
    """cond ? a : b."""
    start, end = c.statement
    code = c.scala.code
    question = code.find("?", start, end)
    if question < 0:
        return
    depth, colon = 0, -1
    for at in range(question + 1, end):
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if code[at] == ":" and depth == 0 and code[at + 1 : at + 2] not in ("=", "<", ">"):
            colon = at
            break
    if colon < 0:
        return
    begin = start
    for operator in (":=", "<>", " = "):
        at = code.rfind(operator, start, question)
        if at >= 0:
            begin = max(begin, c.scala.skip_space(at + len(operator)))
    parts = [c.text[begin:question].strip(), c.text[question + 1 : colon].strip(), c.text[colon + 1 : end].strip()]
    yield Candidate("use Mux", ((begin, end, f"Mux({', '.join(parts)})"),), safe=True)
