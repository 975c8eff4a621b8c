"""A Hugging Face model on this machine: batches of samples, chat template, adapters, 4 bits on a GPU.

Nothing is downloaded, no code of a model's folder runs, and weights are read as safetensors only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import ArtifactError, HwmlError, MissingDependencyError
from ...files import parse_json, read_bytes
from ...interrupt import heed_ctrl_c
from .types import Answer, Message

CARD = "hwml.json"
EXTRA = "llm"


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """path: folder of the model; adapter: folder of a PEFT adapter; at_once: chats of a batch."""

    path: str
    adapter: str = ""
    four_bit: bool = False
    temperature: float = 0.8
    top_p: float = 0.95
    at_once: int = 16
    seed: int = 0


class LocalBackend:
    """Samples from a model that was loaded once.

    Raises ArtifactError for a folder that is no model, MissingDependencyError without the packages.
    """

    def __init__(self, config: LocalConfig) -> None:
        folder = Path(config.path)
        if not (folder / "config.json").is_file():
            raise ArtifactError(f"{folder}: is no model: config.json is missing (models are named by their folder)")
        needed = ["torch", "transformers", *(["peft"] if config.adapter else [])]
        if config.four_bit and find_spec("bitsandbytes") is None:
            raise HwmlError("--4bit needs the package bitsandbytes (and a GPU): pip install bitsandbytes")
        for package in needed:
            if find_spec(package) is None:
                raise MissingDependencyError(package, EXTRA)
        self._config = config
        self.name = folder.name + (f" with {Path(config.adapter).name}" if config.adapter else "")
        self.bare = _card(folder).get("prompt") == "bare"
        self._tokenizer, self._model = _load(config)
        self._drawn = 0

    @property
    def model(self) -> Any:
        """The network, for who trains it."""
        return self._model

    @property
    def tokenizer(self) -> Any:
        """Its tokeniser."""
        return self._tokenizer

    def ask(
        self, chats: Sequence[Sequence[Message]], *, most_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        """Answers, batch by batch; chats of like length share one. A batch is left at the next token after `stop()`."""
        texts = [self.opening(chat) for chat in chats]
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), self._config.at_once):
            if stop():
                return
            batch = order[start : start + self._config.at_once]
            yield from zip(batch, self._batch([texts[index] for index in batch], most_tokens, stop), strict=True)

    def opening(self, chat: Sequence[Message]) -> str:
        """The text that the model continues: the chat in its template."""
        rows = [{"role": message.role, "content": message.content} for message in chat]
        if getattr(self._tokenizer, "chat_template", None):
            return str(self._tokenizer.apply_chat_template(rows, tokenize=False, add_generation_prompt=True))
        return "\n\n".join(row["content"] for row in rows) + "\n\n"

    def _batch(self, texts: Sequence[str], most_tokens: int, stop: Callable[[], bool]) -> list[Answer]:
        import torch
        from transformers import StoppingCriteria, StoppingCriteriaList

        class Stop(StoppingCriteria):  # type: ignore[misc]
            def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
                heed_ctrl_c()
                return torch.full((input_ids.shape[0],), stop(), dtype=torch.bool, device=input_ids.device)

        began = time.monotonic()
        given = self._tokenizer(list(texts), return_tensors="pt", padding=True, add_special_tokens=False)
        given = {name: given[name].to(self._model.device) for name in ("input_ids", "attention_mask")}
        room = _room(self._model.config) - given["input_ids"].shape[1]
        if room < 16:
            return [Answer("", error="the prompt leaves the model no room for an answer")] * len(texts)
        torch.manual_seed(self._config.seed + self._drawn)
        self._drawn += len(texts)
        warm = self._config.temperature > 0
        chosen = {"temperature": self._config.temperature, "top_p": self._config.top_p, "top_k": 0} if warm else {}
        with torch.inference_mode():
            found = self._model.generate(
                **given,
                do_sample=warm,
                max_new_tokens=min(most_tokens, room),
                pad_token_id=self._tokenizer.pad_token_id,
                stopping_criteria=StoppingCriteriaList([Stop()]),
                **chosen,
            )
        seconds = (time.monotonic() - began) / len(texts)
        return [self._answer(ids, seconds) for ids in found[:, given["input_ids"].shape[1] :].tolist()]

    def _answer(self, ids: list[int], seconds: float) -> Answer:
        ends = self._model.generation_config.eos_token_id
        stops = set(ends if isinstance(ends, list) else [ends]) | {self._tokenizer.eos_token_id}
        at = next((place for place, one in enumerate(ids) if one in stops), None)
        kept = ids if at is None else ids[:at]
        return Answer(self._tokenizer.decode(kept, skip_special_tokens=True), len(kept), seconds, at is None)


def _card(folder: Path) -> dict[str, Any]:
    try:
        found = parse_json(read_bytes(folder / CARD))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _room(config: Any) -> int:
    return int(getattr(config, "max_position_embeddings", 0) or 4096)


def _load(config: LocalConfig) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    gpu = torch.cuda.is_available()
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights: dict[str, Any] = {"dtype": torch.bfloat16 if gpu else torch.float32, "use_safetensors": True}
    if config.four_bit:
        if not gpu:
            raise HwmlError(
                "--4bit needs a GPU: bitsandbytes computes 4 bits there; leave it out to run on the processor"
            )
        from transformers import BitsAndBytesConfig

        weights["quantization_config"] = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_compute_dtype=torch.bfloat16)
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.path, **options)
        model = AutoModelForCausalLM.from_pretrained(config.path, **options, **weights)
        if config.adapter:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, config.adapter, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        raise ArtifactError(f"{config.adapter or config.path}: cannot be loaded: {said}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    model.to("cuda") if gpu and not config.four_bit else None
    return tokenizer, model.eval()
