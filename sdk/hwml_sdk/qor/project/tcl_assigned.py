"""Variables that the commands of a Tcl text may change: what is not followed leaves their values unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ...errors import ConfigError
from .tcl_words import Word, closing_brackets, commands, list_items

MAX_DEPTH = 40  # of bodies within bodies, as far as scripts are followed
ANYTHING = "[]"  # a name that only Tcl could tell


def _first(names: Sequence[str]) -> Sequence[str]:
    return names[:1]


# Which words of a command name variables that it changes.
_SETTERS: dict[str, Callable[[Sequence[str]], Iterable[str]]] = {
    "set": lambda names: names[:1] if len(names) > 1 else (),
    "append": _first, "lappend": _first, "incr": _first, "lset": _first,
    "unset": lambda names: names, "array": lambda names: names[1:2], "dict": lambda names: names[1:2],
    "lassign": lambda names: names[1:], "regexp": lambda names: names[2:], "regsub": lambda names: names[3:],
    "scan": lambda names: names[2:], "gets": lambda names: names[1:], "catch": lambda names: names[1:],
    "foreach": lambda names: [one for group in names[:-1:2] for one in list_items(group)],
    "global": lambda names: [f"::{name}" for name in names],
}  # fmt: skip


@dataclass(slots=True)
class _Effect:
    """What a text may change: names as they are written there, and the commands whose procedures may do more."""

    names: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)

    def add(self, other: _Effect) -> None:
        self.names |= other.names
        self.commands |= other.commands


@dataclass(slots=True)
class Changes:
    """Looks for the variables that commands may change. procedures: those of the script, by name, as `proc` has them.

    Names are as written: one that begins with `::` is changed for everybody, one that holds `$` or `[` is told by what
    stands there.
    """

    procedures: Mapping[str, Sequence[Word]]
    _known: dict[str, _Effect] = field(default_factory=dict)

    def by(self, words: Sequence[Word]) -> set[str]:
        """What one command may change, all that stands in its words included."""
        return self._with_procedures(self._command(words, 0))

    def inside(self, words: Sequence[Word]) -> set[str]:
        """What the commands in brackets within some words may change."""
        found = _Effect()
        for word in words:
            if not word.literal and "[" in word.text:
                found.add(self._brackets(word.text, 0))
        return self._with_procedures(found)

    def _with_procedures(self, effect: _Effect) -> set[str]:
        """Of procedures the names outside them count, of those that they call too."""
        found, seen, pending = set(effect.names), set(effect.commands), list(effect.commands)
        while pending:
            words = self.procedures.get(pending.pop())
            if words is not None:
                inside = self._text(words[3].text, 0)
                found.update(name for name in inside.names if name.startswith(("::", ANYTHING)))
                pending += inside.commands - seen
                seen |= inside.commands
        return found

    def _command(self, words: Sequence[Word], depth: int) -> _Effect:
        name, texts = words[0].text.removeprefix("::"), [word.text for word in words[1:]]
        found = _Effect(set(_SETTERS[name](texts)) if name in _SETTERS else set(), {name})
        if name in ("eval", "uplevel"):
            outside = name == "uplevel"
            leveled = outside and bool(texts) and re.fullmatch(r"#?\d+", texts[0]) is not None
            inner = self._text(" ".join(texts[leveled:]), depth + 1)
            found.add(
                _Effect({f"::{one.removeprefix('::')}" if outside else one for one in inner.names}, inner.commands)
            )
        for word in words:
            found.add(self._text(word.text, depth + 1) if word.literal else self._brackets(word.text, depth))
        return found

    def _brackets(self, text: str, depth: int) -> _Effect:
        found, at = _Effect(), 0
        for start, end in sorted(closing_brackets(text).items()):
            if start >= at:  # those inside are found with their outermost
                found.add(self._text(text[start + 1 : end], depth + 1))
                at = end
        return found

    def _text(self, text: str, depth: int) -> _Effect:
        if depth > MAX_DEPTH:
            return _Effect({ANYTHING})
        if text not in self._known:
            found = self._known[text] = _Effect()
            with suppress(ConfigError):  # a pattern or a message in braces: no commands
                for words, _ in commands(text, ""):
                    found.add(self._command(words, depth))
        return self._known[text]
