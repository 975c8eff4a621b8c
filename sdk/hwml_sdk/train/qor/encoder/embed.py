"""Texts to vectors, each once: encoder, cache and the executor that spreads the work."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....encoder_cache import CHUNK, Key, VectorCache
from ....encoders import TextEncoder, encoder_folder, read_config
from ....errors import ArtifactError, DataError, HwmlError
from ....executor import Executor
from ....qor.learned.encoder.template import TEMPLATE_VERSION
from .config import LAYER_SHARES, EncoderConfig

POOLING = "mean"
Floats = NDArray[np.float32]
Step = Callable[[str], None]
_SPREAD = CHUNK  # texts of one item that an executor sends away: batches as they are here, so that no bit differs


def candidates(config: EncoderConfig) -> tuple[int, ...]:
    """Layers of the probe, from 1: those asked for, or shares of the depth; the deepest decides what is loaded."""
    depth = int(read_config(encoder_folder(config.encoder)).get("num_hidden_layers", 0))
    if not depth:
        raise ArtifactError(f"{config.encoder}: its config.json has no num_hidden_layers")
    chosen = config.layers or tuple(max(1, round(share * depth)) for share in LAYER_SHARES)
    return tuple(sorted(set(chosen)))


def open_encoder(config: EncoderConfig) -> TextEncoder:
    """The encoder with the blocks up to the deepest candidate. Raises ArtifactError, MissingDependencyError."""
    return TextEncoder.load(
        config.encoder, max_tokens=config.max_length, layers=candidates(config), dtype=config.dtype,
        words=batch_words(config),
    )  # fmt: skip


def batch_words(config: EncoderConfig) -> int:
    """Tokens of one batch, filling included."""
    return config.batch_size * config.max_length


def vector_key(encoder: TextEncoder) -> Key:
    """Everything that decides a vector besides its text."""
    return {
        "template_version": TEMPLATE_VERSION,
        "encoder": encoder.folder.name,
        "revision": encoder.revision,
        "max_length": encoder.max_tokens,
        "pooling": POOLING,
        "dtype": encoder.dtype,
        "layers": list(encoder.layers),
    }


def embedded(
    texts: Sequence[str], encoder: TextEncoder, config: EncoderConfig, step: Step, part: str = "train"
) -> VectorCache:
    """The cache with all vectors of `texts` in it; what an earlier run embedded is not embedded again."""
    cache = VectorCache(vector_key(encoder), encoder.width, part)
    if config.rebuild_cache:
        cache.clear()

    def progress(done: int, of: int) -> None:
        step(f"{part}: {done} of {of} texts embedded")

    if config.executor:
        _spread(cache, texts, encoder, config, progress)
    else:
        cache.fill(texts, encoder.layer_vectors, progress)
    return cache


def _spread(
    cache: VectorCache, texts: Sequence[str], encoder: TextEncoder, config: EncoderConfig,
    progress: Callable[[int, int], None],
) -> None:  # fmt: skip
    """Embed on other processes or machines; what a worker has finished is kept as it comes, whatever happens next."""
    todo = sorted(cache.missing(texts), key=len)
    settings = {
        "encoder": str(encoder.folder), "max_tokens": encoder.max_tokens, "layers": list(encoder.layers),
        "dtype": encoder.dtype, "revision": encoder.revision, "words": batch_words(config),
    }  # fmt: skip
    items: dict[str, dict[str, Any]] = {
        str(start): {"texts": todo[start : start + _SPREAD], **settings} for start in range(0, len(todo), _SPREAD)
    }
    done, lost = 0, ""
    for outcome in make_executor(config.executor).run("hwml_sdk.train.qor.encoder.embed:embed_item", items):
        if not outcome.ok:
            lost = outcome.error
            continue
        sent = items[outcome.key]["texts"]
        vectors = np.array(outcome.value["vectors"], dtype=np.float32)
        cache.add(sent, vectors.reshape(len(sent), len(encoder.layers), encoder.width))
        done += len(sent)
        progress(done, len(todo))
    if lost:
        raise HwmlError(f"{len(todo) - done} texts were not embedded: {lost}; run again, the others are kept")


def make_executor(name: str) -> Executor:
    """`local`, `ray`, or `ray://ADDRESS`. Raises DataError for another name."""
    if name in ("local", "ray"):
        return Executor(backend="ray" if name == "ray" else "local", retries=2)
    if name.startswith("ray://"):
        return Executor(backend="ray", address=name, retries=2)
    raise DataError(f"no executor {name!r}: local, ray or ray://ADDRESS")


def embed_item(item: dict[str, Any]) -> dict[str, Any]:
    """One item of an executor, in a process of its own: texts to vectors, as plain numbers.

    Raises ArtifactError where the encoder of that machine is another one than the caller's.
    """
    encoder = TextEncoder.load(
        item["encoder"], max_tokens=item["max_tokens"], layers=item["layers"], dtype=item["dtype"], words=item["words"]
    )
    if encoder.revision != item["revision"]:
        raise ArtifactError(f"{item['encoder']}: is another revision on this machine")
    # float32 as a JSON number and back loses nothing: Python writes the shortest digits that give the double again.
    return {"vectors": encoder.layer_vectors(item["texts"]).ravel().tolist()}


def probe_mae(x: Floats, z: Floats, x_val: Floats, z_val: Floats, penalty: float = 30.0) -> float:
    """Mean absolute error (z-scores) on the validation rows of ridge regression from scaled vectors."""
    if not len(x_val):
        return math.nan
    inputs = np.c_[x, np.ones(len(x))].astype(np.float64)
    asked = np.c_[x_val, np.ones(len(x_val))].astype(np.float64)
    ridge = np.diag([*[penalty] * x.shape[1], 1e-9])
    errors = []
    for column, wanted in zip(z.T, z_val.T, strict=True):
        known, judged = np.isfinite(column), np.isfinite(wanted)
        if known.any() and judged.any():
            part = inputs[known]
            solution = np.linalg.solve(part.T @ part + ridge, part.T @ column[known])
            errors.append(np.abs(asked[judged] @ solution - wanted[judged]).mean())
    return float(np.mean(errors)) if errors else math.nan
