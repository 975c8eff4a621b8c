"""`sds++` command lines of Makefiles (UG1253): functions that go to hardware, and what a file leaves to its include."""

from __future__ import annotations

from pathlib import Path

from hwml_sdk.qor.project.designs import designs_below
from hwml_sdk.qor.project.inputs import gather
from hwml_sdk.qor.project.makefile import read_makefile

KERNEL = """\
void NAME(const int in[N], int out[N]) {
  for (int i = 0; i < N; i++) {
#pragma HLS PIPELINE
    out[i] = in[i] * 3;
  }
}
"""
OWN = "KERNEL_NAME = scale\nKERNEL_SRC = ./src/scale.cpp\ninclude ../harness/rules.mk\n"
SHARED = """\
SDSXX = sds++
FLAGS = -sds-pf zc706 -sds-hw $(KERNEL_NAME) $(KERNEL_SRC) -sds-end -clkid 3 -verbose
CFLAGS += -DSDSOC -DN=32 -Wall -c
CFLAGS += -MMD -MF"$(@:%.o=%.d)"
main.elf: $(OBJECTS)
\t$(SDSXX) $(FLAGS) -O3 ${OBJECTS} -o $@
%.o: %.cpp
\t$(SDSXX) $(FLAGS) $(CFLAGS) $< -o $@
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file below a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_function_goes_to_hardware_where_its_source_is_compiled(tmp_path: Path) -> None:
    """Not where objects are linked, though the same option stands there; the rules stand in a file that is included."""
    source = write(tmp_path, "app/src/scale.cpp", KERNEL.replace("NAME", "scale"))
    makefile = write(tmp_path, "app/Makefile", OWN)
    write(tmp_path, "harness/rules.mk", SHARED)
    (project,) = read_makefile(makefile)
    assert (project.top, project.part, project.defines) == ("scale", "zc706", {"SDSOC": "1", "N": "32"})
    assert project.files == [source]
    (design,) = designs_below(tmp_path)[0]
    assert (design.path, design.project) == (source, project)
    assert gather(source).defines == {"SDSOC": "1", "N": "32"}


def test_each_function_of_a_line_is_a_design(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, f"{name}.cpp", KERNEL.replace("NAME", name))
    write(tmp_path, "help.cpp", "int help(int x) { return x; }\n")
    line = "sds++ -sds-hw a a.cpp -files help.cpp -clkid 1 -sds-end -sds-hw b b.cpp -sds-end -DN=8 -c main.cpp\n"
    first, second = read_makefile(write(tmp_path, "build.sh", line))
    assert (first.top, [path.name for path in first.files]) == ("a", ["a.cpp", "help.cpp"])
    assert (second.top, [path.name for path in second.files]) == ("b", ["b.cpp"])
    assert first.defines == second.defines == {"N": "8"}


def test_a_function_that_only_make_could_name_is_no_design(tmp_path: Path) -> None:
    write(tmp_path, "a.cpp", KERNEL.replace("NAME", "a"))
    assert read_makefile(write(tmp_path, "build.sh", "sds++ -sds-hw $(TOP) a.cpp -sds-end -c a.cpp\n")) == []


def test_quotes_inside_a_value_are_kept(tmp_path: Path) -> None:
    write(tmp_path, "a.cpp", KERNEL.replace("NAME", "a"))
    text = 'FLAGS = -DTEXT=\'"x y"\' -DN=4\nWHOLE = "-DM=5"\nk.xo: a.cpp\n\tv++ -c -k a $(FLAGS) $(WHOLE) a.cpp -o $@\n'
    (project,) = read_makefile(write(tmp_path, "Makefile", text))
    assert project.defines == {"TEXT": '"x y"', "N": "4", "M": "5"}
