"""Speed of the Halide cost model beside Halide's own trainer: `python benchmarks/cost_model.py [--sampling]`.

Everything runs on one core, pinned; each figure is the best, the median and the spread of 5 runs (prediction: of many
calls), in processor time, so that what others do on the machine counts little; its load is printed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "HL_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "sdk"), str(ROOT / "exports")]

from hwml_sdk.cost_model import CostModel, Weights
from hwml_sdk.cost_model.data.dataset import PipelineData, load_pipelines, split
from hwml_sdk.cost_model.data.samples import Sample, save_a_sample
from hwml_sdk.cost_model.machine import this_machine
from hwml_sdk.cost_model.net.metrics import evaluate
from hwml_sdk.cost_model.toolkit import program

RUNS = 5


def made_up_pipelines(count: int, schedules: int, stages: int, seed: int = 1) -> list[PipelineData]:
    """Random features of realistic size; for timing only."""
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        schedule = np.exp(random.uniform(0, 8, (schedules, stages, 39))).astype(np.float32)
        pipeline = random.integers(0, 4, (stages, 40, 7)).astype(np.float32)
        runtimes = np.exp(random.normal(0, 0.5, schedules)).astype(np.float32)
        made.append(PipelineData(str(number), number + 1, str(number), pipeline, schedule, runtimes, 0 * runtimes, 32))
    return made


def replicate(pipelines: Sequence[PipelineData], count: int) -> list[PipelineData]:
    """The same samples under new ids, until there are `count` pipelines; for timing only."""
    return [replace(pipelines[index % len(pipelines)], pipeline_id=index + 1) for index in range(count)]


def write(pipelines: Sequence[PipelineData], folder: Path) -> list[str]:
    """Write pipelines as sample files; returns the paths."""
    paths = []
    for data in pipelines:
        full = np.zeros((data.n_stages, 41, 7), np.float32)
        full[:, 1:] = data.pipeline
        for index in range(len(data)):
            path = folder / f"{data.pipeline_id}_{index}.sample"
            save_a_sample(
                Sample(data.schedule[index], full, float(data.runtime_ms[index]), data.pipeline_id, index), path
            )
            paths.append(str(path))
    return paths


def halide_epoch_s(paths: Sequence[str], folder: Path, weights: Weights, epochs: int) -> float:
    """Seconds an epoch of Halide's trainer: the difference of two runs, so that reading files does not count."""
    weights.save_to_file(folder / "start.weights")

    def run(count: int) -> float:
        command = [str(program("adams2019_retrain_cost_model")), f"--epochs={count}", "--rates=0.001", "--num_cores=32",
                   f"--initial_weights={folder / 'start.weights'}", f"--weights_out={folder / 'out.weights'}",
                   f"--best_benchmark={folder / 'best.txt'}", f"--best_schedule={folder / 'best.h'}"]  # fmt: skip
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, input="\n".join(paths), text=True, capture_output=True, check=False)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime

    return (run(1 + epochs) - run(1)) / epochs


def several(measure: Callable[[], float]) -> tuple[float, float, float]:
    """Best, median and largest of a few runs."""
    values = sorted(measure() for _ in range(RUNS))
    return values[0], values[len(values) // 2], values[-1]


def row(what: str, values: tuple[float, float, float], unit: str, ratio: str = "") -> None:
    """One line of the table."""
    best, median, worst = values
    print(f"{what:<58}{best:>11.4g}{median:>11.4g}{worst:>11.4g} {unit:<6}{ratio}", flush=True)


def training(samples: str) -> None:
    """Epochs of the parity mode and of the fast mode, beside Halide's."""
    import torch

    from hwml_sdk.cost_model.net.fitting import BatchedFit
    from hwml_sdk.cost_model.net.parity import ParityFit

    torch.set_num_threads(1)
    source = load_pipelines(samples) if samples else made_up_pipelines(12, 16, 6)
    weights = Weights.random(1)

    def parity(pipelines: list[PipelineData], epochs: int) -> float:
        stream = ParityFit(weights).run(pipelines, rates=[1e-3], epochs=epochs + 1, num_cores=32)
        next(stream)
        start = time.process_time()
        for _ in stream:
            pass
        return (time.process_time() - start) / epochs

    def batched(pipelines: list[PipelineData], loss: str) -> Callable[[], float]:
        fit = BatchedFit(weights, pipelines, rate=1e-3, loss=loss, batch_pipelines=32, num_cores=32)
        fit.run_epoch()

        def run() -> float:
            start = time.process_time()
            fit.run_epoch()
            return time.process_time() - start

        return run

    for count, epochs in ((12, 40), (500, 10)):
        pipelines = replicate(source, count)
        with tempfile.TemporaryDirectory() as place:
            paths = write(pipelines, Path(place))
            theirs = several(partial(halide_epoch_s, paths, Path(place), weights, epochs))
        row(f"epoch, {count} pipelines ({len(paths)} samples): Halide's trainer", theirs, "s", "1.00")
        ours = several(partial(parity, pipelines, epochs))
        row("  --parity", ours, "s", f"{ours[0] / theirs[0]:.2f} of Halide's time")
        for loss in ("halide", "ranking"):
            ours = several(batched(pipelines, loss))
            row(f"  batches of 32 pipelines, {loss} loss", ours, "s", f"{ours[0] / theirs[0]:.2f} of Halide's time")


def equal_time(samples: str, seconds: float) -> None:
    """Held-out accuracy after equal wall-clock time: Halide's trainer, and the fast mode, from the same weights."""
    from hwml_sdk.cost_model.net.fitting import BatchedFit, calibrate

    trained, held = split(load_pipelines(samples), seed=1)
    start = Weights.random(1)
    cores = 32
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = write(trained, folder)
        epoch = halide_epoch_s(paths, folder, start, 20)
        halide_epoch_s(paths, folder, start, max(1, int(seconds / epoch)))
        theirs = Weights.load_from_file(folder / "out.weights")
    fit = BatchedFit(calibrate(start, trained, cores), trained, rate=3e-3, num_cores=cores)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        fit.run_epoch()
    for name, weights in (("Halide's trainer", theirs), ("fast mode, ranking loss", fit.weights())):
        metrics = evaluate(weights, held, num_cores=cores)
        figures = f"pairwise {metrics.pairwise_accuracy:.4f}, top-1 regret {metrics.top1_regret:.3f}"
        print(f"held out after {seconds:g} s: {name:<26} {figures}")


def prediction() -> None:
    """Schedules per second at 12 stages, from arrays."""
    from hwml_sdk.cost_model.net.onnx import OnnxPredictor, to_onnx

    data = made_up_pipelines(1, 1024, 12)[0]
    weights = Weights.random(1)
    model = CostModel.from_weights(weights)
    onnx = CostModel(None, OnnxPredictor(to_onnx(weights)))
    for name, predictor in (("numpy", model), ("onnx", onnx)):
        for batch, calls in ((1024, 100), (1, 10_000)):
            schedule = np.ascontiguousarray(data.schedule[:batch])
            times = []
            for _ in range(calls):
                start = time.process_time()
                predictor.predict(data.pipeline, schedule, 2)
                times.append(time.process_time() - start)
            times.sort()
            rates = (batch / times[0], batch / times[calls // 2], batch / times[-1])
            row(
                f"prediction, 12 stages, batch {batch}, {name} ({calls} calls)", rates, "/s", "best, median, worst call"
            )


def sampling() -> None:
    """Seconds a sample of a small Python pipeline, all processes included."""
    from hwml_sdk.cost_model.sample.autosampler import SampleSettings, sample
    from hwml_sdk.cost_model.sample.targets import parse_target

    def run() -> float:
        with tempfile.TemporaryDirectory() as place:
            settings = SampleSettings(parse_target("suite:blur_a"), "blur", batch_size=8)
            start = time.perf_counter()
            done = sample(settings, batches=1, samples_dir=place)
            return (time.perf_counter() - start) / len(done.written)

    row("sampling a small Python pipeline, per new sample", several(run), "s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", default="", help="folder of real samples for the training part")
    parser.add_argument("--seconds", type=float, default=20, help="time for the comparison after equal time")
    parser.add_argument("--only", choices=("training", "prediction", "sampling"), action="append")
    options = parser.parse_args()
    parts = options.only or ["prediction", "training", "sampling"]
    print(f"{this_machine().kind}; load {os.getloadavg()[0]:.1f}; {RUNS} runs")
    print(f"{'':<58}{'best':>11}{'median':>11}{'worst':>11}")
    if "sampling" in parts:
        sampling()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    if "prediction" in parts:
        prediction()
    if "training" in parts:
        training(options.samples)
        if options.samples:
            equal_time(options.samples, options.seconds)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
