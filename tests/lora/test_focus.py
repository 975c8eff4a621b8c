"""What a generator is shown of prompts: directions that tell tasks apart, not those of wording."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hwml_sdk.errors import ConfigError
from hwml_sdk.tensors import Floats
from hwml_sdk.train.lora.focus import clear_directions, projection

WIDTH, CONCEPTS, GROUP = 24, 4, 4
DIRECTIONS = CONCEPTS - 1  # weights of the concepts sum to 1 in every task


def _prompts(names: list[tuple[int, ...]], seed: int = 0) -> dict[str, Floats]:
    """Concept i lies along axis i; wordings vary along the last twelve axes."""
    draw = np.random.default_rng(seed)
    found = {}
    for name in names:
        rows = 0.02 * draw.normal(size=(20, WIDTH))
        rows[:, 12:] += 0.3 * draw.normal(size=(20, 12))
        rows[:, list(name)] += 1 / len(name)
        found["-".join(map(str, name))] = rows.astype(np.float32)
    return found


TASKS = [*((i,) for i in range(CONCEPTS)), (0, 1), (1, 2), (2, 3)]


def test_wording_is_left_out_and_unions_never_seen_lie_between_their_concepts() -> None:
    shown = projection(_prompts(TASKS), GROUP, DIRECTIONS)
    assert shown.shape == (WIDTH, WIDTH)
    assert not shown[DIRECTIONS:].any()
    concept, wording = np.linalg.norm(shown[:, :CONCEPTS], axis=0), np.linalg.norm(shown[:, 12:], axis=0)
    assert wording.max() < 0.05 * concept.min()
    middle = np.eye(WIDTH)[:CONCEPTS].mean(0)
    single = {i: shown @ (np.eye(WIDTH)[i] - middle) for i in range(CONCEPTS)}
    for pair in itertools.combinations(range(CONCEPTS), 2):
        (seen,) = _prompts([pair], seed=7).values()
        near = [float(shown @ (seen.mean(0) - middle) @ single[i] / (single[i] @ single[i])) for i in range(CONCEPTS)]
        assert set(np.argsort(near)[-2:]) == set(pair)


def test_the_scale_of_what_is_shown_is_that_of_the_vectors() -> None:
    """Standardised vectors have a mean square of 1 a value; so has what is shown of the tasks, of all values."""
    prompts = _prompts(TASKS)
    means = np.stack([rows.mean(0) for rows in prompts.values()])
    shown = (means - means.mean(0)) @ projection(prompts, GROUP, DIRECTIONS).T
    assert (shown**2).mean() == pytest.approx(1.0, rel=1e-4)


def test_without_a_number_all_is_shown() -> None:
    assert (projection(_prompts(TASKS), GROUP, 0) == np.eye(WIDTH)).all()


def test_the_number_to_set_is_told() -> None:
    assert clear_directions(_prompts(TASKS), GROUP) == DIRECTIONS
    assert clear_directions(_prompts([(0,)]), GROUP) == 0


def test_more_directions_than_tasks_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"model\.prompt_components: 7 is over 6, .* 7 tasks"):
        projection(_prompts(TASKS), GROUP, 7)
    same = _prompts([(0,)])["0"]
    with pytest.raises(ConfigError, match=r"1 is over 0, .* 2 tasks"):
        projection({"a": same, "b": same}, GROUP, 1)
    assert clear_directions({"a": same, "b": same}, GROUP) == 0
