"""Pipelines of the training part: image processing, stencils, tables and histograms."""

from __future__ import annotations

from typing import Any

from .kit import as_float, as_int, byte_image, clamped, float_image, hl_module, image_param, with_estimates


def blur(n: int, radius: int, *, integer: bool = False) -> Any:
    """Separable box blur."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, rows, out = byte_image(n) if integer else float_image(n), hl.Func("rows"), hl.Func("out")

    def read(a: Any, b: Any) -> Any:
        return hl.cast(hl.UInt(16), source[a, b]) if integer else source[a, b]

    rows[x, y] = sum((read(x + d, y) for d in range(1, radius + 1)), read(x, y) + read(x - 1, y))
    total = sum((rows[x, y + d] for d in range(1, radius + 1)), rows[x, y] + rows[x, y - 1])
    out[x, y] = hl.cast(hl.UInt(8), total // (radius + 2) ** 2) if integer else total * 0.1
    return with_estimates(out, n, n)


def gaussian(n: int, taps: tuple[float, ...]) -> Any:
    """Separable symmetric filter, vertical pass first."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, columns, out = float_image(n), hl.Func("columns"), hl.Func("out")
    columns[x, y] = sum((t * (source[x, y + d + 1] + source[x, y - d - 1]) for d, t in enumerate(taps)), source[x, y])
    out[x, y] = sum((t * (columns[x + d + 1, y] + columns[x - d - 1, y]) for d, t in enumerate(taps)), columns[x, y])
    return with_estimates(out, n, n)


def sobel(n: int, *, integer: bool) -> Any:
    """Gradient magnitude."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, gx, gy, out = byte_image(n) if integer else float_image(n), hl.Func("gx"), hl.Func("gy"), hl.Func("out")

    def s(a: Any, b: Any) -> Any:
        return as_int(source[a, b]) if integer else source[a, b]

    gx[x, y] = s(x + 1, y - 1) - s(x - 1, y - 1) + 2 * (s(x + 1, y) - s(x - 1, y)) + s(x + 1, y + 1) - s(x - 1, y + 1)
    gy[x, y] = s(x - 1, y + 1) - s(x - 1, y - 1) + 2 * (s(x, y + 1) - s(x, y - 1)) + s(x + 1, y + 1) - s(x + 1, y - 1)
    if integer:
        out[x, y] = hl.cast(hl.UInt(8), hl.min(255, hl.abs(gx[x, y]) + hl.abs(gy[x, y])))
    else:
        out[x, y] = hl.sqrt(gx[x, y] * gx[x, y] + gy[x, y] * gy[x, y])
    return with_estimates(out, n, n)


def histogram(n: int) -> Any:
    """256 bins, then their cumulative sum."""
    hl = hl_module()
    i = hl.Var("i")
    source = image_param(hl.UInt(8), n, n)
    r, s = hl.RDom([(0, n), (0, n)]), hl.RDom([(1, 255)])
    bins, out = hl.Func("bins"), hl.Func("out")
    bins[i] = 0
    bins[as_int(source[r.x, r.y])] += 1
    out[i] = bins[i]
    out[s.x] += out[s.x - 1]
    return with_estimates(out, 256)


def table(n: int) -> Any:
    """Tone curve through a table."""
    hl = hl_module()
    x, y, i = hl.vars("x y i")
    source, curve, out = image_param(hl.UInt(8), n, n), hl.Func("curve"), hl.Func("out")
    curve[i] = hl.cast(hl.UInt(8), hl.clamp(hl.pow(as_float(i) / 255.0, 0.45) * 255.0, 0.0, 255.0))
    out[x, y] = curve[as_int(source[x, y])]
    return with_estimates(out, n, n)


def morphology(n: int, radius: int) -> Any:
    """Opening: separable minimum, then separable maximum."""
    hl = hl_module()
    x, y = hl.vars("x y")
    f = byte_image(n)
    for name, pick in (("min", hl.min), ("max", hl.max)):
        for axis in range(2):
            made = hl.Func(f"{name}_{axis}")
            value = f[x, y]
            for d in range(-radius, radius + 1):
                value = pick(value, f[x + d, y] if axis == 0 else f[x, y + d])
            made[x, y] = value
            f = made
    return with_estimates(f, n, n)


def median(n: int) -> Any:
    """Median of 3 along rows, then columns."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, rows, out = byte_image(n), hl.Func("rows"), hl.Func("out")

    def middle(a: Any, b: Any, c: Any) -> Any:
        return hl.max(hl.min(hl.max(a, b), c), hl.min(a, b))

    rows[x, y] = middle(source[x - 1, y], source[x, y], source[x + 1, y])
    out[x, y] = middle(rows[x, y - 1], rows[x, y], rows[x, y + 1])
    return with_estimates(out, n, n)


def chain(n: int, length: int) -> Any:
    """Stencils one after the other, alternating direction."""
    hl = hl_module()
    x, y = hl.vars("x y")
    f = float_image(n)
    for k in range(length):
        made = hl.Func(f"step_{k}")
        dx, dy = (1, 0) if k % 2 else (0, 1)
        made[x, y] = (f[x - dx, y - dy] + f[x, y] * 2.0 + f[x + dx, y + dy]) * 0.25
        f = made
    return with_estimates(f, n, n)


def heat(n: int, steps: int) -> Any:
    """Explicit heat equation, 5-point stencil."""
    hl = hl_module()
    x, y = hl.vars("x y")
    f = float_image(n)
    for k in range(steps):
        made = hl.Func(f"time_{k}")
        made[x, y] = f[x, y] + 0.2 * (f[x - 1, y] + f[x + 1, y] + f[x, y - 1] + f[x, y + 1] - 4.0 * f[x, y])
        f = made
    return with_estimates(f, n, n)


def color(n: int) -> Any:
    """RGB to luma and two differences, planar bytes."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    source, luma, out = image_param(hl.UInt(8), n, n, 3), hl.Func("luma"), hl.Func("out")
    r, g, b = (as_float(source[x, y, k]) for k in range(3))
    luma[x, y] = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = 0.564 * (b - luma[x, y]) + 128.0, 0.713 * (r - luma[x, y]) + 128.0
    out[x, y, c] = hl.cast(hl.UInt(8), hl.clamp(hl.mux(c, [luma[x, y], blue, red]), 0.0, 255.0))
    return with_estimates(out, n, n, 3)


def matrix_color(n: int) -> Any:
    """3 x 3 colour matrix as a reduction, then a gamma by table-free maths."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    source, matrix = image_param(hl.Float(32), n, n, 3), image_param(hl.Float(32), 3, 3, name="matrix")
    mixed, out = hl.Func("mixed"), hl.Func("out")
    r = hl.RDom([(0, 3)])
    mixed[x, y, c] = hl.f32(0.0)
    mixed[x, y, c] += matrix[r.x, c] * source[x, y, r.x]
    out[x, y, c] = hl.sqrt(hl.max(mixed[x, y, c], 0.0))
    return with_estimates(out, n, n, 3)


def integral(n: int) -> Any:
    """Summed-area table and a box mean from it."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source = image_param(hl.Float(32), n, n)
    rows, area, out = hl.Func("rows"), hl.Func("area"), hl.Func("out")
    r = hl.RDom([(1, n - 1)])
    rows[x, y] = source[x, y]
    rows[r.x, y] += rows[r.x - 1, y]
    area[x, y] = rows[x, y]
    area[x, r.x] += area[x, r.x - 1]
    out[x, y] = (area[x + 8, y + 8] - area[x, y + 8] - area[x + 8, y] + area[x, y]) * (1 / 64)
    return with_estimates(out, n - 8, n - 8)


def resize(n: int) -> Any:
    """Bilinear magnification by 1.5, computed coordinates."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, out = float_image(n), hl.Func("out")
    fx, fy = as_float(x) * (2 / 3), as_float(y) * (2 / 3)
    ix, iy = as_int(hl.floor(fx)), as_int(hl.floor(fy))
    wx, wy = fx - as_float(ix), fy - as_float(iy)
    top = hl.lerp(source[ix, iy], source[ix + 1, iy], wx)
    bottom = hl.lerp(source[ix, iy + 1], source[ix + 1, iy + 1], wx)
    out[x, y] = hl.lerp(top, bottom, wy)
    return with_estimates(out, n * 3 // 2, n * 3 // 2)


def recursive(n: int) -> Any:
    """First-order recursive filter along columns, both ways."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, down, out = image_param(hl.Float(32), n, n), hl.Func("down"), hl.Func("out")
    r = hl.RDom([(1, n - 1)])
    down[x, y] = source[x, y]
    down[x, r.x] = 0.7 * down[x, r.x - 1] + 0.3 * down[x, r.x]
    out[x, y] = down[x, y]
    out[x, n - 1 - r.x] = 0.7 * out[x, n - r.x] + 0.3 * out[x, n - 1 - r.x]
    return with_estimates(out, n, n)


def demosaic(n: int) -> Any:
    """Bayer pattern to RGB by averaging neighbours."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    raw = clamped(hl.UInt(16), n, n)
    cross, diagonal, out = hl.Func("cross"), hl.Func("diagonal"), hl.Func("out")

    def wide(a: Any, b: Any) -> Any:
        return hl.cast(hl.UInt(32), raw[a, b])

    cross[x, y] = hl.cast(hl.UInt(16), (wide(x - 1, y) + wide(x + 1, y) + wide(x, y - 1) + wide(x, y + 1)) // 4)
    diagonal[x, y] = hl.cast(
        hl.UInt(16), (wide(x - 1, y - 1) + wide(x + 1, y - 1) + wide(x - 1, y + 1) + wide(x + 1, y + 1)) // 4
    )
    green = hl.select((x + y) % 2 == 0, raw[x, y], cross[x, y])
    red = hl.select((x % 2 == 0) & (y % 2 == 0), raw[x, y], diagonal[x, y])
    blue = hl.select((x % 2 == 1) & (y % 2 == 1), raw[x, y], diagonal[x, y])
    out[x, y, c] = hl.mux(c, [red, green, blue])
    return with_estimates(out, n, n, 3)


def local_variance(n: int, radius: int) -> Any:
    """Mean and variance in a window, separable sums of values and squares."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, square = float_image(n), hl.Func("square")
    square[x, y] = source[x, y] * source[x, y]
    sums = []
    for name, f in (("mean", source), ("mean2", square)):
        r = hl.RDom([(-radius, 2 * radius + 1)])
        rows, columns = hl.Func(f"{name}_rows"), hl.Func(f"{name}_columns")
        rows[x, y] = hl.f32(0.0)
        rows[x, y] += f[x + r.x, y]
        columns[x, y] = hl.f32(0.0)
        columns[x, y] += rows[x, y + r.x]
        sums.append(columns)
    out = hl.Func("out")
    scale = 1 / (2 * radius + 1) ** 2
    mean = sums[0][x, y] * scale
    out[x, y] = sums[1][x, y] * scale - mean * mean
    return with_estimates(out, n, n)


def wavelet(n: int) -> Any:
    """One level of a Haar transform, rows then columns."""
    hl = hl_module()
    x, y, k = hl.vars("x y k")
    source, rows, out = image_param(hl.Float(32), 2 * n, 2 * n), hl.Func("rows"), hl.Func("out")
    a, b = source[2 * x, y], source[2 * x + 1, y]
    rows[x, y, k] = hl.select(k == 0, a + b, a - b) * 0.5
    c, d = rows[x, 2 * y, k % 2], rows[x, 2 * y + 1, k % 2]
    out[x, y, k] = hl.select(k < 2, c + d, c - d) * 0.5
    return with_estimates(out, n, n, 4)


def absolute_differences(n: int, shifts: int) -> Any:
    """Block matching: the shift with the smallest sum of absolute differences."""
    hl = hl_module()
    x, y, d = hl.vars("x y d")
    left = clamped(hl.UInt(8), n, n)
    right = hl.BoundaryConditions.repeat_edge(image_param(hl.UInt(8), n, n, name="right"))
    cost, total, out = hl.Func("cost"), hl.Func("total"), hl.Func("out")
    cost[x, y, d] = hl.cast(hl.UInt(16), hl.absd(left[x, y], right[x - d, y]))
    r = hl.RDom([(-2, 5), (-2, 5)])
    total[x, y, d] = hl.cast(hl.UInt(16), 0)
    total[x, y, d] += cost[x + r.x, y + r.y, d]
    s = hl.RDom([(0, shifts)])
    out[x, y] = hl.minimum(total[x, y, s.x])
    return with_estimates(out, n, n)
