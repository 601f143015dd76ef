"""Values of options: text as typed to numbers and names, with the option's name in every message."""

import math
from collections.abc import Iterable
from typing import overload

from fnopt._checks import COUNTED, nearest

LEAST = {"--n": 1, "--epochs": 1, "--seeds": 1, "--folds": 2, "--repeat": 1, "--threads": 1, "--patience": 0}
SEEDS = 2**32  # a seed is one word of a key


@overload
def whole(option: str, text: str) -> int: ...
@overload
def whole(option: str, text: str | None) -> int | None: ...
def whole(option: str, text: str | None) -> int | None:
    """A whole number within the option's range, or None where it is not given.

    >>> whole("--n", "1_000"), whole("--n", None)
    (1000, None)
    """
    if text is None:
        return None
    least = LEAST.get(option, 0)
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise ValueError(f"{option} must be a whole number ≥ {least}, got {text}")
    if number >= COUNTED and option != "--seed":  # a seed has a range of its own
        raise ValueError(f"{option} must be a whole number below {COUNTED}, got {text}")
    if option == "--seed" and number >= SEEDS:
        raise ValueError(f"--seed must be below 2**32, got {text}")
    return number


def above_zero(option: str, text: str | None) -> float | None:
    """A finite number above 0, or None where it is not given.

    >>> above_zero("--minutes", "2.5")
    2.5
    """
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{option} must be a number above 0, got {text}")
    return number


def name_of(option: str, text: str | None, known: Iterable[str]) -> str | None:
    """One of the known names, or None where it is not given; else ValueError with the nearest.

    >>> name_of("--stop", "asha", ["halving", "asynchronous_halving"])
    Traceback (most recent call last):
        ...
    ValueError: --stop has no 'asha'; did you mean 'asynchronous_halving'?
    """
    known = list(known)
    if text is None or text in known:
        return text
    raise ValueError(f"{option} has no {text!r}{nearest(text, known)}")


def shares_of(text: str) -> tuple[float, ...]:
    """Shares of train, dev and test, or of train and dev alone, with the sum 1; or percentages, with the sum 100.

    >>> shares_of("0.6,0.2,0.2"), shares_of("80,20")
    ((0.6, 0.2, 0.2), (0.8, 0.2))
    """
    try:
        shares = [float(share.strip().removesuffix("%")) for share in text.split(",")]
    except ValueError:
        shares = []
    if len(shares) not in (2, 3) or not all(0 < share < math.inf for share in shares):
        raise ValueError(
            "--split wants three shares above 0, for train, dev and test, as in 0.6,0.2,0.2, or two without a test "
            f"part, as in 0.8,0.2: {text!r}"
        )
    total = math.fsum(shares)
    if math.isclose(total, 100, rel_tol=1e-6):
        shares, total = [share / 100 for share in shares], total / 100
    if not math.isclose(total, 1, rel_tol=1e-6):
        raise ValueError(
            f"--split wants shares whose sum is 1, or percentages whose sum is 100; that of {text} is {total:g}"
        )
    return tuple(shares)


def either(yes: str, with_yes: bool, no: str, with_no: bool) -> bool | None:
    """Which of two flags that exclude each other is given: True, False, or None for neither.

    >>> either("--header", False, "--no-header", True)
    False
    """
    if with_yes and with_no:
        raise ValueError(f"{yes} and {no} say the contrary; give one of them")
    return True if with_yes else False if with_no else None
