"""`hwml train RECIPE ...`: the installed spelling of `python -m sdk.train RECIPE ...`."""

from ..train.__main__ import main

__all__ = ["main"]
