"""What firtool refuses: resets, cycles, values that are never given."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .vectors import outermost


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


@rule(r"combinational cycle")
def _cycle_with_start(c: Context) -> Iterator[Candidate]:
    """WireInit(0.U) on the path: RegInit was meant."""
    path = set(re.findall(r"\w+", c.message.partition("path")[2])) or set(c.scala.declared)
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*(?P<made>WireInit|WireDefault)\s*\(", c.whole):
        if match["name"] in path:
            yield Candidate(f"{match['name']} as a register", ((match.start("made"), match.end("made"), "RegInit"),))


def _scala_path(c: Context, sink: str) -> str:
    """The Scala path of a lowered name: `io_req_ready` may be `io.req.ready`, `l1.io_x` is `l1.io.x`."""
    spelled: dict[str, str] = {path.replace(".", "_"): path for path in re.findall(r"\w+(?:\.\w+)+", c.scala.code)}
    flat = sink.replace(".", "_")
    if flat in spelled:
        return spelled[flat]
    words = _words(flat.split("_"), set(c.scala.declared) | {"ready", "valid", "bits"})
    return ".".join(words) if words else sink


def _words(parts: list[str], known: set[str]) -> list[str]:
    """Parts joined to words that are known, the longest first; [] when that cannot be."""
    for end in range(len(parts), 0, -1):
        word = "_".join(parts[:end])
        rest = _words(parts[end:], known) if word in known else []
        if word in known and (rest or end == len(parts)):
            return [word, *rest]
    return []


@rule(r"not fully initialized")
def _field_without_direction(c: Context) -> Iterator[Candidate]:
    """A field of a Bundle whose neighbours say Input or Output, and it does not."""
    sink = re.search(r'(?:sink|port) "([^"]+)"', c.message)
    name = _scala_path(c, sink[1]).rpartition(".")[2] if sink else ""
    for match in c.matches(rf"\bval\s+{re.escape(name)}\s*=\s*(?P<kind>[US]Int\(|Bool\(|Vec\(|new\b)", c.whole):
        block = c.scala.enclosing_block(match.start())
        if block and re.search(r"\bval\s+\w+\s*=\s*(?:Input|Output)\b", c.scala.code[slice(*block)]):
            start, end = match.start("kind"), c.scala.statement(match.start())[1]
            for direction in ("Input", "Output"):
                edits = ((start, start, f"{direction}("), (end, end, ")"))
                yield Candidate(f"{name} is an {direction}", edits)


@rule(r"not fully initialized")
def _default_for_all(c: Context) -> Iterator[Candidate]:
    """A default for every element of a Vec of which some are not driven."""
    sink = re.search(r'(?:sink|port) "(?P<vec>[\w.]+?)_\d+"', c.message)
    path = _scala_path(c, sink["vec"]) if sink else ""
    declared = next(c.matches(rf"\bval\s+{re.escape(path.partition('.')[0])}\b", c.home), None) if path else None
    if declared is None or not re.search(rf"\b{re.escape(path.rpartition('.')[2])}\s*=[^\n]*\bVec\(", c.scala.code):
        return
    first = next(c.matches(rf"(?<![\w.]){re.escape(path)}\([^=\n]*\)\s*:=", c.home), None)
    at = outermost(c, first.start()) if first else c.scala.statement(declared.start())[1]
    gap = f"{c.line_end}{c.indent_at(at)}"
    last = re.escape(path.rpartition(".")[2])
    boolean = re.search(rf"\bval\s+{last}\s*=[^\n;]*\bBool\(\)", c.scala.code)
    for value in ("false.B" if boolean else "0.U", "DontCare"):
        line = f"{path}.foreach(_ := {value})"
        yield Candidate(f"{line} as the default", ((at, at, f"{line}{gap}" if first else f"{gap}{line}"),))


@rule(r'sink "" not fully initialized')
def _inputs_of_instances(c: Context) -> Iterator[Candidate]:
    """Inputs of an instance that nothing drives; 6.x does not name them."""
    found: list[tuple[int, str, bool]] = []
    for match in c.matches(r"\bval\s+(?P<name>\w+)\s*=\s*Module\s*\(\s*new\s+(?P<class>\w+)", c.home):
        for field in c.matches(
            r"\bval\s+(?P<name>\w+)\s*=\s*Input\s*\(\s*(?P<kind>\w+)", c.class_called(match["class"])
        ):
            path = f"{match['name']}.io.{field['name']}"
            bulk = rf"(?<![\w.]){match['name']}\.io\s*(?::=|<>|:<)|(?:<>|:=)\s*{match['name']}\.io\b(?!\.)"
            if path not in c.scala.code and not re.search(bulk, c.scala.code[slice(*c.home)]):
                found.append((c.scala.statement(match.start())[1], path, field["kind"] == "Bool"))
    for unknown in (False, True) if found else ():
        values = ["DontCare" if unknown else "false.B" if boolean else "0.U" for _, _, boolean in found]
        edits = [
            (at, at, f"{c.line_end}{c.indent_at(at)}{path} := {value}")
            for (at, path, _), value in zip(found, values, strict=True)
        ]
        title = "; ".join(f"{path} := {value}" for (_, path, _), value in zip(found, values, strict=True))
        yield Candidate(title, tuple(edits))


@rule(r"not fully initialized")
def _default_value(c: Context) -> Iterator[Candidate]:
    """A default in front of the first connection."""
    sink = re.search(r'(?:sink|port) "([^"]+)"', c.message)
    if sink is None:
        return
    name = _scala_path(c, sink[1])
    first = next(c.matches(rf"(?<![\w.]){re.escape(name)}\s*:=", c.home), None)
    at = None
    if first is not None:
        at = c.scala.statement(first.start())[0]
        while (block := c.scala.enclosing_block(at)) and _is_conditional(c, block[0]):
            at = c.scala.statement(c.scala.skip_space_back(block[0]))[0]
    else:
        declared = next(c.matches(rf"\bval\s+{re.escape(name.partition('.')[0])}\b", c.home), None)
        at = c.scala.statement(declared.start())[1] if declared else None
    if at is None:
        return
    gap = f"{c.line_end}{c.indent_at(at)}"
    boolean = re.search(rf"\bval\s+{re.escape(name.rpartition('.')[2])}\s*=[^\n;]*\bBool\(\)", c.scala.code)
    last = name.rpartition(".")[2]
    known = {"ready": ("false.B", "true.B"), "valid": ("false.B",)}.get(last, ("false.B" if boolean else "0.U",))
    for value in (*known, "DontCare"):
        line = f"{name} := {value}{gap}" if first is not None else f"{gap}{name} := {value}"
        yield Candidate(f"{name} := {value} as the default", ((at, at, line),))


@rule(r"not fully initialized")
def _wire_to_keep(c: Context) -> Iterator[Candidate]:
    """A wire that only some branches drive: a wire keeps nothing, a register does."""
    sink = re.search(r'sink "(\w+)"', c.message)
    name = re.escape(sink[1]) if sink else ""
    made = next(c.matches(rf"\bval\s+{name}\s*=\s*(?P<made>Wire)\s*(?=\()", c.home), None) if sink else None
    driven = list(c.matches(rf"(?<![\w.]){name}(?:\([^()]*\))?\s*:=", c.home)) if made else []
    if made and driven and all(outermost(c, m.start()) != c.scala.statement(m.start())[0] for m in driven):
        yield Candidate(f"{sink[1] if sink else ''} keeps its value: Reg", ((*made.span("made"), "Reg"),))


@rule(r"not fully initialized")
def _output_that_is_read(c: Context) -> Iterator[Candidate]:
    """An Output that the module never drives and reads: it is an input."""
    sink = re.search(r'(?:sink|port) "(\w+)"', c.message)
    path = _scala_path(c, sink[1]) if sink else ""
    field = re.escape(path.rpartition(".")[2])
    made = (
        next(c.matches(rf"\bval\s+{field}\s*=\s*(?:IO\s*\(\s*)?(?P<way>Output)\s*\(", c.home), None) if field else None
    )
    uses = rf"(?<![\w.]){re.escape(path)}(?![\w])"
    driven = made and next(c.matches(rf"{uses}(?:\([^()]*\))?\s*(?::=|<>|:<)", c.home), None)
    if made and not driven and next(c.matches(uses, c.home), None):
        yield Candidate(f"{path} is an Input", ((*made.span("way"), "Input"),))


@rule(r"not fully initialized")
def _default_for_each(c: Context) -> Iterator[Candidate]:
    """A default for one field of every element of a Vec."""
    sink = re.search(r'sink "(?P<vec>\w+?)_\d+_(?P<field>\w+)"', c.message)
    if sink is None:
        return
    path = sink["vec"].replace("_", ".")
    declared = next(c.matches(rf"\bval\s+{re.escape(path.partition('.')[0])}\b", c.home), None)
    if declared is None or not re.search(rf"(?<![\w.]){re.escape(path)}\b", c.scala.code):
        return
    at = c.scala.statement(declared.start())[1]
    kinds = {"ready": "false.B", "valid": "false.B"}
    for value in (kinds.get(sink["field"], "0.U"), "DontCare"):
        line = f"{c.line_end}{c.indent_at(at)}{path}.foreach(_.{sink['field']} := {value})"
        yield Candidate(f"{path}.foreach(_.{sink['field']} := {value}) as the default", ((at, at, line),))


@rule(r"not fully initialized")
def _port_without_prefix(c: Context) -> Iterator[Candidate]:
    """x := x, where the first is meant to be the port of the same name."""
    sink = re.search(r'sink "(?P<bundle>\w+?)_(?P<field>\w+)"', c.message)
    if sink is None or sink["bundle"] not in c.scala.declared:
        return
    field = re.escape(sink["field"])
    pattern = rf"(?m)(?:^|[{{;])[ \t]*(?P<at>){field}[ \t]*:=[ \t]*{field}[ \t]*(?=$|[;}}\r])"
    edits = [
        (m.start("at"), m.start("at"), f"{sink['bundle']}.")
        for m in re.compile(pattern).finditer(c.scala.code, *c.home)
    ]
    if edits:
        yield Candidate(f"{sink['bundle']}.{sink['field']}", tuple(edits), safe=True)


def _is_conditional(c: Context, opener: int) -> bool:
    head = c.scala.code[c.scala.statement(c.scala.skip_space_back(opener))[0] : opener]
    return re.search(r"\b(?:when|elsewhen|otherwise|switch|is)\b", head) is not None
