"""What `pragma HLS dependence` states about an array (UG1399)."""

from __future__ import annotations

from ...program import ir
from .meeting import Meeting
from .region import Region


def stated_meeting(region: Region, array: ir.Variable) -> tuple[Meeting | None, bool]:
    """(when a store of an iteration meets a load of a later one, whether a pragma says anything); None: never."""
    names: set[str] | None = None
    for pragma in region.host.program.dependences():
        options = pragma.options
        # It speaks of reads after writes of different iterations only.
        if "intra" in (options.get("type"), *options) or _is_of_others(options, array):
            continue
        variable = options.get("variable", "").partition("[")[0].strip("&*").replace("this->", "")
        if variable:
            names = names or _names(region, array)
            if variable not in names:
                continue
        if options.get("dependent", "").lower() == "false" or "false" in options:
            return None, True
        distance = pragma.whole("distance")
        if distance is not None and distance > 0:
            return Meeting(float(distance), True), True
    return None, False


def _names(region: Region, array: ir.Variable) -> set[str]:
    """What an array is called here: also the parameters that stand for it in what is walked in place."""
    return {array.name} | {var.name for var, alias in region.aliases.items() if alias.array is array}


def _is_of_others(options: dict[str, str], array: ir.Variable) -> bool:
    """Whether a pragma is about another class of variables or another order of accesses."""
    direction = options.get("direction", "").lower() or next((d for d in ("war", "waw") if d in options), "raw")
    kind = options.get("class", "").lower() or next((k for k in ("array", "pointer") if k in options), "")
    pointer = bool(array.type.pointer) and not array.dims
    return direction != "raw" or (kind == "pointer" and not pointer) or (kind == "array" and pointer)
