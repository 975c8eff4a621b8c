"""A lint code and the rule that reports it are declared in one place, beside the function that does the work.

    NO_HEAP = Code("HLS124", "error", "dynamic memory")

    @rule(NO_HEAP)
    def dynamic_memory(context: Context) -> None:
        ...
        context.report(NO_HEAP, message, path, span)

The module stands in `table.MODULES`. A code needs a page too, `hwml_sdk/pages/HLS124.md`: its heading is the code and
the title, its bad example gives exactly this code and the good one nothing (tests/qor/test_lint.py tries both).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .code import Code
from .context import Context


@dataclass(frozen=True, slots=True)
class Rule:
    """A function that looks for findings, and the codes it may report."""

    codes: tuple[Code, ...]
    run: Callable[[Context], None]


def rule(*codes: Code) -> Callable[[Callable[[Context], None]], Rule]:
    """Make the decorated function the rule for these codes."""
    return lambda run: Rule(codes, run)
