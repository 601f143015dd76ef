"""Arrays that pictures are given, checked before anything is drawn."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def numbers(name: str, given: Any, ndim: tuple[int, ...] | int | None = None, *, finite: bool = False) -> np.ndarray:
    """An array of floating numbers with at least one entry.

    Raises:
        ValueError: for what is no array of numbers, is empty, has another number of axes, or, where it must be finite,
            is not.
    """
    try:
        array = np.asarray(given, float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be an array of numbers, got {type(given).__name__}: {error}") from error
    wanted = (ndim,) if isinstance(ndim, int) else ndim
    if wanted is not None and array.ndim not in wanted:
        axes = " or ".join(map(str, wanted))
        raise ValueError(f"`{name}` must have {axes} {'axis' if wanted == (1,) else 'axes'}, got shape {array.shape}")
    if not array.size:
        raise ValueError(f"`{name}` must have at least one entry, got shape {array.shape}")
    if finite and not np.isfinite(array).all():
        wrong = int((~np.isfinite(array)).sum())
        raise ValueError(f"`{name}` must be finite, got {wrong} values that are not; leave out those rows")
    return array


def as_long(name: str, array: np.ndarray, other: str, length: int) -> np.ndarray:
    """ValueError unless an array has a row for each of ``length`` things."""
    if len(array) != length:
        raise ValueError(f"`{name}` must have one entry for each of the {length} of `{other}`, got {len(array)}")
    return array


def by_label(name: str, given: Any, example: str) -> dict[str, Any]:
    """Label to value, from a mapping or one value without a label; ValueError where there is none.

    >>> by_label("series", [1, 2], "{'a': [1, 2]}")
    {'': [1, 2]}
    """
    if not isinstance(given, Mapping):
        return {"": given}
    if not given:
        raise ValueError(f"`{name}` must have at least one entry, as {example}, got {given!r}")
    return {str(label): value for label, value in given.items()}


def quantiles(values: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Quantiles over the rows of ``values``, shape=(shares, columns), of the finite entries; NaN where there is none.

    >>> quantiles(np.array([[1.0, np.nan], [3.0, np.inf]]), (0.5,)).tolist()
    [[2.0, nan]]
    """
    values = np.where(np.isfinite(values), values, np.nan)
    some = ~np.isnan(values).all(axis=0)
    made = np.full((len(shares), values.shape[1]), np.nan)
    made[:, some] = np.nanquantile(values[:, some], shares, axis=0)
    return made
