"""Sources made to grow without bound, each given to `hwml qor` as a process of its own: processor time and peak memory.

    python benchmarks/bombs.py [--size 3000] [FAMILY ...]

Prints a line for each family of `tests/qor/growth*.py` and exits 1 when one is over a bar, or ends in anything but a
prediction (0) or one line of words (2).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.qor import growth, growth_more

FAMILIES = {**growth.FAMILIES, **growth_more.FAMILIES}
MOST_SECONDS = 1.5  # of processor time, start of the program included
MOST_MB = 250.0
SIZE = 3000
_COMMAND = "import sys; from hwml_sdk.cli import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took. memory_mb: its peak."""

    code: int
    seconds: float
    memory_mb: float
    words: str

    def faults(self) -> list[str]:
        """Which bars it broke."""
        found = []
        if self.seconds > MOST_SECONDS:
            found.append(f"over {MOST_SECONDS} s")
        if self.memory_mb > MOST_MB:
            found.append(f"over {MOST_MB:.0f} MB")
        if self.code not in (0, 2) or "Traceback" in self.words or (self.code == 2 and self.words.count("\n") > 1):
            found.append(f"exit code {self.code}: {self.words[-200:]!r}")
        return found


def run(path: Path) -> Run:
    """`hwml qor --top f path`: the function that grows."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND, "qor", "--top", "f", str(path)],
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        words = errors.read().decode("utf-8", "replace")
    return Run(child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, words)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the families and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="how often what grows is repeated")
    parser.add_argument("families", nargs="*", help="which ones (default: all)")
    options = parser.parse_args(argv)
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        # As pip leaves an installation: every module compiled once, here by a run that does not count.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        path = Path(folder) / "bomb.cpp"
        path.write_text("void f(int a[4]) { a[0] = 1; }\n")
        start = min(run(path).seconds for _ in range(4))
        print(f"start of the program: {start:.2f} s", flush=True)
        for name in options.families or sorted(FAMILIES):
            text = FAMILIES[name](options.size)
            path.write_text(text)
            taken = run(path)
            faults = taken.faults()
            broken += bool(faults)
            size = f"{len(text) / 1000:8.0f} KB"
            print(f"{name:28} {size} {taken.seconds:6.2f} s {taken.memory_mb:6.0f} MB  {'; '.join(faults)}", flush=True)
    print(f"{broken} over a bar ({MOST_SECONDS} s, {MOST_MB:.0f} MB)")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
