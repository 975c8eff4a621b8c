"""Kate on a screen of its own with the lines of the manual. Without a server that runs, the same check must fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.editors.editor_kit import environment, find_program, manual_lines, workspace

PROGRAMS = ("kate", "xvfb-run", "xdotool", "dbus-run-session")
MISSING = [name for name in PROGRAMS if find_program(f"HWML_{name.upper().replace('-', '_')}", name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}: apt install kate xvfb xdotool dbus"),
]

# Stands between Kate and the server, and keeps what they say to each other.
TEE = """
import os, subprocess, sys, threading
server = subprocess.Popen([sys.executable, "-m", "hwml_lsp"], stdin=-1, stdout=-1)
def pump(source, target, log):
    with open(log, "ab", buffering=0) as kept:
        while data := os.read(source, 65536):
            kept.write(data)
            target.write(data)
            target.flush()
    target.close()
threading.Thread(target=pump, args=(server.stdout.fileno(), sys.stdout.buffer, sys.argv[2]), daemon=True).start()
pump(0, server.stdin, sys.argv[1])
"""


def messages(log: Path) -> list[dict[str, Any]]:
    """The whole messages in a log so far."""
    found, data = [], log.read_bytes() if log.is_file() else b""
    while head := re.search(rb"Content-Length: (\d+)[^{]*?\r\n\r\n", data):
        body = data[head.end() : head.end() + int(head[1])]
        if len(body) < int(head[1]):
            break
        found.append(json.loads(body))
        data = data[head.end() + int(head[1]) :]
    return found


class Kate:
    """Kate while it runs: what it asked, what it was told, and its mouse."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.asked, self.told, self.env = folder / "asked.log", folder / "told.log", env

    def until(self, ready: Callable[[], Any], *, wait_s: float) -> Any:
        end = time.monotonic() + wait_s
        while not (found := ready()) and time.monotonic() < end:
            time.sleep(0.3)
        return found

    def findings(self) -> list[str]:
        """Codes of the findings that Kate was told last."""
        pushed = [m["params"] for m in messages(self.told) if m.get("method") == "textDocument/publishDiagnostics"]
        return [str(item["code"]) for item in pushed[-1]["diagnostics"]] if pushed else []

    def answers(self, method: str) -> list[Any]:
        """What Kate got for its requests of a method."""
        numbers = [m["id"] for m in messages(self.asked) if m.get("method") == method]
        return [m["result"] for m in messages(self.told) if m.get("id") in numbers and m.get("result")]

    def rest_at(self, x: int, y: int) -> None:
        """The mouse comes near, and rests there until Kate asks what it is."""
        for place in (x - 3, x):
            subprocess.run(["xdotool", "mousemove", str(place), str(y)], env=self.env, check=False, timeout=30)
            time.sleep(0.3)
        time.sleep(1.2)


@contextmanager
def kate(folder: Path, *, broken: bool) -> Iterator[Kate]:
    """Kate with a file open; `Yes` was said once to its question whether the server may be started."""
    source = workspace(folder)
    env = environment(folder, broken=broken)
    program = folder / "programs" / "hwml-lsp"
    if not broken:
        (folder / "tee.py").write_text(TEE, encoding="utf-8")
        words = f'"{sys.executable}" "{folder}/tee.py" "{folder}/asked.log" "{folder}/told.log"'
        program.write_text(f"#!/bin/sh\nexec {words}\n", encoding="utf-8")
    config = Path(env["XDG_CONFIG_HOME"])
    (config / "kate" / "lspclient").mkdir(parents=True, exist_ok=True)
    (config / "kate" / "lspclient" / "settings.json").write_text(manual_lines("json"), encoding="utf-8")
    (config / "katerc").write_text(f"[lspclient]\nAllowedServerCommandLines={program}\n", encoding="utf-8")
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    env |= {"XDG_RUNTIME_DIR": str(run), "DISPLAY": f":{90 + os.getpid() % 900}", "QT_QPA_PLATFORM": "xcb"}
    screen = subprocess.Popen(["Xvfb", env["DISPLAY"], "-screen", "0", "1280x800x24"], env=env, stderr=-3)
    time.sleep(2)
    command = ["dbus-run-session", "--", "kate", "--startanon", "--block", str(source)]
    with (folder / "kate.log").open("wb") as log:
        editor = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            yield Kate(folder, env)
        finally:
            editor.terminate()
            editor.wait(timeout=60)
            screen.terminate()
            screen.wait(timeout=60)


def test_kate_shows_what_its_protocol_client_knows(tmp_path: Path) -> None:
    with kate(tmp_path, broken=False) as editor:
        assert editor.until(lambda: "HLS109" in editor.findings(), wait_s=120), (tmp_path / "kate.log").read_text()
        (outline,) = editor.until(lambda: editor.answers("textDocument/documentSymbol"), wait_s=60)[:1]
        assert [item["name"] for item in outline] == ["scale"]
        places = [(150, y) for y in range(110, 240, 8)]  # where `scale` stands depends on the fonts
        shown: list[Any] = []
        while places and not any("LUT" in str(item) for item in shown):
            editor.rest_at(*places.pop(0))
            shown = editor.answers("textDocument/hover")
        assert any("LUT" in str(item) for item in shown)
        if pictures := os.environ.get("HWML_PICTURES"):
            subprocess.run(["import", "-window", "root", f"{pictures}/kate.png"], env=editor.env, check=False)


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    with kate(tmp_path, broken=True) as editor:
        assert not editor.until(lambda: "HLS109" in editor.findings(), wait_s=10)
