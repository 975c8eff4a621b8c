"""Entry points as hwml reads them, against Python's own reader."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from hwml_sdk import plugins


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "hwml.commands", "no.such.group"])
def test_as_importlib_metadata_reads_them(group: str) -> None:
    found = importlib.metadata.entry_points(group=group)
    named = {item.name: item.value.partition("[")[0].strip() for item in reversed(list(found))}
    expected = {name: value for name, value in named.items() if ":" in value}  # no whole modules: hwml has none
    assert dict(plugins.entry_points(group)) == expected
    assert bool(named) == (group != "no.such.group")


def test_odd_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first distribution on the path wins; comments, extras and blanks are passed over; other groups are others."""
    for folder, text in {
        "a/one-1.dist-info": "# [g]\n[other]\nx = other.module:x\n\n[g]\n; y = no\n x  =  one.module : thing [extra]\n",
        "b/two-1.egg-info": "[g]\nx = two.module:x\nz=two.module:Z.inner\nbroken\nmodule.only = two.module\n",
        "b/none-1.dist-info": "",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "entry_points.txt").write_text(text, encoding="utf-8")
    (tmp_path / "a" / "file.dist-info").write_text("no folder", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in ("gone", "a", "b")])
    plugins.entry_points.cache_clear()
    assert dict(plugins.entry_points("g")) == {"x": "one.module:thing", "z": "two.module:Z.inner"}
    plugins.entry_points.cache_clear()
