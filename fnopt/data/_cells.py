"""Arrays as people have them (lists, NumPy, JAX, pandas) to plain arrays of numbers or text."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

BLOCK = 1 << 20  # entries at once: 8 MiB in float64


def default_float() -> Any:
    """float32, or float64 where 64-bit numbers are switched on."""
    return jnp.result_type(float)


def is_text(a: np.ndarray) -> bool:
    """Whether the cells are text."""
    return a.dtype.kind in "UST"


def plain(what: str, a: Any) -> np.ndarray:
    """A NumPy array of numbers, booleans or text, never of objects; None and its like become NaN among numbers.

    A memory map stays one; masked cells are missing ones.
    """
    if hasattr(a, "toarray"):
        raise TypeError(f"`{what}` must be a dense array, got {type(a).__name__}; write {what}.toarray()")
    if isinstance(a, np.memmap) and a.dtype.kind in "biuf":
        return a
    if isinstance(a, np.ma.MaskedArray):
        a = _unmasked(what, a)
    given = a
    try:
        a = np.asarray(a)
    except ValueError as error:
        raise ValueError(f"`{what}` must have rows of one length, got a list that is no table ({error})") from error
    if isinstance(given, list | tuple) and a.dtype == np.float64 and (abs(a) >= 2.0**63).any():
        a = _whole(what, given, a)  # NumPy turns what int64 cannot hold into floating numbers
    if a.dtype.kind == "T" or (a.dtype.kind == "U" and isinstance(given, list | tuple)):
        _check_nul(what, np.array(given, object) if a.dtype.kind == "U" else a)
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
        _check_nul(what, a)
        return a.astype(str)
    say = "is missing" if missing(cells[odd]) else f"is {cells[odd]!r} beside text such as {cells[text.index(True)]!r}"
    raise ValueError(f"`{what}` {place(odd, a.shape)} {say}; give all text or all numbers")


def _check_nul(what: str, a: np.ndarray) -> None:
    """ValueError for text with a NUL character, which NumPy's arrays of text drop at its end."""
    odd = next((i for i, cell in enumerate(a.ravel().tolist()) if isinstance(cell, str) and "\0" in cell), None)
    if odd is not None:
        raise ValueError(f"`{what}` {place(odd, a.shape)} holds a NUL character; take it out of the text")


def _whole(what: str, given: Any, a: np.ndarray) -> np.ndarray:
    """A list of whole numbers as uint64 where they fit, else NumPy's floating numbers of it.

    Raises:
        ValueError: for whole numbers that no type of 64 bits holds: rounded, two of them would be one.
    """
    cells = np.array(given, object).ravel().tolist()
    if not all(isinstance(cell, int | np.integer) for cell in cells):
        return a
    if not all(0 <= cell < 2**64 for cell in cells):
        raise ValueError(
            f"`{what}` holds whole numbers from {min(cells)} to {max(cells)}, which no integer of 64 bits holds; "
            "give them as text, or as floating numbers"
        )
    return np.array(cells, np.uint64).reshape(a.shape)


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


def _unmasked(what: str, a: Any) -> np.ndarray:
    """A masked array as a plain one, NaN where it was masked."""
    mask = np.ma.getmaskarray(a)
    if not mask.any():
        return np.asarray(a.data)
    if a.dtype.kind not in "biuf":
        i = int(np.flatnonzero(mask)[0])
        raise ValueError(f"`{what}` {place(i, mask.shape)} is masked, and only numbers may be missing; leave it out")
    kind = a.dtype if a.dtype.kind == "f" else np.float64
    return np.where(mask, np.nan, np.asarray(a.data).astype(kind))


def check_finite(
    what: str, a: Any, names: tuple[str, ...] | None = None, allow_nan: bool = False, hint: str = ""
) -> None:
    """ValueError naming the first cell that is not finite, or larger than the default floating type can hold.

    ``hint`` is one more cure of a missing cell.
    """
    if a.dtype.kind in "biu":
        return
    info = jnp.finfo(a.dtype if a.dtype.itemsize < np.dtype(default_float()).itemsize else default_float())
    limit = a.dtype.type(info.max)
    for block in blocks(a):
        with np.errstate(invalid="ignore"):
            bad = ~(abs(a[block]) <= limit)
        if allow_nan:
            bad &= ~np.isnan(a[block])
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            cell = a[block].ravel()[i]
            where = place(i + block.start * (a.size // len(a)), a.shape, names)
            fault = f"does not fit {np.dtype(default_float()).name}" if np.isfinite(cell) else "is not finite"
            raise ValueError(
                f"`{what}` {where}: {cell} {fault}; correct it, leave the row out{hint if np.isnan(cell) else ''}"
            )


def kept(a: np.ndarray) -> Any:
    """On the device where JAX's own type holds every number exactly, else a copy on the host; a memory map stays.

    >>> type(kept(np.array([1e9]))).__name__, type(kept(np.array([1e9 + 1]))).__name__
    ('ArrayImpl', 'ndarray')
    """
    if isinstance(a, np.memmap):
        return a
    a = a.astype(a.dtype.newbyteorder("="), copy=False)
    narrow = jax.dtypes.canonicalize_dtype(np.float64 if a.dtype == np.longdouble else a.dtype)
    if narrow == a.dtype or all(_exact(a[block], narrow) for block in blocks(a)):
        return jax.device_put(np.array(a, narrow))
    copy = np.array(a, np.float64 if a.dtype == np.longdouble else None)
    copy.flags.writeable = False  # as an array on the device, no caller may write to it
    return copy


def _exact(a: np.ndarray, narrow: Any) -> bool:
    """Whether numbers of this type are what they were; what a device would flush to 0 is not."""
    if a.dtype.kind in "iu":
        info = jnp.iinfo(narrow)
        return not a.size or (int(a.min()) >= info.min and int(a.max()) <= info.max)
    cast = a.astype(narrow)
    same = (cast == a) & ((a == 0) | (abs(a) >= jnp.finfo(narrow).tiny))
    return bool((same | np.isnan(a)).all())


def blocks(a: Any) -> Iterator[slice]:
    """Slices of rows with at most ``BLOCK`` entries each, or one row: large data need no second copy of themselves."""
    some = max(1, BLOCK * len(a) // max(a.size, 1))
    return (slice(i, i + some) for i in range(0, len(a), some))


def _numbers(what: str, cells: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    try:
        a = np.array(cells)
    except ValueError:  # rows of different length
        a = np.array(None)
    if a.dtype.kind not in "biuf" or a.size != len(cells):
        if all(isinstance(cell, int) for cell in cells):
            _whole(what, cells, a)  # says what is wrong with them
        raise TypeError(f"`{what}` must hold numbers or text, got {type(cells[0]).__name__} and the like")
    if a.dtype == np.float64 and (abs(a) >= 2.0**63).any():
        a = _whole(what, cells, a)
    return a.reshape(shape)
