"""The program itself: what it loads, what it prints, the configuration that the documents give, bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.agents.client import program
from tests.agents.test_tools import PORTS

ROOT = Path(__file__).resolve().parents[2]
HWML = str(Path(sys.executable).parent / "hwml")
PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}


def configurations() -> list[tuple[str, list[str]]]:
    """Command and arguments of every block of configuration in the documents."""
    found = []
    for language, block in re.findall(r"```(json|toml)\n(.*?)```", PAGE, re.DOTALL):
        told = json.loads(block) if language == "json" else tomllib.loads(block)
        (servers,) = (value for key, value in told.items() if key in ("mcpServers", "servers", "mcp_servers"))
        found += [(server["command"], server["args"]) for server in servers.values()]
    return found


def test_three_clients_are_documented() -> None:
    assert len(configurations()) == 3
    assert all(command == "hwml" and arguments[0] == "mcp" for command, arguments in configurations())


def test_the_program_serves_as_its_documents_configure_it(tmp_path: Path) -> None:
    """One that tells roots, and the same with --root: the folders of the placeholders are those of the test."""
    (tmp_path / "ports.cpp").write_text(PORTS)
    arguments = next(given for _, given in configurations() if "--root" in given)[1:]
    arguments[-1] = str(tmp_path)
    with program(tmp_path, folder=tmp_path, arguments=arguments) as agent:
        assert len(agent.ask(agent.session.list_tools).tools) >= 7
        assert agent.answer("predict_qor", path="ports.cpp")["loops"][0]["ii"] == 2
        assert "lies outside" in agent.refusal("lint_hls", path="/etc/passwd.cpp")


def ask(folder: Path, *messages: dict[str, Any] | str, python: str = "", arguments: tuple[str, ...] = ()) -> Any:
    """What the program answers to some lines, after which its input ends."""
    lines = "".join(f"{item if isinstance(item, str) else json.dumps(item)}\n" for item in messages)
    argv = [HWML, "mcp", *arguments] if not python else [sys.executable, "-P", "-c", python]
    env = {**os.environ, "HWML_CONFIG_DIR": str(folder / "config"), "HWML_CACHE_DIR": str(folder / "cache")}
    return subprocess.run(
        argv, input=lines, cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False
    )


def test_it_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """Neither torch nor the web servers of the SDK, also after a prediction; what prints is no message."""
    python = (
        "import atexit, os, sys\n"
        "from hwml_sdk.cli import main\n"
        "from hwml_sdk.agents import hls\n"
        "predict = hls.predict\n"
        "def told(*given):\n"
        "    print('a word of a library')\n"
        "    os.write(1, b'a word of its C part\\n')\n"
        "    names = {name.partition('.')[0] for name in sys.modules}\n"
        "    heavy = {'torch', 'starlette', 'uvicorn', 'cryptography', 'httpx', 'mcp'}\n"
        "    print('loaded', *sorted(names & heavy), file=sys.stderr)\n"
        "    return predict(*given)\n"
        "hls.predict = told\n"
        "main(['mcp'])\n"
    )
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "predict_qor", "arguments": {"text": PORTS}},
    }
    env = {**os.environ, "HWML_CONFIG_DIR": str(tmp_path), "HWML_CACHE_DIR": str(tmp_path)}
    argv = [sys.executable, "-P", "-c", python]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, stderr=-1, text=True, env=env, cwd=tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        for message in (HELLO, READY, call):
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            if "id" in message:
                answer = json.loads(process.stdout.readline())
                assert answer["id"] == message["id"]
        process.stdin.close()
        said = process.stderr.read()
        assert process.wait(60) == 0
    assert answer["result"]["structuredContent"]["loops"][0]["ii"] == 2
    assert "loaded mcp\n" in said
    assert "a word of a library" in said


def test_bad_lines_are_survived(tmp_path: Path) -> None:
    done = ask(tmp_path, "{", "[1, 2]", HELLO, READY, '{"jsonrpc": "2.0", "id": 7, "method": "no/such"}', "\x00")
    answers = {item.get("id"): item for item in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["result"]["serverInfo"]["name"] == "hwml"
    assert "error" in answers[7]
    assert done.returncode == 0


def test_what_was_asked_before_the_input_ended_is_answered(tmp_path: Path) -> None:
    """Also what takes a while: requests in a file are a way of use."""
    params = {"name": "predict_qor", "arguments": {"text": PORTS}}
    calls = [{"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params} for number in (2, 3)]
    done = ask(tmp_path, HELLO, READY, *calls)
    answers = {item.get("id"): item for item in map(json.loads, done.stdout.splitlines())}
    assert [answers[number]["result"]["structuredContent"]["loops"][0]["ii"] for number in (2, 3)] == [2, 2]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--root", "there-is-none"), "hwml: there-is-none: is no folder; --root names the folder of your designs"),
        (("--trust",), "unrecognized arguments: --trust"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = ask(tmp_path, arguments=arguments)
    assert done.returncode == 2
    assert done.stderr.strip().endswith(words)
    assert done.stdout == ""


def test_without_the_sdk_the_extra_is_named(tmp_path: Path) -> None:
    blocked = "import sys\nimport importlib.util as u\nfound = u.find_spec\n"
    blocked += "u.find_spec = lambda name, *more: None if name == 'mcp' else found(name, *more)\n"
    blocked += "from hwml_sdk.cli import main\nsys.exit(main(['mcp']))\n"
    done = ask(tmp_path, python=blocked)
    assert done.returncode == 2
    assert done.stderr.startswith("hwml: mcp is needed here: pip install 'hwml[mcp]' brings it")


def test_what_the_sdk_names_and_a_server_needs_seldom_is_loaded_when_it_is_asked_for(tmp_path: Path) -> None:
    """A stand-in in the SDK's modules only: whoever else imports these packages gets themselves."""
    python = (
        "import sys\n"
        "from hwml_sdk.agents import sdk\n"
        "sdk.enter()\n"
        "from mcp.server.lowlevel import server\n"
        "from mcp.shared import session\n"
        "from mcp import types\n"
        "print(sorted({'httpx', 'jsonschema', 'rich', 'referencing'} & set(sys.modules)))\n"
        "print(int(session.httpx.codes.REQUEST_TIMEOUT), server.jsonschema.ValidationError.__name__)\n"
        "import httpx, jsonschema\n"
        "print(httpx.__version__ > '0', jsonschema.validate({}, {'type': 'object'}))\n"
        "import pydantic\n"
        "print(pydantic.BaseModel.model_config.get('defer_build', False))\n"
        "print(types.JSONRPCMessage.model_validate({'jsonrpc': '2.0', 'id': 1, 'method': 'ping'}).root.method)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", python], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["[]", "408 ValidationError", "True None", "False", "ping"], done.stderr
