"""Compile changed Chisel files, and those that depend on them, in the warm compiler that all of hwml shares.

hwml-check-chisel FILE...          what pre-commit calls
hwml-check-chisel --fix FILE...    apply repairs that are safe and passed the check, then report what is left
hwml-check-chisel --staged         the files of the next commit, as they are staged
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hwml_sdk.config import Settings, load_settings
from hwml_sdk.document import CHECK_TIMEOUT_S, Analysis, apply_edits, provider_for, provider_of
from hwml_sdk.errors import ConfigError, HwmlError, MissingDependencyError
from hwml_sdk.files import read_source
from hwml_sdk.git import root_of
from hwml_sdk.languages import Language, language_of, languages, titles
from hwml_sdk.leftovers import sweep
from hwml_sdk.printable import tell
from hwml_sdk.report import FORMATS, has_findings, render
from hwml_sdk.rewrite import replace_if_unchanged

from .command import kept_apart, run_command, say_at_once, worst
from .textfile import read_text, refuse_conflicts
from .trees import Target, Trees, needs_of, targets_of

MAX_DEPENDENTS = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of hwml-check-chisel."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"{titles(_chosen())} files")
    parser.add_argument("--staged", action="store_true", help="read the index; without FILE: all that is staged")
    parser.add_argument("--fix", action="store_true", help="apply safe repairs to the named files")
    parser.add_argument("--trust", action="store_true", help="elaborate: run the constructors of these files, fenced")
    parser.add_argument("--no-dependents", action="store_true", help="check the named files only")
    parser.add_argument(
        "--timeout", type=_seconds, default=CHECK_TIMEOUT_S, metavar="SECONDS", help="limit for each file"
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no time from 0 to 3600 seconds")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Check each file and print what was found; 1 for any error or warning."""
    if arguments.fix and arguments.staged:
        raise ConfigError("--fix changes files on the disk, --staged reads the index: choose one")
    chosen = _chosen()
    with ExitStack() as stack:
        trees = Trees(stack, needs_of(chosen), staged=arguments.staged)
        check = _Check(trees, arguments)
        targets = targets_of(arguments.files, chosen, staged=arguments.staged, failed=check.failed)
        analyses = check.all(targets)
        text = render([_shown(analysis, trees) for analysis in analyses], arguments.format)
    if text:
        print(text)
    return worst([*check.failures, 1 if has_findings(analyses) else 0])


def _chosen() -> list[Language]:
    """The languages that a compiler checks."""
    return [language for language in languages() if language.compiles]


class _Check:
    """Looks at one file after the other; `failures`: exit codes of those that could not be looked at."""

    def __init__(self, trees: Trees, arguments: argparse.Namespace) -> None:
        self.trees, self.arguments = trees, arguments
        self.failures: list[int] = []

    def all(self, targets: Sequence[Target]) -> list[Analysis]:
        """The named files, then those that depend on them; an error is told once, at the file it is in."""
        named: dict[Path, Path] = {}  # where it lies -> as it was named
        roots: set[Path | None] = set()
        for target in targets:
            try:
                place = self.trees.place(target)
                refuse_conflicts(target.shown, read_source(place))
                root = self.trees.trust_root(target, given=self.arguments.trust)
            except HwmlError as error:
                self.failed(error)
                continue
            named[place.absolute()] = place
            roots.add(root)
        places, notes = list(named), list[str]()
        if named and not self.arguments.no_dependents:
            places, notes = _with_dependents(places)
        for note in notes:
            tell(f"note: {note}", who="hwml-check-chisel")
        trusted = [] if None in roots else [root for root in roots if root is not None]
        found = [self._file(named.get(place, place), trusted, fix=place in named) for place in places]
        told = {str(path) for path in (*places, *named.values())}
        return [_told_once(analysis, told) for analysis in found if analysis is not None]

    def failed(self, error: HwmlError) -> None:
        """Tell of a file that cannot be looked at; the others are."""
        tell(self.trees.shown(str(error)), who="hwml-check-chisel")
        self.failures.append(error.exit_code)

    def _file(self, place: Path, trusted: Sequence[Path], *, fix: bool) -> Analysis | None:
        try:
            with kept_apart(place):
                settings = load_settings(place, trusted=None if trusted else False, vouched=trusted)
                text = read_source(place)
                analysis = self._checked(place, text, settings)
                if fix and self.arguments.fix:
                    analysis = self._fixed(place, text, analysis, settings)
        except MissingDependencyError:
            raise  # the same for all files
        except HwmlError as error:
            self.failed(error)
            return None
        return analysis

    def _fixed(self, place: Path, text: str, analysis: Analysis, settings: Settings) -> Analysis:
        """Apply the first safe repair (it mends the whole file), unless the file has changed meanwhile."""
        sweep(place.resolve().parent)
        repairs = [f for item in analysis.diagnostics for f in item.fixes if f.safe and f.verified]
        if not repairs:
            return analysis
        file = read_text(place, root=root_of(place))
        if file.text != text:
            raise HwmlError(f"{place}: has changed meanwhile or is not UTF-8; nothing was written, run again")
        changed = apply_edits(text, repairs[0].edits)
        if not replace_if_unchanged(file.path, file.raw, file.with_text(changed)):
            raise HwmlError(f"{place}: has changed meanwhile; nothing was written, run again")
        tell(f"{place}: {repairs[0].title}", who="hwml-check-chisel")
        return self._checked(place, changed, settings)

    def _checked(self, place: Path, text: str, settings: Settings) -> Analysis:
        return provider_of(place).check(str(place), text, settings, timeout_s=self.arguments.timeout, tell=say_at_once)


def _with_dependents(first: list[Path]) -> tuple[list[Path], list[str]]:
    """The changed files (absolute), then those that depend on them, near or far; and notes."""
    extra: dict[Path, None] = {}
    for language in _chosen():
        own = [path for path in first if language_of(path) == language]
        extra.update(dict.fromkeys(provider_for(language).dependents(own, ()) if own else ()))
    notes = []
    if len(extra) > MAX_DEPENDENTS:
        notes.append(f"{len(extra)} files depend on the changed ones; the nearest {MAX_DEPENDENTS} were checked")
    return [*first, *list(extra)[:MAX_DEPENDENTS]], notes


def _told_once(analysis: Analysis, told: Collection[str]) -> Analysis:
    """Without what is reported at another checked file anyway."""
    own = [d for d in analysis.diagnostics if not d.related or any(r.path not in told for r in d.related)]
    return replace(analysis, diagnostics=tuple(own))


def _shown(analysis: Analysis, trees: Trees) -> Analysis:
    """With paths as a person in this folder writes them."""

    def short(text: str) -> str:
        return trees.shown(text).replace(f"{Path.cwd()}/", "")

    items = [
        replace(
            item,
            message=short(item.message),
            related=tuple(replace(r, path=short(r.path) if r.path else None) for r in item.related),
        )
        for item in analysis.diagnostics
    ]
    return replace(
        analysis,
        path=short(analysis.path),
        diagnostics=tuple(items),
        notes=tuple(short(note) for note in analysis.notes),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """`hwml-check-chisel`."""
    return run_command("hwml-check-chisel", __doc__, add_arguments, run, argv)


if __name__ == "__main__":
    raise SystemExit(main())
