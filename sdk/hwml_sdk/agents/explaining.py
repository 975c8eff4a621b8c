"""`explain`, and the same pages as resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import HwmlError
from ..explain import codes, page
from ..report import SCHEMA_VERSION
from .sources import Folders
from .work import Tell

PREFIX = "hwml://explain/"


def explain(arguments: Mapping[str, Any], folders: Folders, tell: Tell) -> dict[str, Any]:
    """One page, or all codes."""
    code = arguments.get("code")
    if code is None:
        return {"schema_version": SCHEMA_VERSION, "codes": codes()}
    text = page(code)
    name, _, title = text.splitlines()[0].removeprefix("# ").partition(": ")
    return {"schema_version": SCHEMA_VERSION, "code": name, "title": title, "markdown": text}


def pages() -> dict[str, str]:
    """URI -> title of every page."""
    return {f"{PREFIX}{code}": title for code, title in codes().items()}


def read_page(uri: str) -> str:
    """The page of a URI. Raises HwmlError for any other."""
    if not uri.startswith(PREFIX):
        raise HwmlError(f"{uri[:200]}: no such resource; {PREFIX}CODE are the pages of hwml explain")
    return page(uri.removeprefix(PREFIX))
