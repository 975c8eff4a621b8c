"""How a task is put: from a terse line to a specification. Ports and behaviour are the draft's own."""

from __future__ import annotations

import random
from collections.abc import Callable

from .draft import Draft, PortDraft, Saying
from .expressions import Expr

Wording = tuple[str, str]  # instruction, input


_MOST_WORDS = 60  # characters: nested operators read badly, and ambiguously, in words


def _shown(part: Expr, formulas: bool) -> str:
    plain = part.words.startswith("`") and part.words.count("`") == 2
    awkward = part.words.startswith(("whether", "not")) or len(part.words) > _MOST_WORDS
    return f"`{part.formula}`" if (formulas or awkward) and not plain and part.text else part.words


def _sentence(saying: Saying, formulas: bool) -> str:
    text = saying.pattern.format(*(_shown(part, formulas) for part in saying.parts))
    return text[0].upper() + text[1:] + "."


def behaviour(draft: Draft, formulas: bool) -> list[str]:
    """What the module does, a sentence an item."""
    return [_sentence(saying, formulas) for saying in draft.sayings]


def _port(port: PortDraft) -> str:
    return f"`{port.name}`: {port.direction.lower()}, {port.type.chisel.replace('()', '')}"


def _listed(draft: Draft) -> list[str]:
    raw = [line.removeprefix("val ").replace(" = ", ": ", 1) for line in draft.raw_ports]
    return [*(_port(port) for port in draft.ports), *(f"`{line}`" for line in raw)]


def _layout(draft: Draft) -> str:
    if draft.style.ports == "loose":
        return "Each port is an `IO` of its own."
    if draft.style.ports == "named" and not draft.parameters:
        return f"The ports form a bundle class `{draft.top}IO`."
    return "The ports form a bundle called `io`."


def _terse(draft: Draft, rng: random.Random) -> Wording:
    ports = "; ".join(_listed(draft))
    return f"{draft.title} in Chisel, module {draft.top}. {ports}. {' '.join(behaviour(draft, True))}", ""


def _request(draft: Draft, rng: random.Random) -> Wording:
    opening = rng.choice(("Write", "Create", "Implement", "Please write", "Design"))
    ports = "\n".join(f"- {line}" for line in _listed(draft))
    text = (
        f"{opening} a Chisel module `{draft.top}`: {draft.title[0].lower()}{draft.title[1:]}.\n\nPorts:\n{ports}\n\n"
        f"{' '.join(behaviour(draft, rng.random() < 0.5))} {_layout(draft)}"
    )
    return text, ""


def _specification(draft: Draft, rng: random.Random) -> Wording:
    rules = "\n".join(f"{number}. {line}" for number, line in enumerate(behaviour(draft, False), start=1))
    ports = "\n".join(f"* {line}" for line in _listed(draft))
    text = (
        f"# {draft.top}\n\n{draft.title}.\n\n## Interface\n{ports}\n{_layout(draft)}\n\n## Requirements\n{rules}\n\n"
        "Clock and reset are implicit. Language: Chisel."
    )
    return text, ""


def _question(draft: Draft, rng: random.Random) -> Wording:
    asked = rng.choice(("How do I describe this circuit in Chisel?", "What would this look like as a Chisel module?"))
    ports = ", ".join(_listed(draft))
    return f"{asked} {' '.join(behaviour(draft, False))} The ports are {ports}. Call it `{draft.top}`.", ""


def _with_input(draft: Draft, rng: random.Random) -> Wording:
    opening = rng.choice(
        (
            "Complete the Chisel module for this interface.",
            "Implement the following in Chisel.",
            "Give a synthesizable Chisel class for this description.",
        )
    )
    ports = "\n".join(_listed(draft))
    return opening, f"module {draft.top} ({draft.title.lower()})\n{ports}\n{' '.join(behaviour(draft, True))}"


def _ticket(draft: Draft, rng: random.Random) -> Wording:
    ports = "\n".join(f"  {line}" for line in _listed(draft))
    rules = "\n".join(f"  - {line}" for line in behaviour(draft, rng.random() < 0.4))
    need = rng.choice(("We need", "The datapath needs", "For the next block we want", "Missing so far:"))
    return (
        f"{need} `{draft.top}` ({draft.title.lower()}) in Chisel 7.\n{ports}\nExpected:\n{rules}\n{_layout(draft)}",
        "",
    )


WORDINGS: dict[str, Callable[[Draft, random.Random], Wording]] = {
    "terse": _terse,
    "request": _request,
    "specification": _specification,
    "question": _question,
    "input": _with_input,
    "ticket": _ticket,
}


def word(draft: Draft, rng: random.Random) -> tuple[str, str, str]:
    """Name of the wording, instruction and input."""
    name = rng.choice(list(WORDINGS))
    return (name, *WORDINGS[name](draft, rng))


def plain(draft: Draft, formulas: bool) -> str:
    """Behaviour in sentences, in words or as formulas, then the interface in a line: how people put short tasks."""
    listed = "; ".join(
        [
            *(f"{port.direction.lower()} `{port.name}` ({port.type.chisel})" for port in draft.ports),
            *(line.removeprefix("val ").replace(" = ", ": ", 1) for line in draft.raw_ports),
        ]
    )
    where = {"loose": "Ports, each an `IO` of its own"}.get(draft.style.ports, "Ports, in a bundle `io`")
    return f"Write a Chisel module `{draft.top}`. {' '.join(behaviour(draft, formulas))}\n{where}: {listed}."
