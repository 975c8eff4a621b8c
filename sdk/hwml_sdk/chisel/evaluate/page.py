"""The figures of an evaluation as one page without outside parts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

_WIDTH = 420  # pixels of a bar that is all of 100 %


def page(figures: Mapping[str, Any], title: str) -> str:
    """HTML: a bar a stage and group with its interval, then what ended the other answers."""
    rows = []
    for group, stages in figures["groups"].items():
        for stage, rates in stages.items():
            for name, value in rates.items():
                rows.append(f"<tr><td>{escape(group)}<td>{stage}<td>{name}<td>{_bar(value)}<td>{_words(value)}</tr>")
    ended = "".join(f"<tr><td>{escape(words)}<td>{count}</tr>" for words, count in figures["ended_by"].items())
    return (
        f"<!doctype html><meta charset=utf-8><title>{escape(title)}</title>"
        "<style>body{font:15px sans-serif;margin:2em}td{padding:2px 12px}</style>"
        f"<h1>{escape(title)}</h1><p>{figures['tasks']} tasks, {figures['answers']} answers; intervals: Wilson, 95 %, "
        f"over tasks. {figures['bounded']} passed by a bounded search, not by a proof.</p>"
        f"<table>{''.join(rows)}</table>"
        f"<h2>What ended the others</h2><table>{ended}</table>\n"
    )


def _words(value: Mapping[str, float]) -> str:
    return f"{value['rate']:.1%} ({value['low']:.1%} to {value['high']:.1%})"


def _bar(value: Mapping[str, float]) -> str:
    low, high = value["low"] * _WIDTH, value["high"] * _WIDTH
    return (
        f'<svg width="{_WIDTH}" height="14"><rect width="{value["rate"] * _WIDTH:.0f}" height="14" fill="#69c"/>'
        f'<line x1="{low:.0f}" x2="{high:.0f}" y1="7" y2="7" stroke="#000"/></svg>'
    )
