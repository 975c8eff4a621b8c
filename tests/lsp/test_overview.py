"""What a client asks about a whole document or the whole workspace: outline, folding, colours, search, findings."""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import FULL, PLAIN, Client, running
from tests.lsp.sources import FAULTY, SCALE
from tests.waiting import PATIENCE_S

from hwml_lsp.documents import Document
from hwml_lsp.workspace import Workspace

TWO = """#include <ap_int.h>
void inner(const int a[8], int b[8]) {
#pragma HLS INLINE off
#pragma HLS PIPELINE II=2
outer:
  for (int i = 0; i < 8; i++) {
    for (int j = 0; j < 4; j++) b[i] += a[i] * j;
  }
}

void other(int a[16]) {
  for (int k = 0; k < 16; k++) a[k] = k;
}
"""
COUNTER = """import chisel3._

class Leaf(w: Int) extends Module {
  val io = IO(new Bundle { val x = Input(UInt(w.W)) })
}
class Pair extends Module {
  val left, io = IO(new Bundle {})
  val low = Module(new Leaf(4))   // Module(new Nothing)
  val high = Module(new Leaf(8))
}
class Whole extends Pair {
  val both = Module(new Pair)
}
"""


@pytest.fixture(scope="module")
def nested() -> dict[str, Any]:
    capabilities = copy.deepcopy(FULL)
    capabilities["textDocument"]["documentSymbol"] = {"hierarchicalDocumentSymbolSupport": True}
    return capabilities


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernels")
    (folder / "scale.cpp").write_text(SCALE)
    (folder / "sub").mkdir()
    (folder / "sub" / "faulty.cpp").write_text(FAULTY)
    (folder / "host.cpp").write_text("int main() { return 0; }\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "not.cpp").write_text(SCALE)
    return folder


@pytest.fixture(scope="module")
def wide(kernels: Path, nested: dict[str, Any]) -> Iterator[Client]:
    with running(kernels) as started:
        started.initialize(nested, kernels)
        yield started
        assert started.end() == 0


def ask(client: Client, method: str, uri: str, **more: Any) -> Any:
    return client.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, **more})


def tree(symbols: list[dict[str, Any]]) -> list[Any]:
    return [[item["name"], *tree(item.get("children") or [])] for item in symbols]


def contains(outer: dict[str, Any], inner: dict[str, Any]) -> bool:
    def place(point: dict[str, int]) -> tuple[int, int]:
        return point["line"], point["character"]

    return place(outer["start"]) <= place(inner["start"]) and place(inner["end"]) <= place(outer["end"])


def check_ranges(symbols: list[dict[str, Any]], whole: dict[str, Any] | None = None) -> None:
    """The protocol's own rule: a name inside its range, a child inside its parent."""
    for item in symbols:
        assert contains(item["range"], item["selectionRange"]), item
        assert whole is None or contains(whole, item["range"]), item
        check_ranges(item.get("children") or [], item["range"])


def test_functions_hold_their_loops_with_figures(wide: Client, kernels: Path) -> None:
    uri = wide.open((kernels / "two.cpp").as_uri(), TWO)
    found = wide.until(lambda: ask(wide, "documentSymbol", uri), "outline")
    check_ranges(found)
    names = tree(found)
    assert [name for name, *_ in names] == ["inner", "other"]
    assert names[0][1][0] == "outer"
    assert len(names[0][1]) == 2  # the loop inside
    assert "LUT" in found[0]["detail"]
    assert found[0]["range"]["end"]["line"] == 8
    assert "cyc" in found[1]["children"][0]["detail"]


def test_functions_loops_and_rows_of_pragmas_fold(wide: Client, kernels: Path) -> None:
    uri = wide.open((kernels / "fold.cpp").as_uri(), TWO)
    wide.until(lambda: wide.hints(uri), "figures")
    lines = {(item["startLine"], item["endLine"]) for item in ask(wide, "foldingRange", uri)}
    assert {(1, 8), (2, 3), (5, 7), (10, 12)} <= lines


def test_a_text_without_pragmas_folds(wide: Client, kernels: Path) -> None:
    uri = wide.open((kernels / "bare.cpp").as_uri(), "void f(int a[4]) {\n  a[0] = 1;\n  a[1] = 2;\n}\n")
    assert {(item["startLine"], item["endLine"]) for item in ask(wide, "foldingRange", uri)} <= {(0, 3)}


def test_words_of_pragmas_have_colours_of_their_own(wide: Client, kernels: Path) -> None:
    text = "// 🎯\n#include <ap_int.h>\nvoid f(int a[4]) {\n#pragma HLS ARRAY_PARTITION variable=a dim=1 // dim=2\n}\n"
    uri = wide.open((kernels / "colours.cpp").as_uri(), text)
    legend = wide.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"]
    data = ask(wide, "semanticTokens/full", uri)["data"]
    line = start = 0
    found = []
    for n in range(0, len(data), 5):
        down, right, length, kind, _ = data[n : n + 5]
        line, start = line + down, right + (0 if down else start)
        found.append((text.split("\n")[line][start : start + length], legend[kind]))
    assert found == [
        ("#pragma", "macro"), ("HLS", "namespace"), ("ARRAY_PARTITION", "keyword"), ("variable", "property"),
        ("a", "variable"), ("dim", "property"), ("1", "number"),
    ]  # fmt: skip
    part = ask(
        wide,
        "semanticTokens/range",
        uri,
        range={"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}},
    )
    assert part["data"] == []


def test_modules_hold_the_tree_of_their_instances(wide: Client, kernels: Path) -> None:
    uri = wide.open((kernels / "Whole.scala").as_uri(), COUNTER, "scala")
    found = ask(wide, "documentSymbol", uri)
    check_ranges(found)
    assert tree(found) == [
        ["Leaf"], ["Pair", ["low"], ["high"]], ["Whole", ["both", ["low"], ["high"]]],
    ]  # fmt: skip
    assert found[1]["children"][0]["detail"] == "Leaf"


def test_a_client_that_nests_nothing_gets_a_list(kernels: Path, tmp_path: Path) -> None:
    without_hints = {**PLAIN, "textDocument": {"hover": {"contentFormat": ["plaintext"]}, "codeLens": {}}}
    with running(tmp_path) as client:
        client.initialize(without_hints, kernels)
        uri = client.open((kernels / "flat.cpp").as_uri(), TWO)
        found = client.until(lambda: ask(client, "documentSymbol", uri), "outline")
        assert [(item["name"].split("  ")[0], item.get("containerName")) for item in found][:2] == [
            ("inner", None),
            ("outer", "inner"),
        ]
        # It has no hints either: loops are lenses.
        lines = [lens["range"]["start"]["line"] for lens in client.lenses(uri)]
        assert {5, 6, 11} <= set(lines)


def test_the_workspace_is_searched_listed_and_checked_without_being_open(wide: Client, kernels: Path) -> None:
    wide.until(lambda: wide.request("workspace/executeCommand", {"command": "hwml.kernels"})["complete"], "overview")
    listed = wide.request("workspace/executeCommand", {"command": "hwml.kernels"})
    found = wide.request("workspace/symbol", {"query": "scl"})
    places = {(item["name"].split("  ")[0], Path(item["location"]["uri"]).name) for item in found}
    assert ("scale", "scale.cpp") in places
    by_file = {Path(item["uri"]).name: item for item in listed["kernels"]}
    assert by_file["scale.cpp"]["figures"]["LUT"] > 0
    assert {"host.cpp", "not.cpp"}.isdisjoint(by_file)
    report = wide.request("workspace/diagnostic", {"previousResultIds": []})
    items = {Path(item["uri"]).name: item for item in report["items"]}
    assert [one["code"] for one in items["faulty.cpp"]["items"]]
    # The same again is not told again; a file that changes on disk is.
    known = [{"uri": item["uri"], "value": item["resultId"]} for item in report["items"]]
    waiting = wide.start("workspace/diagnostic", {"previousResultIds": known})
    changed = kernels / "sub" / "faulty.cpp"
    changed.write_text(SCALE)
    wide.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": changed.as_uri(), "type": 2}]})
    (now,) = [item for item in wide.wait(waiting)["items"] if item["uri"] == changed.as_uri()]
    assert now["items"] == []


def test_an_overview_is_bounded(kernels: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "binary.cpp").write_bytes(b"\0")
    for name in ("scale.cpp", "scale2.cpp", "scale3.cpp"):
        shutil.copy(kernels / "scale.cpp", folder / name)
    with running(tmp_path) as client:
        client.settings = {"workspace": {"maxFiles": 2}}
        client.initialize(folder=folder)

        def kernels_of() -> dict[str, Any]:
            listed: dict[str, Any] = client.request("workspace/executeCommand", {"command": "hwml.kernels"})
            return listed

        client.until(lambda: kernels_of()["problem"], "overview")
        listed = kernels_of()
        assert listed["left_out"] == 2
        assert {Path(item["uri"]).name for item in listed["kernels"]} == {"scale.cpp"}
        assert not listed["complete"], "of a file that cannot be read nobody knows anything"
        assert listed["problem"].startswith(f"1 file could not be looked at: {folder}/binary.cpp:1: holds NUL bytes")


def looked_at(folder: Path, analyse: Callable[[Document], Awaitable[bool]]) -> Workspace:
    """A workspace once the look at a folder is over."""

    async def look() -> Workspace:
        workspace = Workspace(analyse, lambda _: False)
        workspace.start([str(folder)], 10)
        while not workspace.is_over:
            await workspace.wait(PATIENCE_S)
        return workspace

    return asyncio.run(look())


def test_a_file_that_fails_is_named_and_keeps_no_other_from_being_looked_at(kernels: Path) -> None:
    seen = []

    async def analyse(document: Document) -> bool:
        name = Path(document.path or "").name
        seen.append(name)
        if name == "host.cpp":
            raise KeyError("host")
        return name != "scale.cpp"

    workspace = looked_at(kernels, analyse)
    assert sorted(seen) == ["faulty.cpp", "host.cpp", "scale.cpp"]
    assert not workspace.complete
    assert workspace.problem == (
        f"2 files could not be looked at: {kernels}/host.cpp: KeyError: 'host'; "
        f"{kernels}/scale.cpp: the analysis was given up"
    )


def test_a_look_that_fails_as_a_whole_is_never_called_complete(kernels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def analyse(_: Document) -> bool:
        return True

    assert looked_at(kernels, analyse).complete
    with monkeypatch.context() as patched:
        patched.setattr("hwml_lsp.workspace.sources", lambda *_: 1 / 0)
        failed = looked_at(kernels, analyse)
    assert not failed.complete
    assert "was not looked at to its end: ZeroDivisionError" in failed.problem


def test_nothing_is_emitted_of_a_folder_that_is_not_trusted(wide: Client, kernels: Path) -> None:
    uri = wide.open((kernels / "Emitted.scala").as_uri(), COUNTER, "scala")
    answer = wide.request("workspace/executeCommand", {"command": "hwml.emit", "arguments": [uri]})
    assert answer["text"] == ""
    assert "hwml trust" in answer["problem"]


def test_the_bottleneck_is_the_loop_where_the_cycles_are_spent(wide: Client, kernels: Path) -> None:
    """`inner` is pipelined as a whole, its loops unrolled: 16 rounds of `other` are the only ones left."""
    uri = wide.open((kernels / "slow.cpp").as_uri(), TWO)
    ask_for = {"command": "hwml.bottleneck", "arguments": [uri]}
    found = wide.until(lambda: wide.request("workspace/executeCommand", ask_for), "a loop")
    assert (found["line"], found["character"]) == (11, 2)
