"""Figures as a table for people, and the page that lies beside the artefact."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_TITLES = {
    "circuits": "circuits",
    "not_counted": "circuits without figures (black boxes, too large, not measured)",
    "lut_near": "LUT off by at most 2 or 12 %",
    "lut_spearman": "LUT, Spearman",
    "lut_median_error": "LUT, median error",
    "linear_lut_near": "  least squares on operator counts: LUT off by at most 2 or 12 %",
    "linear_lut_spearman": "  least squares on operator counts: LUT, Spearman",
    "ff_exact": "FF exact",
    "dsp_exact": "DSP exact",
    "bram_18k_exact": "BRAM exact",
    "lutram_exact": "LUTRAM exact",
    "srl_exact": "SRL exact",
    "latency_compared": "circuits whose cycles were compared",
    "latency_equal": "cycles of all pairs of ports equal to the netlist's",
    "lut_coverage": "LUT inside its 80 % interval",
    "ff_coverage": "FF inside its 80 % interval",
    "dsp_coverage": "DSP inside its 80 % interval",
}
_OF_PLACE = {
    "circuits": "circuits", "lut_near": "LUT near", "lut_spearman": "Spearman", "ff_exact": "FF exact",
    "dsp_exact": "DSP exact", "latency_equal": "cycles", "lut_coverage": "LUT in",
}  # fmt: skip
_COUNTS = ("circuits", "not_counted", "latency_compared")


def table(found: Mapping[str, Any]) -> str:
    """One line a figure, the main ones of each place below it, and the circuits that are most off, if asked."""
    figures = found["figures"]
    lines = [f"{title:<66}{_shown(name, figures[name]):>8}" for name, title in _TITLES.items() if name in figures]
    lines += _by_place(found.get("places", {}))
    for row in found.get("worst", ()):
        sides = (" ".join(f"{name} {value}" for name, value in row[side].items()) for side in ("counted", "measured"))
        lines.append(f"{row['key']}: counted {' | measured '.join(sides)}")
    return "\n".join(lines)


def _by_place(places: Mapping[str, Mapping[str, float]]) -> list[str]:
    if not places:
        return []
    width = max(len(name) for name in places)
    heads = "".join(f"{head:>10}" for head in _OF_PLACE.values())
    rows = [
        f"{name:<{width}}" + "".join(f"{_shown(figure, found[figure]):>10}" for figure in _OF_PLACE)
        for name, found in places.items()
    ]
    return ["", f"{'':{width}}{heads}", *rows]


def _shown(name: str, value: float) -> str:
    if name in _COUNTS:
        return str(int(value))
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if name.endswith("spearman") else f"{100 * value:.1f} %"


def card(metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """The artefact's page."""
    residual = {name: float(value) for name, value in metrics["residual"].items()}
    return f"""# Intervals of Chisel figures

80 % intervals of the amounts that hwml counts from a lowered Chisel module (LUT, FF, DSP, BRAM, LUTRAM, SRL), as bands
in `artifact.json`: for amounts up to the first number, the measured amount plus one lies between the two quotients
times the counted amount plus one. The counting itself is arithmetic and learns nothing.

Labels: {provenance["labels"]}.
Circuits: {provenance["data"]}.
Figures there, each family judged by intervals of the others:

```text
{table(metrics)}
```

A learned correction of LUT (ridge regression on what was counted and on operators, families left out) is not part of
it: it brings {100 * residual["near_corrected"]:.1f} % within the bar where the counting alone has \
{100 * residual["near_alone"]:.1f} %,
and a mean logarithmic error of {residual["error_corrected"]:.3f} where it has {residual["error_alone"]:.3f}.

Limits: yosys' counts on series 7, not Vivado's. Where nearly all counts are exact (FF, DSP), the interval is a point or
next to one, and more than 80 % lie inside; where too few modules had an amount at all, it has no interval. Made by

```text
python -m sdk.train chisel-qor --out DIR {provenance["arguments"]} --artifact FOLDER
```
"""
