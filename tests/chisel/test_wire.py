"""The line to a worker: what a message may be, and who is to blame for what is none. The worker here is in Python."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from hwml_sdk.chisel.compile import elaborator
from hwml_sdk.chisel.compile.elaborator import Elaborator
from hwml_sdk.chisel.compile.wire import Channel, Worker
from hwml_sdk.errors import WorkerDiedError
from hwml_sdk.framing import Fields, MismatchError

# Answers each request with what the next entry of a list of plans says: "ok" for a target, "exit", or "?" for noise.
WORKER = """
import hashlib, struct, sys
from pathlib import Path
from hwml_sdk.framing import Fields
into, out = open(sys.argv[2], "rb"), open(sys.argv[3], "wb")
line, plans = Fields(), Path(sys.argv[1])
line.write(out, [b"ready"])
while (request := line.read(into)) is not None:
    plan, *rest = plans.read_text().splitlines()
    plans.write_text("\\n".join(rest))
    digest = hashlib.sha256(b"".join(struct.pack(">I", len(field)) + field for field in request)).digest()
    targets = request[2:]
    for word in plan.split():
        if word == "ok":
            line.write(out, [request[0], digest, b"ok", targets.pop(0), b"circuit", b""])
        elif word == "?":
            out.write(b"\\xff" * 64)
            out.flush()
        else:
            line.write(out, [request[0], digest, word.encode(), b"0"])
"""
Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts workers that go by the file `plans`."""
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))

    def begin(*_: Any, channel: Channel | None = None, **__: Any) -> Worker:
        channel = channel or Channel(tmp_path / "lines")
        argv = [sys.executable, "-c", WORKER, str(tmp_path / "plans"), *channel.arguments]
        return Worker("test", argv, channel=channel, log=tmp_path / "log", env=dict(os.environ), cwd=tmp_path)

    return begin


def endings(start: Start, monkeypatch: pytest.MonkeyPatch, plans: Path, text: str) -> list[str]:
    """How each of three classes ended."""
    monkeypatch.setattr(elaborator, "start_elaborator", start)
    plans.write_text(text)
    running = Elaborator(None)  # type: ignore[arg-type]  # the programs are for the JVM
    try:
        found = running.run({}, ["A", "B", "C"], timeout_s=60, plain=True)
    finally:
        running.kill()
    assert [item.target for item in found] == ["A", "B", "C"]
    return [item.ending for item in found]


def test_who_answers_with_noise_twice_is_to_blame(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = "?\n?\nok ok done"
    assert endings(start, monkeypatch, tmp_path / "plans", plans) == ["garbled", "ok", "ok"]


def test_noise_once_before_progress_and_once_after_it_is_nobodys(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A is answered on its second try and B ends the process: C, which then meets noise once, has its second try."""
    plans = "?\nok exit\n?\nok done"
    assert endings(start, monkeypatch, tmp_path / "plans", plans) == ["ok", "exit", "ok"]


def test_a_line_that_was_shut_is_not_what_the_worker_said(start: Start, tmp_path: Path) -> None:
    """As when another thread ends the worker between two messages."""

    class Shut(Channel):
        def join(self, process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
            to, back = super().join(process)
            back.close()
            return to, back

    worker = start(channel=Shut(tmp_path / "lines"))
    with pytest.raises(WorkerDiedError) as caught:
        worker.wait_ready()
    assert not caught.value.garbled and not worker.alive


def test_the_bound_is_on_the_whole_message() -> None:
    line, stream = Fields(max_bytes=10), io.BytesIO()
    line.write(stream, [b"12345", b"", b"67890"])
    line.write(stream, [b"12345", b"678901"])
    stream.seek(0)
    assert line.read(stream) == [b"12345", b"", b"67890"]
    with pytest.raises(MismatchError, match="over the limit"):
        line.read(stream)


def test_how_a_stream_ends() -> None:
    assert Fields().read(io.BytesIO()) is None
    for cut in (struct.pack(">I", 1), struct.pack(">II", 1, 3) + b"ab", b"\0\0"):
        with pytest.raises(EOFError):
            Fields().read(io.BytesIO(cut))
