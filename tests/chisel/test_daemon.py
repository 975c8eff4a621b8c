"""The daemon: one for everybody, found again, replaced when dead, gone when told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.serve import client, protocol
from hwml_sdk.chisel.serve.client import Client, running_daemon, stop_daemon
from hwml_sdk.chisel.types import CheckRequest

GOOD = "import chisel3._\nclass Good extends Module { val y = IO(Output(Bool())); y := true.B }\n"
REQUEST = CheckRequest((("Good.scala", GOOD),), elaborate=True, timeout_s=120)  # a loaded machine takes its time


def _status(programs: Programs) -> dict[str, object]:
    answer = running_daemon(programs)
    assert answer is not None
    return answer


def _wait_for(condition: object, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < limit, "the condition was not met in time"
        time.sleep(0.05)


def test_two_clients_share_one_daemon(programs: Programs) -> None:
    first, second = Client("7.14.0"), Client("7.14.0")
    assert first.check(REQUEST).ok and second.check(REQUEST).ok
    assert len({_status(programs)["pid"], _status(programs)["pid"]}) == 1
    first.close()
    second.close()


def test_clients_that_race_for_the_start(programs: Programs) -> None:
    stop_daemon(programs)
    _wait_for(lambda: running_daemon(programs) is None)
    results = []
    threads = [threading.Thread(target=lambda: results.append(Client("7.14.0").check(REQUEST).ok)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    pid = _status(programs)["pid"]
    time.sleep(1)  # the losers of the race have ended by now
    assert _status(programs)["pid"] == pid


def test_a_dead_daemon_is_replaced(programs: Programs) -> None:
    link = Client("7.14.0")
    assert link.check(REQUEST).ok
    pid = _status(programs)["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGKILL)  # leaves its socket behind
    assert link.check(REQUEST).ok
    assert _status(programs)["pid"] != pid


def test_stop_and_status(programs: Programs) -> None:
    link = Client("7.14.0")
    link.check(REQUEST)
    status = _status(programs)
    assert status["version"] == "7.14.0" and isinstance(status["sessions"], list)
    assert stop_daemon(programs) is not None
    _wait_for(lambda: running_daemon(programs) is None)
    place = protocol.meeting_place(programs.key)
    _wait_for(lambda: not place.exists())


def test_it_ends_with_its_parent(programs: Programs) -> None:
    stop_daemon(programs)
    _wait_for(lambda: running_daemon(programs) is None)
    code = (
        "from hwml_sdk.chisel.serve.client import Client; from hwml_sdk.chisel.types import CheckRequest;"
        f"Client('7.14.0', keep=False).check(CheckRequest((('G.scala', {GOOD!r}),), elaborate=False))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    _wait_for(lambda: running_daemon(programs) is None)


@pytest.mark.parametrize("raw", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x03{}"])
def test_strangers_on_the_socket(programs: Programs, raw: bytes) -> None:
    link = Client("7.14.0")
    assert link.check(REQUEST).ok
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(str(protocol.meeting_place(programs.key)))
        stranger.sendall(raw)
    assert link.check(REQUEST).ok


def test_another_protocol_is_refused(programs: Programs) -> None:
    Client("7.14.0").check(REQUEST)
    found = protocol.connect(protocol.meeting_place(programs.key), timeout_s=5)
    assert found is not None
    with found[0] as stranger:
        protocol.send(stranger, {"protocol": 99, "token": ""})
        answer = protocol.receive(stranger)
    assert answer is not None and "protocol" in str(answer.get("error"))


def test_a_hook_environment_does_not_matter_later(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    link = Client("7.14.0")
    assert link.check(REQUEST).ok
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert link.check(CheckRequest((("Other.scala", GOOD + "// again"),), elaborate=True)).ok


def test_results_travel_whole(programs: Programs) -> None:
    wide = "import chisel3._\nclass Größe extends Module { val y = IO(Output(UInt(8.W))); y := 1 }\n"
    direct = Client("7.14.0").check(CheckRequest((("Größe.scala", wide),), elaborate=True))
    again = protocol.result_from(protocol.result_json(direct))
    assert again == direct and direct.errors[0].path == "Größe.scala"
    assert client.reachable(protocol.meeting_place(programs.key))
