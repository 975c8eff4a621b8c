"""How many faulty Chisel files are reported, and how many are repaired to what was meant.

    python benchmarks/chisel_repairs.py [--version 7.14.0] [--families FILE] [--only NAME] [--list]

Sets: even and odd rows of `--families` (rows with `example_bad` and `example_good`; the rules were written with the
even ones in sight), `mistakes` and `snippets` of tests/data/chisel, `independent` (files of an author who had not seen
the rules), `slips` (their good texts with a mechanical slip drawn by chance: not each one is a fault) and mutants of
the families. `in place`: reported in a changed line or where the compiler itself points. A
repair is right when the repaired text lowers to the same SystemVerilog as the good one; where nobody can know what was
meant, leaving the choice to a person is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "sdk")]

from tests.chisel.repair_cases import (
    MUTATIONS,
    Case,
    family_cases,
    independent,
    judge,
    mistakes,
    mutants,
    snippets,
    summary,
)
from tests.chisel.slips import slips

from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.install import toolchain
from hwml_sdk.chisel.session import Session

FAMILIES = ROOT.parent / "shared" / "data" / "chisel" / "errors.jsonl"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default="7.14.0")
    parser.add_argument("--families", type=Path, default=FAMILIES)
    parser.add_argument("--only", help="one of the sets")
    parser.add_argument("--list", action="store_true", help="name the cases that are not repaired")
    arguments = parser.parse_args(argv)
    session = Session(prepare(toolchain.ensure(arguments.version)))
    print(f"Chisel {arguments.version}, load {os.getloadavg()[0]:.1f}")
    titles = {"reported": 8, "in place": 8, "by itself": 9, "choice": 6, "repaired": 8, "wrong": 5, "p50 ms": 7}
    print(f"{'set':18} {'cases':>5} " + " ".join(f"{title:>{width}}" for title, width in titles.items()))
    try:
        for name, cases in sets(arguments.families, arguments.version).items():
            if arguments.only in (None, name):
                measure(session, name, cases, show=arguments.list)
    finally:
        session.kill()
    return 0


def sets(families: Path, version: str) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    if families.exists():
        found["even"], found["odd"] = family_cases(families)
        for kind in MUTATIONS:
            found[f"mutants: {kind}"] = mutants([*found["even"], *found["odd"]], kind)
    else:
        print(f"{families} is not there: no families")
    foreign = independent(version)
    return {**found, "mistakes": mistakes(), "snippets": snippets(), "independent": foreign, "slips": slips(foreign)}


def measure(session: Session, name: str, cases: list[Case], *, show: bool) -> None:
    judged = [judge(session.check, case) for case in cases]
    alarms = [item.case.name for item in judged if item.alarm]
    count = summary(judged)
    reported = len(judged) - count["not reported"]
    placed = sum(item.in_place for item in judged)
    repaired = sum(item.repaired for item in judged)
    middle = statistics.median(item.repair_ms for item in judged)
    print(
        f"{name:18} {len(judged):5} {reported:8} {placed:8} {count['applied']:9} {count['choice']:6} "
        f"{repaired / len(judged):8.1%} {count['APPLIED WRONG']:5} {middle:7.0f}",
        flush=True,
    )
    if alarms:
        print(f"  false alarms: {', '.join(alarms)}")
    for item in judged:
        if show and item.outcome not in ("applied", "left alone"):
            print(f"  {item.outcome}: {item.case.name} {item.titles}")


if __name__ == "__main__":
    raise SystemExit(main())
