"""What intervals are judged by, on rows whose errors are known by hand; when a learned part is followed."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from tests.qor.qor_rows import make_table

from hwml_sdk.qor.learned.certainty import told
from hwml_sdk.qor.learned.features import FEATURE_NAMES
from hwml_sdk.qor.learned.table import Table
from hwml_sdk.qor.tool.labels import DOMAINS, LABELS

pytest.importorskip("lightgbm")

from hwml_sdk.train.qor.calibrate import Evidence, fit_trust
from hwml_sdk.train.qor.evaluate import interval_figures
from hwml_sdk.train.qor.protocol import HeldOut
from hwml_sdk.train.qor.sharpness import changes, sharpness

SOURCES = ("a", "b", "c", "d", "e")
CLOSED_FORM_ALONE = (((0.0, 1.0),) * len(LABELS),) * len(DOMAINS)
MEMBER_ALONE = (((1.0, 0.0),) * len(LABELS),) * len(DOMAINS)


def test_what_is_told_as_unknown_has_no_interval() -> None:
    def of(**on: float) -> list[bool]:
        values = np.array([[on.get(name, 0.0) for name in FEATURE_NAMES]], dtype=np.float32)
        return told(values, FEATURE_NAMES)[0].tolist()  # type: ignore[no-any-return]

    at = LABELS.index("latency_cycles")
    assert of() == of(trips_told=1.0) == [True] * len(LABELS)
    assert of(unread=1.0) == [False] * len(LABELS)
    assert of(loops_unknown=1.0) == [index != at for index in range(len(LABELS))]


def strangers(members: dict[str, float], sources: tuple[str, ...] = SOURCES) -> Evidence:
    """40 rows a source; labels are 100, the closed form says 150, and the member of each source what is given."""
    table = make_table(40 * len(sources), groups=40)
    rows = dataclasses.replace(
        table.rows, source=np.repeat(np.array(sources), 40), labels=np.full(table.rows.labels.shape, 100.0)
    )
    values = np.zeros_like(table.values)
    values[:, : len(LABELS)] = math.log2(151)
    said = np.log1p(np.repeat([members[name] for name in sources], 40))
    table = dataclasses.replace(table, rows=rows, values=values, closed_form=np.full(rows.labels.shape, 150.0))
    n = len(said)
    return Evidence(table, np.tile(said[:, None], (1, 1, len(LABELS))), np.zeros(n), np.zeros(n, dtype=bool))


@pytest.mark.parametrize(
    ("members", "followed"),
    [
        (dict.fromkeys(SOURCES, 110), True),
        # Worse on one source, however much better on the others; four sources only; 2 % of the loss.
        ({**dict.fromkeys(SOURCES, 110), "d": 152}, False),
        (dict.fromkeys(SOURCES[:4], 110), False),
        (dict.fromkeys(SOURCES, 149.5), False),
    ],
)
def test_a_learned_part_is_followed_where_no_source_is_worse(members: dict[str, float], followed: bool) -> None:
    found = fit_trust(strangers(members, tuple(members)), MEMBER_ALONE)
    assert (found[DOMAINS.index("csynth")][0] > 0) is followed
    assert found[DOMAINS.index("merlin")][0] == 0  # no such rows


def test_nothing_is_followed_without_strangers() -> None:
    assert not np.any(fit_trust(None, CLOSED_FORM_ALONE))


def held(table: Table, value: float, low: float, high: float, factor: float) -> HeldOut:
    """The same predictions for all rows, as counts."""
    shape = (len(table.rows), len(LABELS))
    middle, lower, upper = (np.full(shape, math.log1p(number)) for number in (value, low, high))
    return HeldOut(middle, lower, upper, np.zeros(shape[0]), np.full(shape, factor))


def test_sharpness_by_what_is_known() -> None:
    """Labels of 100 with an interval of 90 to 110, of 200 with the same; Merlin's rows are none of them."""
    table = make_table(60, groups=30)
    merlin = table.values[:, table.feature_names.index("merlin")] > 0
    labels = np.where((table.rows.kernel == "kernel1")[:, None], 200.0, 100.0) * np.ones((60, len(LABELS)))
    table = dataclasses.replace(table, rows=dataclasses.replace(table.rows, labels=labels))
    found = sharpness(table, held(table, 100, 90, 110, 1.0))["all rounds counted"]["lut"]
    groups = len(set(table.rows.group[~merlin].tolist()))
    assert found["coverage"] == pytest.approx(1 - 1 / groups, abs=1e-3)
    assert found["width"] == pytest.approx(111 / 91, abs=1e-3)
    assert sharpness(table, held(table, 100, 90, 110, 1.0))["something is a guess"]["lut"]["coverage"] is None


def test_the_rank_of_widths_is_with_the_error() -> None:
    table = make_table(4, groups=4)
    rows = dataclasses.replace(table.rows, labels=np.full((4, len(LABELS)), 100.0))
    value = np.array([100.0, 120.0, 150.0, 200.0])
    wide, narrow = np.array([5.0, 20.0, 60.0, 90.0]), np.array([90.0, 60.0, 20.0, 5.0])
    assert interval_figures(rows, value, value - wide, value + wide, 0).rank == pytest.approx(1.0)
    assert interval_figures(rows, value, value - narrow, value + narrow, 0).rank == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("said", "covered", "sure", "right"),
    [
        # Truly twice: log 2 + .2 around log 2 covers 0, too; around 8 it covers 2 and not 1; around an eighth neither.
        (2.0, 1.0, 0.0, None), (8.0, 1.0, 1.0, 1.0), (1 / 8, 0.0, 1.0, 0.0),
    ],
)  # fmt: skip
def test_intervals_of_differences(said: float, covered: float, sure: float, right: float | None) -> None:
    """Pairs of 100 and 200 in each kernel; the interval reaches .9 x (|log said| + .2) to both sides."""
    table = make_table(2, groups=1)
    rows = dataclasses.replace(
        table.rows, kernel=np.array(["k", "k"]), group=np.array(["g", "g"]),
        labels=np.array([[99.0] * len(LABELS), [199.0] * len(LABELS)]),
    )  # fmt: skip
    values = table.values.copy()
    values[:, table.feature_names.index("merlin")] = 0
    table = dataclasses.replace(table, rows=rows, values=values)
    factor = 0.9 if said != 2.0 else 1.0
    found = held(table, 99.0, 1, 1e6, factor)
    found.value[1] = math.log(100 * said)
    figures = changes(table, found)["lut"]
    assert (figures["coverage"], figures["sure"], figures["sign_right"]) == (covered, sure, right)
