"""Sources that belong to a design though no project says so, and what a unit beside may not change."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk import predict_qor
from hwml_sdk.qor.project.inputs import gather

HEADER = """#ifndef SCALE_H
#define SCALE_H
namespace scaler { void setup(int k); int apply(int v); }
class Line { public: int d[16]; void push(int v); int last() const; };
int shared(int v);
#endif
"""
UNIT = """#include "scale.h"
namespace scaler { static int factor; int twice(int v) { return v * 2; } }
void scaler::setup(int k) { factor = k; }
int scaler::apply(int v) { return twice(v) * factor; }
void Line::push(int v) { for (int j = 15; j > 0; j--) d[j] = d[j - 1]; d[0] = v; }
int Line::last() const { return d[15]; }
int shared(int v) { return v / 7; }
"""
TOP = """#include "scale.h"
int shared(int v) { return v + 1; }
void top(int a[100], int b[100], int k) {
  static Line line;
#pragma HLS ARRAY_PARTITION variable=line.d complete
  scaler::setup(k);
  for (int i = 0; i < 100; i++) {
#pragma HLS PIPELINE II=1
    line.push(a[i]);
    b[i] = scaler::apply(line.last()) + shared(i);
  }
}
"""
PLAIN = """
void top(int a[100], int b[100], int k) {
  static int factor;
  static int d[16];
#pragma HLS ARRAY_PARTITION variable=d complete
  factor = k;
  for (int i = 0; i < 100; i++) {
#pragma HLS PIPELINE II=1
    for (int j = 15; j > 0; j--) d[j] = d[j - 1];
    d[0] = a[i];
    b[i] = d[15] * 2 * factor + i + 1;
  }
}
"""


def written(folder: Path) -> Path:
    (folder / "scale.h").write_text(HEADER)
    (folder / "scale.cpp").write_text(UNIT)
    (folder / "top.cpp").write_text(TOP)
    return folder / "top.cpp"


def test_the_source_of_an_included_header_is_read_with_it(tmp_path: Path) -> None:
    """Methods and functions of a namespace, one of which calls another by its plain name."""
    found, plain = predict_qor(written(tmp_path)), predict_qor(PLAIN)
    assert (found.top, found.latency_cycles) == ("top", plain.latency_cycles)
    assert found.dsp == plain.dsp
    assert found.lut == pytest.approx(plain.lut, rel=0.05)
    assert any("scale.cpp" in note for note in gather(tmp_path / "top.cpp").notes)


def test_the_design_of_a_unit_is_its_own(tmp_path: Path) -> None:
    """`scale.cpp` is called by `top.cpp`, which nothing of it includes."""
    written(tmp_path)
    assert predict_qor(tmp_path / "scale.cpp").top == "shared"


def test_a_test_bench_is_no_unit(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "scale.cpp").write_text(UNIT + "int main() { return shared(7); }\n")
    found = predict_qor(path)
    assert found.lut is None
    assert "scaler::apply is not read" in found.reasons["lut"]


def test_a_project_says_alone_what_belongs_to_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "hls_config.cfg").write_text("[hls]\nsyn.top=top\nsyn.file=top.cpp\nsyn.file=scale.cpp\n")
    assert not any("read with it" in note for note in gather(path).notes)


def test_units_that_include_one_another_end(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{one}.h").write_text(f'#pragma once\n#include "{other}.h"\nint {one}(int v);\n')
        (tmp_path / f"{one}.cpp").write_text(f'#include "{one}.h"\nint {one}(int v) {{ return v * 5; }}\n')
    (tmp_path / "top.cpp").write_text('#include "a.h"\nvoid top(int *p) { *p = a(*p) + b(*p); }\n')
    assert predict_qor(tmp_path / "top.cpp").lut is not None


def test_a_link_beside_a_header_leads_nowhere_else(tmp_path: Path) -> None:
    """What lies outside the project is no part of it, whatever a name inside it leads to."""
    (tmp_path / "out.cpp").write_text("int part(int v) { return v * v; }\n")
    inside = tmp_path / "project"
    (inside / ".git").mkdir(parents=True)
    (inside / "part.h").write_text("int part(int v);\n")
    (inside / "part.cpp").symlink_to(tmp_path / "out.cpp")
    (inside / "top.cpp").write_text('#include "part.h"\nvoid top(int *p) { *p = part(*p); }\n')
    assert "part is not read" in predict_qor(inside / "top.cpp").reasons["lut"]


def test_a_unit_is_found_by_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("inc", "src"):
        (tmp_path / folder).mkdir()
    (tmp_path / "inc" / "part.h").write_text("int part(int v);\n")
    (tmp_path / "inc" / "part.cpp").write_text('#include "part.h"\nint part(int v) { return v * v; }\n')
    (tmp_path / "src" / "top.cpp").write_text('#include "part.h"\nvoid top(int *p) { *p = part(*p); }\n')
    monkeypatch.chdir(tmp_path)
    assert predict_qor(Path("src/top.cpp"), include_dirs=["inc"]).dsp == 3


def test_a_source_that_includes_another_is_that_one(tmp_path: Path) -> None:
    (tmp_path / "part.h").write_text("inline int part(int v) { return v * v; }\n")
    kernel = "void kernel(int a[64]) { for (int i = 0; i < 64; i++) a[i] = part(a[i]); }\n"
    (tmp_path / "kernel.cpp").write_text(f'#include "part.h"\n{kernel}')
    (tmp_path / "all.cpp").write_text('#include "kernel.cpp"\n')
    assert predict_qor(tmp_path / "all.cpp").top == "kernel"


def test_an_instance_that_another_unit_asks_for(tmp_path: Path) -> None:
    """The body of `add` stands in a unit that instantiates it by name; the default stands in the declaration alone."""
    (tmp_path / "add.h").write_text("template <int N, bool TWICE = true> void add(int a[N]);\nvoid part(int *a);\n")
    (tmp_path / "part.cpp").write_text('#include "add.h"\nvoid part(int *a) { add<16>(a); }\n')
    (tmp_path / "add.cpp").write_text(
        '#include "add.h"\ntemplate <int N, bool TWICE> void add(int a[N]) {\n'
        "  for (int i = 0; i < (TWICE ? 2 * N : N); i++) a[i % N] += 1;\n}\n"
        "template void add<16>(int a[16]);\n"
    )
    (tmp_path / "top.cpp").write_text('#include "add.h"\nvoid top(int a[16]) { part(a); }\n')
    units = [tmp_path / "part.cpp", tmp_path / "add.cpp"]
    for files in (units, units[::-1]):
        answer = predict_qor(tmp_path / "top.cpp", top="top", files=files)
        assert [loop.trip_count for loop in answer.loops] == [32]
        assert answer.latency_cycles is not None


def test_an_instance_that_no_unit_asks_for_is_not_read(tmp_path: Path) -> None:
    """Only `add<8>` is made in the other unit; a linker misses `add<16>`."""
    head = "template <int N> void add(int a[N]);\n"
    body = "template <int N> void add(int a[N]) { for (int i = 0; i < N; i++) a[i] += 1; }\n"
    (tmp_path / "add.cpp").write_text(f"{body}template void add<8>(int a[8]);\n")
    (tmp_path / "top.cpp").write_text(f"{head}void top(int a[16]) {{ add<16>(a); }}\n")
    answer = predict_qor(tmp_path / "top.cpp", top="top", files=[tmp_path / "add.cpp"])
    assert answer.reasons["latency_cycles"] == ("add is not read",)
