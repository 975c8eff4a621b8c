"""Values that Tcl scripts and `hls_config.cfg` write in the same way: clocks, quoted words, compiler flags."""

from __future__ import annotations

import re
import shlex

from .places import Places
from .types import HlsProject, Place


def split_words(text: str, place: Place) -> list[str]:
    """Words as a shell splits them. Raises ConfigError for quotes that nothing closes."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise place.error(f"unbalanced quotes in {text!r}") from error


def add_flags(project: HlsProject, text: str, places: Places, place: Place) -> None:
    """`-DNAME=value`, `-I folder` and their two-word forms; all other compiler flags say nothing here."""
    words = iter(split_words(text, place))
    for word in words:
        if word[:2] not in ("-D", "-I"):
            continue
        content = word[2:] or next(words, "")
        if not content:
            raise place.error(f"{word} needs a value")
        if word[:2] == "-I":
            folder = places.at(content)
            if folder is not None and folder not in project.include_dirs:
                project.include_dirs.append(folder)
        else:
            name, equals, value = content.partition("=")
            project.defines[name] = value if equals else "1"


_CLOCK = re.compile(r"^([0-9.]+(?:e[-+]?\d+)?)\s*(ns|ps|us|hz|khz|mhz|ghz)?$", re.IGNORECASE)
_NS = {"ns": 1.0, "ps": 1e-3, "us": 1e3}
_MHZ = {"hz": 1e-6, "khz": 1e-3, "mhz": 1.0, "ghz": 1e3}


def period(text: str, place: Place) -> float:
    """A clock as the tools accept it (`10`, `10ns`, `100MHz`) in nanoseconds."""
    match = _CLOCK.match(text.strip().strip("{}\"'"))
    try:
        number = float(match.group(1)) if match else 0.0
    except ValueError:
        number = 0.0
    if match is None or number <= 0:
        raise place.error(f"clock {text!r} is no period or frequency; write 10, 10ns or 100MHz")
    unit = (match.group(2) or "ns").lower()
    period = number * _NS[unit] if unit in _NS else 1e3 / (number * _MHZ[unit])
    if not 0.05 <= period <= 1e5:
        raise place.error(f"clock {text!r} is {period:g} ns, which no part runs at; write 10, 10ns or 100MHz")
    return round(period, 6)


def parse_clock(text: str) -> float:
    """A clock as an option gives it (`3.33`, `3.33ns`, `300MHz`) in nanoseconds. Raises ConfigError."""
    return period(text, Place("--clock", 0, text))
