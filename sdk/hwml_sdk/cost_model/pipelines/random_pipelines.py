"""Random pipelines for sampling: a graph of image, linear algebra and table stages drawn from a seed.

Inputs are edge-clamped, so that any stage may read any other at any offset; one seed always gives one pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Op = Callable[["_Graph"], Any]


def random_pipeline(seed: int) -> Any:
    """The halide.Pipeline of a seed: 3 to 12 Funcs over 192 to 768 pixels a side, float and integer."""
    import halide as hl

    graph = _Graph(hl, np.random.default_rng(seed))
    for _ in range(int(graph.random.integers(1, 3))):
        graph.add_input()
    names = list(_OPERATIONS)
    weights = np.asarray([_OPERATIONS[name][1] for name in names])
    # A mix of its own for each pipeline: some are all stencils, others all linear algebra.
    mix = graph.random.dirichlet(weights)
    for _ in range(int(graph.random.integers(3, 13))):
        name = names[int(graph.random.choice(len(names), p=mix))]
        graph.funcs.append(_OPERATIONS[name][0](graph))
    return graph.finish()


class _Graph:
    """Funcs made so far; all are float, over (x, y)."""

    def __init__(self, hl: Any, random: np.random.Generator) -> None:
        self.hl, self.random = hl, random
        self.x, self.y, self.i = hl.Var("x"), hl.Var("y"), hl.Var("i")
        self.width, self.height = (int(size) * 32 for size in random.integers(6, 25, 2))
        self.funcs: list[Any] = []
        self.count = 0

    def add_input(self) -> None:
        hl = self.hl
        kind = [hl.Float(32), hl.UInt(8), hl.UInt(16)][int(self.random.integers(3))]
        image = hl.ImageParam(kind, 2, self.name("input"))
        image.set_estimates([(0, self.width), (0, self.height)])
        clamped = hl.BoundaryConditions.repeat_edge(image)
        made = self.func("clamped")
        made[self.x, self.y] = hl.cast(hl.Float(32), clamped[self.x, self.y])
        self.funcs.append(made)

    def name(self, what: str) -> str:
        self.count += 1
        return f"{what}_{self.count}"

    def func(self, what: str) -> Any:
        return self.hl.Func(self.name(what))

    def pick(self) -> Any:
        """A Func to read, mostly a late one."""
        back = min(int(self.random.geometric(0.5)), len(self.funcs))
        return self.funcs[-back]

    def number(self, low: float = 0.25, high: float = 2.0) -> Any:
        return self.hl.f32(float(np.float32(self.random.uniform(low, high))))

    def finish(self) -> Any:
        hl = self.hl
        output = self.func("output")
        total = self.funcs[-1][self.x, self.y]
        if len(self.funcs) > 1 and self.random.random() < 0.5:
            total = total + self.pick()[self.x, self.y] * self.number()
        if self.random.random() < 0.4:
            total = hl.cast(hl.UInt(8), hl.clamp(total, 0.0, 255.0))
        output[self.x, self.y] = total
        output.set_estimates([(0, self.width), (0, self.height)])
        return hl.Pipeline(output)


def _unary(g: _Graph) -> Any:
    hl, value, made = g.hl, g.pick()[g.x, g.y], g.func("unary")
    choices = [
        lambda: hl.sqrt(hl.abs(value)),
        lambda: value * g.number() + g.number(),
        lambda: hl.clamp(value, 0.0, g.number(1.0, 200.0)),
        lambda: hl.select(value > g.number(), value, value * value),
        lambda: hl.exp(hl.clamp(value, -4.0, 4.0)),
        lambda: hl.fast_inverse_sqrt(hl.abs(value) + g.number()),
        lambda: hl.log(hl.abs(value) + 1.0),
    ]
    made[g.x, g.y] = choices[int(g.random.integers(len(choices)))]()
    return made


def _binary(g: _Graph) -> Any:
    hl, made = g.hl, g.func("binary")
    a, b = g.pick()[g.x, g.y], g.pick()[g.x, g.y]
    choices = [a + b, a - b, a * b, hl.min(a, b), hl.max(a, b), a / (hl.abs(b) + 1.0), hl.select(a > b, a, b * 0.5)]
    made[g.x, g.y] = choices[int(g.random.integers(len(choices)))]
    return made


def _stencil(g: _Graph) -> Any:
    source, made = g.pick(), g.func("stencil")
    radius = int(g.random.integers(1, 4))
    along = int(g.random.integers(4))
    step = int(g.random.choice([1, 1, 1, 2]))
    taps = [
        (dx * step, dy * step)
        for dx in range(-radius, radius + 1)
        for dy in range(-radius, radius + 1)
        if (along >= 2 and max(abs(dx), abs(dy)) <= 1) or (along == 0 and dy == 0) or (along == 1 and dx == 0)
    ]
    total = source[g.x, g.y] * g.number()
    for dx, dy in taps:
        total = total + source[g.x + dx, g.y + dy] * g.number()
    made[g.x, g.y] = total
    return made


def _convolution(g: _Graph) -> Any:
    hl, source, made = g.hl, g.pick(), g.func("conv")
    width, height = (int(size) for size in g.random.integers(2, 8, 2))
    r = hl.RDom([(-(width // 2), width), (-(height // 2), height)], g.name("r"))
    made[g.x, g.y] = hl.f32(0.0)
    made[g.x, g.y] += source[g.x + r.x, g.y + r.y] * g.number()
    return made


def _extreme(g: _Graph) -> Any:
    hl, source, made = g.hl, g.pick(), g.func("extreme")
    size = int(g.random.integers(2, 6))
    r = hl.RDom([(0, size), (0, size)], g.name("r"))
    reduce = hl.maximum if g.random.random() < 0.5 else hl.minimum
    made[g.x, g.y] = reduce(source[g.x + r.x, g.y + r.y])
    return made


def _resample(g: _Graph) -> Any:
    source, small, made = g.pick(), g.func("down"), g.func("up")
    x, y = g.x, g.y
    corners = source[2 * x, 2 * y] + source[2 * x + 1, 2 * y] + source[2 * x, 2 * y + 1] + source[2 * x + 1, 2 * y + 1]
    small[x, y] = corners * 0.25
    between = small
    if g.random.random() < 0.6:
        between = g.func("mid")
        between[x, y] = (small[x - 1, y] + small[x, y] * 2.0 + small[x + 1, y]) * g.number()
    made[x, y] = between[x // 2, y // 2] * 0.75 + between[x // 2 + 1, y // 2 + 1] * 0.25
    return made


def _transpose(g: _Graph) -> Any:
    source, made = g.pick(), g.func("transposed")
    made[g.x, g.y] = source[g.y, g.x]
    return made


def _matmul(g: _Graph) -> Any:
    hl, a, b, made = g.hl, g.pick(), g.pick(), g.func("product")
    r = hl.RDom([(0, int(g.random.choice([16, 32, 48, 64])))], g.name("k"))
    made[g.x, g.y] = hl.f32(0.0)
    made[g.x, g.y] += a[r.x, g.y] * b[g.x, r.x]
    return made


def _row_reduce(g: _Graph) -> Any:
    hl, source, row, made = g.hl, g.pick(), g.func("row"), g.func("normalised")
    r = hl.RDom([(0, g.width)], g.name("r"))
    row[g.y] = hl.f32(0.0)
    row[g.y] += source[r.x, g.y]
    made[g.x, g.y] = source[g.x, g.y] - row[g.y] * float(np.float32(1 / g.width))
    return made


def _scan(g: _Graph) -> Any:
    hl, source, made = g.hl, g.pick(), g.func("scan")
    made[g.x, g.y] = source[g.x, g.y]
    if g.random.random() < 0.5:
        r = hl.RDom([(1, g.width - 1)], g.name("r"))
        made[r.x, g.y] += made[r.x - 1, g.y] * 0.5
    else:
        r = hl.RDom([(1, g.height - 1)], g.name("r"))
        made[g.x, r.x] += made[g.x, r.x - 1] * 0.5
    return made


def _table(g: _Graph) -> Any:
    hl, source, table, made = g.hl, g.pick(), g.func("table"), g.func("looked_up")
    size = int(g.random.choice([64, 256, 1024]))
    table[g.i] = hl.sqrt(hl.cast(hl.Float(32), g.i) * g.number())
    made[g.x, g.y] = table[hl.clamp(hl.cast(hl.Int(32), source[g.x, g.y]), 0, size - 1)]
    return made


def _histogram(g: _Graph) -> Any:
    hl, source, bins, made = g.hl, g.pick(), g.func("histogram"), g.func("equalised")
    r = hl.RDom([(0, g.width), (0, g.height)], g.name("r"))
    bins[g.i] = 0
    bins[hl.clamp(hl.cast(hl.Int(32), source[r.x, r.y]), 0, 255)] += 1
    made[g.x, g.y] = hl.cast(hl.Float(32), bins[hl.clamp(hl.cast(hl.Int(32), source[g.x, g.y]), 0, 255)])
    return made


def _integer(g: _Graph) -> Any:
    hl, source, narrow, made = g.hl, g.pick(), g.func("integer"), g.func("back")
    kind, top = [(hl.UInt(8), 255.0), (hl.UInt(16), 65535.0), (hl.Int(32), 1e6)][int(g.random.integers(3))]
    narrow[g.x, g.y] = hl.cast(kind, hl.clamp(source[g.x, g.y] * 16.0, 0.0, top))
    pair = hl.cast(hl.Int(32), narrow[g.x - 1, g.y]) + hl.cast(hl.Int(32), narrow[g.x + 1, g.y])
    made[g.x, g.y] = hl.cast(hl.Float(32), pair * 3 + hl.cast(hl.Int(32), narrow[g.x, g.y])) * 0.25
    return made


_OPERATIONS: dict[str, tuple[Op, float]] = {
    "unary": (_unary, 1.5),
    "binary": (_binary, 1.5),
    "stencil": (_stencil, 2.0),
    "convolution": (_convolution, 0.8),
    "extreme": (_extreme, 0.4),
    "resample": (_resample, 0.8),
    "transpose": (_transpose, 0.3),
    "matmul": (_matmul, 0.5),
    "row_reduce": (_row_reduce, 0.5),
    "scan": (_scan, 0.4),
    "table": (_table, 0.4),
    "histogram": (_histogram, 0.3),
    "integer": (_integer, 0.6),
}
