"""Calls of vision libraries: passes over images, of known length or at least as long as the image has pixels."""

from __future__ import annotations

from ...program import ir
from ...program.constants import evaluate
from ...program.type_of import type_of_expression
from ...program.typenames import UNKNOWN
from ...tool.images import DEFAULT_TAPS, LIBRARIES, PASSES, Pass
from ..schedule.region import Region, Stay
from ..schedule.statements import occupy
from ..schedule.values import NO_LOOPS, NO_SOURCES, Value
from ..unknown import AREA
from .frame import Frame


def image(frame: Frame, region: Region, expr: ir.Call) -> Value | None:
    """A function of a vision library; None for any other call. What it takes of the device is not known of any."""
    size = next((size for argument in expr.args if (size := _size(frame, argument)) is not None), None)
    if size is None or not _in_library(expr.name):
        return None
    rows, cols = size
    found = PASSES.get(expr.name.rpartition("::")[2]) if not expr.name.startswith("xf") else None
    if found is None:
        # Two pixels a cycle and more only where the type says so (XF_NPPC8 and the like): the bound stays below.
        region.unknown.because(f"{expr.name} is not read; one pixel a cycle is {rows * cols:,} cycles")
        cycles = float(rows * cols)
    else:
        region.unknown.because(f"the area of {expr.name} is not known", AREA)
        cycles = _cycles(found, expr, rows, cols)
    occupy(region, Stay(cycles + 1, True), None)  # a call takes one state more than its latency
    return Value(region.base, NO_LOOPS, UNKNOWN, NO_SOURCES)


def _in_library(name: str) -> bool:
    return name.startswith(LIBRARIES) or name in PASSES


def _size(frame: Frame, argument: ir.Expr) -> tuple[int, int] | None:
    """(rows, columns) of an image: its largest, which a report's latency is for; None for other values."""
    kind = type_of_expression(argument, frame.program)
    for name, _, dims in kind.fields if kind.kind == "stream" else ():
        if name == "data" and len(dims) == 2 and dims[0] is not None and dims[1] is not None:
            return dims[0], dims[1]
    return None


def _cycles(found: Pass, expr: ir.Call, rows: int, cols: int) -> float:
    more = 0
    if found.taps_from is not None:
        given = expr.template_args[found.taps_from : found.taps_from + 1]
        more = (int(given[0]) if given and given[0].isdigit() else DEFAULT_TAPS) - 1
    numbers = [evaluate(argument, {}) for argument in expr.args]
    scales = any(number is not None and number != int(number) for number in numbers)
    return float((rows + more) * (cols + more + found.beside + (found.floats if scales else 0)))
