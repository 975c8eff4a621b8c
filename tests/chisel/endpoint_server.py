"""An endpoint as bad as the model that it is asked for: the name says what it does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "```scala\nclass A\n```"

ADDER = """import chisel3._

class Add extends Module {
  val io = IO(new Bundle {
    val a = Input(UInt(8.W))
    val b = Input(UInt(8.W))
    val y = Output(UInt(8.W))
  })
  io.y := io.a + io.b
}
"""


def events(text: str) -> bytes:
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]
    rows = [{"choices": [{"delta": {"content": piece}}]} for piece in pieces]
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": 5}}
    return b"".join(f"data: {json.dumps(row)}\n\n".encode() for row in [*rows, last]) + b"data: [DONE]\n\n"


@dataclass
class Seen:
    """What the server saw."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handler(BaseHTTPRequestHandler):
    seen: Seen
    server: ThreadingHTTPServer
    counted: bool = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.seen.lock:
            self.seen.requests.append(asked)
            self.seen.keys.append(self.headers.get("Authorization", ""))
            self.seen.at_once += 1
            self.counted = True
            self.seen.most_at_once = max(self.seen.most_at_once, self.seen.at_once)
        try:
            getattr(self, f"be_{asked['model']}")(len(self.seen.requests))
        except OSError:
            pass
        finally:
            self.done()

    def done(self) -> None:
        """Count no more, once: before the answer is sent, or who has it may ask anew while it still counts."""
        with self.seen.lock:
            self.seen.at_once -= self.counted
            self.counted = False

    def send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.done()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def be_good(self, number: int) -> None:
        time.sleep(0.02)
        self.send(200, "text/event-stream", events(TEXT))

    def be_adder(self, number: int) -> None:
        self.send(200, "text/event-stream", events(f"```scala\n{ADDER}```"))

    def be_escapes(self, number: int) -> None:
        self.send(200, "text/event-stream", events(f"```scala\n{ADDER}// \x1b]0;owned\x07\n```"))

    def be_wrong(self, number: int) -> None:
        wrong = ADDER.replace("io.a + io.b", "io.a.conjoin(io.b)")
        self.send(200, "text/event-stream", events(f"```scala\n{wrong}```"))

    def be_whole(self, number: int) -> None:
        row = {
            "choices": [{"message": {"content": TEXT}, "finish_reason": "length"}],
            "usage": {"completion_tokens": 9},
        }
        self.send(200, "application/json", json.dumps(row).encode())

    def be_busy_twice(self, number: int) -> None:
        if number <= 2:
            self.send(429, "application/json", b'{"error": {"message": "slow down"}}', Retry_After="0")
        else:
            self.be_good(number)

    def be_busy(self, number: int) -> None:
        self.send(429, "application/json", b'{"error": {"message": "slow down"}}')

    def be_broken(self, number: int) -> None:
        self.send(503, "text/plain", b"down")

    def be_cut(self, number: int) -> None:
        self.send(200, "text/event-stream", events(TEXT)[:120])

    def be_silent(self, number: int) -> None:
        time.sleep(3)

    def be_good_once(self, number: int) -> None:
        if number == 1:
            self.be_good(number)
        else:
            time.sleep(60)

    def be_garbage(self, number: int) -> None:
        self.send(200, "text/event-stream", b"data: \xff\x00{{{\n\n")

    def be_html(self, number: int) -> None:
        self.send(200, "text/html", b"<!doctype html><title>Log in</title>")

    def be_no_json(self, number: int) -> None:
        self.send(200, "application/json", b'{"choices": []}')

    def be_leak(self, number: int) -> None:
        key = self.headers["Authorization"].split()[1]
        row = {"error": {"message": f"Incorrect API key provided: {key}. It starts with {key[:8]} and ends {key[-8:]}"}}
        self.send(401, "application/json", json.dumps(row).encode())

    def be_leak_later(self, number: int) -> None:
        key = self.headers["Authorization"].split()[1]
        self.send(200, "text/event-stream", f'data: {{"error": {{"message": "quota of {key}"}}}}\n\n'.encode())

    def be_elsewhere(self, number: int) -> None:
        self.send(307, "text/plain", b"", Location=f"http://127.0.0.1:{self.server.server_port}/v2")

    def be_endless(self, number: int) -> None:
        self.send(200, "text/event-stream", b"")
        piece = json.dumps({"choices": [{"delta": {"content": "x" * 60_000}}]}).encode()
        for _ in range(60):
            self.wfile.write(b"data: " + piece + b"\n\n")

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[str, Seen]]:
    seen = Seen()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"seen": seen}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
