"""Whole projects: designs of a folder, what scripts of every kind state, headers, and what is not to be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk.cli import main
from hwml_sdk.config import load_settings, set_trust
from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.model import predict_qor
from hwml_sdk.qor.project import designs
from hwml_sdk.qor.project.benches import looks_like_bench
from hwml_sdk.qor.project.designs import designs_below
from hwml_sdk.qor.project.inputs import gather
from hwml_sdk.qor.project.project import project_of, read_designs
from hwml_sdk.qor.read.source import read_program

KERNEL = """\
void NAME(const int in[32], int out[32]) {
  L: for (int i = 0; i < 32; i++) {
#pragma HLS PIPELINE
    out[i] = in[i] * 3;
  }
}
"""
BENCH = '#include "ap_int.h"\nint main(int argc, char **argv) { return 0; }\n'


def _write(folder: Path, **files: str) -> None:
    """Files by their names; `__` stands for `/`, the last `_` for the dot."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _kernel(name: str) -> str:
    return KERNEL.replace("NAME", name)


# -- Tcl ---------------------------------------------------------------------------------------------------------

SCRIPT = """\
set proj {my design}
array set opt {fast 1 wide 0}
set clocks [list 10 5]
set names "scale"
append names _top
proc tool_setup {part {clk 8}} {
  set_part $part
  create_clock -period $clk
}
open_project -reset $proj
foreach f {a.cpp b.cpp} { add_files src/$f -cflags "-DN=[expr {4 * 8}] -I$::env(SOMEWHERE)/inc -Iinc" }
add_files -tb [list tb.cpp golden.dat]
set_top $names
if {$opt(wide) || [string equal $proj other]} { set_top wrong } elseif {$opt(fast) == 1} {
  open_solution one -flow_target vitis ;# the first
  tool_setup xc7z020clg484-1 [lindex $clocks 1]
  set_directive_unroll -factor [expr 2 + [lindex $clocks end]] scale_top/L
} else { error never }
csynth_design
open_solution two
tool_setup {xcku5p-ffva676-3-e}
csynth_design
cosim_design
exit
set_top after_the_end
"""


def test_a_script_is_read_with_its_variables_conditions_and_procedures(tmp_path: Path) -> None:
    _write(tmp_path, run_tcl=SCRIPT)
    one, two = read_designs(tmp_path / "run.tcl")
    assert (one.top, one.part, one.clock_period_ns, one.name) == ("scale_top", "xc7z020clg484-1", 5.0, "my design")
    assert (two.top, two.part, two.clock_period_ns) == ("scale_top", "xcku5p-ffva676-3-e", 8.0)
    assert [path.name for path in one.files] == ["a.cpp", "b.cpp"]
    assert [path.name for path in two.benches] == ["tb.cpp", "golden.dat"]
    assert one.defines == {"N": "32"}
    assert one.include_dirs == [tmp_path / "inc"]  # the other folder is known to Tcl alone
    assert [(d.kind, d.options["factor"]) for d in one.directives] == [("UNROLL", "7")]
    assert two.directives == []
    assert one.config == {"flow_target": "vitis"}


def test_what_only_tcl_could_tell_is_not_guessed(tmp_path: Path) -> None:
    script = """\
set_top [exec whoami]
set_part $::env(PART)
add_files [glob -nocomplain src/*.cpp]
while {1} { set_top forever }
if {[llength $argv] > 2} { create_clock -period 3 }
set n 0
foreach i {1 2 3} { incr n $i }
create_clock -period $n
file delete -force /
csynth_design
"""
    _write(tmp_path, run_tcl=script, src__a_cpp="", src__b_cpp="")
    (design,) = read_designs(tmp_path / "run.tcl")
    assert (design.top, design.part, design.clock_period_ns) == ("", "", 6.0)
    assert [path.name for path in design.files] == ["a.cpp", "b.cpp"]
    assert [item.line for item in design.skipped] == [1, 2, 4, 5]
    assert (tmp_path / "src" / "a.cpp").is_file()


UNSAID = {
    "if": "if {[info exists ::env(FAST)]} {set per 5}",
    "an arm below": "if {$argc} {} else {set per 5}",
    "while": "while {[llength $argv] > $per} {incr per}",
    "for": "for {set per 0} {$per < $argc} {incr per} {}",
    "switch": "switch $argc {1 {set per 5} default {puts x}}",
    "foreach": "foreach per $argv {puts $per}",
    "regexp": "regexp {(\\d+)ns} $argv -> per",
    "in brackets": "set failed [catch {set per 5} message]",
    "catch": "catch {puts x} per",
    "any name": "if {$argc} {set $argv 5}",
    "unset": "if {$argc} {unset per}",
    "a procedure": "proc fast {} {global per; set per 5}\nif {$argc} {fast}",
    "uplevel": "proc fast {} {uplevel 1 {set per 5}}\nfast",
}


@pytest.mark.parametrize("lines", UNSAID.values(), ids=UNSAID.keys())
def test_what_is_not_followed_leaves_its_variables_unsaid(tmp_path: Path, lines: str) -> None:
    # tclsh with other arguments or another environment prints another `$per`: no value is the right one.
    _write(tmp_path, run_tcl=f"set_top a\nset per 10\nset other 7\n{lines}\ncreate_clock -period $per\n")
    (design,) = read_designs(tmp_path / "run.tcl")
    assert design.clock_period_ns is None
    assert design.skipped[-1].text == "create_clock -period $per"


STILL_SAID = {
    "another variable": ("if {$argc} {set other 5}", 10),
    "a skipped arm": ("if {0} {set per 5} elseif {$argc} {puts x}", 10),
    "a body that reads": ("while {$argc} {puts [set per]}", 10),
    "a procedure's own": ("proc own {} {set per 5}\nown", 10),
    "global": ("proc fast {} {global per; set per 5}\nfast", 5),
    "global two calls down": ("proc set_it {} {global per; set per 5}\nproc fast {} {set_it}\nfast", 5),
    "a full name": ("proc fast {} {set ::per 5}\nfast", 5),
    "upvar": ("proc give {name value} {upvar 1 $name v; set v $value}\ngive per 5", 5),
    "upvar of another": ("proc give {name value} {upvar 1 $name v; set v $value}\ngive other 5", 10),
}


@pytest.mark.parametrize(("lines", "period"), STILL_SAID.values(), ids=STILL_SAID.keys())
def test_what_is_followed_keeps_its_variables(tmp_path: Path, lines: str, period: float) -> None:
    # As tclsh prints `$per`, whatever the arguments.
    _write(tmp_path, run_tcl=f"set_top a\nset per 10\n{lines}\ncreate_clock -period $per\n")
    (design,) = read_designs(tmp_path / "run.tcl")
    assert design.clock_period_ns == period


def test_elements_of_arrays_and_unread_settings(tmp_path: Path) -> None:
    script = """\
set_top a
set o(per) 10
set o(part) zynq
if {$argc} {set o(per) 5}
create_clock -period $o(per)
set_part $o(part)
if {$argc} {config_compile -pipeline_loops 0}
config_compile -pipeline_loops $argc
"""
    _write(tmp_path, run_tcl=script)
    (design,) = read_designs(tmp_path / "run.tcl")
    assert (design.clock_period_ns, design.part, design.config) == (None, "zynq", {})
    assert [item.line for item in design.skipped] == [5, 7, 8]


def test_what_a_long_script_leaves_out_is_said(tmp_path: Path) -> None:
    many = "".join(f"open_project p{i}\nset_top t{i}\nadd_files a.cpp\ncsynth_design\n" for i in range(70))
    _write(tmp_path, many_tcl=many, long_tcl="set_top a\n" + "set x 1\n" * 20_001 + "set_top b\n")
    designs = read_designs(tmp_path / "many.tcl")
    assert len(designs) == 64
    assert [item.reason for item in designs[0].skipped] == ["states more than 64 designs: the others are left out"]
    (long,) = read_designs(tmp_path / "long.tcl")
    assert long.top == "a"
    assert [item.reason for item in long.skipped] == ["runs more than 20,000 commands: the rest is not read"]


def test_a_script_that_never_ends_ends(tmp_path: Path) -> None:
    # 40^4 rounds, and a procedure that calls itself.
    inner = "append x aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    forty = " ".join(map(str, range(40)))
    for _ in range(4):
        inner = f"foreach i {{{forty}}} {{ {inner} }}"
    _write(tmp_path, run_tcl=f"proc again {{}} {{ again }}\nset_top a\nagain\n{inner}\n", a_cpp=_kernel("a"))
    assert read_designs(tmp_path / "run.tcl")[0].top == "a"


def test_a_script_that_the_tool_wrote_names_files_from_above(tmp_path: Path) -> None:
    script = "open_project proj\nset_top k\nadd_files proj/src/k.cpp\nopen_solution s\nset_part {zynq}\n"
    _write(tmp_path, proj__s__script_tcl=script, proj__src__k_cpp=_kernel("k"))
    (design,) = designs_below(tmp_path)[0]
    assert design.path == tmp_path / "proj/src/k.cpp"


# -- command lines -----------------------------------------------------------------------------------------------

MAKEFILE = """\
# a card
PLATFORM ?= xilinx_u250_gen3x16_xdma_4_1_202210_1
OUT = ./_x.$(TARGET).$(XSA)
VPP := v++
FLAGS += --save-temps
FLAGS += -DWIDTH=8
$(OUT)/add.xo: src/add.cpp src/add.h
\tmkdir -p $(OUT)
\t$(VPP) -c $(FLAGS) -t $(TARGET) --platform $(PLATFORM) -k add --kernel_frequency 250 --temp_dir $(OUT) \\
\t  -I'$(<D)' -o'$@' '$<'
$(OUT)/mul.xo: src/mul.cpp
\t@v++ --compile --mode hls --config mul.cfg --platform $(UNSET) -k mul $^
link:
\tv++ -l -t $(TARGET) --platform $(PLATFORM) -o out.xclbin $(OUT)/add.xo
host: src/host.cpp
\tg++ -o host src/host.cpp
"""


def test_kernels_of_a_makefile(tmp_path: Path) -> None:
    _write(tmp_path, src__add_cpp=_kernel("add"), src__mul_cpp=_kernel("mul"), src__host_cpp=BENCH,
           mul_cfg="part=xcku5p-ffva676-3-e\n[hls]\nclock=4\n")  # fmt: skip
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    add, mul = read_designs(tmp_path / "Makefile")
    assert (add.top, add.part, add.clock_period_ns) == ("add", "xilinx_u250_gen3x16_xdma_4_1_202210_1", 4.0)
    assert add.defines == {"WIDTH": "8"}
    assert add.files == [tmp_path / "src/add.cpp"]
    assert add.include_dirs == [tmp_path / "src"]
    assert (mul.top, mul.part, mul.clock_period_ns) == ("mul", "xcku5p-ffva676-3-e", 4.0)
    found, notes = designs_below(tmp_path)
    assert [design.path.name for design in found] == ["add.cpp", "mul.cpp"]
    assert notes == []
    settings = load_settings(tmp_path / "src" / "mul.cpp", trusted=False)
    assert (settings.hls.top, settings.hls.part) == ("mul", "xcku5p-ffva676-3-e")
    assert settings.origin("hls.part") == "Makefile"


def test_what_only_make_could_tell_is_said(tmp_path: Path) -> None:
    makefile = """\
PERIOD := 8
FLAGS := -DWIDTH=8
ifdef FAST
PERIOD := 4
FLAGS += -DFAST
else
OTHER := 1
endif
ifndef KERNEL
KERNEL := k
endif
k.xo: k.cpp
\tv++ -c -k $(KERNEL) $(FLAGS) --kernel_frequency $(PERIOD) -D DEPTH=$(UNSET) -I /etc/foo -o $@ $^ /etc/x.cpp
"""
    _write(tmp_path, k_cpp=_kernel("k"))
    (tmp_path / "Makefile").write_text(makefile, encoding="utf-8")
    (project,) = read_designs(tmp_path / "Makefile")
    assert (project.top, project.clock_period_ns, project.defines) == ("k", None, {"WIDTH": "8"})
    assert project.include_dirs == []
    assert [path.name for path in project.files] == ["k.cpp"]
    assert [(item.line, item.reason) for item in project.skipped] == [
        (13, "holds a variable that only make could resolve"),
        (0, "/etc/x.cpp lies outside the project: not read"),
        (0, "/etc/foo lies outside the project: not read"),
    ]


def test_patterns_say_what_they_leave_out(tmp_path: Path) -> None:
    (tmp_path / "p" / ".git").mkdir(parents=True)
    folder = tmp_path / "p"
    for name in ("one.cpp", "two.cpp"):
        (folder / name).write_text("", encoding="utf-8")
    (folder / "many").mkdir()
    for number in range(300):
        (folder / "many" / f"s{number:03}.cpp").write_text("", encoding="utf-8")
    (tmp_path / "out.cpp").write_text("", encoding="utf-8")

    def files(pattern: str) -> tuple[list[str], list[str]]:
        _write(folder, run_tcl=f"set_top k\nadd_files [glob {pattern}]\n")
        (design,) = read_designs(folder / "run.tcl")
        return [path.name for path in design.files], [item.reason for item in design.skipped]

    unknown = "holds a variable or command that only Tcl could resolve"
    assert files("*.cpp") == (["one.cpp", "two.cpp"], [])
    assert files(f"{folder}/*.cpp") == (["one.cpp", "two.cpp"], [])
    assert files("**/*.cpp") == files("~/*.cpp") == ([], [unknown])
    assert files(f"{tmp_path}/*.cpp") == ([], [unknown, f"{tmp_path}/*.cpp lies outside the project: not read"])
    assert files("../*.cpp") == ([], ["../*.cpp lies outside the project: not read"])
    named, said = files("many/*.cpp")
    assert named == [f"s{number:03}.cpp" for number in range(256)]
    assert said == ["many/*.cpp names more than 256 files: the others are left out"]


def test_what_is_left_out_for_its_number_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of included Makefiles, of the sources of a design, and of what a folder holds."""
    for number in range(10):
        (tmp_path / f"p{number}.mk").write_text(f"include p{number + 1}.mk\nN{number} := 1\n", encoding="utf-8")
    _write(tmp_path, k_cpp=_kernel("k"))
    (tmp_path / "Makefile").write_text("include p0.mk\nk.xo: k.cpp\n\tv++ -c -k k -DN=$(N6) $<\n", encoding="utf-8")
    (project,) = read_designs(tmp_path / "Makefile")
    assert project.defines == {"N": "1"}
    why = "8 files are read of a Makefile and what it includes: not this one"
    assert [(item.text, item.reason) for item in project.skipped] == [("include p7.mk", why)]
    names = [f"s{number}.cpp" for number in range(70)]
    for name in names:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / name).write_text("int x;\n", encoding="utf-8")
    (tmp_path / "src" / "run.tcl").write_text(f"add_files {{{' '.join(names)}}}\n", encoding="utf-8")
    inputs = gather(tmp_path / "src" / "s0.cpp")
    assert (len(inputs.files), any("run.tcl names more than 64 files" in note for note in inputs.notes)) == (63, True)
    (tmp_path / "src" / "z").mkdir()
    monkeypatch.setattr(designs, "MAX_FOLDERS", 2)
    _, notes = designs_below(tmp_path)
    assert notes == [f"{tmp_path} holds too much: {tmp_path / 'src' / 'z'} and what comes after it is not looked into"]


# -- folders -----------------------------------------------------------------------------------------------------


def test_two_projects_in_one_folder_are_both_read(tmp_path: Path) -> None:
    cfg = "part={}\nclock=5\nsyn.file={}\nsyn.top={}\ntb.file=../bench.cpp\n"
    _write(tmp_path, one__hls_config_cfg=cfg.format("zynq", "../a.cpp", "a"),
           two_tcl="add_files b.cpp\nset_top b\nset_part virtexuplus\ncreate_clock -period 2\n",
           three_tcl="add_files a.cpp\nset_top a\nset_part zynq\ncreate_clock -period 200MHz\n",
           a_cpp=_kernel("a"), b_cpp=_kernel("b"), bench_cpp=_kernel("bench"),
           plain_cpp="int helper(int x) { return x; }", other_cpp=_kernel("other"))  # fmt: skip
    found, _ = designs_below(tmp_path)
    said = [(d.path.name, d.project.path.name if d.project else "", d.project.top if d.project else "") for d in found]
    # three.tcl says of a.cpp what hls_config.cfg says already; other.cpp shows a pragma, plain.cpp no sign of hardware.
    assert said == [("a.cpp", "hls_config.cfg", "a"), ("b.cpp", "two.tcl", "b"), ("other.cpp", "", "")]
    assert load_settings(tmp_path / "b.cpp", trusted=False).hls.part == "virtexuplus"


@pytest.mark.parametrize(
    ("text", "bench"),
    [
        (BENCH, True),
        ("int main() {\n  dut(1);\n}\n", True),
        ("#include <CL/cl2.hpp>\nvoid enqueue() {}\n", True),
        ("TEST(Fir, one) { }\n", True),
        ("#include <random>\nint seed(int x) { return x; }\n", True),
        ("#include <sys/time.h>\nint now(int x) { return x; }\n", True),
        ('#include "map_reduce.h"\nint fold(int x) { return x; }\n', False),
        ('#include "random_walk.h"\nint step(int x) { return x; }\n', False),
        ('#include "catchment.h"\nint area(int x) { return x; }\n', False),
        (_kernel("test"), False),
        ("// int main() {\nvoid host_kernel(int a[4]) { a[0] = 1; }\n", False),
        ("#ifndef __SYNTHESIS__\nint main() { return 0; }\n#endif\n" + _kernel("k"), False),
        ("#include <hls_stream.h>\n#include <fstream>\nvoid k(hls::stream<int> &s) { s.write(1); }\n", False),
    ],
)
def test_benches_are_told_by_their_text(text: str, bench: bool) -> None:
    assert looks_like_bench(text) is bench


def test_a_design_called_test_is_a_design(tmp_path: Path) -> None:
    _write(tmp_path, test_cpp=_kernel("test"), host_cpp=BENCH)
    assert [design.path.name for design in designs_below(tmp_path)[0]] == ["test.cpp"]


def test_every_suffix_of_a_source_is_one_everywhere(tmp_path: Path) -> None:
    _write(tmp_path, run_tcl="set_top k\nadd_files k.c++\nadd_files part.c++\n")
    (tmp_path / "Makefile").write_text("k.xo: k.c++ part.c++\n\tv++ -c -k k -o $@ $^\n", encoding="utf-8")
    (tmp_path / "k.c++").write_text("int part(int x);\nvoid k(int *o) { *o = part(2); }\n", encoding="utf-8")
    (tmp_path / "part.c++").write_text("int part(int x) { return x * 3; }\n", encoding="utf-8")
    for name in ("run.tcl", "Makefile"):
        (project,) = read_designs(tmp_path / name)
        assert [path.name for path in project.files] == ["k.c++", "part.c++"]
        assert list(gather(tmp_path / "k.c++", project=project).files) == [str(tmp_path / "part.c++")]
    assert [design.path.name for design in designs_below(tmp_path)[0]] == ["k.c++"]


# -- headers -----------------------------------------------------------------------------------------------------


def test_headers_are_found_in_the_folders_of_the_project(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    _write(tmp_path, src__k_cpp='#include "sizes.h"\n#include <lib/more.hpp>\nvoid k(int a[N]) { a[M - 1] = N; }\n',
           common__sizes_h='#pragma once\n#include "back.h"\n#define N 12\n', far__off__sizes_h="#define N 99\n",
           common__back_h='#include "sizes.h"\n', vendor__lib__more_hpp="const int M = 7;\n")  # fmt: skip
    inputs = gather(tmp_path / "src/k.cpp")
    text = (tmp_path / "src/k.cpp").read_text(encoding="utf-8")
    program = read_program(text, path=str(tmp_path / "src/k.cpp"), include_dirs=inputs.include_dirs)
    assert program.missing_headers == ()
    assert program.functions["k"].params[0].dims == (12,)
    assert "M" in program.globals


# -- not to be read ------------------------------------------------------------------------------------------------


CALLED_LIKE_OTHERS = ["mac_unit.h", "snap_defs.h", "bitmap_def.h", "fast_math.h", "runtime.h", "my_hls_util.h",
                      "std_types.h", "hls_config.h", "math_tables.h", "array_sizes.hpp", "ap_defs.h",
                      "etc/sizes.h"]  # fmt: skip


@pytest.mark.parametrize("name", CALLED_LIKE_OTHERS)
def test_headers_of_the_project_that_are_called_like_others(tmp_path: Path, name: str) -> None:
    for folder in ("without", "with"):
        (tmp_path / folder / ".git").mkdir(parents=True)
        _write(tmp_path / folder, src__k_cpp=f'#include "{name}"\nvoid k(int a[N]) {{ a[0] = N; }}\n')
    header = tmp_path / "with" / "inc" / name
    header.parent.mkdir(parents=True)
    header.write_text("#define N 12\n", encoding="utf-8")
    assert gather(tmp_path / "with/src/k.cpp").include_dirs == (tmp_path / "with/inc",)
    missing = f"headers not found, what they declare is unknown: {name}"
    assert (missing in predict_qor(tmp_path / "without/src/k.cpp").warnings) is not name.startswith("etc/")


@pytest.mark.parametrize("name", ["ap_int.h", "hls_stream.h", "ac_fixed.h", "math.h", "stdint.h", "vector", "CL/cl.h"])
def test_headers_of_the_tools_are_not_missed(tmp_path: Path, name: str) -> None:
    _write(tmp_path, k_cpp=f"#include <{name}>\nvoid k(int a[8]) {{ a[0] = 1; }}\n")
    assert not [text for text in predict_qor(tmp_path / "k.cpp").warnings if "headers" in text]


def test_a_copy_of_the_tools_headers_is_left_to_their_models(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    _write(tmp_path, k_cpp='#include "ap_int.h"\n', vendor__ap_int_h="template <int W> struct ap_int { int v; };\n")
    assert gather(tmp_path / "k.cpp").include_dirs == ()


def test_files_outside_the_project_are_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "settings"))
    project, other = tmp_path / "project", tmp_path / "other"
    (project / ".git").mkdir(parents=True)
    _write(other, secret_cpp=_kernel("secret"), secret_tcl="set_top secret\n", inc__x_h="#define X 1\n")
    (project / "link.cpp").symlink_to(other / "secret.cpp")
    config = "syn.file=k.cpp\nsyn.file=../other/secret.cpp\nsyn.file=link.cpp\nsyn.cflags=-I../other/inc\n"
    script = f"source ../other/secret.tcl\nadd_files k.cpp\nadd_files {other}/secret.cpp\n"
    _write(project, hls_config_cfg=config, run_tcl=script, k_cpp=_kernel("k"))
    (stated,) = read_designs(project / "hls_config.cfg")
    assert stated.files == [project / "k.cpp"]
    assert stated.include_dirs == []
    assert [item.text for item in stated.skipped] == ["../other/secret.cpp", "link.cpp", "../other/inc"]
    (stated,) = read_designs(project / "run.tcl")
    assert (stated.top, stated.files) == ("", [project / "k.cpp"])
    assert ["outside the project" in item.reason for item in stated.skipped] == [True, True]
    assert any("outside the project" in note for note in gather(project / "k.cpp").notes)
    set_trust(other, True)
    # A link is believed where the folder it stands in and the one it leads to are both trusted.
    assert [path.name for path in read_designs(project / "hls_config.cfg")[0].files] == ["k.cpp", "secret.cpp"]


# -- arguments -----------------------------------------------------------------------------------------------------


def test_predict_takes_the_release_the_stage_directives_and_folders(tmp_path: Path) -> None:
    _write(tmp_path, d_tcl="set_directive_pipeline -II 3 k/L\n", inc__n_h="#define N 32\n")
    loop = "L: for (int i = 0; i < N; i++) out[i] = in[i] * 3;"
    text = f'#include "n.h"\nvoid k(const int in[N], int out[N]) {{\n  {loop}\n}}\n'
    found = predict_qor(
        text, tool="vivado_hls", tool_version="2019.2", stage="impl", directives=tmp_path / "d.tcl",
        include_dirs=[tmp_path / "inc"],
    )  # fmt: skip
    assert (found.tool, found.tool_version, found.stage) == ("vivado_hls", "2019.2", "impl")
    assert [(loop.ii, loop.trip_count) for loop in found.loops] == [(3, 32)]
    with pytest.raises(ConfigError, match="stage must be one of csynth, impl"):
        predict_qor(text, stage="placed")


def test_one_project_file_by_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path, a_tcl="add_files k.cpp\nset_top k\nset_part zynq\ncreate_clock -period 10\n",
           b_tcl="add_files k.cpp\nset_top k\nset_part virtexuplus\ncreate_clock -period 2\n",
           k_cpp=_kernel("k"))  # fmt: skip
    assert main(["qor", "--json", "--project", str(tmp_path / "b.tcl")]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["part"], data["clock_period_ns"], data["top"]) == ("virtexuplus", 2, "k")
    assert main(["qor", "--json", str(tmp_path)]) == 0
    both = json.loads(capsys.readouterr().out)["predictions"]
    assert [item["part"] for item in both] == ["zynq", "virtexuplus"]
    assert [Path(item["project"]).name for item in both] == ["a.tcl", "b.tcl"]
    assert main(["qor", "--project", str(tmp_path / "none.tcl")]) == 2
    assert "none.tcl" in capsys.readouterr().err


def test_a_source_that_is_named_twice_is_answered_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path, b_cpp=_kernel("b"), a_cpp=_kernel("a"), run_tcl="add_files b.cpp\nset_top b\n", sub__x_txt="")
    b, a, again = tmp_path / "b.cpp", tmp_path / "a.cpp", tmp_path / "sub" / ".." / "b.cpp"
    for words in ([b, a, again, b], ["--project", tmp_path / "run.tcl", b, again]):
        assert main(["qor", "--json", *map(str, words)]) == 0
        data = json.loads(capsys.readouterr().out)
        found = [Path(item["path"]) for item in data.get("predictions", [data])]
        assert found == ([b, a] if a in words else [b]), "as they are named first"


@pytest.mark.parametrize("command", [["qor", "--json"], ["qor", "lint", "--no-estimate"]])
def test_one_broken_source_of_a_folder_keeps_no_other_from_its_answer(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, a_cpp=_kernel("a"), c_cpp=_kernel("c").replace("PIPELINE", "PIPLINE"), broken_tcl='set_top "a\n')
    (tmp_path / "b.cpp").write_bytes(b"#pragma HLS INLINE\nint a;\0")
    assert main([*command, str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "b.cpp:2" in captured.err
    assert "broken.tcl:1" in captured.err
    assert "a.cpp" in captured.out or "HLS105" in captured.out


def test_a_source_with_two_projects_takes_the_nearest(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    _write(tmp_path, hls_config_cfg="part=zynq\nsyn.file=sub/k.cpp\n",
           sub__run_tcl="add_files k.cpp\nset_part virtexuplus\n", sub__k_cpp=_kernel("k"),
           sub__j_cpp=_kernel("j"))  # fmt: skip
    stated = project_of(tmp_path / "sub" / "k.cpp")
    assert stated is not None
    assert stated.part == "zynq"  # a configuration above that names it comes first: it is the tool's newer form
    assert project_of(tmp_path / "sub" / "j.cpp") is None


def test_what_an_editor_asks_at_every_key_follows_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is seen, and what was said of a source without a top of its own leaves the configuration as it is."""
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "settings"))
    home, other = tmp_path / "home", tmp_path / "other"
    (home / ".git").mkdir(parents=True)
    _write(other, far_cpp=_kernel("far"))
    _write(home, hls_config_cfg=f"syn.top=k\nsyn.file=k.cpp\nsyn.file={other}/far.cpp\n", j_cpp=_kernel("j"))
    _write(home, k_cpp=_kernel("k"))
    assert load_settings(home / "j.cpp").hls.top == ""
    for _ in range(2):
        assert load_settings(home / "k.cpp").hls.top == "k"
    stated = project_of(home / "k.cpp")
    assert stated is not None and stated.files == [home / "k.cpp"]
    set_trust(other, True)
    stated = project_of(home / "k.cpp")
    assert stated is not None and stated.files == [home / "k.cpp", other / "far.cpp"]
    _write(home, hls_config_cfg="syn.top=another\nsyn.file=k.cpp\n")
    assert load_settings(home / "k.cpp").hls.top == "another"
    _write(home, hls_config_cfg="clock=fast\n")
    with pytest.raises(ConfigError, match="fast"):
        project_of(home / "k.cpp")


def test_what_a_project_file_takes_from_others_is_followed_too(tmp_path: Path) -> None:
    """A sourced script, an included Makefile, a configuration, and a file that a pattern names from now on."""
    (tmp_path / ".git").mkdir()
    _write(tmp_path, a__run_tcl="source part.tcl\nadd_files [glob *.cpp]\n", a__part_tcl="set_part zynq\n")
    _write(tmp_path, a__k_cpp=_kernel("k"), m__k_cpp=_kernel("k"), m__more_mk="N := 8\n", m__c_cfg="clock=5\n")
    (tmp_path / "m" / "Makefile").write_text(
        "include more.mk\nk.xo: k.cpp\n\tv++ -c -k k -DN=$(N) --config c.cfg k.cpp\n", encoding="utf-8"
    )

    def said() -> list[object]:
        script, make = project_of(tmp_path / "a" / "k.cpp"), project_of(tmp_path / "m" / "k.cpp")
        assert script is not None and make is not None
        late = project_of(tmp_path / "a" / "late.cpp")
        return [script.part, late is not None, make.defines["N"], make.clock_period_ns]

    assert said() == said() == ["zynq", False, "8", 5]
    _write(tmp_path, a__part_tcl="set_part virtexuplus\n", a__late_cpp=_kernel("late"))
    _write(tmp_path, m__more_mk="N := 16\n", m__c_cfg="clock=2.5\n")
    assert said() == ["virtexuplus", True, "16", 2.5]
