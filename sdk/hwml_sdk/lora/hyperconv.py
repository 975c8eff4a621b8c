"""The generators' networks in torch: HyperConv (DnD, arXiv 2506.16406) and the low-rank linear baseline.

Both take the conditioning of a group of prompts, float32 [B, P] (standardised mean of sentence embeddings), and give
tokens [B, T, width] in standard deviations from the mean training adapter: an untrained network gives that mean.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from .graph import plane

KINDS = ("hyperconv", "linear")
FIRST = {"hyperconv": "input.weight", "linear": "down"}  # the weights that prompts meet first, [..., P]
SEQUENCES = 2  # learned sequences of the expander for each unit of rank


class HyperConvLayer(nn.Module):
    """x [B, S, H, W] -> the same shape, each axis in turn the channels of a 2-D convolution.

    z = LayerNorm over (H, W); p1 = ConvH1(ConvW1(z)); p2 = tanh(ConvW2(ConvH2(z))); u = (p1 + p2 + bias) / 3;
    x + ConvL(u). About k^2 (2 W^2 + 2 H^2 + S^2) parameters.
    """

    def __init__(self, tokens: int, height: int, width: int, kernel: int) -> None:
        super().__init__()

        def conv(channels: int, *, bias: bool = False) -> nn.Conv2d:
            return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=bias)

        self.norm = nn.LayerNorm((height, width))
        self.w1, self.w2 = conv(width), conv(width)
        self.h1, self.h2 = conv(height), conv(height)
        self.length = conv(tokens, bias=True)
        self.bias = nn.Parameter(torch.zeros(height, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the class says."""
        z = self.norm(x)
        first = _over(self.h1, 2, _over(self.w1, 3, z))
        second = torch.tanh(_over(self.w2, 3, _over(self.h2, 2, z)))
        y: torch.Tensor = x + self.length((first + second + self.bias) / 3)
        return y


def _over(conv: nn.Conv2d, axis: int, x: torch.Tensor) -> torch.Tensor:
    """Convolve with `axis` (2 or 3) of [B, S, H, W] as channels."""
    turned: torch.Tensor = conv(x.transpose(1, axis)).transpose(1, axis)
    return turned


class HyperConvGenerator(nn.Module):
    """Prompts -> projection -> sequence expander -> HyperConv layers -> projection -> tokens.

    The expander mixes 2 `rank` learned sequences [T, hidden] by the projected prompt: a full linear map would have
    hidden x T x hidden parameters (75 million at the default sizes). It is linear, as what unions of concepts need of
    their adapters nearly is; the layers add what is not.
    """

    def __init__(
        self, prompt_width: int, tokens: int, width: int, *, hidden: int, blocks: int, kernel: int, rank: int
    ) -> None:
        super().__init__()
        self.input = nn.Linear(prompt_width, hidden)
        self.mix = nn.Linear(hidden, SEQUENCES * rank)
        self.expand = nn.Parameter(torch.randn(SEQUENCES * rank, tokens, hidden) / math.sqrt(SEQUENCES * rank))
        self.place = nn.Parameter(torch.zeros(tokens, hidden))
        self.plane = plane(hidden)
        self.blocks = nn.ModuleList(HyperConvLayer(tokens, *self.plane, kernel) for _ in range(blocks))
        self.output = nn.Linear(hidden, width)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, prompts: torch.Tensor) -> torch.Tensor:
        """[B, P] -> [B, T, width]."""
        mixed = self.mix(self.input(prompts))
        x = torch.einsum("br,rth->bth", mixed, self.expand) + self.place
        shape = x.shape
        x = x.reshape(*shape[:2], *self.plane)
        for block in self.blocks:
            x = block(x)
        y: torch.Tensor = self.output(x.reshape(shape))
        return y


class LinearGenerator(nn.Module):
    """One linear map of low rank for each token: the baseline that was measured to be strong."""

    def __init__(self, prompt_width: int, tokens: int, width: int, *, rank: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(tokens, rank, prompt_width) / math.sqrt(prompt_width))
        self.up = nn.Parameter(torch.zeros(tokens, width, rank))
        self.bias = nn.Parameter(torch.zeros(tokens, width))

    def forward(self, prompts: torch.Tensor) -> torch.Tensor:
        """[B, P] -> [B, T, width]."""
        inner = torch.einsum("trp,bp->btr", self.down, prompts)
        y: torch.Tensor = torch.einsum("twr,btr->btw", self.up, inner) + self.bias
        return y


def build_network(kind: str, shape: dict[str, Any]) -> nn.Module:
    """A network of one of `KINDS`; shape: prompt_width, tokens, width, hidden, blocks, kernel, rank."""
    sizes = (int(shape["prompt_width"]), int(shape["tokens"]), int(shape["width"]))
    if kind == "linear":
        return LinearGenerator(*sizes, rank=int(shape["rank"]))
    return HyperConvGenerator(
        *sizes, hidden=int(shape["hidden"]), blocks=int(shape["blocks"]), kernel=int(shape["kernel"]),
        rank=int(shape["rank"]),
    )  # fmt: skip
