"""Only regular files are read: what a repository may hold instead of a source, a header, a report, an artefact."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hwml_sdk import cli
from hwml_sdk.artifact import Artifact
from hwml_sdk.config import load_settings
from hwml_sdk.cost_model import load_a_sample
from hwml_sdk.document import analyze
from hwml_sdk.errors import HwmlError, SourceError
from hwml_sdk.files import MAX_SOURCE_BYTES, parse_json, read_bytes, read_source
from hwml_sdk.qor.reports.csynth import read_csynth

KERNEL = "void k(int a[8]) {\n  for (int i = 0; i < 8; i++) a[i] = i;\n}\n"


@pytest.fixture(params=["pipe", "link to a pipe", "link to /dev/zero", "socket", "link to a socket"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A name in a workspace that is no regular file; reading it would wait for ever or never end."""
    place, other = tmp_path / "it", tmp_path / "target"
    kind: str = request.param
    with socket.socket(socket.AF_UNIX) as listener:
        if "pipe" in kind:
            os.mkfifo(other if "link" in kind else place)
        elif "socket" in kind:
            here = Path.cwd()
            os.chdir(tmp_path)  # the name of a socket is short
            listener.bind("target" if "link" in kind else "it")
            os.chdir(here)
        if "link" in kind:
            place.symlink_to("/dev/zero" if "zero" in kind else other)
        yield place


def test_reading_it_says_so(special: Path) -> None:
    with pytest.raises(OSError, match="no regular file"):
        read_bytes(special)
    with pytest.raises(SourceError):
        read_source(special)


def test_as_each_kind_of_input(special: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Source, header, project file, settings, sample, report, artefact: each is refused, or left out with a note."""
    inputs = ("a.cpp", "h.hpp", "z.cpp", "hwml.toml", "x.sample", "csynth.xml")
    names = [tmp_path / name for name in inputs]
    for name in names:
        name.symlink_to(special)
    assert cli.main(["qor", str(names[0])]) == 2
    assert str(names[0]) in capsys.readouterr().err
    assert load_settings(tmp_path / "b.cpp").trusted is False  # the settings that nobody can read change nothing
    (tmp_path / "hls_config.cfg").write_text("[hls]\nsyn.file=z.cpp\nsyn.file=b.cpp\nsyn.top=k\n")
    source = tmp_path / "b.cpp"
    source.write_text('#include "h.hpp"\n' + KERNEL)
    seen = analyze(source, source.read_text(), load_settings(source))
    assert any(annotation.name == "k" for annotation in seen.annotations)
    for read in (load_a_sample, read_csynth):
        with pytest.raises(HwmlError):
            read(names[4])
    folder = tmp_path / "artefact"
    folder.mkdir()
    (folder / "artifact.json").symlink_to(special)
    with pytest.raises(HwmlError):
        Artifact.load(folder, kind="qor")


def test_as_prediction_report_and_log_of_a_run(
    special: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `hwml hooks vitis` has predicted and compared in a project: one line each, and nothing is waited for."""
    (tmp_path / "run.tcl").write_text("open_project p\nset_top k\nadd_files b.cpp\ncreate_clock -period 4\n")
    (tmp_path / "b.cpp").write_text(KERNEL)
    kept = tmp_path / "kept.json"
    assert cli.main(["hooks", "predict", "--script", str(tmp_path / "run.tcl"), "--out", str(kept)]) == 0
    component = tmp_path / "component"
    component.mkdir()
    (component / "hls_data.json").symlink_to(special)
    (tmp_path / "csynth.xml").symlink_to(special)
    for prediction, report in ((special, tmp_path / "csynth.xml"), (kept, special), (kept, component),
                               (kept, tmp_path / "csynth.xml"), (kept, component / "hls_data.json")):  # fmt: skip
        capsys.readouterr()
        assert cli.main(["hooks", "compare", "--prediction", str(prediction), "--report", str(report)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["hooks", "predict", "--script", str(tmp_path / "run.tcl"), "--out", str(special)]) in (2, 3)
    assert not special.is_file()


def test_a_project_that_is_one(special: Path, tmp_path: Path) -> None:
    (tmp_path / "hls_config.cfg").symlink_to(special)
    source = tmp_path / "b.cpp"
    source.write_text(KERNEL)
    assert cli.main(["qor", str(source)]) in (0, 2)  # an answer, or a line that says why not: it comes back at all


def test_links_to_themselves_among_the_sources(tmp_path: Path) -> None:
    """As the source, a header, a file of the project: what can be read is analysed."""
    for name in ("loop.cpp", "h.hpp", "z.cpp"):
        (tmp_path / name).symlink_to(name)
    (tmp_path / "hls_config.cfg").write_text("[hls]\nsyn.file=z.cpp\nsyn.file=b.cpp\nsyn.top=k\n")
    source = tmp_path / "b.cpp"
    source.write_text('#include "h.hpp"\n' + KERNEL)
    seen = analyze(source, source.read_text(), load_settings(source))
    assert any(annotation.name == "k" for annotation in seen.annotations)
    assert load_settings(tmp_path / "loop.cpp", trusted=True).trusted is True  # whose folder it is, is known
    assert cli.main(["qor", str(source)]) == 0
    assert cli.main(["qor", str(tmp_path / "loop.cpp")]) == 2


def test_the_bound_holds_for_what_is_read(tmp_path: Path) -> None:
    """A file of /proc says that it is empty: the size of the bytes that come counts."""
    with pytest.raises(OSError, match="over the limit"):
        read_bytes("/proc/cpuinfo", max_bytes=4)
    big = tmp_path / "big.cpp"
    big.write_bytes(b" " * (MAX_SOURCE_BYTES + 1))
    with pytest.raises(SourceError, match="16 MB"):
        read_source(big)
    big.write_bytes(b" " * MAX_SOURCE_BYTES)
    assert len(read_source(big)) == MAX_SOURCE_BYTES


def test_a_name_with_a_nul_byte() -> None:
    with pytest.raises(SourceError):
        read_source("a\0b.cpp")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "1" * 10_000 + "x", "[1" + "0" * 400 + "]"])
def test_json_of_others(text: str) -> None:
    with pytest.raises(ValueError, match=r"deep|JSON|Expecting|integer|Extra|digit"):
        parse_json(text)


def test_few_descriptors_are_enough(tmp_path: Path) -> None:
    """Nothing keeps files open: a prediction works where a process may hold few."""
    source = tmp_path / "k.cpp"
    source.write_text(KERNEL)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32));"
        "from hwml_sdk.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "qor", str(source)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
