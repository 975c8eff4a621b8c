"""Sources the tests type."""

from __future__ import annotations

from tests.lsp.lsp_client import ROOT

SCALE = """#include <ap_int.h>

void scale(const int a[64], int b[64]) {
each:
  for (int i = 0; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] * 3;
  }
}
"""
# HLS101 on line 5 (a safe fix) and HLS109 on line 3 (a safe fix).
FAULTY = """#include <ap_int.h>

void scale(const int a[64], int b[64]) {
#pragma HLS ARRAY_PARTITION variable=aa type=complete
  for (int i = 0; i < 8; i++) {
#pragma HLS UNROLL factor=16
    b[i] = a[i] * 3;
  }
  for (int i = 8; i < 64; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[i] * 5;
  }
}
"""
FIR = (ROOT / "examples" / "fir.cpp").read_text(encoding="utf-8")


def kernels(count: int) -> str:
    """`count` small kernels of 8 lines below one another, each with one loop."""
    head = "#include <ap_int.h>\n"
    return head + "\n".join(
        f"""void kernel{n}(const int a[64], int b[64]) {{
loop{n}:
  for (int i = 0; i < 64; i++) {{
#pragma HLS PIPELINE II=1
    b[i] = a[i] * {n + 3} + b[i];
  }}
}}
"""
        for n in range(count)
    )
