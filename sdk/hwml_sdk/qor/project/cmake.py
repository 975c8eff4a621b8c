"""CMakeLists.txt: kernels of `add_vitis_kernel` and `add_vitis_ip`, and the flags that targets are built with.

Both commands are hlslib's (FindVitis.cmake) and its descendants'. The files are read as text and cmake is never run:
what hangs on a package, a platform or a variable that nobody sets is not known (`cmake_values`), and no flag is made of
it. Of a condition that is not known the commands inside are read for the kernels they name, not for flags.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...errors import ConfigError, SourceError
from ...files import read_source
from ...languages import HLS
from ..tool.parts import find_part
from .benches import looks_like_bench, looks_like_hardware
from .cmake_flow import Flow, by_keyword, note
from .cmake_words import UNKNOWN, Command, commands
from .places import Places
from .types import HlsProject, Place, Skipped, read_text, skip
from .values import add_flags

NAME = "CMakeLists.txt"
MAX_UP = 4  # folders above that may add the one of a file
MAX_DESIGNS = 64
MAX_LOOKED = 256  # sources that are looked into for a sign of hardware, of one CMakeLists.txt
MAX_FILES = 64  # of a kernel, in which its function is looked for
_KEYWORDS = frozenset({
    "FILES", "TB_FILES", "KERNEL", "HLS_FLAGS", "HLS_CONFIG", "INCLUDE_DIRS", "DEPENDS", "COMPILE_FLAGS", "PLATFORM",
    "PLATFORM_PART", "COMPUTE_UNITS", "PORT_MAPPING", "SLR_MAPPING", "VENDOR", "DISPLAY_NAME", "DESCRIPTION", "VERSION",
    "XO_DIR", "CLOCK",
})  # fmt: skip
# What hlslib's own `add_vitis_kernel` adds to the flags of every kernel.
_OF_HLSLIB = ("HLSLIB_SYNTHESIS", "HLSLIB_XILINX")
_SCOPES = ("PUBLIC", "PRIVATE", "INTERFACE", "SYSTEM", "BEFORE", "AFTER")
_UNSURE = "stands under a condition that is not known: not taken"
_UNKNOWN_FLAG = "holds what only a run of cmake could tell: no flag is made of it"


def read_cmake(path: str | Path) -> list[HlsProject]:
    """The kernels of a CMakeLists.txt, the variables of those above that add its folder being set.

    Raises ConfigError for a file that cannot be read.
    """
    return _read(Path(path)).kernels[:MAX_DESIGNS]


def read_builds(path: str | Path) -> list[HlsProject]:
    """The kernels, and then what its libraries and programs are built of: their hardware and its flags, without a top.

    Raises ConfigError as `read_cmake`.
    """
    reading = _read(Path(path))
    return [*reading.kernels[:MAX_DESIGNS], *reading.builds()]


def _read(path: Path) -> _Builds:
    builds = _Builds(path)
    builds.read()
    return builds


def _above(path: Path, places: Places) -> list[Path]:
    """The files that lead to this one by add_subdirectory, the outermost first."""
    chain = [path]
    for folder in [*path.absolute().parent.parents][:MAX_UP]:
        above = folder / NAME
        if not places.may_read(above) or not above.is_file():
            continue
        wanted = chain[0].absolute().parent
        try:
            added = [c.words[0].text for c in commands(read_text(above)) if c.name == "add_subdirectory" and c.words]
        except ConfigError:
            break
        if any(folder / name.replace("${CMAKE_CURRENT_SOURCE_DIR}/", "") == wanted for name in added if name):
            chain.insert(0, above)
    return chain[:-1]


@dataclass(slots=True)
class _Target:
    """A library or program: what it is built of, and its own flags."""

    files: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Builds:
    """What a file builds: kernels, and targets for the host.

    flags: of all that is built in the folder, skipped: what is not taken of these. collecting: whether it is this file
    that is followed, and not one above, of which only flags are wanted.
    """

    path: Path
    flow: Flow = field(init=False)
    kernels: list[HlsProject] = field(default_factory=list)
    targets: dict[str, _Target] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    collecting: bool = False

    def __post_init__(self) -> None:
        by_subject = {
            self.definitions: "add_definitions add_compile_definitions add_compile_options include_directories",
            self.of_target: "target_compile_definitions target_compile_options target_include_directories",
            self.sources: "target_sources",
            self.target: "add_library add_executable",
            self.kernel: "add_vitis_kernel add_vitis_ip",
        }
        taken = {name: taker for taker, names in by_subject.items() for name in names.split()}
        self.flow = Flow(Places.of(self.path), taken)

    def read(self) -> None:
        """Follow the files above and then this one."""
        for above in _above(self.path, self.flow.places):
            self.flow.enter(above)
        self.collecting = True
        self.flow.enter(self.path)

    def definitions(self, command: Command, arguments: list[str], path: Path) -> None:
        """Flags of all that is built in the folder: `add_definitions(-DN=4)`, `add_compile_definitions(N=4)`, ..."""
        if command.name == "include_directories":
            arguments = [f"-I{name}" for name in arguments if name not in _SCOPES]
        elif command.name == "add_compile_definitions":
            arguments = [_defined(word) for word in arguments]
        self.flags += self._sure(command, arguments, path)

    def of_target(self, command: Command, arguments: list[str], path: Path) -> None:
        """`target_compile_definitions(name PRIVATE N=4)` and its like."""
        target = self.targets.get(arguments[0]) if arguments else None
        if target is None:
            return
        given = [word for word in arguments[1:] if word not in _SCOPES]
        if command.name == "target_include_directories":
            given = [f"-I{name}" for name in given]
        elif command.name == "target_compile_definitions":
            given = [_defined(word) for word in given]
        target.flags += self._sure(command, given, path)

    def sources(self, _command: Command, arguments: list[str], _path: Path) -> None:
        """`target_sources(name PRIVATE a.cpp)`."""
        if arguments and arguments[0] in self.targets:
            self.targets[arguments[0]].files += [word for word in arguments[1:] if _is_source(word)]

    def target(self, _command: Command, arguments: list[str], _path: Path) -> None:
        """A library or a program."""
        if self.collecting and arguments and UNKNOWN not in arguments[0] and len(self.targets) < MAX_DESIGNS:
            self.targets[arguments[0]] = _Target([word for word in arguments[1:] if _is_source(word)])

    def kernel(self, command: Command, arguments: list[str], path: Path) -> None:
        """A kernel that the tools compile."""
        if not self.collecting or not arguments or UNKNOWN in arguments[0]:
            return
        said = by_keyword(arguments[1:], _KEYWORDS)
        place = Place(str(path), command.line, command.raw)
        flags = _split(said.get("HLS_FLAGS", [])) + [f"-I{name}" for name in _split(said.get("INCLUDE_DIRS", []))]
        if command.name == "add_vitis_kernel":
            flags += [f"-D{name}" for name in _OF_HLSLIB if not any(name in flag for flag in flags)]
        known, skipped = _known(command, flags, path)
        project = self._project(_split(said.get("FILES", [])), known, place)
        project.skipped = [*self.flow.cut, *skipped]
        project.top = _top(next(iter(said.get("KERNEL", [])), arguments[0]), project.files)
        project.benches = [found for name in _split(said.get("TB_FILES", [])) if (found := self._at(name)) is not None]
        part = next(iter(said.get("PLATFORM_PART", said.get("PLATFORM", []))), "")
        try:
            if part and UNKNOWN not in part:
                find_part(part)
                project.part = part
        except ConfigError as error:
            skip(project, place, str(error))
        if command.name == "add_vitis_kernel":
            project.config["flow_target"] = "vitis"
        if project.files:
            self.kernels.append(project)

    def builds(self) -> list[HlsProject]:
        """Libraries and programs by the hardware among their sources, where they have any."""
        found = []
        looked = 0
        for name, target in self.targets.items():
            looked += len(target.files)
            if looked > MAX_LOOKED:
                break  # a large program: who writes one states its kernels otherwise
            flags = [*self._of("CMAKE_C_FLAGS"), *self._of("CMAKE_CXX_FLAGS"), *self.flags, *target.flags]
            project = self._project(target.files, flags, Place(str(self.path), 0, name))
            project.for_host, project.skipped = True, [*self.flow.cut, *self.skipped]
            project.files = [path for path in project.files if _is_hardware(path)]
            if project.files:
                found.append(project)
        return found

    def _of(self, key: str) -> list[str]:
        """Macros that a variable of flags defines, those that are known."""
        words = _split([self.flow.values.known.get(key, "")])
        return [word for word in words if word[:2] == "-D" and len(word) > 2 and UNKNOWN not in word]

    def _project(self, files: list[str], flags: list[str], place: Place) -> HlsProject:
        read_from = [path for path in self.flow.files if path != self.path]
        project = HlsProject(self.path, read_from=read_from)
        project.files = [found for name in files if UNKNOWN not in name and (found := self._at(name)) is not None]
        places = replace(self.flow.places, refused={}, cut={})
        try:
            add_flags(project, shlex.join(flags), places, place)
        except ConfigError as error:
            skip(project, place, str(error))
        return project

    def _at(self, name: str) -> Path | None:
        return None if UNKNOWN in name else self.flow.places.at(name)

    def _sure(self, command: Command, flags: list[str], path: Path) -> list[str]:
        """Flags of a command that is surely reached, those that are known."""
        if self.flow.reached() is True:
            known, skipped = _known(command, flags, path)
        else:
            known, skipped = [], [note(command, path, _UNSURE)] if any(map(_may_define, flags)) else []
        self.skipped += skipped if self.collecting else []
        return known


def _may_define(flag: str) -> bool:
    """Whether a flag defines a macro, as far as is known of it."""
    return flag.startswith(("-D", UNKNOWN))


def _known(command: Command, flags: Sequence[str], path: Path) -> tuple[list[str], list[Skipped]]:
    """Flags of macros and folders that are known, and a note where one of a macro is not."""
    known = [flag for flag in flags if UNKNOWN not in flag and flag[:2] in ("-D", "-I") and len(flag) > 2]
    unknown = any(UNKNOWN in flag and _may_define(flag) for flag in flags)
    return known, [note(command, path, _UNKNOWN_FLAG)] if unknown else []


def _split(words: Sequence[str]) -> list[str]:
    """Flags and files that one text may hold several of."""
    return [part for word in words for part in re.split(r"[;\s]+", word) if part]


def _defined(word: str) -> str:
    return word if word.startswith("-D") else f"-D{word}"


def _is_source(word: str) -> bool:
    return word.lower().endswith((*HLS.sources, *HLS.headers))


def _top(name: str, files: Sequence[Path]) -> str:
    """The kernel's function: of its name, or of that with `_top` as some write it; "" where no file holds either."""
    text = "".join(_text(path) for path in files[:MAX_FILES])
    return next((top for top in (name, f"{name}_top") if re.search(rf"\b{re.escape(top)}\s*\(", text)), "")


def _is_hardware(path: Path) -> bool:
    text = _text(path) if path.suffix.lower() in HLS.sources else ""
    return bool(text) and looks_like_hardware(text) and not looks_like_bench(text)


def _text(path: Path) -> str:
    try:
        return read_source(path)
    except SourceError:
        return ""
