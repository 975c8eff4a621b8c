"""An agent without a language model: by the tools alone it takes slow loops to a round a cycle, within a budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from tests.agents.client import Client, in_memory
from tests.agents.test_tools import PORTS, apply

# Four reads a round of `a`, three of `t`, each a memory with two ports: two loops of II 2.
TWO = """\
void both(const int a[64], const int t[64], int b[16], int c[32]) {
#pragma HLS TOP
quads:
  for (int i = 0; i < 16; i++) {
#pragma HLS PIPELINE II=1
    b[i] = a[4 * i] + a[4 * i + 1] + a[4 * i + 2] + a[4 * i + 3];
  }
mirror:
  for (int i = 0; i < 32; i++) {
#pragma HLS PIPELINE II=1
    c[i] = t[2 * i] + t[2 * i + 1] + t[63 - i];
  }
}
"""
STEPS = 6


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with in_memory(tmp_path_factory.mktemp("loop")) as client:
        yield client


def slow(agent: Client, text: str) -> list[str]:
    """Loops whose II is above 1, those with the most cycles first."""
    loops = [loop for loop in agent.answer("predict_qor", text=text)["loops"] if loop["pipelined"] and loop["ii"] != 1]
    return [loop["name"] for loop in sorted(loops, key=lambda loop: -(loop["total_cycles"] or 0))]


def improve(agent: Client, text: str, budget: Mapping[str, float]) -> tuple[str, list[str]]:
    """(the text at the end, titles of the fixes that were taken)."""
    taken: list[str] = []
    for _ in range(STEPS):
        step = next((step for name in slow(agent, text) if (step := better(agent, text, name, budget))), None)
        if step is None:
            break
        text, title = step
        taken.append(title)
    return text, taken


def better(agent: Client, text: str, name: str, budget: Mapping[str, float]) -> tuple[str, str] | None:
    """The first fix of a loop that was tried, makes its II less and stays within the budget."""
    (loop,) = agent.answer("why_ii", text=text, loop=name)["loops"]
    for finding in loop["findings"]:
        for fix in finding["fixes"]:
            changed = apply(text, fix)
            told = agent.answer("compare", text=changed, before_text=text)
            after = {row["name"]: row["ii_after"] for row in told["loops"]}
            fits = all(told["after"][key] is not None and told["after"][key] <= most for key, most in budget.items())
            if fix["verified"] and fits and after.get(name, loop["ii"]) < loop["ii"]:
                return changed, fix["title"]
    return None


@pytest.mark.parametrize("text", [PORTS, pytest.param(TWO, marks=pytest.mark.slow)])
def test_every_loop_starts_a_round_a_cycle_at_the_end(text: str, agent: Client) -> None:
    budget = {"LUT": 2000, "bram_18k": 16}
    before = agent.answer("predict_qor", text=text)
    assert max(loop["ii"] for loop in before["loops"]) >= 2
    done, taken = improve(agent, text, budget)
    after = agent.answer("predict_qor", text=done)
    assert [loop["ii"] for loop in after["loops"]] == [1] * len(after["loops"])
    assert after["latency_cycles"] < before["latency_cycles"]
    assert all(after[key] <= most for key, most in budget.items())
    assert taken
    assert all("II" in title for title in taken)
    assert not slow(agent, done)


def test_a_budget_that_nothing_fits_is_kept(agent: Client) -> None:
    """Negative control: without room the loop stays as it is."""
    done, taken = improve(agent, PORTS, {"LUT": 1})
    assert (done, taken) == (PORTS, [])
