"""Label lowered Chisel circuits with yosys, calibrate the intervals of their figures, and judge the counting.

    python -m sdk.train chisel-qor --out DIR                      draw circuits, label, calibrate, judge by families
    python -m sdk.train chisel-qor --out DIR --artifact FOLDER    the same, and write the artefact that ships
    python -m sdk.train chisel-qor --out DIR --with PATH...       the same, circuits of files of Scala among them
    python -m sdk.train chisel-qor --out DIR --judge PATH...      judge the counting on your own files of Scala

DIR keeps circuits and labels: an interrupted run goes on in it, and no circuit is labelled twice.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...artifact import write
from ...chisel.data_engine.families import FAMILIES
from ...chisel.qor.intervals import KIND, Bands, bands_config, shipped_bands
from ...chisel.qor.predict import AMOUNTS
from ...errors import HwmlError
from ...files import check_folder
from ...printable import json_text
from .calibrate import fit_bands, try_residual
from .card import card, table
from .circuits import Row, collect, draw, read_rows
from .judge import Example, examples_of, figures, inside, linear_figures
from .labels import label, read_labels, yosys_version
from .netlist_latency import latency_figures

_LEAST_SAMPLES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the recipe."""
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="folder for circuits and labels; a run goes on in it"
    )
    parser.add_argument("--samples", type=int, default=400, help="circuits to draw")
    parser.add_argument(
        "--seed", type=int, default=7, help="of the draw; the samples to train language models on use 0"
    )
    parser.add_argument("--artifact", default="", metavar="FOLDER", help="write the artefact of intervals there")
    parser.add_argument(
        "--with", nargs="+", default=[], metavar="PATH", dest="also", help="Scala to learn from too; its code may run"
    )
    parser.add_argument(
        "--judge", nargs="+", default=[], metavar="PATH", help="files or folders of Scala whose code may run"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="also list the N circuits that are most off")
    parser.add_argument("--quiet", action="store_true")


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m sdk.train chisel-qor ...`."""
    parser = argparse.ArgumentParser(
        prog="python -m sdk.train chisel-qor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    options = parser.parse_args(argv)
    if options.samples < _LEAST_SAMPLES:
        raise HwmlError(f"--samples is at least {_LEAST_SAMPLES}: intervals are shares of circuits")
    if options.judge and (options.artifact or options.also):
        raise HwmlError("--judge judges what ships, --artifact and --with make it: one at a time")
    say: Callable[[str], None] = (lambda _: None) if options.quiet else _to_stderr
    found = _judged(options, say) if options.judge else _trained(options, say)
    print(json_text(found) if options.json else table(found))
    return 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _trained(options: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Draw, label, calibrate; figures on the families, each judged by intervals of the others."""
    folder, also = Path(options.out), _places(options.also)
    rows = draw(folder / "drawn", options.samples, options.seed, say)
    for place in also:
        rows += _collected(folder, place, "with", say)
    rows = list({row.netlist: row for row in rows}.values())
    examples = examples_of(rows, label(folder, rows, say))
    if len(examples) < _LEAST_SAMPLES:
        raise HwmlError(f"only {len(examples)} circuits could be labelled; at least {_LEAST_SAMPLES} are needed")
    bands = fit_bands(examples)
    residual = try_residual(examples)
    say(
        f"a learned correction {'wins' if residual.wins else 'does not win'} on families left out: {residual.to_json()}"
    )
    found: dict[str, Any] = {
        "figures": _left_out(examples),
        "residual": residual.to_json(),
        **_worst(examples, options),
    }
    if options.artifact:
        _write_artifact(Path(options.artifact), bands, found, options, examples)
    return found


def _left_out(examples: Sequence[Example]) -> dict[str, float]:
    """Figures with each family's coverage by bands fitted on the others."""
    found = figures(examples, {})
    held: dict[str, list[bool]] = {name: [] for name in AMOUNTS}
    for group in sorted({item.row.group for item in examples}):
        out = [item for item in examples if item.row.group == group]
        bands = fit_bands([item for item in examples if item.row.group != group])
        for name in AMOUNTS:
            held[name] += inside(out, bands, name)
    return found | {f"{name}_coverage": sum(seen) / len(seen) for name, seen in held.items() if seen}


def _judged(options: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """The counting, with the intervals that ship, on the user's own files: over all places, and for each of them."""
    folder, places = Path(options.out), _places(options.judge)
    drawn = _drawn(folder)
    by_place: dict[str, dict[str, float]] = {}
    once: dict[str, Example] = {}
    left_out: set[str] = set()
    common = Path(os.path.commonpath([place.parent for place in places]))
    for place in places:
        rows = _collected(folder, place, "judged", say)
        examples = examples_of(rows, label(folder, rows, say))
        missing = {row.netlist for row in rows} - {item.row.netlist for item in examples}
        if examples:
            by_place[place.relative_to(common).as_posix()] = _figures_of(examples, drawn, len(missing), say)
        once |= {item.row.netlist: item for item in examples if item.row.netlist not in once}
        left_out |= missing
    if not once:
        raise HwmlError("no circuit of these files was lowered and labelled")
    examples = list(once.values())
    found: dict[str, Any] = {"figures": _figures_of(examples, drawn, len(left_out), say)}
    if len(by_place) > 1:
        found["places"] = by_place
    return {**found, **_worst(examples, options)}


def _places(names: Sequence[str]) -> list[Path]:
    places = [Path(name).resolve() for name in names]
    for place in places:
        if not place.exists():
            raise HwmlError(f"{place}: no such file or folder")
    return places


def _collected(folder: Path, place: Path, use: str, say: Callable[[str], None]) -> list[Row]:
    name = hashlib.sha256(str(place).encode()).hexdigest()[:12]
    return collect(folder / f"{use}-{name}", [place], say)


def _figures_of(
    examples: Sequence[Example], drawn: Sequence[Example], missing: int, say: Callable[[str], None]
) -> dict[str, float]:
    found = figures(examples, shipped_bands())
    found["not_counted"] = float(missing)
    found |= latency_figures([item.row for item in examples], [item.qor for item in examples], say)
    return found | (linear_figures(drawn, examples) if drawn else {})


def _drawn(folder: Path) -> list[Example]:
    """Labelled circuits that an earlier run drew; none where there was none."""
    rows = read_rows(folder / "drawn")
    return examples_of(rows, read_labels(folder, yosys_version())) if rows else []


def _worst(examples: Sequence[Example], options: argparse.Namespace) -> dict[str, Any]:
    """The circuits whose LUT count is most off, for those who mend the counting."""
    ranked = sorted(examples, key=lambda item: -abs(item.counted["lut"] - item.measured["lut"]))
    rows = [
        {"key": item.row.key, "counted": dict(item.counted), "measured": dict(item.measured)}
        for item in ranked[: options.worst]
    ]
    return {"worst": rows} if rows else {}


def _write_artifact(
    place: Path, bands: Bands, found: Mapping[str, Any], options: argparse.Namespace, examples: Sequence[Example]
) -> None:
    check_folder(place)
    figures_found = {name: round(value, 4) for name, value in found["figures"].items()}
    metrics = {"figures": figures_found, "residual": found["residual"]}
    provenance = {
        "data": _said(examples, options.also),
        "labels": f"{yosys_version()}, synth_xilinx -family xc7",
        "seed": options.seed,
        "arguments": _arguments(options),
    }
    write(
        place,
        kind=KIND,
        files={"README.md": card(metrics, provenance).encode()},
        config=bands_config(bands),
        metrics=metrics,
        provenance=provenance,
    )


def _arguments(options: argparse.Namespace) -> str:
    """What the run was asked for, as it is written on a command line."""
    also = f" --with {' '.join(Path(name).as_posix() for name in options.also)}" if options.also else ""
    return f"--samples {options.samples} --seed {options.seed}{also}"


def _said(examples: Sequence[Example], also: Sequence[str]) -> str:
    """What the bands were fitted on."""
    groups = {item.row.group for item in examples}
    families = len(groups & set(FAMILIES))
    drawn = sum(item.row.group in FAMILIES for item in examples)
    text = f"{drawn} circuits of the data engine's {families} families"
    names = " and ".join(Path(name).as_posix() for name in also)
    return f"{text} and {len(examples) - drawn} of {names}" if also else text


if __name__ == "__main__":
    raise SystemExit(main())
