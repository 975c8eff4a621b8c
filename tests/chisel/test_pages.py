"""Every code has a page; its bad example gives that code, its good one is clean: on both Chisel versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hwml_sdk.chisel import session as session_module
from hwml_sdk.chisel.say import codes, findings
from hwml_sdk.chisel.session import Session
from hwml_sdk.explain import codes as page_codes
from hwml_sdk.explain import page

from .conftest import check

PAGES = [code for code in page_codes() if code.startswith("CH")]
_BLOCK = re.compile(r"```scala\n(.*?)```", re.DOTALL)
WITH_EXAMPLE = [code for code in PAGES if len(_BLOCK.findall(page(code))) == 2]
# Slow on purpose, or about a limit: tests/chisel/test_bad_input.py has the same constructors.
_LIMITS = {"CH230", "CH231"}


def test_every_code_that_can_be_reported_has_a_page() -> None:
    rules = [*codes._SCALAC, *codes._ELABORATION, *codes._FIRTOOL]
    named = {rule.code for rule in rules} | {ending[0] for ending in findings._ENDINGS.values()}
    for module in (codes, findings, session_module):
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        named |= set(re.findall(r'"(CH\d{3})"', source))
    assert named <= set(PAGES)


@pytest.mark.parametrize("code", [code for code in WITH_EXAMPLE if code not in _LIMITS])
def test_examples(code: str, session: Session) -> None:
    bad, good = _BLOCK.findall(page(code))
    found = check(session, bad)
    assert code in {item.code for item in found.diagnostics}, found.diagnostics
    assert check(session, good).diagnostics == ()


@pytest.mark.parametrize("code", [code for code in WITH_EXAMPLE if code not in _LIMITS | {"CH305"}])
def test_examples_on_chisel_6(code: str, old_session: Session) -> None:
    bad, good = _BLOCK.findall(page(code))
    clean = check(old_session, good)
    assert clean.ok and all(item.severity != "warning" for item in clean.diagnostics), clean.diagnostics
    if code in {"CH114"}:  # moved between 6 and 7
        return
    assert not check(old_session, bad).ok or check(old_session, bad).diagnostics
