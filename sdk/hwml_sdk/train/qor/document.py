"""The tables of docs/qor-model.md, written from the figures of `--evaluate --json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...doc_tables import Json, replaced, table_of
from .evaluate import NOT_INSPECTED, is_source
from .report import NOT_BEHIND

NAMES = {"latency_cycles": "latency", "lut": "LUT", "dsp": "DSP", "ff": "FF", "bram_18k": "BRAM"}
MAIN = ("latency_cycles", "lut", "dsp", "ff")
_POOLS = ("pooled designs", "pooled vitis", "pooled all", "mean over sources")


def rewritten(text: str, figures: Json, shipped: Json | None = None, real: Json | None = None) -> str:
    """The document with every table made anew. figures: what `--evaluate --json` printed; shipped: what training the
    model that ships printed; real: what `benchmarks/qor_real.py --json` did. None keeps the tables of it as they are.

    Raises DataError for a table that nobody knows, or figures that lack what a table shows.
    """
    makers: dict[str, tuple[Callable[..., list[str]], tuple[Json | None, ...]]] = {
        **{name: (maker, (figures,)) for name, maker in _TABLES.items()},
        **{name: (maker, (figures, shipped)) for name, maker in _SHIPPED.items()},
        "real": (_real, (real,)),
    }

    return replaced(text, makers)


def _pair(figure: Json, rank: str = "spearman", error: str = "ape") -> str:
    """`Spearman / error in %`, or a dash where nothing was measured."""
    if not figure["n"] or figure[error] is None:
        return "-"
    ranked = "-" if figure[rank] is None else f"{figure[rank]:.3f}"
    return f"{ranked} / {100 * figure[error]:.0f}"


def _most_rows(targets: Json) -> str:
    return f"{max(targets[name]['n'] for name in MAIN):,}"


def _slices(figures: Json) -> Json:
    slices: Json = figures["leave_group_out"]["slices"]
    return slices


def _by_rows(figures: Json) -> list[str]:
    def cell(figure: Json) -> str:
        within = f" ({figure['within']:.2f})" if figure["within"] is not None else ""
        return _pair(figure, "spearman_rows", "ape_rows") + within

    chosen = [(n, t) for n, t in _slices(figures).items() if is_source(n) or n in _POOLS[:3]]
    return table_of(
        ("source", "rows", "latency", "LUT", "DSP", "FF"),
        ((n, _most_rows(t), *(cell(t[target]) for target in MAIN)) for n, t in chosen),
    )


def _by_groups(wanted: Callable[[str], bool]) -> Callable[[Json], list[str]]:
    def table(figures: Json) -> list[str]:
        chosen = [(n, t) for n, t in _slices(figures).items() if wanted(n)]
        return table_of(
            ("source", "rows", "latency", "LUT", "DSP", "FF"),
            ((n, _most_rows(t), *(_pair(t[target]) for target in MAIN)) for n, t in chosen),
        )

    return table


def _controls(figures: Json) -> list[str]:
    others = figures["controls"]
    rows = []
    for name in _POOLS:
        for target in MAIN:
            found = [_slices(figures), *others.values()]
            if name in found[0] and name != "pooled all":
                rows.append((name, NAMES[target], *(_pair(item[name][target]) for item in found)))
    return table_of(("source", "target", "ours", *others), rows)


def _intervals(figures: Json) -> list[str]:
    found = figures["leave_group_out"]
    rows = []
    for target, item in found["intervals"].items():
        worst = f"{item['worst_source']}: {100 * item['worst_coverage']:.0f} %"
        rank = "-" if item["rank"] is None else f"{item['rank']:.2f}"
        rows.append((NAMES[target], f"{100 * item['coverage']:.0f} %", f"x{item['width']:.1f}", rank, worst))
    titles = ("target", "coverage (groups weigh equally)", "median high / low", "width with error", "worst source")
    return table_of(titles, rows)


def _sharpness(key: str) -> Callable[[Json], list[str]]:
    def table(figures: Json) -> list[str]:
        rows = []
        for title, targets in figures[key].items():
            rows.append((title, *(_sharp(targets[name]) for name in MAIN)))
        return table_of(("what is known", "latency", "LUT", "DSP", "FF"), rows)

    return table


def _sharp(item: Json) -> str:
    """Coverage, width and rank of one kind of intervals."""
    if item["coverage"] is None:
        return "-"
    rank = "-" if item["rank"] is None else f"{item['rank']:.2f}"
    return f"{100 * item['coverage']:.0f} % x{item['width']:.2f} {rank}"


def _changes(figures: Json) -> list[str]:
    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.0f} %"

    names = ("coverage", "sure", "sign_right")
    found = figures["changes"]
    rows = [(NAMES[target], *(percent(found[target][name]) for name in names)) for target in MAIN]
    return table_of(("target", "covered", "interval leaves out 0", "sign right there"), rows)


def _sources(figures: Json) -> list[str]:
    by = figures["leave_source_out"]
    rows = []
    for name, targets in by["ours"].items():
        if not (is_source(name) or name == "mean over sources"):
            continue
        for target in MAIN:
            if targets[target]["n"]:
                rows.append((name, NAMES[target], *(_pair(item[name][target]) for item in by.values())))
    return [*table_of(("source", "target", *by), rows), "", _behind(by)]


def _behind(by: Json) -> str:
    """In how many cells of single sources ours is not behind the better of the others: Spearman, and error."""
    first, *others = by.values()
    good = total = 0
    for name in filter(is_source, first):
        for target in MAIN:
            for figure, sign in (("spearman", -1), ("ape", 1)):
                ours = first[name][target][figure]
                known = [sign * o[name][target][figure] for o in others if o[name][target][figure] is not None]
                if ours is not None and known:
                    total += 1
                    good += sign * ours <= min(known) + NOT_BEHIND
    return f"Not behind the better of the others in {good} of {total} cells (Spearman and error of each source)."


def _source_intervals(figures: Json) -> list[str]:
    found = {target: item for target, item in figures["leave_source_out_intervals"].items() if target in MAIN}

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.0f} %"

    names = sorted({name for item in found.values() for name in item["per_source"]})
    rows = [(name, *(percent(item["per_source"].get(name)) for item in found.values())) for name in names]
    rows.append(("all, groups weighing equally", *(percent(item["coverage"]) for item in found.values())))
    rows.append(("median high / low", *(f"x{item['width']:.1f}" for item in found.values())))
    return table_of(("source", *(NAMES[target] for target in found)), rows)


def _hlsyn(figures: Json) -> list[str]:
    lines = []
    for version, scores in figures["hlsyn_zero_shot"].items():
        detail = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        lines.append(f"- HLSyn {version}, rows that fit the device, utilisation and log latency: RMSE {detail}.")
    r = figures["what_if"]
    lines += [
        f"- Choosing among the points of {r['keys']:.0f} unseen kernels: latency of the predicted best over the true"
        f" best {r['best1']:.2f}",
        f"  (best of five {r['best5']:.2f}); at random {r['random1']:.2f} ({r['random5']:.2f}). Share of the Pareto"
        f" hypervolume {r['front']:.2f}, at random {r['random_front']:.2f}.",
    ]
    return lines


def _starting_points(figures: Json) -> list[str]:
    cells = figures["leave_group_out"]["starting_points"]
    ahead = [sum(cell[kind] for cell in cells) for kind in ("ok_rows", "ok_groups")]
    missed = [f"{c['where']} {NAMES.get(c['target'], c['target'])} {c['figure']}" for c in cells if not c["ok_rows"]]
    line = f"Ahead of the starting points in {ahead[0]} of {len(cells)} cells by rows, {ahead[1]} by groups."
    return [line + (f" Behind by rows: {', '.join(missed)}." if missed else "")]


_TABLES: Mapping[str, Callable[[Json], list[str]]] = {
    "by-rows": _by_rows,
    "by-groups": _by_groups(lambda name: is_source(name) or name in _POOLS),
    "not-inspected": _by_groups(lambda name: name.endswith(NOT_INSPECTED)),
    "controls": _controls,
    "intervals": _intervals,
    "sharpness": _sharpness("sharpness"),
    "source-sharpness": _sharpness("source_sharpness"),
    "changes": _changes,
    "sources": _sources,
    "source-intervals": _source_intervals,
    "hlsyn": _hlsyn,
    "starting-points": _starting_points,
}


def _real(real: Json) -> list[str]:
    targets = real["targets"]
    rows = []
    for predictor in ("answer", "closed form"):
        found = [targets[name][predictor] for name in MAIN]
        rows.append((predictor, *(f"{f['spearman']:.2f} / {100 * f['median_error']:.0f} %" for f in found)))
    for title, key in (("designs", "designs"), ("said to be unknown", "unknown")):
        rows.append((title, *(str(targets[name][key]) for name in MAIN)))
    for which in ("stated", "defaults"):
        ends = [targets[name]["intervals"][which] for name in MAIN]
        cells = (f"{100 * end['coverage']:.0f} % x{end['width']:.1f} {end['width_error']:.2f}" for end in ends)
        rows.append((f"intervals, settings {'given' if which == 'stated' else 'by default'}", *cells))
    shares = {what: loops["right"] / max(loops["of"], 1) for what, loops in real["loops"].items()}
    return [
        *table_of(("", *(NAMES[name] for name in MAIN)), rows),
        "",
        f"II is right in {shares['ii']:.0%} of the pipelined loops, the latency of {shares['latency']:.0%} of all loops"
        f" within 30 %. Left out, as their report belongs to another source: {len(real['of_another_source'])}.",
    ]


_COMPARED = ("hgbo-dse csynth", "pooled designs", "pooled vitis")


def _what_ships(_: Json, shipped: Json) -> list[str]:
    rows = [(n, *(_pair(_slices(shipped)[n][t], "spearman_rows", "ape_rows") for t in MAIN)) for n in _COMPARED]
    return table_of(("source", "latency", "LUT", "DSP", "FF"), rows)


def _licences(figures: Json, shipped: Json) -> list[str]:
    rows = []
    for name in _COMPARED:
        for model, found in (("all sources", figures), ("shipped", shipped)):
            cells = [_pair(_slices(found)[name][target], "spearman_rows", "ape_rows") for target in MAIN]
            rows.append((name, model, *cells))
    return table_of(("judged on", "model", "latency", "LUT", "DSP", "FF"), rows)


_SHIPPED: Mapping[str, Callable[[Json, Json], list[str]]] = {"what-ships": _what_ships, "licences": _licences}
