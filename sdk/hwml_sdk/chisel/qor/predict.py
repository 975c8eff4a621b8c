"""`predict_chisel_qor`: what a module costs and how long it takes, with where it goes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

from .answer import ChiselQor, Share
from .area import Area, area_of
from .circuit import Circuit
from .flat import MAX_OPERATIONS, Flat, TooLargeError, flatten, registers
from .hw_ir import read_hw_ir
from .intervals import intervals_of, shipped_bands
from .latency import Latency, latency_of
from .machines import recode_machines

AMOUNTS = ("lut", "ff", "dsp", "bram_18k", "lutram", "srl")


def predict_chisel_qor(circuit: Circuit | str, module: str | None = None, *, most: int = MAX_OPERATIONS) -> ChiselQor:
    """Amounts and latency of one module of a lowered circuit, the top one by default.

    circuit: what `read_hw_ir` read, or the text itself, which firtool writes with `--output-hw-mlir=FILE
    --mlir-print-debuginfo` (1.62 with `--ir-hw`).
    most: operations that are looked at, with those of instances; 100,000 take half a minute.
    What is too large or holds black boxes is answered with None and the reason, never with a part of the truth.
    Raises KeyError for a module that the circuit does not have, ValueError for a text without modules.
    """
    if isinstance(circuit, str):
        circuit = read_hw_ir(circuit)
    name = module or circuit.top
    try:
        flat = flatten(circuit, name, most=most)
    except TooLargeError as error:
        return ChiselQor(name, reasons=(str(error),))
    found = registers(flat)
    latency = latency_of(flat, found)
    if flat.unknown:
        return ChiselQor(name, reasons=tuple(f"{what} is not known" for what in flat.unknown))
    if recode_machines(flat):
        found = registers(flat)
    return _answer(name, flat, latency, area_of(flat, found))


def _answer(name: str, flat: Flat, latency: Latency, area: Area) -> ChiselQor:
    lines: dict[str, Counter[str]] = {}
    instances: dict[str, Counter[str]] = {}
    for (owner, place), amounts in area.shares.items():
        line = f"{place[0]}:{place[1]}" if place[0] else ""
        lines.setdefault(line, Counter()).update(amounts)
        instances.setdefault(flat.owners[owner][0], Counter()).update(amounts)
    counted: dict[str, Any] = {amount: getattr(area, amount) for amount in AMOUNTS}
    return ChiselQor(
        name,
        **counted,
        depth=area.depth,
        latency_cycles=latency.latency_cycles,
        lower_bound=latency.feedback,
        pairs=latency.pairs,
        lines=_shares(lines),
        instances=_shares(instances),
        intervals=intervals_of(counted, shipped_bands()),
    )


def _shares(found: Mapping[str, Counter[str]]) -> tuple[Share, ...]:
    ranked = sorted(found.items(), key=lambda item: (-item[1]["lut"], -item[1]["ff"], item[0]))
    return tuple(Share(name, dict(amounts)) for name, amounts in ranked)


class CircuitFigures:
    """Figures of the modules of one HW IR text, read and counted when they are asked for. Safe for several threads."""

    def __init__(self, hw_ir: str, *, lacking: str = "") -> None:
        self._text = hw_ir
        self._lacking = lacking  # why there is no text of a circuit that was lowered
        self._circuit: Circuit | None = None
        self._known: dict[tuple[str, int], ChiselQor | None] = {}
        self._lock = threading.Lock()

    def of(self, module: str, most: int = MAX_OPERATIONS) -> ChiselQor | None:
        """Figures of one module of up to `most` operations; None where the text does not have it."""
        with self._lock:
            if (module, most) not in self._known:
                self._known[module, most] = self._count(module, most)
            return self._known[module, most]

    def _count(self, module: str, most: int) -> ChiselQor | None:
        if not self._text and self._circuit is None:
            return ChiselQor(module, reasons=(self._lacking,)) if self._lacking else None
        try:
            if self._circuit is None:
                self._circuit, self._text = read_hw_ir(self._text), ""
            return predict_chisel_qor(self._circuit, module, most=most) if module in self._circuit.modules else None
        except Exception as error:
            return ChiselQor(module, reasons=(f"hwml failed to count this circuit: {type(error).__name__}: {error}",))
