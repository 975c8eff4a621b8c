"""What other pragmas would make of a design, each set predicted.

found = what_if(Path("fir.cpp"), "fir", budget={"lut": "60%"})
for option in found.options:
    print(option.fix.title, option.after.latency_cycles)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...amounts import change_of, whole
from ...document import Fix, apply_edits
from ...errors import HwmlError
from ..answer.types import QorPrediction
from ..model import Given, OpenDesign, given_source, loaded_model, open_design
from ..tool.labels import RESOURCES, TITLES
from .bench import Bench, findings_of
from .budget import limits_of
from .choice import order
from .search import Tell, front, search
from .types import Amounts, area_change, change, edits_json
from .variants import Variant, Variants

COUNT = 1500  # variants that are predicted where there are more
SHOWN = 3
MIN_GAIN = 0.02  # of the cycles, below which a change is not worth an edit


@dataclass(frozen=True, slots=True)
class Option:
    """One set of pragmas that is worth its area. before, after: the closed form of the design.

    prediction: of the edited text, learned correction and intervals included; None where no model is there.
    share: of the part, by the resource that most of is taken.
    """

    fix: Fix
    pragmas: tuple[str, ...]
    before: Amounts
    after: Amounts
    share: float
    prediction: QorPrediction | None = None

    @property
    def gain(self) -> str:
        """`1,054 -> 542 cycles, +640 DSP, LUT 6.1k -> 12k`."""
        said = [change(self.before.latency_cycles, self.after.latency_cycles, "cycles")]
        said += [area_change(name, getattr(self.before, name), getattr(self.after, name)) for name in ("dsp", "lut")]
        return ", ".join(filter(None, said))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        predicted = self.prediction
        return {
            "title": self.fix.title, "gain": self.gain, "pragmas": list(self.pragmas), "share": round(self.share, 5),
            "before": self.before.to_dict(), "after": self.after.to_dict(), "edits": edits_json(self.fix),
            "predicted": None if predicted is None else {
                "LUT": whole(predicted.lut), "DSP": whole(predicted.dsp), "FF": whole(predicted.ff),
                "latency_cycles": whole(predicted.latency_cycles),
            },
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The front of a design's variants, in the order to try them (`choice`), and what was tried.

    present: the design as it stands. tried: variants predicted; size: that there are; complete: whether these are all.
    unmet: why nothing fits the budget, "" where something does.
    """

    present: Amounts
    options: tuple[Option, ...]
    tried: int
    size: int
    complete: bool
    unmet: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "present": self.present.to_dict(), "options": [option.to_dict() for option in self.options],
            "tried": self.tried, "size": self.size, "complete": self.complete, "unmet": self.unmet,
        }  # fmt: skip


def what_if(
    source: str | Path,
    top: str | None = None,
    *,
    budget: Mapping[str, str | float] | None = None,
    count: int = COUNT,
    files: Iterable[str | Path] | Mapping[str, str] = (),
    defines: Mapping[str, str] | None = None,
    include_dirs: Sequence[str | Path] = (),
    part: str | None = None,
    clock_period_ns: float | None = None,
    tool: str | None = None,
    tool_version: str | None = None,
    directives: str | Path | None = None,
) -> WhatIf:
    """Sets of pragmas on the front of latency against area that beat the present design in one of them.

    budget: most of `lut`, `dsp`, `ff`, `bram_18k`, as counts or as shares of the part ("60%"); the part itself always
    limits. count: variants that are predicted where there are more. The rest as in `predict_qor`. Figures are those of
    the closed form; the first three options carry the full prediction of the edited text as well.

    Raises SourceError (missing or unreadable file, no function, unknown top), ConfigError (unknown part, tool or clock,
    wrong budget).
    """
    given = given_source(
        source, files=files, defines=defines, include_dirs=include_dirs, directives=directives, top=top, part=part,
        clock_period_ns=clock_period_ns, tool=tool, tool_version=tool_version,
    )  # fmt: skip
    return what_if_given(given, budget=budget, count=count)


def what_if_given(
    given: Given,
    *,
    budget: Mapping[str, str | float] | None = None,
    count: int = COUNT,
    seconds: float | None = None,
    tell: Tell = lambda done, total: None,
    design: OpenDesign | None = None,
) -> WhatIf:
    """The same of a source with all that belongs to it; raises as `what_if`. seconds: after which no more are begun."""
    bench = Bench.of(given, 0, design)
    variants = Variants.of(bench, limits_of(budget, bench.design.settings.part))
    complete = search(variants, count, tell, seconds)
    present = variants.predict(variants.present)
    best = worth_it(variants, present)
    options = [_option(variants, present, item) for item in best]
    checked = [_predicted(bench, option) for option in options[:SHOWN]]
    kept = tuple(option for option in checked if option is not None)
    return WhatIf(
        present.amounts, (*kept, *options[SHOWN:]), variants.made, variants.size, complete, unmet(variants)
    )  # fmt: skip


def worth_it(variants: Variants, present: Variant) -> list[Variant]:
    """The variants of the front that are faster, those to try first in front, then those that are smaller."""
    best = [item for item in front(variants.known()) if any(item.picks) and item.cycles < float("inf")]
    faster = [v for v in best if v.cycles < present.cycles * (1 - MIN_GAIN)]
    faster.sort(key=lambda item: order(item.cycles, item.asked))
    smaller = [v for v in best if v not in faster and v.share < present.share * (1 - MIN_GAIN)]
    return [*faster, *smaller]


def unmet(variants: Variants) -> str:
    """Which resource keeps every variant from fitting; "" where one fits."""
    known = variants.known()
    if not known or any(variant.fits for variant in known):
        return ""
    part = variants.bench.design.settings.part
    limits = limits_of(dict.fromkeys(RESOURCES, "100%"), part) | dict(variants.limits)
    least = {name: min(getattr(v.amounts, name) or 0.0 for v in known) for name in limits}
    over = [
        f"{TITLES[name]} (at least {least[name]:,.0f}, {limit:,.0f} allowed)"
        for name, limit in limits.items() if least[name] > limit
    ]  # fmt: skip
    over += [
        f"{TITLES[name]} is not known" for name in variants.limits
        if all(getattr(v.amounts, name) is None for v in known)
    ]  # fmt: skip
    return f"nothing of what was tried fits: {', '.join(over) or 'some resource of each is over'}"


def _option(variants: Variants, present: Variant, item: Variant) -> Option:
    fix = variants.fix(item.picks)
    return Option(fix, variants.pragmas(item.picks), present.amounts, item.amounts, item.share)


def _predicted(bench: Bench, option: Option) -> Option | None:
    """With the prediction of the edited text; None where its pragmas bring a finding that was not there."""
    given, settings = bench.given, bench.design.settings
    try:
        changed = apply_edits(given.text, option.fix.edits)
        design = open_design(changed, path=given.path, inputs=given.inputs, settings=settings)
        if findings_of(design.program) > findings_of(bench.design.program):
            return None
        before = _model_of(bench, bench.design)
        after = _model_of(bench, design)
    except (HwmlError, ValueError):
        return option
    title = f"{option.fix.title}: {_how_sure(before, after)}"
    return Option(
        Fix(title, option.fix.edits, verified=True), option.pragmas, option.before, option.after, option.share, after
    )  # fmt: skip


def _model_of(bench: Bench, design: OpenDesign) -> QorPrediction:
    return loaded_model(bench.design.settings.model).predict_design(design)


def _how_sure(before: QorPrediction, after: QorPrediction) -> str:
    """A percentage only where both ends of the change's interval are on one side of none."""
    now, then = after.latency_cycles, before.latency_cycles
    if now is None or then is None:
        return "likely faster"
    sure = after.certainty.get("latency_cycles")
    middle, ends = change_of(then, now, sure.change if sure is not None else 1.0)
    if ends.high < 0:
        return f"{-middle:.0f} % fewer cycles"
    if ends.low > 0:
        return f"{middle:.0f} % more cycles, smaller"
    return "likely faster" if now <= then else "likely smaller"
