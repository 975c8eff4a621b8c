"""When the analysis process looks for objects that nothing leads to."""

from __future__ import annotations

import pytest

from hwml_lsp.litter import Litter

YOUNG, ALL = 1, 2


class Day:
    """A clock that is set by hand, and what was collected."""

    def __init__(self) -> None:
        self.now = 0.0
        self.collected: list[int] = []
        self.litter = Litter(clock=lambda: self.now, collect=self.collected.append)

    def type(self, keys: int, pause_s: float) -> None:
        """An analysis a key; between them the process waits as it does, and comes back when it is told to."""
        for _ in range(keys):
            self.litter.worked()
            end = self.now + pause_s
            while (wait_s := self.litter.idle()) is not None and self.now + wait_s <= end:
                self.now += wait_s
            self.now = end


def test_nothing_is_swept_at_a_key_after_a_pause_however_long() -> None:
    day = Day()
    day.type(1, 3600.0)
    assert day.collected == [YOUNG, ALL]
    day.collected.clear()
    day.litter.worked()  # the next key finds everything swept
    assert day.collected == []


@pytest.mark.parametrize("pause_s", [0.1, 0.3, 0.9])
def test_a_person_who_types_is_swept_under_when_they_pause(pause_s: float) -> None:
    day = Day()
    day.type(8, pause_s)
    assert day.collected == [YOUNG] * 8
    day.type(1, 2.0)
    assert day.collected[-1] == ALL
    assert day.collected.count(ALL) == 1


def test_who_never_pauses_is_swept_under_all_the_same() -> None:
    day = Day()
    day.type(3000, 0.01)  # half a minute
    assert 2 <= day.collected.count(ALL) <= 3
    assert 20 <= day.collected.count(YOUNG) <= 60


def test_without_work_it_is_not_woken() -> None:
    day = Day()
    assert day.litter.idle() is None
    day.type(1, 5.0)
    assert day.litter.idle() is None
