"""Lowered circuits to label: drawn from the data engine's families, or collected from files of Scala.

A row is one module with what it instantiates. Rows lie in `circuits.jsonl` of the run's folder; what stands there is
not made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ...chisel.compile.firtool import Firtool, Lowered
from ...chisel.compile.prepare import prepare
from ...chisel.compile.workers import empty_folder
from ...chisel.data_engine.families import FAMILIES, compose
from ...chisel.data_engine.netlist import netlist
from ...chisel.data_engine.verify import Verified, Verifier
from ...chisel.install.toolchain import ensure
from ...chisel.provider import examine
from ...chisel.qor.hw_ir import read_hw_ir
from ...chisel.session import Session
from ...config import DEFAULT_CHISEL_VERSION, load_settings
from ...errors import DataError, HwmlError
from ...files import append_line, parse_json, read_bytes

ROWS = "circuits.jsonl"
FILES = "files.jsonl"
_BATCH = 50
_LOWER_S = 60.0
_CHECK_S = 120.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One circuit. group: its family, or the file it is from; netlist: its number, the same for equal circuits."""

    key: str
    group: str
    top: str
    netlist: str
    verilog: str
    hw_ir: str


def read_rows(folder: Path) -> list[Row]:
    """Rows of a folder. Raises DataError for a file that is no such list."""
    path = folder / ROWS
    if not path.is_file():
        return []
    try:
        return [Row(**parse_json(line.encode())) for line in read_bytes(path, max_bytes=1 << 30).decode().splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not a list of circuits ({error}); remove the folder") from error


def _append(folder: Path, row: Row) -> None:
    append_line(folder / ROWS, json.dumps(asdict(row)))


def draw(folder: Path, count: int, seed: int, say: Say) -> list[Row]:
    """`count` different circuits of the data engine, its families in turn.

    Different: no two are the same but for widths and constants. Raises HwmlError where the tool chain is missing.
    """
    rows = read_rows(folder)
    known = {row.key for row in rows}
    if len(rows) >= count:
        return rows[:count]
    session = Session(prepare(ensure(DEFAULT_CHISEL_VERSION)))
    try:
        seen = {row.netlist for row in rows}
        for keys in _picks(known):
            for key, found in _verified(Verifier(session), keys, seed).items():
                if found.netlist.abstract in seen or found.netlist.unused or found.netlist.constant:
                    continue
                seen.add(found.netlist.abstract)
                row = Row(key, key.split()[0], found.top, found.netlist.abstract, found.verilog, found.hw_ir)
                rows.append(row)
                _append(folder, row)
            say(f"{len(rows)} of {count} circuits")
            if len(rows) >= count:
                break
    finally:
        session.kill()
    return rows[:count]


def _picks(known: set[str]) -> Iterator[list[str]]:
    """Batches of `family index`, the families in turn."""
    batch: list[str] = []
    for index in range(10_000):
        for name in FAMILIES:
            if (key := f"{name} {index}") not in known:
                batch.append(key)
            if len(batch) == _BATCH:
                yield batch
                batch = []


def _verified(verifier: Verifier, keys: Sequence[str], seed: int) -> dict[str, Verified]:
    texts = {}
    for number, key in enumerate(keys):
        texts[f"s{number}"] = compose(FAMILIES[key.split()[0]], f"{seed} {key}").source()
    results = verifier.run(texts)
    return {key: found for number, key in enumerate(keys) if isinstance(found := results[f"s{number}"], Verified)}


def collect(folder: Path, places: Sequence[Path], say: Say) -> list[Row]:
    """Circuits of every module that elaborates in Scala files (or all those of a folder), each file a group.

    Constructors run behind the fence: naming a file here vouches for it. A file whose check fails is passed over with
    a word. Equal circuits count once.
    """
    rows = read_rows(folder)
    done = {row.group for row in rows} | _seen_files(folder)
    seen = {row.netlist for row in rows}
    firtool = Firtool(ensure(DEFAULT_CHISEL_VERSION).firtool, empty_folder())
    try:
        for path in _sources(places):
            if str(path) in done:
                continue
            found = [row for row in _of_file(path, firtool, say) if row.netlist not in seen]
            for row in _once(found):
                seen.add(row.netlist)
                rows.append(row)
                _append(folder, row)
            append_line(folder / FILES, json.dumps(str(path)))
    finally:
        firtool.close()
    return rows


def _seen_files(folder: Path) -> set[str]:
    """Files that were done, those without circuits among them. Raises DataError."""
    path = folder / FILES
    if not path.is_file():
        return set()
    try:
        return {str(parse_json(line.encode())) for line in read_bytes(path, max_bytes=1 << 26).decode().splitlines()}
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a list of files ({error}); remove the folder") from error


def _once(rows: Sequence[Row]) -> list[Row]:
    return list({row.netlist: row for row in rows}.values())


def _sources(places: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        found += sorted(place.rglob("*.scala")) if place.is_dir() else [place]
    return found


def _of_file(path: Path, firtool: Firtool, say: Say) -> list[Row]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "Module" not in text:
        return []
    settings = replace(load_settings(path), trusted=True, trust_root=None)
    try:
        result = examine(path, text, settings, outputs=True, timeout_s=_CHECK_S).result
        found = [row_of(path, top, firtool.lower(text, timeout_s=_LOWER_S)) for top, text in result.chirrtl.items()]
    except HwmlError as error:
        say(f"{path}: {error}")
        return []
    say(f"{path}: {len(found)} circuits, {len(result.errors)} errors")
    return [row for row in found if row is not None]


def row_of(path: Path, top: str, lowered: Lowered) -> Row | None:
    """The row of a circuit that was lowered; None where it was not."""
    if not lowered.verilog or not lowered.hw_ir:
        return None
    return Row(f"{path.name}:{top}", str(path), top, number_of(lowered.hw_ir, top), lowered.verilog, lowered.hw_ir)


def number_of(hw_ir: str, top: str) -> str:
    """The exact number of a netlist."""
    return netlist(read_hw_ir(hw_ir), top).exact
