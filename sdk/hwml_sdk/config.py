"""Settings: editor > hwml.toml > what the project says (hls_config.cfg) > defaults; and which workspaces are trusted.

`hwml.toml` stands in a workspace and may come from a stranger, so it holds plain values only: it cannot name
executables, models, endpoints or keys. Trust is kept in the user's configuration folder, never in the workspace.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .files import parse_json, read_bytes, real_path, write_atomic
from .languages import language_of, languages
from .ownership import foreign, refuse_foreign
from .plugins import load
from .reach import may_read

FILE_NAME = "hwml.toml"
PROJECT_FILE = "hls_config.cfg"
MAX_TOML_BYTES = 1024 * 1024

# Assumed when nothing says otherwise, and shown in every answer. The clock is Vitis HLS's own default (10 ns).
DEFAULT_PART = "xcu280-fsvh2892-2L-e"
DEFAULT_CLOCK_PERIOD_NS = 10.0
DEFAULT_TOOL = "vitis_hls"
DEFAULT_TOOL_VERSION = "2023.2"
DEFAULT_CHISEL_VERSION = "7.14.0"

# How sure a predicted figure has to be to be shown as it is: `3.1k` while its 80 % interval is within the first factor
# (its ends divided), `~3.1k` up to the second, `~3k?` beyond. Every front end shows figures by these.
ABOUT_FROM = 1.5
ROUGH_FROM = 4.0


@dataclass(frozen=True, slots=True)
class HlsSettings:
    """What HLS predictions assume."""

    part: str = DEFAULT_PART
    clock_period_ns: float = DEFAULT_CLOCK_PERIOD_NS
    tool: str = DEFAULT_TOOL
    tool_version: str = DEFAULT_TOOL_VERSION
    stage: str = "csynth"
    top: str = ""
    trip_count: int = 0  # for loops whose bound nothing tells; 0: say "unknown"
    model: str = "qor"


@dataclass(frozen=True, slots=True)
class ChiselSettings:
    """What Chisel checks assume."""

    version: str = ""  # "": what the build file says, else the newest locked tool chain
    elaborate: str = "trusted"  # or "never"
    diagnostics: str = "auto"  # or "always", "never"


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Budgets that hooks enforce; 0 means no limit. Growth is against the last commit, in percent."""

    max_lut: float = 0
    max_dsp: float = 0
    max_ff: float = 0
    max_latency_cycles: float = 0
    max_bram: float = 0
    max_uram: float = 0
    max_ii: float = 0
    max_growth_percent: float = 0


@dataclass(frozen=True, slots=True)
class LintSettings:
    """Which lint codes are left out."""

    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one document, and `origins`: where each one that is no default came from.

    trusted: whether its code may run; trust_root: the folder this was said of, outside which nothing may run (None
    where the caller vouches for all of it).
    """

    hls: HlsSettings = field(default_factory=HlsSettings)
    chisel: ChiselSettings = field(default_factory=ChiselSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    lint: LintSettings = field(default_factory=LintSettings)
    origins: Mapping[str, str] = field(default_factory=dict)
    trusted: bool = False
    trust_root: Path | None = None

    def may_run(self, path: Path) -> bool:
        """Whether trust covers a file: by its own name, and by where its links lead."""
        return self.trusted and (self.trust_root is None or root_holding(path, (self.trust_root,)) is not None)

    def origin(self, key: str) -> str:
        """Where a setting such as "hls.part" came from: "editor", a file name, or "default"."""
        return self.origins.get(key, "default")


_LARGEST = sys.float_info.max  # whole numbers of TOML and JSON have no end
SECTIONS = ("hls", "chisel", "limits", "lint")
# A workspace must not choose what is loaded or run.
_FORBIDDEN_IN_WORKSPACE = {"hls.model"}


def load_settings(
    path: str | Path | None = None,
    *,
    editor: Mapping[str, Any] | None = None,
    trusted: bool | None = None,
    vouched: Iterable[str | Path] = (),
    project: tuple[Path, Mapping[str, Any]] | None = None,
) -> Settings:
    """Settings for a document at `path` (None: the current folder), layer by layer.

    editor: nested values as an editor sends them, e.g. {"hls": {"part": "xczu9eg"}}.
    trusted: overrides the user's list of trusted folders for this document, as far as the current folder reaches, or
        else the document's own.
    vouched: folders that the user trusts for now, beside those of the list.
    project: a project file and what it states, where the caller knows which one speaks for the document.
    Raises ConfigError naming file and key of the first wrong value.
    """
    folder = _folder_of(path)
    root = trust_root(folder if path is None else Path(path), trusted, vouched)
    settings = Settings(trusted=root is not None, trust_root=root)
    said = [project] if project is not None else _said_by_projects(folder if path is None else Path(path))
    for place, values in said:
        settings = merge(settings, values, origin=place.name, place=place)
    toml = find_upwards(folder, FILE_NAME)
    if toml is not None:
        settings = merge(settings, _read_toml(toml), origin=FILE_NAME, place=toml, workspace=True)
    if editor:
        settings = merge(settings, editor, origin="editor")
    return settings


def _said_by_projects(document: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    """What project files say: of a document those of its language, of a folder all of them."""
    own = language_of(document)
    asked = languages() if document.is_dir() else (own,) if own is not None else ()
    found = [load(language.project)(document) for language in asked if language.project]
    return [item for item in found if item is not None]


def with_model(settings: Settings, model: str, *, origin: str) -> Settings:
    """The settings with another model of figures; origin: who named it."""
    return merge(settings, {"hls": {"model": model}}, origin=origin)


def merge(
    settings: Settings,
    values: Mapping[str, Any],
    *,
    origin: str,
    place: Path | None = None,
    workspace: bool = False,
) -> Settings:
    """Put a layer of nested `values` over `settings`. Raises ConfigError for unknown keys and wrong types."""
    origins = dict(settings.origins)
    for section, content in values.items():
        if section not in SECTIONS:
            raise ConfigError(f"unknown section {section!r}; there are {', '.join(SECTIONS)}", path=place)
        if not isinstance(content, Mapping):
            raise ConfigError(f"{section} must be a table of values", path=place)
        current = getattr(settings, section)
        changes = {}
        for key, value in content.items():
            name = f"{section}.{key}"
            if workspace and name in _FORBIDDEN_IN_WORKSPACE:
                raise ConfigError(f"{name} cannot be set by a workspace; set it in the editor", path=place)
            changes[key] = _checked(current, name, key, value, place)
            origins[name] = origin
        settings = replace(settings, **{section: replace(current, **changes)})
    return replace(settings, origins=origins)


def _checked(current: Any, name: str, key: str, value: Any, place: Path | None) -> Any:
    """`value` in the type of the field, or ConfigError."""
    kinds = {f.name: str(f.type) for f in fields(current)}
    if key not in kinds:
        raise ConfigError(f"unknown setting {name!r}; there are {', '.join(kinds)}", path=place)
    return check_setting(name, value, kinds[key], path=place)


def check_setting(
    name: str,
    value: Any,
    kind: str,
    *,
    choices: Sequence[str] = (),
    most: float = float("inf"),
    path: Path | None = None,
) -> Any:
    """`value` in the type that a setting's annotation names. Raises ConfigError, which says what is allowed.

    kind: "bool", "str", "int", "float" or "tuple[str, ...]"; numbers go from 0 to `most`.
    """

    def wrong(allowed: str) -> ConfigError:
        return ConfigError(f"{name} must be {allowed}, not {value!r}", path=path)

    if choices:
        if value in choices:
            return value
        raise wrong(f"one of {', '.join(choices)}")
    if kind == "bool":
        if isinstance(value, bool):
            return value
        raise wrong("true or false")
    if kind.startswith("tuple"):
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise wrong("a list of strings")
    if kind == "str":
        if isinstance(value, str):
            return value
        raise wrong("a string")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= min(most, _LARGEST):
        raise wrong("a number from 0 up" if most == float("inf") else f"a number from 0 to {most:g}")
    return int(value) if kind == "int" else float(value)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            raise ConfigError("is over 1 MiB; settings are small", path=path)
        return tomllib.loads(read_bytes(path, max_bytes=MAX_TOML_BYTES).decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror or error}", path=path) from error
    except (ValueError, RecursionError) as error:  # of the TOML, of its encoding, of a number with too many digits
        raise ConfigError(f"not TOML: {error}", path=path) from error


def _folder_of(path: str | Path | None) -> Path:
    if path is None:
        return Path.cwd()
    place = Path(path).absolute()
    return place if place.is_dir() else place.parent


def find_upwards(folder: Path, name: str) -> Path | None:
    """The nearest file called `name` in `folder` or above it, up to the repository's root (a `.git`) or the disk's."""
    for place in (folder, *folder.parents):
        if (place / name).is_file() and may_read(place / name):
            return place / name
        if (place / ".git").exists():
            return None
    return None


def user_config_dir() -> Path:
    """The user's configuration folder for hwml; HWML_CONFIG_DIR overrides it."""
    chosen = os.environ.get("HWML_CONFIG_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_config_dir("hwml", appauthor=False))


def user_cache_dir() -> Path:
    """The user's cache folder for hwml; HWML_CACHE_DIR overrides it."""
    chosen = os.environ.get("HWML_CACHE_DIR")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("hwml", appauthor=False))


def trusted_folders() -> tuple[Path, ...]:
    """Folders the user trusts; a broken or missing list trusts nothing, nor does one that others can write."""
    place = user_config_dir() / "trusted.json"
    try:
        names = parse_json(read_bytes(place))
    except (OSError, ValueError):
        return ()
    if not isinstance(names, list) or foreign_list():
        return ()
    return tuple(Path(name) for name in names if isinstance(name, str))


def foreign_list() -> str:
    """Why the list of trusted folders is not believed, "" when it is (or there is none)."""
    place = user_config_dir() / "trusted.json"
    return foreign(place) if place.exists() else ""


def is_trusted(place: str | Path) -> bool:
    """Whether a file or folder lies in a folder that the user trusts."""
    return root_holding(Path(place), trusted_folders()) is not None


def root_holding(place: Path, roots: Iterable[str | Path]) -> Path | None:
    """The outermost of `roots` (links resolved) that holds `place` by its own name and by where its links lead."""
    ends = (real_path(place), real_path(place.absolute().parent) / place.name)
    known = {real_path(root) for root in roots}
    holding = [root for root in known if all(end == root or root in end.parents for end in ends)]
    return min(holding, key=lambda root: len(root.parts), default=None)


def trust_root(place: Path, trusted: bool | None, vouched: Iterable[str | Path] = ()) -> Path | None:
    """The folder around a document in which its code may run, None for none; arguments as of `load_settings`."""
    if trusted is False:
        return None
    if trusted is None:
        return root_holding(place, (*trusted_folders(), *vouched))
    here, end = Path.cwd().resolve(), real_path(place)
    if here != Path.home().resolve() and here != Path(here.anchor) and root_holding(place, (here,)) is not None:
        return here
    return end if end.is_dir() else end.parent


def set_trust(folder: str | Path, trusted: bool) -> None:
    """Add `folder` to the user's list of trusted folders, or take it off.

    Raises HwmlError when it cannot be kept, RefusedError where others can write the list.
    """
    place = real_path(folder)
    listed = user_config_dir() / "trusted.json"
    if listed.exists():
        refuse_foreign(listed, "it says what you trust", "make it and the folders above it yours alone (chmod go-w)")
    names = {str(entry) for entry in trusted_folders() if entry != place}
    if trusted:
        names.add(str(place))
    write_atomic(listed, json.dumps(sorted(names), indent=1) + "\n")
