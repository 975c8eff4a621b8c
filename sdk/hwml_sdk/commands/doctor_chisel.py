"""What `hwml doctor` says about Chisel."""

from __future__ import annotations

from importlib import metadata

from ..chisel.compile.fence import KINDS, find_fence
from ..chisel.install.java import find_java
from ..chisel.install.toolchain import folder_of, installed, installed_unpinned, locked_versions
from ..errors import HwmlError


def findings() -> list[tuple[str, bool, str, str]]:
    """(name, ok, found, what to do) for each thing."""
    rows = [_package("jgo", "extra chisel: fetches the tool chain"), _java()]
    for version in locked_versions():
        chain = installed(version)
        found = str(chain.folder) if chain else "not set up"
        rows.append((f"chisel {version}", chain is not None, found, f"hwml chisel setup --version {version}"))
    for version in installed_unpinned():
        rows.append(
            (f"chisel {version}", True, f"{folder_of(version)} (resolved, not pinned; trusted folders only)", "")
        )
    rows.append(_fence())
    return rows


def _fence() -> tuple[str, bool, str, str]:
    fence = find_fence()
    if fence.kind:
        return "fence", True, KINDS[fence.kind], ""
    words = f"none, elaboration is refused ({fence.reason})"
    return "fence", False, words, "install bubblewrap, or allow user namespaces, or Linux 6.2 with Landlock"


def _package(name: str, meaning: str) -> tuple[str, bool, str, str]:
    try:
        return name, True, metadata.version(name), ""
    except metadata.PackageNotFoundError:
        return name, False, "missing", meaning


def _java() -> tuple[str, bool, str, str]:
    try:
        java = find_java()
    except HwmlError as error:
        return "java", False, "missing", str(error)
    return "java", True, f"{java.major} from {java.origin}: {java.program}", ""
