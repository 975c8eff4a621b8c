"""Pragmas and spellings of one release of the tools that another does not take.

Sources: UG1399 ("Migrating from Vivado HLS to Vitis HLS": RESOURCE became BIND_OP and BIND_STORAGE, DATA_PACK became
AGGREGATE, ARRAY_MAP is gone), UG902 2019.2 for what Vivado HLS takes.
"""

from __future__ import annotations

import re

from ...config import DEFAULT_TOOL
from ...document import Edit, Fix
from ..pragmas.table import GONE, NEW
from ..program import ir
from .code import Code
from .context import SPLITS, Context, PragmaText
from .rule import rule

OTHER_RELEASE = Code("HLS131", "warning", "pragma of another release")

_CORE = re.compile(r"(RAM|ROM)_(\w*?)_?(BRAM|LUTRAM|URAM)?$", re.IGNORECASE)


@rule(OTHER_RELEASE)
def other_release(context: Context) -> None:
    """What the tool that the settings name does not know: it ignores the pragma or refuses the source."""
    tool = context.settings.hls.tool if context.settings is not None else DEFAULT_TOOL
    old = tool == "vivado_hls"
    if tool not in ("vivado_hls", "vitis_hls", "vitis_hls+vivado"):
        return
    version = context.settings.hls.tool_version if context.settings is not None else ""
    name = f"Vivado HLS {version}".strip() if old else "Vitis HLS"
    for pragma in context.program.pragmas:
        if pragma.dialect != "HLS" or pragma.owner is None:
            continue
        text = context.text(pragma)
        advice = (NEW if old else GONE).get(pragma.kind)
        if advice is not None:
            fixes = () if old else _modern(pragma, text)
            message = f"{pragma.kind} is no pragma of {name}: {advice}"
            context.report(OTHER_RELEASE, message, pragma.path, text.kind_span(), fixes=fixes)
        elif old and pragma.kind in (*SPLITS, "STREAM") and pragma.options.get("type"):
            style = pragma.options["type"]
            span = text.option_span("type")
            fixes = text.replace(span, style, f"write {style}", safe=True) if pragma.kind in SPLITS else ()
            message = f"{name} takes no type= in {pragma.kind}: it wants the word {style} alone"
            context.report(OTHER_RELEASE, message, pragma.path, span, fixes=fixes)
        elif (option := _other_option(pragma, old)) is not None:
            message = f"{name} takes no {option} in {pragma.kind}"
            context.report(OTHER_RELEASE, message, pragma.path, text.option_span(option.rstrip("=")))


# Options that only Vitis HLS takes; where Vivado HLS wants the word alone.
_NEW_OPTIONS = {
    "PIPELINE": ("style",), "INTERFACE": ("mode", "storage_type"), "DEPENDENCE": ("type", "dependent"),
    "ALLOCATION": ("type",),
}  # fmt: skip


def _other_option(pragma: ir.Pragma, old: bool) -> str | None:
    """An option as the other tool spells it, None when there is none."""
    if old:
        return next((f"{name}=" for name in _NEW_OPTIONS.get(pragma.kind, ()) if pragma.options.get(name)), None)
    bus = pragma.kind == "INTERFACE" and "ap_bus" in (pragma.options.get("mode", "").lower(), *pragma.options)
    return "ap_bus" if bus else None


def _modern(pragma: ir.Pragma, text: PragmaText) -> tuple[Fix, ...]:
    """The same in words of Vitis HLS, where it can be said."""
    variable = pragma.options.get("variable", "")
    if not text.editable or not variable:
        return ()
    if pragma.kind == "DATA_PACK":
        new = f"#pragma HLS AGGREGATE variable={variable}"
    else:
        core = _CORE.fullmatch(pragma.options.get("core", "")) if pragma.kind == "RESOURCE" else None
        if core is None or not core.group(2):
            return ()
        storage = f" impl={core.group(3).lower()}" if core.group(3) else ""
        latency = f" latency={pragma.options['latency']}" if pragma.options.get("latency") else ""
        kind = f"{core.group(1)}_{core.group(2)}".lower()
        new = f"#pragma HLS BIND_STORAGE variable={variable} type={kind}{storage}{latency}"
    return (Fix("write it for Vitis HLS", (Edit(pragma.span, new),), safe=True),)
