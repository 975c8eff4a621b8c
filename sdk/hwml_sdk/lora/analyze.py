"""What a folder of checkpoints holds: sizes, statistics of A and B, drift from one to the next, initialisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, MissingDependencyError
from ..files import new_file
from ..tensors import Floats, to_float32
from .checkpoint import Checkpoint, differences, find_checkpoints, half_of, initialisations, read_checkpoint
from .tokens import WIDTH, Manifest, build_manifest, check_limit, detokenize, same_bits, tokenize


@dataclass(frozen=True, slots=True)
class Row:
    """Statistics of one checkpoint; drift is against the one before it in the same folder."""

    path: str
    n_values: int
    mean: float
    std: float
    std_a: float
    std_b: float
    largest: float
    initialisation: int
    drift: float | None
    """||this - before|| / ||before||"""
    cosine: float | None
    """of this and the one before"""


@dataclass(frozen=True, slots=True)
class Analysis:
    """All rows, and what they share."""

    rows: tuple[Row, ...]
    n_tokens: int
    width: int
    initialisations: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One checkpoint to tokens and back."""

    path: str
    n_tensors: int
    n_values: int
    n_tokens: int
    width: int
    dtypes: tuple[str, ...]
    left_out: int
    exact: bool


def round_trip(path: str | Path, *, max_tokens: int = 0, width: int = WIDTH) -> tuple[RoundTrip, Manifest]:
    """Tokenise a checkpoint, take it back and compare bit by bit; `max_tokens` 0: as many as it needs.

    Raises DataError where the limit is too small (the text says the number needed) and as `read_checkpoint`.
    """
    found = read_checkpoint(path)
    manifest = build_manifest([found.tensors], width=width)
    if max_tokens:
        check_limit(manifest, max_tokens)
    manifest = Manifest.from_json(manifest.to_json())
    back = detokenize(tokenize(found.tensors, manifest), manifest)
    dtypes = tuple(sorted({entry.dtype for entry in manifest.entries}))
    result = RoundTrip(
        str(path), len(found.tensors), manifest.n_values, manifest.n_tokens, width, dtypes, found.left_out,
        not same_bits(found.tensors, back),
    )  # fmt: skip
    return result, manifest


def read_all(folder: str | Path, limit: int = 0) -> list[Checkpoint]:
    """All checkpoints below a folder, which must share names, shapes and dtypes. Raises DataError that names two."""
    found = [read_checkpoint(path) for path in find_checkpoints(folder, limit)]
    for other in found[1:]:
        what = differences(found[0].tensors, other.tensors)
        if what:
            raise DataError(
                f"does not fit {found[0].path}: {what}; keep one kind of adapter in a folder", path=other.path
            )
    return found


def mixed(groups: Sequence[int]) -> str:
    """A warning about several LoRA initialisations; "" for one."""
    kinds = sorted(set(groups), key=lambda kind: -groups.count(kind))
    if len(kinds) < 2:
        return ""
    shares = ", ".join(str(groups.count(kind)) for kind in kinds[:4])
    return (
        f"{len(kinds)} LoRA initialisations in one folder ({shares} checkpoints{' ...' if len(kinds) > 4 else ''}): "
        "their values cannot be compared; train all adapters from one seed, or keep one kind"
    )


def analyze(folder: str | Path, *, width: int = WIDTH, limit: int = 0) -> Analysis:
    """Statistics of all checkpoints of a folder. Raises DataError as `read_all`."""
    found = read_all(folder, limit)
    groups = initialisations([one.tensors for one in found])
    manifest = build_manifest([one.tensors for one in found[:1]], width=width)
    rows: list[Row] = []
    before: tuple[Path, Floats] | None = None
    for one, group in zip(found, groups, strict=True):
        vector = np.concatenate([to_float32(t, name).ravel() for name, t in one.tensors.items()])
        same_folder = before is not None and before[0] == one.path.parent
        rows.append(_row(one, vector, group, before[1] if before and same_folder else None))
        before = one.path.parent, vector
    warning = mixed(groups)
    return Analysis(tuple(rows), manifest.n_tokens, width, len(set(groups)), (warning,) if warning else ())


def _row(one: Checkpoint, vector: Floats, group: int, before: Floats | None) -> Row:
    none = vector[:0]
    parts = {
        half: np.concatenate(
            [to_float32(t).ravel() for name, t in one.tensors.items() if half_of(name) == half] or [none]
        )
        for half in ("A", "B")
    }
    drift = cosine = None
    if before is not None:
        norms = float(np.linalg.norm(before)), float(np.linalg.norm(vector))
        drift = float(np.linalg.norm(vector - before)) / (norms[0] or 1.0)
        cosine = float(vector @ before) / (norms[0] * norms[1] or 1.0)
    spread = {half: float(part.std()) if part.size else 0.0 for half, part in parts.items()}
    return Row(
        str(one.path), vector.size, float(vector.mean()), float(vector.std()), spread["A"], spread["B"],
        float(np.abs(vector).max()), group, drift, cosine,
    )  # fmt: skip


def plot(analysis: Analysis, path: str | Path) -> None:
    """Draw spread and drift over the checkpoints. Raises MissingDependencyError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("matplotlib", "lora") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    numbers = range(len(analysis.rows))
    upper.plot(numbers, [row.std_a for row in analysis.rows], label="standard deviation of A")
    upper.plot(numbers, [row.std_b for row in analysis.rows], label="standard deviation of B")
    upper.legend()
    lower.plot(
        numbers, [np.nan if row.drift is None else row.drift for row in analysis.rows], label="drift", marker="."
    )
    lower.plot(
        numbers, [np.nan if row.cosine is None else row.cosine for row in analysis.rows], label="cosine", marker="."
    )
    lower.set_xlabel("checkpoint")
    lower.legend()
    with new_file(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix.removeprefix(".") or "png")
