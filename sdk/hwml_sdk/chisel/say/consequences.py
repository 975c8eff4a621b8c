"""Findings that follow from what is not here, a library, another Chisel, files past the limit, and are nobody's error.

They stay in place, as information or hints with their own code, and one note says what is missing and what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...document import Severity
from ..types import ChiselDiagnostic, CompileResult
from .scala_text import ScalaText

_IMPORT = re.compile(r"^\s*import\s+(?P<path>[\w.`]+)")
_ABSENT = re.compile(
    r"not found: (?:object|value) (?P<root>\w+)|object (?P<part>\w+) is not a member of package (?P<package>[\w.]+)"
)
_FOLLOWS = re.compile(
    r"not found:|is not a member of|is not a value|overrides nothing|could not find implicit"
    r"|found\s*: (?:Any|Nothing)\b|do(?:es)? not conform|does not take parameters|type mismatch"
)
_UNKNOWN = re.compile(
    r"not found:|is not a member of|is not a value|overrides nothing|could not find implicit|<error>"
    r"|constructor Object: "
)
_LIBRARIES = ("chisel3.iotesters", "Chisel.iotesters")  # below our own packages, and none of ours
_OWN = ("chisel3", "Chisel", "circt", "firrtl", "svsim", "scala", "java")
_BELOW = """
util experimental stage testers simulator reflect probe layer layers ltl properties choice connectable aop internal core
domain printf when withClock collection math io lang annotations ir options
"""
_OF_OURS = tuple(_BELOW.split())  # packages below our own, and functions that are imported by name
_CHISEL = re.compile(
    r"(?:member of|not found:).*\b(?:chisel3|Chisel|circt|firrtl)\b"
    r"|\bnot found: \w+ (?:FixedPoint|MultiIOModule|Driver|INPUT|OUTPUT|NODIR|ChiselStage|LFSR16|chiselName)\b"
)
_OLD_FORM = re.compile(r"overloaded method|not enough arguments|too many arguments|does not take parameters|cloneType")
_OF_CHISEL = re.compile(r"\b(?:chisel3|Chisel|circt|firrtl)\b")
_CONSTRUCTOR = re.compile(r"for constructor (\w+)|in class (\w+)")
_NOT_FOUND = re.compile(r"not found: (?:value|type) (\w+)")
_LACKING_CLASS = re.compile(r"is missing from the classpath")
_EMPTY = re.compile(r"\.(?:lit\w+|as(?:UInt|SInt|Bools?|Clock)|toBools|getWidth|cloneType)\(\)")
_PARENT = re.compile(r"\b(?:extends|with)\s+(\w+)")
_SLIP = 0.85
_SHORTEST = 4  # letters of a name that may be a slip of another
_NEAR = "did you mean"  # scalac knows a member of nearly the same name: nobody has renamed that one
NOT_HERE, MIGRATION = "CH904", "CH905"
_ALIKE = 0.75  # `chisle3` is a slip of the pen, `chiseltest` a library


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of where a file was checked.

    texts: of every file by path, the document first; packages: those that the project itself defines; libraries_known:
    whether a build said what there is; in_project: there is a build or repository around the file; asked: the Chisel
    version that the build names, version: the one that answered; left_out: more files were needed than a check takes;
    sees: whether a text can see a name of the project, by its own packages and imports; incomplete: what the build
    misses, or ""; defined: names that the project has.
    """

    texts: dict[str, str]
    packages: Iterable[str]
    libraries_known: bool
    in_project: bool
    asked: str
    version: str
    left_out: bool = False
    sees: Callable[[str, str], bool] = lambda text, name: False
    incomplete: str = ""
    defined: Container[str] = ()


@dataclass
class _Marker:
    around: Circumstances
    missing: dict[str, set[str]] = field(default_factory=dict)  # path of a file -> libraries that it asks for
    older: set[str] = field(default_factory=set)  # files that use an older Chisel
    lost: set[str] = field(default_factory=set)  # those of them whose `import Chisel._` leads nowhere

    def run(self, result: CompileResult) -> tuple[CompileResult, tuple[str, ...]]:
        for item in result.errors:
            self._look(item)
        tainted = self._tainted_names()
        marked = tuple(self._marked(item, tainted) for item in result.diagnostics)
        ok = all(item.severity != "error" for item in marked)
        return replace(result, ok=ok, diagnostics=marked), self._notes(result.diagnostics, marked)

    def _look(self, item: ChiselDiagnostic) -> None:
        library = self._library(item)
        if library:
            self.missing.setdefault(item.path, set()).add(library)
        elif self._is_older and _CHISEL.search(item.message) and _NEAR not in item.message:
            self.older.add(item.path)
            if item.message.startswith("not found: object Chisel"):
                self.lost.add(item.path)

    @property
    def _document(self) -> str:
        return next(iter(self.around.texts), "")

    @property
    def _is_older(self) -> bool:
        asked, version = _major(self.around.asked), _major(self.around.version)
        return 0 < asked < version

    def _library(self, item: ChiselDiagnostic) -> str:
        """The package that an import asks for and that nothing here has; "" for slips and for anything else."""
        absent = _ABSENT.search(item.message)
        line = _line(self.around.texts.get(item.path, ""), item.span.start_line)
        imported = _IMPORT.match(line)
        if absent is None or imported is None or self.around.libraries_known or not self.around.in_project:
            return ""
        name = absent["root"] or f"{absent['package']}.{absent['part']}"
        if name in _LIBRARIES:
            return name
        if (absent["root"] or absent["part"]) not in imported["path"].split("."):
            return ""
        root = name.split(".")[0]
        roots = {package.split(".")[0] for package in self.around.packages if package}
        if root in (*_OWN, *roots) or difflib.get_close_matches(root, roots, 1, _ALIKE):
            return ""
        below = imported["path"].split(".")[1:2]
        slip = difflib.get_close_matches(root, _OWN, 1, _ALIKE) and not (below and _is_foreign(below[0]))
        return "" if slip else name

    def _tainted_names(self) -> re.Pattern[str] | None:
        """Names that files which lack a library define: what is said of them elsewhere is not to be trusted."""
        texts = [self.around.texts.get(path, "") for path in (*self.missing, *self.older)]
        names = {m[1] for text in texts for m in re.finditer(r"\b(?:class|object|trait)\s+(\w+)", text)}
        return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, names)))})\b") if names else None

    def _marked(self, item: ChiselDiagnostic, tainted: re.Pattern[str] | None) -> ChiselDiagnostic:
        if item.severity != "error" or item.stage != "type":
            return item
        if self.missing and _LACKING_CLASS.search(item.message):
            return _as(item, NOT_HERE, "info", "follows from a library that is not here")
        # Of another file that lacks a library nothing is to be trusted: it compiles where the library is.
        if item.path in self.missing and (item.path != self._document or _UNKNOWN.search(item.message)):
            words = f"follows from a library that is not here ({', '.join(sorted(self.missing[item.path]))})"
            return self._unless_slip(item, NOT_HERE, "info", words)
        follows = item.path in self.lost or (item.path in self.older and _UNKNOWN.search(item.message))
        if self._is_older and (follows or self._migrates(item)):
            words = f"the build asks for Chisel {self.around.asked}; for {self.around.version} this is to change"
            return self._unless_slip(item, MIGRATION, "hint", f"{words}. {item.hint}" if item.hint else words)
        if tainted is not None and tainted.search(item.message) and _FOLLOWS.search(item.message):
            return _as(item, NOT_HERE, "info", "follows from a file that cannot be checked here")
        unknown = _NOT_FOUND.search(item.message)
        if self.around.incomplete and unknown is not None and unknown[1] not in self.around.defined:
            return self._unless_slip(item, NOT_HERE, "info", f"may follow from this: {self.around.incomplete}")
        if self.around.left_out and _UNKNOWN.search(item.message):
            return _as(item, NOT_HERE, "info", "more files are needed than one check takes")
        return item

    def _unless_slip(self, item: ChiselDiagnostic, code: str, severity: Severity, words: str) -> ChiselDiagnostic:
        near = self._slip_of(item)
        return _as(item, code, "warning" if near else severity, f"{words}, or {near} was meant" if near else words)

    def _slip_of(self, item: ChiselDiagnostic) -> str:
        """A name of the document that one used only once may be a slip of: a library's name is rarely so near."""
        unknown = _NOT_FOUND.search(item.message)
        text = self.around.texts.get(item.path, "")
        if unknown is None or len(unknown[1]) < _SHORTEST or item.path != self._document:
            return ""
        if len(re.findall(rf"\b{unknown[1]}\b", text)) != 1:
            return ""
        near = [*ScalaText(text).declared, *self._inherited(text), "true", "false", "clock", "reset"]
        return next(iter(difflib.get_close_matches(unknown[1], near, 1, _SLIP)), "")

    def _inherited(self, text: str) -> list[str]:
        """Names that the files declare which hold the parents of a text's classes."""
        parents = set(_PARENT.findall(text))
        others = [ScalaText(other) for other in self.around.texts.values() if other != text] if parents else []
        return [name for other in others if parents & other.declared.keys() for name in other.declared]

    def _migrates(self, item: ChiselDiagnostic) -> bool:
        """Whether an error is about Chisel's library: other names, some of which hide the project's, or arguments."""
        if _NEAR in item.message:
            return False
        text = self.around.texts.get(item.path, "")
        unknown = _NOT_FOUND.search(item.message)
        if unknown is not None and self.around.sees(text, unknown[1]):
            return True
        if item.code == "CH117" and _EMPTY.search(_line(text, item.span.start_line)):
            return True
        return item.code == "CH114" or bool(_CHISEL.search(item.message)) or self._old_form(item)

    def _old_form(self, item: ChiselDiagnostic) -> bool:
        """Other arguments than Chisel's method takes, not than a class of the project does."""
        if not (_OLD_FORM.search(item.message) and _OF_CHISEL.search(item.message)):
            return False
        names = {name for pair in _CONSTRUCTOR.findall(item.message) for name in pair if name}
        own = re.compile(rf"\bclass\s+(?:{'|'.join(map(re.escape, names))})\b") if names else None
        return own is None or not any(own.search(text) for text in self.around.texts.values())

    def _notes(self, before: Sequence[ChiselDiagnostic], after: Sequence[ChiselDiagnostic]) -> tuple[str, ...]:
        notes = []
        changed = [new for old, new in zip(before, after, strict=True) if old is not new]
        count = sum(item.code == NOT_HERE for item in changed)
        if self.missing:
            names = ", ".join(sorted(set().union(*self.missing.values())))
            notes.append(
                f"not here: {names}; {_findings(count)} from that, and nothing was elaborated. A build server "
                "(sbt bspConfig) in a trusted folder says where a project's libraries are"
            )
        elif count and self.around.left_out:
            notes.append(f"more files are needed than one check takes; {_findings(count)} from that")
        count = sum(item.code == MIGRATION for item in changed)
        if count:
            notes.append(
                f"written for Chisel {self.around.asked}, checked with {self.around.version}: {_findings(count)} from "
                "that, as hints of what a migration would change"
            )
        return tuple(notes)


def _is_foreign(part: str) -> bool:
    """Whether a package below `chisel` is none of Chisel's: `chisel.lib` is a library, `chisel.util` a slip."""
    return part[:1].islower() and not difflib.get_close_matches(part, _OF_OURS, 1, _ALIKE)


def _as(item: ChiselDiagnostic, code: str, severity: Severity, words: str) -> ChiselDiagnostic:
    said = item.cause or " ".join(item.message.split())
    return replace(item, code=code, severity=severity, cause=f"{said}: {words}", hint="")


def _findings(count: int) -> str:
    return f"{count} finding{'s follow' if count != 1 else ' follows'}"


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number] if 0 <= number < len(lines) else ""


def _major(version: str) -> int:
    head = version.split(".", maxsplit=1)[0]
    return int(head) if head.isdigit() else 0


def mark_consequences(result: CompileResult, around: Circumstances) -> tuple[CompileResult, tuple[str, ...]]:
    """The result with the findings that follow from missing things marked as such, and a note for each such thing."""
    return _Marker(around).run(result)
