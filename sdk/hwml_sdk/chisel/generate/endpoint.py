"""Any endpoint that speaks the chat completions protocol of OpenAI (vLLM, llama.cpp, Ollama and many others).

Streamed, several at once, with time-outs; what fails for the moment (429, 5xx, a cut connection, silence) is tried
again, later and later. The key comes from the environment, goes to the named host alone, and is taken out of all that
is said. Redirects are not followed: they would carry prompt and key to where nobody sent them.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...errors import HwmlError, ToolFailedError
from ...files import parse_json
from ...interrupt import heed_ctrl_c
from .types import Answer, Message

KEY_VARIABLE = "HWML_API_KEY"
_MOST_BYTES = 1 << 20  # of one answer
_MOST_LINE = 1 << 18
_TICK_S = 0.05
_HIDDEN = "[key]"


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """url: up to and with /v1; silence_s: how long to wait for the next piece; answer_s: for a whole answer.

    retries: tries after the first; pause_s: before the second try, then twice as long each time, at most a minute.
    """

    url: str
    model: str
    key_variable: str = KEY_VARIABLE
    temperature: float = 0.8
    at_once: int = 4
    retries: int = 4
    pause_s: float = 0.5
    silence_s: float = 60.0
    answer_s: float = 600.0


class _PassingError(Exception):
    """Worth another try; text: what came until then; after_s: when the server asks to come back."""

    def __init__(self, words: str, text: str = "", after_s: float = 0.0) -> None:
        super().__init__(words)
        self.text, self.after_s = text, after_s


class EndpointBackend:
    """Asks an endpoint. Raises HwmlError for an address or a key that cannot be right."""

    bare = False

    def __init__(self, config: EndpointConfig) -> None:
        parts = urlsplit(config.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise HwmlError(
                f"--endpoint wants an address such as http://localhost:8000/v1, not {self._shown(config.url)}"
            )
        self._config, self._parts = config, parts
        self._key = os.environ.get(config.key_variable, "").strip()
        if any(not 32 < ord(sign) < 127 for sign in self._key):
            raise HwmlError(f"{config.key_variable} holds characters that no key has")
        self.name = f"{config.model} at {parts.hostname}"
        self._open: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()

    @staticmethod
    def _shown(url: str) -> str:
        return repr(url.partition("@")[2] or url)  # what stands before an @ may be a password

    def ask(
        self, chats: Sequence[Sequence[Message]], *, most_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        """Answers as they come. A refusal that no second try mends (a wrong key, no such model) raises HwmlError."""
        done: queue.SimpleQueue[tuple[int, Answer | HwmlError]] = queue.SimpleQueue()
        waiting = list(enumerate(chats))
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                with self._lock:
                    if not waiting:
                        return
                    index, chat = waiting.pop(0)
                try:
                    answer: Answer | HwmlError = self._answer(chat, most_tokens, over)
                except HwmlError as error:
                    answer = error
                except Exception as error:  # a worker that dies in silence would be waited for without end
                    answer = Answer("", error=self._clean(f"{type(error).__name__}: {error}"))
                done.put((index, answer))

        crew = [threading.Thread(target=work, daemon=True) for _ in range(min(self._config.at_once, len(chats)))]
        for member in crew:
            member.start()
        try:
            yield from self._collect(done, len(chats), stop)
        finally:
            over.set()
            self._hang_up()

    def _collect(
        self, done: queue.SimpleQueue[tuple[int, Answer | HwmlError]], count: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        while count and not stop():
            heed_ctrl_c()
            try:
                index, answer = done.get(timeout=_TICK_S)
            except queue.Empty:
                continue
            if isinstance(answer, HwmlError):
                raise answer
            count -= 1
            yield index, answer

    def _hang_up(self) -> None:
        with self._lock:
            for link in self._open:
                if link.sock is not None:
                    with contextlib.suppress(OSError):
                        link.sock.shutdown(socket.SHUT_RDWR)  # a close would wait for who reads

    def _answer(self, chat: Sequence[Message], most_tokens: int, over: threading.Event) -> Answer:
        began, pause, longest, words = time.monotonic(), self._config.pause_s, "", ""
        for attempt in range(self._config.retries + 1):
            try:
                text, tokens, cut = self._once(chat, most_tokens, began)
                return Answer(text, tokens, time.monotonic() - began, cut)
            except _PassingError as error:
                words = self._clean(str(error))
                longest = max(longest, error.text, key=len)
                wait = max(error.after_s, pause * random.uniform(0.75, 1.25))  # not all at the same moment
            if time.monotonic() + wait - began > self._config.answer_s or attempt == self._config.retries:
                break
            if over.wait(wait):
                break
            pause = min(60.0, 2 * pause)
        return Answer(longest, 0, time.monotonic() - began, bool(longest), words)

    def _once(self, chat: Sequence[Message], most_tokens: int, began: float) -> tuple[str, int, bool]:
        config, parts = self._config, self._parts
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        link = kind(str(parts.hostname), parts.port, timeout=config.silence_s)
        with self._lock:
            self._open.add(link)
        try:
            link.request(
                "POST", f"{parts.path.rstrip('/')}/chat/completions", self._body(chat, most_tokens), self._headers()
            )
            response = link.getresponse()
            self._refuse(response)
            if "json" in (response.getheader("Content-Type") or ""):
                raw = response.read(_MOST_BYTES + 1)
                if len(raw) > _MOST_BYTES:
                    raise _PassingError(f"{self._parts.hostname} sent an answer of more than {_MOST_BYTES >> 20} MB")
                return self._whole(raw)
            return self._streamed(response, began)
        except (OSError, http.client.HTTPException) as error:
            raise _PassingError(f"the connection failed: {type(error).__name__} {error}".strip()) from error
        finally:
            with self._lock:
                self._open.discard(link)
            link.close()

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream, application/json"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def _body(self, chat: Sequence[Message], most_tokens: int) -> bytes:
        messages = [{"role": message.role, "content": message.content} for message in chat]
        body = {
            "model": self._config.model,
            "messages": messages,
            "temperature": self._config.temperature,
            "max_tokens": most_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return json.dumps(body).encode()

    def _refuse(self, response: http.client.HTTPResponse) -> None:
        """Raises for every status but 200."""
        status = response.status
        if status == 200:
            return
        said = self._clean(_words_of(response.read(20_000)))
        words = f"{self._parts.hostname} answered {status}{': ' + said if said else ''}"
        if status in (408, 409, 425, 429) or status >= 500:
            raise _PassingError(words, after_s=_seconds(response.getheader("Retry-After")))
        if 300 <= status < 400:
            raise ToolFailedError(f"{words}: redirects are not followed; name the address it leads to")
        if status in (401, 403):
            raise ToolFailedError(f"{words}; the key is read from {self._config.key_variable}")
        raise ToolFailedError(f"{words}; is --endpoint the address up to /v1, and --model one that it serves?")

    def _whole(self, raw: bytes) -> tuple[str, int, bool]:
        """An answer in one piece, of a server that does not stream."""
        try:
            row = parse_json(raw)
            choice = row["choices"][0]
            text = choice["message"]["content"] or ""
            return str(text), _count(row.get("usage")), choice.get("finish_reason") == "length"
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            words = self._said(raw)
            raise _PassingError(f"{self._parts.hostname} answered what is no completion{words}") from error

    def _said(self, raw: bytes) -> str:
        found = _words_of(raw)
        return f": {found}" if found else ""

    def _streamed(self, response: http.client.HTTPResponse, began: float) -> tuple[str, int, bool]:
        text, tokens, pieces, size, ended, cut = "", 0, 0, 0, False, False
        while not cut:
            try:
                line = response.readline(_MOST_LINE)
            except (OSError, http.client.HTTPException) as error:
                raise _PassingError(f"the stream broke off: {type(error).__name__} {error}".strip(), text) from error
            size += len(line)
            if not text and line.lstrip()[:1] in (b"<", b"{"):
                rest = line + response.read(2000)
                raise _PassingError(f"{self._parts.hostname} answered what is no stream{self._said(rest)}")
            whole = line.endswith(b"\n")  # else it was cut in the middle of an event
            if not whole or line.strip() == b"data: [DONE]":
                ended = ended or line.strip() == b"data: [DONE]"
                break
            if line.startswith(b"data:"):
                said, finish, usage = self._piece(line[5:], text)
                text, tokens, pieces = text + said, usage or tokens, pieces + bool(said)
                ended, cut = ended or bool(finish), finish == "length"
            if size > _MOST_BYTES or time.monotonic() - began > self._config.answer_s:
                cut = ended = True
        if not ended:
            raise _PassingError("the stream ended before the answer did", text)
        return text, tokens or pieces, cut

    def _piece(self, raw: bytes, text: str) -> tuple[str, str, int]:
        """Text, reason to finish and tokens of an event."""
        try:
            row = parse_json(raw)
            if row.get("error"):
                raise _PassingError(f"{self._parts.hostname} sent an error{self._said(raw)}", text)
            choice = (row.get("choices") or [{}])[0]
            said = (choice.get("delta") or {}).get("content") or ""
            return str(said), str(choice.get("finish_reason") or ""), _count(row.get("usage"))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise _PassingError(f"{self._parts.hostname} sent an event that is none{self._said(raw)}", text) from error

    def _clean(self, text: str) -> str:
        """Without the key, however a server may quote it, on one line and of bearable length."""
        shown = " ".join(text.split())
        if self._key:
            shown = shown.replace(self._key, _HIDDEN)
            tail = self._key[-8:]
            if len(self._key) >= 16:
                shown = shown.replace(tail, _HIDDEN).replace(self._key[:8], _HIDDEN)
        return shown[:300]


def _words_of(raw: bytes) -> str:
    """What a server says of an error: its message, or what kind of thing it sent."""
    try:
        row = parse_json(raw)
        error = row.get("error", row) if isinstance(row, dict) else row
        return str(error.get("message") or error) if isinstance(error, dict) else str(error)
    except (ValueError, AttributeError):
        text = raw[:2000].decode("utf-8", "replace").strip()
        return "a page in HTML" if text[:1] == "<" else text[:120]


def _count(usage: Any) -> int:
    found = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return found if isinstance(found, int) and 0 <= found < 1 << 31 else 0


def _seconds(value: str | None) -> float:
    try:
        return min(60.0, max(0.0, float(value or 0)))
    except ValueError:
        return 0.0
