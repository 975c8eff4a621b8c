"""Variables of a Tcl script and what stands in `[brackets]`: only what is plain text, everything else is UNKNOWN."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ...errors import ConfigError
from . import tcl_expr
from .places import Places
from .tcl_words import Word, closing_brackets, commands, list_items

UNKNOWN = "\0"  # stands in a word for what only Tcl could tell; no text that is read holds it
FORGOTTEN = UNKNOWN * 2  # of a variable that may have been changed, made or unset: not even known to be there
MAX_NESTING = 12
MAX_EXPRESSION = 4096
MAX_LENGTH = 1 << 16  # of one value: `append` in a loop ends

_PIECE = re.compile(r"\\(.)|\$\{([^}]*)\}|\$((?:::)?\w+(?:::\w+)*)(?:\(([^()]*)\))?|\[", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "\n": " "}


@dataclass(slots=True)
class Scope:
    """Variables by name (`name` or `name(key)`), and the script being read.

    linked: names in the procedure being read that stand for variables outside it: `::name` for one of the script, else
    one of the caller.
    """

    places: Places
    script: Path
    values: dict[str, str] = field(default_factory=dict)
    linked: dict[str, str] = field(default_factory=dict)

    def name(self, written: str) -> str:
        """The name that a command gives of a variable it changes; `::name` is one of the script."""
        name = written.removeprefix("::")
        if name != written:
            base = name.partition("(")[0]
            self.linked[base] = f"::{base}"
        return name

    def forget(self, names: Iterable[str]) -> None:
        """Take back what is said of variables, with all elements of arrays: they may have changed."""
        for written in names:
            name = self.name(self.substitute(written))
            base = name.partition("(")[0]
            if UNKNOWN in base:  # it may be any of them
                self.values.update(dict.fromkeys(self.values, FORGOTTEN))
            elif name == base or UNKNOWN in name:
                elements = [known for known in self.values if known.startswith(f"{base}(")]
                self.values.update(dict.fromkeys([base, *elements], FORGOTTEN))
            else:
                self.values[name] = FORGOTTEN

    def leave(self, outside: Scope) -> None:
        """Give what a procedure did to variables outside it to those."""
        for name, written in self.linked.items():
            outer = outside.name(written)
            if UNKNOWN in outer:
                outside.forget([outer])
                continue
            for known in [known for known in outside.values if known.partition("(")[0] == outer]:
                del outside.values[known]
            own = [known for known in self.values if known.partition("(")[0] == name]
            outside.values.update((outer + known.removeprefix(name), self.values[known]) for known in own)

    def text(self, word: Word) -> str:
        """A word with everything put in that is known, UNKNOWN for each piece that is not."""
        return word.text if word.literal else self.substitute(word.text)

    def substitute(self, text: str, depth: int = 0) -> str:
        """Variables, commands and escapes of a text, as `text`; UNKNOWN for one of great length."""
        if len(text) > MAX_LENGTH:
            return UNKNOWN
        out: list[str] = []
        closing = closing_brackets(text)
        at = 0
        while match := _PIECE.search(text, at):
            out.append(text[at : match.start()])
            at = match.end()
            escaped, braced, name, key = match.groups()
            if escaped is not None:
                out.append(_ESCAPES.get(escaped, escaped))
            elif braced is not None or name is not None:
                out.append(self._variable(braced if braced is not None else name, key, depth))
            else:
                end = closing.get(match.start())
                if end is None:
                    out.append("[")
                    continue
                out.append(self._command(text[at:end], depth))
                at = end + 1
        out.append(text[at:])
        return "".join(out)[:MAX_LENGTH]

    def _variable(self, name: str, key: str | None, depth: int) -> str:
        name = name.removeprefix("::")
        if key is not None:
            name = f"{name}({self.substitute(key, depth + 1) if depth < MAX_NESTING else UNKNOWN})"
        return self.values.get(name, UNKNOWN)

    def _command(self, text: str, depth: int) -> str:
        if depth >= MAX_NESTING:
            return UNKNOWN
        try:
            found = list(commands(text, ""))
        except ConfigError:
            return UNKNOWN
        if len(found) != 1:
            return UNKNOWN
        name, *words = (w.text if w.literal else self.substitute(w.text, depth + 1) for w in found[0][0])
        if name == "expr":
            return self.expression(" ".join(words))
        if name == "set" and len(words) == 1:
            return self.values.get(words[0], UNKNOWN)
        if any(UNKNOWN in word for word in words) or name not in _PURE:
            return UNKNOWN
        value = _PURE[name](self, words)
        return UNKNOWN if value is None else value

    def expression(self, text: str) -> str:
        """The value of an expression (braces keep its variables until now), or UNKNOWN."""
        value = self.value(text)
        return UNKNOWN if value is None else tcl_expr.as_text(value)

    def value(self, text: str) -> tcl_expr.Value | None:
        """As `expression`, as number or text; None where unknown."""
        if len(text) > MAX_EXPRESSION:
            return None
        text = _QUOTED_VARIABLE.sub(r"\1", text)
        put_in = _PIECE_OF_SUM.sub(lambda match: self._operand(match.group()), text)
        if "[" in put_in:
            put_in = self.substitute(put_in)
        return None if UNKNOWN in put_in else tcl_expr.evaluate(put_in)

    def _operand(self, text: str) -> str:
        value = self.substitute(text)
        if UNKNOWN in value or re.fullmatch(r"\s*[-+.\w]+\s*", value):
            return value
        return '"' + value.replace('"', "") + '"'


_PIECE_OF_SUM = re.compile(r"\$\{[^}]*\}|\$(?:::)?\w+(?:::\w+)*(?:\([^()]*\))?|\[(?:[^\[\]]|\[[^\[\]]*\])*\]")
_QUOTED_VARIABLE = re.compile(r"\"(\$\w+|\$\{\w+\})\"")


def _lindex(_scope: Scope, words: Sequence[str]) -> str | None:
    if len(words) != 2:
        return None
    items = list_items(words[0])
    at = re.fullmatch(r"(end)?([-+]?\d+)?", words[1])
    if at is None:
        return None
    index = (len(items) - 1 if at.group(1) else 0) + int(at.group(2) or 0)
    return items[index] if 0 <= index < len(items) else ""


def _list(_scope: Scope, words: Sequence[str]) -> str:
    return " ".join(f"{{{word}}}" if not word or re.search(r"[\s{}\"]", word) else word for word in words)


def _file(scope: Scope, words: Sequence[str]) -> str | None:
    kind, *rest = words or ("",)
    if not rest:
        return None
    path = PurePosixPath(rest[0])
    simple = {
        "dirname": str(path.parent), "tail": path.name, "extension": path.suffix, "normalize": rest[0],
        "rootname": str(path.with_suffix("")) if path.name else rest[0],
    }  # fmt: skip
    if kind == "join":
        return str(PurePosixPath(*rest))
    if kind in ("exists", "isfile"):
        return str(int(scope.places.find(rest[0]) is not None))
    return simple.get(kind)


def _string(_scope: Scope, words: Sequence[str]) -> str | None:
    kind, *rest = words or ("",)
    if kind == "equal" and len(rest) == 2:
        return str(int(rest[0] == rest[1]))
    if len(rest) != 1:
        return None
    (text,) = rest
    known = {"tolower": text.lower(), "toupper": text.upper(), "trim": text.strip(), "length": str(len(text))}
    return known.get(kind)


def _info(scope: Scope, words: Sequence[str]) -> str | None:
    if list(words) == ["script"]:
        return str(scope.script)
    if len(words) == 2 and words[0] == "exists":
        known = scope.values.get(words[1].removeprefix("::"), FORGOTTEN)
        return "1" if known != FORGOTTEN else None  # the caller may have set it
    return None


def _glob(scope: Scope, words: Sequence[str]) -> str | None:
    patterns = [word for word in words if not word.startswith("-")]
    if len(patterns) != 1 or len(words) - len(patterns) > 1 or (words[0][:1] == "-" and words[0] != "-nocomplain"):
        return None
    found = scope.places.matching(patterns[0])
    return None if found is None else _list(scope, [str(path) for path in found])


_PURE: dict[str, Callable[[Scope, Sequence[str]], str | None]] = {
    "lindex": _lindex,
    "list": _list,
    "llength": lambda _, words: str(len(list_items(words[0]))) if len(words) == 1 else None,
    "concat": lambda _, words: " ".join(words),
    "join": lambda _, words: (words[1] if len(words) > 1 else " ").join(list_items(words[0])) if words else None,
    "split": lambda s, words: _list(s, words[0].split(words[1] if len(words) > 1 else None)) if words else None,
    "file": _file,
    "string": _string,
    "info": _info,
    "glob": _glob,
    "pwd": lambda _, words: ".",
}
