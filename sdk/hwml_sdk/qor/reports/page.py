"""One self-contained page of a project: every design predicted against what the tool reported, worst first."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...amounts import figure, percent
from ..answer.actual import ACTUAL_LOOP_COLUMNS, FIGURE_COLUMNS, Actual, figure_rows, heading, loop_rows, off
from ..answer.render import LOOP_COLUMNS, flat_loops, loop_row
from ..answer.types import QorPrediction

_TARGETS = (("LUT", "lut"), ("DSP", "dsp"), ("FF", "ff"), ("BRAM", "bram_18k"), ("cycles", "latency_cycles"))
MAX_LOOPS = 40  # rows of one design's loops, the longest first: a page stays one that a browser opens at once


@dataclass(frozen=True, slots=True)
class Entry:
    """One design of a project. name: as people know it; actual: None where it was never synthesised."""

    name: str
    prediction: QorPrediction
    actual: Actual | None


def worst(entry: Entry) -> float:
    """How far the worst figure of a design is off, as |log ratio|; -1 without a report."""
    if entry.actual is None:
        return -1.0
    pairs = [pair for name, pair in entry.actual.figures.items() if name in ("lut", "dsp", "ff", "latency_cycles")]
    known = [(p.predicted, p.actual) for p in pairs if p.predicted is not None and p.actual is not None]
    return max((abs(math.log((said + 1) / (real + 1))) for said, real in known), default=-1.0)


def page(title: str, entries: Sequence[Entry], notes: Sequence[str] = ()) -> str:
    """The page as HTML: no network, no storage; sorting by its column heads, everything else plain text."""
    ordered = sorted(entries, key=lambda entry: (-worst(entry), entry.name))
    reported = sum(entry.actual is not None for entry in ordered)
    body = [
        f"<h1>{_text(title)}</h1>",
        f"<p>{len(ordered)} design{'' if len(ordered) == 1 else 's'}, {reported} with a report; the one furthest off "
        "comes first. Figures beside a report are predicted for the report's own part, clock and release.</p>",
        _overview(ordered),
        *(_details(index, entry) for index, entry in enumerate(ordered)),
    ]
    if notes:
        body.append("<h2>Left out</h2><ul>" + "".join(f"<li>{_text(note)}</li>" for note in notes[:200]) + "</ul>")
    return _PAGE.replace("@TITLE@", _text(title)).replace("@BODY@", "\n".join(body))


def _overview(entries: Sequence[Entry]) -> str:
    heads = "".join(f"<th class=num>{_sorter(name)}</th><th class=num>{_sorter('off')}</th>" for name, _ in _TARGETS)
    rows = "".join(_overview_row(index, entry) for index, entry in enumerate(entries))
    return (
        '<div class=wide tabindex=0 role=region aria-label="All designs"><table id=all><thead><tr>'
        f"<th>{_sorter('design')}</th>{heads}<th>{_sorter('report')}</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _sorter(name: str) -> str:
    return f"<button type=button>{name}</button>"


def _overview_row(index: int, entry: Entry) -> str:
    cells = [f'<td data-v="{_text(entry.name)}"><a href="#d{index}">{_text(entry.name)}</a></td>']
    for _, name in _TARGETS:
        pair = None if entry.actual is None else entry.actual.figures.get(name)
        said = getattr(entry.prediction, name) if pair is None else pair.predicted
        shown = figure(said) if pair is None else f"{figure(said)} / {figure(pair.actual)}"
        error = "" if pair is None else off(pair)
        size = -1.0 if pair is None or pair.error is None else abs(pair.error)
        cells.append(f"<td class=num data-v={-1 if said is None else round(said)}>{shown}</td>")
        cells.append(f'<td class="num {_grade(size)}" data-v={size:.4f}>{error}</td>')
    state = "none" if entry.actual is None else "stale" if entry.actual.stale else "current"
    return f"<tr>{''.join(cells)}<td data-v={state}>{state}</td></tr>"


def _grade(error: float) -> str:
    """Words stand beside colours: the sign and size of an error is always written out."""
    return "" if error < 0 else "good" if error <= 0.15 else "fair" if error <= 0.5 else "bad"


def _details(index: int, entry: Entry) -> str:
    prediction, actual = entry.prediction, entry.actual
    parts = [f"<h2 id=d{index}>{_text(entry.name)}</h2>"]
    if prediction.dominant:
        parts.append(f"<p>Most of it: {_text(prediction.dominant)}</p>")
    if actual is None:
        parts.append("<p>No report: not synthesised yet, or its report is not in this tree.</p>")
        rows = [loop_row(depth, loop, prediction.top) for depth, loop in flat_loops(prediction.loops)]
        parts.append(_table(LOOP_COLUMNS, rows[:MAX_LOOPS], "Loops, predicted"))
    else:
        parts.append(f"<p>{_text(heading(actual))}</p>")
        parts.append(_table(FIGURE_COLUMNS, figure_rows(actual), "Figures"))
        shares = {(loop.function, loop.name): loop.share for _, loop in flat_loops(prediction.loops)}
        loops = sorted(
            zip(actual.loops, loop_rows(actual, prediction.top), strict=True),
            key=lambda item: -(item[0].cycles.actual or 0),
        )
        rows = [
            (*cells, percent(share) if (share := shares.get((i.function, i.loop or ""))) else "") for i, cells in loops
        ]
        parts.append(_table((*ACTUAL_LOOP_COLUMNS, "share"), rows[:MAX_LOOPS], "Loops, the longest first"))
        if len(rows) > MAX_LOOPS:
            parts.append(f"<p>{len(rows) - MAX_LOOPS} shorter loops are left out.</p>")
    parts += [f"<p class=note>{_text(warning)}</p>" for warning in prediction.warnings[:5]]
    return "<section>" + "".join(parts) + '<p><a href="#all">All designs</a></p></section>'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], label: str) -> str:
    body = "".join(
        "<tr>"
        + "".join(f"<td{'' if i == 0 else ' class=num'}>{_text(cell)}</td>" for i, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    if not body:
        return ""
    head = "".join(f"<th{'' if i == 0 else ' class=num'}>{_text(name)}</th>" for i, name in enumerate(columns))
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{_text(label)}"><table><caption>{_text(label)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _text(text: str) -> str:
    return html.escape(text, quote=True)


_PAGE = """<!doctype html>
<html lang=en><head><meta charset=utf-8><title>@TITLE@</title>
<meta name=viewport content="width=device-width,initial-scale=1">
<meta http-equiv=Content-Security-Policy
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>
:root{color-scheme:light dark;--line:#8884;--good:#0a7d32;--fair:#8a5a00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--good:#6fd08c;--fair:#e6b450;--bad:#ff8a80}}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:75rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2.2rem;overflow-wrap:anywhere}
p{overflow-wrap:anywhere}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
.num{text-align:right}
th button{font:inherit;font-weight:600;background:none;border:0;padding:.2rem 0;color:inherit;cursor:pointer}
th button::after{content:" \\2195";opacity:.5}
th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
.good{color:var(--good)}.fair{color:var(--fair)}.bad{color:var(--bad);font-weight:600}
.note{opacity:.8}
:focus-visible{outline:2px solid currentColor;outline-offset:2px}
</style></head><body>
@BODY@
<script>
const table=document.getElementById("all"),body=table.tBodies[0];
table.tHead.addEventListener("click",event=>{
  const head=event.target.closest("th");if(!head)return;
  const up=head.getAttribute("aria-sort")==="descending",at=head.cellIndex;
  for(const other of table.tHead.rows[0].cells)other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort",up?"ascending":"descending");
  const value=row=>row.cells[at].dataset.v;
  const rows=[...body.rows].sort((a,b)=>{const x=value(a),y=value(b),n=x-y;
    return (isNaN(n)?x.localeCompare(y):n)*(up?1:-1)});
  body.append(...rows);
});
</script></body></html>
"""
