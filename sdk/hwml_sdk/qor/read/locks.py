"""Blocks of a `hls::stream_of_blocks` that a process holds (UG1399, "HLS Stream of Blocks Library").

`hls::write_lock<block_t> b(s);` names a block that is filled, `hls::read_lock` one that is read: an array each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..program import ir
from ..program.sizes import Dims
from ..program.typenames import split_template
from .reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

_LOCK = re.compile(r"(?:hls::)?(read|write)_lock\s*<")
_EXTENT = re.compile(r"\[([^\[\]]*)\]")


def block_of(reader: Reader, kind: Node | None) -> tuple[ir.CType, Dims, str] | None:
    """Type and extents of the block that a lock holds, and the method of the stream it stands for; None for no lock."""
    text = reader.src(kind) if kind is not None else ""
    found = _LOCK.match(text)
    given = split_template(text)[1] if found is not None else []
    if found is None or not given:
        return None
    plain = given[0].partition("[")[0].strip()
    extents = tuple(
        None if value is None else int(value) for value in map(reader.names.value, _EXTENT.findall(given[0]))
    )
    return reader.names.parse(plain), (*extents, *reader.names.type_dims.get(plain, ())), f"{found[1]}_lock"
