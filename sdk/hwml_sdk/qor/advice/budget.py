"""What a design may take: `{"lut": "60%", "dsp": 200}`, shares of the part or counts."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import ConfigError
from ..tool.labels import RESOURCES
from ..tool.parts import find_part


def limits_of(budget: Mapping[str, str | float] | None, part: str) -> dict[str, float]:
    """Most of each resource that is named. Raises ConfigError for an unknown resource, part or amount."""
    found: dict[str, float] = {}
    for name, amount in (budget or {}).items():
        resource = name.lower()
        if resource not in RESOURCES:
            raise ConfigError(f"budget of {name!r}: there are {', '.join(RESOURCES)}")
        found[resource] = _amount(resource, amount, part)
    return found


def _amount(resource: str, amount: str | float, part: str) -> float:
    text = str(amount).strip()
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ConfigError(f"budget of {resource} {amount!r}: write a count, or a share such as 60%")
    return value / 100 * find_part(part).limit(resource) if text.endswith("%") else value
