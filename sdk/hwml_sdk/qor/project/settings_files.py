"""What is wrong in `hwml.toml` and `hls_config.cfg`, said at the line that says it, with the nearest name as a fix."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ...config import FILE_NAME, PROJECT_FILE, SECTIONS, HlsSettings, Settings, merge
from ...document import Diagnostic, Edit, Fix, Span
from ...errors import ConfigError
from ..closed_form.design import make_target
from ..tool.parts import find_part, nearest_parts
from .cfg import examine_config

WRONG = "HWML002"
_AT = re.compile(r"\(at line (\d+), column (\d+)\)")
_TABLE = re.compile(r"^[ \t]*\[[ \t]*([\w.-]+)[ \t]*\]", re.MULTILINE)
_PAIR = re.compile(r"^[ \t]*([\w.-]+)[ \t]*=[ \t]*(.*?)[ \t]*(?:#.*)?$")


def examine(path: str, text: str) -> tuple[Diagnostic, ...]:
    """Findings of a settings file by its name; none for any other file."""
    name = Path(path).name
    if name == FILE_NAME:
        return tuple(_toml(text))
    return tuple(_config(path, text)) if name == PROJECT_FILE else ()


# -- hwml.toml -----------------------------------------------------------------------------------------------


def _toml(text: str) -> list[Diagnostic]:
    lines = text.split("\n")
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = _AT.search(str(error))
        row = int(found[1]) - 1 if found else len(lines) - 1
        words = _AT.sub("", str(error)).strip()
        return [Diagnostic(WRONG, "error", f"not TOML: {words}", _whole(lines, min(row, len(lines) - 1)))]
    found_here: list[Diagnostic] = []
    for section, content in values.items():
        if section not in SECTIONS or not isinstance(content, Mapping):
            message = f"there is no section {section!r}: there are {', '.join(SECTIONS)}"
            found_here.append(_named(lines, section, message, _near(section, SECTIONS)))
            continue
        for key, value in content.items():
            found_here += _value(lines, section, key, value)
    return sorted(found_here, key=lambda item: item.span)


def _value(lines: list[str], section: str, key: str, value: Any) -> list[Diagnostic]:
    known = [item.name for item in fields(getattr(Settings(), section))]
    if key not in known:
        message = f"there is no setting {section}.{key}: there are {', '.join(known)}"
        return [_named(lines, key, message, _near(key, known), section)]
    try:
        settings = merge(Settings(), {section: {key: value}}, origin=FILE_NAME, workspace=True)
    except ConfigError as error:
        return [Diagnostic(WRONG, "error", str(error), _span(lines, section, key, of_value=True))]
    problem = _target(settings.hls, key) if section == "hls" else ""
    if not problem:
        return []
    span = _span(lines, section, key, of_value=True)
    near = nearest_parts(str(value)) if key == "part" else ()
    return [Diagnostic(WRONG, "error", problem, span, _fixes(span, [f'"{name}"' for name in near]))]


def _target(hls: HlsSettings, key: str) -> str:
    """Why there is no such part, tool, clock or stage; "" where there is."""
    if key not in ("part", "tool", "clock_period_ns", "stage"):
        return ""
    try:
        make_target(hls.part, hls.clock_period_ns, hls.tool, hls.tool_version, stage=hls.stage)
    except ConfigError as error:
        return str(error)
    return ""


def _near(word: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(word, list(known), n=2, cutoff=0.5)


def _named(lines: list[str], word: str, message: str, near: list[str], section: str | None = None) -> Diagnostic:
    span = _span(lines, section, word, of_value=False)
    return Diagnostic(WRONG, "error", message, span, _fixes(span, near))


def _fixes(span: Span, words: Iterable[str]) -> tuple[Fix, ...]:
    return tuple(Fix(f"write {word}", (Edit(span, word),), verified=True) for word in words)


def _span(lines: list[str], section: str | None, word: str, *, of_value: bool) -> Span:
    """Where a section's head (section None), a key or its value stands; line 0 where it is written otherwise."""
    current = ""
    for row, line in enumerate(lines):
        table = _TABLE.match(line)
        if table is not None:
            current = table[1]
            if section is None and current.partition(".")[0] == word:
                return Span(row, table.start(1), row, table.start(1) + len(word))
            continue
        pair = _PAIR.match(line)
        if pair is None:
            continue
        full = f"{current}.{pair[1]}" if current else pair[1]
        if section is None and full == word:
            return Span(row, pair.start(1), row, pair.end(1))
        if section is not None and full == f"{section}.{word}":
            end = pair.end(1)
            return Span(row, pair.start(2), row, pair.end(2)) if of_value else Span(row, end - len(word), row, end)
    return Span.line(0)


def _whole(lines: list[str], row: int) -> Span:
    line = lines[row].rstrip("\r")
    return Span(row, len(line) - len(line.lstrip()), row, max(len(line), 1))


# -- hls_config.cfg ------------------------------------------------------------------------------------------


def _config(path: str, text: str) -> list[Diagnostic]:
    lines = text.split("\n")
    found = []
    for row, message, known in examine_config(path, text):
        pair = _PAIR.match(lines[row])
        key = pair[1] if pair is not None else ""
        if pair is None or known:
            span = Span(row, pair.start(1), row, pair.end(1)) if pair is not None else _whole(lines, row)
            fixes = _fixes(span, _near(key, known))
        else:
            span = Span(row, pair.start(2), row, max(pair.end(2), pair.start(2) + 1))
            fixes = ()
        found.append(Diagnostic(WRONG, "warning", message, span, fixes))
    for row, line in enumerate(lines):
        pair = _PAIR.match(line)
        if pair is not None and pair[1] == "part" and pair[2]:
            try:
                find_part(pair[2])
            except ConfigError as error:
                span = Span(row, pair.start(2), row, pair.end(2))
                found.append(Diagnostic(WRONG, "error", str(error), span, _fixes(span, nearest_parts(pair[2]))))
    return sorted(found, key=lambda item: item.span)
