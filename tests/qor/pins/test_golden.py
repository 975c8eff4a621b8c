"""No figure of the closed form changes unseen (`golden` says what these figures are and how they are rewritten)."""

from __future__ import annotations

import pytest

from .golden import Case, cases, figures, stored

CASES = cases()
STORED = stored()


def test_every_case_has_figures() -> None:
    """And none is left over of a case that is gone."""
    assert set(STORED) == {(case.subject, case.name) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[f"{case.subject}-{case.name}" for case in CASES])
def test_figures_stay(case: Case) -> None:
    """After a change that is meant: `python -m tests.qor.pins.golden`, and a look at the difference."""
    assert {name: figures(made) for name, made in case.estimates()} == STORED[case.subject, case.name]
