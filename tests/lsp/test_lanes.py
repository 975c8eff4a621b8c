"""A document that takes long and another one that waits meanwhile are both answered, each figure once."""

from __future__ import annotations

from pathlib import Path

from tests.lsp.lsp_client import at, running
from tests.lsp.sources import SCALE
from tests.qor.growth import FAMILIES


def test_what_takes_long_and_what_waits_are_both_answered(tmp_path: Path) -> None:
    with running(tmp_path) as client:
        client.settings = {"debounceMs": 0}
        client.initialize(folder=tmp_path)
        good = client.open((tmp_path / "a.cpp").as_uri(), SCALE)
        assert len(client.hints(good)) == 1
        bomb = client.open((tmp_path / "bomb.cpp").as_uri(), FAMILIES["loops_straight"](2000))
        client.change(good, 2, at(5, 21, 5, 25, "II=4"))
        client.until(lambda: client.hints(good) and client.hints(good)[0]["label"].startswith("II 4"), "new hint")
        client.pull(bomb)
        client.until(lambda: client.hints(bomb), "hints of what takes long")
        assert len({(h["position"]["line"], h["label"]) for h in client.hints(bomb)}) == len(client.hints(bomb))
        assert len(client.hints(good)) == 1
