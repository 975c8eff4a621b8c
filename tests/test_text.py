"""The line index: places of every offset, in every unit, with each kind of line end. Truth: Python's own codecs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwml_hooks.marks import Note, insert, strip
from hwml_sdk.config import Settings
from hwml_sdk.document import Edit, Span, analyze, apply_edits
from hwml_sdk.languages import Language, languages
from hwml_sdk.text import LineIndex, characters, units, with_newlines

HLS: Language = next(language for language in languages() if ".cpp" in language.suffixes)

TEXTS = st.text(alphabet="ab\r\n\u00e9\u4e2d\U0001f600\u2028\x0c", max_size=30)
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def lines_of(text: str) -> list[str]:
    """Lines with their ends, by a rule of its own: io's universal newlines, told apart."""
    found = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    return found if text and text[-1] not in "\r\n" else [*found, ""]


@given(TEXTS)
def test_lines_and_places(text: str) -> None:
    places, lines = LineIndex(text), lines_of(text)
    assert [places.whole(n) for n in range(places.lines)] == lines
    assert "".join(places.line(n) + places.whole(n)[len(places.line(n)) :] for n in range(places.lines)) == text
    offset = 0
    for number, line in enumerate(lines):
        for character in range(len(line)):
            assert places.place(offset) == (number, character)
            assert places.exact(number, character) == offset
            offset += 1
    assert places.exact(*places.place(len(text))) == len(text)


@given(TEXTS)
def test_units(text: str) -> None:
    for encoding, (codec, width) in CODECS.items():
        assert units(text, encoding) == len(text.encode(codec)) // width  # type: ignore[arg-type]
        for count in range(len(text) + 1):
            size = len(text[:count].encode(codec)) // width
            assert characters(text, size, encoding) == count  # type: ignore[arg-type]
            if encoding == "utf-16":
                assert LineIndex(text).from_utf16(size) == count


def test_inside_a_character_means_its_start() -> None:
    assert LineIndex("a\U0001f600b").from_utf16(2) == 1
    assert characters("a\U0001f600b", 2, "utf-16") == 1
    assert characters("a\u4e2d", 2, "utf-8") == 1


@given(TEXTS)
def test_with_newlines_keeps_places(text: str) -> None:
    assert LineIndex(with_newlines(text)).starts == LineIndex(text).starts
    assert with_newlines(text).count("\n") == LineIndex(text).lines - 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_edits_findings_and_marks_count_alike(end: str) -> None:
    """A finding's lines, its fix and a mark above it stand where an editor shows them, also with lone returns."""
    text = end.join(
        ["void f(int a[8]) {", "#pragma HLS PIPELIN II=1", "  for (int i = 0; i < 8; i++) a[i] += 1;", "}", ""]
    )
    found = analyze("k.cpp", "#pragma HLS TOP\n" + text, Settings())
    finding = next(item for item in found.diagnostics if "PIPELIN" in item.message)
    assert finding.span.start_line == 2
    fix = finding.fixes[0]
    assert "#pragma HLS PIPELINE II=1" in apply_edits("#pragma HLS TOP\n" + text, fix.edits)
    loops = [item for item in analyze("k.cpp", text, Settings()).annotations if item.kind == "loop"]
    assert [item.span.start_line for item in loops] == [2]
    marked = insert(text, [Note(2, "8 cyc")], HLS)
    assert LineIndex(marked).line(2) == "  // hwml: 8 cyc"
    assert marked == text.replace("  for", f"  // hwml: 8 cyc{end}  for")
    assert strip(marked, HLS) == text


def test_edits_outside_the_text_are_refused() -> None:
    for span in (Span(2, 0, 2, 0), Span(0, 5, 0, 6), Span(1, 0, 0, 0)):
        with pytest.raises(ValueError, match=r"outside|before"):
            apply_edits("ab\rc", (Edit(span, "x"),))
