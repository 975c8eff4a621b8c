"""The YAML of a run: exactly the keys asked for, with their defaults; everything else is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("yaml", reason="PyYAML is not installed (extra lora)")

from hwml_sdk.cli import main
from hwml_sdk.errors import ConfigError
from hwml_sdk.train.lora.config import SwanlabConfig, load_config, swanlab_names

ASKED = """
model:
  text_encoder_name: all-MiniLM-L6-v2
  hidden_dim: 384
  max_seq_len: 512
  num_hyperconv_blocks: 3
  output_dim: 384
  freeze_text_encoder: true
training:
  max_epochs: 100
  learning_rate: 1e-4
  weight_decay: 0.01
  mse_weight: 1.0
  l1_weight: 0.1
  optimizer_type: adamw
  scheduler_type: cosine
data:
  checkpoint_dir: somewhere
  batch_size: 8
  samples_per_prompt: 4
  max_checkpoints: 50
  cache_tokenized: true
logging:
  swanlab:
    project: p
    workspace: w
    experiment_name: e
"""


def _write(folder: Path, text: str) -> Path:
    (folder / "c.yaml").write_text(text)
    return folder / "c.yaml"


def test_the_keys_asked_for_are_the_defaults(tmp_path: Path) -> None:
    found = load_config(_write(tmp_path, ASKED))
    assert found.training.learning_rate == 1e-4  # which YAML 1.1 reads as a text
    plain = load_config(_write(tmp_path, ""))
    assert found.model == plain.model
    assert found.training == plain.training
    assert dataclasses.replace(found.data, checkpoint_dir="") == plain.data
    assert found.logging.swanlab == SwanlabConfig("p", "w", "e")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model:\n  hiden_dim: 3", "model.hiden_dim: unknown key; did you mean hidden_dim?"),
        ("trainng: {}", "trainng: unknown key; did you mean training?"),
        ("model:\n  zzz: 3", "model.zzz: unknown key; there are text_encoder_name, hidden_dim"),
        ("model:\n  hidden_dim: wide", "model.hidden_dim: a whole number was expected, not 'wide'"),
        ("model:\n  hidden_dim: 1.5", "model.hidden_dim: a whole number was expected, not 1.5"),
        ("model:\n  hidden_dim: true", "model.hidden_dim: a whole number was expected, not True"),
        ("model:\n  hidden_dim: 0", "model.hidden_dim: 0 is out of range"),
        ("training:\n  learning_rate: fast", "training.learning_rate: a number was expected, not 'fast'"),
        ("training:\n  learning_rate: .nan", "training.learning_rate: nan is out of range"),
        ("training:\n  optimizer_type: lion", "training.optimizer_type: 'lion' is none of adamw, adam, sgd"),
        ("model:\n  freeze_text_encoder: false", "model.freeze_text_encoder: false is not supported"),
        ("model:\n  kernel_size: 4", "model.kernel_size: 4 is even"),
        ("data: 3", "data: a mapping of keys was expected, not int"),
        ("- 1", "the file: a mapping of keys was expected, not list"),
        ("model: [", "c.yaml:1: is not YAML"),
        ("!!python/object/apply:os.system ['true']", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = _write(tmp_path, text)
    with pytest.raises(ConfigError):
        load_config(place)
    assert main(["train", "lora", "--config", str(place)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "c.yaml" in error


def test_the_environment_names_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWANLAB_PROJECT", "mine")
    monkeypatch.setenv("SWANLAB_WORKSPACE", "ours")
    assert swanlab_names(SwanlabConfig()) == SwanlabConfig("mine", "ours")
    assert swanlab_names(SwanlabConfig("own")).project == "own"
