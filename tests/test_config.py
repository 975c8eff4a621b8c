"""Settings: their layers, who may set what, and trust."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwml_sdk.config import (
    DEFAULT_PART,
    FILE_NAME,
    PROJECT_FILE,
    find_upwards,
    is_trusted,
    load_settings,
    set_trust,
    trusted_folders,
    user_cache_dir,
)
from hwml_sdk.errors import ConfigError


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "user"))
    folder = tmp_path / "work"
    (folder / ".git").mkdir(parents=True)
    return folder


def test_defaults_are_shown_as_defaults(workspace: Path) -> None:
    settings = load_settings(workspace / "a.cpp")
    assert settings.hls.part == DEFAULT_PART
    assert settings.origin("hls.part") == "default"
    assert not settings.trusted


def test_layers_in_order(workspace: Path) -> None:
    (workspace / PROJECT_FILE).write_text("part=xcu50\nclock=4\n[hls]\nsyn.top=a\n", encoding="utf-8")
    (workspace / FILE_NAME).write_text("[hls]\nclock_period_ns = 5\ntrip_count = 16\n", encoding="utf-8")
    settings = load_settings(workspace / "a.cpp", editor={"hls": {"top": "b"}})
    assert (settings.hls.part, settings.hls.clock_period_ns, settings.hls.top) == ("xcu50", 5.0, "b")
    assert settings.hls.trip_count == 16
    assert [settings.origin(f"hls.{key}") for key in ("part", "clock_period_ns", "top", "tool")] == [
        PROJECT_FILE, FILE_NAME, "editor", "default",
    ]  # fmt: skip


def test_files_are_found_up_to_the_repository(workspace: Path) -> None:
    inner = workspace / "src" / "deep"
    inner.mkdir(parents=True)
    (workspace / FILE_NAME).write_text('[hls]\npart = "xcu50"\n', encoding="utf-8")
    (workspace.parent / FILE_NAME).write_text('[hls]\npart = "xcu200"\n', encoding="utf-8")
    assert load_settings(inner / "a.cpp").hls.part == "xcu50"
    (workspace / FILE_NAME).unlink()
    # The repository ends the search: a file above it belongs to somebody else.
    assert find_upwards(inner, FILE_NAME) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[hls]\nprat = 'xcu50'\n", r"hwml\.toml: unknown setting 'hls\.prat'; there are part"),
        ("[hsl]\npart = 'xcu50'\n", r"hwml\.toml: unknown section 'hsl'"),
        ("[hls]\npart = 5\n", r"hls\.part must be a string, not 5"),
        ("[hls]\nclock_period_ns = 'fast'\n", r"hls\.clock_period_ns must be a number"),
        ("[hls]\nclock_period_ns = -1\n", "from 0 up"),
        ("[hls]\nclock_period_ns = nan\n", "from 0 up"),
        ("[limits]\nmax_lut = true\n", r"limits\.max_lut must be a number"),
        ("[lint]\nignore = 'HLS101'\n", r"lint\.ignore must be a list of strings"),
        ("hls = 3\n", "hls must be a table"),
        ("[hls\n", "not TOML"),
    ],
)
def test_bad_values_name_file_and_key(workspace: Path, text: str, message: str) -> None:
    (workspace / FILE_NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_settings(workspace)


def test_a_workspace_chooses_no_model(workspace: Path) -> None:
    (workspace / FILE_NAME).write_text('[hls]\nmodel = "/tmp/evil"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be set by a workspace"):
        load_settings(workspace)
    (workspace / FILE_NAME).unlink()
    assert load_settings(workspace, editor={"hls": {"model": "mine"}}).hls.model == "mine"


def test_there_is_no_setting_for_programs_or_trust(workspace: Path) -> None:
    for line in ("trusted = true", "[chisel]\njava = '/tmp/evil'", "[hls]\nendpoint = 'x'", "[llm]\nkey = 'x'"):
        (workspace / FILE_NAME).write_text(f"{line}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=r"unknown|must be a table"):
            load_settings(workspace)


def test_trust_is_the_users(workspace: Path) -> None:
    inner = workspace / "src"
    inner.mkdir()
    assert not is_trusted(inner)
    set_trust(workspace, trusted=True)
    assert is_trusted(inner)
    assert load_settings(inner / "a.cpp").trusted
    assert not is_trusted(workspace.parent)
    set_trust(workspace, trusted=False)
    assert not is_trusted(inner)
    assert trusted_folders() == ()


def test_trust_follows_links(workspace: Path) -> None:
    set_trust(workspace, trusted=True)
    evil = workspace.parent / "evil"
    evil.mkdir()
    (workspace / "link").symlink_to(evil)
    assert not is_trusted(workspace / "link")


@pytest.mark.parametrize("text", ["", "{", '{"a": 1}', "[1, 2]"])
def test_a_broken_list_trusts_nothing(workspace: Path, text: str) -> None:
    (workspace.parent / "user").mkdir()
    (workspace.parent / "user" / "trusted.json").write_text(text, encoding="utf-8")
    assert trusted_folders() == ()


def test_folders_can_be_moved(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HWML_CACHE_DIR", str(workspace))
    assert user_cache_dir() == workspace


@pytest.mark.parametrize("number", ["1" + "0" * 400, "1e999", "-1"])
def test_numbers_beyond_all_floats_are_told(workspace: Path, number: str) -> None:
    """TOML's whole numbers have no end; a float has."""
    (workspace / FILE_NAME).write_text(f"[limits]\nmax_lut = {number}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"hwml\.toml: limits\.max_lut must be a number from 0 up"):
        load_settings(workspace / "a.cpp")
    for text in ("a = 1" + "0" * 5000, "a = " + "[" * 100_000):
        (workspace / FILE_NAME).write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="not TOML"):
            load_settings(workspace / "a.cpp")
