"""Designs and test benches told apart: by what the project says, else by what stands in the text, never by the name."""

from __future__ import annotations

import re

# What only hardware has: pragmas of the tools.
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(?:HLS|ACCEL|AP)\b", re.IGNORECASE | re.MULTILINE)
_PRAGMA_OPERATOR = re.compile(r"_Pragma\s*\(\s*\"\s*HLS\b", re.IGNORECASE)
# Bounded, as a text may hold many heads that never end.
_MAIN = re.compile(
    r"^[ \t]*(?:extern\s+\"C\"\s+)?(?:int|void|auto|signed)\s+main\s*\([^;{}()]{0,400}\)[^;{}]{0,400}\{", re.MULTILINE
)
# Tests without a main of their own, and what runs on a host: the run time of the card, threads, files, clocks.
_HOST = re.compile(
    r"^[ \t]*#[ \t]*include[ \t]*(?:<(?:thread|mutex|chrono|fstream|filesystem|map|sstream|iomanip|random|unistd\.h|"
    r"pthread\.h|ert\.h|sys/[^>\n]*|xrt\.h)>"
    r"|[<\"](?:CL/|OpenCL/|xcl2\.hpp|xrt/|xrt_\w+\.h|experimental/xrt|gtest/|gmock/|catch\.hpp|catch2/|"
    r"ap_axi_sdata_tb|opencv2/))",
    re.MULTILINE,
)
_TEST_MACRO = re.compile(r"^[ \t]*(?:TEST|TEST_F|TEST_P|TEST_CASE|BOOST_AUTO_TEST_CASE)\s*\(", re.MULTILINE)
_HARDWARE_INCLUDE = re.compile(
    r"^[ \t]*#[ \t]*include[ \t]*[<\"](?:ap_(?:int|fixed|axi\w*|cint|shift_reg|utils)|hls_\w+|hls/|ac_(?:int|fixed))",
    re.MULTILINE,
)
# Output and files: of a design they are a debugging aid, of a source without any sign of hardware they are its purpose.
_OUTPUT = re.compile(r"\b(?:cout|cin|cerr|ifstream|ofstream|fopen|fprintf|getenv|argv)\b")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def looks_like_bench(text: str) -> bool:
    """Whether a source is a test bench or host program: it has `main` and no pragma, or speaks to a host alone."""
    if _PRAGMA.search(text) or _PRAGMA_OPERATOR.search(text):
        return False
    bare = _COMMENT.sub(" ", text) if _MAIN.search(text) or _TEST_MACRO.search(text) else text
    if _MAIN.search(bare) or _TEST_MACRO.search(bare):
        return True
    if _HARDWARE_INCLUDE.search(text):
        return False
    return _HOST.search(text) is not None or _OUTPUT.search(_COMMENT.sub(" ", text)) is not None


def looks_like_hardware(text: str) -> bool:
    """Whether a source shows a sign of hardware: a pragma of the tools, or a header of theirs."""
    return bool(_PRAGMA.search(text) or _PRAGMA_OPERATOR.search(text) or _HARDWARE_INCLUDE.search(text))
