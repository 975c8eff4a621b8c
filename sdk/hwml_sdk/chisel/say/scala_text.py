"""Just enough of Scala's lexical structure to edit text that may not parse: strings, comments, brackets, statements."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

_OPEN, _CLOSE = "([{", ")]}"
_SKIP = re.compile(
    r'//[^\n]*|/\*.*?(?:\*/|\Z)|"""(?s:.*?)(?:"""|\Z)|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL
)
_WIDTH = re.compile(r"\b(?:val|var)\s+(?P<name>\w+)\s*=\s*(?P<body>[^\n;]*?\b[US]Int\((?P<width>[^()]*?\.W)\))")
_DECLARED = re.compile(
    r"\b(?:val|var|def|class|object|trait|type)\s+(?P<names>\(?\s*\w+(?:\s*(?:,|::)\s*\w+)*)"  # also `a :: b`, `(a, b)`
)
_IO_FIELD = re.compile(
    r"\bval\s+(?P<names>\w+(?:\s*,\s*\w+)*)\s*=\s*(?:Input|Output|Flipped|Decoupled|Valid|new\b|Vec)\b"
)

_TYPED = re.compile(r"(?P<name>\w+)\s*(?::(?!=)|<-)")


class ScalaText:
    """A text with an index of what is code in it. Offsets count code points."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def code(self) -> str:
        """The text with strings and comments blanked out; offsets and line ends stay."""
        return _SKIP.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), self.text)

    @cached_property
    def partners(self) -> dict[int, int]:
        """Offset of each bracket -> offset of its partner; brackets without one are missing."""
        stack: list[int] = []
        found = {}
        for offset, character in enumerate(self.code):
            if character in _OPEN:
                stack.append(offset)
            elif character in _CLOSE:
                wanted = _OPEN[_CLOSE.index(character)]
                # An opener that was never closed must not take its neighbours' closers.
                deepest = next((n for n in range(len(stack) - 1, -1, -1) if self.code[stack[n]] == wanted), None)
                if deepest is not None:
                    found[stack[deepest]], found[offset] = offset, stack[deepest]
                    del stack[deepest:]
        return found

    def closing(self, opener: int) -> int | None:
        """Offset of the bracket that closes the one at `opener`."""
        return self.partners.get(opener)

    def skip_space(self, offset: int, *, lines: bool = False) -> int:
        """The next offset that is no blank (with `lines`: nor line end)."""
        blanks = " \t\r\n" if lines else " \t"
        while offset < len(self.code) and self.code[offset] in blanks:
            offset += 1
        return offset

    def skip_space_back(self, offset: int, *, lines: bool = False) -> int:
        """The offset after the last character before `offset` that is no blank."""
        blanks = " \t\r\n" if lines else " \t"
        while offset > 0 and self.code[offset - 1] in blanks:
            offset -= 1
        return offset

    def group(self, offset: int, opener: str) -> tuple[int, int] | None:
        """The bracket group that starts at `offset` (after blanks): offsets of opener and closer."""
        start = self.skip_space(offset)
        if start < len(self.code) and self.code[start] == opener:
            end = self.closing(start)
            if end is not None:
                return start, end
        return None

    def statement(self, offset: int) -> tuple[int, int]:
        """Start and end of the statement around `offset`: up to a line end, `;` or the brackets that enclose it."""
        start = offset
        while start > 0:
            character = self.code[start - 1]
            if character in _CLOSE and start - 1 in self.partners:
                start = self.partners[start - 1]
            elif character in "\n;" or character in _OPEN:
                break
            else:
                start -= 1
        end = offset
        while end < len(self.code):
            character = self.code[end]
            if character in _OPEN and end in self.partners:
                end = self.partners[end] + 1
            elif character in "\r\n;" or character in _CLOSE:
                break
            else:
                end += 1
        start = self.skip_space(start)
        return start, self.skip_space_back(end)

    def arguments(self, opener: int) -> list[tuple[int, int]]:
        """Trimmed offsets of the arguments inside the group that opens at `opener`."""
        closer = self.closing(opener)
        if closer is None:
            return []
        found, start, at = [], opener + 1, opener + 1
        while at < closer:
            if self.code[at] in _OPEN and at in self.partners:
                at = self.partners[at] + 1
                continue
            if self.code[at] == ",":
                found.append((start, at))
                start = at + 1
            at += 1
        if self.code[start:closer].strip() or found:
            found.append((start, closer))
        return [(self.skip_space(a, lines=True), self.skip_space_back(b, lines=True)) for a, b in found]

    def enclosing_call(self, offset: int) -> tuple[int, int] | None:
        """Offsets of the innermost `(` ... `)` around `offset`."""
        best = None
        for opener, closer in self.partners.items():
            if self.code[opener] == "(" and opener < offset <= closer and (best is None or opener > best[0]):
                best = (opener, closer)
        return best

    def called(self, opener: int) -> str:
        """The name before a `(`, empty where there is none."""
        found = re.search(r"(\w+)\s*$", self.code[:opener])
        return found[1] if found else ""

    def enclosing_block(self, offset: int) -> tuple[int, int] | None:
        """Offsets of the innermost `{` ... `}` around `offset`."""
        best = None
        for opener, closer in self.partners.items():
            if self.code[opener] == "{" and opener < offset <= closer and (best is None or opener > best[0]):
                best = (opener, closer)
        return best

    def operand_end(self, offset: int) -> int:
        """End of a simple expression that starts at `offset`: names, dots, literals, argument groups."""
        at = offset
        while at < len(self.code):
            character = self.code[at]
            if character.isalnum() or character in "_.":
                at += 1
            elif character in "([" and at in self.partners:
                at = self.partners[at] + 1
            else:
                break
        return at

    def operand_start(self, offset: int) -> int:
        """Start of a simple expression that ends at `offset`."""
        at = offset
        while at > 0:
            character = self.code[at - 1]
            if character.isalnum() or character in "_.":
                at -= 1
            elif character in ")]" and at - 1 in self.partners:
                at = self.partners[at - 1]
            else:
                break
        return at

    @cached_property
    def widths(self) -> dict[str, str]:
        """Names of signals with the width their definition spells, such as {"count": "8.W"}."""
        return {match["name"]: match["width"] for match in _WIDTH.finditer(self.code)}

    @cached_property
    def declared(self) -> Counter[str]:
        """Names that the text declares."""
        found = (name for match in _DECLARED.finditer(self.code) for name in re.findall(r"\w+", match["names"]))
        return Counter(name for name in found if name != "Nil")

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Names that stand before a type or in a generator of a `for`: parameters, and whatever else is given one."""
        return frozenset(match["name"] for match in _TYPED.finditer(self.code))

    @cached_property
    def io_fields(self) -> frozenset[str]:
        """Names that look like fields of an interface."""
        return frozenset(name for match in _IO_FIELD.finditer(self.code) for name in re.findall(r"\w+", match["names"]))

    def likely_widths(self, name: str) -> list[str]:
        """Widths to try for signal `name`: of what it is connected to, then the most common ones of the text."""
        related: list[str] = []
        for match in re.finditer(rf"(?<![\w.]){re.escape(name)}(?![\w])", self.code):
            start, end = self.statement(match.start())
            related += [self.widths[word] for word in re.findall(r"\w+", self.code[start:end]) if word in self.widths]
        common = [width for width, _ in Counter(self.widths.values()).most_common(3)]
        return list(dict.fromkeys([*related, *common]))
