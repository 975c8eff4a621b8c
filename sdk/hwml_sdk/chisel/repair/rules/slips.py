"""Slips of a hand: a letter of a key word, a bracket or a dot that was not typed. Most are choices for a person."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .names import KNOWN_NAMES

_KEYWORDS: tuple[str, ...] = ("abstract", "case", "class", "def", "extends", "for", "import", "object", "override")
_KEYWORDS += ("package", "private", "sealed", "trait", "val", "var", "with")
_ALIKE = 0.7
_CALLS = ("U", "S", "W", "B", "apply", "fill", "tabulate", "when", "elsewhen", "switch", "is", "until", "to")
_MOST_PLACES = 6


@rule(r"expected class or object|expected start of definition|not found|expected but|illegal start")
def _misspelt_keyword(c: Context) -> Iterator[Candidate]:
    """clss Counter, vla x = ...: a word that begins a definition and that nothing else here is called."""
    for match in c.matches(r"(?m)(?<![\w.])(?P<word>[a-z]{2,})(?=[ \t]+[\w\"{(])", c.line):
        word = match["word"]
        near = difflib.get_close_matches(word, _KEYWORDS, n=2, cutoff=_ALIKE)
        if word in _KEYWORDS or not near or len(re.findall(rf"\b{word}\b", c.scala.code)) > 1:
            continue
        for keyword in near:
            yield Candidate(f"{keyword} instead of {word}", ((*match.span("word"), keyword),))


def _names(c: Context) -> set[str]:
    """What a name of this text may be: declared here, a parameter, or Chisel's."""
    return {*c.scala.declared, *c.scala.io_fields, *c.scala.parameters, *KNOWN_NAMES, *_CALLS}


@rule(r"expected but|not found|illegal start|unmatched|eof expected|not a member")
def _opening_not_typed(c: Context) -> Iterator[Candidate]:
    """buffersi).io, RegInitfalse.B): a name that runs into what its parentheses held."""
    line = c.scala.code[slice(*c.line)]
    if line.count("(") >= line.count(")"):
        return
    known = _names(c)
    for match in c.matches(r"\b[A-Za-z_]\w+"):
        word = match[0]
        if c.scala.declared[word]:
            continue
        for cut in range(len(word) - 1, 0, -1):  # the longest name first
            if word[:cut] in known:
                at = match.start() + cut
                yield Candidate(f"{word[:cut]}(", ((at, at, "("),))
                break


@rule(r"expected but|illegal start|unmatched|eof expected|expected start of definition")
def _closing_not_typed(c: Context) -> Iterator[Candidate]:
    """buffers(i.io.deq: somewhere behind an opening parenthesis that nothing closes."""
    code = c.scala.code
    for opener in [i for i, mark in enumerate(code) if mark == "(" and i not in c.scala.partners][:2]:
        end = code.find("\n", opener)
        for match in list(re.compile(r"\w+(?=\s*[.\s])").finditer(code, opener, end))[:_MOST_PLACES]:
            yield Candidate("close the parenthesis", ((match.end(), match.end(), ")"),))


@rule(r"not found: value \w+|value \w+ is not a member of")
def _dot_not_typed(c: Context) -> Iterator[Candidate]:
    """ioenq.bits, a.iodeq: two names that ran into each other."""
    match = re.search(r"not found: value (\w+)|value (\w+) is not a member of", c.message)
    word = (match[1] or match[2]) if match else ""
    at = c.scala.code.find(word, c.span[0], c.line[1]) if word else -1
    if at < 0 or c.scala.declared[word]:
        return
    known = _names(c)
    for cut in range(2, len(word)):
        if word[:cut] in known and word[cut:] in known:
            yield Candidate(f"{word[:cut]}.{word[cut:]}", ((at + cut, at + cut, "."),))
