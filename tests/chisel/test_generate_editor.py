"""A module for a comment, from the editor's question to the text below the comment, with a real check in between."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import FULL, PLAIN, Client, running

from hwml_sdk.config import user_cache_dir

from .endpoint_server import Seen, serving

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("programs")]
TEXT = "import chisel3._\n\n// hwml: generate a module `Add` that adds a and b\nclass Other\n"


@contextmanager
def editor(folder: Path, name: str, capabilities: dict[str, Any] = FULL) -> Iterator[tuple[Client, str, Seen]]:
    """A trusted workspace whose user named an endpoint; the tool chain is the user's."""
    cache = {"HWML_CACHE_DIR": str(user_cache_dir())}
    with (
        serving() as (url, seen),
        running(folder, "--trust", "--endpoint", url, "--model", name, env=cache) as client,
    ):
        client.initialize(capabilities, folder)
        uri = client.open((folder / "A.scala").as_uri(), TEXT, "scala")
        yield client, uri, seen
        assert client.end() == 0


def generate(client: Client, uri: str) -> None:
    (action,) = client.actions(uri, 2, ["refactor"])
    arguments = {"command": action["command"]["command"], "arguments": action["command"]["arguments"]}
    assert client.request("workspace/executeCommand", arguments) is True


def asked(client: Client, method: str) -> dict[str, Any]:
    found: dict[str, Any] = client.until(
        lambda: next((one for one in client.requests if one["method"] == method), None), method
    )["params"]
    return found


def test_what_the_check_said_comes_before_the_text(tmp_path: Path) -> None:
    with editor(tmp_path, "adder") as (client, uri, seen):
        client.choices = ["Show", "Insert"]
        generate(client, uri)
        edit = asked(client, "workspace/applyEdit")["edit"]["documentChanges"][0]["edits"][0]
        questions = [one["params"] for one in client.requests if one["method"] == "window/showMessageRequest"]
        shown = asked(client, "window/showDocument")["uri"]
        order = [one["method"] for one in client.requests]
        assert order.index("window/showMessageRequest") < order.index("workspace/applyEdit")
        # 8 answers of the same text; the third that is the same circuit ends it.
        assert questions[0]["message"].startswith("hwml: Add compiled, elaborated and lowered; 3 of 3 answers agree")
        assert [item["title"] for item in questions[0]["actions"]] == ["Insert", "Show", "Discard"]
        assert [item["title"] for item in questions[1]["actions"]] == ["Insert", "Discard"]
        assert edit["range"]["start"] == edit["range"]["end"] == {"line": 2, "character": len(TEXT.splitlines()[2])}
        assert edit["newText"].startswith("\nclass Add extends Module {")  # the import is there
        place = Path(shown.removeprefix("file://"))
        preview = place.read_text(encoding="utf-8")
        assert "// Check: Add compiled, elaborated and lowered" in preview
        assert "io_y: output 8" in preview or "io_y: out" in preview
        assert "import chisel3._\n\nclass Add" in preview
        assert seen.requests[0]["messages"][-1]["content"] == "a module `Add` that adds a and b"
        kinds = [one["params"]["value"]["kind"] for one in client.notifications if one["method"] == "$/progress"]
        assert kinds.count("begin") >= 1
        assert "report" in kinds
        shutil.rmtree(place.parent)


def test_what_failed_is_shown_and_never_inserted(tmp_path: Path) -> None:
    with editor(tmp_path, "wrong", PLAIN) as (client, uri, _):
        client.choices = ["Insert"]  # which nobody offered
        generate(client, uri)
        question = asked(client, "window/showMessageRequest")
        assert [item["title"] for item in question["actions"]] == ["Show", "Discard"]
        assert "the one that came furthest does not compile: " in question["message"]
        assert "conjoin" in question["message"]
        said = client.notified("window/showMessage", lambda one: "lies in" in one["message"])["message"]
        assert client.asked("workspace/applyEdit") == 0
        shutil.rmtree(Path(said.rpartition(" lies in ")[2]).parent)


def test_two_at_once_and_a_stop(tmp_path: Path) -> None:
    with editor(tmp_path, "good_once") as (client, uri, _):
        generate(client, uri)
        client.notified("$/progress", lambda one: "sample " in one["value"].get("message", ""))
        arguments = {"command": "hwml.generate", "arguments": [uri, 2, 2]}
        assert client.request("workspace/executeCommand", arguments) is False
        client.notified("window/showMessage", lambda one: "already" in one["message"])
        token = client.notified("$/progress", lambda one: "generate" in one["token"])["token"]
        client.notify("window/workDoneProgress/cancel", {"token": token})
        # What was answered is kept: "class A", which is no module.
        assert "stopped; none of 1 answers passed" in asked(client, "window/showMessageRequest")["message"]
        client.notified("$/progress", lambda one: one["token"] == token and one["value"]["kind"] == "end")


@pytest.mark.parametrize(("name", "words"), [("html", "HTML"), ("garbage", "no answer"), ("broken", "503")])
def test_an_endpoint_that_gives_nothing(tmp_path: Path, name: str, words: str) -> None:
    with editor(tmp_path, name) as (client, uri, _):
        generate(client, uri)
        said = client.notified("window/showMessage", lambda one: "no module was generated" in one["message"])["message"]
        assert words in said
        assert client.asked("window/showMessageRequest") == 0
