"""How messages stand one after the other in a stream of bytes: four ways, all with a bound on what is taken in.

A framing reads and writes whole messages on any binary stream: the pipes of a child process, a socket's file.
`read` gives None where the stream ends between two messages, raises EOFError where it ends inside one and ValueError
for what is no message (of `Sized` and `Fields`, a length that cannot be: MismatchError).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

Message = TypeVar("Message")
JsonObject = dict[str, Any]
MAX_BYTES = 256 << 20
_MAX_FIELDS = 1 << 20
_MAX_HEADER = 1 << 16


class MismatchError(ValueError):
    """What came is no message, or none that was waited for."""


class Reader(Protocol):
    """What messages are read from."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes; none at the end."""

    def readline(self, size: int, /) -> bytes:
        """One line with its end, or `size` bytes of it."""


class Writer(Protocol):
    """What messages are written to."""

    def write(self, data: bytes, /) -> int | None:
        """Take all of `data`."""

    def flush(self) -> None:
        """Pass it on."""


class Framing(Protocol[Message]):
    """Whole messages on a stream."""

    def read(self, stream: Reader) -> Message | None:
        """The next message; None at the end."""

    def write(self, stream: Writer, message: Message) -> None:
        """Send one message, and flush."""


class Lines:
    """One JSON object a line, in ASCII: server and worker."""

    def read(self, stream: Reader) -> JsonObject | None:
        """The next object; a last line without an end was cut off."""
        line = stream.readline(MAX_BYTES)
        if not line:
            return None
        if not line.endswith(b"\n"):
            raise EOFError("the stream ended inside a message")
        return _object(line)

    def write(self, stream: Writer, message: JsonObject) -> None:
        """Send one object."""
        stream.write(json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n")
        stream.flush()


class Sized:
    """A length (4 bytes, big-endian), then a JSON object: clients and daemon."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes

    def read(self, stream: Reader) -> JsonObject | None:
        """The next object."""
        head = _up_to(stream, 4)
        if not head:
            return None
        return _object(_exactly(stream, _number(head, self._max)))

    def write(self, stream: Writer, message: Mapping[str, Any]) -> None:
        """Send one object."""
        raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
        stream.write(struct.pack(">I", len(raw)) + raw)
        stream.flush()


class Fields:
    """A count, then byte strings, each after its length (all big-endian): the JVM workers (worker/Wire.scala).

    max_bytes: of all byte strings of a message together.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max = max_bytes

    def read(self, stream: Reader) -> list[bytes] | None:
        """The next message."""
        head = _up_to(stream, 4)
        if not head:
            return None
        message: list[bytes] = []
        left = self._max
        for _ in range(_number(head, _MAX_FIELDS)):
            message.append(_exactly(stream, _number(_exactly(stream, 4), left)))
            left -= len(message[-1])
        return message

    def write(self, stream: Writer, message: Sequence[bytes]) -> None:
        """Send one message."""
        stream.write(struct.pack(">I", len(message)))
        for field in message:
            stream.write(struct.pack(">I", len(field)))
            stream.write(field)
        stream.flush()


class Headed:
    """JSON-RPC behind `Content-Length` headers (LSP 3.17, "Base Protocol"; BSP takes it over).

    stray: told of lines between messages; build servers print there.
    """

    def __init__(self, stray: Callable[[str], None], max_bytes: int = MAX_BYTES) -> None:
        self._stray, self._max = stray, max_bytes

    def read(self, stream: Reader) -> JsonObject | None:
        """The next object."""
        length = -1
        while line := stream.readline(_MAX_HEADER):
            name, _, value = line.partition(b":")
            if not line.strip() and length >= 0:
                break
            if name.strip().lower() == b"content-length":
                length = int(value)
            elif not line.lower().startswith(b"content-") and line.strip():
                self._stray(line.decode("utf-8", "replace"))
        if not line:
            return None
        if not 0 <= length <= self._max:
            raise ValueError(f"a length of {length}")
        return _object(_exactly(stream, length))

    def write(self, stream: Writer, message: Mapping[str, Any]) -> None:
        """Send one object."""
        raw = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream.write(b"Content-Length: %d\r\n\r\n" % len(raw) + raw)
        stream.flush()


def _object(raw: bytes) -> JsonObject:
    try:
        data = json.loads(raw.decode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("no object")
    return data


def _number(raw: bytes, limit: int) -> int:
    if len(raw) != 4:
        raise EOFError("the stream ended inside a message")
    number: int = struct.unpack(">I", raw)[0]
    if number > limit:
        raise MismatchError(f"a length of {number} is over the limit")
    return number


def _exactly(stream: Reader, length: int) -> bytes:
    data = _up_to(stream, length)
    if len(data) != length:
        raise EOFError("the stream ended inside a message")
    return data


def _up_to(stream: Reader, length: int) -> bytes:
    """`length` bytes, fewer at the end of the stream; an unbuffered stream gives them piece by piece."""
    first = stream.read(length) or b""
    if len(first) == length:
        return first
    whole = bytearray(first)
    while 0 < len(whole) < length and (piece := stream.read(length - len(whole))):
        whole += piece
    return bytes(whole)
