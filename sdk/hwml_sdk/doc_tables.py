"""Tables of documents, written from figures that a command printed, so that no number is typed by hand.

A table stands between `<!-- figures: NAME -->` and `<!-- end -->`; what is between them is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import DataError

Json = Mapping[str, Any]
_SECTION = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def replaced(text: str, makers: Mapping[str, tuple[Callable[..., list[str]], tuple[Json | None, ...]]]) -> str:
    """The document with each section as its maker writes it from the figures given; None keeps it as it is."""

    def table(found: re.Match[str]) -> str:
        name = found.group(2)
        if name not in makers:
            raise DataError(f"no table is named {name!r}; there are {', '.join(sorted(makers))}")
        maker, given = makers[name]
        if any(item is None for item in given):
            return found.group(0)
        try:
            body = "\n".join(maker(*given))
        except (KeyError, TypeError) as error:
            raise DataError(f"the figures hold nothing for the table {name!r} ({error}); use --evaluate") from None
        return f"{found.group(1)}\n{body}\n\n{found.group(3)}"

    return _SECTION.sub(table, text)


def table_of(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Lines of a Markdown table."""
    names = list(head)
    return [_line(names), _line("---" for _ in names).replace(" ", ""), *(_line(row) for row in rows)]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
