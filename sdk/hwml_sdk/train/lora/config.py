"""Configuration of a run: YAML with the keys below, each with a default; a wrong or unknown key is an error.

Sections `model`, `training`, `data`, `logging` (with `logging.swanlab`).
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from ...errors import ConfigError, MissingDependencyError
from ...files import read_bytes


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The generator."""

    text_encoder_name: str = "all-MiniLM-L6-v2"
    hidden_dim: int = 384
    max_seq_len: int = 512
    """tokens at most; an adapter that needs more is an error that says how many"""
    num_hyperconv_blocks: int = 3
    output_dim: int = 384
    """width of a token"""
    freeze_text_encoder: bool = True
    generator: str = "auto"
    """hyperconv, linear, or auto: both are trained and validation chooses"""
    kernel_size: int = 3
    rank: int = 16
    prompt_components: int = 0
    """directions of the prompts' embeddings that the network is shown, those that tell tasks apart best; 0: all. A run
    says how many do"""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Both stages."""

    max_epochs: int = 100
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    mse_weight: float = 1.0
    l1_weight: float = 0.1
    optimizer_type: str = "adamw"
    scheduler_type: str = "cosine"
    reconstruction_only: bool = False
    """without the second, supervised stage, which is what works"""
    supervised_steps: int = 400
    supervised_learning_rate: float = 1e-3
    supervised_batch_tasks: int = 8
    """tasks of one step: many of them, since a generator learns single tasks by heart"""
    supervised_examples: int = 6
    """of each task in a step"""
    supervised_margin: float = 0.0
    """logits by which the positive examples of a classifying task must be over 0: on unions that were never trained
    positives score lower than on tasks that were, negatives do not"""
    prompt_noise: float = 0.0
    """normal noise on what the network is shown of the prompts, against their spread"""
    accumulate_grad_batches: int = 1
    precision: str = "32-true"
    devices: str = "auto"
    strategy: str = "auto"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Checkpoints and prompts."""

    checkpoint_dir: str = ""
    batch_size: int = 8
    samples_per_prompt: int = 4
    max_checkpoints: int = 50
    cache_tokenized: bool = True
    prompt_dir: str = ""
    """folder of train_prompts.jsonl and val_prompts.jsonl; default: checkpoint_dir"""


@dataclass(frozen=True, slots=True)
class SwanlabConfig:
    """SWANLAB_PROJECT and SWANLAB_WORKSPACE stand in where these are empty."""

    project: str = ""
    workspace: str = ""
    experiment_name: str = ""


@dataclass(frozen=True, slots=True)
class LoggingConfig:
    """Where runs are written and shown."""

    experiments_dir: str = "experiments"
    swanlab: SwanlabConfig = field(default_factory=SwanlabConfig)


@dataclass(frozen=True, slots=True)
class LoraTrainConfig:
    """Everything a run depends on."""

    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    data: DataConfig = field(default_factory=DataConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON, and as YAML takes it."""
        return asdict(self)


_CHOICES = {
    "model.generator": ("hyperconv", "linear", "auto"),
    "training.optimizer_type": ("adamw", "adam", "sgd"),
    "training.scheduler_type": ("cosine", "linear", "constant"),
    "training.precision": ("32-true", "bf16-mixed", "bf16-true", "16-mixed"),
}
_MAY_BE_ZERO = {"training.weight_decay", "training.mse_weight", "training.l1_weight", "training.seed",
                "training.supervised_steps", "training.supervised_margin", "training.prompt_noise",
                "model.prompt_components"}  # fmt: skip


def load_config(path: str | Path) -> LoraTrainConfig:
    """Read a YAML file. Raises ConfigError that names file and key, MissingDependencyError without PyYAML."""
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError("pyyaml", "lora") from error
    try:
        data = yaml.safe_load(read_bytes(path, max_bytes=1 << 20).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror or error}", path=path) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or error
        raise ConfigError(f"is not YAML: {what}", path=path, line=mark.line + 1 if mark else None) from error
    try:
        return config_of({} if data is None else data)
    except ConfigError as error:
        raise ConfigError(str(error), path=path) from error


def config_of(data: Any) -> LoraTrainConfig:
    """A configuration from plain data. Raises ConfigError that names the key."""
    config: LoraTrainConfig = _section(LoraTrainConfig, data, "")
    if not config.model.freeze_text_encoder:
        raise ConfigError("model.freeze_text_encoder: false is not supported: the encoder stays frozen")
    if config.model.kernel_size % 2 == 0:
        raise ConfigError(f"model.kernel_size: {config.model.kernel_size} is even; an odd kernel keeps the shape")
    return config


def _section(kind: Any, data: Any, place: str) -> Any:
    if not isinstance(data, Mapping):
        raise ConfigError(f"{place or 'the file'}: a mapping of keys was expected, not {type(data).__name__}")
    hints = get_type_hints(kind)
    known = [item.name for item in fields(kind)]
    found = {}
    for key, value in data.items():
        name = f"{place}.{key}" if place else str(key)
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
            raise ConfigError(f"{name}: unknown key{hint}")
        found[key] = _section(hints[key], value, name) if is_dataclass(hints[key]) else _value(hints[key], value, name)
    return kind(**found)


def _value(kind: Any, value: Any, name: str) -> Any:
    if kind is float and isinstance(value, str):
        try:  # YAML 1.1 takes 1e-4 for a text: its numbers need a point
            value = float(value)
        except ValueError:
            raise ConfigError(f"{name}: a number was expected, not {value!r}") from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if kind is str and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # devices: 2
    if kind is str and value is None:
        value = ""
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]
        raise ConfigError(f"{name}: {words} was expected, not {value!r}")
    if kind in (int, float):
        least_ok = value >= 0 if name in _MAY_BE_ZERO else value > 0
        if not least_ok or value == float("inf"):  # NaN is neither over nor at 0
            raise ConfigError(f"{name}: {value!r} is out of range")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise ConfigError(f"{name}: {value!r} is none of {', '.join(_CHOICES[name])}")
    return value


def swanlab_names(config: SwanlabConfig) -> SwanlabConfig:
    """Project and workspace, from the environment where the file names none."""
    return SwanlabConfig(
        config.project or os.environ.get("SWANLAB_PROJECT", "") or "hwml-lora",
        config.workspace or os.environ.get("SWANLAB_WORKSPACE", ""),
        config.experiment_name,
    )
