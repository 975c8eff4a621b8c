"""Headers: unsaved ones count, saved ones refresh what includes them and nothing else; benches get no figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lsp.lsp_client import FULL, Client, at, running

SIZES = "#pragma once\n#define ROUNDS 8\n"
KERNEL = """#include "sizes.h"
void k(int a[64]) {
#pragma HLS TOP
  for (int i = 0; i < ROUNDS; i++) {
#pragma HLS PIPELINE II=1
    a[i] += i;
  }
}
"""
OTHER = "void other(int a[4]) {\n#pragma HLS INLINE off\n  for (int i = 0; i < 4; i++) a[i] = i;\n}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sizes.h").write_text(SIZES)
    (tmp_path / "core.h").write_text("#pragma once\n#include <ap_int.h>\ntypedef ap_int<9> word;\n")
    return tmp_path


@pytest.fixture
def quiet(folder: Path) -> Iterator[Client]:
    """A client that watches no files, as several editors do."""
    with running(folder) as started:
        started.settings = {"debounceMs": 0}
        started.initialize({**FULL, "workspace": {**FULL["workspace"], "didChangeWatchedFiles": {}}}, folder)
        yield started


def rounds(client: Client, uri: str) -> str:
    return " ".join(hint["label"] for hint in client.hints(uri))


def test_an_unsaved_header_counts_and_a_saved_one_refreshes_what_includes_it(quiet: Client, folder: Path) -> None:
    kernel = quiet.open((folder / "k.cpp").as_uri(), KERNEL)
    other = quiet.open((folder / "other.cpp").as_uri(), OTHER)
    quiet.until(lambda: "8 cyc" in rounds(quiet, kernel) or "9 cyc" in rounds(quiet, kernel), "eight rounds")
    quiet.until(lambda: quiet.hints(other), "hints of the other")
    header = quiet.open((folder / "sizes.h").as_uri(), SIZES)
    quiet.pull(header)
    quiet.forget()
    quiet.change(header, 2, at(1, 15, 1, 16, "32"))
    quiet.until(lambda: "32 cyc" in rounds(quiet, kernel) or "33 cyc" in rounds(quiet, kernel), "32 rounds, unsaved")
    told = [n["params"]["uri"] for n in quiet.notifications if n["method"] == "hwml/status"]
    assert kernel in told
    assert other not in told  # it includes nothing of the kind
    # Another program writes it, and the client tells that it saved it: what lies on disk holds once it is closed.
    quiet.notify("textDocument/didClose", {"textDocument": {"uri": header}})
    (folder / "sizes.h").write_text(SIZES.replace("8", "48"))
    again = quiet.open(header, SIZES.replace("8", "48"))
    quiet.notify("textDocument/didSave", {"textDocument": {"uri": again}})
    quiet.until(lambda: "48 cyc" in rounds(quiet, kernel) or "49 cyc" in rounds(quiet, kernel), "48 rounds, saved")


def test_headers_make_a_source_hardware_and_benches_stay_silent(quiet: Client, folder: Path) -> None:
    """`plain` says nothing itself: its header does. The bench includes the same and has a main."""
    plain = '#include "core.h"\nvoid plain(word a[16]) {\n  for (int i = 0; i < 16; i++) a[i] += 3;\n}\n'
    bench = '#include "core.h"\nint main() {\n  word a[16];\n  for (int i = 0; i < 16; i++) a[i] = i;\n  return 0;\n}\n'
    uri = quiet.open((folder / "plain.cpp").as_uri(), plain)
    quiet.until(lambda: len(quiet.lenses(uri)) == 1, "figures by a header")
    tested = quiet.open((folder / "bench.cpp").as_uri(), bench)
    assert quiet.pull(tested) == quiet.hints(tested) == quiet.lenses(tested) == []
