"""Measure a generator on tasks: every sample and every correction judged, so that one run answers for many settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...interrupt import heed_ctrl_c
from ..evaluate.behaviour import passed
from ..evaluate.measure import STAGES, Judged, figures
from ..evaluate.tasks import Task
from .generator import ChiselGenerator
from .rank import Reference
from .types import Attempt

Say = Callable[[str], None]
Runs = Mapping[str, Sequence[Attempt]]
_REACHED = {"model": 0, "compile": 0, "elaborate": 1, "lower": 2}


def run_tasks(
    generator: ChiselGenerator, tasks: Sequence[Task], *, n: int, repairs: int, say: Say
) -> dict[str, list[Attempt]]:
    """All attempts at each task, with verdicts: n chains of up to `repairs` corrections, none stopped early.

    Raises ToolNotFoundError without yosys, and what `generate` raises. After Ctrl-C the tasks so far are whole.
    """
    found: dict[str, list[Attempt]] = {}
    for number, task in enumerate(tasks, start=1):
        heed_ctrl_c()
        reference = Reference(task.model, task.model_top)
        made = generator.generate(task.prompt, n_samples=n, max_repairs=repairs, reference=reference, enough=0)
        if made.ended == "interrupted":
            raise KeyboardInterrupt
        found[task.id] = list(made.attempts)
        right = sum(outcome(task.id, item).ok for item in states(found[task.id], repairs))
        say(f"{number} of {len(tasks)}, {task.id}: {right} of {n} behave")
    return found


def states(attempts: Sequence[Attempt], rounds: int) -> list[Attempt]:
    """Each chain's last attempt within so many rounds."""
    return list({item.chain: item for item in attempts if item.round <= rounds}.values())


def outcome(task: str, item: Attempt) -> Judged:
    """An attempt in the terms of the evaluation."""
    if item.stage:
        return Judged(task, _REACHED[item.stage], item.words)
    good = item.verdict is not None and passed(item.verdict)
    return Judged(task, len(STAGES) if good else len(STAGES) - 1, "" if item.verdict == "proven" else str(item.verdict))


def figures_after(
    tasks: Sequence[Task], runs: Runs, rounds: int, ks: Sequence[int] = (1, 2, 4, 5, 8, 10)
) -> dict[str, Any]:
    """The evaluation's figures of what the chains hold after so many rounds."""
    found = [outcome(name, item) for name, attempts in runs.items() for item in states(attempts, rounds)]
    return figures(tasks, found, ks)


def ladder(tasks: Sequence[Task], runs: Runs, repairs: int, *, rules: bool) -> list[dict[str, Any]]:
    """What each means adds, from one run: answers as they came, mended by rules, after each round of corrections."""
    steps: list[tuple[str, Callable[[Attempt], bool], int]] = [("as sampled", lambda item: item.origin == "sample", 0)]
    steps += [("with rules", lambda _: True, 0)] if rules else []
    steps += [(f"{r} corrections", lambda _: True, r) for r in range(1, repairs + 1)]
    rows = []
    for name, counts, rounds in steps:
        some = {task: [item for item in items if counts(item)] for task, items in runs.items()}
        for measure, value in figures_after(tasks, some, rounds)["groups"]["all"]["behave"].items():
            rows.append({"step": name, "measure": measure, **value})
    return rows


def mended_by_rules(runs: Runs, kind: Callable[[str], str]) -> dict[str, tuple[int, int]]:
    """Of first answers that fail, how many behave after the rules and how many there are, by their `kind`."""
    found: dict[str, tuple[int, int]] = {}
    for task, items in runs.items():
        after = {item.chain: outcome(task, item).ok for item in items if item.round == 0}
        for item in items:
            name = kind(item.code) if item.round == 0 and item.origin == "sample" and not item.ok else ""
            if name:
                right, all_of_them = found.get(name, (0, 0))
                found[name] = right + after[item.chain], all_of_them + 1
    return found


def sweep(
    make: Callable[[bool], ChiselGenerator], tasks: Sequence[Task], *, n: int, repairs: int, say: Say
) -> tuple[list[dict[str, Any]], dict[str, Runs]]:
    """Rows of rules (off, on) x rounds x pass@k, and the two runs. make: a generator with or without rules."""
    rows = []
    kept: dict[str, Runs] = {}
    for rules in (False, True):
        say(f"rules {'on' if rules else 'off'}")
        runs = kept["rules" if rules else "no rules"] = run_tasks(make(rules), tasks, n=n, repairs=repairs, say=say)
        for rounds in range(repairs + 1):
            groups = figures_after(tasks, runs, rounds)["groups"]["all"]
            for name, value in groups["behave"].items():
                rows.append(
                    {
                        "rules": rules,
                        "rounds": rounds,
                        "measure": name,
                        **value,
                        "lowered": groups["lower"][name]["rate"],
                    }
                )
    return rows, kept
