"""Gradient checking: autodiff against differences, entry by entry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from fnopt._checks import whole
from fnopt.check._float64 import narrowed
from fnopt.check._scalar import Flat, flat_loss
from fnopt.check._slopes import Slopes, along
from fnopt.check._table import shown

NARROW = ("part of the loss is computed in less than float64, which differences feel: keep to the type that comes",)


@dataclass(frozen=True)
class Gradients:
    """What :func:`gradients` found; printed, a table with the worst leaf first.

    Each row of ``table`` is a leaf: ``difference`` = ‖a − b‖/(‖a‖ + ‖b‖) of autodiff and two-sided differences over the
    entries that were checked, ``one_sided`` the same for one-sided ones; ``worst`` the index of the worst entry, with
    ``autodiff`` and ``two_sided`` there; ``errors`` and ``kinks`` how many entries disagree and how many stand at a
    kink; ``along`` how many random directions disagree over the whole leaf.
    """

    table: list[dict[str, Any]]
    loss: float
    tolerance: float
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether no entry and no direction disagrees; kinks are no errors, unless rounding is taken for them."""
        blurred = any(row["kinks"] for row in self.table) if self.notes else False
        return not blurred and not any(row["errors"] or row["along"] for row in self.table)

    @property
    def worst(self) -> dict[str, Any]:
        """The row of the worst leaf."""
        return self.table[0]

    def __str__(self) -> str:
        bad = sum(row["errors"] for row in self.table)
        kinks = sum(row["kinks"] for row in self.table)
        checked = sum(row["checked"] for row in self.table)
        at = self.worst
        verdict = "gradients agree" if self.passed else f"GRADIENTS DIFFER, worst at {at['leaf']}{list(at['worst'])}"
        head = f"{verdict}: {checked} entries checked, {bad} wrong, {kinks} at kinks; loss {self.loss:.6g}"
        return "\n".join([head, shown(self.table), *self.notes])


def gradients(
    loss: Callable[..., Any],
    params: Any,
    *args: Any,
    has_aux: bool = False,
    entries: int = 200,
    directions: int = 4,
    eps: float = 1e-5,
    tolerance: float = 1e-7,
    key: chex.PRNGKey | None = None,
    **options: Any,
) -> Gradients:
    """Compare ``jax.grad(loss)`` with (f(θ + ε) − f(θ − ε))/2ε, in float64, whatever the types that come.

    An entry is wrong where the two differ by more than ``tolerance`` (relative), the error of differences and rounding
    together explain. Where the slopes from left and right disagree as no smooth function's do, and autodiff's lies
    between, the entry stands at a kink (ReLU at 0, an absolute value at 0): counted, no error. x64 is on inside and as
    it was outside; dropout wants a fixed key among ``args``.

    Args:
        loss: ``loss(params, *args, **options)`` -> one number, or ``(number, aux)``.
        params: pytree of floating arrays, any floating type.
        args: what else the loss takes; floating leaves become float64, all else is passed as it is.
        has_aux: whether the loss returns ``(number, aux)``.
        entries: of each leaf, the most that are checked one by one, ≥ 1; of a larger leaf as many, drawn from ``key``.
        directions: random directions of each leaf that is not checked whole, ≥ 0: they see every entry,
            and where one disagrees, halving leads to an entry at fault.
        eps: the step, in (0, 0.1), times max(1, |θ_i|).
        tolerance: relative, in (0, 1).
        key: for entries and directions; ``jax.random.key(0)`` unless given.
        options: what else the loss takes by name.

    Returns:
        a :class:`Gradients`: ``passed``, ``worst``, ``table``.

    Raises:
        TypeError: for leaves that are not floating. ValueError: for a loss that is not one finite number, for
        parameters that are not finite, and for numbers out of range.

    >>> report = gradients(lambda w, x: jnp.sum(jnp.tanh(x @ w)), jnp.ones(3), jnp.ones((2, 3)))
    >>> report.passed, report.worst["difference"] < 1e-8
    (True, True)
    """
    entries, directions = whole("entries", entries), whole("directions", directions, 0)
    _within("eps", eps, 0.1)
    _within("tolerance", tolerance, 1.0)
    with jax.enable_x64(True):
        key = jax.random.key(0) if key is None else key
        flat = flat_loss(loss, params, args, options, has_aux)
        value, slope = jax.jit(jax.value_and_grad(flat.f))(flat.theta)
        rows = _Checked(flat, slope, entries, directions, eps, tolerance, key).rows()
        notes = NARROW if narrowed(flat.f, flat.theta) else ()
    # The worst first: wrong entries, then directions that disagree, then the relative difference.
    rows.sort(key=lambda row: (-row["errors"], -row["along"], -row["difference"]))
    return Gradients(rows, float(value), tolerance, notes)


def _within(name: str, value: float, high: float) -> None:
    if not 0 < value < high:
        raise ValueError(f"`{name}` must be in (0, {high:g}), got {value!r}")


class _Checked:
    """All leaves looked at: one program for entries, one for directions, whatever the leaves."""

    def __init__(
        self, flat: Flat, slope: Array, most: int, directions: int, eps: float, tolerance: float, key: chex.PRNGKey
    ):
        self.flat, self.slope, self.most, self.tolerance = flat, slope, most, tolerance
        self.scale, self.eps, self.key, self.directions = jnp.max(jnp.abs(slope)), eps, key, directions
        self.at_entries = jax.jit(partial(_at_entries, flat.f))
        self.at_parts = jax.jit(partial(_at_parts, flat.f))

    def rows(self) -> list[dict[str, Any]]:
        """One row a leaf, in their order."""
        count = len(self.flat.names)
        along = [self._along(k) for k in range(count)]
        places = [self._places(k, along[k][1]) for k in range(count)]
        found = self.at_entries(self.flat.theta, jnp.concatenate(places), self.scale, self.eps)
        ends = np.cumsum([0, *map(len, places)])
        rows = []
        for k, (name, shape) in enumerate(zip(self.flat.names, self.flat.shapes, strict=True)):
            mine = jax.tree.map(lambda x, k=k: x[ends[k] : ends[k + 1]], found)
            head = {"leaf": name, "shape": str(shape), "checked": len(places[k])}
            local = places[k] - self.flat.starts[k]
            rows.append(
                {**head, **_entries(self.slope[places[k]], mine, self.tolerance, local, shape), "along": along[k][0]}
            )
        return rows

    def _places(self, k: int, sought: list[int]) -> Array:
        """Which entries of θ are checked one by one for a leaf: all, or some, with those that a direction led to."""
        first, end = self.flat.starts[k : k + 2]
        if end - first <= self.most:
            return jnp.arange(first, end)
        draw = jax.random.choice(jax.random.fold_in(self.key, k), end - first, (self.most,), replace=False)
        return jnp.unique(jnp.concatenate([first + draw, jnp.array(sought, draw.dtype)]))

    def _along(self, k: int) -> tuple[int, list[int]]:
        """How many directions over a whole large leaf disagree, and the entry that the first of them leads to."""
        first, end = self.flat.starts[k : k + 2]
        if end - first <= self.most:
            return 0, []
        wrong = [turn for turn in range(self.directions) if self._gap(turn, first, end) > 0]
        return len(wrong), [self._sought(wrong[0], first, end)] if wrong else []

    def _sought(self, turn: int, first: int, end: int) -> int:
        """The entry that makes a direction disagree, by halving."""
        while end - first > 1:
            middle = (first + end) // 2
            left, right = self._gap(turn, first, middle), self._gap(turn, middle, end)
            first, end = (first, middle) if left > right else (middle, end)
        return first

    def _gap(self, turn: int, first: int, end: int) -> float:
        """By how much a direction over some entries disagrees; 0 where it does not."""
        key = jax.random.fold_in(self.key, turn)
        eps = self.eps / (end - first) ** 0.25
        scale = self.scale * (end - first) ** 0.5
        slope, found = self.at_parts(self.flat.theta, self.slope, key, first, end, scale, eps)
        wrong = found.differs(slope, self.tolerance) & ~found.explains(slope, self.tolerance)
        gap = jnp.nan_to_num(jnp.abs(slope - found.two_sided), nan=jnp.inf)
        return float(jnp.where(wrong, gap, 0))


def _at_entries(f: Callable[[Array], Array], theta: Array, places: Array, scale: Array, eps: Array) -> Slopes:
    def entry(i: Array) -> Slopes:
        return along(lambda s: f(theta.at[i].add(s)), scale, eps * jnp.maximum(1, jnp.abs(theta[i])))

    return jax.lax.map(entry, places)  # one after another: the loss need not stand a vmap


def _at_parts(
    f: Callable[[Array], Array],
    theta: Array,
    slope: Array,
    key: Array,
    first: Array,
    end: Array,
    scale: Array,
    eps: Array,
) -> tuple[Array, Slopes]:
    """Autodiff's slope along random signs of the entries from ``first`` to ``end``, and that by differences."""
    places = jnp.arange(theta.size)
    inside = (places >= first) & (places < end)
    signs = jnp.where(inside, jax.random.rademacher(key, theta.shape, theta.dtype), 0)
    return signs @ slope, along(lambda s: f(theta + s * signs), scale, eps)


def _entries(slope: Array, found: Slopes, tolerance: float, places: Array, shape: tuple[int, ...]) -> dict[str, Any]:
    """What the entries of one leaf came to."""
    if not len(places):
        blank = {"difference": 0.0, "one_sided": 0.0, "worst": (), "autodiff": 0.0, "two_sided": 0.0}
        return {**blank, "errors": 0, "kinks": 0}
    differs = found.differs(slope, tolerance)
    kinks = differs & found.explains(slope, tolerance)
    gap = jnp.where(jnp.isnan(slope), jnp.inf, jnp.abs(slope - found.two_sided))
    worst = int(
        jnp.argmax(jnp.where(differs & ~kinks, gap + jnp.max(jnp.where(kinks, gap, 0)), jnp.where(kinks, 0, gap)))
    )
    smooth = ~kinks
    return {
        "difference": _relative(slope, found.two_sided, found.noise, smooth),
        "one_sided": _relative(slope, found.right, found.noise, smooth),
        "worst": tuple(int(i) for i in np.unravel_index(int(places[worst]), shape)),
        "autodiff": float(slope[worst]),
        "two_sided": float(found.two_sided[worst]),
        "errors": int(jnp.sum(differs & ~kinks)),
        "kinks": int(jnp.sum(kinks)),
    }


def _relative(a: Array, b: Array, noise: Array, counted: Array) -> float:
    """‖a − b‖/(‖a‖ + ‖b‖) over what is counted; rounding in the divisor, where both are 0."""
    norm = lambda x: jnp.sqrt(jnp.sum(jnp.where(counted, jnp.square(x), 0)))  # noqa: E731
    return float(norm(a - b) / (norm(a) + norm(b) + 1e3 * norm(noise) + 1e-300))
