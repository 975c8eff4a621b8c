"""What the pipelines of the suite are written with: inputs, casts, estimates."""

from __future__ import annotations

from typing import Any


def hl_module() -> Any:
    """The halide package; imported when a pipeline is built, since prediction works without it."""
    import halide

    return halide


def image_param(kind: Any, *extents: int, name: str = "image") -> Any:
    """An input with estimates of its extents."""
    hl = hl_module()
    image = hl.ImageParam(kind, len(extents), name)
    image.set_estimates([(0, extent) for extent in extents])
    return image


def clamped(kind: Any, *extents: int) -> Any:
    """An input that repeats its edge."""
    return hl_module().BoundaryConditions.repeat_edge(image_param(kind, *extents))


def as_float(value: Any) -> Any:
    """`value` as a 32-bit float."""
    hl = hl_module()
    return hl.cast(hl.Float(32), value)


def as_int(value: Any) -> Any:
    """`value` as a 32-bit integer."""
    hl = hl_module()
    return hl.cast(hl.Int(32), value)


def with_estimates(func: Any, *extents: int) -> Any:
    """`func` with estimates of its extents."""
    func.set_estimates([(0, extent) for extent in extents])
    return func


def float_image(n: int) -> Any:
    """A square float image that repeats its edge."""
    return clamped(hl_module().Float(32), n, n)


def byte_image(n: int) -> Any:
    """A square image of bytes that repeats its edge."""
    return clamped(hl_module().UInt(8), n, n)
