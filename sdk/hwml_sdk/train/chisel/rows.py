"""Rows of a data set as pairs of prompt and answer; held-out rows become evaluation tasks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...chisel.data_engine.draft import Draft
from ...chisel.data_engine.families import FAMILIES, compose
from ...chisel.data_engine.generate import DATA
from ...chisel.data_engine.styles import NAMES, PORTS, Style
from ...chisel.data_engine.wordings import plain
from ...errors import DataError
from ...files import parse_json, read_bytes

MAX_BYTES = 1 << 30
_MOST_OF_A_FAMILY, _LEAST_DIFFERENT = 0.1, 0.6  # the data engine's own rows have .025 and .89


@dataclass(frozen=True, slots=True)
class Row:
    """A sample. seed and family say which circuit of the data engine it is; empty for rows of other makers."""

    prompt: str
    answer: str
    abstract: str = ""
    family: str = ""
    seed: str = ""
    top: str = ""


def read_rows(path: str | Path) -> list[Row]:
    """Rows of a file of JSON lines (`instruction`, `input`, `output`), or of a folder that the data engine wrote.

    Raises DataError with file and line.
    """
    place = Path(path)
    place = place / DATA if place.is_dir() else place
    try:
        lines = read_bytes(place, max_bytes=MAX_BYTES).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read as JSON lines: {error}", path=place) from error
    found = [_row(line, place, number) for number, line in enumerate(lines, start=1) if line.strip()]
    if not found:
        raise DataError("holds no row", path=place)
    return found


def _row(line: str, path: Path, number: int) -> Row:
    try:
        row = parse_json(line)
        prompt = "\n".join(part for part in (row["instruction"], row.get("input", "")) if part)
        answer = row["output"]
        if not (isinstance(answer, str) and answer.strip() and prompt.strip()):
            raise ValueError("empty prompt or answer")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = "instruction and output are wanted"
        raise DataError(f"is no sample ({error!r}): {wanted}", path=path, line=number) from error
    return Row(prompt, answer, *(str(row.get(name, "")) for name in ("abstract", "family", "seed", "top")))


def split(rows: Sequence[Row], held_out: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Rows to learn from, and rows of netlists that no other one shares, whatever their widths and constants."""
    numbers = sorted({row.abstract for row in rows if row.abstract})
    random.Random(f"held out {seed}").shuffle(numbers)
    chosen = set(numbers[:held_out])
    first: dict[str, Row] = {}
    for row in rows:
        if row.abstract in chosen:
            first.setdefault(row.abstract, row)
    return [row for row in rows if row.abstract not in chosen], list(first.values())


def monotony(rows: Sequence[Row]) -> list[str]:
    """What to know of rows that are much alike: a model tuned on such forgets more than it learns."""
    notes = []
    families = Counter(row.family for row in rows if row.family)
    if families:
        name, count = families.most_common(1)[0]
        if count > _MOST_OF_A_FAMILY * len(rows):
            notes.append(f"{count / len(rows):.0%} of the rows are of the family {name}")
    circuits = Counter(row.abstract for row in rows if row.abstract)
    if circuits and len(circuits) < _LEAST_DIFFERENT * circuits.total():
        notes.append(
            f"only {len(circuits) / circuits.total():.0%} of the rows differ by more than widths and constants"
        )
    return notes


def rewritten(row: Row, rng: random.Random) -> Row:
    """The circuit of a row in the plainest style, with names, layout of ports and notation drawn anew.

    What a request does not say (comments, `Mux` or `when`, `RegNext` or `RegInit`) is then not left to be guessed.
    The data engine knows what its circuits do; rows of other makers stay as they are.
    """
    drawn = _drawn(row)
    if drawn is None:
        return row
    names, ports = drawn.style.names, drawn.style.ports
    if rng.random() < 0.5:
        names, ports = rng.choice(NAMES), rng.choices(PORTS, (6, 2, 2))[0]
    draft = compose(FAMILIES[row.family], row.seed, Style(names=names, ports=ports))
    return replace(row, prompt=plain(draft, rng.random() < 0.5), answer=draft.source())


def asked_plainly(row: Row) -> Row:
    """The row as a task in the wording that `rewritten` teaches; its answer stays."""
    drawn = _drawn(row)
    return row if drawn is None else replace(row, prompt=plain(drawn, random.Random(row.seed).random() < 0.5))


def _drawn(row: Row) -> Draft | None:
    """The circuit of a row of the data engine; None for any other, and for one of another version of the engine."""
    if row.family not in FAMILIES or not row.seed:
        return None
    drawn = compose(FAMILIES[row.family], row.seed)
    return drawn if drawn.top == row.top and drawn.source() == row.answer else None
