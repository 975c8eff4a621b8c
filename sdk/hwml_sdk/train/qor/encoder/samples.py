"""Designs as texts: read, summed up, and cut to what the encoder reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....encoders import TextEncoder
from ....errors import DataError, HwmlError
from ....interrupt import heed_ctrl_c
from ....printable import tell_some
from ....qor.closed_form.design import make_options, make_target
from ....qor.closed_form.estimate import Estimate, estimate_program
from ....qor.learned.dataset import Design, Rows
from ....qor.learned.encoder.head import TARGETS
from ....qor.learned.encoder.template import Sample, sample_of
from ....qor.learned.features import FEATURE_NAMES, features_of
from ....qor.learned.quantised import counts_of, quantise
from ....qor.program.tops import choose_top
from ....qor.read.source import read_program

MAX_FAILED_SHARE = 0.02
_COUNTED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Samples:
    """n designs ready to be embedded.

    values: structural features [n, f], quantised. closed_form: counts and cycles [n, len(LABELS)]. tokens: of each text
    before it was cut.
    """

    designs: tuple[Design, ...]
    rows: Rows
    texts: tuple[str, ...]
    values: NDArray[np.float32]
    closed_form: NDArray[np.float64]
    tokens: NDArray[np.int64]
    max_tokens: int

    @property
    def base(self) -> NDArray[np.float64]:
        """log(1 + closed form) of what a head predicts [n, len(TARGETS)]."""
        return np.log1p(self.closed_form[:, : len(TARGETS)])

    def lengths(self) -> dict[str, float]:
        """The token-length report: how long the texts are, and the share that had to be cut."""
        if not len(self.tokens):
            return {"median": 0.0, "p90": 0.0, "longest": 0.0, "max_length": float(self.max_tokens), "cut_share": 0.0}
        median, p90, longest = np.quantile(self.tokens, [0.5, 0.9, 1.0])
        return {
            "median": float(median),
            "p90": float(p90),
            "longest": float(longest),
            "max_length": float(self.max_tokens),
            "cut_share": float((self.tokens > self.max_tokens).mean()),
        }


def estimate_of(design: Design) -> Estimate:
    """The design read and estimated. Raises HwmlError."""
    text, files = design.parts()
    target = make_target(
        design.part, design.clock_period_ns, design.tool, design.tool_version,
        unsafe_math=design.unsafe_math, stage=design.stage,
    )  # fmt: skip
    program = read_program(text, path="<text>", files=files)
    return estimate_program(program, choose_top(program, design.top or None), target, make_options(target))


def make_samples(designs: Sequence[Design], encoder: TextEncoder, step: Callable[[str], None]) -> Samples:
    """Texts and features of all designs; those that cannot be read are said and left out.

    Raises DataError when over 2 % fail.
    """
    kept: list[Design] = []
    texts: list[str] = []
    tokens: list[int] = []
    values: list[NDArray[np.float32]] = []
    failed: list[str] = []
    waiting: list[Sample] = []

    def cut() -> None:
        whole = [sample.text() for sample in waiting]
        counts = encoder.count(whole)
        tokens.extend(counts)
        for sample, text, number in zip(waiting, whole, counts, strict=True):
            fits = number <= encoder.max_tokens
            texts.append(text if fits else sample.fitted(encoder.count, encoder.max_tokens))
        waiting.clear()

    for index, design in enumerate(designs):
        heed_ctrl_c()
        try:
            estimate = estimate_of(design)
        except HwmlError as error:
            failed.append(f"{design.path}:{design.line}: {error}")
            continue
        kept.append(design)
        values.append(features_of(estimate).values)
        waiting.append(sample_of_design(design, estimate))
        if len(waiting) == _COUNTED_AT_ONCE:
            cut()
            step(f"{index + 1} of {len(designs)} designs read")
    if waiting:
        cut()
    tell_some(failed, who="left out", most=10)
    if not kept or len(failed) > MAX_FAILED_SHARE * len(designs):
        first = failed[0] if failed else "there is none"
        raise DataError(f"{len(failed)} of {len(designs)} designs cannot be read; the first: {first}")
    matrix, rows = np.array(values, dtype=np.float32), Rows.of(kept)
    return Samples(
        tuple(kept), rows, tuple(texts), quantise(matrix), counts_of(matrix, FEATURE_NAMES),
        np.array(tokens, dtype=np.int64), encoder.max_tokens,
    )  # fmt: skip


def sample_of_design(design: Design, estimate: Estimate) -> Sample:
    """The fields of the template."""
    return sample_of(
        estimate, part=design.part, tool=design.tool, tool_version=design.tool_version, stage=design.stage,
        clock_ns=design.clock_period_ns,
    )  # fmt: skip
