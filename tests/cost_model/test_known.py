"""Schedules that were sampled before: which are chosen by the weights, which become contenders of a search."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import PIPELINES, made_up

from hwml_sdk import CostModel
from hwml_sdk.cli import main
from hwml_sdk.cost_model.data.samples import load_from_dir, save_a_sample
from hwml_sdk.cost_model.machine import this_machine
from hwml_sdk.cost_model.net.weights import Weights
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
from hwml_sdk.cost_model.sample.known import Wanted, fastest_searches, keep_weights
from hwml_sdk.cost_model.sample.search import SearchSettings, autoschedule
from hwml_sdk.cost_model.sample.targets import parse_target
from hwml_sdk.cost_model.toolkit import halide_version
from hwml_sdk.errors import HwmlError

SEARCH = {"parallelism": 1, "beam_size": 1, "random_dropout": 5, "random_dropout_seed": 7}


def _samples(home: Path, changes: list[dict[str, object]]) -> None:
    """Samples of one made-up pipeline: sample k takes k + 1 ms, metadata as changed."""
    usual = {"pipeline_digest": "d", "points": [1.0, 2.0], "num_cores": 1, "halide_target": "host",
             "halide": halide_version(), "machine": this_machine().to_json(), "timing": {"noise": 0.0}}  # fmt: skip
    for index, (made, change) in enumerate(zip(made_up(1, len(changes), 2), changes, strict=True)):
        path = home / "machine" / "batch_0001" / f"s_{index}.sample"
        save_a_sample(replace(made, runtime_ms=index + 1.0), path)
        search = SEARCH | {"random_dropout_seed": index, "weights": ""}
        data = usual | {"schedule_digest": str(index), "search": search} | change
        path.with_suffix(".json").write_text(json.dumps(data))


def _wanted() -> Wanted:
    return Wanted("d", [1.0, 2.0], 1, "host", this_machine())


def test_the_fastest_samples_of_this_pipeline_on_this_machine(tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    other_machine = this_machine().to_json() | {"host": "other"}
    weights = Weights.random(1)
    name = keep_weights(tmp_path, base64.b64encode(weights.to_bytes()).decode())
    _samples(
        tmp_path,
        [
            {"pipeline_digest": "other"}, {"points": [1.0, 4.0]}, {"num_cores": 2}, {"halide": "20.0.0"},
            {"machine": other_machine}, {"halide_target": "host-no_asserts"}, {"search": SEARCH},
            {"search": SEARCH | {"random_dropout_seed": 70, "weights": name}}, {}, {"schedule_digest": "8"}, {},
        ],
    )  # fmt: skip
    found = fastest_searches(tmp_path, _wanted(), 5)
    # Sample 9 is a slower timing of sample 8's schedule.
    assert [search.random_dropout_seed for search in found] == [70, 8, 10]
    assert base64.b64decode(found[0].weights) == weights.to_bytes()
    assert found[1].weights == ""
    assert [search.random_dropout_seed for search in fastest_searches(tmp_path, _wanted(), 1)] == [70]


def test_weights_that_are_gone_are_named(tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    _samples(tmp_path, [{"search": SEARCH | {"weights": "0123456789abcdef"}}])
    with pytest.raises(HwmlError, match=r"s_0\.sample: the weights 0123456789abcdef .* are gone"):
        fastest_searches(tmp_path, _wanted(), 1)
    _samples(tmp_path, [{"search": {"weights": ""}}])
    with pytest.raises(HwmlError, match="tells no search"):
        fastest_searches(tmp_path, _wanted(), 1)


def test_bad_numbers_and_folders_are_refused_before_anything_is_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    target = f"{PIPELINES}:pipeline"
    out = ["--samples-dir", str(tmp_path / "s")]
    assert main(["halide", "sample", target, "--batch-size", "4", "--best-of", "4", *out]) == 2
    assert "--best-of 4: over the batch size, 4, or 0" in capsys.readouterr().err
    assert main(["halide", "autoschedule", target, "--samples", str(tmp_path / "none")]) == 2
    assert "no such folder of samples" in capsys.readouterr().err


FLAKY = """import halide as hl, pathlib, secrets
def pipeline():
    here = pathlib.Path(__file__).parent
    (here / f"{secrets.token_hex(8)}.call").touch()
    if len(list(here.glob("*.call"))) == 2:
        raise RuntimeError("no luck this time")
    x, y, a = hl.Var("x"), hl.Var("y"), hl.ImageParam(hl.Float(32), 2, "a")
    a.set_estimates([(0, 64), (0, 64)])
    f = hl.Func("f")
    f[x, y] = a[x, y] * 2.0
    f.set_estimates([(0, 64), (0, 64)])
    return f
"""


def test_searches_that_fail_are_counted_and_named(tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    (tmp_path / "flaky.py").write_text(FLAKY)
    said: list[str] = []
    settings = SampleSettings(parse_target(f"{tmp_path / 'flaky.py'}:pipeline"), "p", batch_size=1, best_of=3)
    done = sample(settings, batches=1, samples_dir=tmp_path / "s", workers=1, report=said.append)
    assert len(done.written) == 1
    (failure,) = done.failures
    assert failure.startswith("batch 1, search 000") and "no luck this time" in failure
    assert any("in 3 searches, 1 to measure; 1 failed" in line for line in said)


@pytest.mark.slow
def test_samples_are_chosen_by_the_weights_and_are_contenders_afterwards(tmp_path: Path) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    target = parse_target(f"{PIPELINES}:pipeline")
    said: list[str] = []
    settings = SampleSettings(target, "p", batch_size=2, best_of=6, explore=1.0, seed=3)
    done = sample(settings, batches=1, samples_dir=tmp_path, report=said.append)
    assert any("new schedules in 6 searches, 2 to measure" in line for line in said)
    # The same six, all measured: those that were chosen are the two that Halide's weights predict fastest.
    every = SampleSettings(target, "p", batch_size=6, explore=1.0, seed=3)
    from hwml_sdk.cost_model.sample import autosampler

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autosampler, "DROPOUTS", autosampler.NEAR_DROPOUTS)
        sample(every, batches=1, samples_dir=tmp_path / "all")
    model = CostModel.from_weights(Weights.named("embedded"))
    predicted = {
        made.schedule_digest(): float(model.predict(made.pipeline_features, made.schedule_features, 1)[0])
        for made in load_from_dir(tmp_path / "all")
    }
    chosen = {made.schedule_digest() for made in load_from_dir(tmp_path / "p")}
    assert chosen == set(sorted(predicted, key=lambda digest: predicted[digest])[: len(chosen)])
    assert list((tmp_path / "p" / ".weights").glob("*.weights"))

    search = SearchSettings(target, {}, tries=1, measure=1, others=False, gate=True, samples=str(tmp_path / "p"))
    result = autoschedule(search, report=said.append)
    assert [item.label for item in result.measured] == ["Halide's weights", "fastest samples"]
    fastest = min((json.loads(path.with_suffix(".json").read_text()) for path in done.written),
                  key=lambda data: data["timing"]["runtime_ms"])  # fmt: skip
    assert result.measured[1].digest == fastest["schedule_digest"]
    assert np.isfinite(result.best.runtime_ms or np.nan)
