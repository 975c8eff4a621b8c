"""An artefact whose sums are right and whose parts do not fit together is refused when it is loaded, in one line."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwml_sdk.artifact import Artifact, write
from hwml_sdk.errors import ArtifactError
from hwml_sdk.qor.model import QorModel


def changed(folder: Path, config: dict[str, Any], files: dict[str, bytes]) -> QorModel:
    """The shipped model with some of its configuration and files replaced."""
    shipped = Artifact.load("qor", kind="qor")
    every = {name: shipped.file(name).read_bytes() for name in shipped.files}
    write(folder / "it", kind="qor", files={**every, **files}, config={**shipped.config, **config},
          metrics=shipped.metrics, provenance=shipped.provenance)  # fmt: skip
    return QorModel.load(folder / "it")


def refused(model: QorModel) -> None:
    with pytest.raises(ArtifactError) as caught:
        _ = model.corrector
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("labels", None), ("ratio", "x"), ("fill", []), ("fill", [1.0]), ("ratio", [True]), ("seen", {}), ("seen", None),
     ("seen", {"parts": 3, "tools": [], "clock_period_ns": [5.0]}), ("calibration", []),
     ("seen", {"parts": ["p"], "tools": [], "clock_period_ns": ["x"]}), ("feature_names", ["lut"])],
)  # fmt: skip
def test_a_wrong_type_in_the_configuration(tmp_path: Path, name: str, value: Any) -> None:
    refused(changed(tmp_path, {name: value}, {}))


def packed(name: str, value: Any) -> bytes:
    with np.load(Artifact.load("qor", kind="qor").file("unlike.npz")) as archive:
        arrays = {key: archive[key] for key in archive.files}
    stream = io.BytesIO()
    np.savez(stream, **{**arrays, name: value})
    return stream.getvalue()


@pytest.mark.parametrize("name", ["mean", "scale", "points", "contexts", "context_columns"])
@pytest.mark.parametrize("value", [np.array(["x"]), np.zeros(0), np.array([{}], dtype=object), np.zeros(3, "M8[s]")])
def test_an_array_of_another_kind(tmp_path: Path, name: str, value: Any) -> None:
    refused(changed(tmp_path, {}, {"unlike.npz": packed(name, value)}))


def test_an_archive_that_swells(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, mean=np.zeros(9 << 20))  # 72 MB of noughts in 72 kB
    with pytest.raises(ArtifactError, match="when unpacked"):
        _ = changed(tmp_path, {}, {"unlike.npz": stream.getvalue()}).corrector


@pytest.mark.parametrize("data", [b"", b"hello", packed("mean", np.zeros(3))[:999]])
def test_a_damaged_archive(tmp_path: Path, data: bytes) -> None:
    refused(changed(tmp_path, {}, {"unlike.npz": data}))


def test_a_model_of_something_else(tmp_path: Path) -> None:
    other = Artifact.load("cost_model", kind="cost_model")
    refused(changed(tmp_path, {}, {"members.onnx": other.file("model.onnx").read_bytes()}))
