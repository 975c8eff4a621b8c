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
    beside_default,
    evaluations,
    hold_out,
    world_of,
)
from .recipe_rows import chosen
from .samples import make_samples

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = (HEAD, SHUFFLED, DELTA, FUSED, STRUCTURE, DEFAULT, WITH_DEFAULT, CLOSED)
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

    def help(self) -> list[Help]:
        """What the vectors give the default model, by slice and target."""
        found = []
        default = self.by_predictor[DEFAULT][0]
        for where in default.slices:
            if not is_source(where) and where != _MEAN:
                continue
            for target in TARGETS:
                ours = default.slices[where][target]
                if ours.n < MIN_SOURCE_ROWS or math.isnan(ours.spearman):
                    continue
                mixed = [self.by_predictor[WITH_DEFAULT][seed].slices[where][target] for seed in range(SEEDS)]
                ranks, errors = [item.spearman for item in mixed], [item.ape for item in mixed]
                found.append(Help(where, target, ours.spearman, tuple(ranks), ours.ape, tuple(errors)))
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
        _print_help(self.help(), console)


@dataclass(frozen=True, slots=True)
class Help:
    """One target on one slice: the default model alone, and mixed with the heads by seed."""

    where: str
    target: str
    rank: float
    ranks: tuple[float, ...]
    ape: float
    apes: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """ "helps" where rank or error is better by more than the spread over the seeds and neither is worse by it;
        "hurts" the other way round; else "no difference"."""
        better, worse = [], []
        for alone, mixed, sign in ((self.rank, self.ranks, 1), (self.ape, self.apes, -1)):
            if math.isnan(alone) or any(map(math.isnan, mixed)):
                continue
            gain = sign * (sum(mixed) / len(mixed) - alone)
            spread = max(max(mixed) - min(mixed), _SHOWN_STEP)
            better.append(gain > spread)
            worse.append(-gain > spread)
        if any(better) and not any(worse):
            return "helps"
        return "hurts" if any(worse) and not any(better) else "no difference" if not any(worse) else "mixed"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        numbers = {"default_spearman": self.rank, "default_ape": self.ape}
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


def _print_help(found: list[Help], console: Console) -> None:
    from rich.table import Table

    table = Table(title=f"Does the encoder help the default model? (least to most over {SEEDS} seeds)")
    for name in ("slice", "target", "Spearman", "with encoder", "APE %", "with encoder", ""):
        table.add_column(name, justify="left" if name in ("slice", "target", "") else "right")
    for item in found:
        table.add_row(
            item.where, item.target, f"{item.rank:.3f}", f"{min(item.ranks):.3f} to {max(item.ranks):.3f}",
            f"{100 * item.ape:.1f}", f"{100 * min(item.apes):.1f} to {100 * max(item.apes):.1f}", item.verdict,
        )  # fmt: skip
    console.print(table)
