"""Who reads and writes what: variables that a statement reaches, also through the functions it calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import ir
from .expressions import children, expressions_of, root_variable

MAX_CALL_DEPTH = 40


@dataclass(slots=True)
class Uses:
    """Variables a piece of code reads and writes. unknown: handed to code that was not read."""

    reads: set[ir.Variable] = field(default_factory=set)
    writes: set[ir.Variable] = field(default_factory=set)
    unknown: set[ir.Variable] = field(default_factory=set)


# Methods of hls::stream, and whether they take from it, put into it, or only look at it (UG1399, "HLS Stream Library").
_STREAM_READS = {"read", "read_nb", "read_lock"}
_STREAM_WRITES = {"write", "write_nb", "write_lock"}
_STREAM_LOOKS = {"empty", "full", "size", "capacity", "set_name", "valid", "ready", "read_request", "write_request",
                 "read_request_unaligned", "write_request_unaligned", "write_response"}  # fmt: skip
_Places = tuple[frozenset[int], frozenset[int], frozenset[int]]


class UseFinder:
    """Finds reads and writes through calls; one per program."""

    def __init__(self, program: ir.Program) -> None:
        self.program = program
        self._params: dict[str, _Places] = {}
        self._busy: set[str] = set()

    def of(self, item: ir.Stmt) -> Uses:
        """What one statement, with all it contains and calls, does to variables."""
        uses = Uses()
        for expr in expressions_of(ir.Block([item])):
            self._expression(expr, uses)
        return uses

    def _expression(self, expr: ir.Expr, uses: Uses) -> None:
        if isinstance(expr, ir.Assign):
            self._assign(expr, uses)
        elif isinstance(expr, ir.Unary) and expr.op in ("++", "--", "p++", "p--"):
            var = root_variable(expr.operand)
            if var is not None:
                uses.reads.add(var)
                uses.writes.add(var)
            self._subscripts(expr.operand, uses)
        elif isinstance(expr, ir.Call):
            self._call(expr, uses)
        elif isinstance(expr, ir.Binary) and expr.op in ("<<", ">>") and _stream(expr.left) is not None:
            self._shift(expr, uses)
        elif isinstance(expr, ir.Ref):
            if expr.var is not None:
                uses.reads.add(expr.var)
        else:
            for child in children(expr):
                self._expression(child, uses)

    def _shift(self, expr: ir.Binary, uses: Uses) -> None:
        """`stream << value` and `stream >> variable`."""
        stream = _stream(expr.left)
        assert stream is not None
        if expr.op == "<<":
            uses.writes.add(stream)
            self._expression(expr.right, uses)
            return
        uses.reads.add(stream)
        target = root_variable(expr.right)
        if target is not None:
            uses.writes.add(target)

    def _assign(self, expr: ir.Assign, uses: Uses) -> None:
        var = root_variable(expr.target)
        if var is not None:
            uses.writes.add(var)
            if expr.op != "=":
                uses.reads.add(var)
        self._subscripts(expr.target, uses)
        self._expression(expr.value, uses)

    def _subscripts(self, expr: ir.Expr, uses: Uses) -> None:
        """What an access reads to find its place: `n` of `a[n].x` and `&a[n]`."""
        while isinstance(expr, ir.Index | ir.Member | ir.Unary | ir.Cast):
            for subscript in expr.subscripts if isinstance(expr, ir.Index) else ():
                self._expression(subscript, uses)
            expr = expr.base if isinstance(expr, ir.Index | ir.Member) else expr.operand

    def _call(self, expr: ir.Call, uses: Uses) -> None:
        receiver = root_variable(expr.receiver) if expr.receiver is not None else None
        if receiver is not None:
            if expr.name in _STREAM_READS:
                uses.reads.add(receiver)
            elif expr.name in _STREAM_WRITES:
                uses.writes.add(receiver)
            elif expr.name not in _STREAM_LOOKS:
                uses.unknown.add(receiver)
        known = self._of_function(expr.name) if expr.name in self.program.functions else None
        for index, argument in enumerate(expr.args):
            self._argument(expr, index, argument, known, uses)

    def _argument(self, call: ir.Call, index: int, argument: ir.Expr, known: _Places | None, uses: Uses) -> None:
        var = root_variable(argument)
        if var is None or (known is None and not _shared(var)):
            self._expression(argument, uses)
            return
        if known is None:
            _foreign(call, index, var, uses)
        else:
            for place, target in zip(known, (uses.reads, uses.writes, uses.unknown), strict=True):
                if index in place:
                    target.add(var)
        self._subscripts(argument, uses)

    def _of_function(self, name: str) -> _Places:
        """Positions of the parameters a function reads, writes, or hands to code that was not read."""
        if name in self._params:
            return self._params[name]
        function = self.program.functions[name]
        if name in self._busy or len(self._busy) > MAX_CALL_DEPTH:
            everything = frozenset(range(len(function.params)))
            return everything, everything, everything
        self._busy.add(name)
        uses = self.of(function.body)
        self._busy.discard(name)

        def places(chosen: set[ir.Variable]) -> frozenset[int]:
            return frozenset(i for i, param in enumerate(function.params) if param in chosen)

        self._params[name] = places(uses.reads), places(uses.writes), places(uses.unknown)
        return self._params[name]


def _stream(expr: ir.Expr) -> ir.Variable | None:
    var = root_variable(expr)
    return var if var is not None and var.type.kind == "stream" else None


def _shared(var: ir.Variable) -> bool:
    """Whether a callee can change the variable without a reference: arrays, pointers, streams."""
    return bool(var.dims or var.type.pointer or var.type.kind == "stream")


def _foreign(call: ir.Call, index: int, var: ir.Variable, uses: Uses) -> None:
    """A shared variable handed to a function that was not read."""
    short = call.name.rpartition("::")[2]
    if short in ("memcpy", "memmove"):
        (uses.writes if index == 0 else uses.reads).add(var)
    elif short == "memset":
        uses.writes.add(var)
    else:
        uses.unknown.add(var)
