"""Halide's cost model (adams2019): measure schedules, convert, compare and export weights, schedule, inspect.

Training is `hwml train cost_model` (or `python -m sdk.train cost_model`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import HwmlError
from ..printable import tell
from ..report import SCHEMA_VERSION

if TYPE_CHECKING:
    from ..cost_model.net.weights import Weights
    from ..cost_model.sample.jobs import JobOptions
    from ..cost_model.sample.search import Measured, SearchResult

TARGET_HELP = "module:function, FILE.py[:function], GENERATOR.cpp, random:SEED (or random), suite:NAME"


class _Parser(argparse.ArgumentParser):
    """Takes `--link -lNAME` as it is written everywhere; to argparse, what begins with a dash is an option."""

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]
        """As usual, with such a library joined to its option."""
        joined: list[str] = []
        for text in sys.argv[1:] if args is None else args:
            if joined and joined[-1] == "--link" and text.startswith("-l"):
                joined[-1] = f"--link={text}"
            else:
                joined.append(text)
        return super().parse_known_args(joined, namespace)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml halide`."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=_Parser)
    _sample_arguments(commands.add_parser("sample", help="measure schedules of a pipeline"))
    convert = commands.add_parser("convert", help="samples to CSV and back; weights to JSON and back")
    convert.add_argument("source", help="folder of samples, .csv, .weights, .json, or old folder of .data files")
    convert.add_argument("destination", help=".csv, folder of samples, .weights, .json")
    compare = commands.add_parser("eval", help="compare weights on measured samples")
    compare.add_argument(
        "--weights",
        nargs="+",
        default=["cost_model"],
        help="files, cost_model (the default: Halide's own), random:SEED",
    )
    compare.add_argument("--samples", required=True)
    compare.add_argument("--num-cores", type=int, default=0, help="override the samples' number of cores")
    compare.add_argument("--json", action="store_true")
    export = commands.add_parser("export", help="write an ONNX model")
    export.add_argument("--weights", default="cost_model", help="default: those that ship, Halide's own")
    export.add_argument("--onnx", required=True)
    _autoschedule_arguments(commands.add_parser("autoschedule", help="schedule a pipeline and measure the result"))
    inspect = commands.add_parser("inspect", help="name every feature of a sample with its value")
    inspect.add_argument("file", help=".sample or .featurization")
    inspect.add_argument("--all", action="store_true", help="zeros, too")
    inspect.add_argument("--json", action="store_true")


def _target_arguments(parser: argparse.ArgumentParser) -> None:
    """What everything that compiles and runs a pipeline takes."""
    parser.add_argument("target", help=TARGET_HELP)
    parser.add_argument("--generator-argument", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--estimate", action="append", default=[], metavar="NAME=SIZES",
        help="sizes of a generator's input or output, as in input=1536x2560x3; the value of a scalar",
    )  # fmt: skip
    parser.add_argument("-I", action="append", default=[], dest="include", metavar="DIR", help="headers of a generator")
    parser.add_argument(
        "--link", action="append", default=[], metavar="WHAT", help="source, object, library or -lNAME of a generator"
    )
    parser.add_argument("--num-cores", type=int, default=1, help="threads of a benchmark, parallelism of the search")
    parser.add_argument("--workers", type=int, default=0, help="processes that compile at once; default: all cores")
    parser.add_argument("--halide-target", default="host", help="default: host")
    parser.add_argument(
        "--run-with", default="", metavar="COMMAND", help='time generators elsewhere, as in "ssh board"'
    )
    parser.add_argument(
        "--compile-limit",
        type=int,
        default=300,
        metavar="S",
        help="processor time of scheduling and compiling a sample",
    )
    parser.add_argument("--benchmark-limit", type=int, default=30, metavar="S", help="time of running a sample")
    parser.add_argument(
        "--memory-limit", type=float, default=0, metavar="GIB", help="of a sample; default: by the machine's memory"
    )


def _sample_arguments(parser: argparse.ArgumentParser) -> None:
    _target_arguments(parser)
    parser.add_argument("--name", default="", help="name of the samples; of a C++ generator: its registered name")
    parser.add_argument("--batches", type=int, default=1)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--samples-dir", default="samples")
    parser.add_argument("--weights", default="", help="weights that steer the search; default: those inside Halide")
    parser.add_argument("--explore", type=float, default=0.3, help="share of samples steered by random weights")
    parser.add_argument(
        "--best-of", type=int, default=0, metavar="N", help="measure those of N searches that are predicted fastest"
    )
    parser.add_argument("--beam", type=int, default=32, help="beam of the first sample of a batch")
    parser.add_argument("--pipelines", type=int, default=1, help="of TARGET random: so many, seeds counted up")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--others", action="store_true", help="time the hand schedule and other autoschedulers once, for eval"
    )
    parser.add_argument("--retries", type=int, default=0, help="for samples that crash or hang")
    parser.add_argument("--ray", nargs="?", const="", metavar="ADDRESS", help="run on a Ray cluster")
    parser.add_argument("--json", action="store_true")


def _autoschedule_arguments(parser: argparse.ArgumentParser) -> None:
    _target_arguments(parser)
    parser.add_argument("--name", default="", help="registered name of a C++ generator")
    parser.add_argument(
        "--weights", nargs="+", default=["embedded"],
        help="files, embedded (the default: inside Halide); auto, or several: the fastest schedule of all is kept",
    )  # fmt: skip
    parser.add_argument(
        "--samples", default="", metavar="DIR", help="the fastest samples of this pipeline there are contenders, too"
    )
    parser.add_argument("--try", type=int, default=32, dest="tries", help="schedules to try")
    parser.add_argument("--measure", type=int, default=3, help="how many of the best to measure")
    parser.add_argument("--beam", type=int, default=32, help="beam of the first try; the others follow one path each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--no-others", action="store_true", help="leave out the pipeline as written and other autoschedulers"
    )
    parser.add_argument("--out", default="", help="write the best schedule (C++ source) here")
    parser.add_argument("--json", action="store_true")


def _job_options(options: argparse.Namespace) -> JobOptions:
    from ..cost_model.sample.build import BuildOptions
    from ..cost_model.sample.jobs import JobOptions

    if not 0 <= options.memory_limit < 1 << 20 or options.workers < 0:
        raise HwmlError("--memory-limit is a size in GiB, --workers a count; neither is negative")
    return JobOptions(
        halide_target=options.halide_target,
        generator_arguments=tuple(options.generator_argument),
        estimates=tuple(options.estimate),
        build=BuildOptions(tuple(options.include), tuple(options.link)),
        compile_limit_s=options.compile_limit,
        benchmark_limit_s=options.benchmark_limit,
        memory_bytes=int(options.memory_limit * (1 << 30)),
        run_with=options.run_with,
    )


def run(arguments: argparse.Namespace) -> int:
    """Run one action."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "sample": _sample,
        "convert": _convert,
        "eval": _eval,
        "export": _export,
        "autoschedule": _autoschedule,
        "inspect": _inspect,
    }
    return actions[arguments.action](arguments)


def _note(text: str) -> None:
    for line in text.split("\n"):
        tell(line, who="")


def _sample(options: argparse.Namespace) -> int:
    from ..cost_model.sample.autosampler import SampleSettings, sample
    from ..cost_model.sample.targets import default_name, parse_target

    if not 0 <= options.explore <= 1:
        raise HwmlError("--explore is a share from 0 to 1")
    results = []
    job_options = _job_options(options)
    for text in _targets(options):
        target = parse_target(text)
        settings = SampleSettings(
            target,
            (options.name if options.pipelines == 1 else "") or default_name(target),
            batch_size=options.batch_size,
            num_cores=options.num_cores,
            weights=options.weights,
            explore=options.explore,
            best_of=options.best_of,
            beam_size=options.beam,
            seed=options.seed,
            others=options.others,
            options=job_options,
        )
        done = sample(
            settings,
            batches=options.batches,
            samples_dir=options.samples_dir,
            workers=options.workers or None,
            backend="local" if options.ray is None else "ray",
            address=options.ray or None,
            retries=options.retries,
            report=_note,
        )
        for failure in done.failures:
            _note(f"hwml: {settings.name}: {failure}")
        results.append((settings.name, done))
    if options.json:
        rows = [
            {"name": name, "written": [str(path) for path in done.written], "duplicates": done.duplicates}
            | {"failures": done.failures}
            for name, done in results
        ]
        print(json.dumps({"schema_version": SCHEMA_VERSION, "pipelines": rows}, indent=1))
        return 0
    for name, done in results:
        print(f"{name}: {len(done.written)} samples, {done.duplicates} known, {len(done.failures)} failed")
    return 0


def _targets(options: argparse.Namespace) -> list[str]:
    if options.target.partition(":")[0] != "random":
        return [options.target]
    first = options.target.partition(":")[2] or "0"
    if not first.isdigit() or options.pipelines < 1:
        raise HwmlError("random:SEED takes a whole number, --pipelines at least 1")
    return [f"random:{int(first) + index}" for index in range(options.pipelines)]


def _convert(options: argparse.Namespace) -> int:
    from ..cost_model.convert import convert

    print(convert(options.source, options.destination))
    return 0


def _eval(options: argparse.Namespace) -> int:
    from ..cost_model.data.dataset import load_pipelines
    from ..cost_model.data.others import compare_others
    from ..cost_model.net.metrics import evaluate
    from ..cost_model.net.weights import Weights

    pipelines = load_pipelines(options.samples, report=_note)
    results = {
        name: evaluate(Weights.named(name), pipelines, num_cores=options.num_cores or None).to_json()
        for name in options.weights
    }
    others = compare_others(pipelines)
    if options.json:
        data = {"schema_version": SCHEMA_VERSION, "weights": results, "others": others}
        print(json.dumps(data, indent=1))
        return 0
    rows = list(next(iter(results.values())))
    print(f"{'':<20}" + "".join(f"{Path(name).name[:18]:>20}" for name in results))
    for row in rows:
        print(f"{row:<20}" + "".join(f"{values[row]:>20g}" for values in results.values()))
    for line in _other_rows(others):
        print(line)
    return 0


def _other_rows(others: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What is no schedule of adams2019, as run time over that of the best sample."""
    made = (
        [f"{'run time over that of the best sample':<40}{'mean':>12}{'geometric':>12}{'pipelines':>12}"]
        if others
        else []
    )
    for label, values in others.items():
        if values["n_pipelines"]:
            figures = f"{values['top1_regret']:>12g}{values['top1_regret_geo']:>12g}{values['n_pipelines']:>12g}"
            failed = f"  ({values['n_failed']:g} could not be run)" if values["n_failed"] else ""
            made.append(f"{label:<40}{figures}{failed}")
        else:
            made.append(f"{label:<40}  could not be run: {values['why']}")
    return made


def _export(options: argparse.Namespace) -> int:
    from ..cost_model.model import CostModel
    from ..cost_model.net.weights import Weights

    CostModel.from_weights(Weights.named(options.weights)).export_onnx(options.onnx)
    print(f"{options.onnx}: pipeline, schedule, num_cores -> runtime_ms")
    return 0


def _autoschedule(options: argparse.Namespace) -> int:
    from ..cost_model.sample.search import SearchSettings, autoschedule
    from ..cost_model.sample.targets import parse_target
    from ..files import write_atomic

    weights, gate = _weights_to_try(options.weights)
    settings = SearchSettings(
        parse_target(options.target), weights, options.tries, options.measure, options.num_cores, options.beam,
        options.seed, replace(_job_options(options), generator=options.name), not options.no_others,
        gate or bool(options.samples), options.samples,
    )  # fmt: skip
    result = autoschedule(settings, workers=options.workers or None, report=_note)
    if options.out:
        write_atomic(options.out, result.best.schedule)
    _print_search(result, options.json)
    return 0


def _weights_to_try(names: Sequence[str]) -> tuple[dict[str, Weights], bool]:
    """Weights by name beside Halide's own, and whether the fastest schedule of all, theirs included, is wanted."""
    from ..cost_model.net.weights import KIND, Weights

    gate = "auto" in names or len(names) > 1
    chosen = [name for name in names if name not in ("auto", "embedded", KIND)]
    return {name: Weights.named(name) for name in chosen}, gate


def _print_search(result: SearchResult, as_json: bool) -> None:
    beside = [] if result.default in result.measured else [result.default]
    rows = [*result.measured, *beside, *result.others]
    if as_json:
        data = {"best": asdict(result.best), "rows": [asdict(row) for row in rows], "tried": result.tried}
        print(json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=1))
        return
    print(f"{'':<28}{'predicted ms':>14}{'measured ms':>14}{'noise':>8}{'best is faster by':>20}")
    for row in rows:
        print(_row(row, result.best.runtime_ms or 0.0))
    print(f"best: {result.best.label}, {result.best.runtime_ms:.4g} ms")


def _row(row: Measured, best_ms: float) -> str:
    label = Path(row.label).name[-27:]
    predicted = "" if row.predicted_ms is None else f"{row.predicted_ms:.4g}"
    if row.runtime_ms is None:
        return f"{label:<28}{predicted:>14}  could not be run: {row.error[:200]}"
    return f"{label:<28}{predicted:>14}{row.runtime_ms:>14.4g}{row.noise:>8.1%}{row.runtime_ms / best_ms:>19.2f}x"


def _inspect(options: argparse.Namespace) -> int:
    from ..cost_model.data.features import pipeline_feature_names
    from ..cost_model.data.samples import TAIL_BYTES, load_a_sample, load_featurization, names_in

    data: dict[str, Any] = {}
    if options.file.endswith(".featurization"):
        features = names_in(options.file, 0)
        schedule, pipeline = load_featurization(options.file, names=features)
    else:
        features = names_in(options.file, TAIL_BYTES)
        sample = load_a_sample(options.file, names=features)
        schedule, pipeline = sample.schedule_features, sample.pipeline_features
        data = {name: getattr(sample, name) for name in ("runtime_ms", "pipeline_id", "schedule_id")}
    names = pipeline_feature_names()
    stages = [
        {
            "schedule": dict(zip(features, map(float, row), strict=True)),
            "pipeline": dict(zip(names, map(float, block.ravel()), strict=True)),
        }
        for row, block in zip(schedule, pipeline, strict=True)
    ]
    if options.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **data, "stages": stages}, indent=1))
        return 0
    for name, value in data.items():
        print(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}")
    for index, stage in enumerate(stages):
        print(f"stage {index}{' (output)' if index == 0 else ''}")
        for part, values in stage.items():
            for name, value in values.items():
                if value or options.all:
                    print(f"  {part:<9} {name:<40} {value:g}")
    return 0
