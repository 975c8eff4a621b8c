"""Which options of pragmas take a number: UG1399 ("HLS Pragmas"), UG902 for RESOURCE, Merlin's reference for ACCEL."""

from __future__ import annotations

from collections.abc import Callable

from . import ir
from .numbers import Number

NUMERIC: dict[str, frozenset[str]] = {
    kind: frozenset(options.split())
    for kind, options in {
        "ALIAS": "distance",
        "ALLOCATION": "limit",
        "ARRAY_PARTITION": "factor dim",
        "ARRAY_RESHAPE": "factor dim",
        "BIND_OP": "latency",
        "BIND_STORAGE": "latency",
        "CACHE": "lines depth ways users l2_lines",
        "DEPENDENCE": "distance",
        "INTERFACE": "depth latency num_read_outstanding num_write_outstanding max_read_burst_length "
        "max_write_burst_length max_widen_bitwidth",
        "LATENCY": "min max",
        "LOOP_TRIPCOUNT": "min max avg",
        "OCCURRENCE": "cycle",
        "PARALLEL": "factor",
        "PERFORMANCE": "target_ti target_tl assume_ti assume_tl",
        "PIPELINE": "ii",
        "RESOURCE": "latency",
        "STREAM": "depth dim",
        "TILE": "factor",
        "UNROLL": "factor",
    }.items()
}


# What a design is built by. INTERFACE's are about simulation and the bus, CACHE's are nobody's figures here.
_BUILDS = frozenset(
    ("ALLOCATION", "ARRAY_PARTITION", "ARRAY_RESHAPE", "BIND_OP", "BIND_STORAGE", "DEPENDENCE", "LATENCY", "PARALLEL",
     "PIPELINE", "RESOURCE", "STREAM", "TILE", "UNROLL")
)  # fmt: skip


def untold(owner: ir.Loop | ir.Function) -> list[str]:
    """What pragmas of a loop or function leave open: options that decide what is built, and have no known value."""
    return [
        f"{option} of {pragma.kind} is no constant that is known here"
        for pragma in owner.pragmas
        if pragma.kind in _BUILDS
        for option in pragma.untold
    ]


def evaluate_options(pragma: ir.Pragma, value: Callable[[str], Number | None]) -> None:
    """Fill in the numbers of a pragma; value: of a constant expression where the pragma stands."""
    numeric = NUMERIC.get(pragma.kind, ())
    pragma.numbers.update((name, value(text)) for name, text in pragma.options.items() if name in numeric)
