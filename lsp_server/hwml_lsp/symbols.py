"""Outline, folding and search: functions, loops, modules and instances with their figures, in LSP terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from lsprotocol import types as lsp

from hwml_sdk.document import Annotation, Span, Symbol, SymbolKind

from .client import Client
from .diagnostics import to_range
from .documents import Document
from .hints import marked

MAX_FOUND = 500  # what a search in the workspace answers with
_KIND: dict[SymbolKind, lsp.SymbolKind] = {
    "function": lsp.SymbolKind.Function,
    "loop": lsp.SymbolKind.Operator,
    "module": lsp.SymbolKind.Module,
    "instance": lsp.SymbolKind.Object,
}
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma\b", re.IGNORECASE)


def outline_of(document: Document, known: Sequence[Symbol]) -> list[Symbol]:
    """Parts of a document: those its text shows where the language tells them, with figures; else what has figures."""
    if known:
        said = {item.name: marked(item, item.label) for item in document.results.annotations if item.kind == "module"}
        return [_with_details(symbol, said) for symbol in known]
    return _nested(sorted(document.results.annotations, key=lambda a: (_whole(a).start_line, -_whole(a).end_line)))


def _with_details(symbol: Symbol, said: dict[str, str]) -> Symbol:
    of = symbol.detail if symbol.kind == "instance" else symbol.name
    words = " · ".join(word for word in (symbol.detail, said.get(of, "")) if word)
    children = tuple(_with_details(child, said) for child in symbol.children)
    return Symbol(symbol.name, symbol.kind, symbol.span, symbol.extent, words, children)


def _whole(item: Annotation) -> Span:
    """All of an annotation, its head included."""
    if item.extent is None:
        return item.span
    return Span(*min(_start(item.span), _start(item.extent)), *max(_end(item.span), _end(item.extent)))


def _start(span: Span) -> tuple[int, int]:
    return span.start_line, span.start_character


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_character


def _nested(items: Sequence[Annotation]) -> list[Symbol]:
    """Annotations, outer ones first, as trees: each holds those that stand inside it."""
    found: list[Symbol] = []
    at = 0
    while at < len(items):
        whole, behind = _whole(items[at]), at + 1
        while behind < len(items) and _start(items[behind].span) <= _end(whole):
            behind += 1
        item = items[at]
        children = tuple(_nested(items[at + 1 : behind]))
        end = max([_end(whole), *(_end(child.extent) for child in children)])
        extent = Span(*_start(whole), *end)
        found.append(Symbol(item.name, item.kind, item.span, extent, marked(item, item.label), children))
        at = behind
    return found


def to_lsp(document: Document, symbols: Sequence[Symbol]) -> list[lsp.DocumentSymbol]:
    """As a tree."""
    return [
        lsp.DocumentSymbol(
            symbol.name or "?",
            _KIND[symbol.kind],
            to_range(document, symbol.extent),
            to_range(document, symbol.span),
            detail=symbol.detail or None,
            children=to_lsp(document, symbol.children),
        )
        for symbol in symbols
    ]


def flat(document: Document, symbols: Sequence[Symbol], above: str = "") -> Iterator[lsp.SymbolInformation]:
    """One by one, each with the name of what it is in; figures stand behind the name, where else would they."""
    for symbol in symbols:
        words = f"{symbol.name}  {symbol.detail}" if symbol.detail else symbol.name
        place = lsp.Location(document.uri, to_range(document, symbol.span))
        yield lsp.SymbolInformation(place, words or "?", _KIND[symbol.kind], container_name=above or None)
        yield from flat(document, symbol.children, symbol.name)


def answer(
    document: Document, client: Client, symbols: Sequence[Symbol]
) -> list[lsp.DocumentSymbol] | list[lsp.SymbolInformation]:
    """In the form the client takes."""
    return to_lsp(document, symbols) if client.nests_symbols else list(flat(document, symbols))


def matches(query: str, name: str) -> bool:
    """Whether the letters of a query come in a name in this order, as editors search."""
    letters = iter(name.lower())
    return all(letter in letters for letter in query.lower() if not letter.isspace())


def folds(document: Document, symbols: Sequence[Symbol]) -> list[lsp.FoldingRange]:
    """Functions, loops and modules, and pragmas that stand below each other."""
    text = document.text
    found = {(s.extent.start_line, s.extent.end_line): lsp.FoldingRangeKind.Region for s in _all(symbols)}
    lines = [number for number in range(text.lines) if _PRAGMA.match(text.line(number))]
    first: int | None = None
    for number, following in pairwise([*lines, -1]):
        first = number if first is None else first
        if following != number + 1:
            found.setdefault((first, number), lsp.FoldingRangeKind.Comment)
            first = None
    return [
        lsp.FoldingRange(start, end, kind=kind if kind is lsp.FoldingRangeKind.Comment else None)
        for (start, end), kind in sorted(found.items())
        if start < end < text.lines
    ]


def _all(symbols: Sequence[Symbol]) -> Iterator[Symbol]:
    for symbol in symbols:
        yield symbol
        yield from _all(symbol.children)
