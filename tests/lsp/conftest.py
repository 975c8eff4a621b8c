"""Servers shared by the tests of one file: starting one takes about a second."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from tests.lsp.lsp_client import PLAIN, Client, running

_names = count()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    """A server for a client that can do everything."""
    with running(place) as started:
        started.initialize(folder=place)
        yield started
        assert started.end() == 0


@pytest.fixture(scope="module")
def plain(place: Path) -> Iterator[Client]:
    """A server for a client that can do little: it counts in UTF-32 and has findings pushed."""
    with running(place) as started:
        started.initialize(PLAIN, place)
        yield started
        assert started.end() == 0


@pytest.fixture
def uri(place: Path) -> str:
    """A name that no other test uses; nothing is on disk."""
    return (place / f"file{next(_names)}.cpp").as_uri()
