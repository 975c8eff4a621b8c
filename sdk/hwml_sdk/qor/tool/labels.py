"""Names that several rooms share: what is predicted, at which stage of the flow, under which settings."""

from __future__ import annotations

from collections.abc import Sequence

# What a part holds and a design takes, in the order of device tables.
RESOURCES = ("lut", "ff", "dsp", "bram_18k")
# Everything a report gives, in the order of the model's outputs.
LABELS = ("lut", "dsp", "ff", "latency_cycles", "bram_18k")
# The same in the order of tables for people.
SHOWN = ("lut", "dsp", "ff", "bram_18k", "latency_cycles")
# Reports that labels come from: of C synthesis, or after place and route.
STAGES = ("csynth", "impl")

# Features that are settings rather than structure: the learned correction holds where training had their combination.
CONTEXT = ("clock_ns", "year", "family_7series", "merlin", "impl", "unsafe_math", "vivado_old")
# Settings count as the same within this share of the clock period and so many years of the tool's version.
NEAR_CLOCK, NEAR_YEARS = 0.15, 1.5
# The closed form is of a different quality in each, so that members and closed form are mixed by it.
DOMAINS = ("merlin", "impl", "dataflow", "csynth")

# Keys of JSON: the three that the specification spells in capitals, the field's own name for the rest.
JSON_KEYS = {"lut": "LUT", "dsp": "DSP", "ff": "FF"}
# Column and row titles in tables for people.
TITLES = {"lut": "LUT", "dsp": "DSP", "ff": "FF", "bram_18k": "BRAM_18K", "latency_cycles": "latency_cycles"}


def json_key(name: str) -> str:
    """How JSON spells a label."""
    return JSON_KEYS.get(name, name)


def near_year(year: float, seen: Sequence[float]) -> bool:
    """Whether training had a release within `NEAR_YEARS` of this one; nothing to compare with counts as near."""
    return min((abs(year - other) for other in seen), default=0.0) <= NEAR_YEARS
