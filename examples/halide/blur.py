"""A separable blur for `hwml halide sample examples/halide/blur.py` and `hwml halide autoschedule`."""

import halide as hl


def pipeline() -> hl.Func:
    """3 x 3 binomial blur of a float image; estimates on input and output tell the search its size."""
    image = hl.ImageParam(hl.Float(32), 2, "image")
    image.set_estimates([(0, 1536), (0, 1024)])
    source = hl.BoundaryConditions.repeat_edge(image)
    x, y = hl.vars("x y")
    rows, out = hl.Func("rows"), hl.Func("out")
    rows[x, y] = source[x - 1, y] + 2.0 * source[x, y] + source[x + 1, y]
    out[x, y] = (rows[x, y - 1] + 2.0 * rows[x, y] + rows[x, y + 1]) / 16.0
    out.set_estimates([(0, 1536), (0, 1024)])
    return out
