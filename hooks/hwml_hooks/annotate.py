"""Write what hwml predicts as one comment above each function, module and loop, and take it away again.

hwml annotate FILE...            // hwml: 1.2k LUT · 5 DSP · 67 cyc
hwml annotate --check FILE...    1 when a file's comments are not up to date (for CI)
hwml annotate --remove FILE...   the files as they were, byte for byte

Running it again changes nothing. A file that is edited meanwhile keeps the edit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwml_sdk.config import load_settings
from hwml_sdk.document import Analysis, apply_edits, provider_for
from hwml_sdk.errors import HwmlError, SourceError
from hwml_sdk.git import root_of
from hwml_sdk.languages import Language, language_of, titles
from hwml_sdk.leftovers import sweep
from hwml_sdk.printable import printable, tell
from hwml_sdk.rewrite import replace_if_unchanged

from . import marks
from .command import TRUST_HELP, kept_apart, run_command, say_at_once, worst
from .textfile import TextFile, read_text, readable, refuse_conflicts

MAX_ROUNDS = 3  # of an edit that comes between reading and writing
MAX_FIXES = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: whether its bytes are to change, or have changed, and notes for people."""

    changed: bool
    notes: tuple[str, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hwml annotate`."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"{titles()} sources")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--remove", action="store_true", help="take the comments away")
    what.add_argument("--check", action="store_true", help="write nothing; 1 when something would be written")
    parser.add_argument("--fix", action="store_true", help="apply fixes that are safe and passed their check first")
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)


def run(arguments: argparse.Namespace) -> int:
    """Annotate each file; those that fail are named, the others go on."""
    if not arguments.files:
        raise SourceError("name a file; hwml annotate --help shows more")
    codes = [_one(name, arguments) for name in arguments.files]
    return worst(codes)


def _one(name: str, arguments: argparse.Namespace) -> int:
    try:
        with kept_apart(name):
            outcome = annotate_file(
                name,
                remove=arguments.remove,
                fix=arguments.fix,
                write=not arguments.check,
                trusted=True if arguments.trust else None,
            )
    except HwmlError as error:
        tell(error)
        return error.exit_code
    for note in outcome.notes:
        tell(f"{name}: note: {note}", who="")
    if outcome.changed:
        done = "comments removed" if arguments.remove else "annotated"
        print(f"{printable(name)}: {'not up to date' if arguments.check else done}")
    return 1 if outcome.changed and arguments.check else 0


def annotate_file(
    path: str | Path, *, remove: bool = False, fix: bool = False, write: bool = True, trusted: bool | None = None
) -> Outcome:
    """Bring the comments of one file up to date, or take them away.

    Raises SourceError for what cannot be annotated, RefusedError for a read-only file or a link out of the tree,
    ConfigError for broken settings, and what the prediction raises when the installation is broken.
    """
    place = Path(path)
    language = language_of(place)
    if language is None:
        raise SourceError(f"is no {titles()} file (by its name)", path=path)
    for _ in range(MAX_ROUNDS):
        file = read_text(place, root=root_of(place))
        if write:
            sweep(file.path.parent)
        text, notes = _new_text(place, file, language, remove=remove, fix=fix, trusted=trusted)
        new = file.with_text(text)
        if new == file.raw:
            return Outcome(False, notes)
        if not write or replace_if_unchanged(file.path, file.raw, new):
            return Outcome(True, notes)
    raise HwmlError(f"{path}: was changed {MAX_ROUNDS} times while it was read; nothing was written, run again")


def _new_text(
    path: Path, file: TextFile, language: Language, *, remove: bool, fix: bool, trusted: bool | None
) -> tuple[str, tuple[str, ...]]:
    """The text as it is to be, and notes."""
    bare = marks.strip(file.text, language)
    if remove:
        return bare, ()
    refuse_conflicts(path, file.text)
    provider_for(language).refuse_comments(str(path))
    # Positions of a fix count characters, and in other encodings not everybody counts alike.
    bare, analysis = _analysed(path, bare, language, fix=fix and file.is_utf8, trusted=trusted)
    text = annotated(bare, analysis, language, ascii_only=not file.is_utf8)
    hand = marks.edited_by_hand(bare, language)
    notes = [f"line {line + 1}: this `// hwml:` line is none of hwml's, and stays" for line in hand]
    if text != bare:
        return text, (*analysis.notes, *notes)
    why = _why_nothing(analysis)
    others = (note for note in analysis.notes if note != why)
    return text, (f"left alone: {why.removeprefix(f'{path}: ')}", *others, *notes)


def _why_nothing(analysis: Analysis) -> str:
    """Why a file has no comment of ours."""
    if analysis.annotations:
        return "its functions stand where no comment may, in a macro or behind a `\\` at the end of a line"
    if analysis.left_alone:
        return analysis.left_alone
    return analysis.problem or "no function of it is predicted"


def annotated(bare: str, analysis: Analysis, language: Language, *, ascii_only: bool = False) -> str:
    """`bare` (a text without marks, and its analysis) with marks. Raises HwmlError if they could not be taken away."""
    try:
        text = marks.insert(bare, marks.notes_of(analysis, language, ascii_only=ascii_only), language)
    except ValueError as error:
        raise HwmlError(f"{analysis.path}: {error}; nothing was written") from error
    if marks.strip(text, language) != bare:
        raise HwmlError(f"{analysis.path}: the comments could not be taken away again; nothing was written")
    return text


def _analysed(path: Path, bare: str, language: Language, *, fix: bool, trusted: bool | None) -> tuple[str, Analysis]:
    """The text after safe fixes, where wanted, and its analysis."""
    settings = load_settings(path, trusted=trusted)

    def look(text: str) -> Analysis:
        return provider_for(language).check(str(path), readable(text), settings, tell=say_at_once)

    analysis = look(bare)
    for _ in range(MAX_FIXES if fix else 0):
        fixes = [f for item in analysis.diagnostics for f in item.fixes if f.safe and f.verified]
        if not fixes:
            break
        bare = apply_edits(bare, fixes[0].edits)
        analysis = look(bare)
    return bare, analysis


def main(argv: Sequence[str] | None = None) -> int:
    """`hwml-annotate`: the same as `hwml annotate`, for pre-commit."""
    return run_command("hwml-annotate", __doc__, add_arguments, run, argv)


if __name__ == "__main__":
    raise SystemExit(main())
