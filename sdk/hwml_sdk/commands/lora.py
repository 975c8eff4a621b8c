"""LoRA generator: prompts in, an adapter that PeftModel.from_pretrained loads out.

Training is `hwml train lora` (or `python -m sdk.train lora`). Every flag also has its spelling with underscores.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..report import SCHEMA_VERSION

_Parser = argparse.ArgumentParser


def flag(parser: argparse._ActionsContainer, name: str, **settings: Any) -> None:
    """Add `--two-words` and, for scripts that spell it so, `--two_words`."""
    spellings = dict.fromkeys((name, "--" + name.removeprefix("--").replace("-", "_")))
    parser.add_argument(*spellings, **settings)


def add_arguments(parser: _Parser) -> None:
    """Arguments of `hwml lora`."""
    commands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _prepare_arguments(
        commands.add_parser("prepare", help="combine prompts into groups, training and validation apart")
    )
    _analyze_arguments(commands.add_parser("analyze", help="statistics, drift and initialisations of checkpoints"))
    for name in ("test", "roundtrip"):
        _test_arguments(commands.add_parser(name, help="turn one checkpoint into tokens and back, bit by bit"))


def _prepare_arguments(parser: _Parser) -> None:
    flag(
        parser, "--source", required=True, metavar="F.jsonl", help="rows of {prompt}, {messages} or {question, choices}"
    )
    flag(parser, "--output-dir", required=True, metavar="DIR")
    flag(parser, "--samples-per-prompt", type=int, default=4, metavar="N", help="prompts of one group (default 4)")
    flag(parser, "--test-ratio", type=float, default=0.1, metavar="SHARE")
    flag(parser, "--seed", type=int, default=0)
    flag(parser, "--json", action="store_true")


def _analyze_arguments(parser: _Parser) -> None:
    flag(parser, "--checkpoint-dir", required=True, metavar="DIR")
    flag(parser, "--token-dim", type=int, default=384, metavar="WIDTH")
    flag(parser, "--max-checkpoints", type=int, default=0, metavar="N", help="so many, spread evenly; 0: all")
    flag(parser, "--plot", default="", metavar="PNG")
    flag(parser, "--json", action="store_true")


def _test_arguments(parser: _Parser) -> None:
    flag(parser, "--checkpoint-file", required=True, metavar="F", help="PEFT folder, .safetensors, .bin, .pt or .ckpt")
    flag(parser, "--max-tokens", type=int, default=0, metavar="N", help="an error where more are needed; 0: no limit")
    flag(parser, "--token-dim", type=int, default=384, metavar="WIDTH")
    flag(parser, "--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Run one action."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "prepare": _prepare,
        "analyze": _analyze,
        "test": _test,
        "roundtrip": _test,
    }
    return actions[arguments.action](arguments)


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=1))


def _warn(text: str) -> None:
    print(f"hwml: {text}", file=sys.stderr, flush=True)


def _prepare(options: argparse.Namespace) -> int:
    from ..lora.prompts import TRAIN_FILE, VALIDATION_FILE, prepare

    done = prepare(
        options.source, options.output_dir, samples_per_prompt=options.samples_per_prompt,
        test_ratio=options.test_ratio, seed=options.seed,
    )  # fmt: skip
    counts = {"train_groups": len(done.train), "validation_groups": len(done.validation)}
    counts |= {"duplicates": done.duplicates, "left_over": done.left_over}
    if options.json:
        _print_json(counts)
        return 0
    print(f"{options.output_dir}/{TRAIN_FILE}: {len(done.train)} groups of {options.samples_per_prompt} prompts")
    print(f"{options.output_dir}/{VALIDATION_FILE}: {len(done.validation)} groups")
    print(f"{done.duplicates} duplicates, {done.left_over} prompts that filled no group")
    return 0


def _analyze(options: argparse.Namespace) -> int:
    from ..lora.analyze import analyze, plot

    found = analyze(options.checkpoint_dir, width=options.token_dim, limit=options.max_checkpoints)
    if options.plot:
        plot(found, options.plot)
    for warning in found.warnings:
        _warn(warning)
    if options.json:
        _print_json(found.to_json())
        return 0
    print(f"{'std of A':>10}{'std of B':>10}{'largest':>10}{'init':>6}{'drift':>9}{'cosine':>9}  checkpoint")
    for row in found.rows:
        drift = "-" if row.drift is None else f"{row.drift:.4f}"
        cosine = "-" if row.cosine is None else f"{row.cosine:.4f}"
        numbers = (
            f"{row.std_a:>10.3g}{row.std_b:>10.3g}{row.largest:>10.3g}{row.initialisation:>6}{drift:>9}{cosine:>9}"
        )
        print(f"{numbers}  {row.path}")
    print(f"{len(found.rows)} checkpoints, {found.n_tokens} tokens of {found.width} values each")
    return 0


def _test(options: argparse.Namespace) -> int:
    from ..lora.analyze import round_trip

    found, _ = round_trip(options.checkpoint_file, max_tokens=options.max_tokens, width=options.token_dim)
    if options.json:
        _print_json(asdict(found))
    else:
        left = f", {found.left_out} other tensors left out" if found.left_out else ""
        print(f"{found.path}: {found.n_tensors} tensors, {found.n_values} values, {', '.join(found.dtypes)}{left}")
        print(
            f"{found.n_tokens} tokens of {found.width} values; there and back: {'exact' if found.exact else 'DIFFERS'}"
        )
    return 0 if found.exact else 1
