"""The language server: each LSP method mapped to the session and to the functions that render."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified, JsonRpcException, JsonRpcInvalidParams

from hwml_sdk.config import FILE_NAME
from hwml_sdk.document import Hover
from hwml_sdk.languages import languages
from hwml_sdk.text import Encoding

from . import actions, commands, completion, diagnostics, generating, hints, hover, lenses, overview, parent
from .backend import Answer
from .client import Client
from .connection import Server
from .documents import Document, is_source, path_of
from .lanes import Lanes
from .marks import hint_mark, lens_mark
from .named import Model
from .protocol import ServerCancelled
from .session import Session, folder_paths

log = logging.getLogger("hwml_lsp.server")
FIRST_RESULT_S = 10.0  # how long a request waits for the first results of a document
RESULT_S = 5.0  # how long it waits for those of an edit, where the client cannot be told later
CONFIGURATION_S = 1.0
_ENCODINGS: dict[Any, Encoding] = {
    lsp.PositionEncodingKind.Utf8: "utf-8",
    lsp.PositionEncodingKind.Utf32: "utf-32",
}


def make_server(lanes: Lanes, *, trusted: bool = False, model: Model | None = None) -> Server:
    """A server with all features on a session of its own."""
    session = Session(lanes, trusted=trusted, model=model)
    server = Server(session)
    session.say = server.say
    session.on_results = lambda document, answer: _tell(server, document, answer)
    session.on_slow = lambda document: server.spawn(_progress(server, document))
    for register in (
        _lifecycle,
        _documents,
        _hints,
        _lenses,
        _places,
        _pulled,
        _changing,
        overview.register,
        commands.register,
    ):
        register(server)
    return server


# -- start and end -------------------------------------------------------------------------------------------


def _lifecycle(server: Server) -> None:
    session = server.session

    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        session.client = Client.of(params)
        encoding = server.protocol.workspace.position_encoding
        session.encoding = _ENCODINGS.get(encoding, "utf-16")
        session.lanes.attach(asyncio.get_running_loop())
        session.state_settings(_settings_of(params.initialization_options))
        session.roots = _roots(server)
        session.baselines.use(next(iter(session.roots), ""))
        if not session.client.has_configuration:
            session.configured.set()
        if params.process_id is not None and parent.is_alive(params.process_id):
            server.spawn(parent.watch(params.process_id, session.end))

    @server.feature(lsp.INITIALIZED)
    async def initialized(_params: lsp.InitializedParams) -> None:
        _register(server)
        if session.client.shows_progress and not session.lanes.is_ready():
            server.spawn(_loading(server))
        await _configure(server)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(params: lsp.DidChangeConfigurationParams) -> None:
        pushed = _settings_of(params.settings)
        if pushed is not None or _takes_back(params.settings):
            session.state_settings(pushed)
        await _configure(server)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(_params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        session.roots = _roots(server)
        for gone in set(session.settings) - {None, *server.workspace.folders}:
            del session.settings[gone]
        await _configure(server)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        paths = [path for path in (path_of(change.uri) for change in params.changes) if path]
        if paths and all(is_source(path) for path in paths):
            session.files_changed(paths)
            session.workspace.refresh()
        else:
            session.analyse_all()  # settings and project files may be about any document

    @server.feature(lsp.SHUTDOWN)
    def shutdown(_params: Any = None) -> None:
        for task in list(server.tasks):
            task.cancel()
        session.end()


def _settings_of(raw: Any) -> Any:
    """The hwml part of what a client sends in one of three shapes; None when there is none."""
    plain = commands.plain_json(raw)
    if not isinstance(plain, dict):
        return plain
    inner = plain.get("hwml", plain.get("settings", plain))
    return inner.get("hwml", inner) if isinstance(inner, dict) else inner


def _takes_back(raw: Any) -> bool:
    """Whether a client says that there are no settings of hwml any more."""
    plain = commands.plain_json(raw)
    return isinstance(plain, dict) and "hwml" in plain and plain["hwml"] is None


def _register(server: Server) -> None:
    """Ask to be told of changed settings and files, where the client does so on request only."""
    client = server.session.client
    wanted = []
    if client.registers_configuration:
        wanted.append(
            lsp.Registration("hwml-configuration", lsp.WORKSPACE_DID_CHANGE_CONFIGURATION, {"section": "hwml"})
        )
    if client.registers_watchers:
        globs = dict.fromkeys([f"**/{FILE_NAME}", *(glob for language in languages() for glob in language.watched)])
        watchers = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher(glob) for glob in globs])
        wanted.append(lsp.Registration("hwml-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, watchers))
    if wanted:
        server.client_register_capability(lsp.RegistrationParams(wanted))


def _roots(server: Server) -> list[str]:
    return folder_paths([*server.workspace.folders] or [server.workspace.root_uri or ""])


async def _configure(server: Server) -> None:
    """Fetch settings for everything and for each folder; a client that never answers is not waited for."""
    session = server.session
    if session.client.has_configuration:
        scopes: list[str | None] = [None, *server.workspace.folders]
        items = [lsp.ConfigurationItem(scope_uri=scope, section="hwml") for scope in scopes]
        try:
            found = await asyncio.wait_for(
                server.workspace_configuration_async(lsp.ConfigurationParams(items)), CONFIGURATION_S
            )
            for scope, raw in zip(scopes, found, strict=False):
                session.answer_settings(scope, commands.plain_json(raw))
        except (TimeoutError, JsonRpcException) as error:
            log.info("no settings from the client: %s", error)
    session.apply_settings()


async def _loading(server: Server) -> None:
    """Show that the model is being loaded, for as long as it is."""
    token = "hwml/loading"
    await server.work_done_progress.create_async(token)
    server.work_done_progress.begin(token, lsp.WorkDoneProgressBegin("hwml: loading model"))
    lanes = server.session.lanes
    while not lanes.is_ready() and not lanes.has_given_up():
        await asyncio.sleep(0.05)
    server.work_done_progress.end(token, lsp.WorkDoneProgressEnd())


async def _progress(server: Server, document: Document) -> None:
    """Show an analysis that takes long, and stop it when the person says so."""
    session, number = server.session, document.job
    if not session.client.shows_progress or number is None:
        return
    token = f"hwml/{number}"
    if token in server.work_done_progress.tokens:
        return
    await server.work_done_progress.create_async(token)
    name = (document.path or "").rpartition("/")[2]
    server.work_done_progress.begin(token, lsp.WorkDoneProgressBegin(f"hwml: analysing {name}", cancellable=True))
    while document.job == number:
        if server.work_done_progress.tokens[token].cancelled():
            session.stop(document)
            break
        await asyncio.sleep(0.05)
    server.work_done_progress.end(token, lsp.WorkDoneProgressEnd())
    server.work_done_progress.tokens.pop(token, None)


# -- documents -----------------------------------------------------------------------------------------------


def _documents(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        server.shown.pop(item.uri, None)
        session.open(item.uri, item.version, item.text)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        document = session.documents.get(params.text_document.uri)
        if document is None:
            log.warning("%s was changed without being open", params.text_document.uri)
            return
        for change in params.content_changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                start, end = change.range.start, change.range.end
                document.change((start.line, start.character), (end.line, end.character), change.text)
                document.near = start.line
            else:
                document.replace_all(change.text)
        session.edited(document, params.text_document.version)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        document = session.document(params.text_document.uri)
        if document is None:
            return
        session.schedule(document, 0)
        if document.keeper is not None:
            session.analyse_all()
        elif document.path is not None:  # a client that watches no files tells of what it saves itself
            session.files_changed([document.path], 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = session.close(uri)
        server.shown.pop(uri, None)
        if document is not None and document.is_ours and not session.client.pulls_diagnostics:
            server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def _tell(server: Server, document: Document, answer: Answer) -> None:
    """Have the client ask again for what it shows and what is different now; push findings to one that cannot ask."""
    session = server.session
    client, results = session.client, document.results
    shown = server.shown.setdefault(document.uri, {})
    if client.refreshes_hints and "hints" in shown and shown["hints"] != (mark := hint_mark(document)):
        shown["hints"] = mark
        server.workspace_inlay_hint_refresh(None)
    if client.refreshes_lenses and "lenses" in shown and shown["lenses"] != (mark := lens_mark(document)):
        shown["lenses"] = mark
        server.workspace_code_lens_refresh(None)
    if client.status:
        commands.tell_status(server, document)
    if "diagnostics" not in answer or not document.has_diagnostics:
        return
    found = (results.diagnostics_version, tuple(results.diagnostics))
    if client.pulls_diagnostics:
        if client.refreshes_diagnostics and shown.get("diagnostics", found) != found:
            shown["diagnostics"] = found
            server.workspace_diagnostic_refresh(None)
    elif shown.get("diagnostics") != found:
        shown["diagnostics"] = found
        server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(document.uri, _findings(server, document), version=document.version)
        )


def _findings(server: Server, document: Document) -> list[lsp.Diagnostic]:
    session = server.session
    return [diagnostics.to_lsp(document, item, session.client) for item in diagnostics.shown(document)]


async def _settle(document: Document, *, told_later: bool) -> None:
    """Wait for figures where that helps: a client that is told of later ones waits for the first of all only.

    Raises ContentModified when the text has changed meanwhile.
    """
    version = document.version
    if told_later:
        await document.wait(document.has_anything, timeout_s=FIRST_RESULT_S)
    else:
        await document.wait(document.has_annotations, timeout_s=RESULT_S if document.analysed else FIRST_RESULT_S)
    if document.version != version:
        raise JsonRpcContentModified


# -- requests that read --------------------------------------------------------------------------------------


def _hints(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT, lsp.InlayHintOptions(resolve_provider=True))
    async def inlay_hints(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        document = session.document(params.text_document.uri)
        if document is None:
            return []
        if not document.analysed:
            session.look_at(document, (params.range.start.line + params.range.end.line) // 2)
        await _settle(document, told_later=session.client.refreshes_hints)
        server.shown.setdefault(document.uri, {})["hints"] = hint_mark(document)
        return hints.hints(document, session.client, params.range.start.line, params.range.end.line)

    @server.feature(lsp.INLAY_HINT_RESOLVE)
    def inlay_hint(hint: lsp.InlayHint) -> lsp.InlayHint:
        data = commands.plain_json(hint.data)
        if not isinstance(data, dict):
            return hint
        document = session.document(str(data.get("uri")))
        if document is not None:
            item = hints.find(document, str(data.get("kind")), str(data.get("name")), data.get("line", -1))
            hint.tooltip = hints.tooltip(document, item) if item is not None else None
        return hint


def _lenses(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS, lsp.CodeLensOptions(resolve_provider=False))
    async def code_lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        document = session.document(params.text_document.uri)
        if document is None:
            return []
        await _settle(document, told_later=session.client.refreshes_lenses)
        server.shown.setdefault(document.uri, {})["lenses"] = lens_mark(document)
        return lenses.lenses(document, session.client)


def _places(server: Server) -> None:
    """What is asked about one place: hover and completion."""
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hovered(params: lsp.HoverParams) -> lsp.Hover | asyncio.Future[lsp.Hover | None] | None:
        document = session.document(params.text_document.uri)
        if document is None:
            return None
        line, character = document.text.from_units(params.position.line, params.position.character)
        found = hover.annotated(document, line, character)
        if found is None and session.has_words(document, line):
            return asyncio.ensure_future(worded(document, line, character))
        return shown(document, line, found)

    async def worded(document: Document, line: int, character: int) -> lsp.Hover | None:
        return shown(document, line, await session.hover(document, line, character))

    def shown(document: Document, line: int, found: Hover | None) -> lsp.Hover | None:
        if found is None and not session.lanes.is_ready(document.language):
            found = hover.waiting(document, line)
        return None if found is None else hover.to_lsp(document, session.client, found)

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=completion.triggers()))
    async def completions(params: lsp.CompletionParams) -> lsp.CompletionList | None:
        document = session.document(params.text_document.uri)
        if document is None or document.is_too_large:
            return None
        line, character = document.text.from_units(params.position.line, params.position.character)
        if not session.has_words(document, line, upto=character):
            return None
        version = document.version
        found = await session.ask("complete", document, line, character)
        if document.version != version:
            raise JsonRpcContentModified
        if found is None:
            return None
        return lsp.CompletionList(is_incomplete=False, items=completion.items(document, session.client, line, found))

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(completion.triggers()))
    async def signature_help(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        document = session.document(params.text_document.uri)
        if document is None:
            return None
        line, character = document.text.from_units(params.position.line, params.position.character)
        if not session.has_words(document, line, upto=character):
            return None
        found = await session.ask("signature", document, line, character)
        return None if found is None else completion.signature(found)


def _pulled(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, lsp.DiagnosticOptions(True, True, identifier="hwml"))
    async def pulled(
        params: lsp.DocumentDiagnosticParams,
    ) -> lsp.RelatedFullDocumentDiagnosticReport | lsp.RelatedUnchangedDocumentDiagnosticReport:
        document = session.document(params.text_document.uri)
        if document is None:
            return lsp.RelatedFullDocumentDiagnosticReport([])
        version = document.version
        await document.wait(document.has_findings, timeout_s=FIRST_RESULT_S)
        if document.version != version:
            raise ServerCancelled(data={"retriggerRequest": True})
        results = document.results
        mark = (results.diagnostics_version, tuple(results.diagnostics))
        server.shown.setdefault(document.uri, {})["diagnostics"] = mark
        result_id = f"{hash(mark) & 0xFFFFFFFFFFFF:x}"
        if params.previous_result_id == result_id:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id)
        return lsp.RelatedFullDocumentDiagnosticReport(_findings(server, document), result_id=result_id)


# -- requests that change ------------------------------------------------------------------------------------


def _changing(server: Server) -> None:
    session = server.session

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(list(actions.KINDS), resolve_provider=True))
    async def code_actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = session.document(params.text_document.uri)
        if document is None or not session.client.action_literals:
            return []
        version = document.version
        await document.wait(document.has_findings, timeout_s=RESULT_S)
        if document.version != version:
            raise JsonRpcContentModified
        found = actions.actions(document, session.client, params.range, params.context.only)
        found += generating.offer(server, document, params.range, params.context.only)
        if actions.asks_for_rewrites(params.context):
            line = document.text.from_units(params.range.start.line, params.range.start.character)[0]
            fixes = await session.rewrites(document, line)
            if document.version != version:
                raise JsonRpcContentModified
            found += actions.rewrites(document, session.client, line, fixes)
        return found

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    def code_action(action: lsp.CodeAction) -> lsp.CodeAction:
        data = commands.plain_json(action.data)
        if not isinstance(data, dict):
            raise JsonRpcInvalidParams("no action of this server")
        document = session.document(str(data.get("uri")))
        if document is None or document.version != data.get("version"):
            raise JsonRpcContentModified("the text has changed since the action was offered")
        if not document.has_diagnostics and "rewrite" not in data:
            raise JsonRpcContentModified("the text has changed since the action was offered")
        fixes = actions.named(document, data)
        if not fixes:
            raise JsonRpcContentModified("the finding has gone")
        return actions.resolve(document, session.client, action, fixes)
