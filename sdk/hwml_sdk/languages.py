"""The languages hwml has something to say about, each in one record: nothing else in hwml compares their names.

A record holds what is known of a language without loading its provider. Other packages add theirs by an entry point:

    [project.entry-points."hwml.languages"]
    toy = "toy_hdl.language:LANGUAGE"
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .plugins import entry_points, load

GROUP = "hwml.languages"


@dataclass(frozen=True, slots=True)
class Comments:
    """Where comments and strings are, so that comment lines can be put between lines of plain code.

    line: begins a comment that ends with its line. tokens: regular expression (`.` takes line ends too) of the comments
    and strings of the language, and of whatever else holds their signs. nests: a match of its group `nest` opens a
    comment `/* */` that may hold others. continues: a backslash at the end of a line carries it on to the next.
    """

    line: str = "//"
    tokens: str = r"//[^\n]*"
    nests: bool = False
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Rival:
    """Another language server that tells part of the same: it keeps `folder` in a project; sources: of its findings."""

    folder: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    name: in settings, JSON and on the command line. provider: "module:object", a `document.Provider` that is loaded on
    first use. suffixes: of its files, in lower case. titles: what people call such files.

    figures: it predicts figures of designs, so budgets and growth apply.
    compiles: it asks a compiler: looking takes seconds, errors are worth a comment, and a clean file "compiles".
    warms_up: its provider loads something large, worth doing before the first document.
    patience_s: an analysis in the editor that has said nothing new for so many seconds hangs, and is ended; so is one
    that has gone on saying something for three times as long.

    headers: suffixes of files that others include. needs: git patterns of all that reading a source may need.
    watched: globs of files that its documents depend on. outputs: regular expressions of folders that tools write.
    speaks_in: regular expression of the lines where hover and completion have something to say; "": everywhere.
    triggers: characters after which completions are worth asking for.
    project: "module:function" that takes the path of a document (or a folder) to the project file that speaks for it
    and the settings that file states, a mapping of sections as `hwml.toml` has them; None where there is no such file.
    units: of its labels, beyond those of `hwml_hooks.marks`. card: the artefact whose card describes its model.
    settings_files: names of files whose mistakes its provider tells (`examine_settings`).
    generator: the module whose process writes a part of a document on request, "" where there is none.
    outlines: its provider knows parts of a document by the text alone; else they are those that have figures.
    """

    name: str
    provider: str
    suffixes: tuple[str, ...]
    titles: tuple[str, ...]
    figures: bool = False
    compiles: bool = False
    warms_up: bool = False
    patience_s: float = 20.0  # what is bounded to a second of work needs so long on no machine that still answers
    headers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    watched: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    speaks_in: str = ""
    triggers: tuple[str, ...] = ()
    comments: Comments = Comments()
    units: tuple[str, ...] = ()
    rival: Rival | None = None
    project: str = ""
    card: str = ""
    generator: str = ""
    outlines: bool = False
    settings_files: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Suffixes of files that are no headers."""
        return tuple(suffix for suffix in self.suffixes if suffix not in self.headers)


# [lex.comment] and [lex.string] of C++17. Names and numbers are tokens too: 1'000 and u8R"(...)" hold quotes.
_CPP = Comments(
    tokens=r"//(?:[^\n\\]|\\\r?\n|\\.)*"
    r"|/\*.*?(?:\*/|\Z)"
    r"|(?<!\w)(?:u8|[uUL])?R\"(?P<mark>[^()\\\s\"]{0,16})\(.*?(?:\)(?P=mark)\"|\Z)"
    r"|[A-Za-z_]\w*|\d(?:'?[\w.])*"
    r"|\"(?:\\\r?\n|\\.|[^\"\\\n])*\""
    r"|'(?:\\.|[^'\\\n])*'",
    continues=True,
)
# Chapter 1 of the Scala 2.13 specification: comments nest, """ strings span lines.
_SCALA = Comments(
    tokens=r"//[^\n]*"
    r"|(?P<nest>/\*)"
    r"|\"\"\".*?(?:\"{3,}|\Z)"
    r"|\"(?:\\.|[^\"\\\n])*\""
    r"|'(?:\\u+[0-9a-fA-F]{4}|\\.|[^'\\\n])'"
    r"|`[^`\n]*`",
    nests=True,
)
_C_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++")
_C_HEADERS = (".h", ".hh", ".hpp", ".hxx")
_C_INCLUDED = (".inc", ".def", ".tpp", ".ipp")  # included, but of no language by their name

HLS = Language(
    "hls",
    "hwml_sdk.qor.provider:PROVIDER",
    suffixes=(*_C_SOURCES, *_C_HEADERS),
    titles=("C", "C++"),
    figures=True,
    warms_up=True,
    headers=(*_C_HEADERS, *_C_INCLUDED),
    needs=(
        *(f"*{suffix}" for suffix in (*_C_SOURCES, *_C_HEADERS, *_C_INCLUDED)),
        "*.txt", "*.dat", "*.cfg", "*.tcl", "*hwml.toml", "*hwml-calibration.json",
    ),
    watched=("**/hls_config.cfg", "**/*.{h,hh,hpp,hxx}", "**/*.cfg", "**/*.tcl"),
    # Vivado HLS and Vitis HLS; `hls` with these folders inside from 2023.2 on.
    outputs=(r"solution\d+", r"hls/(?:syn|sim|csim|cosim|impl)"),
    speaks_in=r"(?i)^\s*#\s*pragma\s",
    triggers=(" ", "="),
    comments=_CPP,
    project="hwml_sdk.qor.project.project:stated_settings",
    settings_files=("hwml.toml", "hls_config.cfg"),
    card="qor",
)  # fmt: skip
CHISEL = Language(
    "chisel",
    "hwml_sdk.chisel.provider:PROVIDER",
    suffixes=(".scala", ".sc"),
    titles=("Scala",),
    generator="hwml_sdk.chisel.generate.child",
    figures=True,
    compiles=True,
    # Its own limits come first: 180 s for a first start of the compiler on a slow disk, 20 s and 30 s for the answer.
    patience_s=240.0,
    needs=("*.scala", "*.sc", "*.sbt", "*.mill", "*hwml.toml"),
    outputs=("target", "out"),
    comments=_SCALA,
    # Parse and type errors; the stages after them are hwml's own.
    outlines=True,
    rival=Rival(".metals", ("hwml chisel parse", "hwml chisel type")),
)
BUILT_IN = (HLS, CHISEL)

_registered: dict[str, Language] = {language.name: language for language in BUILT_IN}
_by_suffix: dict[str, Language] = {suffix: language for language in BUILT_IN for suffix in language.suffixes}
_others_known = False


def register(language: Language) -> None:
    """Add a language to this process, or replace the one of its name; a suffix belongs to the latest that names it."""
    _registered[language.name] = language
    _by_suffix.update(dict.fromkeys(language.suffixes, language))


def languages() -> tuple[Language, ...]:
    """All languages: hwml's own first."""
    _know_others()
    return tuple(_registered.values())


def language_of(path: str | Path) -> Language | None:
    """The language a file name stands for, or None when hwml has nothing to say about such files."""
    suffix = Path(path).suffix.lower()
    if suffix not in _by_suffix:
        _know_others()
    return _by_suffix.get(suffix)


def includer_of(path: str | Path) -> Language | None:
    """The language whose sources include such a file: a header, or a part of a source that is nothing by itself."""
    suffix = Path(path).suffix.lower()
    return next((language for language in languages() if suffix in language.headers), None)


def titles(chosen: Iterable[Language] | None = None) -> str:
    """What people call the files of some languages, or of all: `C, C++ or Scala`."""
    words = [title for language in (languages() if chosen is None else chosen) for title in language.titles]
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


def _know_others() -> None:
    """Register what other packages add, once: a package that is broken is told and left out, hwml's own stay."""
    global _others_known  # noqa: PLW0603
    if _others_known:
        return
    _others_known = True
    for name, reference in entry_points(GROUP).items():
        try:
            language = load(reference)
        except Exception as error:  # whatever another package's module does when it is imported
            _warn(f"language {name} ({reference}) is left out: {error!r}")
            continue
        if not isinstance(language, Language):
            _warn(f"language {name} ({reference}) is left out: it is no hwml_sdk.languages.Language")
        elif language.name not in _registered:
            _add_other(language)


def _warn(text: str) -> None:
    import logging  # most processes have nothing to warn of, and this is read when they start

    logging.getLogger("hwml_sdk.languages").warning(text)


def _add_other(language: Language) -> None:
    _registered[language.name] = language
    for suffix in language.suffixes:
        _by_suffix.setdefault(suffix, language)
