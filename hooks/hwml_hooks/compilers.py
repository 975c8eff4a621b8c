"""Print what adds hwml to a compiler's own flow.

hwml hooks vitis > hwml.tcl                      predict before csynth_design, compare after it
hwml hooks sbt > project/HwmlCheck.scala         check changed Chisel sources on compile
hwml hooks mill                                  the same, to paste into build.mill

The Tcl file calls `hwml hooks predict` and `hwml hooks compare`, which serve other scripts as well.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from importlib import resources

from .csynth_flow import compare, predict_script


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml hooks`."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="vitis|sbt|mill|predict|compare")
    for name, what in (("vitis", "a Tcl file"), ("sbt", "an sbt plugin"), ("mill", "a Mill trait")):
        kind = kinds.add_parser(name, help=f"print {what}")
        kind.add_argument(
            "--command",
            metavar="'PROGRAM ARGUMENT...'",
            help="the hwml to call (vitis: the one on PATH, else this one)",
        )
    predict = kinds.add_parser("predict", help="predict what a Tcl script states")
    predict.add_argument("--script", required=True, metavar="FILE", help="set_top, add_files, ... one a line")
    predict.add_argument("--out", metavar="FILE", help="keep the prediction as JSON")
    against = kinds.add_parser("compare", help="print a kept prediction against a csynth report")
    against.add_argument("--prediction", required=True, metavar="FILE", help="what `predict --out` wrote")
    against.add_argument("--report", required=True, metavar="FILE|DIR", help="csynth.xml, or a solution or component")
    against.add_argument("--no-log", action="store_true", help="do not add to hwml_csynth.jsonl")
    against.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print a snippet, or serve one."""
    if arguments.kind == "predict":
        print(predict_script(arguments.script, out=arguments.out))
    elif arguments.kind == "compare":
        print(compare(arguments.prediction, arguments.report, log=not arguments.no_log, as_json=arguments.json))
    else:
        print(snippet(arguments.kind, shlex.split(arguments.command) if arguments.command else None), end="")
    return 0


_FILES = {"vitis": "vitis.tcl", "sbt": "HwmlCheck.scala", "mill": "HwmlCheck.mill"}
_MODULES = {"vitis": "hwml_sdk.cli", "sbt": "hwml_hooks.check_chisel", "mill": "hwml_hooks.check_chisel"}


def snippet(kind: str, command: Sequence[str] | None = None) -> str:
    """The text for "vitis", "sbt" or "mill". command: what to call; default: this Python's own hwml.

    The Tcl file looks for the hwml on PATH first, as it may be taken to another machine.
    """
    # This Python by its full name, deaf to PYTHONPATH (vendors' scripts set it) and to modules in the current folder.
    own = (sys.executable, "-E", "-P", "-m", _MODULES[kind])
    text = resources.files("hwml_hooks").joinpath("snippets", _FILES[kind]).read_text(encoding="utf-8")
    if kind == "vitis":  # it may be taken along to another machine
        return text.replace("@COMMAND@", _tcl_list(command or ())).replace("@WRITER@", _tcl_list(own))
    return text.replace("@COMMAND@", ", ".join(json.dumps(word) for word in command or own))


def _tcl_list(words: Sequence[str]) -> str:
    """A Tcl list of words, each with every special sign behind a backslash (Tcl's rules 7 to 9)."""
    escaped = ["".join(c if c.isalnum() or c in "/_-.:=+" else f"\\{c}" for c in word) for word in words]
    return f"[list {' '.join(escaped)}]"
