"""Small pipelines by name, to sample and to train on: image processing, linear algebra, stencils, tables.

`HELD_OUT` are of kinds that are nowhere in the training part, to judge what was trained on that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import HwmlError
from . import held_out, images, linear
from .random_pipelines import random_pipeline

Build = Callable[[], Any]


def build(name: str) -> Any:
    """The Func or Pipeline of a name. Raises HwmlError that lists the names."""
    found = {**TRAINING, **HELD_OUT}.get(name)
    if found is None:
        raise HwmlError(f"suite:{name}: no such pipeline; there are {', '.join(sorted({**TRAINING, **HELD_OUT}))}")
    return found()


TRAINING: dict[str, Build] = {
    "blur_a": partial(images.blur, 768, 1),
    "blur_b": partial(images.blur, 512, 4),
    "blur_bytes": partial(images.blur, 1024, 2, integer=True),
    "gaussian_a": partial(images.gaussian, 512, (0.5, 0.2)),
    "gaussian_b": partial(images.gaussian, 640, (0.6, 0.4, 0.2, 0.1)),
    "sobel_float": partial(images.sobel, 640, integer=False),
    "sobel_bytes": partial(images.sobel, 896, integer=True),
    "convolution_3": partial(linear.convolution, 512, 3),
    "convolution_7": partial(linear.convolution, 320, 7),
    "depthwise_a": partial(linear.depthwise, 96, 32),
    "depthwise_b": partial(linear.depthwise, 224, 8),
    "pointwise_layer_a": partial(linear.pointwise_layer, 48, 32, 64),
    "pointwise_layer_b": partial(linear.pointwise_layer, 96, 16, 16),
    "matmul_a": partial(linear.matmul, 192),
    "matmul_b": partial(linear.matmul, 320, relu=True),
    "matmul_transposed": partial(linear.matmul, 224, transposed=True),
    "matmul_bytes": partial(linear.matmul, 256, integer=True),
    "gemv_a": partial(linear.gemv, 1024, 512),
    "gemv_b": partial(linear.gemv, 256, 2048),
    "outer": partial(linear.outer, 768),
    "distances_a": partial(linear.distances, 256, 16),
    "distances_b": partial(linear.distances, 384, 4),
    "histogram": partial(images.histogram, 512),
    "table": partial(images.table, 1024),
    "morphology_a": partial(images.morphology, 640, 1),
    "morphology_b": partial(images.morphology, 512, 3),
    "median": partial(images.median, 896),
    "chain_a": partial(images.chain, 512, 4),
    "chain_b": partial(images.chain, 384, 10),
    "heat_a": partial(images.heat, 512, 3),
    "heat_b": partial(images.heat, 320, 8),
    "color": partial(images.color, 512),
    "matrix_color": partial(images.matrix_color, 512),
    "integral": partial(images.integral, 640),
    "layer_norm_a": partial(linear.layer_norm, 512, 512),
    "layer_norm_b": partial(linear.layer_norm, 128, 1024),
    "pool_max": partial(linear.pool, 192, 16, maximum=True),
    "pool_mean": partial(linear.pool, 320, 4, maximum=False),
    "resize": partial(images.resize, 384),
    "transpose": partial(linear.transpose, 768),
    "recursive": partial(images.recursive, 640),
    "polynomial": partial(linear.polynomial, 512),
    "demosaic": partial(images.demosaic, 512),
    "complex_product": partial(linear.complex_product, 512),
    "local_variance_a": partial(images.local_variance, 448, 1),
    "local_variance_b": partial(images.local_variance, 320, 4),
    "wavelet": partial(images.wavelet, 320),
    "fir_a": partial(linear.fir, 2048, 16),
    "fir_b": partial(linear.fir, 1024, 64),
    "absolute_differences": partial(images.absolute_differences, 192, 16),
    **{f"random_{seed}": partial(random_pipeline, seed) for seed in range(100, 148)},
}
HELD_OUT: dict[str, Build] = {
    "unsharp": partial(held_out.unsharp, 512),
    "harris": partial(held_out.harris, 512),
    "conv_layer": partial(held_out.conv_layer, 56, 32),
    "bilateral": partial(held_out.bilateral, 256),
    "pyramid": partial(held_out.pyramid, 768, 4),
    "equalise": partial(held_out.equalise, 768),
    "softmax": partial(held_out.softmax, 512, 512),
    "two_layers": partial(held_out.two_layers, 192),
}
