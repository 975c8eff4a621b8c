"""What a client asked for: `hwml.*` settings with defaults; a wrong value is told once and its default is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from hwml_sdk.config import SECTIONS, Settings, check_setting, merge
from hwml_sdk.errors import ConfigError

When = Literal["auto", "always", "never"]
MAX_DEBOUNCE_MS = 10_000


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Settings of the editor for one document.

    analysis: the sections that `hwml_sdk.config` knows, with checked values. since: what lenses compare with.
    debounce_ms: how long typing must rest before a new analysis. workspace_files: how many files that are not open
    overviews of the workspace look at; 0: none.
    """

    hints: bool = True
    hints_functions: When = "auto"
    hints_loops: bool = True
    lenses: bool = True
    since: Literal["head", "never"] = "head"
    diagnostics: bool = True
    debounce_ms: int = 250
    workspace_files: int = 200
    analysis: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


# Name in the client's settings -> field, and the values it may have (empty: any of the field's type).
_FIELDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "inlayHints.enable": ("hints", ()),
    "inlayHints.functions": ("hints_functions", ("auto", "always", "never")),
    "inlayHints.loops": ("hints_loops", ()),
    "codeLens.enable": ("lenses", ()),
    "codeLens.since": ("since", ("head", "never")),
    "diagnostics.enable": ("diagnostics", ()),
    "debounceMs": ("debounce_ms", ()),
    "workspace.maxFiles": ("workspace_files", ()),
}
# Settings of the extension itself; the server has no use for them.
# `generate` names a model, which the server takes from its command line alone: a workspace can hold settings.
_OTHERS = frozenset(("server", "trace", "generate"))


def read_settings(raw: Any) -> tuple[ClientSettings, tuple[str, ...]]:
    """Settings from what a client sent (nested or dotted), and one message for each value that is not used."""
    if raw is None:
        return ClientSettings(), ()
    if not isinstance(raw, Mapping):
        return ClientSettings(), (f"hwml settings must be an object, not {raw!r}: defaults are used",)
    values: dict[str, Any] = {}
    analysis: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for name, value in _flat(raw):
        section, _, key = name.partition(".")
        if value in (None, "", []) or (section in SECTIONS and value == 0 and not isinstance(value, bool)):
            continue  # clients send a blank for "not set"; it must not cover what hwml.toml says
        if section in SECTIONS:
            problem = _analysis_value(analysis, section, key, value)
        else:
            problem = _own_value(values, name, value)
        if problem:
            problems.append(f"{problem}; the default is used")
    return ClientSettings(analysis=analysis, **values), tuple(problems)


def _flat(raw: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in raw.items():
        full = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{full}.")
        else:
            found.append((full.removeprefix("hwml."), value))
    return found


def _own_value(values: dict[str, Any], name: str, value: Any) -> str:
    known = _FIELDS.get(name)
    if known is None:
        return "" if name.partition(".")[0] in _OTHERS else f"unknown setting hwml.{name}"
    field_name, choices = known
    kind = next(str(f.type) for f in fields(ClientSettings) if f.name == field_name)
    try:
        values[field_name] = check_setting(f"hwml.{name}", value, kind, choices=choices, most=MAX_DEBOUNCE_MS)
    except ConfigError as error:
        return str(error)
    return ""


def _analysis_value(analysis: dict[str, dict[str, Any]], section: str, key: str, value: Any) -> str:
    try:
        merge(Settings(), {section: {key: value}}, origin="editor")
    except ConfigError as error:
        return f"hwml.{error}"
    analysis.setdefault(section, {})[key] = value
    return ""


def known_names() -> tuple[str, ...]:
    """Every setting that the server reads, without the leading `hwml.`."""
    default = Settings()
    sdk = [f"{section}.{f.name}" for section in SECTIONS for f in fields(getattr(default, section))]
    return (*_FIELDS, *sdk)
