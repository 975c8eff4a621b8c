"""`directives.tcl` and the classic scripts of Vivado HLS and Vitis HLS (UG902, UG1399 "Optimization Directives").

Tcl is read as text: `set NAME value` and `$NAME` are understood, `source FILE` is followed, nothing is ever run.
"""

from __future__ import annotations

import re
from pathlib import Path

from .directives import FLAGS, add_directive
from .tcl_words import commands, substitute
from .types import HlsProject, Place, read_text, skip
from .values import add_flags, period

MAX_SOURCE_DEPTH = 4
_FLAG_LISTS = {"cflags", "csimflags"}  # their value starts with a dash of its own
# Commands of a classic script that say nothing about what is predicted.
_SILENT_COMMANDS = {
    "open_project", "open_solution", "close_project", "close_solution", "csim_design", "csynth_design", "cosim_design",
    "export_design", "exit", "quit", "puts", "delete_project", "delete_solution", "open_component", "close_component",
    "set_clock_uncertainty", "help", "file", "cd",
}  # fmt: skip


def read_tcl(path: str | Path) -> HlsProject:
    """Read `directives.tcl` or a classic script as text. Raises ConfigError as `read_hls_config`."""
    project = HlsProject(Path(path))
    _run_tcl(project, Path(path), {}, 0)
    return project


def _run_tcl(project: HlsProject, path: Path, values: dict[str, str], depth: int) -> None:
    for command, place in commands(read_text(path), str(path)):
        words = [substitute(word, values) for word in command]
        name, arguments = words[0], words[1:]
        if name == "set" and len(arguments) == 2 and "$" not in arguments[1] and "[" not in arguments[1]:
            values[arguments[0]] = arguments[1]
        elif name == "source":
            _follow(project, arguments, values, depth, place)
        elif name.startswith("set_directive_"):
            _tcl_directive(project, name.removeprefix("set_directive_"), arguments, place)
        elif any("$" in word or "[" in word for word in words) and name in _STATED:
            skip(project, place, "holds a variable or command that only Tcl could resolve")
        elif name in _STATED:
            _STATED[name](project, arguments, place)
        elif name.startswith("config_"):
            _tcl_config(project, name.removeprefix("config_"), arguments)
        elif name not in _SILENT_COMMANDS:
            skip(project, place, f"unknown command {name!r}")


def _follow(project: HlsProject, arguments: list[str], values: dict[str, str], depth: int, place: Place) -> None:
    target = Path(place.path).parent / (arguments[-1] if arguments else "")
    if depth >= MAX_SOURCE_DEPTH or not arguments or not target.is_file():
        skip(project, place, "the sourced script is not there" if depth < MAX_SOURCE_DEPTH else "sourced too deep")
        return
    _run_tcl(project, target, values, depth + 1)


def _tcl_options(arguments: list[str]) -> tuple[dict[str, str], list[str]]:
    """`-name value` pairs, flags, and the words that are neither."""
    options: dict[str, str] = {}
    words: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if not re.match(r"-[A-Za-z_]", word):
            words.append(word)
            continue
        name, equals, _ = word[1:].lower().partition("=")
        following = arguments[at] if at < len(arguments) else ""
        if equals:
            options[name] = word.partition("=")[2]
        elif name in FLAGS or not following or (name not in _FLAG_LISTS and re.match(r"-[A-Za-z_]", following)):
            options[name] = ""
            if name in FLAGS and following.lower() in ("true", "false"):
                options[name] = following.lower()
                at += 1
        else:
            options[name] = following
            at += 1
    return options, words


def _tcl_directive(project: HlsProject, kind: str, arguments: list[str], place: Place) -> None:
    options, words = _tcl_options(arguments)
    if any("$" in word or "[" in word for word in (*words[:2], *options.values())):
        skip(project, place, "holds a variable or command that only Tcl could resolve")
        return
    add_directive(project, kind, words, options, place)


def _tcl_config(project: HlsProject, section: str, arguments: list[str]) -> None:
    for name, value in _tcl_options(arguments)[0].items():
        project.config[f"{section}.{name}"] = value


def _set_part(project: HlsProject, arguments: list[str], place: Place) -> None:
    _, words = _tcl_options(arguments)
    if words:
        project.part = words[0]


def _set_top(project: HlsProject, arguments: list[str], place: Place) -> None:
    if arguments:
        project.top = arguments[-1]


def _create_clock(project: HlsProject, arguments: list[str], place: Place) -> None:
    stated = _tcl_options(arguments)[0].get("period")
    if stated is not None:
        project.clock_period_ns = period(stated, place)


def _add_files(project: HlsProject, arguments: list[str], place: Place) -> None:
    bench = "-tb" in arguments
    options, words = _tcl_options([argument for argument in arguments if argument != "-tb"])
    folder = project.path.parent
    if bench:
        return
    project.files += [folder / name for word in words for name in word.split()]
    flags = f"{options.get('cflags', '')} {options.get('csimflags', '')}".strip()
    add_flags(project, flags, folder, place)


_STATED = {"set_part": _set_part, "set_top": _set_top, "create_clock": _create_clock, "add_files": _add_files}
