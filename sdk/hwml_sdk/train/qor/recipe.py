"""`python -m sdk.train qor`: retrain the shipped QoR model from the feature table and print its held-out figures.

`qor`                     retrain, print the held-out table, write the artefact
`qor --all-sources`       the same, also on the sources under CC BY-SA
`qor --evaluate`          print every held-out table (groups, sources, controls) without writing anything
`qor --choice`            print how the kinds of members compare on the inner folds
`qor features --data DIR` rebuild the numeric table from labelled designs
`qor constants --data DIR` hold the closed form's numbers against labelled designs
`qor assumed --data DIR`  what it costs where the clock is not stated
`qor penalty`              how strongly weights of reasons are held down
`qor --encoder NAME --data DIR`  train the encoder path (`--ten-designs`: on ten designs)
`qor document FIGURES`     write the tables of docs/qor-model.md from what `--evaluate --json` printed
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import DataError
from ...files import check_folder
from ...interrupt import heed_ctrl_c
from ...printable import tell_some
from ...report import SCHEMA_VERSION
from .config import TABLE, TrainConfig
from .licences import is_share_alike

if TYPE_CHECKING:
    from rich.console import Console

    from ...artifact import Artifact
    from ...qor.learned.table import Table
    from .judge import Judgement


def load_table(config: TrainConfig, *, progress: bool = True) -> Table:
    """The table of the repository, or one built from `config.data`; refused when its features are of another version.

    Sources under a share-alike licence are in it only where `config.share_alike` says so. Raises DataError.
    """
    table = _whole_table(config, progress=progress)
    if config.share_alike:
        return table
    kept = [source for source, licence in table.licences.items() if not is_share_alike(licence)]
    if not kept:
        raise DataError("holds only sources under share-alike licences; --all-sources keeps them", path=config.table)
    return table.of_sources(kept)


def _whole_table(config: TrainConfig, *, progress: bool) -> Table:
    from ...qor.learned.table import canonical, read_table
    from .features import build_table, feature_version

    if config.data is None:
        version, names = feature_version()
        return read_table(config.table, exclude=config.exclude, feature_version=version, feature_names=names)
    from ...qor.learned.dataset import read_designs

    designs = [design for design in read_designs(config.data) if design.source not in config.exclude]
    if not designs:
        raise DataError("holds no design that is not excluded", path=config.data)
    table, failures = build_table(designs, processes=config.processes, progress=progress)
    tell_some([failure.message for failure in failures], who="left out", most=10)
    return canonical(table)


def train(config: TrainConfig, step: Callable[[str], None] = lambda _: None) -> tuple[Artifact, Judgement]:
    """Run the held-out protocol, train on everything, and write the artefact whole.

    Raises DataError (table), MissingDependencyError (extra `train-qor`), HwmlError (cannot write).
    """
    from .judge import judge
    from .ship import ship

    table = load_table(config)
    check_folder(config.out)
    judgement = judge(table, config.protocol(), step)
    step("final fit")
    return ship(table, config, judgement), judgement


def main(argv: Sequence[str] | None = None) -> int:
    """Run the recipe; 0 when done. HwmlError is the caller's to report."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # One thread, before numpy is imported: the same sums on every machine, and no spinning beside other work.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    if arguments[:1] == ["features"]:
        return _features(arguments[1:])
    if arguments[:1] == ["constants"]:
        from . import constants

        return constants.main(arguments[1:])
    if arguments[:1] == ["assumed"]:
        from . import assumed

        return assumed.main(arguments[1:])
    if arguments[:1] == ["penalty"]:
        from . import penalty

        return penalty.main(arguments[1:])
    if arguments[:1] == ["document"]:
        return _document(arguments[1:])
    if any(word.partition("=")[0].replace("_", "-") in ("--encoder", "--ten-designs", "--delta") for word in arguments):
        from .encoder import recipe

        return recipe.main(arguments)
    options = _parser().parse_args(arguments)
    config = TrainConfig(
        table=options.table,
        data=options.data,
        out=options.out,
        exclude=tuple(options.exclude_source),
        share_alike=options.all_sources or options.evaluate or options.choice,  # to be judged is not to be shipped
        rows_per_key=options.rows_per_key,
        trees=options.trees,
        epochs=options.epochs,
        seed=options.seed,
    )
    started = time.monotonic()

    def step(text: str) -> None:
        heed_ctrl_c()
        print(f"[{time.monotonic() - started:5.0f} s] {text}", file=sys.stderr, flush=True)

    if options.choice:
        return _choice(config, step, options.json)
    if options.evaluate:
        return _evaluate(config, step, options.json)
    artifact, judgement = train(config, step)
    _print(judgement, options.json, {"artifact": str(artifact.path)})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train qor",
        description="Retrain the shipped QoR model from the feature table and print its held-out figures.",
        epilog="`qor features --data DIR` rebuilds the table, `qor constants --data DIR` refits the closed form's"
        " numbers; docs/qor-model.md describes data, protocol and choices. `qor --encoder NAME --data DIR` trains the"
        " encoder path on your own designs; `qor --encoder NAME --help` teaches it (docs/qor-encoder.md).",
    )
    default = TrainConfig()
    parser.add_argument("--evaluate", action="store_true", help="print every held-out table, write nothing")
    parser.add_argument("--choice", action="store_true", help="compare kinds of members on the inner folds")
    parser.add_argument("--data", type=Path, help="folder or CSV of labelled designs instead of the table")
    parser.add_argument("--table", type=Path, default=default.table, help="folder of the feature table")
    parser.add_argument("--out", type=Path, default=default.out, help="where the artefact goes")
    parser.add_argument("--exclude-source", action="append", default=[], metavar="NAME", help="leave a source out")
    parser.add_argument(
        "--all-sources",
        action="store_true",
        help="train on sources under CC BY-SA, too, which the shipped model never saw (DATA_LICENSES.md); --evaluate "
        "and --choice always judge all",
    )
    parser.add_argument("--rows-per-key", type=int, default=default.rows_per_key, help="training rows of one kernel")
    parser.add_argument("--trees", type=int, default=default.trees, help="boosted trees per member and target")
    parser.add_argument("--epochs", type=int, default=default.epochs, help="epochs of the dense member")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _features(arguments: Sequence[str]) -> int:
    """`qor features`: build the table and write it, whole, in place of the old one."""
    from ...qor.learned.table import MAX_TABLE_BYTES, canonical, write_table

    parser = argparse.ArgumentParser(prog="python -m sdk.train qor features", description=_features.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder or CSV of labelled designs")
    parser.add_argument("--table", type=Path, default=TABLE, help="folder to write")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    from .licences import notices

    check_folder(options.table)
    table = canonical(load_table(TrainConfig(data=options.data, share_alike=True, processes=options.processes)))
    size = write_table(options.table, table, notices=notices(table.licences))
    print(f"{options.table}: {len(table.rows)} rows, {len(table.feature_names)} features, {size / 2**20:.2f} MiB")
    if size > MAX_TABLE_BYTES:
        raise DataError(f"the table is over {MAX_TABLE_BYTES >> 20} MiB; store fewer or coarser features")
    return 0


def _document(arguments: Sequence[str]) -> int:
    """`qor document`: write the tables of a document anew from figures that were measured."""
    from ...files import parse_json, read_bytes, read_source, write_atomic
    from .document import rewritten
    from .encoder import document as encoder_document

    parser = argparse.ArgumentParser(prog="python -m sdk.train qor document", description=_document.__doc__)
    parser.add_argument("figures", type=Path, help="what `qor --evaluate --json` printed, also with --encoder")
    parser.add_argument("--shipped", type=Path, help="what `qor --json` printed when it trained what ships")
    parser.add_argument("--real", type=Path, help="what `benchmarks/qor_real.py --json` printed")
    parser.add_argument("--document", type=Path, help="default: docs/qor-model.md, docs/qor-encoder.md")
    options = parser.parse_args(arguments)
    found: list[Any] = []
    for path in (options.figures, options.shipped, options.real):
        try:
            found.append(None if path is None else parse_json(read_bytes(path)))
        except ValueError as error:
            raise DataError(f"is not JSON ({error})", path=path) from None
    of_encoder = isinstance(found[0], dict) and "lengths" in found[0]
    place = options.document or TABLE.parents[1] / "docs" / ("qor-encoder.md" if of_encoder else "qor-model.md")
    text = read_source(place)
    write_atomic(place, encoder_document.rewritten(text, found[0]) if of_encoder else rewritten(text, *found))
    return 0


def _evaluate(config: TrainConfig, step: Callable[[str], None], as_json: bool) -> int:
    from .judge import judge

    _print(judge(load_table(config), config.protocol(), step, controls=True), as_json, {})
    return 0


def _choice(config: TrainConfig, step: Callable[[str], None], as_json: bool) -> int:
    from .choice import compare_kinds, print_choices

    choices = compare_kinds(load_table(config), config.protocol(), step)
    if as_json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "choices": [asdict(choice) for choice in choices]}))
    else:
        print_choices(choices, _console())
    return 0


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140)


def _print(judgement: Judgement, as_json: bool, extra: Mapping[str, Any]) -> None:
    if as_json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, **extra, **judgement.to_json()}))
        return
    judgement.print(_console())
    for name, value in extra.items():
        print(f"{name}: {value}")
