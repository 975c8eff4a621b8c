"""What was asked before the input ended is answered: `hwml mcp < requests.jsonl` works as a person expects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, JSONRPCRequest, JSONRPCResponse

# A client that has died ends the input as well, and then nobody waits for what it asked last.
LAST_ANSWERS_S = 60.0

Read = MemoryObjectReceiveStream[SessionMessage | Exception]
Write = MemoryObjectSendStream[SessionMessage]


class _Open:
    """The requests that have no answer yet."""

    def __init__(self) -> None:
        self._asked: set[str | int] = set()
        self._all_answered = anyio.Event()
        self._all_answered.set()

    def ask(self, name: str | int) -> None:
        if not self._asked:
            self._all_answered = anyio.Event()
        self._asked.add(name)

    def answer(self, name: str | int) -> None:
        self._asked.discard(name)
        if not self._asked:
            self._all_answered.set()

    async def wait(self) -> None:
        with anyio.move_on_after(LAST_ANSWERS_S):
            await self._all_answered.wait()


@asynccontextmanager
async def answered(read: Read, write: Write) -> AsyncIterator[tuple[Read, Write]]:
    """The streams of a session whose input ends only when all requests of `read` have been answered on `write`.

    The SDK's session drops what it is working on as soon as its input ends.
    """
    to_session, session_reads = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    session_writes, from_session = anyio.create_memory_object_stream[SessionMessage](0)
    open_ = _Open()

    async def inwards() -> None:
        async with to_session:
            async for message in read:
                if isinstance(message, SessionMessage) and isinstance(message.message.root, JSONRPCRequest):
                    open_.ask(message.message.root.id)
                await to_session.send(message)
            await open_.wait()

    async def outwards() -> None:
        async with write:
            async for message in from_session:
                await write.send(message)
                if isinstance(message.message.root, JSONRPCResponse | JSONRPCError):
                    open_.answer(message.message.root.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(inwards)
        tasks.start_soon(outwards)
        yield session_reads, session_writes
