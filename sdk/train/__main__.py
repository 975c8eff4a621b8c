"""`python -m sdk.train <recipe>` in a checkout: run hwml_sdk.train from this tree."""

import sys

# The folder that `-m sdk.train` was found in served its purpose: no other module is taken from there.
if not sys.flags.safe_path:
    del sys.path[0]
from pathlib import Path

# This tree, not an installed wheel.
for root in ("sdk", "exports"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / root))
from hwml_sdk.train.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
