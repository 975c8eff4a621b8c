"""`hls_config.cfg`, as Vitis HLS 2023.2 and later write it (UG1399, "HLS Config File Commands")."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .directives import FLAGS, add_directive
from .places import Places
from .types import HlsProject, Place, read_text, skip
from .values import add_flags, period, split_words

# Keys and beginnings of keys that say nothing about what is predicted.
_PLAIN_KEYS = {
    "platform", "freqhz", "flow_target", "clock_uncertainty", "debug", "save-temps", "temp_dir", "report_dir",
    "work_dir", "log_dir", "messageDb", "advanced", "kernel", "kernel_frequency", "hw_device", "package.output.format",
}  # fmt: skip
_PREFIXES = ("syn.", "tb.", "csim.", "cosim.", "package.", "vivado.", "impl.", "flow.", "v++.", "advanced.", "op.")


def read_hls_config(path: str | Path) -> HlsProject:
    """Read an `hls_config.cfg`. Raises ConfigError, with file and line, for what is stated but cannot be read."""
    project = HlsProject(Path(path))
    places = Places.of(Path(path))
    for number, raw in enumerate(read_text(path).split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;" or (line[0] == "[" and line[-1] == "]"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        place = Place(str(path), number, raw)
        if equals:
            _config_line(project, key, value, places, place)
        else:
            skip(project, place, "no `key=value`")
    for name in places.refused:
        skip(project, Place(str(path), 0, name), f"{name} lies outside the project: not read")
    return project


def stated_settings(path: Path) -> dict[str, Any]:
    """The settings that a project's configuration states, as sections of `hwml.toml`. Raises ConfigError."""
    return {"hls": read_hls_config(path).settings()}


def _config_line(project: HlsProject, key: str, value: str, places: Places, place: Place) -> None:
    if key == "part":
        project.part = value
    elif key == "clock":
        project.clock_period_ns = period(value, place)
    elif key == "freqhz":
        project.clock_period_ns = period(f"{value.partition(':')[0]}hz", place)
    elif key == "syn.top":
        project.top = value
    elif key == "syn.file":
        _add_file(project.files, value, places)
    elif key == "tb.file":
        _add_file(project.benches, value, places)
    elif key in ("syn.cflags", "syn.file_cflags"):
        flags = value.partition(",")[2] if key == "syn.file_cflags" else value
        add_flags(project, flags, places, place)
    elif key.startswith("syn.directive."):
        _config_directive(project, key.removeprefix("syn.directive."), value, place)
    elif key.startswith("syn."):
        project.config[key.removeprefix("syn.")] = value
    elif key not in _PLAIN_KEYS and not key.startswith(_PREFIXES):
        skip(project, place, f"unknown key {key!r}")


def _add_file(files: list[Path], value: str, places: Places) -> None:
    found = places.at(value)
    if found is not None and found not in files:
        files.append(found)


def _config_directive(project: HlsProject, kind: str, value: str, place: Place) -> None:
    options: dict[str, str] = {}
    words: list[str] = []
    for word in split_words(value, place):
        name, equals, content = word.partition("=")
        if equals:
            options[name.lower()] = content
        elif word.lower() in FLAGS and words:
            options[word.lower()] = ""
        else:
            words.append(word)
    add_directive(project, kind, words, options, place)
