"""Predictions of designs for the hooks: from an analysis where it has one, else asked for by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from hwml_sdk.config import Settings
from hwml_sdk.document import Analysis, Annotation
from hwml_sdk.files import read_head

HEADER_SUFFIXES = (".h", ".hh", ".hpp", ".hxx", ".inc", ".def", ".tpp", ".ipp")
SOURCE_SUFFIXES = (".c", ".cc", ".cpp", ".cxx", ".c++")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[\"<]([^\">\n]+)[\">]", re.MULTILINE)


def top_of(analysis: Analysis) -> Annotation | None:
    """The annotation of the design's top function: its data is the whole prediction."""
    return next((a for a in analysis.annotations if a.kind == "function" and "intervals" in a.data), None)


def predict(path: Path, text: str, settings: Settings) -> Mapping[str, Any]:
    """The prediction (as JSON) of the design that a source belongs to, wherever its top function stands.

    Raises SourceError, ConfigError and ArtifactError as `predict_qor`.
    """
    from hwml_sdk.qor.project.inputs import gather
    from hwml_sdk.qor.provider import predict_document

    return predict_document(str(path), text, gather(path), settings).to_dict()


def including(headers: Iterable[Path], candidates: Iterable[Path]) -> list[Path]:
    """Sources among `candidates` that include one of `headers`, directly or by way of other candidates.

    Compared by file name: an include path is not resolved, so that one file too many may be taken.
    """
    included: dict[str, list[Path]] = {}
    for path in candidates:
        for name in _INCLUDE.findall(_text(path)):
            included.setdefault(PurePosixPath(name.replace("\\", "/")).name, []).append(path)
    found: dict[Path, None] = {}
    pending = [path.name for path in headers]
    seen = set(pending)
    while pending:
        for path in included.get(pending.pop(), ()):
            found[path] = None
            if path.suffix.lower() in HEADER_SUFFIXES and path.name not in seen:
                seen.add(path.name)
                pending.append(path.name)
    return [path for path in found if path.suffix.lower() in SOURCE_SUFFIXES]


def _text(path: Path) -> str:
    try:
        return read_head(path, 1 << 20).decode("utf-8", "replace")
    except OSError:
        return ""
