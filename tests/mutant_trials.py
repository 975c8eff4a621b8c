"""Trying mutants: which tests run which line, a forked child for each mutant, what killed it."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.mutants import PACKAGES, QOR, ROOT, Mutant

SDK = ROOT / "sdk"
# The quick tests below tests/qor: pins, and cases whose derivations stand beside them. What is not there is left out.
NEAR = (
    "pins/test_*.py", "test_initiation.py", "test_area_rules.py", "test_merlin.py", "test_parts.py", "test_project.py",
    "test_dataset.py", "test_table.py", "test_lint.py",
)  # fmt: skip
SLOWEST_TEST_S = 8.0  # a test that takes longer is not tried either
MEASURED = ROOT / ".mutation_map.json"
LIMIT_S = 60.0  # a mutant that takes this much longer than its tests runs for ever: killed


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


def _worked() -> float:
    """Seconds of work so far, children's too: what else the machine does plays no part."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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
        self.seconds[item.nodeid] = -_worked()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Seconds by test."""
        if report.when == "teardown":
            self.seconds[report.nodeid] += _worked()
        if report.failed:
            self.failed.append(report.nodeid)

    def result(self) -> dict[str, Any]:
        """All that was measured, as JSON can hold it; tests stand in `lines` as their place in `seconds`."""
        data = self.coverage.get_data()
        places = {name: place for place, name in enumerate(self.seconds)}
        lines = {
            path: {
                line: [places[name] for name in names if name in places]
                for line, names in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }
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


def warm() -> None:
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
    """Run the tests without faults, but those files that were measured before on the same code. Exits when one fails.

    What was measured stands in `MEASURED`, by a hash of all that a file's tests depend on.
    """
    shared = _digest([*QOR.rglob("*.py"), *_beside(ROOT / "tests" / "qor")])
    keys = {name: f"{shared}-{_digest([Path(name)])}" for name in test_files()}
    known: dict[str, Any] = json.loads(MEASURED.read_text()) if MEASURED.is_file() else {}
    found = {name: known[name] for name, key in keys.items() if known.get(name, {}).get("key") == key}
    stale = [name for name in keys if name not in found]
    for name, part in _measured(stale).items() if stale else ():
        found[name] = {"key": keys[name], **part}
    MEASURED.write_text(json.dumps(found))
    return _map(list(found.values()))


def _beside(folder: Path) -> Iterator[Path]:
    """Files that tests of a folder read: kits, kernels, figures."""
    return (path for path in folder.rglob("*") if path.suffix in (".py", ".cpp", ".json") and path.name[:5] != "test_")


def _digest(paths: Sequence[Path]) -> str:
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def _measured(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Test file -> seconds by test, and line -> tests by file, of one run."""

    def work() -> dict[str, Any]:
        import pytest

        plugin = Measuring()
        plugin.coverage.start()
        pytest.main([*_ARGUMENTS[1:], *names], plugins=[plugin])
        plugin.coverage.stop()
        return plugin.result()

    pid, out = _child(work)
    os.waitpid(pid, 0)
    found = json.loads(out.read_text())
    out.unlink()
    if found["failed"]:
        raise SystemExit(f"{found['failed'][0]} fails without a fault ({len(found['failed'])} do)")
    tests = list(found["seconds"])
    files = [_file(test) for test in tests]
    parts: dict[str, dict[str, Any]] = {name: {"seconds": {}, "lines": {}} for name in names}
    places = []  # of each test among those of its file
    for test, name in zip(tests, files, strict=True):
        places.append(len(parts[name]["seconds"]))
        parts[name]["seconds"][test] = found["seconds"][test]
    for path, by_line in found["lines"].items():
        for line, runs in by_line.items():
            for test in runs:
                parts[files[test]]["lines"].setdefault(path, {}).setdefault(line, []).append(places[test])
    return parts


def _file(test: str) -> str:
    return str(ROOT / test.split("::", maxsplit=1)[0])


def _map(parts: Sequence[dict[str, Any]]) -> Map:
    tests: dict[str, float] = {}
    lines: dict[str, dict[int, set[str]]] = {}
    for part in parts:
        names = list(part["seconds"])
        slow = {place for place, name in enumerate(names) if part["seconds"][name] >= SLOWEST_TEST_S}
        tests |= {name: part["seconds"][name] for place, name in enumerate(names) if place not in slow}
        for path, by_line in part["lines"].items():
            of_file = lines.setdefault(path, {})
            for line, places in by_line.items():
                of_file.setdefault(int(line), set()).update(names[place] for place in places if place not in slow)
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
