"""The trees of a text that is half-typed: each thing at file level by itself, so that what is broken breaks no other.

The grammar's recovery from a mistake has no end of its own: a loop head that somebody just typed takes the next
function for its body, and what was that function's body stands loose. Braces say where one thing ends and the next
begins, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from .parsing import parse, parse_pieces

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_PIECES = 4000  # so that a text of nothing but mistakes costs no more than a few times its whole
_TOKEN = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[{};]")
_ENDS_LINE = re.compile(r"[ \t]*;?[ \t]*(?:\n|\Z)")


def roots(text: str) -> list[Node]:
    """The root of the text's tree; those of its pieces where less of the text is broken in them."""
    whole = parse(text).root_node
    if not whole.has_error:
        return [whole]
    cut = [[tree.root_node for tree in parse_pieces(text, spans)] for spans in _ways_to_cut(text)]
    candidates = [[whole], *cut]
    return min(candidates, key=lambda nodes: sum(map(_broken, nodes)))  # the first of those that are equal: the whole


def _ways_to_cut(text: str) -> Iterator[list[tuple[int, int]]]:
    """By braces; by those at the margin too, which end a function of which one is open."""
    last: list[tuple[int, int]] = []
    for trusts_margin in (False, True):
        cuts = [0, *_cuts(text, trusts_margin), len(text)]
        spans = [(a, b) for a, b in pairwise(cuts) if text[a:b].strip()]
        if 1 < len(spans) <= MAX_PIECES and spans != last:  # where all braces are closed, both ways are the same
            yield spans
        last = spans


def _cuts(text: str, trusts_margin: bool) -> Iterator[int]:
    depth = 0
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign == "{":
            depth += 1
        elif sign == "}":
            at_margin = token.start() == 0 or text[token.start() - 1] == "\n"
            depth = 0 if at_margin and trusts_margin else max(depth - 1, 0)
        if sign in "};" and not depth and (end := _ENDS_LINE.match(text, token.end())):
            yield end.end()


def _broken(root: Node) -> int:
    """How many characters stand in no rule of the grammar; a sign that is missing counts as one."""
    found, pending = 0, [root]
    while pending:
        node = pending.pop()
        if node.type == "ERROR" or node.is_missing:
            found += max(node.end_byte - node.start_byte, 1)
        else:
            pending += [child for child in node.children if child.has_error or child.is_missing]
    return found
