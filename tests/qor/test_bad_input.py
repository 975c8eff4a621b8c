"""Bad input, by command line and API: one clear line with file, line and next step, exit 2, nothing half-written."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.qor.tiny_artifact import real_features_table, train_tiny

from hwml_sdk import ArtifactError, HwmlError, QorModel, SourceError, predict_qor
from hwml_sdk.artifact import MANIFEST
from hwml_sdk.cli import main
from hwml_sdk.errors import ConfigError
from hwml_sdk.files import write_atomic
from hwml_sdk.qor.learned.table import write_table

ROOT = Path(__file__).resolve().parents[2]
needs_training = pytest.mark.skipif(
    find_spec("lightgbm") is None or find_spec("onnx") is None, reason="lightgbm or onnx is not here (extra train-qor)"
)
GOOD = """\
void kernel(int a[64], int b[64]) {
  copy: for (int i = 0; i < 64; i++) b[i] = a[i] + 1;
}
"""


@pytest.fixture(autouse=True)
def nobodys_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Settings and caches of whoever runs the tests are neither read nor written."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained artefact."""
    folder = tmp_path_factory.mktemp("artefact") / "qor"
    train_tiny(folder, real_features_table())
    return folder


@pytest.fixture
def model(tiny: Path, tmp_path: Path) -> Path:
    """A copy of it to break."""
    folder = tmp_path / "model"
    folder.mkdir()
    for path in tiny.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str], *parts: str) -> str:
    """The command ends with 2, prints nothing but one line on stderr, and that holds `parts`."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("hwml: ")
    for part in parts:
        assert part in captured.err
    return captured.err


# -- sources: the same text through the command and the API -----------------------------------------------------------

# name -> (bytes of the file, what the message holds besides the file's name)
SOURCES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("no function with a body",)),
    "no function": (b"int x;\n#define N 3\n", ("no function with a body",)),
    "comments only": (b"// void kernel() {}\n", ("no function with a body",)),
    "NUL bytes": (GOOD.encode() + b"\n\0\n", (":5: ", "NUL")),
    "binary": (b"\x7fELF\n" + bytes(range(256)) * 64, (":2: ", "NUL")),
    "50 MB": (b"int a;\n" * (50 * 1024 * 1024 // 7), ("over the limit of 16 MB",)),
}


@needs_training
@pytest.mark.parametrize("name", SOURCES)
def test_sources_that_cannot_be_predicted(
    name: str, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, parts = SOURCES[name]
    path = tmp_path / "kernel.cpp"
    path.write_bytes(raw)
    with pytest.raises(SourceError) as caught:
        predict_qor(path, model=tiny)
    for part in (str(path), *parts):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    fails(["qor", str(path)], capsys, str(path), *parts)


@needs_training
def test_files_that_cannot_be_read(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "gone.cpp"
    for path, part in ((missing, "No such file"), (tmp_path, "is a folder")):
        with pytest.raises(SourceError, match=re.escape(str(path))) as caught:
            predict_qor(path, model=tiny)
        assert part in str(caught.value)
    fails(["qor", str(missing)], capsys, str(missing), "No such file")
    with pytest.raises(SourceError, match="empty source"):
        predict_qor("  ", model=tiny)
    with pytest.raises(SourceError, match="No such file"):
        predict_qor("kernel.cpp.not.there", model=tiny)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0)
    fails(["qor", str(path)], capsys, str(path), "ermission")


@needs_training
def test_an_unknown_top_lists_what_there_is(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_text(GOOD + "void helper(int a[4]) { a[0] = 1; }\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"no function 'kernle'; there are: kernel, helper"):
        predict_qor(path, top="kernle", model=tiny)
    fails(["qor", str(path), "--top", "kernle"], capsys, str(path), "there are: kernel, helper")


@needs_training
def test_an_unknown_part_or_tool(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match="xc9000"):
        predict_qor(path, part="xc9000", model=tiny)
    fails(["qor", str(path), "--part", "xc9000"], capsys, "xc9000")
    with pytest.raises(ConfigError, match=r"unknown tool 'quartus'; there are vitis_hls"):
        predict_qor(path, tool="quartus", model=tiny)
    fails(["qor", str(path), "--tool", "quartus"], capsys, "quartus", "vitis_hls")
    for clock in (0.0, -1.0, 1e9, float("nan")):
        with pytest.raises(ConfigError, match="clock"):
            predict_qor(path, clock_period_ns=clock, model=tiny)
    fails(["qor", str(path), "--clock", "0"], capsys, "clock")


# -- sources that are odd, but can be predicted: an answer, with a word about it --------------------------------------


ODD = {
    "unbalanced": (GOOD.replace("}", "", 1), "incomplete"),
    "too many braces": (GOOD + "}}}", "incomplete"),
    "half-typed": (GOOD[: GOOD.index("a[i]")], "incomplete"),
}


@needs_training
@pytest.mark.parametrize("name", ODD)
def test_broken_code_gives_what_can_be_known(name: str, tiny: Path) -> None:
    text, word = ODD[name]
    found = predict_qor(text, model=tiny)
    assert found.top == "kernel"
    assert any(word in warning for warning in found.warnings), found.warnings


@needs_training
def test_includes_that_never_end(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text('#include "b.h"\n', encoding="utf-8")
    (tmp_path / "b.h").write_text('#include "a.h"\n', encoding="utf-8")
    path = tmp_path / "kernel.cpp"
    path.write_text('#include "a.h"\n' + GOOD, encoding="utf-8")
    found = predict_qor(path, model=tiny)
    assert any("a.h" in warning and "includ" in warning for warning in found.warnings), found.warnings


@needs_training
def test_invalid_utf8_is_read_around(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_bytes(b"// caf\xe9 \xff\xfe\n" + GOOD.encode())
    clean = tmp_path / "clean.cpp"
    clean.write_text("// cafe\n" + GOOD, encoding="utf-8")
    assert predict_qor(path, model=tiny).lut == predict_qor(clean, model=tiny).lut


def test_an_unknown_pragma_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "kernel.cpp"
    path.write_text(GOOD.replace("copy:", "\n#pragma HLS pipelin\n  copy:"), encoding="utf-8")
    assert main(["qor", "lint", str(path), "--no-estimate"]) == 1
    assert re.search(
        rf"{re.escape(str(path))}:3:\d+: warning HLS1\d\d: .*pipelin", capsys.readouterr().out, re.IGNORECASE
    )


# -- artefacts --------------------------------------------------------------------------------------------------------


def _manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    place = folder / MANIFEST
    manifest = json.loads(place.read_text(encoding="utf-8"))
    change(manifest)
    place.write_text(json.dumps(manifest), encoding="utf-8")


BREAKS: dict[str, tuple[Callable[[Path], object], tuple[str, ...]]] = {
    "wrong hash": (lambda f: (f / "unlike.npz").write_bytes(b"x"), ("unlike.npz", "sha256 does not match", "retrain")),
    "missing file": (lambda f: (f / "members.onnx").unlink(), ("members.onnx", "listed in")),
    "missing manifest": (lambda f: (f / MANIFEST).unlink(), (MANIFEST, "cannot read")),
    "unknown format version": (
        lambda f: _manifest(f, lambda m: m.update(format_version=9)),
        (MANIFEST, "format_version 9 is not 1", "update hwml"),
    ),
    "unknown key": (lambda f: _manifest(f, lambda m: m.update(extra=1)), (MANIFEST, "unknown or missing keys: extra")),
    "other kind": (lambda f: _manifest(f, lambda m: m.update(kind="cost_model")), ("'cost_model' artefact",)),
    "other features": (
        lambda f: _manifest(f, lambda m: m["config"].update(feature_version=0)),
        ("features of version 0", "retrain"),
    ),
    "no calibration": (lambda f: _manifest(f, lambda m: m["config"].pop("calibration")), ("config lacks", "retrain")),
    "no JSON": (lambda f: (f / MANIFEST).write_bytes(b"{"), (MANIFEST, "not JSON")),
}


@needs_training
@pytest.mark.parametrize("name", BREAKS)
def test_broken_artefacts_are_refused(name: str, model: Path, tmp_path: Path) -> None:
    damage, parts = BREAKS[name]
    damage(model)
    before = sorted(path.name for path in model.iterdir())
    with pytest.raises(ArtifactError) as caught:
        QorModel.load(model).predict(GOOD)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    assert sorted(path.name for path in model.iterdir()) == before
    with pytest.raises(ArtifactError):
        predict_qor(GOOD, model=model)


@needs_training
def test_a_model_that_onnxruntime_refuses(model: Path) -> None:
    import hashlib

    (model / "members.onnx").write_bytes(b"not a model")
    _manifest(model, lambda m: m["files"].update({"members.onnx": hashlib.sha256(b"not a model").hexdigest()}))
    with pytest.raises(ArtifactError, match=r"members\.onnx: it cannot be read"):
        predict_qor(GOOD, model=model)


def test_no_such_model() -> None:
    with pytest.raises(ArtifactError, match="no shipped artefact 'nothing'"):
        predict_qor(GOOD, model="nothing")


@needs_training
def test_saving_gives_the_same_model(tiny: Path, tmp_path: Path) -> None:
    loaded = QorModel.load(tiny)
    loaded.save(tmp_path / "copy")
    assert QorModel.load(tmp_path / "copy").predict(GOOD).to_dict() == {
        **loaded.predict(GOOD).to_dict(),
        "model": "copy",
    }
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(HwmlError, match="cannot write"):
        loaded.save(tmp_path / "file" / "copy")


# -- training ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path) -> Path:
    write_table(tmp_path / "table", real_features_table(n=600))
    return tmp_path / "table"


def test_a_training_row_with_bad_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "k.c").write_text(GOOD, encoding="utf-8")
    head = "file,part,clock_period_ns,top,lut,dsp,ff,latency_cycles\n"
    good = "k.c,xcu280,4,kernel,10,0,20,70\n"
    for row, part in (
        ("k.c,xcu280,4,kernel,-10,0,20,70\n", "lut is negative"),
        ("k.c,xcu280,4,kernel,,,,\n", "no label at all"),
        ("k.c,xcu280,4,kernel,many,0,20,70\n", "lut must be a number"),
        ("gone.c,xcu280,4,kernel,10,0,20,70\n", "no such source file"),
    ):
        data = tmp_path / "own.csv"
        data.write_text(head + good + row, encoding="utf-8")
        out = tmp_path / "out"
        fails(["train", "qor", "--data", str(data), "--out", str(out)], capsys, f"{data}:3: ", part)
        assert not out.exists()


def test_a_table_that_is_not_there_or_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    fails(["train", "qor", "--table", str(tmp_path / "no"), "--out", str(out)], capsys, "features --data")
    write_table(tmp_path / "table", real_features_table(n=30))
    victim = next((tmp_path / "table").glob("*.xz"))
    victim.write_bytes(victim.read_bytes()[:100])
    fails(["train", "qor", "--table", str(victim.parent), "--out", str(out)], capsys, str(victim), "rebuild")
    assert not out.exists()


_FAST = ["--trees", "4", "--epochs", "1", "--rows-per-key", "40"]


def _training(table: Path, out: Path, *, limit: int | None = None) -> subprocess.Popen[str]:
    """The recipe in a process of its own; limit: the largest file it may write, in bytes."""

    def prepare() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "hwml_sdk.train", "qor", "--table", str(table), "--out", str(out), *_FAST]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare,  # noqa: PLW1509
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


@needs_training
def test_ctrl_c_in_training_leaves_the_old_model(table: Path, model: Path) -> None:
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    process = _training(table, model)
    assert process.stderr is not None
    first = process.stderr.readline()  # the first step is under way
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    # 130, or ended by the signal itself (Python does that when it was in the middle of an import): 130 for the shell.
    assert process.returncode in (130, -signal.SIGINT), first + err
    assert err.strip().splitlines()[-1] == "hwml: interrupted; nothing was overwritten"
    assert "Traceback" not in err
    assert {path.name: path.read_bytes() for path in model.iterdir()} == before
    assert sorted(path.name for path in model.parent.iterdir()) == ["model", "table"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: write() fails in the middle just so."""
    place = tmp_path / "out.bin"
    place.write_bytes(b"old")
    script = (
        "import resource, signal, sys\n"
        "from hwml_sdk.files import write_atomic\n"
        "from hwml_sdk.errors import HwmlError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    write_atomic(sys.argv[1], b'x' * 100_000)\n"
        "except HwmlError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(place)], capture_output=True, text=True, check=True)
    assert str(place) in done.stdout
    assert "free space or choose another folder" in done.stdout
    assert place.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.bin"]


@needs_training
def test_a_full_disk_at_the_end_of_saving(model: Path, tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys\n"
        "from hwml_sdk import HwmlError, QorModel\n"
        "model = QorModel.load(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    model.save(sys.argv[2])\n"
        "except HwmlError as error:\n"
        "    print(error)\n"
    )
    target = tmp_path / "copy"
    done = subprocess.run(
        [sys.executable, "-c", script, str(model), str(target)], capture_output=True, text=True, check=True
    )
    assert str(target) in done.stdout
    assert "cannot write" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_folder_that_may_not_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where a folder should be: root, too, cannot write there."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(HwmlError, match="cannot write"):
        write_atomic(tmp_path / "file" / "out.txt", "x")
    (tmp_path / "k.c").write_text(GOOD, encoding="utf-8")
    data = tmp_path / "own.csv"
    data.write_text("file,part,clock_period_ns,lut,dsp,ff,latency_cycles\nk.c,xcu280,4,1,1,1,1\n", encoding="utf-8")
    target = tmp_path / "file" / "table"
    fails(
        ["train", "qor", "features", "--data", str(data), "--table", str(target)], capsys, str(target), "cannot write"
    )
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


@needs_training
def test_training_says_at_once_that_it_may_not_write(
    table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a step is taken: nothing of the training is on stderr, only the one line."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    target = tmp_path / "file" / "model"
    fails(["train", "qor", "--table", str(table), "--out", str(target), *_FAST], capsys, str(target), "cannot write")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_a_full_disk_while_fixing_leaves_the_source(tmp_path: Path) -> None:
    """`hwml qor lint --fix` writes whole files or none."""
    path = tmp_path / "kernel.cpp"
    padding = "// a line of no meaning\n" * 400
    text = GOOD.replace("i++) b", "i++)\n#pragma HLS UNROLL factor=128\n  b") + padding
    path.write_text(text, encoding="utf-8")
    script = (
        "import resource, signal, sys\n"
        "from hwml_sdk.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "sys.exit(main(['qor', 'lint', '--fix', '--no-estimate', sys.argv[1]]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr
    assert "free space" in done.stderr
    assert path.read_text(encoding="utf-8") == text
    assert [item.name for item in tmp_path.iterdir()] == ["kernel.cpp"]


def test_includes_that_never_end_end_for_the_lint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.h").write_text('#include "kernel.cpp"\n', encoding="utf-8")
    path = tmp_path / "kernel.cpp"
    path.write_text('#include "a.h"\n' + GOOD, encoding="utf-8")
    assert main(["qor", "lint", "--no-estimate", str(path)]) in (0, 1)
    assert "includes itself" in capsys.readouterr().out


def _nest(levels: int, pragma: str = "") -> str:
    """Loops of 1e18 rounds inside one another."""
    heads = "".join(f"for (long i{n} = 0; i{n} < 1000000000000000000L; i{n}++) {{\n{pragma}\n" for n in range(levels))
    return (
        f"void top(int a[4], int b[1024]) {{\n{heads}b[(i0 + i1) & 1023] = b[i1 & 511] * a[i0 & 3];\n{'}' * levels}}}\n"
    )


def _calls(functions: int, loops: int) -> str:
    """Functions that call one another in such loops, the last one first in the chain."""
    heads = "".join(f"for (long i{n} = 0; i{n} < 1000000000000000000L; i{n}++)\n" for n in range(loops))
    chain = [f"void f{n}(int a[4]) {{\n{heads}f{n - 1}(a);\n}}\n" for n in range(1, functions)]
    return "".join(["void f0(int a[4]) { a[0] += 1; }\n", *chain, f"void top(int a[4]) {{ f{functions - 1}(a); }}\n"])


@pytest.mark.parametrize(
    "text",
    [
        _nest(6), _nest(24), _nest(40), _nest(24, "#pragma HLS dataflow"), _nest(24, "#pragma HLS unroll factor=4"),
        _nest(24, "#pragma HLS unroll"), _nest(24, "#pragma HLS pipeline"), _calls(20, 1), _calls(20, 5), _calls(4, 30),
    ],
)  # fmt: skip
def test_more_rounds_than_a_number_holds(text: str) -> None:
    """1e18 rounds in 1e18 rounds, and so on: what no float holds is not known, and nothing ends in an error."""
    found = predict_qor(text, top="top")
    assert found.latency_cycles is None
    assert "would" in " ".join(found.reasons["latency_cycles"])


def test_many_rounds_that_a_number_holds_are_counted() -> None:
    assert predict_qor(_nest(3)).latency_cycles == pytest.approx(2e54, rel=0.6)
