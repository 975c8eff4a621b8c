"""Constructs of real code that the tools refuse, ignore or build wrongly, and their nearest right relatives."""

from __future__ import annotations

import pytest

from hwml_sdk.config import Settings, merge
from hwml_sdk.document import Diagnostic
from hwml_sdk.qor.lint.run import lint_source

VIVADO = merge(Settings(), {"hls": {"tool": "vivado_hls", "tool_version": "2019.2"}}, origin="test")


def found(text: str, settings: Settings | None = None) -> list[Diagnostic]:
    analyses = lint_source(text, path="top.cpp", settings=settings)
    return [item for analysis in analyses for item in analysis.diagnostics]


def codes(text: str, settings: Settings | None = None) -> list[str]:
    return [item.code for item in found(text, settings)]


def loop(
    body: str, *, head: str = "int i = 0; i < 32; i++", before: str = "", args: str = "int a[32], int b[32]"
) -> str:
    return f"void top({args}) {{\n{before}\n  for ({head}) {{\n#pragma HLS PIPELINE\n{body}\n  }}\n}}\n"


# -- subscripts: the last and the first element by hand --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (loop("b[i] = a[i + 1];"), "subscript 32 is outside a"),
        (loop("b[i] = a[i - 1];"), "subscript -1 is outside a"),
        (loop("b[31 - i] = a[2 * i];"), "subscript 62 is outside a"),
        (loop("b[i] = a[i];", head="int i = 0; i <= 32; i++"), "subscript 32 is outside"),
        (loop("b[i] = a[i];", head="int i = 32; i > 0; i -= 2"), "subscript 32 is outside"),
        (loop("b[i] = 1;", before="  a[32] = 1;"), "subscript 32 is outside a"),
        (loop("b[i] = 1;", before="  int *end = &a[33];"), "subscript 33 is outside a"),
        (loop("if (b[i] > 3) a[32] = 1;"), "subscript 32 is outside a"),
        ("void top(int a[8]) { int i; for (i = 0; i < 8; i++) a[i] = i; a[i] = 0; }", "subscript 8 is outside a"),
        ("void top(int a[8]) { int i; for (i = 7; i >= 0; i--) a[i] = i; a[i] = 0; }", "subscript -1 is outside a"),
        ("void top(int a[4][8]) { for (int i = 0; i < 8; i++) a[i][0] = 1; }", "subscript 7 is outside dimension 1"),
    ],
)
def test_elements_outside(text: str, message: str) -> None:
    items = found(text)
    assert {item.code for item in items} == {"HLS129"}
    assert message in items[0].message
    assert items[0].related


@pytest.mark.parametrize(
    "text",
    [
        loop("if (i < 31) b[i] = a[i + 1];"),
        loop("b[i] = i > 0 ? a[i - 1] : 0;"),
        loop("if (i == 31) break; b[i] = a[i + 1];"),
        "int f(int *first, int *last);\nvoid top(int a[4], int *o) { *o = f(&a[0], &a[4]); }",
        loop("if (i == 31) continue; b[i] = a[i + 1];"),
        loop("b[i] = a[(i + 1) % 32];"),
        loop("b[i] = a[b[i] + 40];"),
        "void top(int *a) { a[64] = 1; }",
        "#define N 4\nvoid top(int a[N]) { if (N > 4) a[4] = 1; else a[3] = 1; }",
        "void top(int a[8], int n) { for (int i = 0; i < n; i++) a[i] = i; }",
        "void top(int a[8]) { int i; for (i = 0; i < 8; i++) a[i] = i; i = 0; a[i] = 0; }",
        "void top(int a[8], int n) { int i; for (i = 0; i < 8; i++) if (a[i] == n) break; a[i & 7] = 0; a[i] = 1; }",
    ],
)
def test_elements_that_may_be_inside(text: str) -> None:
    assert "HLS129" not in codes(text)


# -- what hardware has not ---------------------------------------------------------------------------------------

STREAM = "#include <hls_stream.h>\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (STREAM + "void top(hls::stream<ap_uint<8> > s, int *o) { *o = s.read(); }", "HLS130"),
        (
            STREAM + "static void f(hls::stream<int> s) { s.write(1); }\nvoid top(hls::stream<int> &s) { f(s); }",
            "HLS130",
        ),
        ("void top(int n, int *o) { int t[2 * n]; t[0] = n; *o = t[0]; }", "HLS133"),
        ("void top(int *o) { int n = *o; int t[4][n]; t[0][0] = n; *o = t[0][0]; }", "HLS133"),
        ("int f(int x) { return x; }\nvoid top(int (*g)(int), int *o) { *o = g(1); }", "HLS134"),
        ("typedef int (*op)(int);\nint f(int x) { return x; }\nvoid top(int *o) { op h = f; *o = h(1); }", "HLS134"),
        ("using op = int (*)(int);\nint f(int x) { return x; }\nvoid top(int *o) { op h = f; *o = h(1); }", "HLS134"),
        ("int f(int x) { return x; }\nvoid top(int *o) { int (*t[2])(int) = {f, f}; *o = t[1](1); }", "HLS134"),
        ("void top(float **rows, float *o) { *o = rows[0][1]; }", "HLS143"),
        ("void top(int *rows[4], int *o) { *o = *rows[1]; }", "HLS143"),
        ("#include <vector>\nvoid top(int n, int *o) { std::vector<float> v(n); *o = v[0]; }", "HLS124"),
        ("#include <vector>\nusing namespace std;\nvoid top(int n, int *o) { vector<int> v(n); *o = v[0]; }", "HLS124"),
    ],
)
def test_what_hardware_has_not(text: str, code: str) -> None:
    assert code in codes(text)


@pytest.mark.parametrize(
    "text",
    [
        STREAM + "void top(hls::stream<int> &s, hls::stream<int> t[2]) { s.write(t[1].read()); }",
        "void top(int n, int *o) { const int m = 4; int t[2 * m]; t[n & 7] = n; *o = t[0]; }",
        "template <int N> void f(int *o) { int t[N]; t[0] = 1; *o = t[0]; }\nvoid top(int *o) { f<8>(o); }",
        "static int f(int x) { return x; }\nvoid top(int *o) { *o = (f)(2) * (*o); }",
        "void top(int (&rows)[8], int *o) { *o = rows[1]; }",
        "static void f(int **p) { **p = 1; }\nvoid top(int *o) { int *q = o; f(&q); }",
    ],
)
def test_what_hardware_has(text: str) -> None:
    assert not {"HLS130", "HLS133", "HLS134", "HLS143", "HLS124"} & set(codes(text))


# -- spelling and releases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pragma", "code", "fixed"),
    [
        ("#pragma HLS BIND_STORAGE variable=t type=ram_3p", "HLS107", "ram_"),
        ("#pragma HLS BIND_STORAGE variable=t type=ram_2p impl=blockram", "HLS107", ""),
        ("#pragma HLS BIND_OP variable=t op=mull impl=dsp", "HLS107", "mul"),
        ("#pragma HLS BIND_OP variable=t op=mul impl=dps", "HLS107", "dsp"),
        ("#pragma HLS INTERFACE mode=maxi port=a", "HLS107", "m_axi"),
        ("#pragma HLS DEPENDENCE variable=t type=iner dependent=false", "HLS107", "inter"),
        ("#pragma HSL ARRAY_PARTITION variable=t", "HLS105", "HLS"),
        ("#pragma HL INLINE off", "HLS105", "HLS"),
        ("#pragma INLINE off", "HLS105", "HLS "),
        ("#pragma HLS ALLOCATION operation instances=mull limit=1", "HLS132", "mul"),
        ("#pragma HLS ALLOCATION function instances=hlper limit=1", "HLS132", "helper"),
        ("#pragma HLS DATA_PACK variable=t", "HLS131", "#pragma HLS AGGREGATE variable=t"),
        ("#pragma HLS RESOURCE variable=t core=RAM_2P_LUTRAM", "HLS131",
         "#pragma HLS BIND_STORAGE variable=t type=ram_2p impl=lutram"),
        ("#pragma HLS ARRAY_MAP variable=t instance=u horizontal", "HLS131", ""),
    ],
)  # fmt: skip
def test_words_that_the_tool_does_not_know(pragma: str, code: str, fixed: str) -> None:
    text = (
        "static int helper(int x) { return x * 3; }\nvoid top(int a[8], int b[8]) {\n  int t[8];\n" + pragma + "\n"
        "  for (int i = 0; i < 8; i++) t[i] = helper(a[i]);\n  for (int i = 0; i < 8; i++) b[i] = t[i];\n}\n"
    )
    items = [item for item in found(text) if item.code == code]
    assert len(items) == 1
    assert items[0].span.start_line == 3
    new = [edit.new_text for fix in items[0].fixes for edit in fix.edits]
    assert not fixed or new[0].startswith(fixed)


@pytest.mark.parametrize(
    "pragma",
    [
        "#pragma HLS BIND_STORAGE variable=t type=RAM_T2P impl=URAM",
        "#pragma HLS BIND_OP variable=t op=fmul impl=maxdsp latency=4",
        "#pragma HLS ALLOCATION operation instances=mul limit=1",
        "#pragma HLS ALLOCATION function instances=helper limit=1",
        "#pragma omp parallel for",
        "#pragma unroll",
        "#pragma GCC unroll 4",
        "// #pragma HSL INLINE",
    ],
)
def test_words_that_are_right(pragma: str) -> None:
    text = (
        "static int helper(int x) { return x * 3; }\nvoid top(int a[8], int b[8]) {\n  int t[8];\n" + pragma + "\n"
        "  for (int i = 0; i < 8; i++) t[i] = helper(a[i]);\n  for (int i = 0; i < 8; i++) b[i] = t[i];\n}\n"
    )
    assert codes(text) == []


@pytest.mark.parametrize(
    ("pragma", "wrong"),
    [
        ("#pragma HLS ARRAY_PARTITION variable=t type=cyclic factor=2", True),
        ("#pragma HLS ARRAY_PARTITION variable=t cyclic factor=2", False),
        ("#pragma HLS BIND_STORAGE variable=t type=ram_1p impl=bram", True),
        ("#pragma HLS RESOURCE variable=t core=RAM_1P_BRAM", False),
        ("#pragma HLS PIPELINE style=flp", True),
        ("#pragma HLS DEPENDENCE variable=t type=intra dependent=false", True),
        ("#pragma HLS DEPENDENCE variable=t intra false", False),
    ],
)
def test_the_release_the_settings_name_counts(pragma: str, wrong: bool) -> None:
    text = loop(f"{pragma}\n t[i] = a[i]; b[i] = t[i];" if "PIPELINE" in pragma else "t[i] = a[i]; b[i] = t[i];",
                before="  int t[32];\n" + ("" if "PIPELINE" in pragma else pragma))  # fmt: skip
    text = text.replace("#pragma HLS PIPELINE\n#pragma", "#pragma")
    assert ("HLS131" in codes(text, VIVADO)) is wrong
    assert ("HLS131" in codes(text)) is ("RESOURCE" in pragma)


# -- order of accesses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "variable", "real"),
    [
        ("a[i] = a[i - 2] * 3;", "a", True),
        ("a[i + 1] = a[i] + b[i];", "a", True),
        ("a[0] += b[i];", "a", True),
        ("s = s * 3 + a[i];", "s", True),
        ("s++; b[i] = s;", "s", True),
        ("if (a[i] > s) s = a[i];", "s", True),
        ("b[i] = s; s = a[i];", "s", True),
        ("if (a[i] > 0) s = a[i]; else s = 0; b[i] = s;", "s", False),
        ("a[i] = a[i + 1] * 3;", "a", False),  # reads what is written later only
        ("a[b[i]] += 1;", "a", False),  # nobody knows
        ("a[i] += 1;", "a", False),  # each round its own element
        ("s = a[i]; b[i] = s;", "s", False),
    ],
)
def test_dependences_that_are_there(body: str, variable: str, real: bool) -> None:
    pragma = f"#pragma HLS DEPENDENCE variable={variable} type=inter dependent=false\n"
    text = loop(pragma + body, head="int i = 2; i < 31; i++", before="  int s = 0;")
    assert ("HLS135" in codes(text)) is real


@pytest.mark.parametrize(
    ("read", "kind", "wrong"),
    [
        ("t[31 - i]", "", True),
        ("t[2 * i % 32] + t[2 * i]", "", True),
        ("t[31 - i]", " type=pipo", False),
        ("t[i]", "", False),
    ],
)
def test_streams_that_are_not_in_order(read: str, kind: str, wrong: bool) -> None:
    text = (
        "static void put(const int a[32], int t[32]) { for (int i = 0; i < 32; i++) t[i] = a[i]; }\n"
        f"static void take(const int t[32], int b[16]) {{ for (int i = 0; i < 16; i++) b[i] = {read}; }}\n"
        "void top(const int a[32], int b[16]) {\n#pragma HLS DATAFLOW\n  int t[32];\n"
        f"#pragma HLS STREAM variable=t depth=32{kind}\n  put(a, t);\n  take(t, b);\n}}\n"
    )
    assert ("HLS136" in codes(text)) is wrong


# -- dataflow ------------------------------------------------------------------------------------------------------

PARTS = (
    STREAM + "static void make(const int in[32], hls::stream<int> &a, hls::stream<int> &b) {\n"
    "  for (int i = 0; i < 32; i++) a.write(in[i]);\n  for (int i = 0; i < 32; i++) b.write(in[i] + 1);\n}\n"
    "static void both(const int in[32], hls::stream<int> &a, hls::stream<int> &b) {\n"
    "  for (int i = 0; i < 32; i++) {\n    a.write(in[i]);\n    b.write(in[i] + 1);\n  }\n}\n"
    "static void use(hls::stream<int> &a, hls::stream<int> &b, int out[32]) {\n"
    "  for (int i = 0; i < 32; i++) out[i] = a.read() * b.read();\n}\n"
    "static void late(hls::stream<int> &a, hls::stream<int> &b, int out[32]) {\n  int t[32];\n"
    "  for (int i = 0; i < 32; i++) t[i] = b.read();\n  for (int i = 0; i < 32; i++) out[i] = a.read() * t[i];\n}\n"
    "static void delay(hls::stream<int> &a, hls::stream<int> &b) {\n  int t[32];\n"
    "  for (int i = 0; i < 32; i++) t[i] = a.read();\n  for (int i = 0; i < 32; i++) b.write(t[31 - i]);\n}\n"
    "static void pass(hls::stream<int> &a, hls::stream<int> &b) {\n"
    "  for (int i = 0; i < 32; i++) b.write(a.read() + 1);\n}\n"
)


def region(body: str, depth: str = "") -> str:
    return (
        f"{PARTS}void top(const int in[32], int out[32], bool on) {{\n#pragma HLS DATAFLOW\n"
        f"  hls::stream<int> a;\n{depth}\n  hls::stream<int> b;\n{body}\n}}\n"
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (region("make(in, a, b); use(a, b, out);"), "HLS140"),
        (region("both(in, a, b); late(a, b, out);"), "HLS140"),
        (region("make(in, a, b); use(a, b, out);", "#pragma HLS STREAM variable=a depth=16"), "HLS140"),
        (region("make(in, a, b); use(a, b, out);", "#pragma HLS STREAM variable=a depth=32"), ""),
        (region("both(in, a, b); use(a, b, out);"), ""),
        (region("both(in, a, b); late(a, b, out);", "#pragma HLS STREAM variable=a depth=32"), ""),
        (region("use(a, b, out); both(in, a, b);"), "HLS139"),
        (region('hls::stream<int> c("c"); pass(c, b); both(in, a, c); use(a, b, out);'), "HLS139"),
        (region("both(in, a, b); int k = in[0] + 1; use(a, b, out);"), "HLS138"),
        (region("both(in, a, b); if (on) use(a, b, out);"), "HLS138"),
        (region("both(in, a, b); use(a, b, out); out[0] = 1;"), "HLS138"),
        (region("both(in, a, b); use(a, b, out); int n; n = 3;"), "HLS138"),
        (region("make(in, a, b); hls::stream<int> c; delay(b, c); use(a, c, out);"), "HLS140"),
        (region("both(in, a, b); hls::stream<int> c; delay(b, c); use(a, c, out);"), "HLS140"),
        (
            region(
                "both(in, a, b); hls::stream<int> c; delay(b, c); use(a, c, out);",
                "#pragma HLS STREAM variable=a depth=32",
            ),
            "",
        ),
        (region("both(in, a, b); hls::stream<int> c; pass(b, c); use(a, c, out);"), ""),
        (region("int n = 3 * 4; both(in, a, b); use(a, b, out);"), ""),
    ],
)
def test_dataflow_regions(text: str, code: str) -> None:
    assert set(codes(text)) == ({code} if code else set())


def test_rewind_of_the_only_loop() -> None:
    alone = loop("b[i] = a[i];").replace("PIPELINE", "PIPELINE rewind")
    assert codes(alone) == []
    beside = alone.replace("void top", "void two").replace("}\n}\n", "}\n  for (int j = 0; j < 4; j++) a[j] = j;\n}\n")
    assert codes(beside) == ["HLS137"]


# -- sizes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "options", "many"),
    [
        ("int t[2048]", "complete dim=1", True),
        ("int t[2048]", "", True),
        ("int t[64][64]", "dim=0", True),
        ("int t[64][64]", "dim=2", False),
        ("int t[2048]", "cyclic factor=8", False),
        ("int t[512]", "complete", False),
    ],
)
def test_thousands_of_registers(declared: str, options: str, many: bool) -> None:
    second = "[0]" if "][" in declared else ""
    text = loop(f"t[i]{second} = a[i]; b[i] = t[i]{second};",
                before=f"  {declared};\n#pragma HLS ARRAY_PARTITION variable=t {options}")  # fmt: skip
    assert ("HLS142" in codes(text)) is many


@pytest.mark.parametrize(
    ("head", "pragma", "missing"),
    [
        ("void top(const int *a, int b[32])", "mode=m_axi port=a", True),
        ("void top(const int *a, int b[32])", "m_axi port=a offset=slave", True),
        ("void top(const int *a, int b[32])", "mode=m_axi port=a depth=32", False),
        ("void top(const int a[32], int b[32])", "mode=m_axi port=a", False),
        ('extern "C" void top(const int *a, int b[32])', "mode=m_axi port=a", False),
    ],
)
def test_depth_for_the_simulation(head: str, pragma: str, missing: bool) -> None:
    text = f"{head} {{\n#pragma HLS INTERFACE {pragma}\n  for (int i = 0; i < 32; i++) b[i] = a[i];\n}}\n"
    assert ("HLS141" in codes(text)) is missing


# -- hosts and benches ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '#include "ap_int.h"\n#include <cstdlib>\nint main() { int *p = new int[4]; srand(1); free(p); return 0; }\n',
        "#include <fstream>\nvoid load(int *a) { std::ifstream f; int *p = (int *)malloc(4); a[0] = p[0]; }\n",
        "#include <CL/cl2.hpp>\nint *buffer(int n) { return new int[n]; }\n",
    ],
)
def test_hosts_and_benches_are_left_alone(text: str) -> None:
    assert codes(text) == []
