"""Helix in tmux with the lines of the manual. With a server that does not run, the same check must fail."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.editors.editor_kit import environment, find_program, manual_lines, workspace

HELIX = find_program("HWML_HELIX", "hx")
TMUX = find_program("HWML_TMUX", "tmux")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(HELIX is None, reason="needs Helix 25: run tests/editors/set_up.sh and set HWML_HELIX"),
    pytest.mark.skipif(TMUX is None, reason="needs tmux"),
]


class Screen:
    """A terminal of 150 by 40 with one program in it."""

    def __init__(self, folder: Path) -> None:
        self.socket = str(folder / "tmux")

    def tmux(self, *arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [str(TMUX), "-S", self.socket, "-f", "/dev/null", *arguments],
            capture_output=True, text=True, env=env, cwd=cwd, check=False, timeout=30,
        )  # fmt: skip
        return done.stdout

    def text(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "hx")

    def type(self, *keys: str) -> None:
        for key in keys:
            self.tmux("send-keys", "-t", "hx", key)
            time.sleep(0.3)

    def until(self, what: str, ready: Callable[[str], bool], wait_s: float) -> str:
        end = time.monotonic() + wait_s
        while True:
            text = self.text()
            if ready(text):
                return text
            if time.monotonic() > end:
                raise TimeoutError(f"{what}\n{text}")
            time.sleep(0.2)


@contextmanager
def helix(folder: Path, *, broken: bool) -> Iterator[Screen]:
    source = workspace(folder)
    env = environment(folder, broken=broken)
    settings = Path(env["XDG_CONFIG_HOME"]) / "helix"
    settings.mkdir(parents=True)
    patient = manual_lines("toml", 0).replace('"hwml-lsp"', '"hwml-lsp"\ntimeout = 120')  # a busy machine starts slowly
    (settings / "languages.toml").write_text(patient, encoding="utf-8")
    (settings / "config.toml").write_text(manual_lines("toml", 1), encoding="utf-8")
    screen = Screen(folder)
    env["TERM"] = "xterm-256color"
    env["LANG"] = "C.UTF-8"
    screen.tmux(
        "new-session", "-d", "-s", "hx", "-x", "150", "-y", "40", str(HELIX), str(source), env=env, cwd=source.parent
    )
    try:
        yield screen
    finally:
        screen.tmux("kill-server")


def test_helix_shows_everything(tmp_path: Path) -> None:
    with helix(tmp_path, broken=False) as screen:
        screen.until("hints", lambda _: _hinted(screen), 60)
        screen.type("g", "g", "]", "d")
        screen.until("finding", lambda text: "there is no variable" in text, 60)
        screen.type(":3", "Enter", "w", "w", "Space", "k")
        screen.until("hover", lambda text: "predicted" in text and "xczu9eg" in text, 60)
        screen.type("Escape", "g", "g", "]", "d")
        screen.until("code action", lambda _: _offered(screen), 60)
        screen.type("Enter")
        screen.until("fix", lambda text: "variable=a type" in text, 30)
        screen.type("Escape", ":11", "Enter", "A", "BSpace", "8", "Escape")
        screen.until("new numbers", lambda text: "II 8 · " in text, 60)


def _hinted(screen: Screen) -> bool:
    """Helix asks for hints when something moves; both loops and the function have one."""
    screen.type("j", "k")
    time.sleep(1)
    text = screen.text()
    return "II 1 · " in text and "cyc" in text.partition("{")[2].partition("\n")[0]


def _offered(screen: Screen) -> bool:
    """Whether the fix stands in the menu of code actions; the menu is closed again when it does not yet."""
    screen.type("Space", "a")
    time.sleep(1)
    if "(verified)" in screen.text():
        return True
    screen.type("Escape")
    return False


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    with helix(tmp_path, broken=True) as screen:
        screen.until("file", lambda text: "void scale" in text, 30)
        with pytest.raises(TimeoutError):
            screen.until("hints", lambda text: "II 1 · " in text, 5)
