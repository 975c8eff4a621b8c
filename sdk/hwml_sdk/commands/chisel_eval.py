"""`hwml chisel eval`: judge a model, or answers of a file, on tasks: compiled, elaborated, lowered, behaves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..chisel.generate import backends
from ..config import DEFAULT_CHISEL_VERSION
from ..errors import DataError, HwmlError
from ..files import parse_json, read_bytes, write_atomic
from ..printable import json_text, tell

if TYPE_CHECKING:
    from ..chisel.evaluate.tasks import Task
    from ..chisel.generate.generator import ChiselGenerator
    from ..chisel.generate.measure import Runs
    from ..chisel.generate.types import Backend
    from ..chisel.simulation.server import Proposer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml chisel eval`."""
    parser.add_argument("--tasks", metavar="FILE.jsonl", help="other tasks, also VerilogEval's or rows of data")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="only the first N tasks")
    parser.add_argument("--answers", metavar="FILE.jsonl", help="rows with `task` and `answer`, several a task")
    parser.add_argument("--references", action="store_true", help="judge the tasks' own references")
    parser.add_argument("--simulation", action="store_true", help="ask a simulation: references with faults put in")
    parser.add_argument("--simulated-rate", type=float, default=0.7, help="share of its answers with 1 to 3 faults")
    backends.add_arguments(parser)
    parser.add_argument("-n", "--samples", type=int, default=10, help="answers a task")
    parser.add_argument("--repairs", type=int, default=0, help="rounds in which the model sees its diagnostics")
    parser.add_argument("--rules", action="store_true", help="mend answers by rules before they count")
    parser.add_argument("--sweep", action="store_true", help="rules off and on, every number of rounds and of samples")
    parser.add_argument("--most-tokens", type=int, default=2048, metavar="N", help="tokens of one answer at most")
    parser.add_argument("--retrieval", choices=("auto", "bm25", "encoder"), default="auto", help="how notes are found")
    parser.add_argument("--trace", metavar="FILE.json", help="write every attempt")
    parser.add_argument("--page", metavar="FILE.html", help="write a page with plots")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Judge, print and write. Raises DataError for files that are not what they should be."""
    from ..chisel.evaluate.models import with_models
    from ..chisel.evaluate.tasks import own_tasks, read_tasks
    from ..chisel.yosys import find_yosys

    asked = arguments.model or arguments.endpoint
    if sum(map(bool, (arguments.answers, arguments.references, arguments.simulation, asked))) != 1:
        raise HwmlError("name what to judge: --answers FILE, --references, --model, --endpoint, or --simulation")
    out_of_range = not 1 <= arguments.samples <= 1000 or not 0 <= arguments.repairs <= 20
    if out_of_range or arguments.most_tokens < 1 or arguments.limit < 0:
        raise HwmlError("-n is 1 to 1000, --repairs 0 to 20, --most-tokens at least 1, --limit at least 0")
    if arguments.sweep and not (asked or arguments.simulation):
        raise HwmlError("--sweep asks a model: --model, --endpoint or --simulation")
    find_yosys(any_version=True)  # before the minutes that the answers take
    tasks = with_models(read_tasks(arguments.tasks)) if arguments.tasks else own_tasks()
    if arguments.references or arguments.simulation:
        tasks = _with_reference(tasks)
    tasks = tasks[: arguments.limit or None]
    if arguments.answers or arguments.references:
        return _report(arguments, _judged(arguments, tasks), "Chisel evaluation")
    with _backend(arguments, tasks) as (backend, proposer):
        if arguments.sweep:
            return _sweep(arguments, tasks, backend, proposer)
        return _ask(arguments, tasks, backend)


def _with_reference(tasks: Sequence[Task]) -> list[Task]:
    """Those that bring Chisel of their own, which is what is judged, or corrupted. Raises HwmlError without any."""
    found = [task for task in tasks if task.reference]
    if not found:
        raise HwmlError("none of the tasks brings a reference in Chisel: name --answers, --model or --endpoint")
    if len(found) < len(tasks):
        _say(f"{len(tasks) - len(found)} of {len(tasks)} tasks bring no reference in Chisel and are left out")
    return found


def _judged(arguments: argparse.Namespace, tasks: Sequence[Task]) -> dict[str, Any]:
    from ..chisel.compile.prepare import prepare
    from ..chisel.data_engine.verify import Verifier
    from ..chisel.evaluate.measure import figures, judge
    from ..chisel.install.toolchain import ensure
    from ..chisel.session import Session

    if arguments.references:
        answers = {task.id: [task.reference] for task in tasks}
    else:
        answers = _answers(Path(arguments.answers), {task.id for task in tasks})
    session = Session(prepare(ensure(DEFAULT_CHISEL_VERSION)))
    try:
        return figures(tasks, judge(tasks, answers, Verifier(session)))
    finally:
        session.kill()


@contextmanager
def _backend(arguments: argparse.Namespace, tasks: Sequence[Task]) -> Iterator[tuple[Backend, Proposer | None]]:
    if not arguments.simulation:
        yield backends.backend_of(arguments), None
        return
    from ..chisel.simulation.server import MODEL, Proposer, Skill, serving

    if not 0.0 <= arguments.simulated_rate <= 1.0:
        raise HwmlError("--simulated-rate is 0 to 1")
    skill = Skill(arguments.simulated_rate, seed=arguments.seed)
    proposer = Proposer(tasks, skill)
    with serving(proposer) as url:
        arguments.endpoint, arguments.model = url, MODEL
        yield backends.backend_of(arguments), proposer


def _generator(arguments: argparse.Namespace, backend: Backend) -> Callable[[bool], ChiselGenerator]:
    from ..chisel.generate.generator import ChiselGenerator

    def make(rules: bool) -> ChiselGenerator:
        return ChiselGenerator(backend, retrieval=arguments.retrieval, rules=rules, most_tokens=arguments.most_tokens)

    return make


def _ask(arguments: argparse.Namespace, tasks: Sequence[Task], backend: Backend) -> int:
    from ..chisel.generate.measure import figures_after, ladder, run_tasks

    generator = _generator(arguments, backend)(arguments.rules)
    runs = run_tasks(generator, tasks, n=arguments.samples, repairs=arguments.repairs, say=_say)
    _trace(arguments, {"rules" if arguments.rules else "no rules": runs})
    found = figures_after(tasks, runs, arguments.repairs) | {"backend": _named(arguments, backend)}
    found["ladder"] = ladder(tasks, runs, arguments.repairs, rules=arguments.rules)
    return _report(arguments, found, f"Chisel evaluation: {found['backend']}")


def _sweep(arguments: argparse.Namespace, tasks: Sequence[Task], backend: Backend, proposer: Proposer | None) -> int:
    from ..chisel.generate.measure import mended_by_rules, sweep

    rows, runs = sweep(_generator(arguments, backend), tasks, n=arguments.samples, repairs=arguments.repairs, say=_say)
    _trace(arguments, runs)
    families = mended_by_rules(runs["rules"], proposer.kind) if proposer else {}
    if proposer is not None:
        from ..chisel.simulation.server import closed_form

        for row in rows:
            if not row["rules"]:
                n = int(str(row["measure"]).partition("@")[2])
                row["closed_form"] = round(closed_form(tasks, proposer.skill, int(row["rounds"]), n), 4)
    if arguments.json:
        print(
            json_text({"schema_version": 1, "backend": _named(arguments, backend), "sweep": rows, "mended": families})
        )
        return 0
    print(_named(arguments, backend))
    print("rules  rounds  measure  behave  (interval)         lowered  closed form")
    for row in rows:
        closed = f"{row['closed_form']:9.1%}" if "closed_form" in row else ""
        print(
            f"{'on' if row['rules'] else 'off':5}  {row['rounds']:6}  {row['measure']:7}  {row['rate']:6.1%}  "
            f"({row['low']:.1%} to {row['high']:.1%})  {row['lowered']:7.1%}  {closed}".rstrip()
        )
    for name, (right, count) in families.items():
        print(f"answers with faults of {name} families: rules alone make {right} of {count} behave")
    return 0


def _named(arguments: argparse.Namespace, backend: Backend) -> str:
    if arguments.simulation:
        return "simulation (references with faults put in; measures the loop, no model)"
    return backend.name


def _trace(arguments: argparse.Namespace, runs: dict[str, Runs]) -> None:
    if arguments.trace:
        from ..chisel.generate.trace import rows_of

        data = {name: {task: rows_of(items) for task, items in found.items()} for name, found in runs.items()}
        write_atomic(arguments.trace, json_text({"schema_version": 1, "runs": data}) + "\n")


def _report(arguments: argparse.Namespace, found: dict[str, Any], title: str) -> int:
    from ..chisel.evaluate.page import page

    if arguments.page:
        write_atomic(arguments.page, page(found, title))
    if arguments.json:
        print(json_text(found))
    else:
        for stage, rates in found["groups"].get("all", {}).items():
            for name, value in rates.items():
                print(f"{stage:10} {name:8} {value['rate']:.1%} ({value['low']:.1%} to {value['high']:.1%})")
        for row in found.get("ladder", ()):
            print(f"{row['step']:14} {row['measure']:8} {row['rate']:.1%} ({row['low']:.1%} to {row['high']:.1%})")
    return 0


def _say(text: str) -> None:
    tell(text, who="")


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
