"""Rows of a data set as tasks: the circuit of the row's own answer is what an answer has to behave as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...config import DEFAULT_CHISEL_VERSION
from ...errors import DataError
from ..compile.prepare import prepare
from ..data_engine.verify import Verified, Verifier
from ..install.toolchain import ensure
from ..session import Session
from .behaviour import as_model
from .tasks import Task

_BATCH = 40


def with_models(tasks: Sequence[Task]) -> list[Task]:
    """The tasks, each with a model. Raises DataError where an answer of a row cannot be lowered."""
    lacking = [task for task in tasks if not task.model]
    if not lacking:
        return list(tasks)
    session = Session(prepare(ensure(DEFAULT_CHISEL_VERSION)))
    try:
        made: dict[str, Task] = {}
        for start in range(0, len(lacking), _BATCH):
            some = {f"gold{start + at}": task for at, task in enumerate(lacking[start : start + _BATCH])}
            for key, found in Verifier(session).run({key: task.reference for key, task in some.items()}).items():
                if not isinstance(found, Verified):
                    raise DataError(f"{some[key].id}: its answer cannot serve as a reference: {found.words}")
                model, top = as_model(found.verilog, found.top, found.ports)
                made[some[key].id] = replace(some[key], model=model, model_top=top)
    finally:
        session.kill()
    return [made.get(task.id, task) for task in tasks]
