"""What the encoder path is given wrongly: one clear line, exit 2, nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hwml_sdk.encoder_cache import VectorCache
from hwml_sdk.train.__main__ import main

HEAD = "file,part,clock_period_ns,lut,dsp,ff,latency_cycles"
ROW = "k.cpp,xcu280-fsvh2892-2L-e,3.33,100,2,50,70"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "k.cpp").write_text("void k(int a[4]) { for (int i = 0; i < 4; i++) a[i] = i; }\n")
    (tmp_path / "good.csv").write_text(f"{HEAD}\n{ROW}\n")
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that the command ends with."""
    try:
        code = main(["qor", *words, "--out", "out"])
    except SystemExit as stop:
        code = int(str(stop.code))
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert (code, len(said)) == (2, 1), said
    assert not Path("out").exists()
    assert not list(Path.cwd().glob("*.tmp*"))
    return said[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("k.cpp,p,3.33,nan,2,50,70", "d.csv:2: lut must be a number or null, not nan"),
        ("k.cpp,p,3.33,100,inf,50,70", "d.csv:2: dsp must be a number or null, not inf"),
        ("k.cpp,p,3.33,100,2,-50,70", "d.csv:2: ff is negative (-50.0)"),
        ("gone.cpp,p,3.33,100,2,50,70", "d.csv:2: gone.cpp: no such source file"),
    ],
)
def test_labels_that_are_none(row: str, words: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "d.csv").write_text(f"{HEAD}\n{row}\n")
    assert words in refused(capsys, "--encoder", "x", "--data", "d.csv")


def test_a_column_that_is_missing_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "d.csv").write_text(HEAD.replace(",dsp", "") + "\nk.cpp,p,3.33,100,50,70\n")
    assert "column 'dsp' is missing" in refused(capsys, "--encoder", "x", "--data", "d.csv")


def test_an_encoder_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no encoder 'nobody/none'" in refused(capsys, "--encoder", "nobody/none", "--data", "good.csv")


@pytest.mark.parametrize(
    ("config", "tokenizer", "words"),
    [
        ({"num_hidden_layers": 2, "hidden_size": 8}, None, "tokenizer.json missing"),
        ({"num_hidden_layers": 2, "auto_map": {"AutoModel": "evil.Model"}}, "{}", "Python code of its own"),
        ({"hidden_size": 8}, "{}", "has no num_hidden_layers"),
    ],
)
def test_encoder_folders_that_are_none(
    config: dict[str, object], tokenizer: str | None, words: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "model").mkdir()
    (place / "model" / "config.json").write_text(json.dumps(config))
    if tokenizer is not None:
        (place / "model" / "tokenizer.json").write_text(tokenizer)
    assert words in refused(capsys, "--encoder", "model", "--data", "good.csv")


@pytest.mark.parametrize(
    "flags", [("--delta", "--features"), ("--delta", "--export-classic"), ("--features", "--export-classic")]
)
def test_heads_that_exclude_each_other(flags: tuple[str, ...], place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "--encoder", "x", "--data", "good.csv", *flags)
    assert f"{flags[0]} and {flags[1]} write different heads" in said


def test_a_full_disk_leaves_whole_rows(tmp_path: Path) -> None:
    """Files of 4 kB at most: 10 rows of 256 bytes fit, 10 more do not; after that the first ten are there, whole."""
    program = (
        "import resource, sys\nimport numpy as np\nfrom pathlib import Path\n"
        "from hwml_sdk.encoder_cache import VectorCache\nfrom hwml_sdk.errors import HwmlError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "cache = VectorCache({'layers': [1]}, 64, root=Path(sys.argv[1]))\n"
        "for part in (0, 10):\n"
        "    try:\n"
        "        cache.add([str(n) for n in range(part, part + 10)], np.full((10, 1, 64), part, dtype=np.float32))\n"
        "    except HwmlError as error:\n"
        "        print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot write: File too large; free space" in said.stdout
    texts = [str(n) for n in range(20)]
    cache = VectorCache({"layers": [1]}, 64, root=tmp_path)
    left = cache.missing(texts)
    assert set(texts[10:]) >= set(left) != set()
    cache.add(left, np.full((len(left), 1, 64), 10, dtype=np.float32))
    assert cache.get(texts, 1)[:, 0].tolist() == [0] * 10 + [10] * 10
