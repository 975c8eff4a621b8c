"""How failures are told apart, what is tried after them, and which of equal schedules is kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.cost_model.conftest import DATA

from hwml_sdk.cli import main
from hwml_sdk.cost_model.data.samples import load_a_sample
from hwml_sdk.cost_model.sample.autosampler import SampleSettings, make_pipeline_id, other_search, sample
from hwml_sdk.cost_model.sample.failures import kind_of, lacking, words
from hwml_sdk.cost_model.sample.generator import remote_command
from hwml_sdk.cost_model.sample.jobs import JobOptions, memory_of
from hwml_sdk.cost_model.sample.targets import (
    check_halide_target,
    generator_names,
    generator_parameters,
    has_hand_schedule,
    parse_target,
)
from hwml_sdk.errors import HwmlError
from hwml_sdk.executor import Outcome

BEST = {"beam_size": 32, "random_dropout": 100, "random_dropout_seed": 1, "weights": "", "parallelism": 1}
PROBE = BEST | {"beam_size": 1, "random_dropout": 1}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("the process ended with signal 6: terminate called after throwing an instance of 'std::bad_alloc'", "memory"),
        ("the process ended with signal 9", "memory"),
        ("needed more than 2048 MiB of memory", "memory"),
        ("the process ended with signal 6: last words", "crash"),
        ("the generator crashed (signal 11), and said nothing", "crash"),
        ("the process ended with signal 27: (scheduling, limit 1 s)", "time"),
        ("took too long: the generator took over 300 s and was ended", "time"),
        ("Internal Error at AutoSchedule.cpp:296: Ran out of legal states with beam size 32", "illegal"),
        ("Halide cannot schedule it: Error: invalid schedule: f is used outside of its storage", "illegal"),
        ("Error: In schedule for out.update(0), can't reorder RVars r5$y and r5$x because it may", "illegal"),
        ("ValueError: no such kernel", "other"),
    ],
)
def test_kinds_of_failures(error: str, kind: str) -> None:
    assert kind_of(Outcome("0", "crashed", error=error)) == kind
    assert "\n" not in words(Outcome("0", "crashed", error=error))


def test_what_a_generator_lacks_whatever_the_search() -> None:
    said = "the generator failed (status 1): hwml: no estimated sizes of input\n(2 dimensions)"
    assert lacking(Outcome("0", "failed", error=said)) == "no estimated sizes of input (2 dimensions)"
    for other in (
        "the generator failed (status 255): Error: Must use Output<>",
        "ValueError: hwml: none",
        "",
        "signal 6",
    ):
        assert lacking(Outcome("0", "failed", error=other)) == ""


def test_what_is_tried_after_a_failure() -> None:
    random = np.random.default_rng(1)
    memory = Outcome("0", "crashed", error="signal 6: std::bad_alloc")
    beams = []
    search: dict[str, object] = dict(BEST)
    while (changed := other_search(search, memory, random)) is not None:
        search = changed[0]
        beams.append(search["beam_size"])
    assert beams == [8, 2, 1]
    illegal = Outcome("0", "failed", error="Ran out of legal states with beam size 32")
    first = other_search(PROBE, illegal, random)
    assert first is not None
    assert first[0]["random_dropout_seed"] != PROBE["random_dropout_seed"]
    second = other_search(first[0], illegal, random)
    assert second is not None
    assert second[0]["weights"] != first[0]["weights"]
    # Mistakes in the code and slow schedules are as they are with any other search.
    for error in ("ValueError: no such kernel", "took too long: the compiled pipeline took over 30 s and was ended"):
        assert other_search(BEST, Outcome("0", "failed", error=error), random) is None
    assert other_search(BEST, Outcome("0", "ok"), random) is None


def test_memory_follows_the_machine() -> None:
    assert memory_of(JobOptions(memory_bytes=5), 3) == 5
    assert memory_of(JobOptions(), 1000) == 4 << 30
    assert memory_of(JobOptions(), 1) >= memory_of(JobOptions(), 2)


def test_ids_tell_sizes_and_arguments_apart() -> None:
    known = make_pipeline_id("blur", "d", [16.0, 4.0], ["a=1", "b=2"])
    assert known == make_pipeline_id("blur", "d", [16.0, 4.0], ["b=2", "a=1"])
    others = [("blur", "d", [16.0, 8.0], ["a=1", "b=2"]), ("blur", "d", [16.0, 4.0], ["a=2", "b=2"]),
              ("blur", "e", [16.0, 4.0], ["a=1", "b=2"]), ("other", "d", [16.0, 4.0], ["a=1", "b=2"])]  # fmt: skip
    assert len({known, *(make_pipeline_id(*item) for item in others)}) == 5


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("host-cuda", "schedules processors only"),
        ("x86-64-linux-opencl", "schedules processors only"),
        ("arm-32-android", "no target of this machine .*--run-with"),
    ],
)
def test_halide_targets_that_cannot_be_sampled(target: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(HwmlError, match=words):
        check_halide_target(target, parse_target("random:1"))
    settings = SampleSettings(parse_target("random:1"), "r", options=JobOptions(halide_target=target))
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    with pytest.raises(HwmlError, match=words):
        sample(settings, batches=1, samples_dir=tmp_path)


def test_cross_targets_need_a_generator_and_a_way_to_run() -> None:
    generator = parse_target(str(DATA / "two_stage_generator.cpp"))
    check_halide_target("arm-64-android", generator, "ssh board")
    check_halide_target("host-no_asserts", parse_target("random:1"))
    with pytest.raises(HwmlError, match="only C\\+\\+ generators"):
        check_halide_target("host", parse_target("random:1"), "ssh board")


def test_run_with_gets_a_script_and_the_program(tmp_path: Path) -> None:
    import subprocess

    program = tmp_path / "bench"
    program.write_text('#!/bin/sh\necho "$HL_NUM_THREADS $*"; exit 3\n')
    command = remote_command("sh -c", ["--benchmarks=all", "two words"], 2)
    with program.open("rb") as stream:
        done = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("2 --benchmarks=all two words\n", 3)


def test_names_parameters_and_schedules_are_read_from_a_generators_source(tmp_path: Path) -> None:
    source = tmp_path / "g.cpp"
    source.write_text(
        'class A : public Generator<A> {\n  GeneratorParam<int> seed{"seed", 1};  // .parallel(y)\n'
        '  GeneratorParam<Type> kind{"kind", Float(32)};\n};\n'
        "/* HALIDE_REGISTER_GENERATOR(Old, old) */\nHALIDE_REGISTER_GENERATOR(A, a)\n"
        "HALIDE_REGISTER_GENERATOR(ns::B<float, 3>, b, stub::b)\n"
        'HALIDE_REGISTER_GENERATOR_ALIAS(c, a, {{"seed", "2"}})\n'
    )
    assert generator_names(source) == ["a", "b", "c"]
    assert generator_parameters(source) == ["seed", "kind"]
    assert not has_hand_schedule(parse_target(str(source)))
    source.write_text(source.read_text() + "void schedule() { f.vectorize(x, 8); }\n")
    assert has_hand_schedule(parse_target(str(source)))
    assert parse_target(f"{source}:b").function == "b"


def test_of_equal_schedules_the_faster_is_kept(tmp_path: Path) -> None:
    """Two searches without random choices and with equal weights find one schedule; both are timed."""
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    from hwml_sdk.cost_model.sample import autosampler

    settings = SampleSettings(parse_target("suite:transpose"), "t", batch_size=2, explore=0)
    before, autosampler.DROPOUTS = autosampler.DROPOUTS, (100, 100, 100, 100)
    try:
        done = sample(settings, batches=1, samples_dir=tmp_path)
    finally:
        autosampler.DROPOUTS = before
    assert done.written[0].name.endswith("sample_0000.sample")
    data = json.loads(done.written[0].with_suffix(".json").read_text())
    if done.duplicates:  # beam 32 and beam 1 agree on so small a pipeline
        assert data["timing"]["measurements"] == 2
        assert data["timing"]["spread"] >= 0
    assert load_a_sample(done.written[0]).points() == data["points"]


def test_bad_options_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("halide", reason="halide is not installed (extra halide)")
    out = ["--samples-dir", str(tmp_path / "s")]
    for options, said in (
        (["random:1", "-I", "."], "is no C++ generator"),
        (["random:1", "--link", "-lm"], "is no C++ generator"),
        (["random:1", "--generator-argument", "x"], "NAME=VALUE"),
        (["random:1", "--memory-limit", "-1"], "--memory-limit"),
        (["random:1", "--compile-limit", "0"], "at least 1 s"),
        (["random:1", "--run-with", "ssh board"], "only C++ generators"),
        ([str(DATA / "two_stage_generator.cpp"), "-I", "nowhere"], "no such folder"),
    ):
        assert main(["halide", "sample", *options, *out]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_what_a_program_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """A benchmark that forks: its child holds the output open for a minute."""
    from hwml_sdk.cost_model.sample.generator import run_program

    program = tmp_path / "forks"
    program.write_text("#!/bin/sh\nsleep 60 &\necho done; exit 3\n")
    program.chmod(0o755)
    assert run_program([program], 50, {"PATH": "/usr/bin:/bin"}) == (3, "done\n")  # who waits for it meets the limit
    assert run_program(["/bin/sh", "-c", "sleep 60"], 0.2, {"PATH": "/usr/bin:/bin"})[0] == -14
