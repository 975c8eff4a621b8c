"""Arguments: in the wrong order, of the wrong kind, one too few."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule

_COUNT_FIRST = ("Vec", "Mem", "SyncReadMem", "Fill")
_TYPE_FIRST = ("Queue", "Arbiter", "RRArbiter", "LockingArbiter", "Pipe", "ShiftRegister")
_A_TYPE = re.compile(r"\b[US]Int\b|\bBool\b|\bnew\s|\bVec\s*\(|^\s*(?:gen|\w*[tT]ype)\s*$|^\s*[A-Z]\w*\(")


@rule(r"overloaded method|type mismatch|inferred type arguments|not enough arguments")
def _swapped(c: Context) -> Iterator[Candidate]:
    """Mem(type, n), Queue(n, type): only one order has a type."""
    for match in c.matches(rf"\b(?P<name>{'|'.join((*_COUNT_FIRST, *_TYPE_FIRST))})\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) < 2:
            continue
        first, second = (c.text[slice(*a)] for a in arguments[:2])
        number_first = re.fullmatch(r"\d+", first) is not None
        wrong = number_first or _A_TYPE.search(second) if match["name"] in _TYPE_FIRST else _A_TYPE.search(first)
        if wrong:
            edits = ((*arguments[0], second), (*arguments[1], first))
            yield Candidate(f"{match['name']}({second}, {first})", edits, safe=True)


@rule(r"overloaded method|type mismatch|cannot be applied")
def _enable_and_start(c: Context) -> Iterator[Candidate]:
    """RegEnable(next, enable, start): the start value comes second."""
    for match in c.matches(r"\bRegEnable\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) != 3:
            continue
        middle, last = (c.text[slice(*a)] for a in arguments[1:])
        constant = re.compile(r"(?:\b\d\w*|\)|\"\w+\")\.[US](?:\(.*\))?$")
        if constant.search(last) and not constant.search(middle):
            edits = ((*arguments[1], last), (*arguments[2], middle))
            yield Candidate("RegEnable(next, start, enable)", edits, safe=True)


@rule(r"chisel3\.(?:internal\.firrtl\.)?Width")
def _width_for_type(c: Context) -> Iterator[Candidate]:
    """SyncReadMem(n, 8.W)."""
    holders = r"Vec|Mem|SyncReadMem|Input|Output|Flipped|Reg|Wire|IO|Queue|Decoupled|Valid|Irrevocable"
    edits = []
    for match in c.matches(rf"\b(?:{holders})\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        for argument in c.scala.arguments(group[0]) if group else []:
            if re.fullmatch(r"(?:\w+|\([^()]*\))\.W", c.text[slice(*argument)]):
                edits.append(argument)
    for kind in ("UInt", "SInt") if edits else ():
        ends = [edit for start, end in edits for edit in ((start, start, f"{kind}("), (end, end, ")"))]
        yield Candidate(f"{kind} of that width", tuple(ends))


@rule(
    r"found\s*: chisel3\.(?:UInt|SInt|Bool)\s+required: (?:Int|BigInt|Long|Boolean|String|chisel3\.(?:experimental\.)?Param)\b"
)
def _constant_for_number(c: Context) -> Iterator[Candidate]:
    """ "WIDTH" -> 8.U, Seq.fill(4.U): a plain number or Boolean is wanted."""
    pattern = r"(?P<value>\b\d\w*|\btrue|\bfalse)(?P<kind>\.[USB](?:\([^()]*\))?)"
    near = max(c.line[0], c.span[0] - 40), min(c.line[1], c.span[1] + 40)
    edits = [
        (m.start("kind"), m.end("kind"), "") for m in c.matches(pattern, near) if m.end() >= c.span[0] >= m.start()
    ]
    if edits:
        yield Candidate("a plain value", tuple(edits), safe=True)


@rule(
    r"mask: Seq\[chisel3\.Bool\].*cannot be applied|found\s*: chisel3\.UInt\s+required: (?:Seq|Iterable|IndexedSeq)\[chisel3\.Bool\]"
)
def _bits_as_bools(c: Context) -> Iterator[Candidate]:
    """A mask as a UInt."""
    if "required:" in c.message:
        yield Candidate(".asBools", ((c.span[1], c.span[1], ".asBools"),), safe=True)
        return
    for match in c.matches(r"\.(?:write|read)\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) >= 3:
            end = arguments[2][1]
            simple = re.fullmatch(r"[\w.]+(?:\([^()]*\))?", c.text[slice(*arguments[2])])
            edits = (
                (arguments[2][0], arguments[2][0], "" if simple else "("),
                (end, end, f"{'' if simple else ')'}.asBools"),
            )
            yield Candidate("the mask bit by bit: .asBools", edits, safe=True)


@rule(r"type mismatch|not found|overloaded|not enough arguments|is not a value")
def _new_in_module(c: Context) -> Iterator[Candidate]:
    """Module(Queue(...)): the class, not the function of that name."""
    library = {"Queue", "Arbiter", "RRArbiter", "LockingArbiter", "Pipe"}
    edits = []
    for match in c.matches(r"\bModule\s*\(\s*(?P<name>[A-Z]\w*)\s*(?=[(\[)])", c.around):
        if match["name"] in library or re.search(rf"\bclass\s+{match['name']}\b", c.scala.code):
            edits.append((match.start("name"), match.start("name"), "new "))
    if edits:
        yield Candidate("Module(new ...)", tuple(edits), safe=True)


@rule(
    r"chisel3\.Clock.*cannot be applied to \(chisel3\.(?:Bool|UInt|Reset)|found\s*: chisel3\.Bool\s+required: chisel3\.Clock"
)
def _bool_as_clock(c: Context) -> Iterator[Candidate]:
    """withClock(bool): a port that is a clock, or a conversion."""
    for match in c.matches(r"\b(?:withClock|withClockAndReset)\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if not arguments:
            continue
        start, end = arguments[0]
        name = c.text[start:end].rpartition(".")[2]
        ports = list(c.matches(rf"\bval\s+{re.escape(name)}\s*=[^\n;]*?\bInput\(\s*(?P<kind>Bool\(\))", c.whole))
        if len(ports) == 1:
            yield Candidate(f"{name} as a Clock", ((ports[0].start("kind"), ports[0].end("kind"), "Clock()"),))
        yield Candidate(".asClock", ((end, end, ".asClock"),))


_RESET = r"\bval\s+(?P<name>\w*(?:[rR]e?se?t|[rR]st)\w*)\s*=\s*(?:IO\s*\(\s*)?Input\s*\(\s*(?:Bool|Reset|AsyncReset)\b"


@rule(r"chisel3\.Reset.*cannot be applied to \(chisel3\.Clock\)|not enough arguments for method apply: \(clock")
def _clock_without_reset(c: Context) -> Iterator[Candidate]:
    """withClockAndReset(clock)."""
    for match in c.matches(r"\bwithClockAndReset\s*(?=\()", c.around):
        group = c.scala.group(match.end(), "(")
        arguments = c.scala.arguments(group[0]) if group else []
        if len(arguments) != 1:
            continue
        end = arguments[0][1]
        prefix = c.text[slice(*arguments[0])].rpartition(".")[0]
        for port in c.matches(_RESET, c.home):
            path = f"{prefix}.{port['name']}" if prefix else port["name"]
            yield Candidate(f"with {path}", ((end, end, f", {path}"),))
        yield Candidate("with the module's own reset", ((end, end, ", reset"),))
        yield Candidate("withClock", ((match.start(), match.start() + len("withClockAndReset"), "withClock"),))


@rule(r"No implicit clock")
def _reset_without_clock(c: Context) -> Iterator[Candidate]:
    """withReset(r) in a RawModule that has a clock port."""
    ports = [m["name"] for m in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*IO\s*\(\s*Input\s*\(\s*Clock\b", c.home)]
    places = [m for m in c.matches(r"\b(?P<word>withReset)\s*\(", c.home) if m.start() <= c.span[0]]
    for name in ports if places else ():
        edits = ((places[-1].start(), places[-1].end(), f"withClockAndReset({name}, "),)
        yield Candidate(f"with {name}", edits, safe=len(ports) == 1)


@rule(r"found\s*: \(T1, T2\)\s+required: chisel3\.util\.Counter")
def _counter_condition(c: Context) -> Iterator[Candidate]:
    """val (n, wrap) = Counter(10): what makes it count is missing."""
    for match in c.matches(r"\bCounter\s*\(", c.around):
        used = c.scala.code
        prefix = "io." if re.search(r"\bval\s+io\b", used) else ""
        fields = [
            m["name"] for m in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*(?:IO\s*\(\s*)?Input\s*\(\s*Bool\b", c.home)
        ]
        idle = [name for name in fields if len(re.findall(rf"\b{name}\b", used)) == 1]
        for condition in [*(f"{prefix}{name}" for name in idle[:2]), "true.B"]:
            yield Candidate(f"count when {condition}", ((match.end(), match.end(), f"{condition}, "),))


@rule(r"found\s*: chisel3\.(?:Bool|UInt)\s+required: Boolean")
def _require_of_signal(c: Context) -> Iterator[Candidate]:
    """require(signal): known only when the circuit runs."""
    edits = [(m.start(), m.end(), "assert") for m in c.matches(r"(?<![\w.])require(?=\s*\()", c.around)]
    if edits:
        yield Candidate("assert in the circuit", tuple(edits))
