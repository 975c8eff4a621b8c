"""The tools for Chisel: what the warm compiler finds, and repairs that were compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..chisel.build.project import choose_version
from ..chisel.install.toolchain import installed
from ..chisel.provider import Examination, as_analysis, examine, is_chisel, repairs_for
from ..errors import RefusedError, SourceError
from ..languages import CHISEL
from ..processes import own_folder
from ..report import SCHEMA_VERSION
from .findings import diff, findings
from .sources import Folders, Source, source_of
from .work import Tell

FIX_BUDGET_S = 10.0  # of an agent that waits


@dataclass(frozen=True, slots=True)
class _Looked:
    """A source that was checked. place: the name the compiler knows it by."""

    source: Source
    place: Path
    found: Examination


def _look(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> _Looked:
    """Check a source where it lies, or a text by itself.

    Raises SourceError for what is no Chisel, RefusedError where nobody has set the compiler up: it is fetched from the
    network, which is for the user to say.
    """
    source = source_of(arguments, folders, CHISEL)
    # A text without a place has no neighbours: hwml's own folder is empty.
    place = Path(source.path) if source.is_file else Path(own_folder()) / "Text.scala"
    if not is_chisel(place, source.text):
        raise SourceError("nothing in it says Chisel (import chisel3._)", path=source.path)
    version = choose_version(place, source.text, source.settings).version
    if installed(version) is None:
        raise RefusedError(
            f"Chisel {version} is not set up, and no tool fetches it: ask the user to run hwml chisel setup"
        )
    tell(1, 3, "read")
    found = examine(place, source.text, source.settings, keep=False)
    tell(2, 3, "compiled")
    return _Looked(source, place, found)


def check(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`check_chisel`."""
    looked = _look(arguments, folders, tell)
    repairs = repairs_for(looked.place, looked.source.text, looked.found)
    analysis = as_analysis(str(looked.place), looked.found, repairs)
    modules = [
        {"name": item.name, "line": item.span.start_line + 1, "label": item.label, "LUT": item.figures.lut,
         "DSP": item.figures.dsp, "FF": item.figures.ff}
        for item in analysis.annotations
        if item.kind == "module"
    ]  # fmt: skip
    return {
        "schema_version": SCHEMA_VERSION,
        "path": looked.source.path,
        "findings": findings(analysis.diagnostics, looked.source.text, looked.source.path),
        "modules": modules,
        "elaborated": not looked.found.unchecked,
        "notes": list(analysis.notes),
    }


def fix(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """`fix_chisel`: texts that pass the check; nothing is written."""
    looked = _look(arguments, folders, tell)
    text, path = looked.source.text, looked.source.path
    clean = not any(item.severity in ("error", "warning") for item in looked.found.to_repair.diagnostics)
    repairs = repairs_for(looked.place, text, looked.found, budget_s=FIX_BUDGET_S)
    rows = [
        {"title": r.title, "safe": r.safe, "verified": True, "diff": diff(text, r.text, path), "text": r.text}
        for r in repairs
    ]
    notes = [*looked.found.result.notes, *looked.found.notes]
    return {"schema_version": SCHEMA_VERSION, "path": path, "clean": clean, "repairs": rows, "notes": notes}
