"""Chisel's tool chain: pinned jars and firtool, fetched once by coordinates, verified, kept in the user's cache.

The lists in `locks/` name every file of a tool chain by Maven coordinates, sha256 and size; the addresses of
repositories are the Maven client's own business (`jgo`, whose settings file also knows a company's mirror). A tool
chain lies in one folder that appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ...config import DEFAULT_CHISEL_VERSION, user_cache_dir
from ...errors import ConfigError, HwmlError, MissingDependencyError, ToolFailedError
from ...files import locked, parse_json, read_bytes, replace_folder
from ...leftovers import sweep
from ...ownership import close_to_others, refuse_foreign, refuse_foreign_tree

Progress = Callable[[str], None]
READY_FILE = "ready.json"
_DOWNLOADS = "downloads"
_DOWNLOADS_AT_ONCE = 4
_CONNECT_TIMEOUT_S = 30
_RUN_FROM_HERE = "programs are run from there, so it is not used"
_REMEDY = "make it yours alone (chown, chmod -R go-w), or set HWML_CACHE_DIR to a folder of your own"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a tool chain: Maven coordinates `group:artifact:version[:type:classifier]`, sha256, bytes.

    sha256: "" while a version without a lock is being resolved.
    """

    coordinates: str
    sha256: str
    size: int

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """Group, artifact, version and classifier ("" when there is none)."""
        group, artifact, version, *rest = self.coordinates.split(":")
        return group, artifact, version, rest[1] if len(rest) == 2 else ""

    @property
    def file_name(self) -> str:
        """The name that Maven gives the file."""
        _, artifact, version, classifier = self.parts
        return f"{artifact}-{version}{'-' + classifier if classifier else ''}.jar"

    @property
    def is_firtool(self) -> bool:
        """Whether this is the jar that carries the firtool program."""
        return self.parts[1] == "llvm-firtool"


@dataclass(frozen=True, slots=True)
class ToolChain:
    """A verified tool chain on disk."""

    version: str
    scala_version: str
    folder: Path
    jars: tuple[Path, ...]
    firtool: Path
    key: str  # changes with any file of the tool chain
    locked: bool = True

    @property
    def plugin(self) -> Path:
        """The Chisel compiler plug-in."""
        return next(jar for jar in self.jars if jar.name.startswith("chisel-plugin_"))

    @property
    def library_jars(self) -> tuple[Path, ...]:
        """What the user's code is compiled and elaborated against."""
        not_for_users = ("scala-compiler-", "chisel-plugin_", "jline-", "java-diff-utils-")
        return tuple(jar for jar in self.jars if not jar.name.startswith(not_for_users))


def locked_versions() -> tuple[str, ...]:
    """Chisel versions whose tool chain is pinned here, newest first."""
    names = [entry.name for entry in resources.files("hwml_sdk.chisel.install").joinpath("locks").iterdir()]
    found = [name.removeprefix("chisel-").removesuffix(".txt") for name in names if name.endswith(".txt")]
    return tuple(sorted(found, key=version_key, reverse=True))


def version_key(version: str) -> tuple[int, ...]:
    """Numbers of a version, for sorting; what is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.replace("-", ".").split("."))


def read_lock(version: str) -> tuple[LockedFile, ...]:
    """The files of the locked tool chain for Chisel `version`. ConfigError for a version without a lock."""
    if version not in locked_versions():
        known = ", ".join(locked_versions())
        raise ConfigError(
            f"no pinned tool chain for Chisel {version!r}; there are {known} "
            "(hwml chisel setup --trust --version ... resolves others)"
        )
    text = (
        resources.files("hwml_sdk.chisel.install")
        .joinpath("locks", f"chisel-{version}.txt")
        .read_text(encoding="utf-8")
    )
    return parse_lock(text)


def parse_lock(text: str) -> tuple[LockedFile, ...]:
    """Parse lines of `coordinates sha256 size`."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return tuple(LockedFile(coordinates, sha256, int(size)) for coordinates, sha256, size in rows)


def chisel_cache() -> Path:
    """Where tool chains, worker programs and logs are kept."""
    return user_cache_dir() / "chisel"


def installed_unpinned() -> tuple[str, ...]:
    """Versions without a lock that were resolved on this machine."""
    found = (folder.name.removeprefix("chisel-") for folder in chisel_cache().glob("chisel-*"))
    others = [version for version in found if version not in locked_versions() and installed(version)]
    return tuple(sorted(others, key=version_key))


def folder_of(version: str) -> Path:
    """The folder of one tool chain."""
    return chisel_cache() / f"chisel-{version}"


def installed(version: str) -> ToolChain | None:
    """The tool chain if it is complete on disk, else None. Needs no network."""
    folder = folder_of(version)
    try:
        ready = parse_json(read_bytes(folder / READY_FILE))
        jars = tuple(folder / "jars" / name for name in ready["jars"])
        firtool = Path(os.environ.get("HWML_FIRTOOL") or folder / "bin" / ready["firtool"])
        chain = ToolChain(version, ready["scala"], folder, jars, firtool, ready["key"], ready["locked"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return chain if all(jar.is_file() for jar in jars) and firtool.is_file() else None


def ensure(version: str = DEFAULT_CHISEL_VERSION, *, progress: Progress | None = None) -> ToolChain:
    """The tool chain for Chisel `version`, fetched on first use.

    Safe against a second process that does the same, and against interruption. Raises ConfigError for a version
    without a lock, MissingDependencyError without the extra `chisel`, ToolFailedError when files cannot be had or
    do not match their sums, HwmlError when the cache cannot be written, RefusedError when others can write to it.
    """
    refuse_foreign_cache()
    chain = installed(version)
    if chain is not None:
        refuse_foreign_tree(chain.folder, _RUN_FROM_HERE, _REMEDY)
        return chain
    files = read_lock(version)  # other versions are resolved for trusted workspaces only: resolve.py
    with locked(chisel_cache(), "setup"):
        return installed(version) or _install(version, files, progress or (lambda text: None), locked=True)


def clear_downloads() -> None:
    """Remove what a set-up that was killed at its very end has left. Raises HwmlError; waits for one under way."""
    if chisel_cache().exists():
        with locked(chisel_cache(), "setup"):
            sweep(chisel_cache())
            shutil.rmtree(chisel_cache() / _DOWNLOADS, ignore_errors=True)


def refuse_foreign_cache() -> None:
    """Raise RefusedError where others can write to the cache, out of which programs are run."""
    place = chisel_cache()
    existing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    if existing in (place, user_cache_dir()):
        refuse_foreign(existing, _RUN_FROM_HERE, _REMEDY)


def _install(version: str, files: tuple[LockedFile, ...], progress: Progress, *, locked: bool) -> ToolChain:
    _check_platform(files)
    total = sum(file.size for file in files)
    progress(f"Chisel {version}: fetching {len(files)} files, {total / 1e6:.0f} MB, once")
    downloads = chisel_cache() / _DOWNLOADS
    paths = _fetch_all(files, downloads, progress)
    with replace_folder(folder_of(version)) as folder:
        jars = folder / "jars"
        jars.mkdir()
        for file, path in paths.items():
            if not file.is_firtool:
                shutil.copyfile(path, jars / file.file_name)
        program = _extract_firtool(next(path for file, path in paths.items() if file.is_firtool), folder / "bin")
        scala = next(file.parts[2] for file in files if file.parts[1] == "scala-compiler")
        ready = {
            "scala": scala,
            "jars": [file.file_name for file in files if not file.is_firtool],
            "firtool": program,
            "key": _key(files),
            "locked": locked,
        }
        (folder / READY_FILE).write_text(json.dumps(ready, indent=1) + "\n", encoding="utf-8")
        close_to_others(folder)
    shutil.rmtree(downloads, ignore_errors=True)
    progress(f"Chisel {version}: every file verified")
    chain = installed(version)
    if chain is None:
        raise HwmlError(f"{folder_of(version)}: incomplete after set-up; remove it and run hwml chisel setup again")
    return chain


def _key(files: tuple[LockedFile, ...]) -> str:
    text = "\n".join(f"{file.coordinates} {file.sha256}" for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _check_platform(files: tuple[LockedFile, ...]) -> None:
    """firtool's lock is for Linux on x86-64; elsewhere the user names a firtool of their own."""
    here = f"{platform.system()}-{platform.machine()}".lower()
    if here not in ("linux-x86_64", "linux-amd64") and not os.environ.get("HWML_FIRTOOL"):
        raise ToolFailedError(f"no pinned firtool for {here}: install firtool and set HWML_FIRTOOL to its path")


def _fetch_all(files: tuple[LockedFile, ...], folder: Path, progress: Progress) -> dict[LockedFile, Path]:
    from concurrent.futures import ThreadPoolExecutor

    context = _maven_context(folder)
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        jobs = {file: pool.submit(_fetch, context, file) for file in files}
        try:
            paths = {}
            for done, (file, job) in enumerate(jobs.items(), start=1):
                paths[file] = job.result()
                progress(f"[{done}/{len(files)}] {file.file_name}")
            return paths
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _maven_context(folder: Path) -> Any:
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as error:
        raise MissingDependencyError("jgo", "chisel") from error
    # The user's own settings may name a mirror; one called "central" takes the place of the default.
    mirrors = GlobalSettings.load().repositories
    context = MavenContext(repo_cache=folder, timeout=_CONNECT_TIMEOUT_S)
    context.remote_repos = {**context.remote_repos, **mirrors}
    return context


def _fetch(context: Any, file: LockedFile) -> Path:
    """The verified file in the download folder; a half-written or wrong one is fetched again, once."""
    group, artifact, version, classifier = file.parts
    wanted = context.project(group, artifact).at_version(version).artifact(classifier, "jar")
    for attempt in (1, 2):
        if wanted.cached_path.exists() and _matches(wanted.cached_path, file):
            return Path(wanted.cached_path)
        wanted.cached_path.unlink(missing_ok=True)
        try:
            path = Path(wanted.resolve())
        # The client raises whatever its HTTP library, its XML parser or the disk raise.
        except Exception as error:
            if attempt == 2:
                reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
                raise ToolFailedError(
                    f"{file.file_name}: cannot be fetched ({type(error).__name__}: {without_address(reason)}); "
                    "check the network or the mirror in your jgo settings, then run hwml chisel setup again"
                ) from error
            continue
        if _matches(path, file):
            return path
    wanted.cached_path.unlink(missing_ok=True)
    raise ToolFailedError(
        f"{file.file_name}: does not match the pinned sha256, so it was thrown away; "
        "a proxy or mirror changes files: ask who runs it, then run hwml chisel setup again"
    )


def without_address(text: str) -> str:
    """Errors of HTTP clients carry addresses and object dumps that help nobody."""
    return text.partition(" (")[0].partition(" in remote")[0]


def _matches(path: Path, file: LockedFile) -> bool:
    if not file.sha256:  # a version without a lock: its sum is what it has (resolve.py)
        return zipfile.is_zipfile(path)
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _extract_firtool(jar: Path, folder: Path) -> str:
    """Take the one program out of its jar; returns its file name."""
    name = "firtool.exe" if sys.platform == "win32" else "firtool"
    folder.mkdir()
    with zipfile.ZipFile(jar) as archive:
        inside = [entry for entry in archive.namelist() if entry.endswith(f"/bin/{name}")]
        if len(inside) != 1:
            raise ToolFailedError(f"{jar.name}: holds {len(inside)} programs called {name}, one was expected")
        with archive.open(inside[0]) as source, (folder / name).open("wb") as target:
            shutil.copyfileobj(source, target)
    (folder / name).chmod(0o755)
    return name
