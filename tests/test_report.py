"""Findings as text, JSON, GitHub commands and SARIF."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest

from hwml_sdk.document import Analysis, Annotation, Diagnostic, Edit, Fix, Related, Span, apply_edits
from hwml_sdk.explain import codes
from hwml_sdk.report import FORMATS, as_github, as_json, as_sarif, as_text, has_findings, render

FIX = Fix("write PIPELINE", (Edit(Span(2, 12, 2, 19), "PIPELINE"),), verified=True, safe=True)
WARNING = Diagnostic(
    "HLS105", "warning", "unknown pragma PIPLINE: 100% ignored\nsecond line", Span(2, 12, 2, 19), (FIX,),
    (Related("declared here", Span(0, 0, 0, 3)), Related("in a header", Span(4, 0, 4, 1), "a.h")),
)  # fmt: skip
ERROR = Diagnostic("HLS109", "error", "no variable 'ö'", Span(1, 4, 1, 5))
HINT = Diagnostic("HLS102", "hint", "uneven", Span(9, 0, 9, 1))


@dataclass(frozen=True)
class Mac:
    """What a provider knows of a loop."""

    ii: int

    def to_dict(self) -> dict[str, Any]:
        return {"ii": self.ii}


LABEL = Annotation("loop", "mac", Span(1, 0, 1, 3), "II 1", "**mac**", Mac(1))
ANALYSIS = Analysis("src/a,b:c.cpp", "hls", (WARNING, ERROR, HINT), (LABEL,), ("incomplete",))

# The part of SARIF 2.1.0 (OASIS, 2020) that code scanning services rely on.
_INDEX = {"type": "integer", "minimum": 1}
_URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~!$&'()*+,;=:@/%-]+$"}  # RFC 3986: what a reference may hold
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string", "minLength": 1},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {"type": "object", "required": ["id"]},
                                    },
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["ruleId", "message", "locations"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": {
                                    "type": "object",
                                    "required": ["text"],
                                    "properties": {"text": {"type": "string", "minLength": 1}},
                                },
                                "locations": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "object",
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "type": "object",
                                                "required": ["artifactLocation", "region"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "type": "object",
                                                        "required": ["uri"],
                                                        "properties": {"uri": _URI},
                                                    },
                                                    "region": {
                                                        "type": "object",
                                                        "required": ["startLine"],
                                                        "properties": dict.fromkeys(
                                                            ("startLine", "startColumn", "endLine", "endColumn"), _INDEX
                                                        ),
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif() -> None:
    data = as_sarif([ANALYSIS, Analysis("empty.cpp", "hls")])
    jsonschema.validate(json.loads(json.dumps(data)), SARIF)
    run = data["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["HLS102", "HLS105", "HLS109"]
    assert [result["level"] for result in run["results"]] == ["warning", "error", "note"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 13, "endLine": 3, "endColumn": 20}


def test_sarif_without_findings_is_valid() -> None:
    jsonschema.validate(as_sarif([]), SARIF)


def test_sarif_paths_are_uris() -> None:
    (result,) = as_sarif([Analysis("my src/ä.cpp", "hls", (ERROR,))])["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20src/%C3%A4.cpp"


def test_github_escapes() -> None:
    first, second, third = as_github([ANALYSIS]).split("\n")
    assert first == (
        "::warning file=src/a%2Cb%3Ac.cpp,line=3,endLine=3,col=13,title=HLS105::"
        "unknown pragma PIPLINE: 100%25 ignored%0Asecond line"
    )
    assert second.startswith("::error ")
    assert third.startswith("::notice ")


def test_text_is_sorted_and_complete() -> None:
    lines = as_text([ANALYSIS]).split("\n")
    assert lines[0] == "src/a,b:c.cpp:2:5: error HLS109: no variable 'ö'"
    assert r"src/a,b:c.cpp:3:13: warning HLS105: unknown pragma PIPLINE: 100% ignored\nsecond line" in lines
    assert "  a.h:5: in a header" in lines
    assert "  fix: write PIPELINE (verified)" in lines
    assert lines[-1] == "src/a,b:c.cpp: note: incomplete"


def test_json_round_trip() -> None:
    data = json.loads(json.dumps(as_json([ANALYSIS])))
    assert data["schema_version"] == 2
    (item,) = data["files"]
    assert item["diagnostics"][0]["fixes"][0]["edits"][0]["new_text"] == "PIPELINE"
    assert item["diagnostics"][0]["range"]["end"] == {"line": 2, "character": 19}
    assert item["annotations"][0]["data"] == {"ii": 1}
    assert item["notes"] == ["incomplete"]


def test_every_format_renders() -> None:
    for style in FORMATS:
        assert "HLS105" in render([ANALYSIS], style)
    with pytest.raises(ValueError, match="yaml"):
        render([ANALYSIS], "yaml")


def test_only_errors_and_warnings_are_findings() -> None:
    assert has_findings([ANALYSIS])
    assert not has_findings([Analysis("a", "hls", (HINT,))])
    assert not has_findings([])


def test_edits() -> None:
    text = "ab\ncd\n"
    edits = (Edit(Span(1, 0, 1, 1), "X"), Edit(Span(0, 1, 0, 2), ""), Edit(Span(2, 0, 2, 0), "end"))
    assert apply_edits(text, edits) == "a\nXd\nend"
    for wrong in (Span(9, 0, 9, 0), Span(0, 9, 0, 9), Span(1, 1, 0, 0)):
        with pytest.raises(ValueError, match=r"outside|before"):
            apply_edits(text, (Edit(wrong, ""),))
    with pytest.raises(ValueError, match="overlap"):
        apply_edits(text, (Edit(Span(0, 0, 0, 2), ""), Edit(Span(0, 1, 1, 0), "")))


def test_sarif_carries_fixes_related_places_and_pages() -> None:
    (run,) = as_sarif([ANALYSIS])["runs"]
    first = run["results"][0]
    (fix,) = first["fixes"]
    assert fix["description"]["text"] == "write PIPELINE (verified)"
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == first["locations"][0]["physicalLocation"]["artifactLocation"]
    (replacement,) = change["replacements"]
    # The edit of FIX, from 1: line 3, columns 13 up to 20.
    assert replacement["deletedRegion"] == {"startLine": 3, "startColumn": 13, "endLine": 3, "endColumn": 20}
    assert replacement["insertedContent"] == {"text": "PIPELINE"}
    places = [item["physicalLocation"]["artifactLocation"]["uri"] for item in first["relatedLocations"]]
    assert places == [quote("src/a,b:c.cpp"), "a.h"]
    rules = run["tool"]["driver"]["rules"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "HLS105"
    assert rules[first["ruleIndex"]]["shortDescription"]["text"] == codes()["HLS105"]
    assert "fixes" not in run["results"][1]


def test_sarif_holds_what_code_scanning_takes() -> None:
    """5,000 results of a run, 100 places of a result, 10 MB packed; the gravest stay."""
    near = tuple(Related("here", Span(line, 0, line, 1)) for line in range(300))
    many = [replace(WARNING, span=Span(line, 0, line, 1), related=near[:2]) for line in range(6000)]
    data = as_sarif([Analysis("a.cpp", "hls", (*many, replace(ERROR, related=near)))])
    (run,) = data["runs"]
    assert len(run["results"]) == 5000
    assert run["results"][0]["ruleId"] == "HLS109"
    assert len(run["results"][0]["relatedLocations"]) == 100
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("1001 more findings")
    assert len(gzip.compress(json.dumps(data).encode())) < 10_000_000


def test_github_shows_ten_of_a_level_and_the_others_stay_readable() -> None:
    many = tuple(replace(WARNING, span=Span(line, 0, line, 1)) for line in range(12))
    lines = as_github([Analysis("a.cpp", "hls", (*many, ERROR))]).splitlines()
    assert lines[-4].startswith("::error ")
    assert sum(line.startswith("::warning ") for line in lines) == 10
    assert lines[-3] == "2 more, of which GitHub shows no annotation:"
    assert [line.partition(":")[2].partition(":")[0] for line in lines[-2:]] == ["11", "12"]
