"""`hwml qor` and `hwml qor lint` as a user runs them: output, exit codes, files left as they were."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jsonschema
import pytest

from hwml_sdk.cli import main
from hwml_sdk.commands.qor import codes_table
from hwml_sdk.config import Settings, load_settings
from hwml_sdk.document import analyze
from hwml_sdk.qor.project.inputs import gather

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
HLS_EXAMPLES = ("blur.cpp", "fir.cpp", "histogram", "matmul.cpp")
SCHEMA = json.loads((ROOT / "docs" / "qor.schema.json").read_text(encoding="utf-8"))
BAD = """\
void top(int a[8]) {
  mac: for (int i = 0; i < 8; i++) {
#pragma HLS UNROLL factor=16
    a[i] += 1;
  }
}
"""
needs_model = pytest.mark.skipif(find_spec("hwml_sdk.qor.model") is None, reason="the predictor is not here")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.cpp"
    path.write_text(BAD, encoding="utf-8")
    return path


# -- lint ------------------------------------------------------------------------------------------------------


def test_examples_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    kernels = [str(path) for path in sorted(EXAMPLES.iterdir()) if path.name in HLS_EXAMPLES]
    assert len(kernels) == len(HLS_EXAMPLES)
    assert main(["qor", "lint", *kernels, "--no-estimate"]) == 0
    assert capsys.readouterr().out == ""


def test_findings_end_with_1(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "lint", str(bad), "--no-estimate"]) == 1
    out = capsys.readouterr().out
    assert f"{bad}:3:27: warning HLS101: unroll factor 16 is over the 8 iterations of loop 'mac'" in out
    assert "fix: unroll by 8 (verified)" in out


def test_info_alone_ends_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.cpp"
    path.write_text(BAD.replace("factor=16", "factor=3"), encoding="utf-8")
    assert main(["qor", "lint", str(path), "--no-estimate"]) == 0
    assert "info HLS102" in capsys.readouterr().out


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_machine_formats(bad: Path, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "lint", str(bad), "--no-estimate", "--format", style]) == 1
    data = json.loads(capsys.readouterr().out)
    text = json.dumps(data)
    assert "HLS101" in text
    assert (data["schema_version"] == 2) if style == "json" else (data["version"] == "2.1.0")


def test_github_format(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "lint", str(bad), "--no-estimate", "--format", "github"]) == 1
    assert capsys.readouterr().out.startswith(f"::warning file={bad},line=3,endLine=3,col=27,title=HLS101::unroll")


def test_fix_rewrites_the_file_and_only_what_is_wrong(bad: Path) -> None:
    assert main(["qor", "lint", str(bad), "--fix", "--no-estimate"]) == 0
    assert bad.read_text(encoding="utf-8") == BAD.replace("factor=16", "factor=8")
    clean = bad.stat().st_mtime_ns
    assert main(["qor", "lint", str(bad), "--fix", "--no-estimate"]) == 0
    assert bad.stat().st_mtime_ns == clean


def test_list_is_the_documented_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", "lint", "--list"]) == 0
    table = capsys.readouterr().out
    assert table == codes_table()
    documented = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    assert documented.split("<!-- codes -->")[1].split("<!-- end -->")[0].strip() == table.strip()


def test_directives_of_the_project_are_linted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "k.cpp").write_text(BAD.replace("#pragma HLS UNROLL factor=16\n", ""), encoding="utf-8")
    config = tmp_path / "hls_config.cfg"
    config.write_text("syn.file=k.cpp\nsyn.directive.unroll=top/mac factor=16\nsyn.directive.pipeline=top/mcc\n")
    assert main(["qor", "lint", str(tmp_path), "--no-estimate"]) == 1
    out = capsys.readouterr().out
    assert f"{config}:2:1: warning HLS101" in out
    assert f"{config}:3:1: warning HLS128" in out


# -- bad input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["qor", "lint", "--no-estimate"], pytest.param(["qor"], marks=needs_model)])
def test_bad_input_is_one_line_and_2(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "zero.cpp").write_bytes(b"int a;\0")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.tcl").write_text('set_top "a\n', encoding="utf-8")
    (tmp_path / "ok.cpp").write_text(BAD, encoding="utf-8")
    big = tmp_path / "big.cpp"
    big.write_bytes(b"int a;\n" * (50 * 1024 * 1024 // 7))
    cases = {
        "none.cpp": [str(tmp_path / "none.cpp")],
        "zero.cpp:1": [str(tmp_path / "zero.cpp")],
        "no C or C++ source": [str(tmp_path / "empty")],
        "over the limit": [str(big)],
        "name a file": [],
        "bad.tcl:1": [str(tmp_path / "ok.cpp"), "--directives", str(tmp_path / "bad.tcl")],
        "--clock: clock 'fast'": [str(tmp_path / "ok.cpp"), "--clock", "fast"],
        "--define '1x'": [str(tmp_path / "ok.cpp"), "-D", "1x"],
    }
    for message, arguments in cases.items():
        assert main([*command, *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err, captured.err
        assert captured.err.count("\n") == 1
        assert captured.out == ""


def test_wrong_option_ends_with_2() -> None:
    with pytest.raises(SystemExit) as stop:
        main(["qor", "lint", "--format", "yaml"])
    assert stop.value.code == 2


# -- inputs and settings -------------------------------------------------------------------------------------------


def test_a_project_gives_flags_directives_and_settings() -> None:
    source = EXAMPLES / "histogram" / "src" / "histogram.cpp"
    inputs = gather(source, defines={"EXTRA": "2"})
    assert inputs.defines == {"BINS": "256", "EXTRA": "2"}
    assert [folder.name for folder in inputs.include_dirs] == ["include"]
    assert [directive.kind for directive in inputs.directives] == [
        "PIPELINE", "PIPELINE", "ARRAY_PARTITION", "INTERFACE",
    ]  # fmt: skip
    assert inputs.notes == ()
    settings = load_settings(source, trusted=False)
    assert (settings.hls.part, settings.hls.clock_period_ns) == ("xck26-sfvc784-2LV-c", 5.0)


def test_a_source_the_project_does_not_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hls_config.cfg").write_text("syn.file=a.cpp\nsyn.cflags=-DX\n", encoding="utf-8")
    for name in ("a.cpp", "b.cpp"):
        (tmp_path / name).write_text(BAD, encoding="utf-8")
    assert gather(tmp_path / "a.cpp").defines == {"X": "1"}
    assert gather(tmp_path / "b.cpp").defines == {}


def test_missing_files_of_a_project_are_notes(tmp_path: Path) -> None:
    (tmp_path / "hls_config.cfg").write_text("syn.file=a.cpp\nsyn.file=gone.cpp\nwhat=1\n", encoding="utf-8")
    (tmp_path / "a.cpp").write_text(BAD, encoding="utf-8")
    notes = gather(tmp_path / "a.cpp").notes
    assert "gone.cpp" in notes[0]
    assert "hls_config.cfg:3" in notes[1]


# -- prediction ----------------------------------------------------------------------------------------------------


@needs_model
@pytest.mark.parametrize("name", ["fir.cpp", "matmul.cpp", "blur.cpp"])
def test_predicting_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", str(EXAMPLES / name), "--json", "--part", "u280", "--clock", "300MHz"]) == 0
    data = json.loads(capsys.readouterr().out)
    jsonschema.validate(data, SCHEMA)
    assert data["top"] == Path(name).stem
    assert data["LUT"] > 0
    assert data["latency_cycles"] > 0
    assert data["loops"]
    assert data["origins"]["part"] == "command line"
    assert data["origins"]["tool"] == "default"
    assert main(["qor", str(EXAMPLES / name)]) == 0
    text = capsys.readouterr().out
    assert "latency (cycles)" in text
    assert "Assumed:" in text


@needs_model
def test_predicting_a_project(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", str(EXAMPLES / "histogram"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["top"], data["part"], data["clock_period_ns"]) == ("histogram", "xck26-sfvc784-2LV-c", 5)
    assert data["origins"]["part"] == "hls_config.cfg"
    trips = {loop["name"]: loop["trip_count"] for loop in data["loops"]}
    assert trips == {"clear": 256, "count": 4096, "copy": 256}


@needs_model
def test_predicting_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.cpp").write_text(BAD, encoding="utf-8")
    (tmp_path / "b.cpp").write_text("int x;\n", encoding="utf-8")
    (tmp_path / "tb_a.cpp").write_text("int main() { return 0; }\n", encoding="utf-8")
    assert main(["qor", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert [Path(p["path"]).name for p in data["predictions"]] == ["a.cpp"]
    assert "b.cpp" in data["errors"][0]
    assert "b.cpp" in captured.err


@needs_model
def test_unknown_top_and_part_say_what_there_is(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["qor", str(bad), "--top", "tpo"]) == 2
    assert "top" in capsys.readouterr().err
    assert main(["qor", str(bad), "--part", "xczu9g"]) == 2
    assert "xczu9" in capsys.readouterr().err


# -- what an editor gets ---------------------------------------------------------------------------------------------


def test_plain_c_is_none_of_its_business(tmp_path: Path) -> None:
    analysis = analyze(tmp_path / "a.c", "int main() { for (;;) ; }", Settings())
    assert (analysis.diagnostics, analysis.annotations, analysis.notes) == ((), (), ())


def test_big_files_are_left_alone(tmp_path: Path) -> None:
    analysis = analyze(tmp_path / "a.cpp", "#pragma HLS PIPELINE\n" + "int a;\n" * 400_000, Settings())
    assert analysis.annotations == ()
    assert "left alone" in analysis.notes[0]


@needs_model
def test_an_editor_gets_findings_and_labels(tmp_path: Path) -> None:
    text = BAD.replace("factor=16", "factor=3")  # does not divide, but leaves a loop to speak of
    analysis = analyze(tmp_path / "bad.cpp", text, Settings())
    assert "HLS102" in [d.code for d in analysis.diagnostics]
    kinds = {(a.kind, a.name, a.span.start_line) for a in analysis.annotations}
    assert {("function", "top", 0), ("loop", "mac", 1)} <= kinds
    assert all(len(a.label) <= 25 and a.detail and a.data for a in analysis.annotations)
    json.dumps([dict(a.data) for a in analysis.annotations])


@needs_model
def test_an_unrolled_loop_says_so(tmp_path: Path) -> None:
    """By its own pragma, inside a pipelined loop, and inside a function that is inlined there."""
    text = """\
static int total(const int a[8]) {
  int s = 0;
  far: for (int i = 0; i < 8; i++) s += a[i];
  return s;
}
void top(const int a[64][8], int b[64], int c[4]) {
  rows: for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE
    int s = total(a[i]);
    near: for (int j = 0; j < 3; j++) s += j;
    b[i] = s;
  }
  own: for (int i = 0; i < 4; i++) {
#pragma HLS UNROLL
    c[i] = i;
  }
}
"""
    labels = {a.name: a.label for a in analyze(tmp_path / "k.cpp", text, Settings()).annotations if a.kind == "loop"}
    assert {labels["far"], labels["near"], labels["own"]} == {"unrolled x8", "unrolled x3", "unrolled x4"}
    assert labels["rows"].startswith("II ")


@needs_model
@pytest.mark.parametrize(
    ("text", "top"),
    [
        ("static void big(int a[9]) { for (int i = 0; i < 9; i++) a[i] = 0; }\nvoid top(int *a) { *a = 1; }", "top"),
        ("void top(int a[9]) { a[0] = 1; }\nint main() { int a[9]; for (int i = 0; i < 9; i++) top(a); }", "top"),
        ("#include <hls_task.h>\nvoid one(hls::stream<int> &i, hls::stream<int> &o) { o.write(i.read()); }\n"
         "void top(hls::stream<int> &i, hls::stream<int> &o) { hls_thread_local hls::task t(one, i, o); }", "top"),
        ("typedef int (*op)(int);\nint twice(int a) { for (int i = 0; i < 3; i++) a *= 2; return a; }\n"
         "static int on(op f, int a) { return f(a); }\nint top(int a) { return on(twice, a); }", "top"),
        ("struct S { int n; int get() { for (int i = 0; i < 3; i++) n++; return n; } };\n"
         "int top(int a) { S s; s.n = a; return a; }", "top"),
    ],
)  # fmt: skip
def test_the_top_is_what_nothing_in_the_file_uses(
    text: str, top: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "k.cpp").write_text(text, encoding="utf-8")
    assert main(["qor", str(tmp_path / "k.cpp"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["top"] == top


@needs_model
def test_calls_nobody_can_read_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And calls of libraries, constructors, ranges of bits and lambdas are not."""
    path = tmp_path / "k.cpp"
    path.write_text(
        "#include <ap_int.h>\nint elsewhere(int a);\nstruct pair { int a, b; pair(int x, int y) : a(x), b(y) {} };\n"
        "int top(int a, int (*handed)(int), ap_uint<32> bits) {\n"
        "  auto twice = [](int v) { return 2 * v; };\n  pair p = pair(a, 2);\n"
        "  return elsewhere(a) + handed(a) + hls::sqrt(a) + abs(a) + twice(p.a) + bits(7, 0) + MAX_OF(a, 3);\n}\n",
        encoding="utf-8",
    )
    assert main(["qor", str(path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    unread = [f"{name} is not read" for name in ("elsewhere", "handed", "MAX_OF")]
    assert answer["reasons"] == dict.fromkeys(("LUT", "DSP", "FF", "latency_cycles", "bram_18k"), unread)
    assert [answer[key] for key in answer["reasons"]] == [None] * 5
    assert [text.partition(":")[0] for text in answer["warnings"][:3]] == unread


@needs_model
def test_half_typed_code_never_raises(tmp_path: Path) -> None:
    for cut in range(0, len(BAD), 7):
        analyze(tmp_path / "bad.cpp", BAD[:cut], Settings())
    analyze(tmp_path / "bad.cpp", "#pragma HLS PIPELINE\n\0", Settings())


@needs_model
def test_a_broken_project_file_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "hls_config.cfg").write_text("clock=never\n", encoding="utf-8")
    analysis = analyze(tmp_path / "bad.cpp", BAD, Settings())
    assert any("hls_config.cfg:1" in note for note in analysis.notes)
    assert [d.code for d in analysis.diagnostics] == ["HLS101"]


# -- what is imported ----------------------------------------------------------------------------------------------


def test_lint_needs_no_rich(bad: Path) -> None:
    code = (
        "import sys; from hwml_sdk.cli import main; "
        f"main(['qor', 'lint', {str(bad)!r}, '--no-estimate']); "
        "sys.exit(any(name in sys.modules for name in ('rich', 'onnxruntime', 'pygls')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
