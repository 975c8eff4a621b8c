"""What advice is made of: plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...amounts import short_number, whole
from ...document import Fix, Related, Span
from ...report import span_json
from ..answer.types import LoopQor, cause_json
from ..closed_form.causes import Cause
from ..tool.labels import TITLES, json_key

AREAS = ("dsp", "lut", "ff", "bram_18k")
ALIKE = 0.1  # areas that differ by less are "about the same": the closed form knows them no better


@dataclass(frozen=True, slots=True)
class Amounts:
    """The closed form of a whole design; None where it is not known. latency_cycles: start to done."""

    latency_cycles: float | None
    lut: float | None
    dsp: float | None
    ff: float | None
    bram_18k: float | None

    @classmethod
    def of(cls, figures: Mapping[str, float | None]) -> Amounts:
        """From `Estimate.figures()`."""
        return cls(*(figures[name] for name in ("latency_cycles", "lut", "dsp", "ff", "bram_18k")))

    def to_dict(self) -> dict[str, int | None]:
        """JSON-ready, with the keys that all of hwml's JSON has."""
        return {
            json_key(name): whole(getattr(self, name)) for name in ("latency_cycles", "lut", "dsp", "ff", "bram_18k")
        }


@dataclass(frozen=True, slots=True)
class Move:
    """A change of the text and what it brings. ii: of the loop it is about, None where that is not pipelined.

    before, after: the design, by the closed form of the present and of the edited text. interval_before, interval:
    cycles from one start of a dataflow region to the next, where the move is about one.
    """

    fix: Fix
    ii_before: int | None
    ii: int | None
    before: Amounts
    after: Amounts
    interval_before: float | None = None
    interval: float | None = None

    @property
    def gain(self) -> str:
        """`II 2 -> 1, 2,044 -> 1,024 cycles, +0 DSP, LUT about the same`."""
        said = []
        if self.ii_before is None and self.ii is not None:
            said.append(f"pipelined at II {self.ii:,}")
        elif self.ii is not None and self.ii_before != self.ii:
            said.append(f"II {self.ii_before:,} -> {self.ii:,}")
        if self.interval_before is not None and self.interval is not None:
            said.append(f"interval {change(self.interval_before, self.interval, '')}".rstrip())
        said.append(change(self.before.latency_cycles, self.after.latency_cycles, "cycles"))
        said += [area_change(name, getattr(self.before, name), getattr(self.after, name)) for name in ("dsp", "lut")]
        if self.before.bram_18k != self.after.bram_18k:
            said.append(area_change("bram_18k", self.before.bram_18k, self.after.bram_18k))
        return ", ".join(filter(None, said))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "title": self.fix.title, "gain": self.gain, "ii_before": self.ii_before, "ii": self.ii,
            "interval_before": whole(self.interval_before), "interval": whole(self.interval),
            "before": self.before.to_dict(), "after": self.after.to_dict(), "edits": edits_json(self.fix),
        }  # fmt: skip


def edits_json(fix: Fix) -> list[dict[str, Any]]:
    """The edits of a fix, as the JSON of findings has them."""
    return [{"range": span_json(edit.span), "new_text": edit.new_text} for edit in fix.edits]


def change(before: float | None, after: float | None, unit: str) -> str:
    """`1,026 -> 514 cycles`; "" where either is not known."""
    if before is None or after is None:
        return ""
    if whole(before) == whole(after):
        return f"still {before:,.0f} {unit}"
    return f"{before:,.0f} -> {after:,.0f} {unit}"


def area_change(name: str, before: float | None, after: float | None) -> str:
    """`+0 DSP`, `LUT about the same`, `LUT 1.2k -> 2.4k`."""
    if before is None or after is None:
        return ""
    title = TITLES[name]
    if name in ("dsp", "bram_18k"):
        return f"{round(after - before):+d} {title}"
    if abs(after - before) <= ALIKE * max(before, after, 1.0):
        return f"{title} about the same"
    return f"{title} {short_number(before)} -> {short_number(after)}"


@dataclass(frozen=True, slots=True)
class Why:
    """Why a loop, or a dataflow region, is no faster, and what would lift it.

    loop: None of a dataflow region. message: `II 2: 4 reads of a[] a round, 2 ports`. related: the places that it is
    about. moves: those that help, best first; empty where none is known.
    """

    name: str
    function: str
    path: str
    span: Span
    loop: LoopQor | None
    cause: Cause
    message: str
    related: tuple[Related, ...] = ()
    moves: tuple[Move, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "name": self.name, "function": self.function, "path": self.path, "range": span_json(self.span),
            "message": self.message, "cause": cause_json(self.cause),
            "ii": self.loop.ii if self.loop is not None else None,
            "cycles": whole(self.loop.total_cycles) if self.loop is not None else None,
            "related": [
                {"message": item.message, "path": item.path or self.path, "range": span_json(item.span)}
                for item in self.related
            ],
            "moves": [move.to_dict() for move in self.moves],
        }  # fmt: skip
