"""All lint rules and their codes, collected from the modules that declare them."""

from __future__ import annotations

from . import (
    allocation,
    constructs,
    dataflow,
    dependences,
    figures,
    loops,
    outside,
    partitions,
    places,
    regions,
    releases,
    repeated,
    sizes,
    spelling,
    synthesis,
    variables,
)
from .code import Code
from .rule import Rule

MODULES = (
    spelling, places, variables, loops, partitions, repeated, synthesis, constructs, outside, releases, allocation,
    dependences, dataflow, regions, sizes, figures,
)  # fmt: skip
RULES: tuple[Rule, ...] = tuple(
    value for module in MODULES for value in vars(module).values() if isinstance(value, Rule)
)  # fmt: skip
CODES: dict[str, Code] = {code.name: code for code in sorted((c for r in RULES for c in r.codes), key=lambda c: c.name)}
