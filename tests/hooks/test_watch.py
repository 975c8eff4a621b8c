"""`hwml watch` as a program: what it says after saves of every kind, what it ignores, and what it never breaks."""

from __future__ import annotations

import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import PATIENCE_S, interruptible, wait_for

from hwml_hooks import marks
from hwml_hooks.saves import is_source
from hwml_hooks.watch import MAX_BROKEN, Event, Watcher, _tell_text
from hwml_sdk.cli import main as hwml
from hwml_sdk.document import Figures
from hwml_sdk.languages import HLS

Git = Callable[..., str]
DESIGN = """#include <ap_int.h>
void scale(const int in[64], int out[64], int by) {
#pragma HLS ARRAY_PARTITION variable=in type=complete
#pragma HLS ARRAY_PARTITION variable=out type=complete
work:
  for (int i = 0; i < 64; i++) {
#pragma HLS UNROLL factor=%d
    out[i] = in[i] * by;
  }
}
"""


class Watch:
    """A watcher in a process of its own; its events as they come."""

    def __init__(self, folder: Path, *options: str) -> None:
        argv = [sys.executable, "-P", "-m", "hwml_sdk.cli", "watch", str(folder), "--json", "--debounce", "0.05"]
        self.process = subprocess.Popen(
            [*argv, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
            preexec_fn=interruptible,  # noqa: PLW1509
        )  # fmt: skip
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.errors: list[str] = []
        self._ready = threading.Event()
        threading.Thread(target=self._read_events, daemon=True).start()
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()
        assert self._ready.wait(PATIENCE_S), self.errors

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line.strip())
            if "watching" in line:
                self._ready.set()
        self._ready.set()

    def next(self, path: str) -> dict[str, Any]:
        """The next event of a file; those of others are passed over."""
        limit = time.monotonic() + PATIENCE_S
        while True:
            try:
                event = self.events.get(timeout=max(0.1, limit - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no event for {path}; {self.errors}") from None
            if event["path"] == path:
                return event

    def drained(self) -> list[dict[str, Any]]:
        found = []
        while not self.events.empty():
            found.append(self.events.get())
        return found

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self._reader.join(5)
        return code


@contextmanager
def watching(folder: Path, *options: str) -> Iterator[Watch]:
    watch = Watch(folder, *options)
    try:
        yield watch
    finally:
        watch.process.kill()
        watch.process.wait()


def save_in_place(path: Path, text: str) -> None:
    """As nano and gedit save, but in one piece: a slow machine may rest between a truncation and the text."""
    with path.open("r+b") as stream:
        stream.write(text.encode())
        stream.flush()
        stream.truncate()


def save_by_rename(path: Path, text: str) -> None:
    """As Vim, Emacs and most IDEs save."""
    other = path.with_name(f".{path.name}.swp~")
    other.write_text(text)
    other.replace(path)


def test_saves_and_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(DESIGN % 1)
    with watching(tmp_path) as watch:
        first = watch.next("a.cpp")
        assert hwml(["qor", str(path), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        keys = ("LUT", "DSP", "FF", "latency_cycles", "top")
        assert {key: first[key] for key in keys} == {key: said[key] for key in keys}
        assert first["schema_version"] == 2
        assert first["before"] is None
        save_in_place(path, DESIGN % 8)
        second = watch.next("a.cpp")
        assert second["before"] == {key: first[key] for key in keys[:4]}
        assert second["DSP"] > first["DSP"]
        save_by_rename(path, DESIGN % 16)
        third = watch.next("a.cpp")
        assert third["before"] == {key: second[key] for key in keys[:4]}
        assert third["latency_cycles"] < second["latency_cycles"]
        path.touch()
        save_by_rename(path, DESIGN % 16)
        (tmp_path / "new").mkdir()
        save_by_rename(tmp_path / "new" / "b.cpp", DESIGN % 2)
        assert watch.next("new/b.cpp")["before"] is None
        assert not watch.drained(), "a save that changes nothing is no news"
        assert watch.stop() == 130
        assert not [line for line in watch.errors if "Traceback" in line]


def test_a_half_written_text_keeps_the_figures(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(DESIGN % 1)
    keys = ("top", "label", "LUT", "DSP", "FF", "latency_cycles")
    with watching(tmp_path) as watch:
        first = watch.next("a.cpp")
        assert not first["broken"]
        for half in ((DESIGN % 1).replace("i++)", "i++"), (DESIGN % 8)[:-60]):
            save_in_place(path, half)
            broken = watch.next("a.cpp")
            assert broken["broken"]
            assert broken["before"] is None
            assert {key: broken[key] for key in keys} == {key: first[key] for key in keys}
        save_in_place(path, DESIGN % 8)
        whole = watch.next("a.cpp")
        assert not whole["broken"]
        assert whole["before"]["DSP"] == first["DSP"] < whole["DSP"], "compared with the last whole text"
        save_in_place(path, "int nothing;\n")
        assert watch.next("a.cpp")["top"] is None


def test_who_writes_what_cannot_be_read_is_not_told_figures_of_before_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(DESIGN % 1)
    said: list[Event] = []
    watcher = Watcher(tmp_path, annotate=False, tell=said.append)
    watcher.saved(path)
    for number in range(MAX_BROKEN + 2):
        path.write_text(DESIGN % 8 + f"void odd( {{ int a{number}; }}\n")
        watcher.saved(path)
    assert [event.broken for event in said] == [False, *[True] * MAX_BROKEN, False, False]
    assert said[-1].label != said[0].label == said[1].label


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Event("a.cpp", HLS, "f", "9 LUT", Figures(lut=9)), "a.cpp  f  9 LUT"),
        (Event("a.cpp", HLS, "f", "9 LUT", Figures(lut=9), Figures(lut=8)), "a.cpp  f  9 LUT  (LUT +12 %)"),
        (Event("a.cpp", HLS, "f", "999 LUT", Figures(lut=999), Figures(lut=1000)), "a.cpp  f  999 LUT  (as before)"),
        (
            Event("a.cpp", HLS, "f", "9 LUT", Figures(lut=9), broken=True),
            "a.cpp  f  broken: figures of before: 9 LUT",
        ),
        (Event("a.cpp", HLS, before=Figures(lut=8), gone=True), "a.cpp  nothing is predicted any more"),
    ],
)
def test_lines_for_people(event: Event, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    _tell_text(event)
    assert capsys.readouterr().out == f"{words}\n"


def test_what_is_ignored(repo: Path, git: Git) -> None:
    (repo / ".gitignore").write_text("generated*.cpp\n")
    with watching(repo) as watch:
        for name in ("build/a.cpp", "solution1/.autopilot/db/a.cpp", "hw/hls/syn/a.cpp", "target/a.cpp",
                     "generated1.cpp", "notes.txt", ".a.cpp.swp", "a.cpp~"):  # fmt: skip
            (repo / name).parent.mkdir(parents=True, exist_ok=True)
            (repo / name).write_text(DESIGN % 1)
        (repo / "last.cpp").write_text(DESIGN % 1)
        seen = []
        while "last.cpp" not in seen:
            seen.append(watch.events.get(timeout=PATIENCE_S)["path"])
        assert seen == ["last.cpp"]
        (repo / ".gitignore").write_text("")
        (repo / "generated2.cpp").write_text(DESIGN % 1)
        watch.next("generated2.cpp")


def test_names_and_places(tmp_path: Path) -> None:
    kept = ("a.cpp", "src/a.h", "sim/a.cpp", "syn/a.cpp", "src/main/scala/A.scala")
    left = ("out/a.cpp", "a/solution12/syn/a.cpp", ".git/a.cpp", "comp/hls/impl/a.cpp", ".a.cpp.x1.hwml-tmp", "a.py")
    assert [name for name in (*kept, *left) if is_source(tmp_path / name, tmp_path)] == list(kept)
    assert not is_source(tmp_path.parent / "a.cpp", tmp_path)


def test_a_header_says_what_includes_it(tmp_path: Path) -> None:
    (tmp_path / "size.h").write_text("#define COPIES 1\n")
    (tmp_path / "all.h").write_text('#include "size.h"\n')
    (tmp_path / "a.cpp").write_text('#include "all.h"\n' + DESIGN.replace("%d", "COPIES"))
    with watching(tmp_path) as watch:
        first = watch.next("a.cpp")
        (tmp_path / "size.h").write_text("#define COPIES 16\n")
        assert watch.next("a.cpp")["DSP"] > first["DSP"]
        # The source of a header is read with what includes the header.
        (tmp_path / "part.h").write_text("int part(int v);\n")
        (tmp_path / "part.cpp").write_text('#include "part.h"\nint part(int v) { return v + v; }\n')
        kernel = "void b(int a[4]) {\n#pragma HLS PIPELINE\n  a[0] = part(a[1]); }\n"
        (tmp_path / "b.cpp").write_text('#include "part.h"\n' + kernel)
        assert watch.next("b.cpp")["DSP"] == 0
        (tmp_path / "part.cpp").write_text('#include "part.h"\nint part(int v) { return v * v; }\n')
        assert watch.next("b.cpp")["DSP"] > 0


def test_a_checkout_of_many_files(repo: Path, git: Git) -> None:
    for number in range(60):
        (repo / f"d{number % 20}").mkdir(exist_ok=True)
        (repo / f"d{number % 20}" / f"k{number}.cpp").write_text(DESIGN % 1)
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "other")
    for number in range(60):
        (repo / f"d{number % 20}" / f"k{number}.cpp").write_text(DESIGN % 4)
    shutil.rmtree(repo / "d3")
    (repo / "fresh").mkdir()
    (repo / "fresh" / "x.cpp").write_text(DESIGN % 2)
    git("add", "-A")
    git("commit", "-q", "-m", "two")
    git("checkout", "-q", "main")
    with watching(repo) as watch:
        assert "each predicted when it is saved" in " ".join(watch.errors)
        git("checkout", "-q", "other")
        wanted = {f"d{n % 20}/k{n}.cpp" for n in range(60) if n % 20 != 3} | {"fresh/x.cpp"}
        seen: set[str] = set()
        while seen < wanted:
            seen.add(watch.events.get(timeout=PATIENCE_S)["path"])
        git("checkout", "-q", "main")
        git("checkout", "-q", "other")  # files come and go while they are read
        (repo / "fresh" / "last.cpp").write_text(DESIGN % 2)
        watch.next("fresh/last.cpp")
        assert watch.process.poll() is None
        assert not [line for line in watch.errors if "defect" in line or "Traceback" in line]


def test_annotating_watcher(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(DESIGN % 1)
    with watching(tmp_path, "--annotate") as watch:
        assert watch.next("a.cpp")["annotated"]
        text = path.read_text()
        assert text.count("// hwml: ") == 2
        assert marks.strip(text, HLS) == DESIGN % 1
        state = path.stat()
        save_by_rename(path, DESIGN % 8)
        assert watch.next("a.cpp")["annotated"]
        assert marks.strip(path.read_text(), HLS) == DESIGN % 8
        state = path.stat()
        (tmp_path / "b.cpp").write_text(DESIGN % 2)
        watch.next("b.cpp")
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns), "no loop"
        save_by_rename(path, DESIGN % 8)  # an editor that never looked at the disk: the comments come back
        wait_for(lambda: "// hwml: " in path.read_text(), "the comments")


def test_bad_files_are_told_and_passed_over(tmp_path: Path) -> None:
    outside = tmp_path / "outside.cpp"
    outside.write_text(DESIGN % 1)
    folder = tmp_path / "folder"
    folder.mkdir()
    locked = folder / "locked.cpp"
    with watching(folder, "--annotate") as watch:
        (folder / "binary.cpp").write_bytes(b"\0\1")
        (folder / "link.cpp").symlink_to(outside)
        (folder / "loop.cpp").symlink_to("loop.cpp")
        (folder / "merge.cpp").write_text("<<<<<<< a\n" + DESIGN % 1 + "=======\n" + DESIGN % 2 + ">>>>>>> b\n")
        locked.write_text(DESIGN % 1)
        locked.chmod(0o444)
        (folder / "hwml.toml").write_text("")
        (folder / "good.cpp").write_text(DESIGN % 1)
        watch.next("good.cpp")
        for words in ("binary.cpp:1: holds NUL bytes", "locked.cpp: is read-only", "conflict markers"):
            wait_for(lambda words=words: words in " ".join(watch.errors), words)  # type: ignore[misc]
        assert outside.read_text() == DESIGN % 1
        assert locked.read_text() == DESIGN % 1
        (folder / "hwml.toml").write_text("[limits\n")
        (folder / "good.cpp").write_text(DESIGN % 2)
        wait_for(lambda: "not TOML" in " ".join(watch.errors), "a word about the settings")
        assert watch.process.poll() is None


def test_a_folder_that_goes_away(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    watch = Watch(folder)
    shutil.rmtree(folder)
    assert watch.process.wait(PATIENCE_S) == 2
    watch._reader.join(5)
    assert "is gone" in " ".join(watch.errors)


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hwml(["watch", str(tmp_path / "nowhere")]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert hwml(["watch", str(tmp_path), "--model", "nowhere"]) == 2
    assert "no shipped artefact 'nowhere' and no such folder" in capsys.readouterr().err
    for word in ("soon", "-1", "nan", "1e9"):
        with pytest.raises(SystemExit) as ended:
            hwml(["watch", str(tmp_path), f"--debounce={word}"])
        assert ended.value.code == 2


# -- two watchers and an editor ----------------------------------------------------------------------------------

SAVES = 500


class Editor:
    """Saves a file again and again, in place or by rename, and remembers what was right at which time."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock, self.texts = path, threading.Lock(), {path.read_text()}
        self.last = path.read_text()
        self.random = random.Random(5)

    def save(self, number: int) -> None:
        text = f"// save {number}\n" + DESIGN % (1 + number % 7)
        self.texts.add(text)
        self.last = text
        if number % 2:
            save_by_rename(self.path, text)
        else:
            with self.lock:  # only so that the reader below does not take this half-written text for a watcher's
                self.path.write_text(text)

    def pause(self) -> None:
        time.sleep(self.random.choice([0.0, 0.0, 0.002, 0.01, 0.03, 0.06, 0.1]))


def test_two_watchers_and_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "a.cpp"
    path.write_text(DESIGN % 1)
    editor = Editor(path)
    broken: list[str] = []
    over = threading.Event()

    def read_on() -> None:
        while not over.is_set():
            with editor.lock:
                text = path.read_text()
            if marks.strip(text, HLS) not in editor.texts:
                broken.append(text)
            time.sleep(0.001)

    with watching(tmp_path, "--annotate") as one, watching(tmp_path, "--annotate") as other:
        one.next("a.cpp")
        other.next("a.cpp")
        reader = threading.Thread(target=read_on)
        reader.start()
        for number in range(SAVES):
            editor.save(number)
            editor.pause()
            settle(lambda: marks.strip(path.read_text(), HLS) == editor.last, f"save {number} was lost")
        settle(lambda: "// hwml: " in path.read_text(), "the last save was never annotated")
        events = [*one.drained(), *other.drained()]
        events += both_answer(tmp_path / "b.cpp", one, other)
        state = path.stat()
        for number in range(5):  # were they to answer each other's writes, there would be one in these rounds
            events += both_answer(tmp_path / f"c{number}.cpp", one, other)
        over.set()
        reader.join()
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns), (
            "somebody still writes"
        )
        assert marks.strip(path.read_text(), HLS) == editor.last
        assert not broken, "a file that nobody saved"
        writes = sum(event["annotated"] for event in events if event["path"] == "a.cpp")
        assert 1 <= writes <= SAVES, "at most one write of comments for each save"
        assert {entry.name for entry in tmp_path.iterdir()} == {"a.cpp", "b.cpp", *(f"c{n}.cpp" for n in range(5))}
        assert not [line for watch in (one, other) for line in watch.errors if "defect" in line]


def both_answer(path: Path, *watchers: Watch) -> list[dict[str, Any]]:
    """Save a new file and wait until each watcher has spoken of it; all they said by then."""
    save_by_rename(path, DESIGN % 3)
    said: list[dict[str, Any]] = []
    for watch in watchers:
        name = ""
        while name != path.name:
            said.append(watch.events.get(timeout=PATIENCE_S))
            name = said[-1]["path"]
    return said


def settle(condition: Callable[[], bool], complaint: str) -> None:
    """A watcher may show an older text for the blink in which it puts a newer one back; it must not stay."""
    limit = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < limit, complaint
        os.sched_yield()
