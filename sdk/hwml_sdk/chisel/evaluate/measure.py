"""Judge candidates: compiled, elaborated, lowered, behaves; counted by task, level and stage."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..data_engine.verify import Failed, Verified, Verifier
from .behaviour import Pair, compare, passed
from .metrics import mean, pass_at_k, wilson
from .tasks import Task

STAGES = ("compile", "elaborate", "lower", "behave")
_FENCED = re.compile(r"```(?:scala|chisel)?[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL | re.IGNORECASE)
_BATCH = 40


@dataclass(frozen=True, slots=True)
class Judged:
    """How far a candidate came: `reached` counts stages passed, 4 is all; words: what ended it."""

    task: str
    reached: int
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether it behaves as it should."""
        return self.reached == len(STAGES)


def code_of(answer: str) -> str:
    """The code in a model's answer: its longest fenced block, or all of it."""
    blocks = _FENCED.findall(answer)
    text = max(blocks, key=len) if blocks else answer
    return text if re.search(r"^\s*import\s+chisel3\._", text, re.MULTILINE) else f"import chisel3._\n{text}"


def judge(tasks: Sequence[Task], answers: Mapping[str, Sequence[str]], verifier: Verifier) -> list[Judged]:
    """One verdict an answer, by task in the order of `tasks`. Constructors run behind the session's fence.

    Raises MissingDependencyError without yosys.
    """
    named = {task.id: task for task in tasks}
    keys = {
        f"c{n}": item for n, item in enumerate((task.id, text) for task in tasks for text in answers.get(task.id, ()))
    }
    results: dict[str, Judged] = {}
    pairs: dict[str, Pair] = {}
    names = list(keys)
    for start in range(0, len(names), _BATCH):
        chosen = {key: code_of(keys[key][1]) for key in names[start : start + _BATCH]}
        for key, found in verifier.run(chosen).items():
            task = named[keys[key][0]]
            if isinstance(found, Failed):
                results[key] = Judged(task.id, STAGES.index(found.stage), found.words)
            else:
                pairs[key] = _pair(found, task)
    for start in range(0, len(pairs), _BATCH):
        some = dict(list(pairs.items())[start : start + _BATCH])
        for key, verdict in compare(some).items():
            good = passed(verdict)
            results[key] = Judged(keys[key][0], 4 if good else 3, "" if verdict == "proven" else verdict)
    return [results[key] for key in names]


def _pair(found: Verified, task: Task) -> Pair:
    return Pair(found.verilog, found.top, found.ports, task.model, task.model_top)


def figures(tasks: Sequence[Task], judged: Sequence[Judged], ks: Sequence[int] = (1, 5, 10)) -> dict[str, Any]:
    """pass@k of every stage, overall and by level, with Wilson intervals, and what ended the others."""
    by_task: dict[str, list[Judged]] = defaultdict(list)
    for item in judged:
        by_task[item.task].append(item)
    levels = {task.id: task.level for task in tasks}
    least = min((len(items) for items in by_task.values()), default=0)
    groups = {"all": list(by_task)} | {
        level: [name for name in by_task if levels[name] == level] for level in dict.fromkeys(levels.values())
    }
    return {
        "schema_version": 1,
        "tasks": len(by_task),
        "answers": len(judged),
        "groups": {
            group: {
                stage: _stage([by_task[name] for name in names], at + 1, [k for k in ks if k <= least])
                for at, stage in enumerate(STAGES)
            }
            for group, names in groups.items()
            if names
        },
        "ended_by": dict(
            Counter(f"{STAGES[item.reached]}: {item.words}"[:120] for item in judged if not item.ok).most_common(20)
        ),
        "bounded": sum(item.ok and item.words == "bounded" for item in judged),
        "per_task": {name: [item.reached for item in items] for name, items in by_task.items()},
    }


def _stage(items: Sequence[Sequence[Judged]], needed: int, ks: Sequence[int]) -> dict[str, Any]:
    counts = [(len(found), sum(item.reached >= needed for item in found)) for found in items]
    result: dict[str, Any] = {}
    for k in ks:
        rate = mean(pass_at_k(n, c, k) for n, c in counts)
        low, high = wilson(rate * len(counts), len(counts))
        result[f"pass@{k}"] = {"rate": round(rate, 4), "low": round(low, 4), "high": round(high, 4)}
    return result
