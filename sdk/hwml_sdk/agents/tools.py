"""The tools by name: what they are for, what they take and give, and the function that does it.

A tool's module is loaded when the tool is first called: an agent's program waits for the list, not for the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..errors import SourceError
from ..plugins import load
from . import schemas
from .sources import Folders
from .work import Tell

Run = Callable[[Mapping[str, Any], Folders, Tell], dict[str, Any]]
_MOST_WORDS = 300


@dataclass(frozen=True)
class Tool:
    """One tool. runs: "module:function" of this package, a `Run`."""

    name: str
    title: str
    description: str
    takes: schemas.Schema
    gives: schemas.Schema
    runs: str

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator

        return Draft202012Validator(self.takes)

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raise SourceError for arguments that the schema does not allow, naming the first that is wrong."""
        for error in self._validator.iter_errors(arguments):
            place = ".".join(map(str, error.absolute_path))
            rule = f"breaks {error.validator} {error.validator_value}"  # where its words would repeat the whole value
            words = error.message if len(error.message) <= _MOST_WORDS else rule[:_MOST_WORDS]
            raise SourceError(f"{self.name}: {place}{': ' if place else ''}{words}")

    def run(self, arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
        """The structured answer. Raises HwmlError for what is wrong with the arguments or their sources."""
        self.check(arguments)
        function: Run = load(f"hwml_sdk.agents.{self.runs}")
        with folders.reading():
            return function(arguments, folders, tell)


TOOLS = (
    Tool(
        "predict_qor",
        "Predict FPGA resources and latency",
        "Predict LUT, DSP, FF, BRAM and latency of an HLS C/C++ design (Vitis HLS, Vivado HLS, Merlin), with 80 % "
        "intervals and every loop's II, cycles and share, in milliseconds and without the vendor's tool. `loops` says "
        "where the cycles go. null means not known, with the cause in `reasons`; it never means 0.",
        schemas.HLS_INPUT,
        schemas.PREDICTION,
        "hls:predict",
    ),
    Tool(
        "lint_hls",
        "Find faults in HLS code",
        "Find what synthesis would tell only after minutes, or never: pragmas that do nothing, port and recurrence "
        "bounds, dataflow out of form, widths. Fixes are edits and a diff; a verified one was tried, and its title "
        "says what it brings. `explain` teaches each code.",
        schemas.HLS_INPUT,
        schemas.FINDINGS,
        "hls:lint",
    ),
    Tool(
        "why_ii",
        "Explain initiation intervals",
        "Say for each loop of an HLS design what its initiation interval (II) is and what bounds it: a recurrence "
        "(with the way round), memory ports (of which array), or the request itself; with the findings about it, and "
        "the moves that lift it, best first, with what they bring.",
        schemas.WHY_INPUT,
        schemas.WHY,
        "bounds:why",
    ),
    Tool(
        "what_if",
        "Try sets of pragmas",
        "Predict what other pragmas (PIPELINE, UNROLL, ARRAY_PARTITION, ...) would make of an HLS design, and give "
        "those that are worth their area, fastest first, within a budget: each with its pragmas, edits and a diff.",
        schemas.WHAT_IF_INPUT,
        schemas.WHAT_IF,
        "advice:what_if",
    ),
    Tool(
        "compare",
        "Compare two versions of a design",
        "Predict two versions of an HLS design and say what changed, how sure that is, and which loops have another "
        "II: a file or text against `before_text`, `before_path`, or what a commit (`revision`) holds of the file.",
        schemas.COMPARE_INPUT,
        schemas.COMPARISON,
        "compared:compare",
    ),
    Tool(
        "check_chisel",
        "Compile Chisel",
        "Compile a Chisel file, or a text as it would stand there, in a warm compiler: errors in a Chisel engineer's "
        "terms with fixes that were compiled. In folders that the user trusts (hwml trust) constructors run behind a "
        "fence as well, and modules have figures.",
        schemas.CHISEL_INPUT,
        schemas.CHISEL,
        "chisel:check",
    ),
    Tool(
        "fix_chisel",
        "Repair Chisel",
        "Find repairs of a Chisel file that pass the check which found the fault: whole texts and diffs, the safe ones "
        "marked. Nothing is written.",
        schemas.CHISEL_INPUT,
        schemas.REPAIRS,
        "chisel:fix",
    ),
    Tool(
        "explain",
        "Explain a finding",
        "The page of a code such as HLS118 or CH104: what it means, a bad and a good example. Without one: all codes.",
        schemas.EXPLAIN_INPUT,
        schemas.PAGE,
        "explaining:explain",
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}
