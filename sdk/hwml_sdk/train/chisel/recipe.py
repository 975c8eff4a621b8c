"""Train a model that writes Chisel.

    python -m sdk.train chisel --from-scratch --data DIR --out DIR     a small one from nothing
    python -m sdk.train chisel --model DIR --data FILE --out DIR       adapters for one that is there

Ends with 3, and writes nothing, where tasks do not say that a tuned model is better.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from ...chisel.data_engine.held_out import held_out
from ...errors import DataError, HwmlError, MissingDependencyError, RefusedError
from ...files import check_folder, write_atomic
from ...printable import json_text
from .rows import Row, asked_plainly, monotony, read_rows, split

if TYPE_CHECKING:
    from ...chisel.evaluate.tasks import Task

HELD_OUT = "held-out.jsonl"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def check_packages(*more: str) -> None:
    """Raises MissingDependencyError for the first package that is not there."""
    from importlib.util import find_spec

    for name in ("torch", "transformers", *more):
        if find_spec(name) is None:
            raise MissingDependencyError(name, "llm")


def _scratch(options: argparse.Namespace) -> int:
    import torch

    from .scratch import ScratchConfig, train_from_scratch

    size = options.size if options.size != "auto" else ("large" if torch.cuda.is_available() else "small")
    config = ScratchConfig(
        size, options.epochs, options.minutes, seed=options.seed, threads=options.threads, start=options.start
    )
    learned, held_out = _split(options)
    _say(f"{len(learned)} rows to learn from, {len(held_out)} held out; size {'as before' if options.start else size}")
    told = train_from_scratch(learned, options.out, config, _say)
    write_atomic(
        Path(options.out) / HELD_OUT,
        "".join(f"{json_text(_held_out(row), indent=None)}\n" for row in map(asked_plainly, held_out)),
    )
    if options.json:
        print(json_text(told))
    else:
        print(
            f"{options.out}: {told['parameters']} parameters, {told['tokens']} tokens, loss {told['losses'][-1]:.4f} a "
            f"token of an answer, {told['seconds']:.0f} s"
        )
    return 0


def _split(options: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """Rows to learn from and those held out: a run that continues another one holds out what that one did."""
    rows = read_rows(options.data)
    if not options.start:
        return split(rows, options.held_out, options.seed)
    held_out = read_rows(Path(options.start) / HELD_OUT)
    left_out = {row.abstract for row in held_out}
    return [row for row in rows if row.abstract not in left_out], held_out


def _held_out(row: Row) -> dict[str, str]:
    """As the data engine writes rows, so that the same readers take it."""
    return {"instruction": row.prompt, "input": "", "output": row.answer} | {
        name: getattr(row, name) for name in ("abstract", "family", "seed", "top")
    }


def _tune(options: argparse.Namespace) -> int:
    from ...chisel.evaluate.models import with_models
    from ...chisel.evaluate.tasks import own_tasks, read_tasks
    from ...chisel.yosys import find_yosys
    from .tune import TuneConfig, tune

    names = [field.name for field in fields(TuneConfig) if hasattr(options, field.name)]
    config = TuneConfig(**{name: getattr(options, name) for name in names})
    find_yosys(any_version=True)  # before minutes of work
    tasks = with_models(read_tasks(options.tasks)) if options.tasks else own_tasks()
    rows, validation = _validation(options)
    banned = held_out() | {task.reference.strip() for task in tasks}
    learned = [row for row in rows if row.abstract not in banned and row.answer.strip() not in banned]
    if not learned:
        raise DataError("no row is left: all of them are answers of the evaluation's tasks", path=options.data)
    _say(f"{len(learned)} rows to learn from, {len(rows) - len(learned)} are tasks' answers and left out")
    for note in monotony(learned):
        _say(f"note: {note}")
    told = tune(learned, with_models(validation), tasks, options.out, config, _say)
    figures = asdict(told) | {"schema_version": 1, "comparison": told.comparison.as_json()}
    if options.report:
        write_atomic(options.report, json_text(figures) + "\n")
    if not told.comparison.better:
        words = "the interval of the gain reaches down to nothing or less, and so the adapter was not written"
        raise RefusedError(f"{told.comparison.words()}: {words}")
    print(json_text(figures) if options.json else f"{options.out}: better, {told.comparison.words()}")
    return 0


def _validation(options: argparse.Namespace) -> tuple[list[Row], list[Task]]:
    """Rows to learn from, and the tasks by which training is ended: named ones, or rows that are left out."""
    from ...chisel.evaluate.tasks import Task, read_tasks

    rows = read_rows(options.data)
    if options.validation:
        return rows, read_tasks(options.validation)[: options.held_out]
    learned, left_out = split(rows, options.held_out, options.seed)
    if not left_out:
        raise DataError("its rows do not say which circuits are alike: name --validation FILE", path=options.data)
    return learned, [Task(f"{row.seed} ({at})", "rows", row.prompt, row.answer, "") for at, row in enumerate(left_out)]


def _check(options: argparse.Namespace) -> None:
    if options.from_scratch == bool(options.model):
        raise HwmlError("name one: --from-scratch for a small model from nothing, or --model FOLDER to tune")
    scratch = ("start", "epochs") if options.model else ()
    tuning = () if options.model else ("tasks", "validation", "report", "four_bit")
    for name in (*scratch, *tuning):
        if getattr(options, name):
            raise HwmlError(
                f"--{name.replace('four_bit', '4bit')} goes with {'--model' if tuning else '--from-scratch'}"
            )
    low = min(
        options.minutes, options.steps, options.rate, options.rank, options.every, options.patience, options.samples
    )
    if low <= 0 or options.held_out < 1 or not 0 <= options.replay < 1:
        raise HwmlError("--replay is 0 to below 1, the other numbers are over 0")


def main(argv: Sequence[str]) -> int:
    """Run the recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train chisel",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", required=True, help="rows, or a folder that chisel-data wrote")
    parser.add_argument("--out", required=True, help="folder to write")
    parser.add_argument("--minutes", type=float, default=35.0, help="training ends after so long")
    parser.add_argument("--held-out", type=int, default=0, metavar="N", help="circuits not to learn; default 100, 20")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print JSON")
    scratch = parser.add_argument_group("a small model from nothing")
    scratch.add_argument("--from-scratch", action="store_true")
    scratch.add_argument("--start", default="", metavar="FOLDER", help="continue a model that --from-scratch wrote")
    scratch.add_argument("--size", choices=("auto", "small", "large", "tiny"), default="auto")
    scratch.add_argument("--epochs", type=float, default=0.0, help="default 5")
    scratch.add_argument("--threads", type=int, default=0)
    _add_tuning(parser.add_argument_group("adapters (LoRA) for a model that is there, kept if tasks say it is better"))
    options = parser.parse_args(list(argv))
    options.held_out = options.held_out or (20 if options.model else 100)
    _check(options)
    options.epochs = options.epochs or 5.0
    check_packages(*(("peft",) if options.model else ("tokenizers",)))
    check_folder(options.out)
    return _tune(options) if options.model else _scratch(options)


def _add_tuning(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--model", default="", metavar="FOLDER")
    group.add_argument("--tasks", default="", metavar="FILE.jsonl", help="tasks that decide; default: our 37")
    group.add_argument("--validation", default="", metavar="FILE.jsonl", help="tasks that end training; default: rows")
    group.add_argument("--report", default="", metavar="FILE.json", help="write figures, also of a refused run")
    group.add_argument("--steps", type=int, default=200, help="at most")
    group.add_argument("--rate", type=float, default=1e-4)
    group.add_argument("--rank", type=int, default=16)
    group.add_argument("--replay", type=float, default=0.25, help="share of the model's own right answers")
    group.add_argument("--every", type=int, default=25, help="steps between two looks at the validation tasks")
    group.add_argument("--patience", type=int, default=3, help="looks without a rise until it ends")
    group.add_argument("-n", "--samples", type=int, default=4, help="answers a task")
    group.add_argument("--most-tokens", type=int, default=1024, help="tokens of an answer at most")
    group.add_argument("--4bit", dest="four_bit", action="store_true", help="QLoRA: the model in 4 bits (GPU)")
