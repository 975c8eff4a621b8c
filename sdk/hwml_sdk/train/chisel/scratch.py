"""A small language model from nothing: a BPE (`cutting.py`) and an OLMo2 of 2 million parameters, trained on rows.

Its folder is one that transformers loads, chat template included; OLMo2 is a network whose own tokeniser transformers
leaves as it was saved. The loss counts answers only; every epoch words the requests anew and writes the circuits with
other names. Epochs or minutes, whichever ends first, set the cosine of the rate.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ...errors import ArtifactError, HwmlError
from ...files import parse_json, read_bytes, replace_folder
from ...interrupt import checkpoint as heed
from ...printable import json_text
from .cutting import make_tokenizer
from .muon import Muon
from .rows import Row, rewritten

Say = Callable[[str], None]
_MATRIX_RATE = 0.02  # Muon's own default
CARD = "hwml.json"  # how to prompt it: a model that has seen nothing but rows is asked as rows ask


@dataclass(frozen=True, slots=True)
class Size:
    """Shape of the network, and tokens of a batch."""

    vocabulary: int
    hidden: int
    inner: int
    layers: int
    heads: int
    batch_tokens: int
    rate: float  # of embeddings and norms (AdamW); matrices have _MATRIX_RATE (Muon)


# 2.2 million parameters are for 2 cores, 29 million for a GPU.
SIZES = {
    "small": Size(2048, 192, 512, 4, 4, 4096, 3e-3),
    "large": Size(4096, 512, 1536, 8, 8, 65536, 1e-3),
    "tiny": Size(512, 48, 96, 2, 2, 1024, 1e-2),  # for tests of the way, not of what is learned
}


@dataclass(frozen=True, slots=True)
class ScratchConfig:
    """One run. longest: tokens of a sample at most; longer ones are left out and counted.

    start: folder of an earlier run that this one continues, with its tokeniser; size is then that model's own.
    """

    size: str = "small"
    epochs: float = 5.0
    minutes: float = 35.0
    longest: int = 640
    seed: int = 0
    threads: int = 0
    start: str = ""


def train_from_scratch(rows: Sequence[Row], out: str | Path, config: ScratchConfig, say: Say) -> dict[str, Any]:
    """Write the model's folder and return what was done: parameters, steps, tokens, losses, seconds."""
    began, used = time.monotonic(), time.process_time()
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    if config.start:
        tokenizer, model, earlier = load_start(config.start)
        config = replace(config, size=earlier["config"]["size"])
    else:
        tokenizer = _tokenizer(rows, config)
        model, earlier = make_model(SIZES[config.size], tokenizer), {}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    if device == "cpu":  # texts of a hundred tokens: plain attention takes half the time of the fused one
        model.set_attn_implementation("eager")
    told = _Loop(model, tokenizer, config, say, began, int(earlier.get("epochs", 0))).run(rows)
    told |= {
        "parameters": sum(value.numel() for value in model.parameters()),
        "rows": len(rows),
        "seconds": round(time.monotonic() - began, 1),
        "processor_s": round(time.process_time() - used, 1),
        "device": device,
        "config": asdict(replace(config, start="")),  # a folder of this machine says nothing elsewhere
    }
    for name in ("steps", "tokens", "losses"):  # of all runs together; seconds are of this one
        told[name] = earlier[name] + told[name] if earlier else told[name]
    with replace_folder(out) as folder:
        model.to("cpu").save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        _same_tokens(tokenizer, folder, rows)
        (folder / CARD).write_text(json_text({"prompt": "bare", "training": told}) + "\n", encoding="utf-8")
    return told


def _tokenizer(rows: Sequence[Row], config: ScratchConfig) -> Any:
    rng = random.Random(f"tokens {config.seed}")
    shown = [rewritten(row, rng) for row in rows]
    return make_tokenizer([row.prompt for row in shown], [row.answer for row in shown], SIZES[config.size].vocabulary)


def _same_tokens(tokenizer: Any, folder: Path, rows: Sequence[Row]) -> None:
    """Raises HwmlError where who loads the folder would cut texts otherwise than the model has learned them."""
    from transformers import AutoTokenizer

    loaded = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    for row in rows[:50]:
        if encoded(loaded, row.prompt, row.answer) != encoded(tokenizer, row.prompt, row.answer):
            raise HwmlError("the saved tokeniser cuts texts otherwise: this version of transformers does not fit")


def load_start(path: str) -> tuple[Any, Any, dict[str, Any]]:
    """Tokeniser, model and what was told of its training, of a folder that `train_from_scratch` wrote.

    Raises ArtifactError for any other folder.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        told = parse_json(read_bytes(Path(path) / CARD))["training"]
        if told["config"]["size"] not in SIZES or not all(name in told for name in ("epochs", "steps", "tokens")):
            raise ValueError("its card is of another version")
        tokenizer = AutoTokenizer.from_pretrained(path, **options)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, use_safetensors=True, **options)
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = f"{path}: is no model of `train chisel --from-scratch`, which alone can be continued: {error}"
        raise ArtifactError(" ".join(words.split())[:400]) from error
    return tokenizer, model, told


def make_model(size: Size, tokenizer: Any) -> Any:
    """An OLMo2 of that size with random weights."""
    from transformers import Olmo2Config, Olmo2ForCausalLM

    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    return Olmo2ForCausalLM(
        Olmo2Config(
            vocab_size=len(tokenizer),
            hidden_size=size.hidden,
            intermediate_size=size.inner,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            **ends,
        )
    )


def encoded(tokenizer: Any, prompt: str, answer: str) -> tuple[list[int], int]:
    """Tokens of a sample, and how many of them are the prompt."""
    opening = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], add_generation_prompt=True, tokenize=False
    )
    asked = tokenizer(opening, add_special_tokens=False)["input_ids"]
    said = tokenizer(f"{answer}{tokenizer.eos_token}", add_special_tokens=False)["input_ids"]
    return [*asked, *said], len(asked)


def batches(samples: Sequence[tuple[list[int], int]], tokens: int, rng: random.Random) -> Iterator[list[int]]:
    """Indices in batches of like length, in random order: no batch holds more than `tokens` with its filling."""
    order = sorted(range(len(samples)), key=lambda index: (len(samples[index][0]) // 16, rng.random()))
    found: list[list[int]] = [[]]
    for index in order:
        if found[-1] and (len(found[-1]) + 1) * len(samples[index][0]) > tokens:
            found.append([])
        found[-1].append(index)
    rng.shuffle(found)
    yield from found


def padded(samples: Sequence[tuple[list[int], int]], filling: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels [B, L]; labels of prompts and filling are -100, which the loss leaves out."""
    longest = max(len(ids) for ids, _ in samples)
    ids = torch.full((len(samples), longest), filling)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, -100)
    for at, (tokens, asked) in enumerate(samples):
        ids[at, : len(tokens)] = torch.tensor(tokens)
        mask[at, : len(tokens)] = 1
        labels[at, asked : len(tokens)] = ids[at, asked : len(tokens)]
    return ids, mask, labels


def _halves_pay(device: str) -> bool:
    """Whether the device multiplies bfloat16 itself; elsewhere such numbers are slower than those of 32 bits."""
    oneapi = torch.backends.mkldnn.is_available()  # which the builds for other processors lack
    return device == "cuda" or (oneapi and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))


def _loss(model: Any, ids: torch.Tensor, labels: torch.Tensor, *, half: bool) -> torch.Tensor:
    """Cross entropy of the tokens of answers, which alone get scores.

    Filling stands behind each text, where no token of it looks: a mask would only cost time.
    """
    with torch.autocast(ids.device.type, torch.bfloat16, enabled=half):
        hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        asked = labels[:, 1:] != -100
        scores = model.get_output_embeddings()(hidden[:, :-1][asked])
    return torch.nn.functional.cross_entropy(scores.float(), labels[:, 1:][asked])


def _optimizers(model: Any, size: Size, rounds_in: torch.dtype) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for the rest; `full` of a group is its rate at the top."""
    layers = [value for name, value in model.named_parameters() if value.ndim == 2 and "embed" not in name]
    chosen = {id(value) for value in layers}
    rest = [value for value in model.parameters() if id(value) not in chosen]
    found: list[torch.optim.Optimizer] = [
        Muon(layers, lr=_MATRIX_RATE, rounds_in=rounds_in),
        torch.optim.AdamW(rest, lr=size.rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in found:
        for group in optimizer.param_groups:
            group["full"] = group["lr"]
    return found


class _Loop:
    """Steps until the epochs or the minutes are over."""

    def __init__(self, model: Any, tokenizer: Any, config: ScratchConfig, say: Say, began: float, epochs: int) -> None:
        self.before = epochs  # of earlier runs: wordings and order go on where those ended
        self.model, self.tokenizer, self.config, self.say, self.began = model, tokenizer, config, say, began
        self.size = SIZES[config.size]
        self.half = _halves_pay(model.device.type)
        self.optimizers = _optimizers(model, self.size, torch.bfloat16 if self.half else torch.float32)
        self.steps = self.tokens = self.left_out = 0
        self.losses: list[float] = []

    def run(self, rows: Sequence[Row]) -> dict[str, Any]:
        self.model.train()
        epoch = 0
        samples = self._samples(rows, self.before)
        self.began = time.monotonic()  # the minutes are for steps: what comes before is short
        while not self.steps or self._done(epoch) < 1.0:
            self._epoch(samples if not epoch else self._samples(rows, self.before + epoch), epoch)
            epoch += 1
        self.model.eval()
        return {
            "steps": self.steps,
            "tokens": self.tokens,
            "epochs": self.before + epoch,
            "left_out": self.left_out,
            "losses": [round(loss, 4) for loss in self.losses],
        }

    def _samples(self, rows: Sequence[Row], epoch: int) -> list[tuple[list[int], int]]:
        rng = random.Random(f"wordings {self.config.seed} {epoch}")
        shown = [rewritten(row, rng) for row in rows]
        found = [encoded(self.tokenizer, row.prompt, row.answer) for row in shown]
        kept = [sample for sample in found if len(sample[0]) <= self.config.longest]
        self.left_out = len(found) - len(kept)
        return kept

    def _epoch(self, samples: Sequence[tuple[list[int], int]], epoch: int) -> None:
        chosen = list(
            batches(samples, self.size.batch_tokens, random.Random(f"{self.config.seed} {self.before + epoch}"))
        )
        total, counted = 0.0, 0
        for number, batch in enumerate(chosen):
            heed()
            done = self._done(epoch + number / len(chosen))
            if done >= 1.0 and self.steps:
                break
            total += self._step([samples[index] for index in batch], done)
            counted += 1
            if counted % 100 == 0:
                self.say(f"step {self.steps}, {done:.0%}, loss {total / counted:.3f}")
        if counted:
            self.losses.append(total / counted)
            self.say(f"epoch {epoch + 1}: loss {self.losses[-1]:.4f} a token of an answer, {self.tokens} tokens so far")

    def _done(self, epochs: float) -> float:
        passed = (time.monotonic() - self.began) / 60
        return min(1.0, max(epochs / self.config.epochs, passed / self.config.minutes))

    def _step(self, samples: Sequence[tuple[list[int], int]], done: float) -> float:
        part = min(1.0, (self.steps + 1) / 60) * (0.05 + 0.475 * (1 + math.cos(math.pi * done)))
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = part * group["full"]
        ids, mask, labels = (value.to(self.model.device) for value in padded(samples, self.tokenizer.pad_token_id))
        loss = _loss(self.model, ids, labels, half=self.half)
        self.model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.steps += 1
        self.tokens += int(mask.sum())
        return float(loss.detach())
