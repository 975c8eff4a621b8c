"""Kinds of pipelines that only the held-out part has: the shipped weights never saw them."""

from __future__ import annotations

from typing import Any

from .kit import as_float, as_int, clamped, float_image, hl_module, image_param, with_estimates


def unsharp(n: int) -> Any:
    """Unsharp mask of an RGB image by its luma."""
    hl = hl_module()
    x, y, c = hl.vars("x y c")
    source, gray, rows, smooth, ratio, out = (
        clamped(hl.Float(32), n, n, 3),
        *(hl.Func(name) for name in ("gray", "rows", "smooth", "ratio", "out")),
    )
    gray[x, y] = 0.3 * source[x, y, 0] + 0.6 * source[x, y, 1] + 0.1 * source[x, y, 2]
    rows[x, y] = 0.25 * gray[x - 1, y] + 0.5 * gray[x, y] + 0.25 * gray[x + 1, y]
    smooth[x, y] = 0.25 * rows[x, y - 1] + 0.5 * rows[x, y] + 0.25 * rows[x, y + 1]
    ratio[x, y] = (2.0 * gray[x, y] - smooth[x, y]) / (gray[x, y] + 0.01)
    out[x, y, c] = ratio[x, y] * source[x, y, c]
    return with_estimates(out, n, n, 3)


def harris(n: int) -> Any:
    """Harris corner response."""
    hl = hl_module()
    x, y = hl.vars("x y")
    s = float_image(n)
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
    return with_estimates(out, n, n)


def conv_layer(n: int, channels: int) -> Any:
    """3 x 3 convolution over channels, bias, relu; channels innermost."""
    hl = hl_module()
    c, x, y = hl.vars("c x y")
    source = image_param(hl.Float(32), channels, n + 2, n + 2)
    kernel = image_param(hl.Float(32), channels, 3, 3, channels, name="kernel")
    bias = image_param(hl.Float(32), channels, name="bias")
    r = hl.RDom([(0, channels), (0, 3), (0, 3)])
    conv, out = hl.Func("conv"), hl.Func("out")
    conv[c, x, y] = bias[c]
    conv[c, x, y] += kernel[c, r.y, r.z, r.x] * source[r.x, x + r.y, y + r.z]
    out[c, x, y] = hl.max(conv[c, x, y], 0.0)
    return with_estimates(out, channels, n, n)


def bilateral(n: int) -> Any:
    """Bilateral filter, 5 x 5 window."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source = float_image(n)
    weight, total, norm, out = (hl.Func(name) for name in ("weight", "total", "norm", "out"))
    u, v = hl.vars("u v")
    difference = source[x + u, y + v] - source[x, y]
    weight[x, y, u, v] = hl.fast_exp(-8.0 * difference * difference - 0.1 * as_float(u * u + v * v))
    r = hl.RDom([(-2, 5), (-2, 5)])
    total[x, y] = hl.f32(0.0)
    total[x, y] += weight[x, y, r.x, r.y] * source[x + r.x, y + r.y]
    norm[x, y] = hl.f32(0.0)
    norm[x, y] += weight[x, y, r.x, r.y]
    out[x, y] = total[x, y] / norm[x, y]
    return with_estimates(out, n, n)


def pyramid(n: int, levels: int) -> Any:
    """Laplacian pyramid, its bands scaled, and the image built up again."""
    hl = hl_module()
    x, y = hl.vars("x y")
    down = [float_image(n)]
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
    return with_estimates(out, n, n)


def equalise(n: int) -> Any:
    """Histogram equalisation of a byte image."""
    hl = hl_module()
    x, y, i = hl.vars("x y i")
    source = image_param(hl.UInt(8), n, n)
    bins, cumulative, out = hl.Func("bins"), hl.Func("cumulative"), hl.Func("out")
    r, s = hl.RDom([(0, n), (0, n)]), hl.RDom([(1, 255)])
    bins[i] = 0
    bins[as_int(source[r.x, r.y])] += 1
    cumulative[i] = bins[i]
    cumulative[s.x] += cumulative[s.x - 1]
    out[x, y] = hl.cast(hl.UInt(8), cumulative[as_int(source[x, y])] // (n * n // 255 + 1))
    return with_estimates(out, n, n)


def softmax(n: int, m: int) -> Any:
    """Softmax over rows."""
    hl = hl_module()
    x, y = hl.vars("x y")
    source = image_param(hl.Float(32), n, m)
    r = hl.RDom([(0, n)])
    top, weight, total, out = (hl.Func(name) for name in ("top", "weight", "total", "out"))
    top[y] = hl.maximum(source[r.x, y])
    weight[x, y] = hl.exp(source[x, y] - top[y])
    total[y] = hl.f32(0.0)
    total[y] += weight[r.x, y]
    out[x, y] = weight[x, y] / total[y]
    return with_estimates(out, n, m)


def two_layers(n: int) -> Any:
    """Two matrix products with a bias and relu between them."""
    hl = hl_module()
    x, y = hl.vars("x y")
    a, b, c = (image_param(hl.Float(32), n, n, name=name) for name in ("a", "b", "c"))
    bias = image_param(hl.Float(32), n, name="bias")
    k, m = hl.RDom([(0, n)]), hl.RDom([(0, n)])
    first, hidden, out = hl.Func("first"), hl.Func("hidden"), hl.Func("out")
    first[x, y] = bias[x]
    first[x, y] += a[k.x, y] * b[x, k.x]
    hidden[x, y] = hl.max(first[x, y], 0.0)
    out[x, y] = hl.f32(0.0)
    out[x, y] += hidden[m.x, y] * c[x, m.x]
    return with_estimates(out, n, n)
