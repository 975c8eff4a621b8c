"""What the client can do, as far as the server asks."""

from __future__ import annotations

from dataclasses import dataclass

from lsprotocol import types as lsp


@dataclass(frozen=True, slots=True)
class Client:
    """Capabilities of the client in plain words. status: it understands `hwml/status`."""

    markdown: bool = False
    shows_lenses: bool = False
    shows_hints: bool = False
    nests_symbols: bool = False
    shows_tags: bool = False
    refreshes_hints: bool = False
    refreshes_lenses: bool = False
    pulls_diagnostics: bool = False
    refreshes_diagnostics: bool = False
    resolves_hints: bool = False
    resolves_actions: bool = False
    action_literals: bool = False
    disables_actions: bool = False
    document_changes: bool = False
    shows_progress: bool = False
    shows_documents: bool = False
    has_configuration: bool = False
    registers_watchers: bool = False
    registers_configuration: bool = False
    related: bool = False
    descriptions: bool = False
    status: bool = False

    @classmethod
    def of(cls, params: lsp.InitializeParams) -> Client:
        """Read what the client declared; what it left out it cannot do."""
        caps = params.capabilities
        doc = caps.text_document or lsp.TextDocumentClientCapabilities()
        work = caps.workspace or lsp.WorkspaceClientCapabilities()
        window = caps.window or lsp.WindowClientCapabilities()
        hover = doc.hover.content_format if doc.hover is not None else None
        hint, action = doc.inlay_hint, doc.code_action
        published = doc.publish_diagnostics
        completed = doc.completion.completion_item if doc.completion is not None else None
        experimental = caps.experimental if isinstance(caps.experimental, dict) else _plain(caps.experimental)
        return cls(
            markdown=lsp.MarkupKind.Markdown in (hover or ()),
            shows_lenses=doc.code_lens is not None,
            shows_hints=doc.inlay_hint is not None,
            nests_symbols=bool(doc.document_symbol and doc.document_symbol.hierarchical_document_symbol_support),
            shows_tags=bool(completed is not None and completed.tag_support),
            refreshes_hints=bool(work.inlay_hint and work.inlay_hint.refresh_support),
            refreshes_lenses=bool(work.code_lens and work.code_lens.refresh_support),
            pulls_diagnostics=doc.diagnostic is not None,
            refreshes_diagnostics=bool(work.diagnostics and work.diagnostics.refresh_support),
            resolves_hints=bool(hint and hint.resolve_support and "tooltip" in hint.resolve_support.properties),
            resolves_actions=bool(action and action.resolve_support and "edit" in action.resolve_support.properties),
            action_literals=bool(action and action.code_action_literal_support),
            disables_actions=bool(action and action.disabled_support),
            document_changes=bool(work.workspace_edit and work.workspace_edit.document_changes),
            shows_progress=bool(window.work_done_progress),
            shows_documents=bool(window.show_document and window.show_document.support),
            has_configuration=bool(work.configuration),
            registers_watchers=bool(
                work.did_change_watched_files and work.did_change_watched_files.dynamic_registration
            ),
            registers_configuration=bool(
                work.did_change_configuration and work.did_change_configuration.dynamic_registration
            ),
            related=bool(published and published.related_information) or doc.diagnostic is not None,
            descriptions=bool(published and published.code_description_support) or doc.diagnostic is not None,
            status=bool(experimental.get("hwmlStatus")),
        )


def _plain(value: object) -> dict[str, object]:
    """An object of unknown attributes as a dict."""
    return dict(vars(value)) if hasattr(value, "__dict__") else {}
