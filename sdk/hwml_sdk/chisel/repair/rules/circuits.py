"""What Chisel refuses while it builds the circuit."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule


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


_BARE = r"\bval\s+(?P<name>\w+)\s*=\s*(?P<type>\(?\s*new\s+Bundle\b|new\s+\w*(?:Bundle|IO|Io)\b|[US]Int\s*\(|Bool\s*\(\s*\)|Vec\s*\(|(?:Decoupled|Valid|Flipped|Input|Output)\s*\()"


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
        made = re.match(r"new\s+(\w+)\s*(?:\(|$)", body)
        inside = c.scala.code[slice(*c.class_called(made[1]))] if made and made[1] != "Bundle" else body
        interface = re.search(r"\b(?:Input|Output|Flipped|Decoupled|Valid)\b", inside) is not None
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
    modules = {"Queue", "Arbiter", "RRArbiter", "LockingArbiter", "LockingRRArbiter", "Pipe"}
    parents = re.findall(r"\bclass\s+(\w+)[^{]*?\bextends\s+(\w+)", c.scala.code)
    for _ in parents:  # a module may extend one that is defined further down
        modules |= {name for name, parent in parents if parent.endswith(("Module", "BlackBox")) or parent in modules}
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


_RESET_PORT = r"\w*(?:re?se?t|rst)\w*|clear|clr"


@rule(r"type parameter bounds \[T <: chisel3\.experimental\.BaseModule\]")
def _class_that_is_no_module(c: Context) -> Iterator[Candidate]:
    """class Alu { val io = IO(...) }: extends Module is missing."""
    named = re.search(r"type arguments \[(?:\w+\.)*(\w+)\]", c.message)
    for match in c.matches(rf"\bclass\s+{named[1]}\s*(?:\([^{{}}]*?\))?(?P<at>\s*)\{{", c.whole) if named else ():
        if "IO(" in c.scala.code[slice(*c.class_called(named[1] if named else ""))]:
            yield Candidate("extends Module", ((*match.span("at"), " extends Module "),), safe=True)


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
                    (m["name"] for m in c.matches(rf"\bval\s+(?P<name>{_RESET_PORT})\s*=\s*IO\s*\(\s*Input", c.whole)),
                    "",
                )
                name = reset or ("rst" if port["name"].startswith("clk") else "reset")
                edits = [(match.start(), match.end(), "withClockAndReset"), (group[1], group[1], f", {name}")]
                if not reset:
                    edits.append((port.end(), port.end(), f"; val {name} = IO(Input(Bool()))"))
                yield Candidate(f"a reset port {name} and withClockAndReset", tuple(edits))
    yield from _in_clock_domain(c)
    raws = [m for m in c.matches(r"\bextends\s+(?P<raw>RawModule)\b", c.whole) if m.start() < c.span[0]]
    if raws:
        yield Candidate("extends Module", ((raws[-1].start("raw"), raws[-1].end("raw"), "Module"),))


def _in_clock_domain(c: Context) -> Iterator[Candidate]:
    """The statement in the domain of a clock port of the file."""
    ports = {m["name"]: None for m in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*IO\s*\(\s*Input\s*\(\s*Clock\b", c.whole)}
    start, end = c.statement
    defined = re.compile(r"(?:private\s+)?val\s+\w+\s*=\s*").match(c.scala.code, start)
    begin = defined.end() if defined else start
    for name in ports:
        edits = ((begin, begin, f"withClock({name}) {{ "), (end, end, " }"))
        yield Candidate(f"in the domain of {name}", edits)


@rule(r"cannot connect .*\bClock\b|sink .*\bClock\b.*source .*\bBool\b|[Ss]ink .*\bBool\b.*source .*\bClock\b")
def _clock_and_bool(c: Context) -> Iterator[Candidate]:
    """clock := bool, bool := clock."""
    connect = next(c.matches(r":=\s*", c.statement), None)
    if connect is None:
        return
    start, end = connect.end(), c.scala.statement(connect.start())[1]
    words = c.text[start:end]
    shown = words if re.fullmatch(r"[\w.]+(?:\([^()]*\))?", words) else f"({words})"
    for method in ("asClock", "asBool"):
        yield Candidate(f".{method}", ((start, end, f"{shown}.{method}"),), safe=True)


@rule(r"cannot be written from module|unwrit|[Rr]ead-only")
def _direction(c: Context) -> Iterator[Candidate]:
    """A port that is driven from the wrong side."""
    sink = re.search(r"(?:sink \(|: |\s)(?P<class>\w+)\.(?P<port>\w+)", c.message)
    if sink is None:
        return
    declared = rf"\bval\s+{sink['port']}\s*=\s*IO\s*(?=\()"
    for match in c.matches(declared, c.class_called(sink["class"])):
        group = c.scala.group(match.end(), "(")
        if group is None:
            continue
        inner = c.text[group[0] + 1 : group[1]]
        flipped = re.match(r"\s*Flipped\s*\((?P<inside>.*)\)\s*$", inner, re.DOTALL)
        turned = {"Input(": "Output(", "Output(": "Input("}
        for old, new in turned.items():
            if inner.startswith(old):
                yield Candidate(f"{new[:-1]} instead", ((group[0] + 1, group[0] + 1 + len(old), new),))
        if flipped:
            yield Candidate("not flipped", ((group[0] + 1, group[1], flipped["inside"]),))
        elif not inner.startswith(tuple(turned)):
            yield Candidate(f"Flipped({inner})", ((group[0] + 1, group[1], f"Flipped({inner})"),))


@rule(r"cannot be written from module")
def _turned_around(c: Context) -> Iterator[Candidate]:
    """child.io.out := io.out: what comes out of an instance drives the other side."""
    said = re.search(r" in (?P<class>\w+) cannot be written from module (?P<from>\w+)", c.message)
    written = re.compile(r"(?P<to>[\w.]+)\s*:=\s*(?P<from>[\w.]+)$").match(
        c.scala.code[: c.statement[1]], c.statement[0]
    )
    if said is None or written is None or said["class"] == said["from"]:
        return
    driven = rf"(?<![\w.]){re.escape(written['from'])}\s*(?::=|<>|:<)"
    new = f"{written['from']} := {written['to']}"
    yield Candidate(new, ((*c.statement, new),), safe=not re.search(driven, c.scala.code[slice(*c.home)]))


@rule(r"cannot be written from module")
def _direction_of_field(c: Context) -> Iterator[Candidate]:
    """A field of an interface that is driven from inside: an output, or a flipped stream."""
    said = re.search(
        r"(?P<path>\w+(?:\.\w+)+) in (?P<class>\w+) cannot be written from module (?P<from>\w+)", c.message
    )
    if said is None or said["class"] != said["from"]:
        return
    for name in reversed(said["path"].split(".")):
        fields = list(
            c.matches(
                rf"\bval\s+{re.escape(name)}\s*=\s*(?P<kind>Input|Flipped|Decoupled|Irrevocable|Valid)\b\s*(?=\()",
                c.whole,
            )
        )
        group = c.scala.group(fields[0].end(), "(") if len(fields) == 1 else None
        if group is None:
            continue
        start, end = fields[0].span("kind")
        if fields[0]["kind"] == "Input":
            yield Candidate(f"{name} is an Output", ((start, end, "Output"),))
        elif fields[0]["kind"] == "Flipped":
            yield Candidate(f"{name} is not flipped", ((start, group[0] + 1, ""), (group[1], group[1] + 1, "")))
        else:
            edits = ((start, start, "Flipped("), (group[1] + 1, group[1] + 1, ")"))
            yield Candidate(f"{name} is flipped", edits)
        return


@rule(r"(?:Record|Bundle) missing field \((?P<name>\w+)\)")
def _field_by_field(c: Context) -> Iterator[Candidate]:
    """a := b between bundles of different fields."""
    classes = re.search(r"sink \((?P<sink>[^)]*)\) and source \((?P<source>[^)]*)\)", c.message)
    connect = re.compile(r"(?P<to>[\w.]+)\s*(?::=|<>|:<=|:<>=)\s*(?P<from>[\w.]+)\s*$").match(
        c.scala.code[: c.statement[1]], c.statement[0]
    )
    if classes is None or connect is None:
        return
    to, source = (_fields(c, re.findall(r"\w+", classes[side])[-1]) for side in ("sink", "source"))
    gap = f"{c.line_end}{c.indent_at(c.statement[0])}"
    both = [f"{connect['to']}.{name} := {connect['from']}.{name}" for name in to if name in source]
    missing = [name for name in to if name not in source]
    for value in ("zero", "DontCare") if missing else ("",):
        rest = [f"{connect['to']}.{n} := {_zero(to[n]) if value == 'zero' else value}" for n in missing]
        if both:
            title = "field by field" + (f", the others {value}" if missing else "")
            yield Candidate(title, ((*c.statement, gap.join([*both, *rest])),))


def _fields(c: Context, name: str) -> dict[str, str]:
    """Fields of a Bundle class of this file, with what makes them."""
    start, end = c.class_called(name)
    if (start, end) == c.whole:
        return {}
    found = re.finditer(r"\bval\s+(\w+)\s*=\s*([^\n;}]+)", c.scala.code[start:end])
    return {match[1]: match[2] for match in found}


def _zero(made: str) -> str:
    return "false.B" if "Bool()" in made else "0.S" if "SInt" in made else "0.U"


_LEAVES = r"\[(?:[US]Int|Bool|Clock|Reset|AsyncReset|Analog)\b"


@rule(r"Connection between (?:sink|left)")
def _bulk_connect(c: Context) -> Iterator[Candidate]:
    """:= between interfaces with both directions; between other signals <> would only hide what is wrong."""
    if re.search(rf"have different types|{_LEAVES}", c.message):
        return
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
    start, end = c.around
    block = c.scala.enclosing_block(start)
    used = set(re.findall(r"\w+", c.scala.code[start:end]))
    for match in re.compile(r"\bval[ \t]+(?P<name>\w+)[ \t]*[=:]").finditer(c.scala.code, end):
        if match["name"] in used and c.scala.enclosing_block(match.start()) == block:
            begin, stop = c.scala.statement(match.start())
            moved = c.text[begin:stop]
            first, last = c.whole_lines(begin, stop)
            edits = ((start, start, f"{moved}{c.line_end}{c.indent_at(start)}"), (first, last, ""))
            yield Candidate(f"define {match['name']} first", edits, safe=True)


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
    """ "10".U lacks its base, "0x10".U has C's."""
    foreign = [
        (m.start(1), m.end(1), {"x": "h", "b": "b", "o": "o"}[m[1][1].lower()])
        for m in re.finditer(r'(?<=")(0[xXbBoO])(?=[0-9a-fA-F_]+"\s*\.U)', c.text)
    ]
    if foreign:
        yield Candidate("the base as Chisel writes it", tuple(foreign), safe=True)
    for match in re.compile(r'"(?P<base>)(?P<digits>[0-9a-fA-F_]+)"\s*\.U').finditer(c.text):
        for letter in "dbh":
            if re.fullmatch({"d": r"[\d_]+", "b": r"[01_]+", "h": r"\w+"}[letter], match["digits"]):
                yield Candidate(f'"{letter}{match["digits"]}"', ((match.start("base"), match.start("base"), letter),))


@rule(r"UInt literal -\d+ is negative")
def _literal_past_int(c: Context) -> Iterator[Candidate]:
    """0x80000000 and up are negative as a Scala Int."""
    edits = [
        (m.start(), m.end("digits"), f'"h{m["digits"]}"')
        for m in c.matches(r"\b0[xX](?P<digits>[89a-fA-F][0-9a-fA-F]{7})(?=\.U\b)", c.whole)
    ]
    if edits:
        yield Candidate("as a string: an Int is too narrow", tuple(edits), safe=True)


@rule(r"not fully initialized")
def _compared_instead(c: Context) -> Iterator[Candidate]:
    """x == y or x <= y as a statement: := was meant."""
    sink = re.search(r'sink "([^"]+)"', c.message)
    if sink is None:
        return
    name = re.escape(sink[1]).replace("_", "[._]")
    pattern = rf"(?m)(?:^|[{{;])[ \t]*(?<![\w.]){name}\s*(?P<op>===?|<=)(?=\s)"
    edits = [(m.start("op"), m.end("op"), ":=") for m in re.compile(pattern).finditer(c.scala.code, *c.home)]
    if edits:
        yield Candidate("connect with :=", tuple(edits), safe=True)
