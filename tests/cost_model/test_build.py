"""What the build of a generator depends on: each change makes a new one, nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.cost_model.sample.build import BuildOptions, build_generator, check_compiler
from hwml_sdk.errors import HwmlError, ToolFailedError

pytest.importorskip("halide", reason="halide is not installed (extra halide)")
# No Halide.h, which takes ten seconds to compile: what a build reads is the same question for any program.
SOURCE = '#include "size.h"\n#include <cstdio>\nextern "C" int twice(int);\n' + (
    'int main() { printf("%d\\n", twice(SIZE)); return 0; }\n'
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source that needs a header elsewhere and a second source; the generator's own main is left out."""
    if not check_compiler():
        pytest.skip("no C++ compiler (c++)")
    monkeypatch.setattr("hwml_sdk.cost_model.sample.build._main", lambda: ())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "other place").mkdir()
    (tmp_path / "other place" / "size.h").write_text("#define SIZE 3\n")
    (tmp_path / "twice.cpp").write_text('extern "C" int twice(int x) { return 2 * x; }\n')
    (tmp_path / "main.cpp").write_text(SOURCE)
    return tmp_path


def _options(project: Path) -> BuildOptions:
    return BuildOptions((str(project / "other place"),), (str(project / "twice.cpp"),)).checked()


def test_a_build_is_taken_again_until_something_it_read_changes(project: Path) -> None:
    import subprocess

    def result() -> str:
        program = build_generator(project / "main.cpp", _options(project))
        return f"{program} {subprocess.run([program], capture_output=True, text=True, check=True).stdout}"

    first = result()
    assert first.endswith(" 6\n")
    assert result() == first
    (project / "other place" / "size.h").write_text("#define SIZE 4\n")
    changed = result()
    assert changed.endswith(" 8\n")
    (project / "twice.cpp").write_text('extern "C" int twice(int x) { return 20 * x; }\n')
    assert result().endswith(" 80\n")
    # An older build is still there for those who run it, and is taken when its files come back.
    (project / "twice.cpp").write_text('extern "C" int twice(int x) { return 2 * x; }\n')
    assert result() == changed


def test_flags_are_part_of_the_build(project: Path) -> None:
    options = _options(project)
    (project / "empty").mkdir()
    wider = BuildOptions((*options.includes, str(project / "empty")), options.links)
    assert build_generator(project / "main.cpp", options) != build_generator(project / "main.cpp", wider)


def test_what_is_missing_is_named_with_the_option_that_helps(project: Path) -> None:
    options = _options(project)
    with pytest.raises(ToolFailedError, match=r"does not compile: .*size\.h.*; name its folder with -I"):
        build_generator(project / "main.cpp", BuildOptions((), options.links))
    with pytest.raises(ToolFailedError, match=r"does not link: undefined reference to .twice'; .* --link"):
        build_generator(project / "main.cpp", BuildOptions(options.includes))
    with pytest.raises(ToolFailedError, match=r"does not link: cannot find -lnowhere"):
        build_generator(project / "main.cpp", BuildOptions(options.includes, (*options.links, "-lnowhere")))
    with pytest.raises(HwmlError, match="no such folder"):
        BuildOptions(("nowhere",)).checked()
    with pytest.raises(HwmlError, match="no such file"):
        BuildOptions((), ("nowhere.a",)).checked()


def test_programs_name_no_folder_of_the_environment(project: Path) -> None:
    from hwml_sdk.cost_model.toolkit import halide_folder

    program = build_generator(project / "main.cpp", _options(project))
    assert str(halide_folder()).encode() not in program.read_bytes()
    record = (program.parent / "built.json").read_text()
    assert "size.h" in record
    assert str(halide_folder()) not in record


def test_a_full_disk_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of a compiler on a full disk (GCC 12), said by a program that takes its place."""
    compiler = project / "c++"
    said = "Halide.h:3: fatal error: closing dependency file x.d: No space left on device"
    compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit\necho "{said}"\nexit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("HWML_CXX", str(compiler))
    with pytest.raises(ToolFailedError, match=r"cannot be built: the disk of .*cache.* is full"):
        build_generator(project / "main.cpp", _options(project))
