"""Fail when a design is over budget: for scripts and CI.

hwml budget fir.cpp --max-lut 20k --max-latency 1e6

Exit code 1, with the interval, when even the lower end of the 80 % interval is over a limit (--strict: when the
estimate is, or when a limited figure is not known). Without limits on the command line those of hwml.toml count.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from hwml_sdk.config import LimitSettings, Settings, load_settings
from hwml_sdk.document import provider_of
from hwml_sdk.errors import ConfigError, HwmlError
from hwml_sdk.files import read_source
from hwml_sdk.printable import json_text, printable, tell
from hwml_sdk.report import SCHEMA_VERSION

from . import limits as budgets
from .command import TRUST_HELP, kept_apart, worst
from .designs import predict

_VERDICTS = {"ok": "ok  ", "near": "near", "unknown": "?   ", "over": "OVER"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml budget`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="one source for each design")
    budgets.add_arguments(parser)
    parser.add_argument("--top", help="the kernel's function (default: the likely one)")
    parser.add_argument("--part", help="FPGA part or board, e.g. xczu9eg-ffvb1156-2-i or u280")
    parser.add_argument("--clock", help="clock: 3.33, 3.33ns or 300MHz")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Predict each design and hold it against its limits."""
    rows: list[dict[str, Any]] = []
    codes = []
    for name in arguments.files:
        try:
            with kept_apart(name):
                row = _row(name, arguments)
        except HwmlError as error:
            tell(error)
            codes.append(error.exit_code)
            continue
        rows.append(row)
        codes.append(0 if row["ok"] else 1)
        if not arguments.json:
            print("\n".join(map(printable, _lines(row))))
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, "designs": rows}))
    return worst(codes)


def _row(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    path = Path(name)
    text = read_source(path)
    settings = _settings(path, arguments)
    limits = settings.limits
    if not any(budgets.given_limits(limits)):
        raise ConfigError("no limit is set; pass --max-lut and the like, or write [limits] in hwml.toml", path=path)
    design = predict(path, text, settings)
    verdicts = budgets.judge(design.figures, limits, strict=arguments.strict)
    return {
        "path": name,
        "top": design.top,
        "ok": not any(verdict.failed for verdict in verdicts),
        "figures": [_figure(verdict) for verdict in verdicts],
    }


def _figure(verdict: budgets.Verdict) -> dict[str, Any]:
    found = verdict.figure
    return {
        "name": found.name,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "limit": verdict.limit,
        "state": verdict.state,
        "ok": not verdict.failed,
        "text": verdict.text,
    }


def _lines(row: dict[str, Any]) -> list[str]:
    unknown = any(item["state"] == "unknown" for item in row["figures"])
    # What nobody can say is neither: strict or not, it does not pass for a design that fits.
    broken = any(item["state"] not in ("ok", "unknown") and not item["ok"] for item in row["figures"])
    verdict = "over budget" if broken else "cannot say" if unknown else "within budget"
    return [
        f"{row['path']}: {row['top']}: {verdict}",
        *(f"  {_VERDICTS[item['state']]}  {item['text']}" for item in row["figures"]),
    ]


def _settings(path: Path, arguments: argparse.Namespace) -> Settings:
    given = {name: value for name in ("top", "part", "clock") if (value := getattr(arguments, name))}
    settings = provider_of(path).with_options(load_settings(path, trusted=arguments.trust or None), given)
    chosen = {name: value for name in budgets.LIMITS if (value := getattr(arguments, name)) is not None}
    limits: LimitSettings = replace(settings.limits, **chosen)
    return replace(settings, limits=limits)
