"""Requests that look at a whole document or at the whole workspace: outline, search, folding, colours, findings."""

from __future__ import annotations

import asyncio
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified

from hwml_sdk.document import Symbol

from . import colours, diagnostics, symbols
from .connection import Server
from .documents import Document
from .wire import symbol_in

KERNELS = "hwml/kernels"
FIRST_RESULT_S = 10.0
HELD_S = 30.0  # how long a request for findings of the workspace waits for anything new
MAX_FINDINGS = 2000  # of files that are not open


def register(server: Server) -> None:
    """Register the requests."""
    server.session.workspace.on_change = lambda: _tell_kernels(server)
    _outline(server)
    _colours(server)
    _search(server)
    _findings(server)


async def outline(server: Server, document: Document) -> list[Symbol]:
    """Parts of a document as its language knows them, else as they have figures."""
    language, known = document.language, []
    if language is not None and language.outlines and not document.is_too_large:
        raw = await server.session.ask("outline", document, 0, 0)
        known = [symbol_in(item) for item in raw or ()]
    elif not document.analysed:
        await document.wait(document.has_anything, timeout_s=FIRST_RESULT_S)
    return symbols.outline_of(document, known)


def _outline(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, lsp.DocumentSymbolOptions(label="hwml"))
    async def document_symbols(params: lsp.DocumentSymbolParams) -> Any:
        document = session.document(params.text_document.uri)
        if document is None:
            return []
        return symbols.answer(document, session.client, await outline(server, document))

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folding(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        document = session.document(params.text_document.uri)
        if document is None or document.is_too_large:
            return []
        version = document.version
        found = await outline(server, document)
        if document.version != version:
            raise JsonRpcContentModified
        return symbols.folds(document, found)


def _colours(server: Server) -> None:
    session = server.session

    async def tokens(uri: str, first: int, last: int) -> lsp.SemanticTokens:
        document = session.document(uri)
        if document is None or document.is_too_large:
            return lsp.SemanticTokens([])
        version = document.version
        raw = await session.ask("tokens", document, first, 0)
        if document.version != version:
            raise JsonRpcContentModified
        return lsp.SemanticTokens(colours.encoded(document, raw or (), first, last))

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colours.LEGEND)
    async def whole(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return await tokens(params.text_document.uri, 0, 1 << 30)

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, colours.LEGEND)
    async def part(params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        return await tokens(params.text_document.uri, params.range.start.line, params.range.end.line)


def _search(server: Server) -> None:
    session = server.session

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def search(params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        session.look_at_workspace()
        await _first_look(server)
        found: list[lsp.SymbolInformation] = []
        for document in session.everything():
            parts = await outline(server, document)
            for item in symbols.flat(document, parts):
                if symbols.matches(params.query, item.name.partition("  ")[0]):
                    found.append(item)
            if len(found) >= symbols.MAX_FOUND:
                break
        return found[: symbols.MAX_FOUND]


async def _first_look(server: Server) -> None:
    """Wait a while for the workspace to be looked at."""
    workspace = server.session.workspace
    end = asyncio.get_running_loop().time() + FIRST_RESULT_S
    while server.session.has_overview and not workspace.is_over and asyncio.get_running_loop().time() < end:
        await workspace.wait(1.0)


def _findings(server: Server) -> None:
    session = server.session

    def reports(known: dict[str, str]) -> list[Any]:
        found: list[Any] = []
        left = MAX_FINDINGS
        gone = set(known)
        for document in session.workspace.documents.values():
            gone.discard(document.uri)
            if document.uri in session.documents:
                continue
            items = diagnostics.shown(document)[:left]
            left -= len(items)
            mark = f"{hash(tuple(items)) & 0xFFFFFFFFFFFF:x}"
            if known.get(document.uri, "") != mark and (items or document.uri in known):
                told = [diagnostics.to_lsp(document, item, session.client) for item in items]
                found.append(lsp.WorkspaceFullDocumentDiagnosticReport(document.uri, told, None, result_id=mark))
        for uri in gone - set(session.documents):
            if known[uri] != "gone":
                found.append(lsp.WorkspaceFullDocumentDiagnosticReport(uri, [], None, result_id="gone"))
        return found

    @server.feature(lsp.WORKSPACE_DIAGNOSTIC)
    async def workspace_findings(params: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
        session.look_at_workspace()
        known = {item.uri: item.value for item in params.previous_result_ids}
        end = asyncio.get_running_loop().time() + HELD_S
        while not (found := reports(known)) and asyncio.get_running_loop().time() < end:
            await session.workspace.wait(end - asyncio.get_running_loop().time())
        return lsp.WorkspaceDiagnosticReport(found)


# -- all designs of the workspace ----------------------------------------------------------------------------


def kernels(server: Server) -> dict[str, Any]:
    """Every design of the workspace with its figures, open files as they stand: what a list in an editor shows."""
    session = server.session
    session.look_at_workspace()
    found = [
        {
            "uri": document.uri,
            "name": item.name,
            "kind": item.kind,
            "line": item.span.start_line,
            "character": document.text.to_units(item.span.start_line, item.span.start_character)[1],
            "summary": item.summary or item.label,
            "stale": item.stale,
            "figures": document.figures[item.name].to_dict() if item.name in document.figures else {},
        }
        for document in session.everything()
        for item in document.results.annotations
        if item.is_design or item.kind == "module"
    ]
    workspace = session.workspace
    about = {"complete": workspace.complete, "problem": workspace.problem, "left_out": workspace.left_out}
    return {"kernels": found, **about}


def _tell_kernels(server: Server) -> None:
    if server.session.client.status:
        server.protocol.notify(KERNELS, {"complete": server.session.workspace.complete})
