"""Names that are not known: imports, spelling, and what has moved between versions of Chisel."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ...say.util_names import UTIL_NAMES
from ..fixes import Candidate, Context, rule

MOVED = {
    "ChiselEnum": "",
    "EnumType": "",
    "RawModule": "",
    "MultiIOModule": "",
    "withClock": "",
    "withReset": "",
    "withClockAndReset": "",
    "ExtModule": "",
    "Param": "",
    "IntParam": "",
    "StringParam": "",
    "DoubleParam": "",
    "RawParam": "",
    "chiselName": "",
    "DataMirror": "chisel3.reflect.DataMirror",
    "SourceInfo": "chisel3.experimental.SourceInfo",
    "SourceInfoTransform": "chisel3.experimental.SourceInfo",
    "UnlocatableSourceInfo": "chisel3.experimental.UnlocatableSourceInfo",
    "prefix": "chisel3.experimental.prefix",
    "noPrefix": "chisel3.experimental.noPrefix",
    "ChiselStage": "circt.stage.ChiselStage",
}
# Names of packages that few files import: where they live in 6.7.0 and 7.14.0.
HOMES = {
    "LFSR": "chisel3.util.random.LFSR",
    "GaloisLFSR": "chisel3.util.random.GaloisLFSR",
    "FibonacciLFSR": "chisel3.util.random.FibonacciLFSR",
    "BoringUtils": "chisel3.util.experimental.BoringUtils",
    "loadMemoryFromFile": "chisel3.util.experimental.loadMemoryFromFile",
    "loadMemoryFromFileInline": "chisel3.util.experimental.loadMemoryFromFileInline",
    "decoder": "chisel3.util.experimental.decode._",
    "TruthTable": "chisel3.util.experimental.decode._",
    "Analog": "chisel3.experimental.Analog",
    "attach": "chisel3.experimental.attach",
    "BaseModule": "chisel3.experimental.BaseModule",
    "annotate": "chisel3.experimental.annotate",
    "Definition": "chisel3.experimental.hierarchy._",
    "Instance": "chisel3.experimental.hierarchy._",
    "Instantiate": "chisel3.experimental.hierarchy._",
    "instantiable": "chisel3.experimental.hierarchy._",
    "public": "chisel3.experimental.hierarchy._",
    "DataView": "chisel3.experimental.dataview._",
}
# Members that an import adds to signals and types.
MEMBER_HOMES = {
    "Lit": ("chisel3.experimental.BundleLiterals._", "chisel3.experimental.VecLiterals._"),
    "viewAs": ("chisel3.experimental.dataview._",),
    "viewAsSupertype": ("chisel3.experimental.dataview._",),
}
RENAMED_MEMBERS = {
    "toBool": "asBool",
    "toBools": "asBools",
    "toUInt": "asUInt",
    "toSInt": "asSInt",
    "asBits": "asUInt",
    "fire()": "fire",
}


def import_edit(c: Context, name: str) -> tuple[int, int, str]:
    """Insert an import after the last one on top, else after the package clause, else first."""
    imports = list(re.finditer(r"^import[ \t][^\r\n]*", c.scala.code, re.MULTILINE))
    if imports:
        chisel = [m for m in imports if "chisel3._" in m.group(0)] or imports
        at = chisel[0].start() + len(c.text[chisel[0].start() :].split("\n", 1)[0].rstrip("\r"))
        return at, at, f"{c.line_end}import {name}"
    package = re.search(r"^package[ \t][^\r\n{]*", c.scala.code, re.MULTILINE)
    if package:
        return package.end(), package.end(), f"{c.line_end}{c.line_end}import {name}"
    return 0, 0, f"import {name}{c.line_end}"


@rule(r"not found: (?:value|type)|java\.lang\.Enum is not a value")
def _missing_import(c: Context) -> Iterator[Candidate]:
    """Names of chisel3 and chisel3.util."""
    match = re.search(r"not found: (?:value|type) (\w+)", c.message)
    name = match[1] if match else "Enum"
    code = c.scala.code
    if not re.search(r"import\s+chisel3\._", code) and name not in UTIL_NAMES and not c.scala.declared[name]:
        yield Candidate("import chisel3._", (import_edit(c, "chisel3._"),), safe=True)
    if name in UTIL_NAMES and not re.search(r"import\s+chisel3\.util\._", code):
        yield Candidate("import chisel3.util._", (import_edit(c, "chisel3.util._"),), safe=True)
    home = MOVED.get(name) or HOMES.get(name)
    known = home and re.search(rf"import\s+(?:_root_\.)?{re.escape(home)}(?!\w)", code)
    if home and not known and not c.scala.declared[name]:
        yield Candidate(f"import {home}", (import_edit(c, home),), safe=True)


@rule(r"not found: value [A-Z]")
def _missing_new(c: Context) -> Iterator[Candidate]:
    """`Sub()` for a class of this file."""
    name = c.message.rpartition(" ")[2]
    if re.search(rf"\bclass\s+{re.escape(name)}\b", c.scala.code):
        yield Candidate(f"new {name}", ((c.span[0], c.span[0], "new "),), safe=True)


def _spelled_so(c: Context, name: str) -> bool:
    """Whether a name is spelled right: the library's, or one that the text uses where it does not define it."""
    return not c.scala.declared[name] or len(re.findall(rf"\b{re.escape(name)}\b", c.scala.code)) > 1


@rule(r"not found: (?:value|type)")
def _typo(c: Context) -> Iterator[Candidate]:
    """The nearest names, and fields of io that lack their prefix."""
    match = re.search(r"not found: (?:value|type) (\w+)", c.message)
    if match is None or match[1] in UTIL_NAMES:
        return
    name = match[1]
    start = c.scala.code.find(name, c.span[0])
    if start < 0 or start > c.span[1]:
        return
    if name in c.scala.io_fields and re.search(r"\bval\s+io\b", c.scala.code):
        edits = _every_bare(c, name, "io.")
        # Who writes `val a = io.a >> 2` may have lost such a line: then it is another signal.
        habit = re.search(r"\bval\s+(\w+)\s*=\s*io\s*\.\s*\1\b", c.scala.code)
        yield Candidate(f"io.{name}", edits or ((start, start, "io."),), safe=habit is None)
    known = [word for word in c.scala.declared if word != name] + sorted(UTIL_NAMES) + KNOWN_NAMES + _parameters(c)
    folded = {word for word in known if word.lower() == name.lower()}
    if len(folded) == 1:  # only the case is wrong, everywhere
        near = folded.pop()
        places = [(m.start(), m.end(), near) for m in c.matches(rf"(?<![\w.]){re.escape(name)}\b", c.home)]
        yield Candidate(f"{near} instead of {name}", tuple(places), safe=_spelled_so(c, near))
        return
    for near in difflib.get_close_matches(name, known, n=3, cutoff=0.6):
        yield Candidate(f"{near} instead of {name}", ((start, start + len(name), near),))


KNOWN_NAMES = [
    "Int",
    "String",
    "Boolean",
    "Double",
    "BigInt",
    "UInt",
    "SInt",
    "Bool",
    "Clock",
    "Reset",
    "Input",
    "Output",
    "Flipped",
    "Module",
    "RawModule",
    "Bundle",
    "Vec",
    "VecInit",
    "Reg",
    "RegInit",
    "RegNext",
    "Wire",
    "WireDefault",
    "WireInit",
    "Mem",
    "SyncReadMem",
    "Mux",
    "IO",
    "DontCare",
    "when",
    "withClock",
    "withReset",
    "withClockAndReset",
    "BlackBox",
    "true",
    "false",
]


def _parameters(c: Context) -> list[str]:
    """Names of parameters and of what a loop runs over, which no key word declares."""
    return sorted(c.scala.parameters - c.scala.declared.keys())


def _every_bare(c: Context, name: str, prefix: str) -> tuple[tuple[int, int, str], ...]:
    """The same name in the same class body, where it stands without a dot and is not declared."""
    block = c.scala.enclosing_block(c.span[0])
    where = block or c.whole
    found = c.matches(rf"(?<![\w.])(?<!val ){re.escape(name)}\b(?!\s*[:=]\s*(?:Input|Output|Flipped))", where)
    return tuple((m.start(), m.start(), prefix) for m in found)


@rule(r"did you mean")
def _did_you_mean(c: Context) -> Iterator[Candidate]:
    """The compiler's own suggestions."""
    match = re.search(r"(?:value|type|object) (\S+) is not a member of", c.message)
    names = re.findall(r"(?:did you mean |, |or )(?:perhaps )?(\w+)", c.message[c.message.index("did you mean") :])
    if match is None:
        return
    wrong = match[1]
    in_import = c.scala.code[c.line[0] :].lstrip().startswith("import")
    at = c.text.find(wrong, c.span[0])
    if at < 0 or at > c.line[1]:  # a chain of calls goes on further down
        further = next(c.matches(rf"\.\s*(?P<at>){re.escape(wrong)}(?!\w)", (c.span[0], c.home[1])), None)
        if further is None:
            return
        at = further.start("at")
    for name in names:
        folded = name.lower() == wrong.lower() and _spelled_so(c, name)
        safe = RENAMED_MEMBERS.get(wrong) == name or folded or (in_import and len(names) == 1)
        yield Candidate(f"{name} instead of {wrong}", ((at, at + len(wrong), name),), safe=safe)


_STREAM_FIELDS = ("valid", "ready", "bits", "fire")


@rule(r"value \w+ is not a member of chisel3\.util\.(?:Decoupled|ReadyValid|Irrevocable|Valid|Queue)")
def _field_of_stream(c: Context) -> Iterator[Candidate]:
    """in.fired, in.data: the fields of a stream are few."""
    match = re.search(r"value (\w+) is not a member of", c.message)
    name = match[1] if match else ""
    near = difflib.get_close_matches(name, _STREAM_FIELDS, n=2, cutoff=0.5)
    for field in near or (("bits",) if name.lower() in ("data", "payload", "value") else ()):
        edits = [(*m.span("at"), field) for m in c.matches(rf"\.(?P<at>{re.escape(name)})\b")]
        yield Candidate(f"{field} instead of {name}", tuple(edits), safe=len(near) == 1)


@rule(r"value \w+ is not a member of")
def _member_import(c: Context) -> Iterator[Candidate]:
    """Members that an import adds."""
    match = re.search(r"value (\w+) is not a member of", c.message)
    for home in MEMBER_HOMES.get(match[1], ()) if match else ():
        if f"import {home}" not in c.scala.code:
            yield Candidate(f"import {home}", (import_edit(c, home),), safe=True)


@rule(r"found\s*: Unit\s+required: chisel3\.experimental\.SourceInfo|Unit does not take parameters|too many arguments")
def _otherwise_with_condition(c: Context) -> Iterator[Candidate]:
    """.otherwise(c) { ... }: with a condition it is elsewhen."""
    places = c.matches(r"\.\s*(?P<word>otherwise)\s*(?=\()", c.home)
    edits = []
    for match in places:
        group = c.scala.group(match.end(), "(")
        if group and c.scala.code[c.scala.skip_space(group[1] + 1) : c.scala.skip_space(group[1] + 1) + 1] == "{":
            edits.append((*match.span("word"), "elsewhen"))
    if edits:
        yield Candidate("elsewhen where there is a condition", tuple(edits), safe=True)


@rule(r"value \w+ is not a member of chisel3\.WhenContext")
def _when_chain(c: Context) -> Iterator[Candidate]:
    """After when there is elsewhen with a condition and otherwise without."""
    wrong = re.search(r"value (\w+) is not a member", c.message)
    edits = []
    for match in c.matches(rf"(?<=\}})\s*\.?\s*\b(?P<word>{wrong[1]})\b\s*(?P<open>[({{])", c.whole) if wrong else ():
        new = "elsewhen" if match["open"] == "(" else "otherwise"
        edits.append((match.start("word"), match.end("word"), new))
    if edits:
        yield Candidate("elsewhen and otherwise", tuple(edits), safe=True)


@rule(r"value (?:toBool|toBools|toUInt|toSInt|asBits) is not a member")
def _renamed_member(c: Context) -> Iterator[Candidate]:
    edits = []
    for old, new in RENAMED_MEMBERS.items():
        edits += [(m.start() + 1, m.end(), new) for m in c.matches(rf"\.{re.escape(old)}(?![\w])")]
    if edits:
        yield Candidate("use the new names", tuple(edits), safe=True)


@rule(
    r"is not a member of (?:package|object) chisel3|not found: (?:object|value) (?:Chisel|circt)|is not a member of package"
)
def _moved_import(c: Context) -> Iterator[Candidate]:
    """Imports of things that have moved."""
    for match in c.matches(r"import[ \t]+(?P<path>[\w.]+)\.(?P<what>\{[^}\n]*\}|\w+)(?![\w.])"):
        names = [part.strip() for part in match["what"].strip("{}").split(",") if part.strip()]
        gone = set(re.findall(r"(?:object|value|type|class) (\w+) is not a member of", c.message))
        moved = [name for name in names if name in MOVED]
        if not (gone & set(moved)):
            continue
        stay = [name for name in names if name not in MOVED or _still_there(match["path"], name)]
        lines = (
            [f"import {match['path']}.{stay[0]}" if len(stay) == 1 else f"import {match['path']}.{{{', '.join(stay)}}}"]
            if stay
            else []
        )
        lines += [f"import {home}" for home in dict.fromkeys(MOVED[name] for name in moved if name not in stay) if home]
        yield _replace_lines(c, match.start(), match.end(), lines, "import from where it is now")
    if "circt" in c.message or "util.circt" in c.message:
        edits = [
            (m.start("circt"), m.start("circt"), "_root_.")
            for m in c.matches(r"(?<![\w.])(?P<circt>circt)\.stage", c.whole)
        ]
        yield Candidate("_root_.circt", tuple(edits), safe=True)


def _still_there(path: str, name: str) -> bool:
    home = MOVED.get(name, "")
    return home == f"{path}.{name}"


def _replace_lines(c: Context, start: int, end: int, lines: list[str], title: str) -> Candidate:
    """Put `lines` in place of a statement; without lines its own line goes as well."""
    if lines:
        return Candidate(title, ((start, end, c.line_end.join(lines)),), safe=True)
    begin = c.text.rfind("\n", 0, start) + 1
    if c.text[begin:start].strip() == "" and c.text[end:].split("\n", 1)[0].strip() == "":
        after = c.text.find("\n", end)
        return Candidate(title, ((begin, len(c.text) if after < 0 else after + 1, ""),), safe=True)
    return Candidate(
        title, ((start, c.scala.skip_space(end + 1) if c.text[end : end + 1] == ";" else end, ""),), safe=True
    )
