"""Headers of compilers and of the tools: hwml has models of what they declare, or it is no part of hardware."""

from __future__ import annotations

import re

# Whole names: a project's own `hls_config.h`, `ap_defs.h` or `string_match.h` is none of these.
_MODELLED = re.compile(
    # the tools' include folder (UG1399, "Vitis HLS Libraries Reference"; UG902 for those of Vivado HLS), Mentor's types
    r"ap_(?:int|fixed)(?:_(?:base|ref|special|sim|syn|private))?\.h"
    r"|ap_(?:cint|axi_sdata|axi_syn|utils|shift_reg|float|common|decl|private|headers|mem_if|stream|ovly_none)\.h"
    r"|hls_(?:stream|streamofblocks|task|np_channel|burst_maxi|directio|fence|print|vector|half|fpo|math|video|opencv"
    r"|dsp|dsp_builtins|fft|fir|dds|linear_algebra|utils|design_kit|axi_io|sqr_apfixed|signal_handler)\.h"
    r"|hls_(?:stream|video|half|math|signal)_\w+\.h"
    r"|ac_(?:int|fixed|float|std_float|ieee_float|complex|channel|sync|wait|sc|math)\.h"
    r"|(?:utils/)?x_hls_\w+\.h|xil_\w+\.h|(?:gmp|gmpxx|mpfr)\.h|xcl2\.hpp"
    # ISO C and POSIX; those of C++ have no suffix
    r"|(?:assert|complex|ctype|errno|fcntl|fenv|float|inttypes|iso646|limits|locale|malloc|math|memory|pthread|setjmp"
    r"|signal|std(?:arg|atomic|bool|def|int|io|lib)|strings?|tgmath|time|unistd|wchar|wctype)\.h"
    r"|(?:.*/)?[^./]+"
)


# A project may have folders of these names too.
_FOLDERS = (
    "hls/",
    "etc/",
    "ap_sysc/",
    "CL/",
    "sys/",
    "bits/",
    "linux/",
    "xrt/",
    "experimental/",
    "opencv",
    "boost/",
    "gtest/",
)


def is_modelled(name: str) -> bool:
    """Whether a header, by the name it is included by, is one of a compiler or a tool: no copy of it need be read."""
    return _MODELLED.fullmatch(name) is not None


def is_foreign(name: str) -> bool:
    """Whether a header that is not there most likely is one of a compiler or a tool."""
    return is_modelled(name) or name.startswith(_FOLDERS)
