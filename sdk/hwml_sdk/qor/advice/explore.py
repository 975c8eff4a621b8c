"""The front of latency against area of one design, searched in steps that can be gone on with later.

found = explore(Path("gemm.cpp"), "gemm", budget={"lut": "60%"}, state=Path("gemm.explored.json"))
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from ...document import apply_edits
from ...errors import ConfigError, HwmlError
from ...files import parse_json, read_bytes, write_atomic
from ..model import Given, given_source
from .bench import Bench
from .budget import limits_of
from .search import Tell, front, search
from .types import Amounts
from .variants import Picks, Variant, Variants
from .what_if import unmet

COUNT = 2000
FORMAT = 1  # of a state


@dataclass(frozen=True, slots=True)
class Point:
    """One variant. pragmas: what it writes; front: none beats it; diff: of the text, told for the front only.

    share: of the part, by the resource that most of is taken. fits: part and budget. Both None where the area is not
    known; such a point is on no front.
    """

    amounts: Amounts
    share: float | None
    fits: bool | None
    front: bool
    present: bool
    title: str
    pragmas: tuple[str, ...]
    diff: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            **self.amounts.to_dict(), "share": None if self.share is None else round(self.share, 6),
            "fits": self.fits, "front": self.front, "present": self.present, "title": self.title,
            "pragmas": list(self.pragmas), "diff": self.diff,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exploration:
    """All variants that were predicted, the front first, fastest first.

    size: variants that there are; complete: whether all were predicted. unmet: why none fits, "" where one does.
    unknown: what is known of no variant, and what that makes of the front; "" where one is known whole.
    """

    path: str
    top: str
    part: str
    clock_period_ns: float
    tool: str
    points: tuple[Point, ...]
    size: int
    complete: bool
    unmet: str
    unknown: str = ""

    @property
    def front(self) -> tuple[Point, ...]:
        """The points that none beats."""
        return tuple(point for point in self.points if point.front)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "path": self.path, "top": self.top, "part": self.part, "clock_period_ns": self.clock_period_ns,
            "tool": self.tool, "tried": len(self.points), "size": self.size, "complete": self.complete,
            "unmet": self.unmet, "unknown": self.unknown, "points": [point.to_dict() for point in self.points],
        }  # fmt: skip


def explore(
    source: str | Path,
    top: str | None = None,
    *,
    budget: Mapping[str, str | float] | None = None,
    count: int = COUNT,
    state: str | Path | None = None,
    files: Iterable[str | Path] | Mapping[str, str] = (),
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    part: str | None = None,
    clock_period_ns: float | None = None,
    tool: str | None = None,
    tool_version: str | None = None,
    directives: str | Path | None = None,
) -> Exploration:
    """Predict variants of a design by the closed form and keep the front of latency against share of the part.

    budget: as in `what_if`. count: variants predicted in all. state: a file to keep what was predicted in; a later call
    with the same text and settings goes on from it. The rest as in `predict_qor`.

    Raises SourceError (missing or unreadable file, no function, unknown top), ConfigError (unknown part, tool or clock,
    wrong budget, a state of another text).
    """
    given = given_source(
        source, files=files, defines=defines, include_dirs=include_dirs, directives=directives, top=top, part=part,
        clock_period_ns=clock_period_ns, tool=tool, tool_version=tool_version,
    )  # fmt: skip
    return explore_given(given, budget=budget, count=count, state=state)


def explore_given(
    given: Given,
    *,
    budget: Mapping[str, str | float] | None = None,
    count: int = COUNT,
    state: str | Path | None = None,
    tell: Tell = lambda done, total: None,
) -> Exploration:
    """The same of a source with all that belongs to it; raises as `explore`."""
    bench = Bench.of(given, 0)
    variants = Variants.of(bench, limits_of(budget, bench.design.settings.part))
    mark = _mark(variants)
    if state is not None and Path(state).exists():
        _resume(variants, Path(state), mark)
    try:
        complete = search(variants, count, tell)
    finally:
        if state is not None:
            _save(variants, Path(state), mark)
    variants.predict(variants.present)
    return _told(variants, complete)


def _told(variants: Variants, complete: bool) -> Exploration:
    known = variants.known()
    best = front(known)
    settings = variants.bench.design.settings
    chosen = {variant.picks for variant in best}
    rest = [variant for variant in known if variant.picks not in chosen]
    points = (*(_point(variants, v, True) for v in best), *(_point(variants, v, False) for v in rest))
    return Exploration(
        variants.bench.given.path, variants.bench.top.name, settings.part, settings.clock_period_ns,
        f"{settings.tool} {settings.tool_version}".strip(), points, variants.size, complete, unmet(variants),
        _unknown(known),
    )  # fmt: skip


def _unknown(variants: Sequence[Variant]) -> str:
    if all(variant.amounts.lut is None for variant in variants):
        return "nothing of this design is predicted, so there is no front: hwml qor FILE says why"
    if all(variant.amounts.latency_cycles is None for variant in variants):
        return (
            "cycles are known of none (rounds that depend on data: a LOOP_TRIPCOUNT says how many), "
            "so the front is of area alone"
        )
    return ""


def _point(variants: Variants, variant: Variant, on_front: bool) -> Point:
    present = not any(variant.picks)
    titles = variants.titles(variant.picks)
    known = variant.amounts.lut is not None
    diff = _diff(variants, variant.picks) if on_front and known else ""
    return Point(
        variant.amounts, variant.share if known else None, variant.fits if known else None, on_front and known, present,
        "the design as it is" if present else ", ".join(titles), variants.pragmas(variant.picks), diff,
    )  # fmt: skip


def _diff(variants: Variants, picks: Picks) -> str:
    text = variants.bench.given.text
    try:
        changed = apply_edits(text, variants.fix(picks).edits)
    except ValueError:
        return ""
    name = Path(variants.bench.given.path).name
    lines = unified_diff(text.splitlines(), changed.splitlines(), f"a/{name}", f"b/{name}", lineterm="", n=2)
    return "\n".join(lines)


# -- to go on with -----------------------------------------------------------------------------------------------------


def _mark(variants: Variants) -> str:
    """What a state belongs to: the text, its settings and the choices there are."""
    bench = variants.bench
    said = [
        bench.given.text, bench.top.name, repr(bench.design.settings), repr(sorted(variants.limits.items())),
        repr([(slot.name, slot.choices) for slot in variants.slots]),
    ]  # fmt: skip
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def _save(variants: Variants, path: Path, mark: str) -> None:
    rows = [
        [list(v.picks), asdict(v.amounts), v.share, v.fits, list(v.bound)] for v in variants.known()
    ]  # fmt: skip
    write_atomic(path, json.dumps({"format": FORMAT, "mark": mark, "variants": rows}, separators=(",", ":")))


def _resume(variants: Variants, path: Path, mark: str) -> None:
    wrong = ConfigError(f"{path}: no state of this design with these settings; name another file, or delete it")
    try:
        raw = parse_json(read_bytes(path))
    except (HwmlError, ValueError) as error:
        raise wrong from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT or raw.get("mark") != mark:
        raise wrong
    try:
        for picks, amounts, share, fitting, bound in raw["variants"]:
            found = Variant(tuple(picks), Amounts(**amounts), float(share), bool(fitting), tuple(bound))
            if len(found.picks) != len(variants.slots):
                raise wrong
            variants.keep(found)
    except (KeyError, TypeError, ValueError) as error:
        raise wrong from error
