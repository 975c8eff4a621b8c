"""Constant tables: read at indices that are known once loops are unrolled, they are constants and take no memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from ...program import ir
from ...program.constants import Number, evaluate, held
from .accesses import Place
from .forms import Form
from .region import Region
from .values import NO_SOURCES, Value, constant_bits

MAX_ELEMENTS = 4096  # that are looked up for one access
ELEMENTS_A_STEP = 4  # in the time that an expression takes
_WHOLE = ("int", "uint", "bool")
_PARTS = ("half", "float", "double", "fixed", "ufixed")


def is_table(array: ir.Variable) -> bool:
    """Whether it is a table of constants that are written down."""
    return array.const and bool(array.dims) and isinstance(array.init, ir.Many)


def folded(region: Region, found: Place, kind: ir.CType) -> Value | None:
    """The constant, or constants by copy, that a load of a constant table gives; None where it is a memory's."""
    array = found.array
    if not is_table(array) or not isinstance(array.init, ir.Many):
        return None
    field = next((at for at, (name, _, _) in enumerate(array.type.fields) if name == found.element.field), None)
    if found.element.field and field is None:
        return None
    values = _values(region, found, array.init, field)
    if values is None or kind.kind not in (*_WHOLE, *_PARTS):
        region.host.keep(array)
        return None
    made = Value(region.base, found.deps, kind, NO_SOURCES)
    if kind.kind in _PARTS:
        if kind.is_float and len(set(values)) == 1:
            made.number = float(values[0])
        return made  # no memory, but what a product with them takes is not told from their whole part
    whole = [int(held(kind, value)) for value in values]
    made.bits = max(map(constant_bits, whole), default=0)
    if len(set(whole)) == 1:
        made.form = {None: float(whole[0])}
    else:
        made.table = tuple(whole)
    return made


def _values(region: Region, found: Place, init: ir.Many, field: int | None) -> list[Number] | None:
    """The elements of a table that a load and its copies read; None where one of them is not known.

    field: of a table of structs, the place of the field that is read.
    """
    columns = [column for form in found.forms if (column := counted(region, form)) is not None]
    if len(columns) != len(found.forms) or len(columns) != len(found.array.dims):
        return None
    if prod(map(len, columns)) > MAX_ELEMENTS:
        return None
    values: list[Number] = []
    for cell in product(*columns):
        value = _element(init, cell if field is None else (*cell, float(field)))
        if value is None:
            return None
        values.append(value)
    region.work.left -= len(values) // ELEMENTS_A_STEP
    return values


def _element(init: ir.Expr, cell: Sequence[float]) -> Number | None:
    """The initial value at a position: what lies beyond a list is zero (ISO C++, aggregate initialisation)."""
    for at in cell:
        if not isinstance(init, ir.Many) or at < 0 or at != int(at):
            return None
        if at >= len(init.items):
            last = init.items[-1] if init.items else None
            return None if isinstance(last, ir.Const) and last.value is None else 0  # values that were left out
        init = init.items[int(at)]
    return evaluate(init, {})


def counted(region: Region, form: Form | None) -> list[float] | None:
    """All values of a subscript over the copies of unrolled loops; None where it moves at run time."""
    if form is None:
        return None
    values = [float(form.get(None, 0.0))]
    loops = {loop.var: (loop, trip) for loop, trip in region.unrolled.items() if loop.var is not None}
    for var, factor in form.items():
        if var is None or not factor:
            continue
        if var not in loops or var in region.host.active:
            return None
        loop, trip = loops[var]
        start = evaluate(loop.start, region.host.known)
        if start is None or trip * len(values) > MAX_ELEMENTS:
            return None
        step = region.host.step(loop)
        values = [v + factor * (start + step * turn) for v in values for turn in range(int(trip))]
    return values
