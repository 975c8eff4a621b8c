"""What of a prompt tells its task from others, and what is wording: the generator is shown the first alone.

Sentence embeddings of "X" and "X or Y" differ in few directions among hundreds; a generator that sees all of them
learns the pairs of its tasks by heart. Linear discriminants of the training prompts need no names of concepts: the
directions in which means of tasks differ most, in units of how much groups of one task's prompts do.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigError
from ...tensors import Floats

_RIDGE = 0.1  # of the mean variance of wordings: there are fewer prompts than directions
_ROUNDING = 1e-6  # a spread that is rounding
CLEAR = 3.0  # times that tasks must differ more than wordings for a direction to be told


def discriminants(prompts: Mapping[str, Floats], group: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions [n, P], and how far the tasks spread along each; a group of one task's prompts spreads 1.

    prompts: task -> standardised embeddings [n, P]; group: how many of them are averaged.
    """
    means = np.stack([rows.mean(0) for rows in prompts.values()]).astype(np.float64)
    wording = np.concatenate([rows - rows.mean(0) for rows in prompts.values()]).astype(np.float64)
    within = wording.T @ wording / len(wording) / group
    within += (_RIDGE * np.trace(within) / len(within) or 1.0) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    _, spread, directions = np.linalg.svd((means - means.mean(0)) @ whiten.T, full_matrices=False)
    count = len(means) - 1  # deviations from their mean
    return (directions @ whiten)[:count], (spread / np.sqrt(len(means)))[:count]


def projection(prompts: Mapping[str, Floats], group: int, components: int) -> Floats:
    """[P, P]: what the network is shown of a standardised vector; all of it where `components` is 0.

    So many first rows are discriminants, scaled so that the tasks' vectors keep their mean square; others are 0.
    Raises ConfigError where the tasks differ in fewer directions.
    """
    width = next(iter(prompts.values())).shape[1]
    if not components:
        return np.eye(width, dtype=np.float32)
    directions, spread = discriminants(prompts, group)
    most = int((spread > _ROUNDING).sum())
    if components > most:
        raise ConfigError(
            f"model.prompt_components: {components} is over {most}, the directions in which prompts of {len(prompts)} "
            "tasks differ"
        )
    shown = np.zeros((width, width), dtype=np.float32)
    shown[:components] = directions[:components] / spread[:components, None] * np.sqrt(width / components)
    return shown


def clear_directions(prompts: Mapping[str, Floats], group: int) -> int:
    """In how many directions tasks differ `CLEAR` times more than wordings: what to set model.prompt_components to."""
    return int((discriminants(prompts, group)[1] > CLEAR).sum()) if len(prompts) > 1 else 0
