"""Values and types that do not fit: numbers for signals, signals for numbers, arguments."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F_]+|\d[\d_]*)L?")


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
    kind = "S" if "SInt" in c.message or words.startswith("-") or _sink_is_signed(c, words) else "U"
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
    if "required: chisel3.Data" in c.message and kind == "U":
        yield Candidate(f"{shown}.S", ((start, end, f"{shown}.S"),))


def _sink_is_signed(c: Context, words: str) -> bool:
    """Whether the statement is `x := words` with an SInt x."""
    sink = re.compile(rf"(?:[\w.]*\.)?(?P<name>\w+)\s*:=\s*{re.escape(words)}\s*$").match(c.text[slice(*c.statement)])
    defined = next(c.matches(rf"\bval\s+{sink['name']}\b[^\n]*", c.home), None) if sink else None
    return defined is not None and re.search(r"\bSInt\b|\.S\b", defined[0]) is not None


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
    edits = [(m.end(), m.end(), ".B") for m in c.matches(r"(?<![\w.])(?:true|false)\b(?!\.)", c.around)]
    if edits:
        yield Candidate("a Bool constant", tuple(edits), safe=True)
    compared = []
    for match in c.matches(r"(?<![=!<>:/])(==|!=)(?!=)", c.around):
        compared.append((match.start(), match.end(), "===" if match[1] == "==" else "=/="))
    if compared:
        yield Candidate("compare signals with === and =/=", tuple(compared), safe=True)


@rule(r"found\s*: Boolean|is not a member of Boolean")
def _compared_at_definition(c: Context) -> Iterator[Candidate]:
    """val empty = n == 0.U: the place that uses it complains, the definition is at fault."""
    edits = []
    for name in dict.fromkeys(re.findall(r"\w+", c.scala.code[slice(*c.around)])):
        for made in c.matches(rf"\bval\s+{name}\s*(?::\s*\w+\s*)?=(?!=)", c.home):
            where = made.end(), c.scala.statement(made.start())[1]
            for match in c.matches(r"(?<![=!<>:/])(==|!=)(?!=)", where):
                edits.append((match.start(), match.end(), "===" if match[1] == "==" else "=/="))
    if edits:
        yield Candidate("compare signals with === and =/=", tuple(edits), safe=True)


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
        start, end, wanted = connect.end(), c.scala.statement(connect.start())[1], sink
    words = c.text[start:end]
    if re.fullmatch(r"\d+\.[US](?:\([^()]*\))?", words):
        return  # 1.U.asSInt is -1
    shown = words if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", words) else f"({words})"
    yield Candidate(f".as{wanted[1]}Int", ((start, end, f"{shown}.as{wanted[1]}Int"),))


@rule(r"does not take parameters|SourceInfo|overloaded method|not enough arguments|cannot be applied to \(\)")
def _empty_parentheses(c: Context) -> Iterator[Candidate]:
    """asUInt() and the like."""
    pattern = r"\.(?:asUInt|asSInt|asBool|asBools|asClock|asAsyncReset|orR|andR|xorR|fire|getWidth|litValue)\(\)"
    edits = [(m.end() - 2, m.end(), "") for m in c.matches(pattern, c.around)]
    if edits:
        yield Candidate("without ()", tuple(edits), safe=True)


@rule(
    r"required: chisel3\.experimental\.SourceInfo|required: .*CompileOptions|does not take parameters|too many arguments"
)
def _merged_arguments(c: Context) -> Iterator[Candidate]:
    """RegInit(t)(v) and the like: one list of arguments."""
    for match in c.matches(
        r"\b(?:RegInit|RegNext|Mux|Cat|Fill|WireInit|WireDefault|Vec|RegEnable|ShiftRegister)\s*(?=\()", c.around
    ):
        first = c.scala.group(match.end(), "(")
        second = c.scala.group(first[1] + 1, "(") if first else None
        if first and second:
            yield Candidate("one list of arguments", ((first[1], second[0] + 1, ", "),), safe=True)


@rule(r"too many arguments|not enough arguments|overloaded method|MuxLookup")
def _mux_lookup(c: Context) -> Iterator[Candidate]:
    """MuxLookup(key, default, seq) became MuxLookup(key, default)(seq)."""
    edits = []
    for match in c.matches(r"\bMuxLookup\s*(?=\()", c.around):
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


@rule(
    r"reassignment to val|value \w+_= is not a member|value update is not a member of chisel3|missing argument list for method :="
)
def _assignment(c: Context) -> Iterator[Candidate]:
    """= where := is meant, or === inside an expression."""
    found = list(c.matches(r"(?<![=!<>:+\-*/&|^])=(?![=>/])", c.statement))
    if not found:
        return
    compared = any(c.scala.code.find(word, c.statement[0], found[-1].start()) >= 0 for word in (":=", "&&", "||"))
    if compared:
        yield Candidate("compare with ===", ((found[-1].start(), found[-1].end(), "==="),), safe=True)
    else:
        yield Candidate("connect with :=", ((found[0].start(), found[0].end(), ":="),), safe=True)


@rule(r"found\s*: chisel3\.Bool\s+required: Boolean|found\s*: Boolean\s+required: chisel3\.Bool")
def _compared_elsewhere(c: Context) -> Iterator[Candidate]:
    """A value that was compared with == where it was defined."""
    edits = []
    for name in dict.fromkeys(re.findall(r"\w+", c.scala.code[slice(*c.around)])):
        for definition in c.matches(rf"\bval\s+{name}\s*(?::\s*\w+\s*)?=(?!=)", c.whole):
            place = definition.end(), c.scala.statement(definition.start())[1]
            for match in c.matches(r"(?<![=!<>:/])(==|!=)(?!=)", place):
                edits.append((match.start(), match.end(), "===" if match[1] == "==" else "=/="))
    if edits:
        yield Candidate("compare signals with === and =/=", tuple(dict.fromkeys(edits)), safe=True)


@rule(r"not enough arguments for method apply: \(n: Int, gen: T\)")
def _vec_of_values(c: Context) -> Iterator[Candidate]:
    """Vec(values)."""
    edits = [(m.start(), m.end(), "VecInit") for m in c.matches(r"\bVec(?=\s*\()", c.around)]
    if edits:
        yield Candidate("VecInit for values", tuple(edits), safe=True)


@rule(r"inferred type arguments \[(?:Seq|List|Vector|IndexedSeq|Array)\[chisel3\.")
def _collection_as_signal(c: Context) -> Iterator[Candidate]:
    """RegInit(Seq.fill(n)(0.U))."""
    for match in c.matches(r"\b(?:RegInit|RegNext|WireInit|WireDefault|Mux)\s*(?=\()", c.around):
        call = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(call[0]) if call else []
        starts = [a for a in arguments if re.match(r"(?:Seq|List|Vector|IndexedSeq|Array)\b", c.text[a[0] :])]
        edits = [edit for a in starts for edit in ((a[0], a[0], "VecInit("), (a[1], a[1], ")"))]
        if edits:
            yield Candidate("VecInit around it", tuple(edits), safe=True)


@rule(r"found\s*: chisel3\.[US]Int\s+required: chisel3\.[US]Int|value [-+*<>=/!&|^]+ .*chisel3\.[US]Int")
def _signed_constant(c: Context) -> Iterator[Candidate]:
    """A constant of the other sign: where it stands, or where the name that stands there is defined."""
    wanted = re.search(r"required: chisel3\.([US])Int", c.message)
    if wanted is None:
        return
    other = "U" if wanted[1] == "S" else "S"
    constant = rf"(?:\b\d[\w]*|\))\.(?P<kind>{other})\b"
    match = next(c.matches(constant, c.span), None)
    if match is None and re.fullmatch(r"\w+", c.words):
        for definition in c.matches(rf"\bval\s+{c.words}\s*=", c.whole):
            place = definition.end(), c.scala.statement(definition.start())[1]
            match = next(c.matches(rf"{constant}(?:\([^()]*\))?$", place), None)
    if match is not None:
        edit = (match.start("kind"), match.end("kind"), wanted[1])
        yield Candidate(f"a constant with .{wanted[1]}", (edit,), safe=True)


@rule(r"found\s*: Unit")
def _when_as_value(c: Context) -> Iterator[Candidate]:
    """A when chain used as a value becomes a Mux."""
    start = next((m.start() for m in c.matches(r"\bwhen\s*\(", c.around)), None)
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
    made = rf"\bval\s+{re.escape(name)}\s*(?::[^=\n]*)?=\s*"
    collection = r"(?=(?:Indexed)?Seq\b|List\b|Vector\b|Array\b|\()"
    places = (
        [m for end in (collection, "") for m in c.matches(made + end, c.home)] if re.fullmatch(r"\w+", name) else []
    )
    found = next(iter(places), None)
    if found:
        _, end = c.scala.statement(found.start())
        body = c.text[found.end() : end]
        head = c.text[found.start() : found.end()]
        plain = re.sub(r"\s*:[^=]*(?==)", " ", head)
        yield Candidate(f"VecInit for {name}", ((found.start(), end, f"{plain}VecInit({body})"),), safe=True)
    elif name:
        yield Candidate("VecInit", ((start, call[0], f"VecInit({name})"),), safe=True)


@rule(r"heterogeneous types class chisel3\.[US]Int and class chisel3\.[US]Int")
def _mux_of_both_signs(c: Context) -> Iterator[Candidate]:
    """Mux(c, unsigned, signed)."""
    kinds = re.search(r"types class chisel3\.([US])Int and class chisel3\.([US])Int", c.message)
    for match in c.matches(r"\bMux\s*(?=\()"):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if kinds is None or len(arguments) != 3:
            continue
        for index in (1, 0) if kinds[1] == "U" else (0, 1):  # the signed one first: bits as they are
            target = "U" if kinds[1 + index] == "S" else "S"
            start, end = arguments[1 + index]
            words = c.text[start:end]
            shown = words if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", words) else f"({words})"
            yield Candidate(f"{shown}.as{target}Int", ((start, end, f"{shown}.as{target}Int"),))


@rule(r"value [WUSB] is not a member of (?:Int|String|Boolean|BigInt|Long)\b")
def _narrow_import(c: Context) -> Iterator[Candidate]:
    """import chisel3.{Module, UInt}: what makes 8.W and 3.U comes with chisel3._ only."""
    found = list(c.matches(r"\bimport\s+chisel3\.(?:\{[^}]*\}|[A-Z]\w*)(?=[ \t\r]*$|[ \t]*;|\n)", c.whole))
    if found:
        edits = [(*found[0].span(), "import chisel3._")]
        edits += [(*c.whole_lines(*match.span()), "") for match in found[1:]]
        yield Candidate("import chisel3._", tuple(edits), safe=True)
