"""Chisel versions without a lock: resolved by coordinates where trusted, said; the nearest pinned one elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hwml_sdk import cli
from hwml_sdk.chisel.build.project import choose_version
from hwml_sdk.chisel.compile.unpinned import resolve_and_prepare
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.install import toolchain
from hwml_sdk.chisel.session import Session
from hwml_sdk.commands.doctor_chisel import findings
from hwml_sdk.config import Settings
from hwml_sdk.errors import ConfigError, HwmlError, ToolFailedError

from .conftest import check
from .test_check import COUNTER

UNPINNED = "6.6.0"
BUILD = f'libraryDependencies += "org.chipsalliance" %% "chisel" % "{UNPINNED}"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "build.sbt").write_text(BUILD)
    path = tmp_path / "Counter.scala"
    path.write_text(COUNTER)
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "chisel"


def _pretend_installed(cache: Path, version: str) -> None:
    """A folder that looks like a tool chain: enough for what only asks whether there is one."""
    folder = cache / f"chisel-{version}"
    (folder / "jars").mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "firtool").write_text("")
    ready = {"scala": "2.13.14", "jars": [], "firtool": "firtool", "key": "0", "locked": False}
    (folder / toolchain.READY_FILE).write_text(json.dumps(ready))


def test_untrusted_is_checked_with_the_nearest_pinned_one(cache: Path, project: Path) -> None:
    _pretend_installed(cache, UNPINNED)  # not even when somebody else has resolved it here
    choice = choose_version(project, COUNTER, Settings(trusted=False))
    assert (choice.version, choice.asked, choice.origin) == ("6.7.0", UNPINNED, "build.sbt")
    assert UNPINNED in choice.note and "6.7.0" in choice.note and "--trust" not in choice.note


def test_trusted_is_told_how_and_then_gets_it(cache: Path, project: Path) -> None:
    before = choose_version(project, COUNTER, Settings(trusted=True))
    assert before.version == "6.7.0" and f"setup --trust --version {UNPINNED}" in before.note
    _pretend_installed(cache, UNPINNED)
    after = choose_version(project, COUNTER, Settings(trusted=True))
    assert (after.version, after.note) == (UNPINNED, "")
    rows = {name: found for name, _, found, _ in findings()}
    assert "not pinned" in rows[f"chisel {UNPINNED}"]


def test_setup_without_trust_is_refused(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["chisel", "setup", "--version", UNPINNED]) == 3
    assert "--trust" in capsys.readouterr().err
    assert not (cache / f"chisel-{UNPINNED}").exists()


@pytest.mark.parametrize("version", ["", "latest", "../6.6.0", "6.6", "6.6.0/..", "6.6.0:jar", "6.6.0 "])
def test_what_is_no_version(cache: Path, version: str) -> None:
    with pytest.raises(ConfigError, match="is no Chisel version"):
        resolve_and_prepare(version)
    assert not list(cache.glob("chisel-*"))


def test_no_network(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    with pytest.raises(ToolFailedError, match=f"Chisel {UNPINNED}") as caught:
        resolve_and_prepare(UNPINNED)
    assert "\n" not in str(caught.value) and "http" not in str(caught.value)
    assert not list(cache.glob("chisel-*"))


def test_a_version_that_does_not_exist_falls_back(
    programs: Programs, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is checked all the same, and both lines say why not with what the build asks for."""
    (project.parent / "build.sbt").write_text(BUILD.replace(UNPINNED, "6.999.0"))
    assert cli.main(["chisel", "check", "--trust", "--timeout", "120", str(project)]) == 0
    said = capsys.readouterr()
    assert "Chisel 6.999.0 cannot be resolved" in said.err
    assert "asks for Chisel 6.999.0; checked with 7.14.0" in said.out + said.err
    assert toolchain.installed("6.999.0") is None


@pytest.fixture(scope="module")
def unpinned() -> Programs:
    try:
        return resolve_and_prepare(UNPINNED)
    except HwmlError as error:
        pytest.skip(f"tool chain {UNPINNED}: {error}")


@pytest.mark.slow
def test_a_real_version_from_the_repository(unpinned: Programs, project: Path) -> None:
    """Resolved, compiled against, elaborated, lowered; every stage answers and every answer says what it came from."""
    assert not unpinned.chain.locked and unpinned.chain.version == UNPINNED
    names = {jar.name for jar in unpinned.chain.jars}
    assert f"chisel_2.13-{UNPINNED}.jar" in names and f"scala-compiler-{unpinned.chain.scala_version}.jar" in names
    session = Session(unpinned)
    try:
        clean = check(session, COUNTER, outputs=True, timeout_s=120)
        assert clean.ok and clean.version == UNPINNED and "count + 4'h1" in clean.verilog["Counter"]
        assert any("not pinned" in note for note in clean.notes)
        for old, new, stage in (
            ("when(io.en) {", "when io.en {", "parse"),
            ("+ 1.U", "+ 1", "type"),
            ("val count = RegInit(", "val count = Reg(", "elaborate"),
            ("  io.count := count\n", "", "firtool"),
        ):
            result = check(session, COUNTER.replace(old, new, 1), timeout_s=120)
            assert [item.stage for item in result.errors] == [stage]
    finally:
        session.kill()


@pytest.mark.slow
def test_a_real_version_through_the_command_line(
    unpinned: Programs, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["chisel", "check", "--trust", "--json", "--timeout", "120", str(project)]) == 0
    assert f"Chisel {UNPINNED} is not pinned" in capsys.readouterr().out
    assert cli.main(["chisel", "check", "--json", "--timeout", "120", str(project)]) == 0
    assert f"asks for Chisel {UNPINNED}; checked with 6.7.0" in capsys.readouterr().out
