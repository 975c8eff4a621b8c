"""Check changed HLS and Chisel sources: lint, the limits of hwml.toml, and growth against the last commit.

hwml-check-qor FILE...             what pre-commit calls
hwml-check-qor --staged            the files of the next commit, as they are staged
hwml-check-qor --accept WORDS FILE...   let growth pass that is meant, and say why
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hwml_sdk.config import Settings, is_trusted, load_settings
from hwml_sdk.document import Analysis, Design, Diagnostic, Figures, Span, analyze, provider_for
from hwml_sdk.errors import ArtifactError, HwmlError, SourceError
from hwml_sdk.files import read_source
from hwml_sdk.git import repository_of
from hwml_sdk.languages import includer_of, language_of, languages
from hwml_sdk.printable import tell
from hwml_sdk.report import FORMATS, has_findings, render

from . import limits as budgets
from .accepted import Accepted
from .command import TRUST_HELP, kept_apart, run_command, worst
from .designs import design_of, predict
from .textfile import refuse_conflicts
from .trees import Target, Trees, needs_of, targets_of

MAX_DEPENDENTS = 100
_GIVEN = (*budgets.LIMITS, "max_growth_percent")  # limits that the command line may set


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of hwml-check-qor."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="C, C++ and Chisel sources, headers")
    parser.add_argument("--staged", action="store_true", help="read the index; without FILE: all that is staged")
    budgets.add_arguments(parser)
    growth = "most growth of any figure against HEAD"
    parser.add_argument(
        "--max-growth", dest="max_growth_percent", type=budgets.parse_amount, metavar="PERCENT", help=growth
    )
    accept = "accept the growth of these files once, with the reason; written to hwml.accepted.json"
    parser.add_argument("--accept", metavar="WORDS", help=accept)
    parser.add_argument("--trust", action="store_true", help=TRUST_HELP)
    parser.add_argument("--no-lint", action="store_true", help="check limits and growth only")
    parser.add_argument("--format", choices=FORMATS, default="text", help="how findings are printed")


def run(arguments: argparse.Namespace) -> int:
    """Check each file and print what was found; 1 for any error or warning."""
    chosen = [language for language in languages() if language.figures]
    with ExitStack() as stack:
        check = _Check(Trees(stack, needs_of(chosen), staged=arguments.staged), arguments)
        targets = targets_of(arguments.files, chosen, staged=arguments.staged, failed=check.failed)
        own = [target for target in targets if language_of(target.path) in chosen]
        analyses = [found for target in own if (found := check.file(target)) is not None]
        others = check.dependents(targets)
        analyses += [found for target in others if (found := check.file(target, lint=False)) is not None]
    text = render(analyses, arguments.format)
    if text:
        print(text)
    return worst([*check.failures, 1 if has_findings(analyses) else 0])


def _dependents(targets: Sequence[Target]) -> list[Target]:
    """Sources of the same repositories that include a changed header, and are not among the targets themselves."""
    known = {target.path for target in targets}
    headers: dict[str, list[Path]] = {}
    for target in targets:
        language = includer_of(target.path)
        if language is not None:
            headers.setdefault(language.name, []).append(target.path)
    found: dict[Path, None] = {}
    for changed in headers.values():
        found.update(dict.fromkeys(_including(changed)))
    here = Path.cwd()
    fresh = [path for path in found if path not in known][:MAX_DEPENDENTS]
    return [Target(str(path.relative_to(here)) if path.is_relative_to(here) else str(path), path) for path in fresh]


def _including(headers: Sequence[Path]) -> Iterator[Path]:
    """Of each repository, the sources that some headers of one language are included by."""
    language = includer_of(headers[0])
    assert language is not None
    for top in {repository.top: None for path in headers if (repository := repository_of(path)) is not None}:
        repository = repository_of(top)
        candidates = repository.listed(top, language.needs) if repository is not None else []
        yield from provider_for(language).dependents([p for p in headers if p.is_relative_to(top)], candidates)


class _Check:
    """Looks at one file after the other; `failures`: exit codes of those that could not be looked at."""

    def __init__(self, trees: Trees, arguments: argparse.Namespace) -> None:
        self.trees, self.arguments = trees, arguments
        self.failures: list[int] = []

    def file(self, target: Target, *, lint: bool = True) -> Analysis | None:
        """All there is to say about one file; None when it cannot be read, which is said on stderr."""
        try:
            with kept_apart(target.shown):
                return self._look(target, lint=lint and not self.arguments.no_lint)
        except ArtifactError:
            raise  # not this file's fault, and the same for all
        except HwmlError as error:
            self.failed(error)
            return None

    def dependents(self, targets: Sequence[Target]) -> list[Target]:
        """What includes a changed header; what keeps that from being known takes nothing from what was found."""
        try:
            return _dependents(targets)
        except HwmlError as error:
            self.failed(error)
            return []

    def failed(self, error: HwmlError) -> None:
        """Tell of a file that cannot be looked at; the others are."""
        tell(self.trees.shown(str(error)), who="hwml-check-qor")
        self.failures.append(error.exit_code)

    def _look(self, target: Target, *, lint: bool) -> Analysis:
        place = self.trees.place(target)
        text = read_source(place)
        refuse_conflicts(target.shown, text)
        settings = self._settings(target, place)
        limited = settings.limits.max_growth_percent > 0 or any(budgets.given_limits(settings.limits))
        language = language_of(target.path)
        name = None if language is None else language.name
        analysis = analyze(place, text, settings) if lint or limited else Analysis(target.shown, name)
        found = list(analysis.diagnostics) if lint else []
        notes = list(analysis.notes) if lint else []
        design = _design(place, text, analysis, settings) if limited else None
        if design is not None:
            found += self._over(target, design, analysis, settings, notes)
        elif self._asked(target):
            # Who asks for a limit here and now has to hear that nothing was held against it; a hook over all files not.
            nothing = "nothing was predicted" if analysis.notes else "no function to predict is in this file"
            notes.append(f"{analysis.left_alone or nothing}: no limit was checked")
        kept = tuple(item for item in found if item.code not in settings.lint.ignore)
        said = tuple(self.trees.shown(note) for note in notes)
        return Analysis(target.shown, name, kept, analysis.annotations, said)

    def _settings(self, target: Target, place: Path) -> Settings:
        """Those of the tree that is looked at, with the command line's limits over them."""
        settings = load_settings(place, trusted=self.arguments.trust or is_trusted(target.path))
        given = {name: value for name in _GIVEN if (value := getattr(self.arguments, name)) is not None}
        return replace(settings, limits=replace(settings.limits, **given))

    def _over(
        self, target: Target, design: Design, analysis: Analysis, settings: Settings, notes: list[str]
    ) -> list[Diagnostic]:
        """Limits and growth of the design that the file belongs to."""
        span = analysis.design.span if analysis.design is not None else Span.line(0)
        verdicts = budgets.judge(design.figures, settings.limits, strict=self.arguments.strict)
        found = list(budgets.findings(design.top, verdicts, span))
        percent = settings.limits.max_growth_percent
        if percent > 0:
            before = self._before(target, settings, notes)
            if before is not None:
                found += self._grown(target, design, budgets.check_growth(design, before, percent, span), notes)
        return found

    def _grown(self, target: Target, design: Design, grown: Iterator[Diagnostic], notes: list[str]) -> list[Diagnostic]:
        """Growth that nobody accepted; with `--accept` it is accepted now."""
        found = list(grown)
        if not any(item.severity == "error" for item in found):
            return found
        accepted = Accepted.of(target.path)
        if self.arguments.accept:
            accepted.with_entry(target.path, design, self.arguments.accept).write()
            notes.append(f"{design.top}: growth accepted; commit {accepted.place.name} with it")
            return []
        return [] if accepted.holds(target.path, design) else found

    def _asked(self, target: Target) -> bool:
        """Whether this run asks for a limit that this file should be held against: a header's sources are instead."""
        return includer_of(target.path) is None and any(getattr(self.arguments, name) is not None for name in _GIVEN)

    def _before(self, target: Target, settings: Settings, notes: list[str]) -> Figures | None:
        """The figures of the committed text, with the settings of now; None when there is nothing to compare."""
        place = self.trees.committed(target)
        if place is None:
            return None
        try:
            return predict(place, read_source(place), settings).figures
        except ArtifactError:
            raise
        except HwmlError as error:
            notes.append(f"growth is not known: the committed text has no prediction: {error}")
            return None


def _design(place: Path, text: str, analysis: Analysis, settings: Settings) -> Design | None:
    """The design that a file belongs to; None where it is none of hwml's business, or has nothing to predict."""
    if analysis.annotations:
        return design_of(analysis) or predict(place, text, settings)
    if analysis.left_alone or analysis.problem or includer_of(place) is not None:
        return None
    try:
        return predict(place, text, settings)  # all of it may be in what it includes
    except SourceError:
        return None


def main(argv: Sequence[str] | None = None) -> int:
    """`hwml-check-qor`."""
    return run_command("hwml-check-qor", __doc__, add_arguments, run, argv)


if __name__ == "__main__":
    raise SystemExit(main())
