"""Settings of one run of the encoder recipe; the defaults are those of the classic one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LAYER_SHARES = (0.6, 0.7, 0.8, 0.9)
HELD_OUT_BY = ("group", "tool", "part")


@dataclass(frozen=True, slots=True)
class EncoderConfig:
    """One run.

    encoder: folder, or name of an encoder that is there. data: labelled designs. out: the artefact folder.
    max_length: tokens of a text. batch_size: texts of that length that one batch holds; shorter ones share it.
    layers: candidates of the probe, from 1; none: LAYER_SHARES of the depth. dtype: what the encoder computes in.
    rows_per_key: at most so many designs of one kernel, stage and tool version (0: all). sources: () is all.
    one_group_in: only the algorithm groups that a hash of their name puts into one part of so many (0: all).
    ood: what is held out whole: algorithm groups, tools or parts. features: join structure and closed form.
    delta: encode the design without pragmas as well, and learn kernel and difference apart. share_alike: keep designs
    under licences that ask for the same licence in turn. beside: what `--evaluate --json` printed, for the card.
    """

    encoder: str
    data: Path
    out: Path
    max_length: int = 2048
    batch_size: int = 12
    layers: tuple[int, ...] = ()
    dtype: str = "auto"
    epochs: int = 40
    patience: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    head_batch: int = 1024
    seed: int = 0
    rebuild_cache: bool = False
    resume: bool = False
    rows_per_key: int = 0
    one_group_in: int = 0
    sources: tuple[str, ...] = ()
    n_designs: int = 0
    ood: str = "group"
    features: bool = False
    delta: bool = False
    executor: str = ""
    classic: bool = False
    share_alike: bool = True
    beside: Path | None = None

    def recipe(self) -> dict[str, Any]:
        """What decides the result, as plain JSON: a run that is resumed has to be of the same."""
        left_out = ("out", "rebuild_cache", "resume", "executor", "classic", "batch_size", "beside")
        return {name: str(v) if isinstance(v, Path) else v for name, v in asdict(self).items() if name not in left_out}
