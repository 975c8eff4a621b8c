"""What all tests share: drawn examples come from fixed seeds, and no test asks how long an example takes."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
