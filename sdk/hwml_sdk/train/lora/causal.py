"""A small causal language model of its own, so that the whole chain is proven on one: trained here, on the spot.

A Llama of under a million parameters, its tokeniser learned from the snippets, trained on the training snippets of all
constructs: it can spell hardware code, and an adapter moves it towards the constructs that its prompts name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import torch

from ...files import replace_folder
from ...interrupt import checkpoint as heed
from .bases import token_ids
from .tasks import BaseSettings, TaskData

Report = Callable[[str], None]
FOLDER = "base"
_VOCABULARY = 600
_STEPS, _BATCH, _RATE = 300, 16, 3e-3


def causal_settings() -> BaseSettings:
    """Rank 4 on the projections of the upper of two layers: 10,240 values, 30 tokens of 384."""
    return BaseSettings(
        FOLDER, rank=4, alpha=8, targets=("q_proj", "v_proj", "up_proj", "down_proj"), layers=(0, 1), max_length=48
    )


def train_base(data: TaskData, report: Report, *, steps: int = _STEPS) -> None:
    """Learn a tokeniser and a model from the training snippets, and write its folder."""
    from transformers import LlamaConfig, LlamaForCausalLM

    texts = [example.text for example in data.examples if example.split == "train"]
    torch.manual_seed(data.base.init_seed)
    config = LlamaConfig(
        vocab_size=_VOCABULARY, hidden_size=96, intermediate_size=192, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=4, max_position_embeddings=data.base.max_length, tie_word_embeddings=True, bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    with replace_folder(data.folder / FOLDER) as folder:
        _tokeniser(texts).save(str(folder / "tokenizer.json"))
        ids, mask = token_ids(folder, texts, data.base.max_length)
        loss = _fit(model, ids, mask, steps)
        model.save_pretrained(folder)
    report(f"base model: {sum(p.numel() for p in model.parameters())} parameters, loss {loss:.3f} a token")


def _tokeniser(texts: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=["<pad>", "<s>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def _fit(model: Any, ids: torch.Tensor, mask: torch.Tensor, steps: int) -> float:
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE)
    draw = random.Random(0)
    model.train()
    loss = torch.tensor(0.0)
    for step in range(steps):
        heed()
        rows = [draw.randrange(len(ids)) for _ in range(_BATCH)]
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / steps)
        labels = ids[rows].masked_fill(mask[rows] == 0, -100)
        loss = model(input_ids=ids[rows], attention_mask=mask[rows], labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    return float(loss.detach())
