"""What scalars hold as straight code goes: `int n = 4; ... n = 2 * n;`, and how loops without a `for` head count.

Only what is certain is kept: a variable whose address or reference goes elsewhere (`Variable.handed`), a static one
and one that any branch or loop changes to something unknown is forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...text import Span
from . import ir
from .constants import evaluate, held
from .expressions import changing_in, children, everything_in, root_variable
from .numbers import Number

_NOTHING = object()
_Key = tuple[
    bool, ir.Variable
]  # of a change: whether it is one of `numbers` or of `definitions`, and of which variable


class Values:
    """Numbers that locals hold at one place, and definitions that depend on counters of the loops around it.

    Changes can be taken back (`mark`, `back`): a copy for every loop and branch would make many of them slow together.
    """

    def __init__(self) -> None:
        self.numbers: dict[ir.Variable, Number] = {}
        self.definitions: dict[ir.Variable, ir.Expr] = {}  # each needs such only as were made before it
        # Who may be defined by a variable: more than are, as nothing is taken back here.
        self._users: dict[ir.Variable, dict[ir.Variable, None]] = {}
        self._marks = 0
        self._changes: list[tuple[_Key, Any]] = []  # what was there before, oldest first

    def mark(self) -> int:
        """A place to go `back` to, or to ask at what was `changed` since; each is left by one of them."""
        self._marks += 1
        return len(self._changes)

    def back(self, mark: int) -> dict[_Key, Any]:
        """Take back what was changed since; returns what stood there meanwhile."""
        taken: dict[_Key, Any] = {}
        while len(self._changes) > mark:
            key, old = self._changes.pop()
            table = self._table(key)
            now = table.pop(key[1], _NOTHING)
            taken.setdefault(key, now)
            if old is not _NOTHING:
                table[key[1]] = old
        self._marks -= 1
        return taken

    def changed(self, mark: int) -> dict[_Key, Any]:
        """What stood at the mark where something was changed since."""
        found: dict[_Key, Any] = {}
        for key, old in self._changes[mark:]:
            found.setdefault(key, old)
        self._marks -= 1
        if not self._marks:
            self._changes.clear()
        return found

    def keep_common(self, then: dict[_Key, Any], otherwise: dict[_Key, Any]) -> None:
        """Forget what differs between two ways. then: what `back` gave of the first, otherwise: `changed` of this."""
        for key in {**then, **otherwise}:
            table = self._table(key)
            now = table.get(key[1], _NOTHING)
            other = then[key] if key in then else otherwise[key]
            if now is not other and (not key[0] or now != other):
                self._drop(key)

    def forget(self, changed: Collection[ir.Variable]) -> None:
        """Drop variables and what is defined by them."""
        for var in changed:
            if var in self.numbers:
                self._drop((True, var))
            if var in self.definitions:
                self._drop((False, var))
        pending = list(changed)
        while pending and self.definitions:
            gone = pending.pop()
            for var in self._users.get(gone, ()):
                expr = self.definitions.get(var)
                if expr is not None and gone in variables_in(expr):
                    self._drop((False, var))
                    pending.append(var)
            if not self._marks:
                self._users.pop(gone, None)

    def _table(self, key: _Key) -> dict[ir.Variable, Any]:
        return self.numbers if key[0] else self.definitions

    def _set(self, key: _Key, value: Any) -> None:
        table = self._table(key)
        if self._marks:
            self._changes.append((key, table.get(key[1], _NOTHING)))
        table[key[1]] = value

    def _drop(self, key: _Key) -> None:
        old = self._table(key).pop(key[1], _NOTHING)
        if self._marks and old is not _NOTHING:
            self._changes.append((key, old))

    def assign(self, var: ir.Variable, expr: ir.Expr | None, known: Mapping[ir.Variable, Number]) -> None:
        """`var = expr`."""
        trusted = _is_trusted(var) and expr is not None
        value = evaluate(expr, Layers(self.numbers, known)) if trusted else None
        named = variables_in(expr) if trusted else []
        self.forget((var,))
        if value is not None:
            self._set((True, var), held(var.type, value))
        elif trusted and expr is not None and var not in named and not changed_in((expr,)):
            self._set((False, var), expr)
            for other in named:
                self._users.setdefault(other, {})[var] = None

    def declare(self, var: ir.Variable, expr: ir.Expr | None, known: Mapping[ir.Variable, Number]) -> None:
        """`int m = expr;`, where `int m = n++;` changes n too."""
        target = expr.operand if isinstance(expr, ir.Unary) and target_of(expr) is not None else None
        if expr is None or not isinstance(target, ir.Ref) or target.var is None:
            self.forget(changed_in((expr,)) if expr is not None else ())
            self.assign(var, expr, known)
            return
        before = self.numbers.get(target.var)
        self.run(expr, known)
        value = before if isinstance(expr, ir.Unary) and expr.op[0] == "p" else self.numbers.get(target.var)
        self.assign(var, None if value is None else ir.Const(value, target.var.type), known)

    def run(self, expr: ir.Expr, known: Mapping[ir.Variable, Number]) -> None:
        """An expression statement."""
        for item in expr.items if isinstance(expr, ir.Many) else (expr,):
            target = target_of(item)
            if not isinstance(target, ir.Ref) or target.var is None or target.var.dims:
                self.forget(changed_in((item,)))
                continue
            inner = changed_in(children(item))
            self.forget(inner)
            if inner:
                self.forget((target.var,))
            elif isinstance(item, ir.Assign) and item.op == "=":
                self.assign(target.var, item.value, known)
            else:
                number = self.numbers.get(target.var)
                old = target if number is None else ir.Const(number, target.var.type)
                added = item.value if isinstance(item, ir.Assign) else ir.Const(1, target.var.type)
                op = item.op[-1] if isinstance(item, ir.Unary) else item.op[:-1]  # type: ignore[union-attr]
                self.assign(target.var, ir.Binary(op, old, added), known)

    def complete(
        self, environment: Mapping[ir.Variable, Number], needed: Iterable[ir.Variable]
    ) -> Mapping[ir.Variable, Number]:
        """`environment` under the numbers, and with the definitions that `needed` reaches worked out in it."""
        if not self.definitions:
            return Layers(self.numbers, environment) if self.numbers else environment
        found: dict[ir.Variable, Number] = {}
        together = Layers(found, self.numbers, environment)
        pending: list[tuple[ir.Variable, bool]] = [(var, False) for var in needed]
        seen: set[ir.Variable] = set()
        while pending:
            var, is_ready = pending.pop()
            expr = self.definitions.get(var)
            if expr is None or (var in seen and not is_ready):
                continue
            seen.add(var)
            if not is_ready:  # what it is defined by comes first
                pending.append((var, True))
                pending += [(inner, False) for inner in variables_in(expr)]
                continue
            value = evaluate(expr, together)
            if value is not None:
                found[var] = held(var.type, value)
        return together

    def reached(self, needed: Iterable[ir.Variable]) -> set[ir.Variable]:
        """`needed` and all that their definitions name."""
        found: set[ir.Variable] = set()
        pending = list(needed)
        while pending:
            var = pending.pop()
            if var not in found:
                found.add(var)
                expr = self.definitions.get(var)
                pending += variables_in(expr) if expr is not None else ()
        return found


class Layers(Mapping[ir.Variable, Number]):
    """Tables as one, earlier ones before later ones, without a copy of them."""

    __slots__ = ("_tables",)

    def __init__(self, *tables: Mapping[ir.Variable, Number]) -> None:
        self._tables = tables

    def __getitem__(self, var: ir.Variable) -> Number:
        for table in self._tables:
            if var in table:
                return table[var]
        raise KeyError(var)

    def __contains__(self, var: object) -> bool:
        for table in self._tables:  # noqa: SIM110 - asked for every name of every bound
            if var in table:
                return True
        return False

    def __iter__(self) -> Iterator[ir.Variable]:
        return iter(self._flat())

    def __len__(self) -> int:
        return len(self._flat())

    def _flat(self) -> dict[ir.Variable, Number]:
        found: dict[ir.Variable, Number] = {}
        for table in reversed(self._tables):
            found.update(table)
        return found


def _is_trusted(var: ir.Variable) -> bool:
    return not (var.handed or var.static or var.dims or var.type.pointer) and var.scope in ("local", "param")


def target_of(expr: ir.Expr) -> ir.Expr | None:
    """What an assignment or a step changes; None for any other expression."""
    if type(expr) is ir.Assign:
        return expr.target
    return expr.operand if type(expr) is ir.Unary and expr.op in ("++", "--", "p++", "p--") else None


def variables_in(*exprs: ir.Expr | None) -> list[ir.Variable]:
    """Variables that expressions name."""
    found: list[ir.Variable] = []
    pending = [expr for expr in exprs if expr is not None]
    while pending:
        expr = pending.pop()
        if type(expr) is not ir.Ref:
            pending += children(expr)
        elif expr.var is not None:
            found.append(expr.var)
    return found


def changes_in(exprs: Iterable[ir.Expr]) -> list[ir.Variable]:
    """The variable behind every assignment and step, as often as there are any."""
    found: list[ir.Variable] = []
    for part in changing_in(exprs):
        target = target_of(part)
        var = root_variable(target) if target is not None else None
        if var is not None:
            found.append(var)
    return found


def _changes_of(block: ir.Block) -> tuple[ir.Variable, ...]:
    """The same of all expressions of a block."""
    if block.changes is None:
        block.changes = tuple(_changed(everything_in(block)))
    return block.changes


def _changed(exprs: Iterable[ir.Expr]) -> list[ir.Variable]:
    found: list[ir.Variable] = []
    for expr in exprs:
        if type(expr) is not ir.Assign and type(expr) is not ir.Unary:
            continue
        target = target_of(expr)
        var = root_variable(target) if target is not None else None
        if var is not None:
            found.append(var)
    return found


def changed_in(exprs: Iterable[ir.Expr]) -> set[ir.Variable]:
    """Variables that expressions change."""
    return set(changes_in(exprs))


@dataclass(frozen=True, slots=True)
class Head:
    """How a loop counts. start: None where the variable comes with a value from before.

    step: what changes `var` once an iteration, None where the condition does. late: the first test comes after the
    first iteration (do).
    """

    var: ir.Variable
    start: ir.Expr | None
    condition: ir.Expr
    step: ir.Expr | None
    late: bool = False


def head_of(loop: ir.Loop) -> Head | None:
    """The head of a counting loop: of a `for`, or of any loop whose condition names one variable that steps once."""
    if loop.condition is None or loop.kind == "range":
        return None
    named = set(variables_in(loop.condition))
    if loop.var in named:
        named = {loop.var}
    in_test = changes_in((loop.condition,))
    in_step = changes_in((loop.step,)) if loop.step is not None else []
    changes = [*in_test, *in_step, *_changes_of(loop.body)]
    stepping = [var for var in named if var in changes]
    if len(stepping) != 1 or changes.count(stepping[0]) != 1:
        return None
    (var,) = stepping
    start = loop.start if var is loop.var else None
    if start is None and starts_in_head(loop, var):
        start = var.init  # for (int i = 0, j = 9; j > 0; i++, j--)
    late = loop.kind == "do"
    if loop.step is not None and var in in_step:
        return Head(var, start, loop.condition, loop.step)
    if var in in_test:
        return Head(var, start, loop.condition, None, late)
    own = next((i.expr for i in loop.body.items if isinstance(i, ir.Evaluate) and var in changed_in((i.expr,))), None)
    if own is None or loop.has_continue or not _is_trusted(var):
        return None
    return Head(var, start, loop.condition, own, late)


def starts_in_head(loop: ir.Loop, var: ir.Variable) -> bool:
    """Whether a counter is declared in the head of a `for`, with the value that it starts with."""
    return loop.kind == "for" and var.init is not None and _is_within(var.span, loop.head)


def _is_within(inner: Span, outer: Span) -> bool:
    return (outer.start_line, outer.start_character) <= (inner.start_line, inner.start_character) <= (
        outer.end_line, outer.end_character
    )  # fmt: skip


def tested(condition: ir.Expr, var: ir.Variable) -> tuple[ir.Expr, int, bool]:
    """(condition on the plain variable, what the test adds to it, whether before it compares): `--i > 0`, `i--`."""
    step = _counter_step(condition, var)
    if step is not None:
        return ir.Binary("!=", ir.Ref(var.name, var), ir.Const(0, var.type)), *step
    if isinstance(condition, ir.Binary):
        for mine, other, swap in ((condition.left, condition.right, False), (condition.right, condition.left, True)):
            step = _counter_step(mine, var)
            if step is not None:
                plain = ir.Ref(var.name, var)
                left, right = (other, plain) if swap else (plain, other)
                return ir.Binary(condition.op, left, right), *step
    return condition, 0, False


def _counter_step(expr: ir.Expr, var: ir.Variable) -> tuple[int, bool] | None:
    if not isinstance(expr, ir.Unary) or expr.op not in ("++", "--", "p++", "p--"):
        return None
    if not isinstance(expr.operand, ir.Ref) or expr.operand.var is not var:
        return None
    return (1 if "+" in expr.op else -1), not expr.op.startswith("p")
