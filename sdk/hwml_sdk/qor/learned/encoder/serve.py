"""Vectors of designs that are asked about: out of the cache, from a small encoder here, or from a helper process.

A small encoder runs in onnxruntime. A heavy one needs torch, which never enters the process that asks: a helper holds
it, started when it is first needed, shared by all processes of the user, and gone after a while without questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from ....encoder_cache import VectorCache
from ....encoders import TextEncoder, encoder_folder, is_light, read_config
from ....errors import ArtifactError
from .head import Recipe
from .service import PATIENCE_S, Helper
from .template import TEMPLATE_VERSION, Sample

Floats = NDArray[np.float32]


class VectorSource:
    """Vectors as the recipe of an artefact made them."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._encoder: TextEncoder | None = None
        self._cache: VectorCache | None = None

    def vectors(self, samples: Sequence[Sample]) -> Floats:
        """[n, width]. Raises ArtifactError (no such encoder, another revision), ToolFailedError (the helper)."""
        cache = self._cache = self._cache or self._open_cache()
        texts = [sample.text() for sample in samples]  # whole ones: how they are cut follows from the recipe
        missing = set(cache.missing(texts))
        todo = {text: sample for text, sample in zip(texts, samples, strict=True) if text in missing}
        if todo:
            found = self._embedded(list(todo.values()))
            cache.add(list(todo), found[:, None, :])
        return cache.get(texts, self._recipe.layer)

    @property
    def waits_s(self) -> float:
        """How long the helper of a heavy encoder may take; 0 for one that runs here, or is not there at all."""
        try:
            folder = encoder_folder(self._recipe.encoder)
            return 0.0 if is_light(folder, read_config(folder)) else PATIENCE_S
        except ArtifactError:
            return 0.0

    def _open_cache(self) -> VectorCache:
        key = {**asdict(self._recipe), "template_version": TEMPLATE_VERSION, "layers": [self._recipe.layer]}
        return VectorCache(key, self._recipe.width, "served")

    def _embedded(self, samples: Sequence[Sample]) -> Floats:
        folder = encoder_folder(self._recipe.encoder)
        if not is_light(folder, read_config(folder)):
            return Helper(self._recipe).vectors(samples)
        if self._encoder is None:
            self._encoder = open_for(self._recipe)
        return embed(self._encoder, samples)


def open_for(recipe: Recipe) -> TextEncoder:
    """The encoder of a recipe. Raises ArtifactError where another one has taken its place."""
    encoder = TextEncoder.load(recipe.encoder, max_tokens=recipe.max_length, layers=(recipe.layer,), dtype=recipe.dtype)
    if encoder.width != recipe.width:
        raise ArtifactError(
            f"{encoder.folder}: gives vectors of {encoder.width} numbers, the head was trained on {recipe.width}; "
            "name the encoder it was trained with, or retrain"
        )
    if recipe.revision and encoder.revision != recipe.revision:
        raise ArtifactError(
            f"{encoder.folder}: its weights or tokeniser are others than those the head was trained on; retrain"
        )
    return encoder


def embed(encoder: TextEncoder, samples: Sequence[Sample]) -> Floats:
    """[n, width]."""
    texts = [sample.fitted(encoder.count, encoder.max_tokens) for sample in samples]
    return encoder.layer_vectors(texts)[:, -1]
