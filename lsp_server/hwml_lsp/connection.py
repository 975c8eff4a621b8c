"""The connection to one client: pygls' server with a session, its background work, and words to the person."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from hwml_sdk import __version__

from .protocol import Protocol
from .session import Session

log = logging.getLogger("hwml_lsp.server")


class Server(LanguageServer):
    """pygls' server with a session."""

    def __init__(self, session: Session) -> None:
        super().__init__(
            "hwml-lsp",
            __version__,
            protocol_cls=Protocol,
            converter_factory=default_converter,
            text_document_sync_kind=lsp.TextDocumentSyncKind.Incremental,
        )
        self.session = session
        self.tasks: set[asyncio.Task[Any]] = set()
        self.generating: dict[str, asyncio.Event] = {}  # by document; set: to end with what is there
        self.shown: dict[str, dict[str, Any]] = {}  # what the client has seen of a document, by feature

    def spawn(self, work: Any) -> None:
        """Run something beside the requests; its failure is logged."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work failed", exc_info=error)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Wrong input is answered or logged; it is not worth a message box."""
        if isinstance(error, ValueError) and source is JsonRpcException:  # the body was no JSON: no id to answer to
            self.protocol._send_response(None, None, JsonRpcException("Parse Error", -32700).to_response_error())  # type: ignore[arg-type]
            return
        log.warning("%s: %s", getattr(source, "__name__", source), error)

    def say(self, severity: str, text: str) -> None:
        """Tell the person: as a message, or in the log."""
        if severity == "log":
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Info, text))
            return
        kinds = {"error": lsp.MessageType.Error, "warning": lsp.MessageType.Warning}
        self.window_show_message(lsp.ShowMessageParams(kinds.get(severity, lsp.MessageType.Info), text))
