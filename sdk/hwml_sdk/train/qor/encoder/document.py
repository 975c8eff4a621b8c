"""The tables of docs/qor-encoder.md, written from what `qor --encoder NAME --evaluate --json` printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ....doc_tables import Json, replaced, table_of
from ....errors import DataError
from ....files import parse_json, read_bytes
from ..document import MAIN, NAMES
from .folds import CLOSED, DEFAULT, DELTA, FUSED, HEAD, SHUFFLED, STRUCTURE, WITH_DEFAULT, WITH_STRUCTURE

_ALONE = (HEAD, SHUFFLED, DELTA, FUSED, STRUCTURE, CLOSED)
_BESIDE = (DEFAULT, WITH_DEFAULT, WITH_STRUCTURE)
_MEAN = "mean over sources"


def rewritten(text: str, figures: Json) -> str:
    """The document with every table made anew. Raises DataError for a table nobody knows, or figures that lack it."""
    makers = {"encoder-data": _data, "encoder-alone": _means(_ALONE), "encoder-beside": _means(_BESIDE),
              "encoder-sources": _sources, "encoder-help": _help}  # fmt: skip
    return replaced(text, {name: (maker, (figures,)) for name, maker in makers.items()})


def beside_lines(path: Path) -> list[str]:
    """What the card of a model says of the same recipe beside the default model. Raises DataError."""
    try:
        figures = parse_json(read_bytes(path))
        table = _means((HEAD, DEFAULT, CLOSED))(figures)
        return [
            "The same recipe beside the default model, five folds by algorithm group over "
            f"{figures['rows']:,} designs of {figures['groups']} groups",
            "(mean over sources; Spearman / median error in %, rank within a kernel in brackets):",
            "",
            *table,
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"is not what --evaluate --json printed ({error})", path=path) from error


def _data(figures: Json) -> list[str]:
    lengths = figures["lengths"]
    return [
        f"{figures['rows']:,} designs of {figures['groups']} algorithm groups; {100 * lengths['cut_share']:.0f} % of "
        f"the texts are over {lengths['max_length']:.0f} tokens and were cut; layers chosen by fold: "
        f"{', '.join(map(str, figures['layers']))}."
    ]


def _cell(figure: Json) -> str:
    if not figure["n"] or figure["ape"] is None:
        return "-"
    rank = "-" if figure["spearman"] is None else f"{figure['spearman']:.2f}"
    within = "" if figure["within"] is None else f" ({figure['within']:.2f})"
    return f"{rank} / {100 * figure['ape']:.0f}{within}"


def _first(figures: Json, name: str) -> Json:
    found: Json = figures["leave_group_out"][name]["0"]
    return found


def _means(names: tuple[str, ...]) -> Callable[[Json], list[str]]:
    def table(figures: Json) -> list[str]:
        rows = ((NAMES[t], *(_cell(_first(figures, name)[_MEAN][t]) for name in names)) for t in MAIN)
        return table_of(("", *names), rows)

    return table


def _sources(figures: Json) -> list[str]:
    slices = _first(figures, HEAD)
    names = dict.fromkeys(item["slice"] for item in figures["help"] if item["slice"] != _MEAN)
    rows = []
    for name in names:
        for target in MAIN:
            if slices[name][target]["n"]:
                cells = (_cell(_first(figures, one)[name][target]) for one in (HEAD, DELTA, FUSED, DEFAULT))
                rows.append((name, NAMES[target], *cells))
    return table_of(("source", "target", HEAD, DELTA, FUSED, DEFAULT), rows)


def _help(figures: Json) -> list[str]:
    vectors = {(item["slice"], item["target"]): item["verdict"] for item in figures["vectors"]}
    found: dict[str, dict[str, str]] = {}
    for item in figures["help"]:
        ranks, errors = item["spearman"], item["ape"]
        said = (
            f"{item['spearman_without']:.3f} / {100 * item['ape_without']:.0f} to {sum(ranks) / len(ranks):.3f} / "
            f"{100 * sum(errors) / len(errors):.0f}: {item['verdict']}; {vectors[item['slice'], item['target']]}"
        )
        found.setdefault(item["slice"], {})[item["target"]] = said
    rows = ((name, *(targets.get(target, "-") for target in MAIN)) for name, targets in found.items())
    return table_of(("source", *(NAMES[target] for target in MAIN)), rows)
