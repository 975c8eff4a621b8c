"""`hwml hooks sbt` and `mill`: the printed text in a real build, with the real checker."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from hwml_sdk.cli import main as hwml
from hwml_sdk.errors import HwmlError

SBT = "1.12.0"
BUILD = """ThisBuild / scalaVersion := "2.13.16"
lazy val root = (project in file("."))
  .settings(
    libraryDependencies += "org.chipsalliance" %% "chisel" % "7.14.0",
    addCompilerPlugin("org.chipsalliance" % "chisel-plugin" % "7.14.0" cross CrossVersion.full),
    allowUnsafeScalaLibUpgrade := true
  )
"""
GOOD = """import chisel3._

class Keep extends Module {
  val io = IO(new Bundle { val in = Input(UInt(8.W)); val out = Output(UInt(8.W)) })
  io.out := io.in
}
"""
# scalac has nothing to say about an output that nobody drives; elaboration and firtool have.
UNDRIVEN = GOOD.replace("  io.out := io.in\n", "")


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Java of the checker; its tool chain is there, too."""
    if find_spec("hwml_sdk.chisel") is None:
        pytest.skip("this tree has no Chisel checker (hwml_sdk.chisel)")
    toolchain, preparing, java = (
        import_module(f"hwml_sdk.chisel.{name}") for name in ("install.toolchain", "compile.prepare", "install.java")
    )
    try:
        preparing.prepare(toolchain.ensure("7.14.0"))
        found: Path = java.find_java().program
    except HwmlError as error:
        pytest.skip(f"no Chisel tool chain: {error}")
    return found


def launcher() -> Path:
    from jgo.maven import MavenContext

    cache = import_module("hwml_sdk.chisel.install.toolchain").chisel_cache()
    context = MavenContext(repo_cache=cache / "test-downloads", timeout=60)
    try:
        return Path(context.project("org.scala-sbt", "sbt-launch").at_version(SBT).artifact("", "jar").resolve())
    except Exception as error:  # the client raises whatever its HTTP library raises
        pytest.skip(f"sbt-launch {SBT}: {error}")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_real_sbt_build(
    java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = import_module("hwml_sdk.chisel.install.toolchain").chisel_cache() / "sbt"
    folder = tmp_path / "a build"
    (folder / "project").mkdir(parents=True)
    (folder / "build.sbt").write_text(BUILD)
    (folder / "project" / "build.properties").write_text(f"sbt.version={SBT}\n")
    source = folder / "src" / "main" / "scala" / "Keep.scala"
    source.parent.mkdir(parents=True)
    source.write_text(GOOD)
    calls = tmp_path / "calls"
    log = f'echo "$@" >> {shlex.quote(str(calls))}'
    script = f'#!/bin/sh\n{log}\nexec {sys.executable} -P -m hwml_hooks.check_chisel "$@"\n'
    program = tmp_path / "hwml check"
    program.write_text(script)
    program.chmod(0o755)
    assert hwml(["hooks", "sbt", "--command", f"'{program}' --trust"]) == 0
    (folder / "project" / "HwmlCheck.scala").write_text(capsys.readouterr().out)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", f"-Dsbt.boot.directory={home}/boot -Dsbt.global.base={home}/global")
    jar = launcher()

    def sbt(*tasks: str) -> tuple[int, str]:
        argv = [str(java), "-Xmx900m", "-Dsbt.color=false", "-Dsbt.supershell=false", "-jar", str(jar), *tasks]
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=600, check=False, stdin=subprocess.DEVNULL
        )
        return done.returncode, done.stdout + done.stderr

    code, said = sbt("compile", "compile")
    if "hwmlCheck" not in said and "Compiling" not in said and "[success]" not in said:
        pytest.skip(f"sbt {SBT} cannot be run here: {said.strip().splitlines()[-1:]}")
    assert code == 0, said
    assert len(calls.read_text().splitlines()) == 1, "a second compile has nothing to check"
    source.write_text(UNDRIVEN)
    code, said = sbt("compile")
    assert code == 1, said
    assert "hwml found errors in changed Chisel sources" in said
    assert "Keep.scala:" in said
    source.write_text(GOOD)
    code, said = sbt("compile")
    assert code == 0, said
