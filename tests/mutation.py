"""Does a test notice? Small faults are put into the closed form, the reading and the correction, one at a time.

    python tests/mutation.py [--mutants 120] [--seed 1] [--jobs 2] [--package closed_form]... [--match area]

A fault (mutant) is a constant off by a little, a comparison or operator exchanged, a rule dropped, a loop left early.
Each is tried against the tests that run its line (a measured map, quickest test first) in a forked child that
imports the mutated source in place of the module; nothing is written to the tree. Printed are the diff of every
survivor and the share killed; the exit status is 1 below `--bar` percent. The sample depends on the seed and on the
text of the code, not on the names of files, so that moving a module leaves it alone.

Equivalent mutants (those that change nothing anybody could see) stand in mutation_equivalents.toml, each with its
reason, named by the text of the statement.

Why no library: mutmut (3.8, BSD-3, well kept) mutates the bodies of undecorated functions only, and half of the rules
here are tables at module level or stand in cached functions and properties; it copies the tree and its map of tests
is by function. cosmic-ray (8.7, MIT) rewrites files on disk and has one test command for a whole session, so that each
mutant pays the start of an interpreter and the whole suite. mutatest (3.1, MIT) was last released for Python 3.8 and
asks for coverage < 6. `coverage` is used for the map of tests.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.mutant_trials import measure, run, warm
from tests.mutants import PACKAGES, ROOT, equivalents, mutants

_MISSING = "no test runs it"


def main(argv: Sequence[str] | None = None) -> int:
    """Print what survives; 1 when too much does."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--mutants", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--package", action="append", choices=PACKAGES, help="only this folder of qor/ (repeatable)")
    parser.add_argument("--match", default="", help="only modules whose path holds this text")
    parser.add_argument("--bar", type=float, default=85.0, help="percent that have to be killed")
    parser.add_argument("--verbose", action="store_true", help="also say what killed the others")
    args = parser.parse_args(argv)
    os.chdir(ROOT)
    warm()
    everything = mutants(args.package or PACKAGES, args.match)
    same = equivalents()
    real = [mutant for mutant in everything if mutant.key() not in same]
    for statement, change in sorted(set(same) - {mutant.key() for mutant in mutants(PACKAGES)}):
        print(f"listed as equivalent, but there is no such fault any more: in `{statement}`: {change}")
    chosen = random.Random(args.seed).sample(real, min(args.mutants, len(real)))
    known = measure()
    print(f"{len(everything)} mutants, {len(everything) - len(real)} of them equivalent; {len(chosen)} tried with "
          f"{len(known.tests)} tests ({sum(known.tests.values()):.0f} s)", flush=True)  # fmt: skip
    killed = 0
    for mutant, by in run(chosen, known, args.jobs):
        killed += bool(by)
        if not by:
            reason = "" if known.nearest(mutant) else f" ({_MISSING})"
            print(f"survived{reason}: in `{mutant.statement}`: {mutant.change}\n{mutant.diff()}\n", flush=True)
        elif args.verbose:
            print(f"killed by {by}: {mutant.path.name}:{mutant.lines.start}: {mutant.change}", flush=True)
    share = 100 * killed / max(len(chosen), 1)
    print(f"{killed} of {len(chosen)} killed: {share:.1f} %")
    return 0 if share >= args.bar else 1


if __name__ == "__main__":
    raise SystemExit(main())
