"""The design a source belongs to: from an analysis where it has one, else asked for by itself."""

from __future__ import annotations

from pathlib import Path

from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis, Design, provider_of
from hwml_sdk.errors import SourceError


def design_of(analysis: Analysis) -> Design | None:
    """The first design whose top function stands in the document."""
    found = analysis.design
    return None if found is None else Design(found.name, found.figures)


def predict(path: Path, text: str, settings: Settings) -> Design:
    """The design that a source belongs to, wherever its top function stands.

    Raises SourceError for a language without figures, and as `Provider.design`.
    """
    found = provider_of(path).design(str(path), text, settings)
    if found is None:
        raise SourceError("nothing predicts figures of such a file", path=path)
    return found
