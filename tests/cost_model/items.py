"""Functions that the executor's tests run in processes of their own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from hwml_sdk.errors import HwmlError


def square(item: dict[str, Any]) -> dict[str, Any]:
    """The square of a number; notes each call when told where."""
    if item.get("abort"):
        os.abort()
    if "log" in item:
        with Path(item["log"]).open("a") as stream:
            stream.write(f"{item['number']} ")
    return {"square": item["number"] ** 2}


def end(item: dict[str, Any]) -> dict[str, Any]:
    """End in the way asked for."""
    way = item["way"]
    if way == "error":
        raise HwmlError("said so")
    if way == "crash":
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os.abort()
    if way == "hang":
        time.sleep(600)
    if way == "memory":
        bytearray(1 << 40)
    return {}


def crash_first(item: dict[str, Any]) -> dict[str, Any]:
    """Crash so many times before it works."""
    path = Path(item["file"])
    tries = len(path.read_text()) if path.exists() else 0
    if tries < item["crashes"]:
        path.write_text("x" * (tries + 1))
        os.abort()
    return {}


def wait_long(item: dict[str, Any]) -> dict[str, Any]:
    """Write the process's number and wait."""
    partial = Path(item["file"] + ".partial")
    partial.write_text(str(os.getpid()))
    partial.replace(item["file"])
    time.sleep(600)
    return {}
