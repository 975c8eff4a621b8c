"""How varied a data set is: netlists, texts, constructs, families."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d+|[^\s\w]+")
_CONSTRUCTS = (
    "when",
    "elsewhen",
    "otherwise",
    "switch",
    "Mux",
    "MuxLookup",
    "MuxCase",
    "Wire",
    "WireDefault",
    "Reg",
    "RegInit",
    "RegNext",
    "RegEnable",
    "Cat",
    "Fill",
    "PopCount",
    "Reverse",
    "Log2",
    "PriorityEncoder",
    "OHToUInt",
    "UIntToOH",
    "Enum",
    "Vec",
    "Mem",
    "SyncReadMem",
    "Bundle",
    "Valid",
    "Decoupled",
    "Flipped",
    "Module",
    "SInt",
    "Bool",
    "asSInt",
    "asUInt",
)
_LENGTH = 8  # tokens of an n-gram: about one statement


def text_figures(texts: Iterable[str]) -> dict[str, Any]:
    """Distinct n-grams of tokens as a share, entropy of tokens in bits, and how many texts use each construct."""
    grams: Counter[tuple[str, ...]] = Counter()
    tokens: Counter[str] = Counter()
    constructs: Counter[str] = Counter()
    lines = count = 0
    for text in texts:
        count += 1
        lines += text.count("\n")
        words = _TOKEN.findall(text)
        tokens.update(words)
        grams.update(tuple(words[at : at + _LENGTH]) for at in range(len(words) - _LENGTH + 1))
        constructs.update(name for name in _CONSTRUCTS if name in words)
    total = sum(grams.values())
    all_tokens = sum(tokens.values())
    entropy = -sum(n / all_tokens * math.log2(n / all_tokens) for n in tokens.values())
    return {
        "texts": count,
        "lines_mean": round(lines / max(count, 1), 1),
        "ngrams_distinct": round(len(grams) / max(total, 1), 4),
        "token_entropy_bits": round(entropy, 2),
        "constructs": dict(constructs.most_common()),
    }


def report_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of a data set."""
    count = max(len(rows), 1)
    families = Counter(row["family"] for row in rows)
    return {
        "schema_version": 1,
        "samples": len(rows),
        "netlists_distinct": len({row["netlist"] for row in rows}),
        "abstract_distinct_share": round(len({row["abstract"] for row in rows}) / count, 4),
        "largest_family_share": round(max(families.values(), default=0) / count, 4),
        "levels": dict(Counter(row["level"] for row in rows)),
        "families": dict(families),
        "styles": len({row["style"] for row in rows}),
        "wordings": dict(Counter(row["wording"] for row in rows)),
        "text": text_figures(row["output"] for row in rows),
    }


def report_text(report: Mapping[str, Any]) -> str:
    """The report for people."""
    lines = [
        "# Chisel data set",
        "",
        f"{report['samples']} samples, {report['netlists_distinct']} different netlists,"
        f" {report['abstract_distinct_share']:.1%} different without widths and constants.",
        f"Largest family {report['largest_family_share']:.1%}; {report['styles']} styles.",
        f"Not taken: {_counts(report.get('dropped', {}))}. Failed: {_counts(report.get('failed', {}))}.",
        "",
        "| family | samples |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in report["families"].items()),
        "",
        "| construct | samples that use it |",
        "|---|---|",
        *(f"| {name} | {count} |" for name, count in report["text"]["constructs"].items()),
    ]
    return "\n".join(lines) + "\n"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"
