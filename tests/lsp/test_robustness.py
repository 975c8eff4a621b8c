"""What goes wrong around the server: a dead worker, huge files, no git, half a rebase, folders nobody may write to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.lsp.lsp_client import FULL, Client, at, running
from tests.lsp.sources import FAULTY, SCALE, kernels
from tests.lsp.test_protocol import children

HEAVY = ("torch", "transformers", "sklearn", "pandas", "scipy", "lightgbm")


def ready(client: Client, uri: str, version: int = 1) -> Any:
    return client.notified(
        "hwml/status", lambda p: (p["uri"], p["version"], p["state"]) == (uri, version, "ready") and p.get("model")
    )


def lens_titles(client: Client, uri: str) -> list[str]:
    return [lens["command"]["title"] for lens in client.lenses(uri)]


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        assert len(client.hints(uri)) == 1
        (worker,) = children(client.process.pid)
        os.kill(worker, signal.SIGKILL)
        client.until(lambda: [pid for pid in children(client.process.pid) if pid != worker], "new worker")
        client.change(uri, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: client.hints(uri) and client.hints(uri)[0]["label"].startswith("II 4"), "new result")
        assert client.end() == 0


def test_the_restart_command_replaces_the_worker(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        client.hints(uri)
        before = children(client.process.pid)
        client.request("workspace/executeCommand", {"command": "hwml.restart"})
        client.until(lambda: set(children(client.process.pid)).isdisjoint(before), "other worker")
        assert len(client.hints(uri)) == 1


@pytest.fixture
def provider(tmp_path: Path) -> dict[str, str]:
    """Surroundings in which `.scala` is served by a provider written here: one call, no steps."""
    folder = tmp_path / "provider"
    folder.mkdir()
    (folder / "other_provider.py").write_text(
        textwrap.dedent(
            """
            import os, time
            from pathlib import Path
            from hwml_sdk.document import Analysis, Annotation, Diagnostic, Hover, Provider, Span
            from hwml_sdk.errors import ArtifactError

            class Other(Provider):
                def analyze(self, path, text, settings):
                    if "CRASH" in text:
                        os._exit(3)
                    if "BROKEN" in text:
                        raise ArtifactError("the model is broken; reinstall it")
                    if "DEEP" in text:
                        return self.analyze(path, text, settings)
                    if "DEFECT" in text:
                        raise ZeroDivisionError("oops")
                    if "module" not in text:
                        return Analysis(path, "chisel")
                    span = Span(0, 0, 0, 5)
                    note = Annotation("module", "Adder", span, "depth 2", "two registers", summary="64 LUT · depth 2")
                    kinds = ("parse", "type", "elaborate")
                    found = tuple(
                        Diagnostic(f"C{n}", "error", kind, Span(n, 0, n, 1), (), (), f"hwml chisel {kind}")
                        for n, kind in enumerate(kinds)
                    )
                    return Analysis(path, "chisel", found, (note,))

                def hover(self, path, text, line, character, settings):
                    return Hover(f"may run: {settings.may_run(Path(path))}", Span.line(0)) if "TRUST" in text else None

            OTHER = Other()
            """
        ),
        encoding="utf-8",
    )
    (folder / "sitecustomize.py").write_text(
        "from dataclasses import replace\nfrom hwml_sdk.languages import CHISEL, register\n"
        "register(replace(CHISEL, provider='other_provider:OTHER'))\n",
        encoding="utf-8",
    )
    from tests.lsp.lsp_client import environment

    return {"PYTHONPATH": f"{folder}{os.pathsep}{environment(tmp_path)['PYTHONPATH']}"}


MODULE = "module Adder\n\n\n"


def test_another_language_comes_through_the_same_server(tmp_path: Path, provider: dict[str, str]) -> None:
    with running(tmp_path, env=provider) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "Adder.scala").as_uri(), MODULE, "scala")
        assert lens_titles(client, uri) == ["64 LUT · depth 2"]
        assert "two registers" in client.hover(uri, 0, 2)
        assert {item["code"] for item in client.pull(uri)} == {"C0", "C1", "C2"}
        assert client.pull(client.open((tmp_path / "Other.scala").as_uri(), "object X", "scala")) == []


@pytest.mark.parametrize(("setting", "codes"), [("auto", {"C2"}), ("always", {"C0", "C1", "C2"})])
def test_parse_and_type_errors_are_left_to_metals(
    tmp_path: Path, provider: dict[str, str], setting: str, codes: set[str]
) -> None:
    (tmp_path / ".metals").mkdir()
    with running(tmp_path, env=provider) as client:
        client.settings = {"chisel": {"diagnostics": setting}}
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "Adder.scala").as_uri(), MODULE, "scala")
        assert {item["code"] for item in client.pull(uri)} == codes


@pytest.mark.parametrize("words", [(), ("--trust",)])
def test_questions_go_by_the_same_trust_as_analyses(
    tmp_path: Path, provider: dict[str, str], words: tuple[str, ...]
) -> None:
    """What is vouched for is the folder of the workspace, and nothing beside it."""
    inside, outside = tmp_path / "in" / "A.scala", tmp_path / "A.scala"
    inside.parent.mkdir()
    with running(tmp_path, *words, env=provider) as client:
        client.initialize(folder=inside.parent)
        for path, may in ((inside, bool(words)), (outside, False)):
            assert f"may run: {may}" in client.hover(client.open(path.as_uri(), "TRUST", "scala"), 0, 0)


def test_a_document_that_kills_the_worker_is_left_alone_and_others_live(
    tmp_path: Path, provider: dict[str, str]
) -> None:
    with running(tmp_path, env=provider) as client:
        client.initialize(folder=tmp_path)
        good = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        assert len(client.hints(good)) == 1
        bad = client.open((tmp_path / "Bad.scala").as_uri(), "CRASH", "scala")
        assert "left alone" in client.notified("window/showMessage", lambda p: "Bad.scala" in p["message"])["message"]
        client.change(good, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: client.hints(good) and client.hints(good)[0]["label"].startswith("II 4"), "new result")
        client.change(bad, 2, {"text": MODULE})
        client.until(lambda: client.lenses(bad), "lens of the mended file")


def test_a_worker_that_dies_of_everything_is_given_up_and_that_is_said(
    tmp_path: Path, provider: dict[str, str]
) -> None:
    with running(tmp_path, env=provider) as client:
        client.initialize(folder=tmp_path)
        good = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        assert len(client.hints(good)) == 1
        others = children(client.process.pid)
        uris = [client.open((tmp_path / f"{n}.scala").as_uri(), f"CRASH {n}", "scala") for n in range(4)]
        said = client.notified("window/showMessage", lambda p: "no analysis any more" in p["message"])["message"]
        assert "status 3" in said and "hwml.restart" in said
        assert children(client.process.pid) == others, "no worker is left to try the rest with"
        assert len(client.hints(good)) == 1
        client.change(uris[0], 2, {"text": MODULE})
        client.request("workspace/executeCommand", {"command": "hwml.restart"})
        client.until(lambda: client.lenses(uris[0]), "lens of the mended file")


@pytest.mark.parametrize(
    ("text", "word"), [("BROKEN", "the model is broken"), ("DEFECT", "oops"), ("DEEP", "A.scala: is nested too deeply")]
)
def test_a_failed_analysis_is_told_and_shows_nothing(
    tmp_path: Path, provider: dict[str, str], text: str, word: str
) -> None:
    with running(tmp_path, env=provider) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "A.scala").as_uri(), text, "scala")
        status = client.notified("hwml/status", lambda p: p["uri"] == uri and p["state"] == "error")
        assert word in status["message"]
        assert client.hints(uri) == []
        assert client.hover(uri, 0, 0) == ""


def test_heavy_packages_are_never_imported(tmp_path: Path) -> None:
    """By what the interpreter itself lists of every import, in the server and in the worker it starts."""
    with running(tmp_path, env={"PYTHONPROFILEIMPORTTIME": "1"}) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "a.cpp").as_uri(), FAULTY)
        client.pull(uri)
        client.hover(uri, 2, 6)
        client.complete(uri, 3, 20)
        ready(client, uri)
        assert client.end() == 0
        names = {line.rpartition("|")[2].strip() for line in client.stderr if line.startswith("import time:")}
    assert {"pygls", "numpy", "tree_sitter_cpp"} <= names  # of the server, and of the worker
    assert not [name for name in names if name.partition(".")[0] in HEAVY]


def test_a_huge_file_is_left_alone_and_that_is_said_once(client: Client, uri: str) -> None:
    client.forget()
    client.open(uri, SCALE + "// " + "x" * (20 * 1024 * 1024) + "\n")
    for version in range(2, 5):
        client.change(uri, version, at(0, 0, 0, 0, " "))
        assert client.hints(uri) == []
    said = [n for n in client.notifications if n["method"] == "window/showMessage"]
    assert len(said) == 1
    assert "left alone" in said[0]["params"]["message"]
    client.change(uri, 9, {"text": SCALE})
    client.until(lambda: client.hints(uri), "hints of the small text")


def test_deleted_files_and_links(tmp_path: Path) -> None:
    real = tmp_path / "real.cpp"
    real.write_text(SCALE, encoding="utf-8")
    link, loop = tmp_path / "link.cpp", tmp_path / "loop.cpp"
    link.symlink_to(real)
    loop.symlink_to(loop)
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        for path in (link, loop, tmp_path / "never.cpp"):
            assert len(client.hints(client.open(path.as_uri(), SCALE))) == 1
        uri = real.as_uri()
        client.open(uri, SCALE)
        real.unlink()
        client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})
        client.change(uri, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: client.hints(uri) and client.hints(uri)[0]["label"].startswith("II 4"), "new result")


# -- the last commit -----------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", *arguments],
        cwd=folder, capture_output=True, text=True, check=check,
    )  # fmt: skip
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "s.cpp").write_text(SCALE, encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


SLOWER = SCALE.replace("II=1", "II=8")


def since_head(client: Client, folder: Path) -> str:
    uri = client.open((folder / "s.cpp").as_uri(), SLOWER)
    client.until(lambda: "since HEAD" in "".join(lens_titles(client, uri)), "change since HEAD")
    return lens_titles(client, uri)[0]


def test_lenses_tell_what_moved_since_the_last_commit(tmp_path: Path, repository: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(folder=repository)
        assert "cyc x" in since_head(client, repository) or "cyc +" in since_head(client, repository)
        client.change((repository / "s.cpp").as_uri(), 2, {"text": SCALE})
        client.until(lambda: "since" not in "".join(lens_titles(client, (repository / "s.cpp").as_uri())), "no change")


def test_a_repository_in_the_middle_of_a_rebase(tmp_path: Path, repository: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    (repository / "s.cpp").write_text(SCALE.replace("* 3", "* 5"), encoding="utf-8")
    git(repository, "commit", "-qam", "two")
    git(repository, "checkout", "-q", "main")
    (repository / "s.cpp").write_text(SCALE.replace("* 3", "* 7"), encoding="utf-8")
    git(repository, "commit", "-qam", "three")
    git(repository, "rebase", "-q", "other", check=False)
    assert (repository / ".git" / "rebase-merge").exists()
    with running(tmp_path) as client:
        client.initialize(folder=repository)
        assert "since HEAD" in since_head(client, repository)


@pytest.mark.parametrize("state", ["no repository", "no commit", "broken"])
def test_without_a_last_commit_there_is_no_comparison(tmp_path: Path, repository: Path, state: str) -> None:
    shutil.rmtree(repository / ".git")
    if state == "no commit":
        git(repository, "init", "-q")
    elif state == "broken":
        (repository / ".git").write_text("gitdir: /no/such/place\n", encoding="utf-8")
    with running(tmp_path) as client:
        client.initialize(folder=repository)
        uri = client.open((repository / "s.cpp").as_uri(), SLOWER)
        ready(client, uri)
        assert "since" not in "".join(lens_titles(client, uri))


def test_no_program_of_the_repository_is_run(tmp_path: Path, repository: Path) -> None:
    """Filters and watchers that a repository configures could be anything."""
    mark = tmp_path / "was-run"
    for key in ("core.fsmonitor", "filter.f.smudge", "filter.f.clean", "diff.d.textconv", "core.sshCommand"):
        git(repository, "config", key, f"touch {mark}")
    (repository / ".gitattributes").write_text("*.cpp filter=f diff=d\n", encoding="utf-8")
    with running(tmp_path) as client:
        client.initialize(folder=repository)
        assert "since HEAD" in since_head(client, repository)
    assert not mark.exists()


# -- baselines -----------------------------------------------------------------------------------------------


def pin(client: Client, uri: str) -> Any:
    return client.request("workspace/executeCommand", {"command": "hwml.pinBaseline", "arguments": [uri]})


def test_a_baseline_is_compared_with_and_outlives_the_server(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    uri = (work / "s.cpp").as_uri()
    with running(tmp_path) as client:
        client.initialize(folder=work)
        client.open(uri, SCALE)
        ready(client, uri)
        assert "pinned 1 file" in pin(client, uri)
        client.change(uri, 2, {"text": SLOWER})
        client.until(lambda: "since pin" in "".join(lens_titles(client, uri)), "change since the pin")
        assert client.end() == 0
    assert list(work.iterdir()) == []  # nothing is written into the workspace
    with running(tmp_path) as client:
        client.initialize(folder=work)
        client.open(uri, SLOWER)
        client.until(lambda: "since pin" in "".join(lens_titles(client, uri)), "change since the pin")
        client.request("workspace/executeCommand", {"command": "hwml.clearBaseline"})
        client.until(lambda: "since" not in "".join(lens_titles(client, uri)), "no change")


def test_two_servers_on_one_workspace_keep_each_others_pins(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    one, two = ((work / name).as_uri() for name in ("one.cpp", "two.cpp"))
    with running(tmp_path) as first, running(tmp_path) as second:
        for client, uri in ((first, one), (second, two)):
            client.initialize(folder=work)
            client.open(uri, SCALE)
            ready(client, uri)
        pin(first, one)
        pin(second, two)
    (file,) = (tmp_path / "config" / "baselines").iterdir()
    content = file.read_text(encoding="utf-8")
    assert "one.cpp" in content
    assert "two.cpp" in content


def test_a_baseline_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file where the folder should be", encoding="utf-8")
    with running(tmp_path) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "s.cpp").as_uri(), SCALE)
        ready(client, uri)
        assert pin(client, uri) is None
        assert "cannot write" in client.notified("window/showMessage", lambda p: p["type"] == 1)["message"]
        client.change(uri, 2, {"text": SLOWER})
        client.until(lambda: "since pin" in "".join(lens_titles(client, uri)), "change since the pin")


# -- long work -----------------------------------------------------------------------------------------------


def test_a_thousand_functions_and_a_loop_that_always_answers(client: Client, uri: str) -> None:
    """Requests are answered while the file is analysed; the first figures come long before the last."""
    client.open(uri, kernels(1000))
    assert client.first_hints(uri, 0, 60)
    answered = 0
    while not client.pull_is_in(uri):
        client.hover(uri, 3, 0)
        answered += 1
    assert answered >= 5
    assert len(client.hints(uri)) == 1000


def test_long_work_shows_progress_that_can_be_cancelled(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.initialize(FULL, tmp_path)
        client.open((tmp_path / "big.cpp").as_uri(), kernels(2500))
        begun = client.notified("$/progress", lambda p: "analysing big.cpp" in p["value"].get("title", ""))
        client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
        client.notified("$/progress", lambda p: p["token"] == begun["token"] and p["value"]["kind"] == "end")
        uri = client.open((tmp_path / "small.cpp").as_uri(), SCALE)
        assert len(client.hints(uri)) == 1


def test_loading_is_said_instead_of_a_number(tmp_path: Path, provider: dict[str, str]) -> None:
    """A worker that is slow to start: hover says so, and no figure stands anywhere."""
    go = tmp_path / "go"
    site = Path(provider["PYTHONPATH"].split(os.pathsep)[0]) / "sitecustomize.py"
    site.write_text(
        f"import os, sys, time\nif 'hwml_lsp.worker' in ' '.join(sys.orig_argv):\n"
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.02)\n",
        encoding="utf-8",
    )
    with running(tmp_path, env=provider) as client:
        client.initialize(folder=tmp_path)
        uri = client.open((tmp_path / "s.cpp").as_uri(), SCALE)
        assert client.hover(uri, 2, 7).startswith("Loading model")
        client.notified("$/progress", lambda p: p["value"].get("title") == "hwml: loading model")
        go.touch()
        assert client.hints(uri)  # waits for the first result
        assert client.hover(uri, 2, 7).startswith("**scale**")
