"""Calls with arguments of every kind: an answer that fits its schema, or one line that says what is wrong."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.agents.client import Client, in_memory, words
from tests.agents.test_tools import PORTS

from hwml_sdk.agents.tools import TOOLS

SANE = {"part": "u280", "clock": "300MHz", "tool_version": "2022.1", "stage": "csynth", "code": "HLS118"}
ROOT = Path(__file__).resolve().parents[2]
NOTHING: list[Any] = [None, 0, -1, 1e308, True, [], {}, [["a"]], {"a": {}}, "", "\0", "\ud7ff", "../..", "x" * 3000]
WORDS = [
    "top",
    "HEAD",
    "HLS118",
    "u280",
    "300MHz",
    "3.33",
    "csynth",
    "merlin",
    "2023.2",
    "sum",
    "k.cpp",
    "%s",
    "--help",
]


def texts(draw: random.Random) -> str:
    """A design, or pieces of it in any order."""
    whole = draw.choice([PORTS, (ROOT / "examples" / "fir.cpp").read_text(), "import chisel3._\nclass A", "int", "{{{"])
    if draw.random() < 0.3:
        return whole
    cuts = sorted(draw.randrange(len(whole) + 1) for _ in range(3))
    pieces = [whole[: cuts[0]], whole[cuts[0] : cuts[1]], whole[cuts[1] : cuts[2]], whole[cuts[2] :]]
    return "".join(draw.choice(pieces) for _ in range(draw.randrange(1, 5)))


def arguments(draw: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    """Half of them such as an agent gives, half of them such as nobody should."""
    if draw.random() < 0.5:
        found = {key: value for key, value in SANE.items() if key in schema["properties"] and draw.random() < 0.2}
        found |= {key: PORTS for key in schema["properties"] if key == "before_text"}
        whole = draw.choice([PORTS, PORTS.replace("32", "N"), texts(draw)])
        return found | ({"text": whole} if "text" in schema["properties"] else {})
    found = dict[str, Any]()
    for key in schema["properties"]:
        chance = draw.random()
        if "text" in key and chance < 0.6:
            found[key] = texts(draw)
        elif chance < 0.1:
            found[key] = draw.choice(NOTHING)
        elif chance < 0.2:
            found[key] = draw.choice(WORDS)
    if draw.random() < 0.05:
        found[draw.choice(WORDS)] = draw.choice(NOTHING)
    return found


def call(agent: Client, name: str, given: dict[str, Any], gives: dict[str, Any]) -> bool:
    """Whether it was answered; the SDK's client raises for an answer that does not fit, and so do we."""
    result = agent.call(name, **given)
    if result.isError:
        said = words(result)
        assert said
        assert "\n" not in said
        assert "internal error" not in said, (name, given, said)
        assert len(said) < 2000
        return False
    Draft202012Validator(gives).validate(result.structuredContent)
    return True


@pytest.mark.parametrize(("calls", "seed"), [(40, 1), pytest.param(200, 22, marks=pytest.mark.slow)])
def test_every_call_is_answered_as_its_schema_says(calls: int, seed: int, tmp_path: Path) -> None:
    (tmp_path / "k.cpp").write_text(PORTS)
    draw = random.Random(seed)
    answered = {tool.name: 0 for tool in TOOLS}
    # Chisel is compiled for seconds where it is set up: its tools have a test of their own.
    chosen = [tool for tool in TOOLS if "chisel" not in tool.name]
    with in_memory(tmp_path) as agent:
        for number in range(calls):
            tool = chosen[number % len(chosen)]
            answered[tool.name] += call(agent, tool.name, arguments(draw, tool.takes), tool.gives)
    assert all(answered[tool.name] >= calls // 40 for tool in chosen), answered
