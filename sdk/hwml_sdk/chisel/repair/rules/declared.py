"""Where a declaration is at fault, not its use: order, sign, direction, spelling; arguments that changed places."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from ...say.scala_text import ScalaText
from ..fixes import Candidate, Context, rule


@rule(r"type mismatch|cannot be applied to")
def _arguments_turned(c: Context) -> Iterator[Candidate]:
    """f(b, a): the types say that two neighbours changed places."""
    calls = [call for call in (c.scala.enclosing_call(c.span[0]), c.scala.group(c.span[1], "(")) if call]
    for opener, _ in calls:
        arguments = c.scala.arguments(opener)
        at = next((i for i, (start, end) in enumerate(arguments) if start <= c.span[0] < end), None)
        if not 2 <= len(arguments) <= 4:
            continue
        for left in range(len(arguments) - 1):
            if at is None or at in (left, left + 1):
                first, second = (c.text[slice(*arguments[i])] for i in (left, left + 1))
                if first != second:
                    edits = ((*arguments[left], second), (*arguments[left + 1], first))
                    yield Candidate(f"arguments turned: {second}, {first}", edits)
        break


@rule(r"type mismatch")
def _parameters_turned(c: Context) -> Iterator[Candidate]:
    """class Port(val b: Long, val a: Int), called as Port(a, b): the class is at fault."""
    call = c.scala.enclosing_call(c.span[0])
    name = c.scala.called(call[0]) if call else ""
    if call is None or not name:
        return
    given = [c.text[slice(*argument)] for argument in c.scala.arguments(call[0])]
    for match in c.matches(rf"\b(?:class|def)\s+{name}\s*(?=\()", c.whole):
        group = c.scala.group(match.end(), "(")
        parameters = c.scala.arguments(group[0]) if group else []
        by_name = {}
        for start, end in parameters:
            said = re.match(r"(?:(?:override|private|val|var|implicit)\s+)*(\w+)\s*:", c.text[start:end])
            by_name[said[1] if said else ""] = c.text[start:end]
        if sorted(by_name) == sorted(given) and list(by_name) != given and len(given) == len(parameters):
            edits = tuple((*place, by_name[word]) for place, word in zip(parameters, given, strict=True))
            yield Candidate(f"parameters of {name} as they are called", edits)


@rule(r"found\s*: chisel3\.(?:UInt|Bool)\s+required: chisel3\.(?:UInt|Bool)|is not a member of chisel3\.(?:Bool|UInt)")
def _pattern_turned(c: Context) -> Iterator[Candidate]:
    """val (wrap, n) = Counter(...): the count comes first."""
    name = c.text[c.span[0] : c.scala.operand_end(c.span[0])].partition(".")[0]
    pattern = r"\bval\s*\(\s*(?P<a>\w+)\s*,\s*(?P<b>\w+)\s*\)\s*=\s*Counter\b"
    for match in c.matches(pattern, c.home) if name else ():
        if name in (match["a"], match["b"]):
            edits = ((*match.span("a"), match["b"]), (*match.span("b"), match["a"]))
            yield Candidate(f"({match['b']}, {match['a']}): the count comes first", edits)


@rule(r"not fully initialized")
def _input_was_meant(c: Context) -> Iterator[Candidate]:
    """A field that nothing here drives, declared as an Output."""
    said = re.search(r'(?:sink|port) "(?P<path>\w+)"', c.message)
    if said is None:
        return
    path = said["path"].replace("_", "[._]")
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*[:=][^\n]*?\b(?P<kind>Output)\s*\(", c.whole):
        name = match["name"]
        driven = re.search(rf"(?<![\w.]){path}(?:\([^()]*\))?(?:\.\w+)*\s*(?::=|<>|:<)", c.scala.code)
        if re.search(rf"(?:^|_){name}$", said["path"]) and not driven:
            yield Candidate(f"{name} is an Input", ((*match.span("kind"), "Input"),))


@rule(r"found\s*: chisel3\.[US]Int\s+required: chisel3\.[US]Int|is not a member of chisel3\.[US]Int")
def _declared_with_other_sign(c: Context) -> Iterator[Candidate]:
    """val b = Input(SInt(8.W)), def f(x: SInt), used as the other one: the declaration is at fault."""
    kinds = re.search(r"found\s*: chisel3\.([US])Int\s+required: chisel3\.([US])Int", c.message)
    name = c.text[c.span[0] : c.scala.operand_end(c.span[0])].partition("(")[0].rpartition(".")[2]
    targets = []
    if kinds is not None and name:
        made = rf"\bval\s+{re.escape(name)}\s*=[^\n]*?\b(?P<kind>{kinds[1]}Int)\s*\("
        targets += [(m, name, kinds[2]) for m in c.matches(made, c.whole)]
    call = c.scala.enclosing_call(c.span[0])
    callee = c.scala.called(call[0]) if call else ""
    if kinds is not None and call is not None and callee:
        index = sum(end <= c.span[0] for _, end in c.scala.arguments(call[0]))
        for match in c.matches(rf"\bdef\s+{callee}\s*(?=\()", c.whole):
            group = c.scala.group(match.end(), "(")
            parameters = c.scala.arguments(group[0]) if group else []
            place = parameters[index] if index < len(parameters) else (0, 0)
            targets += [(m, callee, kinds[1]) for m in c.matches(rf":\s*(?P<kind>{kinds[2]}Int)\b", place)]
    for match, shown, kind in targets[:2]:
        yield Candidate(f"{shown}: {kind}Int where it is declared", ((*match.span("kind"), f"{kind}Int"),))


@rule(r"Sink \(?[US]Int.* and Source \(?[US]Int|found\s*: chisel3\.[US]Int\s+required: chisel3\.[US]Int")
def _converted_to_other_sign(c: Context) -> Iterator[Candidate]:
    """x.asSInt for x.asUInt."""
    wanted = re.search(r"Sink \(?([US])Int|required: chisel3\.([US])Int", c.message)
    kind = (wanted[1] or wanted[2]) if wanted else "U"
    for match in list(c.matches(rf"\.as(?P<kind>{'S' if kind == 'U' else 'U'})Int\b", c.around))[:2]:
        yield Candidate(f".as{kind}Int", ((*match.span("kind"), kind),))


@rule(r"not found: value \w+")
def _misspelt_where_declared(c: Context) -> Iterator[Candidate]:
    """class M(ramFie: String), used as ramFile: a parameter or value that is used under no other name."""
    said = re.search(r"not found: value (\w+)", c.message)
    name = said[1] if said else ""
    words = sorted(c.scala.parameters | c.scala.declared.keys())
    for near in difflib.get_close_matches(name, words, n=2, cutoff=0.8):
        places = list(c.matches(rf"\b{re.escape(near)}\b", c.whole))
        if len(places) == 1:
            yield Candidate(f"{name} instead of {near} where it is declared", ((*places[0].span(), name),))


@rule(r"value \w+ is not a member of [\w.]+")
def _field_not_declared(c: Context) -> Iterator[Candidate]:
    """io.stall, which the Bundle class of this file lacks: declared as its uses say."""
    said = re.search(r"value (\w+) is not a member of (?:\w+\.)*(\w+)", c.message)
    found = said and re.search(
        rf"\bclass\s+{said[2]}\b[^{{\n]*(?:\n[^{{\n]*)*?extends\s+Bundle\s*(?=\{{)", c.scala.code
    )
    block = c.scala.group(found.end(), "{") if found else None
    if said is None or block is None:
        return
    field = next(c.matches(r"(?m)^(?P<blanks>[ \t]*)val\s+\w+", block), None)
    at = c.scala.skip_space_back(block[1], lines=True)
    indent = field["blanks"] if field else f"{c.indent_at(block[0])}  "
    for kind in _kinds_of_field(c.scala, said[1], block):
        yield Candidate(f"declare {said[1]}: {kind}", ((at, at, f"{c.line_end}{indent}val {said[1]} = {kind}"),))


def _kinds_of_field(scala: ScalaText, name: str, block: tuple[int, int]) -> list[str]:
    """What a field may be by its uses: driven or read, a condition or a number as wide as its neighbours."""
    driven = re.search(rf"\.{name}\s*:=", scala.code)
    side = "Output" if driven else "Input"
    asked = re.search(
        rf"(?:!|&&\s*|\|\|\s*|when\s*\(\s*)\w+\.{name}\b(?!\s*[=<>(.])|\.{name}\s*:=\s*(?:true|false)\.B", scala.code
    )
    widths = [w[1] for w in re.finditer(r"\bUInt\((\w[\w.]*?\.W)\)", scala.code[slice(*block)])]
    common = sorted(dict.fromkeys(widths), key=widths.count, reverse=True)[:2]
    numbers = [f"{side}(UInt({width}))" for width in common]
    return [f"{side}(Bool())"] if asked else [*numbers[:1], f"{side}(Bool())", *numbers[1:]]
