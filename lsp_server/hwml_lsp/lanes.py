"""Worker processes of their own for each language, so that nothing of one can hold up another: the lanes.

A lane starts with the server where its language loads something large, and with its first document elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from hwml_sdk.languages import Language, languages

from .backend import Answer
from .lane import Lane


class Lanes:
    """The workers of all languages. `on_lost` hears of which language it was; see `Lane` for the rest."""

    def __init__(self) -> None:
        self.on_answer: Callable[[Answer], None] = lambda _: None
        self.on_lost: Callable[[Language, str, Collection[int], Collection[int], bool], None] = lambda *_: None
        self._lanes: dict[str, Lane] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._number = 0

    def start(self) -> None:
        """Start what takes long to load; called before the event loop runs."""
        for language in languages():
            if language.warms_up:
                self.lane(language)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Deliver answers on this loop from now on."""
        self._loop = loop
        for lane in self._lanes.values():
            lane.attach(loop)

    def lane(self, language: Language) -> Lane:
        """The workers of a language, started where they are not yet."""
        lane = self._lanes.get(language.name)
        if lane is None:
            lane = self._lanes[language.name] = Lane(language)
            lane.on_answer = self._pass_on
            lane.on_lost = lambda *loss: self.on_lost(language, *loss)
            if self._loop is not None:
                lane.attach(self._loop)
            lane.start()
        return lane

    def _pass_on(self, answer: Answer) -> None:
        self.on_answer(answer)

    def next_number(self) -> int:
        """A fresh number for a job or a question, of any lane."""
        self._number += 1
        return self._number

    def is_ready(self, language: Language | None = None) -> bool:
        """Whether the worker of a language is loaded; None: all that were started are."""
        if language is None:
            return all(lane.ready for lane in self._lanes.values())
        return language.name in self._lanes and self._lanes[language.name].ready

    def has_given_up(self, language: Language | None = None) -> bool:
        """Whether no worker of a language will be started any more; None: of any language."""
        if language is None:
            return any(lane.given_up for lane in self._lanes.values())
        return language.name in self._lanes and self._lanes[language.name].given_up

    def analyze(self, number: int, language: Language, job: dict[str, Any]) -> None:
        """Have a document of a language analysed; answers come to `on_answer`."""
        self.lane(language).analyze(number, job)

    def cancel(self, number: int) -> None:
        """Nobody waits for this job any more."""
        for lane in self._lanes.values():
            lane.cancel(number)

    async def ask(self, language: Language, op: str, question: dict[str, Any]) -> Answer:
        """A question with one answer. ConnectionError when the worker is lost."""
        return await self.lane(language).ask(self.next_number(), op, question)

    def restart(self, reason: str) -> None:
        """Replace all workers."""
        for lane in self._lanes.values():
            lane.restart(reason)

    def close(self) -> None:
        """End for good."""
        for lane in self._lanes.values():
            lane.close()
