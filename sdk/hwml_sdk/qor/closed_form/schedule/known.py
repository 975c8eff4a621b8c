"""What has a value at hand at one place of a walk: variables and array elements.

Changes can be taken back, as a copy for every branch would make many branches slow together. And elements are arranged
so that a store finds those it may change without a look at all:

Elements of one array are kept by how their subscripts are written but for the constants: `a[i + 1]` and `a[i + 2]` are
alike, `a[j]` is not. Of those that are alike only the same constants are the same place, whatever the counters are.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...program import ir
from .accesses import Element, surely_apart
from .values import Value

# Of each subscript what it hangs on: its terms, or the value nobody knows a form of.
_Shape = tuple[object, ...]
_Constants = tuple[float, ...]


def _arranged(element: Element) -> tuple[_Shape, _Constants]:
    """How its subscripts are written, and their constants."""
    shape: list[object] = []
    constants: list[float] = []
    for part in (*element.prefix, *element.subscripts):
        own = [item for item in part if item[0] is None] if isinstance(part, frozenset) else []
        shape.append(part - {own[0]} if own and isinstance(part, frozenset) else part)
        constants.append(own[0][1] if own else 0.0)
    return tuple(shape), tuple(constants)


class Known(dict[object, Value]):
    """Value of each variable and element that was read or written."""

    __slots__ = ("_changes", "_marks")

    def __init__(self) -> None:
        super().__init__()
        self._marks = 0
        self._changes: list[tuple[object, Value | None]] = []  # what was there before, oldest first

    def mark(self) -> int:
        """A place to go `back` to, or to ask at what was `changed` since; each is left by one of them."""
        self._marks += 1
        return len(self._changes)

    def back(self, mark: int) -> dict[object, Value | None]:
        """Take back what was changed since; returns what stood there meanwhile."""
        taken: dict[object, Value | None] = {}
        while len(self._changes) > mark:
            key, old = self._changes.pop()
            taken.setdefault(key, self.get(key))
            if old is None:
                super().pop(key, None)
            else:
                super().__setitem__(key, old)
        self._marks -= 1
        return taken

    def changed(self, mark: int) -> dict[object, Value | None]:
        """What stood at the mark where something was changed since."""
        found: dict[object, Value | None] = {}
        for key, old in self._changes[mark:]:
            found.setdefault(key, old)
        self._marks -= 1
        if not self._marks:
            self._changes.clear()
        return found

    def __setitem__(self, key: object, value: Value) -> None:
        if self._marks:
            self._changes.append((key, self.get(key)))
        super().__setitem__(key, value)

    def forget(self, key: object) -> None:
        """Nothing is known of it any more."""
        old = super().pop(key, None)
        if self._marks and old is not None:
            self._changes.append((key, old))


class Elements:
    """Elements that a region has known, and may have forgotten: whoever asks looks in its `env` as well."""

    __slots__ = ("_arrays",)

    def __init__(self) -> None:
        self._arrays: dict[ir.Variable, dict[str, dict[_Shape, dict[_Constants, dict[Element, None]]]]] = {}

    def add(self, element: Element) -> None:
        """One more is known."""
        shape, constants = _arranged(element)
        fields = self._arrays.setdefault(element.array, {})
        fields.setdefault(element.field, {}).setdefault(shape, {}).setdefault(constants, {})[element] = None

    def of(self, array: ir.Variable | None = None) -> Iterator[Element]:
        """All of an array, or of every array."""
        for fields in self._arrays.values() if array is None else (self._arrays.get(array, {}),):
            for groups in fields.values():
                for group in groups.values():
                    for same in group.values():
                        yield from same

    def drop(self, array: ir.Variable | None = None) -> None:
        """None of an array, or of any, is known any more, whichever way was taken."""
        if array is None:
            self._arrays.clear()
        else:
            self._arrays.pop(array, None)

    def touched(self, stored: Element, *, for_good: bool) -> tuple[list[Element], int]:
        """Others that a store may change, and how many were looked at. for_good: they need not be told again."""
        shape, constants = _arranged(stored)
        groups = self._arrays.get(stored.array, {}).get(stored.field, {})
        found: list[Element] = []
        looked = len(groups)
        for other in list(groups):
            group = groups[other]
            if other == shape:
                found += [item for item in group.get(constants, ()) if item != stored]
                continue
            looked += len(group)
            near = [at for at, same in group.items() if not surely_apart(next(iter(same)), stored)]
            found += [item for at in near for item in group[at]]
            for at in near if for_good else ():
                del group[at]
            if not group:
                del groups[other]
        return found, looked
