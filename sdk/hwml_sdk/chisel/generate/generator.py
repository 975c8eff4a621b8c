"""`ChiselGenerator`: a request in, a module out that was compiled, elaborated and lowered, or a plain no."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...config import DEFAULT_CHISEL_VERSION
from ...errors import DataError, HwmlError, NoAnswerError
from ...interrupt import answered_ctrl_c, heed_ctrl_c
from ..evaluate.behaviour import check_yosys
from .checks import Checker, Place, furthest
from .endpoint import EndpointBackend, EndpointConfig
from .knowledge import Knowledge, Retrieval
from .local import LocalBackend, LocalConfig
from .prompt import MOST_SPEC, correction, first
from .rank import Reference, best_of, grouped, judged
from .types import Answer, Attempt, Backend, Budget, Ending, Generation, Message

_CHECKS_AT_ONCE = 2
Say = Callable[[str], None]
_Waiting = tuple[int, Answer, "Future[list[Attempt]]"]


class ChiselGenerator:
    """Asks a backend, checks what it says, and chooses.

    retrieval: how notes and examples are found: "bm25", "encoder", or "auto" (the encoder where one is installed).
    rules: mend candidates by the rules of `hwml chisel fix` before the model is asked again. say: hears what goes on,
    from several threads.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        version: str = DEFAULT_CHISEL_VERSION,
        retrieval: Retrieval = "auto",
        rules: bool = True,
        most_tokens: int = 2048,
        say: Say | None = None,
    ) -> None:
        self.backend = backend
        self.rules = rules
        self.most_tokens = most_tokens
        self.say = say or (lambda _: None)
        self.knowledge = None if backend.bare else Knowledge(retrieval)
        self.checker = Checker(version)

    @classmethod
    def local(
        cls,
        folder: str | Path,
        *,
        adapter: str | Path = "",
        temperature: float = 0.8,
        seed: int = 0,
        rules: bool = True,
    ) -> ChiselGenerator:
        """One that asks the Hugging Face model in a folder, with a PEFT adapter where one is named.

        Raises ArtifactError for a folder that is no model, MissingDependencyError without the extra `llm`.
        """
        config = LocalConfig(str(folder), str(adapter), temperature=temperature, seed=seed)
        return cls(LocalBackend(config), rules=rules)

    @classmethod
    def endpoint(cls, url: str, model: str, *, temperature: float = 0.8, rules: bool = True) -> ChiselGenerator:
        """One that asks an OpenAI-compatible endpoint (url: up to /v1); its key is taken from HWML_API_KEY."""
        return cls(EndpointBackend(EndpointConfig(url, model, temperature=temperature)), rules=rules)

    def generate(
        self,
        spec: str,
        *,
        n_samples: int = 8,
        max_repairs: int = 3,
        reference: Reference | None = None,
        budget: Budget | None = None,
        enough: int = 3,
    ) -> Generation:
        """Sample, check, mend, correct, rank.

        n_samples: chains that are begun; max_repairs: rounds in which the model sees its diagnostics.
        reference: Verilog of what is wanted; without it, what most candidates agree in is taken.
        enough: stop early once so many candidates are one circuit (with a reference: once one behaves); 0: never.
        Ctrl-C and a spent budget end it with what is there. Raises HwmlError for an empty or overlong request and
        numbers out of range, MissingDependencyError for a reference without yosys, NoAnswerError where every question
        to the backend failed, RefusedError without a fence.
        """
        spec = _sensible(spec, n_samples, max_repairs)
        if reference is not None:
            check_yosys()  # before the minutes that answers take
        run = _Run(self, spec, reference, budget or Budget(), enough)
        try:
            run.rounds(n_samples, max_repairs)
        except KeyboardInterrupt:
            run.ended = "interrupted"
            answered_ctrl_c()
        return run.result()


def _sensible(spec: str, n_samples: int, max_repairs: int) -> str:
    if not spec.strip():
        raise HwmlError("the request is empty: say what the module is to do")
    if len(spec) > MOST_SPEC:
        raise DataError(f"the request has {len(spec)} characters, over the limit of {MOST_SPEC}; shorten it")
    if not 1 <= n_samples <= 1000 or not 0 <= max_repairs <= 20:
        raise HwmlError("samples are 1 to 1000, repairs 0 to 20")
    return spec.strip()


@dataclass(slots=True)
class _Run:
    """One generation while it goes on."""

    own: ChiselGenerator
    spec: str
    reference: Reference | None
    budget: Budget
    enough: int
    attempts: list[Attempt] = field(default_factory=list)
    ended: Ending = "none"
    errors: list[str] = field(default_factory=list)
    tokens: int = 0
    began: float = field(default_factory=time.monotonic)

    def rounds(self, n_samples: int, max_repairs: int) -> None:
        opening = first(self.spec, self.own.knowledge)
        chats = dict.fromkeys(range(n_samples), opening)
        before: dict[int, Attempt] = {}
        for number in range(max_repairs + 1):
            self._round(chats, number, before)
            if number == 0 and self.errors and len(self.errors) == len(self.attempts):
                raise NoAnswerError(f"{self.own.backend.name} gave no answer: {self.errors[0]}", self.result())
            # What does something else than the reference is not corrected: there are no diagnostics to show.
            before = {chain: item for chain, item in self._last().items() if not item.ok}
            if not before or self._over() or self._found():
                return
            chats = {
                chain: correction(opening, item.code, item.diagnostics, item.words) for chain, item in before.items()
            }

    def _last(self) -> dict[int, Attempt]:
        return {item.chain: item for item in self.attempts}

    def _round(self, chats: dict[int, list[Message]], number: int, before: dict[int, Attempt]) -> None:
        chains = list(chats)
        with ThreadPoolExecutor(_CHECKS_AT_ONCE, thread_name_prefix="candidates") as pool:
            answers = self.own.backend.ask(list(chats.values()), most_tokens=self.own.most_tokens, stop=self._over)
            waiting: list[_Waiting] = []
            try:
                for index, answer, found in _checked(
                    pool, waiting, answers, lambda at, said: self._check(chains[at], number, before, said)
                ):
                    self._take(chains[index], answer, found)
                    if self._over() or self._found():
                        pool.shutdown(wait=False, cancel_futures=True)
                        return
            except KeyboardInterrupt:  # what was answered is kept: its check takes moments
                for index, answer, future in waiting:
                    self._take(chains[index], answer, future.result())
                raise

    def _check(self, chain: int, number: int, before: dict[int, Attempt], answer: Answer) -> list[Attempt]:
        """What an answer makes: itself, and itself mended. before: index -1 stands for the one just before."""
        earlier = before.get(chain)
        item = self.own.checker.sample(self.spec, answer, Place(chain, number, earlier.index if earlier else None))
        mended = None
        if self.own.rules and not item.ok and item.stage != "model":
            mended = self.own.checker.mended(self.spec, item)
        last = mended or item
        state = f"{last.stage}: {last.words}"[:100] if last.stage else "lowered"
        self.own.say(
            f"sample {chain + 1}, round {number}, {last.origin}: {state}"
        )  # now: the next answer may take long
        return [item] if mended is None else [item, replace(mended, before=-1)]

    def _take(self, chain: int, answer: Answer, found: Sequence[Attempt]) -> None:
        self.tokens += answer.tokens
        if answer.error:
            self.errors.append(answer.error)
        for item in found:
            number = len(self.attempts)
            twin = next((a.index for a in self.attempts if item.netlist and a.netlist == item.netlist), None)
            before = number - 1 if item.before == -1 else item.before
            self.attempts.append(replace(item, index=number, twin=twin, before=before))

    def _over(self) -> bool:
        spent = self.budget.seconds and time.monotonic() - self.began > self.budget.seconds
        spent = spent or (self.budget.tokens and self.tokens >= self.budget.tokens)
        if spent:
            self.ended = "budget"
        return bool(spent)

    def _found(self) -> bool:
        if not self.enough:
            return False
        if self.reference is not None:
            self.attempts = judged(self.attempts, self.reference)
            return best_of(self.attempts) is not None
        numbers = [item.netlist for item in self.attempts if item.ok]
        return any(numbers.count(number) >= self.enough for number in set(numbers))

    def result(self) -> Generation:
        attempts, notes = list(self.attempts), []
        if self.reference is not None:
            attempts = judged(attempts, self.reference)
        else:
            attempts, note = grouped(attempts)
            notes += [note] if note else []
        best = best_of(attempts)
        if best is not None and self.ended != "interrupted":
            self.ended = "found"
        groups = {item.group for item in attempts if item.ok}
        if len(groups) > 1:
            notes.append(f"candidates disagree: {len(groups)} different behaviours; say more, or give a reference")
        notes += list(dict.fromkeys(f"the model was not reached: {words}" for words in self.errors))[:3]
        seconds = round(time.monotonic() - self.began, 2)
        return Generation(
            self.spec,
            best or furthest(attempts),
            tuple(attempts),
            self.ended,
            self.own.backend.name,
            self.tokens,
            seconds,
            tuple(notes),
        )


def _checked(
    pool: ThreadPoolExecutor,
    waiting: list[_Waiting],
    answers: Iterator[tuple[int, Answer]],
    check: Callable[[int, Answer], list[Attempt]],
) -> Iterator[tuple[int, Answer, list[Attempt]]]:
    """Check answers while others are still being written; what is ready comes out at once, in the order of asking.

    waiting: holds at any time what was answered and has not come out.
    """
    for index, answer in answers:
        waiting.append((index, answer, pool.submit(check, index, answer)))
        while waiting and waiting[0][2].done():
            at, said, future = waiting.pop(0)
            yield at, said, future.result()
    while waiting:
        heed_ctrl_c()
        at, said, future = waiting[0]
        found = future.result()
        del waiting[0]
        yield at, said, found
