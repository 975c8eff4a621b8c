"""Semantic tokens: words of pragmas that an editor's own grammar of C++ gives one colour."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from hwml_sdk.document import TokenKind

from .documents import Document

_TYPES: dict[TokenKind, lsp.SemanticTokenTypes] = {
    "pragma": lsp.SemanticTokenTypes.Macro,
    "dialect": lsp.SemanticTokenTypes.Namespace,
    "directive": lsp.SemanticTokenTypes.Keyword,
    "option": lsp.SemanticTokenTypes.Property,
    "value": lsp.SemanticTokenTypes.EnumMember,
    "number": lsp.SemanticTokenTypes.Number,
    "variable": lsp.SemanticTokenTypes.Variable,
}
LEGEND = lsp.SemanticTokensLegend([kind.value for kind in _TYPES.values()], [])
_INDEX: dict[str, int] = {kind: number for number, kind in enumerate(_TYPES)}


def encoded(document: Document, raw: Sequence[Sequence[int | str]], first: int, last: int) -> list[int]:
    """Tokens of the lines from `first` to `last` as the protocol packs them: each by its distance from the last."""
    found: list[int] = []
    before_line = before_start = 0
    for line, start, length, kind in raw:
        assert isinstance(line, int)
        assert isinstance(start, int)
        assert isinstance(length, int)
        if not first <= line <= last or line >= document.text.lines:
            continue
        _, begin = document.text.to_units(line, start)
        _, end = document.text.to_units(line, start + length)
        found += [line - before_line, begin - (before_start if line == before_line else 0), end - begin]
        found += [_INDEX[str(kind)], 0]
        before_line, before_start = line, begin
    return found
