"""Budgets: an absolute limit for LUT, DSP, FF and latency, and growth against the last commit.

A limit is broken when even the lower end of the 80 % interval is over it; `strict`: when the estimate is. Growth
compares two estimates of the same model, whose errors largely go the same way, and needs no interval.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hwml_sdk.amounts import change_of, short_number
from hwml_sdk.amounts import figure as shown_figure
from hwml_sdk.config import LimitSettings
from hwml_sdk.document import Design, Diagnostic, Figures, Interval, Severity, Span

OVER_LIMIT = "QOR101"
NEAR_LIMIT = "QOR102"
GROWTH = "QOR103"
UNKNOWN = "QOR104"
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_AMOUNT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?:e([+-]?\d{1,3}))?([kmg]?)", re.IGNORECASE)
# Setting -> (field of Figures, what people read).
LIMITS = {
    "max_lut": ("lut", "LUT"),
    "max_dsp": ("dsp", "DSP"),
    "max_ff": ("ff", "FF"),
    "max_latency_cycles": ("latency_cycles", "cycles"),
    "max_bram": ("bram_18k", "BRAM_18K"),
    "max_uram": ("uram", "URAM"),
    "max_ii": ("ii", "II"),
}
# Those whose growth is held against `max_growth_percent`: few memories more or fewer are a large share of few.
GROWING = ("max_lut", "max_dsp", "max_ff", "max_latency_cycles")


def parse_amount(text: str) -> float:
    """`20000`, `20k`, `1.5M` or `1e6`. Raises argparse.ArgumentTypeError for all else."""
    match = _AMOUNT.fullmatch(text.strip().replace("_", ""))
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount; write 20000, 20k, 1.5M or 1e6")
    value = float(f"{match[1]}e{match[2] or 0}") * _UNITS[match[3].lower()]
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is too large for a limit")
    return value


_OPTIONS = {name: f"--{name.removesuffix('_cycles').replace('_', '-')}" for name in LIMITS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that set limits, for hwml-check-qor and `hwml budget`."""
    for setting, option in _OPTIONS.items():
        name = LIMITS[setting][1]
        parser.add_argument(option, dest=setting, type=parse_amount, metavar="N", help=f"most {name}, e.g. 20k")
    strict = "fail when the estimate is over, not only when the lower end of its interval is, or when nobody can say"
    parser.add_argument("--strict", action="store_true", help=strict)


@dataclass(frozen=True, slots=True)
class Figure:
    """One predicted amount. value None: not known, reasons say why. low, high: its 80 % interval."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    reasons: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """`23k LUT (80 %: 21k to 26k)`, as sure as its interval."""
        if self.value is None or self.low is None or self.high is None:
            return f"? {self.name}"
        said = f"{shown_figure(self.value, Interval(self.low, self.high))} {self.name}"
        return f"{said} (80 %: {short_number(self.low)} to {short_number(self.high)})"


def figure(figures: Figures, setting: str) -> Figure:
    """The figure that a setting limits."""
    key, name = LIMITS[setting]
    value: int | None = getattr(figures, key)
    if value is None:
        return Figure(name, None, None, None, tuple(figures.reasons.get(key, ())))
    interval = figures.intervals.get(key, Interval(value, value))
    return Figure(name, value, min(interval.low, value), max(interval.high, value))


def given_limits(limits: LimitSettings) -> Iterator[tuple[str, float]]:
    """The limits that are set: (setting, amount)."""
    for setting in LIMITS:
        amount = getattr(limits, setting)
        if amount > 0:
            yield setting, amount


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit and what became of it; near: the estimate is over, the lower end of its interval is not."""

    figure: Figure
    limit: float
    state: Literal["ok", "near", "over", "unknown"]
    failed: bool

    @property
    def text(self) -> str:
        """`23k LUT (80 %: 21k to 26k), limit 20k`."""
        cause = "; ".join(self.figure.reasons) or "the figure is not known"
        reason = {"near": ": over it, but the lower end is not", "unknown": f": cannot say, {cause}"}
        return f"{self.figure.text}, limit {short_number(self.limit)}{reason.get(self.state, '')}"


def judge(figures: Figures, limits: LimitSettings, *, strict: bool = False) -> list[Verdict]:
    """Hold predicted figures against every limit that is set."""
    verdicts = []
    for setting, amount in given_limits(limits):
        found = figure(figures, setting)
        if found.value is None or found.low is None:
            verdicts.append(Verdict(found, amount, "unknown", strict))
        elif found.low > amount:
            verdicts.append(Verdict(found, amount, "over", True))
        elif found.value > amount:
            verdicts.append(Verdict(found, amount, "over" if strict else "near", strict))
        else:
            verdicts.append(Verdict(found, amount, "ok", False))
    return verdicts


_CODES = {"over": OVER_LIMIT, "near": NEAR_LIMIT, "unknown": UNKNOWN}


def findings(top: str, verdicts: Iterable[Verdict], span: Span) -> Iterator[Diagnostic]:
    """An error for each limit that is broken, a note for what is near or not known."""
    for verdict in verdicts:
        if verdict.state != "ok":
            severity: Severity = "error" if verdict.failed else "info"
            yield Diagnostic(_CODES[verdict.state], severity, f"{top}: {verdict.text}", span)


def _signed(percent: float) -> str:
    return f"{'-' if percent < 0 else '+'}{short_number(abs(percent))}"


def check_growth(design: Design, before: Figures, percent: float, span: Span) -> Iterator[Diagnostic]:
    """Findings for figures that grew by more than `percent` since `before`; a count of 0 then is taken for 1.

    A note where a figure was known then and is not any more.
    """
    for setting in GROWING:
        new, old = figure(design.figures, setting), figure(before, setting)
        if new.value is None or old.value is None:
            if old.value is not None:
                cause = "; ".join(new.reasons) or "it is not known"
                message = f"{design.top}: growth of {new.name} cannot be said: {cause}"
                yield Diagnostic(UNKNOWN, "info", message, span)
            continue
        grown, interval = change_of(old.value, new.value, design.figures.changes.get(LIMITS[setting][0], 1.0))
        if grown > percent:
            sure = f" (80 %: {_signed(interval.low)} to {_signed(interval.high)} %)"
            change = f"{new.name} grows by {short_number(grown)} %{sure} against HEAD, limit {short_number(percent)} %"
            message = f"{design.top}: {change}; now {new.text}"
            yield Diagnostic(GROWTH, "error", message, span)
