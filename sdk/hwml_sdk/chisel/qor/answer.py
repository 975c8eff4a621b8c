"""What is predicted of one Chisel module, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from ...amounts import Interval


@dataclass(frozen=True, slots=True)
class Share:
    """What one source line, or one instance, takes of a module's amounts."""

    name: str
    amounts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ChiselQor:
    """Amounts on a part of Xilinx' series 7 as yosys' synthesis counts them, and the exact latency, of one module.

    Each amount is a whole number, or None where something that it depends on is not known (`reasons`).
    latency_cycles: registers between ports (`latency_kind`); lower_bound: outputs depend on state as well;
    pairs: cycles by (input, output). depth: look-up tables on the longest path. lines: by source line, largest first;
    instances: by path of the hierarchy. intervals: 80 %, of the amounts that have one.
    """

    module: str
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_18k: int | None = None
    lutram: int | None = None
    srl: int | None = None
    depth: int | None = None
    latency_cycles: int | None = None
    lower_bound: bool = False
    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    lines: tuple[Share, ...] = ()
    instances: tuple[Share, ...] = ()
    reasons: tuple[str, ...] = ()
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    latency_kind: Literal["pipeline_depth"] = "pipeline_depth"

    def to_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready: pairs as a list, since JSON has no keys of two names."""
        data: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        data["pairs"] = [[source, sink, cycles] for (source, sink), cycles in self.pairs.items()]
        for name in ("lines", "instances"):
            data[name] = [{"name": share.name, **share.amounts} for share in getattr(self, name)]
        data["reasons"] = list(self.reasons)
        data["intervals"] = {name: [item.low, item.high] for name, item in self.intervals.items()}
        return data

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ChiselQor:
        """What `to_dict` wrote."""
        values = dict(raw)
        values["pairs"] = {(source, sink): cycles for source, sink, cycles in raw["pairs"]}
        for name in ("lines", "instances"):
            values[name] = tuple(
                Share(item["name"], {key: value for key, value in item.items() if key != "name"}) for item in raw[name]
            )
        values["reasons"] = tuple(raw["reasons"])
        values["intervals"] = {name: Interval(low, high) for name, (low, high) in raw["intervals"].items()}
        return cls(**values)
