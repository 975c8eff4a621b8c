"""`hwml chisel qor` and `hwml qor FILE.scala`: what each module costs, and what yosys measures beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..files import read_source
from ..printable import json_text, printable, tell
from ..report import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..chisel.provider import Examination
    from ..chisel.qor.answer import ChiselQor
    from ..chisel.qor.measure import Measured
    from ..chisel.types import ChiselModule

_MEASURED = ("lut", "ff", "dsp", "bram_18k", "lutram", "srl")


def show(found: Sequence[tuple[Path, Examination]], *, as_json: bool, measured: bool) -> int:
    """Print the figures of each lowered module; 1 where a module has none."""
    rows = []
    for path, examination in found:
        counts = _measure(examination, measured)  # one run of yosys a file
        rows += [(path, module, counts) for module in examination.result.modules]
    missing = [module for _, module, _ in rows if module.qor is None]
    if as_json:
        modules = [_json(path, module, counts) for path, module, counts in rows]
        print(json_text({"schema_version": SCHEMA_VERSION, "modules": modules}))
    else:
        for path, module, counts in rows:
            print(printable(f"{path}:{module.span.start_line + 1}: {module.name}"))
            for line in _lines(module, counts):
                print(f"  {printable(line)}")
    from ..chisel.provider import not_trusted_words

    for path, examination in found:
        if examination.unchecked:
            tell(f"{path}: {not_trusted_words(examination.unchecked)}", who="")
        for item in examination.result.errors:
            tell(f"{item.path}:{item.span.start_line + 1}: error {item.code}: {item.text}", who="")
        for note in (*examination.result.notes, *examination.notes):
            tell(note, who="")
    return 1 if missing or not rows else 0


def show_written(paths: Sequence[Path], *, as_json: bool) -> int:
    """What the texts alone say, where no tool chain can run: operators of each class, marked as such; 1, as always
    where a module has no figures."""
    from ..chisel.say.written import source_counts

    rows = [(path, item) for path in paths for item in source_counts(read_source(path))]
    if as_json:
        modules = [
            {"path": str(path), "line": item.line + 1, "module": item.module, "predicted": None,
             "source_only": dict(item.counts)}
            for path, item in rows
        ]  # fmt: skip
        print(json_text({"schema_version": SCHEMA_VERSION, "modules": modules}))
    for path, item in () if as_json else rows:
        print(printable(f"{path}:{item.line + 1}: {item.module}"))
        print(f"  {item.words()}")
    return 1


def _measure(examination: Examination, wanted: bool) -> Measured | None:
    if not wanted:
        return None
    from ..chisel.qor.measure import measure_each

    return measure_each(examination.result.verilog)


def _json(path: Path, module: ChiselModule, found: Measured | None) -> dict[str, object]:
    row: dict[str, object] = {"path": str(path), "line": module.span.start_line + 1, "module": module.name}
    row["predicted"] = None if module.qor is None else module.qor.to_dict()
    if found is not None:
        row["measured"] = found.counts.get(module.verilog_name)
        if row["measured"] is None:
            row["not_measured"] = _reason(module, found)
    return row


def _reason(module: ChiselModule, found: Measured) -> str:
    """Why yosys counted nothing of a module."""
    return found.failures.get(module.verilog_name, "it was not lowered by itself")


def _lines(module: ChiselModule, found: Measured | None) -> Iterator[str]:
    from ..chisel.qor.render import rows

    if module.qor is None:
        yield "no figures: it was not elaborated and lowered"
        return
    yield from (f"no figures: {reason}" for reason in module.qor.reasons)
    counts = None if found is None else found.counts.get(module.verilog_name)
    if counts is not None:
        yield f"{'':8}{'predicted':>10}{'yosys':>8}"
        yield from _beside(module.qor, counts)
    else:
        yield from (f"{title:<8}{value:>8}{more}" for title, value, more in rows(module.qor))
        if found is not None:
            yield f"not measured: {_reason(module, found)}"
    lines = [(share.amounts.get("lut", 0), share.name or "no line") for share in module.qor.lines[:3]]
    largest = [f"{lut} LUT at {place}" for lut, place in lines if lut]
    if len(module.qor.lines) > 1 and largest:
        yield f"of these {', '.join(largest)}"


def _beside(qor: ChiselQor, counts: Mapping[str, int]) -> Iterator[str]:
    from ..chisel.qor.render import TITLES, amount_of, cycles, spread_of

    for name in _MEASURED:
        if getattr(qor, name) or counts.get(name) or name in ("lut", "ff", "dsp"):
            yield f"{TITLES[name]:<8}{amount_of(qor, name):>10}{counts.get(name, 0):>8}{spread_of(qor, name)}"
    yield f"{'cycles':<8}{cycles(qor):>10}"
