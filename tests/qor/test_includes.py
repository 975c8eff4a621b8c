"""Which sources a changed header concerns: the nearest first, since who asks may look at the first few only."""

from pathlib import Path

from hwml_sdk.document import provider_for
from hwml_sdk.languages import HLS
from hwml_sdk.qor.read.source import read_program


def test_headers_of_one_name_in_many_folders(tmp_path: Path) -> None:
    """60 folders with a `sizes.h` and a source each; a file above includes one of them by its path."""
    sources = [tmp_path / "all.cpp"]
    sources[0].write_text('#include "d40/sizes.h"\n')
    for number in range(60):
        folder = tmp_path / f"d{number:02d}"
        folder.mkdir()
        (folder / "sizes.h").write_text("#define N 4\n")
        (folder / "k.cpp").write_text('#include "sizes.h"\n')
        sources.append(folder / "k.cpp")
    found = provider_for(HLS).dependents([tmp_path / "d40" / "sizes.h"], sources)
    assert found[:2] == [tmp_path / "d40" / "k.cpp", tmp_path / "all.cpp"]
    assert len(found) == 61


def test_pragma_once_of_a_header_that_has_two_paths(tmp_path: Path) -> None:
    """`sizes.h` is included from two folders, each in its own words; read a second time it would say 9."""
    again = "#pragma once\n#ifdef SEEN\n#undef N\n#define N 9\n#else\n#define N 4\n#define SEEN\n#endif\n"
    (tmp_path / "sizes.h").write_text(again)
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "part.h").write_text('#include "../sizes.h"\n')
    text = '#include "a/part.h"\n#include "b/part.h"\nvoid top(int a[N]) { a[0] = 1; }\n'
    program = read_program(text, path=str(tmp_path / "top.cpp"))
    assert program.functions["top"].params[0].dims == (4,)
