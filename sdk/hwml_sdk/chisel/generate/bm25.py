"""Okapi BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = .75): which texts share rare words with a question."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

_K1, _B = 1.2, 0.75
_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|\d+")
_ENDINGS = ("ings", "ing", "ers", "er", "ed", "es", "s")


def words_of(text: str) -> list[str]:
    """Words in small letters, names cut at their capitals, without the commonest endings."""
    return [_stem(word.lower()) for word in _WORD.findall(text)]


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word


class Bm25:
    """Scores of fixed texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(words_of(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(texts))
        self._texts_with = Counter(word for counts in self._counts for word in counts)

    def scores(self, question: str) -> list[float]:
        """One score a text; 0 for a text without a word of the question."""
        asked = [word for word in dict.fromkeys(words_of(question)) if word in self._texts_with]
        n = len(self._counts)
        rarity = {w: math.log(1 + (n - self._texts_with[w] + 0.5) / (self._texts_with[w] + 0.5)) for w in asked}
        found = []
        for counts, length in zip(self._counts, self._lengths, strict=True):
            spread = _K1 * (1 - _B + _B * length / self._mean)
            found.append(sum(rarity[w] * counts[w] * (_K1 + 1) / (counts[w] + spread) for w in asked if counts[w]))
        return found
