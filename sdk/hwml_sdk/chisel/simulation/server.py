"""The simulated proposer: an OpenAI-compatible server on this machine that answers tasks with their references,
some of them corrupted; asked to correct an answer, it takes each fault out with a given skill.
"""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..evaluate.tasks import Task
from .faults import corrupted, draw, fitting, seen

MODEL = "simulation"
MOST_FAULTS = 3
_PIECE = 200  # characters of a streamed piece


@dataclass(frozen=True, slots=True)
class Skill:
    """rate: of answers with faults; correction: the chance that a round takes out a fault; seed: of all draws."""

    rate: float = 0.7
    correction: float = 0.5
    seed: int = 0


class Proposer:
    """What the server says. The same questions, asked as often, get the same answers in any order of others."""

    def __init__(self, tasks: Sequence[Task], skill: Skill) -> None:
        self._tasks = sorted((task for task in tasks if task.reference), key=lambda task: -len(task.prompt))
        self.skill = skill
        self._asked: Counter[str] = Counter()
        self._said: dict[str, tuple[Task, tuple[str, ...], str]] = {}
        self._lock = threading.Lock()

    def answer(self, messages: Sequence[dict[str, str]]) -> str:
        """The answer to a chat, in a fence."""
        whole = json.dumps(messages)
        with self._lock:
            self._asked[whole] += 1
            rng = random.Random(f"{self.skill.seed} {whole} {self._asked[whole]}")
            earlier = self._said.get(_code(messages[-2]["content"])) if len(messages) > 1 else None
            if earlier is not None:
                task, faults, seed = earlier
                faults = tuple(fault for fault in faults if rng.random() >= self.skill.correction)
            else:
                found = next((task for task in self._tasks if task.prompt in messages[-1]["content"]), None)
                if found is None:
                    return "I only know the tasks of the evaluation."
                task, seed = found, str(rng.random())
                bad = rng.random() < self.skill.rate
                faults = draw(task.reference, rng.randint(1, MOST_FAULTS), rng, seed) if bad else ()
            text = corrupted(task.reference, faults, seed)
            self._said[text.strip()] = task, faults, seed
        return f"```scala\n{text.strip()}\n```\n"

    def faults_in(self, code: str) -> tuple[str, ...] | None:
        """The faults that were put into a text that was said, None for another text."""
        known = self._said.get(code.strip())
        return None if known is None else known[1]

    def kind(self, code: str) -> str:
        """Whether the faults of a text that was said are of families at hand when the rules were written.

        seen, hidden, or mixed; "" for a text without faults.
        """
        faults = self.faults_in(code) or ()
        kinds = {seen(family) for family in faults}
        return "mixed" if len(kinds) == 2 else "" if not kinds else "seen" if True in kinds else "hidden"


def _code(content: str) -> str:
    return content.partition("```scala\n")[2].rpartition("\n```")[0].strip()


def pass_rate(task: Task, skill: Skill, rounds: int) -> float:
    """The chance that one sample is right after so many rounds of correction, without rules.

    (1 - rate) + rate * mean over k = 1..3 of (1 - (1 - correction)^rounds)^k: each of k faults has been taken out in
    one of the rounds, independently. k is at most what fits into the reference.
    """
    most = len(fitting(task.reference))
    healed = 1 - (1 - skill.correction) ** rounds
    chances = [healed ** min(k, most) for k in range(1, MOST_FAULTS + 1)]
    return (1 - skill.rate) + skill.rate * sum(chances) / len(chances)


def closed_form(tasks: Sequence[Task], skill: Skill, rounds: int, n: int) -> float:
    """pass@n over tasks: 1 - (1 - p)^n for each."""
    return sum(1 - (1 - pass_rate(task, skill, rounds)) ** n for task in tasks) / max(1, len(tasks))


@contextmanager
def serving(proposer: Proposer) -> Iterator[str]:
    """The address of a server that lasts as long as the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            try:
                asked = json.loads(self.rfile.read(length))
                text = proposer.answer(asked["messages"])
            except (ValueError, KeyError, TypeError):
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in _events(text):
                self.wfile.write(b"data: " + event + b"\n\n")

        def log_message(self, *_: Any) -> None:
            """Nothing: the one who asks shows what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _events(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), _PIECE):
        yield json.dumps({"choices": [{"delta": {"content": text[start : start + _PIECE]}}]}).encode()
    # A token is about four characters: nothing here has a tokeniser.
    yield json.dumps(
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": len(text) // 4}}
    ).encode()
    yield b"[DONE]"
