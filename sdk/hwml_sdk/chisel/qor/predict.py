"""`predict_chisel_qor`: what a module costs and how long it takes, with where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from .answer import ChiselQor, Share
from .area import Area, area_of
from .circuit import Circuit
from .flat import Flat, TooLargeError, flatten, registers
from .latency import Latency, latency_of

AMOUNTS = ("lut", "ff", "dsp", "bram_18k", "lutram", "srl")


def predict_chisel_qor(circuit: Circuit, module: str | None = None) -> ChiselQor:
    """Amounts and latency of one module of a lowered circuit, the top one by default.

    What is too large or holds black boxes is answered with None and the reason, never with a part of the truth.
    Raises KeyError for a module that the circuit does not have.
    """
    name = module or circuit.top
    try:
        flat = flatten(circuit, name)
    except TooLargeError as error:
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
