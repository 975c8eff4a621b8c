"""What is shown while someone types: nothing at a wrong place, nothing of an old text for long."""

from __future__ import annotations

import random
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lsp.lsp_client import PLAIN, Client, ResponseError, at
from tests.lsp.sources import FAULTY, SCALE, kernels

from hwml_lsp.moved import move_span
from hwml_lsp.text import Text
from hwml_sdk.document import Span


def in_step(hints: list[dict[str, Any]], text: str) -> bool:
    """Whether every hint stands at the end of a line that is the head of a loop."""
    lines = text.split("\n")
    return all(
        "for (" in lines[h["position"]["line"]] and h["position"]["character"] == len(lines[h["position"]["line"]])
        for h in hints
    )


def test_hints_move_with_the_text_before_the_new_result_is_in(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    (before,) = client.hints(uri)
    with client.at_once():  # the analysis rests until typing does
        client.change(uri, 2, at(0, 0, 0, 0, "// one\n// two\n"))
        asked = client.ask_hints(uri)
    (after,) = client.wait(asked)
    assert after["label"] == before["label"]
    assert after["position"]["line"] == before["position"]["line"] + 2


def test_a_touched_line_keeps_its_hint_marked_as_old(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    (before,) = client.hints(uri)
    with client.at_once():
        client.change(uri, 2, at(4, 22, 4, 24, "32"))
        asked = client.ask_hints(uri)
    (old,) = client.wait(asked)
    assert old["label"] == before["label"] + " (old)"
    (after,) = client.until(lambda: [h for h in client.hints(uri) if "(old)" not in h["label"]], "new hint")
    assert " 32 cyc" in after["label"]


def test_a_changed_pragma_changes_the_numbers_and_the_client_is_told(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.pull(uri)
    (before,) = client.hints(uri)
    client.forget()
    client.change(uri, 2, at(5, 21, 5, 25, "II=8"))
    client.notified("hwml/status", lambda p: (p["uri"], p["version"], p["state"]) == (uri, 2, "ready"))
    assert client.asked("workspace/inlayHint/refresh") >= 1
    (after,) = client.hints(uri)
    assert before["label"].startswith("II 1 ")
    assert after["label"].startswith("II 8 ")


def test_nothing_is_refreshed_when_nothing_changed(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.lenses(uri)
    client.hints(uri)
    client.pull(uri)
    client.until(lambda: client.pull_is_in(uri), "result")
    client.pull(uri)  # whatever the server has to say about the first result is said before this answer
    client.forget()
    client.change(uri, 2, at(6, 4, 6, 4, " "))
    client.notified("hwml/status", lambda p: (p["uri"], p["version"], p["state"]) == (uri, 2, "ready"))
    assert client.asked("workspace/inlayHint/refresh") == 0
    assert client.asked("workspace/codeLens/refresh") == 0


def test_a_client_that_cannot_be_told_waits_for_the_new_result(plain: Client, uri: str) -> None:
    plain.open(uri, SCALE)
    plain.hints(uri)
    plain.change(uri, 2, at(5, 21, 5, 25, "II=8"))
    loops = [hint["label"] for hint in plain.hints(uri) if hint["label"].startswith("II")]
    assert loops[0].startswith("II 8 ")


def test_a_superseded_request_is_told_so(plain: Client, uri: str) -> None:
    plain.open(uri, SCALE)
    plain.hints(uri)
    with plain.at_once():
        plain.change(uri, 2, at(5, 21, 5, 25, "II=8"))
        waiting = plain.ask_hints(uri)
        plain.change(uri, 3, at(5, 21, 5, 25, "II=9"))
    with pytest.raises(ResponseError) as caught:
        plain.wait(waiting)
    assert caught.value.code == -32801


def test_a_superseded_pull_is_asked_for_again(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.pull(uri)
    with client.at_once():
        client.change(uri, 2, at(0, 0, 0, 0, "\n"))
        waiting = client.start("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        client.change(uri, 3, at(0, 0, 0, 0, "\n"))
    with pytest.raises(ResponseError) as caught:
        client.wait(waiting)
    assert (caught.value.code, caught.value.data) == (-32802, {"retriggerRequest": True})


def test_two_hundred_edits_end_in_the_right_state(client: Client, uri: str) -> None:
    """Typing for seconds on end, hints asked for in between: all at the ends of loop heads, and the last ones true."""
    chance = random.Random(20261121)
    text = kernels(20)
    client.open(uri, text)
    client.pull(uri)
    for version in range(2, 202):
        lines = text.split("\n")
        line = chance.randrange(1, len(lines))
        kind = chance.random()
        if kind < 0.5:
            edit = at(line, 0, line, 0, "// note\n")
        elif kind < 0.7 and lines[line].startswith("// note"):
            edit = at(line, 0, line + 1, 0, "")
        elif kind < 0.9:
            edit = at(line, len(lines[line]), line, len(lines[line]), " ")
        else:
            number = chance.choice(("16", "32", "64", "128"))
            heads = [n for n, content in enumerate(lines) if "for (" in content]
            line = chance.choice(heads)
            begin = lines[line].index("< ") + 2
            edit = at(line, begin, line, lines[line].index(";", begin), number)
        text = by_hand(text, edit)
        client.change(uri, version, edit)
        if version % 10 == 0:
            assert in_step(client.hints(uri), text)
        time.sleep(0.02)
    client.pull(uri)
    hints = client.hints(uri)
    assert in_step(hints, text)
    rounds = [int(n) for n in re.findall(r"i < (\d+);", text)]
    assert len(hints) == 20
    for hint, count in zip(hints, rounds, strict=True):
        cycles = int(re.findall(r"· (\d+) cyc", hint["label"])[0])
        assert count <= cycles < 2 * count + 12  # a pipeline of II 1, or 2 where the reads share a port


def by_hand(text: str, edit: dict[str, Any]) -> str:
    lines = text.split("\n")
    begin, end = edit["range"]["start"], edit["range"]["end"]
    head = [*lines[: begin["line"]], lines[begin["line"]][: begin["character"]]]
    tail = [lines[end["line"]][end["character"] :], *lines[end["line"] + 1 :]]
    return f"{chr(10).join(head)}{edit['text']}{chr(10).join(tail)}"


@pytest.mark.parametrize("full", [True, False])
def test_a_whole_new_text_keeps_what_did_not_change(client: Client, uri: str, full: bool) -> None:
    client.open(uri, kernels(3))
    client.pull(uri)
    changed = kernels(3).replace("b[i] = a[i] * 4", "b[i] = a[i] * 44")
    everything = at(0, 0, 9999, 0, changed)
    client.change(uri, 2, {"text": changed} if full else everything)
    kept = client.hints(uri)
    assert in_step(kept, changed)
    assert len(kept) == (3 if full else 0)
    client.pull(uri)
    assert len(client.hints(uri)) == 3


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "/* 🎯🎯 漢字 */ ", "\t"])
def test_places_behind_wide_characters_and_all_line_ends(client: Client, uri: str, eol: str, before: str) -> None:
    text = FAULTY.replace("#pragma HLS ARRAY", f"{before}\n#pragma HLS ARRAY").replace("b[i] =", f"{before}b[i] =")
    text = text.replace("for (", f"{before}for (")
    client.open(uri, text.replace("\n", eol))
    item = next(i for i in client.pull(uri) if i["code"] == "HLS109")
    assert item["range"]["start"]["line"] == 4
    *_, hint = client.hints(uri)
    head = max(n for n, line in enumerate(text.split("\n")) if "for (" in line)
    units = len(text.split("\n")[head].encode("utf-16-le")) // 2
    assert hint["position"] == {"line": head, "character": units}
    (action,) = client.until(lambda: client.actions(uri, 6, ["quickfix"]), "fix")
    (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
    assert [edit["newText"] for edit in change["edits"]] == ["8"]


def test_positions_in_the_units_a_client_asked_for(place_capabilities: tuple[Client, str], uri: str) -> None:
    client, encoding = place_capabilities
    text = SCALE.replace("for (", "/* 🎯é漢 */ for (")
    client.open(uri, text)
    hint = next(h for h in client.hints(uri) if h["label"].startswith("II"))
    line = text.split("\n")[4]
    width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    assert hint["position"]["character"] == len(line.encode(f"{encoding}-le" if width > 1 else encoding)) // width


@pytest.fixture(scope="module", params=["utf-8", "utf-16", "utf-32"])
def place_capabilities(request: pytest.FixtureRequest, place: Any) -> Any:
    from tests.lsp.lsp_client import running

    with running(place) as started:
        general = {"positionEncodings": [request.param]}
        result = started.initialize({**PLAIN, "general": general}, place)
        assert result["capabilities"]["positionEncoding"] == request.param
        yield started, request.param


def test_edits_outside_the_text_are_held_inside(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.hints(uri)
    client.change(uri, 2, at(2, 9999, 2, 9999, " // end"), at(9999, 5, 99999, 9, "// last\n"), at(8, 3, 1, 0, "x"))
    client.change(uri, 3, {"text": SCALE})
    client.pull(uri)
    assert in_step(client.hints(uri), SCALE)


# -- the two pure parts, against plain counting --------------------------------------------------------------

LINES = st.text(alphabet="ab{}\n\r🎯é漢\u2028\x0c", max_size=40)


@given(LINES, st.integers(0, 8), st.integers(0, 12), st.integers(0, 8), st.integers(0, 12), LINES)
@settings(max_examples=300, deadline=None)
def test_edits_are_those_of_utf16_text(text: str, a: int, b: int, c: int, d: int, new: str) -> None:
    """The same edit done on UTF-16 bytes, with lines cut where the protocol cuts them."""
    lines = re.split(r"(\r\n|\n|\r)", text)
    contents, ends = lines[::2], [*lines[1::2], ""]

    def place(line: int, unit: int) -> int:
        if line >= len(contents):
            return len(text.encode("utf-16-le")) // 2
        before = sum(len((contents[n] + ends[n]).encode("utf-16-le")) // 2 for n in range(line))
        width = len(contents[line].encode("utf-16-le")) // 2
        unit = min(unit, width)
        try:
            contents[line].encode("utf-16-le")[: 2 * unit].decode("utf-16-le")
        except UnicodeDecodeError:
            unit -= 1  # inside a character: its start
        return before + unit

    begin, end = sorted((place(a, b), place(c, d)))
    raw = text.encode("utf-16-le")
    expected = (raw[: 2 * begin] + new.encode("utf-16-le") + raw[2 * end :]).decode("utf-16-le")
    changed, _ = Text(text).replaced((a, b), (c, d), new)
    assert changed.text == expected


@given(st.lists(st.sampled_from(["keep", "x"]), min_size=1, max_size=12), st.data())
@settings(max_examples=300, deadline=None)
def test_what_is_kept_stands_on_its_own_line(words: list[str], data: st.DataObject) -> None:
    """Each line has a name; after any edit a moved span stands on the line of that name, unchanged."""
    text = "\n".join(f"{word}{n}" for n, word in enumerate(words))
    a, c = (data.draw(st.integers(0, len(words))) for _ in range(2))
    b, d = (data.draw(st.integers(0, 4)) for _ in range(2))
    new = data.draw(st.sampled_from(["", "\n", "y", "y\n", "\n\n", "a\nb", "q\r\n"]))
    changed, change = Text(text).replaced((a, b), (c, d), new)
    for number, line in enumerate(text.split("\n")):
        moved = move_span(Span(number, 0, number, len(line)), change)
        if moved is not None:
            assert changed.line(moved.start_line) == line


def test_after_edits_a_document_says_what_a_fresh_one_says(client: Client, uri: str) -> None:
    """Of an edit inside a function only what is new comes from the worker; the rest is what it had told before."""
    lines = kernels(8).split("\n")
    lines[4 + 8 * 5] = "#pragma HLS PIPLINE"  # a finding in the sixth
    client.open(uri, "\n".join(lines))
    client.pull(uri)
    for version, (row, new) in enumerate(
        [(12, "#pragma HLS PIPELINE II=3"), (13, "    b[i] = a[i];"), (11, "")], start=2
    ):
        client.change(uri, version, at(row, 0, row, 100, new))
        lines[row] = new
        client.pull(uri)
    lines[11] = "  for (int i = 0; i < 32; i++) {"
    client.change(uri, 5, at(11, 0, 11, 100, lines[11]))
    found = client.pull(uri), client.hints(uri), client.lenses(uri)
    fresh = client.open(uri.replace(".cpp", "_fresh.cpp"), "\n".join(lines))
    expected = client.pull(fresh), client.hints(fresh), client.lenses(fresh)
    assert len(found[1]) == 8
    assert [len(item) for item in found] == [len(item) for item in expected]
    assert [item["message"] for item in found[0]] == [item["message"] for item in expected[0]]
    assert [(h["label"], h["position"]) for h in found[1]] == [(h["label"], h["position"]) for h in expected[1]]
    assert [lens["range"] for lens in found[2]] == [lens["range"] for lens in expected[2]]


def test_figures_of_functions_that_were_edited_before_are_compared_still(client: Client, uri: str) -> None:
    """The worker tells the figures of what an edit is about; what was told of the others before it stands beside."""

    def moved() -> list[int]:
        return [n for n, lens in enumerate(client.lenses(uri)) if "since pin" in lens["command"]["title"]]

    client.open(uri, kernels(8))
    client.notified("hwml/status", lambda p: (p["uri"], p["version"], p["state"]) == (uri, 1, "ready"))
    client.request("workspace/executeCommand", {"command": "hwml.pinBaseline", "arguments": [uri]})
    client.change(uri, 2, at(4 + 8, 0, 4 + 8, 100, "#pragma HLS PIPELINE II=4"))
    client.until(lambda: moved() == [1], "the second kernel has moved")
    client.change(uri, 3, at(4 + 8 * 5, 0, 4 + 8 * 5, 100, "#pragma HLS PIPELINE II=4"))
    client.until(lambda: moved() == [1, 5], "the sixth has, too")
    client.change(uri, 4, at(4 + 8, 0, 4 + 8, 100, "#pragma HLS PIPELINE II=1"))
    client.until(lambda: moved() == [5], "the second is as it was")
    client.request("workspace/executeCommand", {"command": "hwml.clearBaseline"})
