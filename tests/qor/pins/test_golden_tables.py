"""No operator, part or feature changes unseen: the tables beside the kernels of `golden`, rewritten with them."""

from __future__ import annotations

import pytest

from .golden.tables import TABLES, stored_table


@pytest.mark.parametrize("name", TABLES)
def test_tables_stay(name: str) -> None:
    """After a change that is meant: `python -m tests.qor.pins.golden`, and a look at the difference."""
    assert TABLES[name]() == stored_table(name)
