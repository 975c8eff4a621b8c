"""Small faults of Python code: where they can be put in, one at a time, and what the text then says."""

from __future__ import annotations

import ast
import difflib
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
QOR = ROOT / "sdk" / "hwml_sdk" / "qor"
PACKAGES = ("closed_form", "tool", "program", "read", "learned")
EQUIVALENTS = ROOT / "tests" / "mutation_equivalents.toml"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. start, end: byte offsets of the text that `new` replaces; lines: of the statement's head."""

    path: Path
    start: int
    end: int
    new: str
    change: str
    statement: str
    lines: range
    top_level: bool

    def key(self) -> tuple[str, str]:
        """What names the mutant whatever file it stands in."""
        return self.statement, self.change

    def source(self) -> str:
        """The module's text with the fault."""
        text = self.path.read_bytes()
        return (text[: self.start] + self.new.encode() + text[self.end :]).decode()

    def diff(self) -> str:
        """A unified diff."""
        name = str(self.path.relative_to(ROOT))
        old, new = self.path.read_text(encoding="utf-8").splitlines(), self.source().splitlines()
        return "\n".join(difflib.unified_diff(old, new, name, name, lineterm="", n=1))


_COMPARES: dict[type, tuple[str, str]] = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}  # fmt: skip
_OPERATORS: dict[type, tuple[str, str]] = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.BitOr: ("|", "&"), ast.BitAnd: ("&", "|"), ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}  # fmt: skip
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "ceil": "floor", "floor": "ceil", "abs": ""}


class Finder:
    """Finds the mutants of one module. Text for people (messages, docstrings) and types are left alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = path.read_bytes()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[Mutant] = []
        self.depth = 0
        self.statement: ast.stmt | None = None
        self.again: Counter[tuple[int, str]] = Counter()

    def run(self) -> list[Mutant]:
        """All mutants of the module."""
        self.statements(ast.parse(self.bytes).body)
        return self.found

    def at(self, line: int, column: int) -> int:
        """Byte offset of a position of `ast`."""
        return self.starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """Byte offsets of a node."""
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def add(self, start: int, end: int, new: str, change: str = "") -> None:
        """Note a mutant of the current statement."""
        assert self.statement is not None
        old = self.bytes[start:end].decode()
        head = _head(self.statement)
        body = getattr(self.statement, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) else (self.statement.end_lineno or self.statement.lineno)
        lines = range(self.statement.lineno, max(last, self.statement.lineno) + 1)
        change = change or f"{old} -> {new}"
        self.again[self.statement.lineno, change] += 1
        ordinal = self.again[self.statement.lineno, change]
        numbered = change if ordinal == 1 else f"{change} #{ordinal}"  # the second of its kind in the statement
        self.found.append(Mutant(self.path, start, end, new, numbered, head, lines, self.depth == 0))

    # -- statements

    def statements(self, body: Sequence[ast.stmt]) -> None:
        """Mutants of statements, those inside them too."""
        for item in body:
            if isinstance(item, ast.Import | ast.ImportFrom | ast.Raise | ast.Assert | ast.Global | ast.Pass):
                continue
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant):
                continue  # a docstring
            if isinstance(item, ast.If) and isinstance(item.test, ast.Name) and item.test.id == "TYPE_CHECKING":
                continue
            self.statement = item
            self.whole(item)
            for child in _expressions(item):
                self.expression(child)
            inside = isinstance(item, ast.FunctionDef)
            self.depth += inside
            for name in ("body", "orelse", "finalbody"):
                self.statements(getattr(item, name, []))
            for handler in getattr(item, "handlers", []):
                self.statements(handler.body)
            self.depth -= inside

    def whole(self, item: ast.stmt) -> None:
        """A statement dropped, a branch always or never taken, a loop left after one round."""
        if isinstance(item, ast.If | ast.While):
            start, end = self.span(item.test)
            self.add(start, end, "False", "never taken")
            if isinstance(item, ast.If):
                self.add(start, end, "True", "always taken")
        elif isinstance(item, ast.For):
            last = item.body[-1]
            _, end = self.span(last)
            indent = " " * last.col_offset
            self.add(end, end, f"\n{indent}break", "left after one round")
        elif isinstance(item, ast.Continue | ast.Break):
            self.add(*self.span(item), "break" if isinstance(item, ast.Continue) else "continue")
        elif self.depth and _droppable(item):
            self.add(*self.span(item), "pass", "dropped")

    # -- expressions

    def expression(self, node: ast.expr) -> None:
        """Mutants of an expression and of what is inside it."""
        if isinstance(node, ast.JoinedStr | ast.Lambda) and isinstance(node, ast.JoinedStr):
            return
        method: Callable[[Any], None] | None = getattr(self, f"on_{type(node).__name__}", None)
        if method is not None:
            method(node)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.expression(child)
            elif isinstance(child, ast.keyword) and child.arg not in ("strict", "default_factory", "kind", "message"):
                self.expression(child.value)
            elif isinstance(child, ast.comprehension):
                self.expression(child.iter)
                for test in child.ifs:
                    self.add(*self.span(test), "True", f"{ast.unparse(test)} -> True")
                    self.expression(test)

    def on_Constant(self, node: ast.Constant) -> None:  # noqa: N802
        """Numbers a little larger or smaller, flags the other way."""
        value = node.value
        if isinstance(value, bool):
            self.add(*self.span(node), str(not value))
        elif isinstance(value, int):
            for other in (value + 1, value - 1) if abs(value) < 32 else (value + 1, value * 4 // 5):
                self.add(*self.span(node), f"({other})" if other < 0 else str(other))
        elif isinstance(value, float):
            others = (1.0, -1.0) if value == 0 else (value * 1.25, value * 0.8)
            for number in others:
                self.add(*self.span(node), f"({number!r})" if number < 0 else repr(number))

    def on_Compare(self, node: ast.Compare) -> None:  # noqa: N802
        """The neighbouring comparison."""
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            self.swap(left, right, *_COMPARES[type(op)])
            left = right

    def on_BinOp(self, node: ast.BinOp) -> None:  # noqa: N802
        """The opposite operator."""
        if type(node.op) in _OPERATORS and not (isinstance(node.left, ast.Constant | ast.JoinedStr) and _text(node)):
            self.swap(node.left, node.right, *_OPERATORS[type(node.op)])

    def on_BoolOp(self, node: ast.BoolOp) -> None:  # noqa: N802
        """`and` for `or`, and the other way."""
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.swap(left, right, old, new)

    def on_UnaryOp(self, node: ast.UnaryOp) -> None:  # noqa: N802
        """`not` and the minus sign left out."""
        if isinstance(node.op, ast.Not | ast.USub):
            start, _ = self.span(node)
            operand, _ = self.span(node.operand)
            self.add(start, operand, "", f"{ast.unparse(node)} -> {ast.unparse(node.operand)}")

    def on_IfExp(self, node: ast.IfExp) -> None:  # noqa: N802
        """The arms of a conditional exchanged, by turning its condition round."""
        start, end = self.span(node.test)
        self.add(start, end, f"not ({self.bytes[start:end].decode()})", f"{ast.unparse(node.test)} -> not")

    def on_Call(self, node: ast.Call) -> None:  # noqa: N802
        """min for max, floor for ceil, any for all."""
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _CALLS:
            _, end = self.span(node.func)
            self.add(end - len(name), end, _CALLS[name], f"{name} -> {_CALLS[name]} in {ast.unparse(node)}")

    def swap(self, left: ast.expr, right: ast.expr, old: str, new: str) -> None:
        """Exchange the operator between two operands."""
        _, start = self.span(left)
        end, _ = self.span(right)
        between = self.bytes[start:end].decode()
        if old in between:
            whole = f"{ast.unparse(left)} {old} {ast.unparse(right)} -> {new}"
            self.add(start, end, between.replace(old, new, 1), whole)


def _text(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.JoinedStr) or isinstance(getattr(node.left, "value", None), str)


def _droppable(item: ast.stmt) -> bool:
    """A statement that acts on something which is there without it: its loss is no NameError."""
    if isinstance(item, ast.AugAssign):
        return True
    if isinstance(item, ast.Assign):
        return all(isinstance(target, ast.Attribute | ast.Subscript) for target in item.targets)
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Call)


def _expressions(item: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement's own; not its annotations, decorators and blocks."""
    if isinstance(item, ast.FunctionDef):
        yield from item.args.defaults
        yield from (default for default in item.args.kw_defaults if default is not None)
    elif isinstance(item, ast.AnnAssign):
        if item.value is not None:
            yield item.value
    elif not isinstance(item, ast.ClassDef):
        for child in ast.iter_child_nodes(item):
            if isinstance(child, ast.expr):
                yield child
            elif isinstance(child, ast.withitem):
                yield child.context_expr


def _head(item: ast.stmt) -> str:
    """Normalised text of a statement without its block."""
    text = ast.unparse(item)
    return text.split("\n", 1)[0] if hasattr(item, "body") else text


def mutants(packages: Sequence[str], match: str = "") -> list[Mutant]:
    """All mutants of the packages, in an order that only their text decides."""
    found: list[Mutant] = []
    for package in packages:
        for path in sorted((QOR / package).rglob("*.py")):
            if match in str(path):
                found += Finder(path).run()
    return sorted(found, key=lambda mutant: (*mutant.key(), mutant.start))


def equivalents() -> dict[tuple[str, str], str]:
    """(statement, change) -> why nobody can see the difference."""
    if not EQUIVALENTS.is_file():
        return {}
    with EQUIVALENTS.open("rb") as file:
        listed = tomllib.load(file)["equivalent"]
    return {(_normal(item["statement"]), item["change"]): item["reason"] for item in listed}


def _normal(statement: str) -> str:
    """A statement's head as `ast` writes it."""
    try:
        return _head(ast.parse(statement if not statement.endswith(":") else statement + " pass").body[0])
    except SyntaxError:
        return statement
