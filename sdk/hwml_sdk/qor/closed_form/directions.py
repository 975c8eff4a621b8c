"""Which arguments of a function are read and which are written, in its own body, by what it calls, and by copies."""

from __future__ import annotations

from collections.abc import Iterator

from ..program import ir
from ..program.expressions import assigned_variables, calls, everything_in, root_variable

_MAX_CALLS = 40  # inside one another
# Which arguments the copies of the C library read and write.
_COPIES = {"memcpy": ((1,), (0,)), "memmove": ((1,), (0,)), "memset": ((), (0,))}

Uses = tuple[set[ir.Variable], set[ir.Variable]]  # read, written


class Directions:
    """The uses of one program's functions, each found once."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self.found: dict[str, Uses] = {}

    def of(self, function: ir.Function, depth: int = 0) -> Uses:
        """Variables of which a function reads, and writes, elements."""
        known = self.found.get(function.name)
        if known is not None or depth > _MAX_CALLS:
            return known or (set(), set())
        read, written = self.found[function.name] = set(), set()  # what a function that calls itself finds on its way
        read |= _elements_read(function.body)
        written |= assigned_variables(function.body)
        for call in calls(function.body):
            for argument, is_read, is_written in self._handed(call, depth):
                var = root_variable(argument)
                if var is not None:
                    read |= {var} if is_read else set()
                    written |= {var} if is_written else set()
        return read, written

    def _handed(self, call: ir.Call, depth: int) -> Iterator[tuple[ir.Expr, bool, bool]]:
        """Arguments of a call, and what becomes of each."""
        plain = call.name.rpartition("::")[2]
        function = self.program.functions.get(call.name) or self.program.functions.get(plain)
        if function is not None:
            read, written = self.of(function, depth + 1)
            for param, argument in zip(function.params, call.args, strict=False):
                yield argument, param in read, param in written
            return
        reads, writes = _COPIES.get(plain, ((), ()))
        for at, argument in enumerate(call.args):
            yield argument, at in reads, at in writes


def _elements_read(block: ir.Block) -> set[ir.Variable]:
    """Variables of which a statement reads an element, whatever others write: `a[i] = a[i] ^ 1` does both."""
    passed: set[int] = set()  # only written, or only their address taken
    elements: list[ir.Expr] = []
    for expr in everything_in(block):
        kind = type(expr)
        if kind is ir.Ref or kind is ir.Const or kind is ir.Binary:
            continue
        place: ir.Expr | None = None
        if kind is ir.Index:
            elements.append(expr)
        elif isinstance(expr, ir.Assign):
            place = expr.target if expr.op == "=" else None
        elif isinstance(expr, ir.Unary):
            place = expr.operand if expr.op == "&" else None
            if expr.op == "*":
                elements.append(expr)
        while place is not None:
            passed.add(id(place))
            place = place.base if isinstance(place, ir.Member | ir.Index) else None
    found = [root_variable(expr) for expr in elements if id(expr) not in passed]
    return {var for var in found if var is not None}
