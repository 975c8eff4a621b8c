"""All of a generation as JSON: requests, candidates, checks, tokens and seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...config import user_cache_dir
from ...files import write_atomic
from ...printable import json_text
from .types import Attempt, Generation

SCHEMA_VERSION = 1


def as_json(found: Generation, *, whole: bool = True) -> dict[str, Any]:
    """JSON-ready. whole: with all attempts, else the best alone."""
    rows = found.attempts if whole else tuple(item for item in (found.best,) if item is not None)
    return {
        "schema_version": SCHEMA_VERSION,
        "spec": found.spec,
        "ok": found.ok,
        "ended": found.ended,
        "backend": found.backend,
        "best": None if found.best is None else found.best.index,
        "tokens": found.tokens,
        "seconds": found.seconds,
        "notes": list(found.notes),
        "attempts": rows_of(rows),
    }


def rows_of(items: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Attempts, JSON-ready."""
    return [_row(item) for item in items]


def _row(item: Attempt) -> dict[str, Any]:
    row = asdict(item)
    row["diagnostics"] = [
        {"code": d.code, "severity": d.severity, "stage": d.stage, "line": d.span.start_line + 1, "text": d.text}
        for d in item.diagnostics
    ]
    row["ports"] = [[port.name, port.direction, port.width] for port in item.ports]
    return row


def save(found: Generation, path: str | Path | None = None) -> Path:
    """Write the trace and say where. Without a path: a file of its own in the user's cache."""
    if path is None:
        stamp = time.strftime("%Y%m%d-%H%M%S")
        folder = user_cache_dir() / "chisel" / "traces"
        number = 0
        while (place := folder / f"{stamp}-{os.getpid()}-{number}.json").exists():
            number += 1
    else:
        place = Path(path)
    write_atomic(place, json_text(as_json(found)) + "\n")
    return place
