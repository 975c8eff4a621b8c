"""Build the feature table from labelled designs: two processes, a progress bar, and a cache of rows already done."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config import user_cache_dir
from ...errors import DataError, HwmlError
from ...files import read_bytes, write_atomic
from ...interrupt import heed_ctrl_c
from ...processes import protect_children
from ...qor.learned.dataset import Design, Rows
from ...qor.learned.quantised import counts_of, quantise
from ...qor.learned.table import Table

CHUNK = 64
MAX_FAILED_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Failure:
    """A design whose features could not be extracted, and why."""

    design: str
    message: str


def feature_version() -> tuple[int, tuple[str, ...]]:
    """(version, names) of the features this hwml makes."""
    from ...qor.learned import features

    return features.FEATURE_VERSION, tuple(features.FEATURE_NAMES)


def code_digest() -> str:
    """Hash of every module that features depend on: a cached row of other code is never used."""
    folder = Path(__file__).resolve().parents[2] / "qor"
    digest = hashlib.sha256(repr(feature_version()).encode())
    # Rooms that a feature's value passes through; `tool` holds the constants.
    paths = [path for room in ("program", "read", "tool", "closed_form") for path in (folder / room).rglob("*.py")]
    for path in sorted([*paths, folder / "learned" / "features.py"]):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + read_bytes(path))
    return digest.hexdigest()[:16]


def build_table(
    designs: Sequence[Design], *, processes: int = 2, cache: bool = True, progress: bool = True
) -> tuple[Table, list[Failure]]:
    """Features of every design (those that fail are left out and listed). Raises DataError when over 2 % fail."""
    keys = [row_key(design) for design in designs]
    known = _read_cache() if cache else {}
    todo = {key: design for key, design in zip(keys, designs, strict=True) if key not in known}
    failures: dict[str, Failure] = {}
    try:
        for found, failed in _extract_all(todo, processes, progress):
            heed_ctrl_c()
            known.update(found)
            failures.update(failed)
    finally:
        if cache and todo:
            _write_cache({key: known[key] for key in dict.fromkeys(keys) if key in known})
    if len(failures) > MAX_FAILED_SHARE * max(len(designs), 1):
        first = next(iter(failures.values()))
        raise DataError(f"{len(failures)} of {len(designs)} designs cannot be read; the first: {first.message}")
    kept = [index for index, key in enumerate(keys) if key in known]
    version, names = feature_version()
    values = np.array([known[keys[index]] for index in kept], dtype=np.float32).reshape(-1, len(names))
    chosen = [designs[index] for index in kept]
    licences = {design.source: design.licence for design in chosen}
    closed_form = counts_of(values, names)
    table = Table(Rows.of(chosen), quantise(values), closed_form, version, names, licences)
    return table, list(failures.values())


def row_key(design: Design) -> str:
    """Hash of everything a design's features depend on besides the code that makes them."""
    settings = (
        design.top,
        design.part,
        design.clock_period_ns,
        design.tool,
        design.tool_version,
        design.stage,
        design.unsafe_math,
        sorted(design.pragmas.items(), key=str),
    )
    return hashlib.sha256((repr(settings) + "\0" + design.template).encode()).hexdigest()[:24]


def _extract_all(
    todo: dict[str, Design], processes: int, progress: bool
) -> Iterator[tuple[dict[str, NDArray[np.float32]], dict[str, Failure]]]:
    items = list(todo.items())
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    if not chunks:
        return
    from rich.console import Console
    from rich.progress import track

    said = Console(stderr=True)  # standard output is for results
    off = not (progress and said.is_terminal)
    if processes <= 1 or len(chunks) == 1:
        yield from track(map(extract_chunk, chunks), "features", total=len(chunks), disable=off, console=said)
        return
    protect_children()
    with ProcessPoolExecutor(min(processes, os.cpu_count() or 1)) as pool:
        done = pool.map(extract_chunk, chunks)
        try:
            yield from track(done, "features", total=len(chunks), disable=off, console=said)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def extract_chunk(
    items: Sequence[tuple[str, Design]],
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Failure]]:
    """Features by row key, and the designs that failed."""
    found: dict[str, NDArray[np.float32]] = {}
    failed: dict[str, Failure] = {}
    for key, design in items:
        try:
            found[key] = extract_design(design)
        except HwmlError as error:
            failed[key] = Failure(design.id, f"{design.path}:{design.line}: {error}")
    return found, failed


def extract_design(design: Design) -> NDArray[np.float32]:
    """Feature values of one design, [f], as the feature code gives them (not yet quantised)."""
    from ...qor.learned import features

    text, files = design.parts()
    row: Any = features.extract(
        text,
        files=files,
        top=design.top or None,
        part=design.part,
        clock_period_ns=design.clock_period_ns,
        tool=design.tool,
        tool_version=design.tool_version,
        stage=design.stage,
        unsafe_math=design.unsafe_math,
    )
    values = np.asarray(row.values, dtype=np.float32)
    if values.shape != (len(features.FEATURE_NAMES),):
        raise DataError(f"{design.id}: {values.shape} features, {len(features.FEATURE_NAMES)} were expected")
    if np.isinf(values).any():
        name = features.FEATURE_NAMES[int(np.flatnonzero(np.isinf(values))[0])]
        raise DataError(f"{design.id}: feature {name} is infinite")
    return values


def _cache_path() -> Path:
    return user_cache_dir() / "qor_features" / f"{code_digest()}.npz"


def _read_cache() -> dict[str, NDArray[np.float32]]:
    """Rows by key; a missing or broken cache is an empty one."""
    path = _cache_path()
    try:
        with np.load(io.BytesIO(read_bytes(path)), allow_pickle=False) as archive:
            return dict(zip(archive["keys"].tolist(), archive["values"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        return {}


def _write_cache(rows: dict[str, NDArray[np.float32]]) -> None:
    import io

    if not rows:
        return
    buffer = io.BytesIO()
    values = np.array(list(rows.values()), dtype=np.float32)
    np.savez_compressed(buffer, keys=np.array(list(rows), dtype=str), values=values)
    write_atomic(_cache_path(), buffer.getvalue())
