"""Arrays as people have them (lists, NumPy, JAX, pandas) to plain arrays of numbers or text."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def default_float() -> Any:
    """float32, or float64 where 64-bit numbers are switched on."""
    return jnp.result_type(float)


def is_text(a: np.ndarray) -> bool:
    """Whether the cells are text."""
    return a.dtype.kind in "UST"


def plain(what: str, a: Any) -> np.ndarray:
    """A NumPy array of numbers, booleans or text, never of objects; None and its like become NaN among numbers."""
    if hasattr(a, "toarray"):
        raise TypeError(f"`{what}` must be a dense array, got {type(a).__name__}; write {what}.toarray()")
    try:
        a = np.asarray(a)
    except ValueError as error:
        raise ValueError(f"`{what}` must have rows of one length, got a list that is no table ({error})") from error
    if a.dtype.kind == "S":
        a = np.char.decode(a, "utf-8")
    if a.dtype.kind != "O":
        return a.astype(str) if a.dtype.kind == "T" else a
    cells = a.ravel().tolist()
    text = [isinstance(cell, str) for cell in cells]
    if not any(text):
        whole = not any(missing(cell) for cell in cells)
        return _numbers(what, cells if whole else [np.nan if missing(c) else c for c in cells], a.shape)
    odd = next((i for i, is_str in enumerate(text) if not is_str), None)
    if odd is None:
        return a.astype(str)
    say = "is missing" if missing(cells[odd]) else f"is {cells[odd]!r} beside text such as {cells[text.index(True)]!r}"
    raise ValueError(f"`{what}` {place(odd, a.shape)} {say}; give all text or all numbers")


def missing(cell: Any) -> bool:
    """Whether a cell is None, NaN or what another library puts for a missing value."""
    try:
        return cell is None or bool(cell != cell)
    except TypeError:  # a missing value that refuses to be compared
        return True


def place(i: int, shape: tuple[int, ...], names: tuple[str, ...] | None = None) -> str:
    """``in row 3, column 1 ('age')``: where the i-th cell stands, counted from 0."""
    row, *rest = (int(k) for k in np.unravel_index(i, shape))
    if not rest:
        return f"in row {row}"
    where = rest[0] if len(rest) == 1 else tuple(rest)
    return f"in row {row}, column {where}" + (f" ({names[rest[0]]!r})" if names and len(rest) == 1 else "")


def as_floats(what: str, a: np.ndarray, names: tuple[str, ...] | None = None, allow_nan: bool = False) -> np.ndarray:
    """Numbers as floating ones that fit, else ValueError naming the first cell that is not finite."""
    floating = jnp.issubdtype(a.dtype, jnp.floating)
    dtype = jax.dtypes.canonicalize_dtype(a.dtype) if floating else default_float()
    with np.errstate(over="ignore"):
        values = a.astype(dtype)
    bad = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        cell = a.ravel()[i]
        fault = f"does not fit {np.dtype(dtype).name}" if np.isfinite(cell) else "is not finite"
        cure = "correct it, leave the row out" + (', or pass missing="mean"' if what == "x" and np.isnan(cell) else "")
        raise ValueError(f"`{what}` {place(i, a.shape, names)}: {cell} {fault}; {cure}")
    return values


def _numbers(what: str, cells: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    try:
        a = np.array(cells)
    except ValueError:  # rows of different length
        a = np.array(None)
    if a.dtype.kind not in "biuf" or a.size != len(cells):
        raise TypeError(f"`{what}` must hold numbers or text, got {type(cells[0]).__name__} and the like")
    return a.reshape(shape)
