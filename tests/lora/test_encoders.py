"""Frozen text encoders against the packages whose models they read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hwml_sdk.encoders import DEFAULT, TextEncoder, buckets, encoder_folder
from hwml_sdk.errors import ArtifactError, DataError

TEXTS = ["a pipelined loop", "void f(int a[8]) { for (int i = 0; i < 8; i++) a[i]++; }", "register " * 400, "ü 漢 \t x"]


def test_batches_hold_texts_of_like_length() -> None:
    """Rising lengths 1, 2, 3, 5, 9; at most 10 words with filling: 3 x 3 fit, 4 x 5 do not, 2 x 9 do not."""
    assert buckets([5, 1, 9, 3, 2], 10) == [[1, 4, 3], [0], [2]]


def test_an_encoder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    with pytest.raises(ArtifactError, match=r"no encoder 'nobody/has-this': name its folder.*nothing is downloaded"):
        TextEncoder.load("nobody/has-this")
    with pytest.raises(ArtifactError, match=r"is no encoder: config.json and tokenizer.json missing"):
        TextEncoder.load(str(tmp_path))


def test_a_name_is_found_in_the_cache_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    folder = tmp_path / "hub" / "models--sentence-transformers--some-model" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    assert encoder_folder("some-model") == folder
    assert encoder_folder("sentence-transformers/some-model") == folder


@pytest.mark.torch
def test_the_real_encoder_equals_sentence_transformers() -> None:
    sentence_transformers = pytest.importorskip(
        "sentence_transformers", reason="sentence-transformers is not installed"
    )
    encoder = TextEncoder.load(DEFAULT)
    found = encoder.encode(TEXTS)
    truth = sentence_transformers.SentenceTransformer(str(encoder.folder)).encode(TEXTS)
    assert np.abs(found.vectors - truth).max() < 1e-5
    assert found.n_tokens[2] == 402 > encoder.max_tokens == 256
    alone = np.concatenate([encoder.encode([text]).vectors for text in TEXTS])
    assert np.abs(found.vectors - alone).max() < 1e-5
    with pytest.raises(DataError, match="text 1 of 2 is empty"):
        encoder.encode(["x", "  "])


@pytest.mark.torch
def test_a_causal_model_is_read_by_the_same_code(tmp_path: Path) -> None:
    """A tiny random Qwen2 from disk: vectors do not depend on the batch, and equal the mean of its last layer."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra lora)")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed (extra lora)")
    config = transformers.Qwen2Config(
        vocab_size=30522, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=128,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.Qwen2Model(config).eval()
    model.save_pretrained(tmp_path)
    words = (encoder_folder(DEFAULT) / "tokenizer.json").read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(words)
    encoder = TextEncoder.load(str(tmp_path))
    found = encoder.encode(TEXTS[:2]).vectors
    alone = np.concatenate([encoder.encode([text]).vectors for text in TEXTS[:2]])
    assert np.abs(found - alone).max() < 1e-5
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(words.decode())
    tokenizer.no_padding()
    with torch.no_grad():
        hidden = model(torch.tensor([tokenizer.encode(TEXTS[0]).ids])).last_hidden_state
    assert np.abs(found[0] - hidden.mean(1)[0].numpy()).max() < 1e-5
