"""Kernels whose labels were looked at while the rules of the closed form were written.

Held-out figures are printed with and without them: a rule that was fitted to a label is no prediction of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...qor.learned.dataset import Rows

EVERY = frozenset({"*"})
# Half of the Merlin kernels, by the hash of their names: their labels showed what each pragma does. Rules for trmm,
# seidel-2d and gemm-ncubed of the other half were kept because their figures rose.
_MERLIN = frozenset({
    "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked", "gemm-ncubed",
    "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d", "symm-opt-medium",
    "syr2k", "syrk", "trmm", "trmm-opt",
})  # fmt: skip
INSPECTED: dict[str, frozenset[str]] = {
    "collectivehls": EVERY,
    "forgehls-kernels": frozenset({
        "alu_16bit", "alu_32bit", "alu_64bit", "attention_augmented_convolution", "backprop", "beam_search",
        "canny_edge_detection", "conv_layer", "depthwise_separable_conv", "edge_detector",
        "federated_adversarial_learning", "federated_continual_learning", "federated_multi_view_learning",
        "fpn", "fsm", "gaussian_blur", "hierarchical_classification", "homogeneity_score", "image_convolution",
        "lstm_cell", "md5", "morphological_operations", "multi_purpose_audio_video_processor",
        "one_hot_encoding", "privacy_preserving_ml", "random_erasing", "rpn", "sobel_edge_detection",
        "sort_radix", "stencil_stencil2d", "unet_block", "universal_shift_register",
        "video_enhancement_processor",
    }),
    "github": EVERY,
    "hgbo-dse": frozenset({
        "bfs-bulk", "fft-strided", "md-knn", "nw-nw", "sort-radix", "stencil-stencil3d",
    }),
    "hlsyn": frozenset({
        "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked",
        "gemm-ncubed", "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d",
        "symm-opt-medium", "syr2k", "syrk", "trmm", "trmm-opt",
    }),
    "hlsyn-vitis": frozenset({
        "3mm", "gemm-blocked", "gesummv-medium", "heat-3d", "jacobi-1d", "md", "nw", "seidel-2d",
        "spmv-ellpack", "stencil-3d", "stencil_stencil2d", "symm", "symm-opt", "symm-opt-medium", "trmm",
    }),
    "llm-dse": frozenset({
        "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked",
        "gemm-ncubed", "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d",
        "symm-opt-medium", "syr2k", "syrk", "trmm", "trmm-opt",
    }),
    "prometheus": EVERY,
    "streamhls": EVERY,
    "ucla-db-v18": frozenset({
        "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked",
        "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d",
        "symm-opt-medium", "syr2k", "syrk", "trmm", "trmm-opt",
    }),
    "ucla-db-v20": frozenset({
        "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked",
        "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d",
        "symm-opt-medium", "syr2k", "syrk", "trmm", "trmm-opt",
    }),
    "ucla-db-v21": frozenset({
        "2mm", "atax", "atax-medium", "bicg", "bicg-large", "doitgen", "fdtd-2d-large", "gemm-blocked",
        "gemm-p", "gemm-p-large", "gemver", "gemver-medium", "seidel-2d", "stencil", "stencil-3d",
        "symm-opt-medium", "syr2k", "syrk", "trmm", "trmm-opt",
    }),
}  # fmt: skip


def inspected(rows: Rows) -> NDArray[np.bool_]:
    """Which rows belong to a kernel that was looked at, [n]."""
    names = zip(rows.source.tolist(), rows.kernel.tolist(), strict=True)
    kernels = [(INSPECTED.get(source, frozenset()), kernel) for source, kernel in names]
    return np.array([known is EVERY or kernel in known for known, kernel in kernels], dtype=bool)
