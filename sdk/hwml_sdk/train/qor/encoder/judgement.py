"""`--evaluate`: the tables of the held-out protocol, and whether the vectors help the default model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....qor.learned.dataset import read_designs
from ....qor.learned.encoder.head import TARGETS
from ..evaluate import MIN_SOURCE_ROWS, Evaluation, is_source
from ..report import print_intervals, print_side_by_side, to_json
from .config import EncoderConfig
from .embed import open_encoder
from .folds import (
    CLOSED,
    DEFAULT,
    DELTA,
    FUSED,
    HEAD,
    SEEDS,
    SHUFFLED,
    STRUCTURE,
    WITH_DEFAULT,
    WITH_STRUCTURE,
    beside_default,
    evaluations,
    hold_out,
    world_of,
)
from .recipe_rows import chosen
from .samples import make_samples

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = (HEAD, SHUFFLED, DELTA, FUSED, STRUCTURE, DEFAULT, WITH_DEFAULT, WITH_STRUCTURE, CLOSED)
_MEAN = "mean over sources"
_SHOWN_STEP = 0.001  # what is not to be seen in the tables is no difference


@dataclass(frozen=True, slots=True)
class EncoderJudgement:
    """by_predictor: name -> seed -> figures on groups never seen. rows, groups, kernels: how many were judged.

    layers: chosen in each fold. lengths: the token-length report.
    """

    by_predictor: Mapping[str, Mapping[int, Evaluation]]
    layers: tuple[int, ...]
    lengths: Mapping[str, float]
    rows: int
    groups: int

    def first(self) -> dict[str, Evaluation]:
        """The figures of the first seed, in the order of the columns."""
        return {name: self.by_predictor[name][0] for name in COLUMNS}

    def help(self, without: str = DEFAULT) -> list[Help]:
        """What the encoder gives the default model, by slice and target; or what it gives the same mixture over one
        without any head that reads its vectors (WITH_STRUCTURE)."""
        found = []
        plain = list(self.by_predictor[without].values())
        mixed = [self.by_predictor[WITH_DEFAULT][seed] for seed in range(SEEDS)]
        for where in plain[0].slices:
            if not is_source(where) and where != _MEAN:
                continue
            for target in TARGETS:
                ours = [item.slices[where][target] for item in plain]
                theirs = [item.slices[where][target] for item in mixed]
                if ours[0].n >= MIN_SOURCE_ROWS and not math.isnan(ours[0].spearman):
                    ranks, errors = ([tuple(getattr(item, name) for item in items) for items in (ours, theirs)]
                                     for name in ("spearman", "ape"))  # fmt: skip
                    found.append(Help(where, target, *ranks, *errors))
        return found

    def to_json(self) -> dict[str, Any]:
        """All figures as plain JSON."""
        return {
            "rows": self.rows,
            "groups": self.groups,
            "layers": list(self.layers),
            "lengths": dict(self.lengths),
            "leave_group_out": {
                name: {str(seed): to_json(item)["slices"] for seed, item in seeds.items()}
                for name, seeds in self.by_predictor.items()
            },
            "intervals": to_json(self.by_predictor[HEAD][0])["intervals"],
            "help": [item.to_json() for item in self.help()],
            "vectors": [item.to_json() for item in self.help(WITH_STRUCTURE)],
        }

    def print(self, console: Console) -> None:
        """Every table."""
        first = self.first()
        console.print(
            f"{self.rows} designs of {self.groups} algorithm groups; layers chosen: "
            f"{', '.join(map(str, self.layers))}; {100 * self.lengths['cut_share']:.0f} % of the texts are over "
            f"{self.lengths['max_length']:.0f} tokens and were cut"
        )
        title = "Leave-group-out, 5 folds (Spearman / median APE %, groups weigh equally)"
        print_side_by_side(first, console, title=title)
        _print_within(first, console)
        print_intervals(self.by_predictor[HEAD][0], console)
        _print_help(self.help(), "Does the encoder help the default model?", console)
        _print_help(self.help(WITH_STRUCTURE), "Is it the vectors that help, beside structure alone?", console)


@dataclass(frozen=True, slots=True)
class Help:
    """One target on one slice, by seed: what there is without the encoder (the default model has one seed), and what
    is mixed with its heads."""

    where: str
    target: str
    ranks_without: tuple[float, ...]
    ranks: tuple[float, ...]
    apes_without: tuple[float, ...]
    apes: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """ "helps" where rank or error is better by more than the spread over the seeds and neither is worse by it;
        "hurts" the other way round; else "no difference"."""
        better, worse = [], []
        for alone, mixed, sign in ((self.ranks_without, self.ranks, 1), (self.apes_without, self.apes, -1)):
            if any(map(math.isnan, (*alone, *mixed))):
                continue
            gain = sign * (_mean(mixed) - _mean(alone))
            spread = max(max(mixed) - min(mixed), max(alone) - min(alone), _SHOWN_STEP)
            better.append(gain > spread)
            worse.append(-gain > spread)
        if any(better) and not any(worse):
            return "helps"
        return "hurts" if any(worse) and not any(better) else "no difference" if not any(worse) else "mixed"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        numbers = {"spearman_without": _mean(self.ranks_without), "ape_without": _mean(self.apes_without)}
        plain: dict[str, Any] = {name: None if math.isnan(v) else round(v, 4) for name, v in numbers.items()}
        lists = {"spearman": self.ranks, "ape": self.apes}
        plain |= {name: [None if math.isnan(v) else round(v, 4) for v in values] for name, values in lists.items()}
        return {"slice": self.where, "target": self.target, **plain, "verdict": self.verdict}


def judge(config: EncoderConfig, step: Callable[[str], None]) -> EncoderJudgement:
    """Run the whole protocol; nothing is written but vectors into the cache.

    Raises DataError (data), ArtifactError (encoder), MissingDependencyError (extra `train-qor`).
    """
    designs = chosen(read_designs(config.data), config)
    encoder = open_encoder(config)
    step(f"{config.encoder}: layers {', '.join(map(str, encoder.layers))} of {encoder.depth}, {encoder.dtype}")
    samples = make_samples(designs, encoder, step)
    world = world_of(config, samples, encoder, step)
    held = hold_out(world, step)
    beside_default(world, held, step)
    groups = len(set(samples.rows.group.tolist()))
    return EncoderJudgement(
        evaluations(world, held), tuple(held.layers), samples.lengths(), len(samples.designs), groups
    )


def _print_within(first: Mapping[str, Evaluation], console: Console) -> None:
    """How well the points of one kernel are put in order."""
    from rich.table import Table

    table = Table(title="Within-kernel Spearman (kernels never seen, 8 points or more)")
    for name in ("slice", "target", "kernels", *first):
        table.add_column(name, justify="left" if name in ("slice", "target") else "right")
    some = next(iter(first.values()))
    for where, targets in some.slices.items():
        for target in TARGETS:
            if targets[target].keys:
                cells = [f"{item.slices[where][target].within:.2f}" for item in first.values()]
                table.add_row(where, target, str(targets[target].keys), *cells)
    console.print(table)


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)


def _print_help(found: list[Help], title: str, console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"{title} (least to most over {SEEDS} seeds)")
    for name in ("slice", "target", "Spearman without", "with encoder", "APE % without", "with encoder", ""):
        table.add_column(name, justify="left" if name in ("slice", "target", "") else "right")
    for item in found:
        ranks, errors = item.ranks, [100 * ape for ape in item.apes]
        table.add_row(
            item.where, item.target, f"{_mean(item.ranks_without):.3f}", f"{min(ranks):.3f} to {max(ranks):.3f}",
            f"{100 * _mean(item.apes_without):.1f}", f"{min(errors):.1f} to {max(errors):.1f}", item.verdict,
        )  # fmt: skip
    console.print(table)
