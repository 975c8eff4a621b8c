"""Which documents have to do with a file: headers as they stand in the editor, and who reads a file that changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from .documents import Document


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.replace("\\", "/").rpartition("/")[2]


def is_header(document: Document) -> bool:
    """Whether other documents include it."""
    headers = document.language.headers if document.language is not None else ()
    return bool(headers) and (document.path or "").lower().endswith(headers)


def unsaved_headers(document: Document, others: Iterable[Document]) -> dict[str, str]:
    """Headers of a document as they stand in the editor, by path: what is typed counts before it is saved."""
    headers = document.language.headers if document.language is not None else ()
    return {
        other.path: other.text.for_sdk()
        for other in others
        if other.path is not None
        and other is not document
        and headers
        and other.path.lower().endswith(headers)
        and (other.path in document.reads or not document.analysed or name_of(other.path) in document.text.text)
        and not other.is_too_large
    }


def readers(paths: Collection[str], documents: Iterable[Document]) -> Iterator[Document]:
    """Documents that read some files. One that none has read may be a header that was missing: by its name."""
    names = {name_of(path) for path in paths}
    for document in documents:
        if document.path in paths:
            continue
        if not document.reads.isdisjoint(paths) or any(name in document.text.text for name in names):
            yield document
