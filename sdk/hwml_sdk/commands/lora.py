"""LoRA generator: prompts in, an adapter that PeftModel.from_pretrained loads out.

Training is `hwml train lora` (or `python -m sdk.train lora`). Every flag also has its spelling with underscores.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..errors import HwmlError
from ..printable import tell
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
    _collect_arguments(commands.add_parser("collect", help="make a demonstration: tasks, prompts, trained adapters"))
    _generate_arguments(commands.add_parser("generate", help="prompts in, an adapter out"))
    _evaluate_arguments(commands.add_parser("evaluate", help="score generated adapters beside controls"))


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


def _collect_arguments(parser: _Parser) -> None:
    flag(parser, "--output-dir", required=True, metavar="DIR")
    flag(parser, "--kind", choices=("classify", "causal"), default="classify", help="text encoder, or language model")
    flag(parser, "--base", default="all-MiniLM-L6-v2", metavar="NAME", help="encoder that gets the adapters (classify)")
    flag(parser, "--seed", type=int, default=0)
    flag(parser, "--steps", type=int, default=0, help="training steps of each adapter")
    flag(parser, "--small", action="store_true", help="a few tasks only, to try the chain")


def _generate_arguments(parser: _Parser) -> None:
    flag(
        parser, "--model", required=True, metavar="M", help="experiment folder, its final_model, or generator_model.pt"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    flag(
        what, "--prompt", action="append", default=[], metavar="TEXT", help="may be repeated: all describe one adapter"
    )
    flag(what, "--prompt-file", default="", metavar="F", help="a prompt a line, or .jsonl")
    flag(parser, "--output", default="", metavar="DIR|F.pt", help="PEFT folder, or one file of parameters")
    flag(parser, "--merge", nargs=2, default=None, metavar=("BASE", "OUT"), help="write BASE with the adapter in it")
    flag(parser, "--json", action="store_true")


def _evaluate_arguments(parser: _Parser) -> None:
    flag(parser, "--model", required=True, nargs="+", metavar="M", help="generators; those of one kind are averaged")
    flag(parser, "--data", required=True, metavar="DIR", help="folder that hwml lora collect made")
    flag(parser, "--plot", default="", metavar="PNG")
    flag(parser, "--output", default="", metavar="F.json", help="write the figures here, too")
    flag(parser, "--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Run one action."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "prepare": _prepare,
        "analyze": _analyze,
        "test": _test,
        "roundtrip": _test,
        "collect": _collect,
        "generate": _generate,
        "evaluate": _evaluate,
    }
    return actions[arguments.action](arguments)


def _print_json(data: dict[str, Any]) -> None:
    print(json.dumps({"schema_version": SCHEMA_VERSION, **data}, indent=1))


def _warn(text: str) -> None:
    tell(text)


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


def _collect(options: argparse.Namespace) -> int:
    from ..train.lora.recipe import check_packages

    check_packages()
    from ..train.lora.collect import collect, settings_for

    settings = settings_for(options.kind, seed=options.seed, steps=options.steps, small=options.small)
    data, made = collect(options.output_dir, options.kind, settings, base=options.base, report=_warn)
    print(f"{options.output_dir}: {len(data.tasks)} tasks, {made} adapters trained now")
    return 0


def _generate(options: argparse.Namespace) -> int:
    from ..lora.generate import LoraGenerator
    from ..lora.prompts import read_prompt_file

    if not options.output and not options.merge:
        raise HwmlError("nothing to write: name --output DIR (or F.pt), or --merge BASE OUT")
    prompts = read_prompt_file(options.prompt_file) if options.prompt_file else tuple(options.prompt)
    generator = LoraGenerator.load(options.model)
    for index, count in generator.truncated(prompts):
        _warn(
            f"prompt {index + 1} has {count} tokens, the encoder reads {generator.encoder.max_tokens}: its end is lost"
        )
    adapter = generator.generate(prompts)
    if options.output:
        adapter.save(options.output)
    if options.merge:
        adapter.merge(*options.merge)
    written = [*filter(None, [options.output]), *(options.merge or [])[1:]]
    if options.json:
        _print_json(
            {"written": written, "tensors": len(adapter.tensors), "rank": adapter.rank, "prompts": len(prompts)}
        )
    else:
        asked = f"{len(prompts)} prompt{'s' if len(prompts) != 1 else ''}"
        print(f"{', '.join(written)}: {len(adapter.tensors)} tensors of rank {adapter.rank} from {asked}")
        print("Not tried on examples: of what no training task described it knows nothing (hwml lora evaluate tells).")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from ..train.lora.recipe import check_packages

    check_packages()
    from ..files import write_atomic
    from ..train.lora.evaluate import evaluate, plot, table, to_json

    rows = evaluate(options.model, options.data, report=_warn)
    if options.plot:
        plot(rows, options.plot)
    data = {"schema_version": SCHEMA_VERSION, **to_json(rows)}
    if options.output:
        write_atomic(options.output, json.dumps(data, indent=1) + "\n")
    print(json.dumps(data, indent=1) if options.json else table(rows))
    return 0
