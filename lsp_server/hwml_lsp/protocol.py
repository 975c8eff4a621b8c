"""The protocol's rules where pygls leaves them to the server: which errors answer what, and who keeps the text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import (
    JsonRpcContentModified,
    JsonRpcException,
    JsonRpcInvalidRequest,
    JsonRpcServerNotInitialized,
)
from pygls.protocol import JsonRPCNotification, LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

log = logging.getLogger("hwml_lsp.protocol")


class ServerCancelled(JsonRpcException):
    """The server gave a request up; for pulled diagnostics the client is told to ask again."""

    CODE = -32802
    MESSAGE = "Server Cancelled"


# Answers that are part of normal work and no error to log.
_EXPECTED = (JsonRpcContentModified, ServerCancelled)


class Protocol(LanguageServerProtocol):
    """pygls' protocol with documents left to the server's own store, and stricter answers."""

    initialized_once = False
    shut_down_cleanly = False

    # -- documents: pygls keeps no copy --

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        """Leave it to the server."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Leave it to the server."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Generator[Any, Any, None]:
        """Leave it to the server."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CLOSE], (params,), None

    # -- errors --

    def structure_message(self, data: dict[str, Any]) -> Any:
        """As pygls, but a request with wrong parameters gets its answer instead of silence."""
        if "jsonrpc" not in data or "method" not in data or not isinstance(data.get("id"), int | str):
            return super().structure_message(data)
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            self._send_response(data["id"], None, error.to_response_error())
            return JsonRPCNotification(method="$/hwml/answered", jsonrpc="2.0", params=None)

    def handle_message(self, message: Any) -> None:
        """As pygls; after `shutdown` requests are refused, not ignored."""
        method = getattr(message, "method", "")
        number = getattr(message, "id", None)
        if not hasattr(message, "jsonrpc"):
            raise JsonRpcInvalidRequest("not a JSON-RPC message")
        if self._shutdown and method and method != lsp.EXIT:
            if number is not None:
                self._send_response(number, None, JsonRpcInvalidRequest("after shutdown").to_response_error())
            return
        if method.startswith("$/") and number is None and method not in (lsp.CANCEL_REQUEST, lsp.SET_TRACE):
            return  # such notifications may be ignored by anyone
        super().handle_message(message)

    def _handle_request(self, msg_id: int | str, method_name: str, params: Any) -> None:
        error: JsonRpcException | None = None
        if method_name == lsp.INITIALIZE:
            if self.initialized_once:
                error = JsonRpcInvalidRequest("initialize may be sent once only")
            self.initialized_once = True
        elif not self.initialized_once:
            error = JsonRpcServerNotInitialized()
        if error is not None:
            self._send_response(msg_id, None, error.to_response_error())
            return
        super()._handle_request(msg_id, method_name, params)

    def _handle_notification(self, method_name: str, params: Any) -> None:
        if self.initialized_once or method_name == lsp.EXIT:
            super()._handle_notification(method_name, params)

    def _execute_handler(
        self,
        msg_id: int | str,
        handler: Callable[..., Any],
        callback: Callable[[Future[Any]], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """As pygls, but futures of notifications are forgotten when they are done; pygls 2.1 keeps them for ever.

        A plain function may also give a future where it cannot answer at once: what it can is answered without a task.
        """

        def done(future: Any) -> None:
            later = None if future.cancelled() or future.exception() is not None else future.result()
            if isinstance(later, asyncio.Future):
                futures: dict[Any, Any] = self._request_futures  # pygls keeps both kinds of futures in it
                futures[msg_id] = later
                later.add_done_callback(done)
                return
            callback(future)
            self._request_futures.pop(msg_id, None)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _handle_cancel_notification(self, msg_id: int | str) -> None:
        if msg_id in self._request_futures:  # the others were answered already
            super()._handle_cancel_notification(msg_id)

    def _send_handler_result(self, future: Future[Any], *, msg_id: int | str) -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, _EXPECTED):
            self._request_futures.pop(msg_id, None)
            self._send_response(msg_id, None, error.to_response_error())
            return
        super()._send_handler_result(future, msg_id=msg_id)

    @lsp_method(lsp.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """Let the server clean up, then cancel what is under way; remembered for the exit status."""
        yield self.fm.features[lsp.SHUTDOWN], args, None
        for number, future in list(self._request_futures.items()):
            if number != self.msg_id and not future.done():
                future.cancel()
        self._shutdown = True
        self.shut_down_cleanly = True
