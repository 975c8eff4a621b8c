"""Text to the syntax tree of tree-sitter-cpp: of a unit, and of one expression by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

_parser: Parser | None = None

# Blanks and lengths are bounded or looked at once: a text of nothing but blanks costs no more than any other.
_OPERAND = re.compile(r"\(([ \t]*)([A-Za-z_]\w*)([ \t]*)\)(?=\s*[-+]\s*[\w(])")
_TYPE_NAME = re.compile(
    r"\b(?:typedef\b[^;{}]{0,400}?\b(\w{1,200})\s{0,99};|(?:using|struct|class|union|enum|typename)\s{1,99}(\w+))"
)
_BUILT_IN = re.compile(r"(?:(?:un)?signed|char|short|int|long|float|double|half|bool|u?int\d*|\w+_t)\Z")
MAX_EXPRESSION = 4096  # characters of an expression that stands by itself
BEFORE = "auto v = ("  # what such an expression is parsed in


def parse(text: str) -> Tree:
    """The tree of a text, its offsets those of the text."""
    return _usual_parser().parse(_bytes(text))


def parse_pieces(text: str, spans: Iterable[tuple[int, int]]) -> list[Tree]:
    """The tree of what stands between each two offsets, in their order; offsets in the trees are those of the text."""
    from tree_sitter import Parser, Range

    data, row, last = _bytes(text), 0, 0
    parser, found = Parser(_usual_parser().language), []
    for start, end in spans:
        row += text.count("\n", last, start)
        column = start - text.rfind("\n", 0, start) - 1
        # The last row is of no use here, and only has to lie behind the first.
        parser.included_ranges = [Range((row, column), (row + end - start, 0), start, end)]
        found.append(parser.parse(data))
        last = start
    return found


def _usual_parser() -> Parser:
    global _parser  # noqa: PLW0603 - making a parser costs more than most parses
    if _parser is None:
        import tree_sitter
        import tree_sitter_cpp

        _parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_cpp.language()))
    return _parser


def _bytes(text: str) -> bytes:
    """As many as there are characters."""
    return _bare_operands(text).encode("ascii", "replace")


def parse_expression(text: str) -> tuple[str, Tree, Node] | None:
    """(text the node's offsets are in, tree, node) of an expression; None where the text is none.

    The text begins with `BEFORE`, behind which the expression stands as it was given.
    """
    if len(text) > MAX_EXPRESSION:
        return None
    whole = f"{BEFORE}{text});"
    tree = parse(whole)
    root = tree.root_node
    found = root.named_children[0] if root.named_child_count == 1 and not root.has_error else None
    made = found.child_by_field_name("declarator") if found is not None and found.type == "declaration" else None
    value = made.child_by_field_name("value") if made is not None else None
    return None if value is None else (whole, tree, value)


def _bare_operands(text: str) -> str:
    """`(i) + 16 * j` without the parentheses around `i`, which a parser that knows no types may take for a cast."""
    types: set[str] | None = None

    def bare(match: re.Match[str]) -> str:
        nonlocal types
        left, name, right = match.groups()
        if types is None:
            types = {a or b for a, b in _TYPE_NAME.findall(text)}
        if _ends_operand(text, match.start()) or name in types or _BUILT_IN.match(name):
            return match.group()
        return f" {left}{name}{right} "

    return _OPERAND.sub(bare, text)


def _ends_operand(text: str, at: int) -> bool:
    """Whether what stands before `at` is a word or a closing bracket."""
    at -= 1
    while at >= 0 and text[at].isspace():
        at -= 1
    return at >= 0 and (text[at].isalnum() or text[at] in "_)]")
