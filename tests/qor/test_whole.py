"""Training of the QoR model that is killed: the artefact is the old or the new one, and the next run ends alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.killing import killed_at_random, leftovers, run

from hwml_sdk.artifact import MANIFEST, Artifact

ROOT = Path(__file__).resolve().parents[2]
_TRAIN = f"""
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from tests.qor.tiny_artifact import real_features_table, train_tiny
train_tiny(Path(sys.argv[1]), real_features_table(seed=int(sys.argv[2])))
"""


def _sums(folder: Path) -> dict[str, str]:
    Artifact.load(folder, kind="qor").file("members.onnx")  # checks the sums
    sums: dict[str, str] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    return sums


@pytest.mark.timeout(7200)
@pytest.mark.slow  # where a kill falls depends on the machine
@pytest.mark.parametrize("count", [3, 30])
def test_training(count: int, tmp_path: Path) -> None:
    """A retraining (on other rows) is killed and run again, until the artefact is what an unbroken one makes."""
    place, unbroken, apart = (tmp_path / name / "qor" for name in ("place", "whole", "apart"))
    for folder, seed in ((place, "0"), (unbroken, "1")):
        assert run(_TRAIN, str(folder), seed).wait(280) == 0
    old, new = _sums(place), _sums(unbroken)
    assert old != new
    met = 0
    for hit in killed_at_random(_TRAIN, [str(place), "1"], count, seed=17, apart=[str(apart), "1"]):
        met += hit
        assert _sums(place) in (old, new)
    assert run(_TRAIN, str(place), "1").wait(280) == 0
    assert _sums(place) == _sums(apart) == new
    assert met >= count // 2
    assert leftovers(tmp_path) == []
