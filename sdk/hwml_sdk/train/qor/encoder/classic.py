"""The classic folder of the recipe, in and out: `model.pt`, `x_scaler.pkl`, `y_stats.json`, `config.json`.

Neither pickle is ever loaded as pickles are: `model.pt` goes through `pickles` (tensors and containers alone), and
`x_scaler.pkl` through an unpickler that knows scikit-learn's StandardScaler and numbers; all else is refused by name.
"""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....artifact import Artifact, write
from ....encoders import TextEncoder, encoder_folder
from ....errors import ArtifactError, DataError, MissingDependencyError, RefusedError
from ....files import parse_json, read_bytes
from ....pickles import names_in, read_pickled
from ....qor.learned.encoder.head import (
    KIND,
    MODEL_FILE,
    NAMES,
    ONNX_FILE,
    SCALER_FILE,
    STATS_FILE,
    TARGETS,
    TargetStats,
    Weights,
)
from ....qor.learned.encoder.template import TEMPLATE_VERSION
from ....safetensors import to_safetensors
from ....tensors import Tensor, from_float32, to_float32
from .fit import Fitted, Head, Scaler
from .onnx import to_onnx

MODEL_PT, SCALER_PKL = "model.pt", "x_scaler.pkl"
# Where the layers stand in LayerNorm, Linear, ReLU, Dropout, Linear, ReLU, Linear as one torch.nn.Sequential.
_PLACES = {"norm": 0, "first": 1, "second": 4, "last": 6}
_SPELLINGS = {
    "encoder": ("encoder", "model_name", "encoder_name", "base_model"),
    "best_layer": ("best_layer", "layer"),
    "max_length": ("max_length", "max_len"),
    "mean": ("mean", "y_mean"),
    "std": ("std", "scale", "y_std"),
    "log_mask": ("log_mask", "log1p", "log_targets"),
}
_MAX_SCALER_BYTES = 16 << 20
_KINDS = {"f8": "<f8", "f4": "<f4", "i8": "<i8", "i4": "<i4"}


def import_classic(folder: Path, out: Path, *, encoder: str = "") -> Artifact:
    """An artefact folder of a classic one. encoder: the folder or name of the encoder, where config.json's is not it.

    Raises RefusedError (pickles that name anything else), ArtifactError (missing or odd files), HwmlError.
    """
    missing = [name for name in (MODEL_PT, STATS_FILE, "config.json") if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in (SCALER_PKL, SCALER_FILE)):
        missing.append(SCALER_PKL)
    if missing:
        raise ArtifactError(f"{folder}: no classic encoder folder: {', '.join(missing)} missing")
    said = _object(folder / "config.json")
    weights = read_head(folder / MODEL_PT)
    scaler = read_scaler(folder)
    stats = _stats(folder / STATS_FILE)
    width = len(weights["norm.weight"])
    if len(scaler.mean) != width:
        raise ArtifactError(f"{folder}: the scaler is of {len(scaler.mean)} numbers, the head of {width}")
    name = encoder or str(_value(said, "encoder", folder / "config.json"))
    config = _config(said, name, width, folder)
    fitted = Fitted(scaler, stats, (Head("head", "embedding", False, weights, ()),), np.ones((len(TARGETS), 1)))
    files = {
        MODEL_FILE: to_safetensors({f"head.{key}": from_float32(value, "float32") for key, value in weights.items()}),
        ONNX_FILE: to_onnx(fitted),
        SCALER_FILE: _json({"mean": scaler.mean.tolist(), "scale": scaler.scale.tolist()}),
        STATS_FILE: _json(stats.to_json()),
        "config.json": _json(config),
    }
    metrics = _object(folder / "metrics.json") if (folder / "metrics.json").is_file() else {}
    provenance = {"imported_from": str(folder), "template_version": said.get("template_version")}
    return write(out, kind=KIND, files=files, config=config, metrics=metrics, provenance=provenance)


def _config(said: Mapping[str, Any], name: str, width: int, folder: Path) -> dict[str, Any]:
    """Revision and dtype are those of the encoder that is here; without it the revision is not checked later on."""
    place = folder / "config.json"
    try:
        layer = int(_value(said, "best_layer", place))
        length = int(_value(said, "max_length", place))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"{place}: best_layer and max_length must be whole numbers") from error
    found = _encoder_here(name, length, layer)
    revision, length = (found.revision, found.max_tokens) if found is not None else ("", length)
    if found is not None and found.width != width:
        raise ArtifactError(f"{name}: gives vectors of {found.width} numbers, the head of {folder} takes {width}")
    return {
        "encoder": name, "revision": revision, "best_layer": layer, "width": width, "max_length": length,
        "dtype": "auto", "pooling": "mean", "template_version": TEMPLATE_VERSION,
        "targets": ["LUT", "DSP", "FF", "latency_cycles"], "intervals": None,
    }  # fmt: skip


def _encoder_here(name: str, length: int, layer: int) -> TextEncoder | None:
    """The encoder, or None where it is to be installed later. Raises ArtifactError for one that is here and no good."""
    try:
        encoder_folder(name)
    except ArtifactError:
        return None  # the head alone can be looked at without it
    try:
        return TextEncoder.load(name, max_tokens=length, layers=(layer,), dtype="auto")
    except MissingDependencyError:
        return None


def read_head(path: Path) -> Weights:
    """The eight tensors of the head, in the order in which they stand. Raises HwmlError."""
    stored = read_pickled(path)
    for key in ("state_dict", "model_state_dict", "model", "head"):
        if isinstance(stored, Mapping) and isinstance(stored.get(key), Mapping):
            stored = stored[key]
    tensors = [t for t in stored.values() if isinstance(t, Tensor)] if isinstance(stored, Mapping) else []
    if len(tensors) != len(NAMES):
        raise ArtifactError(f"{path}: {len(NAMES)} tensors of the head were expected, it has {len(tensors)}")
    weights = {name: to_float32(tensor, name) for name, tensor in zip(NAMES, tensors, strict=True)}
    width, hidden = len(weights["norm.weight"]), len(weights["first.bias"])
    last = len(weights["second.bias"])
    wanted = {
        "norm.weight": (width,), "norm.bias": (width,), "first.weight": (hidden, width), "first.bias": (hidden,),
        "second.weight": (last, hidden), "second.bias": (last,),
        "last.weight": (len(TARGETS), last), "last.bias": (len(TARGETS),),
    }  # fmt: skip
    for name, shape in wanted.items():
        if weights[name].shape != shape:
            raise ArtifactError(f"{path}: {name} has shape {weights[name].shape}, {shape} was expected")
    return weights


def read_scaler(folder: Path) -> Scaler:
    """`x_scaler.pkl`, or `x_scaler.json` beside it. Raises ArtifactError, RefusedError."""
    if not (folder / SCALER_PKL).is_file():
        data = _object(folder / SCALER_FILE)
        return _scaler(data.get("mean"), data.get("scale"), folder / SCALER_FILE)
    state = read_standard_scaler(folder / SCALER_PKL)
    return _scaler(state.get("mean_"), state.get("scale_"), folder / SCALER_PKL)


def _scaler(mean: Any, scale: Any, place: Path) -> Scaler:
    try:
        found = Scaler(np.asarray(mean, dtype=np.float32), np.asarray(scale, dtype=np.float32))
    except (TypeError, ValueError) as error:
        raise ArtifactError(f"{place}: has no mean and scale of numbers") from error
    if found.mean.ndim != 1 or found.mean.shape != found.scale.shape or not (np.abs(found.scale) > 0).all():
        raise ArtifactError(f"{place}: mean and scale do not fit each other")
    return found


class _Scaler:
    """Stands for sklearn.preprocessing.StandardScaler: what it holds, nothing it does."""

    def __setstate__(self, state: Any) -> None:
        self.state = dict(state) if isinstance(state, dict) else {}


class _Dtype:
    """Stands for numpy.dtype."""

    def __init__(self, code: Any, *_: Any) -> None:
        self.code = str(code)
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1])

    def real(self) -> np.dtype[Any]:
        """Numbers only."""
        if self.code not in _KINDS or self.order not in "<=|":
            raise pickle.UnpicklingError(f"numbers of the kind {self.order}{self.code}")
        return np.dtype(_KINDS[self.code])


class _Array:
    """Stands for numpy.ndarray."""

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, _, raw = state
        raw = raw.encode("latin1") if isinstance(raw, str) else raw
        self.value: NDArray[Any] = np.frombuffer(raw, dtype=dtype.real()).reshape([int(n) for n in shape])


def _from_buffer(raw: Any, dtype: Any, shape: Any, _order: Any) -> _Array:
    found = _Array()
    found.value = np.frombuffer(bytes(raw), dtype=dtype.real()).reshape([int(n) for n in shape])
    return found


def _scalar(dtype: Any, raw: Any) -> Any:
    raw = raw.encode("latin1") if isinstance(raw, str) else raw
    return np.frombuffer(raw, dtype=dtype.real())[0].item()


def _encode(text: Any, _encoding: Any = "latin1") -> bytes:
    return str(text).encode("latin1")


_ALLOWED: dict[str, Any] = {
    **{f"sklearn.preprocessing.{module}StandardScaler": _Scaler for module in ("_data.", "data.", "")},
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
    "_codecs.encode": _encode,
    **{f"numpy.{core}.multiarray._reconstruct": lambda *_: _Array() for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _ALLOWED:
            raise pickle.UnpicklingError(f"the name {module}.{name} is refused")
        return _ALLOWED[f"{module}.{name}"]


def read_standard_scaler(path: Path) -> dict[str, Any]:
    """What a pickled StandardScaler holds, its arrays as numpy's. Raises RefusedError (naming them), ArtifactError."""
    raw = read_bytes(path, max_bytes=_MAX_SCALER_BYTES)
    try:
        odd = sorted(set(names_in(raw)) - set(_ALLOWED))
    except ValueError as error:
        raise ArtifactError(f"{path}: is broken: its pickle cannot be read ({error})") from error
    if odd:
        raise RefusedError(
            f"{path}: refused, nothing in it was run: its pickle names {', '.join(odd)}; a StandardScaler saved by "
            f"pickle.dump, or its mean and scale as {SCALER_FILE}, is read"
        )
    try:
        found = _Unpickler(io.BytesIO(raw)).load()
    except Exception as error:  # whatever a broken pickle does to the machine that reads it
        raise ArtifactError(f"{path}: is broken: {error}") from error
    if not isinstance(found, _Scaler):
        raise ArtifactError(f"{path}: holds no StandardScaler")
    return {name: value.value if isinstance(value, _Array) else value for name, value in found.state.items()}


def _stats(path: Path) -> TargetStats:
    data = _object(path)
    found: dict[str, Any] = {}
    for name in ("mean", "std", "log_mask"):
        value = _value(data, name, path)
        if isinstance(value, Mapping):  # by target
            keys = {str(key).lower(): item for key, item in value.items()}
            value = [keys.get(target, keys.get(target.partition("_")[0])) for target in TARGETS]
        found[name] = value
    try:
        return TargetStats.from_json(found)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path}: {error}") from error


def _value(data: Mapping[str, Any], name: str, place: Path) -> Any:
    for spelling in _SPELLINGS[name]:
        if spelling in data:
            return data[spelling]
    raise ArtifactError(f"{place}: {name} is missing")


def _object(path: Path) -> Mapping[str, Any]:
    try:
        data = parse_json(read_bytes(path))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ArtifactError(f"{path}: a JSON object was expected")
    return data


def _json(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1) + "\n").encode()


# -- out -----------------------------------------------------------------------------------------------------------


def classic_files(fitted: Fitted) -> dict[str, bytes]:
    """`model.pt` and `x_scaler.pkl` for scripts that read those. Raises MissingDependencyError without torch."""
    if len(fitted.heads) != 1:
        raise DataError("--export-classic writes one head on the vectors: leave --features out")
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", "train") from error
    state = {
        f"net.{_PLACES[layer]}.{kind}": torch.from_numpy(np.ascontiguousarray(value))
        for name, value in fitted.heads[0].weights.items()
        for layer, _, kind in [name.partition(".")]
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return {MODEL_PT: buffer.getvalue(), SCALER_PKL: pickled_scaler(fitted.scaler)}


def pickled_scaler(scaler: Scaler) -> bytes:
    """A pickle that scikit-learn loads as a fitted StandardScaler, written without it."""
    mean, scale = scaler.mean.astype(np.float64), scaler.scale.astype(np.float64)
    state = {
        "with_mean": True, "with_std": True, "copy": True, "n_features_in_": len(mean), "n_samples_seen_": 1,
        "mean_": mean, "scale_": scale, "var_": scale**2, "_sklearn_version": "1.5.2",
    }  # fmt: skip
    # Opcodes of protocol 2 (pickletools): PROTO, GLOBAL, EMPTY_TUPLE, NEWOBJ, the state, BUILD, STOP.
    body = pickle.dumps(state, protocol=2)[2:-1]
    return b"\x80\x02csklearn.preprocessing._data\nStandardScaler\n)\x81" + body + b"b."
