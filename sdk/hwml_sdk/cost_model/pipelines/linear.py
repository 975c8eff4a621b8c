"""Pipelines of the training part: linear algebra and layers of networks."""

from __future__ import annotations

from typing import Any

from .kit import as_float, as_int, clamped, float_image, hl_module, image_param, with_estimates


def pointwise_layer(n: int, inputs: int, outputs: int) -> Any:
    """1 x 1 convolution, channels innermost, relu6."""
    hl = hl_module()
    c, x, y = hl.vars("c x y")
    source = image_param(hl.Float(32), inputs, n, n)
    kernel = image_param(hl.Float(32), outputs, inputs, name="kernel")
    r = hl.RDom([(0, inputs)])
    total, out = hl.Func("total"), hl.Func("out")
    total[c, x, y] = hl.f32(0.0)
    total[c, x, y] += kernel[c, r.x] * source[r.x, x, y]
    out[c, x, y] = hl.clamp(total[c, x, y], 0.0, 6.0)
    return with_estimates(out, outputs, n, n)


def depthwise(n: int, channels: int) -> Any:
    """3 x 3 depth-wise convolution, bias and relu."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    source = clamped(hl.Float(32), n, n, channels)
    kernel, bias = (
        image_param(hl.Float(32), 3, 3, channels, name="kernel"),
        image_param(hl.Float(32), channels, name="bias"),
    )
    r = hl.RDom([(0, 3), (0, 3)])
    conv, out = hl.Func("conv"), hl.Func("out")
    conv[x, y, c] = bias[c]
    conv[x, y, c] += source[x + r.x - 1, y + r.y - 1, c] * kernel[r.x, r.y, c]
    out[x, y, c] = hl.max(conv[x, y, c], 0.0)
    return with_estimates(out, n, n, channels)


def matmul(n: int, *, relu: bool = False, transposed: bool = False, integer: bool = False) -> Any:
    """Square matrix product."""
    hl = hl_module()
    x, y = hl.vars("x y")
    kind = hl.UInt(8) if integer else hl.Float(32)
    a, b = image_param(kind, n, n, name="a"), image_param(kind, n, n, name="b")
    widen = as_int if integer else as_float
    product, out = hl.Func("product"), hl.Func("out")
    k = hl.RDom([(0, n)])
    product[x, y] = hl.cast(hl.Int(32) if integer else hl.Float(32), 0)
    product[x, y] += widen(a[k.x, y]) * widen(b[k.x, x] if transposed else b[x, k.x])
    out[x, y] = hl.max(product[x, y], 0) if relu else product[x, y]
    return with_estimates(out, n, n)


def gemv(n: int, m: int) -> Any:
    """Matrix times vector, scaled and added to a vector."""
    hl = hl_module()
    y = hl.Var("y")
    a, v, w = (
        image_param(hl.Float(32), n, m, name="a"),
        image_param(hl.Float(32), n, name="v"),
        image_param(hl.Float(32), m, name="w"),
    )
    r = hl.RDom([(0, n)])
    product, out = hl.Func("product"), hl.Func("out")
    product[y] = hl.f32(0.0)
    product[y] += a[r.x, y] * v[r.x]
    out[y] = product[y] * 1.5 + w[y]
    return with_estimates(out, m)


def outer(n: int) -> Any:
    """Rank-2 update of a matrix."""
    hl = hl_module()
    x, y = hl.vars("x y")
    m = image_param(hl.Float(32), n, n)
    u, v = image_param(hl.Float(32), n, 2, name="u"), image_param(hl.Float(32), n, 2, name="v")
    out = hl.Func("out")
    out[x, y] = m[x, y] + u[x, 0] * v[y, 0] + u[x, 1] * v[y, 1]
    return with_estimates(out, n, n)


def distances(n: int, d: int) -> Any:
    """Squared distances between two sets of points."""
    hl = hl_module()
    x, y = hl.vars("x y")
    a, b = image_param(hl.Float(32), n, d, name="a"), image_param(hl.Float(32), n, d, name="b")
    r = hl.RDom([(0, d)])
    total, out = hl.Func("total"), hl.Func("out")
    total[x, y] = hl.f32(0.0)
    difference = a[x, r.x] - b[y, r.x]
    total[x, y] += difference * difference
    out[x, y] = hl.sqrt(total[x, y])
    return with_estimates(out, n, n)


def layer_norm(n: int, m: int) -> Any:
    """Rows to mean 0 and variance 1."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source = image_param(hl.Float(32), n, m)
    r = hl.RDom([(0, n)])
    mean, variance, out = hl.Func("mean"), hl.Func("variance"), hl.Func("out")
    mean[y] = hl.f32(0.0)
    mean[y] += source[r.x, y] * (1 / n)
    variance[y] = hl.f32(0.0)
    variance[y] += (source[r.x, y] - mean[y]) * (source[r.x, y] - mean[y]) * (1 / n)
    out[x, y] = (source[x, y] - mean[y]) / hl.sqrt(variance[y] + 1e-5)
    return with_estimates(out, n, m)


def pool(n: int, channels: int, *, maximum: bool) -> Any:
    """2 x 2 pooling."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    source, out = image_param(hl.Float(32), 2 * n, 2 * n, channels), hl.Func("out")
    corners = [source[2 * x + i, 2 * y + j, c] for i in range(2) for j in range(2)]
    if maximum:
        out[x, y, c] = hl.max(hl.max(corners[0], corners[1]), hl.max(corners[2], corners[3]))
    else:
        out[x, y, c] = (corners[0] + corners[1] + corners[2] + corners[3]) * 0.25
    return with_estimates(out, n, n, channels)


def transpose(n: int) -> Any:
    """Transpose and scale."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, out = image_param(hl.Float(32), n, n), hl.Func("out")
    out[x, y] = source[y, x] * 2.0
    return with_estimates(out, n, n)


def complex_product(n: int) -> Any:
    """Complex numbers as tuples: product, then squared magnitude."""
    hl = hl_module()
    x, y = hl.vars("x y")
    a, b = image_param(hl.Float(32), n, n, 2, name="a"), image_param(hl.Float(32), n, n, 2, name="b")
    product, out = hl.Func("product"), hl.Func("out")
    real = a[x, y, 0] * b[x, y, 0] - a[x, y, 1] * b[x, y, 1]
    imaginary = a[x, y, 0] * b[x, y, 1] + a[x, y, 1] * b[x, y, 0]
    product[x, y] = hl.Tuple((real, imaginary))
    out[x, y] = product[x, y][0] * product[x, y][0] + product[x, y][1] * product[x, y][1]
    return with_estimates(out, n, n)


def fir(n: int, taps: int) -> Any:
    """Long one-dimensional filter over many signals."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, kernel, out = (
        image_param(hl.Float(32), n + taps, 64),
        image_param(hl.Float(32), taps, name="kernel"),
        hl.Func("out"),
    )
    r = hl.RDom([(0, taps)])
    out[x, y] = hl.f32(0.0)
    out[x, y] += source[x + r.x, y] * kernel[r.x]
    return with_estimates(out, n, 64)


def polynomial(n: int) -> Any:
    """Arithmetic without memory pressure: Horner's scheme of degree 24, fixed point iterations."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, poly, out = image_param(hl.Float(32), n, n), hl.Func("poly"), hl.Func("out")
    value = source[x, y]
    total = hl.f32(0.5)
    for k in range(24):
        total = total * value + 1.0 / (k + 1)
    poly[x, y] = total
    root = poly[x, y] * 0.5 + 0.5
    for _ in range(4):
        root = 0.5 * (root + hl.abs(poly[x, y]) / root)
    out[x, y] = root
    return with_estimates(out, n, n)


def convolution(n: int, size: int) -> Any:
    """Dense 2-D convolution with a kernel image, as a reduction."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source, kernel, out = float_image(n), image_param(hl.Float(32), size, size, name="kernel"), hl.Func("out")
    r = hl.RDom([(0, size), (0, size)])
    out[x, y] = hl.f32(0.0)
    out[x, y] += source[x + r.x, y + r.y] * kernel[r.x, r.y]
    return with_estimates(out, n, n)
