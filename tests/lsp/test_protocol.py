"""The protocol's rules: start and end, wrong messages, unknown documents, cancelling; the server lives or exits."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import PLAIN, TIMEOUT_S, Client, ResponseError, at, running
from tests.lsp.sources import FAULTY, SCALE, kernels
from tests.waiting import ended, wait_for


def alive(client: Client) -> bool:
    """Whether the server still answers, and rightly."""
    with pytest.raises(ResponseError) as caught:
        client.request("no/such/method")
    return caught.value.code == -32601


def outcome(client: Client, number: int) -> int | str:
    """`answered`, or the code of the error a request ended with."""
    try:
        client.wait(number)
    except ResponseError as error:
        return error.code
    return "answered"


def test_nothing_is_answered_before_initialize(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        with pytest.raises(ResponseError) as caught:
            client.hints("file:///x.cpp")
        assert caught.value.code == -32002
        client.open("file:///x.cpp", SCALE)  # to be ignored
        client.initialize(folder=tmp_path)
        assert client.hints("file:///x.cpp") == []


def test_initialize_comes_once_and_nothing_after_shutdown(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        with pytest.raises(ResponseError) as caught:
            client.initialize(folder=tmp_path)
        assert caught.value.code == -32600
        client.request("shutdown")
        with pytest.raises(ResponseError) as caught:
            client.hints("file:///x.cpp")
        assert caught.value.code == -32600
        client.notify("exit")
        assert client.process.wait(timeout=TIMEOUT_S) == 0


def test_exit_without_shutdown_is_an_error(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        client.notify("exit")
        assert client.process.wait(timeout=TIMEOUT_S) == 1


def test_the_end_of_input_ends_server_and_worker(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        client.hints(client.open((tmp_path / "a.cpp").as_uri(), SCALE))
        workers = children(client.process.pid)
        assert workers
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert client.process.wait(timeout=TIMEOUT_S) == 1
        gone(workers)


def test_a_killed_server_leaves_no_worker(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        client.hints(client.open((tmp_path / "a.cpp").as_uri(), SCALE))
        workers = children(client.process.pid)
        client.process.send_signal(signal.SIGKILL)
        gone(workers)


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def gone(pids: list[int]) -> None:
    wait_for(lambda: all(map(ended, pids)), f"the end of {pids}")


def test_shutdown_in_the_middle_of_work(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "a.cpp").as_uri(), kernels(300))
        waiting = client.start("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        client.request("shutdown")
        with suppress(ResponseError):  # answered or given up, but not forgotten
            client.wait(waiting)
        client.notify("exit")
        assert client.process.wait(timeout=TIMEOUT_S) == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Length: 5\r\n\r\n{bad}",
        b"Content-Length: 2\r\n\r\n[]",
        b"Content-Length: 4\r\n\r\nnull",
        b"Content-Length: 6\r\n\r\n\"\xff\xfe\xfd\xfc\"",
        b"Content-Length: 2\r\n\r\n{}",
        b"X-Other: 1\r\nContent-Length: 20\r\n\r\n{\"jsonrpc\": \"2.0\"}  ",
        b"\r\n\r\n",
        b"nonsense\r\n",
    ],
)  # fmt: skip
def test_raw_bytes_that_are_no_message(client: Client, raw: bytes) -> None:
    client.send_bytes(raw)
    assert alive(client)


def test_a_body_that_is_no_json_is_answered(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        client.send_bytes(b"Content-Length: 5\r\n\r\n{bad}")
        with pytest.raises(ResponseError) as caught:
            client.wait(None)
        assert caught.value.code == -32700


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/inlayHint", {}),
        ("textDocument/inlayHint", {"textDocument": 5, "range": []}),
        ("textDocument/hover", None),
        ("textDocument/hover", {"textDocument": {"uri": "x"}, "position": {"line": "a", "character": {}}}),
        ("textDocument/codeAction", {"textDocument": {"uri": 3}}),
        ("workspace/executeCommand", {"command": "hwml.explain", "arguments": [1, 2, 3]}),
        ("codeAction/resolve", {"title": "x", "data": {"uri": "file:///x", "version": "a"}}),
        ("codeAction/resolve", {"title": "x"}),
        ("textDocument/completion", [1, 2]),
    ],
)
def test_wrong_parameters_are_answered_with_an_error(client: Client, method: str, params: Any) -> None:
    with pytest.raises(ResponseError):
        client.request(method, params)
    assert alive(client)


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1", "git:/a/b.cpp?ref", "http://host/x.cpp", "file://host/share/x.cpp", "file:///a%00b.cpp",
        "", "::::", "file:", "file:///", "file:///%zz%ff/x.cpp", "vscode-notebook-cell:/x#1", "file:///no/such/x.cpp",
        "file:///dir/file.unknown", "//[bad", "file:///" + "d/" * 2000 + "x.cpp",
    ],
)  # fmt: skip
def test_documents_of_every_kind_of_address(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.hints(uri)
    client.lenses(uri)
    client.hover(uri, 2, 7)
    client.pull(uri)
    client.complete(uri, 5, 12)
    client.change(uri, 2, at(0, 0, 0, 0, "x"))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert alive(client)


def test_requests_about_documents_that_are_closed_or_never_were_open(client: Client, uri: str) -> None:
    client.change(uri, 5, at(0, 0, 0, 0, "x"))
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    for _ in range(2):
        assert client.hints(uri) == []
        assert client.lenses(uri) == []
        assert client.pull(uri) == []
        assert client.actions(uri, 0) == []
        assert client.hover(uri, 0, 0) == ""
        assert client.complete(uri, 0, 0) == {}
        client.open(uri, SCALE)
        client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def test_a_document_opened_twice_has_its_newer_text(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    client.open(uri, SCALE, version=9)
    assert client.pull(uri) == []
    assert len(client.hints(uri)) == 1


def test_cancelled_requests_are_answered_at_every_moment(plain: Client, uri: str) -> None:
    plain.open(uri, kernels(40))
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 400, "character": 0}}
    for version in range(2, 22):
        plain.change(uri, version, at(0, 0, 0, 0, "\n"))
        waiting = plain.start("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": place})
        time.sleep(0.03 * (version % 5))
        plain.notify("$/cancelRequest", {"id": waiting})
        assert outcome(plain, waiting) in ("answered", -32800, -32801)
    plain.notify("$/cancelRequest", {"id": 123456})
    plain.notify("$/cancelRequest", {"id": "never"})
    assert len([h for h in plain.hints(uri) if h["label"].startswith("II")]) == 40


def test_answers_to_questions_never_asked(client: Client) -> None:
    client.send({"id": 99999, "result": None})
    client.send({"id": "x", "error": {"code": 1, "message": "no"}})
    client.notify("$/unknown", {"x": 1})
    client.notify("unknown/notification")
    assert alive(client)


def test_a_client_that_never_answers(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.answers_requests = False
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        assert len(client.hints(uri)) == 1
        assert client.end() == 0


def test_random_messages_leave_the_server_alive(client: Client, place: Path) -> None:
    """Seeded mixture of right and wrong messages on a few documents; every request gets one answer."""
    chance = random.Random(7)
    uris = [(place / f"fuzz{n}.cpp").as_uri() for n in range(3)] + ["untitled:u", "file:///nowhere.scala"]
    texts = [SCALE, FAULTY, "", "\r\r\r", "#pragma HLS", "void f(){" * 50, "🎯" * 100, "\x00", kernels(4)]
    methods = ("hover", "inlayHint", "codeLens", "diagnostic", "codeAction", "completion")

    def numbers() -> int:
        return chance.choice((0, 1, 3, 5, 8, 60, 2**31 - 1))

    waiting = []
    for step in range(250):
        uri = chance.choice(uris)
        here = {"line": numbers(), "character": numbers()}
        there = {"line": numbers(), "character": numbers()}
        kind = chance.randrange(6)
        if kind == 0:
            client.open(uri, chance.choice(texts), chance.choice(("cpp", "scala", "x")), step)
        elif kind == 1:
            client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        elif kind <= 3:
            client.change(uri, step, {"range": {"start": here, "end": there}, "text": chance.choice(texts)[:80]})
        else:
            context = {"diagnostics": [], "only": chance.choice((None, ["quickfix"], [""], ["x"]))}
            params = {"textDocument": {"uri": uri}, "position": here, "range": {"start": here, "end": there}}
            waiting.append(client.start(f"textDocument/{chance.choice(methods)}", {**params, "context": context}))
            if chance.random() < 0.3:
                client.notify("$/cancelRequest", {"id": waiting[-1]})
    for number in waiting:
        assert outcome(client, number) in ("answered", -32800, -32801, -32802, -32602)
    assert alive(client)
    assert not [line for line in client.stderr if "internal error" in line]


def test_serving_on_a_port_of_this_machine(tmp_path: Path) -> None:
    import socket
    import subprocess
    import sys

    from tests.lsp.lsp_client import environment

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hwml_lsp", "--tcp", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, env=environment(tmp_path), cwd=tmp_path)
    try:
        end = time.monotonic() + TIMEOUT_S
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.1)
        with connection, connection.makefile("rwb") as stream:
            for number, method in enumerate(("initialize", "shutdown")):
                params = {"processId": os.getpid(), "rootUri": None, "capabilities": PLAIN} if number == 0 else None
                body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
                stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                stream.flush()
                answer: dict[str, Any] = {}
                while answer.get("id") != number:
                    length = int(stream.readline().partition(b":")[2])
                    while stream.readline() != b"\r\n":
                        pass
                    answer = json.loads(stream.read(length))
                assert "error" not in answer
            body = b'{"jsonrpc":"2.0","method":"exit"}'
            stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            stream.flush()
        assert process.wait(timeout=TIMEOUT_S) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.mark.parametrize("address", ["0.0.0.0:1", "example.com:80", "127.0.0.1:x", "127.0.0.1:99999", "x"])
def test_no_port_for_others(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    from hwml_lsp.cli import main

    with pytest.raises(SystemExit) as caught:
        main(["--tcp", address])
    assert caught.value.code == 2
    assert "--tcp" in capsys.readouterr().err
