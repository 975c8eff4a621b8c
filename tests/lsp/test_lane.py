"""Which of a language's two workers a document goes to; the workers here note what they are given."""

from __future__ import annotations

from typing import Any

import pytest

from hwml_lsp import lane
from hwml_sdk.languages import languages


class Noting:
    """A worker that never answers by itself."""

    def __init__(self, _language: Any, *, beside: bool) -> None:
        self.beside, self.ready, self.given_up = beside, True, False
        self.given: list[tuple[int, dict[str, Any]]] = []
        self.on_answer: Any = None
        made.append(self)

    def analyze(self, number: int, job: dict[str, Any]) -> None:
        self.given.append((number, job))

    def start(self) -> None: ...

    def close(self) -> None: ...


made: list[Noting] = []


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> lane.Lane:
    made.clear()
    monkeypatch.setattr(lane, "Backend", Noting)
    return lane.Lane(languages()[0])


def done(number: int, took_s: float) -> dict[str, Any]:
    return {"id": number, "done": True, "took_s": took_s}


def test_a_document_that_was_quick_is_waited_for_a_little_longer_than_it_took(one: lane.Lane) -> None:
    first = made[0]
    for number, took_s in enumerate((0.26, 0.01, 5.0, 0.3), start=1):
        one.analyze(number, {"uri": "a"})
        first.on_answer(done(number, took_s))
    one.analyze(5, {"uri": "a"})
    granted = [job["turn_s"] for _, job in first.given]
    assert granted[0] == lane.TURN_S  # nothing is known of it yet
    assert 0.26 < granted[1] < 0.52
    assert 0.01 < granted[2] < 0.26
    assert granted[3] == lane.TURN_S  # after 5 s it is not waited for
    assert 0.3 < granted[4] < 0.6


def test_what_takes_long_goes_to_the_second_worker_until_it_is_quick_again(one: lane.Lane) -> None:
    first = made[0]
    one.analyze(1, {"uri": "big"})
    first.on_answer({"id": 1, "long": True})
    second = made[1]
    assert second.beside
    second.on_answer(done(1, 3.0))
    one.analyze(2, {"uri": "big"})
    one.analyze(3, {"uri": "small"})
    assert [number for number, _ in second.given] == [1, 2]
    second.on_answer(done(2, 0.2))
    one.analyze(4, {"uri": "big"})
    assert [number for number, _ in first.given] == [1, 3, 4]
