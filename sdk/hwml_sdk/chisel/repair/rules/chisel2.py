"""Chisel 2 and the compatibility layer of Chisel 3: one rewriting of the whole text, since one change says little."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...say.scala_text import ScalaText
from ..fixes import Candidate, Context, rule

_SIGNS = re.compile(
    r"import\s+Chisel\b|\bINPUT\b|\bOUTPUT\b|\b(?:init|next|width|dir|outType)\s*=(?!=)|\b[US]Int\(\d+\)|"
    r"\bBool\((?:true|false)\)|\bVec\.(?:fill|tabulate)\b|\.flip\b"
)


@rule(
    r"Chisel|INPUT|OUTPUT|NODIR|no arguments allowed for nullary method apply|not found|overloaded|"
    r"named argument|unknown parameter|is not a member|named and/or default arguments"
)
def _older_text(c: Context) -> Iterator[Candidate]:
    """Everything at once."""
    if not _SIGNS.search(c.scala.code):
        return
    new = c.text
    for change in (_imports, _directions, _constants, _registers, _vectors, _flipped, _operators):
        new = change(new)
    if "IO(" not in c.scala.code:
        new = _ports(new)
    if new != c.text:
        yield Candidate("rewrite for Chisel 3 and later", ((0, len(c.text), new),), safe=True)


def _imports(text: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    return re.sub(r"\bimport\s+Chisel\._", f"import chisel3._{end}import chisel3.util._", text)


def _directions(text: str) -> str:
    text = re.sub(
        r"\b(UInt|SInt|Bits)\((?:dir\s*=\s*)?(INPUT|OUTPUT)\s*,\s*(?:width\s*=\s*)?([^()]+?)\)", _directed, text
    )
    text = re.sub(
        r"\b(UInt|SInt|Bits)\(\s*(?:width\s*=\s*)?([^(),=]+?)\s*,\s*(?:dir\s*=\s*)?(INPUT|OUTPUT)\)",
        lambda m: f"{m[3].title()}({_kind(m[1])}({_width(m[2])}))",
        text,
    )
    return re.sub(r"\bBool\((?:dir\s*=\s*)?(INPUT|OUTPUT)\)", lambda m: f"{m[1].title()}(Bool())", text)


def _kind(name: str) -> str:
    return "UInt" if name == "Bits" else name


def _directed(match: re.Match[str]) -> str:
    return f"{match[2].title()}({_kind(match[1])}({_width(match[3])}))"


def _width(words: str) -> str:
    words = words.strip()
    return f"{words}.W" if re.fullmatch(r"\w+", words) else f"({words}).W"


def _constants(text: str) -> str:
    text = re.sub(r"\b(UInt|SInt|Bits)\(\s*width\s*=\s*([^()]+?)\)", lambda m: f"{_kind(m[1])}({_width(m[2])})", text)
    text = re.sub(r"\b([US])Int\(\s*(-?\d+|\"\w+\")\s*,\s*(?:width\s*=\s*)?(\d+)\s*\)", r"\2.\1(\3.W)", text)
    text = re.sub(r"\b([US])Int\(\s*(-?\d+|\"\w+\")\s*,\s*(?:width\s*=\s*)?(\w+)\s*\)", r"\2.\1(\3.W)", text)
    text = re.sub(r"(?<!Input\()(?<!Output\()\b([US])Int\(\s*(-?\d+|\"\w+\")\s*\)", r"\2.\1", text)
    return re.sub(r"\bBool\((true|false)\)", r"\1.B", text)


def _registers(text: str) -> str:
    """Named arguments of registers and wires."""
    text = re.sub(r"\bReg\(\s*init\s*=\s*", "RegInit(", text)
    text = re.sub(r"\bReg\(\s*next\s*=\s*([^(),]+(?:\([^()]*\))?)\s*,\s*init\s*=\s*", r"RegNext(\1, ", text)
    text = re.sub(r"\bReg\(\s*next\s*=\s*", "RegNext(", text)
    text = re.sub(r"\bReg\(\s*(?:outType\s*=\s*)?([US]Int\([^()]*\)|Bool\(\))\s*,\s*init\s*=\s*", r"RegInit(\1, ", text)
    return re.sub(r"\bWire\(\s*init\s*=\s*", "WireDefault(", text)


def _vectors(text: str) -> str:
    """Vec.fill(n){x}, Vec(a, b): of values it is VecInit, of types Vec(n, type)."""
    while (match := re.search(r"\bVec\.(fill|tabulate)\s*(?=\()", text)) is not None:
        scala = ScalaText(text)
        count = scala.group(match.end(), "(")
        body = count and (scala.group(count[1] + 1, "(") or scala.group(count[1] + 1, "{"))
        if not count or not body:
            return text
        inner, number = text[body[0] + 1 : body[1]].strip(), text[count[0] + 1 : count[1]]
        typed = match[1] == "fill" and re.fullmatch(
            r"(?:UInt|SInt)\([^()]*W\)|(?:UInt|SInt|Bool)\(\s*\)|(?:Input|Output|Flipped)\(.*\)", inner
        )
        made = f"Vec({number}, {inner})" if typed else f"VecInit(Seq.{match[1]}({number}){text[body[0] : body[1] + 1]})"
        text = text[: match.start()] + made + text[body[1] + 1 :]
    return re.sub(r"\bVec\((?=\s*(?:\"?\w+\"?\.[USB](?:\([^()]*\))?\s*[,)]))", "VecInit(", text)


def _flipped(text: str) -> str:
    """x.flip is Flipped(x)."""
    while (match := re.search(r"\s*\.\s*flip\b(?:\(\s*\))?", text)) is not None:
        start = ScalaText(text).operand_start(match.start())
        new = re.search(r"\bnew\s+$", text[:start])
        start = new.start() if new else start
        text = f"{text[:start]}Flipped({text[start : match.start()]}){text[match.end() :]}"
    return text


def _operators(text: str) -> str:
    text = re.sub(r"(?<![=!<>:/])!=(?!=)(?=[^=\n]*\.[USB]\b)", "=/=", text)
    return re.sub(r"\bSeqMem\b", "SyncReadMem", text)


def _ports(text: str) -> str:
    """val io = new Bundle {...} is a port only inside of IO(...)."""
    while (match := re.search(r"\bval\s+io\s*=\s*(?P<made>new\b)", text)) is not None:
        scala = ScalaText(text)
        end = scala.statement(match.start())[1]
        text = f"{text[: match.start('made')]}IO({text[match.start('made') : end]}){text[end:]}"
    return text
