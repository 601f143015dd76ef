"""A sweep as HTML: its leaderboard, its curves, what to look at."""

from collections.abc import Sequence

import numpy as np

from fnopt import _html as html


def sweep_html(
    head: str,
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    curves: np.ndarray,
    best: int | None,
    title: str,
    plan: str = "",
) -> str:
    """The line above, the leaderboard, the curves of all configurations as a band, and what is to be noted.

    Args:
        head: what was searched, in words.
        rows: of the leaderboard, names first.
        notes: lines below it.
        curves: shape=(configurations, seeds, folds, epochs), NaN where there is no value.
        best: the configuration that came first; None where none has a score.
        title: of the curves, as "dev/loss".
        plan: how it ran, in words.
    """
    parts = [html.heading(head), html.table(rows[0], rows[1:])]
    if notes:
        parts.append(html.paragraph("\n".join(notes)))
    parts.append(_drawn(curves, best, title))
    if plan:
        parts.append(html.folded("how it ran", html.block(plan, hang=12)))
    return html.page(*parts)


def _drawn(curves: np.ndarray, best: int | None, title: str) -> str:
    """The middle half of the configurations, their median, and the best one."""
    each = _means(curves)
    if not np.isfinite(each).any():
        return ""
    low, middle, high = _quantiles(each)
    lines = {"median": middle} if best is None else {"median": middle, f"configuration {best}": each[best]}
    return html.curves("epoch", title, lines, ("middle half of the configurations", low, high))


def _means(curves: np.ndarray) -> np.ndarray:
    """The mean over seeds and folds that are there, shape=(configurations, epochs)."""
    flat = curves.reshape(len(curves), -1, curves.shape[-1])
    there = np.isfinite(flat)
    count = there.sum(axis=1)
    total = np.where(there, flat, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _quantiles(each: np.ndarray) -> np.ndarray:
    """Quartiles of the configurations that trained that long, shape=(3, epochs); NaN where none did."""
    found = np.full((3, each.shape[1]), np.nan)
    for epoch in range(each.shape[1]):
        there = each[np.isfinite(each[:, epoch]), epoch]
        if len(there):
            found[:, epoch] = np.quantile(there, (0.25, 0.5, 0.75))
    return found
