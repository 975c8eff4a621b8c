"""`hwml chisel eval`: judge answers to the tasks; they come from a file, or are the tasks' own references."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import DEFAULT_CHISEL_VERSION
from ..errors import DataError
from ..files import parse_json, read_bytes, write_atomic
from ..printable import json_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml chisel eval`."""
    parser.add_argument("--tasks", metavar="FILE.jsonl", help="other tasks, also VerilogEval's; default: our 37")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--answers", metavar="FILE.jsonl", help="rows with `task` and `answer`, several a task")
    source.add_argument("--references", action="store_true", help="judge the tasks' own references")
    parser.add_argument("--page", metavar="FILE.html", help="write a page with plots")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Judge, print and write. Raises DataError for files that are not what they should be."""
    from ..chisel.compile.prepare import prepare
    from ..chisel.data_engine.verify import Verifier
    from ..chisel.evaluate.measure import figures, judge
    from ..chisel.evaluate.page import page
    from ..chisel.evaluate.tasks import own_tasks, read_tasks
    from ..chisel.install.toolchain import ensure
    from ..chisel.session import Session

    tasks = read_tasks(arguments.tasks) if arguments.tasks else own_tasks()
    if arguments.references:
        answers = {task.id: [task.reference] for task in tasks if task.reference}
    else:
        answers = _answers(Path(arguments.answers), {task.id for task in tasks})
    session = Session(prepare(ensure(DEFAULT_CHISEL_VERSION)))
    try:
        found = figures(tasks, judge(tasks, answers, Verifier(session)))
    finally:
        session.kill()
    if arguments.page:
        write_atomic(arguments.page, page(found, "Chisel evaluation"))
    if arguments.json:
        print(json_text(found))
    else:
        for stage, rates in found["groups"].get("all", {}).items():
            for name, value in rates.items():
                print(f"{stage:10} {name:8} {value['rate']:.1%} ({value['low']:.1%} to {value['high']:.1%})")
    return 0


def _answers(path: Path, known: set[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        lines = read_bytes(path).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise DataError(f"cannot be read: {error}", path=path) from error
    for number, line in enumerate(lines, start=1):
        try:
            row = parse_json(line)
            task, answer = str(row["task"]), str(row["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError("is no answer: task and answer are wanted", path=path, line=number) from error
        if task not in known:
            raise DataError(f"there is no task {task!r}", path=path, line=number)
        found.setdefault(task, []).append(answer)
    if not found:
        raise DataError("holds no answer", path=path)
    return found
