"""Functions of the vision libraries: passes over an image, one pixel a cycle.

XAPP1167 and the loop tables of csynth reports (hls_video.h of Vivado HLS 2018.2 to 2019.2): two loops, `loop_height`
around a pipelined `loop_width` with II 1. A row takes its pixels and the cycles given here beside them; a filter of K
by K taps makes K - 1 rows and columns more. Their areas are in no report at hand.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pass:
    """beside: cycles of a row beside its pixels. taps: of its window, the template argument that says so or a number.

    floats: more cycles of a row where it scales with numbers that are no whole ones.
    """

    beside: int
    taps_from: int | None = None
    floats: int = 0


# Rows of the reports: AXIvideo2Mat 5, 6, 7 and 15, Mat2AXIvideo 3 and 4, CvtColor 3 and 6, Duplicate 3, MinMaxLoc 3,
# ConvertScaleAbs 13, AddWeighted 3 and 29 (28 stages of floating point), Filter2D (Sobel, GaussianBlur) 7.
PASSES = {
    "AXIvideo2Mat": Pass(6), "Mat2AXIvideo": Pass(4), "CvtColor": Pass(6), "Duplicate": Pass(3), "MinMaxLoc": Pass(3),
    "ConvertScaleAbs": Pass(13), "AddWeighted": Pass(3, floats=26), "Sobel": Pass(7, taps_from=2),
    "GaussianBlur": Pass(7, taps_from=0),
}  # fmt: skip
DEFAULT_TAPS = 3
# Namespaces of the vision libraries: every function in them that takes an image passes over all of its pixels.
LIBRARIES = ("hls::", "xf::", "cv::")
