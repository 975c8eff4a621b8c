"""The labelled designs of `../shared/data/qor`, where they are: kernels as files, one design of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from hwml_sdk.qor.learned.dataset import Design, read_designs

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "qor"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the labelled designs of ../shared/data/qor are not here")
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma\b.*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel without its pragmas: main file, all files by name, top function."""

    id: str
    source: str
    main: str
    files: dict[str, str]
    top: str


@cache
def designs() -> list[Design]:
    """All labelled designs."""
    return read_designs(DATA)


@cache
def kernels() -> list[Kernel]:
    """Every kernel once: sources that differ in pragmas only are the same kernel. In a fixed order."""
    found: dict[str, Kernel] = {}
    templates: set[int] = set()
    for design in designs():
        if id(design.template) in templates:
            continue
        templates.add(id(design.template))
        text, others = design.parts()
        plain = {name: _PRAGMA.sub("", other) for name, other in others.items()}
        main = _main_name(design.code(), others)
        key = "\0".join([_PRAGMA.sub("", text), *sorted(plain.values())])
        found.setdefault(
            key, Kernel(design.id, design.source, main, {main: _PRAGMA.sub("", text), **plain}, design.top)
        )
    return list(found.values())


def _main_name(code: str, others: dict[str, str]) -> str:
    names = re.findall(r"^//==== file: (.+?) ====$", code, re.MULTILINE)
    return next((name for name in names if name not in others), "kernel.cpp")
