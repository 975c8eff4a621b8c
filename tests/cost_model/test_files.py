"""Samples, weights and CSV: byte-identical round trips, and clear errors for everything that is not one."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cost_model.conftest import made_up, shared

from hwml_sdk.cli import main
from hwml_sdk.cost_model import CSVDataset, Weights, load_a_sample, load_from_dir
from hwml_sdk.cost_model.data.csvdata import read_csv, write_csv
from hwml_sdk.cost_model.data.dataset import load_pipelines, metadata
from hwml_sdk.cost_model.data.features import PIPELINE_ROWS, SCHEDULE_FEATURES, pipeline_feature_names
from hwml_sdk.cost_model.data.samples import (
    check_groups,
    load_featurization,
    parse_featurization,
    parse_sample,
    sample_bytes,
)
from hwml_sdk.cost_model.net.weights import BUFFERS, FILE_BYTES
from hwml_sdk.errors import DataError, HwmlError


def test_feature_tables_have_the_sizes_of_the_format() -> None:
    assert (len(SCHEDULE_FEATURES), len(PIPELINE_ROWS), len(set(pipeline_feature_names()))) == (39, 41, 287)


def test_sample_layout_is_that_of_the_format(tmp_path: Path) -> None:
    # Two stages written number by number, without the code under test.
    floats = np.arange(2 * 326, dtype="<f4")
    path = tmp_path / "a.sample"
    path.write_bytes(floats.tobytes() + struct.pack("<fii", 1.5, 7, -3))
    sample = load_a_sample(path)
    assert (sample.n_stages, sample.runtime_ms, sample.pipeline_id, sample.schedule_id) == (2, 1.5, 7, -3)
    assert sample.schedule_features[1, 38] == 326 + 38
    assert sample.model_pipeline_features[0, 4, 2] == 39 + (4 + 1) * 7 + 2
    assert sample_bytes(sample) == path.read_bytes()


def test_featurization_file(tmp_path: Path) -> None:
    path = tmp_path / "a.featurization"
    path.write_bytes(sample_bytes(made_up(1, 1, 4)[0])[:-12])
    schedule, pipeline = load_featurization(path)
    assert (schedule.shape, pipeline.shape) == ((4, 39), (4, 41, 7))


def _damaged() -> dict[str, bytes]:
    good = sample_bytes(made_up(3, 1, 2)[0])
    floats = np.frombuffer(good[:-12], dtype="<f4")

    def with_float(index: int, value: float) -> bytes:
        changed = floats.copy()
        changed[index] = value
        return changed.tobytes() + good[-12:]

    return {
        "empty": b"",
        "only a tail": good[-12:],
        "truncated": good[:-5],
        "stage cut off": good[4:],
        "NaN": with_float(5, np.nan),
        "infinite": with_float(326 + 3, np.inf),
        "negative": with_float(0, -1.0),
        "too large": with_float(2, 2e14),
        "negative pipeline feature": with_float(60, -1.0),
        "NaN pipeline feature": with_float(60, np.nan),
        "no run time": good[:-12] + struct.pack("<fii", 0.0, 1, 1),
        "negative run time": good[:-12] + struct.pack("<fii", -1.0, 1, 1),
        "NaN run time": good[:-12] + struct.pack("<fii", np.nan, 1, 1),
    }


@pytest.mark.parametrize("kind", _damaged())
def test_damaged_samples_are_named(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.sample"
    path.write_bytes(_damaged()[kind])
    with pytest.raises(DataError, match=r"bad\.sample: ") as caught:
        load_a_sample(path)
    assert "\n" not in str(caught.value)


def test_oversize_missing_and_folder(tmp_path: Path) -> None:
    big = tmp_path / "big.sample"
    with big.open("wb") as stream:
        stream.truncate(1 << 30)
    for path in (big, tmp_path / "none.sample", tmp_path):
        with pytest.raises(DataError):
            load_a_sample(path)
    with pytest.raises(DataError, match="no such folder"):
        list(load_from_dir(tmp_path / "nowhere"))


@given(st.binary(max_size=4000))
@settings(max_examples=200, deadline=None)
def test_readers_never_fail_otherwise(data: bytes) -> None:
    for read in (parse_sample, parse_featurization, Weights.from_bytes):
        try:
            read(data)
        except DataError:
            continue


@given(st.integers(0, FILE_BYTES - 1), st.integers(0, 255), st.booleans())
@settings(max_examples=200, deadline=None)
def test_damaged_weights_are_read_whole_or_refused(place: int, byte: int, cut: bool) -> None:
    good = Weights.random(1).to_bytes()
    bad = good[:place] if cut else good[:place] + bytes([byte]) + good[place + 1 :]
    try:
        assert Weights.from_bytes(bad).to_bytes() == bad
    except DataError:
        assert bad != good


def _good_files() -> dict[str, bytes]:
    """One well-formed file of each text format, and a sample, as they are written."""
    one = made_up(2, 1, 1)[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_csv([one], folder / "a.csv")
        Weights.random(1).save_to_json(folder / "a.json")
        made = {path.suffix: path.read_bytes() for path in folder.iterdir()}
    return made | {".sample": sample_bytes(one), ".metadata": b'{"num_cores": 1, "timing": {"noise": 0.01}}'}


def _read(suffix: str, path: Path) -> None:
    if suffix == ".csv":
        list(read_csv(path))
    elif suffix == ".json":
        Weights.load_from_json(path)
    elif suffix == ".sample":
        load_a_sample(path)
    else:
        metadata(path.with_suffix(".sample"))


GOOD_FILES = _good_files()


@given(st.sampled_from(sorted(GOOD_FILES)), st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=4))
@settings(max_examples=300, deadline=None)
def test_files_with_changed_bytes_are_read_or_refused(suffix: str, changes: list[tuple[float, bytes]]) -> None:
    data = GOOD_FILES[suffix]
    for place, piece in changes:
        at = int(place * len(data))
        data = data[:at] + piece + data[at + len(piece) * (len(piece) % 2) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed.json"
        path.write_bytes(data)
        words = "fuzzed"
        try:
            _read(suffix, path)
        except DataError as error:
            words = str(error)
        assert "fuzzed" in words
        assert "\n" not in words


@pytest.mark.parametrize("text", ["[]", "{", '{"num_cores": "x"}', '{"timing": {"noise": null}}', '{"num_cores": -1}'])
def test_bad_metadata_is_named(text: str, sample_folder: Callable[..., Path]) -> None:
    folder = sample_folder(1, 8, 1)
    (folder / "p0" / "s003.json").write_text(text)
    with pytest.raises(DataError, match=r"s003\.json.*remove the file|s003\.json"):
        load_pipelines(folder)


def test_folder_is_read_one_sample_at_a_time(sample_folder: Callable[..., Path]) -> None:
    folder = sample_folder(2, 3)
    (folder / "p1" / "zz.sample").write_bytes(b"broken")
    stream = load_from_dir(folder)
    assert [next(stream).schedule_id for _ in range(6)] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(DataError, match=r"zz\.sample"):
        next(stream)
    skipped: list[DataError] = []
    assert len(list(load_from_dir(folder, skipped=skipped))) == 6
    assert len(skipped) == 1


def test_mixed_pipelines_under_one_id_are_named() -> None:
    mixed = [*made_up(1, 2, 3), *made_up(2, 1, 3)]
    with pytest.raises(DataError, match="pipeline id 1 is used for two different pipelines"):
        check_groups(mixed)
    check_groups(made_up(1, 4, 3))


def test_csv_round_trip_is_exact(sample_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder = sample_folder(2, 3)
    assert main(["halide", "convert", str(folder), str(tmp_path / "all.csv")]) == 0
    assert main(["halide", "convert", str(tmp_path / "all.csv"), str(tmp_path / "back")]) == 0
    before = [path.read_bytes() for path in sorted(folder.rglob("*.sample"))]
    after = [path.read_bytes() for path in sorted((tmp_path / "back").rglob("*.sample"))]
    assert after == before
    assert main(["halide", "convert", str(tmp_path / "all.csv"), str(tmp_path / "back")]) == 2


@pytest.mark.parametrize("width", [280, 287])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("style", ["{}", "[{}]"])
def test_csv_layouts_are_told_apart_by_width(width: int, swapped: bool, style: str, tmp_path: Path) -> None:
    sample = made_up(5, 1, 3)[0]
    pipeline = sample.pipeline_features.reshape(3, 287)[:, 287 - width :]
    cells = [",".join(map(str, values.ravel())) for values in (pipeline, sample.schedule_features)]
    first, second = (f'"{style.format(cell)}"' for cell in (cells[::-1] if swapped else cells))
    path = tmp_path / "a.csv"
    path.write_text(f"y,Xp,Xs\n0.25,{first},{second}\n")
    data = CSVDataset(path)
    assert len(data) == 1
    np.testing.assert_array_equal(data.Xp[0], sample.model_pipeline_features)
    np.testing.assert_array_equal(data[0].Xs, sample.schedule_features)
    assert data.y.tolist() == [0.25]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column"),
        ("Xp,Xs\n1,2\n", "no column y"),
        ("Xp,Xs,y\n1 2,3,1\n", r"bad\.csv:2: Xp has 2 and Xs 1 numbers"),
        ("Xp,Xs,y\nabc,3,1\n", "no number"),
        (f"Xp,Xs,y\n{'1 ' * 280},{'1 ' * 39},-1\n", "positive run time"),
        (f"Xp,Xs,y\n{'1 ' * 280},{'nan ' * 39},1\n", "outside 0..1e14"),
        (f"Xp,Xs,y,pipeline_id\n{'1 ' * 280},{'1 ' * 39},1,x\n", "not a whole number"),
    ],
)
def test_bad_csv(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=words):
        CSVDataset(path)


def test_weights_round_trips(weights: Weights, tmp_path: Path) -> None:
    first = weights.to_bytes()
    assert len(first) == FILE_BYTES == 17136
    weights.save_to_file(tmp_path / "a.weights")
    assert Weights.load_from_file(tmp_path / "a.weights").to_bytes() == (tmp_path / "a.weights").read_bytes() == first
    weights.save_to_json(tmp_path / "a.json")
    assert Weights.load_from_json(tmp_path / "a.json").to_bytes() == first
    weights.save_to_dir(tmp_path / "old")
    assert Weights.load_from_file(tmp_path / "old").to_bytes() == first
    assert main(["halide", "convert", str(tmp_path / "a.json"), str(tmp_path / "b.weights")]) == 0
    assert (tmp_path / "b.weights").read_bytes() == first


def test_weights_layout_is_that_of_the_format(weights: Weights) -> None:
    data = weights.to_bytes()
    assert data[:4] == bytes.fromhex("31667768")
    assert struct.unpack_from("<4I", data, 4) == (3, 3, 6, 3)
    assert struct.unpack_from("<3I", data, 20) == (8, 40, 7)
    assert struct.unpack_from("<f", data, 32)[0] == weights.head1_filter[0, 0, 0]


def test_random_weights_are_uniform_and_repeatable() -> None:
    values = np.concatenate([array.ravel() for array in Weights.random(11).arrays().values()])
    assert -0.5 <= values.min() < -0.49
    assert 0.49 < values.max() <= 0.5
    assert abs(values.mean()) < 0.02
    assert Weights.random(11).to_bytes() == Weights.random(11).to_bytes() != Weights.random(12).to_bytes()


def test_old_folder_as_the_halide_program_reads_it(weights: Weights, tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    from hwml_sdk.cost_model.toolkit import program

    weights.save_to_dir(tmp_path / "old")
    subprocess.run(
        [program("adams2019_weightsdir_to_weightsfile"), tmp_path / "old", tmp_path / "new.weights"], check=True
    )
    assert (tmp_path / "new.weights").read_bytes() == weights.to_bytes()


def _bad_weights() -> dict[str, tuple[bytes, str]]:
    good = Weights.random(1).to_bytes()
    nan = bytearray(good)
    nan[40:44] = struct.pack("<f", np.nan)
    return {
        "empty": (b"", "ends after 0 bytes"),
        "magic": (b"RIFF" + good[4:], "magic number"),
        "version": (good[:4] + struct.pack("<I", 2) + good[8:], r"feature versions \(2, 3\)"),
        "count": (good[:12] + struct.pack("<I", 5) + good[16:], "5 buffers"),
        "dimensions": (good[:16] + struct.pack("<I", 2) + good[20:], "2 dimensions"),
        "shape": (good[:20] + struct.pack("<I", 9) + good[24:], "extents"),
        "truncated": (good[:-4], "inside conv1_bias"),
        "longer": (good + b"\0", "follow the last buffer"),
        "oversize": (good * 3, "has 17136"),
        "NaN": (bytes(nan), "NaN or infinity"),
    }


@pytest.mark.parametrize("kind", _bad_weights())
def test_bad_weights(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, words = _bad_weights()[kind]
    path = tmp_path / "bad.weights"
    path.write_bytes(data)
    with pytest.raises(DataError, match=words):
        Weights.load_from_file(path)
    assert main(["halide", "convert", str(path), str(tmp_path / "out.json")]) == 2
    assert "bad.weights" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_bad_folder_and_json(weights: Weights, tmp_path: Path) -> None:
    weights.save_to_dir(tmp_path / "old")
    (tmp_path / "old" / BUFFERS[2][2]).write_bytes(b"1234")
    with pytest.raises(DataError, match="head2_conv1_weight"):
        Weights.load_from_file(tmp_path / "old")
    path = tmp_path / "a.json"
    weights.save_to_json(path)
    good = json.loads(path.read_text())
    changes = [
        good | {"kind": "other"},
        good | {"feature_versions": [2, 3]},
        good | {"buffers": {}},
        good | {"buffers": good["buffers"] | {"head1_bias": ["x"] * 8}},
        good | {"buffers": good["buffers"] | {"head1_bias": [1.0]}},
        good | {"buffers": good["buffers"] | {"head1_bias": [float("nan")] * 8}},
        [],
    ]
    for change in changes:
        path.write_text(json.dumps(change))
        with pytest.raises(DataError, match=r"a\.json"):
            Weights.load_from_json(path)
    path.write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        Weights.load_from_json(path)


def test_full_disk_and_read_only_folder_keep_what_was_there(weights: Weights, tmp_path: Path) -> None:
    if not Path("/dev/full").exists() or sys.platform != "linux":
        pytest.skip("needs Linux")
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(HwmlError, match="cannot write"):
        weights.save_to_file(blocked / "a.weights")
    with pytest.raises(HwmlError, match="cannot write"):
        write_csv(made_up(1, 1, 1), "/proc/a.csv")
    assert blocked.read_text() == "not a folder"


def test_reference_files_round_trip() -> None:
    folder = shared("samples")
    count = 0
    for path in folder.rglob("*.sample"):
        assert sample_bytes(load_a_sample(path)) == path.read_bytes()
        count += 1
    assert count == 208
    for path in folder.parent.glob("*.weights"):
        assert Weights.load_from_file(path).to_bytes() == path.read_bytes()


def test_inspect_names_every_feature(
    sample_folder: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = next(sample_folder(1, 1, 2).rglob("*.sample"))
    assert main(["halide", "inspect", str(path), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema_version"] == 2
    sample = load_a_sample(path)
    for index, stage in enumerate(data["stages"]):
        assert list(stage["schedule"]) == list(SCHEDULE_FEATURES)
        np.testing.assert_array_equal(list(stage["pipeline"].values()), sample.pipeline_features[index].ravel())
    assert main(["halide", "inspect", str(path), "--all"]) == 0
    text = capsys.readouterr().out
    assert text.count("working_set_at_root") == 2
    shutil.copy(path, tmp_path / "x.featurization")
    assert main(["halide", "inspect", str(tmp_path / "x.featurization")]) == 2
