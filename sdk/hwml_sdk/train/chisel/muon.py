"""Muon (K. Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): steps of equal size in all
directions of a matrix. A small model learns to copy names from requests in far fewer tokens with it than with AdamW.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

_A, _B, _C = 3.4445, -4.7750, 2.0315  # the polynomial of that text: five rounds bring singular values near 1
_ROUNDS = 5


class Muon(torch.optim.Optimizer):  # type: ignore[misc]
    """For matrices [M, N] of hidden layers; embeddings, heads and norms want another optimizer.

    rounds_in: numbers in which directions are found; those of 16 bits are exact enough, says that text.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        lr: float,
        momentum: float = 0.95,
        rounds_in: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(list(parameters), {"lr": lr, "momentum": momentum})
        self._rounds_in = rounds_in

    def step(self, closure: None = None) -> None:
        """One step along the gradients that are there."""
        with torch.no_grad():
            for group in self.param_groups:
                for matrix in group["params"]:
                    if matrix.grad is not None:
                        self._move(matrix, group["lr"], group["momentum"])

    def _move(self, matrix: torch.Tensor, rate: float, momentum: float) -> None:
        moving = self.state[matrix].setdefault("momentum", torch.zeros_like(matrix))
        moving.lerp_(matrix.grad, 1 - momentum)
        ahead = torch.lerp(matrix.grad, moving, momentum)
        rows, columns = matrix.shape
        matrix.add_(orthogonal(ahead.to(self._rounds_in)), alpha=-rate * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest matrix with all singular values about 1 (Newton-Schulz)."""
    turned = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if turned else matrix
    found = found / (found.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = found @ found.T
        found = _A * found + (_B * square + _C * square @ square) @ found
    return found.T if turned else found
