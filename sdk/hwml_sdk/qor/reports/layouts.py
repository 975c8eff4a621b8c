"""Published data sets in the layouts of their authors, turned into training rows (docs/qor-model.md).

harp      UCLA-VAST/HARP: `dse_database/<suite>/sources/<kernel>_kernel.c`, and `databases/v18|v20|v21/<kernel>_*.db`;
          a database is a pickled table of pickled results.
hlsyn     ZongyueQin/HLSyn, `data/HLSyn_data.tar.gz` unpacked: `data/sources/<kernel>_kernel.c` and
          `data/designs/v18|v20/<kernel>.json`, one object a kernel: design point -> perf, res_util, point, valid.
forgehls  ForgeHLS: `data_of_designs_forgehls_*.json[.gz]`, a list of designs with their sources in them.

A pickle is a program, so none is ever run: classes are read as inert records, and anything but plain data is refused.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import DataError, SourceError
from ...files import parse_json, read_bytes, read_source

MAX_BYTES = 1 << 30  # also of what a gzip file unpacks to
MAX_FILES = 10_000
# What Merlin's databases do not say, as their papers do: 250 MHz on the xcvu9p of AWS F1 (18-bit block RAMs).
_PART, _CLOCK_NS = "xcvu9p", 4.0
_RELEASES = {"v18": "2018.3", "v20": "2020.2", "v21": "2021.1"}
_TARGETS = {"lut": "LUT", "dsp": "DSP", "ff": "FF", "bram_18k": "BRAM"}
_LICENCES = {"hlsyn": "CC-BY-SA-4.0"}  # as its README says
_DEVICE = {"lut": 1_182_240, "dsp": 6_840, "ff": 2_364_480, "bram_18k": 4_320}  # of the xcvu9p


@dataclass(slots=True)
class Rows:
    """Training rows and their source texts by `code_ref`; skipped: how many designs were left out, by reason."""

    designs: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, why: str) -> None:
        """Count a design that is left out."""
        self.skipped[why] = self.skipped.get(why, 0) + 1

    def add(self, row: dict[str, Any], text: str) -> None:
        """Add a design; its text is kept once."""
        reference = f"{row['kernel']}#{hashlib.sha256(text.encode('utf-8')).hexdigest()[:12]}"
        self.texts[reference] = text
        self.designs.append({**row, "code_ref": reference})


def read_layout(layout: str, place: Path) -> Rows:
    """All designs of one published layout. Raises DataError for what is none, or is broken."""
    if not place.exists():
        raise DataError("no such file or folder", path=place)
    rows = LAYOUTS[layout](place)
    if not rows.designs:
        reasons = "; ".join(f"{count} {why}" for why, count in rows.skipped.items())
        raise DataError(f"holds no designs of the layout {layout}{reasons and f' ({reasons})'}", path=place)
    return rows


# -- Merlin: HARP and HLSyn --------------------------------------------------------------------------------------


def _harp(place: Path) -> Rows:
    rows = Rows()
    for database in _files(place, "*.db"):
        kernel = re.sub(r"_result.*$", "", database.stem)
        source = _merlin_source(kernel, database.parents[2] / "sources", place)
        version = _release(database)
        for key, result in sorted(_database(database).items()):
            said = result if isinstance(result, Mapping) else getattr(result, "fields", {})
            _merlin_row(rows, "harp", kernel, version, key, said, source)
    return rows


def _hlsyn(place: Path) -> Rows:
    rows = Rows()
    for table in _files(place, "*.json"):
        if "designs" not in table.parts:
            continue
        kernel = re.sub(r"_result.*$", "", table.stem)
        said = _json(table)
        if not isinstance(said, Mapping):
            raise DataError("an object of design points was expected", path=table)
        source = _merlin_source(kernel, table.parents[2] / "sources", place)
        for key, result in sorted(said.items()):
            _merlin_row(
                rows, "hlsyn", kernel, _release(table), key, result if isinstance(result, Mapping) else {}, source
            )
    return rows


def _merlin_row(
    rows: Rows, source: str, kernel: str, version: str, key: str, said: Mapping[str, Any], text: str | None
) -> None:
    """One design point of Merlin; a use of 0 means "under 1 % of the part" in its reports."""
    point, perf = said.get("point"), _number(said.get("perf"))
    use = said.get("res_util") or said.get("res-util") or {}
    if text is None:
        return rows.skip("whose kernel has no source here")
    if not isinstance(point, Mapping) or not isinstance(use, Mapping) or not perf or said.get("valid") is False:
        return rows.skip("that the tool refused, or that say no cycles")
    labels: dict[str, float | None] = {"latency_cycles": perf}
    censored = {}
    for name, short in _TARGETS.items():
        count = _number(use.get(f"total-{short}"))
        labels[name] = count or None
        if count == 0:
            censored[name] = int(_DEVICE[name] * 0.01)
    fits = all((labels[name] or 0) <= 0.8 * most for name, most in _DEVICE.items())
    row = {
        "id": f"{source}/{_short_hash(f'{kernel} {version} {key}')}", "source": source, "kernel": kernel,
        "licence": _LICENCES.get(source, "unknown"), "algo_group": _group(kernel), "tool": "merlin",
        "tool_version": version, "part": _PART,
        "clock_period_ns": _CLOCK_NS, "top": _merlin_top(text), "pragmas": dict(point), "label_stage": "csynth",
        "fits_device": fits, "censored": censored, **labels,
    }  # fmt: skip
    rows.add(row, text)
    return None


def _merlin_source(kernel: str, folder: Path, place: Path) -> str | None:
    same = (folder / f"{kernel}_kernel.c", folder / f"{kernel}.c", *_files(place, f"{kernel}_kernel.c"))
    longer = _files(place, f"{kernel}_*_kernel.c")  # designs of `stencil` are those of `stencil_stencil2d_kernel.c`
    for path in (*same, *(longer if len(longer) == 1 else ())):
        if path.is_file():
            try:
                return read_source(path)
            except SourceError:
                return None
    return None


def _merlin_top(text: str) -> str:
    """The function behind `#pragma ACCEL kernel`, else the last one of the file."""
    kernel = re.search(r"#\s*pragma\s+ACCEL\s+kernel\s*\n\s*[\w\s*]*?\b(\w+)\s*\(", text)
    every = re.findall(r"^[\w\s*]*?\b(\w+)\s*\([^;{}]*\)\s*\{", text, re.MULTILINE)
    return kernel.group(1) if kernel else every[-1] if every else ""


def _group(kernel: str) -> str:
    """Sizes and options of one algorithm belong together (`atax-medium`, `gemm-p-large`)."""
    return re.sub(r"-(?:small|medium|large|mini|opt|red|ncubed|blocked|p)\b", "", kernel)


def _release(path: Path) -> str:
    return next((version for part in reversed(path.parts) for mark, version in _RELEASES.items() if part == mark), "")


# -- ForgeHLS ----------------------------------------------------------------------------------------------------


def _forgehls(place: Path) -> Rows:
    rows = Rows()
    for table in [place] if place.is_file() else [*_files(place, "*.json"), *_files(place, "*.json.gz")]:
        said = _json(table)
        for item in said if isinstance(said, list) else ():
            _forgehls_row(rows, item if isinstance(item, Mapping) else {})
    return rows


def _forgehls_row(rows: Rows, said: Mapping[str, Any]) -> None:
    files = {
        str(item.get("file_name")): str(item.get("file_content"))
        for item in said.get("source_code") or () if isinstance(item, Mapping)
    }  # fmt: skip
    top, part, clock = said.get("top_function_name"), said.get("Part"), _number(said.get("TargetClockPeriod"))
    if not files or not isinstance(top, str) or not isinstance(part, str) or not clock:
        return rows.skip("without source, top, part or clock")
    labels = {name: _number(said.get(key)) for name, key in _FORGE_LABELS.items()}
    if all(value is None for value in labels.values()):
        return rows.skip("without any figure")
    suite, kernel = str(said.get("source_name") or "forgehls"), str(said.get("algo_name") or top)
    single = len(files) == 1
    text = next(iter(files.values())) if single else "".join(f"//==== file: {n} ====\n{t}\n" for n, t in files.items())
    row = {
        "id": f"forgehls/{suite}/{kernel}/{said.get('design_id') or 'kernel'}", "source": "forgehls", "kernel": kernel,
        "licence": "unknown", "algo_group": kernel, "family": suite, "tool": "vitis_hls", "tool_version": "",
        "part": part, "clock_period_ns": clock, "top": top, "label_stage": "csynth",
        "latency_cycles_min": _number(said.get("Best-caseLatency")), **labels,
    }  # fmt: skip
    rows.add(row, text)
    return None


_FORGE_LABELS = {
    "lut": "LUT", "dsp": "DSP", "ff": "FF", "latency_cycles": "Worst-caseLatency", "bram_18k": "BRAM_18K",
}  # fmt: skip
LAYOUTS: dict[str, Callable[[Path], Rows]] = {"forgehls": _forgehls, "harp": _harp, "hlsyn": _hlsyn}


# -- files -------------------------------------------------------------------------------------------------------


def _files(place: Path, pattern: str) -> list[Path]:
    if place.is_file():
        return [place] if place.match(pattern) else []
    found: list[Path] = []
    for path in place.rglob(pattern):
        if path.is_file() and not path.is_symlink():
            found.append(path)
        if len(found) >= MAX_FILES:
            break
    return sorted(found)


def _json(path: Path) -> Any:
    try:
        raw = read_bytes(path, max_bytes=MAX_BYTES)
        return parse_json(_unpacked(raw, path) if path.suffix == ".gz" else raw)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"cannot read: {error}", path=path) from error


def _unpacked(raw: bytes, path: Path) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(f"unpacks to more than {MAX_BYTES >> 20} MiB", path=path)
    return data


def _database(path: Path) -> dict[str, Any]:
    """Key -> result, both unpickled as plain data."""
    table = _plain(path, read_bytes(path, max_bytes=MAX_BYTES))
    if not isinstance(table, dict):
        raise DataError("is no table of results", path=path)
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
        if name.startswith("lv1"):  # not synthesised: Merlin's own check only
            continue
        found[name] = _plain(path, value) if isinstance(value, bytes) else value
    return found


class Record:
    """What stands for an object of a class that is not looked up: its fields, and nothing to call."""

    fields: dict[str, Any]

    def __new__(cls, *arguments: Any) -> Record:
        """Pickles make objects with or without their arguments."""
        made = super().__new__(cls)
        made.fields = {"arguments": arguments}
        return made

    def __init__(self, *arguments: Any) -> None:
        """Takes what the class it stands for would have taken."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple):
            state = {name: value for part in state if isinstance(part, dict) for name, value in part.items()}
        if isinstance(state, dict):
            self.fields.update(state)


def _member(*_: Any) -> type[Record]:
    """What stands for `getattr(Result, "RetCode")`, by which databases name an enumeration inside a class."""
    return Record


class _Inert(pickle.Unpickler):
    """Plain data and `Record`s; a class of any other kind than a result's is refused by name."""

    def find_class(self, module: str, name: str) -> Any:
        if module.rpartition(".")[2] == "result" or module.partition(".")[0] == "autodse":
            return Record
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if (module, name) == ("builtins", "getattr"):
            return _member
        raise pickle.UnpicklingError(f"holds {module}.{name}, which is not loaded")


def _plain(path: Path, raw: bytes) -> Any:
    try:
        return _Inert(io.BytesIO(raw)).load()
    except Exception as error:  # a broken pickle raises whatever its words lead to
        raise DataError(f"is no database of results: {str(error) or type(error).__name__}", path=path) from error


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return float(value) if good else None


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
