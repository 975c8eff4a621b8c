"""Kernels put together of a nest with its pragmas, a body and a type of element: combinations nobody writes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

# name: (pragmas of the function, of the outer loop, of the inner loop)
NESTS = {
    "plain": ("", "", ""),
    "off": ("", "#pragma HLS pipeline off", "#pragma HLS pipeline off"),
    "inner": ("", "", "#pragma HLS pipeline"),
    "outer": ("", "#pragma HLS pipeline", ""),
    "copied": ("", "", "#pragma HLS pipeline II=2\n#pragma HLS unroll factor=3"),
    "whole": ("#pragma HLS array_partition variable=a complete dim=2", "", "#pragma HLS unroll"),
    "split": (
        "#pragma HLS array_partition variable=a cyclic factor=4 dim=2\n#pragma HLS array_partition variable=c block "
        "factor=2 dim=2\n#pragma HLS array_partition variable=s complete",
        "#pragma HLS pipeline",
        "#pragma HLS unroll factor=4",
    ),
    "rows": ("#pragma HLS array_reshape variable=a cyclic factor=2 dim=2", "#pragma HLS unroll factor=2", ""),
}
BODIES = {
    "map": "c[i][j] = a[i][j] + b[j][i];",
    "update": "c[i][j] = a[i][j] * b[i][j] + c[i][j];",
    "row_sum": "s[i] += a[i][j];",
    "column_sum": "s[j] += a[i][j] * b[j][i];",
    "one_sum": "s[0] += a[i][j]; s[1] = s[0] * 2;",
    "either": "if (a[i][j] > 3) c[i][j] = b[i][j]; else s[j] = a[i][j];",
    "guarded": "if (a[i][j] > 3) s[i] += a[i][j];",
    "above": "c[i + 1][j] = c[i][j] + c[i][j + 1];",
    "left": "c[i][j + 1] = c[i][j] * 3;",
    "two_left": "c[i][j + 2] = c[i][j] + b[i][j];",
    "looked_up": "c[i][k[j]] += a[i][j];",
    "looked_up_reads": "c[i][j] = a[k[i]][k[j]] + a[i][k[j]];",
    "running": "t += a[i][j]; s[i] = t;",
    "filter": "t = t * a[i][j] + b[i][j]; c[i][j] = t;",
    "even_odd": "c[2 * i][j] = c[2 * i + 1][j] / 3;",
    "least": "t = a[i][j] < t ? a[i][j] : t; c[i][j] = t;",
    "local": "T l[4]; l[0] = a[i][j]; l[1] = b[i][j]; c[i][j] = l[0] * l[1] + l[j & 1];",
    "window": "c[i][j] = a[i][j] + a[i][j + 1] + a[i][j + 2] + a[i + 1][j];",
    "work_around": "s[i] = 0; for (int m = 0; m < 5; m++) s[i] += a[i][m] * b[m][j]; c[i][j] = s[i];",
}
TYPES = ("int", "float", "short")


def combined() -> Iterator[tuple[str, str]]:
    """(name, code) of every combination."""
    for (nest, (top, outer, inner)), (body, text), type_ in product(NESTS.items(), BODIES.items(), TYPES):
        yield (
            f"{nest}_{body}_{type_}",
            f"typedef {type_} T;\n"
            "void top(T a[32][32], T b[32][32], T c[64][32], T s[32], int k[32], T *out) {\n"
            f"{top}\n  T t = 1;\n"
            f"  I: for (int i = 0; i < 20; i++) {{\n{outer}\n    J: for (int j = 0; j < 12; j++) {{\n{inner}\n"
            f"      {text}\n    }}\n  }}\n  *out = t;\n}}\n",
        )
