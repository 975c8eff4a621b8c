"""The tasks: 37 of our own, and those of public files with a Verilog reference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...files import read_bytes

LEVELS = ("L1", "L2", "L3", "L4")
_HEAD = re.compile(r"^=== (\w+)\n", re.MULTILINE)
_MODEL = re.compile(r"\bmodule\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Task:
    """reference: a Chisel answer, "" where the source has none; model: Verilog that was written independently of it.

    model_top: the name of the model's module. Ports of the model have the names of the prompt. A row of a data set has
    no model until `with_models` has made one of its answer.
    """

    id: str
    level: str
    prompt: str
    reference: str
    model: str
    model_top: str = "model"


def own_tasks() -> list[Task]:
    """The tasks of this package, in their order."""
    found: list[Task] = []
    for level in LEVELS:
        text = (files(__package__) / "tasks" / f"{level}.txt").read_text(encoding="utf-8")
        pieces = _HEAD.split(text)[1:]
        for name, body in zip(pieces[::2], pieces[1::2], strict=True):
            prompt, _, rest = body.partition("--- chisel\n")
            reference, _, model = rest.partition("--- verilog\n")
            found.append(Task(name, level, prompt.strip(), reference.strip() + "\n", model.strip() + "\n"))
    return found


def read_tasks(path: str | Path) -> list[Task]:
    """Tasks of a file of JSON lines: our own layout, that of VerilogEval's specification-to-RTL set, rows of data.

    Own: `id`, `prompt`, `model` (Verilog), and, if any, `level`, `reference`. VerilogEval: `task_id`, `prompt` (or
    `description`, `detail_description`), `ref` (or `canonical_solution` with the module's head in `prompt`). Rows of a
    data set: `instruction`, `output`, and, if any, `input`, `seed`. Raises DataError with file and line for anything
    else.
    """
    return list(_read(Path(path)))


def _read(path: Path) -> Iterator[Task]:
    try:
        lines = read_bytes(path).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as JSON lines: {error}", path=path) from error
    count = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield _row(row, number) if "instruction" in row else _task(row)
            count += 1
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            wanted = "id, prompt and model, or task_id, prompt and ref, or instruction and output"
            raise DataError(f"is no task ({error!r}): {wanted} are wanted", path=path, line=number) from error
    if not count:
        raise DataError("holds no task", path=path)


def _row(row: dict[str, Any], number: int) -> Task:
    prompt = "\n".join(part for part in (str(row["instruction"]), str(row.get("input", ""))) if part)
    name = str(row.get("seed") or "row")
    return Task(f"{name} ({number})", str(row.get("level", "rows")), prompt, str(row["output"]), "")


def _task(row: dict[str, Any]) -> Task:
    if "task_id" not in row:
        model = str(row["model"])
        return Task(
            str(row["id"]),
            str(row.get("level", "own")),
            str(row["prompt"]),
            str(row.get("reference", "")),
            model,
            _top(model),
        )
    prompt = str(row.get("detail_description") or row.get("description") or row["prompt"])
    if "ref" in row:
        model = str(row["ref"])
    else:
        solution = str(row["canonical_solution"])
        model = solution if _MODEL.search(solution) else f"{row['prompt']}\n{solution}"
    return Task(str(row["task_id"]), "public", prompt, "", model, _top(model))


def _top(model: str) -> str:
    names = _MODEL.findall(model)
    if not names:
        raise ValueError("the Verilog reference has no module")
    return str(names[-1])
