"""The tables of docs/lora.md, written from what `hwml lora evaluate` and the benchmarks wrote as JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...doc_tables import Json, replaced, table_of
from ...errors import DataError
from ...files import parse_json, read_bytes, read_source, write_atomic

DOCUMENT = Path(__file__).resolve().parents[4] / "docs" / "lora.md"
ORDER = ("none", "mean", "nearest", "generated", "wrong", "shuffled", "trained")  # conditions of an evaluation
_ROLES = {"seen": "tasks it learned from", "union": "new unions of known constructs", "new": "new constructs"}
_KINDS = {"hyperconv": "HyperConv", "linear": "linear"}
_WORDS = {
    "none": "no adapter", "mean": "mean of the training adapters", "nearest": "nearest training adapter",
    "trained": "really trained", "generated": "**generated, {}**", "wrong": "{}, prompts of other tasks",
    "shuffled": "{}, exchanged prompts",
}  # fmt: skip


def rewritten(text: str, given: Mapping[str, Json | None]) -> str:
    """The document with the tables of the figures given made anew; of those that are None they stay.

    given: demonstration and causal (`hwml lora evaluate --output`), bridge (`benchmarks/lora_bridge.py --json`), speed
    (`benchmarks/lora.py --json`). Raises DataError for figures that lack what a table shows.
    """
    tables: dict[str, tuple[Callable[..., list[str]], str]] = {
        "demonstration": (table_lines, "demonstration"), "closed": (_closed, "demonstration"),
        "causal": (table_lines, "causal"), "bridge": (_bridge, "bridge"), "speed": (_speed, "speed"),
    }  # fmt: skip
    return replaced(text, {name: (maker, (given.get(key),)) for name, (maker, key) in tables.items()})


def table_lines(figures: Json) -> list[str]:
    """The table of an evaluation: a line a condition, a column a role."""
    rows: Sequence[Mapping[str, Any]] = figures["rows"]
    names = list(rows[0]["figures"])
    roles = {row["role"]: row["n_tasks"] for row in rows}
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        said = " / ".join(f"{row['figures'][name]:.2f}" for name in names)
        cells.setdefault((row["condition"], row["generator"]), {})[row["role"]] = said
    head = [" / ".join(map(_metric, names))]
    head += [f"{_ROLES[role]} ({count})" for role, count in roles.items()]
    ordered = sorted(cells, key=lambda key: (ORDER.index(key[0]), key[1]))
    body = [
        (_WORDS[condition].format(_KINDS.get(kind, kind)), *(cells[condition, kind].get(role, "") for role in roles))
        for condition, kind in ordered
    ]
    return table_of(head, body)


def _metric(name: str) -> str:
    return "AUC" if name == "auc" else name


def _closed(figures: Json) -> list[str]:
    """How far from the nearest training adapter to a really trained one."""
    names = list(figures["rows"][0]["figures"])
    found = figures["gap_closed"]["union"]
    rows = [(_KINDS[kind], *(f"{100 * of[name]:.0f} %" for name in names)) for kind, of in found.items()]
    seeds = max(row["n_models"] for row in figures["rows"])
    return table_of((f"share of the gap closed, {seeds} seeds", *map(_metric, names)), rows)


def _bridge(figures: Json) -> list[str]:
    targets = figures["targets"]
    rows = []
    for family in figures["families"]:
        for condition, of in family["conditions"].items():
            cells = (f"{of[t]['spearman']:.3f} / {100 * of[t]['median_error']:.0f}" for t in targets)
            rows.append((f"{family['name']} ({family['designs']})", condition, *cells))
    for condition, of in figures["mean"].items():
        cells = (f"{of[t]['spearman']:.3f} / {100 * of[t]['median_error']:.0f}" for t in targets)
        rows.append(("mean over families", condition, *cells))
    against = ", ".join(
        f"{other} {low:+.2f} to {high:+.2f}" for other, (low, high) in figures["generated_minus"].items()
    )
    return [
        *table_of(("family (designs)", "embedding", *targets), rows),
        "",
        f"Of {figures['designs']} designs of {figures['groups']} groups. Error of logarithms, with the adapter",
        f"generated less that of (90 %, over groups): {against}.",
    ]


def _speed(figures: Json) -> list[str]:
    return table_of(("figure", "value"), ((name, f"{value:,}") for name, value in figures.items()))


def main(argv: Sequence[str]) -> int:
    """`python -m sdk.train lora document`."""
    parser = argparse.ArgumentParser(prog="python -m sdk.train lora document", description=__doc__)
    parser.add_argument("--demonstration", metavar="F.json", help="what hwml lora evaluate --output wrote")
    parser.add_argument("--causal", metavar="F.json", help="the same of a language model")
    parser.add_argument("--bridge", metavar="F.json", help="what benchmarks/lora_bridge.py --json wrote")
    parser.add_argument("--speed", metavar="F.json", help="what benchmarks/lora.py --json wrote")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    options = vars(parser.parse_args(argv))
    place = options.pop("document")
    given = {name: _read(path) if path else None for name, path in options.items()}
    write_atomic(place, rewritten(read_source(place), given))
    return 0


def _read(path: str) -> Json:
    try:
        found = parse_json(read_bytes(Path(path)))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read as JSON: {error}", path=path) from error
    if not isinstance(found, dict):
        raise DataError("a JSON object was expected", path=path)
    return found
