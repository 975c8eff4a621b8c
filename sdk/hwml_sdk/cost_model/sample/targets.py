"""What to schedule: a Python pipeline, a C++ generator, or one of hwml's own pipelines.

A target is written `module:function`, `file.py` (its function `pipeline`), `file.py:function`, `file.cpp` (a C++
generator), `random:SEED` or `suite:NAME`. A Python function takes no arguments and returns a halide Pipeline, a Func or
a list of Funcs, with estimates on all inputs and outputs.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from ...errors import HwmlError, SourceError
from ...files import read_source
from ..toolkit import halide_folder

DEFAULT_FUNCTION = "pipeline"
_GENERATOR = re.compile(r"HALIDE_REGISTER_GENERATOR\s*\(\s*[\w:<>, ]+?,\s*(\w+)\s*(?:,[\w:\s]*)?\)")
_ALIAS = re.compile(r"HALIDE_REGISTER_GENERATOR_ALIAS\s*\(\s*(\w+)\s*,")
_PARAMETER = re.compile(r"GeneratorParam<[^>;{]*>+\s+(\w+)\s*[{(]\s*\"([^\"]+)\"")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DIRECTIVE = re.compile(
    r"\.\s*(?:compute_root|compute_at|store_at|vectorize|parallel|tile|split|unroll|reorder|gpu_tile)\s*\("
)


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed target."""

    kind: Literal["python", "cpp", "random", "suite"]
    place: str
    """module name, absolute file path, seed or name in the suite"""
    function: str = ""

    def __str__(self) -> str:
        prefix = f"{self.kind}:" if self.kind in ("random", "suite") else ""
        return f"{prefix}{self.place}{':' + self.function if self.function else ''}"


def parse_target(text: str) -> Target:
    """Read a target's text. Raises HwmlError or SourceError naming what was expected."""
    kind, _, rest = text.partition(":")
    if kind == "random":
        if not (rest or "0").isdigit():
            raise HwmlError(f"{text}: random:SEED needs a whole number as its seed")
        return Target("random", rest or "0")
    if kind == "suite" and rest:
        return Target("suite", rest)
    file, _, function = text.rpartition(":") if ".py:" in text or ".cpp:" in text else (text, "", "")
    if file.endswith((".cpp", ".cc", ".cxx")):
        return Target("cpp", str(_existing(file)), function)
    if file.endswith(".py"):
        return Target("python", str(_existing(file)), function or DEFAULT_FUNCTION)
    module, _, function = text.partition(":")
    if module and all(part.isidentifier() for part in module.split(".")) and function.isidentifier():
        return Target("python", module, function)
    raise HwmlError(
        f"{text}: no target; write module:function, FILE.py[:function], GENERATOR.cpp, random:SEED or suite:NAME"
    )


def generator_names(source: str | Path) -> list[str]:
    """Names registered in a generator's source, aliases last."""
    text = _COMMENT.sub(" ", read_source(source))
    return [*_GENERATOR.findall(text), *_ALIAS.findall(text)]


def registered_by(source: str | Path, name: str) -> str:
    """`name` where the source registers it, else nothing."""
    return name if name in generator_names(source) else ""


def generator_parameters(source: str | Path) -> list[str]:
    """Names of the GeneratorParams in a generator's source."""
    return [name for _, name in _PARAMETER.findall(_COMMENT.sub(" ", read_source(source)))]


def has_hand_schedule(target: Target) -> bool:
    """Whether a target's own source schedules something (by its words)."""
    if target.kind not in ("cpp", "python") or not Path(target.place).is_file():
        return False
    return bool(_DIRECTIVE.search(_COMMENT.sub(" ", read_source(target.place))))


_GPU = ("cuda", "opencl", "metal", "vulkan", "webgpu", "d3d12compute")


def check_halide_target(text: str, target: Target, run_with: str = "") -> None:
    """HwmlError for a Halide target whose schedules cannot be measured here, with the reason."""
    words = text.split("-")
    gpu = next((word for word in words if word.startswith(_GPU)), "")
    if gpu:
        raise HwmlError(
            f"--halide-target {text}: adams2019 schedules processors only, so its samples would say nothing about "
            f"{gpu}; leave the feature out"
        )
    if run_with and target.kind != "cpp":
        raise HwmlError(f"--run-with: {target} is compiled and run in one process; only C++ generators run elsewhere")
    if text.startswith("host") or run_with:
        return
    arch = {"x86_64": "x86-64", "AMD64": "x86-64", "aarch64": "arm-64", "arm64": "arm-64"}.get(
        platform.machine(), "host"
    )
    system = {"darwin": "osx", "win32": "windows"}.get(sys.platform, sys.platform)
    if not text.startswith(f"{arch}-{system}"):
        raise HwmlError(
            f"--halide-target {text}: is no target of this machine ({arch}-{system}), and nothing can be timed here; "
            'sample a generator there with --run-with "ssh BOARD", or measure there and train from the .sample files'
        )


def default_name(target: Target) -> str:
    """A name for a target's samples: of a generator the registered one."""
    if target.kind == "cpp":
        names = [target.function] if target.function else generator_names(target.place)
        if len(names) != 1:
            raise HwmlError(f"{target}: registers {', '.join(names) or 'no generator'}; choose one with --name")
        return names[0]
    if target.kind == "python":
        stem = Path(target.place).stem if target.place.endswith(".py") else target.place.rpartition(".")[2]
        return stem if target.function in ("", DEFAULT_FUNCTION) else f"{stem}_{target.function}"
    return f"random_{target.place}" if target.kind == "random" else target.place


def _existing(file: str) -> Path:
    path = Path(file).resolve()
    if not path.is_file():
        raise SourceError("no such file", path=file)
    return path


def build_pipeline(target: Target) -> Any:
    """The halide.Pipeline of a Python target (its code is run). Raises HwmlError with the code's own words."""
    halide_folder()
    import halide

    if target.kind == "random":
        from ..pipelines.random_pipelines import random_pipeline

        made = random_pipeline(int(target.place))
    elif target.kind == "suite":
        from ..pipelines.suite import build

        made = build(target.place)
    elif target.kind == "python":
        made = _call(target)
    else:
        raise HwmlError(f"{target}: a C++ generator is no Python pipeline")
    if isinstance(made, halide.Func):
        return halide.Pipeline(made)
    if isinstance(made, list | tuple) and made and all(isinstance(item, halide.Func) for item in made):
        return halide.Pipeline(list(made))
    if isinstance(made, halide.Pipeline):
        return made
    raise HwmlError(f"{target}: returned {type(made).__name__}; a halide Pipeline, Func or list of Funcs was expected")


def _call(target: Target) -> Any:
    try:
        module = _module(target.place)
        function = getattr(module, target.function, None)
        if function is None:
            raise HwmlError(f"{target.place}: has no function {target.function!r}; name it FILE.py:function")
        return function()
    except HwmlError:
        raise
    except Exception as error:
        # Somebody else's code: whatever it raises is told with its type and place.
        place = _last_line(error)
        raise HwmlError(f"{target}: {type(error).__name__}: {error}{place}") from error


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        sys.path.insert(0, str(Path.cwd()))
        return import_module(place)
    spec = util.spec_from_file_location(Path(place).stem, place)
    if spec is None or spec.loader is None:
        raise HwmlError(f"{place}: cannot be imported")
    module = util.module_from_spec(spec)
    sys.path.insert(0, str(Path(place).parent))
    spec.loader.exec_module(module)
    return module


def _last_line(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
