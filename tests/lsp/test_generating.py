"""A module for a comment: which comments ask, and who may not be asked. The real check is in tests/chisel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chisel.endpoint_server import serving
from tests.lsp.lsp_client import FULL, Client, running

from hwml_lsp.generating import fitted
from hwml_lsp.named import Model
from hwml_lsp.requests import asked_at
from hwml_sdk.text import LineIndex

TEXT = """import chisel3._

// hwml: generate an 8-bit up counter
//   with enable `en`

val s = "// hwml: generate a trap"
class A { // hwml: generate not this
  /* hwml: generate a FIFO
   * of 4 entries */
  // hwml: generate: first
  // hwml: generate second
}
/** An adder of two
  * 8-bit numbers */
// hwml: generate
/* hwml: generate what has no end
"""
COUNTER, FIFO = "an 8-bit up counter\nwith enable `en`", "a FIFO\nof 4 entries"


@pytest.mark.parametrize(
    ("lines", "selected", "spec"),
    [
        *(((line, line), False, spec) for line, spec in {2: COUNTER, 3: COUNTER, 7: FIFO, 8: FIFO}.items()),
        ((9, 9), False, "first"),
        ((10, 10), False, "second"),
        *(((line, line), False, None) for line in (0, 4, 5, 6, 11, 12, 13, 14, 15, 16, 99)),
        ((12, 13), True, "An adder of two\n8-bit numbers"),
        ((12, 12), True, "An adder of two\n8-bit numbers"),  # half of a comment: all of it, or the module lands inside
        ((1, 4), True, COUNTER),
        ((5, 5), True, None),
        ((0, 3), True, None),
        ((4, 4), True, None),
    ],
)
def test_comments_that_ask(lines: tuple[int, int], selected: bool, spec: str | None) -> None:
    found = asked_at(LineIndex(TEXT), *lines, selected=selected)
    assert (found and found.spec) == spec


def test_a_comment_is_found_again_where_it_is_by_then() -> None:
    asked = asked_at(LineIndex(TEXT), 7, 7)
    assert asked is not None
    assert (asked.first, asked.last, asked.indent) == (7, 8, "  ")
    assert asked.place_in(LineIndex("// new\n\n" + TEXT)) == 10
    assert asked.place_in(LineIndex(TEXT.replace("of 4", "of 8"))) is None


def test_a_module_fits_the_text_around_it() -> None:
    code = "import chisel3._\nimport chisel3.util._\n\nclass A extends Module {\n\n}\n"
    assert fitted(code, "import  chisel3._\n", "  ") == "  import chisel3.util._\n\n  class A extends Module {\n\n  }"
    assert fitted(code, "", "").startswith("import chisel3._\nimport")
    # An import inside a word of another one is none.
    assert fitted("import chisel3.util.Cat\n", "import chisel3.util.Cat3\n", "") == "import chisel3.util.Cat"


def test_who_names_a_model() -> None:
    assert "no model is named" in Model(endpoint="http://127.0.0.1:1/v1").problem
    assert "from the root" in Model("model").problem  # the server stands in the workspace
    assert "from the root" in Model("/model", adapter="adapter").problem
    assert Model("~/model").problem == ""
    assert Model("name", "http://127.0.0.1:1/v1").arguments() == [
        "--endpoint", "http://127.0.0.1:1/v1", "--model", "name",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """A trusted workspace, and a client that says why actions are not possible; nobody named a model."""
    folder = tmp_path_factory.mktemp("unnamed")
    able: dict[str, Any] = {**FULL, "textDocument": {**FULL["textDocument"]}}
    able["textDocument"]["codeAction"] = {**FULL["textDocument"]["codeAction"], "disabledSupport": True}
    with running(folder, "--trust") as client, serving() as (url, seen):
        client.settings = {"generate": {"endpoint": url, "model": "good"}}  # as a workspace's settings might
        client.initialize(able, folder)
        yield client, folder
        assert client.end() == 0
        assert seen.requests == []


def said(client: Client) -> str:
    return str(client.notified("window/showMessage")["message"])


def offered(client: Client, uri: str, line: int) -> list[dict[str, Any]]:
    return client.actions(uri, line, ["refactor.generate"])


def ask(client: Client, action: dict[str, Any]) -> Any:
    command = action["command"]
    return client.request(
        "workspace/executeCommand", {"command": command["command"], "arguments": command["arguments"]}
    )


def test_settings_name_no_model(unnamed: tuple[Client, Path], tmp_path: Path) -> None:
    client, folder = unnamed
    uri = client.open((tmp_path / "A.scala").as_uri(), TEXT, "scala")
    (action,) = offered(client, uri, 2)
    assert action["title"] == "hwml: generate module here: an 8-bit up counter"
    assert "not trusted" in action["disabled"]["reason"]  # the folder is none of the workspace
    assert ask(client, action) is False
    assert "not trusted" in said(client)
    uri = client.open((folder / "B.scala").as_uri(), TEXT, "scala")
    (action,) = offered(client, uri, 2)
    assert "no model is named" in action["disabled"]["reason"]
    assert ask(client, action) is False
    client.until(lambda: "no model is named" in said(client))
    assert offered(client, uri, 0) == []
    assert offered(client, client.open((tmp_path / "a.cpp").as_uri(), "// hwml: generate x\n"), 0) == []


def test_a_workspace_that_is_not_trusted(tmp_path: Path) -> None:
    with serving() as (url, seen), running(tmp_path, "--endpoint", url, "--model", "good") as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "A.scala").as_uri(), TEXT, "scala")
        (action,) = offered(client, uri, 2)
        assert "disabled" not in action  # this client could not read it
        assert ask(client, action) is False
        assert "not trusted" in said(client)
        assert client.request("workspace/executeCommand", {"command": "hwml.stopGenerating", "arguments": []}) is False
        assert seen.requests == []
        assert client.end() == 0
