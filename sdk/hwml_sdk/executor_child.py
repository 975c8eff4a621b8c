"""One item of an Executor, in a process of its own: `python -P -m hwml_sdk.executor_child JOB RESULT`.

It ends with the process that waits for it (standard input is a pipe from there).
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from hwml_sdk.errors import HwmlError
from hwml_sdk.processes import end_with_parent


def main(argv: list[str]) -> int:
    """Run the function of the job file and write what it returned, or its error, to the result file."""
    end_with_parent()
    job = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    os.chdir(job["cwd"])  # where the caller's relative names count from; modules are not looked for there (-P)
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
