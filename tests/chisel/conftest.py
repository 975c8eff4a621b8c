"""Real tools for the tests: the pinned tool chain (fetched once), a daemon of the tests' own, samples."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.test_files import special

from hwml_sdk.chisel.compile import workers
from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.install import toolchain
from hwml_sdk.chisel.serve import client
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest, CompileResult
from hwml_sdk.errors import HwmlError

__all__ = ["special"]  # a fixture of other tests
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "chisel"


@pytest.fixture(scope="session")
def programs() -> workers.Programs:
    return _programs("7.14.0")


@pytest.fixture(scope="session")
def old_programs() -> workers.Programs:
    return _programs("6.7.0")


def _programs(version: str) -> workers.Programs:
    try:
        return prepare(toolchain.ensure(version))
    except HwmlError as error:
        pytest.skip(f"tool chain {version}: {error}")


@pytest.fixture(scope="session")
def session(programs: workers.Programs) -> Iterator[Session]:
    session = Session(programs)
    yield session
    session.kill()


@pytest.fixture(scope="session")
def old_session(old_programs: workers.Programs) -> Iterator[Session]:
    session = Session(old_programs)
    yield session
    session.kill()


@pytest.fixture
def no_network(programs: workers.Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this process may leave the machine: names are not looked up, nobody but local sockets is reached.

    The tool chain is there; firtool and yosys speak to nobody, and constructors are kept from it by the fence.
    """
    reached = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX, f"a connection to {address}"
        reached(self, address)

    def look_up(host: object, *_: object, **__: object) -> Any:
        raise AssertionError(f"a look-up of {host}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture(scope="session", autouse=True)
def own_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Daemons of the tests meet their clients in a folder of their own, and end with them."""
    runtime = Path(__import__("tempfile").mkdtemp(prefix="hwml-t-"))
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_RUNTIME_DIR", str(runtime))
    yield
    for version in (*toolchain.locked_versions(), *toolchain.installed_unpinned()):
        chain = toolchain.installed(version)
        if chain is not None and (chain.folder / toolchain.READY_FILE).exists():
            client.stop_daemon(prepare(chain))
    for link in client_links():
        link.close()
    patch.undo()
    shutil.rmtree(runtime, ignore_errors=True)


def client_links() -> list[client.Client]:
    from hwml_sdk.chisel import check

    links = list(check._clients.values())
    check._clients.clear()
    return links


def check(session: Session, text: str, *, elaborate: bool = True, timeout_s: float = 30, **more: Any) -> CompileResult:
    return session.check(CheckRequest((("Demo.scala", text),), elaborate, timeout_s=timeout_s, **more))


def shared_rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside this checkout")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plain(verilog: str) -> str:
    """SystemVerilog without comments and layout."""
    return re.sub(r"//[^\n]*|\s+", " ", verilog)
