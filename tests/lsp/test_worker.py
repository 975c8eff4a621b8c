"""What threads of one worker share."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from hwml_lsp import worker
from hwml_sdk.config import Settings


def test_figures_of_the_last_commit_are_kept_for_several_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each makes room for its own while the others look theirs up."""
    monkeypatch.setattr(worker, "MAX_HEADS", 1)
    monkeypatch.setattr(worker, "_heads", {})
    failures: list[BaseException] = []

    def ask(who: int) -> None:
        try:
            for n in range(3000):
                found = worker._figures_of(f"{(who + n) % 5}", str(tmp_path / "a.txt"), "", "", Settings())
                assert found == {}
        except BaseException as error:
            failures.append(error)

    pause = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=ask, args=(who,)) for who in range(worker.THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(pause)
    assert failures == []
    assert len(worker._heads) == 1
