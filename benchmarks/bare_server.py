"""A pygls server whose handlers are empty: what the library, the pipe and the client cost by themselves."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

server = LanguageServer("bare", "0", text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental)


@server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
def opened(_params: lsp.DidOpenTextDocumentParams) -> None:
    return None


@server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
def hints(_params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    return []


@server.feature(lsp.TEXT_DOCUMENT_HOVER)
def hover(_params: lsp.HoverParams) -> None:
    return None


if __name__ == "__main__":
    server.start_io()
