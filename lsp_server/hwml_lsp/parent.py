"""The process that started the server: when it is gone and its pipe is still open somewhere, the server ends itself."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable

log = logging.getLogger("hwml_lsp.parent")
LOOK_EVERY_S = 3.0


async def watch(number: int, end: Callable[[], None]) -> None:
    """Wait until process `number` is gone, then end this one, as the protocol asks of a server.

    A number that says nothing here from the first (a client in another container) is not for this: whoever starts it
    asks `is_alive` before it answers the client, who may be gone a moment later.
    """
    while is_alive(number):
        await asyncio.sleep(LOOK_EVERY_S)
    log.warning("the process %d that started this server is gone", number)
    end()
    os._exit(1)  # the loop waits for a pipe that nobody writes to any more


def is_alive(number: int) -> bool:
    """Whether there is such a process; where that cannot be asked without ending it (Windows), it is taken to live."""
    if sys.platform == "win32" or number <= 0:
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
