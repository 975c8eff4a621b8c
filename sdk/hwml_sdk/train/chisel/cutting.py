"""How texts are cut into tokens for a small model: names and digits by themselves, all between them as it comes.

A request names a port as `` `sel` ``, a module as `io.sel`, `sel)` or ` sel`. A byte-level BPE of the usual kind makes
different tokens of these, and a small model has to learn for every name anew that they are the same. Here a name is
the same tokens wherever it stands, a digit is one token, and what is no name (keywords, signs, blanks) may join into
long tokens such as ` = Input(UInt(`: texts become half as long, and what is left to predict is what a circuit decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

END, PAD = "<|end|>", "<|pad|>"
MARKS = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>")
TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content + '" + END + "' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
_DECLARED = re.compile(r"\b(?:val|class|object) (\w+)")
_WORD = re.compile(r"(?<!\w)[A-Za-z]+(?!\w)")
_RARE = 1 / 1000  # words in fewer texts are cut like names
_HEX_DIGITS = 8


def make_tokenizer(prompts: Sequence[str], answers: Sequence[str], vocabulary: int) -> Any:
    """A byte-level BPE learned from the texts, with marks for a chat."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.normalizer = normalizers.NFC()
    cut = pre_tokenizers.Split(Regex(_apart(_plain_words(prompts, answers))), behavior="isolated")
    bpe.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(False, use_regex=False)])
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(MARKS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator((f"{asked}\n{said}" for asked, said in zip(prompts, answers, strict=True)), trainer)
    found = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=END, pad_token=PAD, additional_special_tokens=list(MARKS[2:])
    )
    found.chat_template = TEMPLATE
    return found


def _plain_words(prompts: Sequence[str], answers: Sequence[str]) -> list[str]:
    """Words of the language and of sentences: frequent ones that no answer declares."""
    names = {name for answer in answers for name in _DECLARED.findall(answer)} - {"io"}
    counted: Counter[str] = Counter()
    for text in (*prompts, *answers):
        counted.update(set(_WORD.findall(text)))
    return sorted(word for word, count in counted.items() if count >= _RARE * len(answers) and word not in names)


def _apart(plain: Sequence[str]) -> str:
    """What stands by itself: a digit (of a hexadecimal number too), and a word that is none of `plain`."""
    before = "|".join(f"{mark}[0-9a-f]{{{count}}}" for mark in ("0x", '"h') for count in range(_HEX_DIGITS))
    rest = rf"\b(?!(?:{'|'.join(plain)})\b)" if plain else r"\b"
    return rf"\p{{N}}|(?<={before})[a-f](?=[0-9a-f]*\b)|{rest}[\p{{L}}_]+"
