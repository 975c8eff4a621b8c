"""Every way to start hwml stands in a folder full of modules named after those it imports, and imports none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tests.lsp.lsp_client import Client, environment

from hwml_sdk.executor import Executor

ROOT = Path(__file__).resolve().parents[1]
DESIGN = "void f(int a[8]) {\n#pragma HLS TOP\n  for (int i = 0; i < 8; i++) a[i] += 1;\n}\n"
SCRIPTS = Path(sys.executable).parent
OWN = ("hwml_sdk", "hwml_lsp", "hwml_hooks", "hwml_exports")


def _names() -> list[str]:
    """All that could be imported: the standard library, what is installed here, and hwml itself."""
    found = {*sys.stdlib_module_names, *packages_distributions(), *OWN, "sitecustomize", "usercustomize"}
    return sorted(name for name in found if name.isidentifier())


@pytest.fixture
def decoys(tmp_path: Path) -> Iterator[Path]:
    """The folder; the test fails when one of its modules was run."""
    folder, trace = tmp_path / "workspace", tmp_path / "ran"
    folder.mkdir()
    names = _names()
    assert len(names) > 300
    for name in names:
        text = f"import sys\nwith open({str(trace)!r}, 'a') as stream:\n    stream.write({name!r} + ' ')\n"
        (folder / f"{name}.py").write_text(text)
    (folder / "k.cpp").write_text(DESIGN)
    yield folder
    assert not trace.exists(), f"ran: {trace.read_text()}"


def _environment(folder: Path) -> dict[str, str]:
    made = environment(folder.parent)
    return {name: value for name, value in made.items() if name != "PYTHONSAFEPATH"}


def _run(argv: list[str], folder: Path, expected: int, **more: str) -> str:
    env = _environment(folder) | more
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == expected, done.stderr
    return done.stdout + done.stderr


def _module(folder: Path, *words: str) -> list[str]:
    """`python -m`, as somebody types it who does not know of -P.

    Python itself then finds the package in the current folder, and so what it needs to look for the package: these are
    taken away. Whatever the package imports must come from elsewhere.
    """
    for name in {words[0].partition(".")[0], *_loaded_by_python(folder.parent)}:
        (folder / f"{name}.py").unlink(missing_ok=True)
    return [sys.executable, "-m", *words]


def _loaded_by_python(place: Path) -> set[str]:
    """What Python has imported before the first line of a package that is started with -m."""
    package = place / "probe" / "probed"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("import sys\nprint(*sys.modules)\nraise SystemExit")
    env = {**os.environ, "PYTHONPATH": str(package.parent)}
    argv = [sys.executable, "-P", "-m", "probed"]
    names = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.split()
    assert "json" not in names
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hwml", "qor", "k.cpp"], 0),
        (["hwml", "qor", "lint", "k.cpp"], 0),
        (["hwml", "doctor"], 0),
        (["hwml", "annotate", "--check", "k.cpp"], 1),
        (["hwml", "trust", "--help"], 0),
        (["hwml-annotate", "--check", "k.cpp"], 1),
        (["hwml-check-qor", "k.cpp"], 0),
        (["hwml-check-chisel", "--help"], 0),
        (["hwml-lsp", "--version"], 0),
    ],
)
def test_programs(words: list[str], expected: int, decoys: Path) -> None:
    _run([str(SCRIPTS / words[0]), *words[1:]], decoys, expected)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["hwml_sdk.cli", "qor", "k.cpp"], 0),
        (["hwml_hooks.check_qor", "k.cpp"], 0),
        (["hwml_hooks.check_chisel", "--help"], 0),
        (["hwml_hooks.annotate", "--check", "k.cpp"], 1),
        (["hwml_lsp", "--version"], 0),
        (["hwml_sdk.train", "qor", "--help"], 0),
        (["hwml_sdk.train", "cost_model", "--help"], 0),
        (["hwml_sdk.chisel.serve.daemon", "--version", "0.0"], 2),
        (["hwml_sdk.executor_child", "no-such-job", "result"], 1),
    ],
)
def test_modules(words: list[str], expected: int, decoys: Path) -> None:
    _run(_module(decoys, *words), decoys, expected)


def test_the_training_alias_of_a_checkout(decoys: Path) -> None:
    (decoys / "sdk").symlink_to(ROOT / "sdk")
    _run(_module(decoys, "sdk.train", "qor", "--help"), decoys, 0)


@pytest.mark.parametrize("way", ["script", "module", "extension"])
def test_server_and_worker(way: str, decoys: Path) -> None:
    """A whole session in the workspace, with figures from the worker."""
    argv = [str(SCRIPTS / "hwml-lsp")] if way == "script" else [sys.executable, "-P", "-m", "hwml_lsp"]
    if way == "module":
        argv = _module(decoys, "hwml_lsp")
    pipe = subprocess.PIPE
    process = subprocess.Popen(argv, cwd=decoys, env=_environment(decoys), stdin=pipe, stdout=pipe, stderr=pipe)
    client = Client(process)
    try:
        client.initialize(folder=decoys)
        uri = client.open((decoys / "k.cpp").as_uri(), DESIGN)
        client.until(lambda: "LUT" in str(client.lenses(uri)), "lens")
        assert client.end() == 0
    finally:
        process.kill()
        process.wait()


def test_the_watcher(decoys: Path) -> None:
    argv = [str(SCRIPTS / "hwml"), "watch", ".", "--json"]
    process = subprocess.Popen(argv, cwd=decoys, env=_environment(decoys), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert '"k.cpp"' in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def test_what_compilers_call(decoys: Path) -> None:
    """The command inside the snippets for Vitis HLS, sbt and Mill."""
    for kind in ("vitis", "sbt", "mill"):
        text = _run([str(SCRIPTS / "hwml"), "hooks", kind], decoys, 0)
        assert "-P" in text


@pytest.mark.parametrize("path", ["", os.pathsep, ".", f".{os.pathsep}"])
def test_executor_children(path: str, decoys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where PYTHONPATH holds an empty entry, which means the current folder; relative names count from there."""
    monkeypatch.chdir(decoys)
    monkeypatch.setenv("PYTHONPATH", f"{path}{os.pathsep}{ROOT}")
    monkeypatch.setenv("HWML_CACHE_DIR", str(decoys.parent / "cache"))
    items: dict[str, dict[str, object]] = {"a": {"number": 3, "log": "here.txt"}}
    outcomes = list(Executor(workers=1).run("tests.cost_model.items:square", items))
    assert [outcome.value.get("square") for outcome in outcomes] == [9], outcomes
    assert (decoys / "here.txt").is_file()


def test_start_lines_of_the_editors() -> None:
    """Documents and the extension start the console script, or `-m` with -P."""
    places = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "lsp_server" / "vscode" / "src").glob("*.ts")]
    for place in places:
        for line in place.read_text(encoding="utf-8").splitlines():
            if "-m hwml" in line or "'-m', 'hwml" in line:
                assert "-P" in line, f"{place.name}: {line}"
