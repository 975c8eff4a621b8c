"""A package with one record and one provider: editor, watcher, hooks and command line serve its language as it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import psutil
import pytest
from tests.hooks.test_watch import watching
from tests.lsp.lsp_client import FULL, Client, at, running
from tests.lsp.sources import SCALE
from tests.waiting import wait_for

TOY = Path(__file__).with_name("toy_hdl")
# Two units with comments and strings around them; what is in `#{ ... #}` is no code.
TEXT = """# a comment
#{ unit inside 3
unit hidden 3
#}
unit adder 8
  # hwml: my own words
unit ring 16
"""
MARKED = """# a comment
#{ unit inside 3
unit hidden 3
#}
# hwml: 64 gates · 8 cyc
unit adder 8
  # hwml: my own words
# hwml: 128 gates · 16 cyc
unit ring 16
"""


def install(folder: Path, entry_points: str) -> None:
    """What an installer leaves behind of a package: its folder and its metadata."""
    shutil.copytree(TOY, folder / "toy_hdl", ignore=shutil.ignore_patterns("__pycache__"))
    metadata = folder / "toy_hdl-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toy_hdl\nVersion: 1.0\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(entry_points, encoding="utf-8")


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the toy package installed for every process started from here."""
    site = tmp_path / "site"
    install(
        site,
        "[hwml.languages]\ntoy = toy_hdl.language:LANGUAGE\n\n[hwml.commands]\ntoy = toy_hdl.command:COMMANDS\n",
    )
    inherited = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *([inherited] if inherited else [])]))
    monkeypatch.setenv("HWML_CONFIG_DIR", str(tmp_path / "config"))
    work = tmp_path / "work"
    work.mkdir()
    return work


def hwml(folder: Path, *arguments: str, module: str = "hwml_sdk.cli") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def client(toy: Path) -> Iterator[Client]:
    with running(toy) as started:
        started.initialize({**FULL, "textDocument": {**FULL["textDocument"], "completion": {}}}, toy)
        yield started
        assert started.end() == 0


def test_the_language_server_shows_it(client: Client, toy: Path) -> None:
    uri = client.open((toy / "a.toy").as_uri(), "unit adder 8\nunit wire 0\nuse\n", "toy")
    assert [lens["command"]["title"] for lens in client.lenses(uri)] == ["64 gates · 32 LUT"]
    assert client.hover(uri, 0, 6) == "**adder**: 64 gates"  # its own annotation goes before the word
    assert client.hover(uri, 2, 1) == "**use**: Reads the width of a header."
    assert client.hover(uri, 3, 0) == ""
    found = client.complete(uri, 2, 3)
    assert {name: item["textEdit"]["newText"] for name, item in found.items()} == {"unit": "unit ", "use": "use "}
    assert "." in client.capabilities["completionProvider"]["triggerCharacters"]
    (item,) = client.pull(uri)
    assert (item["code"], item["range"]["start"]) == ("TOY1", {"line": 1, "character": 5})
    (fix, _) = client.actions(uri, 1)
    edit = client.request("codeAction/resolve", fix)["edit"]["documentChanges"][0]["edits"][0]
    assert edit["newText"] == " 1"
    status = client.notified("hwml/status", lambda p: p["uri"] == uri and p.get("model"))
    assert (status["model"], status["part"]) == ("toy", "T1")


def test_the_server_asks_to_be_told_of_its_headers(client: Client, toy: Path) -> None:
    client.until(lambda: client.asked("client/registerCapability"))
    asked = next(r for r in client.requests if r["method"] == "client/registerCapability")
    globs = [w["globPattern"] for r in asked["params"]["registrations"] if "watchers" in (o := r["registerOptions"])
             for w in o["watchers"]]  # fmt: skip
    assert "**/*.toyh" in globs
    assert "**/hls_config.cfg" in globs


def test_a_defect_of_its_hover_costs_that_answer_only(client: Client, toy: Path) -> None:
    uri = client.open((toy / "a.toy").as_uri(), "unit adder 8\nshare 4\nshare 0\n", "toy")
    assert len(client.lenses(uri)) == 1
    workers = [child.pid for child in psutil.Process(client.process.pid).children()]
    assert client.hover(uri, 2, 1) == ""
    assert client.hover(uri, 1, 1) == "25 % each"
    assert [child.pid for child in psutil.Process(client.process.pid).children()] == workers


@pytest.mark.parametrize(("name", "good"), [("a.toy", "unit adder 8\n"), ("toy.cfg", "gates = 8\n")])
def test_what_a_defect_kept_from_being_checked_is_not_shown_as_clean(
    client: Client, toy: Path, name: str, good: str
) -> None:
    """Sources and settings files alike; corrected, they are checked as if nothing had been."""
    uri = client.open((toy / name).as_uri(), f"{good}# divide by nothing\n", "toy")
    client.until(lambda: codes(client, uri) == {"HWML001"}, "finding of the file that is not checked")
    assert "left alone" in client.pull(uri)[0]["message"]
    client.change(uri, 2, {"text": good})
    client.until(lambda: codes(client, uri) == set(), "clean answer")
    client.change(uri, 3, {"text": "unit wire 0\n"})
    client.until(lambda: codes(client, uri) in ({"TOY1"}, {"TOY2"}), "finding of its own")


HANGS = "unit adder 8\n# wait for ever\n"


def codes(client: Client, uri: str) -> set[str]:
    return {str(item["code"]) for item in client.pull(uri)}


def workers(client: Client) -> set[int]:
    return {child.pid for child in psutil.Process(client.process.pid).children()}


@pytest.mark.parametrize("hangs", [HANGS, "unit adder 8\n# back and forth\n", "unit adder 8\n# talk for ever\n"])
def test_what_hangs_is_ended_with_a_finding_and_its_neighbours_are_answered(
    client: Client, toy: Path, hangs: str
) -> None:
    cpp = client.open((toy / "a.cpp").as_uri(), SCALE)
    assert len(client.hints(cpp)) == 1
    (hls,) = workers(client)
    bad = client.open((toy / "bad.toy").as_uri(), hangs, "toy")
    good = client.open((toy / "good.toy").as_uri(), "unit adder 8\n", "toy")
    client.until(lambda: len(workers(client)) == 2, "worker of the toy language")
    (first,) = workers(client) - {hls}
    # The other language is served by its own process, which stays.
    client.change(cpp, 2, at(5, 21, 5, 25, "II=4"))
    client.until(lambda: client.hints(cpp) and client.hints(cpp)[0]["label"].startswith("II 4"), "new result")
    client.until(lambda: codes(client, bad) == {"HWML001"}, "finding of the file that hangs")
    assert "did not end" in page_of(client, bad)
    assert "bad.toy" in client.notified("window/showMessage", lambda p: "left alone" in p["message"])["message"]
    client.until(lambda: client.lenses(good), "figures of its neighbour")
    assert first not in workers(client)
    assert hls in workers(client)
    client.change(bad, 2, {"text": "unit adder 4\n"})
    client.until(lambda: codes(client, bad) == set(), "clean answer")
    assert [lens["command"]["title"] for lens in client.lenses(bad)] == ["32 gates · 16 LUT"]


def test_who_is_kept_waiting_is_not_blamed_for_it(client: Client, toy: Path) -> None:
    """The one that asks others begins first, so that its patience is over first; what holds it up is the other one."""
    waits = client.open((toy / "waits.toy").as_uri(), "unit adder 8\n# ask others\n", "toy")
    client.until(lambda: any("asking" in line for line in client.stderr), "an analysis under way")
    bad = client.open((toy / "bad.toy").as_uri(), "unit adder 8\n# back and forth\n", "toy")
    client.until(lambda: codes(client, bad) == {"HWML001"}, "finding of the file that hangs")
    client.until(lambda: client.lenses(waits), "figures of the one that was kept waiting")
    assert codes(client, waits) == set()


def page_of(client: Client, uri: str) -> str:
    """The page that the finding of a document names."""
    return Path(url2pathname(urlsplit(client.pull(uri)[0]["codeDescription"]["href"]).path)).read_text("utf-8")


def test_what_waits_holds_up_no_neighbour_of_its_own_language(toy: Path) -> None:
    """Two that hang leave a thread: what is opened after them is answered long before their patience is over."""
    record = toy.parent / "site" / "toy_hdl" / "language.py"
    record.write_text(record.read_text().replace("patience_s=4.0", "patience_s=3600.0"))
    with running(toy) as client:
        client.initialize(folder=toy)
        for number in range(2):
            client.open((toy / f"bad{number}.toy").as_uri(), HANGS, "toy")
        good = client.open((toy / "good.toy").as_uri(), "unit adder 8\n", "toy")
        client.until(lambda: client.lenses(good), "figures of the third")
        assert client.end() == 0


def test_a_hover_that_hangs_costs_its_answer(client: Client, toy: Path) -> None:
    uri = client.open((toy / "a.toy").as_uri(), "unit adder 8\nshare for ever\n", "toy")
    assert len(client.lenses(uri)) == 1
    assert client.hover(uri, 1, 1) == ""
    client.change(uri, 2, {"text": "unit adder 4\nshare 4\n"})
    client.until(lambda: client.hover(uri, 1, 1) == "25 % each", "hover after it")
    client.until(lambda: [lens["command"]["title"] for lens in client.lenses(uri)] == ["32 gates · 16 LUT"], "lens")


def test_watch_predicts_on_save_and_after_a_header_changed(toy: Path) -> None:
    (toy / "wide.toyh").write_text("width 4\n")
    (toy / "a.toy").write_text('use "wide.toyh"\nunit adder W\n')
    (toy / "toy_out").mkdir()
    (toy / "toy_out" / "made.toy").write_text("unit made 4\n")
    with watching(toy, "--annotate") as watch:
        event = watch.next("a.toy")
        assert (event["language"], event["top"], event["label"]) == ("toy", "adder", "32 gates · 4 cyc")
        assert (event["LUT"], event["DSP"], event["latency_cycles"], event["before"]) == (16, None, 4, None)
        (toy / "wide.toyh").write_text("width 8\n")
        event = watch.next("a.toy")
        assert (event["LUT"], event["before"]["LUT"]) == (32, 16)
        assert watch.stop() == 130
    assert "# hwml: 64 gates · 8 cyc\nunit adder W" in (toy / "a.toy").read_text()
    # The watcher looked at all it found before it answered the save: what tools wrote was not among that.
    assert (toy / "toy_out" / "made.toy").read_text() == "unit made 4\n"


def test_watch_ends_at_once_and_quietly_while_a_compiler_works(toy: Path) -> None:
    """What the compiler's thread meets in a process that ends is no news, and its check is not waited for."""
    record = toy.parent / "site" / "toy_hdl" / "language.py"
    record.write_text(record.read_text().replace("figures=True", "figures=True, compiles=True"))
    (toy / "a.toy").write_text("unit adder 8\n# ask others\n")
    with watching(toy) as watch:
        wait_for(lambda: "asking" in "".join(watch.errors), "check under way")
        assert watch.stop() == 130
        said = [line.strip() for line in watch.errors if not line.startswith(("asking", "hwml: watching"))]
    assert said == ["hwml: interrupted"]


def test_annotate_writes_comments_of_the_language_and_takes_them_away(toy: Path) -> None:
    path = toy / "a.toy"
    path.write_text(TEXT)
    assert hwml(toy, "annotate", "a.toy", "--check").returncode == 1
    done = hwml(toy, "annotate", "a.toy")
    assert done.returncode == 0, done.stderr
    assert "none of hwml's" in done.stderr  # the person's own line, which stays
    # `unit hidden` is found by the toy's own reading; no comment may stand inside another.
    assert path.read_text() == MARKED
    assert hwml(toy, "annotate", "a.toy", "--check").returncode == 0
    assert hwml(toy, "annotate", "a.toy", "--remove").returncode == 0
    assert path.read_text() == TEXT


def test_hooks_hold_it_against_limits(toy: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=toy, check=True)
    (toy / "wide.toyh").write_text("width 8\n")
    (toy / "a.toy").write_text('use "wide.toyh"\nunit adder W\n')
    done = hwml(toy, "a.toy", "--max-lut", "30", "--format", "json", module="hwml_hooks.check_qor")
    (file,) = json.loads(done.stdout)["files"]
    assert (done.returncode, file["language"], [d["code"] for d in file["diagnostics"]]) == (1, "toy", ["QOR101"])
    assert file["annotations"][0]["data"] == {"name": "adder", "bits": 8}
    # Only the header is named; the source that uses it is looked at as well.
    done = hwml(toy, "wide.toyh", "--max-lut", "30", module="hwml_hooks.check_qor")
    assert (done.returncode, done.stdout.partition(":")[0]) == (1, "a.toy")
    done = hwml(toy, "budget", "a.toy", "--max-lut", "33", "--json")
    (row,) = json.loads(done.stdout)["designs"]
    assert (row["top"], row["ok"], row["figures"][0]["value"], row["figures"][0]["high"]) == ("adder", True, 32, 33)
    assert hwml(toy, "budget", "a.toy", "--max-lut", "30.5").returncode == 1  # even the lower end, 31, is over it
    done = hwml(toy, "budget", "a.toy", "--max-lut", "33", "--part", "u280")
    assert (done.returncode, done.stderr) == (2, "hwml: part: there is no such setting for this language\n")


def test_its_command_is_listed_without_loading_it_and_runs(toy: Path) -> None:
    (toy / "a.toy").write_text(TEXT)
    script = "import sys\nfrom hwml_sdk.cli import main\nmain([])\nprint('hwml_hooks.watch' in sys.modules)"
    listed = subprocess.run([sys.executable, "-P", "-c", script], cwd=toy, capture_output=True, text=True, check=True)
    assert "  toy       count the units of a Toy file\n" in listed.stdout
    assert "  watch     predict again on every save" in listed.stdout
    assert listed.stdout.endswith("False\n")
    assert hwml(toy, "toy", "a.toy").stdout == "3\n"
    assert "annotate, budget, chisel" in hwml(toy, "nonsense").stderr


def test_a_broken_package_is_told_and_the_rest_works(toy: Path) -> None:
    metadata = toy.parent / "site" / "toy_hdl-1.0.dist-info" / "entry_points.txt"
    metadata.write_text("[hwml.languages]\ntoy = toy_hdl.gone:LANGUAGE\n[hwml.commands]\ntoy = toy_hdl.gone:COMMANDS\n")
    done = hwml(toy)
    assert done.returncode == 0
    assert "watch" in done.stdout
    assert "toy_hdl.gone" in done.stderr
    assert done.stderr.count("\n") == 1
    (toy / "a.toy").write_text(TEXT)
    done = hwml(toy, "annotate", "a.toy")
    assert done.returncode == 2
    assert "is no C, C++ or Scala file" in done.stderr
