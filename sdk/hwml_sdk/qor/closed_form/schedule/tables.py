"""Constant tables: read at indices that are known once loops are unrolled, they are constants and take no memory."""

from __future__ import annotations

from itertools import product

from ...program import ir
from ...program.constants import Number, evaluate
from ...program.typenames import INT
from .accesses import Place
from .forms import Form
from .region import Region
from .values import NO_SOURCES, Value, constant_bits

MAX_ELEMENTS = 4096  # that are looked up for one access
ELEMENTS_A_STEP = 4  # in the time that an expression takes


def folded(region: Region, found: Place, kind: ir.CType) -> Value | None:
    """The constant, or constants by copy, that a load of a constant table gives; None where it is a memory's."""
    array = found.array
    if not (array.const and array.dims and isinstance(array.init, ir.Many)) or found.element.field:
        return None
    columns = [_indices(region, form) for form in found.forms]
    if any(column is None for column in columns) or len(columns) != len(array.dims):
        region.host.keep(array)
        return None
    values: list[Number] = []
    for cell in product(*(column or () for column in columns)):
        if len(values) >= MAX_ELEMENTS:
            break
        index = ir.Index(ir.Ref(array.name, array), tuple(ir.Const(int(at), INT) for at in cell))
        value = evaluate(index, {})
        # What an initialiser list leaves out is zero.
        values.append(0 if value is None else value)
    region.work.left -= len(values) // ELEMENTS_A_STEP
    made = Value(region.base, found.deps, kind, NO_SOURCES)
    if kind.is_float:
        return made
    whole = [int(value) for value in values]
    made.bits = max(map(constant_bits, whole), default=0)
    if len(set(whole)) == 1:
        made.form = {None: float(whole[0])}
    else:
        made.table = tuple(whole)
    return made


def _indices(region: Region, form: Form | None) -> list[float] | None:
    """All values of a subscript over the copies of unrolled loops; None where it moves at run time."""
    if form is None:
        return None
    values = [form.get(None, 0.0)]
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
