"""Codes of Chisel diagnostics: which words of which tool mean what, in a Chisel engineer's terms.

Words: scalac 2.13.15 and 2.13.16, Chisel 6.7.0 and 7.14.0 (`core/src/main/scala/chisel3`), firtool 1.62.1 and 1.155.0.
The first rule whose pattern is found wins. `{name}` in a text is a group of the pattern.
"""

# ruff: noqa: E501 -- one rule a line reads as a table
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..types import Stage
from .util_names import UTIL_NAMES


@dataclass(frozen=True, slots=True)
class Rule:
    """One family of messages."""

    code: str
    pattern: re.Pattern[str]
    cause: str
    hint: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a message means."""

    code: str
    cause: str
    hint: str


_NAMED = re.compile(r"\{(\w+)\}")  # hints may hold braces of Scala


def _rule(code: str, pattern: str, cause: str, hint: str) -> Rule:
    return Rule(code, re.compile(pattern, re.DOTALL), cause, hint)


_HW = r"chisel3\.(?:UInt|SInt|Bool|Bits|Data|Clock|Element)"

_SCALAC = (
    _rule(
        "CH002",
        r"expected but '?else'? found|illegal start of (?:statement|definition).*else",
        "Scala's else cannot follow Chisel's when",
        "write .otherwise { ... }, or .elsewhen(cond) { ... }",
    ),
    _rule("CH003", r"unclosed (?:string|character) literal|unclosed multi-line string", "a string is not closed", "add the closing quote"),
    _rule("CH003", r"[Mm]issing closing brace|'\}' expected but eof found|'\)' expected but", "a bracket is not closed", "close it where the block ends"),
    _rule("CH120", r"value is is not a member of|';' expected but 'is'", "two is(...) blocks stand on one line", "put a line break or ; between them"),
    _rule(
        "CH121",
        r"(?:object|value) (?:stage|firrtl|convert|package) is not a member of package chisel3\.util\.circt|not found: (?:object|value) circt",
        "import chisel3.util._ brings a package circt of its own, which hides the top one",
        "write _root_.circt",
    ),
    _rule(
        "CH114",
        r"(?:object|value|type|class) (?P<name>\w+) is not a member of (?:package|object) (?P<owner>chisel3(?:\.\w+)*|Chisel)",
        "{name} is not in {owner} of this Chisel version",
        "it has moved or was removed: hwml explain CH114 lists where things went",
    ),
    _rule("CH114", r"cannot override cloneType", "the compiler plug-in writes cloneType itself since Chisel 5", "delete the override"),
    _rule("CH114", r"not found: (?:object|value|type) (?P<name>Chisel|FixedPoint|MultiIOModule|Driver|INPUT|OUTPUT|NODIR)\b", "{name} was removed from Chisel", "hwml explain CH114 names what took its place"),
    _rule("CH112", r"recursive (?:value|variable) (?P<name>\w+) needs type", "{name} is used in its own definition", "declare it first (Reg or Wire with a type), then connect it with :="),
    _rule("CH110", r"found\s*: Unit\s+required: chisel3|type mismatch;\s+found\s*: Unit", "when, switch and := are statements: they have no value", "use Mux, MuxCase or MuxLookup for a value"),
    _rule("CH104", r"found\s*: (?:Int|Long|BigInt)(?:\(\d+\))?\s+required: chisel3\.(?:internal\.firrtl\.)?Width", "a width is wanted here, not a Scala number", "append .W"),
    _rule("CH105", r"found\s*: Boolean(?:\((?:true|false)\))?\s+required: (?:chisel3\.|T)", "this is a Scala Boolean, known while the circuit is built, not a signal", "use .B for a constant; compare signals with === and =/="),
    _rule("CH111", r"found\s*: chisel3\.(?:Reset|AsyncReset|Clock)\s+required: chisel3\.(?:Bool|UInt)", "a reset or clock is no Bool by itself", "append .asBool"),
    _rule("CH106", rf"found\s*: {_HW}\s+required: chisel3\.Bool", "a Bool is wanted here", "reduce it with .orR or compare it with === ; .asBool for one bit"),
    _rule("CH107", rf"found\s*: {_HW}\s+required: (?:Int|Boolean|Long|BigInt|scala\.\w+)", "a Scala value, known while the circuit is built, is wanted here; this is a signal", "use VecInit to index with a signal, Mux or when to decide by one"),
    _rule("CH103", r"found\s*: (?:Int|Long|BigInt|scala\.math\.BigInt|Double)(?:\(-?\d+\))?\s+required: (?:chisel3\.|T\b)", "this is a Scala number, not a signal", "append .U, .S or .U(width.W)"),
    _rule("CH103", r"inferred type arguments \[(?:Int|Long|BigInt)\] do not conform", "this is a Scala number, not a signal", "append .U, .S or .U(width.W)"),
    _rule("CH105", r"inferred type arguments \[Boolean\] do not conform", "this is a Scala Boolean, not a signal", "append .B"),
    _rule("CH103", r"overloaded method .* cannot be applied to \((?:Int|Int, Int|chisel3\.UInt, Int|Int, chisel3\.UInt)\)", "a Scala number stands where a signal is wanted", "append .U, .S or .U(width.W)"),
    _rule("CH108", r"found\s*: chisel3\.(?P<found>UInt|SInt)\s+required: chisel3\.(?P<want>UInt|SInt)", "{found} and {want} do not mix by themselves", "convert with .asUInt or .asSInt, or make both the same"),
    _rule("CH117", r"chisel3\.\w+ does not take parameters|missing argument list|does not take parameters", "parentheses that do not belong here, or are missing", "asUInt, asSInt and asBool take no ()"),
    _rule("CH116", r"reassignment to val", "= does not connect signals", "use := to connect"),
    _rule("CH113", r"do not support named and/or default arguments", "this function takes its arguments by place, without names", "write them in order: RegEnable(next, init, enable)"),
    _rule("CH113", r"unknown parameter name: (?P<name>\w+)", "there is no parameter {name}", "write the arguments by place; Reg(init = x) is RegInit(x) now, Wire(init = x) is WireDefault(x)"),
    _rule("CH117", r"does not take type parameters", "square brackets are for types in Scala", "pick bits with parentheses: x(7), x(7, 4)"),
    _rule("CH117", r"no arguments allowed for nullary method apply: \(\): chisel3\.Bool", "Bool() is the type of a signal and takes no value", "a constant is true.B or false.B"),
    _rule("CH118", r"illegal inheritance from final class Module", "without Chisel's import, Module is Java's class of that name", "add import chisel3._"),
    _rule("CH122", r"(?P<name>\w+) is already defined as", "{name} is defined twice here", "give the second one another name, or connect the first with :="),
    _rule("CH122", r"forward reference (?:to|extends over)[^\n]*?(?P<name>\w+)", "{name} is used before the line that defines it", "move its definition up"),
    _rule("CH123", r"class (?P<name>\w+) needs to be abstract|object creation impossible|has unimplemented members?|is not defined", "something that a parent class leaves open has no definition here", "define it; for an interface of a module: val io = IO(new Bundle { ... })"),
    _rule("CH123", r"class (?P<name>\w+) is abstract; cannot be instantiated|trait (?P<what>\w+) is abstract", "an abstract class or trait cannot be made with new", "extend it by a class, or give it a body"),
    _rule("CH124", r"could not find implicit value", "something that Chisel passes on by itself is missing here", "inside a Module clock and reset are there; in a function take (implicit p: ...) or pass it on"),
    _rule("CH124", r"reference to (?P<name>\w+) is ambiguous", "two imports, or an import and a definition, both bring {name}", "import one of them by name, or write its full name"),
    _rule("CH124", r"(?:value|method|class) (?P<name>\w+) in (?:class|object|trait) \S+ cannot be accessed|is private", "{name} is private there", "use what is public, or make it so"),
    _rule("CH113", r"no arguments allowed for nullary constructor|too many arguments|not enough arguments|unspecified value parameter|wrong number of (?:arguments|parameters)", "the arguments do not fit the parameters", "compare with the definition"),
    _rule("CH115", r"overloaded method", "no variant of this method takes these arguments", "check their types and number"),
    _rule("CH119", r"type mismatch", "the types do not fit", "convert one side, or wrap a constant"),
    _rule("CH109", r"(?:value|type|method) (?P<name>\S+) is not a member of (?P<owner>[^\n]+)", "there is no {name} here", "check the spelling, the import and the type before the dot"),
    _rule("CH118", r"class \S+ is not a value|not found: value (?P<name>[A-Z]\w*)", "{name} cannot be called", "a module or bundle needs new; a function may need an import"),
    _rule("CH102", r"not found: (?:value|type|object) (?P<name>\S+)", "{name} is not known here", "check the spelling and the imports"),
    _rule("CH001", r"expected but|illegal start of|unclosed comment|identifier expected|expected start of definition|in XML literal|invalid literal|unmatched", "this is no Scala", "look at the line above as well"),
)  # fmt: skip

_ELABORATION = (
    _rule("CH201", r"must be a Chisel type, not hardware|Cannot create register with constant value", "a type is wanted here, such as UInt(8.W); this is a signal or a constant", "Reg -> RegInit, Wire -> WireDefault, or chiselTypeOf(signal)"),
    _rule("CH202", r"must be hardware, not a bare Chisel type", "this is only a type, no signal", "wrap it: IO(...), Wire(...) or Reg(...)"),
    _rule("CH203", r"Cannot reassign to read-only|reassign to read-only", "the left side of := is a result or an input and cannot be driven", "connect to a Wire, Reg or output; build bits with Cat or VecInit"),
    _rule("CH204", r"attempted to instantiate a Module|Called Module\(\) twice|without wrapping|Module\(\) wrapper|Did you forget to wrap it in Module\(\)", "every instance is wrapped in Module(...) exactly once", "write Module(new Name)"),
    _rule("CH205", r"No implicit (?P<what>clock|reset)", "a RawModule has no {what} of its own", "use withClockAndReset(clock, reset) { ... }, or extend Module"),
    _rule("CH206", r"in (?P<module>\w+) cannot be written from module (?P=module)\b", "a signal that comes into {module} cannot be driven from inside it", "make it an Output (or Flipped), or connect the other way round"),
    _rule("CH220", r"Sink \((?P<sink>[A-Z]\w*)\) and Source \((?:UInt|SInt|Bool)[^ ]*\) have different types", "{sink} is no number: an enumeration takes its own values, a bundle is connected field by field", "a number becomes a value by {sink}(x) where every code is one, else by {sink}.safe(x), which gives the value and whether it is one"),
    _rule("CH220", r"Sink \((?:UInt|SInt|Bool)[^ ]*\) and Source \((?P<source>[A-Z]\w*)\) have different types", "{source} is no number, the other side is one", ".asUInt gives the code of an enumeration; of a bundle or stream take a field, such as .bits"),
    _rule("CH220", r"Sink \((?P<sink>[A-Z]\w*)\) and Source \((?P<source>[A-Z]\w*)\) have different types", "the two sides are of two different types, {sink} and {source}", "connect a signal of the same one; <> would hide the difference, not mend it"),
    _rule("CH220", r"heterogeneous types class chisel3\.(?P<sink>\w+) and class chisel3\.(?P<source>\w+)", "the two sides of a Mux are of different types, {sink} and {source}", "convert one: .asUInt, .asSInt, .asBool"),
    _rule("CH206", r" in (?P<module>\w+) cannot be written from module (?P<other>\w+)", "what comes out of an instance of {module} cannot be driven from outside, from {other}", "turn it round: what comes out of the instance goes on the right of :="),
    _rule("CH206", r"Record missing field \((?P<field>\w+)\)", "one side has no field {field}", "connect field by field, or give both the same fields"),
    _rule("CH206", r"Connection between (?:sink|left) .* failed", "the two sides do not fit: lengths, fields or directions differ", "use <> or :<>= for bundles with both directions; make lengths equal"),
    _rule("CH207", r"[Ww]idth of .* is unknown|unknown width|Data width unknown|width .* unknown", "the width is asked for before it is known", "give the signal a width: UInt(8.W)"),
    _rule("CH208", r"Public Seq members cannot be used to define Bundle elements", "a Bundle cannot hold a Seq", "use Vec(n, type)"),
    _rule("CH212", r"[Nn]egative|literal .* (?:does not fit|is negative)|must be (?:non-negative|positive)|UInt literal .* is negative", "an unsigned constant cannot be negative", "use .S, or write the two's complement"),
    _rule("CH214", r"does(?:n't| not) fit|too small|[Ww]idth .* (?:too small|smaller)|can(?:not|'t) hold|required at least|literal value .* was elaborated with a specified width", "the constant needs more bits than it is given", "widen it"),
    _rule("CH209", r"is\(\) (?:conditions|case) must be|(?:switch|is).*(?:literal|duplicate)|Cannot specify conditions that are not literals|mutually exclusive", "is(...) takes different constants only", "use when/elsewhen for anything else"),
    _rule("CH210", r"escaped the scope|not visible from|cannot be (?:read|written) from|invisible from the current", "a signal is used outside the module or when-block it belongs to", "declare a Wire before the block, or pass it through a port"),
    _rule("CH216", r"IO\(.*\).*(?:already|not been)|Bundle.*contains (?:aliased|null)|aliased", "a Bundle holds the same signal twice, or one that is not there yet", "make every field a fresh type"),
    _rule("CH215", r"[Ii]ndex \d+ is out of range|Invalid bit range|IndexOutOfBounds", "a bit or an element is asked for that is not there", "the last index is the width minus 1, and the high bit comes first: x(7, 0); until instead of to in a loop"),
    _rule("CH219", r"NumberFormatException.*under radix", "the digits do not fit the base of the constant", "b takes 0 and 1, h hexadecimal digits; bits that do not matter make a BitPat"),
    _rule("CH217", r"requirement failed|assertion failed", "a require or assert of the generator failed for these parameters", "check the parameters against what it asks for"),
    _rule("CH213", r"NoSuchElementException|UnsupportedOperationException: empty|head of empty|None\.get", "the generator asks for an element that is not there: of an empty list, of a Map without that key, of None", "look at the parameters with which it is made; .headOption, .getOrElse and .reduceOption ask with care"),
    _rule("CH213", r"ClassCastException", "the generator takes a value for something it is not", "match on the type instead of asInstanceOf"),
    _rule("CH213", r"ArithmeticException", "the generator divides by zero, or leaves the range of Int", "look at the parameters with which it is made"),
    _rule("CH213", r"MatchError", "a match of the generator has no case for this value", "add a case, or case _"),
    _rule("CH213", r"UnsupportedOperationException|NotImplementedError", "the generator says itself that it cannot do this", "look at the line it points to"),
    _rule("CH218", r"NullPointerException", "a value is used before the line that defines it", "move its definition up, or make it lazy val"),
)  # fmt: skip

_FIRTOOL = (
    _rule("CH301", r'(?:sink|port) "(?P<name>\w+\.\w+)" not fully initialized', "{name}, an input of an instance, is not driven in every case", "connect it; a black box has no clock and reset of its own"),
    _rule("CH301", r'(?:sink|port) "(?P<name>[^"]*)" not fully initialized', "{name} is not driven in every case", "give it a default before when, add .otherwise, or := DontCare; what is to keep its value has to be a Reg"),
    _rule("CH305", r"inserting implicit truncation", "the value has more bits than its target; the upper ones are dropped", "cut it where it is meant: x(7, 0), or +% instead of +&"),
    _rule("CH302", r"combinational cycle", "a signal depends on itself in the same cycle", "break the loop with a register; VecInit(...) of registers is a wire itself: RegInit(VecInit(...)) holds the vector"),
    _rule("CH303", r"must have known width|[Uu]ninferred width|uninferred [Uu]?[Ii]nt|width.*(?:infer|constrain)|infer.*width", "the width of a signal follows from nothing", "give it a width: UInt(8.W)"),
    _rule("CH310", r"Unable to resolve (?:sink\(s\)|source) for pin: \"?(?P<pin>[^\"]*)\"?", "BoringUtils: {pin} has no other end in this circuit", "addSource needs an addSink of the same name under the same top, and the other way round; BoringUtils.bore(signal) needs neither"),
    _rule("CH310", r"cannot wire port through this public module", "BoringUtils cannot pass through a public module", "bore inside one top module"),
    _rule("CH311", r"ambient layers|layers? .*insufficient|layerblock|layer block|under a layer", "a probe or a signal of a layer is used outside of it", "read it inside layer.block(...) { ... } of the same layer"),
    _rule("CH311", r"firrtl\.ref\.|\b(?:rw)?probe\b", "a probe is used where it cannot be read", "define(...) where it is made, read(...) where it is used, in the same layer"),
    _rule("CH304", r"async reset, but its reset value|simultaneously connected to async and sync|reset network", "the kinds of reset do not fit: a start value that is no constant, or two kinds on one net", "give an asynchronous register a constant to start from; drive one reset with one kind"),
    _rule("CH312", r"symbol .*(?:redefinition|already)|redefinition of|same (?:defname|name)|duplicate", "two things of this circuit have the same name", "give one another desiredName or suggestName"),
    _rule("CH304", r"concrete reset type|(?:uninferred|abstract|infer).*reset|reset.*(?:infer|abstract)", "nothing says which kind of reset this is", "use Bool() or AsyncReset() on the port instead of Reset()"),
)  # fmt: skip

_WARNING_NUMBER = re.compile(r"\[W00[2345]\]")


_FIRTOOL_HINT = "hwml chisel emit --chirrtl shows the circuit that it was given"


def meaning_of(stage: Stage, severity: str, message: str, error: str = "") -> Meaning:
    """Code, cause and hint of a tool's message. error: the class of what a constructor threw."""
    if stage == "firtool":
        cause = "firtool refuses the circuit" if severity == "error" else "firtool takes the circuit, with a remark"
        return _first(_FIRTOOL, message) or Meaning("CH390", cause, _FIRTOOL_HINT)
    if stage == "elaborate":
        return _elaboration(severity, message, error)
    if severity != "error":
        return _warning(message)
    return _missing_name(message) or _first(_SCALAC, message) or Meaning("CH100", "", "")


_SAID = (
    _rule("CH291", r"[Cc]asting non-literal UInt", "not every code is a value of this enumeration", "E.safe(x) gives the value and whether it is one"),
)  # fmt: skip


def _elaboration(severity: str, message: str, error: str) -> Meaning:
    if _WARNING_NUMBER.search(message):
        return Meaning(
            "CH211", "the index has not the width that the elements need", "cut it: index(log2Ceil(n) - 1, 0)"
        )
    if severity != "error":
        return _first(_SAID, message) or Meaning("CH291", "", "")
    text = f"{error}: {message}"
    found = _first(_ELABORATION, text)
    if found is not None:
        return found
    if error.startswith("chisel3."):
        return Meaning("CH290", "Chisel refuses this while it builds the circuit", "")
    return Meaning("CH213", f"the constructor threw {error.rpartition('.')[2] or 'an error'}", "")


_WARNINGS = (
    _rule("CH190", r"Passing an Int to \.[US] is usually a mistake", "a number in these parentheses picks one bit of the constant", "a width is written with .W: 1.U(8.W)"),
    _rule("CH190", r"s-interpolator prints", "s\"...\" prints how Scala names the signal, not its value", "write cf\"...\" or p\"...\""),
    _rule("CH190", r"match may not be exhaustive", "the match of the generator has no case for some values", "add case _ or the missing ones"),
    _rule("CH190", r"discarded non-Unit|pure expression does nothing", "the value of this line goes nowhere", "connect it with :=, or remove it"),
    _rule("CH190", r"comparing .* using `?[=!]=|will always yield (?:false|true)", "this compares two Scala objects, not two signals", "=== and =/= compare signals"),
)  # fmt: skip


def _warning(message: str) -> Meaning:
    if "deprecated" in message:
        return Meaning("CH191", "", "it still works; a later Chisel takes it away")
    return _first(_WARNINGS, message) or Meaning("CH190", "", "")


_NOT_FOUND = re.compile(r"not found: (?:value|type) (?P<name>\w+)|class java\.lang\.(?P<enum>Enum) is not a value")


def _missing_name(message: str) -> Meaning | None:
    match = _NOT_FOUND.search(message)
    name = (match["name"] or match["enum"]) if match else ""
    if name not in UTIL_NAMES:
        return None
    return Meaning("CH101", f"{name} lives in chisel3.util", "add import chisel3.util._")


def _first(rules: tuple[Rule, ...], text: str) -> Meaning | None:
    for rule in rules:
        match = rule.pattern.search(text)
        if match:
            groups = {name: value or "it" for name, value in match.groupdict().items()}
            return Meaning(rule.code, _filled(rule.cause, groups), _filled(rule.hint, groups))
    return None


def _filled(text: str, groups: Mapping[str, str]) -> str:
    return _NAMED.sub(lambda match: groups.get(match[1], match[0]), text)
