"""One shard of samples: drawn, verified in batches by a tool chain of its own, returned as rows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from ...config import DEFAULT_CHISEL_VERSION
from ..compile.prepare import prepare
from ..install.toolchain import ensure
from ..session import Session
from .draft import Draft
from .families import FAMILIES, compose
from .verify import Failed, Result, Verified, Verifier
from .wordings import word

BATCH = 50


def make_shard(item: dict[str, Any]) -> dict[str, Any]:
    """The function an Executor runs. item: `seed`, `picks` (family and index of each), `version`.

    Gives `rows`, one for each pick that came through all stages, and `failures`, one for each that did not.
    """
    session = Session(prepare(ensure(item.get("version", DEFAULT_CHISEL_VERSION))))
    try:
        verifier = Verifier(session)
        rows: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for picks in _batches(item["picks"]):
            for row, result in make_samples(verifier, item["seed"], picks):
                if isinstance(result, Failed):
                    failures.append(
                        {"family": row["family"], "seed": row["seed"], "stage": result.stage, "words": result.words}
                    )
                else:
                    rows.append(row)
        return {"rows": rows, "failures": failures}
    finally:
        session.kill()


def _batches(picks: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    for start in range(0, len(picks), BATCH):
        yield picks[start : start + BATCH]


def make_samples(
    verifier: Verifier, seed: int, picks: Sequence[Sequence[Any]]
) -> Iterator[tuple[dict[str, Any], Result]]:
    """Rows of some picks with what became of each."""
    drafts: dict[str, tuple[str, str, Draft]] = {}
    for number, (family, index) in enumerate(picks):
        own = f"{seed} {family} {index}"
        drafts[f"s{number}"] = (family, own, compose(FAMILIES[family], own))
    texts = {key: draft.source() for key, (_, _, draft) in drafts.items()}
    for key, result in verifier.run(texts).items():
        family, own, draft = drafts[key]
        yield _row(family, own, draft, texts[key], result), _worth(result)


def _worth(result: Result) -> Result:
    """Ports without effect and outputs without cause teach nothing."""
    if isinstance(result, Verified) and (result.netlist.unused or result.netlist.constant):
        return Failed("trivial", "an input is never read, or an output is constant")
    return result


def _row(family: str, seed: str, draft: Draft, text: str, result: Result) -> dict[str, Any]:
    wording, instruction, given = word(draft, random.Random(f"wording {seed}"))
    row: dict[str, Any] = {
        "instruction": instruction,
        "input": given,
        "output": text,
        "level": FAMILIES[family].level,
        "family": family,
        "seed": seed,
        "top": draft.top,
        "wording": wording,
        "style": "-".join(
            (draft.style.names, draft.style.ports, draft.style.registers, draft.style.conditions, draft.style.comments)
        ),
    }
    if isinstance(result, Verified):
        row |= facts(result)
    return row


def facts(result: Verified) -> dict[str, Any]:
    """Ports and netlist numbers of a verified module, for its row."""
    ports = [[port.name, port.direction, port.width] for port in result.ports]
    return {"ports": ports, "netlist": result.netlist.exact, "abstract": result.netlist.abstract}
