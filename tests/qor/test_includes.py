"""Which sources a changed header concerns: the nearest first, since who asks may look at the first few only."""

from pathlib import Path

from hwml_sdk.document import provider_for
from hwml_sdk.languages import HLS


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
