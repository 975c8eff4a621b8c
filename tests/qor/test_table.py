"""The numeric feature table: what is written is what is read, and nothing else is accepted."""

from __future__ import annotations

import lzma
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.qor.qor_rows import make_table

from hwml_sdk.errors import DataError, HwmlError
from hwml_sdk.qor.learned.quantised import counts_of, quantise
from hwml_sdk.qor.learned.table import canonical, read_table, write_table
from hwml_sdk.qor.tool.labels import LABELS


def test_round_trip_in_canonical_order(tmp_path: Path) -> None:
    table = make_table(60)
    write_table(tmp_path / "t", table, notices={"alpha": "a notice\n"})
    back, expected = read_table(tmp_path / "t"), canonical(table)
    np.testing.assert_array_equal(back.values, expected.values)
    np.testing.assert_array_equal(back.rows.labels, expected.rows.labels)
    np.testing.assert_array_equal(back.rows.group, expected.rows.group)
    assert (tmp_path / "t" / "alpha.LICENSE.txt").read_text() == "a notice\n"
    assert sorted(path.name for path in (tmp_path / "t").glob("*.xz")) == [
        "alpha.npz.xz",
        "beta.npz.xz",
        "gamma.npz.xz",
    ]


def test_same_table_gives_same_bytes_whatever_its_order(tmp_path: Path) -> None:
    table = make_table(60)
    write_table(tmp_path / "a", table)
    write_table(tmp_path / "b", table.take(np.random.default_rng(1).permutation(60)))
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_unknown_labels_and_nan_features_survive(tmp_path: Path) -> None:
    table = make_table(30)
    table.rows.labels[3, 1] = np.nan
    table.rows.bounds[3, 1] = 68
    table.values[5, 0] = np.nan
    write_table(tmp_path / "t", table)
    back = read_table(tmp_path / "t")
    assert np.isnan(back.rows.labels).sum() == 1
    assert np.nanmax(back.rows.bounds) == 68
    assert np.isnan(back.values).sum() == 1


def test_other_feature_version_or_names_are_refused(tmp_path: Path) -> None:
    table = make_table(30)
    write_table(tmp_path / "t", table)
    with pytest.raises(DataError, match="version 7, this hwml makes version 8; rebuild"):
        read_table(tmp_path / "t", feature_version=8)
    with pytest.raises(DataError, match="rebuild"):
        read_table(tmp_path / "t", feature_version=7, feature_names=(*table.feature_names[:-1], "other"))


def test_broken_missing_and_unknown(tmp_path: Path) -> None:
    write_table(tmp_path / "t", make_table(30))
    with pytest.raises(DataError, match="no source 'delta' to exclude; there are alpha, beta, gamma"):
        read_table(tmp_path / "t", exclude=["delta"])
    assert set(read_table(tmp_path / "t", exclude=["alpha"]).rows.source) == {"beta", "gamma"}
    with pytest.raises(DataError, match="no source is left"):
        read_table(tmp_path / "t", exclude=["alpha", "beta", "gamma"])
    place = tmp_path / "t" / "alpha.npz.xz"
    whole = place.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], lzma.compress(b"nothing"), b"PK" + whole[2:]):
        place.write_bytes(broken)
        with pytest.raises(DataError, match=r"alpha\.npz\.xz: is not a feature table"):
            read_table(tmp_path / "t")
    with pytest.raises(DataError, match="features --data"):
        read_table(tmp_path / "empty")


def test_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HwmlError, match="cannot write"):
        write_table(tmp_path / "file" / "t", make_table(10))


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), min_size=1, max_size=20))
def test_quantise_is_idempotent_and_close(values: list[float]) -> None:
    given_values = np.array(values, dtype=np.float32)
    once = quantise(given_values)
    np.testing.assert_array_equal(quantise(once), once)
    small = np.abs(given_values) < 500
    assert (np.abs(once - given_values)[small] <= 1 / 128).all()
    assert (np.isnan(once) == np.isnan(given_values)).all()


def test_the_closed_form_is_kept_to_the_count(tmp_path: Path) -> None:
    """1026 cycles stay 1026: in steps of 1/64 of log2 they were 1023, off by more than most latencies are."""
    table = make_table(40)
    logs = table.values.copy()
    logs[:, table.feature_names.index("cf_latency_cycles")] = np.log2(1027)
    table = replace(table, closed_form=counts_of(logs, table.feature_names))
    write_table(tmp_path / "t", table)
    read = read_table(tmp_path / "t")
    assert (read.closed_form[:, LABELS.index("latency_cycles")] == 1026).all()
    np.testing.assert_array_equal(read.closed_form, canonical(table).closed_form)
    np.testing.assert_allclose(np.expm1(read.closed_form_log), read.closed_form)
