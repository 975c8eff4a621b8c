"""One item of an Executor, in a process of its own: `python -m hwml_sdk.executor_child JOB RESULT`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from hwml_sdk.errors import HwmlError


def main(argv: list[str]) -> int:
    """Run the function of the job file and write what it returned, or its error, to the result file."""
    job = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    _limit_memory(int(job["memory_bytes"]))
    module, _, name = job["function"].partition(":")
    try:
        answer: dict[str, Any] = {"value": getattr(import_module(module), name)(job["item"])}
    except HwmlError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"needed more than {job['memory_bytes'] >> 20} MiB of memory"}
    # A run cut short must leave no half result: the name appears only when the file is whole.
    result = Path(argv[1])
    partial = result.with_suffix(".partial")
    partial.write_text(json.dumps(answer), encoding="utf-8")
    partial.replace(result)
    return 0


def _limit_memory(limit: int) -> None:
    if limit <= 0:
        return
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
