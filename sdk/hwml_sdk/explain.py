"""Pages of `hwml explain CODE`: one Markdown file per code in the `pages` folder, first line `# CODE: title`."""

from __future__ import annotations

from importlib import resources

from .errors import HwmlError


def codes() -> dict[str, str]:
    """Every code that has a page, with its title, sorted."""
    found = {}
    for entry in resources.files("hwml_sdk").joinpath("pages").iterdir():
        if entry.name.endswith(".md"):
            head = entry.read_text(encoding="utf-8").splitlines()[0]
            found[entry.name.removesuffix(".md")] = head.partition(": ")[2]
    return dict(sorted(found.items()))


def page(code: str) -> str:
    """The Markdown page of `code` (case does not matter). HwmlError for an unknown one, naming the nearest."""
    known = {name.upper(): name for name in codes()}
    name = known.get(code.upper())
    if name is None:
        import difflib

        near = difflib.get_close_matches(code.upper(), known, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; hwml explain lists them all"
        raise HwmlError(f"no page for {code!r}{hint}")
    return resources.files("hwml_sdk").joinpath("pages", f"{name}.md").read_text(encoding="utf-8")
