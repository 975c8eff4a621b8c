"""The official Python SDK of the Model Context Protocol, without the parts that a server on a pipe has no use for.

`import mcp` loads clients, web servers and their cryptography: 0.3 s more than all that is used here. So its package
and `mcp.server` are entered without their front doors; their modules are the SDK's own, unchanged.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from ..errors import MissingDependencyError

_ENTERED = ("mcp", "mcp.server")
# What its modules name and a server on a pipe needs seldom (a time-out's code) or never (its own check of arguments).
_LATER = ("httpx", "jsonschema")


class _Later(ModuleType):
    """Stands for a module until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


@contextmanager
def _later(*names: str) -> Iterator[None]:
    """Modules that are imported within keep a stand-in for these; everybody else gets the modules themselves."""
    standing_in = {name: _Later(name) for name in names if name not in sys.modules}
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for name, module in standing_in.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextmanager
def _models_built_on_use() -> Iterator[None]:
    """The protocol has some 150 models, a session uses a tenth: those that are defined within are built when used."""
    from pydantic import BaseModel

    before = BaseModel.model_config
    BaseModel.model_config = {**before, "defer_build": True}
    gc.disable()  # classes are full of cycles that stay: looking for those to free costs a tenth of the start
    try:
        yield
    finally:
        BaseModel.model_config = before
        gc.freeze()
        gc.enable()


def enter() -> None:
    """Make `mcp.types`, `mcp.server.lowlevel.server` and `mcp.server.stdio` importable at little cost.

    Does nothing where the SDK is loaded already. Raises MissingDependencyError without it.
    """
    if "mcp" in sys.modules:
        return
    found = find_spec("mcp")
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError("mcp", "mcp")
    folder = found.submodule_search_locations[0]
    for name in _ENTERED:
        module = ModuleType(name)
        module.__path__ = [folder + name.removeprefix("mcp").replace(".", "/")]
        module.__package__ = name
        sys.modules[name] = module
    try:
        with _later(*_LATER), _models_built_on_use():
            import mcp.server.lowlevel.server
            import mcp.server.stdio
    except (ImportError, AttributeError):  # a release that is laid out in another way: through its front door
        for name in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
            del sys.modules[name]
        import mcp.server.lowlevel.server
        import mcp.server.stdio  # noqa: F401
