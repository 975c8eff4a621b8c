"""Which files of a check stand by themselves, so that they need no second compile while another one is typed.

A file that uses nothing of the document, directly or through another one, has the same types and classes whatever the
document says. Whether it does is found from names: one file too many that is compiled again costs time only.
"""

from __future__ import annotations

from collections.abc import Sequence

from .outline import outline, users_of

File = tuple[str, str]


def standing(files: Sequence[File]) -> tuple[list[File], int]:
    """The files (name, text), the first one first, those that do not build upon it last; and how many these are."""
    (_, text), *others = files
    document = outline(text)
    if document.package_objects:  # what it holds is in sight without a name
        return list(files), 0
    elsewhere = {name for _, other in others for name in outline(other).all_packages}
    own = {part for name in document.all_packages - elsewhere for part in name.split(".")}
    users = set(users_of(document.visible | own, dict(others)))
    with_it = [file for file in others if file[0] in users]
    apart = [file for file in others if file[0] not in users]
    return [files[0], *with_it, *apart], len(apart)
