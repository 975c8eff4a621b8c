"""What an agent cannot reach: files outside the open folders by any name, trust, and sizes without bound."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import types
from tests.agents.client import Client, in_memory

from hwml_sdk.config import load_settings, set_trust
from hwml_sdk.errors import SourceError
from hwml_sdk.files import open_regular, read_bytes, read_source
from hwml_sdk.reach import Reach, may_read, reading_below, reading_freely

KERNEL = "void top(int a[8]) {\n#pragma HLS TOP\n  for (int i = 0; i < N; i++) a[i] += 1;\n}\n"
_watching: list[list[str]] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        for names in _watching:
            names.append(arguments[0])


sys.addaudithook(_watch)  # cannot be taken away again: it listens inside `opened` only


@contextmanager
def opened() -> Iterator[list[str]]:
    """Every file that this process opens meanwhile."""
    names: list[str] = []
    _watching.append(names)
    try:
        yield names
    finally:
        _watching.remove(names)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder `open` with links out of it, and what lies outside: a secret, a header, settings, a project."""
    inside, outside = tmp_path / "open", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.cpp").write_text(KERNEL.replace("N", "7"))
    (outside / "secret.h").write_text("#define N 7\n")
    (tmp_path / "hwml.toml").write_text('[hls]\npart = "xc7z020clg484-1"\n')
    (tmp_path / "hls_config.cfg").write_text("part=xc7z020clg484-1\n[hls]\nsyn.top=top\n")
    (inside / "k.cpp").write_text(KERNEL.replace("N", "8"))
    (inside / "link.cpp").symlink_to(outside / "secret.cpp")
    (inside / "away").symlink_to(outside)
    (inside / "includes.cpp").write_text(f'#include "../outside/secret.h"\n#include "{outside}/secret.h"\n{KERNEL}')
    (inside / "through.cpp").write_text(f'#include "away/secret.h"\n{KERNEL}')
    return tmp_path


NAMES = [
    "/etc/passwd",
    "/etc/passwd.cpp",
    "../outside/secret.cpp",
    "link.cpp",
    "away/secret.cpp",
    "{world}/outside/secret.cpp",
    "{world}/open/../outside/secret.cpp",
    "file://{world}/outside/secret.cpp",
    "file:///etc/passwd",
    "{world}/outside/there-is-none.cpp",
    "~/k.cpp/../../../../etc/passwd",
]


@pytest.mark.parametrize("tool", ["predict_qor", "lint_hls", "why_ii", "compare", "check_chisel", "fix_chisel"])
def test_no_name_leads_out(tool: str, world: Path) -> None:
    with in_memory(world / "open") as agent, opened() as files:
        more = {"before_text": KERNEL} if tool == "compare" else {}
        for name in NAMES:
            said = agent.refusal(tool, path=name.format(world=world), **more)
            assert "lies outside the folders that this client opened" in said, name
        if tool == "compare":
            for name in NAMES:
                said = agent.refusal(tool, text=KERNEL, before_path=name.format(world=world))
                assert "lies outside" in said
    assert not [name for name in files if str(world / "outside") in name or "passwd" in name]


def test_what_a_source_names_is_not_read_outside(world: Path) -> None:
    with in_memory(world / "open") as agent, opened() as files:
        for name in ("includes.cpp", "through.cpp"):
            told = agent.answer("predict_qor", path=name)
            assert told["loops"][0]["trip_count"] is None  # N is not known
            assert "7" not in str(told["loops"])
        told = agent.answer("predict_qor", path="k.cpp")
        assert told["origins"]["part"] == "default"  # settings and project lie above the open folder
        agent.answer("lint_hls", path="includes.cpp")
    closed = (str(world / "outside"), "hwml.toml", "hls_config.cfg")
    assert not [name for name in files if any(word in name for word in closed)]
    with in_memory(world) as agent:  # the same files, when they are open
        assert agent.answer("predict_qor", path="open/includes.cpp")["loops"][0]["trip_count"] == 7
        assert agent.answer("predict_qor", path="open/k.cpp")["part"].startswith("xc7z020")


def test_without_roots_only_texts_are_looked_at(world: Path) -> None:
    file = str(world / "open" / "k.cpp")
    for silent in (True, False):
        with in_memory(silent=silent) as agent:
            assert "no folder is open" in agent.refusal("predict_qor", path=file)
            assert agent.answer("predict_qor", text=KERNEL.replace("N", "8"))["top"] == "top"
    with in_memory(allowed=(world / "open",), silent=True) as agent:  # --root alone
        assert agent.answer("predict_qor", path=file)["top"] == "top"
        assert "lies outside" in agent.refusal("predict_qor", path=str(world / "outside" / "secret.cpp"))
    with in_memory(world / "outside", allowed=(world / "open",)) as agent:  # both lists are given, and share nothing
        assert "no folder is open" in agent.refusal("predict_qor", path=file)
    with in_memory(world, allowed=(world / "open",)) as agent:  # and share one folder
        assert agent.answer("predict_qor", path=file)["top"] == "top"
        assert "lies outside" in agent.refusal("predict_qor", path=str(world / "outside" / "secret.cpp"))


def test_roots_that_are_no_folders_open_nothing(world: Path) -> None:
    for root in ((world / "none").as_uri(), (world / "open" / "k.cpp").as_uri(), "file://elsewhere/etc"):
        with in_memory(root) as agent:
            assert "no folder is open" in agent.refusal("predict_qor", path=str(world / "open" / "k.cpp"))


def test_roots_that_change_are_asked_for_again(world: Path) -> None:
    with in_memory(world) as agent:
        assert agent.answer("predict_qor", path="open/k.cpp")["part"].startswith("xc7z020")
        agent.roots[:] = [(world / "open").as_uri()]
        agent.ask(agent.session.send_roots_list_changed)
        told = agent.answer("predict_qor", path=str(world / "open" / "k.cpp"))
        assert told["origins"]["part"] == "default"  # what was read when more was open is not kept


def test_an_agent_cannot_grant_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "config"))
    with in_memory(tmp_path) as agent:
        for tool in ("check_chisel", "fix_chisel"):
            for name in ("trust", "trusted", "elaborate", "fence", "model"):
                said = agent.refusal(tool, text="import chisel3._", **{name: True})
                assert "Additional properties are not allowed" in said
    set_trust(tmp_path, True)
    (tmp_path / "config" / "trusted.json").chmod(0o600)
    assert load_settings(tmp_path / "A.scala").trusted
    with reading_below(Reach((tmp_path / "other",), (tmp_path / "config",))):
        assert load_settings(tmp_path / "A.scala").trusted  # hwml's own list is read, whatever is open


def test_arguments_are_bounded(world: Path) -> None:
    with in_memory(world / "open") as agent:
        assert "5.0 MB, over the limit of 2 MB" in agent.refusal("predict_qor", text="x" * 5_000_000)
        assert "5.0 MB" in agent.refusal("compare", text=KERNEL, before_text="y" * 5_000_000)
        said = agent.refusal("explain", code="z" * 5_000_000)
        assert said == "explain: code: breaks maxLength 200"
        (world / "open" / "large.cpp").write_text("//" + "x" * 3_000_000)
        assert "over the limit of 2 MB" in agent.refusal("lint_hls", path="large.cpp")
        assert "is no name of a file" in agent.refusal("predict_qor", path="a\0.cpp")
        assert "is no C or C++ file" in agent.refusal("predict_qor", path="k.txt")
        assert "soon" in agent.refusal("predict_qor", text=KERNEL, clock="soon")
        assert "is not of type 'string'" in agent.refusal("predict_qor", text=["a"])
        assert agent.answer("explain", code="HLS101")["code"] == "HLS101"  # and goes on


def test_a_tool_that_is_not_there(world: Path) -> None:
    with in_memory(world / "open") as agent:
        assert "there is no tool 'rm'" in agent.refusal("rm", path="k.cpp")


def test_the_one_place_where_files_are_opened(tmp_path: Path) -> None:
    """The rule itself: links in the name and above it, ways round, hwml's own places."""
    inside, own = tmp_path / "a", tmp_path / "own"
    inside.mkdir()
    own.mkdir()
    (inside / "k.cpp").write_text("text")
    (own / "cache.json").write_text("{}")
    (inside / "cache.cpp").symlink_to(own / "cache.json")
    (tmp_path / "alias").symlink_to(inside)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / "k.cpp").write_text("text")
    assert may_read("/etc/passwd")
    with reading_below(Reach((inside,), (own,))):
        assert read_source(inside / "k.cpp") == "text"
        assert read_source(tmp_path / "alias" / "k.cpp") == "text"
        assert read_bytes(own / "cache.json") == b"{}"
        for place in (
            own / "cache.json",
            inside / "cache.cpp",
            tmp_path / "ab" / "k.cpp",
            inside / ".." / "own" / "cache.json",
        ):
            with pytest.raises(SourceError, match="lies outside the folders"):
                read_source(place)
        for place in (inside / "cache.cpp", inside / ".." / "own" / "cache.json", tmp_path / "ab" / "k.cpp"):
            with pytest.raises(PermissionError):
                open_regular(place)
        with reading_freely():
            assert read_bytes(tmp_path / "ab" / "k.cpp") == b"text"
        assert not may_read("a\0b")
    assert read_source(tmp_path / "ab" / "k.cpp") == "text"


def test_a_call_that_is_cancelled_ends_and_others_go_on(tmp_path: Path) -> None:
    """Cancelled at its first progress: whoever waits hears of it, and the thread stops at the next."""
    body = "\n".join(f"void f{i}(int a[8]) {{ for (int j = 0; j < 8; j++) a[j] += {i}; }}" for i in range(300))
    text = f"{body}\nvoid top(int a[8]) {{\n#pragma HLS TOP\n f0(a);\n}}\n"
    with in_memory(tmp_path) as agent:
        reached = threading.Event()
        said = agent.ask(_cancelled, agent, text, reached)
        assert reached.is_set()
        assert said == "Request cancelled"
        assert agent.answer("explain", code="HLS101")["code"] == "HLS101"


async def _cancelled(agent: Client, text: str, reached: threading.Event) -> str:
    from mcp.shared.exceptions import McpError

    session = agent.session
    number = session._request_id

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        reached.set()
        params = types.CancelledNotificationParams(requestId=number, reason="no longer wanted")
        await session.send_notification(types.ClientNotification(types.CancelledNotification(params=params)))

    try:
        await session.call_tool("why_ii", {"text": text}, progress_callback=progress)
    except McpError as error:
        return str(error)
    return "it was answered"
