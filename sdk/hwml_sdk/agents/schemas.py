"""JSON Schemas (2020-12) of what the tools take and give: `docs/agents.md` says the same in words."""

from __future__ import annotations

from typing import Any

from ..report import SCHEMA_VERSION
from .sources import MAX_TEXT_BYTES

Schema = dict[str, Any]
MAX_NAME = 4096

INTEGER: Schema = {"type": ["integer", "null"]}
COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
NUMBER: Schema = {"type": ["number", "null"]}
STRING: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
VERSION: Schema = {"const": SCHEMA_VERSION}
LINE: Schema = {"type": "integer", "minimum": 1, "description": "line in the file, from 1"}


def table(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def listed(item: Schema) -> Schema:
    """An array of these."""
    return {"type": "array", "items": item}


def each(value: Schema) -> Schema:
    """An object whose keys are names, such as `LUT`."""
    return {"type": "object", "additionalProperties": value}


def said(words: str, schema: Schema) -> Schema:
    """A schema with its description."""
    return {**schema, "description": words}


# -- what is taken ---------------------------------------------------------------------------------------------------

_PLACE: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": 200}
TEXT = said(f"the source itself, up to {MAX_TEXT_BYTES >> 20} MB; with `path`: as it would stand there", STRING)
PATH = said("a file below the open folders: absolute, relative to one of them, or a file: URI", _PLACE)

SOURCE: dict[str, Schema] = {"path": PATH, "text": TEXT}
TARGET: dict[str, Schema] = {
    "top": said("the function that is the design (default: the likely one)", _WORD),
    "part": said("FPGA part or board, such as xczu9eg-ffvb1156-2-i or u280", _WORD),
    "clock": said("clock period or frequency: 3.33, 3.33ns, 300MHz", _WORD),
    "tool": said("vitis_hls, vivado_hls, merlin or vitis_hls+vivado", _WORD),
    "tool_version": said("the tool's release, such as 2023.2", _WORD),
    "stage": {"enum": ["csynth", "impl"], "description": "the csynth report, or after place and route"},
}
HLS_INPUT = table({}, {**SOURCE, **TARGET})
WHY_INPUT = table({}, {**SOURCE, **TARGET, "loop": said("only this loop, by its label or name", _WORD)})
BUDGET = table({}, {key: {"type": ["number", "string"]} for key in ("lut", "dsp", "ff", "bram_18k")})
WHAT_IF_INPUT = table(
    {},
    {
        **SOURCE,
        **TARGET,
        "budget": said('the most of each, as a count or a share of the part ("60%")', BUDGET),
        "count": said("how many sets of pragmas are predicted", {"type": "integer", "minimum": 1, "maximum": 1500}),
    },
)
CHISEL_INPUT = table({}, SOURCE)
EXPLAIN_INPUT = table({}, {"code": said("such as HLS118 or CH104; without it all codes are listed", _WORD)})
COMPARE_INPUT = table(
    {},
    {
        **SOURCE,
        "before_path": said("the file to compare with", _PLACE),
        "before_text": said("the text to compare with", STRING),
        "revision": said("the commit to compare with: HEAD, HEAD~2, a branch, a tag", _WORD),
        **TARGET,
    },
)

# -- what is given ---------------------------------------------------------------------------------------------------

_NAMES = ("LUT", "DSP", "FF", "bram_18k", "uram", "latency_cycles", "interval_cycles")
FIGURES: dict[str, Schema] = dict.fromkeys(_NAMES, COUNT)
SURE = table({"low": INTEGER, "high": INTEGER, "class": STRING, "reasons": listed(STRING)})
LOOP = table(
    {
        "name": STRING, "function": STRING, "line": LINE, "level": {"type": "integer", "minimum": 0},
        "trip_count": NUMBER, "pipelined": FLAG, "ii": COUNT, "ii_is_guess": FLAG, "ii_bound_by": STRING,
        "unroll_factor": {"type": "integer", "minimum": 0}, "iteration_cycles": NUMBER, "total_cycles": COUNT,
        "share": NUMBER, "notes": listed(STRING),
    }
)  # fmt: skip
_DESIGN: dict[str, Schema] = {
    "schema_version": VERSION, "path": STRING, "top": STRING, "part": STRING, "clock_period_ns": {"type": "number"},
    "tool": STRING, "tool_version": STRING, "stage": STRING,
}  # fmt: skip
PREDICTION = table(
    {
        **FIGURES, **_DESIGN, "intervals": said("80 % intervals", each(SURE)),
        "reasons": said("why figures are null", each(listed(STRING))), "fits_part": {"type": ["boolean", "null"]},
        "dominant": STRING, "loops": listed(LOOP), "warnings": listed(STRING),
        "origins": said("where each assumption came from", each(STRING)),
    }
)  # fmt: skip
_POINT = table({"line": {"type": "integer", "minimum": 0}, "character": {"type": "integer", "minimum": 0}})
RANGE = said("lines and code points, from 0", table({"start": _POINT, "end": _POINT}))
FIX = table(
    {
        "title": STRING, "verified": FLAG, "safe": said("the meaning stays", FLAG),
        "edits": listed(table({"range": RANGE, "new_text": STRING})), "diff": said("the same as a diff", STRING),
    }
)  # fmt: skip
FINDING = table(
    {
        "code": STRING, "severity": {"enum": ["error", "warning", "info", "hint"]}, "message": STRING, "line": LINE,
        "range": RANGE, "fixes": listed(FIX),
        "related": listed(table({"message": STRING, "path": {"type": ["string", "null"]}, "line": LINE})),
    }
)  # fmt: skip
FINDINGS = table(
    {"schema_version": VERSION, "path": STRING, "findings": listed(FINDING), "notes": listed(STRING)},
    {"elsewhere": said("findings in headers and project files, by their path", each(listed(FINDING)))},
)
_CHANGE: dict[str, Schema] = {"edits": listed(table({"range": RANGE, "new_text": STRING})), "diff": STRING}
MOVE = table({"title": STRING, "gain": said("what it brings, predicted", STRING), "ii": COUNT, **_CHANGE})
WHY = table(
    {
        "schema_version": VERSION, "path": STRING, "top": STRING,
        "loops": listed(
            table(
                {
                    "name": STRING, "function": STRING, "line": LINE, "pipelined": FLAG, "ii": COUNT,
                    "ii_is_guess": FLAG, "ii_guess": COUNT, "bound_by": STRING,
                    "recurrence": said("the way round of what bounds it, where that is a recurrence", STRING),
                    "why": STRING, "total_cycles": COUNT, "share": NUMBER, "notes": listed(STRING),
                    "findings": listed(FINDING),
                    "moves": said("changes that lift the bound, best first", listed(MOVE)),
                }
            )
        ),
        "notes": listed(STRING),
    }
)  # fmt: skip
_AMOUNTS = table(dict.fromkeys(("latency_cycles", "LUT", "DSP", "FF", "bram_18k"), COUNT))
_PREDICTED = table(dict.fromkeys(("latency_cycles", "LUT", "DSP", "FF"), COUNT))
WHAT_IF = table(
    {
        "schema_version": VERSION, "path": STRING, "present": said("by the closed form", _AMOUNTS),
        "options": listed(
            table(
                {
                    "title": STRING, "gain": STRING, "pragmas": listed(STRING),
                    "share": said("of the part, of the resource that most is taken of", {"type": "number"}),
                    "after": said("by the closed form", _AMOUNTS),
                    "predicted": {"anyOf": [_PREDICTED, {"type": "null"}]}, **_CHANGE,
                }
            )
        ),
        "tried": {"type": "integer", "minimum": 0}, "size": {"type": "integer", "minimum": 0},
        "complete": said("whether all sets were tried", FLAG), "unmet": said("why nothing fits the budget", STRING),
    }
)  # fmt: skip
_SIDE = table({**FIGURES, "top": STRING, "path": STRING})
COMPARISON = table(
    {
        "schema_version": VERSION, "before": _SIDE, "after": _SIDE,
        "changes": said(
            "in percent, with its 80 % interval", each(table({"percent": NUMBER, "low": NUMBER, "high": NUMBER}))
        ),
        "loops": listed(
            table(
                {"name": STRING, "function": STRING, "ii_before": COUNT, "ii_after": COUNT, "cycles_before": COUNT,
                 "cycles_after": COUNT}
            )
        ),
        "summary": STRING, "notes": listed(STRING),
    }
)  # fmt: skip
MODULES = listed(table({"name": STRING, "line": LINE, "label": STRING, "LUT": COUNT, "DSP": COUNT, "FF": COUNT}))
CHISEL = table(
    {
        "schema_version": VERSION, "path": STRING, "findings": listed(FINDING), "modules": MODULES,
        "elaborated": said("whether constructors ran: only in folders that the user trusts", FLAG),
        "notes": listed(STRING),
    }
)  # fmt: skip
REPAIRS = table(
    {
        "schema_version": VERSION, "path": STRING, "clean": said("there was nothing to repair", FLAG),
        "repairs": listed(
            table({"title": STRING, "safe": FLAG, "verified": FLAG, "diff": STRING, "text": said("the file", STRING)})
        ),
        "notes": listed(STRING),
    }
)  # fmt: skip
PAGE = table(
    {"schema_version": VERSION},
    {"code": STRING, "title": STRING, "markdown": STRING, "codes": said("every code and its title", each(STRING))},
)
