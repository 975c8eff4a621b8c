"""A generator that leaves much to be desired: what it lacks is given from outside, its moods cost one sample."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cost_model.conftest import DATA

from hwml_sdk.cost_model import load_a_sample
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
from hwml_sdk.cost_model.sample.build import check_compiler
from hwml_sdk.cost_model.sample.jobs import JobOptions
from hwml_sdk.cost_model.sample.search import SearchSettings, autoschedule
from hwml_sdk.cost_model.sample.targets import Target
from hwml_sdk.errors import HwmlError

pytest.importorskip("halide", reason="halide is not installed (extra halide)")
pytestmark = pytest.mark.slow
SIZES = ("input=320x256", "output=320x256", "scale=2")


@pytest.fixture(autouse=True)
def _compiler() -> None:
    if not check_compiler():
        pytest.skip("no C++ compiler (c++)")


def _sample(folder: Path, estimates: tuple[str, ...] = SIZES, mood: str = "good", run_with: str = "") -> Path:
    options = JobOptions(
        estimates=estimates, generator_arguments=(f"mood={mood}",), compile_limit_s=20, memory_bytes=4 << 30,
        run_with=run_with,
    )  # fmt: skip
    settings = SampleSettings(
        Target("cpp", str(DATA / "bare_generator.cpp"), "bare"), "bare", batch_size=1, beam_size=1, options=options
    )
    (made,) = sample(settings, batches=1, samples_dir=folder, workers=1).written
    return made


def test_sizes_and_schedule_that_a_source_does_not_leave_to_others(tmp_path: Path) -> None:
    made = _sample(tmp_path)
    data = json.loads(made.with_suffix(".json").read_text())
    assert (data["own_schedule"], data["estimates"]) == ("left out", list(SIZES))
    # The output's stage computes each of its points, as given.
    assert load_a_sample(made).points()[0] == 320 * 256
    assert ".split(" in made.with_suffix("").with_suffix(".schedule.h").read_text()


@pytest.mark.parametrize(
    ("estimates", "words"),
    [
        ((), r"no estimated sizes of input \(2 dimensions\), output \(2 dimensions\).*--estimate"),
        (("input=320", *SIZES[1:]), "estimate of input: 1 sizes, it has 2 dimensions"),
        ((*SIZES, "inpt=3x3"), "no input or output is called inpt; there are input, scale, output"),
        ((*SIZES, "nonsense"), "--estimate nonsense: "),
    ],
)
def test_estimates_that_do_not_fit(estimates: tuple[str, ...], words: str, tmp_path: Path) -> None:
    with pytest.raises(HwmlError, match=words):
        _sample(tmp_path, estimates)


def test_a_hand_schedule_is_timed_at_the_sizes_that_are_set_for_autoschedulers_only(tmp_path: Path) -> None:
    options = JobOptions(generator_arguments=("mood=sized",))
    target = Target("cpp", str(DATA / "bare_generator.cpp"), "bare")
    settings = SampleSettings(target, "bare", batch_size=1, beam_size=1, others=True, options=options)
    (made,) = sample(settings, batches=1, samples_dir=tmp_path, workers=1).written
    assert load_a_sample(made).points()[0] == 320 * 254
    (kept,) = tmp_path.rglob("others.json")
    (rows,) = json.loads(kept.read_text())["pipelines"].values()
    assert rows[0]["label"] == "as written (hand schedule)"
    assert (rows[0]["runtime_ms"] or 0) > 0, rows[0]["error"]
    found = autoschedule(SearchSettings(target, {}, tries=1, measure=1, options=options))
    assert (found.others[0].runtime_ms or 0) > 0, found.others[0].error


def test_what_all_samples_would_lack_is_said_once_and_leaves_no_batch(tmp_path: Path) -> None:
    said: list[str] = []
    settings = SampleSettings(
        Target("cpp", str(DATA / "bare_generator.cpp"), "bare"), "bare", batch_size=3, beam_size=1
    )  # fmt: skip
    for best_of in (0, 4):
        with pytest.raises(HwmlError, match=r"bare_generator\.cpp:bare: no estimated sizes of input"):
            sample(replace(settings, best_of=best_of), batches=1, samples_dir=tmp_path, report=said.append)
    with pytest.raises(HwmlError, match="no estimated sizes of input"):
        autoschedule(SearchSettings(settings.target, {}, tries=3), report=said.append)
    assert said == []
    # With sizes, the first batch is the first, and is not held to those that were missing.
    assert _sample(tmp_path).parent.name == "batch_0001"


@pytest.mark.parametrize("mood", ["talks", "forks"])
def test_moods_that_cost_nothing(mood: str, tmp_path: Path) -> None:
    assert load_a_sample(_sample(tmp_path, mood=mood)).runtime_ms > 0


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("hungry", "ran out of memory .*--memory-limit.*bad_alloc"),
        ("crashes", r"the generator crashed \(signal 11\)"),
        ("endless", "took too long: the generator took over 20 s"),
    ],
)
def test_moods_that_cost_the_sample(mood: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(HwmlError, match=words):
        _sample(tmp_path, mood=mood)


def test_benchmarks_run_by_a_command(tmp_path: Path) -> None:
    """The command gets a script as its last argument and the program on its standard input."""
    seen = tmp_path / "seen"
    wrapper = tmp_path / "board"
    wrapper.write_text(f'#!/bin/sh\necho called >> "{seen}"\nexec sh -c "$1"\n')
    wrapper.chmod(0o755)
    assert load_a_sample(_sample(tmp_path / "samples", run_with=str(wrapper))).runtime_ms > 0
    assert 5 <= seen.read_text().count("called") <= 20  # more than 5 where the machine is busy
    with pytest.raises(HwmlError, match="the compiled pipeline failed"):
        _sample(tmp_path / "other", run_with="false")


def test_a_busy_machine_is_waited_out(tmp_path: Path) -> None:
    """A disturbed run is too slow: runs go on until the three fastest agree within 2 %, here 6, 6.05 and 6.1 ms."""
    times = tmp_path / "times"
    times.write_text("".join(f"{ms}e-3\n" for ms in (11, 9, 6, 8, 7, 6.05, 6.1, 5, 5, 5)))
    wrapper = tmp_path / "board"
    wrapper.write_text(
        f"#!/bin/sh\ncat > /dev/null\n"
        f'echo "produces best case of $(head -n 1 "{times}") sec/iter"\nsed -i 1d "{times}"\n'
    )
    wrapper.chmod(0o755)
    made = _sample(tmp_path / "samples", run_with=str(wrapper))
    assert load_a_sample(made).runtime_ms == pytest.approx(6)
    timing = json.loads(made.with_suffix(".json").read_text())["timing"]
    assert (timing["n_blocks"], timing["noise"]) == (7, pytest.approx(0.1 / 6))
    assert timing["clock"] == "wall"  # processor time would be that of another process
