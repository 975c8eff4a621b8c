"""A number the closed form rests on, declared with where it comes from.

Constants are fields of small dataclasses with one instance each (`cores.INTEGER`, `memories.MEMORY`,
`closed_form.costs.COSTS`, ...): a source in words belongs to each of them, and `python -m sdk.train qor constants` can
try other values in place. Nobody else writes to these instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, fields
from typing import Any

# No document gives the number: it was set on labelled designs, and the script says what fits them best today.
FIT = "fit: python -m sdk.train qor constants"


def constant(value: float, source: str = FIT) -> Any:
    """A dataclass field with a default and its source."""
    return field(default=value, metadata={"source": source})


def constants_of(holder: Any) -> Iterator[tuple[str, float, str]]:
    """(field, value in use, source) of each constant of an instance."""
    for item in fields(holder):
        yield item.name, getattr(holder, item.name), str(item.metadata.get("source", ""))
