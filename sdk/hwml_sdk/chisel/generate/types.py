"""What goes into a generation and what comes out of it: plain frozen data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ..evaluate.behaviour import Verdict
from ..types import ChiselDiagnostic, Port

Origin = Literal["sample", "repair", "rules"]
Failing = Literal["model", "compile", "elaborate", "lower", ""]
Ending = Literal["found", "none", "budget", "interrupted"]


@dataclass(frozen=True, slots=True)
class Message:
    """A turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. tokens: as server or tokeniser count; cut: stopped before its end; error: why not."""

    text: str
    tokens: int = 0
    seconds: float = 0.0
    cut: bool = False
    error: str = ""


class Backend(Protocol):
    """Something that continues chats."""

    name: str
    bare: bool
    """whether it has seen nothing but rows of prompt and answer: rules and examples would only confuse it"""

    def ask(
        self, chats: Sequence[Sequence[Message]], *, most_tokens: int, stop: Callable[[], bool]
    ) -> Iterator[tuple[int, Answer]]:
        """One answer a chat, as they come, each with the chat's index; none more once `stop()` is true."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """What a generation may cost at most; 0: no limit. tokens: of answers, all together."""

    seconds: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One text that was checked.

    chain: the sample it stems from; round: 0 for the sample, then one for each correction; before: index of the attempt
    it came from. stage: the first stage that it failed (model: no code came), "" when it was lowered; diagnostics: why.
    netlist: a number that texts of the same circuit share; twin: index of an earlier attempt with that number.
    verdict: of the comparison with a reference. group: candidates with this number agree in what they do.
    area: predicted LUT + FF + 100 DSP. check_ms: all of the loop besides the model.
    """

    index: int
    chain: int
    round: int
    origin: Origin
    code: str
    stage: Failing
    before: int | None = None
    diagnostics: tuple[ChiselDiagnostic, ...] = ()
    words: str = ""
    title: str = ""
    module: str = ""
    verilog: str = ""
    ports: tuple[Port, ...] = ()
    netlist: str = ""
    twin: int | None = None
    verdict: Verdict | None = None
    group: int | None = None
    area: int | None = None
    tokens: int = 0
    model_s: float = 0.0
    check_ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Compiled, elaborated and lowered."""
        return self.stage == ""


@dataclass(frozen=True, slots=True)
class Generation:
    """best: what to use, or the attempt that came furthest, None where no code came at all; attempts: all, in order.

    ended: found; none (nothing passed); budget or interrupted (what is there was kept). notes: what to know of it.
    """

    spec: str
    best: Attempt | None
    attempts: tuple[Attempt, ...]
    ended: Ending
    backend: str
    tokens: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether `best` was compiled, elaborated and lowered, and behaves as the reference where there is one."""
        return self.best is not None and self.best.ok and self.best.verdict in (None, "proven", "bounded")

    def finals(self) -> tuple[Attempt, ...]:
        """The last attempt of each chain."""
        return tuple({item.chain: item for item in self.attempts}.values())
