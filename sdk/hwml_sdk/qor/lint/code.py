"""What a finding is called, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass

from ...document import Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A lint code. severity: unless the rule says otherwise for one of its findings. title: as on its page.

    needs_estimate: told from a prediction, which is not made again for a changed text.
    """

    name: str
    severity: Severity
    title: str
    needs_estimate: bool = False
