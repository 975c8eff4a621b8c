"""One compiler that has seen much says the same as compilers that have seen nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.chisel.compile.checker import Checker, CompileOutcome
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import CheckRequest

from .conftest import SHARED
from .repair_cases import DATA, family_cases, mistakes, snippets

pytestmark = pytest.mark.timeout(1200)  # many checks; a loaded machine takes its time


def _texts(count: int) -> list[str]:
    """Good and bad files in a fixed, mixed order; many define the same names."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((DATA / "styles").glob("*.scala"))]
    cases = [*mistakes(), *snippets()]
    if (SHARED / "errors.jsonl").exists():
        even, odd = family_cases(SHARED / "errors.jsonl")
        cases += even + odd
    texts += [text for case in cases for text in (case.bad, case.good)]
    short = sorted(dict.fromkeys(texts), key=len)[:count]
    return [short[index * 7919 % len(short)] for index in range(count)]  # 7919 is prime: a fixed shuffle


def _said(outcome: CompileOutcome) -> object:
    modules = [(module.name, module.point, module.parameters) for module in outcome.modules]
    return outcome.crash, outcome.findings, modules, outcome.black_boxes


def _differences(programs: Programs, count: int) -> list[str]:
    warm, fresh = Checker(programs), Checker(programs)
    different = []
    try:
        for text in _texts(count):
            files = [("Demo.scala", text)]
            one = warm.compile(files, want_classes=False, timeout_s=60)
            other = fresh.compile(files, want_classes=False, timeout_s=60, bare=True)  # a new compiler each time
            if _said(one) != _said(other):
                different.append(f"{text}\n{_said(one)}\n{_said(other)}")
    finally:
        warm.kill()
        fresh.kill()
    return different


@pytest.mark.slow
def test_sixty_checks_in_one_compiler(programs: Programs) -> None:
    assert _differences(programs, 60) == []


@pytest.mark.slow
def test_three_hundred_checks_in_one_compiler(programs: Programs) -> None:
    assert len(set(_texts(300))) > 250
    assert _differences(programs, 300) == []


def test_whole_checks_equal_those_of_new_processes(programs: Programs, session: Session, tmp_path: Path) -> None:
    """With elaboration and firtool: a long session against a session of its own for each text."""
    for text in _texts(4):
        request = CheckRequest((("Demo.scala", text),), elaborate=True, outputs=True, timeout_s=60)
        own = Session(programs)
        try:
            mine, theirs = session.check(request), own.check(request)
        finally:
            own.kill()
        assert (mine.diagnostics, mine.modules, mine.verilog) == (theirs.diagnostics, theirs.modules, theirs.verilog)
