"""The numeric feature table that retraining needs: one file a source, no source text.

File format (`<source>.npz.xz`): an LZMA-compressed npz archive without pickled objects, format version 2:

    format_version   int
    feature_version  int, `features.FEATURE_VERSION` the values were computed with
    feature_names    [f] strings
    values           int16 [f, n], column after column: feature * 64, rounded; -32768 is NaN
    closed_form      float64 [len(LABELS), n], whole counts and cycles; NaN is unknown
    labels, bounds   int64 [len(LABELS), n]; -1 is unknown
    group, kernel, tool, tool_version, part, stage   int16 [n] indices into `<name>_names`
    clock_period_ns  float64 [n]; fits_device bool [n]; licence: string

Features are kept as they are quantised (`quantised`), and the closed form to the count beside them: a step of 1/64 is
an error of half a percent, and most latencies are exact.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from ...files import read_bytes, replace_folder
from ..tool.labels import LABELS
from .dataset import Rows
from .quantised import decode, encode

FORMAT_VERSION = 2
SUFFIX = ".npz.xz"
MAX_TABLE_BYTES = 4 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
_NAMED = ("group", "kernel", "tool", "tool_version", "part", "stage")


@dataclass(frozen=True, slots=True)
class Table:
    """Features and labels of n designs.

    values: float32 [n, f], quantised. closed_form: [n, len(LABELS)] whole counts and cycles. licences: per source.
    """

    rows: Rows
    values: NDArray[np.float32]
    closed_form: NDArray[np.float64]
    feature_version: int
    feature_names: tuple[str, ...]
    licences: Mapping[str, str]

    def take(self, chosen: NDArray[Any]) -> Table:
        """The rows that a boolean mask or an index array chooses."""
        return replace(
            self, rows=self.rows.take(chosen), values=self.values[chosen], closed_form=self.closed_form[chosen]
        )

    @property
    def closed_form_log(self) -> NDArray[np.float64]:
        """log(1 + closed form) [n, len(LABELS)]; NaN where unknown."""
        return np.log1p(self.closed_form)

    def of_sources(self, names: Collection[str]) -> Table:
        """The rows of some sources, and their licences alone."""
        licences = {name: licence for name, licence in self.licences.items() if name in names}
        return replace(self.take(np.isin(self.rows.source, sorted(names))), licences=licences)


def canonical(table: Table) -> Table:
    """The same rows in the order that writing and reading them back gives."""
    parts = []
    for source in sorted(set(table.rows.source.tolist())):
        part = table.take(table.rows.source == source)
        parts.append(part.take(_order(part)))
    return concatenate(parts)


def _order(table: Table) -> NDArray[np.intp]:
    """Rows of one source by stage, kernel and features, so that equal neighbours compress; labels break ties."""
    rows = table.rows
    labels = np.nan_to_num(rows.labels, nan=-1.0)
    keys = (*labels.T, rows.tool_version, *table.values.T[::-1], rows.kernel, rows.stage)
    return np.asarray(np.lexsort(keys))


def write_table(folder: str | Path, table: Table, *, notices: Mapping[str, str] | None = None) -> int:
    """Write one file a source into `folder`, which is replaced as a whole; total size of the tables in bytes.

    notices: text of `<source>.LICENSE.txt`, by source.

    Raises HwmlError when the folder cannot be written; it is then as it was.
    """
    size = 0
    with replace_folder(folder) as temporary:
        for source in sorted(set(table.rows.source.tolist())):
            raw = _pack(table.take(table.rows.source == source), table.licences.get(source, "unknown"))
            (temporary / f"{source}{SUFFIX}").write_bytes(raw)
            size += len(raw)
        for source, text in (notices or {}).items():
            (temporary / f"{source}.LICENSE.txt").write_text(text, encoding="utf-8")
    return size


def _pack(table: Table, licence: str) -> bytes:
    """One source's file."""
    import lzma

    rows, values = table.rows, table.values
    order = _order(table)
    rows, values = rows.take(order), values[order]
    arrays: dict[str, Any] = {
        "format_version": np.int64(FORMAT_VERSION),
        "feature_version": np.int64(table.feature_version),
        "feature_names": np.array(table.feature_names, dtype=str),
        "values": np.ascontiguousarray(encode(values).T),
        "closed_form": np.ascontiguousarray(table.closed_form[order].T),
        "labels": _whole(rows.labels),
        "bounds": _whole(rows.bounds),
        "clock_period_ns": rows.clock_period_ns,
        "fits_device": rows.fits_device,
        "licence": np.array(licence, dtype=str),
    }
    for name in _NAMED:
        names, index = np.unique(getattr(rows, name), return_inverse=True)
        arrays[name], arrays[f"{name}_names"] = index.astype(np.int16), names
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():  # a fixed date, so that equal tables are equal bytes
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "lp": 1, "pb": 1}]
    return lzma.compress(buffer.getvalue(), format=lzma.FORMAT_XZ, filters=filters)


def _whole(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.where(np.isnan(values), -1, np.rint(np.nan_to_num(values))).astype(np.int64).T.copy()


def read_table(
    folder: str | Path,
    *,
    exclude: Collection[str] = (),
    feature_version: int | None = None,
    feature_names: tuple[str, ...] | None = None,
) -> Table:
    """Every `<source>.npz.xz` of `folder` but those excluded, sources in order of their names.

    feature_version, feature_names: what the caller's feature code makes; a table of another version is refused.
    Raises DataError naming the file: missing, broken, unknown format, other features; unknown name in `exclude`.
    """
    place = Path(folder)
    paths = {path.name.removesuffix(SUFFIX): path for path in sorted(place.glob(f"*{SUFFIX}"))}
    if not paths:
        raise DataError(f"holds no *{SUFFIX}; build it with python -m sdk.train qor features --data DIR", path=place)
    unknown = sorted(set(exclude) - set(paths))
    if unknown:
        raise DataError(f"no source {unknown[0]!r} to exclude; there are {', '.join(paths)}", path=place)
    tables = [_read_file(path, name) for name, path in paths.items() if name not in set(exclude)]
    if not tables:
        raise DataError("no source is left to train on", path=place)
    for table, path in zip(tables, [p for n, p in paths.items() if n not in set(exclude)], strict=True):
        wanted = tables[0].feature_version if feature_version is None else feature_version
        names = tables[0].feature_names if feature_names is None else feature_names
        if table.feature_version != wanted or table.feature_names != names:
            raise DataError(
                f"holds features of version {table.feature_version}, this hwml makes version {wanted}; "
                "rebuild the table with python -m sdk.train qor features --data DIR",
                path=path,
            )
    return concatenate(tables)


def concatenate(tables: list[Table]) -> Table:
    """Tables of the same features one below the other."""
    rows = Rows(**{n: np.concatenate([getattr(table.rows, n) for table in tables]) for n in Rows.__dataclass_fields__})
    licences = {source: licence for table in tables for source, licence in table.licences.items()}
    values = np.concatenate([table.values for table in tables])
    closed_form = np.concatenate([table.closed_form for table in tables])
    return replace(tables[0], rows=rows, values=values, closed_form=closed_form, licences=licences)


def _read_file(path: Path, source: str) -> Table:
    import lzma

    try:
        raw = lzma.LZMADecompressor().decompress(read_bytes(path), MAX_UNPACKED_BYTES)
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        version = int(arrays["format_version"])
        if version != FORMAT_VERSION:
            raise DataError(f"format_version {version} is not {FORMAT_VERSION}; update hwml", path=path)
        return _unpack(arrays, source)
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, zlib.error, ValueError, LookupError) as error:
        raise DataError(f"is not a feature table: {error!r}; fetch it again or rebuild it", path=path) from error


def _unpack(arrays: Mapping[str, NDArray[Any]], source: str) -> Table:
    values = decode(np.ascontiguousarray(arrays["values"].T))
    names = tuple(str(name) for name in arrays["feature_names"])
    n = len(values)
    by_target = (len(LABELS), n)
    if values.shape != (n, len(names)) or not arrays["labels"].shape == arrays["closed_form"].shape == by_target:
        raise ValueError("array shapes do not fit each other")
    named = {name: arrays[f"{name}_names"][arrays[name]] for name in _NAMED}
    known = {name: np.where(arrays[name] < 0, np.nan, arrays[name]).T for name in ("labels", "bounds")}
    rows = Rows(
        source=np.array([source] * n, dtype=str),
        clock_period_ns=arrays["clock_period_ns"],
        fits_device=arrays["fits_device"],
        **named,
        **known,
    )
    licences, closed_form = {source: str(arrays["licence"])}, np.ascontiguousarray(arrays["closed_form"].T)
    return Table(rows, values, closed_form, int(arrays["feature_version"]), names, licences)
