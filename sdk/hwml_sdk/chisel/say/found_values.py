"""Which calls gave the modules of a document their parameter values, and which could not: kept between checks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .calls import Call

_DOCUMENTS = 256
_REFUSED = 4096
Attempt = tuple[str, tuple[str, ...], tuple[str, ...]]  # a call, the parameters' types, the files of the check


class FoundValues:
    """By document, so that the next check compiles its calls along with it and none in vain.

    Threads may lose what another one has just noted, which costs a compile.
    """

    def __init__(self) -> None:
        self._accepted: OrderedDict[str, tuple[Call, ...]] = OrderedDict()
        self._refused: OrderedDict[Attempt, None] = OrderedDict()

    def accepted(self, path: str, first: int) -> list[Call]:
        """Calls that compiled before; first: the index of the first one."""
        return [replace(call, index=first + number) for number, call in enumerate(self._accepted.get(path, ()))]

    def accept(self, path: str, calls: Sequence[Call]) -> None:
        """Remember calls that compiled."""
        self._accepted[path] = tuple(calls)
        while len(self._accepted) > _DOCUMENTS:
            self._accepted.popitem(last=False)

    @property
    def refused(self) -> Iterable[Attempt]:
        """Calls that did not compile."""
        return self._refused.keys()

    def refuse(self, attempts: Iterable[Attempt]) -> None:
        """Remember calls that did not compile."""
        self._refused.update(dict.fromkeys(attempts))
        while len(self._refused) > _REFUSED:
            self._refused.popitem(last=False)
