"""Which numbers of a search matter: the share of the variance of its scores that each explains, and each pair."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fnopt import _html as html
from fnopt._checks import whole
from fnopt.analysis.column_basis import Basis, bases_of, products
from fnopt.analysis.functional_anova import ROOM, chosen_pairs, fit_parts
from fnopt.analysis.notes_ranking import agreement, notes_rank

FEWEST = 16  # configurations, of which anything can be said
DEGREE = 4  # of the polynomials of one name, at most
OF_PAIRS = 2  # of each name in a product
FENCE = 3.0  # distances of the quartiles, beyond which a score counts as lying there
SHOWN = 5  # pairs of names that are printed
ALIKE = 1e-9  # of the deviation of all scores: those of a draw within it do not vary


@dataclass(frozen=True)
class Importances:
    """What :func:`importance` found; printed, a line each name, the greatest first.

    ``main[d]`` is the share of the variance that name d alone explains, ``pairs[d, e]`` what the two explain together
    beyond that. ``bars`` are the same shares in each bootstrap, shape=(bootstraps, names), NaN where the scores that
    were drawn are all alike: ``errors`` and ``first`` leave these out. ``explained`` is the share of the variance of
    scores that the fit foretells of a configuration left out; below 0 it foretells them worse than their mean does.
    """

    names: tuple[str, ...]
    main: np.ndarray
    pairs: np.ndarray = field(repr=False)
    bars: np.ndarray = field(repr=False)  # no rows where none were asked for
    explained: float
    configs: int

    @property
    def order(self) -> tuple[str, ...]:
        """The names, the most important first."""
        return tuple(self.names[d] for d in np.argsort(-self.main, kind="stable"))

    @property
    def errors(self) -> np.ndarray:
        """The standard error of each share of ``main``, from the bootstraps; NaN with fewer than two that vary."""
        bars = np.clip(self._varied, 0.0, 1.0)  # as the shares themselves: beyond them is noise of the fit
        return np.std(bars, axis=0, ddof=1) if len(bars) > 1 else np.full(len(self.names), np.nan)

    @property
    def first(self) -> dict[str, float]:
        """In what share of the bootstraps that vary each name is the first; empty without them."""
        bars = self._varied
        if not len(bars):
            return {}
        leading = np.bincount(np.argmax(bars, axis=1), minlength=len(self.names)) / len(bars)
        return dict(zip(self.names, leading.tolist(), strict=True))

    @property
    def _varied(self) -> np.ndarray:
        """The bootstraps whose scores vary."""
        return self.bars[np.isfinite(self.bars).all(axis=1)]

    @property
    def notes(self) -> float:
        """Spearman's ρ between this ranking and that of the notes (T6), over the names that they rank."""
        return agreement(dict(zip(self.names, self.main.tolist(), strict=True)))

    def top_pairs(self, most: int = SHOWN) -> list[tuple[str, str, float]]:
        """The greatest interactions: two names and the share that they explain beyond either's own."""
        a, b = np.triu_indices(len(self.names), 1)
        order = np.argsort(-self.pairs[a, b], kind="stable")[:most]
        return [(self.names[a[k]], self.names[b[k]], float(self.pairs[a[k], b[k]])) for k in order]

    def _repr_html_(self) -> str:
        return html.page(html.block(self))

    def __str__(self) -> str:
        errors, first = dict(zip(self.names, self.errors, strict=True)), self.first
        share = dict(zip(self.names, self.main, strict=True))
        rows = [["name", "share", "first", "notes"]]
        for name in self.order:
            known = f"{100 * errors[name]:.1f}" if np.isfinite(errors[name]) else "–"
            bar = f" ± {known}" if len(self.bars) else ""
            rank = notes_rank(name)
            rows.append(
                [name, f"{100 * share[name]:.1f}{bar} %", f"{first[name]:.0%}" if first else "–", str(rank or "–")]
            )
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = [
            "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in rows
        ]
        pairs = ", ".join(f"{a} × {b} {100 * x:.1f} %" for a, b, x in self.top_pairs(3) if x > 0)
        lines += [f"pairs  {pairs}"] if pairs else []
        notes = "" if np.isnan(self.notes) else f"; rank correlation with the notes' order {self.notes:.2f}"
        part = "nothing" if self.explained < 0 else f"{self.explained:.0%} of the variance"
        explained = f"the fit explains {part} of scores that it did not see"
        return "\n".join([*lines, f"{self.configs} configurations; {explained}{notes}"])


def importance(
    columns: Mapping[str, Sequence[Any]],
    scores: Sequence[float] | np.ndarray,
    *,
    higher: bool = True,
    bootstraps: int = 100,
    seed: int = 0,
) -> Importances:
    """The share of the variance of the scores that each name explains, and each pair beyond its two (functional ANOVA).

    The scores are fitted by polynomials of the rank of each number, contrasts between options, and the products of two
    names where a test finds that they add something; a share is the variance of such a part over that of the scores,
    less what noise alone would add. Shares are means over the distribution that the configurations come from, so a
    range that was drawn on a log scale counts on a log scale. A name that only some configurations have counts by its
    effect among these, as large as their share. Scores beyond 1.5 quartile distances from the quartiles count as lying
    there, so that a few failures do not hide all else.

    Args:
        columns: by name, a value for each configuration: a number, anything else for an option, None where the
            configuration lacks the name. A name that never varies is left out.
        scores: shape=(n,); one that is not finite counts as the worst finite one.
        higher: whether more is better.
        bootstraps: how often configurations are drawn anew, with replacement, for the bars; 0 for none.
        seed: of these draws.

    Returns:
        an ``Importances``.

    Raises:
        ValueError: for fewer than 16 configurations, columns of other lengths, no finite score, scores that are all
            alike, and where no name varies.

    Source: see ``fnopt/analysis/functional_anova.py``. Hutter, Hoos and Leyton-Brown, "An efficient approach for
    assessing hyperparameter importance", 2014, https://proceedings.mlr.press/v32/hutter14.html, fit a forest where
    polynomials stand here: that sees effects of any shape, and more of its own noise.

    >>> draws = np.random.default_rng(0)
    >>> lr, decay = draws.random(200), draws.random(200)
    >>> found = importance({"lr": lr, "decay": decay}, 3 * lr + decay, bootstraps=0)
    >>> found.order, found.main.round(1).tolist()
    (('lr', 'decay'), [0.9, 0.1])
    """
    y = _cleaned(columns, scores, higher)
    bases = bases_of(columns, min(max(len(y) // (ROOM * max(len(columns), 1)), 1), DEGREE))
    if not bases:
        raise ValueError(f"no name varies among the {len(y)} configurations: there is nothing to compare")
    mains, pairs = [one.values for one in bases], _pairs(bases)
    chosen = chosen_pairs(mains, list(pairs.values()), y)
    parts = [*mains, *(list(pairs.values())[k] for k in chosen)]
    whole_fit, spread, d = fit_parts(parts, y), float(np.var(y)), len(bases)
    of_pairs = np.zeros((d, d))
    for k, share in zip(chosen, whole_fit.variance[d:] / spread, strict=True):
        a, b = list(pairs)[k]
        of_pairs[a, b] = of_pairs[b, a] = min(max(share, 0.0), 1.0)
    return Importances(
        names=tuple(one.name for one in bases),
        main=np.clip(whole_fit.variance[:d] / spread, 0.0, 1.0),
        pairs=of_pairs,
        bars=_bars(parts, y, d, whole("bootstraps", bootstraps, 0), whole("seed", seed, 0)),
        explained=whole_fit.unseen,
        configs=len(y),
    )


def _pairs(bases: Sequence[Basis]) -> dict[tuple[int, int], np.ndarray]:
    """The products of each pair of names."""
    return {(i, j): products(a, b, OF_PAIRS) for i, a in enumerate(bases) for j, b in enumerate(bases[i + 1 :], i + 1)}


def _bars(parts: Sequence[np.ndarray], y: np.ndarray, names: int, bootstraps: int, seed: int) -> np.ndarray:
    """The shares of the names in draws of the configurations with replacement, shape=(bootstraps, names).

    A draw whose scores are all alike has nothing to share out: its row is NaN.
    """
    draws, n = np.random.default_rng(seed), len(y)
    bars = np.full((bootstraps, names), np.nan)
    for k in range(bootstraps):
        weight = draws.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
        if np.ptp(y[weight > 0]) > ALIKE:  # y is of variance 1
            spread = weight @ np.square(y - weight @ y / n) / n
            bars[k] = fit_parts(parts, y, weight).variance[:names] / spread
    return bars


def _cleaned(columns: Mapping[str, Sequence[Any]], scores: Any, higher: bool) -> np.ndarray:
    """The scores without what is far outside, of mean 0 and variance 1."""
    y = np.asarray(scores, np.float64).reshape(-1)
    odd = next((name for name, values in columns.items() if len(values) != len(y)), None)
    if odd is not None:
        raise ValueError(f"column {odd!r} has {len(columns[odd])} values for {len(y)} scores")
    if len(y) < FEWEST:
        raise ValueError(f"importance wants at least {FEWEST} configurations with a score, got {len(y)}")
    finite = np.isfinite(y)
    if not finite.any():
        raise ValueError(f"none of the {len(y)} scores is finite: there is nothing to explain")
    y = np.where(finite, y, y[finite].min() if higher else y[finite].max())
    y = np.ldexp(y, -np.frexp(np.abs(y).max())[1])  # below 1, no digit lost: sums of the largest scores stay finite
    low, high = np.quantile(y, (0.25, 0.75))
    if high > low:
        y = np.clip(y, low - FENCE * (high - low), high + FENCE * (high - low))
    if y.min() == y.max():
        raise ValueError(f"all {len(y)} scores are alike: there is no variance to explain")
    y = (y - y.mean()) / np.abs(y - y.mean()).max()
    return y / y.std()
