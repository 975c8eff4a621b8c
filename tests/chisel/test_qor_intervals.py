"""Intervals of counted amounts: the arithmetic of bands, how they are fitted, and the artefact that ships."""

from __future__ import annotations

import numpy as np
import pytest

from hwml_sdk.artifact import Artifact, shipped
from hwml_sdk.chisel.qor.intervals import KIND, Band, bands_config, bands_of, intervals_of, shipped_bands
from hwml_sdk.chisel.qor.render import rows
from hwml_sdk.errors import ArtifactError
from hwml_sdk.train.chisel_qor.calibrate import band_rows

from .hw_texts import circuit, count, module


def test_a_band_is_a_range_of_quotients() -> None:
    """Counted 99: 100 times .9 and 1.25, less the one that makes 0 a quotient of its own."""
    interval = Band(None, 0.9, 1.25).interval(99)
    assert (interval.low, interval.high) == (89, 124)


def test_an_interval_holds_what_was_counted_and_no_negative_number() -> None:
    interval = Band(None, 1.1, 1.2).interval(10)
    assert (interval.low, interval.high) == (10, 12)
    assert Band(None, 0.1, 1.0).interval(3).low == 0


def test_the_first_band_that_reaches_up_to_the_amount() -> None:
    bands = {"lut": (Band(8, 1.0, 1.0), Band(None, 0.5, 2.0))}
    assert intervals_of({"lut": 8, "ff": 3}, bands)["lut"].high == 8
    assert intervals_of({"lut": 9}, bands)["lut"].high == 19  # 10 * 2 - 1
    assert set(intervals_of({"lut": 8, "ff": 3}, bands)) == {"lut"}


def test_four_of_five_quotients_lie_inside() -> None:
    """100 counts of 99, measured 50 to 149: 81 neighbours (80 % of 101, rounded up) are inside, 1 among them."""
    measured = np.arange(50.0, 150.0)
    (band,) = band_rows(np.full(100, 99.0), measured)
    inside = [band.low <= (value + 1) / 100 <= band.high for value in measured]
    assert sum(inside) == 81
    assert band.low <= 1 <= band.high


def test_bands_need_examples() -> None:
    """60 in each: of 119 there is one band, of 120 there are two; equal amounts are never parted."""
    assert len(band_rows(np.arange(119.0), np.arange(119.0))) == 1
    assert [band.upto for band in band_rows(np.arange(120.0), np.arange(120.0))] == [59, None]
    assert len(band_rows(np.full(300, 7.0), np.full(300, 7.0))) == 1


def test_those_without_any_are_apart_from_those_with_some() -> None:
    """50 modules without a memory, counted exactly, say nothing about 12 with one that is always half as much again;
    of 9 with one nothing is known."""

    def bands(some: int) -> list[tuple[int | None, float, float]]:
        counted = np.array([0.0] * 50 + [9.0] * some)
        return [(band.upto, band.low, band.high) for band in band_rows(counted, np.where(counted > 0, 14.0, 0.0))]

    assert bands(12) == [(0, 1.0, 1.0), (None, 1.0, 1.5)]
    assert bands(9) == [(0, 1.0, 1.0)]


def test_what_is_written_is_read_back() -> None:
    bands = {"lut": (Band(8, 0.5, 1.5), Band(None, 0.9, 1.1))}
    assert bands_of(bands_config(bands)) == bands


@pytest.mark.parametrize("config", [{}, {"bands": {"lut": [[1, 2]]}}, {"bands": []}, {"bands": {"lut": [[1, "a", 2]]}}])
def test_a_broken_artefact_is_an_error(config: dict[str, object]) -> None:
    with pytest.raises(ArtifactError, match="no bands"):
        bands_of(config)


def test_the_shipped_ones_are_used() -> None:
    """Its files match their sums; every figure of a module that is known has an interval around it."""
    folder = shipped(KIND)
    assert folder is not None
    found = Artifact.load(folder, kind=KIND)
    assert bands_of(found.config) == shipped_bands()
    text = circuit(module("Sum", "in %a : i8, in %b : i8, out y : i8", "%0 = comb.add %a, %b : i8", end="%0 : i8"))
    qor = count(text)
    assert qor.lut == 8
    assert qor.intervals["lut"].low <= 8 <= qor.intervals["lut"].high
    assert set(qor.intervals) == {"lut", "ff", "dsp", "bram_18k", "lutram", "srl"}
    shown = "\n".join(f"{title} {value} {spread}" for title, value, spread in rows(qor))
    assert "80 %" in shown
