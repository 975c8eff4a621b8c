"""VS Code (code-server in Chromium) with the packaged extension; with a broken server the same check must fail."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.editors.editor_kit import HERE, ROOT, environment, find_program, workspace

NODE = find_program("HWML_NODE", "node")
CHROMIUM = find_program("HWML_CHROMIUM", "chromium", "chromium-browser")
ENTRY = os.environ.get("HWML_CODE_SERVER", "")
PLAYWRIGHT = os.environ.get("HWML_PLAYWRIGHT", "")
VSIX = ROOT / "lsp_server" / "vscode" / "hwml.vsix"
READY = bool(NODE and CHROMIUM and Path(ENTRY).is_file() and Path(PLAYWRIGHT).is_dir())
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not READY, reason="needs code-server: run tests/editors/set_up.sh and set what it prints"),
    pytest.mark.skipif(
        not VSIX.is_file(), reason="needs the extension: npm ci && npm run package in lsp_server/vscode"
    ),
]

TAIL = "  // " + "a word about this loop that makes its line a long one, " * 2
# A finding on line 4; hints of long lines at the label, and in a lens where there is none.
LONG = f"""#include <ap_int.h>

void longer(const int a[64], int b[64]) {{
#pragma HLS PIPLINE
 near: for (int i = 0; i < 64; i++) {{{TAIL}
    b[i] = a[i];
  }}
  for (int i = 0; i < 16; i++) {{{TAIL}
    b[i] += a[i];
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def code_server(folder: Path, *, broken: bool, programs: Path | None = None) -> Iterator[str]:
    """VS Code on a workspace, with the extension installed; its address. programs: all that is on PATH, no server."""
    source = workspace(folder)
    for name in ("fir.cpp", "gemm.cpp"):
        shutil.copy(ROOT / "examples" / name, source.with_name(name))
    source.with_name("long.cpp").write_text(LONG, encoding="utf-8")
    env = environment(folder, broken=broken)
    if programs is not None:
        env = {**{k: v for k, v in env.items() if not k.startswith(("PYTHON", "VIRTUAL"))}, "PATH": str(programs)}
        # VS Code asks a login shell for its surroundings.
        (Path(env["HOME"]) / ".profile").write_text(f'export PATH="{programs}"\n', encoding="utf-8")
        env["SHELL"] = str(programs / "sh")
    data, extensions = folder / "data", folder / "extensions"
    (data / "User").mkdir(parents=True, exist_ok=True)
    settings = {
        "hwml.server.path": "" if programs else str(folder / "programs" / "hwml-lsp"),
        "files.simpleDialog.enable": True,
        "workbench.startupEditor": "none",
        "workbench.colorTheme": "Default Light Modern",
        "editor.minimap.enabled": False,
        "chat.commandCenter.enabled": False,
        "window.commandCenter": False,
        "editor.fontSize": 13,
    }
    (data / "User" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    common = [str(NODE), ENTRY, "--user-data-dir", str(data), "--extensions-dir", str(extensions)]
    subprocess.run([*common, "--install-extension", str(VSIX)], env=env, check=True, capture_output=True, timeout=180)
    port = free_port()
    more = ["--auth", "none", "--bind-addr", f"127.0.0.1:{port}", "--disable-telemetry", "--disable-update-check",
            "--disable-workspace-trust"]  # fmt: skip
    with (folder / "code-server.log").open("wb") as log:
        process = subprocess.Popen([*common, *more], env=env, stdout=log, stderr=log)
        try:
            answering(port)
            yield f"http://127.0.0.1:{port}/?folder={source.parent}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def answering(port: int) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            assert time.monotonic() < end, "code-server does not answer"
            time.sleep(0.5)


def check(
    folder: Path, *, broken: bool, wait_ms: int, pictures: Path | None = None
) -> subprocess.CompletedProcess[str]:
    with code_server(folder, broken=broken) as url:
        return subprocess.run(
            [str(NODE), str(HERE / "code_server_check.cjs"), url, "scale.cpp", str(wait_ms),
             *([str(pictures)] if pictures is not None else [])],
            env={**os.environ, "HWML_CHROMIUM": str(CHROMIUM), "HWML_PLAYWRIGHT": PLAYWRIGHT},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip


def test_vs_code_shows_everything(tmp_path: Path) -> None:
    chosen = os.environ.get("HWML_PICTURES")
    pictures = Path(chosen) if chosen else None
    done = check(tmp_path, broken=False, wait_ms=90_000, pictures=pictures)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.splitlines()[-1] == "OK"


def test_the_check_fails_without_a_server(tmp_path: Path) -> None:
    done = check(tmp_path, broken=True, wait_ms=8_000)
    assert done.returncode == 1
    assert "timeout: inlay hint" in done.stderr
    shutil.rmtree(tmp_path, ignore_errors=True)


def programs_on(folder: Path, *names: str) -> Path:
    """A folder of the system's programs by these names, and of what code-server itself runs."""
    made = folder / "path"
    made.mkdir()
    for name in ("sh", "dirname", "uname", "git", *names):
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is not None:
            (made / name).symlink_to(found)
    return made


@pytest.mark.parametrize(("has", "names"), [("nothing", ()), ("python", ("python3",))])
def test_vs_code_says_what_is_missing_and_sets_it_up(tmp_path: Path, has: str, names: tuple[str, ...]) -> None:
    """Every message and button of the first minutes; installing takes pip's own index for what hwml stands on."""
    chosen = os.environ.get("HWML_PICTURES")
    with code_server(tmp_path, broken=False, programs=programs_on(tmp_path, *names)) as url:
        done = subprocess.run(
            [str(NODE), str(HERE / "code_server_setup.cjs"), url, "scale.cpp", "60000", str(ROOT),
             *([chosen] if chosen else [])],
            env={**os.environ, "HWML_CHROMIUM": str(CHROMIUM), "HWML_PLAYWRIGHT": PLAYWRIGHT, "HWML_HAS": has},
            capture_output=True, text=True, timeout=800, check=False,
        )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stdout.splitlines()[-1] == "OK"
