"""Does a test notice? Small faults are put into the closed form, the reading and the correction, one at a time.

    python tests/mutation.py [--mutants 120] [--seed 1] [--jobs 2] [--package closed_form]... [--match area]

A fault (mutant) is a constant off by a little, a comparison or operator exchanged, a rule dropped, a loop left early.
Each is tried against the tests that run its line (a measured map, quickest test first) in a forked child that
imports the mutated source in place of the module; nothing is written to the tree. Printed are the diff of every
survivor and the share killed; the exit status is 1 below `--bar` percent. The sample depends on the seed and on the
text of the code, not on the names of files, so that moving a module leaves it alone.

Equivalent mutants (those that change nothing anybody could see) stand in mutation_equivalents.toml, each with its
reason, named by the text of the statement.

Why no library: mutmut (3.8, BSD-3, well kept) mutates the bodies of undecorated functions only, and half of the rules
here are tables at module level or stand in cached functions and properties; it copies the tree and its map of tests
is by function. cosmic-ray (8.7, MIT) rewrites files on disk and has one test command for a whole session, so that each
mutant pays the start of an interpreter and the whole suite. mutatest (3.1, MIT) was last released for Python 3.8 and
asks for coverage < 6. `coverage` is used for the map of tests.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SDK = ROOT / "sdk"
QOR = SDK / "hwml_sdk" / "qor"
PACKAGES = ("closed_form", "tool", "program", "read", "learned")
EQUIVALENTS = ROOT / "tests" / "mutation_equivalents.toml"
# The quick tests below tests/qor: pins, and cases whose derivations stand beside them. What is not there is left out.
NEAR = (
    "pins/test_*.py", "test_initiation.py", "test_area_rules.py", "test_merlin.py", "test_parts.py", "test_project.py",
    "test_dataset.py", "test_table.py", "test_lint.py",
)  # fmt: skip
SLOWEST_TEST_S = 3.0  # a test that takes longer is not tried either
LIMIT_S = 60.0  # a mutant that takes this much longer than its tests runs for ever: killed
_MISSING = "no test runs it"


# -- mutants ------------------------------------------------------------------------------------------------------


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


# -- tests --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Map:
    """Which tests run a line. tests: id -> seconds; lines: path -> line -> ids."""

    tests: dict[str, float]
    lines: dict[str, dict[int, set[str]]]

    def nearest(self, mutant: Mutant) -> list[str]:
        """Tests that may notice, the quickest first; what runs on import may be noticed by any."""
        of_file = self.lines.get(str(mutant.path), {})
        if mutant.top_level:
            touching = {test for tests in of_file.values() for test in tests}
            return sorted(self.tests, key=lambda test: (test not in touching, self.tests[test]))
        near = {test for line in mutant.lines for test in of_file.get(line, ())}
        return sorted(near, key=lambda test: self.tests[test])


def test_files() -> list[str]:
    """Files of the quick tests of the closed form, reading and correction."""
    return [str(path) for pattern in NEAR for path in sorted((ROOT / "tests" / "qor").glob(pattern))]


class Measuring:
    """A pytest plugin: what each test runs, and how long it takes."""

    def __init__(self) -> None:
        import coverage

        self.coverage = coverage.Coverage(data_file=None, include=[f"{QOR}/*"], config_file=False)
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_runtest_setup(self, item: Any) -> None:
        """What a cache answers is not run again, and would be missing from the map."""
        for name, module in list(sys.modules.items()):
            if name.startswith("hwml_sdk.qor.") and name.split(".")[2] in PACKAGES:
                for value in list(vars(module).values()):
                    if hasattr(value, "cache_clear"):
                        value.cache_clear()
        self.coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Seconds by test."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def result(self) -> dict[str, Any]:
        """All that was measured, as JSON can hold it."""
        data = self.coverage.get_data()
        lines = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        return {"seconds": self.seconds, "failed": self.failed, "lines": lines}


class Selecting:
    """A pytest plugin: only these tests, in this order."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.rank = {name: index for index, name in enumerate(ids)}
        self.by = ""

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the chosen ones."""
        items[:] = sorted((item for item in items if item.nodeid in self.rank), key=lambda item: self.rank[item.nodeid])

    def pytest_runtest_logreport(self, report: Any) -> None:
        """The test that noticed."""
        if report.failed and not self.by:
            self.by = report.nodeid


class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other text."""

    def __init__(self, path: Path, source: str) -> None:
        self.name = ".".join(path.relative_to(SDK).with_suffix("").parts).removesuffix(".__init__")
        self.path, self.source = path, source

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        """Only for the one module."""
        if name != self.name:
            return None
        places = [str(self.path.parent)] if self.path.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(name, self.path, loader=self, submodule_search_locations=places)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As usual."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the other text."""
        exec(compile(self.source, str(self.path), "exec"), module.__dict__)


_ARGUMENTS = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--tb=no"]


def _warm() -> None:
    """Import what every child needs, but nothing that is mutated."""
    for name in ("numpy", "onnxruntime", "tree_sitter", "tree_sitter_cpp", "defusedxml.ElementTree", "hypothesis"):
        importlib.import_module(name)
    importlib.import_module("pytest")


def _child(work: Callable[[], dict[str, Any]]) -> tuple[int, Path]:
    """Fork; the child writes what `work` returns to a file. Returns (pid, file)."""
    out = Path(tempfile.mkstemp(suffix=".json")[1])
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid, out
    os.setsid()
    silent = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(silent, number)
    try:
        out.write_text(json.dumps(work()))
    finally:
        os._exit(0)


def _stop(pid: int) -> None:
    """End a child that does not, with all it started."""
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def measure() -> Map:
    """Run all tests once, without faults. Exits when one fails."""

    def work() -> dict[str, Any]:
        import pytest

        plugin = Measuring()
        plugin.coverage.start()
        pytest.main([*_ARGUMENTS[1:], *test_files()], plugins=[plugin])
        plugin.coverage.stop()
        return plugin.result()

    pid, out = _child(work)
    os.waitpid(pid, 0)
    found = json.loads(out.read_text())
    out.unlink()
    if found["failed"]:
        raise SystemExit(f"{found['failed'][0]} fails without a fault ({len(found['failed'])} do)")
    tests = {name: seconds for name, seconds in found["seconds"].items() if seconds < SLOWEST_TEST_S}
    lines = {
        path: {int(line): {name for name in names if name in tests} for line, names in by_line.items()}
        for path, by_line in found["lines"].items()
    }
    return Map(tests, lines)


def _tried(mutant: Mutant, ids: Sequence[str]) -> dict[str, Any]:
    import pytest

    sys.meta_path.insert(0, Replaced(mutant.path, mutant.source()))
    plugin = Selecting(ids)
    code = pytest.main([*_ARGUMENTS, *dict.fromkeys(str(ROOT / name.split("::")[0]) for name in ids)], plugins=[plugin])
    return {"code": int(code), "by": plugin.by or "import"}


@dataclass(slots=True)
class Running:
    """A child that tries a mutant."""

    mutant: Mutant
    pid: int
    out: Path
    deadline: float

    def poll(self) -> str | None:
        """What killed the mutant, "" when nothing did, None while it runs."""
        pid, _ = os.waitpid(self.pid, os.WNOHANG)
        if not pid and time.monotonic() < self.deadline:
            return None
        if not pid:
            _stop(self.pid)
        text = self.out.read_text()
        self.out.unlink()
        if not pid:
            return "time limit"
        if not text:
            return "crash"
        found = json.loads(text)
        return "" if found["code"] == 0 else str(found["by"])


def run(chosen: Sequence[Mutant], known: Map, jobs: int) -> Iterator[tuple[Mutant, str]]:
    """(mutant, what killed it or "") in the order of ending."""
    running: list[Running] = []
    waiting = list(chosen)
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop(0)
            ids = known.nearest(mutant)
            if not ids:
                yield mutant, ""
                continue
            pid, out = _child(lambda mutant=mutant, ids=ids: _tried(mutant, ids))  # type: ignore[misc]
            limit = LIMIT_S + 10 * sum(known.tests[name] for name in ids)
            running.append(Running(mutant, pid, out, time.monotonic() + limit))
        for item in list(running):
            by = item.poll()
            if by is not None:
                running.remove(item)
                yield item.mutant, by
        time.sleep(0.02)


# -- command line -------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """Print what survives; 1 when too much does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mutants", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--package", action="append", choices=PACKAGES, help="only this folder of qor/ (repeatable)")
    parser.add_argument("--match", default="", help="only modules whose path holds this text")
    parser.add_argument("--bar", type=float, default=85.0, help="percent that have to be killed")
    parser.add_argument("--verbose", action="store_true", help="also say what killed the others")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    _warm()
    everything = mutants(args.package or PACKAGES, args.match)
    same = equivalents()
    real = [mutant for mutant in everything if mutant.key() not in same]
    chosen = random.Random(args.seed).sample(real, min(args.mutants, len(real)))
    known = measure()
    print(f"{len(everything)} mutants, {len(everything) - len(real)} of them equivalent; {len(chosen)} tried with "
          f"{len(known.tests)} tests ({sum(known.tests.values()):.0f} s)", flush=True)  # fmt: skip
    killed = 0
    for mutant, by in run(chosen, known, args.jobs):
        killed += bool(by)
        if not by:
            reason = "" if known.nearest(mutant) else f" ({_MISSING})"
            print(f"survived{reason}: in `{mutant.statement}`: {mutant.change}\n{mutant.diff()}\n", flush=True)
        elif args.verbose:
            print(f"killed by {by}: {mutant.path.name}:{mutant.lines.start}: {mutant.change}", flush=True)
    share = 100 * killed / max(len(chosen), 1)
    print(f"{killed} of {len(chosen)} killed: {share:.1f} %")
    return 0 if share >= args.bar else 1


if __name__ == "__main__":
    raise SystemExit(main())
