"""`hwml mcp`: the tools, pages and folders of one client, over its standard input and output.

Whoever imports this enters the protocol's SDK first (`sdk.enter`).
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
import threading
from collections.abc import Iterable
from datetime import timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import anyio
from mcp import types
from mcp.server.lowlevel.server import Server
from mcp.server.session import ServerSession
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

from .. import __version__
from ..config import user_cache_dir, user_config_dir
from ..errors import HwmlError
from ..interrupt import Interrupted, interruptible
from ..printable import printable
from ..reach import close
from .ending import answered
from .explaining import pages, read_page
from .sources import Folders
from .tools import BY_NAME, TOOLS, Tool
from .work import Tell

ROOTS_TIMEOUT_S = 5.0  # for a client that says it has roots and does not tell them
# Programs are full of cycles that live as long as their prediction does: looking for garbage every 700 objects finds
# none, and was a tenth of a prediction's time. What a call leaves goes with it: that of several calls, looked for in
# the middle of one of them, takes that one three times as long.
COLLECT_AFTER = (50_000, 20, 20)
AT_ONCE = 4  # calls that work at a time; others wait
INSTRUCTIONS = (
    "Predictions and checks for hardware written in HLS C++ and Chisel. Before and after a change call predict_qor or "
    "compare; where a loop's II is above what was asked for, why_ii says what bounds it and which fix brings what. "
    "Figures are predictions with 80 % intervals: say so. Files are read only below the folders that are open."
)


def serve(allowed: tuple[Path, ...] | None) -> None:
    """Serve one client until its input ends. allowed: the folders of `--root`, None for no such limit."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    anyio.run(_serve, Agent(allowed))


async def _serve(agent: Agent) -> None:
    # What else prints (a library in C, say) must not get between the messages: they have a descriptor of their own.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    close(own_places())
    stdin = anyio.wrap_file(TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    stdout = anyio.wrap_file(TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="\n"))
    try:
        async with stdio_server(stdin, stdout) as pipe, answered(*pipe) as (read, write):
            await agent.server.run(read, write, agent.server.create_initialization_options())
    except* (anyio.ClosedResourceError, anyio.BrokenResourceError, BrokenPipeError):
        pass  # the client has gone while it was being answered
    os._exit(0)  # a thread that computes what nobody waits for any more must not keep the process


def own_places() -> tuple[Path, ...]:
    """Where hwml's own files are: its packages, the user's settings of it, its caches."""
    import hwml_exports

    packages = (Path(__file__).parents[1], *map(Path, hwml_exports.__path__))
    return (*packages, user_config_dir(), user_cache_dir())


class Agent:
    """One client: its server, and the folders that it opened."""

    def __init__(self, allowed: tuple[Path, ...] | None) -> None:
        self.allowed = allowed
        self._roots: tuple[Path, ...] | None = None
        self._known = False  # whether the client was asked for its roots
        self._asking = anyio.Lock()
        self._limit = anyio.CapacityLimiter(AT_ONCE)
        self.server: Server[Any, Any] = Server("hwml", version=__version__, instructions=INSTRUCTIONS)
        self.server.request_handlers[types.ListToolsRequest] = self._tools
        self.server.request_handlers[types.CallToolRequest] = self._call
        self.server.request_handlers[types.ListResourcesRequest] = self._resources
        self.server.request_handlers[types.ListResourceTemplatesRequest] = self._templates
        self.server.request_handlers[types.ReadResourceRequest] = self._read
        self.server.notification_handlers[types.InitializedNotification] = self._initialized
        self.server.notification_handlers[types.RootsListChangedNotification] = self._roots_changed

    # -- the client's folders ----------------------------------------------------------------------------------------

    async def _initialized(self, _: Any) -> None:
        """Load the model while the agent thinks."""
        threading.Thread(target=_warm_up, daemon=True).start()

    async def _roots_changed(self, _: Any) -> None:
        self._known = False

    async def folders(self, session: ServerSession) -> Folders:
        """The folders that are open now; the client is asked once, and again when it says that they changed."""
        async with self._asking:
            if not self._known:
                self._known = True
                self._roots = await _ask_for_roots(session)
        return Folders(self._roots, self.allowed, own_places())

    # -- what the client asks ----------------------------------------------------------------------------------------

    async def _tools(self, _: types.ListToolsRequest) -> types.ServerResult:
        hints = types.ToolAnnotations(
            readOnlyHint=True, destructiveHint=False, idempotentHint=True, openWorldHint=False
        )
        listed = [
            types.Tool(
                name=tool.name,
                title=tool.title,
                description=tool.description,
                inputSchema=tool.takes,
                outputSchema=tool.gives,
                annotations=hints,
            )
            for tool in TOOLS
        ]
        return types.ServerResult(types.ListToolsResult(tools=listed))

    async def _call(self, request: types.CallToolRequest) -> types.ServerResult:
        tool = BY_NAME.get(request.params.name)
        if tool is None:
            words = f"there is no tool {request.params.name[:80]!r}; there are {', '.join(BY_NAME)}"
            return types.ServerResult(_failure(words))
        context = self.server.request_context
        token = context.meta.progressToken if context.meta is not None else None
        folders = await self.folders(context.session)
        work = _Work(context.session, token)
        try:
            answer = await work.run(tool, request.params.arguments or {}, folders, self._limit)
        except HwmlError as error:
            return types.ServerResult(_failure(str(error)))
        except OSError as error:
            return types.ServerResult(_failure(f"{error.filename or tool.name}: {error.strerror or error}"))
        except Interrupted:
            return types.ServerResult(_failure("given up on request"))
        except RecursionError:
            return types.ServerResult(_failure("the source is nested too deeply to be read; pass a part of it"))
        except Exception as error:  # a fault of hwml: the agent is told, and the next call is served
            logging.getLogger("hwml_sdk.agents").exception("%s failed", tool.name)
            return types.ServerResult(_failure(f"internal error: {type(error).__name__}: {error}"))
        text = types.TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))
        return types.ServerResult(types.CallToolResult(content=[text], structuredContent=answer, isError=False))

    async def _resources(self, _: types.ListResourcesRequest) -> types.ServerResult:
        listed = [
            types.Resource(uri=AnyUrl(uri), name=uri.rpartition("/")[2], title=title, mimeType="text/markdown")
            for uri, title in pages().items()
        ]
        return types.ServerResult(types.ListResourcesResult(resources=listed))

    async def _templates(self, _: types.ListResourceTemplatesRequest) -> types.ServerResult:
        page = types.ResourceTemplate(
            uriTemplate="hwml://explain/{code}", name="explain", title="The page of a finding", mimeType="text/markdown"
        )
        return types.ServerResult(types.ListResourceTemplatesResult(resourceTemplates=[page]))

    async def _read(self, request: types.ReadResourceRequest) -> types.ServerResult:
        try:
            text = read_page(unquote(str(request.params.uri)))
        except HwmlError as error:
            raise McpError(types.ErrorData(code=-32002, message=str(error))) from error  # "Resource not found"
        content = types.TextResourceContents(uri=request.params.uri, mimeType="text/markdown", text=text)
        return types.ServerResult(types.ReadResourceResult(contents=[content]))


def _failure(words: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=printable(words))], isError=True)


def _warm_up() -> None:
    import jsonschema  # noqa: F401 - what checks the arguments of the first call

    from ..languages import HLS
    from ..plugins import load

    try:
        load(HLS.provider).warm_up()
    except HwmlError:
        return  # the first call says it
    gc.collect()
    gc.freeze()  # what is loaded by now stays, and need not be looked through again
    gc.set_threshold(*COLLECT_AFTER)


async def _ask_for_roots(session: ServerSession) -> tuple[Path, ...] | None:
    """The client's roots that are folders of this machine; None where it has none to tell."""
    declared = session.client_params.capabilities.roots if session.client_params is not None else None
    if declared is None:
        return None
    request = types.ServerRequest(types.ListRootsRequest())
    limit = timedelta(seconds=ROOTS_TIMEOUT_S)
    try:
        answer = await session.send_request(request, types.ListRootsResult, request_read_timeout_seconds=limit)
    except Exception as error:  # too late, refused, or no roots: then none are open
        logging.getLogger("hwml_sdk.agents").warning("the client does not tell its roots: %s", error)
        return ()
    return tuple(_folders(str(root.uri) for root in answer.roots))


def _folders(uris: Iterable[str]) -> Iterable[Path]:
    for uri in uris:
        host, slash, path = uri.removeprefix("file://").partition("/")
        place = Path(unquote(slash + path))
        if uri.startswith("file://") and host in ("", "localhost") and place.is_absolute() and place.is_dir():
            yield place.resolve()


class _Work:
    """One call in a thread of its own, that is given up when the client cancels it."""

    def __init__(self, session: ServerSession, token: str | int | None) -> None:
        self._session, self._token = session, token
        self._stopped = threading.Event()

    async def run(self, tool: Tool, arguments: dict[str, Any], folders: Folders, limit: Any) -> dict[str, Any]:
        """Raises what the tool raises."""

        def work() -> dict[str, Any]:
            with interruptible(self._stopped.is_set):
                answer = tool.run(arguments, folders, self._teller())
            if limit.borrowed_tokens == 1:  # else what others are at work on would be looked through
                gc.collect(0)
            return answer

        try:
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True, limiter=limit)
        finally:
            self._stopped.set()

    def _teller(self) -> Tell:
        def tell(done: int, total: int, words: str) -> None:
            if self._stopped.is_set():
                raise Interrupted
            if self._token is not None:
                anyio.from_thread.run(self._progress, done, total, words)

        return tell

    async def _progress(self, done: int, total: int, words: str) -> None:
        assert self._token is not None
        await self._session.send_progress_notification(self._token, done, total, words)
