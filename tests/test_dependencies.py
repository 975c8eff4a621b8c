"""What is installed with hwml: ranges that were tried, one tested set of versions, and no address of any registry."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
# In two parts each, so that this file names none of them.
_HOSTS = (("pypi", ".org"), ("python", "hosted"), ("npmjs", ".org"), ("npmjs", ".com"), ("crates", ".io"),
          ("maven", ".org"), ("maven", ".apache"), ("sonatype", ".org"), ("golang", ".org"), ("deb", ".debian"),
          ("index", "-url"))  # fmt: skip


def _requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["project"]["optional-dependencies"].values()
    lines = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    lines += [line for group in groups for line in group]
    return [made for line in lines if (made := Requirement(line)).name != "hwml"]


def _constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("==") for line in lines if not line.startswith("#")]
    assert all(len(row) == 2 and re.fullmatch(r"[a-z0-9][a-z0-9.-]*", row[0]) for row in rows), "NAME==VERSION only"
    assert [row[0] for row in rows] == sorted({row[0] for row in rows}), "sorted, each name once"
    return {canonicalize_name(name): Version(version) for name, version in rows}


def test_each_dependency_has_a_lower_and_an_upper_bound() -> None:
    for requirement in _requirements():
        operators = {item.operator for item in requirement.specifier}
        assert operators == {">=", "<"}, requirement
        assert requirement.url is None


def test_the_tested_versions_lie_in_the_ranges() -> None:
    tested = _constraints()
    for requirement in _requirements():
        version = tested[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_ci_installs_the_tested_versions_and_the_line_of_the_readme_stays_as_it_is() -> None:
    for name in ("run", "full"):
        script = (ROOT / ".ci" / name).read_text(encoding="utf-8")
        assert script.index('PIP_CONSTRAINT="$PWD/constraints.txt"') < script.index('pip" install')
    line = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest -q -n 3 --dist loadfile"
    assert line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_no_file_names_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    words = re.compile("|".join(re.escape(first + second) for first, second in _HOSTS).encode())
    named = []
    for name in filter(None, listed.decode().split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and words.search(path.read_bytes()):
            named.append(name)
    assert named == []
