"""The held-out protocol of the encoder path: every design judged by heads that never saw its algorithm group.

Folds are sha256(group) mod 5, as the default model's are. Of what is left of a fold, validation groups choose layer,
epoch and mixture; nothing is chosen on what is judged. Beside the head stand what it has to beat and what it must not
be: the default model's recipe on the same rows, the closed form alone, structure without the vectors, and a head that
was taught labels dealt out anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ....encoders import TextEncoder
from ....qor.learned.dataset import Rows, group_fold
from ....qor.learned.encoder.head import TARGETS, Intervals
from ....qor.learned.features import FEATURE_NAMES, FEATURE_VERSION
from ....qor.learned.table import Table
from ....qor.tool.labels import LABELS
from ..config import TrainConfig
from ..evaluate import Evaluation, evaluate, group_weights
from ..protocol import FOLDS, closed_form_alone, judge_groups, leave_groups_out, leave_sources_out
from .bare import bare_samples
from .config import EncoderConfig
from .delta import fit_delta
from .embed import embedded
from .fit import choose_mix, fit_joined, fit_plain, interval_config, labels_of, probe, target_stats, unlike_of, z_scores
from .recipe_rows import Split
from .samples import Samples

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Step = Callable[[str], None]
SEEDS = 3
HEAD, DELTA, FUSED, STRUCTURE = "encoder", "encoder, delta", "features + encoder", "features alone"
DEFAULT, CLOSED, SHUFFLED, WITH_DEFAULT = "default", "closed form", "shuffled labels", "default + encoder"
WITH_STRUCTURE = "default + structure"  # mixed the same way, without any head that reads the vectors


@dataclass(slots=True)
class Held:
    """Held-out log values [n, targets] of each predictor and seed, and what only the plain head has: its intervals."""

    n: int
    logs: dict[tuple[str, int], Doubles] = field(default_factory=dict)
    low: Doubles = field(init=False)
    high: Doubles = field(init=False)
    unlike: Doubles = field(init=False)
    layers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.low, self.high = np.full((self.n, len(TARGETS)), np.nan), np.full((self.n, len(TARGETS)), np.nan)
        self.unlike = np.full(self.n, np.nan)

    def put(self, name: str, seed: int, rows: NDArray[np.bool_], logs: Doubles) -> None:
        """Keep the log values of some rows."""
        whole = self.logs.setdefault((name, seed), np.full((self.n, len(TARGETS)), np.nan))
        whole[rows] = logs


def fold_splits(rows: Rows) -> Iterator[tuple[int, Split]]:
    """(number, split) of every fold that has rows; those of the validation groups choose, nothing is judged within."""
    fold = rows.fold(FOLDS)
    inner = np.array([group_fold(f"val/{name}") for name in rows.group.tolist()])
    for number in np.unique(fold).tolist():
        ood = fold == number
        val = ~ood & (inner == 0)
        train = ~ood & ~val
        if train.any() and val.any():
            yield int(number), Split(train, val, np.zeros(len(rows), dtype=bool), ood)


@dataclass(frozen=True, slots=True)
class World:
    """All that the folds share. layer: vectors [n, width] of a layer; bare: the same of the designs without pragmas."""

    config: EncoderConfig
    samples: Samples
    layers: tuple[int, ...]
    layer: Callable[[int], Floats]
    bare: Callable[[int], Floats]
    base: Doubles
    plain: NDArray[np.bool_]

    @property
    def rows(self) -> Rows:
        """Labels and groups."""
        return self.samples.rows


def world_of(config: EncoderConfig, samples: Samples, encoder: TextEncoder, step: Step) -> World:
    """Embed what no earlier run has: the designs, and each kernel without its pragmas."""
    cache = embedded(samples.texts, encoder, config, step)
    bare = bare_samples(samples, encoder, step)
    embedded(bare.texts, encoder, replace(config, rebuild_cache=False), step)
    cache = embedded(samples.texts, encoder, replace(config, rebuild_cache=False), step)
    return World(
        config, samples, encoder.layers, lambda layer: cache.get(samples.texts, layer),
        lambda layer: cache.get(bare.texts, layer), samples.base, bare.plain,
    )  # fmt: skip


def hold_out(world: World, step: Step) -> Held:
    """Every row of every fold, by heads that never saw its group."""
    held = Held(len(world.rows))
    for number, split in fold_splits(world.rows):
        stats = target_stats(labels_of(world.rows)[split.train], every_log=False)
        found = probe(world.layers, world.layer, z_scores(stats, labels_of(world.rows)), split)
        best = min(found, key=lambda layer: (np.nan_to_num(found[layer], nan=np.inf), layer))
        said = ", ".join(f"{layer}: {mae:.3f}" for layer, mae in found.items())
        step(f"fold {number}: validation MAE by layer {said}")
        held.layers.append(best)
        x = world.layer(best)
        for seed in range(SEEDS):
            _plain(world, held, split, x, seed)
            _joined(world, held, split, x, seed)
            _delta(world, held, split, x, world.bare(best), seed)
        _shuffled(world, held, split, x)
    return held


def _plain(world: World, held: Held, split: Split, x: Floats, seed: int) -> None:
    fitted = fit_plain(x, world.rows, split, replace(world.config, seed=seed))
    value = fitted.predict(x)
    held.put(HEAD, seed, split.ood, np.log1p(fitted.stats.counts(value[split.ood])))
    if seed:
        return
    unlike = unlike_of(fitted.scaler, x[split.train], world.rows.group[split.train])
    score = unlike.score(x)
    wanted = fitted.stats.transformed(labels_of(world.rows)[split.val])
    settings = interval_config(wanted - value[split.val], score[split.val], world.rows.group[split.val])
    below, above = Intervals.of(settings).ends(score[split.ood])
    held.low[split.ood] = np.log1p(fitted.stats.counts(value[split.ood] + below))
    held.high[split.ood] = np.log1p(fitted.stats.counts(value[split.ood] + above))
    held.unlike[split.ood] = score[split.ood]


def _joined(world: World, held: Held, split: Split, x: Floats, seed: int) -> None:
    """Late fusion, and the same mixture without any head that reads the vectors."""
    features, base = world.samples.values, world.base
    fitted = fit_joined(x, features, base, world.rows, split, replace(world.config, seed=seed))
    held.put(FUSED, seed, split.ood, fitted.predict(x[split.ood], features[split.ood], base[split.ood]))
    kept = [place for place, head in enumerate(fitted.heads) if head.inputs == "features"] + [len(fitted.heads)]
    members = fitted.members(x, features, base)[kept]
    wanted = fitted.stats.transformed(labels_of(world.rows))
    mix = choose_mix(members[:, split.val], wanted[split.val], group_weights(world.rows.group[split.val]))
    held.put(STRUCTURE, seed, split.ood, np.einsum("mnt,tm->nt", members[:, split.ood], mix))


def _delta(world: World, held: Held, split: Split, x: Floats, bare: Floats, seed: int) -> None:
    config = replace(world.config, seed=seed)
    fitted = fit_delta(bare, x, world.rows, split, config, plain=world.plain)
    value = fitted.predict(bare[split.ood], x[split.ood])
    held.put(DELTA, seed, split.ood, np.log1p(fitted.stats.counts(value)))


def _shuffled(world: World, held: Held, split: Split, x: Floats) -> None:
    """A head taught the labels of other rows: nothing should be left to learn."""
    order = np.random.default_rng(0).permutation(len(world.rows))
    dealt = replace(world.rows, labels=world.rows.labels[order])
    fitted = fit_plain(x, dealt, split, world.config)
    held.put(SHUFFLED, 0, split.ood, np.log1p(fitted.stats.counts(fitted.predict(x[split.ood]))))


def beside_default(world: World, held: Held, step: Step) -> None:
    """The default model's recipe on the same rows, the closed form, and the default model mixed with the heads."""
    licences = {design.source: design.licence for design in world.samples.designs}
    samples = world.samples
    table = Table(world.rows, samples.values, samples.closed_form, FEATURE_VERSION, FEATURE_NAMES, licences)
    protocol = TrainConfig().protocol()
    runs = leave_groups_out(table, protocol, step, inner=False)
    everything = np.ones(held.n, dtype=bool)
    strangers = leave_sources_out(table, protocol, step)  # without them no correction is trusted anywhere
    default = judge_groups(table, runs, protocol, strangers).value[:, : len(TARGETS)]
    held.put(DEFAULT, 0, everything, default)
    with np.errstate(invalid="ignore"):
        held.put(CLOSED, 0, everything, np.log1p(closed_form_alone(table)[:, : len(TARGETS)]))
    for seed in range(SEEDS):
        held.put(WITH_DEFAULT, seed, everything, _mixed(world, held, default, seed, (HEAD, FUSED)))
        held.put(WITH_STRUCTURE, seed, everything, _mixed(world, held, default, seed, (STRUCTURE,)))


def _mixed(world: World, held: Held, default: Doubles, seed: int, heads: tuple[str, ...]) -> Doubles:
    """Default model and heads; the weights of a fold saw the errors of the other folds alone."""
    fold = world.rows.fold(FOLDS)
    members = np.stack([default, *(held.logs[name, seed] for name in heads)])
    wanted = np.where(np.isfinite(members).all(axis=0), np.log1p(labels_of(world.rows)), np.nan)
    found = np.full_like(default, np.nan)
    for number in np.unique(fold).tolist():
        known = fold != number
        weights = group_weights(world.rows.joined("source", "group")[known])
        mix = choose_mix(members[:, known], wanted[known], weights)
        asked = fold == number
        found[asked] = np.einsum("mnt,tm->nt", members[:, asked], mix)
    return found


def evaluations(world: World, held: Held) -> dict[str, dict[int, Evaluation]]:
    """Predictor -> seed -> figures."""
    found: dict[str, dict[int, Evaluation]] = {}
    for (name, seed), logs in held.logs.items():
        ends = (held.low, held.high) if (name, seed) == (HEAD, 0) else None
        found.setdefault(name, {})[seed] = evaluate(
            world.rows, _counts(logs), low=None if ends is None else _counts(ends[0]),
            high=None if ends is None else _counts(ends[1]), unlike=None if ends is None else held.unlike,
        )  # fmt: skip
    return found


def _counts(logs: Doubles) -> Doubles:
    """Counts and cycles in the order of LABELS; BRAM is not predicted."""
    whole = np.full((len(logs), len(LABELS)), np.nan)
    whole[:, : len(TARGETS)] = np.maximum(np.expm1(logs), 0)
    return whole
