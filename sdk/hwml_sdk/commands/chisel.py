"""Check, lower and repair Chisel with a warm compiler; no sbt and no system Java are needed.

hwml chisel setup                 fetch and verify the tool chain, once
hwml chisel check FILE...         what does not compile, elaborate or lower, with fixes that were compiled
hwml chisel qor FILE...           LUT, FF, DSP and cycles of every module; --measure runs yosys beside
hwml chisel emit FILE             SystemVerilog (or CHIRRTL) of every module
hwml chisel tree FILE             the instances inside each module, as a tree
hwml chisel fix FILE...           show the repair as a diff; --write applies what is safe
hwml chisel daemon status|stop    the process that keeps the compiler warm
hwml chisel data generate|import  samples to train a model on, each of them verified
hwml chisel eval                  judge a model, or answers, on tasks: compiled, elaborated, lowered, behaves
hwml chisel generate "..."        write a module with a language model; what comes out has been compiled
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import DEFAULT_CHISEL_VERSION, Settings, load_settings
from ..errors import HwmlError, MissingDependencyError, RefusedError, SourceError, ToolNotFoundError
from ..files import read_source, write_atomic
from ..leftovers import sweep
from ..printable import json_text, printable, tell
from ..report import FORMATS, SCHEMA_VERSION, has_findings, render
from ..rewrite import rewrite_source
from . import chisel_data, chisel_eval, chisel_generate
from .chisel_qor import show, show_written

if TYPE_CHECKING:
    from ..chisel.provider import Examination
    from ..chisel.repair.gate import Repair
    from ..chisel.say.interface import Node
    from ..chisel.types import CompileResult

_SUFFIXES = (".scala", ".sc")
_MAX_FILES = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml chisel`."""
    verbs = parser.add_subparsers(
        dest="verb", required=True, metavar="setup|check|qor|emit|tree|fix|daemon|data|eval|generate"
    )
    setup = verbs.add_parser("setup", help="fetch and verify the tool chain")
    setup.add_argument("--version", action="append", help="Chisel version (repeat for several); default: the newest")
    setup.add_argument("--trust", action="store_true", help="resolve versions that are not pinned, without known sums")
    check = verbs.add_parser("check", help="report what does not compile, elaborate or lower")
    _common(check)
    check.add_argument("--format", choices=FORMATS, default="text", help="how to print the findings")
    check.add_argument("--json", action="store_true", help="same as --format json")
    check.add_argument("--no-fixes", action="store_true", help="do not look for fixes")
    qor = verbs.add_parser("qor", help="predict LUT, FF, DSP and cycles of every module")
    _common(qor)
    qor.add_argument("--json", action="store_true", help="print JSON")
    qor.add_argument("--measure", action="store_true", help="run yosys (seconds a file): measured beside predicted")
    emit = verbs.add_parser("emit", help="print SystemVerilog or CHIRRTL")
    _common(emit)
    emit.add_argument("--chirrtl", action="store_true", help="CHIRRTL instead of SystemVerilog")
    emit.add_argument("-o", "--output", help="folder for one file a module, instead of printing")
    emit.add_argument("--json", action="store_true", help="print JSON")
    tree = verbs.add_parser("tree", help="print the tree of instances of every module that no other one holds")
    _common(tree)
    tree.add_argument("--json", action="store_true", help="print JSON")
    fix = verbs.add_parser("fix", help="show or apply repairs that passed the check")
    _common(fix)
    fix.add_argument("--write", action="store_true", help="apply repairs whose meaning is not in doubt")
    fix.add_argument("--choice", type=int, metavar="N", help="apply the N-th of several choices as well")
    fix.add_argument("--json", action="store_true", help="print JSON")
    daemon = verbs.add_parser("daemon", help="show or end the process that keeps the compiler warm")
    daemon.add_argument("action", choices=("status", "stop"))
    daemon.add_argument("--json", action="store_true", help="print JSON")
    chisel_data.add_arguments(verbs.add_parser("data", help="make samples to train a model on"))
    chisel_eval.add_arguments(verbs.add_parser("eval", help="judge answers to tasks by what they do"))
    chisel_generate.add_arguments(verbs.add_parser("generate", help="write a module with a language model"))


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", help="Scala files, or folders that hold some")
    parser.add_argument("--trust", action="store_true", help="elaborate: run the constructors of these files, fenced")
    parser.add_argument("--no-fence", action="store_true", help="elaborate with your own rights, without a fence")
    parser.add_argument("--version", help="Chisel version; default: what the build file says, else the newest pinned")
    parser.add_argument(
        "--args", action="append", default=[], metavar="'Fifo(8, 16)'", help="an instance to elaborate as well"
    )
    parser.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS", help="limit for each file")


def run(arguments: argparse.Namespace) -> int:
    """Run one verb."""
    verbs = {
        "setup": _setup,
        "check": _check,
        "qor": _qor,
        "emit": _emit,
        "tree": _tree,
        "fix": _fix,
        "daemon": _daemon,
        "data": chisel_data.run,
        "eval": chisel_eval.run,
        "generate": chisel_generate.run,
    }
    return verbs[arguments.verb](arguments)


def _say(text: str) -> None:
    for line in text.split("\n"):
        tell(line, who="")


def _setup(arguments: argparse.Namespace) -> int:
    from ..chisel.compile.prepare import prepare
    from ..chisel.compile.unpinned import resolve_and_prepare
    from ..chisel.install.java import find_java
    from ..chisel.install.toolchain import clear_downloads, ensure, locked_versions

    java = find_java()
    for version in arguments.version or [DEFAULT_CHISEL_VERSION]:
        if version in locked_versions():
            programs = prepare(ensure(version, progress=_say), progress=_say)
        elif arguments.trust:
            programs = resolve_and_prepare(version, progress=_say)
        else:
            known = ", ".join(locked_versions())
            raise RefusedError(f"Chisel {version} is not pinned ({known} are): --trust resolves it without known sums")
        print(f"Chisel {version} with Java {java.major} ({java.origin}) is ready in {programs.chain.folder}")
    clear_downloads()
    return 0


def _sources(names: Sequence[str]) -> list[Path]:
    """Files as named; folders stand for the Scala files below them."""
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix in _SUFFIXES and p.is_file())
            if not inside:
                raise SourceError("holds no .scala file; name a file or another folder", path=path)
            found += inside
        elif path.suffix not in _SUFFIXES:
            raise SourceError("is no Scala file (.scala or .sc)", path=path)
        else:
            found.append(path)
    if len(found) > _MAX_FILES:
        raise SourceError(f"{len(found)} files are over the limit of {_MAX_FILES}; name fewer")
    return found


def _settings(path: Path, arguments: argparse.Namespace) -> Settings:
    editor = {"chisel": {"version": arguments.version}} if arguments.version else None
    settings = load_settings(path, editor=editor, trusted=True if arguments.trust else None)
    if arguments.version:
        origins = {**settings.origins, "chisel.version": "--version"}
        settings = replace(settings, origins=origins)
    if arguments.args and not settings.trusted:
        raise RefusedError("--args runs code of the file: pass --trust, or hwml trust FOLDER first")
    return settings


def _ensure(path: Path, text: str, settings: Settings, failed: set[str]) -> None:
    """Set the tool chain up on first use, with progress; the provider alone only says that it is missing.

    failed: versions without a lock that could not be resolved; they are not tried for every file anew.
    """
    from ..chisel.build.project import choose_version
    from ..chisel.compile.prepare import prepare
    from ..chisel.compile.unpinned import resolve_and_prepare
    from ..chisel.install.toolchain import ensure, installed

    choice = choose_version(path, text, settings)
    if settings.trusted and choice.asked not in ("", choice.version, *failed):
        try:
            resolve_and_prepare(choice.asked, progress=_say)
        except HwmlError as error:  # the nearest pinned version answers, and its note says that
            failed.add(choice.asked)
            _say(f"{error}")
        else:
            return
    if installed(choice.version) is None:
        prepare(ensure(choice.version, progress=_say), progress=_say)


def _examinations(
    arguments: argparse.Namespace, *, outputs: bool = False
) -> Iterable[tuple[Path, str, Examination, Settings]]:
    from ..chisel.provider import examine

    failed: set[str] = set()
    for path in _sources(arguments.files):
        text = read_source(path)
        settings = _settings(path, arguments)
        _ensure(path, text, settings, failed)
        found = examine(
            path,
            text,
            settings,
            calls=arguments.args,
            outputs=outputs,
            timeout_s=arguments.timeout,
            fence=not arguments.no_fence,
            fence_or_refuse=True,
        )
        yield path, text, found, settings


def _check(arguments: argparse.Namespace) -> int:
    from ..chisel.provider import CHECK_FIX_BUDGET_S, as_analysis, repairs_for

    analyses = []
    for path, text, found, _ in _examinations(arguments):
        budget_s = min(CHECK_FIX_BUDGET_S, arguments.timeout)
        repairs = () if arguments.no_fixes else repairs_for(path, text, found, budget_s=budget_s)
        analyses.append(as_analysis(str(path), found, repairs))
    style = "json" if arguments.json else arguments.format
    answer = render(analyses, style)
    if answer:
        print(answer)
    elif style == "text":
        _say(f"{len(analyses)} file{'s' if len(analyses) > 1 else ''}: nothing found")
    return 1 if has_findings(analyses) else 0


def _qor(arguments: argparse.Namespace) -> int:
    try:
        found = [(path, item) for path, _, item, _ in _examinations(arguments, outputs=arguments.measure)]
    except (MissingDependencyError, ToolNotFoundError) as error:  # no Java, no client for the tool chain
        _say(str(error))
        return show_written(_sources(arguments.files), as_json=arguments.json)
    return show(found, as_json=arguments.json, measured=arguments.measure)


def _emit(arguments: argparse.Namespace) -> int:
    texts: dict[str, str] = {}
    failed = False
    for path, _, found, settings in _examinations(arguments, outputs=True):
        if not settings.trusted:
            raise RefusedError(f"{path}: emitting runs its constructors: pass --trust, or hwml trust FOLDER first")
        result = found.result
        failed = failed or not result.ok
        _complain(result)
        texts.update(result.chirrtl if arguments.chirrtl else result.verilog)
    _hand_out(texts, arguments)
    return 1 if failed or not texts else 0


def _tree(arguments: argparse.Namespace) -> int:
    from ..chisel.say.interface import drawn, tree_of

    trees: list[Node] = []
    failed = False
    for path, _, found, settings in _examinations(arguments, outputs=True):
        if not settings.trusted:
            raise RefusedError(f"{path}: a tree runs its constructors: pass --trust, or hwml trust FOLDER first")
        failed = failed or not found.result.ok
        _complain(found.result)
        made = [tree for tree in map(tree_of, found.result.chirrtl.values()) if tree is not None]
        trees += [tree for tree in made if not any(_holds(other, tree.module) for other in made)]
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, "trees": [_plain_tree(tree) for tree in trees]}))
    else:
        print("\n".join(line for tree in trees for line in drawn(tree)))
    return 1 if failed or not trees else 0


def _holds(tree: Node, module: str) -> bool:
    return any(child.module == module or _holds(child, module) for child in tree.children)


def _plain_tree(node: Node) -> dict[str, object]:
    children = [_plain_tree(child) for child in node.children]
    return {"instance": node.name, "module": node.module, "external": node.external, "children": children}


def _complain(result: CompileResult) -> None:
    for item in result.diagnostics:
        if item.severity in ("error", "info"):
            _say(f"{item.path}:{item.span.start_line + 1}: {item.severity} {item.code}: {item.text}")
    for note in result.notes:
        _say(note)


def _hand_out(texts: dict[str, str], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "modules": texts}, indent=1))
        return
    suffix = "fir" if arguments.chirrtl else "sv"
    for name, text in texts.items():
        if arguments.output:
            place = Path(arguments.output) / f"{name}.{suffix}"
            write_atomic(place, text)
            print(printable(place))
        else:
            print(text, end="")


def _fix(arguments: argparse.Namespace) -> int:
    from ..chisel.provider import CHECK_FIX_BUDGET_S, not_trusted_words, repairs_for

    rows = []
    left = False
    for path, text, found, _ in _examinations(arguments):
        if found.unchecked:
            _say(f"{path}: {not_trusted_words(found.unchecked)}")
        if arguments.write:
            sweep(path.resolve().parent)
        if not any(item.severity in ("error", "warning") for item in found.to_repair.diagnostics):
            continue
        repairs = repairs_for(path, text, found, budget_s=min(CHECK_FIX_BUDGET_S, arguments.timeout))
        chosen = _chosen(repairs, arguments)
        if arguments.write and chosen is not None:
            rewrite_source(path, text, chosen.text)
        left = left or chosen is None or not arguments.write
        rows.append(_row(path, repairs, chosen if arguments.write else None))
        if not arguments.json:
            _show(path, text, repairs, chosen if arguments.write else None)
    if arguments.json:
        print(json_text({"schema_version": SCHEMA_VERSION, "files": rows}))
    elif not rows:
        _say("nothing to repair")
    return 1 if left else 0


def _chosen(repairs: Sequence[Repair], arguments: argparse.Namespace) -> Repair | None:
    if repairs and repairs[0].safe:
        return repairs[0]
    choice: int | None = arguments.choice
    if choice is not None and 1 <= choice <= len(repairs):
        return repairs[choice - 1]
    return None


def _row(path: Path, repairs: Sequence[Repair], written: Repair | None) -> dict[str, object]:
    listed = [{"title": r.title, "safe": r.safe, "verified": True, "text": r.text} for r in repairs]
    return {"path": str(path), "repairs": listed, "written": None if written is None else written.title}


def _show(path: Path, text: str, repairs: Sequence[Repair], written: Repair | None) -> None:
    if written is not None:
        print(printable(f"{path}: {written.title}"))
        return
    if not repairs:
        print(f"{printable(path)}: no repair that passes the check is known")
    for number, repair in enumerate(repairs, start=1):
        kind = "safe, --write applies it" if repair.safe else f"a choice, --write --choice {number} applies it"
        print(printable(f"{path}: {repair.title} ({kind})"))
        before, after = text.splitlines(), repair.text.splitlines()
        print("\n".join(difflib.unified_diff(before, after, printable(path), printable(path), lineterm="", n=1)))


def _daemon(arguments: argparse.Namespace) -> int:
    from ..chisel.compile.prepare import prepare
    from ..chisel.install.toolchain import installed, installed_unpinned, locked_versions
    from ..chisel.serve.client import running_daemon, stop_daemon

    answers = []
    for version in (*locked_versions(), *installed_unpinned()):
        chain = installed(version)
        if chain is not None:
            programs = prepare(chain)
            ask = running_daemon if arguments.action == "status" else stop_daemon
            answer = ask(programs)
            if answer is not None:
                answers.append({"version": version, **answer})
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "daemons": answers}, indent=1))
    elif not answers:
        print("no daemon runs")
    else:
        for answer in answers:
            print(_daemon_line(arguments.action, answer))
    return 0


def _daemon_line(action: str, answer: dict[str, object]) -> str:
    if action == "stop":
        return f"Chisel {answer['version']}: daemon {answer['pid']} ends"
    return (
        f"Chisel {answer['version']}: daemon {answer['pid']}, {answer['checks']} checks in {answer['uptime_s']} s, "
        f"log {answer['log']}"
    )
