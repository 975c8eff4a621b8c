"""Files of Anderson2021, the cost model for GPUs: what its own plug-in and program wrote, read and written again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.cost_model.conftest import PIPELINES

from hwml_sdk.cli import main
from hwml_sdk.cost_model import Weights
from hwml_sdk.cost_model.data.features import GPU_SCHEDULE_FEATURES
from hwml_sdk.cost_model.data.samples import (
    featurization_bytes,
    load_a_sample,
    load_featurization,
    parse_featurization,
    sample_bytes,
)
from hwml_sdk.cost_model.net.gpu_weights import GpuWeights
from hwml_sdk.cost_model.sample.targets import parse_target
from hwml_sdk.errors import DataError

pytest.importorskip("halide", reason="halide is not installed (extra halide)")


def test_weights_of_the_plug_in_round_trip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = GpuWeights.embedded()
    assert weights.arrays["head2_filter"].shape == (73, 24)
    weights.save(tmp_path / "gpu.weights")
    for source, made in (("gpu.weights", "gpu.json"), ("gpu.json", "again.weights")):
        assert main(["halide", "convert", str(tmp_path / source), str(tmp_path / made)]) == 0
    assert "Anderson2021" in capsys.readouterr().out
    assert (tmp_path / "again.weights").read_bytes() == (tmp_path / "gpu.weights").read_bytes()
    with pytest.raises(DataError, match="head2_filter has extents"):
        Weights.load_from_file(tmp_path / "gpu.weights")
    with pytest.raises(DataError, match="ends after 100 bytes"):
        GpuWeights.from_bytes(weights.to_bytes()[:100])
    with pytest.raises(DataError, match="head2_filter has extents"):
        GpuWeights.from_bytes(Weights.random(1).to_bytes())


def test_halides_program_writes_the_same_file(tmp_path: Path) -> None:
    """Its six `.data` files, written here number by number, made into a `.weights` file by Halide's own program."""
    from hwml_sdk.cost_model.toolkit import program

    weights = GpuWeights.embedded()
    names = {
        "head1_filter": "head1_conv1_weight",
        "head1_bias": "head1_conv1_bias",
        "head2_filter": "head2_conv1_weight",
        "head2_bias": "head2_conv1_bias",
        "conv1_filter": "trunk_conv1_weight",
        "conv1_bias": "trunk_conv1_bias",
    }
    for name, file in names.items():
        (tmp_path / f"{file}.data").write_bytes(weights.arrays[name].astype("<f4").tobytes())
    made = tmp_path / "theirs.weights"
    subprocess.run([program("anderson2021_weightsdir_to_weightsfile"), tmp_path, made], check=True, capture_output=True)
    assert made.read_bytes() == weights.to_bytes()


def test_features_that_the_plug_in_writes_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scheduling for a GPU needs none; a sample is made of it by Halide's own program."""
    import halide

    from hwml_sdk.cost_model.sample.targets import build_pipeline
    from hwml_sdk.cost_model.toolkit import plugin_path, program

    halide.load_plugin(str(plugin_path("Anderson2021")))
    found = build_pipeline(parse_target(f"{PIPELINES}:pipeline")).apply_autoscheduler(
        halide.Target("host-cuda-cuda_capability_70"), halide.AutoschedulerParams("Anderson2021", {})
    )
    data = bytes(found.featurization)
    schedule, pipeline = parse_featurization(data, names=GPU_SCHEDULE_FEATURES)
    assert featurization_bytes(schedule, pipeline) == data
    named = dict(zip(GPU_SCHEDULE_FEATURES, schedule[0], strict=True))
    # The output of 256 x 256 floats: facts of the pipeline, whatever the schedule.
    assert (named["points_computed_minimum"], named["bytes_at_root"]) == (256 * 256, 4 * 256 * 256)
    assert 0 < named["block_occupancy"] <= 1
    (tmp_path / "a.featurization").write_bytes(data)
    with pytest.raises(DataError, match="not of adams2019"):
        load_featurization(tmp_path / "a.featurization")
    subprocess.run(
        [program("featurization_to_sample"), tmp_path / "a.featurization", "0.0015", "7", "3", tmp_path / "a.sample"],
        check=True, capture_output=True,
    )  # fmt: skip
    sample = load_a_sample(tmp_path / "a.sample", names=GPU_SCHEDULE_FEATURES)
    assert (sample.runtime_ms, sample.pipeline_id, sample.schedule_id) == (1.5, 7, 3)
    assert sample_bytes(sample) == (tmp_path / "a.sample").read_bytes()
    assert sample.points()[0] == 256 * 256
    for name in ("a.sample", "a.featurization"):
        assert main(["halide", "inspect", str(tmp_path / name)]) == 0
        assert "block_occupancy" in capsys.readouterr().out
