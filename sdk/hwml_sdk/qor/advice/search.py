"""Search of variants: all of them where they are few, else from the front outwards, the same on every machine.

Not all slots are worth the same: a variant that the ports of arrays bound is tried again with these arrays split
further, as more copies of a loop pay only with the ports for them. The rest is chance with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import product

from ...interrupt import checkpoint
from .variants import Picks, Variant, Variants

EXHAUSTIVE = 2000  # variants up to which all are predicted
REFRESH = 40  # variants after which the front is drawn anew
Tell = Callable[[int, int], None]  # how many are predicted, of how many


def front(variants: Iterable[Variant]) -> list[Variant]:
    """Variants that fit and that none beats in both latency and share of the part, fastest first."""
    best: list[Variant] = []
    least = float("inf")
    for item in sorted((v for v in variants if v.fits), key=lambda v: (v.cycles, v.share, _changes(v))):
        if item.share < least:
            best.append(item)
            least = item.share
    return best


def _changes(variant: Variant) -> int:
    return sum(map(bool, variant.picks))


def search(variants: Variants, count: int, tell: Tell = lambda done, total: None, seconds: float | None = None) -> bool:
    """Predict up to `count` variants; whether these are all there are. seconds: after which no more are begun."""
    total = variants.size
    chosen = _all(variants) if total <= min(count, EXHAUSTIVE) else _grown(variants, count)
    for done, picks in enumerate(chosen, 1):
        checkpoint()
        variants.predict(picks)
        tell(done, min(total, count))
        if seconds is not None and variants.seconds >= seconds:
            return False
    return total <= min(count, EXHAUSTIVE)


def _all(variants: Variants) -> Iterator[Picks]:
    yield from product(*(range(len(slot.choices)) for slot in variants.slots))


def _grown(variants: Variants, count: int) -> Iterator[Picks]:
    """The present design, each single change of it, then changes of what stands on the front."""
    if not variants.slots:
        yield ()
        return
    chance = random.Random(1)
    seen: set[Picks] = {variant.picks for variant in variants.known()}
    for picks in _singles(variants):
        if len(seen) >= count:
            return
        if picks not in seen:
            seen.add(picks)
            yield picks
    misses = 0
    best: list[Variant] = []
    waiting: list[Picks] = []
    age = 0
    while len(seen) < count and misses < 50 * len(variants.slots):
        if not best or age >= REFRESH:
            best, age = front(variants.known()) or variants.known()[:1], 0
        age += 1
        picks = waiting.pop() if waiting else _changed(variants, chance.choice(best), chance)
        if picks in seen:
            misses += 1
            continue
        misses = 0
        seen.add(picks)
        yield picks
        waiting += _split_further(variants, variants.predict(picks))


def _split_further(variants: Variants, variant: Variant) -> Iterator[Picks]:
    """A variant with the arrays that bound it in the next larger split of a dimension, all of them at once."""
    picks = list(variant.picks)
    found = False
    for index, slot in enumerate(variants.slots):
        if slot.variable and slot.variable in variant.bound:
            larger = slot.larger(picks[index])
            found = found or larger != picks[index]
            picks[index] = larger
    if found and variant.fits:
        yield tuple(picks)


def _singles(variants: Variants) -> Iterator[Picks]:
    present = variants.present
    yield present
    for index, slot in enumerate(variants.slots):
        for pick in range(1, len(slot.choices)):
            yield (*present[:index], pick, *present[index + 1 :])


def _changed(variants: Variants, parent: Variant, chance: random.Random) -> Picks:
    """One to three slots of a variant changed; every other time one of them is an array that bounds it."""
    picks = list(parent.picks)
    bound = [i for i, slot in enumerate(variants.slots) if slot.variable and slot.variable in parent.bound]
    chosen = chance.sample(range(len(picks)), min(len(picks), chance.choice((1, 1, 2, 3))))
    if bound and chance.random() < 0.5:
        chosen = [chance.choice(bound), *chosen[1:]]
    for index in chosen:
        picks[index] = chance.randrange(len(variants.slots[index].choices))
    return tuple(picks)
