"""No figure of the closed form changes unseen (`golden` says what these figures are and how they are rewritten)."""

from __future__ import annotations

import pytest

from .golden import COMBINED, Case, cases, figures, stored

CASES = cases()
STORED = stored()


def test_every_case_has_figures() -> None:
    """And none is left over of a case that is gone."""
    assert set(STORED) == {(case.subject, case.name) for case in CASES}


def group(case: Case) -> str:
    """Combinations that differ in the type of element only are one test."""
    name = case.name.rpartition("_")[0] if case.subject == COMBINED else case.name
    return f"{case.subject}-{name}"


@pytest.mark.parametrize("name", dict.fromkeys(map(group, CASES)))
def test_figures_stay(name: str) -> None:
    """After a change that is meant: `python -m tests.qor.pins.golden`, and a look at the difference."""
    for case in (case for case in CASES if group(case) == name):
        assert {setting: figures(made) for setting, made in case.estimates()} == STORED[case.subject, case.name]
