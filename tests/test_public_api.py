"""The public names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import hwml_sdk

HEAVY = ("torch", "sklearn", "transformers", "numpy", "onnxruntime", "tree_sitter", "rich", "pygls", "scipy")


def test_names_are_sorted_and_there() -> None:
    assert hwml_sdk.__all__ == sorted(hwml_sdk.__all__)
    assert dir(hwml_sdk) == hwml_sdk.__all__
    for name in hwml_sdk.__all__:
        if name in ("QorModel", "predict_qor") and find_spec("hwml_sdk.qor.model") is None:
            continue
        assert getattr(hwml_sdk, name).__name__ == name


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="predict_qro"):
        hwml_sdk.predict_qro  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize(
    "code",
    ["import hwml_sdk", "import hwml_sdk.cli", "from hwml_sdk import Settings, analyze, HwmlError, Diagnostic"],
)
def test_importing_loads_nothing_heavy(code: str) -> None:
    script = f"{code}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_settings_of_a_document_ask_no_other_language(tmp_path: Path) -> None:
    (tmp_path / "hls_config.cfg").write_text("clock=5\n")
    for name, code in (("A.scala", "False 10.0"), ("k.cpp", "True 5.0")):
        script = (
            "import sys\nfrom hwml_sdk.config import load_settings\n"
            f"found = load_settings({str(tmp_path / name)!r}, trusted=False)\n"
            "print('hwml_sdk.qor.project.project' in sys.modules, found.hls.clock_period_ns)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == code


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom hwml_sdk.cli import main\nmain([])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "hwml qor lint" in done.stdout
