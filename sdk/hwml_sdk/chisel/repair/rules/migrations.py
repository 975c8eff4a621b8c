"""What older releases of Chisel 3 had and later ones do not."""

# ruff: noqa: E501 -- patterns stay on one line
from __future__ import annotations

import re
from collections.abc import Iterator

from ..fixes import Candidate, Context, rule
from .names import import_edit


@rule(r"chiselName")
def _chisel_name(c: Context) -> Iterator[Candidate]:
    """@chiselName: the plug-in names signals since 3.5."""
    edits = []
    for match in c.matches(r"@chiselName\b", c.whole):
        start, end = match.span()
        begin, stop = c.whole_lines(start, end)
        edits.append((begin, stop if begin < start or stop > end else c.scala.skip_space(end), ""))
    for match in c.matches(r"import\s+chisel3\.experimental\.chiselName\b", c.whole):
        edits.append((*c.whole_lines(*match.span()), ""))
    for match in c.matches(
        r"import\s+chisel3\.experimental\.\{[^}]*?(?P<name>chiselName\s*,\s*|,\s*chiselName)", c.whole
    ):
        edits.append((match.start("name"), match.end("name"), ""))
    if edits:
        yield Candidate("without @chiselName", tuple(sorted(edits)), safe=True)


@rule(r"not found: value LFSR16|LFSR16 is not a member")
def _lfsr16(c: Context) -> Iterator[Candidate]:
    """LFSR16(increment): the same register, other start and order of bits."""
    edits = []
    for match in c.matches(r"(?<![\w.])LFSR16\s*(?P<open>\(\s*)?(?P<close>\))?", c.whole):
        arguments = "LFSR(16" + (")" if not match["open"] or match["close"] else ", ")
        edits.append((match.start(), match.end(), arguments))
    if edits:
        edits.append(import_edit(c, "chisel3.util.random.LFSR"))
        yield Candidate("LFSR(16)", tuple(sorted(edits)))


_STAGE = r"\(?\s*\bnew\s+(?:chisel3\.stage\.|circt\.stage\.)?ChiselStage\s*(?:\(\s*\)\s*)?\)?\s*\.\s*(?:emitVerilog|emitSystemVerilog)\b"
_DRIVER = r"(?:\bchisel3\.)?\bDriver\s*\.\s*execute(?:FirrtlToVerilog)?\s*(?=\()"


@rule(r"ChiselStage|not found: (?:value|object) Driver|Driver is not a member|emitVerilog")
def _old_stage(c: Context) -> Iterator[Candidate]:
    """(new ChiselStage).emitVerilog(...), Driver.execute(args, () => new Top)."""
    new = "ChiselStage.emitSystemVerilogFile"
    edits = [(*m.span(), new) for m in c.matches(_STAGE, c.whole)]
    edits += [
        (m.start("at"), m.end("at"), "emitSystemVerilogFile")
        for m in c.matches(r"\bChiselStage\s*\.\s*(?P<at>emitVerilog)\b", c.whole)
    ]
    for match in c.matches(_DRIVER, c.whole):
        group = c.scala.group(match.end(), "(")
        arguments = [c.text[slice(*a)] for a in c.scala.arguments(group[0])] if group else []
        made = re.sub(r"^\(\s*\)\s*=>\s*", "", arguments[-1]) if arguments else ""
        if group and made and len(arguments) <= 2:
            flags = f", {arguments[0]}" if len(arguments) == 2 else ""
            edits.append((match.start(), group[1] + 1, f"{new}({made}{flags})"))
    if not edits:
        return
    old = list(
        c.matches(
            r"import\s+(?P<path>chisel3\.stage\.(?:ChiselStage|_)|chisel3\.Driver|chisel3\.stage\.\{\s*ChiselStage\s*\})",
            c.whole,
        )
    )
    edits += [(m.start("path"), m.end("path"), "circt.stage.ChiselStage") for m in old[:1]]
    if not old and not re.search(r"import\s+(?:_root_\.)?circt\.stage\b", c.scala.code):
        edits.append(import_edit(c, "circt.stage.ChiselStage"))
    yield Candidate("the stage of circt", tuple(sorted(edits)), safe=True)
