"""The commands that hooks add to `hwml`; pyproject names this table in the entry points `hwml.commands`."""

from __future__ import annotations

from hwml_sdk.plugins import Command

COMMANDS = {
    "annotate": Command(
        "hwml_hooks.annotate", "write predictions as comments above functions and loops, or remove them"
    ),
    "budget": Command("hwml_hooks.budget", "fail when a design is over its budget of LUT, DSP, FF or latency"),
    "hooks": Command("hwml_hooks.compilers", "print what adds hwml to Vitis HLS, sbt or Mill"),
    "watch": Command("hwml_hooks.watch", "predict again on every save in a folder, one line a design"),
}
