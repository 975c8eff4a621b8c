"""Commands a client may run, and what the status bar is told."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import attrs
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from hwml_sdk.errors import HwmlError
from hwml_sdk.explain import page
from hwml_sdk.languages import languages

from . import generating, hover, overview
from .connection import Server
from .documents import Document

STATUS = "hwml/status"


def register(server: Server) -> None:
    """Register `hwml.*`. Every one checks its arguments itself: clients send what they like."""
    for name, function in COMMANDS.items():
        server.command(name)(_bound(server, function))


def _bound(server: Server, function: Callable[..., Any]) -> Callable[..., Any]:
    async def run(*arguments: Any) -> Any:
        try:
            done = function(server, *map(plain_json, arguments))
            return await done if inspect.isawaitable(done) else done
        except TypeError as error:
            raise JsonRpcInvalidParams(str(error)) from error
        except HwmlError as error:
            server.say("error", f"hwml: {error}")
            return None

    return run


def restart(server: Server) -> None:
    """Start the analysis process anew and analyse everything again."""
    server.session.restart()


def pin(server: Server, uri: str | None = None) -> str:
    """Pin the figures of one document, or of all: lenses compare with them from now on."""
    said = server.session.pin(uri if isinstance(uri, str) else None)
    server.say("info", said)
    return said


def unpin(server: Server) -> str:
    """Compare with the last commit again."""
    said = server.session.unpin()
    server.say("info", said)
    return said


async def details(server: Server, uri: str, line: int, character: int) -> str | None:
    """Everything about the function or loop at a place, as Markdown; shown as a message by the server."""
    session = server.session
    document = session.document(uri) if isinstance(uri, str) else None
    if document is None or not isinstance(line, int) or not isinstance(character, int):
        return None
    found = await session.hover(document, *document.text.from_units(line, character))
    if found is None:
        return None
    server.say("info", hover.plain(found.text))
    return found.text if session.client.markdown else hover.plain(found.text)


def model_card(server: Server, show: bool = True) -> str | None:
    """Where the card of the shipped model lies: what it was trained on, its held-out error, its limits.

    show: have the client open it, which clients do that render Markdown themselves do not want.
    """
    model = next(language.card for language in languages() if language.card)
    card = Path(str(resources.files("hwml_exports").joinpath(model, "README.md")))
    if not card.is_file():
        raise HwmlError(f"{card}: there is no model card; reinstall hwml")
    if show is not True:
        return card.as_uri()
    if server.session.client.shows_documents:
        server.window_show_document(lsp.ShowDocumentParams(card.as_uri(), take_focus=True))
    else:
        server.say("info", f"hwml: the model card is {card}")
    return card.as_uri()


def explain(server: Server, code: str) -> str:
    """The page of a finding, as `hwml explain CODE` prints it."""
    return page(str(code))


def kernels(server: Server) -> dict[str, Any]:
    """All designs of the workspace with their figures; `complete` once every file was looked at, `problem`: why not."""
    return overview.kernels(server)


async def emit(server: Server, uri: str) -> dict[str, Any]:
    """What a tool makes of a document as it stands: `text`, or `problem` where there is nothing to show."""
    document = server.session.document(uri) if isinstance(uri, str) else None
    if document is None:
        return {"text": "", "problem": "this file is not open, or none that hwml knows"}
    found = await server.session.ask("emit", document, 0, 0)
    if found is None:
        return {"text": "", "problem": "the analysis has ended; hwml.restart starts it again"}
    return {"text": found[0], "problem": found[1]}


def bottleneck(server: Server, uri: str) -> dict[str, Any] | None:
    """The loop of a document that takes the most cycles; null where none is known."""
    document = server.session.document(uri) if isinstance(uri, str) else None
    loops = [item for item in document.results.annotations if item.kind == "loop"] if document is not None else []
    known = [item for item in loops if item.figures.latency_cycles]
    if document is None or not known:
        return None
    most = max(item.figures.latency_cycles or 0 for item in known)
    # Of loops inside each other that take as long, the inner one: there the cycles are spent.
    item = max((item for item in known if item.figures.latency_cycles == most), key=lambda item: item.span)
    line, character = document.text.to_units(item.span.start_line, item.span.start_character)
    return {"uri": uri, "line": line, "character": character, "name": item.name, "label": item.label}


COMMANDS: dict[str, Callable[..., Any]] = {
    "hwml.restart": restart,
    "hwml.pinBaseline": pin,
    "hwml.clearBaseline": unpin,
    "hwml.details": details,
    "hwml.modelCard": model_card,
    "hwml.explain": explain,
    "hwml.kernels": kernels,
    "hwml.emit": emit,
    "hwml.bottleneck": bottleneck,
    generating.COMMAND: generating.generate,
    "hwml.stopGenerating": generating.stop,
}


def tell_status(server: Server, document: Document) -> None:
    """State, model and part for the status bar of a client that asked for it."""
    session = server.session
    if session.lanes.has_given_up(document.language) or document.error:
        state = "error"
    elif not session.lanes.is_ready(document.language):
        state = "loading"
    else:
        state = "ready" if document.job is None and document.timer is None else "busy"
    about = {
        "uri": document.uri,
        "version": document.version,
        "state": state,
        "message": document.error or document.results.problem,
        "remedy": document.results.remedy,
    }
    server.protocol.notify(STATUS, {**about, **document.about})


def plain_json(value: Any) -> Any:
    """What pygls made of unknown JSON (objects with attributes) as dicts and lists again."""
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [plain_json(item) for item in value]
    if hasattr(value, "_asdict"):
        return {key: plain_json(item) for key, item in value._asdict().items()}
    if attrs.has(type(value)):
        return {field.name: plain_json(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return {key: plain_json(item) for key, item in vars(value).items()}
    return value
