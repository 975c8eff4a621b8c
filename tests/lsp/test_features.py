"""What each feature shows, against what the command line says of the same file and what stands in the text."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import Client, ResponseError, at, environment
from tests.lsp.sources import FAULTY, FIR, SCALE, kernels

from hwml_lsp.actions import capitalised
from hwml_lsp.documents import Document
from hwml_sdk.document import Edit, Fix, Span

MAX_LABEL = 25


def predicted(path: Path, top: str, folder: Path) -> dict[str, Any]:
    """What `hwml qor --json` says of a file."""
    done = subprocess.run(
        [sys.executable, "-m", "hwml_sdk.cli", "qor", str(path), "--top", top, "--json"],
        env=environment(folder), capture_output=True, text=True, check=True,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def titles(lenses: list[dict[str, Any]]) -> list[str]:
    return [lens["command"]["title"] for lens in lenses]


def test_loops_get_hints_with_the_ii_of_the_command_line(client: Client, place: Path) -> None:
    path = place / "fir.cpp"
    path.write_text(FIR, encoding="utf-8")
    uri = client.open(path.as_uri(), FIR)
    hints = client.first_hints(uri)
    loops: dict[int, dict[str, Any]] = {}
    pending = list(predicted(path, "fir", place)["loops"])
    while pending:
        loop = pending.pop()
        loops[loop["range"]["start"]["line"]] = loop
        pending += loop["loops"]
    assert [hint["position"]["line"] for hint in hints] == sorted(loops)
    assert any(loop["unroll_factor"] > 1 for loop in loops.values())
    for hint in hints:
        loop = loops[hint["position"]["line"]]
        gone = loop["ii"] is None and loop["unroll_factor"] > 1
        assert hint["label"].startswith(f"unrolled x{loop['unroll_factor']}" if gone else f"II {loop['ii']} ")
        assert len(hint["label"]) <= MAX_LABEL
        assert hint["position"]["character"] == len(FIR.splitlines()[hint["position"]["line"]])


def test_hints_stay_inside_the_asked_lines(client: Client, uri: str) -> None:
    client.open(uri, kernels(12))
    client.pull(uri)  # everything is in
    assert [h["position"]["line"] for h in client.hints(uri, 10, 30)] == [11, 19, 27]
    assert len(client.hints(uri)) == 12


def test_a_tooltip_comes_when_asked_for(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    (hint,) = client.hints(uri)
    assert "tooltip" not in hint
    tooltip = client.request("inlayHint/resolve", hint)["tooltip"]["value"]
    assert "rounds" in tooltip
    assert "64" in tooltip


WINDOW = """#include <ap_int.h>

void window(const int a[1024], int b[1024]) {
  work: for (int i = 0; i < 960; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] + a[i + 1] + a[i + 2] + a[i + 3];
  }
}
"""


def test_rewritings_are_offered_best_first_and_resolved_for_their_version(client: Client, uri: str) -> None:
    client.open(uri, WINDOW)
    found = client.actions(uri, 3, ["refactor"])
    assert 1 <= len(found) <= 3
    assert {action["kind"] for action in found} == {"refactor.rewrite.hwml"}
    assert found[0]["title"].startswith("Partition a cyclic factor=2: II 2 -> 1, ") and "edit" not in found[0]
    (change,) = client.request("codeAction/resolve", found[0])["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    assert "#pragma HLS ARRAY_PARTITION variable=a type=cyclic factor=2" in applied(WINDOW, change["edits"])
    client.change(uri, 2, at(0, 0, 0, 0, "// above\n"))
    with pytest.raises(ResponseError) as caught:
        client.request("codeAction/resolve", found[0])
    assert caught.value.code == -32801


def test_rewritings_wait_until_a_person_asks(client: Client, uri: str) -> None:
    client.open(uri, WINDOW)
    assert not [action for action in client.actions(uri, 3) if action["kind"].startswith("refactor")]
    assert client.actions(uri, 0, ["refactor"]) == []


TAIL = "  // " + "a word about this loop that makes its line a long one, " * 2
LONG = f"""#include <ap_int.h>

void f(const int a[64], int b[64]) {{
 near: for (int i = 0; i < 64; i++) {{{TAIL}
    b[i] = a[i];
  }}
above:
  for (int i = 0; i < 32; i++) {{{TAIL}
    b[i] += a[i];
  }}
  for (int i = 0; i < 16; i++) {{{TAIL}
    b[i] += a[i];
  }}
short:
  for (int i = 0; i < 8; i++) {{
    b[i] += a[i];
  }}
}}
"""


def test_a_long_line_has_its_hint_at_the_label_or_a_lens_in_its_place(client: Client, plain: Client, uri: str) -> None:
    client.open(uri, LONG)
    rows = LONG.split("\n")
    places = {(hint["position"]["line"], hint["position"]["character"]) for hint in client.hints(uri)}
    assert places == {(3, len(" near:")), (6, len("above:")), (14, len(rows[14]))}
    lines = [lens["range"]["start"]["line"] for lens in client.lenses(uri)]
    assert lines == [2, 10], "the function, and the loop without a label"
    assert "16 cyc" in client.lenses(uri)[1]["command"]["title"]
    # A client that asks for the label's line gets the hint that stands there; one without lenses has it at the end.
    assert [hint["position"]["line"] for hint in client.hints(uri, 6, 6)] == [6]
    assert client.hints(uri, 7, 7) == []
    plain.open(uri, LONG)
    assert (10, len(rows[10])) in {(h["position"]["line"], h["position"]["character"]) for h in plain.hints(uri)}


def test_titles_keep_the_letters_of_code(uri: str) -> None:
    document = Document(uri, 1, "val x = Input(Bool())\n", "utf-16")
    edit = Edit(Span(0, 0, 0, 0), "mask := y\n")
    titles = {
        "x is an Output": "x is an Output",
        "mask := y": "mask := y",
        "remove the pragma": "Remove the pragma",
        "io.x": "io.x",
        "II as asked": "II as asked",
    }
    assert {title: capitalised(Fix(title, (edit,)), document) for title in titles} == titles


def test_a_client_without_resolving_gets_the_tooltip_at_once(plain: Client, uri: str) -> None:
    plain.open(uri, SCALE)
    assert all("rounds" in hint["tooltip"]["value"] for hint in plain.hints(uri) if hint["label"].startswith("II"))


def test_functions_are_lenses_where_there_are_lenses_and_hints_elsewhere(
    client: Client, plain: Client, uri: str
) -> None:
    client.open(uri, SCALE)
    plain.open(uri, SCALE)
    (lens,) = client.lenses(uri)
    assert lens["range"]["start"] == {"line": 2, "character": 5}
    title = lens["command"]["title"]
    assert all(unit in title for unit in ("LUT", "DSP", "FF", "cyc"))
    assert [hint["position"]["line"] for hint in client.hints(uri)] == [4]
    assert [hint["position"]["line"] for hint in plain.hints(uri)] == [2, 4]


def test_every_kernel_of_a_file_has_its_own_figures(client: Client, place: Path) -> None:
    text = kernels(3).replace("i < 64", "i < 640", 1)
    path = place / "three.cpp"
    path.write_text(text, encoding="utf-8")
    uri = client.open(path.as_uri(), text)
    client.pull(uri)
    labels = [hint["label"] for hint in client.hints(uri)]
    assert len(labels) == 3
    for number, label in enumerate(labels):
        cycles = predicted(path, f"kernel{number}", place)["loops"][0]["total_cycles"]
        assert str(cycles)[:2] in label.replace(".", "")
    assert len(client.lenses(uri)) == 3


def test_hover_tells_figures_assumptions_and_model(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.hints(uri)
    text = client.hover(uri, 2, 7)
    assert "**scale** (predicted, csynth)" in text
    assert "(default)" in text
    assert "Model: " in text
    assert "|---" not in text  # several clients show tables raw
    assert client.hover(uri, 6, 4) == ""


def test_hover_without_markdown_is_plain(plain: Client, uri: str) -> None:
    plain.open(uri, SCALE)
    plain.hints(uri)
    text = plain.hover(uri, 2, 7)
    assert "scale" in text
    assert "**" not in text
    assert "```" not in text


@pytest.mark.parametrize(("character", "word"), [(15, "iteration"), (22, "Initiation interval")])
def test_hover_explains_pragmas_and_options(client: Client, uri: str, character: int, word: str) -> None:
    client.open(uri, SCALE)
    client.hints(uri)
    assert word in client.hover(uri, 5, character)


def test_findings_are_pulled_with_code_page_and_exact_place(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    found = {item["code"]: item for item in client.pull(uri)}
    assert {"HLS101", "HLS109"} <= set(found)
    item = found["HLS109"]
    line = FAULTY.splitlines()[3]
    begin, end = item["range"]["start"], item["range"]["end"]
    assert (begin["line"], line[begin["character"] : end["character"]]) == (3, "aa")
    assert item["codeDescription"]["href"].endswith("/HLS109.md")
    assert not [n for n in client.notifications if n["method"] == "textDocument/publishDiagnostics"]


def test_unchanged_findings_are_said_to_be_so(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    client.lenses(uri)
    client.until(lambda: any(n["method"] == "hwml/status" and n["params"]["uri"] == uri
                             and n["params"]["state"] == "ready" for n in client.notifications))  # fmt: skip
    params = {"textDocument": {"uri": uri}}
    first = client.request("textDocument/diagnostic", params)
    again = client.request("textDocument/diagnostic", {**params, "previousResultId": first["resultId"]})
    assert first["kind"] == "full"
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}


def test_findings_are_pushed_with_their_version_to_clients_that_do_not_pull(plain: Client, uri: str) -> None:
    plain.open(uri, FAULTY, version=7)
    pushed = plain.notified("textDocument/publishDiagnostics", lambda p: p["uri"] == uri and p["diagnostics"])
    assert pushed["version"] == 7
    plain.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    plain.notified("textDocument/publishDiagnostics", lambda p: p["uri"] == uri and not p["diagnostics"])


def test_related_places_stand_in_the_same_document(client: Client, uri: str) -> None:
    text = SCALE.replace("#pragma HLS PIPELINE II=1", "#pragma HLS PIPELINE II=1\n#pragma HLS PIPELINE II=2")
    client.open(uri, text)
    related = [item for item in client.pull(uri) if item.get("relatedInformation")]
    assert related
    assert related[0]["relatedInformation"][0]["location"]["uri"] == uri


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """Edits on ASCII text, from the last to the first."""
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
    for edit in sorted(edits, key=lambda e: (e["range"]["start"]["line"], e["range"]["start"]["character"]))[::-1]:
        begin, end = edit["range"]["start"], edit["range"]["end"]
        first, last = starts[begin["line"]] + begin["character"], starts[end["line"]] + end["character"]
        text = text[:first] + edit["newText"] + text[last:]
    return text


def test_a_fix_is_resolved_for_its_version_and_removes_the_finding(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    client.until(lambda: client.actions(uri, 5, ["quickfix"]), "fix")
    (action,) = client.actions(uri, 5, ["quickfix"])
    assert action["kind"] == "quickfix"
    assert "edit" not in action
    (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    fixed = applied(FAULTY, change["edits"])
    assert "factor=8" in fixed
    client.change(uri, 2, {"text": fixed})
    assert "HLS101" not in {item["code"] for item in client.pull(uri)}


def test_an_action_of_an_older_text_is_refused(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    client.until(lambda: client.actions(uri, 5, ["quickfix"]), "fix")
    (action,) = client.actions(uri, 5, ["quickfix"])
    client.change(uri, 2, at(0, 0, 0, 0, "// above\n"))
    with pytest.raises(ResponseError) as caught:
        client.request("codeAction/resolve", action)
    assert caught.value.code == -32801


def test_fix_all_applies_the_safe_fixes_together(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)

    def ready() -> list[dict[str, Any]]:
        return [a for a in client.actions(uri, 0, ["source.fixAll"]) if "2 safe" in a["title"]]

    (action,) = client.until(ready, "fix all")
    assert action["kind"] == "source.fixAll.hwml"
    (change,) = client.request("codeAction/resolve", action)["edit"]["documentChanges"]
    fixed = applied(FAULTY, change["edits"])
    assert "variable=a " in fixed
    assert "factor=8" in fixed


def test_only_asked_kinds_of_actions_come(client: Client, uri: str) -> None:
    client.open(uri, FAULTY)
    client.until(lambda: client.actions(uri, 5, ["source"]), "verified fixes")
    assert {a["kind"] for a in client.actions(uri, 5, ["quickfix"])} == {"quickfix"}
    assert {a["kind"] for a in client.actions(uri, 5, ["refactor"])} <= {"refactor.rewrite.hwml"}
    assert {a["kind"] for a in client.actions(uri, 5, ["source"])} == {"source.fixAll.hwml"}


def test_a_client_without_resolving_gets_the_edit_at_once(plain: Client, uri: str) -> None:
    plain.open(uri, FAULTY)
    plain.until(lambda: plain.actions(uri, 5, ["quickfix"]), "fix")
    (action,) = plain.actions(uri, 5, ["quickfix"])
    assert "factor=8" in applied(FAULTY, action["edit"]["changes"][uri])


@pytest.mark.parametrize(
    ("typed", "some", "none"),
    [
        ("#pragma ", {"HLS", "ACCEL"}, "UNROLL"),
        ("#pragma HLS ", {"UNROLL", "PIPELINE", "ARRAY_PARTITION"}, "PARALLEL"),
        ("#pragma ACCEL ", {"PARALLEL", "TILE"}, "BIND_OP"),
        ("#pragma HLS UNROLL ", {"factor", "skip_exit_check"}, "II"),
        ("#pragma HLS ARRAY_PARTITION variable=", {"a", "b"}, "scale"),
        ("#pragma HLS ARRAY_PARTITION variable=a type=", {"block", "cyclic", "complete"}, "a"),
        ("#pragma HLS INTERFACE port=", {"a", "b", "return"}, "i"),
    ],
)
def test_completion_inside_pragmas(client: Client, uri: str, typed: str, some: set[str], none: str) -> None:
    lines = SCALE.splitlines()
    lines.insert(3, typed)
    client.open(uri, "\n".join(lines))
    found = client.complete(uri, 3, len(typed))
    assert some <= set(found)
    assert none not in found


NEST = """#define N 24
void nest(int a[N][10], int b[N], int n) {
AT_FUNCTION
  int local[12];
  for (int i = 0; i < N; i++) {
    int row[4];
AT_LOOP
    for (int j = 0; j < n; j++) { int deep[5]; b[i] += a[i][j]; }
  }
}
"""


def proposed(client: Client, uri: str, place: str, typed: str, behind: str = "") -> list[str]:
    """Labels in the order a client shows them, in a place of NEST."""
    text = NEST.replace(place, typed + behind)
    for other in ("AT_FUNCTION", "AT_LOOP"):
        text = text.replace(other, "")
    client.open(uri, text)
    row = NEST.split("\n").index(place)
    found = client.complete(uri, row, len(typed))
    return sorted(found, key=lambda label: found[label]["sortText"])


@pytest.mark.parametrize(
    "typed",
    ["#pragma HLS PIPELINE II=4", "#pragma HLS", "#pragma HLS PIPELINE", "#pragma hls pipeline",
     "#pragma HLS PIPELINE off", "#pragma HLS ARRAY_PARTITION variable=b",
     "#pragma HLS ARRAY_PARTITION variable=b type=cyclic"],
)  # fmt: skip
def test_what_is_written_already_is_not_offered(client: Client, uri: str, typed: str) -> None:
    """Or the Enter that ends the line would be taken for a choice."""
    assert proposed(client, uri, "AT_LOOP", typed) == []


def test_nothing_is_offered_before_a_value_that_is_there(client: Client, uri: str) -> None:
    assert proposed(client, uri, "AT_LOOP", "#pragma HLS ARRAY_PARTITION variable=", "b") == []
    assert "variable" not in proposed(client, uri, "AT_LOOP", "#pragma HLS ARRAY_PARTITION ", " variable=b")


def test_what_helps_at_a_place_comes_first(client: Client, uri: str) -> None:
    in_loop = proposed(client, uri, "AT_LOOP", "#pragma HLS ")
    assert in_loop[:2] == ["PIPELINE", "UNROLL"]
    assert in_loop.index("INTERFACE") > in_loop.index("STREAM")  # it may not stand in a loop
    on_top = proposed(client, uri, "AT_FUNCTION", "#pragma HLS ")
    assert on_top[0] == "INTERFACE"
    assert on_top.index("UNROLL") > on_top.index("STREAM")


def test_pragmas_of_other_releases_come_last_and_are_marked(client: Client, uri: str) -> None:
    assert proposed(client, uri, "AT_LOOP", "#pragma HLS ")[-4:] == ["ARRAY_MAP", "CLOCK", "DATA_PACK", "RESOURCE"]
    found = client.complete(uri, NEST.split("\n").index("AT_LOOP"), 12)
    assert found["RESOURCE"]["deprecated"]
    assert "deprecated" not in found["UNROLL"]


def test_factors_divide_and_variables_are_those_that_are_seen(client: Client, uri: str) -> None:
    """24 rounds; `a` has 24 rows of 10; `deep` belongs to the loop inside, `row` to the one around, `n` is no array."""
    assert proposed(client, uri, "AT_LOOP", "#pragma HLS UNROLL factor=") == ["2", "3", "4", "6", "8", "12", "24"]
    partition = "#pragma HLS ARRAY_PARTITION variable="
    assert proposed(client, uri, "AT_LOOP", f"{partition}a dim=2 factor=") == ["2", "5", "10"]
    assert proposed(client, uri, "AT_LOOP", partition) == ["a", "b", "local", "row"]
    assert proposed(client, uri, "AT_FUNCTION", partition) == ["a", "b", "local"]


def test_the_signature_shows_the_option_that_is_being_typed(client: Client, uri: str) -> None:
    typed = "#pragma HLS ARRAY_PARTITION variable=b dim="
    client.open(uri, NEST.replace("AT_FUNCTION", typed).replace("AT_LOOP", ""))
    place = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": len(typed)}}
    found = client.request("textDocument/signatureHelp", place)
    (signature,) = found["signatures"]
    assert signature["label"].startswith("#pragma HLS ARRAY_PARTITION variable=<name> ")
    assert signature["parameters"][found["activeParameter"]]["label"] == "[dim=<number>]"
    place["position"] = {"line": 1, "character": 4}
    assert client.request("textDocument/signatureHelp", place) is None


def test_completion_replaces_the_word_that_was_begun_and_is_documented(client: Client, uri: str) -> None:
    typed = "#pragma HLS UNR"
    client.open(uri, SCALE.replace("void scale", f"{typed}\nvoid scale"))
    item = client.complete(uri, 2, len(typed))["UNROLL"]
    assert item["textEdit"]["range"] == {"start": {"line": 2, "character": 12}, "end": {"line": 2, "character": 15}}
    assert "side by side" in item["documentation"]


@pytest.mark.parametrize("place_of", [(6, 4), (0, 3), (2, 5)])
def test_no_completion_outside_pragmas(client: Client, uri: str, place_of: tuple[int, int]) -> None:
    client.open(uri, SCALE)
    assert client.complete(uri, *place_of) == {}


@pytest.mark.parametrize(
    "text",
    ["int main() { for (int i = 0; i < 4; i++) {} return 0; }\n", "", "// #pragma HLS is only talked about\nint x;\n"],
)
def test_silence_on_files_that_are_no_hardware(client: Client, uri: str, text: str) -> None:
    client.open(uri, text)
    assert client.hints(uri) == []
    assert client.lenses(uri) == []
    assert client.pull(uri) == []
    assert client.hover(uri, 0, 25) == ""


def test_a_project_file_makes_plain_code_hardware(client: Client, place: Path) -> None:
    folder = place / "project"
    folder.mkdir()
    (folder / "hwml.toml").write_text('[hls]\npart = "xczu9eg-ffvb1156-2-e"\n', encoding="utf-8")
    text = "void f(int a[8]) {\n  for (int i = 0; i < 8; i++) a[i] += 1;\n}\n"
    uri = client.open((folder / "f.cpp").as_uri(), text)
    assert len(client.lenses(uri)) == 1
    hover = client.hover(uri, 0, 5)
    assert "xczu9eg-ffvb1156-2-e (hwml.toml)" in hover


def test_the_status_names_model_and_part(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    status = client.notified("hwml/status", lambda p: p["uri"] == uri and p["state"] == "ready")
    assert status["model"]
    assert status["part"].startswith("xc")


def test_commands(client: Client, uri: str) -> None:
    client.open(uri, SCALE)
    client.hints(uri)

    def run(name: str, *arguments: Any) -> Any:
        return client.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)})

    assert "**scale**" in run("hwml.details", uri, 2, 7)
    assert "HLS101" in run("hwml.explain", "hls101")
    card = run("hwml.modelCard")
    assert card.endswith("README.md")
    assert client.asked("window/showDocument") == 1
    with pytest.raises(ResponseError):
        run("hwml.explain", 1, 2, 3)
    with pytest.raises(ResponseError):
        run("hwml.unheardOf")
    assert run("hwml.explain", "NOSUCH") is None
    assert "no page" in client.notified("window/showMessage", lambda p: p["type"] == 1)["message"]
