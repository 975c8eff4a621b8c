"""Build C++ generators against the halide package, once for what a build reads.

A build is taken from the cache when compiler (with its version), flags, Halide's version and every file the compiler
read (as it told itself) are those of before. Halide's library is found when a program runs, not by a path inside it:
an environment may be moved or made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import STDOUT

from ...config import user_cache_dir
from ...errors import HwmlError, ToolFailedError, ToolNotFoundError
from ...files import parse_json, read_bytes, replace_folder
from ...processes import finish, start
from ...tools import find_tool
from ..toolkit import halide_folder, halide_version, library_folder, tools_folder

BUILD_LIMIT_S = 600
_FLAGS = ("-std=c++17", "-O1", "-w")
_RECORD = "built.json"
_SOURCES = (".cpp", ".cc", ".cxx", ".c")
_LIBRARIES = (".a", ".so", ".dylib")
_HALIDE = "<halide>"
_MAIN = Path(__file__).with_name("generator_main.cpp")
CLOCK_SOURCE = Path(__file__).with_name("processor_clock.cpp")
_LINK_ERROR = re.compile(r"undefined reference to|undefined symbol|cannot find -l|multiple definition|ld: ")


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a generator needs beside its own source."""

    includes: tuple[str, ...] = ()
    """folders of headers (`-I`)"""
    links: tuple[str, ...] = ()
    """sources, objects, libraries or `-lNAME` that are linked with the generator (`--link`)"""

    def checked(self) -> BuildOptions:
        """With absolute paths. Raises HwmlError for what is not there."""
        for folder in self.includes:
            if not Path(folder).is_dir():
                raise HwmlError(f"-I {folder}: no such folder")
        for item in self.links:
            if not item.startswith("-l") and not Path(item).is_file():
                raise HwmlError(f"--link {item}: no such file; name a source, an object, a library or -lNAME")
        links = tuple(item if item.startswith("-l") else str(Path(item).resolve()) for item in self.links)
        return BuildOptions(tuple(str(Path(folder).resolve()) for folder in self.includes), links)

    @property
    def libraries(self) -> tuple[str, ...]:
        """Those of `links` that a compiled pipeline may need, too (its extern stages): libraries, no sources."""
        return tuple(item for item in self.links if item.startswith("-l") or Path(item).suffix in _LIBRARIES)


def compiler() -> Path:
    """The C++ compiler: `$HWML_CXX`, or c++. Raises ToolNotFoundError that says what works without one."""
    return find_tool("c++", variable="HWML_CXX", hint="C++ generators need it; Python pipelines work without")


def check_compiler() -> str:
    """What `hwml doctor` says of the compiler."""
    try:
        return str(compiler())
    except ToolNotFoundError:
        return ""


@cache
def _compiler_version(cxx: Path) -> str:
    done = finish(start([cxx, "--version"], stderr=STDOUT), timeout_s=60)
    return done.stdout.decode("utf-8", errors="replace").partition("\n")[0]


def build_generator(source: str | Path, options: BuildOptions) -> Path:
    """Compile a generator, or take it from the cache; returns the program.

    Raises ToolNotFoundError, and ToolFailedError with the compiler's or linker's words.
    """
    path = Path(source).resolve()
    sources = [path, *(Path(item) for item in options.links if Path(item).suffix in _SOURCES)]
    others = [item for item in options.links if item.startswith("-l") or Path(item).suffix not in _SOURCES]
    library = library_folder()
    own = [halide_folder() / "include", halide_folder() / "share" / "tools", path.parent]
    folders = [*own, *map(Path, options.includes)]
    includes = [word for folder in folders if folder.is_dir() for word in ("-I", str(folder))]
    wanted = _Wanted(
        str(path), "generator", tuple(sources), (*includes,),
        (*_main(), *others, "-L", str(library), "-lHalide", "-ldl", "-lpthread"),
    )  # fmt: skip
    return _built(wanted)


def _main() -> tuple[str, ...]:
    """The main function of generators, compiled once: Halide's own, with estimates from outside."""
    return (str(_built(_Wanted(str(_MAIN), "main.o", (_MAIN,), ("-I", str(halide_folder() / "include")), ()))),)


def runner_object() -> Path:
    """RunGenMain.cpp compiled once: it takes seconds, linking a sample does not."""
    folders = [halide_folder() / "include", tools_folder()]
    includes = tuple(word for folder in folders for word in ("-I", str(folder)))
    flags = ("-DHALIDE_NO_PNG", "-DHALIDE_NO_JPEG", *includes)
    source = tools_folder() / "RunGenMain.cpp"
    return _built(_Wanted(str(source), "RunGenMain.o", (source,), flags, ()))


def clock_object() -> Path:
    """What lets a benchmark program measure processor time."""
    return _built(_Wanted(str(CLOCK_SOURCE), "processor_clock.o", (CLOCK_SOURCE,), (), ()))


def library_environment() -> dict[str, str]:
    """The environment for a generator: built programs name no folder of Halide's library."""
    variable = "DYLD_LIBRARY_PATH" if sys.platform == "darwin" else "LD_LIBRARY_PATH"
    before = os.environ.get(variable, "")
    return dict(os.environ) | {variable: f"{library_folder()}{os.pathsep}{before}" if before else str(library_folder())}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A build: what is compiled, with which flags, and what is linked with it."""

    source: str
    name: str
    sources: tuple[Path, ...]
    flags: tuple[str, ...]
    linked: tuple[str, ...]
    """empty: an object is made"""

    def key(self, cxx: Path) -> str:
        """What can be known before anything is read."""
        words = [str(cxx), _compiler_version(cxx), halide_version(), *_FLAGS, *map(_portable, self.flags)]
        words += [*map(_portable, map(str, self.sources)), "--", *map(_portable, self.linked)]
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:24]


def _portable(text: str) -> str:
    """Halide's own folder by a name: an environment that was moved builds the same."""
    return text.replace(str(halide_folder()), _HALIDE)


def _real(text: str) -> Path:
    return Path(text.replace(_HALIDE, str(halide_folder())))


def _built(wanted: _Wanted) -> Path:
    cxx = compiler()
    home = user_cache_dir() / "halide-generators" / wanted.key(cxx)
    for record in sorted(home.glob(f"*/{_RECORD}")):
        if _holds(record) and (record.parent / wanted.name).is_file():
            return record.parent / wanted.name
    home.mkdir(parents=True, exist_ok=True)
    with replace_folder(home / "new") as temporary:
        read = _compile_all(cxx, wanted, temporary)
        digests = {_portable(str(path)): _digest(path) for path in read}
        (temporary / _RECORD).write_text(json.dumps(digests, indent=1), encoding="utf-8")
    # Named by what was read: whoever runs an older build keeps it.
    place = home / hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:16]
    if not place.exists():
        try:
            (home / "new").rename(place)
        except OSError:  # another process was first
            if not place.exists():
                raise
    return place / wanted.name


def _holds(record: Path) -> bool:
    """Whether every file that a build read is what it was."""
    try:
        digests = parse_json(read_bytes(record))
        return all(_digest(_real(name)) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


def _compile_all(cxx: Path, wanted: _Wanted, folder: Path) -> list[Path]:
    """Compile (and link) into `folder`; returns the files read. System headers go with the compiler's version."""
    objects: list[Path] = []
    read: set[Path] = set()
    for index, source in enumerate(wanted.sources):
        made = folder / (f"{index}.o" if wanted.linked else wanted.name)
        listed = folder / f"{index}.d"
        compile_cpp(cxx, [*_FLAGS, *wanted.flags, "-MMD", "-MF", listed, "-c", source, "-o", made], wanted.source)
        read |= _dependencies(listed)
        listed.unlink()
        objects.append(made)
    if wanted.linked:
        compile_cpp(cxx, [*objects, *wanted.linked, "-o", folder / wanted.name], wanted.source)
        for made in objects:
            made.unlink()
        read |= {Path(item) for item in wanted.linked if not item.startswith("-") and Path(item).is_file()}
    return sorted(read)


def _dependencies(listed: Path) -> set[Path]:
    """The files of a compiler's dependency file (a Makefile rule; blanks in names are escaped)."""
    text = listed.read_text(encoding="utf-8", errors="surrogateescape").replace("\\\n", " ")
    words = re.findall(r"(?:\\.|\S)+", text.partition(": ")[2])
    return {Path(re.sub(r"\\(.)", r"\1", word)).resolve() for word in words}


def compile_cpp(cxx: Path, arguments: Sequence[str | Path], source: str | Path) -> None:
    """Run the compiler. Raises ToolFailedError with its first error, or the linker's."""
    done = finish(start([cxx, *arguments], stderr=STDOUT, own_group=False), timeout_s=BUILD_LIMIT_S)
    if done.timed_out:
        raise ToolFailedError(f"{source}: building took over {BUILD_LIMIT_S} s and was ended")
    if done.returncode == 0:
        return
    lines = done.stdout.decode("utf-8", errors="replace").splitlines()
    if any("No space left on device" in line for line in lines):
        raise ToolFailedError(f"{source}: cannot be built: the disk of {user_cache_dir()} is full")
    compiled = next((line for line in lines if "error:" in line and "ld returned" not in line), "")
    linked = [line for line in lines if _LINK_ERROR.search(line)]
    if compiled and not linked:
        hint = "; name its folder with -I" if "No such file" in compiled else ""
        raise ToolFailedError(f"{source}: does not compile: {compiled.strip()}{hint}")
    if linked:
        words = next((line for line in linked if "undefined" in line or "cannot find" in line), linked[0])
        raise ToolFailedError(f"{source}: does not link: {_tail(words)}; name what is missing with --link")
    raise ToolFailedError(f"{source}: does not compile: {' '.join(lines)[-300:].strip()}")


def _tail(line: str) -> str:
    """A linker's words without the path of its temporary object."""
    for mark in ("undefined reference", "undefined symbol", "cannot find", "multiple definition"):
        if mark in line:
            return line[line.index(mark) :].strip()
    return line.strip()
