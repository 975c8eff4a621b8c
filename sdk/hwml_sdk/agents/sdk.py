"""The official Python SDK of the Model Context Protocol, without the parts that a server on a pipe has no use for.

`import mcp` loads clients, web servers and their cryptography: 0.3 s more than all that is used here. So its package
and `mcp.server` are entered without their front doors; their modules are the SDK's own, unchanged.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

from ..errors import MissingDependencyError

_ENTERED = ("mcp", "mcp.server")


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
        import mcp.server.lowlevel.server
        import mcp.server.stdio
    except (ImportError, AttributeError):  # a release that is laid out in another way: through its front door
        for name in [name for name in sys.modules if name.partition(".")[0] == "mcp"]:
            del sys.modules[name]
        import mcp.server.lowlevel.server
        import mcp.server.stdio  # noqa: F401
