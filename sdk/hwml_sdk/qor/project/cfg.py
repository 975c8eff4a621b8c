"""`hls_config.cfg`, as Vitis HLS 2023.2 and later write it (UG1399, "HLS Config File Commands")."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigError
from ..tool.parts import find_part
from .directives import FLAGS, add_directive
from .places import Places
from .types import HlsProject, Place, read_text, skip
from .values import add_flags, period, split_words

# Keys and beginnings of keys that say nothing about what is predicted.
_PLAIN_KEYS = {
    "freqhz", "clock_uncertainty", "debug", "save-temps", "temp_dir", "report_dir",
    "work_dir", "log_dir", "messageDb", "advanced", "kernel", "hw_device", "package.output.format",
}  # fmt: skip
_PREFIXES = ("syn.", "tb.", "csim.", "cosim.", "package.", "vivado.", "impl.", "flow.", "v++.", "advanced.", "op.")

_KEYS = (
    "part", "platform", "clock", "kernel_frequency", "syn.top", "syn.file", "syn.cflags", "syn.file_cflags", "tb.file",
    "flow_target",
    *sorted(_PLAIN_KEYS),
)  # fmt: skip


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
    project.skipped += places.left_out(Path(path))
    return project


def examine_config(path: str | Path, text: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """(line from 0, what is wrong, keys that there are where it is the key) of every line that cannot be used."""
    found: list[tuple[int, str, tuple[str, ...]]] = []
    places = Places.of(Path(path))
    for number, raw in enumerate(text.split("\n")):
        line = raw.strip()
        if not line or line[0] in "#;" or (line[0] == "[" and line[-1] == "]"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        project = HlsProject(Path(path))
        if not equals:
            found.append((number, "no `key=value`: the line says nothing", ()))
            continue
        try:
            _config_line(project, key, value, places, Place(str(path), number + 1, raw))
        except ConfigError as error:
            found.append((number, str(error).removeprefix(f"{error.path}:{error.line}: "), ()))
        found += [(number, item.reason, _KEYS if "unknown key" in item.reason else ()) for item in project.skipped]
        found += [
            (number, f"{value}: there is no such file", ())
            for file in (*project.files, *project.benches)
            if not file.exists()
        ]
    return found


def add_config(project: HlsProject, config: HlsProject) -> None:
    """Put what a configuration states into a project that names it, unless the project says otherwise itself."""
    project.top = project.top or config.top
    project.part = project.part or config.part
    project.clock_period_ns = project.clock_period_ns or config.clock_period_ns
    project.files += config.files
    project.benches += config.benches
    project.include_dirs += config.include_dirs
    project.defines.update(config.defines)
    project.config.update(config.config)
    project.directives += config.directives
    project.skipped += config.skipped
    project.read_from += [config.path, *config.read_from]


def _config_line(project: HlsProject, key: str, value: str, places: Places, place: Place) -> None:
    if key in ("part", "platform"):
        _config_part(project, key, value, place)
    elif key == "kernel_frequency":
        project.clock_period_ns = period(f"{value}MHz", place)
    elif key == "clock":
        project.clock_period_ns = period(value, place)
    elif key == "freqhz":
        project.clock_period_ns = period(f"{value.partition(':')[0]}hz", place)
    elif key == "flow_target":
        project.config[key] = value
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


def _config_part(project: HlsProject, key: str, value: str, place: Place) -> None:
    if key == "part":
        project.part = value
    elif not project.part:
        try:
            find_part(value)
        except ConfigError:
            skip(project, place, f"platform {value} is not known")
        else:
            project.part = value


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
