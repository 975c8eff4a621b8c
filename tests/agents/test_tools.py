"""What each tool answers, against the command line's answers and what is known of the sources."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.agents.client import Client, in_memory

from hwml_sdk import predict_qor
from hwml_sdk.agents.tools import TOOLS
from hwml_sdk.document import Edit, Span, apply_edits
from hwml_sdk.explain import codes

ROOT = Path(__file__).resolve().parents[2]
# 2i and 2i + 1 and 63 - i: three reads a round of a memory with two ports, so II 2.
PORTS = """\
void top(const int t[64], int b[32]) {
#pragma HLS TOP
sum:
  for (int i = 0; i < 32; i++) {
#pragma HLS PIPELINE II=1
    b[i] = t[2 * i] + t[2 * i + 1] + t[63 - i];
  }
}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("designs")
    (folder / "ports.cpp").write_text(PORTS)
    (folder / "gemm.cpp").write_text((ROOT / "examples" / "gemm.cpp").read_text())
    return folder


@pytest.fixture(scope="module")
def agent(place: Path) -> Iterator[Client]:
    with in_memory(place) as client:
        yield client


def test_the_list_is_what_the_documents_say(agent: Client) -> None:
    listed = agent.ask(agent.session.list_tools).tools
    assert [tool.name for tool in listed] == [tool.name for tool in TOOLS]
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    for tool in listed:
        assert f"| `{tool.name}` |" in page
        assert tool.annotations.readOnlyHint is True
        assert tool.annotations.openWorldHint is False
        for schema in (tool.inputSchema, tool.outputSchema):
            Draft202012Validator.check_schema(schema)
            assert schema["additionalProperties"] is False


def test_figures_are_those_of_predict_qor(agent: Client, place: Path) -> None:
    told = agent.answer("predict_qor", path="gemm.cpp", part="xczu9eg-ffvb1156-2-i", clock="200MHz")
    known = predict_qor(place / "gemm.cpp", part="xczu9eg-ffvb1156-2-i", clock_period_ns=5).to_dict()
    for key in ("LUT", "DSP", "FF", "latency_cycles", "bram_18k", "interval_cycles", "top", "part", "clock_period_ns"):
        assert told[key] == known[key], key
    for key, sure in told["intervals"].items():
        assert (sure["low"], sure["high"]) == (known["intervals"][key]["low"], known["intervals"][key]["high"])
    assert told["origins"]["part"] == "argument"
    assert [(loop["name"], loop["level"]) for loop in told["loops"]] == [("rows", 0), ("cols", 1), ("dot", 2)]
    lines = (place / "gemm.cpp").read_text().splitlines()
    assert all(lines[loop["line"] - 1].lstrip().startswith("for (") for loop in told["loops"])


def test_what_is_not_known_is_null_and_has_its_reason(agent: Client) -> None:
    told = agent.answer("predict_qor", text="void f(int n, int a[8]) {\n#pragma HLS TOP\n  a[0] = secret(n);\n}\n")
    assert told["LUT"] is None
    assert "secret is not read" in told["reasons"]["LUT"][0]


def test_a_bound_is_named_and_its_fix_brings_what_it_says(agent: Client) -> None:
    (loop,) = agent.answer("why_ii", path="ports.cpp")["loops"]
    assert (loop["name"], loop["line"], loop["ii"]) == ("sum", 4, 2)
    assert "II 2: bound by" in loop["why"]
    assert " t" in loop["bound_by"]
    (finding,) = loop["findings"]
    (fix,) = finding["fixes"]
    assert fix["title"].endswith("II 2 -> 1")
    assert fix["verified"]
    changed = apply(PORTS, fix)
    added = [line[1:] for line in fix["diff"].splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert set(changed.splitlines()) - set(PORTS.splitlines()) == set(added)
    (after,) = agent.answer("why_ii", text=changed, loop="sum")["loops"]
    assert after["ii"] == 1
    assert after["findings"] == []


def test_a_recurrence_is_told_with_its_way_round(agent: Client) -> None:
    text = "float f(const float x[64]) {\n#pragma HLS TOP\n  float s = 0;\n  for (int i = 0; i < 64; i++) {\n"
    text += "#pragma HLS PIPELINE II=1\n    s += x[i];\n  }\n  return s;\n}\n"
    (loop,) = agent.answer("why_ii", text=text)["loops"]
    assert loop["ii"] > 1
    assert "s" in loop["recurrence"]
    assert "distance 1" in loop["recurrence"]
    assert "there is no loop 'sum'" in agent.refusal("why_ii", text=text, loop="sum")


def test_findings_have_lines_and_diffs(agent: Client) -> None:
    found = agent.answer("lint_hls", text=PORTS.replace("PIPELINE", "PIPLINE"))["findings"]
    (item,) = [item for item in found if item["fixes"] and "PIPLINE" in item["message"]]
    assert item["line"] == 5
    assert "+#pragma HLS PIPELINE II=1" in item["fixes"][0]["diff"]


def test_two_texts_are_compared(agent: Client) -> None:
    after = PORTS.replace("\nsum:", "\n#pragma HLS ARRAY_PARTITION variable=t cyclic factor=2\nsum:")
    told = agent.answer("compare", text=after, before_text=PORTS)
    (loop,) = told["loops"]
    assert (loop["name"], loop["ii_before"], loop["ii_after"]) == ("sum", 2, 1)
    change = told["changes"]["latency_cycles"]
    share = told["after"]["latency_cycles"] / told["before"]["latency_cycles"] - 1
    assert change["percent"] == pytest.approx(100 * share, abs=0.1)
    assert change["low"] < change["percent"] < change["high"]
    assert "cyc" in told["summary"]
    assert agent.answer("compare", text=PORTS, before_text=PORTS)["summary"] == "no change"


def test_a_file_is_compared_with_a_commit(tmp_path: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path))
    file = tmp_path / "ports.cpp"
    for number, text in enumerate((PORTS, PORTS.replace("32", "16"), PORTS.replace("32", "8"))):
        file.write_text(text)
        if number == 0:
            subprocess.run([*git, "init", "-q"], check=True)
        if number < 2:
            subprocess.run([*git, "add", "."], check=True)
            subprocess.run([*git, "commit", "-qm", "x"], check=True)
    with in_memory(tmp_path) as agent:
        old = {name: agent.answer("compare", path="ports.cpp", revision=name) for name in ("HEAD", "HEAD~1")}
        assert agent.refusal("compare", path="ports.cpp", revision="nowhere").endswith(
            "'nowhere' is no commit here; git fetch it, or name another"
        )
        assert "is no commit here" in agent.refusal("compare", path="ports.cpp", revision="--output=/tmp/x")
        assert "one of" in agent.refusal("compare", path="ports.cpp")
    # 32, 16 and 8 rounds of II 2.
    rounds = [old[name]["loops"][0]["cycles_before"] for name in ("HEAD~1", "HEAD")]
    assert rounds[0] == pytest.approx(64, abs=4)
    assert rounds[1] == pytest.approx(32, abs=4)
    assert old["HEAD"]["loops"][0]["cycles_after"] == pytest.approx(16, abs=4)
    inner = tmp_path / "part"
    inner.mkdir()
    (inner / "k.cpp").write_text(PORTS)
    with in_memory(inner) as agent:  # the repository itself is not open
        assert "lies outside the open folders" in agent.refusal("compare", path="k.cpp", revision="HEAD")


def test_pages_are_a_tool_and_resources(agent: Client) -> None:
    told = agent.answer("explain", code="hls118")
    assert told["code"] == "HLS118"
    assert told["title"] == codes()["HLS118"]
    assert agent.answer("explain")["codes"] == codes()
    assert "did you mean" in agent.refusal("explain", code="HLS1188")
    listed = agent.ask(agent.session.list_resources).resources
    assert {str(item.uri): item.title for item in listed} == {
        f"hwml://explain/{code}": t for code, t in codes().items()
    }
    (page,) = agent.ask(agent.session.read_resource, listed[0].uri).contents
    assert page.text.startswith(f"# {listed[0].name}: ")


def test_the_text_block_says_the_same_as_the_structured_content(agent: Client) -> None:
    result = agent.call("predict_qor", path="ports.cpp")
    assert json.loads(result.content[0].text) == result.structuredContent  # type: ignore[union-attr]


def apply(text: str, fix: dict) -> str:  # type: ignore[type-arg]
    """The edits of a fix, as any agent applies them."""
    edits = []
    for edit in fix["edits"]:
        start, end = edit["range"]["start"], edit["range"]["end"]
        span = Span(start["line"], start["character"], end["line"], end["character"])
        edits.append(Edit(span, edit["new_text"]))
    return apply_edits(text, tuple(edits))


def test_moves_and_sets_of_pragmas_bring_what_they_say(agent: Client) -> None:
    """The best move of the slow loop, and the fastest set within a budget, hold when their edits are applied."""
    (loop,) = agent.answer("why_ii", path="ports.cpp", loop="sum")["loops"]
    best = loop["moves"][0]
    assert "II 2 -> 1" in best["gain"]
    (after,) = agent.answer("predict_qor", text=apply(PORTS, best))["loops"]
    assert after["ii"] == best["ii"] == 1
    told = agent.answer("what_if", path="ports.cpp", count=40, budget={"dsp": 0})
    fastest = told["options"][0]
    assert fastest["after"]["DSP"] == 0
    assert fastest["after"]["latency_cycles"] < told["present"]["latency_cycles"]
    changed = agent.answer("predict_qor", text=apply(PORTS, fastest))
    assert changed["latency_cycles"] == fastest["predicted"]["latency_cycles"]
    assert told["tried"] <= 41
    assert "budget" in agent.refusal("what_if", path="ports.cpp", budget={"gold": 1})
