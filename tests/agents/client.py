"""The SDK's own client at a server: in this process over a pipe in memory, or at the program itself."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.shared.memory import create_connected_server_and_client_session

from hwml_sdk.agents.server import Agent

ROOT = Path(__file__).resolve().parents[2]


class Client:
    """A session that is called as functions are. roots: what the client tells when it is asked."""

    def __init__(self, portal: BlockingPortal, session: ClientSession, roots: list[str]) -> None:
        self.portal, self.session, self.roots = portal, session, roots

    def call(self, name: str, **arguments: Any) -> types.CallToolResult:
        """One call; the SDK holds its structured content against the tool's schema."""
        result: types.CallToolResult = self.portal.call(self.session.call_tool, name, arguments)
        return result

    def answer(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of a call that must succeed."""
        result = self.call(name, **arguments)
        assert not result.isError, words(result)
        assert result.structuredContent is not None
        return result.structuredContent

    def refusal(self, name: str, **arguments: Any) -> str:
        """The words of a call that must fail."""
        result = self.call(name, **arguments)
        assert result.isError, result.structuredContent
        assert result.structuredContent is None
        return words(result)

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Anything else of the session."""
        return self.portal.call(function, *arguments)


def words(result: types.CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, types.TextContent)
    return block.text


def _tell(roots: Sequence[str]) -> Any:
    async def tell(context: Any) -> types.ListRootsResult:
        return types.ListRootsResult.model_validate({"roots": [{"uri": uri} for uri in roots]})

    return tell


@contextmanager
def in_memory(*roots: Path | str, allowed: tuple[Path, ...] | None = None, silent: bool = False) -> Iterator[Client]:
    """A server in this process. silent: the client does not say that it has roots."""
    told = [root if isinstance(root, str) else root.as_uri() for root in roots]

    @asynccontextmanager
    async def connect() -> AsyncIterator[ClientSession]:
        server = Agent(allowed).server
        callback = None if silent else _tell(told)
        async with create_connected_server_and_client_session(server, list_roots_callback=callback) as session:
            yield session

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(connect()) as session:
        yield Client(portal, session, told)


@contextmanager
def program(*roots: Path, folder: Path, arguments: Sequence[str] = ()) -> Iterator[Client]:
    """`hwml mcp` itself, in `folder`, with the settings and caches of a user who has none."""
    told = [root.as_uri() for root in roots]
    command = StdioServerParameters(
        command=str(Path(sys.executable).parent / "hwml"),
        args=["mcp", *arguments],
        cwd=folder,
        env={**os.environ, "HWML_CONFIG_DIR": str(folder / "config"), "HWML_CACHE_DIR": str(folder / "cache")},
    )

    @asynccontextmanager
    async def connect() -> AsyncIterator[ClientSession]:
        async with (
            stdio_client(command) as (read, write),
            ClientSession(read, write, list_roots_callback=_tell(told)) as session,
        ):
            await session.initialize()
            yield session

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(connect()) as session:
        yield Client(portal, session, told)
