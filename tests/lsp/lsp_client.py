"""A language client over a real pipe: plain JSON, so that nothing of the server's own libraries checks the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "hwml_lsp"]
TIMEOUT_S = 120.0  # an age; on a slow machine that does much else, too

# What VS Code 1.100 declares, as far as this server looks at it; a client without `refresh` and one with `push` below.
FULL: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "configuration": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "inlayHint": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
        "diagnostics": {"refreshSupport": True},
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "codeLens": {},
        "inlayHint": {"resolveSupport": {"properties": ["tooltip"]}},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}},
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
        },
        "diagnostic": {},
        "publishDiagnostics": {"relatedInformation": True, "codeDescriptionSupport": True, "versionSupport": True},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
    "experimental": {"hwmlStatus": True},
}
# A client of few words: no lenses, no refresh, no resolving, findings pushed (Emacs' eglot is much like it).
PLAIN: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-32", "utf-8", "utf-16"]},
    "workspace": {"configuration": True},
    "textDocument": {
        "hover": {"contentFormat": ["plaintext"]},
        "inlayHint": {},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
        "publishDiagnostics": {"relatedInformation": True},
    },
}


class ResponseError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.data = error.get("data")


class Client:
    """One server process and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.notifications: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.settings: dict[str, Any] = {}
        self.capabilities: dict[str, Any] = {}
        self.answers_requests = True
        self.choices: list[str] = []  # what a person clicks on, question by question; nothing once they are used up
        self._answers: dict[int | str | None, dict[str, Any]] = {}
        self._arrived = threading.Condition()
        self._number = 0
        self._gone = False
        self._held: bytes | None = None
        self.stderr: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_log, daemon=True).start()

    # -- bytes --

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        framed = b"Content-Length: %d\r\n\r\n" % len(body) + body
        if self._held is None:
            self.send_bytes(framed)
        else:
            self._held += framed

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Send what the block sends in one piece, so that the server reads it without a pause between."""
        self._held = b""
        try:
            yield
        finally:
            held, self._held = self._held, None
            self.send_bytes(held)

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if line == b"":
                break
            self._take(json.loads(stream.read(length)))
        with self._arrived:
            self._gone = True
            self._arrived.notify_all()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr.append(line.decode("utf-8", "replace").rstrip())

    def _take(self, message: dict[str, Any]) -> None:
        with self._arrived:
            if "method" not in message:
                self._answers[message.get("id")] = message
            elif "id" in message:
                self.requests.append(message)
            else:
                self.notifications.append(message)
            self._arrived.notify_all()
        if "method" in message and "id" in message and self.answers_requests:
            self._reply(message)

    def _reply(self, message: dict[str, Any]) -> None:
        result: Any = None
        if message["method"] == "workspace/configuration":
            result = [self.settings or None for _ in message["params"]["items"]]
        elif message["method"] == "window/showMessageRequest" and self.choices:
            result = {"title": self.choices.pop(0)}
        elif message["method"] == "workspace/applyEdit":
            result = {"applied": True}
        try:
            self.send({"id": message["id"], "result": result})
        except OSError:
            return  # the server is gone; whoever waits is told by the reading thread

    # -- messages --

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params})

    def start(self, method: str, params: Any = None) -> int:
        """Send a request without waiting."""
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self._number

    def wait(self, number: int | None) -> Any:
        """The result of a request. ResponseError for an error, TimeoutError when none comes."""
        answer = self._until(lambda: self._answers.pop(number, None), f"answer to request {number}")
        if "error" in answer:
            raise ResponseError(answer["error"])
        return answer.get("result")

    def request(self, method: str, params: Any = None) -> Any:
        return self.wait(self.start(method, params))

    def _until(self, look: Callable[[], Any], what: str, timeout_s: float = TIMEOUT_S) -> Any:
        end = time.monotonic() + timeout_s
        with self._arrived:
            while True:
                found = look()
                if found:
                    return found
                if self._gone or time.monotonic() > end:
                    log = "\n".join(self.stderr[-20:])
                    raise TimeoutError(f"no {what}{' (the server has gone)' if self._gone else ''}\n{log}")
                self._arrived.wait(min(0.1, max(end - time.monotonic(), 0.01)))

    def until(self, look: Callable[[], Any], what: str = "result") -> Any:
        """Wait until `look()` is true of something; it is asked after each message, and now and then."""
        return self._until(look, what)

    def notified(self, method: str, accept: Callable[[Any], Any] = lambda _: True) -> Any:
        """The last notification of a method that is accepted, waited for."""
        return self._until(
            lambda: next(
                (n for n in reversed(self.notifications) if n["method"] == method and accept(n["params"])), None
            ),
            method,
        )["params"]

    def asked(self, method: str) -> int:
        """How many requests of a method the server has sent."""
        return sum(r["method"] == method for r in self.requests)

    def forget(self) -> None:
        """Forget notifications and requests so far."""
        with self._arrived:
            self.notifications.clear()
            self.requests.clear()

    # -- the usual --

    def initialize(self, capabilities: dict[str, Any] | None = None, folder: Path | None = None, **more: Any) -> Any:
        root = None if folder is None else folder.as_uri()
        folders = None if folder is None else [{"uri": root, "name": folder.name}]
        params = {
            "processId": os.getpid(), "rootUri": root, "workspaceFolders": folders,
            "capabilities": FULL if capabilities is None else capabilities, **more,
        }  # fmt: skip
        result = self.request("initialize", params)
        self.capabilities = result["capabilities"]
        self.notify("initialized", {})
        return result

    def open(self, uri: str, text: str, language: str = "cpp", version: int = 1) -> str:
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        self.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)},
        )

    def ask_hints(self, uri: str, first: int = 0, last: int = 100_000) -> int:
        """Ask without waiting."""
        asked = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
        return self.start("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": asked})

    def hints(self, uri: str, first: int = 0, last: int = 100_000) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.wait(self.ask_hints(uri, first, last))
        return found

    def first_hints(self, uri: str, first: int = 0, last: int = 100_000) -> list[dict[str, Any]]:
        """Hints, asked for again while there are none: on a busy machine a worker starts later than a request waits."""
        for _ in range(6):
            found = self.hints(uri, first, last)
            if found:
                return found
        return []

    def lenses(self, uri: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
        return found

    def hover(self, uri: str, line: int, character: int) -> str:
        found = self.request(
            "textDocument/hover",
            {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}},
        )
        return "" if found is None else str(found["contents"]["value"])

    def pull(self, uri: str) -> list[dict[str, Any]]:
        """Pulled diagnostics; asked again when the server says so."""
        while True:
            try:
                report = self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            except ResponseError as error:
                if error.code != -32802:
                    raise
                continue
            found: list[dict[str, Any]] = report["items"]
            return found

    def pull_is_in(self, uri: str) -> bool:
        """Whether the analysis of a document is over, by what the server has told so far."""
        return any(
            n["method"] == "hwml/status" and n["params"]["uri"] == uri and n["params"]["state"] == "ready"
            for n in self.notifications
        )

    def actions(self, uri: str, line: int, only: list[str] | None = None) -> list[dict[str, Any]]:
        place = {"line": line, "character": 0}
        context: dict[str, Any] = {"diagnostics": []} if only is None else {"diagnostics": [], "only": only}
        found: list[dict[str, Any]] = self.request(
            "textDocument/codeAction",
            {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": context},
        )
        return found

    def complete(self, uri: str, line: int, character: int) -> dict[str, dict[str, Any]]:
        found = self.request(
            "textDocument/completion",
            {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}},
        )
        return {} if found is None else {item["label"]: item for item in found["items"]}

    def end(self) -> int:
        """An orderly goodbye; the exit status."""
        self.request("shutdown")
        self.notify("exit")
        return self.process.wait(timeout=TIMEOUT_S)


def environment(folder: Path) -> dict[str, str]:
    """This process's surroundings with configuration and cache of the user in `folder`."""
    roots = [str(ROOT / name) for name in ("sdk", "lsp_server", "exports")]
    inherited = os.environ.get("PYTHONPATH", "")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*roots, *([inherited] if inherited else [])]),
        "HWML_CONFIG_DIR": str(folder / "config"),
        "HWML_CACHE_DIR": str(folder / "cache"),
    }


@contextmanager
def running(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Client]:
    """A server, killed at the end unless it left by itself. Nothing of it may be left behind."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(folder), **(env or {})},
        cwd=folder,
    )
    client = Client(process)
    try:
        yield client
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            assert stream is not None
            with suppress(OSError):  # what was not flushed has no reader any more
                stream.close()


def at(line: int, first: int, last_line: int, last: int, text: str) -> dict[str, Any]:
    """A change of a range."""
    start, end = {"line": line, "character": first}, {"line": last_line, "character": last}
    return {"range": {"start": start, "end": end}, "text": text}


__all__ = ["FULL", "PLAIN", "ROOT", "TIMEOUT_S", "Client", "ResponseError", "at", "environment", "running"]
