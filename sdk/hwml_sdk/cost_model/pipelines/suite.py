"""The pipelines behind the shipped weights, by name: image processing, linear algebra, stencils, tables.

`HELD_OUT` are of kinds that are nowhere in the training part; the shipped weights never saw them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import HwmlError
from .random_pipelines import random_pipeline

Build = Callable[[], Any]


def build(name: str) -> Any:
    """The Func or Pipeline of a name. Raises HwmlError that lists the names."""
    found = {**TRAINING, **HELD_OUT}.get(name)
    if found is None:
        raise HwmlError(f"suite:{name}: no such pipeline; there are {', '.join(sorted({**TRAINING, **HELD_OUT}))}")
    return found()


def _hl() -> Any:
    import halide

    return halide


def _image(kind: Any, *extents: int, name: str = "image") -> Any:
    hl = _hl()
    image = hl.ImageParam(kind, len(extents), name)
    image.set_estimates([(0, extent) for extent in extents])
    return image


def _clamped(kind: Any, *extents: int) -> Any:
    return _hl().BoundaryConditions.repeat_edge(_image(kind, *extents))


def _f32(value: Any) -> Any:
    hl = _hl()
    return hl.cast(hl.Float(32), value)


def _i32(value: Any) -> Any:
    hl = _hl()
    return hl.cast(hl.Int(32), value)


def _done(func: Any, *extents: int) -> Any:
    func.set_estimates([(0, extent) for extent in extents])
    return func


def _float(n: int) -> Any:
    return _clamped(_hl().Float(32), n, n)


def _bytes(n: int) -> Any:
    return _clamped(_hl().UInt(8), n, n)


def blur(n: int, radius: int, *, integer: bool = False) -> Any:
    """Separable box blur."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, rows, out = _bytes(n) if integer else _float(n), hl.Func("rows"), hl.Func("out")

    def read(a: Any, b: Any) -> Any:
        return hl.cast(hl.UInt(16), source[a, b]) if integer else source[a, b]

    rows[x, y] = sum((read(x + d, y) for d in range(1, radius + 1)), read(x, y) + read(x - 1, y))
    total = sum((rows[x, y + d] for d in range(1, radius + 1)), rows[x, y] + rows[x, y - 1])
    out[x, y] = hl.cast(hl.UInt(8), total // (radius + 2) ** 2) if integer else total * 0.1
    return _done(out, n, n)


def gaussian(n: int, taps: tuple[float, ...]) -> Any:
    """Separable symmetric filter, vertical pass first."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, columns, out = _float(n), hl.Func("columns"), hl.Func("out")
    columns[x, y] = sum((t * (source[x, y + d + 1] + source[x, y - d - 1]) for d, t in enumerate(taps)), source[x, y])
    out[x, y] = sum((t * (columns[x + d + 1, y] + columns[x - d - 1, y]) for d, t in enumerate(taps)), columns[x, y])
    return _done(out, n, n)


def sobel(n: int, *, integer: bool) -> Any:
    """Gradient magnitude."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, gx, gy, out = _bytes(n) if integer else _float(n), hl.Func("gx"), hl.Func("gy"), hl.Func("out")

    def s(a: Any, b: Any) -> Any:
        return _i32(source[a, b]) if integer else source[a, b]

    gx[x, y] = s(x + 1, y - 1) - s(x - 1, y - 1) + 2 * (s(x + 1, y) - s(x - 1, y)) + s(x + 1, y + 1) - s(x - 1, y + 1)
    gy[x, y] = s(x - 1, y + 1) - s(x - 1, y - 1) + 2 * (s(x, y + 1) - s(x, y - 1)) + s(x + 1, y + 1) - s(x + 1, y - 1)
    if integer:
        out[x, y] = hl.cast(hl.UInt(8), hl.min(255, hl.abs(gx[x, y]) + hl.abs(gy[x, y])))
    else:
        out[x, y] = hl.sqrt(gx[x, y] * gx[x, y] + gy[x, y] * gy[x, y])
    return _done(out, n, n)


def convolution(n: int, size: int) -> Any:
    """Dense 2-D convolution with a kernel image, as a reduction."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, kernel, out = _float(n), _image(hl.Float(32), size, size, name="kernel"), hl.Func("out")
    r = hl.RDom([(0, size), (0, size)])
    out[x, y] = hl.f32(0.0)
    out[x, y] += source[x + r.x, y + r.y] * kernel[r.x, r.y]
    return _done(out, n, n)


def depthwise(n: int, channels: int) -> Any:
    """3 x 3 depth-wise convolution, bias and relu."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    source = _clamped(hl.Float(32), n, n, channels)
    kernel, bias = _image(hl.Float(32), 3, 3, channels, name="kernel"), _image(hl.Float(32), channels, name="bias")
    r = hl.RDom([(0, 3), (0, 3)])
    conv, out = hl.Func("conv"), hl.Func("out")
    conv[x, y, c] = bias[c]
    conv[x, y, c] += source[x + r.x - 1, y + r.y - 1, c] * kernel[r.x, r.y, c]
    out[x, y, c] = hl.max(conv[x, y, c], 0.0)
    return _done(out, n, n, channels)


def pointwise_layer(n: int, inputs: int, outputs: int) -> Any:
    """1 x 1 convolution, channels innermost, relu6."""
    hl = _hl()
    c, x, y = hl.vars("c x y")
    source = _image(hl.Float(32), inputs, n, n)
    kernel = _image(hl.Float(32), outputs, inputs, name="kernel")
    r = hl.RDom([(0, inputs)])
    total, out = hl.Func("total"), hl.Func("out")
    total[c, x, y] = hl.f32(0.0)
    total[c, x, y] += kernel[c, r.x] * source[r.x, x, y]
    out[c, x, y] = hl.clamp(total[c, x, y], 0.0, 6.0)
    return _done(out, outputs, n, n)


def matmul(n: int, *, relu: bool = False, transposed: bool = False, integer: bool = False) -> Any:
    """Square matrix product."""
    hl = _hl()
    x, y = hl.vars("x y")
    kind = hl.UInt(8) if integer else hl.Float(32)
    a, b = _image(kind, n, n, name="a"), _image(kind, n, n, name="b")
    widen = _i32 if integer else _f32
    product, out = hl.Func("product"), hl.Func("out")
    k = hl.RDom([(0, n)])
    product[x, y] = hl.cast(hl.Int(32) if integer else hl.Float(32), 0)
    product[x, y] += widen(a[k.x, y]) * widen(b[k.x, x] if transposed else b[x, k.x])
    out[x, y] = hl.max(product[x, y], 0) if relu else product[x, y]
    return _done(out, n, n)


def gemv(n: int, m: int) -> Any:
    """Matrix times vector, scaled and added to a vector."""
    hl = _hl()
    y = hl.Var("y")
    a, v, w = _image(hl.Float(32), n, m, name="a"), _image(hl.Float(32), n, name="v"), _image(hl.Float(32), m, name="w")
    r = hl.RDom([(0, n)])
    product, out = hl.Func("product"), hl.Func("out")
    product[y] = hl.f32(0.0)
    product[y] += a[r.x, y] * v[r.x]
    out[y] = product[y] * 1.5 + w[y]
    return _done(out, m)


def outer(n: int) -> Any:
    """Rank-2 update of a matrix."""
    hl = _hl()
    x, y = hl.vars("x y")
    m = _image(hl.Float(32), n, n)
    u, v = _image(hl.Float(32), n, 2, name="u"), _image(hl.Float(32), n, 2, name="v")
    out = hl.Func("out")
    out[x, y] = m[x, y] + u[x, 0] * v[y, 0] + u[x, 1] * v[y, 1]
    return _done(out, n, n)


def distances(n: int, d: int) -> Any:
    """Squared distances between two sets of points."""
    hl = _hl()
    x, y = hl.vars("x y")
    a, b = _image(hl.Float(32), n, d, name="a"), _image(hl.Float(32), n, d, name="b")
    r = hl.RDom([(0, d)])
    total, out = hl.Func("total"), hl.Func("out")
    total[x, y] = hl.f32(0.0)
    difference = a[x, r.x] - b[y, r.x]
    total[x, y] += difference * difference
    out[x, y] = hl.sqrt(total[x, y])
    return _done(out, n, n)


def histogram(n: int) -> Any:
    """256 bins, then their cumulative sum."""
    hl = _hl()
    i = hl.Var("i")
    source = _image(hl.UInt(8), n, n)
    r, s = hl.RDom([(0, n), (0, n)]), hl.RDom([(1, 255)])
    bins, out = hl.Func("bins"), hl.Func("out")
    bins[i] = 0
    bins[_i32(source[r.x, r.y])] += 1
    out[i] = bins[i]
    out[s.x] += out[s.x - 1]
    return _done(out, 256)


def table(n: int) -> Any:
    """Tone curve through a table."""
    hl = _hl()
    x, y, i = hl.vars("x y i")
    source, curve, out = _image(hl.UInt(8), n, n), hl.Func("curve"), hl.Func("out")
    curve[i] = hl.cast(hl.UInt(8), hl.clamp(hl.pow(_f32(i) / 255.0, 0.45) * 255.0, 0.0, 255.0))
    out[x, y] = curve[_i32(source[x, y])]
    return _done(out, n, n)


def morphology(n: int, radius: int) -> Any:
    """Opening: separable minimum, then separable maximum."""
    hl = _hl()
    x, y = hl.vars("x y")
    f = _bytes(n)
    for name, pick in (("min", hl.min), ("max", hl.max)):
        for axis in range(2):
            made = hl.Func(f"{name}_{axis}")
            value = f[x, y]
            for d in range(-radius, radius + 1):
                value = pick(value, f[x + d, y] if axis == 0 else f[x, y + d])
            made[x, y] = value
            f = made
    return _done(f, n, n)


def median(n: int) -> Any:
    """Median of 3 along rows, then columns."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, rows, out = _bytes(n), hl.Func("rows"), hl.Func("out")

    def middle(a: Any, b: Any, c: Any) -> Any:
        return hl.max(hl.min(hl.max(a, b), c), hl.min(a, b))

    rows[x, y] = middle(source[x - 1, y], source[x, y], source[x + 1, y])
    out[x, y] = middle(rows[x, y - 1], rows[x, y], rows[x, y + 1])
    return _done(out, n, n)


def chain(n: int, length: int) -> Any:
    """Stencils one after the other, alternating direction."""
    hl = _hl()
    x, y = hl.vars("x y")
    f = _float(n)
    for k in range(length):
        made = hl.Func(f"step_{k}")
        dx, dy = (1, 0) if k % 2 else (0, 1)
        made[x, y] = (f[x - dx, y - dy] + f[x, y] * 2.0 + f[x + dx, y + dy]) * 0.25
        f = made
    return _done(f, n, n)


def heat(n: int, steps: int) -> Any:
    """Explicit heat equation, 5-point stencil."""
    hl = _hl()
    x, y = hl.vars("x y")
    f = _float(n)
    for k in range(steps):
        made = hl.Func(f"time_{k}")
        made[x, y] = f[x, y] + 0.2 * (f[x - 1, y] + f[x + 1, y] + f[x, y - 1] + f[x, y + 1] - 4.0 * f[x, y])
        f = made
    return _done(f, n, n)


def color(n: int) -> Any:
    """RGB to luma and two differences, planar bytes."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    source, luma, out = _image(hl.UInt(8), n, n, 3), hl.Func("luma"), hl.Func("out")
    r, g, b = (_f32(source[x, y, k]) for k in range(3))
    luma[x, y] = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = 0.564 * (b - luma[x, y]) + 128.0, 0.713 * (r - luma[x, y]) + 128.0
    out[x, y, c] = hl.cast(hl.UInt(8), hl.clamp(hl.mux(c, [luma[x, y], blue, red]), 0.0, 255.0))
    return _done(out, n, n, 3)


def matrix_color(n: int) -> Any:
    """3 x 3 colour matrix as a reduction, then a gamma by table-free maths."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    source, matrix = _image(hl.Float(32), n, n, 3), _image(hl.Float(32), 3, 3, name="matrix")
    mixed, out = hl.Func("mixed"), hl.Func("out")
    r = hl.RDom([(0, 3)])
    mixed[x, y, c] = hl.f32(0.0)
    mixed[x, y, c] += matrix[r.x, c] * source[x, y, r.x]
    out[x, y, c] = hl.sqrt(hl.max(mixed[x, y, c], 0.0))
    return _done(out, n, n, 3)


def integral(n: int) -> Any:
    """Summed-area table and a box mean from it."""
    hl = _hl()
    x, y = hl.vars("x y")
    source = _image(hl.Float(32), n, n)
    rows, area, out = hl.Func("rows"), hl.Func("area"), hl.Func("out")
    r = hl.RDom([(1, n - 1)])
    rows[x, y] = source[x, y]
    rows[r.x, y] += rows[r.x - 1, y]
    area[x, y] = rows[x, y]
    area[x, r.x] += area[x, r.x - 1]
    out[x, y] = (area[x + 8, y + 8] - area[x, y + 8] - area[x + 8, y] + area[x, y]) * (1 / 64)
    return _done(out, n - 8, n - 8)


def layer_norm(n: int, m: int) -> Any:
    """Rows to mean 0 and variance 1."""
    hl = _hl()
    x, y = hl.vars("x y")
    source = _image(hl.Float(32), n, m)
    r = hl.RDom([(0, n)])
    mean, variance, out = hl.Func("mean"), hl.Func("variance"), hl.Func("out")
    mean[y] = hl.f32(0.0)
    mean[y] += source[r.x, y] * (1 / n)
    variance[y] = hl.f32(0.0)
    variance[y] += (source[r.x, y] - mean[y]) * (source[r.x, y] - mean[y]) * (1 / n)
    out[x, y] = (source[x, y] - mean[y]) / hl.sqrt(variance[y] + 1e-5)
    return _done(out, n, m)


def pool(n: int, channels: int, *, maximum: bool) -> Any:
    """2 x 2 pooling."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    source, out = _image(hl.Float(32), 2 * n, 2 * n, channels), hl.Func("out")
    corners = [source[2 * x + i, 2 * y + j, c] for i in range(2) for j in range(2)]
    if maximum:
        out[x, y, c] = hl.max(hl.max(corners[0], corners[1]), hl.max(corners[2], corners[3]))
    else:
        out[x, y, c] = (corners[0] + corners[1] + corners[2] + corners[3]) * 0.25
    return _done(out, n, n, channels)


def resize(n: int) -> Any:
    """Bilinear magnification by 1.5, computed coordinates."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, out = _float(n), hl.Func("out")
    fx, fy = _f32(x) * (2 / 3), _f32(y) * (2 / 3)
    ix, iy = _i32(hl.floor(fx)), _i32(hl.floor(fy))
    wx, wy = fx - _f32(ix), fy - _f32(iy)
    top = hl.lerp(source[ix, iy], source[ix + 1, iy], wx)
    bottom = hl.lerp(source[ix, iy + 1], source[ix + 1, iy + 1], wx)
    out[x, y] = hl.lerp(top, bottom, wy)
    return _done(out, n * 3 // 2, n * 3 // 2)


def transpose(n: int) -> Any:
    """Transpose and scale."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, out = _image(hl.Float(32), n, n), hl.Func("out")
    out[x, y] = source[y, x] * 2.0
    return _done(out, n, n)


def recursive(n: int) -> Any:
    """First-order recursive filter along columns, both ways."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, down, out = _image(hl.Float(32), n, n), hl.Func("down"), hl.Func("out")
    r = hl.RDom([(1, n - 1)])
    down[x, y] = source[x, y]
    down[x, r.x] = 0.7 * down[x, r.x - 1] + 0.3 * down[x, r.x]
    out[x, y] = down[x, y]
    out[x, n - 1 - r.x] = 0.7 * out[x, n - r.x] + 0.3 * out[x, n - 1 - r.x]
    return _done(out, n, n)


def polynomial(n: int) -> Any:
    """Arithmetic without memory pressure: Horner's scheme of degree 24, fixed point iterations."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, poly, out = _image(hl.Float(32), n, n), hl.Func("poly"), hl.Func("out")
    value = source[x, y]
    total = hl.f32(0.5)
    for k in range(24):
        total = total * value + 1.0 / (k + 1)
    poly[x, y] = total
    root = poly[x, y] * 0.5 + 0.5
    for _ in range(4):
        root = 0.5 * (root + hl.abs(poly[x, y]) / root)
    out[x, y] = root
    return _done(out, n, n)


def demosaic(n: int) -> Any:
    """Bayer pattern to RGB by averaging neighbours."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    raw = _clamped(hl.UInt(16), n, n)
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
    return _done(out, n, n, 3)


def complex_product(n: int) -> Any:
    """Complex numbers as tuples: product, then squared magnitude."""
    hl = _hl()
    x, y = hl.vars("x y")
    a, b = _image(hl.Float(32), n, n, 2, name="a"), _image(hl.Float(32), n, n, 2, name="b")
    product, out = hl.Func("product"), hl.Func("out")
    real = a[x, y, 0] * b[x, y, 0] - a[x, y, 1] * b[x, y, 1]
    imaginary = a[x, y, 0] * b[x, y, 1] + a[x, y, 1] * b[x, y, 0]
    product[x, y] = hl.Tuple((real, imaginary))
    out[x, y] = product[x, y][0] * product[x, y][0] + product[x, y][1] * product[x, y][1]
    return _done(out, n, n)


def local_variance(n: int, radius: int) -> Any:
    """Mean and variance in a window, separable sums of values and squares."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, square = _float(n), hl.Func("square")
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
    return _done(out, n, n)


def wavelet(n: int) -> Any:
    """One level of a Haar transform, rows then columns."""
    hl = _hl()
    x, y, k = hl.vars("x y k")
    source, rows, out = _image(hl.Float(32), 2 * n, 2 * n), hl.Func("rows"), hl.Func("out")
    a, b = source[2 * x, y], source[2 * x + 1, y]
    rows[x, y, k] = hl.select(k == 0, a + b, a - b) * 0.5
    c, d = rows[x, 2 * y, k % 2], rows[x, 2 * y + 1, k % 2]
    out[x, y, k] = hl.select(k < 2, c + d, c - d) * 0.5
    return _done(out, n, n, 4)


def fir(n: int, taps: int) -> Any:
    """Long one-dimensional filter over many signals."""
    hl = _hl()
    x, y = hl.vars("x y")
    source, kernel, out = _image(hl.Float(32), n + taps, 64), _image(hl.Float(32), taps, name="kernel"), hl.Func("out")
    r = hl.RDom([(0, taps)])
    out[x, y] = hl.f32(0.0)
    out[x, y] += source[x + r.x, y] * kernel[r.x]
    return _done(out, n, 64)


def absolute_differences(n: int, shifts: int) -> Any:
    """Block matching: the shift with the smallest sum of absolute differences."""
    hl = _hl()
    x, y, d = hl.vars("x y d")
    left = _clamped(hl.UInt(8), n, n)
    right = hl.BoundaryConditions.repeat_edge(_image(hl.UInt(8), n, n, name="right"))
    cost, total, out = hl.Func("cost"), hl.Func("total"), hl.Func("out")
    cost[x, y, d] = hl.cast(hl.UInt(16), hl.absd(left[x, y], right[x - d, y]))
    r = hl.RDom([(-2, 5), (-2, 5)])
    total[x, y, d] = hl.cast(hl.UInt(16), 0)
    total[x, y, d] += cost[x + r.x, y + r.y, d]
    s = hl.RDom([(0, shifts)])
    out[x, y] = hl.minimum(total[x, y, s.x])
    return _done(out, n, n)


# Kinds that only the held-out part has.


def unsharp(n: int) -> Any:
    """Unsharp mask of an RGB image by its luma."""
    hl = _hl()
    x, y, c = hl.vars("x y c")
    source, gray, rows, smooth, ratio, out = (
        _clamped(hl.Float(32), n, n, 3),
        *(hl.Func(name) for name in ("gray", "rows", "smooth", "ratio", "out")),
    )
    gray[x, y] = 0.3 * source[x, y, 0] + 0.6 * source[x, y, 1] + 0.1 * source[x, y, 2]
    rows[x, y] = 0.25 * gray[x - 1, y] + 0.5 * gray[x, y] + 0.25 * gray[x + 1, y]
    smooth[x, y] = 0.25 * rows[x, y - 1] + 0.5 * rows[x, y] + 0.25 * rows[x, y + 1]
    ratio[x, y] = (2.0 * gray[x, y] - smooth[x, y]) / (gray[x, y] + 0.01)
    out[x, y, c] = ratio[x, y] * source[x, y, c]
    return _done(out, n, n, 3)


def harris(n: int) -> Any:
    """Harris corner response."""
    hl = _hl()
    x, y = hl.vars("x y")
    s = _float(n)
    gx, gy, out = hl.Func("gx"), hl.Func("gy"), hl.Func("out")
    gx[x, y] = (
        s[x + 1, y - 1] - s[x - 1, y - 1] + 2.0 * (s[x + 1, y] - s[x - 1, y]) + s[x + 1, y + 1] - s[x - 1, y + 1]
    ) / 12.0
    gy[x, y] = (
        s[x - 1, y + 1] - s[x - 1, y - 1] + 2.0 * (s[x, y + 1] - s[x, y - 1]) + s[x + 1, y + 1] - s[x + 1, y - 1]
    ) / 12.0
    sums = []
    for name, value in (("xx", gx[x, y] * gx[x, y]), ("yy", gy[x, y] * gy[x, y]), ("xy", gx[x, y] * gy[x, y])):
        product, window = hl.Func(name), hl.Func(f"sum_{name}")
        product[x, y] = value
        window[x, y] = sum(product[x + i, y + j] for i in (-1, 0, 1) for j in (-1, 0, 1))
        sums.append(window[x, y])
    trace = sums[0] + sums[1]
    out[x, y] = sums[0] * sums[1] - sums[2] * sums[2] - 0.04 * trace * trace
    return _done(out, n, n)


def conv_layer(n: int, channels: int) -> Any:
    """3 x 3 convolution over channels, bias, relu; channels innermost."""
    hl = _hl()
    c, x, y = hl.vars("c x y")
    source = _image(hl.Float(32), channels, n + 2, n + 2)
    kernel = _image(hl.Float(32), channels, 3, 3, channels, name="kernel")
    bias = _image(hl.Float(32), channels, name="bias")
    r = hl.RDom([(0, channels), (0, 3), (0, 3)])
    conv, out = hl.Func("conv"), hl.Func("out")
    conv[c, x, y] = bias[c]
    conv[c, x, y] += kernel[c, r.y, r.z, r.x] * source[r.x, x + r.y, y + r.z]
    out[c, x, y] = hl.max(conv[c, x, y], 0.0)
    return _done(out, channels, n, n)


def bilateral(n: int) -> Any:
    """Bilateral filter, 5 x 5 window."""
    hl = _hl()
    x, y = hl.vars("x y")
    source = _float(n)
    weight, total, norm, out = (hl.Func(name) for name in ("weight", "total", "norm", "out"))
    u, v = hl.vars("u v")
    difference = source[x + u, y + v] - source[x, y]
    weight[x, y, u, v] = hl.fast_exp(-8.0 * difference * difference - 0.1 * _f32(u * u + v * v))
    r = hl.RDom([(-2, 5), (-2, 5)])
    total[x, y] = hl.f32(0.0)
    total[x, y] += weight[x, y, r.x, r.y] * source[x + r.x, y + r.y]
    norm[x, y] = hl.f32(0.0)
    norm[x, y] += weight[x, y, r.x, r.y]
    out[x, y] = total[x, y] / norm[x, y]
    return _done(out, n, n)


def pyramid(n: int, levels: int) -> Any:
    """Laplacian pyramid, its bands scaled, and the image built up again."""
    hl = _hl()
    x, y = hl.vars("x y")
    down = [_float(n)]
    for k in range(levels):
        made = hl.Func(f"down_{k}")
        f = down[-1]
        made[x, y] = 0.25 * (f[2 * x, 2 * y] + f[2 * x + 1, 2 * y] + f[2 * x, 2 * y + 1] + f[2 * x + 1, 2 * y + 1])
        down.append(made)
    result = down[-1]
    for k in reversed(range(levels)):
        made = hl.Func(f"up_{k}")
        band = down[k][x, y] - down[k + 1][x // 2, y // 2]
        made[x, y] = result[x // 2, y // 2] + band * (1.0 + 0.5 * k)
        result = made
    out = hl.Func("out")
    out[x, y] = hl.clamp(result[x, y], 0.0, 1.0)
    return _done(out, n, n)


def equalise(n: int) -> Any:
    """Histogram equalisation of a byte image."""
    hl = _hl()
    x, y, i = hl.vars("x y i")
    source = _image(hl.UInt(8), n, n)
    bins, cumulative, out = hl.Func("bins"), hl.Func("cumulative"), hl.Func("out")
    r, s = hl.RDom([(0, n), (0, n)]), hl.RDom([(1, 255)])
    bins[i] = 0
    bins[_i32(source[r.x, r.y])] += 1
    cumulative[i] = bins[i]
    cumulative[s.x] += cumulative[s.x - 1]
    out[x, y] = hl.cast(hl.UInt(8), cumulative[_i32(source[x, y])] // (n * n // 255 + 1))
    return _done(out, n, n)


def softmax(n: int, m: int) -> Any:
    """Softmax over rows."""
    hl = _hl()
    x, y = hl.vars("x y")
    source = _image(hl.Float(32), n, m)
    r = hl.RDom([(0, n)])
    top, weight, total, out = (hl.Func(name) for name in ("top", "weight", "total", "out"))
    top[y] = hl.maximum(source[r.x, y])
    weight[x, y] = hl.exp(source[x, y] - top[y])
    total[y] = hl.f32(0.0)
    total[y] += weight[r.x, y]
    out[x, y] = weight[x, y] / total[y]
    return _done(out, n, m)


def two_layers(n: int) -> Any:
    """Two matrix products with a bias and relu between them."""
    hl = _hl()
    x, y = hl.vars("x y")
    a, b, c = (_image(hl.Float(32), n, n, name=name) for name in ("a", "b", "c"))
    bias = _image(hl.Float(32), n, name="bias")
    k, m = hl.RDom([(0, n)]), hl.RDom([(0, n)])
    first, hidden, out = hl.Func("first"), hl.Func("hidden"), hl.Func("out")
    first[x, y] = bias[x]
    first[x, y] += a[k.x, y] * b[x, k.x]
    hidden[x, y] = hl.max(first[x, y], 0.0)
    out[x, y] = hl.f32(0.0)
    out[x, y] += hidden[m.x, y] * c[x, m.x]
    return _done(out, n, n)


TRAINING: dict[str, Build] = {
    "blur_a": partial(blur, 768, 1),
    "blur_b": partial(blur, 512, 4),
    "blur_bytes": partial(blur, 1024, 2, integer=True),
    "gaussian_a": partial(gaussian, 512, (0.5, 0.2)),
    "gaussian_b": partial(gaussian, 640, (0.6, 0.4, 0.2, 0.1)),
    "sobel_float": partial(sobel, 640, integer=False),
    "sobel_bytes": partial(sobel, 896, integer=True),
    "convolution_3": partial(convolution, 512, 3),
    "convolution_7": partial(convolution, 320, 7),
    "depthwise_a": partial(depthwise, 96, 32),
    "depthwise_b": partial(depthwise, 224, 8),
    "pointwise_layer_a": partial(pointwise_layer, 48, 32, 64),
    "pointwise_layer_b": partial(pointwise_layer, 96, 16, 16),
    "matmul_a": partial(matmul, 192),
    "matmul_b": partial(matmul, 320, relu=True),
    "matmul_transposed": partial(matmul, 224, transposed=True),
    "matmul_bytes": partial(matmul, 256, integer=True),
    "gemv_a": partial(gemv, 1024, 512),
    "gemv_b": partial(gemv, 256, 2048),
    "outer": partial(outer, 768),
    "distances_a": partial(distances, 256, 16),
    "distances_b": partial(distances, 384, 4),
    "histogram": partial(histogram, 512),
    "table": partial(table, 1024),
    "morphology_a": partial(morphology, 640, 1),
    "morphology_b": partial(morphology, 512, 3),
    "median": partial(median, 896),
    "chain_a": partial(chain, 512, 4),
    "chain_b": partial(chain, 384, 10),
    "heat_a": partial(heat, 512, 3),
    "heat_b": partial(heat, 320, 8),
    "color": partial(color, 512),
    "matrix_color": partial(matrix_color, 512),
    "integral": partial(integral, 640),
    "layer_norm_a": partial(layer_norm, 512, 512),
    "layer_norm_b": partial(layer_norm, 128, 1024),
    "pool_max": partial(pool, 192, 16, maximum=True),
    "pool_mean": partial(pool, 320, 4, maximum=False),
    "resize": partial(resize, 384),
    "transpose": partial(transpose, 768),
    "recursive": partial(recursive, 640),
    "polynomial": partial(polynomial, 512),
    "demosaic": partial(demosaic, 512),
    "complex_product": partial(complex_product, 512),
    "local_variance_a": partial(local_variance, 448, 1),
    "local_variance_b": partial(local_variance, 320, 4),
    "wavelet": partial(wavelet, 320),
    "fir_a": partial(fir, 2048, 16),
    "fir_b": partial(fir, 1024, 64),
    "absolute_differences": partial(absolute_differences, 192, 16),
    **{f"random_{seed}": partial(random_pipeline, seed) for seed in range(100, 148)},
}
HELD_OUT: dict[str, Build] = {
    "unsharp": partial(unsharp, 512),
    "harris": partial(harris, 512),
    "conv_layer": partial(conv_layer, 56, 32),
    "bilateral": partial(bilateral, 256),
    "pyramid": partial(pyramid, 768, 4),
    "equalise": partial(equalise, 768),
    "softmax": partial(softmax, 512, 512),
    "two_layers": partial(two_layers, 192),
}
