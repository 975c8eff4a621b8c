"""Numbers that outlast a call are registers wherever they are declared (UG1399, "Static Variables")."""

from __future__ import annotations

import pytest

from .kit import closed


@pytest.mark.parametrize(
    ("code", "bits"),
    [
        ("void top(int a, int &q) { static int s; s = s ^ a; q = s; }", 32),
        ("static int s; void top(int a, int &q) { s = s ^ a; q = s; }", 32),
        ("int s; void top(int a, int &q) { s = s ^ a; q = s; }", 32),
        ("void top(int a, int &q) { static hls::vector<int, 4> s; s[0] = s[0] ^ a; q = s[0]; }", 128),
        ("struct I { int x; int y; }; struct S { I i; short z; };"
         "void top(int a, int &q) { static S s; s.i.x = s.i.x ^ a; q = s.i.x; }", 80),
    ],
)  # fmt: skip
def test_a_number_that_is_kept_takes_its_bits(code: str, bits: int) -> None:
    """And one for the state of the function, which has one as soon as something is kept."""
    assert closed(f"#include <hls_vector.h>\n{code}").ff == bits + 1


def test_a_number_that_nobody_changes_takes_nothing() -> None:
    assert closed("static int s = 3; void top(int a, int &q) { q = s ^ a; }").ff == 0
