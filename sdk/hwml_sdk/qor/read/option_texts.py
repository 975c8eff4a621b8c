"""Where the value of a pragma's option ends: options follow one another by blanks, and values may hold blanks too."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_]\w*")
_EQUALS = re.compile(r"\s*=(?!=)\s*")
_BLANKS = re.compile(r"\s*")
_QUOTED = re.compile(r'"[^"]*"')
# `&a`, `*p`, `!b` and the signs stand before an operand; the others between two.
_SIGN = re.compile(r"[-+~!&*]\s*")
_BETWEEN = re.compile(r"\s*(<<|>>|<=|>=|==|!=|&&|\|\||->|[-+*/%<>&|^?:])\s*")
_PLAIN = re.compile(
    r"(?:\d[\w.']*|'(?:\\[^']+|[^'\\])'|(?:::)?[A-Za-z_]\w*(?:(?:::|\.|->)(?:template\s+)?[A-Za-z_]\w*)*)"
)
_TYPE = re.compile(r"\s*(?:(?:unsigned|signed|short|long|int|char|float|double|bool|\w+_t)\b[\s*]*)+\Z")


def options_of(text: str) -> dict[str, str]:
    """Options by name in lower case; "" for flags."""
    found: dict[str, str] = {}
    at = 0
    while (match := _NAME.search(text, at)) is not None:
        at = match.end()
        equals = _EQUALS.match(text, at)
        value = ""
        if equals is not None:
            at = _value(text, equals.end())
            value = text[equals.end() : at].strip()
            at = max(at, equals.end())
        found[match.group().lower()] = value.strip('"')
    return found


def _value(text: str, at: int) -> int:
    """Where the expression that starts at `at` ends."""
    while True:
        end = _operand(text, at)
        if end == at or _EQUALS.match(text, end):  # nothing, or the name of the next option
            return at
        between = _BETWEEN.match(text, end)
        if between is None:
            return end
        following = _operand(text, between.end())
        if following == between.end():
            return end
        at = between.end()


def _operand(text: str, at: int) -> int:
    """Where one operand ends: signs and casts, a number, a name with what it is called or subscripted with."""
    quoted = _QUOTED.match(text, at)
    if quoted is not None:
        return quoted.end()
    start = at
    while (sign := _SIGN.match(text, at)) is not None:
        at = sign.end()
    if text[at : at + 1] in ("(", "{"):
        end = _closed(text, at)
        if end and _TYPE.match(text[at + 1 : end - 1]):
            blank = _BLANKS.match(text, end)
            inner = _operand(text, blank.end() if blank is not None else end)
            return inner if inner > end else end
        return _behind(text, end) if end else start
    plain = _PLAIN.match(text, at)
    return _behind(text, plain.end()) if plain is not None else start


def _behind(text: str, at: int) -> int:
    """Where the calls, subscripts, arguments and members behind a name end."""
    while True:
        if text[at : at + 1] in ("(", "["):
            end = _closed(text, at)
        elif text[at : at + 1] == "<":
            end = _closed(text, at)
            if not end or (text[end : end + 2] != "::" and text[end : end + 1] not in ("(", "{")):
                return at
        elif text[at : at + 2] == "::" or text[at : at + 1] == ".":
            name = _PLAIN.match(text, at + (2 if text[at] == ":" else 1))
            end = name.end() if name is not None else 0
        else:
            return at
        if not end:
            return at
        at = end


_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def _closed(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`; 0 where nothing does. Inside round ones `<` is no bracket."""
    pending: list[str] = []
    for index in range(at, len(text)):
        character = text[index]
        if character in "([{" or (character == "<" and not (pending and pending[-1] != ">")):
            pending.append(_PAIRS[character])
        elif pending and character == pending[-1]:
            pending.pop()
            if not pending:
                return index + 1
        elif character in ")]}":
            return 0
    return 0
