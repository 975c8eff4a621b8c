"""From what the tools say to diagnostics: the right file, the right range, the right code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from ...document import Severity, Span
from ..compile.checker import CompileOutcome, Finding, ModuleClass
from ..compile.elaborator import Elaborated
from ..compile.firtool import FirtoolMessage, Lowered
from ..types import ChiselDiagnostic, Stage
from .calls import Call, call_at
from .codes import meaning_of
from .positions import Text

# Said, but no reason for a check to fail: it works, and real code is full of it.
_QUIET: dict[str, Severity] = {"CH191": "hint", "CH305": "info"}
_PARSE_CODES = {"CH001", "CH002", "CH003"}
# 6.x writes `@[Foo.scala 8:17]`, 7.x `@[Foo.scala:8:17]`; printed lines have `Foo.scala 8:17: ` or `Foo.scala:8:17: `.
_LOCATOR = re.compile(r"@\[(?P<file>[^\]\s:]+)[ :](?P<line>\d+)(?::(?P<column>\d+))?\]")
_PRINTED = re.compile(
    r"^\[(?P<kind>error|warn)\] (?:(?P<file>[^\s:]+\.\w+)[ :](?P<line>\d+)(?::(?P<column>\d+))?: ?)?(?P<text>.*)$",
    re.MULTILINE,
)
_SUMMARY = re.compile(r"There were \d+ (?:warning|error)|^\s*$|^\s*\^?\s*$|stack trace|^\s+at ")
_INNER = re.compile(r"\bhwml_\d+\.")  # the package in which a check lives


class Sources:
    """The files of one check: the caller's paths, and the short names under which the tools know them."""

    def __init__(self, files: Sequence[tuple[str, str]]) -> None:
        self.main_path = files[0][0]
        self._by_name: dict[str, tuple[str, Text]] = {}
        for path, text in files:
            name = self._unused(PurePath(path.replace("\\", "/")).name or "source.scala")
            self._by_name[name] = (path, Text(text))
        self._main_name = next(iter(self._by_name))

    def _unused(self, name: str) -> str:
        plain = re.sub(r"[^\w.\-]", "_", name)
        candidate, count = plain, 1
        while candidate in self._by_name:
            count += 1
            candidate = f"{count}_{plain}"
        return candidate

    @property
    def named(self) -> list[tuple[str, str]]:
        """(short name, text) of each file."""
        return [(name, text.text) for name, (_, text) in self._by_name.items()]

    @property
    def main_name(self) -> str:
        """The document's short name."""
        return self._main_name

    @property
    def main_text(self) -> Text:
        """The document's text."""
        return self._by_name[self._main_name][1]

    def is_main(self, name: str) -> bool:
        """Whether a short name is the document's."""
        return name == self._main_name

    def knows(self, name: str) -> bool:
        """Whether a short name is one of this check."""
        return name in self._by_name

    def get(self, name: str) -> tuple[str, Text]:
        """Path and text of a short name; the document when the tool named none."""
        return self._by_name.get(name) or self._by_name[self._main_name]


def scalac_diagnostics(outcome: CompileOutcome, calls: list[Call], sources: Sources) -> list[ChiselDiagnostic]:
    """What scalac found, without what only follows from an unknown name."""
    if outcome.crash:
        words = f"the compiler crashed: {outcome.crash[:300]}"
        cause = "the compiler itself crashed on this file and was restarted"
        return [ChiselDiagnostic("CH911", "error", "type", sources.main_path, Span.line(0), words, cause)]
    found = []
    for finding in outcome.findings:
        if finding.severity == "INFO" or _call_of(finding, calls, sources) is not None:
            continue
        severity: Severity = "error" if finding.severity == "ERROR" else "warning"
        path, text = sources.get(finding.file)
        if finding.point < 0:
            if severity == "warning":  # a summary such as "3 feature warnings"
                continue
            span = Span.line(0)
        else:
            span = text.utf16_span(finding.start, finding.point, finding.end)
        found.append(_diagnostic("type", severity, path, span, finding.message))
    return _without_consequences(found)


def _without_consequences(found: list[ChiselDiagnostic]) -> list[ChiselDiagnostic]:
    """An unknown name has the type Any or Nothing further on: those complaints say nothing new."""
    unknown = any("not found:" in item.message or "is not a value" in item.message for item in found)
    if not unknown:
        return found
    echo = re.compile(r"found\s*: Any\b|\[Any\] do not conform")
    return [item for item in found if not echo.search(item.message)]


def _diagnostic(
    stage: Stage, severity: Severity, path: str, span: Span, message: str, *, error: str = ""
) -> ChiselDiagnostic:
    message = _INNER.sub("", message)
    meaning = meaning_of(stage, severity, message, error)
    if meaning.code in _PARSE_CODES:
        stage = "parse"
    severity = _QUIET.get(meaning.code, severity)
    return ChiselDiagnostic(meaning.code, severity, stage, path, span, message.strip(), meaning.cause, meaning.hint)


def calls_diagnostics(outcome: CompileOutcome, calls: list[Call], sources: Sources) -> list[ChiselDiagnostic]:
    """Errors in what the user asked to elaborate, at the line that asks."""
    found = []
    wrong = [(call, "not of the form Name(arguments)") for call in calls if not call.well_formed]
    for finding in outcome.findings:
        call = _call_of(finding, calls, sources)
        if call is not None and call.well_formed and finding.severity == "ERROR":
            wrong.append((call, finding.message))
    for call, message in wrong:
        span = sources.main_text.line_span(call.line) if call.line is not None else Span.line(0)
        words = f"cannot elaborate {call.expression}: {message}"
        found.append(
            ChiselDiagnostic(
                "CH903", "error", "type", sources.main_path, span, words, "", "write it as Name(arguments)"
            )
        )
    return found


def _call_of(finding: Finding, calls: list[Call], sources: Sources) -> Call | None:
    """The asked-for instance that a finding is about; a document that does not parse is never a call's fault."""
    if not sources.is_main(finding.file) or "expected" in finding.message:
        return None
    return call_at(calls, sources.main_text.text, finding.point)


_ENDINGS = {
    "timeout": ("CH230", "its constructor did not finish in {limit:g} s and was stopped", "look for an endless loop"),
    "memory": ("CH231", "its constructor ran out of memory and was stopped", "look for a collection that grows"),
    "exit": ("CH232", "its constructor calls System.exit", "throw an exception, or use require"),
    "garbled": ("CH234", "its constructor disturbs the line to hwml", "a constructor only describes hardware"),
    "died": ("CH233", "the process that elaborates died", "try again; native code or a limit may be the reason"),
}


# What the fence refuses, and files that are not there behind it: nothing that the source could be blamed for.
_FILE_TROUBLE = {
    "java.io.FileNotFoundException",
    "java.nio.file.AccessDeniedException",
    "java.nio.file.FileSystemException",
    "java.nio.file.NoSuchFileException",
    "java.nio.file.ReadOnlyFileSystemException",
}


_NO_FOLDER = re.compile(r"requirement failed: \? is not an absolute path")  # os.pwd, where there is no folder to be in


def elaboration_diagnostics(
    result: Elaborated,
    modules: Mapping[str, ModuleClass],
    calls: Sequence[Call],
    sources: Sources,
    *,
    user_classes: frozenset[str],
    timeout_s: float,
    fence: bool,
) -> list[ChiselDiagnostic]:
    """What one elaboration threw and printed."""
    home = _home(result.target, modules, calls, sources)
    found = _printed(result.output, home, sources)
    if result.ending == "ok":
        return [item for item in found if item.severity != "error"]
    if result.ending != "fail":
        code, words, hint = _ENDINGS[result.ending]
        path, span, name = home
        message = f"{name}: {words.format(limit=timeout_s)}"
        return [*found, ChiselDiagnostic(code, "error", "elaborate", path, span, message, message, hint)]
    if any(item.severity == "error" for item in found):
        return found  # "Fatal errors during hardware elaboration. Look above"
    path, span = _thrown_at(result, home, user_classes, sources)
    error, message = _cleaned(result)
    if fence and (error in _FILE_TROUBLE or _NO_FOLDER.search(message)):
        words = f"{home[2]} was not elaborated: its constructor uses a file, and no file is in its reach ({message})"
        hint = "hwml chisel check --no-fence runs it with your own rights"
        return [*found, ChiselDiagnostic("CH235", "info", "elaborate", path, span, words, "", hint)]
    return [*found, _diagnostic("elaborate", "error", path, span, message, error=error)]


def _cleaned(result: Elaborated) -> tuple[str, str]:
    if result.error == "java.lang.StackOverflowError":
        return result.error, "the constructor calls itself without end (stack overflow)"
    message = result.message or result.error.rpartition(".")[2]
    return result.error, message.removeprefix("Error: ")


Home = tuple[str, Span, str]


def _home(target: str, modules: Mapping[str, ModuleClass], calls: Sequence[Call], sources: Sources) -> Home:
    """Where to complain when nothing names a place: the module's own name, or the line that asks for it."""
    module = modules.get(target)
    if module is not None:
        path, text = sources.get(module.file)
        start = text.from_utf16(module.point)
        return path, text.span(start, start + len(module.name)), module.name
    for call in calls:
        if target.endswith(f"{call.object_name}$"):
            span = sources.main_text.line_span(call.line) if call.line is not None else Span.line(0)
            return sources.main_path, span, call.expression
    return sources.main_path, Span.line(0), target


def _thrown_at(result: Elaborated, home: Home, user_classes: frozenset[str], sources: Sources) -> tuple[str, Span]:
    located = _LOCATOR.search(result.message)
    if located and sources.knows(located["file"]):
        return _located(located, sources)
    meant = _meant_place(result.message, sources)
    if meant is not None:
        return meant
    inside = ""  # the constructor that was called without Module(...): the call is what to show
    for frame in result.frames:
        if frame.class_name in user_classes and frame.line > 0 and sources.knows(frame.file):
            inside = inside or frame.class_name
            if _UNWRAPPED.search(result.message) and frame.class_name == inside:
                continue
            path, text = sources.get(frame.file)
            return path, text.line_span(frame.line - 1)
    return home[0], home[1]


_UNWRAPPED = re.compile(r"without wrapping it in Module")
# Messages that name something in the source and point elsewhere (to its use, or nowhere): what to look for.
_MEANT = (
    (re.compile(r"(?P<name>\w+) contains aliased fields"), r"\bclass\s+(?P<at>{name})\b"),
    (
        re.compile(r"public Seq member '(?P<name>\w+)'"),
        r"\bval\s+(?P<at>{name})\s*(?::[^=\n]*)?=\s*(?:Seq|List|Vector|Array)\b",
    ),
    (re.compile(r"Invalid base (?P<name>.)"), r'(?P<at>"{name}[\w_]*")\s*\.(?:U|asUInt)\b'),
)


def _meant_place(message: str, sources: Sources) -> tuple[str, Span] | None:
    """Where the document holds what a message names, if in one place only."""
    for said, pattern in _MEANT:
        named = said.search(message)
        if named:
            text = sources.main_text
            found = list(re.finditer(pattern.format(name=re.escape(named["name"])), text.text))
            if len(found) == 1:
                return sources.main_path, text.span(found[0].start("at"), found[0].end("at"))
    return None


def _located(match: re.Match[str], sources: Sources) -> tuple[str, Span]:
    path, text = sources.get(match["file"])
    line = int(match["line"]) - 1
    column = int(match["column"] or 0) - 1
    if line == 0 or column < 0:  # line 1 is shifted by the package clause of the check
        return path, text.line_span(line)
    return path, text.token_span(line, column)


def _printed(output: str, home: Home, sources: Sources) -> list[ChiselDiagnostic]:
    """Chisel's own warnings and errors on the console; what a constructor prints itself is passed over."""
    found = []
    for match in _PRINTED.finditer(output):
        if _SUMMARY.search(match["text"]):
            continue
        severity: Severity = "error" if match["kind"] == "error" else "warning"
        if match["file"] and sources.knows(match["file"]):
            path, span = _located(match, sources)
        elif match["file"] is None and severity == "warning":
            continue
        else:
            path, span = _meant_place(match["text"], sources) or home[:2]
        found.append(_diagnostic("elaborate", severity, path, span, match["text"], error="chisel3.ChiselException"))
    return found


# Every module is lowered as if it were the top.
_OF_OUR_MAKING = re.compile(r"is empty but cannot be removed because the module is public")


def firtool_diagnostics(answer: Lowered, module: ModuleClass | None, sources: Sources) -> list[ChiselDiagnostic]:
    """What firtool refused, at the Scala line that its locator names."""
    if module is not None:
        path, text = sources.get(module.file)
        start = text.from_utf16(module.point)
        home = (path, text.span(start, start + len(module.name)))
    else:
        home = (sources.main_path, Span.line(0))
    messages = [message for message in answer.messages if not _OF_OUR_MAKING.search(message.text)]
    found = [_from_firtool(message, home, sources) for message in messages]
    if answer.failure:
        words = "firtool took too long" if answer.failure == "timeout" else answer.failure
        found.append(_diagnostic("firtool", "error", *home, words))
    return found


def _from_firtool(message: FirtoolMessage, home: tuple[str, Span], sources: Sources) -> ChiselDiagnostic:
    severity: Severity = "error" if message.severity == "error" else "warning"
    path, span = home
    if sources.knows(message.file):
        path, text = sources.get(message.file)
        line = message.line - 1
        span = text.line_span(line) if line == 0 else text.token_span(line, message.column - 1)
        span = _named_in(message.text, text, line) or span
    elif path == sources.main_path:  # no place in the source: somewhere in the module that was lowered
        span = _named_in(message.text, sources.main_text, span.start_line) or span
    return _diagnostic("firtool", severity, path, span, message.text)


_SINK = re.compile(r'(?:sink|port) "([\w.]+)"')
_CYCLE = re.compile(r"path: \w+\.\{(.*)\}")


def _named_in(message: str, text: Text, first_line: int) -> Span | None:
    """Where the signal that a message about a whole module names is first connected (or else mentioned) in it."""
    start = text.index(first_line, 0)
    if "concrete reset type" in message:
        port = re.compile(r"\bInput\(\s*Reset\(\)\s*\)").search(text.text, start)
        return text.span(port.start(), port.end()) if port else None
    name = _signal_of(message)
    if not name:
        return None
    pattern = re.compile(rf"(?<![\w.]){re.escape(name).replace('_', '[._]')}(?![\w])(?!\s*=\s*(?:Input|Output)\b)")
    found = list(pattern.finditer(text.text, start))
    connected = [m for m in found if re.match(r"\s*(?::?<?[:<>]?[=>]|:=|<>)", text.text[m.end() : m.end() + 6])]
    best = (
        next(iter(connected), None)
        or _whole_connected(text.text, start, name)
        or _declaration(text.text, start, name)
        or next(iter(found), None)
    )
    return text.span(best.start(), best.end()) if best else None


def _whole_connected(text: str, start: int, name: str) -> re.Match[str] | None:
    """Where the interface that a signal belongs to is connected as a whole: `io_out_valid` in `io.out <> io.in`."""
    parts = [re.escape(part) for part in re.split(r"[._]", name)]
    for end in range(len(parts) - 1, 0, -1):
        path = "[._]".join(parts[:end])
        both = re.compile(rf"(?<![\w.]){path}(?=\s*(?:<>|:<>=))|(?<=<>\s){path}(?![\w.(])|(?<=:<>=\s){path}(?![\w.(])")
        found = both.search(text, start)
        if found:
            return found
    return None


def _declaration(text: str, start: int, name: str) -> re.Match[str] | None:
    """Where a signal that is never connected is declared: `io_req_ready` is `req` of io, `outs_3` is `outs`."""
    instance, _, port = name.rpartition(".")
    if instance:  # an input of an instance: where the instance is made
        return _declaration(text, start, instance)
    parts = [part for part in port.split("_") if not part.isdigit()]
    for end in range(len(parts), 0, -1):
        for begin in range(end):
            word = re.compile(rf"(?<=\bval ){re.escape('_'.join(parts[begin:end]))}\b(?=\s*[=:])")
            here = word.search(text, start)
            everywhere = list(word.finditer(text))
            if here or len(everywhere) == 1:
                return here or everywhere[0]
    return None


def _signal_of(message: str) -> str:
    """The signal that a message names: the sink, or the first one of a cycle that the user named."""
    sink, cycle = _SINK.search(message), _CYCLE.search(message)
    if sink:
        return sink[1]
    names = re.findall(r"(?<![\w.])[A-Za-z]\w*", cycle[1]) if cycle else []
    return names[0] if names else ""
