"""Nothing is told to anybody: no model that hwml opens is reported to the maker of the library that runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PREDICT = """
import sys
import numpy as np
from hwml_sdk import predict_qor
from hwml_sdk.qor.learned.correct import Corrector
predict_qor(sys.argv[1])
corrector = Corrector.load("qor")  # its members are asked here: a prediction opens them only where they have a say
corrector.members(np.zeros((1, len(corrector.feature_names)), np.float32))
print("onnxruntime" in sys.modules)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_onnxruntime_reports_nothing(tmp_path: Path) -> None:
    """Its reporter begins with two files: an identifier of the machine, and a queue of what is to be sent.

    With CI set it would be silent by itself, and so would it in a home that nobody can write.
    """
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS", "GITHUB_ACTIONS", "TF_BUILD", "BUILD_ID")
    env = {name: value for name, value in os.environ.items() if name not in quiet}
    env |= {"HOME": str(tmp_path), **{f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CACHE", "DATA", "STATE")}}
    argv = [sys.executable, "-P", "-c", PREDICT, str(ROOT / "examples/fir.cpp")]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stdout + done.stderr
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file() and "hwml" not in path.parts] == []
