"""Project files in the formats of UG1399 and UG902, read as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.config import load_settings
from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.program import ir
from hwml_sdk.qor.project.cfg import read_hls_config
from hwml_sdk.qor.project.directives import apply_directives
from hwml_sdk.qor.project.project import read_directives, read_project
from hwml_sdk.qor.project.tcl import read_tcl
from hwml_sdk.qor.read.source import read_program

CONFIG = """\
# a component
part=xcu50-fsvh2104-2-e

[hls]
clock=4ns
clock_uncertainty=12%
flow_target=vitis
syn.file=../src/dct.cpp
syn.file=../src/util.cpp
syn.cflags=-I../include -DN=16 -D FAST "-DMSG=a b" -O2
syn.top=dct
syn.compile.pipeline_loops=128
syn.compile.unsafe_math_optimizations=1
syn.directive.pipeline=dct/row II=2
syn.directive.array_partition=dct buf type=cyclic factor=4 dim=2
syn.directive.interface=dct in mode=m_axi bundle=gmem
syn.directive.inline=util off
syn.directive.unroll=dct/col off=true
tb.file=tb.cpp
strange.key=1
just words
"""

DIRECTIVES = """\
############################################################
## generated
############################################################
set factor 8
set_directive_pipeline -II 2 "dct/row"
set_directive_unroll -factor ${factor} -skip_exit_check dct/col
set_directive_array_partition -type cyclic -factor 4 -dim 2 "dct" buf
set_directive_inline -off util; set_directive_dataflow "dct"
set_directive_interface -mode m_axi -bundle gmem \\
    -depth 64 "dct" in
set_directive_loop_tripcount -min 1 -max 8 -avg 4 {dct/col}
set_directive_allocation -limit 2 -type operation "dct" mul
set_directive_unroll -factor $unknown "dct/row"
frobnicate 12
"""

SOURCE = """\
void util(int a[4]);
void dct(int in[16], int out[16]) {
  int buf[4][8];
  row: for (int i = 0; i < 16; i++) { out[i] = in[i]; }
  col: for (int j = 0; j < 16; j++) out[j] += 1;
  for (int k = 0; k < 4; k++) out[k] = buf[0][k];
}
void util(int a[4]) { a[0] = 1; }
"""


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_hls_config(tmp_path: Path) -> None:
    project = read_hls_config(_write(tmp_path, "hls_config.cfg", CONFIG))
    assert project.part == "xcu50-fsvh2104-2-e"
    assert project.clock_period_ns == 4.0
    assert project.top == "dct"
    assert project.files == [tmp_path / "../src/dct.cpp", tmp_path / "../src/util.cpp"]
    assert project.defines == {"N": "16", "FAST": "1", "MSG": "a b"}
    assert project.include_dirs == [tmp_path / "../include"]
    assert project.pipeline_loops == 128
    assert project.unsafe_math
    found = [(d.kind, d.function, d.label, dict(d.options)) for d in project.directives]
    assert found == [
        ("PIPELINE", "dct", "row", {"ii": "2"}),
        ("ARRAY_PARTITION", "dct", "", {"variable": "buf", "type": "cyclic", "factor": "4", "dim": "2"}),
        ("INTERFACE", "dct", "", {"port": "in", "mode": "m_axi", "bundle": "gmem"}),
        ("INLINE", "util", "", {"off": ""}),
        ("UNROLL", "dct", "col", {"off": ""}),
    ]
    assert [(s.line, s.text) for s in project.skipped] == [(20, "strange.key=1"), (21, "just words")]


def test_settings_come_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "component").mkdir()
    (tmp_path / "src").mkdir()
    _write(tmp_path / "component", "hls_config.cfg", CONFIG)
    _write(tmp_path / "src", "dct.cpp", SOURCE)
    settings = load_settings(tmp_path / "src" / "dct.cpp", trusted=False)
    assert (settings.hls.part, settings.hls.clock_period_ns, settings.hls.top) == ("xcu50-fsvh2104-2-e", 4.0, "dct")
    assert settings.origin("hls.part") == "hls_config.cfg"
    assert settings.origin("hls.tool") == "default"


def test_directives_tcl(tmp_path: Path) -> None:
    project = read_tcl(_write(tmp_path, "directives.tcl", DIRECTIVES))
    found = [(d.kind, d.function, d.label, dict(d.options), d.span.start_line + 1) for d in project.directives]
    assert found == [
        ("PIPELINE", "dct", "row", {"ii": "2"}, 5),
        ("UNROLL", "dct", "col", {"factor": "8", "skip_exit_check": ""}, 6),
        ("ARRAY_PARTITION", "dct", "", {"type": "cyclic", "factor": "4", "dim": "2", "variable": "buf"}, 7),
        ("INLINE", "util", "", {"off": ""}, 8),
        ("DATAFLOW", "dct", "", {}, 8),
        ("INTERFACE", "dct", "", {"mode": "m_axi", "bundle": "gmem", "depth": "64", "port": "in"}, 9),
        ("LOOP_TRIPCOUNT", "dct", "col", {"min": "1", "max": "8", "avg": "4"}, 11),
        ("ALLOCATION", "dct", "", {"limit": "2", "type": "operation", "instances": "mul"}, 12),
    ]
    assert [s.line for s in project.skipped] == [13, 14]
    assert read_directives(tmp_path / "directives.tcl") == tuple(project.directives)


def test_classic_script(tmp_path: Path) -> None:
    _write(tmp_path, "directives.tcl", 'set_directive_pipeline "fir/L"\n')
    script = """\
open_project -reset proj
set_top fir
add_files src/fir.cpp -cflags "-Iinc -DTAPS=8"
add_files -tb tb.cpp
open_solution "s1"
set_part {xc7z020clg484-1}
create_clock -period 100MHz -name default
config_compile -pipeline_loops 0 -unsafe_math_optimizations
config_array_partition -complete_threshold 4
source "./directives.tcl"
if {$argc > 1} {
  set_part {xcku5p-ffva676-3-e}
}
exec rm -rf /
csynth_design
exit
"""
    project = read_project(_write(tmp_path, "run.tcl", script))
    assert (project.top, project.part, project.clock_period_ns) == ("fir", "xc7z020clg484-1", 10.0)
    assert project.files == [tmp_path / "src/fir.cpp"]
    assert project.defines == {"TAPS": "8"}
    assert project.pipeline_loops == 0
    assert project.unsafe_math
    assert project.config["array_partition.complete_threshold"] == "4"
    assert [(d.kind, d.label, Path(d.path).name) for d in project.directives] == [("PIPELINE", "L", "directives.tcl")]
    assert [s.text.split()[0] for s in project.skipped] == ["if", "exec"]


@pytest.mark.parametrize(
    ("clock", "period"),
    [("10", 10.0), ("2.5ns", 2.5), ("3.33", 3.33), ("300MHz", 3.333333), ("250 mhz", 4.0), ("5000ps", 5.0)],
)
def test_clock_units(tmp_path: Path, clock: str, period: float) -> None:
    assert read_hls_config(_write(tmp_path, "c.cfg", f"clock={clock}\n")).clock_period_ns == pytest.approx(period)


def test_frequency_of_a_platform(tmp_path: Path) -> None:
    assert read_hls_config(_write(tmp_path, "c.cfg", "freqhz=250000000:k\n")).clock_period_ns == 4.0


@pytest.mark.parametrize("clock", ["fast", "0", "-3", "10 parsec", "", "1e99", "1.2.3"])
def test_broken_clock_names_file_and_line(tmp_path: Path, clock: str) -> None:
    path = _write(tmp_path, "hls_config.cfg", f"part=xcu50\n\nclock={clock}\n")
    with pytest.raises(ConfigError, match=r"hls_config\.cfg:3: clock"):
        read_hls_config(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.cfg", 'syn.cflags=-DX="unclosed\n'),
        ("b.tcl", 'set_directive_unroll "f/L\n'),
        ("c.cfg", "syn.cflags=-I\n"),
    ],
)
def test_broken_quotes_name_file_and_line(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}:1: "):
        read_project(_write(tmp_path, name, text))


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.cfg"):
        read_project(tmp_path / "none.cfg")
    (tmp_path / "x.tcl").write_bytes(b"set_top a\0b")
    with pytest.raises(ConfigError, match=r"x\.tcl:1"):
        read_project(tmp_path / "x.tcl")


def test_a_script_that_sources_itself_ends(tmp_path: Path) -> None:
    project = read_tcl(_write(tmp_path, "loop.tcl", "set_top a\nsource loop.tcl\n"))
    assert project.top == "a"
    assert "too deep" in project.skipped[0].reason


def test_directives_reach_loops_and_functions(tmp_path: Path) -> None:
    program = read_program(SOURCE, path="dct.cpp")
    text = """\
set_directive_pipeline -II 2 "dct/row"
set_directive_pipeline "dct/VITIS_LOOP_6_1"
set_directive_array_partition -type cyclic -factor 4 -dim 2 "dct" buf
set_directive_inline -off util
set_directive_unroll "dct/nowhere"
set_directive_unroll "gone/row"
"""
    unplaced = apply_directives(program, read_directives(_write(tmp_path, "directives.tcl", text)))
    row, _, anonymous = program.loops("dct")
    assert row.pragma("HLS", "PIPELINE") is not None
    assert anonymous.pragma("HLS", "PIPELINE") is not None
    partition = program.functions["dct"].pragma("HLS", "ARRAY_PARTITION")
    assert partition is not None
    assert partition.options == {"type": "cyclic", "factor": "4", "dim": "2", "variable": "buf"}
    assert partition.owner is program.functions["dct"]
    inline = program.functions["util"].pragma("HLS", "INLINE")
    assert inline is not None
    assert "off" in inline.options
    assert [p.span.start_line + 1 for p in unplaced] == [5, 6]
    assert all(p.owner is None and Path(p.from_file).name == "directives.tcl" for p in unplaced)
    assert all(p in program.pragmas for p in unplaced)


def test_a_directive_means_what_the_pragma_means(tmp_path: Path) -> None:
    with_pragma = read_program(
        "void f(int a[8]) {\n L: for (int i = 0; i < 8; i++) {\n#pragma HLS PIPELINE II=3\n a[i]++; } }"
    )
    plain = read_program("void f(int a[8]) {\n L: for (int i = 0; i < 8; i++) {\n a[i]++; } }")
    apply_directives(plain, read_directives(_write(tmp_path, "d.tcl", "set_directive_pipeline -II 3 f/L\n")))

    def said(program: ir.Program) -> list[tuple[str, dict[str, str]]]:
        return [(p.kind, p.options) for loop in program.loops() for p in loop.pragmas]

    assert said(plain) == said(with_pragma) == [("PIPELINE", {"ii": "3"})]
