"""An adapter as people use it: a PEFT folder that `PeftModel.from_pretrained` loads, one parameter file, or merged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArtifactError, DataError, HwmlError, MissingDependencyError
from ..files import new_file, replace_folder
from ..leftovers import scratch_folder
from ..safetensors import to_safetensors
from ..tensors import Tensor
from .checkpoint import CONFIG_FILE, WEIGHT_FILES, half_of, peft_name, read_checkpoint

if TYPE_CHECKING:
    import torch

EXTRA = "lora"
# What PEFT fills in itself when it is not said; the rest of a configuration is copied as the checkpoints had it.
_MINIMUM = {"peft_type": "LORA", "inference_mode": True, "bias": "none", "task_type": None, "lora_dropout": 0.0}


@dataclass(frozen=True, slots=True)
class LoraAdapter:
    """Tensors by their names on PEFT's disk, and PEFT's configuration."""

    tensors: Mapping[str, Tensor]
    config: Mapping[str, Any] = field(default_factory=dict)
    prompts: tuple[str, ...] = ()

    @classmethod
    def load(cls, path: str | Path) -> LoraAdapter:
        """Any checkpoint that `read_checkpoint` reads. Raises as it does."""
        found = read_checkpoint(path)
        return cls({peft_name(name): tensor for name, tensor in found.tensors.items()}, found.config)

    @property
    def rank(self) -> int:
        """The lowest rank of its pairs."""
        ranks = [t.shape[0] for name, t in self.tensors.items() if half_of(name) == "A"]
        if not ranks:
            raise DataError("the adapter has no lora_A tensors")
        return min(ranks)

    def full_config(self) -> dict[str, Any]:
        """adapter_config.json: as the checkpoints had it, else what the tensors say (alpha = rank)."""
        if self.config:
            return {**_MINIMUM, **self.config, "inference_mode": True}
        targets = sorted({name.split(".lora_")[0].removeprefix("base_model.model.") for name in self.tensors})
        return {**_MINIMUM, "r": self.rank, "lora_alpha": self.rank, "target_modules": targets}

    def save(self, path: str | Path) -> None:
        """Write the PEFT folder whole, or, for a name that ends in .pt, one file of parameters by name.

        Raises HwmlError where it cannot be written (what was there stays), MissingDependencyError (.pt needs torch).
        """
        path = Path(path)
        if path.suffix in (".pt", ".pth", ".bin"):
            self._save_parameters(path)
            return
        if path.exists() and not path.is_dir():
            raise HwmlError(f"{path}: is a file; name a folder, or a file that ends in .pt")
        if path.is_dir() and any(path.iterdir()) and not (path / CONFIG_FILE).is_file():
            raise HwmlError(f"{path}: holds other things than an adapter, and is not replaced; name another folder")
        with replace_folder(path) as folder:
            (folder / WEIGHT_FILES[0]).write_bytes(to_safetensors(self.tensors, {"format": "pt"}))
            text = json.dumps(self.full_config(), indent=2, sort_keys=True, ensure_ascii=False)
            (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")

    def _save_parameters(self, path: Path) -> None:
        torch = import_torch()
        with new_file(path) as temporary, temporary.open("wb") as stream:
            torch.save(self.to_torch(), stream)

    def to_torch(self) -> dict[str, torch.Tensor]:
        """Copies of the tensors, by name, as torch has them. Raises MissingDependencyError."""
        torch = import_torch()
        found = {}
        for name, tensor in self.tensors.items():
            copy = torch.from_numpy(tensor.raw.copy())
            found[name] = copy.view(torch.bfloat16) if tensor.dtype == "bfloat16" else copy
        return found

    def merge(self, base: str | Path, destination: str | Path) -> None:
        """Write the model folder `base` with this adapter added into its weights.

        Raises MissingDependencyError, ArtifactError where the base does not fit the adapter.
        """
        merged = load_on_base(self, base).merge_and_unload()
        with replace_folder(destination) as folder:
            merged.save_pretrained(folder)
            _copy_tokenizer(Path(base), folder)


def import_torch() -> Any:
    """The package. Raises MissingDependencyError."""
    try:
        import torch
    except ImportError as error:
        raise MissingDependencyError("torch", EXTRA) from error
    return torch


def load_on_base(adapter: LoraAdapter, base: str | Path) -> Any:
    """The base model of a folder with the adapter on it, through PEFT's own loader. Raises as `LoraAdapter.merge`."""
    try:
        from peft import PeftModel
        from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
    except ImportError as error:
        raise MissingDependencyError("peft", EXTRA) from error
    base = Path(base)
    if not (base / "config.json").is_file():
        raise ArtifactError(f"{base}: is no model folder (no config.json); name the folder of the base model")
    config = AutoConfig.from_pretrained(base, trust_remote_code=False)
    causal = any(name.endswith("ForCausalLM") for name in config.architectures or ())
    kind = AutoModelForCausalLM if causal else AutoModel
    with scratch_folder() as folder:
        adapter.save(folder / "adapter")
        try:
            model = kind.from_pretrained(base, trust_remote_code=False)
            return PeftModel.from_pretrained(model, folder / "adapter")
        except (RuntimeError, ValueError, KeyError) as error:
            reason = (str(error) or type(error).__name__).splitlines()
            raise ArtifactError(
                f"{base}: the adapter does not fit this model: {' '.join(reason[:3])[:300]}; "
                "name the base model that the adapters were trained on"
            ) from error


def _copy_tokenizer(base: Path, folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "merges.txt"):
        if (base / name).is_file():
            (folder / name).write_bytes((base / name).read_bytes())
