"""Text encoders of transformers in torch: only the blocks that are needed, on the GPU where there is one.

The configuration is cut to the deepest layer that is asked for before the weights are read, so that blocks above it
take neither memory nor time (layer k of a model of L is `hidden_states[k]` of the whole model; only of the last one
the final norm is part, as transformers has it).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .encoder_errors import OutOfMemory
from .errors import ArtifactError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRA = "lora"
# Tokens of one batch beyond which it is no faster: what a GPU is busy with, what caches of a CPU hold.
_GPU_WORDS, _CPU_WORDS = 1 << 20, 2048


class TorchBackend:
    """Token ids and mask [B, L] to means over real tokens [B, layers * width]."""

    def __init__(self, folder: Path, config: Mapping[str, Any], layers: Sequence[int], dtype: str) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise MissingDependencyError("transformers", EXTRA) from error
        self._torch, self._layers = torch, tuple(layers)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        fast = self._device == "cuda" and torch.cuda.is_bf16_supported()
        self.dtype = ("bfloat16" if fast else "float32") if dtype == "auto" else dtype
        self.most_words = _GPU_WORDS if self._device == "cuda" else _CPU_WORDS
        depth = int(config["num_hidden_layers"])
        try:
            with _quiet(transformers):
                cut = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
                _cut(cut, max(self._layers))
                model = transformers.AutoModel.from_pretrained(
                    folder, config=cut, trust_remote_code=False, local_files_only=True,
                    dtype=getattr(torch, self.dtype),
                )  # fmt: skip
        except Exception as error:  # of transformers, safetensors and torch, without a base of their own
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ArtifactError(f"{folder}: transformers cannot load it: {reason}") from error
        if max(self._layers) < depth:
            _drop_final_norm(torch, model)
        self._model = model.eval().requires_grad_(False).to(self._device)

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Means over the real tokens, layer after layer. Raises OutOfMemory."""
        torch = self._torch
        try:
            with torch.inference_mode():
                given = {name: torch.from_numpy(value).to(self._device) for name, value in (("i", ids), ("m", mask))}
                found = self._hidden(given["i"], given["m"])
                weights = given["m"].unsqueeze(-1).float()
                count = weights.sum(1).clamp(min=1)
                pooled = [(hidden.float() * weights).sum(1) / count for hidden in found]
                result: NDArray[np.float32] = torch.cat(pooled, dim=1).cpu().numpy()
                return result
        except (MemoryError, RuntimeError) as error:  # torch's own is a RuntimeError, on the CPU without a name
            if isinstance(error, MemoryError) or "memory" in str(error).lower():
                if self._device == "cuda":
                    torch.cuda.empty_cache()
                raise OutOfMemory from error
            raise

    def _hidden(self, ids: Any, mask: Any) -> list[Any]:
        """Hidden states of the layers, kept one by one: `output_hidden_states` would hold all of them."""
        blocks, kept = _blocks(self._torch, self._model), {}
        hooks = []
        for layer in self._layers:
            if layer < max(self._layers):

                def keep(_module: Any, _inputs: Any, output: Any, layer: int = layer) -> None:
                    kept[layer] = output[0] if isinstance(output, tuple) else output

                hooks.append(blocks[layer - 1].register_forward_hook(keep))
        try:
            kept[max(self._layers)] = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        return [kept[layer] for layer in self._layers]


def _cut(config: Any, layers: int) -> None:
    config.num_hidden_layers = layers
    config.use_cache = False
    kinds = getattr(config, "layer_types", None)  # of every layer: full attention or a sliding window
    if kinds:
        config.layer_types = list(kinds)[:layers]


def _blocks(torch: Any, model: Any) -> Any:
    """The list of the model's blocks: the outermost module list of as many as there are layers."""
    number = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == number:
            return module
    raise ArtifactError(f"{type(model).__name__}: its layers cannot be found; choose the last layer")


def _drop_final_norm(torch: Any, model: Any) -> None:
    """The norm after the last block belongs to the whole model, not to the layer that is now the last."""
    for name in ("norm", "final_layernorm", "ln_f", "final_layer_norm"):
        if hasattr(model, name):
            setattr(model, name, torch.nn.Identity())


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Without the list of weights that the cut model does not use, and without progress bars on standard error."""
    logger = logging.getLogger("transformers")
    before = logger.level
    transformers.utils.logging.disable_progress_bar()
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
        transformers.utils.logging.enable_progress_bar()
