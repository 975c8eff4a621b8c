"""Tables that no single kernel shows whole: every operator on every type and target, every part, rows of features."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from hwml_sdk.errors import ConfigError
from hwml_sdk.qor.closed_form.design import make_target
from hwml_sdk.qor.learned.features import FEATURE_NAMES, features_of
from hwml_sdk.qor.program.ir import CType
from hwml_sdk.qor.tool.operators import Operator, Target, operator
from hwml_sdk.qor.tool.parts import all_parts, find_part
from hwml_sdk.qor.tool.releases import TOOLS, Behaviour, behaviour_of

from . import COMBINED, HLS, MERLIN, cases, number

HERE = Path(__file__).parent / "tables"
Table = dict[str, str]

FLOAT_KINDS = (
    "add", "mul", "div", "sqrt", "exp", "log", "trig", "cmp", "convert", "select", "logic", "shift", "add@fabric",
    "add@fulldsp", "mul@fabric", "mul@meddsp", "mul@fulldsp", "mul@maxdsp", "div@fabric",
)  # fmt: skip
INTEGER_KINDS = (
    "add", "cmp", "logic", "not", "select", "shift", "mul", "convert", "div", "mod", "sqrt", "exp", "add@dsp",
    "mul@fabric", "mul@dsp", "div@dsp",
)  # fmt: skip
WIDTHS = (1, 4, 5, 6, 8, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27, 32, 34, 35, 48, 49, 64, 97)
CLOCKS = (12.0, 9.95, 9.0, 8.9, 5.0, 4.95, 4.9, 4.0, 3.95, 3.9, 3.33, 3.28, 3.2, 2.0, 1.0)


def operators() -> Table:
    """Kind and type -> what an operator takes on each target; clocks of the cores."""
    found = {}
    targets = [make_target(*chosen[:4], stage=chosen[4]) for chosen in (*HLS.values(), *MERLIN.values())]
    floats = [CType("half", 16), CType("float", 32), CType("double", 64), CType("vector", 128, lanes=4)]
    floats[-1] = CType("vector", 128, lanes=4, element=floats[1])
    for kind in FLOAT_KINDS:
        for type_ in floats:
            found[f"{kind} {type_.kind}"] = "; ".join(_operator(operator(kind, type_, target)) for target in targets)
    for kind in INTEGER_KINDS:
        for width in WIDTHS:
            line = [_operator(operator(kind, CType("int", width), target)) for target in targets[:5]]
            found[f"{kind} int{width}"] = "; ".join(line)
    found |= {f"{kind} fixed24": _operator(operator(kind, CType("fixed", 24), targets[3])) for kind in INTEGER_KINDS}
    for kind in FLOAT_KINDS[:9]:
        for type_ in floats[:3]:
            cycles = [operator(kind, type_, Target("ultrascaleplus", clock)).latency_cycles for clock in CLOCKS]
            found[f"cycles of {kind} {type_.kind}"] = " ".join(map(str, cycles))
    return found


def _operator(op: Operator) -> str:
    numbers = (op.latency_cycles, op.delay_ns, op.lut, op.ff, op.dsp)
    return " ".join(map(number, numbers)) + (" shared" if op.shareable else "")


def parts() -> Table:
    """What every part holds."""
    found = {}
    for name in all_parts():
        part = find_part(name)
        held = [part.lut, part.ff, part.dsp, part.bram_18k, part.uram]
        found[name] = f"{part.device} {part.family} {' '.join(map(str, held))}"
    return found


SPELLINGS = (
    "xczu9eg-ffvb1156-2-i", "XCZU9EG-FFVB1156-2-I", "xczu9eg", "zu9eg", "xczu9", "xczu7ev-ffvc1156-2-e", "xczu3cg",
    "xczu28dr-ffvg1517-2-e", "xczu21dr", "xc7z020clg484-1", "xc7z020-clg484-1", "xc7z020clg400-1", "7z020", "xc7z020i",
    "xc7a100tcsg324-1", "xc7a100t", "xc7a100tl", "xc7k325tffg900-2", "xc7vx690tffg1761-2", "xcku040-ffva1156-2-e",
    "xcvu9p-flga2104-2-i", "xcvu9p-flgb2104-2-i", "xcu200-fsgd2104-2-e", "xcu280-fsvh2892-2L-e", "xcu50-fsvh2104-2-e",
    "xcu55c-fsvh2892-2L-e", "xcvc1902-vsva2197-2MP-e-S", "xck26-sfvc784-2LV-c", "u200", "U280", "u55c", "zcu102",
    "zcu104", "pynq-z2", "zedboard", "kv260", "ultra96", "alveo-u250", "xilinx_u250_gen3x16_xdma_4_1_202210_1",
    "xilinx.com:zcu102:part0:3.4", " xczu9eg ", "xczu9egx", "xczu99", "xc7z02", "xcku", "", "-", "stratix10",
    "xczu9eg-3", "xc7z020clg484-3", "xcvu9p_CIV-flga2577-2-e", "xcvu37p-fsvh2892-2L-e", "xcvh1582", "xcu26",
    "xa7z020-1clg400i", "xq7k325tl", "xazu3eg-sfvc784-1-i", "xqku040", "xqvu9p",
    "xczu99-ffvb1156-2-i", "zcu10",
)  # fmt: skip


def spellings() -> Table:
    """Names as people and tools write them -> the device and speed grade, or what is said about the name."""
    found = {}
    for name in SPELLINGS:
        try:
            part = find_part(name)
            found[name] = f"{part.name} {part.device} {part.family} {part.speed_grade}"
        except ConfigError as error:
            found[name] = str(error)
    return found


def features() -> Table:
    """The features, but those that are 0, of some kernels; every one of them is not 0 somewhere."""
    found = {}
    chosen = [case for case in cases() if case.subject != COMBINED]
    for case in (*chosen[::3], *(case for case in chosen if case.subject == "features")):
        name, estimate = list(case.estimates())[-2 if case.subject != "merlin" else -1]
        row = features_of(estimate).values.tolist()
        pairs = [f"{feature} {number(value)}" for feature, value in zip(FEATURE_NAMES, row, strict=True) if value]
        found[f"{case.subject} {case.name} {name}"] = ", ".join(pairs)
    return found


def releases() -> Table:
    """How every tool behaves, around every release from which something changed."""
    found = {}
    for tool in TOOLS:
        for year in (-1.0, 0.0, 2018.3, 2019.2, 2019.9, 2020.0, 2020.1, 2021.0, 2021.2, 2022.0, 2022.1, 2023.0, 2024.1):
            behaviour = behaviour_of(tool, year)
            values = [(item.name, getattr(behaviour, item.name)) for item in fields(Behaviour)]
            found[f"{tool} {year:g}"] = ", ".join(f"{name} {number(value)}" for name, value in values)
    return found


TABLES: dict[str, Callable[[], Table]] = {
    "operators": operators, "parts": parts, "features": features, "releases": releases, "spellings": spellings,
}  # fmt: skip


def stored_table(name: str) -> Table:
    """What was written."""
    table: Table = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    return table


def write_tables() -> None:
    """Write the tables anew."""
    HERE.mkdir(exist_ok=True)
    for name, make in TABLES.items():
        text = json.dumps(make(), indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")
