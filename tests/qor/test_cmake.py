"""CMakeLists.txt read as text: kernels, flags, variables of folders above, and what is not known without a run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hwml_sdk.cli import main
from hwml_sdk.qor.model import predict_qor
from hwml_sdk.qor.project.cmake import MAX_LOOKED, read_builds, read_cmake
from hwml_sdk.qor.project.cmake_flow import MAX_COMMANDS
from hwml_sdk.qor.project.cmake_words import commands
from hwml_sdk.qor.project.designs import designs_below
from hwml_sdk.qor.project.inputs import gather
from hwml_sdk.qor.project.project import project_of, read_designs

KERNEL = """\
void scale(const int in[N], int out[N]) {
  L: for (int i = 0; i < N; i++) {
#pragma HLS PIPELINE
    out[i] = in[i] * 3;
  }
}
"""
ROOT = """\
cmake_minimum_required(VERSION 3.0)
project(all)
set(WIDTH 64 CACHE STRING "Width of data")  # who builds the whole project has this one
add_subdirectory(scale)
# add_subdirectory(alone)
"""
IP = """\
project(scale VERSION 0.1)
set(PART "xcu55c-fsvh2892-2L-e" CACHE STRING "part")
set(WIDTH 8 CACHE STRING "Width of data")
find_package(Vitis REQUIRED)
add_vitis_ip(${PROJECT_NAME}
             FILES "scale.cpp" "scale.hpp"
             TB_FILES "test_scale.cpp"
             HLS_FLAGS "-DN=${WIDTH}" "-DM=${NOBODY_SETS_IT}"
             PLATFORM_PART ${PART}
             DESCRIPTION "")
"""


def write(folder: Path, name: str, text: str) -> Path:
    """A file below a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def defines(folder: Path, text: str, source: str = "kernel.cpp") -> dict[str, str]:
    """Macros of the first build that a CMakeLists.txt states."""
    if not (folder / source).exists():
        write(folder, source, KERNEL)
    return read_builds(write(folder, "CMakeLists.txt", text))[0].defines


# -- words ---------------------------------------------------------------------------------------------------


def test_words_are_those_of_the_language() -> None:
    text = '#[[ a\nset(NO 1) ]]\nSET(A "b;c" d\\;e [=[${F}]=] # note )\n  "two\nlines")\nif((A) AND B)\nlast('
    found = list(commands(text))
    assert [(c.name, c.line) for c in found] == [("set", 3), ("if", 6)]
    assert [(w.text, w.quoted, w.literal) for w in found[0].words] == [
        ("A", False, False), ("b;c", True, False), ("d;e", False, False), ("${F}", True, True),
        ("two\nlines", True, False),
    ]  # fmt: skip
    assert [w.text for w in found[1].words] == ["(", "A", ")", "AND", "B"]


# -- kernels -------------------------------------------------------------------------------------------------


def test_a_kernel_has_files_part_top_and_the_flags_that_are_known(tmp_path: Path) -> None:
    write(tmp_path, "scale/scale.cpp", KERNEL)
    (project,) = read_cmake(write(tmp_path, "scale/CMakeLists.txt", IP))
    assert (project.top, project.part) == ("scale", "xcu55c-fsvh2892-2L-e")
    assert project.defines == {"N": "8"}
    assert [path.name for path in project.files] == ["scale.cpp", "scale.hpp"]
    assert [path.name for path in project.benches] == ["test_scale.cpp"]
    assert [(note.line, "only a run of cmake" in note.reason) for note in project.skipped] == [(5, True)]


def test_what_the_folder_above_sets_comes_first(tmp_path: Path) -> None:
    """`set(... CACHE ...)` leaves what the cache has: the whole project is configured from above."""
    write(tmp_path, "scale/scale.cpp", KERNEL)
    path = write(tmp_path, "scale/CMakeLists.txt", IP)
    write(tmp_path, "CMakeLists.txt", ROOT)
    assert read_cmake(path)[0].defines == {"N": "64"}
    alone = write(tmp_path, "alone/CMakeLists.txt", IP)
    write(tmp_path, "alone/scale.cpp", KERNEL)
    assert read_cmake(alone)[0].defines == {"N": "8"}


def test_the_figures_are_those_of_the_stated_macro(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path, "scale/scale.cpp", KERNEL)
    write(tmp_path, "scale/CMakeLists.txt", IP)
    write(tmp_path, "CMakeLists.txt", ROOT)
    (design,) = designs_below(tmp_path)[0]
    assert (design.path, design.project and design.project.top) == (source, "scale")
    inputs = gather(source)
    assert inputs.project is not None
    found = predict_qor(KERNEL, top="scale", defines=dict(inputs.defines))
    assert found.loops[0].trip_count == 64
    assert main(["qor", str(tmp_path)]) == 0
    assert "scale" in capsys.readouterr().out


def test_a_kernel_of_hlslib_by_its_own_function(tmp_path: Path) -> None:
    """`add_vitis_kernel` of FindVitis.cmake; a function around it with arguments by keyword is followed."""
    text = """
set(SOURCES kernels/scale.cpp)
function(add_hls_test KERNEL_NAME)
  cmake_parse_arguments(KERNEL "" "CONFIG" "HLS_FLAGS" ${ARGN})
  add_vitis_kernel(${KERNEL_NAME} FILES kernels/${KERNEL_NAME}.cpp HLS_FLAGS "${KERNEL_HLS_FLAGS}"
                   INCLUDE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}/include ${CMAKE_BINARY_DIR})
endfunction()
add_hls_test("scale" HLS_FLAGS "-DN=16 -DSHORT")
add_vitis_kernel(Again KERNEL scale FILES ${SOURCES})
add_vitis_program(Again some_platform)
"""
    write(tmp_path, "kernels/scale.cpp", KERNEL)
    first, second = read_cmake(write(tmp_path, "CMakeLists.txt", text))
    own = {"HLSLIB_SYNTHESIS": "1", "HLSLIB_XILINX": "1"}
    assert first.defines == {"N": "16", "SHORT": "1", **own}
    assert second.defines == own
    assert {first.top, second.top} == {"scale"}
    assert first.include_dirs == [tmp_path / "include"]
    assert not first.skipped and not second.skipped
    assert read_designs(tmp_path / "CMakeLists.txt")[0].top == "scale"


def test_an_ip_whose_function_ends_in_top(tmp_path: Path) -> None:
    write(tmp_path, "echo.cpp", "void echo_top(int a[4]) {}\n")
    (project,) = read_cmake(write(tmp_path, "CMakeLists.txt", "add_vitis_ip(echo FILES echo.cpp)"))
    assert project.top == "echo_top"


# -- flags of what is built ----------------------------------------------------------------------------------

BUILDS = {
    "for the folder": ("add_definitions(-DN=4 -Wall)", {"N": "4"}),
    "for the folder, newer": ("add_compile_definitions(N=4 M)", {"N": "4", "M": "1"}),
    "of one target": ("", {}),
    "in the flags of the language": ('set(CMAKE_CXX_FLAGS "${CMAKE_CXX_FLAGS} -O2 -DN=4")', {"N": "4"}),
    "by an option that is off": ('option(LARGE "" OFF)\nif(LARGE)\nadd_definitions(-DN=9)\nelse()\n'
                                 "add_definitions(-DN=4)\nendif()", {"N": "4"}),
    "by a comparison": ("set(W 32)\nif(W GREATER 16 AND NOT W EQUAL 64)\nadd_definitions(-DN=${W})\nendif()",
                        {"N": "32"}),
    "by a text": ('set(T "half" CACHE STRING "")\nif(T STREQUAL "half")\nadd_definitions(-DHALF)\n'
                  'elseif(T STREQUAL "float")\nadd_definitions(-DFLOAT)\nendif()', {"HALF": "1"}),
    "by a sum": ('set(W 4)\nmath(EXPR P "${W} * (${W} + 1)")\nadd_definitions(-DN=${P})', {"N": "20"}),
    "by a list": ("list(APPEND F -DN=4)\nlist(APPEND F -DM=5)\nadd_definitions(${F})", {"N": "4", "M": "5"}),
    "by a name in a name": ("set(T wide)\nset(BITS_wide 9)\nadd_definitions(-DN=${BITS_${T}})", {"N": "9"}),
    "under what is not known": ("if(SOMETHING)\nadd_definitions(-DN=4)\nendif()", {}),
    "beside what is not known": ("if(SOMETHING)\nset(W 4)\nelse()\nset(W 5)\nendif()\nadd_definitions(-DN=${W} -DM=1)",
                                 {"M": "1"}),
    "of what a command may have changed": ('set(W 4)\nstring(REGEX REPLACE "." "" W "x")\nadd_definitions(-DN=${W})',
                                           {}),
    "of what a macro sets": (
        "set(W 4)\nmacro(wide)\nset(W 8)\nendmacro()\nwide()\nadd_definitions(-DN=${W})", {"N": "8"}),
    "of what a function sets for itself": (
        "set(W 4)\nfunction(wide)\nset(W 8)\nendfunction()\nwide()\nadd_definitions(-DN=${W})", {"N": "4"}),
    "of what a function raises": (
        "set(W 4)\nfunction(wide by)\nset(W ${by} PARENT_SCOPE)\nendfunction()\nwide(8)\nadd_definitions(-DN=${W})",
        {"N": "8"}),
    "in rounds": ("foreach(W 1 2)\nadd_definitions(-DN=${W})\nendforeach()", {}),
    "of the environment": ("add_definitions(-DN=$ENV{N} -DM=$<CONFIG>)", {}),
    "of itself": ("set(W 4)\nset(W \\${W})\nadd_definitions(-DN=${W})", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDS)
def test_flags(tmp_path: Path, name: str) -> None:
    said, wanted = BUILDS[name]
    assert defines(tmp_path, f"{said}\nadd_library(k kernel.cpp)\n") == wanted


def test_flags_of_a_target_are_its_own(tmp_path: Path) -> None:
    write(tmp_path, "a.cpp", KERNEL)
    write(tmp_path, "b.cpp", KERNEL)
    write(tmp_path, "main.cpp", "int main() { return 0; }\n")
    text = """
add_library(a a.cpp)
add_executable(b main.cpp)
target_sources(b PRIVATE b.cpp)
target_compile_definitions(a PUBLIC N=4 PRIVATE -DM=2)
target_compile_options(b PRIVATE -DN=8 -O3)
target_include_directories(b PRIVATE inc)
"""
    a, b = read_builds(write(tmp_path, "CMakeLists.txt", text))
    assert (a.defines, b.defines) == ({"N": "4", "M": "2"}, {"N": "8"})
    assert [path.name for path in b.files] == ["b.cpp"]  # what runs on a host is no part of the hardware
    assert b.include_dirs == [tmp_path / "inc"]
    assert read_designs(tmp_path / "CMakeLists.txt") == []  # for the host: no design is stated
    found = project_of(tmp_path / "b.cpp")
    assert found is not None
    assert found.defines == {"N": "8"}


def test_a_script_of_the_tool_speaks_before_what_builds_for_a_host(tmp_path: Path) -> None:
    source = write(tmp_path, "src/kernel.cpp", KERNEL)
    write(tmp_path, "src/CMakeLists.txt", "add_definitions(-DN=4)\nadd_library(k kernel.cpp)\n")
    write(tmp_path, "hls/run.tcl", 'set_top scale\nadd_files ../src/kernel.cpp -cflags "-DN=32"\n')
    assert gather(source).defines == {"N": "32"}


def test_an_included_file_sets_what_it_sets(tmp_path: Path) -> None:
    write(tmp_path, "cmake/options.cmake", "set(W 12)\n")
    text = """
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_SOURCE_DIR}/cmake")
include(options)
add_definitions(-DN=${W})
add_library(k kernel.cpp)
"""
    assert defines(tmp_path, text) == {"N": "12"}


# -- bad input -----------------------------------------------------------------------------------------------


def test_what_lies_outside_is_not_read(tmp_path: Path) -> None:
    inside = tmp_path / "project"
    (inside / ".git").mkdir(parents=True)
    write(tmp_path, "secret.cpp", KERNEL)
    write(tmp_path, "CMakeLists.txt", "set(W 3)\nadd_subdirectory(project)\n")
    path = write(inside, "CMakeLists.txt", "add_vitis_ip(k FILES ../secret.cpp k.cpp HLS_FLAGS -DN=${W})\n")
    write(inside, "k.cpp", KERNEL)
    (project,) = read_cmake(path)
    assert [found.name for found in project.files] == ["k.cpp"]
    assert project.defines == {}


BOMBS = {
    "a text that doubles": "set(A x)\n" + "set(A ${A}${A})\n" * 60 + "add_definitions(-DN=${A})",
    "a list that doubles": "set(A x)\n" + "list(APPEND A ${A})\n" * 60 + "add_definitions(-DN=${A})",
    "parentheses": "if(" + "(" * 5000 + "A" + ")" * 5000 + ")\nendif()",
    "conditions": "if(A)\n" * 3000,
    "a function that calls itself": "function(f)\nf()\nf()\nf()\nendfunction()\nf()",
    "commands": "set(A 1)\n" * (MAX_COMMANDS + 10),
    "what nothing closes": "add_library(k kernel.cpp\n" * 1000,
    "quotes that nothing closes": 'set(A "' + "x" * 50_000,
    "brackets": "set(A " + "[=[" * 5000,
    "numbers": 'math(EXPR A "' + "*".join(["9" * 30] * 300) + '")\nadd_definitions(-DN=${A})',
    "its own folder": "add_subdirectory(.)\ninclude(CMakeLists.txt)",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_grows_is_read_in_bounded_time(tmp_path: Path, name: str) -> None:
    write(tmp_path, "kernel.cpp", KERNEL)
    path = write(tmp_path, "CMakeLists.txt", f"add_library(k kernel.cpp)\n{BOMBS[name]}\n")
    begun = time.process_time()
    found = read_builds(path)
    assert time.process_time() - begun < 1.0
    assert all(project.defines.get("N", "") in ("", "x") for project in found)


def test_commands_beyond_the_bound_are_told(tmp_path: Path) -> None:
    write(tmp_path, "kernel.cpp", KERNEL)
    text = "add_library(k kernel.cpp)\n" + "set(A 1)\n" * (MAX_COMMANDS + 10)
    (project,) = read_builds(write(tmp_path, "CMakeLists.txt", text))
    assert [note.reason for note in project.skipped] == [f"more than {MAX_COMMANDS:,} commands: the rest is not read"]


def test_a_large_program_is_not_looked_through(tmp_path: Path) -> None:
    write(tmp_path, "kernel.cpp", KERNEL)
    many = " ".join(f"s{number}.cpp" for number in range(MAX_LOOKED + 1))
    text = f"add_definitions(-DN=4)\nadd_library(k kernel.cpp)\nadd_executable(large {many} kernel.cpp)\n"
    assert [project.defines for project in read_builds(write(tmp_path, "CMakeLists.txt", text))] == [{"N": "4"}]
