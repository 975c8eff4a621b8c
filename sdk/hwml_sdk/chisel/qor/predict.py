"""`predict_chisel_qor`: what a module costs and how long it takes, with where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from .area import Area, area_of
from .circuit import Circuit
from .flat import Flat, TooLarge, flatten, registers
from .latency import Latency, latency_of

AMOUNTS = ("lut", "ff", "dsp", "bram_18k", "lutram", "srl")


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
    instances: by path of the hierarchy.
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
    latency_kind: Literal["pipeline_depth"] = "pipeline_depth"


def predict_chisel_qor(circuit: Circuit, module: str | None = None) -> ChiselQor:
    """Amounts and latency of one module of a lowered circuit, the top one by default.

    What is too large or holds black boxes is answered with None and the reason, never with a part of the truth.
    Raises KeyError for a module that the circuit does not have.
    """
    name = module or circuit.top
    try:
        flat = flatten(circuit, name)
    except TooLarge as error:
        return ChiselQor(name, reasons=(str(error),))
    found = registers(flat)
    latency = latency_of(flat, found)
    if flat.unknown:
        return ChiselQor(name, reasons=tuple(f"{what} is not known" for what in flat.unknown))
    return _answer(name, flat, latency, area_of(flat, found))


def _answer(name: str, flat: Flat, latency: Latency, area: Area) -> ChiselQor:
    lines: dict[str, Counter[str]] = {}
    instances: dict[str, Counter[str]] = {}
    for (owner, place), amounts in area.shares.items():
        line = f"{place[0]}:{place[1]}" if place[0] else ""
        lines.setdefault(line, Counter()).update(amounts)
        instances.setdefault(flat.owners[owner][0], Counter()).update(amounts)
    return ChiselQor(
        name,
        **{amount: getattr(area, amount) for amount in AMOUNTS},
        depth=area.depth,
        latency_cycles=latency.latency_cycles,
        lower_bound=latency.feedback,
        pairs=latency.pairs,
        lines=_shares(lines),
        instances=_shares(instances),
    )


def _shares(found: Mapping[str, Counter[str]]) -> tuple[Share, ...]:
    ranked = sorted(found.items(), key=lambda item: (-item[1]["lut"], -item[1]["ff"], item[0]))
    return tuple(Share(name, dict(amounts)) for name, amounts in ranked)
