"""The cost model for prediction: numpy or ONNX, neither Halide nor torch."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..artifact import Artifact, resolve
from ..errors import ArtifactError, DataError
from ..files import read_bytes, write_atomic
from .data.samples import MAX_FEATURE, Floats
from .machine import this_machine
from .net.onnx import OnnxPredictor, to_onnx
from .net.terms import Predictor, as_pipeline, as_schedules
from .net.weights import KIND, Weights

ONNX_FILE = "model.onnx"
_MOST_BITS = np.float32(MAX_FEATURE).view(np.uint32)


class OtherMachineWarning(UserWarning):
    """The weights were trained on another kind of machine."""


class CostModel:
    """Predicts run times of schedules from adams2019 features.

    >>> model = CostModel.load("my.weights")
    >>> model.predict(pipeline_features, schedule_features, num_cores=8)   # (n,) milliseconds
    """

    def __init__(self, weights: Weights | None, predictor: Predictor | OnnxPredictor, artifact: Artifact | None = None):
        self.weights = weights
        """None for a bare ONNX file"""
        self.artifact = artifact
        self._predictor = predictor

    @classmethod
    def load(cls, path: str | Path) -> CostModel:
        """A `.weights` or `.json` file, an exported `.onnx` file, an artefact folder, or `"cost_model"` (shipped).

        Warns (OtherMachineWarning) when an artefact was trained on another kind of machine. Raises DataError or
        ArtifactError.
        """
        suffix = Path(path).suffix
        if suffix == ".onnx":
            return cls(None, _onnx(Path(path)))
        if suffix == ".json":
            return cls.from_weights(Weights.load_from_json(path))
        if suffix == ".weights" or (Path(path).is_dir() and not (Path(path) / "artifact.json").is_file()):
            return cls.from_weights(Weights.load_from_file(path))
        artifact = Artifact.load(resolve(path), kind=KIND)
        weights = Weights.of_artifact(artifact)
        _warn_other_machine(artifact)
        return cls(weights, Predictor(weights), artifact)

    @classmethod
    def from_weights(cls, weights: Weights) -> CostModel:
        """A model of these weights."""
        return cls(weights, Predictor(weights))

    def predict(self, pipeline_features: Any, schedule_features: Any, num_cores: float) -> Floats:
        """Run times (n,) in milliseconds of n schedules of one pipeline.

        `pipeline_features`: (stages, 41, 7) as stored, (stages, 40, 7) as the network is fed, or these flattened;
        `schedule_features`: (n, stages, 39), or (stages, 39) for one. Raises DataError for other shapes and for
        values no featurization has (NaN, negative, over 1e14).
        """
        pipeline = as_pipeline(pipeline_features)
        schedule = as_schedules(schedule_features, len(pipeline))
        if not len(pipeline):
            raise DataError("a pipeline has at least one stage")
        if not num_cores >= 1 or num_cores == np.inf:
            raise DataError(f"num_cores is {num_cores!r}; at least 1 was expected")
        for name, values in (("pipeline", pipeline), ("schedule", schedule)):
            if not _plausible(values):
                raise DataError(f"{name} features must be numbers from 0 to 1e14, without NaN")
        return self._predictor.predict(pipeline, schedule, num_cores)

    def export_onnx(self, path: str | Path) -> None:
        """Write an ONNX model; the onnx package (extra `halide`) is needed for that, onnxruntime to run it."""
        if self.weights is None:
            raise DataError("this model was loaded from ONNX: export from its weights instead")
        write_atomic(path, to_onnx(self.weights))


def _plausible(values: Floats) -> bool:
    """Whether all values lie from 0 to `MAX_FEATURE`, none NaN."""
    if not values.size:
        return True
    # Patterns of bits rise with the numbers, those of NaN and of what is negative lie above: one pass instead of two.
    if values.view(np.uint32).max() <= _MOST_BITS:
        return True
    return bool(values.min() >= 0 and values.max() <= MAX_FEATURE)  # -0.0 is a 0, too


def _onnx(path: Path) -> OnnxPredictor:
    try:
        data = read_bytes(path)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", path=path) from error
    return OnnxPredictor(data, str(path))


def _warn_other_machine(artifact: Artifact) -> None:
    trained = artifact.provenance.get("machine", {})
    if not isinstance(trained, dict):
        raise ArtifactError(f"{artifact.path}: provenance names no machine; reinstall or retrain")
    here = this_machine()
    if trained and (trained.get("cpu"), trained.get("cores")) != (here.cpu, here.cores):
        warnings.warn(
            f"{artifact.path.name}: trained on {trained.get('cpu')}, {trained.get('cores')} cores, not on {here.kind}: "
            "the order may differ; sample and retrain here",
            OtherMachineWarning,
            stacklevel=3,
        )
