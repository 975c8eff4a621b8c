"""Small pipelines for the sampling tests: two that work, and some that misbehave."""

import os
import time
from typing import Any

import halide as hl


def _image(n: int) -> Any:
    image = hl.ImageParam(hl.Float(32), 2, "image")
    image.set_estimates([(0, n), (0, n)])
    return hl.BoundaryConditions.repeat_edge(image)


def pipeline() -> Any:
    """Blur, then a weighted difference."""
    x, y = hl.vars("x y")
    source, rows, smooth, out = _image(256), hl.Func("rows"), hl.Func("smooth"), hl.Func("out")
    rows[x, y] = source[x - 1, y] + 2.0 * source[x, y] + source[x + 1, y]
    smooth[x, y] = rows[x, y - 1] + 2.0 * rows[x, y] + rows[x, y + 1]
    out[x, y] = 2.0 * source[x, y] - smooth[x, y] / 16.0
    out.set_estimates([(0, 256), (0, 256)])
    return out


def product() -> Any:
    """A matrix product, as tuple and list: two outputs of two values."""
    x, y = hl.vars("x y")
    a = hl.ImageParam(hl.Float(32), 2, "a")
    scale = hl.Param(hl.Float(32), "scale", 1.0)
    a.set_estimates([(0, 64), (0, 64)])
    scale.set_estimate(2.0)
    total, first, second = hl.Func("total"), hl.Func("first"), hl.Func("second")
    k = hl.RDom([(0, 64)])
    total[x, y] = hl.f32(0.0)
    total[x, y] += a[k.x, y] * a[x, k.x]
    first[x, y] = hl.Tuple((total[x, y] * scale, total[x, y] + 1.0))
    second[x, y] = total[x, y] - scale
    for func in (first, second):
        func.set_estimates([(0, 64), (0, 64)])
    return [first, second]


def without_estimates() -> Any:
    """What users forget first."""
    x, y = hl.vars("x y")
    out = hl.Func("out")
    out[x, y] = x + y
    return out


def raises() -> Any:
    """A mistake in the user's code."""
    raise ValueError("no such kernel")


def no_pipeline() -> Any:
    """Returns something else."""
    return 42


def crashes() -> Any:
    """Ends the process."""
    os.abort()


def hangs() -> Any:
    """Never returns."""
    time.sleep(600)


def eats_memory() -> Any:
    """Asks for more than the limit."""
    return bytearray(1 << 40)


def works_for_ever() -> Any:
    """Never returns, and works all the while."""
    while True:
        pass
