"""How a tool tells how far it is: (steps done, steps in all, words)."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[int, int, str], None]
