"""Passes of the vision libraries over images, against the loop tables of csynth reports; streams by operators."""

from __future__ import annotations

import pytest

from .kit import ZYNQ, closed

HEAD = """
typedef hls::stream<ap_axiu<24, 1, 1, 1> > Axis;
typedef hls::Mat<1080, 1920, HLS_8UC3> Colour;
typedef hls::Mat<1080, 1920, HLS_8UC1> Grey;
"""
# Function -> (call, cycles of `loop_height` in reports of Vivado HLS 2018.2 to 2019.2 at 10 ns, their latency_max).
PASSES = {
    "AXIvideo2Mat": ("hls::AXIvideo2Mat(in, a);", (2_079_000, 2_080_080)),
    "Mat2AXIvideo": ("hls::Mat2AXIvideo(a, out);", (2_076_840, 2_077_920)),
    "CvtColor": ("hls::CvtColor<HLS_BGR2GRAY>(a, g);", (2_080_080,)),
    "Duplicate": ("hls::Duplicate(g, h, k);", (2_076_840,)),
    "ConvertScaleAbs": ("hls::ConvertScaleAbs(g, h);", (2_087_640,)),
    "AddWeighted": ("hls::AddWeighted(g, 0.5, h, 0.5, 0.0, k);", (2_104_920,)),
    "AddWeighted, whole": ("hls::AddWeighted(g, 1, h, -1, 0, k);", (1080 * 1923,)),
    "Sobel": ("hls::Sobel<1, 0, 3>(g, h);", (2_087_178, 2_089_107)),
    "GaussianBlur": ("hls::GaussianBlur<3, 3>(g, h);", (2_087_178,)),
}


def image(call: str, declared: str = "Colour a(rows, cols); Grey g(rows, cols), h(rows, cols), k(rows, cols);") -> str:
    return f"{HEAD}void top(Axis &in, Axis &out, int rows, int cols) {{\n{declared}\n{call}\n}}"


def cycles(code: str) -> float | None:
    return closed(code, part=ZYNQ, clock=10.0, tool="vivado_hls", version="2018.2").latency_cycles


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_takes_what_its_report_says(name: str) -> None:
    """Within two cycles a row of every report: a row is 1920 pixels and a few cycles beside them."""
    call, reported = PASSES[name]
    found = cycles(image(call))
    assert found is not None
    assert all(abs(found - right) <= 2 * 1082 for right in reported)


def test_a_wider_window_makes_rows_and_columns_more() -> None:
    """5 x 5 taps: 1080 + 4 rows of 1920 + 4 columns and 7 cycles; 3 x 3: 2 rows and 2 columns less."""
    narrow, wide = (cycles(image(f"hls::Sobel<1, 0, {taps}>(g, h);")) for taps in (3, 5))
    assert narrow is not None and wide is not None
    assert wide - narrow == 1084 * 1931 - 1082 * 1929


def test_passes_of_a_dataflow_region_overlap() -> None:
    """Camera to grey and back (latency 4,014,004 of 2000 x 2000 with 2018.2): the longest pass and a few cycles."""
    calls = "hls::AXIvideo2Mat(in, a); hls::CvtColor<HLS_BGR2GRAY>(a, g); hls::Sobel<1, 0, 3>(g, h);"
    alone = cycles(image("hls::Sobel<1, 0, 3>(g, h);"))
    region = cycles(image(calls).replace("{\n", "{\n#pragma HLS dataflow\n"))
    assert alone is not None and region is not None
    assert alone <= region <= alone + 20


def test_areas_of_passes_are_not_known() -> None:
    found = closed(image("hls::Sobel<1, 0, 3>(g, h);"))
    assert found.unknown.of("lut") == found.unknown.of("dsp") == ("the area of hls::Sobel is not known",)
    assert found.unknown.known("latency_cycles")


UNMODELLED = {
    "hls::Resize(a, g);": "hls::Resize",
    "hls::Erode<0, 1>(g, h, k);": "hls::Erode",
    "xf::cv::Sobel<XF_BORDER_CONSTANT, 3>(v, w);": "xf::cv::Sobel",
}


@pytest.mark.parametrize("call", UNMODELLED)
def test_other_functions_are_unknown_but_no_shorter_than_the_image(call: str) -> None:
    """1080 x 1920 = 2,073,600 pixels, of which no library takes two at a time unless its type says so."""
    declared = "Colour a; Grey g, h, k; xf::cv::Mat<XF_8UC1, 1080, 1920, XF_NPPC1> v, w;"
    found = closed(image(call, declared))
    cause = f"{UNMODELLED[call]} is not read; one pixel a cycle is 2,073,600 cycles"
    assert found.unknown.of("latency_cycles") == found.unknown.of("lut") == (cause,)
    assert found.nominal_cycles >= 2_073_600


def test_operators_of_streams_are_transfers() -> None:
    """`<<` writes, `>>` reads (UG1399, "HLS Stream Library"): the same as the methods, two of one stream II 2."""

    def loop(body: str) -> str:
        return (
            "void top(hls::stream<int> &s, hls::stream<int> &o) {\n  L: for (int i = 0; i < 50; i++) {\n"
            f"#pragma HLS pipeline\n    int x, y;\n    {body}\n  }}\n}}"
        )

    pairs = {
        "s >> x; o << x + 1;": "x = s.read(); o.write(x + 1);",
        "s >> x >> y; o << x * y;": "x = s.read(); y = s.read(); o.write(x * y);",
        "s >> x; o << x << x + 1;": "x = s.read(); o.write(x); o.write(x + 1);",
    }
    for operators, methods in pairs.items():
        one, other = closed(loop(operators)), closed(loop(methods))
        assert one.figures() == other.figures()
        assert one.top.loops[0].ii == other.top.loops[0].ii == (1 if operators.count("s >> x; o << x +") else 2)
