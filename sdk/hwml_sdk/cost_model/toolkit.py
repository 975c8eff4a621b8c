"""Where the halide package keeps what we use: library, plug-in, programs, headers; and what machine this is."""

from __future__ import annotations

import sys
from functools import cache
from importlib import metadata, util
from pathlib import Path

from ..errors import HwmlError, MissingDependencyError
from ..files import read_bytes

AUTOSCHEDULER = "Adams2019"
OTHER_AUTOSCHEDULERS = ("Mullapudi2016", "Li2018", "Anderson2021")
"""the package's other autoschedulers"""
GPU_AUTOSCHEDULER = "Anderson2021"


@cache
def halide_folder() -> Path:
    """Folder of the installed halide package (nothing is imported). Raises MissingDependencyError."""
    spec = util.find_spec("halide")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("halide", "halide")
    return Path(spec.origin).parent


def halide_version() -> str:
    """Version of the halide package."""
    halide_folder()
    return metadata.version("halide")


def licence() -> bytes:
    """The licence of Halide itself: the first part of the package's file. Raises HwmlError when it has none."""
    path = halide_folder() / "share" / "doc" / "Halide" / "LICENSE.txt"
    try:
        return read_bytes(path).partition(b"\n-----")[0].strip() + b"\n"
    except OSError as error:
        raise HwmlError(f"{path}: cannot read: {error.strerror or error}; reinstall halide") from error


def library_folder() -> Path:
    """Folder of libHalide and the autoscheduler plug-ins."""
    for name in ("lib64", "lib", "bin"):
        folder = halide_folder() / name
        if any(folder.glob("*autoschedule_adams2019*")):
            return folder
    raise HwmlError(f"{halide_folder()}: no adams2019 autoscheduler in this halide package; halide 21 has one")


def plugin_path(scheduler: str = AUTOSCHEDULER) -> Path:
    """The plug-in of an autoscheduler. Raises HwmlError when this halide package has none."""
    suffix = {"darwin": ".so", "win32": ".dll"}.get(sys.platform, ".so")
    for path in sorted(library_folder().glob(f"*autoschedule_{scheduler.lower()}*{suffix}")):
        return path
    raise HwmlError(f"{library_folder()}: no {scheduler} plug-in; reinstall halide")


def other_autoschedulers() -> list[str]:
    """Autoschedulers beside adams2019 whose plug-ins are in this halide package."""
    return [name for name in OTHER_AUTOSCHEDULERS if any(library_folder().glob(f"*autoschedule_{name.lower()}*"))]


def program(name: str) -> Path:
    """A program of the package, such as `adams2019_retrain_cost_model`."""
    path = halide_folder() / "bin" / (name + (".exe" if sys.platform == "win32" else ""))
    if not path.is_file():
        raise HwmlError(f"{path}: this halide package has no such program; halide 21.0.0 has it")
    return path


def tools_folder() -> Path:
    """Folder of RunGenMain.cpp."""
    for folder in (halide_folder() / "share" / "tools", halide_folder() / "share" / "Halide" / "tools"):
        if (folder / "RunGenMain.cpp").is_file():
            return folder
    raise HwmlError(f"{halide_folder()}: no RunGenMain.cpp in this halide package; reinstall halide")


def inside_plugin(header: bytes, size: int, scheduler: str = AUTOSCHEDULER) -> bytes:
    """`size` bytes of a plug-in of Halide from where `header` stands in it. Raises HwmlError when it does not."""
    data = plugin_path(scheduler).read_bytes()
    place = data.find(header)
    if place < 0:
        raise HwmlError(f"{plugin_path(scheduler)}: no embedded weights of this model version; halide 21 has them")
    return data[place : place + size]
