"""`hwml annotate`: identity, idempotence, and that nothing else of a file changes."""

from __future__ import annotations

import codecs
import json
import os
import random
import re
import shutil
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwml_hooks import marks
from hwml_hooks.annotate import annotate_file, main
from hwml_sdk.cli import main as hwml
from hwml_sdk.config import load_settings
from hwml_sdk.document import analyze
from hwml_sdk.languages import CHISEL, HLS
from hwml_sdk.rewrite import replace_if_unchanged

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("examples", "tests/data", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".c", ".cpp", ".h", ".hpp")
)
TRICKY = ROOT / "tests/data/hooks/tricky.cpp"
FIR = ROOT / "examples/fir.cpp"


def round_trip(path: Path) -> int:
    """Annotate, again, check, remove; returns how many lines annotating added."""
    original = path.read_bytes()
    bare = marks.strip(original.decode("utf-8", "surrogateescape"), HLS).encode("utf-8", "surrogateescape")
    annotate_file(path)
    once = path.read_bytes()
    assert not annotate_file(path).changed, "annotating twice changes nothing"
    assert path.read_bytes() == once
    assert main(["--check", str(path)]) == 0
    annotate_file(path, remove=True)
    assert path.read_bytes() == bare
    return once.count(b"\n") - bare.count(b"\n")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_annotate_then_remove_is_the_identity(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    added = round_trip(copy)
    assert copy.read_bytes() == source.read_bytes()
    if b"#pragma HLS" in source.read_bytes() and source.parent.name == "examples":
        assert added >= 2


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_numbers_do_not_change_because_comments_were_added(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    answers = []
    for _ in range(2):
        code = hwml(["qor", str(copy), "--json"])
        said = capsys.readouterr()
        # Lines move, and loops without a label are named after theirs, as Vitis HLS does.
        out = re.sub(r'"line": \d+|VITIS_LOOP_\d+', "", said.out)
        answers.append((code, out, re.sub(r":\d+", "", said.err)))
        annotate_file(copy)
        capsys.readouterr()
    assert answers[0] == answers[1]


def test_findings_do_not_change_because_comments_were_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`// hwml: ignore[...]` speaks about the next line: no comment may come between."""
    copy = tmp_path / "tricky.cpp"
    copy.write_bytes(TRICKY.read_bytes())
    found = []
    for _ in range(2):
        hwml(["qor", "lint", str(copy), "--format", "json"])
        rows = json.loads(capsys.readouterr().out)["files"][0]["diagnostics"]
        found.append(sorted((row["code"], row["range"]["start"]["character"]) for row in rows))
        annotate_file(copy)
        capsys.readouterr()
    assert found[0] == found[1]


def added_lines(old: list[str], new: list[str]) -> list[int]:
    """Numbers of the lines of `new` that are not in `old`, when only lines were added."""
    at, found = 0, []
    for number, line in enumerate(new):
        if at < len(old) and line == old[at]:
            at += 1
        else:
            found.append(number)
    assert at == len(old)
    return found


def test_files_that_are_left_alone_are_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "bench.cpp": ('#include "fir.h"\nint main() { return 0; }\n', "a test bench or a host program"),
        "plain.c": ("int x;\n", "no pragma or header of HLS in it, its headers or a project above it"),
        "empty.cpp": ("#include <ap_int.h>\n", "left alone: no function with a body was found"),
        "Plain.scala": ("object A\n", "no Chisel in it or in the build"),
    }
    for name, (text, _) in texts.items():
        (tmp_path / name).write_text(text)
    shutil.copy(FIR, tmp_path / "fir.cpp")
    assert main([str(tmp_path / name) for name in (*texts, "gone.cpp", "notes.txt", "fir.cpp")]) == 2
    said = capsys.readouterr()
    assert said.out == f"{tmp_path}/fir.cpp: annotated\n"
    for name, (_, why) in texts.items():
        line = next(line for line in said.err.splitlines() if name in line)
        assert line.startswith(f"{tmp_path}/{name}: note: left alone: ")
        assert why in line


def test_places(tmp_path: Path) -> None:
    copy = tmp_path / "tricky.cpp"
    copy.write_bytes(TRICKY.read_bytes())
    outcome = annotate_file(copy)
    lines = copy.read_text().split("\n")
    ours = added_lines(TRICKY.read_text().split("\n"), lines)
    below = {lines[number + 1].strip() for number in ours}
    assert "void tricky(const int in[64], int *out) {" in below
    assert "outer:" in below, "above a loop's label"
    assert "// hwml: ignore[HLS102]" in below, "above what speaks about the loop"
    tab = next(number for number, line in enumerate(lines) if line.startswith("\tfor (int tab"))
    assert lines[tab - 1].startswith("\t// hwml: ")
    for text in ("over the line's end", "for (int j = 0; j < 4; j++) {"):
        at = next(number for number, line in enumerate(lines) if line.strip() == text)
        assert (at - 1 in ours) == (text != "over the line's end")
    assert "// hwml: my own words about this function" in lines
    assert any("none of hwml's" in note for note in outcome.notes)


def mutated(text: str, seed: int) -> str:
    """A source as an editor may hold it: lines gone, doubled, swapped, cut; odd endings; marks of an old run."""
    rng = random.Random(seed)
    lines = text.split("\n")
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(lines))
        kind = rng.randrange(8)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 3:
            lines[at] = lines[at][: rng.randint(0, len(lines[at]))]
        elif kind == 4:
            lines[at] += rng.choice(["\r", "\\", '"', "'", "/*", "*/", " \\", 'R"(', ')"', "\f", "\x0b", "\u2028", "é"])
        elif kind == 5:
            lines.insert(
                at, rng.choice(["// hwml: 1 LUT", "  // hwml: 12k LUT · II ?", "// hwml: note", "//hwml: 1 LUT"])
            )
        elif kind == 6:
            lines[at] = f"{lines[at]} // hwml: ignore[HLS101]"
        else:
            lines.insert(at, "// hwml: error CH101: no; verified fix: yes")
        if not lines:
            lines = [""]
    return rng.choice(["\n", "\n", "\r\n"]).join(lines)


@pytest.mark.parametrize("source", [TRICKY, FIR, ROOT / "examples/matmul.cpp"], ids=lambda path: path.name)
def test_identity_on_mutated_sources(source: Path, tmp_path: Path) -> None:
    text = source.read_text()
    added = 0
    for seed in range(12):
        copy = tmp_path / f"m{seed}.cpp"
        copy.write_bytes(mutated(text, seed).encode())
        added += round_trip(copy)
    assert added > 12, "most mutated sources still have loops to annotate"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=400).map(lambda raw: raw.replace(b"\0", b"")), pragma=st.booleans())
def test_identity_on_random_bytes(raw: bytes, pragma: bool, tmp_path: Path) -> None:
    copy = tmp_path / "random.cpp"
    head = b"#pragma HLS x\nvoid f(int *a) {\n  for (int i = 0; i < 4; i++) a[i] = i;\n}\n" if pragma else b""
    copy.write_bytes(head + raw)
    added = round_trip(copy)
    assert added >= 0


PIECES = st.sampled_from(
    ["// hwml: 3 LUT · 1 DSP", "// hwml: words", "x", "\n", "\r\n", "\r", "\\", '"', '"""', "/*", "*/", 'R"(', ')"',
     " ", "\t", "'", "// hwml: error CH1: a", "// hwml: elaborate A()", "label:", "\u2028", "é", "\udc80", "`"]
)  # fmt: skip
LABELS = st.sampled_from(
    ["1.2k LUT · 5 DSP · 67 cyc", "? LUT · 0.6–3.2k cyc", "II 1 · 1.0k cyc · <1 %", "II ? · ? cyc", "unrolled x4",
     "8 rounds · 531k cyc", "inlined · 3 LUT", "f<int, 4>: 5 LUT", "error CH101: nope; verified fix: do"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    text=st.lists(PIECES, max_size=40).map("".join),
    notes=st.lists(st.tuples(st.integers(-1, 30), LABELS), max_size=8),
    language=st.sampled_from(["hls", "chisel"]),
)
def test_marks_go_in_and_out_of_any_text(text: str, notes: list[tuple[int, str]], language: str) -> None:
    kind = CHISEL if language == "chisel" else HLS
    bare = marks.strip(text, kind)
    assert marks.strip(bare, kind) == bare
    placed = marks.insert(bare, [marks.Note(*note) for note in notes], kind)
    assert marks.strip(placed, kind) == bare


@pytest.mark.parametrize("language", ["hls", "chisel"])
def test_lines_in_comments_and_strings_stay(language: str, data: Path) -> None:
    kind = CHISEL if language == "chisel" else HLS
    text = (data / ("Sample.scala" if language == "chisel" else "tricky.cpp")).read_text()
    assert marks.strip(text, kind) == text
    assert text.count("// hwml:") >= 3


@pytest.mark.parametrize(
    ("name", "convert"),
    [
        ("crlf", lambda raw: raw.replace(b"\n", b"\r\n")),
        ("bom", lambda raw: codecs.BOM_UTF8 + raw),
        ("no last newline", lambda raw: raw.rstrip(b"\n")),
        ("crlf, bom, no last newline", lambda raw: codecs.BOM_UTF8 + raw.rstrip(b"\n").replace(b"\n", b"\r\n")),
        ("latin-1", lambda raw: b"// \xe4\xf6\xfc\n" + raw),
        ("shift-jis", lambda raw: "// \u8868\u793a\n".encode("shift_jis") + raw),
        ("utf-8", lambda raw: "// grün\n".encode() + raw),
        ("mixed endings", lambda raw: raw.replace(b"\n", b"\r\n", 9)),
    ],
)
def test_bytes_that_are_kept(name: str, convert: object, tmp_path: Path) -> None:
    assert callable(convert)
    raw = convert(FIR.read_bytes())
    path = tmp_path / "fir.cpp"
    path.write_bytes(raw)
    annotate_file(path)
    new = path.read_bytes()
    kept, at = [], 0
    for line in new.splitlines(keepends=True):  # every old line is there, in order; what is new is a comment
        if raw.startswith(line, at):
            kept.append(line)
            at += len(line)
        else:
            assert line.lstrip(b"\xef\xbb\xbf \t").startswith(b"// hwml: ")
            assert line.endswith(b"\r\n") == raw[at:].split(b"\n", 1)[0].endswith(b"\r")
    assert at == len(raw)
    assert len(new) > len(raw)
    if name in ("latin-1", "shift-jis"):
        assert "·".encode() not in new, "no UTF-8 signs in a file of another encoding"
    annotate_file(path, remove=True)
    assert path.read_bytes() == raw


def test_update_in_place(tmp_path: Path) -> None:
    path = tmp_path / "fir.cpp"
    path.write_bytes(FIR.read_bytes())
    annotate_file(path)
    once = path.read_text()
    path.write_text(re.sub(r"// hwml: .*cyc", "// hwml: 99 LUT · 1 cyc", once, count=1))
    assert main(["--check", str(path)]) == 1
    assert annotate_file(path).changed
    assert path.read_text() == once


def test_hand_written_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "fir.cpp"
    path.write_bytes(FIR.read_bytes())
    annotate_file(path)
    edited = path.read_text().replace(" cyc\n", " cyc, far too many!\n", 1)
    path.write_text(edited)
    outcome = annotate_file(path)
    assert "far too many!" in path.read_text()
    assert any("stays" in note for note in outcome.notes)
    annotate_file(path, remove=True)
    assert path.read_text().count("hwml:") == 1


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real = tmp_path / "real.cpp"
    real.write_bytes(FIR.read_bytes())
    real.chmod(0o640)
    link = tmp_path / "link.cpp"
    link.symlink_to("real.cpp")
    assert annotate_file(link).changed
    assert link.is_symlink()
    assert os.readlink(link) == "real.cpp"  # noqa: PTH115 - as it was written, not resolved
    assert b"// hwml: " in real.read_bytes()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_hard_links_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new file would part the names, and a write in place that is killed would leave both torn."""
    one, other = tmp_path / "one.cpp", tmp_path / "other.cpp"
    one.write_bytes(FIR.read_bytes())
    other.hardlink_to(one)
    check_refused(one, "hard links", 3, capsys)
    assert one.samefile(other)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "fir.cpp"
    path.write_bytes(FIR.read_bytes())
    annotate_file(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["fir.cpp"]


# -- newer edits -----------------------------------------------------------------------------------------------


def test_a_newer_text_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_bytes(b"newer")
    assert not replace_if_unchanged(path, b"older", b"ours")
    assert path.read_bytes() == b"newer"
    path.unlink()
    assert not replace_if_unchanged(path, b"older", b"ours")
    assert not path.exists()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="renameat2 is Linux's")
@pytest.mark.parametrize("in_place", [True, False])
def test_a_save_between_comparing_and_renaming_wins(
    in_place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The save comes at the worst moment: after the comparison, before the exchange (and once more after it)."""
    from hwml_sdk import exchange as system
    from hwml_sdk import rewrite

    path = tmp_path / "a.cpp"
    path.write_bytes(b"older")
    exchange = system.exchange
    calls = 0

    def save(text: bytes) -> None:
        if in_place:
            path.write_bytes(text)
        else:
            other = tmp_path / "editor"
            other.write_bytes(text)
            other.replace(path)

    def late(one: Path, other: Path) -> bool:
        nonlocal calls
        calls += 1
        if calls <= 2:
            save(b"newer %d" % calls)
        return exchange(one, other)

    monkeypatch.setattr(rewrite, "exchange", late)
    assert not replace_if_unchanged(path, b"older", b"ours")
    assert path.read_bytes() == b"newer 2"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.cpp"]


# -- bad input -------------------------------------------------------------------------------------------------


def check_refused(path: Path, said: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    before = path.read_bytes() if path.is_file() else None
    assert main([str(path)]) == code
    error = capsys.readouterr().err
    assert said in error
    assert str(path) in error
    assert error.count("\n") == 1
    assert before is None or path.read_bytes() == before


def test_bad_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = FIR.read_bytes()
    binary = tmp_path / "binary.cpp"
    binary.write_bytes(b"\x7fELF\0\0\0" + text)
    check_refused(binary, "binary", 2, capsys)
    utf16 = tmp_path / "utf16.cpp"
    utf16.write_bytes(text.decode().encode("utf-16"))
    check_refused(utf16, "NUL", 2, capsys)
    locked = tmp_path / "locked.cpp"
    locked.write_bytes(text)
    locked.chmod(0o444)
    check_refused(locked, "read-only", 3, capsys)
    merge = tmp_path / "merge.cpp"
    merge.write_bytes(b"<<<<<<< ours\n" + text + b"=======\n" + text + b">>>>>>> theirs\n")
    check_refused(merge, ":1: conflict markers", 2, capsys)
    check_refused(tmp_path / "gone.cpp", "No such file", 2, capsys)
    check_refused(tmp_path / "notes.txt", "no C, C++ or Scala", 2, capsys)
    folder = tmp_path / "folder.cpp"
    folder.mkdir()
    check_refused(folder, "folder", 2, capsys)
    loop = tmp_path / "loop.cpp"
    loop.symlink_to("loop.cpp")
    check_refused(loop, "cannot read", 2, capsys)
    dangling = tmp_path / "dangling.cpp"
    dangling.symlink_to("nowhere.cpp")
    check_refused(dangling, "cannot read", 2, capsys)


def test_links_out_of_the_tree_are_refused(repo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = tmp_path / "outside.cpp"
    outside.write_bytes(FIR.read_bytes())
    link = repo / "link.cpp"
    link.symlink_to(outside)
    check_refused(link, "outside", 3, capsys)
    assert outside.read_bytes() == FIR.read_bytes()


def test_directives_that_count_lines(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A directive for VITIS_LOOP_3_1 would lose its loop."""
    path = repo / "top.cpp"
    path.write_text("#include <ap_int.h>\nvoid top(int a[8]) {\n  for (int i = 0; i < 8; i++) a[i] = i;\n}\n")
    config = repo / "hls_config.cfg"
    config.write_text("[hls]\nsyn.file=top.cpp\nsyn.top=top\nsyn.directive.unroll=top/VITIS_LOOP_3_1 factor=2\n")
    check_refused(path, "by its line", 3, capsys)
    config.write_text("[hls]\nsyn.file=top.cpp\nsyn.top=top\nsyn.directive.unroll=top/mine factor=2\n")
    assert annotate_file(path).changed


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "fir.cpp"
    good.write_bytes(FIR.read_bytes())
    assert main([str(tmp_path / "gone.cpp"), str(good)]) == 2
    assert b"// hwml: " in good.read_bytes()
    assert "gone.cpp" in capsys.readouterr().err


def test_no_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "name a file" in capsys.readouterr().err


def test_broken_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fir.cpp"
    path.write_bytes(FIR.read_bytes())
    (tmp_path / ".git").mkdir()
    (tmp_path / "hwml.toml").write_text('[limits]\nmax_lut = "many"\n')
    assert main([str(path)]) == 2
    assert "limits.max_lut must be a number" in capsys.readouterr().err
    assert path.read_bytes() == FIR.read_bytes()


def test_the_same_text_gets_the_same_answer_every_time() -> None:
    """In one process, again and again: nothing may hang on addresses of objects or the order of sets."""
    broken = FIR.read_text().replace("typedef", "  }\ntypedef", 1)
    loaded = load_settings(FIR)
    answers = {repr([(a.name, a.label) for a in analyze("fir.cpp", broken, loaded).annotations]) for _ in range(60)}
    assert len(answers) == 1


def test_an_error_cannot_steer_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "\x1b[2Jk.cpp")]) == 2
    said = capsys.readouterr().err
    assert "\\x1b[2Jk.cpp" in said and "\x1b" not in said
