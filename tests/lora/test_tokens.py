"""Tokens and back: bit for bit, over all dtypes and values that checkpoints hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwml_sdk.errors import DataError
from hwml_sdk.lora.tokens import Manifest, build_manifest, check_limit, detokenize, same_bits, tokenize
from hwml_sdk.tensors import Tensor, from_float32, to_float32

BITS = {"float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16}
STORED = {"float32": np.float32, "float16": np.float16, "bfloat16": np.uint16}
# All bits of the exponent set: infinite or NaN in each format (IEEE 754; bfloat16 is the upper half of a float32).
EXPONENT = {"float32": 0x7F800000, "float16": 0x7C00, "bfloat16": 0x7F80}


def _tensor(words: list[int], dtype: str, shape: tuple[int, ...]) -> Tensor:
    raw = np.asarray(words, dtype=BITS[dtype])
    raw[(raw & EXPONENT[dtype]) == EXPONENT[dtype]] = 1  # the least subnormal instead
    return Tensor(raw.view(STORED[dtype]).reshape(shape), dtype)


@given(st.sampled_from(sorted(BITS)), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40), st.integers(1, 9))
def test_every_finite_pattern_comes_back(dtype: str, words: list[int], width: int) -> None:
    """Subnormals, negative zeros, the largest: whatever the bits are."""
    cut = [word % (2 ** (32 if dtype == "float32" else 16)) for word in words]
    tensors = {"x.lora_A.weight": _tensor(cut, dtype, (len(cut),)), "x.lora_B.weight": _tensor(cut[:1], dtype, (1, 1))}
    manifest = Manifest.from_json(build_manifest([tensors], width=width).to_json())
    tokens = tokenize(tensors, manifest)
    assert tokens.shape == (-(-len(cut) // width) + 1, width)
    assert not same_bits(tensors, detokenize(tokens, manifest))


def test_all_of_float16_and_bfloat16_by_value() -> None:
    """Each of the 65,536 patterns widens to the float32 of the same value, and back to the same bits."""
    words = np.arange(65536, dtype=np.uint32)
    half = words.astype(np.uint16).view(np.float16)
    kept = np.isfinite(half)
    assert np.array_equal(to_float32(Tensor(half, "float16"))[kept], half[kept].astype(np.float64))
    brain = to_float32(Tensor(words.astype(np.uint16), "bfloat16"))
    assert np.array_equal(brain.view(np.uint32), words << 16)
    assert np.array_equal(from_float32(brain, "bfloat16").raw[np.isfinite(brain)], words[np.isfinite(brain)])


@pytest.mark.parametrize(
    ("bits", "rounded"),
    [(0x3F808000, 0x3F80), (0x3F818000, 0x3F82), (0x3F808001, 0x3F81), (0x3F807FFF, 0x3F80)],
    ids=["tie to even down", "tie to even up", "over the tie", "under the tie"],
)
def test_bfloat16_rounds_to_nearest_even(bits: int, rounded: int) -> None:
    value = np.asarray([bits], dtype=np.uint32).view(np.float32)
    assert from_float32(value, "bfloat16").raw[0] == rounded


def test_scales_are_powers_of_two_at_most_one() -> None:
    """.3 lies below 2^-1, 5 is over 1 (scale 1): tokens of the first are .6, of the second untouched."""
    tensors = {
        "small.lora_A.weight": from_float32(np.asarray([0.3], np.float32), "float32"),
        "large.lora_A.weight": from_float32(np.asarray([5.0], np.float32), "float32"),
    }
    manifest = build_manifest([tensors], width=1)
    assert [entry.exponent for entry in manifest.entries] == [-1, 0]
    assert tokenize(tensors, manifest).ravel().tolist() == [np.float32(0.3) * 2, 5.0]


def test_count_of_the_published_shape() -> None:
    """Qwen2.5-0.5B, rank 8, all seven projections, width 384: 483 tokens a layer, 24 layers (hand count).

    q and o 896 -> 896 (19 + 19 tokens each), k and v 896 -> 128 (19 + 3), gate and up 896 -> 4864 (19 + 102), down
    4864 -> 896 (102 + 19).
    """
    shapes = [(896, 896), (896, 896), (896, 128), (896, 128), (896, 4864), (896, 4864), (4864, 896)]
    tensors = {
        f"{layer}.{place}.lora_{half}.weight": Tensor(np.zeros(shape, np.float32), "float32")
        for layer in range(24)
        for place, (fan_in, fan_out) in enumerate(shapes)
        for half, shape in (("A", (8, fan_in)), ("B", (fan_out, 8)))
    }
    manifest = build_manifest([tensors])
    assert manifest.n_tokens == 24 * (38 + 38 + 22 + 22 + 121 + 121 + 121) == 11_592
    with pytest.raises(DataError, match=r"needs 11592 tokens .* limit is 512.*raise --max-tokens .* to 11592"):
        check_limit(manifest, 512)
    check_limit(manifest, 11_592)


def test_the_mask_leaves_filling_out() -> None:
    tensors = {name: Tensor(np.ones(5, np.float32), "float32") for name in ("a.lora_A", "b.lora_A")}
    mask = build_manifest([tensors], width=4).mask()
    assert mask.tolist() == [[True] * 4, [True, False, False, False]] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"width": 0},
        {"entries": []},
        {"entries": [{"name": "x", "shape": [3], "dtype": "float32", "start": 1, "count": 1, "exponent": 0}]},
        {"entries": [{"name": "x", "shape": [3], "dtype": "float32", "start": 0, "count": 9, "exponent": 0}]},
        {"entries": [{"name": "x", "shape": [3], "dtype": "int8", "start": 0, "count": 1, "exponent": 0}]},
        {"entries": [{"name": "x", "shape": [-3], "dtype": "float32", "start": 0, "count": 1, "exponent": 0}]},
        {"entries": 7},
    ],
)
def test_broken_manifests_are_refused(change: dict[str, object]) -> None:
    good = build_manifest([{"x": Tensor(np.ones(3, np.float32), "float32")}], width=4).to_json()
    assert Manifest.from_json(good).n_tokens == 1
    with pytest.raises(DataError, match="manifest"):
        Manifest.from_json(good | change)


def test_tokens_that_do_not_fit_are_refused() -> None:
    tensors = {"x": Tensor(np.ones(3, np.float32), "float32")}
    manifest = build_manifest([tensors], width=4)
    with pytest.raises(DataError, match=r"tokens are \[2, 4\], the manifest says \[1, 4\]"):
        detokenize(np.zeros((2, 4), np.float32), manifest)
    with pytest.raises(DataError, match="NaN"):
        detokenize(np.full((1, 4), np.nan, np.float32), manifest)
    with pytest.raises(DataError, match=r"x is \[2\], the manifest says \[3\]"):
        tokenize({"x": Tensor(np.ones(2, np.float32), "float32")}, manifest)
