"""Files in their projects: build servers that answer, lie, hang or are not there; plain folders."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.waiting import PATIENCE_S

from hwml_sdk.chisel.build import bsp
from hwml_sdk.chisel.build import setup as build
from hwml_sdk.chisel.compile.workers import Programs
from hwml_sdk.chisel.install.java import find_java
from hwml_sdk.chisel.install.toolchain import chisel_cache
from hwml_sdk.chisel.provider import examine
from hwml_sdk.config import Settings
from hwml_sdk.errors import ConfigError

from .repair_cases import DATA

TRUSTED = Settings(trusted=True)
SBT = "1.12.0"
SIMPLE = """package shop
import chisel3._
class Till extends Module {
  val y = IO(Output(UInt(Prices.width.W)))
  y := Prices.all.head.U
}
"""
PRICES = "package shop\nobject Prices { val width = 7; val all = Seq(3, 5) }\n"


def _server(folder: Path, argv: list[str], **more: object) -> Path:
    (folder / ".bsp").mkdir(parents=True, exist_ok=True)
    path = folder / ".bsp" / "x.json"
    data = {"name": "x", "version": "1", "bspVersion": "2.1.0", "languages": ["scala"], "argv": argv, **more}
    path.write_text(json.dumps(data))
    return path


def _project(folder: Path) -> Path:
    source = folder / "src" / "main" / "scala" / "Till.scala"
    source.parent.mkdir(parents=True)
    source.write_text(SIMPLE)
    (source.parent / "Prices.scala").write_text(PRICES)
    return source


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[]", "no object"),
        ('{"name": "x"}', "argv"),
        ('{"argv": "rm -rf /"}', "argv"),
        ('{"argv": []}', "argv"),
        ('{"argv": [1, 2]}', "argv"),
        ('{"argv": ["x"], "languages": ["rust", "go"]}', "rust, go, not scala"),
        ('{"argv": ["x"], "bspVersion": "3.0"}', "version 3.0"),
    ],
)
def test_connection_files_that_are_wrong(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words) as caught:
        bsp.read_connection(path)
    assert str(path) in str(caught.value)


# As Metals (for Bloop), mill 1.1 and scala-cli 1.9 write them.
CONNECTION_FILES = {
    "bloop.json": {
        "name": "Bloop",
        "version": "2.0.10",
        "bspVersion": "2.1.0",
        "languages": ["scala", "java"],
        "argv": ["/home/u/.local/share/coursier/bin/bloop", "bsp", "--protocol", "local", "--socket", "/tmp/s"],
        "dataKind": "",
    },
    "mill-bsp.json": {
        "name": "mill-bsp",
        "argv": ["/home/u/project/mill", "--bsp", "--disable-ticker", "--color", "false", "--jobs", "1"],
        "millVersion": "1.1.5",
        "bspVersion": "2.2.0-M2",
        "languages": ["java", "scala", "kotlin"],
    },
    "scala.json": {
        "name": "scala-cli",
        "argv": ["/usr/local/bin/scala-cli-absent", "bsp", "."],
        "version": "1.9.1",
        "bspVersion": "2.1.1",
        "languages": ["scala", "java"],
    },
}


@pytest.mark.parametrize("name", CONNECTION_FILES)
def test_other_build_servers_are_read_and_their_absence_is_said(programs: Programs, tmp_path: Path, name: str) -> None:
    source = _project(tmp_path)
    (tmp_path / ".bsp").mkdir()
    (tmp_path / ".bsp" / name).write_text(json.dumps(CONNECTION_FILES[name]))
    connection = bsp.read_connection(tmp_path / ".bsp" / name)
    assert connection.name == CONNECTION_FILES[name]["name"] and connection.workspace == tmp_path
    found = examine(source, SIMPLE, TRUSTED)
    assert found.result.ok  # with its neighbours
    assert any("is not there" in note and "neighbours" in note for note in found.notes), found.notes


@pytest.mark.parametrize(
    ("script", "words", "patience_s"),
    [  # a server is waited for to the end that says nothing, or words between messages as many do
        ("pass", "ended before it answered", 120),
        ("import sys; sys.exit(3)", "ended before it answered", 120),
        ("print('hello, I am no server', flush=True); import time; time.sleep(600)", "it said: hello", 8),
        (
            "print('Content-Length: 99999999999\\r\\n\\r\\n', flush=True); import time; time.sleep(600)",
            "no message",
            120,
        ),
        ("print('Content-Length: 2\\r\\n\\r\\n[]', flush=True); import time; time.sleep(600)", "no message", 120),
        ("import time; time.sleep(600)", "in time", 1),
    ],
)
def test_servers_that_make_no_sense(
    monkeypatch: pytest.MonkeyPatch, programs: Programs, tmp_path: Path, script: str, words: str, patience_s: float
) -> None:
    monkeypatch.setattr(build, "ASK_S", patience_s)
    source = _project(tmp_path)
    _server(tmp_path, [sys.executable, "-c", script])
    found = examine(source, SIMPLE, TRUSTED)
    assert found.result.ok
    assert any(words in note for note in found.notes), found.notes


def test_refusals_and_strange_answers(programs: Programs, tmp_path: Path) -> None:
    """JSON-RPC errors, null results and answers of another shape end in a note, and the server is gone."""
    for number, reply in enumerate(
        [
            {"error": {"code": -32603, "message": "build.sbt:3: error\nmore"}},
            {"result": None},
            {"result": {"targets": "none"}},
            {"result": {"targets": []}},
        ]
    ):
        folder = tmp_path / str(number)
        source = _project(folder)
        pid_file = folder / "pid"
        script = textwrap.dedent(f"""
            import json, os, sys
            open({str(pid_file)!r}, "w").write(str(os.getpid()))
            while True:
                length = 0
                while (line := sys.stdin.buffer.readline().strip()):
                    length = int(line.split(b":")[1])
                if not length: break
                message = json.loads(sys.stdin.buffer.read(length))
                if "id" not in message: continue
                reply = {{"result": {{}}}} if "initialize" in message["method"] else {reply!r}
                raw = json.dumps({{"jsonrpc": "2.0", "id": message["id"], **reply}}).encode()
                sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(raw) + raw); sys.stdout.flush()
        """)
        _server(folder, [sys.executable, "-c", script])
        found = examine(source, SIMPLE, TRUSTED)
        assert found.result.ok and any("neighbours" in note for note in found.notes), found.notes
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)


@pytest.mark.parametrize("special", ["pipe", "link to a pipe", "link to /dev/zero", "socket"], indirect=True)
def test_what_is_no_file_around_a_source(programs: Programs, special: Path, tmp_path: Path) -> None:
    """As the connection to a build server, as a build file, as a neighbour: left out, and nothing is waited for."""
    source = _project(tmp_path / "shop")
    for name in (".bsp/x.json", "build.sbt", "src/main/scala/Aside.scala"):
        place = tmp_path / "shop" / name
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(special)
    found = examine(source, SIMPLE, TRUSTED)
    assert found.result.ok and found.result.stage == "firtool", found.notes
    assert any(f"{tmp_path}/shop/.bsp/x.json" in note and "no regular file" in note for note in found.notes), (
        found.notes
    )


def test_hostile_argv_never_runs_untrusted(programs: Programs, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    source = _project(tmp_path)
    _server(tmp_path, ["/bin/sh", "-c", f"touch '{canary}'"])
    found = examine(source, SIMPLE, Settings(trusted=False))
    assert not canary.exists()
    assert found.result.ok and found.result.stage == "type"


def test_an_editor_does_not_wait_for_a_slow_server(programs: Programs, tmp_path: Path) -> None:
    source = _project(tmp_path)
    go = tmp_path / "go"
    script = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    _server(tmp_path, [sys.executable, "-c", script])
    found = examine(source, SIMPLE, TRUSTED, build_wait_s=0.05)
    assert found.result.ok and any("is being asked" in note for note in found.notes)
    go.touch()
    later = examine(source, SIMPLE, TRUSTED, build_wait_s=PATIENCE_S)
    assert any("ended before" in note for note in later.notes)


def test_packages_of_jars_are_seen_from_packages_of_the_same_name(programs: Programs, tmp_path: Path) -> None:
    text = "package org.acme\nimport chisel3._\nimport org.json4s.JValue\n"
    text += "class A extends Module { def f(x: JValue) = 3 }\n"
    assert examine(tmp_path / "A.scala", text, TRUSTED).result.ok
    wrong = examine(tmp_path / "A.scala", text.replace("JValue", "JVal"), TRUSTED).result
    assert not wrong.ok and {item.span.start_line for item in wrong.errors} == {2, 3}


def test_plain_folder_takes_only_the_files_that_are_needed(programs: Programs, tmp_path: Path) -> None:
    """Three files in a chain, a fourth that is broken and has nothing to do with them, a fifth of the same name."""
    port = "val y = IO(Output(Bool()))"
    files = {
        "Top.scala": f"import chisel3._\nclass Top extends Module {{ {port}; y := Module(new Middle).y }}\n",
        "Middle.scala": f"import chisel3._\nclass Middle extends Module {{ {port}; y := Base.k.B }}\n",
        "Base.scala": "object Base { val k = true }\n",
        "Broken.scala": "class Broken { def f: Int = }\n",
        "Other.scala": "class Top\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = examine(tmp_path / "Top.scala", files["Top.scala"], TRUSTED)
    assert found.result.diagnostics == () and found.result.ok
    assert {Path(name).name for name, _ in found.request.files} == {"Top.scala", "Middle.scala", "Base.scala"}


def test_siblings_that_need_a_broken_one_are_left_out_with_it(programs: Programs, tmp_path: Path) -> None:
    """Till needs Prices; Shelf stands beside Prices in its file's package, needs Stock, and Stock lacks a library."""
    source = _project(tmp_path)
    (tmp_path / "build.sbt").write_text('libraryDependencies += "org.chipsalliance" %% "chisel" % "7.14.0"\n')
    prices = PRICES + "object Hint { def shelf: Shelf = null }\n"
    more = {
        "Prices.scala": PRICES,
        "Shelf.scala": "package shop\nclass Shelf { def stock = new Stock }\n",
        "Stock.scala": "package shop\nimport warehouse.Crate\nclass Stock { val crate: Crate = 3 }\n",
    }
    for name, text in more.items():
        (source.parent / name).write_text(text)
    words = SIMPLE + "// the Shelf is elsewhere\nclass Door { def Shelf = 3 }\n"
    source.write_text(words)
    found = examine(source, words, TRUSTED)
    assert found.result.ok and found.result.stage == "firtool", found.result.diagnostics
    assert {Path(name).name for name, _ in found.request.files} == {"Till.scala", "Prices.scala"}
    assert any(note == "left out, as they do not compile: Shelf.scala, Stock.scala" for note in found.notes)
    (source.parent / "Prices.scala").write_text(prices)  # now the broken ones are needed: they are said, as no errors
    later = examine(source, words, TRUSTED)
    assert later.result.ok and later.result.stage == "type"
    assert {item.code for item in later.result.diagnostics} == {"CH904"}
    assert any("warehouse" in note for note in later.notes)


def test_a_sibling_that_is_mended_brings_back_what_needed_it(programs: Programs, tmp_path: Path) -> None:
    source = _project(tmp_path)
    wrong = "package shop\nclass Stock { val count: Int = true }\n"
    (source.parent / "Prices.scala").write_text(PRICES)
    (source.parent / "Shelf.scala").write_text("package shop\nclass Shelf { def half = (new Stock).count / 2 }\n")
    (source.parent / "Stock.scala").write_text(wrong)
    words = SIMPLE + "class Door { def Shelf = 3 }\n"
    source.write_text(words)

    def names() -> tuple[set[str], bool]:
        found = examine(source, words, TRUSTED)
        assert found.result.ok, found.result.diagnostics
        return {Path(n).name for n, _ in found.request.files}, any(n.startswith("left out") for n in found.notes)

    # Shelf would compile; it needs Stock, which does not.
    assert names() == names() == ({"Till.scala", "Prices.scala"}, True)
    (source.parent / "Stock.scala").write_text(wrong.replace("true", "30"))
    assert names() == ({"Till.scala", "Prices.scala", "Shelf.scala", "Stock.scala"}, False)
    (source.parent / "Stock.scala").write_text(wrong)
    assert names() == ({"Till.scala", "Prices.scala"}, True)


@pytest.mark.parametrize("fault", ["val wrong: Int = true", "val wrong: Int = {"])
def test_a_document_that_suffers_without_a_broken_sibling_keeps_it(
    programs: Programs, tmp_path: Path, fault: str
) -> None:
    """What a package object extends is used without a name: the error is the sibling's, none the document's."""
    source = _project(tmp_path)
    (source.parent / "Prices.scala").write_text(PRICES)
    helper = "package object shop {\n  implicit class More(x: chisel3.UInt) { def next = x + 1.U }\n"
    (source.parent / "package.scala").write_text("import chisel3._\n" + helper + f"  {fault}\n}}\n")
    words = SIMPLE + "class Door extends Module { val y = IO(Output(UInt(4.W))); y := 3.U(4.W).next }\n"
    source.write_text(words)
    for _ in range(2):
        errors = examine(source, words, TRUSTED).result.errors
        assert errors and {Path(item.path).name for item in errors} == {"package.scala"}


@pytest.mark.slow
def test_a_real_sbt_project(
    monkeypatch: pytest.MonkeyPatch, programs: Programs, tmp_path: Path
) -> None:  # sbt fetches itself and a compiler: a minute or two the first time
    launcher = _sbt_launcher()
    folder = tmp_path / "windowed fir"
    shutil.copytree(DATA / "sbt_project", folder)
    java = find_java().program
    home = chisel_cache() / "sbt"
    options = f"-Dsbt.boot.directory={home}/boot -Dsbt.global.base={home}/global"
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", options)
    argv = [str(java), "-jar", str(launcher), "bspConfig"]
    made = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=280, check=False)
    if not (folder / ".bsp" / "sbt.json").exists():
        pytest.skip(f"sbt {SBT} cannot be run here: {(made.stdout or made.stderr).strip().splitlines()[-1:]}")
    scala = folder / "src" / "main" / "scala"
    path = scala / "dsp" / "Fir.scala"
    text = path.read_text()
    found = examine(path, text, TRUSTED, outputs=True)
    assert found.notes == () and found.result.diagnostics == ()
    assert "Fir" in found.result.verilog
    assert any("spire" in jar for jar in found.request.class_path)  # the library comes from the build
    assert {Path(name).name for name, _ in found.request.files} == {"Fir.scala", "Taps.scala", "Tap.scala"}
    # The buffer, not the file: what is typed and not saved is what is checked.
    unsaved = text.replace("import spire.math.Rational\n", "import spire.math.Rationale\n")
    assert [item.span.start_line for item in examine(path, unsaved, TRUSTED).result.errors][:1] == [3]
    # Without the build server the library is not known: the answer above was the build's.
    shutil.rmtree(folder / ".bsp")
    alone = examine(path, text, TRUSTED).result
    assert alone.ok and any("spire" in item.message for item in alone.diagnostics if item.code == "CH904")


def _sbt_launcher() -> Path:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=chisel_cache() / "test-downloads", timeout=60)
    try:
        return Path(context.project("org.scala-sbt", "sbt-launch").at_version(SBT).artifact("", "jar").resolve())
    except Exception as error:  # the client raises whatever its HTTP library raises
        pytest.skip(f"sbt-launch {SBT}: {error}")


def test_options_of_a_build_that_our_compiler_does_not_take(programs: Programs, tmp_path: Path) -> None:
    spire = tmp_path / "spire_2.13-0.18.0.jar"
    spire.touch()
    target = bsp.BuildTarget(
        "core",
        class_path=("/x/scala-library-2.13.16.jar", "/x/chisel_2.13-6.7.0.jar", str(spire)),
        options=(
            "-Xplugin:/x/chisel-plugin_2.13.16-6.7.0.jar",
            "-release",
            "17",
            "-deprecation",
            "-d",
            "/out",
            "-Xlint",
        ),
    )
    setup = build.setup_from(target)
    assert setup.version == "6.7.0"
    assert setup.class_path == (str(spire),)
    assert setup.options == ("-deprecation", "-Xlint")


META: dict[str, object] = {
    "id": {"uri": "file:/p/project/#p-build"},
    "displayName": "p-build",
    "languageIds": ["scala"],
    "dependencies": [],
    "dataKind": "sbt",
    "data": {"sbtVersion": "1.12.0", "scala": {"scalaVersion": "2.12.20"}},
}


def _serving(
    folder: Path,
    targets: list[dict[str, object]],
    class_path: list[str],
    sources: list[str],
    unresolved: Sequence[object] = (),
) -> None:
    """A build server that lists targets, each with the same jars and source entries, as sbt answers.

    unresolved: display names of those that it has no options for.
    """
    items = {
        "workspace/buildTargets": {"targets": targets},
        "buildTarget/sources": {
            "items": [{"target": t["id"], "sources": [{"uri": Path(s).as_uri()} for s in sources]} for t in targets]
        },
        "buildTarget/scalacOptions": {
            "items": [
                {"target": t["id"], "options": [], "classpath": [Path(c).as_uri() for c in class_path]}
                for t in targets
                if t["displayName"] not in unresolved
            ]
        },
    }
    script = textwrap.dedent(f"""
        import json, sys
        answers = {items!r}
        while True:
            length = 0
            while (line := sys.stdin.buffer.readline().strip()):
                length = int(line.split(b":")[1])
            if not length: break
            message = json.loads(sys.stdin.buffer.read(length))
            if "id" not in message: continue
            result = answers.get(message["method"], {{}})
            raw = json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}).encode()
            sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(raw) + raw); sys.stdout.flush()
    """)
    _server(folder, [sys.executable, "-c", script])


def test_a_server_that_answers_for_the_meta_build_only(tmp_path: Path) -> None:
    """sbt does so when it cannot resolve a project: nothing of it may be compiled against sbt's own jars."""
    source = _project(tmp_path)
    jar = tmp_path / "sbt-1.12.0.jar"
    jar.touch()
    _serving(tmp_path, [META], [str(jar)], [str(tmp_path / "build.sbt"), str(tmp_path / "project")])
    found = build.project_setup(source, trusted=True)
    assert found.class_path == () and not found.libraries_known
    assert len(found.notes) == 1 and "targets of the build itself only" in found.notes[0]


def test_targets_that_mill_could_not_resolve(tmp_path: Path) -> None:
    """It lists them, and has options for its own build only, which it calls `mill-build/`."""
    source = _project(tmp_path)
    own: dict[str, object] = {"id": {"uri": "file:/p/demo"}, "displayName": "demo", "languageIds": ["scala"]}
    mill: dict[str, object] = {"id": {"uri": "file:/p/mill-build"}, "displayName": "mill-build/", "tags": []}
    _serving(tmp_path, [own, mill], [], [str(source.parent)], unresolved=["demo"])
    found = build.project_setup(source, trusted=True)
    assert found.sources == () and len(found.notes) == 1 and "could not resolve demo;" in found.notes[0]


def test_jars_that_are_gone_and_generated_sources_that_are_missing(tmp_path: Path) -> None:
    source = _project(tmp_path)
    kept, gone = tmp_path / "kept-1.0.jar", tmp_path / "gone-1.0.jar"
    kept.touch()
    gone.touch()
    own: dict[str, object] = {**META, "id": {"uri": "file:/p/#p"}, "displayName": "p", "dataKind": "scala", "data": {}}
    sources = [
        str(source.parent),
        str(tmp_path / "src" / "main" / "scala-2"),
        str(tmp_path / "src_managed" / "Made.scala"),
    ]
    _serving(tmp_path, [own, META], [str(kept), str(gone)], sources)
    found = build.project_setup(source, trusted=True)
    assert found.class_path == (str(kept), str(gone)) and not found.libraries_known, found
    assert len(found.notes) == 1 and "Made.scala" in found.notes[0] and "run the build" in found.notes[0]
    gone.unlink()  # after the build was asked: its answer is remembered
    later = build.project_setup(source, trusted=True)
    assert later.class_path == (str(kept),)
    assert any("gone-1.0.jar of p cannot be read" in note for note in later.notes)


def test_the_folder_of_generated_sources_is_missing_where_nothing_is_generated(
    programs: Programs, tmp_path: Path
) -> None:
    """sbt names it always. Only a name that nothing has makes it worth a word."""
    source = _project(tmp_path)
    own: dict[str, object] = {**META, "id": {"uri": "file:/p/#p"}, "displayName": "p", "dataKind": "scala", "data": {}}
    managed = tmp_path / "target" / "scala-2.13" / "src_managed" / "main"
    _serving(tmp_path, [own, META], [], [str(source.parent), str(managed)])
    found = examine(source, SIMPLE, TRUSTED)
    assert found.result.ok and found.notes == ()
    lacking = examine(source, SIMPLE.replace("Prices.width", "Made.width"), TRUSTED)
    assert not lacking.result.ok and any("generated sources of p are missing (main)" in n for n in lacking.notes)


@pytest.mark.skipif(os.name != "posix", reason="how a shell starts a script")
def test_a_launcher_that_every_shell_starts(tmp_path: Path) -> None:
    """Mill's is a script without a first line that names a shell, and a batch file at once."""
    source = _project(tmp_path)
    own: dict[str, object] = {**META, "id": {"uri": "file:/p/#p"}, "displayName": "p", "dataKind": "scala", "data": {}}
    _serving(tmp_path, [own, META], [], [str(source.parent)])
    connection = next((tmp_path / ".bsp").glob("*.json"))
    data = json.loads(connection.read_text())
    launcher = tmp_path / "mill"
    launcher.write_text(f"@ 2>/dev/null # 2>nul & echo off & goto BOF\n:\nexec {shlex.join(data['argv'])}\n")
    launcher.chmod(0o755)
    connection.write_text(json.dumps({**data, "argv": [str(launcher), "--bsp"]}))
    found = build.project_setup(source, trusted=True)
    assert found.sources == (str(source.parent),) and found.notes == ()


def test_the_files_of_a_build_hold_nothing_else(tmp_path: Path) -> None:
    meta = bsp.BuildTarget("p-build", own=(str(tmp_path / "build.sbt"), str(tmp_path / "project")))
    assert bsp.target_holding([meta], tmp_path / "tools" / "Loose.scala") is None
    assert bsp.target_holding([meta], tmp_path / "project" / "Dependencies.scala") == meta


def test_the_nearest_target_holds_a_file(tmp_path: Path) -> None:
    outer = bsp.BuildTarget("outer", own=(str(tmp_path / "src"),))
    inner = bsp.BuildTarget("inner", own=(str(tmp_path / "src" / "inner"),))
    listed = bsp.BuildTarget("listed", own=(str(tmp_path / "gen" / "A.scala"),))
    targets = [outer, inner, listed]
    assert bsp.target_holding(targets, tmp_path / "src" / "B.scala") == outer
    assert bsp.target_holding(targets, tmp_path / "src" / "inner" / "C.scala") == inner
    assert bsp.target_holding(targets, tmp_path / "gen" / "New.scala") == listed
    assert bsp.target_holding(targets, tmp_path / "elsewhere" / "D.scala") is None
