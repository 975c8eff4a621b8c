"""The simulation: its faults are refused, its answers are as often right as it is told to be."""

from __future__ import annotations

import random

import pytest

from hwml_sdk.chisel.data_engine.verify import Failed, Verifier
from hwml_sdk.chisel.evaluate.tasks import own_tasks
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.simulation.faults import corrupted, draw, fitting
from hwml_sdk.chisel.simulation.server import Proposer, Skill, closed_form, pass_rate

TASKS = {task.id: task for task in own_tasks()}


def right(answer: str, task: str) -> bool:
    return answer == f"```scala\n{TASKS[task].reference.strip()}\n```\n"


def test_rates_by_hand() -> None:
    # One to three faults, each taken out in two rounds with 1 - .5^2 = .75: (.75 + .5625 + .421875) / 3 = .578125.
    task = TASKS["mux4"]
    assert len(fitting(task.reference)) >= 3
    assert pass_rate(task, Skill(rate=0.8), 2) == pytest.approx(0.2 + 0.8 * 0.578125)
    assert pass_rate(task, Skill(rate=0.8), 0) == pytest.approx(0.2)
    assert closed_form([task], Skill(rate=0.8), 0, 2) == pytest.approx(1 - 0.8**2)


def test_answers_come_at_the_rate() -> None:
    """400 answers, each asked to be corrected up to twice: within three standard deviations of what is computed."""
    task, skill = TASKS["mux4"], Skill(rate=0.8)
    proposer = Proposer(list(TASKS.values()), skill)
    asked = {"role": "user", "content": task.prompt}
    counts = [0, 0, 0]
    for _ in range(400):
        said = proposer.answer([asked])
        for rounds in range(3):
            counts[rounds] += right(said, "mux4")
            if not right(said, "mux4"):
                said = proposer.answer(
                    [asked, {"role": "assistant", "content": said}, {"role": "user", "content": "?"}]
                )
    for rounds, count in enumerate(counts):
        p = pass_rate(task, skill, rounds)
        assert abs(count / 400 - p) < 3 * (p * (1 - p) / 400) ** 0.5


@pytest.mark.slow
def test_what_is_drawn_is_refused(session: Session) -> None:
    """Or a sample would count as wrong that nobody is told about, or as wrong though nothing is."""
    texts = {}
    for task in TASKS.values():
        for family in fitting(task.reference):
            texts[f"{task.id} {family}"] = corrupted(task.reference, [family], "0")
        for number in range(4):
            rng = random.Random(f"{task.id} {number}")
            families = draw(task.reference, rng.randint(2, 3), rng, str(number))
            assert len(families) >= 2
            texts[f"{task.id} {families}"] = corrupted(task.reference, families, str(number))
    found = Verifier(session).run(texts)
    assert [name for name, result in found.items() if not isinstance(result, Failed)] == []
