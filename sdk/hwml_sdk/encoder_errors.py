"""What encoders raise among themselves."""

from __future__ import annotations


class OutOfMemory(Exception):  # noqa: N818 -- no error of ours: it never leaves the encoders
    """A batch was larger than the memory of what computes it."""
