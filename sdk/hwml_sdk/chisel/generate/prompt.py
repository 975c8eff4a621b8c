"""What a model is asked: rules of Chisel, notes on the interfaces that the request is about, examples, diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from ..types import ChiselDiagnostic
from .knowledge import Knowledge
from .types import Message

MOST_SPEC = 20_000  # characters
_MOST_DIAGNOSTICS = 6


def first(spec: str, knowledge: Knowledge | None) -> list[Message]:
    """The chat that asks for a module. knowledge: None for a model that has seen nothing but rows."""
    if knowledge is None:
        return [Message("user", spec)]
    system = [(files(__package__) / "rules.txt").read_text(encoding="utf-8").strip()]
    notes = knowledge.notes(spec)
    if notes:
        system.append("Notes:\n" + "\n".join(f"- {note}" for note in notes))
    chat = [Message("system", "\n\n".join(system))]
    for asked, code in knowledge.examples(spec):
        chat += [Message("user", asked), Message("assistant", f"```scala\n{code.strip()}\n```")]
    return [*chat, Message("user", spec)]


def correction(
    opening: Sequence[Message], code: str, diagnostics: Sequence[ChiselDiagnostic], words: str
) -> list[Message]:
    """The chat that asks for the same again, with what is wrong with `code` in the compiler's and our words.

    opening: the chat that asked first; of one message for a model that has seen nothing but rows of one question.
    Only the last version is in it: earlier ones would fill the model's window with what is known to be wrong.
    """
    faults = [f"- {_place(item)}{item.text}" for item in diagnostics if item.severity == "error"][:_MOST_DIAGNOSTICS]
    listed = "\n".join(faults) or f"- {words or 'there is no complete Chisel module in it'}"
    asked = f"This is not right yet:\n{listed}\nWrite the whole file again, corrected."
    if len(opening) == 1:
        return [Message("user", f"{opening[0].content}\n\n```scala\n{code.strip()}\n```\n{asked}")]
    return [*opening, Message("assistant", f"```scala\n{code.strip()}\n```"), Message("user", asked)]


def _place(item: ChiselDiagnostic) -> str:
    return f"line {item.span.start_line + 1}: "
