"""Code actions: fixes of findings, and all safe ones at once. Edits are made when asked for, and for that text only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lsprotocol import types as lsp

from hwml_sdk.document import Diagnostic, Fix, Span, apply_edits

from .client import Client
from .diagnostics import shown, to_lsp, to_range
from .documents import Document

FIX_ALL = "source.fixAll.hwml"
REWRITE = "refactor.rewrite.hwml"
GENERATE = "refactor.generate.hwml"
KINDS = (lsp.CodeActionKind.QuickFix, REWRITE, FIX_ALL, GENERATE)


def wants(only: Sequence[str] | None, kind: str) -> bool:
    """Whether a client that asked for some kinds wants this one; kinds are prefixes of each other by dots."""
    return only is None or any(kind == k or kind.startswith(f"{k}.") or k == "" for k in only)


def actions(document: Document, client: Client, asked: lsp.Range, only: Sequence[str] | None) -> list[lsp.CodeAction]:
    """Actions for a range of the present text. Empty unless findings of that very text are in."""
    if not document.has_diagnostics:
        return []
    first = document.text.from_units(asked.start.line, asked.start.character)
    last = document.text.from_units(asked.end.line, asked.end.character)
    found: list[lsp.CodeAction] = []
    items = shown(document)
    if wants(only, lsp.CodeActionKind.QuickFix):
        for item in items:
            if _meets(item.span, first, last):
                found += [_fix(document, client, item, index, fix) for index, fix in enumerate(item.fixes)]
    safe = safe_fixes(document, items)
    if safe and wants(only, FIX_ALL):
        data = {"uri": document.uri, "version": document.version, "all": True}
        count = f"{len(safe)} safe fixes" if len(safe) > 1 else "the safe fix"
        action = lsp.CodeAction(f"hwml: apply {count} of this file", FIX_ALL, data=data)
        found.append(action if client.resolves_actions else resolve(document, client, action, safe))
    return found


def _meets(span: Span, first: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether a finding meets a range; its whole lines count, so that a cursor on the line is enough."""
    return span.start_line <= last[0] and first[0] <= span.end_line


def _fix(document: Document, client: Client, item: Diagnostic, index: int, fix: Fix) -> lsp.CodeAction:
    title = capitalised(fix, document) + (" (verified)" if fix.verified else "")
    action = lsp.CodeAction(
        title,
        lsp.CodeActionKind.QuickFix,
        diagnostics=[to_lsp(document, item, client)],
        is_preferred=True if fix.verified and len(item.fixes) == 1 else None,
        data={
            "uri": document.uri,
            "version": document.version,
            "code": item.code,
            "at": [item.span.start_line, item.span.start_character],
            "index": index,
        },
    )
    return action if client.resolves_actions else resolve(document, client, action, [fix])


def capitalised(fix: Fix, document: Document) -> str:
    """A fix's title with a capital letter, unless it begins with code, which keeps its own letters.

    A word that the document or the new text has counts as code: `x is an Output` is about `x`.
    """
    first, _, _ = fix.title.partition(" ")
    if not (first.isalpha() and first.islower()):
        return fix.title
    word = re.compile(rf"\b{first}\b")
    is_code = word.search(document.text.text) or any(word.search(edit.new_text) for edit in fix.edits)
    return fix.title if is_code else fix.title[:1].upper() + fix.title[1:]


def asks_for_rewrites(context: lsp.CodeActionContext) -> bool:
    """Whether a person asked: editors ask by themselves with every move of the cursor, and rewritings take a while."""
    if context.only is not None:
        return wants(context.only, REWRITE)
    return context.trigger_kind == lsp.CodeActionTriggerKind.Invoked


def rewrites(document: Document, client: Client, line: int, fixes: Sequence[Fix]) -> list[lsp.CodeAction]:
    """Actions for changes that are no correction, in their order."""
    found = []
    for index, fix in enumerate(fixes):
        data = {"uri": document.uri, "version": document.version, "line": line, "rewrite": index}
        action = lsp.CodeAction(capitalised(fix, document), REWRITE, data=data)
        found.append(action if client.resolves_actions else resolve(document, client, action, [fix]))
    return found


def safe_fixes(document: Document, items: Sequence[Diagnostic]) -> list[Fix]:
    """The first safe and verified fix of each finding, as many as do not touch each other."""
    taken: list[Fix] = []
    for item in items:
        fix = next((f for f in item.fixes if f.safe and f.verified), None)
        if fix is not None and _apart(document, [*taken, fix]):
            taken.append(fix)
    return taken


def _apart(document: Document, fixes: Sequence[Fix]) -> bool:
    try:
        apply_edits(document.text.for_sdk(), tuple(edit for fix in fixes for edit in fix.edits))
    except ValueError:
        return False
    return True


def named(document: Document, data: dict[str, Any]) -> list[Fix]:
    """The fixes an action was offered for; empty when they are gone."""
    if "rewrite" in data:
        fixes = document.rewrites.get((document.version, data.get("line", -1)), [])
        index = data["rewrite"]
        return [fixes[index]] if isinstance(index, int) and 0 <= index < len(fixes) else []
    items = shown(document)
    if data.get("all"):
        return safe_fixes(document, items)
    for item in items:
        at = [item.span.start_line, item.span.start_character]
        index = data.get("index")
        if item.code == data.get("code") and at == data.get("at") and isinstance(index, int):
            return [item.fixes[index]] if 0 <= index < len(item.fixes) else []
    return []


def resolve(document: Document, client: Client, action: lsp.CodeAction, fixes: Sequence[Fix]) -> lsp.CodeAction:
    """The action with its edit, in the document's own line ends and the client's units."""
    eol = document.text.eol
    edits = [
        lsp.TextEdit(to_range(document, edit.span), edit.new_text.replace("\n", eol) if eol != "\n" else edit.new_text)
        for fix in fixes
        for edit in fix.edits
    ]
    if client.document_changes:
        place = lsp.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
        action.edit = lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(place, list(edits))])
    else:
        action.edit = lsp.WorkspaceEdit(changes={document.uri: edits})
    return action
