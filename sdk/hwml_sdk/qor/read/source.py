"""Read HLS C/C++: one or several files, vendor headers absent, half-typed code welcome.

program = read_program(text, path="fir.cpp")
for loop in program.loops(): ...
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import SourceError
from ...files import MAX_SOURCE_BYTES
from ...text import Span
from ..program import ir
from ..program.budget import FILL_STEPS, TEXT_CHARACTERS, depth_guard
from ..program.constant_arrays import mark_constant_arrays
from ..program.constant_fields import settle_fields
from ..program.filled_tables import fill_tables
from ..program.handed import mark_handed
from ..program.named import Names
from .defaults import complete_calls
from .grammar import CPP
from .long_tables import without_long_tables
from .pieces import roots
from .placing import place_rest
from .preprocess import Unit, preprocess
from .reader import Reader
from .templates import instantiate_unused, keep_members

if TYPE_CHECKING:
    from tree_sitter import Node

HEADER_SUFFIXES = (".h", ".hh", ".hpp", ".hxx", ".inc")


def read_program(
    source: str,
    *,
    path: str = "<text>",
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str] | None = None,
) -> ir.Program:
    """Read `source` and the translation units among `files` (path -> text) into one program.

    Headers are looked up in `files`, then beside the including file, then in `include_dirs`; those not found are
    listed in `missing_headers`. Raises SourceError for NUL bytes, oversize text, or includes that never end.
    """
    files = dict(files or {})
    _check(source, path)
    with depth_guard(path):
        return _read_units(source, path, files, include_dirs, defines)


def _read_units(
    source: str, path: str, files: Mapping[str, str], include_dirs: Sequence[Path], defines: Mapping[str, str] | None
) -> ir.Program:
    program = ir.Program(path)
    units = [(path, source)]
    units += [(p, t) for p, t in files.items() if not p.endswith(HEADER_SUFFIXES) and p != path]
    missing: dict[str, None] = {}
    readers: list[Reader] = []
    for unit_path, text in units:
        _check(text, unit_path)
        unit = preprocess(text, unit_path, files=files, include_dirs=include_dirs, defines=defines)
        unit.text = without_long_tables(unit.text)
        readers.append(_read(unit, program))
        missing.update(dict.fromkeys(unit.missing_headers))
    for reader in readers:
        instantiate_unused(reader)
        place_rest(reader)
        program.pragmas += reader.pragmas.found()
    for reader in readers:
        reader.close()
    complete_calls(program)
    mark_handed(program)
    mark_constant_arrays(program)
    names = Names(program)
    with program.work.apart(FILL_STEPS) as taken:
        fill_tables(program, names)
        settle_fields(program, names)
    program.fill_steps = taken.used
    program.missing_headers = tuple(missing)
    if any(pragma.dialect == "ACCEL" for pragma in program.pragmas):
        program.dialect = "ACCEL"
    return program


def _check(text: str, path: str) -> None:
    if len(text) > MAX_SOURCE_BYTES:
        raise SourceError(f"{len(text) / 1e6:.0f} MB is over the limit of {MAX_SOURCE_BYTES >> 20} MB", path=path)
    zero = text.find("\0")
    if zero >= 0:
        raise SourceError("holds NUL bytes: not source text", path=path, line=text.count("\n", 0, zero) + 1)


_DENSE = re.compile(r"\S+")


def _bounded_text(unit: Unit, program: ir.Program) -> str:
    """The unit's text as far as it is not too long to be parsed: cut between lines, the rest is left out."""
    text = unit.text
    if len(text) <= TEXT_CHARACTERS:
        return text
    left = TEXT_CHARACTERS
    for match in _DENSE.finditer(text):
        left -= match.end() - match.start()
        if left < 0:
            program.work.leave_out(f"more than {TEXT_CHARACTERS // 1000} KB of code after macros and includes")
            return text[: text.rfind("\n", 0, match.start()) + 1]
    return text


def _read(unit: Unit, program: ir.Program) -> Reader:
    """Read one unit into the program; templates that nothing asked for yet are left."""
    if unit.left_out:
        program.work.leave_out(unit.left_out)
    found = roots(_bounded_text(unit, program))
    nodes = [node for root in found for node in (root.children if root.type == "translation_unit" else [root])]
    reader = Reader(unit, program, CPP)
    keep_members(reader, nodes)
    reader.items(nodes)
    program.problems += unit.problems
    program.comments.update(unit.comments)
    program.sources.update((file.path, file.text) for file in unit.files)
    program.faults += unit.faults
    program.faults += sum(map(_count_faults, found))
    broken = next((root for root in found if root.has_error), None)
    if broken is not None:
        program.problems.append(_syntax_problem(broken, unit))
    return reader


# The grammar takes them at file level too, where one that is half-typed has the next function for its body.
_STATEMENTS = frozenset(
    [
        "for_range_loop",
        *(f"{word}_statement" for word in ("for", "while", "do", "if", "switch", "return", "labeled", "case")),
    ]
)


def _count_faults(root: Node) -> int:
    """Pieces of the text that fit into no rule of the grammar, signs that it misses, and heads of what is not there."""
    found, pending = sum(_has_wrong_body(child) for child in root.children), [root]
    while pending:
        node = pending.pop()
        if node.type == "ERROR" or node.is_missing:
            found += 1
        else:
            pending += [child for child in node.children if child.has_error or child.is_missing]
    return found


def _has_wrong_body(node: Node) -> bool:
    """Whether a head at file level took the next function, which is none of its own: it is still being typed."""
    if node.type != "template_declaration":
        return node.type in _STATEMENTS
    head = node.child_by_field_name("parameters")
    names = [name for item in head.named_children for name in _WORDS.findall(_text(item))[-1:]] if head else []
    said = set(_WORDS.findall(_text(node)[len(_text(head)) + len("template") :])) if head else set()
    return bool(names) and said.isdisjoint(names)


_WORDS = re.compile(r"[A-Za-z_]\w*(?=\s*(?:=|$|\W))")


def _text(node: Node) -> str:
    return (node.text or b"").decode("ascii", "replace")


def _syntax_problem(root: Node, unit: Unit) -> ir.Problem:
    """The first place where the text stops being C++: for a note, the rest is analysed all the same."""
    node = root
    while True:
        broken = next((c for c in node.children if c.has_error or c.is_missing or c.type == "ERROR"), None)
        if broken is None:
            break
        node = broken
        if node.type == "ERROR" or node.is_missing:
            break
    start = min(node.start_byte, max(len(unit.text) - 1, 0))
    place = unit.span(start, start + 1) if unit.text else Span(0, 0, 0, 0)
    return ir.Problem("code is incomplete or not C++ here; what can be read is used", unit.path(start), place, "info")
