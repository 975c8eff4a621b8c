"""Affine forms: integers as sums of loop variables times constants, by which subscripts are told apart."""

from __future__ import annotations

from ...program import ir

Form = dict["ir.Variable | None", float]  # coefficient per variable, the constant under None

# Past this a float no longer holds every integer, so that two different addresses could look alike.
MAX_EXACT = 1e15


def is_constant(form: Form | None) -> bool:
    """Whether a form has no variable in it."""
    return form is not None and len(form) == 1 and None in form


def linear(left: Form | None, right: Form | None, sign: float) -> Form | None:
    """`left + sign * right`; None where either is unknown."""
    if left is None or right is None:
        return None
    total = dict(left)
    for var, factor in right.items():
        total[var] = total.get(var, 0.0) + sign * factor
    # A variable that cancels out has to go: `a[i - i]` is one element, whatever i is.
    return total if all(total.values()) else {var: factor for var, factor in total.items() if factor or var is None}


def scaled(left: Form | None, right: Form | None) -> Form | None:
    """`left * right` where one of them is a constant."""
    if left is None or right is None:
        return None
    for factor, other in ((left, right), (right, left)):
        if set(factor) <= {None}:
            by = factor.get(None, 0.0)
            return {var: value * by for var, value in other.items()}
    return None


def affine(op: str, left: Form | None, right: Form | None) -> Form | None:
    """Form of `left op right` where that stays affine."""
    if op in ("+", "-"):
        return linear(left, right, 1.0 if op == "+" else -1.0)
    if op == "*":
        return scaled(left, right)
    # Addresses are often packed as `(i << 4) + j`; a shift by more than a word has no value in C.
    if op == "<<" and right is not None and is_constant(right) and left is not None and right[None] < 64:
        return {k: v * 2.0 ** right[None] for k, v in left.items()}
    return None


def is_power_of_two(form: Form | None) -> bool:
    """Whether a form is a constant of which the tool makes a shift."""
    if form is None or not is_constant(form):
        return False
    number = abs(form[None])
    return number > 0 and number < 2**62 and int(number) & (int(number) - 1) == 0


def frozen(form: Form | None) -> object:
    """A form as part of a key."""
    return None if form is None else frozenset(form.items())
