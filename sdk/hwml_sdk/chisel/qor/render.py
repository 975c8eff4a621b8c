"""What a module costs as a short label beside it, as a line with room, as Markdown and as text for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...amounts import figure, range_of, whole
from ...document import Figures
from .answer import ChiselQor, Share

MAX_LABEL = 25
_PAIRS_SHOWN = 16
_SHARES_SHOWN = 6
_BASIS = "lowered circuit, as yosys maps it to Xilinx series 7; not Vivado's count"
TITLES = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram_18k": "BRAM",
    "lutram": "LUTRAM",
    "srl": "SRL",
}
_ALWAYS = ("lut", "ff", "dsp")


def figures_of(qor: ChiselQor) -> Figures:
    """The same in the terms of every front end."""
    names = ("lut", "dsp", "ff", "bram_18k", "latency_cycles")
    reasons = {name: qor.reasons for name in names if qor.reasons and getattr(qor, name) is None}
    known = {name: getattr(qor, name) for name in names}
    return Figures(**known, intervals={**qor.intervals}, reasons=reasons)


def cycles(qor: ChiselQor) -> str:
    """`4`, `≥4` where outputs depend on state as well, `?` where it is not known."""
    return f"{'≥' if qor.lower_bound else ''}{figure(qor.latency_cycles)}"


def label(qor: ChiselQor) -> str:
    """`312 LUT · 2 DSP · ≥4 cyc`, at most 25 characters; `? (black box Pll)` where nothing is known."""
    if qor.lut is None and qor.reasons:
        text = f"? ({_plain(qor.reasons[0])})"
        return text if len(text) <= MAX_LABEL else f"{text[: MAX_LABEL - 2]}…)"
    lut, ff, dsp = (f"{amount_of(qor, name)} {TITLES[name]}" for name in _ALWAYS)
    last = [f"{cycles(qor)} cyc"] if qor.latency_cycles is not None else []
    middle = [dsp] if qor.dsp else [ff]
    for parts in ([lut, *middle, *last], [lut, *last], [lut]):
        text = " · ".join(parts)
        if len(text) <= MAX_LABEL:
            return text
    return text


def _plain(cause: str) -> str:
    """Brackets would end a mark early."""
    return cause.replace("(", "").replace(")", "")


def amount_of(qor: ChiselQor, name: str) -> str:
    """`312`, `~3.1k` where the interval is wide, `?` where it is not known."""
    return figure(getattr(qor, name), qor.intervals.get(name))


def summary(qor: ChiselQor, file: str) -> str:
    """`312 LUT · 2 DSP · 96 FF · ≥4 cyc · of these 200 LUT at line 41`: all figures, and the line that takes most."""
    if qor.lut is None and qor.reasons:
        return f"? ({_plain(qor.reasons[0])})"
    shown = [f"{amount_of(qor, name)} {TITLES[name]}" for name in ("lut", "dsp", "ff")]
    shown += [f"{amount_of(qor, name)} {TITLES[name]}" for name in ("bram_18k", "lutram", "srl") if getattr(qor, name)]
    if qor.latency_cycles is not None:
        shown.append(f"{cycles(qor)} cyc")
    shown += _most_of_it(qor, file)
    return " · ".join(shown)


def _most_of_it(qor: ChiselQor, file: str) -> list[str]:
    """The line that takes at least half of the tables, where there are several."""
    by_line = [(share.amounts.get("lut", 0), _line_in(share.name, file)) for share in qor.lines]
    lut, line = max(((lut, line) for lut, line in by_line if line), default=(0, 0))
    return [f"of these {lut} LUT at line {line}"] if len(by_line) > 1 and lut and 2 * lut >= (qor.lut or 0) else []


def _line_in(place: str, file: str) -> int:
    """The line of a place in a file, 0 for one elsewhere: locators name files by their last parts."""
    name, _, line = place.rpartition(":")
    same = bool(name) and (file == name or file.endswith(f"/{name}") or name.endswith(f"/{file}"))
    return int(line) if same and line.isdigit() else 0


def detail(qor: ChiselQor, file: str) -> str:
    """Markdown without tables: figures, cycles by pairs of ports, what takes most by line and by instance."""
    lines = [f"**{qor.module}** (predicted: {_BASIS})", "", "```text"]
    lines += [f"{title:<8}{value:>8}{spread}".rstrip() for title, value, spread in rows(qor)]
    lines += ["```", ""]
    lines += [f"> {reason}\n" for reason in qor.reasons]
    if qor.lower_bound:
        lines += [f"Cycles: ≥ {figure(qor.latency_cycles)}, depends on state: a register feeds back to itself.", ""]
    lines += _block("Cycles from input to output:", list(_pairs(qor)))
    lines += _block("By line:", [_share(item, _where(item.name, file)) for item in _largest(qor.lines)])
    if len(qor.instances) > 1:
        lines += _block("By instance:", [_share(item, item.name or "(itself)") for item in _largest(qor.instances)])
    return "\n".join(lines).rstrip()


def rows(qor: ChiselQor) -> list[tuple[str, str, str]]:
    """(title, figure, 80 % interval) of what is worth a line."""
    found = []
    for name, title in TITLES.items():
        if name in _ALWAYS or name == "bram_18k" or getattr(qor, name):
            found.append((title, amount_of(qor, name), spread_of(qor, name)))
    found.append(("depth", f"{figure(qor.depth)}", "   LUT on the longest path" if qor.depth is not None else ""))
    through = "none: no output depends on an input" if qor.latency_cycles is None and qor.depth is not None else ""
    found.append(("cycles", cycles(qor) if not through else "-", f"   {through}" if through else ""))
    return found


def spread_of(qor: ChiselQor, name: str) -> str:
    """The 80 % interval where it is no point."""
    value, interval = getattr(qor, name), qor.intervals.get(name)
    if value is None or interval is None or whole(interval.low) == whole(interval.high):
        return ""
    shown = range_of(interval.low, interval.high)
    low, _, high = shown.rstrip("kMGT").partition("–")
    return f"   80 %: {shown}" if low != high else ""  # ends that are rounded to one


def _pairs(qor: ChiselQor) -> Iterable[str]:
    """The slowest pairs first."""
    ranked = sorted(qor.pairs.items(), key=lambda item: (-item[1], item[0]))
    for (source, sink), amount in ranked[:_PAIRS_SHOWN]:
        yield f"{amount:>4}  {source} → {sink}"
    if len(ranked) > _PAIRS_SHOWN:
        yield f"      and {len(ranked) - _PAIRS_SHOWN} more pairs"


def _largest(shares: tuple[Share, ...]) -> tuple[Share, ...]:
    return tuple(share for share in shares if any(share.amounts.values()))[:_SHARES_SHOWN]


def _where(place: str, file: str) -> str:
    line = _line_in(place, file)
    return f"line {line}" if line else place or "(no line known)"


def _share(share: Share, name: str) -> str:
    return f"{name}: {amounts_text(share.amounts)}"


def amounts_text(amounts: Mapping[str, int]) -> str:
    """`200 LUT, 33 FF`."""
    return ", ".join(f"{amounts[name]} {title}" for name, title in TITLES.items() if amounts.get(name))


def _block(title: str, lines: list[str]) -> list[str]:
    return [title, "", "```text", *lines, "```", ""] if lines else []
