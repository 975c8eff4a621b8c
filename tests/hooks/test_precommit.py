"""The hooks as pre-commit runs them: from a path and a tag, offline, in environments of their own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import util
from pathlib import Path

import pytest

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
    assert "scale.cpp:3:6: error QOR103: scale: grows from " in said

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
