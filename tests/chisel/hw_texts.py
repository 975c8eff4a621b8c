"""Circuits in the text form that firtool writes (`--output-hw-mlir`), small enough to be counted by hand."""

from __future__ import annotations

from hwml_sdk.chisel.qor.answer import ChiselQor
from hwml_sdk.chisel.qor.hw_ir import read_hw_ir
from hwml_sdk.chisel.qor.predict import predict_chisel_qor


def module(name: str, ports: str, *body: str, end: str = "") -> str:
    """One module; `end` are the driven outputs as `%a, %b : i8, i8`."""
    lines = [f"  hw.module @{name}({ports}) {{", *(f"    {line}" for line in body), f"    hw.output {end}", "  }"]
    return "\n".join(lines)


def circuit(*modules: str) -> str:
    """The text of a circuit; the last module is the top where none instantiates it."""
    return "\n".join(["module {", *modules, "}"])


def count(text: str, name: str | None = None) -> ChiselQor:
    return predict_chisel_qor(read_hw_ir(text), name)


CLOCKED = "in %clock : !seq.clock, in %reset : i1"
