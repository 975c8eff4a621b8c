"""A module for a comment: the action that offers it, the run in a process of its own, the preview, the insertion.

Only the user names a model, on the server's command line: no setting of a client is read, as workspaces can hold those.
Only in trusted workspaces; and nothing is inserted before a person has seen what the check said and agreed.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from hwml_sdk.config import trust_root, user_cache_dir
from hwml_sdk.errors import HwmlError, ToolFailedError
from hwml_sdk.files import write_atomic
from hwml_sdk.framing import Lines
from hwml_sdk.languages import languages, titles
from hwml_sdk.printable import printable
from hwml_sdk.processes import Child, own_folder, python_command, python_environment

from .actions import GENERATE, wants
from .connection import Server
from .documents import Document
from .requests import Asked, asked_at

COMMAND = "hwml.generate"
SECONDS = 600  # a run ends with what is there after so long
_GRACE_S = 60.0  # for the checks of what was answered by then
_TICK_S = 0.1
INSERT, SHOW, DISCARD = "Insert", "Show", "Discard"
_IMPORT = re.compile(r"[ \t]*import\s+[\w.{}, =>*]+")


def problem_of(server: Server, document: Document) -> str:
    """Why no module can be generated for a document; "" where one can."""
    session = server.session
    if document.path is None or document.language is None or not document.language.generator:
        able = [language for language in languages() if language.generator]
        return f"modules are generated in {titles(able)} files"
    if trust_root(Path(document.path), None, session.roots if session.trusted else ()) is None:
        return "the workspace is not trusted (hwml trust FOLDER, or trust it in the editor)"
    return session.model.problem


def offer(server: Server, document: Document, asked: lsp.Range, only: Any) -> list[lsp.CodeAction]:
    """The action for the comment at a range, with its reason where it is not possible."""
    able = document.language is not None and bool(document.language.generator)
    if not (able and wants(only, GENERATE)):
        return []
    request = _request(document, asked)
    if request is None:
        return []
    first = request.spec.splitlines()[0]
    words = first if len(first) <= 50 else first[:47] + "..."
    arguments = [document.uri, request.first, request.last]
    action = lsp.CodeAction(f"hwml: generate module here: {words}", GENERATE)
    action.command = lsp.Command("Generate module here", COMMAND, arguments=arguments)
    problem = problem_of(server, document)
    if problem and server.session.client.disables_actions:
        action.disabled = lsp.CodeActionDisabled(problem)
    return [action]


def _request(document: Document, asked: lsp.Range) -> Asked | None:
    selected = asked.start != asked.end
    last = asked.end.line
    if selected and last > asked.start.line and asked.end.character == 0:
        last -= 1  # whole lines are selected
    return asked_at(document.text, asked.start.line, last, selected=selected)


def generate(server: Server, uri: str, first: int, last: int | None = None) -> bool:
    """Begin to generate what the comment at some lines asks for; whether that was begun. All else is told later."""
    session = server.session
    document = session.document(uri) if isinstance(uri, str) else None
    last = first if last is None else last
    if document is None or not isinstance(first, int) or not isinstance(last, int):
        raise HwmlError("hwml.generate wants a file that is open, and the first and last line of a comment")
    problem = problem_of(server, document)
    asked = None if problem else asked_at(document.text, first, last, selected=True)
    if not problem and asked is None:
        problem = "there is no comment at these lines that says what the module is to do"
    if not problem and uri in server.generating:
        problem = "a module is being generated for this file already; cancel that first (hwml.stopGenerating)"
    if problem or asked is None:
        server.say("warning", f"hwml: {problem}")
        return False
    server.generating[uri] = asyncio.Event()
    server.spawn(_run(server, document, asked, server.generating[uri]))
    return True


def stop(server: Server, uri: str | None = None) -> bool:
    """End a generation, or all of them, with what is there; whether there was one."""
    chosen = [event for name, event in server.generating.items() if uri in (None, name)]
    for event in chosen:
        event.set()
    return bool(chosen)


async def _run(server: Server, document: Document, asked: Asked, stopping: asyncio.Event) -> None:
    try:
        answer = await _asked(server, document, asked.spec, stopping)
    finally:
        server.generating.pop(document.uri, None)
    if "error" in answer:
        server.say("error", f"hwml: no module was generated: {printable(str(answer['error']))}")
        return
    await _decide(server, document, asked, answer["result"])


# -- the process -------------------------------------------------------------------------------------------------


async def _asked(server: Server, document: Document, spec: str, stopping: asyncio.Event) -> Mapping[str, Any]:
    """What the process says at its end: `result` or `error`. It ends with us, and on request with what is there."""
    assert document.language is not None
    model = server.session.model
    command = python_command(document.language.generator, *model.arguments(), "--seconds", str(SECONDS))
    try:
        child: Child[dict[str, Any]] = Child(command, Lines(), cwd=own_folder(), env=python_environment())
    except ToolFailedError as error:
        return {"error": str(error)}
    token = f"hwml/generate/{child.pid}"
    shown = server.session.client.shows_progress
    try:
        child.send({"spec": spec})
        if shown:
            await server.work_done_progress.create_async(token)
            begin = lsp.WorkDoneProgressBegin("hwml: generating a module", cancellable=True, message=model.name)
            server.work_done_progress.begin(token, begin)
        return await _followed(server, child, token if shown else "", stopping)
    except (OSError, EOFError) as error:
        return {"error": f"the process that generates has ended: {error}"}
    finally:
        child.kill()
        if shown:
            server.work_done_progress.end(token, lsp.WorkDoneProgressEnd())
            server.work_done_progress.tokens.pop(token, None)


async def _followed(
    server: Server, child: Child[dict[str, Any]], token: str, stopping: asyncio.Event
) -> Mapping[str, Any]:
    """Pass on what the process says, and that it is to stop, until its end."""
    stopped, limit = False, time.monotonic() + SECONDS + _GRACE_S
    progress = server.work_done_progress
    coming = asyncio.ensure_future(asyncio.to_thread(child.receive))
    while True:
        await asyncio.wait({coming}, timeout=_TICK_S)
        if token and token in progress.tokens and progress.tokens[token].cancelled():
            stopping.set()
        if stopping.is_set() and not stopped:
            stopped = True
            limit = min(limit, time.monotonic() + _GRACE_S)
            child.send({"stop": True})
        if time.monotonic() > limit:
            return {"error": f"nothing came of it within {SECONDS} s"}
        if not coming.done():
            continue
        message = coming.result()
        if message is None:
            return {"error": "the process that generates has ended without an answer; the server's log says more"}
        if "say" not in message:
            return message
        if token:
            said = printable(str(message["say"]))
            progress.report(token, lsp.WorkDoneProgressReport(message=said, cancellable=True))
        coming = asyncio.ensure_future(asyncio.to_thread(child.receive))


# -- the preview and the insertion -------------------------------------------------------------------------------


def summary(result: Mapping[str, Any]) -> str:
    """What the check said, in a line."""
    stopped = {"interrupted": "stopped; ", "budget": "out of time; "}.get(str(result["ended"]), "")
    if not result["code"]:
        return f"{stopped}no module was found: the model wrote no code"
    count = result["answers"]
    if not result["ok"]:
        stages = {"compile": "does not compile", "elaborate": "does not elaborate", "lower": "cannot be lowered"}
        why = stages.get(str(result["stage"]), "failed")
        return f"{stopped}none of {count} answers passed; the one that came furthest {why}: {result['words']}"
    area = "" if result["area"] is None else f"; area {result['area']} (LUT + FF + 100 DSP)"
    agree = f"; {result['agree']} of {count} answers agree with it" if count > 1 else ""
    mended = f"; mended: {result['mended']}" if result["mended"] else ""
    return f"{stopped}{result['module']} compiled, elaborated and lowered{agree}{area}{mended}"


def preview(asked: Asked, result: Mapping[str, Any]) -> str:
    """The module below what was asked and what the check said."""
    ports = ", ".join(f"{name}: {direction} {width}" for name, direction, width in result.get("ports", ()))
    rows = [
        f"Not inserted yet. Asked: {' '.join(asked.spec.split())}",
        f"Check: {summary(result)}",
        *(f"Ports (bits): {ports}" for _ in "1" if ports),
        *result.get("errors", ()),
        *(f"Note: {note}" for note in result["notes"]),
        f"By {result['backend']} in {result['seconds']} s; everything that was tried: {result['trace']}",
    ]
    head = "".join(f"// {' '.join(printable(row).split())}\n" for row in rows)
    return f"{head}\n{result['code'].strip()}\n"


async def _decide(server: Server, document: Document, asked: Asked, result: Mapping[str, Any]) -> None:
    """Show what the check said, and insert the module where the person says so; never one that failed."""
    words = f"hwml: {printable(summary(result))}"
    if not result["code"]:
        server.say("warning", f"{words}. Trace: {result['trace']}")
        return
    assert document.language is not None
    folder = user_cache_dir() / document.language.name / "generated" / Path(str(result["trace"])).stem
    place = folder / f"{result.get('module') or 'Attempt'}{document.language.suffixes[0]}"
    await asyncio.to_thread(write_atomic, place, preview(asked, result))
    choices = [INSERT, SHOW, DISCARD] if result["ok"] else [SHOW, DISCARD]
    while True:
        kind = lsp.MessageType.Info if result["ok"] else lsp.MessageType.Warning
        titles = [lsp.MessageActionItem(choice) for choice in choices]
        chosen = await server.window_show_message_request_async(lsp.ShowMessageRequestParams(kind, words, titles))
        title = "" if chosen is None else chosen.title
        if title == SHOW:
            _show(server, place)
            choices.remove(SHOW)
            if INSERT in choices:
                continue
        elif title == INSERT and result["ok"]:
            await _insert(server, document, asked, result, place)
        elif title != DISCARD:
            server.say("info", f"{words}. Nothing was inserted; it lies in {place}")
        return


def _show(server: Server, place: Path) -> None:
    if server.session.client.shows_documents:
        server.window_show_document(lsp.ShowDocumentParams(place.as_uri(), take_focus=True))
    else:
        server.say("info", f"hwml: the preview is {place}")


async def _insert(server: Server, document: Document, asked: Asked, result: Mapping[str, Any], place: Path) -> None:
    """Below the comment, wherever it is by now."""
    present = server.session.document(document.uri)
    line = None if present is None else asked.place_in(present.text)
    if present is None or line is None:
        server.say("warning", f"hwml: the comment has gone, so nothing was inserted; the module lies in {place}")
        return
    text = present.text
    end = lsp.Position(*text.to_units(line, len(text.line(line))))
    new = text.eol + fitted(result["code"], text.text, asked.indent).replace("\n", text.eol)
    edits = [lsp.TextEdit(lsp.Range(end, end), new)]
    if server.session.client.document_changes:
        about = lsp.OptionalVersionedTextDocumentIdentifier(present.uri, present.version)
        edit = lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(about, list(edits))])
    else:
        edit = lsp.WorkspaceEdit(changes={present.uri: edits})
    done = await server.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(edit, "hwml: generate module here"))
    if done is None or not done.applied:
        server.say("warning", f"hwml: the editor did not insert the module; it lies in {place}")


def fitted(code: str, text: str, indent: str) -> str:
    """The module as it stands in a text: without imports that are there, indented as the comment is."""
    there = {" ".join(match[0].split()) for match in _IMPORT.finditer(text)}
    rows = [row for row in code.strip().splitlines() if " ".join(row.split()) not in there or not _IMPORT.match(row)]
    while rows and not rows[0].strip():
        del rows[0]
    return "\n".join(f"{indent}{row}".rstrip() for row in rows)
