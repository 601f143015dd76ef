"""Targets as a loss takes them: text to class numbers, integers and values as they are."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fnopt._checks import nearest
from fnopt._types import Label
from fnopt.data._cells import check_finite, is_text, place, plain


def coded(y: Any, classes: Sequence[Label] | None) -> tuple[np.ndarray, tuple[Label, ...] | None]:
    """Class numbers or values, and what the numbers stand for (None: themselves)."""
    y = plain("y", y)
    if y.ndim not in (1, 2):
        raise ValueError(f"`y` must have shape (m,) or (m, outputs), got {y.shape}")
    if is_text(y) and y.ndim == 2:
        raise ValueError(f"`y` must hold one text label an example, shape (m,), got {y.shape}; write y[:, 0]")
    if classes is not None:
        return _given(y, tuple(classes))
    if is_text(y):
        names, codes = np.unique(y, return_inverse=True)
        return codes.reshape(-1).astype(np.int32), tuple(names.tolist())
    if y.dtype.kind == "b":
        return y.astype(np.int32), None
    if y.dtype.kind in "iu":
        few = not y.size or (int(y.max()) <= np.iinfo(np.int32).max and int(y.min()) >= np.iinfo(np.int32).min)
        return (y.astype(np.int32) if few else y), None
    if jnp.issubdtype(y.dtype, jnp.floating):
        check_finite("y", y)
        return y, None
    raise TypeError(f"`y` must hold numbers or text, got dtype {y.dtype}")


def _given(y: np.ndarray, classes: tuple[Label, ...]) -> tuple[np.ndarray, tuple[Label, ...]]:
    if y.ndim != 1:
        raise ValueError(f"`classes` go with one label an example, y of shape (m,), got {y.shape}")
    if not classes or len(set(classes)) < len(classes):
        raise ValueError(f"`classes` must be different names, at least one, got {classes}")
    if is_text(y):
        table = {str(name): k for k, name in enumerate(classes)}
        odd = next((i for i, label in enumerate(y.tolist()) if label not in table), None)
        if odd is not None:
            raise ValueError(f"`y` {place(odd, y.shape)}: {str(y[odd])!r} is not a class{nearest(y[odd], table)}")
        return np.array([table[label] for label in y.tolist()], np.int32), classes
    if y.dtype.kind not in "biu" and not jnp.issubdtype(y.dtype, jnp.floating):
        raise TypeError(f"`y` must hold numbers or text, got dtype {y.dtype}")
    check_finite("y", y)
    bad = ~((y >= 0) & (y < len(classes)) & (y == np.floor(y)))
    if bad.any():
        odd = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"`y` {place(odd, y.shape)}: {y[odd]} is not a number into `classes`, 0 to {len(classes) - 1}; "
            "leave `classes` out to take the labels as they are"
        )
    return y.astype(np.int32), classes


def label_array(classes: Sequence[Label]) -> np.ndarray:
    """Classes as an array to take from, each as it is: whole numbers of any size are never floating ones.

    >>> label_array((1, 2**63)).tolist()
    [1, 9223372036854775808]
    """
    if all(isinstance(label, int) and not isinstance(label, bool) for label in classes):
        for dtype in (np.int64, np.uint64):
            try:
                return np.array(classes, dtype)
            except OverflowError:
                continue
        return np.array(classes, object)
    kinds = {isinstance(label, str) for label in classes}
    return np.array(classes, object) if len(kinds) > 1 else np.asarray(classes)
