"""Endpoints: what a good one says arrives whole; what a bad one does is told in a line, and never with the key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hwml_sdk.chisel.generate.endpoint import EndpointBackend, EndpointConfig
from hwml_sdk.chisel.generate.types import Answer, Message
from hwml_sdk.config import load_settings
from hwml_sdk.errors import ConfigError, HwmlError, ToolFailedError

from .endpoint_server import TEXT, Seen, serving

KEY = "sk-test-0123456789-abcdefghij"
CHAT = [Message("user", "a counter")]


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Seen]]:
    with serving() as found:
        yield found


@pytest.fixture
def place(server: tuple[str, Seen], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Seen]:
    monkeypatch.setenv("HWML_API_KEY", KEY)
    server[1].requests.clear()
    server[1].keys.clear()
    server[1].most_at_once = 0
    return server


def backend(place: tuple[str, Seen], model: str, **more: float) -> EndpointBackend:
    return EndpointBackend(EndpointConfig(place[0], model, pause_s=0.01, **{"silence_s": 5.0, "retries": 2, **more}))  # type: ignore[arg-type]


def ask(place: tuple[str, Seen], model: str, count: int = 1, **more: float) -> list[Answer]:
    found = backend(place, model, **more).ask([CHAT] * count, most_tokens=50, stop=lambda: False)
    return [answer for _, answer in sorted(found, key=lambda item: item[0])]


def test_what_is_sent_and_what_arrives(place: tuple[str, Seen]) -> None:
    (answer,) = ask(place, "good")
    assert (answer.text, answer.tokens, answer.cut, answer.error) == (TEXT, 5, False, "")
    (sent,) = place[1].requests
    assert sent["messages"] == [{"role": "user", "content": "a counter"}]
    assert (sent["stream"], sent["max_tokens"], place[1].keys) == (True, 50, [f"Bearer {KEY}"])
    # A server that does not stream answers in one piece; it says that the answer was cut at its length.
    (answer,) = ask(place, "whole")
    assert (answer.text, answer.tokens, answer.cut) == (TEXT, 9, True)


def test_no_more_at_once_than_allowed(place: tuple[str, Seen]) -> None:
    assert len(ask(place, "good", 9, at_once=3)) == 9
    assert place[1].most_at_once == 3


@pytest.mark.parametrize(
    ("model", "words", "tries"),
    [
        ("busy", "answered 429: slow down", 3),
        ("broken", "answered 503: down", 3),
        ("garbage", "sent an event that is none", 3),
        ("html", "answered what is no stream: a page in HTML", 3),
        ("no_json", "answered what is no completion", 3),
        ("leak_later", "sent an error: quota of [key]", 3),
    ],
)
def test_what_fails_is_tried_again_and_told(place: tuple[str, Seen], model: str, words: str, tries: int) -> None:
    (answer,) = ask(place, model)
    assert answer.text == ""
    assert words in answer.error
    assert len(place[1].requests) == tries


def test_busy_for_a_while(place: tuple[str, Seen]) -> None:
    (answer,) = ask(place, "busy_twice")
    assert (answer.text, answer.error) == (TEXT, "")


def test_a_stream_that_is_cut(place: tuple[str, Seen]) -> None:
    (answer,) = ask(place, "cut")
    assert answer.cut
    assert 0 < len(answer.text) < len(TEXT)
    assert TEXT.startswith(answer.text)
    assert "ended before the answer did" in answer.error


def test_silence(place: tuple[str, Seen]) -> None:
    (answer,) = ask(place, "silent", silence_s=0.1, retries=1)
    assert "timed out" in answer.error
    assert len(place[1].requests) == 2


def test_an_answer_without_end(place: tuple[str, Seen]) -> None:
    (answer,) = ask(place, "endless")
    assert answer.cut
    assert len(answer.text) < 2 << 20  # of 3.6 MB


def test_the_key_is_in_no_message(place: tuple[str, Seen]) -> None:
    with pytest.raises(ToolFailedError, match="answered 401") as caught:
        ask(place, "leak")
    assert not any(part in str(caught.value) for part in (KEY, KEY[:8], KEY[-8:]))
    assert "HWML_API_KEY" in str(caught.value)
    assert len(place[1].requests) == 1  # no second try mends a wrong key
    assert KEY not in repr(backend(place, "good")) + backend(place, "good").name


def test_redirects_are_not_followed(place: tuple[str, Seen]) -> None:
    with pytest.raises(ToolFailedError, match="redirects are not followed"):
        ask(place, "elsewhere")
    assert len(place[1].requests) == 1


def test_stop_ends_the_wait(place: tuple[str, Seen]) -> None:
    found = list(backend(place, "silent").ask([CHAT] * 3, most_tokens=50, stop=lambda: bool(place[1].requests)))
    assert found == []


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://a/v1", "http://user:secret@host/v1", "https://"])
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(HwmlError, match="--endpoint wants an address") as caught:
        EndpointBackend(EndpointConfig(url, "m"))
    assert "secret" not in str(caught.value)


def test_nobody_there(place: tuple[str, Seen]) -> None:
    config = EndpointConfig("http://127.0.0.1:9/v1", "m", pause_s=0.01, retries=1)
    ((_, answer),) = EndpointBackend(config).ask([CHAT], most_tokens=5, stop=lambda: False)
    assert "the connection failed" in answer.error


@pytest.mark.parametrize("name", ["endpoint", "model", "key"])
def test_a_workspace_names_no_endpoint(tmp_path: Path, name: str) -> None:
    (tmp_path / "hwml.toml").write_text(f'[chisel]\n{name} = "http://evil.example/v1"\n')
    with pytest.raises(ConfigError, match=name):
        load_settings(tmp_path / "a.scala", trusted=True)
