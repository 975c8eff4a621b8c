"""Learn from a workspace's own reports how far predictions are off there: `hwml qor calibrate DIR`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import load_settings
from ..errors import HwmlError, SourceError
from ..files import write_atomic
from ..printable import json_text, printable, tell, tell_some
from ..report import SCHEMA_VERSION
from .tables import at_most, print_table

if TYPE_CHECKING:
    from ..qor.learned.latencies import Latency, Reported
    from ..qor.learned.residual import Residual
    from ..qor.model import OpenDesign, QorModel
    from ..qor.reports.types import CsynthReport

MAX_DESIGNS = 2000  # that are learned from
MAX_READ = 40  # of which loop tables are: each is estimated many times


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the reports of a tree teach. reports: how many there are; notes: what was left out."""

    residual: Residual
    latencies: tuple[Latency, ...]
    reports: int
    notes: list[str]

    @property
    def helps(self) -> bool:
        """Whether any figure gets better."""
        return bool(self.residual.applied or self.latencies)


def calibrate_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of `hwml qor calibrate`."""
    parser.add_argument("folder", metavar="DIR", help="a workspace with reports of its own")
    parser.add_argument("--forget", action="store_true", help="remove what was learned, and stop")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run_calibrate(arguments: argparse.Namespace) -> int:
    """Learn from the reports below DIR how far predictions are off there, and write DIR/hwml-calibration.json.

    Latencies of operators are learned from the reports' loop tables, then what is still off of each figure. Both are
    used only where predicting each report from the others came out better than leaving it alone; where nothing does,
    nothing is written (exit status 3). Stale reports are left out. Sources below DIR use it afterwards.
    """
    from ..errors import RefusedError
    from ..qor.learned.calibration import NAME, calibration_text
    from ..qor.learned.features import FEATURE_VERSION
    from ..qor.model import loaded_model

    root = Path(arguments.folder)
    place = root / NAME
    if arguments.forget:
        place.unlink(missing_ok=True)
        print(f"{printable(place)}: is gone; predictions are as the model gives them")
        return 0
    model = loaded_model(load_settings(root).hls.model)
    found = _learn(root, model)
    for note in found.notes:
        tell(note)
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, **_json(found)}))
    else:
        _print_fits(found.residual)
        _print_latencies(found.latencies)
    if not found.helps:
        place.unlink(missing_ok=True)
        raise RefusedError(f"{found.reports} reports: none of the figures would get better, so nothing is applied")
    text = calibration_text(model.digest, FEATURE_VERSION, found.reports, found.residual, found.latencies)
    write_atomic(place, text)
    if not arguments.json:
        print(f"{found.reports} reports; wrote {printable(place)}")
    return 0


def _learn(root: Path, model: QorModel) -> _Learned:
    import numpy as np

    from ..qor.learned.latencies import learn_latencies
    from ..qor.learned.residual import LEAST, fit
    from ..qor.reports.collect import labels_of

    designs, notes = _designs(root)
    if len(designs) < LEAST:
        tell_some(notes)
        raise SourceError(f"reports that can be learned from: {len(designs)}; at least {LEAST} are needed", path=root)
    step = max(len(designs) // MAX_READ, 1)
    latencies = learn_latencies(_reported(model, *item) for item in designs[::step][:MAX_READ])
    rows = []
    for design, report in designs:
        own = tuple((item.name, item.step) for item in latencies if item.holds_for(design.target))
        known = replace(design, target=replace(design.target, learned=own))
        rows.append(model.residual_row(known, labels_of(report)))
    residual = fit(np.stack([z for z, _ in rows]), np.stack([error for _, error in rows]))
    return _Learned(residual, latencies, len(designs), notes)


def _designs(root: Path) -> tuple[list[tuple[OpenDesign, CsynthReport]], list[str]]:
    """Designs below a folder that can be read, with their reports, as no calibration would have them."""
    from ..qor.model import open_design
    from ..qor.reports.beside import is_stale
    from ..qor.reports.collect import collect

    found = collect(root)
    notes, designs = list(found.skipped), []
    for pair in at_most(MAX_DESIGNS, found.pairs, "reports", root, notes):
        if is_stale(pair.report, pair.source):
            notes.append(f"{pair.report.path}: is older than {pair.source}: left out")
            continue
        try:
            design = open_design(pair.text, path=str(pair.source), inputs=pair.inputs, settings=pair.settings)
            design.top()
        except HwmlError as error:
            notes.append(str(error))
            continue
        designs.append((replace(design, target=replace(design.target, learned=())), pair.report))
    return designs, notes


def _reported(model: QorModel, design: OpenDesign, report: CsynthReport) -> Reported:
    """The report's loops at their places in the source."""
    from ..qor.learned.latencies import Reported, ReportedLoop
    from ..qor.reports.compare import compare

    top = design.top()
    found = compare(model.predict_design(design), report, stale=False, assumed={})
    loops = tuple(
        ReportedLoop(item.path, item.line, item.depth.actual, item.ii.actual)
        for item in found.loops if item.loop is not None
    )  # fmt: skip
    return Reported(design.target, lambda target: replace(design, target=target).estimate(top), loops)


def _json(found: _Learned) -> dict[str, Any]:
    from ..qor.tool.labels import json_key

    targets = {
        json_key(name): {
            "method": fit.method,
            "reports": fit.n,
            "before": round(fit.before, 4),
            "after": round(fit.after, 4),
        }
        for name, fit in found.residual.fits.items()
    }  # fmt: skip
    latencies = [
        {
            "operator": item.name, "family": item.family, "clock_period_ns": item.clock_period_ns, "step": item.step,
            "reports": item.n, "before": round(item.before, 4), "after": round(item.after, 4),
        }
        for item in found.latencies
    ]  # fmt: skip
    return {"reports": found.reports, "targets": targets, "latencies": latencies}


def _print_fits(residual: Residual) -> None:
    """Typical errors of reports that were left out, as factors: exp of the mean |log error|."""
    from ..qor.tool.labels import SHOWN, TITLES

    rows = []
    for name in SHOWN:
        item = residual.fits[name]
        before, after = (_factor(value) if item.n else "" for value in (item.before, item.after))
        said = {"none": "left alone", "ratio": "one factor", "local": "by likeness"}[item.method]
        title = "latency (cycles)" if name == "latency_cycles" else TITLES[name]
        rows.append((title, str(item.n), before, after if item.method != "none" else "", said))
    print_table(("", "reports", "off by now", "left out, corrected", "what is done"), rows)


def _print_latencies(latencies: Sequence[Latency]) -> None:
    """Typical errors of the loops of reports that were left out."""
    rows = [
        (
            f"{item.name} ({item.family}, {item.clock_period_ns:g} ns)", str(item.n), _factor(item.before),
            _factor(item.after), f"{item.step:+d} cycles",
        )
        for item in latencies
    ]  # fmt: skip
    if rows:
        print_table(("operator", "reports", "loops off by now", "left out, corrected", "what is done"), rows)


def _factor(error: float) -> str:
    """A mean |log error| as a factor."""
    import math

    return f"x{math.exp(error):.2f}"
