"""Vectors of texts on the disk, so that no text is embedded twice.

One folder a key: a hash of template version, encoder and its revision, length limit, pooling, dtype and layers, written
out in `key.json`; what differs in any of them is another folder, never a silent reuse. In it, for each part ("train",
"ood"):

    PART.index      sha256 of each text, 32 bytes a row
    PART.vectors    float32 [n, layers, width], row after row; mapped, never read whole

Vectors are written before their hashes, under a lock, so that a run that was killed, or a full disk, leaves whole rows
behind; what stands beyond the last hash is written over. Several processes may share a folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import user_cache_dir
from .errors import HwmlError
from .files import locked, write_atomic
from .interrupt import heed_ctrl_c

Floats = NDArray[np.float32]
Key = Mapping[str, Any]
_HASH_BYTES = 32
CHUNK = 64  # texts embedded between two writes: what a killed run loses at most


def text_hash(text: str) -> bytes:
    """What a text is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class VectorCache:
    """The vectors of one key. key: plain JSON values, `layers` among them."""

    def __init__(self, key: Key, width: int, part: str = "train", *, root: Path | None = None) -> None:
        self.key = dict(key)
        self.layers = tuple(int(layer) for layer in key["layers"])
        self.width = width
        self._part = part
        digest = hashlib.sha256(json.dumps(self.key, sort_keys=True).encode()).hexdigest()[:32]
        self.folder = (root or user_cache_dir() / "encoders" / "vectors") / digest
        self._rows: dict[bytes, int] = {}
        self._read_index()

    def __len__(self) -> int:
        return len(self._rows)

    def clear(self) -> None:
        """Forget all vectors of this key and part."""
        with locked(self.folder, self._part):
            for path in (self._index, self._vectors):
                path.unlink(missing_ok=True)
        self._rows = {}

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Texts without a vector, each once, in order."""
        return [text for text in dict.fromkeys(texts) if text_hash(text) not in self._rows]

    def get(self, texts: Sequence[str], layer: int) -> Floats:
        """[n, width] of one layer, for texts that all have vectors; only what is asked for is read."""
        rows = [self._rows[text_hash(text)] for text in texts]
        if not rows:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.asarray(self._mapped()[rows, self.layers.index(layer)])

    def add(self, texts: Sequence[str], vectors: Floats) -> None:
        """Keep the vectors [n, layers, width] of texts. Raises HwmlError where the disk is full or not writable."""
        size = len(self.layers) * self.width * 4
        try:
            with locked(self.folder, self._part):
                self._read_index()  # another process may have added rows meanwhile
                fresh = [i for i, text in enumerate(texts) if text_hash(text) not in self._rows]
                raw = np.ascontiguousarray(vectors[fresh], dtype="<f4").tobytes()
                _put(self._vectors, len(self._rows) * size, raw)
                _put(self._index, len(self._rows) * _HASH_BYTES, b"".join(text_hash(texts[i]) for i in fresh))
                for i in fresh:
                    self._rows.setdefault(text_hash(texts[i]), len(self._rows))
        except OSError as error:
            raise HwmlError(
                f"{self.folder}: cannot write: {error.strerror or error}; free space (what is there stays whole) or "
                "set HWML_CACHE_DIR"
            ) from error

    def fill(
        self, texts: Sequence[str], embed: Callable[[Sequence[str]], Floats], progress: Callable[[int, int], None]
    ) -> int:
        """Embed what is missing, short texts first, and keep each chunk as it comes; how many were embedded.

        embed: texts to [n, layers, width]. progress: told how many of how many are done.
        """
        todo = sorted(self.missing(texts), key=len)
        for start in range(0, len(todo), CHUNK):
            heed_ctrl_c()
            chunk = todo[start : start + CHUNK]
            self.add(chunk, embed(chunk))
            progress(start + len(chunk), len(todo))
        return len(todo)

    @property
    def _index(self) -> Path:
        return self.folder / f"{self._part}.index"

    @property
    def _vectors(self) -> Path:
        return self.folder / f"{self._part}.vectors"

    def _read_index(self) -> None:
        try:
            if not (self.folder / "key.json").is_file():
                write_atomic(self.folder / "key.json", json.dumps(self.key, indent=1, sort_keys=True) + "\n")
            raw = self._index.read_bytes() if self._index.is_file() else b""
            size = len(self.layers) * self.width * 4
            held = self._vectors.stat().st_size // size if self._vectors.is_file() else 0
        except OSError as error:
            raise HwmlError(f"{self.folder}: cannot read: {error.strerror or error}") from error
        whole = min(len(raw) // _HASH_BYTES, held)
        self._rows = {raw[i * _HASH_BYTES : (i + 1) * _HASH_BYTES]: i for i in range(whole)}

    def _mapped(self) -> NDArray[np.float32]:
        row = len(self.layers) * self.width
        count = self._vectors.stat().st_size // (4 * row)
        return np.memmap(self._vectors, dtype="<f4", mode="r", shape=(count, len(self.layers), self.width))


def _put(path: Path, offset: int, data: bytes) -> None:
    """Write at an offset and nothing behind it. Raises OSError; what stands before the offset is as it was."""
    with path.open("r+b" if path.is_file() else "w+b") as stream:
        stream.truncate(offset)
        stream.seek(offset)
        stream.write(data)
