"""An exploration as one page that needs no network: a plot, a table that sorts, the pragmas and the diff of a point."""

from __future__ import annotations

import html
import json
from importlib.resources import files

from .explore import Exploration

PLOTTED = 1500  # points of a page beside the front; more hide one another and make it large


def page(found: Exploration) -> str:
    """HTML text; all that comes from the source is data, never markup."""
    told = found.to_dict()
    rest = [point for point in told["points"] if not point["front"]]
    step = max(-(-len(rest) // PLOTTED), 1)
    kept = [point for index, point in enumerate(rest) if index % step == 0 or point["present"]]
    told["points"] = [*(point for point in told["points"] if point["front"]), *kept]
    data = json.dumps(told, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
    template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    title = html.escape(f"{found.top}: latency against area")
    return template.replace("@TITLE@", title).replace("@DATA@", data)
