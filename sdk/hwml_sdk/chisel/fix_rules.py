"""The rules themselves, by what the message says; see `fixes.py` for how they are used."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from .fixes import Candidate, Context, rule
from .util_names import UTIL_NAMES

# Where things went; "" means: into chisel3 itself, whose wildcard import brings it (migrations of Chisel 3.2 to 7).
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
RENAMED_MEMBERS = {
    "toBool": "asBool",
    "toBools": "asBools",
    "toUInt": "asUInt",
    "toSInt": "asSInt",
    "asBits": "asUInt",
    "fire()": "fire",
}
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*)L?")


# --- parsing -----------------------------------------------------------------------------------------------------


@rule(r"")
def _else_after_when(c: Context) -> Iterator[Candidate]:
    """else / else if / elsewhen without its dot, after a when block."""
    edits = []
    for match in c.matches(r"\}(?P<gap>\s*)(?P<word>else\s+if|elseif|elsif|elif|else|elsewhen|otherwise)\b", c.whole):
        opener = c.scala.closing(match.start())
        if opener is None or not _belongs_to_when(c, opener):
            continue
        word = match["word"]
        new = ".otherwise" if word in ("else", "otherwise") else ".elsewhen"
        gap = match["gap"] if not word.startswith("else") or match["gap"] else " "
        edits.append((match.start() + 1, match.end(), f"{gap or ' '}{new}"))
    if edits:
        yield Candidate("use .otherwise and .elsewhen after when", tuple(edits), safe=True)


def _belongs_to_when(c: Context, opener: int) -> bool:
    """Whether the block at `opener` is one of a when, elsewhen or an else chain that starts with a when."""
    before = c.scala.skip_space_back(opener, lines=True)
    code = c.scala.code
    if before and code[before - 1] == ")" and before - 1 in c.scala.partners:
        head = c.scala.skip_space_back(c.scala.partners[before - 1])
        word = re.search(r"(?:(else)\s+)?(\w+)$", code[:head])
        if word is None:
            return False
        if word[2] in ("when", "elsewhen"):
            return True
        if word[2] in ("if", "elseif", "elsif", "elif"):
            previous = c.scala.skip_space_back(word.start(), lines=True)
            back = c.scala.closing(previous - 1) if previous and code[previous - 1] == "}" else None
            return back is not None and _belongs_to_when(c, back)
    return False


@rule(r"value is is not a member|';' expected|value is does not|is\(")
def _is_on_one_line(c: Context) -> Iterator[Candidate]:
    """`is(a) {...} is(b) {...}` on one line needs a separator."""
    edits = [(m.start() + 1, m.start() + 1, ";") for m in c.matches(r"\}[ \t]+(?=is\s*\()", c.whole)]
    if edits:
        yield Candidate("separate the is blocks", tuple(edits), safe=True)


@rule(r"unclosed string literal")
def _unclosed_string(c: Context) -> Iterator[Candidate]:
    """A quote that was never closed: before the brackets that close the line, or at its end."""
    start, end = c.line
    line = c.text[start:end].rstrip()
    tail = re.search(r"[\s)\]};,]*$", line)
    method = re.search(r"\.(?:U|S|B|asUInt|U\([^()]*\)|asUInt\([^()]*\))[\s)\]};,]*$", line)
    if line.count('"') % 2 and tail:
        places = ([start + method.start()] if method else []) + [start + tail.start(), start + len(line)]
        for at in dict.fromkeys(places):
            yield Candidate("close the string", ((at, at, '"'),))


@rule(
    r"expected but eof found|[Mm]issing closing brace|expected but .* found|unmatched|eof expected|expected start of definition|illegal start"
)
def _missing_bracket(c: Context) -> Iterator[Candidate]:
    """Brackets that were opened and never closed."""
    code = c.scala.code
    for match in re.finditer(r"(?m)^[ \t]*(?P<at>)\.(?:otherwise|elsewhen)\b", code):
        before = c.scala.skip_space_back(match.start(), lines=True)
        if before and code[before - 1] != "}":
            yield Candidate("close the block above", ((match.start("at"), match.start("at"), "}"),))
    if code.count("{") > code.count("}"):
        end = len(c.text.rstrip())
        yield Candidate("close the block at the end", ((end, end, f"{c.line_end}}}"),))
    for opener in [i for i, ch in enumerate(code) if ch == "(" and i not in c.scala.partners][:2]:
        end = code.find("\n", opener)
        end = len(code) if end < 0 else end
        block = code.find("{", opener, end)
        places = [c.scala.skip_space_back(block)] if block > 0 else []
        for at in [*places, c.scala.skip_space_back(len(code[:end].rstrip("\r")))]:
            yield Candidate("close the parenthesis", ((at, at, ")"),))
    for at in [i for i in range(*c.line) if code[i] in ")]}" and i not in c.scala.partners]:
        yield Candidate("one bracket less", ((at, at + 1, ""),))
    for match in c.matches(r"\b(?:when|\.elsewhen|switch|is)[ \t]+(?P<cond>[^({\n][^{\n]*?)[ \t]*(?=\{)"):
        edits = ((match.start("cond"), match.end("cond"), f"({match['cond']})"),)
        yield Candidate("put the condition in parentheses", edits, safe=True)


@rule(r"identifier expected|expected but|not a member|invalid literal|octal")
def _verilog_literal(c: Context) -> Iterator[Candidate]:
    """8'hFF and the like."""
    edits = []
    bases = {"h": '"h{}".U({}.W)', "b": '"b{}".U({}.W)', "o": '"o{}".U({}.W)', "d": "{}.U({}.W)"}
    for match in re.compile(r"\b(\d+)'([hbodHBOD])([0-9a-fA-F_]+)").finditer(c.text, *c.line):
        edits.append((match.start(), match.end(), bases[match[2].lower()].format(match[3], match[1])))
    if edits:
        yield Candidate("write the constant in Chisel", tuple(edits), safe=True)


@rule(r"value \? is not a member|type \w+ is not a member|identifier expected|expected but|not found: type")
def _ternary(c: Context) -> Iterator[Candidate]:
    """cond ? a : b."""
    start, end = c.statement
    code = c.scala.code
    question = code.find("?", start, end)
    if question < 0:
        return
    depth, colon = 0, -1
    for at in range(question + 1, end):
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if code[at] == ":" and depth == 0 and code[at + 1 : at + 2] not in ("=", "<", ">"):
            colon = at
            break
    if colon < 0:
        return
    begin = start
    for operator in (":=", "<>", " = "):
        at = code.rfind(operator, start, question)
        if at >= 0:
            begin = max(begin, c.scala.skip_space(at + len(operator)))
    parts = [c.text[begin:question].strip(), c.text[question + 1 : colon].strip(), c.text[colon + 1 : end].strip()]
    yield Candidate("use Mux", ((begin, end, f"Mux({', '.join(parts)})"),), safe=True)


# --- names and imports -------------------------------------------------------------------------------------------


def _import_edit(c: Context, name: str) -> tuple[int, int, str]:
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
        yield Candidate("import chisel3._", (_import_edit(c, "chisel3._"),), safe=True)
    if name in UTIL_NAMES and not re.search(r"import\s+chisel3\.util\._", code):
        yield Candidate("import chisel3.util._", (_import_edit(c, "chisel3.util._"),), safe=True)
    home = MOVED.get(name)
    if home and not c.scala.declared[name]:
        yield Candidate(f"import {home}", (_import_edit(c, home),), safe=True)


@rule(r"not found: value [A-Z]")
def _missing_new(c: Context) -> Iterator[Candidate]:
    """`Sub()` for a class of this file."""
    name = c.message.rpartition(" ")[2]
    if re.search(rf"\bclass\s+{re.escape(name)}\b", c.scala.code):
        yield Candidate(f"new {name}", ((c.span[0], c.span[0], "new "),), safe=True)


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
        yield Candidate(f"io.{name}", edits or ((start, start, "io."),), safe=True)
    known = [word for word in c.scala.declared if word != name] + sorted(UTIL_NAMES) + _CHISEL_NAMES
    for near in difflib.get_close_matches(name, known, n=3, cutoff=0.6):
        yield Candidate(f"{near} instead of {name}", ((start, start + len(name), near),))


_CHISEL_NAMES = [
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
]


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
    at = c.text.find(wrong, c.span[0])
    if at < 0 or at > c.line[1]:
        return
    for name in names:
        safe = RENAMED_MEMBERS.get(wrong) == name
        yield Candidate(f"{name} instead of {wrong}", ((at, at + len(wrong), name),), safe=safe)


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


# --- constants and types -----------------------------------------------------------------------------------------


@rule(
    r"found\s*: (?:Int|Long|BigInt)|arguments \[(?:Int|Long)\] do not conform|cannot be applied to \(Int\)|cannot be applied to \(chisel3\.\w+, Int|\(Int, "
)
def _scala_number(c: Context) -> Iterator[Candidate]:
    """A Scala number where a signal or a width is wanted."""
    if "Width" in c.message:
        yield from _width_number(c)
        return
    if "do not conform" in c.message:
        opener = c.scala.group(c.span[1], "(")
        where = [a for a in (c.scala.arguments(opener[0]) if opener else []) if _NUMBER.fullmatch(c.text[a[0] : a[1]])]
    else:
        where = [c.span] if c.span[1] > c.span[0] else []
    if re.search(r"cannot be applied", c.message):
        where = _bare_numbers(c)
    for start, end in where:
        yield from _as_signal(c, start, end)


def _bare_numbers(c: Context) -> list[tuple[int, int]]:
    """Numbers in the statement that stand as arguments or operands, without .U and the like."""
    pattern = r"(?<![\w.\"'])\d[\d_]*(?![\w.]*\w)(?!\.)"
    return [(m.start(), m.end()) for m in c.matches(pattern, c.statement)]


def _as_signal(c: Context, start: int, end: int) -> Iterator[Candidate]:
    words = c.text[start:end]
    literal = _NUMBER.fullmatch(words)
    shown = words if literal or re.fullmatch(r"\w+", words) else f"({words})"
    kind = "S" if "SInt" in c.message or words.startswith("-") else "U"
    if "chisel3.Bool" in c.message and words in ("0", "1"):
        yield Candidate(f"{words} as a Bool", ((start, end, "true.B" if words == "1" else "false.B"),), safe=True)
        return
    if words.startswith("-"):
        shown = f"({words})" if not literal else words
    name = _initialised(c, start)
    if name is not None:  # RegInit(0), WireDefault(0): the width must come from somewhere
        for width in c.scala.likely_widths(name)[:3]:
            yield Candidate(f"{shown}.{kind}({width})", ((start, end, f"{shown}.{kind}({width})"),))
        return
    # Where bits are put side by side the width of a constant is part of the meaning.
    call = c.scala.enclosing_call(start)
    joined = call is not None and bool(re.search(r"\b(?:Cat|Fill)\s*$", c.scala.code[: call[0]]))
    yield Candidate(f"{shown}.{kind}", ((start, end, f"{shown}.{kind}"),), safe=not joined)


def _initialised(c: Context, offset: int) -> str | None:
    """The name of the register or wire whose only argument stands at `offset`."""
    call = c.scala.enclosing_call(offset)
    if call is None:
        return None
    head = re.search(r"val\s+(\w+)\s*=\s*(?:RegInit|WireInit|WireDefault)\s*$", c.scala.code[: call[0]])
    return head[1] if head and len(c.scala.arguments(call[0])) == 1 else None


def _width_number(c: Context) -> Iterator[Candidate]:
    """UInt(8), UInt(width = 8)."""
    start, end = c.span
    words = c.text[start:end]
    named = re.search(r"\bwidth\s*=\s*$", c.scala.code[:start])
    begin = named.start() if named else start
    shown = words if re.fullmatch(r"\w+", words) else f"({words})"
    call = c.scala.enclosing_call(start)
    before = c.scala.code[: call[0]] if call else ""
    typed = re.search(
        r"\b(?:Input|Output|Wire|Reg|IO|Vec|Flipped|RegInit|Decoupled|Valid|Mem)\s*\(\s*(?:\w+\s*,\s*)*[US]Int$", before
    )
    literal = re.search(r"[US]Int$", before)
    if literal and not typed and not named:
        letter = "S" if before.endswith("SInt") else "U"
        assert call is not None
        yield Candidate(f"{words}.{letter}", ((call[0] - 4, call[1] + 1, f"{shown}.{letter}"),))
    yield Candidate(f"{shown}.W", ((begin, end, f"{shown}.W"),), safe=bool(typed or named or not literal))


@rule(
    r"found\s*: Boolean|arguments \[Boolean\]|overloaded method|found\s*: Any|value (?:unary_)?\S+ is not a member of Boolean"
)
def _scala_boolean(c: Context) -> Iterator[Candidate]:
    """true, ==, != where signals are meant."""
    edits = [(m.end(), m.end(), ".B") for m in c.matches(r"(?<![\w.])(?:true|false)\b(?!\.)", _around(c))]
    if edits:
        yield Candidate("a Bool constant", tuple(edits), safe=True)
    compared = []
    for match in c.matches(r"(?<![=!<>:/])(==|!=)(?!=)", _around(c)):
        compared.append((match.start(), match.end(), "===" if match[1] == "==" else "=/="))
    if compared:
        yield Candidate("compare signals with === and =/=", tuple(compared), safe=True)


def _around(c: Context) -> tuple[int, int]:
    """The statement, widened past the parentheses that enclose it."""
    start, end = c.statement
    while start > 0 and c.scala.code[c.scala.skip_space_back(start, lines=True) - 1] in "([,":
        outer = c.scala.enclosing_call(start)
        if outer is None:
            break
        start, end = c.scala.statement(outer[0])
    return min(start, c.span[0]), max(end, c.span[1])


@rule(r"found\s*: chisel3\.(?:UInt|Bits|SInt)\s+required: chisel3\.Bool")
def _wanted_bool(c: Context) -> Iterator[Candidate]:
    """A UInt where a Bool is wanted."""
    start, end = c.span
    words = c.text[start:end]
    shown = words if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", words) else f"({words})"
    yield Candidate("any bit set: .orR", ((start, end, f"{shown}.orR"),))
    yield Candidate("not zero: =/= 0.U", ((start, end, f"({words} =/= 0.U)"),))
    yield Candidate("one bit: .asBool", ((start, end, f"{shown}.asBool"),))


@rule(r"found\s*: chisel3\.(?:Reset|AsyncReset|Clock)\s+required: chisel3\.(?:Bool|UInt|Data)")
def _reset_as_bool(c: Context) -> Iterator[Candidate]:
    yield Candidate(".asBool", ((c.span[1], c.span[1], ".asBool"),), safe=True)


@rule(
    r"(?:found\s*: chisel3\.[US]Int\s+required: chisel3\.[US]Int|Connection between sink .*[US]Int.*source .*[US]Int|Sink .*SInt|Sink .*UInt)"
)
def _signedness(c: Context) -> Iterator[Candidate]:
    """UInt and SInt mixed."""
    start, end = c.span
    wanted = re.search(r"required: chisel3\.([US])Int", c.message)
    if wanted is None:
        connect = next(c.matches(r":=\s*", c.statement), None)
        sink = re.search(r"sink \([^)]*?([US])Int", c.message)
        if connect is None or sink is None:
            return
        start, end, wanted = connect.end(), c.statement[1], sink
    words = c.text[start:end]
    shown = words if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", words) else f"({words})"
    yield Candidate(f".as{wanted[1]}Int", ((start, end, f"{shown}.as{wanted[1]}Int"),))


@rule(r"does not take parameters|SourceInfo|overloaded method|not enough arguments|cannot be applied to \(\)")
def _empty_parentheses(c: Context) -> Iterator[Candidate]:
    """asUInt() and the like."""
    pattern = r"\.(?:asUInt|asSInt|asBool|asBools|asClock|asAsyncReset|orR|andR|xorR|fire|getWidth|litValue)\(\)"
    edits = [(m.end() - 2, m.end(), "") for m in c.matches(pattern, _around(c))]
    if edits:
        yield Candidate("without ()", tuple(edits), safe=True)


@rule(
    r"required: chisel3\.experimental\.SourceInfo|required: .*CompileOptions|does not take parameters|too many arguments"
)
def _merged_arguments(c: Context) -> Iterator[Candidate]:
    """RegInit(t)(v) and the like: one list of arguments."""
    for match in c.matches(
        r"\b(?:RegInit|RegNext|Mux|Cat|Fill|WireInit|WireDefault|Vec|RegEnable|ShiftRegister)\s*(?=\()", _around(c)
    ):
        first = c.scala.group(match.end(), "(")
        second = c.scala.group(first[1] + 1, "(") if first else None
        if first and second:
            yield Candidate("one list of arguments", ((first[1], second[0] + 1, ", "),), safe=True)


@rule(r"too many arguments|not enough arguments|overloaded method|MuxLookup")
def _mux_lookup(c: Context) -> Iterator[Candidate]:
    """MuxLookup(key, default, seq) became MuxLookup(key, default)(seq)."""
    edits = []
    for match in c.matches(r"\bMuxLookup\s*(?=\()", _around(c)):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) == 3:
            edits.append((arguments[1][1], arguments[2][0], ")("))
    if edits:
        yield Candidate("MuxLookup(key, default)(cases)", tuple(edits), safe=True)


@rule(r"no arguments allowed for nullary constructor|too many arguments|for constructor")
def _constructor_arguments(c: Context) -> Iterator[Candidate]:
    """Arguments that the constructor does not take."""
    call = c.scala.enclosing_call(c.span[0])
    name = re.search(r"constructor (\w+)", c.message)
    if call is None or name is None or not re.search(rf"\b{name[1]}\s*$", c.scala.code[: call[0]]):
        found = next(c.matches(rf"\bnew\s+{name[1]}\s*(?=\()"), None) if name else None
        group = c.scala.group(found.end(), "(") if found else None
        if group is None:
            return
        call = group
    if "nullary" in c.message:
        yield Candidate("without arguments", ((call[0], call[1] + 1, ""),))
        return
    counts = re.search(r"found (\d+), expected (\d+)", c.message)
    arguments = c.scala.arguments(call[0])
    if counts and int(counts[2]) < len(arguments):
        kept = int(counts[2])
        start = arguments[kept - 1][1] if kept else call[0] + 1
        yield Candidate(f"the first {kept} arguments only", ((start, call[1], ""),))


@rule(r"overloaded method|type mismatch")
def _swapped_vec(c: Context) -> Iterator[Candidate]:
    """Vec(type, n) of Chisel 2: the number comes first now."""
    for match in c.matches(r"\bVec\s*(?=\()", _around(c)):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) == 2 and re.search(r"[US]Int|Bool|new\s", c.text[slice(*arguments[0])]):
            first, second = (c.text[slice(*a)] for a in arguments)
            yield Candidate("Vec(n, type)", ((arguments[0][0], arguments[1][1], f"{second}, {first}"),), safe=True)


@rule(r"reassignment to val|value \w+_= is not a member")
def _assignment(c: Context) -> Iterator[Candidate]:
    """= where := is meant."""
    found = next(c.matches(r"(?<![=!<>:+\-*/&|^])=(?![=>/])", c.statement), None)
    if found:
        yield Candidate("connect with :=", ((found.start(), found.end(), ":="),), safe=True)


@rule(r"found\s*: Unit")
def _when_as_value(c: Context) -> Iterator[Candidate]:
    """A when chain used as a value becomes a Mux."""
    start = next((m.start() for m in c.matches(r"\bwhen\s*\(", _around(c))), None)
    if start is None:
        return
    conditions, values, at = [], [], start
    pattern = re.compile(r"\s*\.?\s*(when|elsewhen|otherwise)\b")
    while match := pattern.match(c.scala.code, at):
        at = match.end()
        if match[1] != "otherwise":
            group = c.scala.group(at, "(")
            if group is None:
                return
            conditions.append(c.text[group[0] + 1 : group[1]].strip())
            at = group[1] + 1
        block = c.scala.group(at, "{")
        if block is None:
            return
        values.append(c.text[block[0] + 1 : block[1]].strip())
        at = block[1] + 1
    if len(values) == len(conditions) + 1 and all("\n" not in value and ";" not in value for value in values):
        text = values[-1]
        for condition, value in zip(reversed(conditions), reversed(values[:-1]), strict=True):
            text = f"Mux({condition}, {value}, {text})"
        yield Candidate("use Mux", ((start, at, text),), safe=True)


@rule(r"recursive (?:value|variable) \w+ needs type")
def _recursive_value(c: Context) -> Iterator[Candidate]:
    """val r = RegNext(f(r)): declare, then connect."""
    name = re.search(r"recursive (?:value|variable) (\w+)", c.message)
    found = (
        next(c.matches(rf"\bval\s+{name[1]}\s*=\s*(?P<maker>RegNext|RegInit|\w+)?", c.whole), None) if name else None
    )
    if name is None or found is None:
        return
    start, end = c.scala.statement(found.start())
    group = c.scala.group(found.end(), "(") if found["maker"] == "RegNext" else None
    arguments = [c.text[slice(*a)] for a in c.scala.arguments(group[0])] if group else []
    value = arguments[0] if arguments else c.text[found.start() :].partition("=")[2].strip()
    value = value if arguments else c.text[c.scala.code.index("=", found.start()) + 1 : end].strip()
    joint = f"{c.line_end}{c.indent_at(start)}" if c.text[c.line[0] : start].strip() == "" else "; "
    for width in c.scala.likely_widths(name[1])[:3]:
        if group and len(arguments) == 2:
            made = f"RegInit(UInt({width}), {arguments[1]})"
        else:
            made = f"Reg(UInt({width}))" if group else f"Wire(UInt({width}))"
        yield Candidate(
            f"declare {name[1]} first", ((start, end, f"val {name[1]} = {made}{joint}{name[1]} := {value}"),)
        )


@rule(r"is not a member of chisel3\.Bundle(?:\s|$)")
def _widened_bundle(c: Context) -> Iterator[Candidate]:
    """val io: Bundle = ... hides the fields."""
    edits = [
        (m.start("type"), m.end("type"), "") for m in c.matches(r"\bval\s+\w+(?P<type>\s*:\s*Bundle)(?=\s*=)", c.whole)
    ]
    if edits:
        yield Candidate("let the compiler find the type", tuple(edits), safe=True)


@rule(r"found\s*: chisel3\.\w+\s+required: Int")
def _index_by_signal(c: Context) -> Iterator[Candidate]:
    """A Scala collection indexed by a signal needs to be a Vec."""
    call = c.scala.enclosing_call(c.span[0])
    if call is None:
        return
    start = c.scala.operand_start(call[0])
    name = c.text[start : call[0]]
    found = (
        next(c.matches(rf"\bval\s+{re.escape(name)}\s*(?::[^=\n]*)?=\s*", c.whole), None)
        if re.fullmatch(r"\w+", name)
        else None
    )
    if found:
        _, end = c.scala.statement(found.start())
        body = c.text[found.end() : end]
        head = c.text[found.start() : found.end()]
        plain = re.sub(r"\s*:[^=]*(?==)", " ", head)
        yield Candidate(f"VecInit for {name}", ((found.start(), end, f"{plain}VecInit({body})"),), safe=True)
    elif name:
        yield Candidate("VecInit", ((start, call[0], f"VecInit({name})"),), safe=True)


@rule(r"cannot override cloneType")
def _clone_type(c: Context) -> Iterator[Candidate]:
    """The plug-in writes it."""
    for match in c.matches(r"(?P<before>;?[ \t]*)override\s+def\s+cloneType\b", c.whole):
        _, end = c.scala.statement(match.end())
        start = match.start()
        line = c.text.rfind("\n", 0, match.start("before")) + 1
        if c.text[line:start].strip() == "" and c.text[end:].split("\n", 1)[0].strip() == "" and line > 0:
            start = line - 1 - (c.text[line - 2 : line - 1] == "\r")
        yield Candidate("delete cloneType", ((start, end, ""),), safe=True)


@rule(r"not found: type MultiIOModule|class MultiIOModule|MultiIOModule")
def _multi_io(c: Context) -> Iterator[Candidate]:
    edits = [(m.start(), m.end(), "Module") for m in c.matches(r"\bMultiIOModule\b", c.whole)]
    yield Candidate("extends Module", tuple(edits), safe=True)


@rule(r"Chisel|INPUT|OUTPUT|NODIR|not found|overloaded|named argument|unknown parameter|is not a member")
def _chisel2(c: Context) -> Iterator[Candidate]:
    """Everything of Chisel 2 at once: one change alone does not compile."""
    text = c.text
    if not re.search(
        r"import\s+Chisel\b|\bINPUT\b|\bOUTPUT\b|\b(?:init|next|width|dir)\s*=|\b[US]Int\(\d+\)", c.scala.code
    ):
        return
    new = re.sub(r"\bimport\s+Chisel\._", f"import chisel3._{c.line_end}import chisel3.util._", text)
    new = re.sub(r"\b([US])Int\((?:dir\s*=\s*)?(INPUT|OUTPUT)\s*,\s*(?:width\s*=\s*)?([^()]+?)\)", _directed, new)
    new = re.sub(
        r"\b([US])Int\(\s*(?:width\s*=\s*)?([^(),=]+?)\s*,\s*(?:dir\s*=\s*)?(INPUT|OUTPUT)\)",
        lambda m: f"{m[3].title()}({m[1]}Int({_width(m[2])}))",
        new,
    )
    new = re.sub(r"\bBool\((?:dir\s*=\s*)?(INPUT|OUTPUT)\)", lambda m: f"{m[1].title()}(Bool())", new)
    new = re.sub(r"\b([US])Int\(\s*width\s*=\s*([^()]+?)\)", lambda m: f"{m[1]}Int({_width(m[2])})", new)
    new = re.sub(r"\b([US])Int\(\s*(-?\d+)\s*,\s*(?:width\s*=\s*)?(\d+)\s*\)", r"\2.\1(\3.W)", new)
    new = re.sub(r"(?<!Input\()(?<!Output\()\b([US])Int\(\s*(-?\d+)\s*\)", r"\2.\1", new)
    new = re.sub(r"\bBool\((true|false)\)", r"\1.B", new)
    new = re.sub(r"\bReg\(\s*init\s*=\s*", "RegInit(", new)
    new = re.sub(r"\bReg\(\s*next\s*=\s*", "RegNext(", new)
    new = re.sub(r"\bReg\(\s*(?:outType\s*=\s*)?([US]Int\([^()]*\)|Bool\(\))\s*,\s*init\s*=\s*", r"RegInit(\1, ", new)
    new = re.sub(r"\bval(\s+)io(\s*)=(\s*)new Bundle\b", r"val\1io\2=\3IO(new Bundle", new) if "IO(" not in new else new
    new = _close_io(new) if "IO(new Bundle" in new and "IO(" not in text else new
    new = re.sub(r"(?<![=!<>:/])!=(?!=)", "=/=", new) if "import Chisel" in text else new
    if new != text:
        yield Candidate("rewrite for Chisel 3 and later", ((0, len(text), new),), safe=True)


def _directed(match: re.Match[str]) -> str:
    return f"{match[2].title()}({match[1]}Int({_width(match[3])}))"


def _width(words: str) -> str:
    words = words.strip()
    return f"{words}.W" if re.fullmatch(r"\w+", words) else f"({words}).W"


def _close_io(text: str) -> str:
    """Close the IO( that was opened before a Bundle."""
    from .scala_text import ScalaText

    at = text.index("IO(new Bundle") + len("IO(new Bundle")
    scala = ScalaText(text)
    group = scala.group(at, "{")
    if group is None:
        return text
    return f"{text[: group[1] + 1]}){text[group[1] + 1 :]}"


@rule(r"too many arguments .* in object Reg\b")
def _reg_with_start_value(c: Context) -> Iterator[Candidate]:
    """Reg(type, value)."""
    edits = [(m.start(), m.end(), "RegInit") for m in c.matches(r"\bReg(?=\s*\()", _around(c))]
    if edits:
        yield Candidate("RegInit(type, value)", tuple(edits[:1]), safe=True)


@rule(r"found\s*: chisel3\.(?:Bool|UInt)\s+required: Boolean")
def _scala_if(c: Context) -> Iterator[Candidate]:
    """if (signal) builds nothing that decides: when for statements, Mux for values."""
    for match in c.matches(r"\bif\s*(?=\()", _around(c)):
        condition = c.scala.group(match.end(), "(")
        if condition is None or not condition[0] < c.span[0] <= condition[1]:
            continue
        asked = c.text[condition[0] + 1 : condition[1]]
        block = c.scala.group(condition[1] + 1, "{")
        if block is not None and ":=" in c.text[block[0] : block[1]]:
            edits = [(match.start(), match.end(), "when")]
            follow = re.compile(r"\s*else(\s+if)?\b").match(c.scala.code, block[1] + 1)
            while block is not None and follow is not None:
                edits.append((block[1] + 1, follow.end(), " .elsewhen" if follow[1] else " .otherwise"))
                chained = c.scala.group(follow.end(), "(") if follow[1] else None
                block = c.scala.group(chained[1] + 1 if chained else follow.end(), "{")
                follow = re.compile(r"\s*else(\s+if)?\b").match(c.scala.code, block[1] + 1) if block else None
            yield Candidate("when ... otherwise", tuple(edits), safe=True)
            continue
        _, end = c.scala.statement(match.start())
        first, found, second = c.text[condition[1] + 1 : end].partition("else")
        if found:
            values = [value.strip().removeprefix("{").removesuffix("}").strip() for value in (first, second)]
            yield Candidate("use Mux", ((match.start(), end, f"Mux({asked}, {values[0]}, {values[1]})"),), safe=True)


@rule(r"value (?:&&|\|\||unary_!) is not a member of chisel3")
def _logic_on_words(c: Context) -> Iterator[Candidate]:
    """&& and || of a UInt or a Reset."""
    for match in c.matches(r"&&|\|\||!(?!=)", _around(c)):
        if match[0] == "!":
            start, end = match.end(), c.scala.operand_end(match.end())
        else:
            end = c.scala.skip_space_back(match.start())
            start = c.scala.operand_start(end)
        if "Reset" in c.message or "Clock" in c.message:
            yield Candidate(".asBool", ((end, end, ".asBool"),), safe=True)
        elif start < end:
            yield Candidate("any bit set: .orR", ((end, end, ".orR"),))
    if "Reset" not in c.message:
        single = [(m.start(), m.end(), m[0][0]) for m in c.matches(r"&&|\|\|", _around(c))]
        if single:
            yield Candidate("bit by bit: & and |", tuple(single))


@rule(r"value (?:[-+&|^]=|\+\+|--) is not a member|does not convert to assignment")
def _compound_assignment(c: Context) -> Iterator[Candidate]:
    """r += x, r++."""
    start, end = c.statement
    match = re.compile(r"(?P<x>[\w.()]+?)\s*(?:(?P<op>[-+&|^])=\s*(?P<value>.+)|(?P<twice>\+\+|--))\s*$").match(
        c.text[start:end]
    )
    if match is None:
        return
    operator = match["op"] or match["twice"][0]
    value = match["value"] or "1.U"
    shown = value if re.fullmatch(r"[\w.]+", value) else f"({value})"
    new = f"{match['x']} := {match['x']} {operator} {shown}"
    yield Candidate(new, ((start, end, new),), safe=True)


@rule(r"\[chisel3\.\w+\.type\] do not conform|found\s*: chisel3\.\w+\.type")
def _type_without_parentheses(c: Context) -> Iterator[Candidate]:
    """Wire(Bool), Input(Clock)."""
    edits = [
        (m.end(), m.end(), "()")
        for m in c.matches(r"\b(?:Bool|UInt|SInt|Clock|Reset|AsyncReset)\b(?!\s*[(.\]])", _around(c))
    ]
    if edits:
        yield Candidate("with ()", tuple(edits), safe=True)


@rule(r"is not a member of \w+\s*$|is not a member of \w+\n")
def _field_of_io(c: Context) -> Iterator[Candidate]:
    """instance.field where the field belongs to the instance's io."""
    match = re.search(r"value (\w+) is not a member of (\w+)", c.message)
    if match is None or not re.search(rf"\bclass\s+{match[2]}\b", c.scala.code) or match[1] not in c.scala.io_fields:
        return
    edits = [(m.start(1), m.start(1), "io.") for m in c.matches(rf"(?<=\.)({re.escape(match[1])})\b")]
    edits = [edit for edit in edits if not c.text[: edit[0]].endswith("io.")]
    if edits:
        yield Candidate(f"io.{match[1]}", tuple(edits), safe=True)


@rule(r"expected but|illegal start|not found: value assign|identifier expected")
def _verilog_habits(c: Context) -> Iterator[Candidate]:
    """assign x = y, x[3:0], {a, b}."""
    start, end = c.line
    line = c.text[start:end]
    new = re.sub(r"\[\s*(\d+)\s*:\s*(\d+)\s*\]", r"(\1, \2)", line)
    new = re.sub(r"(?<=[\w)])\[\s*(\d+)\s*\]", r"(\1)", new)
    new = re.sub(r"(:=\s*)\{([^{}=\n]*,[^{}=\n]*)\}", r"\1Cat(\2)", new)
    new = re.sub(r"^(\s*)assign\s+(.*?)\s*(?<![:=<>!])=(?!=)", r"\1\2 :=", new)
    if new != line:
        yield Candidate("write it in Chisel", ((start, end, new),), safe=True)


@rule(r"cannot be applied to \(chisel3\.UInt, ?(?:Int|chisel3\.UInt)\)|cannot be applied to \(Int, chisel3\.UInt\)")
def _dynamic_slice(c: Context) -> Iterator[Candidate]:
    """x(hi, lo) with signals."""
    call = c.scala.group(c.span[1], "(") or c.scala.enclosing_call(c.span[1])
    arguments = c.scala.arguments(call[0]) if call else []
    if call is None or len(arguments) != 2:
        return
    start = c.scala.operand_start(call[0])
    word, high, low = c.text[start : call[0]], *(c.text[slice(*a)] for a in arguments)
    shifted = f"({word} >> {low})" if low != "0" else word
    low_name = re.escape(low)
    fixed = re.fullmatch(rf"\(?{low_name}\s*\+&?\s*(\d+)(?:\.U)?(?:\([^()]*\))?\)?", high)
    if fixed:
        yield Candidate("shift, then cut", ((start, call[1] + 1, f"{shifted}({fixed[1]}, 0)"),), safe=True)
        return
    count = f"({high} - {low})" if low != "0" else high
    mask = f"({shifted} & ((1.U << ({count} +& 1.U)) - 1.U))"
    yield Candidate("shift and mask", ((start, call[1] + 1, mask),))


@rule(r"found\s*: chisel3\.UInt\s+required: Int")
def _loop_bound(c: Context) -> Iterator[Candidate]:
    """for (i <- 0 until signal): run to the most it can be, and decide inside."""
    found = next(c.matches(r"for\s*\(\s*(?P<i>\w+)\s*<-\s*0\s+(?P<kind>until|to)\s+(?P<n>[\w.]+)\s*\)\s*(?=\{)"), None)
    if found is None:
        return
    block = c.scala.group(found.end(), "{")
    width = re.fullmatch(r"(\d+)\.W", c.scala.widths.get(found["n"].rpartition(".")[2], ""))
    if block is None or width is None or int(width[1]) > 8:
        return
    most = (1 << int(width[1])) - (found["kind"] == "until")
    compare = "<" if found["kind"] == "until" else "<="
    edits = (
        (found.start("n"), found.end("n"), str(most)),
        (block[0] + 1, block[0] + 1, f" when({found['i']}.U {compare} {found['n']}) {{"),
        (block[1], block[1], "} "),
    )
    yield Candidate("run to the maximum, decide inside", edits)


@rule(r"not found: value (?:default|otherwise)")
def _switch_default(c: Context) -> Iterator[Candidate]:
    """A default in a switch stands before it."""
    found = next(c.matches(r"\b(?:default|otherwise)\s*(?=\{)"), None)
    block = c.scala.group(found.end(), "{") if found else None
    outer = c.scala.enclosing_block(found.start()) if found else None
    if found is None or block is None or outer is None:
        return
    start, _ = c.scala.statement(c.scala.skip_space_back(outer[0]))
    if not c.scala.code.startswith("switch", start):
        return
    body = c.text[block[0] + 1 : block[1]].strip()
    first, last = _whole_lines(c, found.start(), block[1] + 1)
    edits = ((start, start, f"{body}{c.line_end}{c.indent_at(start)}"), (first, last, ""))
    yield Candidate("the default in front of the switch", edits, safe=True)


# --- elaboration -------------------------------------------------------------------------------------------------


@rule(r"must be a Chisel type, not hardware|Cannot create register with constant value")
def _type_wanted(c: Context) -> Iterator[Candidate]:
    """Reg(0.U), Wire(signal)."""
    makers = {"Reg": ("RegInit", "RegNext"), "Wire": ("WireDefault",), "IO": ()}
    for match in c.matches(r"\b(Reg|Wire)(?=\()"):
        group = c.scala.group(match.end(), "(")
        if group is None:
            continue
        inner = c.text[group[0] + 1 : group[1]]
        constant = re.search(r"\.(?:U|S|B)\b", inner) is not None
        for maker in makers[match[1]]:
            if maker == "RegNext" and constant:
                continue
            yield Candidate(f"{maker}(...)", ((match.start(), match.end(), maker),), safe=constant)
        if not constant:
            edits = ((group[0] + 1, group[1], f"chiselTypeOf({inner})"),)
            yield Candidate(f"{match[1]}(chiselTypeOf(...))", edits)
    for match in c.matches(r"\b(?:Input|Output|Vec\(\s*\w+\s*,)\s*\(?(?P<value>\d+\.U\((?P<width>[^()]*)\))"):
        yield Candidate("a type", ((match.start("value"), match.end("value"), f"UInt({match['width']})"),))


_BARE = r"\bval\s+(?P<name>\w+)\s*=\s*(?P<type>new\s+Bundle\b|new\s+\w*(?:Bundle|IO|Io)\b|[US]Int\s*\(|Bool\s*\(\s*\)|Vec\s*\(|Decoupled\s*\(|Flipped\s*\()"


@rule(r"must be hardware, not a bare Chisel type")
def _hardware_wanted(c: Context) -> Iterator[Candidate]:
    """val io = new Bundle {...}, val w = UInt(8.W)."""
    used = set(re.findall(r"\w+", c.text[slice(*c.line)]))
    for match in c.matches(_BARE, c.whole):
        if match["name"] not in used or _inside_bundle(c, match.start()):
            continue
        start = match.start("type")
        _, end = c.scala.statement(start)
        body = c.text[start:end]
        interface = re.search(r"\b(?:Input|Output|Flipped|Decoupled|Valid)\b", body) is not None
        for maker in ("IO",) if interface else ("Wire", "Reg"):
            safe = maker in ("IO", "Wire")
            yield Candidate(f"{maker}(...) around {match['name']}", ((start, end, f"{maker}({body})"),), safe=safe)


def _inside_bundle(c: Context, offset: int) -> bool:
    block = c.scala.enclosing_block(offset)
    if block is None:
        return False
    head = c.scala.code[max(0, c.scala.code.rfind("\n", 0, block[0])) : block[0]]
    return re.search(r"\bBundle\b", head[max(head.rfind("{"), head.rfind(";"), 0) :]) is not None


@rule(r"attempted to instantiate a Module|Called Module\(\) twice")
def _module_twice(c: Context) -> Iterator[Candidate]:
    """Module(m) around an instance."""
    for match in c.matches(r"\bModule\s*\(\s*(?P<name>\w+)\s*\)"):
        yield Candidate("without the second Module", ((match.start(), match.end(), match["name"]),), safe=True)


@rule(r"without wrapping|wrap it in Module|Module\(\) wrapper|wrapped in Module")
def _module_wrapper(c: Context) -> Iterator[Candidate]:
    """new Sub without Module(...)."""
    modules = set(re.findall(r"\bclass\s+(\w+)[^{\n]*\bextends\s+(?:\w*Module|BlackBox|\w+)", c.scala.code))
    edits = []
    for match in c.matches(r"(?<!Module\()\bnew\s+(?P<name>\w+)", c.whole):
        before = c.scala.code[: match.start()].rstrip()
        if match["name"] in modules and not before.endswith(("Module(", "Definition(", "LazyModule(")):
            end = match.end()
            group = c.scala.group(end, "(")
            end = group[1] + 1 if group else end
            edits += [(match.start(), match.start(), "Module("), (end, end, ")")]
    if edits:
        yield Candidate("wrap the instance in Module(...)", tuple(edits), safe=True)


@rule(r"No implicit (?:clock|reset)")
def _no_implicit(c: Context) -> Iterator[Candidate]:
    """A RawModule that needs clock or reset."""
    if "reset" in c.message:
        for match in c.matches(r"\bwithClock\s*(?=\()", c.whole):
            group = c.scala.group(match.end(), "(")
            port = next(
                c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*IO\s*\(\s*Input\s*\(\s*Clock\s*\(\s*\)\s*\)\s*\)", c.whole),
                None,
            )
            if group and port:
                reset = next(
                    (m["name"] for m in c.matches(r"\bval\s+(?P<name>re?se?t\w*)\s*=\s*IO\s*\(\s*Input", c.whole)), ""
                )
                name = reset or ("rst" if port["name"].startswith("clk") else "reset")
                edits = [(match.start(), match.end(), "withClockAndReset"), (group[1], group[1], f", {name}")]
                if not reset:
                    edits.append((port.end(), port.end(), f"; val {name} = IO(Input(Bool()))"))
                yield Candidate(f"a reset port {name} and withClockAndReset", tuple(edits))
    raws = [m for m in c.matches(r"\bextends\s+(?P<raw>RawModule)\b", c.whole) if m.start() < c.span[0]]
    if raws:
        yield Candidate("extends Module", ((raws[-1].start("raw"), raws[-1].end("raw"), "Module"),))


@rule(r"Connection between (?:sink|left)")
def _bulk_connect(c: Context) -> Iterator[Candidate]:
    """:= between interfaces with both directions."""
    for match in c.matches(r"(?<!:):=(?!:)", c.statement):
        for operator in ("<>", ":<>="):
            yield Candidate(
                f"{operator} instead of :=", ((match.start(), match.end(), operator),), safe=operator == "<>"
            )


@rule(r"[Ww]idth of .* is unknown|width .* unknown|[Uu]ninferred width|uninferred")
def _width_needed(c: Context) -> Iterator[Candidate]:
    """UInt() without a width."""
    name = re.search(r"(?:Width of|of) (?:\w+\.)*(\w+)", c.message) or re.search(r'"(?:\w+\.)*(\w+)"', c.message)
    where = c.whole
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*=[^\n;]*?\b[US]Int\(\s*(?P<gap>)\)", where):
        if name is None or match["name"] == name[1] or name[1] not in c.scala.declared:
            for width in c.scala.likely_widths(match["name"])[:3]:
                yield Candidate(f"{width} for {match['name']}", ((match.start("gap"), match.start("gap"), width),))


@rule(r"Public Seq members")
def _seq_in_bundle(c: Context) -> Iterator[Candidate]:
    """Seq.fill(n)(t) in a Bundle."""
    name = re.search(r"Seq member '(\w+)'", c.message)
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*(?P<seq>(?:Seq|List|Array|Vector)\.fill)\s*(?=\()", c.whole):
        count = c.scala.group(match.end(), "(")
        kind = c.scala.group(count[1] + 1, "(") if count else None
        if count and kind and (name is None or match["name"] == name[1]):
            edits = ((match.start("seq"), match.end("seq"), "Vec"), (count[1], kind[0] + 1, ", "))
            yield Candidate("Vec(n, type)", edits, safe=True)


@rule(r"Cannot reassign to read-only")
def _part_assignment(c: Context) -> Iterator[Candidate]:
    """x(hi, lo) := y after a default: build the whole word."""
    target = r"(?P<x>[\w.]+)\(\s*(?P<hi>\d+)\s*(?:,\s*(?P<lo>\d+)\s*)?\)\s*:=\s*"
    found = next(c.matches(target, c.statement), None)
    if found is None:
        return
    start, end = c.statement
    value, high = c.text[found.end() : end].strip(), int(found["hi"])
    low = int(found["lo"] or found["hi"])
    earlier = list(c.matches(rf"(?<![\w.]){re.escape(found['x'])}\s*:=\s*(?P<value>[^;\n]+)", (0, start)))
    width = c.scala.widths.get(found["x"].rpartition(".")[2], "")
    number = re.fullmatch(r"(\d+)\.W", width)
    if not earlier or number is None:
        return
    bits, before = int(number[1]), earlier[-1]["value"].strip()
    before = re.sub(r"^(\d+)\.U$", rf"\1.U({bits}.W)", before)
    parts = [f"({before})({bits - 1}, {high + 1})"] if high + 1 < bits else []
    parts.append(f"({value}).asUInt.pad({high - low + 1})({high - low}, 0)")
    parts += [f"({before})({low - 1}, 0)"] if low > 0 else []
    new = f"{found['x']} := {' ## '.join(parts)}"
    yield Candidate("build the whole word", ((start, end, new),))


@rule(r"\[W00[2345]\]")
def _dynamic_index(c: Context) -> Iterator[Candidate]:
    """An index that is wider than the elements need."""
    width = re.search(r"expected index width (\d+)", c.message)
    if width is None or "too wide" not in c.message:
        return
    top = int(width[1]) - 1
    for opener, closer in sorted(c.scala.partners.items()):
        if c.scala.code[opener] != "(" or not c.line[0] <= opener < c.line[1] or closer < c.span[0]:
            continue
        inner = c.text[opener + 1 : closer]
        if re.fullmatch(r"[\w.]+", inner) and not inner[0].isdigit() and re.search(r"[\w)]$", c.scala.code[:opener]):
            cut = f"({top}, 0)" if top > 0 else "(0)"
            yield Candidate(f"the low bits of {inner}", ((closer, closer, cut),), safe=True)


@rule(r"[Nn]egative|is negative|UInt literal")
def _negative_literal(c: Context) -> Iterator[Candidate]:
    """-1.U."""
    for match in c.matches(r"\(?-\s*(?P<digits>\d+)\)?\.U(?P<width>\([^()]*\))?"):
        words = re.findall(r"\w+", c.scala.code[slice(*c.statement)])
        near = [f"({c.scala.widths[word]})" for word in words if word in c.scala.widths]
        for width in dict.fromkeys([match["width"]] if match["width"] else near[:2]):
            signed = f"(-{match['digits']}).S{width}.asUInt"
            yield Candidate(f"two's complement: {signed}", ((match.start(), match.end(), signed),))
        signed = f"(-{match['digits']}).S{match['width'] or ''}"
        yield Candidate("signed: .S", ((match.start(), match.end(), signed),))


@rule(r"NullPointerException|\bnull\b|forward reference")
def _used_before_definition(c: Context) -> Iterator[Candidate]:
    """A val that is defined further down in the same block moves in front of the statement that uses it."""
    start, end = _around(c)
    block = c.scala.enclosing_block(start)
    used = set(re.findall(r"\w+", c.scala.code[start:end]))
    for match in re.compile(r"\bval[ \t]+(?P<name>\w+)[ \t]*[=:]").finditer(c.scala.code, end):
        if match["name"] in used and c.scala.enclosing_block(match.start()) == block:
            begin, stop = c.scala.statement(match.start())
            moved = c.text[begin:stop]
            first, last = _whole_lines(c, begin, stop)
            edits = ((start, start, f"{moved}{c.line_end}{c.indent_at(start)}"), (first, last, ""))
            yield Candidate(f"define {match['name']} first", edits, safe=True)


def _whole_lines(c: Context, start: int, end: int) -> tuple[int, int]:
    """The range widened to its lines when nothing else stands on them, else to the `;` after it."""
    begin = c.text.rfind("\n", 0, start) + 1
    after = c.text.find("\n", end)
    after = len(c.text) if after < 0 else after + 1
    if c.text[begin:start].strip() == "" and c.text[end:after].strip() == "":
        return begin, after
    return start, c.scala.skip_space(end + 1) if c.text[end : end + 1] == ";" else end


@rule(r"is condition must be literal|is\(\)? .*literal|conditions that are not literals|must be literal")
def _switch_on_signals(c: Context) -> Iterator[Candidate]:
    """is(signal): a chain of when."""
    for match in c.matches(r"\bswitch\s*(?=\()", c.whole):
        key = c.scala.group(match.end(), "(")
        block = c.scala.group(key[1] + 1, "{") if key else None
        if key is None or block is None:
            continue
        subject = c.text[key[0] + 1 : key[1]]
        pieces, at = [], block[0] + 1
        pattern = re.compile(r"[\s;]*is\s*(?=\()")
        while case := pattern.match(c.scala.code, at):
            condition = c.scala.group(case.end(), "(")
            body = c.scala.group(condition[1] + 1, "{") if condition else None
            if condition is None or body is None:
                return
            values = [c.text[slice(*a)] for a in c.scala.arguments(condition[0])]
            asked = " || ".join(f"{subject} === {value}" for value in values)
            pieces.append(f"({asked}) {c.text[body[0] : body[1] + 1]}")
            at = body[1] + 1
        if pieces and c.scala.code[at : block[1]].strip(" \t\r\n;") == "":
            new = f"when{' .elsewhen'.join(pieces)}"
            yield Candidate("when instead of switch", ((match.start(), block[1] + 1, new),), safe=True)


@rule(r"aliased")
def _aliased_field(c: Context) -> Iterator[Candidate]:
    """val b = a in a Bundle: a type of its own."""
    for match in c.matches(r"\bval\s+\w+\s*=\s*(?P<name>\w+)\s*(?=[;}\n])", c.whole):
        origin = next(c.matches(rf"\bval\s+{re.escape(match['name'])}\s*=\s*", c.whole), None)
        if origin is not None and origin.start() != match.start():
            kind = c.text[origin.end() : c.scala.statement(origin.start())[1]]
            yield Candidate(f"{kind} of its own", ((match.start("name"), match.end("name"), kind),), safe=True)
    fields = re.search(r"fields named \(([\w, ]+)\)", c.message)
    names = [name.strip() for name in fields[1].split(",")] if fields else []
    edits = []
    for name in names:
        found = next(c.matches(rf"\bval\s+{re.escape(name)}\s*=\s*(?P<name>\w+)\s*(?=[;}}\n])", c.whole), None)
        if found is not None:
            edits.append((found.end("name"), found.end("name"), ".cloneType"))
    if edits:
        yield Candidate("a type of its own", tuple(edits), safe=True)


@rule(
    r"literal value (?P<value>\d+) was elaborated with a specified width of (?P<width>\d+) bits?, but at least (?P<need>\d+)"
)
def _literal_too_wide(c: Context) -> Iterator[Candidate]:
    need = re.search(r"at least (\d+)", c.message)
    value = re.search(r"literal value (\d+)", c.message)
    if need is None or value is None:
        return
    for match in c.matches(rf"\b{value[1]}\.[US]\(\s*(?P<width>\d+)\.W\s*\)"):
        yield Candidate(f"{need[1]} bits", ((match.start("width"), match.end("width"), need[1]),))


@rule(r"Invalid base")
def _string_base(c: Context) -> Iterator[Candidate]:
    """ "10".U lacks its base."""
    for match in re.compile(r'"(?P<base>)(?P<digits>[0-9a-fA-F_]+)"\s*\.U').finditer(c.text):
        for letter in "dbh":
            if re.fullmatch({"d": r"[\d_]+", "b": r"[01_]+", "h": r"\w+"}[letter], match["digits"]):
                yield Candidate(f'"{letter}{match["digits"]}"', ((match.start("base"), match.start("base"), letter),))


@rule(r"not fully initialized")
def _compared_instead(c: Context) -> Iterator[Candidate]:
    """x == y or x <= y as a statement: := was meant."""
    sink = re.search(r'sink "([^"]+)"', c.message)
    if sink is None:
        return
    name = re.escape(sink[1]).replace("_", "[._]")
    pattern = rf"(?m)(?:^|[{{;])[ \t]*(?<![\w.]){name}\s*(?P<op>===?|<=)(?=\s)"
    edits = [(m.start("op"), m.end("op"), ":=") for m in re.finditer(pattern, c.scala.code)]
    if edits:
        yield Candidate("connect with :=", tuple(edits), safe=True)


# --- firtool -----------------------------------------------------------------------------------------------------


@rule(r"must have concrete reset type|[Rr]eset.*infer|infer.*[Rr]eset|abstract reset")
def _concrete_reset(c: Context) -> Iterator[Candidate]:
    for kind in ("Bool()", "AsyncReset()"):
        edits = [
            (m.start("kind"), m.end("kind"), kind) for m in c.matches(r"Input\(\s*(?P<kind>Reset\(\))\s*\)", c.whole)
        ]
        if edits:
            yield Candidate(f"{kind} for the reset", tuple(edits))


@rule(r"combinational cycle")
def _cycle(c: Context) -> Iterator[Candidate]:
    """Make one of the wires on the path a register."""
    path = set(re.findall(r"\w+", c.message.partition("path")[2])) or set(c.scala.declared)
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*(?P<made>Wire\s*\()", c.whole):
        group = c.scala.group(match.end() - 1, "(")
        if group is None or match["name"] not in path:
            continue
        kind = c.text[group[0] + 1 : group[1]]
        typed = re.fullmatch(r"([US])Int\((.*)\)", kind)
        zero = f"0.{typed[1]}({typed[2]})" if typed else "false.B" if kind == "Bool()" else ""
        if zero:
            yield Candidate(
                f"{match['name']} as a register from 0", ((match.start("made"), group[1] + 1, f"RegInit({zero})"),)
            )
        yield Candidate(f"{match['name']} as a register", ((match.start("made"), match.end("made"), "Reg("),))


@rule(r"not fully initialized")
def _default_value(c: Context) -> Iterator[Candidate]:
    """A default in front of the first connection."""
    sink = re.search(r'sink "([^"]+)"', c.message)
    if sink is None:
        return
    spelled: dict[str, str] = {path.replace(".", "_"): path for path in re.findall(r"\w+(?:\.\w+)+", c.scala.code)}
    name: str = spelled.get(sink[1]) or sink[1]
    first = next(c.matches(rf"(?<![\w.]){re.escape(name)}\s*:=", c.whole), None)
    at = None
    if first is not None:
        at = c.scala.statement(first.start())[0]
        while (block := c.scala.enclosing_block(at)) and _is_conditional(c, block[0]):
            at = c.scala.statement(c.scala.skip_space_back(block[0]))[0]
    else:
        declared = next(c.matches(rf"\bval\s+{re.escape(name.partition('.')[0])}\b", c.whole), None)
        at = c.scala.statement(declared.start())[1] if declared else None
    if at is None:
        return
    gap = f"{c.line_end}{c.indent_at(at)}"
    boolean = re.search(rf"\bval\s+{re.escape(name.rpartition('.')[2])}\s*=[^\n;]*\bBool\(\)", c.scala.code)
    for value in ("false.B" if boolean else "0.U", "DontCare"):
        line = f"{name} := {value}{gap}" if first is not None else f"{gap}{name} := {value}"
        yield Candidate(f"{name} := {value} as the default", ((at, at, line),))


def _is_conditional(c: Context, opener: int) -> bool:
    head = c.scala.code[c.scala.statement(c.scala.skip_space_back(opener))[0] : opener]
    return re.search(r"\b(?:when|elsewhen|otherwise|switch|is)\b", head) is not None
