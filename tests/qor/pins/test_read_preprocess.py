"""The preprocessor by itself: what a text becomes (C++ standard, [cpp]), and where each piece of it came from."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from hwml_sdk.document import Span
from hwml_sdk.errors import SourceError
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.program.budget import MACRO_STEPS
from hwml_sdk.qor.read.pragmas import parse_pragma
from hwml_sdk.qor.read.preprocess import (
    MAX_INCLUDE_DEPTH,
    MAX_OUTPUT,
    PREDEFINED,
    Preprocessor,
    preprocess,
)
from hwml_sdk.qor.read.source import read_program

# Text -> its words and signs, one blank between lines and words.
TEXTS = {
    "#define A 1\nA AA A1 A": "1 AA A1 1", "#define F(x) [x]\nF(1) F (2) F\n(3) F": "[1] [2] [3] F",
    "#define F(x, y) x-y\nF(1, 2) F((1, 2), 3) F(f(1, 2), )": "1-2 (1, 2)-3 f(1, 2)-",
    "#define F() 7\nF() F( )": "7 7",
    '#define S(x) #x\nS(a b) S("q\\n")': '"a b" "\\"q\\\\n\\""', "#define S(x) # x\nS( a  )": '"a"',
    "#define P(a, b) a ## b\nP(x, 1) P(, y)": "x1 y", "#define P(a) a##_t #a a\n#define Y 3\nP(Y)": 'Y_t "Y" 3',
    "#define A A + B\n#define B A * 2\nA B": "A + A * 2 A + B * 2", "#define F(x) x\nF(F(F(1)))": "1",
    "#define F(x) G(x)\n#define G(x) <x>\nF(2)": "<2>",
    "#define V(f, ...) f(__VA_ARGS__)\nV(g, 1, 2) V(g)": "g(1, 2) g()",
    "#define X 1\n\"X\" 'X' X": "\"X\" 'X' 1", "#define LONG 1 + \\\n 2\nLONG": "1 + 2", "#define F(x) x\nF(1": "F(1",
    "#define 3 4\n3": "3", "#\n#unknown thing\n#error no\n#line 3\na": "a", "a\r\n#define X 2\r\nX\r\n": "a 2",
    "#define X(a) (a) // note\nX(4)": "(4)", "#define X 1\nx.X 1.5X 0x1F 1X": "x.1 1.5X 0x1F 1X",
    "#define X\n1 X 2 X": "1 2",
    "#define F(x) x\nF(1, 2)": "1", "#define f(x) x\n#undef f\nf(1)": "f(1)", "#define X (1)\nX": "(1)",
    "#define X(a)(a)\nX(1)": "(1)",
    "#define F(x) x\n#define G F\nG (1)": "F (1)", "#define X 1\n#define Y X\n#undef X\n#define X 2\nY": "2",
    "#define F( a , b ) b a\nF(\n1,\n2\n)": "2 1", "#define F(x) x\nF(a;) F({b})": "a; {b}",
    "__SYNTHESIS__ __VITIS_HLS__": "1 1",
    "a // b \\\nc\nd": "a d", "a /* b // */ c": "a c", "a /* b": "a", "'\"' /* */ '\"' \"//\" b": "'\"' '\"' \"//\" b",
    "\"a\\\" /* \" b /* c */ \"*/\"": "\"a\\\" /* \" b \"*/\"", "a\rb // c\rd": "a b d",

    "#pragma HLS pipeline\na": "a", '_Pragma("HLS pipeline") a': "a", "_Pragma(x) a": "_Pragma(x) a",
    # Conditions.
    "#ifdef A\n1\n#elif 1\n2\n#elif 1\n3\n#else\n4\n#endif\n5": "2 5", "#if (1 +\n1\n#else\n2\n#endif": "2",
    "#if 0\n#define X 1\n#endif\n#if 0\n#undef NULL\n#endif\nX NULL": "X 0",
    "#if defined X || defined(Y)\n1\n#endif\n2": "2",
    "#if defined __SYNTHESIS__ && defined ( NULL )\n1\n#endif": "1", "#if !defined(X)\n1\n#endif": "1",
    "#ifdef NULL // c\n1\n#endif": "1",
    "#ifndef NULL\n1\n#endif\n2": "2", "#if X\n1\n#else\n2\n#endif": "2", "#define X 3\n#if X*2==6\n1\n#endif": "1",
    "#endif\n#else\n1": "1",
    "#define F(x) x\n#if F(1) + F(1) == 2\n1\n#endif": "1", "#if 1\n1\n#endif\n#endif\n2": "1 2", "#if 0\n1": "",
    "#if 1 \\\n && 0\n1\n#endif": "",
    "#if 0\n#include \"x.h\"\n#pragma HLS x\n_Pragma(\"HLS y\")\n#endif\n1": "1",
    "# if 1\n #  define X 4\n# endif\nX": "4",
    "#define X\n#ifdef X\n1\n#endif": "1", "#if 'a' == 97\n1\n#endif": "1", "#if 10 > 9 ? 1 : 0\n1\n#endif": "1",
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    unit = preprocess(text, "k.cpp")
    assert " ".join(unit.text.split()) == TEXTS[text]


def test_a_comment_in_a_macro() -> None:
    assert preprocess("#define X 1 /* one\n more */ + 2\nX", "k.cpp").text.split() == ["1", "+", "2"]


def test_what_headers_define() -> None:
    """limits.h and stdint.h of LP64, float.h, math.h: exact values, real ones as IEEE 754 has them."""
    whole = {
        "INT8_MIN": -(2**7), "INT8_MAX": 2**7 - 1, "UINT8_MAX": 2**8 - 1, "INT16_MAX": 2**15 - 1,
    "SHRT_MAX": 2**15 - 1,
        "UINT16_MAX": 2**16 - 1, "INT32_MAX": 2**31 - 1, "INT_MAX": 2**31 - 1, "INT_MIN": -(2**31),
    "UINT32_MAX": 2**32 - 1,
        "UINT_MAX": 2**32 - 1, "LONG_MAX": 2**63 - 1, "CHAR_BIT": 8, "NULL": 0, "__SYNTHESIS__": 1, "__VITIS_HLS__": 1,
    }  # fmt: skip
    assert {name: eval(PREDEFINED[name]) for name in whole} == whole
    real = {"FLT_MAX": 2.0**128 * (1 - 2.0**-24), "FLT_MIN": 2.0**-126, "FLT_EPSILON": 2.0**-23,
    "DBL_MAX": 2.0**1023 * (2 - 2.0**-52),
            "M_PI": 3.141592653589793}  # fmt: skip
    for name, value in real.items():
        assert float(PREDEFINED[name].rstrip("f")) == pytest.approx(value, rel=0.003)
    # What a float may be beside a number: of these only the type counts.
    endless = {"INFINITY", "HUGE_VALF", "HUGE_VAL", "NAN"}
    assert set(PREDEFINED) == {*whole, *real, *endless, "hls_thread_local", "HLSLIB_SYNTHESIS"}


def nested(chance: random.Random, active: bool, depth: int) -> tuple[str, str]:
    """Lines of conditions inside one another, and the words of them that stay."""
    text, stays = "", ""
    for _ in range(chance.randrange(1, 4)):
        word = f"w{chance.randrange(1000)} "
        if depth == 0 or chance.random() < 0.3:
            text, stays = f"{text}{word}\n", stays + (word if active else "")
            continue
        taken = False
        for branch in ["#if {}", *["#elif {}"] * chance.randrange(3), *["#else"] * chance.randrange(2)]:
            value = chance.randrange(2) if "{}" in branch else 1
            inner, kept = nested(chance, active and bool(value) and not taken, depth - 1)
            taken = taken or bool(value)
            text, stays = f"{text}{branch.format(value)}\n{inner}", stays + kept
        text += "#endif\n"
    return text, stays


@pytest.mark.parametrize("seed", range(8))
def test_conditions_inside_one_another(seed: int) -> None:
    for _ in range(10):
        text, stays = nested(random.Random(seed), True, 4)
        assert preprocess(text, "k.cpp").text.split() == stays.split()


# -- includes ------------------------------------------------------------------------------------------------

INCLUDES = [
    # Include line, the files there are, the words read. Folders need not fit, names do.
    ('#include "a.h"', {"a.h": "1"}, "1"),
    ("#include <a.h>", {"a.h": "1"}, "1"), ('#include "a.h"', {"src/a.h": "1"}, "1"),
    ('#include "x/a.h"', {"src/x/a.h": "1",
    "a.h": "2"}, "1"), ('#include "x/a.h"', {"y/a.h": "1"}, "1"), ('#include "../a.h"', {"a.h": "1"}, "1"),
    ('#include "./a.h"', {"b.h": "1"}, ""), ('#include "x\\a.h"', {"x\\a.h": "1"}, "1"),
    ("#define H \"a.h\"\n#include H", {"a.h": "1"}, "1"),
    ("#define H <a.h>\n#include H", {"a.h": "1"}, "1"),
    ("#include a.h", {"a.h": "1"}, ""), ('#include "b.h"', {"ab.h": "1"}, ""),
    ('#include "a.h"\n#include "a.h"', {"a.h": "1"}, "1 1"),
    ('#include "a.h"\n#include "a.h"', {"a.h": "#pragma once\n1"}, "1"),
    ('#include "a.h"', {"a.h": '#include "b.h"\n1', "b.h": "2"}, "2 1"), ('#include "a.h"\n2', {"a.h": "1"}, "1 2"),
    ('#include "a.h"', {"a.h": '#include "a.h"\n1'}, "1"), ('#include "k.cpp"\n1', {"k.cpp": "2"}, "1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "files", "right"), INCLUDES)
def test_includes(text: str, files: dict[str, str], right: str) -> None:
    unit = preprocess(text, "k.cpp", files=files)
    assert unit.text.split() == right.split()


def test_includes_from_the_disk(tmp_path: Path) -> None:
    """Beside the including file where it is named in quotes, then in the folders given, in their order."""
    for folder, word in (("beside", "1"), ("first", "2"), ("second", "3")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.h").write_text(word)
    (tmp_path / "second" / "b.h").write_text("4")
    path, folders = str(tmp_path / "beside" / "k.cpp"), [tmp_path / "first", tmp_path / "second"]
    for line, right in [
        ('#include "a.h"', "1"),
        ("#include <a.h>", "2"),
        ('#include "b.h"', "4"),
        ('#include "c.h"', ""),
    ]:
        unit = preprocess(line, path, include_dirs=folders)
        assert (unit.text.split(), unit.missing_headers) == (right.split(), [] if right else ["c.h"])
    (tmp_path / "first" / "z.h").write_bytes(b"int a;\0")
    unit = preprocess("#include <z.h>", path, include_dirs=folders)
    assert (len(unit.problems), unit.problems[0].path, unit.missing_headers) == (1, path, ["z.h"])


def test_includes_that_go_round() -> None:
    program = read_program(
        '#include "a.h"\nvoid top() {}', path="k.cpp", files={"a.h": '\n  #include "b.h"\n', "b.h": '#include "a.h"\n'}
    )
    (problem,) = program.problems
    assert (problem.path, problem.message, problem.span) == (
        "b.h",
        "a.h includes itself; left out here",
        Span(0, 0, 0, 5),
    )
    files = {f"h{n}.h": f'{n}\n#include "h{n + 1}.h"\n' for n in range(MAX_INCLUDE_DEPTH + 5)}
    words = preprocess('#include "h0.h"', "k.cpp", files=files).text.split()
    assert words == [str(n) for n in range(32)]


def doublings(count: int) -> str:
    """A macro of 2 ** count words."""
    lines = ["#define M0 x", *(f"#define M{n} M{n - 1} M{n - 1}" for n in range(1, count + 1)), f"M{count}"]
    return "\n".join(lines)


def test_macros_that_grow() -> None:
    """Twenty doublings are a million words: some are left out, and that is said."""
    unit = preprocess(doublings(20), "k.cpp")
    assert unit.left_out and len(unit.text) < MACRO_STEPS
    small = preprocess(doublings(10), "k.cpp")
    assert not small.left_out and len(small.text.split()) == 2**10


def test_texts_that_grow() -> None:
    """The text after macros and includes is bounded, too: one more character is refused."""
    worker = Preprocessor({}, [], {})
    worker.run_file("k.cpp", "", ())
    worker.length = MAX_OUTPUT - 3
    worker.emit("abc", 0, 0, True)
    with pytest.raises(SourceError, match="grows past 16 MB"):
        worker.emit("d", 0, 0, True)


def test_macros_inside_macros() -> None:
    deep = [f"#define D{n} D{n + 1}" for n in range(40)]
    assert preprocess("\n".join([*deep, "D0 D20"]), "k.cpp").text.split() == ["D40", "D40"]


# -- where it came from --------------------------------------------------------------------------------------

PLACES = {
    "k.cpp": '#define TWO(x) x + x\n#include "h.h"\nint a1; /* c */ int b1 = TWO(\n 3) ; int c1;\n'
    "/* x\n y */ int d1 = 1; // e\n"
    "#if 0\nint z1;\n#endif\n#pragma HLS top\nint é, e1;\r\n\tint f1; _Pragma(\"HLS x\") int g1;",
    "h.h": "int h1;\n#define Q 1\n\nint i1 = Q; int j1;\n",
}  # fmt: skip


def test_places_of_all_that_is_kept() -> None:
    unit = preprocess(PLACES["k.cpp"], "k.cpp", files={"h.h": PLACES["h.h"]})
    seen = re.findall(r"[a-z]1", unit.text)
    assert seen == ["h1", "i1", "j1", "a1", "b1", "c1", "d1", "e1", "f1", "g1"]
    for match in re.finditer(r"[a-z]1", unit.text):
        path, span = unit.path(match.start()), unit.span(match.start(), match.end())
        before, _, _ = PLACES[path].partition(match.group())
        line = before.count("\n")
        character = len(before) - (before.rfind("\n") + 1)
        assert (span, path) == (
            Span(line, character, line, character + 2),
            "h.h" if match.group()[0] in "hij" else "k.cpp",
        )
    at = unit.text.index("3 + 3")  # stands where the macro does
    assert unit.span(at, at + 5) == Span(2, 25, 2, 26)
    whole = unit.span(unit.text.index("b1"), unit.text.index("c1") + 2)
    assert whole == Span(2, 20, 3, 12)
    across = unit.span(unit.text.index("j1"), unit.text.index("a1"))
    assert across == Span(3, 16, 3, 16)
    assert preprocess("", "k.cpp").span(0, 1) == Span(0, 0, 0, 1)


def test_comments_that_speak_to_the_tool() -> None:
    text = 'a;\n  // hwml: ignore x\n/* other */ b; /* hwml: y\n more */\n"// hwml: no"\n'
    assert preprocess(text, "k.cpp").comments == {"k.cpp": {1: "// hwml: ignore x", 2: "/* hwml: y\n more */"}}
    assert preprocess("a; // note", "k.cpp").comments == {}


PRAGMAS = {
    "HLS unroll factor=4": ("UNROLL", {"factor": "4"}), "hls Pipeline II = 3 rewind": ("PIPELINE", {"ii": "3",
    "rewind": ""}),
    "HLS": ("", {}), "HLS ": ("", {}), "  HLS   unroll   factor=4  ": ("UNROLL", {"factor": "4"}),
    "HLS pipeline=3 x": ("PIPELINE", {"x": ""}),
    "HLS array_partition variable=a cyclic factor=4 dim=1": ("ARRAY_PARTITION", {"variable": "a", "cyclic": "",
    "factor": "4", "dim": "1"}),
    'HLS interface m_axi port=a bundle="gmem 0"': ("INTERFACE", {"m_axi": "", "port": "a", "bundle": "gmem 0"}),
    "HLS x max=N * (M - 1) min=(2)": ("X", {"max": "N * (M - 1)", "min": "(2)"}),
    "HLS x depth=2 + 3 a": ("X", {"depth": "2 + 3", "a": ""}),
    "HLS latency min=-1 max=3": ("LATENCY", {"min": "-1", "max": "3"}),
    "HLS x variable=&a b=*p": ("X", {"variable": "&a", "b": "*p"}),
    "HLS x port=a,b depth=f(2) + g(h(3))": ("X", {"port": "a", "b": "", "depth": "f(2) + g(h(3))"}),
    "HLS x a=N/2*M b = c.d[3]": ("X", {"a": "N/2*M", "b": "c.d[3]"}), 'HLS x a="" b="c=d"': ("X", {"a": "",
    "b": "c=d"}),
    "HLS x a=sizeof(int)-1 b": ("X", {"a": "sizeof(int)-1", "b": ""}),
}  # fmt: skip


@pytest.mark.parametrize("text", PRAGMAS)
def test_options_of_pragmas(text: str) -> None:
    assert parse_pragma(text) == ("HLS", *PRAGMAS[text])
    assert parse_pragma(text.replace("HLS", "accel").replace("hls", "Accel")) == ("ACCEL", *PRAGMAS[text])


def test_what_is_no_pragma_of_these_tools() -> None:
    assert [parse_pragma(text) for text in ("", "GCC unroll 4", "once", "HLSX pipeline", "omp parallel for")] == [
        None
    ] * 5


OWNERS = """#pragma HLS a0
void top(int a[4]) {
#pragma HLS a1
#pragma ACCEL b1
  A: for (int i = 0; i < 4; i++) {
#pragma HLS a2
    B: while (a[0]) { a[1]++;
#pragma HLS a3
    }
  // #pragma HLS none
#pragma ACCEL b2
    a[2] = 1;
#pragma ACCEL b3

    C: do { a[1]++; _Pragma("HLS a4") } while (a[2]);
#pragma ACCEL b4
  }
  auto f = [&]() {
#pragma HLS a5 \\
   x=1
    D: for (;;)
#pragma HLS a6
      a[3]++;
  };
#  pragma   HLS   a7 x  =  (2)  // note
}
#pragma ACCEL b6
"""


def test_owners_and_ranges_of_pragmas() -> None:
    """HLS: the innermost body around. ACCEL: the next loop of this level, or the function where none comes."""
    program = read_program(OWNERS, path="k.cpp")
    owners = {pragma.kind: pragma.owner.name if pragma.owner is not None else "" for pragma in program.pragmas}
    assert owners == {
        "A0": "", "A1": "top", "B1": "A", "A2": "A", "A3": "B", "B2": "C", "B3": "C", "A4": "C", "B4": "",
        "A5": "top::f", "A6": "D", "A7": "top", "B6": "",
    }  # fmt: skip
    lines = OWNERS.split("\n")
    for pragma in program.pragmas:
        span = pragma.span
        text = "\n".join(lines[span.start_line : span.end_line + 1])
        assert pragma.path == "k.cpp" and pragma.kind.lower() in text
        if pragma.kind == "A4":
            assert lines[span.start_line][span.start_character : span.end_character] == '_Pragma("HLS a4")'
        else:
            assert lines[span.start_line][: span.start_character].strip() == ""
            assert lines[span.start_line][span.start_character] == "#"
            assert span.end_character == len(lines[span.end_line].partition("  //")[0])
        assert pragma.owner is None or pragma in pragma.owner.pragmas
    assert (program.dialect, isinstance(program.pragmas[0].owner, ir.Loop)) == ("ACCEL", False)
    assert read_program("#pragma HLS x\n").dialect == "HLS"
